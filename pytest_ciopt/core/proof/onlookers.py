"""Who sees of a function what no call of it shows: its docstring, and what annotates it.

Whoever only calls a function sees nothing of these. Those do who are given the function as a value,
or ask for them; and of a class, those who are given one of its objects. Pure.
"""

from collections.abc import Iterable, Iterator
from functools import cached_property

from pytest_ciopt.core.edits.definitions import Definition, Kind
from pytest_ciopt.core.edits.mentions import Mentions as Named
from pytest_ciopt.core.proof.evidence import Evidence
from pytest_ciopt.core.proof.keepers import Keepers
from pytest_ciopt.core.proof.mentions import Mentions
from pytest_ciopt.core.proof.registry import Registry
from pytest_ciopt.core.proof.seen import Unit
from pytest_ciopt.core.proof.sources import Sources, is_special, simple_name

_OF_ITSELF = frozenset(("globals", "vars", "locals", "__name__"))
"""Plain names in a module that looks through its own names."""
_LEADING = frozenset(("__wrapped__", "__func__", "__get__", "fget", "fset", "fdel", "func"))
"""Attributes of what stands for a function that give the function."""


class Onlookers:
    """Looks in the sources as they are now, for those of one kind of description."""

    words: frozenset[str]
    """What code mentions that reads such descriptions."""
    concerns_calls = False
    """Whether what is shown to others may decide what a call does."""

    def __init__(
        self,
        sources: Sources,
        evidence: Evidence,
        mentions: Mentions,
        registry: Registry,
        keepers: Keepers,
    ) -> None:
        self._sources, self._evidence, self._mentions = sources, evidence, mentions
        self._registry, self._keepers = registry, keepers
        self._looking: dict[str, bool] = {}

    def is_shown(self, path: str, definition: Definition) -> bool:
        """Whether nobody can tell who sees a function or class: pytest does, or what it is handed
        to, or what its class is handed to, when its module is imported."""
        return (
            self._sources.is_collected(path)
            or self._looks_at_itself(path)
            or any(
                one.foreign or (one.may_be_registered and self._tells_others(path, one))
                for one in (definition, self._around(path, definition))
                if one is not None
            )
        )

    def _looks_at_itself(self, path: str) -> bool:
        """Whether a module may look up its own names by computation, or tell others what it is
        called, who can then do that."""
        if path not in self._looking:
            cut = self._sources.cut(path)
            named = () if cut is None else (one.named for one in cut.definitions.values())
            effects = Named() if cut is None else cut.effects_named
            plain = (one.every - one.loose for one in (effects, *named))
            self._looking[path] = not all(map(_OF_ITSELF.isdisjoint, plain))
        return self._looking[path]

    def _around(self, path: str, definition: Definition) -> Definition | None:
        scope = definition.scope
        return self._keepers.definition((path, scope)) if scope else None

    def _tells_others(self, path: str, definition: Definition) -> bool:
        return self._registry.written(path, definition.name, definition) != frozenset()

    def stand_ins(self, definition: Definition) -> Iterable[tuple[str, bool]]:
        """Names of what shows the description to whom it is handed, and whether objects of it do,
        too."""
        return ((definition.simple, definition.kind is Kind.CLASS),)

    def handed_on(
        self, path: str, simple: str, *, of_class: bool
    ) -> Iterator[tuple[str, Definition | None]]:
        """Files and definitions that hand on what has a name, or read its description; None for
        code that runs at import. Imports that give it another name, and subclasses, are among
        them."""
        for user, definition in self._mentions.of(path, simple):
            takes = definition.kind in (Kind.IMPORT, Kind.CLASS) or simple in definition.renames
            if of_class or takes or self._hands_on(definition.named, simple):
                yield user, definition
        for user in self._mentions.users(path, simple):
            cut = self._sources.around(user, simple)
            named = Named() if cut is None else cut.effects_named
            if simple in named.every and (of_class or self._hands_on(named, simple)):
                yield user, None

    def _hands_on(self, named: Named, simple: str) -> bool:
        """Whether a name stands for a value that others are given, or its description is read."""
        leads = not named.every.isdisjoint(self.words | _LEADING)
        reads = leads and simple in named.every
        return reads or simple in named.values or simple in named.words

    def readers_of(self, path: str, definition: Definition) -> frozenset[Unit]:
        """Functions that may read the description, though nobody names it. Of a function those of
        its own module, for others have to take that as a whole; of what a class holds, and of a
        class, all that read any, for its objects go anywhere."""
        if definition.kind is Kind.CLASS or definition.scope:
            return self.readers
        return frozenset(reader for reader in self.readers if reader[0] == path)

    @cached_property
    def readers(self) -> frozenset[Unit]:
        """Functions that read descriptions, of whatever they are given; a module's own is none."""
        return frozenset(self._reading())

    def _reading(self) -> Iterator[Unit]:
        for word in sorted(self.words):
            for user in self._sources.naming(word):
                cut = self._sources.around(user, word)
                found = () if cut is None else cut.definitions.values()
                yield from self._mentioning(user, word)
                for renamed in (one.simple for one in found if word in one.renames):
                    yield from self._mentioning(user, renamed)

    def _mentioning(self, user: str, word: str) -> Iterator[Unit]:
        cut = self._sources.around(user, word)
        for one in () if cut is None else cut.definitions.values():
            if one.kind is Kind.FUNCTION and word in one.mentions:
                yield user, one.name


class OfDocstrings(Onlookers):
    """Of functions and classes."""

    words = frozenset(("__doc__", "getdoc", "pydoc"))

    def stand_ins(self, definition: Definition) -> Iterable[tuple[str, bool]]:
        """Where there may be objects of `cmd.Cmd`, which tell what their methods are for, a class
        stands for its methods."""
        own = super().stand_ins(definition)
        is_command = definition.scope != "" and self._has_commands
        return (*own, (simple_name(definition.scope), True)) if is_command else own

    @cached_property
    def _has_commands(self) -> bool:
        return any(self._sources.naming("Cmd"))


class OfAnnotations(Onlookers):
    """Of functions, where importing their modules does not evaluate them."""

    words = frozenset(
        (
            *("__annotations__", "__annotate__", "get_annotations", "annotationlib"),
            *("get_type_hints", "signature", "Signature", "getfullargspec", "pydoc"),
        )
    )
    concerns_calls = True

    def is_shown(self, path: str, definition: Definition) -> bool:
        """Also where types are checked while functions run, and of a method, where installed code
        may be given an object, or code of the project looks at classes as they are made."""
        if self._sources.checks_types() or super().is_shown(path, definition):
            return True
        return definition.scope != "" and (
            self._sources.meets_installed(path)
            or any(map(self._evidence.ran_outside, self.readers))
        )

    def stand_ins(self, definition: Definition) -> Iterable[tuple[str, bool]]:
        """What a class or an object is called with is its signature. Another method is found by who
        looks through the whole class."""
        if definition.kind is Kind.CLASS or not definition.scope:
            return super().stand_ins(definition)
        own = () if is_special(definition.simple) else ((definition.simple, False),)
        return (*own, (simple_name(definition.scope), definition.simple == "__call__"))
