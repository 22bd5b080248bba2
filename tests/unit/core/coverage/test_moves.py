"""Lines are followed by statement: what the interpreter executes says whether rightly."""

import ast
import sys
from collections.abc import Callable
from textwrap import dedent
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_ciopt.core.coverage.moves import Moves, moves
from pytest_ciopt.core.history.covered import Element

BEFORE = """\
    import math
    from functools import cache

    LIMIT = (
        10
        + 2
    )


    @cache
    def area(radius, *, exact=True):
        "Of a circle."
        if radius < 0:
            raise ValueError(radius)
        elif radius > LIMIT:
            radius = LIMIT
        value = math.pi * radius ** 2
        return value if exact else round(value)


    class Shape:
        sides = [n for n in range(3)]

        def walk(self):
            total = 0
            for side in self.sides:
                try:
                    total += 1 / side
                except ZeroDivisionError:
                    continue
                else:
                    total += 1
                finally:
                    total += 0
            with open(__file__) as stream:
                pass
            match total:
                case 0:
                    return None
                case _:
                    return total


    def loop():
        n = 3
        while n:
            n -= 1
        else:
            n = 7
        return (lambda: n)()


    area(2)
    area(20)
    Shape().walk()
    loop()
    """
BEFORE = dedent(BEFORE)
Trace = set[tuple[int, int]]


def executed(text: str) -> Trace:
    """Pairs of lines as coverage.py has them: negative where code begins and ends."""
    found: Trace = set()
    file = "<moved>"

    def trace(frame: FrameType, event: str, argument: object) -> Callable[..., Any] | None:
        if frame.f_code.co_filename != file:
            return None
        last = -frame.f_code.co_firstlineno

        def local(frame: FrameType, event: str, argument: object) -> Callable[..., Any]:
            nonlocal last
            if event == "line":
                found.add((last, frame.f_lineno))
                last = frame.f_lineno
            elif event == "return":
                found.add((last, -frame.f_code.co_firstlineno))
            return local

        return local

    code = compile(text, file, "exec")
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        exec(code, {"__name__": "moved", "__file__": __file__})
    finally:
        sys.settrace(before)
    return found


def moved(between: Moves, elements: Trace) -> set[Element | None]:
    return {between.element(one) for one in elements}


def found(old: str, new: str) -> Moves:
    between = moves(old.encode(), new.encode())
    assert between is not None
    return between


def as_another_formatter_would() -> str:
    return ast.unparse(ast.parse(BEFORE))


def test_the_same_text() -> None:
    assert moved(found(BEFORE, BEFORE), executed(BEFORE)) == executed(BEFORE)


def test_another_layout() -> None:
    """Pairs within one statement may fall together, or apart: what counts is where lines are."""
    new = as_another_formatter_would()
    there = moved(found(BEFORE, new), executed(BEFORE))
    lines = {abs(line) for pair in there if isinstance(pair, tuple) for line in pair}
    assert None not in there
    assert {abs(line) for pair in executed(new) for line in pair} <= lines | {1}


@given(st.lists(st.integers(0, len(BEFORE.splitlines())), max_size=12))
def test_comments_and_empty_lines(places: list[int]) -> None:
    lines = BEFORE.splitlines()
    for number, place in enumerate(sorted(places, reverse=True)):
        lines.insert(place, "" if number % 2 else "# aside")
    new = "\n".join(lines) + "\n"
    assert moved(found(BEFORE, new), executed(BEFORE)) == executed(new)


@given(st.permutations(range(3)))
def test_definitions_in_another_order(order: list[int]) -> None:
    """Each function as before, wherever it is now."""
    body = ast.parse(BEFORE).body
    definitions = [ast.get_source_segment(BEFORE, node) for node in body[3:6]]
    texts = [f"@cache\n{definitions[0]}", *definitions[1:]]
    head, tail = BEFORE[: BEFORE.index("@cache")], BEFORE[BEFORE.index("area(2)") :]
    new = head + "\n\n\n".join(str(texts[n]) for n in order) + "\n\n\n" + tail
    between = found(BEFORE, new)
    inner = {one for one in executed(BEFORE) if not between.is_of_module(one)}
    back = found(new, BEFORE)
    assert moved(between, inner) == {one for one in executed(new) if not back.is_of_module(one)}


def test_a_function_is_altered() -> None:
    """Its other statements are followed, and so is all around."""
    new = BEFORE.replace("n -= 1", "n -= 1\n        n -= 0")
    new = new.replace("radius ** 2", "radius * radius")
    between = found(BEFORE, new)
    gone = BEFORE.splitlines().index("    value = math.pi * radius ** 2") + 1
    lost = {one for one in executed(BEFORE) if between.element(one) is None}
    assert lost
    assert all(gone in map(abs, one) for one in lost)


def test_bodies_of_modules() -> None:
    between = found(BEFORE, BEFORE)
    lines = BEFORE.splitlines()
    module = [number for number in between.old.module if number <= len(lines)]
    inside = {lines[number - 1].strip() for number in module if lines[number - 1].strip()}
    assert {"LIMIT = (", "+ 2", "@cache", "class Shape:", "def walk(self):", "loop()"} <= inside
    assert "total = 0" not in inside
    assert "return value if exact else round(value)" not in inside


def test_what_is_new_at_import() -> None:
    new = BEFORE.replace("LIMIT = (", "SIZE = 7\nLIMIT = (") + "\n\ndef more():\n    return 1\n"
    between = found(BEFORE, new)
    lines = new.splitlines()
    assert [lines[number - 1] for number in sorted(between.fresh)] == ["SIZE = 7", "def more():"]
    assert not between.doubtful


@pytest.mark.parametrize(
    "new", ["import os\n", "if LIMIT:\n    LIMIT = 3\n", "try:\n    x = 1\nfinally:\n    y = 2\n"]
)
def test_what_importing_may_execute(new: str) -> None:
    assert found(BEFORE, BEFORE + new).doubtful


@pytest.mark.parametrize("text", ["def f(:\n", "\0", "x = " + "(" * 500])
def test_no_python(text: str) -> None:
    assert moves(BEFORE.encode(), text.encode()) is None
    assert moves(text.encode(), BEFORE.encode()) is None


def test_statements_that_shared_a_line() -> None:
    old = "def f(x):\n    if x: return 1\n    a = 1; b = 2\n    return 3\n\n\nf(0)\n"
    new = ast.unparse(ast.parse(old)) + "\n"
    between = found(old, new)
    lost = {one for one in executed(old) if between.element(one) is None}
    assert {line for pair in lost for line in map(abs, pair)} >= {2, 3}
    assert found(new, old).split == set()


def test_functions_of_one_line() -> None:
    text = "def f(x): return x\n\n\nx = [lambda: 1,\n     lambda: 2]\nf(1), x[1]()\n"
    between = found(text, text)
    own = {one for one in executed(text) if not between.is_of_module(one)}
    assert own >= {(-5, 5), (5, -5)}
    assert between.is_of_module(1)
    assert not between.is_of_module((-1, 1))
    assert between.is_of_module((-1, 4))
    assert found(text, "\n" + text).element((-1, 1)) is None


def test_an_empty_file_gets_a_body() -> None:
    between = found("", "x = 1\n")
    assert between.is_of_module((-1, 0))
    assert between.fresh == {1}
