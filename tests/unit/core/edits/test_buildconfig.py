import pytest

from pytest_ciopt.core.edits.buildconfig import ConfigEdit, compare, is_build_config

PYPROJECT = """
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "special_backend.api:main"

[project]
name = "app"
version = "1.0"
description = "An app"
readme = "README.md"
requires-python = ">=3.11"
authors = [{ name = "Ann" }]
keywords = ["a"]
classifiers = ["Typing :: Typed"]
license = "MIT"
dependencies = ["click>=8", "Flask[async]>=3; python_version > '3.8'"]

[project.urls]
home = "https://example.org"

[project.optional-dependencies]
fast = ["orjson>=3"]

[project.scripts]
app = "app:main"

[dependency-groups]
test = ["coverage>=7", { include-group = "lint" }]
lint = ["ruff"]

[tool.pytest.ini_options]
addopts = "-ra"

[tool.black]
line-length = 100

[tool.ruff.lint]
select = ["E"]

[tool.special-backend]
fast = true

[tool.setuptools_scm]

[tool.pytest_env]
HOME = "/tmp"

[tool.hatch.version]
path = "app/__init__.py"

[tool.uv]
dev-dependencies = ["rich"]
index-url = "https://pypi.org/simple"

[tool.uv.sources]
httpx = { git = "https://example.org/httpx", rev = "1" }

[tool.pdm.dev-dependencies]
test = ["-e file:///lib#egg=my_lib"]

[tool.poetry]
description = "A poem"
packages = [{ include = "app" }]

[tool.poetry.dependencies]
python = "^3.11"
Requests = { version = "^2", optional = true }

[tool.poetry.group.dev]
optional = true

[tool.poetry.group.dev.dependencies]
tox = "^4"
"""
SETUP = """
[metadata]
name = app
version = 1.0
description = An app
long-description = file: README.md
author = Ann
license = MIT
classifiers =
    Typing :: Typed
url = https://example.org

[options]
packages = find:
python_requires = >=3.11
install_requires =
    # the shell
    click>=8
    Flask[async]>=3; python_version > "3.8"
tests_require = pytest

[options.extras_require]
fast = orjson>=3

[options.entry_points]
console_scripts =
    app = app:main

[flake8]
max-line-length = 100

[mypy-numpy.*]
ignore_errors = true

[tool:pytest]
addopts = -ra

[coverage:run]
branch = true

[tool:isort]
profile = black

[bumpversion:file:setup.py]
x = 1

[aliases]
test = pytest

[egg_info]
tag_build = dev
"""
TOX = """
[tox]
envlist = py311

[testenv]
deps = pytest
commands = pytest {posargs}

[flake8]
ignore = E501

[gh-actions]
python = 3.11
"""
DESCRIPTION = (
    "description readme authors maintainers license license-files keywords classifiers urls"
)
METADATA = (
    "description description-file long_description long_description_content_type author"
    " author_email maintainer maintainer-email license licence license_file license_files"
    " classifier classifiers keywords url home_page home-page project_urls download_url"
)
LINTERS = (
    "flake8 flake8:local-plugins mypy mypy-a.* mypy.plugins.x isort isort:x pycodestyle pep8"
    " pep257 pyflakes pylint pylint.main bdist_wheel codespell doc8 pydocstyle yapf black ruff"
    " autopep8 autoflake bandit vulture pyright darglint interrogate check-manifest zest.releaser"
    " coverage:run bumpversion bumpversion:file:x tool:black tool:mypy"
)
STEERING = (
    "pytest pytest_env tox setuptools setuptools_scm setuptools-git-versioning hatch poetry"
    " poetry-dynamic-versioning pdm flit maturin scikit-build meson-python uv sip versioneer"
    " versioningit pixi rye conda-lock"
)


@pytest.mark.parametrize(
    "path",
    [
        "pyproject.toml",
        "libs/a/pyproject.toml",
        "setup.cfg",
        "tox.ini",
        "pytest.ini",
        "x/.pytest.ini",
        "pytest.toml",
        ".pytest.toml",
        "MANIFEST.in",
    ],
)
def test_configuration_is_known_in_any_folder(path: str) -> None:
    assert is_build_config(path)


@pytest.mark.parametrize(
    "path", ["setup.py", "my-tox.ini", "pyproject.toml/x", "conftest.py", "manifest.in", ""]
)
def test_other_files_are_none(path: str) -> None:
    assert not is_build_config(path)


