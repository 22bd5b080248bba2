"""Collects the names that some nodes of a syntax tree use, scope by scope. Pure.

What is said with them is in `mentions`.
"""

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Set
from typing import Any

from pytest_ciopt.core.edits.decorators import is_fixture
from pytest_ciopt.core.edits.prose import is_prose, plain_names_of_type
from pytest_ciopt.core.edits.trees import children, walk, without_docstring

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_LONGEST_STRING = 1_000
"""Characters up to which a string can name definitions; longer ones are prose or data."""
_OF_MODULES = ("__dict__", "__path__", "__name__")
"""Attributes through which a module is searched, or found again."""
_FIXTURE_SCOPES = ("session", "package", "module", "class", "function")
_DOCTEST = ">>>"
_OWN = frozenset(("self", "cls"))


class Scope:
    """Plain names that are used in a function or comprehension, and those that it binds."""

    __slots__ = ("attributes", "bound", "home", "parts", "shared", "used", "whole")

    def __init__(self, home: "Scope | None" = None) -> None:
        self.home = home or self
        """Where `:=` binds; for a comprehension that is outside of it."""
        self.bound: set[str] = set()
        self.shared: set[str] = set()
        """What it binds that others can see all the same: `global` names and imports."""
        self.used: set[str] = set()
        self.whole: set[str] = set()
        """Of `used` that of which nothing is asked."""
        self.parts: set[tuple[str, str]] = set()
        """Attributes of which nothing is asked, with the plain name before them."""
        self.attributes: set[tuple[str, str]] = set()
        """All attributes of plain names, with these."""


