"""What each CI service says about the base, from variables and payloads as it sets them."""

from collections.abc import Mapping

import pytest

from pytest_ciopt.core.ci import in_ci
from pytest_ciopt.core.cibase import BaseHint, CiAdvice, advice

A, B, C = "a" * 40, "b" * 40, "c" * 40
ZEROS = "0" * 40

Variables = dict[str, str]
Payload = Mapping[str, object] | None


def branch(name: str) -> BaseHint:
    return BaseHint(f"origin/{name}", f"merge base with origin/{name}", "merge-base")


def commit(sha: str) -> BaseHint:
    return BaseHint(sha, f"merge base with {sha[:12]}", "merge-base")


def exact(sha: str) -> BaseHint:
    return BaseHint(sha, "base of the merge queue", "exact")


def merge_of(sha: str) -> BaseHint:
    return BaseHint("", "first parent of the merge commit", "first-parent", sha)


GUESSED = (branch("HEAD"), branch("main"), branch("master"))


def github(event: str, ref: str = "refs/heads/feature", **more: str) -> Variables:
    return {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_REF": ref,
        **more,
    }


def pull(base: object = A, head: object = B) -> Payload:
    return {"pull_request": {"base": {"sha": base}, "head": {"sha": head}}}


def pushed_to(default: object) -> Payload:
    return {"repository": {"default_branch": default}, "before": C}


def gitlab(source: str, **more: str) -> Variables:
    return {"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": source, "CI_DEFAULT_BRANCH": "main", **more}


def gitlab_merge(kind: str, **more: str) -> Variables:
    return gitlab(
        "merge_request_event",
        CI_MERGE_REQUEST_IID="7",
        CI_MERGE_REQUEST_EVENT_TYPE=kind,
        CI_MERGE_REQUEST_DIFF_BASE_SHA=A,
        CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main",
        **more,
    )


