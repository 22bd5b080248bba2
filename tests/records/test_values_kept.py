"""Programs that were written to be missed: an edit broke a test of each that was once left out.

They keep values, hand modules and functions around, and ask for names that no source contains.
Which tests an edit breaks is told by running all of them.
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
Edit = tuple[str, str | None, str]


def _at_import(decorator: str) -> tuple[Mapping[str, str], Edit]:
    """Two modules are handed one value while they are imported; it is computed for the first."""
    made = f"""
import functools
from functools import lru_cache as kept
@{decorator}
def made():
    return 42
FIRST = made()
"""
    use = """
from app import made
SECOND = made.made()
def value():
    return SECOND
"""
    files = {"app/made.py": made, "app/use.py": use, "tests/test_x.py": BOTH}
    return files, ("app/made.py", "return 42", "return 43")


def _filled(code: str) -> tuple[Mapping[str, str], Edit]:
    """Who finds out that nothing is kept has another function keep it."""
    tests = """
from app.use import value
def test_0(): assert value(warm=True) == 42
def test_a(): assert value() == 42
def test_b(): assert value() == 42
"""
    files = {
        "app/load.py": "def compute():\n    return 42\n",
        "app/use.py": f"from app.load import compute\n{code}",
        "tests/test_x.py": tests,
    }
    return files, ("app/load.py", "return 42", "return 43")


CASES: dict[str, tuple[Mapping[str, str], Edit]] = {
    "cached at import, and by another module": _at_import("functools.lru_cache"),
    "the same by a decorator that nobody knows": _at_import("kept"),
    "an item by a helper": _filled("""
KEPT = {}
def fill(key): KEPT[key] = compute()
def value(warm=False):
    if warm: return 42
    if "a" not in KEPT: fill("a")
    return KEPT["a"]
"""),
    "a global by a helper": _filled("""
KEPT = []
def fill():
    global KEPT
    KEPT += [compute()]
def value(warm=False):
    if warm: return 42
    if not KEPT:
        fill()
    return KEPT[0]
"""),
    "in an object by a method": _filled("""
class Shelf:
    def __init__(self): self.items = []
    def add(self, item): self.items.append(item)
SHELF = Shelf()
def stock(): SHELF.add(compute())
def value(warm=False):
    if warm: return 42
    if not SHELF.items: stock()
    return SHELF.items[0]
"""),
    "in a set by who is handed it": _filled("""
KEPT = set()
def put(item): KEPT.add(item)
def value(warm=False):
    if warm: return 42
    if not KEPT: put(compute())
    return [*KEPT][0]
"""),
    "in a part that a variable holds": _filled("""
KEPT = {"a": {}}
def value(warm=False):
    if warm: return 42
    part = KEPT["a"]
    if "value" not in part: part["value"] = compute()
    return part["value"]
"""),
    "in one of several objects": _filled("""
class Shelf:
    def __init__(self): self.item = None
SHELVES = [Shelf()]
def value(warm=False):
    if warm: return 42
    for shelf in SHELVES:
        if shelf.item is None: shelf.item = compute()
        return shelf.item
"""),
    "by a table of functions, and a helper": _filled("""
KEPT, MADE_BY = {}, {"a": compute}
def remember(key, value):
    KEPT[key] = value
    return value
def value(warm=False):
    if warm: return 42
    if "a" in KEPT: return KEPT["a"]
    return remember("a", MADE_BY["a"]())
"""),
    "in what a helper is handed": _filled("""
KEPT = {}
def fill(kept): kept.update(a=compute())
def value(warm=False):
    if warm: return 42
    if "a" in KEPT:
        return KEPT["a"]
    fill(KEPT)
    return KEPT["a"]
"""),
    "what a variable holds tells": _filled("""
class Shelf:
    def __init__(self): self.items = {"b": 42}
    def _fetch(self, key):
        self.items[key] = item = compute()
        return item
    def get(self, key):
        item = self.items.get(key)
        return self._fetch(key) if item is None else item
SHELF = Shelf()
def value(warm=False): return SHELF.get("b" if warm else "a")
"""),
    "a variable tells that it is missing": _filled("""
class Client:
    def __init__(self, until=0): self.until = until
    def refresh(self): self.token, self.until = compute(), 9
    def ask(self):
        expired = self.until < 5
        if expired: self.refresh()
        return self.token
