"""Who loads a file of a small tree, as the import graph sees it: scan, index and search joined."""

from collections.abc import Iterable, Mapping
from typing import Any

from pytest_ciopt.core.graph.commands import Command, Names
from pytest_ciopt.core.graph.dependents import search
from pytest_ciopt.core.graph.index import ImportIndex, layer
from pytest_ciopt.core.graph.reached import Layout, Reached
from pytest_ciopt.core.graph.scanner import scan
from pytest_ciopt.core.naming import INIT, folder_of

Sources = Mapping[str, str | bytes]


def indexed(sources: Sources, commands: Iterable[Command] = ()) -> ImportIndex:
    """An index of sources by path; nothing of it comes from a cache."""
    names = Names(command.name for command in commands)
    scanned = {
        path: scan(text.encode() if isinstance(text, str) else text, folder_of(path), names)
        for path, text in sources.items()
    }
    return ImportIndex(sorted(scanned), layer({}), frozenset(), layer(scanned))


def laid_out(sources: Sources, **more: Any) -> Layout:
    """The layout of a tree whose packages are the folders with an `__init__.py`."""
    packages = {folder_of(path) for path in sources if path.rpartition("/")[2] == INIT}
    return Layout(packages=frozenset(packages), **more)


def reached(changed: str, sources: Sources, **more: Any) -> Reached:
    """What a change of one file reaches."""
    index = indexed(sources, more.get("commands", ()))
    return search({changed: "changed"}, index, laid_out(sources, **more))


def loading(changed: str, sources: Sources, **more: Any) -> set[str]:
    """The files that load `changed`, without itself."""
    return set(reached(changed, sources, **more).files) - {changed}
