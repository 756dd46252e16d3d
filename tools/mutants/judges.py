"""Whom a change of each file is shown to: the oracles of ``verify``, the properties, its tests."""

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

ORACLES = ("formulas", "loss values", "paths", "differences", "autodiff", "polynomials")
PROPERTIES = "tests/test_properties.py"


BAD_CALLS = {
    "surrogates.py": ("Rectangle", "Triangle", "Sigmoid", "Gaussian"),
    "neuron.py": ("LIF",),
    "network.py": ("Params", "init_params", "network.forward", "cases.sweep"),
    "rules.py": ("backward_gate",),
    "losses": (
        *("loss", "engine.backward", "a direct term", "a loss of one's own"),
        *("LastSteps", "LastSteps reads k steps", "Membrane", "Membrane reads k steps"),
        *("LastSteps.value", "LastSteps.direct", "Membrane.value", "Membrane.direct"),
        *("CrossEntropy", "CrossEntropy.value", "CrossEntropy.direct"),
        *("StepCrossEntropy.value", "StepCrossEntropy.direct"),
    ),
    "cases": ("case_at", "cases.sweep"),
    "engine": ("engine.forward", "engine.backward"),
    "arrows": (),
    "verify": ("autodiff", "differences", "count_paths", "paths", "symbols", "prove", "report.run"),
    "practice/grading": ("check", "check_formula", "check_network"),
}
"""The functions of each file, or of each folder, that are called wrongly, argument by argument."""

TESTS = {
    "surrogates.py": "tests/test_surrogates.py stbp_edu/surrogates.py tests/test_neuron.py",
    "neuron.py": "tests/test_neuron.py stbp_edu/neuron.py tests/test_soft_reset.py",
    "network.py": "tests/test_network.py stbp_edu/network.py tests/cases tests/test_properties.py",
    "rules.py": "tests/test_rules.py stbp_edu/rules.py tests/test_soft_reset.py",
    "losses": "stbp_edu/losses tests/test_losses.py::test_a_bad_loss_is_named "
    "tests/test_losses.py::test_targets_that_are_no_probabilities_are_named "
    "tests/test_losses.py::test_a_loss_names_bad_targets "
    "tests/test_losses.py::test_a_bad_call_of_a_loss_is_named tests/test_losses.py",
    "cases": "stbp_edu/cases tests/cases tests/test_soft_reset.py",
    "engine": "stbp_edu/engine tests/test_engine.py tests/test_soft_reset.py "
    "tests/test_convolution.py tests/training/test_sparse_input.py tests/training/test_fgsm.py "
    "--deselect tests/test_engine.py::test_a_step_at_full_size_fits_in_150_megabytes",
    "arrows": "stbp_edu/arrows tests/arrows",
    "verify": "stbp_edu/verify tests/verify",
    "practice/grading": "stbp_edu/practice/grading tests/practice/test_exercise_check.py "
    "tests/practice/test_formula_check.py tests/practice/test_odd_answers.py "
    "tests/practice/test_network_report.py tests/practice/test_wrong_answers.py",
}
"""The tests of each file, or of each file of a folder, the cheapest first."""

JUDGED = ("surrogates.py", "neuron.py", "losses", "cases", "engine/recurrence.py")
"""The judged mathematics: every oracle is asked about it, and the properties."""

READERS = ("backward_sweep", "recurrence")
"""What reads a loss, beside the losses."""

SHAPE = (2, 2, 1), 3  # small: a change meets all oracles on it
FIRST = (9, 4, 2, 6)  # of trials.NEURONS: each curve, each gate


def group(path: Path) -> str:
    """Return the entry of ``TESTS`` that a file under ``stbp_edu`` belongs to."""
    name = path.relative_to("stbp_edu").as_posix()
    return next(entry for entry in TESTS if name == entry or name.startswith(f"{entry}/"))


def is_judged(path: Path) -> bool:
    """Return whether a file holds mathematics that oracles judge."""
    name = path.relative_to("stbp_edu").as_posix()
    return any(name == entry or name.startswith(f"{entry}/") for entry in JUDGED)


def settled(seen: Collection[str]) -> bool:
    """Return whether two saw a change, or it raised an error, or never ended: all notice that."""
    return len(seen) > 1 or bool({"raised", "time"} & set(seen))


def by_an_oracle(seen: Collection[str]) -> bool:
    """Return whether an oracle and another, or the properties, saw a change; or everybody."""
    judges_of = {*seen} & {*ORACLES, "properties"}
    return settled(judges_of | {*seen} & {"raised", "time"})


