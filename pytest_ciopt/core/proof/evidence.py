"""What earlier runs show of who ran what, beside each test's own record. Pure."""

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Set
from functools import cached_property

from pytest_ciopt.core.history.traces import AT, LOCALS
from pytest_ciopt.core.nodeids import module_of
from pytest_ciopt.core.proof.knowledge import Knowledge
from pytest_ciopt.core.proof.seen import Unit
from pytest_ciopt.core.proof.sources import simple_name
from pytest_ciopt.core.proof.stretches import Stretches

MAKERS = ("__init__", "__new__", "__post_init__")
"""Methods that run when an object is made."""


Node = Unit
"""Path, and qualified name of a function or of one inside of it (`f.<locals>.g`)."""


def unit_of(node: Node) -> Unit:
    """The outermost function."""
    return node[0], node[1].partition(LOCALS)[0]


def _name_of(test: str) -> str:
    """The qualified name of the function in a node id, without parameters."""
    return test.partition("::")[2].partition("[")[0].replace("::", ".")


def _is_inherited(test: str, units: Set[Unit]) -> bool:
    path, name = module_of(test), _name_of(test)
    return "." in name and bool(units) and (path, name) not in units


class Evidence:
    """Of all tests whose record counts, and of the processes in which they ran."""

    def __init__(self, knowledge: Knowledge) -> None:
        seen = [known.seen for known in knowledge.tests.values() if known.seen is not None]
        self._tests = frozenset(one.units for one in seen)
        self._known = knowledge.tests
        processes = {id(one.process): one.process for one in seen}
        first = (units for process in processes.values() for units in process.stretches)
        others = frozenset(first) - self._tests
        self.stretches = Stretches(self._tests, others)
        """Those of tests whose records are older, as far as they are kept, and of fixtures, too."""
        self._outside = frozenset[Unit]().union(*(one.outside for one in processes.values()))
        self._ran = knowledge.ran
        self._nodes: dict[Unit, list[Node]] = {}
        for node in knowledge.ran.callers.keys() | knowledge.ran.importers.keys():
            self._nodes.setdefault(unit_of(node), []).append(node)
        self._spared: dict[Unit, Set[Unit]] = {}
        self._outliving: dict[Unit, bool] = {}

    @cached_property
    def units(self) -> frozenset[Unit]:
        """All that ran."""
        return self._outside.union(*self._tests)

    @cached_property
    def _inherited(self) -> frozenset[str]:
        """Simple names of tests that their own modules do not define."""
        return frozenset(
            _name_of(test).rpartition(".")[2]
            for test, known in self._known.items()
            if known.seen is not None and _is_inherited(test, known.seen.units)
        )

    @cached_property
    def _alike(self) -> Counter[str]:
        return Counter(name.rpartition(".")[2] for _, name in self.units)

    @cached_property
    def _imported(self) -> dict[Node, set[Node]]:
        """What functions and lines called while modules were imported."""
        found: dict[Node, set[Node]] = {}
        for node, callers in self._ran.importers.items():
            for caller in callers:
                found.setdefault(caller, set()).add(node)
        return found

    def below(self, path: str, lines: Iterable[int]) -> frozenset[Unit]:
        """Units that ran below some lines of the body of a module, or of a class in it."""
        waiting: list[Node] = [(path, f"{AT}{line}") for line in lines]
        seen = set(waiting)
        while waiting:
            for called in self._imported.get(waiting.pop(), ()):
                if called not in seen:
                    seen.add(called)
                    waiting.append(called)
        return frozenset(unit_of(node) for node in seen if not node[1].startswith(AT))

    def nodes(self, unit: Unit) -> Iterable[Node]:
        """A unit and what was called inside of it, sorted."""
        return sorted({unit, *self._nodes.get(unit, ())})

    def callers(self, node: Node) -> list[Node]:
        """What was seen to call a function in tests and fixtures, sorted."""
        return sorted(self._ran.callers.get(node, ()))

    def called_by(self, unit: Unit) -> list[Unit]:
        """What a unit was seen to call in tests and fixtures, sorted."""
        return sorted(self._called.get(unit, ()))

    def called_below(self, unit: Unit, besides: Container[str] = ()) -> Iterator[Unit]:
        """A unit, and what it was seen to call in tests and fixtures, through others, too, but for
        some simple names."""
        waiting, seen = [unit], {unit}
        while waiting:
            one = waiting.pop()
            yield one
            fresh = self._called.get(one, set[Unit]()) - seen
            seen |= fresh
            waiting.extend(one for one in sorted(fresh) if simple_name(one[1]) not in besides)

    @cached_property
    def _called(self) -> dict[Unit, set[Unit]]:
        found: dict[Unit, set[Unit]] = {}
        for node, callers in self._ran.callers.items():
            for caller in callers:
                found.setdefault(unit_of(caller), set()).add(unit_of(node))
        return found

    def is_called_often(self, node: Node) -> bool:
        """Whether not all callers of a function are known."""
        return node in self._ran.often

    def importers(self, node: Node) -> list[Node]:
        """What did while modules were imported or tests collected, sorted."""
        return sorted(self._ran.importers.get(node, ()))

    def ran_outside(self, unit: Unit) -> bool:
        """Whether it ran while modules were imported or tests collected."""
        return unit in self._outside

    def spared(self, unit: Unit) -> Set[Unit]:
        """Callers of a function that went without it in some test."""
        if unit not in self._spared:
            callers = {unit_of(one) for node in self.nodes(unit) for one in self.callers(node)}
            self._spared[unit] = {one for one in callers if self.stretches.without(one, unit)}
        return self._spared[unit]

    def is_alone(self, unit: Unit) -> bool:
        """Whether no other unit has the same simple name."""
        return self._alike[unit[1].rpartition(".")[2]] <= 1

    def is_inherited_test(self, simple: str) -> bool:
        """Whether a test of this name ran that its own module does not define."""
        return simple in self._inherited

    def outlives_tests(self, path: str, name: str) -> bool:
        """Whether objects of a class were seen in tests that had not made them, or were made
        outside of tests or by fixtures of wider scope. Where its making cannot be seen, too."""
        key = (path, name)
        if key not in self._outliving:
            self._outliving[key] = self._is_outliving(path, name)
        return self._outliving[key]

    def _is_outliving(self, path: str, name: str) -> bool:
        of_class = {u for u in self.units if u[0] == path and u[1].rpartition(".")[0] == name}
        making = {(path, f"{name}.{maker}") for maker in MAKERS} & of_class
        if not making or making & (self._outside | self._ran.shared):
            return True
        return any(
            making.isdisjoint(units) and not of_class.isdisjoint(units) for units in self._tests
        )
