"""Which options a run used, by name. Values may be secrets and are not looked at."""

from collections.abc import Iterable, Iterator

KNOWN = frozenset(
    (
        *("-k", "-m", "-n", "-x", "--cache-clear", "--capture", "--cov", "--cov-branch"),
        *("--cov-fail-under", "--deselect", "--dist", "--doctest-modules", "--durations"),
        *("--exitfirst", "--failed-first", "--ff", "--forked", "--ignore", "--import-mode"),
        *("--junitxml", "--last-failed", "--lf", "--maxfail", "--new-first", "--nf"),
        *("--numprocesses", "--random-order", "--reruns", "--runslow", "--stepwise", "--sw"),
        *("--timeout", "-p", "-s", "--benchmark-only", "--benchmark-skip"),
        *("--ciopt-bench-fail", "--ciopt-changed", "--ciopt-code-quality", "--ciopt-cov"),
        *("--ciopt-cov-fail-under", "--ciopt-cov-no-drop", "--ciopt-cov-reconstruct"),
        *("--ciopt-dist", "--ciopt-explain", "--ciopt-json", "--ciopt-patch-fail-under"),
        *("--ciopt-plan", "--ciopt-record", "--ciopt-shard", "--ciopt-slow", "--ciopt-strict"),
        "--ciopt-timeout",
    )
)
_SWITCHES = frozenset("dfhlqsvxV")
"""Letters of pytest and xdist behind which more may stand: behind others stands a value."""


def names_in(arguments: Iterable[str]) -> tuple[str, ...]:
    """Known options among the words of a command line, sorted."""
    return tuple(sorted(option_names(arguments) & KNOWN))


def option_names(arguments: Iterable[str]) -> set[str]:
    """All options among the words of a command line."""
    found = set[str]()
    for word in arguments:
        if word == "--":
            break
        if word.startswith("--"):
            found.add(word.partition("=")[0])
        elif word.startswith("-"):
            found.update(_letters(word))
    return found


def _letters(word: str) -> Iterator[str]:
    """Of `-qx` both, of `-kx` the first."""
    for letter in word[1:]:
        yield f"-{letter}"
        if letter not in _SWITCHES:
            return
