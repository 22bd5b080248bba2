import pytest

from pytest_ciopt.core.change import FileChange, Status
from pytest_ciopt.core.edits.parts import FixtureReach, Reach
from pytest_ciopt.core.graph.reached import Link
from pytest_ciopt.core.selection import ChangedFile, Collected, Decision, Selection, Verdict

LIB = ChangedFile(FileChange("lib/a.py", Status.MODIFIED), "changed", counts=True)
PROSE = ChangedFile(FileChange("lib/b.py", Status.MODIFIED), "only comments", counts=False)

SELECTION = Selection(
    changed=(LIB, PROSE),
    files={
        "lib/a.py": Link(None, "changed"),
        "lib/b/__init__.py": Link("lib/a.py", "imports lib.a"),
        "lib/c.py": Link("lib/b/__init__.py", "imports lib.b"),
        "t/direct.py": Link("lib/a.py", "imports lib.a"),
        "t/one.py": Link("lib/b/__init__.py", "imports lib.b"),
        "t/two.py": Link("lib/c.py", "imports lib.c"),
        "s/conftest.py": Link("lib/a.py", "imports lib.a"),
        "t/user.py": Link("f/conftest.py", "imports f.conftest"),
    },
    scopes={"s": Link("s/conftest.py", "conftest above it")},
    doctests={"d/doc.py": Link("lib/c.py", "its doctests import lib.c")},
    parts={
        "p/test.py": Reach(None, frozenset({"test_x", "TestA"}), frozenset({"test_x", "test_y"})),
        "p/whole.py": Reach("f is reached"),
    },
    fixtures={"f": FixtureReach(None, frozenset({"db", "app"}))},
    asking=frozenset({"f/asks.py", "other/conftest.py"}),
    always=frozenset({"a/always.py"}),
    always_scopes=frozenset({"w"}),
    modules=frozenset(
        (
            *("lib/a.py", "lib/b.py", "t/direct.py", "t/one.py", "t/two.py", "t/none.py"),
            *("s/conftest.py", "s/x/test.py", "d/doc.py", "p/test.py", "p/whole.py"),
            *("f/test.py", "f/x/test.py", "f/asks.py", "a/always.py", "w/x/test.py", "t/user.py"),
        )
    ),
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("t/direct.py", Verdict.ALL),
        ("s/x/test.py", Verdict.ALL),
        ("s/conftest.py", Verdict.ALL),
        ("p/test.py", Verdict.SOME),
        ("p/whole.py", Verdict.SOME),
        ("d/doc.py", Verdict.SOME),
        ("f/test.py", Verdict.SOME),
        ("f/x/test.py", Verdict.SOME),
        ("a/always.py", Verdict.SOME),
        ("w/x/test.py", Verdict.SOME),
        ("t/none.py", Verdict.NONE),
        ("lib/b.py", Verdict.NONE),
        ("new/test.py", Verdict.UNKNOWN),
        ("s/new/test.txt", Verdict.UNKNOWN),
    ],
)
def test_verdicts(path: str, expected: Verdict) -> None:
    assert SELECTION.verdict(path) is expected
    assert Selection(everything="why").verdict(path) is Verdict.ALL


def test_a_scope_at_the_top_holds_everything() -> None:
    whole = Selection(scopes={"": Link("conftest.py", "x")}, modules=frozenset({"a/b/t.py"}))
    assert whole.verdict("a/b/t.py") is Verdict.ALL
    fixtures = Selection(fixtures={"": FixtureReach(None)}, modules=frozenset({"a/b/t.py"}))
    assert fixtures.verdict("a/b/t.py") is Verdict.SOME


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        # Reached as a whole.
        (Collected("t/direct.py", ("test_a",)), "imports lib.a"),
        (Collected("t/one.py", ("test_a",)), "imports lib.a via lib.b"),
        (Collected("t/two.py", ("test_a",)), "imports lib.a via lib.c"),
        (Collected("t/user.py", ("test_a",)), "imports f.conftest"),
        (Collected("lib/a.py", (), function=False), "changed"),
        (Collected("s/x/test.py", ("test_a",)), "s/conftest.py imports lib.a"),
        (Collected("t/none.py", ("test_a",)), None),
        (Collected("t/none.py", ("test_a",), always="always: marked"), "always: marked"),
        # A part of a changed test module.
        (Collected("p/test.py", ("test_x",)), "changed"),
        (Collected("p/test.py", ("TestA.test_z",)), "changed"),
        (Collected("p/test.py", ("test_y",)), None),
        (Collected("p/test.py", ("TestA.test_z",), inherited=True), "changed"),
        (Collected("p/test.py", ("made",), inherited=True), None),
        (Collected("p/test.py", ("made",)), "changed"),
        (Collected("p/test.py", (), function=False), "changed"),
        (Collected("p/whole.py", ("test_y",)), "changed: f is reached"),
        # Doctests.
        (Collected("d/doc.py", (), function=False), "imports lib.a via lib.c"),
        (Collected("d/doc.py", ("test_a",)), None),
        # Fixtures.
        (
            Collected("f/test.py", ("t",), fixtures=frozenset({("f", "db")})),
            "uses the fixture db of f/conftest.py",
        ),
        (
            Collected(
                "f/x/test.py", ("t",), fixtures=frozenset({("f", "db"), ("f", "app"), ("", "x")})
            ),
            "uses the fixture app of f/conftest.py",
        ),
        (Collected("f/test.py", ("t",), fixtures=frozenset({("f", "other")})), None),
        (Collected("f/test.py", ("t",), fixtures=frozenset({("f/x", "db")})), None),  # overridden
        (Collected("f/x/test.py", ("t",), fixtures=frozenset({("", "db")})), None),
        (Collected("t/none.py", ("t",), fixtures=frozenset({("f", "db")})), None),
        (Collected("f/test.py", (), function=False), "may use a fixture of f/conftest.py"),
        (
            Collected("f/asks.py", ("t",), asks_for_fixtures=True),
            "may ask for a fixture of f/conftest.py",
        ),
        (Collected("f/asks.py", ("t",)), None),
        # Nothing is known of these.
        (Collected(None, ("t",)), "outside the repository: git cannot tell whether it changed"),
        (
            Collected("new/test.py", ("t",)),
            "git does not know the file, and cannot tell whether it changed",
        ),
        (
            Collected("new/test.txt", (), function=False),
            "no Python module: what it needs is not known",
        ),
    ],
)
def test_decisions_and_their_reasons(test: Collected, reason: str | None) -> None:
    assert SELECTION.decide(test) == Decision(reason is not None, reason or "not reached")
    assert Selection(everything="why").decide(test) == Decision(True, "why")


