"""What did the scorers leave beside their numbers: poses, contacts, alerts, verdicts?

`Score.details` is open to every plug-in, so nothing is taken on trust here: what
has the promised shape comes back as a record, everything else as inert text.

    "pose"          SDF mol block with hydrogens, in the receptor's frame
    "interactions"  [{"residue": "A:ASP129", "kind": "salt bridge", "distance": 2.9, ...}]
    "plausibility"  {"check": verdict or number, ...}
    "alerts"        [{"name": "nitro", "set": "BRENK", "atoms": [3, 4, 5]}]
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from discovery.results import Row, Run, StageCount
from discovery.score import Column, Score
from discovery.views.text import MINUS, inert

STORED_WHOLE = ("pose", "interactions", "alerts")  # shown as pictures and tables of their own


@dataclass(frozen=True, slots=True)
class Alert:
    """A structural alert that matched, and where."""

    name: str
    collection: str = ""
    atoms: tuple[int, ...] = ()  # in the order of the row's standard SMILES


@dataclass(frozen=True, slots=True)
class Contact:
    """One interaction of a pose with a residue."""

    residue: str  # as the docking room names it
    kind: str  # "hydrogen bond", "hydrophobic": one of a few, for colours
    distance: float | None = None  # Å
    atoms: tuple[int, ...] = ()  # of the ligand, in the order of the pose's mol block, where stated
    said: str = ""  # the scorer's own words where they say more: "hydrogen bond, ligand donates"

    @property
    def words(self) -> str:
        """How a table names it."""
        return self.said or self.kind


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a details table."""

    label: str
    text: str
    good: bool | None = None  # None where it is a measurement and no verdict


def title_of(column: Column) -> str:
    """The column's name for people, beginning as a heading does: "Molecular weight", but "logP"."""
    title = inert(column.title or column.name.replace("_", " "))
    return title[:1].upper() + title[1:] if title.split(" ")[0].islower() else title


def label_of(column: Column) -> str:
    """The same with its unit: "Docking score / kcal/mol"."""
    return title_of(column) if column.unit in ("", "1") else f"{title_of(column)} / {inert(column.unit)}"


def column_named(run: Run, name: str) -> Column:
    """The column of that name.

    Raises
    ------
    KeyError
        There is none; the message lists those there are.
    """
    for column in run.columns:
        if column.name == name:
            return column
    raise KeyError(f"there is no column {name!r}; there are: {', '.join(c.name for c in run.columns)}")


def stages_of(run: Run) -> tuple[StageCount, ...]:
    """The run's funnel, its stages named as the columns are."""
    titles = {column.name: title_of(column) for column in run.columns}
    return tuple(
        replace(bar, stage=titles.get(bar.stage, inert(bar.stage).capitalize())) for bar in run.funnel
    )


def scores_of(row: Row) -> dict[str, Score]:
    """The columns that hold a number."""
    return {name: outcome for name, outcome in row.outcomes.items() if isinstance(outcome, Score)}


