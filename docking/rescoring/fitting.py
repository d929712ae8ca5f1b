"""How are the weights of the rescoring learned?

python -m docking.rescoring.fitting --poses FOLDER [FOLDER ...] --out DIR

Each file of the folder holds one complex: a ligand, its docked poses, how far each lies
from the crystal's. The weights are those under which the near poses of a ligand win
against its others (a softmax over each ligand's poses [1]), held small by a ridge and, so
that a few hundred complexes suffice, to the sign that physics gives them. Which kinds of
atoms like to meet is counted inside the proteins [2], of which there is plenty. What all
this is worth is measured on complexes whose protein and ligand resemble none that was
learned from: families are kept whole, the ridge is chosen inside the part learned from.

References
----------
.. [1] Z. Cao et al., Learning to rank: from pairwise approach to listwise approach, ICML 2007
.. [2] S. Miyazawa, R. Jernigan, J. Mol. Biol. 256 (1996) 623, doi:10.1006/jmbi.1996.0114
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator

from discovery.extras import needs
from discovery.files import publish
from docking import pdbqt
from docking.atom_types import Floats, Ints, find_bonds
from docking.pose import equivalent, with_coords
from docking.receptor import DockingError
from docking.rescoring.features import KNOTS, measure
from docking.rescoring.kinds import Kind, read_chemistry
from docking.rescoring.order import Weights, calmed, chances, gaps, write

with needs("docking"):
    from scipy.optimize import minimize
    from scipy.spatial import cKDTree


NEAR = 2.0  # Å; a pose so near the crystal's counts as found
SURE, FADING = 1.0, 0.6  # Å; full credit up to the first, then falling as a Gaussian of the second
WORD = 5  # residues
KIN = 0.06  # shared words, of the smaller protein's, from which two proteins are of one family
ALIKE = 0.6  # Tanimoto of counted fingerprints from which two ligands are of one family
RIDGES = (3.0, 6.0, 12.0)
FOLDS = 5
REPEATS = 5  # ways to part the families, since one alone may be lucky

# +1: more of it speaks for a pose, -1: against
SIGNS = {
    "gauss1": 1, "vinardo_gauss": 1, "hydrophobic": 1, "vinardo_hydrophobic": 1, "hbond": 1, "vinardo_hbond": 1,
    "bridge": 1, "charge_on_ring": 1, "rings_parallel": 1, "rings_on_edge": 1, "rings_tilted": 1, "within_5": 1,
    "buried": 1, "fat_buried": 1, "receptor_fat": 1, "repulsion_unbonded": -1, "vinardo_repulsion": -1,
    "unmet": -1, "unmet_charge": -1, "turned_staggered": -1, "turned_flat": -1, "turned_mixed": -1,
    "fat_bare": -1, "faces_fat": -1, "fat_faces": -1, "away_lone": -1, "away_joined": -1,
    "receptor_away_lone": -1, "receptor_away_joined": -1, "receptor_end_on": -1,
}  # fmt: skip

EDGES = np.array([0.0, 2.0, 2.4, 2.6, 2.8, 3.0, 3.2, 3.4, 3.6, 3.8, 4.0, 4.2, 4.4, 4.7, 5.0, 5.5, 6.0, 6.5, 7.0, 7.5,
                  8.0])  # fmt: skip # Å, between which contacts inside proteins are counted
CLOSE = 6  # knots that count as close, the last at 4.5 Å
APART = 4  # residues along the chain from which a contact is one of fold, not of bonds
FEW = 30.0  # contacts expected of a pair of kinds below which its statistics are not believed
# kinds that proteins lack, or show too seldom, and which of theirs they are taken for, at what weight
STANDINS = (
    (Kind.NITROGEN_BARE, Kind.CARBONYL, 0.3), (Kind.ETHER, Kind.CARBONYL, 0.3), (Kind.FLUORINE, Kind.CARBON, 0.5),
    (Kind.HALOGEN, Kind.CARBON, 0.5), (Kind.PHOSPHORUS, Kind.CARBON_FLAT, 0.3),
)  # fmt: skip

_LETTERS = {
    "ALA": "A", "ARG": "R", "ASN": "N", "ASP": "D", "CYS": "C", "GLN": "Q", "GLU": "E", "GLY": "G", "HIS": "H",
    "ILE": "I", "LEU": "L", "LYS": "K", "MET": "M", "PHE": "F", "PRO": "P", "SER": "S", "THR": "T", "TRP": "W",
    "TYR": "Y", "VAL": "V",
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One complex, measured."""

    name: str
    family: str
    columns: Floats  # [pose, feature], as SIGNS has them
    contacts: Floats  # [pose, kind * kind * knot]
    inside: Floats  # [kind, kind, bin], contacts inside the receptor
    away: Floats  # [pose] Å from the crystal's
    energy: Floats  # [pose] kcal/mol by Vina's function, inter and intra
    atoms: int  # heavy ones
    gaps: Floats  # [pose, pose] Å, equal atoms exchanged

    @property
    def useful(self) -> bool:
        """Can it teach anything? Not if all poses are near, or none is."""
        near = self.away <= NEAR
        return bool(near.any() and not near.all())


