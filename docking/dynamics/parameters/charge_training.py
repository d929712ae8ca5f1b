"""How is the graph charge model made? AM1-BCC charges of many small molecules, and a network fitted to them.

    python -m docking.dynamics.parameters.charge_training pick pool.smi molecules.smi --wanted 4500
    python -m docking.dynamics.parameters.charge_training pick pool.smi more.smi --showing scarce.txt --unlike reported.sdf
    python -m docking.dynamics.parameters.charge_training label molecules.smi rough.jsonl --loose 60
    python -m docking.dynamics.parameters.charge_training label some.smi labels.jsonl
    python -m docking.dynamics.parameters.charge_training fit rough.jsonl [reference.sdf ...] --out first.safetensors
    python -m docking.dynamics.parameters.charge_training fit labels.jsonl [reference.sdf ...] --start first.safetensors \
        --rate 5e-4 --out weights/charges.safetensors

`pick` takes those of a pool whose atoms stand where no atom picked before them stood, in
their state at pH 7.4 (one in five of those that change keeps the state drawn); with --showing, those that
hold what is named there. None that is like a molecule of the --unlike files.
`label` computes AM1-BCC charges at one outstretched conformer of each molecule and may be
stopped and begun again; rough labels, at a conformer hardly relaxed, cost half and err alike on
like groups, so that a network that learned from many of them learns the rest from few. `fit` takes those, and SDF files whose charges stand in the
field atom.dprop.PartialCharge. A molecule is left aside for judging when the digest of
its scaffold says so: the same ones whatever else is in the file.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold

from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import MoleculeError
from docking.dynamics.parameters.am1 import Mopac
from docking.dynamics.parameters.charge_graph import ELEMENTS, Graph, graph_of, side_by_side
from docking.dynamics.parameters.charge_net import Weights, charges, forward, fresh, gradient, loaded
from docking.dynamics.parameters.charges import am1_bcc_elf
from docking.dynamics.parameters.smirnoff import checked
from docking.dynamics.terms import Floats
from docking.ligands.species import protonated

WIDTH, LAYERS = 64, 5
BATCH_ATOMS = 500
LABEL_CONFORMERS, LABEL_LOOSE = 3, 10.0
SMALLEST, LARGEST = 4, 27  # heavy atoms of a molecule that is picked
NEW = (0.5, 0.25, 0.1)  # share of its surroundings that are to be new, in the first pass, the second ...
LIKE = 0.6  # Tanimoto similarity of Morgan fingerprints, two bonds; from here on a molecule is like another
ASIDE = 12  # one scaffold in so many is left aside
_TWICE = 0.05  # e; beyond it an error counts by its size, not its square: labels err too


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A molecule as the network sees it, with the charges it should get."""

    smiles: str
    graph: Graph
    charges: Floats  # [atom] e

    @property
    def aside(self) -> bool:
        """Whether it is kept for judging."""
        with quiet_rdkit():
            scaffold = MurckoScaffold.MurckoScaffoldSmiles(self.smiles) or self.smiles  # type: ignore[no-untyped-call]
        return hashlib.sha256(scaffold.encode()).digest()[0] % ASIDE == 0


def pick(pool: Iterable[str], wanted: int, seed: int = 1, unlike: Sequence[Chem.Mol] = ()) -> list[str]:
    """SMILES of small molecules that show the most surroundings of atoms (two bonds about each).

    What cannot be read, is charged beyond 2 e, or holds atoms that the network is not to
    know, is passed over.

    Parameters
    ----------
    unlike
        What no molecule that is picked may be like.
    """
    rng = np.random.default_rng(seed)
    maker = rdFingerprintGenerator.GetMorganGenerator(radius=2)
    held: dict[str, list[int]] = {}
    for mol in _fit_to_learn(pool, unlike):
        more = rdFingerprintGenerator.AdditionalOutput()
        more.AllocateBitInfoMap()
        maker.GetSparseCountFingerprint(mol, additionalOutput=more)
        wide = [bit for bit, where in more.GetBitInfoMap().items() for _, radius in where if radius == 2]
        if wide:
            held.setdefault(Chem.MolToSmiles(mol), wide)
    waiting = [list(held)[i] for i in rng.permutation(len(held))]
    shown = Counter[int]()
    picked: list[str] = []
    for share in NEW:
        for smiles in waiting:
            wide = held[smiles]
            if wide and len(picked) < wanted and np.mean([shown[bit] < 2 for bit in wide]) >= share:
                shown.update(wide)
                picked.append(smiles)
                held[smiles] = []
    return _as_in_the_body(picked, rng)


