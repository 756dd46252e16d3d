"""The settings of a training run, in one frozen dataclass; a neuron of your own is a text.

    tau = 0.9; v_th = 1
    u = tau * u * (1 - o) + x; o = spike(u - v_th)

Such a text is read as :func:`stbp_edu.derive` reads it.
"""

import math
import re
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field, fields
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from stbp_edu import checks
from stbp_edu.arrows import RULES, Neuron, Rule, truncated, with_gain_limit
from stbp_edu.arrows.any_neuron import as_neuron, as_text
from stbp_edu.arrows.lines.text import read_lines
from stbp_edu.arrows.part_one import from_lif
from stbp_edu.arrows.table import neuron_from
from stbp_edu.files import read_text
from stbp_edu.losses import LOSSES
from stbp_edu.losses.reading import Built
from stbp_edu.neuron import GATES, LIF
from stbp_edu.rules import ABLATIONS, CASE_RULES
from stbp_edu.sizes import hidden_layer
from stbp_edu.surrogates import SURROGATES, Surrogate
from stbp_edu.training.encoders import ENCODERS, inputs
from stbp_edu.training.own import own_rule, own_surrogate

TRAINED = (
    *CASE_RULES,
    *ABLATIONS,
    *(r for r in RULES if r not in CASE_RULES + ABLATIONS),
)
"""The rules to train with, and truncated-K for any K."""
TRUNCATED = re.compile(r"truncated-(\d{1,4})")

FGSM = ("untargeted", "targeted")
"""Which way images are moved: up the loss, or down that of the other answers."""

BACKENDS = ("auto", "numpy", "compiled")


def _setting(default: Any, check: Callable[[str, Any], Any], words: str) -> Any:
    """Declare a setting: a check that takes its name and value and returns the value, and help."""
    return field(default=default, metadata={"check": check, "help": words})


def _one_of(
    default: str, options: Collection[str], before: str = "", after: str = ""
) -> Any:
    """Declare a setting that is one of some words, which its help names."""
    *others, last = options
    check = partial(checks.choice, options=options)
    return _setting(default, check, f"{before}{', '.join(others)} or {last}{after}")


def _share(name: str, value: object) -> float:
    """Return a number in [0, 1)."""
    if not 0 <= (share := checks.number(name, value)) < 1:
        raise ValueError(f"{name} must be in [0, 1), got {value!r}; 0 turns it off")
    return share


def _from_zero(name: str, value: object) -> float:
    """Return a number that is positive, or 0, which turns it off."""
    if (found := checks.number(name, value)) < 0:
        raise ValueError(f"{name} must be >= 0, got {value!r}; 0 turns it off")
    return found


def _rule(name: str, value: object) -> str:
    """Return the name of a rule, or ``module:name`` of your own."""
    if isinstance(value, str) and TRUNCATED.fullmatch(value):
        return value
    if isinstance(value, str) and ":" in value:
        own_rule(value)  # which says what is wrong with it
        return value
    return checks.choice(name, value, TRAINED)


def _surrogate(name: str, value: object) -> str:
    """Return the name of a surrogate, or ``module:name`` of your own."""
    if isinstance(value, str) and ":" in value:
        return value
    return checks.choice(name, value, SURROGATES)


def _hidden(name: str, value: object) -> tuple[int | str, ...]:
    """Return hidden layers as a tuple of widths, and of parts such as 15C5 and P2."""
    if not isinstance(value, (list, tuple)):
        return checks.widths(name, value)
    return tuple(
        hidden_layer(name, part)
        if isinstance(part, str)
        else checks.count(f"{name}[{n}]", part)
        for n, part in enumerate(value)
    )


def _names(name: str, value: object) -> tuple[str, ...]:
    """Return names of constants as a tuple."""
    if not isinstance(value, list | tuple) or not all(
        isinstance(k, str) for k in value
    ):
        raise TypeError(
            f"{name} must list names of constants, got {checks.brief(value)}; write {name}=['tau']"
        )
    return tuple(value)


def _lines(name: str, value: object) -> str:
    r"""Return a text with one line for each state or constant, and no comments.

    >>> _lines("neuron", "u = u + x; o = spike(u - 1)  # no leak")
    'u = u + x\no = spike(u - 1)'
    """
    text = value if isinstance(value, str) else as_text(as_neuron(value, name))
    lines = (
        part for line in text.split("\n") for part in line.partition("#")[0].split(";")
    )
    return "\n".join(line.strip() for line in lines if line.strip())


