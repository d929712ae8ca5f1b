"""By how much does this molecule bind better than that one? Relative free energies over a network.

    ligands = {"a": read_pose(...), "b": ..., "c": ...}
    found = edge(model, ("a", "b"), (ligands["a"], ligands["b"]), Relative())
    found.value, found.error        # kcal/mol: b less a; negative if b binds better

What makes it trustworthy stands beside it: overlap between states, halves that agree,
cycles that close.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from rdkit import Chem

from discovery.units import GAS_CONSTANT
from docking.dynamics.free_energy.beginning import Beginning, Seat, beginning, searched, seat
from docking.dynamics.free_energy.exchange import Plan, Samples, sample
from docking.dynamics.free_energy.ladder import Difference, difference, less
from docking.dynamics.free_energy.likeness import FARTHEST, common, mirrored, turned, turns
from docking.dynamics.free_energy.morph import STATES, Legs, legs
from docking.dynamics.free_energy.network import Combined, Pair, Shape, combined, groups
from docking.dynamics.parameters.charges import Charges
from docking.dynamics.parameters.sage import force_field
from docking.dynamics.parameters.smirnoff import ligand_terms
from docking.dynamics.platform import described
from docking.dynamics.protocol import Settings, default_charges
from docking.dynamics.receptor_system import PROTEIN, ReceptorModel
from docking.dynamics.terms import Floats, Terms
from docking.pose import with_coords

Solvent = Literal["implicit", "explicit"]
# By the name of a leg, "pocket" or "water": where it goes on, and what is told after every iteration; see dynamics/checkpoint.py.
Kept = Callable[[str], tuple[Samples | None, Callable[[Samples], None] | None]]


@dataclass(frozen=True, slots=True)
class Relative:
    """How relative free energies are computed."""

    plan: Plan = field(default_factory=lambda: Plan(iterations=100, steps=250, warm=250))
    settings: Settings = field(default_factory=Settings)
    solvent: Solvent = "implicit"
    cutoff: float = 12.0  # Å, of the implicit form
    shape: Shape = "cycles"
    relax: int = 50  # force evaluations for every minimum before anything moves
    warm_ps: float = (
        5.0  # of each ligand alone in its pocket, in implicit water; 0: no side chain is turned either
    )


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """One pair of ligands."""

    value: float  # kcal/mol, binding of the second less that of the first
    error: float  # kcal/mol, one standard error
    symmetry: float  # kcal/mol, in `value` for the turns of each upon itself that are not sampled
    turned: float  # share of the replicas that made such a turn after all
    ladder: Difference
    samples: Samples
    poses: tuple[Chem.Mol, Chem.Mol]  # as they lie at the end: each in the pocket
    atoms: int
    made_with: str

    @property
    def remarks(self) -> tuple[str, ...]:
        """What should be known of the number beside its doubts."""
        if abs(self.symmetry) < 1e-9 or not self.turned:
            return ()
        return (
            f"{self.turned:.0%} of the replicas turned upon themselves: the {self.symmetry:+.2f} kcal/mol for "
            "symmetry in the difference are too many by up to as much",
        )


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What an edge says to the network; `value` None if it says nothing."""

    pair: Pair
    value: float | None
    error: float | None
    doubted: bool


def parameters(mol: Chem.Mol, settings: Settings, name: str) -> tuple[Terms, Charges]:
    """A ligand's force field and charges."""
    charges = (settings.charges or default_charges)(mol, name)
    return ligand_terms(mol, charges.values, settings.ligand_field or force_field(), name), charges


def seated(
    receptor: ReceptorModel, terms: Terms, mol: Chem.Mol, name: str, how: Relative, near: Floats
) -> Seat:
    """A ligand's pocket, before anything moves: see beginning.py."""
    return seat(
        receptor,
        terms,
        mol,
        name,
        near=near,
        keep=how.settings.keep,
        free=how.settings.free,
        cutoff=how.cutoff,
        relax=how.relax,
        device=how.settings.device,
    )


def begun(at: Seat, known: Sequence[Beginning], how: Relative) -> Beginning:
    """How a pocket takes a ligand, of the ways that are known."""
    return beginning(at, known, warm_ps=how.warm_ps, seed=how.plan.seed, temperature=how.plan.temperature)


