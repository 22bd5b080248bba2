"""Sees which files of the repository are read and listed, and that processes are started.

An audit hook cannot be removed: when the watch is over it stays, and does nothing. It hears of what
goes through Python's `open`, `os` and `sqlite3`; what C code opens by itself it does not.
"""

import itertools
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from types import CodeType, FrameType
from typing import Any

from pytest_ciopt.adapters.tracing import child, children, lines
from pytest_ciopt.adapters.tracing.places import Places
from pytest_ciopt.adapters.tracing.starts import Starts
from pytest_ciopt.adapters.tracing.stretch import Stretch
from pytest_ciopt.adapters.tracing.units import Registry
from pytest_ciopt.core.history.traces import STARTED

PROCESS = child.STARTS
"""What the child executes and reads is not seen."""
_STARTING = ("os.system", "os.spawn", "os.exec", "os.fork", "os.forkpty")
_IMPORTING = "<frozen importlib"
_OF_DISTRIBUTIONS = ("importlib/metadata/", "importlib_metadata/", "pkg_resources/")
"""They look for what is installed in each folder that modules are imported from."""
_LOADED = (".py", ".pyw", ".pyc")
_REWRITING = os.path.join("_pytest", "assertion", "rewrite.py")
_INSTALLED = ("site-packages", "dist-packages")
_REMOVING = "_rmtree"
"""Beginning of the functions of `shutil` that open folders relative to others."""


_RELATIVE = "names a file relative to a folder"
_UNNAMED = "lists a folder by its descriptor"


@dataclass(slots=True)
class Readers:
    """Numbers of units that read something, and of those that had others read it."""

    units: set[int]
    handed: set[int]


