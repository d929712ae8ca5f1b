"""Is this pose physically plausible?

Every check measures first and judges second: the measurement goes to the full
report, the verdict to the short one, so a limit can move without re-running.
Lengths are in Å. Binding strength is not decided here: see engines/.

The checks and their limits are those of PoseBusters' docking configuration, on
heavy atoms, without its energy ratio (which takes seconds per molecule).

References
----------
.. [1] M. Buttenschoen, G. Morris, C. Deane, Chem. Sci. 15 (2024) 3130, doi:10.1039/D3SC04185A
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdShapeHelpers

from discovery.extras import needs
from discovery.molecule import quiet_rdkit
from docking import pdbqt
from docking.ligand import Ligand
from docking.pdbqt import Floats
from docking.pose import Pose, with_coords
from docking.protein.receptor_types import METALS
from docking.receptor import Receptor
from docking.site import Site

with needs("docking"):
    from scipy.spatial.distance import cdist


Pairs = NDArray[np.intp]  # [pair, 2]


@dataclass(frozen=True, slots=True)
class Limit:
    """What a measurement may be."""

    low: float
    high: float
    says: str  # what it means to fail, for a chemist


LIMITS: Mapping[str, Limit] = MappingProxyType(
    {
        "shortest_bond": Limit(0.75, np.inf, "a bond is too short for its atoms"),
        "longest_bond": Limit(0.0, 1.25, "a bond is too long for its atoms"),
        "worst_angle": Limit(0.0, 0.25, "an angle is bent beyond what its atoms allow"),
        "closest_pair": Limit(0.7, np.inf, "the molecule runs into itself"),
        "aromatic_ring_bend": Limit(0.0, 0.25, "an aromatic ring is not flat"),
        "double_bond_twist": Limit(0.0, 0.25, "a double bond is twisted"),
        "flattest_ring": Limit(0.05, np.inf, "a saturated six-ring is flat"),
        "flipped_centres": Limit(0.0, 0.0, "a stereo centre has changed hands"),
        "closest_receptor_atom": Limit(0.75, np.inf, "it runs into the receptor"),
        "distance_to_receptor": Limit(0.0, 5.0, "it does not touch the receptor"),
        "volume_overlap": Limit(0.0, 0.075, "too much of its volume is inside the receptor"),
        "outside_box": Limit(0.0, 0.5, "it leaves the box"),
    }
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was measured, and which limits it breaks."""

    measured: Mapping[str, float]
    failed: tuple[str, ...]

    @property
    def plausible(self) -> bool:
        return not self.failed

    @property
    def reasons(self) -> tuple[str, ...]:
        """One sentence part for each broken limit, with its number."""
        return tuple(f"{LIMITS[name].says} ({name} {self.measured[name]:.2f})" for name in self.failed)


def check(pose: Pose, receptor: Receptor, site: Site | None = None) -> Verdict:
    """Measure, then judge."""
    measured = measure(pose, receptor, site)
    return Verdict(measured, judge(measured))


def judge(measured: Mapping[str, float], limits: Mapping[str, Limit] = LIMITS) -> tuple[str, ...]:
    """Names of the measurements that break their limit, in the order measured."""
    return tuple(
        name
        for name, value in measured.items()
        if not limits[name].low <= round(value, 6) <= limits[name].high
    )


def measure(pose: Pose, receptor: Receptor, site: Site | None = None) -> dict[str, float]:
    """All measurements of one pose. A check that does not apply (no aromatic ring) is left out.

    Relative lengths are divided by what distance geometry allows for the pair of atoms
    (bonds, angles as 1-3 distances, all other pairs) or by the sum of van der Waals
    radii (receptor atoms; covalent radii for metals).
    """
    return {**_shape(pose), **_fit(pose, receptor, site)}


@dataclass(frozen=True, slots=True)
class _Frame:
    """What does not change from pose to pose of a ligand."""

    heavy: NDArray[np.intp]
    wide: Floats  # [heavy atom] Å, van der Waals radii
    narrow: Floats  # [heavy atom] Å, covalent radii
    bonds: Pairs
    angles: Pairs
    others: Pairs
    low: Floats  # [atom, atom] Å
    high: Floats  # [atom, atom] Å
    aromatic: tuple[tuple[int, ...], ...]
    doubles: tuple[tuple[int, ...], ...]
    puckered: tuple[tuple[int, ...], ...]
    centres: tuple[tuple[int, str], ...]