def load(*folders: Path) -> list[Case]:
    """Every NAME.json of the folders: `ligand` and `receptor` as PDBQT, `poses` [pose, atom, 3] Å, `away` [pose] Å.

    A complex that several folders hold, docked by different searches, is a case in each, of one family.

    Raises
    ------
    DockingError
        If a folder holds none.
    """
    kept = []
    for folder in folders:
        paths = sorted(folder.glob("*.json"))
        if not paths:
            raise DockingError(f"{folder} holds no NAME.json with docked poses; make them with "
                               "python -m tests.benchmarks.candidates")  # fmt: skip
        kept += [json.loads(path.read_text()) for path in paths]
    families = kinships({one["name"]: (one["receptor"], one["ligand"]) for one in kept})
    cases = []
    for one in kept:
        table, contacts = measure(one["ligand"], np.array(one["poses"]), one["receptor"])
        columns = np.stack([table[name] for name in SIGNS], axis=1)
        flat, energy = contacts.reshape(len(columns), -1), table["inter"] + table["intra"]
        structure = pdbqt.read(one["ligand"])
        heavy = np.isin(structure.types, ("H", "HD"), invert=True)
        apart = gaps(np.array(one["poses"])[:, heavy], equivalent(skeleton(structure)))
        within, away, atoms = inside(one["receptor"]), np.array(one["away"]), int(heavy.sum())
        cases.append(
            Case(one["name"], families[one["name"]], columns, flat, within, away, energy, atoms, apart)
        )
    return cases


# ------------------------------------------------------------------------------------------ statistics of proteins


def inside(receptor: str) -> Floats:
    """[kind, kind, bin] contacts of a side chain's atom, first, with any atom far along the chain."""
    structure = pdbqt.read(receptor)
    chemistry = read_chemistry(structure)
    atoms = [structure.atoms[i] for i in chemistry.heavy.tolist()]
    number = np.array([int("".join(c for c in atom.number if c in "-0123456789") or 0) for atom in atoms])
    chain = np.array([atom.chain for atom in atoms])
    side = np.array([atom.name not in ("N", "CA", "C", "O", "OXT") for atom in atoms])
    pairs = cKDTree(chemistry.coords).query_pairs(EDGES[-1], output_type="ndarray")
    pairs = np.concatenate([pairs, pairs[:, ::-1]])
    one, other = pairs[side[pairs[:, 0]]].T
    far = (chain[one] != chain[other]) | (np.abs(number[one] - number[other]) >= APART)
    one, other = one[far], other[far]
    gap = np.linalg.norm(chemistry.coords[one] - chemistry.coords[other], axis=1)
    bins = np.clip(np.digitize(gap, EDGES) - 1, 0, len(EDGES) - 2)
    counts = np.zeros((len(Kind), len(Kind), len(EDGES) - 1))
    np.add.at(counts, (chemistry.kind[one], chemistry.kind[other], bins), 1.0)
    return counts


