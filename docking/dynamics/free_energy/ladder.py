"""What is the free energy between the two ends of a ladder of states, and may it be believed?

Every sample was weighed in every state, so all of them speak for every difference
(MBAR). Neighbours along the time of one simulation say nearly the same thing: only
decorrelated samples are counted, or the error would be too small. Two neighbouring
states that share no configurations are a broken rung: the number across it is worth
nothing, whatever its error bar says.

References
----------
.. [1] Shirts, Chodera, J. Chem. Phys. 129, 124105 (2008), doi 10.1063/1.2978177: MBAR, as pymbar does it.
.. [2] Klimovich, Shirts, Mobley, J. Comput.-Aided Mol. Des. 29, 397 (2015),
   doi 10.1007/s10822-015-9840-9: the overlap matrix, and 0.03 as its least neighbour.
"""

from __future__ import annotations

import logging
import sys
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from discovery.outcome import MoleculeError, Reason
from discovery.units import GAS_CONSTANT, KCAL_PER_KJ
from docking.dynamics.terms import Floats, Ints

POOR = 0.03  # overlap of neighbours below which a rung is doubted
BROKEN = 0.001  # below which there is no ladder
EQUILIBRATION = 0.2  # share of the iterations that still remember the start
_FEWEST = 4  # iterations left after it
# The equations of MBAR are the minimum of a convex function: a descent finds it where root finders wander.
_SOLVER = (
    {"method": "L-BFGS-B", "options": {"maxiter": 500}},
    {"method": "adaptive", "options": {"maxiter": 200}},
)


@dataclass(frozen=True, slots=True, eq=False)
class Difference:
    """A free energy difference, last state less first, with what speaks for and against it."""

    value: float  # kcal/mol
    noise: float  # kcal/mol, one standard error by MBAR: of what the samples say, not of what they never saw
    profile: Floats  # [state] kcal/mol, from the first state
    overlap: Floats  # [state, state]
    samples: Ints  # [state], decorrelated
    halves: tuple[float, float]  # kcal/mol, from each half of the iterations alone

    @property
    def drift(self) -> float:
        """kcal/mol between the halves."""
        return abs(self.halves[1] - self.halves[0])

    @property
    def error(self) -> float:
        """kcal/mol, one standard error: MBAR's, or half of what lies between the halves, whichever is more.

        What is slower than an exchange of states, a side chain that turns, MBAR cannot see.
        """
        return max(self.noise, self.drift / 2.0)

    @property
    def weakest(self) -> float:
        """The smallest overlap of two neighbours."""
        return float(np.diag(self.overlap, 1).min())

    @property
    def doubts(self) -> tuple[str, ...]:
        """Why this number should not be trusted; nothing if it may be."""
        said = []
        if self.weakest < POOR:
            rung = int(np.diag(self.overlap, 1).argmin())
            said.append(
                f"states {rung + 1} and {rung + 2} of {len(self.profile)} overlap by {self.weakest:.3f}, "
                f"less than {POOR}: more windows, or longer ones"
            )
        if self.drift > max(1.0, 3.0 * self.noise):
            said.append(
                f"its first half says {self.halves[0]:+.1f} and its second {self.halves[1]:+.1f} kcal/mol: not converged"
            )
        return tuple(said)


