"""What else should a pose obey: a contact that must be made, a place, a known ligand's likeness?

Each restraint becomes, for a ligand, a plain JAX function of coordinates, which search
and refinement add to the energy they descend. The score stays the scoring function's;
what the restraints cost is told beside it. Any object with the shape of `Restraint` may
join these: `bind` gives `jax.tree_util.Partial(function, arrays)`, and as long as the
arrays have the same shapes for all ligands, nothing is compiled anew.

References
----------
.. [1] J. Grant, M. Gallardo, B. Pickup, J. Comput. Chem. 17 (1996) 1653,
   doi:10.1002/(SICI)1096-987X(19961115)17:14<1653::AID-JCC7>3.0.CO;2-K (Gaussian shapes)
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

import numpy as np
from rdkit import Chem

from discovery.extras import needs
from discovery.molecule import quiet_rdkit
from discovery.outcome import MoleculeError, Reason
from docking import pdbqt
from docking.atom_types import ACCEPTOR, DONOR, HYDROPHOBIC, UNTYPED, Floats, type_atoms
from docking.ligand import Ligand, of_mol
from docking.ligands.tree import Tree
from docking.pose import reference_block, reference_mol
from docking.receptor import DockingError, Receptor

with needs("docking"):
    import jax
    import jax.numpy as jnp
    from jax.tree_util import Partial


WAYS = 32  # most ways in which a ligand's atoms may meet a restraint
MEMBERS = 48  # most atoms of a core
LIKENESS = 96  # most heavy atoms of a reference ligand
WIDTH = 1.5  # Å, of the Gaussians about atoms
STRENGTH = 5.0  # kcal/mol/Å², or kcal/mol for a likeness


@runtime_checkable
class Restraint(Protocol):
    """A wish about poses."""

    @property
    def settings(self) -> Mapping[str, Any]: ...  # plain JSON values

    def bind(self, ligand: Ligand, tree: Tree, atoms: int) -> Partial:
        """[atom, 3, pose] Å of the tree's heavy atoms, padded to `atoms` -> [pose] kcal/mol, 0 where the wish is met.

        The ligand's atoms come first in the tree, whatever docks beside it.

        Raises
        ------
        MoleculeError
            The ligand cannot meet it: UNSUPPORTED, naming what it lacks.
        """
        ...


class Ways(NamedTuple):
    """Ways to meet a distance or a place: each a group of atoms, their targets and a tolerance."""

    row: jax.Array  # [way, member] int, rows of heavy atoms
    target: jax.Array  # [way, member, 3] Å
    weight: jax.Array  # [way, member], adding up to 1 in each way in use, 0 where padded
    unused: jax.Array  # [way] kcal/mol, so high that a padded way is never the best
    low: jax.Array  # [] Å
    high: jax.Array  # [] Å
    strength: jax.Array  # [] kcal/mol/Å²


def spring(ways: Ways, coords: jax.Array) -> jax.Array:
    """[atom, 3, pose] Å -> [pose] kcal/mol: the least of the ways, quadratic outside the tolerance."""
    apart = coords[ways.row] - ways.target[..., None]  # [way, member, 3, pose]
    square = (jnp.square(apart).sum(axis=2) * ways.weight[..., None]).sum(axis=1)
    distance = jnp.sqrt(square + 1e-8)
    off = jnp.maximum(distance - ways.high, 0.0) + jnp.maximum(ways.low - distance, 0.0)
    return jnp.min(ways.strength * jnp.square(off) + ways.unused[:, None], axis=0)


class Likeness(NamedTuple):
    """A reference ligand's atoms, what they are like, and the ligand's own."""

    place: jax.Array  # [reference, 3] Å
    like: jax.Array  # [reference, trait]
    own: jax.Array  # [atom, trait]
    whole: jax.Array  # [trait], overlap of the reference with itself
    strength: jax.Array  # [] kcal/mol


def overlap(asked: Likeness, coords: jax.Array) -> jax.Array:
    """[atom, 3, pose] Å -> [pose] kcal/mol: `strength` where nothing overlaps, 0 where all of the reference does.

    Shape and each trait (hydrophobic, donor, acceptor) that the reference has count alike. Reference [1], equation 3.
    """
    # [atom, reference, pose]
    near = sum(jnp.square(coords[:, None, k] - asked.place[None, :, k, None]) for k in range(3))
    bell = jnp.exp(-0.5 * near / WIDTH**2)
    share = jnp.einsum("ag,arp,rg->gp", asked.own, bell, asked.like) / jnp.maximum(asked.whole, 1e-6)[:, None]
    counts = (asked.whole > 0.0)[:, None]
    mean = jnp.where(counts, jnp.minimum(share, 1.0), 0.0).sum(axis=0) / counts.sum()
    return asked.strength * (1.0 - mean)


# ------------------------------------------------------------------------------------------ wishes


@dataclass(frozen=True, slots=True)
class Near:
    """An atom of the ligand keeps its distance from points: a receptor's atoms, or a place.

    Of several atoms that match and several points, the nearest pair counts.
    """

    ligand: str  # SMARTS; its first atom is the one that counts
    points: tuple[tuple[float, float, float], ...]  # Å
    at_most: float  # Å
    at_least: float = 0.0  # Å
    strength: float = STRENGTH  # kcal/mol/Å²
    name: str = ""  # of the points, for messages

    def __post_init__(self) -> None:
        _check(self.strength, self.at_least, self.at_most)
        _pattern(self.ligand)
        if not self.points or not np.isfinite(self.points).all():
            raise DockingError(f"a restraint on {self.ligand} needs points with finite coordinates")

    @property
    def settings(self) -> Mapping[str, Any]:
        return {
            "ligand": self.ligand, "points": [list(p) for p in self.points], "at_most": self.at_most,
            "at_least": self.at_least, "strength": self.strength,
        }  # fmt: skip

    def bind(self, ligand: Ligand, tree: Tree, atoms: int) -> Partial:
        rows = sorted({hit[0] for hit in _matches(ligand, tree, self.ligand)})
        ways = [([row], [point]) for row in rows for point in self.points][:WAYS]
        return _bound(spring, _ways(ways, 1, self.at_least, self.at_most, self.strength))


@dataclass(frozen=True, slots=True)
class Core:
    """A substructure lies where a reference ligand has it, within a root mean square distance."""

    core: str  # SMARTS
    reference: str  # mol block with coordinates
    at_most: float = 1.0  # Å
    strength: float = STRENGTH  # kcal/mol/Å²

    def __post_init__(self) -> None:
        _check(self.strength, 0.0, self.at_most)
        if not reference_mol(self.reference).GetSubstructMatches(_pattern(self.core)):
            raise DockingError(f"the reference ligand has no {self.core}")

    @property
    def settings(self) -> Mapping[str, Any]:
        return {
            "core": self.core, "reference": self.reference, "at_most": self.at_most, "strength": self.strength,
        }  # fmt: skip

    def bind(self, ligand: Ligand, tree: Tree, atoms: int) -> Partial:
        known = reference_mol(self.reference)
        where = np.asarray(known.GetConformer().GetPositions())
        first = known.GetSubstructMatches(_pattern(self.core))[0]
        hits = _matches(ligand, tree, self.core)
        if len(first) > MEMBERS:
            raise DockingError(f"a core holds {MEMBERS} atoms at most; {self.core} has {len(first)}")
        ways = [(list(hit), where[list(first)].tolist()) for hit in hits][:WAYS]
        return _bound(spring, _ways(ways, MEMBERS, 0.0, self.at_most, self.strength))


@dataclass(frozen=True, slots=True)
class Like:
    """A pose covers a reference ligand: its shape, and where it is hydrophobic, gives or takes hydrogen bonds."""

    reference: str  # mol block with coordinates
    strength: float = STRENGTH  # kcal/mol for no likeness at all

    def __post_init__(self) -> None:
        _check(self.strength, 0.0, 1.0)
        heavy = reference_mol(self.reference).GetNumHeavyAtoms()
        if not 0 < heavy <= LIKENESS:
            raise DockingError(
                f"the reference ligand has {heavy} heavy atoms; likeness takes 1 to {LIKENESS}"
            )

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"like": self.reference, "strength": self.strength}

    def bind(self, ligand: Ligand, tree: Tree, atoms: int) -> Partial:
        known = of_mol(reference_mol(self.reference))
        structure = pdbqt.read(known.pdbqt)
        xs = type_atoms(structure).xs
        heavy = np.flatnonzero(xs != UNTYPED)
        place, like = np.full((LIKENESS, 3), 1e3), np.zeros((LIKENESS, 4))
        place[: len(heavy)], like[: len(heavy)] = structure.coords[heavy], _traits(xs[heavy])
        near = np.square(structure.coords[heavy][:, None] - structure.coords[heavy][None]).sum(axis=-1)
        mine = tree.xs[: len(ligand.atoms)]
        own = np.zeros((atoms, 4))
        own[: int((mine != UNTYPED).sum())] = _traits(mine[mine != UNTYPED])
        whole = np.einsum(
            "ag,ar,rg->g", like[: len(heavy)], np.exp(-0.5 * near / WIDTH**2), like[: len(heavy)]
        )
        return _bound(overlap, Likeness(*map(_single, (place, like, own, whole, np.array(self.strength)))))


def _bound(function: Callable[..., jax.Array], data: Any) -> Partial:
    """A function of coordinates whose arrays may change without compiling anything anew."""
    return Partial(function, data)  # type: ignore[no-untyped-call]


def _traits(xs: Any) -> Floats:
    """[atom, trait]: there at all, hydrophobic, donor, acceptor."""
    return np.stack([np.ones(len(xs)), HYDROPHOBIC[xs], DONOR[xs], ACCEPTOR[xs]], axis=1).astype(float)


def _single(values: Floats) -> jax.Array:
    single: jax.Array = jax.device_put(np.asarray(values, np.float32))
    return single


def _ways(
    ways: Sequence[tuple[Sequence[int], Sequence[Sequence[float]]]],
    members: int,
    low: float,
    high: float,
    strength: float,
) -> Ways:
    row, target = np.zeros((WAYS, members), np.int32), np.zeros((WAYS, members, 3))
    weight, unused = np.zeros((WAYS, members)), np.full(WAYS, 1e6)
    for k, (atoms, points) in enumerate(ways):
        row[k, : len(atoms)], target[k, : len(atoms)] = atoms, points
        weight[k, : len(atoms)], unused[k] = 1.0 / len(atoms), 0.0
    return Ways(
        jax.device_put(row),
        *map(_single, (target, weight, unused)),
        *(_single(np.array(x)) for x in (low, high, strength)),
    )


def _matches(ligand: Ligand, tree: Tree, smarts: str) -> list[tuple[int, ...]]:
    """Rows of the ligand's heavy atoms, one tuple for each way to match."""
    mol = ligand.mol()
    row_of = {
        ligand.atoms[atom]: row
        for row, atom in enumerate(np.flatnonzero(tree.heavy[: len(ligand.atoms)]).tolist())
    }
    hits = mol.GetSubstructMatches(_pattern(smarts), uniquify=False, maxMatches=10 * WAYS)
    rows = sorted({tuple(row_of[i] for i in hit) for hit in hits if all(i in row_of for i in hit)})
    if not rows:
        raise MoleculeError(
            Reason.UNSUPPORTED, f"{ligand.molecule.shown} has no {smarts}, on which a restraint was put"
        )
    return rows


