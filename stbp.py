"""Spatio-temporal backpropagation on one page: a spiking network learns to read digits.

    python stbp.py   # needs NumPy, and digits.npz beside it: 1,797 digits (UCI, CC BY 4.0)

Layer n has weights W[n] and a bias b[n]. At step t its neurons have potentials U[n][t] and spikes
O[n][t], a row for each sample; O[0] is the input. delta is dL/do, and epsilon is dL/du. The
comment at a line is the id of its equation, which the course of stbp_edu derives.
"""

from pathlib import Path

import numpy as np


class Neuron:
    """A leaky neuron with a forget gate: tau stays of its potential, and little after a spike."""

    tau, v_th, a = 0.5, 0.5, 0.25

    def f(self, o):
        return self.tau * np.exp(-o / self.tau)  # gate-f

    def df(self, o):
        return -np.exp(-o / self.tau)  # gate-df

    def g(self, u):
        return (u >= self.v_th).astype(u.dtype)  # spike-g

    def h(self, u):  # replaces the derivative of g: a Gaussian of variance a
        v = u - self.v_th
        return np.exp(-v * v / (2 * self.a)) / np.sqrt(2 * np.pi * self.a)  # h4


def forward(spikes, W, b, neuron):
    """Return the potentials U[n] and the spikes O[n], from spikes of shape (T, S, inputs)."""
    U, O = [None], [spikes]
    for n in range(1, len(W)):
        u = O[n - 1] @ W[n].T + b[n]  # fwd-x
        o = np.zeros_like(u)
        for t in range(len(u)):
            if t > 0:
                u[t] += u[t - 1] * neuron.f(o[t - 1])  # fwd-u
            o[t] = neuron.g(u[t])  # fwd-o
        U, O = [*U, u], [*O, o]
    return U, O


def backward(U, O, Y, W, neuron):
    """Return the gradients of L = 1/(2S) sum ||Y - mean of O[N] over t||^2 by W and b."""
    T, S, N = len(O[0]), len(Y), len(W) - 1
    delta = [None] + [np.zeros_like(u) for u in U[1:]]
    epsilon = [None] + [np.zeros_like(u) for u in U[1:]]
    for t in reversed(range(T)):
        for n in reversed(range(1, N + 1)):
            if n == N:
                delta[n][t] = -(Y - O[n].mean(axis=0)) / (T * S)  # c1-delta
            else:
                delta[n][t] = epsilon[n + 1][t] @ W[n + 1]  # c2-delta
            if t < T - 1:  # c3-delta, c4-delta
                delta[n][t] += epsilon[n][t + 1] * U[n][t] * neuron.df(O[n][t])
            epsilon[n][t] = delta[n][t] * neuron.h(U[n][t])  # c1-epsilon, c2-epsilon
            if t < T - 1:  # c3-epsilon, c4-epsilon
                epsilon[n][t] += epsilon[n][t + 1] * neuron.f(O[n][t])
    dW, db = [None], [None]
    for n in range(1, N + 1):
        dW.append(np.einsum("tsi,tsj->ij", epsilon[n], O[n - 1]))  # c5-w
        db.append(epsilon[n].sum(axis=(0, 1)))  # c5-b
    return dW, db


def learn(backward, epochs=20, T=10, hidden=100, batch=32, rate=0.005, seed=0):
    """Train on the digits with Adam, and print the accuracy on digits that were held out."""
    rng, neuron = np.random.default_rng(seed), Neuron()
    here = Path(__file__).parent
    places = (here / "digits.npz", here / "stbp_edu/training/data/digits.npz")
    with np.load(next(path for path in places if path.exists())) as data:
        x, labels = data["images"].reshape(-1, 64) / 16, data["labels"]
    test, train = np.split(rng.permutation(len(x)), [360])
    W = [None, rng.normal(0, 1 / 8, (hidden, 64)), rng.normal(0, 1 / 10, (10, hidden))]
    b = [None, np.zeros(hidden), np.zeros(10)]
    params = W[1:] + b[1:]
    mean, square, k = [0] * 4, [0] * 4, 0
    for epoch in range(1, epochs + 1):
        X = (rng.random((T, *x.shape)) < x) * 1.0  # a dark pixel spikes often
        for some in np.array_split(rng.permutation(train), len(train) // batch):
            U, O = forward(X[:, some], W, b, neuron)
            dW, db = backward(U, O, np.eye(10)[labels[some]], W, neuron)
            k += 1
            for p, g in enumerate(dW[1:] + db[1:]):
                mean[p] = 0.9 * mean[p] + 0.1 * g
                square[p] = 0.999 * square[p] + 0.001 * g * g
                size = np.sqrt(square[p] / (1 - 0.999**k)) + 1e-8
                params[p] -= rate * mean[p] / (1 - 0.9**k) / size
        rates = forward(X[:, test], W, b, neuron)[1][-1].mean(axis=0)
        right = (rates.argmax(axis=1) == labels[test]).mean()
        print(f"epoch {epoch}: {right:.1%} read rightly", flush=True)


if __name__ == "__main__":
    learn(backward)
