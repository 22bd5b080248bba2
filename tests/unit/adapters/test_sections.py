import pytest

from pytest_ciopt.adapters.sections import Sections, decoded, encoded

PARTS = (b"one", b"", b"\0\n\t", bytes(range(256)))


def read(content: bytes, version: str = "v", number: int = 4) -> Sections | None:
    return decoded(content, version, number)


@pytest.mark.parametrize("key", ["", "a key", "0af3"])
@pytest.mark.parametrize("parts", [PARTS, (b"", b"", b"", b"")])
def test_what_is_encoded_is_decoded(key: str, parts: tuple[bytes, ...]) -> None:
    found = read(encoded("v", key, parts))
    assert found is not None
    assert found.key == key
    assert tuple(map(bytes, found.parts)) == parts


def test_another_version_or_number_of_sections_is_rejected() -> None:
    content = encoded("v", "key", PARTS)
    assert read(content, version="w") is None
    assert read(content, number=3) is None
    assert read(content, number=5) is None


def test_every_flipped_bit_and_every_cut_is_noticed() -> None:
    whole = encoded("v", "key", PARTS)
    for bit in range(8 * len(whole)):
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        assert read(bytes(damaged)) is None, bit
    for length in range(len(whole)):
        assert read(whole[:length]) is None, length
    assert read(whole + b"x") is None


def test_sizes_are_part_of_what_the_checksum_covers() -> None:
    content = encoded("v", "key", (b"ab", b"cd", b"", b""))
    assert read(content.replace(b"2\t2", b"1\t3")) is None
    assert read(content.replace(b"key", b"kez")) is None
