"""Series of likeness among the ranked, and what a molecule was made from, in words."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rdkit import DataStructs

from discovery.diversity import fingerprints, leaders
from discovery.molecule import Molecule
from discovery.report import PAPER_ROWS
from discovery.views.cards import Album
from discovery.views.kinship import RADIUS, series_of
from discovery.views.lineage import in_words, names_of, origins_html
from discovery.views.pose_viewer import asset
from tests.discovery.fake_run import fake_run

PARENT = "CC1CCN(Cc2ccc(-c3ccc(N4CCOCC4)cc3)cc2)CC1"


def test_leaders_hold_their_families_and_stay_apart() -> None:
    """The law of leader clustering, asked of RDKit's Tanimoto."""
    molecules = [Molecule(row.smiles, row.id) for row in fake_run(80).ranked]
    families = leaders(molecules, RADIUS)
    assert sorted(place for family in families for place in family) == list(range(len(molecules)))
    bits = fingerprints(molecules)
    for family in families:
        for place in family[1:]:
            assert place > family[0]
            assert DataStructs.TanimotoSimilarity(bits[family[0]], bits[place]) >= 1 - RADIUS
    heads = [family[0] for family in families]
    for n, head in enumerate(heads):
        assert all(
            DataStructs.TanimotoSimilarity(bits[head], bits[other]) < 1 - RADIUS for other in heads[:n]
        )
    with pytest.raises(ValueError, match="between 0 and 1"):
        leaders(molecules, 1.5)


def test_series_count_every_ranked_row_once() -> None:
    run = fake_run(150)
    series, alone = series_of(run, Album(10_000_000), most=1_000)
    assert sum(one.count for one in series) + alone == len(run.ranked)
    ranks = [one.members[0].row.rank for one in series]
    assert ranks == sorted(ranks, key=lambda rank: rank or 0)
    for one in series:
        assert all(a.row.rank < b.row.rank for a, b in zip(one.members, one.members[1:], strict=False))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (f"{PARENT} with another element at one atom", "r0-0116 with another element at one atom"),
        (f"{PARENT} with c1ccccc1 in place of c1ccccc1", "r0-0116 with c1ccccc1 attached elsewhere"),
        (f"{PARENT} with C1CC1 in place of c1ccccc1", "r0-0116 with C1CC1 in place of c1ccccc1"),
        ("built by the graph model", "Built by the graph model"),
        (
            "Boc removal: CC(C)(C)OC(=O)N1CCNCC1; amide coupling: OC(=O)c1ccccc1 + C1CNCCN1",
            "Boc removal; amide coupling",
        ),
        (
            f"{PARENT} with a side chain exchanged from O=C(C=Cc1ccc(OC(F)F)cc1)NC1CCCN1, then with an atom added",
            "r0-0116 with a side chain exchanged from another molecule, then with an atom added",
        ),
        ("note: three things", "Note: three things"),
        ("<b>bold</b>", "<b>bold</b>"),  # the template escapes it
    ],
)
def test_edits_are_told_by_name(edit: str, said: str) -> None:
    row = replace(fake_run(20).ranked[0], edit=edit, parents=(PARENT,))
    assert in_words(row, {PARENT: "r0-0116"}) == said


def test_a_parent_outside_the_run_is_told_by_its_place() -> None:
    row = replace(fake_run(20).ranked[0], edit=f"rebuilt part of {PARENT}", parents=(PARENT,))
    assert in_words(row, {}) == "Rebuilt part of parent 1"
    own = replace(row, edit="ejm_31, line 5 of mine.csv", parents=())
    assert in_words(own, {"CCO": "ejm_31"}) == "ejm_31, line 5 of mine.csv"  # a name stays as it is written
    run = fake_run(20)
    assert names_of(run)[run.ranked[0].smiles] in {r.id for r in run.rows if r.smiles == run.ranked[0].smiles}


def test_paper_prints_as_many_unranked_rows_as_it_says() -> None:
    assert re.findall(r"\.group \.rows tbody tr:nth-child\(n\+(\d+)\)", asset("report.css")) == [
        str(PAPER_ROWS + 1)
    ]


def test_origins_show_parents_words_and_molecule() -> None:
    run = fake_run(60)
    made = [row for row in run.rows if row.parents and row.smiles][:3]
    text = origins_html(run, made)
    assert text.count("<tr>") == 1 + len(made)
    assert text.count("<img") == sum(min(3, len(row.parents)) + 1 for row in made)
    assert "<script" not in text
