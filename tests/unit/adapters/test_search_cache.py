"""Whether what was found once is found again for the same question, and for no other."""

import random
from pathlib import Path

import pytest

from pytest_ciopt.adapters import search_cache
from pytest_ciopt.adapters.search_cache import RememberedSearch, name
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.graph import dependents
from pytest_ciopt.core.graph.commands import Command
from pytest_ciopt.core.graph.data_names import DataNames
from pytest_ciopt.core.graph.dependents import search
from pytest_ciopt.core.graph.index import ImportIndex, Layer, layer
from pytest_ciopt.core.graph.reached import Layout, Link, Reached
from pytest_ciopt.settings import Discovery, Settings
from pytest_ciopt.usecases.decide import decide
from repository import Repository, repository

SCANS = {
    "pkg/__init__.py": [],
    "pkg/mod.py": ["os"],
    "pkg/other.py": ["pkg.mod", ">pkg.mod"],
    "pkg/more.py": [">pkg.mod"],
    "tests/conftest.py": ["pkg.other"],
    "tests/test_a.py": ["pkg.mod"],
    "tests/test_é.py": ["pkg.other"],
    "tests/test_\udce9.py": ["pkg"],
    "tests/test_b.py": ["other"],
}
LAYOUT = Layout(frozenset({"pkg"}), "top", tests=Discovery(doctest_modules=True))
SEEDS = {"pkg/mod.py": "changed"}
INDEX = ImportIndex(sorted(SCANS), layer(SCANS), frozenset(), layer({}))


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateDir:
    monkeypatch.setattr(search_cache, "_WORTH_KEEPING", 0)
    return StateDir(tmp_path / ".ciopt")


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One entry for each search that was really made."""
    made: list[None] = []

    def counted(*arguments: object, **options: object) -> Reached:
        made.append(None)
        return search(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(dependents, "search", counted)
    return made


def told(found: Reached) -> list[list[tuple[str, Link]]]:
    """Everything, in its order."""
    return [list(table.items()) for table in (found.files, found.scopes, found.doctests)]


@pytest.mark.parametrize("reasons", [True, False])
def test_found_again_without_a_search(state: StateDir, searched: list[None], reasons: bool) -> None:
    expected = told(search(SEEDS, INDEX, LAYOUT, reasons=reasons))
    assert all(expected), "each table has something in it"
    for _ in range(2):
        found = RememberedSearch(state, "here")(SEEDS, INDEX, LAYOUT, reasons=reasons)
        assert told(found) == expected
    assert len(searched) == 1


def test_with_and_without_reasons_are_kept_apart(state: StateDir, searched: list[None]) -> None:
    remembered = RememberedSearch(state, "here")
    for _ in range(2):
        for reasons in (True, False):
            found = remembered(SEEDS, INDEX, LAYOUT, reasons=reasons)
            assert told(found) == told(search(SEEDS, INDEX, LAYOUT, reasons=reasons))
    assert len(searched) == 2


def test_who_gets_an_answer_may_change_it(state: StateDir) -> None:
    remembered = RememberedSearch(state, "here")
    for _ in range(3):
        found = remembered(SEEDS, INDEX, LAYOUT)
        assert "more" not in found.scopes
        found.scopes["more"] = Link(None, "x")


OTHER_LAYER = layer({"tests/test_b.py": ["pkg.mod"]})
QUESTIONS = {
    "origin": ("there", SEEDS, INDEX, LAYOUT, {}),
    "seed": ("here", {"pkg/other.py": "changed"}, INDEX, LAYOUT, {}),
    "reason of a seed": ("here", {"pkg/mod.py": "removed"}, INDEX, LAYOUT, {}),
    "stale": ("here", SEEDS, INDEX._replace(stale=frozenset({"pkg/other.py"})), LAYOUT, {}),
    "fresh": ("here", SEEDS, INDEX._replace(fresh=OTHER_LAYER), LAYOUT, {}),
    "base": ("here", SEEDS, INDEX._replace(base=OTHER_LAYER), LAYOUT, {}),
    "packages": ("here", SEEDS, INDEX, LAYOUT._replace(packages=frozenset({"tests"})), {}),
    "suspects": ("here", SEEDS, INDEX, LAYOUT._replace(suspects=frozenset({"tests"})), {}),
    "top": ("here", SEEDS, INDEX, LAYOUT._replace(top="pkg"), {}),
    "loaders": (
        *("here", SEEDS, INDEX),
        LAYOUT._replace(loaders=(("tests/test_b.py", frozenset({"pkg.mod"})),)),
        {},
    ),
    "what they load": (
        *("here", SEEDS, INDEX),
        LAYOUT._replace(loaders=(("tests/test_b.py", frozenset({"pkg.other"})),)),
        {},
    ),
    "commands": (
        *("here", SEEDS, INDEX),
        LAYOUT._replace(commands=(Command("shop", ("pkg.mod",)),)),
        {},
    ),
    "tests": ("here", SEEDS, INDEX, LAYOUT._replace(tests=Discovery()), {}),
    "settings": ("here", SEEDS, INDEX, LAYOUT._replace(settings=("pkg/mod.py",)), {}),
    "data": ("here", SEEDS, INDEX, LAYOUT._replace(data=(DataNames("a.ini", ("pkg.mod",)),)), {}),
    "narrowed": ("here", SEEDS, INDEX, LAYOUT, {"tests/test_a.py": True}),
    "how narrowed": ("here", SEEDS, INDEX, LAYOUT, {"tests/test_a.py": False}),
}


def test_each_question_is_another(state: StateDir, searched: list[None]) -> None:
    """One after the other, each gets an answer of its own; asked twice, the same one."""
    for number, (origin, *question) in enumerate(QUESTIONS.values(), start=1):
        for _ in range(2):
            found = RememberedSearch(state, origin)(*question)  # type: ignore[arg-type]
            assert told(found) == told(search(*question))  # type: ignore[arg-type]
        assert len(searched) == number


def test_the_questions_leave_out_nothing() -> None:
    """Whoever gives an index or a layout another field must think of the question."""
    assert ImportIndex._fields == ("files", "stored", "stale", "fresh", "base")
    fields = ("packages", "top", "loaders", "commands", "tests", "data", "settings", "suspects")
    assert Layout._fields == fields
    assert Layer._fields == ("files", "names", "starts", "owners")


def test_an_index_of_a_thousand_edits_is_told_in_full(state: StateDir) -> None:
    """What is long is not cut where a question is written down."""
    scans = {f"m{n}.py": ["pkg.mod"] for n in range(2_000)}
    remembered = RememberedSearch(state, "here")
    for missing in ("m0.py", "m1000.py", "m1999.py"):
        fresh = layer({path: names for path, names in scans.items() if path != missing})
        question = INDEX._replace(fresh=fresh)
        assert missing not in remembered(SEEDS, question, LAYOUT).files


def test_damage_is_no_answer(state: StateDir) -> None:
    remembered, rng = RememberedSearch(state, "here"), random.Random(6)
    expected = told(remembered(SEEDS, INDEX, LAYOUT))
    place = state.path / name(reasons=True)
    whole = place.read_bytes()
    for _ in range(300):
        broken = bytearray(whole)
        broken[rng.randrange(len(broken))] ^= 1 << rng.randrange(8)
        place.write_bytes(broken[: rng.choice((len(broken), rng.randrange(len(broken))))])
        assert told(remembered(SEEDS, INDEX, LAYOUT)) == expected
        assert place.read_bytes() == whole, "and it is replaced"


@pytest.mark.parametrize("odd", ["a\0b", "\0"])
def test_a_reason_with_a_separator_in_it_is_found_anew(
    state: StateDir, searched: list[None], odd: str
) -> None:
    for _ in range(2):
        found = RememberedSearch(state, "here")({"pkg/mod.py": odd}, INDEX, LAYOUT)
        assert found.files["pkg/mod.py"].how == odd
    assert len(searched) == 2


def test_a_folder_that_cannot_be_written_to(state: StateDir) -> None:
    state.path.write_text("a file")
    for _ in range(2):
        found = RememberedSearch(state, "here")(SEEDS, INDEX, LAYOUT)
        assert told(found) == told(search(SEEDS, INDEX, LAYOUT))


def test_what_another_version_of_ours_found_is_no_answer(
    state: StateDir, monkeypatch: pytest.MonkeyPatch, searched: list[None]
) -> None:
    """What is kept outlives an upgrade, and CI services keep it in their caches."""
    RememberedSearch(state, "here")(SEEDS, INDEX, LAYOUT)
    monkeypatch.setattr(search_cache, "version", lambda: "another")
    RememberedSearch(state, "here")(SEEDS, INDEX, LAYOUT)
    assert len(searched) == 2


def test_small_answers_are_not_kept(tmp_path: Path) -> None:
    state = StateDir(tmp_path / ".ciopt")
    RememberedSearch(state, "here")(SEEDS, INDEX, LAYOUT)
    many = {f"m{n}.py": ["x"] for n in range(1_000)}
    index = ImportIndex(sorted(many), layer(many), frozenset(), layer({}))
    RememberedSearch(state, "here")({"m1.py": "changed"}, index, Layout(frozenset()))
    assert not state.path.exists()


# --- in a repository -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Six hundred tests of one module, and one of another."""
    files = {f"tests/test_{n}.py": "import hub\n" for n in range(600)}
    files |= {"hub.py": "x = 1\n", "leaf.py": "y = 1\n", "tests/test_leaf.py": "import leaf\n"}
    return repository(tmp_path_factory.mktemp("wide"), files)


