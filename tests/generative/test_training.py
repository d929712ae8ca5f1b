"""Training learns, stops and goes on as if it had never stopped, and counts what it cannot use."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file  # noqa: E402

import generative.training as training  # noqa: E402
from generative.dataset import HELD_OUT, Dataset, prepare  # noqa: E402
from generative.model import Weights, WeightsError  # noqa: E402
from generative.policy import Shape  # noqa: E402
from generative.rollouts import tree_of  # noqa: E402
from generative.training import Recipe, seconds, train  # noqa: E402
from generative.trees import put_together  # noqa: E402
from tests.generative.models import DRUGS  # noqa: E402

SMALL = Recipe(
    batch=16,
    warmup=5,
    bf16=False,
    shape=Shape(width=32, layers=1, heads=2, unit_width=16, unit_layers=1, common=64),
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("molecules")
    path = folder / "drugs.smi"
    path.write_text("\n".join([*DRUGS, "garbage", "C" * 200, "c1ccccc1.", ""]) + "\n")
    prepare([path]).save(folder / "data")
    return Dataset.load(folder / "data")


def test_every_row_is_accounted_for(dataset: Dataset) -> None:
    ends = dict(dataset.report["drugs.smi"])
    assert ends.pop("read") == sum(ends.values()) == len(DRUGS) + 3
    assert ends["unparsable"] == 1
    assert ends["too large"] >= 1
    assert ends["taught"] == len(dataset) > 80


def test_what_is_kept_is_the_molecules(dataset: Dataset) -> None:
    known = {
        put_together(tree_of(dataset.vocabulary, *dataset.steps[order, a:b].T.tolist()))
        for order in (0, 1)
        for a, b in zip(dataset.start[:-1], dataset.start[1:], strict=True)
    }
    assert len(known) == len(dataset)


def test_neighbours_of_benchmark_drugs_are_held_out(dataset: Dataset) -> None:
    """The shipped drugs hold several benchmark targets; none may be taught."""
    assert dataset.report["drugs.smi"]["held out"] >= 8
    taught = {
        put_together(tree_of(dataset.vocabulary, *dataset.steps[0, a:b].T.tolist()))
        for a, b in zip(dataset.start[:-1], dataset.start[1:], strict=True)
    }
    from rdkit import Chem

    held = {Chem.MolToSmiles(Chem.MolFromSmiles(s), isomericSmiles=False) for s in HELD_OUT}
    assert not taught & held


def test_gzipped_files_with_a_byte_order_mark_read_the_same(dataset: Dataset, tmp_path: Path) -> None:
    plain = tmp_path / "a.smi"
    plain.write_text("CCO x\nCCN y\r\nCCOC\n")
    packed = tmp_path / "b.smi.gz"
    packed.write_bytes(gzip.compress(b"\xef\xbb\xbf" + plain.read_bytes()))
    one, two = (prepare([path], vocabulary=dataset.vocabulary) for path in (plain, packed))
    assert np.array_equal(one.steps, two.steps)


def test_a_file_that_teaches_nothing_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "bad.smi"
    path.write_text("garbage\n")
    with pytest.raises(ValueError, match=r"bad\.smi: none of its 1 rows can be used"):
        prepare([path], vocabulary=dataset.vocabulary)
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        prepare([tmp_path / "absent.smi"])


def test_it_learns(dataset: Dataset, tmp_path: Path) -> None:
    start = train(dataset, tmp_path / "a", recipe=SMALL, steps=1)
    later = train(dataset, tmp_path / "b", recipe=SMALL, steps=60)
    before, after = (Weights.load(path).about["validation_nats_per_molecule"] for path in (start, later))
    assert after < 0.75 * before


def test_stopping_and_going_on_is_the_same_bit_for_bit(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(dataset, tmp_path / "whole", recipe=SMALL, steps=14)
    update, calls = training._update, []

    def killed(*arguments):  # type: ignore[no-untyped-def]
        calls.append(1)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return update(*arguments)

    monkeypatch.setattr(training, "_update", killed)
    with pytest.raises(KeyboardInterrupt):
        train(dataset, tmp_path / "parts", recipe=SMALL, steps=14, save_every=0.0)
    monkeypatch.setattr(training, "_update", update)
    parts = train(dataset, tmp_path / "parts", recipe=SMALL, steps=14)
    for name in ("model.safetensors", "checkpoint.safetensors"):
        one, two = load_file(whole.with_name(name)), load_file(parts.with_name(name))
        assert one.keys() == two.keys()
        assert all(torch.equal(one[key], two[key]) for key in one)


def test_another_recipe_does_not_go_on_from_a_checkpoint(dataset: Dataset, tmp_path: Path) -> None:
    train(dataset, tmp_path, recipe=SMALL, steps=1)
    with pytest.raises(ValueError, match=r"another recipe \(rate differ\)"):
        train(dataset, tmp_path, recipe=replace(SMALL, rate=1.0), steps=1)


def test_a_trained_model_is_taught_a_further_series(dataset: Dataset, tmp_path: Path) -> None:
    first = Weights.load(train(dataset, tmp_path / "a", recipe=SMALL, steps=10))
    path = tmp_path / "series.smi"
    path.write_text("".join(f"{'C' * n}Oc1ccccc1\n" for n in range(1, 13)))
    series = prepare([path], vocabulary=first.vocabulary)
    second = Weights.load(train(series, tmp_path / "b", recipe=SMALL, steps=20, start=first))
    fresh = Weights.load(train(series, tmp_path / "c", recipe=SMALL, steps=1))
    assert second.about["validation_nats_per_molecule"] < fresh.about["validation_nats_per_molecule"]


def test_weights_are_small_and_say_what_they_are(dataset: Dataset, tmp_path: Path) -> None:
    weights = Weights.load(train(dataset, tmp_path, recipe=SMALL, steps=1))
    assert weights.styles == ("drugs",)
    assert weights.vocabulary == dataset.vocabulary
    assert len(weights.sha256) == 64
    assert weights.policy().shape == SMALL.shape


@pytest.mark.parametrize("damage", ["truncated", "empty", "absent", "format", "shape"])
def test_damaged_weights_are_named(dataset: Dataset, tmp_path: Path, damage: str) -> None:
    path = train(dataset, tmp_path, recipe=SMALL, steps=1)
    content = path.read_bytes()
    other = tmp_path / f"{damage}.safetensors"
    if damage == "truncated":
        other.write_bytes(content[: len(content) // 2])
    elif damage == "empty":
        other.write_bytes(b"")
    elif damage in ("format", "shape"):
        from safetensors.torch import save_file

        about = {**Weights.load(path).about}
        if damage == "format":
            about["format"] = 99
        else:
            about["shape"] = {**about["shape"], "width": 64}
        save_file(
            load_file(path), other, {"about": json.dumps(about), "vocabulary": dataset.vocabulary.to_json()}
        )
    message = {"format": "of format 99", "shape": "do not match the code", "absent": "No such file"}
    with pytest.raises(WeightsError, match=message.get(damage, "no safetensors file, or damaged")):
        Weights.load(other).policy()


@pytest.mark.parametrize(("text", "value"), [("90s", 90), ("20m", 1200), ("1.5h", 5400), ("7", 7)])
def test_lengths_of_time(text: str, value: float) -> None:
    assert seconds(text) == value


def test_a_wrong_length_of_time_is_refused() -> None:
    with pytest.raises(ValueError, match="write 90s, 20m or 2h"):
        seconds("soon")


def test_one_end_is_given(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="either steps or budget"):
        train(dataset, tmp_path)
