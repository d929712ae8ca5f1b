"""The judge of shortlists counts what RDKit's catalogues count, and sees what a table leaves unsaid."""

from __future__ import annotations

from dataclasses import replace

from discovery.molecule import Molecule
from discovery.properties.alerts import Alerts
from discovery.properties.rings import UnseenRings
from discovery.results import Run
from discovery.views.table import Table
from tests.benchmarks.shortlist import judged

CLEAN = "CN(C)CCc1c[nH]c2ccc(Cn3cncn3)cc12"  # rizatriptan
NITRO = "O=[N+]([O-])c1ccc(CCN)cc1"  # BRENK: nitro group
ODD = "NCCC1CC2CC3CC(C1)C23"  # a cage of three rings that is not in the medicinal literature


def ranked(smiles: list[str], *scorers: object) -> Run:
    molecules = [Molecule.parse(text, f"m{place}") for place, text in enumerate(smiles)]
    run = Table.of(molecules, {s.column: s(molecules) for s in scorers}).run  # type: ignore[attr-defined, operator]
    rows = tuple(replace(row, rank=place, utility=0.5, front=1) for place, row in enumerate(run.rows, 1))
    return replace(run, rows=rows)


def test_counts_and_flags() -> None:
    found = judged(ranked([CLEAN, NITRO, ODD], Alerts(), UnseenRings()))
    assert (found["trip_an_alert"], found["either_and_not_flagged"]) == (1, 0)
    assert found["hold_an_unseen_ring_system"] == 1
    assert found["judged"] == 3


def test_a_table_that_says_nothing_is_found_out() -> None:
    found = judged(ranked([CLEAN, NITRO, ODD]))
    assert found["either_and_not_flagged"] == found["either"] == 2


def test_only_the_best_are_judged() -> None:
    assert judged(ranked([CLEAN, NITRO], Alerts()), n=1)["either"] == 0