WARM, CLIENT = Client(9), Client()
WARM.token = 42
def value(warm=False): return (WARM if warm else CLIENT).ask()
"""),
    "another function tells": _filled("""
KEPT = {}
def has(key): return key in KEPT
def fill(key): KEPT[key] = compute()
def value(warm=False):
    if warm: return 42
    if not has("a"): fill("a")
    return KEPT["a"]
"""),
    "a property tells": _filled("""
class Client:
    token = None
    @property
    def is_open(self): return self.token is not None
    def open(self): self.token = compute()
    def ask(self):
        if not self.is_open: self.open()
        return self.token
WARM, CLIENT = Client(), Client()
WARM.token = 42
def value(warm=False): return (WARM if warm else CLIENT).ask()
"""),
    "an operator tells": _filled("""
class Shelf:
    def __init__(self): self.items = {"b": 42}
    def __contains__(self, key): return key in self.items
    def load(self, key): self.items[key] = compute()
    def get(self, key):
        if key not in self: self.load(key)
        return self.items[key]
SHELF = Shelf()
def value(warm=False): return SHELF.get("b" if warm else "a")
"""),
    "a state of one of several objects": _filled("""
class Service:
    def __init__(self): self.ready = False
    def set_up(self):
        self.made = compute()
        self.ready = True
SERVICES = {"a": Service()}
def value(warm=False):
    if warm: return 42
    service = SERVICES["a"]
    if not service.ready: service.set_up()
    return service.made
"""),
    "in what a helper is handed by a variable": _filled("""
ROWS = {"a": []}
def fill(rows): rows.append(compute())
def value(warm=False):
    if warm: return 42
    rows = ROWS["a"]
    if len(rows) == 0: fill(rows)
    return rows[0]
"""),
    "by another module, in this one": (
        {
            "app/load.py": "def compute():\n    return 42\n",
            "app/fill.py": """
from app import kept
from app.load import compute
def fill(key): kept.KEPT[key] = compute()
""",
            "app/kept.py": "KEPT = {'b': 42}\n",
            "app/use.py": """
from app.fill import fill
from app.kept import KEPT
def value(warm=False):
    key = "b" if warm else "a"
    if key not in KEPT: fill(key)
    return KEPT[key]
""",
            "tests/test_x.py": """
from app.use import value
def test_0(): assert value(warm=True) == 42
def test_a(): assert value() == 42
def test_b(): assert value() == 42
""",
        },
        ("app/load.py", "return 42", "return 43"),
    ),
    "a decorator asks first": _filled("""
import functools
def opened(function):
    @functools.wraps(function)
    def asking(self):
        if self.token is None: self.open()
        return function(self)
    return asking
class Client:
    def __init__(self): self.token = None
    def open(self): self.token = compute()
    @opened
    def ask(self): return self.token
WARM, CLIENT = Client(), Client()
WARM.token = 42
def value(warm=False): return (WARM if warm else CLIENT).ask()
"""),
    "by what is inside of a function, in a thread and without": (
        {
            "app/use.py": """
import threading
def load():
    return 42
def made(box):
    def inner():
        box.append(load())
    return inner
def direct():
    box = []
    made(box)()
    return box[0]
_KEPT = {}
def value():
    if "v" not in _KEPT:
        box = []
        thread = threading.Thread(target=made(box))
        thread.start()
        thread.join()
        _KEPT["v"] = box[0]
    return _KEPT["v"]
""",
            "tests/test_x.py": f"{BOTH}\ndef test_c():\n    use.direct()\n".replace(
                "import value", "import value\nfrom app import use"
            ),
        },
        ("app/use.py", "return 42", "return 43"),
    ),
    "append guard": (
        {
            "app/use.py": """
_LOADED = []
def load():
    return 42
def value():
    if not _LOADED:
        _LOADED.append(load())
    return _LOADED[0]
""",
            "tests/test_x.py": BOTH,
        },
        ("app/use.py", "return 42", "return 43"),
    ),
    "lazy object": (
        {
            "app/use.py": """
class Lazy:
    def __init__(self, factory):
        self.factory, self.kept = factory, None
    def get(self):
        if self.kept is None:
            self.kept = self.factory()
        return self.kept
