from textwrap import dedent

import pytest

from pytest_ciopt.core.edits.parts import Reach
from pytest_ciopt.core.edits.reach import in_conftest, in_test_module
from pytest_ciopt.core.edits.trees import parse
from pytest_ciopt.core.edits.units import Edit, edit

WHOLE = "whole"


def edited(before: str, after: str) -> Edit:
    trees = [parse(dedent(text).encode()) for text in (before, after)]
    assert trees[0] is not None
    assert trees[1] is not None
    return edit(trees[0], trees[1])


def changed(text: str, old: str = "1", new: str = "2") -> Edit:
    assert text.count(old) == 1, text
    return edited(text, text.replace(old, new))


def reach_of(found: Edit) -> Reach:
    return in_test_module(found, lambda name: name.startswith("test"))


def selected(found: Edit) -> set[str] | str:
    """Tests of the current text that run; `whole` for the whole file."""
    reach = reach_of(found)
    if reach.whole is not None:
        return WHOLE
    tests = [n for n, d in found.after.definitions.items() if d.simple.startswith("test")]
    return {name for name in tests if reach.has((name,), inherited=False)}


OTHER = "\ndef test_other(): pass\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def test_a(): assert 1", {"test_a"}),
        ("async def test_a(): assert 1", {"test_a"}),
        ("@mark.parametrize('x', [1])\ndef test_a(x): ...", {"test_a"}),
        ("def test_a(x=1): ...", {"test_a"}),
        ("def test_a():\n  'doc 1'", {"test_a"}),
        # Helpers, reached by name.
        ("def f(): return 1\ndef test_a(): f()", {"test_a"}),
        ("def f(): return 1\ndef g(): f()\ndef h(): g()\ndef test_a(): h()", {"test_a"}),
        (
            "def f(): return 1\ndef g(): f()\ndef test_a(): g()\ndef test_b(): f()",
            {"test_a", "test_b"},
        ),
        ("def f(x): return g(x) + 1\ndef g(x): return f(x)\ndef test_a(): g(0)", {"test_a"}),
        ("def f(): return 1\ntable = {'x': f}\ndef test_a(): table", {"test_a"}),
        ("def f(): return 1\ndef test_a(x=f): ...", {"test_a"}),
        ("def f(): return 1\ndef test_a(): patch(f'{__name__}.f')", {"test_a"}),
        ("def f(): return 1\n@mark.usefixtures('f')\ndef test_a(): ...", {"test_a"}),
        ("def f(): return 1\ndef test_a():\n  global f\n  f = 0", {"test_a"}),
        ("def f(): return 1\ndef test_a(): from tests.test_x import f", {"test_a"}),
        ("def f(): return 1", set()),
        ("def test_a(): return 1\ndef test_b(): test_a()", {"test_a", "test_b"}),
        # Constants.
        ("A = 1\ndef test_a(): A", {"test_a"}),
        ("A = 1\nB = A + A\n@mark.parametrize('x', B)\ndef test_a(x): ...", {"test_a"}),
        ("A = [1]\n@mark.parametrize('x', A)\ndef test_a(x): ...", {"test_a"}),
        ("A: int = 1\ndef test_a(): A", {"test_a"}),
        ("A = 1", set()),
        # Fixtures.
        ("@fixture\ndef f(): return 1\ndef test_a(f): ...", {"test_a"}),
        ("@fixture\ndef f(): return 1\n@fixture\ndef g(f): ...\ndef test_a(g): ...", {"test_a"}),
        ("@fixture(name='f')\ndef f_(): return 1\ndef test_a(f): ...", {"test_a"}),
        (
            "@fixture(name='f')\ndef _f(): return 1\n@fixture\ndef g(f): ...\ndef test_a(g): ...",
            {"test_a"},
        ),
        (
            "@fixture(name='f')\ndef _f(): return 1\n@mark.usefixtures('f')\ndef test_a(): ...",
            {"test_a"},
        ),
        ("@fixture(params=[1])\ndef f(request): ...\ndef test_a(f): ...", {"test_a"}),
        ("def h(): return 1\n@fixture\ndef f(): h()\ndef test_a(f): ...", {"test_a"}),
        (
            "@fixture\ndef f(): 1\n@mark.usefixtures('f')\nclass TestA:\n  def test_a(s): ...",
            {"TestA.test_a"},
        ),
        # Classes.
        ("class TestA:\n  def test_a(s): 1\n  def test_b(s): ...", {"TestA.test_a"}),
        (
            "class TestA:\n  x = 1\n  def test_a(s): ...\n  def test_b(s): ...",
            {"TestA.test_a", "TestA.test_b"},
        ),
        ("class TestA:\n  'doc 1'\n  def test_a(s): ...", {"TestA.test_a"}),
        ("class TestA:\n  f(1)\n  def test_a(s): ...", {"TestA.test_a"}),
        ("class TestA(Base, x=1):\n  def test_a(s): ...", {"TestA.test_a"}),
        ("class TestA:\n  def setup_method(s): 1\n  def test_a(s): ...", {"TestA.test_a"}),
        ("class TestA(TestCase):\n  def setUp(s): 1\n  def test_a(s): ...", {"TestA.test_a"}),
        (
            "class TestA(Case):\n  async def asyncSetUp(s): 1\n  def test_a(s): ...",
            {"TestA.test_a"},
        ),
        (
            "class TestA(Case):\n  @classmethod\n  def setUpTestData(c): 1\n  def test_a(s): ...",
            {"TestA.test_a"},
        ),
        (
            "class TestA(Case):\n  @classmethod\n  def tearDownClass(c): 1\n  def test_a(s): ...",
            {"TestA.test_a"},
        ),
        (
            "class TestA:\n  @classmethod\n  def setup_class(c): 1\n  def test_a(s): ...",
            {"TestA.test_a"},
        ),
        ("class TestA:\n  def teardown_method(s, m): 1\n  def test_a(s): ...", {"TestA.test_a"}),
        ("class TestA:\n  def __init__(s): 1\n  def test_a(s): ...", {"TestA.test_a"}),
        (
            "class TestA:\n  @fixture(autouse=True)\n  def f(s): 1\n  def test_a(s): ...",
            {"TestA.test_a"},
        ),
        (
            "class TestA:\n  @fixture\n  def f(s): 1\n  def test_a(s, f): ...\n  def test_b(s): 0",
            {"TestA.test_a"},
        ),
        (
            "class TestA:\n  def h(s): 1\n  def test_a(s): s.h()\n  def test_b(s): ...",
            {"TestA.test_a"},
        ),
        ("class TestA:\n  @property\n  def h(s): 1\n  def test_a(s): s.h", {"TestA.test_a"}),
        ("class TestA(Base):\n  def h(s): 1\n  def test_a(s): ...", {"TestA.test_a"}),
        ("class TestA(Base):\n  def run(s): 1\n  def test_a(s): ...", {"TestA.test_a"}),
        ("class A:\n  x = 1\nclass TestB(A):\n  def test_b(s): ...", {"TestB.test_b"}),
        (
            "class A:\n  def setup_method(s): 1\nclass TestB(A):\n  def test_b(s): ...",
            {"TestB.test_b"},
        ),
        (
            "class A:\n  def h(s): 1\nclass B(A): ...\nclass TestC(B):\n  def test_c(s): s.h()",
            {"TestC.test_c"},
        ),
        (
            "class TestA:\n  def test_a(s): 1\nclass TestB(TestA):\n  def test_b(s): ...",
            {"TestA.test_a"},
        ),
        # Nested classes.
        (
            "class TestA:\n  class TestB:\n    def test_b(s): 1\n    def test_c(s): ...",
            {"TestA.TestB.test_b"},
        ),
        ("class TestA:\n  x = 1\n  class TestB:\n    def test_b(s): ...", {"TestA.TestB.test_b"}),
        ("class TestA:\n  class TestB:\n    x = 1\n    def test_b(s): ...", {"TestA.TestB.test_b"}),
        (
            "class TestA:\n  class TestB:\n    def setup_method(s): 1\n    def test_b(s): ...",
            {"TestA.TestB.test_b"},
        ),
        ("class TestA:\n  class In:\n    x = 1\n  def test_a(s): s.In", {"TestA.test_a"}),
        # Helper classes: others call their methods without this file naming them.
        ("class Fake:\n  def write(s, x): 1\ndef test_a(): print(file=Fake())", {"test_a"}),
        (
            "class Fake:\n  def write(s): 1\ndef make(): return Fake()\ndef test_a(): go(make())",
            {"test_a"},
        ),
        (
            "class Fake:\n  def write(s): 1\n@fixture\ndef f(): return Fake()\ndef test_a(f): f",
            {"test_a"},
        ),
        ("class Fake:\n  def __call__(s): 1\ndef test_a(): run(Fake())", {"test_a"}),
        ("class Fake:\n  x = 1\ndef test_a(): run(Fake())", {"test_a"}),
        ("class Fake:\n  class In:\n    def write(s): 1\ndef test_a(): run(Fake)", {"test_a"}),
        (
            "class A:\n  def a(s): return s.b()\n  def b(s): return 1\ndef test_a(): A().a()",
            {"test_a"},
        ),
        # Same-named definitions are one.
        ("def f(): 1\ndef f(): pass\ndef test_a(): f()", {"test_a"}),
        ("def test_a(): 1\ndef test_a(): pass", {"test_a"}),
        ("class TestA:\n  def test_a(s): 1\nclass TestA:\n  def test_a(s): ...", {"TestA.test_a"}),
        # The standard library is taken to bind names only.
        ("from os import a1 as p\ndef test_a(): p", {"test_a"}),
        ("import os, a.b\nfrom os import a1", set()),
        ("'docs 1'\ndef test_a(): ...", set()),
        ("'docs 1'\ndef test_a(): print(__doc__)", {"test_a"}),
    ],
)
def test_what_an_edit_of_a_test_module_reaches(text: str, expected: set[str]) -> None:
    edits = changed(text + OTHER, "1", "2")
    assert selected(edits) == expected
    back = changed((text + OTHER).replace("1", "2"), "2", "1")
    assert selected(back) == expected


