"""What sentences claim: written for the purpose, each with what a reader would say of it."""

from __future__ import annotations

import pytest

from literature.article import Article
from literature.claims import MENTIONED, Claim, claims
from literature.mentions import DictionaryTagger, find
from literature.names.dictionary import shipped


def told(text: str, section: str = "abstract") -> list[Claim]:
    article = Article.of("X:1", [(section, text)])
    return claims(article, find(article, DictionaryTagger(shipped()), shipped()))


def said(text: str) -> set[tuple[int, str, str, str]]:
    return {
        (c.sign, c.subject.concept.name, c.predicate, c.object.concept.name)
        for c in told(text)
        if c.predicate != MENTIONED
    }


H = "HTR1B"
SENTENCES = [
    ("Sumatriptan is a selective 5-HT1B agonist.", {(1, "sumatriptan", "agonist of", H)}),
    ("SB-224289, a 5-HT1B antagonist, was given.", {(1, "SB-224289", "antagonist of", H)}),
    ("The 5-HT1B receptor antagonist GR-127935 was given.", {(1, "GR-127935", "antagonist of", H)}),
    ("Propranolol is an antagonist of the 5-HT1B receptor.", {(1, "propranolol", "antagonist of", H)}),
    ("Vortioxetine is a partial agonist at 5-HT1B receptors.", {(1, "vortioxetine", "partial agonist of", H)}),
    ("SB-224289 is an inverse agonist at the 5-HT1B receptor.", {(1, "SB-224289", "inverse agonist of", H)}),
    ("8-OH-DPAT is not a 5-HT1B agonist.", {(-1, "8-OH-DPAT", "agonist of", H)}),
    ("Lasmiditan does not bind 5-HT1B receptors.", {(-1, "lasmiditan", "binds", H)}),
    ("Lasmiditan had no affinity for 5-HT1B receptors.", {(-1, "lasmiditan", "binds", H)}),
    ("Lasmiditan failed to activate 5-HT1B receptors.", {(-1, "lasmiditan", "activates", H)}),
    ("5-HT1B receptors are blocked by methiothepin.", {(1, "methiothepin", "inhibits", H)}),
    ("5-HT1B receptors were not blocked by ketanserin.", {(-1, "ketanserin", "inhibits", H)}),
    ("Activation of 5-HT1B receptors by zolmitriptan was seen.", {(1, "zolmitriptan", "activates", H)}),
    ("Sumatriptan relieved migraine.", {(1, "sumatriptan", "treats", "migraine")}),
    ("Sumatriptan was effective in acute migraine.", {(1, "sumatriptan", "treats", "migraine")}),
    ("Sumatriptan did not prevent cluster headache.", {(-1, "sumatriptan", "treats", "cluster headache")}),
    ("Migraine was treated with sumatriptan.", {(1, "sumatriptan", "treats", "migraine")}),
    ("Ergotamine caused coronary spasm.", {(1, "ergotamine", "causes", "coronary vasospasm")}),
    ("Coronary spasm induced by sumatriptan is rare.", {(1, "sumatriptan", "causes", "coronary vasospasm")}),
    ("Sumatriptan is contraindicated in angina.", {(1, "sumatriptan", "contraindicated in", "angina pectoris")}),
    ("Sumatriptan must not be used in angina.", {(1, "sumatriptan", "contraindicated in", "angina pectoris")}),
    ("Eletriptan relieved migraine without nausea.", {(1, "eletriptan", "treats", "migraine"), (-1, "eletriptan", "causes", "nausea")}),
    ("5-HT1B receptors inhibit serotonin release.", {(1, H, "inhibits", "serotonin release")}),
    ("Loss of 5-HT1B receptors increased impulsivity.", {(1, H, "inhibits", "impulsivity")}),
    ("Aggression was increased in 5-HT1B knockout mice.", set()),
    ("5-HT1B receptors are associated with depression.", {(1, H, "associated with", "depression")}),
    ("HTR1B was not associated with depression.", {(-1, H, "associated with", "depression")}),
    ("No association between HTR1B and depression was found.", {(-1, H, "associated with", "depression")}),
    ("Whether HTR1B causes depression is unclear.", {(0, H, "causes", "depression")}),
    ("Serotonin receptors of the 5-HT1B type were counted.", set()),
    ("Serotonin 5-HT1B receptor binding was seen.", set()),
    ("Sumatriptan and 5-HT1B were measured.", set()),
    ("Rizatriptan relieved migraine sooner than naratriptan.", {(1, "rizatriptan", "treats", "migraine")}),
    ("Naratriptan and frovatriptan relieved migraine.", {(1, "naratriptan", "treats", "migraine"), (1, "frovatriptan", "treats", "migraine")}),
    ("Zolmitriptan relieved migraine, whereas pindolol did not.", {(1, "zolmitriptan", "treats", "migraine")}),
    ("Exclusion criteria were treatment with sumatriptan, epilepsy and angina.", set()),
    ("Patients treated with sumatriptan for migraine were excluded.", set()),
    ("The study was designed to evaluate sumatriptan in the treatment of migraine.", {(0, "sumatriptan", "treats", "migraine")}),
    ("No pivotal study showed that sumatriptan relieved migraine.", {(0, "sumatriptan", "treats", "migraine")}),
    ("Sumatriptan and naratriptan did not differ in the relief of migraine.", {(0, "sumatriptan", "treats", "migraine"), (0, "naratriptan", "treats", "migraine")}),
    ("There was no difference between sumatriptan and placebo in the relief of migraine.", {(-1, "sumatriptan", "treats", "migraine")}),
    ("A reduction in plasma cholesterol reduced depression.", set()),
    ("Vitamin D deficiency causes depression.", set()),
    ("Cortisol was reduced in depression.", set()),
    ("Naproxen reduced ergotamine-induced nausea.", {(1, "ergotamine", "causes", "nausea"), (1, "naproxen", "treats", "nausea")}),
    ("Nausea caused by ergotamine was not changed by naproxen.", {(1, "ergotamine", "causes", "nausea")}),
    ("Sumatriptan-treated patients reported migraine.", set()),
    ("In contrast to sumatriptan, rizatriptan relieved migraine.", {(1, "rizatriptan", "treats", "migraine")}),
    ("BDNF was reduced in depression.", {(1, "BDNF", "associated with", "depression")}),
    ("Sumatriptan reduced all-cause mortality and migraine.", {(1, "sumatriptan", "treats", "migraine")}),
    ("Sumatriptan reduced pain in patients with or without nausea.", {(1, "sumatriptan", "treats", "Pain")}),
    ("Sumatriptan, with or without naproxen, relieved migraine.", {(1, "naproxen", "treats", "migraine")}),
    ("Sumatriptan\u2010treated patients reported migraine.", set()),
    ("Sumatriptan reduced BDNF and increased IL-6.", {(1, "sumatriptan", "inhibits", "BDNF")}),
    ("NO caused migraine by nitric oxide release.", {(1, "Nitric Oxide", "causes", "migraine")}),
    ("Methotrexate reduced CD4+ T cells.", set()),
    ("Pioglitazone increased insulin sensitivity.", set()),
    ("Silencing of SOX9 reduced TP53.", {(1, "SOX9", "activates", "TP53")}),
    ("Sumatriptan inhibited the activation of TP53.", {(1, "sumatriptan", "inhibits", "TP53")}),
    ("Sumatriptan reduced the LPS-induced phosphorylation of TP53.", {(1, "sumatriptan", "inhibits", "TP53")}),
    ("TP53 is phosphorylated by MAPK14.", {(1, "MAPK14", "activates", "TP53")}),
    ("Phosphorylation of TP53 by MAPK14 was seen.", {(1, "MAPK14", "activates", "TP53")}),
    ("MAPK14/BRAF activation occurs downstream of TP53.", set()),
    ("MAPK14 and an increased TP53 were seen.", set()),
    ("Angiotensin-converting enzyme (ACE) inhibitor-associated angioedema is rare.", set()),
    ("Captopril is an angiotensin-converting enzyme (ACE) inhibitor.", {(1, "Captopril", "inhibits", "ACE")}),
    ("Sumatriptan induces death in TP53 expressing cells.", set()),
    ("Sumatriptan did not completely inhibit TP53.", {(1, "sumatriptan", "inhibits", "TP53")}),
    ("TP53 binding in alcohol-dependent patients was seen.", set()),
    ("Sumatriptan increased TP53 expression.", {(1, "sumatriptan", "activates", "TP53")}),
    ("We hypothesized that sumatriptan relieves migraine.", {(0, "sumatriptan", "treats", "migraine")}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), SENTENCES, ids=[text for text, _ in SENTENCES])
