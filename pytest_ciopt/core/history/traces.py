"""What tests depended on while they ran: the records from which a later selection proves things.

Units are numbered within one process of one run, in the order in which their names are written, and
so are the lives of fixtures. Paths are relative to the repository with forward slashes.
`docs/reference/segments.md` lists every field.
"""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import NamedTuple

BODY = ""
"""Name of the unit that is a module's own body."""
LOCALS = ".<locals>"
"""Follows the name of a function in the qualified names of those inside of it."""
AT = ":"
"""Begins the name of a line in a body of a module or class, where something is called."""
CHILD = "a child process"
"""Instead of the name of a fixture: this life is a Python which a test or a fixture started. Its
trace has the body of each module that was loaded."""
STARTED = ":process "
"""Begins the name of a process that was started, among what was read: its answer may be kept."""
CHANGED = "changed"
"""Instead of the content id of a file that changed while the run went on."""
ABSENT = "absent"
"""Instead of the content id of a file that was looked for and not there."""


EXAMPLE = "example"
"""Kind of a test whose code stands in a text: in a docstring, or in a file of documentation."""
OTHER = "other"
"""Kind of a test that is neither that nor a function: what a plugin makes of a file."""


class Units(NamedTuple):
    """Names of units of one source file; their numbers follow on those written before."""

    path: str
    names: tuple[str, ...]
    """Qualified names of outermost functions, `BODY` for the module itself."""
    worker: str | None = None


class Trace(NamedTuple):
    """What ran in one stretch of execution."""

    units: tuple[int, ...] = ()
    """Numbers, rising."""
    reads: tuple[str, ...] = ()
    """Files of the repository that were opened to read, and no sources of imports; sorted."""
    lists: tuple[str, ...] = ()
    """Folders of the repository that were listed, "" for its top; sorted."""
    fixtures: tuple[int, ...] = ()
    """Lives of fixtures of wider scope that were used, rising."""
    unseen: str | None = None
    """Why more may have run than was seen, e.g. `starts a process`; None when all was seen."""


class TracedTest(NamedTuple):
    """All phases of one attempt at a test, fixtures of function scope included."""

    id: str
    """The node id."""
    trace: Trace
    worker: str | None = None
    what: str | None = None
    """`EXAMPLE` or `OTHER`; None for a function."""


class TracedFixture(NamedTuple):
    """One life of a fixture of wider scope, from set-up to its last finalizer.

    Written when it has ended: a trace that names a life without such a record proves nothing.
    """

    number: int
    name: str
    trace: Trace
    worker: str | None = None


class TracedImport(NamedTuple):
    """What the body of a module did beside executing code: it runs once, whoever imports it."""

    path: str
    trace: Trace
    """Without units: those are in `TracedSession`."""
    worker: str | None = None


class TracedCalls(NamedTuple):
    """Which functions called one, in a whole process: the nearest ones below it on the stack.

    A function inside of another one has a number and a name of its own here (`f.<locals>.g`), and
    so has a line outside of functions that calls something (`:12`).
    """

    unit: int
    """Number of the unit that is called."""
    in_tests: tuple[int, ...]
    """Numbers of those that called it in tests and fixtures, rising."""
    at_import: tuple[int, ...] = ()
    """Of those that called it while the body of a module ran, or outside of tests and fixtures."""
    more: bool = False
    """Whether not all callers may be noted: there were too many calls, or what is inside of another
    function was called by no code of the repository."""
    worker: str | None = None


class TracedRead(NamedTuple):
    """By which units a file was read, or a folder listed, in any test: they may keep it."""

    path: str
    """A folder has a slash at its end, the top is `/`."""
    units: tuple[int, ...]
    """Numbers of the units that were being executed, rising."""
    handed: tuple[int, ...] = ()
    """Of those the ones that had installed code read it for them, which may keep it as well."""
    worker: str | None = None


class TracedSession(NamedTuple):
    """What a process executed outside of tests and fixtures: imports, collection, hooks."""

    trace: Trace
    worker: str | None = None


class Collected(NamedTuple):
    """Which tests pytest found in a module, before anything left some of them out."""

    path: str
    """The module, as node ids begin."""
    digest: str
    """Of its node ids, see `digest_of`."""
    worker: str | None = None


def digest_of(ids: Iterable[str]) -> str:
    """The same for the same node ids in any order."""
    text = "\0".join(sorted(ids))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


class Inputs(NamedTuple):
    """What a process had to work with, as it was when the process ended.

    Content ids are git's blob ids (SHA-1), or `CHANGED`, or `ABSENT`.
    """

    sources: Mapping[str, str]
    """Content ids of the Python files of the repository that were loaded, by path."""
    data: Mapping[str, str] = MappingProxyType({})
    """Content ids of other files that a trace names, by path."""
    folders: Mapping[str, str] = MappingProxyType({})
    """Ids of what folders held that a trace names, by path."""
    distributions: tuple[str, ...] = ()
    """Installed distributions, e.g. `click-8.1.8`, sorted."""
    worker: str | None = None
    packages: Mapping[str, str] = MappingProxyType({})
    """Ids of the modules and folders in each folder that holds a loaded source, or lies above."""


class Source(NamedTuple):
    """The definitions of a source file by fingerprint, for its text may be nowhere else.

    Comparable within one minor version of Python only.
    """

    id: str
    """The content id of the file."""
    definitions: Mapping[str, tuple[str, str]]
    """By qualified name: fingerprint of what a caller executes, and of what importing binds."""
    effects: str
    """What runs at import, in order, a word each: names of definitions, and fingerprints of
    everything else, with `!` before those of statements that belong to no definition."""


TraceRecord = (
    Units
    | TracedTest
    | TracedFixture
    | TracedImport
    | TracedCalls
    | TracedRead
    | TracedSession
    | Collected
    | Inputs
    | Source
)
