"""What recording dependencies costs: suites with and without `--ciopt-record=deps`, in turns.

    python benchmarks/tracing.py CACHE [--rounds 5] [--suites flask,attrs] [--python PATH ...]

Fetches source distributions (see `corpus.py`), makes an environment for each Python and tool, and
runs real suites: plain, with results recorded, with dependencies recorded, and with two peers that
record which test runs what, `pytest --testmon` and `pytest --cov --cov-context=test`. Prints
Markdown: ratios of CPU time (user and system, whole process), and bytes a test in the segment. The
exit code is 1 when the median of a Python's ratios or the worst one misses its target.
"""

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import corpus
from corpus import Package
from cpu import Contender, Failed, environment, in_turns

MEDIAN, WORST, BYTES = 1.05, 1.10, 500.0
"""Targets: ratios of CPU time, bytes a test on disk."""
_HERE = Path(__file__).parent
_CODES = frozenset((0, 1))
"""Some tests of old suites fail with newer dependencies: they run all the same."""
_QUIET = ("-q", "-p", "no:randomly", "-W", "ignore", "--no-header")


@dataclass(frozen=True, slots=True)
class Suite:
    """A part of a project's tests."""

    package: Package
    tests: tuple[str, ...]
    words: tuple[str, ...] = ()


SUITES = {
    suite.package.name: suite
    for suite in (
        Suite(
            Package("networkx", "3.4.2"),
            ("networkx/classes", "networkx/algorithms/bipartite"),
        ),
        Suite(Package("flask", "3.1.0", root="src"), ("tests",)),
        Suite(Package("attrs", "24.2.0", root="src"), ("tests",), ("--hypothesis-seed=1",)),
        Suite(
            Package("anyio", "4.7.0", root="src"),
            ("tests/test_synchronization.py", "tests/test_taskgroups.py", "tests/streams"),
        ),
        Suite(
            Package("sympy", "1.13.3"),
            ("sympy/core/tests/test_arit.py", "sympy/core/tests/test_expr.py", "sympy/sets"),
        ),
    )
}
_INSTALLED = (
    *("pytest==8.4.2", "flask==3.1.0", "Werkzeug==3.1.3", "asgiref==3.8.1", "python-dotenv==1.0.1"),
    *("attrs==24.2.0", "hypothesis==6.123.2", "cloudpickle==3.1.0"),
    *("anyio==4.7.0", "trio==0.27.0", "trustme==1.2.0", "psutil==6.1.1", "pytest-mock==3.14.0"),
    "exceptiongroup==1.2.2",
    "mpmath==1.3.0",
)
_TOOLS: Mapping[str, tuple[str, ...]] = {
    "ours": ("--editable", str(_HERE.parent), "pytest-cov==6.0.0", "coverage==7.10.7"),
    "testmon": ("pytest-testmon==2.2.0",),
}


def tool(cache: Path, python: str, name: str) -> str:
    """The interpreter of an environment, which is made when it is not there."""
    version = subprocess.check_output([python, "-c", "import sys; print(*sys.version_info[:3])"])
    place = cache / "environments" / f"tracing-{name}-{version.decode().strip().replace(' ', '.')}"
    complete, wanted = place / "complete", (*_INSTALLED, *_TOOLS[name])
    if not complete.exists() or complete.read_text() != "\n".join(wanted):
        print(f"installing {place.name}", file=sys.stderr)
        subprocess.run([python, "-m", "venv", "--clear", str(place)], check=True)
        pip = (str(place / "bin" / "python"), "-m", "pip", "install", "--quiet")
        subprocess.run((*pip, *wanted), check=True)
        complete.write_text("\n".join(wanted))
    return str(place / "bin" / "python")


def repository(suite: Suite, cache: Path) -> Path:
    """The project as a git repository of its own."""
    place = cache / "repositories" / f"tracing-{suite.package.folder}"
    if not (place / ".git" / "complete").exists():
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(corpus.unpacked(suite.package, cache), place, symlinks=True)
        corpus.committed(place, "tracing")
        (place / ".git" / "complete").touch()
    return place


