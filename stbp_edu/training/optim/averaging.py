"""The running average of the parameters."""

from stbp_edu.arrays import WHOLE, Section, chunks
from stbp_edu.network import Params


def update_average(average: Params, params: Params, decay: float, section: Section = WHOLE) -> None:
    """Average the weights, in place: average ← decay · average + (1 - decay) · params."""
    for _, (mean, p) in chunks(section, average, params):
        mean += (1 - decay) * (p - mean)  # ema
