"""How good is a molecule at a benchmark's task?

The twenty tasks of PMO that need nothing but RDKit, and the twenty of GuacaMol's second suite,
most of which they share, as pure functions of a molecule, 0 to 1. Semantics are those of PyTDC 0.4 and later, where isomers
count all atoms with their hydrogens. Similarities are Tanimoto on unfolded counts.

References
----------
.. [1] N. Brown, M. Fiscato, M. H. S. Segler, A. C. Vaucher, J. Chem. Inf. Model. 2019,
   59, 1096, doi 10.1021/acs.jcim.8b00839: the tasks.
.. [2] W. Gao, T. Fu, J. Sun, C. W. Coley, NeurIPS 2022, arXiv:2206.12411: their use with
   10,000 calls and the area under the top-10 curve.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any, TypeVar

from rdkit import Chem, DataStructs
from rdkit.Chem import QED, GraphDescriptors, rdFingerprintGenerator, rdMolDescriptors

from discovery.molecule import quiet_rdkit
from generative.pharmacophores import likeness, pharmacophores

Score = Callable[[Chem.Mol], float]
BUDGET = 10_000  # calls in a PMO run
EVERY = 100  # calls between two points of the curve

Look = TypeVar("Look")


def once(look: Callable[[Chem.Mol], Look]) -> Callable[[Chem.Mol], Look]:
    """The same for the same molecule, while it is the last one looked at: many tasks ask alike."""
    last: tuple[Chem.Mol, Look] | None = None

    def looked(mol: Chem.Mol) -> Look:
        nonlocal last
        if last is None or last[0] is not mol:
            last = mol, look(mol)
        return last[1]

    return looked


_ELEMENT = re.compile(r"([A-Z][a-z]?)(\d*)")
_FEATURES = rdFingerprintGenerator.GetMorganFeatureAtomInvGen()
_PRINTS: dict[str, Callable[[Chem.Mol], Any]] = {
    "ECFP4": once(rdFingerprintGenerator.GetMorganGenerator(radius=2).GetSparseCountFingerprint),
    "ECFP6": once(rdFingerprintGenerator.GetMorganGenerator(radius=3).GetSparseCountFingerprint),
    "FCFP4": once(
        rdFingerprintGenerator.GetMorganGenerator(
            radius=2, atomInvariantsGenerator=_FEATURES
        ).GetSparseCountFingerprint
    ),
    "AP": once(rdFingerprintGenerator.GetAtomPairGenerator(maxDistance=10).GetSparseCountFingerprint),
    "PHCO": once(pharmacophores),
}


def similarity(reference: str, kind: str) -> Score:
    """Tanimoto similarity to a molecule by a fingerprint: ECFP4, ECFP6, FCFP4, AP or PHCO."""
    prints = _PRINTS[kind]
    alike = likeness if kind == "PHCO" else DataStructs.TanimotoSimilarity
    target = prints(Chem.MolFromSmiles(reference))
    return lambda mol: float(alike(prints(mol), target))


@once
def logp(mol: Chem.Mol) -> float:
    return float(rdMolDescriptors.CalcCrippenDescriptors(mol)[0])


@once
def tpsa(mol: Chem.Mol) -> float:
    return float(rdMolDescriptors.CalcTPSA(mol))


@once
def atoms(mol: Chem.Mol) -> Counter[str]:
    """How many of each element, hydrogens too."""
    formula = rdMolDescriptors.CalcMolFormula(mol)
    return Counter({element: int(count or 1) for element, count in _ELEMENT.findall(formula)})


def bertz(mol: Chem.Mol) -> float:
    return float(GraphDescriptors.BertzCT(mol))  # type: ignore[no-untyped-call]


def clipped(score: Score, upper: float) -> Score:
    """Linear up to `upper`, 1 above."""
    return lambda mol: min(1.0, score(mol) / upper)


def gaussian(score: Score, mu: float, sigma: float) -> Score:
    return lambda mol: _bell(score(mol), mu, sigma)


def at_least(score: Score, mu: float, sigma: float) -> Score:
    """1 above `mu`, a Gaussian below."""
    return lambda mol: _bell(min(score(mol), mu), mu, sigma)


def at_most(score: Score, mu: float, sigma: float) -> Score:
    """1 below `mu`, a Gaussian above."""
    return lambda mol: _bell(max(score(mol), mu), mu, sigma)


def _bell(x: float, mu: float, sigma: float) -> float:
    return math.exp(-0.5 * ((x - mu) / sigma) ** 2)


def geometric(*scores: Score) -> Score:
    """Geometric mean; 0 as soon as one score is, and those after it are not asked."""

    def mean(mol: Chem.Mol) -> float:
        values = []
        for score in scores:
            value = score(mol)
            if value <= 0.0:
                return 0.0
            values.append(value)
        return math.exp(sum(map(math.log, values)) / len(values))

    return mean


def arithmetic(*scores: Score) -> Score:
    return lambda mol: sum(score(mol) for score in scores) / len(scores)


def holds(smarts: str, wanted: bool = True) -> Score:
    query = Chem.MolFromSmarts(smarts)
    return lambda mol: float(mol.HasSubstructMatch(query) == wanted)


def isomer(formula: str) -> Score:
    """How near the molecule's formula is: a Gaussian for each element and for the number of atoms."""
    wanted = {element: int(count or 1) for element, count in _ELEMENT.findall(formula)}
    total = sum(wanted.values())

    def near(mol: Chem.Mol) -> float:
        have = atoms(mol)
        terms = [_bell(have[element], count, 1.0) for element, count in wanted.items()]
        terms.append(_bell(have.total(), total, 2.0))
        return 0.0 if min(terms) <= 0.0 else math.exp(sum(map(math.log, terms)) / len(terms))

    return near


