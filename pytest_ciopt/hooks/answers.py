"""Reads what hooks of a project answer; what means nothing is an error of usage."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest


def paths(told: Iterable[Any], hook: str) -> list[str | Path]:
    """The paths and globs of all implementations of a hook.

    Raises: pytest.UsageError for anything else: a text alone would be read letter by letter.
    """
    found: list[str | Path] = []
    for several in told:
        alone = isinstance(several, str | bytes | Path) or not isinstance(several, Iterable)
        for one in [several] if alone else several:
            if alone or not isinstance(one, str | Path):
                raise pytest.UsageError(
                    f"{hook} returned {one!r}. Return paths in a list, e.g. ['data/users.json']."
                )
            found.append(one)
    return found
