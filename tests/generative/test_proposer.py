"""The graph proposer keeps the promise, keeps what it is given, and learns faster than the baseline."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

import pytest
from rdkit import Chem
from rdkit.Chem import QED, Descriptors

pytest.importorskip("torch")

from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.plugins import PluginError
from discovery.proposal import Lesson, Proposal, Proposer
from generative.breeding.recombination import BricsProposer
from generative.draft import Built
from generative.model import Weights, WeightsError
from generative.proposer import GraphProposer, propose
from generative.refusal import SettingError
from generative.tasks import score
from generative.taste import unstable
from generative.trees import take_apart, unit
from tests.generative.models import DRUGS
from tests.generative.test_construction import holds

TRYPTAMINE = "*c1ccc2[nH]cc(CCN(C)C)c2c1"


def lessons() -> list[Lesson]:
    return [Lesson(Molecule.parse(smiles), reward=index / 40) for index, smiles in enumerate(DRUGS[:40])]


def made(
    proposer: Proposer, n: int = 15, round: int = 0, seed: int = 1, taught: Sequence[Lesson] = ()
) -> list[Proposal]:
    return list(proposer.propose(n, round=round, seed=seed, lessons=taught))


def test_shipped_weights_are_small_and_have_a_card() -> None:
    folder = Path(__file__).resolve().parents[2] / "generative" / "weights"
    weights = Weights.load()
    assert (folder / "graph.safetensors").stat().st_size <= 8_000_000
    assert "[HH]" not in weights.vocabulary.unit_index
    card = (folder / "graph.md").read_text()
    assert weights.sha256 in card
    assert f"{weights.about['steps']:,} steps" in card


@pytest.mark.parametrize("taught", [False, True])
def test_molecules_are_new_drug_like_and_stable(taught: bool) -> None:
    given = lessons() if taught else []
    proposals = made(GraphProposer(), 20, taught=given)
    assert len({proposal.smiles for proposal in proposals}) == 20
    known = {lesson.molecule.smiles for lesson in given}
    for proposal in proposals:
        mol = Chem.MolFromSmiles(proposal.smiles)
        assert proposal.smiles == Chem.MolToSmiles(mol)
        assert 200 <= Descriptors.ExactMolWt(mol) <= 500
        assert unstable(mol) is None
        assert proposal.smiles not in known
        assert proposal.weights == Weights.load().sha256
        assert proposal.edit
        rings = {one for one in take_apart(proposal.smiles).units if unit(one).rings}
        assert rings <= set(Weights.load().vocabulary.unit_index), proposal.smiles
    if taught:
        assert any(proposal.parents for proposal in proposals)


@pytest.mark.parametrize("taught", [False, True])
def test_same_question_same_answer(taught: bool) -> None:
    given = lessons() if taught else []
    first = made(GraphProposer(), 5, taught=given, round=3)
    assert made(GraphProposer(), 5, taught=given[::-1], round=3) == first
    assert made(GraphProposer(), 5, taught=given, round=4) != first


def test_same_answer_in_another_process_with_more_threads() -> None:
    code = (
        "from generative.proposer import GraphProposer\n"
        "print(*(p.smiles for p in GraphProposer().propose(3, round=2, seed=5, lessons=[])))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "2"}
    there = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout
    here = " ".join(proposal.smiles for proposal in made(GraphProposer(), 3, round=2, seed=5))
    assert there == here + "\n"


@pytest.mark.parametrize("taught", [False, True])
def test_a_scaffold_is_in_every_molecule(taught: bool) -> None:
    proposals = made(GraphProposer(scaffold=TRYPTAMINE), taught=lessons() if taught else [])
    assert len(proposals) == 15
    assert all(holds(proposal.smiles, TRYPTAMINE) for proposal in proposals)


@pytest.mark.slow  # 10 s: three rounds, two of them with a policy taught anew
def test_a_taught_policy_keeps_the_scaffold_and_answers_the_same_twice() -> None:
    taught = GraphProposer(scaffold=TRYPTAMINE, policy="taught")
    proposals = made(taught, 6, taught=lessons())
    assert all(holds(proposal.smiles, TRYPTAMINE) for proposal in proposals)
    assert proposals == made(taught, 6, taught=lessons())
    trained = made(GraphProposer(scaffold=TRYPTAMINE), 6, taught=lessons())
    assert [one.smiles for one in proposals] != [one.smiles for one in trained]


def test_around_a_scaffold_molecules_lean_to_the_drug_like_unless_asked_otherwise() -> None:
    def smiles(*condition: str) -> list[str]:
        part = "*c1ccc2[nH]cc(*)c2c1"
        return [one.smiles for one in made(GraphProposer(scaffold=part, condition=condition), 60)]

    def qed(some: list[str]) -> float:
        return mean(QED.qed(Chem.MolFromSmiles(one)) for one in some)  # type: ignore[no-untyped-call]

    usual = smiles()
    assert usual == smiles("qed=0.8", "sa=2.7")
    assert qed(usual) > qed(smiles("qed=0.3"))


def test_fragments_are_joined_in_every_molecule() -> None:
    proposals = made(GraphProposer(fragments="*c1c[nH]c2ccccc12.*N1CCNCC1", min_weight=150))
    assert len(proposals) == 15
    for proposal in proposals:
        assert holds(proposal.smiles, "c1c[nH]c2ccccc12")
        assert holds(proposal.smiles, "N1CCNCC1")


def test_analogues_are_near_what_they_are_like() -> None:
    """Nearer than molecules built without a reference."""
    from generative.audit import nearest, prints

    sumatriptan = DRUGS[0]
    like = made(GraphProposer(like=sumatriptan))
    free = made(GraphProposer())
    near, far = (
        nearest(prints([p.smiles for p in proposals]), prints([sumatriptan])).mean()
        for proposals in (like, free)
    )
    assert near > far + 0.2
    assert all(proposal.parents == (sumatriptan,) for proposal in like)


def test_analogues_keep_what_is_kept() -> None:
    """Whatever makes them: the policy, what it regrows, and edits of what did well."""
    proposals = made(GraphProposer(like=DRUGS[0], keep="[nH]1ccc2ccccc12"), 6, taught=lessons())
    assert len(proposals) == 6
    assert all(holds(proposal.smiles, "[nH]1ccc2ccccc12") for proposal in proposals)


def test_analogues_keep_the_configuration() -> None:
    """Of what they are like, where they hold that part of it. Reference: RDKit's chiral substructure search."""
    flat, right = map(
        Chem.MolFromSmarts, ("C[CH](O[#6])c1c(Cl)ccc(F)c1Cl", "C[C@@H](O[#6])c1c(Cl)ccc(F)c1Cl")
    )
    proposals = made(GraphProposer(like="C[C@@H](Oc1cc(-c2cnn(C3CCNCC3)c2)cnc1N)c1c(Cl)ccc(F)c1Cl"), 20)
    mols = [Chem.MolFromSmiles(one.smiles) for one in proposals]
    with_part = [mol for mol in mols if mol.HasSubstructMatch(flat)]
    assert len(with_part) > 3
    assert all(mol.HasSubstructMatch(right, useChirality=True) for mol in with_part)


