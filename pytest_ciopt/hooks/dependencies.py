"""Tells a tracer where tests and fixtures begin and end, in the process that runs the tests.

What a fixture of wider scope runs belongs to every test that uses it, whichever test triggers it.
So each of its lives has a trace of its own, from the set-up to the last finalizer, and tests and
other lives name those that they use.
"""

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Any

import pytest

from pytest_ciopt.adapters.tracing.stretch import Stretch
from pytest_ciopt.core.history.traces import EXAMPLE, OTHER
from pytest_ciopt.core.nodeids import module_of, without_group
from pytest_ciopt.hooks.examples import is_example, stands_in_its_file
from pytest_ciopt.hooks.harmless import Breakable, harmless
from pytest_ciopt.hooks.lives import Cutter, Life, Packages

_FUNCTION = "function"
_SCOPES = (_FUNCTION, "class", "module", "package", "session")


Deliver = Callable[[pytest.TestReport, str], None]
"""Takes lines to the one who writes, perhaps with a report."""


class Dependencies(Breakable):
    """Cuts the stretches of a session."""

    def __init__(self, tracer: Cutter, deliver: Deliver, *, grouped: bool = False) -> None:
        """`grouped` says that xdist writes the group of a test behind its id."""
        self._tracer = tracer
        self._grouped = grouped
        self._deliver = deliver
        self._lives: dict[pytest.FixtureDef[Any], Life] = {}
        """Those that go on."""
        self._ended: list[Any] = []
        """Records of those that are over."""
        self._packages = Packages(tracer, lambda life: self._ended.append(life))
        self._test = Stretch()
        self._nodeid: str | None = None
        """Of the running test, None between two."""
        self._latest: str | None = None
        """Of the test whose protocol runs, or ran last."""
        self._is_set_up = True
        self._function: Callable[..., object] | None = None
        """Of the running test."""
        self._known_fixtures: Mapping[str, Sequence[pytest.FixtureDef[Any]]] = {}
        """All that the running test may use, by name."""
        self._what: str | None = None
        """Kind of the test, see `TracedTest`."""

    # --- modules ---------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)  # before anybody leaves some out
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: Sequence[pytest.Item]
    ) -> None:
        """Notes which tests whole modules hold."""
        self._note_collected(config, items)

    @harmless
    def _note_collected(self, config: pytest.Config, items: Sequence[pytest.Item]) -> None:
        if config.getoption("lf", False) or any("::" in argument for argument in config.args):
            return  # they leave tests out while modules are collected
        found: dict[str, list[str]] = {}
        for item in items:
            found.setdefault(module_of(item.nodeid), []).append(item.nodeid)
        self._ended.extend(self._tracer.collected(path, ids) for path, ids in found.items())

    # --- tests -----------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """All attempts at a test."""
        self._begin(item)
        try:
            return (yield)
        finally:
            self._leave_test()
            if self.problem is not None:
                self._tracer.stop()

    @harmless
    def _begin(self, item: pytest.Item) -> None:
        self._test, self._nodeid, self._latest = Stretch(), item.nodeid, item.nodeid
        self._function = getattr(item, "function", None)
        known: Any = getattr(item, "_fixtureinfo", None)
        self._known_fixtures = getattr(known, "name2fixturedefs", {})
        self._what = None if isinstance(item, pytest.Function) else _kind_of(item)
        if self._what == EXAMPLE:
            self._note_text(item)
        self._tracer.enter(self._test)

    def _note_text(self, item: pytest.Item) -> None:
        if not stands_in_its_file(item):
            self._test.miss("its text does not stand in its file")
        if item.path.suffix != ".py":  # it was read to be collected
            self._tracer.reads(self._test, str(item.path))

    @harmless
    def _again(self, item: pytest.Item) -> None:
        """A rerun within the same protocol has, beside its own, what the attempts before ran."""
        if self._nodeid is None and item.nodeid == self._latest:
            self._nodeid = item.nodeid
            self._tracer.enter(self._test)
        self._packages.watch(item)

    @harmless
    def _leave_test(self) -> None:
        if self._nodeid is not None:  # it was interrupted
            self._tracer.leave(self._test)
            self._nodeid = None

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Sees whether it fails: then pytest does not say which fixtures were used."""
        self._is_set_up = False
        self._again(item)
        result = yield
        self._is_set_up = True
        return result

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Notes the fixtures that were used, while they are still known."""
        self._note_fixtures(item)
        try:
            return (yield)
        finally:
            self._note_fixtures(item)

    @harmless
    def _note_fixtures(self, item: pytest.Item) -> None:
        request: Any = getattr(item, "_request", None)
        used: Mapping[str, pytest.FixtureDef[Any]] = getattr(request, "_fixture_defs", {})
        self._test.fixtures.update(self._numbers(used.values()))
        self._test.fixtures.update(self._packages.used(item))
        if not self._is_set_up:
            for several in self._known_fixtures.values():
                self._test.fixtures.update(self._numbers(several))

    def _numbers(self, definitions: Iterable[pytest.FixtureDef[Any]]) -> list[int]:
        lives = self._lives
        return [lives[one].number for one in definitions if one in lives]

    @pytest.hookimpl(tryfirst=True)  # before xdist sends the report
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The report of the last teardown takes the trace along."""
        if report.skipped and report.nodeid == self._nodeid:
            self._note_skipped()
        if report.when == "teardown" and report.nodeid == self._nodeid:
            self._end(report)

    @harmless
    def _note_skipped(self) -> None:
        """Of a test that was not run its marks decide, which stand at its function, and who asks
        for a fixture that skipped it."""
        if self._function is not None:
            self._tracer.defines(self._test, self._function)
        for several in self._known_fixtures.values():
            for one in several:
                self._tracer.defines(self._test, one.func)

    @harmless
    def _end(self, report: pytest.TestReport) -> None:
        self._tracer.leave(self._test)
        self._nodeid = None
        if not self._check():
            return
        ended, self._ended = self._ended, []
        name = without_group(report.nodeid) if self._grouped else report.nodeid
        test = self._tracer.test(name, self._test, self._what)
        self._deliver(report, self._tracer.encoded(*ended, test))

    def _check(self) -> bool:
        """Whether nothing went wrong where no error can be raised."""
        self.problem = self._tracer.problem or self._packages.problem
        return self.problem is None

    # --- fixtures --------------------------------------------------------------------------------

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        """The set-up of a fixture of wider scope is a stretch of its own."""
        if fixturedef.scope == _FUNCTION:
            if fixturedef.argname in fixturedef.argnames:
                self._note_overridden(fixturedef, request)
            return (yield)
        self._set_up(fixturedef, request)
        try:
            return (yield)
        finally:
            self._is_alive(fixturedef)

    @harmless
    def _note_overridden(self, fixturedef: pytest.FixtureDef[Any], request: Any) -> None:
        """A fixture that asks for another one of its name takes its place in the request."""
        overridden = request._fixture_defs.get(fixturedef.argname)
        self._test.fixtures.update(self._numbers([overridden]))

    @harmless
    def _set_up(self, fixturedef: pytest.FixtureDef[Any], request: Any) -> None:
        life = self._lives.get(fixturedef)  # pytest-rerunfailures sets up once more without an end
        if life is None:
            scope = _SCOPES.index(fixturedef.scope)
            life = Life(self._tracer.new_life(), fixturedef.argname, scope, request)
        for user in self._users(request):
            user.fixtures.add(life.number)
        self._lives[fixturedef] = life
        self._tracer.enter(life.stretch)

    def _users(self, request: Any) -> Iterable[Stretch]:
        """Whoever asks for a fixture now, `request.getfixturevalue` of whatever age included."""
        if self._nodeid is not None:
            yield self._test
        asking = getattr(request, "_parent_request", None)
        while asking is not None:
            life = self._lives.get(getattr(asking, "_fixturedef", None))  # type: ignore[arg-type]
            if life is not None:
                yield life.stretch
            asking = getattr(asking, "_parent_request", None)

    @harmless
    def _is_alive(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        life = self._lives[fixturedef]
        self._tracer.leave(life.stretch)
        self._note_used(fixturedef, life)
        # Finalizers run in reverse: this one before those of the fixture itself.
        fixturedef.addfinalizer(lambda: self._finalize(fixturedef))

    def _note_used(self, fixturedef: pytest.FixtureDef[Any], life: Life) -> None:
        """Other lives that a life depends on. With `request` a fixture can ask for any."""
        active: Mapping[str, pytest.FixtureDef[Any]] = life.request._fixture_defs
        by_name = [active[name] for name in fixturedef.argnames if name in active]
        life.stretch.fixtures.update(self._numbers(by_name))
        if "request" in fixturedef.argnames:
            known = (self._lives[one] for one in active.values() if one in self._lives)
            life.stretch.fixtures.update(one.number for one in known if one.scope >= life.scope)
        life.stretch.fixtures.discard(life.number)

    @harmless
    def _finalize(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        life = self._lives.get(fixturedef)
        if life is not None:
            self._note_used(fixturedef, life)
            self._tracer.enter(life.stretch)

    @harmless
    def pytest_fixture_post_finalizer(self, fixturedef: pytest.FixtureDef[Any]) -> None:
        """The life of a fixture is over. pytest may say so more than once."""
        life = self._lives.pop(fixturedef, None)
        if life is not None:
            self._tracer.leave(life.stretch)
            self._ended.append(self._tracer.fixture(life.number, life.name, life.stretch))

    # --- the end ---------------------------------------------------------------------------------

    def rest(self) -> str:
        """Lines on what is known only when the session has ended; then nothing is watched."""
        lines: list[str] = []
        self._finish(lines)
        self._tracer.stop()
        return "".join(lines)

    @harmless
    def _finish(self, lines: list[str]) -> None:
        if not self._check():
            return
        ended, self._ended = self._ended, []
        lines.append(self._tracer.encoded(*ended, *self._tracer.finish()))
        # The place for `Source` records: `self._tracer.loaded` has the content ids by path now.


def _kind_of(item: pytest.Item) -> str:
    return EXAMPLE if is_example(item) else OTHER
