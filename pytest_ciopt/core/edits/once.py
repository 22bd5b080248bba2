"""Whether a function may compute a value once and keep it, so that later callers run less. Pure.

What such a function runs on the first call, nobody else is seen to run: a cached function, and one
that fills an attribute, a dictionary or a global only where that is empty. **Source:** five real
failures that recorders of executed functions miss were all of this kind.
"""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_ciopt.core.edits.decorators import is_fixture, is_harmless
from pytest_ciopt.core.edits.stores import Function, Store, path_of
from pytest_ciopt.core.edits.trees import walk

COMPUTED = "*"
"""Instead of a name that the text does not tell."""
_KEEPING = re.compile(r"cache|memo(?!ry)|once|lazy|singleton|reify", re.IGNORECASE)
"""In the name of a decorator, or of what is called with a function."""
_CALLING_EACH_TIME = re.compile(
    r"(?:\w+\.)?(?:command|group|(?:version_|help_|confirmation_|password_)?option|argument"
    r"|pass_context|pass_obj)"
)
"""Decorators of click and its kin: what a command returns is kept by nobody."""
_ASKED_ONCE = frozenset(("__get__", "__getattr__", "__getattribute__", "__missing__"))
"""They run only where nothing is found, so what they store makes the whole of them needless."""
_SHARED = (ast.expr_context, ast.operator, ast.boolop, ast.unaryop, ast.cmpop)
"""Nodes of which a tree holds one for all places."""
_RUNNING = (
    *(ast.Call, ast.Attribute, ast.BinOp, ast.UnaryOp, ast.Compare, ast.JoinedStr, ast.AugAssign),
    *(ast.Await, ast.Yield, ast.YieldFrom, ast.For, ast.AsyncFor, ast.comprehension, ast.Starred),
    *(ast.With, ast.AsyncWith, ast.Match, ast.Delete, ast.Import, ast.ImportFrom),
)
"""Nodes that may run code whose name they do not have."""
_ASKING = frozenset(("len", "bool", "any", "all", "getattr", "hasattr", "vars", "isinstance"))
"""Functions that only look at what they are given."""
_LEAVING = (ast.Return, ast.Continue, ast.Break)


@dataclass(frozen=True, slots=True)
class Keeping:
    """One thing that a function keeps between calls."""

    name: str
    """Under which others find it; for a cached function its own; perhaps `COMPUTED`."""
    within: frozenset[str] | None
    """Identifiers in the parts that a kept value makes needless; None for the whole function."""
    of_self: bool = False
    """Whether it is kept in the object that the method belongs to, and nowhere else."""
    of_argument: bool = False
    """Whether it is kept in an object that the function is given, by the name that it has there."""
    runs_any: bool = True
    """Whether these parts run what they do not name."""
    roots: frozenset[str] = frozenset()
    """Names of the objects that it is kept in."""
    wrapped: frozenset[str] = frozenset()
    """Decorators that nobody knows, of whose making the keeping would be; none for others."""

    def may_spare(self, called: str, mentions: frozenset[str]) -> bool:
        """Whether a kept value may make a call needless; what is called without a name may be."""
        if self.within is None or called in self.within:
            return True
        return self.runs_any and called not in mentions


def tells_of_keeping(name: str) -> bool:
    """Whether a name says that something is computed once, e.g. `cache_page`."""
    return _KEEPING.search(name) is not None


def keeping(node: Function, written: Iterable[Store], own: str | None) -> tuple[Keeping, ...]:
    """Nothing for a function that plainly keeps nothing between calls.

    `written` is what `stores` tells of it, `own` the object that a method belongs to.
    """
    decorated = _by_decorators(node)
    return tuple(_by_itself(node, written, own)) if decorated is None else (decorated,)


def _by_decorators(node: Function) -> Keeping | None:
    """What it is decorated with may call the function once: it says so, or nobody knows it."""
    unknown = set[str]()
    for decorator in node.decorator_list:
        text = ast.unparse(decorator)
        if is_fixture(decorator):
            continue
        if any(map(tells_of_keeping, _words(decorator))):
            return Keeping(node.name, None, of_self="property" in text)
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if not (is_harmless(decorator) or _CALLING_EACH_TIME.fullmatch(ast.unparse(called))):
            unknown.add(re.split(r"\W", text, maxsplit=1)[0])
    return Keeping(node.name, None, wrapped=frozenset(unknown)) if unknown else None


