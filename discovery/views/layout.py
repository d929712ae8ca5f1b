"""How does a molecule lie on paper, so that it can be read and stands as its relatives do?

RDKit places the atoms, ring systems it knows from its templates. A drawing in which
atoms lie on each other or bonds cross is tried once more in two other ways. What
molecules have in common is laid the same way in all of them, so that the eye finds
what differs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from rdkit.Chem import rdDepictor
from rdkit.Chem.Scaffolds import rdScaffoldNetwork

from discovery.diversity import scaffold
from discovery.molecule import Molecule, quiet_rdkit

Floats = NDArray[np.float64]

SAMPLE = 200  # molecules among which common parts are looked for
SCAFFOLDS = 40  # scaffolds, most frequent first, that are cut into smaller parts
FREE = 6  # heavy atoms of a part that count for nothing: a benzene ring tells no series
CLOSE = 0.45  # bond lengths; atoms nearer than this on paper are taken for one
LOOKED_AT, SHOWN = 3, 6  # examples of how a part may lie, and molecules that shall lie wide by it
WAYS = 50  # ways to lay a part on a molecule that are compared


@dataclass(frozen=True, slots=True)
class Part:
    """What molecules share, and one of them: the part lies in every drawing as it lies in that one's own.

    Where it says [*:1], a group is expected: of several ways to lay the part on a
    molecule, the one with the fewest groups elsewhere is taken.
    """

    smiles: str  # or SMARTS
    example: str = ""  # SMILES; without one the part lies as it does alone
    like: tuple[Part, ...] = ()  # how the example itself is laid


def laid_out(mol: Chem.Mol, like: Sequence[Part] = ()) -> Chem.Mol:
    """A copy of the molecule with 2-D coordinates; the first of the parts that it contains lies as told."""
    mol = Chem.Mol(mol)
    with quiet_rdkit():
        for part in like:
            placed = _placed(part)
            fit = _fit(mol, placed) if placed else ()
            if placed and fit:
                return _like(mol, placed[0], fit)
        return _free(mol)


def shared_parts(smiles: Sequence[str], *, most: int = 8) -> tuple[Part, ...]:
    """The ring skeletons, whole or with rings cut off, that explain most of these molecules.

    Each next one is looked for in the molecules that hold none of the earlier; what is left over
    then lies as its largest piece does in an earlier one. A part
    counts its heavy atoms above six in every molecule that contains it, and two must: a
    part that many hold goes before a larger one of few. The first 200 molecules are looked at.
    """
    with quiet_rdkit():
        mols = [mol for text in smiles[:SAMPLE] if text and (mol := Chem.MolFromSmiles(text)) is not None]
        skeletons = Counter(scaffold(Molecule(Chem.MolToSmiles(mol))) for mol in mols)
        frequent = sorted(skeletons, key=lambda text: (-skeletons[text], text))[:SCAFFOLDS]
        parts = {part: _query(part) for skeleton in frequent for part in _pieces(skeleton)}
        size = {part: found.GetNumHeavyAtoms() - FREE for part, found in parts.items()}
        holders = {
            part: {place for place, mol in enumerate(mols) if mol.HasSubstructMatch(found)}
            for part, found in parts.items()
            if size[part] > 0
        }
    chosen: list[Part] = []
    left = set(range(len(mols)))
    while holders and len(chosen) < most:
        best = min(holders, key=lambda part: (-len(holders[part] & left) * size[part], part))
        sharing = sorted(holders[best] & left, key=lambda place: (mols[place].GetNumHeavyAtoms(), place))
        if len(sharing) > 1:
            kin = _kin(parts[best], chosen, parts)
            middle = len(sharing) // 2  # neither the barest nor the bulkiest says how most would lie
            around = sorted(range(len(sharing)), key=lambda at: abs(at - middle))[:LOOKED_AT]
            examples = [Chem.MolToSmiles(mols[sharing[at]]) for at in around]
            found = [Part(best, example, (kin,) if kin else ()) for example in examples]
            first = [mols[place] for place in sorted(sharing)[:SHOWN]]
            chosen.append(min(found, key=lambda part: sum(_upright(laid_out(mol, [part])) for mol in first)))
        left -= holders[best]
        holders = {part: where for part, where in holders.items() if len(where & left) > 1}
    for place in sorted(left):  # alone with its skeleton, but not with all of it
        if len(chosen) < 2 * most and (kin := _kin(mols[place], chosen, parts)) and kin not in chosen:
            chosen.append(kin)
    return tuple(chosen)


def _upright(mol: Chem.Mol) -> float:
    """By how much it is taller than wide: small in a frame that is wider than tall."""
    width, height, _ = np.ptp(mol.GetConformer().GetPositions(), axis=0)
    return max(0.0, float(height - width))


def _like(mol: Chem.Mol, part: Chem.Mol, fit: Sequence[int]) -> Chem.Mol:
    """The molecule built around the part; where that is wrong or atoms collide, as it would lie alone, turned to fit."""
    ends = list(enumerate(fit))
    best = Chem.Mol(mol)
    rdDepictor.GenerateDepictionMatching2DStructure(best, part, atomMap=ends)
    wrong, touching, _ = _faults(best)
    if wrong or touching:
        alone = _free(mol)
        if wrong or not _faults(alone)[1]:
            best = alone
    turned: Any = rdDepictor.ConstrainedDepictionParams()  # RDKit's stubs mistype its settings
    turned.alignOnly = True  # what was built, too: to keep atoms apart RDKit may have turned the part over
    rdDepictor.GenerateDepictionMatching2DStructure(best, part, atomMap=ends, params=turned)
    return best


def _kin(part: Chem.Mol, chosen: Sequence[Part], pieces: Mapping[str, Chem.Mol]) -> Part | None:
    """The largest piece that a part shares with one chosen before, as it lies there."""
    inside = [
        text
        for text, piece in pieces.items()
        if piece.GetNumHeavyAtoms() > FREE and part.HasSubstructMatch(piece)
    ]
    inside.sort(key=lambda text: (-pieces[text].GetNumHeavyAtoms(), text))
    for text in inside:
        for other in chosen:
            if pieces[other.smiles].HasSubstructMatch(pieces[text]):
                return Part(text, other.example, other.like)
    return None


def _free(mol: Chem.Mol) -> Chem.Mol:
    """RDKit's own layout; where it is no clear drawing, the clearest of three."""
    rdDepictor.SetPreferCoordGen(False)
    rdDepictor.Compute2DCoords(mol, useRingTemplates=True)
    _bound_on_the_left(mol)
    if not any(_faults(mol)):
        return mol
    sampled, other = Chem.Mol(mol), Chem.Mol(mol)
    rdDepictor.Compute2DCoords(sampled, nFlipsPerSample=3, nSample=200, sampleSeed=7, permuteDeg4Nodes=True)
    rdDepictor.SetPreferCoordGen(True)
    try:
        rdDepictor.Compute2DCoords(other)
    finally:
        rdDepictor.SetPreferCoordGen(False)
    rdDepictor.NormalizeDepiction(other)
    return min((mol, sampled, other), key=_faults)


