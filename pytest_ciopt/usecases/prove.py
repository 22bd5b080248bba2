"""Sharpens a selection with what earlier runs recorded: drops what is proved, adds what is owed.

A proof compares the inputs of a recorded run with what is there now, whatever commits lie between:
it needs no base. What is added is what the change since the base affects by the records, though no
import shows it, and what was not sound when it last ran.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain, islice

from pytest_ciopt.core.nodeids import module_of
from pytest_ciopt.core.proof.judge import Ground, affected, objection
from pytest_ciopt.core.proof.knowledge import Knowledge, gone
from pytest_ciopt.core.proof.seen import Seen
from pytest_ciopt.core.selection import Records, Selection, Verdict
from pytest_ciopt.usecases.differences import Present
from pytest_ciopt.usecases.grounds import Ask, Grounds
from pytest_ciopt.usecases.texts import Texts

FAILED_LAST = "failed last"
_LOOKED_AT = 20
"""Test files of which it is asked whether they load a module."""


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
        # What old runs saw of tests that are no longer there would be followed for nothing.
        ghosts = gone(knowledge)
        tests = {test: known for test, known in knowledge.tests.items() if test not in ghosts}
        knowledge = replace(knowledge, tests=tests)
        self.ask, self.knowledge, self.texts, self.present = ask, knowledge, texts, present
        self.grounds = Grounds(ask, knowledge, texts, present, by_name=by_name)
        self.whole: dict[str, str] = {}
        """Test files of which the records tell that all of their tests run, and why."""
        self.unproved: dict[str, str] = {}
        """Recorded tests that are neither proved nor owed, with why."""

    def run(self) -> Selection:
        grounds = self.grounds.all()
        proved: dict[str, str] = {}
        owed: dict[str, str] = {}
        for test, known in self.knowledge.tests.items():
            if known.bad:
                owed[test] = FAILED_LAST
            elif known.seen is not None:
                self._judge(test, known.seen, grounds[id(known.seen.process)], proved, owed)
        found = self._with(proved, owed)
        for path, cause in sorted(self.grounds.importing().items()):
            witness = self._witness(path, found)
            if witness is not None:
                how = "changed" if path == cause else f"{cause} may change"
                del proved[witness]
                owed[witness] = f"has to import {path}, which {how}"
                found = _with_witness(found, proved, owed, module_of(witness))
        return found

    def _with(self, proved: Mapping[str, str], owed: Mapping[str, str]) -> Selection:
        owing = self.whole.keys() | set(map(module_of, owed))
        records = Records(
            proved,
            owed,
            frozenset(owing),
            self._idle(proved, owed),
            dict(self.whole),
            dict(self.unproved),
        )
        return self.ask.selection._replace(records=records)

    def _judge(
        self,
        test: str,
        seen: Seen,
        ground: Ground,
        proved: dict[str, str],
        owed: dict[str, str],
    ) -> None:
        path = module_of(test)
        against = self._objection(test, seen, ground)
        if against is None:
            proved[test] = seen.process.run
            return
        if path in ground.whole:
            self.whole[path] = ground.whole[path]
        why = affected(test, seen, ground, self.ask.changed) or ground.whole.get(path)
        unseen = seen.unseen or ground.unseen.get(path)
        if unseen is None and seen.elsewhere is not None:
            # What it does now in processes that it starts, neither imports tell nor the record of
            # what it did before.
            unseen = why or objection(test, seen, ground)
        if unseen is not None and self.ask.selection.substantial:
            why = unseen
        if why is not None:
            owed[test] = why
        else:
            self.unproved[test] = against

    def _objection(self, test: str, seen: Seen, ground: Ground) -> str | None:
        """Why a test is not proved; None when it is."""
        if self.ask.job not in (None, seen.process.job):
            return "recorded by another CI job"
        if module_of(test) in self.grounds.firm:
            return "records do not see all that changed"
        return objection(test, seen, ground)

    def _witness(self, path: str, found: Selection) -> str | None:
        """A test that imports a module which binds something else, where no test file is imported
        in this run that does: perhaps it cannot be imported any more, and all of its tests fail."""
        users = set(filter(self.ask.is_asked_for, self.texts.users(path)))
        imported = (
            file
            for file in sorted(filter(self._is_tested, users))
            if found.verdict(file) is not Verdict.NONE
        )
        several = [*islice(imported, _LOOKED_AT)]
        if any(self.texts.loads(file, path) for file in several):
            return None
        tests = sorted(test for test in found.records.proved if module_of(test) in users)
        runs_in_it = (test for test in tests if self._executes(test, path))
        modules = [*islice(dict.fromkeys(map(module_of, tests)), _LOOKED_AT)]
        loading = next((one for one in modules if self.texts.loads(one, path)), None)
        in_it = (test for test in tests if module_of(test) == loading)
        others = () if several else tests
        return next(chain(runs_in_it, in_it, others), None)

    def _is_tested(self, path: str) -> bool:
        return path in self.grounds.test_files or self.texts.is_test_module(path)

    def _executes(self, test: str, path: str) -> bool:
        seen = self.knowledge.tests[test].seen
        return seen is not None and any(unit[0] == path for unit in seen.units)

    def _idle(self, proved: Mapping[str, str], owed: Mapping[str, str]) -> dict[str, str]:
        """Test files that need not be imported to see that all of their tests are proved."""
        tests: dict[str, list[str]] = {}
        for test in proved:
            tests.setdefault(module_of(test), []).append(test)
        owing = set(map(module_of, owed))
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


def _with_witness(
    found: Selection, proved: Mapping[str, str], owed: Mapping[str, str], file: str
) -> Selection:
    """A selection in which one more test of a file runs. Complexity: linear in the files."""
    before = found.records
    idle = {path: run for path, run in before.idle.items() if path != file}
    records = before._replace(proved=proved, owed=owed, owing=before.owing | {file}, idle=idle)
    return found._replace(records=records)
