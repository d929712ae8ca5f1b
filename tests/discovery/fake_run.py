"""A campaign's results as they might come, without running one: real molecules, a real receptor, hostile texts.

The receptor and its ligand are the 5-HT1B structure inside the `prolif` package.
Poses are conformers moved to where that ligand sits: right in form, not in physics.
Numbers are seeded noise around real descriptors. Nothing here is a result.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem import BRICS, QED, Crippen, rdDistGeom, rdForceFieldHelpers
from rdkit.Chem.FilterCatalog import FilterCatalog, FilterCatalogParams

from discovery.outcome import Counts, Missing, Reason
from discovery.results import Row, Run, StageCount
from discovery.score import Column, Score
from discovery.target import Statement, Target

PARENTS = (
    "CNS(=O)(=O)Cc1ccc2[nH]cc(CCN(C)C)c2c1",  # sumatriptan
    "CN(C)CCc1c[nH]c2ccc(Cn3cncn3)cc12",  # rizatriptan
    "CN(C)CCc1c[nH]c2ccc(C[C@H]3COC(=O)N3)cc12",  # zolmitriptan
    "CN1CCC(CC1)c1c[nH]c2ccc(CCS(C)(=O)=O)cc12",  # near naratriptan
    "CN1CCC[C@@H]1Cc1c[nH]c2ccc(CCS(=O)(=O)c3ccccc3)cc12",  # eletriptan
    "COc1ccccc1N1CCN(CCCCN2C(=O)c3ccccc3C2=O)CC1",  # NAN-190
    "CC(C)NCC(O)COc1cccc2ccccc12",  # propranolol
    "Cc1nc(-c2ccc(cc2)C(=O)Nc2ccc(OC)c(N3CCN(C)CC3)c2)no1",
    "O=C(NCc1ccccc1)c1cc([N+](=O)[O-])ccc1Cl",
    "CC(=O)Nc1ccc(O)cc1",
    "O=Cc1ccc(OCCN2CCOCC2)cc1",
    "Fc1ccc(cc1)C(CCCN1CCC(CC1)n1c(=O)[nH]c2ccccc12)c1ccc(F)cc1",  # pimozide
)
HOSTILE = "<script>alert(1)</script>"
HOSTILE_TEXTS = (
    HOSTILE,
    '"><img src=x onerror=alert(1)>',
    "\x1b[31mred\x1b]0;owned\x07\x9b2Jtext",
    "=cmd|'/C calc'!A0",
    "C\0C",
    "javascript:alert(1)",
    "]]></script><svg onload=alert(1)>",
    "\u202egnp.exe\u202c",
)

COLUMNS = (
    Column("logp", "1", "low", "logP", "Crippen's octanol-water partition, calculated."),
    Column("qed", "1", "high", "QED", "Quantitative estimate of drug-likeness, 0 to 1."),
    Column("alerts", "1", "low", "Structural alerts", "BRENK and PAINS patterns that match."),
    Column("docking", "kcal/mol", "low", "Docking score", "Vina's score of the best plausible pose."),
    Column("pose_stability", "Å", "low", "Pose drift", "Mean drift of the ligand in a short simulation."),
)


def prolif_data() -> Path | None:
    """Where the prolif package keeps its files; None when it is not installed. It is not imported."""
    spec = find_spec("prolif")
    return Path(spec.origin).parent / "data" / "vina" if spec and spec.origin else None


@lru_cache(maxsize=4)
def fake_run(n: int = 220, *, seed: int = 7, posed: int = 14, hostile: bool = True) -> Run:
    """A finished run of `n` proposals; the best `posed` of them are docked."""
    chance = random.Random(seed)
    receptor, centre = _receptor()
    rows = [_proposed(place, smiles, chance) for place, smiles in enumerate(_molecules(n - 12, seed))]
    passed = sorted(
        (row for row in rows if row["outcomes"]["alerts"].value < 2),
        key=lambda row: -row["outcomes"]["qed"].value,
    )
    for place, row in enumerate(passed):
        _dock(
            row, centre, chance, simulate=place % 3 == 0, embed=place < 30
        ) if place < posed else _not_reached(row, place + 1, posed)
    for row in rows:
        if row["outcomes"]["alerts"].value > 1:
            names = ", ".join(alert["name"] for alert in row["outcomes"]["alerts"].details["alerts"])
            row["missing"] = Missing(
                "alerts", Reason.FILTERED, f"{row['id']} trips {names}; the campaign allows one"
            )
            _close(row)
    rows += _broken(len(rows), hostile)
    ranked = sorted((row for row in rows if row["missing"] is None), key=lambda row: -row["utility"])
    for place, row in enumerate(ranked, start=1):
        row["rank"] = place
        row["front"] = 1 if place in (1, 2, 5) else 2 if place < 8 else 3
    unranked = [row for row in rows if row["missing"] is not None]
    made = tuple(Row(**row) for row in [*ranked, *unranked])
    return Run(
        name=f"5-HT1B, first campaign {HOSTILE}" if hostile else "5-HT1B, first campaign",
        folder="runs/first",
        target=Target("5-hydroxytryptamine receptor 1B", "HTR1B", "P28222", "migraine"),
        columns=COLUMNS,
        rows=made,
        funnel=_funnel(made),
        statements=_statements(hostile),
        provenance={
            "command": "discovery run campaign.toml",
            "seed": seed,
            "versions": {"python": "3.11.7", "rdkit": "2026.3.6", "vina": "1.2.7", "tokenizers": "0.22"},
            "weights": {
                "proposers/graph": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
            },
            "platform": "Linux x86_64",
            "cpus": 2,
            "licences": {"rdkit": "BSD-3-Clause", "vina": "Apache-2.0"},
            "api_token": "tok-not-to-be-seen",
        },
        receptor_pdb=receptor,
        reference_sdf=_reference(),
        notes=("Docking scores order molecules for a closer look. They are no measured affinities.",),
    )


@lru_cache(maxsize=4)
def _molecules(n: int, seed: int) -> tuple[str, ...]:
    pieces = sorted(
        {piece for smiles in PARENTS for piece in BRICS.BRICSDecompose(Chem.MolFromSmiles(smiles))}
    )
    random.seed(seed)  # BRICSBuild shuffles with the global generator
    found: dict[str, None] = {}
    for mol in BRICS.BRICSBuild([Chem.MolFromSmiles(piece) for piece in pieces], maxDepth=2):
        mol.UpdatePropertyCache()
        smiles = Chem.MolToSmiles(mol)
        if 14 <= mol.GetNumHeavyAtoms() <= 38 and Chem.MolFromSmiles(smiles) is not None:
            found[smiles] = None
        if len(found) >= n:
            break
    return tuple(found)


def _proposed(place: int, smiles: str, chance: random.Random) -> dict[str, Any]:
    mol = Chem.MolFromSmiles(smiles)
    alerts = _alerts(mol)
    outcomes: dict[str, Score | Missing] = {
        "logp": Score(Crippen.MolLogP(mol)),
        "qed": Score(QED.qed(mol)),
        "alerts": Score(len(alerts), details={"alerts": alerts}),
    }
    parents = tuple(chance.sample(PARENTS, 2))
    return {
        "id": f"r{place // 120}-{place % 120:04d}", "text": smiles, "smiles": smiles, "proposer": "brics", "round": place // 120,
        "parents": parents, "edit": "joined two fragments at an amide and an aryl-carbon bond", "outcomes": outcomes,
        "desirability": {}, "utility": None, "rank": None, "front": None, "missing": None,
    }  # fmt: skip


def _dock(
    row: dict[str, Any], centre: np.ndarray, chance: random.Random, *, simulate: bool, embed: bool
) -> None:
    value = round(-6.5 - 4 * chance.random(), 2)
    details: dict[str, Any] = {
        "interactions": [
            {"residue": "A:ASP129", "kind": "salt_bridge", "distance": 2.9},
            {"residue": "A:THR134", "kind": "HBAcceptor", "distance": 3.1},
            {"residue": "B:PHE330", "kind": "PiStacking", "distance": 4.6},
            {"residue": "A:ILE130", "kind": "Hydrophobic", "distance": 3.8},
            {"residue": "B:TRP327", "kind": "Hydrophobic", "distance": 3.9},
        ],
        "plausibility": {"plausible": True, "clashes": 0, "strain_kcal_mol": round(4 * chance.random(), 2)},
        "terms": {"vdw": round(value * 0.8, 2), "hbond": round(value * 0.2, 2)},
    }
    if embed:
        details["pose"] = _conformer(row["smiles"], centre)
    row["outcomes"]["docking"] = Score(value, 0.4, details)
    if simulate:
        rmsd = [round(0.4 + 0.02 * step + 0.3 * chance.random(), 2) for step in range(60)]
        row["outcomes"]["pose_stability"] = Score(
            float(np.mean(rmsd)), 0.2, {"rmsd": rmsd, "contacts_kept": 0.82}
        )
    else:
        row["outcomes"]["pose_stability"] = Missing(
            "pose_stability", Reason.NOT_REACHED, "only the best third is simulated"
        )
    desire = {
        "logp": max(0.0, 1 - abs(row["outcomes"]["logp"].value - 2.5) / 4),
        "qed": row["outcomes"]["qed"].value,
        "docking": min(1.0, max(0.0, (-value - 5) / 6)),
    }
    row["desirability"] = desire
    row["utility"] = float(np.prod(list(desire.values())) ** (1 / 3))


def _conformer(smiles: str, centre: np.ndarray) -> str:
    mol = Chem.AddHs(Chem.MolFromSmiles(smiles))
    assert rdDistGeom.EmbedMolecule(mol, randomSeed=11) == 0
    rdForceFieldHelpers.MMFFOptimizeMolecule(mol)
    xyz = mol.GetConformer().GetPositions()
    mol.GetConformer().SetPositions(xyz - xyz.mean(axis=0) + centre)
    return str(Chem.MolToMolBlock(mol))


def _not_reached(row: dict[str, Any], place: int, posed: int) -> None:
    row["missing"] = Missing("docking", Reason.NOT_REACHED, f"{place}th on properties, {posed} were docked")
    _close(row)


def _close(row: dict[str, Any]) -> None:
    for name in ("docking", "pose_stability"):
        row["outcomes"][name] = row["missing"]


def _broken(first: int, hostile: bool) -> list[dict[str, Any]]:
    texts = (
        HOSTILE_TEXTS
        if hostile
        else ("C1CC", "c1ccc", "N(C)(C)(C)(C)C", "[Xx]", "C(C", "CC)", "C=#C", "1CC1")
    )
    rows = []
    for place, text in enumerate(
        [*texts, "C" * 6000, "", "CCO", "CC(C)(C)c1ccc(cc1)C(O)CCCN1CCC(CC1)C(O)(c1ccccc1)c1ccccc1"]
    ):
        reason, stage, detail = Reason.UNPARSABLE, "proposal", f"{text} is not a SMILES RDKit can read"
        smiles = ""
        if len(text) > 5000:
            reason, detail = Reason.TOO_LARGE, "the row is 6,000 characters long; the limit is 5,000"
        elif not text:
            reason, detail = Reason.EMPTY, "the row has no structure"
        elif text == "CCO":
            reason, smiles, detail = Reason.DUPLICATE, "CCO", "same molecule as r0-0001"
        elif len(text) > 40 and text.startswith("CC(C)(C)"):
            reason, smiles, stage, detail = Reason.TIMED_OUT, text, "docking", "no answer within 60 s"
        rows.append({
            "id": f"r9-{first + place:04d}", "text": text, "smiles": smiles, "proposer": texts[1] if hostile else "library", "round": 1,
            "parents": (), "edit": texts[0] if hostile else "", "outcomes": {c.name: Missing(stage, reason, detail) for c in COLUMNS},
            "desirability": {}, "utility": None, "rank": None, "front": None, "missing": Missing(stage, reason, detail),
        })  # fmt: skip
    return rows


@lru_cache(maxsize=1)
def _catalog() -> FilterCatalog:
    params = FilterCatalogParams()
    params.AddCatalog(FilterCatalogParams.FilterCatalogs.BRENK)
    params.AddCatalog(FilterCatalogParams.FilterCatalogs.PAINS)
    return FilterCatalog(params)


def _alerts(mol: Chem.Mol) -> list[Mapping[str, Any]]:
    return [
        {
            "name": entry.GetDescription(),
            "set": entry.GetProp("FilterSet"),
            "atoms": sorted({pair[1] for pair in match.atomPairs}),
        }
        for entry in _catalog().GetMatches(mol)
        for match in list(entry.GetFilterMatches(mol))[:1]
    ]


def _funnel(rows: tuple[Row, ...]) -> tuple[StageCount, ...]:
    def stage(name: str, seconds: float, inside: list[Row]) -> StageCount:
        return StageCount(
            name,
            Counts.of(row.missing if row.missing and row.missing.stage == name else row for row in inside),
            seconds,
        )

    left, funnel = list(rows), []
    for name, seconds in (("proposal", 0.8), ("alerts", 1.9), ("docking", 212.0)):
        funnel.append(stage(name, seconds, left))
        left = [row for row in left if row.missing is None or row.missing.stage != name]
    return tuple(funnel)


def _statements(hostile: bool) -> tuple[Statement, ...]:
    title = f"A text about triptans {HOSTILE}" if hostile else "A text about triptans"
    return (
        Statement("sumatriptan", "activates", "HTR1B", 1, 0.94, "Sumatriptan is an agonist at the 5-HT1B receptor and constricts cranial arteries.",
                  "EXAMPLE:7", title, 2019, "abstract", 0, 75, "illustrative"),
        Statement("HTR1B", "associated with", "migraine", 1, 0.81, "Activation of 5-HT1B receptors was linked to relief of migraine.",
                  "PMID:12345678", "Migraine and 5-HT1B \x1b[31mred", 2014, "discussion"),
        Statement("propranolol", "inhibits", "HTR1B", -1, 0.40, "Propranolol did not bind 5-HT1B at the concentrations tested.",
                  "EXAMPLE:11", "Beta blockers", 2001, "results", kind="illustrative"),
        Statement("compound 4", "treats", "migraine", 1, 0.7, "Compound 4 cured migraine in all patients.",
                  "EXAMPLE:12", "A claim withdrawn", 2009, "abstract", kind="illustrative", retracted=True),
        Statement("HTR1B", "mentioned with", "serotonin", 0, 0.2, "HTR1B ' onmouseover='alert(1) was measured.", "javascript:alert(1)" if hostile else "US1234567", kind="patent"),
    )  # fmt: skip


@lru_cache(maxsize=1)
def _receptor() -> tuple[str, np.ndarray]:
    folder = prolif_data()
    if folder is None:
        return "", np.zeros(3)
    ligand = np.array([
        [float(line[30:38]), float(line[38:46]), float(line[46:54])]
        for line in (folder / "lig.pdb").read_text().splitlines() if line.startswith(("ATOM", "HETATM"))
    ])  # fmt: skip
    return (folder / "rec.pdb").read_text(), ligand.mean(axis=0)


def _reference() -> str:
    folder = prolif_data()
    if folder is None:
        return ""
    block = (folder / "vina_output.sdf").read_text().split("$$$$")[0]
    return block.lstrip("\n") if not block.startswith("\n") else block
