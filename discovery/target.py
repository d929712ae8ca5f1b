"""The protein a campaign is about, and what is said of it.

A `Statement` is one claim with the exact words it was read from; where it comes
from (reading papers, a curated table) is the business of an `EvidenceSource`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Target:
    """A protein, named as people name it and as databases do."""

    name: str  # "5-HT1B receptor"
    gene: str = ""  # HGNC symbol: "HTR1B"
    uniprot: str = ""  # "P28222"
    disease: str = ""  # what the campaign hopes to treat: "migraine"


@dataclass(frozen=True, slots=True)
class Statement:
    """One claim about a target, with the sentence that makes it.

    Raises
    ------
    ValueError
        If the quote is empty or no source is named: a claim without a citation
        cannot be built.
    """

    subject: str
    predicate: str  # "inhibits", "activates", "treats", "associated with", "mentioned with"
    object: str
    sign: Literal[-1, 0, 1]  # +1 speaks for the link, -1 against it (negated), 0 neither
    confidence: float  # 0..1
    quote: str  # verbatim
    source: str  # "PMID:12345", "EXAMPLE:7", "US1234567"
    title: str = ""
    year: int | None = None
    section: str = ""
    start: int | None = None  # code points into the article's text, where the source keeps one
    end: int | None = None
    kind: Literal["literature", "patent", "illustrative"] = "literature"
    retracted: bool = False
    smiles: str = ""  # of the compound it speaks of, where known

    def __post_init__(self) -> None:
        if not self.quote.strip() or not self.source.strip():
            raise ValueError(
                f"a statement needs its quote and its source: {self.subject} {self.predicate} {self.object}"
            )
        if not 0.0 <= self.confidence <= 1.0:
            raise ValueError(f"confidence is a probability, not {self.confidence}")


STANCE = {1: "for", -1: "against", 0: "neither for nor against"}  # what a statement's sign says of its claim


@runtime_checkable
class EvidenceSource(Protocol):
    """Says what is known about a target, each statement quoted. Strongest first."""

    def __call__(self, target: Target, /) -> Sequence[Statement]: ...
