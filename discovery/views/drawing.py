"""What does this molecule look like on paper, and which of its atoms are meant?

RDKit draws what layout.py laid out; this room chooses the colours, marks atoms, and
rewrites RDKit's SVG without style attributes (a page that forbids inline styles may still show it) and
with equal strokes joined (a thousand pictures then fit in one file).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any
from xml.etree import ElementTree

from rdkit import Chem
from rdkit.Chem.Draw import rdMolDraw2D

from discovery.molecule import quiet_rdkit
from discovery.views.layout import Part, laid_out
from discovery.views.text import inert

# Okabe and Ito's palette, told apart with any common colour vision. The number beside
# the atoms says the same without colour.
MARK_COLOURS = ("#E69F00", "#56B4E9", "#009E73", "#CC79A7", "#D55E00", "#F0E442")
INK = "#1A2330"

_PALETTE: dict[int, str] = {
    -1: INK, 1: INK, 6: INK, 7: "#0B4FB3", 8: "#C22F0A", 9: "#0B7A4B", 15: "#A35200",
    16: "#8A6500", 17: "#0B7A4B", 35: "#7A3B1D", 53: "#6A2C91",
}  # fmt: skip
_SVG = "http://www.w3.org/2000/svg"


@dataclass(frozen=True, slots=True)
class Mark:
    """Atoms to be coloured, and the label that stands beside them."""

    atoms: tuple[int, ...]
    label: str = ""
    colour: str = MARK_COLOURS[0]


class UndrawableError(ValueError):
    """RDKit has no picture of this text."""


def molecule_svg(
    smiles: str,
    *,
    marks: Sequence[Mark] = (),
    width: int = 300,
    height: int = 200,
    title: str = "",
    like: Sequence[Part] = (),
) -> str:
    """A structure as a standalone `<svg>` element, on nothing: the page shows through.

    Parameters
    ----------
    smiles : str
        Atom indices in `marks` count in the order of this SMILES. Marks that name
        an atom the molecule has not are left out: they belong to another molecule.
    width, height : px
    title : str
        Read out by screen readers and shown on hovering; any text, it is escaped.
    like : parts that lie in this picture as in all others; see `layout.laid_out`

    Raises
    ------
    UndrawableError
        RDKit cannot read the SMILES.
    """
    body, _ = depict(_readable(smiles), marks=marks, width=width, height=height, like=like)
    name = escape(inert(title, limit=300))
    return (
        f'<svg xmlns="{_SVG}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img"'
        + (f' aria-label="{name}"><title>{name}</title>' if name else ">")
        + f"{body}</svg>"
    )


def depict(
    mol: Chem.Mol, *, marks: Sequence[Mark] = (), width: int, height: int, like: Sequence[Part] = ()
) -> tuple[str, list[tuple[float, float]]]:
    """What goes inside an `<svg>` of this size, and where each atom of `mol` came to lie in it, in px."""
    drawer = rdMolDraw2D.MolDraw2DSVG(width, height)
    _draw(drawer, mol, marks, like)
    tints = frozenset(
        "#" + "".join(f"{int(255 * part):02X}" for part in _tint(mark.colour)) for mark in marks
    )
    places = [drawer.GetDrawCoords(index) for index in range(mol.GetNumAtoms())]
    return _compact(drawer.GetDrawingText(), tints), [(place.x, place.y) for place in places]


def molecule_png(
    smiles: str,
    *,
    marks: Sequence[Mark] = (),
    width: int = 300,
    height: int = 200,
    like: Sequence[Part] = (),
) -> bytes:
    """The same picture as PNG bytes, on white, for spreadsheets and slides."""
    drawer = rdMolDraw2D.MolDraw2DCairo(width, height)
    drawer.drawOptions().setBackgroundColour((1.0, 1.0, 1.0, 1.0))
    _draw(drawer, _readable(smiles), marks, like)
    return bytes(drawer.GetDrawingText())


def grid_svg(
    molecules: Sequence[tuple[str, str]],
    *,
    columns: int = 4,
    width: int = 240,
    height: int = 180,
    like: Sequence[Part] = (),
) -> str:
    """Pictures with a line of text under each, row by row, as one `<svg>` element.

    `molecules` are (SMILES, text) pairs. A SMILES that cannot be drawn keeps its
    place in the grid, with the words "no picture".

    Raises
    ------
    ValueError
        There is no molecule.
    """
    if not molecules:
        raise ValueError("a grid needs at least one molecule")
    columns = min(columns, len(molecules))
    line = 22
    rows = -(-len(molecules) // columns)
    parts: list[str] = []
    for place, (smiles, text) in enumerate(molecules):
        x, y = place % columns * width, place // columns * (height + line)
        try:
            body = _inner(molecule_svg(smiles, width=width, height=height, like=like))
        except UndrawableError:
            body = f'<text x="{width / 2:g}" y="{height / 2:g}" text-anchor="middle">no picture</text>'
        caption = escape(inert(text, limit=width // 7))
        parts.append(
            f'<g transform="translate({x} {y})">{body}<text x="{width / 2:g}" y="{height + 14}" '
            f'text-anchor="middle">{caption}</text></g>'
        )
    return (
        f'<svg xmlns="{_SVG}" viewBox="0 0 {columns * width} {rows * (height + line)}" '
        f'width="{columns * width}" height="{rows * (height + line)}" font-family="sans-serif" font-size="13" '
        f'fill="{INK}"><rect width="100%" height="100%" fill="#FFFFFF"/>{"".join(parts)}</svg>'
    )


def data_uri(svg: str) -> str:
    """For `<img src>`: the one form of a picture that an untrusted notebook still shows."""
    if not svg.startswith("<svg xmlns"):
        svg = svg.replace("<svg", f'<svg xmlns="{_SVG}"', 1)
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _draw(drawer: rdMolDraw2D.MolDraw2D, mol: Chem.Mol, marks: Sequence[Mark], like: Sequence[Part]) -> None:
    mol = laid_out(mol, like)
    atoms: dict[int, tuple[float, ...]] = {}
    bonds: dict[int, tuple[float, ...]] = {}
    for mark in marks:
        if not mark.atoms or not all(0 <= index < mol.GetNumAtoms() for index in mark.atoms):
            continue
        colour = _tint(mark.colour)
        for index in mark.atoms:
            atoms.setdefault(index, colour)
        inside = set(mark.atoms)
        for bond in mol.GetBonds():
            if bond.GetBeginAtomIdx() in inside and bond.GetEndAtomIdx() in inside:
                bonds.setdefault(bond.GetIdx(), colour)
        if mark.label:
            first = mol.GetAtomWithIdx(_outermost(mol, mark.atoms))
            note = first.GetProp("atomNote") + "," if first.HasProp("atomNote") else ""
            first.SetProp("atomNote", note + mark.label)
    options: Any = drawer.drawOptions()  # RDKit's stubs mistype its settings
    options.setAtomPalette({number: _rgb(colour) for number, colour in _PALETTE.items()})
    options.setAtomNoteColour(_rgb(INK))
    options.clearBackground = not isinstance(drawer, rdMolDraw2D.MolDraw2DSVG)
    options.bondLineWidth = 1.6
    options.padding = 0.04
    options.fixedBondLength = 26  # a small fragment must not be drawn larger than a drug
    options.highlightRadius = 0.34
    options.highlightBondWidthMultiplier = 12
    options.annotationFontScale = 0.85
    options.minFontSize = 8  # px: a drug in a small picture still tells N from O
    options.prepareMolsBeforeDrawing = False
    with quiet_rdkit():
        ready = rdMolDraw2D.PrepareMolForDrawing(mol, kekulize=_can_be_kekulised(mol))
        drawer.DrawMolecule(
            ready,
            highlightAtoms=list(atoms),
            highlightAtomColors=atoms,
            highlightBonds=list(bonds),
            highlightBondColors=bonds,
        )
    drawer.FinishDrawing()


def _readable(smiles: str) -> Chem.Mol:
    with quiet_rdkit():
        mol = Chem.MolFromSmiles(smiles) or _torn(smiles) if smiles.strip() else None
    if mol is None or mol.GetNumAtoms() == 0:
        raise UndrawableError(f"{inert(smiles, limit=60) or 'an empty SMILES'} is no SMILES RDKit can draw")
    return mol


def _torn(smiles: str) -> Chem.Mol | None:
    """A group cut off through aromatic bonds, `Nc(ncn:[*:2]):[*:3]`: no molecule, but a picture."""
    mol = Chem.MolFromSmiles(smiles, sanitize=False) if ":[*" in smiles or ":*" in smiles else None
    if mol is not None:
        mol.UpdatePropertyCache(strict=False)
        Chem.FastFindRings(mol)
    return mol


def _can_be_kekulised(mol: Chem.Mol) -> bool:
    try:
        Chem.Kekulize(Chem.Mol(mol))
    except Chem.KekulizeException:
        return False
    return True


def _outermost(mol: Chem.Mol, atoms: Sequence[int]) -> int:
    """The marked atom farthest from the middle of the drawing: there is room for a label."""
    xy = mol.GetConformer().GetPositions()[:, :2]
    middle = xy.mean(axis=0)
    return max(atoms, key=lambda index: (float(((xy[index] - middle) ** 2).sum()), -index))


def _rgb(colour: str) -> tuple[float, float, float]:
    return (int(colour[1:3], 16) / 255, int(colour[3:5], 16) / 255, int(colour[5:7], 16) / 255)


def _tint(colour: str) -> tuple[float, float, float]:
    """The colour thinned with white, not transparent: where two halos meet there is no seam."""
    red, green, blue = (0.62 * part + 0.38 for part in _rgb(colour))
    return (red, green, blue)


def _inner(svg: str) -> str:
    return svg[svg.index(">") + 1 : svg.rindex("</svg>")]


_NUMBER = re.compile(r"-?\d+\.\d+")


def _compact(text: str, tints: frozenset[str]) -> str:
    """RDKit's SVG -> the same strokes as attributes, equal ones joined, nothing else."""
    halos: list[str] = []
    joined: dict[str, list[str]] = {}
    for element in ElementTree.fromstring(text).iter():  # RDKit's own output, no outside XML
        shape = element.tag.removeprefix(f"{{{_SVG}}}")
        style = dict(
            part.split(":", 1) for part in element.get("style", "").replace(" ", "").split(";") if ":" in part
        )
        if shape == "path":
            if not style:  # letters carry their colour as an attribute
                style = {"fill": element.get("fill", INK)}
            if "fill" in style and style.get("stroke") == style["fill"] and style["fill"] in tints:
                halos.append(f'<path {_look(style)} d="{_round(element.get("d", ""))}"/>')
            else:
                joined.setdefault(_look(style), []).append(_round(element.get("d", "")))
        elif shape == "ellipse":
            middle = " ".join(f'{key}="{element.get(key)}"' for key in ("cx", "cy", "rx", "ry"))
            halos.append(f"<ellipse {middle} {_look(style)}/>")
    return "".join(halos) + "".join(f'<path {look} d="{"".join(paths)}"/>' for look, paths in joined.items())


def _look(style: dict[str, str]) -> str:
    fill, stroke = style.get("fill", "none"), style.get("stroke", "none")
    if fill == "none":
        width = style.get("stroke-width", "1").removesuffix("px")
        return f'fill="none" stroke="{stroke}" stroke-width="{width}" stroke-linecap="round"'
    rim = "" if stroke in ("none", fill) else f' stroke="{stroke}"'
    return f'fill="{fill}" fill-rule="evenodd"{rim}'


def _round(d: str) -> str:
    short = _NUMBER.sub(lambda found: f"{float(found[0]):.1f}".removesuffix(".0"), d)
    return re.sub(r"\s*([A-Za-z,])\s*", r"\1", short).strip()
