"""Reads what shards have recorded, to be compared with their plan."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from pytest_ciopt.adapters.history import reader
from pytest_ciopt.adapters.history.writer import CLOSED, OPEN
from pytest_ciopt.core.history.decoding import SegmentError
from pytest_ciopt.core.history.encoding import RUN_ID
from pytest_ciopt.core.history.records import Attempt, Record, RunEnd, RunStart, Uncollected
from pytest_ciopt.core.nodeids import repository_id
from pytest_ciopt.core.plan.proof import Ran
from pytest_ciopt.errors import CioptError, reason


def runs_in(paths: Iterable[Path]) -> Iterator[Ran]:
    """Of segments, and of all in folders. Raises: CioptError for a file that cannot be read."""
    for path in segments_in(paths):
        try:
            yield ran(reader.records(path))
        except (SegmentError, OSError) as error:
            raise CioptError(
                f"{path} cannot be read: {reason(error)}", "Without it nothing is proved."
            ) from None


def segments_in(paths: Iterable[Path]) -> Iterator[Path]:
    """Those that are named, and all that lie in folders, however deep; without packs, and without
    what was set aside."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for one in sorted(path.rglob("*")):
            is_run = RUN_ID.fullmatch(one.name.removesuffix(CLOSED).removesuffix(OPEN)) is not None
            if is_run and one.name.endswith((OPEN, CLOSED)) and one.parent.name != reader.DAMAGED:
                yield one


def ran(records: Iterable[Record]) -> Ran:
    """What the records of one run say; their first is its start."""
    start: RunStart | None = None
    ended = passed = False
    tests: dict[str, bool] = {}
    begun: Counter[str] = Counter()
    broken: set[str] = set()
    for record in records:
        match record:
            case RunStart():
                start = record
            case Attempt():  # the last attempt at a test decides whether it came to its end
                stopped = record.setup.outcome != "passed"  # skipped, or an error
                called = record.call is not None or stopped
                tests[record.id] = called and record.teardown is not None
                begun[record.id] += tests[record.id] and record.attempt == 1
            case Uncollected(outcome="failed"):
                broken.add(record.id)
            case RunEnd():
                ended, passed = True, record.exit_status == 0
    if start is None:
        raise SegmentError("it has no beginning")
    broken |= {test for test, whole in tests.items() if not whole}
    return Ran(
        start,
        ended,
        {
            repository_id(start.root, test): max(begun[test], 1)
            for test, whole in tests.items()
            if whole
        },
        frozenset(repository_id(start.root, one) for one in broken),
        passed,
    )
