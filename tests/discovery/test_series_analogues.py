"""More like this one: what is kept is kept, every wish is met or named, and every proposal has its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from rdkit import Chem

from discovery import plugins
from discovery.molecule import Molecule
from discovery.outcome import Reason
from discovery.properties.physchem import Descriptor
from discovery.proposal import Lesson, Proposal
from discovery.series import analogues
from discovery.series.analogues import Wish, more_like, wish
from discovery.series.measured import SeriesError
from discovery.views.table import Table

PARENT = Molecule.parse("CCOc1ccc(CCN(C)C)cc1", "parent")
OFFERED = (
    "COc1ccc(CCN(C)C)cc1", "CCCCOc1ccc(CCN(C)C)cc1", "CCOC1CCC(CCN(C)C)CC1", "CCOc1ccc(CCN(C)C)cc1", "Oc1ccc(CCN)cc1",
    "c1cc(", "COc1ccc(CCN(C)C)cc1",
)  # fmt: skip


@dataclass
class Scripted:
    """Offers what is written above, and remembers what it was taught."""

    like: str = ""
    name: str = "scripted"

    def propose(self, n: int, /, *, round: int, seed: int, lessons: Sequence[Lesson]) -> list[Proposal]:
        TAUGHT.append(list(lessons))
        return [Proposal(text, self.name, round, (self.like,)) for text in OFFERED[:n]]


TAUGHT: list[list[Lesson]] = []


@pytest.fixture(autouse=True)
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    TAUGHT.clear()
    monkeypatch.setattr(plugins, "load", lambda group, name: Scripted)


def test_every_proposal_has_its_row_and_says_what_it_missed() -> None:
    lower = Wish(Descriptor("logp"), "lower")
    table = Table(more_like(PARENT, keep="c1ccccc1", wishes=[lower], n=20, rounds=1, proposer="scripted"))
    assert len(table) == len(OFFERED)
    (aim,) = Descriptor("logp")([PARENT])
    assert {row.smiles for row in table.ranked().run.rows} == {"COc1ccc(CCN(C)C)cc1", "NCCc1ccc(O)cc1"}
    assert all(value < aim.value for id, value in table.ranked().values("logp").items())  # type: ignore[union-attr]
    near = list(table.ranked().values("similarity").values())
    assert near == sorted(near, reverse=True)
    why = {row.text: row.missing for row in table.unranked().run.rows}
    assert why["CCOC1CCC(CCN(C)C)CC1"].reason is Reason.FILTERED  # type: ignore[union-attr]
    assert "does not hold c1ccccc1" in why["CCOC1CCC(CCN(C)C)CC1"].detail  # type: ignore[union-attr]
    assert "is not lower than" in why["CCCCOc1ccc(CCN(C)C)cc1"].detail  # type: ignore[union-attr]
    assert why["CCOc1ccc(CCN(C)C)cc1"].reason is Reason.DUPLICATE  # type: ignore[union-attr]
    assert why["c1cc("].reason is Reason.UNPARSABLE  # type: ignore[union-attr]


def test_the_proposer_is_told_what_to_stay_near_and_learns() -> None:
    found = more_like(PARENT, keep="c1ccccc1", n=20, rounds=3, proposer="scripted")
    assert {row.parents for row in found.rows} == {(PARENT.smiles,)}
    assert [len(lessons) for lessons in TAUGHT] == [0, 6, 12]
    rewards = {lesson.molecule.smiles: lesson.reward for lesson in TAUGHT[-1]}
    assert rewards["CCOC1CCC(CCN(C)C)CC1"] == 0.0
    assert rewards[PARENT.smiles] == 1.0


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"keep": "c1ccncc1"}, "parent does not hold c1ccncc1"),
        ({"keep": "c1cc"}, "no SMARTS"),
    ],
)
def test_what_cannot_be_kept_is_said_before_any_work(asked: dict[str, Any], said: str) -> None:
    with pytest.raises(SeriesError, match=said):
        more_like(PARENT, proposer="scripted", **asked)
    assert TAUGHT == []
    with pytest.raises(SeriesError, match="'lower' or 'higher'"):
        Wish(Descriptor("logp"), "cheaper")  # type: ignore[arg-type]


@pytest.mark.slow
def test_the_graph_model_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The registered generator, through the plug-in group: rings kept, lipophilicity lower."""
    monkeypatch.undo()
    pytest.importorskip("torch_geometric", reason="the generative extra is absent")
    assert analogues.plugins.load is plugins.load
    eletriptan = "CN1CCC[C@@H]1Cc1c[nH]c2ccc(CCS(=O)(=O)c3ccccc3)cc12"
    table = Table.of([Molecule.parse(eletriptan, "eletriptan")], {})
    found = table.more_like(
        0, keep="c1ccc2[nH]ccc2c1", wishes=[wish("descriptor", "lower", name="logp")], n=12, rounds=1, seed=7
    )
    indole = Chem.MolFromSmarts("c1ccc2[nH]ccc2c1")
    assert len(found.ranked()) >= 1
    assert all(Chem.MolFromSmiles(row.smiles).HasSubstructMatch(indole) for row in found.ranked().run.rows)
    assert max(found.ranked().values("logp").values()) < 3.6
