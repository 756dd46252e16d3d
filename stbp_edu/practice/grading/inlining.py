"""Read the formula of each result of a right answer, its lines put into one another."""

import ast
import copy
from collections.abc import Mapping
from typing import Any

from stbp_edu.practice.grading.formula_parts import Part


def results(source: str) -> tuple[list[Part], dict[str, Any]] | None:
    """Return the formula of each result of a function, with what it imports; None with a loop."""
    function = ast.parse(source).body[0]
    assert isinstance(function, ast.FunctionDef)
    known: dict[str, ast.expr] = {}
    imports: dict[str, Any] = {}
    for line in function.body:
        match line:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                known[name] = filled(value, known)
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Attribute() as value):
                for k, target in enumerate(names):
                    assert isinstance(target, ast.Name)
                    known[target.id] = ast.Subscript(value, ast.Constant(k), ast.Load())
            case ast.ImportFrom():
                exec(compile(ast.Module([line], []), "<import>", "exec"), imports)
            case ast.Return(value=ast.expr() as value):
                whole = filled(value, known)
                parts = whole.elts if isinstance(whole, ast.Tuple) else [whole]
                return [Part(part) for part in parts], imports
            case _:
                return None
    return None


def filled(tree: ast.expr, known: Mapping[str, ast.expr]) -> ast.expr:
    """Return an expression with the formulas of the names that it uses."""

    class Fill(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            return copy.deepcopy(known[node.id]) if node.id in known else node

    result: ast.expr = Fill().visit(copy.deepcopy(tree))
    return result
