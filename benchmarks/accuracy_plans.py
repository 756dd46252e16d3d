"""The tables of runs that are measured on MNIST and Fashion-MNIST, by name.

Settings are chosen on validation images (the plans that begin with ``tune``), never on the test
images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Plan:
    """A table to be measured: its rows by name, each as changes to the data set's recipe.

    ``together``: train the seeds side by side, in a process each. What a run takes is longer then,
    and what all take is shorter, since none waits for another at every step.
    """

    title: str
    rows: dict[str, dict[str, Any]]
    dataset: str = "mnist"
    held_out: str = "test"
    seeds: tuple[int, ...] = SEEDS
    together: bool = False


TEN: dict[str, Any] = {"T": 10, "T_test": 0}
SHORT: dict[str, Any] = {**TEN, "epochs": 5, "shift": 0}
RECTANGLE: dict[str, Any] = {"shift": 0, "surrogate": "rectangle", "a": 1.0}
NOISY: dict[str, Any] = {**RECTANGLE, "T": 2}  # few steps: the encoding's noise regularises
LONG: dict[str, Any] = {**NOISY, "epochs": 60}
PLAIN: dict[str, Any] = {**NOISY, "epochs": 100, "dropout": 0.3}
TARGETED: dict[str, Any] = {
    **NOISY, "adversarial": 0.05, "fgsm": "targeted", "weight_decay": 0.05,
}  # fmt: skip
UNTARGETED: dict[str, Any] = {**NOISY, "adversarial": 0.06, "weight_decay": 0.05}
HOUR: dict[str, Any] = {"adversarial": 0.06, "weight_decay": 0.05, "epochs": 200, "shards": 1}
TRIAL: dict[str, Any] = {**TEN, "epochs": 20}
# A threshold of 1.5 takes larger initial weights, or nothing ever fires.
NOTES: dict[str, Any] = {
    "T": 30, "v_th": 1.5, "surrogate": "rectangle", "a": 1.0, "init_scale": 1.0,
}  # fmt: skip
RULES = ("exact", "classic", "detached-reset", "leak-only", "spatial-only")
# Each surrogate with the width that gives it the peak 1, so that gradients are of one size.
PEAK_ONE = {
    "rectangle": 1.0,
    "triangle": 4.0,
    "sigmoid": 0.25,
    "gaussian": 1 / (2 * np.pi),
}

PLANS = {
    "ladder": Plan(
        "How far in a minute and in ten: 784-800-10, exact rule",
        {
            "a minute": {"T": 5, "epochs": 8, "lr": 3e-3},
            "ten minutes": {},
        },
    ),
    "plain": Plan(
        "Without augmentation: images as they are",
        {"no shifts": PLAIN, "the same, answers of 100 steps": {**PLAIN, "T_test": 100}},
    ),
    "adversarial": Plan(
        "Images as they are, with adversarial training",
        {"adversarial": TARGETED, "the same, answers of 100 steps": {**TARGETED, "T_test": 100}},
    ),
    "hour": Plan(
        "How far in an hour: shifts and adversarial training",
        {"an hour": HOUR, "the same, answers of 100 steps": {**HOUR, "T_test": 100}},
        together=True,
    ),
    "rules": Plan(
        "What flows backward: the two rules and three ablations, 5 epochs each",
        {rule: {**SHORT, "rule": rule} for rule in RULES},
    ),
    "rules-source": Plan(
        "The same with the constants of the notes: T = 30, V_th = 1.5, rectangle a = 1",
        {rule: {**SHORT, **NOTES, "rule": rule} for rule in RULES},
    ),
    "surrogates": Plan(
        "The four surrogates, each of peak 1, 5 epochs each",
        {name: {**SHORT, "surrogate": name, "a": a} for name, a in PEAK_ONE.items()},
    ),
    "fashion": Plan(
        "Fashion-MNIST with MNIST's recipe, 30 epochs", {"30 epochs": {"epochs": 30}}, "fashion"
    ),
    "tune": Plan(
        "How the recipe was chosen, on validation images",
        {
            "shifts": {**TRIAL, "shift": 1},
            "shifts, dropout 0.2": {**TRIAL, "shift": 1, "dropout": 0.2},
            "shifts, learning rate 0.003": {**TRIAL, "shift": 1, "lr": 3e-3},
            "shifts, larger initial weights": {**TRIAL, "shift": 1, "init_scale": 1.0},
            "shifts, T 5, judged with 20": {"epochs": 20, "shift": 1},
            "plain": {**TRIAL, "shift": 0},
            "plain, dropout 0.2": {**TRIAL, "shift": 0, "dropout": 0.2},
            "plain, dropout 0.5": {**TRIAL, "shift": 0, "dropout": 0.5},
            "plain, learning rate 0.003": {**TRIAL, "shift": 0, "lr": 3e-3},
            "plain, rectangle": {**TRIAL, **RECTANGLE},
            "plain, rectangle, T 5": {**RECTANGLE, "epochs": 20},
            "plain, rectangle, T 3": {**RECTANGLE, "epochs": 20, "T": 3},
            "plain, rectangle, T 2": {**NOISY, "epochs": 20},
            "plain, rectangle, T 2, weight decay 0.1": {**NOISY, "epochs": 20, "weight_decay": 0.1},
            "plain, rectangle, T 2, weight decay 0.5": {**NOISY, "epochs": 20, "weight_decay": 0.5},
            "plain, rectangle, T 2, dropout 0.3": {**NOISY, "epochs": 20, "dropout": 0.3},
            "plain, rectangle, T 2, batch 50": {**NOISY, "epochs": 20, "batch": 50},
            "plain, rectangle, T 2, learning rate 0.003": {**NOISY, "epochs": 20, "lr": 3e-3},
            "plain, rectangle, T 2, 60 epochs": LONG,
            "plain, rectangle, T 2, 60 epochs, weight decay 0.1": {**LONG, "weight_decay": 0.1},
            "plain, rectangle, T 2, 60 epochs, dropout 0.3": {**LONG, "dropout": 0.3},
            "the same, answers of 100 steps": {**LONG, "dropout": 0.3, "T_test": 100},
        },
        held_out="validation",
        seeds=(0,),
    ),
    "tune-adversarial": Plan(
        "How far FGSM moves images, chosen on validation images",
        {
            "not at all": {**NOISY, "epochs": 20},
            **{
                f"by {by:g}": {**NOISY, "epochs": 20, "adversarial": by}
                for by in (0.03, 0.06, 0.09, 0.12)
            },
            "by 0.06, weight decay 0.05": {**UNTARGETED, "epochs": 20},
            "by 0.06, weight decay 0.1": {**UNTARGETED, "epochs": 20, "weight_decay": 0.1},
            "shifts, not at all": {"epochs": 20},
            "shifts, by 0.06": {"epochs": 20, "adversarial": 0.06},
        },
        held_out="validation",
        seeds=(0,),
    ),
    "tune-fgsm": Plan(
        "Which way FGSM moves images, chosen on validation images",
        {
            "untargeted, by 0.06": {**UNTARGETED, "epochs": 80},
            "targeted, by 0.03": {**TARGETED, "epochs": 80, "adversarial": 0.03},
            "targeted, by 0.05": {**TARGETED, "epochs": 80},
        },
        held_out="validation",
    ),
    "conv": Plan("15C5-P2-40C5-P2-300-10, exact rule", {"30 epochs": {"epochs": 30}}, "mnist-conv"),
    "saccades": Plan(
        "Events made of MNIST by three saccades: 2312-800-10, exact rule",
        {"15 epochs": {"epochs": 15, "shards": 1}},
        "mnist-saccades",
        together=True,
    ),
}