def difference(
    energies: Floats,
    state_of: Ints,
    temperature: float,
    *,
    name: str = "the ladder",
    discard: float = EQUILIBRATION,
) -> Difference:
    """The free energy between the first and the last state.

    Parameters
    ----------
    energies : [iteration, replica, state] kJ/mol
        Of each sample in each state, up to what all states share.
    state_of : [iteration, replica]
        The state each sample was drawn from.
    temperature
        K.
    discard
        Share of the iterations left out at the start.

    Raises
    ------
    MoleculeError
        DIVERGED: too few samples, energies that are no numbers, or two neighbouring
        states that share nothing.
    """
    first = int(discard * len(energies))
    kept, states = energies[first:], state_of[first:]
    if len(kept) < _FEWEST:
        raise MoleculeError(
            Reason.DIVERGED,
            f"{name}: {len(kept)} iterations after equilibration say nothing; ask for at least {_FEWEST}",
        )
    if not np.isfinite(kept).all():
        raise MoleculeError(Reason.DIVERGED, f"{name}: an energy between its states is no finite number")
    reduced = kept * KCAL_PER_KJ / (GAS_CONSTANT * temperature)
    by_state = _by_state(reduced, states)
    thinned = [series[:: _correlation(series, k)] for k, series in enumerate(by_state)]
    profile, error, overlap = _mbar(thinned, name)
    middle = len(kept) // 2
    halves = tuple(
        _mbar(_by_state(reduced[part], states[part]), name)[0][-1]
        for part in (slice(0, middle), slice(middle, None))
    )
    unit = GAS_CONSTANT * temperature
    found = Difference(
        value=float(profile[-1]) * unit,
        noise=float(error) * unit,
        profile=profile * unit,
        overlap=overlap,
        samples=np.array([len(series) for series in thinned]),
        halves=(float(halves[0]) * unit, float(halves[1]) * unit),
    )
    if found.weakest < BROKEN or not np.isfinite(found.noise):
        rung = int(np.diag(overlap, 1).argmin())
        raise MoleculeError(
            Reason.DIVERGED,
            f"{name}: states {rung + 1} and {rung + 2} of {len(profile)} share no configurations "
            f"(overlap {found.weakest:.1e}); ask for more windows between them",
        )
    return found


def less(one: Difference, other: Difference) -> Difference:
    """One difference less another, of the same states; overlap and samples of the one whose rungs hold less."""
    weaker = min(one, other, key=lambda found: found.weakest)
    return Difference(
        value=one.value - other.value,
        noise=float(np.hypot(one.noise, other.noise)),
        profile=one.profile - other.profile,
        overlap=weaker.overlap,
        samples=weaker.samples,
        halves=(one.halves[0] - other.halves[0], one.halves[1] - other.halves[1]),
    )


def _by_state(reduced: Floats, state_of: Ints) -> list[Floats]:
    """[state][sample, state]: what was drawn in each state, in order of time."""
    n = reduced.shape[2]
    return [
        np.concatenate([row[where == k] for row, where in zip(reduced, state_of, strict=True)])
        for k in range(n)
    ]


def _correlation(series: Floats, k: int) -> int:
    """How many samples of a state say what one says: its statistical inefficiency, rounded up."""
    beside = [j for j in (k - 1, k + 1) if 0 <= j < series.shape[1]]
    longest = 1.0
    for j in beside:
        gap = series[:, j] - series[:, k]
        if np.ptp(gap) > 1e-9:
            longest = max(longest, float(_pymbar().timeseries.statistical_inefficiency(gap, fast=True)))
    return min(int(np.ceil(longest)), max(1, len(series) // _FEWEST))


def _mbar(by_state: list[Floats], name: str) -> tuple[Floats, float, Floats]:
    """[state] reduced free energies from the first state, the last one's error, [state, state] overlap."""
    counts = np.array([len(series) for series in by_state])
    pymbar = _pymbar()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pymbar's advice on slow convergence; its errors are told below
        try:
            mbar = pymbar.MBAR(np.concatenate(by_state).T, counts, solver_protocol=_SOLVER)
            found = mbar.compute_free_energy_differences()
            overlap = np.asarray(mbar.compute_overlap()["matrix"], dtype=np.float64)
        except pymbar.utils.ParameterError as error:
            raise MoleculeError(
                Reason.DIVERGED,
                f"{name}: its states share no configurations, so that no free energies fit them; ask for more "
                "windows, or longer ones",
            ) from error
    return np.asarray(found["Delta_f"][0]), float(found["dDelta_f"][0, -1]), overlap


def _pymbar() -> Any:
    """pymbar without JAX: with it, it would switch this whole process, docking included, to 64 bit."""
    if "pymbar" not in sys.modules:
        held = sys.modules.get("jax")
        sys.modules["jax"] = None  # type: ignore[assignment]
        logging.getLogger("pymbar").setLevel(logging.ERROR)
        try:
            import pymbar
        except ImportError as error:
            raise ImportError("free energies need: pip install 'discovery-workbench[dynamics]'") from error
        finally:
            del sys.modules["jax"]
            if held is not None:
                sys.modules["jax"] = held
    else:
        import pymbar
    return pymbar
