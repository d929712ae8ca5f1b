"""The graph of a mined folder as GraphML, as KGX tables and as tensors.

    graph.graphml                  networkx, Cytoscape, Gephi
    nodes.tsv, edges.tsv           KGX, in the words of the Biolink model
    graph.safetensors, graph.json  tensors; one line makes them a PyTorch Geometric object:

        from torch_geometric.data import HeteroData
        data = HeteroData(literature.graph_export.tensors(folder))

Everything is streamed from DuckDB; the same tables give the same bytes.

References
----------
.. [1] KGX format, https://biolink.github.io/kgx/kgx_format.html, "KGX format as TSV".
.. [2] Biolink model 4.4.6, biolink_model.yaml: classes, predicates, qualifiers, knowledge levels.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO, TypeAlias
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from discovery.files import publish, streamed
from discovery.outcome import UserError
from literature.claims import MENTIONED
from literature.graph import tables

if TYPE_CHECKING:
    import duckdb
    from torch import Tensor

from safetensors import SafetensorError
from safetensors.numpy import save as save_arrays

Row: TypeAlias = dict[str, Any]

SOURCE = "infores:discovery-workbench"
CATEGORIES = {
    "gene": "biolink:Gene",
    "chemical": "biolink:ChemicalEntity",
    "disease": "biolink:DiseaseOrPhenotypicFeature",
    "process": "biolink:BiologicalProcess",
    "species": "biolink:OrganismTaxon",
    "variant": "biolink:SequenceVariant",
    "cell line": "biolink:CellLine",
    "other": "biolink:NamedThing",
}
_PREFIXES = {"UNIPROT": "UniProtKB"}  # ours -> Biolink's
NODE_COLUMNS = (
    "id", "category", "name", "xref", "provided_by", "smiles", "inchikey", "documents", "mentions",
)  # fmt: skip
EDGE_COLUMNS = (
    "id", "subject", "predicate", "object", "category", "qualified_predicate", "object_aspect_qualifier",
    "object_direction_qualifier", "causal_mechanism_qualifier", "negated", "publications", "supporting_text",
    "has_confidence_score", "evidence_count", "primary_knowledge_source", "knowledge_level", "agent_type",
    "original_predicate", "support", "contradiction", "first_year", "last_year",
)  # fmt: skip


class ExportError(UserError, ValueError):
    """The graph cannot be written or read back; the message names the file and what to do."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written."""

    nodes: int
    edges: int
    files: tuple[Path, ...]


def export(folder: str | Path, out: str | Path, *, cooccurrence: bool = False) -> Exported:
    """Write the graph of a mined folder: one GraphML file, or a folder with all forms.

    Parameters
    ----------
    out
        A name ending in .graphml, or a folder.
    cooccurrence
        Also pairs that are only named in one sentence ("mentioned with").

    Raises
    ------
    GraphError
        If the folder holds no mined tables.
    ExportError
        If `out` is a file name that does not end in .graphml.
    """
    out = Path(out)
    if out.suffix and out.suffix != ".graphml" and not out.is_dir():
        raise ExportError(f"{out.name} must end in .graphml, or be a folder")
    with tables(folder) as connection:
        _settle(connection, cooccurrence)
        nodes, edges = (connection.table(name).shape[0] for name in ("_nodes", "_edges"))
        if out.suffix == ".graphml":
            out.parent.mkdir(parents=True, exist_ok=True)
            _stream(out, lambda file: _graphml(connection, file))
            return Exported(nodes, edges, (out,))
        out.mkdir(parents=True, exist_ok=True)
        names_of = ("graph.graphml", "nodes.tsv", "edges.tsv", "graph.safetensors", "graph.json")
        files = [out / name for name in names_of]
        _stream(files[0], lambda file: _graphml(connection, file))
        _stream(files[1], lambda file: _lines(file, NODE_COLUMNS, map(kgx_node, _rows(connection, "_nodes"))))
        _stream(files[2], lambda file: _lines(file, EDGE_COLUMNS, map(kgx_edge, _rows(connection, "_edges"))))
        arrays, names = _arrays(connection)
        # Torn apart by a crash, the two would not fit: the names carry the sum of the arrays.
        packed = save_arrays(arrays)
        publish(files[3], packed)
        names["sha256"] = hashlib.sha256(packed).hexdigest()
        publish(files[4], (json.dumps(names, ensure_ascii=False, indent=1) + "\n").encode())
    return Exported(nodes, edges, tuple(files))


