from __future__ import annotations

from dataclasses import replace

import pytest

from stbp_edu.training import RECIPES, Settings, from_dict, to_dict

CONV = {"hidden": ("4C3", 20)}


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"hidden": (5, 0)}, ValueError, r"hidden\[1\] must be >= 1"),
        ({"rule": "both"}, ValueError, "rule must be one of"),
        ({"a": 0}, ValueError, "Gaussian a must be > 0"),
        ({"tau": -1}, ValueError, "tau must be > 0"),
        ({"dropout": 1}, ValueError, r"dropout must be in \[0, 1\)"),
        ({"hidden": ("15K5", 300)}, ValueError, "hidden must be made of parts such as 15C5"),
        ({**CONV, "dropout": 0.5}, ValueError, r"dropout must be 0 for the layers \('4C3', 20\)"),
        ({**CONV, "encoder": "rows"}, ValueError, "encoder must be 'bernoulli', 'direct' for"),
        ({**CONV, "rule": "ottt"}, ValueError, "rule must be 'exact', 'classic'"),
        ({"loss": "last-steps", "read": 30}, ValueError, "read must be <= T = 10"),
        ({"read": 2}, ValueError, "read must be 0 with loss = 'rate'"),
        ({"loss": "membrane", "adversarial": 0.1}, ValueError, "adversarial must be 0"),
    ],
)
def test_bad_settings_are_named(change, error, words) -> None:
    with pytest.raises(error, match=words):
        replace(Settings(), **change)


def test_settings_survive_json() -> None:
    for settings in RECIPES.values():
        assert from_dict(to_dict(settings)) == settings
    with pytest.raises(ValueError, match=r"got \['depth'\]"):
        from_dict({"depth": 3})


@pytest.mark.parametrize(("old", "new"), [("loss", "untargeted"), ("others", "targeted")])
def test_the_earlier_name_of_fgsm_is_still_read(old, new) -> None:
    written = to_dict(Settings(adversarial=0.1))
    del written["fgsm"]
    assert from_dict({**written, "nudge": old}) == Settings(adversarial=0.1, fgsm=new)
    with pytest.raises(ValueError, match="fgsm must be one of"):
        from_dict({**written, "nudge": "away"})


def test_the_shards_of_earlier_versions_are_left_out() -> None:
    assert from_dict({**to_dict(Settings()), "shards": 2}) == Settings()
