"""What a decorator or a call does to what it is given, as far as its name tells. Pure."""

import ast
import builtins
import re
from collections.abc import Container, Iterator

from pytest_ciopt.core.stdlib import STDLIB

_MARKS = re.compile(r"(?:pytest\.mark|mark|(?:unittest\.)?mock\.patch|patch|unittest)(?:\.\w+)*")
_KNOWN = re.compile(
    r"(?:functools|contextlib|dataclasses|abc|typing|re|textwrap|collections|pytest|logging)\.\w+"
    r"|\w+\.(?:setter|getter|deleter|overload|final|override|TypeVar|ParamSpec|NewType)"
)
_HARMLESS = frozenset(
    (
        *("staticmethod", "classmethod", "property", "setter", "getter", "deleter", "wraps"),
        *("lru_cache", "cache", "cached_property", "total_ordering", "singledispatch"),
        *("contextmanager", "asynccontextmanager", "dataclass", "overload", "override"),
        *("abstractmethod", "final", "usefixtures", "parametrize", "skip", "skipif", "xfail"),
        *("compile", "namedtuple", "partial", "param", "dedent", "join", "format", "split"),
        *("getLogger", "TypeVar", "ParamSpec", "NewType"),
    )
)
"""Decorators and functions that only make a value."""
_BUILTINS = frozenset(dir(builtins)) - {
    *("eval", "exec", "setattr", "delattr", "__import__", "map", "filter", "next", "sorted")
}


STAR = "*"
_KNOWN_ORIGINS = STDLIB | {
    *("typing_extensions", "pytest", "_pytest", "attr", "attrs", "django", "mock", "hypothesis"),
    *("cached_property", "werkzeug", "asgiref", "six"),
}
"""Modules whose decorators and functions of those names are as harmless."""

_PLAIN_BASES = re.compile(
    r"(?:\w+\.)*(?:TestCase|IsolatedAsyncioTestCase|Enum|IntEnum|StrEnum|Flag|IntFlag|NamedTuple"
    r"|TypedDict|Protocol|ABC|Generic|Mapping|MutableMapping|Sequence|Iterator|Iterable|Callable"
    r"|SimpleNamespace|OrderedDict|UserDict|UserList|Thread|Process)(?:\[.*\])?"
)
"""Classes of the standard library that keep no account of their subclasses."""


def is_plain_base(base: str) -> bool:
    """Whether nobody learns of a class from this base of it, as far as the name tells."""
    known = getattr(builtins, base, None)
    return isinstance(known, type) or _PLAIN_BASES.fullmatch(base) is not None


def is_harmless(decorator: ast.expr, taken: Container[str] = ()) -> bool:
    """Whether a decorator is known to register its function or class nowhere. For `taken` see
    `taken_names`."""
    if not isinstance(decorator, ast.Call):
        return _is_known(decorator, taken)
    hands_on = ast.unparse(decorator.func).endswith("partial")  # to what it is given
    return _is_known(decorator.func, taken) and not hands_on


def does_more(node: ast.AST, taken: Container[str] = ()) -> bool:
    """Whether a node is a call that may do more than make a value. For `taken` see
    `taken_names`."""
    return isinstance(node, ast.Call) and not _is_known(node.func, taken)


def taken_names(tree: ast.Module) -> frozenset[str]:
    """Names by which something is known here that a module binds to something else; `STAR` where
    it may bind any."""
    found, others, star = set[str](), set[str](), False
    for statement in tree.body:
        match statement:
            case ast.ImportFrom(module=module, names=names, level=level):
                is_known = not level and (module or "").partition(".")[0] in _KNOWN_ORIGINS
                star = star or (names[0].name == "*" and not is_known)
                bound = {alias.asname or alias.name for alias in names}
                others |= bound if is_known else set()
                found |= set() if is_known else bound
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found.add(name)
            case ast.ClassDef(name=name):
                found.add(name)
    taken = {name for name in found if name in _HARMLESS or name in _BUILTINS}
    return frozenset(taken | {STAR, *(_HARMLESS - _BUILTINS - others)} if star else taken)


def _is_known(function: ast.expr, taken: Container[str]) -> bool:
    name = ast.unparse(function)
    if name in taken:
        return False
    if name in _HARMLESS or name in _BUILTINS or _MARKS.fullmatch(name):
        return True
    plain_method = isinstance(function, ast.Attribute) and isinstance(function.value, ast.Constant)
    return plain_method or (
        _KNOWN.fullmatch(name) is not None and name.rpartition(".")[2] in _HARMLESS
    )


def is_fixture(decorator: ast.expr) -> bool:
    """Whether a decorator makes a fixture, of pytest or of an extension of it."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return name.endswith("fixture")


def _fixture_keywords(decorator: ast.expr) -> Iterator[ast.keyword]:
    if isinstance(decorator, ast.Call):
        yield from decorator.keywords


def fixture_name(decorator: ast.expr, default: str) -> str | None:
    """The name that tests ask by; None when it is computed. `default` is the function's."""
    for keyword in _fixture_keywords(decorator):
        if keyword.arg is None:
            return None
        if keyword.arg == "name":
            match keyword.value:
                case ast.Constant(value=str(name)):
                    return name
            return None
    return default


def is_autouse(decorator: ast.expr) -> bool:
    """True unless it plainly is not: `**options` may hold `autouse`."""
    return any(
        keyword.arg is None or (keyword.arg == "autouse" and ast.unparse(keyword.value) != "False")
        for keyword in _fixture_keywords(decorator)
    )
