"""Plans of many runs, seeds × settings, and their runs: by processes of this machine or by Dask.

A plan is checked whole before the first run is trained. Each run goes on from its last checkpoint:
what ends early loses the epochs that it was at.
"""

import asyncio
import multiprocessing
import os
import re
import signal
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import (
    BrokenExecutor,
    Executor,
    ProcessPoolExecutor,
    as_completed,
)
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import product
from pathlib import Path
from threading import Thread
from typing import Any

from stbp_edu._support import checks, files
from stbp_edu.program.machine import limit_threads, one_blas_thread
from stbp_edu.training.data import CATALOGUE, load_dataset
from stbp_edu.training.data.datasets import HELD_OUT
from stbp_edu.training.evaluation import MOST_ENCODINGS
from stbp_edu.training.runs import (
    Run,
    RunConfig,
    earlier_run,
    open_run,
    requested,
    train_in_folder,
)
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
    held_out: str = RunConfig.held_out
    encodings: int = RunConfig.encodings

    def __post_init__(self) -> None:
        """Check the whole plan before anything is trained."""
        checks.choice("dataset", self.dataset, CATALOGUE)
        files.as_path("folder", self.folder)
        checks.choice("held_out", self.held_out, HELD_OUT)
        checks.count("encodings", self.encodings, at_most=MOST_ENCODINGS)
        named = [*checks.instance("base", self.base, dict)]
        named += checks.instance("axes", self.axes, dict)
        known = [f.name for f in fields(Settings) if f.name != "seed"]
        if {*named} - {*known} or len({*named}) < len(named):
            raise ValueError(
                f"base and axes must name settings, each once, and leave seed to seeds, got "
                f"{named}; choose from {known}"
            )
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
            recipe = CATALOGUE[self.dataset].recipe
            settings = replace(recipe, **{**self.base, **own})
            run = ",".join(f"{k}={_word(own[k], getattr(settings, k))}" for k in names)
            if run in runs or settings in runs.values():
                raise ValueError(
                    f"runs must differ, got {run} twice; list each value once"
                )
            runs[run] = settings
        return runs


def _word(given: Any, value: Any) -> str:
    """Return the value of a setting as a part of the name of a folder.

    A file with forward lines is its name. Other characters than letters and digits may be ones
    that Windows allows in no name.
    """
    if isinstance(value, str) and "=" in value and "=" not in given:
        value = Path(given).stem
    parts = value if isinstance(value, tuple) else (value,)
    return re.sub(r"[^\w.]+", "-", "-".join(map(str, parts)))


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


PLAN_RECORD = "sweep.json"
PATIENCE = 10.0  # seconds for a scheduler to answer, and for its first worker to come

Results = dict[str, dict[str, Any]]
"""What has ended, by the name of the run: its accuracy, or the error that ended it."""


def run_plan(
    plan: Plan,
    workers: AbstractContextManager[Executor],
    data_folder: Path | None = None,
) -> Iterator[Results]:
    """Train what is not finished; yield what has ended, first what earlier calls finished.

    The last entry of what is yielded is the newest, and ``sweep.json`` in the plan's folder holds
    the same. A run that fails does not stop the others, and is tried again by the next call.

    Args:
        plan: the runs.
        workers: who trains them, such as :func:`processes` and :func:`cluster`.
        data_folder: folder with the files of the data set.

    Raises:
        ValueError: before anything is trained, if a folder holds another run than the plan's.
        ChildProcessError: if a process has ended; all that is saved is kept.
    """
    source = data_folder and data_folder.absolute()
    data = load_dataset(plan.dataset, source, plan.held_out)
    message = (
        f"{plan.folder} is in use by another sweep; wait for it, or name another folder"
    )
    with files.claimed(plan.folder.with_name(f".{plan.folder.name}.lock"), message):
        left: dict[str, RunConfig] = {}
        results: Results = {}
        for name, settings in plan.runs().items():
            folder, images = plan.folder / name, plan.held_out
            config = RunConfig(
                plan.dataset, settings, data, folder, images, plan.encodings, source
            )
            run = _earlier(config)
            if run and not run.state:
                results[name] = _result(run)
            else:
                left[name] = config
        yield results
        if not left:
            return
        with workers as executor:
            plan.folder.mkdir(parents=True, exist_ok=True)
            ended = {
                executor.submit(train_run, config.folder, config.request()): name
                for name, config in left.items()
            }
            for future in as_completed(ended):
                results[ended[future]] = future.result()
                planned = {**asdict(plan), "folder": str(plan.folder)}
                files.write_json(
                    plan.folder / PLAN_RECORD, {"plan": planned, "runs": results}
                )
                yield results


