"""How does the pose sit in the site, in three dimensions?

One view with a pose selector, drawn by 3Dmol.js from inside the page: nothing is
fetched. Beside it stands a flat picture of every pose, for readers whose notebook
runs no scripts. Which atoms are shown is pocket.py's business.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from rdkit import Chem

from discovery.results import Row, Run
from discovery.score import Column
from discovery.views.contact_map import contact_map_svg, look
from discovery.views.drawing import UndrawableError, data_uri, molecule_svg
from discovery.views.layout import Part, shared_parts
from discovery.views.pocket import (
    Atom,
    Floats,
    Line3D,
    atoms_of,
    contact_lines,
    pose_atoms,
    residue_key,
    trimmed,
)
from discovery.views.reading import contacts_of, label_of, pose_of, scores_of, verdict_of
from discovery.views.text import PAPER, TITLE, inert, plus_minus

ASSETS = Path(__file__).resolve().parent.parent / "assets"
LIBRARY = "3Dmol-2.5.5-min.js"
FLAT = 3  # pictures below the view; the others are looked at in it
NEAR = 5.0  # Å; residues this close to a pose are drawn with their side chains


@dataclass(frozen=True, slots=True)
class PosedRow:
    """A row whose pose can be shown."""

    row: Row
    mol_block: str
    mol: Chem.Mol
    lines: tuple[Line3D, ...]

    def contact_map(self, like: Sequence[Part] = ()) -> str:
        """The flat picture; empty when the pose has no contact to draw. `like` as for `layout.laid_out`."""
        title = f"Contacts of the pose of {inert(self.row.title, limit=TITLE)}"
        try:
            return contact_map_svg(self.mol_block, self.lines, title=title, like=like)
        except UndrawableError:
            return ""


def posed(rows: Iterable[Row], receptor: Sequence[Atom]) -> list[PosedRow]:
    """The rows that have a readable pose, with their contacts placed in space."""
    found = []
    for row in rows:
        block = pose_of(row)
        mol = pose_atoms(block) if block else None
        if mol is not None:
            # written again by RDKit: whatever else the text held stays behind
            clean = Chem.MolToMolBlock(_nameless(mol), kekulize=False)
            found.append(PosedRow(row, clean, mol, tuple(contact_lines(mol, contacts_of(row), receptor))))
    return found


def scene(run: Run, poses: Sequence[PosedRow], receptor: Sequence[Atom]) -> dict[str, Any]:
    """What viewer.js shows, as plain JSON values: receptor, reference ligand, poses."""
    near = np.concatenate([_heavy(pose.mol) for pose in poses]) if poses else np.zeros((0, 3))
    text, _ = trimmed(run.receptor_pdb, near)
    reference = _reference(run.reference_sdf)
    columns = {column.name: column for column in run.columns}
    around = _Around.of(receptor)
    return {
        "receptor": text,
        "reference": reference[1] if reference else "",
        "reference_name": f"Known ligand {reference[0]}".strip() if reference else "",
        "turn": _turn(_heavy(poses[0].mol), np.array([atom.xyz for atom in receptor])) if poses else None,
        "poses": [_as_json(pose, around, columns) for pose in poses],
    }


@dataclass(frozen=True, slots=True)
class _Around:
    """The receptor, looked up once for all poses."""

    xyz: Floats  # [atom, 3] Å
    keys: tuple[tuple[str, int], ...]  # [atom] chain and residue number
    alpha: Mapping[tuple[str, int], Atom]  # where a residue's label stands

    @classmethod
    def of(cls, receptor: Sequence[Atom]) -> _Around:
        alpha: dict[tuple[str, int], Atom] = {}
        for atom in receptor:
            key = (atom.residue[0], atom.residue[1])
            if atom.name in ("CA", "CB") or key not in alpha:
                alpha[key] = atom
        xyz = np.array([atom.xyz for atom in receptor], dtype=float).reshape(-1, 3)
        return cls(xyz, tuple((atom.residue[0], atom.residue[1]) for atom in receptor), alpha)

    def close(self, ligand: Floats) -> list[str]:
        """Residues with an atom near the ligand, in the receptor's order."""
        low, high = ligand.min(axis=0) - NEAR, ligand.max(axis=0) + NEAR
        boxed = np.flatnonzero(((self.xyz >= low) & (self.xyz <= high)).all(axis=1))
        squares = np.square(self.xyz[boxed, None] - ligand[None]).sum(axis=-1).min(axis=1)
        near = (self.keys[place] for place in boxed[squares <= NEAR**2])
        return list(dict.fromkeys(f"{chain}:{number}" for chain, number in near))


