"""Which units ran together, and what ran for the first time beside a unit. Pure.

A stretch is a test or the life of a fixture. Each is one bit of a number for each unit, so that
whether two units ever ran together is one operation on two numbers, however many tests there are.
"""

from collections.abc import Collection, Iterable, Iterator, Set

from pytest_ciopt.core.proof.seen import Life, Process, Unit, read_in

_FEW = 64
"""Units that are looked up one by one. With more it is quicker to go through all stretches once."""


class Stretches:
    """Of tests, and of whatever else ran from a beginning to an end."""

    def __init__(self, tests: Collection[Set[Unit]], others: Iterable[Set[Unit]] = ()) -> None:
        self._all = (*tests, *others)
        self._tests = (1 << len(tests)) - 1
        self._bits: dict[Unit, int] = {}
        self._is_complete = False

    def together(self, one: Unit, other: Unit) -> bool:
        """Whether both ran in some stretch."""
        return self._of(one) & self._of(other) != 0

    def without(self, one: Unit, other: Unit) -> bool:
        """Whether in some test the one ran, and the other did not."""
        return self._of(one) & self._tests & ~self._of(other) != 0

    def ran_with(self, one: Unit, others: Iterable[Unit]) -> Iterator[Unit]:
        """Those that ran together with one."""
        bits = self._of(one)
        return (other for other in others if self._of(other) & bits)

    def of(self, units: Iterable[Unit]) -> int:
        """When any of them ran, one bit for each stretch."""
        found = 0
        for unit in units:
            found |= self._of(unit)
        return found

    def ran_in(self, unit: Unit, when: int) -> bool:
        """Whether a unit ran in one of the stretches that `of` has told."""
        return self._of(unit) & when != 0

    def _of(self, unit: Unit) -> int:
        """The stretches in which a unit ran, one bit each."""
        known = self._bits.get(unit)
        if known is not None or self._is_complete:
            return known or 0
        if len(self._bits) >= _FEW:
            self._complete()
            return self._bits.get(unit, 0)
        found = sum(1 << number for number, units in enumerate(self._all) if unit in units)
        self._bits[unit] = found
        return found

    def _complete(self) -> None:
        bits: dict[Unit, int] = {}
        for number, units in enumerate(self._all):
            bit = 1 << number
            for unit in units:
                bits[unit] = bits.get(unit, 0) | bit
        self._bits, self._is_complete = bits, True


class Firsts:
    """What ran for the first time in tests of a process, or in its fixtures of wider scope."""

    outside = True
    """A function may do something else whenever it runs."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self._fresh: list[tuple[Set[Unit], Set[str]]] = []
        """What ran for the first time, and what was read then."""
        self._opening: dict[Unit, Set[Unit]] = {}
        """What ran in the test in which a unit first did."""
        seen = set[Unit]()
        for units, reads in process.openings:
            fresh = units - seen
            seen |= fresh
            self._fresh.append((fresh, reads))
            self._opening.update(dict.fromkeys(fresh, units))
        fresh_in_lives = [*self._first_in(process.lives)]
        self._fresh.extend(zip(fresh_in_lives, (one.reads for one in process.lives), strict=True))
        self._lives = Stretches([one.units for one in process.lives])
        self._began_in_lives = Stretches(fresh_in_lives)
        self.units = frozenset(self._opening).union(*fresh_in_lives)
        """All that ran in tests and fixtures for the first time, at some time."""

    def _first_in(self, lives: Iterable[Life]) -> Iterator[frozenset[Unit]]:
        """What of each life no test had run that was over when it was set up."""
        began = {unit: number for number, (fresh, _) in enumerate(self._fresh) for unit in fresh}
        for life in lives:
            before = life.before
            yield frozenset(unit for unit in life.units if began.get(unit, before) >= before)

    def began(self, unit: Unit, origin: Unit) -> bool:
        """Whether a unit may have kept what it got from another one: it ran for the first time in a
        test, or in a fixture of wider scope, in which that ran as well."""
        if origin in self._opening.get(unit, ()):
            return True
        return self._began_in_lives.of((unit,)) & self._lives.of((origin,)) != 0

    def of_reads(self, some: Set[str]) -> "OfRead":
        """The same of files that were read, or folders with a slash that were listed."""
        process = self._process
        traces = (process.session, *process.imports.values())
        outside = any(not some.isdisjoint(read_in(one)) for one in traces)
        fresh = (units for units, reads in self._fresh if not some.isdisjoint(reads))
        found = frozenset[Unit]().union(*fresh)
        return OfRead(found | process.outside if outside else found, outside=outside)


class OfRead:
    """What ran for the first time when something was read."""

    def __init__(self, units: frozenset[Unit], *, outside: bool) -> None:
        self.units = units
        self.outside = outside
        """Whether it was read outside of tests and fixtures, e.g. when a module was imported."""

    def began(self, unit: Unit, origin: Unit) -> bool:
        """Whether a unit may have kept what was read."""
        return unit in self.units
