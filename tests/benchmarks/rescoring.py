"""Does rescoring put the true pose first more often, on proteins and ligands it never saw?

Answer    share of complexes whose first pose lies within 2 Å of the crystal's, by Vina's energy and rescored, paired;
          95 % intervals with complexes drawn anew
Data      what tests.benchmarks.candidates writes: our engine's poses of redock_sdf_dev60 (from SMILES) and
          redock_pdbqt_dev250 (crystal bond lengths)
Splits    docking.rescoring.fitting: families of proteins and ligands stay whole, five parts, five ways to part them, the ridge
          chosen inside the part learned from
Baseline  the same poses by Vina's energy
Budget    2.5 CPU-minutes for 184 complexes; with --fitted DIR what a finished run of docking.rescoring.fitting left there is
          recorded, if its weights are the shipped ones

    python -m tests.benchmarks.rescoring --poses FOLDER
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from docking.rescoring.order import SHIPPED
from tests.benchmarks.data import nothing_measured
from tests.benchmarks.record import options, record

SEED = 7


def main() -> None:
    parser = options(__doc__, "the same: it takes minutes")
    parser.add_argument("--poses", type=Path, help="folder of NAME.json")
    parser.add_argument("--fitted", type=Path, help="folder that docking.rescoring.fitting has written")
    args = parser.parse_args()
    if not args.poses and not args.fitted:
        nothing_measured(
            "there are no poses; make them with python -m tests.benchmarks.candidates --out FOLDER"
        )
    with tempfile.TemporaryDirectory() as scratch:
        if not args.fitted:
            words = ["--poses", str(args.poses), "--out", scratch, "--seed", str(SEED)]
            subprocess.run([sys.executable, "-m", "docking.rescoring.fitting", *words], check=True)
        report = json.loads(((args.fitted or Path(scratch)) / "poses.json").read_text())
    shipped = hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    if args.fitted and report["sha256"] != shipped:
        raise SystemExit(f"{args.fitted} holds other weights ({report['sha256'][:12]}) than the shipped ones")
    numbers = {
        f"{part} {name}": value for part, some in report["measured"].items() for name, value in some.items()
    }
    record(
        "rescoring",
        {**numbers, "families": report["families"]},
        seed=SEED,
        shipped=report["sha256"] == shipped,
    )


if __name__ == "__main__":
    main()
