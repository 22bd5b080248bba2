"""The tracer alone, on modules that each test writes; in a process of its own."""

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

BEFORE = """
import json, os, sys, threading
sys.path.insert(0, os.getcwd())
from pathlib import Path
from pytest_ciopt.adapters.tracing.stretch import Stretch
from pytest_ciopt.adapters.tracing.tracer import Tracer
tracer = Tracer(os.getcwd())
assert tracer.start()
lines = []
def told(*records): lines.extend(tracer.encoded(*records).splitlines())
def test(name, stretch): told(tracer.test(name, stretch))
"""
AFTER = """
told(*tracer.finish())
print(json.dumps([json.loads(line) for line in lines]))
"""


def traced(folder: Path, script: str, **files: str) -> dict[str, dict[str, Any]]:
    """Traces by id of test; units by name."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(dedent(text))
    code = BEFORE + dedent(script) + AFTER
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    names: list[str] = []
    found: dict[str, dict[str, Any]] = {}
    for line in json.loads(done.stdout):
        if line["kind"] == "units":
            names += [f"{line['path'].removesuffix('.py')}:{name}" for name in line["names"]]
        elif line["kind"] in ("traced", "traced-session"):
            numbers, at = [], 0
            for step in line.get("units", []):
                numbers.append(at := at + step)
            line["units"] = {names[number] for number in numbers}
            found[line.get("id", "session")] = line
    return found


LIB = "def f(): return 1\ndef g(): return 2\ndef calls(x): return x()\n"


def test_stretches_nest(tmp_path: Path) -> None:
    """What runs inside belongs to the inner one, also what the outer one has run already."""
    found = traced(
        tmp_path,
        """
        import lib
        outer, inner = Stretch(), Stretch()
        tracer.enter(outer)
        lib.f()
        tracer.enter(inner)
        lib.f()
        lib.calls(lib.g)
        tracer.leave(inner)
        lib.f()
        tracer.leave(outer)
        lib.g()
        test("outer", outer); test("inner", inner)
        """,
        lib=LIB,
    )
    assert found["outer"]["units"] == {"lib:f"}
    assert found["inner"]["units"] == {"lib:f", "lib:g", "lib:calls"}
    assert found["session"]["units"] == {"lib:", "lib:g"}


def test_a_stretch_may_be_entered_again(tmp_path: Path) -> None:
    found = traced(
        tmp_path,
        """
        import lib
        one = Stretch()
        for part in (lib.f, lib.g):
            tracer.enter(one)
            part()
            tracer.leave(one)
            lib.calls(int)
        test("one", one)
        """,
        lib=LIB,
    )
    assert found["one"]["units"] == {"lib:f", "lib:g"}


def test_what_was_never_left_ends_with_what_is_around_it(tmp_path: Path) -> None:
    found = traced(
        tmp_path,
        """
        import lib
        outer, inner = Stretch(), Stretch()
        tracer.enter(outer)
        tracer.enter(inner)
        lib.f()
        tracer.leave(outer)
        lib.g()
        tracer.leave(inner)
        lib.g()
        test("outer", outer); test("inner", inner)
        """,
        lib=LIB,
    )
    assert found["outer"]["units"] == set()
    assert found["inner"]["units"] == {"lib:f"}
    assert found["session"]["units"] == {"lib:", "lib:g"}


def test_code_that_was_replaced_is_seen(tmp_path: Path) -> None:
    found = traced(
        tmp_path,
        """
        import lib
        lib.f()
        for n in range(3):
            one = Stretch()
            lib.f.__code__ = lib.f.__code__.replace(co_firstlineno=n + 1)
            tracer.enter(one)
            lib.f()
            tracer.leave(one)
            test(str(n), one)
        """,
        lib=LIB,
    )
    assert [found[str(n)]["units"] for n in range(3)] == [{"lib:f"}] * 3


def test_an_error_in_the_watched_code_is_its_own(tmp_path: Path) -> None:
    found = traced(
        tmp_path,
        """
        import lib
        one = Stretch()
        tracer.enter(one)
        try: lib.deep(0)
        except RecursionError: pass
        try: next(lib.gen())
        except ZeroDivisionError: pass
        tracer.leave(one)
        test("one", one)
        two, three = Stretch(), Stretch()
        for each in (two, three):
            tracer.enter(each)
            try: next(lib.gen())
            except ZeroDivisionError: pass
            tracer.leave(each)
        test("three", three)
        """,
        lib="def deep(n): return deep(n + 1)\ndef gen(): yield 1 / 0\n",
    )
    if found["one"]["units"] != {"lib:deep", "lib:gen"}:
        assert "unseen" in found["one"]  # a profiler is dropped by such an error
    assert found["three"]["units"] == {"lib:gen"}
    assert "unseen" not in found["three"]


def test_many_files_are_not_named(tmp_path: Path) -> None:
    found = traced(
        tmp_path,
        """
        one = Stretch()
        tracer.enter(one)
        for n in range(5_001):
            try: open(f"data/{n}")
            except OSError: pass
        tracer.leave(one)
        test("one", one)
        """,
    )
    assert "reads" not in found["one"]
    assert found["one"]["unseen"] == "reads too many files to name them"


def test_how_files_are_opened(tmp_path: Path) -> None:
    found = traced(
        tmp_path,
        """
        one = Stretch()
        for name in "abcdefghi": Path(name).write_text("x")
        tracer.enter(one)
        open("a").close()
        open(b"b", "r+").close()
        open(Path("c"), "a+").close()
        open("d", "w").close()
        open("d").close()
        open("e", "a").close()
        os.close(os.open("f", os.O_RDWR))
        os.close(os.open("g", os.O_WRONLY))
        os.close(os.open(Path("h"), os.O_RDWR | os.O_TRUNC))
        os.close(os.open("new", os.O_RDWR | os.O_CREAT | os.O_EXCL))
        with open(os.open(os.devnull, os.O_RDONLY)) as stream: stream.read()
        os.listdir()
        list(os.scandir())
        os.listdir(b".")
        tracer.leave(one)
        test("one", one)
        """,
    )
    assert found["one"]["reads"] == ["a", "b", "c", "f"]
    assert found["one"]["lists"] == [""]
