"""Makes a decision for a command, with the settings that a pytest run would have."""

import argparse
from pathlib import Path

from pytest_ciopt import settings
from pytest_ciopt.adapters import pytest_config
from pytest_ciopt.adapters.environment import variable
from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.adapters.pytest_config import PytestConfig
from pytest_ciopt.core.django import VARIABLE, settings_named
from pytest_ciopt.settings import Discovery, Rules, Settings
from pytest_ciopt.usecases.decide import Decided, decide


def add_base(parser: argparse.ArgumentParser) -> None:
    """Adds `--base`."""
    parser.add_argument("--base", metavar="REF", help="compare with the merge base of REF and HEAD")


def decided(base: str | None, folder: Path, *, reasons: bool = True) -> tuple[Decided, Discovery]:
    """The decision for `folder`, as `pytest --ciopt-changed` there would make it.

    Without `reasons`, why is told only in part.

    Raises: CioptError for a base that does not exist and for settings that cannot be used.
    """
    git = _git(folder)
    config = pytest_config.find(folder, folder if git is None else git.top)
    tests = _tests(config)
    asked = _settings(config)._replace(typed_base=base)
    return decide(folder, asked, tests, git=git, reasons=reasons), tests


def _git(folder: Path) -> Git | None:
    """None where there is none; why, the decision says."""
    try:
        return Git(folder)
    except GitError:
        return None


def _settings(config: PytestConfig) -> Settings:
    strict = variable("CIOPT_STRICT") or config.text("ciopt_strict")
    return Settings(
        configured_base=variable("CIOPT_BASE") or config.text("ciopt_base") or None,
        configured_by="CIOPT_BASE" if variable("CIOPT_BASE") else "ciopt_base",
        rules=rules_of(config),
        state_dir=variable("CIOPT_DIR") or config.text("ciopt_dir") or None,
        strict=settings.boolean(strict, "ciopt_strict"),
        environment=settings.watched(config.words("ciopt_environment")),
        by_name=settings.by_name(variable("CIOPT_SAFETY") or config.text("ciopt_safety")),
    )


def rules_of(config: PytestConfig) -> Rules:
    """What the project says of its files. Raises: ConfigurationError."""
    return settings.rules(
        config.lines("ciopt_run_all"),
        config.lines("ciopt_ignore"),
        config.lines("ciopt_dependencies"),
    )


def _tests(config: PytestConfig) -> Discovery:
    addopts = [*config.words("addopts"), *pytest_config.words_of_environment()]
    default = Discovery()
    globs = pytest_config.values(addopts, "--doctest-glob")
    return Discovery(
        files=tuple(config.words("python_files")) or default.files,
        functions=tuple(config.words("python_functions")) or default.functions,
        doctest_modules="--doctest-modules" in addopts,
        doctest_globs=tuple(globs) or default.doctest_globs,
        roots=tuple(str(config.rootdir / root) for root in config.words("pythonpath")),
        plugins=tuple(pytest_config.plugins(addopts)),
        settings=settings_named(variable(VARIABLE), " ".join(addopts), str(dict(config.options))),
    )
