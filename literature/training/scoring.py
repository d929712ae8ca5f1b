"""How well does what was found agree with what people marked?

Strict: a span counts only if its start, its end and its type are all the annotator's.
Stretches that the annotator marked as something else of nearly that type
(`Marked.type` None) are left out on both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from literature.annotated import Annotated
from literature.lexicon import Type
from literature.mentions import Span


@dataclass(frozen=True, slots=True)
class Agreement:
    """Counts of spans."""

    right: int = 0  # found and marked
    wrong: int = 0  # found, not marked
    missed: int = 0  # marked, not found

    def __add__(self, other: Agreement) -> Agreement:
        return Agreement(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    @property
    def precision(self) -> float:
        """0..1; 0 where nothing was found."""
        return self.right / (self.right + self.wrong) if self.right else 0.0

    @property
    def recall(self) -> float:
        """0..1; 0 where nothing was marked."""
        return self.right / (self.right + self.missed) if self.right else 0.0

    @property
    def f1(self) -> float:
        """2 right / (2 right + wrong + missed), 0..1."""
        return 2 * self.right / (2 * self.right + self.wrong + self.missed) if self.right else 0.0


def agreement(
    documents: Sequence[Annotated], found: Sequence[Sequence[Span]], types: Iterable[Type]
) -> dict[Type, Agreement]:
    """Strict agreement, one count per type.

    Raises
    ------
    ValueError
        If documents and findings differ in number.
    """
    if len(documents) != len(found):
        raise ValueError(f"{len(documents)} documents but findings for {len(found)}")
    counts = dict.fromkeys(types, Agreement())
    for document, spans in zip(documents, found, strict=True):
        outside = [(m.start, m.end) for m in document.marks if m.type is None]
        marked = {(m.start, m.end, m.type) for m in document.marks if m.type in counts}
        said = {
            (s.start, s.end, s.type)
            for s in spans
            if s.type in counts
            and ((s.start, s.end, s.type) in marked or not any(s.start < b and a < s.end for a, b in outside))
        }
        for type in counts:
            truth, claim = {m for m in marked if m[2] == type}, {s for s in said if s[2] == type}
            counts[type] += Agreement(len(truth & claim), len(claim - truth), len(truth - claim))
    return counts
