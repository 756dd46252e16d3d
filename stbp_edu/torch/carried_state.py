"""The state that a layer carries from one part of a series to the next, and the errors of it.

A run of T steps may be cut in two: the second half begins with the states of the first one's last
step, and passes back to it what its own first step passes back to the step before. So both halves
together have the outputs and the gradients of the whole.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from stbp_edu._support.checks import brief
from stbp_edu.arrows.step.layer_program import LayerProgram
from stbp_edu.arrows.step.step_functions import Assignment, StepFunction
from stbp_edu.lines.expressions import names_in
from stbp_edu.lines.forward_lines import STEPS
from stbp_edu.torch.state_dict import check_floats

CarriedState = dict[str, Tensor]
"""By name, each state at the last step, (S, ...); once for each error that comes back to it."""
AdjointName = tuple[str, str]


def carried_nodes(program: LayerProgram) -> dict[str, tuple[str, AdjointName | None]]:
    """Return the carried states of a layer by name, each with the adjoint that comes back to it."""
    back = {adjoint for adjoint, _, _ in program.from_recurrence}
    later = {f"{name}_next" for name in program.next_adjoints}
    for row in program.rows:
        read = {term.of for term in row.terms}
        if read & later:
            back.add(row.name)
    found: dict[str, tuple[str, AdjointName | None]] = {}
    for state in program.lines.lines:
        nodes = [node for node in program.nodes if node[0] == state]
        nodes = [node for node in nodes if program.name(*node) in back]
        if not nodes:  # no error comes back to it
            found[state] = state, None
        elif len(nodes) == 1:
            found[state] = state, nodes[0]
        else:
            for node in nodes:
                found[", ".join(node)] = state, node
    return found


def check_state(state: object, names: Sequence[str], like: Tensor) -> list[Tensor]:
    """Return the tensors of a carried state if it is one of this layer, for as many samples.

    Raises:
        TypeError, ValueError: if it is not what the layer returned.
    """
    if not isinstance(state, Mapping) or {*state} != {*names}:
        got = sorted(state) if isinstance(state, Mapping) else type(state).__name__
        raise TypeError(
            f"state must be what this layer returned, with {', '.join(names)}, got {got}; pass "
            "None to begin at rest"
        )
    found = [check_floats(f"state[{name!r}]", state[name]) for name in names]
    for name, one in zip(names, found, strict=True):
        if one.device != like.device or one.shape != like.shape[1:]:
            raise ValueError(
                f"state[{name!r}] must have the shape of a step, {tuple(like.shape[1:])}, on "
                f"{like.device}, got {tuple(one.shape)} on {one.device}; carry it to a batch "
                "of the same samples, on the same device"
            )
    return found


def step_before(
    program: LayerProgram, functions: Mapping[str, Callable[..., Any]]
) -> Callable[..., dict[str, Any]] | None:
    """Return the function from a step's errors to those of the states one step before.

    It has the lines of a step back, with only the terms that adjoints of the step after are in. It
    takes the carried states, those of the first step, the adjoints of that step and the constants,
    each by its name; and returns the adjoints by their names. None if it depends on the step before
    the carried one.
    """
    later = {f"{name}_next" for name in program.next_adjoints}
    rows = {row.name for row in program.rows}
    lines = []
    for line in program.backward.lines:
        of_row = tuple(term for term in line.terms if term.of in later)
        terms = of_row if line.name in rows else line.terms  # or a limit on gains
        if terms:
            lines.append(Assignment(line.name, terms))
    read = {
        name for line in lines for term in line.terms for name in names_in(term.factor)
    }
    if any(
        step < 0 and state + STEPS[step] in read for state, step in program.states_read
    ):
        return None
    results = [line.name for line in lines if line.name in rows]
    arguments = [*program.backward.arguments]
    step = StepFunction("step_before", arguments, lines, results)
    space = dict(functions)
    exec(compile(step.source(), "<program>", "exec"), space)

    def function(
        carried: Mapping[str, Tensor],
        first: Mapping[str, Tensor],
        adjoints: Mapping[str, Tensor],
        constants: Sequence[Any],
    ) -> dict[str, Any]:
        """Return the adjoints that come back to the carried states, by name."""
        given: dict[str, Any] = dict.fromkeys(arguments, 0.0)
        for state, step in program.states_read:
            if step == 0 and state in carried:  # x is not, and not read
                given[state] = carried[state]
            elif step > 0:
                given[f"{state}_next"] = first[state]
        for name in program.next_adjoints:
            given[f"{name}_next"] = adjoints[name]
        given |= dict(zip(program.lines.constants, constants, strict=True))
        return dict(zip(results, space["step_before"](**given), strict=True))

    return function


def detached(state: Any) -> Any:
    """Return a carried state to which no error comes back: for truncated windows.

    Raises:
        TypeError: if it is not what a layer or a network returned.

    >>> import torch
    >>> detached({"u": torch.ones(1, requires_grad=True)})["u"].requires_grad
    False
    """
    if isinstance(state, list):  # of a network
        return [detached(one) for one in state]
    if not isinstance(state, dict):
        raise TypeError(
            f"state must be what a layer or a network returned, got {brief(state)}; pass that"
        )
    return {name: check_floats(name, one).detach() for name, one in state.items()}
