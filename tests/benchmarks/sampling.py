"""How fast does the graph model build molecules, and is each one sound and true to what was given?

Answer    molecules a second from nothing to canonical SMILES, wall time, and a second of processor time
          (what a quiet core would do); share that sanitise; share that
          hold the scaffold or all fragments
Baseline  tens to hundreds a second for graph models that read the whole molecule again at each step
Budget    10,000 molecules free, 2,048 for each task, one process a core; --quick 1,024 and 256
Failures  an unsound molecule counts against validity, one without its scaffold against retention
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import torch
from rdkit import Chem

from generative.given import decorate, join, query
from generative.model import Weights
from generative.sampling import BLOCK, Sampler
from generative.trees import put_together
from tests.benchmarks.record import options, record

SCAFFOLDS = ("*c1ccc2[nH]cc(CCN(C)C)c2c1", "O=C1N(*)C(=O)c2ccc(*)cc21", "*N(*)c1nc(*)nc(*)n1")
SEED = 0
FRAGMENTS = ("*c1c[nH]c2ccccc12.*N1CCNCC1", "*c1ccncc1.*C(=O)N*.*c1ccc(F)cc1", "*F.*OC.*C.*C#N")


def build(seed: int, blocks: list[int]) -> tuple[list[str], float, float]:
    """SMILES of whole blocks, in a process of its own, with its seconds by the clock and of the processor."""
    torch.set_num_threads(1)
    weights = Weights.load()
    sampler = Sampler.of(weights.policy().eval(), weights.vocabulary)
    began, worked = time.monotonic(), time.process_time()
    made = [put_together(sample.tree) for block in blocks for sample in sampler.block(seed, block)]
    return made, time.monotonic() - began, time.process_time() - worked


def holds(smiles: str, part: Chem.Mol) -> bool:
    mol = Chem.MolFromSmiles(smiles)
    return mol is not None and bool(mol.HasSubstructMatch(part))


def constrained(kind: str, text: str, n: int, seed: int) -> float:
    """Share of molecules that hold what was given."""
    weights = Weights.load()
    parts = [text] if kind == "scaffold" else text.split(".")
    vocabulary, task = (
        decorate(text, weights.vocabulary) if kind == "scaffold" else join(parts, weights.vocabulary)
    )
    sampler = Sampler.of(weights.policy().eval(), vocabulary, task=task)
    made = sampler.smiles(n, seed)
    # a scaffold's marked exits must bear something; of a fragment's, only one must
    queries = [query(part, exits=kind == "scaffold") for part in parts]
    return sum(all(holds(smiles, one) for one in queries) for smiles in made) / n


def main() -> None:
    parser = options(__doc__)
    given = parser.parse_args()
    processes = os.cpu_count() or 1
    blocks = list(range(4 if given.quick else 40))
    dealt = [blocks[i::processes] for i in range(processes)]
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        parts = list(pool.map(build, [SEED] * processes, dealt))
    smiles = [one for made, _, _ in parts for one in made]
    seconds = max(wall for _, wall, _ in parts)
    n = 256 if given.quick else 2_048
    torch.set_num_threads(1)
    numbers = {
        "molecules": len(blocks) * BLOCK,
        "processes": processes,
        "per_second": len(smiles) / seconds,
        "per_cpu_second": len(smiles) / sum(worked for _, _, worked in parts),
        "load_average": os.getloadavg()[0],
        "valid": sum(Chem.MolFromSmiles(one) is not None for one in smiles) / len(smiles),
        "unique": len(set(smiles)) / len(smiles),
        "scaffold_kept": min(constrained("scaffold", text, n, SEED) for text in SCAFFOLDS),
        "fragments_kept": min(constrained("fragments", text, n, SEED) for text in FRAGMENTS),
    }
    record("sampling", numbers, weights=Weights.load().sha256[:12])


if __name__ == "__main__":
    main()
