"""Side chains cut out and put back; references are counts from textbooks and the laws of rigid bodies."""

from __future__ import annotations

import numpy as np
import pytest

from docking import demo_target, pdbqt, side_chains
from docking.protein.structure import parse
from docking.receptor import DockingError, ReceptorError
from docking.search import motion
from docking.site import Site

RECEPTOR = demo_target.receptor()


def first_of(kind: str) -> str:
    return next(atom.residue for atom in pdbqt.read(RECEPTOR.pdbqt).atoms if atom.resname == kind)


@pytest.mark.parametrize(
    ("kind", "torsions"),  # chi angles (Dunbrack), and a turning hydroxyl, thiol or ammonium
    [("VAL", 1), ("LEU", 2), ("PHE", 2), ("ASP", 2), ("SER", 2), ("THR", 2), ("TYR", 3), ("MET", 3),
     ("GLU", 3), ("LYS", 5), ("ARG", 4), ("TRP", 2)],
)  # fmt: skip
def test_a_side_chain_turns_about_its_chi_angles(kind: str, torsions: int) -> None:
    (chain,) = side_chains.cut(RECEPTOR, [first_of(kind)])
    assert chain.tree.torsions == torsions
    names = [pdbqt.read(RECEPTOR.pdbqt).atoms[i].name for i in chain.atoms]
    fixed = {name for name, node in zip(names, chain.tree.node, strict=True) if node == 0}
    assert fixed == {"CA", "CB"}


def test_a_turned_side_chain_keeps_its_bonds_hydrogens_included() -> None:
    name = first_of("PHE")
    (chain,) = side_chains.cut(RECEPTOR, [name])
    turned = motion.settled(
        chain.tree, chain.tree.coords[chain.tree.axis[0, 0]], np.array([1.0, 0, 0, 0]), np.array([1.1, 0.4])
    )
    after = side_chains.applied(RECEPTOR, side_chains.pdb(RECEPTOR, [chain], [turned]))
    one, other = ([a for a in parse(r.pdb, "r").atoms if a.residue == name] for r in (RECEPTOR, after))
    before, now = (np.array([a.xyz for a in atoms]) for atoms in (one, other))
    bonds = np.linalg.norm(before[:, None] - before[None], axis=-1)
    close = (bonds < 1.7) & (bonds > 0)
    assert close.sum() > 30
    assert np.linalg.norm(now[:, None] - now[None], axis=-1)[close] == pytest.approx(bonds[close], abs=0.02)
    assert np.abs(now - before).max() > 1.0
    backbone = [k for k, a in enumerate(one) if a.name in ("N", "CA", "C", "O", "CB")]
    assert now[backbone] == pytest.approx(before[backbone], abs=2e-3)
    others = [[a.xyz for a in parse(r.pdb, "r").atoms if a.residue != name] for r in (RECEPTOR, after)]
    assert others[0] == others[1]


def test_putting_back_what_was_not_turned_changes_nothing() -> None:
    chains = side_chains.cut(RECEPTOR, [first_of("LYS"), first_of("TYR")])
    text = side_chains.pdb(RECEPTOR, chains, [chain.tree.coords for chain in chains])
    assert side_chains.applied(RECEPTOR, text).pdbqt.split() == RECEPTOR.pdbqt.split()
    assert side_chains.applied(RECEPTOR, "") is RECEPTOR


def test_what_cannot_turn_is_refused_by_name() -> None:
    with pytest.raises(ReceptorError, match="no residue A:ASP7; chain A holds"):
        side_chains.cut(RECEPTOR, ["A:ASP7"])
    for kind in ("ALA", "GLY", "PRO"):
        with pytest.raises(ReceptorError, match=f"{first_of(kind)} has no side chain that turns"):
            side_chains.cut(RECEPTOR, [first_of(kind)])
    far = Site((200.0, 200.0, 200.0), (20.0, 20.0, 20.0))
    with pytest.raises(ReceptorError, match="Å out of the box"):
        side_chains.cut(RECEPTOR, [first_of("LYS")], far)
    many = list(dict.fromkeys(a.residue for a in pdbqt.read(RECEPTOR.pdbqt).atoms if a.resname == "LEU"))[:7]
    with pytest.raises(DockingError, match="takes 6 at most"):
        side_chains.cut(RECEPTOR, many)
