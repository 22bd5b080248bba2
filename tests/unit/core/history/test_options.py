"""Names of options, and nothing of their values."""

import pytest

from pytest_ciopt.core.history.options import KNOWN, names_in
from pytest_ciopt.hooks.options import FLAGS


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["-qx", "-vs"], ("-s", "-x")),
        (["-kx", "-px", "-msx", "-n2"], ("-k", "-m", "-n", "-p")),
        (["-xk", "s"], ("-k", "-x")),
        (["-cx", "-ox=-s", "-Zx", "-rxs", "-W", "x"], ()),
        (["--timeout=40", "--lf", "--password=--nf", "--token", "x"], ("--lf", "--timeout")),
        (["-", "", "-x", "--", "-s"], ("-x",)),
    ],
)
def test_names(words: list[str], names: tuple[str, ...]) -> None:
    assert names_in(words) == names


def test_each_flag_of_ours_is_known() -> None:
    assert {name for name in KNOWN if name.startswith("--ciopt")} == set(FLAGS)