def _pattern(smarts: str) -> Chem.Mol:
    with quiet_rdkit():
        pattern = Chem.MolFromSmarts(smarts)
    if pattern is None or not pattern.GetNumAtoms():
        raise DockingError(f"{smarts!r} is no SMARTS that can be read")
    return pattern


def _check(strength: float, low: float, high: float) -> None:
    if not (math.isfinite(strength) and strength > 0.0):
        raise DockingError(f"a restraint's strength must be positive, not {strength}")
    if not (math.isfinite(high) and 0.0 <= low <= high):
        raise DockingError(f"a restraint's distance lies between at_least ({low} Å) and at_most ({high} Å)")


# ------------------------------------------------------------------------------------------ files


def read(path: str | Path, receptor: Receptor) -> tuple[Restraint, ...]:
    """Restraints from a TOML file: tables `distance`, `position`, `core` and `like`, each as often as you like.

    ::

        [[distance]]                      # an amine near an acid
        ligand = "[NX4+]"                 # SMARTS, its first atom counts
        receptor = "A:ASP129:OD1,OD2"     # the nearer of these
        at_most = 3.5                     # Å; at_least and strength may be given too

        [[position]]
        ligand = "c1ccccc1"
        center = [12.1, 3.0, -4.5]
        at_most = 1.5

        [[core]]
        core = "c1ccc2[nH]ccc2c1"
        reference = "known.sdf"           # beside this file
        at_most = 1.0

        [[like]]
        reference = "known.sdf"
        strength = 5.0                    # kcal/mol

    Raises
    ------
    DockingError
        The file cannot be read, or a table in it; the message says which.
    """
    path = Path(path)
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DockingError(f"there is no readable restraint file {path}: {error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DockingError(f"{path} is no TOML: {error}") from error
    found: list[Restraint] = []
    for kind, rows in tables.items():
        if kind not in _MAKERS:
            raise DockingError(f"{path}: there is no restraint [[{kind}]]; there are {', '.join(_MAKERS)}")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise DockingError(f"{path}: write [[{kind}]], in double brackets")
        for number, row in enumerate(rows, start=1):
            where = f"{path}, [[{kind}]] number {number}"
            try:
                found.append(_MAKERS[kind](dict(row), receptor, path.parent))
            except KeyError as error:
                raise DockingError(f"{where} lacks {error.args[0]}") from error
            except (DockingError, TypeError, ValueError) as error:
                raise DockingError(f"{where}: {error}") from error
    if not found:
        raise DockingError(f"{path} holds no restraint; write [[{']], [['.join(_MAKERS)}]]")
    return tuple(found)


def points_of(receptor: Receptor, name: str) -> tuple[tuple[float, float, float], ...]:
    """[point] Å of "A:ASP129:OD1,OD2", or of all of a residue's atoms, "A:ASP129".

    Raises
    ------
    DockingError
        There is no such residue or atom.
    """
    chain, _, rest = receptor.named(name).partition(":")
    residue, _, wanted = rest.partition(":")
    structure, here = pdbqt.read(receptor.pdbqt), receptor.rows(f"{chain}:{residue}")
    names = [atom.strip() for atom in wanted.split(",") if atom.strip()]
    known = {structure.atoms[k].name: k for k in here}
    absent = [atom for atom in names if atom not in known]
    if absent:
        raise DockingError(f"{chain}:{residue} has no atom {', '.join(absent)}; it has {', '.join(known)}")
    chosen = [known[atom] for atom in names] or here
    return tuple((float(x), float(y), float(z)) for x, y, z in structure.coords[chosen])


def _distance(row: dict[str, Any], receptor: Receptor, folder: Path) -> Restraint:
    name = row.pop("receptor")
    return Near(
        row.pop("ligand"), points_of(receptor, name), float(row.pop("at_most")), name=name, **_plain(row)
    )


def _position(row: dict[str, Any], receptor: Receptor, folder: Path) -> Restraint:
    x, y, z = (float(value) for value in row.pop("center"))
    return Near(row.pop("ligand"), ((x, y, z),), float(row.pop("at_most")), **_plain(row))


def _core(row: dict[str, Any], receptor: Receptor, folder: Path) -> Restraint:
    return Core(row.pop("core"), reference_block(folder / row.pop("reference")), **_plain(row))


def _like(row: dict[str, Any], receptor: Receptor, folder: Path) -> Restraint:
    return Like(reference_block(folder / row.pop("reference")), **_plain(row))


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: float(value) for key, value in row.items()}


_MAKERS = {"distance": _distance, "position": _position, "core": _core, "like": _like}