def _bound_on_the_left(mol: Chem.Mol) -> None:
    """Turn a group over, so that what it is bound to stands on its left, as chemists write groups."""
    ends = [atom.GetIdx() for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0]
    if len(ends) != 1:
        return
    conformer = mol.GetConformer()
    xyz = conformer.GetPositions()
    if xyz[ends[0], 0] > xyz[:, 0].mean():
        conformer.SetPositions(xyz * [-1.0, 1.0, 1.0])  # wedges are set from the stereo centres, afterwards


def _faults(mol: Chem.Mol) -> tuple[int, int, int]:
    """How many double bonds lie as their isomer would, pairs of atoms on each other, pairs of bonds cross."""
    xy = mol.GetConformer().GetPositions()[:, :2]
    bonds = np.array([(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds()])
    if not len(bonds):
        return 0, 0, 0
    start, end = xy[bonds[:, 0]], xy[bonds[:, 1]]
    length = float(np.median(np.linalg.norm(end - start, axis=-1))) or 1.0
    gaps = np.linalg.norm(xy[:, None] - xy[None], axis=-1)
    touching = int((gaps[np.triu_indices(len(xy), 1)] < CLOSE * length).sum())
    side_start, side_end = (
        _side(start, end, start),
        _side(start, end, end),
    )  # of each bond's ends to each line
    apart = (side_start * side_end < -1e-9) & (side_start * side_end < -1e-9).T
    shared = (bonds[:, None, :, None] == bonds[None, :, None, :]).any(axis=(2, 3))
    wrong = sum(_is_mirrored(bond, xy) for bond in mol.GetBonds())
    return wrong, touching, int((apart & ~shared).sum()) // 2


_CIS = (Chem.BondStereo.STEREOZ, Chem.BondStereo.STEREOCIS)
_TRANS = (Chem.BondStereo.STEREOE, Chem.BondStereo.STEREOTRANS)


def _is_mirrored(bond: Chem.Bond, xy: Floats) -> bool:
    """Whether a double bond is drawn cis that is trans, or the other way round: relatives may differ in just that."""
    if bond.GetStereo() not in (*_CIS, *_TRANS):
        return False
    start, end = xy[bond.GetBeginAtomIdx()], xy[bond.GetEndAtomIdx()]
    one, other = _side(start[None], end[None], xy[list(bond.GetStereoAtoms())])[0]
    return bool(one * other > 0) != (bond.GetStereo() in _CIS)


def _side(start: Floats, end: Floats, point: Floats) -> Floats:
    """[line, point]: on which side of each line from start to end each point lies."""
    along, to = (end - start)[:, None], point[None] - start[:, None]
    side: Floats = along[..., 0] * to[..., 1] - along[..., 1] * to[..., 0]
    return side


@lru_cache(maxsize=256)
def _placed(part: Part) -> tuple[Chem.Mol, frozenset[int]] | None:
    """A part as it lies in every molecule, and its atoms at which groups are expected."""
    read = Chem.MolFromSmiles(part.smiles) or Chem.MolFromSmarts(part.smiles)
    if read is None:
        return None
    read.UpdatePropertyCache(strict=False)
    Chem.FastFindRings(read)
    mol = Chem.RWMol(_free(read))
    ends = [atom for atom in mol.GetAtoms() if atom.GetAtomicNum() == 0 and atom.GetDegree() == 1]
    for atom in ends:
        atom.GetNeighbors()[0].SetBoolProp("expected", True)
    for index in sorted((atom.GetIdx() for atom in ends), reverse=True):
        mol.RemoveAtom(index)
    placed = mol.GetMol(), frozenset(atom.GetIdx() for atom in mol.GetAtoms() if atom.HasProp("expected"))
    example = Chem.MolFromSmiles(part.example) if part.example else None
    if example is not None and (fit := _fit(example, placed)):
        xyz = laid_out(example, part.like).GetConformer().GetPositions()
        placed[0].GetConformer().SetPositions(xyz[list(fit)])
    return placed if placed[0].GetNumAtoms() else None


def _fit(mol: Chem.Mol, placed: tuple[Chem.Mol, frozenset[int]]) -> tuple[int, ...]:
    """The atoms of the molecule that the part's atoms are laid on; empty when it does not contain the part."""
    part, expected = placed
    fits = mol.GetSubstructMatches(part, uniquify=False, maxMatches=WAYS)
    return min(fits, key=lambda fit: _leaving(mol, fit, expected)) if fits else ()


def _leaving(
    mol: Chem.Mol, fit: Sequence[int], expected: frozenset[int]
) -> tuple[int, list[tuple[int, int]]]:
    """For choosing among fits: few groups where none is expected, then groups at the part's first atoms."""
    inside = set(fit)
    groups = sorted(
        (place, -other.GetAtomicNum())
        for place, index in enumerate(fit)
        for other in mol.GetAtomWithIdx(index).GetNeighbors()
        if other.GetIdx() not in inside
    )
    return sum(place not in expected for place, _ in groups), groups


def _pieces(skeleton: str) -> Iterator[str]:
    """A ring skeleton and what is left of it when rings at its ends are cut off, one after another."""
    mol = Chem.MolFromSmiles(skeleton) if skeleton else None
    if mol is None:
        return
    yield skeleton
    how: Any = rdScaffoldNetwork.ScaffoldNetworkParams()  # RDKit's stubs mistype its settings
    how.includeGenericScaffolds = how.includeScaffoldsWithAttachments = False
    how.flattenChirality = how.flattenIsotopes = False
    for piece in rdScaffoldNetwork.CreateScaffoldNetwork([mol], how).nodes:
        yield str(piece)


def _query(part: str) -> Chem.Mol:
    return Chem.MolFromSmiles(part) or Chem.MolFromSmarts(part)
