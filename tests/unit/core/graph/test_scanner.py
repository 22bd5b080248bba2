import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

from loading import loading
from pytest_ciopt.core.graph.scanner import Flag, scan


def names(source: str | bytes, folder: str = "") -> frozenset[str]:
    return scan(source.encode() if isinstance(source, str) else source, folder)


def loads(source: str | bytes, target: str, at: str = "tests/test_a.py") -> bool:
    """Whether a file with this source loads `target`; both lie in a tree with a package `pkg`."""
    tree: dict[str, str | bytes] = {"pkg/__init__.py": "", "pkg/sub/__init__.py": "", target: ""}
    return at in loading(target, tree | {at: source})


# --- import statements ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import a", {"a"}),
        ("import a.b.c as d, e\t,f as g", {"a.b.c", "e", "f"}),
        ("import a, b; import c;from d import e;", {"a", "b", "c", "d.e"}),
        ("import\ta", {"a"}),
        ("import a # b", {"a"}),
        ("import a.b\\\n.c", {"a.b.c"}),
        ("import a, \\\n  b", {"a", "b"}),
        ("import \\\n  a", {"a"}),
        ("import\\\n\ta", {"a"}),
        ("import a . b", {"a.b"}),
        ("import a. b as c, d .e", {"a.b", "d.e"}),
        ("from a import b, c as d", {"a.b", "a.c"}),
        ("from a.b import*", {"a.b"}),
        ("from a import b;x = 1", {"a.b"}),
        ("from a . b import c", {"a.b.c"}),
        ("from a import \\\n  b, \\\n  c", {"a.b", "a.c"}),
        ("from a \\\n  import b", {"a.b"}),
        ("from \\\n  a.b import c", {"a.b.c"}),
        ("x = '#'; from a \\\n  import b", {"a.b"}),
        ("if x == '#': import \\\n  a", {"a"}),
        ("from \\\n  a \\\n  import c", {"a.c"}),
        ("from a.b import (c)", {"a.b.c"}),
        ("from a import(b,c)", {"a.b", "a.c"}),
        ("from a import (b as c, d,)", {"a.b", "a.d"}),
        ("from a import (\n  b,  # not (this)\n  c as d,\n  # e\n  f,\n)", {"a.b", "a.c", "a.f"}),
        ("from a import (  # )\n  b\n)", {"a.b"}),
        ("from a import (b, # ) \\\n  c)", {"a.b", "a.c"}),
        ("from a import \\\n  (b, c)", {"a.b", "a.c"}),
        ("from a import \\\n  (\n  b,\n  c)", {"a.b", "a.c"}),
        ("from a import (b \\\n as c, d)", {"a.b", "a.d"}),
        ("if x: import a", {"a"}),
        ("if x:import a; import b", {"a", "b"}),
        ("if x: from a import b", {"a.b"}),
        ("if x[':']: from a import (b,\n c)", {"a.b", "a.c"}),
        ("if x and \\\n  y: import a", {"a"}),
        ("if x: \\\n  import a", {"a"}),
        ("try: import a\nexcept ImportError: import b\nelse: import c", {"a", "b", "c"}),
        ("class A: x: int = 1; import a", {"a"}),
        ("def f(): import a; return a", {"a"}),
        ("def f():\n\tfrom a import b", {"a.b"}),
        ("with a(';') as b: import c", {"c"}),
        ("match x:\n  case {'a': 1}: import a", {"a"}),
        ("'''text'''; import a", {"a"}),
        ("x = '''\ntext'''; from a import b", {"a.b"}),
        ("...; import a", {"a"}),
        ("from os import path\nimport a", {"os", "a"}),
        ("from __future__ import annotations", {"__future__"}),
        ("import xml.etree.ElementTree as e", {"xml"}),
        ("if " + "very_" * 200 + "long: import a; from b import c", {"a", "b.c"}),
        ("if x: " + " " * 1000 + "import a", {"a"}),
        ("import a, " + "b, " * 1000 + "c", {"a", "b", "c"}),
    ],
)
def test_forms_of_absolute_imports(source: str, expected: set[str]) -> None:
    assert expected <= names(source)
    assert expected <= names("x = 1\n" + source + "\ny = 2\n", "pkg")


