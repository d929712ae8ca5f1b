"""From what was a molecule made, in words and pictures a chemist reads?

Proposers say it with structures written out; here molecules of the run go by their names,
and those whose pictures stand beside the words are not spelled out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

from rdkit import Chem

from discovery.molecule import quiet_rdkit
from discovery.results import Row, Run
from discovery.views.drawing import UndrawableError, data_uri, molecule_svg
from discovery.views.layout import Part, shared_parts
from discovery.views.text import PAPER, TITLE, inert


def names_of(run: Run) -> dict[str, str]:
    """Structure -> the name of the row that first proposed it."""
    names: dict[str, str] = {}
    for row in run.rows:
        for text in (row.smiles, row.text):
            if text:
                names.setdefault(text, row.title)
    return names


LONG = 16  # characters: a structure in running text that nobody reads
_WORD = re.compile(r"[^\s;]+")


def in_words(row: Row, names: Mapping[str, str]) -> str:
    """What was done to the parents, for people: molecules of the run by name, drawn ones not spelled out.

    The parents' pictures stand beside it; `row.edit` keeps every structure.
    """
    parents = {smiles: place for place, smiles in enumerate(row.parents, start=1)}

    def name(match: re.Match[str]) -> str:
        word = match[0].rstrip(",")
        if word in names:
            told = names[word]
        elif word in parents:
            told = f"parent {parents[word]}"
        else:
            told = "another molecule" if len(word) >= LONG and _structure(word) else word
        return told + match[0][len(word) :]

    text = _WORD.sub(name, "; ".join(_step(part) for part in row.edit.split("; ")))
    text = re.sub(r"\bwith (\S+) in place of \1(?=[,;.]|$)", r"with \1 attached elsewhere", text)
    text = inert(text, limit=300).rstrip(". ")
    named = text.split(" ")[0].rstrip(",") in names.values()
    return text if named else text[:1].upper() + text[1:]


def origins_html(run: Run, rows: Sequence[Row]) -> str:
    """One line a row: its parents, what was done to them, what came of it."""
    names, body = names_of(run), []
    like = shared_parts([row.smiles for row in rows])
    for row in rows:
        parents = "".join(
            f'<figure style="display:inline-block;margin:2px">{_drawn(parent, like)}<figcaption><small>'
            f"{escape(inert(names.get(parent, f'parent {place}')))}</small></figcaption></figure>"
            for place, parent in enumerate(row.parents[:3], start=1)
        )
        words = escape(in_words(row, names) or "proposed as it is")
        body.append(
            f'<tr><td style="{PAPER};text-align:left">{parents or "–"}</td><td style="text-align:left;padding:4px 10px;max-width:22em">'
            f'{words}</td><td style="{PAPER};text-align:left"><figure style="margin:2px">{_drawn(row.smiles, like)}<figcaption><b>'
            f"{escape(inert(row.title, limit=TITLE))}</b></figcaption></figure></td></tr>"
        )
    heads = "".join(
        f'<th style="text-align:left">{head}</th>' for head in ("made from", "what was done", "molecule")
    )
    return f'<table style="border-collapse:collapse"><thead><tr>{heads}</tr></thead><tbody>{"".join(body)}</tbody></table>'


def _drawn(smiles: str, like: Sequence[Part]) -> str:
    try:
        svg = molecule_svg(smiles, width=190, height=125, like=like)
        return f'<img width="190" height="125" alt="structure" src="{data_uri(svg)}">'
    except UndrawableError:
        return f"<code>{escape(inert(smiles, limit=60))}</code>"


def _step(part: str) -> str:
    """The reaction's name alone, of "amide coupling: A + B": what went in is drawn."""
    name, colon, rest = part.partition(": ")
    return name if colon and all(_structure(word) for word in rest.split(" + ")) else part


def _structure(word: str) -> bool:
    with quiet_rdkit():
        return Chem.MolFromSmiles(word, sanitize=False) is not None
