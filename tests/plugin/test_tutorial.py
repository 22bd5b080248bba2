"""The tutorial does what it says: its commands are run, and what it shows is compared."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs/tutorial/first-selection.md"
BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INSTALLS = "python3 -m venv"
VARYING = (
    (r"\b[0-9a-f]{12}\b", "*"),  # ids of commits
    (r"\bin \d+\.\d\ds", "in *"),
    (r"={3,}", "*"),  # as wide as the time is long
)


def test_the_tutorial(tmp_path: Path) -> None:
    (tmp_path / "weather").mkdir()
    environ = {  # no CI service, no configuration of a person
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "COLUMNS": "80",
    }
    said, compared = "", 0
    for language, block in BLOCK.findall(PAGE.read_text()):
        if language == "text":
            pytest.LineMatcher(said.splitlines()).fnmatch_lines(shown(block))
            compared += 1
            continue
        if INSTALLS in block:
            block = "mkdir station tests data"  # what it installs is installed here
        done = subprocess.run(
            ["bash", "-euc", block],
            cwd=tmp_path / "weather",
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        said = done.stdout
        assert done.returncode == 0, said
    assert compared == 9


def shown(block: str) -> list[str]:
    """The lines of a block as patterns, those that vary or are left out made wild."""
    block = block.replace("[", "[[]")
    for pattern, wild in VARYING:
        block = re.sub(pattern, wild, block)
    return [line for line in block.splitlines() if line not in ("...", "")]
