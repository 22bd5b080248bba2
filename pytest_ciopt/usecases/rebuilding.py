"""Finds what earlier runs stored of coverage, and puts it together with what ran now."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path

from pytest_ciopt.adapters.clock import now
from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.adapters.history.facts import surroundings
from pytest_ciopt.adapters.history.index import UNREADABLE, Index, ask
from pytest_ciopt.adapters.history.reader import covered_records
from pytest_ciopt.adapters.history.writer import FOLDER
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.adapters.tracing.inputs import content_id
from pytest_ciopt.core.coverage.moves import Moves, imported, moves
from pytest_ciopt.core.coverage.rebuilt import Layer, Others, Rebuilt, Tests, rebuilt
from pytest_ciopt.core.coverage.stored import Elements, Stored
from pytest_ciopt.core.history.decoding import SegmentError
from pytest_ciopt.core.history.results import RunRow
from pytest_ciopt.core.nodeids import module_of
from pytest_ciopt.core.plan.plan import Plan
from pytest_ciopt.core.plan.position import position
from pytest_ciopt.errors import CioptError
from pytest_ciopt.usecases.verifying import segments_in

_STRANGE = "tests were proved by another run than those of the base"
_DEEPEST = 200
"""Selections that stand on each other before a whole run."""


class NotStored(CioptError):
    """Nothing is there from which coverage could be put together."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run measured."""

    covered: Elements
    branches: bool
    scope: str = ""
    """See `CoveredRun`; "" where nobody knows."""
    settings: str = ""


def rebuild(
    measured: Ran,
    tests: Tests,
    base: str,
    git: Git,
    state: StateDir,
    proving: AbstractSet[str] = frozenset(),
) -> tuple[Rebuilt, bool]:
    """The coverage of a whole run, and whether branches are in it. `proving` are runs that prove
    tests of which `tests` does not know. Raises: NotStored, GitError."""
    runs, _ = _asked(state)
    layers = list(_layers(base, state, runs))
    ended = [one.run for layer in layers for one in layer if one.run is not None]
    kinds = {run.branches for run in ended}
    if len(kinds) > 1 or (any(measured.covered.values()) and kinds != {measured.branches}):
        raise NotStored("branches were measured in only some of the runs")
    if measured.scope and {run.scope for run in ended} != {measured.scope}:
        raise NotStored(
            "the base was run with other arguments, -m, -k or --ignore",
            "Use the same for all runs with --ciopt-cov-reconstruct.",
        )
    if measured.settings and {run.settings for run in ended} != {measured.settings}:
        raise NotStored(
            "coverage.py was configured otherwise when the base was run", "A whole run mends it."
        )
    others = _others(tests, layers, base, runs, state)
    found = rebuilt(measured.covered, tests, layers, others, Present(git, base))
    if not proving <= _alike(base, runs).union(one.id for layer in layers for one in layer):
        found = replace(found, doubts=(*found.doubts, _STRANGE))
    return found, kinds.pop()


def _alike(base: str, runs: Iterable[RunRow]) -> set[str]:
    """Runs at the base itself, without changes: what ran there ran as the layer has it."""
    return {run.start.run for run in runs if run.start.commit == base and not run.start.dirty}


def _others(
    tests: Tests, layers: Iterable[Layer], base: str, runs: Iterable[RunRow], state: StateDir
) -> Others:
    """Runs that prove tests and are no layers."""
    known = {one.id for layer in layers for one in layer}
    rows = {run.start.run: run for run in runs}
    alike = _alike(base, rows.values())
    proved = {
        test: run
        for test, run in tests.proved.items()
        if test not in tests.ran and tests.is_there(test) and (run in known or run not in alike)
    }
    stored = {}
    for run in sorted(set(proved.values()) - known):
        one = _read(state, rows[run]) if run in rows else None
        if one is not None:
            stored[run] = one
    return Others(proved, stored)


