"""The form of our caches: a line of text with sizes and a checksum, then sections of bytes.

Anything odd about one (cut short, flipped bits, another version) makes it as good as absent.
Nothing in it is executed. The line is no JSON, for reading that takes an import.
"""

import zlib
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_PIECE = 20_000
"""Bytes of texts that are decoded at once."""


class Sections(NamedTuple):
    """What a cache holds."""

    key: str
    """Of what it was made from: without tabs and line feeds."""
    parts: Sequence[bytes | memoryview]


def encoded(version: str, key: str, parts: Sequence[bytes]) -> bytes:
    """The inverse of `decoded`, for the same version."""
    head = "\t".join((version, key, *(str(len(part)) for part in parts))).encode("ascii")
    body = b"".join(parts)
    return b"%d\t%s\n%s" % (zlib.crc32(body, zlib.crc32(head)), head, body)


def decoded(content: bytes, version: str, number: int) -> Sections | None:
    """The sections, `number` of them; None for another version and for what is damaged."""
    end = content.find(b"\n")
    checksum, _, head = content[: max(0, end)].partition(b"\t")
    try:
        known, key, *numbers = head.decode("ascii").split("\t")
        sizes = [int(size) for size in numbers]
    except ValueError:
        return None
    view = memoryview(content)[end + 1 :]
    if known != version or len(sizes) != number or sum(sizes) != len(view) or min(sizes) < 0:
        return None
    if checksum != b"%d" % zlib.crc32(view, zlib.crc32(head)):
        return None
    parts = []
    for size in sizes:
        parts.append(view[:size])
        view = view[size:]
    return Sections(key, parts)


def joined(texts: Iterable[str]) -> bytes:
    """Texts without zeros, in one section."""
    return "\0".join(texts).encode("utf-8", "surrogatepass")


def split(section: bytes | memoryview) -> list[str]:
    """The inverse of `joined`, piece by piece: one character beyond Latin widens all of the text
    that it is decoded with."""
    whole, found, begin = bytes(section), list[str](), 0
    while begin < len(whole):
        end = whole.find(b"\0", begin + _PIECE)
        end = len(whole) if end < 0 else end
        found += str(whole[begin:end], "utf-8", "surrogatepass").split("\0")
        begin = end + 1
    return found
