"""Puts together what a whole run would have covered. Pure.

What ran now is known. Each test that did not run covers what it covered when it last ran: nothing
that it executes has changed, else it would have been selected. So its lines are carried to where
they are now. Bodies of modules are executed once, whoever imports them first: what importing covers
belongs to the module, and not to the test in which it happened.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pytest_ciopt.core.coverage.moves import Moves
from pytest_ciopt.core.coverage.stored import Elements, Stored, united
from pytest_ciopt.core.history.covered import Element

_NAMED = 3
"""Files or tests that a line names."""
_NONE: frozenset[Element] = frozenset()


class Tests(Protocol):
    """What is known of the tests that are there now."""

    ran: frozenset[str]
    """Node ids."""
    left_out: frozenset[str]
    """Those that were collected and not selected."""
    imported_all: bool
    """Whether all test modules were imported, and with them all that they import."""

    def is_there(self, test: str) -> bool:
        """Whether a test that did not run still exists."""

    def has_module(self, test: str) -> bool:
        """Whether the file of a test still exists."""


class Files(Protocol):
    """What is known of measured files."""

    def exists(self, path: str) -> bool:
        """Now."""

    def is_same(self, path: str, content: str) -> bool:
        """Whether it is what it was when its content had this id."""

    def moves(self, path: str, content: str) -> Moves | None:
        """Where the lines of that content are now; None where nobody can tell."""


Layer = Sequence[Stored]
"""A run whose tests are carried over: several segments where it was done in shards."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What came of it."""

    covered: Elements
    stored: int
    """Tests that were carried over."""
    ran: int
    gone: frozenset[str]
    """Tests that are no more."""
    doubts: tuple[str, ...] = ()
    """Why it may not be what a whole run would tell; empty where it is exact."""


@dataclass(slots=True)
class _Doubts:
    """Files, each for a reason."""

    lost: set[str] = field(default_factory=set)
    unread: set[str] = field(default_factory=set)
    new: set[str] = field(default_factory=set)
    orphans: set[str] = field(default_factory=set)
    children: set[str] = field(default_factory=set)

    def lines(self) -> Iterator[str]:
        """In words."""
        if self.lost:
            yield f"tests that did not run executed what is no more in {_named(self.lost)}"
        if self.unread:
            yield f"no line can be followed in {_named(self.unread)}"
        if self.new:
            yield f"nothing has imported what is new in {_named(self.new)}"
        if self.orphans:
            yield f"perhaps only tests that are gone imported {_named(self.orphans)}"
        if self.children:
            yield f"processes that tests started covered lines of {_named(self.children)}"


def rebuilt(now: Elements, tests: Tests, layers: Sequence[Layer], files: Files) -> Rebuilt:
    """`now` is what the run covered that has just ended; `layers` are earlier runs, the newest
    first, and the last one whole."""
    doubts = _Doubts()
    every = [now]
    claimed, gone = set(tests.ran), set[str]()
    imported = {path for path, elements in now.items() if elements}
    stored = 0
    for layer in layers:
        mine = {test for one in layer for test in one.ids} - claimed
        kept = {test for test in mine - gone if tests.is_there(test)}
        gone |= mine - kept
        gone.update(test for one in layer if one.run is not None for test in one.run.gone)
        claimed |= mine
        stored += len(kept)
        for segment in layer:
            carrying = _Carrying(segment, kept, mine - kept, tests, files, doubts)
            every += [*carrying.tests(), *carrying.imports(imported), carrying.children(now)]
        imported.update(path for one in layer for path, elements in one.total.items() if elements)
    why = list(doubts.lines())
    earlier = (one.run for layer in layers for one in layer if one.run is not None)
    why += (doubt for run in earlier for doubt in run.doubts)
    if unknown := tests.left_out - claimed:
        why.append(f"nothing is stored of {_named(unknown)}")
    return Rebuilt(united(every), stored, len(tests.ran), frozenset(gone), tuple(why))


