"""Sixteen runs at once, some of them under xdist, in one history that others read meanwhile."""

import subprocess
import sys
from collections import Counter
from contextlib import ExitStack

from conftest import MakeProject
from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.history.index import Index, ask
from pytest_ciopt.adapters.history.reader import records
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.records import Attempt, RunEnd
from pytest_ciopt.core.history.results import Kind, RunRow

RUNS, TESTS = 16, 40
SUITE = """
import time, pytest
@pytest.mark.parametrize("n", range(40))
def test(n): time.sleep(0.005)
"""


def test_nothing_is_lost(project: MakeProject) -> None:
    made = project({"pytest.ini": "[pytest]\n", "test_many.py": SUITE})
    plugins = ("-q", "-p", "no:cacheprovider", "-p", "pytest_ciopt.plugin")
    plain = [sys.executable, "-m", "pytest", *plugins, "--ciopt-record=results"]
    state = StateDir(made.repository.root / ".ciopt")
    seen: list[int] = []
    with ExitStack() as stack:
        children = [
            stack.enter_context(
                subprocess.Popen(
                    [*plain, "-p", "xdist", "-n2"] if number % 4 == 0 else plain,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for number in range(RUNS)
        ]
        while any(child.poll() is None for child in children):
            rows, told = ask(state, now(), Index.runs)  # an error of a locked database ends it
            assert told == []
            seen.append(len(rows))
        said = [child.communicate()[0] for child in children]
    assert [child.returncode for child in children] == [0] * RUNS, said
    assert not [line for text in said for line in text.splitlines() if line.startswith("ciopt:")]
    assert seen == sorted(seen)

    def question(index: Index) -> tuple[list[RunRow], int]:
        several = (index.results(Kind.TEST, test) for test in index.subjects(Kind.TEST))
        return index.runs(), sum(map(len, several))

    (rows, results), told = ask(state, now(), question)
    assert told == []
    assert sorted(row.start.workers for row in rows) == [0] * 12 + [2] * 4
    assert results == RUNS * TESTS
    for row in rows:
        found = list(records(state.path / "segments" / row.source))
        tests = Counter(one.id for one in found if isinstance(one, Attempt))
        assert tests == {f"test_many.py::test[{n}]": 1 for n in range(TESTS)}
        assert isinstance(found[-1], RunEnd)
