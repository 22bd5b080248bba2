from collections.abc import Mapping
from pathlib import Path

import pytest

from pytest_ciopt.adapters.pytest_config import PytestConfig, find, plugins
from pytest_ciopt.errors import CioptError, ConfigurationError

INI = "[pytest]\naddopts = -q\n"
TOML = '[tool.pytest.ini_options]\naddopts = "-q"\n'


def write(top: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def option(top: Path, folder: str = "", name: str = "addopts") -> str:
    return find(top / folder, top).text(name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pytest.toml", '[pytest]\naddopts = "-q"'),
        (".pytest.toml", '[pytest]\naddopts = "-q"'),
        ("pytest.ini", INI),
        (".pytest.ini", INI),
        ("pyproject.toml", TOML),
        ("pyproject.toml", '[tool.pytest]\naddopts = "-q"'),
        ("pyproject.toml", '[tool]\npytest.ini_options.addopts = "-q"'),
        ("pyproject.toml", '[ tool.pytest.ini_options ]\naddopts = "-q"'),
        ("pyproject.toml", '[tool."pytest".ini_options]\naddopts = "-q"'),
        ("pyproject.toml", 'tool.pytest.ini_options.addopts = "-q"'),
        ("tox.ini", INI),
        ("setup.cfg", "[tool:pytest]\naddopts = -q\n"),
    ],
)
def test_files_that_configure_pytest(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, {name: text})
    assert option(tmp_path) == "-q"
    assert option(tmp_path, "a/b") == "-q"
    assert find(tmp_path / "a", tmp_path).rootdir == tmp_path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[project]\nname = "x"\n'),
        ("pyproject.toml", '[tool.ruff]\nx = "[tool.pytest"\n'),
        ("tox.ini", "[tox]\n"),
        ("tox.ini", "[tool:pytest]\naddopts = -q\n"),
        ("setup.cfg", "[metadata]\nname = x\n"),
        ("setup.cfg", INI),
        ("other.ini", INI),
    ],
)
def test_files_without_a_section_are_passed_over(tmp_path: Path, name: str, text: str) -> None:
    write(tmp_path, {f"a/{name}": text, "pytest.ini": "[pytest]\naddopts = -x\n"})
    assert option(tmp_path, "a") == "-x"
    assert find(tmp_path / "a", tmp_path).rootdir == tmp_path


@pytest.mark.parametrize("name", ["pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml"])
def test_pytests_own_files_count_even_when_empty(tmp_path: Path, name: str) -> None:
    write(tmp_path, {f"a/{name}": "", "a/tox.ini": INI, "pytest.ini": INI})
    found = find(tmp_path / "a", tmp_path)
    assert (found.rootdir, dict(found.options)) == (tmp_path / "a", {})


def test_an_empty_section_counts(tmp_path: Path) -> None:
    write(tmp_path, {"a/pyproject.toml": "[tool.pytest.ini_options]\n", "pytest.ini": INI})
    assert find(tmp_path / "a", tmp_path).rootdir == tmp_path / "a"
    assert option(tmp_path, "a") == ""


def test_the_order_of_files_is_pytests(tmp_path: Path) -> None:
    files = {
        "pytest.toml": '[pytest]\naddopts = "1"',
        ".pytest.toml": '[pytest]\naddopts = "2"',
        "pytest.ini": "[pytest]\naddopts = 3",
        ".pytest.ini": "[pytest]\naddopts = 4",
        "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "5"',
        "tox.ini": "[pytest]\naddopts = 6",
        "setup.cfg": "[tool:pytest]\naddopts = 7",
    }
    write(tmp_path, files)
    for number, name in enumerate(files, 1):
        assert option(tmp_path) == str(number)
        (tmp_path / name).unlink()
    assert option(tmp_path) == ""


def test_the_nearest_folder_wins_and_none_above_the_top_counts(tmp_path: Path) -> None:
    write(tmp_path, {"pytest.ini": INI, "top/x": "", "top/a/tox.ini": "[pytest]\naddopts = -v\n"})
    assert option(tmp_path, "top/a/b") == "-v"
    top = tmp_path / "top"
    found = find(top / "x", top)
    assert (found.rootdir, dict(found.options)) == (top / "x", {})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pytest.ini", b"addopts = -q\n"),
        ("pytest.ini", b"[pytest\n"),
        ("pytest.ini", b"[pytest]\n\xff\n"),
        ("tox.ini", b"[pytest]\n  = x\n[[]\n  y"),
        ("pyproject.toml", b"[tool.pytest.ini_options]\naddopts = \n"),
        ("pyproject.toml", b"[tool.pytest\n"),
        ("pytest.toml", b"= 1"),
    ],
)
def test_what_cannot_be_parsed_is_told_with_its_path(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        find(tmp_path, tmp_path)
    assert str(tmp_path / name) in caught.value.what


def test_percent_signs_and_comments_are_kept_as_pytest_keeps_them(tmp_path: Path) -> None:
    write(tmp_path, {"pytest.ini": "[pytest]\nlog = %(x)s\naddopts = -k 'a;b'  # c\n; d\n"})
    assert option(tmp_path, name="log") == "%(x)s"
    assert option(tmp_path) == "-k 'a;b'  # c"


def test_a_folder_with_such_a_name_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").mkdir()
    write(tmp_path, {"tox.ini": INI})
    assert option(tmp_path) == "-q"


CONFIG = PytestConfig(
    Path(),
    {
        "text": "  a b \n",
        "lines": "\n a\n\n  b c \n# d\n",
        "list": ["a b", " c ", "", 7],
        "words": "-p x 'y z' --k=\"v w\"",
        "true": True,
        "number": 7,
    },
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("text", "a b"), ("missing", ""), ("true", "true"), ("number", "7")],
)
def test_an_option_as_text(name: str, expected: str) -> None:
    assert CONFIG.text(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("lines", ["a", "b c", "# d"]),
        ("list", ["a b", "c", "7"]),
        ("missing", []),
        ("text", ["a b"]),
    ],
)
def test_an_option_as_lines(name: str, expected: list[str]) -> None:
    assert CONFIG.lines(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("words", ["-p", "x", "y z", "--k=v w"]),
        ("list", ["a b", " c ", "", "7"]),
        ("missing", []),
        ("text", ["a", "b"]),
    ],
)
def test_an_option_as_words(name: str, expected: list[str]) -> None:
    assert CONFIG.words(name) == expected


def test_unbalanced_quotes_are_an_error_for_people() -> None:
    with pytest.raises(CioptError):
        PytestConfig(Path(), {"addopts": "-k 'a"}).words("addopts")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], []),
        (["-p", "a.b"], ["a.b"]),
        (["-pa.b", "-p", "c"], ["a.b", "c"]),
        (["-p", "no:a", "-pno:b", "-p", "c"], ["c"]),
        (["-q", "-p"], []),
        (["--plugin", "a", "p", "-k", "x"], []),
        (["-p", "a", "-p", "a"], ["a", "a"]),
    ],
)
def test_plugins_of_the_command_line(words: list[str], expected: list[str]) -> None:
    assert list(plugins(words)) == expected
