"""Outcomes: nothing vanishes, the first reason stays, bugs stay bugs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from discovery.outcome import Counts, Fault, Missing, MoleculeError, Reason, each, molecule_fault

reasons = st.sampled_from(Reason)
items = st.integers() | st.builds(Missing, st.just("earlier"), reasons, st.text(min_size=1))


@given(st.lists(items), st.dictionaries(st.integers(), reasons))
def test_each_keeps_order_and_length(given_items: list[int | Missing], failing: dict[int, Reason]) -> None:
    def work(number: int) -> str:
        if number in failing:
            raise MoleculeError(failing[number], f"{number} fails")
        return str(number)

    found = each("now", work, given_items)
    assert len(found) == len(given_items)
    for item, outcome in zip(given_items, found, strict=True):
        if isinstance(item, Missing):
            assert outcome is item
        elif item in failing:
            assert outcome == Missing("now", failing[item], f"{item} fails")
        else:
            assert outcome == str(item)


def test_a_bug_is_not_a_molecules_fault() -> None:
    with pytest.raises(ZeroDivisionError):
        each("now", lambda number: 1 / number, [1, 0])


@given(st.lists(items))
def test_counts_add_up(outcomes: list[int | Missing]) -> None:
    counts = Counts.of(iter(outcomes))
    assert counts.n_in == len(outcomes)
    assert counts.n_ok == sum(not isinstance(outcome, Missing) for outcome in outcomes)
    assert counts.n_in == counts.n_ok + counts.n_failed + counts.n_filtered + counts.n_duplicate


def test_counts_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(AssertionError, match="10 molecules went in but 9 outcomes came out"):
        Counts(10, 9, 0, 0, 0)


def test_every_reason_has_one_fault() -> None:
    """What a resume tries again, and what training may punish, written out once more by hand."""
    machine = {"crashed", "timed_out", "out_of_memory", "device_lost", "bad_answer"}
    nobody = {"filtered", "duplicate", "not_reached"}
    for reason in Reason:
        expected = (
            Fault.MACHINE
            if reason.value in machine
            else Fault.NOBODY
            if reason.value in nobody
            else Fault.MOLECULE
        )
        assert reason.fault is expected


def test_molecule_fault_translates_only_what_is_named() -> None:
    with (
        pytest.raises(MoleculeError, match="typing row 7: no such atom") as caught,
        molecule_fault(Reason.UNPREPARED, "typing row 7", KeyError, ValueError),
    ):
        raise ValueError("no such atom")
    assert caught.value.reason is Reason.UNPREPARED
    with pytest.raises(TypeError), molecule_fault(Reason.UNPREPARED, "typing", ValueError):
        raise TypeError("a bug")


def test_missing_reads_as_a_sentence() -> None:
    missing = Missing("docking", Reason.NO_CONFORMER, "ZINC42 has no 3-D shape")
    assert str(missing) == "no conformer (docking): ZINC42 has no 3-D shape"
