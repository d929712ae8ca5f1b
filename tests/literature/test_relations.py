"""What is said of a pair must be of that pair, whatever is read beside it; other models must fit or say why not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from literature.article import Article  # noqa: E402
from literature.lexicon import Concept, Type  # noqa: E402
from literature.mentions import Mention  # noqa: E402
from literature.model.borrowed import ModelError  # noqa: E402
from literature.model.encoder import GENERAL, Encoder, Shape  # noqa: E402
from literature.model.weights_io import Pairs, Weights, WeightsError, write  # noqa: E402
from literature.model.wordpieces import SPECIAL  # noqa: E402
from literature.relations.answers import Answered, UnknownConvention, meaning, stated  # noqa: E402
from literature.relations.corpus import ANSWERS, KINDS, NONE, OUTPUTS, Thing  # noqa: E402
from literature.relations.hub import blinded, meanings  # noqa: E402
from literature.relations.relating import RelationReader, relations  # noqa: E402

torch.set_num_threads(1)
LETTERS = "abcdefghijklmnopqrstuvwxyz.,-0123456789"
TEXTS = [
    "gefitinib blocks egfr and alk in cells. Erlotinib blocks egfr.",
    "",
    "aspirin lowers fever.",
    "gefitinib blocks egfr, erlotinib blocks alk, and nothing else was seen in those cells after that.",
]


def named(text: str) -> list[Thing]:
    kinds: dict[str, Type] = {
        "gefitinib": "chemical", "erlotinib": "chemical", "aspirin": "chemical", "egfr": "gene", "alk": "gene",
        "fever": "disease",
    }  # fmt: skip
    return [
        Thing(type, ((at, at + len(word)),))
        for word, type in kinds.items()
        for at in range(len(text))
        if text.lower().startswith(word, at)
    ]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> RelationReader:
    """Random weights: what they say is nonsense, but always the same nonsense."""
    vocabulary = (*SPECIAL, *LETTERS, *(f"##{c}" for c in LETTERS))
    shape = Shape(len(vocabulary), (GENERAL,), width=32, layers=2, attention=4, inner=64, places=64)
    torch.manual_seed(4)
    pairs = Shape(
        len(vocabulary), (), width=32, layers=2, attention=4, inner=64, places=64, relations=OUTPUTS
    )
    network = Encoder(pairs)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    path = tmp_path_factory.mktemp("weights") / "w.safetensors"
    second = Pairs(pairs, dict(network.state_dict()), {"DrugProt": (2.0, 0.3, 0.0)})
    write(path, Weights(shape, vocabulary, dict(Encoder(shape).state_dict()), 64, second))
    return RelationReader(str(path), precision="float32")


def test_the_batch_changes_nothing(reader: RelationReader) -> None:
    """Bit for bit: alone, together, in another order, or among many."""
    documents = [(text, named(text)) for text in TEXTS]
    together = reader("DrugProt", documents)
    assert [len(found) for found in together] == [3, 0, 0, 4]
    assert [reader("DrugProt", [document])[0] for document in documents] == together
    assert list(reversed(reader("DrugProt", documents[::-1]))) == together
    assert reader("DrugProt", documents * 7)[: len(documents)] == together
    for answer in (answer for found in together for answer in found):
        assert set(answer.answers) == set(ANSWERS["DrugProt"])
        assert sum(answer.answers.values()) == pytest.approx(1)
        assert answer.related == pytest.approx(1 - answer.answers[NONE])
        assert answer.best != NONE


def test_each_answer_belongs_to_its_own_pair(reader: RelationReader) -> None:
    """In whatever order the things are given."""
    text, things = TEXTS[3], named(TEXTS[3])
    whole = {
        (things[a.subject], things[a.object]): a.answers for a in reader("DrugProt", [(text, things)])[0]
    }
    turned = things[::-1]
    again = {
        (turned[a.subject], turned[a.object]): a.answers for a in reader("DrugProt", [(text, turned)])[0]
    }
    assert len(whole) == 4
    for pair, answers in whole.items():
        assert again[pair] == pytest.approx(answers, abs=1e-4)
    assert len({round(answers[NONE], 6) for answers in whole.values()}) == 4, "and no two of them are alike"


def test_pairs_that_do_not_matter_stay_unread(reader: RelationReader) -> None:
    """And change no other pair's answer: what they are stays marked in the text."""
    document = (TEXTS[3], named(TEXTS[3]))
    whole = reader("DrugProt", [document])[0]
    wanted = frozenset((whole[1].subject, whole[1].object))
    some = reader("DrugProt", [document, document], among=[{wanted}, set()])
    assert some[0][1] == whole[1]
    assert all(answer.related == 0 for answer in (*some[0][:1], *some[0][2:], *some[1]))