COUNT, FROM_0, NUMBER = checks.count, partial(checks.count, at_least=0), checks.number
POSITIVE = partial(checks.number, positive=True)


@dataclass(frozen=True)
class Settings:
    """The settings of a run, its seed included.

    On one machine, with the same versions of NumPy and its BLAS, settings and data decide every bit
    of the result. Another processor may round sums in another order, and runs part from there.

    Raises:
        TypeError, ValueError: naming the setting, if one is not usable.

    >>> Settings(epochs=0)
    Traceback (most recent call last):
    ...
    ValueError: epochs must be >= 1, got 0; choose a larger integer
    """

    rule: str = _setting(
        "exact", _rule, "what flows backward: exact, classic, or another"
    )
    hidden: tuple[int | str, ...] = _setting(
        (128,), _hidden, "hidden layers, as widths or 15C5,P2"
    )
    T: int = _setting(10, COUNT, "time steps")
    T_test: int = _setting(
        0, FROM_0, "time steps for images held out; 0: as many as in training"
    )
    tau: float = _setting(
        0.1, NUMBER, "decay of the neuron: the share of its potential kept per step"
    )
    v_th: float = _setting(0.5, NUMBER, "threshold of the neuron")
    gate: str = _one_of(
        "exponential", GATES, "forget gate: ", "; soft is the soft reset"
    )
    surrogate: str = _setting(
        "gaussian", _surrogate, f"{', '.join(SURROGATES)}, or your own as module:name"
    )
    a: float = _setting(0.25, NUMBER, "width of the surrogate")
    gain_limit: float = _setting(
        0.0, _from_zero, "largest gain from step to step; 0: none"
    )
    encoder: str = _one_of("bernoulli", ENCODERS)
    hold: int = _setting(
        1, COUNT, "time steps for each row of an image, with rows and frames"
    )
    loss: str = _one_of("rate", LOSSES)
    read: int = _setting(
        0, FROM_0, "last steps that last-steps and membrane read; 0: all"
    )
    init: str = _one_of("uniform", ("uniform", "unit-rows"), "initial weights: ")
    init_scale: float = _setting(1.0, POSITIVE, "factor on the initial weights")
    lr: float = _setting(1e-3, POSITIVE, "learning rate at the start")
    optimiser: str = _one_of("adam", ("adam", "sgd"), "how updates are made: ")
    momentum: float = _setting(
        0.9, _share, "decay of the mean gradient: the momentum of sgd, and Adam's beta1"
    )
    beta2: float = _setting(
        0.999,
        _share,
        "decay of Adam's mean squared gradient; 0.9 forgets large ones sooner",
    )
    clip_norm: float = _setting(
        0.0, _from_zero, "scale a gradient of a larger norm to this norm; 0: never"
    )
    weight_decay: float = _setting(
        0.0, _from_zero, "share of weights, times lr, cut in a step"
    )
    schedule: str = _one_of(
        "cosine", ("cosine", "constant"), "learning rate over time: "
    )
    averaging: float = _setting(
        0.98, _share, "decay of the weight average, for each step; 0: none"
    )
    shift: int = _setting(
        0, FROM_0, "augmentation: shift each image by up to this many pixels"
    )
    dropout: float = _setting(
        0.0, _share, "share of hidden neurons left out of each step"
    )
    adversarial: float = _setting(
        0.0, _share, "move pixels by this share of white: FGSM"
    )
    fgsm: str = _one_of("untargeted", FGSM, "which way pixels are moved: ")
    batch: int = _setting(100, COUNT, "images for each step")
    epochs: int = _setting(60, COUNT, "passes over the training images")
    seed: int = _setting(0, FROM_0, "seed of everything that is drawn")
    neuron: str = _setting(
        "", _lines, "your own, as forward lines: 'u = ...; o = spike(...)'"
    )
    readout: str = _setting("", _lines, "that of the last layer, which need not spike")
    learn: tuple[str, ...] = _setting(
        (), _names, "constants that each layer learns: tau,v_th"
    )
    learn_each: tuple[str, ...] = _setting(
        (), _names, "constants that each neuron learns"
    )
    backend: str = _one_of(
        "auto", BACKENDS, "how it computes: ", "; compiled needs Numba"
    )

    def __post_init__(self) -> None:
        """Check every setting, and that their values do not depend on how they were written."""
        if not isinstance(self.neuron, str):
            self._take_from(as_neuron(self.neuron))
        for f in fields(self):
            object.__setattr__(
                self, f.name, f.metadata["check"](f.name, getattr(self, f.name))
            )
        _ = self._lif
        self._check_together()
        if self.is_derived:
            known = {
                name
                for neuron in self.make_neurons()
                for name in neuron.lines.constants
            }
            for name in ("learn", "learn_each"):
                for constant in getattr(self, name):
                    checks.choice(name, constant, sorted(known))

    def _take_from(self, neuron: Neuron) -> None:
        """Take the surrogate and what is learned from a neuron that is not given as a text."""
        names = {kind: name for name, kind in SURROGATES.items()}
        curve: Any = neuron.surrogate
        if type(curve) not in names:
            raise TypeError(
                "neuron must have a surrogate of this package, got "
                f"{checks.brief(curve)}; name yours by surrogate='module:name', and give the "
                "neuron as a text"
            )
        layer = tuple(name for name in neuron.learned if name not in neuron.each)
        taken = {"surrogate": names[type(curve)], "a": curve.a}
        taken |= {"learn": layer, "learn_each": neuron.each}
        for name, value in taken.items():
            object.__setattr__(self, name, value)

    def _check_together(self) -> None:
        """Check settings against others; a row: what must hold, a name, what it must be, a mend."""
        layers, mend = (
            f"for the layers {self.hidden}",
            "choose that, or give widths alone",
        )
        plain = not self.has_images
        pixels = (self.loss, self.encoder) == ("rate", "bernoulli")
        rows = [
            (self.read <= min(self.T, self.steps_to_answer),
             "read", f"<= T = {self.T}, and <= T_test", "read fewer steps"),
            (hasattr(LOSSES[self.loss], "k") or not self.read,
             "read", f"0 with loss = {self.loss!r}, which reads every step",
             "choose last-steps or membrane"),
            (pixels or not self.adversarial,
             "adversarial", "0 but for loss = 'rate' and encoder = 'bernoulli'", "leave it out"),
            (not (self.is_derived and self.adversarial),
             "adversarial", "0 with a neuron of your own, recurrent layers or convolutions",
             "leave it out"),
            (self.encoder != "frames" or not self.shift,
             "shift", "0 with encoder = 'frames'", "a row is a moment"),
            (plain or self.encoder in ("bernoulli", "direct"),
             "encoder", f"'bernoulli', 'direct' {layers}", mend),
            (plain or not self.dropout, "dropout", f"0 {layers}", mend),
        ]  # fmt: skip
        for fits, name, need, mend in rows:
            if not fits:
                raise ValueError(
                    f"{name} must be {need}, got {getattr(self, name)!r}; {mend}"
                )

    @property
    def has_images(self) -> bool:
        """Whether a hidden layer is a convolution, or reads the means of blocks."""
        return any(isinstance(part, str) and part[-1] != "R" for part in self.hidden)

    @property
    def is_derived(self) -> bool:
        """Whether neurons are your own, or layers are more than fully connected."""
        own = self.neuron, self.readout, self.learn, self.learn_each
        return any(own) or any(isinstance(part, str) for part in self.hidden)

    def shape(self, image: tuple[int, ...], classes: int) -> str:
        """Return the shape of the network for images of this (height, width).

        >>> Settings(hidden=("15C5", "P2", 300)).shape((28, 28), 10)
        '28x28-15C5-P2-300-10'
        """
        first = (
            "x".join(map(str, image))
            if self.has_images
            else inputs(self.encoder, image)
        )
        return "-".join(map(str, (first, *self.hidden, classes)))

    @property
    def steps_to_answer(self) -> int:
        """Time steps for images held out."""
        return self.T_test or self.T

    @property
    def _lif(self) -> LIF:
        """Part I's neuron, also where lines stand in its place."""
        surrogate: Surrogate
        if ":" in self.surrogate:
            surrogate = own_surrogate(self.surrogate, self.a)
        else:
            surrogate = SURROGATES[self.surrogate](a=self.a)
        return LIF(tau=self.tau, v_th=self.v_th, surrogate=surrogate, gate=self.gate)

    def make_neuron(self) -> LIF:
        """Return the neuron of these settings, which must have no lines of their own."""
        if self.neuron or self.readout:
            raise ValueError(
                "neuron and readout must be '' for make_neuron, which returns a LIF; call "
                "make_neurons for the tables of the hidden layers and of the last one"
            )
        return self._lif

    def make_neurons(self) -> tuple[Neuron, Neuron]:
        """Return the neuron of the hidden layers and that of the last one, by their tables."""
        lif = self._lif
        given = ("tau", self.tau), ("v_th", self.v_th)
        own: Any = given, lif.surrogate, self.learn, self.learn_each
        if self.neuron:
            neuron = read_neuron("neuron", self.neuron, *own)
        else:
            known = ("tau", "v_th")
            learn, each = (
                [name for name in names if name in known]
                for names in (self.learn, self.learn_each)
            )
            neuron = from_lif(lif, learn=learn, learn_each=each)
        last = read_neuron("readout", self.readout, *own) if self.readout else neuron
        return neuron, last

    def make_rule(self) -> Rule:
        """Return the rule of these settings, as a table of moves."""
        if ":" in self.rule:
            rule = own_rule(self.rule)
        elif found := TRUNCATED.fullmatch(self.rule):
            rule = truncated(int(found[1]))
        else:
            rule = RULES[self.rule]
        return with_gain_limit(self.gain_limit, rule) if self.gain_limit else rule

    def make_loss(self) -> Built:
        """Return the loss of these settings."""
        made: Any = LOSSES[self.loss]
        return made(self.read or None) if hasattr(made, "k") else made()

    def learning_rate(self, done: float) -> float:
        """Return the learning rate when this share of all steps, from 0 to 1, is done.

        >>> [round(Settings(lr=1.0).learning_rate(done), 3) for done in (0.0, 0.5, 1.0)]
        [1.0, 0.5, 0.0]
        """
        if self.schedule == "constant":
            return self.lr
        return self.lr * 0.5 * (1 + math.cos(math.pi * done))  # lr


