import json

import pytest

from pytest_ciopt.core.edits.requirements import DependencyEdit, compare, is_manifest

UV = """
version = 1
revision = 2
requires-python = ">=3.11"
resolution-markers = ["python_version >= '3.12'"]

[[package]]
name = "app"
version = "0.1.0"
source = { editable = "." }
dependencies = [{ name = "click" }]

[[package]]
name = "click"
version = "8.1.7"
source = { registry = "https://pypi.org/simple" }
dependencies = [{ name = "colorama", marker = "sys_platform == 'win32'" }]
sdist = { url = "https://files/ab/click-8.1.7.tar.gz", hash = "sha256:aa", size = 1 }
wheels = [
    { url = "https://files/cd/click-8.1.7-py3-none-any.whl", hash = "sha256:bb", size = 2 },
]

[[package]]
name = "Colorama_X"
version = "0.4.6"
source = { registry = "https://pypi.org/simple" }
"""
NUMPY_FORK = """
[[package]]
name = "numpy"
version = "{}"
source = {{ registry = "https://pypi.org/simple" }}
resolution-markers = ["python_full_version {} '3.12'"]
"""
POETRY = """
[[package]]
name = "flask"
version = "3.0.0"
description = "A web framework"
optional = false
python-versions = ">=3.8"
groups = ["main"]
files = [{file = "flask-3.0.0-py3-none-any.whl", hash = "sha256:aa"}]

[metadata]
lock-version = "2.1"
python-versions = "^3.11"
content-hash = "0123"
"""
PDM = """
[metadata]
groups = ["default"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = "sha256:00"

[[metadata.targets]]
requires_python = ">=3.11"

[[package]]
name = "idna"
version = "3.6"
summary = "Names"
files = [{file = "idna-3.6-py3-none-any.whl", hash = "sha256:aa"}]
"""
PDM_OLD = """
[[package]]
name = "idna"
version = "3.6"

[metadata.files]
"idna 3.6" = [{url = "https://files/idna-3.6.tar.gz", hash = "sha256:aa"}]
"""
PYLOCK = """
lock-version = "1.0"
created-by = "uv"
requires-python = ">=3.11"

[[packages]]
name = "attrs"
version = "25.1.0"
wheels = [{name = "attrs-25.1.0-py3-none-any.whl", hashes = {sha256 = "aa"}}]
"""
PIPFILE = """
[[source]]
url = "https://pypi.org/simple"
[packages]
requests = "*"
[dev-packages]
tox = {version = ">=4", markers = "python_version > '3.8'"}
[requires]
python_version = "3.11"
[scripts]
test = "pytest"
"""
PIPFILE_LOCK = json.dumps(
    {
        "_meta": {"hash": {"sha256": "00"}, "requires": {"python_version": "3.11"}},
        "default": {"requests": {"hashes": ["sha256:aa"], "version": "==2.31.0"}},
        "develop": {"tox": {"hashes": ["sha256:bb"], "version": "==4.11.0"}},
    }
)
PIP = """\
# by pip-compile
--index-url https://user:secret@index.example/simple
-r base.txt
click==8.1.7 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via flask
flask[async]>=3 ; python_version >= "3.11"  # web
-e git+https://example.org/lib.git@v1#egg=My.Lib
tool @ https://example.org/tool-1.zip
./vendor/thing.whl
"""


@pytest.mark.parametrize(
    "path",
    [
        "uv.lock",
        "a/b/poetry.lock",
        "pdm.lock",
        "Pipfile",
        "x/Pipfile.lock",
        "pylock.toml",
        "pylock.dev.toml",
        "requirements.txt",
        "requirements-dev.txt",
        "ci/dev-requirements.txt",
        "requirements.in",
        "constraints-3.11.txt",
        "requirements/base.txt",
        "x/requirements/base.in",
    ],
)
def test_manifests_are_known_in_any_folder(path: str) -> None:
    assert is_manifest(path)


@pytest.mark.parametrize(
    "path",
    [
        "pyproject.toml",
        "uv.lock.py",
        "my-uv.lock",
        "uv.lock/readme.md",
        "requirements.md",
        "notes/base.txt",
        "requirements/base.py",
        "my_requirements/base.txt",
        "requirements/sub/base.txt",
        "pylock.json",
        "",
    ],
)
def test_other_files_are_none(path: str) -> None:
    assert not is_manifest(path)


