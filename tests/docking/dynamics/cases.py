"""Molecules and shared reference systems that several of these tests use."""

from __future__ import annotations

import gzip
import json
import tarfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import openmm
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from docking import demo_target
from docking.dynamics.parameters.charges import gasteiger
from docking.dynamics.parameters.sage import force_field
from docking.dynamics.parameters.smirnoff import ligand_terms
from docking.dynamics.pocket import Complex, carve
from docking.dynamics.receptor_system import ReceptorModel, receptor_model

SHARED = Path(__file__).resolve().parents[4] / "shared"
DYNAMICS = SHARED / "data" / "dynamics"
needs_shared = pytest.mark.skipif(not DYNAMICS.exists(), reason="../shared is absent")


def embedded(smiles: str, seed: int = 7) -> Chem.Mol:
    """A molecule with hydrogens and one relaxed conformer."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert AllChem.EmbedMolecule(mol, randomSeed=seed) == 0
    AllChem.MMFFOptimizeMolecule(mol)
    return mol


@lru_cache(maxsize=32)
def shared_text(member: str) -> str:
    """One file of the shared systems, such as "tyk2/protein.pdb"."""
    with tarfile.open(DYNAMICS / "systems_dev.tar.xz") as tar:
        file = tar.extractfile(f"systems_dev/{member}")
        assert file is not None
        return file.read().decode()


def shared_ligands(system: str, charges: str = "antechamber_am1bcc") -> list[Chem.Mol]:
    """The shared ligands of a system with their reference charges, in file order."""
    supplier = Chem.SDMolSupplier()
    supplier.SetData(shared_text(f"{system}/ligands_{charges}.sdf"), removeHs=False)
    return list(supplier)


def reference_charges(mol: Chem.Mol) -> np.ndarray:
    """[atom], e: the partial charges in the shared SDF."""
    return np.array([float(x) for x in mol.GetProp("atom.dprop.PartialCharge").split()])


@lru_cache(maxsize=2)
def golden(version: str) -> dict[str, dict[str, float]]:
    """Per-force energies by openff-toolkit a935532, interchange 345abdf, OpenMM 8.6.1, kJ/mol."""
    with gzip.open(DYNAMICS / f"golden_openff_unconstrained-{version}.energies.json.gz") as file:
        return {key: value["e"] for key, value in json.load(file).items()}


@lru_cache(maxsize=1)
def demo_model() -> ReceptorModel:
    """5-HT1B, the demo target."""
    target = demo_target.receptor()
    return receptor_model(target.pdb, target.name)


@lru_cache(maxsize=1)
def toluene() -> Chem.Mol:
    """Toluene where ergotamine's benzyl group lies in 5-HT1B: a ligand that is quick to simulate."""
    ergotamine = demo_target.reference()
    hit = ergotamine.GetSubstructMatch(Chem.MolFromSmarts("[CH2]c1ccccc1"))
    mol = Chem.MolFromSmiles("Cc1ccccc1")
    conformer = Chem.Conformer(mol.GetNumAtoms())
    for i, j in enumerate(hit):
        conformer.SetAtomPosition(i, ergotamine.GetConformer().GetAtomPosition(j))
    mol.AddConformer(conformer)
    return Chem.AddHs(mol, addCoords=True)


@lru_cache(maxsize=2)
def toluene_pocket(keep: float = 6.0, free: float = 4.0) -> Complex:
    """A small pocket around it, with Gasteiger charges."""
    mol = toluene()
    terms = ligand_terms(mol, gasteiger(mol).values, force_field())
    return carve(demo_model(), terms, mol.GetConformer().GetPositions(), keep=keep, free=free)


def placed(system: openmm.System, xyz: np.ndarray) -> openmm.Context:
    """The System on OpenMM's Reference platform, its atoms at [atom, 3] nm."""
    context = openmm.Context(
        system, openmm.VerletIntegrator(0.001), openmm.Platform.getPlatformByName("Reference")
    )
    context.setPositions(xyz)
    return context


def energy_of(system: openmm.System, xyz: np.ndarray) -> float:
    """kJ/mol, by the Reference platform."""
    return float(placed(system, xyz).getState(getEnergy=True).getPotentialEnergy()._value)


def shifted(mol: Chem.Mol, by: float) -> Chem.Mol:
    """The molecule so many Å further along x."""
    moved = Chem.Mol(mol)
    moved.GetConformer().SetPositions(mol.GetConformer().GetPositions() + np.array([by, 0.0, 0.0]))
    return moved


LINES = demo_target.receptor().pdb.splitlines()


def helix(first: int = 125, last: int = 133) -> list[str]:
    """Lines of a stretch of the demo target's transmembrane helix 3, with Asp129."""
    return [x for x in LINES if x.startswith("ATOM") and x[21] == "A" and first <= int(x[22:26]) <= last]


def text(lines: list[str]) -> str:
    """A PDB file of them."""
    return "\n".join([*lines, "TER", "END", ""])
