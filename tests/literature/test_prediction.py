"""The tagger must keep its promise whatever the batch, point at the text, and take other models or say why not."""

from __future__ import annotations

import socket
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
torch.set_num_threads(1)  # threads that wait for each other on a busy machine cost more than they give

from literature.mentions import Span, Tagger  # noqa: E402
from literature.model.borrowed import ModelError  # noqa: E402
from literature.model.decoding import TOUCHING, Label, leaned, spans_of  # noqa: E402
from literature.model.eightbit import possible  # noqa: E402
from literature.model.encoder import LABELS, READ_TYPES  # noqa: E402
from literature.model.prediction import (  # noqa: E402
    EitherTagger,
    EncoderTagger,
    Precision,
    meanings,
    shipped,
)
from literature.model.weights_io import WeightsError  # noqa: E402
from literature.model.wordpieces import SPECIAL, Window  # noqa: E402

TEXTS = [
    "Cisplatin caused nephrotoxicity in rats.",
    "",
    "Mutations in BRCA1 predispose to breast cancer. The p.Arg273His variant was seen in 12 patients.",
    "Gefitinib inhibits EGFR in A549 cells.",
    "Escherichia coli grew in all samples (n = 12), and Staphylococcus aureus in none.",
    "No effect was seen.",
]
TAGGER = EncoderTagger()


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise AssertionError("a network call nobody asked for")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def named(tagger: Tagger, text: str) -> set[tuple[str, str]]:
    return {(text[s.start : s.end], s.type) for s in tagger([text])[0]}


def test_the_shipped_model_reads() -> None:
    """Names any reader would mark; none of these sentences comes from a corpus."""
    assert isinstance(TAGGER, Tagger)
    assert {("Cisplatin", "chemical"), ("nephrotoxicity", "disease")} <= named(TAGGER, TEXTS[0])
    assert {("BRCA1", "gene"), ("breast cancer", "disease"), ("p.Arg273His", "variant")} <= named(
        TAGGER, TEXTS[2]
    )
    assert {("Gefitinib", "chemical"), ("EGFR", "gene")} <= named(TAGGER, TEXTS[3])
    assert ("Escherichia coli", "species") in named(TAGGER, TEXTS[4])
    assert named(TAGGER, TEXTS[5]) == set()


def test_the_shipped_file_is_small() -> None:
    files = [shipped(), shipped().with_suffix(".md")]  # others of the folder belong to search
    assert sum(path.stat().st_size for path in files) <= 16_000_000


def test_the_batch_changes_nothing() -> None:
    """Bit for bit: alone, together, in another order, or among many."""
    together = TAGGER(TEXTS)
    assert [list(TAGGER([text])[0]) for text in TEXTS] == together
    assert list(reversed(TAGGER(TEXTS[::-1]))) == together
    assert TAGGER(TEXTS * 9)[: len(TEXTS)] == together
    assert TAGGER([]) == []


@given(st.lists(st.text(alphabet="aspirin EGFR.-α(1)\n TNFé", max_size=80), max_size=4))
@settings(max_examples=15, derandomize=True, deadline=None)
def test_spans_are_sorted_apart_and_inside(texts: list[str]) -> None:
    found = TAGGER(texts)
    assert len(found) == len(texts)
    for text, spans in zip(texts, found, strict=True):
        end = 0
        for span in spans:
            assert end <= span.start < span.end <= len(text)
            assert text[span.start : span.end].strip() == text[span.start : span.end]
            assert 0 < span.probability <= 1
            end = span.end


def test_offsets_hold_in_a_long_text() -> None:
    filler = "Nothing else was seen in any of the other groups. "
    text = filler * 20 + "Çisplatin α — " + TEXTS[0] + " " + filler * 20
    assert {("Cisplatin", "chemical"), ("nephrotoxicity", "disease")} <= named(TAGGER, text)


def test_types_and_least_probability_are_kept() -> None:
    assert {t for _, t in named(EncoderTagger(types=("gene",)), TEXTS[3])} == {"gene"}
    sure = EncoderTagger(least=0.9)(TEXTS)
    assert all(span.probability >= 0.9 for spans in sure for span in spans)
    assert EncoderTagger(least=1.01)(TEXTS) == [[]] * len(TEXTS)
    with pytest.raises(ModelError, match="types protein are unknown; known are gene, chemical"):
        EncoderTagger(types=("protein",))  # type: ignore[arg-type]


def test_a_convention_marks_only_what_its_corpus_marks() -> None:
    found = EncoderTagger(convention="BC2GM")(TEXTS)
    assert {span.type for spans in found for span in spans} == {"gene"}
    with pytest.raises(ModelError, match=r"no convention 'BC5'; it knows general, BC5CDR"):
        EncoderTagger(convention="BC5")(["x"])


