"""AutoDock types of receptor atoms."""

from __future__ import annotations

import tarfile
from collections import Counter
from pathlib import Path

import pytest

from docking import pdbqt, preparation
from docking.protein.structure import Atom
from tests.docking import pocket

SHARED = Path(__file__).resolve().parents[3] / "shared"
COMPLEXES = SHARED / "data" / "docking" / "redock_pdbqt_dev250.tar.xz"


def test_polar_hydrogens_only() -> None:
    receptor = preparation.assemble(list(pocket.atoms()), "pocket")
    found = Counter(pdbqt.read(receptor.pdbqt).types)
    polar = sum(
        a.element == "H" and (a.name in ("H", "HH", "HG1", "HE1") or (a.resname, a.name) == ("SER", "HG"))
        for a in pocket.atoms()
    )
    assert 0 < found["HD"] <= polar * 3
    assert found["H"] == 0
    assert found["OA"] == sum(a.element == "O" for a in pocket.atoms())
    assert found["SA"] == sum(a.element == "S" for a in pocket.atoms())


@pytest.mark.skipif(not COMPLEXES.exists(), reason="../shared is absent")
def test_agrees_with_prepared_receptors_of_others() -> None:
    """Reference: receptors typed by AutoDockTools (DSDP's set). They differ in histidine tautomers alone."""
    seen = wrong = 0
    with tarfile.open(COMPLEXES) as archive:
        member = next(m for m in archive if m.name.endswith("_protein.pdbqt"))
        text = archive.extractfile(member).read().decode()  # type: ignore[union-attr]
    theirs = pdbqt.read(text)
    atoms = [
        Atom(a.chain, a.resname, a.number, a.name, pdbqt.ELEMENT.get(a.type, a.type), tuple(x))  # type: ignore[arg-type]
        for a, x in zip(theirs.atoms, theirs.coords.tolist(), strict=True)
        if a.type not in ("H", "HD")
    ]
    ours = pdbqt.read(preparation.assemble(atoms, "receptor", rebuild=False).pdbqt)
    types = {tuple(x): a.type for a, x in zip(ours.atoms, ours.coords.round(3).tolist(), strict=True)}
    for atom, point in zip(theirs.atoms, theirs.coords.round(3).tolist(), strict=True):
        if atom.type in ("H", "HD"):
            continue
        seen += 1
        if types[tuple(point)] != atom.type:
            wrong += 1
            assert atom.resname in ("HIS", "LYS"), (atom.residue, atom.name, atom.type, types[tuple(point)])
    assert seen > 1000
    assert wrong < 0.01 * seen
