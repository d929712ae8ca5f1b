"""Does the docked pose hold what a binder of this target must hold?

A score says how well a molecule fits; a chemist first looks whether the aspartate is
held or the hinge is bound. The contacts are those recorded with the pose (interactions.py);
here they are only compared with a list of wishes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from discovery.molecule import Molecule
from discovery.outcome import Missing, MoleculeError, Reason, each
from discovery.score import Column, Score
from docking.interactions import KINDS
from docking.receptor import DockingError

STAGE = "key contacts"


@dataclass(frozen=True)
class KeyContacts:
    """The share of wished contacts that a docked pose makes, 0..1.

    `details["made"]` and `details["lacking"]` name them.

    Parameters
    ----------
    wanted : residue ("A:ASP129") -> how it is to be touched: a word of
        docking.interactions.KINDS such as "salt bridge", "hydrogen bond" or "hydrophobic";
        "any" for any contact
    after : the column whose pose is looked at

    Raises
    ------
    DockingError
        No wish, or a kind of contact nobody looks for.
    """

    wanted: Mapping[str, str] = field(default_factory=dict)
    after: str = "docking"
    name: str = "key_contacts"

    def __post_init__(self) -> None:
        if not self.wanted:
            raise DockingError('key_contacts needs wishes, such as wanted = {"A:ASP129" = "salt bridge"}')
        for residue, kind in self.wanted.items():
            _, colon, number = residue.partition(":")
            if not colon or not any(character.isdigit() for character in number):
                raise DockingError(f"{residue!r} names no residue; write chain and residue as A:ASP129")
            if kind != "any" and not any(kind in known for known in KINDS.values()):
                raise DockingError(
                    f"{residue}: {kind!r} is no kind of contact; they are: any, {', '.join(KINDS.values())}"
                )

    @property
    def column(self) -> Column:
        wishes = ", ".join(f"{kind} with {residue}" for residue, kind in self.wanted.items())
        return Column(
            self.name,
            unit="1",
            better="high",
            title="Key contacts",
            about=f"share of these contacts in the docked pose: {wishes}",
        )

    def refine(self, molecules: Sequence[Molecule], found: Sequence[Score], /) -> Sequence[Score | Missing]:
        """One outcome per molecule, in the order given.

        A molecule whose earlier score left no contacts gets a `Missing` that says so.
        """
        return each(STAGE, self._compared, list(zip(molecules, found, strict=True)))

    def _compared(self, one: tuple[Molecule, Score]) -> Score:
        molecule, docked = one
        contacts: Sequence[Mapping[str, Any]] | None = docked.details.get("interactions")
        if contacts is None:
            raise MoleculeError(
                Reason.UNSUPPORTED,
                f"{molecule.shown}: {self.after} recorded no contacts with its pose; key_contacts comes after a "
                "docking scorer",
            )
        made = [residue for residue, kind in self.wanted.items() if _touches(contacts, residue, kind)]
        lacking = [residue for residue in self.wanted if residue not in made]
        return Score(len(made) / len(self.wanted), details={"made": made, "lacking": lacking})


def _touches(contacts: Sequence[Mapping[str, Any]], residue: str, kind: str) -> bool:
    return any(
        contact["residue"] == residue and (kind == "any" or kind in contact["kind"]) for contact in contacts
    )
