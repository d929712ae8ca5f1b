"""How do atoms and bonds become partial charges? A small message-passing network, plain numpy.

Each atom listens to its neighbours a few times; then every bond moves some charge from
one end to the other. What one atom gives another takes, as bond charge corrections do,
so the total is the formal charge by construction. `gradient` is the same arithmetic backwards, for training.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from docking.dynamics.parameters.charge_graph import KINDS, WIDTH, Graph

FILE = "charges.safetensors"
Weights = Mapping[str, NDArray[Any]]


def fresh(width: int, layers: int, seed: int) -> dict[str, NDArray[np.float32]]:
    """Untrained weights."""
    rng = np.random.default_rng(seed)

    def matrix(rows: int, columns: int, gain: float = 1.0) -> NDArray[np.float32]:
        drawn: NDArray[np.float32] = (rng.normal(size=(rows, columns)) * gain * np.sqrt(2.0 / rows)).astype(
            np.float32
        )
        return drawn

    made = {"in.w": matrix(WIDTH, width), "in.b": np.zeros(width, np.float32)}
    for i in range(layers):
        made[f"{i}.gate"] = (1.0 + 0.5 * rng.normal(size=(KINDS, width))).astype(np.float32)
        made[f"{i}.w"] = matrix(2 * width, width, 0.5)
        made[f"{i}.b"] = np.zeros(width, np.float32)
    made["out.from"] = matrix(width, width, 0.7)
    made["out.to"] = matrix(width, width, 0.7)
    made["out.kind"] = np.zeros((KINDS, width), np.float32)
    made["out.w"] = (rng.normal(size=width) * 0.1 / np.sqrt(width)).astype(np.float32)
    return made


@lru_cache(maxsize=1)
def members() -> tuple[Weights, ...]:
    """The shipped networks; the mean of their charges is the answer. See weights/charges.md."""
    with as_file(files("docking.dynamics").joinpath("weights", FILE)) as path:
        return loaded(path)


@lru_cache(maxsize=1)
def digest() -> str:
    """sha256 of the shipped weights, in hexadecimal."""
    return hashlib.sha256(files("docking.dynamics").joinpath("weights", FILE).read_bytes()).hexdigest()


def loaded(path: Path) -> tuple[Weights, ...]:
    """The networks in a file that charge_training.py left."""
    held = load_file(path)
    numbers = sorted({key.split("/")[0] for key in held})
    return tuple(
        {
            key.split("/")[1]: value.astype(np.float32)
            for key, value in held.items()
            if key.startswith(f"{n}/")
        }
        for n in numbers
    )


def layers_of(weights: Weights) -> int:
    return sum(key.endswith(".gate") for key in weights)


def charges(weights: Weights, graph: Graph) -> NDArray[Any]:
    """[atom] e."""
    return forward(weights, graph)[0]


def forward(weights: Weights, graph: Graph) -> tuple[NDArray[Any], dict[str, Any]]:
    """The charges, and what `gradient` needs of the way there."""
    kept: dict[str, Any] = {}
    starts = graph.starts
    atoms = graph.atoms.astype(weights["in.w"].dtype)
    h = np.maximum(atoms @ weights["in.w"] + weights["in.b"], 0.0)
    kept["in"], kept["h0"] = atoms, h
    for i in range(layers_of(weights)):
        heard = np.add.reduceat(h[graph.source] * weights[f"{i}.gate"][graph.kind], starts, axis=0)
        both = np.concatenate([h, heard], axis=1)
        new = np.maximum(both @ weights[f"{i}.w"] + weights[f"{i}.b"], 0.0)
        kept[f"both{i}"], kept[f"new{i}"] = both, new
        h = h + new
    away, toward = h @ weights["out.from"], h @ weights["out.to"]
    inside = np.maximum(away[graph.source] + toward[graph.target] + weights["out.kind"][graph.kind], 0.0)
    moved = inside @ weights["out.w"]
    kept["h"], kept["inside"] = h, inside
    net = moved - moved[graph.back]
    return graph.base + np.add.reduceat(net, starts), kept


def gradient(
    weights: Weights, graph: Graph, slope: NDArray[Any], kept: dict[str, Any]
) -> dict[str, NDArray[Any]]:
    """What each weight does to a loss.

    Parameters
    ----------
    slope : [atom], derivative of the loss by each charge
    kept
        What `forward` returned beside the charges.
    """
    starts, found = graph.starts, {}
    one_hot = (graph.kind[None] == np.arange(KINDS)[:, None]).astype(weights["in.w"].dtype)
    d_net = slope[graph.target].astype(weights["in.w"].dtype)
    d_moved = d_net - d_net[graph.back]
    found["out.w"] = kept["inside"].T @ d_moved
    d_inside = d_moved[:, None] * weights["out.w"] * (kept["inside"] > 0)
    found["out.kind"] = one_hot @ d_inside
    d_away = np.add.reduceat(d_inside[graph.back], starts, axis=0)
    d_toward = np.add.reduceat(d_inside, starts, axis=0)
    found["out.from"], found["out.to"] = kept["h"].T @ d_away, kept["h"].T @ d_toward
    d_h = d_away @ weights["out.from"].T + d_toward @ weights["out.to"].T
    for i in reversed(range(layers_of(weights))):
        d_new = d_h * (kept[f"new{i}"] > 0)
        both = kept[f"both{i}"]
        width = both.shape[1] // 2
        found[f"{i}.w"], found[f"{i}.b"] = both.T @ d_new, d_new.sum(axis=0)
        d_both = d_new @ weights[f"{i}.w"].T
        d_heard = d_both[:, width:][graph.target]
        h = both[:, :width]
        found[f"{i}.gate"] = one_hot @ (d_heard * h[graph.source])
        passed = d_heard * weights[f"{i}.gate"][graph.kind]
        d_h = d_h + d_both[:, :width] + np.add.reduceat(passed[graph.back], starts, axis=0)
    d_h = d_h * (kept["h0"] > 0)
    found["in.w"], found["in.b"] = kept["in"].T @ d_h, d_h.sum(axis=0)
    return found
