"""What it costs to keep what each test covers: pytest in the ways of measuring coverage, in turns.

    python benchmarks/contexts.py CLONE --package click [--rounds 5] -- tests

`CLONE` is a git clone of a project that is installed here in editable form, beside pytest-ciopt and
pytest-cov. Prints Markdown: processor time as a share of measuring alone, and bytes that are stored
of each test.
"""

import argparse
import gzip
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from cpu import Contender, environment, in_turns, middle


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints the table."""
    own = list(sys.argv[1:] if arguments is None else arguments)
    end = own.index("--") if "--" in own else len(own)
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("clone", type=Path)
    parser.add_argument("--package", required=True, help="what coverage.py measures")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(own[:end])
    clone = options.clone.resolve()
    base = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *own[end + 1 :])
    cov = (*base, f"--cov={options.package}", "--cov-branch", "--cov-report=")
    ways = {
        "no coverage": base,
        "--cov": cov,
        "--cov --ciopt-record=results": (*cov, "--ciopt-record=results"),
        "--cov --ciopt-cov-reconstruct": (
            *cov,
            "--ciopt-cov-reconstruct",
            "--ciopt-record=results",
        ),
        "--cov --cov-context=test": (*cov, "--cov-context=test"),
    }
    sizes: dict[str, int] = {}
    contenders = {
        name: Contender(command, _clean(clone, sizes), frozenset((0, 1)))
        for name, command in ways.items()
    }
    costs = in_turns(contenders, options.rounds, clone, environment(clone / ".ciopt/bytecode"))
    alone = middle(costs["--cov"]).cpu
    print("| way | CPU, s | of --cov alone |\n|---|---|---|")
    for name, several in costs.items():
        print(f"| `{name}` | {middle(several).cpu:.2f} | {middle(several).cpu / alone:.2f} |")
    print(f"\nA test: {sizes['bytes'] / max(sizes['tests'], 1):.0f} bytes of {sizes['tests']:,}")


def _clean(clone: Path, sizes: dict[str, int]):
    def clean() -> None:
        folder = clone / ".ciopt/segments"
        for path in folder.glob("*.gz"):
            text = gzip.decompress(path.read_bytes())
            kept = [line for line in text.splitlines(True) if line.startswith(b'{"kind":"covered')]
            kinds = [json.loads(line)["kind"] for line in kept]
            if kept:
                sizes["tests"] = kinds.count("covered")
                sizes["bytes"] = len(gzip.compress(b"".join(kept), 6))
        shutil.rmtree(folder, ignore_errors=True)
        (clone / ".coverage").unlink(missing_ok=True)

    return clean


if __name__ == "__main__":
    main()
