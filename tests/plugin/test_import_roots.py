"""Modules that are loaded under names, or by code, that the layout of folders does not show.

In each project a second test imports the changed module in plain sight, so that the answer
"nobody imports it, so everything runs" does not help.
"""

from collections.abc import Mapping

import pytest

from conftest import MakeProject

PROJECTS: dict[str, tuple[str, dict[str, str]]] = {
    "a package folder in pythonpath": (
        "app/db.py",
        {
            "pytest.ini": "[pytest]\npythonpath = app\n",
            "app/__init__.py": "",
            "app/service.py": "import db\n",
            "tests/test_it.py": "import service\ndef test_it(): assert service.db.X == 1\n",
            "tests/test_plain.py": (
                "import sys\nsys.path.insert(0, '.')\n"
                "from app import db\ndef test_plain(): assert db.X\n"
            ),
        },
    ),
    "a package folder put on sys.path": (
        "suite/helpers/db.py",
        {
            "pytest.ini": "[pytest]\n",
            "suite/__init__.py": "",
            "suite/helpers/__init__.py": "",
            "suite/conftest.py": (
                "import os, sys\n"
                "sys.path.insert(0, os.path.join(os.path.dirname(__file__), 'helpers'))\n"
            ),
            "suite/test_it.py": "import db\ndef test_it(): assert db.X == 1\n",
            "suite/test_plain.py": (
                "from suite.helpers import db\ndef test_plain(): assert db.X\n"
            ),
        },
    ),
    "a package folder that its conftest puts on sys.path": (
        "suite/db.py",
        {
            "pytest.ini": "[pytest]\npythonpath = .\n",
            "suite/__init__.py": "",
            "suite/conftest.py": (
                "import os, sys\nsys.path.insert(0, os.path.dirname(__file__))\n"
            ),
            "other/test_it.py": "def test_it():\n    import db\n    assert db.X == 1\n",
            "suite/test_plain.py": "from suite import db\ndef test_plain(): assert db.X\n",
        },
    ),
    "a package folder that a helper puts on sys.path": (
        "suite/helpers/db.py",
        {
            "pytest.ini": "[pytest]\npythonpath = .\n",
            "suite/__init__.py": "",
            "suite/helpers/__init__.py": "",
            "suite/paths.py": (
                "import os, sys\n"
                "sys.path.insert(0, os.path.join(os.path.dirname(__file__), 'helpers'))\n"
            ),
            "suite/test_it.py": "import suite.paths, db\ndef test_it(): assert db.X == 1\n",
            "suite/test_plain.py": (
                "from suite.helpers import db\ndef test_plain(): assert db.X\n"
            ),
        },
    ),
    "a package folder put on sys.path for a test": (
        "suite/helpers/db.py",
        {
            "pytest.ini": "[pytest]\npythonpath = .\n",
            "suite/__init__.py": "",
            "suite/helpers/__init__.py": "",
            "suite/test_it.py": (
                "from pathlib import Path\n"
                "def test_it(monkeypatch):\n"
                "    monkeypatch.syspath_prepend(Path(__file__).with_name('helpers'))\n"
                "    import db\n"
                "    assert db.X == 1\n"
            ),
            "suite/test_plain.py": (
                "from suite.helpers import db\ndef test_plain(): assert db.X\n"
            ),
        },
    ),
    "a package folder put on the path of a process": (
        "app/db.py",
        {
            "pytest.ini": "[pytest]\npythonpath = .\n",
            "app/__init__.py": "",
            "tests/test_it.py": (
                "import os, subprocess, sys\n"
                "def test_it():\n"
                "    env = {**os.environ, 'PYTHONPATH': 'app'}\n"
                "    code = 'import db; assert db.X == 1'\n"
                "    assert subprocess.call([sys.executable, '-c', code], env=env) == 0\n"
            ),
            "tests/test_plain.py": "from app import db\ndef test_plain(): assert db.X\n",
        },
    ),
    "plugins found by a glob": (
        "app/db.py",
        {
            "pytest.ini": "[pytest]\npythonpath = .\n",
            "app/__init__.py": "",
            "conftest.py": (
                "from glob import glob\n"
                "pytest_plugins = [p.replace('/', '.')[:-3] for p in glob('tests/fixtures/*.py')]\n"
            ),
            "tests/fixtures/store.py": (
                "import pytest\nfrom app import db\n@pytest.fixture\ndef store(): return db.X\n"
            ),
            "tests/test_it.py": "def test_it(store): assert store == 1\n",
            "tests/test_plain.py": "from app import db\ndef test_plain(): assert db.X\n",
        },
    ),
}


@pytest.mark.parametrize(("changed", "files"), PROJECTS.values(), ids=PROJECTS)
def test_a_test_that_would_fail_now_is_selected(
    project: MakeProject, changed: str, files: Mapping[str, str]
) -> None:
    made = project({**files, changed: "X = 1\n"})
    made.repository.write({changed: "X = 2\n"})
    found = made.select("--co")
    reached = {test.rpartition("::")[2] for test in found.selected}
    # Where everything runs, no test needs a reason of its own.
    assert found.everything is not None or {"test_it", "test_plain"} <= reached


def test_a_package_folder_on_the_path_of_python(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By PYTHONPATH, for example, of which no file tells."""
    made = project(
        {
            "pytest.ini": "[pytest]\npythonpath = .\n",
            "app/__init__.py": "",
            "app/db.py": "X = 1\n",
            "app/service.py": "import db\n",
            "tests/test_it.py": "import service\ndef test_it(): assert service.db.X\n",
            "tests/test_plain.py": "from app import db\ndef test_plain(): assert db.X\n",
        }
    )
    monkeypatch.syspath_prepend(made.repository.root / "app")
    made.repository.write({"app/db.py": "X = 2\n"})
    found = made.select()
    assert found.everything is None
    assert {test.rpartition("::")[2] for test in found.selected} == {"test_it", "test_plain"}
