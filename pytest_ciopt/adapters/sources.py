"""Builds the import index of a working tree: what is stored, plus what must be read now."""

import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pytest_ciopt.adapters import index_cache
from pytest_ciopt.adapters.index_cache import StoredIndex
from pytest_ciopt.adapters.listing import Listing
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.graph.commands import NO_COMMANDS, Names
from pytest_ciopt.core.graph.index import ImportIndex, Layer, layer, scans
from pytest_ciopt.core.graph.scanner import scan
from pytest_ciopt.core.naming import INIT, folder_of, module_path

_WORTH_STORING = 20
"""Files to scan above which the stored index is written anew; it takes about as long as those."""


_TICK = 20_000_000
"""Nanoseconds by which the time of a file may lag behind: two ticks of a kernel with 100 Hz."""


class _Scanned(NamedTuple):
    names: frozenset[str]
    settled: bool
    """Whether git was asked after the file was written, so that its blob id is of this text."""


class Built(NamedTuple):
    """The index, and a line for people when it could not be kept."""

    imports: ImportIndex
    untold: frozenset[str]
    """Python files that git ignores."""
    note: str | None
    origin: str
    """Equal for equal stored layers."""


def build(top: Path, listing: Listing, state: StateDir, commands: Names = NO_COMMANDS) -> Built:
    """Reads what is not stored yet: changed files always, all of them the first time.

    With other `commands` than the stored ones have been looked for, that is all of them, too.
    """
    look = partial(_scanned, top, commands)
    stored = index_cache.load(state)
    if stored is not None and stored.commands != commands.all:
        stored = None
    tracked, missing, stale = _compared(stored, listing)
    scanned = {path: look(path, listing.asked) for path in missing}
    fresh = {path: found.names for path, found in scanned.items()}
    note = None
    if stored is None or len(fresh) > _WORTH_STORING:
        settled = {path: found.names for path, found in scanned.items() if found.settled}
        stored = _renewed(stored, stale, settled, listing, tracked, commands)
        note = index_cache.save(state, stored)
        stale, fresh = set(), {path: fresh[path] for path in fresh.keys() - settled.keys()}
    stale |= listing.dirty.keys()
    untold = frozenset(ignored(top, listing))
    fresh |= {path: look(path).names for path in (*_edited(listing), *untold)}
    fresh |= _linked(top, listing, [*stored.layer.files, *fresh], look)
    origin = index_cache.origin(stored)
    return Built(_index(stored.layer, frozenset(stale), fresh), untold, note, origin)


def _compared(
    stored: StoredIndex | None, listing: Listing
) -> tuple[dict[str, str], list[str], set[str]]:
    """(tracked sources, those to scan, stored ones that are out of date)."""
    key = listing.key
    if stored is not None and stored.key == key:
        return {}, [path for path in stored.skipped if path not in listing.dirty], set()
    tracked = listing.sources()
    known = dict(zip(stored.layer.files, stored.blobs, strict=True)) if stored is not None else {}
    missing = [p for p, blob in tracked.items() if known.get(p) != blob and p not in listing.dirty]
    return tracked, missing, {path for path, blob in known.items() if tracked.get(path) != blob}


def _renewed(
    stored: StoredIndex | None,
    stale: set[str],
    fresh: dict[str, frozenset[str]],
    listing: Listing,
    tracked: dict[str, str],
    commands: Names,
) -> StoredIndex:
    tracked = tracked or listing.sources()
    kept: dict[str, Iterable[str]] = dict(scans(stored.layer)) if stored is not None else {}
    for path in stale:
        kept.pop(path, None)
    made = layer(kept | fresh)
    blobs = [tracked[path] for path in made.files]
    skipped = sorted(path for path in tracked if path not in kept and path not in fresh)
    return StoredIndex(listing.key, made, blobs, skipped, commands.all)


def _scanned(top: Path, commands: Names, path: str, asked: int = 0) -> _Scanned:
    """What a file can load; nothing when it cannot be read (nor can Python read it, then).

    `asked` is when git was asked for the file's content, in nanoseconds of the epoch.
    """
    try:
        content, settled = content_of(top, path, asked)
    except OSError:
        return _Scanned(frozenset(), settled=True)
    return _Scanned(scan(content, folder_of(path), commands), settled)


