"""The static closure against the truth: what each test module really loads when pytest runs it.

Hypothesis makes trees of packages, modules, conftests and test modules that import one another in
every form; each test module is then run by real pytest in a process of its own, which reports the
files it has loaded. A change of any of those files must reach that test module.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_ciopt.core.graph.dependents import search
from pytest_ciopt.core.graph.index import ImportIndex, layer
from pytest_ciopt.core.graph.reached import Layout, scope_of
from pytest_ciopt.core.graph.scanner import scan
from pytest_ciopt.core.naming import INIT, folder_of
from thoroughness import examples

RUNNER = """
import json, os, sys
import pytest

def loaded(test):
    pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:ciopt", test])
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    here = os.getcwd()
    return sorted({os.path.relpath(file) for file in files if file and file.startswith(here)})

told = {}
for number, test in enumerate(sys.argv[1:]):
    out = f"{os.getcwd()}/.told-{number}"
    child = os.fork()
    if child == 0:
        with open(out, "w") as stream:
            json.dump(loaded(test), stream)
        os._exit(0)
    os.waitpid(child, 0)
    with open(out) as stream:
        told[test] = json.load(stream)
with open(".told", "w") as stream:
    json.dump(told, stream)
"""

PACKAGES = ("src/pa", "src/pa/sub", "src/pb", "pc")
MODULES = tuple(f"{package}/{name}.py" for package in PACKAGES for name in ("one", "two"))
INITS = tuple(f"{package}/{INIT}" for package in PACKAGES)
CONFTESTS = ("tests/conftest.py", "tests/deep/conftest.py")
TESTS = ("tests/test_a.py", "tests/deep/test_b.py", "tests/deep/test_c.py")
HELPERS = ("tests/helper.py", "tests/deep/aid.py")


def _dotted(path: str) -> str:
    module = path.removesuffix(f"/{INIT}").removesuffix(".py").removeprefix("src/")
    return module.replace("/", ".")


def _relative(source: str, target: str) -> str | None:
    """`target` as seen from `source` with leading dots; None where it cannot be."""
    if not source.startswith(("src/", "pc")) or not target.startswith(source.split("/")[0]):
        return None
    here = _dotted(source if source.endswith(INIT) else f"{folder_of(source)}/{INIT}").split(".")
    there = _dotted(target).split(".")
    common = 0
    while common < min(len(here), len(there)) and here[common] == there[common]:
        common += 1
    if not common:
        return None
    return "." * (len(here) - common + 1) + ".".join(there[common:])


def _statement(source: str, target: str, form: int) -> str:
    dotted = _dotted(target)
    parent, _, name = dotted.rpartition(".")
    relative = _relative(source, target)
    forms = [
        f"import {dotted} as x",
        f"import {dotted}",
        f"from {dotted} import *",
        f"from {dotted} import (  # )\n    VALUE,\n    VALUE as other)",
        f"from {parent} import {name}" if parent else f"import os, {dotted}",
        f"from {dotted} \\\n    import VALUE",
        f"import importlib; importlib.import_module('{dotted}')",
        f"__import__({dotted!r})",
        f"import pytest; pytest.importorskip('{dotted}')",
    ]
    if relative is not None and relative.strip("."):
        forms.append(f"from {relative} import VALUE")
        front, _, last = relative.rpartition(".")
        forms.append(
            f"from {front or '.'} import {last}" if front.strip(".") else f"import {dotted}"
        )
    if relative is not None and not relative.strip("."):
        forms.append(f"from {relative} import VALUE")
    return forms[form % len(forms)]


def _code(source: str, targets: list[tuple[str, int, bool]]) -> str:
    """A module whose imports may fail, at import or when its function `call` runs."""
    lines = ["VALUE = 1"]
    later = ["def call():", "    pass"]
    for target, form, deferred in targets:
        block = [
            "try:",
            *_statement(source, target, form).splitlines(),
            "except Exception:",
            "pass",
        ]
        indented = [
            line if line in ("try:", "except Exception:") else f"    {line}" for line in block
        ]
        if deferred and "import *" not in indented[1]:
            later += [f"    {line}" for line in indented]
        else:
            lines += indented
    return "\n".join(lines + later) + "\n"


def _tree(draw: st.DrawFn) -> dict[str, str]:
    inner = [*INITS, *MODULES]
    edges = st.lists(
        st.tuples(st.sampled_from(inner), st.integers(0, 20), st.booleans()), max_size=3
    )
    plain = {path: _code(path, draw(edges)) for path in inner}
    for path in HELPERS:
        plain[path] = _code(path, draw(edges))
    for path in CONFTESTS:
        fixture = "\nimport pytest\n\n@pytest.fixture(autouse=True)\ndef auto():\n    call()\n"
        plain[path] = _code(path, draw(edges)) + fixture
    for path in TESTS:
        local = "aid" if "deep" in path else "helper"
        use = f"import {local}\n" if draw(st.booleans()) else ""
        plain[path] = use + _code(path, draw(edges)) + "\ndef test_it():\n    call()\n"
    for folder in ("tests", "tests/deep"):
        if draw(st.booleans()):
            plain[f"{folder}/{INIT}"] = ""
    return plain


trees = st.composite(_tree)()


def _truth(files: Mapping[str, str], root: Path) -> dict[str, list[str]]:
    """Files that each test module loads, itself included."""
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(content)
    (root / "pytest.ini").write_text("[pytest]\npythonpath = src .\n")
    done = subprocess.run(
        [sys.executable, "-c", RUNNER, *TESTS], cwd=root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, list[str]] = json.loads((root / ".told").read_text())
    return told


@settings(max_examples=examples(5), deadline=None, suppress_health_check=list(HealthCheck))
@given(trees)
def test_whatever_a_test_loads_reaches_it(files: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        truth = _truth(files, Path(folder))
    index = ImportIndex(
        sorted(files),
        layer({}),
        frozenset(),
        layer({path: scan(code.encode(), folder_of(path)) for path, code in files.items()}),
    )
    layout = Layout(frozenset(folder_of(path) for path in files if path.endswith(INIT)))
    assert any(len(loaded) > 1 for loaded in truth.values())
    for changed in {path for loaded in truth.values() for path in loaded}:
        found = search({changed: "changed"}, index, layout)
        missed = [
            test
            for test, loaded in truth.items()
            if changed in loaded and test not in found.files and not scope_of(test, found.scopes)
        ]
        assert not missed, (changed, missed, files)
