"""What are the molecule's physical and drug-like properties?

Each number is RDKit's, computed on the standardised molecule as drawn: nothing is
protonated, no conformer is made. `DESCRIPTORS` lists what there is.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal

from rdkit import Chem
from rdkit.Chem import QED, rdMolDescriptors

from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason, each, molecule_fault
from discovery.properties.sieve import Sieve
from discovery.score import Column, Score

Better = Literal["low", "high"]


@dataclass(frozen=True, slots=True)
class _Recipe:
    work: Callable[[Chem.Mol], float]
    unit: str
    better: Better
    title: str
    about: str


def _logp(mol: Chem.Mol) -> float:
    return float(rdMolDescriptors.CalcCrippenDescriptors(mol)[0])


def _refractivity(mol: Chem.Mol) -> float:
    return float(rdMolDescriptors.CalcCrippenDescriptors(mol)[1])


def _largest_ring(mol: Chem.Mol) -> int:
    return max((len(ring) for ring in mol.GetRingInfo().AtomRings()), default=0)


def _halogens(mol: Chem.Mol) -> int:
    return sum(atom.GetAtomicNum() in (9, 17, 35, 53) for atom in mol.GetAtoms())


def _lipinski(mol: Chem.Mol) -> int:
    """How many of Lipinski's four limits are broken: N+O and N-H+O-H counts, as he counted them."""
    return (
        (rdMolDescriptors.CalcNumLipinskiHBD(mol) > 5)
        + (rdMolDescriptors.CalcNumLipinskiHBA(mol) > 10)
        + (rdMolDescriptors._CalcMolWt(mol) > 500)
        + (_logp(mol) > 5)
    )


