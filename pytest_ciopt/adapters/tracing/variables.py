"""Sees which variables of the environment are read, of those that somebody has named.

What goes through `os.environ` is seen, in whatever way; what C code asks for by itself is not.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from types import FrameType
from typing import Any

from pytest_ciopt.adapters.tracing.inputs import variable_id
from pytest_ciopt.core.history.traces import variable_place

_PUTTING_BACK = os.path.join("_pytest", "monkeypatch.py")
"""It reads what it is about to replace."""
_NEAR = 4
"""Frames between a read and whoever wants it: `get` and the like."""


class Variables:
    """Tells of reads and writes, from `start` to `stop`."""

    def __init__(
        self,
        named: Iterable[str],
        read: Callable[[str, FrameType], None],
        written: Callable[[str], None],
    ) -> None:
        """`named` are globs. Both are told places, see `core.history.traces.variable_place`."""
        self._named = tuple(named)
        self._read, self._written = read, written
        self._known: dict[object, str | None] = {}
        """Places by name; None for what nobody has named."""
        self._first: Mapping[str, str] = {}
        self._originals: dict[str, Any] = {}

    def start(self) -> None:
        """Begins to listen, unless nothing is named: then nothing costs anything."""
        if not self._named:
            return
        self._first = dict(os.environ)
        kind: Any = type(os.environ)
        get, put, remove = kind.__getitem__, kind.__setitem__, kind.__delitem__
        self._originals = {"__getitem__": get, "__setitem__": put, "__delitem__": remove}

        def getitem(environ: Any, key: Any) -> Any:
            place = self._place(key)
            if place is not None:
                frame = sys._getframe(1)
                if not _puts_back(frame):
                    self._read(place, frame)
            return get(environ, key)

        def setitem(environ: Any, key: Any, value: Any) -> None:
            self._tell_of_write(key)
            put(environ, key, value)

        def delitem(environ: Any, key: Any) -> None:
            self._tell_of_write(key)
            remove(environ, key)

        kind.__getitem__, kind.__setitem__, kind.__delitem__ = getitem, setitem, delitem

    def stop(self) -> None:
        """Lets go of everything. More than once does no harm."""
        for name, original in self._originals.items():
            setattr(type(os.environ), name, original)
        self._originals = {}

    def _tell_of_write(self, key: object) -> None:
        place = self._place(key)
        if place is not None:
            self._written(place)

    def _place(self, key: object) -> str | None:
        if key not in self._known:
            self._known[key] = self._found(key)
        return self._known[key]

    def _found(self, key: object) -> str | None:
        if not isinstance(key, str | bytes):
            return None
        name = os.fsdecode(key)
        named = any(fnmatchcase(name, glob) for glob in self._named)
        return variable_place(name) if named else None

    def ids(self, places: Iterable[str]) -> dict[str, str]:
        """Ids of what variables held when listening began, by place, sorted."""
        return {place: variable_id(place, self._first) for place in sorted(places)}


def _puts_back(frame: FrameType | None) -> bool:
    for _ in range(_NEAR):
        if frame is None:
            return False
        if frame.f_code.co_filename.endswith(_PUTTING_BACK):
            return True
        frame = frame.f_back
    return False