def compute():
    return 42
VALUE = Lazy(compute)
def value():
    return VALUE.get()
""",
            "tests/test_x.py": BOTH,
        },
        ("app/use.py", "return 42", "return 43"),
    ),
    "reify": (
        {
            "app/use.py": """
class reify:
    def __init__(self, f):
        self.f = f
    def __get__(self, obj, cls):
        made = self.f(obj)
        setattr(obj, self.f.__name__, made)
        return made
class App:
    @reify
    def conf(self):
        return 42
APP = App()
def value():
    return APP.conf
""",
            "tests/test_x.py": BOTH,
        },
        ("app/use.py", "return 42", "return 43"),
    ),
    "reify helper": (
        {
            "app/use.py": """
class reify:
    def __init__(self, f):
        self.f = f
    def __get__(self, obj, cls):
        made = self.f(obj)
        setattr(obj, self.f.__name__, made)
        return made
def helper():
    return 42
class App:
    @reify
    def conf(self):
        return helper()
APP = App()
def value():
    return APP.conf
""",
            "tests/test_x.py": BOTH,
        },
        ("app/use.py", "return 42", "return 43"),
    ),
    "cached data": (
        {
            "app/d.txt": "42",
            "app/use.py": """
from functools import lru_cache
from pathlib import Path
@lru_cache
def value():
    return int(Path(__file__).with_name('d.txt').read_text())
""",
            "tests/test_x.py": BOTH,
        },
        ("app/d.txt", "42", "43"),
    ),
    "cached data global": (
        {
            "app/d.txt": "42",
            "app/use.py": """
from pathlib import Path
_D = None
def value():
    global _D
    if _D is None:
        _D = int(Path(__file__).with_name('d.txt').read_text())
    return _D
""",
            "tests/test_x.py": BOTH,
        },
        ("app/d.txt", "42", "43"),
    ),
    "cached listing": (
        {
            "app/d/1.txt": "42",
            "app/use.py": """
import os
from functools import lru_cache
from pathlib import Path
@lru_cache
def names():
    return os.listdir(Path(__file__).with_name('d'))
def value():
    return 41 + len(names())
""",
            "tests/test_x.py": BOTH,
        },
        ("app/d/2.txt", None, "43"),
    ),
    "registry at import": (
        {
            "app/reg.py": """
REG = {}
def register(f):
    REG[f.__name__] = f
    return f
@register
def impl():
    return 42
""",
            "app/use.py": """
from app.reg import REG
TABLE = {k: f() for k, f in REG.items()}
def value():
    return TABLE['impl']
""",
            "tests/test_x.py": BOTH,
        },
        ("app/reg.py", "return 42", "return 43"),
    ),
    "dynamic at import method": (
        {
            "app/reg.py": """
class Square:
    def area(self):
        return 42
def shapes():
    return [Square()]
""",
            "app/use.py": """
from app import reg
TABLE = [s.area() for s in reg.shapes()]
def value():
    return TABLE[0]
""",
            "tests/test_x.py": BOTH,
        },
        ("app/reg.py", "return 42", "return 43"),
    ),
    "signature default": (
        {
            "app/use.py": """
import inspect
def f(x=42):
    return x
def g():
    return f
def value():
    return inspect.signature(f).parameters['x'].default
""",
            "tests/test_x.py": BOTH,
        },
        ("app/use.py", "x=42", "x=43"),
    ),
    "computed getattr function": (
        {
            "app/conf.py": """
LIMIT_a = 42
""",
            "app/use.py": """
from app import conf
def value():
    return getattr(conf, 'LIMIT_' + 'a')
""",
            "tests/test_x.py": BOTH,
        },
        ("app/conf.py", "42", "43"),
    ),
    "vars module": (
        {
            "app/conf.py": """
LIMIT = 42
""",
            "app/use.py": """
from app import conf
def value():
    return max(v for k, v in vars(conf).items() if k.isupper())
""",
            "tests/test_x.py": BOTH,
        },
        ("app/conf.py", "42", "43"),
    ),
    "dir module star": (
        {
            "app/conf.py": """
LIMIT = 42
""",
            "app/use.py": """
