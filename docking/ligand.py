"""A molecule as it enters the site: protonated, in three dimensions, typed, with its turning bonds.

What it does in the site is decided elsewhere: see engines/.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from rdkit import Chem
from rdkit.Chem.rdPartialCharges import ComputeGasteigerCharges

from discovery.molecule import Molecule
from discovery.outcome import MoleculeError, Reason
from docking import pdbqt
from docking.ligands import ligand_types, torsions
from docking.ligands.conformer import shapes
from docking.ligands.species import BODY_PH, isomers, protonated, tautomers
from docking.pdbqt import Floats


@dataclass(frozen=True, slots=True)
class Ligand:
    """One protonation state and stereoisomer of a molecule, ready for docking.

    Travels as text only: `block` is a mol block with all hydrogens and the starting
    conformer, `pdbqt` its heavy atoms and polar hydrogens with the torsion tree.
    """

    molecule: Molecule  # the row it belongs to
    smiles: str  # the species that is docked, charges and stereo as in `block`
    block: str = field(repr=False)  # V3000 mol block, explicit hydrogens, coordinates in Å
    pdbqt: str = field(repr=False)
    atoms: tuple[int, ...] = field(repr=False)  # atoms[i]: index in `mol()` of the i-th atom line of `pdbqt`
    torsions: int  # turning bonds, = BRANCH lines
    notes: tuple[str, ...] = ()  # choices made on the way, said to the chemist
    shapes: int = (
        1  # ring shapes of the species that are docked, this among them; an engine may share its effort
    )

    def mol(self) -> Chem.Mol:
        """A fresh RDKit molecule with hydrogens and the starting conformer."""
        return Chem.Mol(_from_block(self.block))

    @property
    def digest(self) -> str:
        """sha256 of what docking sees: the same for the same species, whatever the row is called."""
        return hashlib.sha256(f"{self.smiles}\0{self.pdbqt}".encode()).hexdigest()

    def coords(self) -> Floats:
        """[atom, 3] Å of `mol()`, the starting conformer."""
        return np.array(_from_block(self.block).GetConformer().GetPositions(), dtype=float)

    def docked(self, coords: Floats) -> Floats:
        """[atom, 3] Å of `mol()` -> [pdbqt atom, 3] Å: the atoms that docking sees, in its order."""
        return np.asarray(coords, dtype=float)[list(self.atoms)]

    def whole(self, docked: Floats) -> Floats:
        """[..., pdbqt atom, 3] Å -> [..., atom, 3] Å of `mol()`: hydrogens that docking does not see are put back.

        Each rigid group is laid over its docked atoms and takes its hydrogens along,
        so bond lengths and angles stay those of the starting conformer.
        """
        return _put_back(self, np.asarray(docked, dtype=float))


def prepare(
    molecule: Molecule,
    *,
    ph: float = BODY_PH,
    most_isomers: int = 1,
    most_tautomers: int = 1,
    most_shapes: int = 0,
) -> list[Ligand]:
    """The molecule's dominant species at a pH, ready for docking: one ligand per tautomer, stereoisomer and ring shape.

    A note on each ligand says which of how many it is. The same molecule gives the same
    ligands in any process.

    Parameters
    ----------
    most_isomers : int
        Stereo centres that the molecule leaves open are enumerated; with 1 the first
        possible one in the order of SMILES is taken.
    most_tautomers : int
        With 1 the molecule as drawn; see `species.tautomers`.
    most_shapes : int
        Rings do not bend while docking, so each shape they may have is docked. With 0 it
        is three where a ring puckers, six where there is a macrocycle; see `conformer.shapes`.

    Raises
    ------
    MoleculeError
        UNPREPARED, NO_CONFORMER, TOO_LARGE or UNSUPPORTED, naming the molecule.
    ValueError
        If `most_isomers` or `most_tautomers` is below 1, `most_shapes` below 0, or the pH lies outside 0 to 14.
    """
    if most_isomers < 1 or most_tautomers < 1 or most_shapes < 0:
        raise ValueError(
            f"at least one stereoisomer and tautomer must be docked, not {most_isomers} and {most_tautomers}, "
            f"and ring shapes count from 0, not {most_shapes}"
        )
    drawn, seen = tautomers(molecule.smiles, most_tautomers)
    ligands: list[Ligand] = []
    for rank, smiles in enumerate(drawn, start=1):
        said = (f"tautomer {rank} of {seen} seen, {smiles}",) if seen > 1 else ()
        try:
            ligands += _isomers(smiles, said, molecule, ph, most_isomers, most_shapes)
        except MoleculeError:
            if rank == 1:  # a tautomer that nobody drew may fail
                raise
    return list({ligand.digest: ligand for ligand in reversed(ligands)}.values())[::-1]


def _isomers(
    drawn: str, said: tuple[str, ...], molecule: Molecule, ph: float, most_isomers: int, most_shapes: int
) -> list[Ligand]:
    # stereo is settled before charges: a protonated amine looks like a centre but turns over in water
    candidates, count = isomers(drawn, most_isomers)
    ligands: list[Ligand] = []
    refusal: MoleculeError | None = None
    done = 0
    for isomer in candidates:
        if done == most_isomers:
            break
        smiles = protonated(Molecule(isomer, molecule.name), ph)
        _check_drawn(smiles, molecule.shown)
        try:
            found = shapes(smiles, molecule.shown, most_shapes)
        except MoleculeError as error:  # this isomer may be impossible in space; the next may not
            if error.reason is not Reason.NO_CONFORMER:
                raise
            refusal = error
            continue
        done += 1
        for mol, notes in found:
            notes = (*said, *notes)
            if count > 1:
                notes = (*notes, f"stereo is open: isomer {done} of {count} possible, {isomer}")
            ligands.append(replace(_written(mol, smiles, notes, molecule), shapes=len(found)))
    if not ligands:
        raise refusal or MoleculeError(Reason.UNPREPARED, f"{molecule.shown}: it has no stereoisomer to dock")
    return ligands


def of_mol(mol: Chem.Mol, molecule: Molecule | None = None) -> Ligand:
    """A ligand from a molecule that has its coordinates already, such as one read from a crystal.

    Charges stay as given; missing hydrogens are put where geometry wants them.

    Raises
    ------
    MoleculeError
        NO_CONFORMER without 3-D coordinates, UNPREPARED if it is in several pieces, or as `prepare`.
    """
    molecule = molecule or Molecule.of(mol)
    if not mol.GetNumConformers() or not mol.GetConformer().Is3D():
        raise MoleculeError(Reason.NO_CONFORMER, f"{molecule.shown} has no 3-D coordinates")
    if len(Chem.GetMolFrags(mol)) > 1:
        raise MoleculeError(
            Reason.UNPREPARED,
            f"{molecule.shown} is in {len(Chem.GetMolFrags(mol))} pieces; one can be docked",
        )
    whole = Chem.AddHs(mol, addCoords=True)
    smiles = str(Chem.MolToSmiles(Chem.RemoveHs(whole)))
    return _written(whole, smiles, ("shape and charges as given",), molecule)


def _written(mol: Chem.Mol, smiles: str, notes: tuple[str, ...], molecule: Molecule) -> Ligand:
    """Round the coordinates to what PDBQT can hold, then write both texts from them."""
    kinds = ligand_types.types(mol, molecule.shown)
    seen = frozenset(i for i, kind in enumerate(kinds) if kind != "H")
    tree = torsions.tree(mol, seen, molecule.shown)
    conformer = mol.GetConformer()
    xyz = np.array(conformer.GetPositions(), dtype=float).round(3)
    for i, point in enumerate(xyz.tolist()):
        conformer.SetAtomPosition(i, point)
    charges = _charges(mol)
    order: list[int] = []
    serials: dict[int, int] = {}
    names = _names(mol)

    def lines(group: int) -> list[str]:
        out = []
        first = tree.axes[group][1] if group else _central(tree.groups[0], xyz)
        for i in sorted(tree.groups[group], key=lambda i: (i != first, i)):
            order.append(i)
            serials[i] = len(order)
            atom = pdbqt.Atom(len(order), names[i], "", "LIG", "1", kinds[i], charges[i])
            out.append(atom.line(xyz[i]))
        if not group:
            out = ["ROOT", *out, "ENDROOT"]
        for child, parent in enumerate(tree.parents):
            if parent == group:
                near, far = tree.axes[child]
                inner = lines(child)
                ends = f"{serials[near]:4d}{serials[far]:4d}"
                out += [f"BRANCH{ends}", *inner, f"ENDBRANCH{ends}"]
        return out

    text = "\n".join([f"REMARK SMILES {smiles}", *lines(0), f"TORSDOF {tree.torsions}"]) + "\n"
    if any(atom.GetAtomicNum() == 5 for atom in mol.GetAtoms()):
        notes = (*notes, "boron is docked as carbon, for which the scoring function has parameters")
    block = str(Chem.MolToV3KMolBlock(mol))
    return Ligand(molecule, smiles, block, text, tuple(order), tree.torsions, notes)


def _check_drawn(smiles: str, shown: str) -> None:
    """Refuse before a shape is looked for, which takes long of what is large, what docking could not take anyway."""
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    kinds = ligand_types.types(mol, shown)
    torsions.tree(mol, frozenset(i for i, kind in enumerate(kinds) if kind != "H"), shown)


def _central(group: tuple[int, ...], xyz: Floats) -> int:
    """The atom nearest the group's middle: rotations about it sweep the smallest space."""
    points = xyz[list(group)]
    distances = np.linalg.norm(points - points.mean(axis=0), axis=1)
    return group[int(distances.round(3).argmin())]