def enough(seen: Collection[str], checks: bool) -> bool:
    """Return whether an oracle and another saw a change; any two that of a check or a default.

    No oracle is asked about these: it computes from arguments that are right, and given.
    """
    return settled(seen) if checks else by_an_oracle(seen)


def judge(path: Path, reaching: Sequence[str] = ()) -> Iterator[str]:
    """Yield who noticed.

    Of the judged mathematics the oracles and the properties are asked, the cheapest first, then the
    table of wrong calls, then the file's own tests, until two have seen the change. Of other files
    the tests are asked, where some are named these alone, and the table where they did not notice.
    """
    seen: set[str] = set()
    for some in _rounds(path) if is_judged(path) else ():
        yield from sorted(some - seen)
        seen |= some
        if settled(seen):
            return
    table = "tests/test_bad_calls.py::test_no_wrong_argument_gets_through_or_meets_a_raw_error"
    calls = [f"{table}[{name}]" for name in BAD_CALLS[group(path)]]
    tests = {"bad calls": calls, "tests": TESTS[group(path)].split()}
    for name in tests if is_judged(path) else ("tests", "bad calls"):
        if tests[name] and _fails(*tests[name], only=reaching if name == "tests" else ()):
            yield name
            seen.add(name)
        if settled(seen) or (seen and not is_judged(path)):
            return


def _rounds(path: Path) -> Iterator[set[str]]:
    """Yield who noticed, one round of comparisons after the other."""
    from stbp_edu.verify import further_trials, trials

    where = path.parent.name
    if where == "stbp_edu":
        yield _seen(_by_formulas)
    if path.name == "scalar.py":
        yield _seen(lambda: trials.by_symbols((1, 2, 1), 2))
    networks = [(np.random.default_rng(k), trials.NEURONS[which]) for k, which in enumerate(FIRST)]
    for rng, neuron in networks:
        problem = trials.draw(rng, *SHAPE, neuron)
        yield _seen(partial(trials.by_numbers, problem))
        yield _seen(partial(further_trials.by_ablations, problem))
        if where == "losses":
            break  # the gate makes no difference to a loss
    if path.stem in READERS:
        one_step = trials.draw(networks[0][0], SHAPE[0], 1, networks[0][1])
        yield _seen(partial(trials.by_numbers, one_step))
    if path.stem == "recurrence":
        yield _seen(partial(further_trials.by_blocks, *networks[0]))
    for rng, neuron in networks[:2] if where == "losses" or path.stem in READERS else ():
        problem = trials.draw(rng, *further_trials.SHAPE, neuron, further_trials.SAMPLES)
        yield _seen(partial(further_trials.by_losses, problem))
    yield {"properties"} if _fails(PROPERTIES) else set()


def prepare() -> None:
    """Evaluate the formulas once: they know nothing of the package, so no change alters them."""
    from stbp_edu.verify import formulas

    EXPECTED[:] = [curve.expected for curve in formulas.curves()]


EXPECTED: list[Any] = []
"""What the formulas give, in the order of ``formulas.curves``."""


def _by_formulas() -> Iterator[Any]:
    """Yield the outcomes of the formulas, with the values that have been worked out before."""
    from stbp_edu.verify import formulas, trials

    values = iter(EXPECTED)
    formulas._curve = lambda id, name, function, at, *_: formulas.Curve(
        id, name, function(at), next(values)
    )
    yield from trials.by_formulas()


def _seen(outcomes: Callable[[], Iterable[Any]]) -> set[str]:
    """Return the oracles that one round of comparisons failed under."""
    try:
        failed = [o.oracle for o in outcomes() if not o.ok]
    except Exception:
        return {"raised"}  # an error, which whoever runs the program hears
    return {next(name for name in ORACLES if oracle.startswith(name)) for oracle in failed}


OPTIONS = [
    *("-q", "-m", "", "-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:anyio"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # loaded before the fork
]
"""How pytest runs the tests of a file."""


def _fails(*files: str, only: Sequence[str] = ()) -> bool:
    """Return whether the tests of these files fail, or of them those that are named."""
    import pytest  # here, since the site is built without it

    from tools.mutants.reached import Only

    named = [Only(only)] if only else []
    given = dict.fromkeys(name.partition("::")[0] for name in only) or files
    with contextlib.suppress(SystemExit):
        return pytest.main(["-x", *OPTIONS, *given], named) != 0
    return True