@pytest.mark.parametrize(
    ("text", "least"),
    [
        ("def f(): return 1\nx = [f() for _ in y]\n@p('v', x)\ndef test_a(v): ...", {"test_a"}),
        ("A, *B = x(1)\ndef test_a(): B", {"test_a"}),
        ("def _f(): return 1\nf = fixture(_f)\ndef test_a(f): ...", {"test_a"}),
        ("@deco(1)\nclass TestA:\n  def test_a(s): ...", {"TestA.test_a"}),
        ("class TestA:\n  pytestmark = mark(1)\n  def test_a(s): ...", {"TestA.test_a"}),
    ],
)
def test_calls_at_import_reach_at_least_who_names_the_result(text: str, least: set[str]) -> None:
    """They may reach all: who knows what a call hands on."""
    found = selected(changed(text + OTHER))
    assert found == WHOLE or least <= set(found)


@pytest.mark.parametrize(
    "text",
    [
        "f(1)",
        "if x():\n  A = 1",
        "os.environ['A'] = '1'",
        "def f(): 1\nf()",
        "A = 1\nregister(A)",
        "def f(): 1\nif f(): pass",
        "class A:\n  x = 1\nregister(A)",
        "pytestmark = mark(1)",
        "def setup_module(): 1",
        "def teardown_function(f): 1",
        "def setUpModule(): 1",
        "def pytest_generate_tests(metafunc): 1",
        "def __getattr__(name): 1",
        "def load_tests(a, b, c): 1",
        "pytest_plugins = ['a1']",
        "__test__ = 1",
        "@fixture(autouse=True)\ndef f(): 1",
        "@fixture(autouse=X)\ndef f(): 1",
        "@fixture(**X)\ndef f(): 1",
        "def h(): 1\n@fixture(autouse=True)\ndef f(): h()",
        "def h(): 1\ndef setup_module(): h()",
        "A = 1\ndef pytest_generate_tests(m): A",
        # A fixture whose name is computed: nobody can tell who asks for it.
        "@fixture(name=X)\ndef f(): 1",
        # Imports of something else than the standard library may do more than bind a name.
        "import a1",
        "from . import a1",
        "from .a1 import b",
        "from a import b1",
        "from os import x\nfrom a1 import x",
        # It changes what annotations are, for the whole module.
        "from __future__ import annotations as a1",
        # Looked up by computation.
        "def f(): 1\ndef g(n): globals()[n]()",
        "def f(): 1\ndef g(n): getattr(x, n)()",
        "def f(): 1\ndef g(n): eval(n)",
        "def f(): 1\ndef g(n): vars(x)[n]",
        "def f(): 1\ndef g(n): x.__dict__[n]",
        "def f(): 1\nX = inspect.getmembers(sys.modules[__name__])",
        "def f(): 1\ndef g(n): operator.attrgetter(n)(x)",
        "def f(): 1\nX = [x for x in dir(sys.modules[__name__])]",
        "@fixture\ndef f(): 1\ndef test_a(request): request.getfixturevalue(x)",
        "class B: ...\nclass A(B):\n  def f(s): 1\nX = B.__subclasses__()",
        "class B:\n  def __init_subclass__(c): ...\nclass A(B):\n  def f(s): 1\nX = [B]",
        # Handed to somebody else at import, who calls it by whatever name.
        "@app.route('/')\ndef f(): 1",
        "@given('a step')\ndef f(): 1",
        "@register\ndef f(): 1",
        "@register\nclass A:\n  def f(s): 1",
        "@register\nclass A:\n  x = 1",
        "@patchbay.add\ndef f(): 1",
        "@app.format\ndef f(): 1",
        "@app.get('/1')\nasync def f(): ...",
        "@hookimpl(specname='pytest_runtest_setup')\ndef f(): 1",
        "def f(): 1\nX = app.route('/')(f)",
        "X = app.mount(1)",
        "def f(): 1\nX = register(f)",
        "X = register(1)",
        "def f(): 1\nX = list(map(register, [f]))",
        "R = []\ndef register(f): R.append(f)\ndef f(): 1\nX = register(f)\ndef g(): R[0]()",
        "def f(): 1\n@register\n@partial\ndef g(): f()",
        "_ = settings.configure(1)",
        # A base or a metaclass of another file may know its subclasses.
        "class Fake(Real):\n  def write(s): 1",
        "class Fake(metaclass=Registry):\n  def write(s): 1",
        "class A(Real): ...\nclass Fake(A):\n  def write(s): 1",
        "X = next(1)",
        "def helper(k=register(1)): ...",
        # So may whoever is given the module's name, or decorates tests.
        "def handler(): 1\nX = include(__name__)",
        "def case_one(): 1\n@cases('.')\ndef test_other(): ...",
    ],
)
def test_edits_that_reach_the_whole_module(text: str) -> None:
    text += "\ndef test_other(): use(app, REGISTRY)\n"
    for old, new in ("1", "2"), ("2", "1"):
        found = selected(changed(text.replace(new, old), old, new))
        assert found == WHOLE or "test_other" in found