from app import conf
class Settings:
    def __init__(self, module):
        for k in dir(module):
            if k.isupper():
                setattr(self, k.lower(), getattr(module, k))
S = Settings(conf)
def value():
    return S.limit
""",
            "tests/test_x.py": BOTH,
        },
        ("app/conf.py", "42", "43"),
    ),
    "settings string": (
        {
            "app/conf.py": """
LIMIT = 42
""",
            "app/use.py": """
import importlib
class Settings:
    def __init__(self, name):
        self.module = importlib.import_module(name)
    def __getattr__(self, name):
        return getattr(self.module, name.upper())
S = Settings('app.conf')
def value():
    return S.limit
""",
            "tests/test_x.py": BOTH,
        },
        ("app/conf.py", "42", "43"),
    ),
    "iterate dispatch new method": (
        {
            "app/use.py": """
class Suite:
    def check_one(self):
        return 42
def value():
    s = Suite()
    return sum(getattr(s, n)() for n in dir(s) if n.startswith('check_'))
""",
            "tests/test_x.py": BOTH,
        },
        (
            "app/use.py",
            "        return 42\n",
            "        return 42\n    def check_two(self):\n        return 1\n",
        ),
    ),
    "visitor new method": (
        {
            "app/base.py": """
class Base:
    def visit(self, node):
        return getattr(self, 'visit_' + type(node).__name__, self.other)(node)
    def other(self, node):
        return 42
""",
            "app/sub.py": """
from app.base import Base
class Sub(Base):
    x = 1
""",
            "app/use.py": """
from app.sub import Sub
THE = Sub()
def value():
    return THE.visit(1)
""",
            "tests/test_x.py": BOTH,
        },
        (
            "app/sub.py",
            "    x = 1\n",
            "    x = 1\n    def visit_int(self, node):\n        return 43\n",
        ),
    ),
    "inst from registry": (
        {
            "app/plug.py": """
from app.reg import add
class Plug:
    limit = 42
add(Plug())
""",
            "app/reg.py": """
ALL = []
def add(p):
    ALL.append(p)
def first():
    return ALL[0]
""",
            "app/use.py": """
import app.plug
from app.reg import first
def value():
    return first().limit
""",
            "tests/test_x.py": BOTH,
        },
        ("app/plug.py", "42", "43"),
    ),
    "set guard": (
        {
            "app/use.py": """
STATE = {}
_DONE = set()
def init():
    STATE['x'] = 42
def value():
    if 'x' not in _DONE:
        _DONE.add('x')
        init()
    return STATE['x']
""",
            "tests/test_x.py": BOTH,
        },
        ("app/use.py", "= 42", "= 43"),
    ),
    "method guard call": (
        {
            "app/use.py": """
class Reg:
    def __init__(self):
        self.items = {}
    def has(self, k):
        return k in self.items
    def store(self, k, v):
        self.items[k] = v
    def fetch(self, k):
        return self.items[k]
R = Reg()
def compute():
    return 42
def value():
    if not R.has('x'):
        R.store('x', compute())
    return R.fetch('x')
""",
            "tests/test_x.py": BOTH,
        },
        ("app/use.py", "return 42", "return 43"),
    ),
    "import once in function": (
        {
            "app/heavy.py": """
from app.calc import calc
TABLE = calc()
""",
            "app/calc.py": """
def calc():
    return 42
""",
            "app/use.py": """
def value():
    from app.heavy import TABLE
    return TABLE
""",
            "tests/test_x.py": BOTH,
        },
        ("app/calc.py", "return 42", "return 43"),
    ),
    "closure at import": (
        {
            "app/make.py": """
def maker(n):
    def inner():
        return n + 1
    return inner
""",
            "app/use.py": """
from app.make import maker
value = maker(41)
""",
            "tests/test_x.py": BOTH,
        },
        ("app/make.py", "n + 1", "n + 2"),
    ),
    "own name star": (
        {
            "app/c1.py": "V = 42\n",
            "app/c2.py": "from app.c1 import *\n",
            "app/use.py": """
try:
    from json import V
except ImportError:
    from app.c2 import *
def value():
    return V
""",
            "tests/test_x.py": BOTH,
        },
        ("app/c1.py", "42", "43"),
    ),
    "own name globals update": (
        {
            "app/c1.py": "V = 42\n",
            "app/use.py": """
