"""The sources of the working tree as `core/proof/spread.py` asks for them, each read once."""

import ast
import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import copy
from functools import cached_property
from typing import Protocol

from pytest_ciopt.core.django import APPLICATIONS, is_looked_up
from pytest_ciopt.core.edits import trees
from pytest_ciopt.core.edits.annotations import is_future
from pytest_ciopt.core.edits.cutting import Memo, mentioning
from pytest_ciopt.core.edits.decorators import taken_names
from pytest_ciopt.core.edits.definitions import Definition, Module
from pytest_ciopt.core.edits.places import Places
from pytest_ciopt.core.edits.unseen import binds_unseen
from pytest_ciopt.core.graph.dependents import search
from pytest_ciopt.core.graph.index import ImportIndex
from pytest_ciopt.core.graph.reached import Layout
from pytest_ciopt.core.graph.scanner import Flag
from pytest_ciopt.core.history.traces import Source
from pytest_ciopt.core.naming import INIT, Naming, ancestors, folder_of, module_path, names
from pytest_ciopt.core.proof.prints import source, without_types
from pytest_ciopt.core.stdlib import STDLIB
from pytest_ciopt.core.testfiles import CONFTEST, is_collected, is_test_module
from pytest_ciopt.usecases.effects import Contents, Effect
from pytest_ciopt.usecases.leading import Leads
from pytest_ciopt.usecases.loading import Loading

_TREES = 1_000
_LINE_END = re.compile(rb"\r\n|\r|\n")
_WORD = re.compile(rb"\w+")
_AFTER_ESCAPE = re.compile(rb"\\\w(\w+)")
"""In a string, `name` after a line end: `\\nname`."""
_NO_WORD = re.compile(rb"\W|\Z")
_BEFORE_WORD = re.compile(rb"(?:\A|\W|\\\w)\Z")
_OFTEN = 64
"""Searches of a file that take as long as putting down its words."""
_BINDING_UNSEEN = re.compile(rb"import[\s(\\]*\*|\b(?:exec|globals|locals|modules|vars)\b")
"""Without it no name is bound that definitions do not show."""
_LOADING = re.compile(
    rb"import_module|__import__|\.modules\b|\bimport\s+modules\b|iter_modules|walk_packages"
    rb"|exec_module|spec_from|find_spec|load_module|resolve_name|import_string|import_object"
    rb"|\blocate\(|entry_points|\bglobals\(|\bexec\(|\beval\(|\b__getattr__\(name"
)
"""What may load modules by their names, or look them up."""
_HANDED = re.compile(rb"[(,=]\s*([\w.]++)(?=\s*[,)])")
"""An argument of a call, or something that looks like one."""
_CHECKING_TYPES = ("typeguard", "beartype", "jaxtyping", "pytypes")
"""Modules that can make functions check their annotations without being named near them: by a hook
of imports, by an option of pytest."""
_HOOKING_IMPORTS = re.compile(rb"meta_path|path_hooks|source_to_code|SourceLoader")
"""What code mentions that may do the same."""
_OF_PYTEST = frozenset(("pytest", "_pytest", "pluggy"))
_DEFINED = re.compile(rb"\b(?:def|class)\s+(\w+)|(\w++)(?= =|:)")
"""What a file may define: a function, a class, a variable."""


class Present(Protocol):
    """What is there now, and what git still has."""

    def has(self, path: str, content: str) -> bool:
        """Whether a file has the content of this id."""

    def contents(self, ids: Iterable[str]) -> Mapping[str, bytes]:
        """Texts that git knows by these ids; missing ones are left out."""


def _stands(content: bytes, word: bytes) -> bool:
    """Whether a word stands in a text, and not only as a part of a longer one."""
    begin = content.find(word)
    while begin >= 0:
        end = begin + len(word)
        if _NO_WORD.match(content, end) and _BEFORE_WORD.search(content, max(0, begin - 2), begin):
            return True
        begin = content.find(word, begin + 1)
    return False


