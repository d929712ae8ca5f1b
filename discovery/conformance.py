"""Does somebody's plug-in keep the promise?

Each check does small real work with the plug-in and returns complaints, one sentence
each; none means it conforms. Run them from the plug-in's own tests:

    assert check_scorer("saturation") == []

What is asked of a scorer is what a campaign counts on: one outcome per molecule in
the order given, a reason where there is no number, and the same answer whatever the
batch, the order or the process.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from discovery import plugins
from discovery.devices import SEED
from discovery.ledger import canonical
from discovery.molecule import Molecule
from discovery.outcome import Missing, MoleculeError, Reason
from discovery.proposal import Lesson, Proposal
from discovery.score import Column, Score
from discovery.workers.worker import BrokenPromise, checked

ASKED = 20  # proposals
AGREES = 1e-6  # relative; single-precision sums may differ by less from batch to batch

# Drugs and their like, and what scorers tend to forget: a charge, a ring of 14, one atom, a salt former, boron.
PROBES = tuple(
    Molecule.parse(smiles, name)
    for name, smiles in (
        ("aspirin", "CC(=O)Oc1ccccc1C(=O)O"),
        ("caffeine", "Cn1c(=O)c2c(ncn2C)n(C)c1=O"),
        ("sumatriptan", "CNS(=O)(=O)Cc1ccc2[nH]cc(CCN(C)C)c2c1"),
        ("choline", "C[N+](C)(C)CCO"),
        ("(R)-carvone", "CC1=CC[C@@H](C(C)=C)CC1=O"),
        ("exaltolide", "O=C1CCCCCCCCCCCCCCO1"),
        ("methane", "C"),
        ("phenylboronic acid", "OB(O)c1ccccc1"),
        ("iodobenzene", "Ic1ccccc1"),
    )
)

Part = str | Callable[..., Any]


class _Complaint(Exception):
    """Nothing more can be asked of this plug-in."""


def check_scorer(
    part: Part,
    settings: Mapping[str, Any] | None = None,
    *,
    molecules: Sequence[Molecule] | None = None,
    found: Sequence[Score] | None = None,
) -> list[str]:
    """Complaints about a scorer or a refiner; empty when it conforms.

    Parameters
    ----------
    part
        The registered name, or the callable that builds it.
    settings
        As a campaign file would give them.
    molecules
        At least two, different. When left out: the built-in ones, and behind them the scorer's own
        `samples`, if it has that attribute: SMILES of molecules it can score, for a scorer whose domain
        holds none of ours.
    found
        For a refiner: what its earlier scorer says of each molecule.
    """
    complaints: list[str] = []
    with _until_it_fails(complaints):
        scorer = _built("scorers", part, settings)
        _check_column(scorer, complaints)
        asked = molecules or (*PROBES, *map(Molecule.parse, getattr(scorer, "samples", ())))
        refines = hasattr(scorer, "refine")
        if refines and found is None:
            raise _Complaint(
                "it is a refiner: give the check `found`, what the earlier scorer says of each molecule"
            )
        if refines and not (isinstance(getattr(scorer, "after", None), str) and scorer.after):
            complaints.append("`after` must name the earlier scorer's column")

        def ask(places: Sequence[int], who: Any = scorer) -> list[Score | Missing]:
            chosen = [asked[i] for i in places]
            given = None if found is None or not refines else [found[i] for i in places]
            return _answers(who, chosen, given)

        places = list(range(len(asked)))
        first = ask(places)
        _check_missing(asked, first, complaints)
        comparisons: tuple[tuple[str, Callable[[], list[Score | Missing]]], ...] = (
            ("asked twice, it answers differently", lambda: ask(places)),
            ("built anew, it answers differently", lambda: ask(places, _built("scorers", part, settings))),
            ("with the molecules in another order, it answers differently", lambda: ask(places[::-1])[::-1]),
            ("one molecule at a time, it answers differently", lambda: [ask([i])[0] for i in places]),
        )
        for complaint, again in comparisons:
            odd = [i for i, outcome in enumerate(again()) if not _agree(first[i], outcome)]
            if odd:
                complaints.append(
                    f"{complaint} for {asked[odd[0]].shown} ({len(odd)} of {len(places)} molecules)"
                )
                break  # the later ones would only say the same again
        if ask([]) != []:
            complaints.append("given no molecules, it does not answer an empty list")
    return complaints


def check_proposer(part: Part, settings: Mapping[str, Any] | None = None) -> list[str]:
    """Complaints about a proposer, `part` built with `settings` as in `check_scorer`; empty when it conforms."""
    complaints: list[str] = []
    with _until_it_fails(complaints):
        proposer = _built("proposers", part, settings)
        name = getattr(proposer, "name", None)
        if not isinstance(name, str) or not name:
            raise _Complaint("`name` must be a text that is not empty")
        lessons = [
            Lesson(PROBES[0], 0.8),
            Lesson(PROBES[1], 0.0, Missing("docking", Reason.NO_PLAUSIBLE_POSE, "caffeine found no pose")),
        ]

        def ask(who: Any, round: int, taught: Sequence[Lesson], at_most: int = ASKED) -> list[Proposal]:
            return list(who.propose(at_most, round=round, seed=SEED, lessons=taught))

        first = ask(proposer, 0, [])
        complaints += _about_proposals(first, name, 0)
        later = ask(proposer, 1, lessons)
        complaints += _about_proposals(later, name, 1)
        if ask(_built("proposers", part, settings), 0, []) != first:
            complaints.append("the same round, seed and lessons give other proposals when it is built anew")
        elif ask(_built("proposers", part, settings), 1, lessons) != later:
            complaints.append(
                "round 1 depends on whether the same object proposed round 0: a resumed campaign would differ"
            )
        if ask(proposer, 0, [], 0):
            complaints.append("asked for no proposals, it makes some")
    return list(dict.fromkeys(complaints))


def _built(group: str, part: Part, settings: Mapping[str, Any] | None) -> Any:
    try:
        plain = json.loads(canonical(dict(settings or {})))
    except (TypeError, ValueError) as error:
        raise _Complaint(
            f"its settings are no plain JSON values, so no campaign file can hold them: {error}"
        ) from error
    try:
        if isinstance(part, str):
            return plugins.build(group, part, plain)
        if not plain and (hasattr(part, "column") or hasattr(part, "propose")) and not isinstance(part, type):
            return part  # built already
        return part(**plugins.check_settings(part, plain, getattr(part, "__name__", "the plug-in")))
    except plugins.PluginError as error:
        raise _Complaint(str(error)) from error


def _check_column(scorer: Any, complaints: list[str]) -> None:
    column = getattr(scorer, "column", None)
    if not isinstance(column, Column):
        raise _Complaint(f"`column` must be a Column, not {type(column).__name__}")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", column.name):
        complaints.append(f"the column's name {column.name!r} must be lower_snake_case")
    if column.better not in ("low", "high"):
        complaints.append(f'the column\'s `better` is {column.better!r}; it must be "low" or "high"')
    if not column.unit:
        complaints.append('the column has no unit; write "1" for a pure number')


def _answers(
    scorer: Any, molecules: Sequence[Molecule], found: Sequence[Score] | None
) -> list[Score | Missing]:
    outcomes = scorer(molecules) if found is None else scorer.refine(molecules, found)
    try:
        checked(outcomes, len(molecules))
    except BrokenPromise as error:
        raise _Complaint(str(error)) from error
    return list(outcomes)


def _check_missing(
    molecules: Sequence[Molecule], outcomes: Sequence[Score | Missing], complaints: list[str]
) -> None:
    missing = [(m, o) for m, o in zip(molecules, outcomes, strict=True) if isinstance(o, Missing)]
    if len(missing) == len(outcomes):
        complaints.append(
            f"it has a number for none of {len(outcomes)} molecules; the first reason is: {missing[0][1]}; "
            "if it speaks of others, let its attribute `samples` hold some of their SMILES"
        )
    for molecule, outcome in missing:
        if not outcome.stage or not outcome.detail.strip():
            complaints.append(f"its Missing for {molecule.shown} has no stage or no detail")
        elif molecule.shown not in outcome.detail and molecule.smiles not in outcome.detail:
            complaints.append(
                f"its Missing for {molecule.shown} does not name the molecule: {outcome.detail!r}"
            )


def _agree(one: Score | Missing, two: Score | Missing) -> bool:
    if isinstance(one, Missing) or isinstance(two, Missing):
        return isinstance(one, Missing) and isinstance(two, Missing) and one.reason is two.reason
    if (one.error is None) != (two.error is None):
        return False
    errors = (one.error or 0.0, two.error or 0.0)
    return all(
        math.isclose(a, b, rel_tol=AGREES, abs_tol=AGREES) for a, b in ((one.value, two.value), errors)
    )


def _about_proposals(proposals: Sequence[Proposal], name: str, round: int) -> Iterator[str]:
    if len(proposals) > ASKED:
        yield f"asked for at most {ASKED} proposals, it makes {len(proposals)}"
    for proposal in proposals:
        if not isinstance(proposal, Proposal):
            yield f"it answers a {type(proposal).__name__}, not a discovery.proposal.Proposal"
            return
        if proposal.proposer != name:
            yield f"its name is {name!r} but its proposals say {proposal.proposer!r}"
        if proposal.round != round:
            yield f"asked for round {round}, its proposals say round {proposal.round}"
        if proposal.log_prob is not None and not math.isfinite(proposal.log_prob):
            yield f"a proposal's log_prob is {proposal.log_prob}"
    if not any(_readable(proposal.smiles) for proposal in proposals):
        yield f"round {round}: none of its {len(proposals)} proposals is a molecule"


def _readable(smiles: str) -> bool:
    try:
        Molecule.parse(smiles)
    except MoleculeError:
        return False
    return True


@contextmanager
def _until_it_fails(complaints: list[str]) -> Iterator[None]:
    """Inside, the first thing that leaves nothing more to ask becomes the last complaint."""
    try:
        yield
    except _Complaint as error:
        complaints.append(str(error))
    except Exception as error:  # somebody else's plug-in may fail in any way; that is a finding
        complaints.append(f"it raised {type(error).__name__}: {error}")
