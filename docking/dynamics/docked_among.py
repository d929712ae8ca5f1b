"""Among which side chains was a pose docked? Those of a docking run with flexible ones, put into the mechanics.

Such a run leaves, beside its poses, a model of a PDB file for each: the side chains that
turned, as they lie about it. A pose simulated in the receptor as it was prepared would
lie in atoms that had made room for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from discovery.records import check_there
from docking.dynamics.receptor_system import ReceptorModel
from docking.receptor import DockingError, ReceptorError
from docking.side_chains import carried

SIDE_CHAINS = "side_chains.pdb"  # its name in the folder of a docking run
Place = tuple[int, int]  # row of the library, pose of the row: as in the fields of poses.sdf
_MEND = f"give the receptor that was docked into, or poses in a folder without {SIDE_CHAINS}"
_WHERE = re.compile(r"REMARK   1 row (\d+), pose (\d+) of ")


def models(path: Path) -> dict[Place, str]:
    """ATOM lines by pose, of the side_chains.pdb of a docking run.

    Raises
    ------
    IntakeError
        There is no such file.
    DockingError
        It is another kind of file.
    """
    check_there(path, "side chains")
    found: dict[Place, str] = {}
    for block in path.read_text("utf-8", errors="replace").split("MODEL\n")[1:]:
        where = _WHERE.match(block)
        if where is not None:
            atoms = [line for line in block.splitlines() if line.startswith(("ATOM", "HETATM"))]
            found[int(where[1]), int(where[2])] = "\n".join(atoms)
    if not found:
        raise DockingError(
            f"{path} holds no side chains of poses; give the side_chains.pdb of a `discovery dock --flexible` run"
        )
    return found


def place_of(data: Mapping[str, str]) -> Place | None:
    """Which pose of a docking run a record of an SDF is, by its fields; None if they do not say."""
    row, pose = (data.get(key, "").strip() for key in ("row", "pose"))
    return (int(row), int(pose)) if row.isdecimal() and pose.isdecimal() else None


def among(receptor: ReceptorModel, atoms: str) -> ReceptorModel:
    """The receptor with side chains where a docking run left them; hydrogens it did not see go along.

    Parameters
    ----------
    atoms
        ATOM lines of a PDB file.

    Raises
    ------
    ReceptorError
        The receptor has no such residue or atom: it is not the one that was docked into.
    """
    chains: dict[tuple[str, str], dict[str, tuple[float, float, float]]] = {}
    for line in atoms.splitlines():
        place = line[21].strip(), line[22:27].strip()
        point = float(line[30:38]), float(line[38:46]), float(line[46:54])
        chains.setdefault(place, {})[line[12:16].strip()] = point
    xyz = receptor.xyz.copy()
    for (chain, number), points in chains.items():
        rows = _residue(receptor, chain, number)
        names = [receptor.atom_names[i] for i in rows]
        heavy = receptor.numbers[rows] > 1
        strange = points.keys() - {*names} - {name for name in points if name.startswith("H")}
        if strange:
            raise ReceptorError(
                f"{receptor.labels[receptor.residue[rows[0]]]} of {receptor.name} has no atom {sorted(strange)[0]}; {_MEND}"
            )
        before = receptor.xyz[rows] * 10.0
        after = np.array([points.get(name, tuple(at)) for name, at in zip(names, before, strict=True)])
        for i in np.flatnonzero(~heavy):
            if names[i] not in points:
                after[i] = carried(before[i], before[heavy], after[heavy])
        xyz[rows] = after / 10.0
    return replace(receptor, xyz=xyz)


def _residue(receptor: ReceptorModel, chain: str, number: str) -> list[int]:
    label = re.compile(rf"{re.escape(chain)}:[A-Z]{{3}}{re.escape(number)}")
    for index, known in enumerate(receptor.labels):
        if label.fullmatch(known):
            return [int(i) for i in np.flatnonzero(receptor.residue == index)]
    raise ReceptorError(
        f"{receptor.name} has no residue {number} in chain {chain or 'without a name'}, whose side chain was turned "
        f"in docking; {_MEND}"
    )
