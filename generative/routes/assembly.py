"""What new molecules can be made from the shelf in a few reactions?

The synthesis-aware proposer: it runs reactions forward on building blocks, so every
proposal comes with its route. It learns by taking routes of well-rewarded molecules and
changing them: another block in one's place, one more step, one step less. No network, no
weights.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rdkit import Chem

from discovery.molecule import quiet_rdkit
from discovery.plugins import settle
from discovery.proposal import Lesson, Proposal
from generative.breeding.elite import by_rank
from generative.refusal import SettingError, check_weights
from generative.routes.plan import STEPS, Step, plan, rivals
from generative.routes.reactions import REACTIONS, Reaction, named, run
from generative.routes.stock import Stock, flat, load
from generative.taste import objection

PATIENCE = 2_000  # attempts in a row without a new molecule after which the shelf counts as exhausted
ELITE = 40  # well-rewarded molecules whose routes may be changed
UNFINISHED = Chem.MolFromSmarts(
    "[B,$(C(=O)(N)OC(C)(C)C),$(C(F)(F)(F)S(=O)=O)]"
)  # a handle or a protecting group
HEAVIEST_BLOCK = 22  # heavy atoms


@dataclass(frozen=True)
class AssemblyProposer:
    """Molecules that can be made from stock in at most `steps` reactions.

    `Proposal.edit` holds the route, one step after the other; `parents` the blocks bought.

    Parameters
    ----------
    stock : file of building blocks; the shipped 450 when absent
    steps : reactions in a row, 1 to 3
    selective : only reactions whose blocks can give a single product
    learn : share of proposals that change the route of a well-rewarded molecule, once there are any
    min_weight, max_weight : Da

    Raises
    ------
    SettingError, IntakeError
        Settings that contradict each other; a file that cannot be used.
    """

    stock: Path | None = None
    steps: int = STEPS
    selective: bool = True
    learn: float = 0.6
    min_weight: float = 200.0
    max_weight: float = 500.0
    name: str = "assembly"

    def __post_init__(self) -> None:
        settle(self)
        if not 1 <= self.steps <= STEPS:
            raise SettingError(f"steps is 1 to {STEPS}, not {self.steps}")
        if not 0.0 <= self.learn <= 1.0:
            raise SettingError(f"learn is a share, 0 to 1, not {self.learn}")
        check_weights(self.min_weight, self.max_weight)
        load(self.stock)

    def propose(self, n: int, /, *, round: int, seed: int, lessons: Sequence[Lesson]) -> Sequence[Proposal]:
        """At most `n` new molecules, none of which a lesson speaks of; fewer when the shelf is exhausted."""
        rng = random.Random(f"assembly {seed} {round}")
        shelf = Shelf.of(load(self.stock))
        known = {flat(lesson.molecule.mol()) for lesson in lessons}
        taught = sorted(lessons, key=lambda lesson: (-lesson.reward, lesson.molecule.smiles))
        routes = []
        for lesson in [one for one in taught if one.reward > 0][:ELITE]:
            route = plan(lesson.molecule.mol(), shelf.stock, self.steps)
            if route.whole and route.steps:
                routes.append(route.steps)
        proposals: list[Proposal] = []
        idle = 0
        while len(proposals) < n and idle < PATIENCE:
            idle += 1
            if routes and rng.random() < self.learn:
                made = self._changed(rng.choices(routes, by_rank(len(routes)))[0], shelf, rng)
            else:
                made = self._new(shelf, rng)
            if not made or made[-1].product in known:
                continue
            product = made[-1].product
            mol = Chem.MolFromSmiles(product)
            if mol.HasSubstructMatch(UNFINISHED) or objection(mol, self.min_weight, self.max_weight):
                continue
            idle = 0
            known.add(product)
            bought = {block for step in made for block in step.blocks} - {step.product for step in made}
            edit = "; ".join(f"{step.reaction}: {' + '.join(step.blocks)}" for step in made)
            proposals.append(Proposal(product, self.name, round, parents=tuple(sorted(bought)), edit=edit))
        return proposals

    def _new(self, shelf: Shelf, rng: random.Random) -> tuple[Step, ...] | None:
        """A route from nothing: a block, and up to `steps` reactions on it."""
        made: tuple[Step, ...] = ()
        at_hand = rng.choice(shelf.blocks)
        for _ in range(rng.randint(1, self.steps)):
            step = self._step(at_hand, shelf, rng)
            if step is None:
                break
            made = (*made, step)
            at_hand = step.product
        return made or None

    def _changed(self, route: tuple[Step, ...], shelf: Shelf, rng: random.Random) -> tuple[Step, ...] | None:
        """One more step, one less, or another block in one's place; None where that does not work."""
        choice = rng.random()
        if choice < 0.2 and len(route) < self.steps:
            step = self._step(route[-1].product, shelf, rng)
            return None if step is None else (*route, step)
        if choice < 0.3 and len(route) > 1:
            return route[:-1]
        inner = {step.product for step in route}
        places = [(i, j) for i, step in enumerate(route) for j, b in enumerate(step.blocks) if b not in inner]
        i, j = rng.choice(places)
        partners = shelf.fitting(named(route[i].reaction), route[i].blocks[j])
        return self._rerun(route, i, j, rng.choice(partners)) if partners else None

    def _rerun(self, route: tuple[Step, ...], at: int, place: int, block: str) -> tuple[Step, ...] | None:
        """The same reactions with one block exchanged."""
        renamed: dict[str, str] = {}
        made: list[Step] = []
        for i, step in enumerate(route):
            blocks = [renamed.get(b, b) for b in step.blocks]
            if i == at:
                blocks[place] = block
            again = self._run(named(step.reaction), tuple(blocks))
            if again is None:
                return None
            renamed[step.product] = again.product
            made.append(again)
        return tuple(made)

    def _step(self, at_hand: str, shelf: Shelf, rng: random.Random) -> Step | None:
        """Some reaction of what is at hand, with a block from the shelf where it takes two."""
        mol = Chem.MolFromSmiles(at_hand)
        open_to = [
            (reaction, other)
            for reaction in REACTIONS
            for other in _roles(reaction, mol)
            if reaction.blocks == 1 or shelf.partners[reaction.name, other]
        ]
        if not open_to:
            return None
        reaction, other = rng.choice(open_to)
        if reaction.blocks == 1:
            return self._run(reaction, (at_hand,))
        return self._run(reaction, (at_hand, rng.choice(shelf.partners[reaction.name, other])))

    def _run(self, reaction: Reaction, blocks: tuple[str, ...]) -> Step | None:
        step = _first_product(reaction, blocks)
        return None if step is None or (step.rivals and self.selective) else step


