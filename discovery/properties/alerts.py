"""Which parts of this molecule would make a chemist frown?

Substructures known to react with everything, to fall apart, or to fool assays:
PAINS, Brenk's and the NIH's lists as RDKit ships them, plus a short list of ours
for what generators like to draw and nobody can keep in a bottle. An alert is a
reason to look, not a verdict: half of the approved drugs raise one.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, DataStructs, RDConfig
from rdkit.Chem.FilterCatalog import FilterCatalog, FilterCatalogEntry, FilterCatalogParams

from discovery.molecule import Molecule
from discovery.outcome import Missing, each
from discovery.score import Column, Score

SETS = ("pains", "brenk", "nih", "reactive")

_RDKIT_SETS = {
    "pains": FilterCatalogParams.FilterCatalogs.PAINS,
    "brenk": FilterCatalogParams.FilterCatalogs.BRENK,
    "nih": FilterCatalogParams.FilterCatalogs.NIH,
}

# Name -> SMARTS. Ours: groups that do not survive water, air or a day at room temperature,
# or that alkylate and acylate whatever they meet. One example of each is in the tests.
REACTIVE: dict[str, str] = {
    "acyl halide": "[CX3](=[OX1])[F,Cl,Br,I]",
    "sulfonyl halide": "[SX4](=[OX1])(=[OX1])[F,Cl,Br,I]",
    "phosphoryl halide": "[P](=[OX1])[F,Cl,Br,I]",
    "anhydride": "[CX3](=[OX1])[OX2][CX3](=[OX1])",
    "isocyanate": "[NX2]=[CX2]=[OX1]",
    "isothiocyanate": "[NX2]=[CX2]=[SX1]",
    "carbodiimide": "[NX2]=[CX2]=[NX2]",
    "ketene": "[CX3]=[CX2]=[OX1]",
    "allene": "[CX3]=[CX2]=[CX3]",
    "epoxide": "[CX4]1[OX2][CX4]1",
    "aziridine": "[CX4]1[NX3;!$(N*=[O,S])][CX4]1",
    "thiirane": "[CX4]1[SX2][CX4]1",
    "three-ring with two heteroatoms": "[N,O,S]1~[N,O,S]~[#6,N,O,S]1",
    "azide": "[NX2]=[NX2+]=[NX1-]",
    "diazo": "[#6]=[NX2+]=[NX1-]",
    "diazonium": "[NX2+]#[NX1]",
    "peroxide": "[OX2][OX2]",
    "disulfide": "[SX2][SX2]",
    "chain of three nitrogens": "[N;!R;!+]~[N;!R;!+]~[N;!R;!+]",
    "nitrosamine": "[NX3][NX2]=[OX1]",
    "nitroso": "[#6][NX2]=[OX1]",
    "nitrite or nitrate ester": "[#6][OX2][$([NX2]=O),$([NX3+](=O)[O-])]",
    "N-halogen": "[#7][F,Cl,Br,I]",
    "O-halogen": "[#8][F,Cl,Br,I]",
    "S-halogen": "[SX2][F,Cl,Br,I]",
    "alkyl bromide or iodide": "[CX4;!$(C[F])][Br,I]",
    "alpha-halo ketone": "[CX3](=[OX1])[CX4;H1,H2][Cl,Br,I]",
    "alpha-halo ether or amine": "[O,N,S;X2,X3;!$(*=*);!$(*~*=[O,S,N])][CX4;H1,H2][Cl,Br,I]",
    "sulfonate ester": "[SX4](=[OX1])(=[OX1])[OX2][CX4]",
    "beta-lactone": "[OX2]1[CX3](=[OX1])[CX4][CX4]1",
    "acyl cyanide": "[CX3](=[OX1])[CX2]#[NX1]",
    "cyanohydrin": "[OX2H][CX4][CX2]#[NX1]",
    "hemiacetal, open": "[OX2H][CX4;!R;!$(C[F])][OX2,NX3;!$(N*=[O,S])]",
    "geminal diol": "[OX2H][CX4;!$(CC(F)F)][OX2H]",
    "geminal diamine": "[NX3H2][CX4][NX3H2]",
    "enol": "[OX2H][CX3;!$(C=O);!$(C[#7])]=[CX3;!$(CC=[O,S,N]);!$(CC#N);!$(CS=O);!$(C[N+])]",
    "imine of an alkyl aldehyde": "[CX4][NX2]=[CX3;H1,H2;!R][#6,#1]",
    "aldehyde": "[CX3H1](=[OX1])[#6]",
    "thiol": "[#6][SX2H]",
    "thioaldehyde or thioketone": "[#6;!$(C[#7,#8,#16])]=[SX1]",
    "Michael acceptor, nitro": "[CX3]=[CX3][NX3+](=O)[O-]",
    "Michael acceptor, vinyl sulfone": "[CX3H2]=[CX3][SX4](=O)=O",
    "Michael acceptor, vinyl ketone": "[CX3H2]=[CX3][CX3](=[OX1])[#6]",
    "ynone": "[CX2]#[CX2][CX3](=[OX1])[#6]",
    "quinone": "[#6]1(=[OX1])[#6]=[#6][#6](=[OX1])[#6]=[#6]1",
    "polyyne": "[CX2]#[CX2][CX2]#[CX2]",
    "cyclobutadiene or strained cyclic alkyne": "[$([#6]1=[#6][#6]=[#6]1),$([#6]1#[#6]~*~*~1),$([#6]1#[#6]~*~*~*~1),$([#6]1#[#6]~*~*~*~*~1)]",
    "phosphine": "[PX3;H0,H1,H2]([#6,#1])([#6,#1])[#6,#1]",
    "silyl halide or silane": "[Si;H1,H2,H3,$([Si][F,Cl,Br,I])]",
    "carbanion or carbocation": "[#6;+,-;!$(*~[+,-])]",
    "radical": "[#6;v1,v2,v3;X1,X2,X3;!$(*=*);!$(*#*);!$(*:*);+0;!$([#6]~[+,-])]",
}


@dataclass(frozen=True, slots=True)
class Alerts:
    """Number of structural alerts, each with its name and the atoms it hits.

    `details["alerts"]` is a list of `{"name", "set", "atoms"}`, one entry for each
    pattern that matches; `atoms` are indices into the standardised SMILES, in the
    order its atoms are written, of all places where the pattern matches.

    Parameters
    ----------
    sets : of "pains", "brenk", "nih", "reactive"

    Raises
    ------
    ValueError
        A set is unknown, or there is none.

    References
    ----------
    .. [1] pains: J. B. Baell, G. A. Holloway, J. Med. Chem. 53 (2010) 2719-2740, doi 10.1021/jm901137j.
    .. [2] brenk: R. Brenk et al., ChemMedChem 3 (2008) 435-444, doi 10.1002/cmdc.200700139.
    .. [3] nih: A. Jadhav et al., J. Med. Chem. 53 (2010) 37-51, doi 10.1021/jm901070c.
    """

    sets: tuple[str, ...] = SETS

    def __post_init__(self) -> None:
        if isinstance(self.sets, str):
            raise ValueError(f"sets is a list; write [{self.sets!r}]")
        object.__setattr__(self, "sets", tuple(self.sets))
        unknown = [name for name in self.sets if name not in SETS]
        if unknown or not self.sets:
            what = f"there is no alert set {unknown[0]!r}" if unknown else "alerts need at least one set"
            raise ValueError(f"{what}; they are {', '.join(SETS)}")

    @property
    def column(self) -> Column:
        return Column(
            "alerts",
            unit="1",
            better="low",
            title="structural alerts",
            about=f"patterns hit, of the sets {', '.join(self.sets)}",
        )

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        def frown(molecule: Molecule) -> Score:
            found = alerts(molecule.mol(), self.sets)
            return Score(float(len(found)), details={"alerts": found})

        return each("properties", frown, molecules)


def alerts(mol: Chem.Mol, sets: Sequence[str] = SETS) -> list[dict[str, Any]]:
    """Every pattern that matches: its name, its set, and the atoms of all its matches."""
    found = []
    for name in sets:
        if name == "reactive":
            found += [
                {"name": title, "set": name, "atoms": sorted({atom for match in matches for atom in match})}
                for title, pattern in _reactive()
                if (matches := mol.GetSubstructMatches(pattern))
            ]
            continue
        for entry in _hits(name, mol):
            atoms = {pair[1] for match in entry.GetFilterMatches(mol) for pair in match.atomPairs}
            found.append({"name": _readable(entry.GetDescription()), "set": name, "atoms": sorted(atoms)})
    return found


def _hits(name: str, mol: Chem.Mol) -> list[FilterCatalogEntry]:
    """The catalogue's entries that match, in its order."""
    catalog = _catalog(name)
    needed = _needed(name)
    if needed is None:
        return list(catalog.GetMatches(mol))
    possible = np.flatnonzero(~(needed & ~_bits(mol)).any(axis=1))
    entries = (catalog.GetEntryWithIdx(int(place)) for place in possible)
    return [entry for entry in entries if entry.HasFilterMatch(mol)]


