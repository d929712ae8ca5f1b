"""How does a molecule lie in the site, and how far is that from another way to lie?

Distances follow the molecule's symmetry. Whether a pose is plausible is decided
in plausibility.py, how strongly it binds in engines/.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem

from discovery.molecule import quiet_rdkit
from docking.ligand import Ligand
from docking.pdbqt import Floats
from docking.receptor import DockingError

MOST_PAIRINGS = 100_000
MOST_ALIKE = 2_000  # relabellings looked at when poses of one ligand are compared


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """One way a ligand lies in the site, and what its engine thinks of it."""

    ligand: Ligand
    coords: Floats  # [atom, 3] Å, the atoms of ligand.mol(), hydrogens included; read-only
    score: float  # kcal/mol, lower binds better
    terms: Mapping[str, float] = field(default_factory=dict)  # kcal/mol: "inter", "intra", "torsional", ...
    engine: str = ""
    side_chains: str = ""  # PDB lines of flexible side chains as they lie; "" where the receptor is rigid
    beside: tuple[Pose, ...] = ()  # ligands docked at the same time, as they lie; their score is this pose's

    def __post_init__(self) -> None:
        coords = np.array(self.coords, dtype=float)
        atoms = len(self.ligand.coords())
        if coords.shape != (atoms, 3):
            raise ValueError(
                f"a pose of {self.ligand.molecule.shown} needs [{atoms}, 3] coordinates, hydrogens included, "
                f"not {list(coords.shape)}; pass docked atoms through ligand.whole() first"
            )
        if not (np.isfinite(coords).all() and np.isfinite(self.score)):
            raise ValueError(f"a pose of {self.ligand.molecule.shown} holds a number that is not finite")
        coords.flags.writeable = False
        object.__setattr__(self, "coords", coords)

    def __repr__(self) -> str:
        return f"Pose of {self.ligand.molecule.shown}: {self.score:.2f} kcal/mol"

    @property
    def standing(self) -> float:
        """kcal/mol that puts poses in order: the score, and what restraints cost where there are any."""
        return self.score + self.terms.get("restraint", 0.0)

    @property
    def steered(self) -> bool:
        """Has it restraints, flexible side chains or ligands beside it?"""
        return bool(self.side_chains or self.beside or "restraint" in self.terms)

    def mol(self) -> Chem.Mol:
        """A fresh RDKit molecule, bond orders and hydrogens as prepared, lying as docked."""
        return with_coords(self.ligand.mol(), self.coords)

    def sdf(self, properties: Mapping[str, object] | None = None) -> str:
        """One SDF record, `$$$$` included: bond orders, hydrogens, score, terms and your own properties."""
        mol = self.mol()
        mol.SetProp("_Name", _one_line(self.ligand.molecule.name or self.ligand.molecule.smiles))
        values: dict[str, object] = {
            "smiles": self.ligand.molecule.smiles,
            "docked_species": self.ligand.smiles,
            "score_kcal_per_mol": f"{self.score:.3f}",
            **{f"{name}_kcal_per_mol": f"{value:.3f}" for name, value in self.terms.items()},
            "engine": self.engine,
            **(properties or {}),
        }
        for key, value in values.items():
            mol.SetProp(_one_line(key), _one_line(str(value)))
        text = StringIO()
        writer = Chem.SDWriter(text)
        writer.SetForceV3000(mol.GetNumAtoms() > 999)
        writer.write(mol)
        writer.close()
        return text.getvalue()


def rmsd(first: Chem.Mol, second: Chem.Mol) -> float:
    """Å: how far two poses of a molecule lie apart, without moving either.

    The root mean square over heavy atoms, at the pairing of equivalent atoms that makes
    it smallest. Atoms are equivalent by element and connection alone, so that the two
    oxygens of an acid are, however it is drawn; the two molecules may differ in the
    order of atoms, in hydrogens and in charges.

    Raises
    ------
    ValueError
        If they are not the same skeleton, or one has no coordinates.

    References
    ----------
    .. [1] R. Meli, P. Biggin, J. Cheminform. 12 (2020) 49, doi:10.1186/s13321-020-00455-2
    """
    pairings, a, b = same_atoms(first, second), _heavy(first)[1], _heavy(second)[1]
    squares = np.square(a[None] - b[pairings]).sum(axis=-1)
    return float(np.sqrt(squares.mean(axis=-1)).min())


def same_atoms(first: Chem.Mol, second: Chem.Mol) -> NDArray[np.intp]:
    """[pairing, heavy atom]: for each heavy atom of `first`, one of `second` that may be the same.

    At most `MOST_PAIRINGS`; a molecule with more (many tert-butyl or CF3 groups) is
    paired in those alone, so its distances may come out too large, never too small.

    Raises
    ------
    ValueError
        If they are not the same skeleton.
    """
    one, other = _heavy(first)[0], _heavy(second)[0]
    hits = other.GetSubstructMatches(one, uniquify=False, maxMatches=MOST_PAIRINGS)
    if not hits or one.GetNumAtoms() != other.GetNumAtoms() or one.GetNumBonds() != other.GetNumBonds():
        raise ValueError(
            f"{Chem.MolToSmiles(Chem.RemoveHs(first))} and {Chem.MolToSmiles(Chem.RemoveHs(second))} "
            "are not the same skeleton, so no distance lies between their poses"
        )
    return np.array(hits, dtype=np.intp)


def equivalent(mol: Chem.Mol) -> NDArray[np.intp]:
    """[relabelling, heavy atom]: ways to exchange a molecule's equivalent heavy atoms, as `rmsd` sees them.

    At most `MOST_ALIKE`, so that poses of a molecule with more may be taken for further apart than they are.
    """
    bare = _heavy(mol)[0]
    hits = bare.GetSubstructMatches(bare, uniquify=False, maxMatches=MOST_ALIKE)
    return np.array(hits, dtype=np.intp)


def _heavy(mol: Chem.Mol) -> tuple[Chem.Mol, Floats]:
    """Elements and connections of the heavy atoms alone, and their coordinates."""
    if not mol.GetNumConformers():
        raise ValueError("a molecule without coordinates has no pose to compare")
    kept = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1]
    place = {index: i for i, index in enumerate(kept)}
    bare = Chem.RWMol()
    for index in kept:
        bare.AddAtom(Chem.Atom(mol.GetAtomWithIdx(index).GetAtomicNum()))
    for bond in mol.GetBonds():
        i, j = bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()
        if i in place and j in place:
            bare.AddBond(place[i], place[j], Chem.BondType.SINGLE)
    return bare.GetMol(), np.asarray(mol.GetConformer().GetPositions(), dtype=float)[kept]


def reference_mol(block: str) -> Chem.Mol:
    """A known ligand, without its hydrogens, from a mol block with 3-D coordinates.

    Raises
    ------
    DockingError
        It cannot be read, or is flat.
    """
    with quiet_rdkit():
        mol = Chem.MolFromMolBlock(block)
    if mol is None or not mol.GetNumConformers() or not mol.GetConformer().Is3D():
        raise DockingError("the reference ligand is no mol block with 3-D coordinates")
    return mol


def reference_block(path: str | Path) -> str:
    """The mol block of the first molecule in an SDF or MOL file, as it lies in a receptor's frame.

    Raises
    ------
    DockingError
        There is no such file, or it holds no 3-D molecule.
    """
    path = Path(path)
    if not path.is_file():
        raise DockingError(f"there is no reference ligand file {path}")
    block = path.read_text(encoding="utf-8", errors="replace").split("$$$$")[0]
    try:
        reference_mol(block)
    except DockingError as error:
        raise DockingError(f"{path}: {error}") from error
    return block


def with_coords(mol: Chem.Mol, coords: Floats) -> Chem.Mol:
    """A copy of `mol` whose only conformer is [atom, 3] Å."""
    moved = Chem.Mol(mol)
    moved.RemoveAllConformers()
    conformer = Chem.Conformer(moved.GetNumAtoms())
    conformer.Set3D(True)
    conformer.SetPositions(np.ascontiguousarray(coords, dtype=float))
    moved.AddConformer(conformer, assignId=True)
    return moved


def _one_line(text: str) -> str:
    """A name or property with a line break in it would end an SDF record early."""
    return " ".join(text.split()) or "-"
