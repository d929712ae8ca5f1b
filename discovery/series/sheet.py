"""How does a table of structures and numbers look, in a notebook and in a report?

The rows are the same; a notebook gets pictures that show without trust, a page gets
inline drawings and no style of its own. What the molecules of a table share lies the
same way in all its drawings.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape

from markupsafe import Markup
from rdkit import Chem

from discovery.molecule import quiet_rdkit
from discovery.outcome import Missing
from discovery.views.drawing import INK, Mark, UndrawableError, data_uri, molecule_svg
from discovery.views.layout import Part, shared_parts
from discovery.views.text import LINE, PAPER, inert, number

_CELL = 'style="text-align:left;padding:4px 10px;vertical-align:middle"'
_RIGHT = 'style="text-align:right;padding:4px 10px;vertical-align:middle;white-space:nowrap"'
_SHORT = _CELL[:-1] + ';white-space:nowrap"'
_MIDDLE = 'style="text-align:center;padding:4px 10px;vertical-align:middle;white-space:nowrap;background:{}"'
_DEPTHS = ("transparent", *(f"{blue};color:{INK}" for blue in ("#EBF4FA", "#CEE5F1", "#B2D5E8", "#96C7E0")))
SHORT = 24  # characters
CORE = (420, 270)  # px, of the drawing above a table


@dataclass(frozen=True, slots=True)
class Drawing:
    """A structure in a cell; [*:1] is drawn as R1."""

    smiles: str
    width: int = 230  # px
    height: int = 150
    marked: tuple[int, ...] = ()  # atoms to be coloured, as this SMILES counts them

    def svg(self, like: Sequence[Part] = ()) -> str:
        """The picture, empty when RDKit has none; `like` as for `layout.laid_out`."""
        try:
            return molecule_svg(
                _named(self.smiles),
                marks=[Mark(self.marked)] if self.marked else (),
                width=self.width,
                height=self.height,
                title=self.smiles,
                like=like,
            )
        except UndrawableError:
            return ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as it is written, right-aligned; among structures in the middle, on a ground the darker the better it is."""

    text: str
    depth: int = 0  # 1 to 4; 0: no ground


Cell = str | Drawing | Figure


@dataclass(frozen=True)
class Sheet:
    """A table to be looked at."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""  # what a reader needs to know to read it
    core: str = ""  # SMILES with [*:1], [*:2] ... where the groups of the table hang; drawn above it
    example: str = ""  # a molecule with this core: how it lies

    @cached_property
    def like(self) -> tuple[Part, ...]:
        """What lies the same way in all drawings: the core, then what whole molecules share."""
        drawn = [cell.smiles for row in self.rows for cell in row if isinstance(cell, Drawing)]
        whole = [smiles for smiles in drawn if "*" not in smiles]
        core = [Part(self.core, self.example)] if self.core else []
        return (*core, *shared_parts(whole))

    def __repr__(self) -> str:
        return f"Sheet of {len(self.rows)} rows: {inert(self.caption)}"

    def _repr_html_(self) -> str:
        if not self.rows:
            return f"<p>{escape(inert(self.caption))}</p>"
        sides = [
            "center" if middle else "right" if right else "left"
            for right, middle in zip(self._numeric(), self._middle(), strict=True)
        ]
        head = "".join(
            f"<th {_CELL.replace('left', side)}>{escape(inert(name))}</th>"
            for name, side in zip(self.heads, sides, strict=True)
        )
        body = []
        for row in self.rows:
            cells = []
            for cell, right, middle in zip(row, self._numeric(), self._middle(), strict=True):
                if isinstance(cell, Drawing) and (svg := cell.svg(self.like)):
                    cells.append(f'<td style="{PAPER};padding:2px">{_picture(cell.smiles, svg)}</td>')
                elif middle:
                    ground = _DEPTHS[cell.depth if isinstance(cell, Figure) else 0]
                    cells.append(f"<td {_MIDDLE.format(ground)}>{_text(cell)}</td>")
                else:
                    short = _is_short(cell)
                    style = (
                        _RIGHT
                        if isinstance(cell, Figure) or (short and right)
                        else _SHORT
                        if short
                        else _CELL
                    )
                    cells.append(f"<td {style}>{_text(cell)}</td>")
            body.append(f'<tr style="{LINE}">{"".join(cells)}</tr>')
        note = f"<p><small>{escape(inert(self.note))}</small></p>" if self.note else ""
        core = Drawing(self.core, *CORE).svg(self.like) if self.core else ""
        above = f'<div style="{PAPER};width:{CORE[0]}px">{_picture(self.core, core)}</div>' if core else ""
        return (
            f'{above}<table style="border-collapse:collapse"><caption style="text-align:left">{escape(inert(self.caption))}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>{note}"
        )

    def _numeric(self) -> list[bool]:
        """Which columns hold numbers: what heads them within the table stands above them, on the right."""
        return [any(isinstance(row[place], Figure) for row in self.rows) for place in range(len(self.heads))]

    def _middle(self) -> list[bool]:
        """Which columns hold structures: what stands among them, a number or an H, stands in the middle."""
        return [
            any(isinstance(row[place], Drawing) or getattr(row[place], "depth", 0) for row in self.rows)
            for place in range(len(self.heads))
        ]

    def markup(self) -> Markup:
        """The table for a page with the report's style sheet; drawings inline, no style attributes."""
        if not self.rows:
            return Markup(f'<p class="hint">{escape(inert(self.caption))}</p>')
        numeric = self._numeric()
        heads = [
            f'<th scope="col"{_classes({"num": right, "middle": middle})}>{escape(inert(name))}</th>'
            for name, right, middle in zip(self.heads, numeric, self._middle(), strict=True)
        ]
        body = []
        for row in self.rows:
            cells = []
            for cell, right, middle in zip(row, numeric, self._middle(), strict=True):
                drawn = cell.svg(self.like) if isinstance(cell, Drawing) else ""
                names = {
                    "paper": bool(drawn),
                    "middle": middle,
                    f"d{getattr(cell, 'depth', 0)}": bool(getattr(cell, "depth", 0)),
                    "num": isinstance(cell, Figure) or (right and isinstance(cell, str)),
                    "short": _is_short(cell),
                }
                cells.append(f"<td{_classes(names)}>{drawn or _text(cell)}</td>")
            body.append(f"<tr>{''.join(cells)}</tr>")
        words = escape(inert(self.caption))
        note = f'<p class="hint">{escape(inert(self.note))}</p>' if self.note else ""
        return Markup(
            f'{note}<div class="wide" tabindex="0" role="group" aria-label="{words}"><table class="rows plain">'
            f"<thead><tr>{''.join(heads)}</tr></thead>"
            f"<tbody>{''.join(body)}</tbody></table></div>"
        )


