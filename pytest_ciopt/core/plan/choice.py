"""How many shards to take: what each number of them takes and costs. Pure."""

import math
from collections.abc import Sequence
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


def chosen(
    offers: Sequence[Offer], target: float | None = None, most: float | None = None
) -> Offer | None:
    """The fewest shards of which the slowest keeps to `target` seconds, else the fastest; of those
    that cost at most `most`. None when all cost more. `offers` rise in number."""
    fitting = [one for one in offers if most is None or one.cost <= most]
    quick = (one for one in fitting if target is not None and one.slowest <= target)
    return next(quick, min(fitting, key=lambda one: one.slowest, default=None))