_SITAGLIPTIN = "Fc1cc(c(F)cc1F)CC(N)CC(=O)N3Cc2nnc(n2CC3)C(F)(F)F"
_ZALEPLON = "O=C(C)N(CC)C1=CC=CC(C2=CC=NC3=C(C=NN23)C#N)=C1"
_OSIMERTINIB = "COc1cc(N(C)CCN(C)C)c(NC(=O)C=C)cc1Nc2nccc(n2)c3cn(C)c4ccccc34"
_FEXOFENADINE = "CC(C)(C(=O)O)c1ccc(cc1)C(O)CCCN2CCC(CC2)C(O)(c3ccccc3)c4ccccc4"
_RANOLAZINE = "COc1ccccc1OCC(O)CN2CCN(CC(=O)Nc3c(C)cccc3C)CC2"
_PERINDOPRIL = "O=C(OCC)C(NC(C(=O)N1C(C(=O)O)CC2CCCCC12)C)CCC"
_AMLODIPINE = r"Clc1ccccc1C2C(=C(/N/C(=C2/C(=O)OCC)COCCN)C)\C(=O)OC"
_VALSARTAN = "NC(CC(=O)N1CCn2c(nnc2C(F)(F)F)C1)Cc1cc(F)c(F)cc1F"  # whose properties are asked for
_HOP = "CCCOc1cc2ncnc(Nc3ccc4ncsc4c3)c2cc1S(=O)(=O)C(C)(C)C"
_HOP_SCAFFOLD = "[#7]-c1n[c;h1]nc2[c;h1]c(-[#8])[c;h0][c;h1]c12"
_HOP_DECORATION = "[#6]-[#6]-[#6]-[#8]-[#6]~[#6]~[#6]~[#6]~[#6]-[#7]-c1ccc2ncsc2c1"


