"""What came out: a value, or Missing with its reason.

Every step of a campaign gives one outcome per molecule, in the order given. An
empty cell says why it is empty, and the reason says whose fault it was: the
molecule's (never tried again, and a lesson for training), the machine's (tried
again on resume, and no lesson at all), or nobody's (a choice of the campaign).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from enum import StrEnum
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class Fault(StrEnum):
    """Whose fault an empty cell is."""

    MOLECULE = "molecule"
    MACHINE = "machine"
    NOBODY = "nobody"


class Reason(StrEnum):
    """One word to count and filter by."""

    UNPARSABLE = "unparsable"
    EMPTY = "empty"
    TOO_LARGE = "too_large"
    UNSUPPORTED = "unsupported"  # an element, a charge or a structure the stage has no model for
    UNPREPARED = "unprepared"  # protonation, typing or parameters failed
    NO_CONFORMER = "no_conformer"
    OUTSIDE_BOX = "outside_box"
    NO_PLAUSIBLE_POSE = "no_plausible_pose"
    OUT_OF_DOMAIN = "out_of_domain"
    DIVERGED = "diverged"
    NO_NUMBER = "no_number"  # a table's cell is empty, or holds a word where a number is meant
    BOUND = "bound"  # only a limit was measured: ">10000"

    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"
    DEVICE_LOST = "device_lost"
    BAD_ANSWER = "bad_answer"  # a plug-in answered NaN or something that is no number

    FILTERED = "filtered"
    DUPLICATE = "duplicate"
    NOT_REACHED = "not_reached"

    @property
    def fault(self) -> Fault:
        """Whose fault it is: a resume retries only the machine's, training punishes only the molecule's."""
        if self in _MACHINE:
            return Fault.MACHINE
        if self in _NOBODY:
            return Fault.NOBODY
        return Fault.MOLECULE


_MACHINE = frozenset(
    {
        Reason.CRASHED,
        Reason.TIMED_OUT,
        Reason.OUT_OF_MEMORY,
        Reason.DEVICE_LOST,
        Reason.BAD_ANSWER,
    }
)
_NOBODY = frozenset({Reason.FILTERED, Reason.DUPLICATE, Reason.NOT_REACHED})


@dataclass(frozen=True, slots=True)
class Missing:
    """An empty cell that says why it is empty."""

    stage: str  # which room said so: "intake", "docking", "dynamics"
    reason: Reason  # one word to count and filter by
    detail: str  # one sentence for the chemist, naming the molecule

    def __str__(self) -> str:
        return f"{self.reason.value.replace('_', ' ')} ({self.stage}): {self.detail}"


def is_empty(cell: object) -> bool:
    """None, and what numpy, pandas and polars write for it: NaN and NA are not equal to themselves."""
    return cell is None or type(cell).__name__ == "NAType" or bool(cell != cell)


class MoleculeError(ValueError):
    """This molecule cannot go on; the others can.

    Raise it inside a stage; `each` turns it into the molecule's `Missing`.
    """

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class UserError(Exception):
    """What the user gave cannot be used as it is; the message says which part, why, and what to do.

    A mixin: an error class that inherits it is shown at the command line as one
    sentence. Everything else is a bug and shows where it happened.
    """


def each(stage: str, work: Callable[[T], R], items: Iterable[T | Missing]) -> list[R | Missing]:
    """Do `work` on every item; same order, same length, nothing dropped.

    A `Missing` passes through untouched, so the first reason is the one kept.
    Only `MoleculeError` becomes `Missing`. Any other exception is a bug in our
    code, not in the molecule, and stops the run.
    """
    results: list[R | Missing] = []
    for item in items:
        if isinstance(item, Missing):
            results.append(item)
            continue
        try:
            results.append(work(item))
        except MoleculeError as error:
            results.append(Missing(stage, error.reason, str(error)))
    return results


@dataclass(frozen=True, slots=True)
class Counts:
    """How a stage's molecules ended. `n_in = n_ok + n_failed + n_filtered + n_duplicate`."""

    n_in: int
    n_ok: int
    n_failed: int
    n_filtered: int
    n_duplicate: int

    def __post_init__(self) -> None:
        ends = self.n_ok + self.n_failed + self.n_filtered + self.n_duplicate
        if self.n_in != ends:
            raise AssertionError(f"{self.n_in} molecules went in but {ends} outcomes came out")

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    @classmethod
    def of(cls, outcomes: Iterable[object]) -> Counts:
        """Count outcomes. NOT_REACHED counts as filtered: the campaign chose not to go there."""
        n = ok = filtered = duplicate = 0
        for outcome in outcomes:
            n += 1
            if not isinstance(outcome, Missing):
                ok += 1
            elif outcome.reason is Reason.DUPLICATE:
                duplicate += 1
            elif outcome.reason.fault is Fault.NOBODY:
                filtered += 1
        return cls(n, ok, n - ok - filtered - duplicate, filtered, duplicate)


@contextmanager
def molecule_fault(reason: Reason, what: str, *errors: type[Exception]) -> Iterator[None]:
    """Inside, the named library errors mean: this molecule's fault. All others stay bugs."""
    try:
        yield
    except errors as error:
        raise MoleculeError(reason, f"{what}: {error}") from error
