"""What a function writes to that outlives its call. Pure."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from pytest_ciopt.core.edits.trees import children, walk

Function = ast.FunctionDef | ast.AsyncFunctionDef
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_FILLING = frozenset(("setdefault", "setattr", "__setattr__", "update", "put", "set"))
_ADDING = frozenset(
    (
        *("append", "appendleft", "add", "extend", "extendleft", "insert", "store", "save"),
        *("register", "put", "put_nowait", "set", "push", "connect", "subscribe"),
    )
)
_PLACES = (ast.Name, ast.Attribute, ast.Subscript, ast.Call)
"""Expressions that may be something which outlives the call; others make it."""
_PUTTING = frozenset(("heappush", "insort", "insort_left", "insort_right"))
"""Functions that put something into what they are given first."""
_STEPS = 3
"""Variables by way of which something is found to be a part of another one."""
_MAKING = frozenset(("__init__", "__post_init__"))
_ENVIRONMENT = "environ"
"""What tests leave in the environment of the process is no value of the program."""


@dataclass(frozen=True, slots=True)
class Store:
    """One place where something is written."""

    node: ast.AST
    name: str
    """Under which others find it; "" where the text does not tell."""
    path: tuple[str, ...]
    """The name of the object that it is written to, "" for what has none, and attributes of it,
    e.g. `("self", "app", "name")`."""

    @property
    def root(self) -> str:
        """The name of the object."""
        return self.path[0]

    @property
    def is_key(self) -> bool:
        """Whether the name is only the key of an item: `one["name"] = ...`."""
        match self.node:
            case ast.Subscript(slice=ast.Constant(value=key), value=value):
                return key == self.name and getattr(value, "attr", None) != "__dict__"
        return False


def own_object(node: Function) -> str | None:
    """The name of the object that a method belongs to; None for what belongs to a class."""
    kinds = {ast.unparse(decorator) for decorator in node.decorator_list}
    arguments = [*node.args.posonlyargs, *node.args.args]
    if not arguments or kinds & {"classmethod", "staticmethod"} or node.name == "__new__":
        return None
    return arguments[0].arg


def stores(node: Function, own: str | None) -> Iterator[Store]:
    """What outlives a call of the function; `own` is the object that it belongs to."""
    arguments = [*node.args.posonlyargs, *node.args.args]
    made = {arguments[0].arg} if node.name in _MAKING and arguments else set[str]()
    yield from _within(node, frozenset(), own, made)


def _within(
    scope: ast.AST, outer: frozenset[str], own: str | None, made: Iterable[str]
) -> Iterator[Store]:
    """`outer`: local variables of functions around, which end with their call; `made`: what this
    call has made, and nobody else has seen."""
    inside = list(_nodes_of(scope))
    shared = {name for one in inside for name in _declared(one)}
    local = {name for one in inside for name in _bound(one)} - shared
    local.update(_collected(scope))
    local.update(made)
    handed = {one.arg for one in walk(scope) if isinstance(one, ast.arg)}
    aliases = _aliases(inside, local | outer, handed)
    for one in inside:
        yield from (Store(one, name, (name,)) for name in _bound(one) if name in shared - outer)
        for name, base in _stored(one):
            name, path = _meant(name, path_of(base), aliases)
            if path[-1] == _ENVIRONMENT or path[0] in local | outer:
                continue
            if name == path[-1] and (path == (own,) or name == "__dict__"):
                yield Store(one, "", path)
            else:
                yield Store(one, name, path if name == path[-1] else (*path, name))
        for name, base in _told(one):
            name, path = _meant(name, path_of(base), aliases)
            if path == (own,):
                continue  # which of its attributes it goes to, the method tells
            if (path[0] == own or path[0] not in handed) and path[0] not in local | outer:
                yield Store(one, name, path)
    called = {one.func for one in inside if isinstance(one, ast.Call)}
    handed_on = {one.id for one in inside if isinstance(one, ast.Name) and one not in called}
    for one in inside:
        if isinstance(one, _SCOPES):
            lasts = isinstance(one, ast.Lambda) or one.name in handed_on or one.decorator_list
            yield from _within(one, frozenset() if lasts else outer | local, own, ())


def _aliases(
    inside: Iterable[ast.AST], local: set[str] | frozenset[str], handed: set[str]
) -> dict[str, tuple[str, ...]]:
    """Variables that hold a part of what outlives the call, by the path to that."""
    found: dict[str, tuple[str, ...]] = {}
    assigned = [pair for node in inside for pair in _held(node)]
    for _ in range(_STEPS):
        for name, value in assigned:
            path = path_of(value)
            path = (*found[path[0]], *path[1:]) if path[0] in found else path
            if path[0] and path[0] not in local and path not in {(one,) for one in handed}:
                found.setdefault(name, path)
    return found


def _meant(
    name: str, path: tuple[str, ...], aliases: Mapping[str, tuple[str, ...]]
) -> tuple[str, tuple[str, ...]]:
    """A name and a path where a variable may hold a part of something else."""
    held = aliases.get(path[0])
    if held is None:
        return name, path
    return held[-1] if name == path[0] else name, (*held, *path[1:])


def _held(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Variables, and what they are parts of."""
    match node:
        case ast.Assign(targets=[*_, ast.Name(id=name)], value=value):
            pass
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            pass
        case ast.NamedExpr(target=ast.Name(id=name), value=value):
            pass
        case ast.For(target=ast.Name(id=name), iter=value):
            pass
        case _:
            return
    match value:
        case ast.Call(func=ast.Attribute(attr="get" | "setdefault" | "values", value=whole)):
            yield name, whole
        case ast.Name() | ast.Attribute() | ast.Subscript():
            yield name, value