@pytest.mark.parametrize(
    ("path", "text", "old", "new"),
    [
        ("uv.lock", UV, "revision = 2", "revision = 3"),
        ("uv.lock", UV, "version = 1\n", "# a comment\nversion   =   1\n"),
        ("uv.lock", UV, 'version = "0.1.0"', 'version = "0.2.0"'),
        ("uv.lock", UV, '{ name = "click" }', '{ name = "click" }, { name = "colorama-x" }'),
        ("uv.lock", UV, "Colorama_X", "colorama-x"),
        (
            "uv.lock",
            UV,
            "wheels = [\n",
            'wheels = [\n{ url = "x/other.whl", hash = "sha256:cc" },\n',
        ),
        ("uv.lock", UV, "size = 2", "size = 3"),
        ("uv.lock", UV, "https://files/cd", "https://files/ef"),
        ("poetry.lock", POETRY, "0123", "4567"),
        ("poetry.lock", POETRY, "2.1", "2.2"),
        ("poetry.lock", POETRY, "A web framework", "The web framework"),
        ("pdm.lock", PDM, "sha256:00", "sha256:11"),
        ("pdm.lock", PDM, "inherit_metadata", "cross_platform"),
        ("pdm.lock", PDM_OLD, "idna-3.6.tar.gz", "idna-3.6.zip"),
        ("pylock.toml", PYLOCK, '"uv"', '"pip"'),
        ("Pipfile", PIPFILE, 'test = "pytest"', 'test = "tox"'),
        ("Pipfile.lock", PIPFILE_LOCK, '"00"', '"11"'),
        ("Pipfile.lock", PIPFILE_LOCK, '["sha256:aa"]', '["sha256:cc", "sha256:aa"]'),
        ("Pipfile.lock", PIPFILE_LOCK, ": ", ":   "),
        ("requirements.txt", PIP, "# by pip-compile", "# by hand"),
        ("requirements.txt", PIP, "  # web", ""),
        ("requirements.txt", PIP, "    # via flask\n", "\n"),
        ("requirements.txt", PIP, " \\\n    --hash=sha256:aa \\\n ", " --hash=sha256:aa"),
        ("requirements.txt", PIP, "    --hash=sha256:bb\n", "  --hash=sha256:bb --hash=sha256:c\n"),
        ("requirements.txt", PIP, "flask[async]>=3 ;", "Flask[async] >= 3;"),
        ("requirements.txt", PIP, "\n", "\r\n"),
        ("requirements.txt", PIP, "# by", "\ufeff# by"),
        ("requirements.txt", "a==1\nb==1\n", "a==1\nb==1", "b==1\n\na==1"),
        ("requirements.txt", "a>1,<3\n", ">1,<3", "<3, >1"),
    ],
)
def test_noise_is_no_change(path: str, text: str, old: str, new: str) -> None:
    assert old in text
    assert compare(path, text, text.replace(old, new)) == DependencyEdit((), None)


