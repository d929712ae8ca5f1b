"""The dictionary inside the package: what it must hold, and how it is made from official files."""

from __future__ import annotations

import gzip
from importlib.resources import files
from pathlib import Path

import pytest

from literature.lexicon import Lexicon, key
from literature.names import build as lexicon_build
from literature.names.build import build, straight
from literature.names.dictionary import Dictionary, Tables, UnknownSpecies, official, shipped, sources
from literature.names.normalisation import normalise

MAX_BYTES = 6_000_000


def test_it_is_small_and_says_where_it_comes_from() -> None:
    folder = Path(str(files("literature") / "data"))
    assert sum(p.stat().st_size for p in folder.iterdir()) < MAX_BYTES
    told = "\n".join(sources())
    for name in (
        "Homo_sapiens.gene_info",
        "mesh_id_label_mappings",
        "doid",
        "drugbank_vocabulary",
        "hgnc",
        "UNII",
    ):
        assert name in told
    assert "chembl" not in told.casefold()
    assert len(official()) > 300_000


@pytest.mark.parametrize(
    ("name", "type", "id"),
    [
        ("TP53", "gene", "NCBIGene:7157"),
        ("p53", "gene", "NCBIGene:7157"),
        ("BRCA1", "gene", "NCBIGene:672"),
        ("tumor necrosis factor", "gene", "NCBIGene:7124"),
        ("aspirin", "chemical", "MESH:D001241"),
        ("acetylsalicylic acid", "chemical", "MESH:D001241"),
        ("paracetamol", "chemical", "MESH:D000082"),
        ("Gleevec", "chemical", "MESH:D000068877"),
        ("Glivec", "chemical", "MESH:D000068877"),  # as it is called elsewhere
        ("Solu-Medrol", None, "MESH:D008775"),
        ("trastuzumab", "chemical", "MESH:D000068878"),
        ("Advil", None, "MESH:D007052"),  # and not the gene AVIL, of which it is an alias
        ("breast cancer", "disease", "MESH:D001943"),
        ("myocardial infarction", "disease", "MESH:D009203"),
        ("Alzheimer's disease", "disease", "MESH:D000544"),
        ("leukaemia", "disease", "MESH:D007938"),
        ("hepatitis", None, "MESH:D006505"),
    ],
)
def test_well_known_names(name: str, type: str | None, id: str) -> None:
    """Reference: NCBI Gene and MeSH identifiers, looked up at the source."""
    assert normalise(name, type)[0].concept.id == id  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "id"),
    [("Trp53", "NCBIGene:22059"), ("Htr1b", "NCBIGene:15551"), ("interleukin 6", "NCBIGene:16193")],
)
def test_genes_of_the_mouse(name: str, id: str) -> None:
    """Reference: NCBI Gene, looked up at the source."""
    assert normalise(name, "gene", species="mouse")[0].concept.id == id
    assert normalise(name, "gene")[0].concept.id != id
    assert normalise("breast cancer", "disease", species="mouse")[0].concept.id == "MESH:D001943"


def test_a_species_that_is_not_there_is_told() -> None:
    with pytest.raises(UnknownSpecies, match="human, mouse"):
        normalise("Trp53", "gene", species="axolotl")


def test_a_compound_joins_the_chemistry() -> None:
    """Reference: the InChIKey of ibuprofen."""
    assert (
        normalise("ibuprofen", "chemical", lexicon=Lexicon([official()]))[0].concept.inchikey
        == "HEFNNWSXXWATRW-UHFFFAOYSA-N"
    )


def test_cross_references_find_the_same_gene() -> None:
    for name in ("NCBIGene:3351", "UNIPROT:P28222", "HGNC:5287"):
        found = shipped().named(name)
        assert found is not None
        assert found.name == "HTR1B"


def small_files(folder: Path) -> Path:
    folder.mkdir()
    gene = ["9606", "7157", "TP53", "-", "P53|LFS1", "MIM:1|HGNC:HGNC:11998", "17", "17p", "tumor protein p53", "protein-coding", "TP53", "tumor protein p53", "O", "antigen NY-CO-13", "20210701", "-"]  # fmt: skip
    pseudo = [*gene[:1], "9", "TP53P1", *gene[3:9], "pseudo", *gene[10:]]
    mouse = ["10090", "22059", "Trp53", *gene[3:]]
    lines = "\n".join("\t".join(row) for row in (["#tax_id"] * 16, gene, pseudo, mouse)) + "\n"
    with gzip.open(folder / "Homo_sapiens.gene_info.gz", "wt") as file:
        file.write(lines)
    (folder / "mesh_id_label_mappings.tsv").write_text(
        "D018170\tSumatriptan\tImigran|Sumatriptan Succinate\nD008881\tMigraine Disorders\tMigraine|Disorder, Migraine\n"
        "D012907\tSmoking\t\n"
    )
    (folder / "pubchem_mesh_map.tsv").write_text("5358\tD018170\n")
    (folder / "doid.obo").write_text(
        'format-version: 1.2\n\n[Term]\nid: DOID:6364\nname: migraine\nsynonym: "sick headache (disorder)" EXACT []\n'
        "xref: MESH:D008881\nxref: OMIM:157300\n\n[Term]\nid: DOID:1\nname: gone\nis_obsolete: true\n"
    )
    (folder / "drugbank_vocabulary.csv").write_text(
        "DrugBank ID,Accession Numbers,Common name,CAS,UNII,Synonyms,Standard InChI Key\n"
        "DB00669,,Sumatriptan,,,Sumatriptán | Sumatriptanum,KQKPFRSPSRPDEB-UHFFFAOYSA-N\n"
        "DB20163,,Donitriptan,,,Donitriptan,SOHCKWZVTCTQBG-UHFFFAOYSA-N\n"
    )
    (folder / "UNII_Names.txt").write_text(
        "Name\tTYPE\tUNII\tDisplay Name\nZECUITY\tbn\t1\tSUMATRIPTAN SUCCINATE\nONZETRA\tbn\t2\tDONITRIPTAN HYDROCHLORIDE\n"
        "TREXIMED\tcn\t1\tSUMATRIPTAN\nMIGRA-PATCH\tbn\t1\tSUMATRIPTAN\n"
        "TODAY\tbn\t2\tDONITRIPTAN\nSMOKING\tbn\t2\tDONITRIPTAN\nNOBODY\tbn\t2\tDONITRIPTAN POLYMER\n"
    )
    return folder


