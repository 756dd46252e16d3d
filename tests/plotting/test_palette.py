"""Colours: legible on both grounds, and apart for every eye."""

import itertools

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

# How three kinds of colour-blind eyes see linear RGB (Machado, Oliveira, Fernandes, 2009).
EYES = {
    "common": np.eye(3),
    "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritan": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


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


def oklab(colour, eye):
    """Return the OKLab coordinates of a colour as an eye sees it, lightness from 0 to 100."""
    to_cones = [
        [0.4122, 0.5363, 0.0514],
        [0.2119, 0.6807, 0.1074],
        [0.0883, 0.2817, 0.6300],
    ]
    to_lab = [
        [0.2105, 0.7936, -0.0041],
        [1.9780, -2.4286, 0.4506],
        [0.0259, 0.7828, -0.8087],
    ]
    seen = np.clip(np.array(EYES[eye]) @ linear(colour), 0, 1)
    return 100 * (to_lab @ np.cbrt(to_cones @ seen))


@pytest.mark.parametrize(("colour", "ground"), MEANING)
def test_colours_that_mean_something_reach_3_to_1(colour, ground):
    assert contrast(colour, GROUNDS[ground]) >= 3


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("terms", [LIGHT[1:], DARK[1:]])
def test_terms_and_what_is_lost_stay_apart_for_every_eye(terms, eye):
    for first, second in itertools.combinations(terms, 2):
        assert np.linalg.norm(oklab(first, eye) - oklab(second, eye)) > 10, (
            first,
            second,
        )
