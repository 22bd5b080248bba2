"""Edits in a test module that others than the module itself look at: their tests must run."""

import pytest

from conftest import MakeProject, Project
from repository import Decisions

TEST = "tests/test_a.py"
CONFTEST = "tests/conftest.py"
DB = "import pytest\n@pytest.fixture\ndef db(): return 1\n"
CLIENT = DB + "@pytest.fixture\ndef client(db): return db\n"
OVERRIDE = "import pytest\n@pytest.fixture\ndef db(): return {}\n"
ONE, TWO = "VALUE_1", "VALUE_2"

# name: files, in which VALUE_1 becomes VALUE_2 in the test module.
CASES = {
    "an overriding fixture": {
        CONFTEST: CLIENT,
        TEST: OVERRIDE.format(f"'{ONE}'") + f"def test_x(client): assert client == '{ONE}'\n",
    },
    "an overriding fixture of a class": {
        CONFTEST: CLIENT,
        TEST: "import pytest\nclass TestA:\n  @pytest.fixture\n  def db(self): return 'VALUE_1'\n"
        "  def test_x(self, client): assert client == 'VALUE_1'\n",
    },
    "an overriding fixture behind an autouse one": {
        CONFTEST: DB + "seen = []\n@pytest.fixture(autouse=True)\ndef auto(db, request):\n"
        "    request.node.db = db\n",
        TEST: OVERRIDE.format(f"'{ONE}'")
        + f"def test_x(request): assert request.node.db == '{ONE}'\n",
    },
    "an overriding fixture that a conftest computes": {
        CONFTEST: DB + "@pytest.fixture\ndef any(request):\n"
        "    return request.getfixturevalue('d' + 'b')\n",
        TEST: OVERRIDE.format(f"'{ONE}'") + f"def test_x(any): assert any == '{ONE}'\n",
    },
    "a name that a fixture reads from the module": {
        CONFTEST: "import pytest\n@pytest.fixture\ndef server(request):\n"
        "    return getattr(request.module, 'smtpserver', 'default')\n",
        TEST: f"smtpserver = '{ONE}'\ndef test_x(server): assert server == '{ONE}'\n",
    },
    "a method that a fixture calls on the instance": {
        CONFTEST: "import pytest\n@pytest.fixture\ndef made(request):\n"
        "    return request.instance.make()\n",
        TEST: "class TestA:\n  def make(self): return 'VALUE_1'\n"
        "  def test_x(self, made): assert made == 'VALUE_1'\n",
    },
    "names that a hook reads": {
        CONFTEST: "def pytest_generate_tests(metafunc):\n"
        "    metafunc.parametrize('x', metafunc.module.CASES)\n",
        TEST: f"CASES = ['{ONE}']\ndef test_x(x): assert x == '{ONE}'\n",
    },
    "a module that is named to somebody": {
        "finder.py": "import sys\ndef find(name): return sys.modules[name].handler\n",
        TEST: "from finder import find\ndef handler(): return 'VALUE_1'\n"
        "found = find\ndef test_x(): assert found(__name__)() == 'VALUE_1'\n",
    },
    "a class that its base knows": {
        "base.py": "class Base: pass\ndef say(): return Base.__subclasses__()[-1]().say()\n",
        TEST: "from base import Base, say\nclass A(Base):\n  def say(self): return 'VALUE_1'\n"
        "def test_x(): assert say() == 'VALUE_1'\n",
    },
    "a class that its metaclass knows": {
        "base.py": "known = {}\nclass Meta(type):\n  def __init__(cls, name, *a):\n"
        "    known[name] = cls\nclass Model(metaclass=Meta): pass\n"
        "def field(name): return known[name].field\n",
        TEST: "from base import Model, field\nclass User(Model):\n  field = 'VALUE_1'\n"
        "def test_x(): assert field('Us' + 'er') == 'VALUE_1'\n",
    },
    "what was registered by a bare call": {
        "base.py": "known = []\ndef register(f):\n  known.append(f)\n  return f\n",
        TEST: "from base import known, register\ndef helper(): return 'VALUE_1'\n"
        "HANDLER = register(helper)\ndef test_x(): assert known[0]() == 'VALUE_1'\n",
    },
}


def narrowed(made: Project, old: str = ONE, new: str = TWO) -> Decisions:
    """What is decided after the first occurrence of the value was edited."""
    path = made.repository.root / TEST
    path.write_text(path.read_text().replace(old, new, 1))
    return made.select(exit_code=1)


@pytest.mark.parametrize("files", CASES.values(), ids=CASES)
def test_whoever_looks_on_runs(project: MakeProject, files: dict[str, str]) -> None:
    made = project({"pytest.ini": "[pytest]\npythonpath = .\n", **files})
    assert made.run().ret == 0
    assert any("test_x" in test for test in narrowed(made).selected)


