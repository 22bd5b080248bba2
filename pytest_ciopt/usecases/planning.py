"""Makes plans of shards from what is known of tests: the history, a file of durations, or sizes."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import fmean, median

from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.adapters.history.facts import surroundings
from pytest_ciopt.adapters.history.index import UNREADABLE, Index, ask
from pytest_ciopt.adapters.sources import python_files
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.estimates import Estimate
from pytest_ciopt.core.history.results import Kind, RunRow
from pytest_ciopt.core.naming import ancestors, folder_of
from pytest_ciopt.core.nodeids import module_of
from pytest_ciopt.core.plan.shared import Shared
from pytest_ciopt.core.plan.work import Module
from pytest_ciopt.core.testfiles import CONFTEST, is_text_test, test_modules
from pytest_ciopt.settings import Discovery
from pytest_ciopt.usecases.expecting import as_now_named, forecasts, moved

_PAID_BY_MODULE = (" (module)", " (class)")
"""Ends of the ids of fixtures that live within one module."""
Users = Mapping[str, Collection[str]]
"""Paths of the modules that use a fixture, by its id."""
_KEEPING = (b"xdist_group", b"ciopt_together")
_PAID_BY_ALL = " (session)"
_FIRST, _FIRST_SHARE = 3, 0.05
"""So many modules, and such a share of them, are the first that are collected."""
_RUNS = 20
"""The newest ones, of which those count that ran at least `_WHOLE` of the tests, and `_TELLING`."""
_WHOLE, _TELLING = 0.8, 50
_MOST_BESIDE = 0.01
_UNUSUAL = 5
"""Times the median from which an import counts as one of others as well."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The files that may hold tests, and how large they are."""

    top: Path
    git: Git | None
    sizes: Mapping[str, int]
    """Bytes by path from the top."""


@dataclass(slots=True)
class Work:
    """What is to be divided."""

    modules: list[Module] = field(default_factory=list)
    start: float = 0.0
    """Seconds that each shard takes, whatever it runs."""
    shared: list[Shared] = field(default_factory=list)
    """Fixtures that each shard sets up which runs any of some modules."""
    spreads: dict[str, float] = field(default_factory=dict)
    """Standard deviations of the seconds of tests; 0 where only one result is known."""
    groups: dict[str, str] = field(default_factory=dict)
    """Tests that have to stay together, as far as that is known without collecting them."""
    told: list[str] = field(default_factory=list)
    """What went wrong with finding it out."""


def tree(top: Path, git: Git | None, tests: Discovery, asked: Iterable[str]) -> Tree:
    """Test files that git tracks; without git all that are there. `asked` are files, and folders
    with a slash at the end, below which pytest collects; "" is everything."""
    wanted = tuple(asked)
    sizes = {}
    for path in sorted(_tracked(top, git, tests)):
        if any(
            path == one or one == "" or (one[-1] == "/" and path.startswith(one)) for one in wanted
        ):
            try:
                sizes[path] = (top / path).stat().st_size
            except OSError:
                continue  # deleted, and not committed yet
    return Tree(top, git, sizes)


def _tracked(top: Path, git: Git | None, tests: Discovery) -> set[str]:
    try:
        paths = python_files(top) if git is None else list(git.records("ls-files", "-z"))
    except GitError:
        paths = python_files(top)
    if tests.doctest_modules:
        found = {path for path in paths if path.endswith(".py")}
    else:
        found = set(test_modules(paths, tests))
    return found.union(path for path in paths if is_text_test(path, tests))


def by_size(where: Tree) -> list[Module]:
    """What every runner sees alike: each file is kept whole, and weighs what it has in bytes."""
    return [Module(path, setup=float(size)) for path, size in where.sizes.items()]


def all_alike(tests: Iterable[str]) -> list[Module]:
    """Of tests of which nobody knows what they take."""
    return _by_module((test, 1.0) for test in tests)


def _by_module(tests: Iterable[tuple[str, float]]) -> list[Module]:
    modules: dict[str, list[tuple[str, float]]] = {}
    for test, seconds in tests:
        modules.setdefault(module_of(test), []).append((test, seconds))
    return [Module(path, 0.0, own) for path, own in modules.items()]


def by_history(
    state: StateDir,
    where: Tree,
    collected: Iterable[str] | None = None,
    users: Users | None = None,
) -> Work:
    """Seconds of tests from recorded runs, of `collected` ones or of all that are known.

    Who uses which fixture is known only when they are collected. Where it is not, every shard is
    taken to need those of session scope, and nothing counts for those of a conftest otherwise.
    Nothing when no run knows any of them; a history that cannot be read is told.
    """
    wanted = None if collected is None else list(collected)
    try:
        work, told = ask(state, now(), lambda index: _work(index, where, wanted, users))
    except UNREADABLE as error:
        return Work(told=[f"the history cannot be read: {error}"])
    work.told += told
    return work


