"""Alerts: known offenders are named, their atoms are right, good drugs pass."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdkit import Chem, RDConfig
from rdkit.Chem.FilterCatalog import FilterCatalog, FilterCatalogParams

from discovery.molecule import Molecule
from discovery.properties.alerts import REACTIVE, SETS, Alerts, _readable, alerts
from discovery.score import Score, Scorer
from tests.references.drugs import DRUGS

# One molecule for each of our own patterns, drawn by hand.
EXAMPLES = {
    "acyl halide": "CC(=O)Cl",
    "sulfonyl halide": "CS(=O)(=O)Cl",
    "phosphoryl halide": "CP(=O)(C)F",
    "anhydride": "CC(=O)OC(C)=O",
    "isocyanate": "CCN=C=O",
    "isothiocyanate": "CCN=C=S",
    "carbodiimide": "CCN=C=NCC",
    "ketene": "CC(C)=C=O",
    "allene": "CC=C=CC",
    "epoxide": "CC1CO1",
    "aziridine": "CC1CN1",
    "thiirane": "CC1CS1",
    "three-ring with two heteroatoms": "CC1NO1",
    "azide": "CCN=[N+]=[N-]",
    "diazo": "CC=[N+]=[N-]",
    "diazonium": "c1ccccc1[N+]#N",
    "peroxide": "CCOOCC",
    "disulfide": "CSSC",
    "chain of three nitrogens": "CN=NN(C)C",
    "nitrosamine": "CN(C)N=O",
    "nitroso": "c1ccccc1N=O",
    "nitrite or nitrate ester": "CCO[N+](=O)[O-]",
    "N-halogen": "CN(C)Cl",
    "O-halogen": "COCl",
    "S-halogen": "CSCl",
    "alkyl bromide or iodide": "CCBr",
    "alpha-halo ketone": "CC(=O)CCl",
    "alpha-halo ether or amine": "COCCl",
    "sulfonate ester": "CS(=O)(=O)OC",
    "beta-lactone": "O=C1OCC1C",
    "acyl cyanide": "CC(=O)C#N",
    "cyanohydrin": "CC(O)C#N",
    "hemiacetal, open": "CC(O)OC",
    "geminal diol": "CC(O)O",
    "geminal diamine": "CC(N)N",
    "enol": "OC=C",
    "imine of an alkyl aldehyde": "CCN=CC",
    "aldehyde": "CCC=O",
    "thiol": "CCS",
    "thioaldehyde or thioketone": "CC(C)=S",
    "Michael acceptor, nitro": "CC=C[N+](=O)[O-]",
    "Michael acceptor, vinyl sulfone": "C=CS(C)(=O)=O",
    "Michael acceptor, vinyl ketone": "C=CC(C)=O",
    "ynone": "CC#CC(C)=O",
    "quinone": "O=C1C=CC(=O)C=C1",
    "polyyne": "CC#CC#CC",
    "cyclobutadiene or strained cyclic alkyne": "C1CC#CCC1",
    "phosphine": "CP(C)C",
    "silyl halide or silane": "C[SiH3]",
    "carbanion or carbocation": "C[CH2-]",
    "radical": "C[CH2]",
}


def score(smiles: str, *sets: str) -> Score:
    (outcome,) = Alerts(sets or SETS)([Molecule.parse(smiles)])
    assert isinstance(outcome, Score)
    return outcome


def names(smiles: str, *sets: str) -> set[str]:
    return {alert["name"] for alert in score(smiles, *sets).details["alerts"]}


@pytest.mark.parametrize("name", REACTIVE)
def test_each_of_our_patterns_finds_its_example(name: str) -> None:
    mol = Chem.MolFromSmiles(EXAMPLES[name])
    assert name in {alert["name"] for alert in alerts(mol, ["reactive"])}


@pytest.mark.parametrize(
    "name",
    sorted(DRUGS.keys() - {"penicillin G", "neostigmine", "chloramphenicol", "amantadine", "spironolactone"}),
)
def test_good_drugs_are_not_called_reactive(name: str) -> None:
    assert names(DRUGS[name], "reactive") == set()


def test_the_atoms_are_those_of_the_standardised_smiles() -> None:
    found = score("[Na+].O=[N+]([O-])c1ccc(cc1)C(=O)CBr.[Cl-]", "reactive")
    molecule = Molecule.parse("[Na+].O=[N+]([O-])c1ccc(cc1)C(=O)CBr.[Cl-]")
    hit = next(a for a in found.details["alerts"] if a["name"] == "alpha-halo ketone")
    symbols = [molecule.mol().GetAtomWithIdx(atom).GetSymbol() for atom in hit["atoms"]]
    assert sorted(symbols) == ["Br", "C", "C", "O"]


def test_all_places_of_a_pattern_are_one_alert() -> None:
    found = score("CCCC(CS)CS", "reactive")
    assert found.value == 1
    assert len(found.details["alerts"][0]["atoms"]) == 4


def test_a_known_pain_is_named() -> None:
    """Rhodanines (Baell and Holloway 2010, ene_rhod_A) and catechols are the textbook's examples."""
    assert "ene rhod A" in names("O=C1N(C)C(=S)SC1=Cc1ccccc1", "pains")
    assert "catechol A" in names("CCCc1ccc(O)c(O)c1", "pains")


