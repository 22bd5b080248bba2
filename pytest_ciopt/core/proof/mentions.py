"""Who mentions a name. Pure."""

from collections.abc import Callable, Iterator, Sequence, Set

from pytest_ciopt.core.edits.definitions import EXPORTS, Definition, Kind, Module
from pytest_ciopt.core.naming import module_path
from pytest_ciopt.core.proof.sources import Sources


class Mentions:
    """Looks a name up in the files that can see what another one defines."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self.untold: Callable[[str], None] = lambda path: None
        """Is told of files that cannot be parsed."""
        self._users: dict[tuple[str, str], list[str]] = {}
        self._installed: dict[tuple[str, str], bool] = {}

    def of(
        self,
        path: str,
        simple: str,
        *,
        among: Set[str] | None = None,
        handed: bool = False,
        of_module: bool = False,
    ) -> Iterator[tuple[str, Definition]]:
        """Files and definitions in them that mention a name of a file: `among` these files only, or
        only in those that hand it to something. With `of_module` it is that of a variable of the
        module, and no attribute of an object that a method belongs to elsewhere."""
        for user in self.users(path, simple, among=among):
            if handed and not self._sources.hands(user, simple):
                continue
            cut = self._sources.around(user, simple)
            if cut is None:
                self.untold(user)
                continue
            own = user != path and self.has_its_own(cut, simple, user, path)
            for definition in cut.definitions.values():
                if definition.name == EXPORTS:  # whoever imports with a star mentions the name
                    continue
                of_itself = of_module and _is_named_alike(definition, simple)
                mentioned = definition.named.loose if own or of_itself else definition.mentions
                if simple in mentioned and self._is_of_another(
                    user, definition, simple, of_module=of_module and user != path
                ):
                    mentioned = frozenset()
                if simple in definition.named.asks and self._may_be_filled(user, definition):
                    mentioned |= definition.named.asks
                if simple in mentioned or simple in definition.renames:
                    yield user, definition

    def _is_of_another(
        self, user: str, definition: Definition, simple: str, *, of_module: bool
    ) -> bool:
        """Whether a definition has a name as an attribute only, of installed modules, or of the
        object of a method, which is no module that is elsewhere."""
        named = definition.named
        roots = {root for root, attribute in named.rooted if attribute == simple}
        return bool(roots) and all(
            (of_module and root in ("self", "cls"))
            # It may import something else of that name itself.
            or (root not in named.loose and self._is_installed(user, root))
            for root in roots
        )

    def _is_installed(self, user: str, root: str) -> bool:
        """Whether a name is that of a module which is none of the project."""
        key = (user, root)
        if key not in self._installed:
            cut = self._sources.around(user, root)
            found = None if cut is None else cut.definitions.get(root)
            self._installed[key] = (
                found is not None
                and found.is_module
                and not any(map(self._sources.is_own, found.origins))
                and not self._sources.binds_unseen(user)
            )
        return self._installed[key]

    def _may_be_filled(self, path: str, definition: Definition) -> bool:
        """Whether pytest may look at the names of parameters: of tests, fixtures and hooks, also
        where others collect them, or when something is done with the function."""
        if self._sources.is_collected(path) or definition.foreign:
            return True
        name = f"{path}:{definition.name}".lower().replace("pytest", "")
        return (
            "test" in name
            or definition.simple.startswith("pytest_")
            or self._sources.mentions(path, "fixture")
        )

    def has_its_own(self, cut: Module, simple: str, user: str, path: str) -> bool:
        """Whether a plain name means something else in a module than what `path` binds."""
        definition = cut.definitions.get(simple)
        if definition is None or self._sources.binds_unseen(user):
            return False
        if not any(map(self._sources.is_own, definition.origins)):
            return True
        if definition.kind is not Kind.IMPORT:
            return False
        return all(self.defines(user, one, path) for one in definition.imported)

    def defines(self, user: str, imported: tuple[int, str, str], path: str = "") -> bool:
        """Whether a file imports what another module than `path` defines itself."""
        level, module, name = imported
        files = self._sources.imported(user, level, module) if level or module else ()
        return bool(files) and path not in files and all(self._defines(f, name) for f in files)

    def _defines(self, path: str, name: str) -> bool:
        cut = self._sources.around(path, name)
        definition = None if cut is None else cut.definitions.get(name)
        return (
            definition is not None
            and not definition.imported
            and not self._sources.binds_unseen(path)
        )

    def importing(self, path: str, name: str) -> Iterator[str]:
        """Files that import a name of a file outside of functions, or may do so."""
        for user in self.users(path, name):
            cut = self._sources.around(user, name)
            if cut is not None and user != path:
                found = (one for d in cut.definitions.values() for one in d.imported)
                if any(self._may_be_of(user, one, path, name) for one in found):
                    yield user

    def anywhere(self, word: str) -> Iterator[tuple[str, Definition | None]]:
        """Files of the whole project and definitions in them that mention a word; None for code
        that runs at import."""
        for user in self._sources.naming(word):
            cut = self._sources.around(user, word)
            if cut is None:
                self.untold(user)
                continue
            if word in cut.effects_named.every:
                yield user, None
            yield from ((user, one) for one in cut.definitions.values() if word in one.mentions)

    def passing_on(self, path: str, name: str) -> set[str]:
        """Other files in which a name of a file is bound as well: they import it, perhaps with a
        star."""
        found, waiting = {path}, [path]
        while waiting:
            source = waiting.pop()
            importing = {*self.importing(source, name), *self._with_star(source)} - found
            found |= importing
            waiting.extend(importing)
        return found - {path}

    def _with_star(self, path: str) -> Iterator[str]:
        module = module_path(path).rpartition("/")[2]
        for user in self.users(path, module):
            if user != path and self._sources.binds_unseen(user):
                yield user

    def _may_be_of(self, user: str, imported: tuple[int, str, str], path: str, name: str) -> bool:
        level, module, original = imported
        if original != name or not (level or module):
            return False
        files = self._sources.imported(user, level, module)
        return path in files or (bool(files) and not self.defines(user, imported, path))

    def users(self, path: str, simple: str, *, among: Set[str] | None = None) -> Sequence[str]:
        """Files that can see what a file defines and in which a word stands, sorted."""
        if among is not None:
            users = sorted(self._sources.users(path) & among)
            return [user for user in users if self._sources.mentions(user, simple)]
        key = (path, simple)
        if key not in self._users:
            users = sorted(self._sources.users(path))
            self._users[key] = [user for user in users if self._sources.mentions(user, simple)]
        return self._users[key]


def _is_named_alike(definition: Definition, name: str) -> bool:
    """Whether something in a class has the name of a variable of some module, and makes nothing of
    that."""
    if definition.scope == "" or definition.simple != name:
        return False
    if definition.kind is Kind.FUNCTION:
        return name not in definition.uses.looked_up
    return definition.kind is Kind.BINDING and name in definition.uses.only_written
