"""Cues are of the pair asked about; their weights are those of least cost; a file gives them back or says it is torn."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from literature.model.encoder import GENERAL, Encoder, Shape  # noqa: E402
from literature.model.linear import Cues  # noqa: E402
from literature.model.weights_io import Pairs, Weights, WeightsError, read, write  # noqa: E402
from literature.model.wordpieces import SPECIAL  # noqa: E402
from literature.relations.answers import Answered  # noqa: E402
from literature.relations.corpus import ANSWERS, KINDS, NONE, OUTPUTS, Thing, candidates  # noqa: E402
from literature.relations.cues import cues, joined, key, keys, stem  # noqa: E402
from literature.relations.relating import RelationReader  # noqa: E402

TEXT = "Gefitinib inhibits EGFR, not ALK. The EGFR inhibitor gefitinib caused rash."


def things(text: str = TEXT) -> list[Thing]:
    named = {
        "Gefitinib": "chemical",
        "EGFR inhibitor": "chemical",
        "EGFR": "gene",
        "ALK": "gene",
        "rash": "disease",
    }
    found: list[Thing] = []
    for name, type in named.items():
        places = [at for at in range(len(text)) if text.lower().startswith(name.lower(), at)]
        found.append(Thing(type, tuple((at, at + len(name)) for at in places), f"X:{name}"))  # type: ignore[arg-type]
    return found


def seen(convention: str, own: list[Thing], one: str, other: str) -> list[str]:
    at = {thing.name: number for number, thing in enumerate(own)}
    (found,) = cues(convention, TEXT, own, [(at[f"X:{one}"], at[f"X:{other}"])])
    return found


def test_cues_are_the_words_around_the_two() -> None:
    found = seen("DrugProt", things(), "Gefitinib", "EGFR")
    assert {">all inhibit", ">", "c= gefitinib", "g= egfr", "cs nib", "first"} <= set(found)
    assert len(found) == len(set(found))
    other = seen("DrugProt", things(), "Gefitinib", "ALK")
    assert {">m not", ">m inhibit", ">o 1"} <= set(other), "the gene between is a gene, whatever its name"
    assert not any("egfr" in cue for cue in other)
    within = seen("DrugProt", things(), "EGFR inhibitor", "EGFR")
    assert {"within", ">r inhibit"} <= set(within), "of a longer name the words beside the shorter stay"
    assert "apart" in seen("CDR", things(), "EGFR inhibitor", "ALK")
    assert "gid rash" in seen("CDR", things(), "Gefitinib", "rash")


@pytest.mark.parametrize("convention", [*KINDS])
def test_the_order_of_things_changes_nothing(convention: str) -> None:
    own = things()
    turned = own[::-1]
    pairs = list(candidates(convention, TEXT, own))
    assert pairs
    again = [(len(own) - 1 - a, len(own) - 1 - b) for a, b in pairs]
    for one, other in zip(
        cues(convention, TEXT, own, pairs), cues(convention, TEXT, turned, again), strict=True
    ):
        assert set(one) == set(other)


def test_texts_of_nothing_have_cues_too() -> None:
    blank = [Thing("chemical", ((0, 0),)), Thing("gene", ((0, 1),))]
    for text in ("", ".", "x"):
        (found,) = cues("DrugProt", text, blank, [(0, 1)])
        assert "k CG" in found


def test_keys_are_the_same_everywhere() -> None:
    """Reference: CRC-32 of "123456789" is CBF43926 (ITU-T V.42), of which the last 24 bits are kept."""
    assert key("123456789") == 0xF43926
    assert keys(["b", "a", "b"]).tolist() == sorted({key("a"), key("b")})
    assert (stem("inhibitors"), stem("inhibited"), stem("12.5"), stem("gas")) == (
        "inhibit",
        "inhibit",
        "0",
        "gas",
    )


def model(seed: int = 5) -> Cues:
    chance = np.random.default_rng(seed)
    known = np.unique(
        np.concatenate([*map(keys, cues("CDR", TEXT, things(), [(0, 4)])), chance.integers(0, 2**24, 50)])
    )
    return Cues(known, chance.normal(0, 1, (len(known), 2)), np.array([0.5, -0.5]))


def test_a_file_gives_cues_back() -> None:
    once = model()
    again = Cues.of(once.kept())
    assert (again.known == once.known).all()
    steps = np.abs(once.weights).max(axis=0) / 127
    assert (np.abs(again.weights - once.weights) <= 0.501 * steps).all()
    assert again([np.array([], dtype=np.int64)])[0] == pytest.approx(
        np.log([1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))])
    )
    torn = once.kept()
    with pytest.raises(ValueError, match="do not have"):
        Cues.of(torn | {"bias": np.zeros(3, dtype=np.float32), "steps": np.ones(3, dtype=np.float32)})
    with pytest.raises(ValueError, match="unpacked"):
        Cues.of(torn | {"keys": torn["keys"][:-4]})


def test_the_network_and_the_cues_answer_together(tmp_path: Path) -> None:
    """Reference: both alone, put together by hand."""
    vocabulary = (
        *SPECIAL,
        *"abcdefghijklmnopqrstuvwxyz.,",
        *(f"##{c}" for c in "abcdefghijklmnopqrstuvwxyz.,"),
    )
    sizes = {"width": 32, "layers": 1, "attention": 4, "inner": 32, "places": 96}
    torch.manual_seed(4)
    second = Shape(len(vocabulary), (), relations=OUTPUTS, **sizes)  # type: ignore[arg-type]
    network = Encoder(second)
    torch.nn.init.normal_(network.pairs.weight, std=0.5)
    first = Shape(len(vocabulary), (GENERAL,), **sizes)  # type: ignore[arg-type]
    words = {f"CDR|{part}": torch.from_numpy(numbers.copy()) for part, numbers in model().kept().items()}
    pairs = Pairs(second, dict(network.state_dict()), {}, cues=words)
    weights = Weights(first, vocabulary, dict(Encoder(first).state_dict()), 64)
    own = things()

    def said(name: str, pairs: Pairs) -> list[Answered]:
        path = tmp_path / f"{name}.safetensors"
        write(path, replace(weights, pairs=pairs), exact=True)
        return RelationReader(str(path), precision="float32")("CDR", [(TEXT, own)])[0]

    alone = said("alone", pairs)
    both = said("both", replace(pairs, calibration={"CDR": (2.0, 0.3, 0.7)}))
    shown = [keys(found) for found in cues("CDR", TEXT, own, [(a.subject, a.object) for a in alone])]
    network_says = np.log([[a.answers[answer] for answer in ANSWERS["CDR"]] for a in alone])
    wanted = joined(network_says, Cues.of(model().kept())(shown), 2.0, 0.7)
    assert [a.answers[NONE] for a in both] == pytest.approx(wanted[:, 0].tolist(), abs=1e-5)
    assert read(tmp_path / "both.safetensors").pairs.cues.keys() == words.keys()  # type: ignore[union-attr]
    with pytest.raises(WeightsError, match="torn"):
        said("torn", replace(pairs, cues=words | {"CDR|keys": words["CDR|keys"][:-4]}))