def _layers(base: str, state: StateDir, runs: Iterable[RunRow]) -> Iterator[Layer]:
    """From the run of a commit back to a whole one. Raises: NotStored."""
    environment = surroundings().key
    usable = [
        run
        for run in runs
        if run.end is not None
        and not run.start.dirty
        and run.start.environment.key == environment
        and run.start.source is None
    ]
    wanted: str | None = base
    for _ in range(_DEEPEST):
        layer = next(_stored([run for run in usable if run.start.commit == wanted], state), None)
        if layer is None:
            what = f"no run of {str(wanted)[:10]}, the base, stored what each test covers"
            raise NotStored(
                what, "Run it there with --ciopt-cov-reconstruct, and bring its history here."
            )
        yield layer[0]
        if layer[1] is None:
            return
        wanted = layer[1]
    raise NotStored(f"the last {_DEEPEST} runs were selections")


def _stored(runs: list[RunRow], state: StateDir) -> Iterator[tuple[Layer, str | None]]:
    """Runs of a commit, whole ones first, with the base that they stand on."""
    partial: list[tuple[Layer, str | None]] = []
    shards: dict[str, dict[str, Stored]] = {}
    for run in runs:  # the newest first
        stored = _read(state, run)
        if stored is None or stored.run is None:
            continue
        if run.start.shard is not None and run.start.plan is not None:
            if not stored.run.whole:
                continue  # `ciopt check` makes one run of them
            same = shards.setdefault(run.start.plan, {})
            same.setdefault(run.start.shard, stored)
            layer: Layer = tuple(same.values())
            if len(same) < _shards(run.start.shard):
                continue
        else:
            layer = (stored,)
        if stored.run.whole:
            yield layer, None
        elif run.start.base is not None and run.start.base != run.start.commit:
            partial.append((layer, run.start.base))
    yield from partial


def _shards(written: str) -> float:
    """How many there are; more than any where a segment says what means nothing."""
    try:
        return position(written, {}).shards
    except CioptError:
        return inf


class Present:
    """Measured files as they are now. Implements `core.coverage.rebuilt.Files`."""

    def __init__(self, git: Git, base: str) -> None:
        self._git, self._base = git, base
        self._unimported: frozenset[str] | None = None
        self._ids: dict[str, str | None] = {}
        self._moves: dict[tuple[str, str], Moves | None] = {}

    def exists(self, path: str) -> bool:
        """Whether it is there, and a file."""
        return self._id(path) is not None

    def is_same(self, path: str, content: str) -> bool:
        """By the id of its content."""
        return self._id(path) == content

    def moves(self, path: str, content: str) -> Moves | None:
        """None where git does not have the old content, or one of them is no Python."""
        key = path, content
        if key not in self._moves:
            self._moves[key] = self._found(path, content)
        return self._moves[key]

    def no_longer_imported(self) -> frozenset[str]:
        """Words of modules and names that a file imported at the base and does not import now."""
        if self._unimported is None:
            self._unimported = frozenset().union(*self._lost_imports())
        return self._unimported

    def _lost_imports(self) -> Iterator[frozenset[str]]:
        options = ("--raw", "--no-renames", "--abbrev=64", "-z", "--ignore-submodules=all")
        said = self._git.records("diff-index", *options, self._base, "--")
        before = {path: facts.split()[2] for facts, path in zip(said, said, strict=True)}
        python = {path: content for path, content in before.items() if path.endswith(".py")}
        texts = self._git.contents(python.values())
        for path, content in python.items():
            place = self._place(path)
            new = place.read_bytes() if place.is_file() else b""
            yield imported(texts.get(content, b"")) - imported(new)

    def _found(self, path: str, content: str) -> Moves | None:
        try:
            new = self._place(path).read_bytes()
            old = new if self.is_same(path, content) else self._git.contents([content])[content]
        except (OSError, KeyError, GitError):
            return None
        return moves(old, new)

    def _place(self, path: str) -> Path:
        return self._git.top / path

    def _id(self, path: str) -> str | None:
        if path not in self._ids:
            place = self._place(path)
            self._ids[path] = content_id(str(place)) if place.is_file() else None
        return self._ids[path]


