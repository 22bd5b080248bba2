"""How many shards are taken."""

import pytest

from pytest_ciopt.core.plan.choice import Offer, Prices, chosen, offer
from pytest_ciopt.core.plan.plan import Plan


def plan(*seconds: float) -> Plan:
    return Plan(len(seconds), {}, tuple(seconds))


def test_jobs_are_rounded_up_one_by_one() -> None:
    found = offer(plan(61.0, 30.0), Prices(startup=10.0, per_minute=0.5, billed=60.0))
    assert (found.slowest, found.minutes, found.cost) == (71.0, 3.0, 1.5)
    assert offer(plan(61.0, 30.0), Prices(billed=1.0)).minutes == pytest.approx(91 / 60)


OFFERS = [offer(plan(*[240 / n] * n), Prices(per_minute=1.0, billed=90.0)) for n in range(1, 6)]


@pytest.mark.parametrize(
    ("target", "most", "expected"),
    [
        (130.0, None, 2),
        (60.0, None, 4),
        (1.0, None, 5),
        (None, 6.0, 4),
        (None, 100.0, 5),
        (130.0, 4.5, 3),
        (130.0, 6.0, 2),
    ],
)
def test_the_choice(target: float | None, most: float | None, expected: int) -> None:
    assert [one.minutes for one in OFFERS] == [4.5, 6.0, 4.5, 6.0, 7.5]
    found = chosen(OFFERS, target, most)
    assert isinstance(found, Offer)
    assert found.plan.shards == expected


def test_all_may_cost_too_much() -> None:
    assert chosen(OFFERS, None, 4.0) is None
    assert chosen([], 1.0, None) is None