@pytest.mark.parametrize(
    ("path", "text", "old", "new"),
    [
        ("pyproject.toml", PYPROJECT, "[project]\n", "# a comment\n[project]\n\n"),
        ("pyproject.toml", PYPROJECT, '"1.0"', "'1.0'"),
        ("pyproject.toml", PYPROJECT, "An app", "The app"),
        ("pyproject.toml", PYPROJECT, "README.md", "README.rst"),
        ("pyproject.toml", PYPROJECT, "Ann", "Ben"),
        ("pyproject.toml", PYPROJECT, '["a"]', '["b"]'),
        ("pyproject.toml", PYPROJECT, ":: Typed", ":: Stubs Only"),
        ("pyproject.toml", PYPROJECT, "MIT", "BSD-3-Clause"),
        ("pyproject.toml", PYPROJECT, 'https://example.org"\n', 'x"\n'),
        ("pyproject.toml", PYPROJECT, "line-length = 100", "line-length = 88"),
        ("pyproject.toml", PYPROJECT, '["E"]', '["F"]'),
        ("pyproject.toml", PYPROJECT, "[tool.black]", "[tool.mypy]\nstrict = true\n[tool.black]"),
        ("pyproject.toml", PYPROJECT, "A poem", "An ode"),
        ("pyproject.toml", PYPROJECT, '"Flask[async]>=3; ', '"flask [async] >=3 ; '),
        ("pyproject.toml", 'project.dependencies = ["a", "b"]', '"a", "b"', '"b", "a"'),
        ("setup.cfg", SETUP, "[options]\n", "# a comment\n[options]\n\n"),
        ("setup.cfg", SETUP, "    # the shell\n", "\n    ; the web\n"),
        ("setup.cfg", SETUP, "= 1.0", " =   1.0"),
        ("setup.cfg", SETUP, "An app", "The app"),
        ("setup.cfg", SETUP, "README.md", "README.rst"),
        ("setup.cfg", SETUP, "Ann", "Ben"),
        ("setup.cfg", SETUP, "MIT", "BSD"),
        ("setup.cfg", SETUP, ":: Typed", ":: Stubs Only"),
        ("setup.cfg", SETUP, "example.org", "example.com"),
        ("setup.cfg", SETUP, "max-line-length = 100", "max-line-length = 88"),
        ("setup.cfg", SETUP, "ignore_errors = true", "ignore_errors = false"),
        ("setup.cfg", SETUP, "branch = true", "branch = false"),
        ("setup.cfg", SETUP, "profile = black", "profile = google"),
        ("setup.cfg", SETUP, "x = 1", "x = 2"),
        ("setup.cfg", SETUP, "\n", "\r\n"),
        ("tox.ini", TOX, "E501", "E502"),
        ("tox.ini", TOX, "[flake8]\nignore = E501\n", ""),
        ("pytest.ini", "[pytest]\naddopts = -ra\n", "addopts", "# why\naddopts"),
        ("pytest.ini", "[pytest]\nmarkers =\n  a\n  b\n", "  a\n", "    a\n\n"),
        ("pytest.toml", '[pytest]\naddopts = ["-ra"]\n', '"-ra"', "\n  '-ra',\n"),
        ("MANIFEST.in", "include a.txt\n", "include a", "# why\n\ninclude  a"),
    ],
)
def test_what_no_test_run_reads_alters_nothing(path: str, text: str, old: str, new: str) -> None:
    assert old in text
    assert compare(path, text, text.replace(old, new)) == ConfigEdit(None, ())


