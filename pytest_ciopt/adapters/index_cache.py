"""Keeps the import index of tracked files on disk, in `.ciopt/cache/imports-3.12`.

One file, replaced whole (see `adapters/sections.py`). What few ask for is decoded when asked for.
"""

import sys
from array import array
from collections.abc import Sequence
from typing import NamedTuple

from pytest_ciopt.adapters import sections
from pytest_ciopt.adapters.codeversion import version_of
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.graph.index import Layer

NAME = f"cache/imports-{sys.version_info.major}.{sys.version_info.minor}"
"""One a Python version, for they differ in what belongs to the standard library."""
_FORMAT = f"4-{sys.byteorder}-{array('I').itemsize}"
"""Of this file; raise the number with it."""


def version() -> str:
    """Of the file's format and of what a scan finds: with either, what is stored is outdated."""
    return version_of(_FORMAT)


class StoredIndex(NamedTuple):
    """The imports of tracked files, by the content that git knows."""

    key: str
    """Of the listing it was made from (`Listing.key`)."""
    layer: Layer
    blobs: Sequence[str]
    """Blob ids, in the order of `layer.files`."""
    skipped: Sequence[str]
    """Files of that listing that are not in it, since their working tree differed."""
    commands: tuple[str, ...] = ()
    """Which were looked for, sorted."""


def origin(stored: StoredIndex) -> str:
    """Equal for equal layers: they follow from the contents that they were made of."""
    return "\0".join((version(), stored.key, *stored.skipped, "", *stored.commands))


def load(state: StateDir) -> StoredIndex | None:
    """The stored index, None when there is none that can be used."""
    content = state.read(NAME)
    if content is None:
        return None
    try:
        return _decoded(content)
    except (ValueError, LookupError, TypeError, RecursionError, OverflowError):
        return None


def save(state: StateDir, stored: StoredIndex) -> str | None:
    """Returns why it could not be saved, None when it was."""
    return state.write(NAME, _encoded(stored))


def _encoded(stored: StoredIndex) -> bytes:
    parts = (
        sections.joined(stored.layer.files),
        sections.joined(stored.blobs),
        sections.joined(stored.skipped),
        sections.joined(stored.layer.names),
        stored.layer.starts.tobytes(),
        stored.layer.owners.tobytes(),
        sections.joined(stored.commands),
    )
    return sections.encoded(version(), stored.key, parts)


def _decoded(content: bytes) -> StoredIndex | None:
    found = sections.decoded(content, version(), number=7)
    if found is None:
        return None
    files, blobs, skipped, names = map(sections.split, found.parts[:4])
    starts, owners = array("I"), array("I")
    starts.frombytes(found.parts[4])
    owners.frombytes(found.parts[5])
    if len(starts) != len(names) + 1 or len(blobs) != len(files):
        return None
    known = tuple(sections.split(found.parts[6]))
    return StoredIndex(found.key, Layer(files, names, starts, owners), blobs, skipped, known)
