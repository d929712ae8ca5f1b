"""What would a campaign do, and cost?

A pilot proposes a few molecules and sends them through every stage in a throw-away
ledger; the cost of the whole is that, times the counts. An estimate, and said so: a
stage's start-up (loading libraries, preparing a receptor) is measured apart from its
cost per molecule by timing one molecule, then a few, then, if those were quick, many:
what keeping a shard costs is shared by the molecules of a shard, as in a run.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from discovery import execution, plugins, provenance
from discovery.config import Campaign
from discovery.devices import seed_for
from discovery.events import duration
from discovery.ledger import Ledger
from discovery.molecule import Molecule
from discovery.outcome import Missing, MoleculeError
from discovery.proposal import Proposal
from discovery.score import Score
from discovery.views.text import inert

PILOT = 6  # molecules sent through the cheap stages; two of them through each dear one
MANY = 64  # where the pilot took less than `QUICK_S`
QUICK_S = 0.5
SHARD = 32  # molecules kept together in a run with workers


@dataclass(frozen=True, slots=True)
class StagePlan:
    """One stage of the plan."""

    name: str
    when: str
    molecules: int  # at most
    start_s: float  # once a round and worker
    each_s: float | None  # per molecule; None where the pilot got no answer
    note: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A campaign's stages, counts and estimated cost."""

    name: str
    rounds: int
    workers: int
    stages: tuple[StagePlan, ...]
    bytes_a_molecule: float
    licences: tuple[str, ...]
    network: tuple[str, ...]
    pilot_s: float

    @property
    def seconds(self) -> float:
        """Estimated wall time on this machine."""
        total = 0.0
        for stage in self.stages:
            repeats = self.rounds if stage.when == "round" else 1
            total += repeats * stage.start_s + stage.molecules * (stage.each_s or 0.0) / max(1, self.workers)
        return total

    def text(self) -> str:
        most = max(stage.molecules for stage in self.stages)
        lines = [f"{self.name}: {self.rounds} round(s), {most:,} molecules, {self.workers} worker(s)"]
        lines.append(f"{'stage':<22}{'when':<8}{'at most':>9}{'start':>10}{'each':>12}")
        for s in self.stages:
            each = "unknown" if s.each_s is None else f"{s.each_s:.3g} s"
            lines.append(
                f"{s.name:<22}{s.when:<8}{s.molecules:>9,}{s.start_s:>8.1f} s{each:>12}  {s.note}".rstrip()
            )
        lines.append(
            f"estimated time: {duration(self.seconds)} on this machine, from a pilot of {self.pilot_s:.0f} s"
        )
        lines.append(f"estimated disk: {self.bytes_a_molecule * most / 1e6:.1f} MB")
        lines.append(f"network: {', '.join(self.network) or 'nothing is fetched'}")
        lines.append(f"licences: {'; '.join(self.licences)}")
        return "\n".join(lines)


def plan(config: Campaign) -> Plan:
    """Run the pilot of the campaign that `config` describes and estimate; nothing is kept.

    Raises
    ------
    PluginError
        A named part is unknown, not installed, or refuses its settings.
    """
    began = time.monotonic()
    network: list[str] = []
    proposing, molecules = _proposing(config, network)
    scoring, bytes_used = _scoring(config, molecules, network)
    for papers in config.evidence:
        network += _network(plugins.build("evidence", papers.use, papers.settings))
    named = provenance.licences(provenance.versions())
    return Plan(
        config.name,
        config.rounds,
        config.workers,
        (*proposing, *scoring),
        bytes_used / max(1, len(molecules)),
        tuple(f"{name} {licence}" for name, licence in named.items()),
        tuple(dict.fromkeys(network)),
        time.monotonic() - began,
    )


