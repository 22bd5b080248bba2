"""Who calls a function: as was seen, and where not all is noted, as the sources have it. Pure."""

from collections.abc import Iterator, Set
from dataclasses import dataclass
from functools import cached_property

from pytest_ciopt.core.edits.definitions import Definition
from pytest_ciopt.core.edits.reach import is_called_by_convention
from pytest_ciopt.core.proof.evidence import MAKERS, Evidence, Node, unit_of
from pytest_ciopt.core.proof.keepers import Keepers
from pytest_ciopt.core.proof.mentions import Mentions
from pytest_ciopt.core.proof.seen import Unit
from pytest_ciopt.core.proof.sources import Sources, called_as, is_special, simple_name

_WITH = frozenset(("__enter__", "__exit__", "__aenter__", "__aexit__"))
"""Methods of context managers, which `with` calls."""
_ASKING = frozenset(("getfixturevalue", "lazy_fixture"))
"""What functions mention that ask for fixtures by name."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls a function."""

    node: Node
    unit: Unit
    is_test: bool
    when: int
    """See `Stretches.of`."""
    is_seen: bool
    """Whether both ran in some stretch that is still known."""


@dataclass(frozen=True, slots=True)
class Called:
    """A function, or one inside of it, and who calls it."""

    unit: Unit
    callers: tuple[Caller, ...]
    unnoted: frozenset[Unit]
    """Who may do so without having been seen to."""
    told: tuple[Node, ...] = ()
    """Who only mentions what it makes: a fixture, which is called by pytest alone."""


