"""Whose code a process has imported: that of its own tree, or somebody else's. Pure.

A worktree of the base lies beside an environment in which the project is installed, perhaps from
the tree of the head. What is measured there is the base's only if no module came from elsewhere
that the base has itself.
"""

import sys
from collections.abc import Collection, Mapping
from posixpath import basename, dirname

_INSTALLED = ("site-packages", "dist-packages")
_PACKAGE = "__init__.py"
_USUAL = ("", "src")
"""Folders below which modules lie where no package tells."""

Modules = Mapping[str, str]
"""Real paths of files, with forward slashes, by the names of the modules made from them."""


def roots_of(paths: Collection[str]) -> tuple[str, ...]:
    """Folders from which a tree's modules can be imported, sorted; `paths` from its top."""
    known = set(paths)
    packages = {dirname(path) for path in known if basename(path) == _PACKAGE}
    outermost = {one for one in packages if dirname(one) not in packages or not one}
    return tuple(sorted({*_USUAL, *(dirname(one) for one in outermost if one)}))


def wanted_roots(modules: Modules, top: str, paths: Collection[str]) -> tuple[str, ...]:
    """Folders, from the top, from which a process should import the modules of a tree, sorted.

    Those that it did import from, and those that hold what it imported from elsewhere. `paths` are
    those of the tree's files.
    """
    known, usual, found = set(paths), roots_of(paths), set()
    for name, file in modules.items():
        path = _within(file, top)
        if path is None:
            found |= set(_places(name, usual, known))
        elif basename(path) != "conftest.py":  # pytest imports it in ways of its own
            tails = (tail for tail in _tails(name) if f"/{path}".endswith(f"/{tail}"))
            found |= {path[: -len(tail)].rstrip("/") for tail in tails}
    return tuple(sorted(found))


def stranger(modules: Modules, top: str, other: str, paths: Collection[str]) -> str | None:
    """A module that is not of the tree at `top` although it should be, and from where it comes.

    That is one from the tree at `other`, or one from outside that the tree has as well. `paths` are
    those of the tree's files. None where all is well.
    """
    known, roots = set(paths), roots_of(paths)
    for name, file in sorted(modules.items()):
        if _within(file, top) is not None:
            continue
        if _within(file, other) is not None:
            return f"{name} comes from {file}"
        if _places(name, roots, known):
            return f"{name} comes from {file}"
    return None


def built(modules: Modules, top: str, paths: Collection[str]) -> frozenset[str]:
    """Extension modules of a tree that are not among its files, as git ignores what is built.

    A tree that lacks them may take something slower instead, without a word.
    """
    found = ((name, _within(file, top)) for name, file in modules.items())
    return frozenset(
        name
        for name, path in found
        if path is not None and path not in paths and not path.endswith(".py")
    )


def _places(name: str, roots: Collection[str], known: Collection[str]) -> list[str]:
    """The roots below which a module of that name lies as well; none for the standard library's."""
    if name.partition(".")[0] in sys.stdlib_module_names:
        return []
    tails = _tails(name)
    return [root for root in roots if any(f"{root}/{tail}".lstrip("/") in known for tail in tails)]


def _within(file: str, top: str) -> str | None:
    """The path of a file from the top of a tree; None for what lies outside, or is installed in an
    environment inside."""
    if not file.startswith(f"{top}/"):
        return None
    path = file[len(top) + 1 :]
    return None if any(part in _INSTALLED for part in path.split("/")) else path


def _tails(name: str) -> tuple[str, str]:
    """How the path of a module's file ends."""
    stem = name.replace(".", "/")
    return f"{stem}.py", f"{stem}/{_PACKAGE}"
