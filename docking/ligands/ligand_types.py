"""What AutoDock 4 calls each atom of a ligand.

The rules restate Meeko's table of SMARTS, later lines overruling earlier ones.
The docking engines turn these types into their own.
"""

from __future__ import annotations

from rdkit import Chem

from discovery.outcome import MoleculeError, Reason

_RULES = tuple(
    (Chem.MolFromSmarts(smarts), kind)
    for smarts, kind in (
        ("[#1]", "H"),
        ("[#1][#7,#8,#9,#15,#16]", "HD"),
        # Vina's function has no boron; carbon is its neighbour in size and makes no hydrogen bond
        ("[#5]", "C"),
        ("[C]", "C"),
        ("[c]", "A"),
        ("[#7]", "NA"),
        ("[#8]", "OA"),
        ("[#9]", "F"),
        ("[#12]", "Mg"),
        ("[#14]", "Si"),
        ("[#15]", "P"),
        ("[#16]", "S"),
        ("[#17]", "Cl"),
        ("[#20]", "Ca"),
        ("[#25]", "Mn"),
        ("[#26]", "Fe"),
        ("[#30]", "Zn"),
        ("[#34]", "Se"),
        ("[#35]", "Br"),
        ("[#53]", "I"),
        ("[#7X3v3][a]", "N"),  # pyrrole, aniline: the lone pair is in the ring
        ("[#7X3v3][#6X3v4]", "N"),  # amide
        ("[#7X3v3][NX2]=[*]", "N"),  # triazene
        ("[#7+1]", "N"),  # ammonium, pyridinium
        ("[SX2]", "SA"),
    )
)


def types(mol: Chem.Mol, shown: str) -> list[str]:
    """One AutoDock 4 type per atom of a molecule with explicit hydrogens; "H" is not seen by docking.

    Raises
    ------
    MoleculeError
        UNSUPPORTED for an element without a type, naming it.
    """
    found = [""] * mol.GetNumAtoms()
    for pattern, kind in _RULES:
        for hit in mol.GetSubstructMatches(pattern, maxMatches=10 * len(found)):
            found[hit[0]] = kind
    unknown = sorted({atom.GetSymbol() for atom in mol.GetAtoms() if not found[atom.GetIdx()]})
    if unknown:
        raise MoleculeError(
            Reason.UNSUPPORTED, f"{shown} holds {', '.join(unknown)}, for which docking has no atom type"
        )
    return found
