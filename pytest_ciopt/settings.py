"""What the user asked for, checked and frozen. Reads nothing: values come in as text.

Flags, environment variables and ini options arrive already merged (flag, environment, ini,
default, in this order); see `docs/reference/options.md`.
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

from pytest_ciopt.errors import ConfigurationError

_TRUE = frozenset(("1", "true", "yes", "on"))
_NAME = re.compile(r"[A-Za-z0-9_*?\[\]!-]+", re.ASCII)
"""Of variables that are to be watched."""
_FALSE = frozenset(("", "0", "false", "no", "off"))


class Rules(NamedTuple):
    """What the project says about files that are no Python modules, or loaded dynamically."""

    run_all: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    dependencies: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(glob of changed files, targets): a target is a glob of files or a dotted module name."""


class Command(NamedTuple):
    """What pytest was asked for."""

    typed: tuple[str, ...]
    """The words of the command line, behind those of PYTEST_ADDOPTS."""
    configured: tuple[str, ...] = ()
    """Those of `addopts` in the configuration file."""
    places: tuple[str, ...] = ()
    """Where it was started, pytest's rootdir and its configuration file, if it has one."""
    discovery: tuple[str, ...] = ()
    """Values of the configuration by which tests are found."""
    plugins: tuple[str, ...] = ()
    """Of what plugins are that a program handed to `pytest.main`."""


class Job(NamedTuple):
    """A job of a CI service: its command, its interpreter and all that is installed there."""

    digest: str | None = None
    """None where it cannot be known again, and elsewhere."""
    odd: str | None = None
    """The option with which two runs cannot be compared, or why nobody knows what ran."""


class Settings(NamedTuple):
    """Everything that a selection depends on beside the repository."""

    typed_base: str | None = None
    configured_base: str | None = None
    configured_by: str = "ciopt_base"
    rules: Rules = Rules()
    state_dir: str | None = None
    """Where `.ciopt` lies instead of the top of the repository; relative to it."""
    strict: bool = False
    by_name: bool = True
    """Whether changes outside of function bodies are followed by name, and not to everything that
    can import the module (`ciopt_safety = closure`)."""
    environment: tuple[str, ...] = ()
    """Globs of environment variables on which tests depend."""
    explain: bool = False
    json: str | None = None
    """Where the decisions are written, as an absolute path."""
    job: Job = Job()
    outputs: tuple[str, ...] = ()
    """Files that this run writes, as absolute paths: left from an earlier run they are no change
    where git does not track them."""

    places: tuple[str, ...] = ()
    """Files and folders that tests are collected from, as absolute paths; none where it is all that
    there is."""
    left_out: tuple[str, ...] = ()
    """Files and folders that are ignored all the same, as absolute paths; with globs."""


class Discovery(NamedTuple):
    """How pytest finds tests in this project."""

    files: tuple[str, ...] = ("test_*.py", "*_test.py")
    functions: tuple[str, ...] = ("test",)
    doctest_modules: bool = False
    doctest_globs: tuple[str, ...] = ("test*.txt",)
    """Globs of text files whose doctests are collected."""
    norecurse: tuple[str, ...] = (
        *("*.egg", ".*", "_darcs", "build", "CVS", "dist", "node_modules", "venv", "{arch}"),
    )
    """Globs of folder names that pytest does not look into."""
    roots: tuple[str, ...] = ()
    """Folders that pytest puts on the search path (`pythonpath`), as it was given."""
    plugins: tuple[str, ...] = ()
    """Files of the repository, and import names, that every run loads as plugins."""
    settings: tuple[str, ...] = ()
    """Import names of Django's settings."""


def boolean(value: str, name: str) -> bool:
    """Raises: ConfigurationError naming the option."""
    word = value.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ConfigurationError(f"{name} is {value!r}", "Use true or false.")
    return word in _TRUE


def watched(names: Iterable[str]) -> tuple[str, ...]:
    """Globs of environment variables. Raises: ConfigurationError."""
    found = tuple(names)
    for name in found:
        if not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"ciopt_environment names {name!r}", "Write names like APP_MODE or APP_*, no more."
            )
    return found


def by_name(value: str) -> bool:
    """Reads `ciopt_safety`. Raises: ConfigurationError for a word that it does not know."""
    word = value.strip().lower() or "exact"
    if word not in ("exact", "closure"):
        raise ConfigurationError(f"ciopt_safety is {value!r}", "Use exact or closure.")
    return word == "exact"


def rules(run_all: Iterable[str], ignore: Iterable[str], dependencies: Iterable[str]) -> Rules:
    """Reads the three rule options, one entry a line.

    Raises: ConfigurationError for a dependency without `->` or with an empty side.
    """
    return Rules(
        run_all=_lines(run_all),
        ignore=_lines(ignore),
        dependencies=tuple(map(_dependency, _lines(dependencies))),
    )


def _lines(entries: Iterable[str]) -> tuple[str, ...]:
    return tuple(line for entry in entries if (line := entry.strip()) and line[0] != "#")


def _dependency(line: str) -> tuple[str, tuple[str, ...]]:
    glob, arrow, rest = line.partition("->")
    targets = tuple(word for word in rest.replace(",", " ").split())
    if not arrow or not glob.strip() or not targets:
        raise ConfigurationError(
            f"ciopt_dependencies has the line {line!r}",
            "Write `glob -> target, target`, for example `data/*.json -> tests/test_data.py`.",
        )
    return glob.strip(), targets
