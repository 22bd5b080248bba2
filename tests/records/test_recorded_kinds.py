"""Edits that only records can tell apart, each with the tests that it breaks.

Which tests those are is not written here: all tests are run after the edit, and whatever fails then
must have been selected before. What is written is who must be spared.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from conftest import MakeProject, failing
from pytest_ciopt.adapters.tracing.tracer import can_trace

pytestmark = pytest.mark.skipif(not can_trace(), reason="what runs cannot be watched here")
BASE = {"pytest.ini": "[pytest]\npythonpath = .\n", "app/__init__.py": ""}
TEST = "tests/test_it.py"


@dataclass(frozen=True)
class Case:
    """A project, an edit (file, old, new), and tests of `tests/test_it.py` that are spared."""

    files: Mapping[str, str]
    edit: tuple[str, str, str]
    spared: tuple[str, ...] = ("test_free",)
    works: bool = True
    """Whether some test breaks by the edit."""


FREE = "\n\ndef test_free():\n    pass\n"
USERS = """
import pytest

def test_first({fixture}):
    assert {fixture} == 1

def test_second({fixture}):
    assert {fixture} == 1
"""
CODE = "def make():\n    return 1\n\ndef other():\n    return 1\n"
MAKE = ("app/code.py", "def make():\n    return 1", "def make():\n    return 2")


IMPORTING = {
    TEST: """
        import importlib

        def test_first():
            assert importlib.import_module("app.co" + "de").two() == 2

        def test_free():
            pass
        """,
    "tests/test_other.py": "def test_code():\n    from app import code\n",
}


def fixture(scope: str) -> dict[str, str]:
    """Two users of a fixture, whose code runs for the first one only."""
    conftest = f"""
        import pytest
        from app.code import make

        @pytest.fixture(scope={scope!r})
        def made():
            return make()
        """
    return {
        "app/code.py": CODE,
        "conftest.py": conftest,
        TEST: USERS.format(fixture="made") + FREE,
    }


CASES = {
    **{
        f"{scope} fixture": Case(fixture(scope), MAKE)
        for scope in ("function", "class", "module", "package", "session")
    },
    "fixture of a fixture": Case(
        {
            **fixture("session"),
            TEST: """
                import pytest

                @pytest.fixture(scope="module")
                def outer(made):
                    return made

                def test_first(outer):
                    assert outer == 1

                def test_second(outer):
                    assert outer == 1
                """
            + "                \n                def test_free():\n                    pass\n",
        },
        MAKE,
    ),
    "autouse fixture": Case(
        {
            "app/code.py": CODE + "\nvalue = []\n",
            TEST: """
                import pytest
                from app import code

                @pytest.fixture(autouse=True, scope="module")
                def filled():
                    code.value[:] = [code.make()]

                def test_first():
                    assert code.value == [1]

                def test_second():
                    assert code.value == [1]
                """,
        },
        MAKE,
        spared=(),
    ),
    "getfixturevalue": Case(
        {
            **fixture("session"),
            TEST: """
                def test_first(request):
                    assert request.getfixturevalue("ma" + "de") == 1

                def test_second(request):
                    assert request.getfixturevalue("ma" + "de") == 1

                def test_free():
                    pass
                """,
        },
        MAKE,
    ),
    "setup_class": Case(
        {
            "app/code.py": CODE,
            TEST: """
                from app.code import make

                class TestIt:
                    @classmethod
                    def setup_class(cls):
                        cls.value = make()

                    def test_first(self):
                        assert self.value == 1

                    def test_second(self):
                        assert self.value == 1

                def test_free():
                    pass
                """,
        },
        MAKE,
    ),
    "setUpClass": Case(
        {
            "app/code.py": CODE,
            TEST: """
                from unittest import TestCase
                from app.code import make

                class TestIt(TestCase):
                    @classmethod
                    def setUpClass(cls):
                        cls.value = make()

                    def test_first(self):
                        assert self.value == 1

                    def test_second(self):
                        assert self.value == 1

                class TestFree(TestCase):
                    def test_free(self):
                        pass
                """,
        },
        MAKE,
        spared=("TestFree::test_free",),
    ),
    "finalizer": Case(
        {
            "app/code.py": CODE,
            TEST: """
                import pytest
                from app.code import make

                @pytest.fixture(scope="class")
                def checked():
                    yield
                    assert make() == 1

                class TestIt:
                    def test_first(self, checked):
                        pass

                    def test_second(self, checked):
                        pass

                def test_free():
                    pass
                """,
        },
        MAKE,
    ),
    "parametrization": Case(
        {
            "app/code.py": CODE,
            TEST: """
                import pytest
                from app.code import make

                @pytest.mark.parametrize("value", [make()], ids=["made"])
                def test_first(value):
                    assert value == 1

                def test_free():
                    pass
                """,
        },
        MAKE,
    ),
    "generated tests": Case(
        {
            "app/code.py": CODE,
            "conftest.py": """
                from app.code import make

                def pytest_generate_tests(metafunc):
                    if "value" in metafunc.fixturenames:
                        metafunc.parametrize("value", [make()], ids=["made"])
                """,
            TEST: "def test_first(value):\n    assert value == 1\n" + FREE,
        },
        MAKE,
        spared=(),
    ),
    "cached function": Case(
        {
            "app/code.py": CODE,
            "app/cached.py": """
                from functools import lru_cache
                from app.code import make

                @lru_cache
                def value():
                    return make()
                """,
            TEST: """
                from app.cached import value

                def test_first():
                    assert value() == 1

                def test_second():
                    assert value() == 1

                def test_free():
                    pass
                """,
        },
        MAKE,
    ),
    "lazy attribute": Case(
        {
            "app/code.py": CODE,
            "app/lazy.py": """
                from app.code import make

                class Lazy:
                    _value = None

                    def value(self):
                        if self._value is None:
                            self._value = self._compute()
                        return self._value

                    def _compute(self):
                        return make()

                LAZY = Lazy()
                """,
            TEST: """
                from app.lazy import LAZY

                def test_first():
                    assert LAZY.value() == 1

                def test_second():
                    assert LAZY.value() == 1

                def test_free():
                    pass
                """,
        },
        MAKE,
    ),
    "memo of a module": Case(
        {
            "app/code.py": CODE,
            "app/memo.py": """
                from app.code import make

                MEMO = {}

                def value(key):
                    if key in MEMO:
                        return MEMO[key]
                    found = MEMO[key] = make()
                    return found
                """,
            TEST: """
                from app.memo import value

                def test_first():
                    assert value(1) == 1

                def test_second():
                    assert value(1) == 1

                def test_free():
                    pass
                """,
        },
        MAKE,
    ),
    "global that is filled once": Case(
        {
            "app/code.py": CODE,
            "app/setup.py": """
                from app import code

                ready = False
                VALUES = []

                def ensure():
                    global ready
                    if not ready:
                        VALUES.append(code.make())
                        ready = True
                """,
            TEST: """
                from app import setup

                def test_first():
                    setup.ensure()
                    assert setup.VALUES == [1]

                def test_second():
                    setup.ensure()
                    assert setup.VALUES == [1]

                def test_free():
                    pass
                """,
        },
        MAKE,
    ),
    "overriding method": Case(
        {
            "app/code.py": """
                class Base:
                    def go(self):
                        return 1

                class Child(Base):
                    def stay(self):
                        return 1
                """,
            TEST: """
                from app.code import Base, Child

                def test_first():
                    assert Child().go() == 1

                def test_free():
                    assert Base().go() == 1
                """,
        },
        (
            "app/code.py",
            "    def stay(self):",
            "    def go(self):\n        return 2\n\n    def stay(self):",
        ),
    ),
    "uncovered method": Case(
        {
            "app/code.py": """
                class Base:
                    def go(self):
                        return 2

                class Child(Base):
                    def go(self):
                        return 1
                """,
            TEST: """
                from app.code import Base, Child

                def test_first():
                    assert Child().go() == 1

                def test_free():
                    assert Base().go() == 2
                """,
        },
        ("app/code.py", "    def go(self):\n        return 1", "    pass"),
    ),
    "exports": Case(
        {
            "app/code.py": "__all__ = ['make']\n" + CODE,
            "app/shown.py": "make = 1\nother = 1\nfrom app.code import *\n",
            TEST: """
                from app import shown

                def test_first():
                    assert shown.other == 1

                def test_free():
                    assert shown.make
                """,
        },
        ("app/code.py", "['make']", "['make', 'other']"),
    ),
    "dataclass field": Case(
        {
            "app/code.py": """
                from dataclasses import dataclass

                @dataclass
                class Point:
                    x: int

                @dataclass
                class Line:
                    length: int
                """,
            TEST: """
                from app.code import Line, Point

                def test_first():
                    assert Point(1)

                def test_free():
                    assert Line(1)
                """,
        },
        ("app/code.py", "    x: int", "    x: int\n    y: int"),
    ),
    "registering decorator": Case(
        {
            "app/registry.py": """
                KNOWN = {}

                def register(name):
                    def add(function):
                        KNOWN[name] = function
                        return function
                    return add
                """,
            "app/code.py": """
                from app.registry import register

                @register("a")
                def first():
                    return 1
                """,
            "app/__init__.py": "from app import code\n",
            TEST: """
                import app
                from app.registry import KNOWN

                def test_first():
                    assert KNOWN["a"]() == 1
                """
            + "\n                def test_free():\n                    pass\n",
        },
        ("app/code.py", '"a"', '"b"'),
        spared=(),
    ),
    "metaclass": Case(
        {
            "app/meta.py": """
                class Meta(type):
                    def __new__(cls, name, bases, body):
                        body["made"] = 1
                        return super().__new__(cls, name, bases, body)
                """,
            "app/code.py": """
                from app.meta import Meta

                class Thing(metaclass=Meta):
                    pass
                """,
            TEST: """
                from app.code import Thing

                def test_first():
                    assert Thing.made == 1

                def test_free():
                    pass
                """,
        },
        ("app/meta.py", '["made"] = 1', '["made"] = 2'),
    ),
    "module __getattr__": Case(
        {
            "app/code.py": """
                def __getattr__(name):
                    return 1
                """,
            TEST: """
                from app import code

                def test_first():
                    assert code.anything == 1

                def test_free():
                    pass
                """,
        },
        ("app/code.py", "return 1", "return 2"),
        spared=(),  # pytest asks the module for names while it collects
    ),
    "monkeypatched name": Case(
        {
            "app/code.py": CODE + "\ndef calls():\n    return make()\n",
            TEST: """
                from app import code

                def test_free(monkeypatch):
                    monkeypatch.setattr("app.code.make", lambda: 3)
                    assert code.calls() == 3

                def test_first():
                    assert code.calls() == 1
                """,
        },
        MAKE,
    ),
    "monkeypatched name that goes": Case(
        {
            "app/code.py": CODE,
            TEST: """
                from app import code

                def test_first(monkeypatch):
                    monkeypatch.setattr("app.code.other", lambda: 3)

                def test_free():
                    assert code.make() == 1
                """,
        },
        ("app/code.py", "def other():\n    return 1\n", ""),
    ),
    "module that shadows another": Case(
        {
            "app/tools.py": "value = 1\n",
            "tests/conftest.py": "import sys\nsys.path.insert(0, 'lib')\n",
            "lib/placeholder.py": "",
            TEST: """
                import importlib
                import pytest

                def test_first():
                    with pytest.raises(ImportError):
                        importlib.import_module("ghost")
                """,
        },
        ("lib/ghost.py", "", "value = 2\n"),
        spared=(),
    ),
    "dynamic import": Case(
        {
            "app/code.py": "value = 1\n",
            "app/loader.py": """
                import importlib

                def load(*names):
                    return importlib.import_module(".".join(names))
                """,
            "tests/test_static.py": "import app.code\n\ndef test_static():\n    pass\n",
            TEST: """
                from app.loader import load

                def test_first():
                    assert load("app", "code").value == 1

                def test_free():
                    pass
                """,
        },
        ("app/code.py", "value = 1", "value = 2"),
    ),
    "data file": Case(
        {
            "app/data/a.json": "1",
            "app/data/b.json": "1",
            "app/code.py": """
                import json
                from importlib.resources import files

                def load(name):
                    return json.loads((files("app") / "data" / f"{name}.json").read_text())
                """,
            TEST: """
                from app.code import load

                def test_first():
                    assert load("a") == 1

                def test_free():
                    assert load("b") == 1
                """,
        },
        ("app/data/a.json", "1", "2"),
    ),
    "data file read by the loader of its package": Case(
        {
            "app/data/a.json": "1",
            "app/data/b.json": "1",
            "app/code.py": """
                import json, pkgutil

                def load(name):
                    return json.loads(pkgutil.get_data("app", f"data/{name}.json"))
                """,
            TEST: """
                from app.code import load

                def test_first():
                    assert load("a") == 1

                def test_free():
                    assert load("b") == 1
                """,
        },
        ("app/data/a.json", "1", "2"),
    ),
    "data file read at collection": Case(
        {
            "tests/cases.json": "[1]",
            TEST: """
                import json
                import pathlib
                import pytest

                CASES = json.loads((pathlib.Path(__file__).parent / "cases.json").read_text())

                @pytest.mark.parametrize("case", CASES, ids=["case"])
                def test_first(case):
                    assert case == 1
                """,
            "tests/test_more.py": "def test_more():\n    pass\n",
        },
        ("tests/cases.json", "[1]", "[2]"),
        spared=(),
    ),
    "new file in a listed folder": Case(
        {
            "app/data/a.txt": "",
            TEST: """
                import os
                import app

                def test_first():
                    assert os.listdir("app/data") == ["a.txt"]

                def test_free():
                    pass
                """,
        },
        ("app/data/b.txt", "", "new"),
    ),
    "file that was not there": Case(
        {
            "app/data/a.txt": "",
            TEST: """
                def test_first():
                    try:
                        open("app/data/local.txt")
                    except FileNotFoundError:
                        return
                    assert False

                def test_free():
                    pass
                """,
        },
        ("app/data/local.txt", "", "new"),
    ),
    "child process": Case(
        {
            "app/code.py": CODE,
            TEST: """
                import subprocess
                import sys

                def test_first():
                    code = "from app." + "code import make; assert make() == 1"
                    assert subprocess.call([sys.executable, "-c", code]) == 0

                def test_free():
                    pass
                """,
            "tests/test_static.py": "import app.code\n\ndef test_static():\n    pass\n",
        },
        MAKE,
    ),
    "file that a known program reads": Case(
        {
            "app/data/a.txt": "old",
            TEST: """
                import subprocess

                def test_first():
                    assert subprocess.check_output(["cat", "app/data/a.txt"]) == b"old"

                def test_free():
                    assert subprocess.check_output(["echo"]) == b"\\n"
                """,
        },
        ("app/data/a.txt", "old", "new"),
    ),
    "lambda in a table": Case(
        {
            "app/code.py": "TABLE = {'a': lambda: 1}\n\ndef look(key):\n    return TABLE[key]()\n",
            TEST: """
                from app.code import look

                def test_first():
                    assert look("a") == 1

                def test_free():
                    pass
                """,
        },
        ("app/code.py", "lambda: 1", "lambda: 2"),
    ),
    "default that is made at import": Case(
        {
            "app/code.py": CODE + "\ndef takes(value=make()):\n    return value\n",
            TEST: """
                from app.code import takes

                def test_first():
                    assert takes() == 1

                def test_free():
                    pass
                """,
        },
        MAKE,
    ),
    "function in a conditional": Case(
        {
            "app/code.py": "import sys\nif sys:\n    def make():\n        return 1\n",
            TEST: """
                from app.code import make

                def test_first():
                    assert make() == 1
                """,
        },
        ("app/code.py", "return 1", "return 2"),
        spared=(),
    ),
    "generator that goes on in a later test": Case(
        {
            "app/code.py": "def counts():\n    yield 1\n    yield 1\n",
            TEST: """
                from app.code import counts

                GOING = counts()

                def test_first():
                    assert next(GOING) == 1

                def test_second():
                    assert next(GOING) == 1

                def test_free():
                    pass
                """,
        },
        ("app/code.py", "    yield 1\n    yield 1", "    yield 1\n    yield 2"),
    ),
    "sqlite database": Case(
        {
            "app/schema.sql": "create table t (x default 1);",
            TEST: """
                import contextlib
                import pathlib
                import sqlite3

                def test_first(tmp_path):
                    with contextlib.closing(sqlite3.connect(tmp_path / "db")) as connection:
                        connection.executescript(pathlib.Path("app/schema.sql").read_text())
                        connection.execute("insert into t default values")
                        assert connection.execute("select x from t").fetchone() == (1,)

                def test_free():
                    pass
                """,
        },
        ("app/schema.sql", "default 1", "default 2"),
    ),
    "sqlite database by an address in which characters are quoted": Case(
        {
            "app/my data.db": "",
            TEST: """
                import pathlib
                import sqlite3

                def rows():
                    address = pathlib.Path("app/my data.db").absolute().as_uri()
                    connection = sqlite3.connect(f"{address}?mode=ro", uri=True)
                    try:
                        return connection.execute("select count(*) from sqlite_schema").fetchone()
                    finally:
                        connection.close()

                def test_first():
                    assert rows() == (0,)

                def test_free():
                    pass
                """,
        },
        ("app/my data.db", "", "no database"),
    ),
    "file that is made only where it is not there": Case(
        {
            "app/limit.txt": "1",
            TEST: """
                def test_first():
                    try:
                        with open("app/limit.txt", "x") as stream:
                            stream.write("1")
                    except FileExistsError:
                        pass
                    with open("app/limit.txt") as stream:
                        assert stream.read() == "1"

                def test_free():
                    pass
                """,
        },
        ("app/limit.txt", "1", "2"),
    ),
    "file to which something is added": Case(
        {
            "app/log.txt": "1",
            TEST: """
                def test_first():
                    open("app/log.txt", "a").close()
                    with open("app/log.txt") as stream:
                        assert stream.read() == "1"

                def test_free():
                    pass
                """,
        },
        ("app/log.txt", "1", "2"),
    ),
    "generator of which nothing is asked": Case(
        {
            "app/code.py": "def two():\n    yield 2\n",
            TEST: """
                from app.code import two

                def test_first():
                    assert type(two()).__name__ == "generator"

                def test_free():
                    pass
                """,
        },
        ("app/code.py", "yield", "return"),
    ),
    "coroutine that is not awaited": Case(
        {
            "app/code.py": "async def two():\n    return 2\n",
            TEST: """
                import inspect

                from app import code

                def test_first():
                    assert inspect.iscoroutinefunction(code.two)

                def test_free():
                    pass
                """,
        },
        ("app/code.py", "async def", "def"),
    ),
    "process that a module starts": Case(
        {
            "app/code.py": "print(1)\n",
            "helper.py": """
                import subprocess
                import sys

                words = [sys.executable, "-m", "ap" + "p.code"]
                TOLD = subprocess.check_output(words, text=True)
                """,
            "tests/test_other.py": "import app.code\n\ndef test_code():\n    assert app.code\n",
            TEST: """
                def test_first():
                    from helper import TOLD
                    assert TOLD == "1\\n"

                def test_second():
                    from helper import TOLD
                    assert TOLD == "1\\n"
                """,
        },
        ("app/code.py", "1", "2"),
        spared=(),
    ),
    "return type that is looked at": Case(
        {
            "app/code.py": "def two() -> int:\n    return 2\n",
            TEST: """
                from app import code

                def test_first():
                    assert code.two.__annotations__["return"] is int

                def test_free():
                    pass
                """,
        },
        ("app/code.py", "-> int", "-> str"),
    ),
    "function that can be parsed and not compiled": Case(
        IMPORTING
        | {
            "app/code.py": "def two():\n    return 2\n\ndef never():\n    return two()\n",
        },
        ("app/code.py", "return two()", "return await two()"),
        spared=(),
    ),
    "function that Python warns of": Case(
        IMPORTING
        | {
            "app/code.py": "def two():\n    return 2\n\ndef never(x):\n    return x == 1\n",
            "pytest.ini": "[pytest]\npythonpath = .\nfilterwarnings = error\n",
        },
        ("app/code.py", "x == 1", "x is 1"),
        spared=(),
    ),
    "name that leads up from a link": Case(
        {
            "app/data/a.txt": "1",
            "app/data/more/b.txt": "",
            TEST: """
                import os
                import pathlib

                def test_first(tmp_path):
                    os.symlink("app/data/more", "link")
                    text = pathlib.Path("link/../a.txt").read_text()
                    os.remove("link")
                    assert text == "1"

                def test_free():
                    pass
                """,
            "tests/test_app.py": "import app\n\ndef test_app():\n    assert app\n",
        },
        ("app/data/a.txt", "1", "2"),
    ),
    "names relative to a folder": Case(
        {
            "app/data/a.txt": "1",
            TEST: """
                import os

                def folder():
                    return os.open("app/da" + "ta", os.O_RDONLY)

                def test_first():
                    with open(os.open("a.txt", os.O_RDONLY, dir_fd=folder())) as stream:
                        assert stream.read() == "1"

                def test_second(tmp_path):
                    os.rename("a.txt", tmp_path / "a", src_dir_fd=folder())
                    text = (tmp_path / "a").read_text()
                    os.rename(tmp_path / "a", "a.txt", dst_dir_fd=folder())
                    assert text == "1"

                def test_free():
                    pass
                """,
            "tests/test_app.py": "def test_app():\n    open('app/data/a.txt').close()\n",
        },
        ("app/data/a.txt", "1", "2"),
    ),
    "new file in a folder that is listed by its descriptor": Case(
        {
            "app/data/a.txt": "1",
            TEST: """
                import os

                def test_first():
                    folder = os.open(os.path.abspath("app/da" + "ta"), os.O_RDONLY)
                    assert os.listdir(folder) == ["a.txt"]

                def test_free():
                    pass
                """,
            "tests/test_app.py": "import app\n\ndef test_app():\n    assert app\n",
        },
        ("app/data/b.txt", "", "new"),
    ),
    "data of which a copy is kept elsewhere": Case(
        {
            "app/data/grammar.txt": "1",
            "app/code.py": """
                import os
                import pathlib
                import shutil

                SOURCE = pathlib.Path(__file__).with_name("data") / "grammar.txt"

                def grammar(copy):
                    if not copy.exists() or copy.stat().st_mtime < SOURCE.stat().st_mtime:
                        shutil.copy2(SOURCE, copy)
                    return copy.read_text()
                """,
            "conftest.py": """
                import pathlib
                import sys

                COPY = pathlib.Path(__file__).resolve().parent.with_name("copy.txt")
                if not COPY.exists():
                    COPY.write_text("1")
                """,
            TEST: """
                from app.code import grammar
                from conftest import COPY

                def test_first():
                    assert grammar(COPY) == "1"

                def test_second():
                    assert grammar(COPY) == "1"
                """,
            "tests/test_app.py": "def test_app():\n    pass\n",
        },
        ("app/data/grammar.txt", "1", "2"),
        spared=(),
    ),
    "answer of a process that is kept": Case(
        {
            "app/code.py": CODE,
            "helper.py": """
                import functools
                import subprocess
                import sys

                @functools.cache
                def told():
                    code = "from app." + "code import make; print(make())"
                    return subprocess.check_output([sys.executable, "-c", code], text=True)
                """,
            "tests/test_other.py": "import app.code\n\ndef test_code():\n    assert app.code\n",
            TEST: """
                from helper import told

                def test_first():
                    assert told() == "1\\n"

                def test_second():
                    assert told() == "1\\n"

                def test_free():
                    pass
                """,
        },
        MAKE,
    ),
    "module that cannot be compiled": Case(
        {
            "app/bad.py": "def f(:\n",
            TEST: """
                import importlib
                import pytest

                def test_first():
                    with pytest.raises(SyntaxError):
                        importlib.import_module("app.b" + "ad")

                def test_free():
                    pass
                """,
            "tests/test_app.py": "import app\n\ndef test_app():\n    assert app\n",
        },
        ("app/bad.py", "def f(:", "def f():\n    pass"),
    ),
    "module that is read as data": Case(
        {
            "app/data.py": "x = 1\n",
            TEST: """
                import pkgutil

                def test_first():
                    assert pkgutil.get_data("app", "dat" + "a.py") == b"x = 1\\n"

                def test_free():
                    pass
                """,
            "tests/test_app.py": "from app import data\n\ndef test_app():\n    assert data.x\n",
        },
        ("app/data.py", "x = 1", "x = 1  # one"),
    ),
    "module that its loader translates": Case(
        {
            "app/page.py": "print(1)\n",
            "app/code.py": """
                from importlib.machinery import SourceFileLoader
                from importlib.util import module_from_spec, spec_from_loader

                class Loader(SourceFileLoader):
                    def source_to_code(self, data, path):
                        text = bytes(data).decode().replace("print", "value =")
                        return compile(text, "<page>", "exec")

                def load(name):
                    spec = spec_from_loader("page", Loader("page", f"app/{name}.py"))
                    module = module_from_spec(spec)
                    spec.loader.exec_module(module)
                    return module.value
                """,
            TEST: """
                from app.code import load

                def test_first():
                    assert load("pa" + "ge") == 1

                def test_free():
                    pass
                """,
            "tests/test_app.py": "from app import page\n\ndef test_app():\n    assert page\n",
        },
        ("app/page.py", "1", "2"),
    ),
    "file that has another name": Case(
        {
            "app/data/a.txt": "1",
            TEST: """
                import os

                DATA = os.path.abspath("app/da" + "ta")

                def test_first(tmp_path):
                    os.link(f"{DATA}/a.txt", tmp_path / "a")
                    assert (tmp_path / "a").read_text() == "1"

                def test_linked(tmp_path):
                    (tmp_path / "a").symlink_to(f"{DATA}/a.txt")
                    assert (tmp_path / "a").read_text() == "1"

                def test_folder(tmp_path):
                    (tmp_path / "data").symlink_to(DATA)
                    assert (tmp_path / "data" / "a.txt").read_text() == "1"

                def test_renamed(tmp_path):
                    os.rename(f"{DATA}/a.txt", tmp_path / "a")
                    text = (tmp_path / "a").read_text()
                    os.rename(tmp_path / "a", f"{DATA}/a.txt")
                    assert text == "1"

                def test_free():
                    pass
                """,
            "tests/test_app.py": "import app\n\ndef test_app():\n    assert app\n",
        },
        ("app/data/a.txt", "1", "2"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_the_edit_breaks_is_selected(project: MakeProject, name: str) -> None:
    case = CASES[name]
    made = project(BASE | dict(case.files))
    assert made.run("--ciopt-record=deps").ret == 0
    path, old, new = case.edit
    if old:
        made.repository.replace(path, old, new)
    else:
        made.repository.write({path: new})
    broken = failing(made)
    selected = made.select(exit_code=1).selected
    assert broken
    assert broken <= selected.keys()
    assert selected.keys().isdisjoint(f"{TEST}::{test}" for test in case.spared)
