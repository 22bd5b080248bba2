"""Whom an edit of a module concerns, by name: for each rule the smallest program that needs it."""

import ast
from collections.abc import Collection, Iterable
from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from pytest_ciopt.core.edits.cutting import module
from pytest_ciopt.core.edits.definitions import Definition, Module
from pytest_ciopt.core.edits.places import Places
from pytest_ciopt.core.proof import prints
from pytest_ciopt.core.proof.evidence import Evidence
from pytest_ciopt.core.proof.knowledge import Knowledge
from pytest_ciopt.core.proof.prints import without_types
from pytest_ciopt.core.proof.spread import COMMON, Impact, Lookup, Spread
from pytest_ciopt.core.proof.stretches import Firsts
from recorded import knowledge, process_of, units


class Tree:
    """Sources in memory, in which every file sees every other."""

    def __init__(
        self, files: dict[str, str], then: dict[str, str], new: Iterable[str] = ()
    ) -> None:
        """`then`: texts when the record was made; `new`: modules that were not loaded."""
        self.files, self.before, self.new = files, then, frozenset(new)

    def cut(self, path: str) -> Module | None:
        try:
            return module(without_types(ast.parse(self.files[path])))
        except SyntaxError:
            return None

    def around(self, path: str, word: str) -> Module | None:
        return self.cut(path)

    def mentions(self, path: str, word: str) -> bool:
        return word in self.files[path]

    def hands(self, path: str, word: str) -> bool:
        return self.mentions(path, word)

    def users(self, path: str) -> frozenset[str]:
        return frozenset(self.files)

    def is_collected(self, path: str) -> bool:
        return "test" in path

    def is_own(self, top: str) -> bool:
        return top == "" or f"{top}.py" in self.files

    def binds_unseen(self, path: str) -> bool:
        return "import *" in self.files[path]

    def loads_by_name(self, path: str) -> bool:
        return any("import_module" in text for text in self.files.values())

    def imported(self, user: str, level: int, module: str) -> Collection[str]:
        return {f"{module}.py"} & self.files.keys()

    def checks_types(self) -> bool:
        return any("meta_path" in text for text in self.files.values())

    def meets_installed(self, path: str) -> bool:
        return any("import installed" in text for text in self.files.values())

    def is_led_to(self, path: str) -> bool:
        return "ready" in self.files[path] or "urlpatterns" in self.files[path]

    def is_looked_up(self, path: str, name: str) -> bool:
        return self.is_led_to(path) and name == "urlpatterns"

    def naming(self, word: str) -> Iterable[str]:
        return [path for path in sorted(self.files) if self.mentions(path, word)]

    def defining(self, name: str) -> Iterable[str]:
        return [path for path in sorted(self.files) if self.mentions(path, name)]

    def places(self, path: str) -> Places | None:
        return Places(ast.parse(self.before[path])) if path in self.before else None

    def then(self, path: str) -> Module | None:
        return module(ast.parse(self.before[path])) if path in self.before else None

    def loads_otherwise(self, path: str) -> str | None:
        return None

    def imports_new(self, path: str, definition: Definition) -> bool:
        return not definition.origins.isdisjoint(self.new)


NOTHING = knowledge()


def spread(
    old: str,
    new: str,
    /,
    seen: Knowledge = NOTHING,
    new_modules: Iterable[str] = (),
    path: str = "m.py",
    forgotten: Iterable[str] = (),
    by_name: bool = True,
    **others: str,
) -> Impact:
    """The impact of an edit of `m.py`, beside other files (`user="…"` is `user.py`).

    `forgotten`: files whose text at the time of the record nobody knows.
    """
    beside = {f"{name}.py": text for name, text in others.items()}
    then = {p: text for p, text in (beside | {path: old}).items() if p not in forgotten}
    before = prints.source("", ast.parse(old))
    after = prints.source("", ast.parse(new))
    assert before is not None
    assert after is not None
    tree = Tree(beside | {path: new}, then, new_modules)
    found = Spread(Lookup(tree, Evidence(seen)), Firsts(process_of(seen)), by_name=by_name)
    return found.add(path, prints.difference(before, after))


def edited(seen: Knowledge, /, **others: Any) -> Impact:
    """The impact of another body of `m.f`."""
    return spread("def f(): return 1", "def f(): return 2", seen, **others)


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


def test_what_a_framework_looks_up_concerns_all_who_can_see_it() -> None:
    found = spread("X = 1", "X = 2", urls="from m import X\nurlpatterns = [X]\n")
    assert found.closures == {"urls.py": "urlpatterns may be looked up by what loads the module"}


def test_a_mention_in_a_string_counts() -> None:
    user = 'def patches(): mock.patch("m.X")\n'
    assert ("user.py", "patches") in spread("X = 1", "X = 2", user=user).units


def test_what_a_class_holds_is_not_followed_by_its_own_name() -> None:
    user = "def other(x): return x.size\n"
    assert ("user.py", "other") not in spread(CLASS, CLASS.replace("1", "2"), user=user).units


@pytest.mark.parametrize(
    ("held", "concerned"),
    [
        ("X = 1", False),
        ("X: int", False),
        ("X = 'other'", False),
        ("X = X + 1", True),
        ("X: list[X]", True),
        ("X: 'X' = 1", True),
        ("Y = X", True),
        ("def X(self): pass", False),
        ("def X(self): return X", True),
    ],
)
def test_something_in_a_class_that_is_named_alike(held: str, concerned: bool) -> None:
    user = f"from m import X\nclass D:\n  {held}\ndef uses(): return D()\n"
    found = spread("X = 1", "X = 2", user=user)
    assert (not found.units.isdisjoint({("user.py", "uses"), ("user.py", "D.X")})) is concerned


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
    found = spread("X = 1", "X = 2", user="from m import X\nif X:\n    print(1)\n")
    assert "user.py" in found.closures


@pytest.mark.parametrize(
    "chosen",
    [
        "if X:\n  y = 1\nelse:\n  y = 2",
        "if other:\n  y = 1\nelif X:\n  y = 2",
        "if other:\n  if X: y = 1",
        "if X:\n  from ext import y\nelse:\n  y = None",
        "try:\n  from ext import y\nexcept X:\n  y = None",
        "try:\n  y = X\nexcept ImportError:\n  pass",
        "class C:\n  if X: y = 1",
    ],
)
def test_what_is_bound_by_choice(chosen: str) -> None:
    user = f"from m import X\n{chosen}\ndef uses(a): return y, a.y, C\ndef spared(): pass\n"
    found = spread("X = 1", "X = 2", user=user)
    assert ("user.py", "uses") in found.units
    assert ("user.py", "spared") not in found.units
    assert found.closures == {}


