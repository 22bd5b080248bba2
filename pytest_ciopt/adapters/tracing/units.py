"""Which unit a code object belongs to, and the number of that unit.

Code objects are kept alive and known by identity: those of different files can be equal, and their
hash takes time in proportion to their length. `object.__hash__` gives the identity, for `id` would
raise an audit event each time.
"""

import os
from collections.abc import Iterable, Mapping
from inspect import CO_OPTIMIZED
from types import CodeType

from pytest_ciopt.adapters.tracing.lines import FINDING
from pytest_ciopt.adapters.tracing.places import Places
from pytest_ciopt.core.history.traces import AT, BODY, LOCALS, Units

identity = object.__hash__
_NOTHING = -1
"""Instead of the number of a unit: of no account."""
_PROCESS = -2
"""Instead of the number of a unit: starts a process."""
_FIRST_FILE = -3
"""From here down: the file that the code was made from is no Python source, e.g. a template."""
STARTERS: Mapping[str, frozenset[str]] = {
    "/multiprocessing/process.py": frozenset(("BaseProcess.start",)),
    "/multiprocessing/util.py": frozenset(("spawnv_passfds",)),
}
"""Functions of the standard library that start processes without an audit event (Python 3.12)."""


def unit_name(code: CodeType) -> str | None:
    """The outermost function; None for the body of a class, which runs with its module.

    What is no function of its own (a lambda, a comprehension) belongs to the class or the module
    around it.
    """
    return unit_named(code.co_qualname, code.co_flags)


def unit_named(qualname: str, flags: int) -> str | None:
    """The same for code that is in another process."""
    outermost, inner, _ = qualname.partition(LOCALS)
    if not inner and not flags & CO_OPTIMIZED:
        return BODY if outermost == "<module>" else None
    while outermost.endswith(">"):  # also `<generic parameters of f>`
        outermost = outermost[: max(0, outermost.rfind("<"))].removesuffix(".")
    return outermost


def node_name(code: CodeType) -> str | None:
    """The unit, or the function inside of it: a decorator and what it returns run apart."""
    name = unit_name(code)
    return code.co_qualname if name and LOCALS in code.co_qualname else name


def _may_be_file(filename: str) -> bool:
    """Whether code may be made from a file: some name the text that they are made from, or nothing
    that there is, which looks like a relative path."""
    named = os.path.isabs(filename) or filename.endswith((".py", ".pyw"))
    return named or os.path.exists(filename)


def is_body(code: CodeType) -> bool:
    """Whether code is the body of a module."""
    return code.co_name == "<module>"


