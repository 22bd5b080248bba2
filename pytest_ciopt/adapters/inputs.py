"""What tests are given to work with: contents of files and folders, installed distributions.

Recording and proving ask here alike, so that equal inputs have equal ids.
"""

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha1
from pathlib import Path

from pytest_ciopt.adapters.history.facts import surroundings
from pytest_ciopt.adapters.worktree import Listing, Worktree, blob_id
from pytest_ciopt.core.history.traces import ABSENT

_PASSED_OVER = frozenset(("__pycache__", ".pytest_cache", ".ciopt", ".git", ".hypothesis"))
_INSTALLED = (".dist-info", ".egg-info")
_OURS = ("pytest_ciopt-", "pytest-ciopt-")


def content_id(path: str | Path) -> str:
    """Git's id (SHA-1) of the content of a file; `ABSENT` where there is none to read."""
    try:
        with open(path, "rb") as stream:
            return blob_id(stream.read())
    except OSError:
        return ABSENT


def folder_id(path: str | Path) -> str:
    """Of the names in a folder, but for what tools leave there."""
    return _id_of(name for name in _names(path) if _counts(name))


def packages_id(path: str | Path) -> str:
    """Of the names of modules and folders in a folder: what an import can find there."""
    return _id_of(
        name for name in _names(path) if name.endswith(".py") or ("." not in name and _counts(name))
    )


def _names(path: str | Path) -> list[str]:
    try:
        return sorted(os.listdir(path))
    except OSError:
        return [ABSENT, "/"]  # which is no name


def _counts(name: str) -> bool:
    return name not in _PASSED_OVER and not name.endswith((".pyc", ".pyo"))


def _id_of(names: Iterable[str]) -> str:
    return sha1("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()


def distributions() -> tuple[str, ...]:
    """What is installed where Python looks for modules, e.g. `click-8.1.8`, but for ourselves."""
    return tuple(sorted(set(_distributions())))


def _distributions() -> Iterator[str]:
    for folder in sys.path:
        if folder.rstrip("/\\").endswith(("site-packages", "dist-packages")):
            for name in _names(folder):
                if name.endswith(_INSTALLED) and not name.startswith(_OURS):
                    yield name.rpartition(".")[0]


def python() -> str:
    """The interpreter, e.g. `cpython-3.12.1-linux-x86_64`."""
    found = surroundings()
    return f"{found.implementation}-{found.python}-{found.platform}"


class Present:
    """The inputs as they are now. Implements the port of `usecases/prove.py`."""

    def __init__(self, worktree: Worktree, listing: Listing) -> None:
        self._worktree, self._listing = worktree, listing
        self.python = python()
        self.distributions = distributions()
        self._ids: dict[str, str] = {}
        self._folders: dict[str, str] = {}
        self._packages: dict[str, str] = {}

    def has(self, path: str, content: str) -> bool:
        """Whether a file has this content. Git is believed where it says so; where it does not, the
        file is read: git may store another text than lies there (line ends, filters)."""
        if self._tracked(path) == content:
            return True
        if path not in self._ids:
            self._ids[path] = content_id(self._worktree.top / path)
        return self._ids[path] == content

    def _tracked(self, path: str) -> str | None:
        if path in self._listing.dirty or path in self._listing.odd:
            return None
        facts = self._listing.facts.get(path)
        return None if facts is None else facts.split(" ")[2]

    def holds(self, folder: str, names: str) -> bool:
        """Whether a folder holds these names, see `folder_id`."""
        if folder not in self._folders:
            self._folders[folder] = folder_id(self._worktree.top / folder)
        return self._folders[folder] == names

    def offers(self, folder: str, modules: str) -> bool:
        """Whether an import finds the same in a folder, see `packages_id`."""
        if folder not in self._packages:
            self._packages[folder] = packages_id(self._worktree.top / folder)
        return self._packages[folder] == modules

    def contents(self, ids: Iterable[str]) -> Mapping[str, bytes]:
        """Texts that git knows by these ids; missing ones are left out."""
        return self._worktree.contents(ids)
