"""Training learns, stops and goes on as if it had never stopped, and counts what it cannot use."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file  # noqa: E402

import generative.training as training  # noqa: E402
from discovery.record import IntakeError  # noqa: E402
from generative.encoding import rows  # noqa: E402
from generative.learning.dataset import HELD_OUT, Dataset, prepare  # noqa: E402
from generative.learning.parallel import Crew, join_crew  # noqa: E402
from generative.model import Weights, WeightsError  # noqa: E402
from generative.policy import Shape  # noqa: E402
from generative.refusal import SettingError  # noqa: E402
from generative.rollouts import tree_of  # noqa: E402
from generative.training import Recipe, seconds, train, train_on  # noqa: E402
from generative.trees import put_together  # noqa: E402
from tests.generative.models import DRUGS  # noqa: E402

SMALL = Recipe(
    batch=16,
    warmup=5,
    bf16=False,
    shape=Shape(width=32, layers=1, heads=2, unit_width=16, unit_layers=1, common=64),
)


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    """Threads that wait for each other on a busy machine take minutes over nothing."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


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


def test_a_gzip_cut_short_is_named(tmp_path: Path) -> None:
    whole = gzip.compress("".join(f"{'C' * n}O\n" for n in range(1, 60)).encode())
    (tmp_path / "cut.smi.gz").write_bytes(whole[:-12])
    with pytest.raises(IntakeError, match=r"cut\.smi\.gz, line .* is cut off"):
        prepare([tmp_path / "cut.smi.gz"])


def test_a_file_that_teaches_nothing_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "bad.smi"
    path.write_text("garbage\n")
    with pytest.raises(ValueError, match=r"bad\.smi: none of its 1 rows can be used"):
        prepare([path], vocabulary=dataset.vocabulary)
    with pytest.raises(ValueError, match="does not exist"):
        prepare([tmp_path / "absent.smi"])


def test_it_learns(dataset: Dataset, tmp_path: Path) -> None:
    start = train_on(dataset, tmp_path / "a", recipe=SMALL, steps=1)
    later = train_on(dataset, tmp_path / "b", recipe=SMALL, steps=60)
    before, after = (Weights.load(path).about["validation_nats_per_molecule"] for path in (start, later))
    assert after < 0.75 * before