@lru_cache(maxsize=1)
def tasks() -> dict[str, Score]:
    """All twenty, by PMO's names; built once, since they hold fingerprints of their targets."""
    sitagliptin, valsartan = Chem.MolFromSmiles(_SITAGLIPTIN), Chem.MolFromSmiles(_VALSARTAN)
    hop = similarity(_HOP, "PHCO")
    return {
        "albuterol_similarity": clipped(similarity("CC(C)(C)NCC(O)c1ccc(O)c(CO)c1", "FCFP4"), 0.75),
        "amlodipine_mpo": geometric(
            similarity(_AMLODIPINE, "ECFP4"), gaussian(lambda m: rdMolDescriptors.CalcNumRings(m), 3, 0.5)
        ),
        "celecoxib_rediscovery": similarity(
            "CC1=CC=C(C=C1)C1=CC(=NN1C1=CC=C(C=C1)S(N)(=O)=O)C(F)(F)F", "ECFP4"
        ),
        "deco_hop": arithmetic(
            clipped(hop, 0.85),
            holds("CS([#6])(=O)=O", False),
            holds("[#7]-c1ccc2ncsc2c1", False),
            holds(_HOP_SCAFFOLD),
        ),
        "fexofenadine_mpo": geometric(
            clipped(similarity(_FEXOFENADINE, "AP"), 0.8), at_least(tpsa, 90, 10), at_most(logp, 4, 1)
        ),
        "isomers_c7h8n2o2": isomer("C7H8N2O2"),
        "isomers_c9h10n2o2pf2cl": isomer("C9H10N2O2PF2Cl"),
        "median1": geometric(
            similarity("CC1(C)C2CCC1(C)C(=O)C2", "ECFP4"), similarity("CC(C)C1CCC(C)CC1O", "ECFP4")
        ),
        "median2": geometric(
            similarity("O=C1N(CC(N2C1CC3=C(C2C4=CC5=C(OCO5)C=C4)NC6=C3C=CC=C6)=O)C", "ECFP6"),
            similarity("CCCC1=NN(C2=C1N=C(NC2=O)C3=C(C=CC(=C3)S(=O)(=O)N4CCN(CC4)C)OCC)C", "ECFP6"),
        ),
        "mestranol_similarity": clipped(
            similarity("COc1ccc2[C@H]3CC[C@@]4(C)[C@@H](CC[C@@]4(O)C#C)[C@@H]3CCc2c1", "AP"), 0.75
        ),
        "osimertinib_mpo": geometric(
            clipped(similarity(_OSIMERTINIB, "FCFP4"), 0.8),
            at_most(similarity(_OSIMERTINIB, "ECFP6"), 0.85, 0.1),
            at_least(tpsa, 100, 10),
            at_most(logp, 1, 1),
        ),
        "perindopril_mpo": geometric(
            similarity(_PERINDOPRIL, "ECFP4"),
            gaussian(lambda m: rdMolDescriptors.CalcNumAromaticRings(m), 2, 0.5),
        ),
        "qed": lambda mol: float(QED.qed(mol)),  # type: ignore[no-untyped-call]
        "ranolazine_mpo": geometric(
            clipped(similarity(_RANOLAZINE, "AP"), 0.7),
            at_least(logp, 7, 1),
            at_least(tpsa, 95, 20),
            gaussian(lambda m: sum(atom.GetSymbol() == "F" for atom in m.GetAtoms()), 1, 1.0),
        ),
        "scaffold_hop": arithmetic(clipped(hop, 0.75), holds(_HOP_SCAFFOLD, False), holds(_HOP_DECORATION)),
        "sitagliptin_mpo": geometric(
            gaussian(similarity(_SITAGLIPTIN, "ECFP4"), 0, 0.1),
            gaussian(logp, logp(sitagliptin), 0.2),
            gaussian(tpsa, tpsa(sitagliptin), 5),
            isomer("C16H15F6N5O"),
        ),
        "thiothixene_rediscovery": similarity("CN(C)S(=O)(=O)c1ccc2Sc3ccccc3C(=CCCN4CCN(C)CC4)c2c1", "ECFP4"),
        "troglitazone_rediscovery": similarity(
            "Cc1c(C)c2OC(C)(COc3ccc(CC4SC(=O)NC4=O)cc3)CCc2c(C)c1O", "ECFP4"
        ),
        "valsartan_smarts": geometric(
            holds("CN(C=O)Cc1ccc(c2ccccc2)cc1"),
            gaussian(logp, logp(valsartan), 0.2),
            gaussian(tpsa, tpsa(valsartan), 5),
            gaussian(bertz, bertz(valsartan), 30),
        ),
        "zaleplon_mpo": geometric(similarity(_ZALEPLON, "ECFP4"), isomer("C19H17N3O2")),
    }


