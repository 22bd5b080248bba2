"""Who sees the docstring of a function or class. Pure.

Whoever only calls a function sees nothing of its docstring. Those do who are given the function as
a value, or ask for its `__doc__`; and of a class, those who are given one of its objects.
"""

from collections.abc import Iterator
from functools import cached_property

from pytest_ciopt.core.edits.definitions import Definition, Kind
from pytest_ciopt.core.edits.mentions import Mentions as Named
from pytest_ciopt.core.proof.keepers import Keepers
from pytest_ciopt.core.proof.mentions import Mentions
from pytest_ciopt.core.proof.registry import Registry
from pytest_ciopt.core.proof.seen import Unit
from pytest_ciopt.core.proof.sources import Sources

_READING = frozenset(("__doc__", "getdoc", "pydoc"))
"""What code mentions that reads docstrings, as attributes or in strings."""


class Docstrings:
    """Looks in the sources as they are now."""

    def __init__(
        self, sources: Sources, mentions: Mentions, registry: Registry, keepers: Keepers
    ) -> None:
        self._sources, self._mentions = sources, mentions
        self._registry, self._keepers = registry, keepers

    def is_shown(self, path: str, definition: Definition) -> bool:
        """Whether nobody can tell who sees a function or class: pytest does, or what it is handed
        to, or what its class is handed to, when its module is imported."""
        around = self._keepers.definition((path, definition.scope)) if definition.scope else None
        return self._sources.is_collected(path) or any(
            one.foreign or (one.may_be_registered and self._tells_others(path, one))
            for one in (definition, around)
            if one is not None
        )

    def _tells_others(self, path: str, definition: Definition) -> bool:
        return self._registry.written(path, definition.name, definition) != frozenset()

    def handed_on(
        self, path: str, simple: str, *, of_class: bool
    ) -> Iterator[tuple[str, Definition | None]]:
        """Files and definitions that hand on what has a name, or read its docstring; None for code
        that runs at import. Imports that give it another name, and subclasses, are among them."""
        for user, definition in self._mentions.of(path, simple):
            takes = definition.kind in (Kind.IMPORT, Kind.CLASS) or simple in definition.renames
            if of_class or takes or _hands_on(definition.named, simple):
                yield user, definition
        for user in self._mentions.users(path, simple):
            cut = self._sources.around(user, simple)
            named = Named() if cut is None else cut.effects_named
            if simple in named.every and (of_class or _hands_on(named, simple)):
                yield user, None

    @cached_property
    def readers(self) -> frozenset[Unit]:
        """Functions that read docstrings, of whatever they are given; a module's own is none."""
        return frozenset(self._reading())

    def _reading(self) -> Iterator[Unit]:
        for word in sorted(_READING):
            for user in self._sources.naming(word):
                cut = self._sources.around(user, word)
                for one in () if cut is None else cut.definitions.values():
                    if one.kind is Kind.FUNCTION and word in one.named.loose:
                        yield user, one.name


def _hands_on(named: Named, simple: str) -> bool:
    """Whether a name stands for a value that others are given, or its docstring is read."""
    reads = simple in named.every and not named.loose.isdisjoint(_READING)
    return reads or simple in named.values or simple in named.words
