"""Which molecules does a trained policy build?

The policy is rolled out for many molecules at once: one transformer pass over the newest
unit of each, then a choice among legal sites, then among legal entries. Rows are rolled out
in blocks of a fixed size, so that row 7 of seed 3 is the same molecule however many are asked for.

Each row is one number between 0 and 1, read as an arithmetic code [1]_: the first choice is
the interval the number falls in, the next one where it lies within that interval. The numbers of a
block lie evenly. A row by itself is an exact sample of the policy, but the rows of a block
share their first steps as evenly as these are likely. Once its steps are less likely than one row in a block
a row has a number for each choice: read on, the code would magnify the last digits, in which
processors differ, into other molecules.

References
----------
.. [1] L. Vilnis et al., ICML 2023, arXiv:2210.15458: arithmetic sampling.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from discovery.extras import needs
from generative.construction import Bounds, Building, Prices, Task
from generative.encoding import MAX_DISTANCE, MAX_FREE, MAX_INDEX
from generative.policy import NEVER, Policy, Read
from generative.rollouts import tree_of
from generative.trees import Tree, put_together
from generative.vocabulary import Vocabulary
from generative.wishes import features, wanted

with needs("generative"):
    import torch
    import torch.nn.functional as F
    from torch import Tensor


BLOCK = 256  # rows rolled out side by side; part of what a seed means
CODED = 1 / BLOCK  # likelihood of its steps below which a row is alone, and its choices are drawn anew
GOLDEN = (5**0.5 - 1) / 2  # its multiples, less their whole parts, lie evenly however many are taken
LEAN = 1.5  # an asked property weighs more than in training: that halved the distance from the value asked

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Sample:
    """One molecule as the policy built it."""

    tree: Tree
    log_prob: float  # of the steps chosen, under the policy at temperature 1; given steps are certain


@dataclass(frozen=True)
class Sampler:
    """A policy made ready to build: its vocabulary read, its prices known.

    Parameters
    ----------
    temperature : float
        Below 1 the likely becomes likelier; 1 samples what was learned.
    asked : mapping
        Properties the molecules should have, as `generative.wishes` names them.
    """

    policy: Policy
    vocabulary: Vocabulary
    read: Read
    prices: Prices
    bounds: Bounds
    task: Task
    style: int
    temperature: float
    asked: Mapping[str, float]

    @classmethod
    def of(
        cls,
        policy: Policy,
        vocabulary: Vocabulary,
        *,
        bounds: Bounds | None = None,
        task: Task | None = None,
        style: int = 0,
        temperature: float = 1.0,
        asked: Mapping[str, float] | None = None,
        forbidden: npt.NDArray[np.bool_] | None = None,
    ) -> Sampler:
        """Reads the vocabulary; entries that are `forbidden` are never placed unless given."""
        with torch.no_grad():
            read = policy.read(vocabulary)
        prices = Prices.of(vocabulary)
        if forbidden is not None:
            prices = replace(prices, usable=prices.usable & ~forbidden)
        return cls(
            policy,
            vocabulary,
            read,
            prices,
            bounds or Bounds(),
            task or Task(),
            style,
            temperature,
            asked or {},
        )

    @property
    def ordered(self) -> bool:
        """Built in the order a molecule is usually told; tasks with given parts need any order."""
        return not self.task.starts and not self.task.fragments

    def smiles(self, n: int, seed: int) -> list[str]:
        """The first `n` molecules of a seed."""
        blocks = (self.block(seed, number) for number in range(-(-n // BLOCK)))
        return [put_together(sample.tree) for block in blocks for sample in block][:n]

    def block(self, seed: int, number: int) -> list[Sample]:
        """Rows of one block."""
        rng = np.random.default_rng([seed, number])
        if self.ordered or len(self.task.starts) > 1:
            codes = (rng.permutation(BLOCK) + rng.random(BLOCK)) / BLOCK
        else:  # little can be built around one part: the first few rows lie evenly, too
            codes = np.mod(rng.random() + GOLDEN * np.arange(BLOCK), 1.0, dtype=np.float64)
        draws = rng.random((BLOCK, self.bounds.max_atoms + 2, 3))
        with torch.inference_mode():
            return Rolling(self, codes, draws).run()


class Rolling:
    """One block on its way; rows that are finished are put aside when they are half of all."""

    def __init__(self, sampler: Sampler, codes: Floats, draws: Floats) -> None:
        n = len(draws)
        self.sampler = sampler
        self.codes = codes
        self.likelihood = np.ones(n)  # of the steps read from a row's code
        self.draws = draws
        self.building = Building.begin(n, sampler.vocabulary, sampler.prices, sampler.bounds, sampler.task)
        self.number = np.arange(n)  # which row of the block each is
        self.log = np.zeros(n)
        self.found: dict[int, Sample] = {}
        shape = sampler.policy.shape
        tokens = sampler.bounds.max_atoms + 2
        size = (shape.layers, n, shape.heads, tokens, shape.width // shape.heads)
        self.keys, self.values = torch.zeros(size), torch.zeros(size)
        self.distance = np.full((n, tokens, tokens), MAX_DISTANCE, dtype=np.int64)
        self.site_keys = torch.zeros(n, self.building.free.shape[1], shape.width)
        told = torch.from_numpy(features(wanted(sampler.asked)[None]))
        policy = sampler.policy
        how = policy.how.weight[0 if sampler.ordered else 1]
        self.always = (
            how + policy.style.weight[sampler.style] + LEAN * policy.wishes(told)[0]
        )  # in every token

    def run(self) -> list[Sample]:
        token = 0
        while len(self.number):
            hidden = self._advance(token)
            if token:
                self._remember_sites(token, hidden)
            self._step(token, hidden)
            token += 1
            self._put_aside()
        return [self.found[row] for row in range(len(self.draws))]

    def _advance(self, token: int) -> Tensor:
        """The newest token through the trunk: [row, width]."""
        policy, read, b = self.sampler.policy, self.sampler.read, self.building
        n = len(self.number)
        if token == 0:
            x = (policy.opening + policy.step.weight[0]).expand(n, -1)
        else:
            step = token - 1
            entry, parent, site = b.entry[:, step], b.parent[:, step], b.site[:, step]
            live = entry >= 0
            entry = np.maximum(entry, 0)
            x = read.token[torch.from_numpy(entry)] + policy.step.weight[token]
            if step > 0:
                tables = b.vocabulary.tables
                up = np.arange(n)
                parent_unit = tables.entry_unit[np.maximum(b.entry[up, parent], 0)]
                atom = torch.from_numpy(tables.start[parent_unit] + np.where(live, site, 0))
                place = policy.place_index(torch.from_numpy(np.minimum(site, MAX_INDEX - 1)))
                x = x + policy.parent_in(torch.cat([read.atom[atom], place], dim=-1))
                near = np.minimum(self.distance[up, parent + 1, :token] + 1, MAX_DISTANCE)
                near[:, 0] = MAX_DISTANCE
                self.distance[:, token, :token] = near
                self.distance[:, :token, token] = near
            self.distance[:, token, token] = 0
        x = x + self.always
        bias = policy.far(torch.from_numpy(self.distance[:, token, : token + 1])).permute(0, 2, 1)[:, :, None]
        x = x[:, None]
        for layer, block in enumerate(policy.layers):
            q, k, v = block.heads_of(block.qkv(block.norm_a(x)))
            self.keys[layer, :, :, token], self.values[layer, :, :, token] = k[:, :, 0], v[:, :, 0]
            mixed = F.scaled_dot_product_attention(
                q, self.keys[layer, :, :, : token + 1], self.values[layer, :, :, : token + 1], attn_mask=bias
            )
            x = x + block.out(mixed.transpose(1, 2).flatten(2))
            x = x + block.feed(x)
        result: Tensor = policy.norm(x)[:, 0]
        return result

    def _remember_sites(self, token: int, hidden: Tensor) -> None:
        """Keys of the sites that the newest units brought."""
        b, tables = self.building, self.building.vocabulary.tables
        rows, columns = np.nonzero(
            (b.site_step == token - 1)
            & (np.arange(b.site_step.shape[1]) < b.sites[:, None])
            & (b.steps == token)[:, None]
        )
        place = b.site_place[rows, columns]
        self.site_keys[torch.from_numpy(rows), torch.from_numpy(columns)] = self.sampler.policy.keys(
            self.sampler.read,
            hidden[torch.from_numpy(rows)],
            torch.from_numpy(tables.placed[place]),
            torch.from_numpy(np.minimum(tables.local[place], MAX_INDEX - 1)),
            torch.from_numpy(tables.distance[place]),
        )

    def _step(self, token: int, hidden: Tensor) -> None:
        b = self.building
        given = b.waiting() & ~b.done
        if given.any():
            b.place_given(np.nonzero(given)[0])
        rows = np.nonzero(~given & ~b.done)[0]
        if not len(rows):
            return
        if token == 0:
            columns = np.full(len(rows), -1)
        else:
            rows, columns = self._choose_sites(token, rows, hidden)
        if len(rows):
            self._choose_entries(token, rows, columns, hidden)

    def _choose_sites(
        self, token: int, rows: npt.NDArray[np.int64], hidden: Tensor
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        policy, b = self.sampler.policy, self.building
        legal = b.legal_sites()
        stop = b.may_stop(legal)
        width = max(int(b.sites.max()), 1)
        at = torch.from_numpy(rows)
        h = hidden[at]
        scores = (self.site_keys[at, :width] @ policy.query(h)[..., None])[..., 0] / policy.shape.width**0.5
        free = torch.from_numpy(np.minimum(b.free[rows, :width], MAX_FREE))
        far = torch.from_numpy(self.distance[rows[:, None], token, b.site_step[rows, :width] + 1])
        scores = scores + policy.by_free(h).gather(-1, free) + policy.by_far(h).gather(-1, far)
        scores = torch.cat([scores, policy.stop(h)], dim=-1)
        mask = np.concatenate([legal[rows, :width], stop[rows][:, None]], axis=1)
        picked, log = self._draw(scores, torch.from_numpy(mask), self.number[rows], token, 0)
        self.log[rows] += log
        stopped = picked == width
        b.stop(rows[stopped])
        return rows[~stopped], picked[~stopped]

    def _choose_entries(
        self, token: int, rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], hidden: Tensor
    ) -> None:
        policy, read, b = self.sampler.policy, self.sampler.read, self.building
        at = torch.from_numpy(rows)
        root = columns < 0
        column = torch.from_numpy(np.maximum(columns, 0))
        free = torch.from_numpy(np.minimum(b.free[rows, np.maximum(columns, 0)], MAX_FREE))
        z = policy.choose(hidden[at], self.site_keys[at, column], free, torch.from_numpy(root))
        n = policy.common
        legal = torch.from_numpy(b.legal_entries(rows, columns))
        joins = torch.from_numpy(b.legal_joins(rows, columns))
        scores = torch.cat([F.linear(z, read.entry[:n], read.bias[:n]), policy.gate(z)], dim=-1)
        mask = torch.cat([legal[:, :n], legal[:, n:].any(1, keepdim=True)], dim=-1)
        if b.ways:
            ways = torch.tensor([way.entry for way in b.ways])
            scores = torch.cat([scores, F.linear(z, read.entry[ways], read.bias[ways])], dim=-1)
            mask = torch.cat([mask, joins], dim=-1)
        picked, log = self._draw(scores, mask, self.number[rows], token, 1)
        self.log[rows] += log
        rare = picked == n
        if rare.any():
            which = torch.from_numpy(np.nonzero(rare)[0])
            scores = F.linear(z[which], read.entry[n:], read.bias[n:])
            inside, log = self._draw(scores, legal[which, n:], self.number[rows[rare]], token, 2)
            self.log[rows[rare]] += log
            picked = picked.copy()
            picked[rare] = n + inside
        joined = (picked > n) & ~rare
        plain = ~joined
        if plain.any():
            b.place(rows[plain], columns[plain], picked[plain])
        for row, col, way in zip(rows[joined], columns[joined], picked[joined] - n - 1, strict=True):
            b.join(int(row), int(col), int(way))
            b.place_given(np.array([row]))

    def _draw(
        self, scores: Tensor, mask: Tensor, numbers: npt.NDArray[np.int64], token: int, which: int
    ) -> tuple[npt.NDArray[np.int64], Floats]:
        """One legal choice a row: by where its code, or a number drawn, falls in the cumulative probabilities."""
        if not bool(mask.any(-1).all()):
            raise AssertionError("a row has no legal step: the promises of `construction` do not hold")
        scores = scores.double().masked_fill(~mask, NEVER)
        log = torch.log_softmax(scores, dim=-1)
        chance = (
            log.exp()
            if self.sampler.temperature == 1.0
            else torch.softmax(scores / self.sampler.temperature, -1)
        )
        coded = self.likelihood[numbers] > CODED
        draw = np.where(coded, self.codes[numbers], self.draws[numbers, token, which])
        total = chance.cumsum(-1)
        u = torch.from_numpy(draw)[:, None] * total[:, -1:]
        picked = (total <= u).sum(-1, keepdim=True).clamp(max=scores.shape[1] - 1)
        # a draw at the very end may land behind the last legal choice: step back to it
        wrong = ~mask.gather(1, picked)[:, 0]
        if bool(wrong.any()):
            picked[wrong] = chance[wrong].argmax(-1, keepdim=True)
        width = chance.gather(1, picked)
        within = ((u - total.gather(1, picked) + width) / width)[:, 0].clamp(0.0, 1.0).numpy()
        self.codes[numbers] = within
        self.likelihood[numbers] *= width[:, 0].numpy()
        return picked[:, 0].numpy(), log.gather(1, picked)[:, 0].numpy()

    def _put_aside(self) -> None:
        b = self.building
        done = b.done
        if not done.any() or (2 * done.sum() < len(done) and not done.all()):
            return
        for row in np.nonzero(done)[0]:
            self.found[int(self.number[row])] = Sample(
                tree_of(b.vocabulary, *b.rollout(int(row))), float(self.log[row])
            )
        kept = np.nonzero(~done)[0]
        at = torch.from_numpy(kept)
        self.building = b.keep(kept)
        self.number, self.log, self.distance = self.number[kept], self.log[kept], self.distance[kept]
        self.keys, self.values = self.keys[:, at], self.values[:, at]
        self.site_keys = self.site_keys[at]