@dataclass(frozen=True)
class Shelf:
    """Building blocks, sorted by what they can do."""

    stock: Stock
    blocks: tuple[str, ...]
    partners: Mapping[tuple[str, int], tuple[str, ...]]  # (reaction, part) -> blocks that can take that part

    @classmethod
    def of(cls, stock: Stock) -> Shelf:
        """Each block is matched once against each part of each reaction."""
        blocks = tuple(sorted(stock.blocks))
        return cls(stock, blocks, _partners(blocks))

    def fitting(self, reaction: Reaction, block: str) -> tuple[str, ...]:
        """Blocks that can stand in this one's place."""
        roles = _roles(reaction, Chem.MolFromSmiles(block))
        parts = [1 - other for other in roles] if reaction.blocks == 2 else [0]
        return tuple(sorted({b for part in parts for b in self.partners[reaction.name, part]} - {block}))


@lru_cache(maxsize=20_000)
def _first_product(reaction: Reaction, blocks: tuple[str, ...]) -> Step | None:
    products = run(reaction, [Chem.MolFromSmiles(block) for block in blocks])
    if not products or Chem.MolFromSmiles(products[0]).GetNumHeavyAtoms() > 60:
        return None
    return Step(reaction.name, blocks, products[0], rivals(reaction, blocks, products))


@lru_cache(maxsize=4)
def _partners(blocks: tuple[str, ...]) -> dict[tuple[str, int], tuple[str, ...]]:
    partners: dict[tuple[str, int], list[str]] = {(r.name, part): [] for r in REACTIONS for part in range(2)}
    for block in blocks:
        mol = Chem.MolFromSmiles(block)
        if mol.GetNumHeavyAtoms() > HEAVIEST_BLOCK:
            continue
        for reaction in REACTIONS:
            for other in _roles(reaction, mol):
                partners[reaction.name, 1 - other if reaction.blocks == 2 else 0].append(block)
    return {key: tuple(found) for key, found in partners.items()}


def _roles(reaction: Reaction, mol: Chem.Mol) -> list[int]:
    """The parts that are left for others when this molecule takes one: 1 beside part 0, 0 beside part 1."""
    with quiet_rdkit():
        parts = [
            part
            for part in range(reaction.blocks)
            if mol.HasSubstructMatch(reaction.makes.GetReactantTemplate(part))
        ]
    return [1 - part for part in parts] if reaction.blocks == 2 else [0] * bool(parts)