def liking(counts: Floats) -> Floats:
    """[kind, kind, bin] counts -> [3, kind * kind * knot], each a sum over contacts that speaks for a pose.

    The logarithm of contacts seen over contacts expected if kinds did not matter: close
    and far with the expectation from how often each kind meets anything, and close with
    that of the pair itself, which leaves only the distance. Reference [2], in spirit.
    """
    counts = counts.copy()
    for new, old, weight in STANDINS:
        counts[new], counts[:, new] = weight * counts[old], weight * counts[:, old]
    every = max(float(counts.sum()), 1.0)
    distance = counts.sum(axis=(0, 1)) / every
    free = counts.sum(axis=(1, 2))[:, None, None] * counts.sum(axis=(0, 2))[None, :, None] / every * distance
    paired = counts.sum(axis=2, keepdims=True) * distance
    middles = (EDGES[1:] + EDGES[:-1]) / 2
    middles[0] = EDGES[1]

    def at_knots(expected: Floats) -> Floats:
        logs = np.clip(np.log((counts + FEW) / (expected + FEW)), -3.0, 3.0)
        return np.array([[np.interp(KNOTS, middles, row) for row in rows] for rows in logs])

    close = np.arange(len(KNOTS)) < CLOSE
    tables = [at_knots(free) * close, at_knots(free) * ~close, at_knots(paired) * close]
    return np.stack([table.ravel() for table in tables])


# ------------------------------------------------------------------------------------------ families


