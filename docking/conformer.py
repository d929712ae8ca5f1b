"""One three-dimensional shape for a species, always the same one.

Docking turns bonds itself, so only bond lengths, angles and ring shapes matter
here: a few shapes are drawn and the one of lowest energy is kept. Every loop has
an iteration limit and none a clock, so a slow machine gives the same answer.
"""

from __future__ import annotations

import hashlib

from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

from discovery.molecule import quiet_rdkit
from discovery.outcome import MoleculeError, Reason

EMBED_ROUNDS = 20  # tries per shape and way of starting; 97% of drug-like molecules need one
MINIMISE_STEPS = 500
MOST_ATOMS = 400  # with hydrogens; beyond it distance geometry takes minutes
RING_SHAPES = 4  # shapes drawn where a ring can pucker


def embed(smiles: str, shown: str) -> tuple[Chem.Mol, tuple[str, ...]]:
    """A molecule with all hydrogens and one conformer, and notes on how it was made.

    The random seed is the sha256 of the SMILES.

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
    with quiet_rdkit():
        found = _shapes(mol, 1, smiles, random_start=False)
        if found and wanted > 1:
            found = _shapes(mol, wanted, smiles, random_start=False)
        found = found or _shapes(mol, 1, smiles, random_start=True)
        if not found:
            raise MoleculeError(
                Reason.NO_CONFORMER,
                f"{shown}: no 3-D shape was found in {2 * EMBED_ROUNDS} tries; "
                "its rings or stereo centres may be impossible as drawn",
            )
        shapes = Chem.Mol(mol)  # MMFF94 leaves its own idea of aromaticity in the molecule it minimises
        energies, field = _minimise(shapes)
    best = min(range(len(found)), key=lambda i: (round(energies[i], 3), i))
    kept = Chem.Conformer(shapes.GetConformer(found[best]))
    mol.RemoveAllConformers()
    mol.AddConformer(kept, assignId=True)
    notes = () if field == "MMFF94" else (f"shape minimised with {field}: MMFF94 has no parameters for it",)
    return mol, notes


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


def _shapes(mol: Chem.Mol, wanted: int, smiles: str, *, random_start: bool) -> list[int]:
    params = rdDistGeom.ETKDGv3()
    settings = {
        "randomSeed": seed_of(smiles),
        "maxIterations": EMBED_ROUNDS,
        "useRandomCoords": random_start,
        "useSmallRingTorsions": True,
        "numThreads": 1,
        "clearConfs": True,
    }
    for name, value in settings.items():  # RDKit's type stubs call every field an EmbedParameters
        setattr(params, name, value)
    try:
        return [int(i) for i in rdDistGeom.EmbedMultipleConfs(mol, wanted, params)]
    except (
        RuntimeError,
        ValueError,
    ):  # RDKit's own invariants, broken by strained molecules; the next start may do
        mol.RemoveAllConformers()
        return []


def _minimise(mol: Chem.Mol) -> tuple[list[float], str]:
    """Energies of the minimised conformers, kcal/mol, and the force field's name."""
    if rdForceFieldHelpers.MMFFHasAllMoleculeParams(mol):
        done = rdForceFieldHelpers.MMFFOptimizeMoleculeConfs(mol, numThreads=1, maxIters=MINIMISE_STEPS)
        return [float(energy) for _, energy in done], "MMFF94"
    if rdForceFieldHelpers.UFFHasAllMoleculeParams(mol):
        done = rdForceFieldHelpers.UFFOptimizeMoleculeConfs(mol, numThreads=1, maxIters=MINIMISE_STEPS)
        return [float(energy) for _, energy in done], "UFF"
    return [0.0] * mol.GetNumConformers(), "distance geometry alone"