@pytest.mark.parametrize(
    ("path", "text", "old", "new", "names"),
    [
        ("uv.lock", UV, "8.1.7", "8.1.8", ["click"]),
        ("uv.lock", UV, '"Colorama_X"', '"other"', ["colorama-x", "other"]),
        ("uv.lock", UV, "win32", "cygwin", ["click"]),
        ("uv.lock", UV, "sha256:bb", "sha256:cc", ["click"]),
        ("uv.lock", UV, "sha256:aa", "sha256:cc", ["click"]),
        ("uv.lock", UV, 'editable = "."', 'registry = "https://pypi.org/simple"', ["app"]),
        ("uv.lock", UV, 'editable = "."', 'editable = "libs/app"', ["app"]),
        ("poetry.lock", POETRY, "3.0.0", "3.0.1", ["flask"]),
        ("poetry.lock", POETRY, '["main"]', '["dev"]', ["flask"]),
        ("poetry.lock", POETRY, "sha256:aa", "sha256:bb", ["flask"]),
        ("pdm.lock", PDM, "sha256:aa", "sha256:bb", ["idna"]),
        ("pdm.lock", PDM, 'version = "3.6"', 'version = "3.7"', ["idna"]),
        ("pdm.lock", PDM_OLD, "sha256:aa", "sha256:bb", ["idna"]),
        ("pylock.toml", PYLOCK, "25.1.0", "25.2.0", ["attrs"]),
        ("pylock.dev.toml", PYLOCK, '"aa"', '"bb"', ["attrs"]),
        ("Pipfile", PIPFILE, '"*"', '">=2"', ["requests"]),
        ("Pipfile", PIPFILE, "> '3.8'", "> '3.9'", ["tox"]),
        ("Pipfile", PIPFILE, "dev-packages", "ci-packages", ["tox"]),
        ("Pipfile.lock", PIPFILE_LOCK, "2.31.0", "2.32.0", ["requests"]),
        ("Pipfile.lock", PIPFILE_LOCK, "sha256:bb", "sha256:cc", ["tox"]),
        ("requirements.txt", PIP, "8.1.7", "8.1.8", ["click"]),
        ("requirements.txt", PIP, "sha256:bb", "sha256:cc", ["click"]),
        ("requirements.txt", PIP, "[async]", "", ["flask"]),
        ("requirements.txt", PIP, '>= "3.11"', '>= "3.12"', ["flask"]),
        ("requirements.txt", PIP, "@v1", "@v2", ["my-lib"]),
        ("requirements.txt", PIP, "-e git", "git", ["my-lib"]),
        ("requirements.txt", PIP, "tool-1.zip", "tool-2.zip", ["tool"]),
        ("requirements.txt", PIP, "flask[async]", "#flask", ["flask"]),
        ("requirements.txt", PIP, "# via flask", "\nnew", ["new"]),
        ("requirements.txt", "a==1\n", "a==1", 'a==1; python_version<"3"\na==2', ["a"]),
        ("requirements.txt", "a==1\n", "a==1", "a==1 --config-settings=x=y", ["a"]),
        ("requirements.txt", "a \\\n# note\nb\n", "\nb", "\nc", ["b", "c"]),
    ],
)
def test_another_pin_names_its_distribution(
    path: str, text: str, old: str, new: str, names: list[str]
) -> None:
    assert old in text
    after = text.replace(old, new)
    assert compare(path, text, after) == DependencyEdit(tuple(names), None)
    assert compare(path, after, text).distributions == tuple(names)


@pytest.mark.parametrize(
    "line",
    [
        "options = {}",
        "manifest = {}",
        "tool = {}",
        "extras = {}",
        "metadata.lock_version = '{}'",
        "metadata.static_urls = '{}'",
        "metadata.cross_platform = '{}'",
        "metadata.hashes.a = ['{}']",
        "[[package]]\nname = 'a'\nsummary = '{}'",
        "[[package]]\nname = 'a'\nmetadata = '{}'",
        "[[package]]\nname = 'a'\nattestation-identities = '{}'",
        "[[package]]\nname = 'a'\ntool = '{}'",
        "[[package]]\nname = 'a'\nsdist = {{url = 'a-{0}.tar.gz', hash = '{0}'}}",
        "[[package]]\nname = 'a'\nfiles = [{{file = 'a-{0}.whl', hash = '{0}'}}]",
        "[[package]]\nname = 'a'\nwheels = [{{name = 'a-{0}.whl', hash = '{0}'}}]",
        "[[package]]\nname = 'a'\nwheels = [{{path = 'x/a-{0}.whl', hash = '{0}'}}]",
        "[[package]]\nname = 'a'\nversion = '{}'\nsource = {{virtual = '.'}}",
        "[[package]]\nname = 'a'\nversion = '{}'\nsource = {{directory = '.'}}",
        "[[package]]\nname = 'a'\nversion = '{}'\nsource = {{type = 'directory', url = '.'}}",
        "[[package]]\nname = 'a'\nversion = '{}'\npath = './'",
        "[[packages]]\nname = 'a'\nversion = '{}'\ndirectory = {{path = '.'}}",
    ],
)
def test_a_lock_files_own_noise_is_no_change(line: str) -> None:
    assert compare("uv.lock", line.format(1), line.format(2)) == DependencyEdit((), None)


def test_a_file_is_known_by_its_name_wherever_it_lies() -> None:
    entry = "[[package]]\nname = 'a'\nsdist = {{url = 'https://x/{0}/a.zip', hash = '{0}'}}"
    assert compare("uv.lock", entry.format(1), entry.format(2)) == DependencyEdit(("a",), None)


