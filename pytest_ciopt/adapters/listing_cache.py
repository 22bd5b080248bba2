"""Keeps git's list of tracked files in `.ciopt/cache/listing`, for as long as its index stays.

Git ends its index with a checksum of all that is in it. Where that is the one of the index that
the list was made from, the list is what git would say: neither has git to be asked nor its answer
to be parsed. Only the plainest of indexes counts, see `index_id`.
"""

import os
from pathlib import Path
from typing import NamedTuple

from pytest_ciopt.adapters import sections
from pytest_ciopt.adapters.listing import Listing
from pytest_ciopt.adapters.statedir import StateDir

NAME = "cache/listing"
_FORMAT = "1"
"""Of this file, and of what git is asked; raise the number with either."""
_WORTH_STORING = 100_000
"""Bytes of an answer (some 1,000 files) below which asking git costs no more than reading this."""
_HEADER, _CHECKSUM = 12, 20
"""Bytes at the begin and the end of an index; of a SHA-256, the last 20 bytes do."""


class IndexId(NamedTuple):
    """What an index is known by."""

    path: Path
    text: str
    """Differs for different contents."""
    entries: int


def index_id(path: Path | None) -> IndexId | None:
    """None for what is no index of version 2, or one without a checksum (`index.skipHash`).

    Entries with flags of their own (skip-worktree, intent to add) need version 3: what git says of
    those may depend on the working tree, too. Size and time are asked for besides, in case that
    some other program has changed the index and not the checksum.

    **Source:** gitformat-index(5).
    """
    if path is None:
        return None
    try:
        with open(path, "rb", buffering=0) as stream:
            facts = os.fstat(stream.fileno())
            head = stream.read(_HEADER)
            stream.seek(max(0, facts.st_size - _CHECKSUM))
            checksum = stream.read(_CHECKSUM)
    except OSError:
        return None
    if head[:8] != b"DIRC\0\0\0\2" or facts.st_size < _HEADER + _CHECKSUM or not any(checksum):
        return None
    text = f"{checksum.hex()}-{facts.st_size}-{facts.st_mtime_ns}"
    return IndexId(path, text, int.from_bytes(head[8:], "big"))


def load(state: StateDir, index: IndexId, asked: int) -> Listing | None:
    """The list that was made from this index, None when there is none that can be used."""
    content = state.read(NAME)
    found = None if content is None else sections.decoded(content, _FORMAT, number=2)
    if found is None or found.key.partition(" ")[0] != index.text:
        return None
    odd, answer = map(bytes, found.parts)
    pairs = (record.partition("\t") for record in os.fsdecode(odd).split("\0")[:-1])
    key = found.key.partition(" ")[2]
    return Listing(answer, asked, key, {path: facts for facts, _, path in pairs})


def save(state: StateDir, index: IndexId, listing: Listing) -> None:
    """Keeps the list, where that saves something. Who cannot write lives without.

    Not of an index that lists folders (then git lists something else than it counts), nor of one
    that is split: how its other part is made, its own version does not tell.
    """
    answer = listing.answer
    if len(answer) < _WORTH_STORING or answer.count(b"\0") != index.entries:
        return
    if _is_split(index.path):
        return
    now = index_id(index.path)
    if now is None or now.text != index.text:  # who knows which one was listed, and looked at
        return
    odd = "".join(f"{facts}\t{path}\0" for path, facts in listing.odd.items())
    key = f"{index.text} {listing.key}"
    state.write(NAME, sections.encoded(_FORMAT, key, (os.fsencode(odd), answer)))


def _is_split(index: Path) -> bool:
    """Perhaps it is not, but for the name of a file."""
    try:
        return b"link\0" in index.read_bytes()  # the extension and the first byte of its size
    except OSError:
        return True
