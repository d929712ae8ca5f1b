"""What does it cost to look for structural alerts, and to tell QED, and is every number RDKit's?

Question  milliseconds a molecule of the four sets of alerts, and of QED, and molecules where either differs
Data      ZINC250k, drawn at random; ../shared/data/generative/zinc250k
Baseline  RDKit's FilterCatalog for PAINS, Brenk and NIH, and each of our own patterns asked in turn; rdkit.Chem.QED
Budget    one core; the two are asked about each molecule in turn, so that both meet the same load
Failures  a molecule whose alerts differ in name or number, or whose QED differs in any bit, is counted and printed

    python -m tests.benchmarks.alerts [--quick] [--molecules N]
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from rdkit import Chem
from rdkit.Chem import QED
from rdkit.Chem.FilterCatalog import FilterCatalog, FilterCatalogParams

from discovery.molecule import Molecule
from discovery.outcome import MoleculeError
from discovery.properties.alerts import REACTIVE, SETS, _readable, alerts
from discovery.properties.physchem import drug_likeness
from tests.benchmarks.data import zinc
from tests.benchmarks.record import options, record

SEED = 20


def molecules(count: int) -> list[Chem.Mol]:
    found = []
    for text in random.Random(SEED).sample(zinc()[1:], count):
        try:
            found.append(Molecule.parse(text).mol())
        except MoleculeError:
            continue
    return found


def baseline() -> Callable[[Chem.Mol], list[str]]:
    settings = FilterCatalogParams()
    for name in SETS[:3]:
        settings.AddCatalog(getattr(FilterCatalogParams.FilterCatalogs, name.upper()))
    catalogue = FilterCatalog(settings)
    own = [(name, Chem.MolFromSmarts(smarts)) for name, smarts in REACTIVE.items()]

    def named(mol: Chem.Mol) -> list[str]:
        found = [_readable(entry.GetDescription()) for entry in catalogue.GetMatches(mol)]
        return found + [name for name, pattern in own if mol.HasSubstructMatch(pattern)]

    return named


def main() -> None:
    parser = options(__doc__, "500 molecules instead of 5,000")
    parser.add_argument("--molecules", type=int)
    given = parser.parse_args()
    count = given.molecules or (500 if given.quick else 5_000)
    mols, theirs = molecules(count), baseline()
    begun = time.process_time()
    alerts(Chem.MolFromSmiles("C"))
    start = time.process_time() - begun
    drug_likeness(Chem.MolFromSmiles("C"))
    spent, likeness, differ, hits = [0.0, 0.0], [0.0, 0.0], 0, 0
    for mol in mols:
        a = time.process_time()
        expected = theirs(mol)
        b = time.process_time()
        found = [alert["name"] for alert in alerts(mol)]
        c = time.process_time()
        spent[0], spent[1], hits = spent[0] + b - a, spent[1] + c - b, hits + len(expected)
        one, other = Chem.Mol(mol), Chem.Mol(mol)  # RDKit remembers the logP of each
        d = time.process_time()
        qed = QED.qed(one)  # type: ignore[no-untyped-call]
        e = time.process_time()
        ours = drug_likeness(other)
        f = time.process_time()
        likeness[0], likeness[1] = likeness[0] + e - d, likeness[1] + f - e
        if found != expected or qed != ours:
            differ += 1
            print(Chem.MolToSmiles(mol), expected, found, qed, ours)
    numbers = {
        "molecules": len(mols),
        "alerts": hits,
        "differ": differ,
        "start_s": round(start, 2),
        "rdkit_ms": round(1000 * spent[0] / len(mols), 3),
        "ours_ms": round(1000 * spent[1] / len(mols), 3),
        "times_faster": round(spent[0] / spent[1], 2),
        "qed_rdkit_ms": round(1000 * likeness[0] / len(mols), 3),
        "qed_ours_ms": round(1000 * likeness[1] / len(mols), 3),
        "qed_times_faster": round(likeness[0] / likeness[1], 2),
    }
    record("alerts", numbers, seed=SEED, molecules=count)


if __name__ == "__main__":
    main()
