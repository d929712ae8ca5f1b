"""Which mechanics does a cofactor have? A ligand's: Sage, and the graph model's charges.

A structure file tells neither bond orders nor hydrogens of a cofactor, so the commonest
organic ones are drawn here, protonated as at pH 7.4 (a phosphate at an end is a dianion);
what is bonded to what is read off distances. Groups that hold a metal (heme, iron-sulfur
clusters, cobalamin) have no parameters. No bond charge correction is published for phosphates,
so the graph model was taught none and goes beyond what it learned there: the receptor's notes say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rdkit import Chem
from rdkit.Chem import AllChem

from discovery.extras import needs
from discovery.molecule import quiet_rdkit
from discovery.outcome import MoleculeError
from docking.dynamics.parameters.charges import graph_charges
from docking.dynamics.parameters.sage import force_field
from docking.dynamics.parameters.smirnoff import ligand_terms
from docking.dynamics.terms import Terms
from docking.protein.hydrogens import neighbours
from docking.protein.structure import Atom, by_residue, coords
from docking.receptor import ReceptorError

with needs("dynamics"):
    from scipy.spatial import cKDTree

_BONDED = 1.9  # Å; nothing but a bond, or a metal, is as near to another residue's heavy atom
_METALS = frozenset({"Mg", "Mn", "Zn", "Ca", "Fe", "Cu", "Ni", "Co", "Cd", "Hg", "Na", "K"})
DRAWN = {  # by the Data Bank's name
    "AMP": "[O-]P([O-])(=O)OCC1OC(n2cnc3c(N)ncnc23)C(O)C1O",
    "ADP": "[O-]P([O-])(=O)OP([O-])(=O)OCC1OC(n2cnc3c(N)ncnc23)C(O)C1O",
    "ATP": "[O-]P([O-])(=O)OP([O-])(=O)OP([O-])(=O)OCC1OC(n2cnc3c(N)ncnc23)C(O)C1O",
    "GDP": "[O-]P([O-])(=O)OP([O-])(=O)OCC1OC(n2cnc3c(=O)[nH]c(N)nc23)C(O)C1O",
    "GTP": "[O-]P([O-])(=O)OP([O-])(=O)OP([O-])(=O)OCC1OC(n2cnc3c(=O)[nH]c(N)nc23)C(O)C1O",
    "NAD": "NC(=O)c4ccc[n+](c4)C5OC(COP([O-])(=O)OP([O-])(=O)OCC1OC(n2cnc3c(N)ncnc23)C(O)C1O)C(O)C5O",
    "NAI": "NC(=O)C4=CN(C=CC4)C5OC(COP([O-])(=O)OP([O-])(=O)OCC1OC(n2cnc3c(N)ncnc23)C(O)C1O)C(O)C5O",
    "NAP": "NC(=O)c4ccc[n+](c4)C5OC(COP([O-])(=O)OP([O-])(=O)OCC1OC(n2cnc3c(N)ncnc23)C(OP([O-])([O-])=O)C1O)C(O)C5O",
    "NDP": "NC(=O)C4=CN(C=CC4)C5OC(COP([O-])(=O)OP([O-])(=O)OCC1OC(n2cnc3c(N)ncnc23)C(OP([O-])([O-])=O)C1O)C(O)C5O",
    "FMN": "Cc1cc2nc3c(=O)[nH]c(=O)nc-3n(CC(O)C(O)C(O)COP([O-])([O-])=O)c2cc1C",
    "FAD": "Cc4cc5nc6c(=O)[nH]c(=O)nc-6n(CC(O)C(O)C(O)COP([O-])(=O)OP([O-])(=O)OCC1OC(n2cnc3c(N)ncnc23)C(O)C1O)c5cc4C",
    "SAM": "[O-]C(=O)C([NH3+])CC[S+](C)CC1OC(n2cnc3c(N)ncnc23)C(O)C1O",
    "SAH": "[O-]C(=O)C([NH3+])CCSCC1OC(n2cnc3c(N)ncnc23)C(O)C1O",
    "COA": "SCCNC(=O)CCNC(=O)C(O)C(C)(C)COP([O-])(=O)OP([O-])(=O)OCC1OC(n2cnc3c(N)ncnc23)C(O)C1OP([O-])([O-])=O",
    "ACO": "CC(=O)SCCNC(=O)CCNC(=O)C(O)C(C)(C)COP([O-])(=O)OP([O-])(=O)OCC1OC(n2cnc3c(N)ncnc23)C(O)C1OP([O-])([O-])=O",
    "TPP": "Cc1ncc(C[n+]2csc(CCOP([O-])(=O)OP([O-])([O-])=O)c2C)c(N)n1",
    "BTN": "[O-]C(=O)CCCCC1SCC2NC(=O)NC12",
    "H4B": "CC(O)C(O)C1CNc2nc(N)[nH]c(=O)c2N1",
}


@dataclass(frozen=True, slots=True, eq=False)
class Cofactor:
    """One of them, as it lies in a receptor; all hydrogens there."""

    label: str  # "A:NAP301"
    mol: Chem.Mol
    terms: Terms
    names: tuple[str, ...]  # [atom]
    note: str


def taken_out(atoms: Sequence[Atom], name: str) -> list[Cofactor]:
    """The cofactors among a receptor's atoms, with their mechanics.

    Raises
    ------
    ReceptorError
        One of them lacks atoms, or is bonded to the protein.
    """
    groups = by_residue(atoms)
    return [
        _understood(group, [a for a in atoms if a.place != place], f"{name}, {group[0].residue}")
        for place, group in groups.items()
        if group[0].resname in DRAWN
    ]


def _understood(group: Sequence[Atom], others: Sequence[Atom], where: str) -> Cofactor:
    label = group[0].residue
    cure = f"complete it, or leave it out (--drop {label})"
    heavy = [atom for atom in group if atom.element != "H"]
    around = [atom for atom in others if atom.element != "H" and atom.element not in _METALS]
    if around:
        gaps, nearest = cKDTree(coords(around)).query(coords(heavy))
        if gaps.min() < _BONDED:
            beside = around[int(nearest[int(gaps.argmin())])]
            raise ReceptorError(
                f"{where} is {gaps.min():.2f} Å from {beside.residue}: bonded to it, a cofactor has no parameters; "
                f"leave it out (--drop {label})"
            )
    template = Chem.MolFromSmiles(DRAWN[group[0].resname])
    if len(heavy) != template.GetNumAtoms():
        raise ReceptorError(
            f"{where} has {len(heavy)} heavy atom(s) where {template.GetNumAtoms()} belong; {cure}"
        )
    drawn = Chem.RWMol()
    for atom in heavy:
        drawn.AddAtom(Chem.Atom(atom.element))
    for i, near in enumerate(neighbours(heavy)):
        for j in near:
            if i < j:
                drawn.AddBond(i, j, Chem.BondType.SINGLE)
    conformer = Chem.Conformer(len(heavy))
    conformer.SetPositions(np.asarray(coords(heavy), dtype=np.float64))
    drawn.AddConformer(conformer)
    try:
        with (
            quiet_rdkit()
        ):  # it says that more than one mapping fits; they differ in oxygens of a phosphate only
            mol = AllChem.AssignBondOrdersFromTemplate(template, drawn)  # type: ignore[no-untyped-call]
    except ValueError as error:
        raise ReceptorError(
            f"{where}: its atoms are not bonded as in {group[0].resname}, by their distances; {cure}"
        ) from error
    mol = Chem.AddHs(mol, addCoords=True)
    try:
        charges = graph_charges(mol, where)
        field = force_field()
        terms = ligand_terms(mol, charges.values, field, where)
    except MoleculeError as error:
        raise ReceptorError(f"{error}; leave it out (--drop {label})") from error
    beyond = ", of its phosphates a guess" if any(atom.element == "P" for atom in heavy) else ""
    hydrogens = [f"H{i + 1}" for i in range(mol.GetNumAtoms() - len(heavy))]
    return Cofactor(
        label=label,
        mol=mol,
        terms=terms,
        names=(*(atom.name for atom in heavy), *hydrogens),
        note=f"{label} with the parameters of {field.name} and charges of the {charges.method} model{beyond}, "
        f"{Chem.GetFormalCharge(mol):+d} e in all",
    )
