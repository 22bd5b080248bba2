"""Whom a changed module can affect, by name: functions that must not have run, and whole closures.

A changed function body concerns whoever ran it. What importing binds (constants, classes, decorated
functions, new and removed names) concerns every function that mentions the name, and every binding
that is made from it, in all modules that can import the changed one. Code that runs at import
concerns everybody who imports it. **Source:** of 90 tests that 24 real commits of two libraries
broke, these rules selected the same as "whoever can import a changed module" did, among a third of
the tests. Whenever names cannot tell, the answer is the closure.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from pytest_ciopt.core.django import ROUTES
from pytest_ciopt.core.edits.definitions import Definition, Kind
from pytest_ciopt.core.edits.once import COMPUTED, Keeping, tells_of_keeping
from pytest_ciopt.core.edits.reach import is_called_by_convention
from pytest_ciopt.core.history.traces import AT, BODY
from pytest_ciopt.core.proof.callers import Called, Callers
from pytest_ciopt.core.proof.evidence import Evidence, Node, unit_of
from pytest_ciopt.core.proof.filling import Filling
from pytest_ciopt.core.proof.keepers import Keepers
from pytest_ciopt.core.proof.mentions import Mentions
from pytest_ciopt.core.proof.onlookers import OfAnnotations, OfDocstrings, Onlookers
from pytest_ciopt.core.proof.prints import Difference
from pytest_ciopt.core.proof.registry import Registry
from pytest_ciopt.core.proof.seen import Unit
from pytest_ciopt.core.proof.sources import Sources, called_as, is_special, simple_name
from pytest_ciopt.core.proof.stretches import Firsts, OfRead
from pytest_ciopt.core.proof.wholes import Wholes

MOST = 600
"""Names and functions that are followed from one change. With more, most of what can see the
changed module is reached anyway, and following takes longer than running."""
COMMON = 60
"""Files in which a name that is followed stands at most: reading one takes some 20 ms."""
_SUBCLASSES = "__subclasses__"
"""What classes are asked by that looks for those below them."""
CHANGED_EFFECTS = "code that runs at import changed"
_ASKED_BY_PYTHON = frozenset(("__getattr__", "__dir__", "__path__", "__all__", "__getattribute__"))
"""Names in a module that are looked up without being written."""


@dataclass(slots=True)
class Impact:
    """Whom a change of one module can affect."""

    units: set[Unit] = field(default_factory=set)
    """Whoever ran one of these."""
    closures: dict[str, str] = field(default_factory=dict)
    """Whoever can see one of these files, and why."""
    names: set[str] = field(default_factory=set)
    """Simple names that were followed: what is no function may use them, too."""
    modules: set[str] = field(default_factory=set)
    """Files of which names were followed that importing binds."""
    made: set[str] = field(default_factory=set)
    """Files in which something is made otherwise when they are imported."""
    collecting: str | None = None
    """A function that was called while tests were collected, by pytest or by other code."""


class Lookup:
    """What has been looked up of sources and evidence, for several searches in one process."""

    def __init__(self, sources: Sources, evidence: Evidence) -> None:
        self.sources, self.evidence = sources, evidence
        self.keepers = Keepers(sources, evidence)
        self.filling = Filling(sources, evidence, self.keepers)
        self.mentions = Mentions(sources)
        self.callers = Callers(sources, evidence, self.keepers, self.mentions)
        self.registry = Registry(sources, evidence)
        self.wholes = Wholes(sources, self.mentions)
        found = self.sources, self.evidence, self.mentions, self.registry, self.keepers
        self.docstrings, self.annotations = OfDocstrings(*found), OfAnnotations(*found)


class Spread:
    """Follows names from changed modules. What it has found out of the last one is in `impact`."""

    def __init__(
        self,
        lookup: Lookup,
        firsts: Firsts | OfRead,
        *,
        by_name: bool = True,
        concerns_all: Callable[[str], bool] = lambda path: False,
    ) -> None:
        """Without `by_name` whatever names would tell concerns the closure. `concerns_all` tells
        whether whoever can see a file are all: then nothing more is followed."""
        self._concerns_all, self._ended = concerns_all, False
        self._firsts = firsts
        self._by_name = by_name
        self._sources, self._evidence = lookup.sources, lookup.evidence
        self._registry, self._keepers = lookup.registry, lookup.keepers
        self._mentions, self._callers = lookup.mentions, lookup.callers
        self._wholes, self._filling = lookup.wholes, lookup.filling
        self._docstrings, self._annotations = lookup.docstrings, lookup.annotations
        self._bound: set[Unit] = set()
        self._wide: set[tuple[Unit, bool]] = set()
        """These, each with whether the class that it stands in is another one as well."""
        self._affected: set[Unit] = set()
        self._climbed: set[Unit] = set()
        self._known: dict[Node, Called] = {}
        self._imported: set[Unit] = set()
        self._looked_at: set[tuple[Unit, Unit | None]] = set()
        self._looked_for: set[tuple[str, str]] = set()
        self._kept: set[tuple[Unit, Keeping]] = set()
        self._handed: dict[tuple[str, bool], bool] = {}
        self._described: dict[tuple[Unit, Onlookers, bool], bool] = {}
        self._waiting: list[Unit] = []
        self._announced: set[Unit] = set()
        """What is made otherwise, and of which others may have been told."""
        self._are_classes_sought = False
        """Whether those were followed who find classes by their bases."""
        self._before = 0
        """How much was affected by other changes."""
        self.impact = Impact()

    def add(self, path: str, difference: Difference) -> Impact:
        """Follows everything in which two texts of a module differ, and that no earlier change has
        led to."""
        self.impact, self._before = Impact(), len(self._bound) + len(self._affected)
        self._listen()
        descriptions = {
            self._docstrings: difference.documented,
            self._annotations: difference.annotated,
        }
        if difference.effects:
            self._all(path, CHANGED_EFFECTS)
        elif difference.imports and (why := self._sources.loads_otherwise(path)) is not None:
            self._all(path, why)
        if difference.is_seen_outside:
            self.impact.units.add((path, BODY))
        for name in sorted(difference.units):
            self.impact.units.add((path, name))
            self._climb((path, name))
        if difference.lost:
            self._all(path, f"{min(difference.lost)} is gone, and who knew of it cannot be told")
        if difference.relearned:
            self._relearned(path, difference.relearned)
        cut = self._sources.cut(path)
        for name in sorted(difference.bindings):
            definition = None if cut is None else cut.definitions.get(name)
            moved = name in difference.moved
            self._rebound(path, name, definition, moved=moved, remade=name in difference.remade)
        for onlookers, names in descriptions.items():
            for name in sorted(names):
                self._redescribed(path, name, onlookers)
        self._follow(path)
        return self.impact

    def _listen(self) -> None:
        self._mentions.untold = lambda path: self._all(path, "it cannot be parsed")

    def _follow(self, path: str) -> None:
        """Follows names until nothing new is found, or so many that the closure tells as much."""
        while self._waiting and not self.is_over:
            self._mentioned(*self._waiting.pop())
        if self.is_over and not self._ended:
            self._all(path, "what it defines is used too widely to be followed")

    @property
    def is_over(self) -> bool:
        """Whether so much is affected by the last change that the closure tells as much. Then what
        it led to has not been followed to its end, and no other change can be added."""
        return self._ended or len(self._bound) + len(self._affected) - self._before > MOST

    def add_read(self, readers: Iterable[Unit], handed: Iterable[Unit]) -> Impact:
        """Follows a file that units read, or a folder that they listed: they may keep what they
        found, or have had others keep it."""
        self._listen()
        self.impact.units.update(handed)
        for unit in sorted(readers):
            self._climb(unit)
            self._follow(unit[0])
        return self.impact

    def _all(self, path: str, why: str) -> None:
        if path not in self.impact.closures:
            self.impact.closures[path] = why
            self._ended = self._ended or self._concerns_all(path)

    # --- what is computed from a function that does something else -------------------------------

    def _climb(self, origin: Unit) -> None:
        """A function does something else when it is called. So does what calls it, and may keep the
        result for others who never call it."""
        if origin in self._climbed:
            return
        self._climbed.add(origin)
        self._run_at_import(origin)
        self._keep(origin, None)
        began, when = self._firsts.began, self._evidence.stretches.of((origin,))
        # Who keeps what a function inside of a test returns keeps what that test left behind.
        is_test = self._callers.is_test(origin)
        waiting = [origin] if is_test else list(self._evidence.nodes(origin))
        seen = set(waiting)
        while waiting and not self.is_over:
            called = self._called(waiting.pop())
            for caller in called.callers:
                # What calls others in the same way as this one (a wrapper, a dispatcher) leads to
                # all who call those; who got here ran together with the origin. Of pairs that are
                # in no test's record any more this cannot be told.
                if caller.is_seen and not caller.when & when:
                    continue
                self._keep(caller.unit, called.unit)
                for filled in self._filling.by(caller.unit, called.unit):
                    self.impact.units.add(caller.unit)
                    self._asked(*filled)
                if not caller.is_test and began(caller.unit, origin):
                    self.impact.units.add(caller.unit)
                if caller.node not in seen:
                    seen.add(caller.node)
                    waiting.append(caller.node)
            self.impact.units.update(one for one in called.unnoted if began(one, origin))
            for told in called.told:  # it may keep a value that has come by another way
                self._keep(unit_of(told), called.unit)

    def _called(self, node: Node) -> Called:
        if node not in self._known:
            unit = unit_of(node)
            self._known[node] = self._callers.of(node, self._firsts.units)
            self._handed_over(unit)
        return self._known[node]

    def _handed_over(self, unit: Unit) -> None:
        """What a function is handed to when a module is imported may call it once, and keep what it
        returns, if some caller of it went without it in a test."""
        called = called_as(unit[1])
        if is_special(simple_name(unit[1])) or not self._evidence.spared(unit):
            return  # a class that is handed on is mostly made each time
        for user, definition in self._mentions.of(unit[0], called, handed=True):
            if (
                definition.kind is Kind.BINDING
                and called in definition.uses.handed
                and not _calls_each_time(definition)
            ):
                self._bind(user, definition.name)

    def _run_at_import(self, origin: Unit) -> None:
        """What ran while modules were imported decides what their bodies bind."""
        if not (self._firsts.outside and self._evidence.ran_outside(origin)):
            return
        parts = list(self._evidence.nodes(origin))
        if not any(map(self._evidence.importers, parts)):
            self._called_by_pytest(origin)
        waiting = list(parts)
        while waiting:
            node = waiting.pop()
            if node in self._imported:
                continue
            self._imported.add(node)
            callers = self._evidence.importers(node)
            if self._callers.is_test(node):  # it loads a module once more, which calls it
                callers = [one for one in callers if one[0] == node[0]]
            if not callers and node not in parts:
                self._called_by_pytest(unit_of(node))
            for caller in callers:
                if caller[1] == BODY or caller[1].startswith(AT):
                    self._body_calls(caller, unit_of(node))
                else:
                    self._keep(unit_of(caller), unit_of(node))
                    self.impact.units.add(unit_of(caller))  # it may have kept what it got then
                    waiting.append(caller)

    def _called_by_pytest(self, unit: Unit) -> None:
        """A hook, a generator of parameters, what makes an id of a value: other ids are other
        tests, and what is made for tests is made by name."""
        self.impact.collecting = self.impact.collecting or unit[1]
        if self._sources.is_led_to(unit[0]):  # such as `AppConfig.ready` of Django
            self._all(unit[0], f"{unit[1]} is called before the tests")
        if self._sources.is_collected(unit[0]):
            self._bind(*unit, of_class=False)
        elif unit not in self._bound and not is_special(simple_name(unit[1])):
            self.impact.names.add(simple_name(unit[1]))
            self._bound.add(unit)
            self._waiting.append(unit)

    def _body_calls(self, caller: Node, unit: Unit) -> None:
        """The body of a module, or of a class in it, calls what does something else."""
        path = caller[0]
        why = f"code that runs at import calls {unit[1]}"
        cut, places = self._sources.cut(path), self._sources.places(path)
        names = None if places is None else places.at(int(caller[1].removeprefix(AT) or 0))
        if cut is None or not names:
            self._all(path, why)
            return
        for name in names:
            self._rebound(path, name, cut.definitions.get(name))

    def _told(self, path: str, name: str, definition: Definition, *, moved: bool) -> None:
        """Somebody may have learnt of a definition while its module was imported."""
        written = self._registry.written(path, name, definition)
        if written is None:
            self._all(path, f"who learns of {name} cannot be told")
        else:
            for place in sorted(written):
                self._asked(*place, of_writers=moved)  # they do the same with what is still there
            cut = self._sources.cut(path)
            for handed in sorted(definition.uses.handed):  # a list that it is put into
                known = None if cut is None else cut.definitions.get(handed)
                if known is not None and known.kind is Kind.BINDING:
                    self._asked(path, handed)

    def _relearned(self, path: str, names: Iterable[str]) -> None:
        """Others may have been told of definitions when the record was made than are now."""
        then, now = self._sources.then(path), self._sources.cut(path)
        for name in sorted(names):
            old = None if then is None else then.definitions.get(name)
            new = None if now is None else now.definitions.get(name)
            if old is None or new is None:
                self._all(path, f"who knew of {name} cannot be told")
            elif new.makers <= old.makers:
                self._told(path, name, old, moved=False)
            else:  # what a decorator does that was not there is in no record
                self._all(path, f"who learns of {name} cannot be told")

    def _learned(self, path: str, name: str, definition: Definition) -> None:
        """What is inside of a class is something else. Those who were told of it may look, if it is
        known who they are; where installed code was told, such as an ORM of its tables, anybody
        may; else whoever names the class, or asks classes for those below them, has to do."""
        if definition.has_bases:
            self._sought_by_its_bases()
        if definition.is_told:
            written = self._registry.written(path, name, definition)
            if written is None:
                self._all(path, f"who looks into {name} cannot be told")
            for place in sorted(written or ()):
                self._asked(*place)

    def _sought_by_its_bases(self) -> None:
        """Whoever asks classes for those below them sees what is inside of these."""
        if self._are_classes_sought:
            return
        self._are_classes_sought = True
        for user, asker in self._mentions.anywhere(_SUBCLASSES):
            if asker is None:
                self._all(user, f"code that runs at import asks for {_SUBCLASSES}")
            else:
                self._affect(user, asker, at_import=_SUBCLASSES in asker.head)

    def _keep(self, unit: Unit, called: Unit | None) -> None:
        """A function may keep what it computed with the help of another one, or by itself."""
        if (unit, called) in self._looked_at:
            return
        self._looked_at.add((unit, called))
        scope, _, simple = unit[1].rpartition(".")
        for keeping in self._keepers.keeps(unit, called):
            if (unit, keeping) in self._kept:
                continue
            if called is None or keeping.name != COMPUTED:
                self._kept.add((unit, keeping))
            self.impact.units.add(unit)
            if (
                keeping.name == simple
                and keeping.within is None
                and self._evidence.ran_outside(unit)
            ):
                # A cache: nobody sees which other module was handed the same while it was imported.
                self._bind(unit[0], scope or unit[1])
            elif keeping.of_argument:
                pass  # its name is that of no other function
            elif keeping.name != COMPUTED:
                self._asked(unit[0], keeping.name)
            elif simple == "__get__" and called is not None:
                self._asked(called[0], called_as(called[1]))  # the method that it stands for
            else:
                self._bind(unit[0], scope or unit[1])

    def _is_common(self, path: str, name: str) -> bool:
        """Whether a name stands in so many files that the closure tells as much, and sooner."""
        common = len(self._mentions.users(path, name)) > COMMON
        if common:
            self._all(path, f"{name} is named too widely to be followed")
        return common

    def _asked(self, path: str, name: str, *, of_writers: bool = True) -> None:
        """Whoever looks at what is kept under a name; what importing binds is there before."""
        self.impact.names.add(name)
        if (path, name) in self._looked_for or self._is_common(path, name):
            return
        if of_writers:
            self._looked_for.add((path, name))
        cut = self._sources.around(path, name)
        is_global = cut is not None and name in cut.definitions
        for user, definition in self._mentions.of(path, name):
            is_meant = is_global or name in definition.named.loose
            is_held = is_global or (is_meant and name not in definition.named.words)
            if is_held and _goes_by_another_name(definition, name):
                self._asked(user, definition.simple)
            elif (
                definition.kind is Kind.FUNCTION
                and name not in definition.uses.only_written
                and (of_writers or name not in definition.uses.stores)
                and is_meant
            ):
                self._affect(user, definition, at_import=False)

    # --- what importing binds --------------------------------------------------------------------

    def _rebound(
        self,
        path: str,
        name: str,
        definition: Definition | None,
        *,
        moved: bool = False,
        remade: bool = False,
    ) -> None:
        """Importing binds something else to a name, or no longer binds it."""
        if moved and definition is None and "." not in name:
            for user in self._mentions.importing(path, name):
                self._all(user, f"it imports {name}, which is gone")
        if definition is not None:
            if definition.imported and self._sources.imports_new(path, definition):
                self._all(path, f"{name} is imported from a module that was not loaded before")
            if definition.is_told:
                self._told(path, name, definition, moved=moved)
        is_function = definition is not None and definition.kind is Kind.FUNCTION
        self._bind(path, name, of_class=not is_function or moved or remade)

    def _bind(self, path: str, name: str, *, of_class: bool = True) -> None:
        unit = (path, name)
        if (unit, of_class) in self._wide or self.is_over:
            return
        self._wide.update(((unit, of_class), (unit, False)))
        self._bound.add(unit)
        self.impact.units.add(unit)
        self.impact.names.add(simple_name(name))
        if not self._by_name:
            self._all(path, f"{name} changed (ciopt_safety)")
            return
        scope = name.rpartition(".")[0]
        if scope and not (of_class or is_special(simple_name(name))):
            self._waiting.append(unit)  # the method that is there does something else
            return
        if not scope:  # what a class holds concerns whoever names the class
            self._waiting.append(unit)
        cut = self._sources.cut(path)
        if cut is None:
            self._all(path, "it cannot be parsed")
            return
        definition = cut.definitions.get(name)
        if definition is not None and definition.kind is not Kind.IMPORT:
            self.impact.made.add(path)
        if definition is not None and definition.kind is Kind.CLASS:
            self._learned(path, name, definition)
        if scope:
            self._bind(path, scope)
        elif self._sources.is_looked_up(path, name):
            self._all(path, f"{name} may be looked up by what loads the module")
        elif name in _ASKED_BY_PYTHON or (
            self._sources.is_collected(path) and _by_convention(name, definition)
        ):
            self._all(path, f"{name} is called by convention")
        elif self._sources.is_collected(path):  # it may take the place of a fixture of that name
            self.impact.units.update((user, name) for user in self._sources.users(path))
        if definition is None or definition.kind is Kind.CLASS:
            for inside in cut.definitions:
                if inside.startswith(f"{name}."):
                    self.impact.units.add((path, inside))
                    self._climb((path, inside))

    def _mentioned(self, path: str, name: str) -> None:
        """Whoever mentions a changed binding."""
        simple = simple_name(name)
        if self._is_common(path, simple):
            return
        of_class = "." in name
        for user, definition in self._mentions.of(path, simple, of_module=not of_class):
            self._affect(user, definition, at_import=simple in definition.head)
        self._handed_on(path, simple, loaded=not of_class)
        for user in self._mentions.users(path, simple):
            cut = self._sources.around(user, simple)
            if cut is not None:
                own = user != path and self._mentions.has_its_own(cut, simple, user, path)
                if simple in (cut.effects_named.loose if own else cut.effects_named.every):
                    self._all(user, f"code that runs at import uses {simple}")

    def _handed_on(self, path: str, name: str, *, loaded: bool) -> bool:
        """Whoever takes a module as a whole may look up its names, those that it imports included.
        Whether anybody does."""
        modules = (path, *sorted(self._mentions.passing_on(path, name)))
        taken = [self._taken(module, loaded=loaded) for module in modules]
        return any(taken)

    def _taken(self, path: str, *, loaded: bool) -> bool:
        self.impact.modules.add(path)
        key = (path, loaded)
        if key in self._handed:
            return self._handed[key]
        self._handed[key] = False
        for user, word, definition in self._wholes.of(path, loaded=loaded):
            self._handed[key] = True
            if definition is None:
                self._all(user, f"code that runs at import uses {word} as a whole")
            else:
                self._affect(user, definition, at_import=word in definition.head)
        return self._handed[key]

    # --- what describes a function or class ------------------------------------------------------

    def _redescribed(self, path: str, name: str, onlookers: Onlookers) -> None:
        """A function or class has another docstring, or other annotations."""
        cut = self._sources.cut(path)
        definition = None if cut is None else cut.definitions.get(name)
        is_seen = definition is None or self._is_shown(path, definition, onlookers)
        if is_seen:
            self._rebound(path, name, definition)
        if definition is not None:  # whoever it is shown to, others may ask for it
            readers = onlookers.readers_of(path, definition)
            for reader in sorted(readers):
                self.impact.units.add(reader)
                if not self._evidence.ran_outside(reader):
                    self._climb(reader)
            stand_ins = onlookers.stand_ins(definition)
            shown = [self._shown(path, one, onlookers, of_class=own) for one, own in stand_ins]
            is_seen = is_seen or any(shown) or bool(readers)
        if is_seen and onlookers.concerns_calls:
            self.impact.units.add((path, name))
            self._climb((path, name))

    def _is_shown(self, path: str, definition: Definition, onlookers: Onlookers) -> bool:
        return not self._by_name or onlookers.is_shown(path, definition)

    def _shown(self, path: str, simple: str, onlookers: Onlookers, *, of_class: bool) -> bool:
        """Whoever hands on what is described otherwise, or reads that. Whether anybody does."""
        key = ((path, simple), onlookers, of_class)
        if key in self._described:
            return self._described[key]
        self._described[key] = False
        found = self._handed_on(path, simple, loaded=False)
        self.impact.names.add(simple)
        if self._is_common(path, simple):
            return True
        for user, definition in onlookers.handed_on(path, simple, of_class=of_class):
            if definition is None:
                self._all(user, f"code that runs at import uses {simple}")
                found = True
            elif definition.kind is Kind.IMPORT:
                if simple in definition.renames:
                    found |= self._shown(user, definition.simple, onlookers, of_class=of_class)
            elif definition.kind is Kind.CLASS and simple in definition.bases:  # it is inherited
                if self._is_shown(user, definition, onlookers):
                    self._rebound(user, definition.name, definition)
                    found = True
                else:
                    found |= self._shown(user, definition.simple, onlookers, of_class=of_class)
            else:
                found = True
                self._affect(user, definition, at_import=False)
                if simple in definition.uses.annotations:  # whoever reads these is handed it
                    self._shown(user, definition.simple, onlookers, of_class=bool(definition.scope))
        self._described[key] = found
        return found

    def _affect(self, user: str, definition: Definition, *, at_import: bool) -> None:
        """Something that a definition uses changed; `at_import`, what decides what it is."""
        unit = (user, definition.name)
        is_function = definition.kind is Kind.FUNCTION
        if unit not in self._announced and (at_import or not is_function):
            self._announced.add(unit)
            if definition.is_told:
                self._told(*unit, definition, moved=False)
        if not is_function:
            self._bind(*unit)
            return
        self._affected.add(unit)
        self.impact.units.add(unit)
        self._climb(unit)
        if at_import:
            self._bind(*unit, of_class=False)


def _calls_each_time(definition: Definition) -> bool:
    """Whether what is handed to a binding is called for each request, and nothing of what it
    returns is kept."""
    return definition.name == ROUTES and not any(map(tells_of_keeping, definition.mentions))


def _goes_by_another_name(definition: Definition, name: str) -> bool:
    """Whether an import or an assignment gives what is kept under a name another one."""
    if name in definition.renames and definition.simple != name:
        return True
    return definition.kind is Kind.BINDING and name in definition.named.values


def _by_convention(name: str, definition: Definition | None) -> bool:
    return is_called_by_convention(name) or (definition is not None and definition.autouse)
