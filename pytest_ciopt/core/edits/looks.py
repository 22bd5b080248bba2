"""What a function looks at to decide whether it calls something. Pure."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from pytest_ciopt.core.edits.once import Guard, assigned, guards, identifiers, leaves, targets
from pytest_ciopt.core.edits.stores import Function, path_of, variables, whole
from pytest_ciopt.core.edits.trees import walk

_LOOPS = (ast.For, ast.AsyncFor, ast.comprehension)
_INNER = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Looks:
    """What decides whether a function calls something."""

    names: frozenset[str] = frozenset()
    """Names that are no variables of the function."""
    parts: frozenset[tuple[str, str]] = frozenset()
    """Attributes of such, with these before them."""
    own: frozenset[str] = frozenset()
    """Attributes of the object that the method belongs to."""
    others: frozenset[str] = frozenset()
    """Attributes of whatever its variables hold, and texts."""
    called: frozenset[str] = frozenset()
    """Names of what it calls together with that."""
    asked: frozenset[str] = frozenset()
    """Names of functions, methods and perhaps properties that it asks."""
    given: frozenset[tuple[str, str]] = frozenset()
    """Names of what it calls, with what they are given that is no variable of the function, or a
    part of it."""

    def __bool__(self) -> bool:
        return bool(self.names or self.parts or self.own or self.others)

    def __or__(self, other: "Looks") -> "Looks":
        return Looks(
            self.names | other.names,
            self.parts | other.parts,
            self.own | other.own,
            self.others | other.others,
            self.called | other.called,
            self.asked | other.asked,
            self.given | other.given,
        )


def looks(node: Function, called: str | None, own: str | None) -> Looks:
    """What a function looks at to decide whether it calls something by its name, or anything;
    `own` is the object that it belongs to."""
    everything = walk(node)
    inner = (one.name for one in everything[1:] if isinstance(one, _INNER))
    local = variables(everything).union(inner)
    values, wholes = _values(everything, local), _wholes(everything)
    found = Looks()
    for one in everything:
        for guard, parts, may_leave in _guards(one):
            inside = [below for part in parts for below in walk(part)]
            if may_leave:
                end: int = getattr(one, "end_lineno", 0)
                inside += (o for o in everything if getattr(o, "lineno", 0) > end)
            if (called in identifiers(inside)) if called else _called(inside):
                looked = [below for part in guard for below in walk(part)]
                found |= _sorted(looked, local, own, _called(inside))
                held = _sorted(_held(looked, values), local, own, frozenset())
                found |= replace(held, given=_given(inside, wholes, local))
    return found


def _guards(node: ast.AST) -> Iterator[Guard]:
    """As `guards`; a variable may tell that something is there, or that it is not."""
    match node:
        case ast.If(test=ast.Compare() | ast.UnaryOp(operand=ast.Compare())):
            yield from guards(node)
        case ast.If(test=test, body=body, orelse=orelse):
            yield [test], [*body, *orelse], leaves(body) or leaves(orelse)
        case _:
            yield from guards(node)


def _values(everything: list[ast.AST], local: set[str]) -> dict[str, list[ast.expr]]:
    """What is assigned to each local variable."""
    found: dict[str, list[ast.expr]] = {}
    for one in everything:
        for target, value in () if isinstance(one, _LOOPS) else assigned(one):
            for name in local.intersection(targets(target)):
                found.setdefault(name, []).append(value)
    return found


def _wholes(everything: list[ast.AST]) -> dict[str, str]:
    """What each variable holds a part of, "" for what has no name."""
    found: dict[str, str] = {}
    for one in everything:
        for target, value in assigned(one):
            root = path_of(whole(value))[0]
            found.update(dict.fromkeys(targets(target), found.get(root, root)))
    return found


def _held(looked: list[ast.AST], values: Mapping[str, list[ast.expr]]) -> list[ast.AST]:
    """What local variables hold that are looked at, and those that it is made from."""
    left = dict(values)
    found: list[ast.AST] = []
    waiting = looked
    while waiting:
        names = {one.id for one in waiting if isinstance(one, ast.Name)} & left.keys()
        waiting = [below for name in names for value in left.pop(name) for below in walk(value)]
        found += waiting
    return [one for one in found if not isinstance(one, ast.Constant)]


def _given(
    inside: list[ast.AST], wholes: Mapping[str, str], local: set[str]
) -> frozenset[tuple[str, str]]:
    """See `Looks.given`."""
    calls = (one for one in inside if isinstance(one, ast.Call))
    found = ((call, path_of(one)[0]) for call in calls for one in call.args)
    named = ((path_of(call.func)[-1], wholes.get(root, root)) for call, root in found)
    return frozenset(pair for pair in named if pair[1] not in local | {""})


def _sorted(
    looked: list[ast.AST], local: set[str], own: str | None, called: frozenset[str]
) -> Looks:
    names, of_own, others = set[str](), set[str](), set[str]()
    parts = set[tuple[str, str]]()
    functions = {one.func for one in looked if isinstance(one, ast.Call)}
    asked = {path_of(one)[-1] for one in looked if isinstance(one, ast.Name | ast.Attribute)}
    asked.update(name for one in looked for name in _operators(one))
    for one in looked:
        match one:
            case _ if one in functions:
                pass
            case ast.Name(id=name, ctx=ast.Load()):
                if name not in local:
                    names.add(name)
            case ast.Attribute(attr=name, ctx=ast.Load()):
                root = path_of(one)[0]
                if root == own:
                    of_own.add(name)
                elif root in local | {""}:
                    others.add(name)
                else:
                    parts.add((root, name))
            case ast.Constant(value=str(name)):
                others.add(name)
    return Looks(
        frozenset(names),
        frozenset(parts),
        frozenset(of_own),
        frozenset(others),
        called,
        frozenset(asked),
    )


def _operators(node: ast.AST) -> Iterator[str]:
    """Methods that operators run which ask for something."""
    yield from ("__bool__", "__len__")
    match node:
        case ast.Subscript():
            yield "__getitem__"
        case ast.Compare(ops=ops):
            if any(isinstance(one, ast.In | ast.NotIn) for one in ops):
                yield "__contains__"
            if any(isinstance(one, ast.Eq | ast.NotEq) for one in ops):
                yield "__eq__"


def _called(nodes: Iterable[ast.AST]) -> frozenset[str]:
    calls = (one for one in nodes if isinstance(one, ast.Call))
    return frozenset(path_of(one.func)[-1] for one in calls)
