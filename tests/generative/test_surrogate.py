"""The surrogate's kernel is a kernel, it remembers what it saw, and it predicts better than chance."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import rdFingerprintGenerator, rdMolDescriptors

from generative.surrogate import WEIGHTS, Surrogate, features, kernel
from tests.generative.models import DRUGS


def test_one_of_its_kernels_is_rdkits_tanimoto_on_counts() -> None:
    """Reference: RDKit's TanimotoSimilarity of count vectors, counts above 3 read as 3."""
    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=1024)
    prints = []
    for smiles in DRUGS:
        counts = generator.GetCountFingerprint(Chem.MolFromSmiles(smiles))
        for bit, count in counts.GetNonzeroElements().items():
            counts[bit] = min(count, 3)
        prints.append(counts)
    theirs = np.array([DataStructs.BulkTanimotoSimilarity(one, prints) for one in prints])
    ours = features(DRUGS).prints[0]
    shared, size = ours @ ours.T, ours.sum(1)
    assert np.allclose(shared / (size[:, None] + size[None] - shared), theirs, atol=1e-6)


def test_the_kernel_is_positive_definite_and_one_on_the_diagonal() -> None:
    gram = kernel(features(DRUGS), features(DRUGS))
    assert np.allclose(np.diag(gram), 1.0, atol=1e-6)
    assert np.allclose(gram, gram.T, atol=1e-6)
    assert np.linalg.eigvalsh(gram).min() > -1e-5
    assert sum(WEIGHTS) < 1.0


def test_what_was_seen_is_remembered_and_certain() -> None:
    rewards = [rdMolDescriptors.CalcCrippenDescriptors(Chem.MolFromSmiles(s))[0] for s in DRUGS]
    surrogate = Surrogate.fit(DRUGS, rewards)
    mean, deviation = surrogate.predict(DRUGS)
    assert np.corrcoef(mean, rewards)[0, 1] > 0.98
    assert deviation.max() < 0.25
    assert surrogate.predict(["CC[Si](C)(C)CC[Si](C)(C)C"])[1][0] > 0.5  # like nothing it saw


def test_it_predicts_molecules_it_never_saw() -> None:
    """logP by RDKit, learned on every other drug."""
    rewards = [rdMolDescriptors.CalcCrippenDescriptors(Chem.MolFromSmiles(s))[0] for s in DRUGS]
    mean, _ = Surrogate.fit(DRUGS[::2], rewards[::2]).predict(DRUGS[1::2])
    assert np.corrcoef(mean, rewards[1::2])[0, 1] > 0.6


def test_equal_rewards_teach_nothing_and_break_nothing() -> None:
    mean, deviation = Surrogate.fit(DRUGS[:5], [0.3] * 5).predict(DRUGS[5:8])
    assert np.isfinite(mean).all()
    assert np.isfinite(deviation).all()


def test_one_molecule_is_too_few() -> None:
    with pytest.raises(ValueError, match="at least 2 scored molecules, not 1"):
        Surrogate.fit(DRUGS[:1], [0.5])
