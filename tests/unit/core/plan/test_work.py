import pytest

from pytest_ciopt.core.plan.work import Module, Part, Shard, lower_bound, whole

A = Module("test_a.py", 0.5, [("test_a.py::one", 1.0), ("test_a.py::two", 2.0)])
B = Module("test_b.py", 4.0, [("test_b.py::one", 0.25)])
EMPTY = Module("test_empty.py", 1.5)


def test_a_module_sorts_its_tests() -> None:
    turned = Module("test_a.py", 0.5, [("test_a.py::two", 2.0), ("test_a.py::one", 1.0)])
    assert turned.tests == (("test_a.py::one", 1.0), ("test_a.py::two", 2.0))
    assert turned == A
    assert hash(turned) == hash(A)


def test_a_module_pays_its_set_up_once() -> None:
    assert (A.seconds, A.weight) == (3.0, 3.5)
    assert (EMPTY.seconds, EMPTY.weight) == (0.0, 1.5)


def test_each_part_pays_the_set_up() -> None:
    first, second = (Part(A, [test]) for test in A.tests)
    assert (first.weight, second.weight) == (1.5, 2.5)
    assert whole(A) == Part(A, A.tests)
    assert whole(A).weight == A.weight


def test_a_shard_weighs_what_its_parts_do() -> None:
    shard = Shard()
    assert shard.weight == 0.0
    for part in (Part(A, A.tests[:1]), whole(B), whole(EMPTY)):
        shard.add(part)
    assert shard.weight == 1.5 + 4.25 + 1.5
    assert shard.parts == [Part(A, A.tests[:1]), whole(B), whole(EMPTY)]


@pytest.mark.parametrize(
    ("modules", "shards", "expected"),
    [
        pytest.param([A, B, EMPTY], 1, 9.25, id="everything"),
        pytest.param([A, A, A, A], 2, 7.0, id="an equal share"),
        pytest.param([A, B], 2, 4.25, id="the heaviest test with its set-up"),
        pytest.param([A, A], 7, 2.5, id="not the longest module"),
        pytest.param([A, EMPTY], 9, 2.5, id="a test besides a set-up alone"),
        pytest.param([EMPTY], 9, 1.5, id="the heaviest set-up"),
        pytest.param([EMPTY, EMPTY], 1, 3.0, id="set-ups alone"),
        pytest.param([Module("test_zero.py", 0.0, [("t", 0.0)])], 3, 0.0, id="no time"),
        pytest.param([], 3, 0.0, id="nothing"),
    ],
)
def test_lower_bound(modules: list[Module], shards: int, expected: float) -> None:
    assert lower_bound(modules, shards) == expected
    assert lower_bound(iter(modules), shards) == expected
