"""Whom an edit of a module concerns, by name: for each rule the smallest program that needs it."""

import ast
from collections.abc import Iterable

import pytest

from pytest_ciopt.core.edits.definitions import Definition, Module, module
from pytest_ciopt.core.proof import prints
from pytest_ciopt.core.proof.prints import without_types
from pytest_ciopt.core.proof.spread import MOST, Impact, Spread, Unit


class Tree:
    """Sources in memory, in which every file sees every other."""

    def __init__(self, files: dict[str, str], new: Iterable[str] = ()) -> None:
        self.files, self.new = files, frozenset(new)

    def cut(self, path: str) -> Module | None:
        try:
            return module(without_types(ast.parse(self.files[path])))
        except SyntaxError:
            return None

    def around(self, path: str, word: str) -> Module | None:
        return self.cut(path)

    def mentions(self, path: str, word: str) -> bool:
        return word in self.files[path]

    def users(self, path: str) -> frozenset[str]:
        return frozenset(self.files)

    def is_collected(self, path: str) -> bool:
        return "test" in path

    def is_own(self, top: str) -> bool:
        return top == "" or f"{top}.py" in self.files

    def imports_new(self, path: str, definition: Definition) -> bool:
        return not definition.origins.isdisjoint(self.new)


def spread(
    old: str,
    new: str,
    /,
    outside: Iterable[Unit] = (),
    together: Iterable[Unit] = (),
    imports: Iterable[str] = (),
    path: str = "m.py",
    **others: str,
) -> Impact:
    """The impact of an edit of `m.py`, beside other files (`user="…"` is `user.py`)."""
    files = {f"{name}.py": text for name, text in others.items()} | {path: new}
    before = prints.source("", ast.parse(old))
    after = prints.source("", ast.parse(new))
    assert before is not None
    assert after is not None
    beside = set(together)
    found = Spread(
        Tree(files, imports), set(outside).__contains__, lambda _, other: other in beside
    )
    return found.add(path, prints.difference(before, after))


USER = "from m import f, X, C\ndef uses(): f(); X; C().go()\ndef spared(): pass\n"


def test_a_body_concerns_whoever_ran_it() -> None:
    found = spread("def f(): return 1", "def f(): return 2", user=USER)
    assert found.units == {("m.py", "f")}
    assert found.closures == {}


def test_a_constant_concerns_whoever_mentions_it() -> None:
    found = spread("X = 1", "X = 2", user=USER)
    assert ("user.py", "uses") in found.units
    assert ("user.py", "spared") not in found.units
    assert found.closures == {}


def test_a_mention_in_a_string_counts() -> None:
    user = 'def patches(): mock.patch("m.X")\n'
    assert ("user.py", "patches") in spread("X = 1", "X = 2", user=user).units


def test_what_a_class_holds_is_not_followed_by_its_own_name() -> None:
    user = "def other(x): return x.size\n"
    assert ("user.py", "other") not in spread(CLASS, CLASS.replace("1", "2"), user=user).units


def test_what_is_made_from_a_constant_changes_with_it() -> None:
    user = "from m import X\nY = X + 1\ndef uses(): return Y\n"
    far = "from user import Y as Z\ndef uses(): return Z\n"
    found = spread("X = 1", "X = 2", user=user, far=far)
    assert {("user.py", "uses"), ("far.py", "uses")} <= found.units


def test_defaults_and_decorators_are_bound_at_import() -> None:
    user = "from m import X\ndef g(x=X): return x\n@wraps(X)\ndef h(): pass\n"
    far = "def calls_g(): g()\ndef calls_h(): h()\ndef spared(): pass\n"
    found = spread("X = 1", "X = 2", user=user, far=far)
    assert {("far.py", "calls_g"), ("far.py", "calls_h")} <= found.units
    assert ("far.py", "spared") not in found.units


def test_code_that_runs_at_import_and_uses_it() -> None:
    found = spread("X = 1", "X = 2", user="from m import X\nif X:\n    y = 1\n")
    assert "user.py" in found.closures


def test_effects_concern_everybody() -> None:
    found = spread("print(1)", "print(2)", user=USER)
    assert set(found.closures) == {"m.py"}
    assert ("m.py", "") in found.units  # whoever loads it while a test runs


CLASS = "class C(Base):\n    size = 1\n    def go(self): pass\n    def stay(self): pass\n"


