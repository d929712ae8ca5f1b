"""Answers stand on quotes: verbatim, or there is none; what a writer adds is dropped and counted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from literature.answering import AnswerError, ask, write_up, writer
from literature.graph import query
from literature.mining import mine
from literature.model.borrowed import ModelError
from literature.search import Index
from literature.topic import LEAST, about
from literature.verdict import WORDS, Example, Model, VerdictError, null_model, plain, shipped, train


@pytest.fixture(scope="module")
def index(mined: Path) -> Index:
    return Index(mined)


def test_every_answer_is_quoted_word_for_word(mined: Path, index: Index) -> None:
    texts = {r["id"]: r["text"] for r in query(mined, "SELECT id, text FROM documents").to_pylist()}
    for question in ("Does sumatriptan relieve migraine?", "Does lasmiditan contract coronary arteries?"):
        found = ask(index, question, least=0.0)
        assert found.word in ("yes", "no", "maybe")
        assert found.verdict is not None
        assert sum(found.verdict.probabilities) == pytest.approx(1)
        assert found.quotes
        assert found.judged == found.quotes[0].id
        for hit in found.quotes:
            assert texts[hit.id][hit.start : hit.end] == hit.text
            assert not hit.retracted
    assert ask(mined, "Does sumatriptan relieve migraine?", least=0.0) == ask(
        index, "Does sumatriptan relieve migraine?", least=0.0
    )


@pytest.mark.parametrize(
    ("question", "least", "why"),
    [
        ("Do voters prefer proportional representation in federal elections?", 0.0, "do not speak of it"),
        ("Do patients with migraine sleep badly?", 0.0, "something else"),
        ("Does aspirin relieve cluster headache?", 0.0, "does not name aspirin"),
        ("Does frumaxilimab relieve migraine?", 0.0, "none holds the word frumaxilimab"),
        ("Which drugs relieve migraine?", 0.0, "more than yes or no"),
        ("Does sumatriptan relieve migraine?", 1.0, "do not settle it"),
    ],
)
def test_it_abstains_and_says_why(index: Index, question: str, least: float, why: str) -> None:
    found = ask(index, question, least=least)
    assert found.abstained
    assert why in found.why


def test_plain_words_of_success_and_failure() -> None:
    """Abstracts written for this test; the answer is what any reader would give."""
    model = shipped()
    question = "Does the drug reduce mortality?"
    good = model(
        question, ["Patients were randomised.", "Mortality was significantly lower with the drug (P<0.001)."]
    )
    bad = model(
        question,
        ["Patients were randomised.", "There was no significant difference in mortality between groups (P=0.64). The drug did not reduce mortality."],
    )  # fmt: skip
    assert good.probabilities[0] > bad.probabilities[0] + 0.15
    assert bad.probabilities[1] > good.probabilities[1] + 0.15
    with pytest.raises(VerdictError, match="at least one passage"):
        model(question, [" "])


def test_p_values_are_read_by_what_they_mean() -> None:
    """The usual threshold, 0.05, in the ways it is written."""
    for text in ("p<0.05", "P = .003", "p=0.049", "P < 0.001", "p <0.01"):
        assert plain(text).split() == ["psig"], text
    for text in ("p=0.051", "P = .3", "p>0.05", "p=0.64"):
        assert plain(text).split() == ["pnon"], text


def examples(n: int) -> list[Example]:
    chance = np.random.default_rng(3)
    made = []
    for at in range(n):
        word = WORDS[at % 3]
        cue = {
            "yes": "significantly improved (p<0.001)",
            "no": "did not differ (p=0.7)",
            "maybe": "might however vary",
        }[word]
        noise = " ".join(chance.choice(["alpha", "beta", "gamma", "delta"], size=6))
        made.append(
            Example(
                str(at), f"Does {noise} work?", (f"Background {noise}.", f"Outcome {cue} in {noise}."), word
            )
        )
    return made


def test_teaching_learns_and_repeats_itself(tmp_path: Path) -> None:
    results = [
        (plain(f"Outcome {'did not differ' if n % 2 else 'improved'} in group {n}."), bool(n % 2))
        for n in range(60)
    ]
    null = null_model(results)
    taught = examples(150)
    model = train(taught[:120], null)
    assert model.bytes() == train(taught[:120], null).bytes()
    found = model.many([(e.question, e.passages) for e in taught[120:]])
    assert [v.word for v in found] == [e.word for e in taught[120:]]
    path = tmp_path / "v.safetensors"
    path.write_bytes(model.bytes())
    again = Model.read(path).many([(e.question, e.passages) for e in taught[120:]])
    assert [v.probability for v in again] == pytest.approx([v.probability for v in found], abs=1e-4)
    path.write_bytes(model.bytes()[:-9])
    with pytest.raises(VerdictError, match="no weights"):
        Model.read(path)


class Says:
    """A writer that says what it is told to."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __call__(self, question: str, quotes: Sequence[str], /) -> str:
        return self.text