def _nodes_of(scope: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a function without those of functions inside, but with these themselves."""
    waiting = children(scope)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, _SCOPES):
            waiting.extend(children(node))


def _collected(scope: ast.AST) -> Iterator[str]:
    """`*args` and `**options`, which are made for each call."""
    arguments = getattr(scope, "args", None)
    for one in (getattr(arguments, "vararg", None), getattr(arguments, "kwarg", None)):
        if one is not None:
            yield one.arg


def _declared(node: ast.AST) -> Iterable[str]:
    return node.names if isinstance(node, ast.Global | ast.Nonlocal) else ()


def _bound(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            yield name


def _stored(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """(name, object that it is written to); the name is "" where the text does not tell it."""
    match node:
        case ast.Attribute(attr=name, value=base, ctx=ast.Store()):
            yield name, base
        case ast.Subscript(value=ast.Attribute(attr="__dict__", value=base), ctx=ast.Store()):
            yield _text(node.slice), base
        case ast.Subscript(value=base, slice=ast.Constant(value=str(key)), ctx=ast.Store()):
            yield (key if key.isidentifier() else path_of(base)[-1]), base
        case ast.Subscript(value=base, ctx=ast.Store()):
            yield path_of(base)[-1], base
        case ast.Call(func=ast.Attribute(attr="__setattr__"), args=[base, name, _]):
            yield _text(name), base  # `object.__setattr__(self, "name", value)`
        case ast.Call(func=ast.Attribute(attr=method, value=base)) if method in _FILLING:
            if len(node.args) > 1 or method == "update":
                yield path_of(base)[-1], base
            if method in ("setattr", "__setattr__"):
                yield from ((_text(name), base) for name in node.args[:2])
        case ast.Call(func=ast.Name(id="setattr"), args=[base, name, *_]):
            yield _text(name), base


def told(function: Function) -> Iterator[str]:
    """Variables of what is given something to keep, those that the function was given included."""
    for node in walk(function):
        yield from (path_of(base)[0] for _, base in _told(node))


def _told(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Objects that are given something to keep: `DONE.add(x)`, `store.keep(key, compute())`."""
    match node:
        case ast.Call(func=ast.Attribute(attr=method, value=base), args=[_, *_]) if (
            method in _ADDING
        ):
            held = whole(base)
            if isinstance(held, _PLACES):
                yield path_of(held)[-1], held
        case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=[held, _, *_]) if (
            name in _PUTTING and isinstance(held, _PLACES)
        ):
            yield path_of(held)[-1], held
        case ast.Expr(
            value=ast.Call(func=ast.Attribute(value=ast.Name() | ast.Attribute() as base)) as call
        ):
            if any(isinstance(one, ast.Call) for one in call.args):
                yield path_of(base)[-1], base


def whole(part: ast.expr) -> ast.expr:
    """What holds a part that is asked for by its key."""
    match part:
        case ast.Call(func=ast.Attribute(attr="get" | "setdefault", value=holder)):
            return holder
    return part


def given(node: Function, written: Iterable[Store], own: str | None) -> Iterator[Store]:
    """Of what a function writes to that which may hold what it is given: items of containers, and
    what an argument is assigned to."""
    arguments = {one.arg for one in walk(node) if isinstance(one, ast.arg)} - {own}
    values: dict[int, ast.expr] = {}
    for statement in walk(node):
        match statement:
            case ast.Assign(targets=targets, value=value):
                values.update((id(target), value) for target in targets)
            case ast.AugAssign(target=target, value=value):
                values[id(target)] = value
    for store in written:
        written_value = values.get(id(store.node))
        if (
            written_value is None
            or _hands_on(written_value, arguments)
            or isinstance(store.node, ast.Subscript)
        ):
            yield store


def _hands_on(value: ast.expr, arguments: set[str]) -> bool:
    """Whether a value is an argument, or is made with one, and is not chosen among several."""
    match value:
        case ast.Name(id=name):
            return name in arguments
        case ast.Starred(value=one):
            return _hands_on(one, arguments)
        case ast.BinOp(left=left, right=right):
            return _hands_on(left, arguments) or _hands_on(right, arguments)
        case (
            ast.Call(args=inner)
            | ast.Tuple(elts=inner)
            | ast.List(elts=inner)
            | ast.Set(elts=inner)
            | ast.Dict(values=inner)
        ):
            return any(_hands_on(one, arguments) for one in inner)
    return False


def variables(inside: Iterable[ast.AST]) -> set[str]:
    """Parameters, and names that are bound, unless they are declared to be those of others."""
    found, others = set[str](), set[str]()
    for one in inside:
        match one:
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                others.update(names)
    return found - others


def path_of(node: ast.expr) -> tuple[str, ...]:
    """Names from an object to what is asked of it; items of it are left out."""
    names: list[str] = []
    while True:
        match node:
            case ast.Attribute(attr=name, value=base):
                names.append(name)
                node = base
            case ast.Subscript(value=base):
                node = base
            case ast.Name(id=name):
                return (name, *reversed(names))
            case _:
                return ("", *reversed(names))


def _text(node: ast.expr) -> str:
    match node:
        case ast.Constant(value=str(text)):
            return text
    return ""