def test_an_import_that_is_tried() -> None:
    """Somebody may learn of what an installed decorator is given, if there is one."""
    tried = "try:\n  from ext import register\nexcept ImportError:\n  register = None\n"
    made = "@register\ndef f(): pass\n"
    old = f"{tried}{made}"
    found = spread(old, old.replace("@register", "@register(1)"))
    assert found.closures == {"m.py": "who learns of f cannot be told"}


def test_a_module_that_is_tried_and_was_not_loaded() -> None:
    tried = "try:\n  from {} import y\nexcept ImportError:\n  y = None\n"
    found = spread(tried.format("ext"), tried.format("unheard_of"), new_modules=["unheard_of"])
    assert "m.py" in found.closures


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
    assert "m.py" in spread(CLASS, CLASS + "    more = 1\n", user=USER).closures


@pytest.mark.parametrize("base", ["pydantic", "attrs", "werkzeug.exceptions", "click"])
def test_a_class_of_which_its_base_keeps_no_account(base: str) -> None:
    """By what these distributions do; another one may, as an ORM does of its tables."""
    old = f"from {base} import Base\n{CLASS}"
    new = old + "    more: int\n"
    assert "m.py" not in spread(old, new, user=USER).closures
    assert ("user.py", "uses") in spread(old, new, user=USER).units
    assert "m.py" in spread(*(text.replace(base, "orm") for text in (old, new))).closures


ATTRS = "import attr\n@attr.s\nclass C:\n    size = attr.ib(default=1)\n    def go(self): pass\n"


def test_decorators_and_fields_that_keep_nothing() -> None:
    new = ATTRS.replace("default=1", "default=2")
    found = spread(ATTRS, new, user=USER)
    assert "m.py" not in found.closures
    assert ("user.py", "uses") in found.units
    others = (text.replace("attr", "orm") for text in (ATTRS, new))
    assert "m.py" in spread(*others, user=USER).closures


def test_what_a_class_inherits_from_one_that_a_base_may_register() -> None:
    """A mixin of it, and a class of the project in between."""
    old = (
        "import orm\nSIZE = 1\nclass Table(orm.Base): pass\n"
        "class Mixin:\n    stamp = 1\nclass C(Mixin, Table):\n    size = SIZE\n"
    )
    for before, after in (("stamp = 1", "stamp = 2"), ("SIZE = 1", "SIZE = 2")):
        assert "m.py" in spread(old, old.replace(before, after)).closures
    alone = old.replace("(orm.Base)", "")
    assert "m.py" not in spread(alone, alone.replace("SIZE = 1", "SIZE = 2")).closures


def test_decorators_that_register() -> None:
    assert "m.py" in spread("def f(): pass", "@app.route('/')\ndef f(): pass").closures
    assert "m.py" in spread("@app.route('/')\ndef f(): pass", "").closures


def test_a_cached_function_concerns_whoever_may_call_it() -> None:
    old = "@lru_cache\ndef f(): return 1"
    found = spread(old, old.replace("1", "2"), user=USER)
    assert ("user.py", "uses") in found.units


def test_imports_bind_names_and_may_load_modules() -> None:
    old, new = "from a import f", "from b import f"
    assert spread(old, new, user=USER).closures == {}
    assert ("user.py", "uses") in spread(old, new, user=USER).units
    assert "m.py" in spread(old, new, new_modules=["b"]).closures
    assert spread(old, f"{old}\nfrom b import g", user=USER).closures == {}


