"""Fingerprints of the definitions of a source file, and what two of them disagree on. Pure.

Made from `ast.dump`, so comparable within one minor version of Python only.
"""

import ast
import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from pytest_ciopt.core.edits.cutting import comparable
from pytest_ciopt.core.edits.definitions import EXPORTS, Definition, Kind
from pytest_ciopt.core.edits.library import is_made_by_library
from pytest_ciopt.core.history.traces import Source

_BYTES = 8
"""Of a fingerprint. A changed definition goes unseen once in 2**64 times."""
_NOTHING = ("", "")
_EFFECT, _PLACE = "!", "~"
"""Before the fingerprint of an effect of the module; of what belongs to a definition."""
_IMPORT, _PLAIN, _TOLD = "=", "-", "+"
"""Before the fingerprint of an import; of a function or class that nobody learns of but by name; of
a variable that a call made which somebody may have learnt of."""
_DOCUMENTED, _ANNOTATED, _NOTED = ".", ":", ";"
"""Before the fingerprints of the docstring of a function or class; of annotations that are not
evaluated, of a function and of the variables in it."""
_TOLD_TO, _SORT = "@", "%"
"""Before the fingerprints of what others may learn of a function or class by: decorators and bases;
and of what a method is, beside its signature: by its decorators, or a coroutine."""
_VERSIONS = frozenset(
    (
        *("__version__", "version", "__version_tuple__", "version_tuple"),
        *("__commit_id__", "commit_id", "__version_info__", "version_info"),
    )
)
"""Names that tell which version of a project something was built from."""
_PART = re.compile(r"(\A|[.:;@%])([^.:;@%]+)")
"""A mark, if any, and what follows it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between an older text of a module and the present one, by qualified name."""

    units: frozenset[str] = frozenset()
    """Functions whose body or signature changed, and those that are gone."""
    bindings: frozenset[str] = frozenset()
    """What importing binds otherwise: constants, classes, decorated functions, added and removed
    names."""
    moved: frozenset[str] = frozenset()
    """Of these the names that only one of the texts has."""
    documented: frozenset[str] = frozenset()
    """Functions and classes that importing binds as before, but for the docstring."""
    annotated: frozenset[str] = frozenset()
    """Functions of which annotations differ that are not evaluated."""
    effects: bool = False
    """Whether other code that runs at import changed, or its order."""
    lost: frozenset[str] = frozenset()
    """Names that are gone of what something may have been told: classes with bases, functions with
    decorators, and what calls made, that are not of the standard library."""
    relearned: frozenset[str] = frozenset()
    """Of the others those that have, or had, other bases and decorators of this kind."""
    remade: frozenset[str] = frozenset()
    """Methods of which more than the signature and the body differs."""
    imports: bool = False
    """Whether it imports something else."""

    @property
    def only_of_versions(self) -> bool:
        """Whether a build tool writes it anew for each commit (setuptools-scm, hatch-vcs)."""
        names = self.bindings & _VERSIONS
        return self == Difference(units=names, bindings=names)

    @property
    def is_seen_outside(self) -> bool:
        """Whether more than what calls execute differs."""
        described = self.documented or self.annotated
        return bool(self.bindings or described or self.effects)


EVERYTHING = Difference(effects=True)
"""Of a text that cannot be compared."""


def source(content_id: str, tree: ast.Module) -> Source | None:
    """The fingerprints of a text; None when it is nested too deep."""
    try:
        cut = comparable(without_types(tree))
    except RecursionError:
        return None
    definitions = {name: _prints(one, cut.definitions) for name, one in cut.definitions.items()}
    effects = set(cut.effects)
    order = (_word(word, definitions, effects) for word in cut.order)
    return Source(content_id, definitions, " ".join(order))


def without_types(tree: ast.Module) -> ast.Module:
    """A module without what only type checkers read."""
    body = [one for one in tree.body if not _is_for_types(one)]
    return tree if len(body) == len(tree.body) else ast.Module(body, tree.type_ignores)


def _is_for_types(statement: ast.stmt) -> bool:
    match statement:
        case ast.If(
            test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING"), orelse=[]
        ):
            return True
    return False


def _word(text: str, names: Container[str], effects: Container[str]) -> str:
    if text in names:
        return text
    return f"{_EFFECT if text in effects else _PLACE}{_print(text)}"


