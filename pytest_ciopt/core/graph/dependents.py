"""What a change reaches through imports: the search backwards over the import index. Pure.

Besides import statements it follows what Python and pytest load on their own: the packages above
a module, the conftest files above a test, entry points and commands of the project itself.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from pytest_ciopt.core.graph.commands import MARK
from pytest_ciopt.core.graph.index import ImportIndex, Left, begins, continued
from pytest_ciopt.core.graph.reached import Layout, Link, Reached
from pytest_ciopt.core.graph.scanner import kept
from pytest_ciopt.core.naming import INIT, Naming, ancestors, folder_of, module_path
from pytest_ciopt.core.stdlib import LOADED
from pytest_ciopt.core.testfiles import CONFTEST, is_collected, is_test_module

_MAIN = ".__main__"
"""What the scanner puts behind `name` of `python -m name`."""


def search(
    seeds: Mapping[str, str],
    index: ImportIndex,
    layout: Layout,
    narrowed: Mapping[str, bool] = MappingProxyType({}),
    *,
    reasons: bool = True,
) -> Reached:
    """Breadth first, so that chains are shortest. Each name of the index is visited once.

    Where nobody asks for `reasons`, packages go first, since with a package most that lies in it
    is done. The same files are reached, but links are no more than a way to each.

    `seeds` maps files to why they count. `narrowed` are changed files of which only a part is
    affected: whoever loads them is reached, they themselves only if something else reaches them.
    The value says whether more than bodies of tests changed; if not, loading them without a name
    (by `pkgutil`, say) is no reason, for a test function's body does not run then.
    """
    found = _Search(index, layout, reasons=reasons)
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
    found = _Search(index, layout, goal, reasons=False)
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
        self,
        index: ImportIndex,
        layout: Layout,
        goal: Callable[[str], bool] | None = None,
        *,
        reasons: bool = True,
    ) -> None:
        self.index, self.layout, self.goal = index, layout, goal
        self.doctests = layout.tests.doctest_modules
        self.result = Reached()
        self.left = None if reasons else Left(index, self.result.files)
        self.waiting: deque[str] = deque()
        self.consumed: set[str] = set()
        self.exhausted: set[str] = set()
        """Folders such that whoever imports anything in them is reached already."""
        self.covered: set[str] = set()
        """Packages all of whose files are reached."""
        self.searched: set[str] = set()
        """Folders whose wildcards have been followed, and those of the folders above."""
        self.data = frozenset(one.path for one in layout.data)
        self.wildcards = index.marked("*")
        for one in layout.data:
            for name in one.names:
                self.wildcards.setdefault(name, []).append(one.path)
        self.wildcard_places: dict[str, list[str]] = {}
        """How the places of folders end that can go by such a name, by the name of the folder."""
        for wildcard in self.wildcards:
            place = wildcard if wildcard[:1] == "/" else "/" + wildcard.replace(".", "/")
            self.wildcard_places.setdefault(place.rpartition("/")[2], []).append(place)
        self.ambiguous = index.marked("~")
        self.ambiguous_texts = sorted(self.ambiguous)
        self.loading: dict[str, list[tuple[str, str]]] = {}
        """Files that load a module without importing it, and how; by the name of the module."""
        for entry_point, loader, how in self._loads():
            self.loading.setdefault(entry_point, []).append((loader, how))
        self.few = sorted(
            {*self.wildcards, *self.ambiguous, *self.loading, *index.fresh.names, *index.base.names}
        )
        """Names that are not in the stored layer under themselves."""
        self.registered = {f"{name.rpartition('.')[2]}.py" for name in self.loading}
        self.naming = Naming(layout.packages, layout.top, self._is_asked)
        self.prefixes: dict[str, list[_Prefix]] = {}
        """By folder."""
        self.asked: dict[str, set[str]] = {}
        self.around: dict[str, list[tuple[str, str]]] = {}
        self.narrowed: set[str] = set()
        self.scripts: dict[str, list[tuple[str, str]]] = {}
        for script, files in index.marked("=").items():
            named = self.scripts.setdefault(script.rpartition("/")[2], [])
            named.extend((script, file) for file in files)

    def _loads(self) -> Iterator[tuple[str, str, str]]:
        """(module, file that loads it without importing it, how) for what the project registers,
        and for what data names."""
        for loader, entry_points in self.layout.loaders:
            for entry_point in entry_points:
                yield entry_point, loader, "loads entry points, one of which is this"
        for data in self.layout.data:
            for name in data.names:
                for module in (name, *_above(name)):
                    yield module, data.path, f"names {name}"
        files = self.index.marked(MARK) if self.layout.commands else {}
        for command in self.layout.commands:
            for file in files.get(command.name, ()):
                for module in command.modules:
                    yield module, file, f"names the command {command.name}"

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
        if path in self.data:
            return
        if self.left is not None and path.endswith(INIT):
            self.waiting.appendleft(path)
        else:
            self.waiting.append(path)
        if self._is_for_many(path):
            self._scope(path)

    def _reach_all(self, paths: Sequence[str], via: str, how: str) -> None:
        """As `reach`, for thousands at a time."""
        if self.left is None or self.goal is not None or self.narrowed:
            for path in paths:
                self.reach(path, via, how)
            return
        files = self.result.files
        new = dict.fromkeys([path for path in paths if path not in files], Link(via, how))
        files.update(new)
        packages = [path for path in new if path.endswith(INIT)]
        self.waiting.extendleft(packages)
        self.waiting.extend(path for path in new if not path.endswith(INIT))
        for path in filter(self._is_for_many, new):
            self._scope(path)

    def _is_for_many(self, path: str) -> bool:
        """Whether tests may load a file that do not import it."""
        return path.endswith(CONFTEST) or path in self.layout.settings

    def _scope(self, path: str) -> None:
        folder, _, name = path.rpartition("/")
        if name == CONFTEST:
            self.result.scopes.setdefault(folder, Link(path, "conftest above it"))
        elif path in self.layout.settings:
            self.result.scopes.setdefault("", Link(path, "settings of every run"))

    def expand(self, path: str, wildcards: bool = True) -> None:
        """Reaches everything that loads `path`."""
        folder, _, name = path.rpartition("/")
        if wildcards and folder not in self.searched and self.wildcards:
            self._wildcards(path, folder)
        if name == INIT:
            self._package(path, folder)
        elif folder not in self.exhausted and not self._is_exhausted(folder):
            self._module(path, folder, name.removesuffix(".py"))
        self._beside_scripts(path)
        if name in self.scripts:
            self._scripts(path, name)
        if (folder.rpartition("/")[2] + ".py" if name == INIT else name) in self.registered:
            self._loaders(path, self.naming.folder(folder).of(name))

    def _is_exhausted(self, folder: str) -> bool:
        """Whether whoever imports anything in the folder is reached already.

        Names of what lies in a package begin with names of the package, and those with names of
        what lies in the folder above.
        """
        if folder in self.exhausted:
            return True
        if not folder or folder not in self.layout.packages:
            return False  # what lies in it has names that begin anew
        found = self._is_exhausted(folder_of(folder))
        if found:
            self.exhausted.add(folder)
        return found

    def _package(self, path: str, folder: str) -> None:
        if not folder or not self._is_exhausted(folder_of(folder)):
            for own in self.naming.folder(folder).own:
                if self.consumed.isdisjoint(_above(own)) and not self._is_hidden(path, own):
                    self._importers(path, own)
            if folder and folder in self.layout.packages:
                self.exhausted.add(folder)
        self._children(path, folder)

    def _module(self, path: str, folder: str, module: str) -> None:
        prefixes = self.prefixes.get(folder)
        if prefixes is None:
            known = self.naming.folder(folder).prefixes
            prefixes = self.prefixes[folder] = [
                _Prefix(text, _above(text), _is_stdlib(text)) for text in known
            ]
        subsumed = True
        for text, above, stdlib in prefixes:
            if self.consumed.isdisjoint(above):
                subsumed = False
                if self._is_hidden(path, text + module):
                    continue
                if stdlib or module in (self.asked.get(text) or self._asked(text)):
                    self._importers(path, text + module)
        if subsumed:
            self.exhausted.add(folder)

    def _is_hidden(self, path: str, name: str) -> bool:
        """Whether a name of a file means something in the standard library: that was loaded before
        any file could put the folder on the path from which this one has the name, and it goes
        before any folder that is no package."""
        if name.partition(".")[0] not in LOADED:
            return False
        top = module_path(path)
        for _ in range(name.count(".")):
            top = folder_of(top)
        suspects = self.layout.suspects
        is_module = "." not in name or top in self.layout.packages or top in suspects
        return folder_of(top) in suspects or not is_module

    def _beside_scripts(self, path: str) -> None:
        """A module of a package that is run as a script, by its path, finds what lies in its folder
        without the name of the package; and so does what it imports from there. `python -m module`
        may be started in the folder."""
        folder, _, module = module_path(path).rpartition("/")
        for above, prefix in self._around(folder):
            if above in self.covered:
                break
            if not prefix and module not in self._asked(""):
                continue
            name, place = prefix + module, above + "/"
            found = self.index.importers_below(kept(name), self.result.files)
            for importer, imported in found.items():
                if importer.startswith(place):
                    self.reach(importer, path, f"imports {_readable(imported)}")
            started = name.removesuffix(_MAIN)
            for importer in self.index.importers(started + _MAIN) if found else ():
                self.reach(importer, path, f"runs {started}")

    def _around(self, folder: str) -> Sequence[tuple[str, str]]:
        """Packages that a folder lies in, itself first, with how names in it begin there. The top
        is on the path anyway, and left out is where nobody uses a name that begins so."""
        found = self.around.get(folder)
        if found is None:
            found = self.around[folder] = []
            for above in ancestors(folder)[:-1]:
                below = folder[len(above) + 1 :].replace("/", ".")
                is_asked = not below or below.partition(".")[0] in self._asked("")
                if is_asked and (above in self.layout.packages or above in self.layout.suspects):
                    found.append((above, f"{below}." if below else ""))
        return found

    def _asked(self, prefix: str) -> set[str]:
        """Modules that are loaded by a name that begins so; in most folders only a few."""
        asked = self.asked.get(prefix)
        if asked is None:
            asked = continued(self.index.stored.names, prefix) | continued(self.few, prefix)
            if self.doctests:
                asked |= self.index.continued(">" + prefix)
            self.asked[prefix] = asked
        return asked

    def _is_asked(self, prefix: str) -> bool:
        """Whether anything is loaded by a name that begins so; most prefixes fail."""
        return (
            begins(self.index.stored.names, prefix)
            or begins(self.few, prefix)
            or not self.wildcards.keys().isdisjoint(_above(prefix))
            or _is_stdlib(prefix)
            or (self.doctests and self.index.begins(">" + prefix))
        )

    def _importers(self, path: str, name: str) -> None:
        """Reaches whoever imports a name, or one below it."""
        if name in self.consumed:
            return
        self.consumed.add(name)
        if self.left is None:
            found = self.index.importers_below(name, self.result.files)
            for importer, imported in found.items():
                self.reach(importer, path, f"imports {_readable(imported)}")
        else:
            self._reach_all(self.left.importers_below(name), path, f"imports {_readable(name)}")
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
        top = kept(name)
        if top != name:
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
        for above in ancestors(folder):
            if above in self.searched:
                break  # and so are those above it
            self.searched.add(above)
            places = self.wildcard_places.get(above.rpartition("/")[2])
            if above and not (places and f"/{self.layout.top}/{above}".endswith(tuple(places))):
                continue
            for name in self.naming.folder(above).own:
                for importer in self.wildcards.get(name, ()):
                    self.reach(importer, path, f"may load anything in {_readable(name)}")

    def _loaders(self, path: str, known: Sequence[str]) -> None:
        for entry_point in known:
            for loader, how in self.loading.get(entry_point, ()):
                self.reach(loader, path, how)

    def _children(self, path: str, folder: str) -> None:
        """A package is loaded before what lies in it."""
        if not self.covered.isdisjoint(ancestors(folder)):
            return
        self.covered.add(folder)
        self._reach_all(self.index.below(folder), path, f"is in the package {folder or '.'}")

    def _scripts(self, path: str, name: str) -> None:
        """Whoever names the file as a script.

        A bare name says too little about a module of a package, which is imported rather than
        run, unless a test gives it; and tests are not run by name.
        """
        packaged = folder_of(path) in self.layout.packages
        tested = is_test_module(path, self.layout.tests)
        for script, file in self.scripts[name]:
            if "/" in script:
                matches = path.endswith(script)
            elif tested:
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
    return kept(name) != name


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
