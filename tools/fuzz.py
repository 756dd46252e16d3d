"""``python -m tools.fuzz``: throw odd input at what reads a reader's formulas, files and functions.

Case k of a target is drawn from the seed and k alone: ``--first k`` begins with it. What must hold:
a formula or a function gets a verdict and never an error; a damaged file gets the package's own
error, which names the file; and a formula that differs is not right.
"""

import argparse
import ast
import random
import resource
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from stbp_edu import files, init_params
from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading import calling, exercise_check, formula_check
from stbp_edu.practice.tasks import blanks, exercises
from stbp_edu.practice.tasks.catalogue import define
from stbp_edu.training.data.datasets import parse
from stbp_edu.training.runs.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from stbp_edu.training.settings import Settings
from stbp_edu.training.training_job import State
from tools.mutants.changes import changes

MEMORY = 4 * 2**30
RECORD = Path(__file__).parents[1] / "docs" / "results" / "trust" / "fuzz.json"
STATES = {"right", "wrong", "todo"}
PIECES = (
    *("+", "-", "*", "/", "**", "^", "(", ")", "((", "))", ",", ".", "=", "==", "!", "~", "@", ":"),
    *("0", "1", "2", "9", "1e9", "1e999", "1e-400", "0x1f", "1j", "10**9", "\0", "\n", "'", "#"),
    *("exp(", "sqrt(", "abs(", "lambda: ", "[", "]", "{", "if", "import os", "__class__", "δ", "²"),
    *("ε", "τ", "𝛼", "e_{3}", "'", "′", "−", "·", "9**9**9**9", "-" * 80, "(" * 90, "x"),
)
"""What a formula is made worse with."""

ODD_VALUES = (
    *("None", "...", "float('nan')", "1e400", "10**400", "1j", "'text'", "b'x'", "[]", "()", "{}"),
    *("[[]]", "np", "float", "print", "np.zeros(0)", "np.zeros((3, 0))", "np.ma.masked", "set()"),
    *("np.array(None)", "np.array(['a'])", "(x for x in ())", "1 / 0", "exit()", "range(10**9)"),
    *(
        "np.ones((9, 9, 9))",
        "np.float32(1)",
        "np.matrix([[1.0]])",
        "object()",
        "open",
        "__import__",
    ),
)
"""What a function returns in place of an answer."""


class FoundError(AssertionError):
    """What must hold does not."""


def holds(condition: object, message: str) -> None:
    """Raise FoundError unless the condition holds."""
    if not condition:
        raise FoundError(message)


def formula(rng: random.Random) -> None:
    """Grade a formula: a right one with pieces put in, taken out or doubled, or pieces alone."""
    blank = rng.choice(sorted(blanks().values(), key=lambda b: b.id))
    pieces = [*PIECES, *blank.symbols]
    text = rng.choice([blank.solution, blank.solution, *(m.body for m in blank.mistakes), ""])
    for _ in range(rng.choice([0, 1, 1, 2, 5, 40])):
        at = rng.randint(0, len(text))
        text = text[:at] + rng.choice(["", *pieces]) + text[at + rng.choice([0, 0, 1, 3]) :]
    verdict(formula_check.grade(blank, text), text)
    same, other = f"0 + ({blank.solution}) * 1", f"({blank.solution}) + 1e-3 * {rng.randint(1, 9)}"
    holds(formula_check.grade(blank, same).state == "right", f"{blank.id}: {same} is not right")
    holds(formula_check.grade(blank, other).state == "wrong", f"{blank.id}: {other} is not wrong")


def function(rng: random.Random) -> None:
    """Grade a function: a right one with one to three changes, or one that returns an odd value."""
    exercise = rng.choice(sorted(exercises().values(), key=lambda e: e.id))
    source = exercise.source()
    for _ in range(rng.choice([1, 1, 2, 3])):
        if found := changes(source):
            source = ast.unparse(rng.choice(found).tree())
    if rng.random() < 0.3:
        head = source.partition("\n")[0]
        source = f"{head}\n    return {rng.choice(ODD_VALUES)}\n"
    try:
        answer = define(source)
    except (SyntaxError, NameError):
        return
    verdict(exercise_check.grade(exercise, answer), source)


