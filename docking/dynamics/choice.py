"""Which of a ligand's poses is the true one? Physics and docking asked together.

MM-GBSA counts what a pose gains from the pocket, not what the ligand pays to lie so:
that is its strain, taken from the same settled pose. Docking's score has errors of
another kind. Each is measured in its own spread over the poses of one ligand, and the
sum decides: a consensus by z-scores.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from docking.dynamics.terms import Floats


def strain(internal: Sequence[float] | Floats) -> Floats:
    """[pose] kcal/mol: the ligand's own energy in water above that of the least bent of its poses.

    Parameters
    ----------
    internal : [pose] kcal/mol
        Of one species: the same atoms, bonds, charges and parameters in every pose.
    """
    energies = np.asarray(internal, dtype=float)
    return np.asarray(energies - energies.min())


def standing(
    mmgbsa: Sequence[float] | Floats, strained: Floats, docked: Sequence[float] | Floats | None = None
) -> Floats:
    """[pose]: how the poses of one ligand stand against each other; the lowest is the likeliest.

    Parameters
    ----------
    mmgbsa, strained : [pose] kcal/mol
    docked : [pose] kcal/mol
        The docking score of the pose as given; without it physics decides alone.

    Returns
    -------
    Spreads of the poses from their mean, the two added; no energy.
    """
    total = _spread(np.asarray(mmgbsa, dtype=float) + strained)
    return total if docked is None else total + _spread(np.asarray(docked, dtype=float))


def _spread(values: Floats) -> Floats:
    width = values.std()
    return np.asarray((values - values.mean()) / width if width > 1e-9 else np.zeros_like(values))
