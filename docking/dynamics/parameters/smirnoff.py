"""Which molecular-mechanics parameters does a SMIRNOFF force field give a ligand?

Every parameter is a SMARTS pattern; of all patterns that match a bond, angle, torsion
or atom, the last one in the file wins. The answer is `Terms`, written straight from
the assignment: matching residue templates by graph alone can swap atoms that are
equivalent as a graph but not in the file (the nitrogens of a tetrazolate).

Where the figures come from is the business of sage.py, where charges come from that of
charges.py. Constraints and library charges (water, ions) in a file are not used: a
ligand's charges are computed, and bonds are constrained, if at all, by the protocol.

References
----------
.. [1] Mobley et al., J. Chem. Theory Comput. 14, 6076 (2018), doi 10.1021/acs.jctc.8b00640.
.. [2] The SMIRNOFF specification, https://openforcefield.github.io/standards/standards/smirnoff/
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from rdkit import Chem

from discovery.molecule import quiet_rdkit
from discovery.outcome import MoleculeError, Reason
from docking.dynamics.terms import Floats, Ints, Terms
from docking.dynamics.water.solvent import born_parameters

_KJ = 4.184  # kJ per kcal, exact
Key = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One line of the force field: a pattern and what it stands for.

    `values` are, by section: bonds (Å, kcal/mol/Å²), angles (degrees, kcal/mol/rad²),
    torsions (periodicity, degrees, kcal/mol, divisor) once per Fourier term, van der
    Waals (half the distance of the minimum in Å, depth in kcal/mol).
    """

    id: str
    smirks: str
    values: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LigandForceField:
    """A SMIRNOFF force field, reduced to what a ligand needs. Order matters: the last match wins."""

    name: str
    bonds: tuple[Parameter, ...]
    angles: tuple[Parameter, ...]
    propers: tuple[Parameter, ...]
    impropers: tuple[Parameter, ...]
    vdw: tuple[Parameter, ...]
    scale14_vdw: float = 0.5
    scale14_coulomb: float = 0.8333333333  # ten digits, as the file has it


@dataclass(frozen=True, slots=True)
class Assignment:
    """Which parameter each valence term of a molecule got; keys are atom indices."""

    bonds: Mapping[Key, Parameter]
    angles: Mapping[Key, Parameter]
    propers: Mapping[Key, Parameter]
    impropers: Mapping[Key, Parameter]  # the central atom stands second
    vdw: Mapping[Key, Parameter]


def checked(mol: Chem.Mol, name: str) -> Chem.Mol:
    """A ligand that a force field can take: whole, in one piece, all hydrogens there.

    Raises
    ------
    MoleculeError
        EMPTY, UNSUPPORTED or UNPREPARED, naming the atom and what to do.
    """
    if mol.GetNumAtoms() == 0:
        raise MoleculeError(Reason.EMPTY, f"{name} has no atoms")
    pieces = len(Chem.GetMolFrags(mol))
    if pieces > 1:
        raise MoleculeError(
            Reason.UNSUPPORTED,
            f"{name} is {pieces} separate molecules; keep one (salts and waters are stripped by Molecule.parse)",
        )
    with quiet_rdkit():
        clean = Chem.Mol(mol)
        try:
            Chem.SanitizeMol(clean)
        except ValueError as error:
            raise MoleculeError(Reason.UNPREPARED, _problem(mol, name, str(error))) from error
    for atom in clean.GetAtoms():
        where = f"{name}, atom {atom.GetSymbol()}{atom.GetIdx() + 1}"
        if atom.GetAtomicNum() == 0:
            raise MoleculeError(Reason.UNSUPPORTED, f"{where} is a placeholder (*); give a whole molecule")
        if atom.GetTotalNumHs(includeNeighbors=False):
            raise MoleculeError(
                Reason.UNPREPARED,
                f"{where} lacks {atom.GetTotalNumHs(includeNeighbors=False)} explicit hydrogen(s); "
                "discovery dock --score-only writes poses with them, for a pH; or Chem.AddHs(mol, addCoords=True)",
            )
        if atom.GetNumRadicalElectrons():
            raise MoleculeError(
                Reason.UNSUPPORTED,
                f"{where} has {atom.GetNumRadicalElectrons()} unpaired electron(s); correct its valence or charge",
            )
    return clean


def _problem(mol: Chem.Mol, name: str, said: str) -> str:
    """What RDKit refuses, with atoms counted as in the file: from 1."""
    for problem in Chem.DetectChemistryProblems(mol):
        if hasattr(problem, "GetAtomIdx"):
            atom = mol.GetAtomWithIdx(problem.GetAtomIdx())
            bonds = sum(bond.GetBondTypeAsDouble() for bond in atom.GetBonds())
            return (
                f"{name}, atom {atom.GetSymbol()}{atom.GetIdx() + 1}: a valence of {bonds:g} with charge "
                f"{atom.GetFormalCharge():+d} cannot be; correct its bonds or its charge"
            )
        if hasattr(problem, "GetAtomIndices"):
            where = ", ".join(f"{mol.GetAtomWithIdx(i).GetSymbol()}{i + 1}" for i in problem.GetAtomIndices())
            return (
                f"{name}: the aromatic ring of {where} cannot be kekulized; correct its hydrogens or charges"
            )
    return f"{name}: {said}; correct the structure"


