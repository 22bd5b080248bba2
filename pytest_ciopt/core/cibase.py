"""What a CI service says the base of a change is, read from its variables and event payload.

Pure: the environment and the payload come in as mappings, and nothing is asked of git, so the
answer is a list of things to try. `adapters.baseref` tries them. Strangers can write parts of
both mappings (a pull request from a fork names its branch): a value that can be no ref and no
commit id is dropped, never raised about, and never guessed around.

**Source:** the variable references of the services (GitHub "Events that trigger workflows",
GitLab "Predefined CI/CD variables", Azure "Use predefined variables", Bitbucket "Variables and
secrets", CircleCI "Project values and variables", Buildkite "Environment variables" and "Using
GitHub merge queues").
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from pytest_ciopt.core.base import branch_name, commit_id, shown
from pytest_ciopt.core.ci import is_true

Environ = Mapping[str, str]
Event = Mapping[str, object] | None


class BaseHint(NamedTuple):
    """One thing to try as the base, in order."""

    ref: str
    """A ref or commit id; empty for `first-parent`."""
    how: str
    """For people: `the first parent of the merge commit`."""
    mode: Literal["merge-base", "exact", "first-parent"]
    joins: str = ""
    """For `first-parent`: the hint holds only when HEAD merges exactly this commit."""


class CiAdvice(NamedTuple):
    """What the recognised service says: hints to try, or a reason to run everything."""

    service: str
    hints: tuple[BaseHint, ...]
    """Tried in order; the first that resolves wins."""
    run_all: str | None
    """Why nothing may be left out here; then there are no hints."""
    mend: str
    """One line of workflow that would make it work, to be read after "To select tests here, "."""
    unless_passed: str = ""
    """Like `mend`, how the clone gets more commits. With it, `run_all` holds only where the history
    knows none upon which all tests of this job have passed."""


class _Service(NamedTuple):
    name: str
    sign: str
    """The variable that tells that we run there."""
    advise: Callable[["_Service", Environ, Event], CiAdvice]
    deepen: str
    """How to get more history."""
    before: str = "<the commit before this push>"
    """What stands in a workflow for the commit before this push."""

    def run_all(self, reason: str, mend: str | None = None) -> CiAdvice:
        by_hand = "set CIOPT_BASE to a commit whose tests are known to have finished"
        return CiAdvice(self.name, (), reason, mend or by_hand)

    def compare(self, *hints: BaseHint | None, mend: str | None = None) -> CiAdvice:
        usable = tuple(hint for hint in hints if hint is not None)
        if not usable:
            return self.run_all("its variables name no usable base")
        return CiAdvice(self.name, usable, None, mend or self.deepen)

    def pushed(self, branch: str, default: str | None) -> CiAdvice:
        """Advice for a push; `default` is None where the service does not tell that branch."""
        if not branch or default == "":
            return self.run_all("its variables name no usable branch")
        if branch in (("main", "master") if default is None else (default,)):
            # The tests of the previous commit may be cancelled, red or never started: they are
            # still owed, and only a history of runs could tell.
            return CiAdvice(
                self.name,
                hints=(),
                run_all=f"a push to {branch}, and the history knows no commit upon which all tests"
                " of this job have passed",
                mend=f"keep .ciopt from run to run, or set `CIOPT_BASE: {self.before}` if every"
                " push is tested to the end",
                unless_passed=self.deepen,
            )
        # Safe without a history: the whole branch is compared, not its last push.
        names = ("HEAD", "main", "master") if default is None else (default,)
        return self.compare(*(_merge_base(_remote(name)) for name in names))


def advice(environ: Environ, event: Event) -> CiAdvice | None:
    """What the CI service says about the base; None when no service is recognised.

    `event` is the loaded payload of GITHUB_EVENT_PATH where there is one. Never raises.
    """
    for service in _SERVICES:
        if is_true(environ.get(service.sign, "")):
            return service.advise(service, environ, event)
    return None


def _github(service: _Service, environ: Environ, event: Event) -> CiAdvice:
    name, ref = environ.get("GITHUB_EVENT_NAME", ""), environ.get("GITHUB_REF", "")
    if name in _PULL_REQUEST_EVENTS:
        return service.compare(
            _first_parent(commit_id(_dig(event, "pull_request", "head", "sha"))),
            _merge_base(commit_id(_dig(event, "pull_request", "base", "sha"))),
            _merge_base(_remote(environ.get("GITHUB_BASE_REF"))),
            mend="give actions/checkout `fetch-depth: 2`, or 0 if it checks out another ref",
        )
    if name == "merge_group":
        return service.compare(_exact(commit_id(_dig(event, "merge_group", "base_sha"))))
    if name == "push" and ref.startswith("refs/heads/"):
        default = branch_name(_dig(event, "repository", "default_branch"))
        return service.pushed(branch_name(ref), default)
    return service.run_all(f"the event {shown(name)} on {shown(ref)} has no base")


def _gitlab(service: _Service, environ: Environ, event: Event) -> CiAdvice:
    source = environ.get("CI_PIPELINE_SOURCE", "")
    if source == "merge_request_event" or environ.get("CI_MERGE_REQUEST_IID"):
        return _gitlab_merge_request(service, environ)
    if environ.get("CI_COMMIT_TAG"):
        return service.run_all(f"a pipeline for the tag {shown(environ['CI_COMMIT_TAG'])}")
    if source not in _GITLAB_PUSHES:
        return service.run_all(f"a pipeline started by {shown(source)} has no base")
    default = branch_name(environ.get("CI_DEFAULT_BRANCH"))
    return service.pushed(branch_name(environ.get("CI_COMMIT_BRANCH")), default)


def _gitlab_merge_request(service: _Service, environ: Environ) -> CiAdvice:
    # A train's first parent is the merge request before it in the train, whose failure restarts
    # this pipeline. Squash and fast-forward trains make no such merge: `joins` rules them out.
    merged = environ.get("CI_MERGE_REQUEST_EVENT_TYPE") in ("merged_result", "merge_train")
    tip = commit_id(environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"))
    return service.compare(
        _first_parent(tip) if merged else None,
        _merge_base(commit_id(environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_SHA"))),
        _merge_base(commit_id(environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA"))),
        _merge_base(_remote(environ.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME"))),
    )


def _azure(service: _Service, environ: Environ, event: Event) -> CiAdvice:
    reason, ref = environ.get("BUILD_REASON", ""), environ.get("BUILD_SOURCEBRANCH", "")
    if reason == "PullRequest":
        return service.compare(
            _first_parent(commit_id(environ.get("SYSTEM_PULLREQUEST_SOURCECOMMITID"))),
            _merge_base(_remote(environ.get("SYSTEM_PULLREQUEST_TARGETBRANCH"))),
            mend="give the `checkout: self` step `fetchDepth: 2`",
        )
    if reason in ("IndividualCI", "BatchedCI") and ref.startswith("refs/heads/"):
        return service.pushed(branch_name(ref), None)
    return service.run_all(f"a run with reason {shown(reason)} on {shown(ref)} has no base")


def _bitbucket(service: _Service, environ: Environ, event: Event) -> CiAdvice:
    if environ.get("BITBUCKET_PR_ID"):
        # Bitbucket merges the destination into the source: the first parent is the wrong side.
        return service.compare(
            _merge_base(commit_id(environ.get("BITBUCKET_PR_DESTINATION_COMMIT"))),
            _merge_base(_remote(environ.get("BITBUCKET_PR_DESTINATION_BRANCH"))),
        )
    return _pushed_or_tagged(service, environ, "BITBUCKET_BRANCH", "BITBUCKET_TAG")


def _circleci(service: _Service, environ: Environ, event: Event) -> CiAdvice:
    return _pushed_or_tagged(service, environ, "CIRCLE_BRANCH", "CIRCLE_TAG")


def _pushed_or_tagged(service: _Service, environ: Environ, branch: str, tag: str) -> CiAdvice:
    if environ.get(tag):
        return service.run_all(f"a build of the tag {shown(environ[tag])}")
    return service.pushed(branch_name(environ.get(branch)), None)


def _buildkite(service: _Service, environ: Environ, event: Event) -> CiAdvice:
    if environ.get("BUILDKITE_MERGE_QUEUE_BASE_COMMIT"):
        return service.compare(_exact(commit_id(environ["BUILDKITE_MERGE_QUEUE_BASE_COMMIT"])))
    if is_true(environ.get("BUILDKITE_PULL_REQUEST", "")):  # a number, or "false"
        return service.compare(
            _merge_base(_remote(environ.get("BUILDKITE_PULL_REQUEST_BASE_BRANCH")))
        )
    if environ.get("BUILDKITE_TAG"):
        return service.run_all(f"a build of the tag {shown(environ['BUILDKITE_TAG'])}")
    source = environ.get("BUILDKITE_SOURCE", "")
    if source not in ("", "webhook"):
        return service.run_all(f"a build started by {shown(source)} has no base")
    default = branch_name(environ.get("BUILDKITE_PIPELINE_DEFAULT_BRANCH"))
    return service.pushed(branch_name(environ.get("BUILDKITE_BRANCH")), default)


_SERVICES = (
    _Service(
        "GitHub Actions",
        "GITHUB_ACTIONS",
        _github,
        "give actions/checkout `fetch-depth: 0`",
        "${{ github.event.before }}",
    ),
    _Service(
        "GitLab CI",
        "GITLAB_CI",
        _gitlab,
        "give the job the variable `GIT_DEPTH: 0`",
        "$CI_COMMIT_BEFORE_SHA",
    ),
    _Service(
        "Azure Pipelines",
        "TF_BUILD",
        _azure,
        "give the `checkout: self` step `fetchDepth: 0`",
    ),
    _Service(
        "Bitbucket Pipelines",
        "BITBUCKET_BUILD_NUMBER",
        _bitbucket,
        "set `clone: { depth: full }` in bitbucket-pipelines.yml",
    ),
    _Service(
        "CircleCI",
        "CIRCLECI",
        _circleci,
        "run `git fetch origin` before pytest",
        "<< pipeline.git.base_revision >>",
    ),
    _Service(
        "Buildkite",
        "BUILDKITE",
        _buildkite,
        "clone without `--depth` (BUILDKITE_GIT_CLONE_FLAGS)",
    ),
)
_PULL_REQUEST_EVENTS = frozenset(
    f"pull_request{kind}" for kind in ("", "_target", "_review", "_review_comment")
)
# `parent_pipeline` is a child of a pipeline for the same commit; `pipeline` comes from another
# project, whose change no diff of ours shows.
_GITLAB_PUSHES = frozenset({"", "push", "webide", "parent_pipeline"})


def _merge_base(ref: str) -> BaseHint | None:
    # A whole commit id is noise to people; a branch has a slash and stays whole.
    short = ref if "/" in ref else ref[:12]
    return BaseHint(ref, f"merge base with {short}", "merge-base") if ref else None


def _exact(ref: str) -> BaseHint | None:
    return BaseHint(ref, "base of the merge queue", "exact") if ref else None


def _first_parent(joined: str) -> BaseHint | None:
    """Only with the commit that was merged: else any merge in a branch would look like one."""
    how = "first parent of the merge commit"
    return BaseHint("", how, "first-parent", joined) if joined else None


def _remote(value: object) -> str:
    branch = branch_name(value)
    return f"origin/{branch}" if branch else ""


def _dig(event: Event, *keys: str) -> object:
    value: object = event
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
