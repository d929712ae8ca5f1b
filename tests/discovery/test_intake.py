"""One row in, one row out: every format, every way to spoil one, and memory that stays flat."""

from __future__ import annotations

import codecs
import contextlib
import csv
import gzip
import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import AllChem

from discovery.intake import LibraryProposer, Row, read, written_in
from discovery.lines import KEPT, MAX_RECORD
from discovery.molecule import Molecule
from discovery.outcome import Missing, MoleculeError, Reason
from discovery.proposal import Proposer
from discovery.record import IntakeError
from tests.references.drugs import DRUGS

EXPECTED = [Molecule.parse(smiles) for smiles in DRUGS.values()]


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def rows(path: Path, **settings: str | bool) -> list[Row]:
    return list(read(path, **settings))  # type: ignore[arg-type]


def reason(row: Row) -> Reason | None:
    return row.outcome.reason if isinstance(row.outcome, Missing) else None


def detail(row: Row) -> str:
    assert isinstance(row.outcome, Missing)
    return row.outcome.detail


def smi() -> bytes:
    return "".join(f"{smiles} {name}\n" for name, smiles in DRUGS.items()).encode()


def table(delimiter: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter)
    writer.writerow(["Name", "Canonical SMILES", "note"])
    writer.writerows([name, smiles, f'says "{name}", twice'] for name, smiles in DRUGS.items())
    return text.getvalue().encode()


def sdf() -> bytes:
    text = io.StringIO()
    with Chem.SDWriter(text) as writer:
        for name, smiles in DRUGS.items():
            mol = Chem.MolFromSmiles(smiles)
            AllChem.Compute2DCoords(mol)
            mol.SetProp("_Name", name)
            mol.SetProp("note", f"first\nsecond of {name}")
            mol.SetProp("smiles_tag", smiles)
            writer.write(mol)
    return text.getvalue().encode()


def parquet() -> bytes:
    names, smiles = list(DRUGS), list(DRUGS.values())
    sink = io.BytesIO()
    pq.write_table(pa.table({"ID": names, "SMILES": smiles, "mass": [1.5] * len(names)}), sink)
    return sink.getvalue()


FORMATS: dict[str, Callable[[], bytes]] = {
    "library.smi": smi,
    "library.csv": lambda: table(","),
    "european.csv": lambda: table(";"),
    "library.tsv": lambda: table("\t"),
    "library.sdf": sdf,
    "library.parquet": parquet,
}


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzipped"])
@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_molecules(tmp_path: Path, name: str, packed: bool) -> None:
    content = FORMATS[name]()
    path = put(tmp_path, name, gzip.compress(content) if packed else content)  # told by content, not by name
    found = rows(path)
    assert [row.outcome for row in found] == EXPECTED
    assert [row.name for row in found] == list(DRUGS)
    assert [row.outcome.name for row in found if isinstance(row.outcome, Molecule)] == list(DRUGS)
    first = 2 if name.endswith(("csv", "tsv")) else 1
    assert [row.number for row in found] == list(range(first, first + len(DRUGS)))


def test_other_columns_come_along(tmp_path: Path) -> None:
    assert rows(put(tmp_path, "a.csv", table(",")))[0].data == {"note": 'says "aspirin", twice'}
    found = rows(put(tmp_path, "a.sdf", sdf()))[0].data
    assert found == {"note": "first\nsecond of aspirin", "smiles_tag": DRUGS["aspirin"]}
    assert rows(put(tmp_path, "a.parquet", parquet()))[0].data == {"mass": "1.5"}
    assert rows(put(tmp_path, "a.sdf", sdf()), smiles="smiles_tag")[3].text == DRUGS["paracetamol"]


