"""What the project itself registers, from its build configuration: entry points and commands.

Reads the tables of `pyproject.toml` and `setup.cfg` by their shape (`name = "module:attribute"`)
instead of parsing them: a module too many costs precision only, and builds differ in where they
keep the tables.
"""

import re
from collections.abc import Iterable
from pathlib import Path

from pytest_ciopt.core.graph.commands import Command
from pytest_ciopt.core.graph.reached import EntryPoints

FILES = ("pyproject.toml", "setup.cfg", "setup.py")
"""How the paths of build configurations end."""
_REFERENCE = re.compile(rb"=[ \t]*['\"]?([A-Za-z_][\w.]*)")
_PLUGIN_TABLE = re.compile(
    rb"pytest11['\"]?\s*[\]:=,]?\s*((?:[^\[\]{}()]|[\[{(](?=\s*['\"\w])){0,1000})"
)
"""What follows the name of the group, up to the end of its table or list."""
_GROUP = re.compile(
    rb"(?:entry-points|plugins)['\"]?\s*\.\s*['\"]?([\w.-]+)['\"]?\s*\]"  # of pyproject.toml
    rb"|['\"]?([\w.-]+)['\"]?\s*=\s*(?:[\[{(]|$)"  # an inline table, a group of setup.cfg
    rb"|['\"]([\w.-]+)['\"]\s*[:,]"  # a dictionary or pair of setup.py
    rb"|^\s*\[([\w.-]+)\]",  # a text in setup.py
    re.MULTILINE,
)
_DECLARED = re.compile(rb"entry[-_]points|\bplugins\.")
_COMMAND = re.compile(
    rb"(?<![\w.%\x80-\xff-])([\w.\x80-\xff-]++)['\"]?[ \t]*+=[ \t]*+"
    rb"(?:\{[^{}]{0,300}?(?:reference|callable)['\"]?[ \t]*+=[ \t]*+)?"  # of Poetry
    rb"['\"]?([A-Za-z_][\w.]*+)[ \t]*+:[ \t]*+[A-Za-z_]"
)
"""`name = module:function`."""
_TABLE = 2_000
"""Bytes after the word in which its groups are looked for."""
_LOADED_BY_OTHERS = frozenset((b"", b"console_scripts", b"gui_scripts", b"pytest11"))


def contents(top: Path, files: Iterable[str]) -> tuple[bytes, ...]:
    """Of all build configurations among files of the repository."""
    found = []
    for path in files:
        if path.endswith(FILES):
            try:
                found.append((top / path).read_bytes())
            except OSError:
                continue
    return tuple(found)


def declared(configuration: Iterable[bytes]) -> tuple[EntryPoints, ...]:
    """Entry points of each configuration that has any in a group of its own."""
    found = []
    for content in configuration:
        if b"entry" not in content and b"plugins." not in content:
            continue  # sooner told than searched for
        tables = [
            content[start.start() : start.start() + _TABLE] for start in _DECLARED.finditer(content)
        ]
        groups = {name for table in tables for names in _GROUP.findall(table) for name in names}
        groups -= _LOADED_BY_OTHERS
        if groups:
            modules = {name for table in tables for name in _REFERENCE.findall(table)}
            found.append(EntryPoints(tuple(sorted(groups)), frozenset(map(bytes.decode, modules))))
    return tuple(found)


def plugins(configuration: Iterable[bytes]) -> tuple[str, ...]:
    """Import names that the project registers as pytest plugins, sorted."""
    found = set[bytes]()
    for content in configuration:
        for table in _PLUGIN_TABLE.findall(content) if b"pytest11" in content else ():
            found.update(_REFERENCE.findall(table))
    return tuple(sorted(name.decode("ascii") for name in found))


def commands(configuration: Iterable[bytes]) -> tuple[Command, ...]:
    """Console scripts of all configurations, sorted."""
    found: dict[bytes, set[bytes]] = {}
    for content in configuration:
        for name, module in _COMMAND.findall(content) if b"scripts" in content else ():
            found.setdefault(name.rpartition(b"scripts.")[2], set()).add(module)
    return tuple(
        Command(name.decode("utf-8", "surrogateescape"), tuple(map(bytes.decode, sorted(modules))))
        for name, modules in sorted(found.items())
    )
