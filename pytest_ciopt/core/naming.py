"""Under which names a file can be imported. Pure; paths are repository-relative POSIX.

Which folders end up on `sys.path` is only known when a run has started (`pythonpath`, editable
installs, pytest's import modes, scripts), so every folder that is no package itself counts as a
possible root: `src/pkg/mod.py` answers to `pkg.mod` and to `src.pkg.mod`. Too many names cost
precision, a missing one would cost a test.
"""

from collections.abc import Container
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class FolderNames:
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


def folder_names(folder: str, packages: Container[str], top: str = "") -> FolderNames:
    """Names per possible root. `packages` are the folders that hold an `__init__.py`; `top` is
    the name of the checkout's own folder, which counts where the top is a package itself.
    """
    roots = [root for root in ancestors(folder) if not root or root not in packages]
    inside = [folder[len(root) + 1 if root else 0 :].replace("/", ".") for root in roots]
    if "" in packages and top:
        inside.append(f"{top}.{folder.replace('/', '.')}" if folder else top)
    place = f"/{folder}" if folder else ""
    return FolderNames(
        own=tuple(dict.fromkeys(name for name in (place, *inside) if name)),
        prefixes=tuple(dict.fromkeys((f"{place}/", *(f"{n}." if n else "" for n in inside)))),
    )


def names(path: str, packages: Container[str], top: str = "") -> tuple[str, ...]:
    """Every name that reaches the file: its place, and a dotted name per possible root."""
    folder, _, name = path.rpartition("/")
    return folder_names(folder, packages, top).of(name)
