"""Propose, score, rank, learn, repeat.

A campaign is walked the same way whether it runs, resumes or is only read: round by
round, stage by stage, each step asking for what it needs. A running campaign
computes what the ledger lacks; a reading one stops where the ledger ends. Since every
step follows from the configuration, the seed and the ledger alone, a campaign killed
at any moment and started again ends with the table it would have had.

How one stage survives bad molecules is execution's business; what is kept on disk,
the ledger's; whether a folder fits the campaign, starting's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from discovery import execution, plugins, provenance
from discovery.campaigns.starting import CampaignError, agree, check_same, mend, versions_for
from discovery.campaigns.walking import Stage, Walk, walk
from discovery.config import Campaign, EvidenceConfig, ProposerConfig
from discovery.config import parse as parse_config
from discovery.devices import seed_for
from discovery.events import Event, Sink, silent
from discovery.files import SUMS
from discovery.ledger import Ledger
from discovery.molecule import Molecule
from discovery.outcome import Counts
from discovery.proposal import Lesson, Proposal
from discovery.ranking import rank
from discovery.results import Row, Run, StageCount
from discovery.score import Column, Outcome, Score
from discovery.target import EvidenceSource, Statement, Target
from discovery.workers.sharing import PLAIN, Terms


def run(
    config: Campaign,
    folder: str | Path,
    *,
    on_event: Sink = silent,
    allow_mixed: bool = False,
    terms: Terms = PLAIN,
) -> Run:
    """Run a campaign in a folder, or finish the one that is there.

    Parameters
    ----------
    config : what to do
    folder : made if absent; if it holds this campaign already, nothing that is
        recorded is computed again, and only machines' faults are retried.
    on_event : told of every step
    allow_mixed : go on although libraries changed since the run began; both sets
        of versions are then recorded.
    terms : how stages that run in workers are shared with helpers (see workers/sharing.py)

    Raises
    ------
    CampaignError
        The folder holds a different campaign, or was begun with other versions.
    PluginError
        A named part is unknown, not installed, or refuses its settings.
    TypeError
        `config` is no Campaign.
    """
    if not isinstance(config, Campaign):
        raise TypeError(
            f"a Campaign is wanted, not a {type(config).__name__}: discovery.config.read makes one of a file, "
            "parse of a dictionary"
        )
    folder = Path(folder)
    began = time.monotonic()
    ledger = Ledger.open(folder)
    check_same(ledger, config)
    with ledger.lock():
        mend(ledger, on_event)
        # built before the folder is given to this campaign: one that cannot start must not bind it
        stages = [Stage.build(part, number) for number, part in enumerate(config.scorers, start=1)]
        _unique([stage.column.name for stage in stages])
        for stage in stages:
            if said := stage.contrary:
                on_event(Event("warning", stage.column.name, said))
        proposers, sources = _built("proposers", config.proposers), _built("evidence", config.evidence)
        agree(ledger, config, allow_mixed=allow_mixed)
        ledger.put_document("stages", [{"column": asdict(s.column), "after": s.after} for s in stages])
        ledger.put_document("context", {key: text for stage in stages for key, text in stage.context.items()})
        on_event(Event("run", config.name, f"in {folder}"))
        live = _Live(config, ledger, stages, proposers, sources, on_event, terms)
        walked = walk(config, stages, live)
        if ledger.get_document("finished") is None:
            ledger.put_document(
                "finished", {"seconds": time.monotonic() - began, "finished": provenance.today()}
            )
        result = _as_run(config, folder, ledger, stages, walked)
    on_event(Event("done", config.name, f"{len(result.ranked)} of {len(result.rows)} molecules ranked"))
    return result


def finished(folder: str | Path) -> Run | None:
    """The results of a campaign that has come to its end; None before."""
    folder = Path(folder)
    if not folder.is_dir() or Ledger(folder).get_document("finished") is None:
        return None
    return load(folder)


def load(folder: str | Path) -> Run:
    """Read a campaign's results as far as it has come; nothing is computed or written.

    Raises
    ------
    CampaignError
        There is no campaign in the folder.
    Damaged
        A file of the ledger does not hold what was written; `discovery verify` lists all of them.
    """
    folder, config = Path(folder), recorded(folder)
    ledger = Ledger(folder)
    made = ledger.get_document("stages")
    if made is None:
        raise CampaignError(f"{folder}: the campaign was stopped before it began; run it again")
    stages = [
        Stage(part, Column(**entry["column"]), part.settings, number, after=entry["after"])
        for number, (part, entry) in enumerate(zip(config.scorers, made, strict=True), start=1)
    ]
    walked = walk(config, stages, _Reading(config, ledger, stages))
    return _as_run(config, folder, ledger, stages, walked)


def recorded(folder: str | Path) -> Campaign:
    """The configuration a folder was made with: parts, settings, seed.

    Raises
    ------
    CampaignError
        There is no campaign in the folder; where it holds a screen, that is said.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise CampaignError(f"{folder}: there is no such folder")
    ledger = Ledger(folder)  # not `open`, which would make its folders
    document = ledger.get_document("campaign")
    if document is None and ledger.get_document("screen") is not None:
        raise CampaignError(
            f"{folder} holds a screen, not a campaign: its best are in {folder / 'top.csv'}, every row in "
            f"{folder / 'rows.parquet'}; discovery report, status and verify read it"
        )
    if document is None and (folder / SUMS).is_file():
        raise CampaignError(
            f"{folder} holds what another command left, not a campaign: discovery report writes a page of docked "
            "or simulated molecules, discovery dossier TARGET --corpus reads mined articles, discovery verify both"
        )
    if document is None:
        raise CampaignError(f"{folder}: no campaign was run here; start one with discovery run CAMPAIGN.toml")
    return parse_config(document, where=f"{folder}, campaign")


