"""The projects and changes that `selection.py` compares selectors on.

Changes are edits of named definitions, found with `ast`, so that nothing of a project is copied
here and the same edits apply to another version of it. Edits of code break it on purpose: which
tests fail then is a fact that selections can be held against.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from corpus import Package

_BREAK = "raise RuntimeError('edited')"


@dataclass(frozen=True, slots=True)
class Edit:
    """One change."""

    kind: str
    apply: Callable[[Path], None]
    """Edits the project at a folder."""
    breaks: bool = True
    """Whether tests can fail of it."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project, and what the tools have to be told about it."""

    package: Package
    module: str
    """Path of its import package."""
    tests: str
    """Path of its tests."""
    subset: tuple[str, ...]
    """Paths of the tests that are really run."""
    edits: tuple[Edit, ...]

    @property
    def source_root(self) -> str:
        """The folder that its import package lies in."""
        return self.module.rpartition("/")[0] or "."


def body(kind: str, path: str, name: str) -> Edit:
    """The body of a function or method raises an error."""

    def apply(root: Path) -> None:
        lines = (root / path).read_text().splitlines(keepends=True)
        found = _definition(ast.parse("".join(lines)), name)
        first = found.body[1 if ast.get_docstring(found) is not None else 0]
        lines.insert(first.lineno - 1, f"{' ' * first.col_offset}{_BREAK}\n")
        (root / path).write_text("".join(lines))

    return Edit(kind, apply)


def constant(path: str, name: str) -> Edit:
    """A name of a module gets another value."""

    def apply(root: Path) -> None:
        text = (root / path).read_text()
        lines = text.splitlines(keepends=True)
        (end,) = (
            node.end_lineno
            for node in ast.parse(text).body
            if isinstance(node, ast.Assign)
            and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
        )
        lines.insert(end or 0, f"{name} = None\n")
        (root / path).write_text("".join(lines))

    return Edit("constant", apply)


def appended(kind: str, path: str, text: str) -> Edit:
    """Text at the end of a file that no test depends on."""

    def apply(root: Path) -> None:
        with (root / path).open("a") as stream:
            stream.write(text)

    return Edit(kind, apply, breaks=False)


def emptied(path: str) -> Edit:
    """A data file loses its content."""
    return Edit("data file", lambda root: (root / path).write_bytes(b"") and None)


def required(path: str, pattern: str) -> Edit:
    """The lowest version of a requirement rises by a micro version."""

    def apply(root: Path) -> None:
        text = (root / path).read_text()
        changed = re.sub(f"({pattern})", r"\1.1", text, count=1, flags=re.IGNORECASE)
        if changed == text:
            raise LookupError(f"{path} requires no {pattern}")
        (root / path).write_text(changed)

    return Edit("requirement", apply, breaks=False)


def new(path: str) -> Edit:
    """A module that nothing imports yet."""

    def apply(root: Path) -> None:
        (root / path).write_text("def added():\n    return 1\n")

    return Edit("new module", apply, breaks=False)


def _definition(module: ast.Module, name: str) -> ast.FunctionDef:
    scope: ast.Module | ast.ClassDef = module
    *outer, last = name.split(".")
    for part in outer:
        scope = next(n for n in scope.body if isinstance(n, ast.ClassDef) and n.name == part)
    found = [n for n in scope.body if isinstance(n, ast.FunctionDef) and n.name == last]
    return found[-1]


_NETWORKX = Project(
    Package("networkx", "3.4.2"),
    module="networkx",
    tests="networkx",
    subset=(
        "networkx/algorithms/tests",
        "networkx/classes",
        "networkx/generators/tests/test_atlas.py",
        "networkx/generators/tests/test_triads.py",
    ),
    edits=(
        body("leaf module, body", "networkx/algorithms/asteroidal.py", "is_at_free"),
        body("hub module, body", "networkx/classes/graph.py", "Graph.add_edge"),
        constant("networkx/generators/triads.py", "TRIAD_EDGES"),
        body("test body", "networkx/algorithms/tests/test_asteroidal.py", "test_is_at_free"),
        body("fixture of a conftest", "networkx/conftest.py", "add_nx"),
        body("set-up", "networkx/classes/tests/test_graph.py", "TestGraph.setup_method"),
        appended("comment", "networkx/classes/graph.py", "\n# edited\n"),
        appended("documentation", "doc/install.rst", "\nedited\n"),
        emptied("networkx/generators/atlas.dat.gz"),
        required("pyproject.toml", r"numpy>=[\d.]+"),
        new("networkx/algorithms/added.py"),
    ),
)
_FLASK = Project(
    Package("flask", "3.1.0"),
    module="src/flask",
    tests="tests",
    subset=("tests",),
    edits=(
        body("leaf module, body", "src/flask/json/tag.py", "TagUUID.to_json"),
        body("hub module, body", "src/flask/app.py", "Flask.dispatch_request"),
        constant("src/flask/sessions.py", "session_json_serializer"),
        body("test body", "tests/test_views.py", "test_basic_view"),
        body("fixture of a test module", "tests/test_cli.py", "runner"),
        body("fixture of a conftest", "tests/conftest.py", "test_apps"),
        appended("comment", "src/flask/app.py", "\n# edited\n"),
        appended("documentation", "docs/quickstart.rst", "\nedited\n"),
        emptied("tests/static/config.json"),
        required("pyproject.toml", r"werkzeug>=[\d.]+"),
        new("src/flask/added.py"),
    ),
)
_REST = Project(
    Package("djangorestframework", "3.15.2"),
    module="rest_framework",
    tests="tests",
    subset=("tests",),
    edits=(
        body("leaf module, body", "rest_framework/throttling.py", "SimpleRateThrottle.parse_rate"),
        body("hub module, body", "rest_framework/fields.py", "Field.get_value"),
        constant("rest_framework/permissions.py", "SAFE_METHODS"),
        body("test body", "tests/test_status.py", "TestStatus.test_status_categories"),
        body("set-up", "tests/test_throttling.py", "ThrottlingTests.setUp"),
        body("test helper", "tests/utils.py", "MockObject.__init__"),
        appended("comment", "rest_framework/fields.py", "\n# edited\n"),
        appended("documentation", "README.md", "\nedited\n"),
        emptied("rest_framework/templates/rest_framework/horizontal/select.html"),
        required("setup.py", r"django>=[\d.]+"),
        new("rest_framework/added.py"),
    ),
)
PROJECTS = {p.package.name: p for p in (_NETWORKX, _FLASK, _REST)}

INSTALLED = (
    "pytest==8.4.2",
    "pytest-django==4.9.0",
    "Django==5.1.4",
    "djangorestframework==3.15.2",
    "pytz==2024.2",
    "flask==3.1.0",
    "Werkzeug==3.1.3",
    "asgiref==3.8.1",
    "greenlet==3.1.1",
    "python-dotenv==1.0.1",
)
"""What the projects need to run their tests; flask and others are then hidden by their sources."""
