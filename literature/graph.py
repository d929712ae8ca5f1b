"""What do the mined tables say when they are asked as one graph?

`tables` opens a mined folder in DuckDB: articles that were superseded or withdrawn are
gone from every view, retracted ones stay and weigh nothing.

    documents, sentences, mentions, concepts, evidence, skipped     as mined
    nodes           one row a concept: how often it is named, in how many articles
    edges           one row a (subject, predicate, object) that some sentence claims: support,
                    contradiction and score as `evidence.summed` gives them, papers, years, the best quote,
                    and the probability that at least one article says so (null where no corpus can tell)
    cooccurrences   pairs that are only named in one sentence

How a graph is written for other programs is decided in graph_export.py.
"""

from __future__ import annotations

import json
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from discovery.outcome import UserError
from discovery.target import Statement
from literature.claims import MENTIONED, Sign
from literature.evidence import LIMIT, REPEAT, bearing
from literature.mining import TABLES


class GraphError(UserError, ValueError):
    """The tables cannot be asked; the message names the folder or the query and what to do."""


def tables(folder: str | Path) -> duckdb.DuckDBPyConnection:
    """A connection in memory whose views are the tables of a mined folder.

    Raises
    ------
    GraphError
        If the folder holds no mined tables, or lacks one of them.
    """
    out = Path(folder)
    keys = shards(out)
    connection = duckdb.connect(":memory:")
    for name, schema in TABLES.items():
        files = [out / name / f"{key}.parquet" for key in keys]
        absent = next((file for file in files if not file.exists()), None)
        if absent is not None:
            raise GraphError(f"{absent} is absent; run discovery mine again")
        if files:
            connection.from_parquet([str(file) for file in files], filename=True).create_view(f"raw_{name}")
        else:
            empty = schema.append(pa.field("filename", pa.string())).empty_table()
            connection.register(f"raw_{name}", empty)
    connection.register("withdrawn", pq.read_table(out / "withdrawn.parquet"))
    said = connection.execute("SELECT DISTINCT predicate, sign FROM raw_evidence").fetchall()
    connection.register("bearings", _bearings(said))
    for statement in _VIEWS:
        connection.execute(statement)
    return connection


