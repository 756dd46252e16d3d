"""A right backward pass in one function: the five cases, inlined, under the exact rule."""

PROGRAM = """\
def backward(trace, Y, params, neuron):
    U, O, W, N = trace.U, trace.O, params.W, params.N
    f, df, h = neuron.f, neuron.df, neuron.h
    T, S, _ = O[N].shape
    delta = [None, *(np.zeros_like(u) for u in U[1:])]
    epsilon = [None, *(np.zeros_like(u) for u in U[1:])]
    for t in reversed(range(T)):
        for n in reversed(range(1, N + 1)):
            u, o = U[n][t], O[n][t]
            if t == T - 1 and n == N:  # case 1
                delta[n][t] = -(Y - O[N].mean(axis=0)) / (T * S)
                epsilon[n][t] = delta[n][t] * h(u)
            elif t == T - 1:  # case 2
                delta[n][t] = epsilon[n + 1][t] @ W[n + 1]
                epsilon[n][t] = delta[n][t] * h(u)
            elif n == N:  # case 3
                delta[n][t] = delta[N][T - 1] + epsilon[n][t + 1] * u * df(o)
                epsilon[n][t] = delta[n][t] * h(u) + epsilon[n][t + 1] * f(o)
            else:  # case 4
                delta[n][t] = epsilon[n + 1][t] @ W[n + 1] + epsilon[n][t + 1] * u * df(o)
                epsilon[n][t] = delta[n][t] * h(u) + epsilon[n][t + 1] * f(o)
    dW, db = [None], [None]
    for n in range(1, N + 1):  # case 5
        dW.append(sum(epsilon[n][t].T @ O[n - 1][t] for t in range(T)))
        db.append(epsilon[n].sum(axis=(0, 1)))
    return delta, epsilon, dW, db
"""

TERMS = {
    "delta[n][t]": (("direct",), ("weight",), ("direct", "reset"), ("weight", "reset")),
    "epsilon[n][t]": (("spike",), ("spike",), ("spike", "carry"), ("spike", "carry")),
}
"""The terms of each line, case by case from 1 to 4, each by the name of its arrow."""
