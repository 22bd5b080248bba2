"""The index of a history without files: plain loops, slow and easy to believe."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

from pytest_ciopt.adapters.history.filling import KEPT
from pytest_ciopt.core.history.estimates import Estimate, estimated
from pytest_ciopt.core.history.limits import Slowest
from pytest_ciopt.core.history.results import GOOD, Kind, Outcome, Result, RunResults, RunRow
from pytest_ciopt.core.history.toll import Suite

BAD_OR_RERUN = ("F", "E", "R")


class FakeIndex:
    """Answers what `Index` answers, from runs in memory."""

    def __init__(self, runs: Iterable[RunResults]) -> None:
        once = {run.start.run: run for run in runs}
        self._runs = [once[run] for run in sorted(once)]

    def runs(self, limit: int = -1) -> list[RunRow]:
        found = [_row(run) for run in reversed(self._runs)]
        return found if limit < 0 else found[:limit]

    def runs_like(self, prefix: str) -> list[RunRow]:
        return [
            row
            for row in self.runs()
            if row.start.run.startswith(prefix) or row.start.run[13:].startswith(prefix)
        ]

    def _kept(self, kind: Kind) -> dict[tuple[str, str], list[tuple[RunResults, Result]]]:
        found: defaultdict[tuple[str, str], list[tuple[RunResults, Result]]] = defaultdict(list)
        for run in self._runs:
            for (its, name), result in run.results.items():
                if its is kind:
                    found[run.start.environment.key, name].append((run, result))
        return {key: several[-KEPT:] for key, several in found.items()}

    def estimates(self, kind: Kind) -> dict[str, dict[str, Estimate]]:
        found: dict[str, dict[str, Estimate]] = {
            run.start.environment.key: {} for run in self._runs
        }
        for (place, name), several in self._kept(kind).items():
            found[place][name] = estimated([result for _, result in several])
        return found

    def suites(self) -> dict[str, Suite]:
        known = self.estimates(Kind.TEST)
        return {
            name: Suite(len(of), sum(one.seconds for one in of.values()))
            for name, of in known.items()
            if of
        }

    def results(self, kind: Kind, name: str) -> list[tuple[RunRow, Result]]:
        found = [
            (_row(run), result)
            for (_, its), several in self._kept(kind).items()
            for run, result in several
            if its == name
        ]
        return sorted(found, key=lambda pair: pair[0].start.run)

    def failures(self, limit: int = -1) -> Iterator[tuple[str, str, Result]]:
        found = [
            (name, run.start.run, result)
            for kind in (Kind.TEST, Kind.MODULE)
            for (_, name), several in self._kept(kind).items()
            for run, result in several
            if result.outcome in BAD_OR_RERUN
        ]
        found.sort(key=lambda one: (_falling(one[1]), one[0].encode("utf-8", "surrogatepass")))
        yield from found if limit < 0 else found[:limit]

    def commits_of(self, file: str) -> list[str]:
        commits = [
            run.start.commit
            for run in reversed(self._runs)
            if any(k is Kind.TEST and name.startswith(f"{file}::") for k, name in run.results)
        ]
        return [commit for commit in commits if commit is not None]

    def slowest(self) -> dict[str, Slowest]:
        most = {
            kind: self._most(kind, good)
            for kind, good in ((Kind.FIXTURE, frozenset(Outcome)), (Kind.TEST, GOOD))
        }
        shared = sum(most[Kind.FIXTURE].values()) / 1e6
        return {name: Slowest(micro / 1e6, shared) for name, micro in most[Kind.TEST].items()}

    def _most(self, kind: Kind, good: Collection[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for (_, name), several in self._kept(kind).items():
            for _, one in several:
                if one.outcome in good:
                    took = one.setup + one.call + one.teardown
                    found[name] = max(took, found.get(name, 0))
        return found

    def subjects(self, kind: Kind) -> list[str]:
        names = {name for run in self._runs for its, name in run.results if its is kind}
        return sorted(names, key=lambda name: name.encode("utf-8", "surrogatepass"))


def _row(run: RunResults) -> RunRow:
    return RunRow(run.start, run.end, run.counts, run.seconds, "")


def _falling(run: str) -> Sequence[int]:
    return [-ord(letter) for letter in run]