def kinships(complexes: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Name -> (receptor, ligand) as PDBQT, to name -> family.

    Two complexes are kin if their proteins share words of five residues or their ligands
    fingerprints, and so are the kin of kin.
    """
    names = list(complexes)
    parent = {name: name for name in names}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    words = {name: _words(receptor) for name, (receptor, _) in complexes.items()}
    maker = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=4096)
    prints = {
        name: maker.GetCountFingerprint(skeleton(pdbqt.read(ligand)))
        for name, (_, ligand) in complexes.items()
    }
    for k, one in enumerate(names):
        others = names[k + 1 :]
        likeness = DataStructs.BulkTanimotoSimilarity(prints[one], [prints[other] for other in others])
        for other, alike in zip(others, likeness, strict=True):
            shared = len(words[one] & words[other]) / max(1, min(len(words[one]), len(words[other])))
            if shared > KIN or alike > ALIKE:
                parent[root(one)] = root(other)
    return {name: root(name) for name in names}


def _words(receptor: str) -> frozenset[str]:
    chains: dict[str, list[str]] = {}
    for atom in pdbqt.read(receptor).atoms:
        if atom.name == "CA" and atom.resname in _LETTERS:
            chains.setdefault(atom.chain, []).append(_LETTERS[atom.resname])
    texts = ["".join(letters) for letters in chains.values()]
    return frozenset(text[i : i + WORD] for text in texts for i in range(len(text) - WORD + 1))


def skeleton(structure: pdbqt.Structure) -> Chem.Mol:
    """Elements and connections of the heavy atoms, which is all that PDBQT tells, where they were read."""
    kinds = structure.types
    heavy = [i for i, kind in enumerate(kinds) if kind not in ("H", "HD")]
    bare = Chem.RWMol()
    for i in heavy:
        atom = Chem.Atom(pdbqt.ELEMENT.get(kinds[i], kinds[i]))
        atom.SetNoImplicit(True)
        bare.AddAtom(atom)
    place = {i: k for k, i in enumerate(heavy)}
    for i, j in find_bonds(structure.coords, structure.types).tolist():
        if i in place and j in place:
            bare.AddBond(place[i], place[j], Chem.BondType.SINGLE)
    mol = bare.GetMol()
    mol.UpdatePropertyCache(strict=False)
    Chem.FastFindRings(mol)
    return with_coords(mol, structure.coords[heavy])


# ------------------------------------------------------------------------------------------ learning


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """How a case becomes columns that all speak for a pose, each with a spread of 1 within a ligand."""

    liking: Floats  # [3, kind * kind * knot]
    spread: Floats  # [column]

    @classmethod
    def of(cls, cases: Sequence[Case]) -> View:
        raw = cls(liking(np.sum([case.inside for case in cases], axis=0)), np.ones(len(SIGNS) + 3))
        squares = [np.square(raw.steps(case)).mean(axis=0) for case in cases]
        return cls(raw.liking, np.maximum(np.sqrt(np.mean(squares, axis=0)), 1e-3))

    def steps(self, case: Case) -> Floats:
        """[pose, column], the ligand's mean at zero."""
        signed = case.columns * np.array(list(SIGNS.values()))
        both = np.concatenate([signed, case.contacts @ self.liking.T], axis=1) / self.spread
        return np.asarray((both - both.mean(axis=0)) * calmed(case.atoms))


def credit(away: Floats) -> Floats:
    """[pose] Å -> how right each pose is, 0 to 1."""
    fading = np.exp(-np.square(np.maximum(away - SURE, 0.0) / FADING) / 2)
    return np.asarray(np.where(away < NEAR + 1.0, fading, 0.0))


def fit(cases: Sequence[Case], ridge: float, view: View) -> Floats:
    """Weights of a view's columns, none negative, and the logarithm of that of Vina's energy: [column + 1]."""
    useful = [case for case in cases if case.useful]
    steps = np.concatenate([view.steps(case) for case in useful])
    energy = np.concatenate([(case.energy - case.energy.mean()) * calmed(case.atoms) for case in useful])
    right = np.concatenate([credit(case.away) for case in useful]) + 1e-9
    sizes = np.array([len(case.away) for case in useful])
    starts, owner = np.cumsum(sizes) - sizes, np.repeat(np.arange(len(sizes)), sizes)

    def loss(weights: Floats) -> tuple[float, Floats]:
        trust = np.exp(weights[-1])
        score = steps @ weights[:-1] - trust * energy
        share = np.exp(score - np.maximum.reduceat(score, starts)[owner])
        every, good = np.add.reduceat(share, starts), np.add.reduceat(share * right, starts)
        wrong = share / every[owner] - share * right / good[owner]
        value = float(np.log(every / good).sum() + 0.5 * ridge * np.square(weights[:-1]).sum())
        slope = wrong @ steps + ridge * weights[:-1]
        return value, np.append(slope, -trust * (wrong * energy).sum())

    columns = steps.shape[1]
    start, bounds = np.full(columns + 1, 1e-3), [(0.0, None)] * columns + [(-4.0, 2.0)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 300})
    return np.asarray(found.x)


def judged(weights: Floats, view: View, case: Case) -> Floats:
    """[pose] log-odds."""
    pull = np.exp(weights[-1]) * case.energy * calmed(case.atoms)
    return np.asarray(view.steps(case) @ weights[:-1] - pull)


def about(cases: Sequence[Case], odds: Sequence[Floats]) -> list[Floats]:
    """[pose] of every case: log-odds -> the likelihood that `dock` orders by, with what lies about each pose."""
    return [chances([some], [case.gaps])[0] for case, some in zip(cases, odds, strict=True)]


def found(cases: Sequence[Case], scores: Sequence[Floats]) -> Ints:
    """[case] 1 where the highest score is of a near pose."""
    return np.array(
        [int(case.away[int(score.argmax())] <= NEAR) for case, score in zip(cases, scores, strict=True)]
    )


def split(cases: Sequence[Case], parts: int, seed: int) -> Ints:
    """[case] part it belongs to; families stay whole, the largest are dealt first."""
    names, sizes = np.unique([case.family for case in cases], return_counts=True)
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]
    load, part = np.zeros(parts), {}
    for k in order.tolist():
        emptiest = int(load.argmin())
        part[names[k]] = emptiest
        load[emptiest] += sizes[k]
    return np.array([part[case.family] for case in cases], dtype=np.int64)


