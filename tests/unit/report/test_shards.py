"""Where a plan says that tests and files are."""

import pytest

from pytest_ciopt.core.plan.plan import Plan, Share
from pytest_ciopt.report.shards import explained

CASES = {1: ("a.py::C::x", "a.py::f[1]"), 2: ("a.py::f[2]", "a.py::f[3]")}
PLAN = Plan(
    2,
    {
        "a.py": Share(2, CASES, left=("a.py::f[4]", "a.py::g[1]")),
        "whole.py": Share(1),
        "left.py": Share(1, left=("left.py::x",)),
    },
    unread=frozenset({"unread.py"}),
)


@pytest.mark.parametrize(
    ("word", "told"),
    [
        (
            "a.py",
            "shard 1 runs 2 tests, shard 2 runs 2 tests; the selection left out 2 tests; "
            "home is shard 2",
        ),
        ("a.py::f[2]", "shard 2, as the plan says"),
        ("a.py::f", "shard 1 runs 1 test, shard 2 runs 2 tests; the selection left out 1 test"),
        ("a.py::C", "shard 1 runs 1 test"),
        ("a.py::g", "no shard runs it: the selection left it out"),
        ("a.py::fo", "not in the plan; what is new in its module runs in shard 2, its home"),
        ("whole.py", "shard 1 runs it; home is shard 1"),
        ("whole.py::x", "shard 1, which runs all of its module"),
        ("left.py", "no shard runs it; the selection left out 1 test; home is shard 1"),
        ("unread.py::x", "no shard runs it: the selection left its file out"),
        ("nowhere.py", "not in the plan, and no such file is in the repository"),
    ],
)
def test_where_it_is(word: str, told: str) -> None:
    assert next(explained(PLAN, word, is_file=False)) == f"{word}: {told}"
