"""Plans: many runs, seeds × settings, checked whole before the first of them is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

from stbp_edu._support import checks, files
from stbp_edu.training.data import CATALOGUE, Dataset
from stbp_edu.training.data.datasets import HELD_OUT
from stbp_edu.training.evaluation import MOST_ENCODINGS
from stbp_edu.training.own import text_of
from stbp_edu.training.runs import RunConfig
from stbp_edu.training.settings import Settings


@dataclass(frozen=True)
class Plan:
    """Runs to train: one for every combination of the values of the axes and the seeds.

    Attributes:
        dataset: its recipe is where the settings start from.
        seeds: one run of each combination for each.
        folder: holds a folder for each run, and the record ``sweep.json``.
        base: settings changed in every run.
        axes: the values of each setting that is varied.
        held_out: ``"test"`` or ``"validation"``.
        encodings: of the held-out images, for the final evaluation.

    Raises:
        TypeError, ValueError: if a setting is unknown or unusable, or two runs are equal.

    >>> plan = Plan("digits", [0, 1], Path("runs/width"), axes={"a": [0.25, 0.5]})
    >>> list(plan.runs())
    ['a=0.25,seed=0', 'a=0.25,seed=1', 'a=0.5,seed=0', 'a=0.5,seed=1']
    """

    dataset: str
    seeds: Sequence[int]
    folder: Path
    base: Mapping[str, Any] = field(default_factory=dict)
    axes: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    held_out: str = "test"
    encodings: int = 5

    def __post_init__(self) -> None:
        """Check the whole plan before anything is trained."""
        checks.choice("dataset", self.dataset, CATALOGUE)
        checks.choice("held_out", self.held_out, HELD_OUT)
        checks.instance("folder", self.folder, Path)
        checks.count("encodings", self.encodings, at_most=MOST_ENCODINGS)
        known = {f.name for f in fields(Settings)} - {"seed"}
        for table in ("base", "axes"):
            if unknown := sorted(
                set(checks.instance(table, getattr(self, table), dict)) - known
            ):
                raise ValueError(
                    f"{table} must name settings, each once, and leave seed to seeds, got "
                    f"{unknown}; choose from {sorted(known)}"
                )
            known -= set(self.base)
        for name, values in {"seeds": self.seeds, **self.axes}.items():
            if not isinstance(values, list) or not values:
                raise ValueError(
                    f"{name} must list at least one value, got {checks.brief(values)}; "
                    f"write {name} = [...], or leave an axis out"
                )
        self.runs()

    def runs(self) -> dict[str, Settings]:
        """Return the settings of each run by its name, which is also the name of its folder."""
        names: list[str] = [*self.axes, "seed"]
        runs: dict[str, Settings] = {}
        for values in product(*self.axes.values(), self.seeds):
            own: dict[str, Any] = dict(zip(names, values, strict=True))
            changes: dict[str, Any] = {**self.base, **own}
            for name in {"neuron", "readout"} & changes.keys():
                changes[name] = text_of(name, changes[name])
            settings = replace(CATALOGUE[self.dataset].recipe, **changes)
            run = ",".join(f"{k}={_word(own[k], getattr(settings, k))}" for k in names)
            if run in runs or settings in runs.values():
                raise ValueError(
                    f"runs must differ, got {run} twice; list each value once"
                )
            runs[run] = settings
        return runs

    def config(self, run: str, settings: Settings, data: Dataset) -> RunConfig:
        """Return the configuration for :func:`train_in_folder`."""
        folder = self.folder / run
        return RunConfig(
            self.dataset, settings, data, folder, self.held_out, self.encodings
        )


def _word(given: Any, value: Any) -> str:
    """Return the value of a setting as a part of the name of a folder.

    Forward lines are the name of their file, or else the beginning of their digest. In
    ``module:name`` a hyphen is in the place of the colon, which Windows allows in no name.
    """
    if isinstance(value, str) and "=" in value:
        if "=" not in given:
            return Path(given).stem
        return sha256(given.encode()).hexdigest()[:8]
    parts = value if isinstance(value, tuple) else (value,)
    return "-".join(map(str, parts)).replace(":", "-")


def read_plan(path: str | Path) -> Plan:
    """Return the plan in a TOML file; its folder is ``runs/`` and the file's name by default.

    Raises:
        OSError: if the file cannot be read.
        TypeError, ValueError: if it is not TOML, or no plan; see :class:`Plan`.
    """
    path = files.as_path("path", path)
    table = {"folder": f"runs/{path.stem}", **files.read_toml(path)}
    needed, known = {"dataset", "seeds"}, {f.name for f in fields(Plan)}
    if not needed <= {*table} <= known:
        raise ValueError(
            f"{path} must have dataset and seeds, and may have {sorted(known - needed)}, got "
            f"{sorted(table)}; settings belong under [base], or under [axes] with a list of values "
            "each"
        )
    try:
        folder = Path(checks.instance("folder", table["folder"], str))
        return Plan(**{**table, "folder": folder.absolute()})
    except (TypeError, ValueError) as error:
        raise type(error)(f"{path}: {error}") from error
