"""Which of a ligand's poses is the true one?

Vina's function nearly always finds a pose near the crystal's and too often puts another
one first. Here poses of one ligand are compared once more, by what features.py measures
and weights learned from crystals; then each pose is credited with what its neighbours
are worth, since a pose that is nearly right is right. The result orders poses; it says
nothing of how strongly one molecule binds beside another: for that there is the score,
in kcal/mol.
What was learned from, and what it gained on other proteins: weights/poses.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from discovery.extras import needs
from discovery.outcome import UserError
from docking.atom_types import Floats, Ints
from docking.pose import Pose, equivalent
from docking.receptor import Receptor
from docking.rescoring import features
from docking.rescoring.features import KNOTS
from docking.rescoring.kinds import Kind

with needs("docking"):
    from scipy.spatial.distance import cdist


FORMAT = "discovery pose rescoring 2"
SHIPPED = Path(__file__).resolve().parent.parent / "weights" / "poses.safetensors"
CANDIDATES = 32  # poses asked of an engine, so that there is something to choose from
USUAL = 25.0  # heavy atoms; sums over more of them differ more between poses without telling more
ABOUT = 2.0  # Å, of the Gaussian by which a pose counts for another
SPREAD = 2.0  # Å; nearer poses tell the chemist the same, so that others are kept before them
MOST_LABELS = 200  # ways to exchange equal atoms that are looked at


class WeightsError(UserError, ValueError):
    """A weights file cannot be used; the message says why."""


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """A sum over what was measured: so many units of log-odds for each, in a ligand of 25 heavy atoms."""

    names: tuple[str, ...]  # of features
    terms: Floats  # [feature]
    contacts: Floats  # [kind, kind, knot]

    def __call__(self, table: features.Table, contacts: Floats) -> Floats:
        """What `features.measure` gave -> [pose] log-odds beside the ligand's other poses; higher is better."""
        columns = np.stack([table[name] for name in self.names], axis=1)
        sums = columns @ self.terms + contacts.reshape(len(columns), -1) @ self.contacts.ravel()
        return np.asarray(sums * calmed(table["atoms"]))


def calmed(atoms: Floats | float) -> Floats:
    """What a sum over a ligand's atoms is multiplied by: sums of so many independent parts spread as their root."""
    return np.asarray(np.sqrt(USUAL / np.asarray(atoms, dtype=float)))


def gaps(coords: Floats, alike: Ints) -> Floats:
    """[pose, pose] Å, root mean square over atoms without fitting, at the relabelling that makes it smallest.

    Parameters
    ----------
    coords : [pose, atom, 3] Å, heavy atoms
    alike : [relabelling, atom], ways to exchange equal atoms
    """
    flat = coords.reshape(len(coords), -1)
    least = np.full((len(coords), len(coords)), np.inf)
    for labels in alike[:MOST_LABELS]:
        again = coords[:, labels].reshape(len(coords), -1)
        least = np.minimum(least, cdist(flat, again, "sqeuclidean"))
    return np.asarray(np.sqrt(least / coords.shape[1]))


def distances(poses: Sequence[Pose]) -> Floats:
    """`gaps` between poses of one ligand, in one or several ring shapes."""
    mol = poses[0].ligand.mol()
    heavy = np.array([atom.GetAtomicNum() > 1 for atom in mol.GetAtoms()])
    return gaps(np.stack([pose.coords for pose in poses])[:, heavy], equivalent(mol))


def chances(odds: Sequence[Floats], apart: Sequence[Floats]) -> list[Floats]:
    """How likely the true pose lies about each pose: natural logarithms, of each isomer's poses.

    A pose counts for another of the same isomer by a Gaussian of their distance, so that
    of a crowd of likely poses its middle comes before a likely one that stands alone.

    Parameters
    ----------
    odds : [pose] log-odds of each isomer's poses, as `rescored` gives them
    apart : [pose, pose] Å of each isomer's poses
    """
    top = max((float(some.max()) for some in odds if len(some)), default=0.0)
    shares = [np.exp(some - top) for some in odds]
    every = sum(float(some.sum()) for some in shares)
    return [
        np.log(np.exp(-np.square(gap / ABOUT) / 2) @ share / every + 1e-30)
        for share, gap in zip(shares, apart, strict=True)
    ]


class Standing(NamedTuple):
    """What is known of one isomer's poses beside each other."""

    chances: Floats  # [pose], natural logarithms
    gaps: Floats  # [pose, pose] Å
    odds: Floats  # [pose] log-odds, as `rescored` gives them


def standing(
    receptor: Receptor, isomers: Sequence[Sequence[Pose]], weights: Weights | None = None
) -> list[Standing]:
    """A molecule's poses, those of each isomer together; by the shipped weights if none are given."""
    apart = [distances(poses) for poses in isomers]
    odds = [rescored(receptor, poses, weights) for poses in isomers]
    return [Standing(*all_three) for all_three in zip(chances(odds, apart), apart, odds, strict=True)]


def spread(
    order: Sequence[int], apart: Floats, most: int, fit: Callable[[int], bool] = lambda pose: True
) -> list[int]:
    """The first of an order that lie `SPREAD` from all before them, then the first of the rest: `most` in all.

    Parameters
    ----------
    order : indices of poses, best first
    apart : [pose, pose] Å
    fit : which may be taken; not asked of poses that are not needed
    """
    kept: list[int] = []
    for pose in order:
        if len(kept) < most and all(apart[pose, other] >= SPREAD for other in kept) and fit(pose):
            kept.append(pose)
    for pose in order:
        if len(kept) < most and pose not in kept and fit(pose):
            kept.append(pose)
    return kept


def rescored(receptor: Receptor, poses: Sequence[Pose], weights: Weights | None = None) -> Floats:
    """How likely each pose is to be the true one, beside the others of the same ligand.

    Parameters
    ----------
    poses : of one ligand, in one or several ring shapes, whichever engine found them

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
    if any(pose.ligand.smiles != poses[0].ligand.smiles for pose in poses):
        raise ValueError("poses of several ligands cannot be rescored together; give those of one at a time")
    odds = np.zeros(len(poses))
    shapes = [pose.ligand.digest for pose in poses]
    for digest in dict.fromkeys(shapes):
        own = [k for k, other in enumerate(shapes) if other == digest]
        ligand = poses[own[0]].ligand
        coords = np.stack([ligand.docked(poses[k].coords) for k in own])
        table, contacts = features.measure(ligand.pdbqt, coords, receptor.pdbqt)
        odds[own] = (weights or shipped())(table, contacts)
    return odds


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
