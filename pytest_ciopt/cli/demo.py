"""`ciopt demo`: a small project in git, a few changes, and what pytest runs upon each of them.

Everything is real: git, pytest in a process of its own, and pytest's JUnit report, from which
the demo learns which tests ran. It makes a folder of its own and touches no other.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

from pytest_ciopt.adapters.environment import environ
from pytest_ciopt.cli.demo_project import ALL_TESTS, FILES, STEPS, Step
from pytest_ciopt.errors import CioptError

_FOREIGN = (
    *("CI_", "CIOPT_", "CIRCLE", "GITHUB_", "GITLAB_", "BITBUCKET_", "BUILDKITE", "TF_BUILD"),
    *("CONTINUOUS_INTEGRATION", "BUILD_", "JENKINS_", "TEAMCITY_", "SYSTEM_PULLREQUEST_"),
    *("GIT_", "PYTEST_"),
)
"""Prefixes of variables that speak of another repository or another run than the demo's."""

_GIT_CONFIG = {
    "user.name": "ciopt demo",
    "user.email": "demo@example.invalid",
    "commit.gpgSign": "false",
    "core.autocrlf": "false",
    "core.excludesFile": os.devnull,  # a person may ignore *.bin everywhere
    "core.hooksPath": os.devnull,
}
"""Kept in the repository itself: there it holds whatever git's version, for the plugin too."""

_INTRODUCTION = f"""\
A small shop, committed to git, with {len(ALL_TESTS)} tests:

    tests/test_prices.py   imports shop/prices.py
    tests/test_cart.py     imports shop/cart.py, which imports shop/prices.py
    tests/test_stock.py    imports shop/stock.py
    tests/test_mailer.py   imports shop/mailer.py

{len(STEPS)} changes follow, each to the committed state, and upon each of them real pytest runs:

    pytest --ciopt-changed

Lines with | are its own. Which tests ran is read from its JUnit report.
"""


@dataclass(frozen=True, slots=True)
class _Ran:
    """What a run of pytest came to."""

    code: int
    tests: tuple[str, ...] | None
    """Sorted; None when pytest wrote no report."""
    output: str


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the options of the command."""
    parser.add_argument("--keep", action="store_true", help="keep the project and say where it is")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Plays the steps."""
    return play(STEPS, keep=options.keep)


def play(steps: Sequence[Step], *, keep: bool) -> int:
    """0 when upon each step exactly the expected tests ran; else 1, after the first that differs.

    Raises: CioptError when git or pytest is missing, or git refuses.
    """
    if find_spec("pytest") is None:
        mend = f"Install it with `{sys.executable} -m pip install pytest`."
        raise CioptError(f"pytest is not installed for {sys.executable}", mend)
    with _folder(keep) as folder:
        project = folder / "shop"
        _make(project)
        print(_INTRODUCTION, flush=True)
        fine = all(_played(number, step, project) for number, step in enumerate(steps, start=1))
        print(_ending(fine, len(steps)))
        if keep:
            print(f"The project is in {project}")
        return 0 if fine else 1


def _ending(fine: bool, steps: int) -> str:
    if fine:
        return f"All {steps} steps as expected. Now your project: pytest --ciopt-changed"
    return "Stopped at the first step that went wrong. Please report it with the lines above."


# --- the project ---------------------------------------------------------------------------------


@contextmanager
def _folder(keep: bool) -> Iterator[Path]:
    try:
        made = tempfile.mkdtemp(prefix="ciopt-demo-")
    except OSError as error:
        why = f"no temporary folder can be made: {error.strerror or error}"
        raise CioptError(why, "Set TMPDIR to a folder that can be written to.") from error
    try:
        yield Path(made)
    finally:
        if not keep:
            shutil.rmtree(made, ignore_errors=True)


