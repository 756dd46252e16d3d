"""What is said about a gradient function: the rule that it equals, or how it counts words."""

from dataclasses import dataclass

from stbp_edu.arrows.paths import Word

NEAR = 1e-4  # a coefficient this near to a number is that number


@dataclass(frozen=True)
class Verdict:
    """What a gradient function keeps.

    Attributes:
        rules: the built-in rules that it equals on the networks tried; more than one where they
            keep the same words there.
        coefficients: otherwise, how often it counts each word, as far as the network has it; empty
            if no coefficients give its gradients.
    """

    rules: tuple[str, ...]
    coefficients: dict[Word, float]

    def dropped(self) -> list[Word]:
        """Return the words that it drops, the shortest first."""
        words = [w for w, c in self.coefficients.items() if abs(c) < NEAR]
        return sorted(words, key=lambda word: (len(word), word))

    def __str__(self) -> str:
        """Return what was found, in a sentence."""
        if self.rules:
            same = " (they keep the same words here)" if len(self.rules) > 1 else ""
            return f"equals {' = '.join(self.rules)}{same}"
        if not self.coefficients:
            return "equals no built-in rule, and no sum of words gives its gradients"
        odd = {w: c for w, c in self.coefficients.items() if abs(c - 1) >= NEAR}
        if not odd:
            return (
                "keeps every word of the small network, and equals no built-in rule on the larger"
            )
        word = min(odd, key=lambda w: (len(w), w))
        named = {0.0: "drops", 2.0: "counts twice"}.get(round(odd[word], 4))
        did = named or f"counts {odd[word]:.4g} times"
        return (
            f"equals no built-in rule; of {len(self.coefficients)} words it counts "
            f"{len(self.coefficients) - len(odd)} once, as the exact rule does, and the shortest "
            f"that it {did} is '{' '.join(word)}'"
        )
