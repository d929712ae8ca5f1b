"""How is an oracle's budget best spent?

Propose, score, learn, again. Any callable that turns SMILES into desirabilities is an
oracle. What was said of every molecule is written down round by round, and a proposer is a
function of what was said, so a run that was stopped goes on to the same end, bit for bit,
from its log alone.

An oracle's own faults (it raised, it answered NaN) teach nothing and cost the molecules
they happened on; a molecule's fault teaches as a score of 0.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path

from discovery.devices import SEED
from discovery.files import publish, sha256_of
from discovery.molecule import Molecule
from discovery.outcome import Fault, Missing, MoleculeError, Reason
from discovery.proposal import Lesson, Proposer
from generative.oracles import Oracle, OracleError, ask, ask_apart
from generative.refusal import SettingError


@dataclass(frozen=True, slots=True)
class Called:
    """One call of the oracle."""

    round: int
    smiles: str
    outcome: float | Missing  # desirability, 0 to 1, or why there is none


@dataclass(frozen=True)
class Steered:
    """A finished or stopped run."""

    calls: tuple[Called, ...]  # in the order they were made

    def __repr__(self) -> str:
        best = self.best(1)
        shown = f", the best {best[0].outcome:.3f}: {best[0].smiles}" if best else ""
        return f"Steered: {len(self.calls)} molecules scored{shown}"

    def best(self, n: int) -> list[Called]:
        """The best molecules, best first; the earlier of equals."""
        scored = [call for call in self.calls if not isinstance(call.outcome, Missing)]
        return sorted(scored, key=lambda call: -float(call.outcome))[:n]  # type: ignore[arg-type]


def steer(
    oracle: Oracle,
    budget: int,
    *,
    proposer: Proposer | None = None,
    batch: int = 50,
    seed: int = SEED,
    log: str | Path | None = None,
    rounds: int | None = None,
    workers: int = 0,
    timeout_s: float = 600.0,
) -> Steered:
    """Spend at most `budget` calls of an oracle on ever better molecules.

    Parameters
    ----------
    oracle : callable
        SMILES -> for each, in the order given, a desirability from 0 (worst) to 1, or `Missing`.
    budget : int
        Molecules scored in all. Cheap filters belong into the oracle: answer `Missing` with
        the reason FILTERED, which teaches nothing, before spending time.
    proposer : Proposer, optional
        By default the graph model, whose edits and surrogate are those of `guided`.
    log : path, optional
        JSON lines, one a round. A log that is there already is gone on from.
    rounds : int, optional
        Stop after so many rounds in all, to go on another time.
    workers : int
        Processes that ask the oracle, each about one molecule at a time; 0 asks here, about a
        whole batch at once and without a limit of time. Changes no result.
    timeout_s : float
        For one molecule, seconds; only with workers.
    seed : int
        The same seed, oracle and settings give the same calls.

    Raises
    ------
    OracleError
        It answered a number outside 0 to 1, or failed on every molecule of a round. Rounds
        before are in the log.
    ValueError
        The log was written with other settings, or is no log.
    """
    if budget < 1 or batch < 1:
        raise SettingError(f"budget and batch are at least 1, not {budget} and {batch}")
    if proposer is None:
        from generative.proposer import GraphProposer

        proposer = GraphProposer()
    settings = {"proposer": proposer.name, "batch": batch, "seed": seed, **_settings(proposer)}
    log = Path(log) if log else None
    calls = _read(log, settings) if log else []
    number = calls[-1].round + 1 if calls else 0
    lessons = _lessons(calls)
    asked = {call.smiles for call in calls}
    while len(calls) < budget and (rounds is None or number < rounds):
        proposals = proposer.propose(
            min(batch, budget - len(calls)), round=number, seed=seed, lessons=lessons
        )
        fresh = list(dict.fromkeys(one.smiles for one in proposals if one.smiles not in asked))
        if not fresh:
            break
        outcomes = (
            ask_apart(oracle, fresh, workers=workers, timeout_s=timeout_s) if workers else ask(oracle, fresh)
        )
        _see_that_it_works(outcomes)
        new = [Called(number, *pair) for pair in zip(fresh, outcomes, strict=True)]
        calls += new
        asked.update(fresh)
        lessons = [*lessons, *_lessons(new)]  # a new list: a proposer may have kept the old one
        if log:
            _append(log, settings, number, new)
        number += 1
    return Steered(tuple(calls))


def _settings(proposer: Proposer) -> dict[str, object]:
    """What a proposer that is a record was made with, as JSON has it; of a file what is in it."""
    if not is_dataclass(proposer):
        return {}
    told = {field.name: getattr(proposer, field.name) for field in fields(proposer) if field.init}
    told.pop("name", None)
    return dict(json.loads(json.dumps(told, default=_in_json)))


def _in_json(value: object) -> object:
    if isinstance(value, Path):
        return f"a file with sha256 {sha256_of(value)}" if value.is_file() else str(value)
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else repr(value)


def _see_that_it_works(outcomes: Sequence[float | Missing]) -> None:
    """A round on which only machines failed has nothing to teach, and the next would have nothing either."""
    faults = [one for one in outcomes if isinstance(one, Missing) and one.reason.fault is Fault.MACHINE]
    if len(faults) == len(outcomes) > 1:
        raise OracleError(
            f"the oracle failed on all {len(outcomes)} molecules of a round; the last: {faults[-1]}"
        )


def _lessons(calls: Sequence[Called]) -> list[Lesson]:
    """What was learned; a machine's fault and a choice of the chemist's teach nothing."""
    lessons = []
    for call in calls:
        try:
            molecule = Molecule.parse(call.smiles)
        except MoleculeError:
            continue  # a proposal nobody can read costs its call and teaches nothing
        if not isinstance(call.outcome, Missing):
            lessons.append(Lesson(molecule, call.outcome))
        elif call.outcome.reason.fault is Fault.MOLECULE:
            lessons.append(Lesson(molecule, 0.0, call.outcome))
    return lessons


def _append(log: Path, settings: dict[str, object], number: int, calls: Sequence[Called]) -> None:
    outcomes = [
        [call.smiles, [call.outcome.stage, call.outcome.reason.value, call.outcome.detail]]
        if isinstance(call.outcome, Missing)
        else [call.smiles, call.outcome]
        for call in calls
    ]
    line = json.dumps({"round": number, "settings": settings, "calls": outcomes})
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def _read(log: Path, settings: dict[str, object]) -> list[Called]:
    """All whole rounds of a log; a last line cut short by a crash is removed."""
    if not log.exists():
        return []
    text = log.read_text(encoding="utf-8")
    whole, _, torn = text.rpartition("\n")
    if torn:
        publish(log, (whole + "\n" if whole else "").encode())
    calls: list[Called] = []
    for number, line in enumerate(whole.splitlines()):
        try:
            read = json.loads(line)
            outcomes, theirs = read["calls"], read["settings"]
        except (ValueError, KeyError, TypeError) as error:
            raise SettingError(f"{log}, line {number + 1} is no round of a steering log") from error
        if differ := [
            f"{key} {theirs[key]!r}" for key in settings if key in theirs and theirs[key] != settings[key]
        ]:
            raise SettingError(f"{log} was written with {', '.join(differ)}; give the same, or another log")
        for smiles, outcome in outcomes:
            if isinstance(outcome, list):
                outcome = Missing(outcome[0], Reason(outcome[1]), outcome[2])
            calls.append(Called(read["round"], smiles, outcome))
    return calls
