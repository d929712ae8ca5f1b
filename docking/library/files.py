"""Which molecules, and lying how, are in a library file of any kind docking meets?

SMI, CSV, TSV, SDF and Parquet are read by the ground's intake; MOL2 and PDBQT, which
only docking programs write, are read here. Each row comes with a mol block where its
file has coordinates. A PDBQT file holds no bond orders, so its molecule is the SMILES
that Meeko, and we, write beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path

import numpy as np
from rdkit import Chem
from rdkit.Geometry import Point3D

from discovery.intake import STAGE, Row, read
from discovery.lines import KEPT, MAX_RECORD, Line, lines, printable, shorten
from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import Missing, MoleculeError, Reason
from discovery.record import IntakeError
from discovery.records import records
from docking import pdbqt

MOL2, ATOMS = "@<TRIPOS>MOLECULE", "@<TRIPOS>ATOM"
_AMBER = {  # element of an Amber atom type, or of its first letter
    "cl": "Cl", "br": "Br", "c": "C", "n": "N", "o": "O", "s": "S", "p": "P", "h": "H", "f": "F", "i": "I",
}  # fmt: skip
SMILES, INDEX, PARENT, NAME = "REMARK SMILES ", "REMARK SMILES IDX ", "REMARK H PARENT ", "REMARK  Name = "


@dataclass(frozen=True, slots=True)
class _Text:
    """One record of a MOL2 or PDBQT file."""

    number: int  # counts from 1
    text: str
    excess: int = 0  # characters beyond what is kept
    torn: str = ""  # why the file ends in this record


def entries(path: str | Path, *, keep_duplicates: bool = False) -> Iterator[tuple[Row, str]]:
    """Every row of a library file beside its mol block, "" where it has no coordinates; one out for one in.

    Parameters
    ----------
    path : SMI, CSV, TSV, SDF, Parquet, MOL2 or PDBQT, plain or gzipped
        MOL2 and PDBQT are told by their suffix. Rows of these count from 1.
    keep_duplicates : bool
        As `discovery.intake.read`.

    Raises
    ------
    IntakeError
        As `discovery.intake.read`.
    """
    where = Path(path)
    suffix = next((s for s in reversed(where.suffixes) if s.lower() != ".gz"), "").lower()
    if suffix not in (".mol2", ".pdbqt"):
        rows = read(where, keep_duplicates=keep_duplicates)
        if suffix in (".sdf", ".sd", ".mol", ".mdl"):
            return ((row, record.block) for row, record in zip(rows, records(where), strict=True))
        return ((row, "") for row in rows)
    if not where.is_file():
        raise IntakeError(f"{where} does not exist")
    found = _cut(where, suffix)
    return _judged(where, found, suffix, keep_duplicates)


def _judged(
    path: Path, found: Iterator[_Text], suffix: str, keep_duplicates: bool
) -> Iterator[tuple[Row, str]]:
    seen: dict[bytes, int] = {}
    for one in found:
        here = f"{path.name}, record {one.number}"
        name = _name(one.text, suffix)
        row = Row(one.number, name, shorten(one.text[:KEPT]), Missing(STAGE, Reason.EMPTY, here))
        try:
            mol = _mol(one, name or "it", suffix)
            molecule = Molecule.of(mol, name)
        except MoleculeError as error:
            yield replace(row, outcome=Missing(STAGE, error.reason, f"{here}: {error}")), ""
            continue
        key = blake2b(molecule.smiles.encode(), digest_size=16).digest()
        first = seen.setdefault(key, one.number)
        if first != one.number and not keep_duplicates:
            said = f"{here}: {molecule.shown} is the molecule of record {first}"
            yield replace(row, outcome=Missing(STAGE, Reason.DUPLICATE, said)), ""
            continue
        block = str(Chem.MolToV3KMolBlock(mol)) if mol.GetNumConformers() else ""
        yield replace(row, outcome=molecule), block


def _cut(path: Path, suffix: str) -> Iterator[_Text]:
    """Records: from one @<TRIPOS>MOLECULE to the next, from one MODEL, ROOT or Meeko header to the next."""
    number, size, excess = 0, 0, 0
    kept: list[str] = []
    begun = done = False
    for line in lines(path):
        text = line.text
        if suffix == ".mol2":
            opens, closes = text.startswith(MOL2), False
        else:
            opens = text.startswith("MODEL") or (done and text.startswith(("ROOT", "REMARK")))
            closes = text.startswith(("TORSDOF", "ENDMDL"))
        if opens and begun:
            number += 1
            yield _Text(number, "\n".join(kept), excess)
            kept, size, excess, begun, done = [], 0, 0, False, False
        begun = begun or opens or (suffix == ".pdbqt" and bool(text.strip()))
        done = done or closes
        if line.torn:
            yield _Text(number + 1, "\n".join(kept), excess, line.torn)
            return
        size += len(text) + 1
        if size > MAX_RECORD or line.excess:
            excess += len(text) + 1 + line.excess
        elif begun:
            kept.append(text)
        else:
            size = _before(path, line, size)
    if begun:
        yield _Text(number + 1, "\n".join(kept), excess)
    elif number == 0:
        raise IntakeError(f"{path} holds no {'@<TRIPOS>MOLECULE' if suffix == '.mol2' else 'PDBQT'} record")


def _before(path: Path, line: Line, size: int) -> int:
    """Comments may stand before the first MOL2 record; a long preamble means another kind of file."""
    if size > MAX_RECORD // 4:
        raise IntakeError(f"{path} is called MOL2, but up to line {line.number} no {MOL2} was found")
    return size


def _name(text: str, suffix: str) -> str:
    rows = text.splitlines()
    if suffix == ".mol2":
        name = rows[1].strip() if len(rows) > 1 else ""
        return "" if name == "*****" else printable(name)
    return next((printable(row.removeprefix(NAME).strip()) for row in rows if row.startswith(NAME)), "")


def _mol(one: _Text, shown: str, suffix: str) -> Chem.Mol:
    if one.torn:
        raise MoleculeError(
            Reason.UNPARSABLE, f"is cut off: {one.torn}; {one.number - 1:,} records before it were read"
        )
    if one.excess:
        size = len(one.text) + one.excess
        raise MoleculeError(Reason.TOO_LARGE, f"{shown} is about {size:,} characters long")
    return mol_of_mol2(one.text, shown) if suffix == ".mol2" else mol_of_pdbqt(one.text, shown)


def mol_of_mol2(text: str, shown: str) -> Chem.Mol:
    """A MOL2 record -> RDKit molecule with its hydrogens and coordinates.

    Charges are told by bonds: programs write partial charges, and atom types (N.4, O.co2)
    that differ between them. Where RDKit refuses a nitrogen with four bonds or an oxygen
    with one, as neutral ones are refused, it is given its charge.

    Raises
    ------
    MoleculeError
        UNPARSABLE.
    """
    text = _sybyl(text)
    with quiet_rdkit():
        mol = Chem.MolFromMol2Block(f"{text}\n", removeHs=False)
        if mol is None:
            mol = _charged(Chem.MolFromMol2Block(f"{text}\n", sanitize=False, removeHs=False))
    if mol is None:
        raise MoleculeError(
            Reason.UNPARSABLE,
            f"{shown} is no MOL2 RDKit can read: its atom types or bonds contradict each other; SDF says them better",
        )
    if mol.GetNumConformers():
        mol.GetConformer().Set3D(bool(np.ptp(mol.GetConformer().GetPositions(), axis=0).min() > 1e-3))
    return mol


def _sybyl(text: str) -> str:
    """The record with Sybyl's atom types, where antechamber wrote Amber's (c3, oh, hc); other records as they are.

    What RDKit reads of a type is the element; hybridisation and charge follow from the bonds.
    """
    rows = text.splitlines()
    marks = [i for i, row in enumerate(rows) if row.startswith("@<TRIPOS>")]
    first = next((i + 1 for i in marks if rows[i].startswith(ATOMS)), len(rows))
    last = next((i for i in marks if i > first), len(rows))
    fields = {i: rows[i].split() for i in range(first, last)}
    types = {i: words[5] for i, words in fields.items() if len(words) > 5}
    elements = {i: _AMBER.get(kind, _AMBER.get(kind[:1])) for i, kind in types.items()}
    if not types or not all(kind.islower() and elements[i] for i, kind in types.items()):
        return text
    for i, element in elements.items():
        words = fields[i]
        words[5] = {"C": "C.3", "N": "N.3", "O": "O.3", "S": "S.3", "P": "P.3"}.get(
            str(element), str(element)
        )
        rows[i] = " ".join(words)
    return "\n".join(rows)


def _charged(mol: Chem.Mol | None) -> Chem.Mol | None:
    """Nitrogens with four bonds get a charge, and sanitising is tried once more."""
    if mol is None:
        return None
    for atom in mol.GetAtoms():
        bonds = sum(bond.GetBondTypeAsDouble() for bond in atom.GetBonds())
        if atom.GetAtomicNum() == 7 and bonds == 4.0 and atom.GetFormalCharge() == 0:
            atom.SetFormalCharge(1)
    try:
        Chem.SanitizeMol(mol)
    except (ValueError, RuntimeError):  # RDKit's sanitisation errors are ValueErrors
        return None
    return mol


def mol_of_pdbqt(text: str, shown: str) -> Chem.Mol:
    """A ligand's PDBQT record -> RDKit molecule, with coordinates where Meeko's remarks say which atom is which.

    Raises
    ------
    MoleculeError
        UNSUPPORTED without a SMILES remark, UNPARSABLE if the remark or the atoms cannot be
        read or do not fit each other.
    """
    rows = text.splitlines()
    smiles = next(
        (
            row.removeprefix(SMILES).strip()
            for row in rows
            if row.startswith(SMILES) and not row.startswith(INDEX)
        ),
        "",
    )
    if not smiles:
        raise MoleculeError(
            Reason.UNSUPPORTED,
            f"{shown} has no line REMARK SMILES, and PDBQT has no bond orders: write it with Meeko, or give SDF",
        )
    with quiet_rdkit():
        mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        raise MoleculeError(Reason.UNPARSABLE, f"{shown}: its REMARK SMILES, {smiles[:60]}, cannot be read")
    try:
        structure = pdbqt.read_models(text)[0]
        heavy, polar = (_numbers(rows, remark) for remark in (INDEX, PARENT))
    except (pdbqt.PdbqtError, ValueError) as error:
        raise MoleculeError(Reason.UNPARSABLE, f"{shown}: {error}") from error
    if not heavy:
        return mol
    place = {atom.serial: xyz for atom, xyz in zip(structure.atoms, structure.coords, strict=True)}
    if len(heavy) != mol.GetNumAtoms() or not {serial for _, serial in heavy + polar} <= set(place):
        raise MoleculeError(
            Reason.UNPARSABLE,
            f"{shown}: its REMARK SMILES has {mol.GetNumAtoms()} atoms, but its REMARK SMILES IDX places {len(heavy)}",
        )
    return _placed(mol, {index - 1: place[serial] for index, serial in heavy},
                   [(index - 1, place[serial]) for index, serial in polar], shown)  # fmt: skip


def _numbers(rows: list[str], remark: str) -> list[tuple[int, int]]:
    numbers = [
        int(word) for row in rows if row.startswith(remark) for word in row.removeprefix(remark).split()
    ]
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _placed(
    mol: Chem.Mol, heavy: dict[int, np.ndarray], polar: list[tuple[int, np.ndarray]], shown: str
) -> Chem.Mol:
    """Heavy atoms and polar hydrogens as in the file, other hydrogens where geometry wants them."""
    if set(heavy) != set(range(mol.GetNumAtoms())):
        raise MoleculeError(Reason.UNPARSABLE, f"{shown}: its REMARK SMILES IDX names an atom twice")
    conformer = Chem.Conformer(mol.GetNumAtoms())
    conformer.Set3D(True)
    for index, xyz in heavy.items():
        conformer.SetAtomPosition(index, Point3D(*map(float, xyz)))
    mol = Chem.Mol(mol)
    mol.AddConformer(conformer, assignId=True)
    whole = Chem.AddHs(mol, addCoords=True)
    free = {
        atom.GetIdx(): [n.GetIdx() for n in atom.GetNeighbors() if n.GetAtomicNum() == 1]
        for atom in whole.GetAtoms()
    }
    for parent, xyz in polar:
        if free.get(parent):
            whole.GetConformer().SetAtomPosition(free[parent].pop(0), Point3D(*map(float, xyz)))
    return whole
