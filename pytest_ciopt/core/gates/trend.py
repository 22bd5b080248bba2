"""Where a series of measurements changed for good, and how certain a share is. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import exp, sqrt
from statistics import median

SHORTEST = 10
"""Values without which no change is looked for."""
_SURE = 0.01
"""How often a series without any change has one found in it, at most."""
_LEAST = 0.1
"""Changes below a tenth are not worth an alert: percentiles vary by more between two runs."""
_Z95 = 1.959964


@dataclass(frozen=True, slots=True)
class Change:
    """From a place in a series on, its values are others."""

    place: int
    """The first one after it."""
    before: float
    """Median of what lies between the change before and this one."""
    after: float
    chance: float
    """How often a series that does not change looks so."""

    @property
    def share(self) -> float:
        """How much more it is, as a fraction of what it was."""
        return self.after / self.before - 1.0 if self.before else 0.0


def changes(series: Sequence[float]) -> tuple[Change, ...]:
    """The changes of a series, oldest first; O(n log n) for each of them.

    Ranks are compared, so that outliers and the form of the distribution do not matter. Each part
    is split where its ranks differ most, as long as chance rarely does so. **Source:** Pettitt, A
    Non-Parametric Approach to the Change-Point Problem, Applied Statistics 28, 1979; for more than
    one change binary segmentation, Scott and Knott, Biometrics 30, 1974.
    """
    places = sorted(_places(series, 0))
    bounds = [0, *(place for place, _ in places), len(series)]
    found = []
    for number, (place, chance) in enumerate(places, start=1):
        before = median(series[bounds[number - 1] : place])
        after = median(series[place : bounds[number + 1]])
        found.append(Change(place, before, after, chance))
    return tuple(one for one in found if abs(one.share) >= _LEAST)


def _places(series: Sequence[float], offset: int) -> Iterator[tuple[int, float]]:
    if len(series) < SHORTEST:
        return
    place, chance = _split(series)
    if chance >= _SURE:
        return
    yield offset + place, chance
    yield from _places(series[:place], offset)
    yield from _places(series[place:], offset + place)


def _split(series: Sequence[float]) -> tuple[int, float]:
    """Where the ranks before differ most from those behind, and how often chance does that.

    With R the ranks, U(t) = 2 * (R1 + ... + Rt) - t * (n + 1), and the chance of a greatest |U| of
    K is 2 * exp(-6 K^2 / (n^3 + n^2)).
    """
    number = len(series)
    best, place, total = 0.0, 1, 0.0
    for t, rank in enumerate(_ranks(series)[:-1], start=1):
        total += rank
        score = abs(2 * total - t * (number + 1))
        if score > best:
            best, place = score, t
    return place, min(1.0, 2 * exp(-6 * best**2 / (number**3 + number**2)))


def _ranks(series: Sequence[float]) -> list[float]:
    """From 1 on; equal values share the mean of theirs."""
    ranked = sorted(range(len(series)), key=series.__getitem__)
    found = [0.0] * len(series)
    first = 0
    while first < len(ranked):
        last = first
        while last + 1 < len(ranked) and series[ranked[last + 1]] == series[ranked[first]]:
            last += 1
        for place in ranked[first : last + 1]:
            found[place] = (first + last) / 2 + 1
        first = last + 1
    return found


def wilson(found: int, trials: int) -> tuple[float, float]:
    """The interval that covers the true share in 95 %; from 0 to 1 without a trial.

    **Source:** Wilson, Probable Inference, the Law of Succession, and Statistical Inference,
    Journal of the American Statistical Association 22, 1927.
    """
    if trials == 0:
        return 0.0, 1.0
    share, z2 = found / trials, _Z95**2
    middle = share + z2 / (2 * trials)
    reach = _Z95 * sqrt(share * (1 - share) / trials + z2 / (4 * trials**2))
    whole = 1 + z2 / trials
    return max(0.0, (middle - reach) / whole), min(1.0, (middle + reach) / whole)
