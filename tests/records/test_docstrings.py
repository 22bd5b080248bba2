"""An edit of a docstring concerns those who read it, or hand on what has it, and no one else."""

import pytest

from conftest import MakeProject, failing
from pytest_ciopt.adapters.tracing.tracer import can_trace

pytestmark = pytest.mark.skipif(not can_trace(), reason="what runs cannot be watched here")

SHOP = '''
from functools import cache
class Cart:
    """Holds goods."""
    limit = 3

    def total(self):
        """Holds goods."""
        return 42

def total():
    """Holds goods."""
    return 42

class Sale(Cart):
    pass

@cache
def kept():
    """Holds goods."""
'''
LISTED = """
def listed():
    return {name: one.__doc__ for name, one in globals().items() if name[0] != "_"}
"""
SHELL = """
from cmd import Cmd
class Shell(Cmd):
    def do_sell(self, line): "Holds goods."
"""
FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "app/__init__.py": "",
    "app/shop.py": SHOP,
    "app/describing.py": "def describe(one): return one.__doc__\n",
    "app/carts.py": "from app import shop\ndef cart(): return shop.Cart()\n",
}
OLD, NEW = '"Holds goods."', '"Sells goods."'

READING = {
    "it itself": "from app.shop import total\ndef test_it(): assert total.__doc__ == OLD",
    "of its module": "from app import shop\ndef test_it(): assert shop.total.__doc__ == OLD",
    "by inspect": """
from inspect import getdoc
from app import shop
def test_it(): assert getdoc(shop.total) == OLD
""",
    "somebody who is given it": """
from app import shop, describing
def test_it(): assert describing.describe(shop.total) == OLD
""",
    "installed code": """
import pydoc
from app import shop
def test_it(): assert OLD in pydoc.render_doc(shop.total)
""",
    "by another name": """
from app.shop import total as summed
from app import describing
def test_it(): assert describing.describe(summed) == OLD
""",
    "by a table": """
from app import describing, shop
TABLE = {"t": shop.total}
def test_it(): assert describing.describe(TABLE["t"]) == OLD
""",
    "by a computed name": """
from app import describing, shop
def test_it():
    for name in sorted(vars(shop)):
        if name.startswith("tot"):
            assert describing.describe(getattr(shop, name)) == OLD
""",
    "of what is wrapped": """
from app import describing, shop
def test_it(): assert describing.describe(shop.kept.__wrapped__) == OLD
""",
    "of a command": """
import io
from app.shell import Shell
def test_it():
    out = io.StringIO()
    Shell(stdout=out).onecmd("help sell")
    assert OLD in out.getvalue()
""",
    "by a table of all that is beside it": """
from app import shop
def test_it(): assert shop.listed()["total"] == OLD
""",
    "by a word in a string": """
from app import describing, shop
def test_it(): assert describing.describe(getattr(shop, "total")) == OLD
""",
    "of a class": "from app.shop import Cart\ndef test_it(): assert Cart.__doc__ == OLD",
    "of the class of an object": """
from app import describing, shop
def test_it(): assert describing.describe(shop.Cart()) == OLD
""",
    "of what inherits it": """
from inspect import getdoc
from app import shop
def test_it(): assert getdoc(shop.Sale) == OLD
""",
    "of a method": """
from app import describing, shop
def test_it(): assert describing.describe(shop.Cart().total) == OLD
""",
    "of a method by a computed name": """
from app import describing, shop
def test_it():
    cart = shop.Cart()
    assert describing.describe(getattr(cart, "".join(["to", "tal"]))) == OLD
""",
    "of a test": """
def test_it(): "Holds goods."
def test_other(): assert test_it.__doc__ == OLD
""",
}


@pytest.mark.parametrize("name", READING)
def test_whoever_reads_it_is_selected(project: MakeProject, name: str) -> None:
    test = READING[name].replace("OLD", "'Holds ' 'goods.'")
    files = {"app/shop.py": SHOP + LISTED if "listed" in test else SHOP, "tests/test_x.py": test}
    files |= {"app/shell.py": SHELL} if "Shell" in test else {}
    made = project(FILES | files)
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.write({path: text.replace(OLD, NEW) for path, text in files.items()})
    broken = failing(made)
    assert broken
    assert broken <= made.select(exit_code=1).selected.keys()


CALLING = {
    "a function": "from app.shop import total\ndef test_it(): assert total() == 42",
    "a function of a module": "from app import shop\ndef test_it(): assert shop.total() == 42",
    "a method": """
from app.carts import cart
def test_it(): assert cart().total() == 42
""",
}


@pytest.mark.parametrize("name", CALLING)
def test_whoever_only_calls_it_is_not(project: MakeProject, name: str) -> None:
    made = project(FILES | {"tests/test_x.py": CALLING[name]})
    assert made.run("--ciopt-record=deps").ret == 0
    of_class, of_functions = SHOP.split("def", 1)
    made.repository.write({"app/shop.py": f"{of_class}def{of_functions.replace(OLD, NEW)}"})
    assert made.select().selected == {}


def test_whoever_has_an_object_of_a_class_may_read_it(project: MakeProject) -> None:
    tests = """
from app.shop import Cart
def test_limit(): assert Cart().limit == 3
def test_nothing(): pass
"""
    made = project(FILES | {"tests/test_x.py": tests})
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.write({"app/shop.py": SHOP.replace(OLD, NEW, 1)})
    assert made.select().selected.keys() == {"tests/test_x.py::test_limit"}


def test_a_command_of_a_class_that_others_are_told_of(project: MakeProject) -> None:
    command = """
ALL = {}
class Command:
    def __init_subclass__(cls): ALL[cls.__name__] = cls
    def help(self, name): return getattr(self, "do_" + name).__doc__
"""
    pen = f"from app.command import Command\nclass Pen(Command):\n    def do_draw(self): {OLD}\n"
    tests = f"""
import app.pen
from app.command import ALL
def test_help(): assert ALL["Pen"]().help("draw") == {OLD}
def test_other(): pass
"""
    files = {"app/command.py": command, "app/pen.py": pen, "tests/test_x.py": tests}
    made = project(FILES | files)
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.write({"app/pen.py": pen.replace(OLD, NEW)})
    assert made.select(exit_code=1).selected.keys() == {"tests/test_x.py::test_help"}


def test_a_module_may_read_it_while_it_is_imported(project: MakeProject) -> None:
    tests = "from app import shop\nassert len(shop.total.__doc__) == 12\ndef test_it(): pass\n"
    made = project(FILES | {"tests/test_x.py": tests})
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.write({"app/shop.py": SHOP.replace(OLD, '"Sum."')})
    assert made.run("--ciopt-changed").ret == pytest.ExitCode.INTERRUPTED
