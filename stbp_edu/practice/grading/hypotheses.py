"""The places of a right answer, and what may be wrong in one of them.

Some hypotheses rebuild the program: a part for the whole, another operation, function,
number or name. The others make something else of the value that belongs there.
"""

import ast
import copy
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property, partial
from typing import Any

import numpy as np

ALL = -1
Change = Callable[..., Any]
NamedChange = tuple[str, str, Change]
"""The id of a finding, what is said of it after "it is what you get if", and what is done."""
Hypothesis = tuple[str, str, Change, Sequence[int]]
"""A row, and what its change takes: what belongs there (0), the parts of that, or the names."""


@dataclass(frozen=True, eq=False)
class SolutionPlace:
    """One place of a solution, and the expression there."""

    tree: ast.Module
    node: ast.expr
    names: tuple[str, ...]  # the arguments, and what else the solution gives values to
    result: (
        int | None
    )  # which of several results it is; ALL for the whole; None for a part of one

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
        if any(isinstance(part, ast.Starred) for part in parts):
            return []
        return parts

    def with_node(self, node: ast.expr) -> tuple[Change, dict[str, Any]]:
        """Return the solution with something else in this place, and the places of its names."""
        tree = copy.deepcopy(self.tree, {id(self.node): node})
        space: dict[str, Any] = {"np": np, "exp": np.exp, "sqrt": np.sqrt}
        program = compile(ast.fix_missing_locations(tree), "<place>", "exec")
        exec(program, space)
        name = tree.body[0].name  # type: ignore[attr-defined]
        return space[name], space

    @cached_property
    def _hole(self) -> tuple[Change, dict[str, Any]]:
        """The solution with ``_put(lambda: node, its parts, the names)`` where the node was."""
        names = [ast.Name(name, ast.Load()) for name in self.names]
        nothing = ast.arguments([], [], None, [], [], None, [])
        parts = (self.node, *self.parts, *names)
        given: list[ast.expr] = [ast.Lambda(nothing, part) for part in parts]
        put = ast.Name("_put", ast.Load())
        return self.with_node(ast.Call(put, given, []))

    def changed(self, change: Change, takes: Sequence[int] = (0,)) -> Change:
        """Return the solution with ``change`` in this place, of what a hypothesis says it takes."""
        function, space = self._hole

        def put(*given: Callable[[], Any]) -> Any:
            taken = [given[k]() for k in takes]
            return change(*taken)

        def other(*args: Any) -> Any:
            space["_put"] = put
            return function(*args)

        return other


@cache
def places(source: str) -> tuple[SolutionPlace, ...]:
    """Return every place of a solution, from the outside to the inside."""
    tree = ast.parse(source)
    function: Any = tree.body[0]
    every = list(ast.walk(function))
    arguments = [argument.arg for argument in function.args.args]
    read_or_stored = [node for node in every if isinstance(node, ast.Name)]
    stored = [name.id for name in read_or_stored if isinstance(name.ctx, ast.Store)]
    names = tuple(dict.fromkeys(arguments + stored))
    results = _results(every)
    found = []
    for node in every:
        if isinstance(node, ast.expr) and _has_a_value(node):
            result = results.get(id(node))
            found.append(SolutionPlace(tree, node, names, result))
    return tuple(found)


def _results(nodes: Sequence[ast.AST]) -> dict[int, int]:
    """Return which result a function returns where, if it returns in one place."""
    returns = [node for node in nodes if isinstance(node, ast.Return)]
    returned = [node.value for node in returns if node.value]
    if len(returned) != 1:
        return {}
    (whole,) = returned
    results = {id(whole): ALL}
    if isinstance(whole, ast.Tuple):
        for k, part in enumerate(whole.elts):
            results[id(part)] = k
    return results


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
    context = getattr(node, "ctx", ast.Load())
    is_read = isinstance(context, ast.Load)
    return is_read and ast.unparse(node) not in ("np", "float")


def _power(a: Any, b: Any) -> Any:
    """Return a power, and no integer of thousands of digits."""
    if isinstance(b, int) and b > 999:
        return a ** float(b)
    return a**b


