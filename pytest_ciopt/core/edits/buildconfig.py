"""Configuration files compared table by table: what a change of one can alter.

This room tells parts that steer every test (pytest's options, the build, a project's name) from
dependencies, which concern the tests that import them, and from what no test run reads (linters,
descriptions). It gets texts and returns values; it may not touch files, and it never raises for
bad input: a part that nobody knows, or a text that cannot be parsed, alters everything.
"""

from __future__ import annotations

import configparser
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from pytest_ciopt.core.edits.requirements import (
    Dependency,
    Setting,
    Unreadable,
    canonical,
    distribution_name,
    parse_dependency,
    printable,
    table,
    toml_table,
    unparsed,
)

# Files that make their folder pytest's rootdir, even empty ones.
_ROOTDIR_FILES = frozenset({
    "pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml", "pyproject.toml",
})  # fmt: skip

_EXISTENCE = "(added or deleted)"

# What describes a project to people: https://packaging.python.org/en/latest/specifications/
# pyproject-toml/, Poetry's own spelling, and setuptools' keys of [metadata].
_DESCRIPTION = frozenset({
    "description", "readme", "authors", "maintainers", "license", "license-files", "keywords",
    "classifiers", "urls", "homepage", "repository", "documentation",
})  # fmt: skip
_METADATA = frozenset({
    "description", "description_file", "long_description", "long_description_content_type",
    "author", "author_email", "maintainer", "maintainer_email", "license", "licence",
    "license_file", "license_files", "classifier", "classifiers", "keywords", "url",
    "home_page", "project_urls", "download_url",
})  # fmt: skip

# The first words of [tool] tables that build the project, choose its environment or configure
# pytest and its plugins (pytest_env reads [tool.pytest_env]).
_STEERING = frozenset({
    "pytest", "tox", "setuptools", "hatch", "poetry", "pdm", "flit", "maturin", "scikit",
    "meson", "uv", "sip", "versioneer", "versioningit", "pixi", "rye", "conda",
})  # fmt: skip

_LINTERS = frozenset({
    "flake8", "mypy", "isort", "pycodestyle", "pep8", "pep257", "pyflakes",
    "bdist_wheel", "codespell", "doc8", "pydocstyle", "yapf", "black", "ruff", "autopep8",
    "autoflake", "bandit", "vulture", "pyright", "darglint", "interrogate", "check-manifest",
    "zest.releaser",
})  # fmt: skip
_LINTER_FAMILIES = ("flake8:", "mypy-", "mypy.", "pylint", "coverage:", "bumpversion", "isort:")

# Sections whose presence means nothing, and those of their options that name distributions.
_SETUP_TABLES = frozenset({"metadata", "options", "options.extras_require"})
_SETUP_DEPENDENCIES = frozenset({"[options] install_requires", "[options] tests_require"})

_COMMENT = re.compile(r"(?<!\\)#.*")

_Fact = Dependency | Setting
_Reader = Callable[[str, object], Iterator[_Fact]]


@dataclass(frozen=True, slots=True)
class ConfigEdit:
    """What a change of one configuration file means.

    ``everything``: the part that alters all tests, or None. ``distributions``: PEP 503 names,
    sorted, of the dependencies whose specifiers differ.
    """

    everything: str | None
    distributions: tuple[str, ...]
    of_pytest: str | None = None
    """The part that configures pytest, and with it us."""


def is_build_config(path: str) -> bool:
    """Tell whether a repository-relative POSIX path is a file of this room, in any folder."""
    return path.rpartition("/")[2] in _READERS


def compare(path: str, before: str | None, after: str | None) -> ConfigEdit:
    """Compare two texts of the configuration file at ``path``; an absent one (None) is empty.

    Of several parts that differ, ``everything`` names the first in alphabetical order.
    """
    if before == after:
        return ConfigEdit(None, ())
    try:
        edits = _read(path, before) ^ _read(path, after)
    except Unreadable as error:
        return ConfigEdit(f"{path} {error}", ())
    settings = (fact.label for fact in edits if isinstance(fact, Setting))
    labels = sorted(map(printable, settings), key=lambda label: (label == _EXISTENCE, label))
    names = {fact.name for fact in edits if isinstance(fact, Dependency)}
    everything = f"{path} {labels[0]}".rstrip() if labels else None
    own = next((f"{path} {label}" for label in labels if "pytest" in label), None)
    return ConfigEdit(everything, tuple(sorted(names)), own)


def _read(path: str, text: str | None) -> frozenset[_Fact]:
    if text is None:
        return frozenset()
    name = path.rpartition("/")[2]
    facts = frozenset(_READERS.get(name, _whole)(text))
    return facts | {Setting(_EXISTENCE, "")} if name in _ROOTDIR_FILES else facts


def _pyproject(text: str) -> Iterator[_Fact]:
    document = toml_table(text)
    for key, value in document.items():
        if key == "project":
            yield from _project(table(value))
        elif key == "tool":
            yield from _tools(table(value), _backend(document.get("build-system")))
        elif key == "dependency-groups":
            yield from _lists("[dependency-groups]", value)
        else:
            yield Setting(f"[{key}]", canonical(value))


def _project(project: Mapping[str, object]) -> Iterator[_Fact]:
    for key, value in project.items():
        if key == "dependencies":
            yield from _listed("[project] dependencies", value)
        elif key == "optional-dependencies":
            yield from _lists("[project.optional-dependencies]", value)
        elif key not in _DESCRIPTION:
            yield Setting(f"[project] {key}", canonical(value))