def test_eight_bits_answer_alike_alone_and_together() -> None:
    """The shipped network, bit for bit, in batches of every size."""
    reader = RelationReader()
    documents = [(text, named(text)) for text in TEXTS]
    together = reader("DrugProt", documents)
    assert [reader("DrugProt", [document])[0] for document in documents] == together
    assert reader("DrugProt", documents * 3)[: len(documents)] == together
    ((said,),) = reader(
        "DrugProt", [("Gefitinib inhibits EGFR.", [Thing("chemical", ((0, 9),)), Thing("gene", ((19, 23),))])]
    )
    assert said.best == "INHIBITOR"
    assert said.related > 0.5


def test_calibration_is_read_from_the_file(reader: RelationReader) -> None:
    assert reader.least("DrugProt") == 0.3
    assert reader.least("CDR") == 0.5


def test_a_pair_too_far_apart_is_answered_none(reader: RelationReader) -> None:
    text = f"aspirin was given{' to them' * 9}. fever fell{' in them' * 9}."
    ((answer,),) = reader("CDR", [(text, named(text))])
    assert answer.answers == {NONE: 1.0, "CID": 0.0}


def test_relations_name_mentions_of_one_sentence() -> None:
    """By a reader that finds every pair related: who is related to whom follows from the text alone."""
    text = "Gefitinib blocks EGFR. EGFR and ALK drive cancer. Gefitinib treats cancer."
    words = [("Gefitinib", "chemical"), ("EGFR", "gene"), ("ALK", "gene"), ("cancer", "disease")]
    mentions = sorted(
        (
            Mention(at, at + len(word), word, Concept(word, type, word), 1.0, "name")  # type: ignore[arg-type]
            for word, type in words
            for at in range(len(text))
            if text.startswith(word, at)
        ),
        key=lambda m: m.start,
    )
    found = relations(Article.of("X", [("abstract", text)]), mentions, Everything())
    said = {
        (r.subject.text, r.predicate, r.object.text, r.effect, text[: r.subject.start].count(". "))
        for r in found
    }
    assert said == {
        ("Gefitinib", "inhibits", "EGFR", -1, 0),
        ("EGFR", "activates", "ALK", 1, 1),
        ("EGFR", "promotes", "cancer", 1, 1),
        ("ALK", "promotes", "cancer", 1, 1),
        ("Gefitinib", "causes", "cancer", 1, 2),
    }
    assert relations(Article.of("X", [("abstract", text)]), mentions, Everything(), least=0.95) == []


class Everything:
    """Finds every pair related by the same answer."""

    def least(self, convention: str, /) -> float:
        return 0.5

    def __call__(self, convention: str, documents: object, /, among: object = None) -> list[list[Answered]]:
        from literature.relations.corpus import candidates

        best = {"DrugProt": "INHIBITOR", "CDR": "CID", "BioRED": "Positive_Correlation"}[convention]
        sure = {"DrugProt": 0.9, "CDR": 0.8, "BioRED": 0.7}[convention]
        return [
            [
                Answered(a, b, dict.fromkeys(ANSWERS[convention], 0.0) | {best: sure, NONE: 1 - sure}, None)
                for a, b in candidates(convention, text, things)
            ]
            for text, things in documents  # type: ignore[attr-defined]
        ]


def test_every_answer_means_something() -> None:
    for convention, kinds in KINDS.items():
        for answer in ANSWERS[convention]:
            if answer != NONE:
                assert all(meaning(convention, answer, kind).predicate for kind in kinds)
    assert meaning("BioRED", "Negative_Correlation", ("chemical", "disease")) == ("treats", -1)
    assert meaning("DrugProt", "ANTAGONIST", ("chemical", "gene")) == ("antagonist of", -1)


def test_two_words_for_one_thing_count_together() -> None:
    said = Answered(
        0, 1, {NONE: 0.3, "INHIBITOR": 0.2, "INDIRECT-DOWNREGULATOR": 0.22, "ACTIVATOR": 0.28}, None
    )
    assert said.best == "INDIRECT-DOWNREGULATOR"
    assert Answered(0, 1, {NONE: 0.9, "CID": 0.1}, None).best == "CID"


