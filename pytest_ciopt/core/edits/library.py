"""Definitions that nobody learns of but by their names, since only the standard library takes part
in making them. Pure."""

import builtins
from collections.abc import Mapping

from pytest_ciopt.core.edits.decorators import is_plain_base
from pytest_ciopt.core.edits.definitions import Definition, Kind
from pytest_ciopt.core.stdlib import LOADED, STDLIB

_LISTENING = frozenset(("atexit", "signal", "threading", "logging", "sys", "copyreg", "codecs"))
"""Modules of the standard library that keep what they are given."""
_KEEPING = ("add", "append", "finalize", "register")
"""How names of those functions in other modules begin that do, such as `gc.callbacks.append`."""
_LIKE_LIBRARY = frozenset(("typing_extensions", "django"))
"""Distributions of which classes with names of the standard library (`TestCase`) are like those."""
_KEEPING_NOTHING = frozenset(("attr", "attrs", "msgspec", "pydantic", "typing_extensions"))
"""Modules of distributions of which nothing keeps what it is given: neither decorators, nor
fields, nor bases. By what their sources say."""
_NO_ACCOUNT = _KEEPING_NOTHING | {
    *("click", "flask", "httpx", "jinja2", "markupsafe", "pytest", "requests", "starlette"),
    *("urllib3", "werkzeug", "wtforms"),
}
"""Those whose classes keep no account of their subclasses."""


def root_of(
    dotted: str, scope: str, definitions: Mapping[str, Definition]
) -> tuple[str, Definition | None]:
    """The first part of a dotted name, and what it means in the body of a class `scope`, or outside
    of classes."""
    root = dotted.partition(".")[0]
    found = definitions.get(f"{scope}.{root}" if scope else root) or definitions.get(root)
    return root, found


def is_library(definition: Definition) -> bool:
    """Whether a name is imported from the standard library."""
    return definition.kind is Kind.IMPORT and definition.origins <= STDLIB


def keeps_nothing(dotted: str, imported: Definition) -> bool:
    """Whether what is given to something of the standard library is given to nobody else. The
    dotted name begins with what is imported."""
    last = dotted.rpartition(".")[2]
    return not last.startswith(_KEEPING) and imported.origins.isdisjoint(_LISTENING)


def keeps_no_account(
    base: str, scope: str, definitions: Mapping[str, Definition], *, clear: bool = True
) -> bool:
    """Whether a base of a class in `scope` keeps no account of its subclasses: by its name, where
    its module does not bind that to something else. `clear`: what it does not bind is built in."""
    if not is_plain_base(base):
        return False
    _, found = root_of(base.partition("[")[0], scope, definitions)
    if found is None:
        return clear or hasattr(builtins, base)
    return found.kind is Kind.IMPORT and found.origins <= STDLIB | _LIKE_LIBRARY


def keeps_nothing_by_origin(definition: Definition) -> bool:
    """Whether a name is imported from a distribution that is known for that."""
    return definition.kind is Kind.IMPORT and definition.origins <= _KEEPING_NOTHING


def keeps_no_account_by_origin(
    base: str, scope: str, definitions: Mapping[str, Definition]
) -> bool:
    """Whether a base of a class in `scope` is imported from a distribution known for that."""
    _, found = root_of(base.partition("[")[0], scope, definitions)
    return found is not None and found.kind is Kind.IMPORT and found.origins <= _NO_ACCOUNT


def is_made_by_library(definition: Definition, definitions: Mapping[str, Definition]) -> bool:
    """Whether decorators, bases and calls in a definition, one of these of its module, and whatever
    names they are given, are all of a part of the standard library that no module of a project can
    stand for, and that keeps account of nothing."""
    for dotted in definition.makers | definition.given:
        root, found = root_of(dotted, definition.scope, definitions)
        if found is None:
            if not hasattr(builtins, root):
                return False
        elif not (is_library(found) and found.origins <= LOADED and keeps_nothing(dotted, found)):
            return False
    return True
