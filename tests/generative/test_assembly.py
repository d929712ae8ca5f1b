"""What the proposer says it made, it made: each route is planned again from the molecule alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdkit import Chem

from discovery.molecule import Molecule
from discovery.properties.physchem import Qed
from discovery.proposal import Lesson, Proposer
from discovery.score import Score
from generative.routes.assembly import AssemblyProposer
from generative.routes.plan import plan
from generative.routes.stock import load
from generative.taste import unstable

PROPOSER = AssemblyProposer()


def test_keeps_the_promise() -> None:
    assert isinstance(PROPOSER, Proposer)
    first = PROPOSER.propose(12, round=1, seed=4, lessons=[])
    assert first == PROPOSER.propose(12, round=1, seed=4, lessons=[])
    assert first != PROPOSER.propose(12, round=2, seed=4, lessons=[])
    assert len({proposal.smiles for proposal in first}) == len(first) == 12


def test_everything_proposed_can_be_made_from_the_shelf() -> None:
    shelf = load()
    for proposal in PROPOSER.propose(15, round=0, seed=11, lessons=[]):
        mol = Chem.MolFromSmiles(proposal.smiles)
        assert set(proposal.parents) <= shelf.blocks
        assert unstable(mol) is None
        assert plan(mol, shelf).whole, proposal


def test_learns_what_is_rewarded() -> None:
    """Drug-likeness rises over rounds, against the same number of molecules drawn without lessons."""
    qed = Qed()

    def lessons_of(smiles: list[str]) -> list[Lesson]:
        molecules = [Molecule.parse(one) for one in smiles]
        return [
            Lesson(m, s.value) for m, s in zip(molecules, qed(molecules), strict=True) if isinstance(s, Score)
        ]

    taught = lessons_of([p.smiles for p in PROPOSER.propose(60, round=0, seed=2, lessons=[])])
    start = sum(lesson.reward for lesson in taught) / len(taught)
    last: list[Lesson] = []
    for round in (1, 2):
        last = lessons_of([p.smiles for p in PROPOSER.propose(60, round=round, seed=2, lessons=taught)])
        taught += last
    assert sum(lesson.reward for lesson in last) / len(last) > start + 0.03
    assert len({lesson.molecule for lesson in taught}) == len(taught)  # nothing twice


def test_a_small_shelf_is_soon_exhausted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("generative.routes.assembly.PATIENCE", 200)
    shelf = tmp_path / "shelf.smi"
    shelf.write_text("OC(=O)c1ccc(Cl)cc1\nNCCN1CCOCC1\n")
    made = AssemblyProposer(stock=shelf).propose(50, round=0, seed=0, lessons=[])
    assert [proposal.smiles for proposal in made] == ["O=C(NCCN1CCOCC1)c1ccc(Cl)cc1"]
    assert made[0].edit.startswith("amide coupling: ")


@pytest.mark.parametrize(("settings", "says"), [({"steps": 4}, "steps"), ({"learn": 2.0}, "learn")])
def test_settings_that_cannot_be_are_refused(settings: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        AssemblyProposer(**settings)  # type: ignore[arg-type]
