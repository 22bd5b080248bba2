"""Which options a command line used, by name. Values may be secrets and are not looked at."""

from collections.abc import Iterable

_KNOWN = frozenset(
    (
        *("-k", "-m", "-n", "-x", "--cache-clear", "--capture", "--cov", "--cov-branch"),
        *("--cov-fail-under", "--deselect", "--dist", "--doctest-modules", "--durations"),
        *("--exitfirst", "--failed-first", "--ff", "--forked", "--ignore", "--import-mode"),
        *("--junitxml", "--last-failed", "--lf", "--maxfail", "--new-first", "--nf"),
        *("--numprocesses", "--random-order", "--reruns", "--runslow", "--stepwise", "--sw"),
        *("--timeout", "-p", "-s", "--benchmark-only", "--benchmark-skip"),
        *("--ciopt-changed", "--ciopt-explain", "--ciopt-json", "--ciopt-record"),
        *("--ciopt-plan", "--ciopt-shard", "--ciopt-strict"),
        *("--ciopt-bench-fail", "--ciopt-dist", "--ciopt-timeout"),
    )
)


def names_in(arguments: Iterable[str]) -> tuple[str, ...]:
    """Known options among the words of a command line, sorted."""
    found = set()
    for word in arguments:
        if word == "--":
            break
        name = word.partition("=")[0] if word.startswith("--") else word[:2]
        if word.startswith("-") and name in _KNOWN:
            found.add(name)
    return tuple(sorted(found))
