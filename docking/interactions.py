"""Which residues does a pose touch, and how?

Contacts are ProLIF's, by its own distances and angles; ours is the receptor's
chemistry (protein/receptor_mol.py) and the plain records. How much a contact is worth is
not decided here.

References
----------
.. [1] C. Bouysset, S. Fiorucci, J. Cheminform. 13 (2021) 72, doi:10.1186/s13321-021-00548-6
"""

from __future__ import annotations

import warnings
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from rdkit import Chem

from discovery.extras import needs
from docking.pose import Pose
from docking.protein import receptor_mol
from docking.protein.structure import Atom
from docking.receptor import Receptor

with (
    needs("docking"),
    warnings.catch_warnings(record=True),
):  # MDAnalysis tells of its own moved tables, whatever the filters
    from prolif.fingerprint import Fingerprint
    from prolif.molecule import Molecule


REACH = 8.0  # Å; ProLIF looks no further than 6 Å, ring centres included

KINDS = {
    "HBDonor": "hydrogen bond, ligand donates",
    "HBAcceptor": "hydrogen bond, ligand accepts",
    "Cationic": "salt bridge, ligand positive",
    "Anionic": "salt bridge, ligand negative",
    "CationPi": "cation-pi, ligand positive",
    "PiCation": "cation-pi, residue positive",
    "FaceToFace": "ring stacking, face to face",
    "EdgeToFace": "ring stacking, edge to face",
    "XBDonor": "halogen bond",
    "MetalAcceptor": "holds a metal",
    "Hydrophobic": "hydrophobic",
}


@dataclass(frozen=True, slots=True)
class Contact:
    """One kind of contact with one residue, at its shortest."""

    residue: str  # "A:ASP129"
    kind: str  # one of KINDS' values
    distance: float  # Å, as ProLIF measures it for this kind (rings: between centres)
    ligand_atoms: tuple[int, ...]  # indices in pose.mol()

    def plain(self) -> dict[str, Any]:
        """JSON values."""
        return {**asdict(self), "ligand_atoms": list(self.ligand_atoms)}


def contacts(pose: Pose, receptor: Receptor) -> list[Contact]:
    """Every contact of a pose, by chain and residue number, then by kind.

    Of several contacts of a kind with one residue the shortest is given.
    """
    pocket = receptor_mol.near(_atoms(receptor), pose.coords, REACH)
    if not pocket:
        return []
    with warnings.catch_warnings(record=True):
        protein = Molecule.from_rdkit(receptor_mol.build(pocket))
        ligand = Molecule.from_rdkit(_named(pose.mol()))
        found = _fingerprint().generate(ligand, protein, metadata=True)
    result = []
    for (_, residue), kinds in found.items():
        for kind, hits in kinds.items():
            best = min(hits, key=lambda hit: (round(hit["distance"], 3), hit["parent_indices"]["ligand"]))
            shown = f"{residue.chain or ''}:{residue.name}{residue.number}"
            atoms = tuple(int(i) for i in best["parent_indices"]["ligand"])
            result.append(
                (
                    (residue.chain or "", residue.number),
                    Contact(shown, KINDS[kind], round(float(best["distance"]), 2), atoms),
                )
            )
    order = list(KINDS.values())
    return [contact for _, contact in sorted(result, key=lambda pair: (pair[0], order.index(pair[1].kind)))]


@lru_cache(maxsize=2)
def _atoms(receptor: Receptor) -> tuple[Atom, ...]:
    return receptor_mol.atoms_of(receptor)


@lru_cache(maxsize=1)
def _fingerprint() -> Fingerprint:
    return Fingerprint(list(KINDS))


def _named(mol: Chem.Mol) -> Chem.Mol:
    for atom in mol.GetAtoms():
        atom.SetMonomerInfo(Chem.AtomPDBResidueInfo(atom.GetSymbol(), atom.GetIdx(), "", "LIG", 1, ""))
    return mol
