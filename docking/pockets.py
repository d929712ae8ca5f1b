"""Where on a receptor could a ligand lie, when nobody has seen one there?

Spheres that touch four atoms and hold none mark the hollows of a surface. How
enclosed a hollow is, and by which atoms, says how likely a ligand lies there; likely
spheres that hang together make a pocket. A found pocket is a guess: the first
three hold the ligand far more often than the first alone.

References
----------
.. [1] V. Le Guilloux, P. Schmidtke, P. Tuffery, BMC Bioinformatics 10 (2009) 168, doi:10.1186/1471-2105-10-168
.. [2] R. Krivak, D. Hoksza, J. Cheminform. 10 (2018) 39, doi:10.1186/s13321-018-0285-8
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from discovery.extras import needs
from docking import pdbqt
from docking.pdbqt import Floats
from docking.receptor import Receptor, ReceptorError
from docking.site import Site

with needs("docking"):
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import Delaunay, QhullError, cKDTree


SMALLEST, LARGEST = 3.0, 6.0  # Å from a sphere's middle to its four atoms, as in reference [1]
REACH = 10.0  # Å about a sphere that tells how enclosed it is
NEIGHBOURS = 150  # atoms looked at within that; a protein's inside holds about 200
CLOSE = 6.0  # Å within which atoms count by their kind
LIKELY = 0.3  # probability from which a sphere takes part in a pocket
LINK = 1.5  # Å between spheres of one pocket
FEWEST = 4  # spheres in a pocket
MARGIN = 5.0  # Å; the spheres fill a hollow's middle, a ligand's atoms its edge too
EDGE = 20.0  # Å, the shortest edge of a pocket's box
LINED = 4.5  # Å from a sphere to an atom of a residue that lines the pocket
KINDS = (("C",), ("A",), ("N", "NA"), ("OA",), ("S", "SA"))  # AutoDock types that are counted together


@dataclass(frozen=True, slots=True, eq=False)
class Pocket:
    """A hollow in which a ligand may lie."""

    rank: int  # 1 is the likeliest
    score: float  # sum of its spheres' probabilities; compares pockets of one receptor only
    points: Floats  # [sphere, 3] Å
    center: tuple[float, float, float]  # Å, the likely middle of a ligand
    residues: tuple[str, ...]  # that line it, such as "A:ASP129"

    def site(self) -> Site:
        """The box about it."""
        return Site.around(self.points, MARGIN, EDGE)

    def __repr__(self) -> str:
        return f"Pocket({self})"

    def __str__(self) -> str:
        x, y, z = self.center
        lined = ", ".join(self.residues[:6]) + (" ..." if len(self.residues) > 6 else "")
        return (
            f"pocket {self.rank}: score {self.score:.1f}, middle {x:.1f},{y:.1f},{z:.1f} Å, lined by {lined}"
        )


def find(receptor: Receptor, most: int = 10) -> tuple[Pocket, ...]:
    """At `most` so many of a receptor's pockets, likeliest first; the same receptor always gives the same.

    Raises
    ------
    ReceptorError
        If it has no hollow at all.
    """
    structure = pdbqt.read(receptor.pdbqt)
    heavy = np.array([kind not in ("H", "HD", "HS", "W") for kind in structure.types])
    coords, types = structure.coords[heavy], np.array(structure.types)[heavy]
    centers, radii = spheres(coords)
    if len(centers):
        likely = probability(features(coords, types, centers, radii))
        keep = likely >= LIKELY
        centers, likely = centers[keep], likely[keep]
    if len(centers) < FEWEST:
        raise ReceptorError(
            f"{receptor.name} has no pocket: its {len(coords)} heavy atoms enclose no hollow a ligand could lie in; "
            "put the box around residues, or give its center and size"
        )
    names = np.array([atom.residue for atom in structure.atoms])[heavy]
    tree = cKDTree(coords)
    groups = _hanging_together(centers)
    found = []
    for group in groups:
        points, weight = centers[group], likely[group]
        lined = np.unique(
            np.concatenate([np.asarray(hit, int) for hit in tree.query_ball_point(points, LINED)])
        )
        x, y, z = np.average(points, axis=0, weights=weight).round(3).tolist()
        residues = tuple(dict.fromkeys(names[lined].tolist()))
        found.append((float(weight.sum()), points, (x, y, z), residues))
    found.sort(key=lambda one: (-one[0], one[2]))
    return tuple(Pocket(rank, *one) for rank, one in enumerate(found[:most], start=1))


@lru_cache(maxsize=4)
def pocket(receptor: Receptor, rank: int) -> Pocket:
    """The pocket of a rank, 1 the likeliest.

    Raises
    ------
    ReceptorError
        There is no such pocket; the message says how many there are.
    """
    found = find(receptor, max(rank, 1))
    if not 1 <= rank <= len(found):
        raise ReceptorError(
            f"{receptor.name} has no pocket {rank}: pockets count from 1"
            + (f" to {len(found)} here" if rank > 0 else "")
        )
    return found[rank - 1]


def spheres(coords: Floats) -> tuple[Floats, Floats]:
    """Alpha spheres: [sphere, 3] Å middles and [sphere] Å radii to the four atoms each touches."""
    if len(coords) < 5:
        return np.zeros((0, 3)), np.zeros(0)
    try:
        corners = coords[Delaunay(coords).simplices]
    except QhullError:  # all atoms in one plane enclose nothing
        return np.zeros((0, 3)), np.zeros(0)
    first = corners[:, 0]
    sides = 2.0 * (corners[:, 1:] - first[:, None])
    firm = np.abs(np.linalg.det(sides)) > 1e-6  # four atoms in one plane have no sphere
    squares = np.square(corners).sum(axis=-1)
    right = squares[firm, 1:] - squares[firm, :1]
    centers = np.linalg.solve(sides[firm], right[..., None])[..., 0]
    radii = np.linalg.norm(centers - first[firm], axis=1)
    keep = (radii > SMALLEST) & (radii < LARGEST)
    return centers[keep], radii[keep]


def features(coords: Floats, types: NDArray[np.str_], centers: Floats, radii: Floats) -> Floats:
    """[sphere, feature]: how enclosed each sphere is, and by what.

    Radius; atoms within 7, 8 and 10 Å; how one-sided those within 7 and 10 Å lie, 0 on
    all sides to 1 on one; shares of carbon, aromatic carbon, nitrogen, oxygen and
    sulphur within 6 Å; and squares of some of these.
    """
    distance, index = cKDTree(coords).query(centers, k=NEIGHBOURS, distance_upper_bound=REACH)
    there = np.isfinite(distance)
    nearest = np.minimum(index, len(coords) - 1)
    ways = np.where(there, 1.0 / np.where(there, np.maximum(distance, 1e-6), 1.0), 0.0)[..., None]
    ways = (coords[nearest] - centers[:, None]) * ways
    counts = {reach: (distance < reach).sum(axis=1) for reach in (7.0, 8.0, REACH)}
    lean = {
        reach: np.linalg.norm((ways * (distance < reach)[..., None]).sum(axis=1), axis=1)
        / np.maximum(counts[reach], 1)
        for reach in (7.0, REACH)
    }
    close = distance < CLOSE
    kinds = np.stack([(np.isin(types[nearest], kind) & close).sum(axis=1) for kind in KINDS], axis=1)
    shares = kinds / np.maximum(kinds.sum(axis=1, keepdims=True), 1)
    dense = np.stack([counts[7.0], counts[8.0], counts[REACH]], axis=1) / 100.0
    sided = np.stack([lean[7.0], lean[REACH]], axis=1)
    return np.concatenate([radii[:, None], dense, sided, shares, np.square(sided), np.square(dense)], axis=1)


def probability(measured: Floats) -> Floats:
    """[sphere, feature] -> [sphere]: is a ligand's atom within 3 Å? Logistic regression; see data/pockets.json."""
    weights = _weights()
    return np.asarray(1.0 / (1.0 + np.exp(-(measured @ weights[1:] + weights[0]))))


@lru_cache(maxsize=1)
def _weights() -> Floats:
    text = files("docking").joinpath("data/pockets.json").read_text(encoding="utf-8")
    return np.array(json.loads(text)["weights"])


def _hanging_together(points: Floats) -> list[NDArray[np.intp]]:
    """Groups of points that `LINK` joins, those of at least `FEWEST`; all points as one if none is."""
    pairs = cKDTree(points).query_pairs(LINK, output_type="ndarray")
    n = len(points)
    links = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (n, n))
    _, label = connected_components(links, directed=False)
    groups = [np.flatnonzero(label == k) for k in range(label.max() + 1)]
    return [group for group in groups if len(group) >= FEWEST] or [np.arange(n)]
