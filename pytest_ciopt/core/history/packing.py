"""Many runs as one compact text: each id once, its results in columns.

A pack keeps of its runs the first and the last line, and of each test, module and fixture the
outcome, the seconds and the first line of a failure: what the index keeps; of benchmarks everything
but their rounds. It leaves out workers,
subtests, the reasons of skips and of selections, and the attempts before the last one.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pytest_ciopt.core.history.decoding import MAX_LINE, SegmentError, decoded, plain_object
from pytest_ciopt.core.history.encoding import LONGEST, encoded
from pytest_ciopt.core.history.records import Benchmark, RunEnd, RunStart
from pytest_ciopt.core.history.results import (
    Kind,
    Outcome,
    Result,
    RunResults,
    Standing,
    Subject,
    standing,
)

SCHEMA = 1
_KINDS = frozenset(Kind)
_OUTCOMES = frozenset(Outcome)
_LETTERS = "".join(Outcome)
_LONGEST = int(LONGEST * 1e6)


@dataclass(frozen=True, slots=True)
class Series:
    """The results of one test, module or fixture in some runs of a pack."""

    subject: Subject
    runs: Sequence[int]
    """Positions of the runs in the pack, rising."""
    results: Sequence[Result]


def packed(runs: Sequence[RunResults]) -> Iterator[bytes]:
    """Lines of a pack: a head, the lines of each run, a line a series. Runs sorted by id."""
    yield _line({"kind": "pack", "schema": SCHEMA, "runs": len(runs)})
    columns: dict[Subject, tuple[list[int], list[Result]]] = {}
    for number, run in enumerate(runs):
        yield encoded(run.start)
        yield _line({"kind": "counts", **run.counts, "seconds": round(run.seconds, 6)})
        yield from map(encoded, run.benchmarks)
        if run.end is not None:
            yield encoded(run.end)
        for subject, result in run.results.items():
            places, results = columns.setdefault(subject, ([], []))
            places.append(number)
            results.append(result)
    for subject in sorted(columns):
        yield _series(Series(subject, *columns[subject]))


def _series(series: Series) -> bytes:
    (kind, name), results = series.subject, series.results
    failures = {str(n): one.failure for n, one in enumerate(results) if one.failure is not None}
    attempts = [one.attempts for one in results]
    plain = {
        "kind": kind,
        "id": name,
        "runs": list(series.runs),
        "outcomes": "".join(one.outcome for one in results),
        "setup": [one.setup for one in results],
        "call": [one.call for one in results],
        "teardown": [one.teardown for one in results],
        "attempts": attempts if any(number != 1 for number in attempts) else None,
        "failures": failures or None,
    }
    return _line({key: value for key, value in plain.items() if value is not None})


def _line(plain: Mapping[str, object]) -> bytes:
    return json.dumps(plain, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


@dataclass(frozen=True, slots=True)
class PackedRun:
    """A run as a pack has it, its results apart."""

    start: RunStart
    end: RunEnd | None
    counts: Mapping[str, int]
    seconds: float
    benchmarks: tuple[Benchmark, ...] = ()


def standing_of(run: PackedRun | RunResults) -> Standing:
    """How much a copy tells of its run."""
    return standing(run.end is not None, run.counts, run.seconds)


def unpacked(lines: Iterable[bytes]) -> tuple[Sequence[PackedRun], Iterator[Series]]:
    """The runs of a pack, and its series, which are read as they are asked for.

    Raises: SegmentError, also while the series are read.
    """
    rest = iter(lines)
    number = _head(next(rest, b""))
    runs: list[PackedRun] = []
    start: RunStart | None = None
    pending: bytes | None = None
    for line in rest:
        plain = _object(line)
        kind = plain.get("kind")
        if kind in ("run", "end", "benchmark"):
            record = decoded(line)
            if isinstance(record, RunStart):
                start = record
            elif isinstance(record, RunEnd) and runs:
                runs[-1] = replace(runs[-1], end=record)
            elif isinstance(record, Benchmark) and runs:
                runs[-1] = replace(runs[-1], benchmarks=(*runs[-1].benchmarks, record))
        elif kind == "counts" and start is not None:
            runs.append(_counted(start, plain))
            start = None
        else:
            pending = line
            break
    if len(runs) != number or start is not None:
        raise SegmentError("its runs are not as many as it says")
    if len({run.start.run for run in runs}) != number:
        raise SegmentError("a run occurs twice")
    return runs, _all_series(pending, rest, number)


def _all_series(first: bytes | None, rest: Iterator[bytes], number: int) -> Iterator[Series]:
    if first is not None:
        yield _read_series(first, number)
    for line in rest:
        yield _read_series(line, number)


def _object(line: bytes) -> Mapping[str, object]:
    if len(line) > MAX_LINE:
        raise SegmentError(f"a line of {len(line):,} bytes")
    if not line.endswith(b"\n"):
        raise SegmentError("its last line is cut off")
    return plain_object(line)


def _head(line: bytes) -> int:
    plain = _object(line)
    number, schema = plain.get("runs"), plain.get("schema")
    if plain.get("kind") != "pack" or not isinstance(number, int) or not isinstance(schema, int):
        raise SegmentError("its first line is no head of a pack")
    if schema > SCHEMA:
        raise SegmentError(f"schema {schema}: a later version of pytest-ciopt wrote it")
    return number


def _counted(start: RunStart, plain: Mapping[str, object]) -> PackedRun:
    counts = {letter: _number(plain.get(letter)) for letter in _LETTERS if letter in plain}
    seconds = plain.get("seconds")
    if not isinstance(seconds, int | float) or not 0 <= seconds < LONGEST:
        raise SegmentError("seconds is no duration")
    return PackedRun(start, None, counts, float(seconds))


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
        raise SegmentError("a count that is none")
    return value


def _read_series(line: bytes, number: int) -> Series:
    plain = _object(line)
    kind, name, outcomes = plain.get("kind"), plain.get("id"), plain.get("outcomes")
    if kind not in _KINDS or not isinstance(name, str) or not isinstance(outcomes, str):
        raise SegmentError("a series without kind, id or outcomes")
    if not _OUTCOMES.issuperset(outcomes):
        raise SegmentError("an outcome that is none")
    runs = _column(plain.get("runs"), len(outcomes), number)
    if any(one >= other for one, other in pairwise(runs)):
        raise SegmentError("runs that do not rise")
    columns = [
        _column(plain.get(key), len(runs), _LONGEST) for key in ("setup", "call", "teardown")
    ]
    attempts = [1] * len(runs)
    if "attempts" in plain:
        attempts = _column(plain["attempts"], len(runs), 1 << 31)
    failures = plain.get("failures", {})
    if not isinstance(failures, dict) or not all(isinstance(v, str) for v in failures.values()):
        raise SegmentError("failures are no texts")
    results = [
        Result(outcome, setup, call, teardown, tried, failures.get(str(place)))
        for place, (outcome, setup, call, teardown, tried) in enumerate(
            zip(outcomes, *columns, attempts, strict=True)
        )
    ]
    return Series((Kind(str(kind)), name), runs, results)


def _column(value: object, length: int, limit: int) -> list[int]:
    """A list of `length` whole numbers below `limit`; checked without a loop in Python."""
    if not isinstance(value, list) or len(value) != length or set(map(type, value)) - {int}:
        raise SegmentError("a column that is none")
    if value and not 0 <= min(value) <= max(value) < limit:
        raise SegmentError("a column with numbers out of range")
    return value
