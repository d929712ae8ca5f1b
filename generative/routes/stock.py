"""Which building blocks are on the shelf?

A file of molecules; by default some 450 common blocks written down for this package. Stereochemistry is not looked at: a block on the shelf
counts whatever its handedness, and a route says nothing about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

from rdkit import Chem

from discovery.intake import written_in
from discovery.molecule import quiet_rdkit
from discovery.records import check_there
from generative.refusal import SettingError


@dataclass(frozen=True)
class Stock:
    """Building blocks by structure.

    A halide counts as any other halide, fluorides on aromatic rings among them: `alike` finds what is really on the
    shelf, and only a forward reaction decides whether it serves.
    """

    blocks: frozenset[str]  # canonical SMILES, flat
    halides: dict[str, tuple[str, ...]]  # the same with every halogen written as Br -> those on the shelf

    def __contains__(self, smiles: str) -> bool:
        return smiles in self.blocks

    def alike(self, smiles: str) -> tuple[str, ...]:
        """What of this block is on the shelf: itself, or the same with another halogen."""
        if smiles in self.blocks:
            return (smiles,)
        return self.halides.get(_bromide(smiles), ())


def load(path: Path | None = None) -> Stock:
    """Read a file of building blocks, of any kind that `discovery screen` reads; the shipped one when there is none.

    Raises
    ------
    IntakeError
        There is no such file, or it is cut off.
    SettingError
        No row of it is a molecule.
    """
    if path is not None:
        check_there(path, "building blocks")
        return _read(path, path.stat().st_mtime_ns)
    with as_file(files("generative") / "data" / "stock.smi") as shipped:
        return _read(shipped, 0)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> Stock:
    halides: dict[str, list[str]] = {}
    blocks: set[str] = set()
    with quiet_rdkit():
        for text in written_in(path):
            mol = None if "." in text else Chem.MolFromSmiles(text)
            if mol is not None and (smiles := flat(mol)) not in blocks:
                blocks.add(smiles)
                halides.setdefault(_bromide(smiles), []).append(smiles)
    if not blocks:
        raise SettingError(f"{path}: no row of it is one molecule")
    return Stock(frozenset(blocks), {key: tuple(found) for key, found in halides.items()})


def flat(mol: Chem.Mol) -> str:
    """Canonical SMILES without stereochemistry."""
    return str(Chem.MolToSmiles(mol, isomericSmiles=False))


@lru_cache(maxsize=100_000)
def _bromide(smiles: str) -> str:
    """Every Cl, I and aromatic F written as Br: what a planner may exchange."""
    if not any(halogen in smiles for halogen in ("Cl", "I", "F")):
        return smiles
    mol = Chem.RWMol(Chem.MolFromSmiles(smiles))
    for atom in mol.GetAtoms():
        number = atom.GetAtomicNum()
        if atom.GetDegree() == 1 and (
            number in (17, 53) or (number == 9 and atom.GetNeighbors()[0].GetIsAromatic())
        ):
            atom.SetAtomicNum(35)
    return flat(mol.GetMol())
