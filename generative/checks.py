"""Does proposing work here? A few molecules from the baseline, parsed again."""

from __future__ import annotations

from discovery.checkup import Check
from discovery.molecule import Molecule
from generative.recombination import BricsProposer


def generative() -> list[Check]:
    """Every proposal of the baseline is a molecule, and no two are the same."""
    made = BricsProposer().propose(5, round=0, seed=1, lessons=())
    smiles = {Molecule.parse(proposal.smiles).smiles for proposal in made}
    return [
        Check(
            "generative: brics baseline",
            len(smiles) == 5,
            f"{len(smiles)} molecules, such as {min(smiles, key=len)}",
        )
    ]
