"""The places of a right answer, and what may be wrong in one of them.

Some hypotheses put the program together anew: a part for the whole, another operation, function,
number or name. The others make something else of the value that belongs there.
"""

import ast
import copy
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, cached_property, partial
from typing import Any, NamedTuple

import numpy as np

ALL = -1
Change = Callable[..., Any]
Row = tuple[str, str, Change]
"""The id of a finding, its words, and what is done."""


@dataclass(frozen=True, eq=False)
class Place:
    """One place of a solution.

    Attributes:
        tree: the whole solution.
        node: what stands there.
        names: the arguments, and the names that the solution gives values to.
        called: whether it is a function that is called.
        result: which of several results it is; ALL for the whole; None for a part of one.
    """

    tree: ast.Module
    node: ast.expr
    names: tuple[str, ...]
    called: bool
    result: int | None

    @cached_property
    def text(self) -> str:
        """The place as it is written; empty for the result."""
        return "" if self.result is not None else ast.unparse(self.node)

    @cached_property
    def made_of(self) -> str:
        """The place by what is in it, without giving it away."""
        if isinstance(self.node, (ast.Name, ast.Constant)):
            return f"`{ast.unparse(self.node)}`"
        used = {n.id for n in ast.walk(self.node) if isinstance(n, ast.Name)}
        names = [f"`{name}`" for name in self.names if name in used]
        return f"what is made of {' and '.join(names)}" if names else "a number"

    @cached_property
    def parts(self) -> list[ast.expr]:
        """What can be put together anew in it: operands, arguments, or what is indexed."""
        if isinstance(self.node, ast.Call):
            of = [self.node.func.value] if isinstance(self.node.func, ast.Attribute) else []
            return [part for part in (*self.node.args, *of) if _has_a_value(part)]
        if isinstance(self.node, ast.Subscript):
            return [self.node.value]
        children = [c for c in ast.iter_child_nodes(self.node) if isinstance(c, ast.expr)]
        return [] if any(isinstance(c, ast.Starred) for c in children) else children

    def within(self, other: "Place") -> bool:
        """Return whether this place is a part of another."""
        return self is not other and any(self.node is node for node in ast.walk(other.node))

    def with_node(self, node: ast.expr) -> tuple[Change, dict[str, Any]]:
        """Return the solution with something else in this place, and where its names stand."""
        tree = copy.deepcopy(self.tree, {id(self.node): node})
        space: dict[str, Any] = {"np": np, "exp": np.exp, "sqrt": np.sqrt}
        exec(compile(ast.fix_missing_locations(tree), "<place>", "exec"), space)
        return space[tree.body[0].name], space  # type: ignore[attr-defined]

    @cached_property
    def _hole(self) -> tuple[Change, dict[str, Any]]:
        """The solution with ``_put(lambda: node, its parts, the names)`` where the node stood."""
        names = [ast.Name(name, ast.Load()) for name in self.names]
        nothing = ast.arguments([], [], None, [], [], None, [])
        given: list[ast.expr] = [ast.Lambda(nothing, n) for n in (self.node, *self.parts, *names)]
        return self.with_node(ast.Call(ast.Name("_put", ast.Load()), given, []))

    def changed(self, change: Change, takes: Sequence[int] = (0,)) -> Change:
        """Return the solution with a function of something in this place.

        It takes what belongs there (0), or else the parts of that (from 1) and the names (after
        the parts).
        """
        function, space = self._hole

        def other(*args: Any) -> Any:
            space["_put"] = lambda *given: change(*[given[k]() for k in takes])
            return function(*args)

        return other


