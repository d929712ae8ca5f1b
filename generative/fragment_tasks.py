"""Are molecules built around given parts any good? The protocol of SAFE and GenMol.

A drug gives four tasks: join its two ends (linker), grow from one end (motif), fill the two
exits of its core (decoration), build on any atom of its framework (superstructure). Of 100
molecules each, as first built, those count that are valid, different from all others, drug-like
(QED at least 0.6) and not hard to make (synthetic accessibility at most 4).

References
----------
.. [1] E. Noutahi et al., arXiv:2310.10773: SAFE, the tasks.
.. [2] S. Lee et al., arXiv:2501.06158: GenMol, the measure of quality.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rdkit import Chem
from rdkit.Chem import QED

from discovery.molecule import quiet_rdkit
from discovery.properties.synthesis import accessibility
from generative.construction import MOST_ATOMS, Bounds, least_atoms, together
from generative.given import decorate, join
from generative.model import Weights
from generative.policy import Policy
from generative.refusal import SettingError
from generative.sampling import Sampler

DRUG_LIKE = 0.6
MAKEABLE = 4.0
MIN_ATOMS = 8
KINDS = ("linker", "motif", "decoration", "superstructure")


@dataclass(frozen=True)
class Manner:
    """How molecules are built around parts; chosen on those of twenty other drugs.

    There the policy alone, under one cap of 25 heavy atoms or 8 more, gave 55, 86, 57 and 63 % of quality: it stops
    at little more than a framework and fills two exits in few likely ways, which come up again. As below: 62, 88, 62, 78.
    """

    temperature: float = 1.4
    asked: Mapping[str, float] = field(default_factory=lambda: {"qed": 0.85, "sa": 2.5})
    style: str = "moses"
    least: int = 3  # heavy atoms that are added, where there is room
    more: tuple[int, ...] = (6, 8, 10)  # heavy atoms that may be added, row after row
    room: int = 22  # heavy atoms a molecule may have however small the given parts are


@dataclass(frozen=True)
class Outcome:
    """Shares of the molecules built, 0 to 1."""

    valid: float
    unique: float  # of the valid
    quality: float


def build(
    kind: str,
    given: str,
    n: int,
    seed: int,
    *,
    weights: Weights,
    policy: Policy,
    manner: Manner | None = None,
) -> list[str]:
    """`n` molecules as first built, nothing left out.

    Parameters
    ----------
    kind : one of KINDS
    given : SMILES with * at its exits; for a linker two of them with a dot between

    Raises
    ------
    SettingError
        No such kind, or a part that cannot be built on.
    """
    if kind not in KINDS:
        raise SettingError(f"there is no task {kind!r}; they are {', '.join(KINDS)}")
    manner = manner or Manner()
    if kind == "linker":
        vocabulary, task = join(given.split("."), weights.vocabulary)
    else:
        vocabulary, task = decorate(given, weights.vocabulary)
    (held,) = together(task)
    atoms = sum(piece.atoms for piece in held)
    least = max(least_atoms(task), manner.room)
    sizes = tuple(min(max(atoms + more, least), MOST_ATOMS) for more in manner.more)
    sampler = Sampler.of(
        policy,
        vocabulary,
        bounds=Bounds(
            min_atoms=min(max(atoms + manner.least, MIN_ATOMS), *sizes),
            max_atoms=max(sizes),
            max_rings=sum(piece.rings for piece in held) + 4,
            sizes=sizes,
        ),
        task=task,
        style=weights.styles.index(manner.style) if manner.style in weights.styles else 0,
        temperature=manner.temperature,
        asked=manner.asked,
    )
    return sampler.smiles(n, seed)


def judge(made: Sequence[str]) -> Outcome:
    """Reference 2's measures of what was built."""
    if not made:
        raise SettingError("nothing was built, so there is nothing to judge")
    with quiet_rdkit():
        mols = [mol for smiles in made if smiles and (mol := Chem.MolFromSmiles(smiles)) is not None]
        distinct = {str(Chem.MolToSmiles(mol)): mol for mol in mols}
        good = [
            smiles
            for smiles, mol in distinct.items()
            if QED.qed(mol) >= DRUG_LIKE and accessibility(mol) <= MAKEABLE  # type: ignore[no-untyped-call]
        ]
    return Outcome(len(mols) / len(made), len(distinct) / len(mols) if mols else 0.0, len(good) / len(made))