@pytest.mark.parametrize("name", ["library", "library.txt", "library.dat.gz"])
@pytest.mark.parametrize("made", [smi, sdf, parquet, lambda: table("\t"), lambda: table(",")])
def test_a_file_without_a_telling_suffix_is_told_by_its_content(
    tmp_path: Path, name: str, made: Callable[[], bytes]
) -> None:
    assert [row.outcome for row in rows(put(tmp_path, name, made()))] == EXPECTED


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.encode("utf-32"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.encode("latin-1"),
        lambda text: text.rstrip("\n").encode(),
    ],
    ids=[
        "bom",
        "utf-16",
        "utf-16-be",
        "le, no bom",
        "be, no bom",
        "utf-32",
        "crlf",
        "cr",
        "latin-1",
        "no newline",
    ],
)
def test_encodings_and_line_ends(tmp_path: Path, encode: Callable[[str], bytes]) -> None:
    path = put(tmp_path, "a.csv", encode("smiles,name\nCCO,Äthanol\nCCN,Amin\n"))
    found = rows(path)
    assert [(row.number, row.name, row.outcome) for row in found] == [
        (2, "Äthanol", Molecule("CCO")),
        (3, "Amin", Molecule("CCN")),
    ]


SPOILT = {
    "bad SMILES": ("C1CC bad", Reason.UNPARSABLE, "x.smi, line 2: bad is not a SMILES"),
    "empty line": ("", Reason.EMPTY, "x.smi, line 2: the row has no structure"),
    "blanks": ("   \t ", Reason.EMPTY, "line 2"),
    "duplicate": ("OCC again", Reason.DUPLICATE, "line 2: again is the molecule of line 1"),
    "salt twice": ("CC[O-].[Na+]", Reason.DUPLICATE, "is the molecule of line 1"),
    "no carbon": ("[Na+].[Cl-] salt", Reason.UNSUPPORTED, "salt has no carbon"),
    "million": ("C" * 10**6, Reason.TOO_LARGE, "1,000,000 characters"),
    "long": ("C" * 5001, Reason.TOO_LARGE, "5,001 characters"),
    "NUL": ("CC\0O nul", Reason.UNPARSABLE, "NUL byte"),
    "only NUL": ("\0\0\0", Reason.UNPARSABLE, "NUL byte"),
    "not ASCII": ("CCÖ odd", Reason.UNPARSABLE, "'Ö'"),
}


@pytest.mark.parametrize("case", SPOILT)
def test_a_spoilt_line_costs_its_row_alone(tmp_path: Path, case: str) -> None:
    text, expected, message = SPOILT[case]
    found = rows(put(tmp_path, "x.smi", f"CCO first\n{text}\nCCN last\n"))
    assert [row.number for row in found] == [1, 2, 3]
    assert [reason(row) for row in found] == [None, expected, None]
    assert message in detail(found[1])
    assert len(found[1].text) <= KEPT
    assert text.startswith(found[1].text[:100])


def test_a_cut_text_is_marked_and_stays_too_long(tmp_path: Path) -> None:
    for size in (7_000, MAX_RECORD + 1, 10**6):
        (row,) = rows(put(tmp_path, "x.smi", "C" * size))
        assert "[cut: " in row.text
        assert f"{size:,} characters" in row.text
        with pytest.raises(MoleculeError) as caught:
            Molecule.parse(row.text)
        assert caught.value.reason is Reason.TOO_LARGE


def test_blank_lines_at_the_end_are_no_rows(tmp_path: Path) -> None:
    assert [row.number for row in rows(put(tmp_path, "x.smi", "\n\nCCO\n\nCCN\n\n\n \n"))] == [1, 2, 3, 4, 5]
    assert rows(put(tmp_path, "x.smi", "\n\n\n")) == []
    assert rows(put(tmp_path, "empty.smi", "")) == []


def test_duplicates_can_be_kept(tmp_path: Path) -> None:
    path = put(tmp_path, "x.smi", "CCO a\nOCC b\nCCO c\n")
    assert [reason(row) for row in rows(path)] == [None, Reason.DUPLICATE, Reason.DUPLICATE]
    assert "line 3: c is the molecule of line 1" in detail(rows(path)[2])
    assert [reason(row) for row in rows(path, keep_duplicates=True)] == [None, None, None]


