"""The weights of cues, against what the optimum must satisfy."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from literature.training.regression import fitted, largest


def test_two_cues_say_what_was_counted() -> None:
    """Two cues, each in its own examples: the optimum solves share = softmax, which a penalty shrinks."""
    shown = [np.array([5])] * 30 + [np.array([9])] * 30 + [np.array([7])] * 2
    truth = [0] * 24 + [1] * 6 + [0] * 6 + [1] * 24 + [0, 1]
    loose, tight = (fitted(shown, truth, 2, ridge, least=3, rounds=70, share=1 / 8) for ridge in (1e-6, 50.0))
    assert loose.known.tolist() == [5, 9]
    odds = np.diff(loose.weights / 8 + loose.bias)[:, 0]
    assert odds == pytest.approx([np.log(6 / 24), np.log(24 / 6)], abs=0.02)
    assert abs(np.diff(tight.weights)).max() < abs(np.diff(loose.weights)).max()


def test_weights_are_those_of_least_cost() -> None:
    """Law: at the least of a convex cost its slope is nothing: ridge * weights = cues (truth - chances)."""
    chance = np.random.default_rng(3)
    shown = [np.unique(chance.integers(0, 12, 5)) for _ in range(120)]
    truth = [int(2 in found) + int(7 in found and chance.random() < 0.8) for found in shown]
    model = fitted(shown, truth, 3, 0.5, least=2, rounds=130)
    chances = np.exp(model(shown))
    assert chances.sum(axis=1) == pytest.approx(1)
    rows = np.zeros((120, len(model.known)))
    for pair, found in enumerate(shown):
        rows[pair, np.searchsorted(model.known, found)] = 1 / np.sqrt(len(found))
    slope = rows.T @ (np.eye(3)[truth] - chances) - 0.5 * model.weights
    assert np.abs(slope).max() < 0.05
    assert np.abs((np.eye(3)[truth] - chances).sum(axis=0)).max() < 0.05
    assert largest(model, 2).known.tolist() == [2, 7], "the two that tell"
