"""What a function keeps between calls, and what of it that makes needless."""

import ast

import pytest

from pytest_ciopt.core.edits.once import COMPUTED, Keeping, keeping
from pytest_ciopt.core.edits.stores import own_object, stores


def kept(source: str) -> tuple[Keeping, ...]:
    """Of a function; what has `self` belongs to a class."""
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    own = own_object(function) if "self" in source.partition(":")[0] else None
    return keeping(function, stores(function, own), own)


def names(source: str) -> list[str]:
    return sorted(one.name for one in kept(source))


def within(source: str) -> frozenset[str]:
    (one,) = kept(source)
    assert one.within is not None
    return one.within


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("def f(self):\n if self._x is None:\n  self._x = g()\n return self._x", "_x"),
        ("def f(self):\n x = self._x\n if x is None:\n  x = self._x = g()\n return x", "_x"),
        ("def f(self):\n x = self._x\n if x: return x\n x = g()\n self._x = x\n return x", "_x"),
        ("def f(self):\n if None is self._x:\n  self._x = g()", "_x"),
        ("def f(self):\n if self._x == None:\n  self._x = g()", "_x"),
        ("def f(self):\n if self._x is not None: return self._x\n self._x = g()", "_x"),
        ("def f(self):\n if self._x is None: pass\n else: return\n self._x = g()", "_x"),
        ("def f(self):\n if not self._x is None:\n  pass\n else:\n  self._x = g()", "_x"),
        ("def f(self):\n try:\n  return self._x\n except AttributeError:\n  self._x = g()", "_x"),
        ("def f(self):\n try:\n  x = self._x\n except E:\n  x = self._x = g()\n return x", "_x"),
        ("def f(self):\n try:\n  return self._x\n except E: pass\n self._x = g()", "_x"),
        ("def f(self):\n try:\n  return self._x\n except* E: pass\n self._x = g()", "_x"),
        ("def f(self):\n with suppress(E):\n  return self._x\n self._x = g()", "_x"),
        ("def f(self):\n if not hasattr(self, '_x'):\n  setattr(self, '_x', g())", "_x"),
        ("def f(self):\n if '_x' not in self.__dict__:\n  self.__dict__['_x'] = g()", "_x"),
        ("def f(self):\n if getattr(self, '_x', None) is None:\n  self._x = g()", "_x"),
        ("def f(self):\n if (x := self._x) is None:\n  x = self._x = g()\n return x", "_x"),
        ("def f(self):\n while not self._x:\n  self._x = g()", "_x"),
        ("def f(self):\n match self._x:\n  case None: self._x = g()\n return self._x", "_x"),
        ("def f(self):\n match self._x:\n  case int(): return\n self._x = g()", "_x"),
        ("def f(self):\n if self._at < now() - 9:\n  self._at = g()", "_at"),
        ("def f(key):\n if key not in CACHE:\n  CACHE[key] = g(key)\n return CACHE[key]", "CACHE"),
        ("def f(key):\n if not (key in CACHE):\n  CACHE[key] = g(key)", "CACHE"),
        ("def f(key):\n if key in CACHE: return CACHE[key]\n CACHE[key] = g(key)", "CACHE"),
        ("def f(key):\n if CACHE.get(key): return 1\n CACHE.update({key: g(key)})", "CACHE"),
        ("def f(key):\n if CACHE.get(key): return 1\n CACHE.setdefault(key, g(key))", "CACHE"),
        ("def f(key, memo):\n if key not in memo:\n  memo[key] = g(key)", "memo"),
        ("def f():\n global ready\n if not ready:\n  ready = g()", "ready"),
        ("def f():\n global ready\n if ready: return\n ready = g()", "ready"),
        ("def f():\n if not DONE:\n  DONE.append(g())\n return DONE[0]", "DONE"),
        ("def f():\n for one in DONE:\n  if one: break\n else:\n  DONE.append(g())", "DONE"),
        ("def f(key):\n if not R.has(key):\n  R.store(key, g(key))\n return R.get(key)", "R"),
        ("def f(key):\n if not R.has(key):\n  R.keep(key, g(key))\n return R.get(key)", "R"),
        ("async def f(self):\n if self._x is None:\n  self._x = await g()", "_x"),
        ("def f(self):\n return self._x if self._x else setattr(self, '_x', g())", "_x"),
        ("def f(k):\n return C[k] if k in C else C.setdefault(k, g(k))", "C"),
        ("def f(k):\n v = C.get(k)\n if v is None:\n  v = g(k)\n C[k] = v\n return v", "C"),
        ("def f(self, k):\n return self._c.get(k) or self._c.setdefault(k, g(k))", "_c"),
        ("def f(k, known={}):\n if k not in known: known[k] = g()", "known"),
        ("def f():\n if not hasattr(f, 'done'): f.done = g()", "done"),
        ("def f():\n if 'conn' not in STATE: STATE['conn'] = g()", "conn"),
    ],
)  # fmt: skip
def test_what_is_filled_where_it_was_missing_is_kept(source: str, name: str) -> None:
    assert names(source) == [name]