def _as_json(pose: PosedRow, around: _Around, columns: Mapping[str, Column]) -> dict[str, Any]:
    row, alpha = pose.row, around.alpha
    named: dict[tuple[str, int], str] = {}
    contacts = []
    for contact in contacts_of(row):
        there = _in_receptor(contact.residue, alpha)
        if there:
            named[there] = f"{alpha[there].residue[3]}{there[1]}"
        contacts.append(
            {
                "residue": contact.residue,
                "key": f"{there[0]}:{there[1]}" if there else "",
                "kind": contact.words,
                "distance": contact.distance,
                "colour": look(contact.kind)[0],
            }
        )
    title = inert(row.title, limit=TITLE)
    title = f"{row.rank}. {title}" if row.rank is not None else title
    title += " (unranked)" if row.missing else ""  # of a table that nobody ranks nothing needs saying
    numbers = [
        f"{label_of(columns[name])}: {plus_minus(score.value, score.error)}"
        for name, score in scores_of(row).items()
        if name in columns and isinstance(score.details.get("pose"), str)
    ]
    verdict = verdict_of(row)
    return {
        "id": inert(row.id),
        "title": title,
        "verdict": {"text": f"{verdict.label}: {verdict.text}", "good": bool(verdict.good)}
        if verdict
        else None,
        "score": numbers[0] if numbers else "",
        "sdf": pose.mol_block,
        "near": around.close(_heavy(pose.mol)),
        "contacts": contacts,
        "labels": [{"text": text, "at": alpha[key].xyz} for key, text in named.items()],
        "lines": [
            {"start": line.start, "end": line.end, "colour": look(line.contact.kind)[0]}
            for line in pose.lines
        ],
    }


def _turn(ligand: Floats, receptor: Floats) -> list[float]:
    """The rotation, as a quaternion x, y, z, w, that lays the best ligand flat and looks in from the open side."""
    middle = ligand.mean(axis=0)
    axes: Floats = np.linalg.svd(ligand - middle, full_matrices=True)[2]  # longest, middle, shortest
    if len(receptor):
        rest = receptor - middle
        between = (
            np.linalg.norm(rest - np.outer(rest @ axes[2], axes[2]), axis=-1) < 9.0
        )  # Å from the line of sight
        if (between & (rest @ axes[2] > 0)).sum() > (between & (rest @ axes[2] < 0)).sum():
            axes[2] = -axes[2]
    if np.linalg.det(axes) < 0:
        axes[1] = -axes[1]
    # rows of a rotation matrix -> quaternion; the largest component first keeps it well conditioned
    m = axes
    squares = [
        1 + m[0, 0] - m[1, 1] - m[2, 2],
        1 - m[0, 0] + m[1, 1] - m[2, 2],
        1 - m[0, 0] - m[1, 1] + m[2, 2],
        1 + m.trace(),
    ]
    most = int(np.argmax(squares))
    x, y, z = m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]
    found = np.array(
        [
            [squares[0], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], x],
            [m[0, 1] + m[1, 0], squares[1], m[1, 2] + m[2, 1], y],
            [m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], squares[2], z],
            [x, y, z, squares[3]],
        ][most]
    )
    return [round(float(part), 4) for part in found / np.linalg.norm(found)]


def _in_receptor(name: str, alpha: Mapping[tuple[str, int], Atom]) -> tuple[str, int] | None:
    key = residue_key(name)
    if key is None or key in alpha:
        return key
    return next((known for known in alpha if known[1] == key[1]), None) if not key[0] else None


def _heavy(mol: Chem.Mol) -> Floats:
    keep = np.array([atom.GetAtomicNum() > 1 for atom in mol.GetAtoms()])
    positions: Floats = np.asarray(mol.GetConformer().GetPositions(), dtype=float)[keep]
    return positions


def _nameless(mol: Chem.Mol) -> Chem.Mol:
    copy = Chem.Mol(mol)
    copy.SetProp("_Name", "")
    return copy


def _reference(sdf: str) -> tuple[str, str] | None:
    mol = pose_atoms(sdf.split("M  END")[0] + "M  END\n") if "M  END" in sdf else None
    if mol is None:
        return None
    name = inert(mol.GetProp("_Name"), limit=24) if mol.HasProp("_Name") else ""
    return name, Chem.MolToMolBlock(_nameless(mol), kekulize=False)


# Pages


@lru_cache(maxsize=8)
def asset(name: str) -> str:
    """A file of ours that travels inside the pages."""
    return (ASSETS / name).read_text(encoding="utf-8")


