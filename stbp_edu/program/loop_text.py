"""A layer's program in loops over entries, steps and neurons: text that is compiled.

The functions of a step are those that are shown, on one neuron's numbers: ``1`` becomes ``_F(1)``,
a number of the arrays' dtype, and a function of the spike and constants becomes a choice of its two
values, which ``once`` computes before the loops. Around them are two loops, whose names begin with
a letter for each kind of array, so that they meet no name of the reader's: A a state, E an adjoint,
S a signal, G a sum over steps.

Without recurrent weights neurons never meet, and a block of the loops is some entries of a step,
across samples; with them, it is a sample.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from stbp_edu.arrows.layer_program import LayerProgram
from stbp_edu.lines.expressions import names_in, op_of, replaced
from stbp_edu.lines.forward_lines import STEPS

CURVES = """
def spike(v):
    return 1 if v >= 0 else 0

def h(v):
    return settled({h})

"""
LOOPS = """
@jit
def all_forward(first, last, width, {arguments}):
    steps, size = A_{state}.shape
    zero = np.zeros(width, _F)
    index = np.empty(width + 1, np.int32)
    {once}
    for block in range(first, last):
        left = block * width
        right = min(size, left + width)
        for step in range(steps):
            {rows}
            for neuron in range(right - left):
                {neurons}


@jit
def all_backward(first, last, width, {arguments_back}):
    steps, size = A_{state}.shape
    zero = np.zeros(width, _F)
    index = np.empty(width + 1, np.int32)
    {once}
    {later}
    for block in range(first, last):
        left = block * width
        right = min(size, left + width)
        for step in range(steps - 1, -1, -1):
            if {ends}:  # nothing comes back from later steps
                {cut}
            {rows_back}
            for neuron in range(right - left):
                {neurons_back}
