"""What differs in modules between the texts that a record knows and those that are there now."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from pytest_ciopt.core.edits import trees
from pytest_ciopt.core.history.traces import ABSENT, Source
from pytest_ciopt.core.proof import prints
from pytest_ciopt.core.proof.prints import Difference
from pytest_ciopt.usecases.texts import Texts


class Present(Protocol):
    """The inputs as they are now."""

    distributions: tuple[str, ...]
    """As `Inputs.distributions`."""

    def has(self, path: str, content: str) -> bool:
        """Whether a file has the content of this id."""

    def holds(self, folder: str, names: str) -> bool:
        """Whether a folder holds the names of this id."""

    def offers(self, folder: str, modules: str) -> bool:
        """Whether an import finds the modules of this id in a folder."""

    def contents(self, ids: Iterable[str]) -> Mapping[str, bytes]:
        """Texts that git knows by these ids; missing ones are left out."""


class Differences:
    """Compares by fingerprints, each pair of texts once."""

    def __init__(self, sources: Mapping[str, Source], texts: Texts, present: Present) -> None:
        self._texts, self._present = texts, present
        self._old: dict[str, Source] = dict(sources)
        self._now: dict[str, Source | None] = {}
        self._found: dict[tuple[str, str], Difference | None] = {}

    def fetch(self, ids: Iterable[str]) -> None:
        """Makes fingerprints of older texts that git still has, all at once."""
        wanted = [one for one in ids if one not in self._old]
        for content_id, content in self._present.contents(wanted).items():
            tree = trees.parse(content)
            made = None if tree is None else prints.source(content_id, tree)
            if made is not None:
                self._old[content_id] = made

    def of(self, path: str, old: str) -> Difference | None:
        """Of a file since it had the content of this id; None when that cannot be told."""
        if (path, old) not in self._found:
            self._found[path, old] = self._compared(path, old)
        return self._found[path, old]

    def _compared(self, path: str, old: str) -> Difference | None:
        before, after = self._old.get(old), self._source(path)
        if before is None or after is None or self._present.has(path, ABSENT):
            return None
        return prints.difference(before, after) if self._compiles(path, old) else None

    def _source(self, path: str) -> Source | None:
        if path not in self._now:
            self._now[path] = self._texts.prints(path)
        return self._now[path]

    def _compiles(self, path: str, old: str) -> bool:
        """Whether Python compiles a file, and warns of nothing that it did not warn of before."""
        now = trees.complaints(self._texts.content(path))
        if not now:
            return now is not None
        before = self._present.contents([old]).get(old)
        return before is not None and trees.complaints(before) == now
