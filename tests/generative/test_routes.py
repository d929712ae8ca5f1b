"""Routes are believed only when they can be walked again; references are syntheses anybody would write down."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdkit import Chem

from discovery.record import IntakeError
from generative.refusal import SettingError
from generative.routes.plan import Route, plan
from generative.routes.reactions import named, run
from generative.routes.stock import Stock, flat, load

MADE = {
    # name: (SMILES, reactions in all)
    "moclobemide": ("O=C(NCCN1CCOCC1)c1ccc(Cl)cc1", 1),
    "a benzylpiperazine": ("COc1ccccc1N1CCN(Cc2ccc3OCOc3c2)CC1", 1),
    "an anilide, its amine protected on the way": ("O=C(Nc1ccc(-c2ccncc2)cc1)C1CCNCC1", 3),
    "a biaryl amide with an ether": ("O=C(NCc1cccnc1)c1ccc(-c2ccc(OCCN3CCOCC3)cc2)cc1", 3),
}


def planned(smiles: str, steps: int = 3, stock: Stock | None = None) -> Route:
    return plan(Chem.MolFromSmiles(smiles), stock or load(), steps)


def walk(route: Route) -> None:
    """Every step of it, forward: from blocks at hand to the target."""
    at_hand = set(route.blocks) | set(route.lacking)
    for step in route.steps:
        assert set(step.blocks) <= at_hand
        assert step.product in run(named(step.reaction), [Chem.MolFromSmiles(b) for b in step.blocks])
        at_hand.add(step.product)
    assert route.target in at_hand


@pytest.mark.parametrize("name", MADE)
def test_known_syntheses_are_found(name: str) -> None:
    smiles, steps = MADE[name]
    route = planned(smiles)
    assert route.whole
    assert route.covered == 1.0
    assert len(route.steps) == steps
    assert set(route.blocks) <= load().blocks
    walk(route)


def test_a_free_amine_is_protected_rather_than_risked() -> None:
    route = planned(MADE["an anilide, its amine protected on the way"][0])
    done = [step.reaction for step in route.steps]
    assert done.index("Boc removal") > done.index("amide coupling")
    assert sum(step.rivals for step in route.steps) == 0


def test_on_the_shelf_takes_no_step() -> None:
    route = planned("CC(=O)Nc1ccc(O)cc1")
    assert (route.steps, route.whole, route.blocks) == ((), True, ("CC(=O)Nc1ccc(O)cc1",))


def test_what_cannot_be_made_says_how_far_it_came() -> None:
    celecoxib = "Cc1ccc(-c2cc(C(F)(F)F)nn2-c2ccc(S(N)(=O)=O)cc2)cc1"
    route = planned(celecoxib)
    assert not route.whole
    assert 0 < route.covered < 1
    walk(route)
    nothing = planned("C1CC2CC1C1CC21")
    assert (nothing.covered, nothing.steps, nothing.lacking) == (0.0, (), (nothing.target,))
    assert nothing.exhausted


def test_more_steps_never_explain_less() -> None:
    for smiles, _ in MADE.values():
        shares = [planned(smiles, steps).covered for steps in range(4)]
        assert shares == sorted(shares)


def test_the_order_of_atoms_does_not_matter() -> None:
    smiles = MADE["a biaryl amide with an ether"][0]
    mol = Chem.MolFromSmiles(smiles)
    turned = Chem.RenumberAtoms(mol, list(range(mol.GetNumAtoms()))[::-1])
    assert plan(turned, load()) == planned(smiles)


def test_a_budget_of_one_structure_ends_at_once_and_says_so() -> None:
    route = plan(Chem.MolFromSmiles(MADE["a biaryl amide with an ether"][0]), load(), 3, structures=1)
    assert not route.whole
    assert not route.exhausted


def test_another_halogen_serves(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf.smi"
    shelf.write_text("Ic1ccncc1 an iodide\nOB(O)c1ccccc1\n")
    route = planned("c1ccc(-c2ccncc2)cc1", stock=load(shelf))
    assert set(route.blocks) == {flat(Chem.MolFromSmiles(s)) for s in ("Ic1ccncc1", "OB(O)c1ccccc1")}


def test_a_fluoride_serves_where_it_reacts_and_only_there(tmp_path: Path) -> None:
    shelf = tmp_path / "shelf.smi"
    shelf.write_text("Fc1ccccc1[N+](=O)[O-]\nNC1CC1\nFc1ccc(C)cc1\n")
    assert planned("O=[N+]([O-])c1ccccc1NC1CC1", stock=load(shelf)).whole
    assert not planned("Cc1ccc(NC2CC2)cc1", stock=load(shelf)).whole


def test_a_shelf_with_rubbish_on_it(tmp_path: Path) -> None:
    shelf, table = tmp_path / "shelf.smi", tmp_path / "shelf.csv"
    shelf.write_text("# mine\nCCN\nnot a molecule\nCCO.CCN mixture\n\nOC(=O)c1ccccc1 benzoic acid\n")
    table.write_text("name,smiles\nbenzoic acid,OC(=O)c1ccccc1\nbad,not a molecule\nethylamine,CCN\n")
    assert load(shelf).blocks == load(table).blocks == {"CCN", "O=C(O)c1ccccc1"}
    (tmp_path / "empty.smi").write_text("xyz\n")
    with pytest.raises(SettingError, match="no row of it is one molecule"):
        load(tmp_path / "empty.smi")
    with pytest.raises(IntakeError, match="does not exist"):
        load(tmp_path / "none.smi")
