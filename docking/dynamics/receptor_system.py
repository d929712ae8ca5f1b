"""Which mechanics does the protein have? ff14SB, read once per target.

The PDB text is a prepared receptor's (docking/receptor.py); text without hydrogens is
prepared first. Chain breaks stay open and uncapped: a bond is never drawn across a gap,
and a residue that ends at one keeps the parameters it has inside a chain, which adds no
false charge. The water is a continuum; where asked, but for those crystal waters that three or more
polar atoms of the receptor hold: of the four hydrogen bonds a water can make they leave it one, for a
ligand. Phosphorylated residues (SEP, TPO, PTR, ...) take phosaa14SB [1]_ where openmmforcefields is
installed, organic cofactors a ligand's force field (cofactors.py).

References
----------
.. [1] Raguette et al., J. Chem. Theory Comput. 20, 7199 (2024), as openmmforcefields converted it.
"""

from __future__ import annotations

import io
import itertools
import re
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from importlib.util import find_spec
from typing import Any

import numpy as np

from discovery.extras import needs

with needs("dynamics"):
    from openmm import app

from docking import preparation
from docking.dynamics.cofactors import DRAWN, Cofactor, taken_out
from docking.dynamics.system import terms_of
from docking.dynamics.terms import Floats, Ints, Terms, joined
from docking.protein import residues, structure
from docking.receptor import ReceptorError

PROTEIN = "ff14SB"
_PHOSPHO = frozenset({"SEP", "S1P", "TPO", "T1P", "PTR", "Y1P", "H1D", "H2D", "H1E"})
_UNBONDED = _PHOSPHO | {"HYP"}  # OpenMM's reader of PDB files draws no bonds in them
_PHOSPHO_FILES = ("amber/ff14SB.xml", "amber/phosaa14SB.xml", "amber14/tip3p.xml")  # of openmmforcefields
_FILES = ("amber14/protein.ff14SB.xml", "amber14/tip3p.xml")  # the second for ions and water
_HOLDING = 3  # polar atoms of the receptor (N, O, S) that make a crystal water a part of it
_HELD = 0.35  # nm, from such an atom to the water's oxygen
_STUMPS = ({"N"}, {"C"}, {"C", "O"})
_BREAK = 0.25  # nm from C to N; a peptide bond is 0.133
_PEPTIDE = 0.17  # nm; a C and an N this near are bonded, whatever their order in the file
_CLASH = 0.05  # nm; two atoms nearer than this are one atom written twice


@dataclass(frozen=True, slots=True, eq=False)
class ReceptorModel:
    """A whole receptor, ready to be cut into a pocket."""

    name: str
    terms: Terms
    xyz: Floats  # [atom, 3] nm, as in the file
    numbers: Ints  # [atom], atomic numbers
    atom_names: tuple[str, ...]  # [atom]
    residue: Ints  # [atom], index into `labels`
    labels: tuple[str, ...]  # [residue], "A:ASP129" as in the file
    notes: tuple[str, ...] = ()  # what was decided here
    waters: frozenset[int] = frozenset()  # residues that are crystal waters


@lru_cache(maxsize=4)
def receptor_model(pdb: str, name: str = "the receptor", *, waters: bool = False) -> ReceptorModel:
    """ff14SB for a receptor given as PDB text.

    Parameters
    ----------
    pdb
        The text of a PDB file, with hydrogens or without.
    waters
        Keep the crystal waters that the receptor holds.

    Raises
    ------
    ReceptorError
        Nothing usable in the text; a residue without parameters, with missing or with
        surplus atoms; coordinates that are no numbers. Each names the residue and the cure.
    """
    notes: list[str] = []
    if not any(line.startswith(("ATOM", "HETATM")) for line in pdb.splitlines()):
        raise ReceptorError(f"{name} holds no ATOM line; give the text of a PDB file")
    if not _has_hydrogens(pdb):
        found = structure.parse(pdb, name)
        keep = waters_of(found) if waters else ()
        pdb = preparation.assemble(found.atoms, name, models=found.models, keep=keep).pdb
        notes.append(f"{name} had no hydrogens; they were added for pH {preparation.PH:g}")
    beside = taken_out(structure.parse(pdb, name).atoms, name)
    notes.extend(cofactor.note for cofactor in beside)
    topology, positions = _read(pdb, name)
    topology, positions = _without(
        [residue for residue in topology.residues() if residue.name in DRAWN], topology, positions
    )
    phospho = sorted({r.name for r in topology.residues()} & _PHOSPHO)
    if phospho:
        notes.append(f"{', '.join(phospho)} with the parameters of phosaa14SB")
    _bond_by_template(topology, _force_field(phospho=bool(phospho)))
    topology, positions = _without_water(topology, positions, notes, held=waters)
    topology, positions = _without_stumps(topology, positions, notes)
    topology = _open_gaps(topology, positions, notes)
    residues = list(topology.residues())
    labels = tuple(_label(residue) for residue in residues)
    _check_overlaps(positions, topology, labels, name)
    system = _parametrised(topology, labels, name)
    atoms = list(topology.atoms())
    numbers = np.array([a.element.atomic_number for a in atoms], dtype=np.int64)
    bonds = np.array([(a.index, b.index) for a, b in topology.bonds()], dtype=np.int64).reshape(-1, 2)
    model = ReceptorModel(
        name=name,
        terms=terms_of(system, numbers, bonds),
        xyz=positions,
        numbers=numbers,
        atom_names=tuple(a.name for a in atoms),
        residue=np.array([a.residue.index for a in atoms], dtype=np.int64),
        labels=labels,
        notes=tuple(notes),
        waters=frozenset(residue.index for residue in residues if residue.name in preparation.WATERS),
    )
    return reduce(_with, beside, model)