def test_no_edit_reaches_nothing() -> None:
    text = "import a\nregister()\ndef f(): ...\ndef test_a(): f()"
    assert selected(edited(text, text)) == set()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # Added and removed.
        ("def test_a(): ...", "def test_a(): ...\ndef test_b(): ...", {"test_b"}),
        ("def test_a(): ...\ndef test_b(): ...", "def test_a(): ...", set()),
        ("def test_a(): ...", "def test_b(): ...", {"test_b"}),
        ("def test_a(): f()", "def f(): ...\ndef test_a(): f()", {"test_a"}),
        ("def f(): ...\ndef test_a(): f()", "def test_a(): f()", {"test_a"}),
        ("def test_a(f): ...", "@fixture\ndef f(): ...\ndef test_a(f): ...", {"test_a"}),
        ("@fixture\ndef f(): ...\ndef test_a(f): ...", "def test_a(f): ...", {"test_a"}),
        ("@fixture(name='f')\ndef _f(): ...\ndef test_a(f): ...", "def test_a(f): ...", {"test_a"}),
        ("@fixture(autouse=True)\ndef f(): ...\ndef test_a(): ...", "def test_a(): ...", WHOLE),
        ("def test_a(): ...", "@fixture(autouse=True)\ndef f(): ...\ndef test_a(): ...", WHOLE),
        (
            "@fixture\ndef f(): ...\ndef test_a(): ...",
            "@fixture(autouse=1)\ndef f(): ...\ndef test_a(): ...",
            WHOLE,
        ),
        ("def setup_module(): ...\ndef test_a(): ...", "def test_a(): ...", WHOLE),
        ("import os\ndef test_a(): os", "def test_a(): os", {"test_a"}),
        ("def test_a(): ...", "import os\ndef test_a(): ...", set()),
        ("def test_a(): ...", "import x\ndef test_a(): ...", WHOLE),
        ("import x\ndef test_a(): ...", "def test_a(): ...", WHOLE),
        ("def test_a(): ...", "from __future__ import annotations\ndef test_a(): ...", WHOLE),
        # Overrides.
        (
            "class A:\n  def h(s): ...\nclass TestB(A):\n  def h(s): ...\n  def test_b(s): s.h()",
            "class A:\n  def h(s): ...\nclass TestB(A):\n  def test_b(s): s.h()",
            {"TestB.test_b"},
        ),
        (
            "class TestB(Imported):\n  def h(s): ...\n  def test_b(s): ...",
            "class TestB(Imported):\n  def test_b(s): ...",
            {"TestB.test_b"},
        ),
        (
            "class TestB:\n  def setup_method(s): ...\n  def test_b(s): ...",
            "class TestB:\n  def test_b(s): ...",
            {"TestB.test_b"},
        ),
        (
            "class A:\n  x = 1\nclass TestB(A):\n  x = 2\n  def test_b(s): ...",
            "class A:\n  x = 1\nclass TestB(A):\n  def test_b(s): ...",
            {"TestB.test_b"},
        ),
        # Renamed, moved, turned into something else.
        ("def test_a(): f()\ndef f(): 1", "def f(): 1\ndef test_a(): f()", set()),
        ("def f(): ...\ndef test_a(): f()", "f = g\ndef test_a(): f()", {"test_a"}),
        ("def f(): ...\ndef test_a(): f()", "class f: ...\ndef test_a(): f()", {"test_a"}),
        ("class TestA:\n  def test_a(s): ...", "def test_a(): ...", {"test_a"}),
        (
            "class A(B): ...\nclass TestC(A):\n  def test_c(s): ...",
            "class A: ...\nclass TestC(A):\n  def test_c(s): ...",
            WHOLE,
        ),
        (
            "@fixture\ndef f(): ...\ndef test_a(f): ...",
            "def f(): ...\ndef test_a(f): ...",
            {"test_a"},
        ),
        (
            "@fixture(name='f')\ndef _f(): ...\ndef test_a(f): ...",
            "@fixture(name='g')\ndef _f(): ...\ndef test_a(f): ...",
            {"test_a"},
        ),
        ("def test_a(): ...", "@slow\ndef test_a(): ...", WHOLE),
        ("def test_a(): ...", "@pytest.mark.slow\ndef test_a(): ...", {"test_a"}),
        # What only the base text shows still counts.
        ("A = 1\nB = A\ndef test_a(): B", "A = 2\nB = 3\ndef test_a(): B", {"test_a"}),
    ],
)
def test_what_was_added_removed_or_turned(
    before: str, after: str, expected: set[str] | str
) -> None:
    assert selected(edited(before + OTHER, after + OTHER)) == expected