def assign(mol: Chem.Mol, field: LigandForceField, name: str = "the ligand") -> Assignment:
    """The winning parameter of every bond, angle, proper, improper and atom.

    Parameters
    ----------
    mol
        All hydrogens explicit; coordinates are not used.
    field
        Which figures to assign: see sage.py.

    Raises
    ------
    MoleculeError
        As `checked`; UNSUPPORTED if a term has no parameter, naming its atoms.
    """
    view = _mdl_view(checked(mol, name))
    bonds = _matches(view, field.bonds)
    angles = _matches(view, field.angles)
    propers = _matches(view, field.propers)
    vdw = _matches(view, field.vdw)
    impropers = _improper_matches(view, field.impropers)
    chosen = Assignment(
        bonds=_covering("bond", bond_keys(view), bonds, view, field, name),
        angles=_covering("angle", angle_keys(view), angles, view, field, name),
        propers=_covering("torsion", proper_keys(view), propers, view, field, name),
        impropers=impropers,
        vdw=_covering("van der Waals", ((a,) for a in range(view.GetNumAtoms())), vdw, view, field, name),
    )
    return chosen


def ligand_terms(mol: Chem.Mol, charges: Floats, field: LigandForceField, name: str = "the ligand") -> Terms:
    """A ligand's mechanics: the force field's valence and van der Waals terms, the charges given.

    Parameters
    ----------
    mol
        All hydrogens explicit.
    charges : [atom], e
        In the molecule's atom order.

    Raises
    ------
    MoleculeError
        As `assign`.
    ValueError
        If there is not one finite charge per atom, or they do not add up to the formal charge.
    """
    if charges.shape != (mol.GetNumAtoms(),) or not np.isfinite(charges).all():
        raise ValueError(
            f"{name} has {mol.GetNumAtoms()} atoms but charges of shape {charges.shape}, or not finite"
        )
    formal = Chem.GetFormalCharge(mol)
    if abs(charges.sum() - formal) > 0.01:
        raise ValueError(
            f"{name}: the charges add up to {charges.sum():.3f} e but the formal charge is {formal} e"
        )
    chosen = assign(mol, field, name)
    bonds, bond_values = _columns(chosen.bonds, 2)
    angles, angle_values = _columns(chosen.angles, 3)
    torsions, torsion_values = _torsion_columns(chosen)
    vdw = np.array([chosen.vdw[(a,)].values for a in range(mol.GetNumAtoms())])
    sigma = vdw[:, 0] * 2.0 / 2.0 ** (1.0 / 6.0) / 10.0
    epsilon = vdw[:, 1] * _KJ
    exceptions, kinds = _exceptions(mol)
    near = kinds == 3
    a, b = exceptions[:, 0], exceptions[:, 1]
    numbers = np.array([atom.GetAtomicNum() for atom in mol.GetAtoms()], dtype=np.int64)
    radius, scale = born_parameters(numbers, bonds)
    return Terms(
        mass=np.array([atom.GetMass() for atom in mol.GetAtoms()]),
        charge=charges.astype(np.float64),
        sigma=sigma,
        epsilon=epsilon,
        gb_radius=radius,
        gb_scale=scale,
        bonds=bonds,
        bond_values=bond_values * [0.1, _KJ * 100.0],
        angles=angles,
        angle_values=angle_values * [math.pi / 180.0, _KJ],
        torsions=torsions,
        torsion_values=torsion_values,
        exceptions=exceptions,
        exception_values=np.stack(
            [
                np.where(near, charges[a] * charges[b] * field.scale14_coulomb, 0.0),
                (sigma[a] + sigma[b]) / 2.0,
                np.where(near, np.sqrt(epsilon[a] * epsilon[b]) * field.scale14_vdw, 0.0),
            ],
            axis=1,
        ),
    )


def bond_keys(mol: Chem.Mol) -> list[Key]:
    """Every bond, lower index first."""
    return [_straight((b.GetBeginAtomIdx(), b.GetEndAtomIdx())) for b in mol.GetBonds()]


def angle_keys(mol: Chem.Mol) -> list[Key]:
    """Every angle, the middle atom second."""
    keys: list[Key] = []
    for middle in mol.GetAtoms():
        around = sorted(n.GetIdx() for n in middle.GetNeighbors())
        keys += [(a, middle.GetIdx(), c) for i, a in enumerate(around) for c in around[i + 1 :]]
    return keys


def proper_keys(mol: Chem.Mol) -> list[Key]:
    """Every chain of three bonds over four different atoms."""
    keys = []
    for bond in mol.GetBonds():
        b, c = bond.GetBeginAtom(), bond.GetEndAtom()
        for a in b.GetNeighbors():
            for d in c.GetNeighbors():
                key = (a.GetIdx(), b.GetIdx(), c.GetIdx(), d.GetIdx())
                if len(set(key)) == 4:
                    keys.append(_straight(key))
    return keys