def test_a_plain_name_means_what_its_own_module_binds() -> None:
    files: dict[str, Any] = {
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
    seen = knowledge(calls=["user:one > user:makes"])
    assert ("user.py", "asks") in spread("X = 1", "X = 2", seen, user=user).units
    assert ("user.py", "asks") not in spread("X = 1", "X = 2", user=user).units


def test_what_is_used_too_widely_concerns_everybody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(import_module("pytest_ciopt.core.proof.spread"), "MOST", 20)
    chain = "from m import X\nY0 = X\n" + "".join(f"Y{n + 1} = Y{n}\n" for n in range(40))
    found = spread("X = 1", "X = 2", user=chain)
    assert "m.py" in found.closures
    assert len(found.units) < 40


def test_a_name_in_too_many_files_concerns_everybody() -> None:
    text = "def uses(X): return X.get\ndef calls(): return X\n"
    users = {f"user{n}": text for n in range(COMMON + 1)}
    found = spread("X = 1", "X = 2", **users)
    assert set(found.closures) == {"m.py"}
    assert ("user0.py", "calls") not in found.units
    del users["user0"], users["user1"]
    assert spread("X = 1", "X = 2", **users).closures == {}


def test_a_function_that_got_it_when_it_first_ran_may_have_kept_it() -> None:
    """However it is written: the value may be kept by others for it."""
    user = "from m import f\ndef asks(): return STORE.get(f)\ndef spared(): pass\n"
    seen = knowledge(["m:f user:asks", "user:asks"], ["user:asks > m:f"])
    assert ("user.py", "asks") in edited(seen, user=user).units
    late = knowledge(["user:asks", "m:f user:asks"], ["user:asks > m:f"])
    assert ("user.py", "asks") not in edited(late, user=user).units


def test_each_of_several_changes_is_followed_all_the_way() -> None:
    """They share a caller, which first ran with the second one only."""
    old = "def f(): return 1\ndef g(): return 1\n"
    user = "from m import f, g\ndef helps(): f(); g()\ndef asks(): helps()\n"
    calls = ["test_a:test_one > user:asks > user:helps > m:f", "user:helps > m:g"]
    tests = ["test_a:test_one user:asks user:helps m:g", "user:asks", "user:helps m:f"]
    found = spread(old, old.replace("1", "2"), knowledge(tests, calls), user=user, test_a="")
    assert ("user.py", "asks") in found.units


@pytest.mark.parametrize(
    ("often", "text", "expected"),
    [
        ("m:g", "from m import f\ndef asks(x): x.f()", False),
        ("m:f", "from m import f\ndef asks(x): x.f()", True),
        ("m:f", "from m import f\ndef asks(x): x.g()", False),
        ("m:f", "from m import f\ndef asks(x, f): x.f = f; x.g(f=1)", False),
        ("m:f", "from m import f\ndef asks(x): getattr(x, 'f')()", True),
    ],
)
def test_callers_of_what_is_called_often_are_not_all_known(
    often: str, text: str, expected: bool
) -> None:
    """Whoever looks it up, and first ran with what changed, may be one."""
    tests = ["test_a:test_one m:f user:asks user:runs", "other:f"]
    calls = ["test_a:test_one > user:runs > m:f"]
    user = f"{text}\ndef runs(): f()\n"
    found = edited(knowledge(tests, calls, often=often), user=user, test_a="").units
    assert (("user.py", "asks") in found) is expected


def test_what_ran_below_a_function_at_import_it_may_have_kept() -> None:
    user = "from m import f\ndef asks(): return f()\nX = asks()\n"
    seen = knowledge(imports=["user::3 > user:asks > m:f"])
    assert ("user.py", "asks") in edited(seen, user=user).units


@pytest.mark.parametrize(
    ("text", "expected"),
    [("return x + x", False), ("if x not in KEPT: KEPT[x] = x + x", True)],
)
def test_operators_have_no_names_so_whoever_keeps_something_may_use_them(
    text: str, expected: bool
) -> None:
    old = "class C:\n    def __add__(self, other): return 1\n"
    tests = ["test_a:test_one m:C.__add__ user:asks user:runs"]
    seen = knowledge(tests, ["test_a:test_one > user:runs > m:C.__add__"], often="m:C.__add__")
    user = f"KEPT = {{}}\ndef asks(x): {text}\ndef runs(x): return x + x\n"
    found = spread(old, old.replace("1", "2"), seen, user=user, test_a="").units
    assert (("user.py", "asks") in found) is expected


@pytest.mark.parametrize(
    ("text", "base", "expected"),
    [
        ("def asks(x): x.go()", "", False),
        ("def asks(x):\n    with x: pass", "", True),
        ("async def asks(x):\n    async with x: pass", "", True),
        ("def asks(x, stack): stack.enter_context(x)", "", True),
        ("def asks(x): x(C)", "", True),
        ("def asks(x): x.go()", "(contextlib.ContextDecorator)", False),
        ("def asks(x):\n    if not KEPT: KEPT.append(x.go())", "", False),
        (
            "def asks(x):\n    if not KEPT: KEPT.append(x.go())",
            "(contextlib.ContextDecorator)",
            True,
        ),
    ],
    ids=[
        *("nothing", "with", "async with", "stack", "class"),
        *("decorator", "keeps", "decorator that keeps"),
    ],
)
def test_context_managers_are_entered_by_a_statement(text: str, base: str, expected: bool) -> None:
    old = f"class C{base}:\n    def __enter__(self): return 1\n"
    tests = ["test_a:test_one m:C.__enter__ user:asks user:runs"]
    calls = ["test_a:test_one > user:runs > m:C.__enter__"]
    user = f"from m import C\nKEPT = []\n{text}\ndef runs(x):\n    with x: pass\n"
    seen = knowledge(tests, calls, often="m:C.__enter__")
    found = spread(old, old.replace("1", "2"), seen, user=user, test_a="").units
    assert (("user.py", "asks") in found) is expected


GIVEN = """
{}
def uses({}): return {}
@lru_cache
def one(): return uses()
def asks(): return one()
"""


@pytest.mark.parametrize(
    ("name", "decorator", "parameter", "body", "expected"),
    [
        ("user", "", "", "it.server", False),
        ("user", "", "server", "server", False),
        ("user", "@pytest.fixture", "server", "server", True),
        ("user", "@some.decorator", "server", "server", True),
        ("test_user", "", "server", "server", True),
        ("user", "", "request", "request.getfixturevalue('server')", True),
        ("test_user", "", "request", "request.server", False),
    ],
    ids=["attribute", "parameter", "fixture", "decorated", "collected", "by name", "other"],
)
def test_fixtures_are_called_by_pytest(
    name: str, decorator: str, parameter: str, body: str, expected: bool
) -> None:
    """So who calls those that only mention one need not have anything of it."""
    keeper = GIVEN.format(decorator, parameter, body)
    for decorated, own in (("fixture", "server"), ("fixture(name='server')", "f")):
        old = f"@pytest.{decorated}\ndef {own}(): return 1\n"
        seen = knowledge([f"conftest:{own} {name}:uses {name}:one"])
        new = old.replace("1", "2")
        found = spread(old, new, seen, path="conftest.py", **{name: keeper}).units
        assert ((f"{name}.py", "asks") in found) is expected


def test_whoever_mentions_a_fixture_may_keep_it() -> None:
    """By way of an attribute, say, that another fixture has set."""
    old = "@pytest.fixture\ndef server(): return 1\n"
    keeper = "@lru_cache\ndef one(it): return it.server\ndef asks(): return one()\n"
    seen = knowledge(["conftest:server keeper:one"])
    found = spread(old, old.replace("1", "2"), seen, path="conftest.py", keeper=keeper).units
    assert ("keeper.py", "asks") in found


def test_tests_of_a_class_from_which_others_inherit() -> None:
    """pytest calls them, though their file is no test module."""
    old = "class Base:\n    def test_one(self): assert 1\n"
    user = "def asks(): pass\n"
    tests = knowledge(["bases:Base.test_one user:asks"])
    other = knowledge(["bases:Base.test_one user:asks test_a:TestA.test_one"])
    for known, test, expected in (
        (tests, "test_a.py::TestA::test_one[x::y]", False),
        (tests, "test_a.py::test_one", True),
        (tests, "test_a.py::TestA::test_two", True),
        (other, "test_a.py::TestA::test_one", True),
    ):
        seen = replace(known, tests={test: known.tests["test_0"]})
        edit = (old, old.replace("1", "2"))
        found = spread(*edit, seen, path="bases.py", user=user, test_a="").units
        assert (("user.py", "asks") in found) is expected


def test_set_up_of_a_class_from_which_others_inherit() -> None:
    old = "class Base:\n    def {}(self): return 1\n"
    for name, expected in (("setup_method", False), ("setUpClass", False), ("serve", True)):
        seen, text = knowledge([f"Testing:Base.{name} user:asks"]), old.format(name)
        user = "def asks(): pass\n"
        found = spread(text, text.replace("1", "2"), seen, path="Testing.py", user=user).units
        assert (("user.py", "asks") in found) is expected


def test_what_functions_inside_of_a_test_return_is_its_own_business() -> None:
    keeper = "@lru_cache\ndef one(g): return g()\ndef asks(): one()\n"
    for name, expected in (("test_a", False), ("helper", True)):
        old = f"def {name}():\n    def g(): return 1\n    one(g)\n"
        seen = knowledge(calls=[f"keeper:one > test_m:{name}.<locals>.g"])
        found = spread(old, old.replace("1", "2"), seen, path="test_m.py", keeper=keeper).units
        assert (("keeper.py", "asks") in found) is expected


@pytest.mark.parametrize("called", ["m:f.<locals>.inner", "m:g"])
def test_a_decorator_ran_while_modules_were_imported(called: str) -> None:
    old = "def f(g):\n    def inner(): return 1\n    return inner\n"
    tests = ["test_a:test_one m:f user:asks user:runs"]
    calls = [f"test_a:test_one > user:runs > {called}"]
    seen = knowledge(tests, calls, imports=["user::3 > m:f"])
    user = "from m import f\ndef asks(): pass\n@f\ndef runs(): pass\n"
    found = spread(old, old.replace("1", "2"), seen, user=user, test_a="").units
    assert (("user.py", "asks") in found) is (called == "m:g")


def test_of_what_a_thread_runs_no_caller_is_seen() -> None:
    user = "def asks(): pass\n"
    assert ("user.py", "asks") in edited(knowledge(["m:f user:asks"]), user=user).units
    seen, old = knowledge(["test_m:test_a user:asks"]), "def test_a(): assert 1\n"
    found = spread(old, old.replace("1", "2"), seen, path="test_m.py", user=user)
    assert found.units == {("test_m.py", "test_a")}  # pytest calls it


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import re\ndef uses(): return re.f()", False),
        ("import re\ndef uses(): return re.f() + f()", True),
        ("import re\ndef uses(re): return re.f()", True),
        ("import re\ndef uses():\n    from other import re\n    return re.f()", True),
        ("import m as re\ndef uses(): return re.f()", True),
        ("from re import g\ndef uses(): return g.f()", True),
        ("try: import re\nexcept ImportError: re = None\ndef uses(): return re.f()", True),
        ("class D:\n    def uses(self): return self.f()", False),
        ("class D:\n    def uses(self, m): return self.f() + m.f()", True),
    ],
)
def test_an_attribute_of_something_else_is_no_mention(text: str, expected: bool) -> None:
    found = spread("def f(x=1): pass", "def f(x=2): pass", user=text)
    assert any(unit[1].endswith("uses") for unit in found.units) is expected


