"""Runs in a Python that a test started: tells the run what is executed, read and started there.

`pytest_ciopt.pth` calls `begin` before anything else runs, where the variable says which file to
tell it in. What runs there must not notice. So this module imports nothing but what Python has
imported by then; it leaves no module and no variable behind, holds no file open, raises nothing.

What is told is true only if the file says that the process came to its regular end. Whoever reads
it looks at that, see `starts.py`.
"""

import os
import sys

TYPE_CHECKING = False  # that of `typing` would import it
if TYPE_CHECKING:
    from types import CodeType, FrameType
    from typing import Any

VARIABLE = "CIOPT_CHILD"
"""Lines: the file to tell in, and the spellings of the top of the repository, with a slash each."""
FORMAT = "1"
STARTS = "starts a process"
"""What the child's own children execute and read is not seen."""
POPEN = "subprocess.Popen"
_STARTING = frozenset(
    f"{POPEN} os.system os.spawn os.posix_spawn os.exec os.fork os.forkpty "
    "cpython.PyInterpreterState_New".split()
)
_MOVING = frozenset(("os.link", "os.rename", "os.symlink"))
_LOOKING = frozenset("open os.listdir os.scandir sqlite3.connect ctypes.dlopen".split())
_HEARD = _STARTING | _MOVING | _LOOKING | {"os.mkdir", "sys.addaudithook"}
_SILENT = ("/multiprocessing/process.py", "/multiprocessing/util.py")
"""Of the standard library: they start processes without an audit event."""
_IDS = (4, 5, 2, 3, 0, 1)
"""Ids of tools: those last that a recording plugin or coverage.py would take in the child."""
_IMPORTING = "<frozen importlib"
_COMPILING = "get_code"
"""Function of the import system that reads a module to run it; others read data."""
SOURCE = "source"
"""A module was opened to run it. Where its body did not run, it was read like any file."""
_USUAL = sys.modules["_frozen_importlib_external"].SourceFileLoader.source_to_code
_REMOVING = "_rmtree"
"""Beginning of the functions of `shutil` that open and list folders relative to others."""
_ARCHIVES = "<frozen zipimport"
_OURS = "pytest_ciopt"
_HERE = __file__[: __file__.rindex(_OURS)] + _OURS
_PYTHON = os.path.dirname(os.__file__)
_INSTALLED = "-packages" + os.sep
_ENDED = f"{VARIABLE}.end"
"""Raised by ourselves at the end: in an audit hook nothing is traced or profiled."""


def begin() -> None:
    """Begins to watch, where that is wanted and this Python can do it."""
    given = os.environ.pop(VARIABLE, "")
    before = _files_of_modules()  # with ours, which may be what the tests are about
    for name in [name for name in sys.modules if name.partition(".")[0] == _OURS]:
        del sys.modules[name]
    if given and hasattr(sys, "monitoring"):
        file, *tops = given.split("\n")
        Child(file, tuple(tops)).start(before)


