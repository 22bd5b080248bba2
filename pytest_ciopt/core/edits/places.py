"""Which definition stands at a line of a module. Pure."""

import ast
from collections.abc import Iterator, Mapping

from pytest_ciopt.core.edits.order import bound_names


class Places:
    """The statements of a module that run when it is imported."""

    def __init__(self, tree: ast.Module) -> None:
        self._lines: dict[int, tuple[str, ...]] = {}
        depths: dict[int, int] = {}
        for depth, names, lines in _statements(tree.body, ""):
            for line in lines:
                if depths.get(line) == depth:  # two statements on one line
                    both = (*self._lines[line], *names)
                    self._lines[line] = both if names and self._lines[line] else ()
                else:
                    self._lines[line] = names
                depths[line] = depth

    def at(self, line: int) -> tuple[str, ...] | None:
        """Qualified names that the innermost statement at a line binds, none for one that binds
        nothing; None where no statement is."""
        return self._lines.get(line)

    @property
    def lines(self) -> Mapping[int, tuple[str, ...]]:
        """Those names by line."""
        return self._lines


def _statements(body: list[ast.stmt], prefix: str) -> Iterator[tuple[int, tuple[str, ...], range]]:
    """Depth in classes, names and lines, outer statements first."""
    depth = prefix.count(".")
    for statement in body:
        first = min(
            [statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", ()))]
        )
        lines = range(first, (statement.end_lineno or first) + 1)
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield depth, (prefix + name,), lines
            case ast.ClassDef(name=name, body=inner):
                yield depth, (prefix + name,), lines
                yield from _statements(inner, f"{prefix}{name}.")
                if inner[0].lineno == statement.lineno:  # all on one line, which runs both
                    yield depth + 1, (prefix + name,), range(statement.lineno, first + 1)
            case _ if (bound := bound_names(statement)) is not None:
                yield depth, tuple(prefix + name for name in bound), lines
            case _:  # an effect; in a class it belongs to that
                yield depth, ((prefix.removesuffix("."),) if prefix else ()), lines
