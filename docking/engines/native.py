"""Our own docking engine: Vina's energy, searched by many walkers at once in JAX.

The receptor becomes grids once for each site, a ligand becomes arrays of one of eight
shapes, and compiled programs are kept on disk, so that only the first ligand of a
shape ever waits for the compiler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from discovery.devices import memory_gb
from discovery.extras import needs
from discovery.files import cache_folder
from discovery.outcome import Missing, MoleculeError, Reason, each
from docking import maps, pdbqt, side_chains
from docking import site as sites
from docking.atom_types import Floats, Ints, type_atoms
from docking.energy import FUNCTIONS, Atoms, Energies, Function, bucket, in_full, score, scores
from docking.engines.engine import check_fits, ligand_seed
from docking.ligand import Ligand
from docking.ligands.tree import Tree, read_tree
from docking.pose import Pose, equivalent
from docking.receptor import DockingError, Receptor, ReceptorError
from docking.restraints import Restraint
from docking.search import effort as efforts
from docking.search import motion, refine, walk
from docking.search.assembly import Assembly, assembled, parts
from docking.site import Site

with needs("docking"):
    import jax
    import jax.numpy as jnp


# heavy atoms, torsions
SHAPES = ((16, 8), (24, 8), (32, 8), (32, 16), (48, 8), (48, 16), (64, 32), (128, 48))
FEWEST_ROWS = (
    1 << 20
)  # of packed grids, 32 MiB; their number doubles, so that most boxes share a few programs
ROOMY_ROWS = 1 << 25  # 1 GiB; larger grids have no room for types that may come
ROW_BYTES = 32  # eight corners in single precision
SHARE = 0.6  # of the machine's memory that grids may take; there are two copies, and walkers beside them
MOST_TYPES = (
    16  # atom types of a library for which a box makes room at once: one size of grids, no program anew
)


@dataclass(frozen=True, slots=True)
class NativeEngine:
    """Docks in JAX, on whatever device it finds. The same seed gives the same poses, whatever is docked beside them.

    Parameters
    ----------
    effort : "fast", "balanced" or "thorough": how long the search goes on
    scoring : "vina", "vinardo", or a function of your own, such as `replace(VINA, name="mine", weights={...})`
    energy_range : kcal/mol above the best pose
    flexible : side chains that turn, such as ("A:ASP129",)
    beside : ligands that dock at the same time as each of the library
    restraints : wishes about where atoms lie; see docking/restraints.py
    """

    effort: Literal["fast", "balanced", "thorough"] = "balanced"
    scoring: Literal["vina", "vinardo"] | Function = "vina"
    energy_range: float = 3.0
    flexible: tuple[str, ...] = ()
    beside: tuple[Ligand, ...] = ()
    restraints: tuple[Restraint, ...] = ()

    def __post_init__(self) -> None:
        if self.effort not in efforts.EFFORTS:
            raise DockingError(f"effort is fast, balanced or thorough, not {self.effort!r}")
        if not isinstance(self.scoring, Function) and self.scoring not in FUNCTIONS:
            raise DockingError(f"scoring is vina, vinardo or a docking.energy.Function, not {self.scoring!r}")
        if not self.energy_range > 0:
            raise DockingError(f"energy_range must be positive, not {self.energy_range} kcal/mol")

    @property
    def name(self) -> str:
        return "native"

    @property
    def function(self) -> Function:
        return self.scoring if isinstance(self.scoring, Function) else FUNCTIONS[self.scoring]

    @property
    def settings(self) -> Mapping[str, Any]:
        plain: dict[str, Any] = {
            "effort": self.effort,
            "scoring": self.function.name,
            "energy_range": self.energy_range,
        }
        if isinstance(self.scoring, Function):
            plain["weights"] = dict(self.scoring.weights)
        if self.flexible:
            plain["flexible"] = list(self.flexible)
        if self.beside:
            plain["beside"] = [one.digest for one in self.beside]
        if self.restraints:
            plain["restraints"] = [dict(one.settings) for one in self.restraints]
        return plain

    def dock(
        self, receptor: Receptor, site: Site, ligand: Ligand, /, *, seed: int, n_poses: int
    ) -> Sequence[Pose]:
        """As the promise in engine.py."""
        if n_poses < 1:
            raise ValueError(f"at least one pose must be asked for, not {n_poses}")
        place = self._place(receptor, site)
        one = self._subject(place, ligand, seed)
        return self._reported(one, receptor, place, find(place, one, self.effort, n_poses))

    def dock_many(
        self, receptor: Receptor, site: Site, ligands: Sequence[Ligand], /, *, seed: int, n_poses: int
    ) -> Sequence[Sequence[Pose] | Missing]:
        """As `dock`: one by one on a processor, those of one shape side by side on a GPU."""
        place = self._place(receptor, site)
        trees = [tree for tree in each("docking", tree_of, ligands) if not isinstance(tree, Missing)]
        place.prepare({kind for tree in trees for kind in maps.types_of(tree.xs)})
        if efforts.lanes() == 1:
            return each(
                "docking", lambda one: self.dock(receptor, site, one, seed=seed, n_poses=n_poses), ligands
            )
        ready = each("docking", lambda one: self._subject(place, one, seed), ligands)
        minima = side_by_side(place, [one for one in ready if not isinstance(one, Missing)], self.effort)

        def finished(one: Subject) -> list[Pose]:
            problem, field = place.problem(one)
            found = finish(place, one, problem, field, minima[one.key], self.effort, n_poses)
            return self._reported(one, receptor, place, found)

        return each("docking", finished, ready)

    def _place(self, receptor: Receptor, site: Site) -> Place:
        return _place(receptor, site, self.function, self.flexible)

    def _subject(self, place: Place, ligand: Ligand, seed: int) -> Subject:
        """A ligand with all that docks with it and all that is asked of it."""
        check_fits(place.site, ligand)
        one = Subject.alone(ligand, ligand_seed(seed, ligand))
        # What lies beside is no other pose for being the same in another order.
        alike = None if self.beside else relabelled(ligand, one.tree)
        one = replace(one, alike=alike, restraints=self.restraints)
        if not (self.beside or place.chains):
            return one
        bodies = assembled(
            [one.tree, *map(tree_of, self.beside)],
            [chain.tree for chain in place.chains],
            place.site.center,
            place.site.size,
        )
        shape = shape_of(bodies.tree, ligand.molecule.shown)
        return replace(one, tree=bodies.tree, shape=shape, assembly=bodies)

    def _reported(
        self, subject: Subject, receptor: Receptor, place: Place, found: list[tuple[Floats, Energies]]
    ) -> list[Pose]:
        lowest = found[0][1].intra
        every = np.stack([coords for coords, _ in found])
        bodies = subject.assembly
        wholes = subject.ligand.whole(every if bodies is None else every[:, bodies.atoms(0)])
        poses = [
            self._laid(subject, receptor, place, coords, whole, energies, lowest)
            for whole, (coords, energies) in zip(wholes, found, strict=True)
        ]
        best = poses[0].score + found[0][1].restraint
        return [
            pose
            for pose, (_, energies) in zip(poses, found, strict=True)
            if pose.score + energies.restraint <= best + self.energy_range
        ]

    def _laid(
        self,
        subject: Subject,
        receptor: Receptor,
        place: Place,
        coords: Floats,
        whole: Floats,
        energies: Energies,
        lowest: float,
    ) -> Pose:
        """A pose with the side chains and the other ligands that came to lie about it."""
        pose = self._pose(subject.ligand, whole, energies, lowest, subject.tree)
        bodies = subject.assembly
        if bodies is None:
            return pose
        beside = tuple(
            Pose(other, other.whole(coords[bodies.atoms(k)]), pose.score, {}, self.name)
            for k, other in enumerate(self.beside, start=1)
        )
        turned = [coords[bodies.atoms(bodies.ligands + k)] for k in range(len(place.chains))]
        return replace(pose, beside=beside, side_chains=side_chains.pdb(receptor, place.chains, turned))

    def score(self, receptor: Receptor, site: Site, ligand: Ligand, coords: Floats, /) -> Pose:
        """As the promise in engine.py; the number is `vina`'s to its third decimal."""
        tree, docked = tree_of(ligand), ligand.docked(coords)
        place = _place(receptor, site, self.function, ())
        if not place.holds(docked[tree.heavy]):
            raise MoleculeError(
                Reason.OUTSIDE_BOX, f"{ligand.molecule.shown}: the pose to score leaves the box"
            )
        energies = score(self.function, tree, place.atoms, docked)
        return self._pose(ligand, np.asarray(coords, dtype=float), energies, energies.intra, tree)

    def _pose(self, ligand: Ligand, coords: Floats, energies: Energies, unbound: float, tree: Tree) -> Pose:
        """As Vina reports it: intramolecular strain counts relative to the best pose's."""
        weight = self.function.weights["rotor"]
        total = (energies.inter + energies.intra - unbound) / (1.0 + weight * tree.rotors)
        terms = {
            "inter": energies.inter,
            "intra": energies.intra,
            "torsional": total - (energies.inter + energies.intra - unbound),
            "unbound": unbound,
        }
        if self.restraints:
            terms["restraint"] = energies.restraint
        return Pose(ligand, coords, total, terms, self.name)


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What is docked, and what is asked of it."""

    ligand: Ligand
    tree: Tree  # of the ligand, and of what docks with it
    shape: tuple[int, int]  # one of SHAPES
    seed: int
    alike: Ints | None = None  # [relabelling, heavy atom of the ligand]
    assembly: Assembly | None = None
    restraints: tuple[Restraint, ...] = ()

    @classmethod
    def alone(cls, ligand: Ligand, seed: int) -> Subject:
        """A ligand by itself; nothing but its PDBQT is looked at."""
        tree = tree_of(ligand)
        return cls(ligand, tree, shape_of(tree, ligand.molecule.shown), seed)

    @property
    def key(self) -> tuple[str, int]:
        return self.ligand.digest, self.seed


def find(place: Place, one: Subject, effort: str, n_poses: int) -> list[tuple[Floats, Energies]]:
    """Search, refine, and keep what is distinct: [atom, 3] Å in the tree's order with its energies, best first.

    Raises
    ------
    MoleculeError
        NO_PLAUSIBLE_POSE, if every pose found leaves the box.
    """
    keep_programs()
    problem, field = place.problem(one)
    part = efforts.EFFORTS[effort].shared(one.ligand.shapes)
    minima = efforts.seek(place.function, problem, field, jax.random.key(one.seed), part)
    return finish(place, one, problem, field, minima, effort, n_poses)


def finish(
    place: Place,
    one: Subject,
    problem: walk.Problem,
    field: walk.Field,
    minima: efforts.Found,
    effort: str,
    n_poses: int,
) -> list[tuple[Floats, Energies]]:
    """Look closer about what a search found, refine it, and keep what is distinct; as `find`."""
    function, tree, assembly = place.function, one.tree, one.assembly
    ticks = efforts.EFFORTS[effort].close
    minima = refine.closer(function, tree, problem, field, minima, one.seed, ticks)
    conf, _ = refine.poses(function, tree, place.atoms, problem, field, minima)
    settled = motion.settled(tree, *(np.asarray(part, dtype=float).T for part in conf))
    mine = tree.heavy if assembly is None else tree.heavy & assembly.of_ligands
    inside = [coords for coords in settled if place.holds(coords[mine])]
    if not inside:
        edges = " x ".join(f"{edge:.1f}" for edge in place.site.size)
        raise MoleculeError(
            Reason.NO_PLAUSIBLE_POSE,
            f"{one.ligand.molecule.shown} found no pose inside the box of {edges} Å; enlarge the box",
        )
    if assembly is None:
        energies = scores(function, tree, place.atoms, np.stack(inside))
    else:
        energies = [parts(function, assembly, place.atoms, coords).energies for coords in inside]
    if problem.bias:
        costs = restrained(problem, np.stack(inside)[:, tree.heavy])
        energies = [
            energy._replace(restraint=float(cost)) for energy, cost in zip(energies, costs, strict=True)
        ]
    sums = np.array([energy.inter + energy.intra + energy.restraint for energy in energies])
    chosen = refine.distinct(np.stack(inside)[:, mine], sums, n_poses, alike=one.alike)
    return [(inside[k], energies[k]) for k in chosen.tolist()]


def restrained(problem: walk.Problem, coords: Floats) -> Floats:
    """[pose, heavy atom, 3] Å -> [pose] kcal/mol, what the restraints cost."""
    atoms = problem.slot.shape[0]
    padded = np.zeros((atoms, 3, len(coords)), np.float32)
    padded[: coords.shape[1]] = coords.transpose(1, 2, 0)
    costs = [np.asarray(in_full(term)(jnp.asarray(padded)), dtype=float) for term in problem.bias or ()]
    return np.asarray(np.sum(costs, axis=0))


def relabelled(ligand: Ligand, tree: Tree) -> Ints:
    """[relabelling, row]: ways to exchange equivalent heavy atoms, in the order of the tree's heavy atoms."""
    mol = ligand.mol()
    ranks = np.cumsum([atom.GetAtomicNum() > 1 for atom in mol.GetAtoms()]) - 1
    rank = ranks[[ligand.atoms[atom] for atom in np.flatnonzero(tree.heavy).tolist()]]  # of each row
    if len(rank) != ranks[-1] + 1:  # a dummy that closes a macrocycle is no atom of the molecule
        return np.arange(len(rank))[None]
    row = np.argsort(rank)
    return np.asarray(row[equivalent(mol)[:, rank]])


