from collections.abc import Iterable, Mapping

import pytest

from loading import indexed, laid_out
from pytest_ciopt.usecases.texts import Texts


class Contents:
    """Sources in memory."""

    def __init__(self, sources: Mapping[str, bytes]) -> None:
        self.sources = sources

    def read(self, path: str) -> bytes | None:
        return self.sources.get(path)

    def contents(self, blobs: Iterable[str]) -> dict[str, bytes]:
        raise AssertionError(blobs)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b"name", True),
        (b"x.name()", True),
        (b"x = 'name'", True),
        (b"x = 'a\\nname'", True),
        (b"x = '\\tname'", True),
        ("é name".encode(), True),
        (b"my_name = 1", False),
        (b"names = 1", False),
        (b"a_name_of = names", False),
        (b"rename; name", True),
        (b"", False),
    ],
)
def test_a_word_is_not_a_part_of_a_longer_one(source: bytes, expected: bool) -> None:
    """Be it asked once or often: for the latter there is another way of looking."""
    sources = {"a.py": source}
    texts = Texts(Contents(sources), indexed(sources), laid_out(sources))
    assert [texts.mentions("a.py", "name") for _ in range(80)] == [expected] * 80
