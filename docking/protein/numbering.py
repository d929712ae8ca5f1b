"""Which atoms make one residue, in files that number several alike?

Chain and number name a residue everywhere here. Files exist in which they do not: copies of a chain under one
letter, waters whose numbers began again at 1, alternate locations without letters, lines written twice.
"""

from __future__ import annotations

import math
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from docking.protein import residues
from docking.protein.structure import Atom, Point
from docking.receptor import Choice, ReceptorError

MOST_COPIES = 8  # of an amino acid; beyond it numbers mean nothing
APART = 3.0  # Å between alpha carbons; alternate locations of one lie nearer, neighbours in a chain farther
TWICE = 0.3  # Å; nearer than this two atoms of one name are one

_Key = tuple[str, str, str]  # name, alternate location, residue name


def told_apart(atoms: Sequence[Atom]) -> tuple[list[Atom], list[Choice]]:
    """A residue that bears the chain and number of one before it moves to a chain letter of its own.

    Of atoms that one residue names twice, without letters that tell alternate locations, the better occupied stays;
    a residue written twice at the same place counts once.

    Raises
    ------
    ReceptorError
        More than `MOST_COPIES` amino acids bear one number.
    """
    seen: dict[tuple[str, str], list[dict[_Key, Point]]] = {}  # of each copy
    moved: dict[tuple[str, int], list[str]] = {}  # chain and copy: residues
    copies: list[tuple[int, list[Atom]]] = []
    for run in _runs(atoms):
        here = {(atom.name, atom.altloc, atom.resname): atom.xyz for atom in run}
        known = seen.setdefault(run[0].place, [])
        if any(_again(here, had) for had in known):
            continue
        at = next((k for k, had in enumerate(known) if _goes_on(here, had)), len(known))
        if at == MOST_COPIES and residues.standard(run[0].resname) in residues.NAMES:
            raise ReceptorError(
                f"more than {MOST_COPIES} residues bear the number of {run[0].residue} in their chain; "
                "number the residues, or give the chains letters of their own"
            )
        if at == len(known):
            known.append({})
        known[at] |= here
        if at:
            moved.setdefault((run[0].chain, at), []).append(run[0].residue)
        copies.append((at, run))
    letters, said = _letters(atoms, moved)
    left: list[Atom] = []
    for at, run in copies:
        once, twice = _once(run)
        if at:
            once = [replace(atom, chain=letters[run[0].chain, at]) for atom in once]
        left += once
        if twice:
            which = ", ".join(dict.fromkeys(twice))
            said.append(
                Choice("altloc", once[0].residue, f"{which} written more than once; the best occupied stays")
            )
    return left, said


def free_letters(atoms: Sequence[Atom]) -> list[str]:
    """Letters that PDB has for chains and no atom's bears."""
    taken = {atom.chain for atom in atoms}
    return [c for c in string.ascii_uppercase + string.digits + string.ascii_lowercase if c not in taken]


def _runs(atoms: Sequence[Atom]) -> Iterator[list[Atom]]:
    """Atoms that follow each other and make one residue."""
    for _, group in groupby(atoms, key=lambda atom: atom.place):
        run = list(group)
        unlettered = {atom.resname for atom in run if not atom.altloc}  # others are alternates
        if len(unlettered) <= 1:
            yield from _by_carbon(run)
        else:
            for _, part in groupby(run, key=lambda atom: atom.resname):
                yield list(part)


def _by_carbon(run: list[Atom]) -> list[list[Atom]]:
    """An amino acid with two alpha carbons apart is two: each atom goes with the nearer."""
    carbons: list[Atom] = []
    for atom in run:
        if (atom.name, atom.element) == ("CA", "C") and all(_gap(atom, other) > APART for other in carbons):
            carbons.append(atom)
    if len(carbons) < 2:
        return [run]
    parts: list[list[Atom]] = [[] for _ in carbons]
    for atom in run:
        parts[int(np.argmin([_gap(atom, carbon) for carbon in carbons]))].append(atom)
    return parts


def _gap(one: Atom, other: Atom) -> float:
    return math.dist(one.xyz, other.xyz)


def _again(here: Mapping[_Key, Point], had: Mapping[_Key, Point]) -> bool:
    """The same atoms at the same places."""
    return all(key in had and math.dist(had[key], xyz) < TWICE for key, xyz in here.items())


def _goes_on(here: Mapping[_Key, Point], had: Mapping[_Key, Point]) -> bool:
    """More atoms of the same residue (hydrogens at the end of the file, another location), and not the residue again."""
    same = {resname for *_, resname in here} & {resname for *_, resname in had}
    alternates = all(altloc for _, altloc, _ in here)
    return not here.keys() & had.keys() and bool(same or alternates)


def _letters(
    atoms: Sequence[Atom], moved: dict[tuple[str, int], list[str]]
) -> tuple[dict[tuple[str, int], str], list[Choice]]:
    free = free_letters(atoms)
    if len(free) < len(moved):
        raise ReceptorError(
            f"{len(moved)} chains bear the letters and numbers of others, and PDB has no letters left for them; "
            "choose some with chains="
        )
    letters = dict(zip(moved, free, strict=False))
    return letters, [
        Choice(
            "chain",
            chain,
            f"{len(names)} residue(s) from {names[0]} bear numbers of others; written as chain {letters[chain, at]}",
        )
        for (chain, at), names in moved.items()
    ]


def _once(run: Sequence[Atom]) -> tuple[list[Atom], list[str]]:
    """Each atom of an amino acid once; of other groups, whose names may be no names, those at the same place."""
    kept: dict[_Key, list[int]] = {}
    twice: list[str] = []
    for i, atom in enumerate(run):
        others = kept.setdefault((atom.name, atom.altloc, atom.resname), [])
        heavy = atom.element != "H" and residues.standard(atom.resname) in residues.NAMES
        same = next((k for k, j in enumerate(others) if heavy or _gap(atom, run[j]) < TWICE), None)
        if same is None:
            others.append(i)
            continue
        twice.append(atom.name)
        if atom.occupancy > run[others[same]].occupancy:
            others[same] = i
    stay = sorted(i for some in kept.values() for i in some)
    return [run[i] for i in stay], twice
