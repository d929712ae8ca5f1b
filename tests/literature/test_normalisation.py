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
