"""Find the one part of the right formula that, changed alone, gives the reader's answer.

For each part, what would have to stand there is worked out from the reader's own answers. Then the
other inputs are moved, one at a time. Where something in one place is the whole mistake, it does
not heed inputs that are not in it; anywhere else, what would have to stand there has to make up
for the mistake and heeds many. The part that needs the fewest inputs is blamed, and where two do,
the smallest that holds both, or both.
"""

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu.checks import Array
from stbp_edu.practice.grading.finding import listed
from stbp_edu.practice.grading.formula_parts import Part
from stbp_edu.practice.grading.probe import Probe, Values, all_close, close
from stbp_edu.practice.grading.relations import relation

SCALED = ("times what it should be", "is doubled", "sign turned round", "is missing: 0")
"""What is said of a factor that is off by a constant."""


@dataclass(frozen=True, eq=False)
class Suspect:
    """A part, with what would have to stand in its place.

    Attributes:
        part: the part of the right formula.
        got: what would have to stand there, in each situation.
        want: what belongs there.
        heeds: the arguments that it depends on.
    """

    part: Part
    got: Values
    want: Values
    heeds: frozenset[str]

    @property
    def cost(self) -> int:
        """How many inputs take part in the mistake."""
        return len(self.heeds | self.part.names)


@dataclass(frozen=True)
class Blame:
    """Finds the parts to blame for one result of an answer."""

    probe: Probe
    whole: Part
    result: int = 0
    constants: Mapping[str, Any] | None = None

    def values(self, args: Sequence[Any]) -> dict[str, Any]:
        """Return the values that a part is evaluated with."""
        return {**(self.constants or {}), **dict(zip(self.probe.names, args, strict=True))}

    @cached_property
    def answers(self) -> list[tuple[dict[str, Any], Array, dict[int, tuple[dict[str, Any], Any]]]]:
        """The values and the answer in each situation, and again with each argument moved."""
        found = []
        for inputs in self.probe.situations:
            answer = self.probe.ask(inputs.args)
            if answer is None:
                return []
            moved = {}
            for k in self.probe.movable:
                args = self.probe.moved(inputs.args, k)
                moved[k] = (self.values(args), self.probe.ask(args))
            found.append((self.values(inputs.args), answer[self.result], moved))
        return found

    def suspect(self, part: Part) -> Suspect | None:
        """Return what would have to stand in a part's place; None where nothing does."""
        got, want, heeds = [], [], set()
        for values, answer, moved in self.answers:
            own = part.needed(answer, values)
            if own is None or not np.isfinite(own).any():
                return None
            got.append(own)
            want.append(part.value(values))
            for k, (others, changed) in moved.items():
                then = None if changed is None else part.needed(changed[self.result], others)
                if then is None or not self._equal(then, own):
                    heeds.add(self.probe.names[k])
        if all_close(got, want, self.probe.rtol):
            return None
        return Suspect(part, got, want, frozenset(heeds))

    def _equal(self, a: Array, b: Array) -> bool:
        """Return whether two values agree wherever both are known."""
        both = np.isnan(a) | np.isnan(b)
        return bool(both.all()) or close(np.where(both, np.nan, a), b, 30 * self.probe.rtol)

    def found(self) -> list[Suspect]:
        """Return the parts to blame: one, or several where each by itself explains the answer."""
        if not self.answers:
            return []
        try:
            every = [s for p in self.whole.walk() if (s := self.suspect(p)) is not None]
        except (TypeError, ValueError, ArithmeticError):
            return []
        if not every:
            return []
        least = min(s.cost for s in every)
        best = [s for s in every if s.cost == least]
        shared = _shared([s.part for s in best])
        if isinstance(shared.node, ast.BinOp) and isinstance(shared.node.op, (ast.Add, ast.Sub)):
            sides = [[s for s in best if child in s.part.way] for child in shared.children]
            if all(sides) and not any(s.part is shared for s in best):
                groups = [_shared([s.part for s in side]) for side in sides]
                both = [self._at(group, every) for group in groups]
                return [s for s in both if s is not None]
        one = self._at(shared, every)
        return [self._climbed(one, every)] if one is not None else []

    def _at(self, part: Part, every: Sequence[Suspect]) -> Suspect | None:
        """Return the suspect of this part."""
        return next((s for s in every if s.part is part), None)

    def words(self, suspect: Suspect) -> str:
        """Return what is wrong with a part, after "it"; "" where no plain words are found."""
        inputs = self.probe.situations
        return relation(suspect.got, suspect.want, inputs, 10 * self.probe.rtol)

    def _climbed(self, suspect: Suspect, every: Sequence[Suspect]) -> Suspect:
        """Return the whole product, where one factor of it is off by a constant."""
        while (above := suspect.part.parent) is not None:
            node = above.node
            product = isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div))
            if not product and not isinstance(node, ast.UnaryOp):
                break
            higher = self._at(above, every)
            if higher is None or not (words := self.words(suspect)):
                break
            if not any(ending in words for ending in SCALED):
                break
            if self.words(higher) != words:
                break
            suspect = higher
        return suspect


def _shared(parts: Sequence[Part]) -> Part:
    """Return the smallest part that holds all of these."""
    ways = [part.way for part in parts]
    shared = ways[0][0]
    for level in zip(*ways, strict=False):
        if any(p is not level[0] for p in level):
            break
        shared = level[0]
    return shared


def made_of(names: Sequence[str], part: Part) -> str:
    """Return a part of the formula by what is in it, without giving it away."""
    if isinstance(part.node, ast.Name):
        return f"`{part.node.id}`"
    if not names:
        return "a number"
    kind = "part"
    if isinstance(part.node, ast.BinOp) and isinstance(part.node.op, (ast.Mult, ast.MatMult)):
        kind = "product"
    return f"the {kind} made of {listed(names)}"
