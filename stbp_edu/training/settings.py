"""The settings of a training run, in one frozen dataclass."""

import math
import re
from collections.abc import Collection
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from stbp_edu import checks
from stbp_edu.arrows import RULES as PART_TWO
from stbp_edu.arrows import Neuron, Rule, lif_lines, truncated, with_gain_limit
from stbp_edu.convolution import hidden_layer
from stbp_edu.losses import LOSSES, LastSteps, Membrane
from stbp_edu.losses.reading import Built
from stbp_edu.neuron import LIF
from stbp_edu.rules import ABLATIONS, RULES, check_gain_limit
from stbp_edu.surrogates import SURROGATES
from stbp_edu.training.encoders import ENCODERS, inputs
from stbp_edu.training.neuron_text import read_neuron, tidy_lines
from stbp_edu.training.optim import SGD, Adam, Optimizer

TRAINED = (*RULES, *ABLATIONS, *(r for r in PART_TWO if r not in RULES + ABLATIONS))
"""The rules to train with, and truncated-K for any K: Part I's, and the others of Part II."""
TRUNCATED = re.compile(r"truncated-(\d{1,4})")

FGSM = ("untargeted", "targeted")
"""Which way images are moved: up the loss, or down the loss whose targets are the other answers."""

CHOICES: dict[str, Collection[str]] = {
    "rule": TRAINED,
    "surrogate": SURROGATES,
    "encoder": ENCODERS,
    "loss": LOSSES,
    "init": ("uniform", "unit-rows"),
    "optimizer": ("adam", "sgd"),
    "schedule": ("cosine", "constant"),
    "fgsm": FGSM,
    "backend": ("auto", "numpy", "compiled"),
}
"""The values that a setting may have, where they are words."""


MOST_ENCODINGS = 10_000


def _setting(default: Any, words: str) -> Any:
    """Declare a setting with the help text that the command line shows."""
    return field(default=default, metadata={"help": words})