def contenders(suite: Suite, folder: Path, ours: str, testmon: str) -> Mapping[str, Contender]:
    """By name; `plain` comes first."""
    words = (*_QUIET, *suite.words, *suite.tests)
    plain = (ours, "-m", "pytest", "-p", "no:pytest_cov", *words)
    package = suite.package.imports or suite.package.name.replace("attrs", "attr")
    covered = (ours, "-m", "pytest", f"--cov={package}", "--cov-context=test", "--cov-report=")

    def forget() -> None:
        for path in (*folder.glob(".testmondata*"), *folder.glob(".coverage*")):
            path.unlink()

    return {
        "plain": Contender(plain, accepts=_CODES),
        "results": Contender((*plain, "--ciopt-record=results"), accepts=_CODES),
        "deps": Contender((*plain, "--ciopt-record=deps"), accepts=_CODES),
        "testmon": Contender((testmon, "-m", "pytest", "--testmon", *words), forget, _CODES),
        "cov contexts": Contender((*covered, *words), forget, _CODES),
    }


def segment(folder: Path) -> tuple[int, float]:
    """Tests in the newest segment, and its bytes a test."""
    path = max((folder / ".ciopt" / "segments").glob("*.jsonl.gz"))
    text = subprocess.check_output(["gzip", "-dc", str(path)])
    kinds = [json.loads(line)["kind"] for line in text.splitlines()]
    tests = kinds.count("test")
    return tests, path.stat().st_size / max(1, tests)


def measure(suite: Suite, cache: Path, python: str, rounds: int, peers: int) -> list[float | int]:
    """Tests, bytes a test, plain CPU seconds, then a ratio for each other contender."""
    folder = repository(suite, cache)
    shutil.rmtree(folder / ".ciopt", ignore_errors=True)
    known = contenders(suite, folder, tool(cache, python, "ours"), tool(cache, python, "testmon"))
    path = str(folder / suite.package.root) if suite.package.root else str(folder)
    environ = {**environment(cache), "PYTHONPATH": path, "PYTHONHASHSEED": "0"}
    ours = {name: known[name] for name in ("plain", "results", "deps")}
    costs = in_turns(ours, 1, folder, environ)  # bytecode and caches of the system
    costs = in_turns(ours, rounds, folder, environ)
    tests, size = segment(folder)
    if peers:
        more = {name: known[name] for name in ("plain", "testmon", "cov contexts")}
        both = in_turns(more, peers, folder, environ)
        costs |= {name: both[name] for name in ("testmon", "cov contexts")}
    plain = [cost.cpu for cost in costs["plain"]]
    ratios = [
        median(cost.cpu for cost in costs[name]) / median(plain)
        for name in known
        if name != "plain" and name in costs
    ]
    return [tests, size, median(plain), *ratios]


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the table; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("cache", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peers", type=int, default=1, help="rounds of the peers; 0: none")
    parser.add_argument("--suites", default=",".join(SUITES))
    parser.add_argument("--python", nargs="+", default=[sys.executable])
    options = parser.parse_args(arguments)
    heads = ("Python", "suite", "tests", "bytes a test", "plain", "results", "deps")
    heads += ("testmon", "cov contexts")[: 2 * bool(options.peers)]
    print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|")
    missed = False
    for python in options.python:
        found = []
        for name in options.suites.split(","):
            try:
                tests, size, plain, *ratios = measure(
                    SUITES[name], options.cache.resolve(), python, options.rounds, options.peers
                )
            except Failed as error:
                print(f"| {python} | {name} | {error} |", flush=True)
                continue
            found.append(ratios[1])
            missed = missed or size > BYTES
            figures = " | ".join(f"{ratio:.2f}" for ratio in ratios)
            row = f"{tests:,} | {size:.0f} | {plain:.1f} s | {figures}"
            print(f"| {Path(python).resolve().parts[-3]} | {name} | {row} |", flush=True)
        missed = missed or not found or median(found) > MEDIAN or max(found) > WORST
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
