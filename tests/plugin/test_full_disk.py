"""Runs whose history lies on a disk that is full: a small tmpfs, mounted for one process."""

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import MakeProject
from pytest_ciopt.adapters.history.reader import inventory, records
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.records import Attempt, RunStart

ALONE = ("unshare", "--map-root-user", "--mount", "sh", "-c")


def _can_mount(folder: Path) -> bool:
    try:
        done = subprocess.run([*ALONE, 'mount -t tmpfs tmpfs "$0"', str(folder)], check=False)
    except FileNotFoundError:
        return False
    return done.returncode == 0


SCRIPT = """
disk=$0; size=$1; kept=$2; shift; shift
mount -t tmpfs -o "size=$size" tmpfs "$disk" || exit 99
export CIOPT_DIR="$disk"
"$1" -m pytest $2; code=$?
echo "--- then"
"$1" -c "from pytest_ciopt.cli.main import main; main()" history show 2>&1
cp -r "$disk/." "$kept"
exit $code
"""
SUITE = """
import pytest
@pytest.mark.parametrize("n", range(600))
def test(n): assert n != 7
"""
TESTS = 600


@pytest.mark.parametrize("xdist", [(), ("-p xdist -n2",)])
@pytest.mark.parametrize(
    "size",
    [
        "24k",  # nothing but the first tests
        "40k",  # the disk is full in the middle
        "84k",  # all tests, and hardly a place for the compressed file
    ],
)
def test_the_tests_run_and_what_was_written_stays(
    project: MakeProject, tmp_path: Path, size: str, xdist: tuple[str, ...]
) -> None:
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    kept.mkdir()
    if not _can_mount(disk):
        pytest.skip("this system lets nobody mount a tmpfs")
    project({"pytest.ini": "[pytest]\n", "test_many.py": SUITE})
    flags = ["-p no:cacheprovider -p pytest_ciopt.plugin --ciopt-record=results", *xdist]
    done = subprocess.run(
        [*ALONE, SCRIPT, str(disk), size, str(kept), sys.executable, " ".join(flags)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"1 failed, {TESTS - 1} passed" in done.stdout
    run, _, then = done.stdout.partition("--- then\n")
    (told,) = [line for line in run.splitlines() if line.startswith("ciopt:")]
    assert told.startswith("ciopt: this run is recorded only in part: ")
    assert told.endswith(" cannot be written to: No space left on device")
    assert "cannot be adopted: No space left on device\n" in then
    assert "Traceback" not in then + done.stderr
    (path,) = inventory(StateDir(kept), 1.79e9).runs.values()
    found = list(records(path))
    assert isinstance(found[0], RunStart)
    tests = {one.id for one in found if isinstance(one, Attempt)}
    assert size == "24k" or len(tests) > 100
    assert len(tests) < TESTS or size == "84k"
