"""Which building steps are this scaffold, these fragments, this half of a molecule?

What a chemist gives is turned into pieces that the grammar starts from or joins. Exits
are the bonds that may be made: `*` marks them; without a mark every hydrogen is one. All
other atoms stay exactly as they are given. Molecules are built flat; the configurations of
what was given are put back when they stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from rdkit import Chem

from discovery.molecule import quiet_rdkit
from discovery.outcome import MoleculeError, UserError
from generative.construction import MOST_ATOMS, Piece, Task
from generative.rollouts import Rollout, entered, ordered
from generative.trees import MARKED, Link, Tree, flatten, put_together, split_with_atoms, unit
from generative.vocabulary import Vocabulary, kind

MOST_FRAGMENTS = 4
COUNTER_IONS = ("F", "Cl", "Br", "I", "O")  # as the acid or the water of a salt's SMILES
MOST_CENTRES = 8  # of a part, whose configurations are tried until they fit


class GivenError(UserError, ValueError):
    """What was given cannot be built on; the message says why and what to change."""


@dataclass(frozen=True)
class Given:
    """A part as read: its tree, and how many bonds may be made at each (unit, atom)."""

    text: str
    tree: Tree
    exits: Mapping[tuple[int, int], int]
    marked: bool


def read_part(text: str) -> Given:
    """A SMILES with or without `*` exits -> its tree.

    Raises
    ------
    GivenError
        It does not parse, is too large, is in several parts, has no exit, or an exit is
        not a single bond to an atom.
    """
    with quiet_rdkit():
        mol = Chem.MolFromSmiles(text.strip())
    if mol is None or not text.strip():
        raise GivenError(f"{text or 'the part given'} is not a SMILES RDKit can read")
    capped, exits = _cap(flatten(mol), text)
    if capped.GetNumHeavyAtoms() > MOST_ATOMS:
        raise GivenError(f"{text} has {capped.GetNumHeavyAtoms()} heavy atoms; the limit is {MOST_ATOMS}")
    try:
        tree, places = split_with_atoms(capped)
    except MoleculeError as error:
        raise GivenError(f"{text}: {error}") from error
    if put_together(tree) != Chem.MolToSmiles(capped):
        raise GivenError(f"{text}: its units do not add up to it again")
    home = {atom: (u, local) for u, place in enumerate(places) for local, atom in enumerate(place)}
    if exits:
        return Given(text, tree, {home[atom]: count for atom, count in exits.items()}, True)
    free = {
        home[atom.GetIdx()]: atom.GetTotalNumHs() for atom in capped.GetAtoms() if atom.GetTotalNumHs() > 0
    }
    if not free:
        raise GivenError(f"{text} has no exit: no atom carries a hydrogen; mark one with *")
    return Given(text, tree, free, False)


def _cap(mol: Chem.Mol, text: str) -> tuple[Chem.Mol, dict[int, int]]:
    """Each `*` -> a hydrogen, and how many each atom (of the result) had."""
    work = Chem.RWMol(mol)
    gone = [atom.GetIdx() for atom in work.GetAtoms() if atom.GetAtomicNum() == 0]
    counts: dict[int, int] = {}
    for dummy in map(work.GetAtomWithIdx, gone):
        bonds = list(dummy.GetBonds())
        if len(bonds) != 1 or bonds[0].GetBondType() != Chem.BondType.SINGLE:
            raise GivenError(f"{text}: each * must be joined to one atom by a single bond")
        neighbour = bonds[0].GetOtherAtom(dummy)
        if neighbour.GetAtomicNum() == 0:
            raise GivenError(f"{text}: a * is joined to another *")
        counts[neighbour.GetIdx()] = counts.get(neighbour.GetIdx(), 0) + 1
    for index in gone:
        work.GetAtomWithIdx(index).SetAtomicNum(1)
    with quiet_rdkit():
        try:
            result = Chem.RemoveHs(work)
        except ValueError as error:
            raise GivenError(f"{text}: {error}") from error
    return result, {atom - sum(index < atom for index in gone): count for atom, count in counts.items()}


def query(text: str, *, exits: bool) -> Chem.Mol:
    """A part as a substructure query: with `exits`, each * must bear an atom; without, it may."""
    mol = Chem.MolFromSmiles(text)
    for atom in mol.GetAtoms():  # as exits are numbered elsewhere
        atom.SetIsotope(0)
        atom.SetAtomMapNum(0)
    if exits:
        settings = Chem.AdjustQueryParameters.NoAdjustments()
        settings.makeDummiesQueries = True  # type: ignore[assignment]  # the stub takes it for a method
        return Chem.AdjustQueryProperties(mol, settings)
    bare = Chem.RWMol(mol)
    for index in sorted((a.GetIdx() for a in mol.GetAtoms() if a.GetAtomicNum() == 0), reverse=True):
        bare.RemoveAtom(index)
    return bare.GetMol()


def with_stereo(smiles: str, given: Sequence[str]) -> str:
    """A molecule built flat, with the configurations that the parts it holds were given with.

    What was given without one stays open, and so does a part whose exits are not all used.
    """
    mol = Chem.MolFromSmiles(smiles)
    for text in given:
        part = query(text, exits=True)
        centres = [a.GetIdx() for a in part.GetAtoms() if a.GetChiralTag() != Chem.ChiralType.CHI_UNSPECIFIED]
        drawn = Chem.MolFromSmiles(text)  # a query forgets what its double bonds were
        double = [b for b in drawn.GetBonds() if b.GetStereo() > Chem.BondStereo.STEREOANY]
        place = mol.GetSubstructMatch(part) if centres or double else ()
        if not place:
            continue
        for bond in double:
            mine = mol.GetBondBetweenAtoms(place[bond.GetBeginAtomIdx()], place[bond.GetEndAtomIdx()])
            ends = [place[atom] for atom in bond.GetStereoAtoms()]
            turned = mine.GetBeginAtomIdx() != place[bond.GetBeginAtomIdx()]
            mine.SetStereoAtoms(*(reversed(ends) if turned else ends))
            cis = bond.GetStereo() in (Chem.BondStereo.STEREOZ, Chem.BondStereo.STEREOCIS)
            mine.SetStereo(Chem.BondStereo.STEREOCIS if cis else Chem.BondStereo.STEREOTRANS)
        for tags in product(_TURNS, repeat=min(len(centres), MOST_CENTRES)):
            for centre, tag in zip(centres, tags, strict=False):
                mol.GetAtomWithIdx(place[centre]).SetChiralTag(tag)
            if mol.HasSubstructMatch(part, useChirality=True):
                break
    return str(Chem.MolToSmiles(Chem.MolFromSmiles(Chem.MolToSmiles(mol))))


def halves(smiles: str, least: float) -> list[str]:
    """What a cut at a single bond leaves of a molecule where that has configurations, `*` at the cut, largest first.

    `least` is the smallest share of its atoms that counts.
    """
    mol = Chem.MolFromSmiles(smiles)
    cuts = [
        b.GetIdx() for b in mol.GetBonds() if b.GetBondType() == Chem.BondType.SINGLE and not b.IsInRing()
    ]
    found: dict[str, int] = {}
    for cut in cuts:
        broken = Chem.FragmentOnBonds(mol, [cut], dummyLabels=[(0, 0)])
        for part in Chem.GetMolFrags(broken, asMols=True):
            text, atoms = str(Chem.MolToSmiles(part)), part.GetNumAtoms() - 1
            if MARKED.search(text) and atoms >= least * mol.GetNumAtoms():
                found[text] = atoms
    return sorted(found, key=lambda text: (-found[text], text))


_TURNS = (Chem.ChiralType.CHI_TETRAHEDRAL_CW, Chem.ChiralType.CHI_TETRAHEDRAL_CCW)


def decorate(scaffold: str, vocabulary: Vocabulary) -> tuple[Vocabulary, Task]:
    """Every molecule holds the scaffold; each marked exit bears something.

    Raises
    ------
    GivenError
        As `read_part`; or no part the model knows can be placed at a marked exit.
    """
    part = read_part(scaffold)
    vocabulary = vocabulary.extended(part.tree.units)
    _check_exits(part, vocabulary)
    return vocabulary, Task(starts=(_piece(part, ordered(part.tree, vocabulary), part.marked),))


def join(fragments: Sequence[str], vocabulary: Vocabulary) -> tuple[Vocabulary, Task]:
    """Every molecule holds all fragments, joined by what the policy grows between them.

    Raises
    ------
    GivenError
        As `read_part`; fewer than 2 or more than 4 fragments; a counter-ion; or one that nothing can reach.
    """
    if not 2 <= len(fragments) <= MOST_FRAGMENTS:
        raise GivenError(f"2 to {MOST_FRAGMENTS} fragments can be joined, not {len(fragments)}")
    for text in fragments:
        if text in COUNTER_IONS:
            raise GivenError(
                f"{text} looks like the counter-ion of a salt: leave it out, or write *{text} to have it joined"
            )
    parts = [read_part(text) for text in fragments]
    for part in parts:
        vocabulary = vocabulary.extended(part.tree.units)
    for part in parts:
        _check_exits(part, vocabulary)
    start = _piece(parts[0], ordered(parts[0].tree, vocabulary), False)
    return vocabulary, Task((start,), tuple(_ways(part, vocabulary) for part in parts[1:]))


def regrow(tree: Tree, vocabulary: Vocabulary, kept: Sequence[int], task_exits: Sequence[Link]) -> Piece:
    """The part of a tree that `kept` units make, open where links were cut, each of which must be filled."""
    part, renumbered = subtree(tree, kept)
    exits: dict[tuple[int, int], int] = {}
    for link in task_exits:
        for u, atom in ((link.unit_a, link.atom_a), (link.unit_b, link.atom_b)):
            if u in renumbered:
                exits[renumbered[u], atom] = exits.get((renumbered[u], atom), 0) + link.order
    piece = _piece(Given("", part, exits, True), ordered(part, vocabulary), True)
    return replace(piece, highest=3)


def subtree(tree: Tree, kept: Sequence[int]) -> tuple[Tree, dict[int, int]]:
    """Some connected units of a tree as a tree of their own, and where each unit went."""
    renumbered = {u: number for number, u in enumerate(kept)}
    links = tuple(
        Link(renumbered[link.unit_a], link.atom_a, renumbered[link.unit_b], link.atom_b, link.order)
        for link in tree.links
        if link.unit_a in renumbered and link.unit_b in renumbered
    )
    return Tree(tuple(tree.units[u] for u in kept), links), renumbered


def sides(tree: Tree, cut: Link) -> tuple[list[int], list[int]]:
    """The units on either side of a link, that of `unit_a` first."""
    around: dict[int, list[int]] = {u: [] for u in range(len(tree.units))}
    for link in tree.links:
        if link != cut:
            around[link.unit_a].append(link.unit_b)
            around[link.unit_b].append(link.unit_a)
    seen = {cut.unit_a}
    edge = [cut.unit_a]
    while edge:
        for other in around[edge.pop()]:
            if other not in seen:
                seen.add(other)
                edge.append(other)
    return sorted(seen), [u for u in range(len(tree.units)) if u not in seen]


def _ways(part: Given, vocabulary: Vocabulary) -> tuple[Piece, ...]:
    """The part once for each inequivalent exit it may be entered by."""
    pieces: dict[tuple[object, ...], Piece] = {}
    for (u, atom), count in sorted(part.exits.items()):
        left = {**part.exits, (u, atom): count - 1}
        rollout = entered(part.tree, vocabulary, u, atom)
        piece = _piece(Given(part.text, part.tree, left, part.marked), rollout, False)
        pieces.setdefault((piece.entries, piece.parents, piece.sites, piece.exits), piece)
    return tuple(pieces.values())


def _piece(part: Given, rollout: Rollout, required: bool) -> Piece:
    exits = []
    for u, turned in zip(rollout.units, rollout.turned, strict=True):
        bonds = [0] * len(turned)
        for local, where in enumerate(turned):
            bonds[where] = part.exits.get((u, local), 0)
        exits.append(tuple(bonds))
    return Piece(
        rollout.entries,
        rollout.parents,
        rollout.sites,
        tuple(exits),
        required,
        part.tree.atoms,
        sum(unit(smiles).rings for smiles in part.tree.units),
    )


def _check_exits(part: Given, vocabulary: Vocabulary) -> None:
    """Carbon must fit at the exits, or a promise to fill them could not be kept."""
    carbon = vocabulary.tables.allowed[:, vocabulary.index["C", 0, 1]]
    fitting = [
        (u, atom)
        for u, atom in part.exits
        if carbon[vocabulary.kinds.index(kind(unit(part.tree.units[u]), atom))]
    ]
    bad = [end for end in part.exits if end not in fitting]
    if (part.marked and bad) or not fitting:
        u, atom = bad[0]
        raise GivenError(
            f"{part.text}: the model knows nothing to place at an exit on {part.tree.units[u]} (atom {atom + 1}); "
            "mark another atom with *"
        )
