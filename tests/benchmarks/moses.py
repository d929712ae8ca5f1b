"""Does the graph model write molecules like those it learned from?

Answer    MOSES' measures of molecules as first sampled, nothing filtered, in the style "moses": the policy keeps
          to the units and bonds of that style's training molecules, as discovery propose --style does
Data      test set, scaffold test set and their statistics inside the package molsets 0.3.1 (MIT);
          install it without its dependencies: pip install --no-deps molsets==0.3.1
Baseline  published: FCD Test / TestSF 0.395 / 0.938 JT-VAE, 0.618 / 1.280 DiGress, 0.073 / 0.520 CharRNN
Budget    30,000 molecules; --quick 2,000. SNN on the first 2,000, filters on the first 5,000
Failures  an invalid molecule counts against validity and is left out of the rest
"""

from __future__ import annotations

import csv
import importlib.util
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rdkit import Chem

from discovery.intake import written_in
from discovery.molecule import quiet_rdkit
from generative.audit import (
    canonical,
    chemnet,
    cosine,
    mean_similarity,
    nearest,
    prints,
    scaffold_counts,
)
from generative.limits import of_style
from generative.model import Weights
from generative.sampling import Sampler
from tests.benchmarks.data import nothing_measured
from tests.benchmarks.record import options, record


def package() -> Path:
    spec = importlib.util.find_spec("moses")
    if spec is None or spec.origin is None:
        nothing_measured("molsets is absent: pip install --no-deps molsets==0.3.1")
    return Path(spec.origin).parent


def statistics(split: str) -> dict[str, Any]:
    """As the package's own loader reads them; the package as a whole no longer imports."""
    spec = importlib.util.spec_from_file_location("moses_dataset", package() / "dataset" / "dataset.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return dict(module.get_statistics(split))


def passes(smiles: Sequence[str]) -> float:
    """MOSES' filters: medicinal chemistry and PAINS alerts, its elements, no charge, no ring above seven."""
    alerts = []
    with (package() / "metrics" / "mcf.csv").open() as file:
        alerts += [row["smarts"] for row in csv.DictReader(file)]
    with (package() / "metrics" / "wehi_pains.csv").open() as file:
        alerts += [row[0] for row in csv.reader(file)]
    queries = [Chem.MolFromSmarts(one) for one in alerts]
    good = 0
    for one in smiles:
        mol = Chem.MolFromSmiles(one)
        full = Chem.AddHs(mol)
        good += (
            all(len(ring) < 8 for ring in mol.GetRingInfo().AtomRings())
            and all(a.GetFormalCharge() == 0 and a.GetSymbol() in ELEMENTS for a in mol.GetAtoms())
            and not any(full.HasSubstructMatch(query) for query in queries)
        )
    return good / len(smiles)


ELEMENTS = {"C", "N", "S", "O", "F", "Cl", "Br", "H"}


def sampled(weights: Weights, n: int, *, seed: int = 0) -> list[str]:
    """Molecules in the style "moses", as first drawn."""
    vocabulary, unusual = of_style(weights.vocabulary, weights.habits.get("moses"))
    sampler = Sampler.of(
        weights.policy().eval(),
        vocabulary,
        style=weights.styles.index("moses"),
        forbidden=unusual,
    )
    return sampler.smiles(n, seed)


def measured(made: Sequence[str]) -> dict[str, float | str]:
    """MOSES' measures of what was generated, which may hold what is no molecule; or why there is none."""
    with quiet_rdkit():
        valid = [smiles for one in made if (smiles := canonical(one))]
    train = set(written_in(package() / "dataset" / "data" / "train.csv.gz"))
    test, scaffold_test = statistics("test"), statistics("test_scaffolds")
    net = chemnet()
    if isinstance(net, str):
        nothing_measured(net)
    ours = net.precalc(valid)
    some = prints(valid[:2_000])
    scaffolds = scaffold_counts(valid)
    known = np.asarray(test["SNN"]["fps"], dtype=np.float32)
    return {
        "valid": len(valid) / len(made),
        "unique@10k": len(set(valid[:10_000])) / len(valid[:10_000]),
        "novelty": len(set(valid) - train) / len(set(valid)),
        "fcd_test": float(net.metric(test["FCD"], ours)),
        "fcd_testsf": float(net.metric(scaffold_test["FCD"], ours)),
        "snn_test": float(nearest(some, known).mean()),
        "scaf_test": cosine(scaffolds, test["Scaf"]["scaf"]),
        "scaf_testsf": cosine(scaffolds, scaffold_test["Scaf"]["scaf"]),
        "internal_diversity": 1.0 - mean_similarity(some, some),
        "filters": passes(valid[:5_000]),
    }


def main() -> None:
    parser = options(__doc__)
    parser.add_argument("--n", type=int, default=30_000)
    parser.add_argument("--weights", type=Path)
    given = parser.parse_args()
    package()  # before anything is sampled
    n = 2_000 if given.quick else given.n
    torch.set_num_threads(1)
    weights = Weights.load(given.weights)
    began = time.process_time()
    made = sampled(weights, n)
    sampling = time.process_time() - began
    numbers: dict[str, float | str] = {
        "samples": n,
        **measured(made),
        "molecules_per_cpu_second": n / sampling,
    }
    record("moses", numbers, weights=weights.sha256[:12])


if __name__ == "__main__":
    main()
