"""Which molecules were measured, and what was found for each?

One entry for every row that came in, with its molecule and its number, or the reason
why there is none. A molecule measured more than once gets the mean, in its first row;
the other rows say so.
"""

from __future__ import annotations

import difflib
import math
import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from discovery.gathering import CONSTANT, direction, numbers_of
from discovery.intake import read as read_library
from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason, UserError
from discovery.records import word
from discovery.results import Run
from discovery.score import Column, Score

STAGE = "series"
MOLAR = {"M": 0.0, "mM": 3.0, "uM": 6.0, "µM": 6.0, "nM": 9.0, "pM": 12.0}


class SeriesError(UserError, ValueError):
    """The series cannot be made from what was given; the message says which part and what to do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: a molecule and its number."""

    id: str  # the user's name for it, unique in the series
    text: str  # the structure as it was written
    molecule: Molecule | Missing
    activity: Score | Missing

    @property
    def missing(self) -> Missing | None:
        """Why the row cannot be used; None when it can."""
        if isinstance(self.molecule, Missing):
            return self.molecule
        return self.activity if isinstance(self.activity, Missing) else None


@dataclass(frozen=True, slots=True)
class Measured:
    """Entries in the order given, and what their number means."""

    name: str
    column: Column
    entries: tuple[Entry, ...]

    @property
    def usable(self) -> tuple[int, ...]:
        """Places of the entries that hold both a molecule and a number."""
        return tuple(place for place, entry in enumerate(self.entries) if entry.missing is None)

    def molecule(self, place: int) -> Molecule:
        """The molecule of a usable entry."""
        found = self.entries[place].molecule
        assert isinstance(found, Molecule), self.entries[place].id
        return found

    def value(self, place: int) -> float:
        """The number of a usable entry."""
        found = self.entries[place].activity
        assert isinstance(found, Score), self.entries[place].id
        return found.value

    def better(self, one: float, other: float) -> bool:
        """Whether `one` is the better number."""
        return one > other if self.column.better == "high" else one < other


def read(
    path: str | Path,
    activity: str,
    *,
    smiles: str | None = None,
    name: str | None = None,
    better: Literal["low", "high"] | None = None,
    unit: str = "",
    concentration: str | None = None,
) -> Measured:
    """A table of structures and numbers: CSV, TSV, SDF, Parquet or Excel, as `discovery.intake` reads them.

    Parameters
    ----------
    activity : the column (SDF: tag) that holds the number
    smiles, name : columns to use; the obvious ones when left out
    concentration : "M", "mM", "uM", "nM" or "pM"
        The column holds concentrations in this unit: 9 - log10(nM) is taken, higher is better.
        When left out, what a head such as "IC50 (nM)" says; with `better` given the numbers stay as they are.
    better : which numbers are the better ones; as `discovery.gathering.direction` has it when left out
    unit : of the numbers, for readers

    Raises
    ------
    IntakeError
        The file is not there, is packed otherwise, or has no such column of structures.
    SeriesError
        There is no such column of numbers, or no row of it holds one.
    """
    if concentration is not None and concentration not in MOLAR:
        raise SeriesError(f"concentration is one of {', '.join(MOLAR)}, not {concentration!r}")
    if concentration is None and better is None:
        concentration = unit_said(activity)
    where = Path(path)
    rows = list(read_library(where, smiles=smiles, name=name, keep_duplicates=True))
    known = list(dict.fromkeys(key for row in rows for key in row.data))
    if activity not in known:
        near = difflib.get_close_matches(activity, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known) or 'no others'}"
        raise SeriesError(f"{where.name} has no column of numbers {activity!r}; {hint}")
    unit_word = word(where)
    names = [row.name or f"{unit_word} {row.number}" for row in rows]
    taken: set[str] = set()
    ids = []
    for row, given in zip(rows, names, strict=True):
        chosen = given if given not in taken else f"{given} ({unit_word} {row.number})"
        taken.add(chosen)
        ids.append(chosen)
    places = [f"{id} ({where.name}, {unit_word} {row.number})" for id, row in zip(ids, rows, strict=True)]
    entries = [
        Entry(
            id,
            row.text,
            replace(row.outcome, name=id) if isinstance(row.outcome, Molecule) else row.outcome,
            _activity(number, place, concentration),
        )
        for id, row, number, place in zip(ids, rows, numbers_of(rows, activity, places), places, strict=True)
    ]
    if concentration is not None:
        about = f"−log10 of {activity} in mol/L, taken from {concentration}"
        column = Column("activity", "", "high", _negative_log(activity, concentration), about)
    else:
        column = Column("activity", unit, better or direction(activity), activity)
    return of(entries, column, name=where.name)


