"""PROPKA's own loops are the reference for how deep groups are buried."""

from __future__ import annotations

import io
from contextlib import nullcontext
from typing import Any

import pytest
from propka.input import read_molecule_file, read_parameter_file
from propka.lib import loadOptions
from propka.molecular_container import MolecularContainer
from propka.parameters import Parameters

from docking import demo_target
from docking.protein.burial import quickened


def groups(quick: bool) -> list[Any]:
    """Part of the demo receptor, by PROPKA as it comes or quickened."""
    lines = demo_target.receptor().pdb.splitlines()
    part = [line for line in lines if line.startswith("ATOM") and int(line[22:26]) < 150]
    options = loadOptions(["--log-level=CRITICAL", "part.pdb"])
    found = MolecularContainer(read_parameter_file(options.parameters, Parameters()), options)
    found = read_molecule_file("part.pdb", found, stream=io.StringIO("\n".join(part)))
    with quickened(found.version) if quick else nullcontext():
        found.calculate_pka()
    return list(found.conformations["AVR"].groups)


def test_the_numbers_are_propkas() -> None:
    theirs, ours = groups(quick=False), groups(quick=True)
    assert len(theirs) == len(ours) > 20
    for one, other in zip(theirs, ours, strict=True):
        assert other.label == one.label
        assert other.num_volume == one.num_volume
        assert other.energy_volume == pytest.approx(one.energy_volume, rel=1e-9, abs=1e-12)
        assert other.energy_local == pytest.approx(one.energy_local, abs=1e-12)
        assert _determinants(other) == _determinants(one)
        assert other.pka_value == pytest.approx(one.pka_value, abs=1e-6)


def _determinants(group: Any) -> dict[str, list[tuple[str, float]]]:
    return {kind: [(one.label, one.value) for one in some] for kind, some in group.determinants.items()}