class Child:
    """Keeps what it hears until the end, and writes it then; what comes later at once."""

    def __init__(self, file: str, tops: tuple[str, ...]) -> None:
        self._file, self._tops = file, tops
        self._process = os.getpid()
        begun: tuple[object, ...] = ("begun", FORMAT, self._process, sys.prefix)
        self._told = dict.fromkeys((begun,))
        """In order, each thing once."""
        self._folder = os.getcwd()
        self._files: dict[str, str] = {}
        self._made: set[str] = set()
        """Folders."""
        self._has_ended = False
        self._is_lost = False
        self._hears = False
        # Python takes the names out of modules before the last finalizers run.
        self._getpid, self._open, self._put, self._close = os.getpid, os.open, os.write, os.close
        self._appending = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._tool = -1

    def start(self, before: "list[str]") -> None:
        """Where another tool is left no place, nothing is told. `before`: files of modules that
        were imported unseen."""
        if any(map(self._place_of, before)):
            self._tell("missed", "loads a module before it is watched")
        monitoring: Any = vars(sys)["monitoring"]
        free = [number for number in _IDS if monitoring.get_tool(number) is None]
        if not free:
            return
        is_there = "atexit" in sys.modules
        import atexit

        if not is_there:
            del sys.modules["atexit"]
        self._tool = free[0]
        monitoring.use_tool_id(self._tool, VARIABLE)
        start = monitoring.events.PY_START
        self._started = self._starting(monitoring.DISABLE)
        monitoring.register_callback(self._tool, start, self._started)
        monitoring.set_events(self._tool, start)
        sys.addaudithook(self._heard)
        sys.audit(VARIABLE)  # another hook can refuse ours without a word
        # The first to be registered is the last to be called.
        atexit.register(sys.audit, _ENDED)

    def _starting(self, disable: object) -> "Any":
        files, find, tell, fail = self._files, self._find, self._tell, self._fail

        def started(code: "CodeType", offset: int) -> object:
            try:
                name = code.co_filename
                file = files[name] if name in files else find(name)
                if file:
                    tell("ran", file, code.co_qualname, code.co_flags)
            except Exception as error:  # it would come up in the code that is watched
                fail(error)
            return disable

        return started

    def _find(self, name: str) -> str:
        """The absolute path of a file whose code is to be told of, else nothing."""
        path = "" if name.startswith("<") else os.path.abspath(name)
        found = path and self._place_of(path)
        self._files[name] = found or (path if path.endswith(_SILENT) else "")
        return self._files[name]

    def _place_of(self, path: str) -> str:
        """Where a path leads to in the repository, through links from outside as well; else
        nothing. Of a link within, the link counts: what it leads to is its content."""
        # What lies above a link is not what lies above it in its name.
        absolute = os.path.realpath(path) if os.pardir in path else os.path.abspath(path)
        path = absolute if absolute.startswith(self._tops) else os.path.realpath(absolute)
        return path if os.path.join(path, "").startswith(self._tops) else ""

    def _heard(self, event: str, arguments: "Any") -> None:
        if event not in _HEARD:
            self._hears = self._hears or event == VARIABLE
            if event == _ENDED:
                self._end()
            return
        if self._is_lost:
            return
        try:
            if event in _STARTING:
                self._starts(event, arguments)
            elif event in _MOVING:
                self._moved(event, *arguments)
            elif event == "os.mkdir":
                self._made.add(os.path.abspath(os.fsdecode(arguments[0])))
            elif event == "sys.addaudithook":
                # Who listens hears what we do as well. Libraries listen for something else.
                file = sys._getframe(1).f_code.co_filename
                self._is_lost = not file.startswith(_PYTHON) and _INSTALLED not in file
            else:
                self._looked(event, arguments)
        except Exception as error:
            self._fail(error)

    def _starts(self, event: str, arguments: "Any") -> None:
        """Tells of a process; whether one does only what its arguments say, the run knows."""
        caller = sys._getframe(2)
        popen = vars(sys.modules["subprocess"].Popen) if "subprocess" in sys.modules else {}
        if event == "os.posix_spawn" and caller.f_code is _code_of(popen, "_posix_spawn"):
            return  # told already
        is_popen = event == POPEN and caller.f_code is _code_of(popen, "_execute_child")
        if is_popen and caller.f_locals.get("preexec_fn") is None:
            program, words, folder, given = arguments
            here = os.path.abspath(os.curdir if folder is None else os.fsdecode(folder))
            texts = tuple(map(os.fsdecode, words))
            names = tuple(map(os.fsdecode, os.environ if given is None else given))
            path = os.pathsep.join(os.get_exec_path(given))
            self._tell(POPEN, os.fsdecode(program), texts, here, names, path)
        else:
            self._tell("missed", STARTS)

    def _moved(self, event: str, source: "Any", target: "Any", *folders: int) -> None:
        """What a file holds can be read by its new name."""
        source, target = os.fsdecode(source), os.fsdecode(target)
        if folders and folders[0] != -1 and not os.path.isabs(source):
            self._tell("missed", "names a file relative to a folder")
        if event == "os.symlink":  # which is relative to where it lies
            source = os.path.join(os.path.dirname(os.path.abspath(target)), source)
            around = os.path.join(os.path.realpath(source), "")
            if self._place_of(source) or any(top.startswith(around) for top in self._tops):
                self._tell("missed", "links into the repository")
            return
        path = self._place_of(source)
        if path and os.path.isdir(path) and os.path.abspath(source) not in self._made:
            self._tell("missed", "moves a folder")
        if path:
            self._tell("open", path, None, os.O_RDONLY, True)

    def _looked(self, event: str, arguments: "Any") -> None:
        name = arguments[0] if arguments and arguments[0] is not None else os.curdir
        mode, flags = arguments[1:3] if event == "open" else (None, 0)
        if isinstance(name, int):
            if event in ("os.listdir", "os.scandir") and not _is_removing():
                self._tell("missed", "lists a folder by its descriptor")
            return
        name = os.fsdecode(name)
        if event == "sqlite3.connect" and name.startswith("file:"):
            name = path_in(name)
            if "%" in name:
                self._tell("missed", "opens a database by a quoted address")
        if event == "open" and name == self._file:
            return  # what is told here may lie in the repository
        is_low = event == "open" and mode is None and not flags & os.O_WRONLY
        if is_low and not os.path.isabs(name) and not _is_removing():
            self._tell("missed", "names a file relative to a folder")  # which one is not told
        reads = _reads_module(event, name)
        if event != "open" and reads:
            return  # the import system looks which modules are there
        if event == "ctypes.dlopen" and not is_file_loaded(arguments[0]):
            return
        path = self._place_of(name)
        if path and reads and not flags & (os.O_WRONLY | os.O_RDWR):
            self._tell(SOURCE, path)
        elif path:
            was_there = not flags & os.O_CREAT or os.path.lexists(path)
            self._tell(event, path, mode if isinstance(mode, str) else None, flags, was_there)

    def _fail(self, error: Exception) -> None:
        """After an error of ours, which nobody may see."""
        self._is_lost = True
        if interrupts(error):
            raise error
        if self._has_ended:
            self._write([("missed", "an error of ours")])

    def _tell(self, *words: object) -> None:
        self._told[words] = None
        if self._has_ended:  # asked last: another thread may be about to end
            self._write([words])

    def _end(self) -> None:
        """The regular end. Finalizers of objects may run after it."""
        try:
            monitoring: Any = vars(sys)["monitoring"]
            is_there = monitoring.get_tool(self._tool) is VARIABLE
            start = monitoring.events.PY_START
            if not is_there or monitoring.get_events(self._tool) != start:
                return
            if self._is_lost or not self._hears:
                return
            if monitoring.register_callback(self._tool, start, self._started) != self._started:
                return
            self._has_ended = True
            searched = list(map(os.fsdecode, {*sys.path, *sys.path_importer_cache}))
            # The working directory may have changed since it was searched.
            places = {os.path.join(here, one) for here in (self._folder, "") for one in searched}
            folders = sorted({self._place_of(one) or one for one in map(os.path.abspath, places)})
            packages = [(name, self._place_of(file) or file) for name, file in _packages()]
            told = [*self._told, ("searched", folders), ("packages", packages)]
            self._write([*told, ("ended", len(told))])
        except Exception:  # without an end all of it is void
            return

    def _write(self, told: "list[tuple[object, ...]]") -> None:
        if self._getpid() != self._process:
            return
        try:
            stream = self._open(self._file, self._appending, 0o600)
            try:
                rest = "".join(f"{words!a}\n" for words in told).encode("ascii")
                while rest:
                    rest = rest[self._put(stream, rest) :]
            finally:
                self._close(stream)
        except Exception:  # disks can be full, and it may be late
            return