class NamesOf:
    """Collects what some nodes mention."""

    def __init__(self, types: Set[ast.expr] = frozenset()) -> None:
        """Annotations that are only `types` mention names, and hand on nothing."""
        self.names: set[str] = set()
        """But for plain names, which the scopes hold."""
        self.loose: set[str] = set()
        self.values: set[str] = set()
        self.dotted: set[str] = set()
        self.leading: set[str] = set()
        self.words: set[str] = set()
        self.attributes: set[str] = set()
        """Attributes of plain names, which may be in `names` as well."""
        self.asks: set[str] = set()
        self.hidden: set[str] = set()
        """Plain names of local variables."""
        self.hidden_whole: set[str] = set()
        self._own_name = 0
        self._quiet = {node for top in types for node in walk(top)}
        self._asked = set(self._quiet)
        """Nodes of which an attribute is taken, or what no module has."""
        self._scopes: set[ast.AST] = set()
        """What tells the scope of a fixture: `session` may well be the name of something else."""

    def read_all(self, nodes: Iterable[ast.AST]) -> Scope:
        """Reads nodes; gives back what the scope around them uses."""
        scope = Scope()
        self._read(nodes, scope)
        if self._own_name > 0:
            self.names.add("__name__")
        return scope

    def _read(self, nodes: Iterable[ast.AST], scope: Scope) -> None:
        waiting = list(nodes)
        while waiting:
            node = waiting.pop()
            handler = _HANDLERS.get(type(node))
            waiting.extend(children(node) if handler is None else handler(self, node, scope))

    def _inside(self, nodes: Iterable[ast.AST], scope: Scope, around: Scope) -> None:
        """Reads what belongs to a scope of its own, and hands on what that does not bind."""
        self._read(nodes, scope)
        local = scope.bound - scope.shared
        self.hidden |= scope.used & local
        self.hidden_whole |= scope.whole & local
        around.used |= scope.used - local
        around.whole |= scope.whole - local
        around.parts |= {part for part in scope.parts if part[0] not in local}
        for root, name in scope.attributes:
            if root in local and root not in _OWN:
                self.names.add(name)
            else:
                around.attributes.add((root, name))

    def rooted(self, around: Scope) -> frozenset[tuple[str, str]]:
        """See `Mentions.rooted`."""
        others = self.names | around.used | self.hidden | self.asks
        return frozenset(part for part in around.attributes if part[1] not in others)

    # --- scopes ----------------------------------------------------------------------------------

    def function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope
    ) -> Iterable[ast.AST]:
        """A function, whose decorators, defaults and annotations belong to the scope around it."""
        for decorator in filter(is_fixture, node.decorator_list):
            words = getattr(decorator, "keywords", ())
            self._scopes.update(word for word in words if _is_scope(word))
        scope.bound.add(node.name)
        if isinstance(node, ast.FunctionDef):
            scope.used.add(node.name)
            if node.decorator_list:  # it may be registered by its name
                self.names.add(node.name)
        yield from self._arguments(node.args, without_docstring(node), scope)
        yield from node.decorator_list
        yield from getattr(node, "type_params", ())
        if node.returns is not None:
            yield node.returns

    def lambda_(self, node: ast.Lambda, scope: Scope) -> Iterable[ast.AST]:
        """As a function."""
        return self._arguments(node.args, [node.body], scope)

    def _arguments(
        self, arguments: ast.arguments, body: Iterable[ast.AST], scope: Scope
    ) -> Iterator[ast.AST]:
        inner = Scope()
        for node in children(arguments):
            if isinstance(node, ast.arg):
                inner.bound.add(node.arg)
                yield from children(node)
            else:
                yield node
        self.asks |= inner.bound
        self._inside(body, inner, scope)

    def class_(self, node: ast.ClassDef, scope: Scope) -> Iterable[ast.AST]:
        """A class: names in its body are attributes, which others can see."""
        scope.bound.add(node.name)
        self.names.add(node.name)
        inner = Scope()
        self._read(without_docstring(node), inner)
        own = inner.used & inner.bound
        self.names |= own
        self.values |= inner.whole & own
        scope.used |= inner.used
        scope.whole |= inner.whole
        scope.parts |= inner.parts
        scope.attributes |= inner.attributes
        return (
            *(*node.decorator_list, *node.bases, *node.keywords),
            *getattr(node, "type_params", ()),
        )

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, scope: Scope
    ) -> Iterable[ast.AST]:
        """A comprehension, of which the first iterable belongs to the scope around it."""
        first, *others = node.generators
        self._asked.update(one.iter for one in node.generators)
        inner = [*first.ifs, first.target, *others]
        inner += [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]
        self._inside(inner, Scope(home=scope.home), scope)
        return (first.iter,)

    # --- names -----------------------------------------------------------------------------------

    def name(self, node: ast.Name, scope: Scope) -> Iterable[ast.AST]:
        """A plain name."""
        if node.id == "__name__":
            self._own_name += 1
            return ()
        scope.used.add(node.id)
        if not isinstance(node.ctx, ast.Load):
            scope.bound.add(node.id)
        elif node not in self._asked:
            scope.whole.add(node.id)
        return ()

    def walrus(self, node: ast.NamedExpr, scope: Scope) -> Iterable[ast.AST]:
        """`name := value`."""
        home = scope.home
        home.bound.add(node.target.id)
        home.used.add(node.target.id)
        return (node.value,)

    def annotated(self, node: ast.AnnAssign, scope: Scope) -> Iterable[ast.AST]:
        """`name: type`, of which `(name): type` binds nothing."""
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), value=None, simple=0):
                self.names.add(name)
                return (node.annotation,)
        return children(node)

    def attribute(self, node: ast.Attribute, scope: Scope) -> Iterable[ast.AST]:
        """An attribute of anything."""
        if node.attr not in _OF_MODULES:
            self._asked.add(node.value)
        self.loose.add(node.attr)
        match node.value:
            case ast.Name(id=root):
                self.attributes.add(node.attr)
                scope.attributes.add((root, node.attr))
            case _:
                self.names.add(node.attr)
        if node not in self._asked and isinstance(node.ctx, ast.Load):
            self._part(node.value, node.attr, scope)
        return (node.value,)

    def _part(self, whole: ast.expr, name: str, scope: Scope) -> None:
        """An attribute of which nothing is asked."""
        self.values.add(name)
        while isinstance(whole, ast.Attribute):
            whole = whole.value
        if isinstance(whole, ast.Name):
            scope.parts.add((whole.id, name))

    def looped(self, node: ast.For | ast.AsyncFor, scope: Scope) -> Iterable[ast.AST]:
        """No module can be iterated."""
        self._asked.add(node.iter)
        return children(node)

    def item(self, node: ast.Subscript, scope: Scope) -> Iterable[ast.AST]:
        """No module has items."""
        self._asked.add(node.value)
        return children(node)

    def keyword(self, node: ast.keyword, scope: Scope) -> Iterable[ast.AST]:
        """`name=value` in a call."""
        if node.arg is not None:
            self.names.add(node.arg)
            self.loose.add(node.arg)
        return () if node in self._scopes else (node.value,)

    def alias(self, node: ast.alias, scope: Scope) -> Iterable[ast.AST]:
        """What an import binds: the same as elsewhere, so it is no variable of the function."""
        scope.shared.add(node.asname or node.name.partition(".")[0])
        self.names.update(node.name.split("."))
        self.loose.update(node.name.split("."))
        if node.asname:
            self.values.update(node.name.split("."))
            scope.whole.update(node.name.split("."))
        return ()

    def declared(self, node: ast.Global | ast.Nonlocal, scope: Scope) -> Iterable[ast.AST]:
        """`global` and `nonlocal` names."""
        scope.shared.update(node.names)
        self.names.update(node.names)
        return ()

    def caught(self, node: ast.ExceptHandler, scope: Scope) -> Iterable[ast.AST]:
        """`except ... as name`."""
        if node.name is not None:
            scope.bound.add(node.name)
        return children(node)

    def captured(self, node: ast.MatchAs | ast.MatchStar, scope: Scope) -> Iterable[ast.AST]:
        """A name in a pattern."""
        if node.name is not None:
            scope.bound.add(node.name)
        return children(node)

    def captured_rest(self, node: ast.MatchMapping, scope: Scope) -> Iterable[ast.AST]:
        """`**name` in a pattern."""
        if node.rest is not None:
            scope.bound.add(node.rest)
        return children(node)

    def pattern(self, node: ast.MatchClass, scope: Scope) -> Iterable[ast.AST]:
        """`Class(name=...)` in a pattern."""
        self.names.update(node.kwd_attrs)
        self.loose.update(node.kwd_attrs)
        return children(node)

    # --- strings ---------------------------------------------------------------------------------

    def constant(self, node: ast.Constant, scope: Scope) -> Iterable[ast.AST]:
        """A string, perhaps."""
        if isinstance(node.value, str) and not is_prose(node.value):
            self._named(node.value)
            if node not in self._quiet:
                self._words(node.value)
        return ()

    def _named(self, text: str) -> None:
        if len(text) <= _LONGEST_STRING:
            words = _IDENTIFIER.findall(text)
            self.names.update(words)
            self.loose.update(set(words) - plain_names_of_type(text))

    def _words(self, text: str) -> None:
        if len(text) <= _LONGEST_STRING:
            self.words.update(_IDENTIFIER.findall(text))
        if _DOTTED.fullmatch(text.strip(".")):
            first, *others = text.strip(".").split(".")
            if others and not text.startswith("."):
                self.leading.add(first)
            else:
                others.append(first)
            self.values.update(others)
            if "." in text:
                self.dotted.update(others)

    def joined(self, node: ast.AST, scope: Scope) -> Iterable[ast.AST]:
        """Of a text with values in it no part is prose: it may be a template of code."""
        for part in children(node):
            if not isinstance(part, ast.Constant):
                yield part
            elif isinstance(part.value, str):
                self._named(part.value)
                self._words(part.value)

    def alone(self, node: ast.Expr, scope: Scope) -> Iterable[ast.AST]:
        """A statement that is a string only explains, unless it holds examples that are run."""
        match node.value:
            case ast.Constant(value=str(text)) if _DOCTEST not in text:
                return ()
        return (node.value,)

    # --- calls and operators ---------------------------------------------------------------------

    def called(self, node: ast.Call, scope: Scope) -> Iterable[ast.AST]:
        """No module can be called. `getattr(x, "name")` asks for an attribute as `x.name` does."""
        self._asked.add(node.func)
        match node:
            case ast.Call(
                func=ast.Name(id="getattr" | "hasattr"),
                args=[whole, ast.Constant(value=str(name)), *_],
            ):
                self._part(whole, name, scope)
                self._asked.add(whole)
            case ast.Call(func=ast.Name(id="__import__"), args=[ast.Constant(value=str(name)), *_]):
                top = name.partition(".")[0]  # it gives back the outermost package
                self.values.add(top)
                self.dotted.add(top)
        return self.own_name_is_known(node, scope)

    def operated(self, node: ast.Compare | ast.BinOp, scope: Scope) -> Iterable[ast.AST]:
        """What is compared is no module whose names are looked up, nor is what is added."""
        names = (one for one in children(node) if isinstance(one, ast.Name | ast.Attribute))
        self._asked.update(names)  # but no texts: `"package." + name` names a module
        return self.own_name_is_known(node, scope)

    # --- the name of the module ------------------------------------------------------------------

    def own_name_is_known(self, node: ast.AST, scope: Scope) -> Iterable[ast.AST]:
        """`__name__` that nobody looks up: compared, within a longer name, for a logger."""
        match node:
            case (
                ast.Compare(left=ast.Name(id="__name__"), comparators=[ast.Constant()])
                | ast.BinOp(left=ast.Name(id="__name__"))  # the rest stands beside it
                | ast.FormattedValue(value=ast.Name(id="__name__"))
            ):
                self._own_name -= 1
            case ast.Call(func=called, args=[ast.Name(id="__name__")]) if _gets_logger(called):
                self._own_name -= 1
        return children(node)


