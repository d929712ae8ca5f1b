"""One page about one row: everything is there, or says why it is not, and texts stay texts."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.properties.physchem import Descriptor, Qed
from discovery.properties.synthesis import SyntheticAccessibility
from discovery.score import Score
from discovery.series.attribution import attribute
from discovery.series.measured import Entry, of
from discovery.series.why import BAD, GOOD, marks_for
from discovery.views.table import Table
from tests.discovery.fake_run import HOSTILE, fake_run

RUN = fake_run(120, posed=8)
TABLE = Table(RUN)
LOGP = Descriptor("logp").column


def test_every_part_is_shown_with_pictures() -> None:
    found = TABLE.why(0, [Descriptor("logp"), Qed()])
    page = found._repr_html_()
    for column in RUN.columns:
        assert (column.title or column.name)[:4] in page
    for svg in re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page):
        assert len(list(ElementTree.fromstring(base64.b64decode(svg)).iter())) > 2
    assert page.count("<img") >= 2 + 2 + 3  # two attributions, two parents, three drugs
    assert "http" not in page
    assert "SA score" in found.route
    assert "seen in the medicinal literature" in found.rings
    assert "similarity" in found.domain or "nearest" in found.domain


def test_measured_neighbours_come_with_their_numbers() -> None:
    row = RUN.rows[0]
    entries = [
        Entry(name, smiles, Molecule.parse(smiles, name), Score(value))
        for name, smiles, value in (("same", row.smiles, 7.25), ("other", "c1ccccc1C(=O)O", 5.0))
    ]
    found = TABLE.why(0, known=of(entries, LOGP))
    assert [(one.name, one.value) for one in found.neighbours] == [("other", 5.0)]  # itself is no neighbour
    assert "measured 5.00" in found._repr_html_()


def test_a_row_stands_beside_the_one_it_is_behind() -> None:
    table = TABLE.ranked()
    page = table.why(3, [Qed()], than=0)._repr_html_()
    for place in (0, 3):
        row = table[place]
        assert f"{row.rank}. {row.title}</th>" in page
        assert all(f'alt="{wish:.2f} of 1"' in page for wish in (row.utility, *row.desirability.values()))
    assert page.count(" of which the bare core") == 2 * 2  # each picture's words and its caption


def test_blue_helps_and_orange_hurts_whichever_way_is_better() -> None:
    molecule = Molecule.parse("CCCCCCc1ccc(S(N)(=O)=O)cc1")
    logp = attribute(Descriptor("logp"), molecule)
    assert not isinstance(logp, Missing)
    high = marks_for(replace(logp, column=replace(logp.column, better="high")))
    low = marks_for(replace(logp, column=replace(logp.column, better="low")))
    assert [mark.label for mark in high] == [mark.label for mark in low]
    strongest = max(range(len(high)), key=lambda n: abs(float(high[n].label)))
    assert {high[strongest].colour, low[strongest].colour} == {GOOD, BAD}


def test_ease_follows_the_published_scale() -> None:
    """Reference: Ertl and Schuffenhauer (2009): 1 easy, 10 hard; aspirin is easy, a strained cage is not."""
    easy = Table.of([Molecule.parse("CC(=O)Oc1ccccc1C(=O)O", "aspirin")], {}).why(0)
    cage = Table.of([Molecule.parse("C12C3C4C1C5C2C3C45", "cubane")], {}).why(0)
    assert easy.route.startswith("easy")
    assert 'alt="aspirin"' in easy._repr_html_()  # drawn, though no scorer shares it out
    assert not cage.route.startswith("easy")
    triptan = Table.of([Molecule.parse("CN(C)CCc1c[nH]c2ccc(Cn3cncn3)cc12", "rizatriptan")], {}).why(0)
    assert "close to a known drug (similarity 1.00)" in triptan.domain
    assert "unlike every molecule" in cage.domain


def test_a_row_without_a_structure_says_so_and_hostile_names_stay_text() -> None:
    place = next(n for n, row in enumerate(RUN.rows) if not row.smiles)
    with pytest.raises(ValueError, match="has no structure"):
        TABLE.why(place)
    with pytest.raises(ValueError, match="nothing is like it"):
        TABLE.more_like(place)
    hostile = replace(RUN.rows[0], id=HOSTILE, edit=HOSTILE)
    assert HOSTILE not in Table(replace(RUN, rows=(hostile,))).why(0)._repr_html_()


def test_a_scorer_that_refuses_is_quoted() -> None:
    class Refuses:
        column = SyntheticAccessibility().column

        def __call__(self, molecules: list[Molecule], /) -> list[Missing]:
            return [Missing("test", Reason.UNSUPPORTED, f"{m.shown} is not for me") for m in molecules]

    assert "is not for me" in TABLE.why(0, [Refuses()])._repr_html_()  # type: ignore[list-item]
