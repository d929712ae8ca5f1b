"""Builds discovery/properties/data/ring_systems.npz: `python -m tests.references.make_ring_systems FILE.smi...`.

One SMILES a line. The shipped table was made from the ChEMBL parts of the training data
named in generative/weights/graph.md and from the approved drugs in tests/references; the
files themselves are not kept.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from rdkit import Chem, RDLogger

from discovery.properties import rings

OUT = Path(rings.__file__).parent / "data" / "ring_systems.npz"


def molecules(path: Path) -> Iterator[Chem.Mol]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            words = line.split()
            mol = Chem.MolFromSmiles(words[0]) if words else None
            if mol is not None:
                yield mol


if __name__ == "__main__":
    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]
    counts = rings.count(mol for name in sys.argv[1:] for mol in molecules(Path(name)))
    rings.save(counts, OUT)
    print(f"{len(counts)} ring systems, {sum(n == 1 for n in counts.values())} of them once: {OUT}")