def chosen_ridge(cases: Sequence[Case], view: View, seed: int) -> float:
    """The ridge under which unseen families lose least, in three parts."""
    part = split(cases, 3, seed)
    losses = {}
    for ridge in RIDGES:
        total = 0.0
        for k in range(3):
            weights = fit([case for case, p in zip(cases, part, strict=True) if p != k], ridge, view)
            for case, p in zip(cases, part, strict=True):
                if p == k and case.useful:
                    score = judged(weights, view, case)
                    share = np.exp(score - score.max())
                    total -= float(np.log((share * credit(case.away)).sum() / share.sum() + 1e-6))
        losses[ridge] = total
    return min(losses, key=lambda ridge: losses[ridge])


def crossed(cases: Sequence[Case], seed: int) -> list[Floats]:
    """[pose] log-odds of every case, by weights that saw none of its family."""
    part = split(cases, FOLDS, seed)
    scores: list[Floats] = [np.zeros(0)] * len(cases)
    for k in range(FOLDS):
        known = [case for case, p in zip(cases, part, strict=True) if p != k]
        view = View.of(known)
        weights = fit(known, chosen_ridge(known, view, seed), view)
        for i in np.flatnonzero(part == k).tolist():
            scores[i] = judged(weights, view, cases[i])
    return scores


# ------------------------------------------------------------------------------------------ the run


def gain(after: Floats | Ints, before: Ints, draws: int = 2000) -> tuple[float, float, float]:
    """Mean difference of paired hits and its 95 % interval, complexes drawn with replacement."""
    difference = (after - before).astype(float)
    picks = np.random.default_rng(0).integers(0, len(difference), (draws, len(difference)))
    low, high = np.quantile(difference[picks].mean(axis=1), [0.025, 0.975])
    return float(difference.mean()), float(low), float(high)


def measured(cases: Sequence[Case], after: Floats) -> dict[str, float]:
    """Shares of complexes whose first pose is near, as Vina's function orders them and as the weights do.

    Parameters
    ----------
    after : [case] share of repeats in which the first rescored pose was near
    """
    before = found(cases, [-case.energy for case in cases])
    mean, low, high = gain(after, before)
    numbers = {
        "complexes": len(cases),
        "first_near_by_vina": before.mean(),
        "first_near_rescored": after.mean(),
        "gain": mean,
        "gain_low": low,
        "gain_high": high,
        "any_near": np.mean([bool((case.away <= NEAR).any()) for case in cases]),
    }
    return {name: round(float(value), 4) for name, value in numbers.items()}


def learned(cases: Sequence[Case], seed: int) -> Weights:
    """The weights to ship, from all cases."""
    view = View.of(cases)
    steps = fit(cases, chosen_ridge(cases, view, seed), view)
    count, trust = len(SIGNS), float(np.exp(steps[-1]))
    rates = steps[:-1] / view.spread
    terms = np.append(rates[:count] * np.array(list(SIGNS.values())), [-trust, -trust])
    contacts = (rates[count:] @ view.liking).reshape(len(Kind), len(Kind), len(KNOTS))
    return Weights((*SIGNS, "inter", "intra"), terms, contacts)