@pytest.mark.parametrize(
    "new",
    [
        CLASS.replace("size = 1", "size = 2"),
        CLASS.replace("    size = 1\n", ""),
        CLASS + "    def more(self): pass\n",
        CLASS + "    def __len__(self): return 1\n",
        CLASS.replace("    def stay(self): pass\n", ""),
    ],
    ids=["attribute", "attribute gone", "method", "dunder", "method gone"],
)
def test_a_class_is_changed_by_what_it_holds(new: str) -> None:
    """Overriding, uncovering, fields of dataclasses: whoever makes one or runs one of it."""
    found = spread(CLASS, new, user=USER)
    assert {("m.py", "C.go"), ("user.py", "uses")} <= found.units
    assert ("user.py", "spared") not in found.units


def test_subclasses_change_with_it() -> None:
    user = "from m import C\nclass D(C):\n    def own(self): pass\n"
    far = "def makes(): D()\n"
    found = spread(CLASS, CLASS + "    def own(self): pass\n", user=user, far=far)
    assert {("user.py", "D.own"), ("far.py", "makes")} <= found.units


def test_a_class_that_a_base_may_register() -> None:
    assert "m.py" in spread("", CLASS, user=USER).closures
    assert "m.py" in spread(CLASS, "", user=USER).closures
    assert "m.py" not in spread(CLASS, CLASS + "    more = 1\n", user=USER).closures


def test_decorators_that_register() -> None:
    assert "m.py" in spread("def f(): pass", "@app.route('/')\ndef f(): pass").closures
    assert "m.py" in spread("@app.route('/')\ndef f(): pass", "").closures


def test_a_body_that_ran_at_import_made_something() -> None:
    user = "from m import f\nTABLE = [f]\ndef uses(): return TABLE\n"
    edit = ("def f(): return 1", "def f(): return 2")
    assert ("user.py", "uses") not in spread(*edit, user=user).units
    assert ("user.py", "uses") in spread(*edit, user=user, outside=[("m.py", "f")]).units


def test_a_method_that_ran_at_import_belongs_to_its_class() -> None:
    old = "class C:\n    def __init__(self): self.x = 1\n"
    user = "from m import C\nONE = C()\ndef uses(): return ONE.x\n"
    ran = [("m.py", "C.__init__")]
    found = spread(old, old.replace("= 1", "= 2"), user=user, outside=ran)
    assert ("user.py", "uses") in found.units


def test_a_cached_function_concerns_whoever_may_call_it() -> None:
    old = "@lru_cache\ndef f(): return 1"
    found = spread(old, old.replace("1", "2"), user=USER)
    assert ("user.py", "uses") in found.units


LAZY = """
from m import f
class Lazy:
    def value(self):
        if self._value is None:
            self._value = self._compute()
        return self._value
    def _compute(self):
        return f()
LAZY = Lazy()
def asks(): LAZY.value()
"""
RAN = [("lazy.py", "Lazy.value"), ("lazy.py", "Lazy._compute")]


def test_what_a_lazy_value_is_made_of_concerns_whoever_may_ask_for_it() -> None:
    """Only the first test that asked was seen to run it."""
    edit = ("def f(): return 1", "def f(): return 2")
    assert ("lazy.py", "asks") in spread(*edit, lazy=LAZY, together=RAN).units
    assert ("lazy.py", "asks") not in spread(*edit, lazy=LAZY).units  # nobody ran it that way


def test_imports_bind_names_and_may_load_modules() -> None:
    old, new = "from a import f", "from b import f"
    assert spread(old, new, user=USER).closures == {}
    assert ("user.py", "uses") in spread(old, new, user=USER).units
    assert "m.py" in spread(old, new, imports=["b"]).closures
    assert spread(old, f"{old}\nfrom b import g", user=USER).closures == {}


def test_a_plain_name_means_what_its_own_module_binds() -> None:
    files = {
        "user": "import X\ndef other(): X()\n",
        "owner": "X = 2\ndef other(): X\ndef through(m): m.X\n",
        "real": "from m import X\ndef uses(): X\n",
    }
    found = spread("import X\n", "X = 1\n", **files).units
    assert {("real.py", "uses"), ("owner.py", "through")} <= found
    assert found.isdisjoint({("user.py", "other"), ("owner.py", "other")})


def test_annotations_decide_nothing_unless_somebody_reads_them() -> None:
    user = "from m import X\ndef f(x: X): pass\n@route\ndef g(x: X): pass\n"
    far = "def calls_f(): f()\ndef calls_g(): g()\n"
    found = spread("X = 1", "X = 2", user=user, far=far).units
    assert ("far.py", "calls_g") in found
    assert ("far.py", "calls_f") not in found


def test_what_only_mentions_a_change_may_be_called_once_as_well() -> None:
    user = """
from m import X
def makes(): return X
@lru_cache
def one(): return makes()
def asks(): one()
"""
    ran = [("user.py", "one"), ("user.py", "makes")]
    assert ("user.py", "asks") in spread("X = 1", "X = 2", user=user, together=ran).units