def test_hints_count_but_do_not_overrule() -> None:
    text = TEXTS[0]
    sure = {("Cisplatin", "chemical"), ("nephrotoxicity", "disease")}
    wrong = Fixed([Span(0, 9, "disease", 1.0), Span(10, 16, "gene", 1.0)])
    assert sure <= named(EncoderTagger(hints=wrong), text)
    assert ("caused", "gene") not in named(EncoderTagger(hints=wrong), text)
    nothing = Fixed([])
    assert EncoderTagger(hints=nothing)([text] * 3) == TAGGER([text] * 3)


def test_a_hint_decides_where_the_network_wavers() -> None:
    undecided = scores("O", "O", "O", weight=0.5)
    (hinted,) = spans_of(window(3), leaned(window(3), undecided, OURS, [Span(3, 8, "disease", 1.0)]), OURS)
    assert (hinted.start, hinted.end, hinted.type) == (3, 8, "disease")
    assert spans_of(window(3), leaned(window(3), undecided, OURS, [Span(3, 8, "gene", 1.0)]), OURS) == []
    np.testing.assert_allclose(
        np.exp(leaned(window(3), undecided, OURS, [Span(3, 8, "disease", 1.0)])).sum(-1), 1, rtol=1e-5
    )


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_precision_changes_little(precision: Precision) -> None:
    if precision == "int8" and not possible():
        pytest.skip("this processor does not multiply 8-bit integers")
    a, b = EncoderTagger(precision="float32")(TEXTS), EncoderTagger(precision=precision)(TEXTS)
    sure = [{(s.start, s.end, s.type) for s in spans if s.probability > 0.9} for spans in a]
    assert all(one <= {(s.start, s.end, s.type) for s in two} for one, two in zip(sure, b, strict=True))


# --- the best sequence of labels ---------------------------------------------------------------

OURS = tuple(
    Label(None, False, False) if name == "O" else Label(name[2:], name[0] == "B", name[0] == "I")  # type: ignore[arg-type]
    for name in LABELS
)


def window(words: int) -> Window:
    return Window(
        (0,) * words, (0,) * words, tuple(range(words)), tuple((3 * n, 3 * n + 2) for n in range(words))
    )


def scores(*best: str, weight: float = 5.0) -> np.ndarray:
    table = np.zeros((len(best), len(LABELS)), dtype=np.float32)
    table[range(len(best)), [LABELS.index(name) for name in best]] = weight
    return table - np.log(np.exp(table).sum(-1, keepdims=True))


def test_labels_become_spans() -> None:
    found = spans_of(window(6), scores("B-gene", "I-gene", "B-gene", "O", "B-disease", "I-disease"), OURS)
    assert [(s.start, s.end, s.type) for s in found] == [(0, 5, "gene"), (6, 8, "gene"), (12, 17, "disease")]
    assert found[0].probability == pytest.approx(np.exp(5) / (np.exp(5) + len(LABELS) - 1), rel=1e-5)


@given(st.integers(0, 10_000))
@settings(max_examples=25, derandomize=True, deadline=None)
def test_the_best_allowed_sequence_is_taken(seed: int) -> None:
    """Reference: all sequences tried one by one."""
    from itertools import product

    few = [OURS[i] for i in (0, 1, 2, 5, 6)]
    table = np.log(np.random.default_rng(seed).dirichlet(np.ones(5), size=4)).astype(np.float32)

    def worth(path: tuple[int, ...]) -> float:
        total = 0.0
        for i, b in enumerate(path):
            same = i > 0 and few[path[i - 1]].type == few[b].type is not None
            total += float(table[i, b]) - (TOUCHING if few[b].begins and same else 0.0)
            if few[b].continues and not same:
                return -np.inf
        return total

    best = max(product(range(5), repeat=4), key=worth)
    expected, begin = [], 0
    for at in range(1, 5):
        if at < 4 and few[best[at]].continues:
            continue
        if few[best[begin]].type is not None:
            expected.append((3 * begin, 3 * at - 1, few[best[begin]].type))
        begin = at
    assert [(s.start, s.end, s.type) for s in spans_of(window(4), table, few)] == expected


# --- models of others --------------------------------------------------------------------------

PIECES = [*SPECIAL, "aspirin", "lowers", "fever", "in", "rats", ".", *"abcdefghijklmnopqrstuvwxyz"]


