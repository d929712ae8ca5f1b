"""Kinds of atoms against what biochemistry books call them."""

from __future__ import annotations

from collections import defaultdict

import pytest

from docking import demo_target, pdbqt
from docking.rescoring.kinds import Kind, read_chemistry
from tests.docking.complexes import ligand_pdbqt

STRUCTURE = pdbqt.read(demo_target.receptor().pdbqt)
CHEMISTRY = read_chemistry(STRUCTURE)


def seen() -> dict[tuple[str, str], set[Kind]]:
    """(residue, atom name) -> kinds it was given anywhere in the receptor."""
    found: dict[tuple[str, str], set[Kind]] = defaultdict(set)
    for place, kind in zip(CHEMISTRY.heavy.tolist(), CHEMISTRY.kind.tolist(), strict=True):
        atom = STRUCTURE.atoms[place]
        found[atom.resname, atom.name].add(Kind(kind))
    return found


@pytest.mark.parametrize(
    ("residue", "atom", "kind"),
    [
        ("ASP", "OD1", Kind.ACID),
        ("GLU", "OE2", Kind.ACID),
        ("LYS", "NZ", Kind.AMMONIUM),
        ("ARG", "NH1", Kind.GUANIDINE),
        ("ARG", "NE", Kind.GUANIDINE),
        ("ASN", "ND2", Kind.NITROGEN_H),
        ("ASN", "OD1", Kind.CARBONYL),
        ("TRP", "NE1", Kind.NITROGEN_H),
        ("SER", "OG", Kind.HYDROXYL),
        ("TYR", "OH", Kind.HYDROXYL),
        ("PHE", "CZ", Kind.AROMATIC),
        ("TYR", "CZ", Kind.AROMATIC_POLAR),
        ("LEU", "CD1", Kind.CARBON),
        ("MET", "SD", Kind.SULFUR),
        ("ALA", "O", Kind.CARBONYL),
        ("ALA", "N", Kind.NITROGEN_H),
        ("ALA", "C", Kind.CARBON_FLAT),
    ],
)
def test_residues_are_read_as_in_the_books(residue: str, atom: str, kind: Kind) -> None:
    """Reference: the structures of the amino acids."""
    if (residue, atom) not in seen():
        pytest.skip(f"the demo target has no {residue}")
    assert seen()[residue, atom] == {kind}


def test_rings_of_the_side_chains_are_found() -> None:
    """Reference: Phe, Tyr and His have one ring, Trp two."""
    held: dict[tuple[str, str], int] = defaultdict(int)
    for ring in CHEMISTRY.rings:
        atom = STRUCTURE.atoms[int(CHEMISTRY.heavy[ring[0]])]
        held[atom.residue, atom.resname] += 1
    assert {name for _, name in held} <= {"PHE", "TYR", "HIS", "TRP"}
    assert all(count == (2 if name == "TRP" else 1) for (_, name), count in held.items())


@pytest.mark.parametrize(
    ("smiles", "expected"),
    [
        ("c1ccncc1CC", {Kind.NITROGEN_BARE: 1}),
        ("CCS(=O)(=O)c1ccccc1F", {Kind.SULFUR: 1, Kind.FLUORINE: 1, Kind.CARBONYL: 2}),
        ("COCCC(=O)[O-]", {Kind.ETHER: 1, Kind.ACID: 2}),
        ("CCOP(=O)([O-])[O-]", {Kind.PHOSPHORUS: 1, Kind.ACID: 3, Kind.ETHER: 1}),
        ("C[NH+](C)CCCl", {Kind.AMMONIUM: 1, Kind.HALOGEN: 1}),
        ("NC(=[NH2+])c1ccccc1", {Kind.GUANIDINE: 2}),
    ],
)
def test_groups_of_ligands(smiles: str, expected: dict[Kind, int]) -> None:
    kinds = read_chemistry(pdbqt.read(ligand_pdbqt(smiles))).kind.tolist()
    assert {kind: kinds.count(kind) for kind in expected} == expected
