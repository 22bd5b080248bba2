"""Planned is what ran, each once, or it is said what is not."""

from dataclasses import replace

import pytest

from pytest_ciopt.cli.verify import told
from pytest_ciopt.core.history.records import Environment, RunStart
from pytest_ciopt.core.plan.document import digest
from pytest_ciopt.core.plan.environments import labels
from pytest_ciopt.core.plan.plan import HISTORY, Plan, Share
from pytest_ciopt.core.plan.proof import Findings, Ran, proof, proofs

PLAN = Plan(
    2,
    {"a.py": Share(1, {1: ("a.py::x",), 2: ("a.py::y", "a.py::z")})},
    origin=HISTORY,
    complete=True,
    commit="c" * 40,
)


def ran(number: int, *names: str, ended: bool = True, run: int = 0, **about: object) -> Ran:
    start = RunStart(
        run=f"{run:012x}-{number:020x}",
        started=1.0,
        environment=Environment("3.12.1", "cpython", "linux"),
        commit="c" * 40,
        shard=f"{number}/2",
        plan=digest(PLAN),
    )
    tests = {f"a.py::{name}": 1 for name in names}
    return Ran(start._replace(**about), ended, tests)  # type: ignore[arg-type]


ONE, TWO = ran(1, "x"), ran(2, "y", "z")


def test_all_is_well() -> None:
    assert proof(PLAN, [ONE, TWO]) == Findings()
    assert proof(PLAN, [ONE, TWO]).proved


@pytest.mark.parametrize(
    ("runs", "found"),
    [
        ([], {"absent": [1, 2], "missing": ["a.py::x", "a.py::y", "a.py::z"]}),
        ([ONE], {"absent": [2], "missing": ["a.py::y", "a.py::z"]}),
        ([ONE, ran(2, "y")], {"missing": ["a.py::z"]}),
        ([ran(1, "x", "y"), TWO], {"doubled": {"a.py::y": [1, 2]}}),
        ([ran(1, "x", "new"), TWO], {"unplanned": ["a.py::new"]}),
        ([ONE, ran(2, "y", "z", ended=False)], {"cut": [2]}),
        ([ONE, replace(TWO, broken=frozenset(["b.py"]))], {"broken": ["b.py"]}),
    ],
)
def test_what_is_wrong_is_named(runs: list[Ran], found: dict[str, object]) -> None:
    findings = proof(PLAN, runs)
    assert findings == Findings(**found)  # type: ignore[arg-type]
    assert not findings.proved


def test_ids_that_differ_each_time() -> None:
    """A parameter that is a moment, or a value from a set."""
    findings = Findings(missing=["a.py::x[1]", "a.py::y"], unplanned=["a.py::x[2]", "a.py::z[1]"])
    assert findings.unsteady == ["a.py::x"]
    (*_, last) = told(PLAN, {"here": findings})
    assert last == "  has other ids each time, so give its parameters fixed ones: a.py::x"


def test_a_shard_that_was_run_again_where_the_clock_is_behind() -> None:
    """It passed, or came to its end, and the other did not."""
    killed = ran(2, "y", ended=False, run=9)
    stopped = ran(2, "y", run=8)  # upon its first failure
    again = ran(2, "y", "z", run=5)
    assert proof(PLAN, [ONE, killed, again]).proved
    assert proof(PLAN, [ONE, stopped, again]).missing == ["a.py::z"]
    assert proof(PLAN, [ONE, stopped, killed, replace(again, passed=True)]).proved
    filtered = replace(ran(2, "z", run=6), passed=True)
    assert proof(PLAN, [ONE, filtered, replace(again, passed=True)]).missing == ["a.py::y"]


def test_of_two_runs_of_a_shard_the_later_counts() -> None:
    assert proof(
        PLAN, [ran(2, "y", ended=False), ONE, replace(TWO, start=ran(2, run=1).start)]
    ).proved
    assert proof(PLAN, [ran(2, run=1), ONE, TWO]).missing == ["a.py::y", "a.py::z"]


@pytest.mark.parametrize(
    ("about", "why"),
    [
        ({"shard": None}, "it is of no shard"),
        ({"shard": "1/3"}, "it is shard 1/3, and the plan has 2"),
        ({"shard": "3/2"}, "it is shard 3/2, and the plan has 2"),
        ({"shard": "x"}, "it is shard x, and the plan has 2"),
        ({"plan": "other"}, "it is shard 1/2 of another plan"),
        ({"plan": None}, "it is shard 1/2 of another plan"),
        (
            {"commit": "d" * 40},
            "it is shard 1/2 of commit dddddddddddd, the plan is of cccccccccccc",
        ),
        ({"base": "d" * 40}, "it is shard 1/2, and left tests out by a selection of its own"),
    ],
)
def test_what_does_not_count(about: dict[str, str | None], why: str) -> None:
    other = ran(1, "x", run=5, **about)
    findings = proof(PLAN, [ONE, TWO, other])
    assert findings.foreign == [f"run {other.start.run}: {why}"]
    assert findings.proved  # by the others
    assert proof(PLAN, [other, TWO]).absent == [1]


def test_what_ran_before_the_plan_was_made_counts_for_nothing() -> None:
    plan = replace(PLAN, made=1000.0)
    earlier = replace(PLAN, made=800.0)
    old, new = (
        [ran(number, *names, plan=digest(of), started=moment) for number, names in BOTH]
        for of, moment in ((earlier, 900.0), (plan, 1001.0))
    )
    assert proof(plan, old).absent == [1, 2]
    assert not proof(plan, old).foreign
    assert proof(plan, [*old, *new]).proved