def test_prose_mentions_nothing() -> None:
    user = "def other():\n    'Nothing about X or f.'\n"
    assert ("user.py", "other") not in spread("X = 1", "X = 2", user=user).units


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
    others: dict[str, Any] = {name: text}
    found = spread("X = 1", "X = 2", **others)
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


# --- what is computed from a function that does something else -----------------------------------

KEEPER = """
from m import f
@lru_cache
def one(): return between()
def between(): return f()
def asks(): return one()
def spared(): pass
"""
CALLS = ["keeper:asks > keeper:one > keeper:between > m:f"]


def test_what_is_kept_concerns_whoever_may_ask_for_it() -> None:
    """Only the first test that asked was seen to run it."""
    found = edited(knowledge(calls=CALLS), keeper=KEEPER).units
    assert {("keeper.py", "one"), ("keeper.py", "asks")} <= found
    assert found.isdisjoint({("keeper.py", "between"), ("keeper.py", "spared")})


def test_what_keeps_nothing_is_passed_over() -> None:
    found = edited(knowledge(calls=CALLS), keeper=KEEPER.replace("@lru_cache", ""))
    assert found.units == {("m.py", "f")}


def test_functions_inside_of_others_are_followed_on_their_own() -> None:
    text = """
from m import f
def deco(g):
    def inner(): return g()
    return inner
@lru_cache
def one(): return inner()
def asks(): one()
"""
    way = ["keeper:one > keeper:deco.<locals>.inner > m:f"]
    assert ("keeper.py", "asks") in edited(knowledge(calls=way), keeper=text).units
    other = ["keeper:one > keeper:deco", "keeper:deco.<locals>.inner > m:f"]
    assert ("keeper.py", "asks") not in edited(knowledge(calls=other), keeper=text).units


RUNS = "test_a:test_one > user:runs > keeper:made.<locals>.inner"
CLOSING = """
from m import f
def made():
    def inner(): return {calls}
    return inner
@lru_cache
def one(): return made()
def asks(): one()
"""


@pytest.mark.parametrize(
    ("calls", "way", "often", "expected"),
    [
        # What is inside names it, and was itself called by somebody else.
        ("f()", RUNS, "", False),
        ("f()", RUNS, "m:f", False),
        # Who called that was not seen, or not all who did.
        ("f()", "keeper:one > keeper:made", "", True),
        ("f()", RUNS, "keeper:made.<locals>.inner", True),
        # Calling it runs nothing yet.
        ("(yield f())", RUNS, "", True),
    ],
)
def test_what_is_inside_of_a_function_calls_for_itself(
    calls: str, way: str, often: str, expected: bool
) -> None:
    seen = knowledge(["m:f keeper:made keeper:one keeper:asks user:runs"], [way], often=often)
    keeper, user = CLOSING.format(calls=calls), "def runs(): pass\n"
    found = edited(seen, keeper=keeper, user=user, test_a="").units
    assert (("keeper.py", "asks") in found) is expected


MAY_CALL = """
from m import f
@lru_cache
def one(): return f()
def asks(): return one()
"""
TOGETHER = "m:f keeper:one"


@pytest.mark.parametrize(
    ("tests", "expected"),
    [
        ([TOGETHER], True),
        (["m:f", "keeper:one"], False),
        ([f"{TOGETHER} other:f"], False),
        ([TOGETHER, "other:C.f"], False),
    ],
    ids=["clear name", "never together", "common name", "name of a method elsewhere"],
)
def test_not_all_calls_are_noted_but_a_clear_name_tells(tests: list[str], expected: bool) -> None:
    found = edited(knowledge(tests), keeper=MAY_CALL).units
    assert (("keeper.py", "asks") in found) is expected


def test_a_common_name_climbs_where_the_call_was_seen() -> None:
    seen = knowledge([f"{TOGETHER} other:f"], ["keeper:one > m:f"])
    assert ("keeper.py", "asks") in edited(seen, keeper=MAY_CALL).units


def test_whoever_makes_an_object_calls_what_makes_it() -> None:
    keeper = MAY_CALL.replace("import f", "import C").replace("f()", "C()", 1)
    keeper = keeper.replace("return f()", "return C()")
    old = "class C:\n    def __init__(self): self.x = 1\n"
    seen = knowledge(["m:C.__init__ keeper:one"])
    assert ("keeper.py", "asks") in spread(old, old.replace("1", "2"), seen, keeper=keeper).units


@pytest.mark.parametrize(
    ("tests", "expected"), [(["user:asks m:f", "user:asks"], True), (["user:asks m:f"], False)]
)
def test_a_function_that_is_handed_over_may_be_called_once(
    tests: list[str], expected: bool
) -> None:
    """It was not if all who called it ran it."""
    user = "from m import f\nVALUE = Lazy(f)\ndef asks(): VALUE.get(); f\ndef other(): VALUE\n"
    seen = knowledge(tests, ["user:asks > m:f"])
    assert (("user.py", "other") in edited(seen, user=user).units) is expected


