"""Who takes a module as a whole, so that it may look up any of its names by computation. Pure.

That is `vars(settings)`, `getattr(settings, name)`, or the module as an argument. Whoever is handed
a package may ask it for its modules.
"""

from collections.abc import Iterator

from pytest_ciopt.core.edits.definitions import EXPORTS, Definition, Kind
from pytest_ciopt.core.edits.mentions import Mentions as Named
from pytest_ciopt.core.naming import INIT, module_path
from pytest_ciopt.core.proof.mentions import Mentions
from pytest_ciopt.core.proof.sources import Sources

_OF_EXAMPLES = "doctest_namespace"


class Wholes:
    """Looks in the files that can see what a module defines."""

    def __init__(self, sources: Sources, mentions: Mentions) -> None:
        self._sources, self._mentions = sources, mentions

    def of(self, path: str, *, loaded: bool) -> Iterator[tuple[str, str, Definition | None]]:
        """Files, the name that each knows the module by, and definitions that take it; None for
        code that runs at import. `loaded`: where something loads modules by computed names,
        whatever bears the name of the module may be the module."""
        *packages, module = module_path(path).split("/")
        exact = not (loaded and self._may_be_loaded_by_name(path, module))
        is_file = not path.endswith(f"/{INIT}")
        for name in filter(None, (module, *packages) if exact else (module,)):
            leads = is_file and name == module
            for user, word in self._known_as(path, name):
                for definition in self._taking(user, word, exact=exact, leads=leads):
                    yield user, word, definition

    def _known_as(self, path: str, name: str) -> Iterator[tuple[str, str]]:
        """Files, and what each may call a module: its name, and what imports bind it to, there or
        in a file that it imports that from."""
        waiting, seen = [(path, name)], {(path, name)}
        while waiting:
            place, word = waiting.pop()
            for user in self._mentions.users(place, word):
                cut = self._sources.around(user, word) if user != path else None
                if cut is not None:
                    yield user, word
                    for definition in cut.definitions.values():
                        alias = (user, definition.simple)
                        renamed = any(word in one.split(".") for one in definition.renames)
                        if renamed and alias not in seen:
                            seen.add(alias)
                            waiting.append(alias)

    def _may_be_loaded_by_name(self, path: str, module: str) -> bool:
        """Whether something may load the module by a name that it computes, or a class has it: then
        every value whose name it bears may be the module."""
        return self._sources.loads_by_name(path) or any(
            definition.imported and definition.scope and definition.simple == module
            for user in self._mentions.users(path, module)
            for cut in [self._sources.around(user, module)]
            if cut is not None
            for definition in cut.definitions.values()
        )

    def _taking(
        self, user: str, word: str, *, exact: bool, leads: bool
    ) -> Iterator[Definition | None]:
        """`leads`: the first word of a dotted name may stand for it. Of an outermost package one
        asks for what comes next in the name; of a module perhaps for all that is in it."""
        cut = self._sources.around(user, word)
        if cut is None:
            return
        if self._takes(user, word, cut.effects_named, exact=exact, leads=leads):
            yield None
        for definition in cut.definitions.values():
            is_code = definition.name != EXPORTS and definition.kind is not Kind.IMPORT
            is_code = is_code and not _is_for_examples(definition, word)
            if is_code and self._takes(user, word, definition.named, exact=exact, leads=leads):
                yield definition

    def _takes(self, user: str, word: str, named: Named, *, exact: bool, leads: bool) -> bool:
        if leads and word in named.leading:
            return True
        if not exact or word in named.plain or word in named.dotted:
            return word in named.values and not (exact and self._is_defined(user, word))
        roots = {root for root, attribute in named.parts if attribute == word}
        return any(self._may_be_module(user, root) for root in roots)

    def _may_be_module(self, user: str, root: str) -> bool:
        """Whether a name may be that of a module. What is made from a module took it itself."""
        cut = self._sources.around(user, root)
        definition = None if cut is None else cut.definitions.get(root)
        return definition is None or (
            bool(definition.imported) and not self._is_defined(user, root)
        )

    def _is_defined(self, user: str, name: str) -> bool:
        """Whether an import binds a name to what a module defines, be it of the same name."""
        cut = self._sources.around(user, name)
        definition = None if cut is None else cut.definitions.get(name)
        return (
            definition is not None
            and bool(definition.imported)
            and all(self._mentions.defines(user, one) for one in definition.imported)
        )


def _is_for_examples(definition: Definition, word: str) -> bool:
    """Whether a fixture only puts something among the names of examples in texts, which are read
    for themselves."""
    return (
        definition.fixture
        and _OF_EXAMPLES in definition.named.asks
        and word not in definition.uses.handed
    )
