"""Derive yours: a neuron from its forward lines, and all that follows from them."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from stbp_edu._support import checks
from stbp_edu.arrows import Neuron, Rule, formulas
from stbp_edu.arrows.arrow import Arrow, neuron_from, placed
from stbp_edu.arrows.formula_text import Formulas
from stbp_edu.arrows.layer_program import program
from stbp_edu.arrows.online_form import OnlineForm, forbidding_word, online_lines
from stbp_edu.arrows.rules import as_rule
from stbp_edu.arrows.table import network
from stbp_edu.lines.expressions import indexed
from stbp_edu.lines.text import read_lines
from stbp_edu.networks.arguments import warn_of_no_decay
from stbp_edu.surrogates import Gaussian, Surrogate

if TYPE_CHECKING:
    from stbp_edu.plotting.svg_figure import Shown
    from stbp_edu.verify.proof import Proof


STEPS = {-1: "t-1", 0: "t", 1: "t+1"}


class Source(str):
    """Python source, which a notebook shows as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the source."""
        return str(self)


@dataclass(frozen=True, repr=False)
class Derived:
    """A neuron from its forward lines.

    Attributes:
        neuron: its table of arrows.
    """

    neuron: Neuron

    def __repr__(self) -> str:
        """Return the lines and the constants, as they are given to :func:`derive`."""
        lines = self.neuron.lines
        given = [repr("; ".join(lines.text.split("\n")))]
        given += [f"{name}={value:g}" for name, value in lines.constants.items()]
        if lines.spike:
            given.append(f"surrogate={self.neuron.surrogate!r}")
        return f"derive({', '.join(given)})"

    def __str__(self) -> str:
        """Return the arrows, a line each; ⁺ and ⁻ mark the steps after its tail's and before."""
        arrows = self.neuron.arrows
        wide = max([10, *(len(arrow.kind) for arrow in arrows)])
        lines = []
        for a in arrows:
            factor = placed(_with_one(a.letters), ("", "⁺", "⁻").__getitem__)
            step = "next step" if a.step else "same step"
            kind = f"{a.kind:{wide}}"
            lines.append(f"{kind} {a.source} → {a.target}  {step}  {factor}")
        return "\n".join(lines)

    def _repr_latex_(self) -> str:
        """Return the arrows in LaTeX, with the numbers that they have in the graph."""
        rows = [
            (
                a.kind.replace("_", r"\_"),
                a.source,
                "next" if a.step else "same",
                a.target,
                _factor(a),
            )
            for a in self.neuron.arrows
        ]
        output, entered = self.neuron.output, self.neuron.input
        rows.append(("weight", output, "same", entered, "W"))
        lines = [
            rf"{k} & \textrm{{{kind}}} & {indexed(tail)} \to {indexed(head)} & "
            rf"\textrm{{{step} step}} & {factor}"
            for k, (kind, tail, step, head, factor) in enumerate(rows, start=1)
        ]
        return "\n".join(
            ("$$\\begin{array}{rllll}", " \\\\\n".join(lines), "\\end{array}$$")
        )

    def graph(self) -> Shown:
        """Return the picture of two steps and two layers, each kind of arrow with its name."""
        from stbp_edu.plotting.graph import two_layers

        return two_layers(network("1-1-1", self.neuron))

    def formulas(
        self, rule: str | Rule = "exact", *, recurrent: bool = False
    ) -> Formulas:
        r"""Return the formulas of a rule, case by case, then ∂L/∂W, b and what is learned.

        With ``recurrent``, those of layers with recurrent weights R.

        >>> read_out = derive("u = kappa * u + x", kappa=0.9)
        >>> print(read_out.formulas()[-1])
        \frac{\partial L}{\partial b_i^n} = \sum_t \varepsilon_i^{t,n}  (all t)
        """
        sizes = "2-2R-2R" if checks.instance("recurrent", recurrent, bool) else "2-2-2"
        return Formulas(formulas(network(sizes, self.neuron), rule))

    def program(self, rule: str | Rule = "exact") -> Source:
        """Return a step forward and a step back under a rule, as Python source.

        It is that of a layer between others, with recurrent weights; NumPy runs it as it is shown.
        """
        net = network("1-1R-1R-1R", self.neuron)
        return Source(program(net, as_rule(rule)))

    def prove(self, *, seed: int = 0, torch: bool = False) -> Proof:
        """Return the proof: see :func:`stbp_edu.verify.proof.prove`."""
        from stbp_edu.verify.proof import prove

        return prove(self.neuron, seed=seed, torch=torch)

    def online(self, rule: str | Rule = "ottt") -> OnlineForm:
        """Return how a rule is learned forward in time, or the word that forbids it.

        >>> derive("u = kappa * u + x", kappa=0.9).online("e-prop").word
        ('enter', 'weight', 'integrate', 'readout')
        """
        net = network("2-2-2", self.neuron)
        rule = as_rule(rule)
        rule.check(net)
        word = forbidding_word(net, rule)
        lines = () if word else online_lines(net, rule)
        return OnlineForm(rule.name, Formulas(lines), word)


