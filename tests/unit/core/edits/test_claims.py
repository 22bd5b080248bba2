import pytest

from pytest_ciopt.core.edits.claims import Claim, ruled, target_files, unruled
from pytest_ciopt.settings import Rules

RULES = Rules(
    run_all=("*.lock", "infra/"),
    ignore=("*.svg", "*.json", "infra/readme"),
    dependencies=(
        ("data/*.json", ("tests/test_data.py", "app.data")),
        ("data/users.json", ("tests/test_users.py",)),
        ("*.lock", ("app",)),
    ),
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("x.lock", Claim("ciopt_run_all *.lock", everything=True)),
        ("infra/readme", Claim("ciopt_run_all infra/", everything=True)),
        ("a/x.svg", Claim("ciopt_ignore *.svg")),
        ("other/x.json", Claim("ciopt_ignore *.json")),
        (
            "data/x.json",
            Claim("ciopt_dependencies data/*.json", targets=("tests/test_data.py", "app.data")),
        ),
        (
            "data/users.json",
            Claim(
                "ciopt_dependencies data/*.json",
                targets=("tests/test_data.py", "app.data", "tests/test_users.py"),
            ),
        ),
        ("app/x.py", None),
    ],
)
def test_rules_of_the_project(path: str, expected: Claim | None) -> None:
    assert ruled(path, RULES) == expected


def test_no_rules_claim_nothing() -> None:
    assert ruled("x.lock", Rules()) is None


@pytest.mark.parametrize(
    "path",
    [
        "README.md",
        "README",
        "pkg/README.rst",
        "CHANGELOG.md",
        "LICENSE",
        "LICENSE.txt",
        "docs/a.md",
        "docs/img/a.png",
        "doc/a/b/c.rst",
        ".editorconfig",
        ".vscode/settings.json",
        ".github/ISSUE_TEMPLATE/bug.yml",
        ".gitignore",
        ".coverage",
        ".coverage.host.1234.abc",
        "htmlcov/index.html",
        "pkg/mod.pyi",
        "pkg/py.typed",
        "a~",
    ],
)
def test_harmless_files_select_only_who_names_them(path: str) -> None:
    claim = unruled(path, lambda _: True)
    assert (claim.everything, claim.folder, claim.by_name) == (False, None, True)


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        ("tests/cases/README.md", "tests"),
        ("tests/cases/deep/m.pyi", "tests"),
        ("pkg/template/.gitignore", "pkg"),
        ("tests/README.md", None),
        ("pkg/mod.pyi", None),
        ("stubs/mod.pyi", None),
        ("docs/deep/a.md", None),
        ("tests/cases/.coverage", None),
        ("tests/cases/a.json~", None),
        ("LICENSE", None),
    ],
)
def test_a_well_known_name_says_little_where_data_lies(path: str, folder: str | None) -> None:
    claim = unruled(path, lambda one: one in ("", "tests", "pkg", "docs"))
    assert (claim.everything, claim.folder, claim.by_name) == (False, folder, True)
    assert claim.known_name == (folder is not None)


@pytest.mark.parametrize(
    "path",
    [
        "pkg/README_fields.json",
        "pkg/NEWS_feed.xml",
        "pkg/CHANGES.json",
        "pkg/HISTORY.csv",
        "pkg/SECURITY_policy.yaml",
        "pkg/LICENSES.json",
        "pkg/NOTICE_template.html",
        "pkg/docs/a.md",
        "pkg/a.txt",
        "pkg/deep/a.txt",
        "pkg/deep/deeper/x",
    ],
)
def test_data_belongs_to_the_nearest_folder_with_modules(path: str) -> None:
    claim = unruled(path, lambda folder: folder == "pkg")
    assert (claim.everything, claim.folder, claim.by_name) == (False, "pkg", True)


@pytest.mark.parametrize(
    "path", ["pkg/a.pyx", "pkg/a.c", "src/lib.rs", "a.so", "pkg/x.pxd", "CMakeLists.cmake"]
)
def test_sources_of_extensions_can_change_everything(path: str) -> None:
    assert unruled(path, lambda _: True).everything


@pytest.mark.parametrize(
    "path", ["Makefile", "data/a.json", "x", ".env", ".github/workflows/ci.yml", "docs/conf.json"]
)
def test_what_nobody_claims_can_change_everything(path: str) -> None:
    claim = unruled(path, lambda folder: folder == "")
    assert claim.everything
    assert "nobody claims" in claim.why


def test_the_top_claims_no_data() -> None:
    """Nearly every project has a module at the top; that says nothing of what lies beside it."""
    assert unruled("a.json", lambda _: True).everything


def test_the_nearest_folder_wins() -> None:
    assert unruled("a/b/c/x.json", lambda folder: folder in ("a", "a/b")).folder == "a/b"


NAMES = {"app.data": ["app/data.py"], "data": ["app/data.py", "lib/data.py"]}
FILES = ["app/data.py", "app/x.py", "lib/data.py", "tests/test_a.py"]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("app.data", ["app/data.py"]),
        ("data", ["app/data.py", "lib/data.py"]),
        ("app/", ["app/data.py", "app/x.py"]),
        ("tests/**", ["tests/test_a.py"]),
        ("data.py", ["app/data.py", "lib/data.py"]),
        ("app.missing", []),
    ],
)
def test_targets_are_modules_or_globs(target: str, expected: list[str]) -> None:
    assert list(target_files(target, FILES, NAMES)) == expected
