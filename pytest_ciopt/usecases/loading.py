"""Which modules of the repository load which others while they are imported themselves."""

import ast
from collections.abc import Callable, Collection, Iterator, Mapping

from pytest_ciopt.core.edits.loads import Import, loads, may_load
from pytest_ciopt.core.naming import INIT, ancestors, folder_of
from pytest_ciopt.core.stdlib import STDLIB

_CIRCLE = "{} is imported now, which imports this one in turn"
_LOST = "{} may no longer be loaded"
_UNKNOWN = "what it imported before is not known"


class Loading:
    """Follows imports that run whenever a module is imported."""

    def __init__(
        self,
        content: Callable[[str], bytes],
        tree: Callable[[str], ast.Module | None],
        imported: Callable[[str, int, str], Collection[str]],
        users: Callable[[str], frozenset[str]],
    ) -> None:
        """`imported`: files that a module may be, as an import in a file names it; `users`: those
        that can see a file."""
        self._content, self._tree = content, tree
        self._imported, self._users = imported, users
        self._known: dict[str, frozenset[Import]] = {}
        self._sure: dict[str, set[str]] = {}
        self._reached: dict[str, Mapping[str, str]] = {}

    def otherwise(self, path: str, old: ast.Module | None) -> str | None:
        """Why a module whose imports changed may load something else now than what it imports and
        has loaded before, or something in another order; None if it does not."""
        new = self._tree(path)
        if old is None or new is None:
            return _UNKNOWN
        before, after = loads(old), loads(new)
        for one in sorted(after - before):
            circle = self._circle(path, self._files(path, one) - self._files_of(path, before))
            if circle is not None:
                return _CIRCLE.format(circle)
        gone = sorted(before - after)
        reached = self._loaded_with(path) if gone else {}
        for one in gone:
            if not self._is_loaded(path, one, reached):
                return _LOST.format(one.module or one.name)
        return None

    def certainly(self, path: str, other: str) -> bool:
        """Whether importing one file loads the other one, on a way that is clear."""
        return self._is_reached(other, self._loaded_with(path))

    def _files_of(self, user: str, several: frozenset[Import]) -> set[str]:
        return set[str]().union(*(self._files(user, one) for one in several))

    def _files(self, user: str, one: Import) -> set[str]:
        """All files that an import may load, but for packages around."""
        return {file for several in self._meanings(user, one) for file in several}

    def _meanings(self, user: str, one: Import) -> Iterator[Collection[str]]:
        """For each module that is loaded the files that it may be."""
        level, module, name = one
        if level or module:
            yield self._imported(user, level, module)
        if name != "*":
            yield self._imported(user, level, f"{module}.{name}".strip("."))

    def _imports(self, path: str) -> frozenset[Import]:
        if path not in self._known:
            self._known[path] = may_load(self._content(path))
        return self._known[path]

    def _circle(self, path: str, files: set[str]) -> str | None:
        """The one of some files that leads to `path`, other than by packages that it lies in: these
        are loaded before."""
        for first in sorted(files - {path}):
            seen, waiting = {first}, [first]
            around = _packages(first)
            while waiting:
                file = waiting.pop()
                for one in self._imports(file):
                    found = self._files(file, one)
                    if path in found:
                        return first
                    waiting.extend(found - seen - around)
                    seen |= found
        return None

    def _loaded_with(self, path: str) -> Mapping[str, str]:
        """Files that are loaded for certain whenever `path` is, by who imports them; nobody has to
        for itself and the packages around it."""
        if path not in self._reached:
            self._reached[path] = self._reach(path)
        return self._reached[path]

    def _reach(self, path: str) -> Mapping[str, str]:
        by = dict.fromkeys(_packages(path) | {path}, "")
        waiting = [*by]
        while waiting:
            file = waiting.pop()
            fresh = self._certain(file) - by.keys()
            by.update(dict.fromkeys(fresh, file))
            waiting.extend(fresh)
        return by

    def _certain(self, path: str) -> set[str]:
        """Files that a file loads, as its text looks, with the packages around them."""
        if path not in self._sure:
            meanings = (m for one in self._imports(path) for m in self._meanings(path, one))
            clear = {file for files in meanings if len(files) == 1 for file in files}
            self._sure[path] = clear.union(*map(_packages, clear))
        return self._sure[path]

    def _is_loaded(self, path: str, one: Import, reached: Mapping[str, str]) -> bool:
        """Whether what an import has loaded is loaded all the same, as far as that matters."""
        files = self._files(path, one)
        if files:
            return all(self._is_reached(file, reached) for file in files)
        dotted = one.module or one.name
        top, _, rest = dotted.partition(".")
        if top in STDLIB and not (rest and self._is_asked_as_a_whole(path, top)):
            return True
        users = (file for file in reached if any(_begins(i, dotted) for i in self._imports(file)))
        return any(self._is_reached(file, reached, dotted) for file in users)

    def _is_asked_as_a_whole(self, path: str, top: str) -> bool:
        """Whether somebody who can see a file imports a package without the module in it that he
        may use."""
        return any(Import(0, "", top) in self._imports(user) for user in self._users(path))

    def _is_reached(self, file: str, reached: Mapping[str, str], dotted: str | None = None) -> bool:
        """Whether the way to a file holds, and to what is installed from there: what looked like
        imports are some."""
        if dotted is not None:
            tree = self._tree(file)
            if tree is None or not any(_begins(one, dotted) for one in loads(tree)):
                return False
        while user := reached.get(file):
            tree = self._tree(user)
            loaded = set[str]() if tree is None else self._files_of(user, loads(tree))
            if file not in loaded.union(*map(_packages, loaded)):
                return False
            file = user
        return file in reached


def _begins(one: Import, dotted: str) -> bool:
    """Whether an import of something that is installed loads a module."""
    if one.level:
        return False
    whole = f"{one.module}.{one.name}".strip(".")
    return f"{whole}.".startswith(f"{dotted}.")


def _packages(path: str) -> set[str]:
    """Files of the packages that a file may lie in."""
    folder = folder_of(path)
    return {f"{one}/{INIT}" for one in ancestors(folder) if one} - {path}
