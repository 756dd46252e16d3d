"""What is often written in forward lines from habit, and what to write instead."""

import re
from collections.abc import Collection

SPIKE = "a spike is o = spike(u - v_th), in a line of its own: 1 where its argument is >= 0, else 0"
STEPS = ": up to and in its own line it is the last step's value, below it this step's"
FLOW = "a line is one formula, computed at every step: use spike, min, max or abs for what changes"
GROWN = "write what u is after a step, as in u = u + dt * (x - u) / tau"
WRITTEN = {
    r"\bheaviside\b": SPIKE,
    r"\^": "write ** for a power",
    r"\b(np|numpy|math|torch|jnp|anp)\s*\.": "write functions by their names alone: exp(u)",
    r"\w\s*\[": f"write the name alone{STEPS}",
    r"\b(if|else|for|while|return|import|def|lambda|and|or|not)\b": FLOW,
    r"[-+*/]=": "write u = u + ..., with the name on both sides",
    r"[<>]|[=!]=": SPIKE,
    r";": "write a line for each state",
    r"^\s*d?\w*\s*/\s*dt\b|^\s*\w+'": GROWN,
    r"[²³]": "write ** for a power",
    r"\b\d+\.?\d*[A-Za-z_]|[\w)]\s+[\w(]|\)\s*\(|\)\w": "write * between factors, as in 2 * u",
}
"""A pattern of what was written, and what to do; the first that fits."""
CALLED = {
    **dict.fromkeys(("heaviside", "H", "step", "Theta", "theta", "spikes", "fire"), SPIKE),
    "sigmoid": "define it in a line above: sigmoid(v) = 1 / (1 + exp(-v))",
    "relu": "write max(v, 0)",
    "sign": "write spike for a spike, or tanh for a smooth sign",
    "ln": "write log",
    "pow": "write a ** b",
}
"""Functions of other names."""
OF_A_STEP = re.compile(r"(.+?)_?(t|n|k|prev|old|last|new|next|now|t_?1|tm1|tp1)")
WEIGHTED = "x is the whole input: weights, recurrent weights and bias are in it already"
INPUTS = ("I", "input", "inputs", "inp", "s_in", "current", "I_in", "X")


def of_text(text: str) -> str:
    """Return what to write in place of a piece of text, or "" if nothing is known of it.

    >>> of_text("tau^2")
    'write ** for a power'
    """
    return next((advice for form, advice in WRITTEN.items() if re.search(form, text)), "")


def of_name(name: str, states: Collection[str]) -> str:
    """Return what to write in place of a name that has no value, or "".

    >>> of_name("u_prev", ["u", "o"])
    "write u: up to and in its own line it is the last step's value, below it this step's"
    """
    at_a_step = OF_A_STEP.fullmatch(name)
    if at_a_step and at_a_step[1] in ("x", *states):
        if at_a_step[1] == "x":
            return "write x: it is this step's input"
        return f"write {at_a_step[1]}{STEPS}"
    if f"d{name}" in states:
        return GROWN.replace("u", name)
    if name in ("W", "R", "b", "w"):
        return WEIGHTED
    return "the input is called x" if name in INPUTS else ""