def _work(index: Index, where: Tree, collected: list[str] | None, users: Users | None) -> Work:
    environment = surroundings().key
    since = moved(index, where.top, where.git)
    known = as_now_named({test: test for test in index.subjects(Kind.TEST)}, since)
    if not known:
        return Work()
    wanted = collected
    if wanted is None:
        wanted = [test for test in known if module_of(test) in where.sizes]
    expected = forecasts(index, since, wanted, environment)
    setups, start, shared = _setups(index, environment, users)
    runs = [run for run in index.runs(_RUNS) if run.start.environment.key == environment]
    beside = _beside(runs, sum(setups.values()) + start)
    tests: dict[str, list[tuple[str, float]]] = {}
    for path in where.sizes if collected is None else ():
        tests[path] = []
    for test in wanted:
        seconds = beside + expected[test].estimate.seconds
        tests.setdefault(module_of(test), []).append((test, seconds))
    usual = sum(setups.values()) / len(setups) if setups else 0.0
    made = [Module(path, setups.get(path, usual), own) for path, own in tests.items()]
    spreads = {test: expected[test].estimate.spread for test in wanted}
    if collected is not None:
        return Work(made, start, shared, spreads)
    groups = _whole_modules(made, where.top)
    return Work(_with_unknown(made, where), start, shared, spreads, groups)


def _whole_modules(modules: Iterable[Module], top: Path) -> dict[str, str]:
    """Modules that ask for tests to be kept together are not split, and none below a conftest that
    does: who belongs to whom is known only when they are collected."""
    asks = cache(_asks)
    found: dict[str, str] = {}
    for module in modules:
        above = (top / folder / CONFTEST for folder in ancestors(folder_of(module.path)))
        if len(module.tests) > 1 and any(map(asks, (top / module.path, *above))):
            found.update((test, module.path) for test, _ in module.tests)
    return found


def _asks(path: Path) -> bool:
    try:
        content = path.read_bytes()
    except OSError:
        return False
    return any(word in content for word in _KEEPING)


def _setups(
    index: Index, environment: str, users: Users | None
) -> tuple[dict[str, float], float, list[Shared]]:
    """Seconds of import, collection and shared fixtures by module, those of every shard, and what
    several modules share."""
    found = {path: one.seconds for path, one in _of(index, Kind.MODULE, environment).items()}
    start = _imports_of_all(found)
    shared = []
    for name, estimate in _of(index, Kind.FIXTURE, environment).items():
        by = {module_of(name)} if users is None else users.get(name, ())
        if name.endswith(_PAID_BY_MODULE):
            for path in found.keys() & by:
                found[path] += estimate.seconds
        elif users is not None:
            shared.append(Shared(name, estimate.seconds, frozenset(by)))
        elif name.endswith(_PAID_BY_ALL):
            start += estimate.seconds
    return found, start, shared


def _beside(runs: Iterable[RunRow], collecting: float) -> float:
    """Seconds of pytest itself for each test, beside its phases, which nothing else measures: what
    is left of whole runs in one process. `collecting` is what all modules take."""
    whole = [
        (run, number)
        for run in runs
        if run.end is not None and run.start.workers == 0 and run.start.source is None
        if (number := sum(run.outcomes.values())) >= _TELLING
    ]
    most = max((number for _, number in whole), default=0)
    left = [
        (run.end.finished - run.start.started - run.seconds - collecting) / number
        for run, number in whole
        if run.end is not None and number >= most * _WHOLE
    ]
    return min(max(median(left), 0.0), _MOST_BESIDE) if left else 0.0


def _imports_of_all(setups: dict[str, float]) -> float:
    """Takes from the first modules what they take longer than usual, and returns it: they pay for
    imports that whichever module comes first would have caused."""
    if not setups:
        return 0.0
    usual, start = median(setups.values()), 0.0
    for path in sorted(setups)[: max(_FIRST, round(len(setups) * _FIRST_SHARE))]:
        if setups[path] > _UNUSUAL * usual:
            start += setups[path] - usual
            setups[path] = usual
    return start


def _of(index: Index, kind: Kind, environment: str) -> Mapping[str, Estimate]:
    """In this environment, or else in the one that knows most."""
    known = index.estimates(kind)
    return known.get(environment) or max(known.values(), key=len, default={})


def _with_unknown(modules: list[Module], where: Tree) -> list[Module]:
    """Modules of which no test is known take as long as others of their size."""
    known = [module for module in modules if module.tests]
    size = sum(where.sizes.get(module.path, 0) for module in known)
    rate = sum(module.seconds for module in known) / size if size else 0.0
    return [
        m if m.tests else Module(m.path, m.setup + rate * where.sizes.get(m.path, 0))
        for m in modules
    ]


def by_durations(durations: Mapping[str, float], where: Tree) -> Work:
    """Seconds of tests by id, from a file that all runners have."""
    tests: dict[str, list[tuple[str, float]]] = {path: [] for path in where.sizes}
    for test, seconds in durations.items():
        if module_of(test) in tests:
            tests[module_of(test)].append((test, seconds))
    made = [Module(path, 0.0, own) for path, own in tests.items()]
    return Work(_with_unknown(made, where), groups=_whole_modules(made, where.top))


def collected_by_durations(durations: Mapping[str, float], tests: Collection[str]) -> list[Module]:
    """The same of collected tests; one that the file does not know takes as long as others do.
    Nothing when it knows none."""
    known = [durations[test] for test in tests if test in durations]
    usual = fmean(known) if known else 0.0
    return _by_module((test, durations.get(test, usual)) for test in tests) if known else []
