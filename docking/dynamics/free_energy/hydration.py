"""What does it cost to bring a molecule from gas into water? The self-test of all free energies here.

In a continuum the solvation energy is dialled in as a whole. In explicit water the
solute's van der Waals energy with the water grows first, softened so that no infinity
is met, and its charges after it; inside the solute nothing changes, so no second
simulation of the gas is needed. Ions are refused: their long range needs corrections
that are not made here.

References
----------
.. [1] Beutler et al., Chem. Phys. Lett. 222, 529 (1994), doi 10.1016/0009-2614(94)00397-1: soft cores.
.. [2] Shirts, Mobley, Chodera, Pande, J. Phys. Chem. B 111, 13052 (2007), doi 10.1021/jp0735987:
   the dispersion beyond the cutoff.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from rdkit import Chem

from discovery.extras import needs

with needs("dynamics"):
    import openmm

from discovery.outcome import MoleculeError, Reason
from discovery.units import KCAL_PER_KJ
from docking.dynamics.free_energy.exchange import Ladder, Plan, Samples, sample
from docking.dynamics.free_energy.ladder import Difference, difference
from docking.dynamics.minimise import descend
from docking.dynamics.parameters.charges import Charges
from docking.dynamics.parameters.sage import force_field
from docking.dynamics.parameters.smirnoff import ligand_terms
from docking.dynamics.platform import described
from docking.dynamics.protocol import Settings, default_charges
from docking.dynamics.system import Choices, continuum, system_of
from docking.dynamics.terms import Bools, Floats, Terms
from docking.dynamics.water.water_box import CUTOFF, PADDING, Solvated, relaxed, solvated

CONTINUUM = tuple(float(x) for x in np.linspace(0.0, 1.0, 6))
# (van der Waals, charges): steps are short where the hole opens
EXPLICIT = (
    *((x, 0.0) for x in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8, 1.0)),
    *((1.0, x) for x in (0.35, 0.7, 1.0)),
)
_SOFT = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Hydration:
    """A hydration free energy, 1 mol/l in gas to 1 mol/l in water."""

    value: float  # kcal/mol
    error: float  # kcal/mol, one standard error
    beyond: float  # kcal/mol, the dispersion beyond the cutoff, part of `value`
    ladder: Difference
    samples: Samples
    charges: Charges
    made_with: str


def hydration(
    mol: Chem.Mol,
    solvent: Literal["implicit", "explicit"] = "implicit",
    plan: Plan | None = None,
    settings: Settings | None = None,
    *,
    padding: float = PADDING * 10.0,
    cutoff: float = CUTOFF * 10.0,
    name: str = "the molecule",
    resumed: Samples | None = None,
    keep: Callable[[Samples], None] | None = None,
) -> Hydration:
    """The free energy of hydration of a molecule.

    Parameters
    ----------
    mol
        All hydrogens explicit, one conformer.
    padding, cutoff
        Å, of the box of explicit water.
    resumed, keep
        See dynamics/checkpoint.py.

    Raises
    ------
    MoleculeError
        No parameters or charges; UNSUPPORTED for an ion in explicit water; DIVERGED.
    DockingError
        The box is too small.
    """
    how, length = settings or Settings(), plan or Plan()
    figures = how.ligand_field or force_field()
    charges = (how.charges or default_charges)(mol, name)
    terms = ligand_terms(mol, charges.values, figures, name)
    xyz = mol.GetConformer().GetPositions() / 10.0
    if solvent == "implicit":
        ladder, beyond = continuum_ladder(terms), 0.0
        gas = system_of(terms, None, Choices(implicit_water=False))
        start, _, _ = descend(gas, xyz, np.ones(terms.n_atoms, dtype=bool), 200, how.device)
    else:
        if Chem.GetFormalCharge(mol):
            raise MoleculeError(
                Reason.UNSUPPORTED,
                f"{name} carries a charge of {Chem.GetFormalCharge(mol):+d}; explicit water is offered for neutral molecules: "
                "take --solvent implicit",
            )
        wet = solvated(
            terms, xyz, padding=padding / 10.0, salt=0.0, cutoff=cutoff / 10.0, seed=length.seed, name=name
        )
        wet = relaxed(
            wet, how.device, cutoff=cutoff / 10.0, temperature=length.temperature, seed=length.seed, name=name
        )
        ladder, start = explicit_ladder(wet, cutoff / 10.0, length.temperature), wet.xyz
        beyond = dispersion_beyond(wet, cutoff / 10.0)
    samples = sample(ladder, start, length, how.device, name=name, resumed=resumed, keep=keep)
    found = difference(samples.energies, samples.state_of, length.temperature, name=name)
    water = "OBC2 water" if solvent == "implicit" else "TIP3P water"
    return Hydration(
        value=found.value + beyond,
        error=found.error,
        beyond=beyond,
        ladder=found,
        samples=samples,
        charges=charges,
        made_with=f"{figures.name}, {charges.method}, {water}, {described(how.device)}",
    )


def continuum_ladder(
    terms: Terms, rungs: tuple[float, ...] = CONTINUUM, frozen: Bools | None = None
) -> Ladder:
    """States from no water to a whole continuum of it."""
    system = system_of(
        terms,
        frozen,
        Choices(implicit_water=False, constrain_hydrogens=frozen is None, heavy_hydrogens=True),
    )
    scaled = openmm.CustomCVForce("hydration*water")
    scaled.addCollectiveVariable("water", continuum(terms, Choices()))
    scaled.addGlobalParameter("hydration", rungs[0])
    system.addForce(scaled)
    steps = np.array(rungs)

    def weighed(ctx: Any) -> Floats:
        return steps * float(scaled.getCollectiveVariableValues(ctx)[0])

    return Ladder(system, tuple({"hydration": x} for x in rungs), weighed)


def explicit_ladder(
    wet: Solvated,
    cutoff: float,
    temperature: float,
    rungs: tuple[tuple[float, float], ...] = EXPLICIT,
) -> Ladder:
    """States from a solute that the water does not see to a whole one, under one bar."""
    terms, n = wet.terms, wet.n_solute
    system = system_of(terms, None, wet.choices(cutoff))
    (nonbonded,) = (f for f in system.getForces() if isinstance(f, openmm.NonbondedForce))
    soft = openmm.CustomNonbondedForce(
        "4*sterics*epsilon*(1/core^2 - 1/core); core = soft*(1 - sterics) + (r/sigma)^6; "
        "sigma = 0.5*(sigma1 + sigma2); epsilon = sqrt(epsilon1*epsilon2)"
    )
    soft.addGlobalParameter("sterics", rungs[0][0])
    soft.addGlobalParameter("soft", _SOFT)
    soft.addPerParticleParameter("sigma")
    soft.addPerParticleParameter("epsilon")
    for sigma, epsilon in zip(terms.sigma, terms.epsilon, strict=True):
        soft.addParticle([float(sigma), float(epsilon)])
    nonbonded.addGlobalParameter("charges", rungs[0][1])
    for i in range(n):
        nonbonded.setParticleParameters(i, 0.0, float(terms.sigma[i]), 0.0)
        nonbonded.addParticleParameterOffset("charges", i, float(terms.charge[i]), 0.0, 0.0)
    told = {(min(a, b), max(a, b)) for a, b in terms.exceptions.tolist()}
    for a in range(n):  # inside the solute all stays as it is
        for b in range(a + 1, n):
            if (a, b) not in told:
                nonbonded.addException(
                    a,
                    b,
                    float(terms.charge[a] * terms.charge[b]),
                    float(0.5 * (terms.sigma[a] + terms.sigma[b])),
                    float(np.sqrt(terms.epsilon[a] * terms.epsilon[b])),
                )
    for k in range(nonbonded.getNumExceptions()):
        a, b, *_ = nonbonded.getExceptionParameters(k)
        soft.addExclusion(a, b)
    soft.addInteractionGroup(range(n), range(n, terms.n_atoms))
    soft.setNonbondedMethod(openmm.CustomNonbondedForce.CutoffPeriodic)
    soft.setCutoffDistance(cutoff)
    soft.setUseLongRangeCorrection(False)
    system.addForce(soft)
    system.addForce(openmm.MonteCarloBarostat(1.01325, temperature, 25))
    states = tuple({"sterics": x, "charges": q} for x, q in rungs)

    def weighed(ctx: Any) -> Floats:
        found = []
        for state in states:
            for key, value in state.items():
                ctx.setParameter(key, value)
            found.append(float(ctx.getState(getEnergy=True).getPotentialEnergy()._value))
        return np.array(found)

    return Ladder(system, states, weighed)


def dispersion_beyond(wet: Solvated, cutoff: float) -> float:
    """What the water beyond the cutoff gives the solute on average, kcal/mol; ref. [2], eq. 5, homogeneous water."""
    terms, n = wet.terms, wet.n_solute
    volume = float(np.prod(wet.box))
    sigma = 0.5 * (terms.sigma[:n, None] + terms.sigma[None, n:])
    epsilon = np.sqrt(terms.epsilon[:n, None] * terms.epsilon[None, n:])
    tail = sigma**12 / (9.0 * cutoff**9) - sigma**6 / (3.0 * cutoff**3)
    return float((16.0 * np.pi * epsilon * tail).sum()) / volume * KCAL_PER_KJ