def text_of(setting: str, given: object) -> str:
    """Return the lines that were given, or those in the file of that name."""
    text = checks.instance(setting, given, str)
    if "=" in text:
        return text
    try:
        return read_text(Path(text))
    except (OSError, ValueError) as error:
        raise ValueError(
            f"{setting} must be forward lines, such as 'u = tau * u + x; o = spike(u - v_th)', or "
            f"a file with them, got {checks.brief(given)} ({error})"
        ) from error


@lru_cache(maxsize=64)
def read_neuron(
    setting: str, text: str, given: Any, surrogate: Any, *learn: Any
) -> Neuron:
    """Return the neuron of a text of forward lines; the error names the setting.

    ``given`` are constants that a line may read although the text does not give them, ``learn``
    those that each layer learns, and each neuron; the text need not have them.
    """
    try:
        lines = read_lines(text, {}, dict(given))
        mine = ([name for name in names if name in lines.constants] for names in learn)
        return neuron_from(lines, surrogate, *mine)
    except ValueError as error:
        raise ValueError(f"{setting}, {error}") from error


def to_dict(settings: Settings) -> dict[str, Any]:
    """Return the settings as JSON can hold them."""
    values = asdict(checks.instance("settings", settings, Settings))
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def from_dict(values: dict[str, Any]) -> Settings:
    """Return the settings that :func:`to_dict` wrote, or that a published record has.

    Raises:
        ValueError: if a name is unknown, or a value is none that this version follows.
    """
    values = dict(checks.instance("settings", values, dict))
    # Older records have a pool of processes, and the American spelling.
    values.pop("shards", None)
    if "optimizer" in values:
        values["optimiser"] = values.pop("optimizer")
    known = sorted(f.name for f in fields(Settings))
    if unknown := sorted({*values} - {*known}):
        raise ValueError(
            f"settings must be among {known}, got {unknown}; was this file written by another "
            "version?"
        )
    return Settings(**values)
