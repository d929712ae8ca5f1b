"""References: RDKit for structures; the usual spellings of one receptor for keys."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from pathlib import Path

import pytest
from rdkit import Chem

from discovery.molecule import Molecule
from literature.lexicon import Concept, Lexicon, LexiconError, capital, curated, key, plural, risky
from literature.names.dictionary import shipped
from literature.names.normalisation import normalise

SPELLINGS = [
    "5-HT1B",
    "5-HT(1B)",
    "5HT1B",
    "5-HT1B receptors",
    "5-HT₁B",
    "5-HT-1B receptor",
    "5-hydroxytryptamine 1B receptor",
    "serotonin 1B receptor",
    "HTR1B",
    "htr1b",
]


@pytest.mark.parametrize("name", SPELLINGS)
def test_all_spellings_mean_one_gene(name: str) -> None:
    found = normalise(name)
    assert [link.concept.name for link in found] == ["HTR1B"]
    assert found[0].concept.id == "NCBIGene:3351"
    assert "UNIPROT:P28222" in found[0].concept.xrefs


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("β-blocker", "beta blockers"),
        ("TNF-α", "TNF alpha"),
        ("Parkinson's disease", "Parkinson’s disease"),
        ("antibodies", "antibody"),
        ("naïve", "naive"),
    ],
)
def test_keys_forgive_spelling(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("5-HT1B", "5-HT1D"), ("GSK3", "GSK4"), ("virus", "viru"), ("IL-1", "IL-11")]
)
def test_keys_keep_apart_what_differs(one: str, other: str) -> None:
    assert key(one) != key(other)


def test_every_structure_parses_and_has_the_inchikey_written_beside_it() -> None:
    """Reference: RDKit's InChIKey of the SMILES; the keys were compared with DrugBank's open vocabulary."""
    lines = (files("literature") / "data" / "pharmacology.jsonl").read_text(encoding="utf-8").splitlines()
    drugs = [c for line in lines if (c := curated().concept(json.loads(line)["id"])) and c.smiles]
    assert len(drugs) >= 60
    for drug in drugs:
        assert Molecule.parse(drug.smiles).smiles == drug.smiles, drug.name
        assert Chem.MolToInchiKey(Chem.MolFromSmiles(drug.smiles)) == drug.inchikey, drug.name


def test_known_structures() -> None:
    """Reference: InChIKeys of the DrugBank open vocabulary (CC0)."""
    known = {
        "sumatriptan": "KQKPFRSPSRPDEB-UHFFFAOYSA-N",
        "eletriptan": "PWVXXGRKLHYWKM-LJQANCHMSA-N",
        "ergotamine": "XCGSFFUVFURLIX-VFGNJEKYSA-N",
        "donitriptan": "SOHCKWZVTCTQBG-UHFFFAOYSA-N",
        "eltoprazine": "WVLHGCRWEHCIOT-UHFFFAOYSA-N",
    }
    for name, inchikey in known.items():
        assert normalise(name)[0].concept.inchikey == inchikey


def test_a_shared_name_is_shared_out() -> None:
    found = normalise("LSD")
    assert {"lysergide", "DNASE1L3"} <= {link.concept.name for link in found}
    assert all(link.score <= 0.5 for link in found)
    assert normalise("LSD", "gene")[0].concept.name == "DNASE1L3"
    assert normalise("no such thing") == ()


def test_a_users_dictionary_adds_and_overrides(tmp_path: Path) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text('{"id":"X:1","type":"chemical","name":"AB-123","smiles":"CCO"}\n', encoding="utf-8")
    both = shipped() + Lexicon.load(file)
    assert normalise("ab 123", lexicon=both)[0].concept.smiles == "CCO"
    assert normalise("5-HT1B", lexicon=both)
    file.write_text('{"id":"X:1","type":"chemical","name":"A"}\n{"id":"X:2"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match=r"mine\.jsonl, line 2"):
        Lexicon.load(file)
    file.write_text('{"id":"X:1","type":"planet","name":"A"}\n', encoding="utf-8")
    with pytest.raises(ValueError, match="planet"):
        Lexicon.load(file)


def test_the_owner_of_a_name_keeps_it() -> None:
    """A symbol belongs to the gene that is called so, not to one that has it as an alias."""
    lexicon = Lexicon.of(
        [
            Concept("G:1", "gene", "MAPK1", names=("ERK2",)),
            Concept("G:2", "gene", "ERK2X", names=("MAPK1",)),
        ]
    )
    assert [link.score for link in normalise("MAPK1", lexicon=lexicon)] == [1.0, 0.25]
    assert normalise("MAPK1", lexicon=lexicon)[0].concept.id == "G:1"


def test_risky_names() -> None:
    assert all(map(risky, ("LSD", "GC", "AGS", "Hb", "T", "ER", "set")))
    assert not any(map(risky, ("HTR1B", "sumatriptan", "BRCA1", "TP53")))


def test_endings_and_capitals() -> None:
    assert plural("statins")
    assert not plural("virus")
    assert capital("SET")
    assert capital("NF-KB")
    assert not capital("sumatriptan")
    assert not capital("BRCA1")


def test_a_later_layer_stands_before_an_earlier_one() -> None:
    base = Lexicon.of([Concept("G:1", "gene", "ABC1"), Concept("C:1", "chemical", "old", xrefs=("X:9",))])
    both = base + Lexicon.of(
        [Concept("G:2", "gene", "ABC1"), Concept("C:1", "chemical", "new", names=("old",))]
    )
    assert [link.concept.id for link in normalise("ABC1", lexicon=both)] == ["G:2"]
    assert normalise("old", lexicon=both)[0].concept.name == "new"
    assert both.concept("X:9") is None or both.named("X:9") is not None
    assert both.fingerprint != base.fingerprint
    again = base + Lexicon.of([Concept("G:2", "gene", "ABC1"), Concept("C:1", "gene", "new", names=("old",))])
    assert again.fingerprint != both.fingerprint  # the same names of another type: mined anew


def test_a_typed_symbol_is_the_gene_whose_own_it_is() -> None:
    """Reference: HGNC's approved symbols; COX-2 is what everybody calls PTGS2, and a symbol of MT-CO2 as well."""
    symbols = {"AR": "AR", "MET": "MET", "CAT": "CAT", "REST": "REST", "COX-2": "PTGS2", "PSA": "KLK3"}
    found = {name: shipped().named(name, "gene") for name in symbols}
    assert {name: gene.name for name, gene in found.items() if gene} == symbols
    assert shipped().named("JAK") is None  # a family


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("nephrotic syndrome in children", "Nephrotic Syndrome"), ("breast cancer in women", "Breast Neoplasms"), ("children", "Child")],
)  # fmt: skip
def test_a_guess_without_a_type_is_no_heading_of_none(name: str, wanted: str) -> None:
    assert normalise(name)[0].concept.name == wanted


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['{"id": "L:1", "type": "gene", "name": "ABX", "names": "ABX1"}'], "names is 'ABX1', not a list"),
        (['{"id": "L:1", "type": "gene", "name": null}'], "name is None"),
        (['{"id": "L:1", "type": "gene", "name": " "}'], "it has no name"),
        (['{"id": "L:1", "type": "gene", "name": "ABX", "synonyms": []}'], "it has synonyms"),
        (['{"id": "L:1", "type": "gene", "name": "ABX"}'] * 2, "L:1 stands in line 1 already"),
        (["[1]"], "not one JSON object"),
    ],
)
def test_a_list_of_names_that_is_none_says_which_line(lines: list[str], said: str, tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    own.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(LexiconError, match=re.escape(said)) as caught:
        Lexicon.load(own)
    assert f"own.jsonl, line {len(lines)}" in str(caught.value)


def test_a_list_of_names_with_a_windows_mark_is_read(tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    own.write_text('{"id": "L:1", "type": "gene", "name": "ABX1"}\n', encoding="utf-8-sig")
    assert Lexicon.load(own).named("ABX1") is not None