@pytest.mark.parametrize(
    ("routes", "concerned"),
    [
        ("urlpatterns = [path('f/', f)]", False),
        ("urlpatterns = [path('f/', cache_page(60)(f))]", True),
        ("routes = [path('f/', f)]", True),
    ],
)
def test_routes_call_what_they_are_handed_for_each_request(routes: str, concerned: bool) -> None:
    user = f"from m import f\n{routes}\ndef asks(request): f\n"
    seen = knowledge(["user:asks m:f", "user:asks"], ["user:asks > m:f"])
    name = routes.partition(" ")[0]
    assert (("user.py", name) in edited(seen, user=user).units) is concerned


BOX = """
from m import f, g
class Box:
    def __init__(self): self._value = None
    def value(self):
        g()
        if self._value is None:
            self._value = f()
        return self._value
    def shown(self): return str(self._value)
    def reset(self): self._value = None
@lru_cache
def box(): return Box()
def other(box): return box._value
def local(_value): return _value
"""
MADE = "box:Box.__init__ box:Box.value m:f"
BOX_CALLS = ["box:Box.value > m:f"]


def test_readers_of_what_is_kept() -> None:
    found = edited(knowledge([MADE], BOX_CALLS, outside="box:Box.__init__"), box=BOX).units
    inside = {("box.py", f"Box.{name}") for name in ("value", "shown")}
    assert found >= {("m.py", "f"), ("box.py", "other"), *inside}
    assert ("box.py", "Box.reset") not in found


def test_what_a_kept_value_does_not_make_needless() -> None:
    seen = knowledge(calls=["box:Box.value > m:g"], outside="box:Box.__init__")
    old = "def g(): return 1"
    assert spread(old, old.replace("1", "2"), seen, box=BOX).units == {("m.py", "g")}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (knowledge([MADE], BOX_CALLS), False),
        (knowledge([MADE, MADE, "box:Box.__init__"], BOX_CALLS), False),
        (knowledge([MADE], [*BOX_CALLS, "user:makes > box:Box.__init__"]), False),
        (knowledge(["box:Box.value m:f"], BOX_CALLS), True),
        (knowledge([MADE, "box:Box.reset"], BOX_CALLS), True),
        (knowledge([MADE], BOX_CALLS, shared="box:Box.__init__"), True),
        (knowledge([MADE], BOX_CALLS, ["user::3 > box:Box.__init__"]), True),
        (knowledge([MADE], [*BOX_CALLS, "box:box > box:Box.__init__"]), True),
        (knowledge([MADE], [*BOX_CALLS, "box:box > user:makes > box:Box.__init__"]), True),
    ],
    ids=[
        *("made in the test", "by all of them", "by no keeper"),
        *("never seen to be made", "not by one of them", "by a fixture of wider scope"),
        *("at import", "by a keeper", "by what a keeper calls"),
    ],
)  # fmt: skip
def test_objects_that_end_with_their_test_keep_nothing(seen: Knowledge, expected: bool) -> None:
    found = edited(seen, box=BOX, user="def makes(): pass\n").units
    assert (("box.py", "other") in found) is expected


def test_what_one_test_leaves_behind_is_its_own_business() -> None:
    text = "from m import f\nC = {{}}\ndef {}():\n if k not in C: C[k] = f()\ndef other(): C[k]\n"
    for name, expected in (("test_a", False), ("helper", True)):
        seen = knowledge(calls=[f"test_user:{name} > m:f"])
        found = edited(seen, test_user=text.format(name)).units
        assert (("test_user.py", "other") in found) is expected


LAZY = """
from m import f
class Lazy:
    def __missing__(self, key):
        {}
TABLE = Lazy()
def asks(): return TABLE['x']
def spared(): pass
"""


@pytest.mark.parametrize(
    "store",
    [
        "setattr(self, key, f())",
        "self.__dict__[key] = f()",
        "self[key] = f()",
    ],
)
def test_what_is_kept_under_a_computed_name_is_found_under_that_of_its_class(store: str) -> None:
    seen = knowledge(calls=["lazy:Lazy.__missing__ > m:f"])
    found = edited(seen, lazy=LAZY.format(store)).units
    assert ("lazy.py", "asks") in found
    assert ("lazy.py", "spared") not in found


def test_an_object_may_keep_values_as_its_own_items() -> None:
    text = LAZY.replace("__missing__", "get").format("if key not in self: self[key] = f()")
    seen = knowledge(calls=["lazy:Lazy.get > m:f"])
    assert ("lazy.py", "asks") in edited(seen, lazy=text).units


def test_what_a_descriptor_keeps_is_found_under_the_name_of_the_method() -> None:
    text = """
class lazily:
    def __get__(self, one, kind):
        one.__dict__[self.name] = value = self.method(one)
        return value
"""
    old = "class C:\n    @lazily\n    def size(self): return 1\n"
    user = "def asks(c): return c.size\ndef other(c): return c\n"
    seen = knowledge(calls=["deco:lazily.__get__ > m:C.size"])
    found = spread(old, old.replace("1", "2"), seen, deco=text, user=user).units
    assert ("user.py", "asks") in found
    assert ("user.py", "other") not in found


@pytest.mark.parametrize(
    ("decorator", "tests", "expected"),
    [
        ("from ext import wrap", ["user:uses m:f", "user:uses"], True),
        ("from ext import wrap", ["user:uses m:f", "user:other"], False),
        ("from deco import wrap", ["user:uses m:f", "user:uses"], False),
        ("def wrap(f): return f", ["user:uses m:f", "user:uses"], False),
    ],
    ids=["a caller went without", "none did", "our own", "our own, in the file"],
)
def test_a_decorator_that_nobody_knows_may_call_once(
    decorator: str, tests: list[str], expected: bool
) -> None:
    old = f"{decorator}\n@wrap\ndef f(): return 1\n"
    user = "from m import f\ndef uses(): return f()\ndef other(): return f\n"
    seen = knowledge(tests, ["user:uses > m:f"])
    found = spread(old, old.replace("1", "2"), seen, user=user, deco="def wrap(f): return f\n")
    assert (("user.py", "other") in found.units) is expected


# --- what ran while modules were imported --------------------------------------------------------

