"""What people read of shards and plans. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_ciopt.core.nodeids import module_of
from pytest_ciopt.core.plan.choice import Offer
from pytest_ciopt.core.plan.plan import DURATIONS, HISTORY, SIZES, Plan, Share
from pytest_ciopt.core.plan.position import Position
from pytest_ciopt.report.lines import count

_ORIGINS = {
    HISTORY: "by recorded durations",
    DURATIONS: "by the durations in ciopt_durations",
    SIZES: "by the size of test files",
}


def header(position: Position, plan: Plan, whose: str = "") -> str:
    """One line at the beginning of a run; `whose` tells of the durations."""
    expected = ""
    if plan.seconds:
        seconds = plan.seconds[position.number - 1]
        expected = f"; expected {duration(seconds)}, the slowest {duration(max(plan.seconds))}"
    return f"ciopt: shard {position}, {_ORIGINS[plan.origin]}{whose}{expected}"


def summary(position: Position, own: int, others: int, unread: int) -> str:
    """One line at its end."""
    left = f"{others:,} collected and {count(unread, 'file')} not imported belong to others"
    if own == 0:
        return f"shard {position} has no tests; {left}"
    return f"shard {position} has {count(own, 'test')}; {left}"


def duration(seconds: float) -> str:
    """For people: `0.4 s`, `12 s`, `3 min 05 s`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def table(plan: Plan) -> Iterator[str]:
    """A line a shard, with a bar; then how good the balance is."""
    longest = max(plan.seconds, default=0.0)
    names = [len(plan.named(number)) for number in range(1, plan.shards + 1)]
    files = [
        sum(number == share.home or number in share.tests for share in plan.modules.values())
        for number in range(1, plan.shards + 1)
    ]
    for number, (tests, modules) in enumerate(zip(names, files, strict=True), 1):
        seconds = plan.seconds[number - 1] if plan.seconds else 0.0
        bar = "#" * round(40 * seconds / longest) if longest else ""
        told = duration(seconds) if plan.seconds else ""
        spread = f"± {duration(plan.spread[number - 1])}" if plan.spread else ""
        has = f"{count(tests, 'test'):>13}  {count(modules, 'file'):>11}"
        yield f"{number:>5}  {told:>10} {spread:<8} {has}  {bar}".rstrip()
    if plan.seconds:
        yield (
            f"slowest {duration(longest)}, lower bound {duration(plan.bound)}, "
            f"imbalance {plan.imbalance:.3f}"
        )


def curve(offers: Sequence[Offer], best: Offer) -> Iterator[str]:
    """What each number of shards takes and costs; the chosen one is marked."""
    priced = any(one.cost for one in offers)
    for one in offers:
        cost = f"  cost {one.cost:.3f}" if priced else ""
        mark = "  <- chosen" if one.plan.shards == best.plan.shards else ""
        yield (
            f"{one.plan.shards:>5} shards  slowest job {duration(one.slowest):>10}"
            f"  billed {one.minutes:,.1f} min{cost}{mark}"
        )


def explained(plan: Plan, word: str, is_file: bool) -> Iterator[str]:
    """Where a test or a file is, and why; `is_file` says whether there is such a file."""
    path = module_of(word)
    share = plan.modules.get(path)
    if path in plan.unread:
        yield f"{word}: no shard runs it: the selection left its file out"
    elif share is not None:
        if word != path:
            yield f"{word}: {_of_test(share, word)}"
        yield from _of_module(plan, path, share)
    elif is_file:
        home = plan.home(path)
        yield f"{word}: not in the plan; shard {home} would run it, by a hash of its path"
    else:
        yield f"{word}: not in the plan, and no such file is in the repository"


def _of_test(share: Share, word: str) -> str:
    """Of a test, or of all in a class, or with any parameters."""
    runs = {number: _within(word, tests) for number, tests in sorted(share.tests.items())}
    left = _within(word, share.left)
    for number, tests in runs.items():
        if word in tests:
            return f"shard {number}, as the plan says"
    if any(runs.values()):
        return _runs(runs) + _left(left)
    if left:
        return "no shard runs it: the selection left it out"
    if not share.tests and not share.left:
        return f"shard {share.home}, which runs all of its module"
    return f"not in the plan; what is new in its module runs in shard {share.home}, its home"


def _of_module(plan: Plan, path: str, share: Share) -> Iterator[str]:
    runs = f"shard {share.home} runs it"
    if share.tests or share.left:
        runs = (_runs(share.tests) or "no shard runs it") + _left(share.left)
    yield f"{path}: {runs}; home is shard {share.home}"
    if share.seconds and len(share.tests) > 1:
        yield (
            f"  it is split: in one shard it would take {duration(share.seconds)}, "
            f"and nothing need take more than {duration(plan.bound)}"
        )
    elif share.seconds:
        yield f"  it is kept whole: {duration(share.seconds)}, its set-up is paid once"


def _runs(tests: Mapping[int, Sequence[str]]) -> str:
    several = ((number, len(ids)) for number, ids in sorted(tests.items()) if ids)
    return ", ".join(f"shard {number} runs {count(many, 'test')}" for number, many in several)


def _left(tests: Sequence[str]) -> str:
    return f"; the selection left out {count(len(tests), 'test')}" if tests else ""


def _within(word: str, tests: Iterable[str]) -> Sequence[str]:
    """The test itself, and those of a class, or of a function with parameters."""
    return [one for one in tests if one == word or one.startswith((f"{word}[", f"{word}::"))]