def edge(
    receptor: ReceptorModel,
    names: tuple[str, str],
    mols: tuple[Chem.Mol, Chem.Mol],
    how: Relative | None = None,
    *,
    ligands: tuple[tuple[Terms, Charges], tuple[Terms, Charges]] | None = None,
    near: Floats | None = None,
    beginnings: tuple[Beginning, Beginning] | None = None,
    kept: Kept = lambda leg: (None, None),
) -> Edge:
    """The difference in binding free energy of two ligands, second less first.

    Parameters
    ----------
    mols
        Poses in the receptor's frame, hydrogens explicit, the common part where it is.
    ligands
        Their parameters, where they are known already.
    near, beginnings
        What the pocket must hold besides these two, and how it takes either of them: see morph.py.
        Made here where they are not given.
    kept
        What comes before a leg's first iteration is done again.

    Raises
    ------
    MoleculeError
        See likeness.comparable; DIVERGED if it explodes or its states share nothing.
    ReceptorError
        The poses are nowhere near the receptor.
    """
    use = how or Relative()
    (one, charged), (two, _) = ligands or tuple(
        parameters(mol, use.settings, name) for mol, name in zip(mols, names, strict=True)
    )
    held = np.concatenate([mol.GetConformer().GetPositions() for mol in mols]) if near is None else near
    parts = {leg: kept(leg) for leg in ("water", "pocket")}
    if beginnings is None and use.solvent == "implicit":
        beginnings = _both_begun(receptor, (one, two), mols, names, use, held)
    ready = legs(
        receptor,
        (one, two),
        mols,
        names,
        solvent=use.solvent,
        keep=use.settings.keep,
        free=use.settings.free,
        cutoff=use.cutoff,
        device=use.settings.device,
        relax=use.relax if parts["pocket"][0] is None else 0,
        seed=use.plan.seed,
        temperature=use.plan.temperature,
        near=held,
        beginnings=beginnings,
    )
    title = f"{names[0]} to {names[1]}"
    water, pocket = (
        sample(
            leg.ladder,
            leg.start,
            use.plan,
            use.settings.device,
            name=f"{title} in the {where}",
            end=leg.end,
            resumed=resumed,
            keep=keep,
        )
        for (where, (resumed, keep)), leg in zip(parts.items(), (ready.water, ready.pocket), strict=True)
    )
    return _judged(ready, pocket, water, mols, use, charged.method, title)


def _both_begun(
    receptor: ReceptorModel,
    ligands: tuple[Terms, Terms],
    mols: tuple[Chem.Mol, Chem.Mol],
    names: tuple[str, str],
    how: Relative,
    near: Floats,
) -> tuple[Beginning, Beginning]:
    """How the pocket takes two ligands of which nothing is known yet."""
    one, two = (
        seated(receptor, terms, mol, name, how, near)
        for terms, mol, name in zip(ligands, mols, names, strict=True)
    )
    known = [searched(one), searched(two)] if how.warm_ps else []
    return begun(one, known, how), begun(two, known, how)


def _judged(
    ready: Legs,
    pocket: Samples,
    water: Samples,
    mols: tuple[Chem.Mol, Chem.Mol],
    how: Relative,
    charges: str,
    title: str,
) -> Edge:
    """What the samples say of a pair, with what speaks for it."""
    temperature = how.plan.temperature
    found = less(
        *(
            difference(samples.energies, samples.state_of, temperature, name=f"{title} in the {where}")
            for samples, where in ((pocket, "pocket"), (water, "water"))
        )
    )
    images = tuple(turns(mol) for mol in mols)
    symmetry = GAS_CONSTANT * temperature * float(np.log(len(images[0]) / len(images[1])))
    inside, ends = _in_the_pocket(ready, pocket)
    around = f"OBC2 water within {how.settings.keep:g} Å" if how.solvent == "implicit" else "TIP3P water"
    return Edge(
        value=found.value + symmetry,
        error=found.error,
        symmetry=symmetry,
        turned=float(np.mean([turned(mols[k], xyz, images[k]) for k, xyz in inside])),
        ladder=found,
        samples=pocket,
        poses=(with_coords(mols[0], ends[0]), with_coords(mols[1], ends[1])),
        atoms=len(ready.pocket.start),
        made_with=f"{PROTEIN}, {(how.settings.ligand_field or force_field()).name}, {charges}, {around}, "
        f"{len(STATES)} states, {described(how.settings.device)}",
    )


def _in_the_pocket(ready: Legs, samples: Samples) -> tuple[list[tuple[int, Floats]], tuple[Floats, Floats]]:
    """Where the ligands lie when sampling ends.

    Returns
    -------
    inside : of every replica, 0 or 1 and [atom, 3] Å
        The ligand that there is more of.
    ends : [atom, 3] Å, twice
        The first ligand in the first state, the second in the last.
    """
    order = np.argsort(samples.state_now)
    placed = [
        [samples.xyz[i][ready.pocket.ligand][ready.molecule.of(k)] * 10.0 for k in (0, 1)] for i in order
    ]
    inside = [(int(made > 0.5), both[int(made > 0.5)]) for made, both in zip(STATES, placed, strict=True)]
    return inside, (placed[0][0], placed[-1][1])


def likenesses(mols: Sequence[Chem.Mol]) -> Floats:
    """[ligand, ligand]: how alike two are; 0 where a comparison would be refused."""
    n = len(mols)
    alike = np.zeros((n, n))
    for i in range(n):
        for j in range(i + 1, n):
            both = common(mols[i], mols[j])
            if both.likeness and both.gap <= FARTHEST and mirrored(mols[i], mols[j]) is None:
                alike[i, j] = alike[j, i] = both.likeness
    return alike


def settled(n: int, told: Sequence[Told]) -> tuple[Combined, tuple[bool, ...]]:
    """All ligands from what the edges say, and which edges were used.

    An edge that is doubted is left out, unless some ligand can be reached by no other.
    """
    sure = [t.pair for t in told if t.value is not None and not t.doubted]
    used = list(sure)
    doubted = sorted((t for t in told if t.value is not None and t.doubted), key=lambda t: t.error or 0.0)
    for t in doubted:
        group = groups(n, used)
        if group[t.pair[0]] != group[t.pair[1]]:
            used.append(t.pair)
    taken = [t for t in told if t.pair in used and t.value is not None]
    found = combined(
        n,
        [t.pair for t in taken],
        [float(t.value or 0.0) for t in taken],
        [float(t.error or 0.0) for t in taken],
    )
    return found, tuple(t.pair in used and t.value is not None for t in told)
