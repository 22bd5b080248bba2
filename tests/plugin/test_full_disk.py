"""Runs whose history lies on a disk that is full: a small tmpfs, mounted for one process."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import MakeProject
from pytest_ciopt.adapters.history.reader import inventory, records
from pytest_ciopt.adapters.statedir import StateDir
from pytest_ciopt.core.history.records import Attempt, RunStart

RECORD = "--ciopt-record=results"
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


FILLED = """
disk=$0; segments=$1; python=$2; program=$3
mount -t tmpfs -o size=600k tmpfs "$disk" || exit 99
mkdir "$disk/segments" && cp "$segments"/* "$disk/segments" || exit 98
export CIOPT_DIR="$disk"
cat /dev/zero > "$disk/filled" 2>/dev/null
"$python" -c "$program" history show && "$python" -c "$program" history check || exit 97
rm "$disk/filled"
"$python" -c "$program" history show > /dev/null
cat /dev/zero > "$disk/filled" 2>/dev/null
"$python" -c "$program" history show
"""


def test_a_full_disk_can_be_read(project: MakeProject, tmp_path: Path) -> None:
    """With an index, without one, and with one that is out of date."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not _can_mount(disk):
        pytest.skip("this system lets nobody mount a tmpfs")
    made = project({"pytest.ini": "[pytest]\n", "test_many.py": SUITE})
    made.run(RECORD)
    segments = made.repository.root / ".ciopt/segments"
    done = subprocess.run(
        [*ALONE, FILLED, str(disk), str(segments), sys.executable, CIOPT],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    shown = [line for line in done.stdout.splitlines() if line.endswith(" 1 failed, 599 passed")]
    assert len(shown) == 2
    assert "1 run can be read, 0 damaged files set aside\n" in done.stdout


POWERLESS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if os.geteuid() == 0 else ()
"""root without its privileges, so that permissions count for it, too."""


@pytest.mark.parametrize("place", [".ciopt", ".ciopt/segments", "."])
def test_a_history_that_may_only_be_read(project: MakeProject, place: str) -> None:
    made = project({"pytest.ini": "[pytest]\n", "test_few.py": "def test(): pass\n"})
    assert made.run(RECORD).ret == 0
    if place == ".":
        shutil.rmtree(made.repository.root / ".ciopt")
    folder = made.repository.root / place
    folder.chmod(0o555)
    try:
        plugins = ("-p", "no:cacheprovider", "-p", "pytest_ciopt.plugin", RECORD)
        run = called("-m", "pytest", *plugins)
        shown = called("-c", CIOPT, "history", "show")
        checked = called("-c", CIOPT, "history", "check")
        pruned = called("-c", CIOPT, "history", "prune", "--keep=1")
    finally:
        folder.chmod(0o755)
    assert run.returncode == 0
    assert "1 passed" in run.stdout
    told = [line for line in run.stdout.splitlines() if line.startswith("ciopt:")]
    runs = 0 if place == "." else 1
    if place != ".ciopt":
        (line,) = told
        assert line.endswith(" cannot be written to: Permission denied")
    else:  # the folder of the segments is there, and open
        assert told == []
        runs += 1
    assert shown.returncode == 0
    assert len([line for line in shown.stdout.splitlines() if line.endswith(" 1 passed")]) == runs
    assert (checked.returncode, checked.stdout) == (
        0,
        f"{runs} run{'s' if runs != 1 else ''} can be read, 0 damaged files set aside\n",
    )
    assert pruned.returncode in (0, 2)
    assert "Traceback" not in run.stderr + shown.stderr + checked.stderr + pruned.stderr


def test_damage_in_a_history_that_may_only_be_read(project: MakeProject) -> None:
    made = project({"pytest.ini": "[pytest]\n", "test_few.py": "def test(): pass\n"})
    made.run(RECORD)
    made.run(RECORD)
    folder = made.repository.root / ".ciopt"
    assert called("-c", CIOPT, "history", "show").returncode == 0
    path = min((folder / "segments").iterdir())
    content = bytearray(path.read_bytes())
    content[40] ^= 1  # the index, which tells sizes only, knows nothing of it
    path.write_bytes(content)
    for place in (folder, folder / "segments"):
        place.chmod(0o555)
    try:
        checked = called("-c", CIOPT, "history", "check")
    finally:
        for place in (folder, folder / "segments"):
            place.chmod(0o755)
    assert checked.returncode == 1
    assert checked.stdout == (
        "1 run can be read, 0 damaged files set aside, 1 file cannot be read, and left there\n"
    )
    lines = checked.stderr.splitlines()
    assert lines[0] == "ciopt: index.sqlite cannot be made anew: Permission denied"
    assert lines[1].startswith(f"ciopt: {path.name} is damaged (")
    assert lines[1].endswith("), and stays: Permission denied")


CIOPT = "import sys; from pytest_ciopt.cli.main import main; sys.exit(main())"


def called(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*POWERLESS, sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)
