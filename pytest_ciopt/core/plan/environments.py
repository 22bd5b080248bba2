"""Which recorded runs were in the same environment, so that they can be shards of one suite. Pure.

A matrix may run a plan several times with the same Python: with other distributions installed, or
with other variables set. If these counted as one, a shard that one of them lost would be found in
another.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pytest_ciopt.core.history.records import RunStart

_DIGITS = 8


class Surroundings(NamedTuple):
    """What distinguishes environments of one repository."""

    key: str
    """See `core.history.records.Environment.key`."""
    distributions: str = ""
    """Digest of what is installed; "" where it was not recorded, or does not count."""
    variables: frozenset[tuple[str, str]] = frozenset()
    """Watched ones: name, and digest of the value."""


def surroundings(start: RunStart, *, by_key: bool = False) -> Surroundings:
    """Of a run; `by_key` leaves out what is installed and set."""
    environment = start.environment
    if by_key:
        return Surroundings(environment.key)
    variables = frozenset((start.variables or {}).items())
    return Surroundings(environment.key, environment.distributions or "", variables)


def labels(several: Iterable[Surroundings]) -> Mapping[Surroundings, str]:
    """For people, sorted: the key, and what tells environments of the same key apart."""
    of_key: dict[str, list[Surroundings]] = {}
    for one in several:
        of_key.setdefault(one.key, []).append(one)
    found = {one: _label(one, alike) for alike in of_key.values() for one in alike}
    return dict(sorted(found.items(), key=lambda item: item[1]))


def _label(one: Surroundings, alike: Iterable[Surroundings]) -> str:
    others = list(alike)
    parts = [one.key]
    if any(other.distributions != one.distributions for other in others):
        digest = one.distributions[:_DIGITS] or "not recorded"
        parts.append(f"distributions {digest}")
    differing = {name for other in others for name, _ in other.variables ^ one.variables}
    own = dict(one.variables)
    for name in sorted(filter(None, differing)):
        parts.append(f"{name} {own[name][:_DIGITS] if name in own else 'not set'}")
    return ", ".join(parts)
