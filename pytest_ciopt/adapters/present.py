"""The inputs of tests as they are now, to be compared with what was recorded of them."""

import sys
from collections.abc import Iterable, Mapping

from pytest_ciopt.adapters.listing import Listing
from pytest_ciopt.adapters.tracing import inputs
from pytest_ciopt.adapters.worktree import Worktree


class Present:
    """Implements the port of `usecases/differences.py`. Everything is looked at once."""

    def __init__(self, worktree: Worktree, listing: Listing) -> None:
        self._worktree, self._listing = worktree, listing
        self.distributions = inputs.distributions(sys.path)
        self._sources = listing.sources()
        self._contents: dict[str, str | None] = {}
        self._listings: dict[str, str] = {}
        self._packages: dict[str, str] = {}

    def has(self, path: str, content: str) -> bool:
        """Whether a file has this content. Git is believed where it says so; where it does not, the
        file is read: git may store another text than lies there (line ends, filters)."""
        if self._tracked(path) == content:
            return True
        if path not in self._contents:
            self._contents[path] = inputs.content_id(self._place(path))
        return self._contents[path] == content

    def _tracked(self, path: str) -> str | None:
        if path in self._listing.dirty or path in self._listing.odd:
            return None
        if path.endswith(".py"):
            return self._sources.get(path)
        entry = self._listing.entry(path)
        return None if entry is None else entry.blob

    def holds(self, folder: str, names: str) -> bool:
        """Whether a folder holds these names."""
        if folder not in self._listings:
            self._listings[folder] = inputs.listing_id(self._place(folder))
        return self._listings[folder] == names

    def offers(self, folder: str, modules: str) -> bool:
        """Whether an import finds these modules in a folder."""
        if folder not in self._packages:
            self._packages[folder] = inputs.packages_id(self._place(folder))
        return self._packages[folder] == modules

    def contents(self, ids: Iterable[str]) -> Mapping[str, bytes]:
        """Texts that git knows by these ids; missing ones are left out."""
        return self._worktree.contents(ids)

    def _place(self, path: str) -> str:
        return f"{self._worktree.top}/{path}"