@pytest.mark.parametrize(
    ("path", "text", "old", "new", "part"),
    [
        ("pyproject.toml", PYPROJECT, ">=1.27", ">=1.28", "[build-system]"),
        ("pyproject.toml", PYPROJECT, '"app"\nv', '"app2"\nv', "[project] name"),
        ("pyproject.toml", PYPROJECT, '"1.0"', '"1.1"', "[project] version"),
        ("pyproject.toml", PYPROJECT, '">=3.11"', '">=3.12"', "[project] requires-python"),
        ("pyproject.toml", PYPROJECT, "app:main", "app:run", "[project] scripts"),
        ("pyproject.toml", PYPROJECT, "license =", "novelty =", "[project] novelty"),
        ("pyproject.toml", PYPROJECT, "-ra", "-rA", "[tool.pytest.ini_options]"),
        ("pyproject.toml", "", "", "[tool.pytest.ini_options]", "[tool.pytest.ini_options]"),
        ("pyproject.toml", PYPROJECT, "/tmp", "/var", "[tool.pytest_env] HOME"),
        ("pyproject.toml", PYPROJECT, "fast = true", "fast = false", "[tool.special-backend] fast"),
        ("pyproject.toml", PYPROJECT, "[tool.setuptools_scm]", "", "[tool.setuptools_scm]"),
        ("pyproject.toml", PYPROJECT, "__init__", "__about__", "[tool.hatch.version]"),
        ("pyproject.toml", PYPROJECT, "pypi.org", "example.org", "[tool.uv] index-url"),
        ("pyproject.toml", PYPROJECT, '"lint" }', '"docs" }', "[dependency-groups] test"),
        ("pyproject.toml", PYPROJECT, "include = ", "from = ", "[tool.poetry] packages"),
        ("pyproject.toml", PYPROJECT, "^3.11", "^3.12", "[tool.poetry.dependencies] python"),
        ("pyproject.toml", PYPROJECT, "dev]\nopt", "dev]\nx", "[tool.poetry.group.dev] optional"),
        ("pyproject.toml", PYPROJECT, "[tool.black]", "[novelty]", "[novelty]"),
        ("setup.cfg", SETUP, "name = app", "name = app2", "[metadata] name"),
        ("setup.cfg", SETUP, "1.0", "1.1", "[metadata] version"),
        ("setup.cfg", SETUP, "find:", "app", "[options] packages"),
        ("setup.cfg", SETUP, ">=3.11", ">=3.12", "[options] python_requires"),
        ("setup.cfg", SETUP, "app:main", "app:run", "[options.entry_points] console_scripts"),
        ("setup.cfg", SETUP, "-ra", "-rA", "[tool:pytest] addopts"),
        ("setup.cfg", SETUP, "test = pytest", "test = x", "[aliases] test"),
        ("setup.cfg", SETUP, "tag_build = dev", "tag_build = a", "[egg_info] tag_build"),
        ("setup.cfg", SETUP, "orjson>=3", "file: fast.txt", "[options.extras_require] fast"),
        ("setup.cfg", "", "", "[tool:pytest]", "[tool:pytest]"),
        ("setup.cfg", "", "", "[DEFAULT]\nx = 1", "[DEFAULT]"),
        ("tox.ini", TOX, "py311", "py312", "[tox] envlist"),
        ("tox.ini", TOX, "= pytest {", "= pytest -x {", "[testenv] commands"),
        ("tox.ini", TOX, "[gh-actions]\npython", "[gh-actions]\nPython", "[gh-actions] Python"),
        ("tox.ini", "", "", "[pytest]", "[pytest]"),
        ("pytest.ini", "[pytest]\naddopts = -ra\n", "-ra", "-rA", "[pytest] addopts"),
        ("a/.pytest.ini", "[flake9]\nx = 1\n", "1", "2", "[flake9] x"),
        ("pytest.toml", '[pytest]\naddopts = ["-ra"]\n', "-ra", "-rA", "[pytest]"),
        (".pytest.toml", "a = 1", "1", "2", "[a]"),
        (
            "MANIFEST.in",
            "include a\nexclude b\n",
            "include a\nexclude b",
            "exclude b\ninclude a",
            "",
        ),
        ("MANIFEST.in", "include a\\#b\n", "#b", "#c", ""),
        ("setup.py", "# one\n", "one", "two", ""),
    ],
)
def test_a_part_that_steers_a_run_alters_everything(
    path: str, text: str, old: str, new: str, part: str
) -> None:
    assert old in text
    after = text.replace(old, new) if old else new
    everything = f"{path} {part}".rstrip()
    assert compare(path, text, after).everything == everything
    assert compare(path, after, text).everything == everything


