"""The scanner against the parser: what `ast` sees imported must be in a scan.

Imports inside `if TYPE_CHECKING:` never run and may be missing. Of the standard library a scan may
keep the top name only, since that is no file of the repository.
"""

import ast
import gc
import sys
import sysconfig
import unicodedata
import warnings
import zlib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pytest_ciopt.core.graph.scanner import scan
from thoroughness import examples

# --- the truth -----------------------------------------------------------------------------------


def imported(source: bytes, folder: str) -> Iterator[tuple[int, str]]:
    """(line, name) of each import statement that can run. Raises: SyntaxError, ValueError."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(source)
    for statement in _statements(tree.body):
        match statement:
            case ast.Import(names=names):
                yield from ((statement.lineno, alias.name) for alias in names)
            case ast.ImportFrom(names=names, module=module, level=level):
                base = _place(folder, level, module) if level else module or ""
                separator = "/" if level else "."
                for alias in names:
                    below = "" if alias.name == "*" else separator + alias.name
                    yield statement.lineno, base + below


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements below; imports are never part of an expression."""
    for statement in body:
        yield statement
        if isinstance(statement, ast.If) and _checks_types(statement.test):
            yield from _statements(statement.orelse)
            continue
        for name in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(statement, name, []))
        for name in ("handlers", "cases"):
            for part in getattr(statement, name, []):
                yield from _statements(part.body)


def _checks_types(test: ast.expr) -> bool:
    return "TYPE_CHECKING" in (getattr(test, "id", ""), getattr(test, "attr", ""))


def _place(folder: str, level: int, module: str | None) -> str:
    here = [part for part in folder.split("/") if part]
    parts = here[: max(0, len(here) + 1 - level)] + (module.split(".") if module else [])
    return "/" + "/".join(parts) if parts else ""


def missed(source: bytes, folder: str) -> list[tuple[int, str]]:
    """What a scan does not see of what `ast` sees."""
    # `from . import *` at the top names nothing: what lies there is no package.
    named = (pair for pair in imported(source, folder) if pair[1])
    return unseen(named, scan(source, folder))


def unseen(truth: Iterable[tuple[int, str]], found: frozenset[str]) -> list[tuple[int, str]]:
    return [(line, name) for line, name in truth if name not in found and _top(name) not in found]


def _top(name: str) -> str:
    """What is enough of a name of the standard library."""
    top = name.partition(".")[0]
    return top if top in sys.stdlib_module_names else name


# --- made-up modules -----------------------------------------------------------------------------

IDENTIFIERS = st.sampled_from(
    (
        "a",
        "b",
        "pkg",
        "mod_1",
        "_x",
        "importer",
        "from_here",
        "café",
        "\ufb01le",
        "日本",
        "asx",
        "os",
    )
)
DOTTED = st.lists(IDENTIFIERS, min_size=1, max_size=3)
GAP = st.sampled_from((" ", "  ", "\t", " \t", "\x0c", " \\\n", " \\\n    ", "\\\n\t"))
MAYBE_GAP = st.just("") | GAP
COMMENTS = st.sampled_from(
    (
        *("", "", "# x", "# (", "# )", "# import no", "# from no import (no", "# \\"),
        *("# circular import (see #1)", "#import(", "# 'x", '# """', "# if TYPE_CHECKING:"),
    )
)
PLAIN_COMMENTS = st.sampled_from(("", "", "# x", "# done", "# 1, 2"))