def test_what_must_be_avoided_is_avoided() -> None:
    benzene = Chem.MolFromSmarts("c1ccccc1")
    proposals = made(GraphProposer(avoid=("c1ccccc1",)))
    assert len(proposals) == 15
    assert not any(Chem.MolFromSmiles(proposal.smiles).HasSubstructMatch(benzene) for proposal in proposals)


def test_styles_differ() -> None:
    weights = {}
    for style in Weights.load().styles:
        proposals = made(GraphProposer(style=style), 40)
        weights[style] = sum(Descriptors.ExactMolWt(Chem.MolFromSmiles(p.smiles)) for p in proposals) / 40
    assert weights["chembl"] > weights["moses"]  # MOSES stops at 350 Da


def test_it_learns_faster_than_the_baseline() -> None:
    """The mean of the ten best after the same 45 calls of an oracle it was never trained on, over two seeds."""
    best = {
        proposer.name: mean(ten_best(proposer, seed) for seed in range(2))
        for proposer in (GraphProposer(), BricsProposer())
    }
    assert best["graph"] > best["brics"] + 0.02


def ten_best(proposer: Proposer, seed: int) -> float:
    taught: list[Lesson] = []
    for round in range(3):
        for proposal in made(proposer, 15, round=round, seed=seed, taught=taught):
            taught.append(Lesson(Molecule(proposal.smiles), score("perindopril_mpo", proposal.smiles)))
    return sum(sorted((one.reward for one in taught), reverse=True)[:10]) / 10


