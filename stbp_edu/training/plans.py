"""Plans: many runs, seeds × settings, checked whole before the first of them is trained.

Each run is trained in a folder of its own, by whatever executor there is, and goes on from its
last checkpoint: what ends early loses the epochs that it was at.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, as_completed
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from functools import lru_cache
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

from stbp_edu._support import checks, files
from stbp_edu.engine.threads import limit_threads, one_blas_thread
from stbp_edu.training.data import CATALOGUE, Dataset, load_dataset
from stbp_edu.training.data.datasets import HELD_OUT
from stbp_edu.training.evaluation import MOST_ENCODINGS
from stbp_edu.training.own import text_of
from stbp_edu.training.runs import RunConfig, earlier_work, read_record, train_in_folder
from stbp_edu.training.settings import Settings

PLAN_RECORD = "sweep.json"
KIND = files.Sealed("the record of a sweep", "give the same command to write it again")
MOST_POOLS = 3  # that may break, one after the other, before the runs are given up

OpenExecutor = Callable[[], AbstractContextManager[Executor]]
"""Opens an executor; called once more where processes of the first have ended."""

Results = dict[str, dict[str, Any]]
"""What has ended, by the name of the run: its accuracy, or the error that ended it."""


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

    Forward lines are the name of their file, or else the beginning of their digest.
    """
    if isinstance(value, str) and "=" in value:
        return (
            Path(given).stem
            if "=" not in given
            else sha256(given.encode()).hexdigest()[:8]
        )
    return "-".join(map(str, value)) if isinstance(value, tuple) else str(value)


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
    if table.get("axes") == {}:
        raise ValueError(
            f"{path} must have a setting under [axes], got none; leave [axes] out"
        )
    try:
        folder = Path(checks.instance("folder", table["folder"], str))
        return Plan(**{**table, "folder": folder.absolute()})
    except (TypeError, ValueError) as error:
        raise type(error)(f"{path}: {error}") from error


def run_plan(
    plan: Plan,
    open_executor: OpenExecutor,
    data_folder: Path | None = None,
) -> Iterator[Results]:
    """Train what is not finished; yield what has ended, first what earlier calls finished.

    The last entry of what is yielded is the newest, and ``sweep.json`` in the plan's folder holds
    the same. A run that fails does not stop the others, and is tried again by the next call.

    Raises:
        ValueError: before anything is trained, if a folder holds another run than the plan's.
        ChildProcessError: if processes have ended again and again; all that is saved is kept.
    """
    data = load_dataset(plan.dataset, data_folder, plan.held_out)
    message = (
        f"{plan.folder} is in use by another sweep; wait for it, or name another folder"
    )
    with files.claimed(plan.folder.with_name(f".{plan.folder.name}.lock"), message):
        results: Results = {}
        waiting: dict[str, Settings] = {}
        for run, settings in plan.runs().items():
            try:
                _, record = earlier_work(plan.config(run, settings, data), resume=True)
            except ValueError as error:
                said = str(error).partition(";")[0]
                mend = f"name another folder in the plan, or remove {plan.folder / run}"
                raise ValueError(f"{said}; {mend}") from error
            if record:
                results[run] = _result(record)
            else:
                waiting[run] = settings
        if results:
            _write(plan, results)
        yield results
        where = data_folder and data_folder.absolute()
        for run, result in _carry_out(
            plan, waiting, open_executor, where, data.fingerprint()
        ):
            results[run] = result
            _write(plan, results)
            yield results


def _write(plan: Plan, results: Results) -> None:
    """Write the record of a plan: what was planned, and what has ended so far."""
    planned = {**asdict(plan), "folder": str(plan.folder)}
    KIND.write(plan.folder / PLAN_RECORD, {"plan": planned, "runs": results})


def _result(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a run's record that the record of a plan holds."""
    return {key: record.get(key) for key in ("accuracy", "seconds", "params")}


def _carry_out(
    plan: Plan, waiting: Mapping[str, Settings], open_executor: OpenExecutor, *data: Any
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the result of each run as it ends; where processes end, go on with new ones."""
    left = dict(waiting)
    for _ in range(MOST_POOLS if left else 0):
        with suppress(BrokenExecutor), open_executor() as executor:
            plan.folder.mkdir(parents=True, exist_ok=True)
            runs = {
                executor.submit(train_run, plan, r, s, *data): r
                for r, s in left.items()
            }
            for future in as_completed(tuple(runs)):
                run = runs.pop(future)  # or Dask would keep the result
                try:
                    result = future.result()
                except (
                    BrokenExecutor,
                    CancelledError,
                ):  # of a Dask scheduler that has gone
                    raise BrokenExecutor from None
                except Exception as error:
                    result = {"error": f"{type(error).__name__}: {error}"}
                del left[run]
                yield run, result
            return
    if left:
        raise ChildProcessError(
            f"processes have ended early {MOST_POOLS} times, perhaps for lack of memory; all that "
            "was saved is kept: give the same command to go on, with fewer --processes"
        )


def train_run(
    plan: Plan, run: str, settings: Settings, data_folder: Path | None, fingerprint: str
) -> dict[str, Any]:
    """Train one run in its folder, or go on where it stopped; return its result.

    Raises:
        ValueError: if folder or images here are not those of the sweep, or training fails.
    """
    if not plan.folder.is_dir():
        raise ValueError(
            f"folder must be on a disk that all machines share, and {plan.folder} is not here; "
            "name another in the plan"
        )
    one_blas_thread()  # for good: another run of this process may still need the limit
    limit_threads(1)
    data = _load(plan.dataset, data_folder, held_out=plan.held_out)
    if data.fingerprint() != fingerprint:
        raise ValueError(
            f"dataset must be the same on every machine, and {plan.dataset} has other images here; "
            "give the same --data to all"
        )
    deque(train_in_folder(plan.config(run, settings, data), resume=True), maxlen=0)
    return _result(read_record(plan.folder / run))


_load = lru_cache(maxsize=1)(
    load_dataset
)  # a process trains many runs on the same images
