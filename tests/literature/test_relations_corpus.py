"""Every pair a convention answers for must be asked; what nobody said must not be taught."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from literature.annotated import CorpusError
from literature.relations.corpus import (
    NONE,
    Pair,
    Related,
    Thing,
    _drugprot,
    _pubtator,
    candidates,
    load_relations,
)

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "literature"
TITLE, ABSTRACT = "Gefitinib blocks EGFR.", "Erlotinib blocks EGFR and not ALK."


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(text)


def said(document: Related) -> dict[tuple[str, str], str]:
    return {
        (document.text[slice(*p.subject.spans[0])], document.text[slice(*p.object.spans[0])]): p.answer
        for p in document.pairs
    }


def test_drugprot_asks_for_mentions_of_one_sentence(tmp_path: Path) -> None:
    text = f"{TITLE} {ABSTRACT}"
    write(tmp_path, "drugprot/abstracts.tsv.gz", f"1\t{TITLE}\t{ABSTRACT}\n")
    spans = [
        ("CHEMICAL", 0, 9),
        ("GENE-Y", 17, 21),
        ("CHEMICAL", 23, 32),
        ("GENE-N", 40, 44),
        ("GENE-Y", 53, 56),
    ]
    lines = [f"1\tT{n}\t{label}\t{a}\t{b}\t{text[a:b]}" for n, (label, a, b) in enumerate(spans)]
    write(tmp_path, "drugprot/entities.tsv.gz", "\n".join(lines) + "\n")
    facts = ["INHIBITOR\tArg1:T0\tArg2:T1", "INHIBITOR\tArg1:T2\tArg2:T3", "SUBSTRATE\tArg1:T2\tArg2:T3",
             "ACTIVATOR\tArg1:T0\tArg2:T4"]  # fmt: skip
    write(tmp_path, "drugprot/relations.tsv.gz", "".join(f"1\t{fact}\n" for fact in facts))
    (document,) = _drugprot(tmp_path)
    assert said(document) == {
        ("Gefitinib", "EGFR"): "INHIBITOR",
        ("Erlotinib", "EGFR"): "INHIBITOR",
        ("Erlotinib", "ALK"): NONE,
    }
    assert [p.also for p in document.pairs if p.also] == [("SUBSTRATE",)]
    assert document.lost == ("ACTIVATOR",), (
        "it crosses sentences: no candidate holds it, and it counts as missed"
    )


def test_pubtator_asks_for_concepts_of_a_document(tmp_path: Path) -> None:
    text = "Aspirin and fever. Acetylsalicylic acid lowers fever or chills in influenza."
    marks = [(0, 7, "Chemical", "D1"), (12, 17, "Disease", "D2"), (19, 39, "Chemical", "D1"),
             (47, 52, "Disease", "D2"), (47, 62, "Disease", "D2|D3"), (66, 75, "Disease", "-1")]  # fmt: skip
    lines = ["7|t|Aspirin and fever.", f"7|a|{text[19:]}"]
    lines += [f"7\t{a}\t{b}\t{text[a:b]}\t{label}\t{id}" for a, b, label, id in marks]
    write(tmp_path, "a.gz", "\n".join([*lines, "7\tCID\tD1\tD3", "7\tCID\tD9\tD3", "", ""]))
    (document,) = _pubtator(tmp_path, "CDR", ["a.gz"])
    assert document.text == text
    assert document.pairs == (
        Pair(Thing("chemical", ((0, 7), (19, 39)), "D1"), Thing("disease", ((12, 17), (47, 52), (47, 62)), "D2"), NONE),
        Pair(Thing("chemical", ((0, 7), (19, 39)), "D1"), Thing("disease", ((47, 62),), "D3"), "CID"),
    )  # fmt: skip
    assert document.lost == ("CID",)


def test_biored_says_what_is_news_whatever_the_order(tmp_path: Path) -> None:
    text = "TP53 in cancer. x"
    lines = ["7|t|TP53 in cancer.", "7|a|x", "7\t0\t4\tTP53\tGeneOrGeneProduct\t7157",
             "7\t8\t14\tcancer\tDiseaseOrPhenotypicFeature\tD9", "7\tAssociation\tD9\t7157\tNovel", ""]  # fmt: skip
    write(tmp_path, "a.gz", "\n".join(lines) + "\n")
    (document,) = _pubtator(tmp_path, "BioRED", ["a.gz"])
    (pair,) = document.pairs
    assert (pair.subject.type, pair.object.type, pair.answer, pair.novel) == (
        "gene",
        "disease",
        "Association",
        True,
    )
    assert document.text == text


def test_candidates_are_of_the_kinds_a_convention_answers_for() -> None:
    things = [
        Thing("disease", ((0, 3),)),
        Thing("chemical", ((4, 7),)),
        Thing("gene", ((8, 11),)),
        Thing("gene", ((12, 15),)),
        Thing("species", ((16, 19),)),
    ]
    text = "aaa bbb ccc ddd eee"
    assert list(candidates("CDR", text, things)) == [(1, 0)]
    assert list(candidates("DrugProt", text, things)) == [(1, 2), (1, 3)]
    assert list(candidates("BioRED", text, things)) == [(1, 0), (2, 0), (3, 0), (1, 2), (1, 3), (2, 3)]


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        CorpusError, match=r"abstracts\.tsv\.gz is absent|BC5CDR_TrainDev\.PubTator\.gz is absent"
    ):
        load_relations(tmp_path)
    with pytest.raises(CorpusError, match=r"a\.gz is absent; --data must name the folder"):
        list(_pubtator(tmp_path, "CDR", ["a.gz"]))


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.exists(), reason="../shared is absent")
def test_nothing_kept_aside_is_trained_on() -> None:
    corpora = load_relations(SHARED)
    held = {d.id for corpus in corpora for d in corpus.held}
    assert [len(c.held) for c in corpora] == [150, 150, 64]
    assert not held & {d.id for corpus in corpora for d in corpus.train}