def interrupts(error: BaseException) -> bool:
    """Whether an error that came up while code of ours ran is somebody else's, e.g. that of a
    handler of signals: then it is theirs to see."""
    if type(error).__module__ != "builtins":
        return True
    step = error.__traceback__
    while step is not None:
        file = step.tb_frame.f_code.co_filename
        if not file.startswith((_HERE, "<frozen ")) and (
            not file.startswith(_PYTHON) or _INSTALLED in file
        ):
            return True
        step = step.tb_next
    return False


def _code_of(members: "Any", name: str) -> object:
    return getattr(members.get(name), "__code__", _OURS)  # which is no code


def path_in(address: str) -> str:
    """The path in the URI of a SQLite database, quoted as it is. See SQLite, *Uniform Resource
    Identifiers*, section 3."""
    path = address[len("file:") :].partition("?")[0].partition("#")[0]
    for authority in ("//localhost/", "///"):
        if path.startswith(authority):
            return path[len(authority) - 1 :]
    return path


def is_file_loaded(library: object) -> bool:
    """Whether a library is a file named by its path: others are looked for among those of the
    system, see dlopen(3), and none is Python itself."""
    if not isinstance(library, str | bytes) or not library:
        return False
    return os.sep in os.fsdecode(library) or os.path.exists(library)


def is_to_run(reader: "FrameType") -> bool:
    """Whether the import system reads a module to run it, as it stands."""
    asking = reader.f_back
    if asking is None or not reader.f_code.co_filename.startswith(_IMPORTING):
        return False
    code = asking.f_code
    if code.co_name != _COMPILING or not code.co_filename.startswith(_IMPORTING):
        return False
    compiles = getattr(type(asking.f_locals.get("self")), "source_to_code", None)
    return compiles is None or compiles is _USUAL


def _reads_module(event: str, path: str) -> bool:
    """Whether the import system looks which modules there are, or reads one to run it."""
    try:
        reader = sys._getframe(3)
    except ValueError:
        return True  # Python itself, its main script
    if reader.f_code.co_filename.startswith(_ARCHIVES):
        return path.endswith((".py", ".pyw"))  # is it an archive?
    if event == "open":
        return is_to_run(reader)
    return reader.f_code.co_filename.startswith(_IMPORTING)


def _is_removing() -> bool:
    try:
        return sys._getframe(3).f_code.co_name.startswith(_REMOVING)
    except ValueError:
        return False


def _files_of_modules() -> "list[str]":
    return [os.path.abspath(file) for _, file in _modules()]


def _packages() -> "list[tuple[str, str]]":
    """Outermost modules by name, with their files; those of Python left out."""
    return [
        (name, os.path.abspath(file))
        for name, file in _modules()
        if "." not in name and name not in sys.stdlib_module_names
    ]


def _modules() -> "list[tuple[str, str]]":
    """Names and files of what is loaded."""
    kind, found = type(sys), []
    for name, module in list(sys.modules.items()):
        if issubclass(type(module), kind):  # others only say so
            # Not by `getattr`: a lazy module would be loaded by it.
            file = vars(kind)["__dict__"].__get__(module).get("__file__")
            if isinstance(file, str):
                found.append((name, file))
    return found