class Writer:
    """Writes statements as text, more or less oddly."""

    def __init__(self, draw: st.DrawFn, odd: bool) -> None:
        self._draw, self._odd = draw, odd

    def pick(self, strategy: st.SearchStrategy[str]) -> str:
        return self._draw(strategy)

    def gap(self) -> str:
        return self._draw(GAP) if self._odd else " "

    def maybe(self) -> str:
        return self._draw(MAYBE_GAP) if self._odd else ""

    def comment(self) -> str:
        return self._draw(COMMENTS if self._odd else PLAIN_COMMENTS)

    def dotted(self) -> str:
        parts = self._draw(DOTTED)
        dots = [f"{self.maybe()}.{self.maybe()}" for _ in parts[1:]]
        return parts[0] + "".join(d + p for d, p in zip(dots, parts[1:], strict=True))

    def alias(self, name: str) -> str:
        if self._draw(st.booleans()):
            return name
        return f"{name}{self.gap()}as{self.gap()}{self._draw(IDENTIFIERS)}"

    def imports(self) -> str:
        names = [self.alias(self.dotted()) for _ in range(self._draw(st.integers(1, 3)))]
        return f"import{self.gap()}" + f"{self.maybe()},{self.gap()}".join(names)

    def from_imports(self, star: bool) -> str:
        dots = self.maybe().join("." * self._draw(st.integers(0, 4)))
        module = self.dotted() if not dots or self._draw(st.booleans()) else ""
        origin = (self.maybe() if dots else self.gap()) + dots
        origin += (self.maybe() if dots else "") + module
        if star and self._draw(st.booleans()):
            return f"from{origin}{self.gap()}import{self.maybe()}*"
        names = [self.alias(self._draw(IDENTIFIERS)) for _ in range(self._draw(st.integers(1, 3)))]
        if self._draw(st.booleans()):
            return f"from{origin}{self.gap()}import{self.gap()}" + f"{self.maybe()},".join(names)
        before = self.maybe() if self._odd else " "
        return f"from{origin}{self.gap()}import{before}({self.listing(names)})"

    def listing(self, names: list[str]) -> str:
        """Between brackets, where a comment may end any line."""
        ends = [f",{self.gap() if self._odd else ' '}", ",\n    ", f",  {self.comment()}\n    "]
        lines = [name + self._draw(st.sampled_from(ends)) for name in names[:-1]]
        opening = self._draw(st.sampled_from(("", "\n    ", f"  {self.comment()}\n    ")))
        closing = self._draw(st.sampled_from(("", ",", "\n", f",  {self.comment()}\n")))
        return opening + "".join(lines) + names[-1] + closing

    def simple(self, star: bool = False) -> str:
        """One line, mostly of imports."""
        kind = self._draw(st.integers(0, 8))
        if kind <= 2:
            return self.imports()
        if kind <= 6:
            return self.from_imports(star)
        return self._draw(st.sampled_from(ODD_FILL if self._odd else FILL))

    def line(self, star: bool = False) -> str:
        count = self._draw(st.sampled_from((1, 1, 1, 2, 3)))
        between = f"{self.maybe()};{self.maybe()}" if self._odd else "; "
        end = self._draw(st.sampled_from(("", "", ";"))) + "  " + self.comment()
        return between.join(self.simple(star and count == 1) for _ in range(count)) + end.rstrip()

    def block(self, depth: int) -> list[str]:
        lines = []
        for _ in range(self._draw(st.integers(1, 3))):
            lines += self.statement(depth)
        return lines

    def statement(self, depth: int) -> list[str]:
        kind = self._draw(st.integers(0, 9))
        if kind <= 4 or depth > 2:
            return self.line(star=depth == 0).split("\n")
        if kind == 5:
            return self._draw(st.sampled_from(TEXTS if self._odd else PLAIN_TEXTS)).split("\n")
        heads = self._draw(st.sampled_from(COMPOUNDS))
        lines = []
        for head in heads:
            if self._draw(st.integers(0, 3)) == 0 and not head.startswith("match"):
                lines += f"{head}{self.maybe()}:{self.maybe()} {self.line()}".split("\n")
            elif head.startswith("match"):
                lines += [f"{head}:", *_indented(["case _:", *_indented(self.block(depth + 1))])]
            else:
                lines += [f"{head}:  {self.comment()}".rstrip(), *_indented(self.block(depth + 1))]
        return lines


def _indented(lines: list[str]) -> list[str]:
    return ["    " + line for line in lines]


FILL = ("pass", "x = 1", "f(x)", "x: int = 1", "x = 'text'", "x = [1, 2][0:1]", "x = {'a': 1}")
ODD_FILL = (
    *FILL,
    *("...", "x = 'import'", "x = 'from'", "x = 'import ('", 'x = "from a import (b"'),
    *("x = '#'", "x = ';'", "x = ':'", "x = '>>> import no'", "x = r'\\'", "x = '\\\\'"),
    *("f('import', 1)", "x = lambda: 1", "x = a[1:2]", "x = y.__import__", "f(from_=1)"),
    *("x = '''import '''", "x = b'if TYPE_CHECKING:'", "x = 1 if y else 2", "importer = 1"),
)
PLAIN_TEXTS = ('"""Some text."""', '"""Some text.\n\n    More of it.\n    """', "# a comment", "")
TEXTS = (
    *PLAIN_TEXTS,
    '"""We import (lazily"""',
    '"""\nif TYPE_CHECKING:\n    pass\n"""',
    'x = """\nif TYPE_CHECKING:\n    import no"""',
    '"""\nfrom no import (\n"""',
    '"""\nimport no, \\\n"""',
    "'''\n>>> import no\n'''",
    "# from no import (",
    "# a comment \\",
    "x = 'a\\\n  import (b'",
    "f(  # import (\n    x,\n)",
    "\x0c",
)
COMPOUNDS = (
    ("if x",),
    ("if x", "elif y", "else"),
    ("if TYPE_CHECKING",),
    ("if TYPE_CHECKING", "else"),
    ("if typing.TYPE_CHECKING", "elif x", "else"),
    ("if not TYPE_CHECKING",),
    ("if x", "elif TYPE_CHECKING", "else"),
    ("if x == 'import'",),
    ("for i in x[1:2]", "else"),
    ("while x", "else"),
    ("try", "except ImportError", "else", "finally"),
    ("try", "finally"),
    ("with f(';') as y",),
    ("def f(x: int = 1) -> 'import'",),
    ("async def f(*, from_=lambda: 1)",),
    ("class A(B, metaclass=C)",),
    ("match x",),
)