def verdict(feedback: Feedback, given: str) -> None:
    """Check that feedback is whole: a state, and words that can be shown."""
    holds(feedback.state in STATES, f"{given!r} is {feedback.state}")
    said = feedback.message
    holds(said and all(line.strip() for line in said), f"{given!r}: no words")
    holds("Traceback" not in repr(feedback) + feedback._repr_html_(), f"{given!r}: a traceback")


@cache
def originals() -> dict[str, tuple[bytes, Callable[[Path], object]]]:
    """Return whole files, each with what reads it."""
    params = init_params([3, 4, 10], np.random.default_rng(0))
    settings = Settings(hidden=(4,), T=2, shards=1, averaging=0)
    state = State(params, None, settings.make_optimizer().start(params))
    images = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4) for n in (2, 3, 4)) + bytes(range(24))
    with tempfile.TemporaryDirectory() as folder:
        saved, kept = Path(folder, "params.npz"), Path(folder, "checkpoint.npz")
        files.save_params(saved, params)
        save_checkpoint(kept, Checkpoint(settings, "none", state, []))
        return {
            "params": (saved.read_bytes(), files.load_params),
            "checkpoint": (kept.read_bytes(), load_checkpoint),
            "IDX images": (images, lambda path: parse(path.read_bytes(), str(path))),
            "JSON": (b'{"rows": [{"a": 1.5}]}', files.read_json),
        }


def file(rng: random.Random) -> None:
    """Read a file in which bytes are changed, put in, cut off, or written once more."""
    kind = rng.choice(sorted(originals()))
    data, read = originals()[kind]
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8, 64])):
        at, width = rng.randrange(len(data) + 1), rng.choice([1, 1, 2, 16, 300])
        match rng.choice(["flip", "put", "cut", "drop", "again"]):
            case "flip" if at < len(data):
                data[at] ^= 1 << rng.randrange(8)
            case "put":
                data[at:at] = rng.randbytes(width)
            case "cut":
                del data[at:]
            case "drop":
                del data[at : at + width]
            case "again":
                data[at:at] = data[at : at + width]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "images-damaged")
        path.write_bytes(data)
        try:
            read(path)
        except (ValueError, TypeError) as error:
            holds(str(path) in str(error) or kind == "params", f"{kind}: {error} names no file")


TARGETS = {"formula": formula, "file": file, "function": function}


def run(target: str, seconds: float, seed: int, first: int) -> int:
    """Try cases until the time is up, and return how many; stop at the first that fails."""
    end, k = time.monotonic() + seconds, first
    while time.monotonic() < end:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                TARGETS[target](random.Random(f"{seed} {target} {k}"))
        except Exception:
            traceback.print_exc()
            raise SystemExit(f"{target}, case {k} of seed {seed}; --first {k} repeats it") from None
        k += 1
    return k - first


def main() -> None:
    """Fuzz the targets named, or all, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)}; all")
    parser.add_argument("--seconds", type=float, default=60, help="for each target (60)")
    parser.add_argument("--seed", type=int, default=0, help="which cases (0)")
    parser.add_argument("--first", type=int, default=0, help="the number of the first case (0)")
    parser.add_argument("--write", action="store_true", help=f"write {RECORD.name}")
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))  # an error here, not the system's end
    calling.SECONDS = 2.0  # a loop without an end is found as well
    for target in args.targets or TARGETS:
        count = run(target, args.seconds, args.seed, args.first)
        print(f"{target}: {count} cases in {args.seconds:g} s, none fails", flush=True)
        if args.write:
            record = files.read_json(RECORD) if RECORD.exists() else {}
            one = {"cases": count, "seconds": args.seconds, "seed": args.seed}
            files.write_json(RECORD, {**record, target: one})


if __name__ == "__main__":
    main()
