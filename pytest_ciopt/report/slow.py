"""What people read of slow tests. Pure."""

from collections.abc import Collection, Iterator, Mapping

from pytest_ciopt.report.lines import count

_MOST = 10


def shown(seconds: float) -> str:
    """For people: `1.20 s`."""
    return f"{seconds:.2f} s"


def summary(
    took: Mapping[str, float], slow: Mapping[str, float], known: Collection[str], limit: float
) -> Iterator[str]:
    """`took` are seconds of this run, `slow` those that the history expects, of the slow ones.

    A test is new among them when it takes longer than it was known to, or was not known.
    """
    if not known:
        yield "the history knows none of the tests yet"
    ran = {test: seconds for test, seconds in took.items() if test in slow}
    if known and limit < float("inf"):
        share = f", {sum(ran.values()):,.0f} of {sum(took.values()):,.0f} s" if ran else ""
        yield f"{len(ran):,} of {count(len(took), 'test')} are slow (over {shown(limit)}){share}"
    new = {test: seconds for test, seconds in took.items() if seconds > limit and test not in slow}
    ranked = sorted(new.items(), key=lambda pair: (-pair[1], pair[0]))
    for test, seconds in ranked[:_MOST]:
        word = "slower than ever" if test in known else "new"
        yield f"  {word}: {test} {shown(seconds)}"
    if len(ranked) > _MOST:
        yield f"  and {len(ranked) - _MOST:,} more"
