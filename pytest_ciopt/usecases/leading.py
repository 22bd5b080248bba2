"""Searches that go on behind data: what names a module leads to whoever may read it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import Protocol

from pytest_ciopt.core.graph.data_names import DataNames
from pytest_ciopt.core.graph.index import ImportIndex
from pytest_ciopt.core.graph.reached import Layout, Link, Reached
from pytest_ciopt.core.graph.scanner import Flag
from pytest_ciopt.core.naming import INIT, ancestors, folder_of, names
from pytest_ciopt.usecases.effects import Effect


class Search(Protocol):
    """`dependents.search`, or what answers alike."""

    def __call__(
        self,
        seeds: Mapping[str, str],
        index: ImportIndex,
        layout: Layout,
        narrowed: Mapping[str, bool],
        *,
        reasons: bool,
    ) -> Reached:
        """As `dependents.search`."""
        ...


class Leads:
    """The dependents of files in one repository."""

    def __init__(
        self,
        search: Search,
        index: ImportIndex,
        layout: Layout,
        of_readers: Callable[[str], Effect],
    ) -> None:
        """`of_readers` tells whom it concerns what a file of data names. It is asked often."""
        self._search, self._index, self._layout = search, index, layout
        self._of_readers = of_readers
        self._named: dict[str, bool] = {}

    def search(
        self,
        seeds: Mapping[str, str],
        narrowed: Mapping[str, bool] = MappingProxyType({}),
        *,
        reasons: bool = True,
    ) -> Reached:
        """As `dependents.search`; no data is among the files."""
        seeds, read = dict(seeds), set[str]()
        scopes: dict[str, Link] = {}
        while True:
            found = self._search(seeds, self._index, self._layout, narrowed, reasons=reasons)
            data = {one.path: found.files.pop(one.path, None) for one in self._layout.data}
            new = {path: link for path, link in data.items() if link and path not in read}
            read |= new.keys()
            more: dict[str, str] = {}
            for path, link in new.items():
                why = f"may read {path}, which {link.how} ({link.via})"
                effect = self._of_readers(path)
                more |= dict.fromkeys(effect.seeds.keys() - found.files.keys(), why)
                if effect.everything is not None:
                    scopes.setdefault("", Link(None, f"every test {why}"))
            if not more:
                found.scopes |= scopes
                return found
            seeds |= more

    def is_named(self, path: str) -> bool:
        """Whether a string or data names a module, or a package around it: somebody may load it
        then, and use whatever he likes of it."""
        if path not in self._named:
            self._named[path] = any(self._naming(path))
        return self._named[path]

    def _naming(self, path: str) -> Iterator[bool]:
        packages, top = self._layout.packages, self._layout.top
        own = names(path, packages, top)
        around = [
            name
            for folder in ancestors(folder_of(path))
            if folder in packages
            for name in names(f"{folder}/{INIT}", packages, top)
            if name[:1] != "/"
        ]
        for name in (*own, *around):
            yield bool(self._index.importers("*" + name))
        for data in self._data:
            yield any(map(data.leads_to, own)) or not {*data.names}.isdisjoint(around)
        for file in self._index.importers(Flag.LOADS_BELOW):
            yield path.startswith(f"{folder_of(file)}/")

    @cached_property
    def _data(self) -> Sequence[DataNames]:
        """Data that names modules to somebody."""
        effects = ((one, self._of_readers(one.path)) for one in self._layout.data)
        return [one for one, effect in effects if effect.seeds or effect.everything is not None]
