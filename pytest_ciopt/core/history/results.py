"""What one run says of each test, module and fixture, in the form that the index keeps.

Seconds are whole microseconds here: they are many, and integers are small.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from statistics import median_low

from pytest_ciopt.core.history.records import (
    Attempt,
    Benchmark,
    FixtureCost,
    ModuleCost,
    Phase,
    Record,
    RunEnd,
    RunStart,
    Uncollected,
)
from pytest_ciopt.core.nodeids import fixture_id, repository_id

_MICRO = 1_000_000


class Kind(StrEnum):
    """What takes time."""

    TEST = "test"
    MODULE = "module"
    FIXTURE = "fixture"


class Outcome(StrEnum):
    """Of a test in a run, by the letters of pytest; `R` for one that passed when it was rerun."""

    PASSED = "."
    FAILED = "F"
    ERROR = "E"
    SKIPPED = "s"
    XFAILED = "x"
    XPASSED = "X"
    RERUN = "R"


BAD = frozenset((Outcome.FAILED, Outcome.ERROR))
GOOD = frozenset((Outcome.PASSED, Outcome.XFAILED, Outcome.XPASSED, Outcome.RERUN))
"""The whole test ran, so that its seconds tell what it takes."""
_FAILED = ("failed", "rerun")
"""What failed and was to be rerun has failed, if it was not."""
_WORST = "s.xXFE"
"""Of several outcomes of one test in a run the last of these counts."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one test in one run; of a module or a fixture, what it took."""

    outcome: str
    setup: int
    """Microseconds, without fixtures that several tests share; of a module its import."""
    call: int
    """Of a module the rest of its collection."""
    teardown: int
    attempts: int = 1
    failure: str | None = None


Subject = tuple[Kind, str]
"""Its id is a node id that begins at the top of the repository; of a fixture, see `fixture_id`."""


@dataclass(frozen=True, slots=True)
class RunResults:
    """A run, and everything in it that the index keeps."""

    start: RunStart
    end: RunEnd | None
    results: Mapping[Subject, Result]
    counts: Mapping[str, int] = field(default_factory=dict)
    """Tests by outcome; as to pytest, a module that was not collected counts as one."""
    seconds: float = 0.0
    """Of all phases of all tests, shared fixtures included."""
    benchmarks: tuple[Benchmark, ...] = ()
    """Without their rounds."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run, without its tests."""

    start: RunStart
    end: RunEnd | None
    outcomes: Mapping[str, int]
    seconds: float
    """Of all phases of all tests."""
    source: str
    """The file in `segments/` that tells of it."""


Standing = tuple[bool, int, float]
"""How much a copy of a run tells: the greater tells more, and whatever has the end tells all."""
NO_COPY: Standing = (False, -1, 0.0)


def standing(ended: bool, outcomes: Mapping[str, int], seconds: float) -> Standing:
    """By the end, else by the number of tests, then by their seconds, which a pack rounds."""
    if ended:
        return (True, 0, 0.0)
    return (False, sum(outcomes.values()), round(seconds, 6))


def results_of(records: Iterable[Record]) -> RunResults:
    """Puts the records of one run together. The first one is its `RunStart`."""
    start, end = None, None
    attempts: defaultdict[str, list[Attempt]] = defaultdict(list)
    costs: defaultdict[Subject, list[tuple[int, int, int]]] = defaultdict(list)
    uncollected: dict[str, Uncollected] = {}
    benchmarks: list[Benchmark] = []
    for record in records:
        match record:
            case Attempt(told_nothing=True):  # of a run that was interrupted
                pass
            case Attempt():
                attempts[record.id].append(record)
            case ModuleCost():
                took = (micro(record.imported), micro(record.collected), 0)
                costs[Kind.MODULE, record.path].append(took)
            case Uncollected():
                uncollected[record.id] = record
            case FixtureCost():
                name = fixture_id(record.place, record.scope, record.name)
                took = (micro(record.setup), 0, micro(record.teardown))
                costs[Kind.FIXTURE, name].append(took)
            case Benchmark():
                benchmarks.append(record._replace(values=()))
            case RunStart():
                start = record
            case RunEnd():
                end = record
    assert start is not None
    results = dict(_results(start.root, attempts, costs))
    for name, what in uncollected.items():
        subject = Kind.MODULE, repository_id(start.root, name)
        outcome = Outcome.ERROR if what.outcome == "failed" else Outcome.SKIPPED
        cost = results.get(subject, Result(outcome, 0, 0, 0))
        failure = what.why if outcome is Outcome.ERROR else None
        results[subject] = replace(cost, outcome=outcome, failure=failure)
    counts = Counter(one.outcome for subject, one in results.items() if counted(subject, one))
    seconds = sum(phase.seconds for tried in attempts.values() for phase in _phases(tried))
    return RunResults(start, end, results, counts, seconds, tuple(benchmarks))


