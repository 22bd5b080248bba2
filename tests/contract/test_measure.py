"""What measures benchmarks: the fake of the tests and the real processes answer alike."""

import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from benched import FILES, TOTAL, FakeTrees
from conftest import MakeProject
from pytest_ciopt.adapters.duet.checkout import checked_out, files_of
from pytest_ciopt.adapters.duet.child import NotMeasured, Place, Wanted, mapped
from pytest_ciopt.adapters.duet.sides import Sides
from pytest_ciopt.adapters.git import Git, GitError
from pytest_ciopt.core.gates.answers import Answer, Tree
from pytest_ciopt.core.gates.benchmarks import Step
from pytest_ciopt.core.gates.budgets import Slowdown
from pytest_ciopt.core.history.rounds import CPU, WALL
from pytest_ciopt.usecases.duet import Measure, raced

BROKEN, ONLY = "tests/test_broken.py::test_broken", "tests/test_only.py::test_only"
HEAD = {
    "tests/test_broken.py": "def test_broken(benchmark): assert not benchmark(len, 'a')\n",
    "tests/test_only.py": "def test_only(benchmark): benchmark(len, 'a')\n",
}


class Both(Protocol):
    def __call__(self, top: Path) -> Measure: ...


@pytest.fixture(params=["fake", "real"])
def measure(request: pytest.FixtureRequest, project: MakeProject) -> Iterator[Measure]:
    if request.param == "fake":
        failure = "AssertionError"
        yield FakeTrees({TOTAL: 1e-6, BROKEN: failure, ONLY: 1e-6}, {TOTAL: 1e-6})
        return
    made = project(FILES)
    git, base = Git(made.repository.root), made.repository.git("rev-parse", "HEAD")
    made.repository.write(HEAD)
    with checked_out(git, base) as tree:
        yield sides(git, tree)


def sides(git: Git, tree: Path, path: tuple[str, ...] = ()) -> Sides:
    places = {Tree.BASE: Place(tree, path=path), Tree.HEAD: Place(git.top, path=path)}
    return Sides(places, {Tree.BASE: files_of(Git(tree)), Tree.HEAD: files_of(git)})


def test_some(measure: Measure) -> None:
    found = measure(Tree.HEAD, Wanted(frozenset((TOTAL, ONLY)), CPU))
    assert found.benchmarks.keys() == found.collected == {TOTAL, ONLY}
    assert found.benchmarks[TOTAL].clock == CPU
    assert found.benchmarks[TOTAL].minimum > 0
    assert found.benchmarks[TOTAL].busy is not None


def test_all(measure: Measure) -> None:
    found = measure(Tree.HEAD, Wanted(None, WALL))
    assert found.collected == {TOTAL, BROKEN, ONLY}
    assert found.benchmarks.keys() == {TOTAL, ONLY}
    assert "AssertionError" in found.failed[BROKEN] or "assert" in found.failed[BROKEN]


def test_what_is_not_there(measure: Measure) -> None:
    found = measure(Tree.BASE, Wanted(frozenset((ONLY, TOTAL)), WALL))
    assert found.collected == {TOTAL}
    assert measure(Tree.BASE, Wanted(frozenset((ONLY,)), WALL)).collected == frozenset()


def test_a_first_look(measure: Measure) -> None:
    found = measure.look(None)
    assert found.collected == {TOTAL, BROKEN, ONLY}
    assert {one.clock for one in found.benchmarks.values()} == {CPU}


# --- the real one only ---------------------------------------------------------------------------

SLOW = "sum(price * 2 for price in prices for _ in range(4)) // 4"
PLAIN = "sum(price * 2 for price in prices)"
SRC = {
    **{name: text for name, text in FILES.items() if not name.startswith("shop")},
    "pytest.ini": FILES["pytest.ini"].replace("pythonpath = .\n", ""),
    **{f"src/{name}": text for name, text in FILES.items() if name.startswith("shop")},
}


def steps(git: Git, base: str, path: tuple[str, ...] = ()) -> Step | None:
    with checked_out(git, base) as tree:
        both = sides(git, tree, path)
        return raced(both, {TOTAL: Slowdown(0.5)}, {TOTAL: 0.0}, str)[TOTAL].step


def elsewhere(folder: Path, text: str) -> tuple[str, ...]:
    """A folder outside the tree that changes what processes import."""
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(textwrap.dedent(text))
    return (str(folder),)


@pytest.mark.parametrize("layout", ["flat", "src", "editable", "installed"])
def test_each_tree_measures_its_own_code(project: MakeProject, layout: str, tmp_path: Path) -> None:
    """Four times the work is seen, however the project is installed."""
    made = project(FILES if layout == "flat" else SRC)
    source = "shop/cart.py" if layout == "flat" else "src/shop/cart.py"
    base, path = made.repository.git("rev-parse", "HEAD"), tuple[str, ...]()
    if layout == "src":
        made.repository.replace("pytest.ini", "[pytest]\n", "[pytest]\npythonpath = src\n")
        base = made.repository.commit()
    elif layout == "editable":
        root = str(made.repository.root / "src")
        path = elsewhere(tmp_path / "site", f"import sys; sys.path.append({root!r})")
    elif layout == "installed":
        path = (str(tmp_path / "site-packages"),)
        (tmp_path / "site-packages/shop").mkdir(parents=True)
        for name in ("__init__.py", "cart.py"):
            text = (made.repository.root / "src/shop" / name).read_text()
            (tmp_path / "site-packages/shop" / name).write_text(text)
    made.repository.replace(source, PLAIN, SLOW)
    assert steps(Git(made.repository.root), base, path) is Step.SLOWER