def script_json(value: object) -> Markup:
    """JSON that may stand inside a `<script>` element whatever texts it holds."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def csp_hash(text: str) -> str:
    """How a content security policy names one inline script or style."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def policy(scripts: Iterable[str], styles: Iterable[str]) -> str:
    """A content security policy: our own inline scripts and styles, data pictures, and nothing else.

    The page can fetch nothing, send nothing, and run no script that came with the data.
    """
    return (
        f"default-src 'none'; script-src {' '.join(map(csp_hash, scripts)) or chr(39) + 'none' + chr(39)}; "
        f"style-src {' '.join(map(csp_hash, styles))}; img-src data:; base-uri 'none'; form-action 'none'"
    )


def templates() -> jinja2.Environment:
    """Everything put into a page is escaped, and inert before that."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: value if isinstance(value, Markup) else inert(value),
    )


_START = 'window.poseViewer(document.getElementById("poses-3d"), JSON.parse(document.getElementById("scene").textContent));'
_PAGE_STYLE = "body { margin: .5rem; font: 14px system-ui, sans-serif; color: #1a2330; background: #fff; } td, th { text-align: left; padding: .15rem .6rem .15rem 0; } .num { text-align: right; } .muted { color: #5b6675; } @media (min-width: 46rem) { .pv { display: grid; grid-template-columns: minmax(0, 1fr) 20rem; } .pv-bar, .pv-canvas, .pv-toggles { grid-column: 1; } .pv-about { grid-column: 2; grid-row: 1 / span 3; margin-left: 1rem; } .pv-scroll { max-height: 26rem; } }\n"


def viewer_page(content: Mapping[str, Any]) -> str:
    """A whole HTML document with the 3-D view of a `scene`; it fetches nothing."""
    scripts = [asset(LIBRARY), asset("viewer.js"), _START]
    style = (
        asset("viewer.css") + _PAGE_STYLE
    )  # ours last: it lays the parts out side by side where there is room
    blocks = "".join(f"<script>{script}</script>" for script in scripts)
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy(scripts, [style]))}">'
        f"<title>Poses</title><style>{style}</style></head><body>{asset('viewer.html.j2')}"
        f'<script type="application/json" id="scene">{script_json(content)}</script>{blocks}</body></html>'
    )


@dataclass(frozen=True)
class PoseView:
    """What a notebook shows: the 3-D view where scripts run, and flat pictures wherever they do not."""

    content: Mapping[str, Any]
    flat: tuple[tuple[str, str], ...]  # (caption, svg)

    @classmethod
    def of(cls, run: Run, rows: Sequence[Row]) -> PoseView:
        """Poses of these rows, in this order; rows without a pose are left out.

        Raises
        ------
        ValueError
            None of the rows has a pose.
        """
        receptor = atoms_of(run.receptor_pdb)
        poses = posed(rows, receptor)
        if not poses:
            raise ValueError(
                f"none of the {len(rows)} rows has a pose; poses are left by a docking scorer, "
                "for molecules that reached it, and by discovery dock (an SD file of poses: with --score-only), "
                "whose folder docking.looking.docked(FOLDER) makes a table"
            )
        content = scene(run, poses, receptor)
        like = shared_parts([pose.row.smiles for pose in poses])
        flat = tuple(
            (
                entry["title"] + (f" · {entry['score']}" if entry["score"] else ""),
                pose.contact_map(like) or _plain(pose.row),
            )
            for entry, pose in zip(content["poses"][:FLAT], poses[:FLAT], strict=True)
        )
        return cls(content, flat)

    def page(self) -> str:
        """A whole HTML document, to be saved or framed."""
        return viewer_page(self.content)

    def __repr__(self) -> str:
        return f"PoseView of {len(self.content['poses'])} poses"

    def _repr_html_(self) -> str:
        # an untrusted notebook drops the frame and keeps the pictures
        cells = [
            f'<td style="text-align:center;padding:4px"><img width="345" height="255" alt="{escape(caption)}" '
            f'src="{data_uri(svg)}"><br>{escape(caption)}</td>'
            for caption, svg in self.flat
        ]
        # two beside each other: a third would be cut off in a notebook of the usual width
        lines = (
            f'<tr style="{PAPER}">{"".join(cells[place : place + 2])}</tr>'
            for place in range(0, len(cells), 2)
        )
        return (
            f'<iframe title="Poses in the receptor" sandbox="allow-scripts" width="100%" height="500" '
            f'style="border:0" srcdoc="{escape(self.page())}"></iframe>'
            f"<table>{''.join(lines)}</table>"
        )


def _plain(row: Row) -> str:
    try:
        return molecule_svg(row.smiles, width=460, height=340, title=inert(row.title, limit=TITLE))
    except UndrawableError:
        return '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 460 340" width="460" height="340"></svg>'
