"""Describes a collected item to the selection, in its own terms."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from pytest_ciopt.adapters.paths import place_of, root_of
from pytest_ciopt.core.nodeids import fixture_id, repository_id
from pytest_ciopt.core.selection import Collected
from pytest_ciopt.core.testfiles import CONFTEST
from pytest_ciopt.hooks.examples import is_example


class Describer:
    """Turns items into `Collected` values. Paths are resolved once per file."""

    def __init__(self, top: Path, rootpath: Path) -> None:
        self._top, self._rootpath = top, rootpath
        self._root = root_of(rootpath, top)
        self._places: dict[str, str | None] = {}

    def place(self, path: str | Path) -> str | None:
        """Repository-relative POSIX path; None outside. A symlink keeps its own name."""
        text = str(path)
        if text not in self._places:
            self._places[text] = place_of(text, self._top)
        return self._places[text]

    def describe(self, item: pytest.Item) -> Collected:
        """The facts on which the selection decides."""
        path = self.place(item.path)
        if not isinstance(item, pytest.Function):
            facts = Collected(path, (), function=False, always=_always(item), id=self._id(item))
            return facts._replace(example=is_example(item))
        names, inherited = self._names(item)
        return Collected(
            path=path,
            names=names,
            inherited=inherited,
            fixtures=frozenset(self._fixtures(item)),
            fixture_names=frozenset(item.fixturenames),
            asks_for_fixtures="request" in item.fixturenames,
            always=_always(item),
            id=self._id(item),
        )

    def shared_fixtures(self, item: pytest.Item) -> Iterator[str]:
        """Ids of the fixtures of wider scope that a test asks for, as the history has them."""
        if isinstance(item, pytest.Function):
            for name, definitions in item._fixtureinfo.name2fixturedefs.items():
                for one in definitions:
                    if one.scope != "function":
                        yield repository_id(self._root, fixture_id(one.baseid, one.scope, name))

    def _id(self, item: pytest.Item) -> str:
        """The node id, from the top of the repository."""
        return repository_id(self._root, item.nodeid)

    def _names(self, item: pytest.Function) -> tuple[tuple[str, ...], bool]:
        """Qualified names of the test function in the item's own file, one per class."""
        name = item.originalname
        if item.cls is None:
            return (name,), False
        here = [cls for cls in item.cls.__mro__ if self._is_here(cls, item.path)]
        inherited = not any(name in vars(cls) for cls in here) and hasattr(item.cls, name)
        scopes = {cls.__qualname__: None for cls in here}
        if here and isinstance(item.parent, pytest.Class):
            scopes.setdefault(item.parent.name)  # a class may go by another name than its own
        return tuple(f"{scope}.{name}" for scope in scopes), inherited

    def _is_here(self, cls: type, path: Path) -> bool:
        module = inspect.getmodule(cls)
        file = getattr(module, "__file__", None)
        return file is not None and self.place(file) == self.place(path)

    def _fixtures(self, item: pytest.Function) -> Iterator[tuple[str, str]]:
        """(folder of the conftest, name) of each fixture definition that the item uses."""
        for name, definitions in item._fixtureinfo.name2fixturedefs.items():
            for definition in reversed(definitions):
                yield from ((folder, name) for folder in self._folders(definition))
                if not _asks_for(name, definition, item._fixtureinfo.name2fixturedefs):
                    break  # it overrides the others without using them

    def _folders(self, definition: pytest.FixtureDef[object]) -> Iterator[str]:
        """Where a conftest fixture is defined: by its function, and by where pytest found it."""
        code = getattr(inspect.unwrap(definition.func), "__code__", None)
        if code is not None and (path := self.place(code.co_filename)) is not None:
            folder, _, file = path.rpartition("/")
            if file == CONFTEST:
                yield folder
        place = self.place(self._rootpath / definition.baseid / CONFTEST)
        if place is not None:
            yield place.rpartition("/")[0]


def _asks_for(
    name: str,
    definition: pytest.FixtureDef[object],
    known: Mapping[str, Sequence[pytest.FixtureDef[object]]],
) -> bool:
    """Whether a fixture asks for `name`, itself or through others: then one that it overrides."""
    waiting, seen = [definition], {id(definition)}
    while waiting:
        for argument in waiting.pop().argnames:
            if argument == name:
                return True
            fresh = [other for other in known.get(argument, ()) if id(other) not in seen]
            seen.update(map(id, fresh))
            waiting.extend(fresh)
    return False


def _always(item: pytest.Item) -> str | None:
    if item.get_closest_marker("ciopt_always") is not None:
        return "always: marked ciopt_always"
    said = item.ihook.pytest_ciopt_always(item=item)
    if not said:
        return None
    return f"always: {said}" if isinstance(said, str) else "always: pytest_ciopt_always"