def content_of(top: Path, path: str, asked: int = 0, most: int = -1) -> tuple[bytes, bool]:
    """The first bytes of a file, and whether it was written before git was `asked` for its content
    (nanoseconds of the epoch), so that its blob id is of this text. Raises: OSError."""
    with open(f"{top}/{path}", "rb", buffering=0) as stream:
        facts = os.fstat(stream.fileno())
        written = max(facts.st_mtime_ns, facts.st_ctime_ns)
        return stream.read(most), written < asked - _TICK


def _edited(listing: Listing) -> Iterator[str]:
    """Python files whose content git has no id for."""
    for path, mode in listing.dirty.items():
        if path.endswith(".py") and mode:
            yield path
    yield from (path for path in listing.untracked if path.endswith(".py"))


def ignored(top: Path, listing: Listing) -> Iterator[str]:
    """Python files that git ignores and that others may import: single ones, generated packages.

    An ignored folder inside a package holds generated modules; elsewhere it is a build.
    """
    for path in listing.ignored:
        if path.endswith(".py"):
            yield path
        elif path.endswith("/") and _is_generated(top, path[:-1]):
            yield from python_below(top, path[:-1], lambda name: not _importable(name))


def _is_generated(top: Path, folder: str) -> bool:
    parent, _, name = folder.rpartition("/")
    return _importable(name) and (top / parent / INIT).is_file()


def _importable(name: str) -> bool:
    return name.isidentifier() and name != "__pycache__"


def python_below(top: Path, folder: str, skipped: Callable[[str], bool]) -> Iterator[str]:
    """Python files at or below a folder, but for folders of `skipped` names and environments."""
    for current, folders, files in os.walk(top / folder):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not skipped(name))
        place = os.path.relpath(current, top).replace(os.sep, "/")
        yield from (f"{place}/{name}" for name in sorted(files) if name.endswith(".py"))


def python_files(folder: Path) -> list[str]:
    """Where git cannot be asked: all Python files but those in hidden folders, relative, sorted."""
    return sorted(
        path.removeprefix("./")
        for path in python_below(folder, ".", lambda name: name[:1] in ("", "."))
    )


# --- symlinks ------------------------------------------------------------------------------------


def _linked(
    top: Path, listing: Listing, files: Iterable[str], look: Callable[[str], _Scanned]
) -> dict[str, frozenset[str]]:
    """Modules that symlinks show under a second path: each loads what its target is."""
    found: dict[str, frozenset[str]] = {}
    for link in listing.links():
        if listing.dirty.get(link) == "":
            continue
        target = link_target(top, link)
        if target is None:
            continue
        if link.endswith(".py"):
            found[link] = look(link).names | {"/" + module_path(target)}
            continue
        for path in files:
            if path.startswith(target + "/") and listing.dirty.get(path) != "":
                shown = link + path[len(target) :]
                found[shown] = look(shown).names | {"/" + module_path(path)}
    return found


def link_target(top: Path, link: str) -> str | None:
    """Where a symlink of the repository leads, None when outside, broken or in a circle."""
    try:
        resolved = os.path.realpath(top / link, strict=True)
    except OSError:
        return None
    path = Path(resolved)
    return path.relative_to(top).as_posix() if path.is_relative_to(top) and path != top else None


def _index(stored: Layer, stale: frozenset[str], fresh: dict[str, frozenset[str]]) -> ImportIndex:
    files = stored.files
    known = {path for path in stale.union(fresh) if _holds(files, path)}
    if known != fresh.keys():  # else files were edited, and none was added or removed
        files = sorted({path for path in files if path not in stale}.union(fresh))
    return ImportIndex(files, stored, stale, layer(fresh))


def _holds(files: Sequence[str], path: str) -> bool:
    """Whether a path is among sorted ones."""
    position = bisect_left(files, path)
    return position < len(files) and files[position] == path
