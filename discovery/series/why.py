"""Why does this molecule score as it does, and what speaks for or against making it?

One page about one row: what each objective gave, which atoms each score comes from, the
alerts on their atoms, what it was made from, the nearest molecules that somebody measured
or sells, and how hard it looks to make. Every part says when there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import zip_longest

from rdkit import DataStructs

from discovery.molecule import Molecule
from discovery.outcome import Missing
from discovery.properties.rings import ring_systems, seen
from discovery.properties.similarity import fingerprint
from discovery.properties.synthesis import SyntheticAccessibility
from discovery.results import Row, Run
from discovery.score import Column, Score, Scorer
from discovery.series.attribution import Attribution, attribute
from discovery.series.known import common_drugs
from discovery.series.measured import Measured
from discovery.views.cards import marks_of
from discovery.views.drawing import Mark, UndrawableError, data_uri, molecule_svg
from discovery.views.layout import Part, shared_parts
from discovery.views.lineage import in_words, names_of
from discovery.views.reading import label_of, route_of
from discovery.views.text import PAPER, TITLE, inert, number, spread

GOOD, BAD = "#56B4E9", "#E69F00"  # Okabe and Ito: helps, hurts; the sign stands beside it
NEAR, FAR = 0.7, 0.3  # Tanimoto on counted ECFP4: above, much alike; below, hardly related
_EASE = ((3.0, "easy: like many drugs on the market"), (4.5, "moderate"), (6.0, "hard"))


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A molecule somebody measured or sells."""

    name: str
    smiles: str
    similarity: float  # Tanimoto on counted ECFP4, 0..1
    value: float | None  # measured; None for a drug that is only named