FINDER = """\
import sys
from importlib.util import spec_from_file_location

class Finder:
    def find_spec(name, path=None, target=None):
        if name == "shop":
            return spec_from_file_location(
                name, {0!r} + "/__init__.py", submodule_search_locations=[{0!r}]
            )

sys.meta_path.insert(0, Finder)
"""


def test_what_is_always_imported_from_one_tree(project: MakeProject, tmp_path: Path) -> None:
    """As finders of some editable installations do, whatever the path says."""
    made = project(SRC)
    package = made.repository.root / "src/shop"
    path = elsewhere(tmp_path / "site", FINDER.format(str(package)))
    base = made.repository.git("rev-parse", "HEAD")
    with pytest.raises(NotMeasured, match="the base's code is not what is imported: shop comes"):
        steps(Git(made.repository.root), base, path)


def test_a_tree_that_lacks_what_git_ignores(project: MakeProject) -> None:
    source = "from built import total\n"
    made = project({**FILES, ".gitignore": "built.py\n", "shop/cart.py": source})
    made.repository.write({"built.py": FILES["shop/cart.py"]})
    git, base = Git(made.repository.root), made.repository.git("rev-parse", "HEAD")
    with checked_out(git, base) as tree:
        both = sides(git, tree)
        found = raced(both, {TOTAL: Slowdown(0.5)}, {TOTAL: 0.0}, str)[TOTAL]
    assert found.step is None
    assert "No module named 'built'" in found.why


def test_a_tree_that_takes_something_else_for_what_was_built(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its benchmark would run, on slower code."""
    source = "try:\n    from shop.fast import total\nexcept ImportError:\n    total = sum\n"
    made = project({**FILES, ".gitignore": "*.so\n", "shop/cart.py": source})
    made.repository.replace("tests/test_speed.py", "== 39800", "")
    base = made.repository.commit()
    made.repository.write({"shop/fast.so": b""})
    git = Git(made.repository.root)
    fast = (git.top / "shop/fast.so").as_posix()
    found = Answer({}, frozenset((TOTAL,)), {}, {"shop.fast": fast})
    with checked_out(git, base) as tree, monkeypatch.context() as patch:
        both = sides(git, tree)
        patch.setattr("pytest_ciopt.adapters.duet.sides.ask", lambda *_: found)
        both.look(None)
        patch.undo()
        with pytest.raises(NotMeasured, match=r"the base lacks the extension module shop\.fast"):
            both(Tree.BASE, Wanted(None, CPU))


def test_a_conftest_that_breaks(project: MakeProject) -> None:
    made = project(FILES | {"conftest.py": "raise RuntimeError('no')\n"})
    git, base = Git(made.repository.root), made.repository.git("rev-parse", "HEAD")
    with checked_out(git, base) as tree, pytest.raises(NotMeasured, match="pytest ended with 4: "):
        sides(git, tree).look(None)


NOISY_INI = """\
[pytest]
pythonpath = .
addopts =
    --strict-config -n2 --lf -m nothing --cov=shop --ciopt-changed --benchmark-disable
    --junitxml=report.xml
markers = nothing
filterwarnings = error
ciopt_duration_budget = 1 s
"""


def test_options_of_the_session_around(
    project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither workers nor coverage, no selection and no report of ours or others."""
    made = project(FILES | {"pytest.ini": NOISY_INI})
    monkeypatch.setenv("CIOPT_SHARD", "1/2")
    git, base = Git(made.repository.root), made.repository.git("rev-parse", "HEAD")
    plugins = ("-p", "xdist", "-p", "pytest_cov")
    with checked_out(git, base) as tree:
        places = {
            Tree.BASE: Place(tree, arguments=plugins),
            Tree.HEAD: Place(git.top, arguments=plugins),
        }
        both = Sides(places, dict.fromkeys(Tree, files_of(git)))
        assert both(Tree.HEAD, Wanted(None, CPU)).benchmarks.keys() == {TOTAL}
    left = made.repository.git("status", "--porcelain", "--ignored").splitlines()
    assert [line for line in left if "__pycache__" not in line] == []


def test_a_checkout_goes_whatever_happens(project: MakeProject) -> None:
    made = project({**FILES, "hooks/post-checkout": "#!/bin/sh\ntouch ran\n"})
    made.repository.git("config", "core.hooksPath", "hooks")
    os.chmod("hooks/post-checkout", 0o755)
    git, base = Git(made.repository.root), made.repository.git("rev-parse", "HEAD")
    stopped = checked_out(git, base)
    tree = stopped.__enter__()
    assert (tree / "shop/cart.py").is_file()
    assert not list(tree.rglob("ran"))
    interrupt = KeyboardInterrupt()
    assert not stopped.__exit__(KeyboardInterrupt, interrupt, None)
    assert not tree.exists()
    assert len(made.repository.git("worktree", "list").splitlines()) == 1
    with pytest.raises(GitError, match="no commit id"), checked_out(git, "--detach"):
        pass


def test_paths_are_mapped(tmp_path: Path) -> None:
    entries = os.pathsep.join((str(tmp_path / "src"), "/elsewhere", ""))
    assert mapped(entries, tmp_path, Path("/base")) == ("/base/src", "/elsewhere")