@pytest.mark.parametrize(
    ("folder", "source", "expected"),
    [
        ("p/q", "from . import a", {"/p/q/a"}),
        ("p/q", "from .a import b", {"/p/q/a/b"}),
        ("p/q", "from .. import a, b", {"/p/a", "/p/b"}),
        ("p/q", "from..a.b import(c)", {"/p/a/b/c"}),
        ("p/q", "from . import *", {"/p/q"}),
        ("p/q", "from .a import *", {"/p/q/a"}),
        ("p/q", "from . . import a", {"/p/a"}),
        ("p/q", "from .. a . b import c", {"/p/a/b/c"}),
        ("p/q/r/s", "from ... import a", {"/p/q/a"}),
        ("p/q/r/s", "if x: from ... import a", {"/p/q/a"}),
        ("p/q/r/s", "if x: from ...a import b", {"/p/q/a/b"}),
        ("p/q/r/s", "if x: from ... a import b", {"/p/q/a/b"}),
        ("p/q/r/s", "x = 1; from .... a import b", {"/p/a/b"}),
        ("p/q", "from .\\\n  a import b", {"/p/q/a/b"}),
        ("p/q", "from \\\n  .a import b", {"/p/q/a/b"}),
        ("p/q", "from \\\n .a \\\n import b", {"/p/q/a/b"}),
        ("p/q", "from .import a", {"/p/q/a"}),
        ("p", "from .. import a", {"/a"}),
        ("", "from . import a", {"/a"}),
        ("", "from .a import b", {"/a/b"}),
        # Beyond the top nothing can be there; what matters is that nothing is raised.
        ("p", "from .... import a", {"/a"}),
        ("", "from ...a import b", {"/a/b"}),
        ("", "from . import *", set()),
    ],
)
def test_relative_imports_are_places(folder: str, source: str, expected: set[str]) -> None:
    assert expected <= names(source, folder)


@pytest.mark.parametrize(
    "source",
    [
        b"\xef\xbb\xbfimport pkg.mod",
        b"\xef\xbb\xbffrom pkg import mod",
        b"\xef\xbb\xbf\r\nfrom pkg import mod",
        b"x = 1\rfrom pkg import (\r  other,\r  mod,\r)\r",
        b"x = 1\r\nfrom pkg import (\r\n  other,\r\n  mod,\r\n)\r\n",
        b"x = 1\r\nfrom pkg \\\r\n  import mod\r\n",
        b"x = 1\rfrom pkg import \\\r  mod",
        b"\x0cimport pkg.mod",
        b"x = 1\n\x0cfrom pkg import mod",
        b"from\x0cpkg\x0cimport\x0cmod",
        b"if x:\n\x0c\timport pkg.mod",
        b"# caf\xe9\nimport pkg.mod",
        b"\xff\xfe\x00\nfrom pkg import mod",
    ],
)
def test_line_ends_and_odd_bytes(source: bytes) -> None:
    assert loads(source, "pkg/mod.py")


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("import café".encode(), "café.py"),
        ("from pkg import naïve".encode(), "pkg/naïve.py"),
        ("import \ufb01le".encode(), "file.py"),  # the ligature: Python normalises with NFKC
        ("from pkg import x\u0301".encode(), "pkg/x\u0301.py"),
        ("import x, 日本".encode(), "日本.py"),
        ("# -*- coding: latin-1 -*-\nimport café".encode("latin-1"), "café.py"),
        (
            "#!/bin/python\n# vim: set fileencoding=cp1252 :\nimport café".encode("cp1252"),
            "café.py",
        ),
    ],
)
def test_names_are_normalised_as_python_does(source: bytes, target: str) -> None:
    assert loads(source, target)


@pytest.mark.parametrize(
    "before",
    [
        "# a comment that ends in \\",
        "# we import (lazily",
        "# circular import (see #12)",
        "# a circular import (see\n# the documentation)",
        "'''Never import (this'''",
        "x = 'import ('",
        "x = 'from a import (b'",
        "x = 'import \\\n'",
        "# import b, \\",
        "x = '# import ('  # import (",
        "'''import",
        "x = '''\nfrom a import (b\n'''",
        'x = """\nimport a, \\\n"""',
    ],
)
def test_text_that_looks_like_an_import_hides_no_real_one(before: str) -> None:
    closed = before + ("'''" if before.count("'''") == 1 else "")
    assert {"a.b", "c.d"} <= names(closed + "\nimport a.b\nfrom c import d\nf(x)\n")


