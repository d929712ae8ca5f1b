"""How does a molecule go through a campaign's stages?

Round by round, stage by stage, the same way whether the campaign runs, goes on or is
only read: who answers what is asked on the way is campaign's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from discovery import plugins
from discovery.config import Campaign, ConfigError, ScorerConfig
from discovery.funnel import keep_best, within
from discovery.molecule import Molecule
from discovery.outcome import Fault, Missing, MoleculeError, Reason
from discovery.proposal import Lesson, Proposal
from discovery.ranking import Criterion, utility
from discovery.score import Column, Outcome, Score
from discovery.target import Statement

_WISH = {"low": "lower", "high": "higher"}  # a column's better -> the shape of the wish for it


@dataclass
class Candidate:
    """A proposed molecule on its way; it and the walk are the only records here that change."""

    id: str
    proposal: Proposal
    molecule: Molecule | None = None
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    refused: Missing | None = None

    @property
    def shown(self) -> str:
        return f"{self.id} ({self.proposal.name})" if self.proposal.name else self.id


@dataclass(frozen=True)
class Stage:
    """A scorer's place in the campaign: its column, and who comes before it."""

    part: ScorerConfig
    column: Column
    settings: Mapping[str, Any]
    number: int  # among the campaign's scorers, from 1
    after: str = ""  # the column it starts from, of a refiner
    context: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def build(cls, part: ScorerConfig, number: int) -> Stage:
        scorer = plugins.build("scorers", part.use, part.settings, where=f"scorers {number}")
        context = getattr(scorer, "context", None)
        return cls(
            part,
            scorer.column,
            part.settings,
            number,
            after=getattr(scorer, "after", ""),
            context=context() if callable(context) else {},
        )

    @property
    def late(self) -> bool:
        return self.part.when == "end"

    @property
    def criterion(self) -> Criterion | None:
        desire = self.part.desirability
        return Criterion(self.column.name, desire, self.part.weight, self.late) if desire else None

    @property
    def contrary(self) -> str:
        """What is odd about a wish that asks for the worse numbers of a column; empty where none does."""
        desire = self.part.desirability
        if desire is None or desire.shape == "window" or desire.shape.startswith(self.column.better):
            return ""
        return (
            f"scorers {self.number} wishes {self.column.name} {desire.shape}, but {self.column.better} numbers of "
            f"{self.column.label} are the better ones; if that is not meant, say shape = "
            f'"{_WISH[self.column.better]}"'
        )


@dataclass
class Walk:
    """Where all molecules have got to; `funnel` is stage -> how each that entered it ended."""

    candidates: list[Candidate] = field(default_factory=list)
    statements: tuple[Statement, ...] = ()
    funnel: dict[str, list[Outcome]] = field(default_factory=dict)
    finished: bool = True


class Asked(Protocol):
    """Answers what a walk asks; None means: not known, and not to be found out."""

    def statements(self) -> tuple[Statement, ...] | None: ...

    def proposals(self, round: int, lessons: Callable[[], Sequence[Lesson]]) -> Sequence[Proposal] | None: ...

    def scores(
        self, stage: Stage, round: int, molecules: Sequence[Molecule], found: Sequence[Score] | None
    ) -> Sequence[Outcome | None]: ...


def walk(config: Campaign, stages: Sequence[Stage], asked: Asked) -> Walk:
    """Send every proposal through every stage, round by round, as far as `asked` knows the answers."""
    going = Walk()
    statements = asked.statements()
    going.statements = statements or ()
    going.finished = statements is not None
    first_seen: dict[str, str] = {}
    early = [stage for stage in stages if not stage.late]
    for round in range(config.rounds):
        proposals = asked.proposals(round, lambda: _lessons(going.candidates, early))
        if proposals is None:
            going.finished = False
            break
        entered = [
            _enter(Candidate(f"r{round}-{i:04d}", proposal), first_seen)
            for i, proposal in enumerate(proposals)
        ]
        going.candidates += entered
        going.funnel.setdefault("proposal", []).extend(c.refused or Score(1.0) for c in entered)
        for stage in early:
            _pass(stage, early, entered, round, asked, going)
    for stage in stages:
        if stage.late:
            _pass(stage, stages, going.candidates, config.rounds, asked, going)
    return going


