"""A plan answers for every test, named or not, and survives being written."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ciopt.core.plan.document import PlanError, decoded, digest, encoded
from pytest_ciopt.core.plan.plan import HISTORY, SIZES, Plan, Share, of_selection, planned
from pytest_ciopt.core.plan.work import Module

PLAN = Plan(
    shards=3,
    modules={
        "a.py": Share(2, {2: ("a.py::x",), 3: ("a.py::y", "a.py::z")}, 4.5, ("a.py::left",)),
        "b.py": Share(1),
    },
    seconds=(1.0, 2.0, 3.0),
    bound=2.0,
    origin=HISTORY,
    complete=True,
    commit="c" * 40,
    base="d" * 40,
    made=1.79e9,
    unread=frozenset(["c.py"]),
)


def test_every_test_has_one_shard() -> None:
    assert [PLAN.shard_of(f"a.py::{name}") for name in "xyz"] == [2, 3, 3]
    assert PLAN.shard_of("a.py::new") == 2
    assert PLAN.shard_of("b.py::any") == 1
    assert PLAN.shard_of("other.py::any") == PLAN.home("other.py")
    assert PLAN.names("a.py::x")
    assert not PLAN.names("a.py::new")


def test_who_reads_a_file_runs_its_tests() -> None:
    """Whatever path their ids tell."""
    assert PLAN.shard_of("a.py::x", "b.py") == 1
    assert PLAN.shard_of("a.py::x", "a.py") == 2
    assert PLAN.shard_of("a::b.py::x", "a::b.py") == PLAN.home("a::b.py")


def test_what_a_selection_left_out() -> None:
    assert PLAN.leaves("a.py::left", "a.py")
    assert PLAN.leaves("c.py::any", "c.py")
    assert not PLAN.leaves("a.py::new", "a.py")
    assert not any(PLAN.runs_any("c.py", number) for number in (1, 2, 3))
    plan = planned([Module("a.py", 1.0, [("a.py::x", 1.0)])], 2, origin=HISTORY)
    found = of_selection(plan, "d" * 40, [("a.py", "a.py::y"), ("b.py", "b.py::z")], ["c.py"])
    assert [found.leaves(f"{path}::{name}", path) for path, name in (("a.py", "y"), ("b.py", "z"))]
    assert not found.leaves("a.py::x", "a.py")
    assert found.modules["b.py"].home == plan.home("b.py")
    assert found.base == "d" * 40


def test_a_shard_looks_only_at_its_files() -> None:
    assert [PLAN.runs_any("a.py", number) for number in (1, 2, 3)] == [False, True, True]
    assert [PLAN.runs_any("b.py", number) for number in (1, 2, 3)] == [True, False, False]
    of_unknown = [PLAN.runs_any("other.py", number) for number in (1, 2, 3)]
    assert of_unknown.count(True) == 1


def test_unknown_files_are_spread() -> None:
    homes = [PLAN.home(f"file{number}.py") for number in range(300)]
    assert all(60 < homes.count(number) < 140 for number in (1, 2, 3))
    assert PLAN.home("file\udcff.py") in (1, 2, 3)


def test_the_imbalance() -> None:
    assert PLAN.imbalance == 1.5
    assert planned([], 2, origin=HISTORY).imbalance == 1.0


def test_no_seconds_are_expected_of_sizes() -> None:
    assert planned([Module("a.py", 100.0)], 2, origin=SIZES).seconds == ()
    assert planned([Module("a.py", 2.0)], 2, origin=HISTORY, start=1.0).seconds == (3.0, 1.0)


def test_the_home_has_the_heaviest_part() -> None:
    tests = [("a.py::x", 5.0), ("a.py::y", 3.0), ("a.py::z", 1.0)]
    plan = planned([Module("a.py", 0.0, tests)], 2, origin=HISTORY)
    assert plan.modules["a.py"].home == plan.shard_of("a.py::x")


def test_writing_and_reading() -> None:
    assert decoded(encoded(PLAN)) == PLAN
    assert encoded(PLAN) == encoded(decoded(encoded(PLAN)))
    assert digest(PLAN) == digest(decoded(encoded(PLAN)))


def test_edits_are_kept() -> None:
    edited = replace(PLAN, uncommitted={"a.py": "0a", "gone.py": ""})
    assert decoded(encoded(edited)) == edited
    assert digest(edited) != digest(PLAN)
    plain = json.loads(encoded(PLAN))
    del plain["uncommitted"]  # as an earlier version wrote it
    assert decoded(json.dumps(plain)).uncommitted is None
    assert digest(PLAN) != digest(planned([], 3, origin=HISTORY))


@given(
    st.dictionaries(st.text(max_size=5), st.lists(st.text(max_size=5), unique=True), max_size=4),
    st.integers(1, 5),
)
def test_any_names_survive(modules: dict[str, list[str]], shards: int) -> None:
    known = [
        Module(f"{path}.py", 1.0, [(f"{path}.py::{name}", 1.0) for name in names])
        for path, names in modules.items()
    ]
    plan = planned(known, shards, origin=HISTORY, complete=True)
    assert decoded(encoded(plan)) == plan


def changed(**keys: object) -> str:
    return json.dumps(json.loads(encoded(PLAN)) | keys)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "it is no JSON"),
        ("[" * 100_000, "it is no JSON"),
        ("[]", "it is no plan of shards"),
        (changed(kind="other"), "it is no plan of shards"),
        (changed(schema=2), "its schema is 2"),
        (changed(shards=0), "it has 0 shards"),
        (changed(shards="3"), "it is damaged"),
        (changed(shards=2, seconds=[]), "'a.py' has a shard that is none"),
        (changed(seconds=[1]), "its seconds are not as many"),
        (changed(made_from="guesses"), "it is made from 'guesses'"),
        (changed(modules=[]), "it is damaged"),
        (changed(commit="--output=x"), "'--output=x' is no id of a commit"),
        (changed(base="\x1b[31mc0"), r"'\\x1b\[31mc0' is no id of a commit"),
        (changed(modules={"a.py": {"home": 1}}), "it is damaged"),
        (
            changed(modules={"a.py": {"home": 4, "seconds": 0, "left": [], "tests": {}}}),
            "'a.py' has a shard that is none",
        ),
        (
            changed(modules={"a.py": {"home": True, "seconds": 0, "left": [], "tests": {}}}),
            "it is damaged",
        ),
        (
            changed(
                modules={
                    "a.py": {
                        "home": 1,
                        "seconds": 0,
                        "left": [],
                        "tests": {"1": ["::x"], "2": ["::x"]},
                    }
                }
            ),
            "'a.py::x' occurs twice",
        ),
    ],
)
def test_what_is_no_plan(text: str, why: str) -> None:
    with pytest.raises(PlanError, match=why.replace(".", r"\.")):
        decoded(text)


def test_the_spread_of_a_shard_is_that_of_its_tests() -> None:
    modules = [Module("a", 1.0, [("a::x", 1.0), ("a::y", 1.0)]), Module("b", 0.0, [("b::x", 9.0)])]
    spreads = {"a::x": 0.3, "a::y": 0.4, "b::x": 2.0}
    plan = planned(modules, 2, origin=HISTORY, spreads=spreads, groups={"a::x": "g", "a::y": "g"})
    assert sorted(zip(plan.seconds, plan.spread, strict=True)) == [(3.0, 0.5), (9.0, 2.0)]
    assert planned(modules, 2, origin=HISTORY).spread == ()
    assert decoded(encoded(plan)) == plan
