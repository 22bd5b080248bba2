"""Every message that the code can give is explained in docs/reference/messages.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = " ".join((ROOT / "docs/reference/messages.md").read_text().split())
EXPLAINED = ["".join(found) for found in re.findall(r"`` (.+?) ``|`([^`]+)`|\*([^*]+)\*", PAGE)]
GIVING = {
    *(
        "CioptError",
        "ConfigurationError",
        "GitError",
        "NoRepository",
        "UnknownBase",
        "InternalError",
        "NotStored",
        "NotMeasured",
    ),
    *("NoBase", "run_all", "UsageError", "Claim"),
}
"""Calls whose first argument people are shown."""
SHOWN = {"why", "what", "whole", "everything", "reason", "note"}
"""Keywords and variables that hold what people are shown."""


def parts_of(node: ast.expr) -> list[list[str]]:
    """The text of a message between what is filled in; nothing where it is made elsewhere."""
    match node:
        case ast.Constant(value=str(text)) if text:
            return [[text]]
        case ast.JoinedStr(values=values):
            return [[str(v.value) if isinstance(v, ast.Constant) else "" for v in values]]
        case ast.IfExp(body=body, orelse=orelse):
            return parts_of(body) + parts_of(orelse)
    return []


def shown(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Assign(targets=[ast.Name(id=name)], value=value) if name in SHOWN:
            return [value]
        case ast.Call(func=func, args=arguments, keywords=keywords):
            called = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
            named = [k.value for k in keywords if k.arg in SHOWN]
            return named + (arguments[:1] if called in GIVING else [])
    return []


def messages() -> Iterator[tuple[str, list[str]]]:
    for path in sorted((ROOT / "pytest_ciopt").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            for value in shown(node):
                for parts in parts_of(value):
                    yield f"{path.name}: {'_'.join(parts)}", parts


MESSAGES = dict(messages())


def test_messages_are_found() -> None:
    assert len(MESSAGES) > 35
    assert any("cannot compare with" in message for message in MESSAGES)


@pytest.mark.parametrize("message", MESSAGES)
def test_it_is_explained(message: str) -> None:
    pattern = re.compile(".*".join(map(re.escape, MESSAGES[message])))
    assert any(pattern.search(term) for term in EXPLAINED)