class _Carrying:
    """Of one segment."""

    def __init__(
        self,
        segment: Stored,
        kept: Iterable[str],
        gone: Iterable[str],
        tests: Tests,
        files: Files,
        doubts: _Doubts,
    ) -> None:
        self._segment, self._tests, self._files, self._doubts = segment, tests, files, doubts
        self._total, self._outside = segment.total, segment.outside
        self._kept = segment.of(kept)
        self._of_gone = segment.of(gone)
        self._lost_module = not all(map(tests.has_module, gone))

    def tests(self) -> Iterator[Elements]:
        """What tests that did not run cover; of changed files without the bodies of modules."""
        yield {
            path: self._functions(path, elements)
            for path, elements in self._kept.items()
            if self._files.exists(path)
        }

    def _functions(
        self, path: str, elements: frozenset[Element], *, strict: bool = True
    ) -> frozenset[Element]:
        """What may be lost where it is not `strict`."""
        if self._is_same(path):
            return elements
        moves = self._moves(path)
        if moves is None:
            self._doubts.unread.add(path)
            return _NONE
        there = {moves.element(e) for e in elements if not moves.is_of_module(e)}
        if strict and None in there:
            self._doubts.lost.add(path)
        return frozenset(element for element in there if element is not None)

    def imports(self, imported: set[str]) -> Iterator[Elements]:
        """What importing covers: bodies of modules that nothing of what is newer has `imported`,
        and functions that bodies call, where not all is imported anew."""
        if not self._tests.imported_all:
            yield {
                path: self._functions(path, elements, strict=path not in imported)
                for path, elements in self._outside.items()
                if self._files.exists(path)
            }
        yield {
            path: self._body(path, elements)
            for path, elements in self._total.items()
            if elements and path not in imported and self._files.exists(path)
        }

    def _body(self, path: str, elements: frozenset[Element]) -> frozenset[Element]:
        if self._is_orphan(path):
            self._doubts.orphans.add(path)
        if self._is_same(path):
            known = self._kept.get(path, _NONE)
            if not self._tests.imported_all:
                known |= self._outside.get(path, _NONE)
            elements -= known
            if not elements:
                return _NONE  # as most often, so that nothing need be parsed
        moves = self._moves(path)
        if moves is None:
            return _NONE
        body = {moves.element(element) for element in elements if moves.is_of_module(element)}
        there = frozenset(element for element in body if element is not None)
        if not there or self._is_same(path):
            return there
        if moves.doubtful:
            self._doubts.new.add(path)
        pairs = self._segment.run is not None and self._segment.run.branches
        return there | {(line, line) if pairs else line for line in moves.fresh}

    def _is_orphan(self, path: str) -> bool:
        """Whether tests that are gone may have been the only ones to import a file."""
        if path in self._kept:
            return False
        return path in self._of_gone or (self._lost_module and path in self._outside)

    def children(self, now: Elements) -> Elements:
        """What no process of the run has covered itself: nobody knows for which test."""
        seen = united((self._outside, self._segment.of(self._segment.ids)))
        rest = {path: every - seen.get(path, _NONE) for path, every in self._total.items()}
        found = {
            path: self._functions(path, elements)
            for path, elements in rest.items()
            if elements and self._files.exists(path)
        }
        self._doubts.children.update(
            path for path, elements in found.items() if elements - now.get(path, _NONE)
        )
        return found

    def _is_same(self, path: str) -> bool:
        return self._files.is_same(path, self._segment.contents.get(path, ""))

    def _moves(self, path: str) -> Moves | None:
        return self._files.moves(path, self._segment.contents.get(path, ""))


def _named(several: Iterable[str]) -> str:
    known = sorted(several)
    more = len(known) - _NAMED
    named = ", ".join(known[:_NAMED])
    return f"{named} and {more:,} more" if more > 0 else named