class Registry:
    """All code of the repository that has been seen."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._files: dict[str, str | None] = {}
        """Places by the file names that code objects have."""
        self._starting: dict[str, frozenset[str]] = {}
        """Functions that start processes, by the file names of their code."""
        self.codes: dict[int, CodeType] = {}
        """All that was admitted, by identity."""
        self.bodies: set[int] = set()
        """Of these the bodies of modules, and of classes outside of functions."""
        self._numbers: dict[int, int] = {}
        """By the identity of a code object; filled at the boundary that follows."""
        self._units: dict[tuple[str, str], int] = {}
        self._read: list[str] = []
        self._fresh: list[Units] = []

    def place(self, filename: str) -> str | None:
        """The place of the file that code comes from; None if it is not ours."""
        try:
            return self._files[filename]
        except KeyError:
            return self._decide(filename)

    def _decide(self, filename: str) -> str | None:
        found = None
        if not filename.startswith("<"):
            found = self._places.find(filename) or None
            if found is not None and not _may_be_file(filename):
                found = None
            for end, names in STARTERS.items():
                if filename.endswith(end):
                    self._starting[filename] = names
        self._files[filename] = found
        return found

    def admit(self, code: CodeType) -> bool:
        """Whether the code is to be watched. From now on it is known."""
        if self.place(code.co_filename) is None and not (
            code is FINDING or self._starts_process(code)
        ):
            return False
        self.codes[identity(code)] = code
        if not code.co_flags & CO_OPTIMIZED and LOCALS not in code.co_qualname:
            self.bodies.add(identity(code))
        return True

    def _starts_process(self, code: CodeType) -> bool:
        return code.co_qualname in self._starting.get(code.co_filename, ())

    def numbers(self, codes: Mapping[int, CodeType]) -> set[int]:
        """Numbers of the units of code, by identity; what is negative is for `meaning`."""
        known = self._numbers
        if not codes.keys() <= known.keys():
            self._number({key: code for key, code in codes.items() if key not in known})
        found = set(map(known.__getitem__, codes))
        found.discard(_NOTHING)
        return found

    def _number(self, codes: Mapping[int, CodeType]) -> None:
        named: dict[str, dict[str, None]] = {}
        wanted: dict[int, tuple[str, str]] = {}
        # Kept alive, also what only a former session of this process has admitted, and armed.
        self.codes.update(codes)
        for key, code in codes.items():
            place = self.place(code.co_filename)
            name = unit_name(code)
            if place is None:
                self._numbers[key] = _PROCESS if self._starts_process(code) else _NOTHING
            elif not place.endswith((".py", ".pyw")):
                self._numbers[key] = self._file(place)
            elif name is None:
                self._numbers[key] = _NOTHING
            else:
                wanted[key] = (place, name)
                named.setdefault(place, {})[name] = None
        self._add_units(named)
        self._numbers.update((key, self._units[unit]) for key, unit in wanted.items())

    def _file(self, place: str) -> int:
        if place not in self._read:
            self._read.append(place)
        return _FIRST_FILE - self._read.index(place)

    def meaning(self, number: int) -> str | None:
        """What a negative number stands for: a file that was read; None for a process."""
        return None if number > _FIRST_FILE else self._read[_FIRST_FILE - number]

    def callers(
        self, pairs: Iterable[tuple[int, int]], lines: Iterable[tuple[int, int, int]]
    ) -> dict[int, set[int]]:
        """Numbers of calling functions by that of the one that they call, of pairs of code.

        Functions inside of others have numbers of their own here, and so have the `lines` of bodies
        that call something. What is no function (the body of a class, a template) is left out: its
        callers take its place.
        """
        below: dict[int, set[int]] = {}
        for caller, called in pairs:
            below.setdefault(called, set()).add(caller)
        called_at = {called for _, called, _ in lines}
        nodes = self._nodes({*below, *called_at}.union(*below.values()))
        at: dict[int, set[int]] = {}
        for body, called, line in lines:
            place = self.place(self.codes[body].co_filename)
            if place is not None:
                node = f"{AT}{line}"
                self._add_units({place: (node,)})
                at.setdefault(called, set()).add(self._units[place, node])
        found: dict[int, set[int]] = {}
        for called in {*below, *at}:
            if called in nodes:
                callers = _through(called, below, nodes, at) - {nodes[called]}
                if callers:
                    found.setdefault(nodes[called], set()).update(callers)
        return found

    def named(self, codes: Iterable[int]) -> set[int]:
        """Numbers of functions, as in `callers`, by the identity of their code."""
        return set(self._nodes(codes).values())

    def _nodes(self, keys: Iterable[int]) -> dict[int, int]:
        """Numbers of functions by the identity of their code; without what is no function."""
        named: dict[str, dict[str, None]] = {}
        wanted: dict[int, tuple[str, str]] = {}
        for key in keys:
            code = self.codes[key]
            place, name = self.place(code.co_filename), node_name(code)
            if place is not None and place.endswith((".py", ".pyw")) and name is not None:
                wanted[key] = (place, name)
                named.setdefault(place, {})[name] = None
        self._add_units(named)
        return {key: self._units[node] for key, node in wanted.items()}

    def _add_units(self, named: Mapping[str, Iterable[str]]) -> None:
        for place, names in named.items():
            fresh = tuple(name for name in names if (place, name) not in self._units)
            if fresh:
                self._fresh.append(Units(place, fresh))
            for name in fresh:
                self._units[place, name] = len(self._units)

    def numbers_of_names(self, place: str, names: Iterable[str]) -> set[int]:
        """Numbers of units that ran in another process."""
        named = tuple(names)
        self._add_units({place: named})
        return {self._units[place, name] for name in named}

    def numbers_of_frames(self, codes: Iterable[CodeType]) -> set[int]:
        """Numbers of units whose code is running, units that have not been seen included."""
        ours = {identity(code): code for code in codes if self.admit(code)}
        return self.numbers(ours)

    def fresh(self) -> list[Units]:
        """Names of units that have got numbers since this was last asked for."""
        fresh, self._fresh = self._fresh, []
        return fresh

    def sources(self) -> set[str]:
        """Python files of the repository of which any code has run."""
        return {place for place in self._files.values() if place is not None}


def _through(
    called: int,
    below: Mapping[int, set[int]],
    nodes: Mapping[int, int],
    at: Mapping[int, set[int]],
) -> set[int]:
    """The nearest functions and lines below."""
    found, seen = set(at.get(called, ())), {called}
    waiting = list(below.get(called, ()))
    while waiting:
        code = waiting.pop()
        if code in nodes:
            found.add(nodes[code])
        elif code not in seen:
            seen.add(code)
            found.update(at.get(code, ()))
            waiting.extend(below.get(code, ()))
    return found