@st.composite
def modules(draw: st.DrawFn, odd: bool) -> bytes:
    """Source of a module. What is no Python after all is left out by the test."""
    text = "\n".join(Writer(draw, odd).block(0))
    if draw(st.booleans()):
        text += "\n"
    if odd:
        text = text.replace("\n", draw(st.sampled_from(("\n", "\n", "\r\n", "\r"))))
        text = draw(st.sampled_from(("", "", "\ufeff", "\x0c", "\n", "#!x\n"))) + text
    return text.encode()


def _parses(source: bytes) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(source)
    except SyntaxError:
        return False
    return True


FOLDERS = st.sampled_from(("", "a", "src/pkg", "a/b/c/d/e"))


@settings(max_examples=examples(300), deadline=None)
@given(modules(odd=False).filter(_parses), FOLDERS)
@example(b"from ..... import a", "a")
def test_usual_modules(source: bytes, folder: str) -> None:
    assert missed(source, folder) == []


@settings(max_examples=examples(700), deadline=None)
@given(modules(odd=True).filter(_parses), FOLDERS)
@example(b"\xef\xbb\xbfimport a", "")
@example(b"# we import (see #1)\nimport a\nf()", "")
def test_oddly_written_modules(source: bytes, folder: str) -> None:
    assert missed(source, folder) == []


def test_the_truth_is_true() -> None:
    """The oracle itself, on a module written by hand."""
    source = (
        b"import a.b as c, d\nfrom .. import e\nfrom .f import *\n"
        b"if TYPE_CHECKING:\n    import no\nelse:\n    from g import h\n"
        b"try:\n    import i\nexcept E:\n    import j\n"
        b"else:\n    import k\nfinally:\n    import l\n"
        b"match x:\n    case 1:\n        import m\n"
        b"class A:\n    async def f(self):\n        async with x:\n            import n\n"
    )
    names = [name for _, name in imported(source, "p/q")]
    assert sorted(names) == sorted(["a.b", "d", "/p/e", "/p/q/f", "g.h", *"ijklmn"])
    assert unseen(imported(source, "p/q"), frozenset(names) - {"/p/e"}) == [(2, "/p/e")]


def test_the_truth_normalises_names_as_the_scanner_has_to() -> None:
    (found,) = imported("import \ufb01le".encode(), "")
    assert found == (1, unicodedata.normalize("NFKC", "\ufb01le"))


# --- real files ----------------------------------------------------------------------------------

PARTS = 10
"""Into how many tests the files are dealt, so that several workers share them."""
SHARE = 6
"""One of so many files of site-packages is read; of the standard library all are."""


@cache
def real_files() -> tuple[Path, ...]:
    library, packages = (Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib"))
    found = [p for p in library.rglob("*.py") if "site-packages" not in p.parts]
    chosen = (p for p in packages.rglob("*.py") if _number(p, packages) % SHARE == 0)
    return tuple(sorted({*found, *chosen}))


def _number(path: Path, root: Path) -> int:
    return zlib.crc32(path.relative_to(root).as_posix().encode("utf-8", "surrogateescape"))


@pytest.mark.parametrize("part", range(PARTS))
def test_real_files(part: int) -> None:
    statements, unparsed, wrong = 0, list[str](), list[str]()
    files = real_files()[part::PARTS]
    gc.disable()  # trees hold no circles, and looking for them takes as long as parsing
    try:
        for path in files:
            source = path.read_bytes()
            try:
                seen = list(imported(source, "a/b/c"))
            except (SyntaxError, ValueError, RecursionError):
                unparsed.append(str(path))
                continue
            statements += len(seen)
            lost = unseen(seen, scan(source, "a/b/c"))
            wrong += [f"{path}:{line}: {name}" for line, name in lost]
    finally:
        gc.enable()
    facts = f"{len(files)} files, {statements} names, {len(unparsed)} unparsable: {unparsed}"
    assert not wrong, f"{len(wrong)} missed of {facts}\n" + "\n".join(wrong[:30])
    assert statements > 5 * len(files) > 500, facts
    assert len(unparsed) < 0.05 * len(files), facts
