"""A series of analogues with its numbers, and everything that can be asked of it.

    series = Series.read("activities.csv", activity="pKi")
    series.rgroups(); series.pairs(); series.cliffs(); series.free_wilson()
    series.report("series.html")

What was asked once is kept, so the report costs only what is new in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from discovery.molecule import Molecule
from discovery.outcome import Missing
from discovery.results import Run
from discovery.score import Column, Score, outcomes_of
from discovery.series import measured as measuring
from discovery.series.cliffs import Cliffs, activity_cliffs
from discovery.series.families import Families, families
from discovery.series.free_wilson import FreeWilson, free_wilson
from discovery.series.known import Nearest, nearest_known
from discovery.series.measured import Entry, Measured, SeriesError
from discovery.series.page import besides, core_part, render, write_page
from discovery.series.rgroups import RGroupTable, decompose
from discovery.series.scaffolds import Scaffolds, scaffolds
from discovery.series.sheet import Sheet, left_out
from discovery.views.table import Table

if TYPE_CHECKING:
    from discovery.series.pairs import MatchedPairs  # needs the lab's packages

T = TypeVar("T")


@dataclass(frozen=True)
class Series:
    """Molecules with one number each: what was `measured`, and all that can be asked of it."""

    measured: Measured
    _kept: dict[tuple[object, ...], Any] = field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def read(
        cls,
        path: str | Path,
        activity: str,
        *,
        smiles: str | None = None,
        name: str | None = None,
        better: Literal["low", "high"] | None = None,
        unit: str = "",
        concentration: str | None = None,
    ) -> Series:
        """A table of structures and numbers; see `measured.read`."""
        return cls(
            measuring.read(
                path,
                activity,
                smiles=smiles,
                name=name,
                better=better,
                unit=unit,
                concentration=concentration,
            )
        )

    @classmethod
    def of(
        cls,
        molecules: Sequence[Molecule | Missing],
        numbers: Sequence[Score | Missing | float | None],
        column: Column,
        *,
        name: str = "series",
    ) -> Series:
        """Any molecules with any numbers, one a molecule; None and NaN stand for no number.

        Raises
        ------
        SeriesError
            The lengths differ, two molecules have the same name, or nothing can be used.
        """
        if len(molecules) != len(numbers):
            raise SeriesError(f"{len(numbers)} numbers are given for {len(molecules)} molecules")
        entries = [
            Entry(
                molecule.name if isinstance(molecule, Molecule) and molecule.name else f"row {place}",
                molecule.smiles if isinstance(molecule, Molecule) else "",
                molecule,
                found,
            )
            for place, (molecule, found) in enumerate(
                zip(molecules, outcomes_of(numbers, column.name), strict=True), start=1
            )
        ]
        return cls(measuring.of(entries, column, name=name))

    @classmethod
    def of_run(cls, run: Run, column: str) -> Series:
        """A campaign's molecules with one of its scores; see `measured.of_run`."""
        return cls(measuring.of_run(run, column))

    def __len__(self) -> int:
        return len(self.measured.entries)

    def __repr__(self) -> str:
        return (
            f"Series of {len(self.measured.usable):,} molecules in {len(self):,} rows: {self.measured.name}"
        )

    def scaffolds(self) -> Scaffolds:
        """Ring skeletons and how active each is."""
        return self._once(("scaffolds",), lambda: scaffolds(self.measured))

    def rgroups(self, *cores: str) -> RGroupTable:
        """What hangs on the cores given, or on the most common ones; see `rgroups.decompose`."""
        return self._once(("rgroups", cores), lambda: decompose(self.measured, cores))

    def pairs(self, cuts: int = 1) -> MatchedPairs:
        """Matched molecular pairs; see `pairs.matched_pairs`.

        Raises
        ------
        ImportError
            The lab's packages are not installed.
        """
        from discovery.series.pairs import matched_pairs

        return self._once(("pairs", cuts), lambda: matched_pairs(self.measured, cuts=cuts))

    def cliffs(self, similarity: float = 0.55, change: float | None = None) -> Cliffs:
        """Similar molecules with very different numbers; see `cliffs.activity_cliffs`."""
        made = ("cliffs", similarity, change)
        return self._once(made, lambda: activity_cliffs(self.measured, similarity=similarity, change=change))

    def free_wilson(self, core: int = 0, *cores: str, ridge: float = 0.0) -> FreeWilson:
        """What each group contributes; see `free_wilson.free_wilson`. `cores` as for `rgroups`."""
        made = ("free_wilson", core, cores, ridge)
        return self._once(made, lambda: free_wilson(self.rgroups(*cores), core, ridge=ridge))

    def families(self, radius: float = 0.35) -> Families:
        """Clusters of molecules that look alike; see `families.families`."""
        return self._once(("families", radius), lambda: families(self.measured, radius=radius))

    def nearest_known(self, drugs: Sequence[Molecule] = ()) -> Nearest:
        """The nearest known drugs; see `known.nearest_known`."""
        return self._once(("known", *drugs), lambda: nearest_known(self.measured, drugs))

    def table(self) -> Table:
        """The rows as a `Table`: grid, exports, and whatever else views can do."""
        entries = self.measured.entries
        return Table.of(
            [entry.molecule for entry in entries],
            {self.measured.column: [entry.missing or entry.activity for entry in entries]},
            name=self.measured.name,
            names=[entry.id for entry in entries],
            texts=[entry.text for entry in entries],
        )

    def left_out(self) -> Sheet:
        """Rows that cannot be used, with their reasons."""
        return left_out(entry.missing for entry in self.measured.entries)

    def page(self, *cores: str, notes: Sequence[str] = ()) -> str:
        """The report as HTML text. Without the lab's packages it says that matched pairs are not in it."""
        table = self.rgroups(*cores)
        parts = []
        for number in range(len(table.cores)):
            model, why, made = None, "", None
            try:
                model = self.free_wilson(number, *cores)
                made = model.suggestion_sheet(6) if model.scatter is not None else None
            except SeriesError as error:
                why = str(error)
            parts.append(core_part(table, number, model, why, made))
        pairs, unpaired, no_pairs = None, None, ""
        try:
            found = self.pairs()
            pairs, unpaired = found.sheet(20), besides(self.measured, found.outcomes)
        except ImportError as error:
            no_pairs = str(error)
        return render(
            self.measured,
            self.scaffolds(),
            parts,
            table,
            self.cliffs(),
            pairs,
            unpaired,
            no_pairs,
            notes=notes,
        )

    def report(self, path: str | Path, *cores: str, notes: Sequence[str] = ()) -> Path:
        """One self-contained HTML file.

        Raises
        ------
        CannotWrite
            The disk refused.
        """
        return write_page(Path(path), self.page(*cores, notes=notes))

    def _once(self, what: tuple[object, ...], make: Callable[[], T]) -> T:
        if what not in self._kept:
            self._kept[what] = make()
        found: T = self._kept[what]
        return found
