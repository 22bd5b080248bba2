"""What a function writes to that outlives its call."""

import ast

import pytest

from pytest_ciopt.core.edits.stores import Function, given, own_object, stores


def function(source: str) -> Function:
    (node,) = ast.parse(source).body
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    return node


def own(node: Function) -> str | None:
    return own_object(node) if any(one.arg == "self" for one in node.args.args) else None


def written(source: str) -> set[tuple[str, str]]:
    """Names, and the objects that hold them."""
    node = function(source)
    return {(one.name, ".".join(one.path)) for one in stores(node, own(node))}


def handed_in(source: str) -> set[str]:
    node = function(source)
    return {one.name for one in given(node, list(stores(node, own(node))), own(node))}


@pytest.mark.parametrize(
    ("source", "name", "path"),
    [
        ("def f(self): self.x = 1", "x", "self.x"),
        ("def f(self): self.a.b.x = 1", "x", "self.a.b.x"),
        ("def f(self): self.a, self.x = g()", "x", "self.x"),
        ("def f(self): self.x += 1", "x", "self.x"),
        ("def f(self): self.x: int = 1", "x", "self.x"),
        ("def f(o): o.x = 1", "x", "o.x"),
        ("def f(): g().x = 1", "x", ".x"),
        ("def f():\n for self.x in y: pass", "x", "self.x"),
        ("def f():\n global x\n x = 1", "x", "x"),
        ("def f(): C[k] = 1", "C", "C"),
        ("def f(): C['key'] = 1", "key", "C.key"),
        ("def f(): C['no name'] = 1", "C", "C"),
        ("def f(self): self.c[k] = 1", "c", "self.c"),
        ("def f(self): self.c[k][l] = 1", "c", "self.c"),
        ("def f(self): self.__dict__['x'] = 1", "x", "self.x"),
        ("def f(self): self.__dict__[k] = 1", "", "self."),
        ("def f(self): setattr(self, 'x', 1)", "x", "self.x"),
        ("def f(self): setattr(self, k, 1)", "", "self."),
        ("def f(self): object.__setattr__(self, 'x', 1)", "x", "self.x"),
        ("def f(): C.setdefault(k, 1)", "C", "C"),
        ("def f(): C.update(k=1)", "C", "C"),
        ("def f(): m.C.put(k, 1)", "C", "m.C"),
        ("def f(): C.append(1)", "C", "C"),
        ("def f(self): self.c.add(1)", "c", "self.c"),
        ("def f(): STORE.keep(k, g())", "STORE", "STORE"),
        ("def f(): return C.append(x) or x", "C", "C"),
        ("def f(): C[k].append(x)", "C", "C"),
        ("def f(): x = C.add(1)", "C", "C"),
        ("def f(self): self.c[k].add(x)", "c", "self.c"),
        ("def f(): C.setdefault(k, []).append(x)", "C", "C"),
        ("def f(): g(k).append(x)", "", ""),
        ("def f(): heapq.heappush(C, x)", "C", "C"),
        ("def f(): insort(C[k], x)", "C", "C"),
        ("def f(self):\n c = self.c\n c[k] = 1", "c", "self.c"),
        ("def f():\n c = C[k]\n c['key'] = 1", "key", "C.key"),
        ("def f():\n c: dict = C[k]\n c[k] = 1", "C", "C"),
        ("def f():\n c = C.setdefault(k, {})\n c.update(k=1)", "C", "C"),
        ("def f():\n if (c := C.get(k)): c.x = 1", "x", "C.x"),
        ("def f():\n a = C\n b = a.d\n b.append(1)", "d", "C.d"),
        ("def f():\n for one in C: one.y = 1", "y", "C.y"),
        ("def f():\n for one in C.values(): one.y = 1", "y", "C.y"),
    ],
)  # fmt: skip
def test_what_outlives_the_call(source: str, name: str, path: str) -> None:
    assert (name, path) in written(source)


