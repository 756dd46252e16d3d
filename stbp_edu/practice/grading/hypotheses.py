"""The places of a right answer, and what may stand in one of them instead.

Every hypothesis is a program: the solution with another expression in one place. Some are other
expressions of the same parts: one part of them, another operation, function, number or name. The
others do something to the value that belongs there. ``hypotheses.toml`` lists what is tried, and
its wording.
"""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate
from pathlib import Path

from stbp_edu._support.files import read_toml

TABLES = read_toml(Path(__file__).with_name("hypotheses.toml"))
Hypothesis = tuple[str, str, str]
"""The id of a finding, what is said after "it is what you get if", and the other expression."""


@dataclass(frozen=True, eq=False)
class Place:
    """One place of a solution, and the expression there."""

    before: str  # the solution up to this place, and after it
    after: str
    node: ast.expr
    names: tuple[str, ...]  # the arguments, and what else the solution gives values to
    result: int | None
    """Which of several results it is; -1 for the whole; None for a part of one."""

    @property
    def is_index(self) -> bool:
        """Whether it is an index with a colon, which stands nowhere else."""
        within = ast.walk(self.node) if isinstance(self.node, ast.Tuple) else ()
        return any(isinstance(part, ast.Slice) for part in within)

    def program(self, expression: str) -> str:
        """Return the solution with another expression in this place."""
        shown = expression if self.is_index else f"({expression})"
        return f"{self.before}{shown}{self.after}"

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
        names = " and ".join(f"`{name}`" for name in self.names if name in used)
        return f"the part made of {names}" if names else "a number"

    @cached_property
    def parts(self) -> list[ast.expr]:
        """The parts that can be exchanged: operands, arguments, what is indexed, or an index."""
        match self.node:
            case ast.Call(func=function, args=args):
                of = [function.value] if isinstance(function, ast.Attribute) else []
                return [part for part in (*args, *of) if _has_a_value(part)]
            case ast.Subscript(value=of):
                return [of]
            case ast.Name() if self.before.endswith("[") and self.after.startswith("]"):
                return [self.node]
        inner = ast.iter_child_nodes(self.node)
        parts = [part for part in inner if isinstance(part, ast.expr)]
        return [] if any(isinstance(part, ast.Starred) for part in parts) else parts


def bracketed(node: ast.expr) -> str:
    """Return an expression as text that can stand beside any sign."""
    text = ast.unparse(node)
    return text if isinstance(node, ast.Name) else f"({text})"


@cache
def places(source: str) -> tuple[Place, ...]:
    """Return every place of a solution, from the outside to the inside."""
    source = ast.unparse(ast.parse(source))
    every = list(ast.walk(ast.parse(source)))
    starts = [0, *accumulate(len(line) + 1 for line in source.splitlines())]
    names = dict.fromkeys(node.arg for node in every if isinstance(node, ast.arg))
    for node in every:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names[node.id] = None
    # A list that is appended to might hold itself.
    own = tuple(name for name in names if f"{name}.append(" not in source)
    returned = [n.value for n in every if isinstance(n, ast.Return) and n.value]
    results: dict[ast.AST, int] = {}
    if len(returned) == 1:
        results[returned[0]] = -1
        if isinstance(returned[0], ast.Tuple):
            results |= {part: k for k, part in enumerate(returned[0].elts)}
    found = []
    for node in every:
        if isinstance(node, ast.expr) and _has_a_value(node):
            first = starts[node.lineno - 1] + node.col_offset
            last = starts[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0)
            around = source[:first], source[last:]
            found.append(Place(*around, node, own, results.get(node)))
    return tuple(found)


