"""An edit of an annotation that nobody evaluates concerns those who read it, or hand on what has
it, and whoever calls it where types are checked."""

import pytest

from conftest import MakeProject, failing
from pytest_ciopt.adapters.tracing.tracer import can_trace

pytestmark = pytest.mark.skipif(not can_trace(), reason="what runs cannot be watched here")

SHOP = """
from __future__ import annotations
from functools import cache
from app.reading import Typed, typed

class Cart:
    limit = 3

    def __init__(self, size: int = 1) -> None:
        self.size = size

    def __call__(self, goods: int = 1) -> int:
        return goods

    def total(self, goods: int = 1) -> int:
        return 42

class Sale(Cart):
    pass

class Job(Typed):
    def run(self, goods: int = 1) -> int:
        return 42

def total(goods: int = 1) -> int:
    number: int = 42
    return number

@cache
def kept(goods: int = 1): pass

@typed
def priced(goods: int):
    return 42
"""
READER = """
from inspect import getmembers, signature
from typing import get_type_hints

def describe(one):
    return str(signature(one))

def members(one):
    return " ".join(describe(f) for name, f in getmembers(one, callable) if name[0] != "_")

def typed(function):
    function.types = get_type_hints(function)
    return function

class Typed:
    def __init_subclass__(cls):
        cls.types = get_type_hints(cls.run)
"""
FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "app/__init__.py": "",
    "app/shop.py": SHOP,
    "app/reading.py": READER,
    "app/carts.py": """
from __future__ import annotations
from app import shop
def cart() -> shop.Cart: return shop.Cart()
def paid(one: shop.Cart, of: "shop.Cart" = None) -> shop.Cart:
    again: shop.Cart = one
    return again
""",
    "app/types.py": "from app import reading, shop\nTYPES = reading.get_type_hints(shop.total)\n",
}


def edited(text: str) -> str:
    return text.replace(": int", ": str").replace("-> int", "-> str")


READING = {
    "the function itself": """
from app.shop import total
def test_it(): assert total.__annotations__["goods"] == "int"
""",
    "inspect": """
from inspect import signature
from app import shop
def test_it(): assert str(signature(shop.total)) == "(goods: 'int' = 1) -> 'int'"
""",
    "typing": """
import typing
from app import shop
def test_it(): assert typing.get_type_hints(shop.total)["return"] is int
""",
    "pydoc": """
import pydoc
from app import shop
def test_it(): assert "int" in pydoc.plaintext.document(shop.total)
""",
    "somebody who is given it": """
from app import reading, shop
def test_it(): assert "int" in reading.describe(shop.total)
""",
    "by another name": """
from app.shop import total as summed
from app.reading import describe
def test_it(): assert "int" in describe(summed)
""",
    "by a table": """
from app import reading, shop
TABLE = {"t": shop.total}
def test_it(): assert "int" in reading.describe(TABLE["t"])
""",
    "by a computed name": """
from app import reading, shop
def test_it():
    assert all("int" in reading.describe(f) for name, f in vars(shop).items() if name == "total")
""",
    "of a class": """
from inspect import signature
from app.shop import Cart
def test_it(): assert "int" in str(signature(Cart))
""",
    "of what inherits it": """
from inspect import signature
from app import shop
def test_it(): assert "int" in str(signature(shop.Sale))
""",
    "of an object": """
from inspect import signature
from app.shop import Cart
def test_it(): assert "int" in str(signature(Cart(1)))
""",
    "of a method": """
from app import carts, reading
def test_it(): assert "int" in reading.describe(carts.cart().total)
""",
    "of all methods": """
from app import carts, reading
def test_it(): assert "int" in reading.members(carts.cart())
""",
    "of all methods, by another name": """
from inspect import getmembers, signature as described
from app import carts
def test_it():
    found = getmembers(carts.cart(), callable)
    assert any("int" in str(described(f)) for name, f in found if name[0] != "_")
""",
    "of what is wrapped": """
from app import reading, shop
def test_it(): assert "int" in reading.describe(shop.kept.__wrapped__)
""",
    "of all methods of a class": """
from inspect import getmembers, isfunction, signature
from app import carts, shop
def test_it():
    assert any("int" in str(signature(f)) for name, f in getmembers(shop.Cart, isfunction))
""",
    "a decorator": "from app import shop\ndef test_it(): assert shop.priced.types['goods'] is int",
    "a base": "from app import shop\ndef test_it(): assert shop.Job.types['return'] is int",
    "a module while it is imported": """
from app import types
def test_it(): assert types.TYPES["return"] is int
""",
    "the test module while it is imported": """
from app import reading, shop
TYPES = reading.get_type_hints(shop.total)
def test_it(): assert TYPES["return"] is int
""",
    "a value in another annotation": """
from __future__ import annotations
from typing import Annotated, get_type_hints
from inspect import signature
from app import shop
def page(goods: Annotated[int, shop.total]): pass
def test_it():
    types = get_type_hints(page, include_extras=True)
    assert "int" in str(signature(types["goods"].__metadata__[0]))
""",
    "of a test": """
from __future__ import annotations
def helper(goods: int = 1): pass
def test_it(): assert helper.__annotations__["goods"] == "in" "t"
""",
}


