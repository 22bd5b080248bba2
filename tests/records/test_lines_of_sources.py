"""Python's own `linecache` opens a source once and keeps its lines. Whoever asks it for them
depends on the source, unless somebody shows lines of a stack with it."""

from pathlib import Path

import pytest

from conftest import MakeProject, failing
from library import CONFIG, RECORD, run
from pytest_ciopt.adapters.tracing.tracer import can_trace
from seen import newest

pytestmark = pytest.mark.skipif(not can_trace(), reason="what runs cannot be watched here")

FRAMEWORK = """
import inspect, sys, traceback, warnings

def source(what): return inspect.getsource(what)
def caller(): return inspect.getframeinfo(sys._getframe(1)).code_context[0]
def stack(): return traceback.extract_stack()[-2].line
def attached(what):
    what.line = stack()
    return what
def kept(what):
    what.text = inspect.getsource(what)
    return what
"""
SHOP = {
    "shop.py": """
import inspect, logging, traceback
import framework

def one(): return 1
def fail(): raise ValueError("no")
def logged():
    try: fail()
    except ValueError: logging.getLogger("shop").exception("shop")
def shown():
    try: fail()
    except ValueError: return traceback.format_exc()
def warned(): return framework.warnings.formatwarning("old", Warning, __file__, 5)
def where(): return framework.caller(), framework.stack()
def text(): return inspect.getsource(one)
""",
    "attached.py": "import framework\n@framework.attached\ndef view(): return 1\n",
}
READING = {
    "test_source": "inspect.getsource(shop.one)",
    "test_source_again": "inspect.getsource(shop.one)",
    "test_by_code_of_the_project": "assert 'return 1' in shop.text()",
    "test_by_installed_code": "framework.source(shop.one)",
    "test_traceback_of_the_project": "assert 'raise' in shop.shown()",
    "test_traceback_again": "assert 'raise' in shop.shown()",
    "test_lines": "linecache.checkcache(); linecache.getline(shop.__file__, 5)",
    "test_after_a_stack_of_installed_code": "shop.where(); inspect.getsource(shop.one)",
    "test_after_a_log": "shop.logged(); framework.source(shop.one)",
    "test_tokens": "tokenize.open(shop.__file__).close()",
}
NOT_READING = {
    "test_stack_of_installed_code": "shop.where()",
    "test_log": "shop.logged()",
    "test_warning": "shop.warned()",
    "test_decorated": "import attached",
    "test_none": "pass",
    "test_elsewhere": "inspect.getsource(framework.source)",
}


@pytest.fixture(autouse=True)
def framework(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that is installed, so to speak."""
    site: Path = tmp_path_factory.mktemp("site")
    (site / "framework.py").write_text(FRAMEWORK)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("PYTHONPATH", str(site))  # of runs in processes of their own


@pytest.mark.parametrize("arguments", [(), ("-n2",), ("-p", "no:logging")], ids=" ".join)
def test_who_asks_for_lines_reads_the_source(
    project: MakeProject, arguments: tuple[str, ...]
) -> None:
    bodies = "".join(f"def {name}(): {body}\n" for name, body in (READING | NOT_READING).items())
    imports = "import inspect, linecache, tokenize\nimport framework, shop\n"
    made = project(CONFIG | SHOP | {"test_a.py": imports + bodies})
    run(made, RECORD, *arguments)
    seen = newest(made.repository.root)
    reading = {name for name, test in seen.tests.items() if "shop.py" in test.reads}
    assert reading == READING.keys()
    assert {name: test.reads for name, test in seen.tests.items() if name not in READING} == {
        name: set() for name in NOT_READING
    }


EDIT = ("    return 1", "    return 1  # one")


def test_lines_that_another_test_had_opened(project: MakeProject) -> None:
    made = project(
        CONFIG
        | {
            "shop.py": "def one():\n    return 1\n",
            "test_a.py": """
import inspect, shop
def test_1(): assert '#' not in inspect.getsource(shop.one)
def test_2(): assert '#' not in inspect.getsource(shop.one)
def test_3(): shop.one()
""",
        }
    )
    run(made, RECORD)
    made.repository.replace("shop.py", *EDIT)
    broken = failing(made)
    assert broken == {"test_a.py::test_1", "test_a.py::test_2"}
    assert made.select(exit_code=1).selected.keys() == broken


def test_a_source_that_somebody_keeps(project: MakeProject) -> None:
    """Who reads lines may keep them, like who reads data."""
    made = project(
        CONFIG
        | {
            "shop.py": """
import functools, inspect
def one():
    return 1
@functools.cache
def text(): return inspect.getsource(one)
""",
            "test_a.py": """
import shop
def test_1(): assert '#' not in shop.text()
def test_2(): assert '#' not in shop.text()
""",
        }
    )
    run(made, RECORD)
    made.repository.replace("shop.py", *EDIT)
    broken = failing(made)
    assert len(broken) == 2
    assert made.select(exit_code=1).selected.keys() == broken


def test_a_source_that_a_decorator_reads_at_import(project: MakeProject) -> None:
    made = project(
        CONFIG
        | {
            "kept.py": "import framework\n@framework.kept\ndef view():\n    return 1\n",
            "attached.py": "import framework\n@framework.attached\ndef view():\n    return 1\n",
            "test_a.py": """
import attached, kept
def test_kept(): assert '#' not in kept.view.text
def test_attached(): assert attached.view()
""",
        }
    )
    run(made, RECORD)
    made.repository.replace("attached.py", *EDIT)
    assert not made.select().selected
    made.repository.replace("kept.py", *EDIT)
    broken = failing(made)
    assert broken == {"test_a.py::test_kept"}
    assert broken <= made.select(exit_code=1).selected.keys()


def test_hypothesis_draws_with_the_help_of_sources(project: MakeProject) -> None:
    """It looks through all modules for constants, and through its tests for keys."""
    made = project(
        CONFIG
        | {
            "shop.py": "def one():\n    return 1\n",
            "test_a.py": """
import hypothesis, shop
from hypothesis import strategies
@hypothesis.settings(database=None, max_examples=5)
@hypothesis.given(strategies.integers().filter(lambda one: one > 3))
def test_1(one): assert shop.one()
@hypothesis.settings(database=None, max_examples=5)
@hypothesis.given(strategies.text())
def test_2(one): pass
""",
        }
    )
    run(made, RECORD)
    seen = newest(made.repository.root)
    assert seen.tests.keys() == {"test_1", "test_2"}
    read = set().union(*(test.reads for test in seen.tests.values()))
    assert not [path for path in read if path.endswith(".py")]