@dataclass(frozen=True)
class Why:
    """All that can be said of one row."""

    row: Row
    columns: tuple[Column, ...]
    attributions: tuple[Attribution | Missing, ...]
    measured: Measured | None
    neighbours: tuple[Neighbour, ...]  # nearest first
    drugs: tuple[Neighbour, ...]
    ease: Score | Missing
    names: Mapping[str, str]  # the run's molecules by structure
    than: Why | None = None  # another row, to stand beside this one

    @property
    def title(self) -> str:
        """The row's rank and name."""
        rank = f"{self.row.rank}. " if self.row.rank is not None else ""
        return f"{rank}{inert(self.row.title, limit=TITLE)}"

    @property
    def domain(self) -> str:
        """How far the molecule is from what is known, in words."""
        best = max((one.similarity for one in (*self.neighbours, *self.drugs)), default=0.0)
        whose = (
            "measured molecule" if self.neighbours and self.neighbours[0].similarity == best else "known drug"
        )
        if best >= NEAR:
            return f"close to a {whose} (similarity {number(best)}): numbers of similar molecules apply"
        if best >= FAR:
            return f"related to a {whose} (similarity {number(best)}): predictions interpolate loosely"
        return f"unlike every molecule looked at (nearest {number(best)}): predictions extrapolate"

    @property
    def route(self) -> str:
        """How it is made, where a scorer searched for a route; else how hard it looks, a class."""
        planned = route_of(self.row)
        if planned is not None:
            return planned.words
        if isinstance(self.ease, Missing):
            return f"not known: {inert(self.ease.detail)}"
        value = self.ease.value
        words = next((text for limit, text in _EASE if value < limit), "very hard")
        return f"{words} (SA score {number(value, 1)} on a scale from 1 to 10; no route was searched)"

    @property
    def rings(self) -> str:
        """Whether anybody has made rings like these, in words."""
        counted = {key: seen(key) for key, _ in ring_systems(Molecule(self.row.smiles).mol())}
        unseen = [key for key, times in counted.items() if times == 0]
        if not counted:
            return "none"
        if unseen:
            return (
                f"{len(unseen)} of {len(counted)} never seen in the medicinal literature: {', '.join(unseen)}"
            )
        return (
            f"all {len(counted)} seen in the medicinal literature"
            if len(counted) > 1
            else "seen in the medicinal literature"
        )

    def __repr__(self) -> str:
        return f"Why {inert(self.row.title)}: {len(self.attributions)} scores explained; {self.domain}"

    def _repr_html_(self) -> str:
        beside = f", beside {self.than.title}" if self.than else ""
        parts = [f"<h4>{escape(self.title + beside)}</h4>", self._facts(), self._atoms()]
        if self.row.parents:
            parts.append(self._origin())
        parts.append(self._known())
        return f'<div style="{PAPER};padding:8px">{"".join(parts)}</div>'

    def _facts(self) -> str:
        both = (self, self.than) if self.than else (self,)
        told = [one._lines() for one in both]
        lines = [
            _line(what, *(cell for lines in told for cell in lines[what]))
            for what in told[0]
            if any(any(lines[what]) for lines in told)
        ]
        heads = [head for one in both for head in (escape(one.title), "desirability, 0 to 1")]
        return f"<table><thead>{_line('', *heads, tag='th')}</thead><tbody>{''.join(lines)}</tbody></table>"

    def _lines(self) -> dict[str, tuple[str, str]]:
        """What, what was found, how desirable it is; the same lines for every row of a run."""
        lines = {}
        if self.row.utility is not None:
            lines["Overall"] = ("", _wish(self.row.utility))
        for column in self.columns:
            outcome = self.row.outcomes.get(column.name)
            wish = self.row.desirability.get(column.name)
            if isinstance(outcome, Score):
                error = f" ± {spread(outcome.error)}" if outcome.error is not None else ""
                said = f"{number(outcome.value, 0 if outcome.value == round(outcome.value) else 2)}{error}"
            else:
                said = escape(inert(outcome, limit=200)) if outcome else "not scored"
            lines[escape(label_of(column))] = (said, "does not count" if wish is None else _wish(wish))
        lines["Making it"] = (escape(self.route), "")
        lines["How far from what is known"] = (escape(self.domain), "")
        lines["Ring systems"] = (escape(self.rings), "")
        alerts, _ = marks_of(self.row)
        named = "; ".join(inert(item.alert.name, limit=80) for item in alerts)
        lines["Alerts"] = (escape(named), "")
        return lines

    def _atoms(self) -> str:
        both = (self, self.than) if self.than else (self,)
        pictures = [
            one._pictures(whose=f"{one.title}: " if self.than else "", like=self._like) for one in both
        ]
        lines = "".join(f"<div>{''.join(line)}</div>" for line in zip_longest(*pictures, fillvalue=""))
        note = (
            "<p><small>Blue parts help, orange ones hurt; the number is what the score gains by the part, the rest of the "
            "molecule given. It says how the scorer sees the molecule, not how nature does.</small></p>"
        )
        return f"{lines}{note if self.attributions else ''}"

    def _pictures(self, whose: str, like: Sequence[Part]) -> list[str]:
        shown = []
        _, marks = marks_of(self.row)
        if marks:
            shown.append(_figure(self.row.smiles, marks, f"{whose}structural alerts", like))
        for found in self.attributions:
            if isinstance(found, Missing):
                shown.append(f"<p>{escape(inert(found, limit=300))}</p>")
                continue
            caption = f"{whose}{label_of(found.column)} {number(found.total)}, of which the bare core {number(found.core)}"
            shown.append(_figure(self.row.smiles, marks_for(found), caption, like))
        return shown or [_figure(self.row.smiles, (), self.title, like)]

    @property
    def _like(self) -> Sequence[Part]:
        """What lies the same way in all the drawings."""
        rows = [self.row.smiles, *([self.than.row.smiles] if self.than else []), *self.row.parents[:4]]
        return shared_parts([*rows, *(one.smiles for one in self.neighbours)])

    def _origin(self) -> str:
        figures = "".join(
            _figure(parent, (), self.names.get(parent, f"parent {place}"), self._like)
            for place, parent in enumerate(self.row.parents[:4], 1)
        )
        return f"<p><b>Made from</b> {escape(in_words(self.row, self.names))}</p><div>{figures}</div>"

    def _known(self) -> str:
        figures = []
        for one in self.neighbours:
            unit = f" {self.measured.column.unit}" if self.measured and self.measured.column.unit else ""
            value = "" if one.value is None else f", measured {number(one.value)}{unit}"
            caption = f"{one.name}: similarity {number(one.similarity)}{value}"
            figures.append(_figure(one.smiles, (), caption, self._like))
        head = "<p><b>Nearest measured</b></p>" if figures else ""
        drugs = "".join(
            _figure(one.smiles, (), f"{one.name}: similarity {number(one.similarity)}") for one in self.drugs
        )
        return f"{head}<div>{''.join(figures)}</div><p><b>Nearest known drugs</b></p><div>{drugs}</div>"


