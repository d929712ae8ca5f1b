"""Which molecules come of these reactants, by a reaction a chemist would run?

Ten reactions come along, written down by hand. A combination that does not react, or that
could give more than one product, is a row with its reason, never silently one of several.
"""

from __future__ import annotations

import csv
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from rdkit import Chem
from rdkit.Chem import rdChemReactions

from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import Missing, MoleculeError, Reason
from discovery.properties.synthesis import SyntheticAccessibility
from discovery.score import scored
from discovery.series.library import MOST
from discovery.series.measured import STAGE, SeriesError
from discovery.views.table import Table

TABLE = Path(__file__).resolve().parent / "data" / "reactions.csv"


@dataclass(frozen=True, slots=True)
class Reaction:
    """A reaction of two molecules.

    References
    ----------
    .. [1] S. D. Roughley, A. M. Jordan, J. Med. Chem. 54 (2011) 3451-3479, doi 10.1021/jm200187y:
       which reactions medicinal chemists run most.
    """

    name: str
    title: str
    smarts: str  # reactants in the order they are given, one product
    about: str = ""

    def __post_init__(self) -> None:
        _template(self.smarts)  # refused here, not at the first molecule


@dataclass(frozen=True, slots=True)
class Made:
    """One combination of reactants."""

    reactants: tuple[Molecule, ...]
    outcome: Molecule | Missing


@cache
def reactions() -> dict[str, Reaction]:
    """The reactions that come along, by name."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        return {line["name"]: Reaction(**line) for line in csv.DictReader(file)}


def react(reaction: Reaction | str, *reactants: Molecule) -> Molecule:
    """The one product of these reactants, in the reaction's order.

    Raises
    ------
    MoleculeError
        UNSUPPORTED: they do not react so, or could in several places; the message names them.
    SeriesError
        There is no such reaction, or it takes another number of reactants.
    """
    found = _known(reaction)
    template = _template(found.smarts)
    if template.GetNumReactantTemplates() != len(reactants):
        raise SeriesError(
            f"{found.title} takes {template.GetNumReactantTemplates()} reactants, not {len(reactants)}"
        )
    named = " and ".join(one.shown for one in reactants)
    products: dict[str, None] = {}
    with quiet_rdkit():
        for (raw,) in template.RunReactants(tuple(one.mol() for one in reactants), maxProducts=64):
            try:
                Chem.SanitizeMol(raw)
            except (Chem.AtomValenceException, Chem.KekulizeException):
                continue  # this way to lay the template on the atoms gives no molecule
            products[Molecule.parse(Chem.MolToSmiles(raw)).smiles] = None
    if not products:
        raise MoleculeError(Reason.UNSUPPORTED, f"{named} do not react by {found.title}: {found.about}")
    if len(products) > 1:
        raise MoleculeError(
            Reason.UNSUPPORTED,
            f"{named} can react by {found.title} in {len(products)} ways; protect all but one",
        )
    return Molecule(next(iter(products)), f"{found.name} of {named}")


def enumerate_products(reaction: Reaction | str, *sides: Sequence[Molecule]) -> list[Made]:
    """Every combination, the last side changing fastest.

    Raises
    ------
    SeriesError
        There is no such reaction, it takes another number of sides, or there are more
        than 100,000 combinations.
    """
    found = _known(reaction)
    wanted = _template(found.smarts).GetNumReactantTemplates()
    if wanted != len(sides):
        raise SeriesError(f"{found.title} takes {wanted} lists of reactants, not {len(sides)}")
    count = math.prod(len(side) for side in sides)
    if count > MOST:
        raise SeriesError(f"{count:,} combinations are more than {MOST:,}; give fewer reactants")
    made = []
    for chosen in itertools.product(*sides):
        outcome: Molecule | Missing
        try:
            outcome = react(found, *chosen)
        except MoleculeError as error:
            outcome = Missing(STAGE, error.reason, str(error))
        made.append(Made(tuple(chosen), outcome))
    return made


def library_table(reaction: Reaction | str, *sides: Sequence[Molecule]) -> Table:
    """The same as a Table: how hard each product is to make, with its reactants as parents."""
    found = _known(reaction)
    made = enumerate_products(found, *sides)
    scorer = SyntheticAccessibility()
    outcomes = [one.outcome for one in made]
    table = Table.of(outcomes, {scorer.column: scored(scorer, outcomes)}, name=found.title)
    rows = [
        replace(
            row, id=f"{found.name}-{place}", text=row.text or ".".join(m.smiles for m in one.reactants),
            proposer=found.name, parents=tuple(m.smiles for m in one.reactants), edit=found.title,
        )
        for place, (row, one) in enumerate(zip(table.run.rows, made, strict=True), start=1)
    ]  # fmt: skip
    return Table(replace(table.run, rows=tuple(rows)))


def _known(reaction: Reaction | str) -> Reaction:
    if isinstance(reaction, Reaction):
        return reaction
    if reaction not in reactions():
        raise SeriesError(f"there is no reaction {reaction!r}; there are: {', '.join(reactions())}")
    return reactions()[reaction]


@cache
def _template(smarts: str) -> Any:
    with quiet_rdkit():
        try:
            found = rdChemReactions.ReactionFromSmarts(smarts)
        except ValueError as error:
            raise SeriesError(f"{smarts} is no reaction RDKit can read: {error}") from error
        found.Initialize()
        _, errors = found.Validate()
    if errors or found.GetNumProductTemplates() != 1:
        raise SeriesError(f"{smarts} must turn reactants into exactly one product")
    return found
