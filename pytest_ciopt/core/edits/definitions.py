"""What a module defines, in pieces. Pure values; `core/edits/cutting.py` makes them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from pytest_ciopt.core.edits.mentions import Mentions
from pytest_ciopt.core.edits.uses import Uses

EXPORTS = "__all__"


class Kind(Enum):
    """What a definition is."""

    FUNCTION = auto()
    CLASS = auto()
    """Decorators, bases and keywords of a class, and what else its body runs."""
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
    named: Mentions = field(default=Mentions())
    """What it mentions, see `core/edits/mentions.py`."""
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
    given: frozenset[str] = frozenset()
    """Plain names in what is given to them where they are called: they may call that in turn."""
    imported: frozenset[tuple[int, str, str]] = frozenset()
    """What imports bind it to: level, module and name; no module where that is what is bound."""
    head: frozenset[str] = frozenset()
    """Of the mentioned names those that decide at import what a function is: in decorators
    and defaults, and in annotations where a decorator may read them."""
    declared: str = ""
    """What is seen of a function without calling it, beside its docstring: its signature, without
    annotations that are not evaluated."""
    sort: str = ""
    """What a call of a function makes instead of running it, such as a coroutine."""
    annotated: str = ""
    """These."""
    noted: str = ""
    """Annotations of its local variables, which nobody sees who does not read the source."""
    documented: str = ""
    """The docstring of a function or class."""
    renames: frozenset[str] = frozenset()
    """What an import binds under another name."""
    uses: Uses = field(default=Uses(), compare=False)
    """What the code of a function or an assignment does with names."""

    @property
    def is_module(self) -> bool:
        """Whether it is a module that `import` binds."""
        return self.kind is Kind.IMPORT and not any(level or m for level, m, _ in self.imported)

    @property
    def may_be_registered(self) -> bool:
        """Whether a base or metaclass may keep account of a class."""
        return bool(self.bases)

    @property
    def is_told(self) -> bool:
        """Whether somebody who never mentions it may learn of it while it is defined."""
        return self.foreign or self.may_be_registered

    @property
    def mentions(self) -> frozenset[str]:
        """Every identifier in it."""
        return self.named.every

    @property
    def origins(self) -> frozenset[str]:
        """Top names of the modules that an import binds it from; "" for a relative one."""
        return frozenset(
            "" if level else (module or name).partition(".")[0]
            for level, module, name in self.imported
        )

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
    effects_named: Mentions = field(default=Mentions())
    """What the effects mention."""


def united(pieces: Iterable[Definition]) -> dict[str, Definition]:
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
                named=known.named | piece.named,
                fixture=known.fixture or piece.fixture,
                fixture_name=piece.fixture_name
                if known.fixture_name == piece.fixture_name
                else None,
                autouse=known.autouse or piece.autouse,
                has_bases=known.has_bases or piece.has_bases,
                bases=known.bases | piece.bases,
                foreign=known.foreign or piece.foreign,
                makers=known.makers | piece.makers,
                given=known.given | piece.given,
                imported=known.imported | piece.imported,
                head=known.head | piece.head,
                declared=f"{known.declared}\n\n{piece.declared}",
                sort=f"{known.sort}\n\n{piece.sort}",
                annotated=known.annotated + piece.annotated,
                noted=known.noted + piece.noted,
                documented=known.documented + piece.documented,
                renames=known.renames | piece.renames,
                uses=known.uses + piece.uses,
            )
        found[piece.name] = piece
    return found
