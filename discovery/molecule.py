"""One molecule, one identity, parsed once.

A `Molecule` is its standardised isomeric SMILES. Two rows that differ only in
salt, in the drawing of a nitro group or in the order of atoms are the same
molecule; tautomers and stereoisomers are not, since they dock differently.

Between processes and files a molecule travels as SMILES or a mol block, never
as an RDKit binary: one flipped byte there ends the interpreter.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache

from rdkit import Chem, rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize

from discovery.outcome import MoleculeError, Reason

MAX_TEXT = 5_000  # characters; a longer SMILES is no drug, and 10^6 atoms cost 12 s to parse
MAX_ATOMS = 500  # heavy atoms, after the largest fragment was kept


@dataclass(frozen=True, slots=True)
class Molecule:
    """A parsed, standardised molecule. Equal when the SMILES is equal.

    Build it with `Molecule.parse` (any SMILES) or `Molecule.of` (an RDKit molecule);
    the constructor trusts its argument to be standardised already, as when a
    molecule is read back from the ledger.
    """

    smiles: str
    name: str = field(default="", compare=False)  # the user's name for it, for messages and tables

    @classmethod
    def parse(cls, text: str, name: str = "") -> Molecule:
        """Any SMILES -> Molecule.

        Raises
        ------
        MoleculeError
            UNPARSABLE, EMPTY, TOO_LARGE or UNSUPPORTED, naming the text.
        """
        text = text.strip()
        shown = name or _shorten(text)
        if not text:
            raise MoleculeError(Reason.EMPTY, f"{shown or 'the row'} has no structure")
        if len(text) > MAX_TEXT:
            raise MoleculeError(
                Reason.TOO_LARGE, f"{shown} is {len(text):,} characters long; the limit is {MAX_TEXT:,}"
            )
        if "\0" in text:
            raise MoleculeError(Reason.UNPARSABLE, f"{shown} holds a NUL byte")
        return cls(_standard_smiles(text, shown), name)

    @classmethod
    def of(cls, mol: Chem.Mol, name: str = "") -> Molecule:
        """An RDKit molecule -> Molecule; coordinates and hydrogens are not part of the identity."""
        return cls(_standardise(mol, name or "the molecule"), name)

    def mol(self) -> Chem.Mol:
        """A fresh RDKit molecule, the caller's to change."""
        return Chem.Mol(_parsed(self.smiles))

    @property
    def inchikey(self) -> str:
        """For looking up elsewhere only: it merges tautomers that dock differently."""
        return str(Chem.MolToInchiKey(_parsed(self.smiles)))  # type: ignore[no-untyped-call]

    @property
    def shown(self) -> str:
        """How messages name it: the user's name, or its SMILES."""
        return self.name or _shorten(self.smiles)


def _shorten(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


@lru_cache(maxsize=4096)
def _parsed(smiles: str) -> Chem.Mol:
    mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        raise MoleculeError(Reason.UNPARSABLE, f"{_shorten(smiles)} is not a SMILES RDKit can read")
    return mol


@lru_cache(maxsize=65536)
def _standard_smiles(text: str, shown: str) -> str:
    with quiet_rdkit():
        mol = Chem.MolFromSmiles(text, sanitize=False)
        if mol is None:
            raise MoleculeError(Reason.UNPARSABLE, f"{shown} is not a SMILES RDKit can read")
        return _standardise(mol, shown)


def _standardise(mol: Chem.Mol, shown: str) -> str:
    with quiet_rdkit():
        try:
            clean = rdMolStandardize.Cleanup(mol)
            parent = rdMolStandardize.FragmentParent(clean, skipStandardize=True)
            neutral = rdMolStandardize.Uncharger().uncharge(parent)
            for atom in neutral.GetAtoms():
                atom.SetAtomMapNum(0)
            Chem.SanitizeMol(neutral)
        except (ValueError, RuntimeError) as error:  # RDKit's sanitisation errors are ValueErrors
            reason = str(error).splitlines()[0] if str(error) else "sanitisation failed"
            raise MoleculeError(Reason.UNPARSABLE, f"{shown}: {reason}") from error
    heavy = neutral.GetNumHeavyAtoms()
    if heavy == 0:
        raise MoleculeError(Reason.EMPTY, f"{shown} has no heavy atom")
    if heavy > MAX_ATOMS:
        raise MoleculeError(Reason.TOO_LARGE, f"{shown} has {heavy} heavy atoms; the limit is {MAX_ATOMS}")
    if not any(atom.GetAtomicNum() == 6 for atom in neutral.GetAtoms()):
        raise MoleculeError(Reason.UNSUPPORTED, f"{shown} has no carbon atom")
    if any(atom.GetAtomicNum() == 0 for atom in neutral.GetAtoms()):
        raise MoleculeError(Reason.UNSUPPORTED, f"{shown} has a placeholder atom (*), so it is no whole molecule")
    smiles = str(Chem.MolToSmiles(neutral))
    again = Chem.MolFromSmiles(smiles)
    if again is None:
        raise MoleculeError(Reason.UNPARSABLE, f"{shown} has no SMILES that can be read back")
    return str(Chem.MolToSmiles(again))  # a fixed point: writing and reading may move aromaticity once


@contextmanager
def quiet_rdkit() -> Iterator[None]:
    """RDKit prints every bad molecule to stderr; the reason is kept in the row instead."""
    block = rdBase.BlockLogs()
    try:
        yield
    finally:
        del block