def test_failed_and_odd_lessons_break_nothing() -> None:
    failed = Missing("docking", Reason.NO_CONFORMER, "no conformer")
    odd = ["C[Si](C)(C)C", "[Na+].[Cl-]", "CC1(C)CCCC(C)(C)N1[O]", "C", "c1ccc2c(c1)[se]cc2"]
    taught = [Lesson(Molecule(smiles), 0.9) for smiles in odd] + [
        Lesson(Molecule(s), 0.0, failed) for s in DRUGS[:20]
    ]
    assert len(made(GraphProposer(), 5, taught=taught)) == 5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"scaffold": "c1ccc"}, "is not a SMILES RDKit can read"),
        ({"scaffold": "FC(F)(F)F"}, "has no exit"),
        ({"fragments": "[2H]C*.*c1ccccc1"}, "holds an isotope"),
        ({"scaffold": "*C", "like": "CC"}, "give one of scaffold, fragments and like"),
        ({"avoid": ("c1cc",)}, "is not a SMARTS RDKit can read"),
        ({"keep": "c1ccccc1"}, "give like too"),
        ({"like": "CCO", "keep": "c1ccccc1"}, "CCO does not hold c1ccccc1"),
        ({"min_weight": 900.0}, "min_weight 900.0 must be above 0 and below max_weight 500.0"),
        (
            {"scaffold": "*C(c1ccccc1)(c1ccccc1)c1ccccc1", "max_weight": 240.0},
            "weighs 243 Da, more than max_weight 240",
        ),
        ({"temperature": 0.0}, "temperature must be above 0"),
        ({"temperature": float("nan")}, "temperature must be above 0"),
        ({"policy": "best"}, "policy is trained or taught, not 'best'"),
    ],
)
def test_settings_that_cannot_be_met_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GraphProposer(**settings)  # type: ignore[arg-type]


def test_settings_that_only_the_model_can_judge() -> None:
    with pytest.raises(ValueError, match="style 'zinc' is not one the model knows: moses, chembl"):
        made(GraphProposer(style="zinc"))
    with pytest.raises(ValueError, match="2 to 4 fragments can be joined, not 1"):
        made(GraphProposer(fragments="*c1ccccc1"))


def test_absent_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="No such file"):
        made(GraphProposer(weights=tmp_path / "none.safetensors"))


def test_unmarked_fragments_are_joined_without_waste() -> None:
    """Most of what joins two to four fragments is light enough: under one cap for all, 2 to 4 % were."""
    for fragments in ("c1ccncc1.C1CCNC1", "c1ccncc1.C1CCNC1.CF.C#N"):
        graph = GraphProposer(fragments=fragments)
        built = Built()
        found = [one for made in graph.stream(40, seed=1, built=built) for one in made]
        assert len(found) == built.found == 40
        assert built.left_out["too light or too heavy"] <= 40
        for one in found:
            mol = Chem.MolFromSmiles(one.smiles)
            assert all(mol.HasSubstructMatch(Chem.MolFromSmiles(part)) for part in fragments.split("."))


def test_a_large_order_is_filled_and_an_impossible_one_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """How long it builds depends on what that brings, not on a number of blocks alone."""
    monkeypatch.setattr("generative.proposer.BLOCKS", 1)
    monkeypatch.setattr("generative.proposer.HOPELESS", 2)
    assert len(made(GraphProposer(), 300)) == 300
    assert made(GraphProposer(scaffold="*OO*"), 5) == []  # peroxides are unstable


def test_two_exits_are_filled_without_waste() -> None:
    """Under one cap for all, 80 to 93 % of what stood on a scaffold with two exits was too heavy."""
    built = Built()
    found = [
        one
        for made in GraphProposer(scaffold="*c1ccc(*)nc1").stream(100, seed=1, built=built)
        for one in made
    ]
    assert built.left_out["too light or too heavy"] < len(found) == 100


def test_the_door_is_the_proposer_without_lessons() -> None:
    assert propose(3, seed=1, scaffold=TRYPTAMINE) == made(GraphProposer(scaffold=TRYPTAMINE), 3)


def test_a_slip_in_a_setting_is_told_with_the_nearest() -> None:
    with pytest.raises(PluginError, match="propose has no setting 'scafold'; did you mean 'scaffold'"):
        propose(3, scafold="c1ccccc1")
    with pytest.raises(PluginError, match=r"setting 'condition': is a list; write \[\"logp=2\"\]"):
        propose(3, condition="logp=2")
    with pytest.raises(SettingError, match="a number from 0 on, not -3"):
        propose(-3)
