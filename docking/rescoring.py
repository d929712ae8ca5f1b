"""Which of a ligand's poses is the true one?

Vina's function nearly always finds a pose near the crystal's and too often puts another
one first. Here poses of one ligand are compared once more, by what features.py measures
and weights learned from crystals. The result orders poses; it says nothing of how
strongly one molecule binds beside another: for that there is the score, in kcal/mol.
What was learned from, and what it gained on other proteins: weights/poses.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from discovery.outcome import UserError
from docking import features
from docking.atom_types import Floats
from docking.features import KNOTS
from docking.kinds import Kind
from docking.pose import Pose
from docking.receptor import Receptor

try:
    from safetensors import SafetensorError, safe_open
    from safetensors.numpy import save
except ImportError as error:
    raise ImportError("rescoring poses needs: pip install 'discovery-workbench[docking]'") from error

FORMAT = "discovery pose rescoring 1"
SHIPPED = Path(__file__).resolve().parent / "weights" / "poses.safetensors"
CANDIDATES = 32  # poses asked of an engine, so that there is something to choose from


class WeightsError(UserError, ValueError):
    """A weights file cannot be used; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """A sum over what was measured: so many units of log-odds for each."""

    names: tuple[str, ...]  # of features
    terms: Floats  # [feature]
    contacts: Floats  # [kind, kind, knot]

    def __call__(self, table: features.Table, contacts: Floats) -> Floats:
        """What `features.measure` gave -> [pose] log-odds beside the ligand's other poses; higher is better."""
        columns = np.stack([table[name] for name in self.names], axis=1)
        return np.asarray(columns @ self.terms + contacts.reshape(len(columns), -1) @ self.contacts.ravel())


def rescored(receptor: Receptor, poses: Sequence[Pose], weights: Weights | None = None) -> Floats:
    """How likely each pose is to be the true one, beside the others of the same ligand.

    Parameters
    ----------
    poses : of one ligand, whichever engine found them

    Returns
    -------
    [pose], natural log-odds up to a constant of the ligand; higher is better. A difference
    of 1 means 2.7 times as likely.

    Raises
    ------
    ValueError
        If the poses are of several ligands.
    """
    if not poses:
        return np.zeros(0)
    ligand = poses[0].ligand
    if any(pose.ligand.digest != ligand.digest for pose in poses):
        raise ValueError("poses of several ligands cannot be rescored together; give those of one at a time")
    coords = np.stack([ligand.docked(pose.coords) for pose in poses])
    table, contacts = features.measure(ligand.pdbqt, coords, receptor.pdbqt)
    return (weights or shipped())(table, contacts)


@lru_cache(maxsize=1)
def shipped() -> Weights:
    """The weights that come with this package."""
    return read(SHIPPED)


def read(path: Path) -> Weights:
    """Read a weights file.

    Raises
    ------
    WeightsError
        If it is absent, torn, of another kind, or does not fit what is measured.
    """
    if not path.is_file():
        raise WeightsError(f"{path} is absent; name a weights file, or leave it out for the shipped one")
    try:
        with safe_open(path, framework="np") as file:
            header = file.metadata() or {}
            tensors = {name: np.asarray(file.get_tensor(name), dtype=float) for name in file.keys()}  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{path} is no whole safetensors file: {error}") from error
    if header.get("format") != FORMAT:
        raise WeightsError(
            f"{path} is of the format {header.get('format', 'unknown')!r}, this program reads {FORMAT!r}"
        )
    names = tuple(header["features"].split("\n"))
    wanted = {"terms": (len(names),), "contacts": (len(Kind), len(Kind), len(KNOTS))}
    held = {name: tensor.shape for name, tensor in tensors.items()}
    if held != wanted:
        raise WeightsError(f"{path} holds {held}, and should hold {wanted}")
    return Weights(names, tensors["terms"], tensors["contacts"])


def write(weights: Weights) -> bytes:
    """A weights file."""
    tensors = {
        "terms": weights.terms.astype(np.float32),
        "contacts": weights.contacts.astype(np.float32),
    }
    header = {"format": FORMAT, "features": "\n".join(weights.names)}
    return bytes(save(tensors, metadata=header))
