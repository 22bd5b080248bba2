"""The base of a change, found in real repositories: clones of every depth, merge refs, orphans.

The origin has `main` (m1, m2), `feature` (f1, f2 upon m1; f2 merges m2) and the merge ref of its
pull request, as GitHub makes it: main's tip first, feature's tip second.
"""

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_ciopt.adapters.baseref import UnknownBase, resolve
from pytest_ciopt.adapters.git import Git
from pytest_ciopt.core.base import Base, NoBase, Passed
from pytest_ciopt.errors import CioptError

ZEROS = "0" * 40
MERGE_REF = "refs/pull/1/merge"


@dataclass(frozen=True)
class Place:
    """A repository to build with; `resolve` asks it through the real adapter."""

    root: Path

    def run(self, *args: str) -> str:
        done = subprocess.run(
            ["git", *args], cwd=self.root, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def save(self, name: str) -> str:
        """Commits a new file; the commit's id."""
        (self.root / name).write_text(name)
        self.run("add", name)
        self.run("commit", "-q", "-m", name)
        return self.run("rev-parse", "HEAD")


@dataclass(frozen=True)
class Origin(Place):
    m1: str
    m2: str
    f1: str
    f2: str
    merge: str


Clone = Callable[..., Place]


@pytest.fixture(autouse=True)
def plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration of the machine, and no repository of a hook that runs these tests."""
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for who in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{who}_NAME", "T")
        monkeypatch.setenv(f"GIT_{who}_EMAIL", "t@example.com")


@pytest.fixture
def origin(tmp_path: Path) -> Origin:
    (tmp_path / "seed").mkdir()
    seed = Place(tmp_path / "seed")
    seed.run("init", "-q", "-b", "main")
    m1 = seed.save("m1")
    seed.run("switch", "-q", "-c", "feature")
    f1 = seed.save("f1")
    seed.run("switch", "-q", "main")
    m2 = seed.save("m2")
    seed.run("switch", "-q", "feature")
    seed.run("merge", "-q", "--no-edit", "main")
    f2 = seed.run("rev-parse", "HEAD")
    seed.run("switch", "-q", "--detach", "main")
    seed.run("merge", "-q", "--no-ff", "--no-edit", "feature")
    merge = seed.run("rev-parse", "HEAD")
    seed.run("update-ref", MERGE_REF, merge)
    seed.run("switch", "-q", "main")
    seed.run("clone", "-q", "--mirror", ".", str(tmp_path / "origin.git"))
    return Origin(tmp_path / "origin.git", m1, m2, f1, f2, merge)


@pytest.fixture
def clone(origin: Origin, tmp_path: Path) -> Clone:
    def make(*options: str) -> Place:
        root = tmp_path / "clone"
        origin.run("clone", "-q", *options, f"file://{origin.root}", str(root))
        return Place(root)

    return make


@pytest.fixture
def checkout(origin: Origin, tmp_path: Path) -> Callable[[str, int], Place]:
    """As actions/checkout does it: init, fetch one ref, detach."""

    def make(ref: str, depth: int) -> Place:
        root = tmp_path / "checkout"
        root.mkdir()
        place = Place(root)
        place.run("init", "-q", "-b", "main")
        place.run("remote", "add", "origin", f"file://{origin.root}")
        place.run("fetch", "-q", "--no-tags", f"--depth={depth}", "origin", f"+{ref}:{ref}")
        place.run("checkout", "-q", "--detach", ref)
        return place

    return make


Checkout = Callable[[str, int], Place]


def ask(
    place: Place,
    typed: str | None = None,
    configured: str | None = None,
    environ: Mapping[str, str] | None = None,
    event: Mapping[str, object] | None = None,
    passed: Callable[[], Passed] = Passed,
) -> Base | NoBase:
    return resolve(
        Git(place.root),
        typed=typed,
        configured=configured,
        configured_by="CIOPT_BASE",
        environ=environ or {},
        event=event,
        passed=passed,
    )


def based(found: Base | NoBase) -> Base:
    assert isinstance(found, Base), found
    return found


def baseless(found: Base | NoBase) -> NoBase:
    assert isinstance(found, NoBase), found
    assert found.mend.endswith(".")
    assert not found.why.endswith(".")
    return found


def github(name: str, ref: str = MERGE_REF) -> dict[str, str]:
    variables = {"CI": "true", "GITHUB_ACTIONS": "true"}
    return {**variables, "GITHUB_EVENT_NAME": name, "GITHUB_REF": ref}


def pull(origin: Origin) -> Mapping[str, object]:
    return {"pull_request": {"base": {"sha": origin.m2}, "head": {"sha": origin.f2}}}


# Typed


def test_typed_is_the_merge_base(origin: Origin, clone: Clone) -> None:
    place = clone("-b", "feature")
    place.run("reset", "-q", "--hard", origin.f1)
    found = based(ask(place, typed="origin/main", configured="HEAD"))
    assert found == Base(origin.m1, "origin/main", "merge base with origin/main")


def test_typed_forms_of_git_work(origin: Origin, clone: Clone) -> None:
    place = clone()
    assert based(ask(place, typed="HEAD~1")).commit == origin.m1
    assert based(ask(place, typed=origin.m1[:10])).commit == origin.m1


def test_typed_head_is_an_empty_change_even_in_ci(origin: Origin, clone: Clone) -> None:
    assert based(ask(clone(), typed="HEAD", environ={"CI": "1"})).commit == origin.m2


@pytest.mark.parametrize("typed", ["no-such", "-h", "--output=x", "", " ", "a\nb", "a" * 1001])
def test_an_unknown_typed_base_is_an_error(clone: Clone, typed: str) -> None:
    with pytest.raises(UnknownBase) as caught:
        ask(clone(), typed=typed, configured="main")
    assert isinstance(caught.value, CioptError)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("typed", ["--upload-pack=x", "a\x00b", "a" * 1001])
def test_what_can_be_no_revision_never_reaches_git(
    clone: Clone, typed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = clone()

    def forbidden(git: Git, ref: str) -> str | None:
        raise AssertionError(ref)

    monkeypatch.setattr(Git, "commit", forbidden)
    with pytest.raises(UnknownBase):
        ask(place, typed=typed)


def test_an_unknown_typed_base_of_a_shallow_clone_names_the_way_out(clone: Clone) -> None:
    with pytest.raises(UnknownBase, match=r"'feature'.*\(shallow clone\).*--deepen=200"):
        ask(clone("--depth", "1"), typed="feature")


def test_typed_without_common_ancestor_has_no_base(clone: Clone) -> None:
    place = clone()
    place.run("switch", "-q", "--orphan", "island")
    place.save("alone")
    found = baseless(ask(place, typed="main"))
    assert found.why == "HEAD and 'main' have no common ancestor"
    assert "shares history" in found.mend


def test_typed_without_common_ancestor_in_a_shallow_clone(clone: Clone) -> None:
    place = clone("--depth", "1", "--no-single-branch", "-b", "feature")
    found = baseless(ask(place, typed="origin/main"))
    assert found.why == "HEAD and 'origin/main' have no common ancestor (shallow clone)"
    assert "`git fetch --deepen=200`" in found.mend


# Configured


def test_configured_is_the_merge_base_and_names_its_option(origin: Origin, clone: Clone) -> None:
    place = clone("-b", "feature")
    place.run("reset", "-q", "--hard", origin.f1)
    found = based(ask(place, configured=" origin/main ", environ=github("schedule")))
    assert found == Base(origin.m1, "origin/main", "merge base with origin/main, from CIOPT_BASE")


def test_configured_may_be_head_in_ci(origin: Origin, clone: Clone) -> None:
    assert based(ask(clone(), configured="HEAD", environ={"CI": "1"})).commit == origin.m2


@pytest.mark.parametrize(
    ("configured", "why"),
    [
        ("gone", "cannot compare with 'gone': the commit is not in this clone"),
        ("f" * 40, f"cannot compare with '{'f' * 40}': the commit is not in this clone"),
        (ZEROS, "CIOPT_BASE is all zeros, which stands for no commit"),
        ("--help", "CIOPT_BASE is '--help', which can be no base"),
        ("a\x00b", r"CIOPT_BASE is 'a\x00b', which can be no base"),
    ],
)
def test_an_unknown_configured_base_is_no_error(clone: Clone, configured: str, why: str) -> None:
    found = baseless(ask(clone(), configured=configured))
    assert found.why == why
    assert "CIOPT_BASE" in found.mend


@pytest.mark.parametrize("configured", [None, "", "  "])
def test_an_empty_configured_base_is_none(origin: Origin, clone: Clone, configured: str) -> None:
    """`CIOPT_BASE: ${{ github.event.before }}` is empty for events other than a push."""
    assert based(ask(clone(), configured=configured)).ref == "origin/HEAD"


# CI services


def test_a_merge_ref_at_depth_2_needs_no_more(origin: Origin, checkout: Checkout) -> None:
    place = checkout(MERGE_REF, 2)
    found = based(ask(place, environ=github("pull_request"), event=pull(origin)))
    how = "first parent of the merge commit, from GitHub Actions"
    assert found == Base(origin.m2, "HEAD^1", how)


def test_a_merge_ref_at_depth_1_runs_all(origin: Origin, checkout: Checkout) -> None:
    place = checkout(MERGE_REF, 1)
    assert Git(place.root).parents(origin.merge) == (origin.m2, origin.f2)
    environ = {**github("pull_request"), "GITHUB_BASE_REF": "main"}
    found = baseless(ask(place, environ=environ, event=pull(origin)))
    assert found.why == (
        f"cannot compare with '{origin.m2}': the commit is not in this clone (shallow clone)"
    )
    assert found.mend.startswith("To select tests here, give actions/checkout `fetch-depth: 2`")


def test_a_merge_in_the_branch_is_not_the_merge_ref(origin: Origin, checkout: Checkout) -> None:
    """A workflow checks out the pull request's tip, which merged main: its first parent is f1."""
    place = checkout("refs/heads/feature", 2)
    assert Git(place.root).parents(origin.f2) == (origin.f1, origin.m2)
    found = based(ask(place, environ=github("pull_request"), event=pull(origin)))
    assert found.commit == origin.m2
    assert found.how.startswith("merge base with ")


def test_a_head_no_hint_speaks_of(clone: Clone, origin: Origin) -> None:
    event = {"pull_request": {"head": {"sha": origin.f2}}}
    found = baseless(ask(clone(), environ=github("pull_request"), event=event))
    assert found.why == "GitHub Actions speaks of another HEAD"


def test_a_rebased_head_gets_the_merge_base(clone: Clone, origin: Origin) -> None:
    place = clone("-b", "feature")
    place.run("reset", "-q", "--hard", origin.f1)
    found = based(ask(place, environ=github("pull_request_target"), event=pull(origin)))
    assert found.commit == origin.m1


def test_the_next_hint_is_tried(clone: Clone, origin: Origin) -> None:
    event = {"pull_request": {"base": {"sha": "f" * 40}, "head": {"sha": origin.f2}}}
    environ = {**github("pull_request"), "GITHUB_BASE_REF": "main"}
    found = based(ask(clone("-b", "feature"), environ=environ, event=event))
    assert found == Base(
        origin.m2, "origin/main", "merge base with origin/main, from GitHub Actions"
    )


def test_a_merge_queue_base_is_taken_as_it_is(clone: Clone, origin: Origin) -> None:
    event = {"merge_group": {"base_sha": origin.m2}}
    place = clone("-b", "feature")
    place.run("reset", "-q", "--hard", origin.f1)
    assert based(ask(place, environ=github("merge_group"), event=event)).commit == origin.m2
    event = {"merge_group": {"base_sha": "f" * 40}}
    assert (
        "not in this clone" in baseless(ask(place, environ=github("merge_group"), event=event)).why
    )


def test_bitbucket_merges_the_other_way_round(clone: Clone, origin: Origin) -> None:
    """HEAD is the destination merged into the source, whose commit is abbreviated."""
    environ = {"BITBUCKET_BUILD_NUMBER": "1", "BITBUCKET_PR_ID": "1"}
    environ["BITBUCKET_PR_DESTINATION_COMMIT"] = origin.m2[:12]
    assert based(ask(clone("-b", "feature"), environ=environ)).commit == origin.m2


PUSHED = {"repository": {"default_branch": "main"}}


def test_a_push_to_the_default_branch_runs_all(clone: Clone) -> None:
    found = baseless(ask(clone(), environ=github("push", "refs/heads/main"), event=PUSHED))
    assert found.why.startswith("GitHub Actions: a push to main, and the history knows no commit ")
    assert found.mend.startswith("To select tests here, keep .ciopt from run to run, ")


def test_a_push_upon_commits_that_passed(origin: Origin, clone: Clone) -> None:
    """Neither HEAD itself, nor what is no ancestor, nor what this clone has not."""

    def asked(*commits: str) -> Base | NoBase:
        environ = github("push", "refs/heads/main")
        return ask(place, environ=environ, event=PUSHED, passed=lambda: Passed(commits))

    place = clone()
    found = based(asked(origin.m2, "0" * 40, origin.f2, origin.m1))
    assert (found.commit, found.passed) == (origin.m1, True)
    assert "history knows no commit" in baseless(asked(origin.m2, origin.f2)).why
    gone = baseless(asked("a" * 40, "b" * 40))
    assert gone.why == "cannot compare with 'aaaaaaaaaaaa': the commit is not in this clone"
    assert "fetch-depth: 0" in gone.mend


def test_pushes_whose_runs_cannot_be_compared(clone: Clone) -> None:
    odd = Passed(odd="--database")
    environ = github("push", "refs/heads/main")
    found = baseless(ask(clone(), environ=environ, event=PUSHED, passed=lambda: odd))
    assert found.why.endswith("a push, and runs with such options cannot be compared")
    assert "do without --database" in found.mend


def test_a_push_to_a_branch_at_depth_1_names_the_depth(checkout: Checkout) -> None:
    environ = github("push", "refs/heads/feature")
    event = {"repository": {"default_branch": "main"}}
    found = baseless(ask(checkout("refs/heads/feature", 1), environ=environ, event=event))
    assert found.why.endswith("'origin/main': the commit is not in this clone (shallow clone)")
    assert "fetch-depth: 0" in found.mend


# Outside a recognised service


def test_the_usual_base_of_a_branch(origin: Origin, clone: Clone) -> None:
    place = clone("-b", "feature")
    found = based(ask(place))
    assert found == Base(origin.m2, "origin/HEAD", "merge base with origin/HEAD")


def test_the_usual_base_with_a_detached_head(origin: Origin, clone: Clone) -> None:
    place = clone()
    place.run("switch", "-q", "--detach", origin.f1)
    assert based(ask(place)).commit == origin.m1


@pytest.mark.parametrize("branch", ["main", "master"])
def test_the_usual_base_without_a_remote(tmp_path: Path, branch: str) -> None:
    place = Place(tmp_path)
    place.run("init", "-q", "-b", branch)
    first = place.save("one")
    place.run("switch", "-q", "-c", "feature")
    place.save("two")
    assert based(ask(place)) == Base(first, branch, f"merge base with {branch}")


def test_an_orphan_has_no_base(clone: Clone) -> None:
    place = clone()
    place.run("switch", "-q", "--orphan", "island")
    place.save("alone")
    assert baseless(ask(place)).why == "HEAD and 'origin/HEAD' have no common ancestor"


def test_a_later_usual_base_helps_an_orphan(clone: Clone) -> None:
    place = clone()
    place.run("switch", "-q", "--orphan", "master")
    first = place.save("alone")
    place.save("more")
    assert based(ask(place)) == Base(
        place.run("rev-parse", "HEAD"), "master", "merge base with master"
    )
    place.run("update-ref", "refs/heads/side", "HEAD")
    place.run("switch", "-q", "side")
    place.run("branch", "-qf", "master", first)
    assert based(ask(place)).commit == first


def test_no_usual_base(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.run("init", "-q", "-b", "trunk")
    place.save("one")
    found = baseless(ask(place))
    assert found.why == (
        "nothing to compare with: no origin/HEAD, origin/main, origin/master, main or master"
        " in this clone"
    )
    assert found.mend == "Name another base (--ciopt-changed=BASE, CIOPT_BASE)."


@pytest.mark.parametrize("typed", [None, "main"])
def test_an_unborn_head_has_no_base(tmp_path: Path, typed: str | None) -> None:
    place = Place(tmp_path)
    place.run("init", "-q")
    assert baseless(ask(place, typed=typed, environ={"CI": "1"})).why == "there is no commit yet"


# The base is HEAD


def test_locally_an_empty_change_is_fine(origin: Origin, clone: Clone) -> None:
    assert based(ask(clone("--depth", "1"))).commit == origin.m2


def test_in_ci_an_empty_change_is_none(clone: Clone) -> None:
    place = clone()
    for environ, event in (
        ({"CI": "true"}, None),
        (github("push", "refs/heads/new"), {"repository": {"default_branch": "main"}}),
    ):
        found = baseless(ask(place, environ=environ, event=event))
        assert found.why.startswith("HEAD is the base itself (merge base with origin/")
        assert "CIOPT_BASE" in found.mend


@pytest.mark.parametrize("source", ["typed", "configured"])
def test_in_ci_a_named_base_that_is_head_is_none(clone: Clone, source: str) -> None:
    """As a push to `main` has it, where every job is told to compare with `origin/main`."""
    place = clone()
    place.run("checkout", "-q", "--detach", "origin/main")
    for ref in ("origin/main", "main", place.run("rev-parse", "HEAD")):
        found = baseless(ask(place, **{source: ref}, environ={"CI": "true"}))
        assert found.why.startswith(f"HEAD is the base itself (merge base with {ref}")
        assert based(ask(place, **{source: ref})), "a person sees it, and has uncommitted edits"


def test_in_ci_a_stray_file_makes_head_no_better_base(clone: Clone) -> None:
    place = clone()
    (place.root / "new").write_text("")
    assert "HEAD is the base itself" in baseless(ask(place, environ={"CI": "true"})).why