def _bits(mol: Chem.Mol) -> NDArray[np.uint8]:
    """RDKit's fingerprint for substructures: a pattern's bits are among those of whatever holds it."""
    return np.frombuffer(DataStructs.BitVectToBinaryText(Chem.PatternFingerprint(mol)), np.uint8)


@cache
def _needed(name: str) -> NDArray[np.uint8] | None:
    """[entry, byte] bits without which an entry cannot match; None where the patterns are not known.

    RDKit shows the patterns of PAINS alone, and beside its library. They cost most: trying only those
    that could match is five times faster.
    """
    path = Path(RDConfig.RDDataDir) / "Pains" / "wehi_pains.csv"
    if name != "pains" or not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as file:
        smarts = {title.removeprefix("<regId=").rstrip(">"): text for text, title in csv.reader(file)}
    catalog = _catalog(name)
    titles = [catalog.GetEntryWithIdx(i).GetDescription() for i in range(catalog.GetNumEntries())]
    if set(titles) != set(smarts):
        return None
    return np.stack([_bits(Chem.MergeQueryHs(Chem.MolFromSmarts(smarts[title]))) for title in titles])


def _readable(name: str) -> str:
    """anil_di_alk_A(478) -> anil di alk A: the count of its discovery means nothing to a reader."""
    return name.split("(")[0].replace("_", " ").strip()


@cache
def _catalog(name: str) -> FilterCatalog:
    settings = FilterCatalogParams()
    settings.AddCatalog(_RDKIT_SETS[name])
    return FilterCatalog(settings)


@cache
def _reactive() -> tuple[tuple[str, Chem.Mol], ...]:
    return tuple((name, Chem.MolFromSmarts(smarts)) for name, smarts in REACTIVE.items())
