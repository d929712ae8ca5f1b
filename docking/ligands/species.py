"""Which species of a molecule meets the protein at this pH?

A drawn molecule is neutral and may leave stereo centres open; what is docked has
charges and one hand at every centre. A molecule is docked in the tautomer it is drawn
in, and in others beside it if asked for: which of them binds is for docking to say.
"""

from __future__ import annotations

from rdkit import Chem
from rdkit.Chem.EnumerateStereoisomers import (
    EnumerateStereoisomers,
    GetStereoisomerCount,
    StereoEnumerationOptions,
)
from rdkit.Chem.MolStandardize import rdMolStandardize

from discovery.extras import needs
from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import MoleculeError, Reason

with needs("docking"):
    from dimorphite_dl import protonate_smiles


BODY_PH = 7.4
MOST_TAUTOMERS = 64  # looked at per molecule; some have thousands, most of them far up in energy
MOST_TRANSFORMS = 256
_IMIDIC = Chem.MolFromSmarts("[OX2H,SX2H][C;!a]=[NX2]")
MOST_DRAWN = 32  # stereoisomers looked at per molecule; beyond it they are a random, seeded sample

# Where Dimorphite-DL's site table errs at body pH, and the pKa that says so. Its phenols (mean 7.1, spread 3.3)
# were learned from many nitrophenols; its sites do not feel each other's charge, so both amines of a
# piperazine would be charged. (what it made, atom 0 the charged one; pKa below which it is wrong)
_TOO_ACID = tuple(
    (Chem.MolFromSmarts(smarts), pka)
    for smarts, pka in (
        ("[O-;X1][c]", 10.0),  # phenol 9.99
        ("[n-;r6]c=O", 9.4),  # uracil 9.45
        ("[N-;r5]1C(=O)[CX4][NX3]C1=O", 8.3),  # phenytoin 8.33
        ("[N-;X2]([NX3;!$(NC=O);!$(NS=O)])C(=O)", 12.5),  # acetohydrazide's N-H
    )
)
_ACIDIC_PHENOLATES = tuple(  # that keep their charge
    Chem.MolFromSmarts(smarts)
    for smarts in (
        "[O-;X1]c:c[N+](=O)[O-]",
        "[O-;X1]c:c:c:c[N+](=O)[O-]",
        "[O-;X1]c1c([F,Cl,Br])c([F,Cl,Br])cc([F,Cl,Br])c1",
        "[O-;X1]c1c([F,Cl,Br])cc([F,Cl,Br])cc1[F,Cl,Br]",
        "[O-;X1]c1c([F,Cl,Br])c([F,Cl,Br])c([F,Cl,Br])cc1",
    )
)
# Enols as acid as carboxylic acids, which Dimorphite-DL takes for plain enols of pKa 9 and leaves neutral.
# (its hydroxyl first; pKa above which it is charged, in water unless said)
# Warfarin 5.03 to 5.06: V. Stella et al., J. Pharm. Sci. 73 (1984) 946, doi:10.1002/jps.2600730721; 4-hydroxycoumarins
# without a side chain are given the same. Ascorbic acid 4.1, from its first constant of 7.9e-5. Oxicams at 25 °C: piroxicam
# 5.2, tenoxicam 5.1, meloxicam 4.0: D. Başat Dereli, doi:10.33483/jfpau.1107620; up to 5.7 for piroxicam: M. Çelebier
# et al., Turk. J. Pharm. Sci. 17 (2020) 535, doi:10.4274/tjps.galenos.2019.82335. Hydroxynaphthoquinones, in half ethanol:
# lapachol above 6, isolapachol below: T. Ossowski et al., J. Braz. Chem. Soc. 19 (2008) 175; lawsone is given the same.
_ACID_ENOLS = tuple(
    (Chem.MolFromSmarts(smarts), pka)
    for smarts, pka in (
        ("[OX2H]c1cc(=O)oc2ccccc12", 5.1),  # 4-hydroxycoumarins
        ("[OX2H]c1c(*)c(=O)oc2ccccc12", 5.1),
        ("[OX2H]C1=C([OX2])C(=O)O[CX4]1", 4.1),  # ascorbic acid, the hydroxyl on carbon 3
        ("[OX2H]C1=C(C(=O)N)N([#6])S(=O)(=O)c2aaaac12", 5.7),  # oxicams
        ("[OX2H]C1=C(*)C(=O)c2ccccc2C1=O", 6.5),  # 2-hydroxy-1,4-naphthoquinones
        ("[OX2H]C1=[CH]C(=O)c2ccccc2C1=O", 6.5),
    )
)
_NEIGHBOUR_AMMONIUM = Chem.MolFromSmarts("[N;+;!H0;X4][CX4][CX4][N;+;!H0;X4]")
SECOND_AMINE = 6.5  # ethylenediamine 6.85, piperazine 5.3, tetramethylethylenediamine 5.9
_AMINOPYRIDINE = Chem.MolFromSmarts("[nX2;+0]1ccc([NX3;+0;!$(N[C,S]=O);!$(N(a)a)])cc1")
AMINOPYRIDINE = 9.1  # 4-aminopyridine 9.1, its dimethyl 9.7


