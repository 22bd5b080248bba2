"""Reads pytest's configuration file without pytest, for the command line.

Finds the file as pytest does: the first of pytest.toml, .pytest.toml, pytest.ini, .pytest.ini,
pyproject.toml, tox.ini, setup.cfg that has a section for pytest, from a folder upwards.
**Source:** pytest's reference, "Initialization: determining rootdir and configfile".
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from pytest_ciopt.adapters.environment import variable
from pytest_ciopt.errors import ConfigurationError


class PytestConfig(NamedTuple):
    """The options of one configuration file."""

    rootdir: Path
    options: Mapping[str, object]

    def text(self, name: str) -> str:
        """An option as one line, "" when it is not set."""
        value = self.options.get(name, "")
        return value.strip() if isinstance(value, str) else str(value).lower()

    def lines(self, name: str) -> list[str]:
        """An option of one entry a line."""
        value = self.options.get(name, "")
        entries = value if isinstance(value, list) else str(value).splitlines()
        return [line for entry in entries if (line := str(entry).strip())]

    def words(self, name: str) -> list[str]:
        """An option of several words, as a shell would split them."""
        value = self.options.get(name, "")
        if isinstance(value, list):
            return list(map(str, value))
        return _split(str(value), name)


def find(folder: Path, top: Path) -> PytestConfig:
    """The configuration that a run in `folder` would use; none is looked for above `top`.

    Raises: ConfigurationError for a file that cannot be parsed.
    """
    for current in (folder, *folder.parents):
        for name, read in _READERS:
            path = current / name
            if path.is_file() and (options := _options(path, read)) is not None:
                return PytestConfig(current, options)
        if current == top:
            break
    return PytestConfig(folder, {})


def _options(
    path: Path, read: Callable[[str], Mapping[str, object] | None]
) -> Mapping[str, object] | None:
    try:
        return read(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from error


def _pyproject(text: str) -> Mapping[str, object] | None:
    if "pytest" not in text:
        return None  # most have no such table, and parsing takes longer than everything else
    tool = _table(_toml(text), "tool")
    pytest = _table(tool, "pytest")
    return _table(pytest, "ini_options") or pytest or None


def _pytest_toml(text: str) -> Mapping[str, object] | None:
    return _table(_toml(text), "pytest")


def _toml(text: str) -> Mapping[str, object]:
    import tomllib  # slow to import

    return tomllib.loads(text)


def _table(parent: Mapping[str, object], name: str) -> Mapping[str, object]:
    found = parent.get(name)
    return found if isinstance(found, dict) else {}


def _ini(
    section: str, default: Mapping[str, object] | None
) -> Callable[[str], Mapping[str, object] | None]:
    def read(text: str) -> Mapping[str, object] | None:
        import configparser  # slow to import

        parser = configparser.RawConfigParser(strict=False, inline_comment_prefixes=None)
        try:
            parser.read_string(text)
        except configparser.Error as error:
            raise ValueError(str(error)) from error
        return dict(parser[section]) if section in parser else default

    return read


_READERS = (
    ("pytest.toml", _pytest_toml),
    (".pytest.toml", _pytest_toml),
    ("pytest.ini", _ini("pytest", {})),
    (".pytest.ini", _ini("pytest", {})),
    ("pyproject.toml", _pyproject),
    ("tox.ini", _ini("pytest", None)),
    ("setup.cfg", _ini("tool:pytest", None)),
)


def words_of_environment() -> list[str]:
    """The options in `PYTEST_ADDOPTS`. Raises: ConfigurationError when they cannot be split."""
    return _split(variable("PYTEST_ADDOPTS") or "", "PYTEST_ADDOPTS")


def _split(value: str, name: str) -> list[str]:
    if not value:
        return []
    import shlex  # slow to import

    try:
        return shlex.split(value)
    except ValueError as error:
        raise ConfigurationError(f"{name} is {value!r}: {error}") from error


def values(words: Sequence[str], option: str) -> Iterator[str]:
    """What a long option is set to, as `--option=value` or in two words."""
    for word, following in pairwise([*words, ""]):
        name, separator, value = word.partition("=")
        if name == option:
            yield value if separator else following


def plugins(words: Sequence[str]) -> Iterator[str]:
    """Modules that `-p` options load."""
    for word, following in pairwise([*words, ""]):
        name = following if word == "-p" else word[2:] if word.startswith("-p") else ""
        if name and not name.startswith("no:"):
            yield name
