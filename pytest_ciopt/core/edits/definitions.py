"""Cuts the text of a module into definitions. Pure; knows nothing of tests.

A definition is a function or method, a class head, or a name bound by an assignment or import;
every other statement that runs at import is an effect. Comments and formatting are in none of
them.
"""

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from pytest_ciopt.core.edits.decorators import (
    does_more,
    fixture_name,
    is_autouse,
    is_fixture,
    is_harmless,
    is_plain_base,
)
from pytest_ciopt.core.edits.mentions import Mentions, mentions, of_function, of_statements
from pytest_ciopt.core.edits.stores import path_of
from pytest_ciopt.core.edits.trees import walk
from pytest_ciopt.core.edits.uses import Uses

EXPORTS = "__all__"


class Kind(Enum):
    """What a definition is."""

    FUNCTION = auto()
    CLASS = auto()
    """Decorators, bases, keywords and docstring of a class, and what else its body runs."""
    BINDING = auto()
    IMPORT = auto()


@dataclass(frozen=True, slots=True)
class Definition:
    """What one scope defines under one name; same-named definitions are taken together."""

    name: str
    """Qualified, e.g. `TestA.test_x`."""
    kind: Kind
    content: str
    """Compared for equality only."""
    decorators: str
    mentions: frozenset[str]
    """Every identifier in it, those inside strings included, but for what a function binds itself
    and for prose; see `core/edits/mentions.py`."""
    fixture: bool = False
    fixture_name: str | None = None
    """None when it is computed."""
    autouse: bool = False
    has_bases: bool = False
    bases: frozenset[str] = frozenset()
    """Expressions of the bases and the metaclass that may keep account of their subclasses."""
    foreign: bool = False
    """Whether a decorator or a call in it may make it known to code that never mentions it."""
    makers: frozenset[str] = frozenset()
    """Dotted names of those decorators, calls and bases."""
    origins: frozenset[str] = frozenset()
    """Top names of the modules that an import binds it from; "" for a relative one."""
    imported: frozenset[tuple[int, str, str]] = frozenset()
    """What imports bind it to: level, module and name; no module where that is what is bound."""
    loose: frozenset[str] = frozenset()
    """What of `mentions` is more than a plain name: attributes, keywords, words in strings."""
    values: frozenset[str] = frozenset()
    """What of `mentions` may be a module that is handed on as a whole, see `Mentions`."""
    plain: frozenset[str] = frozenset()
    parts: frozenset[tuple[str, str]] = frozenset()
    dotted: frozenset[str] = frozenset()
    """Three parts of `values`, see `Mentions`."""
    asks: frozenset[str] = frozenset()
    """Parameters of a function and of those in it: mentions where pytest may fill them."""
    head: frozenset[str] = frozenset()
    """What of `mentions` decides at import what a function is: decorators and defaults, and
    annotations where a decorator may read them."""
    declared: str = ""
    """What is seen of a function without calling it: signature and docstring."""
    renames: frozenset[str] = frozenset()
    """What an import binds under another name."""
    uses: Uses = field(default=Uses(), compare=False)
    """What the code of a function or an assignment does with names."""

    @property
    def is_module(self) -> bool:
        """Whether it is a module that `import` binds."""
        return self.kind is Kind.IMPORT and self.content.startswith("(0, '',")

    @property
    def scope(self) -> str:
        """Qualified name of the class around it, "" at module level."""
        return self.name.rpartition(".")[0]

    @property
    def simple(self) -> str:
        """The name without its scope."""
        return self.name.rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Module:
    """One text of a module in pieces."""

    definitions: Mapping[str, Definition]
    effects: tuple[str, ...]
    order: tuple[str, ...] = ()
    """What runs at import, in order: effects as they are, definitions by name."""
    effect_mentions: frozenset[str] = field(default=frozenset())
    effect_loose: frozenset[str] = field(default=frozenset())
    effect_values: frozenset[str] = field(default=frozenset())
    effect_parts: frozenset[tuple[str, str]] = field(default=frozenset())
    effect_plain: frozenset[str] = field(default=frozenset())
    effect_dotted: frozenset[str] = field(default=frozenset())


