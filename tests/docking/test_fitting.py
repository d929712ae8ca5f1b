"""Learning to order poses: on cases whose answer is known."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from docking.receptor import DockingError
from docking.rescoring import fitting
from docking.rescoring.features import KNOTS
from docking.rescoring.fitting import SIGNS, Case, View, fit, gain, judged, kinships, learned, split
from docking.rescoring.order import read, write
from tests.docking.complexes import ligand_pdbqt


def made(count: int, seed: int, telling: str = "unmet", families: int = 10) -> list[Case]:
    """Poses whose distance from the crystal is told by one column; energy and the others are noise."""
    draw = np.random.default_rng(seed)
    cases = []
    for k in range(count):
        columns = draw.normal(size=(12, len(SIGNS)))
        contacts = draw.integers(0, 3, size=(12, 19 * 19 * len(KNOTS))).astype(float)
        inside = draw.integers(0, 50, size=(19, 19, len(fitting.EDGES) - 1)).astype(float)
        tell = columns[:, list(SIGNS).index(telling)]
        away = np.abs(4.0 + 2.0 * tell * (1 if SIGNS[telling] < 0 else -1))
        energy, apart = draw.normal(size=12), 10.0 * (1.0 - np.eye(12))
        cases.append(
            Case(f"c{k}", f"f{k % families}", columns, contacts, inside, away, energy, 20 + k % 9, apart)
        )
    return cases


@pytest.mark.parametrize("telling", ["unmet", "charge_on_ring"])
def test_finds_the_column_that_tells(telling: str) -> None:
    cases = made(40, 1, telling)
    view = View.of(cases)
    weights = fit(cases, 4.0, view)
    assert int(weights[:-1].argmax()) == list(SIGNS).index(telling)
    assert (weights[:-1] >= 0).all()


def test_unseen_families_are_ranked_better_than_by_energy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The energy is noise here, so it finds a near pose by chance alone."""
    monkeypatch.setattr(fitting, "RIDGES", (4.0,))
    cases = made(40, 2)
    numbers = fitting.measured(cases, fitting.found(cases, fitting.crossed(cases, 7)).astype(float))
    assert numbers["first_near_rescored"] > numbers["first_near_by_vina"] + 0.3
    assert numbers["gain_low"] > 0


def test_what_is_shipped_orders_as_what_was_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "RIDGES", (4.0,))
    cases = made(15, 3)
    view = View.of(cases)
    steps = fit(cases, fitting.chosen_ridge(cases, view, 7), view)
    weights = learned(cases, 7)
    for case in cases[:5]:
        table = {name: case.columns[:, k] for k, name in enumerate(SIGNS)}
        table |= {"inter": case.energy, "intra": np.zeros(12), "atoms": np.full(12, float(case.atoms))}
        shipped = weights(table, case.contacts)
        assert shipped - shipped.mean() == pytest.approx(
            judged(steps, view, case) - judged(steps, view, case).mean(), abs=1e-6
        )


def test_weights_survive_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fitting, "RIDGES", (4.0,))
    weights = learned(made(8, 4), 7)
    (tmp_path / "w.safetensors").write_bytes(write(weights))
    again = read(tmp_path / "w.safetensors")
    assert again.names == weights.names
    assert again.terms == pytest.approx(weights.terms, rel=1e-6)
    assert again.contacts == pytest.approx(weights.contacts, rel=1e-6)


def test_families_stay_whole() -> None:
    cases = made(57, 5, families=9)
    part = split(cases, 5, 1)
    where = {case.family: set() for case in cases}  # type: dict[str, set[int]]
    for case, p in zip(cases, part.tolist(), strict=True):
        where[case.family].add(p)
    assert all(len(parts) == 1 for parts in where.values())
    assert set(part.tolist()) == set(range(5))


def chain(letters: str) -> str:
    """A receptor of C-alpha atoms alone."""
    names = {letter: residue for residue, letter in fitting._LETTERS.items()}
    return "".join(
        f"ATOM  {i:5d}  CA  {names[letter]} A{i:4d}    {3.8 * i:8.3f}{0:8.3f}{0:8.3f}  1.00  0.00     0.000 C \n"
        for i, letter in enumerate(letters, start=1)
    )


def test_kin_by_protein_and_by_ligand() -> None:
    draw = np.random.default_rng(6)
    one, two, three = ("".join(draw.choice(list("ACDEFGHIKLMNPQRSTVWY"), 90)) for _ in range(3))
    benzamide, indole, sugar = (
        ligand_pdbqt(s) for s in ("NC(=O)c1ccccc1", "c1ccc2[nH]ccc2c1CC", "OCC(O)C(O)CO")
    )
    found = kinships(
        {
            "a": (chain(one), benzamide),
            "mutant": (chain(one[:40] + "W" + one[41:]), indole),
            "same ligand": (chain(two), benzamide),
            "stranger": (chain(three), sugar),
        }
    )
    assert found["a"] == found["mutant"] == found["same ligand"] != found["stranger"]


def test_no_gain_is_no_gain() -> None:
    same = np.array([0, 1, 1, 0, 1])
    assert gain(same, same) == (0.0, 0.0, 0.0)
    mean, low, high = gain(np.ones(50, dtype=int), np.zeros(50, dtype=int))
    assert (mean, low, high) == (1.0, 1.0, 1.0)


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DockingError, match=r"tests\.benchmarks\.candidates"):
        fitting.load(tmp_path)


def test_contacts_that_are_frequent_are_liked() -> None:
    """Two kinds that meet ten times as often as chance would have it, at 3 Å."""
    counts = np.full((19, 19, len(fitting.EDGES) - 1), 100.0)
    counts[11, 6, 5] = counts[6, 11, 5] = 1000.0
    close = fitting.liking(counts)[0].reshape(19, 19, -1)
    assert close[11, 6, 2] > 0.5
    assert abs(close[0, 1, 2]) < 0.2


def test_reads_what_the_benchmark_writes(tmp_path: Path) -> None:
    ligand = ligand_pdbqt("NC(=O)c1ccccc1")
    coords = [
        list(map(float, (line[30:38], line[38:46], line[46:54])))
        for line in ligand.splitlines()
        if line.startswith("ATOM")
    ]
    case = {
        "name": "x",
        "ligand": ligand,
        "receptor": chain("ACDEFGHIKL"),
        "poses": [coords, coords],
        "away": [0.5, 5],
    }
    (tmp_path / "x.json").write_text(json.dumps(case))
    (found,) = fitting.load(tmp_path)
    assert found.columns.shape == (2, len(SIGNS))
    assert found.atoms == 9
    assert found.gaps == pytest.approx(np.zeros((2, 2)), abs=1e-6)
    assert found.useful
