"""How many shards to take: what each number of them takes and costs. Pure."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pytest_ciopt.core.plan.plan import Plan


@dataclass(frozen=True, slots=True)
class Prices:
    """What a job costs beside its tests."""

    startup: float = 0.0
    """Seconds of each job before pytest begins."""
    per_minute: float = 0.0
    billed: float = 60.0
    """Seconds to which the time of each job is rounded up."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan, and what it comes to."""

    plan: Plan
    slowest: float
    """Seconds of the slowest job."""
    minutes: float
    """Of all jobs together, as they are billed."""
    cost: float


def offer(plan: Plan, prices: Prices) -> Offer:
    """What a plan comes to; its seconds must be known."""
    jobs = [prices.startup + seconds for seconds in plan.seconds]
    billed = sum(math.ceil(job / prices.billed) * prices.billed for job in jobs) / 60
    return Offer(plan, max(jobs, default=0.0), billed, billed * prices.per_minute)


def considered(
    made: Callable[[int], Plan],
    most: int,
    prices: Prices,
    target: float | None = None,
    cost: float | None = None,
) -> list[Offer]:
    """What 1, 2, … shards come to, `most` at most: up to twice the number that would be chosen, or
    more, while one of those could be chosen yet."""
    found: list[Offer] = []
    for number in range(1, most + 1):
        found.append(offer(made(number), prices))
        best = chosen(found, target, cost)
        if best is None:
            break  # a single job pays each set-up once, and is rounded up once: none costs less
        enough = target is not None and best.slowest <= target
        if number >= 2 * best.plan.shards and (enough or _is_last(found, prices, cost)):
            break
    return found


def _is_last(offers: Sequence[Offer], prices: Prices, cost: float | None) -> bool:
    """Whether more shards are not faster, or all cost too much. Where twice as many are not faster,
    the slowest one runs a single test: any other one could be halved."""
    fastest = min(offers, key=lambda one: one.slowest)
    least = (len(offers) + 1) * prices.billed / 60 * prices.per_minute
    return len(offers) >= 2 * fastest.plan.shards or (cost is not None and least > cost)


def chosen(
    offers: Sequence[Offer], target: float | None = None, most: float | None = None
) -> Offer | None:
    """The fewest shards of which the slowest keeps to `target` seconds, else the fastest; of those
    that cost at most `most`. None when all cost more. `offers` rise in number."""
    fitting = [one for one in offers if most is None or one.cost <= most]
    quick = (one for one in fitting if target is not None and one.slowest <= target)
    return next(quick, min(fitting, key=lambda one: one.slowest, default=None))
