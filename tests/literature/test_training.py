"""Training must learn what is there, ask nothing a corpus does not say, and survive being stopped."""

from __future__ import annotations

import hashlib
import json
import math
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
from safetensors.torch import load_file  # noqa: E402

from literature.annotated import Annotated, Corpus, CorpusError, Marked  # noqa: E402
from literature.model.encoder import GENERAL  # noqa: E402
from literature.model.prediction import EncoderTagger  # noqa: E402
from literature.model.weights_io import read  # noqa: E402
from literature.model.wordpieces import SPECIAL  # noqa: E402
from literature.relations.corpus import NONE, OUTPUTS, Pair, Related, RelationCorpus, Thing  # noqa: E402
from literature.relations.relating import RelationReader  # noqa: E402
from literature.training import card  # noqa: E402
from literature.training import relations as relations_training  # noqa: E402
from literature.training.descent import finished  # noqa: E402
from literature.training.relations_scoring import calibrate, halves, judge  # noqa: E402
from literature.training.scoring import agreement  # noqa: E402
from literature.training.train import (  # noqa: E402
    Plan,
    TrainingError,
    run,
    seconds,
    shared_out,
    told_shares,
    train,
    vocabulary,
)

torch.set_num_threads(1)  # threads that wait for each other on a busy machine cost more than they give

DRUGS = ("aspirin", "heparin", "morphine", "codeine", "digoxin", "nicotine")
ILLS = ("fever", "asthma", "cancer", "stroke", "gout", "migraine")
LETTERS = "abcdefghijklmnopqrstuvwxyz.,"
WORDS = (*DRUGS, *ILLS, "lowers", "in", "patients", "with", "and", "the", "gene", "seen")
PLAN = Plan(steps=6, width=32, places=40, batch_pieces=128, vocabulary=90, checkpoint_s=1e9, rate=2e-3)