@lru_cache(maxsize=1024)
def tree_of(ligand: Ligand) -> Tree:
    """A ligand's tree.

    Raises
    ------
    MoleculeError
        If its PDBQT holds nothing to dock.
    """
    try:
        return read_tree(pdbqt.read(ligand.pdbqt))
    except pdbqt.PdbqtError as error:
        raise MoleculeError(Reason.UNPREPARED, f"{ligand.molecule.shown}: {error}") from error


def shape_of(tree: Tree, shown: str) -> tuple[int, int]:
    """The smallest of `SHAPES` that holds a ligand.

    Raises
    ------
    MoleculeError
        TOO_LARGE, if none does.
    """
    heavy, torsions = int(tree.heavy.sum()), len(motion.turning(tree)) - 1 + motion.hangs(tree)
    for atoms, most in SHAPES:
        if heavy <= atoms and torsions <= most:
            return atoms, most
    raise MoleculeError(
        Reason.TOO_LARGE,
        f"{shown} has {heavy} heavy atoms and {torsions} torsions; "
        f"docking takes {SHAPES[-1][0]} and {SHAPES[-1][1]} at most",
    )


def side_by_side(
    place: Place, subjects: Sequence[Subject], effort: str
) -> dict[tuple[str, int], efforts.Found]:
    """Searches of many ligands, those of one shape together, always as many as the device takes at once."""
    keep_programs()
    width = efforts.lanes()
    found = {}
    for shape in SHAPES:
        group = list({one.key: one for one in subjects if one.shape == shape}.values())
        for first in range(0, len(group), width):
            some = group[first : first + width]
            full = some + [some[0]] * (width - len(some))
            problems, fields = zip(*map(place.problem, full), strict=True)
            keys = [jax.random.key(one.seed) for one in full]
            parts = [efforts.EFFORTS[effort].shared(one.ligand.shapes) for one in full]
            answers = efforts.seek_many(place.function, problems, fields[0], keys, parts)
            found.update({one.key: answer for one, answer in zip(some, answers, strict=False)})
    return found