def _make(project: Path) -> None:
    for path, text in FILES.items():
        _write(project / path, text)
    _git(project, "init", "--quiet", "--template=")
    _git(project, "symbolic-ref", "HEAD", "refs/heads/main")
    for name, value in _GIT_CONFIG.items():
        _git(project, "config", name, value)
    _git(project, "add", "--all")
    _git(project, "commit", "--quiet", "--message=A small shop")


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="ascii", newline="\n")


def _git(project: Path, *arguments: str) -> None:
    try:
        done = _start(("git", *arguments), project)
    except FileNotFoundError:
        mend = "Install git, from https://git-scm.com or with your system's packages."
        raise CioptError("git is not installed, or not on PATH", mend) from None
    if done.returncode != 0:
        said = done.stdout.strip() or f"exit status {done.returncode}"
        raise CioptError(f"`git {arguments[0]}` failed in {project}: {said}")


# --- one step ------------------------------------------------------------------------------------


def _played(number: int, step: Step, project: Path) -> bool:
    _write(project / step.path, step.text())
    ran = _pytest(project, project.parent / f"step-{number}.xml")
    _git(project, "reset", "--quiet", "--hard")
    _git(project, "clean", "--quiet", "--force", "-d")
    print(f"{number}. {step.title}")
    print(f"   {step.path}:  {step.line()}")
    print(*(f"   | {line}" for line in _chosen(ran.output)), sep="\n")
    fine = ran.code == 0 and ran.tests == tuple(sorted(step.expected))
    if fine:
        print(
            f"   ok: ran {len(step.expected)} of {len(ALL_TESTS)} tests, as expected\n", flush=True
        )
    else:
        print(textwrap.indent(_difference(step, ran), "   "), flush=True)
    return fine


def _pytest(project: Path, report: Path) -> _Ran:
    # Other plugins that happen to be installed are left out: they may change order and output.
    plugins = ("--disable-plugin-autoload", "-p", "ciopt", "-p", "no:cacheprovider")
    command = (sys.executable, "-m", "pytest", "--ciopt-changed", *plugins, "--color=no")
    done = _start((*command, f"--junitxml={report}"), project)
    return _Ran(done.returncode, _reported(report), done.stdout)


def _reported(report: Path) -> tuple[str, ...] | None:
    """`module::function` of every test in a JUnit report."""
    try:
        cases = ElementTree.parse(report).iter("testcase")
    except (OSError, ElementTree.ParseError):
        return None
    names = ((case.get("classname", ""), case.get("name", "")) for case in cases)
    return tuple(sorted(f"{module.rpartition('.')[2]}::{name}" for module, name in names))


def _chosen(output: str) -> Iterator[str]:
    """Our header line and summary block, and pytest's last line."""
    inside = False
    lines = output.splitlines()
    for line in lines:
        if line.startswith("==="):
            inside = "selection (ciopt)" in line
        elif inside or line.startswith("ciopt: "):
            yield line
    yield from (line.strip("= ") for line in lines[-1:])


def _difference(step: Step, ran: _Ran) -> str:
    happened = "pytest wrote no report" if ran.tests is None else _listed(ran.tests)
    return (
        "NOT AS EXPECTED\n"
        f"expected: {_listed(sorted(step.expected))}\n"
        f"ran:      {happened}\n"
        f"pytest's exit code: {ran.code}, expected 0; its whole output:\n"
        + textwrap.indent(ran.output, "| ")
    )


def _listed(tests: Sequence[str]) -> str:
    return ", ".join(tests) or "nothing"


# --- processes -----------------------------------------------------------------------------------


def _start(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        env=cleaned(environ()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="ascii",
        errors="backslashreplace",
    )


def cleaned(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment without what CI services, git and pytest tell about somebody else's run."""
    kept = {
        name: value
        for name, value in variables.items()
        if name != "CI" and not name.startswith(_FOREIGN)
    }
    neutral = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    # No bytecode: within a second, two versions of one size could be taken for each other.
    return {**kept, **neutral, "PYTHONDONTWRITEBYTECODE": "1"}
