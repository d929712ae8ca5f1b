"""States of titratable residues."""

from __future__ import annotations

import pytest

from docking.protein.protonation import decide
from docking.protein.structure import Atom
from docking.receptor import ReceptorError
from tests.docking import pocket


def histidine(where: tuple[float, float, float] = (0.0, 0.0, 0.0), number: str = "57") -> list[Atom]:
    """An ideal imidazole ring in the xy plane with its CB; ND1 points to +y, NE2 to -y."""
    ring = {
        "CB": (-2.6, 0.9),
        "CG": (-1.2, 0.4),
        "ND1": (-0.3, 1.4),
        "CE1": (0.9, 0.8),
        "NE2": (0.8, -0.5),
        "CD2": (-0.6, -0.8),
    }
    return [
        Atom("A", "HIS", number, name, name[0], (where[0] + x, where[1] + y, where[2]))
        for name, (x, y) in ring.items()
    ]


def test_a_histidine_gives_its_hydrogen_to_the_acceptor_beside_it() -> None:
    near_delta = Atom("A", "ASP", "9", "OD1", "O", (-0.6, 4.1, 0.0))
    states, choices = decide([*histidine(), near_delta], 7.4)
    assert states["A", "57"] == "HID"
    assert any(choice.where == "A:HIS57" and "ASP9" in choice.what for choice in choices)


def test_a_metal_takes_the_nitrogen_it_is_on() -> None:
    zinc = Atom("A", "ZN", "201", "ZN", "Zn", (-0.6, 3.4, 0.0), hetero=True)
    states, choices = decide([*histidine(), zinc], 7.4)
    assert states["A", "57"] == "HIE"
    assert any("A:ZN201" in choice.what for choice in choices)


def test_a_disulfide_has_no_hydrogen() -> None:
    pair = [Atom("A", "CYS", n, "SG", "S", (x, 0.0, 0.0)) for n, x in (("10", 0.0), ("20", 2.05))]
    states, choices = decide(pair, 7.4)
    assert states == {("A", "10"): "CYX", ("A", "20"): "CYX"}
    assert "2.05 Å" in choices[0].what


def test_what_the_user_says_wins() -> None:
    states, choices = decide(histidine(), 7.4, {"A:HIS57": "HIP"})
    assert states["A", "57"] == "HIP"
    assert choices[0].what == "HIP: as asked"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"A:HIS58": "HIP"}, "A:HIS58"),
        ({"A:HIS57": "HIS+"}, "HID, HIE, HIP"),
        ({"57": "HIP"}, "like A:HIS57|A:HIS57"),
    ],
)
def test_a_wish_that_cannot_be_is_refused(asked: dict[str, str], says: str) -> None:
    with pytest.raises(ReceptorError, match=says):
        decide(histidine(), 7.4, asked)


def test_hydrogens_in_the_file_are_believed() -> None:
    states, _ = decide(
        [
            *histidine(),
            Atom("A", "HIS", "57", "HD1", "H", (-0.6, 2.37, 0.0)),
            Atom("A", "HIS", "57", "HE2", "H", (1.5, -1.2, 0.0)),
        ],
        7.4,
    )
    assert states["A", "57"] == "HIP"


def test_acids_are_charged_in_water_and_neutral_in_acid() -> None:
    """Reference: aspartate's pKa is near 4 and lysine's near 10.5, so pH 7.4 and pH 1 lie on either side."""
    atoms = pocket.heavy()
    usual, _ = decide(atoms, 7.4)
    sour, _ = decide(atoms, 1.0)
    aspartates = {a.place for a in atoms if a.resname == "ASP"}
    assert aspartates
    assert all(sour.get(place) == "ASH" for place in aspartates)
    assert not all(usual.get(place) == "ASH" for place in aspartates)