@pytest.mark.parametrize(
    "line",
    [
        "if kind == 'import': import a.b",
        "if kind == 'import': from a import b",
        "if 'from x import y' in text: from a import b",
        "log('will import it', importlib.import_module('a.b'))",
        "log('will import it', __import__('a.b'))",
        "x = 'from'; from a import b",
        "def f(import_=1): import a.b",
        "x.__import__; import a.b",
    ],
)
def test_an_import_after_the_word_on_the_same_line(line: str) -> None:
    assert "a.b" in names(line)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("uvicorn.run('app:create')", {"app"}),
        ("load('pkg.mod:Class.method')", {"pkg.mod"}),
        ("import runpy\nrunpy.run_module('tool')", {"tool", "tool.__main__"}),
        (
            "from runpy import run_module\nrun_module( mod_name='pkg.tool', run_name='x')",
            {"pkg.tool", "pkg.tool.__main__"},
        ),
        ("run([sys.executable, '-c', 'import a.b; a.b.f()'])", {"a.b"}),
        ('exec("from a import b, c", names)', {"a.b", "a.c"}),
        ("timeit(f, setup='from a import (b, c)')", {"a.b", "a.c"}),
        ("x = 'y'; from a import (b,  # it's\n    c)", {"a.b", "a.c"}),
    ],
)
def test_modules_in_strings_of_code(source: str, expected: set[str]) -> None:
    assert expected <= names(source)


@pytest.mark.parametrize(
    ("source", "expected", "missing"),
    [
        ("MODULES = ['pkg.spiders']", {"pkg.spiders", "*pkg.spiders"}, set[str]()),
        ("config.include('.routes')", {"/pkg/sub/routes", "*/pkg/sub/routes"}, set[str]()),
        ("config.include('..up.Pen')", {"/pkg/up/Pen"}, set[str]()),
        ("load('.a:main')", {"/pkg/sub/a"}, set[str]()),
        ("find('pkg.Class')", {"pkg.Class"}, {"*pkg.Class"}),
        ("open('pkg.json')", {"~pkg.json", "*pkg.json"}, {"*~pkg.json"}),
        ("getLogger('pkg.calls')", {"pkg.calls"}, {"*pkg.calls"}),
        ("caplog.set_level(10, logger='pkg.calls')", {"pkg.calls"}, {"*pkg.calls"}),
        ("import_module('pkg.mod')", {"pkg.mod"}, {"*pkg.mod"}),
        ("import_module('.mod', __package__)", {"/pkg/sub/mod"}, {"*/pkg/sub/mod"}),
        ("mock.patch('pkg.mod.name')", {"pkg.mod.name"}, {"*pkg.mod.name"}),
    ],
)
def test_strings_that_may_have_a_package_loaded(
    source: str, expected: set[str], missing: set[str]
) -> None:
    found = names(source, "pkg/sub")
    assert expected <= found
    assert not missing & found


@pytest.mark.parametrize(
    ("source", "expected", "own"),
    [
        ("find_modules('views', recursive=True)", {"*views"}, False),
        ('walk_modules("spiders")', {"*spiders"}, False),
        ("SPIDER_MODULES = ['spiders', 'more']", {"*spiders", "*more"}, False),
        ("app.autodiscover_tasks(['shop'])", {"*shop"}, False),
        ("def includeme(config): config.scan()", {"*/pkg/sub"}, True),
        ("config.scan('shop')", {"*shop"}, False),
        ("config.scan(views)", {"*/pkg/sub"}, True),
        ("import venusian\nvenusian.Scanner(x=x).scan(views)", {"*/pkg/sub"}, True),
        ("redis.scan(cursor)", set[str](), False),
        ("if A_MODULE == 'shop': pass", set[str](), False),
    ],
)
def test_functions_and_settings_that_load_all_of_a_package(
    source: str, expected: set[str], own: bool
) -> None:
    found = names(source, "pkg/sub")
    assert {name for name in found if name[:1] == "*"} - {"*recursive", "*True"} == expected | (
        {"*views"} if "scan(views)" in source else set()
    )
    assert (Flag.LOADS_BELOW in found) == own


