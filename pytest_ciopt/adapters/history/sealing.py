"""A checksum in the header of an index tells whether the file is as it was written."""

import zlib
from pathlib import Path

_SEAL = slice(60, 64)
"""Bytes of `user_version`. **Source:** https://www.sqlite.org/fileformat.html, 1.3."""


def seal(path: Path) -> None:
    """Writes a checksum of the file into its header, where SQLite has a number for its users."""
    checksum = _checksum(path.read_bytes())
    with open(path, "rb+") as stream:
        stream.seek(_SEAL.start)
        stream.write(checksum)


def is_sound(path: Path) -> bool:
    """Whether the file is as it was sealed. SQLite itself overlooks much damage."""
    try:
        content = path.read_bytes()
    except OSError:
        return False
    return content[_SEAL] == _checksum(content)


def _checksum(content: bytes) -> bytes:
    view = memoryview(content)
    found = zlib.crc32(view[_SEAL.stop :], zlib.crc32(view[: _SEAL.start]))
    return found.to_bytes(4, "big")