@pytest.mark.parametrize(
    "source",
    [
        "def f(self):\n self._x = self._x or g()",
        "def f(self):\n self._x = self._x if self._x else g()",
        "def f(self):\n x = self._x or g()\n self._x = x\n return x",
        "def f(k):\n _x[k] = _x.get(k) or g(k)",
    ],
)
def test_what_is_chosen_where_it_is_stored_is_kept(source: str) -> None:
    assert names(source) == ["_x"]


def test_an_item_is_missing_where_its_container_is_empty() -> None:
    assert names("def f():\n if not STATE: STATE['conn'] = g()\n return STATE['conn']") == ["conn"]


@pytest.mark.xfail(strict=True, reason="what fills a __dict__ by a method is found as `__dict__`")
@pytest.mark.parametrize("call", ["update(_x=g())", "setdefault('_x', g())"])
def test_an_attribute_may_be_put_into_the_dictionary_of_its_object(call: str) -> None:
    assert names(f"def f(self):\n if '_x' not in self.__dict__:\n  self.__dict__.{call}") == ["_x"]


@pytest.mark.parametrize(
    "source",
    [
        "def f(self, k):\n if self.ready: return\n self._x[k] = g()",
        "def f(x): return x + 1",
        "def f(self, x): self.x = x",
        "def f(items):\n d = {}\n for i in items:\n  if i not in d: d[i] = 0\n return d",
        "def f(self):\n if self.x: return 1\n return 2",
        "def __init__(self, x):\n if x:\n  self.y = 1\n return self.y",
        "def __init__(self):\n if not self.y:\n  self.y = g()",
        "def f(items):\n if items:\n  items.append(g())\n return items",
        "def f(self, x):\n if x: self.y = 1",
        # What was computed before it was looked.
        "def f(key):\n return CACHE.setdefault(key, g(key)) if key else CACHE",
        "def f(self):\n x = g()\n if self.x is None: self.seen = 1\n self.x = x",
        # Guards that ask for what is there already.
        "def f(self):\n if self.commands: app.commands.update(self.commands, g())",
        "def f(self):\n if self._x is not None:\n  self._x = g()",
        "def f(self):\n if self._x:\n  self._x = g()",
        "def f(key):\n if key in CACHE:\n  CACHE[key] = g(key)",
        "def f():\n if DONE: DONE.append(g())",
        # Another object.
        "def f(self):\n if not self.name:\n  self.cli.name = g()",
        "def f(self):\n if not self.cli.name:\n  self.name = g()",
        # Fresh in each call.
        "def f(**options):\n if 'x' not in options:\n  options['x'] = g()\n return options",
        "def f(*args):\n if not args:\n  args[0] = g()",
        "def f(k):\n made = C()\n if not made.x:\n  made.x = g()\n return made",
        # The environment of the process.
        "def f():\n if 'X' not in os.environ:\n  os.environ['X'] = g()",
    ],
)
def test_functions_that_keep_nothing(source: str) -> None:
    assert kept(source) == ()


@pytest.mark.parametrize(
    ("source", "needless", "needed"),
    [
        (
            "def f(self):\n before()\n if self._x is None:\n  self._x = g(y.z)\n return after()",
            "g y z",
            "before after",
        ),
        ("def f(self):\n if self._x: return after()\n self._x = g()", "g", "after"),
        ("def f(self):\n if not self._x: self._x = g()\n else: after()", "g", "after"),
        ("def f(self):\n try: return self._x\n except E: self._x = g()", "g E", ""),
        ("def f(self):\n with suppress(before):\n  return self._x\n self._x = g()", "g", "before"),
        ("def f(self):\n x = g()\n if not self._x: self._x = x", "", "g"),
        ("def f(self):\n if self._x is None: self._x = g()\n else: after()", "g", "after"),
        ("def f(k):\n if k not in C: C[k] = g()\n else: after()", "g", "after"),
        ("def f(self):\n if not self._x:\n  x = g()\n  self._x = x", "g", ""),
        ("def f(key):\n if key not in C: C[key] = getattr(m, 'g')()\n h()", "getattr m g", "h"),
    ],
)
def test_what_a_kept_value_makes_needless(source: str, needless: str, needed: str) -> None:
    found = within(source)
    assert set(needless.split()) <= found
    assert found.isdisjoint(needed.split())


def test_what_is_called_without_its_name_may_be_needless() -> None:
    one = Keeping("x", frozenset({"g"}))
    for called, mentions, spared in (
        ("g", {"g"}, True),
        ("h", {"g", "h"}, False),
        ("h", {"g"}, True),
    ):
        assert one.may_spare(called, frozenset(mentions)) is spared
    assert Keeping("x", None).may_spare("h", frozenset({"h"}))


