"""Knowledge as plain lists and dictionaries, which JSON can hold, and back. Pure.

Whatever occurs often is written once and named by its number: units, sets of units, processes.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

from pytest_ciopt.core.history.traces import Inputs, Source, Trace
from pytest_ciopt.core.proof.knowledge import Knowledge
from pytest_ciopt.core.proof.seen import Known, Life, Module, Process, Ran, Seen, Unit


def plain(knowledge: Knowledge) -> dict[str, object]:
    """Lists, dictionaries, texts and numbers; the same for equal knowledge."""
    return _Plain(knowledge).made


def knowledge_of(made: Mapping[str, Any]) -> Knowledge:
    """The inverse of `plain`. Raises: LookupError, TypeError or ValueError for anything else."""
    units: list[Unit] = [(path, name) for path, names in made["units"] for name in names]
    named = units.__getitem__
    sets = [frozenset(map(named, accumulate(steps))) for steps in made["sets"]]
    processes = [_process(one, sets) for one in made["processes"]]
    return Knowledge(
        tests={
            test: Known(run, failed, None if seen is None else _seen(seen, processes, sets))
            for test, (run, failed, seen) in made["tests"].items()
        },
        sources={
            content_id: Source(
                content_id, {name: (unit, bound) for name, unit, bound in definitions}, effects
            )
            for content_id, (definitions, effects) in made["sources"].items()
        },
        modules={path: Module(*values) for path, values in made["modules"].items()},
        ran=Ran(
            _calls(made["callers"], units, sets),
            _calls(made["importers"], units, sets),
            set(sets[made["shared"]]),
            set(sets[made["often"]]),
        ),
    )


def _calls(
    made: Iterable[Sequence[int]], units: Sequence[Unit], sets: Sequence[frozenset[Unit]]
) -> dict[Unit, set[Unit]]:
    return {units[unit]: set(sets[callers]) for unit, callers in made}


def _process(made: Mapping[str, Any], sets: Sequence[frozenset[Unit]]) -> Process:
    return Process(
        run=made["run"],
        inputs=Inputs(
            made["sources"],
            made["data"],
            made["folders"],
            tuple(made["distributions"]),
            packages=made["packages"],
        ),
        outside=sets[made["outside"]],
        session=_trace(made["session"]),
        imports={path: _trace(one) for path, one in made["imports"].items()},
        readers={path: (sets[by], sets[handed]) for path, by, handed in made["readers"]},
        openings=tuple((sets[number], frozenset(reads)) for number, reads in made["openings"]),
        lives=tuple(
            Life(sets[number], frozenset(reads), before) for number, reads, before in made["lives"]
        ),
        variables=made["variables"],
        job=made["job"],
    )


def _trace(made: Sequence[Any]) -> Trace:
    reads, lists, unseen = made
    return Trace((), tuple(reads), tuple(lists), (), unseen)


def _seen(
    made: Sequence[Any], processes: Sequence[Process], sets: Sequence[frozenset[Unit]]
) -> Seen:
    process, units, reads, lists, unseen, elsewhere, what = made
    return Seen(
        processes[process],
        sets[units],
        frozenset(reads),
        frozenset(lists),
        unseen,
        None if elsewhere is None else sets[elsewhere],
        what,
    )


class _Plain:
    def __init__(self, knowledge: Knowledge) -> None:
        self._processes: dict[int, int] = {}
        self._sets: dict[frozenset[Unit], int] = {}
        several = [k.seen for k in knowledge.tests.values() if k.seen is not None]
        used = set[Unit]().union(*(seen.units | (seen.elsewhere or set()) for seen in several))
        for process in {id(seen.process): seen.process for seen in several}.values():
            used |= process.outside.union(*(by for by, _ in process.readers.values()))
            used = used.union(*process.stretches)
        for calls in (knowledge.ran.callers, knowledge.ran.importers):
            used |= calls.keys()
            used = used.union(*calls.values())
        used |= knowledge.ran.shared | knowledge.ran.often
        self._numbers = {unit: number for number, unit in enumerate(sorted(used))}
        self._made_processes: list[object] = []
        tests = {test: self._known(knowledge.tests[test]) for test in sorted(knowledge.tests)}
        ran = {
            "callers": list(self._calls(knowledge.ran.callers)),
            "importers": list(self._calls(knowledge.ran.importers)),
            "shared": self._set(frozenset(knowledge.ran.shared)),
            "often": self._set(frozenset(knowledge.ran.often)),
        }
        self.made: dict[str, object] = {
            **ran,
            "units": list(_grouped(self._numbers)),
            "sets": [self._steps(one) for one in self._sets],
            "processes": self._made_processes,
            "tests": tests,
            "sources": {
                one.id: [[[n, *prints] for n, prints in one.definitions.items()], one.effects]
                for one in knowledge.sources.values()
            },
            "modules": {
                path: [one.run, one.root, one.digest, one.content_id]
                for path, one in sorted(knowledge.modules.items())
            },
        }

    def _steps(self, units: frozenset[Unit]) -> list[int]:
        numbers = sorted(map(self._numbers.__getitem__, units))
        return [after - before for before, after in zip([0, *numbers], numbers, strict=False)]

    def _set(self, units: frozenset[Unit]) -> int:
        return self._sets.setdefault(units, len(self._sets))

    def _calls(self, calls: Mapping[Unit, set[Unit]]) -> Iterable[list[int]]:
        for unit, callers in sorted(calls.items()):
            if callers:
                yield [self._numbers[unit], self._set(frozenset(callers))]

    def _known(self, known: Known) -> list[object]:
        seen = known.seen
        if seen is None:
            return [known.run, known.failed, None]
        facts = [self._process(seen.process), self._set(seen.units)]
        elsewhere = None if seen.elsewhere is None else self._set(seen.elsewhere)
        return [
            known.run,
            known.failed,
            [*facts, sorted(seen.reads), sorted(seen.lists), seen.unseen, elsewhere, seen.what],
        ]

    def _process(self, process: Process) -> int:
        number = self._processes.get(id(process))
        if number is None:
            number = self._processes[id(process)] = len(self._processes)
            inputs = process.inputs
            self._made_processes.append(
                {
                    "run": process.run,
                    "sources": dict(inputs.sources),
                    "data": dict(inputs.data),
                    "folders": dict(inputs.folders),
                    "packages": dict(inputs.packages),
                    "distributions": list(inputs.distributions),
                    "outside": self._set(process.outside),
                    "readers": [
                        [path, self._set(by), self._set(handed)]
                        for path, (by, handed) in sorted(process.readers.items())
                    ],
                    "openings": [[self._set(u), sorted(reads)] for u, reads in process.openings],
                    "lives": [
                        [self._set(one.units), sorted(one.reads), one.before]
                        for one in process.lives
                    ],
                    "variables": None if process.variables is None else dict(process.variables),
                    "job": process.job,
                    "session": _plain_trace(process.session),
                    "imports": {path: _plain_trace(one) for path, one in process.imports.items()},
                }
            )
        return number


def _plain_trace(trace: Trace) -> list[object]:
    return [list(trace.reads), list(trace.lists), trace.unseen]


def _grouped(units: Iterable[Unit]) -> Iterable[list[object]]:
    """Sorted units as paths with the names in each."""
    found: dict[str, list[str]] = {}
    for path, name in units:
        found.setdefault(path, []).append(name)
    return ([path, names] for path, names in found.items())
