"""What scored well becomes likelier, nothing else is touched, and the same lessons teach the same."""

from __future__ import annotations

import random

import pytest

from discovery.molecule import Molecule
from discovery.proposal import Lesson
from tests.generative.models import DRUGS, policy, trees, vocabulary

torch = pytest.importorskip("torch")

from generative.learning.replay import Replay, _batch, balance, taught  # noqa: E402

QUICK = Replay(steps=12, batch=12, rate=3e-3, best=8, others=8)


def lessons() -> list[Lesson]:
    """Drugs, worth more the more nitrogen they hold."""
    return [Lesson(Molecule(smiles), min(1.0, smiles.upper().count("N") / 8)) for smiles in DRUGS[:40]]


def test_in_balance_is_likelier_by_the_reward_up_to_a_constant() -> None:
    before, worth = torch.tensor([-20.0, -31.0, -8.0]), torch.tensor([0.5, 4.0, -2.0])
    assert balance(before + worth + 7.0, before, worth) == pytest.approx(0.0, abs=1e-9)
    # by hand: off by 0, 0 and 3, so by -1, -1 and 2 from their mean
    off = torch.tensor([0.0, 0.0, 3.0])
    assert balance(before + worth + off, before, worth) == pytest.approx(2.0)


def test_what_scored_well_becomes_likelier_than_what_did_not() -> None:
    prior = policy()
    copy = taught(prior, vocabulary(), lessons(), random.Random(0), replay=QUICK)
    ranked = sorted(lessons(), key=lambda lesson: -lesson.reward)
    index = {smiles: number for number, smiles in enumerate(DRUGS)}

    def gained(some: list[Lesson]) -> float:
        chosen = [trees()[index[lesson.molecule.smiles]] for lesson in some]
        batch = _batch(chosen, vocabulary(), 0, random.Random(1))
        with torch.no_grad():
            now, before = (sum(one.log_likelihood(one.read(vocabulary()), batch)) for one in (copy, prior))
        return float((now - before).mean())

    assert gained(ranked[:8]) > gained(ranked[-8:]) + 1.0


def test_the_trained_policy_stays_and_the_same_lessons_teach_the_same() -> None:
    prior = policy()
    held = {name: value.clone() for name, value in prior.named_parameters()}
    first, again, other = (
        taught(prior, vocabulary(), lessons(), random.Random(seed), replay=Replay(steps=2, batch=8))
        for seed in (3, 3, 4)
    )
    assert all(torch.equal(value, held[name]) for name, value in prior.named_parameters())
    same = [
        torch.equal(mine, theirs) for mine, theirs in zip(first.parameters(), again.parameters(), strict=True)
    ]
    assert all(same)
    assert any(
        not torch.equal(mine, theirs)
        for mine, theirs in zip(first.parameters(), other.parameters(), strict=True)
    )


def test_too_few_teach_nothing() -> None:
    assert taught(policy(), vocabulary(), lessons()[:4], random.Random(0)) is policy()
