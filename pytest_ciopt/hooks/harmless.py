"""What measures and records must not touch the run: an error of ours ends it, and is told."""

import functools
from collections.abc import Callable
from typing import Any


class Breakable:
    """Something that can end early without harm."""

    problem: str | None = None
    """Why it ended; None while it goes on."""


def harmless(method: Callable[..., None]) -> Callable[..., None]:
    """An error in the method becomes the `problem` of its object, whose methods do nothing then."""

    @functools.wraps(method)
    def guarded(self: Breakable, *arguments: Any) -> None:
        if self.problem is not None:
            return
        try:
            method(self, *arguments)
        except Exception as error:
            self.problem = f"{type(error).__name__}: {error}"

    return guarded