@pytest.mark.parametrize("gone", [False, True])
def test_an_override_that_comes_or_goes(project: MakeProject, gone: bool) -> None:
    override = OVERRIDE.format(2)
    test = "def test_x(client): assert client == {}\n"
    made = project({CONFTEST: CLIENT, TEST: override + test.format(2) if gone else test.format(1)})
    assert made.run().ret == 0
    made.repository.write({TEST: test.format(2) if gone else override + test.format(1)})
    assert made.select(exit_code=1).selected.keys() == {f"{TEST}::test_x"}


def test_a_fixture_that_a_parent_adds_to_a_test(project: MakeProject) -> None:
    hook = "def pytest_itemcollected(item):\n    item.fixturenames.append('db')\n"
    files = {"tests/sub/conftest.py": DB, "tests/sub/test_a.py": "def test_x(): pass\n"}
    made = project({CONFTEST: hook, **files})
    made.repository.replace("tests/sub/conftest.py", "return 1", "raise OSError")
    assert made.select(exit_code=1).selected.keys() == {"tests/sub/test_a.py::test_x"}


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("pyproject.toml", "[tool.mine]\na = 1\n", "[tool.mine]\na = 2\n"),
        ("pyproject.toml", "[tool.ruff]\nfix = true\n", "[tool.ruff]\nfix = false\n"),
        ("requirements.txt", "attrs==1\n", "attrs==2\n"),
    ],
)
def test_a_manifest_that_a_test_reads(
    project: MakeProject, name: str, before: str, after: str
) -> None:
    test = (
        f"from pathlib import Path\ndef test_x(): assert Path({name!r}).read_text() == {before!r}\n"
    )
    made = project({name: before, TEST: test, "tests/test_b.py": "def test_y(): pass\n"})
    made.repository.write({name: after})
    told = made.select(exit_code=1)
    assert told.everything is not None or f"{TEST}::test_x" in told.selected


@pytest.mark.parametrize(
    "call",
    [
        "load('app.plug:value')",
        "runpy.run_module('tool')['value']()",
        "subprocess.check_output([sys.executable, '-c', 'from app.plug import value; "
        'print(value(), end="")\'], text=True)',
        "run('import app.plug as p; answer = p.value()')",
    ],
)
def test_modules_that_strings_name(project: MakeProject, call: str) -> None:
    value = f"def value(): return '{ONE}'\n"
    test = f"""
import runpy, subprocess, sys
from pkgutil import resolve_name
def load(name): return resolve_name(name)()
def run(code):
    names = {{}}
    exec(code, names)
    return names['answer']
def test_x(): assert {call} == '{ONE}'
"""
    other = "import tool\nfrom app.plug import value\ndef test_y(): pass\n"
    made = project(
        {
            "pytest.ini": "[pytest]\npythonpath = .\n",
            "app/__init__.py": "",
            "app/plug.py": value,
            "tool.py": value,
            TEST: test,
            "tests/test_b.py": other,
        }
    )
    assert made.run().ret == 0
    edited = "tool.py" if "tool" in call else "app/plug.py"
    made.repository.replace(edited, ONE, TWO)
    told = made.select(exit_code=1)
    assert told.everything is None
    assert f"{TEST}::test_x" in told.selected


def test_a_module_that_takes_the_place_of_an_installed_one(project: MakeProject) -> None:
    """Installed packages import it, too."""
    made = project({TEST: "def test_x(): pass\n", "tests/test_b.py": "import packaging\n"})
    made.repository.write({"tests/packaging.py": ""})
    result = made.run("--ciopt-changed")
    result.stdout.fnmatch_lines(
        ["*global: tests/packaging.py: it may take the place of the module packaging*"]
    )


def test_an_edit_that_nobody_can_see_stays_narrow(project: MakeProject) -> None:
    """None of these rules may make every edit of a helper select its whole module."""
    text = """
import logging
import unittest
import pytest
log = logging.getLogger(__name__)
VALUE = frozenset([1])
def helper(): return 1
class Fake:
    def write(self): return helper()
@pytest.fixture
def own(): return 1
@pytest.mark.parametrize("x", [1, 2])
def test_helped(x): assert Fake().write() == 1
def test_other(): assert VALUE
def test_own(own): assert own == 1
if __name__ == "__main__":
    unittest.main()
"""
    made = project({CONFTEST: DB, TEST: text})
    made.repository.replace(TEST, "def helper(): return 1", "def helper(): return 2")
    told = made.select("--ciopt-record=off", exit_code=1)
    assert told.selected.keys() == {f"{TEST}::test_helped[1]", f"{TEST}::test_helped[2]"}
    made.repository.git("checkout", "-q", ".")
    made.repository.replace(TEST, "def own(): return 1", "def own(): return 2")
    assert made.select(exit_code=1).selected.keys() == {f"{TEST}::test_own"}
