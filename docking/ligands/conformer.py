"""Three-dimensional shapes for a species, always the same ones.

Docking turns bonds itself, so only bond lengths, angles and ring shapes matter
here. Where all rings are flat one shape is enough. Where one puckers a few are drawn
and those whose rings differ are kept, the lowest energy first: which of them binds is
for docking to find out. Every loop has an iteration limit and none a clock, so a slow
machine gives the same answer.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from discovery.molecule import quiet_rdkit
from discovery.outcome import MoleculeError, Reason

EMBED_ROUNDS = 20  # tries per shape and way of starting; 97% of drug-like molecules need one
FEWEST_ROUNDS = 4
USUAL = 100  # atoms with hydrogens up to which all are tried; telavancin, 227, takes 2 s a try
MINIMISE_STEPS = 500
MOST_ATOMS = 400  # with hydrogens; beyond it distance geometry takes minutes
RING_SHAPES = 4  # shapes drawn where a ring can pucker
MACROCYCLE = 9  # atoms of the smallest ring that counts as one
PUCKERED_SHAPES = 3  # docked of rings that pucker unless told otherwise
MACROCYCLE_SHAPES = 6  # docked of a macrocycle
DRAWN = 8  # more shapes drawn where several are asked for; of a macrocycle so many for each
COSTLY = 80  # atoms of a macrocycle, beyond which fewer are drawn: cyclosporin, 196, would take minutes
SAME_RING = 20.0  # degrees, root mean square over ring torsions, within which two rings have one shape
MOST_RELABELLED = 200  # exchanges of equivalent atoms looked at when rings are compared
_Shape = tuple[float, Chem.Mol]  # kcal/mol, and a molecule with that one conformer
STRAIN = 15.0  # kcal/mol above the lowest; a force field without water overrates folded rings


def shapes(smiles: str, shown: str, most: int = 1) -> list[tuple[Chem.Mol, tuple[str, ...]]]:
    """Molecules with all hydrogens and one conformer, whose rings differ, and notes on how each was made.

    At most `most`, lowest energy first; the first is the same however many are asked for. The random seed is the
    sha256 of the SMILES.

    Parameters
    ----------
    most : int
        With 0, `PUCKERED_SHAPES`, or `MACROCYCLE_SHAPES` of a macrocycle.

    Raises
    ------
    MoleculeError
        TOO_LARGE or NO_CONFORMER, naming the molecule.
    """
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    if mol.GetNumAtoms() > MOST_ATOMS:
        raise MoleculeError(
            Reason.TOO_LARGE,
            f"{shown} has {mol.GetNumAtoms()} atoms with hydrogens; 3-D shapes are made for up to {MOST_ATOMS}",
        )
    wanted = RING_SHAPES if _puckers(mol) else 1
    most = most or (MACROCYCLE_SHAPES if has_macrocycle(mol) else PUCKERED_SHAPES)
    with quiet_rdkit():
        first, notes = _lowest(mol, wanted, smiles, shown)
        kept = first[:1] if most == 1 or wanted == 1 else _ring_shapes(mol, most, smiles, first)
    if len(kept) == 1:
        return [(kept[0][1], notes)]
    return [
        (
            shape,
            (*notes, f"ring shape {k} of {len(kept)} docked, {above:.1f} kcal/mol above the lowest drawn"),
        )
        for k, (above, shape) in enumerate(kept, start=1)
    ]


def has_macrocycle(mol: Chem.Mol) -> bool:
    """Is there a ring of nine atoms or more?"""
    return any(len(ring) >= MACROCYCLE for ring in mol.GetRingInfo().AtomRings())


def _lowest(mol: Chem.Mol, wanted: int, smiles: str, shown: str) -> tuple[list[_Shape], tuple[str, ...]]:
    """A few shapes at rest, lowest energy first, and notes."""
    mol = Chem.Mol(mol)
    found = _embedded(mol, 1, smiles, random_start=False)
    if found and wanted > 1:
        found = _embedded(mol, wanted, smiles, random_start=False)
    if not (found or _embedded(mol, 1, smiles, random_start=True)):
        raise MoleculeError(
            Reason.NO_CONFORMER,
            f"{shown}: no 3-D shape was found in {2 * rounds(mol.GetNumAtoms())} tries"
            + ("" if mol.GetNumAtoms() <= USUAL else f", all that {mol.GetNumAtoms()} atoms are given")
            + "; its rings or stereo centres may be impossible as drawn",
        )
    drawn, field = _at_rest(mol)
    return drawn, () if field == "MMFF94" else (
        f"shape minimised with {field}: MMFF94 has no parameters for it",
    )


def _ring_shapes(mol: Chem.Mol, most: int, smiles: str, first: list[_Shape]) -> list[_Shape]:
    """The lowest shape and others whose rings differ from it and from each other, energies from the lowest drawn."""
    more = Chem.Mol(mol)
    large = has_macrocycle(mol)
    count = draws(most, mol.GetNumAtoms()) if large else DRAWN
    found = _embedded(more, count, f"rings {smiles}", random_start=large)
    others = [*first[1:], *(_at_rest(more)[0] if found else [])]
    floor = min(energy for energy, _ in (first[0], *others))
    torsions, alike = _ring_torsions(mol), _relabelled(mol)
    kept: list[_Shape] = []
    seen: list[NDArray[np.float64]] = []
    for energy, shape in (first[0], *sorted(others, key=lambda one: round(one[0], 3))):
        if kept and (len(kept) == most or energy > floor + STRAIN):
            break
        turns = _turns(shape.GetConformer(), torsions)
        if all(_apart(turns, other) > SAME_RING for other in seen):
            kept.append((energy - floor, shape))
            seen += [_turns(shape.GetConformer(), same[torsions]) for same in alike]
    return kept


def draws(most: int, atoms: int) -> int:
    """Shapes drawn of a macrocycle: each takes a time that grows with the square of its atoms, hydrogens too."""
    return max(most, round(DRAWN * most * min(1.0, (COSTLY / atoms) ** 2)))


def _ring_torsions(mol: Chem.Mol) -> NDArray[np.intp]:
    """[torsion, 4] atoms: four in a row along each ring of five or more that is not aromatic, and each heavy
    substituent with the three ring atoms after its own, which tells axial from equatorial."""
    rows = []
    for ring in mol.GetRingInfo().AtomRings():
        n = len(ring)
        if n < 5 or all(mol.GetAtomWithIdx(i).GetIsAromatic() for i in ring):
            continue
        for i in range(n):
            after = [ring[(i + k) % n] for k in (1, 2)]
            rows.append([ring[i - 1], ring[i], *after])
            rows += [
                [other.GetIdx(), ring[i], *after]
                for other in mol.GetAtomWithIdx(ring[i]).GetNeighbors()
                if other.GetAtomicNum() > 1 and other.GetIdx() not in ring
            ]
    return np.array(rows, dtype=np.intp).reshape(-1, 4)


def _relabelled(mol: Chem.Mol) -> NDArray[np.intp]:
    """[relabelling, atom]: ways to exchange equivalent heavy atoms, the plain one among them."""
    bare = Chem.RemoveHs(mol)  # heavy atoms come first, in the same order
    hits = bare.GetSubstructMatches(bare, uniquify=False, maxMatches=MOST_RELABELLED)
    return np.array(hits, dtype=np.intp).reshape(-1, bare.GetNumAtoms())


def _turns(conformer: Chem.Conformer, torsions: NDArray[np.intp]) -> NDArray[np.float64]:
    """[torsion] rad."""
    a, b, c, d = (np.asarray(conformer.GetPositions())[torsions[:, k]] for k in range(4))
    one, other = np.cross(b - a, c - b), np.cross(c - b, d - c)
    along = (c - b) / np.linalg.norm(c - b, axis=1, keepdims=True)
    return np.asarray(np.arctan2((np.cross(one, other) * along).sum(axis=1), (one * other).sum(axis=1)))


def _apart(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Degrees, root mean square over torsions."""
    turned = np.angle(np.exp(1j * (one - other)))
    return float(np.degrees(np.sqrt(np.square(turned).mean())))


