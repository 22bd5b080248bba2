"""Tests of which no function of their own ran: a mark left them out, or they come from elsewhere.

Nothing that executed names the mark or the class in the record of such a test. As in
`test_recorded_kinds`, all tests are run after the edit, to see which they are.
"""

import pytest

from conftest import MakeProject, failing
from pytest_ciopt.adapters.tracing.tracer import can_trace

pytestmark = pytest.mark.skipif(not can_trace(), reason="what runs cannot be watched here")

FILES = {
    "pytest.ini": "[pytest]\npythonpath = . tests\n",
    "app/__init__.py": "",
    "app/known.py": "FAST = False\n",
    "tests/shared.py": """
import os

class Shared:
    def test_shared(self): assert os.environ.get("SET") == "1"
    def test_other(self): pass

class Sized:
    size = 1
    def test_size(self): assert self.size < 3

def made(n):
    def test(): assert n < 3
    return test

def test_imported(): pass

class Broken:
    def test_broken(self): assert 0
""",
    "tests/conftest.py": """
import pytest

@pytest.fixture
def changed(monkeypatch): monkeypatch.setenv("SET", "1")

@pytest.fixture
def missing(): pytest.skip("none")
@pytest.fixture
def asking(missing): pass

class WithIt:
    @pytest.fixture(autouse=True)
    def _with(self, changed): pass
""",
    "tests/test_it.py": """
import unittest
import pytest
from app import known
from conftest import WithIt
from shared import Broken, Shared, Sized, made, test_imported

def test_plain(): assert known
@pytest.mark.skipif(not known.FAST, reason="")
def test_fast(): assert 0
@pytest.mark.skipif("not known.FAST", reason="")
def test_text(): assert 0
@pytest.mark.xfail(run=False)
def test_unable(): assert 0
@pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.skip), 2])
def test_some(n): assert n == 2
@pytest.mark.skip(reason="all")
class TestAll(Broken): pass
class TestNone(Broken):
    pytestmark = pytest.mark.skip
class TestOld(unittest.TestCase):
    @unittest.skip("old")
    def test_old(self): assert 0
@unittest.skipUnless(known.FAST, "")
class TestSlow(unittest.TestCase):
    def test_slow(self): assert 0
@pytest.mark.usefixtures("changed")
class TestMarked(Shared): pass
class TestListed(Shared):
    pytestmark = [pytest.mark.usefixtures("changed")]
class TestMixed(WithIt, Shared): pass
class TestOuter:
    @pytest.mark.usefixtures("changed")
    class TestInner(Shared): pass
class TestSized(Sized):
    size = 2
class TestPlain(Sized): pass
test_made = made(2)
def test_asking(asking): assert 0
def test_missing(missing): assert 0
del Shared, Broken, Sized
""",
}
IT = "tests/test_it.py"
CASES = {
    "a condition of another module": (
        ("app/known.py", "False", "True"),
        {"test_fast", "test_text", "TestSlow::test_slow"},
    ),
    "a mark is gone": (
        (IT, '@pytest.mark.skipif(not known.FAST, reason="")\n', ""),
        {"test_fast"},
    ),
    "a condition in a text": ((IT, '"not known', '"known'), {"test_text"}),
    "it is able now": ((IT, "@pytest.mark.xfail(run=False)\n", ""), {"test_unable"}),
    "of one parameter": ((IT, ", marks=pytest.mark.skip", ""), {"test_some[1]"}),
    "of a class": (
        (IT, '@pytest.mark.skip(reason="all")\n', ""),
        {"TestAll::test_broken"},
    ),
    "in a class": (
        (IT, "    pytestmark = pytest.mark.skip\n", "    pass\n"),
        {"TestNone::test_broken"},
    ),
    "of unittest": ((IT, '    @unittest.skip("old")\n', ""), {"TestOld::test_old"}),
    "a mark of a class with inherited tests": (
        (IT, '@pytest.mark.usefixtures("changed")\nclass', "class"),
        {"TestMarked::test_shared"},
    ),
    "a mark in a class with inherited tests": (
        (IT, '    pytestmark = [pytest.mark.usefixtures("changed")]\n', "    pass\n"),
        {"TestListed::test_shared"},
    ),
    "a base beside the one with tests": (
        (IT, "TestMixed(WithIt, Shared)", "TestMixed(Shared)"),
        {"TestMixed::test_shared"},
    ),
    "a fixture that skips is not asked for": (
        (IT, "test_missing(missing)", "test_missing()"),
        {"test_missing"},
    ),
    "a fixture does not ask for one that skips": (
        ("tests/conftest.py", "asking(missing)", "asking()"),
        {"test_asking"},
    ),
    "an attribute of a class with inherited tests": (
        (IT, "size = 2", "size = 3"),
        {"TestSized::test_size"},
    ),
    "a set-up that is new": (
        (
            IT,
            "class TestPlain(Sized): pass",
            "class TestPlain(Sized):\n    def setup_method(self): 0/0",
        ),
        {"TestPlain::test_size"},
    ),
    "a test that is made by a call": ((IT, "made(2)", "made(3)"), {"test_made"}),
    "a test in the place of an imported one": (
        (IT, "test_made =", "def test_imported(): assert 0\ntest_made ="),
        {"test_imported"},
    ),
    "a mark of a class in a class": (
        (IT, '    @pytest.mark.usefixtures("changed")\n    class', "    class"),
        {"TestOuter::TestInner::test_shared"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_the_edit_breaks_is_selected(project: MakeProject, name: str) -> None:
    edit, expected = CASES[name]
    made = project(FILES)
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.replace(*edit)
    broken = failing(made)
    assert broken == {f"{IT}::{test}" for test in expected}
    assert broken <= made.select(exit_code=1).selected.keys()


def test_a_skipped_test_is_proved_all_the_same(project: MakeProject) -> None:
    made = project(FILES)
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.replace("app/known.py", "FAST", "OTHER = 1\nFAST")
    made.repository.replace(IT, "assert known\n", "assert known.OTHER\n")
    assert made.select().selected.keys() == {f"{IT}::test_plain"}
