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
from stbp_edu.torch.state_dict import check_floats

CarriedState = dict[str, Tensor]
"""By name, each state at the last step, (S, ...); once for each error that comes back to it."""
AdjointName = tuple[str, str]


def carried_nodes(program: LayerProgram) -> dict[str, tuple[str, AdjointName | None]]:
    """Return the carried states of a layer by name, each with the adjoint that comes back to it."""
    back = {adjoint for adjoint, _, _ in program.from_recurrence}
    later = {program.names[one] for one in program.next_adjoints}
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


def check_state(state: object, names: Sequence[str], like: Tensor) -> CarriedState:
    """Return a carried state if it is one of this layer, for as many samples.

    Raises:
        TypeError, ValueError: if it is not what the layer returned.
    """
    got: object = type(state).__name__
    given: CarriedState = {}
    if isinstance(state, Mapping):
        got = sorted(state)
        if all(isinstance(one, Tensor) for one in state.values()):
            given = dict(state)
    if {*given} != {*names}:
        raise TypeError(
            f"state must be what this layer returned, with {', '.join(names)}, got {got}; pass "
            "None to begin at rest"
        )
    expected = tuple(like.shape[1:])
    for name in names:
        one = check_floats(f"state[{name!r}]", given[name])
        if one.device != like.device:
            raise ValueError(
                f"state[{name!r}] must be on {like.device}, got {one.device}; move it there"
            )
        shape = tuple(one.shape)
        if shape != expected:
            raise ValueError(
                f"state {name!r} must have the shape of a step, {expected}, got "
                f"{shape}; carry it to a batch of the same samples"
            )
    return given


def passed_back(
    program: LayerProgram, functions: Mapping[str, Callable[..., Any]]
) -> Callable[..., dict[str, Any]]:
    """Return the function from a step's errors to those of the states one step before.

    It takes the carried states, those of the first step, the adjoints of that step and the
    constants, each by its name in the program; and returns the adjoints by their names.

    Raises:
        ValueError: if it depends on the step before the carried one.
    """
    names = program.names
    rows = {row.name for row in program.rows}
    lines = lines_passed_back(program)
    check_one_step(program, lines)
    results = [line.name for line in lines if line.name in rows]
    arguments = [*program.backward.arguments]
    step = StepFunction("passed_back", arguments, lines, results)
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
        for one in program.states_read:
            if one.step == 0 and one.of in carried:  # x is not, and not read
                given[names[one]] = carried[one.of]
            elif one.step > 0:
                given[names[one]] = first[one.of]
        for one in program.next_adjoints:
            of_first_step = program.name(one.of, one.q)
            given[names[one]] = adjoints[of_first_step]
        given |= dict(zip(program.lines.constants, constants, strict=True))
        found = space["passed_back"](**given)
        return dict(zip(results, found, strict=True))

    return function


def lines_passed_back(program: LayerProgram) -> list[Assignment]:
    """Return the lines of a step back, with the terms alone that later adjoints are in."""
    later = {program.names[one] for one in program.next_adjoints}
    rows = {row.name for row in program.rows}
    lines = []
    for line in program.backward.lines:
        if line.name not in rows:  # a limit on gains
            lines.append(line)
            continue
        terms = tuple(term for term in line.terms if term.of in later)
        if terms:
            lines.append(Assignment(line.name, terms))
    return lines


def check_one_step(program: LayerProgram, lines: Sequence[Assignment]) -> None:
    """Raise ValueError if lines read a state of the step before the carried one."""
    read: set[str] = set()
    for line in lines:
        for term in line.terms:
            read |= {*names_in(term.factor)}
    earlier = [program.names[one] for one in program.states_read if one.step < 0]
    before = [name for name in earlier if name in read]
    if before:
        raise ValueError(
            f"a carried state holds one step, and under the rule {program.rule.name} what goes "
            f"back to it depends on {', '.join(before)}; detach the state, or choose another rule"
        )


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