@pytest.mark.parametrize("call", ["runpy.run_module(name)", "runpy.run_module(f'{a}.b')"])
def test_a_module_that_is_run_by_a_computed_name(call: str) -> None:
    assert {Flag.COMPUTED, "*/pkg"} <= names(f"import runpy\n{call}", "pkg")


@pytest.mark.parametrize(
    ("source", "looks"),
    [
        ("import pytest\nrequest.module.x", True),
        ("def pytest_itemcollected(item): item.cls", True),
        ("import pytest\nsys.modules[name]", True),
        ("import pytest\n@pytest.fixture(scope='module')\ndef f(): ...", False),
        ("self.module.x", False),  # nothing of pytest
    ],
)
def test_files_that_look_into_test_modules(source: str, looks: bool) -> None:
    assert (Flag.LOOKS_INSIDE in names(source)) is looks


@pytest.mark.parametrize(
    "source",
    [
        "# we import nothing",
        "x = 1  # import b",
        "'''We import things from a list.'''",
        "important = 1",
        "reimport = x.imports",
        "from_import = a",
        "not_from a import b",
    ],
)
def test_prose_is_no_import(source: str) -> None:
    assert names(source) == frozenset()


# --- TYPE_CHECKING -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("if TYPE_CHECKING:\n  import no\nimport a", {"a"}),
        ("if typing.TYPE_CHECKING:  # why\n\timport no\n\n\tfrom no import x\nimport a", {"a"}),
        ("if TYPE_CHECKING:\n\n# far left\n  import no\n\n\nimport a", {"a"}),
        ("if TYPE_CHECKING:\n  import no\nelse:\n  import a", {"a"}),
        ("if TYPE_CHECKING:\n  import no\nelif x:\n  import a\nelse:\n  import b", {"a", "b"}),
        ("if x:\n  import a\nelif TYPE_CHECKING:\n  pass\nelse:\n  import b", {"a", "b"}),
        ("if not TYPE_CHECKING:\n  import a", {"a"}),
        ("if TYPE_CHECKING or x:\n  import a", {"a"}),
        ("if x or TYPE_CHECKING:\n  import a", {"a"}),
        ("if TYPE_CHECKING: import no\nimport a", {"a"}),
        ("if TYPE_CHECKING: from no import (x,\n  y)\nimport a", {"a"}),
        ("if TYPE_CHECKING: import no; import no2\nimport a", {"a"}),
        ("if TYPE_CHECKING:\n  if x:\n    import no\n  import no\nimport a", {"a"}),
        ("if x:\n  if TYPE_CHECKING:\n    import no\n  import a\nimport b", {"a", "b"}),
        ("def f():\n\tif TYPE_CHECKING:\n\t\timport no\n\telse:\n\t\timport a", {"a"}),
        ("class A:\n  if TYPE_CHECKING:\n    import no\n  import a", {"a"}),
        ("if TYPE_CHECKING:\r\n  import no\r\nimport a\r\n", {"a"}),
        ("TYPE_CHECKING = False\nif TYPE_CHECKING:\n  import no\nimport a", {"a"}),
        ("TYPE_CHECKING: bool = 0\nif TYPE_CHECKING:\n  import no\nimport a", {"a"}),
        ("if TYPE_CHECKING:\n  import no", set()),
    ],
)
def test_type_checking_blocks_never_run(source: str, expected: set[str]) -> None:
    found = {name for name in names(source) if name != "typing"}
    assert found == expected


@pytest.mark.parametrize(
    "definition",
    [
        "TYPE_CHECKING = True",
        "TYPE_CHECKING=True",
        "TYPE_CHECKING: bool = compute()",
        "TYPE_CHECKING = False or compute()",
        "TYPE_CHECKING = not False",
        "TYPE_CHECKING = 0 + 1",
        "TYPE_CHECKING |= x",
        "(TYPE_CHECKING := 1)",
        "typing.TYPE_CHECKING = True",
    ],
)
def test_a_module_that_sets_type_checking_itself_may_run_them(definition: str) -> None:
    assert "a" in names(f"{definition}\nif TYPE_CHECKING:\n  import a")


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    x = '''\nif TYPE_CHECKING:\n    import no'''\n    import a",
        'def f():\n    """Write\n\nif TYPE_CHECKING:\n    pass"""\n    import a',
        "if TYPE_CHECKING:\n    import no\n  \x0cimport a",
    ],
)
def test_what_only_seems_to_stand_in_a_type_checking_block(source: str) -> None:
    assert "a" in names(source)