@pytest.mark.parametrize(
    ("path", "text", "old", "new", "names"),
    [
        ("pyproject.toml", PYPROJECT, "click>=8", "click>=9", ["click"]),
        ("pyproject.toml", PYPROJECT, "[async]", "", ["flask"]),
        ("pyproject.toml", PYPROJECT, "> '3.8'", "> '3.9'", ["flask"]),
        ("pyproject.toml", PYPROJECT, "orjson>=3", "ujson", ["orjson", "ujson"]),
        ("pyproject.toml", PYPROJECT, "fast = [", "quick = [", ["orjson"]),
        ("pyproject.toml", PYPROJECT, "coverage>=7", "coverage>=8", ["coverage"]),
        ("pyproject.toml", PYPROJECT, '["ruff"]', '["ruff", "mypy"]', ["mypy"]),
        ("pyproject.toml", PYPROJECT, '"rich"', '"rich>=13"', ["rich"]),
        ("pyproject.toml", PYPROJECT, 'rev = "1"', 'rev = "2"', ["httpx"]),
        ("pyproject.toml", PYPROJECT, "file:///lib", "file:///lib2", ["my-lib"]),
        ("pyproject.toml", PYPROJECT, '"^2"', '"^3"', ["requests"]),
        ("pyproject.toml", PYPROJECT, '"^4"', '"^5"', ["tox"]),
        ("pyproject.toml", "tool.poetry.dev-dependencies.a = '1'", "'1'", "'2'", ["a"]),
        ("setup.cfg", SETUP, "click>=8", "click>=9", ["click"]),
        ("setup.cfg", SETUP, "[async]", "", ["flask"]),
        ("setup.cfg", SETUP, "tests_require = pytest", "tests_require = nose", ["nose", "pytest"]),
        ("setup.cfg", SETUP, "orjson>=3", "orjson>=4", ["orjson"]),
        ("setup.cfg", SETUP, "fast =", "quick =", ["orjson"]),
    ],
)
def test_another_specifier_names_its_distribution(
    path: str, text: str, old: str, new: str, names: list[str]
) -> None:
    assert old in text
    assert compare(path, text, text.replace(old, new)) == ConfigEdit(None, tuple(names))


@pytest.mark.parametrize("key", DESCRIPTION.split())
def test_what_describes_a_project_to_people_alters_nothing(key: str) -> None:
    for table in ("project", "tool.poetry"):
        assert compare("pyproject.toml", "", f"[{table}]\n{key} = 1") == ConfigEdit(None, ())


@pytest.mark.parametrize("key", ["homepage", "repository", "documentation"])
def test_poetry_has_links_of_its_own(key: str) -> None:
    assert compare("pyproject.toml", "", f"[tool.poetry]\n{key} = 1") == ConfigEdit(None, ())


@pytest.mark.parametrize("key", METADATA.split())
def test_what_setup_cfg_tells_people_alters_nothing(key: str) -> None:
    assert compare("setup.cfg", "", f"[metadata]\n{key} = 1") == ConfigEdit(None, ())


@pytest.mark.parametrize("section", LINTERS.split())
def test_sections_of_linters_alter_nothing(section: str) -> None:
    for path in ("setup.cfg", "tox.ini"):
        assert compare(path, "", f"[{section}]\nx = 1") == ConfigEdit(None, ())


@pytest.mark.parametrize("tool", STEERING.split())
def test_tools_that_build_or_choose_the_environment_alter_everything(tool: str) -> None:
    edit = compare("pyproject.toml", "", f"[tool.{tool}]\nx = 1")
    assert edit.everything is not None
    assert edit.everything.startswith(f"pyproject.toml [tool.{tool}]")


@pytest.mark.parametrize("tool", ["mypy", "towncrier", "cibuildwheel", "uvloop", "coverage"])
def test_other_tools_alter_nothing(tool: str) -> None:
    assert compare("pyproject.toml", "", f"[tool.{tool}]\nx = 1") == ConfigEdit(None, ())


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("pyproject.toml", "[tool.uv]\ndev-dependencies = ['a']"),
        ("pyproject.toml", "[tool.pdm.dev-dependencies]\nx = ['a']"),
        ("pyproject.toml", "[tool.poetry.dependencies]\na = '1'"),
        ("pyproject.toml", "[project.optional-dependencies]\nx = ['a']"),
        ("setup.cfg", "[options]\ninstall_requires = a"),
        ("setup.cfg", "[options.extras_require]\nx = a"),
        ("setup.cfg", "\ufeff[metadata]\n[options]\ntests_require =\n  a"),
    ],
)
def test_a_first_dependency_concerns_that_distribution_alone(path: str, text: str) -> None:
    assert compare(path, "", text) == ConfigEdit(None, ("a",))


def test_distributions_and_everything_come_together() -> None:
    after = PYPROJECT.replace("click>=8", "click>=9").replace('"1.0"', '"1.1"')
    assert compare("pyproject.toml", PYPROJECT, after) == (
        ConfigEdit("pyproject.toml [project] version", ("click",))
    )


