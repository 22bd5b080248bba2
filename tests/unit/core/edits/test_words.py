import pytest

from pytest_ciopt.core.edits.trees import parse, same
from pytest_ciopt.core.edits.words import MAX_SOURCE, surely_differ, words_of

BODY = "import os\n\n\ndef f(x):\n    return x\n\n\n"
TEXT = BODY + '"""\nsome text\nof two lines\n"""\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BODY, BODY + "EDITED = True\n"),
        (BODY, BODY.replace("return x", "return os")),
        (BODY, BODY.replace("import os\n", "")),
        (BODY, BODY.replace("(x)", "(x, y)")),
        (TEXT, TEXT.replace("some text", "other text")),
        (TEXT, TEXT.replace("some text", "some text\nand more")),
        ("", "pass"),
        ("a\nb", "b\na"),
    ],
)
def test_other_words_are_other_code(before: str, after: str) -> None:
    assert surely_differ(before.encode(), after.encode())
    assert surely_differ(after.encode(), before.encode())
    old, new = parse(before.encode()), parse(after.encode())
    assert old is not None
    assert new is not None
    assert not same(old, new)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BODY, BODY),
        (BODY, BODY + "\n\n"),
        (BODY, BODY + "# a comment\n"),
        (BODY, BODY.replace("return x", "return x  # why")),
        (BODY, BODY.replace("return x", "return (x)")),
        (BODY, BODY.replace("return x", "return (\n        x\n    )")),
        (BODY, BODY.replace("return x", "return \\\n x")),
        ("a = 0x10", "a = 16"),
        ("a = 'x'", 'a = "x"'),
        ("a = 'x'", "a = u'x'"),
        ("a = '\\x41'", "a = 'A'"),
        ("if a:\n  b\nelif c:\n  d\n", "if a:\n  b\nelse:\n  if c:\n    d\n"),
        ("\N{LATIN SMALL LIGATURE FI} = a", "fi = a"),
        ("x = 1; y = 2", "x = 1\ny = 2"),
        ("# one\n", "# two\n"),
        ("a\r\nb\r\n", "a\nb\n"),
        ("a # b\rc\n", "a # d\rc\n"),
    ],
)
def test_what_may_be_the_same_is_left_to_the_parser(before: str, after: str) -> None:
    assert not surely_differ(before.encode(), after.encode())
    assert not surely_differ(after.encode(), before.encode())


def test_of_a_large_source_nothing_is_told() -> None:
    assert surely_differ(b"a\n", b"b\n")
    assert not surely_differ(b"a\n" * MAX_SOURCE, b"b\n")


def test_words_are_what_names_consist_of() -> None:
    assert words_of("a.b_1/é-'c d'".encode()) == [b"a", b"b_1", "é".encode(), b"c", b"d"]
