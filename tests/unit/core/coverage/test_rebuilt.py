"""What may not be exact is told; tests/plugin/test_reconstruction.py holds real runs."""

from dataclasses import dataclass, field

import pytest

from pytest_ciopt.core.coverage.interning import Interning
from pytest_ciopt.core.coverage.moves import Moves, moves
from pytest_ciopt.core.coverage.rebuilt import Rebuilt, rebuilt
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

    def is_there(self, test: str) -> bool:
        return test not in self.gone

    def has_module(self, test: str) -> bool:
        return test not in self.gone


@dataclass
class Files:
    now: dict[str, str] = field(default_factory=lambda: {PATH: OLD})

    def exists(self, path: str) -> bool:
        return path in self.now

    def is_same(self, path: str, content: str) -> bool:
        return self.now[path] == content

    def moves(self, path: str, content: str) -> Moves | None:
        return moves(content.encode(), self.now[path].encode())


def stored(
    tests: dict[str, set[int]],
    outside: set[int] = frozenset(),  # type: ignore[assignment]
    more: set[int] = frozenset(),  # type: ignore[assignment]
    gone: tuple[str, ...] = (),
    doubts: tuple[str, ...] = (),
) -> Stored:
    own = Interning()
    records: list[CoveredRecord] = []
    for test, lines in tests.items():
        records.append(CoveredTest(test, (own.number(PATH, lines),)))
    records.append(CoveredSession((own.number(PATH, outside),)))
    everything = outside.union(more, *tests.values())
    run = CoveredRun(False, True, (own.number(PATH, everything),), gone, doubts)
    return Stored([*own.fresh(None), *records, CoveredContents({PATH: OLD}), run])


def put(now: Elements, tests: Known, *layers: Stored, files: Files | None = None) -> Rebuilt:
    return rebuilt(now, tests, [(layer,) for layer in layers], files or Files())


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
            "perhaps only tests that are gone imported a.py",
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