def told(number: int, *, ills: bool = True) -> Annotated:
    drug, ill = DRUGS[number % 6], ILLS[number // 6 % 6]
    text = f"the {drug} lowers {ill} in patients with gout."
    marks = [Marked(4, 4 + len(drug), "chemical")]
    if ills:
        at = text.index(ill, 4 + len(drug))
        marks += [Marked(at, at + len(ill), "disease"), Marked(len(text) - 5, len(text) - 1, "disease")]
    return Annotated(f"{number}", text, tuple(marks))


def corpora() -> list[Corpus]:
    both = tuple(told(n) for n in range(36))
    drugs = tuple(told(n, ills=False) for n in range(36))
    return [
        Corpus("Both", ("chemical", "disease"), "none", 1.0, both[:30], both[30:]),
        Corpus("Drugs", ("chemical",), "none", 0.5, drugs[:30], ()),
    ]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small BERT of random numbers."""
    folder = tmp_path_factory.mktemp("encoder")
    pieces = [*SPECIAL, *LETTERS, *(f"##{c}" for c in LETTERS), *WORDS]
    (folder / "vocab.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    torch.manual_seed(1)
    config = transformers.BertConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=40,
    )
    transformers.BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    return folder


def same(one: Path, two: Path) -> bool:
    a, b = read(one).tensors, read(two).tensors
    return all(torch.equal(a[name], b[name]) for name in a)


def test_it_learns(encoder: Path, tmp_path: Path) -> None:
    """By both heads, though half the documents leave the diseases unmarked."""
    plan = Plan(steps=120, width=32, batch_pieces=256, vocabulary=90, rate=3e-3, average=0.9)
    path = train(corpora(), encoder, tmp_path, plan, tell=lambda line: None)
    held = corpora()[0].held
    told = card.write(path, corpora()).read_text(encoding="utf-8")
    assert "| Both | chemical | 6 | 100.0 | 100.0 | 100.0 | 100.0 | 100.0 | 100.0 |" in told
    assert hashlib.sha256(path.read_bytes()).hexdigest() in told
    for convention in (GENERAL, "Both"):
        tagger = EncoderTagger(str(path), convention=convention, precision="float32")
        counts = agreement(held, tagger([d.text for d in held]), ("chemical", "disease"))
        assert {type: count.f1 for type, count in counts.items()} == {"chemical": 1.0, "disease": 1.0}


def test_same_seed_same_weights_and_another_seed_others(encoder: Path, tmp_path: Path) -> None:
    quiet = {"tell": lambda line: None}
    one = train(corpora(), encoder, tmp_path / "1", PLAN, **quiet)
    assert same(one, train(corpora(), encoder, tmp_path / "2", PLAN, **quiet))
    other = replace(PLAN, seed=8)
    assert not same(one, train(corpora(), encoder, tmp_path / "3", other, **quiet))


def test_a_stopped_run_goes_on_as_if_it_had_not_been(encoder: Path, tmp_path: Path) -> None:
    whole = train(corpora(), encoder, tmp_path / "whole", PLAN, tell=lambda line: None)
    stop = Stopper(at=3)
    part = replace(PLAN, checkpoint_s=0.0)
    train(stop.watching(corpora()), encoder, tmp_path / "part", part, tell=lambda line: None)
    state = json.loads(header(tmp_path / "part")["state"])
    assert 0 < state["step"] < 6
    again = train(corpora(), encoder, tmp_path / "part", PLAN, tell=lambda line: None)
    assert same(whole, again)


class Stopper:
    """Sends this process the signal that a shell or a scheduler sends, after some steps."""

    def __init__(self, at: int) -> None:
        self.left = at

    def watching(self, there: list[Corpus]) -> list[Corpus]:
        import literature.training.descent as training

        original = training._step

        def step(*arguments: object) -> float:
            self.left -= 1
            if self.left == 0:
                training._step = original
                os.kill(os.getpid(), signal.SIGTERM)
            return original(*arguments)  # type: ignore[arg-type]

        training._step = step  # type: ignore[assignment]
        return there


def header(folder: Path) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(folder / "checkpoint.safetensors", framework="pt") as file:
        return dict(file.metadata())


def test_a_run_may_begin_with_the_weights_of_another(encoder: Path, tmp_path: Path) -> None:
    names = train(corpora(), encoder, tmp_path / "names", PLAN, tell=lambda line: None)
    none = replace(PLAN, steps=1, rate=0.0, head_rate=0.0, average=0.0)
    again = train(corpora(), encoder, tmp_path / "on", none, start=tmp_path / "names", tell=lambda line: None)
    old, new = load_file(tmp_path / "names" / "checkpoint.safetensors"), read(again)
    assert new.vocabulary == read(names).vocabulary
    torch.testing.assert_close(new.tensors["heads.bias"], old["now.heads.bias"])
    assert new.made[0].startswith("6 steps of 128 pieces, seed 7")
    assert new.made[1].startswith("1 steps of 128 pieces")
    empty = tmp_path / "empty"
    empty.mkdir()
    (empty / "reader.safetensors").write_bytes(names.read_bytes())
    with pytest.raises(TrainingError, match=r"holds no checkpoint"):
        train(corpora(), encoder, tmp_path / "x", none, start=empty, tell=lambda line: None)


def facts(count: int = 30) -> RelationCorpus:
    """Every drug "lowers" one ill and has nothing to do with gout."""
    documents: list[Related] = []
    for number in range(count):
        drug, ill = DRUGS[number % 6], ILLS[number // 6 % 6]
        text = f"the {drug} lowers {ill} in patients with gout."
        at = text.index(ill, 4 + len(drug))
        things = [
            Thing("chemical", ((4, 4 + len(drug)),), "a"),
            Thing("disease", ((at, at + len(ill)),), "b"),
            Thing("disease", ((len(text) - 5, len(text) - 1),), "c"),
        ]
        pairs = (Pair(things[0], things[1], "CID"), Pair(things[0], things[2], NONE))
        documents.append(Related(str(number), text, (), pairs))
    return RelationCorpus("CDR", "Both", "none", 3.0, tuple(documents[:-6]), tuple(documents[-6:]), 0.0)


def test_it_learns_relations(encoder: Path, tmp_path: Path) -> None:
    """Both ills of a drug must be told apart; calibration is kept in the file,
    and the network that finds names stays as it was."""
    names = train(corpora(), encoder, tmp_path / "names", PLAN, tell=lambda line: None)
    plan = replace(PLAN, steps=120, batch_pieces=512, rate=3e-3, average=0.9)
    corpus = facts(36)
    path = relations_training.train([corpus], encoder, names, tmp_path, plan, tell=lambda line: None)
    assert same(names, path)
    calibrate(path, [corpus])
    kept = read(path).pairs
    assert kept is not None
    assert set(kept.calibration) == {"CDR"}
    judged = judge("CDR", halves(corpus.held)[1], RelationReader(str(path), precision="float32"))
    assert (judged.exact.f1, judged.exact.right) == (1.0, 3)
    told = card.write(path, corpora(), [corpus]).read_text(encoding="utf-8")
    assert "| CDR | 30 | 3 | 100.0 | 100.0 | 100.0 |" in told
    assert "120 steps of 512 pieces" in told


def test_a_stopped_run_on_relations_goes_on_as_if_it_had_not_been(encoder: Path, tmp_path: Path) -> None:
    names = train(corpora(), encoder, tmp_path / "names", replace(PLAN, steps=1), tell=lambda line: None)
    plan, corpus = replace(PLAN, steps=5, blinded=0.3), facts(36)
    whole = relations_training.train(
        [corpus], encoder, names, tmp_path / "whole", plan, tell=lambda line: None
    )
    Stopper(at=2).watching([])
    relations_training.train([corpus], encoder, names, tmp_path / "part", plan, tell=lambda line: None)
    assert 0 < json.loads(header(tmp_path / "part")["state"])["step"] < 5
    assert not finished(tmp_path / "part")
    again = relations_training.train(
        [corpus], encoder, names, tmp_path / "part", plan, tell=lambda line: None
    )
    assert finished(tmp_path / "part")
    one, two = (read(path).pairs for path in (whole, again))
    assert one is not None
    assert two is not None
    assert all(torch.equal(one.tensors[name], two.tensors[name]) for name in one.tensors)
    still = replace(plan, steps=1, rate=0.0, head_rate=0.0, average=0.0)
    on = relations_training.train(
        [corpus],
        encoder,
        names,
        tmp_path / "on",
        still,
        start=tmp_path / "part",
        exact=True,
        tell=lambda line: None,
    )
    begun = read(on).pairs
    assert begun is not None
    ended = load_file(tmp_path / "part" / "checkpoint.safetensors")
    assert all(torch.equal(tensor, ended[f"now.{name}"]) for name, tensor in begun.tensors.items())
    assert [made.split(" of ")[0] for made in begun.made] == ["5 steps", "1 steps"]
    with pytest.raises(TrainingError, match="hold no pair"):
        relations_training.train([replace(corpus, train=())], encoder, names, tmp_path / "x", plan)


def test_what_was_left_out_while_teaching_is_put_right() -> None:
    """Of 100 pairs 10 are related; seen without 3 of 4 unrelated ones, the answer must still be one in ten."""
    taught = torch.zeros(len(OUTPUTS))
    none, related = OUTPUTS.index("CDR:none"), OUTPUTS.index("CDR:CID")
    taught[none] = math.log(90 * 0.25 / 10)
    right = relations_training.unthinned(taught, {"CDR": 0.75})[[none, related]].softmax(0)
    assert float(right[1]) == pytest.approx(0.1)


def test_a_checkpoint_of_another_plan_is_refused(encoder: Path, tmp_path: Path) -> None:
    train(corpora(), encoder, tmp_path, PLAN, tell=lambda line: None)
    with pytest.raises(TrainingError, match=r"another plan: seed 7 \(asked: 9\)"):
        train(corpora(), encoder, tmp_path, Plan(seed=9, steps=6, width=32, batch_pieces=128, vocabulary=90,
              checkpoint_s=1e9, rate=2e-3), tell=lambda line: None)  # fmt: skip


def test_a_weights_file_is_gone_on_from_with_other_shares(encoder: Path, tmp_path: Path) -> None:
    first = train(corpora(), encoder, tmp_path / "first", PLAN, tell=lambda line: None)
    still = replace(PLAN, steps=1, rate=1e-12, head_rate=1e-12, decay=0.0, average=0.0, between=0.1)
    on = train(corpora(), encoder, tmp_path / "on", still, start=first, tell=lambda line: None)
    assert [made.split(" of ")[0] for made in read(on).made] == ["6 steps", "1 steps"]
    for name, tensor in read(first).tensors.items():
        torch.testing.assert_close(read(on).tensors[name], tensor, rtol=0.05, atol=0.02)  # rounded once more
    with pytest.raises(TrainingError, match="only on the same corpora"):
        train(corpora()[:1], encoder, tmp_path / "other", still, start=first, tell=lambda line: None)


def test_shares_are_told_by_corpus() -> None:
    first = corpora()[0].name
    assert shared_out(corpora(), told_shares([f"{first}=2.5"]))[0].share == 2.5
    assert shared_out(corpora(), {}) == list(corpora())
    with pytest.raises(TrainingError, match=r"no such corpus; there are"):
        shared_out(corpora(), told_shares(["BC9=1"]))
    with pytest.raises(TrainingError, match="must be above 0"):
        shared_out(corpora(), told_shares([f"{first}=0"]))
    with pytest.raises(TrainingError, match="write CORPUS=NUMBER"):
        told_shares(["BC2GM"])


def test_the_vocabulary_keeps_single_characters_and_what_is_used(encoder: Path) -> None:
    words, rows = vocabulary(encoder, ["aspirin aspirin aspirin fever"], len(SPECIAL) + 2 * len(LETTERS) + 2)
    assert {"aspirin", "fever", "##q", "[SEP]"} <= set(words)
    assert "gout" not in words
    assert rows == sorted(rows)


def test_bad_arguments_are_told(tmp_path: Path, encoder: Path) -> None:
    assert [seconds(t) for t in ("90s", "60m", "1.5h")] == [90, 3600, 5400]
    with pytest.raises(TrainingError, match="'soon' is no length of time; write 90s"):
        seconds("soon")
    with pytest.raises(CorpusError, match=r"BC5CDR_TrainDev\.PubTator\.gz is absent"):
        run(tmp_path, tmp_path / "o", budget="1s", encoder=encoder)
    (tmp_path / "pairs").mkdir()
    (tmp_path / "pairs" / "checkpoint.safetensors").touch()
    with pytest.raises(TrainingError, match="holds a checkpoint; it goes on without --fresh"):
        run(tmp_path, tmp_path, resume=False)
    with pytest.raises(TrainingError, match=r"holds no model\.safetensors"):
        train([], tmp_path, tmp_path / "o", PLAN)
