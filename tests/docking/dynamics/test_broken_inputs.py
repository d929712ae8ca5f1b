"""Faults: broken inputs, each ending in a typed message that names what is broken and what to do.

A raw traceback of another type fails these tests, and so does a number where there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import AllChem

from discovery.outcome import MoleculeError, Reason, UserError
from docking.dynamics.parameters.charges import am1_bcc, gasteiger, graph_charges, method
from docking.dynamics.parameters.sage import force_field
from docking.dynamics.parameters.smirnoff import ligand_terms
from docking.dynamics.platform import Device
from docking.dynamics.protocol import Settings, read_pose, rescore
from docking.dynamics.receptor_system import receptor_model
from docking.dynamics.simulate import Run
from docking.dynamics.work import Job, work
from docking.receptor import DockingError, ReceptorError
from tests.docking.dynamics.cases import demo_model, embedded, helix, shifted, text, toluene

ION = "HETATM 9001 {name:>2}    {name:>2} A 900      30.000  30.000  30.000  1.00  0.00          {name:>2}"
ALONE = "HETATM 9001  C1  {name} A 900      30.000  30.000  30.000  1.00  0.00           C"


def at(residue: int, change: Callable[[str], list[str]]) -> str:
    """The helix with the lines of one residue changed."""
    return text([new for x in helix() for new in (change(x) if int(x[22:26]) == residue else [x])])


def without(*names: str, residue: int = 129) -> str:
    return at(residue, lambda x: [] if x[12:16].strip() in names else [x])


def renamed(old: str, new: str, residue: int = 129) -> str:
    return at(residue, lambda x: [x.replace(old, new)])


def moved(column: int, written: str) -> str:
    """Asp129's CA with something else in one of its coordinate columns."""
    return at(129, lambda x: [x[:column] + written + x[column + 8 :] if x[12:16].strip() == "CA" else x])


def twice() -> str:
    return text([*helix(), *[x for x in helix() if int(x[22:26]) == 129]])


def surplus() -> str:
    extra = "ATOM   9001  CX  ASP A 129      31.000  31.000  31.000  1.00  0.00           C"
    return at(129, lambda x: [x, extra] if x[12:16].strip() == "CG" else [x])


RECEPTORS: dict[str, tuple[str, str]] = {
    "nothing at all": ("", "holds no ATOM line; give"),
    "prose": ("not a protein", "holds no ATOM line; give"),
    "a side chain missing": (
        without("CG", "OD1", "OD2"),
        "A:ASP129 lacks CG, OD1, OD2; docking.preparation.prepare rebuilds it",
    ),
    "one side-chain atom missing": (
        without("OD2"),
        "A:ASP129 lacks OD2; docking.preparation.prepare rebuilds it",
    ),
    "no CA": (without("CA"), "A:ASP129 lacks CA"),
    "no backbone O": (without("O"), "A:ASP129 lacks O"),
    "no backbone N": (without("N"), "A:ASP129 lacks N"),
    "a terminus cut in two": (
        without("C", "O", residue=133),
        r"A:\w{3}133 lacks C, O; docking.preparation.prepare rebuilds it",
    ),
    "a first residue without N": (without("N", residue=125), r"A:\w{3}125 lacks N"),
    "two hydrogens missing": (without("HA", "HB2"), "A:ASP129 has 2 hydrogens where 4 belong; remove"),
    "one hydrogen missing": (without("H"), "A:ASP129 has 3 hydrogens where 4 belong; remove"),
    "an unknown residue": (renamed("ASP", "XYZ"), "A:XYZ129: .* no parameters for XYZ; .*drop"),
    "an unknown atom name": (renamed(" CB ", " CX "), "A:ASP129 lacks CB"),
    "an atom too many": (surplus(), "A:ASP129 has atoms that ASP does not: CX; rename"),
    "a haem": (
        text([*helix(), "TER", ION.format(name="FE").replace("  FE A", " HEM A")]),
        "A:HEM900: ff14SB has no parameters",
    ),
    "a metal without parameters": (text([*helix(), "TER", ION.format(name="W ")]), "A:W900: .* no param"),
    "a ligand left in": (text([*helix(), "TER", ALONE.format(name="LIG")]), "A:LIG900: .* no parameters"),
    "a cofactor": (
        text([*helix(), "TER", ALONE.format(name="NAD")]),
        "A:NAD900 has 1 heavy atom.s. where 44 belong",
    ),
    "a nucleotide in pieces": (text([*helix(), "TER", ALONE.format(name=" DA")]), "A:DA900"),
    "a phosphate in pieces": (renamed("ASP", "SEP"), "A:SEP129 lacks O1P, O2P, O3P, OG, P"),
    "a residue twice": (twice(), "keep one conformation"),
    "a coordinate that is no number": (
        moved(30, "     nan"),
        "of A:ASP129 has a coordinate that is no number",
    ),
    "letters for a coordinate": (moved(38, "  abcdef"), "columns 31 to 54 are no three coordinates"),
    "an infinite coordinate": (moved(46, "     inf"), "of A:ASP129 has a coordinate that is no number"),
    "an element nobody can tell": (
        at(129, lambda x: [x[:12] + " Q1 " + x[16:76] + "  " if x[12:16].strip() == "CG" else x]),
        "A:ASP129: the element of atom Q1 is unknown; fill in",
    ),
}


