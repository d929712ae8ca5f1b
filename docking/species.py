"""Which species of a molecule meets the protein at this pH?

A drawn molecule is neutral and may leave stereo centres open; what is docked has
charges and one hand at every centre. Tautomers are docked as drawn: none is
chosen over another here.
"""

from __future__ import annotations

from dataclasses import dataclass

from rdkit import Chem
from rdkit.Chem.EnumerateStereoisomers import (
    EnumerateStereoisomers,
    GetStereoisomerCount,
    StereoEnumerationOptions,
)

from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import MoleculeError, Reason

try:
    from dimorphite_dl import protonate_smiles
except ImportError as error:
    raise ImportError("preparing ligands needs: pip install 'discovery-workbench[docking]'") from error

BODY_PH = 7.4
MOST_DRAWN = 32  # stereoisomers looked at per molecule; beyond it they are a random, seeded sample

# Dimorphite-DL learned phenols (mean pKa 7.1, spread 3.3) from many nitrophenols, so at pH 7.4 it would
# charge plain ones, whose pKa is 10. They keep their hydrogen unless the ring pulls electrons hard.
_PHENOLATE = Chem.MolFromSmarts("[O-;X1][c]")
_ACIDIC_PHENOLATES = tuple(
    Chem.MolFromSmarts(smarts)
    for smarts in (
        "[O-;X1]c:c[N+](=O)[O-]",
        "[O-;X1]c:c:c:c[N+](=O)[O-]",
        "[O-;X1]c1c([F,Cl,Br])c([F,Cl,Br])cc([F,Cl,Br])c1",
        "[O-;X1]c1c([F,Cl,Br])cc([F,Cl,Br])cc1[F,Cl,Br]",
        "[O-;X1]c1c([F,Cl,Br])c([F,Cl,Br])c([F,Cl,Br])cc1",
    )
)


@dataclass(frozen=True, slots=True)
class Species:
    """A protonation state with every stereo centre decided."""

    smiles: str
    notes: tuple[str, ...] = ()


def protonated(molecule: Molecule, ph: float = BODY_PH) -> str:
    """The most likely protonation state at a pH, as SMILES.

    Sites are decided one by one by Dimorphite-DL's mean pKa; phenols by the rule above.

    Raises
    ------
    MoleculeError
        UNPREPARED if the answer cannot be read or is not the same molecule.

    References
    ----------
    .. [1] P. Ropp et al., J. Cheminform. 11 (2019) 14, doi:10.1186/s13321-019-0336-9
    """
    return states(molecule, ph, spread=0.0, most=1)[0]


def states(molecule: Molecule, ph: float = BODY_PH, *, spread: float = 1.0, most: int = 4) -> list[str]:
    """Protonation states within `spread` standard deviations of each site's pKa, likeliest first.

    Raises
    ------
    MoleculeError
        As `protonated`.
    ValueError
        If the pH lies outside 0 to 14.
    """
    if not 0.0 <= ph <= 14.0:
        raise ValueError(f"a pH lies between 0 and 14, not {ph}")
    with quiet_rdkit():
        found = [
            *_dimorphite(molecule, ph, 0.0, 1),
            *(_dimorphite(molecule, ph, spread, 64) if most > 1 else ()),
        ]
        kept = [_plain_phenols(smiles, ph) for smiles in found]
    unlike = [smiles for smiles in kept if not _same_skeleton(molecule, smiles)]
    if unlike:
        raise MoleculeError(
            Reason.UNPREPARED,
            f"{molecule.shown}: protonation at pH {ph:g} gave another molecule, {unlike[0]}",
        )
    return list(dict.fromkeys(kept))[:most]


def isomers(smiles: str, most: int) -> tuple[list[str], int]:
    """Stereoisomers that fit what is drawn, in a fixed order, and how many there are.

    Up to `MOST_DRAWN` are given, so that a caller may pass over those that no
    geometry can have (a trans bridge) and still find `most` that it can.
    """
    mol = Chem.MolFromSmiles(smiles)
    # RDKit's enumeration is plain Python without annotations
    options = StereoEnumerationOptions(  # type: ignore[no-untyped-call]
        onlyUnassigned=True, unique=True, maxIsomers=max(most, MOST_DRAWN), rand=1
    )
    with quiet_rdkit():
        count = GetStereoisomerCount(mol, options=options)  # type: ignore[no-untyped-call]
        found = EnumerateStereoisomers(mol, options=options)  # type: ignore[no-untyped-call]
        drawn = sorted(str(Chem.MolToSmiles(isomer)) for isomer in found)
    return drawn, int(count)


def _dimorphite(molecule: Molecule, ph: float, spread: float, most: int) -> list[str]:
    found = protonate_smiles(molecule.smiles, ph_min=ph, ph_max=ph, precision=spread, max_variants=most)
    if not found:
        raise MoleculeError(
            Reason.UNPREPARED, f"{molecule.shown}: no protonation state was found at pH {ph:g}"
        )
    return [str(smiles) for smiles in found]


def _plain_phenols(smiles: str, ph: float) -> str:
    """Give plain phenols (pKa near 10) their hydrogen back below pH 10."""
    mol = Chem.MolFromSmiles(smiles)
    if mol is None or ph >= 10.0:
        return smiles
    acidic = {hit[0] for pattern in _ACIDIC_PHENOLATES for hit in mol.GetSubstructMatches(pattern)}
    plain = [hit[0] for hit in mol.GetSubstructMatches(_PHENOLATE) if hit[0] not in acidic]
    for index in plain:
        atom = mol.GetAtomWithIdx(index)
        atom.SetFormalCharge(0)
        atom.SetNumExplicitHs(0)
        atom.SetNoImplicit(False)
    Chem.SanitizeMol(mol)
    return str(Chem.MolToSmiles(mol))


def _same_skeleton(molecule: Molecule, smiles: str) -> bool:
    """Same heavy atoms and as many bonds: protonation may move hydrogens and charges only."""
    mol, drawn = Chem.MolFromSmiles(smiles), molecule.mol()
    if mol is None:
        return False
    return sorted(a.GetAtomicNum() for a in mol.GetAtoms()) == sorted(
        a.GetAtomicNum() for a in drawn.GetAtoms()
    ) and bool(mol.GetNumBonds() == drawn.GetNumBonds())