# --- computed imports, strings -------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        "importlib.import_module('plug')",
        "import_module( 'plug' , )",
        "importlib.import_module(\n    'plug'\n)",
        "importlib.import_module(name='plug')",
        "importlib.import_module(u'plug', package=None)",
        "importlib.import_module('plug', __package__)",
        "importlib.import_module('plug' if x else 'other')",
        "importlib.import_module('other' if x else 'plug')",
        "importlib.import_module(  # why\n  'plug')",
        "__import__('plug')",
        "__import__ ('plug', globals(), locals(), ['x'], 0)",
        "pytest.importorskip('plug')",
        "plug = pytest.importorskip('plug', reason='missing')",
        "pytest.importorskip(\n    modname='plug', minversion='1.0'\n)",
        "importorskip('plug', '1.0')",
        "patch('plug.function')",
        'os.environ.setdefault("SETTINGS", "plug.Settings")',
        "pytest_plugins = 'plug'",
        "pytest_plugins = ['other', 'plug']",
        "pytest_plugins: list[str] = ('other', 'plug')",
        "pytest_plugins = (\n  'other',\n  'plug',\n)",
        "pytest_plugins = {'plug'}",
        "pytest_plugins += ['plug']",
        "pytest_plugins = [*base, 'plug']",
        "pytest_plugins = base + ['plug']",
        "pytest_plugins = base + [\n  'plug',\n]",
        "pytest_plugins = \\\n  'plug'",
        "pytest_plugins = [\n  'other',  # see [1]\n  'plug',\n]",
        "pytest_plugins = (\n  'other',  # (old)\n  'plug',\n)",
        "pytest_plugins = ['other']\npytest_plugins.append('plug')",
        "pytest_plugins = ['other']\npytest_plugins.extend(['plug'])",
        "run([sys.executable, '-m', 'plug'])",
        'run([sys.executable, "-m", "plug", "--flag"])',
        "run(\n    [\n        sys.executable,\n        '-m',\n        'plug',\n    ]\n)",
        "run('python -m plug --flag', shell=True)",
        "run(['python', 'scripts/plug.py'])",
        "run(['python', '../plug.py'])",
        "run([sys.executable, HERE / 'plug.py'])",
        "run([sys.executable, f'{HERE}/plug.py'])",
        "run([sys.executable, '%s/plug.py' % HERE])",
        "runpy.run_path('plug.py')",
        "x = \"it's\"; import_module('plug')",
    ],
)
def test_strings_that_load_a_module(source: str) -> None:
    target = "scripts/plug.py" if "scripts/" in source else "plug.py"
    assert loads(source, target)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("importlib.import_module('pkg.mod')", "pkg/mod.py"),
        ("importlib.import_module('pkg.mod')", "pkg/__init__.py"),
        ("importlib.import_module('.mod', package='pkg')", "pkg/mod.py"),
        ("importlib.import_module('.mod', 'pkg')", "pkg/mod.py"),
        ("importlib.import_module('..mod', 'pkg.sub')", "pkg/mod.py"),
        ("importlib.import_module('..mod', package='pkg.sub')", "pkg/mod.py"),
        ("importlib.import_module('...mod.a', package='pkg.sub.deep')", "pkg/mod.py"),
        ("importlib.import_module(package='pkg', name='.mod')", "pkg/mod.py"),
        ("__import__('pkg', fromlist=['mod'])", "pkg/mod.py"),
        ("__import__('pkg', globals(), locals(), ['mod'])", "pkg/mod.py"),
        ("__import__('pkg.mod')", "pkg/mod.py"),
        ("patch('pkg.mod.function')", "pkg/mod.py"),
        ("patch('pkg.mod')", "pkg/mod.py"),
        ("pytest_plugins = ['pkg.mod']", "pkg/mod.py"),
        ("import_module('pkg.' + name)", "pkg/mod.py"),
        ("import_module(f'pkg.{name}')", "pkg/mod.py"),
        ("import_module(f'pkg.{name}')", "pkg/__init__.py"),
        ("import_module('pkg.%s' % name)", "pkg/mod.py"),
        ("import_module('pkg.%s.x' % name)", "pkg/mod.py"),
        ("import_module('pkg.{}'.format(name))", "pkg/mod.py"),
        ("import_module('pkg.sub.' + name)", "pkg/sub/mod.py"),
        ("run([python, '-m', 'pkg.mod'])", "pkg/mod.py"),
        ("run([python, '-m', 'pkg'])", "pkg/__main__.py"),
        ("run([python,\n  '-m',\n  'pkg'])", "pkg/__main__.py"),
        ("run('python -m pkg.sub')", "pkg/sub/__main__.py"),
        # Names whose last part might be that of a file, too.
        ("include('pkg.config')", "pkg/config.py"),
        ("include('pkg.db')", "pkg/db.py"),
        ("include('pkg.log')", "pkg/__init__.py"),
    ],
)
def test_dotted_names_in_strings_and_calls(source: str, target: str) -> None:
    assert loads(source, target)


