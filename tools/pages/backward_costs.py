"""The products of a backward pass: their shapes, and how many multiplications each takes."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Product:
    """One product of a layer, at one step as a formula, and over all steps of an example."""

    product: str  # in LaTeX, between dollar signs, or words
    layer: int
    shape: str  # of the result at one step
    cost: str  # the multiplications of one step
    example: tuple[int, ...]
    count: int  # the multiplications of all steps


@dataclass(frozen=True)
class Costs:
    """The products of one backward pass, in their order."""

    sizes: tuple[int, ...]
    T: int
    S: int
    rows: list[Product]


def backward_costs(sizes: tuple[int, ...], T: int, S: int) -> Costs:
    """Return the products of a backward pass over T steps, S samples and layers of these sizes.

    >>> sum(row.count for row in backward_costs((7, 4, 2), T=5, S=3).rows)
    972
    """
    rows = []
    here, wide = r"$S \times l(n)$", r"$l(n) \times l(n-1)$"
    for n in range(len(sizes) - 1, 0, -1):
        m, below = sizes[n], sizes[n - 1]
        layer, matrix = (S, m), (m, below)
        if n == len(sizes) - 1:
            direct = Product("direct term", n, here, "$S \\, l(n)$", layer, S * m)
            rows.append(direct)
        else:
            above = sizes[n + 1]
            name, cost = "$E^{t,n+1} \\, W^{n+1}$", "$S \\, l(n+1) \\, l(n)$"
            rows.append(Product(name, n, here, cost, layer, T * S * above * m))
        reset, double = "$E^{t+1,n} \\odot U \\odot f'$", "$2 \\, S \\, l(n)$"
        rows += [
            Product(reset, n, here, double, layer, 2 * (T - 1) * S * m),
            Product("$\\Delta \\odot h$", n, here, "$S \\, l(n)$", layer, T * S * m),
            Product(
                "$E^{t+1,n} \\odot f$", n, here, "$S \\, l(n)$", layer, (T - 1) * S * m
            ),
            Product(
                "$E^\\top O$ for $\\partial L / \\partial W^n$",
                n,
                wide,
                "$S \\, l(n) \\, l(n-1)$",
                matrix,
                T * S * m * below,
            ),
        ]
    return Costs(sizes, T, S, rows)
