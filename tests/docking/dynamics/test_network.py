"""Laws of perturbation networks: everyone reached, exact edges close and are recovered, errors are those of repeats."""

from __future__ import annotations

import networkx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from docking.dynamics.free_energy.network import combined, edges, groups


def likeness(n: int, seed: int) -> np.ndarray:
    x = np.random.default_rng(seed).random((n, n))
    return np.triu(x, 1) + np.triu(x, 1).T


@settings(max_examples=25, deadline=None)
@given(n=st.integers(3, 12), seed=st.integers(0, 1000))
def test_everyone_is_reached_and_every_edge_lies_in_a_cycle(n: int, seed: int) -> None:
    """Reference: networkx, an implementation that is not ours."""
    alike = likeness(n, seed)
    graph = networkx.Graph(list(edges(alike)))
    assert networkx.is_connected(graph)
    assert len(graph) == n
    assert not list(networkx.bridges(graph))
    tree = edges(alike, "tree")
    theirs = networkx.maximum_spanning_tree(networkx.from_numpy_array(alike))
    assert {frozenset(e) for e in tree} == {frozenset(e) for e in theirs.edges}
    star = networkx.Graph(list(edges(alike, "star")))
    assert max(dict(star.degree).values()) == n - 1


def test_those_that_must_not_be_compared_are_not() -> None:
    alike = likeness(6, 1)
    alike[:3, 3:] = alike[3:, :3] = 0.0
    chosen = edges(alike)
    assert len(set(groups(6, chosen))) == 2
    assert all(alike[pair] > 0 for pair in chosen)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(3, 10), seed=st.integers(0, 1000))
def test_exact_edges_give_back_the_ligands_and_close(n: int, seed: int) -> None:
    truth = np.random.default_rng(seed).normal(size=n)
    pairs = edges(likeness(n, seed))
    found = combined(n, pairs, [truth[j] - truth[i] for i, j in pairs], [0.3] * len(pairs))
    assert found.values == pytest.approx(truth - truth.mean(), abs=1e-9)
    assert found.closure == pytest.approx(0.0, abs=1e-9)
    assert len(found.cycles) == len(pairs) - n + 1


def test_an_edge_turned_round_says_the_same() -> None:
    pairs, values, errors = [(0, 1), (1, 2), (0, 2)], [1.0, 0.5, 1.8], [0.2, 0.3, 0.4]
    one = combined(3, pairs, values, errors)
    two = combined(3, [(1, 0), (1, 2), (0, 2)], [-1.0, 0.5, 1.8], errors)
    assert two.values == pytest.approx(one.values)
    assert abs(one.cycles[0].closure) == pytest.approx(0.3)
    assert one.cycles[0].expected == pytest.approx(np.sqrt(0.04 + 0.09 + 0.16))


def test_errors_are_the_spread_of_repeats() -> None:
    random = np.random.default_rng(3)
    truth, pairs, errors = random.normal(size=5), edges(likeness(5, 2)), [0.2, 0.5, 0.3, 0.4, 0.6, 0.3, 0.2]
    errors = errors[: len(pairs)]
    found = [
        combined(
            5,
            pairs,
            [truth[j] - truth[i] + random.normal() * e for (i, j), e in zip(pairs, errors, strict=True)],
            errors,
        )
        for _ in range(400)
    ]
    spread = np.std([one.values for one in found], axis=0)
    assert found[0].errors == pytest.approx(spread, rel=0.2)


def test_a_ligand_that_no_edge_reaches_has_no_number() -> None:
    found = combined(4, [(0, 1), (1, 2)], [1.0, 1.0], [0.1, 0.1])
    assert found.connected.tolist() == [True, True, True, False]
    assert np.isnan(found.values[3])
    assert found.closure is None