def test_thousands_of_molecules_each_find_their_first_row(tmp_path: Path) -> None:
    """The hash table grows on the way: more rows than it starts with slots."""
    chains = ["C" * (1 + n % 40) + "O" + "C" * (1 + n // 40) + "N" for n in range(1600)]
    found = rows(put(tmp_path, "x.smi", "\n".join(chains + chains)))
    distinct = {Molecule.parse(chain).smiles for chain in chains}
    assert sum(reason(row) is None for row in found) == len(distinct)
    assert all(reason(row) is Reason.DUPLICATE for row in found[1600:])
    assert "is the molecule of line 7" in detail(found[1606])


def test_names_and_cxsmiles_in_smi(tmp_path: Path) -> None:
    found = rows(
        put(tmp_path, "x.smi", "smiles name\nCCO |(1,2,;3,4,)| grain alcohol\nCCN\tethyl\tamine\nCCC\n")
    )
    assert [(row.number, row.name) for row in found] == [(2, "grain alcohol"), (3, "ethyl amine"), (4, "")]
    assert found[0].text == "CCO |(1,2,;3,4,)|"
    assert all(reason(row) is None for row in found)


def test_a_table_that_is_called_smi(tmp_path: Path) -> None:
    found = rows(put(tmp_path, "x.smi", "id,smiles,logp\n7,CCO,0.1\n8,CCN,0.2\n"))
    assert [(row.name, row.text, row.data["logp"]) for row in found] == [
        ("7", "CCO", "0.1"),
        ("8", "CCN", "0.2"),
    ]


def test_names_cannot_carry_terminal_escapes(tmp_path: Path) -> None:
    (row,) = rows(put(tmp_path, "x.csv", b"smiles,name\nC1CC,\x1b[31m<script>\x07" + b"x" * 9999))
    assert row.name == "[31m<script> " + "x" * 187
    assert row.name in detail(row)


# --- CSV ---------------------------------------------------------------------------------------


def test_quotes_as_the_csv_module_writes_them(tmp_path: Path) -> None:
    """Reference: Python's csv writer."""
    names = ['comma, "quoted"', "line\nbreak", '"', "", " spaces ", "plain", "crlf\r\nbreak"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([["note", "smiles"], *([name, "C" * (i + 1)] for i, name in enumerate(names))])
    found = rows(put(tmp_path, "x.csv", text.getvalue()))
    assert [row.data["note"] for row in found] == [name.replace("\r\n", "\n") for name in names]
    assert [row.number for row in found] == [2, 3, 5, 6, 7, 8, 9]
    assert all(reason(row) is None for row in found)


@pytest.mark.parametrize(
    "broken",
    ['"CCO,open', '"CCO,op""en', '"CC"O,x', '"', '"CCO"x,"y"'],
)
def test_a_broken_quote_costs_its_line_alone(tmp_path: Path, broken: str) -> None:
    good = "".join(f'"{"C" * (i + 1)}","n{i}"\n' for i in range(150))
    found = rows(put(tmp_path, "x.csv", f"smiles,name\nCCN,first\n{broken}\n{good}"))
    assert len(found) == 152
    assert [row.number for row in found if reason(row)] == [3]
    assert reason(found[1]) is Reason.UNPARSABLE
    assert "quote" in detail(found[1])
    assert found[1].text == broken


def test_a_quote_open_at_the_end_of_the_file(tmp_path: Path) -> None:
    found = rows(put(tmp_path, "x.csv", 'smiles,name\nCCO,a\n"CCN,b\nCCC,c'))
    assert [reason(row) for row in found] == [None, Reason.UNPARSABLE, None]


def test_ragged_rows(tmp_path: Path) -> None:
    found = rows(put(tmp_path, "x.csv", "name,smiles,x\na,CCO,1,2\nb,CCN\nc\nd,CCC,1,,,\n"))
    assert [reason(row) for row in found] == [Reason.UNPARSABLE, None, Reason.EMPTY, None]
    assert "line 2: it has 4 cells where the header has 3" in detail(found[0])
    assert found[0].text == "a,CCO,1,2"
    assert found[1].data == {}


# --- columns and whole files -------------------------------------------------------------------


def test_columns_are_found_whatever_their_case(tmp_path: Path) -> None:
    path = put(tmp_path, "x.csv", "ID,Molecule SMILES,Rdkit_Smiles\nA1,CCO,CCN\n")
    assert rows(path)[0].text == "CCO"
    assert rows(path, smiles="rdkit_smiles", name="id")[0].text == "CCN"
    assert rows(path)[0].name == "A1"


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        ("id,struct\n1,CCO\n", {}, r"x\.csv has no SMILES column; .*id, struct: name the column"),
        ("id,smile\n1,CCO\n", {}, "no SMILES column; is it 'smile'"),
        (
            "id,smiles\n1,CCO\n",
            {"smiles": "Smyles"},
            r"no column 'Smyles' \(smiles\); did you mean 'smiles'\? It has id",
        ),
        ("id,smiles\n1,CCO\n", {"name": "idd"}, r"no column 'idd' \(name\); did you mean 'id'"),
        ("", {}, "no header line"),
    ],
)
def test_a_missing_column_is_explained(
    tmp_path: Path, content: str, settings: dict[str, str], message: str
) -> None:
    with pytest.raises(IntakeError, match=message):
        read(put(tmp_path, "x.csv", content), **settings)  # type: ignore[arg-type]


def test_a_column_of_a_file_without_columns_is_not_passed_over(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match=r"x\.smi has no columns, so none called 'structure'"):
        read(put(tmp_path, "x.smi", "CCO ethanol\n"), smiles="structure")


def test_a_missing_file_is_explained(tmp_path: Path) -> None:
    put(tmp_path, "library.smi", "CCO\n")
    with pytest.raises(IntakeError, match=r"libary\.smi does not exist; did you mean .*library\.smi"):
        read(tmp_path / "libary.smi")
    (tmp_path / "receptor.pdb").write_text("END\n")
    with pytest.raises(IntakeError, match="a protein's structure, not a library"):
        list(read(tmp_path / "receptor.pdb"))
    with pytest.raises(IntakeError, match="is a folder"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (b"PK\x03\x04..", "zip archive"),
        (b"BZh91AY", "bzip2"),
        (b"\xfd7zXZ\0", "xz"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
    ],
)
def test_other_packers_are_named(tmp_path: Path, head: bytes, message: str) -> None:
    with pytest.raises(IntakeError, match=message):
        read(put(tmp_path, "x.csv", head))


@pytest.mark.parametrize(
    "above", ["Project X\n", "Project X;;\n\n;printed 2026-11-30;\n", "sep=;\nSMILES and Ki\n", ""]
)
def test_a_table_is_read_below_its_title(tmp_path: Path, above: str) -> None:
    """As a workbook's sheet; the rows keep the numbers of their lines."""
    path = put(
        tmp_path, "assay.csv", f"{above}Cpd No;Structure (SMILES);Ki [nM]\nx-1;OCC;12\nx-2;CCN;0,5\n".encode()
    )
    first = above.count("\n") + 2
    assert [(row.number, row.name, row.data["Ki [nM]"]) for row in read(path)] == [
        (first, "x-1", "12"), (first + 1, "x-2", "0,5"),
    ]  # fmt: skip
    assert len(list(read(path, smiles="Structure (SMILES)", name="Ki [nM]"))) == 2


def test_a_workbook_is_read_below_its_title(tmp_path: Path) -> None:
    """Reference: openpyxl, which writes it; a first sheet without structures is passed over."""
    openpyxl = pytest.importorskip("openpyxl", reason="openpyxl, of the lab extra, is absent")
    book = openpyxl.Workbook()
    book.active.append(["notes"])
    sheet = book.create_sheet("assay")
    for line in (
        ["Project X"], [], ["Cpd No", "Structure (SMILES)", "Ki [nM]", "ok"], ["x-1", "OCC", 12.0, True],
        [], ["x-2", "no structure", ">10000", None], ["x-3", "CCN", 0.5, None], [],
    ):  # fmt: skip
        sheet.append(line)
    book.save(tmp_path / "assay.xlsx")
    rows = list(read(tmp_path / "assay.xlsx"))
    assert [(row.number, row.name) for row in rows] == [(4, "x-1"), (5, ""), (6, "x-2"), (7, "x-3")]
    assert [row.data.get("Ki [nM]") for row in rows] == ["12", None, ">10000", "0.5"]
    assert [isinstance(row.outcome, Molecule) for row in rows] == [True, False, False, True]
    book.save(tmp_path / "assay.zip")
    with pytest.raises(IntakeError, match=r"called \.xlsx"):
        read(tmp_path / "assay.zip")
    (tmp_path / "torn.xlsx").write_bytes((tmp_path / "assay.xlsx").read_bytes()[:900])
    with pytest.raises(IntakeError, match="no Excel workbook that can be read"):
        read(tmp_path / "torn.xlsx")
    del book["assay"]
    book.save(tmp_path / "empty.xlsx")
    with pytest.raises(IntakeError, match="has no SMILES column"):
        read(tmp_path / "empty.xlsx")


def test_noise_called_parquet(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="does not begin with PAR1"):
        read(put(tmp_path, "x.parquet", "smiles\nCCO\n"))
    with pytest.raises(IntakeError, match="no Parquet file that can be read"):
        read(put(tmp_path, "x.parquet", parquet()[:500]))


def test_parquet_with_null_cells(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"smiles": ["CCO", None, "CCN"], "n": [1, None, 3]}), path, row_group_size=1)
    found = rows(path)
    assert [reason(row) for row in found] == [None, Reason.EMPTY, None]
    assert "x.parquet, row 2" in detail(found[1])
    assert [row.data["n"] for row in found] == ["1", "", "3"]


