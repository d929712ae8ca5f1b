"""Which targets does the literature hold for a disease, and which compounds for a target?

Ranked from the edges of a mined folder (graph.py): score first, and beside every rank
what speaks against it, both with their best quotes. Of several predicates for one pair
the best supported one is shown; a pair that is only denied stands last, not nowhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discovery.outcome import UserError
from literature.graph import tables
from literature.lexicon import Concept, Type
from literature.names.dictionary import own_names, shipped


class StandingError(UserError, ValueError):
    """What is ranked for is unknown; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence and where it stands."""

    id: str
    start: int  # code points into the article's text
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Standing:
    """One rank."""

    concept: str
    name: str
    predicate: str  # the best supported
    score: float  # 0..1, support lowered by half the contradiction
    support: float
    contradiction: float
    probability: float | None  # that at least one article says so; None where no corpus can tell
    papers: int
    sentences: int
    first: int | None  # year
    last: int | None
    smiles: str  # of a compound, where known
    said: Quote  # the best sentence
    against: Quote | None  # the weightiest sentence against it


def targets(folder: str | Path, disease: str, *, n: int = 50, lexicon: str = "") -> list[Standing]:
    """Genes and proteins for a disease, best first.

    Parameters
    ----------
    folder : of mined tables, as `discovery mine --out` made it
    n : at most so many
    lexicon : a JSON-lines file of your own names, added to the shipped ones

    Raises
    ------
    StandingError
        If nobody knows the disease, or `n` is less than 1.
    GraphError
        If nothing was mined into the folder.
    """
    return _ranked(folder, _known(disease, "disease", lexicon), "gene", n)


def compounds(folder: str | Path, target: str, *, n: int = 50, lexicon: str = "") -> list[Standing]:
    """Compounds that act on a target, best first; `folder`, `n`, `lexicon` and what is raised are as in `targets`."""
    return _ranked(folder, _known(target, "gene", lexicon), "chemical", n)


def _known(name: str, type: Type, own: str) -> Concept:
    names = shipped() + own_names(Path(own)) if own else shipped()
    known = names.named(name, type)
    if known is None:
        other = names.named(name)
        what = f"is a {other.type}" if other else "is known to no dictionary, or means several things"
        raise StandingError(
            f"{name.strip()!r} {what}; name a {type} by an identifier, a symbol or its full name"
        )
    return known


_RANKED = """
WITH found AS (
    SELECT e.*, CASE WHEN e.object = $about THEN e.subject ELSE e.object END AS other
    FROM edges e WHERE $about IN (e.subject, e.object)
), best AS (
    SELECT f.*, c.name, c.smiles,
           row_number() OVER (PARTITION BY other ORDER BY score DESC, contradiction DESC, predicate) AS place
    FROM found f JOIN concepts c ON c.id = f.other WHERE c.type = $type
), doubts AS (
    SELECT b.other, s.id, s.start, s."end", s.quote,
           row_number() OVER (PARTITION BY b.other ORDER BY s.weight DESC, s.id, s.start) AS place
    FROM best b
    JOIN evidence s ON s.subject = b.subject AND s.object = b.object AND NOT s.retracted
    JOIN bearings g ON g.said = s.predicate AND g.sign = s.sign AND g.predicate = b.predicate AND g.side = -1
    WHERE b.place = 1
)
SELECT b.other, b.name, b.predicate, b.score, b.support, b.contradiction, b.probability, b.papers, b.sentences, b.first_year,
       b.last_year, b.smiles, b.best, d.id, d.start, d."end", d.quote
FROM best b LEFT JOIN doubts d ON d.other = b.other AND d.place = 1
WHERE b.place = 1 ORDER BY b.score DESC, b.contradiction, b.papers DESC, b.name, b.other LIMIT $n"""


def _ranked(folder: str | Path, about: Concept, type: Type, n: int) -> list[Standing]:
    if n < 1:
        raise StandingError(f"n is {n}; ask for at least 1")
    with tables(folder) as connection:
        rows = connection.execute(_RANKED, {"about": about.id, "type": type, "n": n}).fetchall()
    return [_standing(row) for row in rows]


def _standing(row: Sequence[Any]) -> Standing:
    other, name, predicate, score, support, contradiction, probability, papers, sentences = row[:9]
    first, last, smiles, best, id, start, end, quote = row[9:]
    return Standing(
        concept=other,
        name=name,
        predicate=predicate,
        score=score,
        support=support,
        contradiction=contradiction,
        probability=probability,
        papers=papers,
        sentences=sentences,
        first=first,
        last=last,
        smiles=smiles,
        said=Quote(best["id"], best["start"], best["end"], best["quote"]),
        against=Quote(id, start, end, quote) if id is not None else None,
    )
