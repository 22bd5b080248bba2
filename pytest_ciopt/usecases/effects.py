"""What one changed file can alter, by kind of file. The first step of a selection.

Reads contents through the working tree it is given and decides nothing about tests: it answers
with files to search from, with parts of test files, or with a reason to run everything.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from pytest_ciopt.core.change import FileChange, Status
from pytest_ciopt.core.edits import claims
from pytest_ciopt.core.edits.parts import FixtureReach, Reach
from pytest_ciopt.core.edits.words import surely_differ
from pytest_ciopt.core.graph.index import ImportIndex
from pytest_ciopt.core.graph.scanner import Flag, without_hooks
from pytest_ciopt.core.naming import INIT, ancestors, folder_of, names
from pytest_ciopt.core.testfiles import (
    CONFTEST,
    is_collected,
    is_test_function,
    is_test_module,
    is_text_test,
)
from pytest_ciopt.settings import Discovery, Rules

if TYPE_CHECKING:
    from pytest_ciopt.core.edits.units import Edit


class Contents(Protocol):
    """Content of files, now and at the base."""

    def read(self, path: str) -> bytes | None:
        """Content now, None when it cannot be read."""

    def contents(self, blobs: Iterable[str]) -> Mapping[str, bytes]:
        """Content of the base by blob id; missing ones are left out."""


class Dependencies(Protocol):
    """What installed distributions give to import."""

    def reached(
        self, changed: Sequence[str], own_modules: frozenset[str]
    ) -> tuple[str | None, Mapping[str, str]]:
        """(why everything runs, import names with the reason of each)."""

    def provide(self, name: str) -> bool:
        """Whether a top-level module of that name is installed, or part of Python."""


class Effect(NamedTuple):
    """What a changed file can alter."""

    text: str
    """For people."""
    counts: bool = True
    everything: str | None = None
    seeds: Mapping[str, str] = MappingProxyType({})
    """Files that count as changed, and how that is said."""
    part: Reach | None = None
    """The reached part of the changed file, which is a test module."""
    fixtures: FixtureReach | None = None
    """The reached fixtures of the changed file, which is a conftest."""
    must_reach: bool = False
    """Whether it is strange if no test is reached: then everything runs."""


_NAMES_SHOWN = 3
_READ_BY = {"scrapy.cfg": "scrapy"}
"""Data that an installed module finds by itself."""


def _everything(reason: str) -> Effect:
    return Effect(reason, everything=reason)


class Effects:
    """Answers for the files of one change."""

    def __init__(
        self,
        contents: Contents,
        before: Mapping[str, bytes],
        index: ImportIndex,
        packages: frozenset[str],
        rules: Rules,
        tests: Discovery,
        dependencies: Dependencies,
        *,
        reasons: bool = True,
    ) -> None:
        """Without `reasons` the effects are the same, and the texts say less."""
        self._contents, self._before, self._reasons = contents, before, reasons
        self._index, self._packages = index, packages
        self._rules, self._tests, self._dependencies = rules, tests, dependencies

    def of(self, changes: Sequence[FileChange]) -> list[Effect]:
        """The effect of each change, in order."""
        return [self._ruled(change) for change in changes]

    def _ruled(self, change: FileChange) -> Effect:
        claim = claims.ruled(change.path, self._rules)
        if claim is None:
            return self._unruled(change)
        if claim.everything:
            return _everything(f"{claim.why}: {change.path}")
        if not claim.targets:
            return self._configuring_us(change) or Effect(claim.why, counts=False)
        found = {
            target: claims.target_files(target, self._index.files, self._by_name)
            for target in claim.targets
        }
        missing = [target for target, files in found.items() if not files]
        targets = sorted({path for files in found.values() for path in files})
        if missing:
            return _everything(f"{claim.why}: the target {missing[0]} matches no file")
        seeds = dict.fromkeys(targets, f"{change.path} changed ({claim.why})")
        own = self._unruled(change) if change.path.endswith(".py") else Effect(claim.why)
        return own._replace(seeds={**seeds, **own.seeds}, must_reach=False)

    def _configuring_us(self, change: FileChange) -> Effect | None:
        """A rule that ignores files does not ignore how it came there."""
        from pytest_ciopt.core.edits import buildconfig

        if not buildconfig.is_build_config(change.path):
            return None
        own = buildconfig.compare(change.path, *self._texts(change)).of_pytest
        return None if own is None else _everything(f"global: {own}")

    def _unruled(self, change: FileChange) -> Effect:
        path = change.path
        name = path.rpartition("/")[2]
        if change.status is Status.SUBMODULE:
            return _everything(f"submodule {path} changed")
        if name == "setup.py":
            return self._source(change, _everything(f"global: {path} (build)"))
        if path.endswith(".py"):
            return self._python(change)
        if change.status is Status.MODE:
            return self._named(change, "only its permissions")
        described = self._described(change)
        if described is not None:
            return described
        data = self._data(change)
        if is_text_test(path, self._tests):  # it is collected itself
            return Effect("text test", seeds={**self._naming(path), **data.seeds})
        return data

    def of_readers(self, path: str) -> Effect:
        """The effect of data that is what it was and names something that is not. What nobody
        claims is read by who names it: much of it is for services, and for no test."""
        from pytest_ciopt.core.edits import requirements  # slow to import

        if claims.ruled(path, self._rules) is not None:
            return self._ruled(FileChange(path, Status.MODIFIED))
        if requirements.is_manifest(path):
            return Effect("for what is installed", counts=False)
        effect = self._data(FileChange(path, Status.MODIFIED))
        if effect.everything is None:
            return effect
        reader = _READ_BY.get(path.rpartition("/")[2], "")
        importers = self._index.importers_below(reader) if reader else ()
        seeds = dict.fromkeys(importers, f"{reader} reads {path}")
        return Effect("read by name", seeds={**seeds, **self._naming(path)})

    # --- Python ----------------------------------------------------------------------------------

    def _python(self, change: FileChange) -> Effect:
        path = change.path
        if change.status is Status.MODE:
            return self._named(change, "only its permissions")
        must_reach = not is_collected(path, self._tests)
        if change.status is Status.MODIFIED:
            whole = Effect("changed", seeds={path: "changed"}, must_reach=must_reach)
            return self._source(change, whole)
        shadow = self._shadow(change)
        if shadow is not None:
            return _everything(f"global: {path}: {shadow}")
        how = change.status.value
        if change.status is Status.RENAMED:
            how = f"renamed from {change.renamed_from}"
        seeds = {path: how, **self._namesakes(change)}
        return Effect(how, seeds=seeds, must_reach=must_reach)

    def _shadow(self, change: FileChange) -> str | None:
        """Why a file that comes or goes may take the place of a module of somebody else.

        What is installed imports that module, too, and its imports are not known.
        """
        for place in (change.path, change.renamed_from):
            for name in names(place, self._packages) if place else ():
                if name.isidentifier() and name != "conftest" and self._dependencies.provide(name):
                    return f"it may take the place of the module {name}"
        return None

    def _source(self, change: FileChange, whole: Effect) -> Effect:
        """The effect of edited Python text: `whole` unless less can be shown."""
        before = self._before.get(change.before or "")
        after = self._contents.read(change.path)
        if before is None or after is None:
            return whole
        hasty = not self._reasons and not is_collected(change.path, self._tests)
        if hasty and surely_differ(before, after):
            return whole
        from pytest_ciopt.core.edits import trees  # slow to import

        old, new = trees.parse(before), trees.parse(after)
        if old is None or new is None:
            return whole._replace(text=f"{whole.text}, cannot be parsed")
        if trees.same(old, new):
            return Effect("only comments or formatting", counts=False)
        if whole.everything is not None:
            return whole
        if not is_collected(change.path, self._tests):
            return whole
        from pytest_ciopt.core.edits import reach, units  # slow to import

        edit = units.edit(old, new)
        if change.path.rpartition("/")[2] == CONFTEST:
            return self._conftest(change.path, reach.in_conftest(edit))
        return self._test_module(change.path, edit)

    def _conftest(self, path: str, found: FixtureReach) -> Effect:
        if found.whole is not None:
            return Effect(found.whole, seeds={path: "changed"})
        words = {name.encode() for name in found.fixtures}
        quoting = {
            file: f"names a changed fixture of {path} in a string"
            for file in (*self._index.below(folder_of(path)), *self._conftests_above(path))
            if file != path and _quotes(self._contents.read(file) or b"", words)
        }
        text = f"fixtures {', '.join(sorted(found.fixtures))}" if found.fixtures else "unused code"
        return Effect(text, fixtures=found, seeds=quoting)

    def _conftests_above(self, path: str) -> list[str]:
        """They can add a fixture to a test by its name."""
        above = [f"{f}/{CONFTEST}" if f else CONFTEST for f in ancestors(folder_of(path))]
        return [file for file in above if file != path and file in self._index.files]

    def _test_module(self, path: str, edit: "Edit") -> Effect:
        from pytest_ciopt.core.edits import reach

        onlooker = self._onlooker(path)
        found = reach.in_test_module(
            edit, lambda name: is_test_function(name, self._tests), onlooker
        )
        if found.whole is not None:
            return Effect(found.whole, seeds={path: f"changed: {found.whole}"})
        shown = ", ".join(sorted(found.names)[:_NAMES_SHOWN])
        more = len(found.names) - _NAMES_SHOWN
        return Effect(f"{shown} and {more} more" if more > 0 else shown, part=found)

    def _onlooker(self, path: str) -> str | None:
        """Who can look into a test module: it itself by its name, or code that serves its tests."""
        if any(path in self._index.importers_below(name) for name in names(path, self._packages)):
            return path
        above = {path, *self._conftests_above(path)}
        return next(
            (
                file
                for file in sorted(self._index.importers(Flag.LOOKS_INSIDE))
                if file in above or not is_collected(file, self._tests)
            ),
            None,
        )

    def _namesakes(self, change: FileChange) -> dict[str, str]:
        """Test modules outside packages must have different names, else pytest collects neither."""
        path, name = change.path, change.path.rpartition("/")[2]
        new = change.status in (Status.ADDED, Status.RENAMED)
        if not new or not is_test_module(path, self._tests) or folder_of(path) in self._packages:
            return {}
        return {
            other: f"has the same module name as {path}"
            for other in self._index.files
            if other.endswith(name)
            and other.rpartition("/")[2] == name
            and other != path
            and folder_of(other) not in self._packages
        }

    # --- everything else -------------------------------------------------------------------------

    def _described(self, change: FileChange) -> Effect | None:
        """The effect of a file that describes dependencies or the build; None for others."""
        from pytest_ciopt.core.edits import buildconfig, requirements  # slow to import

        if requirements.is_manifest(change.path):
            dependencies = requirements.compare(change.path, *self._texts(change))
            everything, changed = dependencies.unclear, dependencies.distributions
        elif buildconfig.is_build_config(change.path):
            configuration = buildconfig.compare(change.path, *self._texts(change))
            everything, changed = configuration.everything, configuration.distributions
        else:
            return None
        if everything is not None:
            return _everything(f"global: {everything}")
        found = self._distributions(change.path, changed)
        folder = claims.data_folder(change.path, self._holds_modules.__contains__)
        data = {} if folder is None else self._data_of(folder, change.path)
        seeds = {**data, **self._naming(change.path), **found.seeds}
        return found._replace(seeds=seeds, counts=found.counts or bool(seeds))

    def _distributions(self, path: str, changed: Sequence[str]) -> Effect:
        if not changed:
            return Effect("nothing that a test can see", counts=False)
        everything, importers = self.importers(changed)
        if everything is not None:
            return _everything(f"global: {path}: {everything}")
        for one in changed:  # as of a module that no test reaches: who knows what loads or runs it?
            if not importers or (len(changed) > 1 and not self.importers((one,))[1]):
                return _everything(f"global: {path}: no file imports {one}")
        seeds = {file: f"imports {what}, which {path} changes" for file, what in importers.items()}
        return Effect(f"distributions {', '.join(changed)}", seeds=seeds)

    def importers(self, changed: Sequence[str]) -> tuple[str | None, Mapping[str, str]]:
        """Of changed distributions: why they concern every test, or the files that import something
        that they can alter, and what that is."""
        everything, modules = self._dependencies.reached(changed, self._own_modules)
        found: dict[str, str] = {}
        for name, why in sorted(modules.items()):
            for file, imported in self._index.importers_below(name).items():
                found.setdefault(file, f"{imported} of {why}")
        return everything, found

    def _data(self, change: FileChange) -> Effect:
        claim = claims.unruled(change.path, self._holds_modules.__contains__)
        if claim.everything:
            return _everything(f"global: {change.path}: {claim.why}")
        seeds = self._naming(change.path) if claim.by_name else {}
        if claim.folder is None:
            return Effect(claim.why, counts=bool(seeds), seeds=seeds)
        seeds = {**self._data_of(claim.folder, change.path), **seeds}
        return Effect(claim.why, seeds=seeds, must_reach=not claim.known_name)

    def _data_of(self, folder: str, path: str) -> dict[str, str]:
        return dict.fromkeys(self._index.below(folder), f"{path} changed, data of {folder}/")

    def _named(self, change: FileChange, text: str) -> Effect:
        """Only modules that name the file in a string can tell."""
        seeds = self._naming(change.path)
        return Effect(text, counts=bool(seeds), seeds=seeds)

    def _naming(self, path: str) -> dict[str, str]:
        name = path.rpartition("/")[2].encode(errors="surrogateescape")
        return {
            file: f"names {path}"
            for file in self._index.files
            if file != path and name in without_hooks(self._contents.read(file) or b"")
        }

    def _texts(self, change: FileChange) -> tuple[str | None, str | None]:
        before = self._before.get(change.before or "")
        after = None if change.status is Status.DELETED else self._contents.read(change.path)
        return _decoded(before), _decoded(after)

    # --- what is known of the repository, computed when first needed -----------------------------

    @cached_property
    def _holds_modules(self) -> frozenset[str]:
        return frozenset(map(folder_of, self._index.files))

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self._index.files:
            for name in names(path, self._packages):
                found.setdefault(name, []).append(path)
        return found

    @cached_property
    def _own_modules(self) -> frozenset[str]:
        """Top-level import names of the repository."""
        tops = {folder for folder in self._packages if folder_of(folder) not in self._packages}
        packages = {folder.rpartition("/")[2] for folder in tops if folder}
        modules = {
            path.rpartition("/")[2].removesuffix(".py")
            for path in self._index.files
            if folder_of(path) in ("", "src", "lib") and not path.endswith(INIT)
        }
        return frozenset(packages | modules)


def is_recorded(change: FileChange, rules: Rules) -> bool:
    """Whether records of runs can tell whom the change of a file concerns.

    They know sources and data that were read; what describes the build or its dependencies, and
    what the project has a rule for, is not seen by watching tests.
    """
    from pytest_ciopt.core.edits import buildconfig, requirements

    plain = (Status.MODIFIED, Status.ADDED, Status.DELETED, Status.RENAMED, Status.MODE)
    return (
        change.status in plain
        and claims.ruled(change.path, rules) is None
        and not requirements.is_manifest(change.path)
        and not buildconfig.is_build_config(change.path)
    )


def is_older_data(change: FileChange) -> bool:
    """Whether a file is no source, and was there before: then whoever reads it has read it."""
    return change.status is not Status.ADDED and not change.path.endswith((".py", ".pyw"))


def _decoded(content: bytes | None) -> str | None:
    return None if content is None else content.decode("utf-8", "replace")


def _quotes(content: bytes, words: Iterable[bytes]) -> bool:
    """Whether one of the words stands in a string, alone or between commas."""
    return any(
        any(quote + word in content or word + quote in content for quote in (b"'", b'"'))
        for word in words
    )