def _proposing(config: Campaign, network: list[str]) -> tuple[list[StagePlan], list[Molecule]]:
    """What each proposer costs, and what the pilot got from them; who needs the network is added."""
    stages: list[StagePlan] = []
    molecules: list[Molecule] = []
    for source in config.proposers:
        proposer = plugins.build("proposers", source.use, source.settings, where="proposers")
        network += _network(proposer)
        seed = seed_for(config.seed, "plan", source.use)
        start_s = each_s = 0.0
        some: Sequence[Proposal] = ()
        for n in (min(PILOT, source.n), min(MANY, source.n)):
            start = time.monotonic()
            some = proposer.propose(n, round=0, seed=seed, lessons=())
            took = time.monotonic() - start
            each_s = took / max(1, len(some))
            if took > 10 * QUICK_S or n == MANY:
                break
            start_s = took  # of the first call, which loads what it needs
        start_s = max(0.0, start_s - PILOT * each_s)
        stages.append(StagePlan(f"propose: {source.use}", "round", config.rounds * source.n, start_s, each_s))
        for i, proposal in enumerate(some):
            try:
                molecules.append(Molecule.parse(proposal.smiles, f"pilot {i + 1}"))
            except MoleculeError:
                continue
    return stages, molecules


def _scoring(
    config: Campaign, molecules: Sequence[Molecule], network: list[str]
) -> tuple[list[StagePlan], float]:
    """What each scorer costs, and the bytes that the pilot's outcomes took; who needs the network is added."""
    total = config.rounds * sum(part.n for part in config.proposers)
    stages: list[StagePlan] = []
    known: dict[str, list[Score | Missing]] = {}
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger.open(folder)
        for part in config.scorers:
            scorer = plugins.build("scorers", part.use, part.settings, where="scorers")
            network += _network(scorer)
            column, after = scorer.column.name, getattr(scorer, "after", "")
            reach = config.rounds * part.best if part.best and part.when == "round" else part.best or total
            some = molecules if part.best is None and not after else molecules[:2]
            found: list[Score] | None = None
            if after:
                earlier = zip(molecules, known.get(after, []), strict=False)
                pairs = [(m, o) for m, o in earlier if isinstance(o, Score)][:2]
                some, found = [m for m, _ in pairs], [o for _, o in pairs]
            if not some:
                note = "the pilot's molecules did not come this far"
                stages.append(StagePlan(column, part.when, min(reach, total), 0.0, None, note))
                continue
            start_s, each_s, outcomes = _timed(part.use, part.settings, column, some, found, ledger)
            known[column] = outcomes
            note = ""
            if failed := [outcome for outcome in outcomes if isinstance(outcome, Missing)]:
                such = inert(failed[0].detail, 200)
                note = f"{len(failed)} of {len(outcomes)} of the pilot's failed, such as: {such}"
            stages.append(StagePlan(column, part.when, min(reach, total), start_s, each_s, note))
        bytes_used = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
    return stages, bytes_used


def _timed(
    use: str,
    settings: dict[str, object],
    column: str,
    molecules: Sequence[Molecule],
    found: Sequence[Score] | None,
    ledger: Ledger,
) -> tuple[float, float, list[Score | Missing]]:
    """Start-up seconds, seconds a molecule, outcomes."""
    spec = execution.ScorerSpec(use, settings)
    outcomes: list[Score | Missing] = []
    first_s = each_s = took = 0.0
    for part in (slice(0, 1), slice(1, PILOT), slice(PILOT, MANY)):
        some = molecules[part]
        if not some or (part.start == PILOT and took > QUICK_S):
            break
        before, start = _scoring_s(ledger, column), time.monotonic()
        outcomes += execution.score_all(
            spec, some, ledger=ledger, stage=column, versions={},
            found=None if found is None else found[part],
        )  # fmt: skip
        took = time.monotonic() - start
        inside = min(took, _scoring_s(ledger, column) - before)
        first_s = first_s or took
        each_s = inside / len(some) + (took - inside) / SHARD
    return max(0.0, first_s - each_s), each_s, outcomes


def _scoring_s(ledger: Ledger, column: str) -> float:
    """How long scorers were at work for a stage, without keeping what they said."""
    return sum(float(shard.info["seconds"]) for shard in ledger.shards(column))


def _network(part: object) -> list[str]:
    """What a part says it would fetch, through a `network` attribute."""
    said = getattr(part, "network", ())
    return [said] if isinstance(said, str) and said else list(said)