def _words(decorator: ast.expr) -> Iterator[str]:
    """Names in a decorator; its texts say what is kept of nothing."""
    for one in walk(decorator):
        match one:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.keyword(arg=str(name)):
                yield name


def _by_itself(node: Function, written: Iterable[Store], own: str | None) -> Iterator[Keeping]:
    """What it writes to, where it looks at that first."""
    by_name: dict[str, list[Store]] = {}
    for store in written:
        by_name.setdefault(store.name, []).append(store)
    everything = walk(node) if by_name else []
    arguments = {one.arg for one in walk(node.args) if isinstance(one, ast.arg)} - {own}
    for name, places in by_name.items():
        of_self = all(store.root == own for store in places)
        roots = frozenset(store.root for store in places)
        if node.name in _ASKED_ONCE:
            yield Keeping(name or COMPUTED, None, of_self, roots=roots)
            continue
        needless = _Needless(places, everything, arguments).nodes()
        if needless and any(_fills(store, needless, everything) for store in places):
            yield Keeping(
                name or COMPUTED,
                frozenset(identifiers(needless)),
                of_self,
                of_argument=name in arguments and roots == {name},
                runs_any=any(map(_runs_any, needless)),
                roots=roots,
            )


def _runs_any(node: ast.AST) -> bool:
    """Whether a node may run code whose name it does not have."""
    match node:
        case ast.Subscript(ctx=context):
            return isinstance(context, ast.Load)
    return isinstance(node, _RUNNING)


def _fills(store: Store, needless: set[ast.AST], everything: list[ast.AST]) -> bool:
    """Whether it is written where it was missing, or with a value that was made because of that."""
    if store.node in needless:
        return True
    made = {
        name
        for node in everything
        for target, value in assigned(node)
        if node in needless or not needless.isdisjoint(walk(value))
        for name in targets(target)
    }
    values = [
        value for node in everything for target, value in assigned(node) if _holds(target, store)
    ]
    inside = [one for value in values for one in walk(value)]
    return any(one in needless or (isinstance(one, ast.Name) and one.id in made) for one in inside)


def _holds(target: ast.expr, store: Store) -> bool:
    return any(one is store.node for one in walk(target))


class _Needless:
    """Parts of a function that do not run, or need not, where something is kept already."""

    def __init__(
        self, written: list[Store], everything: list[ast.AST], arguments: set[str]
    ) -> None:
        self._everything = everything
        self._name = written[0].name
        self._paths = {store.path for store in written}
        self._is_item = any(isinstance(store.node, ast.Subscript | ast.Call) for store in written)
        self._containers = {
            store.path[-2]
            for store in written
            if isinstance(store.node, ast.Subscript)
            and isinstance(store.node.slice, ast.Constant)
            and len(store.path) > 1
            and store.path[0] not in arguments
        }
        """Of items with a constant key: whoever looks at one of these may look for the item."""
        self._asked = {path[0] for path in self._paths if len(path) == 1}
        """Variables that hold what is kept, or are made from it."""
        merged = all(map(_merges, written)) and self._asked <= arguments
        self._handed_on = {*_handed_on(everything)} if merged else set[ast.AST]()
        """What is no look at them: it is handed to a call."""
        self._spread()

    def nodes(self) -> set[ast.AST]:
        """All nodes of these parts."""
        tops: list[ast.AST] = []
        after: int | None = None
        for node in self._everything:
            for guard, parts, may_leave in guards(node):
                if any(map(self._looks, guard)):
                    tops.extend(parts)
                    end: int = getattr(node, "end_lineno", 0)
                    after = end if may_leave and (after is None or end < after) else after
        if after is not None:
            statements = (one for one in self._everything if isinstance(one, ast.stmt))
            tops.extend(one for one in statements if one.lineno > after)
        return {node for top in tops for node in walk(top) if not isinstance(node, _SHARED)}

    def _spread(self) -> None:
        while True:
            more = {
                name
                for node in self._everything
                for target, value in assigned(node)
                if self._looks(value)
                for name in targets(target)
            }
            if more <= self._asked:
                return
            self._asked |= more

    def _looks(self, top: ast.AST) -> bool:
        inside = walk(top)
        by_text = self._is_item or any(map(_asks_by_text, inside))
        return any(self._is_look(node, by_text=by_text) for node in inside)

    def _is_look(self, node: ast.AST, *, by_text: bool) -> bool:
        match node:
            case _ if node in self._handed_on:
                return False
            case ast.Name(id=name, ctx=ast.Load()):
                return name in self._asked or name in self._containers
            case ast.Attribute(attr=name, ctx=ast.Load()):
                if name in self._containers:
                    return True
                return name == self._name and self._may_be_it(path_of(node))
            case ast.Constant(value=str(name)):
                return by_text and name == self._name
        return False

    def _may_be_it(self, path: tuple[str, ...]) -> bool:
        """An attribute of another object may be the same by another way."""
        return any(path[0] != known[0] or path == known for known in self._paths)