class _Recorded:
    """Tests as the segment of a selection knows them. Implements `Tests`."""

    def __init__(self, stored: Stored, top: Path) -> None:
        self.ran, self.left_out, self.imported_all = stored.ids, frozenset[str](), False
        self.proved: Mapping[str, str] = {}
        self._gone = frozenset(() if stored.run is None else stored.run.gone)
        self._top = top

    def is_there(self, test: str) -> bool:
        """Unless the run has said otherwise."""
        return test not in self._gone and (self._top / module_of(test)).is_file()


@dataclass(frozen=True, slots=True)
class Collected:
    """Tests as whoever collected them knows them. Implements `Tests`."""

    ran: frozenset[str]
    left_out: frozenset[str]
    unread: AbstractSet[str]
    """Files that nobody looked into, as nothing there changed."""
    proved: Mapping[str, str] = field(default_factory=dict)

    @property
    def imported_all(self) -> bool:
        """Whether all were looked into."""
        return not self.unread

    def is_there(self, test: str) -> bool:
        """It was collected, or nobody looked."""
        return test in self.left_out or module_of(test) in self.unread


def planned(plan: Plan) -> Collected:
    """Tests as the plan of a selection knows them."""
    shares = plan.modules.values()
    return Collected(
        ran=frozenset(t for share in shares for ids in share.tests.values() for t in ids),
        left_out=frozenset(test for share in shares for test in share.left),
        unread=plan.unread,
    )


def of_newest(git: Git, state: StateDir) -> tuple[Rebuilt, bool]:
    """What the newest run that kept it covered, put together where it was a selection, and whether
    branches are in it. Raises: NotStored, GitError."""
    runs, _ = _asked(state)
    for run in runs:  # the newest first
        stored = None if run.end is None else _read(state, run)
        if stored is None or stored.run is None or run.start.shard is not None:
            continue
        files = Present(git, run.start.commit or "")
        if not all(files.is_same(path, content) for path, content in stored.contents.items()):
            raise NotStored(
                f"measured files are not what they were in the newest run, {run.start.run[:17]}",
                "Run the tests once more, or name data files.",
            )
        if stored.run.whole:
            whole = Rebuilt(stored.total, 0, len(stored.ids), frozenset())
            return whole, stored.run.branches
        tests = _Recorded(stored, git.top)
        measured = Ran(stored.total, stored.run.branches)
        found, branches = rebuild(measured, tests, str(run.start.base), git, state)
        doubts = dict.fromkeys((*found.doubts, *stored.run.doubts))  # it knew more of its tests
        return replace(found, doubts=tuple(doubts)), branches
    raise NotStored(
        "no run in the history kept what its tests cover",
        "Run pytest with --ciopt-cov --ciopt-cov-reconstruct, or name data files.",
    )


def in_segments(paths: Iterable[Path]) -> list[Ran]:
    """What runs covered whose segments are named, or lie in a folder. Others are passed over."""
    found = []
    for path in segments_in(paths):
        stored = _stored_in(path)
        if stored is not None and stored.run is not None:
            found.append(Ran(stored.total, stored.run.branches))
    return found


def _read(state: StateDir, run: RunRow) -> Stored | None:
    return _stored_in(state.path / FOLDER / run.source, run.start.root)


def _stored_in(path: Path, root: str = "") -> Stored | None:
    try:
        return Stored(covered_records(path), path.name.partition(".")[0], root)
    except (SegmentError, OSError):
        return None  # whoever reads the history says so


def _asked(state: StateDir) -> tuple[list[RunRow], list[str]]:
    try:
        return ask(state, now(), Index.runs)
    except UNREADABLE as error:
        raise NotStored(f"the history cannot be read: {error}") from error
