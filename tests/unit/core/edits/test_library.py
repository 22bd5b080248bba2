"""Who learns of a class, as far as its bases tell."""

import ast

import pytest

from pytest_ciopt.core.edits.cutting import module


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("class C: pass", set()),
        ("class C(ValueError): pass", set()),
        ("class C(Enum): pass", set()),  # whatever a star import binds
        ("from enum import Enum\nclass C(Enum): pass", set()),
        ("import typing as t\nclass C(t.Generic[T], t.Protocol): pass", set()),
        ("from typing_extensions import Protocol\nclass C(Protocol[T]): pass", set()),
        ("from django.test import TestCase\nclass C(TestCase): pass", set()),
        (
            "try:\n from typing import Protocol\n"
            "except ImportError:\n from typing_extensions import Protocol\n"
            "class C(Protocol): pass",
            set(),
        ),
        ("class C(Base): pass", {"Base"}),
        ("class C(metaclass=Meta): pass", {"Meta"}),
        ("class Enum: pass\nclass C(Enum): pass", {"Enum"}),
        ("class ValueError: pass\nclass C(ValueError): pass", {"ValueError"}),
        ("from app.kinds import Process\nclass C(Process): pass", {"Process"}),
        ("from .kinds import Generic\nclass C(Generic[T]): pass", {"Generic[T]"}),
        ("from app import kinds\nclass C(kinds.Flag, int): pass", {"kinds.Flag"}),
    ],
)
def test_bases_that_may_keep_account_of_a_class(text: str, expected: set[str]) -> None:
    assert module(ast.parse(text)).definitions["C"].bases == expected