def pick_showing(
    pool: Iterable[str], patterns: Sequence[tuple[int, str]], seed: int = 1, unlike: Sequence[Chem.Mol] = ()
) -> list[str]:
    """As `pick`, but those that hold a substructure, as SMARTS, of which there are not so many yet.

    Raises
    ------
    ValueError
        A SMARTS cannot be read.
    """
    queries = [(count, Chem.MolFromSmarts(smarts)) for count, smarts in patterns]
    for (_, smarts), (_, query) in zip(patterns, queries, strict=True):
        if query is None:
            raise ValueError(f"{smarts!r} is no SMARTS")
    found = [0] * len(queries)
    picked: dict[str, None] = {}
    for mol in _fit_to_learn(pool, unlike):
        shows = [i for i, (count, q) in enumerate(queries) if found[i] < count and mol.HasSubstructMatch(q)]
        if shows and (smiles := Chem.MolToSmiles(mol)) not in picked:
            picked[smiles] = None
            for i in shows:
                found[i] += 1
    return _as_in_the_body(list(picked), np.random.default_rng(seed))


def _fit_to_learn(pool: Iterable[str], unlike: Sequence[Chem.Mol]) -> Iterable[Chem.Mol]:
    maker = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048)
    apart = [maker.GetFingerprint(Chem.RemoveHs(mol)) for mol in unlike]
    for text in pool:
        with quiet_rdkit():
            mol = Chem.MolFromSmiles(max(text.split("."), key=len))
        if mol is None or not SMALLEST <= mol.GetNumHeavyAtoms() <= LARGEST:
            continue
        if any(a.GetAtomicNum() not in ELEMENTS or a.GetIsotope() for a in mol.GetAtoms()):
            continue
        if max(DataStructs.BulkTanimotoSimilarity(maker.GetFingerprint(mol), apart), default=0.0) < LIKE:
            yield mol


def _as_in_the_body(picked: Sequence[str], rng: np.random.Generator) -> list[str]:
    return [
        found for smiles in picked if (found := _in_the_body(smiles, keep=rng.random() < 0.2)) is not None
    ]


def _in_the_body(smiles: str, *, keep: bool) -> str | None:
    try:
        found = protonated(Molecule.parse(smiles))
    except MoleculeError:
        return None
    mol = Chem.MolFromSmiles(smiles if keep else found)
    return Chem.MolToSmiles(mol) if mol is not None and abs(Chem.GetFormalCharge(mol)) <= 2 else None


def label(molecules: Iterable[str], out: Path, limit: int | None = None, loose: float = LABEL_LOOSE) -> int:
    """Append one JSON line per SMILES to `out`; those already there are passed over.

    Parameters
    ----------
    loose
        How many times less tightly than MOPAC would by itself the conformer is relaxed: at
        60 hardly at all.
    """
    done = {json.loads(line)["s"] for line in out.read_text().splitlines()} if out.exists() else set()
    made = 0
    with Mopac(seconds=120.0) as mopac, out.open("a", encoding="utf-8") as file:
        for smiles in molecules:
            if smiles in done:
                continue
            if limit is not None and made >= limit:
                break
            row: dict[str, object] = {"s": smiles}
            try:
                found = am1_bcc_elf(
                    Chem.AddHs(Chem.MolFromSmiles(smiles)),
                    smiles,
                    mopac=mopac,
                    conformers=LABEL_CONFORMERS,
                    loose=loose,
                )
                row["q"] = [round(float(q), 5) for q in found.values]
            except MoleculeError as error:
                row["e"] = str(error)
            file.write(json.dumps(row) + "\n")
            file.flush()
            made += 1
    return made


