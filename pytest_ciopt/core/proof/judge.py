"""Whether a record shows that a test cannot be affected. Pure.

A test is proved when it was sound with these very inputs: nothing that ran for it does anything
else now, nothing that it read changed, and neither did the ground that its process stood on.
"""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from functools import cached_property

from pytest_ciopt.core.history.traces import EXAMPLE, OTHER
from pytest_ciopt.core.naming import folder_of
from pytest_ciopt.core.nodeids import module_of, names_of
from pytest_ciopt.core.proof.seen import Process, Seen, Unit


@dataclass(frozen=True)
class Ground:
    """What became of the inputs of one process since its run."""

    shaken: str | None = None
    """Why nothing that ran in it is proved."""
    units: Mapping[Unit, str] = field(default_factory=dict)
    """Units that whoever ran them is affected by, with the changed file that is the cause."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Test files that are affected as a whole, with why."""
    whole: Mapping[str, str] = field(default_factory=dict)
    """Test files for which what differs from the base was read or listed when tests were collected,
    with why: there may be other tests now."""
    unseen: Mapping[str, str] = field(default_factory=dict)
    """Test files of which more may have run than was seen while modules were imported, with why."""
    data: frozenset[str] = frozenset()
    """Data files whose content changed."""
    folders: frozenset[str] = frozenset()
    """Folders that hold something else."""
    elsewhere: Mapping[Unit, str] = field(default_factory=dict)
    """As `units`, of those that ran in processes which a test started: there nothing was kept from
    before. The body of a module stands for all that is not inside of its functions."""
    children: str | None = None
    """Why tests that started processes are not proved."""
    examples: Mapping[str, str] = field(default_factory=dict)
    """Files whose examples are affected, with why."""

    @cached_property
    def concerned(self) -> frozenset[str]:
        """Files of the units that are affected."""
        return frozenset(path for path, _ in self.units)


@dataclass(slots=True)
class Stale:
    """Inputs of a process that differ now."""

    sources: dict[str, str] = field(default_factory=dict)
    """With the content ids that they had."""
    data: set[str] = field(default_factory=set)
    folders: set[str] = field(default_factory=set)
    packages: set[str] = field(default_factory=set)
    """Folders in which modules came or went."""


def lies_in(path: str, folders: Set[str]) -> bool:
    """Whether a module lies in one of the folders, or is a package that does."""
    folder = folder_of(path)
    return folder in folders or (folder != "" and folder_of(folder) in folders)


def objection(test: str, seen: Seen, ground: Ground) -> str | None:
    """Why a test is not proved; None when it is."""
    path = module_of(test)
    if ground.shaken is not None:
        return ground.shaken
    if seen.unseen is not None:
        return seen.unseen
    if path in ground.unseen:
        return ground.unseen[path]
    if seen.elsewhere is not None and ground.children is not None:
        return ground.children
    if path in ground.files:
        return ground.files[path]
    if seen.what == OTHER:
        return "it is neither a function nor an example"
    if seen.what == EXAMPLE and path in ground.examples:
        return ground.examples[path]
    return affected(test, seen, ground)


def affected(
    test: str, seen: Seen, ground: Ground, causes: frozenset[str] | None = None
) -> str | None:
    """What a test ran or read that changed; None for nothing. With `causes`, only changes that come
    from one of these files count.

    Of several functions the first by name is told, one that itself changed before others.
    """
    if seen.elsewhere is not None and not seen.elsewhere.isdisjoint(ground.elsewhere):
        hit = ground.elsewhere.keys() & seen.elsewhere
        hit = {unit for unit in hit if causes is None or ground.elsewhere[unit] in causes}
        if hit:
            return f"executes {dotted(*min(hit))} in a process that it starts"
    if not seen.units.isdisjoint(ground.units):  # of few tests, and quickly seen of the others
        hit = ground.units.keys() & seen.units
        hit = {unit for unit in hit if causes is None or ground.units[unit] in causes}
        if hit:
            unit = min(hit, key=lambda unit: (ground.units[unit] != unit[0], unit))
            cause = ground.units[unit]
            by_way = f", which {cause} may change" if cause != unit[0] else ""
            return f"executes {dotted(*unit)}{by_way}"
    return made_by(test, ground, causes) or looked_at(
        ground.data & seen.reads, ground.folders & seen.lists, causes
    )


def made_by(test: str, ground: Ground, causes: frozenset[str] | None = None) -> str | None:
    """What of that which a test is named after makes another test of it: its function, be it one
    that did not run or that is made by a call, and the classes around it, be it a function that
    they inherit. For `causes` see `affected`."""
    path = module_of(test)
    if path not in ground.concerned:
        return None
    for name in names_of(test):
        cause = ground.units.get((path, name))
        if cause is not None and (causes is None or cause in causes):
            return f"is a test of {dotted(path, name)}"
    return None


def looked_at(
    data: Set[str], folders: Set[str], causes: frozenset[str] | None = None
) -> str | None:
    """What was read or listed of changed data and folders; None for nothing. For `causes` see
    `affected`."""
    read = data if causes is None else data & causes
    if read:
        return f"reads {min(read)}"
    if folders and (causes is None or any(_holds(folder, causes) for folder in folders)):
        return f"lists {min(folders) or '.'}/"
    return None


def _holds(folder: str, causes: Iterable[str]) -> bool:
    return any(path.rpartition("/")[0] == folder for path in causes)


def dotted(path: str, name: str) -> str:
    """`a/b.py` and `C.f` give `a.b.C.f`."""
    module = path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    return f"{module}.{name}" if name else module


def reinstalled(process: Process, distributions: Iterable[str]) -> tuple[str, ...]:
    """Names of distributions that came, went or are of another version now, sorted."""
    differing = set(process.inputs.distributions).symmetric_difference(distributions)
    # In the name of a folder of metadata, a wheel's name has no hyphen.
    return tuple(sorted({one.partition("-")[0] for one in differing}))
