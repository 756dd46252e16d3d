"""Coq checks the theorems, and refuses each of them with a changed formula.

The recursion is proved. SymPy and automatic differentiation check elsewhere that the factors are
derivatives. Nothing is said of floating-point numbers.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from stbp_edu._support.equations import GROUPS

FOLDER = Path(__file__).parent
FILES = ("recursion", "network", "five_cases", "classic_rule", "variations")
THEOREM = re.compile(r"^Theorem (\w+).*?^Proof\.", re.M | re.S)

# By file, theorem and place in it: a formula that is wrong there.
CHANGES = [
    ("five_cases", "c1_delta", "loss T i", "loss N i"),
    ("five_cases", "c1_epsilon", "h (u T N i)", "f (u T N i)"),
    ("five_cases", "c2_delta", "w (S n) j i", "w (S n) i j"),
    ("five_cases", "c2_epsilon", "h (u T n i)", "h (o T n i)"),
    ("five_cases", "c3_delta", "ε (S t) N i", "(h (u (S t) N i) ⊗ δ (S t) N i)"),
    ("five_cases", "c3_epsilon", "f (o t N i)", "f (o (S t) N i)"),
    ("five_cases", "c4_delta", "ε (S t) n i", "(h (u (S t) n i) ⊗ δ (S t) n i)"),
    ("five_cases", "c4_delta", "ε t (S n) j", "(h (u t (S n) j) ⊗ δ t (S n) j)"),
    (
        "five_cases",
        "c4_epsilon",
        "f (o t n i) ⊗ ε (S t) n i",
        "f (o t n i) ⊗ δ (S t) n i",
    ),
    ("five_cases", "c5_w", "o t (pred n) j", "o t n j"),
    ("five_cases", "c5_b", "seq 1 T", "seq 2 T"),
    ("classic_rule", "err_classic", "h (u t n i)", "f (o t n i)"),
    ("classic_rule", "c1_delta", "loss T i", "loss N i"),
    ("classic_rule", "c2_delta_classic", "err T", "ε (pred T)"),
    ("classic_rule", "c3_delta_classic", "err (S t) N i", "ε (S t) N i"),
    ("classic_rule", "c3_epsilon", "ε (S t) N i", "err (S t) N i"),
    ("classic_rule", "c4_delta_classic", "err t (S n) j", "ε t (S n) j"),
    ("classic_rule", "c4_epsilon", "ε (S t) n i", "err (S t) n i"),
    ("classic_rule", "c5_w", "ε t n i", "err t n i"),
    ("classic_rule", "err_lacks_the_carry", "⊕ f (o t n i)", "⊕ h (u t n i)"),
    ("classic_rule", "dropped_at", "= false", "= true"),
    ("classic_rule", "language_of_the_classic_rule", "negb", ""),
    ("classic_rule", "exact_is_classic_plus_dropped", "⊕ dropped", "⊗ dropped"),
    ("variations", "p2_soft_delta", "minus_v_th ⊗ ε (S t) n i", "minus_v_th ⊗ ε t n i"),
    ("variations", "p2_soft_delta_output", "ε (S t) N i", "δ (S t) N i"),
    ("variations", "p2_soft_epsilon", "τ ⊗", "minus_v_th ⊗"),
    ("variations", "p2_loss_last", "(N net) i ⊗", "(N net) i ⊕"),
    ("variations", "only_epsilon_is_passed_back", "err i = epsilon i", "err i = zero"),
    (
        "recursion",
        "recursion_is_the_sum_over_kept_paths",
        "(paths steps v)",
        "(tl (paths steps v))",
    ),
    ("recursion", "one_term_for_each_arrow", "Σ (leaving v)", "Σ (tl (leaving v))"),
    ("recursion", "exact_is_kept_plus_dropped", "steps v q ⊕", "steps v q ⊗"),
]


def theorems(name):
    """Return the statement of each theorem of a file by its name."""
    text = (FOLDER / f"{name}.v").read_text("utf-8")
    return {found[1]: found[0] for found in THEOREM.finditer(text)}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Check every file in its order, and return the folder with what Coq made of them."""
    folder = tmp_path_factory.mktemp("proofs")
    for name in FILES:
        shutil.copy(FOLDER / f"{name}.v", folder)
        checked = check(folder, name)
        assert checked.returncode == 0, checked.stderr
    return folder


def coqc():
    """Return the path of Coq's compiler; without it skip the test, or fail where CI is set."""
    if path := shutil.which("coqc"):
        return path
    message = "coqc is missing: on Debian, apt-get install coq"
    (pytest.fail if os.environ.get("CI") else pytest.skip)(message)


def check(folder, name):
    """Return the outcome of Coq's check of one file."""
    return subprocess.run(
        [coqc(), "-q", "-Q", ".", "", f"{name}.v"],
        cwd=folder,
        capture_output=True,
        text=True,
    )


@pytest.mark.slow
def test_every_theorem_holds_and_none_rests_on_an_assumption(compiled):
    lines = [f"Require {' '.join(FILES)}."]
    names = [f"{file}.{theorem}" for file in FILES for theorem in theorems(file)]
    lines += [f"Print Assumptions {name}." for name in names]
    (compiled / "assumptions.v").write_text("\n".join(lines), "utf-8")
    asked = check(compiled, "assumptions")
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.count("Closed under the global context") == len(names) > 20


def test_theorems_have_the_ids_of_equations():
    ids = {id_ for group in GROUPS.values() for id_ in group}
    named = {name.replace("_", "-") for file in FILES for name in theorems(file)}
    assert {id_ for id_ in ids if re.match(r"c\d-", id_)} <= named
    unknown = {name for name in named if re.match(r"(c\d|p2)-", name)} - ids
    assert unknown == set()


@pytest.mark.slow
@pytest.mark.parametrize(("file", "theorem", "old", "new"), CHANGES)
def test_coq_refuses_a_changed_formula(compiled, tmp_path, file, theorem, old, new):
    statement = theorems(file)[theorem]
    assert old in statement
    for made in compiled.glob("*.vo"):
        shutil.copy(made, tmp_path)
    text = (compiled / f"{file}.v").read_text("utf-8")
    changed = text.replace(statement, statement.replace(old, new, 1))
    (tmp_path / f"{file}.v").write_text(changed, "utf-8")
    refused = check(tmp_path, file)
    assert refused.returncode != 0
    place = re.search(r"line (\d+)", refused.stderr)
    proof = changed[: changed.index(statement.replace(old, new, 1)) + len(statement)]
    assert int(place[1]) >= proof.count("\n"), f"not a formula: {refused.stderr}"