def test_all_that_is_unclear_is_named_in_order() -> None:
    edit = compare("uv.lock", "b = 1\na = 1\n", "b = 2\na = 2\n")
    assert edit.unclear == "uv.lock: a, b changed"


def test_a_comment_ends_a_continuation_even_with_a_backslash() -> None:
    before = "a \\\n# note \\\nb\n"
    assert compare("requirements.txt", before, "a\nb\n") == DependencyEdit((), None)


def test_forks_of_a_distribution_are_compared_as_a_set() -> None:
    one, two = NUMPY_FORK.format("1.26", "<"), NUMPY_FORK.format("2.0", ">=")
    assert compare("uv.lock", UV + one + two, UV + two + one) == DependencyEdit((), None)
    assert compare("uv.lock", UV + one + two, UV + two) == DependencyEdit(("numpy",), None)
    moved = NUMPY_FORK.format("2.0", ">")
    assert compare("uv.lock", UV + one + two, UV + one + moved) == DependencyEdit(("numpy",), None)


@pytest.mark.parametrize(
    ("path", "text", "names"),
    [
        ("uv.lock", UV, ("click", "colorama-x")),
        ("poetry.lock", POETRY, ("flask",)),
        ("Pipfile.lock", PIPFILE_LOCK, ("requests", "tox")),
        ("requirements.txt", "b==1\na==1\n", ("a", "b")),
        ("requirements.txt", "# nothing\n", ()),
    ],
)
def test_all_pins_of_an_added_or_deleted_file_change(
    path: str, text: str, names: tuple[str, ...]
) -> None:
    assert compare(path, None, text) == DependencyEdit(names, None)
    assert compare(path, text, None) == DependencyEdit(names, None)


@pytest.mark.parametrize(
    ("path", "text", "old", "new", "reason"),
    [
        ("uv.lock", UV, ">=3.11", ">=3.12", "requires-python changed"),
        ("uv.lock", UV, ">= '3.12'", ">= '3.13'", "resolution-markers changed"),
        ("uv.lock", UV, "revision = 2", "novelty = 2", "novelty changed"),
        ("x/poetry.lock", POETRY, "^3.11", "^3.12", "python-versions changed"),
        ("pdm.lock", PDM, ">=3.11", ">=3.12", "targets changed"),
        ("pylock.toml", PYLOCK, ">=3.11", ">=3.12", "requires-python changed"),
        ("Pipfile", PIPFILE, '"3.11"', '"3.12"', "requires changed"),
        ("Pipfile", PIPFILE, "pypi.org", "example.org", "source changed"),
        ("Pipfile", PIPFILE, "[scripts]", "[pipenv]\nx = 1\n[scripts]", "pipenv changed"),
        ("Pipfile.lock", PIPFILE_LOCK, '"3.11"', '"3.12"', "_meta changed"),
        ("requirements.txt", PIP, "secret", "other", "'--index-url …' changed"),
        ("requirements.txt", PIP, "-r base.txt\n", "", "'-r …' changed"),
        ("requirements.txt", PIP, "# by", "-c limits.txt\n# by", "'-c …' changed"),
        ("requirements.txt", PIP, "# by", "-e ./lib\n# by", "a requirement that names no distri"),
        ("requirements.txt", PIP, "thing.whl", "more.whl", "a requirement that names no distri"),
        ("requirements.txt", PIP, "# by", "what is\0this\n#", "a requirement that names no distri"),
        ("requirements.txt", PIP, "# by", "-\n#", "an option changed"),
    ],
)
def test_what_concerns_more_than_distributions_is_unclear(
    path: str, text: str, old: str, new: str, reason: str
) -> None:
    assert old in text
    edit = compare(path, text, text.replace(old, new))
    assert edit.unclear is not None
    assert edit.unclear.startswith(f"{path}: {reason}")
    assert edit.distributions == ()


def test_an_include_of_an_added_file_is_unclear() -> None:
    edit = compare("requirements.txt", None, "-r other.txt\nclick\n")
    assert edit == DependencyEdit(("click",), "requirements.txt: '-r …' changed")


def test_a_reason_never_holds_the_value_of_an_option() -> None:
    edit = compare("requirements.txt", PIP, PIP.replace("secret", "other"))
    assert "user" not in str(edit)


