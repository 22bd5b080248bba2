"""Whether the writer of a file still lives, told by a lock that ends with its process."""

import errno
import os
import sys
from enum import Enum, auto


class Lock(Enum):
    """What came of an attempt."""

    OURS = auto()
    HELD = auto()
    """Another process has it."""
    UNKNOWN = auto()
    """The system or the file system has no locks."""


def acquire(descriptor: int) -> Lock:
    """Locks an open file until it is closed or the process ends; never waits.

    A process that was forked off keeps the lock alive, too.
    """
    if sys.platform == "win32":
        return Lock.UNKNOWN
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        held = error.errno in (errno.EACCES, errno.EAGAIN)
        return Lock.HELD if held else Lock.UNKNOWN
    return Lock.OURS


def is_same_file(descriptor: int, path: str) -> bool:
    """Whether an open file is still the one at `path`."""
    try:
        there = os.stat(path)
    except OSError:
        return False
    return os.path.samestat(os.fstat(descriptor), there)