def _settle(connection: duckdb.DuckDBPyConnection, cooccurrence: bool) -> None:
    """The views as tables, computed once; only nodes that an edge touches, and types of both ends."""
    mentioned = (
        f"""UNION ALL BY NAME SELECT subject, '{MENTIONED}' AS predicate, object, 0.0 AS support,
            0.0 AS contradiction, 0.0 AS score, papers, sentences, 0 AS for_it, 0 AS against_it, first_year,
            last_year, publications, best FROM cooccurrences"""
        if cooccurrence
        else ""
    )
    connection.execute(
        f"""CREATE TEMP TABLE _edges AS
            SELECT e.*, a.type AS subject_type, b.type AS object_type
            FROM (SELECT * FROM edges {mentioned}) e
            JOIN concepts a ON a.id = e.subject JOIN concepts b ON b.id = e.object
            ORDER BY subject, predicate, object"""
    )
    connection.execute(
        """CREATE TEMP TABLE _nodes AS
           SELECT n.* FROM nodes n
           WHERE n.id IN (SELECT subject FROM _edges UNION SELECT object FROM _edges) ORDER BY n.id"""
    )


def _rows(connection: duckdb.DuckDBPyConnection, name: str) -> Iterator[Row]:
    order = "id" if name == "_nodes" else "subject, predicate, object"
    found = connection.execute(f"SELECT * FROM {name} ORDER BY {order}")
    columns = [column[0] for column in found.description or ()]
    while batch := found.fetchmany(4096):
        for row in batch:
            yield dict(zip(columns, row, strict=True))


def _stream(path: Path, write: Callable[[TextIO], None]) -> None:
    """A text file that appears whole or not at all."""
    with streamed(path) as raw:
        text = TextIOWrapper(raw, encoding="utf-8", newline="\n")
        write(text)
        text.flush()
        text.detach()


def _lines(file: TextIO, columns: Sequence[str], rows: Iterator[Mapping[str, str]]) -> None:
    file.write("\t".join(columns) + "\n")
    for row in rows:
        file.write("\t".join(row[column] for column in columns) + "\n")


# --- KGX ---------------------------------------------------------------------


class _Said(NamedTuple):
    """A predicate of ours in Biolink's words."""

    predicate: str
    direction: str = ""
    mechanism: str = ""
    qualified: str = ""


_AFFECTS = "biolink:affects"
_ON_GENE = {
    "inhibits": _Said(_AFFECTS, "decreased", "inhibition", "biolink:causes"),
    "antagonist of": _Said(_AFFECTS, "decreased", "antagonism", "biolink:causes"),
    "inverse agonist of": _Said(_AFFECTS, "decreased", "inverse_agonism", "biolink:causes"),
    "activates": _Said(_AFFECTS, "increased", "activation", "biolink:causes"),
    "agonist of": _Said(_AFFECTS, "increased", "agonism", "biolink:causes"),
    "partial agonist of": _Said(_AFFECTS, "increased", "partial_agonism", "biolink:causes"),
}
_SAID = {
    "inhibits": _Said(_AFFECTS, "decreased"),
    "activates": _Said(_AFFECTS, "increased"),
    "promotes": _Said(_AFFECTS, "increased"),
    "regulates": _Said("biolink:regulates"),
    "binds": _Said("biolink:directly_physically_interacts_with"),
    "acts through": _Said("biolink:interacts_with"),
    # Text that was read says treated or studied, not that a regulator found it effective.
    "treats": _Said("biolink:treats_or_applied_or_studied_to_treat"),
    "protects against": _Said(_AFFECTS, "decreased"),
    "causes": _Said("biolink:causes"),
    "contraindicated in": _Said("biolink:contraindicated_in"),
    "associated with": _Said("biolink:associated_with"),
    "target for": _Said("biolink:target_for"),
    MENTIONED: _Said("biolink:occurs_together_in_literature_with"),
}
_ON_PROCESS = {
    "inhibits": _Said("biolink:acts_upstream_of_negative_effect"),
    "promotes": _Said("biolink:acts_upstream_of_positive_effect"),
}
_RELATED = _Said("biolink:related_to")
_ASSOCIATIONS = {
    ("chemical", "gene"): "biolink:ChemicalAffectsGeneAssociation",
    ("chemical", "process"): "biolink:ChemicalAffectsBiologicalEntityAssociation",
    ("chemical", "disease"): "biolink:ChemicalEntityToDiseaseOrPhenotypicFeatureAssociation",
    ("gene", "disease"): "biolink:GeneToDiseaseAssociation",
    ("gene", "gene"): "biolink:GeneToGeneAssociation",
}
_ANY = "biolink:Association"


