"""The state of one pytest run under a selection, shared by the plugins that carry it out."""

import argparse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pytest_ciopt.adapters.baseref import UnknownBase
from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.adapters.paths import place_of
from pytest_ciopt.core.base import Base, NoBase
from pytest_ciopt.core.selection import NOT_ASKED, Selection, Verdict
from pytest_ciopt.hooks.options import SELECTION
from pytest_ciopt.hooks.request import settings_of, test_files_of, where_of
from pytest_ciopt.report.outcome import Outcome
from pytest_ciopt.settings import Discovery, Settings
from pytest_ciopt.usecases.decide import Decided, InternalError, base_of, decide, failed


@dataclass(slots=True)
class Run:
    """One run: what was asked, what was decided, what came of it."""

    rootpath: Path
    settings: Settings
    tests: Discovery
    decided: Decided
    asked: bool
    """Whether a selection was asked for, and not only its explanation."""
    ends_early: bool = False
    """Whether it is known before collection that nothing is selected."""
    outcome: Outcome = field(default_factory=Outcome)
    notes: list[str] = field(default_factory=list)

    @property
    def selection(self) -> Selection:
        """The frozen decision."""
        return self.decided.selection

    @property
    def top(self) -> Path:
        """Top of the repository, or the rootdir without one."""
        return self.decided.top or self.rootpath

    def is_dropped(self, path: Path) -> bool:
        """Whether it is certain that an existing file or folder holds nothing to run."""
        place = place_of(path, self.top)
        if place is None or not path.exists():
            return False
        return path.is_dir() or (
            path.suffix == ".py"
            and self.selection.verdict(place) is Verdict.NONE
            and not self.selection.touches(place)
        )

    def decide(self, declared: tuple[str, ...] = ()) -> None:
        """Makes the decision; `declared` are further changed files.

        Raises: pytest.UsageError for a base that does not exist, and under `--ciopt-strict`.
        """
        if not self.asked:
            self.decided = Decided(Selection(everything=NOT_ASKED), _top(self.rootpath))
            return
        try:
            self.decided = decide(self.rootpath, self.settings, self.tests, declared)
        except (UnknownBase, InternalError) as error:
            raise pytest.UsageError(str(error)) from error

    def veto(self, reason: str) -> None:
        """Everything runs after all."""
        selection = self.selection._replace(everything=reason)
        self.decided = self.decided._replace(selection=selection)


def _top(folder: Path) -> Path | None:
    try:
        return Git(folder).top
    except GitError:
        return None


def new_run(config: pytest.Config, known: argparse.Namespace) -> Run:
    """A run whose decision is made here and now."""
    run = Run(
        rootpath=config.rootpath,
        settings=settings_of(config, known),
        tests=test_files_of(config, known),
        decided=Decided(Selection()),
        asked=known.ciopt_changed is not None,
    )
    run.decide()
    return run


def failed_run(config: pytest.Config, known: argparse.Namespace, error: Exception) -> Run:
    """A run in which everything runs, after an error of ours.

    Raises: pytest.UsageError under `--ciopt-strict`.
    """
    settings = Settings(strict=bool(known.ciopt_strict))
    try:
        decided = failed(error, None, settings)
    except InternalError as internal:
        raise pytest.UsageError(str(internal)) from error
    return Run(config.rootpath, settings, Discovery(), decided, asked=True)


def worker_run(config: pytest.Config, selection: Selection, top: str) -> Run:
    """A run inside an xdist worker, whose decision was made by the controller."""
    return Run(
        rootpath=config.rootpath,
        settings=Settings(),
        tests=test_files_of(config, config.option),
        decided=Decided(selection, Path(top)),
        asked=True,
    )


def base_here(config: pytest.Config) -> Base | NoBase | None:
    """The base of a run, with or without a selection; None outside of a repository."""
    selection: Any = config.pluginmanager.getplugin(SELECTION)
    if selection is not None and selection.run.asked:
        run: Run = selection.run
        return run.decided.base
    git, *_, state = where_of(config)
    try:
        return None if git is None else base_of(git, settings_of(config, config.option), state)
    except GitError as error:
        return NoBase(error.what, error.mend)
