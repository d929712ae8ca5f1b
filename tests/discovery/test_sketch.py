"""The file written for a first campaign can be run as it stands; what cannot be is refused before it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from discovery import config, plugins
from discovery.campaigns.sketch import SketchError, campaign_file


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str]:
    protein, ligand = tmp_path / "protein.pdb", tmp_path / 'the "ligand".sdf'
    protein.write_text("END\n")
    ligand.write_text("$$$$\n")
    return str(protein), str(ligand)


def test_every_part_of_it_takes_its_settings(tmp_path: Path, files: tuple[str, str]) -> None:
    protein, ligand = files
    made = config.read(
        campaign_file(tmp_path / "x.toml", receptor=protein, around=ligand, scaffold="c1ccc(*)cc1")
    )
    for part in made.scorers:
        plugins.build("scorers", part.use, part.settings)
    assert (made.name, made.target.name) == ("x", "protein")
    assert made.scorers[-1].settings["around"] == ligand
    assert made.proposers[0].settings == {"scaffold": "c1ccc(*)cc1"}


def test_without_a_ligand_the_proteins_own_pocket(tmp_path: Path, files: tuple[str, str]) -> None:
    made = config.read(campaign_file(tmp_path / "x.toml", receptor=files[0]))
    assert made.scorers[-1].settings["pocket"] == 1
    named = config.read(campaign_file(tmp_path / "z.toml", receptor=files[0], around="A:XK2263"))
    assert named.scorers[-1].settings["around"] == "A:XK2263"
    demo = config.read(campaign_file(tmp_path / "y.toml", receptor="demo:5HT1B"))
    assert set(demo.scorers[-1].settings) == {"receptor", "engine_settings"}


def test_without_a_protein_nothing_is_docked(tmp_path: Path) -> None:
    made = config.read(campaign_file(tmp_path / "x.toml"))
    assert "docking" not in {part.use for part in made.scorers}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"receptor": "none.pdb"}, "none.pdb: there is no such file"),
        ({"pocket": 2}, "give --receptor too"),
        ({"library": "none.smi"}, "none.smi: there is no such file"),
        ({"receptor": "demo:5HT1B", "around": "pdb:1ABC", "pocket": 1}, "say different things"),
    ],
)
def test_what_cannot_be_is_not_written(tmp_path: Path, asked: dict[str, str], said: str) -> None:
    with pytest.raises(SketchError, match=said):
        campaign_file(tmp_path / "x.toml", **asked)  # type: ignore[arg-type]
    assert not (tmp_path / "x.toml").exists()


def test_a_library_of_ones_own_is_ranked_whole(tmp_path: Path) -> None:
    library = tmp_path / "mine.csv"
    library.write_text("smiles,name\nCCO,a\nCCN,b\nnone,c\n")
    made = config.read(campaign_file(tmp_path / "x.toml", library=str(library)))
    (source,) = made.proposers
    assert (source.use, source.n, source.settings, made.rounds) == ("library", 3, {"path": str(library)}, 1)
    plugins.build("proposers", source.use, source.settings)


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("mine")
    with pytest.raises(SketchError, match="exists already"):
        campaign_file(tmp_path / "x.toml")
    assert (tmp_path / "x.toml").read_text() == "mine"
