"""What was seen of tests, and of the processes that they ran in. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from pytest_ciopt.core.history.records import Environment
from pytest_ciopt.core.history.traces import Inputs, Trace, digest_of
from pytest_ciopt.core.nodeids import within

Unit = tuple[str, str]
"""Path and qualified name."""


Opening = tuple[frozenset[Unit], frozenset[str]]
"""What ran in a test, and what was read: files, and folders with a slash."""


class Life(NamedTuple):
    """A fixture of wider scope: what ran and was read for it, from its set-up to its finalizers."""

    units: frozenset[Unit]
    reads: frozenset[str]
    before: int
    """How many of the process's openings had ended when it was set up, as far as that is known."""


def python_of(environment: Environment) -> str:
    """The interpreter on which proofs hold, e.g. `cpython-3.12.1-linux-x86_64`."""
    return f"{environment.implementation}-{environment.python}-{environment.platform}"


@dataclass(frozen=True, slots=True)
class Process:
    """What all tests share that ran in one process of a run."""

    run: str
    inputs: Inputs
    outside: frozenset[Unit]
    """Units that ran outside of tests and fixtures."""
    session: Trace
    """What was read outside of tests, by no module's body. Without units."""
    imports: Mapping[str, Trace]
    """What the bodies of modules read, by path. Without units."""
    readers: Mapping[str, tuple[frozenset[Unit], frozenset[Unit]]] = field(default_factory=dict)
    """By file, or folder with a slash: units that read it, and those that had others read it."""
    openings: tuple[Opening, ...] = ()
    """Those tests, in order, that were the first to run something."""
    lives: tuple[Life, ...] = ()
    variables: Mapping[str, str] | None = None
    """Digests of environment variables, see `RunStart`."""
    job: str | None = None
    """Digest of the CI job, see `RunStart`."""

    @property
    def stretches(self) -> Iterator[frozenset[Unit]]:
        """What ran in each opening and in each life."""
        yield from (units for units, _ in self.openings)
        yield from (one.units for one in self.lives)


class Seen(NamedTuple):
    """What one test depended on when it last ran and could be counted on."""

    process: Process
    units: frozenset[Unit]
    """All that ran for it, fixtures of wider scope included."""
    reads: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    unseen: str | None = None
    """Why more may have run than was seen."""
    elsewhere: frozenset[Unit] | None = None
    """What ran in Pythons that it started, with the body of each module that they loaded; None
    where it started none. Apart from `units`: nothing that ran there was kept for other tests."""
    what: str | None = None
    """See `TracedTest`."""


class Known(NamedTuple):
    """The newest words on one test."""

    run: str
    """The newest run that has it."""
    failed: str
    """The newest run in which it failed or did not finish, "" for none."""
    seen: Seen | None
    """The newest account of what it depends on; None where none is newer than a failure."""

    @property
    def bad(self) -> bool:
        """Whether it is owed another run."""
        return self.run == self.failed


@dataclass(frozen=True, slots=True)
class Module:
    """The tests that were found in a test module when it was last collected."""

    run: str
    root: str
    """pytest's rootdir, to which node ids are relative."""
    digest: str
    """Of their node ids, see `traces.digest_of`."""
    content_id: str | None
    """Of the module, None when that is not known."""

    def held(self, tests: Iterable[str]) -> bool:
        """Whether these, by id from the top of the repository, were all of its tests."""
        return self.digest == digest_of(within(self.root, tests))


@dataclass(slots=True)
class Ran:
    """What ran where, in all processes of all runs."""

    callers: dict[Unit, set[Unit]] = field(default_factory=dict)
    """Who called a unit in tests and fixtures."""
    importers: dict[Unit, set[Unit]] = field(default_factory=dict)
    """Who called it while the body of a module ran, or outside of tests and fixtures."""
    shared: set[Unit] = field(default_factory=set)
    """What fixtures of wider scope ran."""
    often: set[Unit] = field(default_factory=set)
    """What was called so often that not all callers are known."""

    def update(self, other: "Ran") -> None:
        """Takes in what another one knows."""
        for known, fresh in (
            (self.callers, other.callers),
            (self.importers, other.importers),
        ):
            for unit, callers in fresh.items():
                known.setdefault(unit, set()).update(callers)
        self.shared |= other.shared
        self.often |= other.often


def read_in(trace: Trace) -> frozenset[str]:
    """Files, and folders with a slash."""
    return frozenset((*trace.reads, *(f"{folder}/" for folder in trace.lists)))


def both(one: frozenset[Unit] | None, other: frozenset[Unit] | None) -> frozenset[Unit] | None:
    """What ran elsewhere by two accounts."""
    if one is None or other is None:
        return other if one is None else one
    return one | other
