"""Written graphs are read by programs that are not ours, and hold what the tables hold."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from literature.graph import query
from literature.graph_export import EDGE_COLUMNS, ExportError, curie, export, kgx_edge, tensors
from literature.mining import mine

# Biolink model 4.4.6, biolink_model.yaml of the package biolink-model 4.4.6: names of classes and slots,
# in the spelling of its JSON schema; yaml.safe_load(file)["classes"], ["slots"], ["enums"].
CLASSES = {
    "Gene", "ChemicalEntity", "DiseaseOrPhenotypicFeature", "BiologicalProcess", "OrganismTaxon", "SequenceVariant",
    "CellLine", "NamedThing", "Association", "ChemicalAffectsGeneAssociation", "ChemicalGeneInteractionAssociation",
    "ChemicalAffectsBiologicalEntityAssociation", "ChemicalEntityToDiseaseOrPhenotypicFeatureAssociation",
    "GeneToDiseaseAssociation", "GeneToGeneAssociation",
}  # fmt: skip
PREDICATES = {
    "affects", "regulates", "directly_physically_interacts_with", "interacts_with", "causes", "associated_with",
    "treats_or_applied_or_studied_to_treat", "contraindicated_in", "target_for", "related_to",
    "occurs_together_in_literature_with", "acts_upstream_of_negative_effect", "acts_upstream_of_positive_effect",
}  # fmt: skip
MECHANISMS = {"inhibition", "antagonism", "inverse_agonism", "activation", "agonism", "partial_agonism"}
LEVELS = {"not_provided", "text_co_occurrence"}
QUALIFIED = {  # classes that carry each qualifier
    "causal_mechanism_qualifier": {"ChemicalAffectsGeneAssociation"},
    "object_direction_qualifier": {
        "ChemicalAffectsGeneAssociation", "ChemicalAffectsBiologicalEntityAssociation", "GeneToDiseaseAssociation",
        "GeneToGeneAssociation",
    },
}  # fmt: skip
CURIE = re.compile(r"[A-Za-z_][\w.\-]*:[^\s|]+")


@pytest.fixture(scope="module")
def written(mined: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("graph")
    export(mined, out, cooccurrence=True)
    return out


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_kgx_tables_keep_the_rules_of_the_format(mined: Path, written: Path) -> None:
    """KGX: required columns, CURIEs, categories and predicates of the Biolink model, ends that are nodes."""
    nodes, edges = rows(written / "nodes.tsv"), rows(written / "edges.tsv")
    assert {"id", "category"} <= nodes[0].keys()
    assert {"id", "subject", "predicate", "object", "category", "knowledge_level", "agent_type"} <= edges[
        0
    ].keys()
    assert "primary_knowledge_source" in edges[0]
    known = {node["id"] for node in nodes}
    assert len(known) == len(nodes) == query(mined, "FROM nodes").num_rows
    for node in nodes:
        assert CURIE.fullmatch(node["id"]), node
        assert node["category"].removeprefix("biolink:") in CLASSES
        assert all(CURIE.fullmatch(x) for x in node["xref"].split("|") if x)
    assert len({edge["id"] for edge in edges}) == len(edges)
    for edge in edges:
        assert {edge["subject"], edge["object"]} <= known
        assert edge["predicate"].removeprefix("biolink:") in PREDICATES, edge
        kind = edge["category"].removeprefix("biolink:")
        assert kind in CLASSES
        assert edge["knowledge_level"] in LEVELS
        assert edge["agent_type"] == "text_mining_agent"
        assert edge["negated"] in ("true", "false")
        assert edge["causal_mechanism_qualifier"] in MECHANISMS | {""}
        assert all(not edge[q] or kind in classes for q, classes in QUALIFIED.items())
        assert edge["publications"]
        assert all(CURIE.fullmatch(p) for p in edge["publications"].split("|"))
        assert edge["supporting_text"]
        assert 0 <= float(edge["has_confidence_score"]) <= 1
    total = sum(query(mined, f"FROM {name}").num_rows for name in ("edges", "cooccurrences"))
    assert len(edges) == total


def test_kgx_says_what_the_text_said(written: Path) -> None:
    edges = rows(written / "edges.tsv")
    found = {
        (e["original_predicate"], e["object_direction_qualifier"], e["causal_mechanism_qualifier"])
        for e in edges
        if (e["subject"], e["object"]) == ("DRUGBANK:DB17052", "NCBIGene:3351")  # SB-224289 and its receptor
    }
    assert ("antagonist of", "decreased", "antagonism") in found
    denied = {e["subject"] for e in edges if e["negated"] == "true" and e["object"] == "NCBIGene:3351"}
    assert "CLASS:gepants" in denied


def test_networkx_reads_the_graphml(mined: Path, written: Path, tmp_path: Path) -> None:
    """Reference: networkx.read_graphml."""
    networkx = pytest.importorskip("networkx")
    graph = networkx.read_graphml(written / "graph.graphml")
    assert graph.is_directed()
    assert graph.nodes["NCBIGene:3351"]["name"] == "HTR1B"
    whole = query(mined, "FROM edges").num_rows + query(mined, "FROM cooccurrences").num_rows
    assert graph.number_of_edges() == whole
    export(mined, tmp_path / "g.graphml")
    alone = networkx.read_graphml(tmp_path / "g.graphml")
    wanted = {
        (e["subject"], e["object"], e["predicate"]): e["score"]
        for e in query(mined, "FROM edges").to_pylist()
    }
    got = {(a, b, d["predicate"]): d["score"] for a, b, d in alone.edges(data=True)}
    assert got == pytest.approx(wanted)


def test_one_line_makes_a_hetero_data(written: Path, mined: Path) -> None:
    """Reference: PyTorch Geometric's own validation."""
    HeteroData = pytest.importorskip("torch_geometric.data").HeteroData
    data = HeteroData(tensors(written))
    assert data.validate(raise_on_error=True)
    assert data.num_nodes == query(mined, "FROM nodes").num_rows
    assert data["chemical", "antagonist of", "gene"].edge_index.shape[0] == 2
    assert data.num_edges == len(rows(written / "edges.tsv"))
    assert data["gene"].x.shape[1] == 3