def of(entries: Sequence[Entry], column: Column, *, name: str = "series") -> Measured:
    """Entries as a series: equal molecules become one, with the mean of their numbers.

    Raises
    ------
    SeriesError
        Two entries have the same id, or none holds both a molecule and a number.
    """
    seen: set[str] = set()
    for entry in entries:
        if entry.id in seen:
            raise SeriesError(f"two rows of {name} are called {entry.id!r}; name them apart")
        seen.add(entry.id)
    same: dict[Molecule, list[int]] = {}
    for place, entry in enumerate(entries):
        if isinstance(entry.molecule, Molecule) and isinstance(entry.activity, Score):
            same.setdefault(entry.molecule, []).append(place)
    if not same:
        reason = next((f"; such as {entry.missing.detail}" for entry in entries if entry.missing), "")
        raise SeriesError(
            f"{name}: none of the {len(entries):,} rows holds both a readable structure and a number{reason}"
        )
    merged = list(entries)
    for places in same.values():
        if len(places) == 1:
            continue
        first = entries[places[0]]
        values = [score.value for place in places if isinstance(score := entries[place].activity, Score)]
        mean = Score(statistics.fmean(values), statistics.stdev(values), {"measurements": len(values)})
        merged[places[0]] = replace(first, activity=mean)
        for place in places[1:]:
            detail = f"{entries[place].id} is the molecule of {first.id}; its number is averaged there"
            merged[place] = replace(entries[place], activity=Missing(STAGE, Reason.DUPLICATE, detail))
    return Measured(name, column, tuple(merged))


def of_run(run: Run, column: str) -> Measured:
    """A campaign's molecules with one of its scores as the number.

    Raises
    ------
    SeriesError
        The run has no such column, or no molecule has a number in it.
    """
    found = next((known for known in run.columns if known.name == column), None)
    if found is None:
        raise SeriesError(
            f"{run.name} has no column {column!r}; there are: {', '.join(known.name for known in run.columns)}"
        )
    entries = []
    for row in run.rows:
        unread = row.missing or Missing(STAGE, Reason.UNPARSABLE, f"{row.id} could not be read")
        entries.append(
            Entry(
                row.id,
                row.text,
                Molecule(row.smiles, row.id) if row.smiles else unread,
                row.outcomes.get(column, Missing(STAGE, Reason.NOT_REACHED, f"{row.id} has no {column} yet")),
            )
        )
    return of(entries, found, name=run.name)


def unit_said(activity: str) -> str | None:
    """ "nM" of "JAK2 IC50 (nM)" or "Ki_uM"; None where the head names no such constant or no unit."""
    found = re.search(rf"[\s_,/(\[]({'|'.join(MOLAR)})[)\]\s]*$", activity)
    return found[1] if found and CONSTANT.search(activity) else None


def how_read(activity: str, column: Column) -> str:
    """What to say of a head that leaves room for another reading; empty where it does not."""
    scale = re.search(r"\b[pnuµm]?M\b", activity)
    molar = scale or CONSTANT.search(activity)
    taken, other = ("lower", "higher") if column.better == "low" else ("higher", "lower")
    if column.title != activity or not (molar or taken == "lower"):
        return ""
    log = f"; --concentration {scale[0] if scale else 'nM'} takes its −log10" if molar else ""
    return f"of {activity!r} {taken} is taken for better; --{other}-is-better turns it round{log}"


def _negative_log(activity: str, concentration: str) -> str:
    """What chemists call it: "JAK2 pIC50" for a column "JAK2 IC50 (nM)"."""
    bare = (
        re.sub(rf"[\s_,/(\[]*(?<![A-Za-z0-9]){concentration}[)\]\s]*$", "", activity, flags=re.I).strip()
        or activity
    )
    named = CONSTANT.sub(r"p\1", bare, count=1)
    return named if named != bare else f"−log10({bare} / M)"


def _activity(found: Score | Missing, where: str, concentration: str | None) -> Score | Missing:
    if isinstance(found, Missing):
        return replace(found, stage=STAGE)
    if concentration is None:
        return found
    if found.value <= 0:
        detail = f"{where}: {found.value:g} is no concentration: it must be above 0"
        return Missing(STAGE, Reason.NO_NUMBER, detail)
    error = None if found.error is None else found.error / (found.value * math.log(10.0))
    return Score(MOLAR[concentration] - math.log10(found.value), error)