def _backend(build_system: object) -> str:
    named = build_system.get("build-backend") if isinstance(build_system, dict) else None
    return _dashed(re.split(r"[.:]", named)[0]) if isinstance(named, str) else ""


def _dashed(name: str) -> str:
    return name.strip().lower().replace("_", "-")


def _tools(tools: Mapping[str, object], backend: str) -> Iterator[_Fact]:
    for name, value in tools.items():
        if _dashed(name).partition("-")[0] in _STEERING or _dashed(name) == backend:
            yield from _tool(name, table(value))


def _tool(name: str, settings: Mapping[str, object]) -> Iterator[_Fact]:
    shown = f"tool.{name}"
    if name not in ("poetry", "pdm", "uv"):
        yield Setting(f"[{shown}]", "")  # an empty [tool.setuptools_scm] already does something
    for key, value in settings.items():
        reader = _DEPENDENCY_TABLES.get(f"{name}.{key}")
        inner = f"[{shown}.{key}]"
        if reader is not None:
            yield from reader(inner, value)
        elif name != "poetry" or key not in _DESCRIPTION:
            label = inner if isinstance(value, dict) else f"[{shown}] {key}"
            yield Setting(label, canonical(value))


def _listed(label: str, value: object) -> Iterator[_Fact]:
    """Read a list of PEP 508 requirements, in any order."""
    for item in value if isinstance(value, list) else [value]:
        found = parse_dependency(item) if isinstance(item, str) else None
        if found is None:
            yield Setting(label, canonical(item))
        else:
            yield Dependency(found.name, f"{label} {found.pin}")


def _lists(label: str, value: object) -> Iterator[_Fact]:
    """Read named lists of requirements: extras, groups."""
    for key, items in table(value).items():
        yield from _listed(f"{label} {key}", items)


def _named(label: str, value: object) -> Iterator[_Fact]:
    """Read a table from distributions to what is asked of them."""
    for name, asked in table(value).items():
        if name == "python":  # Poetry's way to say requires-python
            yield Setting(f"{label} python", canonical(asked))
        else:
            yield Dependency(distribution_name(name), f"{label} {canonical(asked)}")


def _groups(label: str, value: object) -> Iterator[_Fact]:
    """Read Poetry's groups: tables with ``dependencies`` and settings."""
    for group, settings in table(value).items():
        inner = f"{label[:-1]}.{group}]"
        for key, part in table(settings).items():
            if key == "dependencies":
                yield from _named(inner, part)
            else:
                yield Setting(f"{inner} {key}", canonical(part))


def _setup_cfg(text: str) -> Iterator[_Fact]:
    for fact in _ini(text):
        section, _, option = fact.label.partition("] ")
        key = option.replace("-", "_").lower()
        if section == "[options.extras_require" or fact.label in _SETUP_DEPENDENCIES:
            yield from _listed(fact.label, fact.value.splitlines())
        elif section != "[metadata" or key not in _METADATA:
            yield fact


def _ini(text: str) -> Iterator[Setting]:
    """Read all sections but linters'.

    A section also comes without an option: pytest takes a file for its own for an empty one.
    """
    parser = _IniParser(default_section="")
    try:
        parser.read_string(text.removeprefix("\ufeff"))
    except configparser.Error as error:
        raise unparsed(error) from None
    for section in filter(_alters_a_run, parser.sections()):
        if section not in _SETUP_TABLES:
            yield Setting(f"[{section}]", "")
        for option, value in parser.items(section):
            lines = (line for line in value.splitlines() if line.strip())
            yield Setting(f"[{section}] {option}", "\n".join(lines))


class _IniParser(configparser.RawConfigParser):
    def optionxform(self, optionstr: str) -> str:
        return optionstr  # pytest and tox tell Upper from lower case


def _alters_a_run(section: str) -> bool:
    name = section.lower().removeprefix("tool:")
    return name not in _LINTERS and not name.startswith(_LINTER_FAMILIES)


def _toml(text: str) -> Iterator[_Fact]:
    for key, value in toml_table(text).items():
        yield Setting(f"[{key}]", canonical(value))


def _manifest_in(text: str) -> Iterator[_Fact]:
    commands = (" ".join(_COMMENT.sub("", line).split()) for line in text.splitlines())
    for at, command in enumerate(filter(None, commands)):  # a later command undoes earlier ones
        yield Setting("", f"{at} {command}")


def _whole(text: str) -> Iterator[_Fact]:
    yield Setting("", text)


_DEPENDENCY_TABLES: Mapping[str, _Reader] = {
    "poetry.dependencies": _named,
    "poetry.dev-dependencies": _named,
    "poetry.group": _groups,
    "pdm.dev-dependencies": _lists,
    "uv.dev-dependencies": _listed,
    "uv.sources": _named,
}
_READERS: Mapping[str, Callable[[str], Iterator[_Fact]]] = {
    "pyproject.toml": _pyproject,
    "setup.cfg": _setup_cfg,
    "tox.ini": _ini,
    "pytest.ini": _ini,
    ".pytest.ini": _ini,
    "pytest.toml": _toml,
    ".pytest.toml": _toml,
    "MANIFEST.in": _manifest_in,
}