@pytest.mark.parametrize(
    ("at", "source", "target"),
    [
        ("pkg/user.py", "importlib.import_module('.mod', __package__)", "pkg/mod.py"),
        ("pkg/__init__.py", "importlib.import_module('.mod', __name__)", "pkg/mod.py"),
        ("pkg/sub/user.py", "importlib.import_module('..mod', package=__package__)", "pkg/mod.py"),
        ("pkg/user.py", "importlib.import_module(name)", "pkg/mod.py"),
        ("pkg/user.py", "importlib.import_module(f'{__name__}.{x}')", "pkg/sub/mod.py"),
        ("pkg/user.py", "__import__(name)", "pkg/mod.py"),
        ("pkg/__init__.py", "def __getattr__(name):\n  return load(name)", "pkg/mod.py"),
        ("pkg/__init__.py", "import x\ndef __getattr__(name): ...", "pkg/sub/mod.py"),
        ("pkg/__init__.py", "import x\r\ndef __getattr__(name): ...", "pkg/mod.py"),
        (
            "pkg/__init__.py",
            "import lazy_loader\n__getattr__, __dir__, _ = lazy_loader.attach(__name__, ['mod'])",
            "pkg/mod.py",
        ),
        ("pkg/__init__.py", "__getattr__ = lazy(__name__)", "pkg/mod.py"),
        ("pkg/user.py", "import pkgutil\npkgutil.iter_modules(x)", "pkg/mod.py"),
        ("pkg/user.py", "from pkgutil import walk_packages", "pkg/sub/mod.py"),
    ],
)
def test_computed_imports_can_load_what_lies_beside(at: str, source: str, target: str) -> None:
    assert loads(source, target, at)


def test_a_class_that_has_getattr_is_no_lazy_package() -> None:
    source = "class A:\n  def __getattr__(self, name): ..."
    assert not loads(source, "pkg/mod.py", "pkg/user.py")


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ("from profile.models import Person", "profile/models.py"),
        ("import calendar.events", "calendar/events.py"),
        ("from platform import linux", "platform/linux.py"),
        ("patch('secrets.vault.open')", "secrets/vault.py"),
        ("run(['python', 'scripts/calendar.py'])", "scripts/calendar.py"),
    ],
)
def test_a_project_may_use_names_of_the_standard_library(source: str, target: str) -> None:
    packages = ("profile", "calendar", "platform")
    tree = {f"{name}/__init__.py": "" for name in packages} | {target: ""}
    assert "tests/test_a.py" in loading(target, tree | {"tests/test_a.py": source})


