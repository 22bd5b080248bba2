"""What code does with the names that it mentions. Pure."""

import ast
import re
from collections.abc import Iterator
from functools import cached_property

from pytest_ciopt.core.edits.annotations import annotations
from pytest_ciopt.core.edits.inner import inner
from pytest_ciopt.core.edits.looks import Looks, looks
from pytest_ciopt.core.edits.once import COMPUTED, Keeping, keeping
from pytest_ciopt.core.edits.prose import is_prose
from pytest_ciopt.core.edits.stores import (
    Function,
    Store,
    given,
    own_object,
    path_of,
    stores,
    told,
    variables,
)
from pytest_ciopt.core.edits.trees import children, walk

_IDENTIFIER = re.compile(r"[^\W\d]\w*")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_WITH = (ast.With, ast.AsyncWith)
_ENTERING = frozenset(
    (
        *("enter_context", "enter_async_context", "push"),
        *("enterContext", "enterAsyncContext", "enterClassContext", "enterModuleContext"),
    )
)
"""Methods of `ExitStack`, `AsyncExitStack` and `TestCase`."""
_SCOPES = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)


class Uses:
    """The same of all definitions of a name, looked into when it is asked for."""

    def __init__(self, *code: tuple[ast.stmt, bool]) -> None:
        """Functions and assignments, each with whether it stands in a class."""
        self._code = code

    def __add__(self, other: "Uses") -> "Uses":
        return Uses(*self._code, *other._code)

    def _functions(self) -> Iterator[tuple[Function, str | None]]:
        """With the name of the object that a method belongs to."""
        for node, in_class in self._code:
            if isinstance(node, FUNCTIONS):
                yield node, own_object(node) if in_class else None

    @cached_property
    def _inside(self) -> tuple[list[ast.AST], ...]:
        """All nodes of each piece."""
        return tuple(walk(node) for node, _ in self._code)

    @cached_property
    def keeps(self) -> tuple[Keeping, ...]:
        """What a function keeps between calls."""
        return tuple(
            kept
            for node, own in self._functions()
            for kept in keeping(node, stores(node, own), own)
        )

    def looks(self, called: str | None) -> Looks:
        """What decides whether a function calls something by its name; without a name, whether it
        calls anything."""
        found = Looks()
        for node, own in self._functions():
            found |= looks(node, called, own)
        return found

    @cached_property
    def writes(self) -> frozenset[str]:
        """Names that a function writes to in what outlives the call, but for its own object."""
        return frozenset(store.name for store, is_own in self._stores if store.name and not is_own)

    @cached_property
    def attributes_written(self) -> frozenset[str]:
        """Of `writes` those that are attributes, and neither keys of items nor variables."""
        return frozenset(
            store.name
            for store, is_own in self._stores
            if not (is_own or store.is_key) and len(store.path) > 1
        )

    @cached_property
    def variables_written(self) -> frozenset[str]:
        """Of `writes` those that are variables: global ones, or what these hold is written to."""
        return frozenset(
            store.name
            for store, is_own in self._stores
            if not (is_own or store.is_key) and len(store.path) == 1
        )

    @cached_property
    def own_writes(self) -> frozenset[str]:
        """The same of what a method writes to in its own object."""
        return frozenset(store.name for store, is_own in self._stores if store.name and is_own)

    @cached_property
    def fills_arguments(self) -> bool:
        """Whether a function writes to an object that it is given."""
        given = {
            one.arg
            for node, _ in self._functions()
            for one in walk(node.args)
            if isinstance(one, ast.arg)
        }
        filled = {store.root for store, is_own in self._stores if not is_own}
        return not given.isdisjoint(filled.union(*(told(node) for node, _ in self._functions())))

    @cached_property
    def _stores(self) -> tuple[tuple[Store, bool], ...]:
        return tuple(
            (store, store.root == own)
            for node, own in self._functions()
            for store in stores(node, own)
        )

    @cached_property
    def _given(self) -> tuple[tuple[Store, bool], ...]:
        return tuple(
            (store, store.root == own)
            for node, own in self._functions()
            for store in given(node, stores(node, own), own)
        )

    @property
    def stores(self) -> frozenset[str]:
        """Names under which a function keeps what it is given, where that outlives the call."""
        return frozenset(store.name or COMPUTED for store, is_own in self._given if not is_own)

    @property
    def own_stores(self) -> frozenset[str]:
        """The same of what a method keeps in its own object, without computed names."""
        return frozenset(store.name for store, is_own in self._given if is_own)

    @cached_property
    def gives(self) -> frozenset[str]:
        """What a function calls with something that it has been given."""
        return frozenset[str]().union(
            *(gives(inside) for inside in self._inside if isinstance(inside[0], FUNCTIONS))
        )

    @cached_property
    def calls(self) -> frozenset[str]:
        """Names of what is called, or handed to what is called; no local variables."""
        return frozenset[str]().union(*map(calls, self._inside))

    def calling(self, name: str) -> frozenset[str]:
        """Which functions inside of a function call something, or hand it on, see `Inner.name`; ""
        where it is the function itself, or only makes what does so when others ask for it."""
        return self._calling.get(name, frozenset(("",)))

    @cached_property
    def _calling(self) -> dict[str, frozenset[str]]:
        found: dict[str, frozenset[str]] = {}
        for node, _ in self._functions():
            for one in inner(node):
                names = _called([*one.code])
                who = {one.name, ""} if one.is_suspended else {one.name}
                for name in names[ast.Name] | names[ast.Attribute]:
                    found[name] = found.get(name, frozenset()) | who
        return found

    def executes(self, name: str) -> bool:
        """Whether calling a function that is inside of this one, see `Inner.name`, executes it. A
        generator runs later; of what is not found by its name, nobody knows."""
        inside = (one for node, _ in self._functions() for one in inner(node) if one.name == name)
        return {one.is_suspended for one in inside} == {False}

    @cached_property
    def annotations(self) -> frozenset[str]:
        """Names and words of strings in the annotations of a function."""
        return frozenset[str]().union(
            *(looked_up(walk(one)) for node, _ in self._functions() for one in annotations(node))
        )

    @cached_property
    def handed(self) -> frozenset[str]:
        """Names of what is handed to a call, which may call it later."""
        return frozenset[str]().union(*map(handed, self._inside))

    @cached_property
    def looked_up(self) -> frozenset[str]:
        """Names that are read, as variables or attributes, and words in strings."""
        return frozenset[str]().union(*map(looked_up, self._inside))

    @cached_property
    def enters(self) -> bool:
        """Whether there is a `with`, or a call that enters a context manager."""
        asked = not self.looked_up.isdisjoint(_ENTERING)
        return asked or any(isinstance(one, _WITH) for inside in self._inside for one in inside)

    @cached_property
    def only_written(self) -> frozenset[str]:
        """Names that are written to, and never read."""
        found = [*map(only_written, self._inside)]
        return found[0].intersection(*found) if found else frozenset()


