import ast

import pytest

from pytest_ciopt.core.edits.unseen import binds_unseen


@pytest.mark.parametrize(
    "text",
    [
        "from app.b import *",
        "if x:\n    from .b import *",
        "globals()['a'] = 1",
        "globals()['a'] += 1",
        "globals()['a'], b = 1, 2",
        "for globals()['a'] in x: 1",
        "del globals()['a']",
        "globals().update(x)",
        "globals().setdefault('a', 1)",
        "names = globals()",
        "f(globals())",
        "f(globals(), 'a')",
        "f(names=globals())",
        "names = globals",
        "globals()['a'][globals] = 1",
        "vars()['a'] = 1",
        "vars().setdefault('a', 1)",
        "setitem(vars(), 'a', 1)",
        "class C:\n    locals()['a'] = 1",
        "exec(x)",
        "exec(x, globals())",
        "exec(x, f(y))",
        "list(map(exec, x))",
        "import builtins\nbuiltins.exec(x)",
        "import sys\nsys.modules[__name__].a = 1",
        "import sys\nsys.modules['app.a'].b = 1",
        "import sys\nsys.modules.get('a').b = 1",
        "import sys\nfor one in sys.modules.values(): one.a = 1",
        "import sys\nsetattr(sys.modules[name], 'a', 1)",
        "import sys\nmodules = sys.modules",
        "from sys import modules",
        "from sys import path, modules as m",
    ],
)
def test_more_may_be_bound_than_can_be_seen(text: str) -> None:
    assert binds_unseen(ast.parse(text), "a")


@pytest.mark.parametrize(
    "text",
    [
        "from app.b import c",
        "def __getattr__(name):\n    return globals()[f'_{name}']",
        "a = globals()[x].b",
        "globals()['a'].b = 1",
        "globals().get(x)",
        "x in globals()",
        "x not in vars()",
        "'{a}'.format(**locals())",
        "sorted(globals())",
        "for name in list(globals()): print(name)",
        "[name for name, one in globals().items()]",
        "vars(x)",
        "exec(x, {})",
        "exec(x, names)",
        "connection.exec(x)",
        "import sys\nsys.modules['__main__']",
        "import sys\nsys.modules['app.b'] = None",
        "import sys\n'app.a' in sys.modules",
        "import sys\nsys.modules.get('app.b')",
        "import sys\nsys.modules.pop('app.b', None)",
        "import sys\nmonkeypatch.setitem(sys.modules, 'yaml', None)",
        "import sys\nfor name in list(sys.modules): print(name)",
        "modules = 1",
        "from app import modules",
        "'from app import *'",
    ],
)
def test_what_is_looked_up_binds_nothing(text: str) -> None:
    assert not binds_unseen(ast.parse(text), "a")