FAMILIES: tuple[dict[type[ast.AST], tuple[str, Change]], ...] = (
    {
        ast.Add: ("+", operator.add),
        ast.Sub: ("-", operator.sub),
        ast.Mult: ("*", operator.mul),
        ast.Div: ("/", operator.truediv),
        ast.FloorDiv: ("//", operator.floordiv),
        ast.MatMult: ("@", operator.matmul),
        ast.Pow: ("**", _power),
    },
    {
        ast.Lt: ("<", operator.lt),
        ast.LtE: ("<=", operator.le),
        ast.Gt: (">", operator.gt),
        ast.GtE: (">=", operator.ge),
        ast.Eq: ("==", operator.eq),
        ast.NotEq: ("!=", operator.ne),
    },
    {ast.And: ("and", lambda a, b: a and b), ast.Or: ("or", lambda a, b: a or b)},
)
METHODS = (
    ("mean", "sum", "max", "min", "std", "prod"), ("argmax", "argmin", "max"),
    ("f", "df", "h", "g", "H"), ("maximum", "minimum"), ("exp", "expm1", "cosh", "sin"),
    ("abs", "square", "sign"), ("sqrt", "square", "abs"), ("tanh", "sin", "arctan"),
    ("random", "normal"), ("zeros", "ones"), ("zeros_like", "ones_like"),
)  # fmt: skip
"""Functions and methods that are taken for one another."""
ONLY: dict[type[ast.AST], str] = {
    ast.BinOp: "`{}` is left out",
    ast.UnaryOp: "the part before `{}` is left out",
    ast.Call: "`{}` is used without the call",
    ast.Subscript: "all of `{}` is used",
    ast.IfExp: "`{}` is used in either case",
}
"""What it means that only one part is left; of an operation, by the other part."""
JOINED: tuple[NamedChange, ...] = (
    ("name", "`{}` is used instead of {}",
     lambda name, own: own if isinstance(name, list) and not name else name),  # [] may hold itself
    ("factor-too-many", "there is an extra factor `{}`, with {}", operator.mul),
    ("name", "`{}` divides {}", lambda name, own: own / name),
)  # fmt: skip
"""What a name may do in a place."""


def rewritten(place: SolutionPlace) -> Iterator[Hypothesis]:
    """Yield the ways to rebuild the program in a place."""
    node = place.node
    texts = [ast.unparse(part) for part in place.parts]
    every = range(1, len(texts) + 1)
    if isinstance(node, ast.Attribute):
        for name in _taken_for(node.attr):
            words = f"`{name}` is used instead of `{node.attr}`"
            yield "function", words, operator.attrgetter(name), every
    for k, text in enumerate(texts):
        left = texts[1 - k] if isinstance(node, ast.BinOp) else text
        words = ONLY.get(type(node), "only `{}` is left").format(left)
        yield "left-out", words, lambda part: part, (k + 1,)
    match node:
        case ast.Name(id=own) if own in place.names:
            yield from joined(place)
        case ast.Constant(value=int() | float() as value) if not isinstance(
            value, bool
        ):
            others = {value + 1, value - 1, 2 * value, value / 2, -value}
            for other in others - {value}:
                words = f"{other:g} is used instead of {value:g}"
                yield "number", words, lambda other=other: other, ()
        case ast.BinOp(op=op) | ast.Compare(ops=[op]) | ast.BoolOp(op=op) if (
            len(texts) == 2
        ):
            yield from _operations(op, texts)
        case ast.Tuple() if len(texts) == 2:
            words = "`{}` and `{}` are swapped".format(*texts)
            yield "swapped", words, lambda a, b: (b, a), every


def _taken_for(method: str) -> Iterator[str]:
    """Yield the methods for which one is taken."""
    for group in METHODS:
        if method in group:
            yield from (other for other in group if other != method)


