import pytest

from pytest_ciopt.core.edits import trees


@pytest.mark.parametrize(
    "text", ["def f():\n    await g()\n", "break\n", "def f(:\n", "\0", "[(x := 1) for x in y]\n"]
)
def test_what_is_not_compiled(text: str) -> None:
    assert trees.complaints(text.encode()) is None


def test_what_is_warned_of() -> None:
    before = trees.complaints(b"def f(x): return x is 1\n")
    assert before is not None
    assert len(before) == 1
    assert trees.complaints(b"# moved\ndef f(x): return x is 1\n") == before
    assert trees.complaints(b"def f(x): return x is 1 or x is 2\n") != before
    assert trees.complaints(b"def f(x): return x == 1\n") == ()


@pytest.mark.filterwarnings("error")
def test_no_warning_gets_out() -> None:
    assert trees.complaints(b"x = 1 is 1\n")