def only_written(inside: list[ast.AST]) -> frozenset[str]:
    """Names and attributes that are stored or deleted in some nodes, and never read."""
    found: dict[bool, set[str]] = {True: set(), False: set()}
    for child in inside:
        match child:
            case ast.Name(id=name, ctx=context) | ast.Attribute(attr=name, ctx=context):
                found[isinstance(context, ast.Load)].add(name)
    return frozenset(found[False] - found[True])


def looked_up(inside: list[ast.AST]) -> frozenset[str]:
    """Names and attributes that are read in a piece of code, and words in strings that are no
    prose: no keywords, and no variables of the function itself, which comes first. Those of
    functions within it count, for the name may mean something else around them."""
    docs = {id(one.value) for one in inside if isinstance(one, ast.Expr)}
    names, others = set[str](), set[str]()
    for one in inside:
        match one:
            case ast.Name(id=name, ctx=ast.Load()):
                names.add(name)
            case ast.Attribute(attr=name, ctx=ast.Load()):
                others.add(name)
            case ast.Constant(value=str(text)) if id(one) not in docs and not is_prose(text):
                others.update(_IDENTIFIER.findall(text))
    return frozenset(others | (names - variables(_of_itself(inside[0]))))


def _of_itself(node: ast.AST) -> Iterator[ast.AST]:
    """What is below a function, but not in a scope within it; nothing of other nodes."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        yield from walk(node.args)
        waiting: list[ast.AST] = [*node.body]
        while waiting:
            one = waiting.pop()
            yield one
            if not isinstance(one, _SCOPES):
                waiting.extend(children(one))


def calls(inside: list[ast.AST]) -> frozenset[str]:
    """Names of what is called, or handed to what is called; no local variables."""
    found = _called(inside)
    return frozenset(found[ast.Attribute] | (found[ast.Name] - variables(inside)))


def _called(inside: list[ast.AST]) -> dict[type, set[str]]:
    """Plain names and attributes that are called, or handed to what is called."""
    found: dict[type, set[str]] = {ast.Name: set(), ast.Attribute: set()}
    for one in inside:
        match one:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name) as function):
                found[type(function)].add(name)
    for argument in _handed(inside):
        found[type(argument)].add(_name_of(argument))
    return found


def handed(inside: list[ast.AST]) -> frozenset[str]:
    """Names that are arguments of a call, or in one, and not called themselves."""
    return frozenset(map(_name_of, _handed(inside)))


def _handed(inside: list[ast.AST]) -> Iterator[ast.Name | ast.Attribute]:
    calls = [one for one in inside if isinstance(one, ast.Call)]
    called = {call.func for call in calls}
    for call in calls:
        for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
            for one in walk(argument):
                if isinstance(one, ast.Name | ast.Attribute) and one not in called:
                    yield one


def _name_of(node: ast.Name | ast.Attribute) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr


def gives(inside: list[ast.AST]) -> frozenset[str]:
    """What a function calls with something that it was given, e.g. `app.tasks.add`; what hangs on a
    value that it has itself begins with a dot."""
    local = variables(inside)
    found = set[str]()
    for call in inside:
        if isinstance(call, ast.Call):
            arguments = (*call.args, *(keyword.value for keyword in call.keywords))
            used = (one for argument in arguments for one in walk(argument))
            if any(isinstance(one, ast.Name) and one.id in local for one in used):
                path = path_of(call.func)
                if path[0] in local:
                    path = ("", *(path[1:] or ("",)))
                found.add(".".join(path))
    return frozenset(found)