def _prints(definition: Definition, among: Mapping[str, Definition]) -> tuple[str, str]:
    """(what a caller executes, what importing binds)."""
    plain = "" if _may_be_told(definition) and not is_made_by_library(definition, among) else _PLAIN
    described = _described(definition, told=not plain)
    match definition.kind:
        case Kind.FUNCTION:
            seen = _print(f"{definition.decorators}\n{definition.declared}")
            return _print(definition.content), f"{plain}{seen}{described}"
        case Kind.BINDING if definition.name == EXPORTS and not definition.foreign:
            return "", ",".join(sorted(definition.mentions))
        case Kind.BINDING:  # may be a function that is bound a second time
            more = definition.documented, definition.annotated, definition.noted
            both = _print("\n".join((definition.content, definition.decorators, *more)))
            is_told = definition.foreign and not definition.scope and not plain
            return both, f"{_TOLD}{both}" if is_told else both
        case Kind.IMPORT:
            return "", f"{_IMPORT}{_print(definition.content)}"
    bound = _print(f"{definition.content}\n{definition.decorators}")
    return "", f"{plain}{bound}{described}"


def _may_be_told(definition: Definition) -> bool:
    """Whether somebody may learn of a function or class while it is defined."""
    if definition.kind is Kind.BINDING:
        return definition.foreign
    if definition.kind is Kind.CLASS:
        return definition.is_told
    return definition.decorators != ""


def _described(definition: Definition, *, told: bool) -> str:
    told = told and definition.is_told
    is_method = definition.kind is Kind.FUNCTION and definition.scope
    made = "\n".join((definition.decorators, *sorted(definition.bases)))
    texts = {
        _TOLD_TO: f"!{made}" if told else "",
        _SORT: f"{definition.sort}!{definition.decorators}" if is_method else "",
        _DOCUMENTED: definition.documented,
        _ANNOTATED: definition.annotated,
        _NOTED: definition.noted,
    }
    return "".join(f"{mark}{_print(text)}" for mark, text in texts.items() if text)


def _print(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_BYTES).hexdigest()


def difference(old: Source, new: Source) -> Difference:
    """What differs. Complexity: linear in the number of definitions."""
    units, bindings, moved, lost = set(), set(), set(), set()
    documented, annotated = set(), set()
    relearned, remade = set(), set()
    imports = False
    for name in old.definitions.keys() | new.definitions.keys():
        before, after = old.definitions.get(name), new.definitions.get(name)
        if before == after:
            continue
        if before is None or after is None:
            bindings.add(name)
            moved.add(name)
        elif "" in (others := _differing(before, after)):
            bindings.update(_exported(before, after) if name == EXPORTS else (name,))
            if _TOLD_TO in others:
                relearned.add(name)
            if _SORT in others:
                remade.add(name)
        else:
            if _DOCUMENTED in others:
                documented.add(name)
            if _ANNOTATED in others or (_NOTED in others and before[0] == after[0]):
                annotated.add(name)
        if before is not None and before[0] != (after or _NOTHING)[0]:
            units.add(name)
        if before is not None and after is None and _may_be_registered(before):
            lost.add(name)
        imports = imports or any(one and one[1].startswith(_IMPORT) for one in (before, after))
    return Difference(
        units=frozenset(units),
        bindings=frozenset(bindings),
        moved=frozenset(moved),
        documented=frozenset(documented),
        annotated=frozenset(annotated),
        effects=_effects(old, new),
        lost=frozenset(lost),
        relearned=frozenset(relearned),
        remade=frozenset(remade),
        imports=imports,
    )


def _differing(before: tuple[str, str], after: tuple[str, str]) -> set[str]:
    """Marks of what differs in what importing binds; "" for what has no mark."""
    one, other = (dict(_PART.findall(prints[1])) for prints in (before, after))
    return {mark for mark in one.keys() | other.keys() if one.get(mark) != other.get(mark)}


def _exported(before: tuple[str, str], after: tuple[str, str]) -> Iterable[str]:
    """Names that star imports bind in one text only."""
    if before[0] or after[0]:  # computed
        return (EXPORTS,)
    return set(before[1].split(",")) ^ set(after[1].split(","))


def _may_be_registered(prints: tuple[str, str]) -> bool:
    """A class or function of which something may know: no import, no constant."""
    unit, binding = prints
    return binding != "" and unit != binding and not binding.startswith((_IMPORT, _PLAIN))


def _effects(old: Source, new: Source) -> bool:
    one, other = old.effects.split(), new.effects.split()
    if _others(one) != _others(other):
        return True
    common = set(one) & set(other)
    return [word for word in one if word in common] != [word for word in other if word in common]


def _others(words: Sequence[str]) -> list[str]:
    return [word for word in words if word.startswith(_EFFECT)]