def _enter(candidate: Candidate, first_seen: dict[str, str]) -> Candidate:
    """Parse a proposal; unreadable and repeated ones stay as rows with their reason."""
    shown = candidate.shown
    try:
        molecule = Molecule.parse(candidate.proposal.smiles, shown)
    except MoleculeError as error:
        candidate.refused = Missing("proposal", error.reason, str(error))
        return candidate
    candidate.molecule = molecule
    first = first_seen.setdefault(molecule.smiles, shown)
    if first != shown:
        candidate.refused = Missing("proposal", Reason.DUPLICATE, f"{shown} is the same molecule as {first}")
    return candidate


def _pass(
    stage: Stage,
    known: Sequence[Stage],
    candidates: Sequence[Candidate],
    round: int,
    asked: Asked,
    walk: Walk,
) -> None:
    """Send the candidates that are still in through one stage."""
    name = stage.column.name
    before = [s.criterion for s in known if s.number < stage.number and s.criterion]
    utilities = [_standing(c, before) for c in candidates]
    verdicts = keep_best(utilities, stage.part.best, stage=name, shown=[c.shown for c in candidates])
    sent: list[Candidate] = []
    for candidate, standing, verdict in zip(candidates, utilities, verdicts, strict=True):
        if standing is None:
            candidate.outcomes[name] = candidate.refused or _not_sent_before(candidate, name)
        elif verdict is not None:
            candidate.outcomes[name] = verdict
            walk.funnel.setdefault(name, []).append(verdict)
            if not stage.late:
                candidate.refused = verdict
        else:
            sent.append(candidate)
    found = _found(stage, sent)
    molecules = [c.molecule for c in sent if c.molecule is not None]
    outcomes = asked.scores(stage, round, molecules, found) if sent else []
    # of those that got there, so that it tells how far a run has come
    bar = walk.funnel.setdefault(name, []) if sent else []
    for candidate, outcome in zip(sent, outcomes, strict=True):
        reached = outcome is not None
        walk.finished &= reached
        end = outcome or Missing(
            name, Reason.NOT_REACHED, f"the run was stopped before {candidate.shown} got there"
        )
        candidate.outcomes[name] = end
        if isinstance(end, Score):
            candidate.refused = within(
                end, stage.column, stage.part.at_least, stage.part.at_most, candidate.shown
            )
            end = candidate.refused or end
        elif stage.part.decides:
            candidate.refused = end
        if reached:
            bar.append(end)


def _standing(candidate: Candidate, before: Sequence[Criterion]) -> float | None:
    """How good a candidate is on what is known; None if it is out of the race."""
    if candidate.refused is not None or candidate.molecule is None:
        return None
    return utility(candidate.outcomes, before) if before else 1.0


def _not_sent_before(candidate: Candidate, name: str) -> Missing:
    reasons = [o for o in candidate.outcomes.values() if isinstance(o, Missing)]
    last = reasons[-1].detail if reasons else "it lacks an earlier score"
    return Missing(name, Reason.NOT_REACHED, f"{candidate.shown} was not sent: {last}")


def _found(stage: Stage, sent: Sequence[Candidate]) -> list[Score] | None:
    """What the stage before found of each, for a stage that starts from it."""
    if not stage.after:
        return None
    found: list[Score] = []
    for candidate in sent:
        outcome = candidate.outcomes.get(stage.after)
        if not isinstance(outcome, Score):
            raise ConfigError(
                f"scorers {stage.number} ({stage.part.use}) starts from the column {stage.after!r}, which "
                f"{candidate.shown} lacks: put that scorer before it, with a desirability or a limit"
            )
        found.append(outcome)
    return found


def _lessons(candidates: Sequence[Candidate], early: Sequence[Stage]) -> list[Lesson]:
    """What a proposer may learn: utilities, and zeros for the molecule's own faults only."""
    criteria = [stage.criterion for stage in early if stage.criterion]
    lessons: list[Lesson] = []
    for c in candidates:
        if c.molecule is None:
            continue
        if c.refused is None:
            if (value := utility(c.outcomes, criteria)) is not None:
                scores = [(one.desire, c.outcomes[one.name]) for one in criteria]
                parts = tuple(desire(score.value) for desire, score in scores if isinstance(score, Score))
                lessons.append(Lesson(c.molecule, value, parts=parts))
        elif c.refused.reason.fault is Fault.MOLECULE or c.refused.reason is Reason.FILTERED:
            lessons.append(Lesson(c.molecule, 0.0, c.refused))
    return lessons