_HANDLERS: dict[type[ast.AST], Callable[[NamesOf, Any, Scope], Iterable[ast.AST]]] = {
    ast.FunctionDef: NamesOf.function,
    ast.AsyncFunctionDef: NamesOf.function,
    ast.Lambda: NamesOf.lambda_,
    ast.ClassDef: NamesOf.class_,
    ast.ListComp: NamesOf.comprehension,
    ast.SetComp: NamesOf.comprehension,
    ast.DictComp: NamesOf.comprehension,
    ast.GeneratorExp: NamesOf.comprehension,
    ast.Name: NamesOf.name,
    ast.NamedExpr: NamesOf.walrus,
    ast.AnnAssign: NamesOf.annotated,
    ast.Attribute: NamesOf.attribute,
    ast.keyword: NamesOf.keyword,
    ast.alias: NamesOf.alias,
    ast.Global: NamesOf.declared,
    ast.Nonlocal: NamesOf.declared,
    ast.ExceptHandler: NamesOf.caught,
    ast.MatchAs: NamesOf.captured,
    ast.MatchStar: NamesOf.captured,
    ast.MatchMapping: NamesOf.captured_rest,
    ast.MatchClass: NamesOf.pattern,
    ast.Constant: NamesOf.constant,
    ast.JoinedStr: NamesOf.joined,
    ast.Expr: NamesOf.alone,
    ast.For: NamesOf.looped,
    ast.AsyncFor: NamesOf.looped,
    ast.Subscript: NamesOf.item,
    ast.Compare: NamesOf.operated,
    ast.BinOp: NamesOf.operated,
    ast.FormattedValue: NamesOf.own_name_is_known,
    ast.Call: NamesOf.called,
}
if hasattr(ast, "TemplateStr"):  # Python 3.14
    _HANDLERS[ast.TemplateStr] = NamesOf.joined


def _is_scope(word: ast.keyword) -> bool:
    return word.arg == "scope" and getattr(word.value, "value", None) in _FIXTURE_SCOPES


def _gets_logger(function: ast.expr) -> bool:
    return ast.unparse(function).rpartition(".")[2] in ("getLogger", "get_logger")
