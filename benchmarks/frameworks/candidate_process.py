"""Measure one candidate, in a process of its own.

``python -m benchmarks.frameworks.candidate_process NAME FILE HOW``: HOW is ``time`` (answers each
line "N" on its input with the times of N steps in ms), ``memory`` or ``check``. Each answer is a
line of JSON.
"""

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engine_speed import measure
from benchmarks.frameworks import problem as problems
from benchmarks.frameworks.candidate import BY_NAME, Entry
from stbp_edu.parameters import named_arrays

WARM_UP, STEPS = 3, 5
PROC = Path("/proc/self")


def say(**what: Any) -> None:
    """Print the arguments as one line of JSON."""
    print(json.dumps(what), flush=True)


def main(name: str, path: str, how: str) -> None:
    """Measure times or memory, or compare gradients."""
    {"time": take_turns, "memory": peak, "check": check}[how](BY_NAME[name], Path(path))


def take_turns(entry: Entry, path: Path) -> None:
    """Time steps whenever asked to; each turn begins with one step that does not count."""
    step = entry.make(problems.read(path)).step
    for _ in range(WARM_UP):
        step()
    say(ready=True)
    for line in sys.stdin:
        say(ms=measure({entry.name: step}, int(line), "")[entry.name])


def peak(entry: Entry, path: Path) -> None:
    """Measure how far the resident memory rises during steps above what it is after imports."""
    __import__(f"benchmarks.frameworks.{entry.build.partition(':')[0]}")
    before = resident("VmRSS")
    step = entry.make(problems.read(path)).step
    for _ in range(WARM_UP):
        step()
    with suppress(OSError):  # so that compiling does not count, where Linux allows it
        (PROC / "clear_refs").write_text("5")
    for _ in range(STEPS):
        step()
    after = resident("VmHWM")
    if before is None or after is None:
        say(mb=None)
    else:
        say(mb=round(after - before, 1))


def resident(which: str) -> float | None:
    """Return the resident memory now (VmRSS) or at its peak (VmHWM) in MB, where Linux tells."""
    status = PROC / "status"
    if not status.exists():
        return None
    lines = [x for x in status.read_text().splitlines() if x.startswith(which)]
    return int(lines[0].split()[1]) * 1024 / 1e6 if lines else None


def check(entry: Entry, path: Path) -> None:
    """Compare the gradients with those of stbp_edu: in float64, where rounding moves no spike."""
    errors = {}
    for dtype in (np.float32, np.float64):
        problem = problems.read(path).cast(dtype)
        candidate = entry.make(problem)
        if candidate.gradients is None or (candidate.reference and dtype == np.float64):
            continue
        mine = candidate.gradients()
        theirs = (candidate.reference or (lambda p=problem: reference(p, entry.rule)))()
        errors[np.dtype(dtype).name] = distance(mine, theirs)
    say(**errors)


def reference(problem: problems.SizedProblem, rule: str) -> list[Any]:
    """Return the gradients of the readable sweep of the five cases."""
    from stbp_edu import cases, forward_pass

    trace = forward_pass.forward(problem.spikes, problem.params, problems.NEURON)
    args = (trace, problem.targets, problem.params, problems.NEURON)
    grads = cases.sweep(*args, rule=rule).gradients
    return [*named_arrays(grads).values()]


def distance(got: list[Any], wanted: list[Any]) -> float:
    """Return the largest error of an array, relative to that array's largest entry."""
    pairs = zip(got, wanted, strict=True)
    return float(max(np.abs(f - w).max() / np.abs(w).max() for f, w in pairs))


if __name__ == "__main__":
    main(*sys.argv[1:4])