def _with(model: ReceptorModel, cofactor: Cofactor) -> ReceptorModel:
    mol = cofactor.mol
    return replace(
        model,
        terms=joined(model.terms, cofactor.terms),
        xyz=np.concatenate([model.xyz, mol.GetConformer().GetPositions() / 10.0]),
        numbers=np.append(model.numbers, [atom.GetAtomicNum() for atom in mol.GetAtoms()]),
        atom_names=(*model.atom_names, *cofactor.names),
        residue=np.append(model.residue, np.full(mol.GetNumAtoms(), len(model.labels))),
        labels=(*model.labels, cofactor.label),
    )


def waters_of(found: structure.Read) -> list[str]:
    """The names under which a structure holds waters: what preparation is to keep for `waters`."""
    return sorted({atom.resname for atom in found.atoms} & preparation.WATERS)


def _has_hydrogens(pdb: str) -> bool:
    for line in pdb.splitlines():
        if line.startswith(("ATOM", "HETATM")):
            element = line[76:78].strip() or line[12:16].strip().lstrip("0123456789")[:1]
            if element == "H":
                return True
    return False


def _read(pdb: str, name: str) -> tuple[Any, Floats]:
    try:
        file = app.PDBFile(io.StringIO(pdb))
    except (ValueError, IndexError, KeyError) as error:
        raise ReceptorError(
            f"{name} is no readable PDB file: {error}; prepare it with docking.preparation.prepare"
        ) from error
    xyz = np.array([[p.x, p.y, p.z] for p in file.positions], dtype=np.float64).reshape(-1, 3)
    for atom in file.topology.atoms():
        if atom.element is None:
            raise ReceptorError(
                f"{name}, {_label(atom.residue)}: the element of atom {atom.name} is unknown; "
                "fill in columns 77-78 of its line"
            )
    return file.topology, xyz


def _label(residue: Any) -> str:
    return f"{residue.chain.id.strip()}:{residue.name}{residue.id.strip()}{residue.insertionCode.strip()}"


def _without_water(topology: Any, xyz: Floats, notes: list[str], *, held: bool) -> tuple[Any, Floats]:
    """Without waters; those whose hydrogens are there and that the receptor holds may stay."""
    waters = [residue for residue in topology.residues() if residue.name in preparation.WATERS]
    if not waters:
        return topology, xyz
    polar = [
        atom.index
        for atom in topology.atoms()
        if atom.element.symbol in ("N", "O", "S") and atom.residue.name not in preparation.WATERS
    ]
    left: list[Any] = []
    kept: list[Any] = []
    for water in waters:
        oxygen = next((atom.index for atom in water.atoms() if atom.element.symbol == "O"), None)
        whole = held and oxygen is not None and len(list(water.atoms())) == 3
        near = np.linalg.norm(xyz[polar] - xyz[oxygen], axis=1) < _HELD if whole else np.zeros(0)
        (kept if near.sum() >= _HOLDING else left).append(water)
    if kept:
        named = ", ".join(map(_label, kept[:6])) + (", ..." if len(kept) > 6 else "")
        notes.append(
            f"{len(kept)} crystal water(s) kept, each held by {_HOLDING} or more polar atoms of the receptor: {named}"
        )
    if left:
        notes.append(f"{len(left)} crystal water(s) left out: the water is a continuum")
    return _without(left, topology, xyz)


