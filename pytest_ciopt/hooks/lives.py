"""Lives: of fixtures of wider scope, and of packages whose `__init__.py` has a `setup_module`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

import pytest

from pytest_ciopt.adapters.tracing.stretch import Stretch
from pytest_ciopt.hooks.harmless import Breakable, harmless


class Cutter(Protocol):
    """Gives everything to the stretch in which it happens, and makes records of stretches."""

    worker: str | None

    @property
    def problem(self) -> str | None:
        """Why no more is seen, None while all is well."""

    def enter(self, stretch: Stretch) -> None:
        """From now on everything belongs to `stretch`."""

    def leave(self, stretch: Stretch) -> None:
        """Ends `stretch`, and what was entered within it and never left."""

    def new_life(self) -> int:
        """A number for one life of a fixture."""

    def reads(self, stretch: Stretch, path: str) -> None:
        """Says of a file that what runs in a stretch depends on it."""

    def defines(self, stretch: Stretch, function: Callable[..., object]) -> None:
        """Says of a function that a stretch depends on how it is defined, be it not run."""

    def test(self, nodeid: str, stretch: Stretch, what: str | None) -> Any:
        """The record of a test whose stretch has been left. For `what` see `TracedTest`."""

    def fixture(self, number: int, name: str, stretch: Stretch) -> Any:
        """The record of a life whose last stretch has been left."""

    def collected(self, path: str, nodeids: Iterable[str]) -> Any:
        """The record of a module, all of whose tests are known."""

    def encoded(self, *records: Any) -> str:
        """The lines of records."""

    def finish(self) -> Iterable[Any]:
        """Records of what is known at the end only; nothing is watched any more."""

    def stop(self) -> None:
        """Lets go of everything."""


@dataclass(slots=True, eq=False)
class Life:
    """From a set-up to the last finalizer."""

    number: int
    name: str
    scope: int
    """Rising from class to session: what is wider lives longer."""
    request: Any
    stretch: Stretch = field(default_factory=Stretch)


class Packages(Breakable):
    """pytest calls `setup_module` of a package without a fixture; all tests below depend on it."""

    def __init__(self, tracer: Cutter, ended: Callable[[Any], None]) -> None:
        self._tracer = tracer
        self._ended = ended
        self._known: dict[pytest.Package, Life | None] = {}
        """None: nothing ran that anybody could depend on."""

    def watch(self, item: pytest.Item) -> None:
        """Looks at the packages that are about to be set up for a test."""
        for node in item.listchain():
            if isinstance(node, pytest.Package) and node not in self._known:
                self._known[node] = None
                self._wrap(node)

    def used(self, item: pytest.Item) -> list[int]:
        """Numbers of the lives that a test depends on."""
        if not any(self._known.values()):
            return []
        lives = (self._known.get(node) for node in item.listchain())  # type: ignore[call-overload]
        return [life.number for life in lives if life is not None]

    def _wrap(self, node: pytest.Package) -> None:
        set_up, tear_down = node.setup, node.teardown
        stretch = Stretch()

        def traced_setup() -> None:
            self._enter(stretch)
            try:
                set_up()
            finally:
                self._is_set_up(node, stretch)

        def traced_teardown() -> None:
            try:
                tear_down()
            finally:
                self._over(node)
                vars(node).update(setup=set_up, teardown=tear_down)

        vars(node).update(setup=traced_setup, teardown=traced_teardown)

    @harmless
    def _enter(self, stretch: Stretch) -> None:
        self._tracer.enter(stretch)

    @harmless
    def _is_set_up(self, node: pytest.Package, stretch: Stretch) -> None:
        self._tracer.leave(stretch)
        finalizers, _ = node.session._setupstate.stack.get(node, ([], None))
        did = stretch.units or stretch.unseen or stretch.reads or stretch.to_run or stretch.starts
        if did or len(finalizers) > 1:
            number = self._tracer.new_life()
            self._known[node] = Life(number, node.name, 0, None, stretch)
            # Finalizers run in reverse: this one before those of the package itself.
            node.addfinalizer(lambda: self._enter(stretch))

    @harmless
    def _over(self, node: pytest.Package) -> None:
        life = self._known.pop(node, None)
        if life is not None:
            self._tracer.leave(life.stretch)
            self._ended(self._tracer.fixture(life.number, life.name, life.stretch))
