"""Which statement a line belongs to. Pure.

coverage.py counts the first line of each statement; a change may touch any of its lines.
"""

import ast
from collections.abc import Iterable, Iterator


def changed_statements(source: bytes, lines: Iterable[int] | None) -> frozenset[int]:
    """First lines of the statements that have one of `lines`, None for all lines.

    A compound statement has only its own head, not its body. Of a text that is no Python the lines
    themselves. Complexity: linear.
    """
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return frozenset(lines or ())
    first = dict(_heads(tree))
    if lines is None:
        return frozenset(first.values())
    return frozenset(first.get(line, line) for line in lines)


def _heads(tree: ast.Module) -> Iterator[tuple[int, int]]:
    """(line, first line of its statement), inner statements behind outer ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            last = node.end_lineno or node.lineno
            if body := getattr(node, "body", None) or getattr(node, "cases", None):
                last = max(node.lineno, _begin(body[0]) - 1)
            yield from ((line, node.lineno) for line in range(node.lineno, last + 1))
            for decorator in getattr(node, "decorator_list", ()):
                end = decorator.end_lineno or decorator.lineno
                yield from ((line, decorator.lineno) for line in range(decorator.lineno, end + 1))
        elif isinstance(node, ast.match_case):
            last = max(_begin(node), _begin(node.body[0]) - 1)
            yield from ((line, _begin(node)) for line in range(_begin(node), last + 1))
        elif isinstance(node, ast.ExceptHandler):
            last = max(node.lineno, _begin(node.body[0]) - 1)
            yield from ((line, node.lineno) for line in range(node.lineno, last + 1))


def _begin(node: ast.AST) -> int:
    if isinstance(node, ast.match_case):
        return node.pattern.lineno
    decorators = getattr(node, "decorator_list", None)
    line: int = decorators[0].lineno if decorators else node.lineno  # type: ignore[attr-defined]
    return line
