"""The network's probabilities are proper, exact, and the same when sampled as when scored."""

from __future__ import annotations

import copy
import random
from collections import Counter

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from generative.construction import Bounds, Task  # noqa: E402
from generative.encoding import rows, unit_graphs  # noqa: E402
from generative.given import decorate, join  # noqa: E402
from generative.policy import NEVER  # noqa: E402
from generative.rollouts import Rollout, ordered, shuffled  # noqa: E402
from generative.sampling import BLOCK, Sampler  # noqa: E402
from generative.trees import Tree, put_together, take_apart, unit  # noqa: E402
from tests.generative.models import policy, trees, vocabulary  # noqa: E402


def steps(rollout: Rollout) -> np.ndarray:
    return np.array([rollout.entries, rollout.parents, rollout.sites], dtype=np.int16).T


def log_likelihood(rollouts: list[Rollout], order: int) -> np.ndarray:
    known = vocabulary()
    batch = rows(known, [steps(r) for r in rollouts], [order] * len(rollouts), [0] * len(rollouts))
    with torch.no_grad():
        site, entry = policy().log_likelihood(policy().read(known), batch)
    return (site + entry).numpy()


def test_a_rollout_scores_the_same_alone_as_among_others() -> None:
    some = [ordered(tree, vocabulary()) for tree in trees()[:12]]
    together = log_likelihood(some, 0)
    alone = np.concatenate([log_likelihood([one], 0) for one in some])
    assert together == pytest.approx(alone, abs=1e-3)


def test_sampled_probability_is_the_scored_one() -> None:
    """Two ways through the network: step by step with a cache, and all steps at once."""
    known = vocabulary()
    sampler = Sampler.of(policy(), known, bounds=Bounds(min_atoms=1, max_atoms=60, max_rings=60))
    samples = [s for s in sampler.block(7, 0) if s.tree.atoms <= 40][:40]
    rollouts = [as_built(sample.tree) for sample in samples]
    assert [s.log_prob for s in samples] == pytest.approx(log_likelihood(rollouts, 0).tolist(), abs=2e-3)


def as_built(tree: Tree) -> Rollout:
    """The steps in the order of the tree's units, which is the order they were placed in."""
    index = vocabulary().index
    entries = [index[tree.units[0], -1, 0]]
    parents, sites = [0], [0]
    for link in tree.links:
        entries.append(index[tree.units[link.unit_b], link.atom_b, link.order])
        parents.append(link.unit_a)
        sites.append(link.atom_a)
    return Rollout(tuple(entries), tuple(parents), tuple(sites), (), ())


def test_probabilities_of_all_first_steps_sum_to_one() -> None:
    known = vocabulary()
    with torch.no_grad():
        read = policy().read(known)
        z = torch.zeros(1, policy().shape.unit_width)
        row = torch.zeros(1, dtype=torch.long)
        total = sum(
            float(policy().entry_log(read, z, row, torch.tensor([entry])).exp())
            for entry in range(len(known.entries))
            if known.entries[entry][1] < 0
        )
        forbidden = policy().entry_log(read, z, row, torch.tensor([known.index["C", 0, 1]]))
    assert total == pytest.approx(1.0, abs=1e-5)
    assert float(forbidden) < NEVER / 2


def test_the_future_does_not_leak_into_the_past() -> None:
    """Changing the last unit leaves the probability of the steps before it."""
    known = vocabulary()
    a, b = (as_built(take_apart_in_order(s)) for s in ("CCO", "CCN"))
    both = rows(known, [steps(a), steps(b)], [0, 0], [0, 0])
    with torch.no_grad():
        hidden = policy().trunk(policy().read(known), both)
    assert torch.equal(hidden[0, :3], hidden[1, :3])
    assert not torch.equal(hidden[0, 3], hidden[1, 3])


def take_apart_in_order(smiles: str) -> Tree:
    from generative.trees import Link

    return Tree(tuple(smiles), tuple(Link(n, 0, n + 1, 0, 1) for n in range(len(smiles) - 1)))


def test_a_wider_vocabulary_leaves_old_probabilities_of_common_entries() -> None:
    known = vocabulary()
    wider = known.extended(take_apart("*C12C3C4C1C5C4C3C25".replace("*", "C")).units)
    with torch.no_grad():
        old, new = policy().read(known), policy().read(wider)
    n = policy().common
    assert torch.allclose(old.entry[:n], new.entry[:n], atol=1e-5)
    assert len(new.bias) == len(wider.entries)