class Callers:
    """Asked by whoever follows a change from a function to those that call it."""

    def __init__(
        self, sources: Sources, evidence: Evidence, keepers: Keepers, mentions: Mentions
    ) -> None:
        self._sources, self._evidence = sources, evidence
        self._keepers, self._mentions = keepers, mentions
        self._tests: dict[Unit, bool] = {}
        self._named: dict[Node, dict[Node, bool]] = {}
        """Who names a function, and whether it is taken to call it."""

    def of(self, node: Node, candidates: Set[Unit]) -> Called:
        """Those that were seen, and where a name is clear, those that call by name, for not all are
        noted. `candidates` are units that may have kept what they got when they first ran."""
        if node not in self._named:
            self._named[node] = dict(self._by_name(node))
        named = self._named[node].items()
        calling = (one for one, calls in named if calls)
        found = dict.fromkeys((*self._evidence.callers(node), *calling))
        # Of a thread no caller is seen.
        nobody = not (found or self._is_for_pytest(node) or self._has_run_before(node))
        some = nobody or self._evidence.is_called_often(node)
        unnoted = self._unnoted(node, candidates, nobody=nobody) if some else ()
        own = self._evidence.stretches.of((unit_of(node),))
        callers = (self._caller(one, own) for one in found)
        told = tuple(one for one, calls in named if not calls)
        return Called(unit_of(node), tuple(callers), frozenset(unnoted), told)

    def _caller(self, node: Node, called: int) -> Caller:
        unit = unit_of(node)
        when = self._evidence.stretches.of((unit,))
        return Caller(node, unit, self.is_test(node), when, when & called != 0)

    def _by_name(self, node: Node) -> Iterator[tuple[Node, bool]]:
        """Who names a function, and whether it is taken to call it, which all are but those that
        name a fixture."""
        unit = unit_of(node)
        if not self._evidence.is_alone(unit):
            return
        own = self._keepers.definition(unit)
        if own is not None and node != unit and self._are_all_seen(node, own):
            return
        by_call = own is not None and not own.decorators  # a property is not called
        asked = own.fixture_name if own is not None and own.fixture else None
        called = asked or called_as(unit[1])
        together = self._evidence.stretches.together
        for user, definition in self._mentions.of(unit[0], called, among=self._files(unit)):
            if not together((user, definition.name), unit):
                continue
            if asked is not None:
                yield (user, definition.name), self._may_be_given(user, definition, asked)
            elif called in definition.uses.calls or not by_call:
                for caller in self._executing((user, definition.name), definition, called):
                    yield caller, True

    def _are_all_seen(self, node: Node, around: Definition) -> bool:
        """Whether whoever executed a function that is inside of another one was seen to call it,
        when there were few of them; whoever calls the other one calls something else."""
        is_called = bool(self._evidence.callers(node)) and not self._evidence.is_called_often(node)
        return is_called and around.uses.executes(node[1].removeprefix(around.name))

    def _executing(self, unit: Unit, definition: Definition, called: str) -> Iterator[Node]:
        """Of a function that names what is called that one inside of it which does, if it ran."""
        nodes = self._evidence.nodes(unit)
        for name in sorted(definition.uses.calling(called)):
            node = (unit[0], f"{unit[1]}{name}")
            yield node if node in nodes else unit

    def _may_be_given(self, path: str, definition: Definition, fixture: str) -> bool:
        """Whether pytest may hand a fixture to a function, which nobody else can call."""
        if not definition.mentions.isdisjoint(_ASKING):
            return True
        is_filled = definition.fixture or definition.foreign or self._sources.is_collected(path)
        is_test = definition.simple.startswith("test")
        asks = fixture in definition.named.asks and not is_special(definition.simple)
        return asks and (is_filled or is_test)

    def _files(self, unit: Unit) -> set[str]:
        """Files of which something else than a test ran together with a unit."""
        stretches = self._evidence.stretches
        return {path for path, when in self._helped.items() if stretches.ran_in(unit, when)}

    @cached_property
    def _helped(self) -> dict[str, int]:
        """By path: when something else than a test ran."""
        by_path: dict[str, list[Unit]] = {}
        for unit in self._evidence.units:
            if not self._keepers.is_test(unit):
                by_path.setdefault(unit[0], []).append(unit)
        return {path: self._evidence.stretches.of(units) for path, units in by_path.items()}

    def _unnoted(self, node: Node, candidates: Set[Unit], *, nobody: bool) -> set[Unit]:
        """Those of the candidates that may call a function without having been seen to."""
        unit = unit_of(node)
        near = self._evidence.stretches.ran_with(unit, candidates)
        if not nobody:
            called = called_as(unit[1])
            if not is_special(simple_name(unit[1])):  # looked for in the text first, which is quick
                near = (one for one in near if self._sources.mentions(one[0], called))
        return {
            one for one in near if not self.is_test(one) and (nobody or self._may_call(one, unit))
        }

    def _may_call(self, caller: Unit, unit: Unit) -> bool:
        """Whether a function looks up what another one is called by. Operators have no names: there
        it has to be written so that it keeps something; for context managers is a statement."""
        name, called = simple_name(unit[1]), called_as(unit[1])
        definition = self._keepers.definition(caller)
        if definition is None:
            return True
        if name in _WITH and not self._is_decorator(unit):
            return definition.uses.enters or called in definition.mentions
        if is_special(name) and name not in MAKERS:
            return any(self._keepers.keeps(caller, None))
        return called in definition.mentions and called in definition.uses.looked_up

    def _is_decorator(self, unit: Unit) -> bool:
        """Whether objects with this method may be decorators (`ContextDecorator` makes them such):
        then calling what they decorate enters them."""
        of_class = self._keepers.definition((unit[0], unit[1].rpartition(".")[0]))
        return of_class is None or of_class.may_be_registered

    def _has_run_before(self, node: Node) -> bool:
        """Whether a function ran while modules were imported, and what ran in tests is one that is
        inside of it: a decorator, mostly."""
        inside = (one for one in self._evidence.nodes(unit_of(node)) if one != node)
        return bool(self._evidence.importers(node)) and any(map(self._evidence.callers, inside))

    def _is_for_pytest(self, node: Node) -> bool:
        """Whether pytest calls a function: a test, a fixture, what is set up by convention, be it
        in a class from which others inherit."""
        unit = unit_of(node)
        if self._keepers.is_test(unit) or self._keepers.is_fixture(unit):
            return True
        path, simple = unit[0], simple_name(unit[1])
        is_inherited = "." in unit[1] and "test" in path.lower() and not is_special(simple)
        return is_called_by_convention(simple) and (
            is_inherited or self._sources.is_collected(path)
        )

    def is_test(self, node: Node) -> bool:
        """Whether it is a test, and no fixture."""
        unit = unit_of(node)
        if unit not in self._tests:
            is_test = self._keepers.is_test(unit)
            self._tests[unit] = is_test and not self._keepers.is_fixture(unit)
        return self._tests[unit]