@pytest.mark.parametrize("name", ["pains", "brenk", "nih"])
def test_agrees_with_rdkits_catalogue_run_whole(name: str) -> None:
    """Reference: RDKit's FilterCatalog asked about the parsed drawing."""
    settings = FilterCatalogParams()
    settings.AddCatalog(getattr(FilterCatalogParams.FilterCatalogs, name.upper()))
    catalogue = FilterCatalog(settings)
    for smiles in DRUGS.values():
        molecule = Molecule.parse(smiles)
        theirs = [entry.GetDescription() for entry in catalogue.GetMatches(Chem.MolFromSmiles(smiles))]
        assert score(molecule.smiles, name).value == len(theirs)


def test_is_a_scorer_and_refuses_unknown_sets() -> None:
    assert isinstance(Alerts(), Scorer)
    with pytest.raises(ValueError, match="no alert set 'pain'; they are pains, brenk, nih, reactive"):
        Alerts(("pain",))
    with pytest.raises(ValueError, match="at least one set"):
        Alerts(())
    with pytest.raises(ValueError, match=r'write \["pains"\]'):
        Alerts("pains")  # type: ignore[arg-type]


def test_no_pain_is_lost_by_trying_only_what_could_match() -> None:
    """Reference: RDKit's own example of each pattern, and its catalogue asked without our short cut."""
    examples = Path(RDConfig.RDDataDir) / "Pains" / "test_data" / "test_set3.txt"
    if not examples.is_file():
        pytest.skip("RDKit's examples of PAINS are not installed")
    lines = [line.split("\t") for line in examples.read_text().splitlines() if line and line[0] != "#"]
    settings = FilterCatalogParams()
    settings.AddCatalog(FilterCatalogParams.FilterCatalogs.PAINS)
    catalogue, seen = FilterCatalog(settings), set()
    for smiles in [cells[2] for cells in lines[::8]]:
        mol = Chem.MolFromSmiles(smiles)
        theirs = [_readable(entry.GetDescription()) for entry in catalogue.GetMatches(mol)]
        assert [alert["name"] for alert in alerts(mol, ["pains"])] == theirs
        seen |= set(theirs)
    assert len(seen) > 55


def test_every_place_of_a_catalogues_pattern_is_shown() -> None:
    (nitro,) = [
        a
        for a in alerts(Chem.MolFromSmiles("O=[N+]([O-])CCC[N+](=O)[O-]"), ["brenk"])
        if a["name"] == "nitro group"
    ]
    assert nitro["atoms"] == [0, 1, 2, 6, 7, 8]
