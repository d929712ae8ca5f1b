"""Complexes for the docking tests: a small one made on the spot, and the shared ones where they lie beside us."""

from __future__ import annotations

import tarfile
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from meeko import MoleculePreparation, PDBQTWriterLegacy
from rdkit import Chem
from rdkit.Chem.rdDistGeom import EmbedMolecule
from rdkit.Chem.rdForceFieldHelpers import MMFFOptimizeMolecule
from rdkit.Chem.rdMolTransforms import CanonicalizeConformer

from discovery.molecule import Molecule
from docking.ligand import Ligand
from docking.site import Site

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "docking"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="../shared is absent")


class Complex(NamedTuple):
    name: str
    receptor: str  # PDBQT
    ligand: str  # PDBQT


@lru_cache(maxsize=4)
def shared(archive: str) -> dict[str, str]:
    """Every PDBQT of a shared archive, by its path inside."""
    texts = {}
    with tarfile.open(SHARED / f"{archive}.tar.xz") as file:
        for member in file:
            if member.isfile() and member.name.endswith(".pdbqt"):
                stream = file.extractfile(member)
                assert stream is not None
                texts[member.name] = stream.read().decode()
    return texts


def redocking() -> list[Complex]:
    """The 250 redocking complexes, by name."""
    texts = shared("redock_pdbqt_dev250")
    names = sorted({path.split("/")[-2] for path in texts})
    stem = "redock_pdbqt_dev250"
    return [
        Complex(n, texts[f"{stem}/{n}/{n}_protein.pdbqt"], texts[f"{stem}/{n}/{n}_ligand.pdbqt"])
        for n in names
    ]


def examples() -> list[Complex]:
    """Five of Vina's own examples, BACE_1 a macrocycle among them."""
    texts = shared("vina_examples")
    stem = "vina_examples/example"
    paths = {
        "1iep": ("basic_docking", "1iep_receptor", "1iep_ligand"),
        "BACE_1": ("docking_with_macrocycles", "BACE_1_receptor", "BACE_1_ligand"),
        "1s63": ("docking_with_zinc_metalloproteins", "protein", "1s63_ligand"),
        "5x72": ("mulitple_ligands_docking", "5x72_receptor", "5x72_ligand_p59"),
        "1uw6": ("hydrated_docking", "1uw6_receptor", "1uw6_ligand"),
    }
    return [
        Complex(
            name, texts[f"{stem}/{folder}/solution/{r}.pdbqt"], texts[f"{stem}/{folder}/solution/{lig}.pdbqt"]
        )
        for name, (folder, r, lig) in paths.items()
    ]


def vina_at(receptor: str, site: Site, seed: int) -> Any:
    """AutoDock Vina on one core, with a receptor's PDBQT and its maps about a site."""
    import vina

    program = vina.Vina("vina", cpu=1, seed=seed, verbosity=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "receptor.pdbqt")
        path.write_text(receptor)
        program.set_receptor(str(path))
    program.compute_vina_maps(list(site.center), list(site.size))
    return program


def bare(name: str, text: str) -> Ligand:
    """A ligand of which the search knows its PDBQT alone."""
    return Ligand(Molecule("", name), "", "", text, (), 0)


def embedded(smiles: str, seed: int) -> Chem.Mol:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert EmbedMolecule(mol, randomSeed=seed) == 0
    MMFFOptimizeMolecule(mol)
    return mol


def ligand_pdbqt(smiles: str, seed: int = 7) -> str:
    """A ligand prepared by meeko, with polar hydrogens only, its middle at the origin."""
    mol = embedded(smiles, seed)
    CanonicalizeConformer(mol.GetConformer())
    text, ok, message = PDBQTWriterLegacy.write_string(MoleculePreparation().prepare(mol)[0])
    assert ok, message
    return str(text)


@lru_cache(maxsize=2)
def small(smiles: str = "OCCc1ccc(cc1)C(=O)NCC") -> Complex:
    """A pocket of amino acids standing around the origin, about 150 atoms; no protein, but all types of contact."""
    sides = (
        "CC(C)CC(N)C=O",
        "OCC(N)C=O",
        "NC(Cc1ccccc1)C=O",
        "NC(CC(=O)[O-])C=O",
        "NC(CCC[NH3+])C=O",
        "CSCCC(N)C=O",
    )
    rng = np.random.default_rng(5)
    lines: list[str] = []
    directions = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], dtype=float)
    for number, (side, direction) in enumerate(
        zip(sides * 2, np.repeat(directions, 2, axis=0), strict=True), start=1
    ):
        mol = embedded(side, seed=number)
        xyz = mol.GetConformer().GetPositions()
        sideways = np.cross(direction, [0.3, 0.5, 0.8]) * (3.0 if number % 2 else -3.0)
        xyz = xyz - xyz.mean(axis=0) + 10.5 * direction + sideways + rng.normal(scale=0.2, size=3)
        lines += _rigid_lines(mol, xyz, number, len(lines))
    return Complex("small", "\n".join(lines) + "\n", ligand_pdbqt(smiles))


def _rigid_lines(mol: Chem.Mol, xyz: np.ndarray, residue: int, done: int) -> list[str]:
    lines: list[str] = []
    for atom in mol.GetAtoms():
        kind = _autodock(atom)
        if kind is None:
            continue
        x, y, z = xyz[atom.GetIdx()]
        serial = done + len(lines) + 1
        lines.append(
            f"ATOM  {serial:5d} {atom.GetSymbol():<4s} RES A{residue:4d}    {x:8.3f}{y:8.3f}{z:8.3f}"
            f"  1.00  0.00    {0.0:6.3f} {kind:<2s}"
        )
    return lines


def _autodock(atom: Chem.Atom) -> str | None:
    symbol = atom.GetSymbol()
    if symbol == "H":
        return "HD" if atom.GetNeighbors()[0].GetSymbol() in ("N", "O") else None
    if symbol == "C":
        return "A" if atom.GetIsAromatic() else "C"
    return {"O": "OA", "S": "SA"}.get(symbol, symbol)