def figure(value: float | None, decimals: int = 2) -> Figure:
    """A number, or a dash where there is none to give."""
    return Figure("–" if value is None else number(value, decimals))


def signed(value: float, decimals: int = 2) -> Figure:
    """A change, with its sign."""
    return Figure(("+" if value > 0 else "") + number(value, decimals))


def span(interval: tuple[float, float] | None, decimals: int = 2) -> Figure:
    """An interval, or a dash where it is not known."""
    if interval is None:
        return Figure("–")
    return Figure(f"{number(interval[0], decimals)} to {number(interval[1], decimals)}")


def left_out(outcomes: Iterable[object]) -> Sheet:
    """Why rows are not in a result: how many each reason cost, with two examples."""
    gone = [outcome for outcome in outcomes if isinstance(outcome, Missing)]
    counted = Counter(outcome.reason for outcome in gone)
    rows: list[tuple[Cell, ...]] = []
    for reason, count in counted.most_common():
        shown = [outcome.detail for outcome in gone if outcome.reason is reason][:2]
        rows.append(
            (
                Figure(f"{count:,}"),
                reason.value.replace("_", " "),
                "; ".join(inert(text, limit=160) for text in shown),
            )
        )
    return Sheet(
        f"{len(gone):,} row{'' if len(gone) == 1 else 's'} left out",
        ("rows", "reason", "for example"),
        tuple(rows),
    )


def _named(smiles: str) -> str:
    """The same SMILES with R1, R2 ... for mapped placeholders."""
    with quiet_rdkit():
        mol = Chem.MolFromSmiles(smiles, sanitize=False) if ":" in smiles else None
        if mol is None:
            return smiles
        for atom in mol.GetAtoms():
            if atom.GetAtomicNum() == 0 and atom.GetAtomMapNum():
                atom.SetProp("atomLabel", f"R{atom.GetAtomMapNum()}")
            atom.SetAtomMapNum(0)
        return str(Chem.MolToCXSmiles(mol))


def _picture(words: str, svg: str) -> str:
    return f'<img alt="{escape(inert(words, limit=200))}" src="{data_uri(svg)}">'


def _is_short(cell: Cell) -> bool:
    """A name: it does not break."""
    return isinstance(cell, str) and len(cell) <= SHORT


def _classes(names: dict[str, bool]) -> str:
    on = " ".join(name for name, is_on in names.items() if is_on)
    return f' class="{on}"' if on else ""


def _text(cell: Cell) -> str:
    if isinstance(cell, Figure):
        return escape(cell.text)
    words = cell.smiles if isinstance(cell, Drawing) else cell
    shown = escape(inert(words, limit=400))
    return f"<code>{shown}</code>" if isinstance(cell, Drawing) else shown


def first(n: int, of: Sequence[object]) -> str:
    """ "12 of 340", for captions."""
    return f"{min(n, len(of)):,} of {len(of):,}"
