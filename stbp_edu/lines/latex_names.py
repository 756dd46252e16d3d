"""Names of states and constants, as LaTeX."""

GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "zeta": "ζ",
    "eta": "η",
    "theta": "θ",
    "iota": "ι",
    "kappa": "κ",
    "lambda_": "λ",
    "mu": "μ",
    "nu": "ν",
    "xi": "ξ",
    "pi": "π",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "upsilon": "υ",
    "phi": "φ",
    "chi": "χ",
    "psi": "ψ",
    "omega": "ω",
    "Gamma": "Γ",
    "Delta": "Δ",
    "Theta": "Θ",
    "Lambda": "Λ",
    "Xi": "Ξ",
    "Pi": "Π",
    "Sigma": "Σ",
    "Phi": "Φ",
    "Psi": "Ψ",
    "Omega": "Ω",
}
"""Greek letters by name; a letter that is a word of Python has an underscore at its end."""
NAMED = {name: rf"\{name.rstrip('_')}" for name in GREEK}
NAMED |= {"v_th": "V_{th}", "epsilon": r"\varepsilon"}
"""Names that have a sign of their own, as LaTeX."""


def symbol(name: str) -> str:
    r"""Return a name as LaTeX: ``tau`` is \tau, ``v_th`` is V_{th}, ``w_in`` is w_{in}.

    >>> [symbol(name) for name in ("tau", "v_th", "w_in", "rate", "u")]
    ['\\tau', 'V_{th}', 'w_{in}', '\\mathrm{rate}', 'u']
    """
    if name in NAMED:
        return NAMED[name]
    if len(name) == 1:
        return name
    head, _, below = name.partition("_")
    has_symbol = head in NAMED or len(head) == 1
    if has_symbol and below:
        return rf"{symbol(head)}_{{{below.removeprefix('_')}}}"
    escaped = name.replace("_", r"\_")
    return rf"\mathrm{{{escaped}}}"


def indexed(name: str) -> str:
    """Return a name as LaTeX to which an index may be added."""
    letter = symbol(name)
    return f"{{{letter}}}" if "_" in letter else letter
