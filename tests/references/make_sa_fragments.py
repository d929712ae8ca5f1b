"""Where discovery/properties/data/sa_fragments.npz comes from: RDKit's own table, repacked.

RDKit ships the fragment contributions of Ertl and Schuffenhauer as a pickle, which
this project never reads. RDKit's scorer reads it here, once; what is written is
plain numbers. Run from the repository's root:

    python -m tests.references.make_sa_fragments
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from rdkit.Contrib.SA_Score import sascorer

TARGET = Path(__file__).resolve().parents[2] / "discovery/properties/data/sa_fragments.npz"


def main() -> None:
    sascorer.readFragmentScores()
    table: dict[int, float] = sascorer._fscores
    ids = np.array(sorted(table), dtype=np.uint32)
    contributions, kind = np.unique([table[int(i)] for i in ids], return_inverse=True)
    steps = np.diff(ids, prepend=np.uint32(0))
    np.savez_compressed(
        TARGET,  # bytes of equal worth lie side by side, which halves the file
        step_bytes=steps.astype("<u4").view(np.uint8).reshape(-1, 4).T.copy(),
        kind_bytes=kind.astype("<u2").view(np.uint8).reshape(-1, 2).T.copy(),
        contributions=contributions,
    )
    print(f"{TARGET}: {len(ids):,} fragments, {TARGET.stat().st_size:,} bytes", file=sys.stderr)


if __name__ == "__main__":
    main()
