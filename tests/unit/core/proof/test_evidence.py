"""What earlier runs show of who ran what."""

import pytest

from pytest_ciopt.core.proof.evidence import Evidence, unit_of
from pytest_ciopt.core.proof.knowledge import Knowledge
from pytest_ciopt.core.proof.seen import Known
from recorded import knowledge, unit, units

SEEN = Evidence(
    knowledge(
        tests=["a:f a:g", "a:g b:C.f", "c:h"],
        calls=["a:g > a:f", "a:deco.<locals>.inner > a:f", "a:g > a:g.<locals>.one"],
        imports=["b::3 > a:f", "b::3 > c:h > c:deep", "b::4 > c:other", "c::1 > c:last"],
        outside="d:hook",
    )
)


def test_a_unit_is_the_outermost_function() -> None:
    assert unit_of(unit("a:C.f.<locals>.g.<locals>.h")) == unit("a:C.f")
    assert unit_of(unit("a:C.f")) == unit("a:C.f")


def test_all_units_that_ran() -> None:
    assert SEEN.units == units("a:f a:g b:C.f c:h c:deep c:other c:last d:hook")


def test_tests_whose_record_does_not_count_tell_nothing() -> None:
    found = knowledge(["a:f"])
    found.tests["bad"] = Known("run", "run", None)
    assert Evidence(found).units == units("a:f")
    assert Evidence(Knowledge()).units == frozenset()


def test_callers_in_tests_and_at_import_are_told_apart() -> None:
    assert SEEN.callers(unit("a:f")) == [unit("a:deco.<locals>.inner"), unit("a:g")]
    assert SEEN.importers(unit("a:f")) == [unit("b::3")]
    assert SEEN.callers(unit("c:h")) == SEEN.importers(unit("a:g")) == []


def test_nodes_are_a_unit_and_what_was_called_inside_of_it() -> None:
    assert SEEN.nodes(unit("a:g")) == [unit("a:g"), unit("a:g.<locals>.one")]
    assert SEEN.nodes(unit("x:never")) == [unit("x:never")]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([3], "a:f c:h c:deep"),
        ([4], "c:other"),
        ([3, 4], "a:f c:h c:deep c:other"),
        ([1], ""),
    ],
)
def test_what_ran_below_lines_of_a_body(lines: list[int], expected: str) -> None:
    assert SEEN.below("b.py", lines) == units(expected)


def test_what_ran_in_a_circle() -> None:
    found = Evidence(knowledge(imports=["a::1 > a:f > a:g > a:f"]))
    assert found.below("a.py", [1]) == units("a:f a:g")


def test_what_ran_outside_of_tests() -> None:
    ran = {name for name in ("d:hook", "c:deep", "a:g") if SEEN.ran_outside(unit(name))}
    assert ran == {"d:hook", "c:deep"}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("a:f", "a:g", True), ("a:g", "b:C.f", True), ("a:f", "b:C.f", False), ("x:n", "a:f", False)],
)
def test_units_that_a_test_ran_together(one: str, other: str, expected: bool) -> None:
    assert SEEN.stretches.together(unit(one), unit(other)) is expected
    assert SEEN.stretches.together(unit(other), unit(one)) is expected


def test_a_name_is_alone_that_no_other_unit_has() -> None:
    alone = {name for name in ("a:f", "b:C.f", "a:g", "c:deep") if SEEN.is_alone(unit(name))}
    assert alone == {"a:g", "c:deep"}


@pytest.mark.parametrize(
    ("tests", "calls", "expected"),
    [
        (["a:f a:g", "a:g"], ["a:g > a:f"], "a:g"),
        (["a:f a:g", "a:h"], ["a:g > a:f"], ""),
        (["a:f a:g", "a:g"], [], ""),
        (["a:f a:g", "a:g"], ["a:g.<locals>.one > a:f"], "a:g"),
        (["a:f a:g", "a:g"], ["a:g > a:f.<locals>.one"], "a:g"),
        (["a:f a:g a:h", "a:h"], ["a:h > a:g > a:f"], ""),
    ],
    ids=["one", "none without", "no caller", "inside", "inner", "only the nearest"],
)
def test_callers_that_went_without_a_function(
    tests: list[str], calls: list[str], expected: str
) -> None:
    assert set(Evidence(knowledge(tests, calls)).spared(unit("a:f"))) == units(expected)


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (knowledge(["a:C.__init__ a:C.f"]), False),
        (knowledge(["a:C.__init__", "b:other"]), False),
        (knowledge(["a:C.__post_init__ a:C.f"]), False),
        (knowledge(["a:C.f"]), True),
        (knowledge(["a:C.__init__ a:C.f", "a:C.f"]), True),
        (knowledge(["a:C.__init__ a:C.f", "a:C.D.f"]), False),
        (knowledge(["a:C.__init__ a:C.f", "b:C.f"]), False),
        (knowledge(["a:C.__init__ a:C.f"], outside="a:C.__init__"), True),
        (knowledge(["a:C.__init__ a:C.f"], imports=["b::1 > a:C.__init__"]), True),
        (knowledge(["a:C.__init__ a:C.f"], shared="a:C.__init__"), True),
        (knowledge(["a:C.__init__ a:C.f"], shared="a:C.f"), False),
        (knowledge(), True),
    ],
    ids=[
        *("made", "made only", "dataclass", "no maker", "not made in one"),
        *("another class inside", "another file", "made outside", "made at import"),
        *("made by a fixture", "used by a fixture", "nothing known"),
    ],
)
def test_objects_that_outlive_tests(known: Knowledge, expected: bool) -> None:
    found = Evidence(known)
    assert [found.outlives_tests("a.py", "C") for _ in range(2)] == [expected] * 2
