"""The places of a right answer, and what may stand in one of them instead.

Every hypothesis is a program: the solution with another expression in one place. Some are other
expressions of the same parts: one part of them, another operation, function, number or name. The
others do something to the value that belongs there. ``hypotheses.toml`` lists what is tried, and
its wording.
"""

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from stbp_edu._support.files import read_toml

TABLES = read_toml(Path(__file__).with_name("hypotheses.toml"))
ALL = -1
HOLE = "_place"
Hypothesis = tuple[str, str, str]
"""The id of a finding, what is said after "it is what you get if", and the other expression."""


@dataclass(frozen=True, eq=False)
class Place:
    """One place of a solution, and the expression there."""

    around: str  # the solution with HOLE in this place
    node: ast.expr
    names: tuple[str, ...]  # the arguments, and what else the solution gives values to
    result: int | None
    """Which of several results it is; ALL for the whole; None for a part of one."""

    @property
    def is_index(self) -> bool:
        """Whether it is an index with a colon, which stands nowhere else."""
        within = ast.walk(self.node) if isinstance(self.node, ast.Tuple) else ()
        return any(isinstance(part, ast.Slice) for part in within)

    def program(self, expression: str) -> str:
        """Return the solution with another expression in this place."""
        shown = expression if self.is_index else f"({expression})"
        return self.around.replace(HOLE, shown)

    @cached_property
    def written(self) -> str:
        """The expression that belongs here, in brackets where it is not one word."""
        return bracketed(self.node)

    @cached_property
    def text(self) -> str:
        """The place as it is written; empty for the result."""
        return "" if self.result is not None else ast.unparse(self.node)

    @cached_property
    def made_of(self) -> str:
        """The place by what is in it, without giving it away."""
        if isinstance(self.node, (ast.Name, ast.Constant)):
            return f"`{ast.unparse(self.node)}`"
        used = _values_of(self.node)
        names = [f"`{name}`" for name in self.names if name in used]
        if not names:
            return "a number"
        return f"the part made of {' and '.join(names)}"

    @cached_property
    def parts(self) -> list[ast.expr]:
        """The parts of it that can be exchanged: operands, arguments, or what is indexed."""
        node = self.node
        if isinstance(node, ast.Call):
            given = list(node.args)
            if isinstance(node.func, ast.Attribute):
                given.append(node.func.value)
            return [part for part in given if _has_a_value(part)]
        if isinstance(node, ast.Subscript):
            return [node.value]
        inner = ast.iter_child_nodes(node)
        parts = [part for part in inner if isinstance(part, ast.expr)]
        return [] if any(isinstance(part, ast.Starred) for part in parts) else parts


def bracketed(node: ast.expr) -> str:
    """Return an expression as text that can stand beside any sign."""
    text = ast.unparse(node)
    return text if isinstance(node, ast.Name) else f"({text})"


@cache
def places(source: str) -> tuple[Place, ...]:
    """Return every place of a solution, from the outside to the inside."""
    tree = ast.parse(source)
    function: ast.FunctionDef = tree.body[0]  # type: ignore[assignment]
    every = list(ast.walk(function))
    names = {argument.arg: None for argument in function.args.args}
    for node in every:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names[node.id] = None
    for node in every:
        if isinstance(node, ast.Attribute) and node.attr == "append":
            names.pop(ast.unparse(node.value), None)  # or a list might hold itself
    returned = [n.value for n in every if isinstance(n, ast.Return) and n.value]
    results: dict[ast.AST, int] = {}
    if len(returned) == 1:
        results[returned[0]] = ALL
        if isinstance(returned[0], ast.Tuple):
            results |= {part: k for k, part in enumerate(returned[0].elts)}
    found = []
    for node in every:
        if isinstance(node, ast.expr) and _has_a_value(node):
            hole = ast.Name(HOLE, ast.Load())
            around = ast.unparse(copy.deepcopy(tree, {id(node): hole}))
            place = Place(around, node, tuple(names), results.get(node))
            found.append(place)
    return tuple(found)


def _values_of(node: ast.AST) -> set[str]:
    """Return the names whose values are used, and not only how many they are, as in len(x)."""
    if isinstance(node, ast.Name):
        return {node.id}
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "len":
        return set()
    if isinstance(node, ast.Attribute) and node.attr == "shape":
        return set()
    return set().union(*map(_values_of, ast.iter_child_nodes(node)))


