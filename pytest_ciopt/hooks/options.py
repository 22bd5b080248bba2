"""The flags and ini options of the plugin. Imported in every pytest run, so it imports nothing."""

import argparse
import copy
import os
from collections.abc import Callable

import pytest

FLAG = "--ciopt-changed"
AUTO = ":auto"
"""Value of the flag without one: no git ref can begin with a colon."""
SELECTION = "ciopt-selection"
"""Name of the plugin that carries a selection out."""
HISTORY = "ciopt-history"
"""Name of the plugin that records a run."""
SHARD = "ciopt-shard"
"""Name of the plugin that carries a plan of shards out; key in `workerinput` and
`workeroutput`."""
OFF, RESULTS, DEPS, IF_CHEAP = "off", "results", "deps", "auto"
RECORDS = (OFF, RESULTS, DEPS, IF_CHEAP)
"""Values of --ciopt-record."""
SETTLED = pytest.StashKey[str]()
"""On the configuration, what is recorded where that was left to us."""
WHY = pytest.StashKey[str]()
"""On the configuration, what has settled that."""
MENDED = pytest.StashKey[list[str]]()
"""On the configuration, lines on segments of killed runs that were found before this one began."""
REASON = pytest.StashKey[str]()
"""On an item, why a selection keeps it; absent where everything runs."""
ARGUMENTS = pytest.StashKey[list[str]]()
"""On the configuration, what pytest was to collect, where nothing need be."""
GATED = pytest.StashKey[object]()
"""On the configuration, what gates leave of the run, a `core.history.records.Gated`."""
VARIABLES = pytest.StashKey[dict[str, str]]()
"""On the configuration, digests of the watched environment variables as the run began."""
AFTERWARDS = pytest.StashKey[Callable[[object], None]]()
"""On the configuration, what is to be done when pytest has ended, with its exit code; None where
an exception ended it."""
NO_DROP = "--ciopt-cov-no-drop"
RECONSTRUCT = "--ciopt-cov-reconstruct"
COVERED = ("ciopt_cov_fail_under", "ciopt_patch_fail_under", "ciopt_cov_no_drop")
"""Options that ask something of coverage."""
SLOW = ("report", "skip", "only")
"""Values of --ciopt-slow."""
BUDGET = "ciopt_duration_budget"
BENCH = "ciopt_bench"
BENCH_FAIL = "ciopt_bench_fail"
TOGETHER = "ciopt_together"
QUALITY = "ciopt_code_quality"
WATCHED = "ciopt_environment"
MARKERS = (
    "ciopt_always: run this test under --ciopt-changed whatever changed.",
    f"{BENCH}(fail): how much slower this benchmark may become under --ciopt-bench-fail.",
    f"{TOGETHER}(name=None): run these tests in one shard; with a name, all that have it.",
)