def why(
    row: Row,
    run: Run,
    scorers: Sequence[Scorer] = (),
    *,
    known: Measured | None = None,
    n: int = 3,
    than: Row | None = None,
) -> Why:
    """Gather what is known of a row.

    Parameters
    ----------
    scorers : whose scores are shared out among the atoms; each is asked about once for every branch
    known : molecules with measured numbers
    n : neighbours shown of each kind
    than : another row of the run, told beside this one

    Raises
    ------
    ValueError
        The row has no structure.
    """
    if not row.smiles:
        raise ValueError(f"{row.id} has no structure: {row.missing}")
    molecule = Molecule(row.smiles, row.id)
    (ease,) = SyntheticAccessibility()([molecule])
    drugs = [Neighbour(d.name, d.smiles, s, None) for d, s in _nearest(molecule, common_drugs(), n)]
    neighbours = []
    if known is not None:
        there = [known.molecule(place) for place in known.usable]
        there = [one for one in there if one.smiles != molecule.smiles]  # no neighbour of itself
        value = {known.molecule(place).smiles: known.value(place) for place in known.usable}
        neighbours = [
            Neighbour(m.name or m.smiles, m.smiles, s, value[m.smiles])
            for m, s in _nearest(molecule, there, n)
        ]
    return Why(
        row,
        run.columns,
        tuple(attribute(scorer, molecule) for scorer in scorers),
        known,
        tuple(neighbours),
        tuple(drugs),
        ease,
        names_of(run),
        why(than, run, scorers, known=known, n=n) if than else None,
    )


def marks_for(found: Attribution, *, least: float = 0.05) -> tuple[Mark, ...]:
    """Each part that matters, coloured by whether it helps and labelled with its value.

    `least` leaves out what is below this share of the largest part.
    """
    top = max((abs(part.value) for part in found.parts), default=0.0)
    marks = []
    for part in found.parts:
        if top == 0 or abs(part.value) < least * top:
            continue
        helps = (part.value > 0) == (found.column.better == "high")
        label = ("+" if part.value > 0 else "-") + number(
            abs(part.value), 1 if top >= 1 else 2
        )  # RDKit draws no true minus
        marks.append(Mark(part.atoms, label, _faded(GOOD if helps else BAD, abs(part.value) / top)))
    return tuple(marks)


def _nearest(molecule: Molecule, others: Sequence[Molecule], n: int) -> list[tuple[Molecule, float]]:
    if not others:
        return []
    likeness = DataStructs.BulkTanimotoSimilarity(fingerprint(molecule), [fingerprint(o) for o in others])
    order = sorted(range(len(others)), key=lambda place: (-likeness[place], others[place].name))[:n]
    return [(others[place], float(likeness[place])) for place in order]


def _faded(colour: str, strength: float) -> str:
    """Towards white where little is at stake."""
    share = 0.25 + 0.75 * strength
    parts = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#" + "".join(f"{round(255 - share * (255 - part)):02X}" for part in parts)


def _figure(smiles: str, marks: Sequence[Mark], caption: str, like: Sequence[Part] = ()) -> str:
    said = escape(inert(caption, limit=160))
    try:
        svg = molecule_svg(smiles, marks=marks, width=300, height=200, title=caption, like=like)
    except UndrawableError:
        return f"<p><code>{escape(inert(smiles, limit=200))}</code><br>{said}</p>"
    return (
        f'<span style="display:inline-block;width:310px;vertical-align:top;text-align:center">'
        f'<img width="300" height="200" alt="{said}" src="{data_uri(svg)}"><br><small>{said}</small></span>'
    )


def _wish(share: float) -> str:
    bar = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 104 12" width="104" height="12"><rect width="104" height="12" '
        f'fill="#E4E8EC"/><rect width="{104 * share:.1f}" height="12" fill="#0072B2"/><path d="M104,0V12" stroke="#5b6675"/></svg>'
    )
    return f'<img alt="{share:.2f} of 1" width="104" height="12" src="{data_uri(bar)}"> {number(share)}'


def _line(*cells: str, tag: str = "td") -> str:
    look = 'style="text-align:left;padding:3px 10px"'
    # the rows say their colours themselves: a notebook's dark theme stripes them dark within the white panel
    return f'<tr style="{PAPER}">{"".join(f"<{tag} {look}>{cell}</{tag}>" for cell in cells)}</tr>'