def _has_a_value(node: ast.expr) -> bool:
    """Return whether a node has a value of interest: NumPy and float as names have none."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float))
    if isinstance(node, (ast.Slice, ast.JoinedStr, ast.Lambda, ast.Starred)):
        return False
    is_read = isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
    return is_read and ast.unparse(node) not in ("np", "float")


def rewritten(place: Place) -> Iterator[Hypothesis]:
    """Yield the other expressions of the same parts, or of a name or number in their place."""
    node = place.node
    texts = [ast.unparse(part) for part in place.parts]
    if isinstance(node, ast.BinOp):
        yield from _one_operand(node)
    else:
        for text in texts:
            words = TABLES["left"].get(_kind(node), "only `{}` is left")
            yield "left-out", words.format(text), text
    match node:
        case ast.Attribute(value=of, attr=attr):
            groups = (group for group in TABLES["methods"] if attr in group)
            for other in sorted(set().union(*groups) - {attr}):
                words = f"`{other}` is used instead of `{attr}`"
                yield "function", words, f"{bracketed(of)}.{other}"
        case ast.Name(id=own) if own in place.names:
            yield from joined(place)
        case ast.Constant(value=int() | float() as number) if number is not bool(
            number
        ):
            others = {number + 1, number - 1, 2 * number, number / 2, -number}
            for changed in sorted(others - {number}):
                words = f"{changed:g} is used instead of {number:g}"
                yield "number", words, repr(changed)
        case ast.BinOp(op=op) | ast.Compare(ops=[op]) | ast.BoolOp(op=op) if (
            len(texts) == 2
        ):
            yield from _operations(op, *place.parts)
        case ast.Tuple() if len(texts) == 2:
            words = "`{}` and `{}` are swapped".format(*texts)
            yield "swapped", words, f"{texts[1]}, {texts[0]}"


def _one_operand(node: ast.BinOp) -> Iterator[Hypothesis]:
    """Yield what an operation is without one of its operands."""
    left, right = ast.unparse(node.left), ast.unparse(node.right)
    yield "left-out", f"`{right}` is left out", left
    rest = TABLES["without_left"].get(_kind(node.op), "")
    if rest:
        yield "left-out", f"`{left}` is left out", rest.format(bracketed(node.right))
    if rest != "{}":
        yield "left-out", f"only `{right}` is left", right


def _operations(op: ast.AST, left: ast.expr, right: ast.expr) -> Iterator[Hypothesis]:
    """Yield another operation of the same family, and the operands the other way round."""
    a, b = bracketed(left), bracketed(right)
    for family in TABLES["families"]:
        own_sign = family.get(_kind(op), "")
        for sign in family.values() if own_sign else ():
            pair = (b, a) if sign == own_sign else (a, b)
            expression = f" {sign} ".join(pair)
            if sign == "**":  # an integer's power may have millions of digits
                expression = "{} ** (1.0 * {})".format(*pair)
            if sign == own_sign:
                words = f"`{ast.unparse(left)}` and `{ast.unparse(right)}` are swapped"
                yield "swapped", words, expression
            else:
                words = f"`{sign}` is used instead of `{own_sign}` before `{ast.unparse(right)}`"
                yield "operation", words, expression


def joined(place: Place) -> Iterator[Hypothesis]:
    """Yield what a name does that is put into a place, or joined with what belongs there."""
    for name in place.names:
        told = {"name": name, "own": place.made_of, "written": place.written}
        for id_, words, expression in TABLES["joined"]:
            if id_ != "name" or name != place.text:
                yield id_, words.format(**told), expression.format(**told)


NAMES = ("its first axis", "its second axis", "its third axis", "its fourth axis")


def of_value(
    what: str, written: str, ndim: int, axes: Sequence[str]
) -> Iterator[Hypothesis]:
    """Yield what may be made of a value of so many axes; ``what`` says which value it is."""
    rows = list(TABLES["values"])
    if ndim:
        rows.append(("transposed", "is transposed", "np.transpose({})"))
        names = [f"the {axis}s" for axis in axes] if len(axes) == ndim else NAMES[:ndim]
        for table in ("along", "folds"):
            for axis, along in enumerate(names):
                rows += _along(table, along, str(axis))
        rows += _along("folds", "everything", "None")
    for id_, words, expression in rows:
        yield id_, f"{what} {words}", expression.replace("{}", written)


def _along(table: str, along: str, axis: str) -> Iterator[Hypothesis]:
    """Yield the rows of a table along an axis, or over everything."""
    for id_, words, expression in TABLES[table]:
        yield id_, words.replace("{along}", along), expression.replace("{axis}", axis)


def _kind(node: ast.AST) -> str:
    return type(node).__name__
