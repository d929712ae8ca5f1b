"""Would a chemist laugh at the shortlist?

Question  of the best 100 molecules of the demo campaign, how many trip a structural alert or
          hold a ring system nobody has reported, and does the table flag each of those
Data      the demo's campaign with 60 molecules docked a round instead of 24, quickly, and none
          simulated, so that a hundred are ranked (ten core-minutes); with --undocked none is docked
          either, and all that pass the filters are ranked by their properties (one core-minute);
          or any run's folder
Reference RDKit's BRENK and PAINS catalogues, asked here anew; the ring systems of ChEMBL
Limit     at most 2, all flagged
Failures  a run that ranks fewer than 100 says how many it was judged on

    python -m tests.benchmarks.shortlist [--run FOLDER] [--quick]
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from rdkit import Chem
from rdkit.Chem.FilterCatalog import FilterCatalog, FilterCatalogParams

from discovery.campaign import load, run
from discovery.config import Campaign, parse
from discovery.demo import demo_config
from discovery.properties.rings import ring_systems, seen
from discovery.results import Row, Run
from discovery.score import Score
from discovery.views.reading import alerts_of
from tests.benchmarks.record import options, record

BEST = 100


def large(*, docked: bool) -> Campaign:
    """The demo's campaign, filters and all, with a hundred ranked at the end."""
    plain = demo_config().model_dump(mode="json")
    gone = {"pose_stability"} if docked else {"pose_stability", "docking", "key_contacts"}
    plain["scorers"] = [part for part in plain["scorers"] if part["use"] not in gone]
    for part in plain["scorers"]:
        if part["use"] == "docking":
            part["best"] = 60
            part["settings"]["engine_settings"] = {"effort": "fast"}
    return parse(plain, where="the demo, enlarged")


def judged(found: Run, n: int = BEST) -> dict[str, object]:
    """What is wrong with the best `n`, by references asked anew, and whether the table says so."""
    params = FilterCatalogParams()
    params.AddCatalog(FilterCatalogParams.FilterCatalogs.BRENK)
    params.AddCatalog(FilterCatalogParams.FilterCatalogs.PAINS)
    catalog = FilterCatalog(params)
    best = found.ranked[:n]
    alerted, unseen, silent = [], [], []
    for row in best:
        mol = Chem.MolFromSmiles(row.smiles)
        named = [entry.GetDescription() for entry in catalog.GetMatches(mol)]
        odd = [key for key, _ in ring_systems(mol) if seen(key) == 0]
        if named:
            alerted.append(row.id)
        if odd:
            unseen.append(row.id)
        if (named and not alerts_of(row)) or (odd and not _flags_rings(row)):
            silent.append(row.id)
    return {
        "judged": len(best),
        "ranked": len(found.ranked),
        "rows": len(found.rows),
        "trip_an_alert": len(alerted),
        "hold_an_unseen_ring_system": len(unseen),
        "either": len({*alerted, *unseen}),
        "either_and_not_flagged": len(silent),
    }


def _flags_rings(row: Row) -> bool:
    outcome = row.outcomes.get("unseen_rings")
    return isinstance(outcome, Score) and outcome.value > 0


def main() -> None:
    parser = options(__doc__, "the demo's two-minute version")
    parser.add_argument("--run", type=Path, help="the folder of a finished demo")
    parser.add_argument("--undocked", action="store_true", help="rank by properties alone")
    parser.add_argument("--out", type=Path, help="keep the run here, and go on with the one that is there")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        config = demo_config(quick=True) if asked.quick else large(docked=not asked.undocked)
        found = load(asked.run) if asked.run else run(config, asked.out or folder)
        numbers = judged(found)
    record("shortlist", numbers, seed=int(found.provenance.get("seed", config.seed)))


if __name__ == "__main__":
    main()
