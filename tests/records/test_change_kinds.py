"""Every kind of change with a known affected test: it is selected, and wherever possible alone.

Where a cold selection is safe but wider than one would wish, the wish is a strict xfail with its
reason; where it cannot be safe, a test at the end says so by name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from conftest import MakeProject
from pytest_ciopt.adapters.tracing.tracer import can_trace
from repository import Decisions

watched = pytest.mark.skipif(not can_trace(), reason="what runs cannot be watched here")

BASE: dict[str, str] = {
    "pytest.ini": "[pytest]\npythonpath = .\n",
    "app/__init__.py": "",
    "tests/test_other.py": "def test_other():\n    pass\n",
}
OTHER = "tests/test_other.py::test_other"
AFFECTED = "tests/test_it.py::test_it"


@dataclass(frozen=True)
class Kind:
    """A project, an edit of it, and the tests that the edit can break."""

    files: Mapping[str, str]
    edit: Mapping[str, str]
    affected: frozenset[str] = frozenset((AFFECTED,))
    spared: frozenset[str] = frozenset((OTHER,))
    """Tests that a sharp selection leaves out."""
    wide: str | None = field(default=None)
    """Why they are not left out yet."""


TWO = """
    def one():
        return 1

    def two():
        return {two}
    """
USES_TWO = """
    from app.code import two

    def test_it():
        assert two()
    """
USES_BOTH = """
    from app.code import one, two

    def test_it():
        assert two()

    def test_one():
        assert one()
    """
FUNCTION_LEVEL = "which function a test executes is only known from a recorded run"

KINDS = {
    "body": Kind(
        {"app/code.py": TWO.format(two=2), "tests/test_it.py": USES_TWO},
        {"app/code.py": TWO.format(two=3)},
    ),
    "body of a function that only one test of the module calls": Kind(
        {"app/code.py": TWO.format(two=2), "tests/test_it.py": USES_BOTH},
        {"app/code.py": TWO.format(two=3)},
        spared=frozenset((OTHER, "tests/test_it.py::test_one")),
        wide=FUNCTION_LEVEL,
    ),
    "transitive body": Kind(
        {
            "app/deep.py": "def deep():\n    return 1\n",
            "app/code.py": "from app.deep import deep\n\ndef two():\n    return deep()\n",
            "tests/test_it.py": USES_TWO,
        },
        {"app/deep.py": "def deep():\n    return 2\n"},
    ),
    "constant": Kind(
        {
            "app/code.py": "LIMIT = 1\n",
            "tests/test_it.py": "from app import code\n\ndef test_it():\n    assert code.LIMIT\n",
        },
        {"app/code.py": "LIMIT = 2\n"},
    ),
    "class attribute": Kind(
        {
            "app/code.py": "class C:\n    a = 1\n",
            "tests/test_it.py": "from app.code import C\n\ndef test_it():\n    assert C.a\n",
        },
        {"app/code.py": "class C:\n    a = 2\n"},
    ),
    "dynamic import": Kind(
        {
            "app/code.py": "x = 1\n",
            "tests/test_it.py": """
                import importlib

                def test_it():
                    assert importlib.import_module("app.code").x
                """,
        },
        {"app/code.py": "x = 2\n"},
    ),
    "dynamic import of a computed name": Kind(
        {
            "app/plugins/__init__.py": "",
            "app/plugins/red.py": "x = 1\n",
            "tests/test_it.py": """
                import importlib

                import pytest

                @pytest.mark.parametrize("name", ["red"])
                def test_it(name):
                    assert importlib.import_module(f"app.plugins.{name}").x
                """,
        },
        {"app/plugins/red.py": "x = 2\n"},
        affected=frozenset(("tests/test_it.py::test_it[red]",)),
    ),
    "dynamic import of an unknown name in a test": Kind(
        {
            "app/code.py": "x = 1\n",
            "tests/test_static.py": "import app.code\n\ndef test_static():\n    pass\n",
            "tests/test_it.py": """
                import importlib

                def test_it():
                    name = ".".join(["app", "code"])
                    assert importlib.import_module(name).x
                """,
        },
        {"app/code.py": "x = 2\n"},
    ),
    "lazy import": Kind(
        {
            "app/code.py": "x = 1\n",
            "tests/test_it.py": "def test_it():\n    from app.code import x\n\n    assert x\n",
        },
        {"app/code.py": "x = 2\n"},
    ),
    "subprocess": Kind(
        {
            "app/tool.py": "print(1)\n",
            "tests/test_it.py": """
                import subprocess
                import sys

                def test_it():
                    assert subprocess.check_output([sys.executable, "-m", "app.tool"])
                """,
        },
        {"app/tool.py": "print(2)\n"},
    ),
    "script": Kind(
        {
            "scripts/run.py": "print(1)\n",
            "tests/test_it.py": """
                import subprocess
                import sys

                def test_it():
                    assert subprocess.check_output([sys.executable, "scripts/run.py"])
                """,
        },
        {"scripts/run.py": "print(2)\n"},
    ),
    "module beside a script of a package": Kind(
        {
            "app/__init__.py": "",
            "app/tool.py": "import amounts\nprint(amounts.ONE)\n",
            "app/amounts.py": "ONE = 1\n",
            "tests/test_amounts.py": "import app.amounts\n\ndef test_one(): pass\n",
            "tests/test_it.py": """
                import subprocess
                import sys

                def test_it():
                    assert subprocess.check_output([sys.executable, "app/tool.py"])
                """,
        },
        {"app/amounts.py": "ONE = 2\n"},
    ),
    "code under a conftest fixture": Kind(
        {
            "app/code.py": "def make():\n    return 1\n",
            "tests/sub/conftest.py": """
                import pytest

                from app.code import make

                @pytest.fixture
                def made():
                    return make()
                """,
            "tests/sub/test_it.py": "def test_it(made):\n    assert made\n",
        },
        {"app/code.py": "def make():\n    return 2\n"},
        affected=frozenset(("tests/sub/test_it.py::test_it",)),
    ),
    "fixture": Kind(
        {
            "tests/conftest.py": """
                import pytest

                @pytest.fixture
                def made():
                    return 1
                """,
            "tests/test_it.py": "def test_it(made):\n    assert made\n",
        },
        {
            "tests/conftest.py": """
                import pytest

                @pytest.fixture
                def made():
                    return 2
                """,
        },
    ),
    "fixture override": Kind(
        {
            "tests/conftest.py": """
                import pytest

                @pytest.fixture
                def made():
                    return 1
                """,
            "tests/sub/conftest.py": """
                import pytest

                @pytest.fixture
                def made():
                    return 10
                """,
            "tests/sub/test_sub.py": "def test_sub(made):\n    assert made == 10\n",
            "tests/test_it.py": "def test_it(made):\n    assert made\n",
        },
        {
            "tests/conftest.py": """
                import pytest

                @pytest.fixture
                def made():
                    return 2
                """,
        },
        spared=frozenset((OTHER, "tests/sub/test_sub.py::test_sub")),
    ),
    "new fixture override": Kind(
        {
            "tests/conftest.py": """
                import pytest

                @pytest.fixture
                def made():
                    return 1
                """,
            "tests/test_it.py": """
                def test_it(made):
                    assert made

                def test_free():
                    pass
                """,
        },
        {
            "tests/test_it.py": """
                import pytest

                @pytest.fixture
                def made():
                    return 2

                def test_it(made):
                    assert made

                def test_free():
                    pass
                """,
        },
    ),
    "data file": Kind(
        {
            "tests/data/x.json": "1",
            "tests/test_it.py": """
                from pathlib import Path

                def test_it():
                    assert Path(__file__).with_name("data").joinpath("x.json").read_text()
                """,
        },
        {"tests/data/x.json": "2"},
        wide="which files a test opens is only known from a recorded run",
    ),
    "data file read at collection": Kind(
        {
            "tests/cases.txt": "a",
            "tests/test_it.py": """
                from pathlib import Path

                import pytest

                CASES = Path(__file__).with_name("cases.txt").read_text().split()

                @pytest.mark.parametrize("case", CASES)
                def test_it(case):
                    assert case
                """,
        },
        {"tests/cases.txt": "b"},
        affected=frozenset(("tests/test_it.py::test_it[b]",)),
        wide="which files a module reads at import is only known from a recorded run",
    ),
    "setup_class": Kind(
        {
            "app/code.py": "def make():\n    return 1\n",
            "tests/test_it.py": """
                from app.code import make

                class TestIt:
                    @classmethod
                    def setup_class(cls):
                        cls.made = make()

                    def test_one(self):
                        assert self.made

                    def test_two(self):
                        assert self.made
                """,
        },
        {"app/code.py": "def make():\n    return 2\n"},
        affected=frozenset(
            ("tests/test_it.py::TestIt::test_one", "tests/test_it.py::TestIt::test_two")
        ),
    ),
    "module fixture": Kind(
        {
            "tests/test_it.py": """
                import pytest

                @pytest.fixture(scope="module")
                def made():
                    return 1

                def test_it(made):
                    assert made

                def test_too(made):
                    assert made

                def test_free():
                    pass
                """,
        },
        {
            "tests/test_it.py": """
                import pytest

                @pytest.fixture(scope="module")
                def made():
                    return 2

                def test_it(made):
                    assert made

                def test_too(made):
                    assert made

                def test_free():
                    pass
                """,
        },
        affected=frozenset((AFFECTED, "tests/test_it.py::test_too")),
        spared=frozenset((OTHER, "tests/test_it.py::test_free")),
    ),
    "decorator": Kind(
        {
            "app/code.py": "def same(f):\n    return f\n\n@same\ndef two():\n    return 2\n",
            "tests/test_it.py": USES_TWO,
        },
        {"app/code.py": "def same(f):\n    return f\n\ndef two():\n    return 2\n"},
    ),
    "inherited method": Kind(
        {
            "app/base.py": "class Base:\n    def two(self):\n        return 2\n",
            "app/code.py": "from app.base import Base\n\nclass Code(Base):\n    pass\n",
            "tests/test_it.py": """
                from app.code import Code

                def test_it():
                    assert Code().two()
                """,
        },
        {"app/base.py": "class Base:\n    def two(self):\n        return 3\n"},
    ),
    "star import": Kind(
        {
            "app/code.py": TWO.format(two=2),
            "app/all.py": "from app.code import *\n",
            "tests/test_it.py": "from app.all import *\n\ndef test_it():\n    assert two()\n",
        },
        {"app/code.py": TWO.format(two=3)},
    ),
    "test body": Kind(
        {"tests/test_it.py": "def test_it():\n    assert 1\n\ndef test_free():\n    pass\n"},
        {"tests/test_it.py": "def test_it():\n    assert 2\n\ndef test_free():\n    pass\n"},
        spared=frozenset((OTHER, "tests/test_it.py::test_free")),
    ),
    "new test": Kind(
        {"tests/test_it.py": "def test_free():\n    pass\n"},
        {"tests/test_it.py": "def test_free():\n    pass\n\ndef test_it():\n    assert 2\n"},
        spared=frozenset((OTHER, "tests/test_it.py::test_free")),
    ),
    "new test module": Kind({}, {"tests/test_it.py": "def test_it():\n    assert 1\n"}),
    "shadowing module": Kind(
        {
            "tests/test_it.py": "import colorsys\n\ndef test_it():\n    assert colorsys\n",
        },
        {"colorsys.py": "x = 1\n"},
        spared=frozenset(),  # what is installed may import it, too
    ),
    "requirements": Kind(
        {
            "requirements.txt": "jsonschema==1.0\n",
            "tests/test_it.py": "import jsonschema\n\ndef test_it():\n    assert jsonschema\n",
        },
        {"requirements.txt": "jsonschema==2.0\n"},
    ),
    "pyproject dependency": Kind(
        {
            "pyproject.toml": "[project]\nname = 'app'\ndependencies = ['jsonschema>=1']\n",
            "tests/test_it.py": "import jsonschema\n\ndef test_it():\n    assert jsonschema\n",
        },
        {"pyproject.toml": "[project]\nname = 'app'\ndependencies = ['jsonschema>=2']\n"},
    ),
    "pytest plugin in the requirements": Kind(
        {
            "requirements.txt": "pytest-xdist==1.0\n",
            "tests/test_it.py": "def test_it():\n    pass\n",
        },
        {"requirements.txt": "pytest-xdist==2.0\n"},
        affected=frozenset((AFFECTED, OTHER)),
        spared=frozenset(),
    ),
    "pytest configuration": Kind(
        {"tests/test_it.py": "def test_it():\n    pass\n"},
        {"pytest.ini": "[pytest]\npythonpath = .\naddopts = --tb=short\n"},
        affected=frozenset((AFFECTED, OTHER)),
        spared=frozenset(),
    ),
}


def _cases(wide: bool) -> list[object]:
    """Each kind; where the sharp selection is still a wish, as a strict xfail."""
    found = []
    for name, kind in KINDS.items():
        marks = [pytest.mark.xfail(strict=True, reason=kind.wide)] if wide and kind.wide else []
        found.append(pytest.param(kind, id=name.replace(" ", "_"), marks=marks))
    return found


@pytest.mark.parametrize("kind", _cases(wide=False))
def test_the_affected_tests_are_selected(project: MakeProject, kind: Kind) -> None:
    made = project(BASE | dict(kind.files))
    made.repository.write(kind.edit)
    assert kind.affected <= made.select().selected.keys()


@pytest.mark.parametrize("kind", _cases(wide=True))
def test_the_others_are_spared(project: MakeProject, kind: Kind) -> None:
    made = project(BASE | dict(kind.files))
    made.repository.write(kind.edit)
    assert kind.spared.isdisjoint(made.select().selected)


def _recorded(project: MakeProject, kind: Kind) -> Decisions:
    """The selection of a project whose tests have been recorded."""
    made = project(BASE | dict(kind.files))
    assert made.run("--ciopt-record=deps").ret == 0
    made.repository.write(kind.edit)
    return made.select()


@watched
@pytest.mark.parametrize("kind", _cases(wide=False))
def test_after_a_recorded_run_these_and_no_others(project: MakeProject, kind: Kind) -> None:
    selected = _recorded(project, kind).selected.keys()
    assert kind.affected <= selected
    assert kind.spared.isdisjoint(selected)


def test_limit_dynamic_import_of_a_module_that_others_import_statically(
    project: MakeProject,
) -> None:
    """A cold selection cannot see it: docs/explanation/limits.md. A recorded run will."""
    made = project(
        BASE
        | {
            "app/code.py": "x = 1\n",
            "tests/test_static.py": "import app.code\n\ndef test_static():\n    pass\n",
            "lib/loader.py": """
                import importlib

                def load(*names):
                    return importlib.import_module(".".join(names))
                """,
            "tests/test_it.py": """
                from lib.loader import load

                def test_it():
                    assert load("app", "code").x
                """,
        }
    )
    made.repository.write({"app/code.py": "x = 2\n"})
    assert set(made.select().selected) == {"tests/test_static.py::test_static"}


def test_limit_subprocess_of_a_module_that_others_import_statically(project: MakeProject) -> None:
    """The command line is put together where no analysis looks: docs/explanation/limits.md."""
    made = project(
        BASE
        | {
            "app/code.py": "x = 1\n",
            "tests/test_static.py": "import app.code\n\ndef test_static():\n    pass\n",
            "tests/test_it.py": """
                import subprocess
                import sys

                def test_it():
                    code = "import " + "app" + chr(46) + "code"
                    assert subprocess.call([sys.executable, "-c", code]) == 0
                """,
        }
    )
    made.repository.write({"app/code.py": "x = 2\n"})
    assert set(made.select().selected) == {"tests/test_static.py::test_static"}