@pytest.mark.parametrize("name", READING)
def test_whoever_reads_it_is_selected(project: MakeProject, name: str) -> None:
    made = project(FILES | {"tests/test_x.py": READING[name]})
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.write({"app/shop.py": edited(SHOP), "tests/test_x.py": edited(READING[name])})
    broken = failing(made)
    assert broken
    assert broken <= made.select(exit_code=1).selected.keys()


PLAIN = """
from __future__ import annotations

class Cart:
    limit = 3

    def __init__(self, size: int = 1) -> None:
        self.size = size

    def total(self, goods: int = 1) -> int:
        return 42

def summed(goods: int = 1) -> int:
    number: int = 42
    return number
"""
QUOTED = PLAIN.replace("from __future__ import annotations", "").replace("int", '"int"')
CALLED = {name: FILES[name] for name in ("pytest.ini", "app/__init__.py", "app/carts.py")}
CALLING = {
    "a function": "from app.shop import summed\ndef test_it(): assert summed() == 42",
    "a function of a module": "from app import shop\ndef test_it(): assert shop.summed() == 42",
    "a class": "from app.shop import Cart\ndef test_it(): assert Cart().limit == 3",
    "a method": """
from app.carts import cart
def test_it(): assert cart().total() == 42
""",
    "what has the class in its annotations": """
from app.carts import cart, paid
def test_it(): assert paid(cart()).limit == 3
""",
}


@pytest.mark.parametrize("name", CALLING)
@pytest.mark.parametrize("shop", [PLAIN, QUOTED])
def test_whoever_only_calls_it_is_not(project: MakeProject, name: str, shop: str) -> None:
    made = project(CALLED | {"app/shop.py": shop, "tests/test_x.py": CALLING[name]})
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.write({"app/shop.py": shop.replace("int", "str")})
    assert made.select().selected == {}


def test_what_is_evaluated_runs(project: MakeProject) -> None:
    shop = PLAIN.replace("from __future__ import annotations", "")
    tests = "from app.shop import summed\ndef test_it(): assert summed() == 42\n"
    made = project(CALLED | {"app/shop.py": shop, "tests/test_x.py": tests})
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.write({"app/shop.py": shop.replace("goods: int", "goods: missing.Type")})
    assert made.run("--ciopt-changed").ret == pytest.ExitCode.INTERRUPTED


HOOK = """
import ast, sys
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder, SourceFileLoader

class Checking(SourceFileLoader):
    def source_to_code(self, data, path, **options):
        tree = ast.parse(data)
        for node in ast.walk(tree):
            for arg in node.args.args if isinstance(node, ast.FunctionDef) else ():
                if arg.annotation is not None:
                    test = f"assert isinstance({arg.arg}, {ast.unparse(arg.annotation)})"
                    node.body[:0] = ast.parse(test).body
        return compile(ast.fix_missing_locations(tree), path, "exec")

class Finder(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        spec = PathFinder.find_spec(name, path, target) if name == "app.shop" else None
        if spec is not None:
            spec.loader = Checking(spec.name, spec.origin)
        return spec

sys.meta_path.insert(0, Finder())
"""