@pytest.mark.parametrize(
    ("asking", "expected"),
    [
        ({"f/x/test.py"}, True),  # the test's own file
        ({"f/conftest.py"}, True),  # a conftest above it
        ({"conftest.py"}, True),
        ({"f/x/conftest.py"}, True),
        ({"g/conftest.py"}, False),  # one beside it
        ({"g/conftest.py", "lib/helper.py"}, True),  # whatever it may import
        (set(), False),
    ],
)
def test_who_may_ask_for_fixtures_by_computed_names(asking: set[str], expected: bool) -> None:
    selection = Selection(
        fixtures={"f": FixtureReach(None, frozenset({"db"}))},
        asking=frozenset(asking),
        modules=frozenset({"f/x/test.py"}),
    )
    test = Collected("f/x/test.py", ("t",), asks_for_fixtures=True)
    assert selection.decide(test).selected is expected
    assert not selection.decide(Collected("f/x/test.py", ("t",))).selected


def test_an_unchanged_repository_selects_nothing_it_knows() -> None:
    still = Selection(changed=(PROSE,), modules=frozenset({"a.py", "b.txt"}))
    assert not still.substantial
    assert still.decide(Collected("a.py", ("t",))) == Decision(False, "not reached")
    assert still.decide(Collected("c.txt", (), function=False)) == Decision(False, "not reached")
    assert still.decide(Collected(None, ("t",))).selected
    assert still.decide(Collected("c.py", ("t",))).selected


def test_what_counts_as_a_change() -> None:
    assert SELECTION.substantial
    assert Selection(everything="why").substantial
    assert not Selection().substantial
    assert SELECTION.touches("lib/b.py")
    assert not SELECTION.touches("lib/c.py")


def test_an_unknown_file_that_changed() -> None:
    change = ChangedFile(FileChange("x/readme.txt", Status.MODIFIED), "text test", counts=True)
    test = Collected("x/readme.txt", (), function=False)
    assert Selection(changed=(change,)).decide(test) == Decision(True, "changed")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("lib/a.py", (("lib/a.py", "changed"),)),
        ("t/direct.py", (("lib/a.py", "changed"), ("t/direct.py", "imports lib.a"))),
        (
            "t/two.py",
            (
                ("lib/a.py", "changed"),
                ("lib/b/__init__.py", "imports lib.a"),
                ("lib/c.py", "imports lib.b"),
                ("t/two.py", "imports lib.c"),
            ),
        ),
        (
            "s/x/test.py",
            (
                ("lib/a.py", "changed"),
                ("s/conftest.py", "imports lib.a"),
                ("s/x/test.py", "conftest above it"),
            ),
        ),
        (
            "d/doc.py",
            (
                ("lib/a.py", "changed"),
                ("lib/b/__init__.py", "imports lib.a"),
                ("lib/c.py", "imports lib.b"),
                ("d/doc.py", "its doctests import lib.c"),
            ),
        ),
        # Only a part of the conftest is reached, so it is no step of its own.
        ("t/user.py", (("f/conftest.py", "changed"), ("t/user.py", "imports f.conftest"))),
        ("t/none.py", ()),
        ("nowhere.py", ()),
    ],
)
def test_chains_lead_from_the_change_to_the_file(
    path: str, expected: tuple[tuple[str, str], ...]
) -> None:
    assert SELECTION.chain(path) == expected


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (Link(None, "new"), "new"),
        (Link("lib/a.py", "imports lib.a"), "imports lib.a"),
        (Link("lib/c.py", "imports lib.c"), "imports lib.a via lib.c"),
        (Link("lib/b/__init__.py", "is in the package lib.b"), "imports lib.a via lib.b"),
        (Link("s/conftest.py", "conftest above it"), "s/conftest.py imports lib.a"),
        (Link("lib/a.py", "conftest above it"), "lib/a.py changed"),
        (Link("gone.py", "imports gone"), "imports gone"),
    ],
)
def test_links_are_described(link: Link, expected: str) -> None:
    assert SELECTION.describe(link) == expected


@pytest.mark.parametrize(
    ("globs", "expected"),
    [
        (["lib/a.py"], "depends on lib/a.py, says pytest_ciopt_dependencies"),
        (["no.py", "lib/*.py"], "depends on lib/a.py, says pytest_ciopt_dependencies"),
        (["t/two.py"], "depends on t/two.py, says pytest_ciopt_dependencies"),
        (["p/test.py"], None),
        ([], None),
    ],
)
def test_declared_dependencies(globs: list[str], expected: str | None) -> None:
    assert SELECTION.depends(globs) == expected