import app.c1
V = 0
globals().update({k: v for k, v in vars(app.c1).items() if k == 'V'})
def value():
    return V
""",
            "tests/test_x.py": BOTH,
        },
        ("app/c1.py", "42", "43"),
    ),
    "class own attr via instance": (
        {
            "app/c1.py": """
class A:
    n = 42
""",
            "app/f.py": """
from app.c1 import A
def make():
    return A()
""",
            "app/use.py": """
from functools import lru_cache
from app.f import make
@lru_cache
def one():
    return make()
def value():
    return one().n
""",
            "tests/test_x.py": BOTH,
        },
        ("app/c1.py", "42", "43"),
    ),
    "lint comment": (
        {
            "app/use.py": """
def value():
    return 42
""",
            "tests/test_x.py": """
from pathlib import Path
def test_a(): assert 'TODO' not in Path(__file__).parents[1].joinpath('app/use.py').read_text()
""",
        },
        ("app/use.py", "42\n", "42  # TODO\n"),
    ),
    "getsource comment": (
        {
            "app/use.py": """
def value():
    return 42
""",
            "tests/test_x.py": """
import inspect
from app import use
def test_a(): assert 'TODO' not in inspect.getsource(use.value)
""",
        },
        ("app/use.py", "42\n", "42  # TODO\n"),
    ),
    "subclasses at import": (
        {
            "app/reg.py": """
class Base:
    def area(self):
        return 0
class Circle(Base):
    def area(self):
        return 42
""",
            "app/use.py": """
from app.reg import Base
TABLE = [c().area() for c in Base.__subclasses__()]
def value():
    return TABLE[0]
""",
            "tests/test_x.py": BOTH,
        },
        ("app/reg.py", "return 42", "return 43"),
    ),
    "reads readme": (
        {
            "README.md": "42",
            "app/use.py": """
def value():
    return 42
""",
            "tests/test_x.py": """
from pathlib import Path
def test_a(): assert Path(__file__).parents[1].joinpath('README.md').read_text() == '42'
""",
        },
        ("README.md", "42", "43"),
    ),
    "default that a star import takes the place of": (
        {
            "app/local.py": "LIMIT = 42\n",
            "app/settings.py": """
LIMIT = 10
try:
    from .local import *
except ImportError:
    pass
""",
            "app/use.py": """
from app.settings import LIMIT
def value():
    return LIMIT
""",
            "tests/test_x.py": BOTH,
        },
        ("app/local.py", "42", "43"),
    ),
    "profile of settings": (
        {
            "app/settings/__init__.py": """
import importlib
import os
def configured(profile):
    module = importlib.import_module(f".{profile}", __name__)
    return {key.lower(): value for key, value in vars(module).items() if key.isupper()}
SETTINGS = configured(os.environ.get("APP_PROFILE", "development"))
""",
            "app/settings/development.py": "LIMIT = 42\n",
            "app/use.py": """
from app.settings import SETTINGS
def value():
    return SETTINGS["limit"]
""",
            "tests/test_x.py": BOTH,
        },
        ("app/settings/development.py", "42", "43"),
    ),
    "class by its dotted path": (
        {
            "app/backends/__init__.py": "",
            "app/backends/memory.py": "TIMEOUT = 42\nclass Backend: pass\n",
            "app/use.py": """
from importlib import import_module
def load(path):
    module, _, name = path.rpartition(".")
    loaded = import_module(module)
    return getattr(loaded, name)(), {k.lower(): v for k, v in vars(loaded).items() if k.isupper()}
BACKEND, OPTIONS = load("app.backends.memory.Backend")
def value():
    return OPTIONS["timeout"]
""",
            "tests/test_x.py": BOTH,
        },
        ("app/backends/memory.py", "42", "43"),
    ),
    "module as an attribute of a module": (
        {
            "app/conf.py": "LIMIT = 42\n",
            "app/main.py": "from app import conf\n",
            "app/use.py": """
from app import main
def setting(name):
    return getattr(main.conf, name.upper())
def value():
    return setting("limit")
""",
            "tests/test_x.py": BOTH,
        },
        ("app/conf.py", "42", "43"),
    ),
    "module that is bound later": (
        {
            "app/conf.py": "LIMIT = 42\n",
            "app/use.py": """
