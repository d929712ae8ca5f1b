"""Which parts of this molecule would make a chemist frown?

Substructures known to react with everything, to fall apart, or to fool assays:
PAINS, Brenk's and the NIH's lists as RDKit ships them, plus a short list of ours
for what generators like to draw and nobody can keep in a bottle. An alert is a
reason to look, not a verdict: half of the approved drugs raise one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from rdkit import Chem, rdBase
from rdkit.Chem.FilterCatalog import FilterCatalog, FilterCatalogParams

from discovery.molecule import Molecule
from discovery.outcome import Missing, each
from discovery.plugins import settle
from discovery.properties.sieve import Sieve
from discovery.score import Column, Score

SETS = ("pains", "brenk", "nih", "reactive")

_RDKIT_SETS = {
    "pains": FilterCatalogParams.FilterCatalogs.PAINS,
    "brenk": FilterCatalogParams.FilterCatalogs.BRENK,
    "nih": FilterCatalogParams.FilterCatalogs.NIH,
}

_ONCE_OR_MORE = b" 1 4294967295 "  # how often a stored entry's pattern must be in a molecule

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
        settle(self)
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
            found = alerts(molecule.look(), self.sets)
            return Score(float(len(found)), details={"alerts": found})

        return each("properties", frown, molecules)


def alerts(mol: Chem.Mol, sets: Sequence[str] = SETS) -> list[dict[str, Any]]:
    """Every pattern that matches: its name, its set, and the atoms of all its matches."""
    known, sieve = _patterns(tuple(sets))
    found = []
    for place in sieve.possible(mol):
        alert = known[place]
        if matches := mol.GetSubstructMatches(alert.pattern, maxMatches=alert.most):
            atoms = sorted({atom for match in matches for atom in match})
            found.append({"name": alert.name, "set": alert.set, "atoms": atoms})
    return found


@dataclass(frozen=True, slots=True)
class _Alert:
    name: str
    set: str
    pattern: Chem.Mol
    most: int  # places to look for: one where several groups far apart are asked for, whose choices are countless

    @classmethod
    def of(cls, name: str, set: str, pattern: Chem.Mol) -> _Alert:
        return cls(name, set, pattern, 1 if len(Chem.GetMolFrags(pattern)) > 1 else 1000)


@cache
def _patterns(sets: tuple[str, ...]) -> tuple[list[_Alert], Sieve]:
    """Every alert of some sets, and what tells which could be in a molecule."""
    known = []
    for name in sets:
        if name == "reactive":
            known += [
                _Alert.of(title, name, Chem.MolFromSmarts(smarts)) for title, smarts in REACTIVE.items()
            ]
        else:
            known += [_Alert.of(_readable(title), name, pattern) for title, pattern in catalogued(name)]
    return known, Sieve([alert.pattern for alert in known])


def catalogued(name: str) -> list[tuple[str, Chem.Mol]]:
    """Title and pattern of each entry of one of RDKit's catalogues, in its order.

    RDKit asks all patterns of a catalogue and shows none, but in what a catalogue is
    stored as each entry's title is followed by its pattern. It comes from this process:
    no file is read.

    Raises
    ------
    RuntimeError
        This RDKit stores its catalogues in another way.
    """
    settings = FilterCatalogParams()
    settings.AddCatalog(_RDKIT_SETS[name])
    catalog = FilterCatalog(settings)
    stored, place, found = catalog.Serialize(), 0, []
    for index in range(catalog.GetNumEntries()):
        title = catalog.GetEntryWithIdx(index).GetDescription()
        start = re.compile(rb" %d %b (\d+) (?=\xef\xbe\xad\xde)" % (len(title), re.escape(title.encode())))
        begin = start.search(stored, place)
        if begin is None:
            raise RuntimeError(
                f"RDKit {rdBase.rdkitVersion} does not store the pattern of {title!r} as expected"
            )
        place = begin.end() + int(begin.group(1))
        if not stored.startswith(_ONCE_OR_MORE, place):
            raise RuntimeError(f"RDKit {rdBase.rdkitVersion} wants more of {title!r} than that it is there")
        found.append((title, Chem.Mol(stored[begin.end() : place])))
    return found


def _readable(name: str) -> str:
    """anil_di_alk_A(478) -> anil di alk A: the count of its discovery means nothing to a reader."""
    return name.split("(")[0].replace("_", " ").strip()
