"""The recipes of the architecture page, carried out on a copy of the project.

Each recipe is a list of edits, as the page asks for them, an example that uses what was added, and
the test files that must still pass.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Recipe:
    """One "How to add".

    Attributes:
        insertions: by the path of a file, a line and the text that is inserted before it.
        files: new files, by path.
        example: a program that uses the addition.
        tests: test files that know of such things.
    """

    insertions: Sequence[tuple[str, str, str]]
    example: str
    tests: Sequence[str]
    files: Mapping[str, str] = field(default_factory=dict)

    def carry_out(self, root):
        """Edit the copy of the project at this place."""
        for name, line, text in self.insertions:
            path = root / name
            before, found, after = path.read_text("utf-8").partition(line)
            assert found, (name, line)
            path.write_text(before + text + line + after, "utf-8")
        for name, text in self.files.items():
            (root / name).write_text(text, "utf-8")


SURROGATE = Recipe(
    insertions=[
        (
            "stbp_edu/surrogates.py",
            "SURROGATES: ",
            '''@dataclass(frozen=True)
class Secant(Curve):
    """A hyperbolic secant of scale a: h(v) = 1 / (πa cosh(v/a)). ``a`` is > 0.

    >>> Secant(a=1.0).derivative(np.array([0.0])).round(4)
    array([0.3183])
    """

    formula: ClassVar[str] = "1 / 2 + 2 / pi * atan(tanh(v / (2 * a)))"

    def h(self, v: Any, xp: Any) -> Any:
        """Return the hyperbolic secant."""
        e = xp.exp(-xp.abs(v) / self.a)  # no exponent is positive
        return 2 * e / ((1 + e * e) * math.pi * self.a)

    def twin(self, v: Any, xp: Any) -> Any:
        """Return its antiderivative."""
        return 0.5 + 2 / math.pi * xp.arctan(xp.tanh(v / (2 * self.a)))


''',
        ),
        (
            "stbp_edu/surrogates.py",
            '}\n"""The surrogates by name',
            '    "secant": Secant,\n',
        ),
        ("stbp_edu/__init__.py", "    Sigmoid,\n", "    Secant,\n"),
        ("stbp_edu/__init__.py", '"Sigmoid",', '"Secant", '),
    ],
    example="""
import numpy as np
import stbp_edu
from stbp_edu import arrows
from stbp_edu.arrows.part_one import from_lif
from stbp_edu.program import Program

rng = np.random.default_rng(0)
neuron = stbp_edu.LIF(tau=0.5, v_th=0.6, surrogate=stbp_edu.Secant(a=0.5))
net = arrows.network("5-4-3", from_lif(neuron))
layers = [None]
for layer in net.layers[1:]:
    layers.append({k: rng.normal(size=size) for k, size in layer.shapes.items()})
spikes = (rng.random((6, 2, 5)) < 0.5).astype(float)
targets = np.eye(3)[[0, 2]]
found = []
for backend in ("numpy", "compiled"):
    program = Program(net, backend=backend)
    states = program.forward(layers, spikes)
    direct = {"o": net.loss.direct(states[-1]["o"], targets)}
    grads = program.backward(layers, states, direct)
    found.append(grads[1]["W"])
np.testing.assert_allclose(found[1], found[0], rtol=1e-12, atol=1e-15)
assert np.abs(found[0]).max() > 0
""",
    tests=["tests/test_neuron.py", "stbp_edu/surrogates.py"],
)
RULE = Recipe(
    insertions=[
        (
            "stbp_edu/arrows/rules.py",
            "        truncated(1),\n",
            '        Rule("no-carry-2", {"all": {"carry": None, "*": "all"}}),\n',
        ),
    ],
    example="""
from stbp_edu.cli.main import main
quick = "--hidden 8 --T 3 --epochs 1 --encodings 1 --out run".split()
assert main(["train", "digits", "--rule", "no-carry-2", *quick]) == 0
""",
    tests=["tests/arrows/test_register.py", "tests/training/test_settings.py"],
)
EXERCISE = Recipe(
    insertions=[
        (
            "stbp_edu/practice/tasks/content/exercises/training.toml",
            "[read-out]\n",
            """[silent-share]
title = "The share of silent neurons"
prompt = 'Which share of the neurons never spikes? `O` has shape (steps, samples, neurons).'
objective = "training"
minutes = 4
use = "practice"
signature = "silent_share(O)"
draw = "((rng.random((3, 2, 40 + k)) < 0.3).astype(float),)"
reference = "float(np.mean([(O[..., i] == 0).all() for i in range(O.shape[-1])]))"
solution = "return float(1 - O.any(axis=(0, 1)).mean())"
reasoning = "A neuron is silent if it spikes at no step and for no sample."
hints = ["When is a neuron silent?", "Look at any of the spikes over both other axes."]
[silent-share.mistakes]
wrong-axis = "float(1 - O.any(axis=(0, 2)).mean())"
[silent-share.notes]
wrong-axis = "The neurons are the last axis; the share is over them."

""",
        ),
        (
            "stbp_edu/practice/tasks/content/course.toml",
            'silent-neurons = "One',
            'silent-share = "One silent output"\n',
        ),
        (
            "tests/practice/other_forms.toml",
            "momentum = [",
            """silent-share = ["(O.sum((0, 1)) == 0).mean()", "np.mean(~O.any(0).any(0))"]
""",
        ),
        (
            "tests/practice/wrong_answers.txt",
            "adam |",
            "silent-share | float(1 - O.any(axis=(0, 1)).mean()) + 1 | shift | all\n",
        ),
    ],
    example="""
from stbp_edu.practice import check, hint, solution

assert check("silent-share", lambda O: 1 - O.any(axis=(0, 1)).mean()).right
wrong = check("silent-share", lambda O: 1 - O.any(axis=(0, 2)).mean())
assert wrong.mistakes == ("wrong-axis",) or list(wrong.mistakes) == ["wrong-axis"]
assert "silent" in hint("silent-share").text
assert "O.any" in solution("silent-share").source
""",
    tests=["tests/practice/test_catalogue.py"],
)

RECIPES = {"surrogate": SURROGATE, "rule": RULE, "exercise": EXERCISE}
"""The recipes by the thing that they add."""
