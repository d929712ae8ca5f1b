"""A drug that was given before a disease began does not treat it.

The sentences are written for this test after the kinds found in abstracts; none is from a corpus.
"""

from __future__ import annotations

import re

import pytest

from literature.article import Article
from literature.claims import claims
from literature.lexicon import Concept
from literature.mentions import Mention


def predicate(sentence: str) -> str:
    """What is claimed of the drug in <> and the disease in []; other drugs stand in {}."""
    text = "".join(c for c in sentence if c not in "<>[]{}")
    found: list[Mention] = []
    at = 0
    kinds = {"<": ("drug", "chemical"), "[": ("disease", "disease"), "{": ("other", "chemical")}
    for c in sentence:
        if c in kinds:
            start, kind = at, kinds[c]
        elif c in ">]}":
            words = text[start:at]
            found.append(Mention(start, at, words, Concept(kind[0], kind[1], words), 1.0, "name"))  # type: ignore[arg-type]
        else:
            at += 1
    said = claims(Article.of("X", [("abstract", text)]), found)
    (claim,) = [c for c in said if {c.subject.concept.id, c.object.concept.id} == {"drug", "disease"}]
    return claim.predicate


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("[Deafness] occurred in nine patients treated with <kanamycin>.", "causes"),
        ("[Deafness] after treatment with <kanamycin> is described.", "causes"),
        ("A man developed [deafness] two days after starting therapy with <kanamycin>.", "causes"),
        ("[Nephritis] due to treatment with <gold> was reversible.", "causes"),
        ("<Gold> treatment induced [nephritis] in all rats.", "causes"),
        ("<Gold>-treated rats developed [nephritis].", "causes"),
        ("Withdrawal of <gold> reduced the [nephritis].", "causes"),
        ("[Nephritis] improved in patients treated with <prednisone>.", "treats"),
        ("Patients with [nephritis] were treated with <prednisone>.", "treats"),
        ("<Prednisone> reduced the risk of [nephritis].", "treats"),
        ("<Prednisone> treatment reduced [nephritis] in rats.", "treats"),
        ("<Celecoxib> induced apoptosis in [glioma] cells.", "mentioned with"),
        ("<Celecoxib> induced [glioma] in rats.", "causes"),
        ("Effects of <statins> in {cisplatin}-induced [nephropathy] are shown.", "mentioned with"),
        ("<Statins> and {cisplatin}-induced [nephropathy] is shown.", "causes"),
        ("[Seizures] were rapidly and transiently induced by <kainate>.", "causes"),
    ],
)
def test_what_was_given_and_what_was_seen(sentence: str, expected: str) -> None:
    assert predicate(sentence) == expected


def test_two_things_in_one_list_do_nothing_to_each_other() -> None:
    """ "Activation of A and B" is of both; "association between A and B" is one."""
    assert genes("Growth needs activation of [IGF1R] and [EGFR].") == "mentioned with"
    assert genes("Activation of [EGFR] by [EGF] was seen.") == "activates"
    assert genes("Binding between [EGFR] and [EGF] was seen.") == "binds"


def genes(sentence: str) -> str:
    text = sentence.replace("[", "").replace("]", "")
    found = [
        Mention(m.start() - 2 * n, m.end() - 2 * n - 2, m[1], Concept(m[1], "gene", m[1]), 1.0, "name")
        for n, m in enumerate(re.finditer(r"\[(\w+)\]", sentence))
    ]
    (claim,) = claims(Article.of("X", [("abstract", text)]), found)
    return claim.predicate
