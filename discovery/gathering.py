"""Which results do molecules and scores make that no campaign brought?

A `Run` of a file, of any molecules with any scores, or of proposals with what scorers
say of them; its rows are unranked and in the order given.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from discovery.intake import Row as FileRow
from discovery.intake import read
from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason, each
from discovery.proposal import Proposal
from discovery.records import word
from discovery.results import Row, Run
from discovery.score import Column, Score, Scorer, healthy_of, outcomes_of, scored
from discovery.target import Target

STAGE = "reading"
# what chemists measure concentrations for; not what is its logarithm already
CONSTANT = re.compile(r"(?<![A-Za-z])((?:IC|EC|AC|CC|DC|ED|GI|LC|LD)50|K[IiDdMmBb])(?![A-Za-z0-9])")
# energies of binding and their like; not "-dG", which is turned round already
_CLEARANCE = re.compile(r"(?i:(?<![a-z])clearance)|(?<![A-Za-z])(?:CL|Cl)_?int(?![a-z])")
_ENERGY = re.compile(
    r"(?<![-−\w])(?:[Dd]elta[ _]?G|[dΔ∆]G)(?:bind\w*)?(?![A-Za-z])|k(?:cal|J)(?:/| ?\* ?)mol"
)

# mark -> a number in which it can only stand before the decimals: "0,7", "12.34", "1.234,5", not "1,234"
_CERTAIN = {
    mark: re.compile(
        rf"(?![-+]?[1-9]\d{{0,2}}\{mark}\d{{3}}$)[-+]?(?:\d+|\d{{1,3}}(?:\{other}\d{{3}})+)\{mark}\d+(?:[eE][-+]?\d+)?"
    )
    for mark, other in (",.", ".,")
}
_GROUPED = {
    ",": re.compile(r"[-+]?\d{1,3}(?:\.\d{3})+(?:,\d+)?"),
    ".": re.compile(r"[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?"),
}
_PLUS_MINUS = re.compile(r"\s*(?:±|\+/-)\s*")


def run_of_file(path: Path, *, smiles: str | None = None, name: str | None = None) -> Run:
    """Every row of a library file, as `intake.read` reads it, with the columns that hold numbers.

    A column holds numbers when half of what is written in it can be read as one, or is a bound or
    may be two; the other cells say what stands there. Columns of words are left out; which numbers are
    the better ones is as `direction` has it.

    Raises
    ------
    IntakeError
        As `intake.read`.
    """
    rows = list(read(path, smiles=smiles, name=name))
    unit = word(path)
    ids = [row.name or f"{unit} {row.number}" for row in rows]
    where = [
        f"{row.name} ({path.name}, {unit} {row.number})" if row.name else f"{path.name}, {unit} {row.number}"
        for row in rows
    ]
    columns: dict[Column, list[Score | Missing]] = {}
    for key in dict.fromkeys(key for row in rows for key in row.data):
        written = [row.data.get(key, "").strip() for row in rows]
        numbers = numbers_of(rows, key, where)
        meant = sum(
            isinstance(one, Score) or one.reason is Reason.BOUND or bool(_GROUPED["."].fullmatch(text))
            for text, one in zip(written, numbers, strict=True)
        )
        if 2 * meant >= sum(map(bool, written)) > 0:
            columns[_column(key, [column.name for column in columns])] = numbers
    texts = [row.text for row in rows]
    return run_of([row.outcome for row in rows], columns, path.name, ids, texts)


def numbers_of(rows: Sequence[FileRow], key: str, where: Sequence[str]) -> list[Score | Missing]:
    """The numbers of a file's column as people write them; where each stands begins what is said of any other.

    "12,5" is one where the column, or else the file, leaves no doubt that its commas are decimal marks: then
    "1.234" is a thousand, as "1,234" is in a column of points. What may be either is refused.
    """
    written = [row.data.get(key, "").strip() for row in rows]
    mark = "."
    if any("," in text for text in written):
        marks = _marks(written)
        if not marks and any(map(_GROUPED["."].fullmatch, written)):
            marks = _marks(text.strip() for row in rows for text in row.data.values())
        mark = marks.pop() if len(marks) == 1 else ""
    return [_number(text, mark, place) for text, place in zip(written, where, strict=True)]


def _marks(written: Iterable[str]) -> set[str]:
    parts = [part for text in written for part in _PLUS_MINUS.split(text)]
    return {mark for part in parts for mark, number in _CERTAIN.items() if number.fullmatch(part)}


def _number(text: str, mark: str, where: str) -> Score | Missing:
    shown = text[:40]
    if not shown:
        return Missing(STAGE, Reason.NO_NUMBER, f"{where}: there is no number")
    if shown[0] in "<>~≤≥≈=":
        return Missing(STAGE, Reason.BOUND, f"{where}: {shown!r} is a bound, not a number")
    value, *error = (_read(part, mark) for part in _PLUS_MINUS.split(text, maxsplit=1))
    if math.isfinite(value) and all(math.isfinite(one) and one >= 0 for one in error):
        return Score(value, error[0] if error else None)
    if _GROUPED["."].fullmatch(shown):
        return Missing(
            STAGE, Reason.NO_NUMBER, f"{where}: {shown!r} may be two numbers; write it without its comma"
        )
    return Missing(STAGE, Reason.NO_NUMBER, f"{where}: {shown!r} is no number")


def _read(text: str, mark: str) -> float:
    """NaN for what is none."""
    if mark and _GROUPED[mark].fullmatch(text):
        text = text.replace("." if mark == "," else ",", "")
    try:
        return float(text.replace(",", ".") if mark == "," else text)
    except ValueError:
        return math.nan


def direction(head: str) -> Literal["low", "high"]:
    """Which of a column's numbers are the better ones: the low ones of concentrations (IC50, Ki ...), of
    energies (dG, kcal/mol) and of clearances (CLint), the high ones of any other."""
    return "low" if any(one.search(head) for one in (CONSTANT, _ENERGY, _CLEARANCE)) else "high"


def _column(key: str, taken: Sequence[str]) -> Column:
    """ "JAK2 IC50 (nM)" -> its title, its unit, and that low is better."""
    found = re.fullmatch(r"(.+?)\s*[(\[]([^()\[\]]{1,20})[)\]]", key.strip())
    if found and re.match("p(?:K|[A-Z]{2})", found[2]):  # "y [pKi]" says what it is, not in which unit
        found = None
    title, unit = (found[1], found[2]) if found else (key.strip(), "")
    name = re.sub(r"\W+", "_", title.lower()).strip("_") or "column"
    while name in taken:
        name += "_again"
    return Column(name, unit, direction(key), title, f"column {key!r} of the file")


def run_of(
    molecules: Sequence[Molecule | Missing],
    scores: Mapping[Column, Sequence[Score | Missing | float | None]],
    name: str,
    names: Sequence[str] = (),
    texts: Sequence[str] = (),
) -> Run:
    """Molecules and their scores; of several with one name the later ones say which row they are.

    Parameters
    ----------
    names, texts : the user's own name of each row and the structure as written, for rows without a molecule too

    Raises
    ------
    ValueError
        A column, the names or the texts are not as many as the molecules.
    TypeError
        A column is no Column, a molecule no Molecule, an outcome no number, Score or Missing.
    """
    healthy_of(molecules)
    for column, outcomes in scores.items():
        if not isinstance(column, Column):
            raise TypeError(
                f"{column!r} is no Column; a scorer has one as its `column`, or write "
                f'Column({str(column)!r}, unit="1", better="high")'
            )
        if len(outcomes) != len(molecules):
            raise ValueError(f"{column.name} has {len(outcomes)} outcomes for {len(molecules)} molecules")
    told = {column.name: outcomes_of(outcomes, column.name) for column, outcomes in scores.items()}
    for what, given in (("names", names), ("texts", texts)):
        if given and len(given) != len(molecules):
            raise ValueError(f"{len(given)} {what} are given for {len(molecules)} molecules")
    rows: list[Row] = []
    taken: set[str] = set()
    for place, molecule in enumerate(molecules):
        found = {column: outcomes[place] for column, outcomes in told.items()}
        broken = molecule if isinstance(molecule, Missing) else None
        why = broken or next((o for o in found.values() if isinstance(o, Missing)), None)
        smiles = "" if isinstance(molecule, Missing) else molecule.smiles
        shown = names[place] if names else "" if isinstance(molecule, Missing) else molecule.name
        id = shown or f"row {place + 1}"
        id = f"{id} (row {place + 1})" if id in taken else id
        taken.add(id)
        row = Row(
            id=id, text=texts[place] if texts else smiles, smiles=smiles, proposer="", round=0, parents=(), edit="", outcomes=found,
            desirability={}, utility=None, rank=None, front=None, missing=why,
        )  # fmt: skip
        rows.append(row)
    return Run(name, "", Target(""), tuple(scores), tuple(rows), funnel=(), statements=(), provenance={})


def run_of_proposals(proposals: Sequence[Proposal], scorers: Sequence[Scorer], name: str) -> Run:
    """Proposals, each with its parents, its edit, and what the scorers say of it."""
    molecules: list[Molecule | Missing] = each(
        "proposal",
        lambda item: Molecule.parse(item[1].smiles, f"{item[1].proposer}-{item[0]}"),
        list(enumerate(proposals, start=1)),
    )
    run = run_of(molecules, {s.column: scored(s, molecules) for s in scorers}, name)
    rows = [
        replace(
            row, id=f"{p.proposer}-{place}", text=p.smiles, proposer=p.proposer, round=p.round,
            parents=p.parents, edit=p.edit, name=p.name, log_prob=p.log_prob, weights=p.weights,
        )
        for place, (row, p) in enumerate(zip(run.rows, proposals, strict=True), start=1)
    ]  # fmt: skip
    return replace(run, rows=tuple(rows))
