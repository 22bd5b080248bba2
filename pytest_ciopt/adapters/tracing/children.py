"""Child processes that certainly run no code of the project, and which files those look at.

Known are a few programs that start nothing else and work with what their arguments name. They have
to be binaries: a script of that name may do anything.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from types import FrameType
from typing import Any, NamedTuple

_WITHOUT_FILES = frozenset(
    "arch clear echo false id logname nproc sleep true tty uname whoami".split()
)
_PAGERS = frozenset("less more".split())
_WITH_FILES = _PAGERS | frozenset(
    "cat cp date head hostname mkdir mv rm rmdir stty tail touch tput".split()
)
_SEVERAL_IN_ONE = frozenset("busybox coreutils toybox".split())
"""Binaries that do what the name says by which they are started."""
_BINARY = (
    *(b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe"),  # Mach-O
)
_OF_THE_SYSTEM = ("/bin", "/sbin", "/usr/bin", "/usr/sbin")
"""Folders of programs that the system has installed: none is built from the repository."""
_TELLING_OF_ITSELF = (["--version"], ["-V"], ["--help"])
_FINDING_LIBRARIES = frozenset("ldconfig gcc cc ld objdump".split())
"""What `ctypes.util.find_library` asks, for libraries of the system."""
_INJECTING = ("LD_PRELOAD", "LD_AUDIT", "DYLD_")
_TELLING = ("PYTHONVERBOSE", "PYTHONPROFILEIMPORTTIME", "PYTHONHOME")
"""Variables by which Python tells what is imported, or finds another environment."""
_HARMLESS = re.compile("-[IEsPBubOq]+[cm]?|-Xdev|-Xutf8(=1)?|-W[^ ]+")
_LONGEST = 256
"""Bytes of the first line of a script: Linux looks at no more."""
_STARTED = vars(subprocess.Popen)["_execute_child"].__code__
_SPAWNED = getattr(vars(subprocess.Popen).get("_posix_spawn"), "__code__", None)


def is_told_already(caller: FrameType) -> bool:
    """Whether a spawned process is one that `subprocess.Popen` has announced."""
    return caller.f_code is _SPAWNED


class _Command(NamedTuple):
    """How a child is started."""

    program: str | None
    """The file that is executed; None where there is none."""
    words: list[str]
    start: str
    """The folder that it starts in."""
    names: list[str]
    """Of environment variables."""
    tried: list[str]
    """Where the program is looked for, in this order."""


def is_python(arguments: tuple[Any, ...], caller: FrameType) -> bool:
    """Whether a child will be this very Python, and call what `pytest_ciopt.pth` names first.

    `arguments` are those of the event `subprocess.Popen`, which `caller` raises.
    """
    command = _command(*arguments) if _starts_nothing_else(caller) else None
    if command is None or command.program is None:
        return False
    if any(one.startswith((*_INJECTING, *_TELLING)) for one in command.names):
        return False
    try:
        return _is_this(command.program) and _has_harmless_options(command.words[1:])
    except (ValueError, OSError):
        return False


def _starts_nothing_else(caller: FrameType) -> bool:
    """Whether `subprocess` starts a child, and no function of whoever asked for it runs there."""
    return caller.f_code is _STARTED and caller.f_locals.get("preexec_fn") is None


def _command(executable: Any, words: Any, folder: Any, given: Any) -> _Command | None:
    """Of the arguments of the event; None where they do not tell."""
    environment = os.environ if given is None else given
    if not isinstance(words, list | tuple) or not isinstance(environment, Mapping):
        return None
    try:
        texts = [os.fsdecode(word) for word in words]
        start = os.path.abspath(os.curdir if folder is None else os.fsdecode(folder))
        tried = list(_tried(os.fsdecode(executable), start, environment))
        program = next(filter(_is_executable, tried), None)
        names = [os.fsdecode(name) for name in environment]
    except (TypeError, ValueError, OSError):
        return None
    return _Command(program, texts, start, names, tried) if texts else None


def _is_this(program: str) -> bool:
    """Whether a program is this Python, or a script for it."""
    if not os.path.samefile(program, sys.executable):
        with open(program, "rb") as stream:
            line = stream.readline(_LONGEST)
        program = os.fsdecode(line[2:].strip())
        if not line.startswith(b"#!") or not line.endswith(b"\n") or not os.path.isabs(program):
            return False
    same_folder = os.path.samefile(os.path.dirname(program), os.path.dirname(sys.executable))
    return same_folder and os.path.samefile(program, sys.executable)


def _has_harmless_options(words: Iterable[str]) -> bool:
    """Whether Python will look at the hook, and not tell of it."""
    for word in words:
        if not word.startswith("-") or word == "-" or word[:2] in ("-c", "-m"):
            return True
        if not _HARMLESS.fullmatch(word):
            return False
        if word.endswith(("c", "m")):
            return True
    return True


def looked_at(arguments: tuple[Any, ...], caller: FrameType) -> list[str] | None:
    """Paths that a child may read, whether they exist or not; the first is its program's.

    None for a child that may do more. `arguments` are those of the event `subprocess.Popen`, which
    `caller` raises.
    """
    if not _starts_nothing_else(caller):
        return None
    return read_by(*arguments, finds_library=_finds_library(caller))


def read_by(
    executable: Any, words: Any, folder: Any, given: Any, *, finds_library: bool = False
) -> list[str] | None:
    """The same of a child that `subprocess.Popen` starts with nothing but this; `finds_library`:
    for `ctypes.util`."""
    command = _command(executable, words, folder, given)
    if command is None:
        return None
    program, texts, start, names, tried = command
    if program is None:  # nothing is started
        return tried
    name = os.path.basename(program)
    is_of_system = _is_of_system(program, texts, finds_library=finds_library)
    try:
        if not (is_of_system or _is_known(program, texts[0])) or not _is_binary(program):
            return None
    except OSError:
        return None
    if any(one.startswith(_INJECTING) for one in names) or (
        name in _PAGERS and _may_run_commands(texts, names)
    ):
        return None
    if is_of_system or name in _WITHOUT_FILES:
        return [program]
    return [program, *_paths(texts[1:], start)]


def _finds_library(caller: FrameType) -> bool:
    """Whether `ctypes.util` starts a process, to find a library of the system."""
    asking: FrameType | None = caller
    while asking is not None and asking.f_globals is vars(subprocess):
        asking = asking.f_back
    finding = sys.modules.get("ctypes.util")
    return asking is not None and finding is not None and asking.f_globals is vars(finding)


def _tried(executable: str, start: str, environment: Mapping[Any, Any]) -> Iterator[str]:
    """Where the file is looked for; to a relative path the child has changed to `start`."""
    folders = [""] if os.path.dirname(executable) else os.get_exec_path(environment)
    return (os.path.join(start, folder, executable) for folder in folders)


def _is_executable(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _is_of_system(program: str, words: list[str], *, finds_library: bool) -> bool:
    """Whether a program that the system has installed tells of itself, or finds a library."""
    name = os.path.basename(program)
    return os.path.dirname(program) in _OF_THE_SYSTEM and (
        words[1:] in _TELLING_OF_ITSELF
        or (name == "git" and words[1:] == ["version"])
        or (finds_library and name in _FINDING_LIBRARIES)
    )


def _is_known(program: str, called: str) -> bool:
    name, real = os.path.basename(program), os.path.basename(os.path.realpath(program))
    known = name in _WITHOUT_FILES or name in _WITH_FILES
    return known and real in {name, *_SEVERAL_IN_ONE} and os.path.basename(called) == name


def _is_binary(program: str) -> bool:
    with open(program, "rb") as stream:
        return stream.read(4) in _BINARY


def _may_run_commands(words: Iterable[str], names: Iterable[str]) -> bool:
    """Pagers run commands that their settings or the arguments (`+!command`) tell."""
    return any(word.startswith("+") for word in words) or any(
        name.startswith(("LESS", "MORE")) for name in names
    )


def _paths(words: Iterable[str], start: str) -> Iterator[str]:
    for word in words:
        path = os.path.join(start, word)
        if not word.startswith("-") or os.path.lexists(path):
            yield path
            continue
        value = word.partition("=")[2] or word[2:]  # `--file=a`, `-fa`
        if value and os.path.lexists(os.path.join(start, value)):
            yield os.path.join(start, value)
