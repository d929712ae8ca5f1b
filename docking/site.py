"""Where on the receptor do we dock? A box, its axes along x, y and z.

Whether a pocket there is worth docking into is not decided here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from rdkit import Chem

from discovery.molecule import quiet_rdkit
from docking import pdbqt
from docking.pdbqt import Floats
from docking.protein.structure import by_residue, read, text_of
from docking.receptor import Receptor, ReceptorError

Triple = tuple[float, float, float]

MARGIN = 4.0  # Å on every side of a bound ligand, as gnina's autobox does
SMALLEST = 15.0  # Å; a box around a small fragment would shut out every larger molecule
FEWEST = 3  # heavy atoms of a bound ligand; waters and ions have fewer
LARGEST = 150.0  # Å; beyond any single protein domain, so a larger edge is a slip of the pen


@dataclass(frozen=True, slots=True)
class Site:
    """The box a pose must lie in: its `center` and the full lengths of its edges, `size`, both in Å.

    Raises
    ------
    ReceptorError
        If an edge is not positive, above 150 Å, or any number is not finite.
    """

    center: Triple  # Å
    size: Triple  # Å, full edge lengths

    def __post_init__(self) -> None:
        object.__setattr__(self, "center", tuple(map(float, self.center)))  # a list or an array will do
        object.__setattr__(self, "size", tuple(map(float, self.size)))
        for what, values in (("center", self.center), ("size", self.size)):
            if len(values) != 3 or not all(math.isfinite(value) for value in values):
                raise ReceptorError(f"the box's {what} must be three finite numbers in Å, not {values}")
        if min(self.size) <= 0 or max(self.size) > LARGEST:
            raise ReceptorError(
                f"the box's edges must lie between 0 and {LARGEST:g} Å, not {self.size}; usual edges are 15 to 30 Å"
            )

    @classmethod
    def around(cls, what: Chem.Mol | ArrayLike, margin: float = MARGIN, smallest: float = SMALLEST) -> Site:
        """The box around a bound ligand.

        Parameters
        ----------
        what : RDKit molecule with a conformer, or [atom, 3] Å
        margin : Å
            Added on every side.
        smallest : Å
            No edge is shorter than this.
        """
        if isinstance(what, Chem.Mol):
            if not what.GetNumConformers():
                raise ReceptorError(
                    "the ligand to put the box around has no coordinates; pass an SDF, MOL2 or PDB"
                )
            points = np.asarray(what.GetConformer().GetPositions(), dtype=float)
        else:
            points = np.asarray(what, dtype=float).reshape(-1, 3)
        if not len(points) or not np.isfinite(points).all():
            raise ReceptorError("the ligand to put the box around has no atoms with finite coordinates")
        low, high = points.min(axis=0), points.max(axis=0)
        edges = np.maximum(high - low + 2 * margin, smallest)
        return cls(_triple((low + high) / 2), _triple(edges))

    @classmethod
    def around_file(cls, path: str | Path, margin: float = MARGIN, smallest: float = SMALLEST) -> Site:
        """The box around the first ligand of an SDF, MOL, MOL2, PDB or PDBQT file.

        Raises
        ------
        ReceptorError
            The file is absent or cannot be read; the message names it.
        """
        return cls.around(ligand_points(path), margin, smallest)

    @classmethod
    def around_bound(cls, path: str | Path, name: str, margin: float = MARGIN) -> Site:
        """The box around a ligand that a structure file holds, "XK2" or "A:XK2263".

        Raises
        ------
        ReceptorError
            The file cannot be read, or holds none or several of that name; the message names what it holds.
        """
        strangers = {
            group[0].residue: heavy
            for group in by_residue(read(path).atoms).values()
            if len(heavy := [atom for atom in group if atom.element != "H"]) >= FEWEST
            and not {"N", "CA", "C"} <= {atom.name for atom in heavy}  # an amino acid, modified or not
            and group[0].resname not in ("ACE", "NME")
        }
        hits = [where for where, group in strangers.items() if name in (where, group[0].resname)]
        if len(hits) != 1:
            what = ", ".join(hits or list(strangers)[:12]) or "none: use residues or a found pocket"
            raise ReceptorError(
                f"{path} holds {len(hits) or 'no'} ligands {name}, {what}: name one of them"
                if hits
                else f"there is no ligand file {name}, and {path} holds no ligand of that name; it holds {what}"
            )
        return cls.around([atom.xyz for atom in strangers[hits[0]]], margin)

    @classmethod
    def of_residues(cls, receptor: Receptor, names: Sequence[str], margin: float = MARGIN) -> Site:
        """The box around named residues, such as ["A:ASP129", "A:PHE330"].

        Raises
        ------
        ReceptorError
            If a residue is not in the receptor; the message names it.
        """
        coords = pdbqt.read(receptor.pdbqt).coords
        points = [coords[receptor.rows(name)] for name in names]
        if not points:
            raise ReceptorError("no residues were named to put the box around")
        return cls.around(np.concatenate(points), margin)

    @property
    def low(self) -> Floats:
        """[3] Å, the corner with the smallest x, y and z."""
        return np.asarray(self.center) - np.asarray(self.size) / 2

    @property
    def high(self) -> Floats:
        """[3] Å, the corner with the largest x, y and z."""
        return np.asarray(self.center) + np.asarray(self.size) / 2

    def contains(self, coords: ArrayLike, slack: float = 0.0) -> bool:
        """Do all points, [atom, 3] Å, lie in the box, or at most `slack` Å outside?"""
        points = np.asarray(coords, dtype=float)
        return bool(((points >= self.low - slack) & (points <= self.high + slack)).all())


def check(receptor: Receptor, site: Site) -> None:
    """Refuse a box that is in the wrong place.

    Raises
    ------
    ReceptorError
        If no receptor atom lies in the box or within 4 Å of it; the message says
        which residue is nearest and how far away it is.
    """
    atoms = pdbqt.read(receptor.pdbqt)
    outside = np.maximum(np.maximum(site.low - atoms.coords, atoms.coords - site.high), 0.0)
    gaps = np.linalg.norm(outside, axis=1)
    nearest = int(gaps.argmin())
    if gaps[nearest] > 4.0:
        center = ", ".join(f"{value:.1f}" for value in site.center)
        middle = ", ".join(f"{value:.1f}" for value in atoms.coords.mean(axis=0))
        raise ReceptorError(
            f"the box at ({center}) Å holds no atom of {receptor.name}: the nearest, {atoms.atoms[nearest].residue}, "
            f"is {gaps[nearest]:.1f} Å outside it, and the receptor's middle is at ({middle}) Å; "
            "move the box, or check that ligand and receptor come from the same file"
        )


def ligand_points(path: str | Path) -> Floats:
    """[atom, 3] Å: heavy atoms of the first molecule in a ligand file.

    Raises
    ------
    ReceptorError
        As `Site.around_file`.
    """
    path = Path(path)
    if not path.is_file():
        raise ReceptorError(f"there is no ligand file {path} to put the box around")
    text = text_of(path)
    kind = Path(path.name.lower().removesuffix(".gz")).suffix
    if kind == ".pdbqt":
        try:
            structure = pdbqt.read(text)
        except pdbqt.PdbqtError as error:
            raise ReceptorError(f"{path}: {error}") from error
        return structure.coords[[kind not in ("H", "HD", "HS") for kind in structure.types]]
    with quiet_rdkit():
        if kind in (".sdf", ".mol", ".sd"):
            mol = Chem.MolFromMolBlock(text.split("$$$$")[0], sanitize=False)
        elif kind == ".mol2":
            mol = Chem.MolFromMol2Block(text, sanitize=False)
        elif kind in (".pdb", ".ent"):
            mol = Chem.MolFromPDBBlock(text, sanitize=False, proximityBonding=False)
        else:
            raise ReceptorError(
                f"{path}: the box can be put around an SDF, MOL, MOL2, PDB or PDBQT file, not {kind!r}"
            )
    if mol is None or not mol.GetNumConformers():
        raise ReceptorError(f"{path} holds no molecule with coordinates")
    points: Floats = np.asarray(mol.GetConformer().GetPositions(), dtype=float)
    return points[[atom.GetAtomicNum() > 1 for atom in mol.GetAtoms()]]


def _triple(values: Floats) -> Triple:
    x, y, z = (round(float(value), 3) for value in values)
    return x, y, z