def test_the_same_tables_give_the_same_bytes(mined: Path, written: Path, tmp_path: Path) -> None:
    export(mined, tmp_path / "again", cooccurrence=True)
    for file in sorted(written.iterdir()):
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes(), file.name


def test_foreign_words_break_no_format(tmp_path: Path) -> None:
    """A name with markup, a tab, a bar and a control character; an identifier with spaces."""
    networkx = pytest.importorskip("networkx")
    (tmp_path / "own.jsonl").write_text(
        '{"id": "MY:a b|c", "type": "chemical", "name": "xyz<&\\"\\t|\\u0007zap", "names": ["zappamine"]}\n',
        encoding="utf-8",
    )
    (tmp_path / "a.jsonl").write_text(
        '{"id": "my paper|1", "title": "Zappamine is a 5-HT1B agonist <b>&amp;\\tso | on."}\n',
        encoding="utf-8",
    )
    mine([tmp_path / "a.jsonl"], tmp_path / "out", lexicon=str(tmp_path / "own.jsonl"))
    export(tmp_path / "out", tmp_path / "g")
    (edge,) = rows(tmp_path / "g" / "edges.tsv")
    assert edge["subject"] == "MY:a%20b%7Cc"
    assert edge["publications"] == "discovery:my%20paper%7C1"
    assert edge["supporting_text"] == "Zappamine is a 5-HT1B agonist <b>&amp; so / on."
    assert networkx.read_graphml(tmp_path / "g" / "graph.graphml").number_of_edges() == 1


def test_curies() -> None:
    assert curie("UNIPROT:P28222") == "UniProtKB:P28222"
    assert curie("PMID:12") == "PMID:12"
    assert curie("US08926509B2") == "google.patent:US08926509B2"
    assert curie("paper one") == "discovery:paper%20one"


def test_an_unknown_predicate_is_related_to() -> None:
    """A model may say what the map does not hold; the edge stays, with the words that were said."""
    row = {
        "subject": "A:1", "object": "B:1", "predicate": "glows with", "subject_type": "gene", "object_type": "gene",
        "support": 0.1, "contradiction": 0.0, "score": 0.1, "sentences": 1, "against_it": 0, "publications": ["PMID:1"],
        "best": {"quote": "A glows with B."}, "first_year": None, "last_year": None,
    }  # fmt: skip
    edge = kgx_edge(row)
    assert (edge["predicate"], edge["original_predicate"]) == ("biolink:related_to", "glows with")
    assert edge.keys() == set(EDGE_COLUMNS)


def test_mistakes_say_what_to_do(mined: Path, written: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"\.graphml"):
        export(mined, tmp_path / "g.tsv")
    with pytest.raises(ExportError, match="discovery graph"):
        tensors(tmp_path)
    for name in ("graph.safetensors", "graph.json"):
        (tmp_path / name).write_bytes((written / name).read_bytes())
    (tmp_path / "graph.json").write_text('{"sha256": "another"}', encoding="utf-8")
    with pytest.raises(ExportError, match="different exports"):
        tensors(tmp_path)
