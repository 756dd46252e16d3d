"""The figures of the page "Where time decides": learning curves, and shares of runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from stbp_edu import plotting
from stbp_edu.plotting.palette import DASHES, INK, SERIES
from stbp_edu.training.measurements import share_interval
from tools.pages import Record, figure_html
from tools.pages.time_runs import learned, runs_of, share

WORDS = {
    "none": "no change",
    "beta2 0.9": "β₂ = 0.9",
    "beta2 0.99": "β₂ = 0.99",
    "clip": "gradient clipped at norm 1",
    "limit": "gain limit 1",
    "limit, beta2 0.9": "gain limit 1 and β₂ = 0.9",
    "lower surrogate": "surrogate times 0.3",
    "random clip": "gains held at random",
    "turned": "each gain's absolute value",
    "sgd": "SGD with momentum",
    "five times": "five times as many updates",
}
"""What each arm changes, in words."""
SHORT = {**WORDS, "clip": "clipped at 1"}
"""The same, as short as a narrow panel needs."""
MAIN = ("none", "beta2 0.9", "clip", "limit")
ALL = (*MAIN, "limit, beta2 0.9", "lower surrogate", "random clip", "turned")
"""The arms of the table of delayed XOR; those before are drawn as curves."""
DRAWN = ("exact", "classic", "detached-reset")
"""The rules whose learning curves are drawn."""
DELAYS = {19: "10", 29: "20", 59: "50", 109: "100"}
"""The silent steps of the delayed XOR with so many steps."""
LIMITS = {
    "limit 0.5": "0.5",
    "limit 0.8": "0.8",
    "limit": "1",
    "limit 1.5": "1.5",
    "limit 2.0": "2",
    "limit 5.0": "5",
    "none": "none",
}
BETAS = {"none": "0.999", "beta2 0.99": "0.99", "beta2 0.9": "0.9"}


def learning_curves(
    record: Record, rules: Sequence[str], arms: Sequence[str], **cell: Any
) -> str:
    """Return the learning curve of every run as a thin line, rule by rule and arm by arm."""
    fig, axes = plotting.figure(
        len(rules), len(arms), height=1.2 + 1.25 * len(rules), sharex=True, sharey=True
    )
    said = []
    for row, rule in zip(axes, rules, strict=True):
        row[0].set(ylabel=f"{rule}, %", ylim=(40, 103))
        for ax, arm in zip(row, arms, strict=True):
            runs = runs_of(record, rule=rule, arm=arm, **cell)
            if not runs:
                ax.axis("off")
                continue
            for run in runs:
                curve = [100 * y for y in run["held_out"]]
                ax.plot(range(1, 1 + len(curve)), curve, color=INK, linewidth=0.5)
            ax.set_title(f"{learned(runs)} of {len(runs)}", fontsize=9)
            said.append(f"{rule}, {WORDS[arm]}: {learned(runs)} of {len(runs)}")
    for ax, arm in zip(axes[0], arms, strict=True):
        ax.set_title(f"{SHORT[arm]}\n{ax.get_title()}", fontsize=9)
    axes[-1][0].set_xlabel("epoch")
    return figure_html(
        fig, f"Learning curves of every run. Of them learn: {'; '.join(said)}."
    )


@dataclass(frozen=True)
class Panel:
    """One panel of shares of runs.

    Attributes:
        title: above it.
        xlabel: below it.
        ticks: the words along it.
        lines: by its name, the runs at each tick; none where a cell was not trained.
    """

    title: str
    xlabel: str
    ticks: Sequence[str]
    lines: Mapping[str, Sequence[Sequence[Record]]]

    def filled(self) -> int:
        """Return how many ticks have runs."""
        return sum(any(runs) for runs in zip(*self.lines.values(), strict=True))


def shares(panels: Sequence[Panel]) -> str:
    """Return the share of runs that learn along each panel, with Wilson's intervals.

    A panel of which only one tick has runs is left out.
    """
    drawn = [panel for panel in panels if panel.filled() > 1]
    if not drawn:
        return ""
    fig, axes = plotting.figure(len(drawn), 1, height=0.5 + 2.1 * len(drawn))
    axes = np.atleast_1d(axes)
    names = list(dict.fromkeys(name for panel in drawn for name in panel.lines))
    said = []
    for ax, panel in zip(axes, drawn, strict=True):
        for name, points in panel.lines.items():
            there = [x for x, runs in enumerate(points) if runs]
            draw_share(ax, there, [points[x] for x in there], name, names.index(name))
            words = [f"{panel.ticks[x]}: {share(points[x])}" for x in there]
            said.append(f"{panel.title}, {name}: {', '.join(words) or 'no runs'}")
        ax.set_xticks(range(len(panel.ticks)), panel.ticks, fontsize=8)
        ax.set(xlabel=panel.xlabel, ylabel="learn, %")
        ax.set(ylim=(-5, 105), xlim=(-0.5, len(panel.ticks) - 0.5))
        ax.set_title(panel.title, fontsize=9)
    handles, labels = axes[0].get_legend_handles_labels()
    fig.legend(
        handles, labels, fontsize=8, frameon=False, ncols=2, loc="outside lower left"
    )
    return figure_html(fig, f"Shares of runs that learn. {'; '.join(said)}.")


def draw_share(
    ax: Any, places: Sequence[int], cells_of_runs: Sequence[Any], name: str, k: int
) -> None:
    """Draw one line of shares, with its intervals, a little beside the line before."""
    look = {
        "color": SERIES[k % len(SERIES)],
        "linestyle": DASHES[k % len(DASHES)],
        "marker": "o",
        "markersize": 3.5,
        "capsize": 2,
        "linewidth": 1.2,
    }
    middle = [100 * learned(runs) / len(runs) for runs in cells_of_runs]
    ends = [share_interval(learned(runs), len(runs)) for runs in cells_of_runs]
    around = [
        [y - 100 * low for y, (low, _) in zip(middle, ends, strict=True)],
        [100 * high - y for y, (_, high) in zip(middle, ends, strict=True)],
    ]
    beside = [x + 0.08 * (k - 1) for x in places]
    ax.errorbar(beside, middle, yerr=around, label=name, **look)


CHANGES = ("none", "beta2 0.9", "limit")
"""The arms that are followed along a quantity."""


def by_width(record: Record, survey: Record) -> list[Panel]:
    """Return the shares against the surrogate's variance.

    The survey has five seeds for each width, half as many updates, and a machine of its own.
    """
    widths = sorted({row["cell"]["a"] for row in survey["rows"]}, reverse=True)
    ticks = [f"{a:g}".lstrip("0") for a in widths]
    panels = []
    for rule in ("exact", "classic"):
        lines = {
            WORDS[arm]: [runs_of(record, rule=rule, arm=arm, a=a) for a in widths]
            for arm in CHANGES
        }
        lines["no change, 5 earlier seeds, 600 updates"] = [
            row["runs"]
            for a in widths
            for row in survey["rows"]
            if row["cell"]["rule"] == rule and row["cell"]["a"] == a
        ]
        panels.append(Panel(rule, "variance a", ticks, lines))
    return panels


def by_delay(record: Record) -> list[Panel]:
    """Return the shares against the silent steps."""
    panels = []
    for rule in ("exact", "classic"):
        lines = {
            WORDS[arm]: [runs_of(record, rule=rule, arm=arm, T=T) for T in DELAYS]
            for arm in CHANGES
        }
        lines["detached-reset, no change"] = [
            runs_of(record, rule="detached-reset", arm="none", T=T) for T in DELAYS
        ]
        panels.append(Panel(rule, "silent steps", list(DELAYS.values()), lines))
    return panels


def by_limit_and_memory(record: Record) -> list[Panel]:
    """Return the shares against the gain limit, and against Adam's β₂."""
    return [
        Panel(
            title,
            title,
            list(arms.values()),
            {r: [runs_of(record, rule=r, arm=a) for a in arms] for r in DRAWN[:2]},
        )
        for title, arms in (("gain limit", LIMITS), ("β₂ of Adam", BETAS))
        if any(runs_of(record, rule="exact", arm=a) for a in arms if a not in CHANGES)
    ]