def test_an_effect_of_open_direction_has_none() -> None:
    kinds = ("chemical", "gene")
    said = {NONE: 0.2, "INHIBITOR": 0.42, "ACTIVATOR": 0.38}
    assert stated("DrugProt", Answered(0, 1, said, None), kinds) == ("regulates", 0)
    said = {NONE: 0.2, "INHIBITOR": 0.6, "ACTIVATOR": 0.2}
    assert stated("DrugProt", Answered(0, 1, said, None), kinds) == ("inhibits", -1)
    said = {NONE: 0.2, "DIRECT-REGULATOR": 0.5, "ACTIVATOR": 0.3}
    assert stated("DrugProt", Answered(0, 1, said, None), kinds) == ("binds", 0)
    assert stated("CDR", Answered(0, 1, {NONE: 0.9, "CID": 0.1}, None), ("chemical", "disease")).effect == 1


def test_models_that_cannot_answer_say_so(tmp_path: Path, reader: RelationReader) -> None:
    with pytest.raises(
        UnknownConvention, match="no convention 'KEGG' of relations; known are DrugProt, CDR, BioRED"
    ):
        reader("KEGG", [])
    with pytest.raises(WeightsError, match="is absent"):
        RelationReader(str(tmp_path / "none.safetensors")).load()
    shape = Shape(4, (GENERAL,), width=16, layers=1, attention=2, inner=32, places=12)
    write(tmp_path / "names.safetensors", Weights(shape, SPECIAL, dict(Encoder(shape).state_dict()), 12))
    with pytest.raises(ModelError, match=r"names\.safetensors answers for no pairs.*discovery train-reader"):
        RelationReader(str(tmp_path / "names.safetensors")).load()
    with pytest.raises(ModelError, match="'no/such' cannot be read"):
        RelationReader("no/such").load()


# ── models of others ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small random sequence classifier as transformers saves it."""
    folder = tmp_path_factory.mktemp("theirs")
    words = ["@", "$", "chemical", "gene", "blocks", "and", *LETTERS, *(f"##{c}" for c in LETTERS)]
    (folder / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]), "utf-8"
    )
    transformers.BertTokenizerFast(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(2)
    config = transformers.BertConfig(
        vocab_size=len(words) + 5, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32,
        id2label={0: "false", 1: "CPR:4", 2: "CPR:3"}, label2id={"false": 0, "CPR:4": 1, "CPR:3": 2},
    )  # fmt: skip
    transformers.BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def test_another_model_takes_its_place(theirs: Path) -> None:
    """Reference: the same model asked through transformers, with the sentence written by hand."""
    found = RelationReader(str(theirs))(
        "DrugProt", [(TEXTS[0], named(TEXTS[0])), (TEXTS[2], named(TEXTS[2]))]
    )
    assert [len(one) for one in found] == [3, 0]
    cutter = transformers.AutoTokenizer.from_pretrained(theirs)
    network = transformers.AutoModelForSequenceClassification.from_pretrained(theirs).eval()
    given = cutter("@CHEMICAL$ blocks @GENE$ and alk in cells.", return_tensors="pt")
    want = network(**given).logits.softmax(-1)[0].tolist()
    said = found[0][0].answers
    assert [said[NONE], said["INHIBITOR"], said["ACTIVATOR"]] == pytest.approx(want, abs=1e-4)
    (unasked,) = RelationReader(str(theirs))("CDR", [(TEXTS[2], named(TEXTS[2]))])[0]
    assert unasked.answers == {NONE: 1.0, "CID": 0.0}, "it has no label that answers for drugs and diseases"


def test_labels_that_do_not_match_are_listed(theirs: Path, tmp_path: Path) -> None:
    assert meanings("m", ["LABEL_0", "LABEL_1"], {"LABEL_0": None, "LABEL_1": "CPR:6"}) == (
        None,
        "ANTAGONIST",
    )
    for path in theirs.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    config["id2label"] = {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        ModelError, match=r"do not match: it has LABEL_0, LABEL_1, LABEL_2; known answers are INHIB"
    ):
        RelationReader(str(tmp_path)).load()
    RelationReader(str(tmp_path), labels={"LABEL_0": None, "LABEL_1": "AGONIST", "LABEL_2": "CID"}).load()


def test_the_nearest_mentions_of_one_sentence_are_blinded() -> None:
    text = "Aspirin was given. Aspirin and aspirin inhibit COX-1; COX-1 again."
    things = [Thing("chemical", ((0, 7), (19, 26), (31, 38))), Thing("gene", ((47, 52), (54, 59)))]
    assert blinded(text, *things) == "Aspirin and @CHEMICAL$ inhibit @GENE$; COX-1 again."
    assert blinded(text, Thing("chemical", ((0, 7),)), things[1]) is None