def test_a_sentence_claims_what_it_says(text: str, wanted: set[tuple[int, str, str, str]]) -> None:
    assert said(text) == wanted


def test_a_role_noun_belongs_to_its_own_drug() -> None:
    found = told("Vasoconstriction by sumatriptan was blocked by the 5-HT1B antagonist SB-224289.")
    roles = {(c.subject.concept.name, c.predicate) for c in found if c.object.concept.name == H}
    assert ("SB-224289", "antagonist of") in roles
    assert ("sumatriptan", MENTIONED) in roles


def test_an_antagonists_effect_is_turned_round_for_the_receptor() -> None:
    found = said("The 5-HT1B antagonist SB-224289 reduced pulmonary arterial hypertension.")
    assert (1, H, "causes", "pulmonary arterial hypertension") in found
    assert (1, "SB-224289", "treats", "pulmonary arterial hypertension") in found


def test_doubt_halves_the_weight() -> None:
    sure, doubtful = told("Donitriptan relieves migraine.")[0], told("Donitriptan may relieve migraine.")[0]
    assert doubtful.hedged
    assert doubtful.confidence == pytest.approx(sure.confidence / 2)


def test_sentences_do_not_mix_and_references_say_nothing() -> None:
    assert told("Sumatriptan was given. 5-HT1B is a receptor.") == []
    assert told("Sumatriptan is a 5-HT1B agonist.", section="references") == []


