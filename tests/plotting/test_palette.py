"""Colours: legible on both grounds, and apart for every eye."""

import itertools

import numpy as np
import pytest

from stbp_edu import plotting
from stbp_edu.plotting.palette import GROUNDS

MEANING = [
    *plotting.CASE_COLOURS.values(),
    *plotting.SERIES,
    plotting.DELTA,
    plotting.EPSILON,
    plotting.SPIKE,
    plotting.GRID,
]

# How three kinds of colour-blind eyes see linear RGB (Machado, Oliveira, Fernandes, 2009).
EYES = {
    "common": np.eye(3),
    "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritan": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#rrggbb``, as WCAG defines it: 1.0 for white."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(first: str, second: str) -> float:
    """Return the contrast ratio of two colours, from 1 to 21."""
    dark, light = sorted((luminance(first), luminance(second)))
    return (light + 0.05) / (dark + 0.05)


def lab(colour, eye):
    """Return the CIELAB coordinates of a colour as an eye sees it."""
    rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = to_xyz @ np.clip(np.array(EYES[eye]) @ linear, 0, 1) / [0.9505, 1, 1.089]
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("ground", GROUNDS)
@pytest.mark.parametrize("colour", MEANING)
def test_colours_that_mean_something_reach_3_to_1(colour, ground):
    assert contrast(colour, GROUNDS[ground]) >= 3
    assert contrast(plotting.INK, GROUNDS["light"]) >= 7


@pytest.mark.parametrize("eye", EYES)
def test_cases_stay_apart_for_every_eye(eye):
    for group in (list(plotting.CASE_COLOURS.values())[:4], [plotting.DELTA, plotting.EPSILON]):
        for first, second in itertools.combinations(group, 2):
            assert np.linalg.norm(lab(first, eye) - lab(second, eye)) > 12, (first, second)