def test_the_first_part_in_alphabetical_order_is_named() -> None:
    assert compare("tox.ini", "", "[testenv]\n[alpha]\n").everything == "tox.ini [alpha]"


@pytest.mark.parametrize("path", ["setup.cfg", "tox.ini", "MANIFEST.in"])
def test_an_absent_file_is_as_good_as_an_empty_one(path: str) -> None:
    assert compare(path, None, "# nothing\n") == ConfigEdit(None, ())
    assert compare(path, "", None) == ConfigEdit(None, ())
    assert compare(path, None, None) == ConfigEdit(None, ())


def test_a_linters_section_in_an_added_file_alters_nothing() -> None:
    assert compare("setup.cfg", None, "[flake8]\nx = 1\n[mypy]\ny = 1") == ConfigEdit(None, ())
    assert compare("tox.ini", None, "[flake8]\nx = 1\n") == ConfigEdit(None, ())


@pytest.mark.parametrize(
    "path", ["pytest.ini", ".pytest.ini", "pytest.toml", "a/.pytest.toml", "pyproject.toml"]
)
def test_an_empty_file_that_makes_the_rootdir_steers_pytest_too(path: str) -> None:
    edit = ConfigEdit(f"{path} (added or deleted)", ())
    assert compare(path, None, "") == edit
    assert compare(path, "", None) == edit


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("pyproject.toml", "a = 1\n\n= 2", "cannot be parsed (line 3)"),
        ("pyproject.toml", "\0", "cannot be parsed (line 1)"),
        ("pyproject.toml", "a = " + "[" * 100_000, "cannot be parsed"),
        ("pyproject.toml", "a = 0x" + "f" * 6_000, "holds a value too large to compare"),
        ("pyproject.toml", "project = 1", "holds a plain value where a table belongs"),
        ("pyproject.toml", "tool = []", "holds a plain value where a table belongs"),
        ("pyproject.toml", "tool.uv = 1", "holds a plain value where a table belongs"),
        ("pyproject.toml", "tool.uv.sources = 1", "holds a plain value where a table belongs"),
        ("pyproject.toml", "dependency-groups = 1", "holds a plain value where a table belongs"),
        ("pyproject.toml", "tool.poetry.group.x = 1", "holds a plain value where a table belongs"),
        ("pyproject.toml", "tool.uv.sources.'a b' = 1", "holds something that is no distribution"),
        ("pyproject.toml", "project.dependencies = [1]", "[project] dependencies"),
        ("pyproject.toml", "project.dependencies = ['a b']", "[project] dependencies"),
        ("pyproject.toml", "project.dependencies = 1979-05-27", "[project] dependencies"),
        ("pyproject.toml", "[build-system]\nbuild-backend = 1", "[build-system]"),
        ("pyproject.toml", "build-system = 1", "[build-system]"),
        ("pyproject.toml", '"a\\n::error::" = 1', "a part with an unusual name"),
        ("pytest.toml", "[pytest", "cannot be parsed"),
        ("setup.cfg", "x = 1", "cannot be parsed (line 1)"),
        ("setup.cfg", "[a]\nx = 1\nx = 2", "cannot be parsed (line 3)"),
        ("setup.cfg", "[a]\n\nnothing", "cannot be parsed (line 3)"),
        ("setup.cfg", "[a]\nx\n  y\n", "cannot be parsed (line 2)"),
        ("setup.cfg", "[a\0]", "a part with an unusual name"),
        ("setup.cfg", f"[{'a' * 100_000}]", "a part with an unusual name"),
        ("tox.ini", "[a]\n[a]", "cannot be parsed (line 2)"),
        ("tox.ini", "\ud800", "cannot be parsed (line 1)"),
    ],
)
def test_what_cannot_be_understood_alters_everything(path: str, text: str, reason: str) -> None:
    for edit in (compare(path, text, None), compare(path, "", text)):
        assert edit.everything is not None
        assert edit.everything.startswith(f"{path} {reason}")
        assert edit.distributions == ()
    assert compare(path, text, text) == ConfigEdit(None, ())


def test_parts_with_unusual_names_are_told_apart() -> None:
    before, after = '"a\\n" = 1\n"b\\n" = 2', '"a\\n" = 2\n"b\\n" = 1'
    edit = compare("pyproject.toml", before, after)
    assert edit.everything == "pyproject.toml a part with an unusual name"
    moved = compare("pyproject.toml", '"a\\n" = 1', '"b\\n" = 1')
    assert moved.everything == "pyproject.toml a part with an unusual name"