def _charges(mol: Chem.Mol) -> list[float]:
    """Gasteiger charges, e. Vina does not read the column; elements RDKit has none for get their formal charge."""
    ComputeGasteigerCharges(mol)
    charges = [atom.GetDoubleProp("_GasteigerCharge") for atom in mol.GetAtoms()]
    formal = [float(atom.GetFormalCharge()) for atom in mol.GetAtoms()]
    return charges if np.isfinite(charges).all() else formal


def _names(mol: Chem.Mol) -> list[str]:
    """C1, C2, N1, ...: unique while there are fewer than 1,000 of an element."""
    seen: dict[str, int] = {}
    names = []
    for atom in mol.GetAtoms():
        symbol = atom.GetSymbol().upper()
        seen[symbol] = seen.get(symbol, 0) + 1
        names.append(f"{symbol}{seen[symbol]}"[:4])
    return names


@lru_cache(maxsize=1024)
def _from_block(block: str) -> Chem.Mol:
    mol = Chem.MolFromMolBlock(block, removeHs=False)
    if mol is None:
        raise ValueError("the ligand's mol block cannot be read back; it was changed after preparation")
    return mol


@lru_cache(maxsize=256)
def _riders(ligand: Ligand) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    """For each rigid group with hidden hydrogens: (pdbqt indices to lay over, hidden atoms of the mol)."""
    tree = pdbqt.read(ligand.pdbqt)
    seen = {atom: i for i, atom in enumerate(ligand.atoms)}
    groups: dict[int, list[int]] = {}
    for i, atom in enumerate(tree.atoms):
        groups.setdefault(atom.node, []).append(i)
    for branch in tree.branches:
        groups[branch.node].append(branch.anchor)
        groups[branch.parent].append(branch.moving)
    hidden: dict[int, list[int]] = {}
    for atom in _from_block(ligand.block).GetAtoms():
        if atom.GetIdx() not in seen:
            carrier = seen[atom.GetNeighbors()[0].GetIdx()]
            hidden.setdefault(tree.atoms[carrier].node, []).append(atom.GetIdx())
    return tuple((tuple(groups[node]), tuple(atoms)) for node, atoms in hidden.items())