@pytest.mark.parametrize(
    ("names", "inherited", "expected"),
    [
        (("test_a",), False, True),
        (("test_b",), False, False),
        (("TestA.test_x",), False, True),  # its class is reached
        (("TestA.Inner.test_x",), False, True),
        (("TestB.test_x",), False, False),
        (("TestB.test_x", "TestA.test_x"), False, True),  # a base class of this file is
        (("TestB.test_y", "TestB.test_x"), False, False),
        (("test_made_by_code",), False, True),
        (("TestB.test_made",), False, True),
        (("TestB.test_made",), True, False),  # known to come from another file
        (("TestA.test_made",), True, True),
        ((), False, True),
        # A class made elsewhere and bound here, as `TestX = Machine.TestCase`.
        ((), True, True),
        (("TestAB.test_x",), False, True),  # unknown; no prefix of a name counts
        (("TestAB.test_x",), True, False),
    ],
)
def test_which_tests_a_reach_has(names: tuple[str, ...], inherited: bool, expected: bool) -> None:
    known = frozenset(("test_a", "test_b", "TestA", "TestA.test_x", "TestB", "TestB.test_x"))
    reach = Reach(None, frozenset(("test_a", "TestA")), known)
    assert reach.has(names, inherited) is expected
    assert Reach("all of it", frozenset(), known).has(names, inherited)