@pytest.mark.parametrize(
    ("source", "flag"),
    [
        ("def pytest_ciopt_always(item): ...", Flag.HOOKS),
        ("@pytest.mark.ciopt_always\ndef test(): ...", Flag.ALWAYS),
        ("import pytest\nrequest.getfixturevalue(name)", Flag.DYNAMIC_FIXTURES),
        ("def test(request): request.getfixturevalue('db_' + kind)", Flag.DYNAMIC_FIXTURES),
        ("def pytest_collect_file(file_path): ...", Flag.COLLECTS),
        ("from importlib.metadata import entry_points", Flag.ENTRY_POINTS),
        ("import importlib_metadata as m\nm.entry_points()", Flag.ENTRY_POINTS),
        ("import pkg_resources\npkg_resources.iter_entry_points('x')", Flag.ENTRY_POINTS),
        ("importlib.import_module(name)", Flag.COMPUTED),
        ("importlib.import_module(f'pkg.{x}')", Flag.COMPUTED),
        ("importlib.import_module('plug_' + name)", Flag.COMPUTED),
        ("importlib.import_module('plug_%s' % name)", Flag.COMPUTED),
        ("__import__('plug_{}'.format(name))", Flag.COMPUTED),
        ("pytest_plugins = [dotted(p) for p in glob('tests/fixtures/*.py')]", Flag.COMPUTED),
        ("__import__(name)", Flag.COMPUTED),
        ("pytest.importorskip(name)", Flag.COMPUTED),
    ],
)
def test_flags(source: str, flag: Flag) -> None:
    assert flag in names(source)
    assert flag in names(source, "pkg")
    assert flag not in names("import pytest, importlib\n", "pkg")


def test_a_literal_import_is_not_computed() -> None:
    assert Flag.COMPUTED not in names("import_module('a')\nimportorskip('b', '1')", "pkg")


@pytest.mark.parametrize(
    "argument",
    ["cls.__module__", "type(self).__module__", " x.y.__module__, ", "__name__", "__package__"],
)
def test_the_module_of_what_exists_is_loaded_already(argument: str) -> None:
    assert names(f"__import__({argument})", "pkg") == set()


@pytest.mark.parametrize(
    "argument",
    [
        "cls.__module__ + '.views'",
        "cls.__module__.rpartition('.')[0]",
        "f'{cls.__module__}.views'",
        "__name__ + suffix",
        "parent(__name__)",
        "'.' + name, __package__",
        "name or cls.__module__",
        "cls.__module__ if cls else name",
        "prefix+cls.__module__",
        "find(cls, name).__module__",
        "name, cls.__module__",
        "other__name__",
    ],
)
def test_what_is_made_of_the_name_of_a_loaded_module_is_computed(argument: str) -> None:
    assert Flag.COMPUTED in names(f"importlib.import_module({argument})", "pkg")


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        (">>> import a.b", {">a.b"}),
        ('""">>> import a.b', {">a.b"}),
        ('r""">>> from a import b\n', {">a.b"}),
        (">>> from a import b, c", {">a.b", ">a.c"}),
        (">>> if x:\n...     import a.b", {">a.b"}),
        (">>> x = 1; import a.b", {">a.b"}),
        (">>> from a import (b,\n...     c)", {">a.b", ">a.c"}),
        (">>> from a import (\n...     b,\n...     c,\n... )", {">a.b", ">a.c"}),
    ],
)
def test_doctests_load_for_themselves_only(docstring: str, expected: set[str]) -> None:
    indented = docstring.replace("\n", "\n    ")
    start = "" if '"""' in docstring else '"""Text.\n\n    '
    found = names(f'def f():\n    {start}{indented}\n    """\n')
    assert expected <= found
    # Behind a semicolon a prompt cannot be told from a string that ends in front of a statement.
    assert ";" in docstring or all(name.startswith(">") for name in found)


# --- hostile input -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"\0",
        b"import \0",
        b"import a\0b",
        b"import",
        b"from",
        b"from import",
        b"from . import",
        b"import (",
        b"from a import (",
        b"from a import (b, # )",
        b"import \\",
        b"\\\nimport a",
        b"\\\n" * 50 + b"import a",
        b"import_module(",
        b"import_module('",
        b"__import__(" * 50,
        b"pytest_plugins = [",
        b"pytest_plugins =",
        b"if TYPE_CHECKING:",
        b"if TYPE_CHECKING:\n" * 50,
        b"'.",
        b".'",
        b"'....'",
        b"'a..b'",
        b"-m '",
        b">>> ",
        b">>> import",
        b"... import a",
        bytes(range(256)),
        bytes(range(256)) * 3 + b"import a",
        "import a\ud800".encode("utf-8", "surrogatepass"),
        b"import " + b"a." * 3000 + b"b",
        b"PK\x03\x04import\xff",
    ],
)
@pytest.mark.parametrize("folder", ["", "a", "a/b.c/d"])
def test_nothing_raises(source: bytes, folder: str) -> None:
    found = scan(source, folder)
    assert all(isinstance(name, str) for name in found)
    assert found == scan(source, folder)