AT_IMPORT = """\
from m import f
X = f()
class C:
    size = f()
    f()
    @f
    def go(self): pass
@f
def g(): pass
print(f())
def uses_x(): return X
def uses_c(): return C
def uses_g(): return g
def uses_go(c): return c.go
def spared(): pass
"""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (2, "uses_x X"),
        (4, "uses_c C C.size C.go"),
        (5, "uses_c C C.size C.go"),
        (6, "uses_go C.go"),
        (8, "uses_g g"),
    ],
    ids=["binding", "class attribute", "effect in a class", "method", "function"],
)
def test_what_a_line_binds_with_the_help_of_a_function(line: int, expected: str) -> None:
    found = edited(knowledge(imports=[f"user::{line} > m:f"]), user=AT_IMPORT)
    users = {("user.py", name) for name in expected.split()}
    assert found.units == {("m.py", "f"), *users}
    assert found.closures == {}


@pytest.mark.parametrize(
    ("caller", "forgotten"),
    [("user::10", []), ("user:", []), ("user::99", []), ("user::2", ["user.py"])],
    ids=["effect", "body", "no statement", "other text"],
)
def test_what_a_line_made_cannot_be_told(caller: str, forgotten: list[str]) -> None:
    found = spread(
        "def f(): return 1",
        "def f(): return 2",
        knowledge(imports=[f"{caller} > m:f"]),
        forgotten=forgotten,
        user=AT_IMPORT,
    )
    assert found.closures == {"user.py": "code that runs at import calls f"}


def test_places_are_those_of_the_text_that_ran() -> None:
    old = "def f(): return 1\nX = f()\nY = 1\n"
    user = "from m import X, Y\ndef uses_x(): X\ndef uses_y(): Y\n"
    new = "\n" + old.replace("return 1", "return 2")
    found = spread(old, new, knowledge(imports=["m::2 > m:f"]), user=user).units
    assert ("user.py", "uses_x") in found
    assert ("user.py", "uses_y") not in found


def test_calls_at_import_go_through_functions() -> None:
    user = "from m import f\ndef g(): return f()\nX = g()\ndef uses(): X\ndef calls(): g()\n"
    found = edited(knowledge(imports=["user::3 > user:g > m:f"]), user=user).units
    assert ("user.py", "uses") in found
    assert ("user.py", "calls") not in found


def test_what_a_function_kept_at_import() -> None:
    user = "from m import f\n@lru_cache\ndef one(): return f()\nX = one()\ndef asks(): one()\n"
    found = edited(knowledge(imports=["user::4 > user:one > m:f"]), user=user).units
    assert ("user.py", "asks") in found


def test_calls_in_tests_bind_nothing() -> None:
    found = edited(knowledge(calls=["user::2 > m:f"]), user=AT_IMPORT)
    assert ("user.py", "uses_x") not in found.units


def test_a_method_that_ran_at_import_belongs_to_its_class() -> None:
    old = "class C:\n    def __init__(self): self.x = 1\n"
    user = "from m import C\nONE = C()\ndef uses(): return ONE.x\n"
    seen = knowledge(imports=["user::2 > m:C.__init__"])
    found = spread(old, old.replace("= 1", "= 2"), seen, user=user)
    assert ("user.py", "uses") in found.units


@pytest.mark.parametrize("path", ["m.py", "test_m.py"])
def test_what_pytest_called_concerns_whoever_names_it(path: str) -> None:
    """A hook, a generator of parameters."""
    user = "@pytest.mark.parametrize('x', f())\ndef test_a(x): pass\ndef test_b(): pass\n"
    seen = knowledge(outside=f"{path.removesuffix('.py')}:f")
    found = spread("def f(): return 1", "def f(): return 2", seen, path=path, test_user=user).units
    assert ("test_user.py", "test_a") in found
    assert ("test_user.py", "test_b") not in found


def test_what_pytest_calls_by_convention_concerns_all() -> None:
    old = "def pytest_generate_tests(metafunc): return 1\n"
    seen = knowledge(outside="test_m:pytest_generate_tests")
    found = spread(old, old.replace("1", "2"), seen, path="test_m.py")
    assert "test_m.py" in found.closures


def test_what_a_framework_called_before_the_tests_concerns_all_who_can_see_it() -> None:
    old = "class ShopConfig:\n def ready(self): return 1\n"
    seen = knowledge(outside="m:ShopConfig.ready")
    assert "m.py" in spread(old, old.replace("1", "2"), seen).closures
    assert spread(old, old.replace("1", "2")).closures == {}


def test_what_pytest_called_through_another_function() -> None:
    conftest = "from m import f\ndef ids(x): return f()\n"
    user = "@pytest.mark.parametrize('x', [1], ids=ids)\ndef test_a(x): pass\n"
    found = edited(knowledge(imports=["conftest:ids > m:f"]), conftest=conftest, test_user=user)
    assert ("test_user.py", "test_a") in found.units


# --- who learns of a definition ------------------------------------------------------------------

TOLD = "from reg import register\n@register(1)\ndef f(): pass\n"
REG = """\
REG = []
def register(number):
    def deco(function):
        REG.append(function)
        return function
    return deco
def reads(): return REG
def clears(): REG = []
def spared(): pass
"""
TOLD_TO = ["m::2 > reg:register", "m::2 > reg:register.<locals>.deco"]


def told(old: str, *imports: str, **others: Any) -> Impact:
    """The impact of another argument of a decorator."""
    return spread(old, old.replace("(1)", "(2)"), knowledge(imports=imports), **others)


def test_readers_of_a_registry_learn_of_it() -> None:
    found = told(TOLD, *TOLD_TO, reg=REG)
    assert ("reg.py", "reads") in found.units
    assert ("reg.py", "spared") not in found.units
    assert found.closures == {}


def test_what_writes_to_a_registry_does_the_same_with_the_others() -> None:
    assert ("reg.py", "register") not in told(TOLD, *TOLD_TO, reg=REG).units


@pytest.mark.parametrize(
    ("old", "imports", "reg"),
    [
        (TOLD.replace("reg", "ext"), TOLD_TO, REG),
        (TOLD.replace("reg", "atexit", 1), [], REG),
        (TOLD, TOLD_TO, REG.replace("REG.append(function)", "ext.keep(function)")),
        (TOLD, TOLD_TO, f"from ext import keep\n{REG}".replace("REG.append", "keep")),
        (TOLD, TOLD_TO, REG.replace("REG.append(function)", "setattr(x, y, function)")),
        (TOLD, TOLD_TO, REG.replace("def register", "def other")),
        (TOLD, TOLD_TO, f"{REG}from ext import Base\nclass Other:\n class register(Base): pass\n"),
    ],
    ids=[
        *("installed", "listens", "hands it on", "hands it on by name"),
        *("computed", "gone", "perhaps another"),
    ],
)  # fmt: skip
def test_who_learns_of_it_cannot_be_told(old: str, imports: list[str], reg: str) -> None:
    assert told(old, *imports, reg=reg).closures == {"m.py": "who learns of f cannot be told"}


