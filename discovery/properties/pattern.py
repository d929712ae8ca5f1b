"""Does this molecule have the group a target asks for?

How often a SMARTS pattern occurs: a basic amine where the pocket holds an aspartate,
a hinge binder, a group to be kept out. One wish, one pattern, one column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rdkit import Chem

from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import Missing, each
from discovery.score import Column, Score

# Read on the standardised structure, where amines are drawn neutral. Left out are nitrogens whose
# lone pair is busy elsewhere (amides and their kin, anilines and enamines, N-N, N-O) and those a
# neighbour's fluorines or nitrile make too weak.
BASIC_AMINE = (
    "[NX3;+0;!$(N~[!#6;!#1]);!$(N[#6]=[O,S,N]);!$(N[#6;a]);!$(NC=C);!$(NC#*);!$(NCC(F)(F)F);!$(NCC#N)"
    ";$(N[CX4])]"
)
OPEN_CHAIN_ESTER = "[#6][CX3](=O)[OX2;!r][#6]"  # esterases cut these within minutes; lactones hold longer
NAMED = {"basic amine": BASIC_AMINE, "open-chain ester": OPEN_CHAIN_ESTER}


@dataclass(frozen=True, slots=True)
class Pattern:
    """How many different places of a molecule a pattern fits.

    `details["atoms"]` are the atoms of all its matches, in the order the standardised
    SMILES writes them.

    Parameters
    ----------
    smarts : a SMARTS pattern, or the name of one of ours: "basic amine", "open-chain ester"
    name : the column
    better : whether more of it is wanted ("high") or less ("low")
    title : of the column, for people

    Raises
    ------
    ValueError
        The pattern cannot be read or has no atoms.
    """

    smarts: str
    name: str = "pattern"
    better: Literal["low", "high"] = "high"
    title: str = ""

    def __post_init__(self) -> None:
        _query(self.smarts)

    @property
    def column(self) -> Column:
        return Column(
            self.name,
            unit="1",
            better=self.better,
            title=self.title,
            about=f"places where {self.smarts} fits",
        )

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        query = _query(self.smarts)

        def count(molecule: Molecule) -> Score:
            matches = molecule.mol().GetSubstructMatches(query, maxMatches=1000)
            atoms = sorted({atom for match in matches for atom in match})
            return Score(float(len(matches)), details={"atoms": atoms})

        return each("properties", count, molecules)


@lru_cache(maxsize=64)
def _query(smarts: str) -> Chem.Mol:
    with quiet_rdkit():
        query = Chem.MolFromSmarts(NAMED.get(smarts, smarts))
    if query is None or not query.GetNumAtoms():
        named = ", ".join(repr(name) for name in NAMED)
        raise ValueError(f"{smarts!r} is no SMARTS pattern with an atom in it, and none of ours ({named})")
    return query
