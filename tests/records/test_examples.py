"""Examples in texts are left out where records prove them, whole files at a time."""

from collections.abc import Mapping, Sequence

import pytest

from conftest import MakeProject, failing
from pytest_ciopt.adapters.tracing.tracer import can_trace
from repository import Decisions

pytestmark = pytest.mark.skipif(not can_trace(), reason="what runs cannot be watched here")

SHOP = """
import functools
import pathlib

TAX = 19

def net(price):
    \"\"\"
    >>> net(1)
    1
    \"\"\"
    return price

def gross(price):
    return price + TAX

def rate():
    return 3

@functools.cache
def rates():
    return [rate()]

def listed():
    return pathlib.Path("data/prices.txt").read_text()
"""
FILES = {
    "pytest.ini": "[pytest]\npythonpath = .\naddopts = --doctest-modules --doctest-glob=*.rst\n",
    "shop.py": SHOP,
    "offer.py": '''
def offer():
    """
    >>> import shop
    >>> shop.TAX
    19
    """
    return 1

def other():
    """
    >>> other()
    2
    """
    return 2
''',
    "data/__init__.py": "",
    "data/prices.txt": "19",
    "net.rst": ">>> import shop\n>>> shop.net(2)\n2\n",
    "gross.rst": ">>> import shop\n>>> shop.gross(1)\n20\n",
    "listed.rst": ">>> import shop\n>>> shop.listed()\n'19'\n",
    "rates.rst": ">>> import shop\n>>> shop.rates()\n[3]\n",
    "names.rst": ">>> import shop\n>>> 'TAX' in dir(shop)\nTrue\n",
    "plain.rst": ">>> 1 + 1\n2\n",
    "test_a.py": """
import offer, shop
def test_rates(): assert shop.rates() == [3]
def test_offer(): assert offer.other() == 2
def test_gross(): assert shop.gross(1) == 1 + shop.TAX
""",
}
TEXTS = {
    f"{name}.rst::{name}.rst" for name in ("net", "gross", "listed", "rates", "plain", "names")
}
OF_OFFER = {"offer.py::offer.offer", "offer.py::offer.other"}
OF_SHOP = {"shop.py::shop.net"}
LOOKS_UP = "names.rst::names.rst"


@pytest.mark.parametrize(
    ("file", "old", "new", "selected"),
    [
        ("shop.py", "return price + TAX", "return TAX + price", {"gross.rst::gross.rst"} | OF_SHOP),
        ("shop.py", "    return price\n", "    return +price\n", {"net.rst::net.rst"} | OF_SHOP),
        (
            "shop.py",
            "TAX = 19",
            "TAX = 20",
            {"gross.rst::gross.rst", LOOKS_UP} | OF_OFFER | OF_SHOP,
        ),
        ("shop.py", "TAX = 19", "TAX = 19\nNEW = 1", {LOOKS_UP} | OF_SHOP),
        ("shop.py", "TAX = 19", "TAX = 19\nprint()", TEXTS | OF_OFFER | OF_SHOP),
        ("shop.py", "return 3", "return 4", {"rates.rst::rates.rst", LOOKS_UP} | OF_SHOP),
        ("shop.py", ">>> net(1)", ">>> net( 1)", {"net.rst::net.rst", LOOKS_UP} | OF_SHOP),
        ("offer.py", "return 2", "return 1 + 1", OF_OFFER),
        ("offer.py", ">>> shop.TAX", ">>> shop. TAX", {LOOKS_UP} | OF_OFFER),
        ("shop.py", "TAX = 19", "TAX = 19  # percent", set()),
        ("net.rst", "(2)", "( 2)", {"net.rst::net.rst"}),
        ("data/prices.txt", "19", "20", {"listed.rst::listed.rst"}),
    ],
)
@pytest.mark.parametrize("workers", [(), ("-n1",)], ids=["alone", "xdist"])
def test_only_where_all_is_known(
    project: MakeProject,
    workers: Sequence[str],
    file: str,
    old: str,
    new: str,
    selected: set[str],
) -> None:
    made = project(FILES)
    assert made.run("--ciopt-record=deps", *workers).ret == 0
    made.repository.replace(file, old, new)
    made.run("--ciopt-changed", f"--ciopt-json={made.decisions_file}", *workers)
    decided = Decisions.read(made.decisions_file)
    examples = {test for test in decided.selected if not test.startswith("test_a.py")}
    assert examples == selected


def test_records_of_a_part_leave_no_example_out(project: MakeProject) -> None:
    """Examples of a document may need those before them."""
    made = project(SYBIL)
    assert made.run("--ciopt-record=deps", "-k", "line:5").ret == 1  # it needs the first one
    assert made.run("--ciopt-record=deps", "-k", "line:1 or line:2 or gross").ret == 0
    made.repository.replace("shop.py", "return price + TAX", "return TAX + price")
    assert set(made.select().selected) > EXAMPLES