def _shape(pose: Pose) -> dict[str, float]:
    frame = _frame(pose.ligand)
    gaps: Floats = cdist(pose.coords, pose.coords)

    def over(pairs: Pairs) -> tuple[Floats, Floats]:
        i, j = pairs[:, 0], pairs[:, 1]
        return gaps[i, j] / frame.low[i, j], gaps[i, j] / frame.high[i, j]

    found: dict[str, float] = {}
    if len(frame.bonds):
        low, high = over(frame.bonds)
        found |= {"shortest_bond": float(low.min()), "longest_bond": float(high.max())}
    if len(frame.angles):
        low, high = over(frame.angles)
        found["worst_angle"] = float(np.maximum(np.clip(1 - low, 0, None), np.clip(high - 1, 0, None)).max())
    if len(frame.others):
        found["closest_pair"] = float(over(frame.others)[0].min())
    for name, groups in (("aromatic_ring_bend", frame.aromatic), ("double_bond_twist", frame.doubles)):
        if groups:
            found[name] = max(_off_plane(pose.coords[list(group)]) for group in groups)
    if frame.puckered:
        found["flattest_ring"] = min(_off_plane(pose.coords[list(group)]) for group in frame.puckered)
    found["flipped_centres"] = float(_flipped(pose, frame))
    return found


def _fit(pose: Pose, receptor: Receptor, site: Site | None) -> dict[str, float]:
    frame, around = _frame(pose.ligand), _surroundings(receptor)
    heavy = pose.coords[frame.heavy]
    near = np.flatnonzero(
        ((around.coords >= heavy.min(axis=0) - 8.0) & (around.coords <= heavy.max(axis=0) + 8.0)).all(axis=1)
    )
    found: dict[str, float] = {}
    if len(near):
        gaps = cdist(heavy, around.coords[near])
        mine = np.where(around.metal[near][None], frame.narrow[:, None], frame.wide[:, None])
        found["closest_receptor_atom"] = float((gaps / (mine + around.radii[near][None])).min())
        found["distance_to_receptor"] = float(gaps.min())
        found["volume_overlap"] = _overlap(pose, around, near[gaps.min(axis=0) <= 4.8])
    else:
        found["distance_to_receptor"] = float(
            np.linalg.norm(around.coords - heavy.mean(axis=0), axis=1).min()
        )
    if site is not None:
        outside = np.maximum(np.maximum(site.low - heavy, heavy - site.high), 0.0)
        found["outside_box"] = float(outside.max())
    return found


_TABLE = Chem.GetPeriodicTable()
_AROMATIC = tuple(
    Chem.MolFromSmarts(smarts) for smarts in ("[ar5^2]1[ar5^2][ar5^2][ar5^2][ar5^2]1", "[ar6^2]1[ar6^2][ar6^2][ar6^2][ar6^2][ar6^2]1")
)  # fmt: skip
_DOUBLE = (Chem.MolFromSmarts("[C;X3;^2](*)(*)=[C;X3;^2](*)(*)"),)
_PUCKERED = tuple(
    Chem.MolFromSmarts(smarts)
    for smarts in (
        "[C,O,S,N;R1]~1[C,O,S,N;R1][C,O,S,N;R1][C,O,S,N;R1][C,O,S,N;R1][C,O,S,N;R1]1",
        "[C;R1]~1[C;R1][C,O,S,N;R1]~[C,O,S,N;R1][C;R1][C;R1]1",
        "[C;R1]~1[C;R1][C;R1]~[C;R1][C,O,S,N;R1][C;R1]1",
        "[C;R1]~1[C;R1][C;R1][C,O,S,N;R1]~[C,O,S,N;R1][C;R1]1",
        "[C;R1]~1[C;R1][C,O,S,N;R1][C;R1]~[C;R1][C;R1]1",
    )
)
_ENDS = Chem.MolFromSmarts("[O,N;D1;$([O,N;D1]-[*]=[O,N;D1]),$([O,N;D1]=[*]-[O,N;D1])]~[*]")