@pytest.mark.parametrize(
    "does",
    ["function.marks.append(1)", "function(function)", "function.mark(number)", "print(function)",
     "functools.wraps(function)", "keep(function)"],
)  # fmt: skip
def test_what_is_given_to_nobody_who_keeps_it(does: str) -> None:
    reg = f"import functools\ndef register(number): return number\ndef keep(x): pass\n{REG}"
    reg = reg.replace("REG.append(function)", does) + "class Thing:\n    def mark(self, n): pass\n"
    reg = reg.replace("def register(number): return number\n", "")
    found = told(TOLD, *TOLD_TO, reg=reg)
    assert found.closures == {}
    assert ("reg.py", "reads") not in found.units


def test_who_learns_of_it_cannot_be_told_where_its_place_is_unknown() -> None:
    seen = knowledge(imports=TOLD_TO)
    found = spread(TOLD, TOLD.replace("(1)", "(2)"), seen, reg=REG, forgotten=["m.py"])
    assert "m.py" in found.closures


def test_a_base_that_keeps_account_of_its_subclasses() -> None:
    old = "from reg import Base\nclass C(Base, size=len(1)): pass\n"
    reg = """\
class Base:
    kinds = []
    def __init_subclass__(cls, **options): Base.kinds.append(cls)
def reads(): return Base.kinds
def spared(): pass
"""
    found = spread(
        old,
        old.replace("(1)", "(2)"),
        knowledge(imports=["m::2 > reg:Base.__init_subclass__"]),
        reg=reg,
    )
    assert ("reg.py", "reads") in found.units
    assert ("reg.py", "spared") not in found.units
    assert found.closures == {}


@pytest.mark.parametrize(
    ("imports", "made"),
    [
        ("import io", "class C(io.TextIOWrapper): pass"),
        ("import json", "class C(json.JSONEncoder): pass"),
        ("from enum import EnumMeta", "class C(int, metaclass=EnumMeta): pass"),
        ("import typing as t", "T = t.TypeVar('T', bound=int)"),
        ("from copy import copy", "X = copy([1])"),
        ("", "X = sorted([1, 2])"),
        ("import operator", "@operator.attrgetter('x')\ndef f(): pass"),
        ("", "class C: pass"),
        ("", "class C(dict): pass"),
    ],
)
def test_nobody_learns_of_what_the_standard_library_makes(imports: str, made: str) -> None:
    with_it, without = f"{imports}\n{made}\n", f"{imports}\n"
    assert spread(with_it, without, knowledge()).closures == {}
    assert spread(without, with_it, knowledge()).closures == {}


@pytest.mark.parametrize(
    ("imports", "made"),
    [
        ("import threading", "class C(threading.Timer): pass"),  # `threading.enumerate()`
        ("import weakref", "X = weakref.finalize(Y, f)"),
        ("from functools import partial", "@partial(register, 1)\ndef f(): pass"),
        ("from functools import reduce", "X = reduce(register, [1])"),
        ("", "X = list(map(register, [1]))"),
        ("", "X = setattr(other, 'a', 1)"),
        ("import gc", "@gc.callbacks.append\ndef f(phase, info): pass"),
        ("from collections.abc import Sized", "@Sized.register\nclass C: pass"),
        ("from os import register_at_fork", "X = register_at_fork(before=f)"),
        ("from ext import Base", "class C(Base): pass"),
        ("from ext import Base", "class C(dict, metaclass=Base): pass"),
        ("from calendar import Base", "class C(Base): pass"),  # may be a module of the project
        ("class Base: pass", "class C(Base): pass"),
        ("import io\nio = wrapped(io)", "class C(io.StringIO): pass"),
    ],
)
def test_of_what_others_make_somebody_may_learn(imports: str, made: str) -> None:
    with_it, without = f"{imports}\n{made}\n", f"{imports}\n"
    assert "m.py" in spread(without, with_it, knowledge()).closures
    if not made.startswith("X"):  # a constant that is gone was told by its name
        assert "m.py" in spread(with_it, without, knowledge()).closures


def test_what_the_standard_library_calls_for_a_definition_may_write() -> None:
    old = "from reg import register\nX = list(map(register, [1]))\n"
    reg = "REG = []\ndef register(one): REG.append(one)\ndef reads(): return REG\n"
    seen = knowledge(imports=["m::2 > reg:register"])
    found = spread(old, old.replace("[1]", "[1, 2]"), seen, reg=reg)
    assert ("reg.py", "reads") in found.units


def test_what_an_object_keeps_in_itself_is_no_registry() -> None:
    """It is bound to the name."""
    reg = """\
class register:
    def __init__(self, number): self.number = number
    def __call__(self, function):
        self.function = function
        return self
def reads(x): return x.function
"""
    calls = ["m::2 > reg:register.__init__", "m::2 > reg:register.__call__"]
    assert ("reg.py", "reads") not in told(TOLD, *calls, reg=reg).units
    assert ("reg.py", "reads") in told(TOLD, calls[1], reg=reg).units


def test_a_list_that_it_is_put_into() -> None:
    old = "from reg import add\nALL = []\nX = add(ALL, (1))\ndef reads(): ALL\ndef other(): pass\n"
    reg = "def add(items, one): items.append(one)\n"
    found = told(old, "m::3 > reg:add", reg=reg)
    assert ("m.py", "reads") in found.units
    assert ("m.py", "other") not in found.units


# --- methods, and the rest -----------------------------------------------------------------------

METHODS = "class C:\n    def go(self, x=1): pass\n    def stay(self): pass\n"


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (METHODS.replace("x=1", "x=2"), False),
        (METHODS.replace("    def go", "    @property\n    def go"), True),  # it may be abstract
        (METHODS.replace("    def go", "    async def go"), True),
        (METHODS.replace("def go(self, x=1)", "def stay(self, x=1)"), True),
        (METHODS + "    def __len__(self): return 1\n", True),
        (METHODS.replace("    def go(self, x=1): pass\n", ""), True),
    ],
    ids=["signature", "decorator", "coroutine", "gone", "came", "gone alone"],
)
def test_a_class_is_another_one_when_a_method_comes_or_goes_or_is_another_sort(
    new: str, expected: bool
) -> None:
    user = "from m import C\ndef makes(): C()\ndef calls(c): c.go()\ndef spared(): pass\n"
    found = spread(METHODS, new, user=user).units
    assert (("user.py", "makes") in found) is expected
    assert (("user.py", "calls") in found) or expected
    assert ("user.py", "spared") not in found


