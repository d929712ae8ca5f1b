"""What does a charge model see of a molecule? Its atoms and bonds, in no particular pose or drawing.

Every number is the mean over atoms (or bonds) that only the drawing tells apart, so
that equal atoms enter as equals and leave with equal charges. AM1-BCC is AM1 and
corrections that stand in a published table: the table is looked up, not learned.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from rdkit import Chem

from discovery.outcome import MoleculeError, Reason
from docking.dynamics.parameters.bcc import known_corrections
from docking.dynamics.parameters.resonance import (
    Drawn,
    State,
    atoms_of,
    bonds_of,
    classes,
    mean_drawing,
    redrawn,
)
from docking.dynamics.terms import Floats, Ints

ELEMENTS = (1, 6, 7, 8, 9, 15, 16, 17, 35, 53)
RINGS = (3, 4, 5, 6, 7)
NEIGHBOURS = (1, 2, 3, 4)
WIDTH = len(ELEMENTS) + len(RINGS) + len(NEIGHBOURS) + 6
_SHIFT = 0.25  # e, a large correction: brings them among the other numbers
KINDS = 7  # of bonds: see `_kinds`


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """One molecule, or several side by side. Edges are sorted by the atom they lead to."""

    atoms: Floats  # [atom, feature]
    base: Floats  # [atom] e: formal charge, mean over drawings, and bond charge corrections
    same: Ints  # [atom], equal for atoms that only the drawing tells apart
    source: Ints  # [edge], every bond twice
    target: Ints  # [edge]
    kind: Ints  # [edge]
    back: Ints  # [edge], the same bond the other way

    @property
    def starts(self) -> Ints:
        """[atom], its first edge."""
        return np.searchsorted(self.target, np.arange(len(self.atoms)))


def graph_of(mol: Chem.Mol, name: str = "the ligand") -> Graph:
    """The graph of a whole molecule, all hydrogens explicit.

    Raises
    ------
    MoleculeError
        UNSUPPORTED: an element that the model was never shown, or a lone atom.
    """
    numbers = np.array([a.GetAtomicNum() for a in atoms_of(mol)])
    strange = np.flatnonzero(~np.isin(numbers, ELEMENTS))
    if len(strange):
        atom = mol.GetAtomWithIdx(int(strange[0]))
        raise MoleculeError(
            Reason.UNSUPPORTED,
            f"{name}, atom {atom.GetSymbol()}{atom.GetIdx() + 1}: graph charges know "
            "H, C, N, O, F, P, S, Cl, Br and I only; use am1-bcc",
        )
    if mol.GetNumBonds() == 0:
        raise MoleculeError(Reason.UNSUPPORTED, f"{name} has no bonds; graph charges need one")
    drawn = mean_drawing(mol)
    same = classes(mol)
    ends = np.array([(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in bonds_of(mol)])
    order = _shared(drawn.order, _pair_classes(same[ends]))
    kind = _kinds(mol, order, _pair_classes(same[ends]))
    formal = _shared(drawn.charge, same)
    shift = _corrections(mol, drawn, same)
    atoms = np.column_stack([_atoms(mol, numbers, formal, ends, order), shift / _SHIFT])
    atoms = np.stack([_shared(column, same) for column in atoms.T], axis=1)
    source = np.concatenate([ends[:, 0], ends[:, 1]])
    target = np.concatenate([ends[:, 1], ends[:, 0]])
    n = len(ends)
    back = np.concatenate([np.arange(n, 2 * n), np.arange(n)])
    by = np.argsort(target, kind="stable")
    place = np.empty_like(by)
    place[by] = np.arange(2 * n)
    base = formal + _shared(shift, same)
    return Graph(atoms, base, same, source[by], target[by], np.concatenate([kind, kind])[by], place[back[by]])


def side_by_side(graphs: Sequence[Graph]) -> Graph:
    """Several molecules as one graph."""
    atoms = np.cumsum([0] + [len(g.atoms) for g in graphs])
    edges = np.cumsum([0] + [len(g.source) for g in graphs])
    return Graph(
        np.concatenate([g.atoms for g in graphs]),
        np.concatenate([g.base for g in graphs]),
        np.concatenate([g.same + n for g, n in zip(graphs, atoms[:-1], strict=True)]),
        np.concatenate([g.source + n for g, n in zip(graphs, atoms[:-1], strict=True)]),
        np.concatenate([g.target + n for g, n in zip(graphs, atoms[:-1], strict=True)]),
        np.concatenate([g.kind for g in graphs]),
        np.concatenate([g.back + n for g, n in zip(graphs, edges[:-1], strict=True)]),
    )


def _corrections(mol: Chem.Mol, drawn: Drawn, same: Ints) -> Floats:
    """[atom] e: bond charge corrections, the mean over drawings whose charges sit on unlike atoms."""
    unlike: dict[tuple[tuple[int, int], ...], State] = {}
    for form in drawn.forms:
        unlike.setdefault(tuple(sorted((int(same[i]), q) for i, q in enumerate(form[0]) if q)), form)
    views = [mol] if len(unlike) == 1 else [redrawn(mol, form) for form in unlike.values()]
    return np.asarray(np.mean([known_corrections(view)[0] for view in views], axis=0))


def _atoms(mol: Chem.Mol, numbers: Ints, formal: Floats, ends: Ints, order: Floats) -> Floats:
    rings = mol.GetRingInfo()
    degree = np.bincount(ends.ravel(), minlength=len(numbers))
    hydrogens = np.bincount(
        ends[:, ::-1].ravel(), weights=(numbers[ends] == 1).ravel().astype(float), minlength=len(numbers)
    )
    valence = np.bincount(ends.ravel(), weights=np.repeat(order, 2), minlength=len(numbers))
    sizes = [[rings.IsAtomInRingOfSize(i, size) for size in RINGS] for i in range(len(numbers))]
    flags = [(a.GetIsAromatic(), rings.NumAtomRings(a.GetIdx()) > 1) for a in atoms_of(mol)]
    return np.column_stack(
        [
            numbers[:, None] == np.array(ELEMENTS),
            np.array(sizes),
            np.minimum(degree, 4)[:, None] == np.array(NEIGHBOURS),
            formal,
            hydrogens / 2.0,
            valence - degree,
            np.array(flags),
        ]
    ).astype(np.float64)


def _kinds(mol: Chem.Mol, order: Floats, same: Ints) -> Ints:
    """[bond]: 0 to a hydrogen, 1 single, 2 single and conjugated, 3 between, 4 double, 5 triple, 6 aromatic."""
    found = np.where(order < 1.01, 1, np.where(order < 1.99, 3, np.where(order < 2.01, 4, 5)))
    for bond in bonds_of(mol):
        i = bond.GetIdx()
        if 1 in (bond.GetBeginAtom().GetAtomicNum(), bond.GetEndAtom().GetAtomicNum()):
            found[i] = 0
        elif bond.GetIsAromatic():
            found[i] = 6
        elif found[i] == 1 and bond.GetIsConjugated():
            found[i] = 2
    most = np.zeros(same.max() + 1, dtype=np.int64)
    np.maximum.at(most, same, found)
    return most[same]


def _pair_classes(pairs: Ints) -> Ints:
    _, found = np.unique(np.sort(pairs, axis=1), axis=0, return_inverse=True)
    return np.asarray(found).reshape(-1)


def _shared(values: Floats, same: Ints) -> Floats:
    """Each value as the mean over its class."""
    return np.asarray((np.bincount(same, weights=values) / np.maximum(1, np.bincount(same)))[same])
