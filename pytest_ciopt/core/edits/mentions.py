"""Which names a piece of code mentions, and in what way. Pure.

A name that a function binds itself means nothing outside of it, and prose in strings names nothing.
Whenever that is not certain, the name counts.
"""

import ast
from collections.abc import Iterable, Set
from dataclasses import dataclass, fields, replace

from pytest_ciopt.core.edits.names import NamesOf

_SEES_LOCALS = frozenset(
    ("locals", "vars", "dir", "eval", "exec", "f_locals", "__name__", "__qualname__")
)
"""With one of these a function may hand on names of what it binds itself."""


@dataclass(frozen=True, slots=True)
class Mentions:
    """The names that a piece of code mentions."""

    every: frozenset[str] = frozenset()
    loose: frozenset[str] = frozenset()
    """What is more than a plain name: attributes, keywords of calls, words in strings."""
    values: frozenset[str] = frozenset()
    """What may be a module that is handed on as a whole: names and attributes of which nothing is
    asked that no module has, and words of strings that are dotted names, but for `leading`."""
    plain: frozenset[str] = frozenset()
    """Of these the names."""
    parts: frozenset[tuple[str, str]] = frozenset()
    """Of these the attributes of what is no local variable, with the name that stands first."""
    dotted: frozenset[str] = frozenset()
    """Of these those of strings with dots in them."""
    leading: frozenset[str] = frozenset()
    """First words of strings that are dotted names: something else is asked of them."""
    asks: frozenset[str] = frozenset()
    """Parameters of a function, and of those in it: pytest may fill them by name."""
    words: frozenset[str] = frozenset()
    """Words in strings."""
    rooted: frozenset[tuple[str, str]] = frozenset()
    """Names that are mentioned as attributes of plain names only, each behind such a name: no local
    variable, but `self` and `cls` are among them."""

    def __or__(self, other: "Mentions") -> "Mentions":
        """What two pieces of code mention together."""
        both = Mentions(*(getattr(self, f.name) | getattr(other, f.name) for f in fields(self)))
        only = (part for part in both.rooted if self._roots(part[1]) and other._roots(part[1]))
        return replace(both, rooted=frozenset(only))

    def _roots(self, name: str) -> bool:
        """Whether a name is not mentioned in any other way than `rooted` tells."""
        return name not in self.every or any(name == attribute for _, attribute in self.rooted)


def of_function(
    node: ast.FunctionDef | ast.AsyncFunctionDef, types: Set[ast.expr] = frozenset()
) -> Mentions:
    """What a function mentions that is no variable of its own. With annotations that are only
    `types` it does nothing."""
    reader = NamesOf(types)
    around = reader.read_all([node])
    names = reader.names | reader.attributes | around.used
    values = reader.values | around.whole
    if not names.isdisjoint(_SEES_LOCALS):
        names |= reader.hidden
        values |= reader.hidden_whole
    return Mentions(
        every=frozenset(names),
        loose=frozenset(reader.loose),
        values=frozenset(values),
        plain=frozenset(around.whole),
        parts=frozenset(around.parts),
        dotted=frozenset(reader.dotted),
        leading=frozenset(reader.leading),
        asks=frozenset(reader.asks),
        words=frozenset(reader.words),
        rooted=reader.rooted(around),
    )


def of_statements(nodes: Iterable[ast.AST]) -> Mentions:
    """What code outside of functions mentions: there every name counts, parameters too."""
    reader = NamesOf()
    around = reader.read_all(nodes)
    return Mentions(
        every=frozenset(
            reader.names | reader.attributes | around.used | reader.hidden | reader.asks
        ),
        loose=frozenset(reader.loose | reader.asks),
        values=frozenset(reader.values | around.whole | reader.hidden_whole),
        plain=frozenset(around.whole | reader.hidden_whole),
        parts=frozenset(around.parts),
        dotted=frozenset(reader.dotted),
        leading=frozenset(reader.leading),
        words=frozenset(reader.words),
        rooted=reader.rooted(around),
    )


def mentions(node: ast.AST) -> frozenset[str]:
    """Every identifier below `node`: names, attributes, arguments, and words inside strings.

    Docstrings are prose.
    """
    return of_statements([node]).every
