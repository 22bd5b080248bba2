"""What a process had to work with: sources, data, folders, and installed distributions."""

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha1
from itertools import islice
from types import ModuleType

from pytest_ciopt.adapters.tracing.places import Places
from pytest_ciopt.core.history.traces import ABSENT, CHANGED
from pytest_ciopt.core.naming import ancestors, folder_of

_SITES = ("site-packages", "dist-packages")
_METADATA = (".dist-info", ".egg-info")
_OURS = ("pytest_ciopt-", "pytest-ciopt-")
_UNLISTED = frozenset(
    (
        *("__pycache__", ".pytest_cache", ".ciopt", ".git"),
        *(".benchmarks", ".hypothesis", ".coverage", ".mypy_cache", ".ruff_cache"),
    )
)
"""What comes and goes in folders without being anybody's input."""


def loaded_sources(places: Places) -> set[str]:
    """Places of the Python files that modules were made from."""
    files = {file for module in list(sys.modules.values()) for file in _files_of(module)}
    found = (places.find(file) for file in files if file.endswith((".py", ".pyw")))
    return set(filter(None, found))


def _files_of(module: object) -> Iterator[str]:
    if issubclass(type(module), ModuleType):  # others only say so
        # Not by `getattr`: a lazy module would be loaded by it.
        names = vars(ModuleType)["__dict__"].__get__(module)
        origin = getattr(names.get("__spec__"), "origin", None)
        yield from (file for file in (names.get("__file__"), origin) if isinstance(file, str))


def shadowed(places: Places) -> str | None:
    """A package of the repository that was loaded from elsewhere, e.g. from an installed copy."""
    for name, module in list(sys.modules.items()):
        if not _may_be_shadowed(name):
            continue
        files = [file for file in _files_of(module) if file.endswith("__init__.py")]
        if is_shadowed(places, name, files):
            return name
    return None


def _may_be_shadowed(name: str) -> bool:
    return not ("." in name or name.startswith("_") or name in sys.stdlib_module_names)


def is_shadowed(places: Places, name: str, files: Sequence[str]) -> bool:
    """Whether a module of these files is loaded from elsewhere, while the repository has one."""
    if not _may_be_shadowed(name) or not files or any(places.find(file) for file in files):
        return False
    return any(
        os.path.isfile(os.path.join(places.top, root, file))
        for root in ("", "src")
        for file in (f"{name}.py", os.path.join(name, "__init__.py"))
    )


def content_ids(top: str, paths: Iterable[str], since: int) -> dict[str, str]:
    """Content ids by path, sorted; without folders, devices and the like.

    `since`: nanoseconds of the epoch; what was altered later is `CHANGED`.
    """
    found = {}
    for path in sorted(paths):
        content = content_id(os.path.join(top, path), since)
        if content is not None:
            found[path] = content
    return found


def content_id(path: str, since: int | None = None) -> str | None:
    """The content id of a file; None for a folder, a device and the like."""
    try:
        facts = os.stat(path)
        if not stat.S_ISREG(facts.st_mode):
            return None
        if since is not None and max(facts.st_mtime_ns, facts.st_ctime_ns) > since:
            return CHANGED
        with open(path, "rb") as stream:
            content = stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return ABSENT
    except (OSError, ValueError):
        return CHANGED  # nobody can say what it holds
    return sha1(b"blob %d\0" % len(content) + content).hexdigest()


def listing_ids(top: str, folders: Iterable[str]) -> dict[str, str]:
    """Ids of what folders hold by path, sorted."""
    return {folder: listing_id(os.path.join(top, folder)) for folder in sorted(folders)}


def listing_id(folder: str) -> str:
    """Of what a folder holds: SHA-1 of the names, joined by NUL."""
    return _names_id(folder, lambda name: True)


def packages_id(folder: str) -> str:
    """Of the names in a folder that an import can find: modules, and folders without a dot."""
    return _names_id(folder, lambda name: name.endswith(".py") or "." not in name)


def _names_id(folder: str, counts: Callable[[str], bool]) -> str:
    try:
        names = sorted(os.listdir(folder))
    except NotADirectoryError:
        return content_id(folder) or ABSENT  # an archive, from which modules can be imported
    except OSError:
        return ABSENT
    kept = (name for name in names if name not in _UNLISTED and not name.endswith(".pyc"))
    text = "\0".join(filter(counts, kept))
    return sha1(text.encode("utf-8", "surrogateescape")).hexdigest()


def package_ids(top: str, sources: Iterable[str], more: Iterable[str] = ()) -> dict[str, str]:
    """Ids of what can be imported from the folders of sources, from `more` folders, and from all
    above, by path, sorted."""
    near = {*map(folder_of, sources), *more}
    folders = {folder for one in near for folder in ancestors(one)}
    return {folder: packages_id(os.path.join(top, folder)) for folder in sorted(folders)}


def distributions(path: Iterable[str]) -> tuple[str, ...]:
    """Installed distributions, e.g. `click-8.1.8`, sorted; ours left out."""
    found: set[str] = set()
    for folder in sites(path):
        with contextlib.suppress(OSError):
            found.update(os.listdir(folder))
    names = {name.rpartition(".")[0] for name in found if name.endswith(_METADATA)}
    return tuple(sorted(name for name in names if not name.startswith(_OURS)))


def sites(path: Iterable[str]) -> set[str]:
    """Folders of installed distributions."""
    return {folder for folder in path if os.path.basename(folder) in _SITES}


def split(contents: Mapping[str, str], size: int) -> Iterator[dict[str, str]]:
    """Parts of at most `size` entries."""
    rest = iter(contents.items())
    while part := dict(islice(rest, size)):
        yield part
