"""Cuts the text of a module into definitions. Pure; knows nothing of tests.

A definition is a function or method, a class head, or a name bound by an assignment or import;
every other statement that runs at import is an effect. Comments and formatting are in none of
them.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import replace

from pytest_ciopt.core.edits.annotations import are_lazy, is_future, unevaluated, without
from pytest_ciopt.core.edits.decorators import (
    STAR,
    does_more,
    fixture_name,
    is_autouse,
    is_fixture,
    is_harmless,
    taken_names,
)
from pytest_ciopt.core.edits.definitions import EXPORTS, Definition, Kind, Module, united
from pytest_ciopt.core.edits.library import keeps_no_account
from pytest_ciopt.core.edits.mentions import (
    Mentions,
    mentions,
    of_function,
    of_statements,
)
from pytest_ciopt.core.edits.order import bound_names, order
from pytest_ciopt.core.edits.stores import path_of
from pytest_ciopt.core.edits.trees import children, walk, without_docstring
from pytest_ciopt.core.edits.uses import Uses

_TEXT = ("its annotation is a text",)
_DOING = (ast.Call, ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)
"""Expressions that may do more than look at something."""
Memo = dict[tuple[int, str], Definition]
"""Functions that were cut before, by the identity of their nodes and what stands around them."""


def module(tree: ast.Module) -> Module:
    """Cuts a tree into definitions and effects."""
    return _Cutter({}, is_compared=True, is_searched=True).module(tree)


def comparable(tree: ast.Module) -> Module:
    """As `module`, without the names that are mentioned, but for those of `__all__`."""
    return _Cutter({}, is_compared=True, is_searched=False).module(tree)


def mentioning(tree: ast.Module, memo: Memo, taken: frozenset[str] | None = None) -> Module:
    """As `module`, without the texts that are only compared (`content`, `declared`, effects and
    their order), in half the time. What is in `memo` is not cut again; `taken` are the
    `taken_names` of the whole, where this is a part."""
    cutter = _Cutter(memo, is_compared=False, is_searched=True)
    return cutter.module(tree, taken)


class _Cutter:
    def __init__(self, memo: Memo, *, is_compared: bool, is_searched: bool) -> None:
        self._memo = memo
        self._is_compared, self._is_searched = is_compared, is_searched
        self._taken = frozenset[str]()
        self._is_lazy = self._are_texts = False
        """Of annotations: whether they are not evaluated, and whether they are texts instead."""

    def module(self, tree: ast.Module, taken: frozenset[str] | None = None) -> Module:
        """All of a tree."""
        self._taken = taken_names(tree) if taken is None else taken
        pieces: list[Definition] = []
        effects: list[ast.AST] = []
        self._is_lazy, self._are_texts = are_lazy(tree), any(map(is_future, tree.body))
        body = self._without_docstring(tree, pieces)
        self._cut(body, "", pieces, effects)
        return Module(
            definitions=_with_accountants(united(pieces), clear=STAR not in self._taken),
            effects=tuple(map(self._text, effects)),
            order=tuple(order(body, lazy=self._is_lazy)) if self._is_compared else (),
            effects_named=self._named(effects),
        )

    def _text(self, *nodes: object) -> str:
        """What is compared of syntax trees."""
        if not self._is_compared:
            return ""
        return "\n".join(ast.dump(n) if isinstance(n, ast.AST) else repr(n) for n in nodes)

    def _named(self, nodes: Iterable[ast.AST]) -> Mentions:
        """What code outside of functions mentions."""
        return of_statements(nodes) if self._is_searched else Mentions()

    def _without_docstring(self, tree: ast.Module, pieces: list[Definition]) -> list[ast.stmt]:
        first = tree.body[0] if tree.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            text = self._text(first)
            pieces.append(Definition("__doc__", Kind.BINDING, text, ""))
            return tree.body[1:]
        return tree.body

    def _cut(
        self,
        body: Iterable[ast.stmt],
        scope: str,
        pieces: list[Definition],
        rest: list[ast.AST],
    ) -> None:
        prefix = f"{scope}." if scope else ""
        for statement in body:
            match statement:
                case ast.FunctionDef() | ast.AsyncFunctionDef():
                    key = (id(statement), prefix)
                    if key not in self._memo:
                        self._memo[key] = self._function(statement, prefix)
                    pieces.append(self._memo[key])
                case ast.ClassDef():
                    self._class(statement, prefix, pieces)
                case ast.Import() | ast.ImportFrom() if statement.names[0].name != "*":
                    pieces.extend(_imported(statement, prefix))
                case ast.Pass():
                    pass
                case ast.If() | ast.Try() if (leaves := _alternatives(statement)) is not None:
                    pieces.extend(self._chosen(statement, prefix, leaves))
                case _ if (names := bound_names(statement)) is not None:
                    pieces.extend(self._bound(statement, prefix, names))
                case _:
                    rest.append(statement)

    def _chosen(
        self, whole: ast.If | ast.Try, prefix: str, leaves: Iterable[ast.stmt]
    ) -> Iterator[Definition]:
        """What is bound in one way or another: what decides that belongs to each of the names."""
        pieces: list[Definition] = []
        self._cut(leaves, prefix.removesuffix("."), pieces, [])
        content, deciding = self._text(whole), self._named(_deciding(whole))
        return (replace(one, content=content, named=one.named | deciding) for one in pieces)

    def _bound(self, node: ast.stmt, prefix: str, names: Iterable[str]) -> Iterator[Definition]:
        named = of_statements([node]) if EXPORTS in names else self._named([node])
        common = Definition(
            prefix,
            Kind.BINDING,
            content=self._text(
                node, *(_TEXT if self._are_texts and isinstance(node, ast.AnnAssign) else ())
            ),
            decorators="",
            named=named,
            uses=Uses((node, bool(prefix))),
            foreign=any(map(self._does_more, _run_at_once(node))),
            makers=_makers(filter(self._does_more, _run_at_once(node))),
            given=_given((node,)),
        )
        return (replace(common, name=prefix + name) for name in names)

    def _class(self, node: ast.ClassDef, prefix: str, pieces: list[Definition]) -> None:
        name = prefix + node.name
        rest: list[ast.AST] = [*_parameters(node), *node.bases, *node.keywords]
        body = without_docstring(node)
        self._cut(body, name, pieces, rest)
        docstring = [one for one in node.body[:1] if one not in body]  # with examples, perhaps
        bases = (*node.bases, *(word.value for word in node.keywords))
        making = (*node.decorator_list, *bases)
        named = self._named([*rest, *docstring, *node.decorator_list])
        pieces.append(
            Definition(
                name=name,
                kind=Kind.CLASS,
                content=self._text(*rest),
                decorators=_decorators(node),
                documented=self._documented(node),
                named=named,
                has_bases=any(ast.unparse(base) != "object" for base in node.bases)
                or bool(node.keywords),
                bases=frozenset(map(ast.unparse, bases)),
                foreign=not all(map(self._is_harmless, node.decorator_list)),
                makers=_makers(making),
                given=_given(making),
            )
        )

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, prefix: str) -> Definition:
        fixture = next(filter(is_fixture, node.decorator_list), None)
        types = unevaluated(node, lazy=self._is_lazy)
        named = of_function(node, types.types) if self._is_searched else Mentions()
        making = (*node.decorator_list, *self._default_calls(node))
        bare = without(node, types.nodes) if self._is_compared else node
        return Definition(
            name=prefix + node.name,
            kind=Kind.FUNCTION,
            content=self._text(
                *(type(node), *_parameters(node), bare.args, bare.returns),
                *without_docstring(bare),
            ),
            decorators=_decorators(node),
            named=named,
            uses=Uses((node, bool(prefix))),
            head=frozenset().union(*map(mentions, self._head(node) if self._is_searched else ())),
            declared=self._declared(bare),
            sort=_sort(node) if self._is_compared else "",
            annotated=self._pairs(types.of_function),
            noted=self._pairs(types.of_variables),
            documented=self._documented(node),
            fixture=fixture is not None,
            fixture_name=fixture_name(fixture, node.name) if fixture is not None else None,
            autouse=fixture is not None and is_autouse(fixture),
            makers=_makers(making),
            given=_given(making),
            foreign=not all(d is fixture or self._is_harmless(d) for d in node.decorator_list)
            or any(True for _ in self._default_calls(node)),
        )

    def _is_harmless(self, decorator: ast.expr) -> bool:
        return is_harmless(decorator, self._taken)

    def _does_more(self, node: ast.AST) -> bool:
        return does_more(node, self._taken)

    def _head(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
        """Parts of a function that run when it is defined."""
        yield from node.decorator_list
        yield from _defaults(node)
        if not all(map(self._is_harmless, node.decorator_list)):
            yield node.args
            if node.returns is not None:
                yield node.returns

    def _default_calls(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
        for default in _defaults(node):
            yield from filter(self._does_more, walk(default))

    def _declared(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
        """What can be told of a function without running it."""
        if not self._is_compared:
            return ""
        return _sort(node) + self._text(*_parameters(node), node.args, node.returns)

    def _pairs(self, annotations: Iterable[tuple[str, ast.AST]]) -> str:
        pairs = annotations if self._is_compared else ()
        return "".join(f"{name}: {self._text(one)}\n" for name, one in pairs)

    def _documented(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
        docstring = ast.get_docstring(node, clean=False) if self._is_compared else None
        return "" if docstring is None else repr(docstring)


def _parameters(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> list[ast.AST]:
    """Those of types, which Python has from 3.12 on."""
    return getattr(node, "type_params", [])


def _with_accountants(definitions: dict[str, Definition], *, clear: bool) -> dict[str, Definition]:
    """With those bases alone that may keep account of a class. `clear`: a name that is not bound
    means what it usually does."""
    found = {}
    for name, one in definitions.items():
        if one.bases:
            bases = frozenset(
                base
                for base in one.bases
                if not keeps_no_account(base, one.scope, definitions, clear=clear)
            )
            found[name] = replace(one, bases=bases)
    return definitions | found if found else definitions


def _run_at_once(node: ast.AST) -> Iterator[ast.AST]:
    """All that is below a node, but for the bodies of lambdas that are handed to nobody."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        if isinstance(one, ast.Call):
            yield from walk(one)[1:]
        elif isinstance(one, ast.Lambda):
            waiting.append(one.args)
        else:
            waiting.extend(children(one))


