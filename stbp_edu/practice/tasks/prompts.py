"""The whole question of a task, for a reader who has no notebook around it."""

from stbp_edu.practice.tasks.catalogue import Exercise, FormulaBlank, Task, tables


def question_of(task: Task) -> str:
    """Return what is given, what is asked, and what may stand in the answer, in Markdown.

    >>> from stbp_edu.practice.tasks import exercises
    >>> print(question_of(exercises()["c1-epsilon-scalar"]))
    One output neuron at the last step: return ε from its δ.
    <BLANKLINE>
    - `delta`: δ of this neuron, a number
    - `h`: $h(u)$, the surrogate at its potential, a number
    """
    asked = f"{task.given} {task.prompt.strip()}".strip()
    names = [f"- `{name}`: {meaning}" for name, meaning in names_in(task).items()]
    return "\n".join([asked, "", *names]).strip()


def names_in(task: Task) -> dict[str, str]:
    """Return what each name means that an answer may use, unless the prompt says it."""
    if isinstance(task, FormulaBlank):
        maths = {name: meaning.replace("_th", "_{th}") for name, meaning in task.symbols.items()}
        return {name: f"${text}$" if "^" in text else text for name, text in maths.items()}
    if not isinstance(task, Exercise) or not task.inputs or "\n- " in task.prompt:
        return {}
    meanings = tables("arguments.toml")[_extent(task.inputs)]
    return {name: meanings[name] for name in task.arguments}


def _extent(inputs: str) -> str:
    """Return whether the arguments belong to a cell, to all steps, or to one neuron."""
    if inputs.endswith("one neuron"):
        return "neuron"
    at_one_cell = inputs.startswith(("case", "cells", "grid")) and "all steps" not in inputs
    return "cells" if at_one_cell else "steps"
