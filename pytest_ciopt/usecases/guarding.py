"""Judges what a run covered by what is asked, by the change, and by the history."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from pytest_ciopt.adapters.changed_lines import changed_lines
from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.environment import variable
from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.adapters.history.facts import surroundings
from pytest_ciopt.adapters.history.index import UNREADABLE, ask
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.base import Base, NoBase
from pytest_ciopt.core.gates import coverage
from pytest_ciopt.core.gates.coverage import Before, Changed, Measured
from pytest_ciopt.core.gates.rules import Thresholds, percent, thresholds
from pytest_ciopt.core.gates.statements import changed_statements
from pytest_ciopt.core.gates.verdict import Ruling, Verdict
from pytest_ciopt.core.history.results import RunRow
from pytest_ciopt.core.history.totals import Totals

_BEHIND = 500
"""Commits before the base of which one may have what it lacks."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is asked of coverage; None where nothing is."""

    thresholds: Thresholds
    patch: Decimal | None
    drop: Decimal | None

    @property
    def compares(self) -> bool:
        """Whether a base is needed."""
        return self.patch is not None or self.drop is not None

    @property
    def gates(self) -> list[str]:
        """Names of the gates."""
        asked = [] if self.thresholds.total is None else ["coverage"]
        asked += [coverage.name_of(group) for group in self.thresholds.groups]
        asked += [] if self.patch is None else [coverage.PATCH]
        return asked + ([] if self.drop is None else [coverage.DROP])


Said = tuple[str, str]
"""A value, and the name of what said it."""


def said(flag: str | None, flag_name: str, name: str, configured: str) -> Said | None:
    """By the flag, the environment, or the option `name` of the configuration file."""
    if flag is not None:
        return flag, flag_name
    if value := variable(name.upper()):
        return value, name.upper()
    return (configured, name) if configured else None


def rules(lines: Iterable[str], total: Said | None, patch: Said | None, drop: Said | None) -> Rules:
    """`lines` are those of `ciopt_cov_fail_under`; `total` takes the place of theirs.

    Raises: ConfigurationError.
    """
    known = thresholds(lines, "ciopt_cov_fail_under")
    if total is not None:
        known = Thresholds(percent(*total), known.groups)
    return Rules(known, patch and percent(*patch), drop and percent(*drop))


@dataclass(frozen=True, slots=True)
class Place:
    """Where the run took place."""

    git: Git | None
    state: StateDir
    base: Base | NoBase | None


def judged(
    rules: Rules, measured: Measured, place: Place, partial: str | None, partial_patch: str | None
) -> list[Verdict]:
    """Verdicts in the order of `Rules.gates`. `partial` says why the run was not whole, and
    `partial_patch` why not all ran that the change can affect; None where all is well."""
    verdicts = coverage.judged(measured, rules.thresholds)
    if rules.patch is not None:
        changed = Changed(unknown=partial_patch) if partial_patch else _changed(place, measured)
        verdicts.append(coverage.patch(measured, changed, rules.patch))
    if rules.drop is not None and partial is None:
        verdicts.append(_drop(coverage.total(measured), place, rules.drop))
    elif rules.drop is not None:
        verdicts.append(Verdict(coverage.DROP, Ruling.UNKNOWN, ""))
    if partial is None:
        return verdicts
    return [
        one if one.gate == coverage.PATCH else Verdict(one.gate, Ruling.UNKNOWN, partial)
        for one in verdicts
    ]


def _changed(place: Place, measured: Measured) -> Changed:
    if place.git is None:
        return Changed(unknown="this is no git repository")
    if not isinstance(place.base, Base):
        return Changed(unknown="no base" if place.base is None else place.base.why)
    try:
        lines = changed_lines(place.git, place.base.commit)
    except GitError as error:
        return Changed(unknown=error.what)
    found = {}
    for path in lines.keys() & measured.keys():
        try:
            source = (place.git.top / path).read_bytes()
        except OSError:
            continue  # it is gone
        found[path] = changed_statements(source, lines[path])
    return Changed(found, tuple(sorted(lines.keys() - measured.keys())))


def _drop(now_covered: Totals, place: Place, allowed: Decimal) -> Verdict:
    if place.git is None or not isinstance(place.base, Base):
        why = "this is no git repository" if place.git is None else "no base"
        if isinstance(place.base, NoBase):
            why = place.base.why
        return Verdict(coverage.DROP, Ruling.UNKNOWN, why)
    try:
        before = _before(place.git, place.base.commit, place.state)
    except UNREADABLE as error:
        return Verdict(coverage.DROP, Ruling.UNKNOWN, f"the history cannot be read: {error}")
    except GitError as error:
        return Verdict(coverage.DROP, Ruling.UNKNOWN, error.what)
    return coverage.drop(now_covered, before, allowed)


def _before(git: Git, base: str, state: StateDir) -> Before | None:
    """Of the base, or of the nearest commit before it that has any."""
    stored, _ = ask(state, now(), lambda index: dict(_stored(index.runs())))
    for behind, commit in enumerate(_commits(git, base) if stored else ()):
        if commit in stored:
            return Before(stored[commit], commit, behind)
    return None


def _commits(git: Git, base: str) -> list[str]:
    return git.line("rev-list", f"--max-count={_BEHIND}", "--first-parent", base).split()


def _stored(runs: list[RunRow]) -> Iterator[tuple[str, Totals]]:
    """By commit, the newest last; of whole runs of this environment on what was committed."""
    environment = surroundings().key
    for run in sorted(runs, key=lambda run: run.start.started):
        covered = None if run.end is None else run.end.coverage
        same = run.start.environment.key == environment
        if covered is not None and run.start.commit is not None and same and not run.start.dirty:
            yield run.start.commit, covered
