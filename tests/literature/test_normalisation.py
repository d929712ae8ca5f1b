"""Names that no dictionary writes so; each with what a reader would say it means."""

from __future__ import annotations

import pytest

from literature.normalisation import methods, normalise

BENT = [
    ("breast tumours", "disease", "MESH:D001943"),
    ("cancer of the breast", "disease", "MESH:D001943"),
    ("renal failure", "disease", "MESH:D051437"),
    ("severe chronic migraine attacks", "disease", "MESH:D008881"),
    ("sumatriptan succinate", "chemical", "MESH:D018170"),
    ("hBRCA1", "gene", "NCBIGene:672"),
    ("IFNgamma", "gene", "NCBIGene:3458"),
    ("NFkB1", "gene", "NCBIGene:4790"),
    ("human TP53 gene", "gene", "NCBIGene:7157"),
    ("caspase-3/7", "gene", "NCBIGene:836"),
    ("Smad1/5/8", "gene", "NCBIGene:4086"),
    ("PKC isoforms alpha, epsilon, and zeta", "gene", "NCBIGene:5578"),
    ("type 1 TNF receptor", "gene", "NCBIGene:7132"),
    ("H3 histamine receptor", "gene", "NCBIGene:11255"),
    ("receptor for ciliary neurotrophic factor", "gene", "NCBIGene:1271"),
    ("p38 MAPK", "gene", "NCBIGene:1432"),
    ("COX-2", "gene", "NCBIGene:5743"),
    ("rIL-2", "gene", "NCBIGene:3558"),
]


@pytest.mark.parametrize(("name", "type", "id"), BENT)
def test_bent_names(name: str, type: str, id: str) -> None:
    """Reference: NCBI Gene and MeSH."""
    found = normalise(name, type)  # type: ignore[arg-type]
    assert found
    assert found[0].concept.id == id
    assert found[0].method in methods()


def test_a_documents_definition_comes_first() -> None:
    assert (
        normalise("MS", "disease", short_forms={"MS": "multiple sclerosis"})[0].concept.id == "MESH:D009103"
    )
    assert normalise("MS", "disease", short_forms={"MS": "mitral stenosis"})[0].concept.id == "MESH:D008946"


@pytest.mark.parametrize("name", ["", " ", "zzqxv", "5", "the", "of the", "xqzj disorder of nowhere"])
def test_unknown_names_get_no_identifier(name: str) -> None:
    assert all(link.score < 1 for link in normalise(name, "chemical"))
    assert normalise("zzqxv") == ()


def test_types_are_respected() -> None:
    assert all(link.concept.type == "gene" for link in normalise("TNF", "gene"))
    assert normalise("sumatriptan", "disease") == ()


@pytest.mark.parametrize(
    ("text", "id"),
    [
        ("pancreatitis-associated protein", "NCBIGene:5068"),
        ("prostatic acid phosphatase", "NCBIGene:55"),
        ("poly(A) polymerase", "NCBIGene:10914"),
    ],
)
def test_of_genes_that_share_a_name_the_document_tells_which(text: str, id: str) -> None:
    """Reference: NCBI Gene, where PAP is a synonym of all three."""
    found = normalise("PAP", "gene", text=f"PAP, the {text}, was measured.")
    assert found[0].concept.id == id
    assert {link.concept.id for link in found} == {link.concept.id for link in normalise("PAP", "gene")}
    assert (found[0].method, found[0].score > 0.9) == ("context", True)
    assert all(link.score < 0.5 for link in normalise("PAP", "gene", text="PAP was measured."))


def test_a_receptor_is_not_what_it_binds() -> None:
    """Reference: NCBI Gene."""
    assert all(link.concept.name != "F2" for link in normalise("thrombin receptor", "gene"))
    (link,) = normalise("thrombin receptor", "gene", text="PAR-1, the thrombin receptor, was cut.")
    assert (link.concept.id, link.method) == ("NCBIGene:2149", "member")


def test_a_document_may_be_given_whatever_is_asked_for() -> None:
    text = "Alzheimer's disease (AD) is a dementia; atopic dermatitis itches."
    for type in (None, "disease", "gene", "chemical"):
        assert normalise("AD", type, text=text)[:1] or type in ("gene", "chemical")  # type: ignore[arg-type]


def test_what_a_family_meant_once_is_no_context() -> None:
    text = "Caspases, caspase-8 above all, are proteases that cleave PARP."
    assert all(link.score < 0.7 for link in normalise("caspases", "gene", text=text))


@pytest.mark.parametrize(
    ("name", "text", "id", "method"),
    [
        ("septins", "Septins, among them septin-3, form rings.", "NCBIGene:55964", "member"),
        ("septins", "Septins, among them septin 6, form rings.", "NCBIGene:23157", "member"),
        ("septin family members", "Septin family members such as SEPTIN3.", "NCBIGene:55964", "member"),
        ("septins", "Septins form rings.", "NCBIGene:1731", "family"),
    ],
)
def test_a_familys_name_means_the_member_that_is_named(name: str, text: str, id: str, method: str) -> None:
    """Reference: NCBI Gene."""
    found = normalise(name, "gene", text=text)
    assert [(link.concept.id, link.method) for link in found] == [(id, method)]
    assert normalise(name, "gene") == (), "without the document, a family is nobody"
    assert (normalise(name, "gene", text=text, least=0.5) == ()) == (method == "family"), (
        "a guess is told apart"
    )
