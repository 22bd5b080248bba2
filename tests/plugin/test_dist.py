"""Workers of xdist get batches: all tests run, each once, the long ones first."""

import json
import re
from pathlib import Path

import pytest

from conftest import MakeProject, Project

FILES = {
    "pytest.ini": "[pytest]\n",
    "test_a.py": """
        import pytest, time

        @pytest.mark.parametrize("number", range(6))
        def test_quick(number): pass

        def test_slow(): time.sleep(0.3)
        """,
    "test_b.py": """
        import os, pytest

        @pytest.fixture(scope="module")
        def base(): return os.getpid()

        @pytest.mark.parametrize("number", range(4))
        def test_b(base, number): pass
        """,
    "test_c.py": """
        import os, pytest
        from pathlib import Path

        @pytest.mark.parametrize("number", range(6))
        @pytest.mark.xdist_group("one")
        def test_c(number):
            with open("pids", "a") as file: file.write(f"{os.getpid()}\\n")

        @pytest.mark.parametrize("mail", ["a@b", "[x]@y"])
        def test_mail(mail): pass
        """,
}
DIST = ("--ciopt-dist", "-n2")
NUMBER = 19


@pytest.fixture
def made(project: MakeProject) -> Project:
    return project(FILES)


@pytest.mark.parametrize("recorded", [True, False])
def test_all_run_once(made: Project, recorded: bool) -> None:
    if recorded:
        assert made.run("--ciopt-record=results").ret == 0
    result = made.run(*DIST, "-v")
    result.assert_outcomes(passed=NUMBER)
    ids = re.findall(r"PASSED (\S+)", result.stdout.str())
    assert len(set(ids)) == NUMBER
    assert len(set(Path("pids").read_text().split()[-6:])) == 1


def test_the_longest_begins(made: Project) -> None:
    made.repository.write(
        {
            "conftest.py": """
                import os, pytest

                @pytest.fixture(autouse=True)
                def told(request):
                    with open("begun", "a") as file:
                        file.write(f"{os.getpid()} {request.node.name}\\n")
                """
        }
    )
    assert made.run("--ciopt-record=results").ret == 0
    Path("begun").unlink()
    made.run(*DIST).assert_outcomes(passed=NUMBER)
    first: dict[str, str] = {}
    for line in Path("begun").read_text().splitlines():
        first.setdefault(*line.split(" ", 1))
    assert "test_slow" in first.values()


OTHERS = """
    import os, pytest
    from pathlib import Path

    @pytest.mark.parametrize("of", [os.getpid() if CONDITION else 0])
    def test_other(of): pass
    """
DIES = """
    import os, pytest
    from pathlib import Path

    @pytest.mark.parametrize("number", range(12))
    def test_dies(number):
        with open("ran", "a") as file: file.write(f"{number}\\n")
        if number in (3, 4):
            os._exit(1)
    """


@pytest.mark.parametrize("recorded", [True, False])
def test_workers_that_die_lose_nothing(made: Project, recorded: bool) -> None:
    """What killed a worker has failed, and is not tried on another one."""
    if recorded:
        assert made.run("--ciopt-record=results").ret == 0
    made.repository.write({"test_d.py": DIES})
    made.run(*DIST).assert_outcomes(failed=2, passed=NUMBER + 10)
    assert sorted(map(int, Path("ran").read_text().split())) == list(range(12))


def test_workers_that_collect_other_tests(made: Project) -> None:
    made.repository.write({"test_d.py": OTHERS.replace("CONDITION", "True")})
    result = made.run(*DIST)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*Different tests were collected between gw* and gw*"])
    assert "passed" not in result.parseoutcomes()


def test_one_that_comes_for_a_dead_worker_and_collects_other_tests(made: Project) -> None:
    """It runs none of what was left, and that is an error; what others run is told."""
    made.repository.write({"test_d.py": OTHERS.replace("CONDITION", "Path('ran').exists()") + DIES})
    result = made.run(*DIST)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*Different tests were collected between gw* and gw*"])
    assert result.parseoutcomes()["failed"] >= 1


def test_in_a_first_run_the_idle_take_from_the_busy(project: MakeProject) -> None:
    """One file has all that takes long: a worker alone would need three times as long."""
    code = """
        import os, time, pytest

        @pytest.mark.parametrize("number", range(30))
        def test_long(number):
            time.sleep(0.05)
            with open("ran", "a") as file: file.write(f"{number} {os.getpid()}\\n")
        """
    made = project({"pytest.ini": "[pytest]\n", "test_a.py": code, "test_b.py": "def test(): pass"})
    made.run("--ciopt-dist", "-n3").assert_outcomes(passed=31)
    ran = [line.split() for line in Path("ran").read_text().splitlines()]
    assert sorted(int(number) for number, _ in ran) == list(range(30))
    assert len({process for _, process in ran}) == 3


def test_tests_of_one_id(made: Project) -> None:
    """Collectors of other files may give several."""
    conftest = """
        import pytest

        class Case(pytest.Item):
            def __init__(self, *, which, **kw):
                super().__init__(**kw)
                self.which = which
            def runtest(self):
                with open("ran", "a") as file: file.write(f"{self.which}\\n")

        class Cases(pytest.File):
            def collect(self):
                for which in range(6):
                    yield Case.from_parent(self, name="case", which=which)

        def pytest_collect_file(file_path, parent):
            if file_path.suffix == ".cases":
                return Cases.from_parent(parent, path=file_path)
        """
    made.repository.write({"conftest.py": conftest, "some.cases": ""})
    made.run(*DIST).assert_outcomes(passed=NUMBER + 6)
    assert sorted(Path("ran").read_text().split()) == list("012345")


def test_with_a_selection_and_a_shard(made: Project) -> None:
    made.repository.write({"test_b.py": FILES["test_b.py"].replace("pass", "assert 1")})
    made.run(*DIST, "--ciopt-changed").assert_outcomes(passed=4)
    found = [
        made.run(*DIST, f"--ciopt-shard={number}/2").parseoutcomes().get("passed", 0)
        for number in (1, 2)
    ]
    assert sum(found) == NUMBER


def test_without_workers_nothing_happens(made: Project) -> None:
    made.run("--ciopt-dist").assert_outcomes(passed=NUMBER)
    made.run("--ciopt-dist", "-n0").assert_outcomes(passed=NUMBER)


def test_by_the_environment(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CIOPT_DIST", "true")
    made.run("-n2", "-v").stdout.fnmatch_lines(["scheduling tests via Batches"])


def test_by_the_configuration(made: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment can take it back."""
    asked = ("-n2", "-v", "-o", "ciopt_dist=true")
    made.run(*asked).stdout.fnmatch_lines(["scheduling tests via Batches"])
    monkeypatch.setenv("CIOPT_DIST", "false")
    made.run(*asked).stdout.no_fnmatch_line("*via Batches*")


def test_beside_another_dist(made: Project) -> None:
    result = made.run(*DIST, "--dist=loadfile")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --ciopt-dist is given beside --dist=loadfile*"])


def test_an_error_of_ours_loses_no_test(
    made: Project, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pytester.mkdir("broken")
    (folder / "broken.py").write_text(
        "from pytest_ciopt.hooks import scheduling\nscheduling.batches = None\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(folder))
    made.run(*DIST, "-p", "broken").assert_outcomes(passed=NUMBER)


def test_decisions_are_those_of_all_tests(made: Project) -> None:
    result = made.run(*DIST, "--ciopt-json=decisions.json")
    assert result.ret == 0
    assert len(json.loads(Path("decisions.json").read_text())["tests"]) == NUMBER
