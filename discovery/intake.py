"""Which molecules are in this file?

A library in SMI, CSV, TSV, SDF, Parquet or Excel, plain or gzipped, becomes a stream of
rows: one for every row of the file, each with its molecule or the reason why there
is none. How a file is cut into records is told in records.py, what makes two rows
the same molecule in molecule.py.

Reading costs what RDKit's parsing costs. Memory does not grow with the file, but
for 8 to 24 bytes a molecule while duplicates are looked for.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import islice
from pathlib import Path

from rdkit import Chem

from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import Missing, MoleculeError, Reason, is_empty
from discovery.plugins import settle
from discovery.proposal import Lesson, Proposal
from discovery.record import IntakeError, Record
from discovery.records import records, word

STAGE = "intake"

Trouble = tuple[Reason, str]  # why there is no molecule


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, and what became of it."""

    number: int  # line of a text file (the header is line 1), record of an SDF, row of a Parquet file
    name: str  # printable, at most 200 letters; empty where the file has none
    text: (
        str  # the structure as written; all of the row where that could not be told; cut and marked at 6,000
    )
    outcome: Molecule | Missing
    data: Mapping[str, str] = field(default_factory=dict)  # the other columns


def read(
    path: str | Path,
    *,
    smiles: str | None = None,
    name: str | None = None,
    keep_duplicates: bool = False,
) -> Iterator[Row]:
    """Every row of a library file, in order: one row out for one row in.

    The file is opened and its columns are checked at once; its rows are read as they
    are asked for. A title may stand above a table's header. Blank lines count as rows unless only blank lines follow.

    Parameters
    ----------
    path : SMI, CSV, TSV, SDF, Parquet or Excel; gzip is told by content
    smiles, name : columns (SDF: tags) to use
        The obvious ones when left out, whatever their case.
    keep_duplicates : bool
        Let a molecule through again; otherwise it is Missing with DUPLICATE, and the
        first row that had it is named. Two molecules are confused with a probability
        of n²/2⁶⁵, 3 in a million for ten million rows.

    Raises
    ------
    IntakeError
        The file is not there, is packed otherwise, or has no such column.
    """
    where = Path(path)
    found = ((record, understood(record)) for record in records(where, smiles=smiles, name=name))
    return rows(where, found, None if keep_duplicates else Seen())


def written_in(path: Path) -> Iterator[str]:
    """The SMILES of every row of a file of any kind, as it stands there: nothing is standardised or left out.

    Of an SDF what RDKit reads. A row without a structure gives what it holds instead, which is no SMILES.

    Raises
    ------
    IntakeError
        The file cannot be read, or is cut off.
    """
    for record in records(path):
        if record.torn and record.trouble:
            raise IntakeError(f"{path}, {word(path)} {record.number:,} {record.trouble[1]}")
        mol = None
        if record.block:
            with quiet_rdkit():
                mol = Chem.MolFromMolBlock(record.block)
        if mol is not None:
            yield str(Chem.MolToSmiles(mol))
        elif first := record.text.split(maxsplit=1):
            yield first[0]


def molecules(
    structures: Iterable[object], names: Iterable[object] | None = None
) -> list[Molecule | Missing]:
    """SMILES or RDKit molecules that are in memory already, in order: one row out for one entry in.

    A list, a numpy array, a column of a pandas or a polars frame: `molecules(frame["smiles"], frame["name"])`.
    An entry that is empty (None, NaN) or no molecule is a `Missing` that says which row it was, from 1.
    Nothing is left out as a duplicate.

    Parameters
    ----------
    structures
        Texts (SMILES) and RDKit molecules, mixed as they come.
    names
        As many; their own names when left out, which SMILES do not have.

    Raises
    ------
    TypeError
        `structures` is one text, or a whole table; or an entry is of another kind, which is named.
    ValueError
        There are not as many names as structures.

    Examples
    --------
    >>> for row in molecules(["OCC", None], ["ethanol", "nothing"]):
    ...     print(row)
    Molecule(smiles='CCO', name='ethanol')
    empty (intake): row 2: nothing has no structure
    """
    if isinstance(structures, str | bytes | Mapping) or hasattr(structures, "columns"):
        raise TypeError(
            f"a list of structures is wanted, not a {type(structures).__name__}; "
            'give one column, such as table["smiles"], or put one SMILES into a list'
        )
    entries = list(structures)
    called = [""] * len(entries) if names is None else ["" if is_empty(n) else str(n) for n in names]
    if len(called) != len(entries):
        raise ValueError(f"{len(entries)} structures but {len(called)} names")
    return [_in_memory(place, *pair) for place, pair in enumerate(zip(entries, called, strict=True), start=1)]


def _in_memory(place: int, structure: object, name: str) -> Molecule | Missing:
    try:
        if isinstance(structure, Chem.Mol):
            return Molecule.of(structure, name)
        if isinstance(structure, str) or is_empty(structure):
            return Molecule.parse(structure if isinstance(structure, str) else "", name)
    except MoleculeError as error:
        return Missing(STAGE, error.reason, f"row {place}: {error}")
    raise TypeError(f"row {place} is a {type(structure).__name__}, neither SMILES nor an RDKit molecule")


