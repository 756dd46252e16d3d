"""The settings of a training run: each with its default, its check and its help."""

import math
import re
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from typing import Any

from stbp_edu._support import checks
from stbp_edu._support.links import hidden_layer
from stbp_edu.arrows import RULES, Neuron, Rule, truncated, with_gain_limit
from stbp_edu.losses import LOSSES, loss_named
from stbp_edu.losses.of_states import Built
from stbp_edu.networks.arguments import as_neuron
from stbp_edu.neuron import GATES, LIF, LINES
from stbp_edu.surrogates import SURROGATES
from stbp_edu.training.encoders import ENCODERS, inputs
from stbp_edu.training.own import forward_lines, read_neuron

TRUNCATED = re.compile(r"truncated-(\d{1,4})")
ENDED = {
    "adversarial": 0.0,
    "fgsm": "untargeted",
    "dropout": 0.0,
    "weight_decay": 0.0,
    "init": "uniform",
}
"""Settings of older records that changed nothing at these values."""


def setting(default: Any, check: Callable[[str, Any], Any], words: str) -> Any:
    """Declare a setting: a check that takes its name and value and returns the value, and help."""
    return field(default=default, metadata={"check": check, "help": words})


def one_of(
    default: str, options: Collection[str], before: str = "", after: str = ""
) -> Any:
    """Declare a setting that is one of some words, which its help names."""
    *others, last = options
    check = partial(checks.choice, options=options)
    return setting(default, check, f"{before}{', '.join(others)} or {last}{after}")


def from_zero(name: str, value: object, below: float = math.inf) -> float:
    """Return a number from 0, which turns the setting off."""
    if not 0 <= (found := checks.number(name, value)) < below:
        raise ValueError(f"{name} must be in [0, {below:g}), got {value!r}; 0: off")
    return found


def hidden_layers(name: str, value: object) -> tuple[int | str, ...]:
    """Return hidden layers as a tuple of widths, and of parts such as 15C5 and P2."""
    if not isinstance(value, list | tuple):
        return checks.widths(name, value)
    return tuple(hidden_layer(name, str(part)) for part in value)


def constant_names(name: str, value: object) -> tuple[str, ...]:
    """Return names of constants as a tuple."""
    names = tuple(value) if isinstance(value, list | tuple) else (None,)
    if not all(isinstance(one, str) for one in names):
        raise TypeError(
            f"{name} must list names of constants, got {checks.brief(value)}; write {name}=['tau']"
        )
    return names


