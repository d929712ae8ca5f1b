"""The surrogate's kernel is a kernel, it remembers what it saw, and it predicts better than chance."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors
from scipy.stats import rankdata, spearmanr

from generative.breeding.surrogate import (
    BITS,
    COUNTED,
    NOISES,
    SHARES,
    Features,
    Mixture,
    Surrogate,
    features,
    kernels,
    look,
    representative,
    targets,
)
from generative.pharmacophores import likeness, pharmacophores
from tests.generative.models import DRUGS


def test_one_of_its_kernels_is_rdkits_tanimoto_on_counts() -> None:
    """Reference: RDKit's TanimotoSimilarity of count vectors, counts above 3 read as 3."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=BITS)
    prints = []
    for smiles in DRUGS:
        counts = generator.GetCountFingerprint(Chem.MolFromSmiles(smiles))
        for bit, count in counts.GetNonzeroElements().items():
            counts[bit] = min(count, 3)
        prints.append(counts)
    theirs = np.array([DataStructs.BulkTanimotoSimilarity(one, prints) for one in prints])
    assert np.allclose(kernels(features(DRUGS), features(DRUGS))[0], theirs, atol=1e-6)


def test_another_is_the_tanimoto_of_pharmacophores_but_for_folding() -> None:
    """Reference: of the unfolded sets. Folding makes them look more alike, and keeps their order."""
    sets = [pharmacophores(Chem.MolFromSmiles(one)) for one in DRUGS]
    unfolded = np.array([[likeness(mine, theirs) for theirs in sets] for mine in sets])
    found = kernels(features(DRUGS), features(DRUGS))[3]
    apart = np.triu_indices(len(DRUGS), 1)
    assert spearmanr(found[apart], unfolded[apart])[0] > 0.9


def test_kernels_without_a_share_are_not_worked_out() -> None:
    some = features(DRUGS[:8])
    for shares in SHARES:
        assert np.allclose(Mixture(shares, 0.0)(some, some), Mixture(shares, 0.0).of(kernels(some, some)))
        found = kernels(some, some, shares)[: 2 * COUNTED].reshape(2, COUNTED, -1)
        assert (found.any(axis=(0, 2)) == np.array(shares[: 2 * COUNTED]).reshape(2, -1).any(axis=0)).all()


@pytest.mark.parametrize("shares", SHARES)
def test_every_mixture_is_positive_definite_and_one_on_the_diagonal(shares: tuple[float, ...]) -> None:
    gram = Mixture(shares, 0.0)(features(DRUGS), features(DRUGS))
    assert np.allclose(np.diag(gram), 1.0, atol=1e-5)
    assert np.allclose(gram, gram.T, atol=1e-6)
    assert np.linalg.eigvalsh(gram).min() > -1e-5


def test_the_formula_kernel_counts_atoms_hydrogens_too() -> None:
    """By hand: C2H6O and C2H4O are two hydrogens apart, C2H6O and C3H8O a carbon and two hydrogens."""
    found = kernels(features(["CCO"]), features(["COC", "CC=O", "CCCO"]))[-1, 0]
    assert np.allclose(found, np.exp(-0.5 * np.array([0.0, 4.0, 5.0]) / 8.0), atol=1e-6)


def test_equal_rewards_have_one_target_whatever_their_order() -> None:
    """Reference: SciPy's ranks, the mean of theirs for equals."""
    value = np.array([0.2, 0.9, 0.2, 0.5, 0.9, 0.9, 0.1])
    rank = (rankdata(value) - 1) / (len(value) - 1)
    wanted = 0.5 * (value - value.mean()) / value.std() + 0.5 * (rank - 0.5) * np.sqrt(12.0)
    assert np.allclose(targets(value), wanted)


def test_of_equals_chance_says_which_are_learned_from() -> None:
    value = np.full(50, 0.4)
    kept = [set(representative(value, seed, 20).tolist()) for seed in range(2)]
    assert len(kept[0]) == len(kept[1]) == 20
    assert kept[0] != kept[1]
    value[[7, 31]] = 0.9
    assert {7, 31} <= set(representative(value, 0, 20).tolist())


def test_a_plateau_leaves_room_for_what_differs() -> None:
    """900 of one reward and 100 of others, 100 kept: ten of the plateau, the best of the others among them."""
    value = np.concatenate([np.full(900, 0.9), np.linspace(0.0, 0.8, 100)])
    kept = representative(value, 0, 100)
    assert len(kept) == len(set(kept.tolist())) == 100
    assert (kept < 900).sum() <= 10
    assert set(range(950, 1000)) <= set(kept.tolist())
    alone = np.full(900, 0.9)
    assert len(representative(alone, 0, 100)) == 100


