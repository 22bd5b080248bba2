"""Environment variables and what the CI service left for us to read."""

import os
import sys
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

_DIGITS = 20
"""Hexadecimal digits of a digest."""
_JOBS = (
    *("AGENT_JOBNAME", "SYSTEM_JOBNAME", "SYSTEM_JOBPOSITIONINPHASE", "SYSTEM_TOTALJOBSINPHASE"),
    *("BITBUCKET_PARALLEL_STEP", "BITBUCKET_PARALLEL_STEP_COUNT"),
    *("BUILDKITE_LABEL", "BUILDKITE_PIPELINE_SLUG", "BUILDKITE_STEP_KEY"),
    *("BUILDKITE_PARALLEL_JOB", "BUILDKITE_PARALLEL_JOB_COUNT"),
    *("CIRCLE_JOB", "CIRCLE_NODE_INDEX", "CIRCLE_NODE_TOTAL"),
    *("CI_JOB_NAME", "CI_NODE_INDEX", "CI_NODE_TOTAL", "GITHUB_JOB", "GITHUB_WORKFLOW"),
    *("BUILDKITE_COMMAND", "BUILD_DEFINITIONNAME", "GITHUB_ACTION", "SYSTEM_STAGENAME"),
    *("JOB_NAME", "STAGE_NAME", "CONDA_DEFAULT_ENV", "HATCH_ENV_ACTIVE", "NOX_CURRENT_SESSION"),
    *("PIXI_ENVIRONMENT_NAME", "TOX_ENV_NAME"),
    *("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_PLUGINS"),
    *("SEMAPHORE_JOB_INDEX", "SEMAPHORE_JOB_COUNT", "SEMAPHORE_JOB_NAME"),
)
"""Of Azure Pipelines, Bitbucket, Buildkite, CircleCI, GitLab, GitHub, Jenkins, Semaphore, and of
what makes environments; and what pytest itself reads. The file of a workflow of GitHub stands in
`_WORKFLOW`, with the branch."""
_WORKFLOW = "GITHUB_WORKFLOW_REF"
_LARGEST_EVENT = 25_000_000
"""Bytes; GitHub caps webhook payloads at 25 MB."""


def environ() -> Mapping[str, str]:
    """The environment, to be handed to those who may not read it themselves."""
    return os.environ


def variable(name: str) -> str | None:
    """A `CIOPT_*` variable; None when unset or empty, as CI services leave unknown values."""
    return os.environ.get(name, "").strip() or None


def taken(name: str) -> str | None:
    """As `variable`, and processes that are started from now on do not have it."""
    return os.environ.pop(name, "").strip() or None


def given_back(name: str, value: str | None) -> None:
    """Undoes `taken`."""
    if value is not None:
        os.environ.setdefault(name, value)


def digests(globs: Sequence[str]) -> dict[str, str]:
    """Of the variables that any of the globs names, by name, sorted: their values are nobody's
    business. Under "" stands one of the globs themselves."""
    found = {"": _digest("\0".join(sorted(globs)))}
    for name in sorted(os.environ):
        if any(fnmatchcase(name, glob) for glob in globs):
            found[name] = _digest(f"{name}\0{os.environ[name]}")
    return found


def has_job_name() -> bool:
    """Whether the service tells its jobs apart, and this process was told which one it is. Steps of
    Bitbucket have no names, and a container or tox may keep the variable of GitHub back."""
    if "GITHUB_ACTIONS" in os.environ:
        return bool(os.environ.get("GITHUB_JOB"))
    return "BITBUCKET_BUILD_NUMBER" not in os.environ


def search_path(top: Path) -> str:
    """What PYTHONPATH names, as seen from a folder."""
    named = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join(os.path.relpath(entry, top) for entry in named if entry)


def module_folders() -> list[str]:
    """Where this process finds modules: what PYTHONPATH names, what is installed to be edited, and
    the current folder after `python -m`."""
    return [entry or os.getcwd() for entry in sys.path]


def job_names() -> dict[str, str]:
    """By what services, and what makes environments, tell the jobs of a project apart."""
    found = {name: os.environ[name] for name in _JOBS if os.environ.get(name)}
    return found | {_WORKFLOW: os.environ.get(_WORKFLOW, "").partition("@")[0]}


def _digest(text: str) -> str:
    from hashlib import sha256  # slow to import, and few name variables

    return sha256(os.fsencode(text)).hexdigest()[:_DIGITS]


def github_event() -> Mapping[str, object] | None:
    """The payload of the event that started a GitHub workflow; None elsewhere or when damaged."""
    place = os.environ.get("GITHUB_EVENT_PATH")
    if not place:
        return None
    import json  # slow to import

    try:
        path = Path(place)
        if path.stat().st_size > _LARGEST_EVENT:
            return None
        event = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def current_folder() -> Path:
    """Where the command was started."""
    return Path.cwd()
