"""The evidence stage end to end, on the illustrative texts; laws of what it may show."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from discovery import plugins
from discovery.molecule import Molecule
from discovery.target import EvidenceSource, Target
from literature import pages
from literature.claims import MENTIONED
from literature.corpus import Corpus, CorpusError
from literature.dossier import CooccurrenceEvidence, Dossier, UnknownTarget, build

TARGET = Target("5-hydroxytryptamine receptor 1B", "HTR1B", "P28222", "migraine")


@pytest.fixture(scope="module")
def dossier() -> Dossier:
    return CooccurrenceEvidence().dossier(TARGET)


def test_it_is_a_plug_in_and_keeps_the_promise() -> None:
    source = plugins.build("evidence", "cooccurrence", {"corpus": "example", "max_statements": 50})
    assert isinstance(source, EvidenceSource)
    found = source(TARGET)
    assert len(found) == 50
    assert found == source(TARGET)
    with pytest.raises(plugins.PluginError, match="max_statements"):
        plugins.build("evidence", "cooccurrence", {"max_statement": 5})


def test_every_quote_is_in_its_article_word_for_word(dossier: Dossier) -> None:
    texts = {a.id: a.text for a, _ in Corpus.open().keep(lambda a: True).items}
    assert len(dossier.statements) > 150
    for statement in dossier.statements:
        assert texts[statement.source][statement.start : statement.end] == statement.quote
        assert statement.kind == "illustrative"


def test_strongest_first_and_retracted_last(dossier: Dossier) -> None:
    found = dossier.statements
    ranks = [(s.retracted, s.predicate == MENTIONED, -s.confidence) for s in found]
    assert ranks == sorted(ranks)
    assert {s.source for s in found if s.retracted} == {"EXAMPLE:47"}
    assert all(s.confidence == 0 for s in found if s.retracted)


@pytest.mark.parametrize(
    ("drug", "predicate", "sign"),
    [
        ("sumatriptan", "agonist of", 1),
        ("donitriptan", "agonist of", 1),
        ("alniditan", "agonist of", 1),
        ("dihydroergotamine", "agonist of", 1),
        ("SB-224289", "antagonist of", 1),
        ("GR-127935", "antagonist of", 1),
        ("SB-216641", "antagonist of", 1),
        ("methiothepin", "antagonist of", 1),
        ("vortioxetine", "partial agonist of", 1),
        ("8-OH-DPAT", "binds", -1),
        ("lasmiditan", "activates", -1),
        ("metoprolol", "binds", -1),
        ("gepants", "activates", -1),
    ],
)
def test_pharmacology_of_the_target(dossier: Dossier, drug: str, predicate: str, sign: int) -> None:
    """Reference: textbook pharmacology of 5-HT1B, which the texts were written from."""
    found = next(f for f in dossier.compounds if f.subject.name == drug)
    assert (found.predicate, found.sign) == (predicate, sign)


def test_sections(dossier: Dossier) -> None:
    assert {"migraine", "major depressive disorder"} <= {f.object.name for f in dossier.diseases}
    assert {"vasoconstriction", "serotonin release", "aggression"} <= {f.object.name for f in dossier.does}
    assert {"coronary vasospasm", "angina pectoris"} <= {f.object.name for f in dossier.safety}
    assert any(f.subject.name == "sumatriptan" and f.object.name == "migraine" for f in dossier.treatments)
    assert ("HTR1B", "major depressive disorder") in {(c.subject, c.object) for c in dossier.contradictions}
    assert sum(y.articles for y in dossier.timeline) == dossier.naming - 1  # one of them is retracted
    assert dossier.retracted == ("EXAMPLE:47",)
    assert "AGS" not in json.dumps([f.object.names for f in dossier.diseases])


def test_compounds_join_the_chemistry(dossier: Dossier) -> None:
    drawn = [f.subject for f in dossier.compounds if f.subject.smiles]
    assert len(drawn) >= 20
    assert all(Molecule.parse(c.smiles).smiles == c.smiles for c in drawn)


def test_a_retraction_takes_its_evidence_away(tmp_path: Path) -> None:
    listed = tmp_path / "retracted.txt"
    listed.write_text("EXAMPLE:15\n", encoding="utf-8")
    before = CooccurrenceEvidence()(TARGET)
    after = CooccurrenceEvidence(retractions=str(listed))(TARGET)
    assert any(s.source == "EXAMPLE:15" and s.confidence > 0.8 for s in before)
    assert all(s.confidence == 0 for s in after if s.source == "EXAMPLE:15")


def test_unknown_targets(tmp_path: Path) -> None:
    file = tmp_path / "c.jsonl"
    file.write_text(
        '{"id": "A:1", "title": "Sumatriptan is an agonist of FLRX9.", "abstract": "Sumatriptan activates FLRX-9."}\n'
    )
    source = CooccurrenceEvidence(corpus=str(file))
    found = source(Target("flurble receptor 9", "FLRX9"))
    assert [(s.subject, s.predicate, s.object) for s in found] == [
        ("sumatriptan", "agonist of", "FLRX9"),
        ("sumatriptan", "activates", "FLRX9"),
    ]
    assert source(Target("nobody speaks of this")) == []
    with pytest.raises(UnknownTarget, match="no name"):
        source(Target(" "))
    with pytest.raises(CorpusError, match="no corpus at"):
        CooccurrenceEvidence(corpus="/no/such/file")(TARGET)
    with pytest.raises(ValueError, match="at least 1"):
        CooccurrenceEvidence(max_statements=0)


def test_all_names_of_a_target_find_the_same() -> None:
    wanted = CooccurrenceEvidence()(TARGET)
    for target in (
        Target("HTR1B"),
        Target("5-HT1B receptor"),
        Target("P28222"),
        Target("", uniprot="P28222"),
    ):
        assert CooccurrenceEvidence()(target) == wanted


def test_views_hold_the_quotes_and_say_illustrative(dossier: Dossier) -> None:
    for view in (pages.text(dossier), pages.markdown(dossier), pages.page(dossier)):
        assert "illustrat" in view.casefold()
        assert "not literature" in view
        assert "sumatriptan" in view
    found = json.loads(json.dumps(dossier.json()))
    assert found["illustrative"] is True
    assert found["compounds"][0]["statements"][0]["quote"]
    page = pages.page(dossier)
    assert "content=\"default-src 'none'; style-src" in page  # no script runs in it
    assert page.count("<svg") > 20
    assert "<del>" in page
    assert len(page) < 2_000_000


NASTY = (
    "<script>alert(1)</script> \x1b[31m Sumatriptan \x1b[0m is a 5-HT1B agonist \u202e](javascript:x) | `x`"
)


def test_foreign_words_are_inert(tmp_path: Path) -> None:
    file = tmp_path / "nasty.jsonl"
    file.write_text(json.dumps({"id": 'A:1"><img src=x>', "title": NASTY}) + "\n", encoding="utf-8")
    found = build(Target("HTR1B"), Corpus.open(file))
    assert found.statements
    page, mark, plain = pages.page(found), pages.markdown(found), pages.text(found)
    assert "<script" not in page
    assert "<img" not in page
    assert "<script" not in mark
    assert "](javascript" not in mark
    for view in (page, mark, plain):
        assert "\x1b" not in view
        assert "\u202e" not in view


def test_articles_are_one_click_away() -> None:
    """Reference: how the publishers' resolvers are addressed."""
    assert pages.link("DOI:10.1371/journal.pone.0012262") == "https://doi.org/10.1371/journal.pone.0012262"
    assert pages.link("PMID:8643528") == "https://pubmed.ncbi.nlm.nih.gov/8643528/"
    assert pages.link('DOI:10.1002/a<b">c') == "https://doi.org/10.1002/a%3Cb%22%3Ec"
    assert pages.link("EXAMPLE:1") == ""


def test_a_name_that_nobody_knows_is_told() -> None:
    told = pages.text(CooccurrenceEvidence().dossier(Target(name="nosuchgene")))
    assert "No dictionary knows it" in told
    assert "No dictionary knows it" not in pages.text(CooccurrenceEvidence().dossier(Target(name="HTR1B")))


def test_what_a_drug_treats_is_no_safety_flag_of_it(tmp_path: Path) -> None:
    words = "Sumatriptan is a 5-HT1B agonist. Sumatriptan relieved angina. Sumatriptan caused coronary spasm."
    (tmp_path / "x.jsonl").write_text(json.dumps({"id": "X:1", "title": "Texts", "abstract": words}))
    found = CooccurrenceEvidence(str(tmp_path / "x.jsonl")).dossier(TARGET)
    assert [f.object.name for f in found.safety] == ["coronary vasospasm"]
    assert [f.object.name for f in found.treatments] == ["angina pectoris"]
