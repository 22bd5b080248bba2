"""The tracer alone, on modules that each test writes; in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from pytest_ciopt.adapters.tracing.monitor import is_available

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


def lines_of(folder: Path, script: str, **files: str) -> list[dict[str, Any]]:
    for name, text in files.items():
        (folder / f"{name}.py").write_text(dedent(text))
    code = BEFORE + dedent(script) + AFTER
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    lines: list[dict[str, Any]] = json.loads(done.stdout)
    return lines


def names_of(lines: Iterable[dict[str, Any]]) -> list[str]:
    return [
        f"{line['path'].removesuffix('.py')}:{name}"
        for line in lines
        if line["kind"] == "units"
        for name in line["names"]
    ]


def traced(folder: Path, script: str, **files: str) -> dict[str, dict[str, Any]]:
    """Traces by id of test; units by name."""
    lines = lines_of(folder, script, **files)
    names = names_of(lines)
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        if line["kind"] in ("traced", "traced-session"):
            line["units"] = {names[number] for number in accumulate(line.get("units", []))}
            found[line.get("id", "session")] = line
    return found


def called(folder: Path, script: str, **files: str) -> tuple[set[str], set[str]]:
    """Calls in tests, and at import, as `user:f > lib:g`; without imports of modules."""
    lines = lines_of(folder, script, **files)
    names = names_of(lines)
    tests, imports = (
        {
            f"{names[number]} > {names[line['unit']]}"
            for line in lines
            if line["kind"] == "traced-calls" and not names[line["unit"]].endswith(":")
            for number in accumulate(line.get(kind, []))
        }
        for kind in ("tests", "imports")
    )
    return tests, imports


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


INNER = "def g(): return 1\ndef h(): return g()\n"
IN_TEST = """
one = Stretch()
tracer.enter(one)
{}
tracer.leave(one)
test("one", one)
"""


def test_calls_in_tests_and_at_import_are_told_apart(tmp_path: Path) -> None:
    script = "import user\n" + IN_TEST.format("user.k()\nuser.h()") + "user.n()\n"
    user = "from inner import g, h\nh()\ndef k(): return g()\ndef n(): return g()\n"
    tests, imports = called(tmp_path, script, inner=INNER, user=user)
    assert tests == {"user:k > inner:g", "inner:h > inner:g"}
    assert imports == {"user::2 > inner:h", "inner:h > inner:g", "user:n > inner:g"}


def test_calls_at_import_are_known_by_their_line(tmp_path: Path) -> None:
    user = """\
    from inner import g
    class C:
        size = (
            g())
        @staticmethod
        def m(): pass
        class D: key = [g() for _ in "ab"]
    def deco(f): return f
    @deco
    def k(): pass
    pairs = [lambda: g(), g()]
    """
    tests, imports = called(tmp_path, "import user", inner=INNER, user=user)
    assert not tests
    assert imports >= {"user::4 > inner:g", "user::11 > inner:g"}
    # Until Python 3.11 a comprehension is a function, which belongs to the class.
    assert imports & {"user::7 > inner:g", "user::7 > user:C.D"}
    assert "user::9 > user:deco" in imports


def test_a_module_that_is_imported_in_a_test(tmp_path: Path) -> None:
    """What runs below its body runs at import, what comes before and after in the test."""
    user = """\
    import inner
    def before(): inner.g()
    def loads(): import late; inner.g()
    def after(): inner.g()
    """
    late = "import inner\ndef k(): return inner.g()\nX = k()\nimport later\nY = inner.h()\n"
    script = "import inner, user" + IN_TEST.format("user.before(); user.loads(); user.after()")
    tests, imports = called(
        tmp_path, script, inner=INNER, user=user, late=late, later="import inner\ninner.g()\n"
    )
    at_import = {"late::3 > late:k", "late:k > inner:g", "late::5 > inner:h", "inner:h > inner:g"}
    assert at_import | {"later::2 > inner:g"} <= imports
    assert {f"user:{name} > inner:g" for name in ("before", "loads", "after")} <= tests
    assert tests.isdisjoint(at_import)
    assert imports.isdisjoint(f"user:{name} > inner:g" for name in ("before", "loads", "after"))


def test_what_a_module_ran_that_a_test_imported_concerns_others_as_well(tmp_path: Path) -> None:
    script = "import inner" + IN_TEST.format("import late; late.k()")
    late = "import inner\ninner.g()\ndef k(): return inner.h()\n"
    found = traced(tmp_path, script, inner=INNER, late=late)
    assert found["one"]["units"] == {"late:", "late:k", "inner:g", "inner:h"}
    assert found["session"]["units"] == {"inner:", "late:", "inner:g"}


@pytest.mark.parametrize(
    "late", ["import inner\ninner.g()\n1 / 0\n", "import inner\ninner.g()\nimport worse\n"]
)
def test_what_runs_after_a_body_that_failed_is_not_charged_to_it(tmp_path: Path, late: str) -> None:
    user = """\
    import inner
    def tries():
        try: import late
        except ZeroDivisionError: handles()
    def handles(): return inner.h()
    """
    files = {"inner": INNER, "user": user, "late": late, "worse": "import inner\n1 / 0\n"}
    script = "import inner, user" + IN_TEST.format("user.tries()\nuser.handles()")
    tests, imports = called(tmp_path, script, **files)
    assert imports == {"late::2 > inner:g"}
    assert {"user:handles > inner:h", "user:tries > user:handles"} <= tests
    found = traced(tmp_path, script, **files)
    assert found["session"]["units"].isdisjoint({"inner:h", "user:handles"})
    assert {"inner:h", "user:handles"} <= found["one"]["units"]


def test_functions_inside_of_others_have_nodes_of_their_own(tmp_path: Path) -> None:
    user = """\
    import inner
    def deco(f):
        def inside(): return f()
        return inside
    k = deco(inner.g)
    def calls(): return k()
    def local(): return [inner.h() for _ in range(1)], list(map(lambda _: inner.h(), [1]))
    """
    script = "import user" + IN_TEST.format("user.calls(); user.local()")
    tests, imports = called(tmp_path, script, inner=INNER, user=user)
    inside = "user:deco.<locals>.inside"
    assert {f"user:calls > {inside}", f"{inside} > inner:g"} <= tests
    assert "user:deco > inner:g" not in tests
    assert "user:local.<locals>.<lambda> > inner:h" in tests
    assert imports == {"user::5 > user:deco"}
    names = traced(tmp_path, script, inner=INNER, user=user)["one"]["units"]
    assert names == {"user:calls", "user:deco", "user:local", "inner:g", "inner:h"}


def test_installed_code_between_two_functions_is_passed_over(tmp_path: Path) -> None:
    user = """\
    import inner, json
    def loads(): return json.loads("{}", object_hook=hook)
    def hook(_): inner.g()
    """
    script = "import user" + IN_TEST.format("user.loads()")
    tests, _ = called(tmp_path, script, inner=INNER, user=user)
    assert tests == {"user:loads > user:hook", "user:hook > inner:g"}


def test_a_late_caller_is_seen_in_a_later_stretch(tmp_path: Path) -> None:
    """Once the calls that are all noted are used up."""
    user = "import inner\n" + "".join(f"def k{n}(): return inner.g()\n" for n in range(50))
    first = "for n in range(40): getattr(user, f'k{n}')()"
    later = "".join(IN_TEST.format(f"user.k{n}()") for n in range(40, 50))
    tests, _ = called(
        tmp_path, f"import user{IN_TEST.format(first)}{later}", inner=INNER, user=user
    )
    assert {f"user:k{n} > inner:g" for n in range(32)} <= tests
    assert {f"user:k{n} > inner:g" for n in range(40, 50)} <= tests


def test_who_calls_what_runs_in_very_many_stretches_is_noted_in_some(tmp_path: Path) -> None:
    user = "import inner\n" + "".join(f"def k{n}(): return inner.g()\n" for n in range(120))
    stretches = (
        "for n in range(120):\n    tracer.enter(one := Stretch())\n    {}\n    tracer.leave(one)"
    )
    script = "import user\n" + stretches.format("getattr(user, f'k{n}')()")
    tests, _ = called(tmp_path, script, inner=INNER, user=user)
    assert {f"user:k{n} > inner:g" for n in range(60)} <= tests
    assert 60 < len(tests) < 120


COUNTED = """
tracer.stop()
heard, hear = [], sys.monitoring.register_callback
def counting(tool, event, callback):
    def counted(code, *rest):
        heard.append(code.co_name)
        return callback(code, *rest)
    return hear(tool, event, callback and counted)
sys.monitoring.register_callback = counting
tracer = Tracer(os.getcwd())
assert tracer.start()
import lib
for often in {often}:
    tracer.enter(one := Stretch())
    for _ in range(often):
        lib.f()
    tracer.leave(one)
    test(f"after {{heard.count('f')}}", one)
    heard.clear()
"""


@pytest.mark.skipif(not is_available(), reason="sys.monitoring is of Python 3.12")
def test_what_runs_often_is_heard_of_a_few_times_in_each_stretch(tmp_path: Path) -> None:
    """As many as it takes to know its callers, in the first one."""
    found = traced(tmp_path, COUNTED.format(often=[100, 1000, 3, 1000]), lib=LIB)
    assert [name for name in found if name != "session"] == ["after 33", "after 4", "after 3"]
    assert all(found[name]["units"] == {"lib:f"} for name in found if name != "session")
