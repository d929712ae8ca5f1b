"""What do these molecules look like, side by side with their numbers and reasons?

One `Table` for a campaign's results or for any molecules and scores. Every view is
plain HTML with pictures inside: it shows in a notebook nobody trusts, without a
kernel, without a network. The 3-D view and the grid add what needs scripts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from discovery.extras import needs
from discovery.gathering import run_of, run_of_file, run_of_proposals
from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.proposal import Proposal
from discovery.provenance import today, versions
from discovery.ranking import Criterion, rank
from discovery.report import write_report
from discovery.results import Row, Run
from discovery.score import Column, Score, Scorer
from discovery.views import export
from discovery.views.chart import Chart, front_of
from discovery.views.comparison import Comparison, compare
from discovery.views.course import OVERALL, course_svg
from discovery.views.drawing import data_uri
from discovery.views.funnel_plot import funnel_html
from discovery.views.grid import grid_of
from discovery.views.lineage import origins_html
from discovery.views.listing import Html, contact_maps, pictures, quotes, refused, shown
from discovery.views.pose_viewer import PoseView
from discovery.views.reading import column_named, pose_of, scores_of, stages_of
from discovery.views.score_plot import trade_off
from discovery.views.sifting import PAGE
from discovery.views.text import inert

if TYPE_CHECKING:
    from rdkit import Chem

    from discovery.series.measured import Measured
    from discovery.series.why import Why


@dataclass(frozen=True)
class Table:
    """Molecules and their scores, to be looked at, narrowed down and taken away: the rows of a `run`, in its order."""

    run: Run

    @classmethod
    def of(
        cls,
        molecules: Sequence[Molecule | Missing],
        scores: Mapping[Column, Sequence[Score | Missing | float | None]],
        *,
        name: str = "molecules",
        names: Sequence[str] = (),
        texts: Sequence[str] = (),
    ) -> Table:
        """Any molecules with any scores, in the order given, unranked; `ranked_by` ranks them.

        A molecule's name is its row's; of several with one name the later ones say which row they are.

        Parameters
        ----------
        names, texts : each row's own name and its structure as written, for rows without a molecule too

        Raises
        ------
        ValueError
            A column, the names or the texts are not as many as the molecules.
        """
        return cls(run_of(molecules, scores, name, names, texts))

    @classmethod
    def read(cls, path: str | Path, *, smiles: str | None = None, name: str | None = None) -> Table:
        """A file of molecules, CSV, TSV, SMI, SDF, Parquet or Excel, with its columns of numbers.

        Salts are stripped and structures standardised; a row that is no molecule, or the molecule of an
        earlier row, stays and says so. See `gathering.run_of_file`.

        Parameters
        ----------
        path : plain or gzipped
        smiles, name : columns (SDF: tags) to use; the obvious ones when left out

        Raises
        ------
        IntakeError
            The file is not there, is packed otherwise, or has no such column.
        """
        return cls(run_of_file(Path(path), smiles=smiles, name=name))

    @classmethod
    def proposed(
        cls, proposals: Sequence[Proposal], scorers: Sequence[Scorer] = (), *, name: str = "proposals"
    ) -> Table:
        """Proposals in the order given, each with its parents, its edit, and what the scorers say of it."""
        return cls(run_of_proposals(proposals, scorers, name))

    def with_receptor(self, pdb: str, reference: str = "") -> Table:
        """The same rows, with the receptor their poses lie in, and a known ligand's pose (an SDF record)."""
        return Table(replace(self.run, receptor_pdb=pdb, reference_sdf=reference))

    def ranked_by(self, criteria: Sequence[Criterion]) -> Table:
        """The same rows, best first, by what counts; what lacks a number that counts is unranked, last.

        What a campaign's filter set aside, and what was no molecule, stays so.

        Raises
        ------
        KeyError
            A criterion names no column.

        Examples
        --------
        >>> wish = Criterion("qed", Desirability("higher", low=0.2, high=0.9))  # doctest: +SKIP
        >>> Table.of(molecules, {qed.column: qed(molecules)}).ranked_by([wish]).show()  # doctest: +SKIP
        """
        for criterion in criteria:
            self._column(criterion.name)
        rows = self.run.rows
        aside = [
            row.missing
            if row.missing and (not row.smiles or row.missing.reason in (Reason.FILTERED, Reason.DUPLICATE))
            else None
            for row in rows
        ]
        placed = rank([row.outcomes for row in rows], criteria, aside)
        ranked = [
            replace(
                row, desirability=found.desirability, utility=found.utility, rank=found.rank,
                front=found.front, missing=found.missing,
            )
            for row, found in zip(rows, placed, strict=True)
        ]  # fmt: skip
        return self._with(sorted(ranked, key=lambda row: (row.rank is None, row.rank or 0)))

    def __len__(self) -> int:
        return len(self.run.rows)

    def __repr__(self) -> str:
        return f"Table of {len(self)} molecules, {len(self.run.ranked)} ranked: {inert(self.run.name)}"

    @overload
    def __getitem__(self, place: int | str) -> Row: ...

    @overload
    def __getitem__(self, place: slice) -> Table: ...

    def __getitem__(self, place: int | str | slice) -> Row | Table:
        """The row at a place or of a name, or the rows of a slice as a table.

        Raises
        ------
        IndexError, KeyError
            There is no such row.
        """
        if isinstance(place, slice):
            return self._with(self.run.rows[place])
        if isinstance(place, int):
            return self.run.rows[place]
        try:
            return self.run.named(place)
        except KeyError as error:
            raise KeyError(f"{error.args[0]}; columns are for values()") from None

    # Narrow down

    def head(self, n: int) -> Table:
        """The first `n` rows."""
        return self._with(self.run.rows[:n])

    def ranked(self) -> Table:
        """Only the rows that have a rank."""
        return self._with(self.run.ranked)

    def unranked(self) -> Table:
        """Only the rows that have none."""
        return self._with(self.run.unranked)

    def where(self, keep: Callable[[Row], bool]) -> Table:
        """Only the rows that `keep` says yes to."""
        return self._with(tuple(row for row in self.run.rows if keep(row)))

    def having(self, column: str) -> Table:
        """Only the rows that have a number in this column.

        Raises
        ------
        KeyError
            There is no such column.
        """
        values = self.values(column)
        return self._with(tuple(row for row in self.run.rows if row.id in values))

    def sorted_by(self, column: str) -> Table:
        """Best value of this column first, rows without one last.

        Raises
        ------
        KeyError
            There is no such column.
        """
        found = self._column(column)
        sign = 1.0 if found.better == "low" else -1.0
        values = self.values(column)
        return self._with(
            tuple(
                sorted(self.run.rows, key=lambda row: (row.id not in values, sign * values.get(row.id, 0.0)))
            )
        )

    def values(self, column: str) -> dict[str, float]:
        """Row name -> number, for the rows that have one.

        Raises
        ------
        KeyError
            There is no such column.
        """
        name = self._column(column).name
        return {row.id: scores_of(row)[name].value for row in self.run.rows if name in scores_of(row)}

    def reasons(self) -> dict[str, int]:
        """Why rows are unranked: reason -> how many, most frequent first."""
        counted = Counter(row.missing.reason.value for row in self.run.unranked if row.missing)
        return dict(counted.most_common())

    # Look

    def show(self, n: int = 10, columns: Sequence[str] = ()) -> Html:
        """The first `n` rows as a table with pictures; alerts are coloured on the atoms.

        Parameters
        ----------
        columns : names of those to show, in this order; all when left out, and first those that a campaign
            asked of its best molecules alone: they decide, and a screen may be too narrow for all

        Raises
        ------
        KeyError
            There is no such column.
        """
        return shown(self.run, n, columns)

    def pictures(self, n: int = 12, *, columns: int = 4) -> Html:
        """Structures only, in a grid, with rank and name below each."""
        return pictures(self.run.rows[:n], columns)

    def origins(self, n: int = 6, keep: Callable[[Row], bool] | None = None) -> Html:
        """What the first `n` rows were made from, and how: parents, words, molecule.

        `keep` picks the rows as in `where`; parents that stand in this table are called by their names all the same.
        """
        rows = [row for row in self.run.rows if keep is None or keep(row)]
        return Html(origins_html(self.run, rows[:n]))

    def refused(self, examples: int = 2) -> Html:
        """How many rows each reason cost, with examples.

        A table that nobody ranks, such as `Table.of` makes, has rows without a rank that nothing is wrong with.
        """
        return refused(self.run, examples)

    def evidence(self, n: int = 5) -> Html:
        """What was quoted about the target, with source and label; retracted quotes struck out."""
        return quotes(self.run.statements, n)

    def funnel(self) -> Html:
        """How many molecules entered each stage, and how they ended."""
        return Html(funnel_html(stages_of(self.run)))

    def trade_off(self) -> Chart:
        """The two scores that disagree the most, one point a molecule.

        Raises
        ------
        ValueError
            Fewer than two columns count in the ranking, or too few rows are ranked.
        """
        pair = trade_off(self.run)
        if pair is None:
            raise ValueError("a trade-off needs two columns that count and three ranked rows that hold both")
        return Chart(self.run, *pair)

    def scatter(self, x: str, y: str) -> Chart:
        """Two columns against each other; a point shows its structure when pointed at.

        Raises
        ------
        KeyError
            There is no such column.
        ValueError
            No row holds both numbers.
        """
        return self._chart(x, y, pareto=False)

    def pareto(self, x: str, y: str) -> Chart:
        """The same, with the ranked rows joined than which none is better in both columns.

        Raises
        ------
        KeyError
            There is no such column.
        ValueError
            No row holds both numbers.
        """
        return self._chart(x, y, pareto=True)

    def _chart(self, x: str, y: str, *, pareto: bool) -> Chart:
        across, up = column_named(self.run, x), column_named(self.run, y)
        if not self.having(x).having(y).run.rows:
            raise ValueError(f"no row holds both {x} and {y}")
        return Chart(self.run, across, up, front_of(self.run, across, up) if pareto else ())

    def interactions(self, n: int = 6) -> Html:
        """Flat maps of the first `n` poses: which atom touches which residue, how, and how far.

        Raises
        ------
        ValueError
            No row has a pose.
        """
        rows = [row for row in self.run.rows if pose_of(row)][:n]
        if not rows:
            raise ValueError("no row has a pose, so there are no contacts to draw")
        return contact_maps(rows, self.run.receptor_pdb)

    def poses(self, n: int = 10) -> PoseView:
        """The first `n` poses in the receptor: one 3-D view with a selector, flat maps below.

        Raises
        ------
        ValueError
            No row has a pose.
        """
        return PoseView.of(self.run, [row for row in self.run.rows if pose_of(row)][:n])

    def grid(self, *, page: int = PAGE) -> Any:
        """A widget that sorts, filters, searches by SMARTS and hands a choice back; see `grid.grid_of`.

            chosen = table.grid()
            chosen                 # leaf, filter, tick
            chosen.table()         # the ticked rows, as a Table

        Raises
        ------
        ImportError
            The lab's packages are not installed.
        """
        return grid_of(self, page=page)

    def timeline(self, column: str = OVERALL) -> Html:
        """Round by round: every molecule, the middle of them, the best so far.

        Raises
        ------
        KeyError
            There is no such column.
        ValueError
            No row holds a number.
        """
        svg = course_svg(self.run, column).replace("currentColor", "#1A2330")
        return Html(
            f'<img alt="{escape(inert(column))} by round" style="background:#fff" src="{data_uri(svg)}">'
        )

    def compare(self, other: Table, names: tuple[str, str] | None = None) -> Comparison:
        """This table beside another: what both hold, and how their numbers lie; see `comparison.compare`."""
        return compare(self.run, other.run, names)

    def why(
        self,
        place: int,
        scorers: Sequence[Scorer] = (),
        *,
        known: Measured | None = None,
        than: int | None = None,
    ) -> Why:
        """Why the row at this place scores as it does, atom by atom; see `series.why.why`.

        With `than`, beside the row at that place: `table.why(6, than=0)` asks why the seventh is not the first.
        """
        from discovery.series.why import why  # the series' rooms stand on this one

        return why(self[place], self.run, scorers, known=known, than=None if than is None else self[than])

    def more_like(self, place: int, **asked: Any) -> Table:
        """Analogues of the row at this place, from a registered proposer.

        Parameters
        ----------
        place : row of this table, from 0
        asked : of `series.analogues.more_like`
            `keep`, a part that stays; `wishes`, what should be lower or higher; `n` a round; `rounds`;
            `proposer` and its `settings`; `seed`.

        Raises
        ------
        ValueError
            The row has no structure.
        SeriesError
            The part to keep is not in it, or a wish cannot be judged.
        """
        from discovery.series.analogues import more_like

        row = self[place]
        if not row.smiles:
            raise ValueError(f"{row.id} has no structure, so nothing is like it: {row.missing}")
        return Table(more_like(Molecule(row.smiles, row.id), **asked))

    def _repr_html_(self) -> str:
        return self.show().text

    # Take away

    def frame(self) -> Any:
        """A pandas DataFrame, one line a row; units stand in the names of its columns.

        Raises
        ------
        ImportError
            pandas is not installed.
        """
        with needs("lab"):
            return export.arrow(self.run).to_pandas()

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The same for whoever speaks Arrow: `polars.DataFrame(table)`, `pyarrow.table(table)`, DuckDB."""
        return export.arrow(self.run).__arrow_c_stream__(requested_schema)

    def mols(self) -> list[Chem.Mol]:
        """Every row as an RDKit molecule, in its docked pose where it has one, its cells as properties."""
        return list(export.molecules(self.run))

    def to_csv(self, path: str | Path) -> Path:
        """Every row as CSV; see `export.write_csv`."""
        export.write_csv(self.run, Path(path))
        return Path(path)

    def to_sdf(self, path: str | Path) -> Path:
        """Every row as a record of an SD file; see `export.write_sdf`."""
        export.write_sdf(self.run, Path(path))
        return Path(path)

    def to_excel(self, path: str | Path) -> Path:
        """Every row with its picture; see `export.write_excel`."""
        export.write_excel(self.run, Path(path))
        return Path(path)

    def report(self, path: str | Path) -> Path:
        """One self-contained HTML file; see `report.write_report`. Of a table made by hand it says so.

        Raises
        ------
        CannotWrite
            The disk refused.
        """
        run = self.run
        if not run.provenance:
            made = {"made": "by hand, with discovery.views.table", "date": today(), "versions": versions()}
            run = replace(run, provenance=made)
        if run.rows and not run.ranked and not run.funnel:
            run = replace(run, notes=(*run.notes, "Nobody ranked these molecules; Table.ranked_by does."))
        return write_report(run, Path(path))

    def _with(self, rows: Iterable[Row]) -> Table:
        return Table(replace(self.run, rows=tuple(rows)))

    def _column(self, name: str) -> Column:
        return column_named(self.run, name)
