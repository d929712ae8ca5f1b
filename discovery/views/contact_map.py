"""Which residues does this pose touch, and with which atoms: a flat map of the contacts.

The static form of the 3-D view: it prints, and it shows without scripts. The
ligand is drawn flat, residues stand around it near the atoms they touch, and each
line keeps the colour, the dashes and the distance (Å) of its contact.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
from rdkit import Chem

from discovery.molecule import quiet_rdkit
from discovery.views.drawing import INK, UndrawableError, depict
from discovery.views.layout import Part
from discovery.views.pocket import Line3D, pose_atoms
from discovery.views.reading import Contact

# Okabe and Ito's palette; the dashes differ too, so no kind is told by colour alone
KIND_LOOK: dict[str, tuple[str, str]] = {
    "hydrogen bond": ("#0072B2", "6 3"),
    "salt bridge": ("#CC79A7", "2 2"),
    "halogen bond": ("#E69F00", "8 2 2 2"),
    "cation-π": ("#D55E00", "10 3"),
    "π-stacking": ("#009E73", "4 4"),
    "metal": ("#8A6500", "1 3"),
    "hydrophobic": ("#7A828C", "1 4"),
    "van der Waals": ("#A9B0B8", "1 5"),
}
OTHER_LOOK = ("#4A5563", "3 3")
_WEAK = frozenset({"hydrophobic", "van der Waals"})
_BOX = (92, 30)  # px, a residue's label


def look(kind: str) -> tuple[str, str]:
    """Colour and dash pattern of a kind of contact."""
    return KIND_LOOK.get(kind, OTHER_LOOK)


def contact_map_svg(
    mol_block: str, lines: Sequence[Line3D], *, residues: int = 10, title: str = "", like: Sequence[Part] = ()
) -> str:
    """The map as a standalone `<svg>` element, 460 x 340 px.

    Parameters
    ----------
    mol_block : the pose, with its hydrogens
    lines : its contacts, placed by `pocket.contact_lines`
    residues : int
        At most so many residues are drawn, directed contacts (hydrogen bonds,
        salt bridges, stacking) before hydrophobic ones. How many are not drawn is
        written below.
    like : parts that lie in this map as in others; see `layout.laid_out`

    Raises
    ------
    UndrawableError
        RDKit cannot read the mol block, or no contact has a place.
    """
    pose, flat = pose_atoms(mol_block), _flat(mol_block)
    if pose is None or flat is None or not lines:
        raise UndrawableError("no readable pose, or no contact to draw")
    width, height = 460, 340
    inner = (280, 206)
    left, top = (width - inner[0]) / 2, (height - inner[1]) / 2 - 4
    body, places = depict(flat, width=inner[0], height=inner[1], like=like)
    where = np.array(places) + np.array([left, top])
    heavy = np.array([atom.GetAtomicNum() > 1 for atom in pose.GetAtoms()])
    xyz = np.asarray(pose.GetConformer().GetPositions())[heavy]
    if len(xyz) != len(where):
        raise UndrawableError("the pose and its drawing differ in their heavy atoms")

    groups: dict[str, list[Line3D]] = {}
    for line in sorted(lines, key=lambda line: _weight(line.contact)):
        groups.setdefault(line.contact.residue, []).append(line)
    shown = dict(list(groups.items())[:residues])
    anchors = {
        residue: [_anchor(line.start, xyz, where) for line in group] for residue, group in shown.items()
    }
    middle = np.array([width / 2, height / 2 - 4])
    boxes = _around(anchors, middle, (width - _BOX[0] - 4) / 2, (height - _BOX[1] - 24) / 2)

    strokes, labels = [], []
    for residue, group in shown.items():
        x, y = boxes[residue]
        for line, (ax, ay) in zip(group, anchors[residue], strict=True):
            colour, dash = look(line.contact.kind)
            strokes.append(
                f'<line x1="{ax:.1f}" y1="{ay:.1f}" x2="{x:.1f}" y2="{y:.1f}" stroke="{colour}" '
                f'stroke-width="1.8" stroke-dasharray="{dash}" stroke-linecap="round"/>'
            )
        first = group[0].contact
        colour, _ = look(first.kind)
        far = "" if first.distance is None else f" {first.distance:.1f} Å"
        labels.append(
            f'<rect x="{x - _BOX[0] / 2:.1f}" y="{y - _BOX[1] / 2:.1f}" width="{_BOX[0]}" height="{_BOX[1]}" rx="6" '
            f'fill="#FFFFFF" stroke="{colour}" stroke-width="1.3"/>'
            f'<text x="{x:.1f}" y="{y - 2.5:.1f}" font-size="11" font-weight="600">{escape(residue[:16])}</text>'
            f'<text x="{x:.1f}" y="{y + 10:.1f}" font-size="9.5" fill="#4A5563">{escape(_SHORT.get(first.kind, first.kind[:14]))}{far}</text>'
        )
    rest = len(groups) - len(shown)
    note = (
        f'<text x="{width / 2}" y="{height - 5}" font-size="10" fill="#4A5563">'
        f"and {rest} more residue{'s' if rest > 1 else ''}, listed in the table</text>"
        if rest
        else ""
    )
    name = escape(title)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{name}" font-family="sans-serif" text-anchor="middle" fill="{INK}"><title>{name}</title>'
        f'{"".join(strokes)}<g transform="translate({left:g} {top:g})">{body}</g>{"".join(labels)}{note}</svg>'
    )


_SHORT = {"hydrogen bond": "H-bond", "halogen bond": "halogen", "van der Waals": "vdW"}


def _weight(contact: Contact) -> tuple[bool, float]:
    return (contact.kind in _WEAK, math.inf if contact.distance is None else contact.distance)


def _flat(mol_block: str) -> Chem.Mol | None:
    with quiet_rdkit():
        mol = Chem.MolFromMolBlock(mol_block, sanitize=True, removeHs=False)
        if mol is None:
            return None
        every: Any = Chem.RemoveHsParameters()  # RDKit's stubs mistype its settings
        every.removeDefiningBondStereo = every.removeHydrides = every.removeIsotopes = True
        every.removeWithWedgedBond = every.removeDegreeZero = every.removeNonimplicit = True
        return Chem.RemoveHs(mol, every)


def _anchor(
    point: tuple[float, float, float], xyz: np.ndarray, where: np.ndarray
) -> tuple[
    float, float
]:  # the drawn atom, or the middle of the drawn ring when the contact ends in a ring's middle
    gaps = np.linalg.norm(xyz - np.array(point), axis=-1)
    spot = where[gaps <= gaps.min() + 0.15].mean(axis=0)
    return (float(spot[0]), float(spot[1]))


def _around(
    anchors: dict[str, list[tuple[float, float]]], middle: np.ndarray, rx: float, ry: float
) -> dict[str, tuple[float, float]]:
    """A place on an ellipse for each label, in the direction of its atoms, none over another."""
    wish = {}
    for residue, spots in anchors.items():
        dx, dy = np.mean(spots, axis=0) - middle
        wish[residue] = math.atan2(dy / ry, dx / rx) % (2 * math.pi)
    order = sorted(wish, key=lambda residue: (wish[residue], residue))
    angles = np.array([wish[residue] for residue in order])
    if len(order) > 1:
        apart = min(0.62, 2 * math.pi / len(order))
        for _ in range(200):  # push neighbours apart until all gaps are wide enough
            gaps = np.diff(np.append(angles, angles[0] + 2 * math.pi))
            lack = np.maximum(apart - gaps, 0.0)
            if lack.max() < 1e-3:
                break
            angles = angles - 0.5 * lack + 0.5 * np.roll(lack, 1)
    places = {}
    for residue, angle in zip(order, angles, strict=True):
        # a squarer ellipse uses the corners of the picture
        c, s = math.cos(angle), math.sin(angle)
        stretch = (abs(c) ** 4 + abs(s) ** 4) ** -0.25
        x = float(middle[0] + rx * min(max(c * stretch, -1), 1))
        y = float(middle[1] + ry * min(max(s * stretch, -1), 1))
        places[residue] = (x, y)
    return places
