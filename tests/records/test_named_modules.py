"""A framework that is installed loads modules by names in strings and in data, and looks up what it
likes in them; beside a test that imports such a module, others must not be lost."""

from pathlib import Path

import pytest

from conftest import MakeProject, Project, failing
from pytest_ciopt.adapters.tracing.tracer import can_trace

FRAMEWORK = """
import json, pkgutil
from importlib import import_module

def load(name, package=None):
    return import_module(name, package)

def scan(name):
    package = import_module(name)
    below = pkgutil.iter_modules(package.__path__, name + ".")
    return {key: value for one in below for key, value in vars(import_module(one.name)).items()}

def by_file(path):
    with open(path) as file:
        text = file.read()
    for word in text.replace('"', " ").replace("=", " ").split():
        module, _, attribute = word.rpartition(".")
        if module.startswith("shop."):
            yield getattr(import_module(module), attribute)

class Meta(type):
    tables = {}
    def __new__(cls, name, bases, space):
        made = super().__new__(cls, name, bases, space)
        Meta.tables[name] = space.get("__table__"), sorted(space.get("__annotations__", ()))
        return made

class Model(metaclass=Meta):
    pass
"""
PEN = """
SIZE = 1
PRICE = 2
class Pen:
    color = "blue"
    def cost(self): return PRICE
def includeme(config): config["pen"] = 3
"""
SHOP = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "conftest.py": "",
    "shop/__init__.py": "",
    "shop/goods/__init__.py": "",
    "shop/goods/pen.py": PEN,
    "tests/test_pen.py": "from shop.goods.pen import Pen\ndef test_pen(): assert Pen\n",
    "tests/test_none.py": "def test_none(): pass\n",
}
VALUES = "(found['SIZE'], found['PRICE'], found['Pen'].color) == (1, 2, 'blue')"
"""What a test of what was found asserts."""
WAYS = {
    "all of a package": {
        "shop/app.py": "import framework\ndef goods(): return framework.scan('shop.goods')\n",
        "tests/test_it.py": f"""
from shop.app import goods
def test_it():
    found = goods()
    assert {VALUES}
""",
    },
    "all of a package of which a setting tells": {
        "shop/conf.py": "GOODS_MODULES = ['shop.goods']\n",
        "tests/test_it.py": f"""
import framework
from shop import conf
def test_it():
    found = framework.scan(conf.GOODS_MODULES[0])
    assert {VALUES}
""",
    },
    "a module from where the string stands": {
        "shop/app.py": """
import framework
def goods(): return framework.load('.goods.pen', 'shop')
""",
        "tests/test_it.py": f"""
from shop.app import goods
def test_it():
    found = vars(goods())
    assert {VALUES}
""",
    },
    "what data names": {
        "shop/goods.json": '{"pen": "shop.goods.pen.Pen", "size": "shop.goods.pen.SIZE"}',
        "tests/test_it.py": """
import framework
from pathlib import Path
def test_it():
    Pen, size = framework.by_file(Path(__file__).parent.parent / "shop/goods.json")
    assert (size, Pen.color, Pen().cost()) == (1, "blue", 2)
""",
    },
    "what data at the top names": {
        "goods.cfg": "[goods]\npen = shop.goods.pen.Pen\nsize = shop.goods.pen.SIZE\n",
        "tests/test_it.py": """
import framework
def test_it():
    Pen, size = framework.by_file("goods.cfg")
    assert (size, Pen.color, Pen().cost()) == (1, "blue", 2)
""",
    },
}
EDITS = {
    "a constant": ("SIZE = 1", "SIZE = 2"),
    "an attribute of a class": ('"blue"', '"red"'),
    "a constant that is gone": ("SIZE = 1\n", ""),
    "what is bound beside it": ("def includeme", "SIZE = 3\ndef includeme"),
}


@pytest.fixture
def framework(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module outside of the repository."""
    site = tmp_path / "site-packages"
    site.mkdir()
    (site / "framework.py").write_text(FRAMEWORK)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site))  # of runs in processes of their own


@pytest.fixture(params=["with records", "without records"])
def made(
    request: pytest.FixtureRequest, project: MakeProject, way: str, framework: None
) -> Project:
    if request.param == "with records" and not can_trace():
        pytest.skip("what runs cannot be watched here")
    found = project({**SHOP, **WAYS[way]})
    if request.param == "with records":
        assert found.run("--ciopt-record=deps").ret == 0
    return found


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("way", WAYS)
def test_whoever_has_a_module_loaded_by_its_name_is_selected(made: Project, edit: str) -> None:
    made.repository.replace("shop/goods/pen.py", *EDITS[edit])
    broken = failing(made)
    assert "tests/test_it.py::test_it" in broken
    assert broken <= made.select(exit_code=1).selected.keys()


@pytest.mark.skipif(not can_trace(), reason="what runs cannot be watched here")
@pytest.mark.parametrize("way", ["all of a package", "what data names"])
def test_a_body_concerns_whoever_ran_it(project: MakeProject, way: str, framework: None) -> None:
    files = {**SHOP, **WAYS[way]}
    ran = "from shop.goods.pen import Pen\ndef test_cost(): assert Pen().cost()\n"
    made = project({**files, "tests/test_cost.py": ran})
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.replace("shop/goods/pen.py", "return PRICE", "return PRICE + 0")
    selected = made.select().selected.keys()
    assert "tests/test_cost.py::test_cost" in selected
    assert not {"tests/test_pen.py::test_pen", "tests/test_none.py::test_none"} & selected


TABLES = """
import framework
SIZE = "items"
class Table(framework.Model): pass
class Dated: pass
class Item(Dated, Table):
    __table__ = SIZE
    name: str
"""
TABLE_EDITS = {
    "a constant": ('"items"', '"goods"'),
    "an attribute": ("__table__ = SIZE", "__table__ = None"),
    "an annotation": ("    name: str\n", "    name: str\n    more: str\n"),
    "another name": ("    name:", "    title:"),
}


@pytest.mark.skipif(not can_trace(), reason="what runs cannot be watched here")
@pytest.mark.parametrize("edit", TABLE_EDITS)
def test_what_an_installed_base_keeps_of_a_class_concerns_whoever_can_see_it(
    project: MakeProject, framework: None, edit: str
) -> None:
    """As SQLAlchemy keeps its tables: who asks for those names no class of the project."""
    made = project(
        {
            **SHOP,
            "shop/tables.py": TABLES,
            "tests/test_tables.py": """
import framework
import shop.tables
def test_tables(): assert framework.Meta.tables["Item"] == ("items", ["name"])
""",
        }
    )
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.replace("shop/tables.py", *TABLE_EDITS[edit])
    broken = failing(made)
    assert broken == {"tests/test_tables.py::test_tables"}
    assert made.select(exit_code=1).selected.keys() == broken
