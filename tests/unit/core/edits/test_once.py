import ast

import pytest

from pytest_ciopt.core.edits.once import keeps_values


def keeps(source: str) -> bool:
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
    return keeps_values(function)


@pytest.mark.parametrize(
    "source",
    [
        "@functools.lru_cache(maxsize=None)\ndef f(): return 1",
        "@cached_property\ndef f(self): return 1",
        "@memoize\ndef f(): return 1",
        "def f(self):\n if self._x is None:\n  self._x = g()\n return self._x",
        "def f(self):\n x = self._x\n if x is None:\n  x = self._x = g()\n return x",
        "def f(self):\n try:\n  return self._x\n except AttributeError:\n  self._x = g()",
        "def f(self):\n if not hasattr(self, '_x'):\n  setattr(self, '_x', g())",
        "def f(key):\n if key not in CACHE:\n  CACHE[key] = g(key)\n return CACHE[key]",
        "def f(key):\n if key in CACHE: return CACHE[key]\n CACHE[key] = g(key)",
        "def f(key, memo):\n if key not in memo:\n  memo[key] = g(key)\n return memo[key]",
        "def f():\n global ready\n if not ready:\n  ready = g()",
        "def f(key):\n return CACHE.setdefault(key, g(key)) if key else CACHE",
        "def f():\n if not DONE:\n  DONE.append(g())\n return DONE[0]",
        "def f(key):\n if not R.has(key):\n  R.store(key, g(key))\n return R.get(key)",
        "@reify\ndef f(self): return 1",
        "async def f(self):\n if self._x is None:\n  self._x = await g()\n return self._x",
    ],
)
def test_functions_that_may_keep_a_value(source: str) -> None:
    assert keeps(source)


@pytest.mark.parametrize(
    "source",
    [
        "def f(x): return x + 1",
        "def f(self, x): self.x = x",
        "def f(items):\n d = {}\n for i in items:\n  if i not in d: d[i] = 0\n return d",
        "def f(self):\n if self.x: return 1\n return 2",
        "@pytest.fixture\ndef f(): return 1",
        "@property\ndef f(self): return 1",
        "def f(items):\n if items:\n  items.append(1)\n return items",
        "def f(self, x):\n if x: self.y = 1",
    ],
)
def test_functions_that_keep_nothing(source: str) -> None:
    assert not keeps(source)
