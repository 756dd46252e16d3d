"""``check`` and ``grade`` read answers alike: the same verdict for every form of a result."""

import pytest

from stbp_edu.practice import check
from stbp_edu.practice.tasks import tasks
from stbp_edu.teaching.judge import judge
from stbp_edu.teaching.notebooks import code
from stbp_edu.teaching.student_function import Limits
from tests.system_tools import needed

pytestmark = pytest.mark.slow  # each answer is judged in a process of its own

HELPERS = """
import array, collections, decimal, fractions, itertools, types
class HasArray:
    def __init__(self, x): self.x = x
    def __array__(self, dtype=None, copy=None): return np.asarray(self.x, dtype)
class HasFloat:
    def __init__(self, x): self.x = x
    def __float__(self): return float(self.x)
class Own(np.ndarray): pass
class Failing:
    def __array__(self, *_, **__): raise OSError
class Anything:
    def __getattr__(self, name): return self
class Gradients(collections.namedtuple("Gradients", "W b")): pass
"""
RIGHT_ARRAYS = (
    "x", "x.tolist()", "tuple(map(tuple, x.tolist()))", "list(x)", "x[:]", "x.T.copy().T",
    "np.asfortranarray(x)", "x.view(Own)", "np.ma.array(x)",
    "np.ma.array(x, mask=False)", "x.astype(np.float32)", "x.astype(np.longdouble)",
    "x.astype(complex)", "x.astype(object)", "HasArray(x)", "[HasArray(row) for row in x]",
    "collections.deque(x.tolist())", "collections.UserList(x.tolist())", "memoryview(x)",
    "[array.array('d', row) for row in x]", "[memoryview(row.copy()) for row in x]",
    "[[fractions.Fraction(float(v)) for v in row] for row in x]",
    "[[decimal.Decimal(float(v)) for v in row] for row in x]",
    "[[HasFloat(v) for v in row] for row in x]", "[collections.deque(row) for row in x]",
    "np.array([[fractions.Fraction(float(v)) for v in row] for row in x])",
)  # fmt: skip
"""Forms of a right result of shape (S, n), as expressions in x."""
WRONG_ARRAYS = (
    "iter(x)", "(row for row in x)", "map(list, x)", "np.ma.array(x, mask=True)", "x + 1j",
    "str(x)", "x.tobytes()", "{'x': x}", "set(x.ravel().tolist())", "np.exp", "np", "range(10**9)",
    "10**400", "Failing()", "Anything()", "object()", "[x, x[0]]", "(x, x)", "x.astype(str)",
    "types.SimpleNamespace(W=x, b=x)", "1 / 0", "nothing", "exit()", "x[0]", "x + 1",
    "(_ for _ in ()).throw(KeyError('a'))", "[[None] * x.shape[1]] * len(x)",
)  # fmt: skip
RIGHT_NUMBERS = (
    "x", "float(x)", "np.float32(x)", "np.array(x)", "complex(x)", "fractions.Fraction(float(x))",
    "decimal.Decimal(float(x))", "HasFloat(x)", "HasArray(x)", "np.ma.array(x)",
)  # fmt: skip
WRONG_NUMBERS = ("[x]", "(x,)", "str(x)", "{x}", "collections.deque([x])", "True")
BLANK = ("None", "...", "(None, ...)")
FORMS = [
    *(("c3-delta", form, "right") for form in RIGHT_ARRAYS),
    *(("c3-delta", form, "wrong") for form in WRONG_ARRAYS),
    *(("c3-delta", form, "todo") for form in BLANK),
    *(("loss", form, "right") for form in RIGHT_NUMBERS),
    *(("loss", form, "wrong") for form in WRONG_NUMBERS),
]


@pytest.mark.parametrize(("id_", "form", "state"), FORMS)
def test_check_and_grade_give_a_form_the_same_verdict(id_, form, state):
    needed("bwrap")
    task = tasks()[id_]
    name = task.signature.partition("(")[0]
    inner = f"{task.source()}\nright = {name}"
    head = f"def {name}({', '.join(task.arguments)}):"
    answer = f"{head}\n    x = right({', '.join(task.arguments)})\n    return {form}"
    space = {}
    exec(f"import numpy as np\n{HELPERS}\n{inner}\n{answer}", space)
    practised = check(id_, space[name])
    own = answer.replace(f"def {name}(", f"{code(task).partition('(')[0]}(")
    graded = judge(task, [HELPERS, inner, own], Limits())
    assert practised.state == graded.state == state, (practised, graded)
    assert practised.mistakes == graded.mistakes
    assert practised.message[0].split(", at ")[0] == graded.message[0].split(", at ")[0]
