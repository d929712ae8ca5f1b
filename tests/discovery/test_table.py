"""One table for chemists: narrowed down, looked at without scripts, taken away."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pyarrow
import pytest
from rdkit import Chem

from discovery.desirability import Desirability
from discovery.gathering import run_of_file
from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.properties.physchem import Qed
from discovery.proposal import Proposal
from discovery.ranking import Criterion
from discovery.score import Column, Score, refined
from discovery.target import Statement
from discovery.views.listing import quotes
from discovery.views.table import Table
from tests.discovery.fake_run import HOSTILE, fake_run

html5lib = pytest.importorskip("html5lib", reason="html5lib, of the dev extra, is absent")
# what JupyterLab 4.6 keeps of HTML in a notebook it does not trust (its sanitizer's allowedTags), as far as used here
KEPT = {"div", "table", "caption", "thead", "tbody", "tr", "th", "td", "img", "b", "i", "small", "br", "del", "code", "p", "head", "body", "html"}  # fmt: skip


def parsed(text: str) -> ElementTree.Element:
    return html5lib.HTMLParser(strict=False, namespaceHTMLElements=False).parse(text)


@pytest.mark.parametrize("view", ["show", "pictures", "refused", "evidence", "funnel", "trade_off"])
def test_every_view_shows_in_a_notebook_nobody_trusts(view: str) -> None:
    """Only tags that survive JupyterLab's sanitiser, and pictures that travel inside."""
    text = getattr(Table(fake_run()), view)().text
    page = parsed(text)
    assert {element.tag for element in page.iter()} <= KEPT
    assert not [e for e in page.iter() if any(key.startswith("on") or key == "srcset" for key in e.attrib)]
    for image in page.iter("img"):
        source = image.get("src", "")
        assert source.startswith("data:image/svg+xml;base64,")
        svg = ElementTree.fromstring(base64.b64decode(source.partition(",")[2]))
        assert float(svg.get("width", "0")) > 50
        assert len(list(svg.iter())) > 3  # no blank picture
        assert image.get("alt")
    assert "\x1b" not in text
    assert HOSTILE not in text


@pytest.mark.parametrize("view", ["show", "pictures", "refused", "origins", "interactions", "funnel"])
def test_words_on_white_paper_are_dark_on_a_dark_page_too(view: str) -> None:
    """A notebook's dark theme makes words light: where we paint a cell white, we must say their colour."""
    for element in parsed(getattr(Table(fake_run()), view)().text).iter():
        style = element.get("style", "")
        if "background:#fff" in style and "".join(element.itertext()).strip():
            assert ";color:#" in style, style


def test_a_denied_claim_is_not_shown_as_a_claim() -> None:
    denied = Statement("8-OH-DPAT", "binds", "HTR1B", -1, 0.9, "8-OH-DPAT is not a 5-HT1B ligand", "PMID:1")
    affirmed = replace(denied, sign=1, quote="8-OH-DPAT binds 5-HT1B")
    rows = [
        [cell.text for cell in row.iter("td")] for row in parsed(quotes([denied, affirmed]).text).iter("tr")
    ]
    assert [row[1] for row in rows if row] == ["against", "for"]


def test_show_says_value_error_alert_and_reason() -> None:
    run = fake_run()
    text = re.sub(r"<[^>]+>", " ", Table(run).show(len(run.rows)).text)
    for row in run.rows:
        assert row.id in text
    assert "± 0.40" in text
    assert "not reached" in text
    assert "hydroquinone" in text


def test_columns_that_decide_stand_before_those_every_molecule_has() -> None:
    """A screen that is too narrow cuts off the right: docking and dynamics must not be there."""
    heads = re.findall(r"<th[^>]*>(.*?)</th>", Table(fake_run()).show(3).text)
    places = [next(i for i, head in enumerate(heads) if word in head) for word in ("Docking", "logP")]
    assert places == sorted(places)


