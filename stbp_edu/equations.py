"""The register of the course's equations: one id, one formula, found by grep in four places.

The id stands beside the derivation in a notebook (as the equation's tag), at the line of code that
computes it (as a comment), in the name of the test that proves it, and here. The site's equations
page and the tests are made from this register, so that no formula has two versions.

Notation: h(u) is short for h(v) with v = u - V_th. Columns are neurons; ⊙ multiplies entry by
entry; ᵀ transposes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Equation:
    """One equation of the course.

    Attributes:
        id: the name to search for.
        title: what the equation says, in a few words.
        forms: LaTeX by form: ``"index"`` (one neuron), ``"vector"`` (a layer), and, where the
            source's recursion differs, ``"classic-index"`` and ``"classic-vector"`` as it prints
            them.
    """

    id: str
    title: str
    forms: dict[str, str]


def _register(*entries: tuple[str, str, dict[str, str]]) -> dict[str, Equation]:
    """Index the entries by id."""
    return {id_: Equation(id_, title, forms) for id_, title, forms in entries}


NEURON = _register(
    (
        "ode",
        "The leaky membrane",
        {"index": r"\tau \frac{du(t)}{dt} = -u(t) + I(t)"},
    ),
    (
        "ode-euler",
        "One Euler step of the membrane",
        {"index": r"u(t + \Delta t) = u(t) + \frac{\Delta t}{\tau} \bigl(I(t) - u(t)\bigr)"},
    ),
    (
        "ode-exact",
        "The membrane's exact solution for a constant input",
        {"index": r"u(t + \Delta t) = I + \bigl(u(t) - I\bigr) e^{-\Delta t / \tau}"},
    ),
    (
        "fwd-x",
        "The weighted input",
        {
            "index": r"x_i^{t+1,n} = \sum_{j=1}^{l(n-1)} w_{ij}^n \, o_j^{t+1,n-1}",
            "vector": r"X^{t+1,n} = W^n O^{t+1,n-1}",
        },
    ),
    (
        "fwd-u",
        "The potential: carried over, plus input, plus bias",
        {
            "index": r"u_i^{t+1,n} = u_i^{t,n} f(o_i^{t,n}) + x_i^{t+1,n} + b_i^n",
            "vector": r"U^{t+1,n} = U^{t,n} \odot f(O^{t,n}) + X^{t+1,n} + b^n",
        },
    ),
    (
        "fwd-o",
        "The spike",
        {
            "index": r"o_i^{t+1,n} = g(u_i^{t+1,n})",
            "vector": r"O^{t+1,n} = g(U^{t+1,n})",
        },
    ),
    ("gate-f", "The exponential forget gate", {"index": r"f(o) = \tau e^{-o/\tau}"}),
    ("gate-df", "Its derivative", {"index": r"f'(o) = -e^{-o/\tau}"}),
    ("gate-linear", "The linear forget gate", {"index": r"f(o) = \tau (1 - o)"}),
    ("gate-linear-df", "Its derivative", {"index": r"f'(o) = -\tau"}),
    (
        "spike-g",
        "The spike function",
        {"index": r"g(u) = \begin{cases} 1 & u \geqslant V_{th} \\ 0 & u < V_{th} \end{cases}"},
    ),
    (
        "init-unit-rows",
        "Initial weights as in the source: unit rows",
        {"index": r"w_{ij} = \frac{r_{ij}}{\sqrt{\sum_k r_{ik}^2}}, \quad r_{ij} \sim U(-1, 1)"},
    ),
    (
        "init-uniform",
        "Initial weights scaled for training",
        {"index": r"w_{ij}^n = \sqrt{\frac{6}{l(n-1)}} \; r_{ij}, \quad r_{ij} \sim U(-1, 1)"},
    ),
)

SURROGATES = _register(
    (
        "h1",
        "The rectangle",
        {
            "index": r"h_1(v) = \begin{cases} \frac{1}{a} & |v| < \frac{a}{2} \\"
            r" 0 & \text{otherwise} \end{cases}"
        },
    ),
    (
        "h2",
        "The triangle",
        {
            "index": r"h_2(v) = \begin{cases} \frac{\sqrt{a}}{2} - \frac{a}{4} |v| &"
            r" |v| < \frac{2}{\sqrt{a}} \\ 0 & \text{otherwise} \end{cases}"
        },
    ),
    (
        "h3",
        "The sigmoid's derivative",
        {"index": r"h_3(v) = \frac{1}{a} \frac{e^{v/a}}{(1 + e^{v/a})^2}"},
    ),
    (
        "h4",
        "The Gaussian",
        {"index": r"h_4(v) = \frac{1}{\sqrt{2 \pi a}} e^{-\frac{v^2}{2a}}"},
    ),
    (
        "twin-1",
        "The rectangle's antiderivative: a clipped ramp",
        {"index": r"H_1(v) = \min\Bigl(1, \max\bigl(0, \tfrac{v}{a} + \tfrac{1}{2}\bigr)\Bigr)"},
    ),
    (
        "twin-2",
        "The triangle's antiderivative: two parabolas",
        {
            "index": r"H_2(v) = \frac{1}{2} + \frac{\sqrt{a}}{2} c - \frac{a}{8} c |c|, \quad"
            r" c = \min\Bigl(\tfrac{2}{\sqrt{a}}, \max\bigl(-\tfrac{2}{\sqrt{a}}, v\bigr)\Bigr)"
        },
    ),
    (
        "twin-3",
        "The sigmoid",
        {"index": r"H_3(v) = \frac{1}{1 + e^{-v/a}}"},
    ),
    (
        "twin-4",
        "The normal distribution function",
        {
            "index": r"H_4(v) = \frac{1}{2} \Bigl(1 + \operatorname{erf}"
            r" \frac{v}{\sqrt{2a}}\Bigr)"
        },
    ),
)

LOSS = _register(
    (
        "loss",
        "The rate loss",
        {
            "index": r"L = \frac{1}{2S} \sum_{s=1}^S \Bigl\| Y_s - \frac{1}{T}"
            r" \sum_{t=1}^T O_s^{t,N} \Bigr\|_2^2"
        },
    ),
    (
        "def-delta",
        "δ: what one spike does to the loss, by every path",
        {"index": r"\delta_i^{t,n} = \frac{dL}{do_i^{t,n}}"},
    ),
    (
        "def-epsilon",
        "ε: what one potential does to the loss, by every path",
        {"index": r"\varepsilon_i^{t,n} = \frac{dL}{du_i^{t,n}}"},
    ),
    (
        "err-exact",
        "The exact rule's incoming signal",
        {
            "index": r"\mathrm{err}_i^{t,n} = \varepsilon_i^{t,n}",
            "vector": r"\mathrm{err}^{t,n} = E^{t,n}",
        },
    ),
    (
        "err-classic",
        "The classic rule's incoming signal",
        {
            "index": r"\mathrm{err}_i^{t,n} = \delta_i^{t,n} \, h(u_i^{t,n})",
            "vector": r"\mathrm{err}^{t,n} = \Delta^{t,n} \odot h(U^{t,n})",
        },
    ),
)

CASES = _register(
    (
        "c1-delta",
        "Case 1: δ at the last step, output layer",
        {
            "index": r"\delta_i^{T,N} = -\frac{1}{TS} \Bigl(y_i - \frac{1}{T}"
            r" \sum_{k=1}^T o_i^{k,N}\Bigr)",
            "vector": r"\Delta^{T,N} = -\frac{1}{TS} \Bigl(Y - \frac{1}{T}"
            r" \sum_{k=1}^T O^{k,N}\Bigr)",
        },
    ),
    (
        "c1-epsilon",
        "Case 1: ε at the last step, output layer",
        {
            "index": r"\varepsilon_i^{T,N} = \delta_i^{T,N} \, h(u_i^{T,N})",
            "vector": r"E^{T,N} = \Delta^{T,N} \odot h(U^{T,N})",
        },
    ),
    (
        "c2-delta",
        "Case 2: δ at the last step, below the output",
        {
            "index": r"\delta_i^{T,n} = \sum_{j=1}^{l(n+1)} \mathrm{err}_j^{T,n+1} \, w_{ji}^{n+1}",
            "vector": r"\Delta^{T,n} = (W^{n+1})^\top \, \mathrm{err}^{T,n+1}",
            "classic-index": r"\delta_i^{T,n} = \sum_{j=1}^{l(n+1)} \delta_j^{T,n+1} \,"
            r" w_{ji}^{n+1} \, h(u_j^{T,n+1})",
            "classic-vector": r"\Delta^{T,n} = (W^{n+1})^\top \bigl(\Delta^{T,n+1} \odot"
            r" h(U^{T,n+1})\bigr)",
        },
    ),
    (
        "c2-epsilon",
        "Case 2: ε at the last step, below the output",
        {
            "index": r"\varepsilon_i^{T,n} = \delta_i^{T,n} \, h(u_i^{T,n})",
            "vector": r"E^{T,n} = \Delta^{T,n} \odot h(U^{T,n})",
        },
    ),
    (
        "c3-delta",
        "Case 3: δ before the last step, output layer",
        {
            "index": r"\delta_i^{t,N} = \delta_i^{T,N} + \mathrm{err}_i^{t+1,N} \, u_i^{t,N} \,"
            r" f'(o_i^{t,N})",
            "vector": r"\Delta^{t,N} = \Delta^{T,N} + \mathrm{err}^{t+1,N} \odot U^{t,N} \odot"
            r" f'(O^{t,N})",
            "classic-index": r"\delta_i^{t,N} = \delta_i^{T,N} + \delta_i^{t+1,N} \,"
            r" h(u_i^{t+1,N}) \, u_i^{t,N} \, f'(o_i^{t,N})",
            "classic-vector": r"\Delta^{t,N} = \Delta^{T,N} + \Delta^{t+1,N} \odot h(U^{t+1,N})"
            r" \odot U^{t,N} \odot f'(O^{t,N})",
        },
    ),
    (
        "c3-epsilon",
        "Case 3: ε before the last step, output layer",
        {
            "index": r"\varepsilon_i^{t,N} = \delta_i^{t,N} \, h(u_i^{t,N}) +"
            r" \varepsilon_i^{t+1,N} \, f(o_i^{t,N})",
            "vector": r"E^{t,N} = \Delta^{t,N} \odot h(U^{t,N}) + E^{t+1,N} \odot f(O^{t,N})",
        },
    ),
    (
        "c4-delta",
        "Case 4: δ before the last step, below the output",
        {
            "index": r"\delta_i^{t,n} = \sum_{j=1}^{l(n+1)} \mathrm{err}_j^{t,n+1} \, w_{ji}^{n+1}"
            r" + \mathrm{err}_i^{t+1,n} \, u_i^{t,n} \, f'(o_i^{t,n})",
            "vector": r"\Delta^{t,n} = (W^{n+1})^\top \, \mathrm{err}^{t,n+1} +"
            r" \mathrm{err}^{t+1,n} \odot U^{t,n} \odot f'(O^{t,n})",
            "classic-index": r"\delta_i^{t,n} = \sum_{j=1}^{l(n+1)} \delta_j^{t,n+1} \,"
            r" w_{ji}^{n+1} \, h(u_j^{t,n+1}) + \delta_i^{t+1,n} \, h(u_i^{t+1,n}) \, u_i^{t,n} \,"
            r" f'(o_i^{t,n})",
            "classic-vector": r"\Delta^{t,n} = (W^{n+1})^\top \bigl(\Delta^{t,n+1} \odot"
            r" h(U^{t,n+1})\bigr) + \Delta^{t+1,n} \odot h(U^{t+1,n}) \odot U^{t,n} \odot"
            r" f'(O^{t,n})",
        },
    ),
    (
        "c4-epsilon",
        "Case 4: ε before the last step, below the output",
        {
            "index": r"\varepsilon_i^{t,n} = \delta_i^{t,n} \, h(u_i^{t,n}) +"
            r" \varepsilon_i^{t+1,n} \, f(o_i^{t,n})",
            "vector": r"E^{t,n} = \Delta^{t,n} \odot h(U^{t,n}) + E^{t+1,n} \odot f(O^{t,n})",
        },
    ),
    (
        "c5-b",
        "Case 5: the gradient of the biases",
        {
            "index": r"\frac{\partial L}{\partial b_i^n} = \sum_{t=1}^T \varepsilon_i^{t,n}",
            "vector": r"\frac{\partial L}{\partial b^n} = \sum_{t=1}^T E^{t,n}",
        },
    ),
    (
        "c5-w",
        "Case 5: the gradient of the weights",
        {
            "index": r"\frac{\partial L}{\partial w_{ij}^n} = \sum_{t=1}^T \varepsilon_i^{t,n} \,"
            r" o_j^{t,n-1}",
            "vector": r"\frac{\partial L}{\partial W^n} = \sum_{t=1}^T E^{t,n} (O^{t,n-1})^\top",
        },
    ),
)

EQUATIONS: dict[str, Equation] = {**NEURON, **SURROGATES, **LOSS, **CASES}
