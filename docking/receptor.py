"""What is docked into: a prepared protein, with every choice that preparing it took.

Reading a structure file and making these choices is the business of preparation.py.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from discovery.outcome import UserError
from docking import pdbqt
from docking.protein import residues


class DockingError(UserError, ValueError):
    """Docking cannot start as asked: a setting is wrong, a file is in the way. The message says which."""


class ReceptorError(DockingError):
    """The receptor, the box or its file cannot be used as given. The message names the residue or the file."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing preparation decided, so that a chemist can see it and overrule it."""

    kind: Literal[
        "source", "model", "chain", "altloc", "water", "hetero", "metal", "missing", "protonation", "typing"
    ]
    where: str  # "A:ASP129" as in the user's file, or "" for the whole structure
    what: str  # one sentence: "kept conformation A (occupancy 0.60) of A, B"

    def __str__(self) -> str:
        return f"{self.where or 'structure'}: {self.what}"


@dataclass(frozen=True, slots=True)
class Receptor:
    """A protein ready for docking. Chain names and residue numbers are those of the user's file."""

    name: str
    pdb: str = field(repr=False)  # prepared, all hydrogens; for views, interactions and dynamics
    pdbqt: str = field(repr=False)  # rigid, polar hydrogens only, AutoDock 4 atom types in columns 78-79
    report: tuple[Choice, ...] = field(default=(), repr=False)

    @property
    def digest(self) -> str:
        """sha256 of what docking sees; the report and the name are not part of it."""
        return hashlib.sha256(f"{self.pdbqt}\0{self.pdb}".encode()).hexdigest()

    def named(self, residue: str) -> str:
        """A residue as the user's file names it, "AAA:HSE57:ND1" too -> as this receptor does, "A:HIS57:ND1".

        Without a chain, "HIS57", it is the only one of that name, if it is.
        """
        name = renamed(residue, lettered(self.report))
        chain, colon, rest = name.partition(":")
        known = {atom.residue for atom in pdbqt.read(self.pdbqt).atoms}
        alike = [one for one in known if not colon and one.partition(":")[2] == name]
        if len(alike) == 1:
            return alike[0]
        if f"{chain}:{rest.split(':')[0]}" in known:
            return name
        return chain + colon + re.sub("^[A-Z]+", lambda found: residues.standard(found[0]), rest)

    def rows(self, residue: str) -> list[int]:
        """Indices of a residue's atoms in `pdbqt`, named as in `named`.

        Raises
        ------
        ReceptorError
            It is not there; the message says what its chain holds.
        """
        name = self.named(residue)
        names = [atom.residue for atom in pdbqt.read(self.pdbqt).atoms]
        found = [row for row, one in enumerate(names) if one == name]
        if not found:
            chain = name.partition(":")[0] if ":" in name else ""
            known = [one for one in dict.fromkeys(names) if not chain or one.startswith(f"{chain}:")]
            held = f"{len(known)} residues, {known[0]} to {known[-1]}" if known else "nothing"
            raise ReceptorError(
                f"{self.name} has no residue {name}; {f'chain {chain}' if chain else 'it'} holds {held}"
            )
        return found


LETTER = "written as chain "  # what a report says of a chain whose name is longer than a letter


def lettered(report: Iterable[Choice]) -> dict[str, str]:
    """Chains of the user's file -> the letters they are written with."""
    return {
        choice.where: choice.what.removeprefix(LETTER)
        for choice in report
        if choice.kind == "chain" and choice.what.startswith(LETTER)
    }


def renamed(name: str, letters: Mapping[str, str]) -> str:
    """A residue's name with its chain's letter."""
    chain, colon, rest = name.partition(":")
    return f"{letters.get(chain, chain)}{colon}{rest}" if colon else name
