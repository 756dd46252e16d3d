"""Networks as graphs of NIR, the neuromorphic intermediate representation, and back.

NIR's neurons are equations in continuous time, τ_m dv/dt = (v_leak - v) + r I, with a reset to a
value. A step of length dt makes it v ← (1 - dt/τ_m) v + (dt/τ_m) r I: the neuron of this package
with the linear gate, τ = 1 - dt/τ_m, and weights that are (dt/τ_m) r times as large. With a
synaptic current, τ_s dI/dt = -I + w_in S, a step is i ← (1 - dt/τ_s) i + (dt/τ_s) w_in S first.

=================  ===========================================================================
node of NIR        lines of a neuron
=================  ===========================================================================
LIF                ``u = tau * u * (1 - o) + x; o = spike(u - v_th)``, and ``LIF(gate="linear")``
IF                 the same with tau = 1
CubaLIF            ``i = alpha * i + x; u = tau * u * (1 - o) + i; o = spike(u - v_th)``
LI, I, CubaLI      the same without the spike and the reset: a read-out
=================  ===========================================================================

Recurrent weights are a graph in the graph: the neurons, and weights from them to themselves. A
graph holds neither a surrogate nor a rule; its metadata has the length of a step, dt. Files are
read and written by ``nir.read`` and ``nir.write``, so this needs the library ``nir``.

- ``nodes``: the constants of NIR's neurons in steps, both ways.
- ``graphs``: whole networks.
"""

try:
    import nir  # noqa: F401
except ModuleNotFoundError as error:
    raise ImportError("stbp_edu.nir needs nir; run: pip install nir") from error

from stbp_edu.nir.graphs import from_graph, to_graph

__all__ = ["from_graph", "to_graph"]