def protonated(molecule: Molecule, ph: float = BODY_PH) -> str:
    """The most likely protonation state at a pH, as SMILES.

    Sites are decided one by one by Dimorphite-DL's mean pKa, then corrected where
    published pKa values contradict it (phenols, uracils, hydantoins, vinylogous acids,
    neighbouring amines, 4-aminopyridines: the tables above).

    Raises
    ------
    MoleculeError
        UNPREPARED if the answer cannot be read or is not the same molecule.
    ValueError
        If the pH lies outside 0 to 14.

    References
    ----------
    .. [1] P. Ropp et al., J. Cheminform. 11 (2019) 14, doi:10.1186/s13321-019-0336-9
    """
    if not 0.0 <= ph <= 14.0:
        raise ValueError(f"a pH lies between 0 and 14, not {ph}")
    with quiet_rdkit():
        made = protonate_smiles(molecule.smiles, ph_min=ph, ph_max=ph, precision=0.0, max_variants=1)
        if not made:
            raise MoleculeError(
                Reason.UNPREPARED, f"{molecule.shown}: no protonation state was found at pH {ph:g}"
            )
        found = _corrected(str(made[0]), ph)
        mol = Chem.MolFromSmiles(found)
    if mol is None or _skeleton(mol) != _skeleton(molecule.mol()):
        raise MoleculeError(
            Reason.UNPREPARED, f"{molecule.shown}: protonation at pH {ph:g} gave another molecule, {found}"
        )
    return found


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


def tautomers(smiles: str, most: int) -> tuple[list[str], int]:
    """The molecule as drawn, then its other tautomers, likeliest first, and how many there are of these.

    Only hydrogens on heteroatoms move: enols, imidic acids and ring forms that are no
    longer aromatic lie far up in energy. Likelier is what RDKit's scoring prefers, equals
    in the order of SMILES. At most `MOST_TAUTOMERS` of RDKit's are looked at.

    References
    ----------
    .. [1] M. Sitzmann, W.-D. Ihlenfeldt, M. Nicklaus, J. Comput. Aided Mol. Des. 24 (2010) 521,
       doi:10.1007/s10822-010-9346-4
    """
    if most <= 1:
        return [smiles], 1
    seek = rdMolStandardize.TautomerEnumerator()
    seek.SetMaxTautomers(MOST_TAUTOMERS)
    seek.SetMaxTransforms(MOST_TRANSFORMS)
    seek.SetRemoveSp3Stereo(False)
    seek.SetRemoveBondStereo(False)
    seek.SetReassignStereo(True)
    with quiet_rdkit():
        drawn = Chem.MolFromSmiles(smiles)
        found = [
            (-seek.ScoreTautomer(one), str(Chem.MolToSmiles(one)))
            for one in seek.Enumerate(drawn)
            if _near(drawn, one)
        ]
    same = str(Chem.MolToSmiles(drawn))
    others = [other for _, other in sorted(set(found)) if other != same]
    return [smiles, *others[: most - 1]], 1 + len(others)


