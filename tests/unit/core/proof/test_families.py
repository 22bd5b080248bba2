"""Which classes may be those of one object."""

import pytest

from pytest_ciopt.core.proof.families import Families

FAMILIES = Families(
    [
        b"class A: ...\nclass B(A): ...\nclass C(other.B): ...\n",
        b"if x:\n    class M(\n        metaclass=Meta,\n    ): ...\nclass Both(B, M): ...\n",
        b"class D(Generic[A]): ...\nclass N: ...\nclass Email(N): ...\n",
        b"class Email(A): ...\n",
        b"class P:\n    def __getattr__(self, name): ...\nclass Q(P): ...\n",
        b"def __getattr__(name): ...\nclass S: ...\n",
    ]
)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("A", "A", True),
        ("A", "C", True),
        ("C", "A", True),
        ("B", "M", True),  # a third one derives from both
        ("C", "M", False),
        ("A", "D", True),
        ("A", "N", False),  # two classes of one name derive from them
        ("A", "Email", True),
        ("A", "P", False),
        ("P", "A", True),  # its attributes may be those of others
        ("Q", "A", True),
        ("S", "A", False),
        ("A", "Unknown", False),
    ],
)
def test_an_object_may_have_methods_of_related_classes(
    one: str, other: str, expected: bool
) -> None:
    assert FAMILIES.may_have(one, other, "go") is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("self.go = other.go", True),
        ("    go=other", True),
        ("    go: Callable = other", True),
        ("self.gone = other.go", False),
        ("if x.go == y: ...", False),
        ("x.go()", False),
    ],
)
def test_an_attribute_that_is_set_may_be_a_method_of_any_class(text: str, expected: bool) -> None:
    families = Families([b"class A: ...\nclass B: ...\n", text.encode()])
    assert families.may_have("A", "B", "go") is expected
