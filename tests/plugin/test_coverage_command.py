"""`ciopt coverage` puts together what jobs covered, and shows totals over time."""

import json
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from conftest import MakeProject, Project
from covered import FILES, OURS, Run, start

__all__ = ["start"]  # a fixture
KEEP = ("--ciopt-cov-reconstruct", "--ciopt-record=deps")


@pytest.fixture
def made(project: MakeProject) -> Project:
    return project({**FILES, ".gitignore": ".coverage*\n*.json\n*.xml\n*.svg\nout/\nhtml/\n"})


def ciopt(made: Project, *arguments: str, code: int = 0) -> pytest.RunResult:
    """In a process of its own, in which coverage.py measures nobody else."""
    script = "import sys; from pytest_ciopt.cli.main import main; sys.exit(main(sys.argv[1:]))"
    done = made.pytester.run(sys.executable, "-c", script, "coverage", *arguments)
    assert done.ret == code, str(done.stdout) + str(done.stderr)
    return done


def total(file: str = ".coverage") -> float:
    """As coverage.py tells."""
    percent: float = json.loads(Path(file).read_text())["totals"]["percent_covered"]
    return percent


# --- combine -------------------------------------------------------------------------------------


def test_shards(made: Project, start: Run) -> None:
    for shard in (1, 2):
        assert start(*OURS, f"--ciopt-shard={shard}/2").ret == 0
        folder = Path(f"out/{shard}")
        folder.mkdir(parents=True)
        Path(".coverage").rename(folder / "coverage.data")
    reports = ("--xml=c.xml", "--lcov=c.lcov", "--json=c.json", "--html=html")
    done = ciopt(made, "combine", "out", *reports)
    assert done.outlines == ["66.66 %, combined from 2 data files and 0 segments"]
    assert total("c.json") == pytest.approx(200 / 3)
    assert ET.parse("c.xml").getroot().attrib["lines-valid"] == "7"
    assert Path("c.lcov").read_text().count("SF:") == 3
    assert "67%" in Path("html/index.html").read_text()
    assert Path(".coverage").exists()


def test_segments(made: Project, start: Run) -> None:
    """Their data files need not be kept."""
    for shard in (1, 2):
        assert start(*OURS, *KEEP, f"--ciopt-shard={shard}/2").ret == 0
    Path(".coverage").unlink()
    done = ciopt(made, "combine", ".ciopt", "--json=c.json")
    assert done.outlines == ["66.66 %, combined from 0 data files and 2 segments"]
    assert total("c.json") == pytest.approx(200 / 3)


def test_the_newest_run(made: Project, start: Run) -> None:
    theirs = ("-p", "pytest_cov", "--cov", "--cov-report=", *KEEP)
    assert start(*theirs).ret == 0
    made.repository.replace("shop/cart.py", "/ 100", "/ 100.0")
    assert start(*theirs, "--ciopt-changed").ret == 0
    done = ciopt(made, "combine", "--json=c.json")
    assert done.outlines == ["66.66 %, reconstructed from 1 stored and 1 run tests"]
    assert total("c.json") == pytest.approx(200 / 3)
    made.repository.replace("shop/cart.py", "/ 100.0", "/ 1e2")
    told = "measured files are not what they were in the newest run"
    assert told in str(ciopt(made, "combine", code=2).stderr)


def test_nothing_to_combine(made: Project) -> None:
    assert "no run in the history kept" in str(ciopt(made, "combine", code=2).stderr)
    assert "no data file of coverage.py" in str(ciopt(made, "combine", "shop", code=2).stderr)
    assert "nowhere does not exist" in str(ciopt(made, "combine", "nowhere", code=2).stderr)


# --- over time -----------------------------------------------------------------------------------


@pytest.fixture
def two(made: Project, start: Run) -> tuple[str, str]:
    """Commits that were measured, the second one covering more."""
    assert start(*OURS).ret == 0
    first = made.repository.git("rev-parse", "HEAD")
    more = "from shop.cart import total\ndef test_none(): assert total([]) == 0\n"
    second = made.repository.commit({"tests/test_none.py": more})
    assert start(*OURS).ret == 0
    return first[:10], second[:10]


def test_trend(made: Project, two: tuple[str, str]) -> None:
    lines = ciopt(made, "trend", "--svg=t.svg").outlines
    assert [line.split()[2:] for line in lines[1:3]] == [
        [two[0], "66.66", "%", "main"],
        [two[1], "88.88", "%", "+22.22", "main"],
    ]
    assert lines[3].endswith("66.67 to 88.89 %")
    drawn = ET.parse("t.svg").getroot()
    assert len(drawn.findall(".//{*}circle")) == 2
    told = json.loads(str(ciopt(made, "trend", "--json").stdout))
    assert [one["covered"] for one in told] == [5, 6]
    assert len(ciopt(made, "trend", "-n1").outlines) == 3


def test_badge(made: Project, two: tuple[str, str]) -> None:
    told = {"schemaVersion": 1, "label": "coverage", "message": "88.88 %", "color": "green"}
    assert json.loads(str(ciopt(made, "badge").stdout)) == told
    done = ciopt(made, "badge", "--svg=b.svg", "--endpoint=b.json")
    assert done.outlines == [f"88.88 % at {two[1]}"]
    assert json.loads(Path("b.json").read_text()) == told
    texts = [node.text for node in ET.parse("b.svg").getroot().iter() if node.text]
    assert texts == ["coverage: 88.88 %", "coverage", "88.88 %"]


def test_no_totals(made: Project) -> None:
    assert "has measured coverage" in str(ciopt(made, "trend", code=2).stderr)
    told = "no whole run of main in the history"
    assert told in str(ciopt(made, "badge", "--branch=main", code=2).stderr)