conf = None
def setup():
    global conf
    from app import conf
setup()
def value():
    return max(v for k, v in vars(conf).items() if k.isupper())
""",
            "tests/test_x.py": BOTH,
        },
        ("app/conf.py", "42", "43"),
    ),
    "package under another name": (
        {
            "app/backends/__init__.py": "from app.backends import memory\n",
            "app/backends/memory.py": "LIMIT = 42\n",
            "app/use.py": """
import app.backends as known
def setting(backend, name):
    return getattr(getattr(known, backend), name.upper())
def value():
    return setting("memory", "limit")
""",
            "tests/test_x.py": BOTH,
        },
        ("app/backends/memory.py", "42", "43"),
    ),
    "property that is counted": (
        {
            "app/base.py": """
class Node:
    kinds = {}
    def __init_subclass__(cls):
        Node.kinds[cls.__name__.lower()] = cls
    @classmethod
    def build(cls, kind):
        return cls.kinds[kind]()
    def properties(self):
        return [n for n in dir(type(self)) if isinstance(getattr(type(self), n), property)]
""",
            "app/nodes.py": """
from app.base import Node
class Leaf(Node):
    @property
    def size(self): return 1
    @property
    def depth(self): return 0
""",
            "app/use.py": """
import app.nodes
from app.base import Node
def value():
    return 40 + len(Node.build("leaf").properties())
""",
            "tests/test_x.py": BOTH,
        },
        ("app/nodes.py", "    @property\n    def depth(self): return 0\n", ""),
    ),
    "another star import": (
        {
            "app/one.py": "LIMIT = 42\n",
            "app/two.py": "LIMIT = 43\n",
            "app/conf.py": "from app.one import *\n",
            "app/use.py": """
import app.two
from app.conf import LIMIT
def value():
    return LIMIT
""",
            "tests/test_x.py": BOTH,
        },
        ("app/conf.py", "app.one", "app.two"),
    ),
}

MANY_ENTER = """
def warm():
    for _ in range(200):
        with Conn() as found:
            pass
    return found
"""
CONN = """
class Conn:
    def __enter__(self):
        return 42
    def __exit__(self, *error):
        pass
"""
WARMED = (
    BOTH
    + """
def test_0():
    from app.use import warm
    warm()
"""
)
CALC = "def calc():\n    return 42\n"
CASES |= {
    "context manager that a stack enters": (
        {
            "app/conn.py": CONN,
            "app/use.py": f"""
from contextlib import ExitStack
from app.conn import Conn
KEPT = None
def value(make=Conn):
    global KEPT
    if KEPT is None:
        stack = ExitStack()
        KEPT = stack.enter_context(make())
    return KEPT
{MANY_ENTER}""",
            "tests/test_x.py": WARMED,
        },
        ("app/conn.py", "return 42", "return 43"),
    ),
    "context manager that installed code enters": (
        {
            "app/conn.py": CONN,
            "app/use.py": f"""
from contextlib import ExitStack
from app.conn import Conn
KEPT = []
def entered(manager):
    return getattr(ExitStack(), "enter_" + "context")(manager)
def value():
    if not KEPT:
        KEPT.append(entered(Conn()))
    return KEPT[0]
{MANY_ENTER}""",
            "tests/test_x.py": WARMED,
        },
        ("app/conn.py", "return 42", "return 43"),
    ),
    "inherited test whose helper keeps": (
        {
            "app/calc.py": CALC,
            "app/keep.py": """
from app.calc import calc
KEPT = []
def value():
    if not KEPT:
        KEPT.append(calc())
    return KEPT[0]
""",
            "app/testing.py": """
from app import keep
class Base:
    def check(self):
        return keep.value()
    def test_one(self):
        assert self.check() == 42
""",
            "tests/test_a.py": "from app.testing import Base\nclass TestA(Base): pass\n",
            "tests/test_b.py": "from app import keep\ndef test_b(): assert keep.value() == 42\n",
        },
        ("app/calc.py", "return 42", "return 43"),
    ),
    "set-up that is inherited and keeps": (
        {
            "app/calc.py": CALC,
            "app/testing.py": """
