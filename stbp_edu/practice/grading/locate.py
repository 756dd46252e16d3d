"""Say where an answer that has no name is wrong, by asking the reader's own function.

Nothing is guessed: what is said holds in every situation that was tried, and where two readings
explain an answer alike, both are said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from stbp_edu.practice.grading.blame import Blame, Suspect, made_of
from stbp_edu.practice.grading.finding import Finding, listed, together
from stbp_edu.practice.grading.formula_parts import Part
from stbp_edu.practice.grading.probe import Probe, all_close
from stbp_edu.practice.grading.relations import relation
from stbp_edu.practice.grading.responses import dependence, scaling
from stbp_edu.practice.grading.substitutions import substitutions
from stbp_edu.practice.grading.terms import Term, terms
from stbp_edu.practice.grading.where import entries_that_are_wrong, mixing

MOST_READINGS = 3
OTHER = "something else stands in place of"


@dataclass(frozen=True)
class Locator:
    """Locates the mistake in one result of an answer.

    Attributes:
        probe: the reader's function beside the reference.
        result: which of several results.
        formula: the right formula of this result, or None where it has none.
        constants: what the formula uses beside the arguments.
        axes: what the axes of the result are.
    """

    probe: Probe
    result: int = 0
    formula: Part | None = None
    constants: Mapping[str, Any] = field(default_factory=dict)
    axes: Sequence[str] = ()

    def findings(self) -> list[Finding]:
        """Return what is found, the most telling first."""
        got, want = self.probe.both(lambda i: i.args, self.result)
        if got and all_close(got, want, self.probe.rtol):
            return self.where()  # right where it is asked, wrong on what it is graded with
        if self.whole:
            return [Finding(f"Your result {self.whole}.", "result")]
        parts = self.parts()
        if found := [f for f in parts if OTHER not in f.text] or self.inputs():
            return found
        terms = self.terms()
        if terms and len(parts[:1]) and "two readings" in parts[0].text:
            parts = []  # several places are wrong, and the terms say which
        found = [*parts, *terms, *self.mixed()]
        return found or [*self.where(), *self.responses()]

    @cached_property
    def whole(self) -> str:
        """What is wrong with the result as a whole, after "your result"."""
        got, want = self.probe.both(lambda i: i.args, self.result)
        if not got:
            return ""
        words = relation(got, want, self.probe.situations, 10 * self.probe.rtol)
        return words.replace("what it should be", "the right one").replace(": 0 stands there", "")

    def parts(self) -> list[Finding]:
        """Return the one part of the formula that explains the answer, or the several."""
        if self.formula is None:
            return []
        blame = Blame(self.probe, self.formula, self.result, self.constants)
        suspects = blame.found()
        readings = [self._reading(blame, s) for s in suspects]
        if not readings:
            return []
        nodes = tuple(s.part.node for s in suspects)
        names = frozenset().union(*(s.part.names & set(self.probe.names) for s in suspects))
        if len(readings) > 1:
            text = "One part alone explains it, and two readings fit: either " + ", or ".join(
                readings
            )
            return [Finding(f"{text}.", "part", names, nodes)]
        if suspects[0].part.parent is None:
            return []
        return [Finding(f"One part alone explains it: {readings[0]}.", "part", names, nodes)]

    def _reading(self, blame: Blame, suspect: Suspect) -> str:
        """Return what is wrong with one part, as a clause."""
        inside = [name for name in self.probe.names if name in suspect.part.names]
        what = made_of(inside, suspect.part)
        words = blame.words(suspect)
        if words:
            return f"{what} {words}"
        other = self._other_input(suspect)
        if other:
            return f"{what} is replaced by {other}"
        more = [n for n in self.probe.names if n in suspect.heeds and n not in inside]
        less = [
            n for k, n in enumerate(self.probe.names)
            if n in inside and k in self.probe.movable and n not in suspect.heeds
        ]  # fmt: skip
        said = [f"depends on {listed(more)} too"] * bool(more)
        said += [f"does not depend on {listed(less)}"] * bool(less)
        ending = f", and it {' and '.join(said)}" if said else ""
        return f"{OTHER} {what}{ending}"

    def _other_input(self, suspect: Suspect) -> str:
        """Return the input, times a constant, that stands in a part's place."""
        situations = self.probe.situations
        for k in self.probe.movable:
            values = [np.asarray(i.args[k], dtype=float) for i in situations]
            words = relation(suspect.got, values, situations, 10 * self.probe.rtol)
            if all(g.shape == v.shape for g, v in zip(suspect.got, values, strict=True)):
                same = all(
                    np.allclose(g[~np.isnan(g)], v[~np.isnan(g)], rtol=10 * self.probe.rtol)
                    for g, v in zip(suspect.got, values, strict=True)
                )
                if same:
                    return f"`{self.probe.names[k]}`"
            if words and "0 stands" not in words and "replaced by" not in words:
                return f"`{self.probe.names[k]}`, which {words.split(' what it should')[0]}"
        return ""

    def inputs(self) -> list[Finding]:
        """Return the inputs that, changed, make the right formula give the answer."""
        found = substitutions(self.probe, self.result)[:MOST_READINGS]
        if not found:
            return []
        text = ", or ".join(words for words, _ in found)
        names = frozenset().union(*(names for _, names in found))
        ending = "; these readings fit alike" if len(found) > 1 else ""
        return [Finding(f"Yours is what the right formula gives {text}{ending}.", "input", names)]

    def terms(self) -> list[Finding]:
        """Return which terms are right, and what is wrong with each of the others."""
        found = terms(self.probe, self.result)
        wrong = [t for t in found if t.state != "right"]
        right = [t for t in found if t.state == "right" and t.names]
        telling = right or any(t.state != "wrong" or t.words for t in wrong)
        if not wrong or len(wrong) > 4 or len(found) < 2 or not telling:
            return []
        sentences = [f"What comes from {together(t.names)} is right." for t in right[:3]]
        sentences += [self._on_term(t) for t in wrong]
        text = "Term by term, with the other inputs set to 0: " + " ".join(sentences)
        names = frozenset(n for t in wrong if t.state != "extra" for n in t.names)
        return [Finding(text, "term", names)]

    @staticmethod
    def _on_term(term: Term) -> str:
        """Return the sentence on one wrong term."""
        what = f"What comes from {together(term.names)}"
        if term.state == "missing":
            return f"{what} is missing."
        if term.state == "extra":
            return f"{what} has no place here, and yours has it."
        return f"{what} {term.words or 'is wrong'}."

    def mixed(self) -> list[Finding]:
        """Return what the answer mixes, or leaves out."""
        try:
            found = mixing(self.probe, self.result, self.axes)
        except (TypeError, ValueError, ArithmeticError):
            return []
        return [Finding(text, "mixing", names) for text, names in found]

    def responses(self) -> list[Finding]:
        """Return how the answer responds to its inputs otherwise than it must."""
        return [*scaling(self.probe, self.result), *dependence(self.probe, self.result)]

    def where(self) -> list[Finding]:
        """Return in which entries the answer is wrong."""
        inputs, masks = [], []
        for i in self.probe.inputs:
            got, want = self.probe.ask(i.args), self.probe.ask(i.args, right=True)
            if got is None or want is None or got[self.result].shape != want[self.result].shape:
                return []
            right = want[self.result]
            limit = self.probe.rtol * (np.abs(right) + 1e-3 * np.abs(right).max(initial=0.0))
            inputs.append(i)
            masks.append(~(np.abs(got[self.result] - right) <= limit + 1e-13))
        text = entries_that_are_wrong(self.probe.names, inputs, masks)
        return [Finding(text, "where")] if text else []