def _without_stumps(topology: Any, xyz: Floats, notes: list[str]) -> tuple[Any, Floats]:
    """Amino acids of which nothing but a lone N was seen, or C and O: where a chain fades out, files hold such."""
    stumps = [
        residue
        for residue in topology.residues()
        if residue.name in _force_field()._templates
        and {a.name for a in residue.atoms() if a.element.symbol != "H"} in _STUMPS
    ]
    notes.extend(f"{_label(residue)} left out: it has no alpha carbon" for residue in stumps)
    return _without(stumps, topology, xyz)


def _without(residues: list[Any], topology: Any, xyz: Floats) -> tuple[Any, Floats]:
    if not residues:
        return topology, xyz
    modeller = app.Modeller(topology, [tuple(p) for p in xyz])
    gone = {atom.index for residue in residues for atom in residue.atoms()}
    modeller.delete(residues)
    return modeller.topology, xyz[[i for i in range(len(xyz)) if i not in gone]]


def _open_gaps(topology: Any, xyz: Floats, notes: list[str]) -> Any:
    """The same atoms, bonded along the chain by distance.

    A reader bonds residues that follow each other in the file; files exist whose residues
    follow each other otherwise (insertion codes sorted the wrong way), or with gaps.
    """
    open_ends: list[tuple[Any, Any]] = []
    bonded: set[int] = set()
    new = app.Topology()
    atoms: dict[Any, Any] = {}
    for chain in topology.chains():
        copy = new.addChain(chain.id)
        for residue in chain.residues():
            twin = new.addResidue(residue.name, copy, residue.id, residue.insertionCode)
            for atom in residue.atoms():
                atoms[atom] = new.addAtom(atom.name, atom.element, twin)
    for a, b in topology.bonds():
        if _is_peptide(a, b):
            if np.linalg.norm(xyz[a.index] - xyz[b.index]) > _BREAK:
                open_ends.append((a, b))
                continue
            bonded |= {a.index, b.index}
        new.addBond(atoms[a], atoms[b])
    carbons, nitrogens = (
        [a for a in topology.atoms() if a.name == name and a.index not in bonded] for name in ("C", "N")
    )
    for carbon in carbons:
        gaps = [float(np.linalg.norm(xyz[carbon.index] - xyz[n.index])) for n in nitrogens]
        near = int(np.argmin(gaps)) if gaps else 0
        if gaps and gaps[near] < _PEPTIDE and nitrogens[near].residue is not carbon.residue:
            new.addBond(atoms[carbon], atoms[nitrogens[near]])
            bonded |= {carbon.index, nitrogens[near].index}
    for a, b in open_ends:
        carbon = a if a.name == "C" else b
        if carbon.index not in bonded:
            notes.append(f"the chain is open between {_label(a.residue)} and {_label(b.residue)}")
    return new


def _is_peptide(a: Any, b: Any) -> bool:
    return a.residue is not b.residue and {a.name, b.name} == {"C", "N"}


def _check_overlaps(xyz: Floats, topology: Any, labels: tuple[str, ...], name: str) -> None:
    residue_of = [atom.residue.index for atom in topology.atoms()]
    order = np.argsort(xyz[:, 0], kind="stable")
    for reach in range(1, 4):  # neighbours in x suffice to find atoms on top of each other
        a, b = order[:-reach], order[reach:]
        near = np.linalg.norm(xyz[a] - xyz[b], axis=1) < _CLASH
        if near.any():
            i, j = int(a[near][0]), int(b[near][0])
            raise ReceptorError(
                f"{name}: an atom of {labels[residue_of[i]]} and one of {labels[residue_of[j]]} are "
                f"{np.linalg.norm(xyz[i] - xyz[j]) * 10:.2f} Å apart; keep one conformation of each residue"
            )


@lru_cache(maxsize=2)
def _force_field(*, phospho: bool = False) -> Any:
    if not phospho:
        return app.ForceField(*_FILES)
    if find_spec("openmmforcefields") is None:
        raise ReceptorError(
            "phosphorylated residues (SEP, TPO, PTR, ...) need: pip install openmmforcefields; "
            "or mutate them to SER, THR or TYR"
        )
    return app.ForceField(*_PHOSPHO_FILES)


def has_parameters(resname: str) -> bool:
    """Is a residue of this name one that ff14SB, its ions, phosaa14SB or the water know?"""
    known = residues.standard(resname) in residues.NAMES or resname in preparation.WATERS
    return known or resname in _PHOSPHO or resname in _force_field()._templates