def _makers(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Dotted names: `app.route` for `@app.route("/")`."""
    return frozenset(
        ".".join(path_of(node.func if isinstance(node, ast.Call) else node))
        for node in nodes
        if isinstance(node, ast.expr)
    )


def _given(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Plain names in the arguments of calls."""
    calls = (one for node in nodes for one in walk(node) if isinstance(one, ast.Call))
    arguments = (one for call in calls for one in (*call.args, *call.keywords))
    return frozenset(
        one.id for argument in arguments for one in walk(argument) if isinstance(one, ast.Name)
    )


def _defaults(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.expr]:
    yield from node.args.defaults
    yield from (default for default in node.args.kw_defaults if default is not None)


def _decorators(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    return "\n".join(map(ast.dump, node.decorator_list))


def _imported(node: ast.Import | ast.ImportFrom, prefix: str) -> Iterator[Definition]:
    for alias in node.names:
        name = alias.asname or alias.name.partition(".")[0]
        level, source = getattr(node, "level", 0), getattr(node, "module", None) or ""
        yield Definition(
            name=prefix + name,
            kind=Kind.IMPORT,
            content=repr((level, source, alias.name, alias.asname)),
            decorators="",
            imported=frozenset(((level, source, alias.name),)),
            renames=frozenset((alias.name,)) if alias.asname else frozenset(),
        )


def _alternatives(node: ast.If | ast.Try) -> list[ast.stmt] | None:
    """The imports and assignments of which a statement chooses some, by conditions that call
    nothing or by whether they fail; None when it does something else as well, or chooses exports,
    which are compared by their names alone."""
    if any(isinstance(one, _DOING) for part in _deciding(node) for one in walk(part)):
        return None
    leaves: list[ast.stmt] = []
    for statement in _branches(node):
        match statement:
            case ast.If() | ast.Try():
                below = _alternatives(statement)
                if below is None:
                    return None
                leaves.extend(below)
            case ast.Import() | ast.ImportFrom() if statement.names[0].name != "*":
                leaves.append(statement)
            case ast.Pass():
                pass
            case _ if (names := bound_names(statement)) and EXPORTS not in names:
                leaves.append(statement)
            case _:
                return None
    return leaves


def _branches(node: ast.If | ast.Try) -> list[ast.stmt]:
    if isinstance(node, ast.If):
        return [*node.body, *node.orelse]
    handled = (statement for handler in node.handlers for statement in handler.body)
    return [*node.body, *handled, *node.orelse, *node.finalbody]


def _deciding(node: ast.If | ast.Try) -> Iterator[ast.expr]:
    """Conditions and kinds of errors, also of such statements within."""
    if isinstance(node, ast.If):
        yield node.test
    else:
        yield from (one.type for one in node.handlers if one.type is not None)
    for statement in _branches(node):
        if isinstance(statement, ast.If | ast.Try):
            yield from _deciding(statement)


def _sort(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """What a call of a function makes instead of running it; nothing for an ordinary one."""
    is_async = isinstance(node, ast.AsyncFunctionDef)
    waiting: list[ast.AST] = [*node.body]
    while waiting:
        one = waiting.pop()
        if isinstance(one, ast.Yield | ast.YieldFrom):
            return "async generator " if is_async else "generator "
        if not isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            waiting.extend(ast.iter_child_nodes(one))
    return "coroutine " if is_async else ""
