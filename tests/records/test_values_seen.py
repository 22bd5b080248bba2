"""Values that are kept in ways which no text tells: what was seen does.

A later test runs a function that was there when the changed one ran for the first time, and does
not run that one. Programs that were written to be missed, as in `test_values_kept.py`.
"""

from collections.abc import Mapping

import pytest

from conftest import MakeProject, failing
from pytest_ciopt.adapters.tracing.tracer import can_trace

pytestmark = pytest.mark.skipif(not can_trace(), reason="what runs cannot be watched here")

BOTH = """
from app.use import value

def test_a():
    assert value() == 42

def test_b():
    assert value() == 42
"""
PROGRAMS: dict[str, Mapping[str, str]] = {
    "class cache via self": {
        "app/use.py": """
def compute():
    return 42

class Foo:
    _cache = {}
    def __init__(self):
        self.n = 1
    def get(self, k):
        if k not in self._cache:
            self._cache[k] = compute()
        return self._cache[k]
def value():
    return Foo().get('k')
""",
        "tests/test_x.py": BOTH,
    },
    "singleton new": {
        "app/use.py": """
def compute():
    return 42

class Conf:
    _inst = None
    def __new__(cls):
        if cls._inst is None:
            cls._inst = super().__new__(cls)
            cls._inst.v = compute()
        return cls._inst
def value():
    return Conf().v
""",
        "tests/test_x.py": BOTH,
    },
    "local alias of cache": {
        "app/use.py": """
def compute():
    return 42

CACHE = {}
def value():
    cache = CACHE
    if 'k' not in cache:
        cache['k'] = compute()
    return cache['k']
""",
        "tests/test_x.py": BOTH,
    },
    "dirty flag": {
        "app/use.py": """
def compute():
    return 42

class L:
    def __init__(self):
        self.dirty, self.v = True, None
    def get(self):
        if self.dirty:
            self.v = compute()
            self.dirty = False
        return self.v
ONE = L()
def value():
    return ONE.get()
""",
        "tests/test_x.py": BOTH,
    },
    "guard and store apart": {
        "app/use.py": """
def compute():
    return 42

TABLE = {}
def fill(k):
    TABLE[k] = compute()
    return TABLE[k]
def get(k):
    return TABLE[k] if k in TABLE else fill(k)
def value():
    return get('k')
""",
        "tests/test_x.py": BOTH,
    },
    "lru in init": {
        "app/use.py": """
def compute():
    return 42

from functools import lru_cache
class S:
    def __init__(self):
        self.get = lru_cache(self._get)
    def _get(self):
        return compute()
ONE = S()
def value():
    return ONE.get()
""",
        "tests/test_x.py": BOTH,
    },
    "cached in table": {
        "app/use.py": """
def compute():
    return 42

from functools import lru_cache
@lru_cache
def conf():
    return compute()
TABLE = {'k': conf}
def value():
    return TABLE['k']()
""",
        "tests/test_x.py": BOTH,
    },
    "generator deep": {
        "app/use.py": """
def compute():
    return 42

def gen():
    x = compute()
    while True:
        yield x
G = gen()
def value():
    return next(G)
""",
        "tests/test_x.py": BOTH,
    },
    "descriptor renamed": {
        "app/use.py": """
def compute():
    return 42

class reify:
    def __init__(self, f): self.f = f
    def __set_name__(self, owner, name): self.name = name
    def __get__(self, obj, cls):
        obj.__dict__[self.name] = v = self.f(obj)
        return v
def make_conf(self):
    return compute()
class S:
    conf = reify(make_conf)
ONE = S()
def value():
    return ONE.conf
""",
        "tests/test_x.py": BOTH,
    },
    "many calls common name": {
        "app/use.py": """
def load():
    return 42
class Other:
    def load(self):
        return 1
M = {}
def value():
    if 'k' not in M:
        M['k'] = load()
    return M['k']
""",
        "tests/test_x.py": """
from app.use import value, load, Other
def test_0():
    Other().load()
    for i in range(50): assert load() == 42
def test_a():
    assert load() == 42
    assert value() == 42
def test_b(): assert value() == 42
""",
    },
    "thread common name": {
        "app/use.py": """
def compute():
    return 42

from concurrent.futures import ThreadPoolExecutor
class A:
    def run(self): return compute()
class B:
    def run(self): return 1
V = None
def value():
    global V
    B().run()
    if V is None:
        with ThreadPoolExecutor(1) as ex:
            V = ex.submit(A().run).result()
    return V
""",
        "tests/test_x.py": BOTH,
    },
    "for return": {
        "app/use.py": """
def compute():
    return 42

CACHE = []
def value():
    for v in CACHE:
        return v
    CACHE.append(compute())
    return CACHE[0]
""",
        "tests/test_x.py": BOTH,
    },
    "closure box lambda": {
        "app/use.py": """
def compute():
    return 42

def once(f):
    box = []
    return lambda: (box or box.append(f()) or box)[0]
conf = once(compute)
def value():
    return conf()
""",
        "tests/test_x.py": BOTH,
    },
    "current app": {
        "app/use.py": """
def compute():
    return 42

class App:
    def __init__(self):
        self.value = None
APP = App()
def current_app():
    return APP
def value():
    app = current_app()
    if app.value is None:
        app.value = compute()
    return app.value
""",
        "tests/test_x.py": BOTH,
    },
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_whoever_may_have_got_it_earlier_is_selected(project: MakeProject, name: str) -> None:
    base = {"pytest.ini": "[pytest]\npythonpath = .\n", "app/__init__.py": ""}
    made = project(base | dict(PROGRAMS[name]))
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.replace("app/use.py", "return 42", "return 43")
    broken = failing(made)
    assert len(broken) > 1
    assert broken <= made.select(exit_code=1).selected.keys()
