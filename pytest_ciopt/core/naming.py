"""Under which names a file can be imported. Pure; paths are repository-relative POSIX.

Which folders end up on `sys.path` is only known when a run has started (`pythonpath`, editable
installs, pytest's import modes, scripts), so every folder that is no package itself counts as a
possible root: `src/pkg/mod.py` answers to `pkg.mod` and to `src.pkg.mod`. Too many names cost
precision, a missing one would cost a test.
"""

from collections.abc import Callable, Container, Sequence
from typing import NamedTuple

INIT = "__init__.py"


def folder_of(path: str) -> str:
    """The folder of a file, "" at the top."""
    return path.rpartition("/")[0]


def ancestors(folder: str) -> tuple[str, ...]:
    """`a/b` gives `a/b`, `a` and "" (the top)."""
    found = [folder]
    while folder:
        folder = folder.rpartition("/")[0]
        found.append(folder)
    return tuple(found)


def module_path(path: str) -> str:
    """The path without its suffix; a package stands for its `__init__.py`."""
    if path == INIT:
        return ""
    return path.removesuffix("/" + INIT).removesuffix(".py")


class FolderNames(NamedTuple):
    """What the names of files in one folder begin with."""

    own: tuple[str, ...]
    """Names of the folder itself, as a package: `/src/pkg`, `pkg`, `src.pkg`."""
    prefixes: tuple[str, ...]
    """To be followed by the name of a module: `/src/pkg/`, `pkg.`, `src.pkg.`; "" in a root."""

    def of(self, file: str) -> tuple[str, ...]:
        """Names of a file in the folder."""
        if file == INIT:
            return self.own
        module = file.removesuffix(".py")
        return tuple(prefix + module for prefix in self.prefixes)


class Naming:
    """Answers how the files of any folder can be named, and remembers it.

    `packages` are the folders that hold an `__init__.py`; `top` is the name of the checkout's own
    folder, which counts where the top is a package itself. With `asked`, only prefixes that it
    accepts are kept, which must accept every beginning (of whole parts) of one it accepts.
    """

    def __init__(
        self,
        packages: Container[str],
        top: str = "",
        asked: Callable[[str], bool] = lambda prefix: True,
    ) -> None:
        self._packages, self._asked = packages, asked
        own = (top,) if "" in packages and top else ()
        self._known = {"": FolderNames(own, self._prefixes(("", *own), is_root=True))}

    def folder(self, folder: str) -> FolderNames:
        """Names per possible root, the nearest root first."""
        known = self._known.get(folder)
        if known is None:
            parent, _, name = folder.rpartition("/")
            own = tuple(dict.fromkeys(prefix + name for prefix in self.folder(parent).prefixes))
            prefixes = self._prefixes(own, is_root=folder not in self._packages)
            known = self._known[folder] = FolderNames(own, prefixes)
        return known

    def _prefixes(self, own: Sequence[str], *, is_root: bool) -> tuple[str, ...]:
        found = [name + ("." if name and name[0] != "/" else "/") for name in own]
        if is_root:
            found.insert(1, "")
        return tuple(prefix for prefix in found if self._asked(prefix))


def names(path: str, packages: Container[str], top: str = "") -> tuple[str, ...]:
    """Every name that reaches the file: its place, and a dotted name per possible root."""
    folder, _, name = path.rpartition("/")
    return Naming(packages, top).folder(folder).of(name)
