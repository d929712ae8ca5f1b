"""What new molecules do pieces of known drugs make?

The baseline proposer: known molecules are cut at bonds that medicinal chemistry
often makes (BRICS), and pieces are joined again where the same rules allow it. It
learns by counting: pieces of well-rewarded molecules are drawn more often, and
well-rewarded molecules have one end exchanged. No network, no weights.

Pieces are flat graphs: a cut through a stereocentre has no handedness to keep, so
stereoisomers are left to whoever needs them.
"""

from __future__ import annotations

import math
import random
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import combinations
from pathlib import Path

from rdkit import Chem
from rdkit.Chem import BRICS

from discovery.intake import read
from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import Missing, Reason
from discovery.plugins import settle
from discovery.proposal import Lesson, Proposal
from generative.breeding.elite import by_rank
from generative.refusal import SettingError, check_weights
from generative.taste import objection
from generative.trees import flat

PATIENCE = 3_000  # draws in a row without a new molecule after which the pieces count as exhausted
PIECE_ATOMS = 24  # heavy atoms of a piece: larger ones are nearly the parent itself
ELITE = 50  # well-rewarded molecules that may be edited
TRUST = 2.0  # lessons about a piece needed before its own mean outweighs the overall mean


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of a known molecule with one open end (an arm) or two (a core)."""

    smiles: str  # canonical, each open end a dummy atom whose isotope is its BRICS environment
    ends: tuple[int, ...]  # the environments, ascending
    parent: str  # SMILES of the first molecule it was found in
    name: str  # how that molecule is called in messages


@dataclass(frozen=True)
class BricsProposer:
    """Recombines pieces of known molecules; the baseline every other proposer must beat.

    Parameters
    ----------
    molecules : path, optional
        Library, as `discovery.intake` reads them, to take pieces from. By default about 120
        approved drugs and known serotonergic ligands that ship with the package.
    min_weight, max_weight : Da
        Molecular weight of what is proposed.
    max_pieces : 2 or 3
        An arm and an arm, or with a core between them.
    learn : float
        How strongly rewards tilt the drawing of pieces; 0 never learns.
    edit_share : float, 0..1
        Share of proposals that exchange one end of a well-rewarded molecule, once there are any.
    taste : bool
        Propose only what is stable and could be taken by mouth; without it only weight counts.

    Raises
    ------
    SettingError
        Settings that contradict each other, or a file that gives no pieces.

    References
    ----------
    .. [1] J. Degen, C. Wegscheid-Gerlach, A. Zaliani, M. Rarey, ChemMedChem 2008, 3, 1503,
       doi 10.1002/cmdc.200800178: the cutting rules, as RDKit implements them.
    """

    molecules: Path | None = None
    min_weight: float = 200.0
    max_weight: float = 500.0
    max_pieces: int = 3
    learn: float = 2.0
    edit_share: float = 0.4
    taste: bool = True
    name: str = "brics"

    def __post_init__(self) -> None:
        settle(self)
        check_weights(self.min_weight, self.max_weight)
        if self.max_pieces not in (2, 3):
            raise SettingError(f"max_pieces is 2 or 3, not {self.max_pieces}")
        if not 0.0 <= self.edit_share <= 1.0:
            raise SettingError(f"edit_share is a share, 0 to 1, not {self.edit_share}")

    def propose(self, n: int, /, *, round: int, seed: int, lessons: Sequence[Lesson]) -> Sequence[Proposal]:
        """At most `n` new molecules: none of the source's own, none that a lesson speaks of.

        Fewer come back when the pieces are exhausted: 3,000 draws in a row gave
        nothing new.
        """
        source = load(self.molecules)
        taught = sorted(lessons, key=lambda lesson: (-lesson.reward, lesson.molecule.smiles))
        known = {flat(m.smiles) for m in source} | {flat(lesson.molecule.smiles) for lesson in taught}
        elite = [lesson for lesson in taught if lesson.reward > 0][:ELITE]
        pool = Pool.of([*source, *(lesson.molecule for lesson in elite)], taught, self.learn)
        rng = random.Random(f"brics {seed} {round}")
        proposals: list[Proposal] = []
        tried: set[tuple[str, ...]] = set()
        idle = 0
        while len(proposals) < n and idle < PATIENCE:
            idle += 1
            if elite and rng.random() < self.edit_share:
                chosen = rng.choices(elite, by_rank(len(elite)))[0]
                parts = pool.exchange(chosen.molecule, rng)
            else:
                parts = pool.draw(rng, cores=self.max_pieces > 2)
            row = tuple(part.smiles for part in parts)
            if row in tried:
                continue
            tried.add(row)
            smiles = _join(parts) if parts else None
            if (
                smiles is None
                or smiles in known
                or objection(Chem.MolFromSmiles(smiles), self.min_weight, self.max_weight, taste=self.taste)
            ):
                continue
            idle = 0
            known.add(smiles)
            parents = tuple(dict.fromkeys(part.parent for part in parts))
            proposals.append(
                Proposal(smiles, self.name, round, parents=parents, edit="joined " + _words(parts))
            )
        return proposals


@dataclass(frozen=True)
class Pool:
    """Pieces to draw from, each with its weight."""

    arms: tuple[Piece, ...]
    cores: tuple[Piece, ...]
    weight: dict[str, float]  # by piece SMILES

    @classmethod
    def of(cls, molecules: Sequence[Molecule], lessons: Sequence[Lesson], learn: float) -> Pool:
        """All pieces of `molecules`, weighted by how often they occur and what lessons say.

        Raises
        ------
        SettingError
            If no molecule can be cut.
        """
        found: dict[str, Piece] = {}
        seen: Counter[str] = Counter()
        for molecule in molecules:
            for piece in _pieces(molecule):
                found.setdefault(piece.smiles, piece)
                seen[piece.smiles] += 1
        merit = _merit(lessons)
        pieces = sorted(found.values(), key=lambda piece: piece.smiles)
        arms = tuple(piece for piece in pieces if len(piece.ends) == 1)
        if not arms:
            raise SettingError(
                f"none of the {len(molecules)} molecules has a bond that the BRICS rules cut; "
                "give molecules with amides, ethers, amines or biaryls"
            )
        weight = {
            piece.smiles: math.sqrt(seen[piece.smiles]) * math.exp(learn * merit.get(piece.smiles, 0.0))
            for piece in pieces
        }
        return cls(arms, tuple(piece for piece in pieces if len(piece.ends) == 2), weight)

    def draw(self, rng: random.Random, *, cores: bool) -> list[Piece]:
        """An arm, sometimes a core, and an arm that fits; empty where nothing fits."""
        first = self._choose(self.arms, rng)
        if cores and self.cores and rng.random() < 0.5:
            fitting = [core for core in self.cores if any(_fits(first.ends[0], end) for end in core.ends)]
            if not fitting:
                return []
            core = self._choose(fitting, rng)
            _, far = core.ends if _fits(first.ends[0], core.ends[0]) else core.ends[::-1]
            return self._finish([first, core], far, rng)
        return self._finish([first], first.ends[0], rng)

    def exchange(self, molecule: Molecule, rng: random.Random) -> list[Piece]:
        """Keep one arm of `molecule`, draw what is joined to it; empty where it cannot be cut."""
        kept = [piece for piece in _pieces(molecule) if len(piece.ends) == 1]
        if not kept:
            return []
        arm = rng.choice(kept)
        return self._finish([arm], arm.ends[0], rng)

    def _finish(self, parts: list[Piece], end: int, rng: random.Random) -> list[Piece]:
        fitting = [arm for arm in self.arms if _fits(end, arm.ends[0])]
        return [*parts, self._choose(fitting, rng)] if fitting else []

    def _choose(self, pieces: Sequence[Piece], rng: random.Random) -> Piece:
        return rng.choices(pieces, [self.weight[piece.smiles] for piece in pieces])[0]


def _merit(lessons: Sequence[Lesson]) -> dict[str, float]:
    """Piece -> how far its molecules' rewards lie above the mean, in standard deviations.

    Means of few lessons are drawn towards 0, the mean of all: one lucky molecule is no proof.
    """
    if len(lessons) < 2:
        return {}
    rewards = [lesson.reward for lesson in lessons]
    mean = sum(rewards) / len(rewards)
    spread = math.sqrt(sum((reward - mean) ** 2 for reward in rewards) / len(rewards))
    if spread == 0.0:
        return {}
    total: defaultdict[str, float] = defaultdict(float)
    count: Counter[str] = Counter()
    for lesson in lessons:
        for piece in _pieces(lesson.molecule):
            total[piece.smiles] += (lesson.reward - mean) / spread
            count[piece.smiles] += 1
    return {smiles: total[smiles] / (count[smiles] + TRUST) for smiles in sorted(total)}


@lru_cache(maxsize=20_000)
def _pieces(molecule: Molecule) -> tuple[Piece, ...]:
    """Arms (what one cut leaves on either side) and cores (what lies between two cuts)."""
    mol = Chem.MolFromSmiles(flat(molecule.smiles))
    cuts = sorted(
        (mol.GetBondBetweenAtoms(*atoms).GetIdx(), tuple(int(label.rstrip("ab")) for label in labels), atoms)
        for atoms, labels in BRICS.FindBRICSBonds(mol)  # type: ignore[no-untyped-call]
    )
    pieces: dict[str, Piece] = {}
    for size in (1, 2):
        for chosen in combinations(cuts, size):
            for smiles, ends in _cut(mol, chosen):
                # after two cuts only the middle is new: the ends are arms already
                if len(ends) == size and smiles.count("*") == size:
                    pieces.setdefault(smiles, Piece(smiles, ends, molecule.smiles, molecule.shown))
    return tuple(pieces[smiles] for smiles in sorted(pieces))


def _cut(
    mol: Chem.Mol, cuts: Sequence[tuple[int, tuple[int, ...], tuple[int, int]]]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """What is left after cutting bonds: SMILES and the environments of its open ends."""
    labels = []
    for bond, (begin_label, end_label), (begin, _) in cuts:
        if mol.GetBondWithIdx(bond).GetBeginAtomIdx() != begin:
            begin_label, end_label = end_label, begin_label
        # RDKit wants the label each dummy carries: it stands for the atom on the other side,
        # but BRICS names a dummy after the atom it is attached to
        labels.append((end_label, begin_label))
    broken = Chem.FragmentOnBonds(mol, [bond for bond, _, _ in cuts], dummyLabels=labels)
    for part in Chem.GetMolFrags(broken, asMols=True, sanitizeFrags=False):
        if part.GetNumHeavyAtoms() > PIECE_ATOMS:
            continue
        ends = tuple(sorted(atom.GetIsotope() for atom in part.GetAtoms() if atom.GetAtomicNum() == 0))
        yield str(Chem.MolToSmiles(part)), ends


def _join(parts: Sequence[Piece]) -> str | None:
    """Pieces in a row -> canonical SMILES; None where the sum is no molecule."""
    whole = Chem.RWMol(Chem.MolFromSmiles(parts[0].smiles))
    for part in parts[1:]:
        new = Chem.MolFromSmiles(part.smiles)
        open_old = [atom.GetIdx() for atom in whole.GetAtoms() if atom.GetAtomicNum() == 0]
        offset = whole.GetNumAtoms()
        open_new = [atom.GetIdx() + offset for atom in new.GetAtoms() if atom.GetAtomicNum() == 0]
        whole.InsertMol(new)
        pair = next(
            (
                (a, b)
                for a in open_old
                for b in open_new
                if _fits(whole.GetAtomWithIdx(a).GetIsotope(), whole.GetAtomWithIdx(b).GetIsotope())
            ),
            None,
        )
        if pair is None:
            return None
        a, b = (whole.GetAtomWithIdx(index) for index in pair)
        order = Chem.BondType.DOUBLE if a.GetIsotope() == 7 else Chem.BondType.SINGLE
        whole.AddBond(a.GetNeighbors()[0].GetIdx(), b.GetNeighbors()[0].GetIdx(), order)
        for index in sorted(pair, reverse=True):
            whole.RemoveAtom(index)
    with quiet_rdkit():
        mol = Chem.MolFromSmiles(Chem.MolToSmiles(whole))
    if mol is None or any(atom.GetAtomicNum() == 0 for atom in mol.GetAtoms()):
        return None
    return str(Chem.MolToSmiles(mol))


@lru_cache(maxsize=1)
def _partners() -> frozenset[tuple[int, int]]:
    """Pairs of environments between which the BRICS rules make a bond."""
    pairs = {(int(a.rstrip("ab")), int(b.rstrip("ab"))) for group in BRICS.reactionDefs for a, b, _ in group}
    return frozenset(pairs | {(b, a) for a, b in pairs})


def _fits(a: int, b: int) -> bool:
    return (a, b) in _partners()


def _words(parts: Sequence[Piece]) -> str:
    """Pieces, as a chemist would name them: "CN(C)CC* of sumatriptan and ..."."""
    named = [re.sub(r"\[\d+\*\]", "*", part.smiles) + f" of {part.name}" for part in parts]
    return ", ".join(named[:-1]) + " and " + named[-1]


@lru_cache(maxsize=8)
def load(path: Path | None) -> tuple[Molecule, ...]:
    """Molecules of a library file; rows that cannot be read are named in one warning.

    Raises
    ------
    SettingError
        If no row can be read.
    IntakeError
        If the file is absent or of no kind that is read.
    """
    shown = "the shipped drugs" if path is None else str(path)
    where = path or Path(str(files("generative") / "data" / "drugs.smi"))
    outcomes = [row.outcome for row in read(where, keep_duplicates=True)]
    molecules = tuple(one for one in outcomes if isinstance(one, Molecule))
    bad = [one for one in outcomes if isinstance(one, Missing) and one.reason is not Reason.EMPTY]
    if not molecules:
        raise SettingError(
            f"{shown}: no row holds a molecule ({bad[0].detail if bad else 'the file is empty'})"
        )
    if bad:
        warnings.warn(f"{shown}: {len(bad)} of {len(outcomes)} rows left out; {bad[0].detail}", stacklevel=2)
    return molecules
