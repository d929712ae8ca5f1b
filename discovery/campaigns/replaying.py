"""Would the same molecule get the same scores today?

Computes one row's scores again, with the run's own settings and seeds, and lays them
beside what was recorded. Nothing is written.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from discovery import campaign, execution, plugins, provenance
from discovery.campaigns.starting import CampaignError
from discovery.ledger import Ledger
from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.results import Row
from discovery.score import Outcome, Score


@dataclass(frozen=True, slots=True)
class Line:
    """One column, then and now."""

    column: str
    then: Outcome
    now: Outcome

    @property
    def same(self) -> bool:
        """Equal to the last bit, or missing for the same reason."""
        if isinstance(self.then, Score) and isinstance(self.now, Score):
            return self.then.value == self.now.value
        if isinstance(self.then, Missing) and isinstance(self.now, Missing):
            return self.then.reason is self.now.reason
        return False


@dataclass(frozen=True, slots=True)
class Comparison:
    """One row, computed twice."""

    row: Row
    lines: tuple[Line, ...]
    versions_changed: str  # in words; empty where none did

    @property
    def same(self) -> bool:
        return all(line.same for line in self.lines)

    def text(self) -> str:
        told = [f"{self.row.id}  {self.row.smiles}"]
        for line in self.lines:
            mark = "same" if line.same else "DIFFERENT"
            told.append(f"  {line.column:<20} then {_cell(line.then):<28} now {_cell(line.now):<28} {mark}")
        if self.versions_changed:
            told.append(f"  versions changed since the run: {self.versions_changed}")
        return "\n".join(told)


def replay(folder: str | Path, name: str) -> Comparison:
    """Compute one row of a campaign's `folder` again: by its own name, or as its table writes it, such as r0-0017.

    Raises
    ------
    CampaignError
        There is no such run or row, or the row never was a molecule.
    """
    folder = Path(folder)
    result = campaign.load(folder)
    try:
        row = result.named(name)
    except KeyError as error:
        raise CampaignError(f"{folder}: {error.args[0]}") from error
    if not row.smiles:
        raise CampaignError(f"{name} has nothing to compute again: {row.missing}")
    recorded = Ledger(folder)
    config = campaign.recorded(folder)
    molecule = Molecule(row.smiles, row.id)
    lines: list[Line] = []
    now: dict[str, Outcome] = {}
    with tempfile.TemporaryDirectory() as scratch:
        ledger = Ledger.open(scratch)
        for part, column in zip(config.scorers, result.columns, strict=True):
            then = row.outcomes.get(column.name)
            if then is None or (isinstance(then, Missing) and then.reason in _NEVER_ASKED):
                continue  # the funnel's choice, not the scorer's answer
            if isinstance(then, Missing) and then.stage != column.name and row.missing == then:
                continue  # an earlier stage's reason, passed on
            after = getattr(plugins.build("scorers", part.use, part.settings), "after", "")
            found = None
            if after:
                before = now.get(after)
                if not isinstance(before, Score):
                    continue
                found = [before]
            now[column.name] = execution.score_all(
                execution.ScorerSpec(part.use, dict(part.settings)),
                [molecule],
                ledger=ledger,
                stage=column.name,
                versions=provenance.versions(),
                found=found,
                workers=min(1, config.workers if part.workers is None else part.workers),
                timeout_s=part.timeout_s,
            )[0]
            lines.append(Line(column.name, then, now[column.name]))
    old = (recorded.get_document("versions") or [{}])[0]
    return Comparison(row, tuple(lines), provenance.changes(old, provenance.versions()))


_NEVER_ASKED = frozenset({Reason.NOT_REACHED, Reason.FILTERED, Reason.DUPLICATE})


def _cell(outcome: Outcome) -> str:
    return f"{outcome.value:.10g}" if isinstance(outcome, Score) else outcome.reason.value.replace("_", " ")
