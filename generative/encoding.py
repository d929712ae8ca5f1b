"""What does the network see of a vocabulary, and of a batch of rollouts?

Two kinds of graph. Units become one PyG batch of atoms and bonds, read once for the
whole vocabulary. Rollouts become padded arrays: tokens (one a placed unit) with their
place in the tree, and sites (atoms that may still take a bond) with the steps at which
their hydrogens are used up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from discovery.extras import needs
from generative.trees import Unit
from generative.vocabulary import FAR, Tables, Vocabulary
from generative.wishes import FEATURES, Floats, features

with needs("generative"):
    import torch
    from torch import Tensor
    from torch_geometric.data import Batch, Data


Ints = npt.NDArray[np.int64]

ELEMENTS = (6, 7, 8, 9, 16, 17, 35, 53, 15, 5, 14, 34)  # others share one more embedding
MAX_INDEX = 48  # atoms of a unit that have an embedding for their place; further ones share the last
MAX_DISTANCE = FAR  # steps through the tree are told apart up to here too
MAX_FREE = 4


def unit_graphs(vocabulary: Vocabulary) -> Batch:
    """All units as one PyG batch; its atoms are in the order of the vocabulary's tables.

    Node features `x` [atom, 5]: element, charge + 2, free hydrogens, ring, aromatic.
    Edge features `edge_attr` [edge]: 0 to 2 for Kekulé orders, 3 for aromatic; each bond twice.
    """
    return Batch.from_data_list([_graph(block) for block in vocabulary.units])


@lru_cache(maxsize=100_000)
def _graph(block: Unit) -> Data:
    element = {z: number for number, z in enumerate(ELEMENTS)}
    x = [
        (
            element.get(block.elements[a], len(ELEMENTS)),
            min(max(block.charges[a] + 2, 0), 4),
            min(block.free[a], MAX_FREE),
            int(block.in_ring[a]),
            int(block.aromatic[a]),
        )
        for a in range(block.size)
    ]
    ends = [(a, b) for a, b, _ in block.bonds] + [(b, a) for a, b, _ in block.bonds]
    kinds = [
        3 if c else order - 1 for (_, _, order), c in zip(block.bonds, block.conjugated, strict=True)
    ] * 2
    return Data(
        x=torch.tensor(x),
        edge_index=torch.tensor(ends, dtype=torch.long).reshape(-1, 2).T,
        edge_attr=torch.tensor(kinds, dtype=torch.long),
        num_nodes=block.size,
    )


@dataclass(frozen=True)
class Rows:
    """A batch of rollouts, padded.

    Token 0 opens every row; token t + 1 is the unit placed in step t.
    """

    order: Tensor  # [row] 0 ordered, 1 shuffled
    style: Tensor  # [row]
    wishes: Tensor  # [row, FEATURES] what is asked of the molecule; zeros where nothing is
    entry: Tensor  # [row, step]; padding is 0
    live: Tensor  # [row, step] bool
    parent_atom: Tensor  # [row, step] row in the atom tables
    parent_index: Tensor  # [row, step] which atom of the parent unit
    distance: Tensor  # [row, token, token] steps through the tree, clipped
    site_token: Tensor  # [row, site] the token whose unit it belongs to
    site_atom: Tensor  # [row, site] row in the atom tables
    site_index: Tensor  # [row, site]
    site_distance: Tensor  # [row, site]
    free: Tensor  # [row, token, site] hydrogens left on a site after that token's step
    may_stop: Tensor  # [row, token] bool: no atom that may keep no hydrogen still has one
    target_site: Tensor  # [row, token] column of the site chosen next; the last column + 1 is STOP

    def to(self, device: torch.device | str) -> Rows:
        return replace(self, **{f.name: getattr(self, f.name).to(device) for f in fields(self)})


def rows(
    vocabulary: Vocabulary,
    steps: Sequence[npt.NDArray[np.int16]],
    order: Sequence[int],
    style: Sequence[int],
    wanted: Floats | None = None,
) -> Rows:
    """Rollouts ([step, 3] arrays of entry, parent, site) -> one padded batch.

    `wanted` is [row, property] as `generative.wishes` has it; nothing is asked when absent.
    """
    tables = vocabulary.tables
    length = np.array([len(one) for one in steps])
    n, longest = len(steps), int(length.max())
    live = np.arange(longest) < length[:, None]
    packed = np.zeros((n, longest, 3), dtype=np.int64)
    packed[live] = np.concatenate(steps)
    entry, parent, site = packed[..., 0], packed[..., 1], packed[..., 2]
    up = np.arange(n)[:, None]
    sites = _Sites.of(tables, entry, live)
    chosen = sites.columns(longest, int(tables.size.max()))[up, parent + 1, site]  # [row, step]
    later_row, later = np.nonzero(live[:, 1:])  # steps that chose a site: all but the first
    later = later + 1
    picked = chosen[later_row, later]

    used = np.zeros((n, longest + 1, sites.width), dtype=np.int64)
    used[later_row, later + 1, picked] = tables.entry_order[entry[later_row, later]]
    exists = sites.token[None] <= np.arange(longest + 1)[:, None]  # [token, site]
    free = np.zeros((n, longest + 1, sites.width), dtype=np.int64)
    free[sites.row, :, sites.column] = np.where(exists, tables.left[sites.place][None], 0).T
    free = np.where(free > 0, free - np.cumsum(used, axis=1), 0)
    must = sites.spread(tables.must[tables.placed[sites.place]]) > 0
    target = np.full((n, longest + 1), sites.width, dtype=np.int64)
    target[later_row, later] = picked
    parent_unit = tables.entry_unit[entry][up, parent]
    asked = np.zeros((n, FEATURES), dtype=np.float32) if wanted is None else features(wanted)
    as_tensor = torch.from_numpy
    return Rows(
        order=torch.tensor(list(order)),
        style=torch.tensor(list(style)),
        wishes=as_tensor(asked),
        entry=as_tensor(entry),
        live=as_tensor(live),
        parent_atom=as_tensor(tables.start[parent_unit] + site),
        parent_index=as_tensor(np.minimum(site, MAX_INDEX - 1)),
        distance=as_tensor(_distances(parent, longest)),
        site_token=as_tensor(sites.spread(sites.token)),
        site_atom=as_tensor(sites.spread(tables.placed[sites.place])),
        site_index=as_tensor(sites.spread(np.minimum(sites.local, MAX_INDEX - 1))),
        site_distance=as_tensor(sites.spread(tables.distance[sites.place])),
        free=as_tensor(np.minimum(free, MAX_FREE)),
        may_stop=as_tensor(~((free > 0) & must[:, None]).any(-1)),
        target_site=as_tensor(target),
    )


@dataclass(frozen=True)
class _Sites:
    """Every atom of every placed unit that has a hydrogen to give, end to end, row after row."""

    row: Ints  # [site]
    token: Ints  # [site] whose unit it belongs to
    place: Ints  # [site] its row in the tables over placed atoms
    local: Ints  # [site] which atom of its unit
    per_row: Ints  # [row] sites

    @classmethod
    def of(cls, tables: Tables, entry: Ints, live: npt.NDArray[np.bool_]) -> _Sites:
        """Of entries [row, step], where they are live."""
        n, longest = entry.shape
        first = tables.first[entry]
        count = np.where(live, tables.first[entry + 1] - first, 0)
        each = count.ravel()
        row = np.repeat(np.arange(n), count.sum(1))
        token = np.repeat(np.broadcast_to(np.arange(1, longest + 1), count.shape).ravel(), each)
        local = np.arange(each.sum()) - np.repeat(np.cumsum(each) - each, each)
        place = np.repeat(first.ravel(), each) + local
        open_ = tables.left[place] > 0
        row = row[open_]
        return cls(row, token[open_], place[open_], local[open_], np.bincount(row, minlength=n))

    @property
    def width(self) -> int:
        """Of a table [row, column] that holds them."""
        return max(int(self.per_row.max()), 1)

    @cached_property
    def column(self) -> Ints:
        """[site]"""
        return np.arange(len(self.row)) - np.repeat(np.cumsum(self.per_row) - self.per_row, self.per_row)

    def spread(self, values: npt.NDArray[Any]) -> Ints:
        """[site] -> [row, column]; 0 where there is none."""
        wide = np.zeros((len(self.per_row), self.width), dtype=np.int64)
        wide[self.row, self.column] = values
        return wide

    def columns(self, longest: int, atoms: int) -> Ints:
        """[row, token, atom of its unit] -> its column."""
        where = np.zeros((len(self.per_row), longest + 1, atoms), dtype=np.int64)
        where[self.row, self.token, self.local] = self.column
        return where


def _distances(parent: Ints, longest: int) -> Ints:
    """[row, step] parents -> [row, token, token]; the opening token is MAX_DISTANCE from all."""
    n = len(parent)
    far = np.full((n, longest + 1, longest + 1), MAX_DISTANCE, dtype=np.int64)
    far[:, 1, 1] = 0
    up = np.arange(n)
    for step in range(1, longest):
        here = far[up, parent[:, step] + 1, : step + 1] + 1
        far[:, step + 1, : step + 1] = here
        far[:, : step + 1, step + 1] = here
        far[:, step + 1, step + 1] = 0
    far[:, 0, :] = MAX_DISTANCE
    far[:, :, 0] = MAX_DISTANCE
    return np.minimum(far, MAX_DISTANCE)
