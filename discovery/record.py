"""What is one record of a file, and what of one that the file itself spoilt?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from discovery.lines import KEPT, Line, shorten
from discovery.outcome import Reason, UserError


class IntakeError(UserError, ValueError):
    """The file as a whole cannot be read. The message names it and says what to do."""


@dataclass(frozen=True, slots=True)
class Record:
    """One row as the file has it. `trouble` says why it holds no structure worth reading."""

    number: int  # line of a text file (the header is line 1), record of an SDF, row of a Parquet file
    text: str  # the SMILES, or all of the row where there is none
    name: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    block: str = ""  # the mol block, of an SDF
    trouble: tuple[Reason, str] | None = None
    torn: bool = False  # the file breaks off here


def spoilt(line: Line) -> Record | None:
    """A record for a line that the file itself spoilt."""
    if line.torn:
        return broken_off(
            line.number, line.text, f"{line.torn}; {line.number - 1:,} lines before it were read"
        )
    return too_large(line.number, line.text, len(line.text) + line.excess) if line.excess else None


def broken_off(number: int, kept: str, why: str) -> Record:
    """A record in which the file ends or turns to noise."""
    return Record(number, shorten(kept), trouble=(Reason.UNPARSABLE, f"is cut off: {why}"), torn=True)


def too_large(number: int, kept: str, size: int) -> Record:
    """A record for a text of which only the beginning was kept."""
    cut = f"{kept[: KEPT - 60]}... [cut: about {size:,} characters]"
    return Record(number, cut, trouble=(Reason.TOO_LARGE, f"is about {size:,} characters long"))


def written(number: int, structure: str, name: str, data: Mapping[str, str] | None = None) -> Record:
    """A record with a SMILES; of one too long to keep its length is told, which the text kept no longer tells."""
    if len(structure) <= KEPT:
        return Record(number, structure, name, data or {})
    trouble = (Reason.TOO_LARGE, f"is {len(structure):,} characters long")
    return Record(number, shorten(structure), name, data or {}, trouble=trouble)
