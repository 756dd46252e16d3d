"""Sweeps: the runs of a plan, each trained in a folder of its own, by whatever executor there is.

A run is what ``stbp-edu train`` does, and goes on from its last checkpoint wherever it is taken up
again. So whatever ends before its time, a process or the sweep itself, costs no more than that.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, as_completed
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from stbp_edu import files
from stbp_edu.training.data import Dataset, load_dataset
from stbp_edu.training.runs import earlier_work, train_in_folder
from stbp_edu.training.settings import Settings
from stbp_edu.training.sweep_plan import Plan
from stbp_edu.training.trainer import Epoch, Event
from stbp_edu.training.workers import WorkerEndedError, one_blas_thread

SWEEP = "sweep.json"
LIVES = 3  # pools of processes that may break, one after the other

Results = dict[str, dict[str, Any]]
"""What has ended, by the name of the run: its accuracy, or the error that ended it."""


def sweep(
    plan: Plan,
    open_executor: Callable[[], AbstractContextManager[Executor]],
    data_folder: Path | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Iterator[Results]:
    """Train what is not finished; yield what has ended, first what earlier calls finished.

    The last entry of what is yielded is the newest, and ``sweep.json`` in the plan's folder holds
    the same. A run that fails does not stop the others, and is tried again by the next call.

    Args:
        plan: the runs.
        open_executor: opens an executor; once more where processes of the first have ended.
        data_folder: folder with the files of the data set.
        tell: is called with a sentence whenever something is fetched.

    Raises:
        ValueError: before anything is trained, if a folder holds another run than the plan's.
        WorkerEndedError: if processes have ended time and again; all that is saved is kept.
    """
    data = load_dataset(plan.dataset, data_folder, tell, plan.held_out)
    message = f"{plan.folder} is in use by another sweep; wait for it, or name another folder"
    with files.locked(plan.folder.with_name(f".{plan.folder.name}.lock"), message):
        results = _earlier(plan, data)
        if results:
            _write(plan, results)
        yield results
        where = data_folder and data_folder.absolute()
        waiting = {run: s for run, s in plan.runs().items() if run not in results}
        for run, result in _carry_out(plan, waiting, open_executor, where, data.fingerprint()):
            results[run] = result
            _write(plan, results)
            yield results


def _write(plan: Plan, results: Results) -> None:
    """Write the record of a sweep: the plan, and what has ended so far."""
    planned = {**asdict(plan), "folder": str(plan.folder)}
    files.write_json(plan.folder / SWEEP, {"format": 1, "plan": planned, "runs": results})


def _earlier(plan: Plan, data: Dataset) -> Results:
    """Return the results of the runs that are finished, after a look at all the folders."""
    found: Results = {}
    for run, settings in plan.runs().items():
        try:
            _, record = earlier_work(plan.config(run, settings, data), resume=True)
        except ValueError as error:
            said = str(error).partition(";")[0]
            mend = f"name another folder in the plan, or remove {plan.folder / run}"
            raise ValueError(f"{said}; {mend}") from error
        if record:
            found[run] = _result(record)
    return found


def _result(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the record of a sweep holds of a run's."""
    return {key: record.get(key) for key in ("accuracy", "seconds", "params")}


def _carry_out(
    plan: Plan,
    waiting: Mapping[str, Settings],
    open_executor: Callable[[], AbstractContextManager[Executor]],
    *data: Any,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the result of each run as it ends; where processes end, go on with new ones."""
    left = dict(waiting)
    for _ in range(LIVES if left else 0):
        with suppress(BrokenExecutor), open_executor() as executor:
            plan.folder.mkdir(parents=True, exist_ok=True)
            runs = {executor.submit(train_run, plan, r, s, *data): r for r, s in left.items()}
            for future in as_completed(tuple(runs)):
                result, run = _outcome(future), runs.pop(future)  # Dask keeps what somebody holds
                del left[run]
                yield run, result
            return
    if left:
        raise WorkerEndedError(
            f"processes have ended {LIVES} times before their time, perhaps for want of memory; "
            "all that was saved is kept: give the same command to go on, with fewer --processes"
        )


def _outcome(future: Future[dict[str, Any]]) -> dict[str, Any]:
    """Return the result of a run, or the error that ended it."""
    try:
        return future.result()
    except (BrokenExecutor, CancelledError) as error:  # of a Dask scheduler that has gone
        raise BrokenExecutor from error
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


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
    one_blas_thread()  # while the process lives: to end it would end it for a run beside this one
    data = _load(plan.dataset, data_folder, held_out=plan.held_out)
    if data.fingerprint() != fingerprint:
        raise ValueError(
            f"dataset must be the same on every machine, and {plan.dataset} has other images here; "
            "give the same --data to all"
        )
    return _result(train_in_folder(plan.config(run, settings, data), _epochs, resume=True))


_load = lru_cache(maxsize=1)(load_dataset)  # a process trains many runs on the same images


def _epochs(events: Iterable[Event]) -> Iterator[Epoch]:
    """Yield the epochs: nobody watches the rest."""
    return (event for event in events if isinstance(event, Epoch))
