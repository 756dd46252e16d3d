"""The verdicts on one notebook: ``python -m stbp_edu.teaching.judge``.

The judge runs no line of a student's. It sends the notebook and the inputs of a task to a process
behind a wall, and grades what comes back as ``check`` does: the results are read there by the same
function. It prints one line of JSON for each task, so what is graded is kept, whatever happens to
the next one.
"""

import contextlib
import difflib
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from stbp_edu.practice.feedback import Feedback
from stbp_edu.practice.grading import grade
from stbp_edu.practice.grading.calling import NoValueError
from stbp_edu.practice.tasks import Exercise, Task, misconceptions, tasks
from stbp_edu.teaching import slips
from stbp_edu.teaching.notebooks import name_of, read_notebook
from stbp_edu.teaching.own_tasks import tasks_with
from stbp_edu.teaching.student_function import Limits, StudentFunction, problem_of

CHECKED = re.compile(r"^check(_formula)?\(", re.M)
"""A call that hands an answer in."""


def judge(
    task: Task, cells: Sequence[str], limits: Limits, *, by_check: bool = False
) -> Feedback:
    """Return the verdict on the answer to a task in the code cells of a notebook.

    It is what ``check`` would say, or its state is "stopped": at a limit, or "slip": right once a
    slip of the keyboard is put right. ``by_check``: only what the notebook hands to ``check`` is
    an answer, whatever has its name.
    """
    verdict = _judged(task, cells, limits, by_check)
    said = " ".join(verdict.message)
    for words, mended in slips.repairs(task, name_of(task), cells, said):
        if _judged(task, mended, limits, by_check).right:
            right = f"It is right once {words}."
            return Feedback(task.id, "slip", (right, *verdict.message))
    for mistake, words, mended in slips.confused(task, cells, said):
        if _judged(task, mended, limits, by_check).right:
            right = f"It is right once {words}, which is another quantity."
            name = misconceptions()[mistake]["name"]
            named = f"Found: {name}. {task.why_wrong(mistake)}"
            return Feedback(task.id, "wrong", (right, named), (mistake,))
    return verdict


def _judged(
    task: Task, cells: Sequence[str], limits: Limits, by_check: bool
) -> Feedback:
    """Return the verdict on these cells as they are."""
    try:
        answer = StudentFunction(cells, name_of(task), limits, by_check=by_check)
        with contextlib.closing(answer):
            verdict = _verdict(task, answer, by_check)
    except NoValueError as stopped:
        return Feedback(task.id, "stopped", (stopped.args[0].message,))
    if answer.stopped:
        return Feedback(task.id, "stopped", (answer.stopped,))
    return verdict


def _verdict(task: Task, answer: StudentFunction, by_check: bool) -> Feedback:
    """Return the verdict on an answer whose process runs."""
    name, facts = name_of(task), answer.facts
    if not facts["found"]:
        if by_check:
            call = f'check("{task.id}", ...)'
            if not isinstance(task, Exercise):
                call = f'check_formula("{task.equation}", ...)'
            return Feedback(task.id, "todo", (f"Nothing is handed to `{call}`.",))
        return _not_found(task, facts)
    if not isinstance(task, Exercise):
        return _formula_verdict(task, answer)
    verdict = grade(task, answer)
    if verdict.state == "todo" and not facts["returns"]:
        text = f"`{name}` returns nothing: end it with `return`."
        return Feedback(task.id, "wrong", (text,))
    return verdict


def _formula_verdict(task: Task, answer: StudentFunction) -> Feedback:
    """Return the verdict on a formula."""
    try:
        text = answer()
    except NoValueError as error:
        message = getattr(error.args[0], "message", "It has no value.")
        return Feedback(task.id, "wrong", (message,))
    if isinstance(text, str) or text is None:
        return grade(task, text)
    said = f"`{name_of(task)}` must be a formula between quotation marks."
    return Feedback(task.id, "wrong", (said,))


def _not_found(task: Task, facts: Mapping[str, Any]) -> Feedback:
    """Return the verdict where the notebook gives the answer's name no value."""
    name = name_of(task)
    if facts["unread"]:
        message = f"Its cell cannot be read as Python: {facts['unread']}."
        return Feedback(task.id, "wrong", (message,))
    if facts["failed"]:
        kind, text = map(str, facts["failed"])
        problem = problem_of(kind[:80], text[:300])
        message = getattr(problem, "message", "It fails.")
        return Feedback(task.id, "wrong", (message,))
    said = f"There is no `{name}`."
    others = {name_of(other) for other in tasks().values()}
    own = {n: a for n, a in facts["arguments"].items() if n not in others}
    near = difflib.get_close_matches(name, own, n=1)
    if isinstance(task, Exercise):
        near += [n for n, given in own.items() if tuple(given) == task.arguments]
    if near:
        found = near[0][:80]
        said += f" There is `{found}`: rename it to `{name}` if that is the answer."
    return Feedback(task.id, "todo", (said,))


def is_of_the_course(cells: Sequence[str], says: Mapping[str, Any]) -> bool:
    """Return whether a notebook is one of the course: its text has solutions of some tasks.

    It is not of a problem set, and it hands answers to ``check``; only these count then.
    """
    return "title" not in says and any(CHECKED.search(cell) for cell in cells)


def main() -> None:
    """Judge the answers in one notebook to these tasks."""
    notebook, seconds, memory, wall_or_not, own_tasks, variant, *ids = sys.argv[1:]
    limits = Limits(float(seconds), int(memory), wall_or_not == "unsafe")
    own = Path(own_tasks) if own_tasks else None
    library = tasks_with(own, int(variant))
    cells, says = read_notebook(Path(notebook))
    by_check = is_of_the_course(cells, says)
    for id_ in ids:
        try:
            said = judge(library[id_], cells, limits, by_check=by_check)
        except Exception as error:  # a mistake of this package costs only one task
            text = f"It could not be graded: {type(error).__name__}: {error}."
            said = Feedback(id_, "stopped", (text[:300],))
        line = [id_, said.state, said.message, said.mistakes, said.together]
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
