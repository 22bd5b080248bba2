"""What a search for dependents is told of a repository, and what it finds. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from pytest_ciopt.core.graph.commands import Command
from pytest_ciopt.core.graph.data_names import DataNames
from pytest_ciopt.core.naming import ancestors, folder_of
from pytest_ciopt.settings import Discovery


class Link(NamedTuple):
    """Why a file is reached: from which file, and how that one is loaded."""

    via: str | None
    """None for what the change itself names."""
    how: str
    """E.g. `imports pkg.mod`, `changed`."""


class EntryPoints(NamedTuple):
    """What one project registers for others to load."""

    groups: tuple[bytes, ...]
    modules: frozenset[str]
    """Import names."""


class Layout(NamedTuple):
    """What the search must know of a repository beside its imports."""

    packages: frozenset[str]
    """Folders with an `__init__.py`, those that the change removed included, from which nothing is
    imported by its bare name."""
    top: str = ""
    """Name of the folder of the checkout."""
    loaders: tuple[tuple[str, frozenset[str]], ...] = ()
    """Files that load entry points, with the import names of those."""
    commands: tuple[Command, ...] = ()
    """Console scripts of the project."""
    tests: Discovery = Discovery()
    """How tests are found. Where doctests of modules are collected, their imports count too."""
    data: tuple[DataNames, ...] = ()
    """Data that names modules: reached with them, and followed no further."""
    settings: tuple[str, ...] = ()
    """Files that every run loads as settings of Django, sorted."""
    suspects: frozenset[str] = frozenset()
    """Other folders with an `__init__.py`, which may be on the search path themselves: a file that
    changes it lies in them, or mentions them."""


class Reached:
    """The result of a search."""

    __slots__ = ("doctests", "files", "scopes")

    def __init__(self) -> None:
        self.files: dict[str, Link] = {}
        """Files that load something changed."""
        self.scopes: dict[str, Link] = {}
        """Folders whose conftest is reached: whatever is collected below runs."""
        self.doctests: dict[str, Link] = {}
        """Files of which only the doctests load something changed."""


def scope_of(path: str, scopes: Mapping[str, Link]) -> Link | None:
    """The nearest reached conftest above a file."""
    if not scopes:
        return None
    return next((scopes[f] for f in ancestors(folder_of(path)) if f in scopes), None)