def test_any_scores_can_be_ranked() -> None:
    """Law: the order of utilities; a gap in what counts is unranked, a gap in what does not count costs nothing."""
    names = {"ethanol": "CCO", "phenol": "c1ccccc1O", "aspirin": "CC(=O)Oc1ccccc1C(=O)O"}
    molecules = [*(Molecule.parse(smiles, name) for name, smiles in names.items()),
                 Missing("intake", Reason.UNPARSABLE, "row 4 is no SMILES")]  # fmt: skip
    a, b = Column("a", unit="1", better="low"), Column("b", unit="1", better="high")
    gap = Missing("x", Reason.CRASHED, "phenol crashed")
    table = Table.of(
        molecules,
        {a: [Score(3.0), Score(1.0), Score(2.0), molecules[3]], b: [Score(1.0), gap, gap, molecules[3]]},
    )
    wish = Desirability("lower", low=0.0, high=4.0)
    ranked = table.ranked_by([Criterion("a", wish)])
    assert [(row.id, row.rank) for row in ranked.run.rows] == [
        ("phenol", 1), ("aspirin", 2), ("ethanol", 3), ("row 4", None),
    ]  # fmt: skip
    assert [row.utility for row in ranked.run.rows[:3]] == [wish(1.0), wish(2.0), wish(3.0)]
    both = table.ranked_by([Criterion("a", wish), Criterion("b", Desirability("higher", low=0, high=1))])
    assert [row.id for row in both.run.ranked] == ["ethanol"]
    assert {row.missing for row in both.run.unranked} == {gap, molecules[3]}
    with pytest.raises(KeyError, match="nothing"):
        table.ranked_by([Criterion("nothing", wish)])


class Doubled:
    """A refiner: twice what was found before."""

    column = Column("doubled", unit="1", better="low")
    after = "first"

    def refine(self, molecules: Sequence[Molecule], found: Sequence[Score], /) -> list[Score | Missing]:
        assert len(molecules) == len(found)
        return [Score(2 * score.value) for score in found]


def test_the_report_of_a_table_made_by_hand_says_what_made_it(tmp_path: Path) -> None:
    molecules = [Molecule.parse("CCO", "ethanol"), Molecule.parse("c1ccccc1O", "phenol")]
    table = Table.of(molecules, {Qed().column: Qed()(molecules)})
    plain = table.report(tmp_path / "plain.html").read_text()
    assert "Nobody ranked these molecules" in plain
    assert "rdkit" in plain
    wish = Criterion("qed", Desirability("higher", low=0, high=1))
    ranked = table.ranked_by([wish]).report(tmp_path / "ranked.html").read_text()
    assert "Nobody ranked" not in ranked


def test_a_refiner_is_asked_only_about_what_was_found() -> None:
    one, two = Molecule.parse("CCO", "one"), Molecule.parse("CCN", "two")
    torn, lost = Missing("intake", Reason.UNPARSABLE, "row 3"), Missing("docking", Reason.CRASHED, "two")
    assert refined(Doubled(), [one, two, torn], [Score(1.5), lost, torn]) == [Score(3.0), lost, torn]
    with pytest.raises(ValueError, match="2 molecules but 1 earlier"):
        refined(Doubled(), [one, two], [Score(1.0)])


def test_a_filter_holds_when_a_campaign_is_ranked_anew() -> None:
    run = fake_run()
    again = Table(run).ranked_by([Criterion("docking", Desirability("lower", low=-12, high=0))])
    aside = {row.id for row in run.rows if row.missing and row.missing.reason is Reason.FILTERED}
    assert aside
    assert not aside.intersection(row.id for row in again.run.ranked)


def test_molecules_of_one_name_keep_a_row_each() -> None:
    twice = [Molecule.parse("CCO", "sample"), Molecule.parse("CCN", "sample")]
    table = Table.of(twice, {Qed().column: Qed()(twice)})
    assert [row.id for row in table.run.rows] == ["sample", "sample (row 2)"]
    assert len(table.values("qed")) == 2


def test_narrowing_keeps_order_and_loses_only_what_was_asked() -> None:
    table = Table(fake_run())
    assert len(table.ranked()) + len(table.unranked()) == len(table) == 220
    best = table.ranked().sorted_by("docking")
    values = [row.outcomes["docking"].value for row in best.run.rows]
    assert values == sorted(values)
    drawn = table.sorted_by("qed").run.rows
    assert [row.outcomes["qed"].value for row in drawn[:3]] == sorted(
        table.values("qed").values(), reverse=True
    )[:3]
    assert all(isinstance(row.outcomes["qed"], Missing) for row in drawn[len(table.values("qed")) :])
    assert len(table.where(lambda row: row.proposer == "brics").head(5)) == 5
    assert [row.id for row in table.having("docking").run.rows] == list(table.values("docking"))
    with pytest.raises(KeyError, match="there is no column 'doking'"):
        table.values("doking")


def test_reasons_add_up() -> None:
    table = Table(fake_run())
    assert sum(table.reasons().values()) == len(table.unranked())
    assert list(table.reasons().values()) == sorted(table.reasons().values(), reverse=True)


