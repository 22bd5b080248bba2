import pytest

from pytest_ciopt.core.globs import first_match


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("a.txt", ["a.txt", "x/a.txt", "x/y/a.txt"], ["ba.txt", "a.txt.b", "a.txt/b", "aXtxt"]),
        ("*.txt", ["a.txt", ".txt", "x/a.txt"], ["a.txtx", "a.txt/b"]),
        ("a*", ["a", "abc", "x/ab"], ["ab/c", "ba"]),
        ("?.txt", ["a.txt", "x/b.txt"], ["ab.txt", ".txt"]),
        ("/a.txt", ["a.txt"], ["x/a.txt"]),
        ("./a/b.txt", ["a/b.txt"], ["x/a/b.txt"]),
        ("a/b.txt", ["a/b.txt"], ["x/a/b.txt", "a/x/b.txt"]),
        ("docs/*", ["docs/a", "docs/.b"], ["pkg/docs/a", "docs/a/b", "docs"]),
        ("docs/*.md", ["docs/a.md"], ["docs/a/b.md", "x/docs/a.md"]),
        ("docs/**", ["docs/a", "docs/a/b.c"], ["docs", "x/docs/a", "docsx/a"]),
        ("docs/", ["docs/a", "docs/a/b"], ["docs", "x/docs/a"]),
        ("docs/**/*.md", ["docs/a.md", "docs/a/b/c.md"], ["docs/a.txt", "a.md", "x/docs/a.md"]),
        ("**/a.txt", ["a.txt", "x/a.txt", "x/y/a.txt"], ["ba.txt", "x/ba.txt"]),
        ("a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/xb", "x/a/b"]),
        ("*/a", ["x/a"], ["a", "x/y/a"]),
        ("a/*/", ["a/x/y", "a/x/y/z"], ["a/x"]),
        ("**", ["a", "a/b"], []),
        ("*", ["a", "a/b"], []),
        ("a.[ch]", ["a.c", "x/a.h"], ["a.d", "a.ch"]),
        ("[!a].txt", ["b.txt"], ["a.txt", "ab.txt"]),
        ("[a-c]1", ["b1"], ["d1", "-1"]),
        ("x[!a]y", ["xby"], ["xay", "x/y"]),
        ("x/a[!b]c", ["x/adc"], ["x/a/c", "x/abc"]),
        ("[[]a]", ["[a]"], ["a", "[[]a]"]),
        ("a[]b", ["a[]b"], ["ab"]),
        ("[z-a]", ["[z-a]"], ["z", "b"]),
        ("a[", ["a["], ["a"]),
        ("[a&&b]", ["a", "&", "b"], ["c"]),
        ("[a||b]", ["a", "|", "b"], ["c"]),
        ("a+(b).txt", ["a+(b).txt"], ["aab.txt"]),
        ("a\\b", ["a\\b"], ["ab"]),
        ("a\nb", ["a\nb"], ["a b"]),
        ("a?b", ["a\nb"], ["a/b"]),
        ("é*", ["été", "x/é"], ["e"]),
        ("\udce9*", ["\udce9.txt"], ["e"]),
    ],
)  # fmt: skip
def test_patterns(pattern: str, matching: list[str], others: list[str]) -> None:
    assert [path for path in (*matching, *others) if first_match(path, (pattern,))] == matching


def test_the_first_pattern_that_matches_is_told() -> None:
    assert first_match("a/b.txt", ("*.md", "a/", "*.txt")) == "a/"
    assert first_match("a/b.txt", ("*.md",)) is None
    assert first_match("a/b.txt", ()) is None
    assert first_match("", ("*",)) == "*"