_INI = (
    (
        BENCH_FAIL,
        "string",
        "Default of --ciopt-bench-fail, wherever benchmarks are measured (environment: "
        "CIOPT_BENCH_FAIL).",
    ),
    ("ciopt_base", "string", "Base of --ciopt-changed, a git ref (environment: CIOPT_BASE)."),
    ("ciopt_ignore", "linelist", "Globs of files that cannot alter the outcome of a test."),
    ("ciopt_run_all", "linelist", "Globs of files upon whose change every test runs."),
    (
        "ciopt_dependencies",
        "linelist",
        "Lines `glob -> target, target`: tests or modules that depend on the files.",
    ),
    (
        "ciopt_cov_fail_under",
        "linelist",
        "Lines `85` (total), `GLOB -> 90` (of these files together), `each GLOB -> 80`: percent of "
        "coverage that a whole run needs, wherever it is measured.",
    ),
    ("ciopt_cov_no_drop", "string", "Default of --ciopt-cov-no-drop, wherever it is measured."),
    (
        "ciopt_cov_reconstruct",
        "string",
        "Default of --ciopt-cov-reconstruct, wherever coverage is measured (environment: "
        "CIOPT_COV_RECONSTRUCT).",
    ),
    (
        QUALITY,
        "string",
        "Default of --ciopt-code-quality where gates are judged (environment: CIOPT_CODE_QUALITY).",
    ),
    ("ciopt_dir", "string", "Folder of the cache instead of .ciopt (environment: CIOPT_DIR)."),
    (
        BUDGET,
        "linelist",
        "Lines `10 min` (all tests), `GLOB -> 60 s` (these together), `each GLOB -> 500 ms`: what "
        "tests may take, judged by the history and the run together.",
    ),
    (
        "ciopt_durations",
        "string",
        "File with durations by which tests are divided among shards, the same for all of them.",
    ),
    (
        WATCHED,
        "args",
        "Names of environment variables, with * and ?: when one is another than when tests were "
        "recorded with their dependencies, every test runs.",
    ),
    ("ciopt_dist", "string", "Default of --ciopt-dist (environment: CIOPT_DIST)."),
    ("ciopt_explain", "string", "Default of --ciopt-explain (environment: CIOPT_EXPLAIN)."),
    ("ciopt_json", "string", "Default of --ciopt-json (environment: CIOPT_JSON)."),
    (
        "ciopt_patch_fail_under",
        "string",
        "Default of --ciopt-patch-fail-under, wherever it is measured.",
    ),
    ("ciopt_record", "string", "Default of --ciopt-record (environment: CIOPT_RECORD)."),
    (
        "ciopt_record_omit",
        "args",
        "Parts that are not recorded, e.g. failures (environment: CIOPT_RECORD_OMIT).",
    ),
    (
        "ciopt_safety",
        "string",
        "How recorded dependencies are used: exact (default) or closure (environment: "
        "CIOPT_SAFETY).",
    ),
    (
        "ciopt_shard_history",
        "string",
        "Whose the history is in CI: own (default) or shared, if all shards restore the same one.",
    ),
    (
        "ciopt_slow_threshold",
        "string",
        "From when on a test is slow for --ciopt-slow: seconds, e.g. 2 s (default: 1 s), or a "
        "share of the tests, e.g. 95 %.",
    ),
    ("ciopt_strict", "string", "Default of --ciopt-strict (environment: CIOPT_STRICT)."),
    ("ciopt_timeout", "string", "Default of --ciopt-timeout (environment: CIOPT_TIMEOUT)."),
)


FLAGS: dict[str, dict[str, object]] = {
    "--ciopt-bench-fail": {
        "metavar": "SLOWDOWN",
        "help": "fail when a benchmark of pytest-benchmark is slower than at the base by SLOWDOWN, "
        "in percent or for example 300us, and measuring both again and again says so",
    },
    FLAG: {
        "nargs": "?",
        "const": AUTO,
        "metavar": "BASE",
        "dest": "ciopt_changed",
        "help": "run only the tests that the change since BASE can affect (only the form with = "
        "takes a value; without one, the base is found by itself)",
    },
    "--ciopt-code-quality": {
        "metavar": "FILE",
        "help": "write the lines that failed gates name to FILE, as GitLab's code quality report",
    },
    "--ciopt-cov": {
        "action": "store_true",
        "help": "measure coverage with coverage.py as the project configures it, where --cov of "
        "pytest-cov does not",
    },
    "--ciopt-cov-fail-under": {
        "metavar": "PERCENT",
        "help": "fail when a whole run covers less, exactly (implies --ciopt-cov)",
    },
    NO_DROP: {
        "nargs": "?",
        "const": "0",
        "metavar": "POINTS",
        "help": "fail when a whole run covers less than the base did, or less by more than POINTS "
        "percentage points (only the form with = takes a value; implies --ciopt-cov)",
    },
    RECONSTRUCT: {
        "action": "store_true",
        "help": "keep what each test covers, and where a selection leaves tests out, put together "
        "what a whole run would have covered",
    },
    "--ciopt-dist": {
        "action": "store_true",
        "help": "with -n, give workers the tests in batches by what they will take, the "
        "longest first",
    },
    "--ciopt-explain": {
        "action": "store_true",
        "help": "print why each test was selected or dropped",
    },
    "--ciopt-json": {"metavar": "FILE", "help": "write all decisions, with their reasons, to FILE"},
    "--ciopt-patch-fail-under": {
        "metavar": "PERCENT",
        "help": "fail when less of the changed lines is covered (implies --ciopt-cov)",
    },
    "--ciopt-plan": {
        "metavar": "FILE",
        "help": "divide the tests as the plan in FILE says, which `ciopt plan` makes (environment: "
        "CIOPT_PLAN)",
    },
    "--ciopt-record": {
        "choices": RECORDS,
        "help": "keep the outcome and the duration of each test in .ciopt/segments (results), also "
        "which code and files it used (deps), or that only where it adds little to what earlier "
        "runs took (auto, the default beside another option of this group, else off)",
    },
    "--ciopt-shard": {
        "metavar": "K/N",
        "help": "run the K-th of N parts of the tests, or with auto the one that the CI service "
        "tells (environment: CIOPT_SHARD)",
    },
    "--ciopt-slow": {
        "choices": SLOW,
        "help": "report the tests that the history knows to be slow, skip them, or run only them; "
        "those marked slow are among them",
    },
    "--ciopt-strict": {
        "action": "store_true",
        "help": "make an error inside pytest-ciopt an error of the run, instead of running "
        "all tests",
    },
    "--ciopt-timeout": {
        "metavar": "FACTOR",
        "help": "stop a test that takes FACTOR times as long as its slowest recorded run, and more "
        "than a minute (needs pytest-timeout)",
    },
}


