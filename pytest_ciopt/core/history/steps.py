"""Rising numbers as they are written in segments; `Fields.numbers` reads them."""

from collections.abc import Sequence
from itertools import pairwise


def steps(rising: Sequence[int]) -> list[int]:
    """The first number, and the steps from one to the next: small numbers, which repeat."""
    return [*rising[:1], *(second - first for first, second in pairwise(rising))]
