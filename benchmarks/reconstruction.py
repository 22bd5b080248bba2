"""Coverage put together under a selection, beside that of a whole run, over successive commits.

    python benchmarks/reconstruction.py CLONE --package click --from 8.1.8 --commits 10 -- tests

`CLONE` is a git clone of a project whose dependencies are installed in this environment, itself in
editable form. Of each commit but the first, which is run whole, the tests run that the change since
the commit before can affect, standing on what those before them stored; and then all tests, with
coverage.py alone. Printed are both totals, and the lines and branches in which they differ.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q")


def main() -> None:
    """Prints a table in Markdown, and says whether all totals agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clone", type=Path)
    parser.add_argument("--package", required=True, help="what coverage.py measures")
    parser.add_argument("--from", dest="first", required=True, metavar="REF")
    parser.add_argument("--commits", type=int, default=10)
    parser.add_argument("--branch", default="HEAD", help="whose commits follow")
    own, rest = sys.argv[1:], []
    if "--" in own:
        own, rest = own[: own.index("--")], own[own.index("--") + 1 :]
    options = parser.parse_args(own, argparse.Namespace(pytest=rest))
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "clone"
        _git(Path(folder), "clone", "-q", str(options.clone.resolve()), str(clone))
        span = f"{options.first}..{options.branch}"
        commits = _git(clone, "rev-list", "--reverse", "--first-parent", span).split()
        commits = [_git(clone, "rev-parse", options.first), *commits[: options.commits]]
        _study(options, clone, commits)


def _study(options: argparse.Namespace, clone: Path, commits: list[str]) -> None:
    config = clone.parent / "coveragerc"
    config.write_text(f"[run]\nbranch = true\nsource_pkgs = {options.package}\n")
    print("| commit | ran | stored | reconstructed | whole | lines | branches | told |")
    print("|---|---|---|---|---|---|---|---|")
    worst = 0.0
    for number, commit in enumerate(commits):
        _git(clone, "checkout", "-q", "--force", commit)
        _git(clone, "clean", "-fdxq", "--exclude=.ciopt")
        selecting = (f"--ciopt-changed={commits[number - 1]}",) if number else ()
        keeping = ("--ciopt-cov", "--ciopt-cov-reconstruct", "--ciopt-record=deps")
        told = _run(options, clone, *keeping, *selecting)
        ours = _report(clone)
        if not number:
            print(f"| {commit[:10]} | all | | | {_percent(ours):.4f} | | | |", flush=True)
            continue
        _run(options, clone, "--ciopt-cov", "--ciopt-record=off")
        theirs = _report(clone)
        lines, branches = _different(ours, theirs, clone)
        worst = max(worst, abs(_percent(ours) - _percent(theirs)))
        note = next((line for line in told if line.startswith("coverage:")), "all tests ran")
        doubt = next((line.strip() for line in told if "may not be exact" in line), "")
        words = note.replace(",", "").split()
        ran, stored = ("all", "") if "stored" not in words else (words[-3], words[-6])
        print(
            f"| {commit[:10]} | {ran} | {stored} | {_percent(ours):.4f} | {_percent(theirs):.4f} "
            f"| {lines} | {branches} | {doubt or ('' if stored else note)} |",
            flush=True,
        )
    print(f"\nlargest difference: {worst:.4f} points")


def _run(options: argparse.Namespace, clone: Path, *flags: str) -> list[str]:
    command = [*PYTEST, *flags, *options.pytest]
    config = str(clone.parent / "coveragerc")
    environment = {"COVERAGE_RCFILE": config, "PYTHONPATH": str(clone / "src")}
    done = subprocess.run(
        command, cwd=clone, env=_environment(environment), capture_output=True, text=True
    )
    if done.returncode not in (0, 1, 5):
        sys.exit(done.stdout[-3000:] + done.stderr[-3000:])
    return done.stdout.splitlines()


def _environment(more: dict[str, str]) -> dict[str, str]:
    return {**os.environ, **more, "PYTHONDONTWRITEBYTECODE": "1"}


def _report(clone: Path) -> dict:
    config = f"--rcfile={clone.parent / 'coveragerc'}"
    target = clone.parent / "report.json"
    command = [sys.executable, "-m", "coverage", "json", config, "-q", "-o", str(target)]
    subprocess.run(command, cwd=clone, check=True, capture_output=True)
    return json.loads(target.read_text())


def _percent(report: dict) -> float:
    return report["totals"]["percent_covered"]


def _different(one: dict, other: dict, clone: Path) -> tuple[str, str]:
    """Where the two differ."""
    found: dict[str, list[str]] = {"missing_lines": [], "missing_branches": []}
    for path in sorted(one["files"].keys() | other["files"].keys()):
        for key, places in found.items():
            mine, theirs = (
                {str(line) for line in report["files"].get(path, {}).get(key, ())}
                for report in (one, other)
            )
            places += (f"+{path}:{line}" for line in sorted(theirs - mine))
            places += (f"-{path}:{line}" for line in sorted(mine - theirs))
    return " ".join(found["missing_lines"]), " ".join(found["missing_branches"])


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


if __name__ == "__main__":
    main()