def test_leaving_one_out_is_what_it_says() -> None:
    """Reference: the mixture that predicts best when each molecule really is left out and the rest refitted."""
    rewards = np.array([Chem.MolFromSmiles(one).GetNumHeavyAtoms() / 40 for one in DRUGS])
    target = targets(rewards)
    found = kernels(features(DRUGS), features(DRUGS))
    errors = {}
    for shares in SHARES:
        for noise in NOISES:
            gram = Mixture(shares, noise).of(found)
            missed = []
            for i in range(len(DRUGS)):
                rest = [j for j in range(len(DRUGS)) if j != i]
                inside = gram[np.ix_(rest, rest)] + noise * np.eye(len(rest))
                missed.append(target[i] - gram[i, rest] @ np.linalg.solve(inside, target[rest]))
            errors[shares, noise] = np.average(np.square(missed), weights=np.maximum(target, 0) + 0.2)
    best = min(errors, key=lambda pair: errors[pair])
    assert Mixture.choose(found, target) == Mixture(*best)


def test_noise_is_told_from_signal() -> None:
    """Rewards drawn at random ask for more noise than rewards that follow from the molecule."""
    found = kernels(features(DRUGS), features(DRUGS))
    exact = targets(np.array([float(Chem.MolFromSmiles(one).GetNumHeavyAtoms()) for one in DRUGS]))
    rough = targets(np.random.default_rng(0).random(len(DRUGS)))
    assert Mixture.choose(found, exact).noise < Mixture.choose(found, rough).noise


def test_a_batch_holds_no_twins() -> None:
    """A molecule offered twice is taken once before all others are: the first makes the second certain."""
    surrogate = Surrogate.fit(DRUGS[:10], [0.1 * i for i in range(10)])
    offered = [*DRUGS[10:16], *DRUGS[10:16]]
    chosen = surrogate.batch(features(offered), 6, (50.0,))
    assert sorted(index % 6 for index in chosen) == list(range(6))
    assert len(set(surrogate.batch(features(offered), 12, (0.0, 1.0)))) == 12
    grouped = surrogate.batch(features(offered[:6]), 6, (0.5,), ["a", "a", "a", "b", "b", "c"], 2)
    assert sorted(grouped[:5]) != [0, 1, 2, 3, 4]
    assert len(set(grouped)) == 5
    assert sum(index < 3 for index in grouped) == 2
    mean, _ = surrogate.predict(features(offered[:6]))
    assert surrogate.batch(features(offered[:6]), 1, (0.0,)) == [int(np.argmax(mean))]


def test_looking_at_a_molecule_or_at_its_smiles_is_the_same() -> None:
    one = Features.of([look(Chem.MolFromSmiles(DRUGS[3]))])
    assert (one.counts == features([DRUGS[3]]).counts).all()
    assert (one.descriptors == features([DRUGS[3]]).descriptors).all()


def test_what_was_seen_is_remembered_and_certain() -> None:
    rewards = [rdMolDescriptors.CalcCrippenDescriptors(Chem.MolFromSmiles(s))[0] for s in DRUGS]
    surrogate = Surrogate.fit(DRUGS, rewards)
    mean, deviation = surrogate.predict(features(DRUGS))
    assert np.corrcoef(mean, rewards)[0, 1] > 0.98
    assert deviation.max() < 0.25
    assert surrogate.predict(features(["CC[Si](C)(C)CC[Si](C)(C)C"]))[1][0] > 0.5  # like nothing it saw


def test_it_predicts_molecules_it_never_saw() -> None:
    """logP by RDKit, learned on every other drug."""
    rewards = [rdMolDescriptors.CalcCrippenDescriptors(Chem.MolFromSmiles(s))[0] for s in DRUGS]
    mean, _ = Surrogate.fit(DRUGS[::2], rewards[::2]).predict(features(DRUGS[1::2]))
    assert np.corrcoef(mean, rewards[1::2])[0, 1] > 0.6


def test_equal_rewards_teach_nothing_and_break_nothing() -> None:
    mean, deviation = Surrogate.fit(DRUGS[:5], [0.3] * 5).predict(features(DRUGS[5:8]))
    assert np.isfinite(mean).all()
    assert np.isfinite(deviation).all()


def test_one_molecule_is_too_few() -> None:
    with pytest.raises(ValueError, match="at least 2 scored molecules, not 1"):
        Surrogate.fit(DRUGS[:1], [0.5])
