"""Coverage put together under a selection, beside that of a whole run, over successive commits.

    python benchmarks/reconstruction.py CLONE --package click --from 8.1.8 --commits 10 -- tests

`CLONE` is a git clone of a project whose dependencies are installed in this environment, itself in
editable form. Of each commit but the first, which is run whole, the tests run that the change since
the commit before can affect, standing on what those before them stored; and then all tests, with
coverage.py alone. With `--shards N` the former run in shards of a plan, which `ciopt check` and
`ciopt coverage combine` put together. Printed are both totals, and the lines and branches in which
they differ.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_KEEPING = ("--ciopt-cov", "--ciopt-cov-reconstruct", "--ciopt-record=deps")
PYTEST = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q")


def main() -> None:
    """Prints a table in Markdown, and says whether all totals agree."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clone", type=Path)
    parser.add_argument("--package", required=True, help="what coverage.py measures")
    parser.add_argument("--from", dest="first", required=True, metavar="REF")
    parser.add_argument("--commits", type=int, default=10)
    parser.add_argument("--shards", type=int, default=0, help="in each of which a part runs")
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
        base = commits[number - 1]
        if number and options.shards:
            told = _in_shards(options, clone, base)
        else:
            told = _run(
                options, clone, *_KEEPING, *((f"--ciopt-changed={base}",) if number else ())
            )
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


def _in_shards(options: argparse.Namespace, clone: Path, base: str) -> list[str]:
    """Each as a job of its own would leave it, and what judges them together."""
    plan, jobs = clone.parent / "plan.json", clone.parent / "jobs"
    shutil.rmtree(jobs, ignore_errors=True)
    shards = f"--shards={options.shards}"
    _ciopt(clone, "plan", f"--changed={base}", shards, f"--output={plan}", *("--", *options.pytest))
    for number in range(1, options.shards + 1):
        shard = f"--ciopt-shard={number}/{options.shards}"
        _run(options, clone, *_KEEPING, f"--ciopt-plan={plan}", shard)
        _ciopt(clone, "history", "export", str(jobs / str(number)))
        (clone / ".coverage").rename(jobs / str(number) / "coverage.data")
    told = _ciopt(clone, "check", "--cov-fail-under=0", f"--plan={plan}", str(jobs))
    if json.loads(plan.read_text()).get("base"):
        _ciopt(clone, "coverage", "combine")
    return told


def _ciopt(clone: Path, *arguments: str) -> list[str]:
    command = [
        sys.executable,
        "-c",
        "from pytest_ciopt.cli.main import main; raise SystemExit(main())",
    ]
    return _done(clone, *command, *arguments)


def _run(options: argparse.Namespace, clone: Path, *flags: str) -> list[str]:
    return _done(clone, *PYTEST, *flags, *options.pytest)


def _done(clone: Path, *command: str) -> list[str]:
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