def test_building_from_small_files(tmp_path: Path) -> None:
    folder = small_files(tmp_path / "in")
    mentions = tmp_path / "m.PubTator"
    mentions.write_text(
        "1|t|Imitrex for megrim.\n1|a|\n1\t0\t7\tImitrex\tChemical\tD018170\n1\t12\t18\tmegrim\tDisease\tD008881\n\n"
        "2|t|megrim again\n2|a|\n2\t0\t6\tmegrim\tDisease\tD008881\n"
    )
    tables = build(folder, [mentions])
    tables.write(tmp_path)
    found = Dictionary(Tables.read(tmp_path))
    lexicon = Lexicon([found])
    assert [e.concept.id for e in lexicon.entries_of("Imigran")] == ["MESH:D018170"]
    drug = lexicon.entries_of("Sumatriptanum")[0].concept
    assert (drug.type, drug.inchikey, drug.xrefs) == (
        "chemical",
        "KQKPFRSPSRPDEB-UHFFFAOYSA-N",
        ("DRUGBANK:DB00669",),
    )
    for name in ("donitriptan", "Onzetra"):
        assert lexicon.entries_of(name)[0].concept.id == "DRUGBANK:DB20163"
    for name in ("Zecuity", "Treximed", "Migra-Patch"):
        assert [e.concept.id for e in lexicon.entries_of(name)] == ["MESH:D018170"]
    assert lexicon.entries_of("today") == lexicon.entries_of("nobody") == ()
    assert lexicon.entries_of("sick headache")[0].concept.id == "MESH:D008881"
    assert set(lexicon.entries_of("migraine disorder")[0].concept.xrefs) == {"DOID:6364", "OMIM:157300"}
    assert lexicon.entries_of("Smoking")[0].concept.type == "other"
    assert [e.concept.name for e in lexicon.entries_of("p53")] == ["TP53"]
    assert lexicon.entries_of("TP53P1") == ()
    assert lexicon.entries_of("gone") == ()
    assert [e.concept.id for e in lexicon.entries_of("megrim")] == ["MESH:D008881"]
    held = build(folder, [mentions], keep=lambda id: id != "PMID:1")
    assert "imitrex" not in held.names["key"].to_pylist()
    assert "megrim" in held.names["key"].to_pylist()
    again = build(folder, [mentions])
    assert again.names.equals(tables.names)
    assert again.concepts.equals(tables.concepts)


def test_names_are_learned_by_articles_and_within_a_species(tmp_path: Path) -> None:
    """What one article says thrice counts once; what a name means in mice says nothing of people."""
    folder = small_files(tmp_path / "in")
    (folder / "hgnc.tsv").write_text("HGNC:11998\tTP53\tguardian 53\tApproved\tLFS1\t7157\tP04637\n")
    (folder / "grounding_map.csv").write_text(
        "warden,UP,P04637,,,,\njailer,HGNC,TP53,,,,\nrat,UP,P10361,,,,\nLFS1,FPLX,LFS,,,,\n"
    )
    mentions = tmp_path / "m.PubTator"
    once = "\n".join(f"{id}|t|megrim\n{id}|a|\n{id}\t0\t6\tmegrim\tDisease\tD008881\n" for id in (2, 3))
    thrice = "".join(f"1\t{at}\t{at + 6}\tmegrim\tDisease\tD012907\n" for at in (0, 7, 14))
    mice = "".join(f"{id}|t|p53x\n{id}|a|\n{id}\t0\t4\tp53x\tGene\t22059\n\n" for id in (4, 5))
    mentions.write_text(
        f"1|t|megrim megrim megrim\n1|a|\n{thrice}\n{once}\n{mice}6|t|p53x\n6|a|\n6\t0\t4\tp53x\tGene\t7157\n"
    )
    lexicon = Lexicon([Dictionary(build(folder, [mentions]))])
    assert [e.concept.id for e in lexicon.entries_of("megrim")] == ["MESH:D008881"]
    for name in ("p53x", "guardian 53", "warden", "jailer"):
        assert [e.concept.id for e in lexicon.entries_of(name)] == ["NCBIGene:7157"], name
    assert lexicon.entries_of("rat") == ()
    assert lexicon.entries_of("LFS1")[0].ambiguous  # a family's name is no single gene's


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="gene_info"):
        build(tmp_path)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lexicon_build.main([str(small_files(tmp_path / "in")), "--out", str(tmp_path / "out")])
    assert "concepts" in capsys.readouterr().out
    assert (tmp_path / "out" / "dictionary_names.parquet").exists()


def test_inverted_headings_are_set_straight() -> None:
    assert straight("Leukemia, Myeloid") == "Myeloid Leukemia"
    assert straight("2,4-Dinitrophenol") == "2,4-Dinitrophenol"
    assert straight("Leukemia, Myeloid, Acute") == "Leukemia, Myeloid, Acute"


def test_spaces_do_not_matter_when_nothing_else_is_known() -> None:
    assert "nf kb" in official().joined("nfkb")
    assert key("NF-kB") == "nf kb"
