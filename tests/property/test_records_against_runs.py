"""Small programs are recorded, edited at random and run again: what fails was selected.

Functions, constants, classes, caches and fixtures depend on each other across modules. Each test,
and each example in a text, asserts the value that the program gave before the edit, so whatever
the edit alters makes tests fail; which ones, is told by running them all.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pytest_ciopt.adapters.tracing.tracer import can_trace
from repository import Decisions, repository
from thoroughness import examples

pytestmark = pytest.mark.skipif(not can_trace(), reason="what runs cannot be watched here")
MODULES, FUNCTIONS, TESTS = 3, 3, 3
CONFIG = "[pytest]\npythonpath = .\naddopts = --doctest-modules --doctest-glob=*.rst\n"
NUMBERS = st.integers(1, 9).map(str)
PLUGINS = ("-p", "no:cacheprovider", "-p", "pytest_ciopt.plugin", "-q", "--tb=no", "-rfE")


@dataclass(frozen=True)
class Program:
    """Lines of modules: each is a definition on its own, with what it needs imported above."""

    modules: tuple[tuple[str, ...], ...]
    conftest: str
    tests: tuple[tuple[str, ...], ...]
    """By test module: expressions, one a test."""
    examples: tuple[str, ...]
    """Expressions, of which every other stands in a text, the rest in docstrings."""


def names_before(module: int) -> list[str]:
    return [
        name
        for number in range(module)
        for name in (f"m{number}.C", *(f"m{number}.f{n}()" for n in range(FUNCTIONS)))
    ]


@st.composite
def terms(draw: st.DrawFn, known: list[str]) -> str:
    parts = draw(st.lists(st.sampled_from(known) | NUMBERS, min_size=1, max_size=3))
    return " + ".join(parts)


@st.composite
def functions(draw: st.DrawFn, module: int, number: int) -> str:
    name, known = f"f{number}", [*names_before(module), "C", *(f"f{n}()" for n in range(number))]
    value = draw(terms(known))
    match draw(st.sampled_from(["plain", "default", "cached", "memo", "lazy", "method", "made"])):
        case "default":
            return f"def {name}(x={draw(terms(known))}):\n    return x + {value}"
        case "cached":
            return f"@functools.lru_cache\ndef {name}():\n    return {value}"
        case "memo":
            return (
                f"MEMO{number} = {{}}\ndef {name}():\n    if 1 not in MEMO{number}:\n"
                f"        MEMO{number}[1] = {value}\n    return MEMO{number}[1]"
            )
        case "lazy":
            return (
                f"class L{number}:\n    value = None\n    def get(self):\n"
                f"        if self.value is None:\n            self.value = self.compute()\n"
                f"        return self.value\n    def compute(self):\n        return {value}\n"
                f"ONE{number} = L{number}()\ndef {name}():\n    return ONE{number}.get()"
            )
        case "method":
            return (
                f"class B{number}:\n    a = {draw(NUMBERS)}\n    def go(self):\n"
                f"        return self.a + {value}\n"
                f"class D{number}(B{number}):\n    def stay(self):\n        return 1\n"
                f"def {name}():\n    return D{number}().go()"
            )
        case "made":
            return f"MADE{number} = {value}\ndef {name}():\n    return MADE{number}"
    return f"def {name}():\n    return {value}"


@st.composite
def programs(draw: st.DrawFn) -> Program:
    modules = tuple(
        (f"C = {draw(terms([*names_before(m), '1']))}", *(draw(functions(m, n)) for n in range(3)))
        for m in range(MODULES)
    )
    everything = names_before(MODULES)
    scope = draw(st.sampled_from(["function", "module", "session"]))
    conftest = (
        "import pytest\nfrom app import m0, m1, m2\n"
        f"@pytest.fixture(scope={scope!r})\ndef given():\n    return {draw(terms(everything))}\n"
    )
    one = terms([*everything, "given"])
    tests = tuple(
        tuple(draw(st.lists(one, min_size=1, max_size=TESTS))) for _ in range(draw(st.just(2)))
    )
    examples = tuple(draw(st.lists(terms(everything), min_size=2, max_size=4)))
    return Program(modules, conftest, tests, examples)


def sources(program: Program, values: Iterator[str]) -> dict[str, str]:
    files = {"pytest.ini": CONFIG, "app/__init__.py": ""}
    for number, definitions in enumerate(program.modules):
        head = "import functools\n" + "".join(f"from app import m{n}\n" for n in range(number))
        files[f"app/m{number}.py"] = "\n".join([head, *definitions, ""])
    files["tests/conftest.py"] = program.conftest
    for number, expressions in enumerate(program.tests):
        lines = ["from app import m0, m1, m2"]
        for n, expression in enumerate(expressions):
            given = "given" if "given" in expression else ""
            lines.append(f"def test_{n}({given}):\n    assert {expression} == {next(values)}")
        files[f"tests/test_{number}.py"] = "\n".join([*lines, ""])
    files["tests/text.rst"] = files["app/told.py"] = ""
    for number, expression in enumerate(program.examples):
        text = f">>> from app import m0, m1, m2\n>>> {expression}\n{next(values)}\n"
        if number % 2:
            files["app/told.py"] += (
                f'def told_{number}():\n    """\n{indent(text, "    ")}    """\n'
            )
        else:
            files["tests/text.rst"] += f"{text}\n"
    return files


def run(root: Path, *arguments: str) -> set[str]:
    """Ids of the tests that fail."""
    command = [sys.executable, "-m", "pytest", *PLUGINS, *arguments]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assume(done.returncode != 4)  # an edit broke the conftest: nothing can be collected
    assert done.returncode in (0, 1), done.stdout + done.stderr
    lines = (line.split(" ") for line in done.stdout.splitlines())
    return {words[1] for words in lines if words[0] in ("FAILED", "ERROR")}


def values_of(root: Path, program: Program) -> list[str]:
    """What the expressions of the tests give, before there are tests."""
    given = program.conftest.rpartition("return ")[2].strip()
    code = "from app import m0, m1, m2\ngiven = lambda: " + given + "\n"
    for expressions in program.tests:
        code += "".join(f"print({one.replace('given', 'given()')})\n" for one in expressions)
    code += "".join(f"print({one})\n" for one in program.examples)
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=root, capture_output=True, text=True, check=True
    ).stdout.split()


@st.composite
def edits(draw: st.DrawFn, program: Program) -> tuple[str, str, str]:
    """(file, old, new): one number that stands somewhere in a module, or a method more or less."""
    module = draw(st.integers(0, MODULES - 1))
    definition = draw(st.sampled_from(program.modules[module]))
    choices = [place for place, letter in enumerate(definition) if letter in "123456789"]
    choices = [p for p in choices if not definition[p - 1].isalnum() and definition[p - 1] != "_"]
    file = f"app/m{module}.py"
    if "def stay" in definition and draw(st.booleans()):
        return file, definition, definition.replace("def stay(self)", "def go(self)")
    if not choices:
        return file, definition, f"{definition}\nMORE = 1"
    place = draw(st.sampled_from(choices))
    other = draw(NUMBERS)
    return file, definition, definition[:place] + other + definition[place + 1 :]


@settings(
    max_examples=examples(8),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(data=st.data(), program=programs())
def test_what_an_edit_breaks_is_selected(
    data: st.DataObject, program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    root = tmp_path / "repository"
    shutil.rmtree(root, ignore_errors=True)
    shutil.rmtree(tmp_path / "values", ignore_errors=True)
    for name, text in sources(program, iter(["0"] * 99)).items():
        (tmp_path / "values" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "values" / name).write_text(text)
    values = values_of(tmp_path / "values", program)
    made = repository(root, sources(program, iter(values)))
    assert run(root, "--ciopt-record=deps") == set()
    for _ in range(2):  # the second time with what the first one has recorded
        file, old, new = data.draw(edits(program))
        path = root / file
        before = path.read_text()
        path.write_text(before.replace(old, new))
        failing = run(root, "--ciopt-record=off")
        decisions = tmp_path / "decisions.json"
        run(root, "--ciopt-changed", f"--ciopt-json={decisions}", "--ciopt-record=deps")
        assert failing <= Decisions.read(decisions).selected.keys()
        path.write_text(before)
    made.git("status")