def card(report: Mapping[str, Any], seed: int) -> str:
    """What the weights are, for those who use them."""
    rows = "\n".join(
        f"| {part} | {n['complexes']:.0f} | {100 * n['first_near_by_vina']:.1f} | {100 * n['first_near_rescored']:.1f} "
        f"| {100 * n['gain']:+.1f} ({100 * n['gain_low']:+.1f} to {100 * n['gain_high']:+.1f}) | {100 * n['any_near']:.1f} |"
        for part, n in report["measured"].items()
    )
    return f"""# poses.safetensors: which of a ligand's poses is the true one?

- sha256 `{report["sha256"]}`, {report["bytes"]:,} bytes
- {len(SIGNS)} measurements of a pose, Vina's energy, and a table of contacts by kind and distance: one weight each
- Made by `python -m docking.rescoring.fitting --poses {"FOLDER " * report["searches"]}--out DIR --seed {seed}` on what `python -m tests.benchmarks.candidates` writes
- Licence: Apache-2.0, as the larger of the sets it was learned from
- Use: orders the poses of one ligand. It does not say how strongly a molecule binds beside another.

## Data

No coordinates of a complex are in this file. Poses by our own engine, by {report["searches"]} of its searches; judged on the present one's.

| set | origin | licence |
|---|---|---|
| names with an underscore: ligands docked from their SMILES | degrado-lab/PoseBusters-Benchmark @ 51a7fc3, part | MIT |
| the others: crystal bond lengths and angles, random starts; metals, waters and cofactors removed | PKUGaoGroup/DSDP @ cbcb515, part | Apache-2.0 |

## Measured

First pose within {NEAR:g} Å of the crystal's, percent. {FOLDS} parts, {REPEATS} ways to part them; {report["families"]} families
of complexes, kin by protein (shared words of {WORD} residues above {KIN:g}) or by ligand (Tanimoto above {ALIKE:g}), stay
whole, and the ridge is chosen inside the part learned from. In brackets: 95 % of draws of complexes.

| set | complexes | by Vina's energy | rescored | gain | any pose |
|---|---|---|---|---|---|
{rows}

By the log-odds alone, without what the poses about each are worth: {100 * report["first_near_without_neighbours"]:.1f}.
The list of measurements, the calming of large ligands' sums and the width of the Gaussian were chosen on these
complexes, so the gain is slightly optimistic; the interval says how little so many complexes can tell. Judged among all poses that a search left; `dock`
chooses among those within its engine's energy range, plausible ones first. Ligands like nucleotides
make up a large family. Metals, waters and cofactors that a preparation drops cannot help a pose.

## Learned from

Keep these out of a benchmark of rescored poses, with their kin.

{" ".join(report["learned_from"])}
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m docking.rescoring.fitting", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "--poses", type=Path, nargs="+", required=True,
        help="folder of NAME.json; more of them are learned from and not judged",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the weights, their card and poses.json"
    )
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    cases = load(*args.poses)
    judged = len([*args.poses[0].glob("*.json")])  # the first folder's cases come first
    (args.out / "folds").mkdir(parents=True, exist_ok=True)
    odds = [crossed(cases, args.seed + k) for k in range(REPEATS)]
    alone = np.mean([found(cases, some) for some in odds], axis=0)  # without what lies about each pose
    hits = np.mean([found(cases, about(cases, some)) for some in odds], axis=0)
    names = [case.name for case in cases[:judged]]
    parts = {"all": measured(cases[:judged], hits[:judged])}
    for part, mark in (("from SMILES", True), ("crystal's bond lengths", False)):
        chosen = [i for i, name in enumerate(names) if ("_" in name) == mark]
        if chosen:
            parts[part] = measured([cases[i] for i in chosen], hits[chosen])
    data = write(learned(cases, args.seed))
    owner = split(cases, FOLDS, args.seed).tolist()
    for k in range(FOLDS):  # weights that saw none of a family, for benchmarks that dock its complexes again
        known = [case for case, p in zip(cases, owner, strict=True) if p != k]
        publish(args.out / "folds" / f"{k}.safetensors", write(learned(known, args.seed)))
    unseen = {case.name: k for case, k in zip(cases, owner, strict=True)}
    publish(args.out / "folds" / "folds.json", json.dumps(unseen, indent=1).encode())
    report: dict[str, Any] = {
        "measured": parts,
        "families": len({case.family for case in cases}),
        "first_near_without_neighbours": round(float(alone[:judged].mean()), 4),
        "searches": len(args.poses),
        "learned_from": sorted({case.name for case in cases}),
        "sha256": hashlib.sha256(data).hexdigest(),
        "bytes": len(data),
    }
    publish(args.out / "poses.safetensors", data)
    publish(args.out / "poses.json", json.dumps(report, indent=1).encode())
    publish(args.out / "poses.md", card(report, args.seed).encode())
    print(json.dumps({key: value for key, value in report.items() if key != "learned_from"}, indent=1))


if __name__ == "__main__":
    main()