def _either(names: Collection[str]) -> str:
    """Return names as a phrase: one, two or three."""
    *others, last = names
    return f"{', '.join(others)} or {last}"


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

    rule: str = _setting("exact", "what flows backward: exact, classic, or another")
    hidden: tuple[int | str, ...] = _setting((128,), "hidden layers: widths, or 15C5,P2,300")
    T: int = _setting(10, "time steps")
    T_test: int = _setting(0, "time steps for images held out; 0: as many as in training")
    tau: float = _setting(0.1, "leak of the neuron")
    v_th: float = _setting(0.5, "threshold of the neuron")
    gate: str = _setting("exponential", "forget gate: exponential, linear, or soft (soft reset)")
    surrogate: str = _setting("gaussian", _either(SURROGATES))
    a: float = _setting(0.25, "width of the surrogate")
    gain_limit: float = _setting(0.0, "largest gain of an error from step to step; 0: no limit")
    encoder: str = _setting("bernoulli", _either(ENCODERS))
    hold: int = _setting(1, "time steps for each row of an image, with rows and frames")
    loss: str = _setting("rate", _either(LOSSES))
    read: int = _setting(0, "how many steps, from the end, last-steps and membrane read; 0: all")
    init: str = _setting("uniform", "initial weights: uniform or unit-rows")
    init_scale: float = _setting(1.0, "factor on the initial weights")
    optimizer: str = _setting("adam", "adam or sgd")
    lr: float = _setting(1e-3, "learning rate at the start")
    momentum: float = _setting(0.9, "momentum of sgd")
    weight_decay: float = _setting(0.0, "share of the weights taken off, times lr, at each step")
    schedule: str = _setting("cosine", "learning rate over time: cosine (to 0) or constant")
    averaging: float = _setting(0.98, "decay of the weight average, for each step; 0: none")
    shift: int = _setting(0, "augmentation: shift each image by up to this many pixels")
    dropout: float = _setting(0.0, "share of hidden neurons left out of each training step")
    adversarial: float = _setting(0.0, "move pixels by this share of white, against the network")
    fgsm: str = _setting("untargeted", "which way: untargeted (up the loss) or targeted")
    batch: int = _setting(100, "images for each step")
    epochs: int = _setting(60, "passes over the training images")
    seed: int = _setting(0, "seed of all that is drawn")
    neuron: str = _setting("", "your own neuron, as forward lines: 'u = ...; o = spike(...)'")
    readout: str = _setting("", "that of the last layer, which need not spike")
    learn: tuple[str, ...] = _setting((), "constants that each layer learns, such as tau,v_th")
    learn_each: tuple[str, ...] = _setting((), "constants that each neuron learns")
    backend: str = _setting("auto", "how it computes: auto, numpy, or compiled (needs Numba)")

    def __post_init__(self) -> None:
        """Check every setting, and that their values do not depend on how they were written."""
        object.__setattr__(self, "hidden", _hidden(self.hidden))
        self._check_texts()
        for name in ("T", "hold", "batch", "epochs"):
            checks.count(name, getattr(self, name))
        for name in ("T_test", "read", "shift", "seed"):
            checks.count(name, getattr(self, name), at_least=0)
        for name in ("lr", "init_scale"):
            object.__setattr__(self, name, checks.number(name, getattr(self, name), positive=True))
        object.__setattr__(self, "gain_limit", checks.number("gain_limit", self.gain_limit))
        if self.gain_limit:
            check_gain_limit(self.gain_limit)
        for name in ("averaging", "dropout", "adversarial"):
            if not 0 <= checks.number(name, getattr(self, name)) < 1:
                raise ValueError(
                    f"{name} must be in [0, 1), got {getattr(self, name)!r}; 0 turns it off"
                )
        for name, options in CHOICES.items():
            if name != "rule" or not TRUNCATED.fullmatch(str(self.rule)):
                checks.choice(name, getattr(self, name), options)
        _ = self._lif
        self._check_reading()
        SGD(momentum=self.momentum, weight_decay=self.weight_decay)  # whichever is chosen
        self.make_optimizer()
        self._check_neurons()

    def _check_reading(self) -> None:
        """Check which steps the loss reads, and what only the rate loss can do."""
        if self.read > min(self.T, self.steps_to_answer):
            raise ValueError(
                f"read must be <= T = {self.T}, and <= T_test, got {self.read}; read fewer steps"
            )
        if self.read and self.loss not in ("last-steps", "membrane"):
            raise ValueError(
                f"read must be 0 with loss = {self.loss!r}, which reads every step, got "
                f"{self.read}; choose last-steps or membrane"
            )
        if self.adversarial and (self.loss, self.encoder) != ("rate", "bernoulli"):
            raise ValueError(
                "adversarial must be 0 but for loss = 'rate' and encoder = 'bernoulli', got "
                f"{self.adversarial} with {self.loss!r} and {self.encoder!r}; leave it out"
            )
        if self.shift and self.encoder == "frames":
            raise ValueError(
                f"shift must be 0 with encoder = 'frames', got {self.shift}; a row is a moment"
            )
        self._check_images()

    def _check_texts(self) -> None:
        """Check the texts of neurons and the names of constants."""
        for name in ("neuron", "readout"):
            text = checks.instance(name, getattr(self, name), str)
            object.__setattr__(self, name, tidy_lines(text))
        for name in ("learn", "learn_each"):
            value = getattr(self, name)
            if not isinstance(value, list | tuple) or not all(isinstance(k, str) for k in value):
                raise TypeError(
                    f"{name} must list names of constants, got {checks.brief(value)}; "
                    f"write {name}=['tau']"
                )
            object.__setattr__(self, name, tuple(value))

    def _check_neurons(self) -> None:
        """Check the neurons and what they learn, and what only Part I's neuron can do."""
        if not self.is_derived:
            return
        known = {name for neuron in self.make_neurons() for name in neuron.lines.constants}
        for name in ("learn", "learn_each"):
            for constant in getattr(self, name):
                checks.choice(name, constant, sorted(known))
        if self.adversarial:
            raise ValueError(
                f"adversarial must be 0 with a neuron of your own or recurrent layers, got "
                f"{self.adversarial}; leave it out"
            )

    def _check_images(self) -> None:
        """Check what only networks without convolutions can do."""
        allowed = {
            "rule": (self.rule,) if self.is_derived else RULES + ABLATIONS,
            "encoder": ("bernoulli", "direct"),
            "dropout": (0,),
            "adversarial": (0,),
        }
        for name, values in allowed.items():
            if self.has_images and (value := getattr(self, name)) not in values:
                known = ", ".join(map(repr, values))
                raise ValueError(
                    f"{name} must be {known} for the layers {self.hidden}, got {value!r}; choose "
                    "that, or give widths alone"
                )

    @property
    def has_images(self) -> bool:
        """Whether a hidden layer is a convolution, or reads the means of blocks."""
        return any(isinstance(part, str) and part[-1] != "R" for part in self.hidden)

    @property
    def is_derived(self) -> bool:
        """Whether the network is one of derived neurons: your own, or with recurrent layers."""
        own = self.neuron, self.readout, self.learn, self.learn_each
        return any(own) or any(str(part)[-1] == "R" for part in self.hidden)

    @property
    def has_output_spikes(self) -> bool:
        """Whether the neurons of the last layer spike."""
        return not self.is_derived or self.make_neurons()[1].lines.spike is not None

    def shape(self, image: tuple[int, ...], classes: int) -> str:
        """Return the shape of the network for images of this size.

        >>> Settings(hidden=("15C5", "P2", 300)).shape((28, 28), 10)
        '28x28-15C5-P2-300-10'
        """
        first = "x".join(map(str, image)) if self.has_images else self.inputs(image)
        return "-".join(map(str, (first, *self.hidden, classes)))

    def inputs(self, shape: tuple[int, ...]) -> int:
        """Return the width of the input layer for images of this shape (height, width)."""
        return inputs(self.encoder, shape)

    @property
    def steps_to_answer(self) -> int:
        """Time steps for images held out."""
        return self.T_test or self.T

    @property
    def _lif(self) -> LIF:
        """Part I's neuron, also where lines stand in its place."""
        surrogate = SURROGATES[self.surrogate](a=self.a)
        return LIF(tau=self.tau, v_th=self.v_th, surrogate=surrogate, gate=self.gate)

    def make_neuron(self) -> LIF:
        """Return the neuron of these settings.

        Raises:
            ValueError: if they have lines of their own.
        """
        if self.neuron or self.readout:
            raise ValueError(
                "neuron and readout must be '' for make_neuron, which returns a LIF; call "
                "make_neurons for the tables of the hidden layers and of the last one"
            )
        return self._lif

    def make_neurons(self) -> tuple[Neuron, Neuron]:
        """Return the neuron of the hidden layers and that of the last one, by their tables."""
        lif = self._lif
        given = {"tau": self.tau, "v_th": self.v_th}, lif.surrogate, self.learn, self.learn_each
        neuron = read_neuron("neuron", self.neuron or lif_lines(lif), *given)
        last = read_neuron("readout", self.readout, *given) if self.readout else neuron
        return neuron, last

    def make_rule(self) -> Rule:
        """Return the rule of these settings, as a table of moves."""
        found = TRUNCATED.fullmatch(self.rule)
        rule = truncated(int(found[1])) if found else PART_TWO[self.rule]
        return with_gain_limit(self.gain_limit or None, rule)

    def make_loss(self) -> Built:
        """Return the loss of these settings."""
        made = LOSSES[self.loss]
        if made is LastSteps:
            return LastSteps(self.read or self.T)
        return Membrane(self.read or None) if made is Membrane else made()

    def make_optimizer(self) -> Optimizer:
        """Return the optimizer of these settings."""
        if self.optimizer == "sgd":
            return SGD(momentum=self.momentum, weight_decay=self.weight_decay)
        return Adam(weight_decay=self.weight_decay)

    def learning_rate(self, done: float) -> float:
        """Return the learning rate when this share of all steps, from 0 to 1, is done.

        >>> [round(Settings(lr=1.0).learning_rate(done), 3) for done in (0.0, 0.5, 1.0)]
        [1.0, 0.5, 0.0]
        """
        if self.schedule == "constant":
            return self.lr
        return self.lr * 0.5 * (1 + math.cos(math.pi * done))  # lr


