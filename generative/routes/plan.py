"""Can this molecule be made from what is on the shelf, and how?

The molecule is taken apart by the reactions of reactions.py, its blocks again, up to a
number of steps in a row. A route counts only if every step, run forward on its very
blocks, gives its product again. Where no whole route is found, the one that leaves the
fewest atoms unexplained is told.

The search is exhaustive up to `steps`, depth first, each structure taken apart once; a
budget of structures bounds its time. Flat structures: handedness is not looked at. Nor are
yields, conditions or the order of protecting groups: `rivals` counts what else the same
blocks could give, and that is all there is on selectivity.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rdkit import Chem

from generative.refusal import SettingError
from generative.routes.reactions import Reaction, run, undo
from generative.routes.stock import Stock, flat

STEPS = 3
STRUCTURES = 400  # taken apart in one search: about two seconds


@dataclass(frozen=True, slots=True)
class Step:
    """One reaction of a route."""

    reaction: str
    blocks: tuple[str, ...]  # SMILES
    product: str
    rivals: int  # other products that the same blocks could give by the same reaction


@dataclass(frozen=True, slots=True)
class Route:
    """How a molecule is made, as far as it is known."""

    target: str  # canonical SMILES, flat
    steps: tuple[Step, ...]  # in the order of work; none when the target itself is on the shelf
    blocks: tuple[str, ...]  # bought, each once
    lacking: tuple[str, ...]  # blocks that no shelf has and no reaction made
    covered: float  # 0..1: share of the leaves' heavy atoms that can be bought
    exhausted: bool  # False: the search met its budget first, so a route may have been missed

    @property
    def whole(self) -> bool:
        return not self.lacking

    def text(self) -> str:
        """One line a step, for people."""
        if not self.steps:
            return f"{self.target}: on the shelf" if self.whole else f"{self.target}: no route found"
        return "\n".join(
            f"{number}. {step.reaction}: {' + '.join(step.blocks)} -> {step.product}"
            for number, step in enumerate(self.steps, start=1)
        )


def plan(mol: Chem.Mol, stock: Stock, steps: int = STEPS, structures: int = STRUCTURES) -> Route:
    """The shortest whole route of at most `steps` reactions in a row, else the best part of one.

    Of routes of one length the one with fewer rivals is told, then the first by name: the
    same in every run.

    Parameters
    ----------
    mol : an RDKit molecule
    stock : the building blocks that can be bought; `generative.routes.stock.load()` gives the shipped ones
    structures : how many structures are taken apart before the search gives up

    Raises
    ------
    SettingError
        Numbers below their least.
    """
    if steps < 0 or structures < 1:
        raise SettingError(f"steps ({steps}) must be 0 or more, and structures ({structures}) at least 1")
    target = flat(mol)
    search = _Search(stock, structures)
    best = search.made(target, 0)
    for depth in range(1, steps + 1):  # the shortest first: deeper searches reuse nothing but the undoing
        if best.whole and not best.rivals:
            break
        best = max(best, search.made(target, depth), key=_worth)
    leaves = sorted({*best.bought, *best.lacking})
    atoms = {leaf: _heavy(leaf) for leaf in leaves}
    total = sum(atoms.values())
    lacking = tuple(sorted(set(best.lacking)))
    return Route(
        target=target,
        steps=best.steps,
        blocks=tuple(sorted(set(best.bought))),
        lacking=lacking,
        covered=1.0 - sum(atoms[leaf] for leaf in lacking) / total,
        exhausted=search.left > 0,
    )


@dataclass(frozen=True, slots=True)
class _Made:
    """A way to one structure."""

    steps: tuple[Step, ...]
    bought: tuple[str, ...]
    lacking: tuple[str, ...]
    lacking_atoms: int
    rivals: int

    @property
    def whole(self) -> bool:
        return not self.lacking


def _worth(made: _Made) -> tuple[int, int, int]:
    """Larger is better."""
    return (-made.lacking_atoms, -len(made.steps), -made.rivals)


class _Search:
    def __init__(self, stock: Stock, structures: int) -> None:
        self.stock = stock
        self.left = structures
        self.known: dict[tuple[str, int], _Made] = {}
        self.apart: dict[str, list[Step]] = {}

    def made(self, smiles: str, depth: int) -> _Made:
        """The best way to a structure with at most `depth` reactions in a row."""
        if smiles in self.stock:
            return _Made((), (smiles,), (), 0, 0)
        key = (smiles, depth)
        if key not in self.known:
            self.known[key] = self._looked_for(smiles, depth)
        return self.known[key]

    def _looked_for(self, smiles: str, depth: int) -> _Made:
        best = _Made((), (), (smiles,), _heavy(smiles), 0)
        if depth == 0:
            return best
        for step in self._last_steps(smiles):
            ways = [self.made(block, depth - 1) for block in step.blocks]
            made = _Made(
                steps=(*(earlier for way in ways for earlier in way.steps), step),
                bought=tuple(block for way in ways for block in way.bought),
                lacking=tuple(block for way in ways for block in way.lacking),
                lacking_atoms=sum(way.lacking_atoms for way in ways),
                rivals=step.rivals + sum(way.rivals for way in ways),
            )
            if _worth(made) > _worth(best):
                best = made
        return best

    def _last_steps(self, smiles: str) -> list[Step]:
        """Every step that makes this structure, checked forward; nothing once the budget is spent."""
        if smiles not in self.apart:
            if self.left <= 0:
                return []
            self.left -= 1
            self.apart[smiles] = list(self._undone(smiles))
        return self.apart[smiles]

    def _undone(self, smiles: str) -> Iterator[Step]:
        heavy = _heavy(smiles)
        for reaction, drawn in undo(Chem.MolFromSmiles(smiles)):
            # a block larger than its product by more than a protecting group leads nowhere
            if any(_heavy(block) > heavy + 7 for block in drawn):
                continue
            for blocks in self._on_the_shelf(drawn):
                products = run(reaction, [Chem.MolFromSmiles(block) for block in blocks])
                if smiles in products:
                    yield Step(reaction.name, blocks, smiles, rivals(reaction, blocks, products))
                    break  # other halogens would say the same

    def _on_the_shelf(self, drawn: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        """The blocks as drawn, or with the halogen that can be bought."""
        choices = [self.stock.alike(block) or (block,) for block in drawn]
        if len(choices) == 1:
            yield from ((block,) for block in choices[0])
            return
        yield from ((first, second) for first in choices[0] for second in choices[1])


def rivals(reaction: Reaction, blocks: tuple[str, ...], products: Sequence[str]) -> int:
    """What else these blocks could give by this reaction: elsewhere on each other, or with their own kind."""
    alone = 0
    if reaction.blocks == 2:
        for block in sorted(set(blocks)):
            alone += len(run(reaction, [Chem.MolFromSmiles(block)] * 2))
    return len(products) - 1 + alone


def _heavy(smiles: str) -> int:
    return int(Chem.MolFromSmiles(smiles).GetNumHeavyAtoms())