def test_any_molecules_with_any_scores() -> None:
    column = Column("mass", "Da", "low")
    broken = Missing("intake", Reason.UNPARSABLE, "row 2 is no SMILES")
    table = Table.of(
        [Molecule("CCO", "ethanol"), broken, Molecule("c1ccccc1")],
        {column: [Score(46.07), broken, Score(78.11, 0.01)]},
    )
    assert [row.id for row in table.run.rows] == ["ethanol", "row 2", "row 3"]
    assert table.values("mass") == {"ethanol": 46.07, "row 3": 78.11}
    assert table.run.rows[1].missing is broken
    assert "78.11 ± 0.01" in table.show().text
    with pytest.raises(ValueError, match="mass has 1 outcomes for 2 molecules"):
        Table.of([Molecule("C"), Molecule("CC")], {column: [Score(1.0)]})


def test_takes_away(tmp_path: Path) -> None:
    table = Table(fake_run()).head(6)
    assert table.to_csv(tmp_path / "a.csv").stat().st_size > 500
    assert table.to_sdf(str(tmp_path / "a.sdf")).read_text().count("$$$$") == 6
    pytest.importorskip("pandas")
    frame = table.frame()
    assert list(frame["id"]) == [row.id for row in table.run.rows]


def test_a_row_is_found_by_its_place_or_its_name_and_rows_by_a_slice() -> None:
    table = Table(fake_run())
    assert table[1] is table[table[1].id] is table[:2][-1]
    assert isinstance(table[:2], Table)
    with pytest.raises(KeyError, match="there is no row 'qed'"):
        table["qed"]


def test_goes_on_as_arrow_pandas_polars_and_rdkit() -> None:
    table = Table(fake_run())
    read_back = pyarrow.table(table)
    assert read_back.column("id").to_pylist() == [row.id for row in table.run.rows]
    assert read_back.column("rank").to_pylist() == [row.rank for row in table.run.rows]
    assert read_back.column("docking [kcal/mol]").to_pylist() == [
        score.value if isinstance(score := row.outcomes.get("docking"), Score) else None
        for row in table.run.rows
    ]
    pandas = pytest.importorskip("pandas")
    pandas.testing.assert_frame_equal(table.frame(), read_back.to_pandas())
    assert table.frame()["as_proposed"][3] == table.run.rows[3].text  # no apostrophe: no spreadsheet opens it
    assert pyarrow.table(table.where(lambda row: False)).schema == read_back.schema


def test_molecules_lie_as_docked_and_carry_their_cells() -> None:
    table = Table(fake_run())
    for row, mol in zip(table.run.rows, table.mols(), strict=True):
        assert mol.GetProp("_Name") == row.id
        assert mol.HasProp("rank") == (row.rank is not None)
        docked = mol.GetProp("coordinates") == "docked pose"
        if docked:
            assert mol.GetConformer().Is3D()
        if mol.GetNumAtoms():
            assert Chem.MolToSmiles(Chem.RemoveHs(mol), isomericSmiles=False) == Chem.MolToSmiles(
                Chem.MolFromSmiles(row.smiles), isomericSmiles=False
            )
        assert mol.GetNumAtoms() > 0 or not row.smiles
    assert any(mol.GetProp("coordinates") == "docked pose" for mol in table.mols())


def test_proposals_keep_where_they_came_from() -> None:
    proposals = [
        Proposal("c1ccccc1O", "graph", 1, ("c1ccccc1",), "added an oxygen"),
        Proposal("c1ccccc1(", "graph", 1),
    ]
    table = Table.proposed(proposals, [Qed()])
    assert [row.id for row in table.run.rows] == ["graph-1", "graph-2"]
    assert table[0].parents == ("c1ccccc1",)
    assert table[0].edit == "added an oxygen"
    assert table[1].missing is not None
    assert table[1].missing.reason is Reason.UNPARSABLE
    assert table[1].text == "c1ccccc1("
    assert set(table.values("qed")) == {"graph-1"}


def test_an_empty_table_shows() -> None:
    empty = Table.of([], {})
    assert "0 of 0 molecules" in empty.show().text
    assert "No molecules" in empty.pictures().text
    assert repr(empty).startswith("Table of 0 molecules")


def test_what_nobody_ranks_is_not_refused() -> None:
    column = Column("x", unit="1", better="low")
    gone = Missing("docking", Reason.NO_PLAUSIBLE_POSE, "ethane has none")
    shown = Table.of([Molecule("C"), Molecule("CC")], {column: [Score(1.0), gone]}).refused()._repr_html_()
    assert "1 refused" in shown
    assert "ethane has none" in shown
    assert "Not ranked yet" not in shown