@lru_cache(maxsize=512)
def _frame(ligand: Ligand) -> _Frame:
    mol = ligand.mol()
    with quiet_rdkit():
        bounds = rdDistGeom.GetMoleculeBoundsMatrix(
            mol, set15bounds=True, scaleVDW=True, doTriangleSmoothing=True, useMacrocycle14config=False
        )
    high = np.triu(bounds) + np.triu(bounds).T
    low = np.tril(bounds) + np.tril(bounds).T
    _even_ends(mol, low, high)
    heavy = np.array([atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() > 1], dtype=np.intp)
    numbers = [mol.GetAtomWithIdx(i).GetAtomicNum() for i in heavy.tolist()]
    wide, narrow = (
        np.array([radius(n) for n in numbers]) for radius in (_TABLE.GetRvdw, _TABLE.GetRcovalent)
    )
    pairs = np.stack([heavy[ends] for ends in np.triu_indices(len(heavy), 1)], axis=1)
    apart = Chem.GetDistanceMatrix(mol)[pairs[:, 0], pairs[:, 1]]

    def hits(patterns: tuple[Chem.Mol, ...]) -> tuple[tuple[int, ...], ...]:
        return tuple(hit for pattern in patterns for hit in mol.GetSubstructMatches(pattern))

    return _Frame(
        heavy, wide, narrow, pairs[apart == 1], pairs[apart == 2], pairs[apart > 2], low, high,
        hits(_AROMATIC), hits(_DOUBLE), hits(_PUCKERED), _centres(mol),
    )  # fmt: skip


def _even_ends(mol: Chem.Mol, low: Floats, high: Floats) -> None:
    """The two oxygens of a carboxylate (and their like) share one range: which is double is a drawing."""
    ranges: dict[tuple[str, ...], list[tuple[int, int]]] = {}
    for i, j in mol.GetSubstructMatches(_ENDS):
        symbols = tuple(sorted((mol.GetAtomWithIdx(i).GetSymbol(), mol.GetAtomWithIdx(j).GetSymbol())))
        ranges.setdefault(symbols, []).append((i, j))
    for pairs in ranges.values():
        least, most = min(low[i, j] for i, j in pairs), max(high[i, j] for i, j in pairs)
        for i, j in pairs:
            low[i, j] = low[j, i] = least
            high[i, j] = high[j, i] = most


def _centres(mol: Chem.Mol) -> tuple[tuple[int, str], ...]:
    """Stereo centres of carbon as the coordinates show them."""
    copy = Chem.Mol(mol)
    Chem.AssignStereochemistryFrom3D(copy)
    return tuple(
        (atom.GetIdx(), atom.GetProp("_CIPCode"))
        for atom in copy.GetAtoms()
        if atom.HasProp("_CIPCode") and atom.GetAtomicNum() == 6
    )


def _flipped(pose: Pose, frame: _Frame) -> int:
    """How many carbon centres have another hand than the ligand that was docked."""
    if not frame.centres:
        return 0
    now = dict(_centres(pose.mol()))
    return sum(now.get(index) != code for index, code in frame.centres)


def _off_plane(points: Floats) -> float:
    """Å: the largest distance of a point from the plane that lies closest to all."""
    centred = points - points.mean(axis=0)
    normal = np.linalg.svd(centred)[2][-1]
    return float((centred @ normal).max())


@dataclass(frozen=True, slots=True, eq=False)
class _Surroundings:
    """The receptor's heavy atoms."""

    coords: Floats  # [atom, 3] Å
    radii: Floats  # [atom] Å: van der Waals, covalent for metals
    metal: NDArray[np.bool_]
    numbers: tuple[int, ...]  # atomic numbers


@lru_cache(maxsize=4)
def _surroundings(receptor: Receptor) -> _Surroundings:
    structure = pdbqt.read(receptor.pdbqt)
    kinds = structure.types
    kept = [i for i, kind in enumerate(kinds) if kind not in ("H", "HD", "HS")]
    symbols = [pdbqt.ELEMENT.get(kinds[i], kinds[i]) for i in kept]
    metal = np.array([symbol in METALS for symbol in symbols])
    numbers = tuple(int(_TABLE.GetAtomicNumber(symbol)) for symbol in symbols)
    radii = np.array(
        [_TABLE.GetRcovalent(n) if m else _TABLE.GetRvdw(n) for n, m in zip(numbers, metal, strict=True)]
    )
    return _Surroundings(structure.coords[kept], radii, metal, numbers)


def _overlap(pose: Pose, around: _Surroundings, near: NDArray[np.intp]) -> float:
    """Share of the ligand's volume inside the receptor, radii scaled by 0.8."""
    if not len(near):
        return 0.0
    wall = Chem.RWMol()
    for i in near:
        wall.AddAtom(Chem.Atom(around.numbers[i]))
    mol = pose.mol()
    solid = with_coords(wall.GetMol(), around.coords[near])
    return float(
        rdShapeHelpers.ShapeTverskyIndex(mol, solid, alpha=1.0, beta=0.0, vdwScale=0.8, ignoreHs=True)
    )
