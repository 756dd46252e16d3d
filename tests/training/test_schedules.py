from __future__ import annotations

from dataclasses import replace

import numpy as np

from stbp_edu.training import Settings


def test_the_learning_rate_falls_along_a_cosine_or_is_constant() -> None:
    settings = Settings(lr=2.0)
    rates = [settings.learning_rate(x) for x in (0.0, 0.25, 1.0)]
    np.testing.assert_allclose(rates, [2.0, 1 + np.sqrt(0.5), 0.0], atol=1e-15)
    assert replace(settings, schedule="constant").learning_rate(0.9) == 2.0