from app.calc import calc
KEPT = {}
class Base:
    def setup_method(self):
        if "it" not in KEPT:
            KEPT["it"] = calc()
        self.found = KEPT["it"]
    def test_one(self):
        assert self.found == 42
""",
            "tests/test_a.py": "from app.testing import Base\nclass TestA(Base): pass\n",
            "tests/test_b.py": "from app.testing import Base\nclass TestB(Base): pass\n",
        },
        ("app/calc.py", "return 42", "return 43"),
    ),
    "method called as the test of it": (
        {
            "app/calc.py": CALC,
            "app/use.py": """
from app.calc import calc
class Client:
    known = None
    def test_connection(self):
        if Client.known is None:
            Client.known = calc()
        return Client.known
""",
            "tests/test_a.py": """
from app.use import Client
class TestA:
    def test_connection(self): assert Client().test_connection() == 42
""",
            "tests/test_b.py": """
from app.use import Client
class TestB:
    def test_connection(self): assert Client().test_connection() == 42
""",
        },
        ("app/calc.py", "return 42", "return 43"),
    ),
    "cached function imported under another name": (
        {
            "app/calc.py": CALC,
            "app/use.py": """
import functools
from app.calc import calc
@functools.cache
def rates(): return [calc()]
""",
            "tests/test_a.py": "from app import use\ndef test_a(): assert use.rates() == [42]\n",
            "tests/test_b.py": "from app.use import rates as r\ndef test_b(): assert r() == [42]\n",
        },
        ("app/calc.py", "return 42", "return 43"),
    ),
    "cached function under another name in a third module": (
        {
            "app/calc.py": CALC,
            "app/use.py": """
import functools
from app.calc import calc
@functools.cache
def rates(): return [calc()]
""",
            "tests/test_a.py": "from app import use\ndef test_a(): assert use.rates() == [42]\n",
            "app/api.py": "from app.use import rates as r\n",
            "tests/test_b.py": "from app import api\ndef test_b(): assert api.r() == [42]\n",
        },
        ("app/calc.py", "return 42", "return 43"),
    ),
    "cached function in a table": (
        {
            "app/calc.py": CALC,
            "app/use.py": """
import functools
from app.calc import calc
@functools.cache
def rates(): return [calc()]
""",
            "tests/test_a.py": "from app import use\ndef test_a(): assert use.rates() == [42]\n",
            "app/api.py": "from app import use\nTABLE = {'r': use.rates}\n",
            "tests/test_b.py": """
from app.api import TABLE
def test_b(): assert TABLE['r']() == [42]
""",
        },
        ("app/calc.py", "return 42", "return 43"),
    ),
    "attribute of a registered class": (
        {
            "app/reg.py": """
REG = []
def register(c):
    REG.append(c)
    return c
def size(): return vars(REG[0])["x"]
""",
            "app/use.py": "from app import reg\n@reg.register\nclass Item:\n    x = 42\n",
            "tests/test_a.py": "from app import use\ndef test_a(): pass\n",
            "tests/test_b.py": """
from app import reg, use
def test_b(): assert reg.size() == 42
""",
        },
        ("app/use.py", "x = 42", "x = 43"),
    ),
    "base of a class that its base registers": (
        {
            "app/reg.py": """
REG = []
class Told:
    def __init_subclass__(cls):
        REG.append(cls)
def made(): return REG[-1]()
""",
            "app/use.py": """
from app import reg
class Common:
    y = 1
class Item(Common, reg.Told):
    x = 42
""",
            "tests/test_a.py": "from app import use\ndef test_a(): pass\n",
            "tests/test_b.py": """
from app import reg, use
def test_b(): assert bool(reg.made())
""",
        },
        ("app/use.py", "    y = 1", "    def __bool__(self): return False"),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_the_edit_breaks_is_selected(project: MakeProject, name: str) -> None:
    files, (path, old, new) = CASES[name]
    base = {"pytest.ini": "[pytest]\npythonpath = .\n", "app/__init__.py": ""}
    made = project(base | dict(files))
    assert made.run("--ciopt-record=deps").ret == 0
    if old is None:
        made.repository.write({path: new})
    else:
        made.repository.replace(path, old, new)
    broken = failing(made)
    assert broken
    assert broken <= made.select(exit_code=1).selected.keys()
