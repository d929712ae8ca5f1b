"""Does proposing work here? A few molecules from the baseline and from the shipped model, parsed again."""

from __future__ import annotations

from discovery.checkup import Check
from discovery.molecule import Molecule
from generative.breeding.recombination import BricsProposer

EXTRA = "pip install 'discovery-workbench[generative]'"


def generative() -> list[Check]:
    """Every proposal is a molecule, and no two are the same."""
    made = BricsProposer().propose(5, round=0, seed=1, lessons=())
    smiles = {Molecule.parse(proposal.smiles).smiles for proposal in made}
    return [
        Check(
            "generative: brics baseline",
            len(smiles) == 5,
            f"{len(smiles)} molecules, such as {min(smiles, key=len)}",
        ),
        _graph(),
    ]


def _graph() -> Check:
    name = "generative: graph model"
    try:
        from generative.model import WeightsError
        from generative.proposer import GraphProposer
    except ImportError as error:
        return Check(name, False, str(error), EXTRA)
    try:
        made = GraphProposer().propose(5, round=0, seed=1, lessons=())
    except WeightsError as error:
        return Check(name, False, str(error), f"{EXTRA} --force-reinstall")
    smiles = {Molecule.parse(proposal.smiles).smiles for proposal in made}
    found = f"weights {made[0].weights[:12]}, {len(smiles)} molecules, such as {min(smiles, key=len)}"
    return Check(name, len(smiles) == 5, found)
