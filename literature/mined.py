"""What do mined tables say of a target?

`dossier.CooccurrenceEvidence` reads articles anew; this takes what `discovery mine` wrote down,
by whichever reader and relations it mined with. What is known only by way of a compound (what its
drugs treat) is a dossier's business.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from discovery.target import Statement, Target
from literature.dictionary import own_names, shipped
from literature.dossier import concept_of, strongest_first
from literature.graph import tables

_NAMING = """
SELECT e.subject_name AS subject, e.predicate, e.object_name AS object, e.sign,
       CASE WHEN e.retracted THEN 0.0 ELSE e.weight END AS confidence, e.quote, e.id AS source, d.title, e.year,
       e.section, e.start, e."end", e.kind, e.retracted, e.smiles
FROM evidence e JOIN documents d USING (shard, row)
WHERE ? IN (e.subject, e.object)"""


@dataclass(frozen=True)
class MinedEvidence:
    """What `discovery mine` found: the statements of its tables that name the target.

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
        """Statements about the target, strongest first.

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
            rows = connection.sql(_NAMING, params=[concept.id]).to_arrow_table().to_pylist()
        return sorted((Statement(**row) for row in rows), key=strongest_first)[: self.max_statements]