MERGED = {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": B, "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": C}


def azure(reason: str, ref: str, **more: str) -> Variables:
    return {"TF_BUILD": "True", "BUILD_REASON": reason, "BUILD_SOURCEBRANCH": ref, **more}


def azure_pull(target: str, source: str = B) -> Variables:
    return azure(
        "PullRequest",
        "refs/pull/12/merge",
        SYSTEM_PULLREQUEST_TARGETBRANCH=target,
        SYSTEM_PULLREQUEST_SOURCECOMMITID=source,
    )


def bitbucket(**more: str) -> Variables:
    return {"BITBUCKET_BUILD_NUMBER": "17", **more}


def circleci(**more: str) -> Variables:
    return {"CIRCLECI": "true", **more}


def buildkite(**more: str) -> Variables:
    return {
        "BUILDKITE": "true",
        "BUILDKITE_PULL_REQUEST": "false",
        "BUILDKITE_PULL_REQUEST_BASE_BRANCH": "",
        "BUILDKITE_PIPELINE_DEFAULT_BRANCH": "main",
        "BUILDKITE_SOURCE": "webhook",
        "BUILDKITE_TAG": "",
        **more,
    }


COMPARED: list[tuple[str, Variables, Payload, tuple[BaseHint, ...]]] = [
    (
        "github pull request",
        github("pull_request", "refs/pull/1/merge", GITHUB_BASE_REF="main"),
        pull(),
        (merge_of(B), commit(A), branch("main")),
    ),
    ("github target", github("pull_request_target"), pull(), (merge_of(B), commit(A))),
    ("github review", github("pull_request_review"), pull(), (merge_of(B), commit(A))),
    (
        "github pull request without payload",
        github("pull_request", GITHUB_BASE_REF="release/1.x"),
        None,
        (branch("release/1.x"),),
    ),
    (
        "github queue",
        github("merge_group", "refs/heads/gh-readonly-queue/main/pr-1-abc"),
        {"merge_group": {"base_sha": A, "head_sha": B}},
        (exact(A),),
    ),
    ("github branch", github("push"), pushed_to("trunk"), (branch("trunk"),)),
    ("gitlab detached", gitlab_merge("detached"), None, (commit(A), branch("main"))),
    (
        "gitlab detached never trusts the first parent",
        gitlab_merge("detached", CI_MERGE_REQUEST_SOURCE_BRANCH_SHA=B),
        None,
        (commit(A), branch("main")),
    ),
    (
        "gitlab merged result",
        gitlab_merge("merged_result", **MERGED),
        None,
        (merge_of(B), commit(C), commit(A), branch("main")),
    ),
    (
        "gitlab train",
        gitlab_merge("merge_train", **MERGED),
        None,
        (merge_of(B), commit(C), commit(A), branch("main")),
    ),
    (
        "gitlab child of a merge request pipeline",
        gitlab_merge("detached") | {"CI_PIPELINE_SOURCE": "parent_pipeline"},
        None,
        (commit(A), branch("main")),
    ),
    ("gitlab branch", gitlab("push", CI_COMMIT_BRANCH="fix/7"), None, (branch("main"),)),
    ("gitlab child", gitlab("parent_pipeline", CI_COMMIT_BRANCH="fix"), None, (branch("main"),)),
    ("azure pull", azure_pull("refs/heads/main"), None, (merge_of(B), branch("main"))),
    ("azure short target", azure_pull("release/2", ""), None, (branch("release/2"),)),
    ("azure branch", azure("IndividualCI", "refs/heads/fix"), None, GUESSED),
    ("azure batch", azure("BatchedCI", "refs/heads/fix"), None, GUESSED),
    (
        "bitbucket pull",
        bitbucket(
            BITBUCKET_PR_ID="3",
            BITBUCKET_BRANCH="fix",
            BITBUCKET_PR_DESTINATION_COMMIT="abcdef012345",
            BITBUCKET_PR_DESTINATION_BRANCH="main",
        ),
        None,
        (commit("abcdef012345"), branch("main")),
    ),
    ("bitbucket branch", bitbucket(BITBUCKET_BRANCH="fix"), None, GUESSED),
    ("circleci branch", circleci(CIRCLE_BRANCH="fix"), None, GUESSED),
    ("circleci fork", circleci(CIRCLE_BRANCH="pull/12"), None, GUESSED),
    (
        "buildkite pull",
        buildkite(
            BUILDKITE_PULL_REQUEST="12",
            BUILDKITE_PULL_REQUEST_BASE_BRANCH="dev",
            BUILDKITE_BRANCH="fix",
            BUILDKITE_SOURCE="ui",
        ),
        None,
        (branch("dev"),),
    ),
    ("buildkite queue", buildkite(BUILDKITE_MERGE_QUEUE_BASE_COMMIT=A), None, (exact(A),)),
    ("buildkite branch", buildkite(BUILDKITE_BRANCH="fix"), None, (branch("main"),)),
]

OWED = "the history knows no commit upon which all tests of this job have passed"

RUN_ALL: list[tuple[str, Variables, Payload, str]] = [
    ("github default", github("push", "refs/heads/main"), pushed_to("main"), OWED),
    ("github tag", github("push", "refs/tags/v1"), pushed_to("main"), "'refs/tags/v1' has no base"),
    ("github schedule", github("schedule", "refs/heads/main"), {}, "'schedule'"),
    ("github by hand", github("workflow_dispatch"), {}, "'workflow_dispatch'"),
    ("github release", github("release", "refs/tags/v1"), {}, "'release'"),
    ("github comment", github("issue_comment"), {"issue": {"pull_request": {}}}, "'issue_comment'"),
    ("github nothing", {"GITHUB_ACTIONS": "true"}, None, "the event ''"),
    ("github push without payload", github("push"), None, "no usable branch"),
    ("gitlab default", gitlab("push", CI_COMMIT_BRANCH="main"), None, OWED),
    ("gitlab tag", gitlab("push", CI_COMMIT_TAG="v1"), None, "the tag 'v1'"),
    ("gitlab schedule", gitlab("schedule", CI_COMMIT_BRANCH="fix"), None, "'schedule'"),
    ("gitlab other project", gitlab("pipeline", CI_COMMIT_BRANCH="fix"), None, "'pipeline'"),
    ("gitlab nothing", {"GITLAB_CI": "true"}, None, "no usable branch"),
    ("azure default", azure("IndividualCI", "refs/heads/main"), None, OWED),
    ("azure tag", azure("IndividualCI", "refs/tags/v1"), None, "'refs/tags/v1'"),
    ("azure schedule", azure("Schedule", "refs/heads/main"), None, "'Schedule'"),
    ("azure by hand", azure("Manual", "refs/heads/fix"), None, "'Manual'"),
    ("bitbucket default", bitbucket(BITBUCKET_BRANCH="master"), None, OWED),
    ("bitbucket tag", bitbucket(BITBUCKET_TAG="v1"), None, "the tag 'v1'"),
    ("bitbucket nothing", bitbucket(), None, "no usable branch"),
    ("circleci default", circleci(CIRCLE_BRANCH="main"), None, OWED),
    ("circleci tag", circleci(CIRCLE_TAG="v1"), None, "the tag 'v1'"),
    ("buildkite default", buildkite(BUILDKITE_BRANCH="main"), None, OWED),
    ("buildkite tag", buildkite(BUILDKITE_TAG="v1", BUILDKITE_BRANCH="v1"), None, "the tag 'v1'"),
    (
        "buildkite schedule",
        buildkite(BUILDKITE_SOURCE="schedule", BUILDKITE_BRANCH="fix"),
        None,
        "'schedule'",
    ),
]


def said(environ: Mapping[str, str], event: Payload) -> CiAdvice:
    found = advice(environ, event)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("environ", "event", "hints"),
    [pytest.param(*case, id=name) for name, *case in COMPARED],
)
def test_hints(environ: Variables, event: Payload, hints: tuple[BaseHint, ...]) -> None:
    found = said(environ, event)
    assert found.hints == hints
    assert found.run_all is None
    assert found.mend


