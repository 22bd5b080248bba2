"""The words of a source, and what they tell of two sources without parsing them. Pure."""

MAX_SOURCE = 2_000_000
"""Bytes above which a source is neither parsed nor split: both take many times its size."""
_BETWEEN = bytes(
    byte if byte > 127 or chr(byte).isalnum() or byte == ord("_") else ord(" ")
    for byte in range(256)
)
"""Leaves of a text its words."""
_UNCLEAR = frozenset(b"#'\"\\0123456789") | frozenset(range(128, 256))
"""What can be written in several ways: comments, strings, numbers, identifiers beyond ASCII."""
_SYNONYMS = frozenset((b"elif", b"else"))


def words_of(text: bytes) -> list[bytes]:
    """Identifiers, keywords and numbers, in order; the names of folders consist of such, too."""
    return text.translate(_BETWEEN).split()


def surely_differ(before: bytes, after: bytes) -> bool:
    """Whether two Python sources differ in more than comments and formatting; False: perhaps not.

    Looks at the changed lines alone. Where they hold nothing that can be written in two ways, other
    words are other code, or other text in a string that goes on over several lines.
    """
    if max(len(before), len(after)) > MAX_SOURCE:
        return False
    old, new = before.split(b"\n"), after.split(b"\n")
    first, last = 0, min(len(old), len(new))
    while first < last and old[first] == new[first]:
        first += 1
    behind = 0
    while behind < last - first and old[-1 - behind] == new[-1 - behind]:
        behind += 1
    removed = b"\n".join(old[first : len(old) - behind])
    added = b"\n".join(new[first : len(new) - behind])
    if not _UNCLEAR.isdisjoint(removed) or not _UNCLEAR.isdisjoint(added):
        return False
    was, now = words_of(removed), words_of(added)
    return was != now and _SYNONYMS.isdisjoint(was) and _SYNONYMS.isdisjoint(now)