@dataclass
class _Live:
    """Answers by computing, and writes every answer down before it is used."""

    config: Campaign
    ledger: Ledger
    stages: Sequence[Stage]
    proposers: Sequence[Any]
    sources: Sequence[EvidenceSource]
    on_event: Sink
    terms: Terms

    def statements(self) -> tuple[Statement, ...]:
        document = self.ledger.get_document("evidence")
        if document is None:
            target = Target(**self.config.target.model_dump())
            found: list[Statement] = []
            for part, source in zip(self.config.evidence, self.sources, strict=True):
                self.on_event(Event("stage", f"evidence: {part.use}"))
                found += source(target)
                self.on_event(
                    Event("done", f"evidence: {part.use}", done=len(found), total=len(found), ok=len(found))
                )
            document = [asdict(statement) for statement in found]
            self.ledger.put_document("evidence", document)
        return tuple(Statement(**entry) for entry in document)

    def proposals(self, round: int, lessons: Callable[[], Sequence[Lesson]]) -> Sequence[Proposal]:
        name = f"proposals-{round}"
        document = self.ledger.get_document(name)
        if document is None:
            learned = lessons()
            made: list[Proposal] = []
            for part, proposer in zip(self.config.proposers, self.proposers, strict=True):
                step = f"round {round}: {proposer.name} proposes"
                self.on_event(Event("stage", step, total=part.n))
                seed = seed_for(self.config.seed, "proposer", proposer.name, str(round))
                some = list(proposer.propose(part.n, round=round, seed=seed, lessons=learned))
                if len(some) > part.n:
                    raise plugins.PluginError(
                        f"proposer {part.use!r} gave {len(some)} molecules when asked for at most {part.n}"
                    )
                for one in some:
                    if not isinstance(one, Proposal):
                        raise plugins.PluginError(
                            f"proposer {part.use!r} gave a {type(one).__name__}, not a Proposal; "
                            f"discovery conform proposers {part.use} tells what is asked of it"
                        )
                made += some
                self.on_event(Event("done", step, done=len(some), total=len(some), ok=len(some)))
            document = [asdict(proposal) for proposal in made]
            self.ledger.put_document(name, document)
        return [_proposal(entry) for entry in document]

    def scores(
        self, stage: Stage, round: int, molecules: Sequence[Molecule], found: Sequence[Score] | None
    ) -> Sequence[Outcome]:
        label = f"{'end' if stage.late else f'round {round}'}: {stage.column.name}"
        workers = self.config.workers if stage.part.workers is None else stage.part.workers
        return execution.score_all(
            _spec(stage),
            molecules,
            ledger=self.ledger,
            stage=stage.column.name,
            versions=versions_for(self.ledger, stage.part.use, stage.settings),
            found=found,
            workers=workers,
            chunk=stage.part.chunk
            or (256 if workers == 0 else max(1, min(32, len(molecules) // (4 * workers)))),
            timeout_s=stage.part.timeout_s,
            on_event=self.on_event,
            label=label,
            terms=self.terms,
        )


@dataclass
class _Reading:
    """Answers from the ledger alone."""

    config: Campaign
    ledger: Ledger
    stages: Sequence[Stage]

    def statements(self) -> tuple[Statement, ...] | None:
        document = self.ledger.get_document("evidence")
        return None if document is None else tuple(Statement(**entry) for entry in document)

    def proposals(self, round: int, lessons: Callable[[], Sequence[Lesson]]) -> Sequence[Proposal] | None:
        document = self.ledger.get_document(f"proposals-{round}")
        return None if document is None else [_proposal(entry) for entry in document]

    def scores(
        self, stage: Stage, round: int, molecules: Sequence[Molecule], found: Sequence[Score] | None
    ) -> Sequence[Outcome | None]:
        return execution.recorded(
            _spec(stage),
            molecules,
            ledger=self.ledger,
            stage=stage.column.name,
            versions=versions_for(self.ledger, stage.part.use, stage.settings),
            found=found,
        )


def _as_run(config: Campaign, folder: Path, ledger: Ledger, stages: Sequence[Stage], walked: Walk) -> Run:
    criteria = [stage.criterion for stage in stages if stage.criterion]
    placed = rank([c.outcomes for c in walked.candidates], criteria, [c.refused for c in walked.candidates])
    rows = [
        Row(
            id=c.id,
            text=c.proposal.smiles,
            smiles=c.molecule.smiles if c.molecule else "",
            proposer=c.proposal.proposer,
            round=c.proposal.round,
            parents=c.proposal.parents,
            edit=c.proposal.edit,
            name=c.proposal.name,
            log_prob=c.proposal.log_prob,
            weights=c.proposal.weights,
            outcomes=c.outcomes,
            desirability=place.desirability,
            utility=place.utility,
            rank=place.rank,
            front=place.front,
            missing=place.missing,
        )
        for c, place in zip(walked.candidates, placed, strict=True)
    ]
    rows.sort(key=lambda row: (row.rank is None, row.rank or 0))  # stable: the unranked keep their order
    seconds: dict[str, float] = {}
    for shard in ledger.shards():
        seconds[shard.stage] = seconds.get(shard.stage, 0.0) + float(shard.info.get("seconds", 0.0))
    context = ledger.get_document("context") or {}
    finished = ledger.get_document("finished")
    return Run(
        name=config.name,
        folder=str(folder),
        target=Target(**config.target.model_dump()),
        columns=tuple(stage.column for stage in stages),
        rows=tuple(rows),
        funnel=tuple(
            StageCount(name, Counts.of(outcomes), seconds.get(name, 0.0))
            for name, outcomes in walked.funnel.items()
        ),
        statements=walked.statements,
        provenance={**(ledger.get_document("provenance") or {}), **(finished or {})},
        receptor_pdb=context.get("receptor_pdb", ""),
        reference_sdf=context.get("reference_sdf", ""),
        finished=walked.finished and finished is not None,
        notes=(*config.notes, *filter(None, (stage.contrary for stage in stages))),
    )


def _spec(stage: Stage) -> execution.ScorerSpec:
    return execution.ScorerSpec(stage.part.use, dict(stage.settings))


def _proposal(entry: dict[str, Any]) -> Proposal:
    return Proposal(**{**entry, "parents": tuple(entry["parents"])})


def _built(group: str, parts: Sequence[ProposerConfig | EvidenceConfig]) -> list[Any]:
    return [
        plugins.build(group, part.use, part.settings, where=f"{group} {number}")
        for number, part in enumerate(parts, start=1)
    ]


def _unique(names: Sequence[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise CampaignError(
                f"two scorers both fill the column {name!r}; give one of them another name in its settings"
            )
