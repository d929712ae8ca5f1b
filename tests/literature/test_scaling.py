"""Scales for 8 bits come with the file, or the file is read without them."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from literature.model.borrowed import ModelError  # noqa: E402
from literature.model.eightbit import possible  # noqa: E402
from literature.model.encoder import GENERAL, Encoder, Shape  # noqa: E402
from literature.model.prediction import EncoderTagger  # noqa: E402
from literature.model.weights_io import Pairs, Weights, read, write  # noqa: E402
from literature.model.wordpieces import SPECIAL  # noqa: E402
from literature.relations.corpus import OUTPUTS, Thing  # noqa: E402
from literature.relations.relating import RelationReader  # noqa: E402
from literature.training import scaling  # noqa: E402

torch.set_num_threads(1)
LETTERS = "abcdefghijklmnopqrstuvwxyz.,-0123456789"
TEXT = "aspirin lowers fever. heparin also lowers fever and aspirinated heparinoids sometimes."
THINGS = [Thing("chemical", ((0, 7),)), Thing("disease", ((15, 20), (42, 47)))]


@pytest.mark.skipif(not possible(), reason="this processor does not multiply 8-bit integers")
def test_scales_are_fixed_and_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vocabulary = (*SPECIAL, *LETTERS, *(f"##{c}" for c in LETTERS))
    sizes = {"width": 32, "layers": 2, "attention": 4, "inner": 64, "places": 96}
    torch.manual_seed(4)
    names = Shape(len(vocabulary), (GENERAL,), **sizes)  # type: ignore[arg-type]
    pairs = Shape(len(vocabulary), (), relations=OUTPUTS, **sizes)  # type: ignore[arg-type]
    second = Pairs(pairs, dict(Encoder(pairs).state_dict()))
    path = tmp_path / "w.safetensors"
    write(path, Weights(names, vocabulary, dict(Encoder(names).state_dict()), 64, second))
    with pytest.raises(ModelError, match=r"w\.safetensors cannot be read in 8 bits"):
        EncoderTagger(str(path), precision="int8").load()
    monkeypatch.setattr(scaling, "AGREE", 0.0)
    monkeypatch.setattr(scaling, "_texts", lambda: [TEXT, f"{TEXT} {TEXT}"])
    same, alike = scaling.scale(path)
    assert 0.8 < same <= 1.0
    assert alike is not None
    assert 0.5 < alike <= 1.0
    kept = read(path)
    assert kept.pairs is not None
    assert len(kept.eight) == len(kept.pairs.eight) == 2 * 3
    small, exact = (
        RelationReader(str(path), precision=precision)("CDR", [(TEXT, THINGS)])[0][0]
        for precision in ("int8", "float32")
    )
    assert small.related == pytest.approx(exact.related, abs=0.02)
    assert small != exact
    EncoderTagger(str(path), precision="int8")([TEXT])
    monkeypatch.setattr(scaling, "AGREE", 1.01)
    scaling.scale(path)
    assert not read(path).eight, "a network that says other things in 8 bits is not read in them"
