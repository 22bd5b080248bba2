"""What may not be exact is told; tests/records/test_reconstruction.py holds real runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from pytest_ciopt.core.coverage.interning import Interning
from pytest_ciopt.core.coverage.moves import Moves, moves
from pytest_ciopt.core.coverage.rebuilt import Others, Rebuilt, rebuilt
from pytest_ciopt.core.coverage.stored import Elements, Stored
from pytest_ciopt.core.history.covered import (
    CoveredContents,
    CoveredRecord,
    CoveredRun,
    CoveredSession,
    CoveredTest,
)

OLD = "x = 1\n\n\ndef f():\n    return x\n"
PATH = "a.py"


@dataclass
class Known:
    ran: frozenset[str] = frozenset()
    left_out: frozenset[str] = frozenset()
    imported_all: bool = False
    gone: frozenset[str] = frozenset()
    proved: Mapping[str, str] = field(default_factory=dict)

    def is_there(self, test: str) -> bool:
        return test not in self.gone


@dataclass
class Files:
    now: dict[str, str] = field(default_factory=lambda: {PATH: OLD})
    unimported: frozenset[str] = frozenset()

    def exists(self, path: str) -> bool:
        return path in self.now

    def is_same(self, path: str, content: str) -> bool:
        return self.now[path] == content

    def no_longer_imported(self) -> frozenset[str]:
        return self.unimported

    def moves(self, path: str, content: str) -> Moves | None:
        return moves(content.encode(), self.now[path].encode())


def stored(
    tests: dict[str, set[int]],
    outside: set[int] = frozenset(),  # type: ignore[assignment]
    more: set[int] = frozenset(),  # type: ignore[assignment]
    gone: tuple[str, ...] = (),
    doubts: tuple[str, ...] = (),
    id: str = "",
) -> Stored:
    own = Interning()
    records: list[CoveredRecord] = []
    for test, lines in tests.items():
        records.append(CoveredTest(test, (own.number(PATH, lines),)))
    records.append(CoveredSession((own.number(PATH, outside),)))
    everything = outside.union(more, *tests.values())
    run = CoveredRun(False, True, (own.number(PATH, everything),), "", "", gone, doubts)
    return Stored([*own.fresh(None), *records, CoveredContents({PATH: OLD}), run], id)


def put(
    now: Elements,
    tests: Known,
    *layers: Stored,
    files: Files | None = None,
    others: Others | None = None,
) -> Rebuilt:
    several = [(layer,) for layer in layers]
    return rebuilt(now, tests, several, others or Others(), files or Files())


def test_exact() -> None:
    layer = stored({"t": {5}, "u": {5}}, {1, 4})
    found = put({}, Known(ran=frozenset(["u"])), layer)
    assert found == Rebuilt({PATH: frozenset((1, 4, 5))}, 1, 1, frozenset(), ())


def test_the_newest_run_of_a_test_counts() -> None:
    old, new = stored({"t": {5}}, {1, 4}), stored({"t": set()}, {1, 4})
    assert put({}, Known(), new, old).covered == {PATH: {1, 4}}
    assert put({}, Known(), old, new).covered == {PATH: {1, 4, 5}}


def test_tests_that_were_gone_in_between_stay_gone() -> None:
    old, new = stored({"t": {5}}, {1, 4}), stored({}, {1, 4}, gone=("t",))
    found = put({}, Known(), new, old)
    assert found.covered == {PATH: {1, 4}}
    assert found.gone == {"t"}


def test_a_file_is_gone() -> None:
    assert put({}, Known(), stored({"t": {5}}, {1}), files=Files({})).covered == {}


@pytest.mark.parametrize(
    ("layer", "tests", "text", "doubt"),
    [
        (
            stored({"t": {5}}, {1, 4}),
            Known(),
            OLD.replace("return x", "return 2"),
            "tests that did not run executed what is no more in a.py",
        ),
        (stored({"t": {5}}, {1, 4}), Known(), "def (", "no line can be followed in a.py"),
        (
            stored({"t": {5}}, {1, 4}),
            Known(),
            OLD + "import os\n",
            "nothing has imported what is new in a.py",
        ),
        (
            stored({"t": {5}}, {1, 4}),
            Known(gone=frozenset(["t"])),
            OLD,
            "perhaps only what is gone imported a.py",
        ),
        (
            stored({"t": set()}, {1, 4}, more={5}),
            Known(),
            OLD,
            "processes that tests started covered lines of a.py",
        ),
        (stored({}), Known(left_out=frozenset(["v"])), OLD, "nothing is stored of v"),
        (stored({}, doubts=("why",)), Known(), OLD, "why"),
    ],
)
def test_doubts(layer: Stored, tests: Known, text: str, doubt: str) -> None:
    assert put({}, tests, layer, files=Files({PATH: text})).doubts == (doubt,)


def test_a_module_that_was_imported_anew_is_not_carried() -> None:
    """Its body may take another way now."""
    layer = stored({"t": {5}}, {1, 2, 4})
    text = OLD.replace("x = 1", "x = 3")
    found = put(
        {PATH: frozenset((1, 4))}, Known(imported_all=True), layer, files=Files({PATH: text})
    )
    assert found.covered == {PATH: {1, 4, 5}}
    assert found.doubts == ()


def test_a_run_that_proves_a_test_tells_what_it_covers() -> None:
    layer = stored({"t": {5}, "u": set()}, {1, 4})
    other = stored({"t": set(), "v": {5}})
    others = Others({"t": "r", "w": "s"}, {"r": other})
    found = put({}, Known(), layer, others=others)
    assert found.covered == {PATH: {1, 4}}
    assert found.stored == 2
    assert found.doubts == ("nothing is stored of w",)


def test_a_test_that_was_gone_and_is_back() -> None:
    """The run that proves it is one on which the selection stands."""
    old, new = stored({"t": {5}}, {1, 4}, id="old"), stored({}, {1, 4}, gone=("t",), id="new")
    found = put({}, Known(left_out=frozenset(["t"])), new, old, others=Others({"t": "old"}))
    assert found == Rebuilt({PATH: frozenset((1, 4, 5))}, 1, 0, frozenset(), ())
    found = put({}, Known(left_out=frozenset(["t"])), new, old)
    assert found.doubts == ("nothing is stored of t",)


def test_what_imported_a_module_may_do_so_no_longer() -> None:
    layer = stored({"t": set()}, {1, 4})
    found = put({}, Known(), layer, files=Files(unimported=frozenset(["a"])))
    assert found.doubts == ("perhaps only what is gone imported a.py",)


def test_who_paid_for_a_cache() -> None:
    text = (
        "from functools import cache\n\n\n@cache\ndef f():\n    return 1\n\n\ndef g():\n    f()\n"
    )
    layer = stored({"t": {6, 10}, "u": {10}}, {1, 4, 5, 9})
    files = Files({PATH: text})
    layer.contents[PATH] = text
    found = put({PATH: frozenset((1, 4, 5, 9))}, Known(frozenset(["t"])), layer, files=files)
    assert found.doubts == ("tests that ran, or are gone, computed for others in a.py",)
    now = {PATH: frozenset((1, 4, 5, 6, 9))}
    assert put(now, Known(frozenset(["t"])), layer, files=files).doubts == ()
