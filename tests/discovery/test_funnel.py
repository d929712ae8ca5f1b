"""The funnel keeps exactly the best, and says to each other molecule how far it came."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.funnel import keep_best, ordinal, within
from discovery.outcome import Reason
from discovery.score import Column, Score


@settings(max_examples=100, derandomize=True)
@given(st.lists(st.one_of(st.none(), st.floats(0, 1)), max_size=30), st.integers(1, 10))
def test_keeps_the_best_n(utilities: list[float | None], n: int) -> None:
    shown = [f"m{i}" for i in range(len(utilities))]
    verdicts = keep_best(utilities, n, stage="docking", shown=shown)
    candidates = [i for i, u in enumerate(utilities) if u is not None]
    kept = [i for i in candidates if verdicts[i] is None]
    sent_home = [i for i in candidates if verdicts[i] is not None]
    assert len(kept) == min(n, len(candidates))
    assert all((utilities[k] or 0) >= (utilities[s] or 0) for k in kept for s in sent_home)
    assert all(verdicts[s].reason is Reason.NOT_REACHED for s in sent_home)  # type: ignore[union-attr]


def test_the_message_names_the_molecule_its_place_and_the_cut() -> None:
    verdict = keep_best([0.9, 0.1], 1, stage="docking", shown=["aspirin", "brick"])[1]
    assert verdict is not None
    assert verdict.detail == "brick was 2nd of 2 on the scores before docking; the best 1 were sent"


def test_a_filter_shows_both_numbers() -> None:
    logp = Column("logp", unit="1", better="low", title="logP")
    verdict = within(Score(6.12), logp, None, 5.0, "brick")
    assert verdict is not None
    assert verdict.reason is Reason.FILTERED
    assert "6.12" in verdict.detail
    assert "5" in verdict.detail
    assert within(Score(5.0), logp, None, 5.0, "edge") is None
    assert within(Score(1.0), logp, 2.0, None, "low") is not None


def test_ordinals() -> None:
    assert [ordinal(n) for n in (1, 2, 3, 4, 11, 12, 13, 21, 102, 111, 112)] == [
        "1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th", "112th",
    ]  # fmt: skip
