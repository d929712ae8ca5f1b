"""More like this one, but better where I say, and with this part kept: what would that be?

Any registered proposer may answer. Where it can be told what to stay near (`like`) and which
part stays (`keep`), it is; in every round it is taught which of its proposals were near and met the wishes. What does
not meet them stays in the table, unranked, with the wish it missed.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from rdkit import Chem

from discovery import plugins
from discovery.devices import SEED
from discovery.gathering import run_of_proposals
from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import Missing, Reason
from discovery.properties.similarity import Similarity
from discovery.proposal import Lesson, Proposal
from discovery.results import Row, Run
from discovery.score import Score, Scorer
from discovery.series.measured import STAGE, SeriesError
from discovery.views.reading import label_of
from discovery.views.text import number

NEAR = "similarity"


@dataclass(frozen=True, slots=True)
class Wish:
    """A number that should be lower or higher than the parent's, by at least so much."""

    scorer: Scorer
    way: Literal["lower", "higher"]
    by: float = 0.0  # in the column's unit

    def __post_init__(self) -> None:
        if self.way not in ("lower", "higher") or self.by < 0:
            raise SeriesError(f"a wish is 'lower' or 'higher' by 0 or more, not {self.way!r} by {self.by:g}")

    def missed_by(self, value: float, parent: float) -> float:
        """How far from fulfilled, in the column's unit; 0 or less when it is."""
        change = parent - value if self.way == "lower" else value - parent
        return self.by - change if self.by else (0.0 if change > 0 else abs(change) + 1e-9)


def more_like(
    parent: Molecule,
    *,
    keep: str = "",
    wishes: Sequence[Wish] = (),
    n: int = 20,
    rounds: int = 3,
    proposer: str = "graph",
    settings: Mapping[str, Any] | None = None,
    seed: int = SEED,
) -> Run:
    """Analogues of a molecule, those that meet every wish first, nearest first.

    Parameters
    ----------
    keep : SMARTS that every analogue holds; the parent must hold it
    wishes : each compared with the parent's own number
    n : proposals asked for in each round
    proposer, settings : as in a campaign file

    Returns
    -------
    Run
        Ranked rows hold `keep` and meet every wish; the others say what they missed.

    Raises
    ------
    SeriesError
        `keep` cannot be read or is not in the parent, or a wish's scorer has no number for the parent.
    PluginError
        There is no such proposer, or it refuses its settings.
    """
    pattern = _pattern(keep, parent)
    aims = [_number(wish.scorer, parent) for wish in wishes]
    maker = plugins.build("proposers", proposer, _settings(proposer, parent, keep, settings))
    likeness = Similarity((parent.smiles,))
    scorers = list({s.column.name: s for s in (likeness, *(wish.scorer for wish in wishes))}.values())
    proposals: list[Proposal] = []
    lessons: list[Lesson] = []
    for round in range(max(1, rounds)):
        made = maker.propose(n, round=round, seed=seed, lessons=list(lessons))
        for row in run_of_proposals(made, scorers, "").rows:
            if row.smiles:
                molecule = Molecule(row.smiles, row.id)
                lessons.append(Lesson(molecule, _reward(row, pattern, wishes, aims)))
        proposals += made
    run = run_of_proposals(proposals, scorers, f"more like {parent.shown}")
    seen = {parent.smiles: "the molecule asked about"}
    rows = [_judged(row, pattern, keep, wishes, aims, parent, seen) for row in run.rows]
    good = sorted((row for row in rows if row.missing is None), key=lambda row: (-_value(row, NEAR), row.id))
    ranked = [
        replace(row, rank=place, utility=_value(row, NEAR), front=1) for place, row in enumerate(good, 1)
    ]
    return replace(run, rows=(*ranked, *(row for row in rows if row.missing is not None)))


def _pattern(keep: str, parent: Molecule) -> Chem.Mol | None:
    if not keep:
        return None
    with quiet_rdkit():
        pattern = Chem.MolFromSmarts(keep)
    if pattern is None:
        raise SeriesError(f"keep: {keep!r} is no SMARTS RDKit can read")
    if not parent.mol().HasSubstructMatch(pattern):
        raise SeriesError(f"{parent.shown} does not hold {keep}, so its analogues cannot keep it")
    return pattern


def _number(scorer: Scorer, parent: Molecule) -> float:
    (found,) = scorer([parent])
    if isinstance(found, Missing):
        raise SeriesError(f"{scorer.column.name} has no number for {parent.shown} itself: {found.detail}")
    return found.value


def _settings(proposer: str, parent: Molecule, keep: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """What to tell the proposer: where it can be told, to stay near the parent and to keep what is kept."""
    settings = dict(given or {})
    can = inspect.signature(plugins.load("proposers", proposer)).parameters
    if {"like", "scaffold", "fragments"} & set(settings) or "like" not in can:
        return settings
    return {**settings, "like": parent.smiles} | ({"keep": keep} if keep and "keep" in can else {})


def _reward(row: Row, pattern: Chem.Mol | None, wishes: Sequence[Wish], aims: Sequence[float]) -> float:
    """Nearness, halved for each wish that is missed; nothing where the part to keep is gone."""
    if pattern is not None and not Molecule(row.smiles).mol().HasSubstructMatch(pattern):
        return 0.0
    reward = _value(row, NEAR)
    for wish, aim in zip(wishes, aims, strict=True):
        found = row.outcomes[wish.scorer.column.name]
        if not isinstance(found, Score) or wish.missed_by(found.value, aim) > 0:
            reward *= 0.5
    return reward


def _value(row: Row, column: str) -> float:
    found = row.outcomes[column]
    return found.value if isinstance(found, Score) else 0.0


def _judged(
    row: Row,
    pattern: Chem.Mol | None,
    keep: str,
    wishes: Sequence[Wish],
    aims: Sequence[float],
    parent: Molecule,
    seen: dict[str, str],
) -> Row:
    if row.missing is not None:
        return row
    why: Missing | None = None
    if row.smiles in seen:
        why = Missing(STAGE, Reason.DUPLICATE, f"{row.id} is {seen[row.smiles]}")
    elif pattern is not None and not Molecule(row.smiles).mol().HasSubstructMatch(pattern):
        why = Missing(STAGE, Reason.FILTERED, f"{row.id} does not hold {keep}")
    seen.setdefault(row.smiles, row.id)
    for wish, aim in zip(wishes, aims, strict=True):
        found = row.outcomes[wish.scorer.column.name]
        if why is None and isinstance(found, Score) and wish.missed_by(found.value, aim) > 0:
            by = f" by {number(wish.by)}" if wish.by else ""
            why = Missing(
                STAGE,
                Reason.FILTERED,
                f"{row.id}: {label_of(wish.scorer.column)} {number(found.value)} is not {wish.way}{by} than "
                f"{number(aim)} of {parent.shown}",
            )
    return replace(row, missing=why)


def wish(use: str, way: Literal["lower", "higher"], by: float = 0.0, **settings: Any) -> Wish:
    """A wish about a registered scorer: `wish("descriptor", "lower", by=0.5, name="logp")`.

    Raises
    ------
    PluginError
        There is no such scorer, or it refuses its settings.
    """
    return Wish(plugins.build("scorers", use, settings), way, by)
