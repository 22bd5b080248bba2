"""Whom a change concerns of the processes that tests started. Pure.

What those import, no import of a test tells. But they began afresh, and nothing was kept there for
other tests; only their answers may be.
"""

from collections.abc import Callable, Iterable, Set

from pytest_ciopt.core.history.traces import BODY, STARTED
from pytest_ciopt.core.naming import folder_of
from pytest_ciopt.core.proof.judge import Ground, Stale, lies_in, objection
from pytest_ciopt.core.proof.knowledge import Knowledge
from pytest_ciopt.core.proof.prints import Difference
from pytest_ciopt.core.proof.seen import Process, Unit


def elsewhere(
    loaded: Set[str],
    process: Process,
    stale: Stale,
    difference: Callable[[str, str], Difference | None],
) -> dict[Unit, str]:
    """What does something else in processes that loaded these modules.

    Whatever differs outside of functions concerns everybody whose process loaded the module.
    `difference` compares a path with its older content id, and is None where it cannot.
    """
    found: dict[Unit, str] = {}
    for path in sorted(loaded & (stale.sources.keys() | stale.data)):
        old = process.inputs.sources.get(path) or process.inputs.data[path]
        differs = difference(path, old)
        if differs is None or differs.is_seen_outside:
            found[path, BODY] = path
        else:
            found.update(((path, name), path) for name in differs.units)
    return found


def unimported(
    process: Process,
    stale: Stale,
    distributions: Iterable[str],
    modules: Iterable[str],
    ruled: str | None,
) -> str | None:
    """What a process may import now, though the test itself does not: distributions and modules
    that are new. `ruled` is a file of which a rule tells whom it concerns."""
    known = process.inputs.packages
    fresh = (f for f in modules if folder_of(f) not in known or lies_in(f, stale.packages))
    first = next(iter(distributions), None) or next(fresh, None)
    if first is not None:
        return f"starts a process, which may import {first}"
    if stale.packages:  # what is gone can have been looked for, and not been loaded
        folder = f"{min(stale.packages) or '.'}/"
        return f"starts a process, which may look for what is gone from {folder}"
    if ruled is not None:
        return f"starts a process, which {ruled} may concern"
    return None


def started(
    process: Process, knowledge: Knowledge, concerned: Ground, *, substantial: bool
) -> set[str]:
    """Names of processes that may answer something else now. `substantial`: whether the change can
    have an effect at all."""
    every = {what for what in process.readers if what.startswith(STARTED)}
    found, of_tests = set[str](), set[str]()
    if not every:
        return found
    for seen in (known.seen for known in knowledge.tests.values()):
        if seen is None or seen.process is not process or every.isdisjoint(seen.reads):
            continue
        names = every & seen.reads
        of_tests |= names
        if substantial if seen.unseen is not None else objection("", seen, concerned) is not None:
            found |= names
    # The tests that started the others have newer records by now.
    return found | (every - of_tests if substantial else set())