def test_stopping_and_going_on_is_the_same_bit_for_bit(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train_on(dataset, tmp_path / "whole", recipe=SMALL, steps=14)
    update, calls = training.Course.learn, []

    def killed(*arguments):  # type: ignore[no-untyped-def]
        calls.append(1)
        if len(calls) == 9:
            raise KeyboardInterrupt
        return update(*arguments)

    monkeypatch.setattr(training.Course, "learn", killed)
    with pytest.raises(KeyboardInterrupt):
        train_on(dataset, tmp_path / "parts", recipe=SMALL, steps=14, save_every=0.0)
    monkeypatch.setattr(training.Course, "learn", update)
    parts = train_on(dataset, tmp_path / "parts", recipe=SMALL, steps=14)
    for name in ("model.safetensors", "checkpoint.safetensors"):
        one, two = load_file(whole.with_name(name)), load_file(parts.with_name(name))
        assert one.keys() == two.keys()
        assert all(torch.equal(one[key], two[key]) for key in one)


def test_another_recipe_does_not_go_on_from_a_checkpoint(dataset: Dataset, tmp_path: Path) -> None:
    train_on(dataset, tmp_path, recipe=SMALL, steps=1)
    with pytest.raises(ValueError, match=r"another recipe \(rate differ\)"):
        train_on(dataset, tmp_path, recipe=replace(SMALL, rate=1.0), steps=1)


def test_teaching_a_series_raises_the_likelihood_of_members_it_never_saw(
    dataset: Dataset, tmp_path: Path
) -> None:
    """A series with a unit and a drug-like member the first training knew nothing of."""
    first = Weights.load(train_on(dataset, tmp_path / "a", recipe=SMALL, steps=10))
    series = [f"{'C' * n}OC1CC2(C1)CN({r})C2" for n in range(1, 6) for r in ("C", "CC", "CCO", "CCN", "CCF")]
    path, unseen = tmp_path / "series.smi", tmp_path / "unseen.smi"
    path.write_text("\n".join([*series[::2], "garbage", "*CCC", "c1cc"]) + "\n")
    unseen.write_text("\n".join(series[1::2]) + "\n")
    told: list[dict[str, float]] = []
    small = {"batch": 16, "shape": SMALL.shape}
    taught = Weights.load(
        train([path], tmp_path / "b", steps=40, start=first, tell=told.append, settings=small)
    )
    report = taught.about["data"]["series.smi"]
    assert report == {"read": 16, "taught": 13, "unparsable": 2, "no tree of units": 1}
    assert [line for line in told if "validation" in line]
    assert likelihood_of(taught, unseen) > likelihood_of(untaught(first, taught), unseen) + 5.0
    (tmp_path / "other.smi").write_text("CCO\n")
    with pytest.raises(SettingError, match=r"b was begun otherwise \(different: molecules\); choose another"):
        train([tmp_path / "other.smi"], tmp_path / "b", steps=41, start=first, settings=small)


def untaught(first: Weights, taught: Weights) -> Weights:
    """The first model, able to say what the series is made of."""
    policy = first.policy(taught.vocabulary)
    values = {name: value.detach() for name, value in policy.named_parameters()}
    return replace(first, tensors=values, vocabulary=taught.vocabulary)


def likelihood_of(weights: Weights, path: Path) -> float:
    """Mean log-likelihood of a file's molecules in their ordered rollout, nats."""
    data = prepare([path], vocabulary=weights.vocabulary, hold_out=False)
    steps = [data.steps[0, a:b] for a, b in zip(data.start[:-1], data.start[1:], strict=True)]
    batch = rows(weights.vocabulary, steps, [0] * len(steps), [0] * len(steps))
    with torch.no_grad():
        policy = weights.policy()
        site, entry = policy.log_likelihood(policy.read(weights.vocabulary), batch)
    return float((site + entry).mean())


@pytest.mark.slow
def test_a_crew_of_two_takes_the_step_of_one(dataset: Dataset, tmp_path: Path) -> None:
    """Two gloo processes, each with half of every batch, against one process with all of it."""
    recipe = replace(SMALL, batch=32)
    alone = train_on(dataset, tmp_path / "alone", recipe=recipe, steps=3)
    dataset.save(tmp_path / "crew" / "data")
    program = tmp_path / "crew.py"
    program.write_text(
        "import torch\n"
        "from pathlib import Path\n"
        "from generative.learning.dataset import Dataset\n"
        "from generative.learning.parallel import join_crew\n"
        "from generative.training import train_on\n"
        "from tests.generative.test_training import SMALL, replace\n"
        f"out = Path({str(tmp_path / 'crew')!r})\n"
        "torch.set_num_threads(1)\n"
        "recipe = replace(SMALL, batch=32)\n"
        "train_on(Dataset.load(out / 'data'), out, recipe=recipe, steps=3, crew=join_crew('cpu'))\n"
    )
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node=2",
        str(program),
    ]
    root = Path(__file__).resolve().parents[2]
    subprocess.run(command, check=True, cwd=root, env={**os.environ, "PYTHONPATH": str(root)}, timeout=300)
    one, two = (
        load_file(alone.with_name("checkpoint.safetensors")),
        load_file(tmp_path / "crew" / "checkpoint.safetensors"),
    )
    assert one.keys() == two.keys()
    for key, value in one.items():
        if key.startswith("exp_avg."):  # the running mean of the gradients themselves
            assert torch.allclose(value, two[key], atol=1e-6, rtol=1e-4), key
        assert torch.allclose(value, two[key], atol=2e-5, rtol=1e-3), key


def test_a_crew_shares_everything_out_once() -> None:
    everything = np.arange(11)
    parts = [Crew(rank, 3).share(everything) for rank in range(3)]
    assert sorted(np.concatenate(parts).tolist()) == everything.tolist()


def test_a_device_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="--device cuda: this machine offers cpu"):
        join_crew("cuda")


def test_weights_are_small_and_say_what_they_are(dataset: Dataset, tmp_path: Path) -> None:
    weights = Weights.load(train_on(dataset, tmp_path, recipe=SMALL, steps=1))
    assert weights.styles == ("drugs",)
    assert weights.vocabulary == dataset.vocabulary
    assert len(weights.sha256) == 64
    assert weights.policy().shape == SMALL.shape


@pytest.mark.parametrize("damage", ["truncated", "empty", "absent", "format", "shape"])
def test_damaged_weights_are_named(dataset: Dataset, tmp_path: Path, damage: str) -> None:
    path = train_on(dataset, tmp_path, recipe=SMALL, steps=1)
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
        train_on(dataset, tmp_path)