DESCRIPTORS: Mapping[str, _Recipe] = MappingProxyType(
    {
        "mw": _Recipe(rdMolDescriptors._CalcMolWt, "Da", "low", "molecular weight", "average mass"),
        "exact_mass": _Recipe(
            rdMolDescriptors.CalcExactMolWt, "Da", "low", "exact mass", "mass of the most common isotopes"
        ),
        "logp": _Recipe(_logp, "1", "low", "logP", "octanol/water, Wildman and Crippen 1999"),
        "molar_refractivity": _Recipe(
            _refractivity, "cm³/mol", "low", "molar refractivity", "Wildman and Crippen 1999"
        ),
        "tpsa": _Recipe(
            rdMolDescriptors.CalcTPSA,
            "Å²",
            "low",
            "polar surface area",
            "topological, Ertl 2000; N and O only",
        ),
        "labute_asa": _Recipe(
            rdMolDescriptors.CalcLabuteASA, "Å²", "low", "surface area", "approximate, Labute 2000"
        ),
        "hbd": _Recipe(rdMolDescriptors.CalcNumHBD, "1", "low", "H-bond donors", "donor atoms"),
        "hba": _Recipe(rdMolDescriptors.CalcNumHBA, "1", "low", "H-bond acceptors", "acceptor atoms"),
        "rotatable_bonds": _Recipe(
            rdMolDescriptors.CalcNumRotatableBonds,
            "1",
            "low",
            "rotatable bonds",
            "amide C-N bonds do not count",
        ),
        "rings": _Recipe(rdMolDescriptors.CalcNumRings, "1", "low", "rings", "smallest set"),
        "aromatic_rings": _Recipe(
            rdMolDescriptors.CalcNumAromaticRings, "1", "low", "aromatic rings", "smallest set"
        ),
        "aliphatic_rings": _Recipe(
            rdMolDescriptors.CalcNumAliphaticRings, "1", "high", "aliphatic rings", "smallest set"
        ),
        "saturated_rings": _Recipe(
            rdMolDescriptors.CalcNumSaturatedRings, "1", "high", "saturated rings", "smallest set"
        ),
        "heterocycles": _Recipe(
            rdMolDescriptors.CalcNumHeterocycles, "1", "low", "heterocycles", "rings with a heteroatom"
        ),
        "largest_ring": _Recipe(_largest_ring, "1", "low", "largest ring", "its atoms; 0 without a ring"),
        "spiro_atoms": _Recipe(rdMolDescriptors.CalcNumSpiroAtoms, "1", "low", "spiro atoms", ""),
        "bridgehead_atoms": _Recipe(
            rdMolDescriptors.CalcNumBridgeheadAtoms, "1", "low", "bridgehead atoms", ""
        ),
        "fraction_sp3": _Recipe(
            rdMolDescriptors.CalcFractionCSP3,
            "1",
            "high",
            "fraction sp³",
            "of the carbons; flat molecules are near 0",
        ),
        "heavy_atoms": _Recipe(lambda mol: mol.GetNumHeavyAtoms(), "1", "low", "heavy atoms", "not hydrogen"),
        "heteroatoms": _Recipe(
            rdMolDescriptors.CalcNumHeteroatoms, "1", "low", "heteroatoms", "neither carbon nor hydrogen"
        ),
        "halogens": _Recipe(_halogens, "1", "low", "halogens", "F, Cl, Br, I"),
        "amide_bonds": _Recipe(rdMolDescriptors.CalcNumAmideBonds, "1", "low", "amide bonds", ""),
        "formal_charge": _Recipe(
            Chem.GetFormalCharge,
            "e",
            "low",
            "formal charge",
            "of the neutralised molecule: what cannot be undone",
        ),
        "stereocentres": _Recipe(
            rdMolDescriptors.CalcNumAtomStereoCenters, "1", "low", "stereocentres", "assigned or not"
        ),
        "unassigned_stereocentres": _Recipe(
            rdMolDescriptors.CalcNumUnspecifiedAtomStereoCenters,
            "1",
            "low",
            "unassigned stereocentres",
            "drawn without a wedge: a mixture",
        ),
        "lipinski_violations": _Recipe(
            _lipinski, "1", "low", "rule-of-five violations", "MW > 500, logP > 5, NH+OH > 5, N+O > 10"
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One of RDKit's descriptors, by name: logp, mw, tpsa, hbd and more.

    mw, exact_mass, logp, molar_refractivity, tpsa, labute_asa, hbd, hba, rotatable_bonds, rings, aromatic_rings,
    aliphatic_rings, saturated_rings, heterocycles, largest_ring, spiro_atoms, bridgehead_atoms, fraction_sp3,
    heavy_atoms, heteroatoms, halogens, amide_bonds, formal_charge, stereocentres, unassigned_stereocentres,
    lipinski_violations; in Python `DESCRIPTORS` lists them.

    `better` only overrides which direction the table sorts; how good a number is
    belongs to a `Desirability`.

    Raises
    ------
    ValueError
        No descriptor has this name; the nearest one is named.
    """

    name: str
    better: Better | None = None

    def __post_init__(self) -> None:
        if self.name not in DESCRIPTORS:
            near = difflib.get_close_matches(self.name.lower(), DESCRIPTORS, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ValueError(f"there is no descriptor {self.name!r}; {hint}They are {', '.join(DESCRIPTORS)}")

    @property
    def column(self) -> Column:
        recipe = DESCRIPTORS[self.name]
        return Column(self.name, recipe.unit, self.better or recipe.better, recipe.title, recipe.about)

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        work = DESCRIPTORS[self.name].work
        return each("properties", lambda molecule: Score(float(work(molecule.look()))), molecules)


@dataclass(frozen=True, slots=True)
class Qed:
    """Quantitative estimate of drug-likeness, 0..1, mean weights.

    References
    ----------
    .. [1] G. R. Bickerton et al., Nature Chem. 4 (2012) 90-98, doi 10.1038/nchem.1243,
       as implemented in rdkit.Chem.QED.
    """

    @property
    def column(self) -> Column:
        return Column(
            "qed",
            "1",
            "high",
            "drug-likeness (QED)",
            "0 to 1; weighted mean over eight properties (Bickerton 2012)",
        )

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        return each("properties", _qed, molecules)


def _qed(molecule: Molecule) -> Score:
    with molecule_fault(
        Reason.OUT_OF_DOMAIN, f"{molecule.shown} lies too far from drugs for QED", OverflowError
    ):
        return Score(drug_likeness(molecule.look()))


def drug_likeness(mol: Chem.Mol) -> float:
    """QED of a sanitised molecule: RDKit's number, bit for bit, in half its time.

    RDKit's function takes off hydrogens that are not there, asks each of its 116 alerts of
    every molecule, and works logP out again.
    """
    if mol.GetNumHeavyAtoms() < mol.GetNumAtoms():
        return float(QED.qed(mol))  # type: ignore[no-untyped-call]
    aromatic = Chem.DeleteSubstructs(Chem.Mol(mol), QED.AliphaticRings)
    properties = QED.QEDproperties(  # type: ignore[no-untyped-call]
        MW=rdMolDescriptors._CalcMolWt(mol),
        ALOGP=_logp(mol),
        HBA=sum(len(mol.GetSubstructMatches(pattern)) for pattern in QED.Acceptors),
        HBD=rdMolDescriptors.CalcNumHBD(mol),
        PSA=rdMolDescriptors.CalcTPSA(mol),
        ROTB=rdMolDescriptors.CalcNumRotatableBonds(mol, rdMolDescriptors.NumRotatableBondsOptions.Strict),
        AROM=len(Chem.GetSSSR(aromatic)),
        ALERTS=sum(mol.HasSubstructMatch(QED.StructuralAlerts[i]) for i in _unwanted().possible(mol)),
    )
    return float(QED.qed(mol, qedProperties=properties))  # type: ignore[no-untyped-call]


@cache
def _unwanted() -> Sieve:
    """Which of QED's own alerts could be in a molecule."""
    return Sieve(QED.StructuralAlerts)
