"""Several bodies at once; the reference is AutoDock Vina, and the laws of rigid bodies."""

from __future__ import annotations

import tempfile
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from docking import demo_target, ligand, pdbqt, side_chains
from docking.atom_types import type_atoms
from docking.energy import VINA, Atoms
from docking.ligands.tree import WORLD, read_tree
from docking.search import motion
from docking.search.assembly import Assembly, assembled, parts
from docking.search.motion import Conf
from tests.docking.complexes import ligand_pdbqt, needs_shared, shared
from tests.docking.test_energy import AGREE

vina = pytest.importorskip("vina")

RECEPTOR, SITE = demo_target.receptor(), demo_target.site()
BOUND = ligand.of_mol(demo_target.reference())
NAMES = ["A:ASP129", "B:PHE330", "B:PHE331"]
CENTER, SIZE = list(SITE.center), list(SITE.size)


def flex_text(whole: pdbqt.Structure, name: str) -> str:
    """A flexible residue as Vina reads it, drawn from the tree that is tested."""
    where = [i for i, atom in enumerate(whole.atoms) if atom.residue == name]
    _, drawn = side_chains._structure(whole, where, whole.atoms[where[0]].resname, name)

    def inside(node: int) -> list[str]:
        own = [i for i, atom in enumerate(drawn.atoms) if atom.node == node]
        if node:
            first = drawn.branches[node - 1].moving
            own.sort(key=lambda i: i != first)
        out = [drawn.atoms[i].line(drawn.coords[i]) for i in own]
        if not node:
            out = ["ROOT", *out, "ENDROOT"]
        for branch in drawn.branches:
            if branch.parent == node:
                ends = f"{branch.anchor + 1:4d}{branch.moving + 1:4d}"
                out += [f"BRANCH{ends}", *inside(branch.node), f"ENDBRANCH{ends}"]
        return out

    title = f"{drawn.atoms[0].resname} {drawn.atoms[0].chain} {drawn.atoms[0].number}"
    return "\n".join([f"BEGIN_RES {title}", *inside(0), f"END_RES {title}"]) + "\n"


def by_vina(rigid: str, flex: str, ligands: list[str], center: list[float], size: list[float]) -> list[float]:
    program = vina.Vina("vina", cpu=1, verbosity=0)
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, name) for name in ("rigid.pdbqt", "flex.pdbqt")]
        files[0].write_text(rigid)
        files[1].write_text(flex)
        program.set_receptor(str(files[0]), str(files[1]) if flex else None)
    program.set_ligand_from_string(ligands if len(ligands) > 1 else ligands[0])
    program.compute_vina_maps(center, size, spacing=2.0)
    return [float(value) for value in program.score()]


def agree(assembly: Assembly, receptor: Atoms, theirs: list[float]) -> None:
    told = parts(VINA, assembly, receptor)
    ours = [
        told.ligand_receptor, told.between, told.side_chain_receptor, told.side_chain_side_chain, told.ligand_inside,
    ]  # fmt: skip
    assert ours == pytest.approx(theirs[1:6], abs=AGREE)
    # Vina takes the side chains' energy on its grid for strain: see parts()
    strain = told.side_chain_receptor + told.side_chain_side_chain + told.ligand_inside - theirs[7]
    penalty = 1.0 + VINA.weights["rotor"] * assembly.tree.rotors
    assert told.total + strain / penalty == pytest.approx(theirs[0], abs=AGREE)


def test_flexible_side_chains_score_as_vinas() -> None:
    """Reference: `vina` 1.2.7 with the same residues in its flexible file, each term apart."""
    whole = pdbqt.read(RECEPTOR.pdbqt)
    chains = side_chains.cut(RECEPTOR, NAMES, SITE)
    stays = side_chains.left(RECEPTOR, chains)
    lines = RECEPTOR.pdbqt.splitlines()
    rigid = "\n".join(line for line, keep in zip(lines, stays, strict=False) if keep) + "\nTER\n"
    assert len(pdbqt.read(rigid).atoms) == stays.sum()
    receptor = Atoms(whole.coords[stays], type_atoms(whole).xs[stays])
    both = assembled([read_tree(pdbqt.read(BOUND.pdbqt))], [chain.tree for chain in chains], CENTER, SIZE)
    theirs = by_vina(rigid, "".join(flex_text(whole, name) for name in NAMES), [BOUND.pdbqt], CENTER, SIZE)
    assert abs(theirs[2]) > 0.1
    assert abs(theirs[3]) > 0.1
    agree(both, receptor, theirs)