def test_an_inherited_test_uses_the_fixtures_of_the_module_that_collects_it() -> None:
    """A shared suite, run with a fixture of this file: the suite's file names the fixture."""
    text = "@fixture\ndef store(): return 1\nclass TestHere(Suite): ...\n"
    assert reach_of(changed(text)).has(("TestHere.test_of_suite",), inherited=True)
    assert reach_of(changed(text)).has((), inherited=True)  # `from suite import TestSuite`


def test_a_state_machine_is_reached_through_the_test_case_it_makes() -> None:
    text = "class M(RuleBasedStateMachine):\n  @rule()\n  def r(s): 1\nTestM = M.TestCase\n"
    assert reach_of(changed(text)).has((), inherited=True)


# --- conftests -----------------------------------------------------------------------------------


def fixtures(found: Edit) -> set[str] | str:
    reach = in_conftest(found)
    return WHOLE if reach.whole is not None else set(reach.fixtures)


CONFTEST = "\n@fixture\ndef other(): ...\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@fixture\ndef f(): 1", {"f"}),
        ("@fixture\ndef f():\n  'doc 1'", {"f"}),
        ("@fixture(name='db')\ndef f(): 1", {"db"}),
        ("@fixture\nasync def f(): 1", {"f"}),
        ("@fixture\ndef f(x=1): ...", {"f"}),
        ("@fixture\ndef f(): 1\n@fixture\ndef g(f): ...", {"f", "g"}),
        (
            "@fixture\ndef f(): 1\n@fixture\ndef g(request): request.getfixturevalue('f')",
            {"f", "g"},
        ),
        ("def h(): 1\n@fixture\ndef f(): h()", {"f"}),
        ("def h(): 1\ndef i(): h()\n@fixture\ndef f(): i()\n@fixture\ndef g(): h()", {"f", "g"}),
        ("def h(): 1", set()),
        ("'docs 1'", set()),
        # What lies in a class is handed on, and called by names that stand elsewhere.
        ("class Fake:\n  def send(s): 1\n@fixture\ndef f(): return Fake()", {"f"}),
        (
            "class Fake:\n  def send(s): 1\ndef make(): return Fake()\n@fixture\ndef f(): make()",
            {"f"},
        ),
        ("class Fake:\n  x = 1\n@fixture\ndef f(): return Fake()", {"f"}),
        ("class Fake:\n  def __call__(s): 1\n@fixture\ndef f(): return Fake()", {"f"}),
        ("@contextmanager\ndef h(): 1\n@fixture\ndef f():\n  with h(): yield", {"f"}),
    ],
)
def test_what_an_edit_of_a_conftest_reaches(text: str, expected: set[str]) -> None:
    wide = "class" in text or "@context" in text  # to reach all would be safe as well
    found = fixtures(changed(text + CONFTEST))
    assert found == expected or (wide and found == WHOLE)