def _values_of(node: ast.AST) -> set[str]:
    """Return the names whose values are used, and not only how many they are, as in len(x)."""
    match node:
        case ast.Name(id=name):
            return {name}
        case ast.Call(func=ast.Name(id="len")) | ast.Attribute(attr="shape"):
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
    kind = type(getattr(node, "op", node)).__name__
    parts = [(ast.unparse(part), bracketed(part)) for part in place.parts]
    if isinstance(node, ast.BinOp):
        yield from _filled("one_operand", kind, parts)
    else:
        for part in parts:
            yield from _filled("one_part", type(node).__name__, [part])
    match node:
        case ast.Attribute(value=of, attr=attr):
            groups = (group for group in TABLES["methods"] if attr in group)
            for other in sorted(set().union(*groups) - {attr}):
                words = f"`{other}` is used instead of `{attr}`"
                yield "function", words, f"{bracketed(of)}.{other}"
        case ast.Name(id=own) if own in place.names:
            yield from joined(place)
        case ast.Constant(value=int() | float() as number) if type(number) is not bool:
            others = {number + 1, number - 1, 2 * number, number / 2, -number}
            key = re.findall(r"\w+=$|$", place.before)[0]
            for changed in sorted(others - {number}):
                words = f"`{key}{changed:g}` is used instead of `{key}{number:g}`"
                yield "number", words, repr(changed)
        case ast.Compare(ops=[op]):
            yield from _operations(type(op).__name__, parts)
        case ast.BinOp() | ast.BoolOp():
            yield from _operations(kind, parts)
        case ast.Tuple() if len(parts) == 2:
            (a, _), (b, _) = parts
            yield "swapped", f"`{a}` and `{b}` are swapped", f"{b}, {a}"


def _filled(
    table: str, kind: str, parts: Sequence[tuple[str, str]]
) -> Iterator[Hypothesis]:
    """Yield what a table says is left of parts, each written and in brackets."""
    texts, in_brackets = zip(*parts, strict=True)
    for words, expression in TABLES[table].get(kind, TABLES[table]["other"]):
        yield "left-out", words.format(*texts), expression.format(*texts, *in_brackets)


def _operations(kind: str, parts: Sequence[tuple[str, str]]) -> Iterator[Hypothesis]:
    """Yield another operation of the same family, and the operands the other way round."""
    families = [family for family in TABLES["families"] if kind in family]
    if not families or len(parts) != 2:
        return
    (left, a), (right, b) = parts
    own_sign = families[0][kind]
    for sign in families[0].values():
        if sign == own_sign:
            words = f"`{left}` and `{right}` are swapped"
            yield "swapped", words, _power_safe(b, sign, a)
        else:
            words = f"`{sign}` is used instead of `{own_sign}` before `{right}`"
            yield "operation", words, _power_safe(a, sign, b)


def _power_safe(a: str, sign: str, b: str) -> str:
    """Return an operation; an integer's power may have millions of digits, a float's has not."""
    return f"{a} ** (1.0 * {b})" if sign == "**" else f"{a} {sign} {b}"


def joined(place: Place) -> Iterator[Hypothesis]:
    """Yield a place with another name of the solution: in its stead, as a factor, a divisor."""
    for name in place.names:
        told = {"name": name, "own": place.made_of, "written": place.written}
        for id_, words, expression in TABLES["joined"]:
            if id_ != "name" or name != place.text:
                yield id_, words.format(**told), expression.format(**told)


NAMES = ("its first axis", "its second axis", "its third axis", "its fourth axis")


def of_value(
    what: str, written: str, ndim: int, axes: Sequence[str]
) -> Iterator[Hypothesis]:
    """Yield what may be made of a value of so many axes; ``what`` says which value it is.

    ``_c`` in an expression is any number, and is so in its words.
    """
    names = [f"the {axis}s" for axis in axes] if len(axes) == ndim else NAMES[:ndim]
    once = [("", "")]
    along = [(name, str(axis)) for axis, name in enumerate(names)]
    tables = {
        "values": once,
        "of_arrays": once[:ndim],
        "along": along,
        "folds": [*along, ("everything", "None")] if ndim else [],
        "constants": once,
    }
    for table, each in tables.items():
        for name, axis in each:
            for id_, words, expression in TABLES[table]:
                told = words.replace("{along}", name)
                made = expression.replace("{axis}", axis).replace("{}", written)
                yield id_, f"{what} {told}", made
