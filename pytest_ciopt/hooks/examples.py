"""Tells tests whose code stands in a text from others."""

from typing import Any

import pytest


def is_example(item: pytest.Item) -> bool:
    """Whether the code of a test stands in a text, and all else that it needs is seen: a doctest,
    or an example that Sybil has found."""
    return isinstance(item, pytest.DoctestItem) or _is_of_sybil(item)


def _is_of_sybil(item: pytest.Item) -> bool:
    return type(item).__module__.partition(".")[0] == "sybil"


def stands_in_its_file(item: pytest.Item) -> bool:
    """Whether an example is written in the file that it is an item of.

    It may come from another one: by `__test__`, an assigned docstring, a parser that includes some.
    """
    text = _text_of(item)
    try:
        written = item.path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False
    return text is not None and all(line.strip() in written for line in text.splitlines())


def _text_of(item: Any) -> str | None:
    """None where it cannot be told."""
    if isinstance(item, pytest.DoctestItem):
        return item.dtest.docstring
    parsed = getattr(getattr(item, "example", None), "parsed", None)
    text = getattr(parsed, "source", parsed)
    return text if isinstance(text, str) else None
