"""Colours: legible on both grounds."""

import numpy as np
import pytest

from stbp_edu import plotting
from stbp_edu.plotting import palette
from stbp_edu.plotting.palette import GROUNDS

FIXED = [*plotting.SERIES, plotting.SPIKE, plotting.GRID]  # the same on both grounds
LIGHT, DARK = ([pair[k] for pair in palette.DARK.values()] for k in range(2))
MEANING = [
    (c, g) for g in GROUNDS for c in (*FIXED, *(LIGHT if g == "light" else DARK))
]


def linear(colour):
    """Return the linear red, green and blue of ``#rrggbb``."""
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(*colours):
    """Return the contrast ratio of two colours, as WCAG defines it, from 1 to 21."""
    dark, light = sorted(
        linear(colour) @ (0.2126, 0.7152, 0.0722) for colour in colours
    )
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("colour", "ground"), MEANING)
def test_colours_that_mean_something_reach_3_to_1(colour, ground):
    assert contrast(colour, GROUNDS[ground]) >= 3
