"""What charges does AM1 give these atoms? The child process that asks MOPAC.

MOPAC runs in a process of its own: a crash in its Fortran costs one answer, its threads
are pinned before it loads, and it can be ended when it takes too long. One JSON object
per line comes in, one goes out, in the same order. Started by am1.py, not by hand.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np


def answer(question: dict[str, Any]) -> dict[str, Any]:
    """One AM1 calculation.

    `question` holds "numbers" [atom], "xyz" [atom, 3] in Å, "charge" in e, "relax"
    (find the nearest minimum first), "tolerance" (how loosely, 1 is MOPAC's own) and
    "seconds" (MOPAC's own limit). The answer holds "charges" [atom] in e and "xyz", or
    "error".
    """
    from mopactools import api

    system = api.MopacSystem()
    system.natom = len(question["numbers"])
    system.natom_move = system.natom
    system.charge = int(question["charge"])
    system.model = "AM1"
    system.atom = np.array(question["numbers"], dtype=np.int32)
    system.coord = np.array(question["xyz"], dtype=np.float64).ravel()
    system.max_time = int(question["seconds"])
    system.tolerance = float(question["tolerance"])
    found = api.from_data(system, api.MopacState(), relax=bool(question["relax"]))
    charges = np.asarray(found.charge)
    problems = [str(m).strip() for m in getattr(found, "error_msg", [])]
    if problems or charges.size != system.natom or not np.isfinite(charges).all():
        return {"error": "; ".join(problems) or "MOPAC gave no charges"}
    xyz = found.coord_update if question["relax"] else system.coord
    return {"charges": charges.tolist(), "xyz": np.asarray(xyz).reshape(-1, 3).tolist()}


def main() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