def _earlier(config: RunConfig) -> Run | None:
    """Return what the folder of a run has of it."""
    try:
        return earlier_run(config, resume=True)
    except ValueError as error:
        said = str(error).partition(";")[0]
        mend = f"name another folder in the plan, or remove {config.folder}"
        raise ValueError(f"{said}; {mend}") from error


def _result(run: Run) -> dict[str, Any]:
    """Return the part of a run's record that the record of a plan holds."""
    return {key: run.record.get(key) for key in ("accuracy", "seconds", "params")}


def train_run(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Train a run in its folder, or go on where it stopped; return its result.

    The result of a run that fails is the error. It fails, too, where the folder or the images here
    are not those of the sweep.
    """
    try:
        if not folder.parent.is_dir():
            raise ValueError(
                "folder must be on a disk that all machines share, and "
                f"{folder.parent} is not here; name another in the plan"
            )
        one_blas_thread()  # for good: another run of this process may still need the limit
        limit_threads(1)
        config = requested(folder, request)
        if config.data.fingerprint() != request["data"]:
            raise ValueError(
                f"dataset must be the same on every machine, and {config.dataset} has other "
                "images here; give the same --data to all"
            )
        deque(train_in_folder(config, resume=True), maxlen=0)
        return _result(open_run(folder))
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


@contextmanager
def processes(count: int) -> Iterator[Executor]:
    """Give what trains so many runs at a time, each in a process of this machine.

    The processes end with the block, and with this process, whatever they are at.
    """
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(count, spawn, end_with_parent)
    try:
        yield pool
    except BrokenExecutor as error:
        raise ChildProcessError(
            "a process has ended early, perhaps for lack of memory; all that was saved is kept: "
            "give the same command to go on, perhaps with fewer --processes"
        ) from error
    finally:
        for process in multiprocessing.active_children():
            process.terminate()  # it would wait until they are done
        pool.shutdown(cancel_futures=True)


def end_with_parent() -> None:
    """End this process when the one that started it has ended, and leave Ctrl-C to that one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)  # or it would train on, and keep the folder of its run locked

    Thread(target=watch, daemon=True).start()


@contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """Give what trains runs on a Dask cluster; it goes on in others where a worker has ended.

    Raises:
        ImportError: if Dask is not installed.
        ValueError: if no scheduler with a worker answers at the address.
    """
    distributed = checks.require("distributed", "--dask")
    try:
        asyncio.run(asyncio.wait_for(_identity(address), PATIENCE))
        client = distributed.Client(address, timeout=PATIENCE)
    except Exception as error:  # whatever is at this address, it may answer anything
        raise ValueError(
            f"dask must be the address of a scheduler, and none answers at {address!r} "
            f"({str(error) or type(error).__name__}); start one with: dask scheduler"
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except OSError as error:
            raise ValueError(
                f"dask must be the scheduler of at least one worker, and {address!r} has none; "
                f"start one with: dask worker {address} --nthreads 1"
            ) from error
        yield client.get_executor(pure=False)


async def _identity(address: str) -> object:
    """Ask who is there; a client would wait for ever where its call is taken and never answered."""
    from distributed import Security
    from distributed.core import rpc

    options = Security().get_connection_args("client")
    async with rpc(address, timeout=PATIENCE, connection_args=options) as other:
        return await other.identity()