def alerts_of(row: Row) -> tuple[Alert, ...]:
    """Every structural alert that any scorer reported of this row."""
    found = []
    for entry in _entries(row, "alerts"):
        if isinstance(entry, Mapping):
            name = inert(entry.get("name", "")) or "unnamed alert"
            found.append(Alert(name, inert(entry.get("set", "")), _indices(entry.get("atoms"))))
        else:
            found.append(Alert(inert(entry, limit=120)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Route:
    """How a molecule is made, as a scorer planned it."""

    steps: int
    blocks: int  # to be bought
    absent: int  # of those needed, not in stock

    @property
    def words(self) -> str:
        """ "3 steps from 2 blocks in stock and 1 that is not"."""
        stock = f"{self.blocks} block{'' if self.blocks == 1 else 's'} in stock"
        lacking = f" and {self.absent} not in stock" if self.absent else ""
        return f"{self.steps} step{'' if self.steps == 1 else 's'} from {stock}{lacking}"


def route_of(row: Row) -> Route | None:
    """The route that a scorer left as `route`, `buy` and `lacking` lists; None where no scorer did."""
    for score in scores_of(row).values():
        steps = score.details.get("route")
        if isinstance(steps, Sequence) and not isinstance(steps, str) and steps:
            counts = [
                len(found) if isinstance(found := score.details.get(key), (list, tuple)) else 0
                for key in ("buy", "lacking")
            ]
            return Route(len(steps), *counts)
    return None


def deciding_first(run: Run) -> tuple[Column, ...]:
    """Columns that were asked of the best molecules alone before the others: they decide, and a page is only so wide."""
    entered = run.funnel[0].counts.n_in if run.funnel else 0
    few = {bar.stage for bar in run.funnel if 2 * (bar.counts.n_ok + bar.counts.n_failed) < entered}
    return tuple(sorted(run.columns, key=lambda column: column.name not in few))


def pose_of(row: Row) -> str:
    """The mol block of the row's pose in the receptor; empty when no scorer left one."""
    for score in scores_of(row).values():
        pose = score.details.get("pose")
        if isinstance(pose, str) and pose.strip():
            return pose
    return ""


def contacts_of(row: Row) -> tuple[Contact, ...]:
    """The pose's interactions, closest first."""
    found = []
    for entry in _entries(row, "interactions"):
        if not isinstance(entry, Mapping):
            found.append(Contact(inert(entry, limit=120), "unnamed"))
            continue
        said = inert(entry.get("kind", ""), limit=60)
        atoms = entry.get("ligand_atoms", entry.get("atoms"))
        found.append(
            Contact(
                inert(entry.get("residue", ""), limit=40).removeprefix(":") or "unnamed residue",
                contact_kind(said),
                _finite(entry.get("distance")),
                _indices(atoms),
                said if " " in said else "",
            )
        )
    found.sort(key=lambda contact: math.inf if contact.distance is None else contact.distance)
    return tuple(found)


_KINDS = (
    ("hydrogen bond", r"\bhb|h[\s_-]?bond|hydrogen"),
    ("halogen bond", r"\bxb|x[\s_-]?bond|halogen"),
    ("salt bridge", r"salt|ionic|anionic|cationic"),
    ("cation-π", r"cation[\s_-]?(pi|π)|(pi|π)[\s_-]?cation"),
    ("π-stacking", r"stack|face[\s_-]?to|edge[\s_-]?to|aromatic|(pi|π)[\s_-]?(pi|π)"),
    ("metal", r"metal"),
    ("hydrophobic", r"hydrophob"),
    ("van der Waals", r"vd ?w|van[\s_-]?der"),
)


def contact_kind(name: str) -> str:
    """One name per kind of interaction, whichever program named it: "HBDonor" -> "hydrogen bond"."""
    low = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
    for kind, pattern in (_KINDS[3], *_KINDS):  # cation-π before "cationic"
        if re.search(pattern, low):
            return kind
    return low.replace("_", " ") or "unnamed"


def facts(details: object) -> tuple[Fact, ...]:
    """A details mapping as lines for people: nested keys joined, long lists counted."""
    return tuple(_facts("", details))


def _facts(label: str, value: object) -> list[Fact]:
    if isinstance(value, Mapping):
        lines: list[Fact] = []
        for key, inner in value.items():
            name = inert(key).replace("_", " ")
            lines += _facts(f"{label}, {name}" if label else name, inner)
        return lines
    label = label or "value"
    if isinstance(value, bool):
        return [Fact(label, "yes" if value else "no", value)]
    if isinstance(value, (int, float)):
        return [Fact(label, str(value) if isinstance(value, int) else f"{value:.4g}".replace("-", MINUS))]
    if value is None:
        return [Fact(label, "not known")]
    if isinstance(value, Sequence) and not isinstance(value, str):
        numbers = [
            entry for entry in value if isinstance(entry, (int, float)) and not isinstance(entry, bool)
        ]
        if len(numbers) == len(value) and len(value) > 6:
            return [
                Fact(
                    label,
                    f"{len(value)} values, {min(numbers):.4g} to {max(numbers):.4g}".replace("-", MINUS),
                )
            ]
        shown = ", ".join(
            inert(entry, limit=80) if isinstance(entry, Mapping) else _facts("", entry)[0].text
            for entry in value[:6]
        )
        return [Fact(label, shown + (f" and {len(value) - 6} more" if len(value) > 6 else "") or "none")]
    return [Fact(label, inert(value, limit=300))]


def _entries(row: Row, key: str) -> list[Any]:
    """Of the first scorer that left any: a later one that looks at the same pose repeats them."""
    for score in scores_of(row).values():
        value = score.details.get(key)
        if isinstance(value, Sequence) and not isinstance(value, str) and value:
            return list(value)
        if value:
            return [value]
    return []


def _indices(value: object) -> tuple[int, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        return ()
    if not all(isinstance(entry, int) and not isinstance(entry, bool) for entry in value):
        return ()
    return tuple(value)


def _finite(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return float(value)


def verdict_of(row: Row) -> Fact | None:
    """The plausibility checks of the row's pose in one line; None where no scorer left any."""
    for score in scores_of(row).values():
        if score.details.get("plausibility") not in ([], {}, None, ""):
            return _verdict(score.details["plausibility"])
    return None


def _verdict(plausibility: object) -> Fact | None:
    if isinstance(plausibility, Mapping) and isinstance(plausibility.get("plausible"), bool):
        good = plausibility["plausible"]
        return Fact("Pose checks", "plausible" if good else "not plausible", good)
    judged = [line for line in facts(plausibility) if line.good is not None]
    if not judged:
        return None
    bad = [line.label for line in judged if not line.good]
    if not bad:
        return Fact("Pose checks", f"all {len(judged)} passed", True)
    return Fact("Pose checks", "failed: " + ", ".join(bad), False)