def curie(identifier: str) -> str:
    """An identifier of ours as a CURIE of the Biolink model's prefixes."""
    prefix, colon, local = identifier.partition(":")
    if not colon:
        found = re.fullmatch(r"US\w+", identifier)
        prefix, local = ("google.patent" if found else "discovery"), identifier
    safe = re.sub(r"[^\w.\-~()/+:]", lambda m: "".join(f"%{b:02X}" for b in m.group().encode()), local)
    return f"{_PREFIXES.get(prefix, prefix)}:{safe}"


def kgx_node(row: Row) -> dict[str, str]:
    """A row of the nodes view as a KGX node record."""
    return {
        "id": curie(row["id"]),
        "category": CATEGORIES[row["type"]],
        "name": _cell(row["name"]),
        "xref": "|".join(curie(x) for x in row["xrefs"] or ()),
        "provided_by": SOURCE,
        "smiles": _cell(row["smiles"]),
        "inchikey": _cell(row["inchikey"]),
        "documents": str(row["documents"]),
        "mentions": str(row["mentions"]),
    }


def kgx_edge(row: Row) -> dict[str, str]:
    """A row of the edges view, with the types of its ends, as a KGX edge record."""
    types = (row["subject_type"], row["object_type"])
    special = {("chemical", "gene"): _ON_GENE, ("gene", "process"): _ON_PROCESS}.get(types, {})
    said = special.get(row["predicate"]) or _SAID.get(row["predicate"], _RELATED)
    category = _ASSOCIATIONS.get(types, _ANY) if row["predicate"] != MENTIONED else _ANY
    if types == ("chemical", "gene") and said.predicate != _AFFECTS:
        category = (
            "biolink:ChemicalGeneInteractionAssociation" if said.predicate != _RELATED.predicate else _ANY
        )
    if said.direction and category == _ANY:
        said = said._replace(direction="")  # only some associations carry qualifiers
    ends = curie(row["subject"]), curie(row["object"])
    sum_of = hashlib.sha256("\0".join((ends[0], row["predicate"], ends[1])).encode()).hexdigest()[:24]
    return {
        "id": f"discovery:{sum_of}",
        "subject": ends[0],
        "predicate": said.predicate,
        "object": ends[1],
        "category": category,
        "qualified_predicate": said.qualified,
        "object_aspect_qualifier": "activity" if said.qualified else "",
        "object_direction_qualifier": said.direction,
        "causal_mechanism_qualifier": said.mechanism,
        "negated": "true" if row["against_it"] and row["contradiction"] > row["support"] else "false",
        "publications": "|".join(curie(p) for p in row["publications"]),
        "supporting_text": _cell(row["best"]["quote"]),
        "has_confidence_score": f"{row['score']:.6g}",
        "evidence_count": str(row["sentences"]),
        "primary_knowledge_source": SOURCE,
        "knowledge_level": "text_co_occurrence" if row["predicate"] == MENTIONED else "not_provided",
        "agent_type": "text_mining_agent",
        "original_predicate": row["predicate"],
        "support": f"{row['support']:.6g}",
        "contradiction": f"{row['contradiction']:.6g}",
        "first_year": "" if row["first_year"] is None else str(row["first_year"]),
        "last_year": "" if row["last_year"] is None else str(row["last_year"]),
    }


def _cell(text: str) -> str:
    """One cell of a KGX table: no tab, no line break, no bar, which parts several values."""
    return " ".join("".join("/" if c == "|" else c if c.isprintable() else " " for c in text or "").split())


# --- GraphML -----------------------------------------------------------------

_NODE_KEYS = (("type", "string"), ("name", "string"), ("xrefs", "string"), ("smiles", "string"), ("inchikey", "string"), ("documents", "int"), ("mentions", "int"))  # fmt: skip
_EDGE_KEYS = (("predicate", "string"), ("support", "double"), ("contradiction", "double"), ("score", "double"), ("papers", "int"), ("sentences", "int"), ("first_year", "int"), ("last_year", "int"), ("publications", "string"), ("quote", "string"))  # fmt: skip