def test_where_a_hook_checks_types_whoever_calls_it_is_selected(project: MakeProject) -> None:
    tests = {
        "tests/test_x.py": "from app.shop import total\ndef test_it(): total()\n",
        "tests/test_y.py": "from app.shop import Cart\ndef test_it(): Cart().total()\n",
    }
    made = project(FILES | tests | {"conftest.py": HOOK})
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.write({"app/shop.py": SHOP.replace("goods: int", "goods: str")})
    broken = failing(made)
    assert broken == {"tests/test_x.py::test_it", "tests/test_y.py::test_it"}
    assert broken <= made.select(exit_code=1).selected.keys()


def test_installed_code_may_look_through_the_objects_it_is_given(project: MakeProject) -> None:
    tests = {
        "tests/test_x.py": "from app.carts import cart\ndef test_it(): cart().total()\n",
        "tests/test_y.py": "import hypothesis\nfrom app.shop import summed\ndef test(): summed()\n",
    }
    made = project(CALLED | {"app/shop.py": PLAIN} | tests)
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.write({"app/shop.py": edited(PLAIN)})
    assert made.select().selected.keys() == {"tests/test_x.py::test_it"}


BUS = """
import sys
from typing import get_type_hints

HANDLERS = {}

class Order: pass
class Refund: pass

def handler(function):
    HANDLERS[get_type_hints(function)["event"]] = function

def handlers(module):
    for name, value in list(vars(module).items()):
        if name.startswith("on_"):
            handler(value)

def handlers_in(name):
    handlers(sys.modules[name])

def sent(event):
    return HANDLERS[type(event)](event) if type(event) in HANDLERS else None

def called(function, event):
    return type(event) is get_type_hints(function)["event"] and function(event)
"""
SENT = """
from app import bus, desk
def test_order(): assert bus.sent(bus.Order()) == 42
def test_refund(): assert bus.sent(bus.Refund()) is None
"""
DESK = """
from __future__ import annotations
from app import bus
def on_order(event: bus.Order): return 42
"""
MADE = """
from app import bus, desk
def helped(): return desk.made()
def test_it(): assert bus.called(helped(), bus.Order()) == 42
"""
FOUND: dict[str, tuple[str, str]] = {
    "by a loop over the globals of its module": (
        f"{DESK}for name in [*globals()]:\n    if name[:3] == 'on_': bus.handler(globals()[name])",
        SENT,
    ),
    "by the name of its module": (f"{DESK}bus.handlers_in(__name__)", SENT),
    "by what is called first": (
        DESK,
        SENT.replace("def test_order():", "def test_order():\n    bus.handlers(desk)\n   "),
    ),
    "by its type alone": (
        """
from __future__ import annotations
from functools import singledispatch
from app import bus
@singledispatch
def sent(event): return None
@sent.register
def _(event: bus.Order): return 42
""",
        SENT.replace("bus.sent", "desk.sent"),
    ),
    "inside of another function": (
        """
from __future__ import annotations
from app import bus
def made():
    def on_order(event: bus.Order): return 42
    return on_order
""",
        MADE,
    ),
    "inside of a class in a function": (
        """
from __future__ import annotations
from app import bus
def made():
    class Desk:
        def on_order(self, event: bus.Order): return 42
    return Desk().on_order
""",
        MADE,
    ),
    "by a computed name in its module": (
        f"{DESK}def made(): return globals()['on' + '_order']",
        MADE,
    ),
}


@pytest.mark.parametrize("name", FOUND)
def test_whatever_is_found_by_its_annotations_is_selected(project: MakeProject, name: str) -> None:
    desk, test = FOUND[name]
    files = {name: FILES[name] for name in ("pytest.ini", "app/__init__.py")}
    made = project({**files, "app/bus.py": BUS, "app/desk.py": desk, "tests/test_x.py": test})
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.replace("app/desk.py", "event: bus.Order", "event: bus.Refund")
    broken = failing(made)
    assert broken
    assert broken <= made.select(exit_code=1).selected.keys()