@cache
def places(source: str) -> tuple[Place, ...]:
    """Return every place of a solution, from the outside to the inside."""
    tree = ast.parse(source)
    (function,) = tree.body
    assert isinstance(function, ast.FunctionDef)
    every = list(ast.walk(function))
    stored = [n.id for n in every if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    names = tuple(dict.fromkeys([*(a.arg for a in function.args.args), *stored]))
    called = {id(n.func) for n in every if isinstance(n, ast.Call)}
    returned = [n.value for n in every if isinstance(n, ast.Return) and n.value]
    whole = returned[0] if len(returned) == 1 else None
    several = whole.elts if isinstance(whole, ast.Tuple) else []
    results = {id(whole): ALL, **{id(part): k for k, part in enumerate(several)}}
    return tuple(
        Place(tree, node, names, id(node) in called, results.get(id(node)))
        for node in every
        if isinstance(node, ast.expr) and _can_change(node)
    )


def _can_change(node: ast.expr) -> bool:
    """Return whether something else can stand in place of a node."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float))
    is_read = isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
    whole = not isinstance(node, (ast.Slice, ast.JoinedStr, ast.Lambda))
    return is_read and whole and _has_a_value(node)


def _has_a_value(node: ast.expr) -> bool:
    """Return whether a node has a value of interest: NumPy and float as names have none."""
    return not isinstance(node, ast.Starred) and ast.unparse(node) not in ("np", "float")


class Hypothesis(NamedTuple):
    """What may stand in a place.

    Attributes:
        id: the id of a finding.
        words: what is said of it after "it is what you get if".
        change: what makes it of what belongs there.
        takes: which of that: the whole (0), its parts, or the names that come after the parts.
    """

    id: str
    words: str
    change: Change
    takes: Sequence[int] = (0,)


def power(a: Any, b: Any) -> Any:
    """Return a ** b, unless it is a whole number of thousands of digits."""
    if isinstance(a, int) and isinstance(b, int) and abs(b) * a.bit_length() > 10_000:
        raise OverflowError("the power is too large")
    return a**b


FAMILIES: tuple[dict[type[ast.AST], tuple[str, Change]], ...] = (
    {ast.Add: ("+", operator.add), ast.Sub: ("-", operator.sub), ast.Mult: ("*", operator.mul),
     ast.Div: ("/", operator.truediv), ast.MatMult: ("@", operator.matmul), ast.Pow: ("**", power),
     ast.FloorDiv: ("//", operator.floordiv)},
    {ast.Lt: ("<", operator.lt), ast.LtE: ("<=", operator.le), ast.Gt: (">", operator.gt),
     ast.GtE: (">=", operator.ge), ast.Eq: ("==", operator.eq), ast.NotEq: ("!=", operator.ne)},
    {ast.And: ("and", lambda a, b: a and b), ast.Or: ("or", lambda a, b: a or b)},
)  # fmt: skip
METHODS = (
    ("mean", "sum", "max", "min", "std", "prod"), ("argmax", "argmin", "max"),
    ("f", "df", "h", "g", "H"), ("maximum", "minimum"), ("exp", "expm1", "cosh", "sin"),
    ("abs", "square", "sign"), ("sqrt", "square", "abs"), ("tanh", "sin", "arctan"),
    ("random", "normal"), ("zeros", "ones"), ("zeros_like", "ones_like"),
)  # fmt: skip
"""Functions and methods that are taken for one another."""
ONLY: dict[type[ast.AST], str] = {
    ast.BinOp: "`{}` is left out",
    ast.UnaryOp: "what stands before `{}` is left out",
    ast.Call: "`{}` stands there without the call",
    ast.Subscript: "all of `{}` stands there",
    ast.IfExp: "`{}` stands there in either case",
}
"""What it means that one part alone is left; of an operation, by the other part."""
JOINED: tuple[Row, ...] = (
    ("name", "`{}` stands in place of {}", lambda name, own: name),
    ("factor-too-many", "a factor `{}` is too many, with {}", operator.mul),
    ("name", "`{}` divides {}", lambda name, own: own / name),
)
"""What a name may do in a place."""


def rewritten(place: Place) -> Iterator[Hypothesis]:
    """Yield how the program may be put together anew in a place."""
    node, texts = place.node, [ast.unparse(part) for part in place.parts]
    every = range(1, len(texts) + 1)
    if isinstance(node, ast.Attribute):
        for name in (n for group in METHODS if node.attr in group for n in group if n != node.attr):
            words = f"`{name}` stands in place of `{node.attr}`"
            yield Hypothesis("function", words, operator.attrgetter(name), every)
    if place.called:
        return
    for k, text in enumerate(texts):
        left = texts[1 - k] if isinstance(node, ast.BinOp) else text
        words = ONLY.get(type(node), "only `{}` is left").format(left)
        yield Hypothesis("left-out", words, lambda part: part, (k + 1,))
    match node:
        case ast.Name(id=own) if own in place.names:
            yield from joined(place)
        case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
            for other in {value + 1, value - 1, 2 * value, value / 2, -value} - {value}:
                words = f"{other:g} stands in place of {value:g}"
                yield Hypothesis("number", words, lambda other=other: other, ())
        case ast.BinOp(op=op) | ast.Compare(ops=[op]) | ast.BoolOp(op=op) if len(texts) == 2:
            yield from _operations(op, texts)
        case ast.Tuple() if len(texts) == 2:
            words = "`{}` and `{}` are swapped".format(*texts)
            yield Hypothesis("swapped", words, lambda a, b: (b, a), every)


def _operations(op: ast.AST, texts: Sequence[str]) -> Iterator[Hypothesis]:
    """Yield another operation of the same family, and the operands the other way round."""
    family = next((family for family in FAMILIES if type(op) in family), {})
    for kind, (sign, operate) in family.items():
        if kind is type(op):
            words = "`{}` and `{}` are swapped".format(*texts)
            yield Hypothesis("swapped", words, operate, (2, 1))
        else:
            words = f"`{sign}` stands in place of `{family[type(op)][0]}` before `{texts[1]}`"
            yield Hypothesis("operation", words, operate, (1, 2))


def joined(place: Place) -> Iterator[Hypothesis]:
    """Yield what a name does that is put into a place, or joined with what belongs there."""
    for k, name in enumerate(place.names, start=1 + len(place.parts)):
        for id_, words, join in JOINED:
            if id_ != "name" or name != place.text:
                words = words.format(name, place.made_of)
                yield Hypothesis(id_, words, partial(_join, join), (k, 0))


def _join(join: Change, name: Any, own: Any) -> Any:
    """Return what joins the value of a name with what belongs there."""
    if isinstance(name, list) and not name:
        raise TypeError("an empty list cannot stand here")  # it might be put into itself
    return join(name, own)


VALUES: tuple[Row, ...] = (
    ("missing", "is missing: 0 stands there", lambda x: 0 * x),
    ("missing", "is missing: 1 stands there", lambda x: 0 * x + 1),
    ("sign", "has its sign turned round", lambda x: -x),
    ("sign", "is replaced by its sign", np.sign),
    ("abs", "is taken without its sign", np.abs),
    ("power", "is squared", lambda x: x * x),
    ("power", "is squared, and its sign is turned round", lambda x: -x * x),
    ("power", "is cubed", lambda x: x * x * x),
    ("inverse", "is turned upside down", lambda x: 1 / x),
    ("root", "has its square root taken", np.sqrt),
    ("root", "has the square root of its size taken", lambda x: np.sqrt(np.abs(x))),
    ("complement", "is taken from 1", lambda x: 1 - x),
    ("doubled", "is doubled", lambda x: 2 * x),
    *(("factor", f"is {c} times what it should be", partial(np.multiply, float(c)))
      for c in map(Fraction, ("1/2", "-2", "3", "1/3", "4", "1/4", "5", "1/5"))),
    ("shift", "is larger by 1", lambda x: x + 1),
    ("shift", "is smaller by 1", lambda x: x - 1),
)  # fmt: skip
ALONG: tuple[Row, ...] = (
    ("moved", "is moved by one place along {}", lambda axis, x: np.roll(x, 1, axis)),
    ("moved", "is moved back by one place along {}", lambda axis, x: np.roll(x, -1, axis)),
    ("order", "is turned round along {}", lambda axis, x: np.flip(x, axis)),
    ("order", "is sorted along {}", lambda axis, x: np.sort(x, axis)),
)
FOLDS: tuple[Row, ...] = (
    ("added-up", "is added up over {}", np.sum),
    ("averaged", "is averaged over {}", np.mean),
)
NAMES = ("its first axis", "its second axis", "its third axis", "its fourth axis")


def of_value(what: str, ndim: int, axes: Sequence[str]) -> Iterator[Hypothesis]:
    """Yield what may be made of a value of so many axes; ``what`` says which value it is."""
    rows: list[Row] = [*VALUES, *[("transposed", "is transposed", np.transpose)] * bool(ndim)]
    names = [f"the {axis}s" for axis in axes] if len(axes) == ndim else NAMES[:ndim]
    for axis, name in enumerate(names):
        rows += [(id_, words.format(name), partial(along, axis)) for id_, words, along in ALONG]
    for over, name in [*enumerate(names), (None, "everything")] * bool(ndim):
        for id_, words, fold in FOLDS:
            said = words.format(name)
            rows.append((id_, said, partial(fold, axis=over)))
            rows.append((id_, f"{said}, and stands everywhere", partial(_spread, fold, over)))
    yield from (Hypothesis(id_, f"{what} {words}", change) for id_, words, change in rows)


def _spread(fold: Change, axis: int | None, x: Any) -> Any:
    """Return a value folded along an axis, and standing everywhere along it."""
    return np.broadcast_to(fold(x, axis=axis, keepdims=True), np.shape(x))