def derive(
    text: str,
    /,
    *,
    surrogate: Surrogate | None = None,
    learn: Collection[str] = (),
    learn_each: Collection[str] = (),
    **constants: float | Sequence[float],
) -> Derived:
    r"""Return a neuron from its forward lines: a line for each state, as in a loop over time.

    A name that a line above has assigned is this step's value, any other state that of the last
    step; ``x`` is what weights and biases bring, and ``spike`` is 1 where its argument is >= 0.
    ``tau = 0.5`` gives a constant its value; a semicolon ends a line, too.
    Understood are numbers, names, ``+ - * / **``, exp, log, tanh, sqrt, abs, min, max, and
    functions that a line defines: ``f(o) = tau * exp(-o / tau)``. Nothing of the text is run, and
    it may have 20 lines of 200 characters and 8 states, names 20 letters, exponents up to 100. A
    text without ``spike`` is a read-out: its u, or its last line's state, goes to the loss.

    Args:
        text: the lines.
        surrogate: h, which stands in for the derivative of the spike; ``Gaussian()`` where None.
        learn: constants that each layer learns. With bounds, ``{"tau": (0, 1)}``, the constant
            ``tau_logit`` is learned, and tau in the lines is its sigmoid between the bounds: so no
            update leads out of them.
        learn_each: constants that each neuron learns, in the same form.
        constants: the values of names that the text gives none. Of a constant in ``learn_each``, a
            list of one starting value for each neuron.

    Raises:
        TypeError, ValueError: if a line is not understood; it shows the line, the place, and what
            would be understood.

    >>> mine = derive('''
    ... u = tau * u * (1 - o) + x
    ... o = spike(u - v_th)
    ... ''', tau=0.5, v_th=1.0)
    >>> print(mine)
    spike      u → o  same step  h(u-V_{th})
    carry      u → u  next step  \tau (1-o)
    reset      o → u  next step  -\tau u
    >>> print(*mine.program().splitlines()[-3:], sep="\n")
        d_o = signal - tau * u * d_u_next  # reset
        d_u = h(u - v_th) * d_o + tau * (1 - o) * d_u_next  # spike, carry
        return d_o, d_u
    >>> bounded = derive("u = tau * u + x", tau=0.9, learn={"tau": (0, 1)})
    >>> bounded.neuron.lines.text, bounded.neuron.learned.keys()
    ('u = (1 / (1 + exp(-tau_logit))) * u + x', dict_keys(['tau_logit']))
    """
    starts = {name: _values(name, value) for name, value in constants.items()}
    learned = []
    for names in (learn, learn_each):
        if isinstance(names, Mapping):
            for name, bounds in names.items():
                text = _bounded(text, starts, name, bounds)
            names = [f"{name}_logit" for name in names]
        learned.append(names)
    means = {name: float(np.mean(values)) for name, values in starts.items()}
    lines = read_lines(text, means)
    several = {name: value for name, value in starts.items() if len(value) > 1}
    for name in several:
        if name not in learned[1]:
            raise ValueError(
                f"{name} must be one number, got {len(several[name])}; give one for each neuron "
                f"where each learns its own: learn_each=[{name!r}]"
            )
    surrogate = Gaussian() if surrogate is None else surrogate
    neuron = neuron_from(lines, surrogate, *learned)
    warn_of_no_decay(neuron)
    return Derived(replace(neuron, starts=several))


def _bounded(
    text: str, starts: dict[str, tuple[float, ...]], name: str, bounds: object
) -> str:
    """Return a text in which a constant is a sigmoid between two bounds, and start its logit."""
    pair: Any = bounds if isinstance(bounds, list | tuple) else ()
    if len(pair) != 2 or name not in starts:
        raise ValueError(
            f"{name} must have two bounds, and a value beside the text, got {bounds!r}; write "
            f"derive(text, {name}=0.9, learn={{{name!r}: (0, 1)}})"
        )
    low, high = (checks.number(f"a bound of {name}", one) for one in pair)
    values = starts.pop(name)
    outside = [value for value in values if not low < value < high]
    if outside:
        raise ValueError(
            f"{name} must be between its bounds, {low:g} and {high:g}, got {outside[0]:g}; start "
            "it inside"
        )
    logits = (math.log((value - low) / (high - value)) for value in values)
    starts[f"{name}_logit"] = tuple(logits)
    inside = f"1 / (1 + exp(-{name}_logit))"
    if (low, high) != (0, 1):
        inside = f"{low!r} + {high - low!r} / (1 + exp(-{name}_logit))"
    return re.sub(rf"\b{re.escape(name)}\b", f"({inside})", text)


def _values(name: str, value: object) -> tuple[float, ...]:
    """Return the value of a constant, or those of the neurons."""
    is_row = isinstance(value, np.ndarray) and value.ndim == 1
    if not is_row and not isinstance(value, list | tuple):
        return (checks.number(name, value),)
    given: Any = value
    if len(given) == 0:
        raise ValueError(f"{name} must list a value for each neuron, got {value!r}")
    return tuple(checks.number(name, one) for one in given)


def _factor(arrow: Arrow) -> str:
    """Return an arrow's factor in LaTeX."""
    letters = _with_one(arrow.letters)
    return placed(letters, lambda later: f"^{{{STEPS[later]}}}")


def _with_one(letters: str) -> str:
    """Return the letters of a factor, of which only a sign or nothing is written for 1 and -1."""
    if letters in ("", "-"):
        return f"{letters}1"
    return letters