def other_model(folder: Path, names: list[str], *, rule: dict[str, int]) -> str:
    """A BERT tagger whose answer is decided by the piece alone, saved as such models are."""
    (folder / "vocab.txt").write_text("\n".join(PIECES), encoding="utf-8")
    config = transformers.BertConfig(
        vocab_size=len(PIECES),
        hidden_size=48,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=66,
        id2label=dict(enumerate(names)),
        label2id={name: at for at, name in enumerate(names)},
    )
    model = transformers.BertForTokenClassification(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        embeddings = model.bert.embeddings
        layer = model.bert.encoder.layer[0]
        for norm in (embeddings.LayerNorm, layer.attention.output.LayerNorm, layer.output.LayerNorm):
            norm.weight.fill_(1.0)
        embeddings.word_embeddings.weight[:, : len(PIECES)] = torch.eye(len(PIECES))
        model.classifier.bias[0] = 1.0
        for piece, label in rule.items():
            model.classifier.weight[label, PIECES.index(piece)] = 5.0
    model.save_pretrained(folder)
    transformers.BertTokenizer(str(folder / "vocab.txt"), do_lower_case=True).save_pretrained(folder)
    return str(folder)


def test_a_model_of_others_takes_its_place_through_one_argument(tmp_path: Path) -> None:
    names = ["O", "B-Chemical", "I-Chemical", "B-DiseaseOrPhenotypicFeature", "I-DiseaseOrPhenotypicFeature"]
    model = other_model(tmp_path, names, rule={"aspirin": 1, "fever": 3, "rats": 4})
    text = "Aspirin lowers fever rats in rats."
    assert named(EncoderTagger(model), text) == {
        ("Aspirin", "chemical"), ("fever rats", "disease"), ("rats", "disease"),
    }  # fmt: skip
    assert named(EncoderTagger(model), "rats " * 100 + text) >= {("Aspirin", "chemical")}


def test_labels_that_do_not_match_are_listed_beside_ours(tmp_path: Path) -> None:
    model = other_model(tmp_path, ["O", "B-ANAT", "B-DRUG"], rule={"rats": 1, "aspirin": 2})
    with pytest.raises(
        ModelError, match=r"it has O, B-ANAT, B-DRUG; known types are gene, chemical, .*\"ANAT\""
    ):
        EncoderTagger(model)(["Aspirin."])
    tagger = EncoderTagger(model, labels={"ANAT": None})
    assert named(tagger, "Aspirin lowers rats.") == {("Aspirin", "chemical")}
    assert EncoderTagger(model, labels={"anat": "species"})(["rats"])[0][0].type == "species"
    with pytest.raises(ModelError, match="only our own weights have conventions"):
        EncoderTagger(model, convention="BC5CDR")(["x"])


def test_labels_without_prefix_and_of_other_schemes() -> None:
    plain = meanings("m", ["O", "gene", "Cell_Line"], {})
    assert [label.type for label in plain] == [None, "gene", "cell line"]
    assert not any(label.begins or label.continues for label in plain)
    scheme = meanings("m", ["S-GENE", "B-GENE", "I-GENE", "E-GENE", "O"], {})
    assert [(label.begins, label.continues) for label in scheme[:4]] == [
        (True, False), (True, False), (False, False), (False, False),
    ]  # fmt: skip
    with pytest.raises(ModelError, match="LABEL_0, LABEL_1"):
        meanings("m", ["LABEL_0", "LABEL_1"], {})
    with pytest.raises(ModelError, match="do not match"):
        meanings("m", ["O"], {})


def test_absent_models_are_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"'nobody/no-such-model' cannot be read.*download=True"):
        EncoderTagger("nobody/no-such-model")(["x"])
    with pytest.raises(ModelError, match=r"no folder of a model.*holds nothing"):
        EncoderTagger(str(tmp_path / "none"))(["x"])
    torn = Path(other_model(tmp_path, ["O", "B-Chemical"], rule={}))
    (torn / "model.safetensors").write_bytes(b"\xff" * 500)
    with pytest.raises(ModelError, match="cannot be read"):
        EncoderTagger(str(torn))(["x"])
    for file in torn.glob("*"):
        if file.name not in ("config.json", "model.safetensors"):
            file.unlink()
    with pytest.raises(
        ModelError, match=r"tokenizer.json belong there, and it holds config.json, model.safe"
    ):
        EncoderTagger(str(torn))(["x"])
    with pytest.raises(WeightsError, match="is absent"):
        EncoderTagger(str(tmp_path / "none.safetensors"))(["x"])


def test_either_fills_the_gaps_of_the_first() -> None:
    first = Fixed([Span(0, 5, "gene", 0.9), Span(20, 25, "gene", 0.9)])
    second = Fixed([Span(3, 8, "disease", 1.0), Span(10, 12, "disease", 1.0), Span(25, 28, "disease", 1.0)])
    (found,) = EitherTagger(first, second)(["x" * 30])
    assert [(s.start, s.type) for s in found] == [(0, "gene"), (10, "disease"), (20, "gene"), (25, "disease")]


class Fixed:
    def __init__(self, spans: list[Span]) -> None:
        self.spans = spans

    def __call__(self, texts: list[str], /) -> list[list[Span]]:
        return [self.spans for _ in texts]


def test_every_type_has_its_labels() -> None:
    assert len(LABELS) == 1 + 2 * len(READ_TYPES)
