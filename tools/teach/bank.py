"""Questions to choose an answer, made of the tasks and their named mistakes.

Each has four choices: the right answer, one with mistake A, one with mistake B, and one with both.
So every choice is as like the others as any: none is the one from which the rest were made. Which
pairs of mistakes are taken is chosen so that over the whole bank no habit of readers who know
nothing finds the key more often than chance. A habit picks the choice that is extreme in one
measure of its form, as the longest or the one with the fewest signs, and one at random where
several are.
"""

import ast
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from functools import cache, cached_property
from itertools import combinations

import numpy as np

from stbp_edu.practice.grading import algebra
from stbp_edu.practice.grading.answer import same
from stbp_edu.practice.grading.calling import tried
from stbp_edu.practice.grading.pairs import merged
from stbp_edu.practice.grading.verdict import situations
from stbp_edu.practice.tasks import Exercise, FormulaBlank, Task, tasks
from stbp_edu.practice.tasks.catalogue import Mistake
from tools.teach.weeks import capital

PER_TASK = 2  # questions of the bank
TRIED = 40  # pairs of mistakes of one task
FIRST = 4  # situations, of networks that differ in every size
LONGEST = 100  # characters of a choice
ASKED = (
    "Which of these is right?",
    "Which one is it?",
)  # no two questions have the same words
ARTIFICIAL = re.compile(
    r"\b0 \*|\* 0\b|\b1\.0\b"
)  # there for the grader, and nobody writes it
SLIPS = {
    *("sign", "factors-added", "times-for-over", "missing-brackets"),
    *("matrix-product", "wrong-axis", "transposed", "column-for-row"),
    *("results-swapped", "only-one-result", "missing-argmax"),
}
"""Mistakes of arithmetic or of NumPy, which say nothing about the idea of a task."""
TOKEN = re.compile(r"[^\W\d]\w*(?:\.\w+)*|\d+(?:\.\d+)?|\*\*|//|[<>=]=|[^\w\s]")
KINDS = {
    "tokens": ".*",
    "names": r"[^\W\d].*",
    "operators": r"[-+*/@]|\*\*",
    "minus signs": "-",
    "brackets": r"[(\[]",
    "numbers": r"\d.*",
}
"""Tokens that are counted."""


@dataclass(frozen=True)
class Choice:
    """One choice: what it says, the ids of the mistakes in it, and what is answered to it."""

    text: str
    mistakes: tuple[str, ...]
    feedback: str


def wrong(text: str, found: Sequence[Mistake]) -> Choice:
    """Return a wrong choice with what is wrong in it."""
    names = ", and ".join(m.name for m in found)
    why = " ".join(dict.fromkeys(m.why for m in found))
    return Choice(text, tuple(m.id for m in found), f"{capital(names)}. {why}")


@dataclass(frozen=True)
class Question:
    """A question; its first choice is the key."""

    id: str  # in a learning platform
    prompt: str  # as Markdown
    choices: tuple[Choice, ...]
    general: str = ""  # what is said to everybody afterwards
    code: bool = True  # whether the choices are code
    tag: str = ""  # the objective

    @cached_property
    def chances(self) -> dict[str, float]:
        """How likely each habit picks the key."""
        return chances([choice.text for choice in self.choices])


@cache
def tokens(choice: str) -> tuple[str, ...]:
    """Return the names, numbers and signs of a choice, in their order."""
    return tuple(TOKEN.findall(choice))


@cache
def likeness(one: str, other: str) -> float:
    """Return how much of two choices is the same, from 0 to 1."""
    first, second = sorted((one, other))
    return SequenceMatcher(None, tokens(first), tokens(second), autojunk=False).ratio()


def measures(choices: Sequence[str]) -> dict[str, list[float]]:
    """Return what each habit looks at, for each of the choices."""
    sets = [set(tokens(choice)) for choice in choices]
    counted = {
        name: [
            sum(bool(re.fullmatch(kind, t)) for t in tokens(choice))
            for choice in choices
        ]
        for name, kind in KINDS.items()
    }
    return {
        "characters": [len(choice) for choice in choices],
        **counted,
        "different names": [sum(t[0].isalpha() for t in one) for one in sets],
        "likeness to the others": [
            sum(likeness(a, b) for b in choices if b != a) for a in choices
        ],
        "shared tokens": [
            sum(t in s for t in one for s in sets) / len(one) for one in sets
        ],
        "place in the alphabet": [sorted(choices).index(choice) for choice in choices],
    }


def chances(choices: Sequence[str]) -> dict[str, float]:
    """Return, for each habit, how likely it picks the first choice.

    >>> found = chances(["a + b", "a", "b", "a"])
    >>> found["most tokens"], found["fewest tokens"]
    (1.0, 0.0)
    """
    found = {}
    for name, measured in measures(choices).items():
        values = [round(v, 9) for v in measured]
        for word, extreme in (("most", max(values)), ("fewest", min(values))):
            found[f"{word} {name}"] = (values[0] == extreme) / values.count(extreme)
    return found


def expression(body: str) -> str:
    """Return a formula or a one-line body as Python writes it, and "" where it is neither.

    >>> expression("return  a*b")
    'a * b'
    """
    text = body.strip().removeprefix("return ").strip()
    try:
        return ast.unparse(ast.parse(text, mode="eval"))
    except SyntaxError:
        return ""


def both(key: str, one: str, other: str) -> str:
    """Return the key with the changes of both, and "" where they touch each other.

    >>> both("a + b * c", "a - b * c", "a + b")
    'a - b'
    """
    return expression(merged(key, one, other))


