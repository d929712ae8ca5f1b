"""From what was a molecule made, in words a chemist reads?

Proposers say it with structures written out; here molecules of the run go by their names,
and those whose pictures stand beside the words are not spelled out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from rdkit import Chem

from discovery.molecule import quiet_rdkit
from discovery.results import Row, Run
from discovery.views.text import inert


def names_of(run: Run) -> dict[str, str]:
    """Structure -> the name of the row that first proposed it."""
    names: dict[str, str] = {}
    for row in run.rows:
        for text in (row.smiles, row.text):
            if text:
                names.setdefault(text, row.id)
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
    named = text.split(" ")[0] in names.values()
    return text if named else text[:1].upper() + text[1:]


def _step(part: str) -> str:
    """The reaction's name alone, of "amide coupling: A + B": what went in is drawn."""
    name, colon, rest = part.partition(": ")
    return name if colon and all(_structure(word) for word in rest.split(" + ")) else part


def _structure(word: str) -> bool:
    with quiet_rdkit():
        return Chem.MolFromSmiles(word, sanitize=False) is not None
