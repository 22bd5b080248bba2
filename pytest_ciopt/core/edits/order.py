"""In which order a module runs what it consists of when it is imported. Pure."""

import ast
from collections.abc import Container, Iterable, Iterator, Sequence

from pytest_ciopt.core.edits.trees import walk


def order(body: Sequence[ast.stmt], *, lazy: bool) -> Iterator[str]:
    """What runs, and functions that it needs: definitions by name, other statements as they are.
    `lazy`: annotations are not evaluated."""
    return _order(body, _placed(body, lazy=lazy))


def bound_names(node: ast.stmt) -> list[str] | None:
    """Names that an assignment binds; None when it also sets attributes or items, and of anything
    else."""
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return None
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    names: list[str] = []
    while targets:
        target, *targets = targets
        match target:
            case ast.Name(id=name):
                names.append(name)
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                targets = [*elements, *targets]
            case ast.Starred(value=value):
                targets = [value, *targets]
            case _:
                return None
    return names


def _placed(body: Iterable[ast.stmt], *, lazy: bool) -> frozenset[str]:
    """Names of functions of which it matters where they are defined: of others nothing runs."""
    used, made, star = set[str](), set[str](), False
    reading: dict[str, set[str]] = {}
    for statement in _defining(body):
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                head = _plain_names(_head(statement, lazy=lazy))
                reading.setdefault(name, set()).update(head)
                used |= head
                made.add(name)
            case ast.ClassDef(name=name):
                used |= _plain_names((*statement.decorator_list, *statement.bases))
                used |= _plain_names(statement.keywords)
                made.add(name)
            case ast.ImportFrom(names=[ast.alias(name="*")]):
                star = True  # it may bind any of them
            case ast.Import() | ast.ImportFrom():
                pass
            case _:
                used |= _plain_names((statement,))
                made.update(bound_names(statement) or ())
    return frozenset(
        name for name, head in reading.items() if star or name in used or not head.isdisjoint(made)
    )


def _head(node: ast.FunctionDef | ast.AsyncFunctionDef, *, lazy: bool) -> Iterator[ast.AST | None]:
    yield from node.decorator_list
    if lazy:
        yield from (*node.args.defaults, *node.args.kw_defaults)
    else:
        yield from (node.args, node.returns)


def _defining(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements of a module and of the classes in it."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.ClassDef):
            yield from _defining(statement.body)


def _plain_names(nodes: Iterable[ast.AST | None]) -> set[str]:
    every = (one for node in nodes if node is not None for one in walk(node))
    return {one.id for one in every if isinstance(one, ast.Name)}


def _order(body: Iterable[ast.stmt], placed: Container[str], prefix: str = "") -> Iterator[str]:
    for statement in body:
        match statement:
            case ast.Pass():
                pass
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                if statement.decorator_list or name in placed:
                    yield prefix + name
            case ast.ClassDef(name=name, body=inner):
                yield prefix + name
                yield from _order(inner, placed, f"{prefix}{name}.")
            case ast.ImportFrom(names=[ast.alias(name="*")]):
                yield prefix + ast.dump(statement)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from (f"{prefix}{alias.asname or alias.name}" for alias in aliases)
            case _ if (bound := bound_names(statement)) is not None:
                yield from (prefix + name for name in bound)
            case _:
                yield prefix + ast.dump(statement)
