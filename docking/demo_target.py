"""A real target without a download: the serotonin receptor 5-HT1B with ergotamine.

The coordinates ship inside the `prolif` package: the receptor as it was prepared for
simulation, hydrogens included, and ergotamine as bound (its 9,10 double bond tells it
from dihydroergotamine, so the crystal structure is PDB 4IAR and not 4IAQ). Residue
numbers are those of human 5-HT1B (UniProt P28222); chain A ends at 249 and chain B
begins at 298, since the third intracellular loop is not in the crystal.

References
----------
.. [1] C. Wang et al., Science 340 (2013) 610, doi:10.1126/science.1232807 (PDB 4IAR)
.. [2] C. Bouysset, S. Fiorucci, J. Cheminform. 13 (2021) 72, doi:10.1186/s13321-021-00548-6
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from rdkit import Chem
from rdkit.Chem import AllChem

from discovery.molecule import quiet_rdkit
from docking import preparation
from docking.receptor import Choice, Receptor, ReceptorError
from docking.site import Site

NAME = "5HT1B"
CITATION = "PDB 4IAR (Wang et al., Science 2013), prepared for simulation, as shipped with ProLIF"
# ergotamine with its amine protonated, as it is in the file
ERGOTAMINE = (
    "C[NH+]1C[C@H](C(=O)N[C@]2(C)O[C@@]3(O)[C@@H]4CCCN4C(=O)[C@H](Cc4ccccc4)N3C2=O)"
    "C=C2c3cccc4[nH]cc(c34)C[C@H]21"
)
MARGIN = 3.0  # Å; ergotamine is large, and 3 Å about it hold the whole pocket


@lru_cache(maxsize=1)
def receptor() -> Receptor:
    """The prepared receptor.

    Raises
    ------
    ImportError
        If ProLIF is not installed; the message names the extra.
    """
    made = preparation.prepare(_file("rec.pdb"))
    return Receptor("5-HT1B", made.pdb, made.pdbqt, (Choice("source", "", CITATION), *made.report))


@lru_cache(maxsize=1)
def reference_block() -> str:
    """Ergotamine as bound, with bond orders and hydrogens: a mol block."""
    drawn = Chem.MolFromPDBFile(str(_file("lig.pdb")), removeHs=False, proximityBonding=True)
    template = Chem.AddHs(Chem.MolFromSmiles(ERGOTAMINE))
    if drawn is None or drawn.GetNumAtoms() != template.GetNumAtoms():
        raise ReceptorError(
            "the ligand that this version of ProLIF ships is not ergotamine; use prolif 2.0.3 or later"
        )
    with quiet_rdkit():  # it says that more than one mapping fits; they differ in hydrogens of a methyl only
        bound = AllChem.AssignBondOrdersFromTemplate(template, drawn)  # type: ignore[no-untyped-call]
    Chem.AssignStereochemistryFrom3D(bound)
    bound.SetProp("_Name", "ergotamine (PDB 4IAR)")
    return str(Chem.MolToMolBlock(bound))


def reference() -> Chem.Mol:
    """Ergotamine as bound, an RDKit molecule with hydrogens and one conformer."""
    return Chem.MolFromMolBlock(reference_block(), removeHs=False)


@lru_cache(maxsize=1)
def site() -> Site:
    """The box around the bound ergotamine."""
    return Site.around(Chem.RemoveHs(reference()), margin=MARGIN)


def _file(name: str) -> Path:
    found = find_spec("prolif")
    if found is None or not found.submodule_search_locations:
        raise ImportError("the demo target needs: pip install 'discovery-workbench[docking]'")
    return Path(found.submodule_search_locations[0]) / "data" / "vina" / name
