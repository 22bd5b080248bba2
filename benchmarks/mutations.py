"""Small edits of a Python file that may break it: found in its syntax tree, made in its text.

Pure but for `write`, which gives every text it writes a later time than any before, since Python
tells stale bytecode by whole seconds and size.
"""

import ast
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random
from time import time

_clock = count(int(time()) - 1_000_000_000)


@dataclass(frozen=True, slots=True)
class Mutation:
    """One edit: bytes of a text that are replaced."""

    kind: str
    name: str
    """Of the definition that it lies in, "" for none."""
    start: int
    end: int
    text: bytes

    def applied(self, source: bytes) -> bytes:
        """The edited text."""
        return source[: self.start] + self.text + source[self.end :]


def write(path: Path, text: bytes) -> None:
    """Writes a source so that no bytecode of another text is taken for it."""
    path.write_bytes(text)
    moment = next(_clock)
    os.utime(path, (moment, moment))


def mutation(source: bytes, kind: str, random: Random) -> Mutation | None:
    """A mutation of a kind, which one is left to chance; None when there is no place for one."""
    tree = ast.parse(source)
    found = list(KINDS[kind](_Text(source, tree)))
    random.shuffle(found)
    for one in found:
        if _is_another(source, tree, one):
            return one
    return None


def _is_another(source: bytes, tree: ast.Module, mutation: Mutation) -> bool:
    try:
        return ast.dump(ast.parse(mutation.applied(source))) != ast.dump(tree)
    except SyntaxError:
        return False


class _Text:
    def __init__(self, source: bytes, tree: ast.Module) -> None:
        self.tree = tree
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def at(self, line: int, column: int) -> int:
        return self._lines[line - 1] + column

    def replaced(self, kind: str, name: str, node: ast.stmt | ast.expr, text: str) -> Mutation:
        start = self.at(node.lineno, node.col_offset)
        end = self.at(node.end_lineno or node.lineno, node.end_col_offset or 0)
        return Mutation(kind, name, start, end, text.encode())

    def scopes(self) -> Iterator[tuple[str, ast.AST]]:
        """Classes and outermost functions with qualified names."""
        waiting: list[tuple[str, ast.AST]] = [("", self.tree)]
        for prefix, scope in waiting:
            for node in getattr(scope, "body", ()):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield prefix + node.name, node
                elif isinstance(node, ast.ClassDef):
                    yield prefix + node.name, node
                    waiting.append((f"{prefix}{node.name}.", node))

    def functions(self) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
        for name, node in self.scopes():
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield name, node


def _entries(text: _Text) -> Iterator[Mutation]:
    for name, node in text.functions():
        body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
        if body and body[0].lineno > node.lineno:
            start = text.at(body[0].lineno, body[0].col_offset)
            raising = f"raise RuntimeError('mutant')\n{' ' * body[0].col_offset}"
            yield Mutation("function entry", name, start, start, raising.encode())


def _returns(text: _Text) -> Iterator[Mutation]:
    for name, function in text.functions():
        for node in ast.walk(function):
            if isinstance(node, ast.Return) and node.value is not None:
                other = "1" if ast.unparse(node.value) == "None" else "None"
                yield text.replaced("return value", name, node.value, other)


def _removals(text: _Text) -> Iterator[Mutation]:
    for name, function in text.functions():
        for node in ast.walk(function):
            match node:
                case ast.Expr(value=ast.Call()) | ast.Assign() | ast.AugAssign() | ast.Raise():
                    yield text.replaced("removed statement", name, node, "pass")


def _literals(text: _Text) -> Iterator[Mutation]:
    for name, function in text.functions():
        for statement in function.body:
            for node in ast.walk(statement):
                yield from _other_literal(text, "literal in a function", name, node)


def _other_literal(text: _Text, kind: str, name: str, node: ast.AST) -> Iterator[Mutation]:
    match node:
        case ast.Constant(value=bool(value)):
            yield text.replaced(kind, name, node, str(not value))
        case ast.Constant(value=int(value)):
            yield text.replaced(kind, name, node, str(value + 1))
        case ast.Constant(value=str(value)) if value.isidentifier():
            yield text.replaced(kind, name, node, repr(value + "x"))


def _constants(text: _Text) -> Iterator[Mutation]:
    yield from _assigned(text, "constant of a module", "", text.tree.body)


def _attributes(text: _Text) -> Iterator[Mutation]:
    for name, node in text.scopes():
        if isinstance(node, ast.ClassDef):
            yield from _assigned(text, "class attribute", name, node.body)


def _assigned(text: _Text, kind: str, name: str, body: list[ast.stmt]) -> Iterator[Mutation]:
    for node in body:
        match node:
            case ast.Assign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                inner = [
                    m for one in ast.walk(value) for m in _other_literal(text, kind, name, one)
                ]
                yield from inner or [text.replaced(kind, name, value, "None")]


def _defaults(text: _Text) -> Iterator[Mutation]:
    for name, node in text.functions():
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if isinstance(default, ast.Constant):
                other = "1" if default.value is None else "None"
                yield text.replaced("default", name, default, other)


def _decorators(text: _Text) -> Iterator[Mutation]:
    for name, node in text.functions():
        for decorator in node.decorator_list:
            start = text.at(decorator.lineno, decorator.col_offset) - 1  # the @
            end = text.at(decorator.end_lineno or 0, decorator.end_col_offset or 0)
            yield Mutation("removed decorator", name, start, end, b"")


def _methods(text: _Text) -> Iterator[Mutation]:
    for name, node in text.functions():
        if "." in name and not node.decorator_list:
            yield text.replaced("removed method", name, node, "pass")


KINDS: dict[str, Callable[[_Text], Iterator[Mutation]]] = {
    "function entry": _entries,
    "return value": _returns,
    "removed statement": _removals,
    "literal in a function": _literals,
    "constant of a module": _constants,
    "class attribute": _attributes,
    "default": _defaults,
    "removed decorator": _decorators,
    "removed method": _methods,
}
BODIES = frozenset(list(KINDS)[:4])
"""Kinds that change nothing but the body of a function."""
