"""Names that no dictionary writes so; each with what a reader would say it means."""

from __future__ import annotations

import pytest

from literature.article import Article
from literature.mentions import DictionaryTagger, find_all, meant
from literature.names.dictionary import shipped
from literature.names.normalisation import normalise

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
    ("p-PERK", "gene", "NCBIGene:9451"),
    ("pSTAT3", "gene", "NCBIGene:6774"),
    ("sIL-6R", "gene", "NCBIGene:3570"),
    ("rhTRAIL", "gene", "NCBIGene:8743"),
]


@pytest.mark.parametrize(("name", "type", "id"), BENT)
def test_bent_names(name: str, type: str, id: str) -> None:
    """Reference: NCBI Gene and MeSH."""
    found = normalise(name, type)  # type: ignore[arg-type]
    assert found
    assert found[0].concept.id == id


def test_phosphorylated_erk_is_not_perk() -> None:
    assert {link.concept.name for link in normalise("PERK", "gene")} == {"EIF2AK3"}
    assert "MAPK1" in {link.concept.name for link in normalise("pERK", "gene")}
    assert not meant("pERK", shipped())
    assert {entry.concept.name for entry in meant("PERK", shipped())} == {"EIF2AK3"}
    assert {entry.concept.name for entry in meant("pVHL", shipped())} == {"VHL"}


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


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("COX-1", "PTGS1"), ("PPARγ", "PPARG"), ("NF-κB", "NFKB1"), ("α-synuclein", "SNCA"), ("μ-opioid receptor", "OPRM1"),
        ("HMG-CoA reductase", "HMGCR"), ("factor Xa", "F10"), ("histamine H3 receptor", "HRH3"), ("Kv11.1", "KCNH2"),
    ],
)  # fmt: skip
def test_a_protein_is_its_gene_also_where_mesh_has_a_heading_for_it(name: str, symbol: str) -> None:
    """Reference: HGNC. Whatever type is asked for, and in running text."""
    assert normalise(name)[0].concept.name == symbol
    assert normalise(name, "gene")[0].concept.name == symbol
    article = Article.of("A:1", [("abstract", f"Binding to {name} was measured.")])
    (found,) = find_all([article], DictionaryTagger(shipped()), shipped())
    assert [m.concept.name for m in found] == [symbol]


@pytest.mark.parametrize(
    "words",
    [
        "FISH analysis",
        "OR 2.1 (CI 1.2 to 3)",
        "groups are: 1",
        "Wilcoxon Signed STAT",
        "ICERs and CPAP",
        "SARS-CoV-2",
        "Volley match in Camden",
    ],
)
def test_words_of_every_day_are_no_genes(words: str) -> None:
    article = Article.of("A:1", [("abstract", f"The {words} in the clinic.")])
    assert find_all([article], DictionaryTagger(shipped()), shipped()) == [[]]
    assert all(link.score <= 0.5 for link in normalise(words) if link.concept.type == "gene")


def test_a_class_of_drugs_is_not_its_commonest_member() -> None:
    assert normalise("statins")[0].concept.id == "MESH:D019161"


@pytest.mark.parametrize(
    ("name", "short_forms", "text", "symbol"),
    [
        ("gamma-syn", {}, "Fibrils of gamma-synuclein grew; gamma-syn was phosphorylated.", "SNCG"),
        ("orphan brain kinase one", {"SBK1": "orphan brain kinase one"}, "It (SBK1) was seen.", "SBK1"),
    ],
)
def test_a_gene_may_be_written_otherwise_in_the_same_document(
    name: str, short_forms: dict[str, str], text: str, symbol: str
) -> None:
    (link,) = normalise(name, "gene", short_forms=short_forms, text=text)
    assert link.concept.name == symbol
    assert not any(x.concept.name == symbol for x in normalise(name, "gene")), (
        "without the document nothing tells"
    )


@pytest.mark.parametrize(
    ("name", "text", "symbol"),
    [
        ("IFN-gamma inducible 10 kDa protein", "", "CXCL10"),
        ("lymphocyte chemokine receptor CXCR3 isoform short", "", "CXCR3"),
        ("muscular glycogenin", "Glycogenin-2 (GYG2) was lost.", "GYG2"),
    ],
)
def test_a_name_no_gene_bears_is_told_by_its_words(name: str, text: str, symbol: str) -> None:
    """Reference: NCBI Gene."""
    found = normalise(name, "gene", text=text)
    assert (found[0].concept.name, found[0].method) == (symbol, "described")
    assert 0.15 <= found[0].score <= 1
    assert sum(link.score for link in found) <= 1 + 1e-9
    assert normalise(name, "gene", text=text, least=0.7) == (), (
        "guesses are left out where only sure links count"
    )


@pytest.mark.parametrize("type", ["gene", "disease"])
@pytest.mark.parametrize("name", ["", " ", "5", "zzqxv", "x " * 500, "\x00", "(", "of the"])
def test_what_is_no_name_describes_nothing(name: str, type: str) -> None:
    for text in ("", "IL-6 was seen in 5 patients with nephrotic syndrome."):
        assert all(link.method != "described" for link in normalise(name, type, text=text))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["receptor", "protein kinase of some kind", "the gene", "subunit 7"])
def test_words_of_many_genes_tell_none(name: str) -> None:
    assert normalise(name, "gene") == ()


@pytest.mark.parametrize(
    ("name", "type", "text", "id"),
    [
        ("ZNSM", "chemical", "Rats were given zonisamide. ZNSM changed nothing.", "MESH:D000078305"),
        ("GLNP", "disease", "Glomerulonephritis was found; GLNP was cured.", "MESH:D005921"),
        ("K+", "chemical", "", "MESH:D011188"),
    ],
)
def test_a_short_form_that_nothing_explains_is_what_the_document_names(
    name: str, type: str, text: str, id: str
) -> None:
    """Reference: MeSH."""
    (link,) = normalise(name, type, text=text)  # type: ignore[arg-type]
    assert (link.concept.id, link.method) == (id, "initials")
    assert normalise(name, type, text=text, least=0.7) == ()  # type: ignore[arg-type]


def test_a_short_form_of_nothing_in_the_document_is_nobody() -> None:
    for name in ("ZNSM", "GLNP"):
        assert all(
            link.method != "initials" for link in normalise(name, "chemical", text="Rats ate aspirin.")
        )
