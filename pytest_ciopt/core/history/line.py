"""How records become lines of a segment; `Fields` reads them."""

import json
from collections.abc import Mapping, Sequence
from operator import sub

encoded_value = json.JSONEncoder(
    separators=(",", ":"), allow_nan=False, check_circular=False
).encode
"""JSON without spaces, ASCII only."""


def line(plain: Mapping[str, object]) -> bytes:
    """One JSON object without keys that have no value, its newline included."""
    kept = {key: value for key, value in plain.items() if value is not None}
    return encoded_value(kept).encode("ascii") + b"\n"


def steps(rising: Sequence[int]) -> list[int]:
    """Rising numbers as the first one, and the steps from one to the next: small numbers, which
    repeat."""
    return [*rising[:1], *map(sub, rising[1:], rising)]
