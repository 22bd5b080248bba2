"""Which examples in texts a change concerns, beside those that ran what changed. Pure.

Of a function it is known which names it mentions, and imports tell what its module can see. An
example is looked at as a text, and may import whatever it likes.
"""

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import NamedTuple, Protocol

from pytest_ciopt.core.history.traces import EXAMPLE
from pytest_ciopt.core.naming import module_path
from pytest_ciopt.core.nodeids import module_of
from pytest_ciopt.core.proof.knowledge import Knowledge

_LOOKING_UP = (
    *("dir", "eval", "exec", "getattr", "getmembers", "globals", "help", "inspect", "vars"),
    *("__dict__", "attrgetter", "delattr", "hasattr", "methodcaller", "pydoc", "setattr"),
)
"""Words of an example that may use names which do not stand there."""
_PROMPT = re.compile(rb"^\s*(?:#\s*)?(?:>>>|\.\.\.)(.*)$", re.MULTILINE)
_IMPORT = re.compile(rb"\s*(?:import|from)\b")


class Followed(NamedTuple):
    """What was followed from all that changed."""

    names: Set[str]
    """Simple names."""
    modules: Set[str]
    """Files of which names were followed that importing binds."""
    reasons: Sequence[str]
    """Why whoever imports anything may be concerned, if somebody may be."""


class Texts(Protocol):
    """The files in which examples stand."""

    def mentions(self, path: str, word: str) -> bool:
        """Whether a word stands in a file."""

    def content(self, path: str) -> bytes:
        """What is in it now."""


def files_of(knowledge: Knowledge) -> dict[int, set[str]]:
    """Files with examples that ran in a process, by the identity of that."""
    found: dict[int, set[str]] = {}
    for test, known in knowledge.tests.items():
        if known.seen is not None and known.seen.what == EXAMPLE:
            found.setdefault(id(known.seen.process), set()).add(module_of(test))
    return found


def concerned(files: Iterable[str], followed: Followed, texts: Texts) -> Iterator[tuple[str, str]]:
    """Those of the files with examples whose examples may be concerned, with why."""
    general = next(iter(followed.reasons), None)
    for path in sorted(files):
        why = general or _use(path, followed, texts)
        if why is not None:
            yield path, why


def _use(path: str, followed: Followed, texts: Texts) -> str | None:
    if not followed.names:
        return None
    if any(texts.mentions(path, word) for word in _LOOKING_UP):
        return f"an example looks names up, perhaps {min(followed.names)}"
    name = next((one for one in sorted(followed.names) if texts.mentions(path, one)), None)
    if name is None:
        name = next(_wholes(texts.content(path), followed.modules), None)
    return None if name is None else f"an example uses {name}"


def _wholes(content: bytes, modules: Set[str]) -> Iterator[str]:
    """Words by which an example takes one of the modules as a whole, or a package around it.

    Whoever is handed that may look up any of its names.
    """
    lines = _PROMPT.findall(content) or content.splitlines()
    imports = b"\n".join(line for line in lines if _IMPORT.match(line))
    code = b"\n".join(line for line in lines if not _IMPORT.match(line))
    for word in sorted({word for path in modules for word in module_path(path).split("/")}):
        name = re.escape(word.encode())
        aliases = re.findall(rb"\b%s\s+as\s+(\w+)" % name, imports)
        for one in (name, *aliases):
            if re.search(rb"\b%s\b(?!\s*\.)" % one, code):
                yield word