def _graphml(connection: duckdb.DuckDBPyConnection, file: TextIO) -> None:
    file.write(
        '<?xml version="1.0" encoding="UTF-8"?>\n<graphml xmlns="http://graphml.graphdrawing.org/xmlns">\n'
    )
    for kind, keys in (("node", _NODE_KEYS), ("edge", _EDGE_KEYS)):
        for name, type in keys:
            file.write(f'<key id="{kind[0]}_{name}" for="{kind}" attr.name="{name}" attr.type="{type}"/>\n')
    file.write('<graph edgedefault="directed">\n')
    for row in _rows(connection, "_nodes"):
        row["xrefs"] = " ".join(row["xrefs"] or ())
        file.write(f"<node id={quoteattr(_xml(row['id']))}>{_data(row, 'n', _NODE_KEYS)}</node>\n")
    for row in _rows(connection, "_edges"):
        row |= {"publications": " ".join(row["publications"]), "quote": row["best"]["quote"]}
        ends = f"source={quoteattr(_xml(row['subject']))} target={quoteattr(_xml(row['object']))}"
        file.write(f"<edge {ends}>{_data(row, 'e', _EDGE_KEYS)}</edge>\n")
    file.write("</graph>\n</graphml>\n")


def _data(row: Row, kind: str, keys: Sequence[tuple[str, str]]) -> str:
    return "".join(
        f'<data key="{kind}_{name}">{escape(_xml(str(row[name])))}</data>'
        for name, _ in keys
        if row[name] not in (None, "")
    )


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _xml(text: str) -> str:
    """Without the characters that no XML file may hold."""
    return _NOT_XML.sub(" ", text)


# --- tensors -----------------------------------------------------------------

NODE_FEATURES = ("log1p_documents", "log1p_mentions", "is_safety_term")
EDGE_FEATURES = ("support", "contradiction", "score", "papers", "sentences", "first_year", "last_year")


def _arrays(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arrays by "type|name" and "type|predicate|type|name", and what their rows and columns are."""
    nodes: dict[str, list[Row]] = {}
    for row in _rows(connection, "_nodes"):
        nodes.setdefault(row["type"], []).append(row)
    places = {row["id"]: at for rows in nodes.values() for at, row in enumerate(rows)}
    arrays: dict[str, Any] = {}
    for type, rows in nodes.items():
        features = [[r["documents"], r["mentions"], "safety" in (r["tags"] or ())] for r in rows]
        x = np.asarray(features, dtype=np.float32).reshape(-1, len(NODE_FEATURES))
        x[:, :2] = np.log1p(x[:, :2])
        arrays[f"{type}|x"] = x
    edges: dict[tuple[str, str, str], list[Row]] = {}
    for row in _rows(connection, "_edges"):
        edges.setdefault((row["subject_type"], row["predicate"], row["object_type"]), []).append(row)
    for (first, predicate, second), rows in edges.items():
        place = "|".join((first, predicate, second))
        index = [[places[r["subject"]] for r in rows], [places[r["object"]] for r in rows]]
        arrays[f"{place}|edge_index"] = np.asarray(index, dtype=np.int64)
        # A year that nobody printed is NaN: zero would be a year.
        attributes = [[np.nan if r[name] is None else r[name] for name in EDGE_FEATURES] for r in rows]
        arrays[f"{place}|edge_attr"] = np.asarray(attributes, dtype=np.float32)
    names = {
        "node_features": list(NODE_FEATURES),
        "edge_features": list(EDGE_FEATURES),
        "nodes": {
            t: {"id": [r["id"] for r in rows], "name": [r["name"] for r in rows]} for t, rows in nodes.items()
        },
    }
    return arrays, names


def tensors(folder: str | Path) -> dict[Any, dict[str, Tensor]]:
    """The exported tensors as PyTorch Geometric's `HeteroData` takes them.

    Returns
    -------
    type -> {"x": [node, NODE_FEATURES]},
    (type, predicate, type) -> {"edge_index": [2, edge], "edge_attr": [edge, EDGE_FEATURES]};
    the identifier of each row stands in graph.json

    Raises
    ------
    ExportError
        If the folder holds no export, or its two files are of different ones.
    """
    from safetensors.torch import load

    place = Path(folder)
    try:
        packed = (place / "graph.safetensors").read_bytes()
        names = json.loads((place / "graph.json").read_text(encoding="utf-8"))
        found = load(packed)
    except (OSError, SafetensorError, ValueError) as error:
        raise ExportError(f"{place} holds no exported graph: {error}; make it with discovery graph MINED --out {place}") from error  # fmt: skip
    if names.get("sha256") != hashlib.sha256(packed).hexdigest():
        raise ExportError(
            f"graph.json and graph.safetensors in {place} are of different exports; export again"
        )
    parts: dict[Any, dict[str, Tensor]] = {}
    for key, tensor in found.items():
        *place_in, name = key.split("|")
        parts.setdefault(place_in[0] if len(place_in) == 1 else tuple(place_in), {})[name] = tensor
    return parts
