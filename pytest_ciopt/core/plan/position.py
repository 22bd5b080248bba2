"""Which of how many shards this one is: as it is written, and as CI services tell it. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from pytest_ciopt.errors import CioptError

AUTO = "auto"
_WRITTEN = re.compile(r"([0-9]{1,6})/([0-9]{1,6})", re.ASCII)
_SERVICES = (
    # (number, how many, the first number); **Source:** the manuals of the services, 2026.
    ("CI_NODE_INDEX", "CI_NODE_TOTAL", 1),  # GitLab
    ("CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL", 0),
    ("BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT", 0),
    ("SYSTEM_JOBPOSITIONINPHASE", "SYSTEM_TOTALJOBSINPHASE", 1),  # Azure
    ("SEMAPHORE_JOB_INDEX", "SEMAPHORE_JOB_COUNT", 1),
)


@dataclass(frozen=True, slots=True)
class Position:
    """A shard among its likes."""

    number: int
    """From 1."""
    shards: int

    def __str__(self) -> str:
        return f"{self.number}/{self.shards}"


def position(written: str, environ: Mapping[str, str]) -> Position:
    """Reads `2/4`, or for `auto` what the service says.

    Raises: CioptError for anything else.
    """
    if written.strip().lower() == AUTO:
        return _of_service(environ)
    found = _WRITTEN.fullmatch(written.strip())
    if found is None:
        raise CioptError(
            f"--ciopt-shard is {written!r}", "Write K/N, for example 2/4 for the second of four."
        )
    return _checked(int(found[1]), int(found[2]), written)


def _of_service(environ: Mapping[str, str]) -> Position:
    for number, shards, first in _SERVICES:
        said, total = environ.get(number, ""), environ.get(shards, "")
        if said.isascii() and said.isdigit() and total.isascii() and total.isdigit():
            told = f"{number}={said}, {shards}={total}"
            return _checked(int(said) + 1 - first, int(total), told)
    raise CioptError(
        "--ciopt-shard=auto finds no numbers of a CI service",
        "GitLab, CircleCI, Buildkite, Azure Pipelines and Semaphore tell them to jobs that run in "
        "parallel. Elsewhere, as in a matrix of GitHub, write K/N, or set CIOPT_SHARD to it.",
    )


def _checked(number: int, shards: int, told: str) -> Position:
    if not 1 <= number <= shards:
        raise CioptError(
            f"there is no shard {told}", "Shards are numbered from 1 up to how many there are."
        )
    return Position(number, shards)