def test_a_list_of_names_claims_nothing_and_costs_nothing() -> None:
    assert told("TP53 is activated by " + "sumatriptan, SOX9, " * 3000 + "BRAF.") == []


def test_only_what_was_asked_about() -> None:
    article = Article.of("X:1", [("abstract", "Sumatriptan relieved migraine and activated 5-HT1B.")])
    found = find(article, DictionaryTagger(shipped()), shipped())
    gene = frozenset({"NCBIGene:3351"})
    assert all(gene & {c.subject.concept.id, c.object.concept.id} for c in claims(article, found, gene))
    assert len(claims(article, found)) == 3


def test_a_networks_word_comes_before_the_rules() -> None:
    """What it says is related, how and how surely; what a rule found denied stands, and what it does not say falls."""
    pytest.importorskip("torch")
    from literature.relations.relating import Relation

    text = (
        "Sumatriptan relieved migraine. Sumatriptan and 5-HT1B were measured. Lasmiditan may bind 5-HT1B "
        "receptors. Lasmiditan does not bind 5-HT1B receptors."
    )
    article = Article.of("X:1", [("abstract", text)])
    mentions = find(article, DictionaryTagger(shipped()), shipped())
    named = {(m.concept.name, text[: m.start].count(". ")): m for m in mentions}
    relations = [
        Relation(named["sumatriptan", 1], named["HTR1B", 1], "agonist of", 1, 0.8, "DrugProt:AGONIST", None),
        Relation(
            named["lasmiditan", 2], named["HTR1B", 2], "binds", 0, 0.6, "DrugProt:DIRECT-REGULATOR", None
        ),
        Relation(
            named["lasmiditan", 3], named["HTR1B", 3], "binds", 0, 0.9, "DrugProt:DIRECT-REGULATOR", None
        ),
    ]
    told = {
        (text[: c.start].count(". "), c.subject.concept.name): (c.predicate, c.sign, c.hedged, c.confidence)
        for c in claims(article, mentions, relations=relations)
    }
    assert told[0, "sumatriptan"][0] == MENTIONED, "the network was asked of this pair and said nothing"
    assert told[1, "sumatriptan"] == ("agonist of", 1, False, pytest.approx(0.8))
    assert told[2, "lasmiditan"] == ("binds", 1, True, pytest.approx(0.3))
    assert told[3, "lasmiditan"][:2] == ("binds", -1)
    assert claims(article, mentions) == claims(article, mentions, relations=None)


def test_a_rule_that_contradicts_the_network_keeps_its_direction() -> None:
    """Whether there is a relation, and how surely, is still the network's to say."""
    pytest.importorskip("torch")
    from literature.relations.relating import Relation

    article = Article.of("X:1", [("abstract", "SB-224289, a 5-HT1B antagonist, was given.")])
    mentions = find(article, DictionaryTagger(shipped()), shipped())
    pair = (
        next(m for m in mentions if m.type == "chemical"),
        next(m for m in mentions if m.concept.name == H),
    )
    for predicate, effect, kept in (
        ("activates", 1, "antagonist of"),
        ("inhibits", -1, "inhibits"),
        ("binds", 0, "binds"),
    ):
        said = [Relation(*pair, predicate, effect, 0.8, "", None)]  # type: ignore[arg-type]
        (claim,) = claims(article, mentions, relations=said)
        assert (claim.predicate, claim.confidence) == (kept, pytest.approx(0.8))
    (nothing,) = claims(article, mentions, relations=[])
    assert nothing.predicate == MENTIONED
