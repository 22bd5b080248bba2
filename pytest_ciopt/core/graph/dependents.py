"""What a change reaches through imports: the search backwards over the import index. Pure.

Besides import statements it follows what Python and pytest load on their own: the packages above
a module, the conftest files above a test, entry points of the project itself.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from pytest_ciopt.core.graph.index import ImportIndex, begins, continued
from pytest_ciopt.core.graph.scanner import STDLIB
from pytest_ciopt.core.naming import INIT, Naming, ancestors, folder_of, module_path
from pytest_ciopt.core.testfiles import CONFTEST, is_collected, is_test_module
from pytest_ciopt.settings import Discovery


class Link(NamedTuple):
    """Why a file is reached: from which file, and how that one is loaded."""

    via: str | None
    """None for what the change itself names."""
    how: str
    """E.g. `imports pkg.mod`, `changed`."""


class EntryPoints(NamedTuple):
    """What one project registers for others to load."""

    groups: tuple[bytes, ...]
    modules: frozenset[str]
    """Import names."""


class Layout(NamedTuple):
    """What the search must know of a repository beside its imports."""

    packages: frozenset[str]
    """Folders with an `__init__.py`, those that the change removed included."""
    top: str = ""
    """Name of the folder of the checkout."""
    loaders: tuple[tuple[str, frozenset[str]], ...] = ()
    """Files that load entry points, with the import names of those."""
    tests: Discovery = Discovery()
    """How tests are found. Where doctests of modules are collected, their imports count too."""


class Reached:
    """The result of a search."""

    __slots__ = ("doctests", "files", "scopes")

    def __init__(self) -> None:
        self.files: dict[str, Link] = {}
        """Files that load something changed."""
        self.scopes: dict[str, Link] = {}
        """Folders whose conftest is reached: whatever is collected below runs."""
        self.doctests: dict[str, Link] = {}
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
        self.doctests = layout.tests.doctest_modules
        self.result = Reached()
        self.waiting: deque[str] = deque()
        self.consumed: set[str] = set()
        self.exhausted: set[str] = set()
        """Folders such that whoever imports anything in them is reached already."""
        self.searched: set[str] = set()
        """Folders whose wildcards have been followed."""
        self.wildcards = index.marked("*")
        self.ambiguous = index.marked("~")
        self.ambiguous_texts = sorted(self.ambiguous)
        self.loading: dict[str, list[str]] = {}
        for loader, entry_points in layout.loaders:
            for entry_point in entry_points:
                self.loading.setdefault(entry_point, []).append(loader)
        self.named = sorted({*self.wildcards, *self.ambiguous, *self.loading})
        """Names that are not in the index under themselves."""
        self.registered = {entry_point.rpartition(".")[2] for entry_point in self.loading}
        self.naming = Naming(layout.packages, layout.top, self._is_asked)
        self.prefixes: dict[str, list[_Prefix]] = {}
        """By folder."""
        self.asked: dict[str, set[str]] = {}
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
        if wildcards and folder not in self.searched:
            self.searched.add(folder)
            self._wildcards(path, folder)
        if name == INIT:
            for own in self.naming.folder(folder).own:
                if self.consumed.isdisjoint(_above(own)):
                    self._importers(path, own)
            self._children(path)
        elif folder not in self.exhausted:
            self._module(path, folder, name.removesuffix(".py"))
        if name in self.scripts:
            self._scripts(path, name)
        if self.registered and module_path(path).rpartition("/")[2] in self.registered:
            self._loaders(path, self.naming.folder(folder).of(name))

    def _module(self, path: str, folder: str, module: str) -> None:
        prefixes = self.prefixes.get(folder)
        if prefixes is None:
            known = self.naming.folder(folder).prefixes
            prefixes = self.prefixes[folder] = [
                _Prefix(text, _above(text), _is_stdlib(text)) for text in known
            ]
        subsumed = True
        for prefix in prefixes:
            if self.consumed.isdisjoint(prefix.above):
                subsumed = False
                if module in self._asked(prefix.text) or prefix.stdlib:
                    self._importers(path, prefix.text + module)
        if subsumed:
            self.exhausted.add(folder)

    def _asked(self, prefix: str) -> set[str]:
        """Modules that are loaded by a name that begins so; in most folders only a few."""
        asked = self.asked.get(prefix)
        if asked is None:
            asked = self.index.continued(prefix) | continued(self.ambiguous_texts, prefix)
            if self.doctests:
                asked |= self.index.continued(">" + prefix)
            self.asked[prefix] = asked
        return asked

    def _is_asked(self, prefix: str) -> bool:
        """Whether anything is loaded by a name that begins so; most prefixes fail."""
        return (
            self.index.begins(prefix)
            or begins(self.named, prefix)
            or not self.wildcards.keys().isdisjoint(_above(prefix))
            or _is_stdlib(prefix)
            or (self.doctests and self.index.begins(">" + prefix))
        )

    def _importers(self, path: str, name: str) -> None:
        """Reaches whoever imports a name, or one below it."""
        if name in self.consumed:
            return
        self.consumed.add(name)
        for importer, imported in self.index.importers_below(name, self.result.files).items():
            self.reach(importer, path, f"imports {_readable(imported)}")
        self._strings(path, name)
        if self.doctests:
            self._doctests(path, name)

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
        if _is_stdlib(name):
            top = name.partition(".")[0]
            for importer in self.index.importers(top):
                self.reach(importer, path, f"imports {top}")

    def _doctests(self, path: str, name: str) -> None:
        found = self.index.importers_below(">" + name, self.result.doctests)
        for importer, imported in found.items():
            self.result.doctests[importer] = Link(
                path, f"its doctests import {_readable(imported[1:])}"
            )

    def _wildcards(self, path: str, folder: str) -> None:
        """Whoever may load anything in the folder, or in one above it."""
        for name in self.naming.folder(folder).own if self.wildcards else ():
            for prefix in (name, *_above(name)):
                for importer in self.wildcards.get(prefix, ()):
                    self.reach(importer, path, f"may load anything in {_readable(prefix)}")

    def _loaders(self, path: str, known: Sequence[str]) -> None:
        for entry_point in known:
            for loader in self.loading.get(entry_point, ()):
                self.reach(loader, path, "loads entry points, one of which is this")

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


class _Prefix(NamedTuple):
    """What names of the modules of a folder begin with."""

    text: str
    above: Sequence[str]
    """The names above: once one of them is searched, so are those that begin so."""
    stdlib: bool


def _is_stdlib(name: str) -> bool:
    """Whether a name stands below one of the standard library, of which only the top is kept."""
    top, dot, _ = name.partition(".")
    return bool(dot) and top in STDLIB


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