def _hidden(value: object) -> tuple[int | str, ...]:
    """Return hidden layers as a tuple of widths, and of parts such as 15C5 and P2."""
    if not isinstance(value, (list, tuple)):
        return checks.widths("hidden", value)
    return tuple(
        hidden_layer("hidden", part)
        if isinstance(part, str)
        else checks.count(f"hidden[{n}]", part)
        for n, part in enumerate(value)
    )


def to_dict(settings: Settings) -> dict[str, Any]:
    """Return the settings as JSON can hold them."""
    checks.instance("settings", settings, Settings)
    lists = {name: list(getattr(settings, name)) for name in ("hidden", "learn", "learn_each")}
    return {**asdict(settings), **lists}


def from_dict(values: dict[str, Any]) -> Settings:
    """Return the settings that :func:`to_dict` wrote, in this version or an earlier one.

    Raises:
        ValueError: if a name is unknown.
    """
    checks.instance("values", values, dict)
    if "nudge" in values:  # the name of fgsm in earlier versions
        values = {**values, "fgsm": {"loss": FGSM[0], "others": FGSM[1]}.get(values["nudge"])}
        del values["nudge"]
    # Shards of a batch were for a pool of processes, which there is no longer.
    values = {name: value for name, value in values.items() if name != "shards"}
    known = {f.name for f in fields(Settings)}
    if unknown := sorted(set(values) - known):
        raise ValueError(
            f"settings must be among {sorted(known)}, got {unknown}; "
            "was this file written by another version?"
        )
    return Settings(**values)


def check_encodings(encodings: object) -> None:
    """Check how often images are to be encoded."""
    if checks.count("encodings", encodings) > MOST_ENCODINGS:
        raise ValueError(
            f"encodings must be <= {MOST_ENCODINGS}, got {encodings}; a hundred give the spread "
            "within a tenth of it"
        )
