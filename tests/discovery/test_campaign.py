"""A campaign accounts for every molecule, resumes exactly, and refuses to mix what does not belong together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from discovery import campaign, config, plugins, provenance
from discovery.campaigns.starting import CampaignError
from discovery.doors import FolderTaken
from discovery.events import Event
from discovery.ledger import Ledger
from discovery.outcome import Missing, MoleculeError, Reason, each
from discovery.proposal import Lesson, Proposal
from discovery.score import Column, Score
from discovery.target import Statement, Target


@dataclass(frozen=True)
class Chains:
    """Chains of 1 to n carbons, with a bad row and a repeat; a round longer where lessons were good."""

    name: str = "chains"

    def propose(self, n: int, /, *, round: int, seed: int, lessons: Any) -> list[Proposal]:
        assert all(isinstance(lesson, Lesson) for lesson in lessons)
        longest = max(
            (lesson.molecule.smiles.count("C") for lesson in lessons if lesson.reward > 0), default=0
        )
        made = ["not a molecule", "CO", "OC"] + ["C" * (longest + i) for i in range(1, n - 2)]
        return [Proposal(smiles, self.name, round) for smiles in made]


@dataclass(frozen=True)
class Length:
    """How many heavy atoms; a chain of five has none."""

    unlucky: int = 5
    column = Column("length", unit="1", better="high")

    def __call__(self, molecules: Any) -> Any:
        def work(molecule: Any) -> Score:
            n = molecule.mol().GetNumHeavyAtoms()
            if n == self.unlucky:
                raise MoleculeError(Reason.NO_CONFORMER, f"{molecule.shown} has {n} atoms")
            return Score(float(n))

        return each("length", work, molecules)


@dataclass(frozen=True)
class Double:
    """Twice the length: a late stage that starts from it."""

    column = Column("double", unit="1", better="high")
    after: str = "length"

    def refine(self, molecules: Any, found: Any) -> Any:
        return [Score(2 * score.value) for score in found]

    def context(self) -> dict[str, str]:
        return {"receptor_pdb": "ATOM"}


@dataclass(frozen=True)
class Hearsay:
    """One statement about anything."""

    def __call__(self, target: Target) -> list[Statement]:
        return [
            Statement(
                "x", "inhibits", target.name, 1, 0.5, "x inhibits it.", "EXAMPLE:1", kind="illustrative"
            )
        ]


PARTS = {
    ("proposers", "chains"): Chains,
    ("scorers", "length"): Length,
    ("scorers", "double"): Double,
    ("evidence", "hearsay"): Hearsay,
}


@pytest.fixture(autouse=True)
def toy_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    real = plugins.load
    monkeypatch.setattr(plugins, "load", lambda group, name: PARTS.get((group, name)) or real(group, name))


def toy(**changes: Any) -> config.Campaign:
    up = {"shape": "higher", "low": 0, "high": 40}
    data: dict[str, Any] = {
        "name": "toy",
        "rounds": 2,
        "workers": 0,
        "target": {"name": "thing"},
        "evidence": [{"use": "hearsay"}],
        "proposers": [{"use": "chains", "n": 10}],
        "scorers": [
            {"use": "length", "desirability": up, "at_least": 2},
            {"use": "qed", "best": 6, "desirability": {"shape": "higher", "low": -1, "high": 1}},
            {"use": "double", "when": "end", "best": 3, "desirability": up},
        ],
    }
    return config.parse({**data, **changes})


def test_every_proposal_is_a_row_and_the_funnel_adds_up(tmp_path: Path) -> None:
    run = campaign.run(toy(), tmp_path)
    assert len(run.rows) == 20
    funnel = {bar.stage: bar.counts for bar in run.funnel}
    assert (funnel["proposal"].n_failed, funnel["proposal"].n_duplicate) == (2, 3)  # CO again in round 1
    before = None
    for name in ("proposal", "length", "qed", "double"):
        if before is not None:
            assert funnel[name].n_in == before
        before = funnel[name].n_ok
    assert all((row.rank is None) == (row.missing is not None) for row in run.rows)
    assert [row.rank for row in run.ranked] == list(range(1, len(run.ranked) + 1))
    assert run.finished


def test_each_unranked_row_says_why(tmp_path: Path) -> None:
    reasons = {row.text: row.missing for row in campaign.run(toy(), tmp_path).unranked if row.missing}
    assert reasons["not a molecule"].reason is Reason.UNPARSABLE
    assert reasons["OC"].reason is Reason.DUPLICATE
    assert reasons["CCCCC"] == Missing("length", Reason.NO_CONFORMER, "r0-0007 has 5 atoms")
    assert reasons["C"].reason is Reason.FILTERED
    assert "below the least allowed 2" in reasons["C"].detail


def test_the_late_stage_ranks_before_those_it_did_not_see(tmp_path: Path) -> None:
    run = campaign.run(toy(), tmp_path)
    doubled = [row for row in run.rows if isinstance(row.outcomes.get("double"), Score)]
    assert sorted(row.rank or 0 for row in doubled) == [1, 2, 3]
    for row in run.ranked[3:]:
        outcome = row.outcomes["double"]
        assert isinstance(outcome, Missing)
        assert outcome.reason is Reason.NOT_REACHED


def test_lessons_reach_the_next_round(tmp_path: Path) -> None:
    run = campaign.run(toy(), tmp_path)
    longest = [max(len(r.text) for r in run.rows if r.round == k and r.smiles) for k in (0, 1)]
    assert longest[1] == longest[0] + 7


def test_statements_context_and_provenance_are_kept(tmp_path: Path) -> None:
    run = campaign.run(toy(), tmp_path)
    assert run.statements[0].quote == "x inhibits it."
    assert run.receptor_pdb == "ATOM"
    assert run.provenance["versions"]["rdkit"]
    assert run.provenance["seed"] == 7


def test_a_second_run_computes_nothing_and_load_reads_the_same(tmp_path: Path) -> None:
    first = campaign.run(toy(), tmp_path)
    shards = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")}
    again = campaign.run(toy(), tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.parquet")} == shards
    assert campaign.load(tmp_path).rows == again.rows == first.rows
    assert again.funnel == first.funnel


def test_the_table_does_not_depend_on_chunks_or_folder(tmp_path: Path) -> None:
    parts = toy().model_dump(mode="json")["scorers"]
    small = toy(scorers=[{**part, "chunk": 2} for part in parts])
    assert campaign.run(toy(), tmp_path / "a").rows == campaign.run(small, tmp_path / "b").rows


def test_a_run_stopped_in_the_middle_is_readable_and_goes_on(tmp_path: Path) -> None:
    whole = campaign.run(toy(), tmp_path / "whole")

    def stop(event: Event) -> None:
        if event.stage == "round 1: qed":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        campaign.run(toy(), tmp_path / "cut", on_event=stop)
    part = campaign.load(tmp_path / "cut")
    assert not part.finished
    assert len(part.rows) == 20
    bars = {bar.stage: bar.counts for bar in part.funnel}  # of the second round nobody got to QED
    assert bars["qed"].n_in < bars["length"].n_ok
    assert campaign.run(toy(), tmp_path / "cut").rows == whole.rows


def test_another_campaign_is_not_mixed_in(tmp_path: Path) -> None:
    """A machine with more processors is no other campaign; what another command left is."""
    Ledger.open(tmp_path / "screen").put_document("screen", {})
    with pytest.raises(FolderTaken, match="another command"):
        campaign.run(toy(), tmp_path / "screen")
    before = campaign.run(toy(), tmp_path)
    assert campaign.run(toy(workers=7), tmp_path).rows == before.rows
    with Ledger.open(tmp_path).lock(), pytest.raises(CampaignError, match=r"different: rounds\)"):
        campaign.run(toy(rounds=3), tmp_path)  # nor is another helped


def test_other_versions_are_not_mixed_in_unless_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = campaign.run(toy(), tmp_path)
    real = provenance.versions()
    monkeypatch.setattr(provenance, "versions", lambda: {**real, "rdkit": "1999.1.1"})
    with pytest.raises(CampaignError, match=rf"rdkit {real['rdkit']} -> 1999\.1\.1"):
        campaign.run(toy(), tmp_path)
    assert campaign.run(toy(), tmp_path, allow_mixed=True).rows == before.rows
    recorded = Ledger(tmp_path).get_document("versions")
    assert [versions["rdkit"] for versions in recorded] == [real["rdkit"], "1999.1.1"]


def test_a_damaged_shard_is_computed_again_and_said(tmp_path: Path) -> None:
    before = campaign.run(toy(), tmp_path)
    shard = sorted(tmp_path.rglob("*.parquet"))[0]
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(bytes(data))
    told: list[Event] = []
    assert campaign.run(toy(), tmp_path, on_event=told.append).rows == before.rows
    assert any(event.kind == "warning" and shard.name in event.text for event in told)


def test_a_damaged_document_stops_with_its_name(tmp_path: Path) -> None:
    campaign.run(toy(), tmp_path)
    (tmp_path / "documents" / "proposals-0.json").write_text("{}")
    with pytest.raises(Exception, match="proposals-0"):
        campaign.run(toy(), tmp_path)


def test_a_changed_file_is_not_mixed_in(tmp_path: Path) -> None:
    molecules = tmp_path / "mine.smi"
    molecules.write_text("CCO ethanol\nCCCO propanol\n")
    with_file = toy(rounds=1, proposers=[{"use": "library", "n": 2, "settings": {"path": str(molecules)}}])
    before = campaign.run(with_file, tmp_path / "run")
    assert campaign.run(with_file, tmp_path / "run").rows == before.rows
    molecules.write_text("CCO ethanol\nCCCCO butanol\n")
    with pytest.raises(CampaignError, match=r"mine\.smi changed since"):
        campaign.run(with_file, tmp_path / "run")
    molecules.unlink()
    with pytest.raises(CampaignError, match=r"mine\.smi is gone since"):
        campaign.run(with_file, tmp_path / "run")


def test_changed_code_is_computed_again_and_the_rest_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = campaign.run(toy(), tmp_path)
    shards = set(tmp_path.rglob("*.parquet"))
    real = provenance.code_digest
    monkeypatch.setattr(provenance, "code_digest", lambda group, use: real(group, use) + "!" * (use == "qed"))
    assert campaign.run(toy(), tmp_path).rows == before.rows
    new = {Ledger(tmp_path).shard(path.stem).stage for path in set(tmp_path.rglob("*.parquet")) - shards}
    assert new == {"qed"}


def test_two_scorers_cannot_fill_one_column(tmp_path: Path) -> None:
    part = {"use": "qed", "desirability": {"shape": "higher", "low": 0, "high": 1}}
    with pytest.raises(CampaignError, match="both fill the column 'qed'"):
        campaign.run(toy(scorers=[part, part]), tmp_path)


def test_loading_nothing_says_so(tmp_path: Path) -> None:
    with pytest.raises(CampaignError, match="no campaign was run here"):
        campaign.load(tmp_path)
    (tmp_path / "SHA256SUMS").write_text("")
    with pytest.raises(CampaignError, match=r"what another command left.*discovery report writes a page"):
        campaign.load(tmp_path)
    with pytest.raises(CampaignError, match="no such folder"):
        campaign.load(tmp_path / "none")


def test_a_proposer_that_proposes_too_many_or_something_else_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Chains, "propose", lambda self, n, **_: [Proposal("C", "chains", 0)] * (n + 1))
    with pytest.raises(plugins.PluginError, match="gave 11 molecules when asked for at most 10"):
        campaign.run(toy(), tmp_path)
    monkeypatch.setattr(Chains, "propose", lambda self, n, **_: ["C"] * n)
    with pytest.raises(plugins.PluginError, match=r"gave a str, not a Proposal; discovery conform proposers"):
        campaign.run(toy(), tmp_path)


def test_a_folder_with_a_screen_says_where_its_rows_are(tmp_path: Path) -> None:
    Ledger.open(tmp_path).put_document("screen", {"library": "some.smi"})
    with pytest.raises(CampaignError, match=r"holds a screen, not a campaign.*top\.csv"):
        campaign.load(tmp_path)


def test_a_molecules_own_name_stays_with_it(tmp_path: Path) -> None:
    library = tmp_path / "mine.smi"
    library.write_text("CCCCCC hexane\nnonsense x17\nCCCCCC again\n")
    whole = toy(proposers=[{"use": "library", "settings": {"path": str(library)}}], rounds=1)
    rows = {row.name: row for row in campaign.run(whole, tmp_path / "run").rows}
    assert rows["hexane"].rank == 1
    assert rows["x17"].missing is not None
    assert rows["again"].missing is not None
    assert rows["x17"].missing.detail.startswith("r0-0001 (x17) is not a SMILES")
    assert rows["again"].missing.detail == "r0-0002 (again) is the same molecule as r0-0000 (hexane)"


def test_where_a_proposal_comes_from_is_in_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [Proposal("CCCCCC", "chains", 0, log_prob=-3.5, weights="45f3")]
    monkeypatch.setattr(Chains, "propose", lambda *_, **__: made)
    (row,) = campaign.run(toy(rounds=1), tmp_path).rows
    assert (row.log_prob, row.weights) == (-3.5, "45f3")
    assert campaign.load(tmp_path).rows == (row,)


def test_a_wish_for_the_worse_numbers_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    wish = {"use": "length", "desirability": {"shape": "lower", "low": 0, "high": 40}}
    run = campaign.run(toy(scorers=[wish]), tmp_path, on_event=lambda event: said.append(event.text))
    (note,) = (text for text in run.notes if "wishes length lower, but high numbers of length are" in text)
    assert note in said
    assert campaign.load(tmp_path).notes == run.notes


@pytest.mark.parametrize("given", ["campaign.toml", {"name": "x"}])
def test_what_is_no_campaign_is_told_how_to_become_one(tmp_path: Path, given: Any) -> None:
    with pytest.raises(
        TypeError, match=r"discovery\.config\.read makes one of a file, parse of a dictionary"
    ):
        campaign.run(given, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_run_is_told_in_one_line(tmp_path: Path) -> None:
    run = campaign.run(toy(), tmp_path)
    assert repr(run).startswith(f"Run of 20 molecules, {len(run.ranked)} ranked: toy;")


@pytest.mark.parametrize("part", ["evidence", "proposers", "scorers"])
def test_a_part_that_is_not_there_binds_no_folder(tmp_path: Path, part: str) -> None:
    with pytest.raises(plugins.PluginError, match=rf"{part} 1: there is no .* called 'hearsai'"):
        campaign.run(toy(**{part: [{"use": "hearsai", **_wish(part)}]}), tmp_path)
    assert campaign.run(toy(), tmp_path).finished


def _wish(part: str) -> dict[str, Any]:
    wish = {"desirability": {"shape": "higher", "low": 0, "high": 1}}
    return wish if part == "scorers" else {}


def test_a_folder_tells_its_configuration(tmp_path: Path) -> None:
    campaign.run(toy(seed=11), tmp_path)
    assert campaign.recorded(tmp_path) == toy(seed=11)
    with pytest.raises(CampaignError, match="no such folder"):
        campaign.recorded(tmp_path / "absent")
