"""How much of this molecule can be made from the shelf? The door to campaigns.

The search is in plan.py; here it becomes one number with its route.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from discovery.molecule import Molecule
from discovery.outcome import Missing, each
from discovery.plugins import settle
from discovery.score import Column, Score
from generative.refusal import SettingError
from generative.routes.plan import STEPS, STRUCTURES, plan
from generative.routes.stock import load


@dataclass(frozen=True)
class RouteFromStock:
    """Share of a molecule's building blocks, by heavy atoms, that can be bought: 1 where a whole route is known.

    `details` holds the route in words, a line a step in the order of work, the blocks to buy, and those
    that nobody has. 0 says that no reaction of ours takes the molecule apart into anything
    on the shelf; it does not say that it cannot be made.

    Parameters
    ----------
    stock : file of building blocks; some 450 common ones when left out
    steps : reactions in a row
    structures : how many structures are taken apart before the search gives up

    Raises
    ------
    SettingError, IntakeError
        The file cannot be used.
    """

    stock: Path | None = None
    steps: int = STEPS
    structures: int = STRUCTURES
    name: str = "route"

    def __post_init__(self) -> None:
        settle(self)
        if self.steps < 0 or self.structures < 1:
            raise SettingError(
                f"steps ({self.steps}) must be 0 or more, structures ({self.structures}) at least 1"
            )
        load(self.stock)

    @property
    def column(self) -> Column:
        shelf = f"{self.stock.name}" if self.stock else "common building blocks"
        return Column(
            self.name,
            unit="1",
            better="high",
            title="route from stock",
            about=f"share of the blocks' heavy atoms found in {shelf}, at most {self.steps} reactions in a row; "
            "1: a whole route, every step checked forward",
        )

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        """One outcome per molecule, in the order given."""
        stock = load(self.stock)

        def planned(molecule: Molecule) -> Score:
            route = plan(molecule.mol(), stock, self.steps, self.structures)
            return Score(
                route.covered,
                details={
                    "route": route.text().splitlines() if route.steps else [],
                    "buy": list(route.blocks),
                    "lacking": list(route.lacking),
                    "searched_all": route.exhausted,
                },
            )

        return each("route", planned, molecules)
