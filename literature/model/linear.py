"""What do cues say that each have a weight for every answer?

The linear model that stands beside a network: a cue is known by a hash of it, and its
weights are kept in one byte each.

References
----------
.. [1] Weinberger K. et al., Feature hashing for large scale multitask learning, ICML 2009.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Keys: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cues:
    """What every known cue says for each answer of a convention."""

    known: Keys  # [cue], sorted
    weights: Floats  # [cue, answer], natural-log units
    bias: Floats  # [answer]

    def __call__(self, seen: Sequence[Keys]) -> Floats:
        """[pair, answer]: logarithms of probabilities.

        The known cues of a pair are summed and divided by the root of their number, so that a long sentence
        is not surer than a short one.
        """
        scores = np.tile(self.bias, (len(seen), 1))
        for pair, cues in enumerate(seen):
            rows = np.searchsorted(self.known, cues).clip(max=len(self.known) - 1)
            rows = rows[self.known[rows] == cues]
            if len(rows):
                scores[pair] += self.weights[rows].sum(axis=0) / np.sqrt(len(rows))
        told: Floats = scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)
        return told

    def kept(self) -> dict[str, NDArray[np.uint8] | NDArray[np.float32]]:
        """As it is written to a file: distances of keys in bytes and whole multiples of one step per answer, both
        Huffman coded."""
        steps = (np.abs(self.weights).max(axis=0, initial=0.0) / 127).clip(min=1e-9).astype(np.float32)
        whole = np.rint(self.weights / steps).astype(np.int8)
        apart = np.diff(self.known, prepend=0).astype("<u4").view(np.uint8).reshape(-1, 4)
        return {
            "keys": _packed(np.ascontiguousarray(apart.T)),
            "weights": _packed(np.ascontiguousarray(whole.T)),
            "steps": steps,
            "bias": self.bias.astype(np.float32),
        }

    @classmethod
    def of(cls, kept: Mapping[str, NDArray[np.uint8] | NDArray[np.float32]]) -> Cues:
        """From what `kept` gave.

        Raises
        ------
        ValueError
            If it is torn or its sizes do not fit each other.
        """
        try:
            apart = np.frombuffer(zlib.decompress(kept["keys"].tobytes()), dtype=np.uint8)
            whole = np.frombuffer(zlib.decompress(kept["weights"].tobytes()), dtype=np.int8)
        except (KeyError, zlib.error) as error:
            raise ValueError(f"cues cannot be unpacked: {error}") from error
        steps, bias = kept["steps"].astype(np.float64), kept["bias"].astype(np.float64)
        known = np.ascontiguousarray(apart.reshape(4, -1).T).view("<u4").ravel().astype(np.int64).cumsum()
        if len(steps) != len(bias) or whole.size != len(known) * len(steps):
            raise ValueError(f"{len(known)} cues for {len(bias)} answers do not have {whole.size} weights")
        return cls(known, whole.reshape(len(steps), -1).T * steps, bias)


def _packed(numbers: NDArray[np.uint8] | NDArray[np.int8]) -> NDArray[np.uint8]:
    coder = zlib.compressobj(9, zlib.DEFLATED, 15, 9, zlib.Z_HUFFMAN_ONLY)
    return np.frombuffer(coder.compress(numbers.tobytes()) + coder.flush(), dtype=np.uint8)
