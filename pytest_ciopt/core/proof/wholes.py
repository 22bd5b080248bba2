"""Who takes a module as a whole, so that it may look up any of its names by computation. Pure.

That is `vars(settings)`, `getattr(settings, name)`, or the module as an argument. Whoever is handed
a package may ask it for its modules.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from pytest_ciopt.core.edits.definitions import EXPORTS, Definition, Kind, Module
from pytest_ciopt.core.naming import module_path
from pytest_ciopt.core.proof.mentions import Mentions
from pytest_ciopt.core.proof.sources import Sources


@dataclass(frozen=True, slots=True)
class _Name:
    """A name under which one file may know the module, or a package around it."""

    user: str
    word: str
    has_other: bool
    """Whether the file binds it to something else."""


class Wholes:
    """Looks in the files that can see what a module defines."""

    def __init__(self, sources: Sources, mentions: Mentions) -> None:
        self._sources, self._mentions = sources, mentions

    def of(self, path: str) -> Iterator[tuple[str, str, Definition | None]]:
        """Files, the name that each knows the module by, and definitions that take it; None for
        code that runs at import."""
        *packages, module = module_path(path).split("/")
        for name in filter(None, (module, *packages)):
            for user in self._mentions.users(path, name):
                near = self._sources.around(user, name) if user != path else None
                if near is not None:
                    renamed = (d.simple for d in near.definitions.values() if name in d.renames)
                    for word in (name, *renamed):
                        cut = self._sources.around(user, word)
                        if cut is not None:
                            own = self._mentions.has_its_own(cut, word)
                            known = _Name(user, word, own)
                            yield from self._taking(known, cut, packages)

    def _taking(
        self, name: _Name, cut: Module, packages: Collection[str]
    ) -> Iterator[tuple[str, str, Definition | None]]:
        at_import = Definition(
            *("", Kind.BINDING, "", "", cut.effect_mentions),
            loose=cut.effect_loose,
            values=cut.effect_values,
            parts=cut.effect_parts,
        )
        if self._takes(name, at_import, packages):
            yield name.user, name.word, None
        for definition in cut.definitions.values():
            is_code = definition.name != EXPORTS and definition.kind is not Kind.IMPORT
            if is_code and self._takes(name, definition, packages):
                yield name.user, name.word, definition

    def _takes(self, name: _Name, code: Definition, packages: Collection[str]) -> bool:
        if name.word in code.values and (not name.has_other or name.word in code.loose):
            return True
        roots = {root for root, attribute in code.parts if attribute == name.word}
        return any(self._may_be_package(name.user, root, packages) for root in roots)

    def _may_be_package(self, user: str, root: str, packages: Collection[str]) -> bool:
        """Whether a name may be a package that holds the module. What is made from a package took
        that itself."""
        cut = self._sources.around(user, root)
        definition = None if cut is None else cut.definitions.get(root)
        if definition is None:
            return True
        if definition.kind is not Kind.IMPORT:
            return False
        return any(
            word in packages for name in (root, *definition.renames) for word in name.split(".")
        )