def _bond_by_template(topology: Any, field: Any) -> None:
    """Bonds inside residues that the reader of PDB files does not know."""
    bonded = {(a.index, b.index) for a, b in topology.bonds()}
    for residue in topology.residues():
        if residue.name not in _UNBONDED:
            continue
        template = field._templates[residue.name]
        atoms = {atom.name: atom for atom in residue.atoms()}
        for i, j in template.bonds:
            a, b = atoms.get(template.atoms[i].name), atoms.get(template.atoms[j].name)
            if a is not None and b is not None and not {(a.index, b.index), (b.index, a.index)} & bonded:
                topology.addBond(a, b)
    _bond_along_chain(topology)


def _bond_along_chain(topology: Any) -> None:
    """The peptide bonds to and from such residues; `_open_gaps` opens those that are too long."""
    bonded = {frozenset((a.index, b.index)) for a, b in topology.bonds()}
    for chain in topology.chains():
        residues = list(chain.residues())
        for one, two in itertools.pairwise(residues):
            if not {one.name, two.name} & _UNBONDED:
                continue
            carbon = next((a for a in one.atoms() if a.name == "C"), None)
            nitrogen = next((a for a in two.atoms() if a.name == "N"), None)
            if carbon and nitrogen and frozenset((carbon.index, nitrogen.index)) not in bonded:
                topology.addBond(carbon, nitrogen)


def _parametrised(topology: Any, labels: tuple[str, ...], name: str) -> Any:
    residues = list(topology.residues())
    bridged = {
        atom.residue.index
        for bond in topology.bonds()
        for atom in bond
        if bond[0].name == bond[1].name == "SG" and bond[0].residue is not bond[1].residue
    }
    field = _force_field(phospho=any(residue.name in _PHOSPHO for residue in residues))
    templates = {}
    for residue in residues:
        names = {atom.name for atom in residue.atoms()}
        if residue.name in ("CYS", "CYX", "CYM") and "HG" not in names and not names & {"OXT", "H3"}:
            templates[residue] = "CYX" if residue.index in bridged else "CYM"
    try:
        return field.createSystem(
            topology,
            nonbondedMethod=app.NoCutoff,
            constraints=None,
            rigidWater=False,
            removeCMMotion=False,
            ignoreExternalBonds=True,
            residueTemplates=templates,
        )
    except (
        Exception
    ) as error:  # OpenMM raises bare ValueError, KeyError and Exception for an unmatched residue
        found = re.search(r"residue (\d+) \((\w+)\)", str(error)) or re.search(
            r"[Rr]esidue (\d+)", str(error)
        )
        if found is None:
            raise
        raise ReceptorError(_unmatched(residues[int(found[1])], labels, name, str(error), field)) from error


def _unmatched(residue: Any, labels: tuple[str, ...], name: str, said: str, field: Any) -> str:
    where = f"{name}, {labels[residue.index]}"
    template = field._templates.get(residue.name)
    if template is None:
        amino_acid = {"N", "CA", "C"} <= {atom.name for atom in residue.atoms()}
        return (
            f"{where}: {PROTEIN} has no parameters for {residue.name}; leave it out (--drop {labels[residue.index]}, "
            f"or drop=['{labels[residue.index]}'] of docking.preparation.prepare)"
            + (", or mutate it to a standard residue" if amino_acid else "")
        )
    ours = {atom.name: atom.element.symbol for atom in residue.atoms()}
    wanted = {atom.name: atom.element.symbol for atom in template.atoms if atom.element is not None}
    missing = sorted(set(wanted) - set(ours))
    heavy = [atom for atom in missing if wanted[atom] != "H"]
    surplus = sorted(atom for atom in set(ours) - set(wanted) if ours[atom] != "H")
    if heavy:
        return (
            f"{where} lacks {', '.join(heavy)}; docking.preparation.prepare rebuilds it where enough of its atoms are there; "
            "where it does not, complete the residue in a modelling program, or leave it out "
            f"(--drop {labels[residue.index]})"
        )
    if surplus:
        return f"{where} has atoms that {residue.name} does not: {', '.join(surplus)}; rename the residue or delete them"
    counts = [sum(symbol == "H" for symbol in atoms.values()) for atoms in (ours, wanted)]
    if counts[0] != counts[1]:
        return (
            f"{where} has {counts[0]} hydrogens where {counts[1]} belong; remove all hydrogens and let "
            "docking.preparation.prepare place them"
        )
    return f"{where} fits no {PROTEIN} residue: {said.split('For more')[0].strip()}"