@pytest.mark.parametrize("what", RECEPTORS)
def test_a_broken_receptor(what: str) -> None:
    pdb, says = RECEPTORS[what]
    with pytest.raises(ReceptorError, match=says) as caught:
        receptor_model(pdb, "helix 3")
    assert "helix 3" in str(caught.value)


def block(mol: Chem.Mol) -> str:
    return str(Chem.MolToMolBlock(mol, kekulize=False))


def flat() -> str:
    mol = Chem.AddHs(Chem.MolFromSmiles("CCO"))
    AllChem.Compute2DCoords(mol)
    mol.GetConformer().Set3D(False)
    squashed = Chem.Mol(mol)
    for i in range(mol.GetNumAtoms()):
        squashed.GetConformer().SetAtomPosition(i, (0.0, 0.0, 0.0))
    return block(squashed)


def pieces(smiles: str) -> str:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(mol, randomSeed=1)
    return block(mol)


def put(index: int, where: tuple[float, float, float] | int) -> str:
    """Toluene with one atom elsewhere, or on top of another."""
    mol = Chem.Mol(toluene())
    conformer = mol.GetConformer()
    conformer.SetAtomPosition(index, conformer.GetAtomPosition(where) if isinstance(where, int) else where)
    return block(mol)


def five_bonds() -> str:
    mol = Chem.RWMol(toluene())
    mol.GetBondBetweenAtoms(0, 1).SetBondType(Chem.BondType.DOUBLE)
    return block(mol)


def less_a_hydrogen() -> str:
    mol = Chem.RWMol(toluene())
    mol.RemoveAtom(14)
    return block(mol)


def placeholder() -> str:
    mol = Chem.RWMol(toluene())
    mol.GetAtomWithIdx(14).SetAtomicNum(0)
    return block(mol)


def radical() -> str:
    mol = Chem.AddHs(Chem.MolFromSmiles("[CH2]C"))
    AllChem.EmbedMolecule(mol, randomSeed=1)
    return block(mol)


def giant() -> str:
    mol = Chem.MolFromSmiles("C" * 250)
    mol.AddConformer(Chem.Conformer(mol.GetNumAtoms()))
    return block(mol)


POSES: dict[str, tuple[str, Reason, str]] = {
    "nothing": ("", Reason.UNPARSABLE, "no mol block"),
    "prose": ("garbage\n\n\nV9000", Reason.UNPARSABLE, "no mol block"),
    "a block cut short": (block(toluene())[:300], Reason.UNPARSABLE, "no mol block"),
    "no atoms": (block(Chem.Mol()), Reason.EMPTY, "no atoms"),
    "every atom in one place": (flat(), Reason.UNPREPARED, r"0\.00 Å apart|3-D"),
    "no hydrogens": (
        block(Chem.RemoveHs(toluene())),
        Reason.UNPREPARED,
        r"atom C1 lacks 3 explicit hydrogen",
    ),
    "one hydrogen less": (less_a_hydrogen(), Reason.UNPREPARED, r"lacks 1 explicit hydrogen|unpaired"),
    "a salt": (pieces("CC[NH3+].[Cl-]"), Reason.UNSUPPORTED, "2 separate molecules; keep one"),
    "a water beside it": (pieces("Cc1ccccc1.O"), Reason.UNSUPPORTED, "2 separate molecules; keep one"),
    "two atoms in one place": (put(3, 9), Reason.UNPREPARED, r"C4 and H10 are 0\.00 Å apart"),
    "five bonds on a carbon": (five_bonds(), Reason.UNPREPARED, "valence|kekulize"),
    "a placeholder atom": (placeholder(), Reason.UNSUPPORTED, r"is a placeholder|lacks"),
    "a radical": (radical(), Reason.UNSUPPORTED, "C1 has 1 unpaired electron"),
    "a giant": (giant(), Reason.TOO_LARGE, "250 heavy atoms; the limit is 200"),
    "a coordinate that is no number": (
        put(2, (float("nan"), 0.0, 0.0)),
        Reason.UNPARSABLE,
        "3-D coordinates|no mol block",
    ),
}


