"""Tables that can be read whatever is in them."""

from pytest_ciopt.report.tables import table


def test_a_long_cell_pushes_nothing_out_of_sight() -> None:
    lines = list(
        table((">n", "branch", "test"), [("1", "b" * 10_000, "t" * 10_000), ("22", "", "x")])
    )
    assert lines == [
        " n  branch" + " " * 36 + "test",
        " 1  " + "b" * 37 + "...  " + "t" * 10_000,
        "22  " + " " * 42 + "x",
    ]


def test_control_characters_are_spelled_out() -> None:
    assert list(table(("test",), [("a\x1b[31m\n\u202eb\ud800",)])) == [
        "test",
        "a\\x1b[31m\\n\\u202eb\\ud800",
    ]
