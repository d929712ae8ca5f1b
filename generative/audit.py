"""Is what was generated valid, unique, new, and like what it should be like?

The measures are those of MOSES: similarity to the nearest reference molecule (SNN), cosine
similarity of fragment and scaffold counts, internal diversity, Fréchet ChemNet distance.
Nothing is filtered before it is measured; what does not parse counts as invalid and is left
out of the rest.

References
----------
.. [1] D. Polykovskiy et al., Front. Pharmacol. 2020, 11, 565644, doi 10.3389/fphar.2020.565644.
.. [2] K. Preuer et al., J. Chem. Inf. Model. 2018, 58, 1736, doi 10.1021/acs.jcim.8b00234: FCD.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rdkit import Chem
from rdkit.Chem import BRICS, rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold

from discovery.intake import written_in
from discovery.molecule import quiet_rdkit
from generative.refusal import SettingError

Floats = npt.NDArray[np.float32]
Value = float | str  # a number, or why there is none

BITS = 1_024
BLOCK = 4_096


def audit(file: str | Path, reference: str | Path, training: str | Path | None = None) -> dict[str, Value]:
    """All measures of a file of molecules beside another, by name; as `measure`, which raises what this raises.

    Parameters
    ----------
    reference : a file of what they should be like, such as a test set
    training : a file of what the generator saw; novelty is counted against it
    """
    told = [list(written_in(Path(path))) if path else None for path in (file, reference, training)]
    return measure(told[0] or [], told[1] or [], told[2])


def measure(
    generated: Sequence[str],
    reference: Sequence[str],
    training: Sequence[str] | None = None,
    *,
    distance: Callable[[Sequence[str]], Value] | None = None,
) -> dict[str, Value]:
    """All measures, by name.

    Parameters
    ----------
    generated, reference : SMILES
    training : SMILES, optional
        What novelty is counted against; the reference when absent.
    distance : callable, optional
        Gives the Fréchet ChemNet distance of generated molecules to statistics already
        known; by default both sides go through ChemNet.

    Raises
    ------
    SettingError
        If there is nothing to measure, or no reference molecule parses.
    """
    if not generated:
        raise SettingError("nothing was generated: the file holds no rows")
    with quiet_rdkit():
        made = [smiles for one in generated if (smiles := canonical(one))]
        like = [smiles for one in reference if (smiles := canonical(one))]
        if not like:
            raise SettingError(f"none of the {len(reference)} reference rows is a molecule")
        found: dict[str, Value] = {"generated": float(len(generated)), "valid": len(made) / len(generated)}
        if not made:
            return {**found, "the rest": "nothing valid was generated"}
        for k in (1_000, 10_000):
            found[f"unique@{k}"] = (
                len(set(made[:k])) / k
                if len(made) >= k
                else f"needs {k} valid molecules, there are {len(made)}"
            )
        known = set(like) if training is None else {smiles for one in training if (smiles := canonical(one))}
        found["novelty"] = len(set(made) - known) / len(set(made))
        ours, theirs = prints(made), prints(like)
        found["internal diversity"] = 1.0 - mean_similarity(ours, ours)
        found["SNN"] = float(nearest(ours, theirs).mean())
        found["fragments"] = cosine(fragment_counts(made), fragment_counts(like))
        found["scaffolds"] = cosine(scaffold_counts(made), scaffold_counts(like))
    found["FCD"] = (distance or (lambda smiles: frechet(smiles, like)))(made)
    return found


def canonical(smiles: str) -> str:
    """Canonical SMILES; empty for what does not parse."""
    mol = Chem.MolFromSmiles(smiles)
    return "" if mol is None else str(Chem.MolToSmiles(mol))


def prints(smiles: Sequence[str]) -> Floats:
    """[molecule, bit] Morgan fingerprints of radius 2, 0 or 1."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=BITS)
    return np.stack([generator.GetFingerprintAsNumPy(Chem.MolFromSmiles(one)) for one in smiles]).astype(
        np.float32
    )


def nearest(ours: Floats, theirs: Floats) -> npt.NDArray[np.float64]:
    """[molecule of ours] Tanimoto similarity to the nearest of theirs."""
    best = np.zeros(len(ours))
    for mine, block in _blocks(ours):
        for _, other in _blocks(theirs):
            best[mine] = np.maximum(best[mine], _tanimoto(block, other).max(1))
    return best


def mean_similarity(ours: Floats, theirs: Floats) -> float:
    """Mean Tanimoto similarity over all pairs, a molecule with itself included, as MOSES has it."""
    total = sum(
        float(_tanimoto(mine, other).sum()) for _, mine in _blocks(ours) for _, other in _blocks(theirs)
    )
    return total / (len(ours) * len(theirs))


def _blocks(all_: Floats) -> list[tuple[slice, Floats]]:
    return [(slice(i, i + BLOCK), all_[i : i + BLOCK]) for i in range(0, len(all_), BLOCK)]


def _tanimoto(a: Floats, b: Floats) -> Floats:
    shared = a @ b.T
    union = a.sum(1)[:, None] + b.sum(1)[None] - shared
    return np.asarray(np.where(union > 0, shared / np.maximum(union, 1), 1.0), dtype=np.float32)


def fragment_counts(smiles: Sequence[str]) -> Counter[str]:
    """What is left after cutting every bond that the BRICS rules cut."""
    counts: Counter[str] = Counter()
    for one in smiles:
        broken = BRICS.BreakBRICSBonds(Chem.MolFromSmiles(one))  # type: ignore[no-untyped-call]
        counts.update(str(Chem.MolToSmiles(broken)).split("."))
    return counts


def scaffold_counts(smiles: Sequence[str]) -> Counter[str]:
    """Murcko scaffolds with at least two rings."""
    counts: Counter[str] = Counter()
    for one in smiles:
        scaffold = MurckoScaffold.GetScaffoldForMol(Chem.MolFromSmiles(one))  # type: ignore[no-untyped-call]
        if scaffold.GetRingInfo().NumRings() >= 2:
            counts[str(Chem.MolToSmiles(scaffold))] += 1
    return counts


def cosine(a: Counter[str], b: Counter[str]) -> Value:
    """Cosine similarity of two counts."""
    if not a or not b:
        return "one side has none"
    shared = sum(count * b[key] for key, count in a.items())
    return shared / math.sqrt(sum(n * n for n in a.values())) / math.sqrt(sum(n * n for n in b.values()))


def frechet(ours: Sequence[str], theirs: Sequence[str]) -> Value:
    """Fréchet ChemNet distance, where the package `fcd_torch` is installed."""
    net = chemnet()
    if isinstance(net, str):
        return net
    return float(net.metric(net.precalc(list(theirs)), net.precalc(list(ours))))


def chemnet() -> Any:
    """ChemNet as `fcd_torch` packs it, or a sentence that says how to get it."""
    try:
        from fcd_torch import FCD
    except ImportError:
        return "needs: pip install fcd_torch"
    return FCD(device="cpu", n_jobs=1, batch_size=128, canonize=False)
