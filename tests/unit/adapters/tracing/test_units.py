import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType

import pytest

from pytest_ciopt.adapters.tracing.places import Places
from pytest_ciopt.adapters.tracing.units import Registry, identity, node_name, unit_name
from pytest_ciopt.core.history.traces import Units

TEXT = """
def f():
    def inner(): return lambda: [x for x in ()]
    class Local:
        def method(self): pass
    return (y for y in ())
async def later(): pass
class A:
    def m(self): return (z for z in ())
    class B:
        def n(self): pass
        key = lambda self: 1
    key = lambda self: 1
    pairs = tuple(x for x in ())
key = lambda: 1
pairs = tuple(x for x in ())
"""


def codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def named(text: str) -> dict[str, str | None]:
    return {code.co_qualname: unit_name(code) for code in codes(compile(text, "a.py", "exec"))}


def test_names() -> None:
    found = named(TEXT)
    found.pop("f.<locals>.inner.<locals>.<lambda>.<locals>.<listcomp>", None)  # before 3.12
    assert found == {
        "<module>": "",
        "f": "f",
        "f.<locals>.inner": "f",
        "f.<locals>.inner.<locals>.<lambda>": "f",
        "f.<locals>.Local": "f",
        "f.<locals>.Local.method": "f",
        "f.<locals>.<genexpr>": "f",
        "later": "later",
        "A": None,
        "A.m": "A.m",
        "A.m.<locals>.<genexpr>": "A.m",
        "A.B": None,
        "A.B.n": "A.B.n",
        "A.B.<lambda>": "A.B",
        "A.<lambda>": "A",
        "A.<genexpr>": "A",
        "<lambda>": "",
        "<genexpr>": "",
    }


@pytest.mark.skipif(sys.version_info < (3, 12), reason="syntax of Python 3.12")
def test_names_of_generic_things() -> None:
    found = named("def g[T](x: T): pass\nclass C[T]:\n    def m[S](self): pass\n")
    assert found["g"] == "g"
    assert found["C.m"] == "C.m"
    # What Python makes for the parameters of types belongs to whatever is around it.
    assert set(found.values()) <= {"", "g", "C", "C.m", None}


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(Places(str(tmp_path)))


def compiled(tmp_path: Path, name: str, text: str = TEXT) -> dict[int, CodeType]:
    return {identity(c): c for c in codes(compile(text, str(tmp_path / name), "exec"))}


def test_units_have_numbers_in_the_order_of_their_names(registry: Registry, tmp_path: Path) -> None:
    found = compiled(tmp_path, "a.py")
    assert all(map(registry.admit, found.values()))
    assert registry.numbers(found) == set(range(7))
    (units,) = registry.fresh()
    assert units.path == "a.py"
    assert sorted(units.names) == ["", "A", "A.B", "A.B.n", "A.m", "f", "later"]
    assert registry.fresh() == []
    assert registry.numbers(found) == set(range(7))
    assert registry.numbers(compiled(tmp_path, "b.py", "def g(): pass")) == {7, 8}
    assert registry.fresh() == [Units("b.py", ("", "g"))]
    assert registry.sources() == {"a.py", "b.py"}


def test_equal_code_of_two_files_is_told_apart(registry: Registry, tmp_path: Path) -> None:
    one = compiled(tmp_path, "a.py", "def f(): pass")
    other = compiled(tmp_path, "b.py", "def f(): pass")
    assert registry.numbers(one) == {0, 1}
    assert registry.numbers(other) == {2, 3}


def test_what_is_not_ours(registry: Registry, tmp_path: Path) -> None:
    for name in ("<string>", "/elsewhere/a.py", str(tmp_path / ".git/a.py")):
        assert not registry.admit(compile("", name, "exec"))


def test_code_made_from_data_is_a_read(registry: Registry, tmp_path: Path) -> None:
    pages = [compile("1", str(tmp_path / name), "eval") for name in ("a.html", "b.html", "a.html")]
    numbers = [registry.numbers({identity(page): page}) for page in pages]
    assert [[registry.meaning(n) for n in found] for found in numbers] == [
        ["a.html"],
        ["b.html"],
        ["a.html"],
    ]
    assert registry.fresh() == []


