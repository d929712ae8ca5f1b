"""Which part of the molecule does a score come from?

The molecule is taken apart branch by branch, each branch replaced by hydrogen and the
rest scored again by the same scorer, whatever it is. What the score loses is the branch's
own; a branch that bears others keeps what they do not account for. The parts and the core
that is left add up to the score exactly, so nothing is hidden in a remainder.

What this says: how the scorer sees the molecule. It is no proof that nature sees it so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rdkit import Chem

from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import Missing, MoleculeError, Reason
from discovery.score import Column, Score, Scorer

LARGEST = 40  # branches looked at; beyond it a molecule is a chain of small parts


@dataclass(frozen=True, slots=True)
class Part:
    """Atoms that belong together, and what they add to the score."""

    atoms: tuple[int, ...]  # in the order of the molecule's standard SMILES
    value: float  # in the column's unit
    bears: tuple[int, ...]  # parts that hang on it, by their place in `parts`


@dataclass(frozen=True, slots=True)
class Attribution:
    """A score, shared out among the parts of the molecule: `core` and all parts' values add up to `total`."""

    molecule: Molecule
    column: Column
    total: float
    core: float  # what the core alone scores
    core_atoms: tuple[int, ...]
    parts: tuple[Part, ...]
    unsaid: tuple[str, ...]  # branches that could not be told apart, and why

    def per_atom(self) -> list[float]:
        """Each part's value, shared equally among its atoms; the core's atoms get nothing."""
        shares = [0.0] * self.molecule.mol().GetNumAtoms()
        for part in self.parts:
            for atom in part.atoms:
                shares[atom] = part.value / len(part.atoms)
        return shares


def attribute(scorer: Scorer, molecule: Molecule) -> Attribution | Missing:
    """Share a molecule's score out among its branches.

    Returns
    -------
    The attribution, or the scorer's own `Missing` for the whole molecule.

    References
    ----------
    .. [1] R. P. Sheridan, J. Chem. Inf. Model. 59 (2019) 1324-1337, doi 10.1021/acs.jcim.8b00825:
       attributing a prediction to atoms by removing them and predicting again.
    """
    mol = molecule.mol()
    tree = _Tree.of(mol)
    reduced: list[Molecule | Missing] = []
    for branch in tree.branches:
        try:
            reduced.append(_without(mol, branch, molecule.shown))
        except MoleculeError as error:
            reduced.append(Missing("why", error.reason, str(error)))
    bare = _core(mol, tree, molecule.shown)
    asked = [molecule, bare, *(one for one in reduced if isinstance(one, Molecule))]
    answers = list(scorer(asked))
    whole, core = answers[0], answers[1]
    if isinstance(whole, Missing):
        return whole
    rest = iter(answers[2:])
    outcomes = [one if isinstance(one, Missing) else next(rest) for one in reduced]
    unsaid = [f"{_smiles(mol, branch)}: {one}" for branch, one in zip(tree.branches, outcomes, strict=True) if isinstance(one, Missing)]  # fmt: skip
    if isinstance(core, Missing):
        detail = f"{molecule.shown}: without its branches the scorer has no number for it: {core.detail}"
        return Missing("why", core.reason, detail)
    return _shared(molecule, scorer.column, whole.value, core.value, tree, outcomes, tuple(unsaid))


def _shared(
    molecule: Molecule,
    column: Column,
    total: float,
    core: float,
    tree: _Tree,
    outcomes: Sequence[Score | Missing],
    unsaid: tuple[str, ...],
) -> Attribution:
    loss = [None if isinstance(one, Missing) else total - one.value for one in outcomes]
    known = [place for place, value in enumerate(loss) if value is not None]
    place_of = {branch: nth for nth, branch in enumerate(known)}
    inside: dict[int, list[int]] = {branch: [] for branch in known}  # directly, among those that are known
    for branch in known:
        above = tree.above[branch]
        while above is not None and above not in inside:
            above = tree.above[above]
        if above is not None:
            inside[above].append(branch)
    parts = []
    for branch in known:
        lost = loss[branch]
        assert lost is not None, branch
        own = lost - sum(value for inner in inside[branch] if (value := loss[inner]) is not None)
        covered = {atom for inner in inside[branch] for atom in tree.branches[inner]}
        atoms = tuple(sorted(set(tree.branches[branch]) - covered))
        parts.append(Part(atoms, own, tuple(place_of[inner] for inner in inside[branch])))
    # branches touch each other through the core: what they do together is nobody's own, and is shared equally
    together = total - core - sum(part.value for part in parts)
    if parts:
        parts = [Part(part.atoms, part.value + together / len(parts), part.bears) for part in parts]
    told = {atom for part in parts for atom in part.atoms}
    left = tuple(index for index in range(molecule.mol().GetNumAtoms()) if index not in told)
    return Attribution(molecule, column, total, core, left, tuple(parts), unsaid)


