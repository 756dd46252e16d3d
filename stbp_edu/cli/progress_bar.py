"""Messages while a run trains: a bar on a terminal, and now and then a line elsewhere."""

import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tqdm import tqdm

from stbp_edu.training.diagnosis import Advice
from stbp_edu.training.plans import Results
from stbp_edu.training.settings import Settings
from stbp_edu.training.trainer import Epoch, Event, Step

LINES = 10  # about as many lines, where there is no bar
SMOOTH = 0.95


def tell(sentence: str) -> None:
    """Print a sentence on the error stream, which is not for results."""
    print(sentence, file=sys.stderr, flush=True)


def watch(events: Iterable[Event], settings: Settings, label: str) -> Iterator[Epoch]:
    """Show the events as they pass, and yield the epochs."""
    columns = shutil.get_terminal_size().columns
    form = "{desc} {percentage:3.0f}% |{bar}|"
    bar = tqdm(total=1.0, desc=label, disable=None, leave=False, bar_format=form, ncols=columns)
    loss = accuracy = 0.0
    with bar:
        for event in events:
            if isinstance(event, Step):
                weight = 1 / min(1 / (1 - SMOOTH), event.step + (event.epoch - 1) * 1e3)
                loss += weight * (event.loss - loss)
                accuracy += weight * (event.accuracy - accuracy)
                if not bar.disable:
                    text = step_text(event, settings, loss, accuracy)
                    bar.set_description_str(f"{label}: {text}", refresh=False)
                bar.update(event.done - bar.n)
            elif isinstance(event, Advice):
                bar.write(f"  ! {event.message}", file=sys.stderr)
            else:
                if bar.disable and event.epoch % max(1, settings.epochs // LINES) == 0:
                    tell(f"{label}: {epoch_line(event, settings)}")
                yield event


def watch_runs(ended: Iterator[Results], total: int) -> Results:
    """Show the runs of a sweep as they end, a line for each, and return what has ended."""
    results = next(ended)
    if results:
        tell(f"{len(results)} of {total} runs are finished already")
    columns = shutil.get_terminal_size().columns
    form = "{n}/{total} runs |{bar}| {remaining} left"
    bar = tqdm(
        total=total, initial=len(results), disable=None, leave=False, bar_format=form, ncols=columns
    )
    with bar:
        for results in ended:
            run, result = next(reversed(results.items()))
            bar.write(f"{len(results)}/{total} {run}: {outcome(result)}", file=sys.stderr)
            bar.update()
    return results


def outcome(result: Mapping[str, Any]) -> str:
    """Return how a run of a sweep ended."""
    if "error" in result:
        return f"failed: {result['error']}"
    return f"{result['accuracy']['mean']:.2%}  {format_duration(result['seconds'])}"


def step_text(step: Step, settings: Settings, loss: float, accuracy: float) -> str:
    """Return the text before the bar: the epoch, what was smoothed, and the time left."""
    rates = " ".join(f"{rate:.2f}" for rate in step.rates)
    return (
        f"epoch {step.epoch}/{settings.epochs}  loss {loss:.3f}  accuracy {accuracy:5.1%}  "
        f"firing {rates}  {format_duration(step.left)} left"
    )


def epoch_line(epoch: Epoch, settings: Settings) -> str:
    """Return one line about an epoch."""
    rates = " ".join(f"{rate:.2f}" for rate in epoch.rates)
    return (
        f"epoch {epoch.epoch}/{settings.epochs}  loss {epoch.loss:.4f}  learned "
        f"{epoch.accuracy:.2%}  held out {epoch.test:.2%}  firing {rates}"
    )


def format_duration(seconds: float) -> str:
    """Return a duration as a person would say it.

    >>> format_duration(8.4), format_duration(75), format_duration(3690)
    ('8 s', '1 min 15 s', '1 h 01 min')
    """
    s = round(seconds)
    if s < 60:
        return f"{s} s"
    return f"{s // 60} min {s % 60:02d} s" if s < 3600 else f"{s // 3600} h {s // 60 % 60:02d} min"