def shards(folder: Path) -> list[str]:
    """The keys of the shards that count, in the order their files were named.

    Raises
    ------
    GraphError
        If nothing was mined into the folder.
    """
    try:
        keys = json.loads((folder / "current.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise GraphError(
            f"{folder} holds no mined tables; make them with discovery mine PATH... --out {folder}"
        ) from error
    return [str(key) for key in keys]


def query(folder: str | Path, sql: str) -> pa.Table:
    """Rows of one query over the views; `sql` is DuckDB's, such as "FROM edges LIMIT 5".

    Raises
    ------
    GraphError
        If the folder holds no tables, or DuckDB refuses the query; the message is DuckDB's.
    """
    with tables(folder) as connection:
        try:
            return connection.sql(sql).to_arrow_table()
        except duckdb.Error as error:
            raise GraphError(
                f"the query cannot be answered: {' '.join(str(error).partition('LINE 1')[0].split())}"
            ) from error


def _bearings(said: list[tuple[str, Sign]]) -> pa.Table:
    """What each (predicate, sign) that was said speaks of each predicate: `evidence.bearing` as a table."""
    predicates = sorted({predicate for predicate, _ in said if predicate != MENTIONED})
    rows = [
        {"said": predicate, "sign": sign, "predicate": about, "side": side}
        for predicate, sign in said
        if predicate != MENTIONED
        for about in predicates
        if (side := bearing(Statement("", predicate, "", sign, 1.0, "-", "-"), about))
    ]
    fields = [("said", pa.string()), ("sign", pa.int8()), ("predicate", pa.string()), ("side", pa.int8())]
    return pa.Table.from_pylist(rows, schema=pa.schema(fields))


_SHARD = "regexp_extract(filename, '([0-9a-f]+)[.]parquet$', 1)"


def _standing(name: str) -> str:
    """A table without the rows of articles that no longer count."""
    return f"""
        CREATE VIEW {name} AS
        SELECT t.* EXCLUDE (filename), {_SHARD} AS shard
        FROM raw_{name} t ANTI JOIN (SELECT shard, row FROM withdrawn WHERE reason <> 'retracted') w
        ON {_SHARD} = w.shard AND t.row = w.row"""


def _retractable(name: str) -> str:
    """The same, with articles marked that another article retracts."""
    return f"""
        CREATE VIEW {name} AS
        SELECT t.* EXCLUDE (filename) REPLACE (t.retracted OR r.row IS NOT NULL AS retracted), {_SHARD} AS shard
        FROM raw_{name} t ANTI JOIN (SELECT shard, row FROM withdrawn WHERE reason <> 'retracted') w
        ON {_SHARD} = w.shard AND t.row = w.row
        LEFT JOIN (SELECT DISTINCT shard, row FROM withdrawn WHERE reason = 'retracted') r
        ON {_SHARD} = r.shard AND t.row = r.row"""


# The probability of a paper is that of its surest claim, since its sentences repeat each other; papers are independent.
# Of one paper: noisy or of its sentences, at most REPEAT times the best of them; of papers: the harmonic sum.
_EDGES = f"""
CREATE VIEW edges AS
WITH alive AS (
    SELECT * FROM evidence WHERE NOT retracted AND predicate <> '{MENTIONED}'
), pairs AS (
    SELECT DISTINCT subject, object, predicate FROM alive
), told AS (
    SELECT p.subject, p.object, p.predicate, b.side, s.id, s.weight, s.probability, s.year, s.quote, s.start, s."end", s.smiles
    FROM pairs p JOIN alive s USING (subject, object)
    LEFT JOIN bearings b ON b.said = s.predicate AND b.sign = s.sign AND b.predicate = p.predicate
    WHERE b.side IS NOT NULL OR s.predicate = p.predicate
), papers AS (
    SELECT subject, object, predicate, side, id,
           least(1 - exp(sum(ln(1 - least(weight, 1 - 1e-15)))), {REPEAT} * max(weight), 1.0) AS weight,
           max(probability) AS probability
    FROM told WHERE side IS NOT NULL GROUP BY ALL
), ranked AS (
    SELECT *, row_number() OVER (PARTITION BY subject, object, predicate, side ORDER BY weight DESC, id) AS place
    FROM papers
), sums AS (
    SELECT subject, object, predicate,
           coalesce(sum(weight / (place * place)) FILTER (side = 1), 0) / {LIMIT!r} AS support,
           coalesce(sum(weight / (place * place)) FILTER (side = -1), 0) / {LIMIT!r} AS contradiction,
           1 - exp(sum(ln(1 - least(probability, 1 - 1e-15))) FILTER (side = 1 AND probability IS NOT NULL)) AS probability
    FROM ranked GROUP BY ALL
), facts AS (
    SELECT subject, object, predicate, count(DISTINCT id)::INTEGER AS papers, count(*)::INTEGER AS sentences,
           count(*) FILTER (side = 1)::INTEGER AS for_it, count(*) FILTER (side = -1)::INTEGER AS against_it,
           min(year) AS first_year, max(year) AS last_year,
           list_sort(list(DISTINCT id)) AS publications,
           arg_max({{'id': id, 'start': start, 'end': "end", 'quote': quote}}, (coalesce(side, 0), weight, -length(quote), id)) AS best
    FROM told GROUP BY ALL
)
SELECT subject, predicate, object, coalesce(support, 0.0) AS support, coalesce(contradiction, 0.0) AS contradiction,
       coalesce(support * (1 - 0.5 * contradiction), 0.0) AS score, probability,
       papers, sentences, for_it, against_it, first_year, last_year, publications, best
FROM facts LEFT JOIN sums USING (subject, object, predicate)
ORDER BY score DESC, subject, object, predicate"""

_VIEWS = (
    _retractable("documents"),
    _standing("sentences"),
    _standing("mentions"),
    _retractable("evidence"),
    """CREATE VIEW concepts AS
       SELECT id, first(type ORDER BY filename) AS type, first(name ORDER BY filename) AS name,
              first(xrefs ORDER BY filename) AS xrefs, first(smiles ORDER BY filename) AS smiles,
              first(inchikey ORDER BY filename) AS inchikey, first(tags ORDER BY filename) AS tags
       FROM raw_concepts GROUP BY id""",
    "CREATE VIEW skipped AS SELECT * EXCLUDE (filename) FROM raw_skipped",
    """CREATE VIEW nodes AS
       SELECT c.*, n.documents, n.mentions
       FROM concepts c
       JOIN (SELECT concept AS id, count(DISTINCT m.id)::INTEGER AS documents, count(*)::INTEGER AS mentions
             FROM mentions m GROUP BY concept) n USING (id)
       ORDER BY id""",
    _EDGES,
    f"""CREATE VIEW cooccurrences AS
       SELECT subject, object, count(DISTINCT id)::INTEGER AS papers, count(*)::INTEGER AS sentences,
              min(year) AS first_year, max(year) AS last_year, list_sort(list(DISTINCT id)) AS publications,
              arg_max({{'id': id, 'start': start, 'end': "end", 'quote': quote}}, (weight, -length(quote), id)) AS best
       FROM evidence WHERE NOT retracted AND predicate = '{MENTIONED}' GROUP BY subject, object
       ORDER BY papers DESC, subject, object""",
)