def test_a_special_method_is_called_without_its_name() -> None:
    old = METHODS.replace("go", "__call__")
    user = "from m import C\ndef makes(): C()\n"
    assert ("user.py", "makes") in spread(old, old.replace("x=1", "x=2"), user=user).units


def test_without_names_whatever_importing_binds_concerns_everybody() -> None:
    assert spread("X = 1", "X = 2", by_name=False).closures == {"m.py": "X changed (ciopt_safety)"}
    body = spread("def f(): return 1", "def f(): return 2", by_name=False)
    assert body == Impact({("m.py", "f")})


def test_what_read_a_file_may_keep_it_for_others() -> None:
    text = "@lru_cache\ndef loads(): return open('x').read()\ndef asks(): loads()\n"
    for source, expected in ((text, True), (text.replace("@lru_cache\n", ""), False)):
        tree = Tree({"m.py": source}, {})
        found = Spread(Lookup(tree, Evidence(NOTHING)), Firsts(process_of(NOTHING))).add_read(
            [("m.py", "loads")], []
        )
        assert (("m.py", "asks") in found.units) is expected


def test_what_had_a_file_read_for_it_concerns_whoever_ran_it() -> None:
    found = Spread(
        Lookup(Tree({"m.py": ""}, {}), Evidence(NOTHING)), Firsts(process_of(NOTHING))
    ).add_read([], units("m:f"))
    assert found == Impact({("m.py", "f")})


@pytest.mark.parametrize(
    ("other", "text", "expected"),
    [
        ("X = 1", "from other import X\ndef uses(): return X\n", False),
        ("X = 1", "from other import X\ndef uses(): return X, n.X\n", True),
        ("X = 1", "from m import X\ndef uses(): return X\n", True),
        ("X = 1", "from unknown import X\ndef uses(): return X\n", False),
        ("X = 1", "from other import *\ndef uses(): return X\n", True),
        ("X = 1\nfrom m import *", "from other import X\ndef uses(): return X\n", True),
        ("X = 1", "from other import X\nfrom m import *\ndef uses(): return X\n", True),
        ("from m import X", "from other import X\ndef uses(): return X\n", True),
        ("from m import X\nX = g(X)", "from other import X\ndef uses(): return X\n", True),
        ("X = g(m.X)", "from other import X\ndef uses(): return X\n", True),
        ("Y = 1", "from other import X\ndef uses(): return X\n", True),
        ("X = 1", "from m import X\nX = g(X)\ndef uses(): return X\n", True),
    ],
)
def test_a_name_that_another_module_binds_itself_is_another(
    other: str, text: str, expected: bool
) -> None:
    found = spread("X = 1", "X = 2", other=other, user=text)
    assert (("user.py", "uses") in found.units) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import m\ndef uses(): return vars(m)\n", True),
        ("import m as n\ndef uses(): return dir(n)\n", True),
        ("import pkg.m as n\ndef uses(): return dir(n)\n", True),
        ("def uses():\n from pkg import m as n\n return dir(n)\n", True),
        ("import m\ndef uses(): return m.other\n", False),
        ("import m\ndef uses(): return m.__dict__\n", True),
        ("m = None\ndef sets():\n global m\n import m\ndef uses(): return vars(m)\n", True),
        ("def uses(): patch('pkg.m')\n", True),
        ("def uses(): patch('pkg.m.X')\n", True),
        ("def uses(y): patch(f'pkg.m.{y}')\n", True),
        ("def uses(): patch('m')\n", False),
        ("def uses(): import_module('m')\n", True),
        ("def uses(): return vars(x.m)\n", True),
        ("x = 1\ndef uses(): return vars(x.m)\n", False),
        ("import x\ndef uses(): return vars(x.m)\n", True),
        ("from other import x\ndef uses(): return vars(x.m)\n", False),
        ("from other import y\ndef uses(): return vars(y.m)\n", True),
        ("def uses(x): return vars(x.m)\n", False),
        ("def uses(x): return vars(x.m)\ndef loads(n): return import_module(n)\n", True),
        ("class C:\n import m\ndef uses(x): return vars(x.m)\n", True),
    ],
)
def test_whoever_takes_a_module_as_a_whole_may_look_up_any_name(text: str, expected: bool) -> None:
    found = spread("X = 1", "X = 2", user=text, other="x = 1\n")
    assert (("user.py", "uses") in found.units) is expected
    assert found.closures == {}


@pytest.mark.parametrize(("own", "expected"), [("def m(): pass\n", False), ("", True)])
def test_a_function_of_the_name_of_its_module_is_not_the_module(own: str, expected: bool) -> None:
    user = "from m import m\nRULES = (m,)\ndef uses(): return RULES\n"
    found = spread(f"{own}X = 1", f"{own}X = 2", user=user)
    assert (("user.py", "uses") in found.units) is expected


def test_code_that_runs_at_import_and_takes_the_module_as_a_whole() -> None:
    assert "user.py" in spread("X = 1", "X = 2", user="import m\nprint(m)\n").closures
    assert spread("X = 1", "X = 2", user="import m\nprint(m.other)\n").closures == {}


def test_nothing_is_followed_once_all_are_concerned() -> None:
    text = "from m import X, f\nprint(X)\ndef uses(): return X\n"
    tree = Tree({"m.py": "X = 2", "user.py": text}, {})
    old, new = (prints.source("", ast.parse(one)) for one in ("X = 1", "X = 2"))
    assert old is not None
    assert new is not None
    found = {}
    for ends in (False, True):
        spread = Spread(
            Lookup(tree, Evidence(NOTHING)),
            Firsts(process_of(NOTHING)),
            concerns_all=lambda path, ends=ends: ends and path == "user.py",
        )
        found[ends] = spread.add("m.py", prints.difference(old, new))
        assert spread.is_over is ends
        assert "user.py" in found[ends].closures


@pytest.mark.parametrize(
    ("text", "fails"),
    [
        ("from m import f", True),
        ("from m import f as g", True),
        ("from other import f", True),
        ("from other import f as g", True),
        ("from unknown import f", False),
        ("def g():\n from m import f", False),
        ("import m\nX = m.f", False),
    ],
)
def test_what_imports_a_name_that_is_gone_cannot_be_imported(text: str, fails: bool) -> None:
    found = spread("def f(): pass", "def g(): pass", user=text, other="from m import f\n")
    assert ("user.py" in found.closures) is fails


def test_another_star_import_is_other_code() -> None:
    assert "m.py" in spread("from a import *", "from b import *").closures
    assert spread("from a import *", "from a import  *").closures == {}