BOTH = ((1, "x"), (2, "yz"))


def test_a_test_that_ran_twice_in_a_shard() -> None:
    twice = replace(TWO, tests={"a.py::y": 2, "a.py::z": 1})
    assert proof(PLAN, [ONE, twice]).doubled == {"a.py::y": [2, 2]}


def elsewhere(one: Ran, **about: object) -> Ran:
    """The same shard in another environment."""
    environment = one.start.environment._replace(**about)  # type: ignore[arg-type]
    return replace(one, start=one.start._replace(environment=environment))


def in_each(runs: list[Ran], *, by_key: bool = False) -> dict[str, bool]:
    """Whether all is proved, by environment."""
    found = proofs(PLAN, runs, by_key=by_key)
    return {name: found[one].proved for one, name in labels(found).items()}


def test_each_environment_is_proved_by_itself() -> None:
    found = in_each([ONE, elsewhere(ONE, python="3.11.1"), TWO])
    assert found == {"cpython-3.11-linux": False, "cpython-3.12-linux": True}
    assert in_each([ONE, TWO, elsewhere(ran(1, shard="1/9"), python="3.11.1")]) == {
        "cpython-3.12-linux": True
    }


def test_jobs_of_a_matrix_with_one_python_are_proved_each() -> None:
    """A shard that the one lost would else be found in the other."""
    old = [elsewhere(one, distributions="4444444444") for one in (ONE, TWO)]
    new = [elsewhere(one, distributions="5555555555") for one in (ONE, TWO)]
    name = "cpython-3.12-linux, distributions "
    assert in_each([*old, *new]) == {f"{name}44444444": True, f"{name}55555555": True}
    assert in_each([*old, new[0]]) == {f"{name}44444444": True, f"{name}55555555": False}
    assert in_each([*old, ONE]) == {f"{name}44444444": True, f"{name}not recorded": False}
    assert in_each([old[0], new[1]]) == {f"{name}44444444": False, f"{name}55555555": False}
    assert in_each([old[0], new[1]], by_key=True) == {"cpython-3.12-linux": True}


def test_an_environment_all_of_whose_shards_ran_upon_another_commit_is_named() -> None:
    """With other distributions, beside one that is whole: its absence was no finding."""
    other = Environment("3.12.1", "cpython", "linux", "0b")
    moved = [
        replace(one, start=one.start._replace(environment=other, commit="d" * 40))
        for one in (ONE, TWO)
    ]
    found = proofs(PLAN, [ONE, TWO, *moved])
    assert sorted(one.proved for one in found.values()) == [False, True]


def test_watched_variables_tell_environments_apart() -> None:
    def with_variables(one: Ran, **variables: str) -> Ran:
        return replace(one, start=one.start._replace(variables={"": "g", **variables}))

    sqlite = [with_variables(one, DB="111111111111", HOME="5") for one in (ONE, TWO)]
    other = [with_variables(ONE, DB="222222222222", HOME="5"), with_variables(TWO, HOME="5")]
    assert in_each([*sqlite, *other]) == {
        "cpython-3.12-linux, DB 11111111": True,
        "cpython-3.12-linux, DB 22222222": False,
        "cpython-3.12-linux, DB not set": False,
    }
    assert in_each(sqlite) == {"cpython-3.12-linux": True}


def test_how_to_count_environments_as_one_is_told() -> None:
    (last,) = list(told(PLAN, {"a": proof(PLAN, [ONE]), "b": proof(PLAN, [ONE, TWO])}))[-1:]
    assert "--one-environment counts them as one" in last
    assert all("--one" not in line for line in told(PLAN, {"a": proof(PLAN, [ONE])}))


def test_ids_that_several_tests_have() -> None:
    plan = replace(PLAN, times={"a.py::y": 2})
    of_plan = {"plan": digest(plan)}
    one = ran(1, "x", **of_plan)
    two = ran(2, "y", "z", **of_plan)
    assert proof(plan, [one, two]).missing == ["a.py::y"]
    assert proof(plan, [one, replace(two, tests={"a.py::y": 2, "a.py::z": 1})]).proved
    thrice = replace(two, tests={"a.py::y": 3, "a.py::z": 1})
    assert proof(plan, [one, thrice]).doubled == {"a.py::y": [2, 2, 2]}


def test_files_that_ids_call_by_another_path() -> None:
    plan = replace(PLAN, aliases={"links/a.py": "a.py"})
    of_plan = {"plan": digest(plan)}
    one, two = ran(1, "x", **of_plan), ran(2, "y", **of_plan)
    linked = replace(two, tests={"a.py::y": 1, "links/a.py::z": 1})
    assert proof(plan, [one, linked]).proved
    both = replace(two, tests={"a.py::z": 1, "links/a.py::z": 1, "a.py::y": 1})
    assert proof(plan, [one, both]).doubled == {"a.py::z": [2, 2]}


def test_a_clock_that_is_behind() -> None:
    """Whoever ran the plan did not run before it was made."""
    plan = replace(PLAN, made=1000.0)
    of_plan = {"plan": digest(plan)}
    assert proof(plan, [ran(1, "x", **of_plan), ran(2, "y", "z", **of_plan)]).proved
    assert proof(plan, [ONE, TWO]).absent == [1, 2]