Memo = dict[tuple[int, str], Definition]
"""Functions that were cut before, by the identity of their nodes and what stands around them."""


def module(tree: ast.Module) -> Module:
    """Cuts a tree into definitions and effects."""
    return _Cutter({}, is_compared=True, is_searched=True).module(tree)


def comparable(tree: ast.Module) -> Module:
    """As `module`, without the names that are mentioned, but for those of `__all__`."""
    return _Cutter({}, is_compared=True, is_searched=False).module(tree)


def mentioning(tree: ast.Module, memo: Memo) -> Module:
    """As `module`, without the texts that are only compared (`content`, `declared`, effects and
    their order), in half the time. What is in `memo` is not cut again."""
    return _Cutter(memo, is_compared=False, is_searched=True).module(tree)


class _Cutter:
    def __init__(self, memo: Memo, *, is_compared: bool, is_searched: bool) -> None:
        self._memo = memo
        self._is_compared, self._is_searched = is_compared, is_searched

    def module(self, tree: ast.Module) -> Module:
        """All of a tree."""
        pieces: list[Definition] = []
        effects: list[ast.AST] = []
        body = self._without_docstring(tree, pieces)
        self._cut(body, "", pieces, effects)
        named = self._named(effects)
        return Module(
            definitions=_united(pieces),
            effects=tuple(map(self._text, effects)),
            order=tuple(_order(body)) if self._is_compared else (),
            effect_mentions=named.every,
            effect_loose=named.loose,
            effect_values=named.values,
            effect_parts=named.parts,
            effect_plain=named.plain,
            effect_dotted=named.dotted,
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
            pieces.append(Definition("__doc__", Kind.BINDING, text, "", frozenset()))
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
                case _ if (names := bound_names(statement)) is not None:
                    pieces.extend(self._bound(statement, prefix, names))
                case _:
                    rest.append(statement)

    def _bound(self, node: ast.stmt, prefix: str, names: Iterable[str]) -> Iterator[Definition]:
        named = of_statements([node]) if EXPORTS in names else self._named([node])
        common = Definition(
            prefix,
            Kind.BINDING,
            content=self._text(node),
            decorators="",
            mentions=named.every,
            loose=named.loose,
            values=named.values,
            parts=named.parts,
            plain=named.plain,
            dotted=named.dotted,
            uses=Uses((node, bool(prefix))),
            foreign=any(map(does_more, walk(node))),
            makers=_makers(filter(does_more, walk(node))),
        )
        return (replace(common, name=prefix + name) for name in names)

    def _class(self, node: ast.ClassDef, prefix: str, pieces: list[Definition]) -> None:
        name = prefix + node.name
        rest: list[ast.AST] = [*node.bases, *node.keywords]
        self._cut(node.body, name, pieces, rest)
        named = self._named([*rest, *node.decorator_list])
        pieces.append(
            Definition(
                name=name,
                kind=Kind.CLASS,
                content=self._text(*rest),
                decorators=_decorators(node),
                mentions=named.every,
                loose=named.loose,
                values=named.values,
                parts=named.parts,
                plain=named.plain,
                dotted=named.dotted,
                has_bases=any(ast.unparse(base) != "object" for base in node.bases)
                or bool(node.keywords),
                bases=frozenset(_accountants(node)),
                foreign=not all(map(is_harmless, node.decorator_list)),
                makers=_makers(
                    (*node.decorator_list, *node.bases, *(word.value for word in node.keywords))
                ),
            )
        )

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, prefix: str) -> Definition:
        fixture = next(filter(is_fixture, node.decorator_list), None)
        named = of_function(node) if self._is_searched else Mentions()
        return Definition(
            name=prefix + node.name,
            kind=Kind.FUNCTION,
            content=self._text(type(node), node.args, node.returns, *node.body),
            decorators=_decorators(node),
            mentions=named.every,
            loose=named.loose,
            values=named.values,
            parts=named.parts,
            plain=named.plain,
            dotted=named.dotted,
            asks=named.asks,
            uses=Uses((node, bool(prefix))),
            head=frozenset().union(*map(mentions, _head(node) if self._is_searched else ())),
            declared=self._text(node.args, ast.get_docstring(node, clean=False)),
            fixture=fixture is not None,
            fixture_name=fixture_name(fixture, node.name) if fixture is not None else None,
            autouse=fixture is not None and is_autouse(fixture),
            makers=_makers((*node.decorator_list, *_default_calls(node))),
            foreign=not all(d is fixture or is_harmless(d) for d in node.decorator_list)
            or any(True for _ in _default_calls(node)),
        )