SYBIL: Mapping[str, str] = {
    "pytest.ini": "[pytest]\npythonpath = .\naddopts = -p no:doctest\n",
    "shop.py": SHOP,
    "conftest.py": """
from sybil import Sybil
from sybil.parsers.rest import DocTestParser
pytest_collect_file = Sybil(parsers=[DocTestParser()], patterns=["*.rst"]).pytest()
""",
    "doc.rst": """\
>>> import shop
>>> price = shop.net(4)

So much:
>>> price
4
""",
    "test_a.py": "import shop\ndef test_gross(): assert shop.gross(1) == 20\n",
}


EXAMPLES = {f"doc.rst::line:{line},column:1" for line in (1, 2, 5)}


def test_documents_of_sybil(project: MakeProject) -> None:
    made = project(SYBIL)
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.replace("shop.py", "return price + TAX", "return TAX + price")
    assert set(made.select().selected) == {"test_a.py::test_gross"}
    made.repository.replace("shop.py", "    return price\n", "    return +price\n")
    # The last example runs nothing of the shop.
    assert set(made.select().selected) == {"test_a.py::test_gross"} | EXAMPLES


def test_what_else_a_plugin_collects_is_never_proved(project: MakeProject) -> None:
    made = project(
        {
            "shop.py": SHOP,
            "pytest.ini": "[pytest]\npythonpath = .\n",
            "conftest.py": """
import pytest
class Checks(pytest.File):
    def collect(self):
        yield Check.from_parent(self, name="check")
class Check(pytest.Item):
    def runtest(self): pass
def pytest_collect_file(file_path, parent):
    if file_path.name in ("test_a.py", "a.toml"):
        return Checks.from_parent(parent, path=file_path)
""",
            "a.toml": "",
            "test_a.py": "import shop\ndef test_net(): assert shop.net(1) == 1\n",
        }
    )
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.replace("shop.py", "return price + TAX", "return TAX + price")
    assert set(made.select().selected) == {"a.toml::check", "test_a.py::check"}


OTHER = "TAX = 19\n"
EXAMPLE = ">>> import other\n>>> other.TAX\n19\n"
USING = "import other, shop\ndef test_a(): pass\n"
ELSEWHERE: Mapping[str, Mapping[str, str]] = {
    "a dictionary of tests that is read from a file": {
        "shop.py": "import pathlib\n__test__ = {'x': pathlib.Path('usage.txt').read_text()}\n",
        "usage.txt": EXAMPLE,
    },
    "a docstring that is assigned": {
        "shop.py": "import texts\ndef f(): return 1\nf.__doc__ = texts.DOC\n",
        "texts.py": f'DOC = """\n{EXAMPLE}"""\n',
    },
    "a parser that includes files": {
        "conftest.py": """
import pathlib, re
from sybil import Region, Sybil
def include(document):
    for found in re.finditer(r"INCLUDE (\\S+)", document.text):
        yield Region(found.start(), found.end(), pathlib.Path(found[1]).read_text(), run)
def run(example): exec(example.parsed, example.namespace)
pytest_collect_file = Sybil(parsers=[include], patterns=["*.sybil"]).pytest()
""",
        "doc.sybil": "INCLUDE usage.txt\n",
        "usage.txt": "import other\nassert other.TAX == 19\n",
        "shop.py": "",
    },
    "a parser that is an object": {
        "parsers.py": """
import re
from other import TAX
from sybil import Region
class Parser:
    def __call__(self, document):
        for found in re.finditer(r"CHECK (\\d+)", document.text):
            yield Region(found.start(), found.end(), f"{found[1]}={TAX}", run)
def run(example):
    one, other = example.parsed.split("=")
    assert one == other
""",
        "conftest.py": """
from parsers import Parser
from sybil import Sybil
pytest_collect_file = Sybil(parsers=[Parser()], patterns=["*.sybil"]).pytest()
""",
        "doc.sybil": "CHECK 19\n",
        "shop.py": "",
    },
    "a module that a helper looks through": {
        "shop.py": "def taxes(m): return [v for k, v in vars(m).items() if k.isupper()]\n",
        "doc.rst": ">>> import shop, other\n>>> shop.taxes(other)\n[19]\n",
    },
    "a module of another name that a helper looks through": {
        "shop.py": "def taxes(m): return [v for k, v in vars(m).items() if k.isupper()]\n",
        "doc.rst": ">>> import shop, other as o\n>>> shop.taxes(o)\n[19]\n",
    },
    "a name that is put together": {
        "shop.py": "",
        "doc.rst": ">>> import operator, other\n>>> operator.attrgetter('T' + 'AX')(other)\n19\n",
    },
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_does_not_stand_in_the_file(project: MakeProject, name: str) -> None:
    made = project(
        {"pytest.ini": FILES["pytest.ini"], "other.py": OTHER, "test_a.py": USING}
        | dict(ELSEWHERE[name])
    )
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.replace("other.py", "19", "20")
    broken = failing(made)
    assert len(broken) == 1
    assert broken <= made.select(exit_code=1).selected.keys()
