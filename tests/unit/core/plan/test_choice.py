"""How many shards are taken."""

from collections.abc import Callable

import pytest

from pytest_ciopt.core.plan.choice import Offer, Prices, chosen, considered, offer
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


def divided(total: float, longest: float) -> Callable[[int], Plan]:
    """An equal share each, but for one that has the longest test."""

    def made(number: int) -> Plan:
        share = total / number
        return plan(max(share, longest), *[min(share, total - longest)] * (number - 1))

    return made


@pytest.mark.parametrize(("target", "most"), [(130.0, None), (1.0, None), (9.0, 40.0)])
@pytest.mark.parametrize("longest", [1.0, 25.0, 200.0])
@pytest.mark.parametrize("prices", [Prices(), Prices(5.0, 1.0, 90.0), Prices(0.0, 1.0, 1.0)])
def test_more_need_not_be_looked_at(
    target: float, most: float | None, longest: float, prices: Prices
) -> None:
    """What is chosen of some is what is chosen of all."""
    made = divided(240.0, longest)
    some = considered(made, 200, prices, target, most)
    every = [offer(made(number), prices) for number in range(1, 201)]
    assert chosen(some, target, most) == chosen(every, target, most)
    assert some == every[: len(some)]


@pytest.mark.parametrize("most", [3.0, 4.5, 6.0, 7.4, 9.0, 40.0, 100.0])
@pytest.mark.parametrize("target", [None, 85.0, 130.0])
def test_a_larger_number_may_cost_less(target: float | None, most: float) -> None:
    """For each job is rounded up."""
    prices = Prices(per_minute=1.0, billed=90.0)
    every = [offer(divided(240.0, 1.0)(number), prices) for number in range(1, 61)]
    some = considered(divided(240.0, 1.0), 60, prices, target, most)
    assert chosen(some, target, most) == chosen(every, target, most)


def test_how_many_are_looked_at() -> None:
    made = divided(240.0, 20.0)
    assert len(considered(made, 2000, Prices(), target=130.0)) == 4
    assert len(considered(made, 2000, Prices(), target=1.0)) == 24
    assert len(considered(made, 2000, Prices(per_minute=1.0), cost=8.0)) == 16
    assert len(considered(made, 3, Prices(), target=1.0)) == 3


def test_all_may_cost_too_much() -> None:
    assert chosen(OFFERS, None, 4.0) is None
    assert chosen([], 1.0, None) is None
