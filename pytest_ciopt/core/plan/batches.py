"""What xdist's workers take one after another: batches of tests, the heaviest first. Pure.

A worker that runs any test of a module pays for the fixtures that the tests of the module share,
so modules are kept together; but one that takes long keeps a single worker busy in the end.
So large modules are cut into several batches, as long as their set-up stays a small part of each.
Whoever is idle takes the heaviest batch that is left: longest processing time first, of which the
last batches are small.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_ciopt.core.plan.work import Module

_EACH = 4
"""Batches of a worker, at least, if all were of the same weight."""
_WORTH = 4
"""Times its set-up that a batch of a divided module takes."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Tests that one worker runs in a row."""

    name: str
    tests: Sequence[str]
    weight: float
    """Seconds, set-up included."""
    whole: bool = False
    """Whether they have to stay together."""


def batches(
    modules: Iterable[Module], workers: int, order: Sequence[str], groups: Mapping[str, str]
) -> list[Batch]:
    """All tests of `order`, each in one batch, the heaviest batch first.

    `groups` are names by test: those of one name are together. Tests of a batch stay in order.
    Complexity: O(t log t) for t tests.
    """
    known = {name: (module, seconds) for module in modules for name, seconds in module.tests}
    total = sum({m.path: m.setup for m, _ in known.values()}.values())
    total += sum(seconds for _, seconds in known.values())
    grain = total / (max(workers, 1) * _EACH)
    several: dict[str, list[str]] = {}
    for test in order:
        module, _ = known[test]
        several.setdefault(f"@{groups[test]}" if test in groups else module.path, []).append(test)
    made: list[Batch] = []
    for name, tests in several.items():
        setups = {known[test][0].path: known[test][0].setup for test in tests}
        setup = sum(setups.values())
        seconds = [known[test][1] for test in tests]
        if name.startswith("@"):
            made.append(Batch(f"{name} 0", tests, setup + sum(seconds), whole=True))
        else:
            made.extend(_cut(name, tests, seconds, setup, max(grain, _WORTH * setup)))
    return sorted(made, key=lambda batch: (-batch.weight, batch.name))


def _cut(
    name: str, tests: Sequence[str], seconds: Sequence[float], setup: float, most: float
) -> Iterable[Batch]:
    part: list[str] = []
    taken, number = 0.0, 0
    for test, own in zip(tests, seconds, strict=True):
        if part and taken + own > most:
            yield Batch(f"{name} {number}", part, setup + taken)
            part, taken, number = [], 0.0, number + 1
        part.append(test)
        taken += own
    yield Batch(f"{name} {number}", part, setup + taken)