def test_rows_without_a_molecule_keep_their_names_and_texts() -> None:
    molecules = [
        Molecule.parse("CCO", "ethanol"),
        Missing("intake", Reason.UNPARSABLE, "CPD-7 cannot be read"),
    ]
    table = Table.of(molecules, {}, names=["CPD-6", "CPD-7"], texts=["OCC", "c1cc"])
    assert [(row.id, row.text, row.smiles) for row in table.run.rows] == [
        ("CPD-6", "OCC", "CCO"),
        ("CPD-7", "c1cc", ""),
    ]
    shown = table.show().text
    assert "CPD-7" in shown
    assert "<code>c1cc</code>" in shown
    with pytest.raises(ValueError, match="1 names are given for 2"):
        Table.of(molecules, {}, names=["one"])


def test_a_catalogue_is_read_as_it_is(tmp_path: Path) -> None:
    """Salts, a duplicate, a note where a structure is meant, bounds and words where numbers are meant."""
    path = tmp_path / "catalogue.csv"
    path.write_text(
        "Catalog No.,SMILES,IC50 (nM),Purity [%],Supplier\n"
        "A-1,OCCc1ccccc1.Cl,12,95,one\n"
        "A-2,c1ccccc1CCO,40,98,two\n"
        "A-3,see note,7,97,one\n"
        "A-4,CCCCN,>10000,>95,one\n"
        "A-5,CCCCO,ND,99,one\n"
    )
    table = Table.read(path)
    assert [row.id for row in table.run.rows] == ["A-1", "A-2", "A-3", "A-4", "A-5"]
    assert [(column.label, column.better) for column in table.run.columns] == [
        ("IC50 / nM", "low"),
        ("Purity / %", "high"),
    ]
    assert table.values("ic50") == {"A-1": 12.0, "A-2": 40.0, "A-3": 7.0}
    assert table[0].smiles == "OCCc1ccccc1"
    why = {row.id: row.missing.reason for row in table.run.rows if row.missing}
    assert why == {
        "A-2": Reason.DUPLICATE, "A-3": Reason.UNPARSABLE, "A-4": Reason.BOUND, "A-5": Reason.NO_NUMBER,
    }  # fmt: skip
    shown = table.show().text
    assert "<i>&gt;10000</i>" in shown
    assert "A-5 (catalogue.csv, line 6): &#x27;ND&#x27; is no number" in shown


@pytest.mark.parametrize(
    ("written", "beside", "read"),
    [
        (["0,7", "1.234,5", "2,125", "1.000"], "", [0.7, 1234.5, 2.125, 1000.0]),  # a German spreadsheet
        (["7,123", "6,455", "1,0E-7"], "", [7.123, 6.455, 1e-7]),
        (["0.7", "1,234", "1,234.5"], "", [0.7, 1234.0, 1234.5]),  # an English one
        (["7,123", "6,455"], "2,5", [7.123, 6.455]),  # the column beside it settles what this one leaves open
        (["7,123", "6,455", "5"], "1,234", [5.0]),  # nothing does: refused
        (["7,1", "6.4", "5", "4"], "2,5", [6.4, 5.0, 4.0]),  # both marks: refused
        (["7,1 ± 0,2", ">10", "± 3", "~"], "", [7.1]),
    ],
)
def test_decimal_commas(tmp_path: Path, written: list[str], beside: str, read: list[float]) -> None:
    path = tmp_path / "export.csv"
    rows = "".join(f"{'C' * place};{text};{beside}\n" for place, text in enumerate(written, 1))
    path.write_text(f"Structure (SMILES);pKi;LogD\n{rows}")
    found = [
        outcome for row in run_of_file(path).rows if isinstance(outcome := row.outcomes.get("pki"), Score)
    ]
    assert [one.value for one in found] == read


def test_origins_of_some_rows_name_parents_that_are_not_among_them() -> None:
    run = fake_run(20)
    parent = next(row for row in run.rows if row.smiles)
    child = replace(run.rows[-1], smiles="CCO", parents=(parent.smiles,), edit="an atom added")
    shown = Table(replace(run, rows=(*run.rows[:-1], child))).origins(3, lambda row: row.id == child.id).text
    assert shown.count("<tr") == 2  # the head, and the one row
    assert parent.id in shown


def test_a_molecule_that_came_with_a_name_is_shown_and_found_by_it() -> None:
    run = fake_run(20)
    first, second, *others = run.rows
    table = Table(replace(run, rows=(replace(first, name="AZ-7<b>"), replace(second, name="twin"), *others)))
    assert table["AZ-7<b>"] == table[first.id] == table[0]
    said = table.show(2, ["docking"]).text
    assert "1. AZ-7&lt;b&gt;</b> <small>" in said
    assert first.id in said
    assert "logP" not in said
    again = Table(replace(table.run, rows=(*table.run.rows, replace(second, id="r9-0000", name="twin"))))
    with pytest.raises(KeyError, match=rf"2 rows are called 'twin': {second.id}, r9-0000"):
        again["twin"]