def read(path: Path) -> list[Labelled]:
    """The labelled molecules of a JSONL or SDF file; those the network cannot see are left out."""
    found = []
    for mol, values, smiles in _sdf(path) if path.suffix == ".sdf" else _jsonl(path):
        try:
            found.append(Labelled(smiles, graph_of(checked(mol, smiles), smiles), values))
        except MoleculeError:
            continue
    return found


def _jsonl(path: Path) -> Iterable[tuple[Chem.Mol, Floats, str]]:
    for line in path.read_text().splitlines():
        row = json.loads(line)
        if "q" in row:
            yield Chem.AddHs(Chem.MolFromSmiles(row["s"])), np.array(row["q"]), row["s"]


def _sdf(path: Path) -> Iterable[tuple[Chem.Mol, Floats, str]]:
    dianion = Chem.MolFromSmarts("[O-]N[O-]")  # a nitro group drawn so: the charges are another species'
    for mol in Chem.SDMolSupplier(str(path), removeHs=False):
        if mol is not None and not mol.HasSubstructMatch(dianion):
            values = np.array([float(x) for x in mol.GetProp("atom.dprop.PartialCharge").split()])
            yield mol, values, Chem.MolToSmiles(Chem.RemoveHs(mol))


def fit(
    data: Sequence[Labelled],
    *,
    epochs: int,
    seed: int,
    start: Weights | None = None,
    rate: float = 2e-3,
    told: bool = True,
) -> dict[str, NDArray[np.float32]]:
    """Weights for these molecules: Adam, a cosine schedule, the running mean of the weights.

    Parameters
    ----------
    seed
        Of the first weights and the order of the molecules.
    start
        Go on from these weights instead of fresh ones.
    rate
        Of the first steps; it falls to nothing.
    """
    rng = np.random.default_rng(seed)
    begin: Weights = fresh(WIDTH, LAYERS, seed) if start is None else start
    adam = _Adam({key: np.array(value, dtype=np.float32) for key, value in begin.items()})
    batches = _batches(data, rng)
    total = epochs * len(batches)
    for epoch in range(epochs):
        if epoch:
            batches = _batches(data, rng)
        loss, atoms = 0.0, 0
        for graph, wanted in batches:
            done = adam.steps + 1
            by_now = rate * min(1.0, done / 100.0) * 0.5 * (1.0 + np.cos(np.pi * min(1.0, done / total)))
            found, kept = forward(adam.weights, graph)
            off = found - wanted
            loss, atoms = loss + float(np.square(off).sum()), atoms + len(off)
            slope = np.clip(off, -_TWICE, _TWICE) / len(off)
            adam.step(gradient(adam.weights, graph, slope, kept), by_now)
        if told and (epoch % 5 == 4 or epoch == epochs - 1):
            print(f"epoch {epoch + 1}: {np.sqrt(loss / atoms):.4f} e", flush=True)
    return adam.mean


class _Adam:
    """Weights that go downhill, with a little decay, and their running mean over the last 200 steps."""

    def __init__(self, weights: dict[str, NDArray[np.float32]]) -> None:
        self.weights, self.steps = weights, 0
        self.mean = {k: v.copy() for k, v in weights.items()}
        self.first = {k: np.zeros_like(v) for k, v in weights.items()}  # moments of the slopes
        self.second = {k: np.zeros_like(v) for k, v in weights.items()}

    def step(self, slopes: Mapping[str, NDArray[Any]], rate: float) -> None:
        self.steps += 1
        keep = 1.0 - 1.0 / min(200.0, 1.0 + self.steps)
        for key, value in slopes.items():
            self.first[key] += 0.1 * (value - self.first[key])
            self.second[key] += 0.005 * (value * value - self.second[key])
            mean, square = self.first[key] / (1 - 0.9**self.steps), self.second[key] / (1 - 0.995**self.steps)
            way = mean / (np.sqrt(square) + 1e-9) + 1e-3 * self.weights[key]
            self.weights[key] = (self.weights[key] - rate * way).astype(np.float32)
            self.mean[key] = (keep * self.mean[key] + (1.0 - keep) * self.weights[key]).astype(np.float32)