def _accountants(node: ast.ClassDef) -> Iterator[str]:
    for base in (*node.bases, *(keyword.value for keyword in node.keywords)):
        name = ast.unparse(base)
        if not is_plain_base(name):
            yield name


def _head(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    """Parts of a function that run when it is defined."""
    yield from node.decorator_list
    yield from _defaults(node)
    if not all(map(is_harmless, node.decorator_list)):
        yield node.args
        if node.returns is not None:
            yield node.returns


def _default_calls(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.AST]:
    for default in _defaults(node):
        yield from filter(does_more, walk(default))


def _makers(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """Dotted names: `app.route` for `@app.route("/")`."""
    return frozenset(
        ".".join(path_of(node.func if isinstance(node, ast.Call) else node))
        for node in nodes
        if isinstance(node, ast.expr)
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
            mentions=frozenset(),
            origins=frozenset((_top(node, alias),)),
            imported=frozenset(((level, source, alias.name),)),
            renames=frozenset((alias.name,)) if alias.asname else frozenset(),
        )


def _top(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    """The top name of the module that is imported; "" for a relative one."""
    if isinstance(node, ast.Import):
        return alias.name.partition(".")[0]
    return "" if node.level else (node.module or "").partition(".")[0]


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


def _united(pieces: Iterable[Definition]) -> dict[str, Definition]:
    """Definitions of one name in one scope belong together, in their order."""
    found: dict[str, Definition] = {}
    for piece in pieces:
        known = found.get(piece.name)
        if known is not None:
            piece = Definition(
                name=piece.name,
                kind=piece.kind if piece.kind is known.kind else Kind.BINDING,
                content=f"{known.content}\n\n{piece.content}",
                decorators=f"{known.decorators}\n\n{piece.decorators}",
                mentions=known.mentions | piece.mentions,
                fixture=known.fixture or piece.fixture,
                fixture_name=piece.fixture_name
                if known.fixture_name == piece.fixture_name
                else None,
                autouse=known.autouse or piece.autouse,
                has_bases=known.has_bases or piece.has_bases,
                bases=known.bases | piece.bases,
                foreign=known.foreign or piece.foreign,
                makers=known.makers | piece.makers,
                origins=known.origins | piece.origins,
                imported=known.imported | piece.imported,
                loose=known.loose | piece.loose,
                values=known.values | piece.values,
                parts=known.parts | piece.parts,
                plain=known.plain | piece.plain,
                dotted=known.dotted | piece.dotted,
                asks=known.asks | piece.asks,
                head=known.head | piece.head,
                declared=f"{known.declared}\n\n{piece.declared}",
                renames=known.renames | piece.renames,
                uses=known.uses + piece.uses,
            )
        found[piece.name] = piece
    return found


def _order(body: Iterable[ast.stmt], prefix: str = "") -> Iterator[str]:
    for statement in body:
        match statement:
            case ast.Pass() | ast.FunctionDef(decorator_list=[]):
                pass  # defining it runs nothing
            case ast.AsyncFunctionDef(decorator_list=[]):
                pass
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield prefix + name
            case ast.ClassDef(name=name, body=inner):
                yield prefix + name
                yield from _order(inner, f"{prefix}{name}.")
            case ast.ImportFrom(names=[ast.alias(name="*")]):
                yield prefix + ast.dump(statement)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from (f"{prefix}{alias.asname or alias.name}" for alias in aliases)
            case _ if (bound := bound_names(statement)) is not None:
                yield from (prefix + name for name in bound)
            case _:
                yield prefix + ast.dump(statement)
