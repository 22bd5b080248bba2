"""Reads the lines of a segment, and trusts none of them.

Whatever is not of the documented form is a `SegmentError` that says what is wrong. Kinds and keys
that this version does not know are skipped, so that later versions can add some.
"""

import json
import math
from collections.abc import Callable, Mapping, Sequence

from pytest_ciopt.core.history.encoding import LONGEST, OBJECT_ID, RUN_ID, SCHEMA
from pytest_ciopt.core.history.records import (
    Attempt,
    Benchmark,
    Environment,
    FixtureCost,
    ModuleCost,
    Phase,
    Record,
    RunEnd,
    RunStart,
    Subtest,
    Uncollected,
)

MAX_LINE = 4_000_000
"""Bytes of the longest line that is read; far more than any test needs."""
_OUTCOMES = frozenset(("passed", "failed", "skipped", "rerun"))
_SCOPES = frozenset(("class", "module", "package", "session"))


class SegmentError(ValueError):
    """A line that no version of pytest-ciopt has written so."""


def decoded(line: bytes) -> Record | None:
    """The record of a line; None for a kind that this version does not know.

    Raises: SegmentError.
    """
    fields = _Fields(plain_object(line))
    read = _READERS.get(fields.text("kind"))
    return read(fields) if read is not None else None


def plain_object(line: bytes) -> dict[str, object]:
    """The JSON object of a line: no key twice, no NaN. Raises: SegmentError."""
    if len(line) > MAX_LINE:
        raise SegmentError(f"a line of {len(line):,} bytes")
    try:
        plain = json.loads(line, object_pairs_hook=_unique, parse_constant=_no_number)
    except SegmentError:
        raise
    except (ValueError, RecursionError) as error:
        raise SegmentError("a line that is no JSON") from error
    if not isinstance(plain, dict):
        raise SegmentError("a line that is no object")
    return plain


