"""Finds which data of a working tree names modules, and keeps that in `.ciopt/cache/data-names`.

Reading all data of a large repository takes longer than a decision should: what git knows the
content of is read once.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pytest_ciopt.adapters import sections
from pytest_ciopt.adapters.codeversion import version_of
from pytest_ciopt.adapters.listing import Listing
from pytest_ciopt.adapters.sources import content_of
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.graph.data_names import OF_THE_BUILD, SUFFIXES, DataNames, beginnings, named

NAME = "cache/data-names"
_FORMAT = "1"
_MOST = 4_000_000
"""Bytes of a file that are read: larger ones are data sets."""
_LOCAL = ".env"
"""How a file is called that git mostly ignores and that says what a run is set up with."""


class _Kept(NamedTuple):
    """What is known of a listing."""

    names: dict[str, Sequence[str]]
    """Of files that name something."""
    skipped: list[str]
    """Files whose working tree may have differed from what git knows."""
    blobs: dict[str, str]
    """Blob ids of the others."""
    begin: Sequence[str]
    """What names begin with."""


def _nothing() -> _Kept:
    return _Kept({}, [], {}, ())


def find(top: Path, listing: Listing, state: StateDir, files: Sequence[str]) -> list[DataNames]:
    """All data that names modules, sorted by path. `files` are the Python files there are."""
    kept = _kept(top, listing, state, files)
    edited = filter(_may_name, (*listing.dirty, *listing.untracked))
    local = (path for path in listing.ignored if path.rpartition("/")[2] == _LOCAL)
    differing = {*kept.skipped, *edited, *local}
    begin = beginnings(files) if differing else ()
    found = kept.names | {path: _read(top, path, begin)[0] for path in differing}
    return [DataNames(path, tuple(names)) for path, names in sorted(found.items()) if names]


def _kept(top: Path, listing: Listing, state: StateDir, files: Sequence[str]) -> _Kept:
    """Of tracked data."""
    # What git does not know of may be the beginning of a name that is in no listing.
    is_new = any(path.endswith(".py") for path in listing.untracked)
    known, whole = _load(state, None if is_new else listing.key)
    if whole:
        return known
    begin = beginnings(files)
    if list(known.begin) != list(begin):
        known = _nothing()
    kept = _Kept({}, [], {}, begin)
    tracked = listing.blobs(*SUFFIXES)
    for path in filter(_may_name, tracked):
        if known.blobs.get(path) == tracked[path]:
            found, settled = known.names.get(path, ()), True
        elif path in listing.dirty:
            found, settled = (), False
        else:
            found, settled = _read(top, path, begin, listing.asked)
        if not settled:
            kept.skipped.append(path)
            continue
        kept.blobs[path] = tracked[path]
        if found:
            kept.names[path] = found
    state.write(NAME, _encoded(listing.key, kept))
    return kept


def _encoded(key: str, kept: _Kept) -> bytes:
    parts = (
        *(kept.names, ["\n".join(names) for names in kept.names.values()], kept.skipped),
        *(kept.blobs, kept.blobs.values(), kept.begin),
    )
    return sections.encoded(version_of(_FORMAT), key, [sections.joined(part) for part in parts])


def _load(state: StateDir, key: str | None) -> tuple[_Kept, bool]:
    """What is kept; and whether it is of the listing with this very key. Then blobs and beginnings
    are left out, for nobody asks for them."""
    content = state.read(NAME)
    found = None if content is None else sections.decoded(content, version_of(_FORMAT), number=6)
    if found is None:
        return _nothing(), False
    paths, names, skipped = map(sections.split, found.parts[:3])
    lines = zip(paths, names, strict=True)
    several: dict[str, Sequence[str]] = {path: line.split("\n") for path, line in lines}
    if found.key == key:
        return _Kept(several, skipped, {}, ()), True
    tracked, blobs, begin = map(sections.split, found.parts[3:])
    return _Kept(several, skipped, dict(zip(tracked, blobs, strict=True)), begin), False


def _may_name(path: str) -> bool:
    return path.endswith(SUFFIXES) and path.rpartition("/")[2] not in OF_THE_BUILD


def _read(top: Path, path: str, begin: Sequence[str], asked: int = 0) -> tuple[Sequence[str], bool]:
    """What a file names, and whether it was written before git was `asked` for its content."""
    try:
        content, settled = content_of(top, path, asked, _MOST)
    except OSError:  # gone, or a folder: nobody reads it
        return (), False
    return named(content, path, begin), settled
