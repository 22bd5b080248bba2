"""Puts together what a whole run would have covered. Pure.

What ran now is known. Each test that did not run covers what it covered when it last ran: nothing
that it executes has changed, else it would have been selected. So its lines are carried to where
they are now. Bodies of modules are executed once, whoever imports them first: what importing covers
belongs to the module, and not to the test in which it happened.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
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

    @property
    def ran(self) -> frozenset[str]:
        """Ids as they read at the top of the repository."""

    @property
    def left_out(self) -> frozenset[str]:
        """Those that were collected and not selected."""

    @property
    def proved(self) -> Mapping[str, str]:
        """Of those and of others the run whose record shows that the change cannot affect it: what
        a test covered then, it would cover now. Tests that no import leads to are not in it."""

    @property
    def imported_all(self) -> bool:
        """Whether all test modules were imported, and with them all that they import."""

    def is_there(self, test: str) -> bool:
        """Whether a test that did not run still exists."""


class Files(Protocol):
    """What is known of measured files."""

    def exists(self, path: str) -> bool:
        """Now."""

    def is_same(self, path: str, content: str) -> bool:
        """Whether it is what it was when its content had this id."""

    def moves(self, path: str, content: str) -> Moves | None:
        """Where the lines of that content are now; None where nobody can tell."""

    def no_longer_imported(self) -> frozenset[str]:
        """Words of modules and names that a file imported at the base and does not import now."""


@dataclass(frozen=True, slots=True)
class Others:
    """Runs that are no layers, and that prove tests."""

    proved: Mapping[str, str] = field(default_factory=dict)
    """Runs by test, those of layers among them."""
    stored: Mapping[str, Stored] = field(default_factory=dict)
    """By run; without those that did not keep what tests cover."""


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


_DOUBTS = {
    "lost": "tests that did not run executed what is no more in {}",
    "again": "tests that did not run executed the body of {} once more",
    "unread": "no line can be followed in {}",
    "new": "nothing has imported what is new in {}",
    "split": "statements that shared a line are apart in {}",
    "orphans": "perhaps only what is gone imported {}",
    "payers": "tests that ran, or are gone, computed for others in {}",
    "children": "processes that tests started covered lines of {}",
    "outside": "no file outside of the repository is followed, as {}",
    "unknown": "nothing is stored of {}",
}
_Doubts = dict[str, set[str]]
"""Files or tests by reason."""


def _told(doubts: _Doubts) -> Iterator[str]:
    return (text.format(_named(doubts[why])) for why, text in _DOUBTS.items() if doubts.get(why))


def rebuilt(
    now: Elements,
    tests: Tests,
    layers: Sequence[Layer],
    others: Others,
    files: Files,
) -> Rebuilt:
    """`now` is what the run covered that has just ended; `layers` are earlier runs, the newest
    first, and the last one whole."""
    doubts: _Doubts = defaultdict(set)
    every = [now]
    claimed, carried, gone = set(tests.ran), set(tests.ran), set[str]()
    imported = {path for path, elements in now.items() if elements}
    for run, segment in others.stored.items():
        kept = {test for test in segment.ids - claimed if others.proved.get(test) == run}
        every += _Carrying(segment, kept, (), tests, files, doubts).tests()
        claimed |= kept
        carried |= kept
    for layer in layers:
        mine = {test for one in layer for test in one.ids} - claimed
        ids = {one.id for one in layer}
        kept = {test for test in mine - gone if tests.is_there(test)}
        kept |= {test for test in mine if others.proved.get(test) in ids}
        gone |= mine - kept
        gone.update(test for one in layer if one.run is not None for test in one.run.gone)
        claimed |= mine
        carried |= kept
        for segment in layer:
            over = (mine - kept) | tests.ran
            carrying = _Carrying(segment, kept, over, tests, files, doubts)
            every += [*carrying.tests(), *carrying.imports(imported), carrying.children(now)]
            carrying.payers(united(every))
        imported.update(path for one in layer for path, elements in one.total.items() if elements)
    doubts["unknown"] |= tests.left_out - carried
    # A run that did not keep it has proved them: what they covered in an older one may be less.
    kept_by = {segment.id: segment.ids for layer in layers for segment in layer}
    kept_by |= {run: segment.ids for run, segment in others.stored.items()}
    doubts["unknown"] |= {t for t, run in others.proved.items() if t not in kept_by.get(run, ())}
    earlier = (one.run for layer in layers for one in layer if one.run is not None)
    why = [*_told(doubts), *(doubt for run in earlier for doubt in run.doubts)]
    counts = len(carried - tests.ran), len(tests.ran)
    return Rebuilt(united(every), *counts, frozenset(gone - carried), tuple(why))


class _Carrying:
    """Of one segment: of the tests that are `kept`, and not of those whose record is over."""

    def __init__(
        self,
        segment: Stored,
        kept: Iterable[str],
        over: Iterable[str],
        tests: Tests,
        files: Files,
        doubts: _Doubts,
    ) -> None:
        self._segment, self._tests, self._files, self._doubts = segment, tests, files, doubts
        self._total, self._outside = segment.total, segment.outside
        self._kept = segment.of(kept)
        self._over = segment.of(over)

    def tests(self) -> Iterator[Elements]:
        """What tests that did not run cover; of changed files without the bodies of modules."""
        yield {
            path: self._functions(path, elements)
            for path, elements in self._kept.items()
            if self._exists(path)
        }

    def _exists(self, path: str) -> bool:
        """Files beside the repository come and go, and nobody knows when they change."""
        if not path.startswith("/"):
            return self._files.exists(path)
        if self._files.exists(path):
            self._doubts["outside"].add(path)
        return False

    def _functions(
        self, path: str, elements: frozenset[Element], *, strict: bool = True
    ) -> frozenset[Element]:
        """What may be lost where it is not `strict`."""
        if self._is_same(path):
            return elements
        moves = self._moves(path)
        if moves is None:
            self._doubts["unread"].add(path)
            return _NONE
        own = {element for element in elements if not moves.is_of_module(element)}
        there = {moves.element(element) for element in own}
        if strict and None in there:
            self._doubts["lost"].add(path)
        return frozenset(element for element in there if element is not None)

    def imports(self, imported: set[str]) -> Iterator[Elements]:
        """What importing covers: bodies of modules that nothing of what is newer has `imported`,
        and functions that bodies call, where not all is imported anew."""
        if not self._tests.imported_all:
            yield {
                path: self._called(path, elements, imported)
                for path, elements in self._outside.items()
                if self._exists(path)
            }
        yield {
            path: self._body(path, elements)
            for path, elements in self._total.items()
            if elements and path not in imported and self._exists(path)
        }
        for path in self._kept.keys() & imported:
            self._once_more(path)

    def _called(
        self, path: str, elements: frozenset[Element], imported: set[str]
    ) -> frozenset[Element]:
        if path not in imported:
            return self._functions(path, elements)
        moves = self._moves(path) if self._is_same(path) else None
        if moves is not None:  # its body may have taken another way
            return frozenset(element for element in elements if not moves.is_of_module(element))
        return self._functions(path, elements, strict=False)

    def _once_more(self, path: str) -> None:
        """A test may execute a body again, e.g. as a script."""
        if path in self._outside and not self._is_same(path):
            moves = self._moves(path)
            body = self._kept[path] - self._outside[path]
            if moves is not None and any(map(moves.is_of_module, body)):
                self._doubts["again"].add(path)

    def _body(self, path: str, elements: frozenset[Element]) -> frozenset[Element]:
        if self._is_orphan(path):
            self._doubts["orphans"].add(path)
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
        if moves.split:
            self._doubts["split"].add(path)
        there = frozenset(element for element in body if element is not None)
        if not there or self._is_same(path):
            return there
        if moves.doubtful:
            self._doubts["new"].add(path)
        pairs = self._segment.run is not None and self._segment.run.branches
        return there | {(line, line) if pairs else line for line in moves.fresh}

    def _is_orphan(self, path: str) -> bool:
        """Whether what imported a file may do so no longer."""
        if self._kept.get(path):
            return False
        name = path.removesuffix("/__init__.py").removesuffix(".py").rpartition("/")[2]
        if path not in self._over and name not in self._files.no_longer_imported():
            return False
        moves = self._moves(path)  # of an empty file nothing counts
        return moves is None or bool(moves.new.straight | moves.new.conditional)

    def payers(self, covered: Elements) -> None:
        """Where tests that are over have filled a cache for others, these would fill it now."""
        for path in self._over.keys() & self._kept.keys():
            if not self._exists(path) or self._over[path] <= self._kept[path]:
                continue
            moves = self._moves(path)
            if moves is None:
                continue
            lost = {
                moves.element(element)
                for element in self._over[path] - self._kept[path]
                if not moves.old.once.isdisjoint(_lines(element))
            }
            if lost - {None} - covered.get(path, _NONE):
                self._doubts["payers"].add(path)

    def children(self, now: Elements) -> Elements:
        """What no process of the run has covered itself: nobody knows for which test."""
        seen = united((self._outside, self._segment.of(self._segment.ids)))
        rest = {path: every - seen.get(path, _NONE) for path, every in self._total.items()}
        found = {
            path: self._functions(path, elements)
            for path, elements in rest.items()
            if elements and self._exists(path)
        }
        self._doubts["children"].update(
            path for path, elements in found.items() if elements - now.get(path, _NONE)
        )
        return found

    def _is_same(self, path: str) -> bool:
        return self._files.is_same(path, self._segment.contents.get(path, ""))

    def _moves(self, path: str) -> Moves | None:
        return self._files.moves(path, self._segment.contents.get(path, ""))


def _lines(element: Element) -> tuple[int, ...]:
    return element if isinstance(element, tuple) else (element,)


def _named(several: Iterable[str]) -> str:
    known = sorted(several)
    more = len(known) - _NAMED
    named = ", ".join(known[:_NAMED])
    return f"{named} and {more:,} more" if more > 0 else named
