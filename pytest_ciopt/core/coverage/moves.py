"""Where the lines of a source file went in a later version of it. Pure.

Statements are what stays the same: one that is only formatted otherwise, or that moved together
with what is around it, keeps its lines. Text alone would not do: a test that no change affects is
not run again, whatever was done to the comments and the layout of what it executes.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

from pytest_ciopt.core.history.covered import Element

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_NAMED = (*_FUNCTIONS, ast.ClassDef)
_INLINE = (ast.Lambda, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)
_BODIES = ("body", "orelse", "finalbody")


@dataclass(frozen=True, slots=True)
class Lines:
    """Which lines of a text are whose."""

    module: frozenset[int] = frozenset()
    """Executed when the module is imported: all that is in no function."""
    straight: frozenset[int] = frozenset()
    """First lines of those statements among them that are executed whatever holds, and that
    execute nothing else."""
    conditional: frozenset[int] = frozenset()
    """First lines of the others."""
    codes: frozenset[int] = frozenset()
    """Those in which a function of one line, a lambda or the like begins: pairs that begin or end
    it belong to no module, be its line executed at import."""
    once: frozenset[int] = frozenset()
    """Those in functions whose work may serve later callers: cached ones, and such as set
    globals."""


@dataclass(slots=True)
class Moves:
    """From the lines of one text to those of another."""

    to: dict[int, int] = field(default_factory=dict)
    split: set[int] = field(default_factory=set)
    """Old lines with several statements that are in several lines now."""
    old: Lines = field(default_factory=Lines)
    new: Lines = field(default_factory=Lines)

    def element(self, element: Element) -> Element | None:
        """Where an element went; None where it is no more."""
        if isinstance(element, int):
            return None if element in self.split else self.to.get(element)
        first, second = element
        ends = self._end(first, second), self._end(second, first)
        return None if ends[0] is None or ends[1] is None else (ends[0], ends[1])

    def _end(self, line: int, other: int) -> int | None:
        """Of a pair. A module begins and ends in its line 1, wherever its first statement is."""
        if line == -1 and abs(other) == 1 and 1 in self.old.codes and self.to.get(1) != 1:
            return None  # of a function that moved, or of the module
        if line == -1 and abs(other) in self.old.module:
            return -1
        if abs(line) in self.split:
            return None
        there = self.to.get(abs(line))
        return there if there is None or line > 0 else -there

    def is_of_module(self, element: Element) -> bool:
        """Whether importing the old text executes an element."""
        if isinstance(element, int):
            return element in self.old.module
        first = -min(element)
        if first in self.old.codes and (first > 1 or max(element) == 1):
            return False
        return all(abs(line) in self.old.module or abs(line) <= 1 for line in element)

    @property
    def fresh(self) -> frozenset[int]:
        """Lines of the new text that importing it executes for certain and that the old one has
        not."""
        return self.new.straight - frozenset(self.to.values())

    @property
    def doubtful(self) -> bool:
        """Whether the new text has others of which that is not certain."""
        return not self.new.conditional <= frozenset(self.to.values())


def moves(old: bytes, new: bytes) -> Moves | None:
    """Between two versions of a file; None where one of them is no Python.

    Complexity: quadratic in the number of statements of a body at worst, as `difflib`.
    """
    try:
        before, after = ast.parse(old), ast.parse(new)
    except (SyntaxError, ValueError, RecursionError):
        return None
    found = Moves(old=_lines(before), new=_lines(after))
    if old == new:
        end = old.count(b"\n") + 2
        found.to = dict(zip(range(end), range(end), strict=True))
        return found
    try:
        _pair(before.body, after.body, found)
    except RecursionError:
        return None
    found.to.setdefault(0, 0)
    return found


def _pair(old: Sequence[ast.AST], new: Sequence[ast.AST], between: Moves) -> None:
    """Notes where the lines of two bodies went."""
    texts = [[ast.dump(node) for node in body] for body in (old, new)]
    matcher = SequenceMatcher(None, texts[0], texts[1], autojunk=False)
    rest_old, rest_new = list(old), list(new)
    for first, second, size in matcher.get_matching_blocks():
        for offset in range(size):
            _same(old[first + offset], new[second + offset], between)
            rest_old.remove(old[first + offset])
            rest_new.remove(new[second + offset])
    # What was moved past something else, and then what was altered inside.
    by_text = {ast.dump(node): node for node in rest_new}
    for node in list(rest_old):
        twin = by_text.pop(ast.dump(node), None)
        if twin is not None:
            _same(node, twin, between)
            rest_old.remove(node)
            rest_new.remove(twin)
    for node in rest_old:
        twin = next((one for one in rest_new if _alike(node, one)), None)
        if twin is not None:
            rest_new.remove(twin)
            _altered(node, twin, between)


def _same(old: ast.AST, new: ast.AST, between: Moves) -> None:
    """Of two statements that differ at most in their layout."""
    pairs = list(zip(ast.walk(old), ast.walk(new), strict=True))
    for before, after in pairs:
        if isinstance(before, ast.stmt | ast.excepthandler):
            _begin(before, after, between)
    for before, after in pairs:
        if isinstance(before, ast.expr | ast.pattern):
            between.to.setdefault(before.lineno, after.lineno)  # type: ignore[attr-defined]
    for before, after in pairs:
        last = getattr(before, "end_lineno", None)
        if last is not None:
            between.to.setdefault(last, after.end_lineno)  # type: ignore[attr-defined]


def _begin(old: Any, new: Any, between: Moves) -> None:
    if between.to.setdefault(old.lineno, new.lineno) != new.lineno:
        between.split.add(old.lineno)


def _alike(old: ast.AST, new: ast.AST) -> bool:
    """Whether one may be the other with an altered inside."""
    if type(old) is not type(new):
        return False
    if isinstance(old, _NAMED) and isinstance(new, _NAMED):
        return old.name == new.name
    return bool(getattr(old, "body", None)) and _head(old) == _head(new)


def _altered(old: ast.AST, new: ast.AST, between: Moves) -> None:
    if isinstance(old, _NAMED) or _head(old) == _head(new):
        _heads(old, new, between)
    for name in _BODIES:
        _pair(getattr(old, name, ()), getattr(new, name, ()), between)
    for name in ("handlers", "cases"):
        for one, other in zip(getattr(old, name, ()), getattr(new, name, ()), strict=False):
            if _head(one) == _head(other):
                _altered(one, other, between)


def _heads(old: ast.AST, new: ast.AST, between: Moves) -> None:
    """The line of a definition is executed as before, be its decorators or defaults others."""
    if isinstance(old, ast.match_case) and isinstance(new, ast.match_case):
        _same(old.pattern, new.pattern, between)
        return
    _begin(old, new, between)
    before, after = list(_head_nodes(old)), list(_head_nodes(new))
    if [ast.dump(node) for node in before] == [ast.dump(node) for node in after]:
        for one, other in zip(before, after, strict=True):
            _same(one, other, between)


def _head(node: ast.AST) -> list[str]:
    return [ast.dump(one) for one in _head_nodes(node)]


def _head_nodes(node: ast.AST) -> Iterator[ast.AST]:
    for name, value in ast.iter_fields(node):
        if name in (*_BODIES, "handlers", "cases"):
            continue
        yield from (one for one in (value if isinstance(value, list) else [value]) if _is(one))


def _is(value: object) -> bool:
    return isinstance(value, ast.AST)


def _lines(tree: ast.Module) -> Lines:
    inside: set[int] = set()
    every: set[int] = {0, 1}
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):
            start = node.pattern.lineno if isinstance(node, ast.match_case) else node.lineno
            end = start if isinstance(node, ast.match_case) else node.end_lineno or start
            every.update(range(start, end + 1))
            decorators = getattr(node, "decorator_list", ())
            every.update(range(decorators[0].lineno, start) if decorators else ())
        if isinstance(node, _FUNCTIONS):
            first, last = node.body[0], node.body[-1]
            begin = first.decorator_list[0].lineno if _decorated(first) else first.lineno  # type: ignore[attr-defined]
            inside.update(range(max(begin, node.lineno + 1), (last.end_lineno or begin) + 1))
    straight = frozenset(_straight(tree.body))
    firsts = {node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt)}
    return Lines(
        module=frozenset(every - inside),
        straight=straight,
        conditional=frozenset(firsts - inside - straight),
        codes=frozenset(_codes(tree)),
        once=frozenset(_once(tree)),
    )


def _codes(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        within = isinstance(node, _FUNCTIONS) and node.body[0].lineno == node.lineno
        if within or isinstance(node, _INLINE):
            yield node.lineno  # type: ignore[attr-defined]


def _once(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS):
            cached = any("cache" in ast.unparse(one).lower() for one in node.decorator_list)
            if cached or any(isinstance(one, ast.Global) for one in ast.walk(node)):
                yield from range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)


def imported(text: bytes) -> frozenset[str]:
    """Words of the modules and names that a text imports, wherever in it; of no Python nothing."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return frozenset()
    return frozenset(word for node in ast.walk(tree) for word in _words(node))


def _words(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from (word for one in node.names for word in one.name.split("."))
    if isinstance(node, ast.ImportFrom):
        yield from (node.module or "").split(".")


def _decorated(node: ast.AST) -> bool:
    return bool(getattr(node, "decorator_list", None))


def _straight(body: Sequence[ast.stmt]) -> Iterator[int]:
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            continue
        yield node.lineno
        if isinstance(node, _NAMED):
            yield from (decorator.lineno for decorator in node.decorator_list)
        if isinstance(node, ast.ClassDef):
            yield from _straight(node.body)
