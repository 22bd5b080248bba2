"""Renders reference tables from the product's own code, so that the pages cannot drift from it.

Directives:

- `ciopt-flags`, `ciopt-ini`, `ciopt-environment`: what `hooks/options.py` adds to pytest,
- `ciopt-command NAME`: the arguments of one command, from its argparse parser; without a name the
  list of commands,
- `ciopt-patterns NAME`: a table of path patterns in `core/edits/claims.py`.

A command that no page documents is a warning, and warnings are errors.
"""

import argparse
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any, cast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

from pytest_ciopt.cli import main
from pytest_ciopt.core.edits import claims
from pytest_ciopt.hooks import options

_log = logging.getLogger(__name__)
_DOCUMENTED = "ciopt_commands"
_VARIABLE = re.compile(r"\s*\(environment: (\w+)\)")

Row = tuple[Sequence[nodes.Node], ...]


# --- what the code says --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Flag:
    """One command line option of the plugin."""

    name: str
    value: str
    """As it is written after the name, "" without one."""
    help: str


@dataclass(frozen=True, slots=True)
class Ini:
    """One option of pytest's configuration file."""

    name: str
    kind: str
    default: object
    help: str
    variable: str
    """The environment variable that goes before it, "" without one."""


@dataclass(slots=True)
class Recorder:
    """Stands in for pytest's parser and keeps what is added to it."""

    flags: list[Flag] = field(default_factory=list)
    ini: list[Ini] = field(default_factory=list)

    def getgroup(self, name: str, description: str = "") -> "Recorder":
        return self

    def addoption(self, name: str, **facts: Any) -> None:
        value = facts.get("metavar") or ""
        if value:
            value = f"[={value}]" if facts.get("nargs") == "?" else f"={value}"
        self.flags.append(Flag(name, value, facts["help"]))

    def addini(self, name: str, text: str, type: str, default: object) -> None:
        variable = _VARIABLE.search(text)
        self.ini.append(
            Ini(name, type, default, _VARIABLE.sub("", text), variable[1] if variable else "")
        )


def recorded() -> Recorder:
    recorder = Recorder()
    options.add(cast(Any, recorder))
    return recorder


def parser_of(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"ciopt {command}", add_help=False)
    import_module(f"pytest_ciopt.cli.{command}").add(parser)
    return parser


def grouped(patterns: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Patterns by what stands before their ending, in order: `docs/**/*`, [`.md`, `.rst`, …]."""
    stems: dict[str, list[str]] = {}
    for pattern in patterns:
        stem, dot, ending = pattern.rpartition(".")
        whole = not stem or stem.endswith("/") or not ending.isalnum()
        stems.setdefault(pattern if whole else stem, []).append("" if whole else dot + ending)
    yield from stems.items()


# --- how it is shown -----------------------------------------------------------------------------


def prose(text: str) -> list[nodes.Node]:
    """A sentence in which `backquotes` mark code."""
    whole = text[:1].upper() + text[1:]
    whole = whole if whole.endswith(".") else whole + "."
    parts = whole.split("`")
    return [
        nodes.literal(text=part) if position % 2 else nodes.Text(part)
        for position, part in enumerate(parts)
        if part
    ]


def code(text: str) -> list[nodes.Node]:
    return [nodes.literal(text=text)] if text else []


def table(titles: Sequence[str], widths: Sequence[int], rows: Sequence[Row]) -> nodes.table:
    group = nodes.tgroup(cols=len(titles))
    group += [nodes.colspec(colwidth=width) for width in widths]
    head = nodes.thead()
    head += line(tuple([nodes.Text(title)] for title in titles))
    body = nodes.tbody()
    body += [line(row) for row in rows]
    group += [head, body]
    whole = nodes.table(classes=["colwidths-given"])
    whole += group
    return whole


def line(cells: Row) -> nodes.row:
    row = nodes.row()
    for cell in cells:
        paragraph = nodes.paragraph()
        paragraph += list(cell)
        entry = nodes.entry()
        entry += paragraph
        row += entry
    return row


class Generated(SphinxDirective):
    """A directive whose page is read anew when the code behind it changes."""

    def reads(self, module: ModuleType) -> None:
        self.env.note_dependency(str(module.__file__))


class FlagTable(Generated):
    def run(self) -> list[nodes.Node]:
        self.reads(options)
        rows = [(code(flag.name + flag.value), prose(flag.help)) for flag in recorded().flags]
        return [table(("flag", "meaning"), (35, 65), rows)]


class IniTable(Generated):
    def run(self) -> list[nodes.Node]:
        self.reads(options)
        rows = [(code(ini.name), [nodes.Text(ini.kind)], prose(ini.help)) for ini in recorded().ini]
        return [table(("option", "kind", "meaning"), (25, 12, 63), rows)]


class EnvironmentTable(Generated):
    def run(self) -> list[nodes.Node]:
        self.reads(options)
        rows = [(code(ini.variable), code(ini.name)) for ini in recorded().ini if ini.variable]
        return [table(("variable", "goes before"), (50, 50), rows)]


class Command(Generated):
    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        self.reads(main)
        if not self.arguments:
            rows = [(code(f"ciopt {n}"), prose(text)) for n, text in main._FAMILIES.items()]
            return [table(("command", "what it does"), (30, 70), rows)]
        name = self.arguments[0]
        documented(self.env).add(name)
        self.reads(import_module(f"pytest_ciopt.cli.{name}"))
        parser = parser_of(name)
        usage = parser.format_usage().removeprefix("usage: ").strip()
        rows = [(code(shown(action)), prose(action.help or "")) for action in parser._actions]
        return [
            nodes.literal_block(text=usage, language="text"),
            *([table(("argument", "meaning"), (30, 70), rows)] if rows else []),
        ]


def shown(action: argparse.Action) -> str:
    value = action.metavar or action.dest
    if not action.option_strings:
        return str(value)
    name = ", ".join(action.option_strings)
    return name if action.nargs == 0 else f"{name} {value}"


class Patterns(Generated):
    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        self.reads(claims)
        found: tuple[str, ...] = getattr(claims, self.arguments[0])
        rows: list[Row] = []
        for stem, endings in grouped(found):
            if len(endings) == 1:
                rows.append((code(stem + endings[0]), []))
            else:
                rows.append((code(stem), list(spaced(endings))))
        return [table(("pattern", "with one of these endings"), (40, 60), rows)]


def spaced(endings: Sequence[str]) -> Iterator[nodes.Node]:
    for position, ending in enumerate(endings):
        if position:
            yield nodes.Text(", ")
        yield nodes.literal(text=ending) if ending else nodes.Text("none")


# --- Sphinx --------------------------------------------------------------------------------------


def documented(env: BuildEnvironment) -> set[str]:
    """Commands that some page documents; kept with the pages."""
    if not hasattr(env, _DOCUMENTED):
        setattr(env, _DOCUMENTED, set())
    return cast(set[str], getattr(env, _DOCUMENTED))


def check(app: Sphinx, env: BuildEnvironment) -> None:
    for name in sorted(main._FAMILIES.keys() - documented(env)):
        _log.warning("no page has the directive `ciopt-command %s`", name)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Called by Sphinx."""
    app.add_directive("ciopt-flags", FlagTable)
    app.add_directive("ciopt-ini", IniTable)
    app.add_directive("ciopt-environment", EnvironmentTable)
    app.add_directive("ciopt-command", Command)
    app.add_directive("ciopt-patterns", Patterns)
    app.connect("env-check-consistency", check)
    return {"version": "1", "env_version": 1, "parallel_read_safe": False}