@pytest.mark.parametrize(
    ("environ", "event", "reason"),
    [pytest.param(*case, id=name) for name, *case in RUN_ALL],
)
def test_run_all(environ: Variables, event: Payload, reason: str) -> None:
    found = said(environ, event)
    assert found.hints == ()
    assert found.run_all is not None
    assert reason in found.run_all
    assert "CIOPT_BASE" in found.mend


HOSTILE: list[object] = [
    None,
    7,
    True,
    [A],
    {"name": A},
    b"main",
    "",
    " ",
    "-upload-pack=touch pwned",
    "--output=x",
    "a\nb",
    "a\x00b",
    "a\x1b[31mb",
    "a\udcffb",
    "a..b",
    "a b",
    "HEAD^{/x}",
    "a@{1}",
    ":/x",
    "a:b",
    "a" * 251,
    "g" * 40,
    "../../x",
    "x.lock",
    "/x",
    "x//y",
    ZEROS,
    "0" * 64,
    "a" * 65,
    "refs/heads/",
]


@pytest.mark.parametrize("value", HOSTILE, ids=ascii)
def test_a_hostile_payload_leaves_no_hint_and_never_raises(value: object) -> None:
    payloads: list[Payload] = [
        pull(value, value),
        {"pull_request": value},
        {"pull_request": {"base": value, "head": value}},
        {"merge_group": {"base_sha": value}},
        {"merge_group": value},
    ]
    for name in ("pull_request", "merge_group"):
        for payload in payloads:
            found = said(github(name), payload)
            assert found.hints == ()
            assert found.run_all == "its variables name no usable base"


NO_BRANCHES = [value for value in HOSTILE if value not in ("g" * 40, "a" * 65, ZEROS, "0" * 64)]


@pytest.mark.parametrize("value", NO_BRANCHES, ids=ascii)
def test_a_hostile_branch_leaves_no_hint(value: object) -> None:
    """Strings of hexadecimal digits are dropped as commits, but can be branches."""
    assert said(github("push"), pushed_to(value)).hints == ()
    assert said(github("push"), {"repository": value}).hints == ()
    if not isinstance(value, str):
        return
    assert said(github("push", f"refs/heads/{value}"), pushed_to("main")).hints == ()
    assert said(gitlab("push", CI_COMMIT_BRANCH=value), None).hints == ()
    assert said(azure_pull(value, value), None).hints == ()
    assert said(circleci(CIRCLE_BRANCH=value), None).hints == ()
    pulled = bitbucket(BITBUCKET_PR_ID="1", BITBUCKET_PR_DESTINATION_BRANCH=value)
    assert said(pulled, None).hints == ()
    pulled = buildkite(BUILDKITE_PULL_REQUEST="1", BUILDKITE_PULL_REQUEST_BASE_BRANCH=value)
    assert said(pulled, None).hints == ()


def test_a_usable_hint_survives_hostile_neighbours() -> None:
    environ = gitlab_merge("merged_result", CI_MERGE_REQUEST_TARGET_BRANCH_SHA="--help")
    environ["CI_MERGE_REQUEST_TARGET_BRANCH_NAME"] = "a\nb"
    assert said(environ, None).hints == (commit(A),)


def test_a_message_never_carries_raw_text_of_strangers() -> None:
    found = said(gitlab("push", CI_COMMIT_TAG="v1\x1b[2J\n" + "x" * 500), None)
    assert found.run_all is not None
    assert found.run_all.isprintable()
    assert len(found.run_all) < 120


def test_the_mend_fits_the_service_and_the_event() -> None:
    assert "fetch-depth: 2" in said(github("pull_request"), pull()).mend
    assert "fetch-depth: 0" in said(github("push"), pushed_to("main")).mend
    default = said(github("push", "refs/heads/main"), pushed_to("main"))
    assert "`CIOPT_BASE: ${{ github.event.before }}`" in default.mend
    assert "GIT_DEPTH" in said(gitlab_merge("detached"), None).mend
    assert "<< pipeline.git.base_revision >>" in said(circleci(CIRCLE_BRANCH="main"), None).mend


@pytest.mark.parametrize("environ", [{}, {"CI": "true"}, {"GITHUB_ACTIONS": "false"}])
def test_no_service_is_recognised(environ: Variables) -> None:
    assert advice(environ, pull()) is None


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, False),
        ({"CI": "true"}, True),
        ({"CI": "1"}, True),
        ({"CI": "false"}, False),
        ({"CI": "False "}, False),
        ({"CI": "0"}, False),
        ({"CI": ""}, False),
        ({"CI": "false", "TF_BUILD": "True"}, True),
        ({"BUILD_NUMBER": "12"}, True),
        ({"BITBUCKET_BUILD_NUMBER": "3"}, True),
        ({"PATH": "/bin"}, False),
    ],
)
def test_in_ci(environ: Variables, expected: bool) -> None:
    assert in_ci(environ) is expected
