"""`ciopt bench`: compares benchmarks with another commit, shows them over time, proves the rule."""

import argparse

from pytest_ciopt.cli import racing, speeds
from pytest_ciopt.cli.verbs import positive, verbs


def add(parser: argparse.ArgumentParser) -> None:
    """Adds the commands of the family."""
    verb = verbs(parser)
    pair = verb("compare", "measure two commits against each other", racing.compare)
    pair.add_argument("base", metavar="BASE", help="a commit, branch or tag")
    pair.add_argument("head", metavar="HEAD", nargs="?", help="default: the working tree")
    pair.add_argument(
        "--fail", metavar="SLOWDOWN", help="end with 1 when one is slower by it, for example 5%%"
    )
    pair.add_argument(
        "--pytest", metavar="WORD", action="append", default=[], help="an argument of pytest more"
    )
    over = verb("trend", "show benchmarks over the runs of the history", speeds.trend)
    over.add_argument("name", metavar="NAME", nargs="?", help="one test, or a part of its id")
    over.add_argument("-n", type=positive, default=20, dest="limit", help="runs (default: 20)")
    sure = verb("calibrate", "measure on this machine what the gate finds", racing.calibrate)
    told = "each of 18 equal benchmarks and six that are 5 and 10 %% slower (default: 3)"
    sure.add_argument("--sessions", type=positive, default=3, help=told)