def rows(path: Path, found: Iterable[tuple[Record, Molecule | Trouble]], seen: Seen | None) -> Iterator[Row]:
    """Records and what was read in them, as rows; what was seen before becomes a DUPLICATE."""
    unit = word(path)
    for record, read in found:
        here = f"{path.name}, {unit} {record.number}"
        outcome: Molecule | Missing
        if not isinstance(read, Molecule):
            outcome = Missing(STAGE, read[0], f"{here}: {read[1]}")
        elif seen is None or (first := seen.first(read.smiles, record.number)) == record.number:
            outcome = read
        else:
            detail = f"{here}: {read.shown} is the molecule of {unit} {first}"
            outcome = Missing(STAGE, Reason.DUPLICATE, detail)
        yield Row(record.number, record.name, record.text, outcome, record.data)


def understood(record: Record) -> Molecule | Trouble:
    """A record's molecule, or why it has none."""
    if record.trouble:
        reason, detail = record.trouble
        return reason, f"{record.name or 'it'} {detail}"
    try:
        return _molecule(record)
    except MoleculeError as error:
        return error.reason, str(error)


def _molecule(record: Record) -> Molecule:
    return structure(record.block or record.text, record.name, block=bool(record.block))


def structure(text: str, name: str, *, block: bool) -> Molecule:
    """A SMILES, or a mol block, as a molecule.

    Raises
    ------
    MoleculeError
        As `Molecule.parse`.
    """
    if not block:
        return Molecule.parse(text, name)
    with quiet_rdkit():
        mol = Chem.MolFromMolBlock(text)
        if mol is None:  # once more without judgement, to learn what is wrong with it
            mol = Chem.MolFromMolBlock(text, sanitize=False, strictParsing=False)
    if mol is None:
        raise MoleculeError(Reason.UNPARSABLE, f"{name or 'the molecule'} is no mol block RDKit can read")
    return Molecule.of(mol, name)


class Seen:
    """Which molecule came first in which row: 64-bit hashes in open addressing, 16 bytes a slot."""

    def __init__(self) -> None:
        self._count = 0
        self._hashes = array("Q", bytes(8 << 10))
        self._rows = array("Q", bytes(8 << 10))

    def first(self, smiles: str, row: int) -> int:
        """The row that had this molecule first; this row, if it is the first."""
        key = int.from_bytes(blake2b(smiles.encode(), digest_size=8).digest(), "little")
        place = self._place(key)
        if self._rows[place]:
            return self._rows[place]
        self._hashes[place], self._rows[place] = key, row
        self._count += 1
        if self._count * 3 > len(self._rows) * 2:
            self._grow()
        return row

    def _place(self, key: int) -> int:
        mask = len(self._rows) - 1
        place = key & mask
        while self._rows[place] and self._hashes[place] != key:
            place = (place + 1) & mask
        return place

    def _grow(self) -> None:
        hashes, rows = self._hashes, self._rows
        self._hashes, self._rows = array("Q", bytes(16 * len(rows))), array("Q", bytes(16 * len(rows)))
        for key, row in zip(hashes, rows, strict=True):
            if row:
                place = self._place(key)
                self._hashes[place], self._rows[place] = key, row


@dataclass(frozen=True, slots=True)
class LibraryProposer:
    """Proposes a file's molecules in the order they are written, `n` a round.

    Round r gets rows r·n to (r + 1)·n - 1, so a round can be asked for in any process
    and in any order, as long as `n` stays the same; past the end there is nothing.
    Nothing is learned, and no seed is used.

    Every row is passed on. An unreadable one goes with its text as it stands, with the
    reader's complaint behind it where the text alone might be taken for a molecule, so
    that it becomes a row with a reason. `edit` says where in the file a row was.

    Parameters
    ----------
    path : SMI, CSV, TSV, SDF, Parquet or Excel; gzip is told by content
    smiles, name_column : columns (SDF: tags) to use; the obvious ones when left out
    """

    path: Path
    smiles: str | None = None
    name_column: str | None = None

    def __post_init__(self) -> None:
        settle(self)

    @property
    def name(self) -> str:
        return "library"

    def propose(self, n: int, /, *, round: int, seed: int, lessons: Sequence[Lesson]) -> Sequence[Proposal]:
        """At most `n` proposals.

        Raises
        ------
        IntakeError
            The file is not there, is packed otherwise, or has no such column.
        """
        found = records(self.path, smiles=self.smiles, name=self.name_column)
        unit = word(self.path)
        return [
            Proposal(
                smiles=_as_proposed(record),
                proposer=self.name,
                round=round,
                edit=", ".join(filter(None, (record.name, f"{unit} {record.number} of {self.path.name}"))),
                name=record.name,
            )
            for record in islice(found, round * n, (round + 1) * n)
        ]


def _as_proposed(record: Record) -> str:
    if record.trouble:
        reason, detail = record.trouble
        return record.text if reason is Reason.TOO_LARGE or not record.text else f"{record.text} [{detail}]"
    if not record.block:
        return record.text
    try:
        return _molecule(record).smiles
    except MoleculeError as error:
        return f"{record.text} [{error}]"