def _near(drawn: Chem.Mol, other: Chem.Mol) -> bool:
    """Does a tautomer differ in heteroatoms' hydrogens alone, and stay aromatic?"""
    pairs = list(zip(drawn.GetAtoms(), other.GetAtoms(), strict=True))
    carbons = all(a.GetTotalNumHs() == b.GetTotalNumHs() for a, b in pairs if a.GetAtomicNum() == 6)
    rings = sum(a.GetIsAromatic() for a, _ in pairs) <= sum(b.GetIsAromatic() for _, b in pairs)
    return (
        carbons
        and rings
        and len(other.GetSubstructMatches(_IMIDIC)) <= len(drawn.GetSubstructMatches(_IMIDIC))
    )


def _corrected(smiles: str, ph: float) -> str:
    """Charges that published pKa values contradict are taken back, or given."""
    mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        return smiles
    acidic = {hit[0] for pattern in _ACIDIC_PHENOLATES for hit in mol.GetSubstructMatches(pattern)}
    wrong = {hit[0] for pattern, pka in _TOO_ACID if ph < pka for hit in mol.GetSubstructMatches(pattern)}
    for index in sorted(wrong - acidic):
        _set(mol, index, charge=0, by=1)
    for pattern, pka in _ACID_ENOLS:
        if ph > pka and (hit := mol.GetSubstructMatch(pattern)):
            _set(mol, hit[0], charge=-1, by=-1)
    while ph > SECOND_AMINE and (pairs := mol.GetSubstructMatches(_NEIGHBOUR_AMMONIUM)):
        alike = list(Chem.CanonicalRankAtoms(mol))
        ends = {end for pair in pairs for end in (pair[0], pair[3])}
        _set(mol, max(ends, key=lambda end: (_benzylic(mol, end), alike[end])), charge=0, by=-1)
    if ph < AMINOPYRIDINE:
        for index in sorted({hit[0] for hit in mol.GetSubstructMatches(_AMINOPYRIDINE)}):
            _set(mol, index, charge=1, by=1)
    Chem.SanitizeMol(mol)
    return str(Chem.MolToSmiles(mol))


def _set(mol: Chem.Mol, index: int, *, charge: int, by: int) -> None:
    """Set an atom's charge and give it (or take from it) a hydrogen."""
    atom = mol.GetAtomWithIdx(index)
    hydrogens = atom.GetTotalNumHs() + by
    atom.SetFormalCharge(charge)
    atom.SetNoImplicit(True)
    atom.SetNumExplicitHs(hydrogens)
    mol.UpdatePropertyCache(strict=False)


def _benzylic(mol: Chem.Mol, index: int) -> int:
    """How many of an amine's carbons sit on something that pulls electrons: the more, the weaker the base."""
    return sum(
        any(
            far.GetIsAromatic() or far.GetHybridization() == Chem.HybridizationType.SP2
            for far in near.GetNeighbors()
        )
        for near in mol.GetAtomWithIdx(index).GetNeighbors()
    )


def _skeleton(mol: Chem.Mol) -> tuple[list[int], int]:
    """Atomic numbers of heavy atoms, sorted, and the number of bonds between them: all that protonation leaves alone."""
    numbers = sorted(atom.GetAtomicNum() for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1)
    bonds = sum(
        min(bond.GetBeginAtom().GetAtomicNum(), bond.GetEndAtom().GetAtomicNum()) > 1
        for bond in mol.GetBonds()
    )
    return numbers, bonds
