"""The facts of one run that are remembered. All of them: `docs/reference/segments.md` lists each.

Times are seconds, moments are seconds of the Unix epoch (UTC), paths are relative to the
repository with forward slashes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from pytest_ciopt.core.history.totals import Totals


class Environment(NamedTuple):
    """Where a run took place, as far as it can alter outcomes and durations."""

    python: str
    """E.g. `3.12.1`."""
    implementation: str
    """E.g. `cpython`."""
    platform: str
    """E.g. `linux-x86_64`."""
    distributions: str | None = None
    """Digest of what is installed, by name and version; known of shards only."""

    @property
    def key(self) -> str:
        """Durations are comparable within one, e.g. `cpython-3.12-linux-x86_64`.

        `unknown` where nothing was recorded, or imported, of it.
        """
        minor = ".".join(self.python.split(".")[:2])
        key = f"{self.implementation}-{minor}-{self.platform}"
        return "unknown" if key == "--" else key


class RunStart(NamedTuple):
    """What is known when a run begins."""

    run: str
    """The run id: unique, and later runs sort behind earlier ones."""
    started: float
    environment: Environment
    repository: str | None = None
    """The same for all clones: the id of the first commit."""
    commit: str | None = None
    tree: str | None = None
    branch: str | None = None
    dirty: bool = False
    """Whether the working tree differed from the commit."""
    root: str = ""
    """pytest's rootdir, to which node ids are relative."""
    options: tuple[str, ...] = ()
    """Names of known options in use, sorted; never their values."""
    shard: str | None = None
    """E.g. `2/4`."""
    plan: str | None = None
    """Digest of the plan of shards."""
    workers: int = 0
    """Processes of xdist; 0 without."""
    base: str | None = None
    """The commit that a selection compared with."""
    everything: str | None = None
    """Why a selection chose all tests."""
    variables: Mapping[str, str] | None = None
    """Digests of the environment variables that were watched and set, by name; None where none was
    to be watched."""
    source: str | None = None
    """Whose file it was imported from, e.g. `junit`; None for a run that was recorded."""
    job: str | None = None
    """Digest of the CI job that the run carries out, see `jobs`; None where none can be told."""


class Phase(NamedTuple):
    """Set-up, call or teardown of a test. A tuple: each test of each run makes three."""

    outcome: str
    """`passed`, `failed`, `skipped` or `rerun`."""
    seconds: float
    shared: float = 0.0
    """What fixtures that several tests share took of these seconds: the first test pays for all."""


class Subtest(NamedTuple):
    """One subtest of a test."""

    description: str
    outcome: str
    seconds: float


@dataclass(slots=True)
class Attempt:
    """One attempt at a test, filled as phases are reported; a test that is rerun has several."""

    id: str
    """The node id."""
    setup: Phase
    call: Phase | None = None
    """None when the set-up failed or skipped."""
    teardown: Phase | None = None
    attempt: int = 1
    worker: str | None = None
    xfail: bool = False
    """Whether it was expected to fail."""
    reason: str | None = None
    """Why it was skipped, or expected to fail."""
    failure: str | None = None
    """The first line of the failure."""
    subtests: tuple[Subtest, ...] = ()
    selected: str | None = None
    """Why a selection chose it."""

    @property
    def was_rerun(self) -> bool:
        """Whether another attempt was to follow."""
        return any(
            one is not None and one.outcome == "rerun"
            for one in (self.setup, self.call, self.teardown)
        )

    @property
    def told_nothing(self) -> bool:
        """Whether it was cut off after its set-up, so that nothing came of it."""
        return (
            self.call is None
            and self.teardown is None
            and self.setup.outcome == "passed"
            and not any(one.outcome == "failed" for one in self.subtests)
        )


class ModuleCost(NamedTuple):
    """What a test module took before its first test."""

    path: str
    imported: float
    collected: float
    worker: str | None = None


class Uncollected(NamedTuple):
    """A module, class or folder that was not collected: its tests are not known."""

    id: str
    """The node id."""
    outcome: str
    """`failed` or `skipped`."""
    why: str | None = None
    """The first line of the failure, or the reason of the skip."""


class FixtureCost(NamedTuple):
    """One life of a fixture that several tests share."""

    name: str
    scope: str
    """`class`, `module`, `package` or `session`."""
    place: str
    """Where it is defined: a node id, "" for a plugin."""
    setup: float
    teardown: float
    worker: str | None = None


class Benchmark(NamedTuple):
    """What pytest-benchmark measured in a test: seconds of one iteration, over all rounds."""

    id: str
    rounds: int
    iterations: int
    """Of each round."""
    minimum: float
    median: float
    mean: float
    deviation: float
    """Standard deviation of the rounds."""
    maximum: float
    machine: str | None = None
    """The processor, as far as it is told."""
    p95: float | None = None
    """95 % of the rounds take no longer; None where no rounds are told."""
    p99: float | None = None
    fingerprint: str | None = None
    """Of the machine, see `core.history.rounds`."""
    clock: str | None = None
    """`wall` or `cpu`; None where it is not told."""
    busy: float | None = None
    """CPU seconds over wall seconds of the test's call, all that it does beside its rounds
    included: what waits is far below 1."""
    values: tuple[float, ...] = ()
    """The rounds, sorted; of many only some, see `core.history.rounds`."""
    limit: str | None = None
    """How much slower it may become, where its marker says so, e.g. `5%`."""


class Judged(NamedTuple):
    """A verdict, as it is remembered."""

    gate: str
    ruling: str
    """`pass`, `fail` or `cannot tell`."""
    why: str


class Gated(NamedTuple):
    """What gates leave of a run."""

    coverage: Totals | None = None
    """What a whole run covered; None where it was not measured, or the run was not whole."""
    verdicts: tuple[Judged, ...] = ()


class RunEnd(NamedTuple):
    """What is known when a run ends by itself. A run that was killed has none."""

    finished: float
    exit_status: int
    attempts: int
    """How many were written before."""
    dropped: int = 0
    """Tests that were collected and that a selection left out."""
    unread: int = 0
    """Test modules that a selection left out, so that they were not imported."""
    coverage: Totals | None = None
    """What a whole run covered; None where it was not measured, or the run was not whole."""
    verdicts: tuple[Judged, ...] = ()
    """What gates said."""
    job: str | None = None
    """That of the start, where all that the job was asked for passed upon the commit."""
    executed: int = 0
    """Functions that tests executed, those of each test counted for it; 0 where nobody watched."""


Record = RunStart | Attempt | ModuleCost | Uncollected | FixtureCost | Benchmark | RunEnd