def all_differ(task: Task, texts: Sequence[str]) -> bool:
    """Return whether no two of the answers are the same in what they give."""
    if isinstance(task, FormulaBlank):
        try:
            trees = [algebra.parse(text, task.symbols) for text in texts]
        except ValueError:  # the changes of two mistakes make no formula
            return False
        return not any(algebra.equal(a, b, task) for a, b in combinations(trees, 2))
    called = situations(task)[:FIRST]
    given = [
        [tried(task.comparable(task.function(text)), s.args, s.right) for s in called]
        for text in texts
    ]
    return not any(all(map(same, a, b)) for a, b in combinations(given, 2))


def candidates(task: Task) -> Iterator[Question]:
    """Yield the questions that a task gives, at most ``TRIED``."""
    key = expression(task.solution)
    named = {
        expression(m.body): m for m in task.mistakes if not ARTIFICIAL.search(m.body)
    }
    named = {text: m for text, m in named.items() if text and text != key}
    pairs = [p for p in combinations(named, 2) if named[p[0]].id != named[p[1]].id]
    order = np.random.default_rng(2018).permutation(len(pairs))
    pairs = [pairs[k] for k in order]
    pairs.sort(key=lambda pair: len(SLIPS & {named[text].id for text in pair}))
    found = 0
    for one, other in pairs:
        texts = (key, one, other, both(key, one, other))
        fit = all(texts) and len(set(texts)) == 4 and max(map(len, texts)) <= LONGEST
        if found < TRIED and fit and all_differ(task, texts):
            found += 1
            wrongs = {t: [named[t]] for t in texts[1:] if t in named}
            wrongs.setdefault(texts[3], [named[one], named[other]])
            choices = (
                Choice(key, (), "Right."),
                *(wrong(t, wrongs[t]) for t in texts[1:]),
            )
            names = f"`{task.signature}`: " if isinstance(task, Exercise) else ""
            prompt = f"{task.question}\n\n{names}"
            yield Question(task.id, prompt, choices, task.reasoning, tag=task.objective)


def about_ideas(pool: Sequence[Question]) -> Sequence[Question]:
    """Return the questions whose wrong choices show ideas; all of them where those are too few."""
    found = []
    for question in pool:
        mistakes = {id_ for choice in question.choices for id_ in choice.mistakes}
        if not mistakes & SLIPS:
            found.append(question)
    return found if len(found) >= PER_TASK else pool


def balanced(pools: Sequence[Sequence[Question]]) -> list[Question]:
    """Return ``PER_TASK`` questions of each pool, in which no habit finds the key too often.

    Each pool's questions are exchanged for others of it as long as that lowers the sum over the
    habits of (share found - 1/4)^2.
    """
    chosen = [list(range(min(PER_TASK, len(pool)))) for pool in pools]
    rows = [np.array([list(q.chances.values()) for q in pool]) - 0.25 for pool in pools]
    total = sum(rows[i][ks].sum(axis=0) for i, ks in enumerate(chosen))
    better = True
    while better:
        better = False
        for i, ks in enumerate(chosen):
            for slot, old in enumerate(ks):
                free = [k for k in range(len(pools[i])) if k not in ks or k == old]
                sums = ((total - rows[i][old] + rows[i][free]) ** 2).sum(axis=1)
                new = free[int(sums.argmin())]
                if sums.min() < (total**2).sum() - 1e-9:
                    total = total - rows[i][old] + rows[i][new]
                    ks[slot], better = new, True
    return [
        replace(
            pools[i][k],
            id=f"{pools[i][k].id}-{nth + 1}",
            prompt=pools[i][k].prompt + asked,
        )
        for i, ks in enumerate(chosen)
        for nth, (k, asked) in enumerate(zip(sorted(ks), ASKED, strict=False))
    ]


def bank(chosen: Iterable[Task] | None = None) -> list[Question]:
    """Return the questions of these tasks; of all that no exam asks where None."""
    if chosen is None:
        chosen = (task for task in tasks().values() if task.use != "exam")
    pools: list[list[Question]] = []
    seen: set[tuple[str, ...]] = set()  # the same choices, asked of another case
    for task in chosen:
        pool = {tuple(c.text for c in q.choices): q for q in candidates(task)}
        new = [q for texts, q in pool.items() if texts not in seen]
        pools.append(about_ideas(new))
        seen |= set(pool)
    return balanced([pool for pool in pools if pool])


def found_by_form(questions: Sequence[Question]) -> dict[str, float]:
    """Return the share of the keys that each habit finds."""
    table = np.array([list(q.chances.values()) for q in questions])
    return dict(zip(questions[0].chances, table.mean(axis=0).tolist(), strict=True))


def task_of(question: Question) -> str:
    """Return the id of the task that a question of the bank is made of."""
    return question.id.rpartition("-")[0]


def siblings(questions: Iterable[Question]) -> list[list[Question]]:
    """Return the questions in groups, those of a task together."""
    groups: dict[str, list[Question]] = {}
    for question in questions:
        groups.setdefault(task_of(question), []).append(question)
    return list(groups.values())


def found_by_sibling(questions: Iterable[Question]) -> float:
    """Return the share of pairs of a task in which only the key is a choice of both.

    Whoever gets both then sees the key; so a platform draws one of them for each student.
    """
    pairs = [group for group in siblings(questions) if len(group) == 2]
    told = 0
    for one, other in pairs:
        shared = {c.text for c in one.choices} & {c.text for c in other.choices}
        told += shared == {one.choices[0].text}
    return told / len(pairs)