@pytest.mark.parametrize("what", POSES)
def test_a_broken_pose(what: str) -> None:
    pose, reason, says = POSES[what]
    with pytest.raises(MoleculeError, match=says) as caught:
        read_pose(pose, "lig7")
    assert caught.value.reason is reason
    assert "lig7" in str(caught.value)


def whole(smiles: str) -> Chem.Mol:
    return Chem.AddHs(Chem.MolFromSmiles(smiles))


@pytest.mark.parametrize(
    ("smiles", "work", "says"),
    [
        (
            "CB(O)O",
            lambda m: ligand_terms(m, gasteiger(m, "lig7").values, force_field(), "lig7"),
            r"no \S+.* parameter for .*B2.*; leave this molecule out",
        ),
        ("C[SeH]", lambda m: graph_charges(m, "lig7"), r"atom Se2: graph charges know .*use am1-bcc"),
        ("C[GeH3]", lambda m: am1_bcc(m, "lig7"), "no bond charge correction .* C1-Ge2"),
        ("[Cl-]", lambda m: graph_charges(m, "lig7"), "lig7 has no bonds"),
        ("C[Hg]C", lambda m: gasteiger(m, "lig7"), "no Gasteiger charge for Hg2"),
    ],
)
def test_a_molecule_without_parameters(smiles: str, work: Callable[[Chem.Mol], object], says: str) -> None:
    with pytest.raises(MoleculeError, match=says) as caught:
        work(whole(smiles))
    assert "lig7" in str(caught.value)


def on_top_of(residue: str) -> Chem.Mol:
    model = demo_model()
    index = model.labels.index(residue)
    (ca,) = (i for i in np.flatnonzero(model.residue == index) if model.atom_names[i] == "CA")
    mol = Chem.Mol(toluene())
    shift = model.xyz[ca] * 10 - mol.GetConformer().GetPositions().mean(axis=0)
    for i, point in enumerate(mol.GetConformer().GetPositions() + shift):
        mol.GetConformer().SetAtomPosition(i, point.tolist())
    return mol


def test_a_pose_far_away() -> None:
    with pytest.raises(ReceptorError, match=r"no residue of .* nearest, \w:\w+, is [\d.]+ Å away: check"):
        rescore(demo_model(), shifted(toluene(), 500.0), Settings(charges=gasteiger), name="lig7")


def test_a_pose_inside_a_residue() -> None:
    stuck = Settings(charges=gasteiger, keep=6.0, free=0.1)
    with pytest.raises(
        MoleculeError, match=r"lig7.*(overlaps the receptor|no finite number).*dock it again"
    ) as caught:
        rescore(demo_model(), on_top_of("A:ASP129"), stuck, name="lig7")
    assert caught.value.reason in (Reason.NO_PLAUSIBLE_POSE, Reason.DIVERGED)


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (lambda: method("resp"), "charges must be one of graph, .* not 'resp'"),
        (lambda: Device("Abacus").platform(), "no platform 'Abacus' here; it has"),
        (lambda: Settings(keep=3.0), "within 5 Å of the ligand cannot move where those within 3 Å"),
        (lambda: Settings(free=float("nan")), "free must be above 0 and no more than keep"),
    ],
)
def test_a_wrong_choice(asked: Callable[[], object], says: str) -> None:
    with pytest.raises(DockingError, match=says):
        asked()


@pytest.mark.parametrize(
    ("written", "says"), [(None, "does not exist"), ("CCO ethanol\n", "holds no poses: give")]
)
def test_a_file_that_holds_no_poses(tmp_path: Path, written: str | None, says: str) -> None:
    path = tmp_path / "poses.smi"
    if written is not None:
        path.write_text(written)
    job = Job(demo_model(), "digest", "mmgbsa", Run(), Settings(charges=gasteiger), "gasteiger")
    with pytest.raises(UserError, match=says):
        work(path, tmp_path / "out", job)


def test_another_pocket_is_another_run(tmp_path: Path) -> None:
    """Poses done in a pocket of 9 Å must not stand beside some of 7 Å."""
    path = tmp_path / "poses.sdf"
    path.write_text(flat() + "\n$$$$\n")
    job = Job(demo_model(), "digest", "mmgbsa", Run(), Settings(charges=gasteiger), "gasteiger")
    work(path, tmp_path / "out", job)
    assert "1 in: 0 with a number, 1 without" in (tmp_path / "out" / "report.txt").read_text()
    with pytest.raises(DockingError, match=r"pocket was 9\.0 and is 7\.0"):
        work(path, tmp_path / "out", replace(job, settings=replace(job.settings, keep=7.0)), resume=True)


def test_the_same_molecules_unbroken_pass() -> None:
    """Or the tests above would prove nothing."""
    assert receptor_model(text(helix()), "helix 3").terms.n_atoms > 100
    assert read_pose(block(toluene()), "lig7").GetNumAtoms() == 15
    assert embedded("CCO").GetNumAtoms() == 9
