"""Whether a module may bind names that no definition in it shows. Pure."""

import ast
from collections.abc import Iterator

from pytest_ciopt.core.edits.trees import walk


def binds_unseen(tree: ast.Module, name: str) -> bool:
    """Whether a module of this name (the last part of it, or of its package) may bind more than
    its definitions show: by a star import, by code in a text, or through the dictionary of its
    names or `sys.modules`, if more is done with these than looking something up."""
    inside = walk(tree)
    harmless = {id(one) for node in inside for one in _only_read(node, name)}
    return any(_may_bind(node) for node in inside if id(node) not in harmless)


def _may_bind(node: ast.AST) -> bool:
    match node:
        case ast.ImportFrom(names=[ast.alias(name="*")]):
            return True
        case ast.ImportFrom(module="sys", names=names):
            return any(one.name == "modules" for one in names)
        case ast.Call(func=ast.Name(id="locals" | "vars"), args=[], keywords=[]):
            return True
        case ast.Name(id="exec" | "globals") | ast.Attribute(attr="modules"):
            return True
        case ast.Attribute(value=ast.Name(id="builtins"), attr="exec" | "globals"):
            return True
    return False


def _only_read(node: ast.AST, name: str) -> Iterator[ast.AST]:
    """What is right below a node, and harmless there although `_may_bind` holds it for binding."""
    match node:
        case ast.Call(func=ast.Name(id="exec") as function, args=[_, ast.Name() | ast.Dict(), *_]):
            yield function  # `globals()` is found where it is handed on
        case (
            ast.Subscript(value=ast.Attribute(attr="modules") as whole, slice=key)
            | ast.Call(
                func=ast.Attribute(value=ast.Attribute(attr="modules") as whole), args=[key, *_]
            )
            | ast.Call(args=[ast.Attribute(attr="modules") as whole, key, *_])  # `setitem`, say
        ):
            if _is_another(key, name):
                yield whole
        case (
            ast.Subscript(value=ast.Call() as whole, ctx=ast.Load())
            | ast.Call(func=ast.Name(id="dict" | "len" | "list" | "set" | "sorted"), args=[whole])
            | ast.Attribute(
                value=ast.Call() as whole, attr="copy" | "get" | "items" | "keys" | "values"
            )
            | ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[whole])
            | ast.For(iter=whole)
            | ast.comprehension(iter=whole)
            | ast.keyword(arg=None, value=whole)
        ):
            yield whole
            if isinstance(whole, ast.Call) and not whole.args:
                yield whole.func


def _is_another(key: ast.expr, name: str) -> bool:
    """Whether a key is the name of another module."""
    match key:
        case ast.Constant(value=str(text)):
            return text.rpartition(".")[2] != name
    return False
