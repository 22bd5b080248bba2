"""What a module loads when its imports have changed."""

import ast
from collections.abc import Collection, Mapping

import pytest

from pytest_ciopt.core.naming import folder_of, module_path
from pytest_ciopt.usecases.loading import Loading

FILES = {
    "app/__init__.py": "",
    "app/core.py": "import app.tools\nfrom third import thing\n",
    "app/tools.py": "",
    "app/plug.py": "",
    "app/sub/__init__.py": "",
    "app/sub/leaf.py": "from app import core\n",
    "app/text.py": "'''\nimport app.plug\n'''\n",
    "app/lazy.py": "def f():\n    import app.plug\n",
    "app/round.py": "import app.one\n",
    "app/plain.py": "import logging\n",
    "other/tools.py": "import app.plug\n",
}


def why(old: str | None, new: str, **files: str) -> str | None:
    """Of `app/one.py`; further files are of the same package."""
    texts = {**FILES, "app/one.py": new, **{f"app/{name}.py": t for name, t in files.items()}}

    def imported(user: str, level: int, module: str) -> Collection[str]:
        wanted = module.replace(".", "/")
        if level:
            wanted = f"{folder_of(user)}/{wanted}".strip("/")
            return [path for path in texts if module_path(path) == wanted]
        return [path for path in texts if f"/{module_path(path)}".endswith(f"/{wanted}")]

    found = Loading(
        lambda path: texts.get(path, "").encode(),
        lambda path: ast.parse(texts[path]) if path in texts else None,
        imported,
        lambda path: frozenset(texts),
    )
    return found.otherwise("app/one.py", None if old is None else ast.parse(old))


LOST = "{} may no longer be loaded"


@pytest.mark.parametrize(
    ("old", "new", "lost"),
    [
        ("import app.plug\n", "", "app.plug"),
        ("from app import plug\n", "", "app"),
        ("from . import plug\n", "", "plug"),
        ("import app.plug\n", "if TYPE_CHECKING:\n  import app.plug\n", "app.plug"),
        ("import app.plug\n", "def f():\n  import app.plug\n", "app.plug"),
        ("import app.plug\n", "import app.text\n", "app.plug"),  # it only looks like an import
        ("import app.plug\n", "import app.lazy\n", "app.plug"),
        ("import app.plug\n", "import tools\n", "app.plug"),  # which of them it is is unclear
        ("class C:\n  import app.plug\n", "class C: pass\n", "app.plug"),
        ("import app.sub.leaf\nimport app.tools\n", "import app.tools\n", "app.sub.leaf"),
        ("import third\n", "", "third"),
        ("import third.part\n", "import app.core\n", "third.part"),
        ("import logging.handlers\n", "", "logging.handlers"),  # app/plain.py may use it
    ],
)
def test_what_may_no_longer_be_loaded(old: str, new: str, lost: str) -> None:
    assert why(old, new) == LOST.format(lost)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import app.plug\n", "from app.plug import x\n"),
        ("import app.plug\n", "try:\n  import app.plug\nexcept ImportError: pass\n"),
        ("import app.tools\n", "import app.core\n"),
        ("import app.tools\n", "from app.sub import leaf\n"),
        ("import app.sub\n", "import app.sub.leaf\n"),
        ("import app\n", ""),  # it is loaded before
        ("import os\nimport xml.dom\n", ""),
        ("from third import other\n", "import app.core\n"),
        ("import app.tools\n", "import app.tools\nimport app.plug\n"),
    ],
)
def test_what_is_loaded_all_the_same(old: str, new: str) -> None:
    assert why(old, new) is None


def test_what_packages_around_load() -> None:
    around: Mapping[str, str] = {"__init__": "import app.plug\nfrom third import x\n"}
    assert why("import app.plug\nimport third\n", "", **around) is None


def test_a_circle() -> None:
    circle = "app/round.py is imported now, which imports this one in turn"
    assert why("", "import app.round\n") == circle
    assert why("", "def f():\n  import app.round\n") is None
    assert why("import app.round as r\n", "from app import round\n") is None
    far = {"far": "from app import round\n"}
    assert why("", "from app.far import x\n", **far) == circle.replace("round", "far")


def test_a_circle_through_a_package_around() -> None:
    """That is loaded before, and decides the order."""
    around: Mapping[str, str] = {"__init__": "import app.one\n", "far": "import app\n"}
    assert why("", "import app.far\n", **around) is None


def test_what_was_imported_is_not_known() -> None:
    assert why(None, "import app.plug\n") == "what it imported before is not known"
