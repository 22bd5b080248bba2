"""Pythons that tests start: has each tell what it does, and reads that when its test is over.

Each start gets a file of its own, named by a variable that only this one child is given: it is in
no mapping that a test can see, and the child drops it at once. What the file tells counts only if
it was written by the very process that was started, and that has come to its regular end: then it
holds all that happened there, or says that it does not.
"""

import inspect
import os
import subprocess
import sys
import tempfile
from _thread import get_ident
from ast import literal_eval
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import wraps
from typing import Any

from pytest_ciopt.adapters.tracing.child import FORMAT, VARIABLE
from pytest_ciopt.adapters.tracing.inputs import sites
from pytest_ciopt.adapters.tracing.monitor import is_available

_ENVIRONMENT = 5
"""Where `_fork_exec` takes it: a list of bytes, or None for that of this process."""
_KNOWN: tuple[tuple[Any, str, int, str], ...] = (
    (subprocess, "_fork_exec", _ENVIRONMENT, "env"),
    (subprocess.Popen, "_posix_spawn", 3, "env"),
    (subprocess.Popen, "_execute_child", 3, "preexec_fn"),
)
"""Of what belongs to Python itself: whose, which function, and what it takes at a position. Of a
Python where that is otherwise nothing is known of children."""
_AT_START = "pytest_ciopt.pth"
_LARGEST = 16_000_000
"""Bytes that a child may tell."""

Words = tuple[Any, ...]


@dataclass(slots=True)
class Start:
    """One start of a Python."""

    file: str
    written: frozenset[str] = frozenset()
    """What had been written before: no input of the child."""
    pid: int | None = None
    """None until the process was there."""


class Starts:
    """Hands out files between `start` and `stop`."""

    def __init__(self, tops: Iterable[str]) -> None:
        self._tops = tuple(tops)
        self._folder: str | None = None
        self._number = 0
        self._expected: dict[int, Start] = {}
        """By thread: it has announced to start a Python, and will do so next."""
        self._replaced: list[tuple[Any, str, Any, Any]] = []
        """Owner, name, what was there, and what is there instead."""

    def start(self) -> None:
        """From now on starts can be watched, if this Python can do it at all."""
        if not is_available() or not _is_as_known() or not _is_installed():
            return
        with suppress(OSError):
            before = tempfile.tempdir
            self._folder = tempfile.mkdtemp(prefix="ciopt-children-")
            tempfile.tempdir = before  # tests may want another one
            self._replace(subprocess, "_fork_exec", self._forking)
            self._replace(subprocess.Popen, "_posix_spawn", self._spawning)

    def _replace(self, owner: Any, name: str, made: Callable[[Any], Any]) -> None:
        before = vars(owner).get(name)
        if before is not None:
            ours = made(before)
            self._replaced.append((owner, name, before, ours))
            setattr(owner, name, ours)

    def stop(self) -> None:
        """Leaves no trace. More than once does no harm."""
        folder, self._folder = self._folder, None
        for owner, name, before, ours in self._replaced:
            if vars(owner).get(name) is ours:
                setattr(owner, name, before)
        self._replaced.clear()
        if folder is not None:
            with suppress(OSError):
                for name in os.listdir(folder):
                    os.unlink(os.path.join(folder, name))
                os.rmdir(folder)

    def forget(self) -> None:
        """This thread starts something else."""
        self._expected.pop(get_ident(), None)

    def expect(self, written: Iterable[str]) -> Start | None:
        """This thread is about to start a Python; None if that cannot be watched. `written`: places
        of files that are of its parent's making."""
        if self._folder is None:
            return None
        self._number += 1
        start = Start(os.path.join(self._folder, str(self._number)), frozenset(written))
        self._expected[get_ident()] = start
        return start

    def _forking(self, forks: Callable[..., int]) -> Callable[..., int]:
        """In place of `_fork_exec`."""

        @wraps(forks)
        def fork(*arguments: Any) -> int:
            start = self._expected.pop(get_ident(), None)
            if start is None or not _is_environment(arguments[_ENVIRONMENT:]):
                return forks(*arguments)
            with self._named(start, arguments[_ENVIRONMENT]) as name:
                before, given = arguments[:_ENVIRONMENT], arguments[_ENVIRONMENT]
                named = None if given is None else [*given, os.fsencode("=".join(name))]
                start.pid = forks(*before, named, *arguments[_ENVIRONMENT + 1 :])
            return start.pid

        return fork

    def _spawning(self, spawns: Callable[..., None]) -> Callable[..., None]:
        """In place of `Popen._posix_spawn`."""

        @wraps(spawns)
        def spawn(popen: Any, words: Any, program: Any, given: Any, *rest: Any) -> None:
            start = self._expected.pop(get_ident(), None)
            if start is None:
                return spawns(popen, words, program, given, *rest)
            with self._named(start, given) as (name, value):
                named = None if given is None else {**given, name: value}
                spawns(popen, words, program, named, *rest)
                start.pid = popen.pid
            return None

        return spawn

    @contextmanager
    def _named(self, start: Start, given: object) -> Iterator[tuple[str, str]]:
        """Variable and value; they are in the environment of this process where that is given, yet
        not in `os.environ`: others look at that."""
        value = "\n".join((start.file, *self._tops))
        if given is None:
            os.putenv(VARIABLE, value)
        try:
            yield VARIABLE, value
        finally:
            if given is None:
                os.unsetenv(VARIABLE)

    def told(self, start: Start) -> list[Words] | None:
        """What a child has told; None if that may not be all."""
        if start.pid is None or _is_running(start.pid):
            return None
        try:
            if os.path.getsize(start.file) > _LARGEST:
                return None
            with open(start.file, encoding="ascii") as stream:
                lines = [literal_eval(line) for line in stream]
            os.unlink(start.file)
        except (OSError, ValueError, SyntaxError):
            return None
        ends = [number for number, words in enumerate(lines) if words[0] == "ended"]
        begun = [words for words in lines if words[0] == "begun"]
        if begun != [("begun", FORMAT, start.pid, sys.prefix)] or len(ends) != 1:
            return None
        return lines if lines[ends[0]] == ("ended", ends[0]) else None


def _is_as_known() -> bool:
    """Whether `subprocess` of this Python has what we put ourselves in place of."""
    try:
        return all(
            list(inspect.signature(vars(owner)[name]).parameters)[position] == parameter
            for owner, name, position, parameter in _KNOWN
        )
    except (KeyError, IndexError, TypeError, ValueError):
        return False


def _is_environment(rest: Sequence[object]) -> bool:
    """Whether arguments begin with an environment: None, or a list of `NAME=value`."""
    given = rest[0] if rest else ()
    return given is None or (
        isinstance(given, list) and all(isinstance(one, bytes) and b"=" in one for one in given)
    )


def _is_installed() -> bool:
    """Whether Pythons of this environment will ask our module when they start."""
    return any(os.path.isfile(os.path.join(folder, _AT_START)) for folder in sites(sys.path))


def _is_running(pid: int) -> bool:
    """Whether a child has not ended yet; it is left to its parent to wait for it."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None
    except ChildProcessError:
        return False  # somebody has waited
    except OSError:
        return True
