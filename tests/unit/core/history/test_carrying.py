from hashlib import sha256

import pytest

from pytest_ciopt.core.history.carrying import carried

LONG = "x" * 101
DIGEST = sha256(LONG.encode()).hexdigest()


def test_a_renamed_file() -> None:
    found = carried(
        ["new.py::T::a[1]", "b.py::b"], {"old.py::T::a[1]", "b.py::b"}, {"new.py": ["old.py"]}
    )
    assert found == {"new.py::T::a[1]": "old.py::T::a[1]"}


def test_a_file_that_was_renamed_twice() -> None:
    """The latest name under which a test is known counts."""
    known = {"newer.py::a", "old.py::a", "old.py::b", f"newer.py::c[{LONG}]", f"old.py::c[{LONG}]"}
    wanted = ["newest.py::a", "newest.py::b", "newest.py::c[text0]"]
    assert carried(wanted, known, {"newest.py": ["newer.py", "old.py"]}) == {
        "newest.py::a": "newer.py::a",
        "newest.py::b": "old.py::b",
        "newest.py::c[text0]": f"newer.py::c[{LONG}]",
    }


def test_nothing_is_carried_over_to_a_test_that_has_a_history() -> None:
    known = {"new.py::a", "old.py::a"}
    assert carried(["new.py::a"], known, {"new.py": ["old.py"]}) == {}


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("text0", LONG),
        (LONG, "text0"),
        (DIGEST, LONG),
        ("1-text0", f"1-{LONG}"),
        ("text0-b", f"{LONG}-b"),
        ("1-text12-b", f"1-{LONG}-b"),
        (f"a-{DIGEST}-b", f"a-{LONG}-b"),
        ("text0", f"{LONG}-{LONG}"),  # a dash in the parameter itself
    ],
)
def test_a_parameter_that_pytest_shortens(new: str, old: str) -> None:
    assert carried([f"t.py::a[{new}]"], {f"t.py::a[{old}]"}, {}) == {
        f"t.py::a[{new}]": f"t.py::a[{old}]"
    }
    renamed = carried([f"n.py::a[{new}]"], {f"t.py::a[{old}]"}, {"n.py": ["t.py"]})
    assert renamed == {f"n.py::a[{new}]": f"t.py::a[{old}]"}


@pytest.mark.parametrize(
    ("new", "old"),
    [
        ("text0", "x" * 100),  # pytest spells that out
        ("other", LONG),
        (sha256(b"other").hexdigest(), LONG),
        ("2-text0", f"1-{LONG}"),
        ("text0-c", f"{LONG}-b"),
        ("text0", "text1"),
    ],
)
def test_what_is_not_certain_is_not_carried_over(new: str, old: str) -> None:
    assert carried([f"t.py::a[{new}]"], {f"t.py::a[{old}]"}, {}) == {}
    assert carried([f"t.py::b[{new}]"], {f"t.py::a[{old}]"}, {}) == {}


def test_two_candidates_are_not_certain() -> None:
    known = {f"t.py::a[{LONG}]", f"t.py::a[{LONG}y]"}
    assert carried(["t.py::a[text0]", "t.py::a[text1]"], known, {}) == {}
    assert carried(["t.py::a[text0]"], known, {}) == {}
    told = carried([f"t.py::a[{DIGEST}]", "t.py::a[x]"], known, {})
    assert told == {f"t.py::a[{DIGEST}]": f"t.py::a[{LONG}]"}


def test_a_test_that_still_runs_is_no_former_one() -> None:
    wanted = ["t.py::a[text0]", f"t.py::a[{LONG}]"]
    assert carried(wanted, {f"t.py::a[{LONG}]"}, {}) == {}
