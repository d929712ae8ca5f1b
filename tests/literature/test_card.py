"""The card must say what was counted, and nothing that was not."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from literature.annotated import Annotated, Corpus  # noqa: E402
from literature.model.encoder import GENERAL, Encoder, Shape  # noqa: E402
from literature.model.weights_io import Weights, write  # noqa: E402
from literature.model.wordpieces import SPECIAL  # noqa: E402
from literature.training.card import Measured, text  # noqa: E402
from literature.training.scoring import Agreement  # noqa: E402


def test_the_card_gives_the_counts(tmp_path: Path) -> None:
    shape = Shape(4, (GENERAL, "A"), width=16, layers=1, attention=2, inner=32, places=12)
    path = tmp_path / "w.safetensors"
    write(path, Weights(shape, SPECIAL, dict(Encoder(shape).state_dict()), 12, made=("one run",)))
    document = Annotated("1", "x", ())
    corpus = Corpus("A", ("gene", "disease"), "CC0", 1.0, (document,) * 3, (document,))
    row = Measured(
        "A",
        1,
        {"gene": Agreement(1, 1, 0), "disease": Agreement(0, 0, 2)},
        {"gene": Agreement(1, 0, 0), "disease": Agreement(1, 0, 1)},
    )
    card = text(path, [corpus], [row])
    assert hashlib.sha256(path.read_bytes()).hexdigest() in card
    assert "| A | gene, disease | 3 | 1 | CC0 |" in card
    assert "| A | gene | 1 | 50.0 | 100.0 | 66.7 | 100.0 | 100.0 | 100.0 |" in card
    assert "| A | disease | 2 | 0.0 | 0.0 | 0.0 | 100.0 | 50.0 | 66.7 |" in card
    assert "| A | all | 3 | 50.0 | 33.3 | 40.0 | 100.0 | 66.7 | 80.0 |" in card
    assert "names: one run" in card
