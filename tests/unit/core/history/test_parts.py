"""One switch turns each part of a record off."""

import json
import re
from pathlib import Path

import pytest

from pytest_ciopt.core.history.encoding import encoded
from pytest_ciopt.core.history.parts import PARTS, without
from pytest_ciopt.core.history.records import (
    Attempt,
    Benchmark,
    Environment,
    FixtureCost,
    Judged,
    ModuleCost,
    Phase,
    RunEnd,
    RunStart,
    Subtest,
)
from pytest_ciopt.core.history.results import Outcome, outcome_of
from pytest_ciopt.core.history.totals import Totals

PHASE = Phase("passed", 1.5, 0.5)
SUBTEST = Subtest("s", "passed", 0.1)
FULL = {
    "run": RunStart(
        run="0192f0a1b2c3-" + "0a" * 10,
        started=1.79e9,
        environment=Environment("3.12.1", "cpython", "linux"),
        repository="r",
        commit="c",
        tree="t",
        branch="b",
        dirty=True,
        root="sub",
        options=("-k",),
        shard="1/2",
        plan="p",
        workers=2,
        base="d",
        everything="e",
        variables={"V": "v"},
    ),
    "test": Attempt("a", PHASE, PHASE, PHASE, 2, "gw0", True, "r", "f", (SUBTEST,), "changed"),
    "module": ModuleCost("a", 0.1, 0.1, "gw0"),
    "fixture": FixtureCost("a", "class", "b", 0.1, 0.1, "gw0"),
    "benchmark": Benchmark(
        *("a", 5, 1, 0.1, 0.1, 0.1, 0.1, 0.1, "cpu"),
        *(0.1, 0.1, "0a", "wall", 0.9, (0.1, 0.2)),
    ),
    "end": RunEnd(1.0, 0, 1, 2, 3, Totals(4, 3, 2, 1), (Judged("coverage", "pass", "w"),)),
}
GONE = {
    "benchmarks": {"benchmark": None},
    "commit": {"run": {"repository", "commit", "tree", "branch", "base"}},
    "coverage": {"end": {"coverage"}},
    "environment": {"run": {"variables"}, "benchmark": {"machine", "fingerprint"}},
    "failures": {"test": {"failure"}},
    "fixtures": {"fixture": None},
    "modules": {"module": None},
    "options": {},
    "reasons": {"test": {"reason"}},
    "selection": {
        "run": {"base", "everything"},
        "test": {"selected"},
        "end": {"dropped", "unread"},
    },
    "shards": {"run": {"shard", "plan"}},
    "subtests": {"test": {"subtests"}},
    "verdicts": {"end": {"verdicts"}},
    "workers": {"test": {"worker"}, "module": {"worker"}, "fixture": {"worker"}},
}
EMPTIED = {
    "commit": {"dirty": False},
    "environment": {"environment": {"python": "", "implementation": "", "platform": ""}},
    "options": {"options": []},
    "workers": {"workers": 0},
}


@pytest.mark.parametrize("part", PARTS)
def test_a_part_and_nothing_else_is_left_out(part: str) -> None:
    for kind, record in FULL.items():
        whole = json.loads(encoded(record))
        gone = GONE[part].get(kind, set())
        kept = without(record, {part})
        if gone is None:
            assert kept is None
            continue
        assert kept is not None
        expected = {key: value for key, value in whole.items() if key not in gone}
        if kind == "run":
            expected |= EMPTIED.get(part, {})
        assert json.loads(encoded(kept)) == expected


def test_a_test_fails_with_subtests_that_are_left_out() -> None:
    broken = Attempt("a", PHASE, PHASE, PHASE, subtests=(SUBTEST, Subtest("t", "failed", 0.1)))
    kept = without(broken, {"subtests"})
    assert isinstance(kept, Attempt)
    assert (outcome_of([kept]), kept.subtests) == (Outcome.FAILED, ())


def test_all_parts_together() -> None:
    kept = [without(record, set(PARTS)) for record in FULL.values()]
    lines = [json.loads(encoded(record)) for record in kept if record is not None]
    emptied = {key for part in EMPTIED.values() for key in part}
    assert {line["kind"]: sorted(line) for line in lines} == {
        "run": sorted((*("kind", "schema", "run", "started", "root"), *emptied)),
        "test": sorted(("kind", "id", "setup", "call", "teardown", "attempt", "xfail")),
        "end": sorted(("kind", "finished", "exit", "attempts")),
    }


def test_the_page_tells_of_each_part() -> None:
    page = Path(__file__).parents[4] / "docs/reference/segments.md"
    told = re.findall(r"^\| `(\w+)` \| ", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert tuple(told) == PARTS
