"""The plan of a sweep: seeds × settings, checked whole before anything is trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import product
from pathlib import Path
from typing import Any

from stbp_edu import checks, files
from stbp_edu.training.data import Dataset
from stbp_edu.training.runs import RunConfig
from stbp_edu.training.settings import RECIPES, Settings


@dataclass(frozen=True)
class Plan:
    """The runs of a sweep: every combination of the values of the axes and the seeds.

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
        checks.choice("dataset", self.dataset, RECIPES)
        checks.choice("held_out", self.held_out, ("test", "validation"))
        checks.count("encodings", self.encodings)
        known = {f.name for f in fields(Settings)} - {"seed"}
        for table in ("base", "axes"):
            if unknown := sorted(set(checks.instance(table, getattr(self, table), dict)) - known):
                raise ValueError(
                    f"{table} must name settings, each once, and leave seed to seeds, got "
                    f"{unknown}; choose from {sorted(known)}"
                )
            known -= set(self.base)
        for name, values in {"seeds": self.seeds, **self.axes}.items():
            if not isinstance(values, list) or not values:
                raise ValueError(
                    f"{name} must list at least one value, got {checks.short(values)}; "
                    f"write {name} = [...], or leave an axis out"
                )
        self.runs()

    def runs(self) -> dict[str, Settings]:
        """Return the settings of each run by its name, which is also the name of its folder."""
        names, runs = (*self.axes, "seed"), dict[str, Settings]()
        for values in product(*self.axes.values(), self.seeds):
            changes = {**self.base, **dict(zip(names, values, strict=True))}
            settings = replace(RECIPES[self.dataset], **changes)
            run = ",".join(f"{name}={_word(getattr(settings, name))}" for name in names)
            if run in runs or settings in runs.values():
                raise ValueError(f"runs must differ, got {run} twice; list each value once")
            runs[run] = settings
        return runs

    def config(self, run: str, settings: Settings, data: Dataset) -> RunConfig:
        """Return what :func:`train_in_folder` is to train."""
        folder = self.folder / run
        return RunConfig(self.dataset, settings, data, folder, self.held_out, self.encodings)


def _word(value: Any) -> str:
    """Return the value of a setting as a part of the name of a folder."""
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)


def read_plan(path: Path) -> Plan:
    """Return the plan in a TOML file; its folder is ``runs/`` and the file's name by default.

    Raises:
        OSError: if the file cannot be read.
        TypeError, ValueError: if it is no TOML, or no plan; see :class:`Plan`.
    """
    table = {"folder": f"runs/{path.stem}", **files.read_toml(path)}
    known = {f.name for f in fields(Plan)}
    if unknown := sorted(set(table) - known):
        raise ValueError(
            f"{path} must have the keys {sorted(known)} alone, got {unknown}; "
            "settings stand under [base], or under [axes] with a list of values each"
        )
    if missing := sorted({"dataset", "seeds"} - set(table)):
        raise ValueError(f"{path} must have {' and '.join(missing)}; add a line for each")
    if table.get("axes") == {}:
        raise ValueError(f"{path} must have a setting under [axes], got none; leave [axes] out")
    try:
        folder = Path(checks.instance("folder", table["folder"], str))
        return Plan(**{**table, "folder": folder.absolute()})
    except (TypeError, ValueError) as error:
        raise type(error)(f"{path}: {error}") from error