def _batches(data: Sequence[Labelled], rng: np.random.Generator) -> list[tuple[Graph, Floats]]:
    order = rng.permutation(len(data))
    groups: list[list[Labelled]] = [[]]
    atoms = 0
    for i in order:
        if atoms > BATCH_ATOMS:
            groups.append([])
            atoms = 0
        groups[-1].append(data[i])
        atoms += len(data[i].charges)
    return [
        (side_by_side([one.graph for one in group]), np.concatenate([one.charges for one in group]))
        for group in groups
        if group
    ]


def errors(members: Sequence[Weights], data: Sequence[Labelled]) -> Floats:
    """[molecule], root mean square over its atoms, e; the mean of the members is judged."""
    return np.array(
        [
            np.sqrt(
                np.mean(np.square(np.mean([charges(w, one.graph) for w in members], axis=0) - one.charges))
            )
            for one in data
        ]
    )


def save(members: Sequence[Weights], path: Path) -> None:
    """Weights of all members in half precision."""
    from safetensors.numpy import save_file

    held = {f"{i}/{k}": np.asarray(v, dtype=np.float16) for i, w in enumerate(members) for k, v in w.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(held, str(path) + ".new")
    os.replace(str(path) + ".new", path)


def main() -> None:
    """Pick, label, or fit."""
    given = _asked()
    {"pick": _pick, "label": _label, "fit": _fit}[given.what](given)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_subparsers(dest="what", required=True)
    picks = what.add_parser("pick")
    picks.add_argument("pool", type=Path)
    picks.add_argument("molecules", type=Path)
    picks.add_argument("--wanted", type=int, default=4500)
    picks.add_argument("--showing", type=Path, help="how many and the SMARTS of what, line by line")
    picks.add_argument("--unlike", type=Path, nargs="+", default=[], help="SDF files")
    labels = what.add_parser("label")
    labels.add_argument("molecules", type=Path)
    labels.add_argument("out", type=Path)
    labels.add_argument("--limit", type=int)
    labels.add_argument("--loose", type=float, default=LABEL_LOOSE)
    fits = what.add_parser("fit")
    fits.add_argument("data", type=Path, nargs="+")
    fits.add_argument("--out", type=Path, required=True)
    fits.add_argument("--epochs", type=int, default=60)
    fits.add_argument("--members", type=int, default=2)
    fits.add_argument("--seed", type=int, default=1)
    fits.add_argument("--rate", type=float, default=2e-3)
    fits.add_argument(
        "--start", type=Path, nargs="+", default=[], help="weights to go on from, member by member"
    )
    return parser.parse_args()


def _first_words(path: Path) -> list[str]:
    return [line.split()[0] for line in path.read_text().splitlines() if line.strip()]


def _pick(given: argparse.Namespace) -> None:
    pool = _first_words(given.pool)
    unlike = [m for path in given.unlike for m in Chem.SDMolSupplier(str(path)) if m is not None]
    if given.showing:
        asked = (x.split() for x in given.showing.read_text().splitlines() if x.strip())
        found = pick_showing(pool, [(int(count), smarts) for count, smarts in asked], unlike=unlike)
    else:
        found = pick(pool, given.wanted, unlike=unlike)
    given.molecules.write_text("".join(f"{smiles}\n" for smiles in found))
    print(len(found), "picked")


def _label(given: argparse.Namespace) -> None:
    print(label(_first_words(given.molecules), given.out, given.limit, given.loose), "labelled")


def _fit(given: argparse.Namespace) -> None:
    data = [one for path in given.data for one in read(path)]
    aside = [one for one in data if one.aside]
    used = [one for one in data if not one.aside]
    held = [member for path in given.start for member in loaded(path)]
    members = [
        fit(used, epochs=given.epochs, seed=given.seed + i, start=start, rate=given.rate)
        for i, start in enumerate(held or [None] * given.members)
    ]
    save(members, given.out)
    off = errors(members, aside)
    told = {
        "molecules": len(used),
        "atoms": sum(len(one.charges) for one in used),
        "aside": len(aside),
        "aside_rms_median": round(float(np.median(off)), 4),
        "aside_rms_mean": round(float(off.mean()), 4),
        "aside_rms_p90": round(float(np.quantile(off, 0.9)), 4),
        "sha256": hashlib.sha256(given.out.read_bytes()).hexdigest(),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