def counted(subject: Subject, result: Result) -> bool:
    """Whether pytest counts it: every test, and modules that were not collected."""
    return subject[0] is Kind.TEST or result.outcome in (Outcome.ERROR, Outcome.SKIPPED)


def _results(
    root: str,
    attempts: Mapping[str, Sequence[Attempt]],
    costs: Mapping[Subject, Sequence[tuple[int, int, int]]],
) -> Iterator[tuple[Subject, Result]]:
    for nodeid, tried in attempts.items():
        yield (Kind.TEST, repository_id(root, nodeid)), result_of(tried)
    for (kind, name), several in costs.items():
        # Each worker collects each module, and a fixture may live often: one of the middle counts.
        setup, call, teardown = (median_low(column) for column in zip(*several, strict=True))
        result = Result(Outcome.PASSED, setup, call, teardown, len(several))
        yield (kind, repository_id(root, name)), result


def _phases(tried: Iterable[Attempt]) -> Iterator[Phase]:
    for one in tried:
        yield from (p for p in (one.setup, one.call, one.teardown) if p is not None)


def result_of(attempts: Sequence[Attempt]) -> Result:
    """The last attempt decides, and the worst where the test was asked for more than once.

    Complexity: linear in their number.
    """
    outcome, deciding = _decided(attempts)
    failures = (one.failure for one in (deciding, *reversed(attempts)))
    return Result(
        outcome,
        net(deciding.setup),
        net(deciding.call),
        net(deciding.teardown),
        len(attempts) - len(last_of(attempts)) + 1,
        next(filter(None, failures), None),
    )


def outcome_of(attempts: Sequence[Attempt]) -> Outcome:
    """As pytest's letters have it; a failed subtest fails its test."""
    return _decided(attempts)[0]


def last_of(attempts: Sequence[Attempt]) -> Sequence[Attempt]:
    """Those after which none was to follow: several where one id was run by several workers, or
    twice by one. The last one, where none came to that."""
    if len(attempts) == 1:
        return attempts
    return [one for one in attempts if not one.was_rerun] or attempts[-1:]


def _decided(attempts: Sequence[Attempt]) -> tuple[Outcome, Attempt]:
    """What came of a test, and the attempt that says so."""
    last = last_of(attempts)
    deciding = max(reversed(last), key=lambda one: _WORST.index(_outcome(one)))
    outcome = _outcome(deciding)
    was_rerun = outcome is Outcome.PASSED and len(last) < len(attempts)
    return Outcome.RERUN if was_rerun else outcome, deciding


def _outcome(last: Attempt) -> Outcome:
    call = last.setup if last.call is None else last.call
    if last.setup.outcome == "failed" or (last.teardown and last.teardown.outcome in _FAILED):
        return Outcome.ERROR
    if call.outcome in _FAILED or any(s.outcome == "failed" for s in last.subtests):
        return Outcome.FAILED
    if last.xfail:
        return Outcome.XFAILED if call.outcome == "skipped" else Outcome.XPASSED
    if call.outcome == "skipped":
        return Outcome.SKIPPED
    return Outcome.PASSED


def micro(seconds: float) -> int:
    """Whole microseconds."""
    return round(seconds * _MICRO)


def net(phase: Phase | None) -> int:
    """Microseconds of a phase without what shared fixtures took; 0 for one that was not reached."""
    return 0 if phase is None else max(0, round((phase.seconds - phase.shared) * _MICRO))
