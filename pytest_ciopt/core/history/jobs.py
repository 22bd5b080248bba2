"""Which job of a CI service a run carried out, so that the next run of the same knows it again.

A commit can be the base of a push only where all that this job was asked for has passed upon it:
another one tests something else, and may be red where this one is green.
"""

import json
from collections.abc import Iterable, Mapping
from hashlib import sha256

from pytest_ciopt.core.history.options import KNOWN, option_names
from pytest_ciopt.settings import Command, Job

_DIGITS = 20
"""Hexadecimal digits of a digest."""
_INDIFFERENT = frozenset(
    (
        *("--ciopt-changed", "--ciopt-explain", "--ciopt-json", "--ciopt-record"),
        *("--ciopt-strict", "--basetemp", "--benchmark-json", "--junit-xml", "--junitxml"),
        "--report-log",
    )
)
"""Options that do not alter what a whole run has to run: a nightly run may be without them."""
_SOME = frozenset(
    (
        *("--ciopt-plan", "--ciopt-shard", "--ciopt-slow", "--last-failed", "--lf", "--picked"),
        *("--stepwise", "--stepwise-reset", "--stepwise-skip", "--sw", "--sw-reset", "--sw-skip"),
        *("--testmon", "--testmon-forceselect"),
    )
)
"""Options that run another part of the tests each time, wherever they stand."""
_FURTHER = frozenset(
    (
        *("-d", "-l", "-q", "-r", "-v", "-W", "-c", "--asyncio-mode", "--benchmark-disable"),
        *("--benchmark-enable", "--benchmark-json", "--color", "--confcutdir", "--config-file"),
        *("--continue-on-collection-errors", "--cov-append", "--cov-config", "--cov-context"),
        *("--cov-report", "--disable-warnings", "--doctest-continue-on-failure"),
        *("--doctest-glob", "--doctest-ignore-import-errors", "--durations-min", "--full-trace"),
        *("--ignore-glob", "--junit-prefix", "--junit-xml", "--log-cli-level", "--log-level"),
        *("--max-worker-restart", "--maxprocesses", "--no-cov", "--no-cov-on-fail"),
        *("--no-header", "--no-summary", "--only-rerun", "--pythonwarnings", "--pyargs"),
        *("--quiet", "--report-log", "--reruns-delay", "--rootdir", "--runxfail"),
        *("--session-timeout", "--show-capture", "--showlocals", "--strict-config"),
        *("--strict-markers", "--tb", "--timeout-method", "--verbose", "--verbosity"),
    )
)
"""Beside those whose names are recorded. Of others it is not known whether their values are
secrets, of which not even a digest is kept, or alter what runs."""


def job(
    command: Command,
    where: Iterable[str],
    installed: Mapping[str, str],
    variables: Mapping[str, str],
) -> Job:
    """`where` tells of interpreter and system, `installed` where distributions came from;
    `variables` are those by which services and tox tell jobs apart, and digests of those that the
    project names."""
    odd = _odd(command)
    if odd is not None:
        return Job(None, odd)
    words = [word for word in command.typed if word.partition("=")[0] not in _INDIFFERENT]
    parts = [
        [command.places, words, command.configured, command.discovery, command.plugins],
        list(where),
        sorted(installed.items()),
        sorted(variables.items()),
    ]
    return Job(sha256(json.dumps(parts).encode("ascii")).hexdigest()[:_DIGITS])


def _odd(command: Command) -> str | None:
    """The first option, or file of options, with which two runs cannot be compared."""
    names = option_names(command.typed)
    unknown = [name for name in sorted(names) if name not in KNOWN | _FURTHER | _INDIFFERENT]
    words = (*command.typed, *command.configured)
    unknown += ["@FILE" for word in words if word.startswith("@")]
    partial = sorted((names | option_names(command.configured)) & _SOME)
    return next(iter((*partial, *unknown)), None)