def test_decisions_after_edits_are_those_of_a_fresh_clone(
    wide: Repository, searched: list[None]
) -> None:
    """Whatever was kept before: imports that come and go, files, commits."""

    def selected() -> set[str]:
        found = decide(wide.root, Settings(typed_base="HEAD"), Discovery(), reasons=False)
        fresh = decide(
            wide.root,
            Settings(typed_base="HEAD", state_dir=f"../{wide.root.name}-{len(searched)}"),
            Discovery(),
            reasons=False,
        )
        assert dict(found.selection.files) == dict(fresh.selection.files)
        return set(found.selection.files)

    def searches() -> int:
        """Of decisions with the kept answer; a fresh clone needs one more."""
        before = len(searched)
        selected()
        return len(searched) - before - 1

    wide.write({"hub.py": "x = 2\n"})
    assert len(selected()) == 601
    assert searches() == 0
    wide.write({"hub.py": "x = 3\n"})
    assert searches() == 0, "another text with the same imports"
    wide.write({"hub.py": "import leaf\nx = 3\n"})
    assert len(selected()) == 601
    assert searches() == 0
    wide.write({"leaf.py": "y = 2\n"})
    assert "tests/test_leaf.py" in selected()
    wide.write({"tests/test_leaf.py": "x = 1\n", "tests/test_new.py": "import hub\n"})
    assert {"tests/test_leaf.py", "tests/test_new.py"} <= selected()
    (wide.root / "tests/test_new.py").unlink()
    assert "tests/test_new.py" not in selected()
    wide.commit()
    wide.write({"leaf.py": "y = 3\n"})
    assert "tests/test_leaf.py" not in selected()
    assert len(selected()) == 602, "the hub imports the leaf"
