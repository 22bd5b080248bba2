"""Sharpens a selection with what earlier runs recorded: drops what is proved, adds what is owed.

A proof compares the inputs of a recorded run with what is there now, whatever commits lie between:
it needs no base. What is added is what the change since the base affects by the records, though no
import shows it, and what was not sound when it last ran.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property

from pytest_ciopt.core.history.traces import BODY, Trace
from pytest_ciopt.core.proof import children, examples
from pytest_ciopt.core.proof.evidence import Evidence
from pytest_ciopt.core.proof.judge import (
    Ground,
    Stale,
    affected,
    lies_in,
    looked_at,
    objection,
    reinstalled,
)
from pytest_ciopt.core.proof.knowledge import Knowledge, gone
from pytest_ciopt.core.proof.seen import Known, Process, Unit
from pytest_ciopt.core.proof.spread import CHANGED_EFFECTS, Impact, Lookup, Spread
from pytest_ciopt.core.proof.stretches import Firsts, OfRead
from pytest_ciopt.core.selection import Records, Selection, Verdict
from pytest_ciopt.usecases.differences import Differences, Present
from pytest_ciopt.usecases.texts import Texts

FAILED_LAST = "failed last"

Importers = Callable[[Sequence[str]], tuple[str | None, Mapping[str, str]]]
"""Of changed distributions: why they concern every test, or who imports what they can alter, and
what that is."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a selection leaves to be proved."""

    selection: Selection
    importers: Importers
    changed: frozenset[str]
    """Files that differ from the base, be it in their comments: a test may read those."""
    added: frozenset[str]
    """Of those the Python files that the base does not have."""
    firm: frozenset[str]
    """Files whose tests run for a reason that no record can answer."""
    data: Mapping[str, Mapping[str, str]]
    """Data that changed, by its path before, with where the search for whom it concerns begins."""
    reach: Callable[[Mapping[str, str]], frozenset[str]]
    """Files that imports lead to from there."""
    ruled: str | None = None
    """A changed file of which a rule tells whom it concerns, or imports of what is installed."""
    unreached: frozenset[str] = frozenset()
    """Edited modules that nothing imports: whatever loads them does so in a way of its own."""
    job: str | None = None
    """Of which CI job records have to be, to leave a test out; None: of any."""


def prove(
    ask: Ask,
    knowledge: Knowledge,
    texts: Texts,
    present: Present,
    *,
    by_name: bool = True,
) -> Selection:
    """The selection with `records` filled in. For `by_name` see `Spread`."""
    return _Prove(ask, knowledge, texts, present, by_name).run()