@pytest.mark.parametrize(
    "text",
    [
        "f(1)",
        "A = 1",
        "import a1",
        "import os as a1",
        "from __future__ import annotations as a1",
        "pytest_plugins = ['a1']",
        "if x: A = 1",
        "class A(B1): ...",
        "@fixture(autouse=True)\ndef f(): 1",
        "@fixture(name=X)\ndef f(): 1",
        "@fixture(**X)\ndef f(): 1",
        "@fixture(scope=1)\ndef f(): ...",
        "@fixture(params=[1])\ndef f(): ...",
        "def pytest_runtest_setup(item): 1",
        "def pytest_configure(config): 1",
        "def h(): 1\ndef pytest_collection_modifyitems(items): h()",
        "def h(): 1\n@fixture(autouse=True)\ndef f(): h()",
        "class P:\n  def pytest_runtest_call(s): 1\ndef pytest_configure(c): c.register(P())",
        "class P:\n  def x(s): 1\ndef pytest_configure(c): c.register(P())",
        "def h(): 1\nh()",
        "def h(): 1\nX = h()",
        "A = 1\n@fixture\ndef f(): A",
        "def setup_module(): 1",
        "collect_ignore = ['1']",
        "def collect_ignore_glob(): 1",
        # Looked up by computation.
        "def make_a(): 1\n@fixture\ndef f(request): return globals()['make_' + x]()",
        "def make_a(): 1\n@fixture\ndef f(request): return getattr(me, 'make_' + x)()",
        "class B: ...\nclass A(B):\n  def f(s): 1\n@fixture\ndef f(): B.__subclasses__()",
        # Handed to somebody else at import.
        "@hookimpl(specname='pytest_runtest_setup')\ndef mine(item): 1",
        "@given('a step')\ndef step(): 1",
        "@app.route('/')\ndef page(): 1",
        "@register\nclass A:\n  def f(s): 1",
        "session = partial(pytest.fixture, scope='session')\n@session()\ndef db(): 1",
        "def page(): 1\nX = app.route('/')(page)",
    ],
)
def test_edits_that_reach_everything_below_a_conftest(text: str) -> None:
    assert fixtures(changed(text + CONFTEST)) == WHOLE


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "@fixture\ndef f(): ..."),
        ("@fixture\ndef f(): ...", ""),
        ("@fixture\ndef f(): ...", "def f(): ..."),
        ("def f(): ...", "@fixture\ndef f(): ..."),
        ("@fixture\ndef f(): ...", "@fixture(autouse=True)\ndef f(): ..."),
        ("@fixture(name='a')\ndef f(): ...", "@fixture(name='b')\ndef f(): ..."),
        ("def pytest_configure(): ...", ""),
        ("", "import os"),
        ("", "A = 1"),
        ("def h(): ...", ""),
        ("import x\nf()", "f()\nimport x"),
    ],
)
def test_whatever_is_added_or_removed_in_a_conftest_counts_for_all(before: str, after: str) -> None:
    assert fixtures(edited(before + CONFTEST, after + CONFTEST)) == WHOLE


def test_no_edit_of_a_conftest_reaches_nothing() -> None:
    text = "import x\nf()\n" + CONFTEST
    assert fixtures(edited(text, text)) == set()