# --- gzip --------------------------------------------------------------------------------------


def test_a_truncated_gzip_ends_in_one_counted_row(tmp_path: Path) -> None:
    text = "".join(f"{'C' * (1 + n % 50)}N{'C' * (1 + n // 50)} n{n}\n" for n in range(2000))
    packed = gzip.compress(text.encode(), compresslevel=1)
    found = rows(put(tmp_path, "x.smi.gz", packed[: len(packed) // 2]), keep_duplicates=True)
    assert 100 < len(found) < 2000
    assert all(reason(row) is None for row in found[:-1])
    assert reason(found[-1]) is Reason.UNPARSABLE
    message = f"line {len(found)}: it is cut off: the gzip stream ends early; {len(found) - 1:,} lines before"
    assert message in detail(found[-1])


def test_a_damaged_gzip_ends_in_one_counted_row(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(smi() * 200, compresslevel=1))
    packed[-5] ^= 0xFF  # the length at the end
    found = rows(put(tmp_path, "x.smi", bytes(packed)), keep_duplicates=True)
    assert len(found) == 200 * len(DRUGS) + 1
    assert "damaged" in detail(found[-1])


def test_two_gzip_members_are_one_file(tmp_path: Path) -> None:
    found = rows(put(tmp_path, "x.smi.gz", gzip.compress(b"CCO a\nCC") + gzip.compress(b"N b\n")))
    assert [row.text for row in found] == ["CCO", "CCN"]


def test_a_gzip_bomb_costs_no_memory(tmp_path: Path) -> None:
    """100 MB in one line, packed into 100 kB; then a good row."""
    path = tmp_path / "bomb.smi.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(100):
            file.write(b"C" * 10**6)
        file.write(b"\nCCO good\n")
    tracemalloc.start()
    found = rows(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [reason(row) for row in found] == [Reason.TOO_LARGE, None]
    assert peak < 8e6


# --- SDF ---------------------------------------------------------------------------------------


def record(smiles: str, title: str = "") -> str:
    mol = Chem.MolFromSmiles(smiles)
    mol.SetProp("_Name", title)
    return str(Chem.MolToMolBlock(mol))


def test_sdf_without_a_last_separator(tmp_path: Path) -> None:
    path = put(tmp_path, "x.sdf", f"{record('CCO', 'a')}$$$$\n{record('CCN', 'b')}")
    assert [row.outcome for row in rows(path)] == [Molecule("CCO"), Molecule("CCN")]


@pytest.mark.parametrize(
    ("middle", "expected", "message"),
    [
        (
            record("CCC").replace("  3  2", "999999"),
            Reason.UNPARSABLE,
            "record 2: the molecule is no mol block",
        ),
        (record("CCC").replace("  3  2", " -3 -2"), Reason.UNPARSABLE, "no mol block"),
        (record("CCC").replace("M  END", ""), Reason.UNPARSABLE, "no line M  END"),
        (record("CCC").replace(" C ", " Xx"), Reason.UNSUPPORTED, "placeholder"),
        (
            record("CC(C)(C)C").replace("  1  2  1  0", "  1  2  3  0"),
            Reason.UNPARSABLE,
            "atom 1, carbon, more bonds|atom 2, carbon, more bonds",
        ),
        ("", Reason.EMPTY, "empty record"),
        ("\n\n\n", Reason.EMPTY, "empty record"),
        ("garbage\nmore garbage\n", Reason.UNPARSABLE, "M  END"),
        (record("CCC") + "> <big>\n" + "x" * 400_000 + "\n\n", Reason.TOO_LARGE, "characters long"),
        (record("CCC") + "> <big>\n" + "x\n" * 200_000 + "\n", Reason.TOO_LARGE, "characters long"),
        (record("CCO"), Reason.DUPLICATE, "molecule of record 1"),
    ],
)
def test_a_spoilt_record_costs_its_row_alone(
    tmp_path: Path, middle: str, expected: Reason, message: str
) -> None:
    found = rows(put(tmp_path, "x.sdf", f"{record('CCO')}$$$$\n{middle}$$$$\n{record('CCN')}$$$$\n"))
    assert [reason(row) for row in found] == [None, expected, None]
    assert any(part in detail(found[1]) for part in message.split("|"))


def test_stereo_and_hydrogens_survive_the_mol_block(tmp_path: Path) -> None:
    """Reference: RDKit's conformers and wedges, written with all hydrogens in 3-D."""
    texts = [DRUGS["penicillin G"], DRUGS["testosterone"], "F/C=C/CN", "F/C=C\\CN"]
    blocks = []
    for smiles in texts:
        mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
        AllChem.EmbedMolecule(mol, randomSeed=7)
        blocks.append(Chem.MolToMolBlock(mol) + "$$$$\n")
    found = rows(put(tmp_path, "x.sdf", "".join(blocks)))
    assert [row.outcome for row in found] == [Molecule.parse(smiles) for smiles in texts]


# --- laws --------------------------------------------------------------------------------------


@given(st.binary(max_size=400), st.sampled_from(["x.smi", "x.csv", "x.tsv", "x.sdf", "x"]))
@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_bytes_give_rows_or_one_clear_error(tmp_path: Path, content: bytes, name: str) -> None:
    try:
        found = rows(put(tmp_path, name, content))
    except IntakeError:
        return
    assert all(isinstance(row.outcome, Molecule) or row.outcome.detail for row in found)


@given(st.data(), st.sampled_from(["library.csv", "library.sdf", "library.parquet"]))
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_flipped_bytes_never_end_the_reader(tmp_path: Path, data: st.DataObject, name: str) -> None:
    content = bytearray(FORMATS[name]())
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(IntakeError):
        rows(put(tmp_path, name, bytes(content)))


cells = st.text(st.characters(codec="utf-8", exclude_characters="\r\0\ufeff"), max_size=12)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=6))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_the_csv_module_wrote_is_what_is_read(tmp_path: Path, written: list[tuple[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([("smiles", "a", "b"), *(("CCO", a, b) for a, b in written)])
    found = rows(put(tmp_path, "x.csv", text.getvalue()), keep_duplicates=True)
    assert [(row.data["a"], row.data["b"]) for row in found] == written


@pytest.mark.parametrize("kind", ["smi", "csv", "sdf"])
def test_memory_is_flat_in_the_number_of_rows(tmp_path: Path, kind: str) -> None:
    def peak(copies: int) -> int:
        content = {"smi": smi, "csv": lambda: table(","), "sdf": sdf}[kind]()
        header, body = content.split(b"\n", 1) if kind == "csv" else (b"", content)
        path = put(tmp_path, f"x{copies}.{kind}", (header + b"\n" if header else b"") + body * copies)
        tracemalloc.start()
        count = sum(1 for _ in read(path, keep_duplicates=True))
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == copies * len(DRUGS)
        return found

    peak(2)  # fills the caches
    small, large = peak(5), peak(50)
    assert large < 1.25 * small + 400_000


# --- the proposer ------------------------------------------------------------------------------


def test_a_library_is_proposed_round_by_round(tmp_path: Path) -> None:
    proposer = LibraryProposer(put(tmp_path, "x.smi", smi()))
    assert isinstance(proposer, Proposer)
    rounds = [proposer.propose(7, round=r, seed=r, lessons=()) for r in range(4)]
    assert [len(proposals) for proposals in rounds] == [7, 7, 6, 0]
    flat = [proposal for proposals in rounds for proposal in proposals]
    assert [Molecule.parse(proposal.smiles) for proposal in flat] == EXPECTED
    assert (flat[0].name, flat[0].edit) == ("aspirin", "aspirin, line 1 of x.smi")
    assert {proposal.proposer for proposal in flat} == {"library"}
    assert proposer.propose(7, round=1, seed=99, lessons=()) == rounds[1]


def test_what_cannot_be_read_is_proposed_all_the_same(tmp_path: Path) -> None:
    path = put(tmp_path, "x.csv", 'smiles,name\nC1CC,bad\n\nCCO,a,b,c\n"CCO,x\nCCN,good\n' + "C" * 10**6)
    with gzip.open(tmp_path / "y.csv.gz", "wb", compresslevel=0) as file:
        file.write(path.read_bytes())
    torn = put(tmp_path, "z.csv.gz", (tmp_path / "y.csv.gz").read_bytes()[:80])
    for source in (path, torn):
        found = rows(source)
        proposals = LibraryProposer(source).propose(99, round=0, seed=0, lessons=())
        assert len(proposals) == len(found)
        for proposal, row in zip(proposals, found, strict=True):
            if isinstance(row.outcome, Missing):
                with pytest.raises(MoleculeError) as caught:
                    Molecule.parse(proposal.smiles)
                assert caught.value.reason is row.outcome.reason
            else:
                assert Molecule.parse(proposal.smiles) == row.outcome


@pytest.mark.parametrize("name", ["a.csv", "a.smi"])
def test_of_a_smiles_too_long_to_keep_its_own_length_is_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(f"smiles\n{'C' * 10_000}\nCCO\n")
    first, second = read(path)
    assert isinstance(first.outcome, Missing)
    assert "is 10,000 characters long" in first.outcome.detail
    assert isinstance(second.outcome, Molecule)


def test_what_is_written_is_the_same_in_files_of_any_kind(tmp_path: Path) -> None:
    """Neither standardised nor left out: a salt stays one, a doubled row is twice there."""
    smiles = ["CCO", "C[NH3+].[Cl-]", "c1ccccc1O", "CCO"]
    (tmp_path / "a.smi").write_text("".join(f"{one} x{n}\n" for n, one in enumerate(smiles)))
    (tmp_path / "a.csv").write_text(
        "name,SMILES\n" + "".join(f"x{n},{one}\n" for n, one in enumerate(smiles))
    )
    blocks = [Chem.MolToMolBlock(Chem.MolFromSmiles(one)) for one in smiles]
    (tmp_path / "a.sdf").write_text("".join(f"{block}$$$$\n" for block in blocks))
    found = {kind: list(written_in(tmp_path / f"a.{kind}")) for kind in ("smi", "csv", "sdf")}
    assert found["smi"] == found["csv"] == smiles
    assert found["sdf"] == [Chem.CanonSmiles(one) for one in smiles]