class _Prove:
    def __init__(
        self,
        ask: Ask,
        knowledge: Knowledge,
        texts: Texts,
        present: Present,
        by_name: bool,
    ) -> None:
        self.by_name = by_name
        # What old runs saw of tests that are no longer there would be followed for nothing.
        ghosts = gone(knowledge)
        tests = {test: known for test, known in knowledge.tests.items() if test not in ghosts}
        knowledge = replace(knowledge, tests=tests)
        self.ask, self.knowledge, self.texts, self.present = ask, knowledge, texts, present
        self.processes = {
            id(known.seen.process): known.seen.process
            for known in knowledge.tests.values()
            if known.seen is not None
        }
        self.examples = examples.files_of(knowledge)
        self.evidence = Evidence(knowledge)
        seen = (known.seen for known in knowledge.tests.values() if known.seen is not None)
        self.elsewhere = frozenset(path for one in seen for path, _ in one.elsewhere or ())
        """Modules that processes loaded which tests started."""
        self.test_files = frozenset(map(_file, knowledge.tests))
        self.firm = ask.firm | ask.reach(self._unread())
        self.differences = Differences(knowledge.sources, texts, present)
        self.whole: dict[str, str] = {}
        self.reinstalled: dict[tuple[str, ...], tuple[str | None, Mapping[str, str]]] = {}

    def run(self) -> Selection:
        stale = {number: self._stale(one) for number, one in self.processes.items()}
        older = {old for number, one in stale.items() for old in self._older(number, one)}
        self.differences.fetch(older)
        grounds = {
            number: self._ground(process, stale[number])
            for number, process in self.processes.items()
        }
        proved: dict[str, str] = {}
        owed: dict[str, str] = {}
        for test, known in self.knowledge.tests.items():
            self._judge(test, known, grounds, proved, owed)
        found = self._with(proved, owed)
        for path in sorted(self._rebinding(stale)):
            witness = self._witness(path, found)
            if witness is not None:
                del proved[witness]
                owed[witness] = f"has to import {path}, which changed"
                found = self._with(proved, owed)
        return found

    def _unread(self) -> dict[str, str]:
        """Of data that nobody was seen to read: C code may have, or something that keeps a copy
        elsewhere. So no record tells whom it concerns."""
        read = set[str]().union(*(one.inputs.data for one in self.processes.values()))
        seeds = (some for path, some in self.ask.data.items() if path not in read)
        return {path: why for some in seeds for path, why in some.items()}

    def _older(self, number: int, stale: Stale) -> Iterable[str]:
        """Of modules that differ now, those included that only processes of tests loaded."""
        yield from stale.sources.values()
        data = self.processes[number].inputs.data
        yield from (data[path] for path in sorted(stale.data & self.elsewhere))

    def _with(self, proved: Mapping[str, str], owed: Mapping[str, str]) -> Selection:
        owing = self.whole.keys() | set(map(_file, owed))
        records = Records(
            proved, owed, frozenset(owing), self._idle(proved, owed), dict(self.whole)
        )
        return self.ask.selection._replace(records=records)

    def _judge(
        self,
        test: str,
        known: Known,
        grounds: Mapping[int, Ground],
        proved: dict[str, str],
        owed: dict[str, str],
    ) -> None:
        path = _file(test)
        if known.bad:
            owed[test] = FAILED_LAST
        elif known.seen is not None:
            ground = grounds[id(known.seen.process)]
            if (
                self.ask.job in (None, known.seen.process.job)
                and path not in self.firm
                and objection(path, known.seen, ground) is None
            ):
                proved[test] = known.seen.process.run
            else:
                if path in ground.whole:
                    self.whole[path] = ground.whole[path]
                why = affected(known.seen, ground, self.ask.changed) or ground.whole.get(path)
                unseen = known.seen.unseen or ground.unseen.get(path)
                if unseen is None and known.seen.elsewhere is not None:
                    # What it does now in processes that it starts, neither imports tell nor the
                    # record of what it did before.
                    unseen = why or objection(path, known.seen, ground)
                if unseen is not None and self.ask.selection.substantial:
                    why = unseen
                if why is not None:
                    owed[test] = why

    def _witness(self, path: str, found: Selection) -> str | None:
        """A test that imports a module which binds something else, where no test file is imported
        that does: perhaps it cannot be imported any more, and all of its tests fail."""
        users = self.texts.users(path)
        if any(found.verdict(file) is not Verdict.NONE for file in users if self._is_tested(file)):
            return None
        tests = sorted(test for test in found.records.proved if _file(test) in users)
        runs_in_it = (test for test in tests if self._executes(test, path))
        return next(runs_in_it, tests[0] if tests else None)

    def _is_tested(self, path: str) -> bool:
        return path in self.test_files or self.texts.is_test_module(path)

    def _rebinding(self, stale: Mapping[int, Stale]) -> set[str]:
        """Modules whose import does something else than whenever they were loaded."""
        as_now = {
            path
            for number, one in self.processes.items()
            for path in one.inputs.sources.keys() - stale[number].sources.keys()
        }
        return {
            path
            for one in stale.values()
            for path, old in one.sources.items()
            if path not in as_now
            and (difference := self.differences.of(path, old)) is not None
            and (difference.bindings or difference.effects)
        }

    def _executes(self, test: str, path: str) -> bool:
        seen = self.knowledge.tests[test].seen
        return seen is not None and any(unit[0] == path for unit in seen.units)

    def _idle(self, proved: Mapping[str, str], owed: Mapping[str, str]) -> dict[str, str]:
        """Test files that need not be imported to see that all of their tests are proved."""
        tests: dict[str, list[str]] = {}
        for test in proved:
            tests.setdefault(_file(test), []).append(test)
        owing = set(map(_file, owed))
        found = {}
        for path, ids in tests.items():
            module = self.knowledge.modules.get(path)
            if (
                module is not None
                and path not in owing
                and module.content_id is not None
                and self.present.has(path, module.content_id)
                and module.held(ids)
            ):
                found[path] = max(proved[test] for test in ids)
        return found

    # --- what differs ----------------------------------------------------------------------------

    def _stale(self, process: Process) -> Stale:
        inputs, present = process.inputs, self.present
        return Stale(
            {p: old for p, old in inputs.sources.items() if not present.has(p, old)},
            {p for p, old in inputs.data.items() if not present.has(p, old)},
            {p for p, old in inputs.folders.items() if not present.holds(p, old)},
            {p for p, old in inputs.packages.items() if not present.offers(p, old)},
        )

    # --- whom it concerns ------------------------------------------------------------------------

    def _ground(self, process: Process, stale: Stale) -> Ground:
        distributions = reinstalled(process, self.present.distributions)
        everybody, importers = self._importers(distributions)
        unseen: dict[str, str] = {}
        for path, trace in sorted(process.imports.items()):
            if trace.unseen is not None:
                self._add_users(unseen, path, f"{path} {trace.unseen}")
        shaken = process.session.unseen or everybody or self._shaken(process, stale)
        whole = self._whole(process, stale)
        if shaken is not None:
            return Ground(shaken=shaken, children=shaken, unseen=unseen, whole=whole)
        new = sorted(self._new(process, stale))
        concerned = self._children(process, stale, distributions, new)
        started = children.started(
            process, self.knowledge, concerned, substantial=self.ask.selection.substantial
        )
        impacts: list[Impact] = []
        affected_units: dict[Unit, str] = {}
        files: dict[str, str] = {}
        for path, impact in self._impacts(process, stale, started):
            impacts.append(impact)
            for unit in impact.units:
                affected_units.setdefault(unit, path)
            for seen, why in sorted(impact.closures.items()):
                self._add_users(files, seen, f"{path}: {why}")
            if self.may_end and self.test_files <= files.keys():
                break  # all tests run
        for path in new:
            self._add_users(files, path, f"{path} may be new")
        for path, imported in sorted(importers.items()):
            self._add_users(files, path, f"{path} imports {imported}")
        for path, trace in sorted(process.imports.items()):
            if not stale.data.isdisjoint(trace.reads) or not stale.folders.isdisjoint(trace.lists):
                self._add_users(files, path, f"{path} reads what changed")
        followed = self._followed(distributions, files, impacts)
        with_examples = self.examples.get(id(process), ())
        return replace(
            concerned,
            units=affected_units,
            files=files,
            whole=whole,
            unseen=unseen,
            examples=dict(examples.concerned(with_examples, followed, self.texts)),
        )

    def _followed(
        self, distributions: Sequence[str], files: Mapping[str, str], impacts: Sequence[Impact]
    ) -> examples.Followed:
        return examples.Followed(
            names=set[str]().union(*(one.names for one in impacts)),
            modules=set[str]().union(*(one.modules for one in impacts)),
            reasons=(
                *(f"{one} is another version" for one in distributions),
                *(files[path] for path in sorted(files)),
                *sorted(self.firm),
                *(f"{one.collecting} makes tests" for one in impacts if one.collecting),
            ),
        )

    def _shaken(self, process: Process, stale: Stale) -> str | None:
        """Which change lets nothing be proved that ran in a process; None when none does."""
        loaded = self.ask.unreached & stale.sources.keys()
        if loaded:
            return f"{min(loaded)} was loaded, and by whom cannot be told"
        read = stale.data & set(process.session.reads)
        if read or stale.folders & set(process.session.lists):
            return f"{min(read or stale.folders)} changed, which was read for all"
        return None

    def _whole(self, process: Process, stale: Stale) -> dict[str, str]:
        """Files whose tests were made of what differs from the base, or may have been."""
        whole: dict[str, str] = {}
        for path, trace in sorted(process.imports.items()):
            what = self._looked_at(trace, stale)
            if what is not None:
                self._add_users(whole, path, f"{path} {what}")
        what = self._looked_at(process.session, stale)
        if what is not None:
            whole |= dict.fromkeys(self.test_files - whole.keys(), f"a hook {what}")
        return whole

    def _looked_at(self, trace: Trace, stale: Stale) -> str | None:
        data = stale.data.intersection(trace.reads)
        folders = stale.folders.intersection(trace.lists)
        return looked_at(data, folders, self.ask.changed)

    def _children(
        self, process: Process, stale: Stale, distributions: Sequence[str], new: Iterable[str]
    ) -> Ground:
        """What concerns processes that tests started."""
        nearest = sorted(new, key=lambda path: (path not in self.ask.added, path))
        return Ground(
            data=frozenset(stale.data),
            folders=frozenset(stale.folders),
            elsewhere=children.elsewhere(self.elsewhere, process, stale, self.differences.of),
            children=children.unimported(process, stale, distributions, nearest, self.ask.ruled),
        )

    def _importers(self, distributions: tuple[str, ...]) -> tuple[str | None, Mapping[str, str]]:
        """Whom it concerns that these are not what they were."""
        if distributions not in self.reinstalled:
            found = self.ask.importers(distributions) if distributions else (None, {})
            self.reinstalled[distributions] = found
        return self.reinstalled[distributions]

    def _spread(self, lookup: Lookup, firsts: Firsts | OfRead) -> Spread:
        return Spread(
            lookup,
            firsts,
            by_name=self.by_name,
            concerns_all=lambda path: self.may_end and self.test_files <= self.texts.users(path),
        )

    def _new(self, process: Process, stale: Stale) -> Iterable[str]:
        """Modules that were not loaded and may not have been there."""
        near = {f for f in self.texts.files if lies_in(f, stale.packages)}
        elsewhere = self.elsewhere & process.inputs.data.keys()
        return (near | self.ask.added) - process.inputs.sources.keys() - elsewhere

    @cached_property
    def may_end(self) -> bool:
        """Whether imports alone select all tests that are known: then nobody needs to know more as
        soon as none of them is proved."""
        return all(self.ask.selection.verdict(f) is Verdict.ALL for f in self.test_files)

    def _add_users(self, files: dict[str, str], path: str, why: str) -> None:
        for user in self.texts.users(path):
            files.setdefault(user, why)

    def _impacts(
        self, process: Process, stale: Stale, started: Set[str]
    ) -> Iterator[tuple[str, Impact]]:
        """What each changed input affects, beside what one before it has; first what differs from
        the base, and what concerns whoever can import it."""
        if not (stale.sources or stale.data or stale.folders or started):
            return
        self.texts.recorded_with(process.inputs.sources, self.present)
        changed = self.ask.changed
        order = sorted(stale.sources.items(), key=lambda one: (one[0] not in changed, one))
        found = {path: self.differences.of(path, old) for path, old in order}
        for path, difference in found.items():
            if difference is None:
                yield path, self._unknown(path)
            elif difference.effects:
                yield path, Impact({(path, BODY)}, {path: CHANGED_EFFECTS})
        firsts, lookup = Firsts(process), Lookup(self.texts, self.evidence)
        spread = self._spread(lookup, firsts)
        for path, difference in found.items():
            if difference is None:
                continue
            if spread.is_over:
                spread = self._spread(lookup, firsts)
            yield path, spread.add(path, difference)
        for path in sorted({*stale.data, *(f"{folder}/" for folder in stale.folders)}):
            if path in process.readers:  # whom it concerns beside those that were seen to read it
                reading = self._spread(lookup, firsts.of_reads({path}))
                yield path, reading.add_read(*process.readers[path])
        if started:
            reading = self._spread(lookup, firsts.of_reads(started))
            units, handed = zip(*map(process.readers.__getitem__, started), strict=True)
            of_all = (frozenset[Unit]().union(*several) for several in (units, handed))
            yield min(changed, default=""), reading.add_read(*of_all)

    def _unknown(self, path: str) -> Impact:
        """Of a file that is gone, or whose older text is."""
        inside = {unit for unit in self.evidence.units if unit[0] == path}
        return Impact({(path, BODY), *inside}, {path: "what changed in it cannot be told"})


def _file(test: str) -> str:
    return test.partition("::")[0]