def test_what_is_named_too_widely_concerns_everybody() -> None:
    chain = "from m import X\nY0 = X\n" + "".join(f"Y{n + 1} = Y{n}\n" for n in range(MOST + 9))
    found = spread("X = 1", "X = 2", user=chain)
    assert "m.py" in found.closures
    assert len(found.units) < MOST + 9


def test_prose_mentions_nothing() -> None:
    user = "def other():\n    'Nothing about X or f.'\n"
    assert ("user.py", "other") not in spread("X = 1", "X = 2", user=user).units


def test_whoever_makes_an_object_calls_what_makes_it() -> None:
    user = """
from m import C
@lru_cache
def one(): return C()
def asks(): one()
"""
    old = "class C:\n    def __init__(self): self.x = 1\n"
    found = spread(old, old.replace("1", "2"), user=user, together=[("user.py", "one")]).units
    assert ("user.py", "asks") in found


def test_a_function_that_is_handed_over_to_be_called_once() -> None:
    user = "from m import f\nVALUE = Lazy(f)\ndef asks(): VALUE.get()\n"
    found = spread("def f(): return 1", "def f(): return 2", user=user)
    assert ("user.py", "asks") in found.units


def test_exports() -> None:
    found = spread("__all__ = ['f']\n", "__all__ = ['f', 'X']\n", user=USER)
    assert ("user.py", "uses") in found.units
    assert found.closures == {}
    assert "m.py" in spread("f = 1\n", "f = 1\n__all__ = []\n", user=USER).closures


@pytest.mark.parametrize(
    "added",
    ["def setup_module(): pass", "pytestmark = 1", "def pytest_generate_tests(metafunc): pass",
     "@pytest.fixture(autouse=True)\ndef one(): pass"],
)  # fmt: skip
def test_what_pytest_looks_up_by_itself(added: str) -> None:
    assert "test_m.py" in spread("", added, path="test_m.py").closures


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("user", "def uses(X): pass", False),
        ("user", "def uses(): X = 1; return X", False),
        ("user", "def uses(): return X", True),
        ("test_user", "def uses(X): pass", True),
        ("test_user", "def uses():\n def test_a(X): pass\n return test_a", True),
        ("base", "class TestBase:\n def uses(self, X): pass", True),
        ("tests/base", "def uses(X): pass", True),
        ("user", "def uses_pytest(X): pass", False),
        ("pytest_checks", "def uses(X): pass", True),  # is collected
        ("plug", "@fixture\ndef uses(X): pass", True),
        ("plug", "def uses(X): pass\nF = fixture(uses)", True),
        ("plug", "def pytest_uses(X): pass", True),
        ("user", "@app.command\ndef uses(X): pass", True),
        ("user", "@lru_cache\ndef uses(X): pass", False),
        # Where the name means something else in its module.
        ("test_user", "X = 2\ndef uses(X): pass", True),
        ("user", "X = 2\ndef uses(X): pass", False),
    ],
)
def test_a_parameter_is_a_mention_where_pytest_may_fill_it(
    name: str, text: str, expected: bool
) -> None:
    found = spread("X = 1", "X = 2", **{name: text})
    assert any("uses" in unit for _, unit in found.units) is expected


def test_a_fixture_that_takes_the_place_of_another() -> None:
    conftest = "@pytest.fixture\ndef db(): pass\n@pytest.fixture\ndef client(db): pass\n"
    found = spread("", "@pytest.fixture\ndef db(): pass\n", path="test_m.py", conftest=conftest)
    assert {("conftest.py", "db"), ("conftest.py", "client")} <= found.units


def test_a_new_test_concerns_no_other() -> None:
    old = "def test_a(): pass\n"
    found = spread(old, f"{old}def test_b(): pass\n", path="test_m.py")
    assert ("test_m.py", "test_a") not in found.units
    assert found.closures == {}


def test_set_up_of_a_class_concerns_the_class() -> None:
    old = "class TestA:\n    def test_a(self): pass\nclass TestB:\n    def test_b(self): pass\n"
    new = old.replace("class TestB", "    def setup_method(self): pass\nclass TestB")
    found = spread(old, new, path="test_m.py")
    assert ("test_m.py", "TestA.test_a") in found.units
    assert ("test_m.py", "TestB.test_b") not in found.units


def test_a_file_that_cannot_be_parsed_may_use_it() -> None:
    assert "user.py" in spread("X = 1", "X = 2", user="X = (").closures


def test_special_names_of_a_module_are_asked_for_by_nobody() -> None:
    assert "m.py" in spread("", "def __getattr__(name): pass").closures