"""
"""Both loops; what differs from layer to layer is in brackets, some lines in each."""


def text_of(program: LayerProgram, wanted: Sequence[str]) -> str:
    """Return the curves, the functions of a step, and the loops around them.

    Args:
        program: the layer's program.
        wanted: the adjoints to keep, that of what the parameters enter first.
    """
    curve: Any = program.neuron.surrogate
    h = curve.h(Written("v"), _Library())
    shown = ast.parse(CURVES.format(h=h) + program.source())
    spikes = set()
    if program.lines.spike:
        spikes = {program.lines.spike + end for end in STEPS.values()}
    shared = set(program.lines.constants) - set(program.neuron.each)
    chosen = _Chosen(spikes, shared)
    shown = chosen.visit(shown)
    known = [*chosen.once.values()]
    for function in shown.body[2:]:  # forward and backward
        function.args.args += [ast.arg(name) for name in known]
    if known:
        given = [c for c in program.lines.constants if c in shared]
        values = ", ".join(chosen.once)
        once = f"def once({', '.join(given)}):\n    return ({values},)"
        shown.body += ast.parse(once).body
    shown = ast.fix_missing_locations(_Typed().visit(shown))
    for function in shown.body:
        function.decorator_list = [ast.Name("jit")]
    return ast.unparse(shown) + "\n\n" + _loops(program, wanted, known)


def _loops(program: LayerProgram, wanted: Sequence[str], once: Sequence[str]) -> str:
    """Return the loops; ``once`` are the names of what is computed before them."""
    order, lines = program.neuron.order, [*program.lines.lines]
    output = program.neuron.output
    recurrent = program.net.layers[program.n].recurrent is not None
    each = program.neuron.each
    constants = [f"{'each' if c in each else 'c'}_{c}" for c in program.lines.constants]
    known = [f"now_{c}[neuron]" if c[:5] == "each_" else c for c in constants]
    own = [f"now_{c} = {c}[left:right]" for c in constants if c[:5] == "each_"]
    before = []
    if once:
        before = _called("once", once, [c for c in constants if c[:5] != "each_"])
        known += once
    shared = [*(["R"] if recurrent else []), *constants, *(f"A_{s}" for s in order)]
    drive = f"now_{order[0]}"
    rows = [*own, *(f"now_{s} = A_{s}[step, left:right]" for s in order)]
    rows += [f"last_{s} = {_row(s, -1)}" for s in lines]
    if recurrent:
        rows.append(f"add_products(last_{output}, R, index, {drive})  # p2-recur-u")
    given = [*(f"last_{s}[neuron]" for s in lines), "x", *known]
    neurons = [
        f"x = {drive}[neuron]",
        *_called("forward", [f"now_{s}[neuron]" for s in lines], given),
    ]
    if "x" in order:
        neurons.append("now_x[neuron] = x")

    again = {signal: head for _, signal, head in program.from_recurrence}
    later = [*dict.fromkeys([*program.next_adjoints, *again.values()])]
    first, others = [*program.signals][:1], [*program.signals][1:]
    # the first signal comes in the memory of the first adjoint to keep
    row_of = {s: f"now_S_{s}" for s in others} | {
        s: f"now_E_{wanted[0]}" for s in first
    }
    read = program.states_read
    rows_back = [*own, *(f"at_{s}{STEPS[k]} = {_row(s, k)}" for s, k in read)]
    rows_back += [f"now_E_{d} = E_{d}[step, left:right]" for d in wanted]
    rows_back += [f"now_S_{s} = S_{s}[step, left:right]" for s in others]
    for signal, head in again.items():
        rows_back.append(f"add_products(next_{head}, R, index, {row_of[signal]})")
    given = [f"at_{s}{STEPS[k]}[neuron]" for s, k in read]
    given += [f"{row_of[s]}[neuron]" for s in sorted(program.signals)]
    given += [f"next_{d}[neuron]" for d in program.next_adjoints] + known
    neurons_back = _called("backward", program.results, given)
    neurons_back += [f"{d} = settled({d})" for d in dict.fromkeys([*wanted, *later])]
    neurons_back += [f"now_E_{d}[neuron] = {d}" for d in wanted]
    neurons_back += [f"next_{d}[neuron] = {d}" for d in later]
    sums = {"b": program.start, **program.gradients}
    rows_back += [f"sum_{c} = G_{c}[left:right]" for c in sums]
    neurons_back += [f"sum_{c}[neuron] += {g}" for c, g in sums.items()]
    ends = "step == steps - 1"
    if program.rule.block:
        ends += f" or (step + 1) % {program.rule.block} == 0"
    back = [
        *shared,
        *(f"S_{s}" for s in others),
        *(f"E_{d}" for d in wanted),
        *(f"G_{c}" for c in sums),
    ]
    return LOOPS.format(
        state=order[0],
        arguments=", ".join(shared),
        rows=_joined(rows, 12),
        neurons=_joined(neurons, 16),
        arguments_back=", ".join(back),
        once=_joined(before, 4),
        later=_joined([f"next_{d} = np.zeros(width, _F)" for d in later], 4),
        ends=ends,
        cut=_joined([f"next_{d}[:] = 0" for d in later] or ["pass"], 16),
        rows_back=_joined(rows_back, 12),
        neurons_back=_joined(neurons_back, 16),
    )


def _joined(lines: Sequence[str], indent: int) -> str:
    return f"\n{' ' * indent}".join(lines)


def _row(state: str, step: int) -> str:
    """Return where the values of a state are, at this step or next to it."""
    if step < 0:
        return f"A_{state}[step - 1, left:right] if step > 0 else zero[: right - left]"
    if step > 0:
        return f"A_{state}[min(step + 1, steps - 1), left:right]"
    return f"A_{state}[step, left:right]"


def _called(name: str, places: Sequence[str], given: Sequence[str]) -> list[str]:
    return [f"{', '.join(places)}, = {name}({', '.join(given)})"]


class _Typed(ast.NodeTransformer):
    """Writes ``_F(1)`` for 1, except in exponents."""

    def visit_Constant(self, node: ast.Constant) -> Any:
        if isinstance(node.value, str):
            return node
        return ast.Call(ast.Name("_F"), [node], [])

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        whole = isinstance(node.op, ast.Pow) and isinstance(
            getattr(node.right, "value", None), int
        )
        if not whole:
            return self.generic_visit(node)
        node.left = self.visit(node.left)
        return node


class _Chosen(ast.NodeTransformer):
    """Writes ``_k1 if spike > 0 else _k0`` for a function of a spike and constants.

    Attributes:
        once: by the text of each value, its name, which begins with an underscore, as no reader's
            does.
    """

    def __init__(self, spikes: set[str], constants: set[str]) -> None:
        self.spikes, self.constants = spikes, constants
        self.once: dict[str, str] = {}

    def visit(self, node: Any) -> Any:
        is_sign = isinstance(node, ast.UnaryOp)  # of a plus, too
        if is_sign or op_of(node) in ("", "+", "-", "*"):
            return self.generic_visit(node)
        read = {*names_in(node)} - self.constants
        if len(read) != 1 or not read <= self.spikes:
            return self.generic_visit(node)
        (spike,) = read
        names = []
        for value in (0, 1):
            text = ast.unparse(replaced(node, {spike: ast.Constant(value)}))
            names.append(ast.Name(self.once.setdefault(text, f"_k{len(self.once)}")))
        fires = ast.Compare(ast.Name(spike), [ast.Gt()], [ast.Constant(0)])
        return ast.IfExp(fires, names[1], names[0])


def _sign(form: str) -> Any:
    return lambda *given: Written(form.format(*given))


class Written:
    """An expression as text, which Python's signs make longer."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    __add__, __radd__ = _sign("({0} + {1})"), _sign("({1} + {0})")
    __sub__, __rsub__ = _sign("({0} - {1})"), _sign("({1} - {0})")
    __mul__, __rmul__ = _sign("({0} * {1})"), _sign("({1} * {0})")
    __truediv__, __rtruediv__ = _sign("({0} / {1})"), _sign("({1} / {0})")
    __pow__, __neg__ = _sign("({0} ** {1})"), _sign("(-{0})")
    __ge__, __lt__ = _sign("at_least({0}, {1})"), _sign("(1 - at_least({0}, {1}))")


class _Library:
    """The part of NumPy that curves h use, for expressions as text."""

    def __getattr__(self, name: str) -> Any:
        if name not in ("abs", "erf", "exp", "log", "sqrt", "tanh", "where"):
            name = f"np.{name}"
        return lambda *given: Written(f"{name}({', '.join(map(str, given))})")

    @staticmethod
    def clip(v: Written, low: float | None, high: float | None) -> Written:
        if low is not None:
            v = Written(f"max({v}, {low})")
        if high is not None:
            v = Written(f"min({v}, {high})")
        return v

    @staticmethod
    def ones_like(_: Written) -> float:
        return 1.0