_RUNNING_NOTHING = ("collectonly", "setuponly", "setupplan")
"""Options of pytest under which no test is called, though it may be reported as passed."""
_NOT_ALONE = ("--ciopt-record", "--ciopt-strict")
"""Flags that ask nothing of a run by themselves."""


def _name(flag: str) -> str:
    """Of its value among pytest's options."""
    return flag.removeprefix("--").replace("-", "_")


def add(parser: pytest.Parser) -> None:
    """Adds the group `ciopt` and the ini options."""
    group = parser.getgroup("ciopt", "run what a change can affect (pytest-ciopt)")
    for flag, how in FLAGS.items():
        group.addoption(flag, default=None, **how)
    for name, kind, text in _INI:
        parser.addini(name, text, type=kind, default="" if kind == "string" else [])  # type: ignore[arg-type]


_BARE = {FLAG: AUTO, NO_DROP: "0"}
"""Values of flags that are given without one."""


def selection_is_asked(known: argparse.Namespace) -> bool:
    """Whether any flag wants a selection made or told."""
    return (
        getattr(known, "ciopt_changed", None) is not None
        or bool(getattr(known, "ciopt_explain", None))
        or getattr(known, "ciopt_json", None) is not None
    )


def sharding_is_asked(known: argparse.Namespace) -> bool:
    """Whether only one shard is to run. Asked in every run, so no adapter is imported; not in xdist
    workers, which are told. A plan in the environment alone says nothing."""
    flags = (getattr(known, name, None) for name in ("ciopt_shard", "ciopt_plan"))
    variable = os.environ.get("CIOPT_SHARD", "").strip()  # noqa: TID251
    return bool(variable) or any(flag is not None for flag in flags)


def plan_is_asked(known: argparse.Namespace) -> bool:
    """Whether a plan that somebody made says what runs. Asked in every run, as above."""
    variable = os.environ.get("CIOPT_PLAN", "").strip()  # noqa: TID251
    given = bool(variable) or getattr(known, "ciopt_plan", None) is not None
    return given and sharding_is_asked(known)


def scheduling_is_asked(config: pytest.Config) -> bool:
    """Whether workers get their tests from us. Asked in every run, so no adapter is imported."""
    variable = os.environ.get("CIOPT_DIST", "").strip()  # noqa: TID251
    said = str(variable or config.getini("ciopt_dist")).strip().lower()
    return bool(getattr(config.option, "ciopt_dist", None)) or said in ("1", "true", "yes", "on")


def coverage_is_asked(known: argparse.Namespace) -> bool:
    """Whether a flag wants coverage measured."""
    return bool(getattr(known, "ciopt_cov", None)) or any(
        getattr(known, name, None) is not None for name in COVERED
    )


def contexts_are_asked(config: pytest.Config, known: argparse.Namespace) -> bool:
    """Whether what each test covers may be kept. Asked in every run, so no adapter is imported."""
    name = "ciopt_cov_reconstruct"
    said = os.environ.get(name.upper(), "").strip()  # noqa: TID251
    return bool(getattr(known, name, None) or said or config.getini(name))


