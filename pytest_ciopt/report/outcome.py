"""What a selection came to in one run: the values that are reported."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class DecidedTest(NamedTuple):
    """One collected test and its decision."""

    nodeid: str
    path: str | None
    """Repository-relative; None outside the repository."""
    selected: bool
    reason: str
    group: str | None = None
    """Tests of one group run in one shard."""


class Outcome:
    """Filled while a run collects."""

    def __init__(self) -> None:
        self.tests: list[DecidedTest] = []
        self.dropped_modules: dict[str, str] = {}
        """Test modules that were not imported, with the reason."""
        self.dropped_files: set[str] = set()
        """Other files that doctests would have been collected from."""
        self.fixtures: dict[str, set[str]] = {}
        """Paths of the modules that use a fixture of wider scope, by its id; where it is asked."""

    @property
    def selected(self) -> int:
        """Number of selected tests."""
        return sum(test.selected for test in self.tests)

    @property
    def partial(self) -> bool:
        """Whether the selection dropped anything."""
        return bool(self.unread) or not all(test.selected for test in self.tests)

    @property
    def unread(self) -> int:
        """Number of modules with tests that were not imported."""
        return len(self.dropped_modules) + len(self.dropped_files)

    @property
    def modules(self) -> int:
        """Number of modules that have a selected test."""
        return len({test.path for test in self.tests if test.selected})

    @property
    def known_modules(self) -> int:
        """Number of modules with tests that were collected or dropped unread."""
        return len({test.path for test in self.tests}) + self.unread

    def reasons(self) -> Sequence[tuple[str, int]]:
        """(reason, number of tests selected for it), most frequent first, ties by text."""
        counted = Counter(test.reason for test in self.tests if test.selected)
        return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))

    def plain(self) -> dict[str, object]:
        """Builtin types, to be sent from an xdist worker."""
        return {
            "tests": [list(test) for test in self.tests],
            "dropped_modules": dict(self.dropped_modules),
            "dropped_files": sorted(self.dropped_files),
            "fixtures": {name: sorted(users) for name, users in self.fixtures.items()},
        }

    def fill(self, plain: Mapping[str, Any]) -> None:
        """Takes over what `plain` gave in a worker."""
        self.tests = [DecidedTest(*row) for row in plain["tests"]]
        self.dropped_modules = dict(plain["dropped_modules"])
        self.dropped_files = set(plain["dropped_files"])
        self.fixtures = {name: set(users) for name, users in plain["fixtures"].items()}