def rows_of(points: int, types: int) -> int:
    """Rows that packed grids are padded to: decided by the box alone, whatever types a library holds, unless it is large."""
    roomy = bucket(points * max(types, MOST_TYPES), FEWEST_ROWS)
    return roomy if roomy <= ROOMY_ROWS else -(-points * types // FEWEST_ROWS) * FEWEST_ROWS


def check_room(site: Site, points: int, types: int, gb: float) -> None:
    """Refuse a box whose grids do not fit into memory.

    Parameters
    ----------
    points : of one grid
    gb : GiB that there are

    Raises
    ------
    ReceptorError
        They need more than `SHARE` of it; the message says how much, and what to do.
    """
    needed = (2 * ROW_BYTES * rows_of(points, types) + 8 * points * types) / 2**30
    if needed > SHARE * gb:
        edges = " x ".join(f"{edge:.0f}" for edge in site.size)
        raise ReceptorError(
            f"the grids of a box of {edges} Å take {needed:.1f} GB for {types} atom types, and this machine has {gb:.1f} GB: "
            "make the box smaller, or dock into several boxes; --pocket finds likely ones"
        )


class Place:
    """A receptor's atoms about one site, and its grids, which grow as new atom types come along.

    A type's grid does not depend on which others were built with it.
    """

    def __init__(
        self, receptor: Receptor, site: Site, function: Function, flexible: Sequence[str] = ()
    ) -> None:
        structure = pdbqt.read(receptor.pdbqt)
        self.site, self.function = site, function
        self.chains = tuple(side_chains.cut(receptor, flexible, site)) if flexible else ()
        self.atoms = Atoms(structure.coords, type_atoms(structure).xs)
        if self.chains:
            rigid = side_chains.left(receptor, self.chains)
            self.atoms = Atoms(structure.coords[rigid], np.asarray(self.atoms.xs)[rigid])
        self._grid: maps.Grid | None = None
        self._field: walk.Field | None = None

    def prepare(self, types: set[int]) -> None:
        """Build the grids of all types that are not there yet."""
        old = self._grid
        missing = sorted(types - set(old.types if old else ()))
        if not missing:
            return
        low, high = maps.span(self.site.center, self.site.size)
        points = int(np.prod(np.rint((high - low) / maps.SPACING) + 1))
        check_room(self.site, points, len(missing) + (len(old.types) if old else 0), memory_gb())
        new = maps.build(self.function, self.atoms, self.site.center, self.site.size, missing)
        if old is not None:
            new = maps.Grid(
                np.concatenate([old.values, new.values]), old.types + new.types, old.low, old.spacing
            )
        self._grid = new
        self._field = walk.field(new, rows_of(new.values[0].size, len(new.types)))

    def problem(self, one: Subject) -> tuple[walk.Problem, walk.Field]:
        """A ligand and the grids as the search takes them."""
        self.prepare(set(maps.types_of(one.tree.xs)))
        if self._field is None or self._grid is None:
            raise AssertionError("a ligand without types has no tree")
        types, tight = self._grid.types, efforts.lanes() == 1
        problem = walk.problem(self.function, one.tree, types, *one.shape, tight=tight)
        if one.restraints:
            terms = tuple(wish.bind(one.ligand, one.tree, one.shape[0]) for wish in one.restraints)
            problem = problem._replace(bias=terms)
        return problem, self._field

    def holds(self, coords: Floats) -> bool:
        """Do all points lie in the box? As Vina's, it is whole cells of the grid, up to 0.19 Å wider a side."""
        low, high = maps.span(self.site.center, self.site.size)
        return bool(((coords >= low) & (coords <= high)).all())


@lru_cache(maxsize=4)
def _place(receptor: Receptor, site: Site, function: Function, flexible: tuple[str, ...]) -> Place:
    keep_programs()  # before anything is compiled: the grids are, too
    sites.check(receptor, site)
    return Place(receptor, site, function, flexible)


@lru_cache(maxsize=1)
def keep_programs() -> Path | None:
    """Let JAX keep compiled programs between processes, unless the user chose a place already."""
    if jax.config.values["jax_compilation_cache_dir"]:
        return None
    folder = cache_folder("jax-one-thread")
    update: Callable[[str, Any], None] = jax.config.update
    update("jax_compilation_cache_dir", str(folder))
    update("jax_persistent_cache_min_compile_time_secs", 0.0)
    return folder