ARIPIPRAZOLE = "Clc4cccc(N3CCN(CCCCOc2ccc1c(NC(=O)CC1)c2)CC3)c4Cl"
SPREAD = (1, 10, 100)  # most GuacaMol tasks ask for the best one, ten and a hundred alike


@lru_cache(maxsize=1)
def guacamol() -> dict[str, tuple[Score, tuple[int, ...]]]:
    """GuacaMol's second suite: each task's score, and how many of the best molecules count."""
    shared = tasks()
    found: dict[str, tuple[Score, tuple[int, ...]]] = {
        name: (shared[name], (1,) if name.endswith("_rediscovery") else SPREAD)
        for name in sorted(shared)
        if name not in ("qed", "isomers_c7h8n2o2")
    }
    found["isomers_c9h10n2o2pf2cl"] = (shared["isomers_c9h10n2o2pf2cl"], (250,))
    found["isomers_c11h24"] = (isomer("C11H24"), (159,))
    found["aripiprazole_similarity"] = (clipped(similarity(ARIPIPRAZOLE, "ECFP4"), 0.75), SPREAD)
    return found


def guacamol_score(task: str, scores: Iterable[tuple[str, float]]) -> float:
    """GuacaMol's figure for a task: the mean of the best k, averaged over the task's k.

    Parameters
    ----------
    scores : (SMILES, score)
        Molecules that differ in stereochemistry alone count once; where there are too few,
        the missing ones count as 0.
    """
    tops = guacamol()[task][1]
    ranked: list[float] = []
    met: set[str] = set()
    for smiles, value in sorted(scores, key=lambda pair: -pair[1]):
        if len(ranked) == max(tops):
            break
        with quiet_rdkit():
            mol = Chem.MolFromSmiles(smiles)
        flat = "" if mol is None else Chem.MolToSmiles(mol, isomericSmiles=False)
        if flat and flat not in met:
            met.add(flat)
            ranked.append(max(value, 0.0))
    return sum(sum(ranked[:k]) / k for k in tops) / len(tops)


def score(task: str, smiles: str) -> float:
    """A molecule's score at a task; 0 for what is no molecule, as the benchmarks have it.

    Raises
    ------
    KeyError
        Unknown task.
    """
    ask = tasks()[task] if task in tasks() else guacamol()[task][0]
    with quiet_rdkit():
        mol = Chem.MolFromSmiles(smiles)
        return 0.0 if mol is None else ask(Chem.MolFromSmiles(Chem.MolToSmiles(mol)))


def auc_top(scores: Sequence[float], top: int = 10, budget: int = BUDGET, every: int = EVERY) -> float:
    """Area under the curve of the mean of the `top` best against calls, 0 to 1.

    Parameters
    ----------
    scores : [call]
        In the order the oracle was asked, each molecule once.

    Notes
    -----
    The curve has a point after every `every` calls, is trapezoidal from 0, and goes on flat
    from where the run ended, as in the PMO benchmark's own code.
    """
    area, before, asked = 0.0, 0.0, 0
    best: list[float] = []
    for start in range(0, min(len(scores), budget), every):
        part = scores[start : min(start + every, budget)]
        best = sorted([*best, *part], reverse=True)[:top]
        now = sum(best) / len(best)
        area += len(part) * (before + now) / 2
        before, asked = now, asked + len(part)
    return (area + (budget - asked) * before) / budget