def gates_are_asked(config: pytest.Config) -> bool:
    """Whether something is asked of coverage, durations or benchmarks, coverage is to be measured
    or kept, or a report is wanted."""
    if getattr(config.option, QUALITY, None) is not None:
        return True
    asked = coverage_is_asked(config.option) or contexts_are_asked(config, config.option)
    asked = asked or benchmarks_are_judged(config)
    return asked or any(map(config.getini, (*COVERED, BUDGET)))


def benchmarks_are_judged(config: pytest.Config, known: argparse.Namespace | None = None) -> bool:
    """Whether something is asked of benchmarks. Asked in every run, so no adapter is imported.

    `known` are the options as far as they are known before conftest files are loaded.
    """
    options = config.option if known is None else known
    return bool(
        getattr(options, BENCH_FAIL, None) is not None
        or os.environ.get(BENCH_FAIL.upper(), "").strip()  # noqa: TID251
        or config.getini(BENCH_FAIL)
    )


def benchmarks_are_measured(config: pytest.Config) -> bool:
    """Whether pytest-benchmark is loaded, under whatever name: its options are there."""
    return hasattr(config.option, "benchmark_disable")


def timeouts_are_asked(config: pytest.Config) -> bool:
    """Whether tests get limits. Asked in every run, so no adapter is imported."""
    return bool(
        getattr(config.option, "ciopt_timeout", None)
        or os.environ.get("CIOPT_TIMEOUT", "").strip()  # noqa: TID251
        or config.getini("ciopt_timeout")
    )


def recording(config: pytest.Config, known: argparse.Namespace | None = None) -> str:
    """What is kept of the run: by the flag, the environment or the ini option, unchecked.

    Whoever uses another of our flags lives with us: then something is kept by default. So does who
    says it by a variable that has no ini option, as it is as good as the flag.
    It is asked in every run, so no adapter is imported to read the variable. `known` are the
    options as far as they are known before conftest files are loaded.
    """
    options = config.option if known is None else known
    asked = getattr(options, "ciopt_record", None)
    variable = os.environ.get("CIOPT_RECORD", "").strip()  # noqa: TID251
    others = (getattr(options, _name(flag), None) for flag in FLAGS if flag not in _NOT_ALONE)
    lives_with_us = sharding_is_asked(options) or scheduling_is_asked(config)
    lives_with_us = lives_with_us or any(other is not None for other in others)
    default = IF_CHEAP if lives_with_us else OFF
    said = str(asked or variable or config.getini("ciopt_record") or default)
    return config.stash.get(SETTLED, said) if said == IF_CHEAP else said


def runs_tests(options: argparse.Namespace) -> bool:
    """Whether pytest does more than to collect tests, or to set them up."""
    return not any(getattr(options, name, False) for name in _RUNNING_NOTHING)


def ends_early(config: pytest.Config) -> bool:
    """Whether a selection has shown before collection that nothing is to run."""
    plugin = config.pluginmanager.getplugin(SELECTION)
    return plugin is not None and bool(plugin.run.ends_early)


def with_separate_values(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> argparse.Namespace:
    """Mends `--ciopt-changed tests/`, where argparse takes the folder for the flag's value.

    argparse knows optional values only with both spellings. So the bare flag becomes
    `--ciopt-changed=:auto` in the list that pytest is about to parse for good.
    """
    known = early_config.known_args_namespace
    args[:] = [word for arg in args for word in from_file(arg)]
    end = args.index("--") if "--" in args else len(args)
    bare = [position for position in range(end) if args[position] in _BARE]
    if bare:
        for position in bare:
            args[position] = f"{args[position]}={_BARE[args[position]]}"
        again = parser.parse_known_args(args, namespace=copy.copy(early_config.option))
        for name in ("ciopt_changed", "ciopt_cov_no_drop", "file_or_dir"):
            setattr(known, name, getattr(again, name))
    return known


def from_file(arg: str) -> list[str]:
    """The arguments in `@file`, one a line, if the bare flag is among them."""
    if arg.startswith("@"):
        try:
            with open(arg[1:], encoding="utf-8") as stream:
                words = stream.read().splitlines()
        except (OSError, ValueError):
            return [arg]  # pytest will say so
        if not _BARE.keys().isdisjoint(words):
            return words
    return [arg]