class Texts:
    """Answers from contents, import index and layout. Implements `spread.Sources`."""

    def __init__(
        self,
        contents: Contents,
        index: ImportIndex,
        layout: Layout,
        provided: Callable[[str], bool] = lambda name: False,
        leads: Leads | None = None,
    ) -> None:
        """`provided` tells whether a top-level module of some name is installed. Without `leads`,
        data leads nowhere."""
        self._leads = leads or Leads(search, index, layout, lambda path: Effect("unread"))
        self._contents, self._index, self._layout = contents, index, layout
        self._provided = provided
        self._read: dict[str, bytes] = {}
        self._cut: dict[str, Module | None] = {}
        self._around: dict[tuple[str, str], Module | None] = {}
        self._trees: dict[str, ast.Module | None] = {}
        self._memos: dict[str, Memo] = {}
        self._ends: dict[str, list[int]] = {}
        self._names_taken: dict[str, frozenset[str]] = {}
        self._handed: dict[str, frozenset[bytes]] = {}
        self._defined: dict[str, frozenset[bytes]] = {}
        self._loading: dict[str, bool] = {}
        self._binding: dict[str, bool] = {}
        self._asked: dict[str, int] = {}
        self._words: dict[str, frozenset[bytes]] = {}
        self._users: dict[str, frozenset[str]] = {}
        self._loaded: Mapping[str, str] = {}
        self._present: Present
        self._places: dict[tuple[str, str], Places | None] = {}
        self._tops: frozenset[str] | None = None
        self._modules: dict[str, list[str]] | None = None
        """Files by the last name of their module."""
        self.files = frozenset(index.files)
        """All Python files of the repository."""
        self._computed = frozenset(index.importers(Flag.COMPUTED))
        self._loads = Loading(self.content, self._tree, self.imported, self.users)

    def recorded_with(self, loaded: Mapping[str, str], present: Present) -> None:
        """Says which sources were loaded when the record was made that is looked at."""
        self._loaded, self._present = loaded, present

    def places(self, path: str) -> Places | None:
        """Which definitions stood where when the record was made; None if nobody knows."""
        content_id = self._loaded.get(path, "")
        key = (path, content_id)
        if key not in self._places:
            tree = self._old_tree(path)
            self._places[key] = None if tree is None else Places(tree)
        return self._places[key]

    def then(self, path: str) -> Module | None:
        """The definitions of a file as it was when the record was made; None if nobody knows."""
        tree = self._old_tree(path)
        try:
            return None if tree is None else mentioning(without_types(tree), {})
        except RecursionError:
            return None

    def _old_tree(self, path: str) -> ast.Module | None:
        """A file as it was when the record was made; None if nobody knows."""
        content_id = self._loaded.get(path, "")
        tree = self._tree(path) if self._present.has(path, content_id) else None
        if tree is None:
            old = self._present.contents([content_id]).get(content_id)
            tree = None if old is None else trees.parse(old)
        return tree

    def prints(self, path: str) -> Source | None:
        """Fingerprints of a file as it is now; None when it cannot be parsed."""
        tree = self._tree(path)
        return None if tree is None else source("", tree)

    def content(self, path: str) -> bytes:
        """Content now; nothing of a file that cannot be read."""
        if path not in self._read:
            self._read[path] = self._contents.read(path) or b""
        return self._read[path]

    def cut(self, path: str) -> Module | None:
        """The definitions of a file as it is now, without the texts that are only compared; None
        when it cannot be parsed."""
        if path not in self._cut:
            self._cut[path] = self._made(path, self._tree(path))
        return self._cut[path]

    def around(self, path: str, word: str) -> Module | None:
        """As `cut`, without most of what does not mention the word: that takes a tenth as long."""
        if path in self._cut:
            return self._cut[path]
        key = (path, word)
        if key not in self._around:
            tree, near = self._tree(path), self._lines(path, word)
            near_by = None if tree is None else _reduced(tree, near)
            self._around[key] = self._made(path, near_by)
        return self._around[key]

    def _lines(self, path: str, word: str) -> Sequence[int]:
        """Numbers of the lines in which a word stands; of all if that cannot be told."""
        content = self.content(path)
        if path not in self._ends:
            self._ends[path] = [match.start() for match in _LINE_END.finditer(content)]
        ends = self._ends[path]
        if not word.isascii():
            return range(1, len(ends) + 2)
        places = (match.start() for match in re.finditer(re.escape(word.encode()), content))
        return sorted({bisect_left(ends, place) + 1 for place in places})

    def _made(self, path: str, tree: ast.Module | None) -> Module | None:
        memo = self._memos.setdefault(path, {})
        try:
            return (
                None if tree is None else mentioning(without_types(tree), memo, self._taken(path))
            )
        except RecursionError:
            return None

    def _taken(self, path: str) -> frozenset[str]:
        if path not in self._names_taken:
            tree = self._tree(path)
            self._names_taken[path] = frozenset() if tree is None else taken_names(tree)
        return self._names_taken[path]

    def _tree(self, path: str) -> ast.Module | None:
        """The last few that were parsed: trees are large."""
        if path not in self._trees:
            if len(self._trees) >= _TREES:
                oldest = next(iter(self._trees))
                del self._trees[oldest]
                self._memos.pop(oldest, None)
            self._trees[path] = trees.parse(self.content(path))
        return self._trees[path]

    def mentions(self, path: str, word: str) -> bool:
        """Whether the word stands anywhere in a file."""
        if not word.isascii():
            return True
        asked = self._asked.get(path, 0)
        if asked < _OFTEN:  # so few that putting all words down would take longer
            self._asked[path] = asked + 1
            return _stands(self.content(path), word.encode("ascii"))
        if path not in self._words:
            content = self.content(path)
            words = (*_WORD.findall(content), *_AFTER_ESCAPE.findall(content))
            self._words[path] = frozenset(words)
        return word.encode("ascii") in self._words[path]

    def hands(self, path: str, word: str) -> bool:
        """Whether the word may stand as an argument of a call in a file that was loaded when the
        record was made."""
        if path not in self._loaded:
            return False
        if not word.isascii():
            return True
        if path not in self._handed:
            found = _HANDED.findall(self.content(path))
            self._handed[path] = frozenset(name.rpartition(b".")[2] for name in found)
        return word.encode("ascii") in self._handed[path]

    def binds_unseen(self, path: str) -> bool:
        """Whether a file may bind names that no definition shows."""
        if path not in self._binding:
            tree = self._tree(path) if _BINDING_UNSEEN.search(self.content(path)) else None
            name = module_path(path).rpartition("/")[2]
            self._binding[path] = tree is not None and binds_unseen(tree, name)
        return self._binding[path]

    def loads_by_name(self, path: str) -> bool:
        """Whether modules that can see this one may be loaded by computed names, or it is no part
        of a package."""
        package = folder_of(path.removesuffix(f"/{INIT}"))
        if f"{package}/{INIT}" not in self.files:
            return True
        if path not in self._loading:
            contents = map(self.content, self.users(path))
            self._loading[path] = any(_LOADING.search(content) for content in contents)
        return self._loading[path]

    def imported(self, user: str, level: int, module: str) -> Collection[str]:
        """Files that `from module import …` in a file may mean; `level` counts the dots."""
        wanted = module.replace(".", "/")
        if level:
            above = (*ancestors(folder_of(user)), "")
            folder = above[level - 1] if level <= len(above) else ""
            wanted = f"{folder}/{wanted}".strip("/")
            return [path for path in self._ending(wanted) if module_path(path) == wanted]
        return [path for path in self._ending(wanted) if _ends(module_path(path), wanted)]

    def _ending(self, wanted: str) -> Collection[str]:
        """Files whose modules have the last name of a module."""
        if self._modules is None:
            self._modules = {}
            for path in self.files:
                last = module_path(path).rpartition("/")[2]
                self._modules.setdefault(last, []).append(path)
        return self._modules.get(wanted.rpartition("/")[2], ())

    def naming(self, word: str) -> Iterable[str]:
        """Files in which a word stands."""
        return sorted(path for path in self.files if self.mentions(path, word))

    def defining(self, name: str) -> Iterable[str]:
        """Files in which a name may be defined, at whatever level."""
        if not name.isascii():
            return sorted(path for path in self.files if name.encode() in self.content(path))
        word = name.encode("ascii")
        return sorted(path for path in self.files if word in self._definable(path))

    def _definable(self, path: str) -> frozenset[bytes]:
        if path not in self._defined:
            found = _DEFINED.findall(self.content(path))
            self._defined[path] = frozenset(one or other for one, other in found)
        return self._defined[path]

    def is_collected(self, path: str) -> bool:
        """Whether pytest loads the file itself."""
        return is_collected(path, self._layout.tests)

    def is_test_module(self, path: str) -> bool:
        """Whether pytest looks for tests in it, named or not."""
        return is_test_module(path, self._layout.tests)

    def users(self, path: str) -> frozenset[str]:
        """Files that can see what a file defines, itself included."""
        if path not in self._users:
            self._users[path] = frozenset(self._seeing(path))
        return self._users[path]

    def _seeing(self, path: str) -> set[str]:
        reached = self._leads.search({path: ""})
        found = {path, *reached.files, *reached.doctests, *self._computed}
        for folder in reached.scopes:
            found.update(self._index.below(folder))
        if self.is_collected(path):  # fixtures of conftests above may ask for those of this file
            above = (f"{f}/{CONFTEST}" if f else CONFTEST for f in ancestors(folder_of(path)))
            found.update(file for file in above if file in self.files)
        return found & (self.files | {path})

    def is_own(self, top: str) -> bool:
        """Whether a top-level name may be a module of the repository; "" always is."""
        if self._tops is None:
            parts = (part for file in self.files for part in module_path(file).split("/"))
            self._tops = frozenset(("", *parts))
        return top in self._tops

    def is_led_to(self, path: str) -> bool:
        """Whether something leads others to a module that do not import it: a string or data that
        names it or a package around it, or settings of Django."""
        return self._leads.is_named(path) or self._is_of_django(path)

    def _is_of_django(self, path: str) -> bool:
        return bool(self._django) and not self._django.isdisjoint(self.users(path))

    def is_looked_up(self, path: str, name: str) -> bool:
        """Whether a name may be looked up in a module by whoever is led to it: any, but by Django
        any in the settings, those of its own, and what stands nowhere else."""
        if self._leads.is_named(path):
            return True
        if not self._is_of_django(path):
            return False
        if path in self._django or is_looked_up(name):
            return True
        word = name.encode()
        own = sum(one == word for one in _WORD.findall(self.content(path)))
        others = self.users(path) - {path}
        return own < 2 and not any(self.mentions(user, name) for user in others)

    @cached_property
    def _django(self) -> frozenset[str]:
        """Files that are settings of Django, or have such."""
        found = set(self._layout.settings)
        if found or self._index.importers_below("django"):
            found.update(self.naming(APPLICATIONS.decode()))
        return frozenset(found)

    def checks_types(self) -> bool:
        """Whether something may make functions check their annotations that does not decorate
        them."""
        return self._may_check_types

    @cached_property
    def _may_check_types(self) -> bool:
        return any(map(self._provided, _CHECKING_TYPES)) or any(
            _HOOKING_IMPORTS.search(self.content(path)) for path in self.files
        )

    def meets_installed(self, path: str) -> bool:
        """Whether some file that can see a module imports code that is neither the project's, nor
        Python's or pytest's."""
        return not self._with_installed.isdisjoint(self.users(path))

    @cached_property
    def _with_installed(self) -> frozenset[str]:
        """Files that import such code."""
        naming = Naming(self._layout.packages, self._layout.top)
        own = {
            name.partition(".")[0]
            for path in self.files
            for name in naming.folder(folder_of(path)).of(path.rpartition("/")[2])
        }
        known = own | STDLIB | _OF_PYTEST
        users: dict[str, set[str]] = {}
        for name, path in self._index.between("A", chr(0x10FFFF)):
            users.setdefault(name.partition(".")[0], set()).add(path)
        installed = (top for top in users.keys() - known if self._provided(top))
        return frozenset(path for top in installed for path in users[top])

    def loads_otherwise(self, path: str) -> str | None:
        """Why a module whose imports changed may load something else when it is imported, of what
        was loaded when the record was made, or in another order; None if it does not."""
        return self._loads.otherwise(path, self._old_tree(path))

    def loads(self, path: str, other: str) -> bool:
        """Whether importing one file loads the other one for certain."""
        return self._loads.certainly(path, other)

    def imports_new(self, path: str, definition: Definition) -> bool:
        """Whether an import may load a module that was not loaded before."""
        tops = definition.origins - {""} - STDLIB
        if any(not self._was_loaded(top, path) for top in tops):
            return True
        return any(self._imports(path, new) for new in self.files - self._loaded.keys())

    def _was_loaded(self, top: str, path: str) -> bool:
        others = self._index.importers_below(top).keys() - {path}
        return not others.isdisjoint(self._loaded)

    def _imports(self, path: str, imported: str) -> bool:
        known = names(imported, self._layout.packages, self._layout.top)
        return any(path in self._index.importers_below(name) for name in known)


def _ends(path: str, module: str) -> bool:
    return path == module or path.endswith(f"/{module}")


def _reduced(tree: ast.Module, lines: Sequence[int]) -> ast.Module:
    """A module without the statements that stand on none of some lines, but for what decides how
    the others are compiled; lines rise."""
    future = [one for one in tree.body if is_future(one) and one.lineno not in lines]
    return ast.Module([*future, *_near(tree.body, lines)], [])


def _near(body: Sequence[ast.stmt], lines: Sequence[int]) -> list[ast.stmt]:
    kept: list[ast.stmt] = []
    for statement in body:
        first = min(
            [statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", ()))]
        )
        place = bisect_left(lines, first)
        if place == len(lines) or lines[place] > (statement.end_lineno or first):
            continue
        if isinstance(statement, ast.ClassDef):
            whole, statement = statement, copy(statement)
            statement.body = _near(whole.body, lines)
        kept.append(statement)
    return kept