COUNT, FROM_0, NUMBER = checks.count, partial(checks.count, at_least=0), checks.number
POSITIVE, SHARE = partial(checks.number, positive=True), partial(from_zero, below=1)
SWITCH, TEXT = (partial(checks.instance, kind=kind) for kind in (bool, str))


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
    ValueError: epochs must be >= 1, got 0; choose an integer from 1 to 9223372036854775807
    """

    rule: str = setting(
        "exact",
        TEXT,
        f"what flows backward: {', '.join(RULES)} or truncated-K; both (the digits') for the first "
        "two",
    )
    hidden: tuple[int | str, ...] = setting(
        (128,), hidden_layers, "hidden layers, as widths or 15C5,P2"
    )
    T: int = setting(10, COUNT, "time steps")
    T_test: int = setting(
        0, FROM_0, "time steps for images held out; 0: as many as in training"
    )
    tau: float = setting(
        0.1, NUMBER, "decay of the neuron: the share of its potential kept per step"
    )
    v_th: float = setting(0.5, NUMBER, "threshold of the neuron")
    gate: str = one_of(
        "exponential", GATES, "forget gate: ", "; soft is the soft reset"
    )
    surrogate: str = one_of("gaussian", SURROGATES)
    a: float = setting(0.25, NUMBER, "width of the surrogate")
    gain_limit: float = setting(
        0.0, from_zero, "largest gain from step to step; 0: none"
    )
    encoder: str = one_of("bernoulli", ENCODERS)
    hold: int = setting(
        1, COUNT, "time steps for each row of an image, with rows and frames"
    )
    loss: str = one_of("rate", LOSSES)
    read: int = setting(
        0, FROM_0, "last steps that last-steps and membrane read; 0: all"
    )
    init_scale: float = setting(1.0, POSITIVE, "factor on the initial weights")
    lr: float = setting(1e-3, POSITIVE, "learning rate at the start")
    optimiser: str = one_of("adam", ("adam", "sgd"), "how updates are made: ")
    momentum: float = setting(
        0.9, SHARE, "decay of the mean gradient: the momentum of sgd, and Adam's beta1"
    )
    beta2: float = setting(
        0.999,
        SHARE,
        "decay of Adam's mean squared gradient; 0.9 forgets large ones sooner",
    )
    clip_norm: float = setting(
        0.0, from_zero, "scale a gradient of a larger norm to this norm; 0: never"
    )
    gradient_sign: bool = setting(
        False,
        SWITCH,
        "give the optimiser the sign of each entry of the gradient, not its size",
    )
    schedule: str = one_of(
        "cosine", ("cosine", "constant"), "learning rate over time: "
    )
    averaging: float = setting(
        0.98, SHARE, "decay of the weight average, for each step; 0: none"
    )
    shift: int = setting(
        0, FROM_0, "augmentation: shift each image by up to this many pixels"
    )
    batch: int = setting(100, COUNT, "images for each step")
    epochs: int = setting(60, COUNT, "passes over the training images")
    seed: int = setting(0, FROM_0, "seed of everything that is drawn")
    neuron: Any = setting(  # noqa: RUF009 - a text once it is checked
        "", forward_lines, "your own, as forward lines: 'u = ...; o = spike(...)'"
    )
    readout: Any = setting(  # noqa: RUF009
        "", forward_lines, "that of the last layer, which need not spike"
    )
    learn: tuple[str, ...] = setting(
        (), constant_names, "constants that each layer learns: tau,v_th"
    )
    learn_each: tuple[str, ...] = setting(
        (), constant_names, "constants that each neuron learns"
    )
    backend: str = one_of(
        "auto",
        ("auto", "numpy", "compiled"),
        "how it computes: ",
        "; compiled needs Numba",
    )

    def __post_init__(self) -> None:
        """Check every setting, and that their values do not depend on how they were written."""
        if not isinstance(self.neuron, str):
            self._take_from(as_neuron(self.neuron))
        for f in fields(self):
            object.__setattr__(
                self, f.name, f.metadata["check"](f.name, getattr(self, f.name))
            )
        self._check_together()
        self.make_rule()
        hidden, last = self.make_neurons()
        known = sorted({*hidden.lines.constants, *last.lines.constants})
        for name in ("learn", "learn_each"):
            for constant in getattr(self, name):
                checks.choice(name, constant, known)

    def _take_from(self, neuron: Neuron) -> None:
        """Take the surrogate and what is learned from a neuron that is not given as a text."""
        names = {kind: name for name, kind in SURROGATES.items()}
        curve: Any = neuron.surrogate
        if type(curve) not in names:
            raise TypeError(
                "neuron must have a surrogate of this package, got "
                f"{checks.brief(curve)}; train yours in a loop of your own, with "
                "stbp_edu.network"
            )
        layer = tuple(name for name in neuron.learned if name not in neuron.each)
        taken = {"surrogate": names[type(curve)], "a": curve.a, "learn": layer}
        for name, value in {**taken, "learn_each": neuron.each}.items():
            object.__setattr__(self, name, value)

    def _check_together(self) -> None:
        """Check settings against others; a row: the condition, a name, its value, the advice."""
        rows = [
            (self.read <= min(self.T, self.steps_to_answer),
             "read", f"<= T = {self.T}, and <= T_test", "read fewer steps"),
            (hasattr(LOSSES[self.loss], "k") or not self.read,
             "read", f"0 with loss = {self.loss!r}, which reads every step",
             "choose last-steps or membrane"),
            (not self.has_images or self.encoder != "rows",
             "encoder", f"'bernoulli' or 'direct' for the layers {self.hidden}", "choose one"),
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
        """Part I's neuron, also where lines replace it."""
        curve = SURROGATES[self.surrogate](a=self.a)
        return LIF(tau=self.tau, v_th=self.v_th, surrogate=curve, gate=self.gate)

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
        given = self._lif, self.learn, self.learn_each
        neuron = read_neuron("neuron", self.neuron or LINES[self.gate], *given)
        if not self.readout:
            return neuron, neuron
        return neuron, read_neuron("readout", self.readout, *given)

    def make_rule(self) -> Rule:
        """Return the rule of these settings, as a table of moves."""
        if found := TRUNCATED.fullmatch(self.rule):
            rule = truncated(int(found[1]))
        else:
            rule = RULES[checks.choice("rule", self.rule, RULES)]
        return with_gain_limit(self.gain_limit, rule) if self.gain_limit else rule

    def make_loss(self) -> Built:
        """Return the loss of these settings."""
        return loss_named(self.loss, self.read or None)

    def learning_rate(self, done: float) -> float:
        """Return the learning rate when this share of all steps, from 0 to 1, is done.

        >>> [round(Settings(lr=1.0).learning_rate(done), 3) for done in (0.0, 0.5, 1.0)]
        [1.0, 0.5, 0.0]
        """
        if self.schedule == "constant":
            return self.lr
        return self.lr * 0.5 * (1 + math.cos(math.pi * done))  # lr


def to_dict(settings: Settings) -> dict[str, Any]:
    """Return the settings as JSON can hold them."""
    values = asdict(checks.instance("settings", settings, Settings))
    return {k: list(v) if isinstance(v, tuple) else v for k, v in values.items()}


def from_dict(values: dict[str, Any]) -> Settings:
    """Return the settings that :func:`.to_dict` wrote, or that a published record has.

    Raises:
        ValueError: if a name is unknown, or a value is none that this version follows.
    """
    values = dict(checks.instance("settings", values, dict))
    if "optimizer" in values:  # the American spelling of older records
        values["optimiser"] = values.pop("optimizer")
    values.pop("shards", None)  # a pool of processes, which changed no result
    for name, off in ENDED.items():
        if values.get(name, off) == off:
            values.pop(name, None)
    known = sorted(f.name for f in fields(Settings))
    if unknown := sorted({*values} - {*known}):
        raise ValueError(
            f"settings must be among {known}, got {unknown}; was this file written by another "
            "version?"
        )
    return Settings(**values)