def test_units_are_read_as_graphs() -> None:
    """One PyG graph a unit, each bond there and back, atoms in the order of the tables."""
    known = vocabulary()
    graphs = unit_graphs(known)
    assert graphs.num_graphs == len(known.units)
    assert graphs.num_nodes == known.tables.start[-1]
    assert graphs.edge_index.shape[1] == 2 * sum(len(unit(u.smiles).bonds) for u in known.units)


def test_the_same_seed_gives_the_same_molecules_however_many_are_asked() -> None:
    sampler = Sampler.of(policy(), vocabulary())
    first, later = sampler.smiles(300, 3), [put_together(s.tree) for s in sampler.block(3, 1)]
    assert later[:44] == first[256:]
    assert len(set(first)) > 290
    other = sampler.smiles(300, 4)
    assert first != other


def test_last_digits_in_which_processors_differ_leave_the_molecules_as_they_are() -> None:
    """Law: a seed means the same on every machine, but for rows that lie at the edge of a choice."""
    other = copy.deepcopy(policy())
    noise = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in other.parameters():
            weight *= 1 + 1e-6 * torch.randn(weight.shape, generator=noise)
    ours, theirs = (Sampler.of(one, vocabulary()).smiles(BLOCK, 3) for one in (policy(), other))
    assert sum(a != b for a, b in zip(ours, theirs, strict=True)) < BLOCK / 20


def test_a_block_is_spread_over_the_policy_and_still_a_sample_of_it() -> None:
    """Law: rollouts come as often as they are likely; first steps of one block as evenly as 256 rows can be."""
    sampler = Sampler.of(policy(), vocabulary(), bounds=Bounds(min_atoms=1, max_atoms=2))
    blocks = [sampler.block(5, number) for number in range(24)]
    firsts = [Counter(sample.tree.units[0] for sample in block) for block in blocks]
    common = [one for one, count in sum(firsts, Counter()).items() if count > 2 * len(blocks)]
    assert len(common) > 4
    for one in common:
        assert max(count[one] for count in firsts) - min(count[one] for count in firsts) <= 2
    met = Counter((put_together(s.tree), round(s.log_prob, 6)) for block in blocks for s in block)
    often = {of: n for of, n in met.items() if n > 30}
    assert len(often) > 10
    for (_, log_prob), n in often.items():
        expected = len(blocks) * BLOCK * np.exp(log_prob)
        assert abs(n - expected) < 5 * np.sqrt(expected)


def test_around_one_part_the_first_few_rows_are_spread_as_well() -> None:
    """Law: what is put on a ring first comes as often among the first 100 rows of one block as of another."""
    known, task = decorate("*c1ccccc1", vocabulary())
    sampler = Sampler.of(policy(), known, task=task)
    firsts = [Counter(s.tree.units[1] for s in sampler.block(5, number)[:100]) for number in range(12)]
    common = [one for one, count in sum(firsts, Counter()).items() if count > 5 * len(firsts)]
    assert len(common) > 2
    for one in common:
        counts = [count[one] for count in firsts]
        assert max(counts) - min(counts) <= 4


def test_sampled_molecules_are_sound_under_every_task() -> None:
    """Reference: RDKit's sanitisation inside put_together, and its substructure match."""
    from tests.generative.test_construction import holds, sound

    known, decorated = decorate("*c1ccc2[nH]cc(CCN(C)C)c2c1", vocabulary())
    for smiles in sampled(known, decorated):
        assert holds(smiles, "*c1ccc2[nH]cc(CCN(C)C)c2c1")
    known, joined = join(["*c1ccncc1", "*C(=O)N*", "*c1ccc(F)cc1"], vocabulary())
    for smiles in sampled(known, joined):
        assert all(holds(smiles, part) for part in ("c1ccncc1", "NC=O", "Fc1ccccc1"))
    sound(sampled(vocabulary(), Task()), Bounds())


def sampled(known, task: Task) -> list[str]:  # type: ignore[no-untyped-def]
    made = Sampler.of(policy(), known, task=task).block(0, 0)
    assert len(made) == BLOCK
    return [put_together(sample.tree) for sample in made]


def test_a_low_temperature_prefers_the_likely() -> None:
    means = []
    for temperature in (0.5, 1.0):
        sampler = Sampler.of(policy(), vocabulary(), temperature=temperature)
        block = sampler.block(1, 0)
        means.append(np.mean([s.log_prob / len(s.tree.units) for s in block]))
    assert means[0] > means[1]


def test_shuffled_rollouts_are_scored_too() -> None:
    some = [shuffled(tree, vocabulary(), random.Random(1)) for tree in trees()[:20]]
    scores = log_likelihood(some, 1)
    assert np.isfinite(scores).all()
    assert (scores < 0).all()
    assert (scores > NEVER / 2).all()
