"""Which building blocks are on the shelf?

A file of SMILES, one a line with an optional name; by default some 450 common blocks
written down for this package. Stereochemistry is not looked at: a block on the shelf
counts whatever its handedness, and a route says nothing about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path

from rdkit import Chem

from discovery.molecule import quiet_rdkit
from discovery.outcome import UserError


class StockError(UserError, ValueError):
    """The file of building blocks cannot be used."""


@dataclass(frozen=True)
class Stock:
    """Building blocks by structure.

    A halide counts as any other halide, fluorides on aromatic rings among them: `alike` finds what is really on the
    shelf, and only a forward reaction decides whether it serves.
    """

    names: dict[str, str]  # canonical SMILES, flat -> its name in the file
    halides: dict[str, tuple[str, ...]]  # the same with every halogen written as Br -> those on the shelf
    skipped: int = 0  # lines that are no molecule

    def __contains__(self, smiles: str) -> bool:
        return smiles in self.names

    def alike(self, smiles: str) -> tuple[str, ...]:
        """What of this block is on the shelf: itself, or the same with another halogen."""
        if smiles in self.names:
            return (smiles,)
        return self.halides.get(_bromide(smiles), ())


def load(path: Path | None = None) -> Stock:
    """Read a file of building blocks; the shipped one when there is none.

    Raises
    ------
    StockError
        There is no such file, or no line of it is a molecule.
    """
    if path is not None:
        if not path.is_file():
            raise StockError(f"{path}: there is no such file of building blocks")
        return _read(path, path.stat().st_mtime_ns)
    with as_file(files("generative") / "data" / "stock.smi") as shipped:
        return _read(shipped, 0)


@lru_cache(maxsize=4)
def _read(path: Path, _changed: int) -> Stock:
    names: dict[str, str] = {}
    halides: dict[str, list[str]] = {}
    skipped = 0
    with path.open(encoding="utf-8", errors="replace") as lines, quiet_rdkit():
        for number, line in enumerate(lines, start=1):
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            mol = Chem.MolFromSmiles(words[0])
            if mol is None or "." in words[0]:
                skipped += 1
                continue
            smiles = flat(mol)
            if smiles in names:
                continue
            names[smiles] = " ".join(words[1:]) or f"line {number}"
            halides.setdefault(_bromide(smiles), []).append(smiles)
    if not names:
        raise StockError(f"{path}: no line of it starts with the SMILES of one molecule ({skipped} tried)")
    return Stock(names, {key: tuple(blocks) for key, blocks in halides.items()}, skipped)


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