@dataclass(frozen=True, slots=True)
class _Tree:
    """Branches of a molecule, outermost last; each with the one it hangs on."""

    branches: tuple[tuple[int, ...], ...]
    above: tuple[int | None, ...]

    @classmethod
    def of(cls, mol: Chem.Mol) -> _Tree:
        units, links = _units(mol)
        root = _root(mol, units)
        order, parent = [root], {root: -1}
        for unit in order:
            for other in sorted(links[unit]):
                if other not in parent:
                    parent[other] = unit
                    order.append(other)
        order = order[: LARGEST + 1]
        below: dict[int, set[int]] = {unit: set(units[unit]) for unit in parent}
        for unit in reversed(list(parent)):
            if parent[unit] >= 0:
                below[parent[unit]] |= below[unit]
        places = {unit: place for place, unit in enumerate(order[1:])}
        return cls(
            tuple(tuple(sorted(below[unit])) for unit in order[1:]),
            tuple(places.get(parent[unit]) for unit in order[1:]),
        )


def _units(mol: Chem.Mol) -> tuple[list[list[int]], list[set[int]]]:
    """What is never cut apart: rings, functional groups, chains of one atom; and which touch."""
    cut = [bond.GetIdx() for bond in mol.GetBonds() if _may_be_cut(bond)]
    member = [-1] * mol.GetNumAtoms()
    units: list[list[int]] = []
    for atom in mol.GetAtoms():
        if member[atom.GetIdx()] >= 0:
            continue
        unit, stack = [], [atom.GetIdx()]
        member[atom.GetIdx()] = len(units)
        while stack:
            here = stack.pop()
            unit.append(here)
            for bond in mol.GetAtomWithIdx(here).GetBonds():
                there = bond.GetOtherAtomIdx(here)
                if bond.GetIdx() not in cut and member[there] < 0:
                    member[there] = len(units)
                    stack.append(there)
        units.append(sorted(unit))
    links: list[set[int]] = [set() for _ in units]
    for index in cut:
        bond = mol.GetBondWithIdx(index)
        a, b = member[bond.GetBeginAtomIdx()], member[bond.GetEndAtomIdx()]
        links[a].add(b)
        links[b].add(a)
    return units, links


def _may_be_cut(bond: Chem.Bond) -> bool:
    """A single bond outside rings that holds no functional group together."""
    if bond.IsInRing() or bond.GetBondType() != Chem.BondType.SINGLE:
        return False
    one, other = bond.GetBeginAtom(), bond.GetEndAtom()
    if one.IsInRing() or other.IsInRing():
        return True
    hetero = one.GetAtomicNum() != 6 and other.GetAtomicNum() != 6
    return not hetero and not bond.GetIsConjugated()


def _root(mol: Chem.Mol, units: Sequence[Sequence[int]]) -> int:
    """The largest ring system, the one in the middle where two are equal; without rings the largest unit."""
    rings = [any(mol.GetAtomWithIdx(i).IsInRing() for i in unit) for unit in units]
    matrix = Chem.GetDistanceMatrix(mol)

    def middle(unit: Sequence[int]) -> float:
        return float(matrix[list(unit)].sum() / len(unit))

    return min(range(len(units)), key=lambda u: (not rings[u], -len(units[u]), middle(units[u]), units[u]))


def _without(mol: Chem.Mol, branch: Sequence[int], shown: str) -> Molecule:
    """The molecule with hydrogen in the branch's place."""
    gone = set(branch)
    with quiet_rdkit():
        edit = Chem.RWMol(mol)
        for index in branch:
            for neighbour in mol.GetAtomWithIdx(index).GetNeighbors():
                if neighbour.GetIdx() not in gone:
                    atom = edit.GetAtomWithIdx(neighbour.GetIdx())
                    if atom.GetNoImplicit() or atom.GetIsAromatic():
                        atom.SetNumExplicitHs(atom.GetNumExplicitHs() + 1)
        for index in sorted(gone, reverse=True):
            edit.RemoveAtom(index)
        made = edit.GetMol()
        try:
            Chem.SanitizeMol(made)
        except (Chem.AtomValenceException, Chem.KekulizeException) as error:
            raise MoleculeError(Reason.UNSUPPORTED, f"{shown} without {len(gone)} atoms is no molecule: {error}") from error  # fmt: skip
        return Molecule.parse(Chem.MolToSmiles(made), shown)


def _core(mol: Chem.Mol, tree: _Tree, shown: str) -> Molecule:
    gone = sorted({atom for branch in tree.branches for atom in branch})
    return _without(mol, gone, shown) if gone else Molecule.parse(Chem.MolToSmiles(mol), shown)


def _smiles(mol: Chem.Mol, atoms: Sequence[int]) -> str:
    return str(Chem.MolFragmentToSmiles(mol, list(atoms)))