def _put_back(ligand: Ligand, docked: Floats) -> Floats:
    start = ligand.coords()
    whole = np.broadcast_to(start, (*docked.shape[:-2], *start.shape)).copy()
    whole[..., list(ligand.atoms), :] = docked
    for group, hidden in _riders(ligand):
        before, after = start[[ligand.atoms[i] for i in group]], docked[..., list(group), :]
        middle, target = before.mean(axis=0), after.mean(axis=-2, keepdims=True)
        rotation = superpose(before - middle, after - target)
        whole[..., list(hidden), :] = (start[list(hidden)] - middle) @ rotation + target
    return whole


def superpose(moving: Floats, fixed: Floats) -> Floats:
    """[point, 3] Å, [..., point, 3] Å, all centred -> [..., 3, 3]: `moving @ result` lies closest to `fixed`.

    References
    ----------
    .. [1] W. Kabsch, Acta Cryst. A32 (1976) 922, doi:10.1107/S0567739476001873
    """
    u, sizes, vt = np.linalg.svd(moving.T @ fixed)
    u[..., 2] *= np.sign(np.linalg.det(u @ vt))[..., None]
    rotation: Floats = u @ vt
    on_a_line = sizes[..., 1] <= 1e-6 * np.maximum(sizes[..., 0], 1e-12)
    for one in np.argwhere(on_a_line):  # the turn about it is free, so take none
        rotation[tuple(one)] = _least_turn(moving, fixed[tuple(one)])
    return rotation


def _least_turn(moving: Floats, fixed: Floats) -> Floats:
    """The smallest rotation that lays one line of points along another."""
    far = int(np.linalg.norm(moving, axis=1).argmax())
    a, b = moving[far], fixed[far]
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    if lengths < 1e-12:
        return np.eye(3)
    axis, cosine = np.cross(a, b) / lengths, float(a @ b) / lengths
    if cosine < -1.0 + 1e-9:  # half a turn about anything across
        across = np.cross(a, np.eye(3)[int(np.abs(a).argmin())])
        across /= np.linalg.norm(across)
        half: Floats = 2 * np.outer(across, across) - np.eye(3)
        return half
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn: Floats = np.eye(3) + cross + cross @ cross / (1.0 + cosine)
    return turn.T
