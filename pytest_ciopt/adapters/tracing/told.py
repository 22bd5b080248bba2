"""Makes of what a child told a stretch like those of this process."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from pytest_ciopt.adapters.tracing import child, children, inputs
from pytest_ciopt.adapters.tracing.files import is_write
from pytest_ciopt.adapters.tracing.places import Places
from pytest_ciopt.adapters.tracing.starts import Words
from pytest_ciopt.adapters.tracing.stretch import Stretch
from pytest_ciopt.adapters.tracing.units import STARTERS, Registry, unit_named
from pytest_ciopt.core.history.traces import BODY


@dataclass(slots=True)
class Told:
    """What one child, or several, did."""

    stretch: Stretch = field(default_factory=Stretch)
    """Has the body of each module of which any code ran."""
    sources: set[str] = field(default_factory=set)
    """Places of these modules."""
    folders: set[str] = field(default_factory=set)
    """Folders of the repository in which imports looked."""


class Listener:
    """Goes through what one child told."""

    def __init__(self, places: Places, registry: Registry, written: Iterable[str]) -> None:
        self._places, self._registry = places, registry
        self.told = Told()
        self.told.stretch.written.update(written)
        self._bodies: set[str] = set()
        """Files whose body ran."""

    def hear(self, lines: Iterable[Words]) -> Told:
        """All of it. What cannot be told from it is missed."""
        lines = list(lines)
        self._bodies.update(
            words[1] for words in lines if words[0] == "ran" and words[2] == "<module>"
        )
        for kind, *words in lines:
            match kind:
                case "ran":
                    self._ran(*words)
                case "open":
                    self._opened(*words)
                case child.SOURCE if words[0] not in self._bodies:
                    self._look(words[0], self.told.stretch.read)
                case "os.listdir" | "os.scandir":
                    self._look(words[0], self.told.stretch.lists.add)
                case "sqlite3.connect":
                    self._look(words[0], self.told.stretch.read)
                case "ctypes.dlopen":
                    self._look(words[0], lambda place: self.told.stretch.miss(f"loads {place}"))
                case child.POPEN:
                    self._started(*words)
                case "missed":
                    self.told.stretch.miss(words[0])
                case "searched":
                    self._searched(*words)
                case "packages":
                    self._loaded(*words)
        return self.told

    def _ran(self, file: str, qualname: str, flags: int) -> None:
        place, stretch = self._places.find(file), self.told.stretch
        if not place:
            if any(file.endswith(end) and qualname in names for end, names in STARTERS.items()):
                stretch.miss(child.STARTS)
        elif not place.endswith((".py", ".pyw")):
            stretch.read(place)
        else:
            self.told.sources.add(place)
            named = {BODY, unit_named(qualname, flags) or BODY}
            stretch.units |= self._registry.numbers_of_names(place, sorted(named))

    def _started(
        self, program: str, words: Sequence[str], folder: str, names: Iterable[str], path: str
    ) -> None:
        environment = {**dict.fromkeys(names, ""), "PATH": path}
        paths = children.read_by(program, list(words), folder, environment)
        if paths is None or any(map(self._places.are_reached_from, paths)):
            self.told.stretch.miss(child.STARTS)
        for place in filter(None, map(self._places.find, paths or ())):
            self.told.stretch.read(place)

    def _opened(self, path: str, mode: object, flags: int, was_there: bool) -> None:
        place = self._places.find(path)
        if place and is_write(mode, flags):
            if flags & os.O_TRUNC or not was_there:
                self.told.stretch.written.add(place)
        elif place:
            self.told.stretch.read(place)

    def _look(self, path: str, tell: Callable[[str], object]) -> None:
        place = self._places.find(path)
        if place is not None:
            tell(place)

    def _searched(self, folders: Iterable[str]) -> None:
        foreign = inputs.sites(folders) - inputs.sites(sys.path)
        if foreign:
            self.told.stretch.miss(f"imports from {min(foreign)}")
        searched = (folder for folder in folders if not _is_script(folder))
        self.told.folders.update(filter(None, map(self._places.find, searched)))

    def _loaded(self, packages: Iterable[tuple[str, str]]) -> None:
        for name, file in packages:
            if inputs.is_shadowed(self._places, name, (file,)):
                self.told.stretch.miss(f"{name} is loaded from outside of the repository")


def _is_script(path: str) -> bool:
    """Whether what was searched for modules is a script that Python was started with."""
    if not os.path.isfile(path):
        return False
    from zipfile import is_zipfile

    return not is_zipfile(path)