class Files:
    """Charges what it hears of to the present stretch, to an import, or to the session."""

    def __init__(
        self, places: Places, registry: Registry, session: Stretch, starts: Starts
    ) -> None:
        self._places = places
        self._registry = registry
        self._session = session
        self._starts = starts
        self.stretch = session
        """Where a test or a fixture is, its stretch; else that of the session."""
        self.imports: dict[str, Stretch] = {}
        """By the path of the module whose body is running."""
        self.readers: dict[str, Readers] = {}
        """By what was read; folders have a slash at their end."""
        self.problem: str | None = None
        """An error of ours, after which nothing is heard."""
        self._handlers: dict[str, Callable[[Any], None]] = {}
        self._processes = itertools.count()
        self._opens_folders = False
        self._keeps_lines = False
        """Whether Python may have put lines of sources aside since it was told to look again."""

    def start(self) -> None:
        """Begins to listen."""
        self._handlers.update(
            {
                "open": self._opened,
                "os.link": self._linked,
                "os.rename": self._linked,
                "os.symlink": self._symlinked,
                "os.listdir": self._listed,
                "os.scandir": self._listed,
                "sqlite3.connect": self._connected,
                "ctypes.dlopen": self._loaded,
                "subprocess.Popen": self._popened,
                "os.posix_spawn": self._spawned,
                **dict.fromkeys(_STARTING, self._started),
            }
        )
        handlers = self._handlers

        def heard(event: str, arguments: Any) -> None:
            if event in handlers:
                try:
                    handlers[event](arguments)
                except Exception as error:
                    self._failed(error)

        sys.addaudithook(heard)

    def stop(self) -> None:
        """From now on the hook does nothing."""
        self._handlers.clear()

    def _failed(self, error: Exception) -> None:
        """An error of ours would come up in the code that opens a file."""
        self.problem = f"{type(error).__name__}: {error}"
        self._handlers.clear()
        if child.interrupts(error):
            raise error

    def forget_lines(self) -> None:
        """Sources are opened again for whoever asks next, even if Python keeps their lines."""
        if self._keeps_lines:
            self._keeps_lines = False
            try:
                lines.let_age(self._is_ours)
            except Exception as error:
                self._failed(error)

    # --- events ----------------------------------------------------------------------------------

    def _opened(self, arguments: tuple[object, object, int]) -> None:
        path, mode, flags = arguments
        if mode is None and not flags & os.O_WRONLY:
            self._opened_by_os(path, sys._getframe(2))
        place = self._place(path)
        if not place:
            return
        caller = sys._getframe(2)  # below this method and `heard`
        if is_write(mode, flags):
            # What is appended to, or opened only where it is not there, holds what it held.
            if flags & os.O_TRUNC or not os.path.lexists(os.path.join(self._places.top, place)):
                self.stretch.written.add(place)
        elif place.endswith(_LOADED) and child.is_to_run(caller):
            self._charge(caller, lambda stretch: stretch.to_run.add(place))
        elif place.endswith(".py"):
            self._read_source(place, caller)
        elif not caller.f_code.co_name.startswith(_REMOVING):
            self._charge(caller, partial(_reads, place))
            self._note_readers(place, caller)

    def _read_source(self, place: str, caller: FrameType) -> None:
        """Modules that pytest rewrites are known from what is loaded."""
        asker, by_project = lines.asker(caller, self._is_ours), lines.are_for_show(caller)
        self._keeps_lines = self._keeps_lines or by_project
        if asker is not None and not asker.f_code.co_filename.endswith(_REWRITING):
            self._charge(asker, partial(_reads, place), by_project=by_project)
            self._note_readers(place, asker)

    def _opened_by_os(self, path: object, caller: FrameType) -> None:
        """To which folder a path is relative is not told; it can be one that has been opened."""
        name = _text(path)
        if name is None or caller.f_code.co_name.startswith(_REMOVING):
            return
        if os.path.isdir(name):
            self._opens_folders = True
        elif self._opens_folders and not os.path.isabs(name):
            self._charge(caller, lambda stretch: stretch.miss(_RELATIVE), by_project=True)

    def _linked(self, arguments: tuple[object, ...]) -> None:
        """What a file holds can be read by its new name."""
        place, caller = self._place(arguments[0]), sys._getframe(2)
        if arguments[2] != -1 and not os.path.isabs(_text(arguments[0]) or ""):
            self._charge(caller, lambda stretch: stretch.miss(_RELATIVE), by_project=True)
        if not place:
            return
        if os.path.isdir(os.path.join(self._places.top, place)):
            self._charge(caller, lambda stretch: stretch.miss(f"moves {place}"), by_project=True)
        self._charge(caller, partial(_reads, place))

    def _symlinked(self, arguments: tuple[object, ...]) -> None:
        """From now on what is opened elsewhere may lie in the repository."""
        source, link = map(_text, arguments[:2])
        if source is not None and link is not None:
            source = os.path.join(os.path.dirname(link), source)
            inside = self._place(source) is not None or self._places.are_reached_from(source)
            self._places.follows_links |= inside

    def _connected(self, arguments: tuple[object, ...]) -> None:
        name = _text(arguments[0])
        if name is None or name.startswith(":memory:") or not name:
            return
        if name.startswith("file:"):
            if "mode=memory" in name.partition("?")[2]:
                return
            name = _unquoted(child.path_in(name))
        place = self._place(name)
        if place:
            self._charge(sys._getframe(2), lambda stretch: stretch.read(place))

    def _listed(self, arguments: tuple[object, ...]) -> None:
        path = arguments[0] if arguments and arguments[0] is not None else os.curdir
        place = self._place(path)
        caller = sys._getframe(2)
        if isinstance(path, int) and not caller.f_code.co_name.startswith(_REMOVING):
            self._charge(caller, lambda stretch: stretch.miss(_UNNAMED), by_project=True)
        if place is not None and not _looks_for_modules(caller.f_code.co_filename):
            self._charge(caller, lambda stretch: stretch.lists.add(place))
            self._note_readers(f"{place}/", caller)

    def _loaded(self, arguments: tuple[object, ...]) -> None:
        place = self._place(arguments[0]) if arguments else None
        if place and child.is_file_loaded(arguments[0]):
            why = f"loads {place}"
            self._charge(sys._getframe(2), lambda stretch: stretch.miss(why))

    def _started(self, arguments: object) -> None:
        self._start(sys._getframe(2), _misses)

    def _spawned(self, arguments: object) -> None:
        caller = sys._getframe(2)
        if not children.is_told_already(caller):
            self._start(caller, _misses)

    def _popened(self, arguments: tuple[object, ...]) -> None:
        """A child of which it is known what it looks at reads that, as if the caller did."""
        caller = sys._getframe(2)
        self._starts.forget()
        if children.is_python(arguments, caller) and self._watch(caller):
            return
        paths = children.looked_at(arguments, caller)
        if paths is None or any(map(self._places.are_reached_from, paths)):
            self._start(caller, _misses)
            return
        for place in filter(None, map(self._place, paths)):
            self._charge(caller, partial(_reads, place))
            self._note_readers(place, caller)

    def _watch(self, caller: FrameType) -> bool:
        """Whether the child that is about to be started will tell what it does."""
        _, module = self._on_stack(caller)
        if module is not None or self.stretch is self._session:
            return False
        start = self._starts.expect(self.stretch.written)
        if start is None:
            return False
        self._start(caller, lambda stretch: stretch.starts.append(start))
        return True

    def _start(self, caller: FrameType, tell: Callable[[Stretch], None]) -> None:
        """A process gives an answer, as a file does that is read."""
        name = f"{STARTED}{next(self._processes)}"
        self._charge(caller, tell)
        self._charge(caller, partial(_reads, name))
        self._note_readers(name, caller)

    def _place(self, path: object) -> str | None:
        name = _text(path)
        # Python itself looks for sources called `<string>` or `<unknown>`.
        return None if name is None or name.startswith("<") else self._places.find(name)

    def _is_ours(self, filename: str) -> bool:
        return self._registry.place(filename) is not None

    # --- whom it is charged to -------------------------------------------------------------------

    def _charge(
        self, caller: FrameType, tell: Callable[[Stretch], None], *, by_project: bool = False
    ) -> None:
        """Tells the module whose body is running, and the stretch.

        Outside of tests and fixtures only what code of the project does counts; elsewhere so, too,
        with `by_project`.
        """
        is_project, module = self._on_stack(caller)
        if module is not None:
            tell(self.imports.setdefault(module, Stretch()))
        if self.stretch is not self._session:
            if is_project or not by_project:
                tell(self.stretch)
        elif is_project and module is None:
            tell(self._session)

    def _note_readers(self, what: str, frame: FrameType | None) -> None:
        """Whoever reads something may keep it, and so may installed code in between."""
        codes: list[CodeType] = []
        foreign = False
        while frame is not None:
            code = frame.f_code
            if self._registry.place(code.co_filename) is not None:
                codes.append(code)
            elif not codes:
                foreign = foreign or any(folder in code.co_filename for folder in _INSTALLED)
            frame = frame.f_back
        if codes:
            known = self.readers.setdefault(what, Readers(set(), set()))
            known.units |= self._registry.numbers_of_frames(codes)
            if foreign:
                known.handed |= self._registry.numbers_of_frames(codes[:1])

    def _on_stack(self, frame: FrameType | None) -> tuple[bool, str | None]:
        """Whether code of the project is running, and the innermost module body of it."""
        is_project = False
        while frame is not None:
            code = frame.f_code
            place = self._registry.place(code.co_filename)
            if place is not None:
                is_project = True
                if code.co_name == "<module>":
                    return True, place
            frame = frame.f_back
        return is_project, None


def _looks_for_modules(filename: str) -> bool:
    """Whether code lists folders for modules and distributions alone, whatever else lies there."""
    if filename.startswith(_IMPORTING):
        return True
    parts = filename.replace(os.sep, "/")
    return any(f"/{part}" in parts for part in _OF_DISTRIBUTIONS)


def _misses(stretch: Stretch) -> None:
    stretch.miss(PROCESS)


def _reads(place: str, stretch: Stretch) -> None:
    stretch.read(place)


def _text(path: object) -> str | None:
    """A path as text; None for an open file."""
    if isinstance(path, str):
        return path
    if isinstance(path, bytes | os.PathLike):
        return os.fsdecode(path)
    return None


def _unquoted(path: str) -> str:
    from urllib.parse import unquote

    return unquote(path)


def is_write(mode: object, flags: int) -> bool:
    """Whether nothing can be read from a file that is opened like this."""
    if isinstance(mode, str):
        return mode[:1] in "wx" or (mode[:1] == "a" and "+" not in mode)
    new = flags & os.O_TRUNC or (flags & os.O_CREAT and flags & os.O_EXCL)
    return bool(new) or flags & (os.O_WRONLY | os.O_RDWR) == os.O_WRONLY