def _mdl_view(mol: Chem.Mol) -> Chem.Mol:
    """The molecule under the aromaticity model the patterns were written for (OEAroModel_MDL)."""
    view = Chem.Mol(mol)
    with quiet_rdkit():
        Chem.Kekulize(view, clearAromaticFlags=True)
        Chem.SetAromaticity(view, Chem.AromaticityModel.AROMATICITY_MDL)
        Chem.AssignStereochemistry(view, cleanIt=True, force=True)
    return view


@lru_cache(maxsize=4096)
def pattern(smirks: str) -> tuple[Chem.Mol, tuple[int, ...]]:
    """A compiled SMARTS, with the query atoms that carry map numbers 1, 2, ... in that order.

    Raises
    ------
    ValueError
        If RDKit cannot read it, or nothing is mapped.
    """
    query = Chem.MolFromSmarts(smirks)
    if query is None:
        raise ValueError(f"RDKit cannot read the SMARTS {smirks!r}")
    mapped = sorted(
        (atom.GetAtomMapNum(), atom.GetIdx()) for atom in query.GetAtoms() if atom.GetAtomMapNum() > 0
    )
    if not mapped:
        raise ValueError(f"the SMARTS {smirks!r} maps no atom (:1, :2, ...)")
    return query, tuple(index for _, index in mapped)


def _found(mol: Chem.Mol, smirks: str) -> Iterable[Key]:
    query, mapped = pattern(smirks)
    hits = mol.GetSubstructMatches(query, uniquify=False, useChirality=True, maxMatches=10_000_000)
    return [tuple(hit[i] for i in mapped) for hit in hits]


def _matches(mol: Chem.Mol, parameters: Iterable[Parameter]) -> dict[Key, Parameter]:
    won: dict[Key, Parameter] = {}
    for parameter in parameters:
        for hit in _found(mol, parameter.smirks):
            won[_straight(hit)] = parameter
    return won


def _improper_matches(mol: Chem.Mol, parameters: Iterable[Parameter]) -> dict[Key, Parameter]:
    won: dict[Key, Parameter] = {}
    for parameter in parameters:
        for a, centre, b, c in _found(mol, parameter.smirks):
            low, middle, high = sorted((a, b, c))
            won[(low, centre, middle, high)] = parameter
    return won


def _straight(key: Key) -> Key:
    """One name for a chain read from either end."""
    return key if key[0] <= key[-1] else key[::-1]


def _covering(
    what: str,
    wanted: Iterable[Key],
    won: Mapping[Key, Parameter],
    mol: Chem.Mol,
    field: LigandForceField,
    name: str,
) -> dict[Key, Parameter]:
    kept = {}
    for key in wanted:
        if key not in won:
            atoms = "-".join(f"{mol.GetAtomWithIdx(a).GetSymbol()}{a + 1}" for a in key)
            raise MoleculeError(
                Reason.UNSUPPORTED,
                f"{name}: {field.name} has no {what} parameter for {atoms}; "
                "leave this molecule out of dynamics or pass another force field (.offxml)",
            )
        kept[key] = won[key]
    return kept


def _columns(chosen: Mapping[Key, Parameter], width: int) -> tuple[Ints, Floats]:
    keys = np.array(list(chosen), dtype=np.int64).reshape(-1, width)
    values = np.array([p.values for p in chosen.values()], dtype=np.float64).reshape(-1, 2)
    return keys, values


def _torsion_columns(chosen: Assignment) -> tuple[Ints, Floats]:
    keys: list[Key] = []
    values: list[tuple[float, float, float]] = []
    for key, parameter in chosen.propers.items():
        for periodicity, phase, k, divisor in _terms_of(parameter):
            keys.append(key)
            values.append((periodicity, math.radians(phase), k * _KJ / divisor))
    for (a, centre, b, c), parameter in chosen.impropers.items():
        # The trefoil of the specification: three orders of the outer atoms share the barrier.
        for outer in ((a, b, c), (b, c, a), (c, a, b)):
            for periodicity, phase, k, divisor in _terms_of(parameter):
                keys.append((centre, *outer))
                values.append((periodicity, math.radians(phase), k * _KJ / divisor))
    return (
        np.array(keys, dtype=np.int64).reshape(-1, 4),
        np.array(values, dtype=np.float64).reshape(-1, 3),
    )


def _terms_of(parameter: Parameter) -> list[tuple[float, float, float, float]]:
    v = parameter.values
    return [(v[i], v[i + 1], v[i + 2], v[i + 3]) for i in range(0, len(v), 4)]


def _exceptions(mol: Chem.Mol) -> tuple[Ints, Ints]:
    """Pairs at most three bonds apart, and how many."""
    apart = Chem.GetDistanceMatrix(mol)
    a, b = np.nonzero(np.triu(apart <= 3, k=1))
    return np.stack([a, b], axis=1).astype(np.int64), apart[a, b].astype(np.int64)