def test_a_text_that_looks_like_a_path_is_none(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page.html").write_text("")
    assert not registry.admit(compile("1", "ADD(1, 1)", "eval"))
    assert registry.admit(compile("1", "page.html", "eval"))


def test_code_that_starts_a_process(registry: Registry) -> None:
    from multiprocessing.process import BaseProcess

    start, join = BaseProcess.start.__code__, BaseProcess.join.__code__
    assert registry.admit(start)
    assert not registry.admit(join)
    (number,) = registry.numbers({identity(start): start})
    assert number < 0
    assert registry.meaning(number) is None


def test_names_of_nodes() -> None:
    found = {c.co_qualname: node_name(c) for c in codes(compile(TEXT, "a.py", "exec"))}
    inside = {name for name in found if ".<locals>" in name}
    assert {"f.<locals>.inner", "f.<locals>.Local.method", "A.m.<locals>.<genexpr>"} <= inside
    for name, node in found.items():
        assert node == (name if name in inside else named(TEXT)[name])


CALLING = """
def f():
    def inner(): pass
    class Local: pass
def g(): pass
class A:
    def m(self): pass
"""


class Watched:
    """Code of `a.py`, by name."""

    def __init__(self, registry: Registry, tmp_path: Path) -> None:
        self._registry = registry
        self._codes = {c.co_qualname: c for c in compiled(tmp_path, "a.py", CALLING).values()}
        page = compile("1", str(tmp_path / "a.html"), "eval")
        self._codes["page"] = page
        assert all(map(registry.admit, self._codes.values()))

    def callers(
        self, *pairs: tuple[str, str], lines: Iterable[tuple[str, str, int]] = ()
    ) -> set[tuple[str, str]]:
        """Caller and called of all pairs that come out."""
        key = {name: identity(code) for name, code in self._codes.items()}
        found = self._registry.callers(
            [(key[caller], key[called]) for caller, called in pairs],
            [(key[body], key[called], line) for body, called, line in lines],
        )
        names = [name for units in self._registry.fresh() for name in units.names]
        return {
            (names[caller], names[called]) for called, those in found.items() for caller in those
        }


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("f", "g")], {("f", "g")}),
        ([("f", "g"), ("A.m", "g")], {("f", "g"), ("A.m", "g")}),
        ([("f.<locals>.inner", "g")], {("f.<locals>.inner", "g")}),
        ([("f", "f.<locals>.inner")], {("f", "f.<locals>.inner")}),
        ([("g", "g")], set()),
        ([("f", "page"), ("page", "g")], {("f", "g")}),
        ([("f", "A"), ("A", "page"), ("page", "g")], {("f", "g")}),
        ([("page", "A"), ("A", "page"), ("page", "g")], set()),
        ([("page", "g")], set()),
        ([("f", "page")], set()),
    ],
    ids=[
        *("one", "two", "inside", "of what is inside", "itself", "through a template"),
        *("through several", "in a circle", "by nobody", "no function"),
    ],
)
def test_callers(
    registry: Registry,
    tmp_path: Path,
    pairs: list[tuple[str, str]],
    expected: set[tuple[str, str]],
) -> None:
    assert Watched(registry, tmp_path).callers(*pairs) == expected


def test_lines_of_bodies_call(registry: Registry, tmp_path: Path) -> None:
    watched = Watched(registry, tmp_path)
    lines = [("<module>", "g", 3), ("A", "g", 7), ("<module>", "f.<locals>.inner", 3)]
    assert watched.callers(("f", "g"), lines=[*lines, ("A", "page", 9)]) == {
        ("f", "g"),
        (":3", "g"),
        (":7", "g"),
        (":3", "f.<locals>.inner"),
    }


def test_bodies_are_outside_of_functions(registry: Registry, tmp_path: Path) -> None:
    found = compiled(tmp_path, "a.py", CALLING)
    assert all(map(registry.admit, found.values()))
    assert {found[key].co_qualname for key in registry.bodies} == {"<module>", "A"}


def test_units_and_nodes_share_their_numbers(registry: Registry, tmp_path: Path) -> None:
    found = compiled(tmp_path, "a.py", CALLING)
    by_name = {code.co_qualname: key for key, code in found.items()}
    assert all(map(registry.admit, found.values()))
    (number,) = registry.numbers({by_name["g"]: found[by_name["g"]]})
    called = registry.callers([(by_name["f.<locals>.inner"], by_name["g"])], ())
    assert called == {number: {1}}
    assert registry.fresh() == [Units("a.py", ("g",)), Units("a.py", ("f.<locals>.inner",))]