def _merges(store: Store) -> bool:
    """Whether something is put into a dictionary under no name that is looked for first: what
    `one.update(other)` keeps, it keeps of what is at hand."""
    match store.node:
        case ast.Call(func=ast.Attribute(attr="update"), args=[ast.Name()], keywords=[]):
            return True
        case ast.Call(func=ast.Attribute(attr="setdefault"), args=[ast.Constant(), _]):
            return True
    return False


def _handed_on(everything: list[ast.AST]) -> Iterator[ast.AST]:
    """Names that are arguments of calls which may do anything, and those of which one item is
    read."""
    for one in everything:
        match one:
            case ast.Call(func=function, args=args, keywords=keywords):
                if path_of(function)[-1] not in _ASKING:
                    yield from (*args, *(keyword.value for keyword in keywords))
            case ast.Subscript(value=value, slice=ast.Constant()):
                yield value


def _asks_by_text(node: ast.AST) -> bool:
    match node:
        case ast.Name(id="hasattr" | "getattr" | "vars") | ast.Attribute(attr="__dict__"):
            return True
    return False


Guard = tuple[Iterable[ast.AST], Iterable[ast.AST], bool]


def guards(node: ast.AST) -> Iterator[Guard]:
    """(what is looked at, what depends on it, whether the function may be left there)."""
    match node:
        case ast.If(test=test, body=body, orelse=orelse):
            match _is_missing(test):
                case True:
                    yield [test], body, leaves(orelse)
                case False:
                    yield [test], orelse, leaves(body)
                case None:
                    yield [test], [*body, *orelse], leaves(body) or leaves(orelse)
        case ast.While(test=test, body=body):
            yield [test], body, False
        case ast.IfExp(test=test, body=one, orelse=other):
            yield [test], [one, other], False
        case ast.BoolOp(values=[*values]):
            yield values[:-1], values[1:], False
        case (
            ast.Try(body=body, handlers=handlers, orelse=orelse)
            | ast.TryStar(body=body, handlers=handlers, orelse=orelse)
        ):
            yield body, [*handlers, *orelse], leaves(body)
        case ast.With(body=body) if leaves(body):  # suppress(KeyError)
            yield body, [], True
        case ast.Match(subject=subject, cases=cases):
            yield [subject], cases, any(leaves(case.body) for case in cases)


def _is_missing(test: ast.expr) -> bool | None:
    """Whether a condition is true where nothing is kept yet; None when its form does not tell."""
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            found = _is_missing(inner)
            return None if found is None else not found
        case ast.Compare(ops=[ast.Is() | ast.Eq()], comparators=[ast.Constant(value=None)]):
            return True
        case ast.Compare(ops=[ast.IsNot() | ast.NotEq()], comparators=[ast.Constant(value=None)]):
            return False
        case ast.Compare(ops=[ast.NotIn()]):
            return True
        case ast.Compare(ops=[ast.In()]):
            return False
        case ast.Name() | ast.Attribute() | ast.Subscript() | ast.Call() | ast.NamedExpr():
            return False
    return None


def leaves(body: list[ast.stmt]) -> bool:
    """Whether a function or a loop is left at the end of a block."""
    return bool(body) and isinstance(body[-1], _LEAVING)


def assigned(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What a node assigns to, with what; what it goes through counts."""
    match node:
        case ast.Assign(targets=targets, value=value):
            yield from ((target, value) for target in targets)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield target, value
        case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value):
            yield target, value
        case ast.For(target=target, iter=value) | ast.AsyncFor(target=target, iter=value):
            yield target, value
        case ast.comprehension(target=target, iter=value):
            yield target, value


def targets(target: ast.expr) -> Iterator[str]:
    """Variables that an assignment binds."""
    for node in walk(target):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id


def identifiers(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """Names and attributes that are read, and texts."""
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Load()) | ast.Attribute(attr=name, ctx=ast.Load()):
                yield name
            case ast.Constant(value=str(name)):
                yield name