def test_a_reason_is_one_line_whatever_a_key_holds() -> None:
    edit = compare("uv.lock", "version = 1", 'version = 1\n"a\\n::error::b" = 1')
    assert edit.unclear == "uv.lock: a part with an unusual name changed"


@pytest.mark.parametrize(
    ("path", "text", "reason"),
    [
        ("uv.lock", "version = 1\n\n= 2", "cannot be parsed (line 3)"),
        ("uv.lock", "\0", "cannot be parsed (line 1)"),
        ("uv.lock", "a = " + "[" * 100_000, "cannot be parsed"),
        ("uv.lock", "a = " + "9" * 5_000, "cannot be parsed"),
        ("uv.lock", "a = 0x" + "f" * 5_000, "holds a value too large to compare"),
        ("uv.lock", "package = 1", "holds a plain value where a table belongs"),
        ("uv.lock", "package = [1]", "holds a plain value where a table belongs"),
        ("uv.lock", "[[package]]\nversion = '1'", "holds something that is no distribution's name"),
        ("uv.lock", "[[package]]\nname = 1", "holds something that is no distribution's name"),
        ("uv.lock", "[[package]]\nname = 'a b'", "holds something that is no distribution's name"),
        ("uv.lock", "[[package]]\nname = 'a\u0130'", "holds something that is no distribution's"),
        ("uv.lock", "[[package]]\nname = 'a'\nfiles = 1", "holds a plain value where a table"),
        ("uv.lock", "metadata = 1", "holds a plain value where a table belongs"),
        ("pdm.lock", "[metadata.files]\n' ' = []", "holds something that is no distribution's"),
        ("Pipfile", "packages = 1", "holds a plain value where a table belongs"),
        ("Pipfile", "[packages]\n'' = 1", "holds something that is no distribution's name"),
        ("Pipfile.lock", '{"default":\n', "cannot be parsed (line 2)"),
        ("Pipfile.lock", '{"a":' * 100_000, "cannot be parsed"),
        ("Pipfile.lock", "[]", "cannot be parsed (line 1)"),
        ("Pipfile.lock", '{"default": []}', "holds a plain value where a table belongs"),
        ("Pipfile.lock", '{"_meta": 1}', "holds a plain value where a table belongs"),
    ],
)
def test_what_cannot_be_read_is_unclear(path: str, text: str, reason: str) -> None:
    for edit in (compare(path, text, ""), compare(path, None, text)):
        assert edit.unclear is not None
        assert edit.unclear.startswith(f"{path} {reason}")
        assert edit.distributions == ()
    assert compare(path, text, text) == DependencyEdit((), None)


def test_a_deep_value_is_unclear_whether_this_python_can_compare_it_or_not() -> None:
    text = ".".join(["a"] * 3_000) + " = 1"
    edit = compare("uv.lock", text, "")
    assert edit.distributions == ()
    assert edit.unclear in ("uv.lock holds a value too large to compare", "uv.lock: a changed")


@pytest.mark.parametrize(
    "line",
    [
        "a==" + "9" * 6_000,
        "a; " + "(" * 20_000 + "python_version>'3'" + ")" * 20_000,
        " " * 200_000 + "x y",
        "a" + " " * 200_000 + "!",
        "\\",
        "a @",
        r"a; python_version > '\8'",
        "-e",
        "--",
        "\ud800",
        "[[package]]",
    ],
)
def test_a_hostile_line_is_a_change_and_no_error(line: str) -> None:
    edit = compare("requirements.txt", "click\n", f"click\n{line}\nflask\n")
    assert "flask" in edit.distributions or edit.unclear
    assert "click" not in edit.distributions


def test_wrong_types_inside_an_entry_are_compared_all_the_same() -> None:
    entry = "[[package]]\nname = 'a'\nversion = {}\nsource = {}\nsdist = {{url = {}, hash = {}}}"
    before = entry.format("[1]", "3", "2", "[1979-05-27]")
    assert compare("uv.lock", before, entry.format("[2]", "3", "2", "[1979-05-27]")) == (
        DependencyEdit(("a",), None)
    )
    assert compare("uv.lock", before, entry.format("[1]", "3", "2", "[1979-05-28]")) == (
        DependencyEdit(("a",), None)
    )
