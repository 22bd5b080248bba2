"""Keeps what the last search of an import index found, in `.ciopt/cache/search-3.12-…`.

Whoever edits a module again and again asks the same question each time, as long as no import
changes. An answer is kept with the whole text of its question and given for no other.
"""

import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

from pytest_ciopt.adapters import sections
from pytest_ciopt.adapters.codeversion import version_of
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.graph import dependents
from pytest_ciopt.core.graph.index import ImportIndex
from pytest_ciopt.core.graph.reached import Layout, Link, Reached

_FORMAT = f"1-{sys.byteorder}-{array('I').itemsize}"
"""Of this file; raise the number with it."""
_WORTH_KEEPING = 500
"""Files reached from which on an answer is kept: finding fewer takes no longer than reading it."""
_COLUMNS = 4
"""Of each table of links: paths; and for every run of paths with one link its `via`, its `how`
and its length."""

_Table = dict[str, Link]


def name(reasons: bool) -> str:
    """The file of answers with their reasons, or without; one a Python version, as the index."""
    kind = "reasons" if reasons else "files"
    return f"cache/search-{sys.version_info.major}.{sys.version_info.minor}-{kind}"


def version() -> str:
    """Of the file's form and of what a search finds: with either, what is kept is outdated."""
    return version_of(_FORMAT)


class RememberedSearch:
    """`dependents.search` of one index, with a memory."""

    def __init__(self, state: StateDir, origin: str) -> None:
        """Of equal `origin` are indexes with the same stored layer."""
        self._state, self._origin = state, origin

    def __call__(
        self,
        seeds: Mapping[str, str],
        index: ImportIndex,
        layout: Layout,
        narrowed: Mapping[str, bool] = MappingProxyType({}),
        *,
        reasons: bool = True,
    ) -> Reached:
        """As `dependents.search`."""
        if len(index.files) < _WORTH_KEEPING:
            return dependents.search(seeds, index, layout, narrowed, reasons=reasons)
        question = self._question(seeds, index, layout, narrowed)
        kept = self._state.read(name(reasons))
        found = None if kept is None else _answer(kept, question)
        if found is None:
            found = dependents.search(seeds, index, layout, narrowed, reasons=reasons)
            if len(found.files) >= _WORTH_KEEPING:
                self._state.write(name(reasons), _encoded(question, found))
        return found

    def _question(
        self,
        seeds: Mapping[str, str],
        index: ImportIndex,
        layout: Layout,
        narrowed: Mapping[str, bool],
    ) -> bytes:
        """All that an answer depends on, equal for equal questions.

        The files of an index follow from its layers.
        """
        loaders = [(path, sorted(modules)) for path, modules in layout.loaders]
        told = layout._replace(packages=frozenset(), loaders=(), suspects=frozenset())
        folders = sorted(layout.packages), sorted(layout.suspects)
        parts = (
            *(self._origin, sorted(index.stale), index.fresh, index.base),
            *(*folders, loaders, told, sorted(seeds.items()), sorted(narrowed.items())),
        )
        return repr(parts).encode("utf-8", "surrogatepass")


def _encoded(question: bytes, found: Reached) -> bytes:
    parts = [question]
    for table in (found.files, found.scopes, found.doctests):
        runs = [(link, sum(1 for _ in run)) for link, run in groupby(table.values())]
        parts += (
            _joined(list(table)),
            _joined([link.via or "" for link, _ in runs]),
            _joined([link.how for link, _ in runs]),
            array("I", [length for _, length in runs]).tobytes(),
        )
    return sections.encoded(version(), "", parts)


def _answer(content: bytes, question: bytes) -> Reached | None:
    """What is kept, if it is the answer to this question and whole."""
    known = sections.decoded(content, version(), number=1 + 3 * _COLUMNS)
    if known is None or known.parts[0] != question:
        return None
    found = Reached()
    try:
        found.files, found.scopes, found.doctests = _tables(known.parts[1:])
    except ValueError:
        return None
    return found


def _tables(parts: Sequence[bytes | memoryview]) -> Iterator[_Table]:
    """Raises: ValueError when the columns of one do not fit together."""
    for first in range(0, len(parts), _COLUMNS):
        paths, vias, hows = map(_split, parts[first : first + 3])
        lengths = array("I")
        lengths.frombytes(parts[first + 3])
        links: list[Link] = []
        for via, how, length in zip(vias, hows, lengths, strict=True):
            links += [Link(via or None, how)] * length
        yield dict(zip(paths, links, strict=True))


def _joined(texts: Sequence[str]) -> bytes:
    return "".join(f"{text}\0" for text in texts).encode("utf-8", "surrogatepass")


def _split(section: bytes | memoryview) -> list[str]:
    return str(section, "utf-8", "surrogatepass").split("\0")[:-1]