@needs_shared
def test_vinas_own_flexible_example_scores_as_vinas() -> None:
    """Reference: `vina` 1.2.7 on its example of 1fpu with THR 315 flexible."""
    texts, stem = shared("vina_examples"), "vina_examples/example/flexible_docking/solution"
    rigid, flex = (texts[f"{stem}/1fpu_receptor_{what}.pdbqt"] for what in ("rigid", "flex"))
    drug, box = texts[f"{stem}/1iep_ligand.pdbqt"], ([15.19, 53.903, 16.917], [24.0, 24.0, 24.0])
    atoms = [line for line in (rigid + flex).splitlines() if line.startswith(("ATOM", "HETATM"))]
    whole = side_chains.Receptor("1fpu", "", "\n".join(atoms) + "\n")
    chains, structure = side_chains.cut(whole, ["A:THR315"]), pdbqt.read(whole.pdbqt)
    stays = side_chains.left(whole, chains)
    both = assembled([read_tree(pdbqt.read(drug))], [chain.tree for chain in chains], *box)
    receptor = Atoms(structure.coords[stays], type_atoms(structure).xs[stays])
    agree(both, receptor, by_vina(rigid, flex, [drug], *box))


def pair_of_ligands() -> tuple[list[str], Assembly]:
    texts = []
    for smiles, shift in (("NCCc1ccc(O)cc1", [-3.0, 0.5, 0.0]), ("CC(=O)NCCO", [3.5, 0.0, 1.0])):
        text = ligand_pdbqt(smiles)
        texts.append(pdbqt.moved(text, pdbqt.read(text).coords + np.array(CENTER) + shift))
    return texts, assembled([read_tree(pdbqt.read(text)) for text in texts], [], CENTER, SIZE)


def test_two_ligands_score_as_vinas() -> None:
    """Reference: `vina` 1.2.7 with both ligands at once."""
    texts, both = pair_of_ligands()
    whole = pdbqt.read(RECEPTOR.pdbqt)
    agree(both, Atoms(whole.coords, type_atoms(whole).xs), by_vina(RECEPTOR.pdbqt, "", texts, CENTER, SIZE))


def mixture() -> Assembly:
    texts, _ = pair_of_ligands()
    chains = side_chains.cut(RECEPTOR, NAMES[:2])
    return assembled([read_tree(pdbqt.read(text)) for text in texts], [c.tree for c in chains], CENTER, SIZE)


def some_conf(tree, torsions: int, poses: int) -> Conf:
    rng = np.random.default_rng(5)
    turn = rng.normal(size=(4, poses))
    used = len(motion.turning(tree)) - 1
    torsion = np.zeros((torsions, poses))
    torsion[:used] = rng.uniform(-2, 2, size=(used, poses))
    return Conf(
        jnp.asarray(rng.normal(size=(3, poses)), jnp.float32),
        jnp.asarray(turn / np.linalg.norm(turn, axis=0), jnp.float32),
        jnp.asarray(torsion, jnp.float32),
    )


def test_bodies_move_rigidly_and_what_is_fixed_stays() -> None:
    both = mixture()
    tree, conf = both.tree, some_conf(both.tree, 32, 2)
    shape = motion.layout(tree, 64, 32)
    placed = np.asarray(motion.place(shape, motion.transforms(shape, conf)))
    for pose in range(2):
        moved = motion.settled(tree, *(np.asarray(part, dtype=float)[:, pose] for part in conf))
        assert placed[: tree.heavy.sum(), :, pose] == pytest.approx(moved[tree.heavy], abs=1e-4)
        fixed = tree.node == WORLD
        assert fixed.sum() >= 4
        assert moved[fixed] == pytest.approx(tree.coords[fixed], abs=1e-9)
        for node in range(len(tree.parent)):
            mine = tree.node == node
            before, after = (
                np.linalg.norm(xyz[mine][:, None] - xyz[mine][None], axis=-1) for xyz in (tree.coords, moved)
            )
            assert after == pytest.approx(before, abs=1e-8)


def test_slopes_are_those_of_the_energy() -> None:
    """Reference: central differences of a sum of squared distances, for every degree of freedom of every body."""
    both = mixture()
    tree, conf = both.tree, some_conf(both.tree, 32, 1)
    shape = motion.layout(tree, 64, 32)
    target = np.random.default_rng(1).normal(scale=3.0, size=(64, 3, 1)) + np.array(CENTER)[:, None]
    seen = np.zeros((64, 1, 1))
    seen[: tree.heavy.sum()] = 1.0

    def coords(step: np.ndarray) -> np.ndarray:
        there = motion.displaced(conf, jnp.asarray(step[:, None], jnp.float32))
        xyz = motion.settled(tree, *(np.asarray(part, dtype=float)[:, 0] for part in there))
        return xyz[tree.heavy]

    def energy(step: np.ndarray) -> float:
        return float(np.square(coords(step) - target[: tree.heavy.sum(), :, 0]).sum())

    frames = motion.transforms(shape, conf)
    placed = motion.place(shape, frames)
    slope = np.asarray(
        motion.pull(shape, frames, placed, jnp.asarray(2.0 * (placed - target) * seen, jnp.float32))
    )
    used, h = 6 + len(motion.turning(tree)) - 1, 2e-3
    for dof in range(used):
        step = np.zeros(38)
        step[dof] = h
        told = (energy(step) - energy(-step)) / (2 * h)
        assert float(slope[dof, 0]) == pytest.approx(told, rel=2e-3, abs=0.5), dof