def _operations(op: ast.AST, texts: Sequence[str]) -> Iterator[Hypothesis]:
    """Yield another operation of the same family, and the operands the other way round."""
    left, right = texts
    for family in FAMILIES:
        if type(op) not in family:
            continue
        own_sign, _ = family[type(op)]
        for kind, (sign, operate) in family.items():
            if kind is type(op):
                yield "swapped", f"`{left}` and `{right}` are swapped", operate, (2, 1)
            else:
                words = f"`{sign}` is used instead of `{own_sign}` before `{right}`"
                yield "operation", words, operate, (1, 2)


def joined(place: SolutionPlace) -> Iterator[Hypothesis]:
    """Yield what a name does that is put into a place, or joined with what belongs there."""
    for k, name in enumerate(place.names, start=1 + len(place.parts)):
        for id_, words, join in JOINED:
            if id_ != "name" or name != place.text:
                yield id_, words.format(name, place.made_of), join, (k, 0)


def spread(fold: Change, x: Any, axis: int | None) -> Any:
    """Return a value folded along an axis, and standing everywhere along it."""
    return np.broadcast_to(fold(x, axis=axis, keepdims=True), np.shape(x))


VALUES: tuple[NamedChange, ...] = (
    ("missing", "is missing: it is 0", lambda x: 0 * x),
    ("missing", "is missing: it is 1", lambda x: 0 * x + 1),
    ("sign", "has its sign reversed", lambda x: -x),
    ("sign", "is replaced by its sign", np.sign),
    ("abs", "is replaced by its absolute value", np.abs),
    ("power", "is squared", lambda x: x * x),
    ("power", "is squared, and its sign is reversed", lambda x: -x * x),
    ("power", "is cubed", lambda x: x * x * x),
    ("inverse", "is inverted", lambda x: 1 / x),
    ("root", "is replaced by its square root", np.sqrt),
    ("root", "is replaced by the square root of its absolute value", lambda x: np.sqrt(np.abs(x))),
    ("complement", "is subtracted from 1", lambda x: 1 - x),
    ("doubled", "is doubled", lambda x: 2 * x),
    *(("factor", f"is {c} times what it should be", partial(np.multiply, float(c)))
      for c in map(Fraction, ("1/2", "-2", "3", "1/3", "4", "1/4", "5", "1/5"))),
    ("shift", "is larger by 1", lambda x: x + 1),
    ("shift", "is smaller by 1", lambda x: x - 1),
)  # fmt: skip
ALONG: tuple[NamedChange, ...] = (
    ("moved", "is moved by one place along {}", partial(np.roll, shift=1)),
    ("moved", "is moved back by one place along {}", partial(np.roll, shift=-1)),
    ("order", "is reversed along {}", np.flip),
    ("order", "is sorted along {}", np.sort),
)
FOLDS: tuple[NamedChange, ...] = (
    ("added-up", "is summed over {}", np.sum),
    ("added-up", "is summed over {}, and repeated everywhere", partial(spread, np.sum)),
    ("averaged", "is averaged over {}", np.mean),
    (
        "averaged",
        "is averaged over {}, and repeated everywhere",
        partial(spread, np.mean),
    ),
)
NAMES = ("its first axis", "its second axis", "its third axis", "its fourth axis")


def of_value(what: str, ndim: int, axes: Sequence[str]) -> Iterator[Hypothesis]:
    """Yield what may be made of a value of so many axes; ``what`` says which value it is."""
    names: Sequence[str] = NAMES[:ndim]
    if len(axes) == ndim:
        names = [f"the {axis}s" for axis in axes]
    rows = list(VALUES)
    if ndim:
        rows.append(("transposed", "is transposed", np.transpose))
    for axis, name in enumerate(names):
        rows += _along(ALONG, axis, name)
    for axis, name in enumerate(names):
        rows += _along(FOLDS, axis, name)
    if ndim:
        rows += _along(FOLDS, None, "everything")
    for id_, words, change in rows:
        yield id_, f"{what} {words}", change, (0,)


def _along(
    table: Sequence[NamedChange], axis: int | None, name: str
) -> Iterator[NamedChange]:
    """Yield the changes of a table along an axis, or over everything."""
    for id_, words, change in table:
        yield id_, words.format(name), partial(change, axis=axis)
