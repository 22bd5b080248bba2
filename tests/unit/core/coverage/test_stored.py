"""Sets that were numbered and written are the same when they are read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ciopt.core.coverage.interning import Interning
from pytest_ciopt.core.coverage.stored import Stored, united
from pytest_ciopt.core.history.covered import (
    CoveredFixture,
    CoveredRecord,
    CoveredRun,
    CoveredSession,
    CoveredSet,
    CoveredTest,
    Element,
)
from pytest_ciopt.core.history.decoding import decoded
from pytest_ciopt.core.history.encoding import encoded
from pytest_ciopt.core.history.fields import SegmentError

LINES: st.SearchStrategy[Element] = st.integers(1, 40)
PAIRS: st.SearchStrategy[Element] = st.tuples(st.integers(-40, 40), st.integers(-40, 40))
SETS = st.one_of(*(st.frozensets(kind, max_size=12) for kind in (LINES, PAIRS)))
COVERED = st.dictionaries(st.sampled_from(["a.py", "b.py", "c/d.py"]), SETS, max_size=3)
TESTS = st.lists(st.tuples(st.sampled_from([None, "gw0", "gw1"]), COVERED), max_size=8)


def written(*tests: tuple[str | None, dict[str, frozenset[Element]]]) -> list[CoveredRecord]:
    """As processes write them: each numbers by itself."""
    interning: dict[str | None, Interning] = {}
    records: list[CoveredRecord] = []
    for number, (worker, covered) in enumerate(tests):
        own = interning.setdefault(worker, Interning())
        sets = tuple(sorted(own.number(path, elements) for path, elements in covered.items()))
        records += own.fresh(worker)
        records.append(CoveredTest(f"t{number}", tuple(dict.fromkeys(sets)), (), worker))
    return records


@given(TESTS)
def test_each_test_has_what_it_covered(
    tests: list[tuple[str | None, dict[str, frozenset[Element]]]],
) -> None:
    lines = [encoded(record) for record in written(*tests)]
    records = [decoded(line) for line in lines]
    stored = Stored(record for record in records if isinstance(record, CoveredRecord))
    assert stored.ids == {f"t{number}" for number in range(len(tests))}
    for number, (_, covered) in enumerate(tests):
        assert stored.of([f"t{number}"]) == covered
    assert stored.of(stored.ids) == united(covered for _, covered in tests)


def test_fixtures_belong_to_all_who_use_them() -> None:
    own = Interning()
    numbers = [own.number("a.py", {n}) for n in range(4)]
    stored = Stored(
        [
            *own.fresh(None),
            CoveredFixture(0, (numbers[0],)),
            CoveredFixture(1, (numbers[1],), (0,)),
            CoveredTest("uses", (numbers[2],), (1,)),
            CoveredTest("not", (numbers[3],)),
            CoveredTest("lost", (), (7,)),
        ]
    )
    assert stored.of(["uses"]) == {"a.py": {0, 1, 2}}
    assert stored.of(["not"]) == {"a.py": {3}}
    assert stored.of(["lost", "unknown"]) == {}


def test_the_rest_of_a_run() -> None:
    own = Interning()
    first, second = own.number("a.py", {1}), own.number("b.py", {2})
    run = CoveredRun(False, True, (first, second))
    stored = Stored([*own.fresh(None), CoveredSession((second,)), run])
    assert stored.outside == {"b.py": {2}}
    assert stored.total == {"a.py": {1}, "b.py": {2}}
    assert stored.run == run


@pytest.mark.parametrize(
    "record",
    [
        CoveredTest("t", (5,)),
        CoveredFixture(0, (0,)),
        CoveredSession((0,), "gw0"),
        CoveredRun(True, True, (9,), worker="gw7"),
        CoveredSet("a.py", (1,), 0b10),
    ],
)
def test_what_nobody_wrote_cannot_be_meant(record: CoveredRecord) -> None:
    with pytest.raises(SegmentError, match="that is not there"):
        Stored([record])
