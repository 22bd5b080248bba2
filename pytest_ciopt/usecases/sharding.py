"""Finds the plan by which the shards of a run agree.

Agreement comes before balance: two shards that do not hold the same plan lose tests. So a plan is
read from the file that was named; or it is made from what all shards see alike; or, on one machine,
the first shard makes it and the others find it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from pytest_ciopt.adapters import plans
from pytest_ciopt.adapters.environment import environ
from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.adapters.history.facts import surroundings
from pytest_ciopt.adapters.paths import folders_above
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.ci import in_ci
from pytest_ciopt.core.history.others.found import ForeignError
from pytest_ciopt.core.history.others.recognise import read
from pytest_ciopt.core.history.records import Attempt
from pytest_ciopt.core.nodeids import repository_id
from pytest_ciopt.core.plan.document import PlanError
from pytest_ciopt.core.plan.packing import ALGORITHM
from pytest_ciopt.core.plan.plan import DURATIONS, HISTORY, SIZES, Plan, planned
from pytest_ciopt.core.plan.position import Position
from pytest_ciopt.errors import CioptError, reason
from pytest_ciopt.report.tables import printable
from pytest_ciopt.settings import Discovery, Rules
from pytest_ciopt.usecases import planning
from pytest_ciopt.usecases.planning import Tree
from pytest_ciopt.usecases.uncommitted import differing, uncommitted

_BETTER = (
    "shards are balanced by the size of test files: `ciopt plan` makes a plan from durations, "
    "which all jobs then use (--ciopt-plan)"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run says of its shard."""

    position: Position
    top: Path
    git: Git | None
    state: StateDir
    tests: Discovery
    places: tuple[str, ...] = ("",)
    """What pytest is told to collect, see `planning.tree`."""
    plan: Path | None = None
    durations: Path | None = None
    """A file in the repository."""
    private: bool = True
    """Whether the history counts: it is known to no other machine, or to all of them."""
    rules: Rules = field(default_factory=Rules)
    given: frozenset[str | None] = frozenset()
    """Files that the run writes or is told, see `usecases.uncommitted`."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """The plan, and lines that people should see."""

    plan: Plan
    told: tuple[str, ...] = ()


def agreed(asked: Asked) -> Agreed:
    """The plan of a run. Raises: CioptError for files that cannot be used."""
    if asked.plan is not None:
        return _from_file(asked, asked.plan)
    if asked.position.shards == 1:
        return Agreed(Plan(1, {}, origin=SIZES))
    where = planning.tree(asked.top, asked.git, asked.tests, asked.places)
    if asked.durations is not None:
        seconds = durations_in(asked.durations, where.sizes, where.top)
        work = planning.by_durations(seconds, where)
        shards = asked.position.shards
        return Agreed(planned(work.modules, shards, origin=DURATIONS, groups=work.groups))
    if asked.private:
        return _from_history(asked, where)
    return _from_sizes(asked, where, _BETTER)


def _from_file(asked: Asked, path: Path) -> Agreed:
    try:
        plan = plans.read(path)
    except (PlanError, OSError) as error:
        raise CioptError(f"--ciopt-plan: {path} cannot be used: {reason(error)}") from None
    if plan.shards != asked.position.shards:
        raise CioptError(
            f"--ciopt-shard is {asked.position}, but {path} is a plan for {plan.shards:,} shards",
            "All jobs must use one plan.",
        )
    head = None if asked.git is None else asked.git.commit("HEAD")
    if plan.commit is None or head is None or plan.commit == head:
        _check_edits(asked, plan, head)
        return Agreed(plan)
    told = f"the plan is of commit {plan.commit[:12]}, not of {head[:12]}"
    if plan.base is not None:
        raise CioptError(f"--ciopt-plan: {told}", "What it selects is not what this commit needs.")
    return Agreed(plan, (told,))


def _check_edits(asked: Asked, plan: Plan, head: str | None) -> None:
    """Whether a plan of a selection is of what lies here. Raises: CioptError."""
    if asked.git is None or head is None or plan.base is None or plan.uncommitted is None:
        return
    if in_ci(environ()):
        return  # there the commit tells, and steps before this one leave all sorts of files
    here = uncommitted(asked.git, asked.state, head, asked.rules, asked.given)
    if found := differing(plan.uncommitted, here):
        path, others = printable(found[0]), len(found) - 1
        more = f" (and {others:,} more)" if others else ""
        raise CioptError(
            f"--ciopt-plan: {path} is not what it was when the plan was made{more}",
            "What it selects is not what this working tree needs: make a new plan.",
        )


def _from_sizes(asked: Asked, where: Tree, *told: str) -> Agreed:
    made = planning.by_size(where)
    return Agreed(planned(made, asked.position.shards, origin=SIZES), told)


def durations_in(path: Path, files: Iterable[str], top: Path) -> dict[str, float]:
    """Seconds by id from the top of the repository; `files` are those that hold tests.

    Raises: CioptError for a file that cannot be used.
    """
    try:
        found = read(path.read_bytes(), tuple(files), folders_above(path, top))
    except (ForeignError, OSError) as error:
        raise CioptError(f"ciopt_durations: {path} cannot be used: {reason(error)}") from None
    calls = (one for one in found.records if isinstance(one, Attempt))
    return {
        repository_id(found.root, one.id): one.call.seconds if one.call else 0.0 for one in calls
    }


def _from_history(asked: Asked, where: Tree) -> Agreed:
    """From the history, as the first shard finds it: it grows with each that runs."""
    try:
        key = _key(asked)
    except GitError as error:
        return _from_sizes(asked, where, f"the history is not used: {error}")
    plan = plans.kept(asked.state, key)
    if plan is not None:
        return Agreed(plan)
    work = planning.by_history(asked.state, where)
    modules, origin = (work.modules, HISTORY) if work.modules else (planning.by_size(where), SIZES)
    plan = planned(
        modules, asked.position.shards, origin=origin, start=work.start, groups=work.groups
    )
    try:
        return Agreed(plans.keep(asked.state, key, plan), tuple(work.told))
    except OSError as error:  # the next shard would find another history
        why = f"the plan cannot be kept ({error.strerror or error}), so the history is not used"
        return _from_sizes(asked, where, *work.told, why)


def _key(asked: Asked) -> str:
    """Of all that decides which tests there are; of arguments only the places, for others may tell
    the shard (names of reports, for example), and all shards must find one plan.

    Raises: GitError.
    """
    said = [ALGORITHM, str(asked.position.shards), surroundings().key, *sorted(asked.places)]
    if asked.git is not None:
        said.append(asked.git.commit("HEAD") or "")
        said.extend(asked.git.records("ls-files", "--stage", "-z", "--", "*.py"))
    return sha256("\0".join(said).encode("utf-8", "surrogateescape")).hexdigest()[:24]
