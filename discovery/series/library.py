"""Which molecules come of one core and these groups?

A library made on paper: every combination, each a molecule or the reason why not.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rdkit import Chem

from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import Missing, MoleculeError, Reason
from discovery.series.assembly import assembled
from discovery.series.measured import STAGE, SeriesError

MOST = 100_000  # combinations; more are a search, not a table


@dataclass(frozen=True, slots=True)
class Analogue:
    """One combination."""

    name: str  # "R1=2 R2=5", counted from 1 in the order given
    groups: Mapping[str, str]
    outcome: Molecule | Missing


def enumerate_library(core: str, groups: Mapping[str, Sequence[str]]) -> list[Analogue]:
    """Every combination of groups on a core, the last position changing fastest.

    Parameters
    ----------
    core : SMILES with [*:1], [*:2] ...
    groups : "R1" -> SMILES with one * each, or "[H]"

    Raises
    ------
    SeriesError
        Core and groups do not name the same positions, a group has not exactly one *,
        or there are more than 100,000 combinations.
    """
    with quiet_rdkit():
        whole = Chem.MolFromSmiles(core)
    if whole is None:
        raise SeriesError(f"the core {core!r} is no SMILES RDKit can read")
    positions = sorted({atom.GetAtomMapNum() for atom in whole.GetAtoms() if atom.GetAtomicNum() == 0})
    wanted = [f"R{position}" for position in positions]
    if not wanted or sorted(groups) != sorted(wanted):
        raise SeriesError(
            f"the core has the positions {', '.join(wanted) or 'none'}; groups are given for {', '.join(groups) or 'none'}"
        )
    count = math.prod(len(groups[name]) for name in wanted)
    if count > MOST:
        raise SeriesError(f"{count:,} combinations are more than {MOST:,}; give fewer groups")
    ready = [[_bound(text, position) for text in groups[f"R{position}"]] for position in positions]
    made = []
    for combination in itertools.product(*(range(len(options)) for options in ready)):
        name = " ".join(f"{label}={index + 1}" for label, index in zip(wanted, combination, strict=True))
        chosen = [options[index] for options, index in zip(ready, combination, strict=True)]
        smiles = assembled(core, chosen)
        outcome: Molecule | Missing
        try:
            if not smiles:
                raise MoleculeError(Reason.UNSUPPORTED, f"{name}: {', '.join(chosen)} do not fit on {core}")
            outcome = Molecule.parse(smiles, name)
        except MoleculeError as error:
            outcome = Missing(STAGE, error.reason, str(error))
        made.append(Analogue(name, dict(zip(wanted, chosen, strict=True)), outcome))
    return made


def _bound(text: str, position: int) -> str:
    """The group with its one placeholder numbered."""
    if text in ("[H]", "H"):
        return f"[H][*:{position}]"
    with quiet_rdkit():
        mol = Chem.MolFromSmiles(text)
    ends = [] if mol is None else [atom for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0]
    if mol is None or len(ends) != 1:
        raise SeriesError(f"the group {text!r} at R{position} needs to be a SMILES with exactly one *")
    ends[0].SetAtomMapNum(position)
    return str(Chem.MolToSmiles(mol))