def seed_of(text: str) -> int:
    """1 .. 2^31 - 1 from a text: the same in every process."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % (2**31 - 1) + 1


def _puckers(mol: Chem.Mol) -> bool:
    """Has it a ring of five or more with two neighbouring atoms that are not flat?"""
    flat = (Chem.HybridizationType.SP2, Chem.HybridizationType.SP)
    return any(
        len(ring) >= 5 and sum(mol.GetAtomWithIdx(i).GetHybridization() not in flat for i in ring) >= 2
        for ring in mol.GetRingInfo().AtomRings()
    )


def rounds(atoms: int) -> int:
    """Tries per shape; what is large costs seconds for each."""
    return max(FEWEST_ROUNDS, round(EMBED_ROUNDS * min(1.0, (USUAL / atoms) ** 2)))


def _embedded(mol: Chem.Mol, wanted: int, smiles: str, *, random_start: bool) -> bool:
    """Puts up to so many conformers into the molecule; False if there are none."""
    params = rdDistGeom.ETKDGv3()
    settings = {
        "randomSeed": seed_of(smiles),
        "maxIterations": rounds(mol.GetNumAtoms()),
        "useRandomCoords": random_start,
        "useSmallRingTorsions": True,
        "numThreads": 1,
        "clearConfs": True,
    }
    for name, value in settings.items():  # RDKit's type stubs call every field an EmbedParameters
        setattr(params, name, value)
    try:
        rdDistGeom.EmbedMultipleConfs(mol, wanted, params)
    except (
        RuntimeError,
        ValueError,
    ):  # RDKit's own invariants, broken by strained molecules; the next start may do
        mol.RemoveAllConformers()
    return bool(mol.GetNumConformers())


def _at_rest(mol: Chem.Mol) -> tuple[list[_Shape], str]:
    """Its conformers minimised, lowest energy first, and the force field's name."""
    relaxed = Chem.Mol(mol)  # MMFF94 leaves its own idea of aromaticity in the molecule it minimises
    energies, field = [0.0] * mol.GetNumConformers(), "distance geometry alone"
    for name, knows, minimise in (
        (
            "MMFF94",
            rdForceFieldHelpers.MMFFHasAllMoleculeParams,
            rdForceFieldHelpers.MMFFOptimizeMoleculeConfs,
        ),
        ("UFF", rdForceFieldHelpers.UFFHasAllMoleculeParams, rdForceFieldHelpers.UFFOptimizeMoleculeConfs),
    ):
        if knows(relaxed):
            energies = [energy for _, energy in minimise(relaxed, numThreads=1, maxIters=MINIMISE_STEPS)]
            field = name
            break
    shapes: list[_Shape] = []
    for energy, conformer in zip(energies, relaxed.GetConformers(), strict=True):
        alone = Chem.Mol(mol)
        alone.RemoveAllConformers()
        alone.AddConformer(Chem.Conformer(conformer), assignId=True)
        shapes.append((float(energy), alone))
    return sorted(shapes, key=lambda one: round(one[0], 3)), field
