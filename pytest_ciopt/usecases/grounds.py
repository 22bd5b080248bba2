"""What the change concerns in each process of which runs were recorded, and whom."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property

from pytest_ciopt.core.history.traces import BODY, Trace
from pytest_ciopt.core.nodeids import module_of
from pytest_ciopt.core.proof import children, examples
from pytest_ciopt.core.proof.evidence import Evidence
from pytest_ciopt.core.proof.judge import Ground, Stale, lies_in, looked_at, reinstalled
from pytest_ciopt.core.proof.knowledge import Knowledge
from pytest_ciopt.core.proof.seen import Process, Unit
from pytest_ciopt.core.proof.spread import CHANGED_EFFECTS, Impact, Lookup, Spread
from pytest_ciopt.core.proof.stretches import Firsts, OfRead
from pytest_ciopt.core.selection import Selection, Verdict
from pytest_ciopt.usecases.differences import Differences, Present
from pytest_ciopt.usecases.texts import Texts

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
    is_asked_for: Callable[[str], bool] = lambda path: True
    """Whether tests are collected from a file."""


class Grounds:
    """Looks at the processes, for one decision."""

    def __init__(
        self,
        ask: Ask,
        knowledge: Knowledge,
        texts: Texts,
        present: Present,
        *,
        by_name: bool,
    ) -> None:
        """For `by_name` see `Spread`."""
        self._ask, self._knowledge, self._texts, self._present = ask, knowledge, texts, present
        self._by_name = by_name
        seen = [known.seen for known in knowledge.tests.values() if known.seen is not None]
        self._processes = {id(one.process): one.process for one in seen}
        self._elsewhere = frozenset(path for one in seen for path, _ in one.elsewhere or ())
        """Modules that processes loaded which tests started."""
        self._examples = examples.files_of(knowledge)
        self._evidence = Evidence(knowledge)
        self._differences = Differences(knowledge.sources, texts, present)
        self._reinstalled: dict[tuple[str, ...], tuple[str | None, Mapping[str, str]]] = {}
        self._stale = {number: self._differing(one) for number, one in self._processes.items()}
        self._made: dict[str, str] = {}
        """Modules in which something is made otherwise, and the changed one that is the cause."""
        self.test_files = frozenset(map(module_of, knowledge.tests))
        self.firm = ask.firm | ask.reach(self._unread())
        """Files whose tests run for a reason that no record can answer."""

    def all(self) -> dict[int, Ground]:
        """By the `id` of each process."""
        older = {old for number in self._processes for old in self._older(number)}
        self._differences.fetch(older)
        return {
            number: self._ground(process, self._stale[number])
            for number, process in self._processes.items()
        }

    def importing(self) -> dict[str, str]:
        """Modules whose import does something else than whenever they were loaded, and the changed
        one that is the cause, after `all`."""
        found = {path: cause for path, cause in self._made.items() if cause not in self._as_now}
        return found | {path: path for path in self._rebinding()}

    @cached_property
    def _as_now(self) -> frozenset[str]:
        """Modules that some process has loaded as they are, files that it has read, and folders,
        with a slash, that it has listed."""
        found = set[str]()
        for number, one in self._processes.items():
            inputs, stale = one.inputs, self._stale[number]
            found |= inputs.sources.keys() - stale.sources.keys()
            found |= inputs.data.keys() - stale.data
            found.update(f"{folder}/" for folder in inputs.folders.keys() - stale.folders)
        return frozenset(found)

    def _rebinding(self) -> set[str]:
        """Modules that changed in what their import does, since they were loaded."""
        return {
            path
            for one in self._stale.values()
            for path, old in one.sources.items()
            if path not in self._as_now
            and (difference := self._differences.of(path, old)) is not None
            and (difference.bindings or difference.effects)
        }

    def _unread(self) -> dict[str, str]:
        """Of data that nobody was seen to read: C code may have, or something that keeps a copy
        elsewhere. So no record tells whom it concerns."""
        read = set[str]().union(*(one.inputs.data for one in self._processes.values()))
        seeds = (some for path, some in self._ask.data.items() if path not in read)
        return {path: why for some in seeds for path, why in some.items()}

    def _older(self, number: int) -> Iterable[str]:
        """Of modules that differ now, those included that only processes of tests loaded."""
        stale = self._stale[number]
        yield from stale.sources.values()
        data = self._processes[number].inputs.data
        yield from (data[path] for path in sorted(stale.data & self._elsewhere))

    # --- what differs ----------------------------------------------------------------------------

    def _differing(self, process: Process) -> Stale:
        inputs, present = process.inputs, self._present
        sources = {p: old for p, old in inputs.sources.items() if not present.has(p, old)}
        return Stale(
            {p: old for p, old in sources.items() if not self._is_of_another_build(p, old)},
            {p for p, old in inputs.data.items() if not present.has(p, old)},
            {p for p, old in inputs.folders.items() if not present.holds(p, old)},
            {p for p, old in inputs.packages.items() if not present.offers(p, old)},
        )

    def _is_of_another_build(self, path: str, old: str) -> bool:
        """Whether a file that git ignores only names another version: a base, which git compares,
        does not tell of it, either."""
        if path in self._ask.selection.modules or old not in self._knowledge.sources:
            return False
        difference = self._differences.of(path, old)
        return difference is not None and difference.only_of_versions

    # --- whom it concerns ------------------------------------------------------------------------

    def _ground(self, process: Process, stale: Stale) -> Ground:
        distributions = reinstalled(process, self._present.distributions)
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
            process, self._knowledge, concerned, substantial=self._ask.selection.substantial
        )
        impacts: list[Impact] = []
        affected_units: dict[Unit, str] = {}
        files: dict[str, str] = {}
        for path, impact in self._impacts(process, stale, started):
            impacts.append(impact)
            for one in impact.made:
                self._made.setdefault(one, path)
            for unit in impact.units:
                affected_units.setdefault(unit, path)
            for seen, why in sorted(impact.closures.items()):
                self._add_users(files, seen, f"{path}: {why}")
            if self._may_end and self.test_files <= files.keys():
                break  # all tests run
        for path in new:
            self._add_users(files, path, f"{path} may be new")
        for path, imported in sorted(importers.items()):
            self._add_users(files, path, f"{path} imports {imported}")
        for path, trace in sorted(process.imports.items()):
            if not stale.data.isdisjoint(trace.reads) or not stale.folders.isdisjoint(trace.lists):
                self._add_users(files, path, f"{path} reads what changed")
        followed = self._followed(distributions, files, impacts)
        with_examples = self._examples.get(id(process), ())
        return replace(
            concerned,
            units=affected_units,
            files=files,
            whole=whole,
            unseen=unseen,
            examples=dict(examples.concerned(with_examples, followed, self._texts)),
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
        loaded = self._ask.unreached & stale.sources.keys()
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
        return looked_at(data, folders, self._ask.changed)

    def _children(
        self, process: Process, stale: Stale, distributions: Sequence[str], new: Iterable[str]
    ) -> Ground:
        """What concerns processes that tests started."""
        nearest = sorted(new, key=lambda path: (path not in self._ask.added, path))
        return Ground(
            data=frozenset(stale.data),
            folders=frozenset(stale.folders),
            elsewhere=children.elsewhere(self._elsewhere, process, stale, self._differences.of),
            children=children.unimported(process, stale, distributions, nearest, self._ask.ruled),
        )

    def _importers(self, distributions: tuple[str, ...]) -> tuple[str | None, Mapping[str, str]]:
        """Whom it concerns that these are not what they were."""
        if distributions not in self._reinstalled:
            found = self._ask.importers(distributions) if distributions else (None, {})
            self._reinstalled[distributions] = found
        return self._reinstalled[distributions]

    def _spread(self, lookup: Lookup, firsts: Firsts | OfRead) -> Spread:
        return Spread(
            lookup,
            firsts,
            by_name=self._by_name,
            concerns_all=lambda path: self._may_end and self.test_files <= self._texts.users(path),
        )

    def _new(self, process: Process, stale: Stale) -> Iterable[str]:
        """Modules that were not loaded and may not have been there."""
        near = {f for f in self._texts.files if lies_in(f, stale.packages)}
        elsewhere = self._elsewhere & process.inputs.data.keys()
        return (near | self._ask.added) - process.inputs.sources.keys() - elsewhere

    @cached_property
    def _may_end(self) -> bool:
        """Whether imports alone select all tests that are known: then nobody needs to know more as
        soon as none of them is proved."""
        return all(self._ask.selection.verdict(f) is Verdict.ALL for f in self.test_files)

    def _add_users(self, files: dict[str, str], path: str, why: str) -> None:
        for user in self._texts.users(path):
            files.setdefault(user, why)

    def _impacts(
        self, process: Process, stale: Stale, started: Set[str]
    ) -> Iterator[tuple[str, Impact]]:
        """What each changed input affects, beside what one before it has; first what differs from
        the base, and what concerns whoever can import it."""
        if not (stale.sources or stale.data or stale.folders or started):
            return
        self._texts.recorded_with(process.inputs.sources, self._present)
        changed = self._ask.changed
        order = sorted(stale.sources.items(), key=lambda one: (one[0] not in changed, one))
        found = {path: self._differences.of(path, old) for path, old in order}
        for path, difference in found.items():
            if difference is None:
                yield path, self._unknown(path)
            elif difference.effects:
                yield path, Impact({(path, BODY)}, {path: CHANGED_EFFECTS})
        firsts, lookup = Firsts(process), Lookup(self._texts, self._evidence)
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
        inside = {unit for unit in self._evidence.units if unit[0] == path}
        return Impact({(path, BODY), *inside}, {path: "what changed in it cannot be told"})
