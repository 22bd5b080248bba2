"""What a change reaches through imports: the search backwards over the import index. Pure.

Besides import statements it follows what Python and pytest load on their own: the packages above
a module, the conftest files above a test, entry points of the project itself.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from pytest_ciopt.core.index import ImportIndex
from pytest_ciopt.core.naming import (
    INIT,
    FolderNames,
    ancestors,
    folder_names,
    folder_of,
)
from pytest_ciopt.core.scanner import STDLIB
from pytest_ciopt.core.testfiles import CONFTEST, is_collected, is_test_module
from pytest_ciopt.settings import Discovery


@dataclass(frozen=True, slots=True)
class Link:
    """Why a file is reached: from which file, and how that one is loaded."""

    via: str | None
    """None for what the change itself names."""
    how: str
    """E.g. `imports pkg.mod`, `changed`."""


@dataclass(frozen=True, slots=True)
class EntryPoints:
    """What one project registers for others to load."""

    groups: tuple[bytes, ...]
    modules: frozenset[str]
    """Import names."""


@dataclass(frozen=True, slots=True)
class Layout:
    """What the search must know of a repository beside its imports."""

    packages: frozenset[str]
    """Folders with an `__init__.py`, those that the change removed included."""
    top: str = ""
    """Name of the folder of the checkout."""
    loaders: tuple[tuple[str, frozenset[str]], ...] = ()
    """Files that load entry points, with the import names of those."""
    tests: Discovery = field(default_factory=Discovery)
    """How tests are found. Where doctests of modules are collected, their imports count too."""


@dataclass(slots=True)
class Reached:
    """The result of a search."""

    files: dict[str, Link] = field(default_factory=dict)
    """Files that load something changed."""
    scopes: dict[str, Link] = field(default_factory=dict)
    """Folders whose conftest is reached: whatever is collected below runs."""
    doctests: dict[str, Link] = field(default_factory=dict)
    """Files of which only the doctests load something changed."""


def search(
    seeds: Mapping[str, str],
    index: ImportIndex,
    layout: Layout,
    narrowed: Mapping[str, bool] = MappingProxyType({}),
) -> Reached:
    """Breadth first, so that chains are shortest. Each name of the index is visited once.

    `seeds` maps files to why they count. `narrowed` are changed files of which only a part is
    affected: whoever loads them is reached, they themselves only if something else reaches them.
    The value says whether more than bodies of tests changed; if not, loading them without a name
    (by `pkgutil`, say) is no reason, for a test function's body does not run then.
    """
    found = _Search(index, layout)
    for path in sorted(seeds):
        found.reach(path, None, seeds[path])
    found.exhaust()
    for path, imported in sorted(narrowed.items()):
        if path not in found.result.files:
            found.narrowed.add(path)
            found.expand(path, imported)
            found.exhaust()
    return found.result


def leads_to(
    path: str, index: ImportIndex, layout: Layout, goal: Callable[[str], bool]
) -> str | None:
    """The first file found that loads `path` and satisfies `goal`, else None."""
    found = _Search(index, layout, goal)
    try:
        found.reach(path, None, "")
        found.exhaust()
    except _Goal as reached:
        return reached.path
    return None


class _Goal(Exception):
    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path


class _Search:
    """One search. What depends on the folder of a file only is worked out once per folder."""

    def __init__(
        self, index: ImportIndex, layout: Layout, goal: Callable[[str], bool] | None = None
    ) -> None:
        self.index, self.layout, self.goal = index, layout, goal
        self.result = Reached()
        self.waiting: deque[str] = deque()
        self.consumed: set[str] = set()
        self.exhausted: set[str] = set()
        """Folders such that whoever imports anything in them is reached already."""
        self.folders: dict[str, FolderNames] = {}
        self.searched: set[str] = set()
        """Folders whose wildcards have been followed."""
        self.wildcards = index.marked("*")
        self.ambiguous = index.marked("~")
        self.ambiguous_texts = sorted(self.ambiguous)
        self.loading: dict[str, list[str]] = {}
        for loader, entry_points in layout.loaders:
            for entry_point in entry_points:
                self.loading.setdefault(entry_point, []).append(loader)
        self.narrowed: set[str] = set()
        self.scripts: dict[str, list[tuple[str, str]]] = {}
        for script, files in index.marked("=").items():
            named = self.scripts.setdefault(script.rpartition("/")[2], [])
            named.extend((script, file) for file in files)

    def exhaust(self) -> None:
        """Follows everything that is reached, until nothing new is."""
        while self.waiting:
            self.expand(self.waiting.popleft())

    def reach(self, path: str, via: str | None, how: str) -> None:
        """Adds a file, unless it is reached already."""
        if path in self.result.files:
            return
        if self.goal is not None and self.goal(path):
            raise _Goal(path)
        # A changed file is its own reason: a chain through a circle of imports would not end.
        self.result.files[path] = Link(None, "changed") if path in self.narrowed else Link(via, how)
        self.waiting.append(path)
        if path.endswith(CONFTEST) and path.rpartition("/")[2] == CONFTEST:
            self.result.scopes.setdefault(folder_of(path), Link(path, "conftest above it"))

    def expand(self, path: str, wildcards: bool = True) -> None:
        """Reaches everything that loads `path`."""
        folder, _, name = path.rpartition("/")
        known = self.folders.get(folder)
        if known is None:
            known = folder_names(folder, self.layout.packages, self.layout.top)
            self.folders[folder] = known
        if wildcards and folder not in self.searched:
            self.searched.add(folder)
            self._wildcards(path, known)
        if name == INIT:
            self._importers(path, known.own)
            self._children(path)
        elif folder not in self.exhausted and self._importers(path, known.of(name)):
            self.exhausted.add(folder)
        if name in self.scripts:
            self._scripts(path, name)
        for entry_point in known.of(name) if self.loading else ():
            for loader in self.loading.get(entry_point, ()):
                self.reach(loader, path, "loads entry points, one of which is this")

    def _importers(self, path: str, known: Sequence[str]) -> bool:
        """Whether all the names stand below names that were searched before."""
        subsumed = True
        for name in known:
            above = _above(name)
            if not self.consumed.isdisjoint(above):
                continue
            subsumed = False
            if name in self.consumed:
                continue
            self.consumed.add(name)
            for imported, importer in self.index.importers_below(name, self.result.files):
                if importer not in self.result.files:
                    self.reach(importer, path, f"imports {_readable(imported)}")
            self._strings(path, name)
            if self.layout.tests.doctest_modules:
                self._doctests(path, name)
        return subsumed

    def _strings(self, path: str, name: str) -> None:
        """Strings that may name files, and names of which only the first part was kept."""
        above = f"{name}." if path.endswith(INIT) else None
        texts = [name] if name in self.ambiguous else []
        if above is not None:
            low = bisect_left(self.ambiguous_texts, above)
            high = bisect_left(self.ambiguous_texts, name + "/")
            texts += self.ambiguous_texts[low:high]
        for text in texts:
            for importer in self.ambiguous[text]:
                self.reach(importer, path, f"names {text}")
        top = name.partition(".")[0]
        if top in STDLIB and top != name:
            for importer in self.index.importers(top):
                self.reach(importer, path, f"imports {top}")

    def _doctests(self, path: str, name: str) -> None:
        for imported, importer in self.index.importers_below(">" + name, self.result.doctests):
            self.result.doctests[importer] = Link(
                path, f"its doctests import {_readable(imported[1:])}"
            )

    def _wildcards(self, path: str, known: FolderNames) -> None:
        """Whoever may load anything in the folder, or in one above it."""
        for name in known.own if self.wildcards else ():
            for prefix in (name, *_above(name)):
                for importer in self.wildcards.get(prefix, ()):
                    self.reach(importer, path, f"may load anything in {_readable(prefix)}")

    def _children(self, path: str) -> None:
        """A package is loaded before what lies in it."""
        folder = folder_of(path)
        for child in self.index.below(folder):
            self.reach(child, path, f"is in the package {folder or '.'}")

    def _scripts(self, path: str, name: str) -> None:
        """Whoever names the file as a script.

        A bare name says too little about a module of a package, which is imported rather than
        run, unless a test gives it; and tests are not run by name.
        """
        packaged = folder_of(path) in self.layout.packages
        for script, file in self.scripts[name]:
            if "/" in script:
                matches = path.endswith(script)
            elif is_test_module(path, self.layout.tests):
                matches = False
            else:
                matches = not packaged or is_collected(file, self.layout.tests)
            if matches:
                self.reach(file, path, f"names {script}")


def _readable(name: str) -> str:
    return name.strip("/").replace("/", ".")


def _above(name: str) -> list[str]:
    """`a.b.c` gives `a.b` and `a`; `/a/b` gives `/a`."""
    separator = "/" if name[:1] == "/" else "."
    found = []
    while (cut := name.rfind(separator)) > 0:
        name = name[:cut]
        found.append(name)
    return found


def scope_of(path: str, scopes: Mapping[str, Link]) -> Link | None:
    """The nearest reached conftest above a file."""
    if not scopes:
        return None
    return next((scopes[f] for f in ancestors(folder_of(path)) if f in scopes), None)