def test_what_cites_no_quote_is_dropped_and_counted(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    titles = [
        "Sumatriptan relieved migraine in most patients.",
        "Sumatriptan did not help cluster headache of one kind.",
    ]
    source.write_text(
        "\n".join(json.dumps({"id": f"A:{n}", "title": t}) for n, t in enumerate(titles)), encoding="utf-8"
    )
    mine([source], tmp_path / "m")
    quotes = Index(tmp_path / "m")("Does sumatriptan relieve migraine?")
    assert [hit.id for hit in quotes] == ["A:0", "A:1"]
    written = write_up(
        "Does sumatriptan relieve migraine?",
        quotes,
        Says(
            "Sumatriptan relieved migraine in most patients [1]. It is the best drug ever made. "
            "Migraine is caused by the moon and by bad weather [1]. Most patients were relieved of migraine by sumatriptan. [1] "
            "See the literature [7]. Sumatriptan did not relieve migraine in most patients [1]. [2]"
        ),
    )
    assert [cited for _, cited in written.sentences] == [(1,), (1,)]
    assert written.uncited == 2  # the best drug; quote 7 is none
    assert written.unsupported == 2  # the moon; a denial its quote does not hold


def test_a_random_model_writes_nothing_that_stands(index: Index, tmp_path: Path) -> None:
    """A language model of 2 layers with random weights: all it says is dropped, and counted."""
    transformers = pytest.importorskip("transformers")
    torch = pytest.importorskip("torch")
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    vocabulary = ["<pad>", "<s>", "</s>", "<unk>", *(f"word{n}" for n in range(58)), ".", "[", "]", "1"]
    cutter = Tokenizer(WordLevel({w: n for n, w in enumerate(vocabulary)}, unk_token="<unk>"))
    cutter.pre_tokenizer = Whitespace()
    wrapped = transformers.PreTrainedTokenizerFast(
        tokenizer_object=cutter, pad_token="<pad>", bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )
    torch.manual_seed(5)
    network = transformers.LlamaForCausalLM(
        transformers.LlamaConfig(
            vocab_size=len(vocabulary), hidden_size=32, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
            max_position_embeddings=512, pad_token_id=0, bos_token_id=1, eos_token_id=2,
        )
    )  # fmt: skip
    wrapped.save_pretrained(tmp_path)
    network.save_pretrained(tmp_path, safe_serialization=True)
    found = ask(index, "Does sumatriptan relieve migraine?", least=0.0, writer=writer(str(tmp_path)))
    assert found.written is not None
    assert found.written.sentences == ()
    assert found.written.uncited + found.written.unsupported >= 1
    with pytest.raises(ModelError, match="no folder of a model"):
        writer(str(tmp_path / "none"))


def test_mistakes_say_what_to_do(index: Index) -> None:
    with pytest.raises(AnswerError, match="empty"):
        ask(index, " ")
    with pytest.raises(AnswerError, match="probability"):
        ask(index, "Is it?", least=2)


def test_an_article_about_something_else_is_told() -> None:
    """Abstracts written for this test: each question with its own, with a neighbour's, with a stranger's."""
    statin = [
        "Patients were given atorvastatin or placebo.",
        "LDL cholesterol fell by 40 % with atorvastatin.",
    ]
    fibrate = [
        "Patients were given fenofibrate or placebo.",
        "Triglycerides fell by a third with fenofibrate.",
    ]
    mosquito = ["Mosquito nets were handed out in villages.", "Malaria became rarer among children."]
    question = "Does atorvastatin lower LDL cholesterol?"
    own, near, far = (about(question, text) for text in (statin, fibrate, mosquito))
    assert own > 0.9
    assert near < LEAST
    assert far < 0.02
    assert about(question, [""]) < 0.02
