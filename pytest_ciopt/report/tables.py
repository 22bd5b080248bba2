"""Tables for a terminal and for a log: plain columns, no lines, no colours."""

from collections.abc import Iterator, Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN_BLOCKS = "_.-=+*#@"
"""For outputs that know ASCII only."""


_WIDEST = 40
"""Characters of a column that others follow: one long branch must not push them out of sight."""


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lines of a table. Columns whose head begins with `>` are set to the right.

    The last column may be as wide as it likes.
    """
    names = [head.removeprefix(">") for head in heads]
    shown = [[*(_cut(printable(cell)) for cell in row[:-1]), printable(row[-1])] for row in rows]
    widths = [max(map(len, column)) for column in zip(names, *shown, strict=True)]
    right = [head.startswith(">") for head in heads]
    for cells in (names, *shown):
        pairs = zip(cells, widths, right, strict=True)
        yield "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in pairs).rstrip()


def _cut(cell: str) -> str:
    return cell if len(cell) <= _WIDEST else f"{cell[: _WIDEST - 3]}..."


def printable(text: str) -> str:
    """Control characters would move the cursor or hide what is said: they are spelled out."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def duration(seconds: float) -> str:
    """Three digits with a unit, e.g. `1.20 s`, `35.1 ms`, `12 min`."""
    if seconds >= 120:
        return f"{seconds / 60:.3g} min"
    for unit, factor in (("s", 1.0), ("ms", 1e3)):
        if seconds * factor >= 0.9995:
            return f"{seconds * factor:#.3g} {unit}".replace(". ", " ")
    return f"{seconds * 1e6:.0f} us"


def trend(values: Sequence[float], blocks: str = BLOCKS) -> str:
    """A character a value, its height by the largest one."""
    top = max(values, default=0.0)
    if top <= 0:
        return blocks[0] * len(values)
    return "".join(blocks[min(len(blocks) - 1, int(v / top * len(blocks)))] for v in values)
