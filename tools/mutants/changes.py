"""The changes of a file: its syntax tree with one node replaced, removed or negated."""

import ast
import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

OPERATORS = {
    ast.Add: (ast.Sub,), ast.Sub: (ast.Add,), ast.Mult: (ast.Div, ast.Add), ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Div,), ast.Mod: (ast.FloorDiv,), ast.Pow: (ast.Mult,),
    ast.BitOr: (ast.BitAnd,), ast.BitAnd: (ast.BitOr,), ast.MatMult: (),
    ast.And: (ast.Or,), ast.Or: (ast.And,),
    ast.Lt: (ast.LtE, ast.Gt), ast.LtE: (ast.Lt, ast.Gt), ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.Lt), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,), ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
}  # fmt: skip
"""What may stand in an operator's place."""

NAMES = {
    "mean": "sum", "sum": "mean", "max": "min", "min": "max", "argmax": "argmin", "abs": "negative",
    "zeros_like": "ones_like", "ones_like": "zeros_like", "zeros": "ones", "maximum": "minimum",
    "exp": "expm1", "sqrt": "square", "any": "all", "all": "any", "reversed": "list",
    "add": "subtract", "multiply": "divide", "subtract": "add",
}  # fmt: skip
"""What may stand in a function's place."""

ALIKE = ("multiply", "add", "maximum", "minimum", "max", "min", "c1_epsilon", "c2_epsilon")
"""Functions whose two arguments may change places: sums and products."""


@dataclass(frozen=True)
class Change:
    """One change: where it is, what stood there, what stands there now, and the file's new tree.

    ``checks``: whether it alters what is refused, or what stands for an argument that is left out,
    and not what is computed from arguments that are given.
    """

    line: int
    column: int
    code: str
    old: str
    new: str
    checks: bool
    tree: Callable[[], ast.Module]

    def __str__(self) -> str:
        """Return the change in a line."""
        return f"{self.line}: {self.old}  ->  {self.new}"


def places(tree: ast.AST, way: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], ast.AST]]:
    """Yield every node with the way to it: a child's number a step."""
    yield way, tree
    for k, child in enumerate(ast.iter_child_nodes(tree)):
        yield from places(child, (*way, k))


def changes(source: str) -> list[Change]:
    """Return every change of a file, in the order of its lines."""
    tree = ast.parse(source)
    lines = source.splitlines()
    found = [
        _change(tree, node, new, lines, checks)
        for node, checks in _code(tree)
        for new in _instead(node)
    ]
    return sorted((c for c in found if c.old != c.new), key=lambda change: change.line)


def _change(tree: ast.Module, node: Any, new: ast.AST, lines: list[str], checks: bool) -> Change:
    """Return one change; its tree is made where it is used."""
    old, text = (ast.unparse(ast.fix_missing_locations(n)) for n in (node, new))
    return Change(
        node.lineno,
        node.col_offset,
        lines[node.lineno - 1].partition("  #")[0].strip(),
        _short(old),
        _short(text),
        checks,
        lambda: ast.fix_missing_locations(copy.deepcopy(tree, {id(node): new})),
    )


def _short(text: str) -> str:
    """Return a text in one line of at most 100 letters."""
    return " ".join(text.split())[:100]


def _code(node: ast.AST, checks: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Yield the nodes that do something, and whether that is a check or a default.

    No annotation, docstring, decorator or message.
    """
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return  # a docstring
    checks = checks or _checks(node)
    if isinstance(node, (ast.expr, ast.stmt)):
        yield node, checks
    left_out = {"annotation", "returns", "decorator_list", "type_params", "type_comment"}
    if isinstance(node, (ast.Raise, ast.JoinedStr, ast.Assert)):
        return  # what an error says is tested by eye
    for name, value in ast.iter_fields(node):
        default = name in DEFAULTS or (isinstance(node, ast.ClassDef) and name == "body")
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and name not in left_out:
                field = default and isinstance(child, (ast.expr, ast.AnnAssign))
                yield from _code(child, checks or field)


DEFAULTS = ("defaults", "kw_defaults")
CHECKS = re.compile(r"(.*\.)?_*(check(_\w+)?|post_init_*)|checks\..*")
"""What checks is called: ``check``, ``check_targets``, ``__post_init__``, or is of ``checks``."""


def _checks(node: ast.AST) -> bool:
    """Return whether all that a node does is to check: it refuses, or calls what refuses."""
    match node:
        case ast.Raise() | ast.If(body=[*_, ast.Raise()], orelse=[]):
            return True
        case ast.Expr(ast.Call(func)) | ast.Call(func):
            return bool(CHECKS.fullmatch(ast.unparse(func)))
        case ast.FunctionDef(name):
            return bool(CHECKS.fullmatch(name))
    return False


def _instead(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in place of one node."""
    match node:
        case ast.BinOp(left, op, right):
            yield from (ast.BinOp(left, new(), right) for new in OPERATORS.get(type(op), ()))
            yield from (left, right)
        case ast.BoolOp(op, values):
            yield from (ast.BoolOp(new(), values) for new in OPERATORS[type(op)])
            yield from values
        case ast.Compare(left, [op], rest):
            yield from (ast.Compare(left, [new()], rest) for new in OPERATORS[type(op)])
        case ast.Compare(left, [first, second], rest):
            for k, op in enumerate((first, second)):
                for new in OPERATORS[type(op)][:1]:
                    ops = [new(), second] if k == 0 else [first, new()]
                    yield ast.Compare(left, ops, rest)
        case ast.UnaryOp(_, operand):
            yield operand
        case ast.AugAssign(target, op, value):
            yield from (ast.AugAssign(target, new(), value) for new in OPERATORS.get(type(op), ()))
            yield ast.Pass()
        case ast.Constant(bool() as value):
            yield ast.Constant(not value)
        case ast.Constant(int() | float() as value):
            yield ast.Constant(value + 1)
        case ast.IfExp(_, body, other):
            yield from (body, other)
        case ast.If() | ast.While():
            yield from (_with(node, test=ast.Constant(value)) for value in (True, False))
        case ast.Expr(ast.Call()) | ast.Raise():
            yield ast.Pass()
        case ast.Return(value) if value is not None:
            yield ast.Return(ast.Constant(None))
        case ast.Slice():
            yield from (_with(node, **{k: None}) for k in ("lower", "upper", "step"))
    yield from _calls(node)


def _calls(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what may stand in place of a call or of a name."""
    match node:
        case ast.Attribute(value, name, ast.Load()) if name in NAMES:
            yield ast.Attribute(value, NAMES[name], ast.Load())
        case ast.Name(name, ast.Load()) if name in NAMES:
            yield ast.Name(NAMES[name], ast.Load())
    if isinstance(node, ast.Call):
        args = node.args
        if len(args) == 1 and not node.keywords:
            yield args[0]
        named = args and isinstance(args[0], ast.Constant)  # what an error calls the argument
        alike = named or ast.unparse(node.func).rpartition(".")[2] in ALIKE
        for k in range(0 if alike else len(args) - 1):
            yield _with(node, args=[*args[:k], args[k + 1], args[k], *args[k + 2 :]])
        for k in range(len(node.keywords)):
            yield _with(node, keywords=node.keywords[:k] + node.keywords[k + 1 :])


def _with(node: ast.AST, **fields: object) -> ast.AST:
    """Return a copy of a node with other fields."""
    return type(node)(**{**dict(ast.iter_fields(node)), **fields})