@pytest.mark.parametrize(
    "source",
    [
        "def f(x): y = x",
        "def f(self): return self.x",
        "def f():\n made = C()\n made.x = 1\n made.c.append(1)\n made['k'] = 1",
        "def f():\n for one in g(): one.y = 1",
        "def f(x):\n for one in x: one.y = 1",
        "def f():\n x = [C()]\n for one in x: one.y = 1",
        "def f(x):\n y = x\n y['k'] = 1",
        "def f(x): heappush([], x)",
        "def f():\n with g() as one: one.y = 1",
        "def f(*args, **options):\n args[0] = 1\n options['x'] = 1\n options.update(y=2)",
        "def __init__(self):\n self.x = 1\n self.c.append(1)",
        "def __post_init__(self): self.x = 1",
        "def f(): os.environ['X'] = 1",
        "def f(): os.environ.update(X=1)",
        "def f(): environ['X'] = 1",
        "def f(items): items.append(1)",  # whoever calls has them
        "def f(): C.get(k)",
        "def f(): C.keep(k, v)",  # nothing that was computed here
        "def f(): [].append(1)",
        "def f(self): self.add(1)",  # the method tells where it goes
        "def f(): del C[k]",
        "def f():\n def g():\n  x.y = 1\n x = 1\n g()",
    ],
)
def test_what_ends_with_the_call_or_is_somebody_elses(source: str) -> None:
    assert written(source) == set()


@pytest.mark.parametrize(
    ("inner", "lasts"),
    [
        (" def g(): seen[k] = 1\n return g", True),
        (" def g(): seen[k] = 1\n register(g)", True),
        (" @hook\n def g(): seen[k] = 1", True),
        (" return lambda: seen.update(k=1)", True),
        (" def g():\n  nonlocal seen\n  seen = 1\n return g", True),
        (" def g(): seen[k] = 1\n g()", False),
        (" def g(): mine = {}; mine[k] = 1\n return g", False),
    ],
)
def test_local_variables_outlive_the_call_with_functions_that_do(inner: str, lasts: bool) -> None:
    found = written(f"def f(k):\n seen = {{}}\n{inner}")
    assert {name for name, _ in found} == ({"seen"} if lasts else set())


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(self, x): pass", "self"),
        ("def f(me, /): pass", "me"),
        ("async def f(self): pass", "self"),
        ("@property\ndef f(self): pass", "self"),
        ("@classmethod\ndef f(cls): pass", None),
        ("@staticmethod\ndef f(x): pass", None),
        ("def __new__(cls): pass", None),
        ("def f(): pass", None),
        ("def f(*args): pass", None),
    ],
)
def test_the_object_that_a_method_belongs_to(source: str, expected: str | None) -> None:
    assert own_object(function(source)) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(self, x): self.x = x", {"x"}),
        ("def f(self, x): self.x = list(x)", {"x"}),
        ("def f(self, x): self.x = (1, [x])", {"x"}),
        ("def f(self, x): self.x = y", set()),
        ("def f(self, x): self.x = x or y", set()),
        ("def f(self, x): self.x = 1 if x else 2", set()),
        ("def f(self): self.x = self", set()),
        ("def f(x): C[x] = 1", {"C"}),  # an item may be looked up by what was given
        ("def f(x): C.append(x)", {"C"}),
        ("def f(o, x): setattr(o, 'x', x)", {"x"}),
        ("def f(self, x): self.n += 1", set()),
        ("def f(self, x): self.n += x", {"n"}),
    ],
)
def test_what_may_hold_what_was_given(source: str, expected: set[str]) -> None:
    assert handed_in(source) == expected


@pytest.mark.parametrize("value", ["{**R, 'k': x}", "R + [x]", "R | {x}", "{x, *R}"])
def test_what_is_made_anew_with_what_was_given_may_hold_it(value: str) -> None:
    assert handed_in(f"def f(x):\n global R\n R = {value}") == {"R"}