class Counted(bytes):
    """Bytes that count how many of them are looked at, by whatever is not a pattern."""

    looked_at = 0

    def find(self, *arguments: object) -> int:  # type: ignore[override]
        found = super().find(*arguments)  # type: ignore[arg-type]
        start, end = self._range(arguments)
        self.looked_at += (found if found >= 0 else end) - start
        return found

    def rfind(self, *arguments: object) -> int:  # type: ignore[override]
        found = super().rfind(*arguments)  # type: ignore[arg-type]
        start, end = self._range(arguments)
        self.looked_at += end - max(found, start)
        return found

    def __getitem__(self, key: object) -> object:  # type: ignore[override]
        found = super().__getitem__(key)  # type: ignore[call-overload]
        self.looked_at += len(found) if isinstance(found, bytes) else 1
        return found

    def _range(self, arguments: tuple[object, ...]) -> tuple[int, int]:
        low, high, _ = slice(*(*arguments, None, None)[1:3]).indices(len(self))
        return low, high


@contextmanager
def cpu_seconds(limit: float) -> Iterator[None]:
    """Fails what computes for longer, however busy the machine is with other things."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"more than {limit} seconds of CPU")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, limit)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


HOSTILE = {
    "one line of imports": b"import a; ",
    "one line of prose": b"we import a, ",
    "one line in a string": b"'import ' ",
    "statements": b"import a\nfrom b import (c, d)\n",
    "continued statements": b"import a;\\\n",
    "continued lines": b"x = 1 + \\\n",
    "unterminated lists": b"from a import (b,\n",
    "unterminated prose": b"import (\n",
    "comments in an unterminated list": b"from a import (b, # c\n",
    "comments": b"# a\n",
    "doctests": b">>> import a\n",
    "type checking": b"if TYPE_CHECKING:\n  import a\n",
    "type checking on one line": b"TYPE_CHECKING ",
    "type checking, blank lines": b"if TYPE_CHECKING:\n\n\n\n",
    "plugins on one line": b"pytest_plugins ",
    "unterminated plugins": b"pytest_plugins = [\n",
    "quotes": b"'\"",
    "dotted strings": b"'a.b' ",
    "dots": b".",
    "dots and quotes": b".'",
    "calls": b"import_module(",
    "spaced calls": b"import_module   (   ",
    "dashes": b"-m '\", ",
    "spaces": b" ",
    "backslashes": b"\\\n",
    "brackets": b"(",
    "carriage returns": b"import a\r",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_work_grows_with_the_length_of_the_source(piece: bytes) -> None:
    small, large = (Counted(piece * (size // len(piece))) for size in (20_000, 80_000))
    with cpu_seconds(10):
        scan(small, "pkg")
        scan(large, "pkg")
    assert large.looked_at <= 6 * small.looked_at + 1_000_000


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_patterns_do_not_backtrack(piece: bytes) -> None:
    with cpu_seconds(10):
        found = scan(b"import first\n" + piece * (300_000 // len(piece)), "pkg")
        listed = scan(b"import first\nfrom a import (" + piece * (100_000 // len(piece)), "pkg")
    assert "first" in found & listed


@pytest.mark.parametrize("comments", [5, 40, 2_000])
def test_an_open_list_with_comments_takes_no_exponential_time(comments: int) -> None:
    with cpu_seconds(10):
        found = names("from a import (\n" + "    b,  # a comment\n" * comments)
    assert any(name == "a" or name.startswith("a.") for name in found)


def test_a_line_of_five_megabytes() -> None:
    text = b"x = '" + b"0123456789abcdef" * 320_000 + b"'; import a.b; from c import d\n"
    with cpu_seconds(10):
        found = scan(text + b"import e\n" + b"y = '" + b"import f " * 100 + b"'", "pkg")
    assert {"a.b", "c.d", "e"} <= found
