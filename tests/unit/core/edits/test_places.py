"""Which definition stands at a line of a module."""

import ast

import pytest

from pytest_ciopt.core.edits.places import Places

TEXT = """\
import a
X = 1
Y, (Z, *V) = (
    1, g())
@one
@two(
    3)
def f(x=g()):
    return x

@deco
class C(Base):
    size = g()
    left = right = 1
    register(size)

    @prop
    async def m(self):
        pass

    class D:
        key: int = g()
        if key:
            other = 1
    print(1)
N: int
a.b = 1
C[1] = W = 2
X += 1
if X:
    T = g()
for i in g():
    pass
"""
PLACES = Places(ast.parse(TEXT))


@pytest.mark.parametrize(
    ("lines", "names"),
    [
        ([1], []),  # an import
        ([2], ["X"]),
        ([3, 4], ["Y", "Z", "V"]),
        ([5, 6, 7, 8, 9], ["f"]),
        ([11, 12], ["C"]),
        ([13], ["C.size"]),
        ([14], ["C.left", "C.right"]),
        ([15], ["C"]),  # an effect belongs to the class
        ([17, 18, 19], ["C.m"]),
        ([21], ["C.D"]),
        ([22], ["C.D.key"]),
        ([23, 24], ["C.D"]),
        ([25], ["C"]),
        ([26], ["N"]),
        ([27, 28], []),  # they set more than names
        ([29, 30, 31, 32, 33], []),
    ],
)
def test_what_the_innermost_statement_at_a_line_binds(lines: list[int], names: list[str]) -> None:
    assert [PLACES.at(line) for line in lines] == [tuple(names)] * len(lines)


@pytest.mark.parametrize("line", [0, 34, 99])
def test_where_no_statement_is(line: int) -> None:
    assert PLACES.at(line) is None
    assert line not in PLACES.lines


def test_an_empty_line_in_a_class_belongs_to_it() -> None:
    assert PLACES.at(16) == PLACES.at(20) == ("C",)
    assert PLACES.at(10) is None


@pytest.mark.parametrize(
    ("text", "names"), [("X = g(); Y = g()", ("X", "Y")), ("print(g()); X = 1", ())]
)
def test_several_statements_at_a_line(text: str, names: tuple[str, ...]) -> None:
    assert Places(ast.parse(text)).at(1) == names
