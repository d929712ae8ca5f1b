"""References: abbreviation examples of Schwartz and Hearst's paper; tickets about ambiguous short names."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from literature.article import Article
from literature.lexicon import Concept, Lexicon
from literature.mentions import (
    DictionaryTagger,
    Mention,
    Span,
    Tagger,
    abbreviations,
    best_long_form,
    find,
    in_passages,
)
from literature.names.dictionary import shipped


def names(text: str, lexicon: Lexicon | None = None, title: str = "") -> list[tuple[str, str, str]]:
    return [(m.text, m.concept.name, m.method) for m in mentions(text, lexicon, title)]


def mentions(text: str, lexicon: Lexicon | None = None, title: str = "") -> list[Mention]:
    lexicon = lexicon or shipped()
    return find(Article.of("X:1", [("title", title), ("abstract", text)]), DictionaryTagger(lexicon), lexicon)


@pytest.mark.parametrize(
    ("short", "candidate", "long"),
    [
        ("HSF", "we studied heat shock transcription factor", "heat shock transcription factor"),
        ("NLB", "Nuclear localization", ""),
        ("TTF-1", "expression of Thyroid transcription factor 1", "Thyroid transcription factor 1"),
        ("CGRP", "release of calcitonin gene-related peptide", "calcitonin gene-related peptide"),
        ("5-HT", "the amine 5-hydroxytryptamine", "5-hydroxytryptamine"),
        ("p11", "the adaptor S100A10", ""),
        ("LSD", "by the least significant difference", "least significant difference"),
    ],
)
def test_long_forms(short: str, candidate: str, long: str) -> None:
    """Reference: HSF is the worked example of Schwartz & Hearst 2003."""
    assert best_long_form(short, candidate) == long


def test_an_abbreviation_means_what_the_document_says() -> None:
    text = "Patients with major depressive disorder (MDD) were scanned. MDD severity fell."
    assert names(text)[1:] == [("MDD", "major depressive disorder", "abbreviation")] * 2
    assert names("MDD severity fell.") == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Lysergic acid diethylamide (LSD) was given. LSD binds 5-HT1B.", {"lysergide", "HTR1B"}),
        ("Means differed by the least significant difference (LSD) test; LSD 0.05.", set()),
        ("LSD was given.", set()),
        ("AGS cells were grown.", set()),
        ("Stress scores (SS) and serotonin syndrome were rated; SS rose.", {"serotonin syndrome"}),
        ("Serotonin syndrome (SS) was rare; SS resolved.", {"serotonin syndrome"}),
        ("Recombinant P-11 was used.", set()),
    ],
)
def test_short_names_need_their_document(text: str, wanted: set[str]) -> None:
    assert {name for _, name, _ in names(text)} == wanted


def test_the_full_name_anywhere_settles_a_short_one() -> None:
    found = names("Dihydroergotamine was given. DHE relieved pain.")
    assert found[1] == ("DHE", "dihydroergotamine", "context")


def test_the_longest_name_wins_and_brackets_close() -> None:
    assert names("5-HT(1B) receptors and 5-HT (serotonin)")[0][0] == "5-HT(1B) receptors"
    assert [m[1] for m in names("myocardial infarction")] == ["myocardial infarction"]
    assert names("HTR1B2 and xHTR1B and HTR1B_x") == []
    assert [m[0] for m in names("[HTR1B]")] == ["HTR1B"]


def test_a_name_does_not_run_over_a_full_stop() -> None:
    lexicon = Lexicon.of([Concept("X:1", "gene", "alpha beta")])
    assert names("It was alpha. Beta followed.", lexicon) == []
    assert [m[0] for m in names("It was alpha-beta.", lexicon)] == ["alpha-beta"]


@settings(max_examples=60, derandomize=True, deadline=None)
@given(st.text("5-HT1B ()βsumatriptan.,\n", max_size=60))
def test_mentions_read_what_the_text_says(text: str) -> None:
    article = Article.of("X:1", [("abstract", text)])
    found = find(article, DictionaryTagger(shipped()), shipped())
    assert all(article.text[m.start : m.end] == m.text for m in found)
    assert all(a.end <= b.start for a, b in pairwise(found))


def test_the_dictionary_keeps_the_taggers_promise() -> None:
    tagger = DictionaryTagger(shipped())
    assert isinstance(tagger, Tagger)
    both = tagger(["sumatriptan", "", "5-HT1B and migraine"])
    assert [len(spans) for spans in both] == [1, 0, 2]
    assert list(tagger(["5-HT1B and migraine"])[0]) == list(both[2])


def test_definitions_across_brackets() -> None:
    article = Article.of(
        "X:1",
        [("abstract", "CGRP (calcitonin gene-related peptide) and SAH (n = 3) and AUC (ng/ml; 4) rose.")],
    )
    assert abbreviations(article) == {"CGRP": "calcitonin gene-related peptide"}


def test_a_hostile_text_costs_little() -> None:
    start = time.process_time()
    mentions("(" * 50_000 + "5-HT1B " * 2_000 + "x" * 200_000 + "1 " * 50_000)
    assert time.process_time() - start < 10


def test_a_tagger_reads_an_article_whole_and_its_spans_fall_into_passages() -> None:
    article = Article.of("X", [("title", "MAO and SFN"), ("abstract", "SFN fell.")])
    seen: list[str] = []

    def tagger(texts: Sequence[str], /) -> list[list[Span]]:
        seen.extend(texts)
        places = [(0, 3), (8, 15), (16, 20)]  # the second reaches over the end of the title
        return [[Span(a, b, "gene", 1.0) for a, b in places] for _ in texts]

    find(article, tagger, Lexicon([]))
    assert seen == ["MAO and SFN\nSFN fell."]
    parted = in_passages(article, tagger(["x"])[0])
    assert [(p.section, [p.text[s.start : s.end] for s in own]) for p, own in parted] == [
        ("title", ["MAO"]),
        ("abstract", ["fell"]),
    ]


def test_a_part_of_a_systematic_name_is_not_the_drug() -> None:
    assert names("It fell with naphtho[1,2-b]furan-4,5-dione.") == []
    assert names("It fell with furan.") == [("furan", "furan", "name")]


def test_everyday_words_of_full_texts_are_no_names() -> None:
    """Each was linked in open full texts: a disease, two weed killers, two drugs, five genes and a symptom."""
    told = (
        "We gave APCs in balance with BLAST on each dimension; the odds were OR 1.60. Luminal cells after radical "
        "surgery; a double-blind trial at 2 min-1, monitored by ChIP. This fits a rank of advanced disease."
    )
    assert names(told) == []
    assert names("APCS was raised.") == [("APCS", "APCS", "name")]
    assert ("luminal", "Phenobarbital", "context") in names("Phenobarbital, sold as luminal, was given.")


def test_a_symbol_counts_where_its_explanation_is_part_of_the_genes_name() -> None:
    """ "DNA topoisomerase II alpha" is known, "topoisomerase 2-alpha" alone is not; nor is a plant's ELF4 the human one."""
    assert {name for _, name, _ in names("The topoisomerase 2-alpha (TOP2A) was high. TOP2A fell.")} == {
        "TOP2A"
    }
    assert names("EARLY FLOWERING 4 (ELF4) of Arabidopsis; ELF4 rose.") == []


def test_hepatitis_is_not_the_drug_induced_one() -> None:
    assert ("hepatitis", "Hepatitis", "name") in names("Lamivudine improved hepatitis.")


def test_genes_of_yeast_are_not_the_human_ones() -> None:
    """A user's complaint about a peer: dmis-lab/BERN2, issue 57."""
    assert names("Rad51 of Saccharomyces cerevisiae binds DNA.", title="RAD51 in yeast") == []
    assert ("RAD51", "RAD51", "name") in names(
        "Human RAD51 and yeast RAD51 bind DNA.", title="RAD51 in yeast"
    )
    assert ("RAD51", "RAD51", "name") in names("A yeast two-hybrid screen found RAD51.")


def test_a_line_of_cells_is_not_the_gene_with_that_alias() -> None:
    assert names("THP-1 cells were kept; THP-1 were counted. CD24 cells too.") == [("CD24", "CD24", "name")]


def test_an_adjective_is_no_class_of_drugs() -> None:
    assert names("Anti-inflammatory cytokines had antiviral effects.") == []
    assert names("Anti-inflammatory agents were given.")[0][1] == "Anti-Inflammatory Agents"