def _unique(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise SegmentError("a key that occurs twice")
    return found


def _no_number(text: str) -> float:
    raise SegmentError(f"{text} for a number")


class _Fields:
    """The values of an object, by name and type."""

    def __init__(self, plain: Mapping[str, object]) -> None:
        self._plain = plain

    def text(self, name: str) -> str:
        value = self._plain.get(name)
        if not isinstance(value, str):
            raise SegmentError(f"{name} is no text")
        return value

    def maybe(self, name: str) -> str | None:
        return None if self._plain.get(name) is None else self.text(name)

    def object_id(self, name: str) -> str | None:
        value = self.maybe(name)
        if value is not None and OBJECT_ID.fullmatch(value) is None:
            raise SegmentError(f"{name} is no id of git's")
        return value

    def one_of(self, name: str, known: frozenset[str]) -> str:
        return _known(self.text(name), known, name)

    def flag(self, name: str) -> bool:
        value = self._plain.get(name, False)
        if not isinstance(value, bool):
            raise SegmentError(f"{name} is neither true nor false")
        return value

    def count(self, name: str, default: int | None = None) -> int:
        value = self._plain.get(name, default)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 53:
            raise SegmentError(f"{name} is no count")
        return value

    def moment(self, name: str) -> float:
        value = self._plain.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e11:
            raise SegmentError(f"{name} is no moment")
        return float(value)

    def seconds(self, name: str) -> float:
        return _duration(self._plain.get(name), name)

    def items(self, name: str) -> list[object]:
        value = self._plain.get(name, [])
        if not isinstance(value, list):
            raise SegmentError(f"{name} is no list")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        values = tuple(self.items(name))
        if not all(isinstance(value, str) for value in values):
            raise SegmentError(f"{name} holds more than texts")
        return tuple(map(str, values))

    def phase(self, name: str) -> Phase | None:
        match self._plain.get(name):
            case None:
                return None
            case [str(outcome), took, *shared] if len(shared) <= 1:
                whole = _duration(took, name)
                of_it = min(whole, _duration(shared[0], name)) if shared else 0.0
                return Phase(_known(outcome, _OUTCOMES, name), whole, of_it)
        raise SegmentError(f"{name} is no phase of a test")

    def inner(self, name: str) -> "_Fields":
        value = self._plain.get(name)
        if not isinstance(value, dict):
            raise SegmentError(f"{name} is no object")
        return _Fields(value)


def _known(word: str, known: frozenset[str], name: str) -> str:
    if word not in known:
        raise SegmentError(f"{name} is none of {', '.join(sorted(known))}")
    return word


def _duration(value: object, name: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise SegmentError(f"{name} is no duration")
    if not 0 <= value < LONGEST or math.isnan(value):
        raise SegmentError(f"{name} is no duration")
    return float(value)


def _read_start(fields: _Fields) -> RunStart:
    schema = fields.count("schema")
    if schema > SCHEMA:
        raise SegmentError(f"schema {schema}: a later version of pytest-ciopt wrote it")
    if RUN_ID.fullmatch(fields.text("run")) is None:
        raise SegmentError("run is no run id")
    environment = fields.inner("environment")
    return RunStart(
        run=fields.text("run"),
        started=fields.moment("started"),
        environment=Environment(
            environment.text("python"),
            environment.text("implementation"),
            environment.text("platform"),
        ),
        repository=fields.object_id("repository"),
        commit=fields.object_id("commit"),
        tree=fields.object_id("tree"),
        branch=fields.maybe("branch"),
        dirty=fields.flag("dirty"),
        root=fields.text("root"),
        options=fields.texts("options"),
        shard=fields.maybe("shard"),
        workers=fields.count("workers"),
        base=fields.object_id("base"),
        everything=fields.maybe("everything"),
        source=fields.maybe("source"),
    )


def _read_attempt(fields: _Fields) -> Attempt:
    setup = fields.phase("setup")
    if setup is None:
        raise SegmentError("a test without set-up")
    return Attempt(
        id=fields.text("id"),
        setup=setup,
        call=fields.phase("call"),
        teardown=fields.phase("teardown"),
        attempt=fields.count("attempt", 1),
        worker=fields.maybe("worker"),
        xfail=fields.flag("xfail"),
        reason=fields.maybe("reason"),
        failure=fields.maybe("failure"),
        subtests=tuple(map(_read_subtest, fields.items("subtests"))),
        selected=fields.maybe("selected"),
    )


def _read_subtest(value: object) -> Subtest:
    match value:
        case [str(description), str(outcome), took]:
            known = _known(outcome, _OUTCOMES, "outcome of a subtest")
            return Subtest(description, known, _duration(took, "a subtest"))
    raise SegmentError("a subtest that is none")


def _read_module(fields: _Fields) -> ModuleCost:
    return ModuleCost(
        path=fields.text("path"),
        imported=fields.seconds("import"),
        collected=fields.seconds("collect"),
        worker=fields.maybe("worker"),
    )


def _read_uncollected(fields: _Fields) -> Uncollected:
    outcome = fields.one_of("outcome", _OUTCOMES)
    return Uncollected(fields.text("id"), outcome, fields.maybe("why"))


def _read_fixture(fields: _Fields) -> FixtureCost:
    return FixtureCost(
        name=fields.text("name"),
        scope=fields.one_of("scope", _SCOPES),
        place=fields.text("place"),
        setup=fields.seconds("setup"),
        teardown=fields.seconds("teardown"),
        worker=fields.maybe("worker"),
    )


def _read_end(fields: _Fields) -> RunEnd:
    return RunEnd(
        finished=fields.moment("finished"),
        exit_status=fields.count("exit"),
        attempts=fields.count("attempts"),
        dropped=fields.count("dropped", 0),
        unread=fields.count("unread", 0),
    )


def _read_benchmark(fields: _Fields) -> Benchmark:
    return Benchmark(
        id=fields.text("id"),
        rounds=fields.count("rounds"),
        iterations=fields.count("iterations"),
        minimum=fields.seconds("min"),
        median=fields.seconds("median"),
        mean=fields.seconds("mean"),
        deviation=fields.seconds("deviation"),
        maximum=fields.seconds("max"),
        machine=fields.maybe("machine"),
    )


_READERS: Mapping[str, Callable[[_Fields], Record]] = {
    "run": _read_start,
    "test": _read_attempt,
    "module": _read_module,
    "uncollected": _read_uncollected,
    "fixture": _read_fixture,
    "benchmark": _read_benchmark,
    "end": _read_end,
}
