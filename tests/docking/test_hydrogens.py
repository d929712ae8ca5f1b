"""Where a protein's hydrogens go."""

from __future__ import annotations

import numpy as np
import pytest

from docking.protein import hydrogens
from docking.protein.structure import Atom, by_residue, coords
from tests.docking import pocket


@pytest.fixture(scope="module")
def placed() -> list[Atom]:
    """The pocket, its hydrogens taken off and placed anew, with the states of the original."""
    states = {}
    for place, group in by_residue(pocket.atoms()).items():
        names = {atom.name for atom in group}
        if group[0].resname == "HIS":
            states[place] = "HID" if "HD1" in names else "HIE"
        if group[0].resname == "CYS" and "HG" not in names:
            states[place] = "CYX"
        if group[0].resname == "ASP" and "HD2" in names:
            states[place] = "ASH"
    return hydrogens.add(pocket.heavy(), states)


def test_fixed_hydrogens_lie_where_the_simulation_had_them(placed: list[Atom]) -> None:
    """Reference: CHARMM's hydrogens in the file; a simulated bond swings by 0.1-0.2 Å."""
    turning = {"HG", "HG1", "HH", "HZ1", "HZ2", "HZ3", "H1", "H2", "H3"}
    where: dict[tuple[tuple[str, str], str], list[Atom]] = {}
    for atom in pocket.atoms():
        if atom.element == "H":
            where.setdefault((atom.place, atom.resname), []).append(atom)
    gaps = []
    for atom in placed:
        theirs = where.get((atom.place, atom.resname), [])
        methyl = (atom.name[-1] in "123" and len(atom.name) == 4) or atom.resname in (
            "ALA",
            "MET",
            "ACE",
            "NME",
        )
        if atom.element != "H" or atom.name in turning or methyl or not theirs:
            continue
        gaps.append(np.linalg.norm(coords(theirs) - np.asarray(atom.xyz), axis=1).min())
    assert len(gaps) > 150
    assert np.median(gaps) < 0.2
    assert np.quantile(gaps, 0.98) < 0.6


def test_as_many_hydrogens_as_there_were(placed: list[Atom]) -> None:
    """Reference: CHARMM's counts. Chain ends inside the cut-out pocket gain an ammonium's two."""
    first = {group[0].chain: place for place, group in reversed(by_residue(pocket.atoms()).items())}
    for place, group in by_residue(pocket.atoms()).items():
        mine = [a for a in placed if a.place == place and a.element == "H"]
        theirs = [a for a in group if a.element == "H"]
        extra = 2 if place in first.values() and group[0].resname != "ACE" else 0
        assert len(mine) == len(theirs) + extra, group[0].residue


def test_bond_lengths(placed: list[Atom]) -> None:
    for group in by_residue(placed).values():
        heavy = [a for a in group if a.element != "H"]
        for atom in group:
            if atom.element == "H":
                gaps = np.linalg.norm(coords(heavy) - np.asarray(atom.xyz), axis=1)
                carrier = heavy[int(gaps.argmin())]
                assert gaps.min() == pytest.approx(hydrogens.LENGTH[carrier.element], abs=2e-3)


def test_nothing_that_is_there_moves() -> None:
    again = hydrogens.add(list(pocket.atoms()), {})
    kept = {atom.xyz for atom in again}
    assert sum(atom.xyz in kept for atom in pocket.atoms()) > 0.99 * len(pocket.atoms())


def test_a_hydroxyl_turns_to_its_acceptor() -> None:
    """A serine beside a lone carbonyl oxygen 2.7 Å away: the hydrogen bond must form."""
    chain = [
        Atom("A", "SER", "1", "N", "N", (-1.2, 0.8, -0.3)), Atom("A", "SER", "1", "CA", "C", (0.0, 0.0, 0.0)),
        Atom("A", "SER", "1", "C", "C", (-0.5, -1.4, 0.4)), Atom("A", "SER", "1", "O", "O", (-1.6, -1.8, 0.0)),
        Atom("A", "SER", "1", "CB", "C", (1.0, 0.6, 1.0)), Atom("A", "SER", "1", "OG", "O", (1.5, 1.85, 0.6)),
    ]  # fmt: skip
    oxygen = Atom("B", "GLY", "9", "O", "O", (4.1, 2.4, 1.2))
    whole = hydrogens.add([*chain, oxygen], {})
    (hydrogen,) = [atom for atom in whole if atom.name == "HG"]
    assert np.linalg.norm(np.subtract(hydrogen.xyz, oxygen.xyz)) < 2.1


def test_the_same_every_time(placed: list[Atom]) -> None:
    assert hydrogens.add(pocket.heavy(), {}) == hydrogens.add(pocket.heavy(), {})