@pytest.mark.parametrize(
    ("stored", "spares"),
    [
        ("o['x'] = one", False),
        ("o['x'] = one if one else two", False),
        ("o['x'] = g()", True),
        ("o['x'] = one + two", True),
        ("o['x'] = one.two", True),
        ("o['x'] = one[0]", True),
        ("o['x'] = f'{one}'", True),
        ("o['x'] = [a for a in one]", True),
    ],
)
def test_where_nothing_runs_nothing_is_spared(stored: str, spares: bool) -> None:
    (found,) = kept(f"def f(o, one, two):\n if 'x' not in o: {stored}")
    assert found.may_spare("h", frozenset()) is spares


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(o, k):\n if k not in o: o[k] = g(k)", True),
        ("def f(o, k):\n if k not in o: o.update(k=g(k))", True),
        ("def f(o):\n if 'x' not in o: o['x'] = g()", False),
        ("def f(o):\n if o.x is None: o.x = g()", False),
        ("def f(k):\n if k not in KEPT: KEPT[k] = g(k)", False),
    ],
)
def test_what_is_given_has_a_name_of_its_own(source: str, expected: bool) -> None:
    assert [one.of_argument for one in kept(source)] == [expected]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(self):\n if self._x is None: self._x = g()", True),
        ("def f(self):\n if not self.app._x: self.app._x = g()", True),
        ("def f(me):\n if me._x is None: me._x = g()", False),
        ("def f(self, o):\n if not o._x: o._x = self._x = g()", False),
        ("def f(self):\n if not CACHE: CACHE.append(g(self))", False),
        ("@classmethod\ndef f(self):\n if self._x is None: self._x = g()", False),
        ("@staticmethod\ndef f(self):\n if self._x is None: self._x = g()", False),
        ("@cached_property\ndef f(self): return 1", True),
        ("@lru_cache\ndef f(self): return 1", False),
    ],
)
def test_whether_it_is_kept_in_the_own_object_alone(source: str, expected: bool) -> None:
    (one,) = kept(source)
    assert one.of_self is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            "def memo(f):\n cache = {}\n def inner(k):\n  if k not in cache: cache[k] = f(k)\n"
            "  return cache[k]\n return inner",
            ["cache"],
        ),
        (
            "def once(f):\n done = None\n def inner():\n  nonlocal done\n"
            "  if done is None: done = f()\n  return done\n return inner",
            ["done"],
        ),
        (
            "def f(items):\n seen = {}\n def inner(k):\n  if k not in seen: seen[k] = g(k)\n"
            " inner(1)\n return seen",
            [],
        ),
    ],
    ids=["handed on", "nonlocal", "ends with the call"],
)
def test_closures_keep_what_outlives_the_call_that_made_them(
    source: str, expected: list[str]
) -> None:
    assert names(source) == expected


@pytest.mark.parametrize("name", ["__get__", "__getattr__", "__getattribute__", "__missing__"])
def test_what_runs_only_where_nothing_is_found_keeps_all_that_it_stores(name: str) -> None:
    computed = f"def {name}(self, o):\n o.__dict__[self.n] = v = g(o)\n return v"
    assert kept(computed) == (Keeping(COMPUTED, None, roots=frozenset({"o"})),)
    assert kept(f"def {name}(self, o):\n self.done = g(o)") == (
        Keeping("done", None, True, roots=frozenset({"self"})),
    )
    assert kept(f"def {name}(self, o):\n return g(o)") == ()


@pytest.mark.parametrize(
    "decorator",
    ["functools.lru_cache(maxsize=None)", "cache", "memoize", "reify", "lazy", "once",
     "my.Singleton", "region.cache_on_arguments()", "Memo()"],
)  # fmt: skip
def test_decorators_that_keep_by_their_name(decorator: str) -> None:
    assert kept(f"@{decorator}\ndef f(a): return 1") == (Keeping("f", None),)


@pytest.mark.parametrize(
    ("decorators", "wrapped"),
    [
        (["wrap"], {"wrap"}),
        (["app.route('/')"], {"app"}),
        (["staticmethod", "wrap(1)"], {"wrap"}),
        (["wrap", "other.one"], {"wrap", "other"}),
    ],
)
def test_decorators_that_nobody_knows_may_keep(decorators: list[str], wrapped: set[str]) -> None:
    lines = "".join(f"@{one}\n" for one in decorators)
    assert kept(f"{lines}def f(a): return 1") == (Keeping("f", None, wrapped=frozenset(wrapped)),)


@pytest.mark.parametrize(
    "decorator",
    ["property", "staticmethod", "pytest.fixture", "pytest.fixture(scope='session')",
     "contextmanager", "functools.wraps(g)", "pytest.mark.slow", "x.setter",
     "click.command()", "cli.command('insert', help='into an in-memory database, once')",
     "click.option('--memory/--cache')", "click.pass_context"],
)  # fmt: skip
def test_decorators_that_keep_nothing(decorator: str) -> None:
    assert kept(f"@{decorator}\ndef f(a): return 1") == ()
    both = f"@{decorator}\ndef f(key):\n if key not in C: C[key] = g(key)"
    assert names(both) == ["C"]
