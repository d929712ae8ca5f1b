"""Does asking for a property bring molecules that have it?

Answer    mean distance from the value asked, over molecules as first sampled, for each property alone and for
          all five at once; the same distance when nothing is asked; their ratio (0 exact, 1 no effect)
Data      none; the values asked are the 10, 50 and 90 % points of molecules built without asking
Baseline  the same model, not asked
Budget    512 molecules not asked, 256 for each value asked; --quick 256 for two properties
Failures  none can: every molecule built is measured
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch

from generative.model import Weights
from generative.policy import Policy
from generative.sampling import BLOCK, Sampler
from generative.trees import assemble
from generative.wishes import PROPERTIES, measured
from tests.benchmarks.record import options, record

POINTS = (10, 50, 90)
SEED = 0


def properties(
    weights: Weights, policy: Policy, asked: Mapping[str, float], blocks: int, seed: int, style: int
) -> npt.NDArray[np.float64]:
    """[molecule, property]"""
    sampler = Sampler.of(policy, weights.vocabulary, asked=asked, style=style)
    made = [sample for block in range(blocks) for sample in sampler.block(seed, block)]
    values = []
    for sample in made:
        mol = assemble(sample.tree)
        for atom in mol.GetAtoms():
            atom.SetNoImplicit(False)
        values.append(measured(mol))
    return np.array(values)


def main() -> None:
    parser = options(__doc__)
    given = parser.parse_args()
    torch.set_num_threads(1)
    weights = Weights.load()
    policy, style = weights.policy().eval(), len(weights.styles) - 1
    free = properties(weights, policy, {}, 1 if given.quick else 512 // BLOCK, SEED, style)
    names = list(PROPERTIES)[: 2 if given.quick else None]
    numbers: dict[str, float] = {}
    for column, name in enumerate(names):
        near, far = [], []
        for value in np.percentile(free[:, column], POINTS).tolist():
            asked = properties(weights, policy, {name: value}, 1, SEED + 1, style)
            near.append(abs(asked[:, column] - value).mean())
            far.append(abs(free[:, column] - value).mean())
        numbers |= {f"{name}_asked": float(np.mean(near)), f"{name}_not_asked": float(np.mean(far))}
        numbers[f"{name}_ratio"] = numbers[f"{name}_asked"] / numbers[f"{name}_not_asked"]
    if not given.quick:
        middle = dict(zip(PROPERTIES, np.median(free, axis=0).tolist(), strict=True))
        asked = properties(weights, policy, middle, 1, SEED + 2, style)
        target = np.array(list(middle.values()))
        ratios = abs(asked - target).mean(0) / abs(free - target).mean(0)
        numbers |= {f"all_{name}_ratio": float(r) for name, r in zip(PROPERTIES, ratios, strict=True)}
    record("conditions", numbers, weights=weights.sha256[:12])


if __name__ == "__main__":
    main()
