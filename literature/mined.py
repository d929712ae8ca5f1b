"""What do mined tables say of a target?

`dossier.CooccurrenceEvidence` reads articles anew; this takes what `discovery mine` wrote down,
by whichever reader and relations it mined with.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from discovery.target import Statement, Target
from literature.article import Article, Skipped
from literature.dossier import Dossier, Told, assembled, concept_of
from literature.graph import tables
from literature.lexicon import Concept, Lexicon
from literature.names.dictionary import own_names, shipped

_NAMING = """
SELECT d.id, d.year, d.kind, d.retracted FROM documents d
SEMI JOIN (FROM mentions WHERE concept = $about) m USING (shard, row) ORDER BY d.shard, d.row"""
# What is said of the target, and of compounds that act on it, in articles that name it.
_TOLD = """
WITH acting AS (
    SELECT DISTINCT e.subject FROM evidence e JOIN concepts c ON c.id = e.subject
    WHERE e.object = $about AND c.type = 'chemical'
)
SELECT e.subject AS one, e.object AS other, e.subject_name AS subject, e.predicate, e.object_name AS object, e.sign,
       CASE WHEN e.retracted THEN 0.0 ELSE e.weight END AS confidence, e.quote, e.id AS source, d.title, e.year,
       e.section, e.start, e."end", e.kind, e.retracted, e.smiles
FROM evidence e JOIN documents d USING (shard, row) SEMI JOIN (FROM mentions WHERE concept = $about) m USING (shard, row)
WHERE $about IN (e.subject, e.object) OR e.subject IN (FROM acting)
ORDER BY e.shard, e.row, e.start"""


@dataclass(frozen=True)
class MinedEvidence:
    """What `discovery mine` found: the statements of its tables about the target.

    Keeps the promise of `discovery.target.EvidenceSource`.

    Parameters
    ----------
    folder : of the tables, as `discovery mine --out` made it
    max_statements : the strongest so many
    lexicon : the JSON-lines file of your own names it was mined with
    """

    folder: str
    max_statements: int = 200
    lexicon: str = ""

    def __post_init__(self) -> None:
        if self.max_statements < 1:
            raise ValueError(f"max_statements is {self.max_statements}; ask for at least 1")

    def __call__(self, target: Target, /) -> list[Statement]:
        """Statements about the target, strongest first; raises as `dossier` does."""
        return list(self.dossier(target).statements[: self.max_statements])

    def dossier(self, target: Target) -> Dossier:
        """The same evidence, sorted into a dossier.

        Raises
        ------
        GraphError
            The folder holds no mined tables.
        UnknownTarget
            The target has neither name, gene nor UniProt identifier.
        """
        known = shipped() + own_names(Path(self.lexicon)) if self.lexicon else shipped()
        concept, _ = concept_of(target, known)
        with tables(self.folder) as connection:

            def rows(sql: str, **about: str) -> list[dict[str, Any]]:
                found: list[dict[str, Any]] = (
                    connection.sql(sql, params=about or None).to_arrow_table().to_pylist()
                )
                return found

            naming = rows(_NAMING, about=concept.id)
            told = rows(_TOLD, about=concept.id)
            things = {row["id"]: _concept(row, known) for row in rows("FROM concepts")}
            (articles,) = rows("SELECT count(*) AS n FROM documents")
            skipped = rows('SELECT "where", detail FROM skipped')
        return assembled(
            target,
            concept,
            "the reader that mined them",
            articles["n"],
            [Article(row.pop("id"), (), **row) for row in naming],
            [Told(things[row.pop("one")], things[row.pop("other")], Statement(**row)) for row in told],
            tuple(Skipped(**row) for row in skipped),
        )


def _concept(row: dict[str, Any], known: Lexicon) -> Concept:
    """As the dictionaries tell it today, or as it was written down."""
    told = {name: row[name] for name in ("id", "type", "name", "smiles", "inchikey")}
    return known.concept(row["id"]) or Concept(**told, xrefs=tuple(row["xrefs"]), tags=frozenset(row["tags"]))
