"""Side chains put back where the crystal did not show them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
import pytest

from docking import demo_target, pdbqt, preparation
from docking.protein import receptor_mol, residues
from docking.protein.rebuilding import rebuilt
from docking.protein.side_chain_shapes import hangs
from docking.protein.structure import Atom, by_residue
from docking.receptor import ReceptorError
from tests.docking import pocket

Place = tuple[str, str]
KEPT = ("N", "CA", "C", "O", "CB")
TWINS = {"CD1": "CD2", "CE1": "CE2", "OD1": "OD2", "OE1": "OE2", "NH1": "NH2"}  # by name alone different
ALIKE = frozenset({"PHE", "TYR", "ASP", "GLU", "ARG"})


def whole() -> list[Atom]:
    """Heavy atoms of every residue near ergotamine that the simulated receptor holds whole."""
    groups = by_residue(pocket.heavy()).values()
    return [a for g in groups if _standard(g) and set(_names(g)) >= set(_wanted(g)) for a in g]


def _standard(group: Iterable[Atom]) -> bool:
    return residues.standard(next(iter(group)).resname) in residues.NAMES


def _names(group: Iterable[Atom]) -> list[str]:
    return [atom.name for atom in group]


def _wanted(group: list[Atom]) -> list[str]:
    return list(residues.hydrogens(residues.standard(group[0].resname)))


def without(atoms: list[Atom], gone: dict[Place, list[str]]) -> list[Atom]:
    return [a for a in atoms if a.name not in gone.get(a.place, ())]


def points(atoms: list[Atom], place: Place) -> dict[str, np.ndarray]:
    return {a.name: np.array(a.xyz) for a in atoms if a.place == place}


@lru_cache(maxsize=1)
def all_anew() -> tuple[Atom, ...]:
    """The pocket with every side chain taken away, CB too, and put back."""
    gone = {
        place: [name for name in _wanted(group) if name not in ("N", "CA", "C", "O")]
        for place, group in by_residue(whole()).items()
    }
    return tuple(rebuilt(without(whole(), gone), gone))


def off(new: dict[str, np.ndarray], old: dict[str, np.ndarray], names: list[str], resname: str) -> float:
    """Å, root mean square; atoms that differ by name alone exchanged where that is nearer."""
    back = {b: a for a, b in TWINS.items()}
    other = [TWINS.get(n, back.get(n, n)) if resname in ALIKE else n for n in names]
    here = np.stack([new[n] for n in names])
    return min(
        float(np.sqrt(np.square(here - np.stack([old[n] for n in some])).sum(axis=1).mean()))
        for some in (names, other)
    )


def test_most_crowded_side_chains_come_back_where_they_were() -> None:
    """Reference: the simulated receptor of the prolif package, which no shape or rotamer was taken from."""
    atoms = [a for a in receptor_mol.atoms_of(demo_target.receptor()) if a.element != "H"]
    xyz, groups = np.array([a.xyz for a in atoms]), by_residue(atoms)
    crowd = {
        place: int((np.linalg.norm(xyz - points(group, place)["CB"], axis=1) < 10.0).sum())
        for place, group in groups.items()
        if _standard(group) and set(_names(group)) >= set(_wanted(group)) > set(KEPT)
    }
    errors = []
    for place in sorted(crowd, key=lambda place: -crowd[place])[:16]:
        gone = [name for name in _wanted(groups[place]) if name not in KEPT]
        again = rebuilt(without(atoms, {place: gone}), {place: gone})
        resname = residues.standard(groups[place][0].resname)
        errors.append(off(points(again, place), points(atoms, place), gone, resname))
    assert np.mean(np.array(errors) < 1.0) > 0.6


def test_bonds_and_hands_are_those_of_amino_acids() -> None:
    """Law: whatever the rotamer, lengths, angles and the side on which each atom stands are fixed."""
    atoms, again = whole(), list(all_anew())
    for place, group in by_residue(again).items():
        old, new = points(atoms, place), points(again, place)
        assert set(new) == set(old)
        for hang in hangs(residues.standard(group[0].resname)):
            a, b, c, d = (new[name] for name in (*hang.on, hang.name))
            assert np.linalg.norm(d - c) == pytest.approx(hang.length, abs=0.02)
            if not hang.rotamers and hang.on[0] not in ("N", "CA"):  # else a ring's pucker
                was = [old[name] for name in (*hang.on, hang.name)]
                assert np.cos(np.deg2rad(_turn(a, b, c, d) - _turn(*was))) > 0.9


def _turn(a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray) -> float:
    """Degrees, the torsion a-b-c-d."""
    one, two = np.cross(b - a, c - b), np.cross(c - b, d - c)
    sine = np.cross(one, two) @ (c - b) / np.linalg.norm(c - b)
    return float(np.degrees(np.arctan2(sine, one @ two)))


@pytest.mark.parametrize(("resname", "gone"), [("LEU", ["CG"]), ("LYS", ["CG", "CD", "CE"])])
def test_atoms_between_atoms_that_are_there_are_bonded_to_both(resname: str, gone: list[str]) -> None:
    atoms = [a for a in receptor_mol.atoms_of(demo_target.receptor()) if a.element != "H"]
    place = next(p for p, g in by_residue(atoms).items() if g[0].resname == resname)
    again = points(rebuilt(without(atoms, {place: gone}), {place: gone}), place)
    for hang in hangs(resname):
        gap = np.linalg.norm(again[hang.name] - again[hang.on[2]])
        assert gap == pytest.approx(hang.length, abs=0.2)


def test_a_carbonyl_comes_back_where_the_chain_wants_it() -> None:
    atoms = list(receptor_mol.atoms_of(demo_target.receptor()))
    heavy = [a for a in atoms if a.element != "H"]
    place = ("A", "130")
    again = points(rebuilt(without(heavy, {place: ["O"]}), {place: ["O"]}), place)
    assert np.linalg.norm(again["O"] - points(heavy, place)["O"]) < 0.3


def test_neighbours_that_both_gain_atoms_do_not_touch() -> None:
    again = all_anew()
    new = [a for a in again if a.name not in KEPT]
    xyz, places = np.array([a.xyz for a in again]), [a.place for a in again]
    nearest = [
        np.linalg.norm(xyz[[p != a.place for p in places]] - np.array(a.xyz), axis=1).min() for a in new
    ]
    assert min(nearest) > 2.0


def test_a_residue_of_one_atom_stays_so_and_is_told() -> None:
    atoms = whole()
    place = next(p for p, g in by_residue(atoms).items() if g[0].resname == "LEU")
    left = [a for a in atoms if a.place != place or a.name == "CA"]
    receptor = preparation.assemble(left, "torn.pdb")
    (told,) = [str(c) for c in receptor.report if c.kind == "missing" and "too few" in str(c)]
    assert f"{place[0]}:LEU{place[1]}" in told
    of_it = [a for a in pdbqt.read(receptor.pdbqt).atoms if (a.chain, a.number) == place]
    assert [a.name for a in of_it if not a.name.startswith("H")] == ["CA"]


def test_a_trace_of_alpha_carbons_is_no_receptor() -> None:
    with pytest.raises(ReceptorError, match="alpha carbons"):
        preparation.assemble([a for a in whole() if a.name == "CA"], "trace.pdb")


def test_a_torn_backbone_is_laid_over_what_is_there() -> None:
    atoms = whole()
    place, group = next((p, g) for p, g in by_residue(atoms).items() if g[0].resname == "PHE")
    gone = {place: ["N", "C", "O"]}
    again = points(rebuilt(without(atoms, gone), gone), place)
    assert set(again) == set(_names(group))
    assert np.linalg.norm(again["N"] - again["CA"]) == pytest.approx(1.46, abs=0.3)


def test_an_atom_missing_alone_comes_back_beside_its_sibling() -> None:
    """Reference: the simulated receptor of the prolif package. What else hangs there tells the side that is left, and the hand."""
    atoms = whole()
    wrong = []
    for place, group in {
        g[0].resname: (p, g) for p, g in by_residue(atoms).items()
    }.values():  # one of each kind
        if group[0].resname == "PRO":  # its ring puckers either way
            continue
        shape = hangs(residues.standard(group[0].resname))
        for name in {one for hang in shape for one in hang.on} & {hang.name for hang in shape}:
            gone = {place: [name]}
            back = points(rebuilt(without(atoms, gone), gone), place)[name]
            if np.linalg.norm(back - points(atoms, place)[name]) > 0.6:  # Å; a bond is 1.5
                wrong.append((group[0].residue, name))
    assert wrong == []
