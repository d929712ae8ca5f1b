"""How do the ligand and its pocket move?

Few frames, enough to see: they travel inside the page as coordinates rounded to 0.01 Å,
and 3Dmol plays them. The curve below, the ligand's distance from where it began, is a
picture that needs no scripts. Nothing is simulated or judged here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from rdkit import Chem

from discovery.extras import needs
from discovery.outcome import UserError
from discovery.views.drawing import data_uri
from discovery.views.pocket import pose_atoms, trimmed
from discovery.views.pose_viewer import LIBRARY, asset, policy, script_json
from discovery.views.score_plot import trace_svg
from discovery.views.text import PAPER, inert

Floats = NDArray[np.float64]

FRAMES = 40  # shown at most, evenly spaced
NEAR = 4.5  # Å; residues with an atom this near to the ligand's first frame are drawn
BYTES = 6_000_000  # of coordinates, before frames are left out
_STYLE = (
    "body { margin: .5rem; font: 14px system-ui, sans-serif; color: #1a2330; background: #fff; } "
    ".tv-frame { width: 100%; } .tv-says { min-width: 15rem; text-align: right; font-variant-numeric: tabular-nums; }\n"
)


class TrajectoryError(UserError, ValueError):
    """The trajectory cannot be shown; the message says why."""


@dataclass(frozen=True, slots=True)
class Part:
    """Atoms that move together with the film: a pocket, or a ligand."""

    text: str  # PDB text, or a mol block for a ligand
    frames: Floats  # [frame, atom, 3] Å, the text's atoms in its order


@dataclass(frozen=True)
class TrajectoryView:
    """What a notebook shows: the film where scripts run, the curve wherever they do not."""

    content: Mapping[str, Any]
    curve: str  # svg; empty without a ligand
    left_out: int  # frames

    @classmethod
    def of(
        cls,
        frames: Floats,
        *,
        ligand: str,
        times: Sequence[float],
        pocket: str = "",
        receptor: str = "",
        title: str = "",
        most: int = FRAMES,
    ) -> TrajectoryView:
        """Frames as arrays.

        Parameters
        ----------
        frames : [frame, atom, 3], Å
            The pocket's atoms (in the order of `pocket`), then the ligand's.
        ligand : mol block, hydrogens included
        times : [frame], ps
        pocket : PDB text of what moves besides the ligand
        receptor : PDB text of what stands still, drawn as a ribbon

        Raises
        ------
        TrajectoryError
            The numbers of atoms, frames or times do not fit together.
        """
        mol = pose_atoms(ligand)
        if mol is None:
            raise TrajectoryError("the ligand is no mol block that RDKit can read")
        lines = [line for line in pocket.splitlines() if line.startswith(("ATOM  ", "HETATM"))]
        atoms = len(lines) + mol.GetNumAtoms()
        if frames.ndim != 3 or frames.shape[1:] != (atoms, 3):
            raise TrajectoryError(
                f"frames of shape {list(frames.shape)} do not fit {len(lines)} pocket and {mol.GetNumAtoms()} "
                f"ligand atoms; they must be [frame, {atoms}, 3]"
            )
        if len(times) != len(frames) or len(frames) < 2:
            raise TrajectoryError(
                f"{len(times)} times are given for {len(frames)} frames; two are needed at least"
            )
        if not np.isfinite(frames).all():
            raise TrajectoryError("a coordinate is no finite number")
        heavy = _beside(lines, frames[0])
        size = 18 * (len(heavy) + mol.GetNumAtoms())  # characters a frame takes
        chosen = _spaced(len(frames), max(2, min(most, BYTES // size)))
        lig = frames[:, len(lines) :]
        solid = np.array([atom.GetAtomicNum() > 1 for atom in mol.GetAtoms()])
        drift = np.sqrt(np.square(lig[:, solid] - lig[0, solid]).sum(axis=-1).mean(axis=-1))
        clean = Chem.Mol(mol)
        clean.SetProp("_Name", "")
        content = {
            "ligand": Chem.MolToMolBlock(clean, kekulize=False),
            "ligand_frames": _plain(lig[chosen]),
            "pocket": "\n".join(lines[place] for place in heavy) + "\nEND\n" if heavy else "",
            "pocket_frames": _plain(frames[chosen][:, heavy]) if heavy else [],
            "receptor": trimmed(receptor, lig[0], pocket=0.0)[0] if receptor else "",
            "times": [round(float(times[place]), 3) for place in chosen],
            "drift": [round(float(drift[place]), 2) for place in chosen],
            "title": inert(title, limit=120),
        }
        curve = trace_svg([drift.tolist()], last=f"{times[-1]:g} ps", width=460, height=120)
        return cls(content, curve.replace("currentColor", "#1A2330"), len(frames) - len(chosen))

    @classmethod
    def of_simulation(
        cls, simulated: Any, model: Any, *, replica: int = 0, title: str = ""
    ) -> TrajectoryView:
        """What `docking.dynamics.protocol.simulate` gave, with the receptor's model it was given.

        Raises
        ------
        TrajectoryError
            There is no such replica, or too few frames.
        """
        walks = simulated.trajectories
        if not 0 <= replica < len(walks):
            raise TrajectoryError(f"there is no replica {replica}; there are {len(walks)}, counted from 0")
        bound, walk = simulated.start.bound, walks[replica]
        lines = [
            _pdb_line(
                serial,
                model.atom_names[atom],
                model.labels[model.residue[atom]],
                walk.frames[0][serial - 1],
                int(model.numbers[atom]),
            )
            for serial, atom in enumerate(bound.receptor_atoms, start=1)
        ]
        return cls.of(
            walk.frames,
            ligand=Chem.MolToMolBlock(simulated.start.mol),
            times=walk.times.tolist(),
            pocket="\n".join(lines),
            receptor=_whole(model),
            title=title,
        )

    @classmethod
    def read(cls, topology: str | Path, trajectory: str | Path, ligand: str | Path) -> TrajectoryView:
        """A DCD, XTC or TRR file with the PDB file of its atoms; the ligand's atoms come last in both.

        Raises
        ------
        ImportError
            MDAnalysis, which reads them, is not installed.
        TrajectoryError
            The files do not fit together.
        """
        with needs("docking"):
            import MDAnalysis
        block = Path(ligand).read_text(encoding="utf-8", errors="replace").split("$$$$")[0]
        mol = pose_atoms(block)
        if mol is None:
            raise TrajectoryError(f"{Path(ligand).name} is no SDF or mol file that RDKit can read")
        try:
            film = MDAnalysis.Universe(str(topology), str(trajectory))
            frames = np.array([step.positions.copy() for step in film.trajectory], dtype=float)
            times = [float(step.time) for step in film.trajectory]
        except (OSError, ValueError) as error:
            raise TrajectoryError(f"{Path(trajectory).name} with {Path(topology).name}: {error}") from error
        lines = [
            line
            for line in Path(topology).read_text(encoding="utf-8", errors="replace").splitlines()
            if line.startswith(("ATOM  ", "HETATM"))
        ]
        pocket = lines[: len(lines) - mol.GetNumAtoms()]
        return cls.of(
            frames, ligand=block, times=times, pocket="\n".join(pocket), title=Path(trajectory).name
        )

    def page(self) -> str:
        """A whole HTML document; it fetches nothing."""
        scripts = [asset(LIBRARY), asset("trajectory.js")]
        style = _STYLE + asset("viewer.css")
        blocks = "".join(f"<script>{script}</script>" for script in scripts)
        return (
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
            f'<meta http-equiv="Content-Security-Policy" content="{escape(policy(scripts, [style]))}">'
            f"<title>{escape(self.content['title'] or 'Trajectory')}</title><style>{style}</style></head>"
            f'<body>{asset("trajectory.html.j2")}<script type="application/json" id="scene">'
            f"{script_json(dict(self.content))}</script>{blocks}</body></html>"
        )

    def __repr__(self) -> str:
        return f"TrajectoryView of {len(self.content['times'])} frames, {self.left_out} more left out"

    def _repr_html_(self) -> str:
        left = f"; {self.left_out} frames between them are not shown" if self.left_out else ""
        said = Markup(escape(f"Ligand's distance from its first frame (heavy atoms, no fitting){left}"))
        return (
            '<iframe title="Trajectory" sandbox="allow-scripts" width="100%" height="470" style="border:0" '
            f'srcdoc="{escape(self.page())}"></iframe><p style="{PAPER}">'
            f'<img width="460" height="120" alt="{said}" src="{data_uri(self.curve)}"><br>{said}</p>'
        )


def _beside(lines: Sequence[str], first: Floats) -> list[int]:
    """Heavy atoms of the residues beside the ligand at the start: a whole pocket would hide it."""
    ligand = first[len(lines) :]
    near = {
        line[17:27]
        for line, at in zip(lines, first, strict=False)
        if float(np.square(ligand - at).sum(axis=-1).min()) <= NEAR**2
    }
    return [
        place
        for place, line in enumerate(lines)
        if line[17:27] in near and line[76:78].strip() not in ("H", "D")
    ]


def _spaced(n: int, most: int) -> list[int]:
    return sorted({round(place) for place in np.linspace(0, n - 1, min(n, most))})


def _plain(frames: Floats) -> list[list[float]]:
    return [[round(value, 2) for value in frame] for frame in frames.reshape(len(frames), -1).tolist()]


def _whole(model: Any) -> str:
    """The heavy atoms of a receptor's model as PDB text."""
    xyz = model.xyz * 10.0
    return "\n".join(
        _pdb_line(place + 1, name, model.labels[model.residue[place]], xyz[place], int(model.numbers[place]))
        for place, name in enumerate(model.atom_names)
        if model.numbers[place] > 1
    )


def _pdb_line(serial: int, name: str, label: str, xyz: Floats, atomic: int) -> str:
    chain, _, residue = label.rpartition(":")
    letters, number = residue[:3], residue[3:]
    insertion = number[-1] if number and number[-1].isalpha() else " "
    digits = number.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ") or "0"
    symbol = Chem.GetPeriodicTable().GetElementSymbol(atomic)
    placed = f" {name:<3s}" if len(name) < 4 else name[:4]
    return (
        f"ATOM  {serial % 100_000:5d} {placed} {letters:>3s} {(chain or 'A')[:1]}{int(digits):4d}{insertion}   "
        f"{xyz[0]:8.3f}{xyz[1]:8.3f}{xyz[2]:8.3f}  1.00  0.00          {symbol:>2s}"
    )
