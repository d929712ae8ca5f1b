"""Which molecules are worth the next calls of an expensive oracle?

Many cheap candidates, few calls. A Gaussian process fitted to all lessons looks through what
edits make of the best molecules, breeds on from the promising ones for a few generations
without asking anybody, and spends the calls where it expects most or knows least. Ways of
editing that gave promising candidates are drawn more often, within the round, so that nothing
but the lessons need be remembered: a run that was stopped goes on to the same end.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rdkit import Chem

from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import MoleculeError
from discovery.plugins import settle
from discovery.proposal import Lesson, Proposal
from generative.breeding.collection import COMMON, Collection, circles, read
from generative.breeding.coverage import Parts, deserved, untried
from generative.breeding.edits import EDITS, PAIRED, edit, together
from generative.breeding.elite import (
    Search,
    by_rank,
    compromised,
    descending,
    elite_of,
    liked,
    scaffold_of,
    spread,
)
from generative.breeding.recombination import load
from generative.breeding.screening import EQUAL, resting, screened, share
from generative.breeding.search import Editor
from generative.breeding.surrogate import Doubles, Features, Look, Surrogate, looked_at
from generative.given import query, read_part
from generative.refusal import SettingError, check_avoided, check_weights
from generative.taste import objection
from generative.trees import Tree, flat, put_together, split
from generative.vocabulary import Vocabulary

FEW = 12  # lessons below which there is nothing to fit
COUNTED = 1_500  # molecules of the library whose units are counted for whole-unit edits
SAMPLED = 3_000  # molecules of the collection whose parts are tried where the search rests
LIBRARY = 300  # molecules of the library judged each round as they stand
LIKED, LIKE = 10, 12  # good molecules whose neighbours in the collection are judged each round, and how many
UNIT_ODDS = 2.0  # an edit on whole units: another ring system in one's place
FOREIGN = 0.3  # share of crossings with the library instead of with another good molecule

Wanted = Callable[[Chem.Mol], bool]


@dataclass(frozen=True)
class Candidate:
    """A molecule that might be proposed."""

    smiles: str
    mol: Chem.Mol
    parents: tuple[str, ...]  # scored molecules it descends from
    edit: str  # in words
    way: str = "prior"  # what made it last: bookkeeping of what works
    log_prob: float | None = None


def choose(
    n: int,
    lessons: Sequence[Lesson],
    rng: random.Random,
    *,
    library: Sequence[str],
    wanted: Wanted,
    known: set[str],
    search: Search,
    prior: Sequence[Candidate],
    editor: Editor | None,
) -> list[Candidate]:
    """At most `n` new molecules, the best use of `n` calls of an oracle.

    Parameters
    ----------
    lessons : at least two, rewards not all equal
    library : SMILES
        Molecules whose parts may be grafted on, and which may be proposed themselves.
    wanted : Mol -> bool
        Candidates that fail are never looked at again.
    known : SMILES
        Not proposed again; grows by the candidates.
    prior : candidates made elsewhere, judged with the others
    editor : for edits on whole units; without one there are none
    """
    smiles = [lesson.molecule.smiles for lesson in lessons]
    surrogate = Surrogate.fit(smiles, [lesson.reward for lesson in lessons], seed=rng.getrandbits(32))
    elite = elite_of(lessons, search, rng)
    breeding = Breeding(rng, library, wanted, known, editor)
    pool = Pool(surrogate)
    pool.add([*prior, *breeding.untried(LIBRARY if not prior else LIBRARY // 5)])
    parents: list[Parent] = [(one, (one,), "") for one in elite]
    for _ in range(search.generations):
        made = breeding.children(parents, max(n * search.oversample // search.generations, 1))
        if not made:
            break
        pool.add(made)
        best_first = descending(pool.mean + 0.3 * pool.doubt)
        breeding.learn(pool.members, best_first[: max(len(pool.members) // 6, n // 2)])
        hopeful = [pool.members[index] for index in spread(best_first, pool.mean, search)]
        parents = [(one.smiles, one.parents, one.edit) for one in hopeful]
        parents += [(one, (one,), "") for one in elite[: search.elite // 2]]
    return pool.chosen(n, search, rng)


@dataclass
class Pool:
    """Candidates, and what the surrogate expects of each."""

    surrogate: Surrogate
    members: list[Candidate] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    mean: Doubles = field(default_factory=lambda: np.zeros(0))  # [member]
    doubt: Doubles = field(default_factory=lambda: np.zeros(0))  # [member] standard deviation

    def add(self, new: Sequence[Candidate]) -> None:
        if not new:
            return
        looks = [looked_at(one.smiles, one.mol) for one in new]
        mean, doubt = self.surrogate.predict(Features.of(looks))
        self.members += new
        self.looks += looks
        self.mean = np.concatenate([self.mean, mean])
        self.doubt = np.concatenate([self.doubt, doubt])

    def chosen(self, n: int, search: Search, rng: random.Random) -> list[Candidate]:
        """At most `n`: most of them together the best bet, a few drawn blindly from the rest."""
        if not self.members:
            return []
        hopeful, unsure = descending(self.mean), descending(self.mean + self.doubt)
        short = sorted({*hopeful[: 2 * n], *unsure[: 3 * n]})
        blind = min(int(search.blind * n + rng.random()), n)
        picked = self.surrogate.batch(
            Features.of([self.looks[i] for i in short]),
            n - blind,
            search.optimism,
            [scaffold_of(self.members[i].smiles) for i in short] if search.per_batch else (),
            search.per_batch,
        )
        chosen = [self.members[short[i]] for i in picked]
        taken = {one.smiles for one in chosen}
        left = [one for one in self.members if one.smiles not in taken]
        return chosen + rng.sample(left, min(n - len(chosen), len(left)))


Parent = tuple[str, tuple[str, ...], str]  # SMILES, the scored molecules behind it, edits since them


@dataclass
class Breeding:
    """Draws edits; ways that gave promising candidates are drawn more often."""

    rng: random.Random
    library: Sequence[str]
    wanted: Wanted
    known: set[str]
    editor: Editor | None
    foreign: float = FOREIGN

    def __post_init__(self) -> None:
        self.start = {name: odds for name, (_, odds, _) in EDITS.items()}
        if self.editor:
            self.start["units"] = UNIT_ODDS
        self.odds = dict(self.start)

    def children(self, parents: Sequence[Parent], n: int, tries: int = 6) -> list[Candidate]:
        """At most `n` new candidates; parents that stand first are drawn more often."""
        names, odds = list(self.odds), list(self.odds.values())
        ranks = by_rank(len(parents))
        made: list[Candidate] = []
        for _ in range(tries * n if parents else 0):
            if len(made) == n:
                break
            way = self.rng.choices(names, odds)[0]
            parent = self.rng.choices(parents, ranks)[0]
            candidate = self._one(way, parent, parents, ranks)
            if candidate and candidate.smiles not in self.known and self.wanted(candidate.mol):
                self.known.add(candidate.smiles)
                made.append(candidate)
        return made

    def untried(self, n: int) -> list[Candidate]:
        """At most `n` molecules of the library as they stand."""
        found: list[Candidate] = []
        for smiles in self.rng.sample(self.library, len(self.library)):
            if len(found) == n:
                break
            if smiles not in self.known and self.wanted(mol := Chem.MolFromSmiles(smiles)):
                self.known.add(smiles)
                found.append(Candidate(smiles, mol, (), "taken from the library", "library"))
        return found

    def learn(self, pool: Sequence[Candidate], promising: Sequence[int]) -> None:
        """Odds in proportion to the share of a way's candidates that are promising; no way dies out."""
        tries = Counter(one.way for one in pool)
        hits = Counter(pool[index].way for index in promising)
        for name, start in self.start.items():
            self.odds[name] = start * (0.1 + 6 * (hits[name] + 1) / (tries[name] + 6))

    def _one(
        self, way: str, parent: Parent, parents: Sequence[Parent], ranks: Sequence[float]
    ) -> Candidate | None:
        smiles, roots, words = parent
        other: Parent = ("", (), "")
        if way in PAIRED or way == "units":
            foreign = self.library and self.rng.random() < self.foreign
            other = (
                (self.rng.choice(self.library), (), "") if foreign else self.rng.choices(parents, ranks)[0]
            )
        if way == "units":
            assert self.editor is not None
            found, what = _units(self.editor, smiles, other[0], self.rng)
        else:
            found, what = edit(way, smiles, other[0] or smiles, self.rng), EDITS[way][2]
        if found is None:
            return None
        if other[0] and way in PAIRED:
            what += f" {'with' if way == 'cross' else 'from'} {other[0]}"
        said = f"{words}, then {what}" if words else f"{roots[0]} {what}"
        return Candidate(found[0], found[1], tuple(dict.fromkeys((*roots, *other[1]))), said, way)


def _units(
    editor: Editor, smiles: str, other: str, rng: random.Random
) -> tuple[tuple[str, Chem.Mol] | None, str]:
    mine, theirs = _tree(smiles), _tree(other)
    edited = editor.edit(mine, [theirs] if theirs else [], rng) if mine else None
    if edited is None:
        return None, ""
    made = put_together(edited.tree)
    return (made, Chem.MolFromSmiles(made)), edited.words


@lru_cache(maxsize=4_000)
def _tree(smiles: str) -> Tree | None:
    """Unchecked: where units do not add up to the molecule, an edit gives a neighbour of it all the same."""
    try:
        return split(Chem.MolFromSmiles(flat(smiles)))
    except MoleculeError:
        return None  # it can still be edited atom by atom


def meet(
    n: int,
    rng: random.Random,
    *,
    library: Sequence[str],
    seeds: Sequence[str],
    common: frozenset[int],
    asked: Iterable[str],
    wanted: Wanted,
    known: set[str],
) -> list[Candidate]:
    """New molecules while every reward is the same: those with most common substructures not yet met.

    With nothing to climb, a call is worth what it may hit on: molecules of the library and
    crossings between them, chosen one after another. `seeds` are molecules to build on, whether
    wanted themselves or not.
    """
    met = {one for smiles in asked for one in circles(smiles)}
    breeding = Breeding(rng, library, wanted, known, None)
    pool = breeding.untried(6 * n)
    breeding.foreign = 0.8
    breeding.odds = {"cross": 2.0, "graft": 1.0}
    if len(pool) < n:  # too few to recombine alone: they are edited in every way too
        breeding.odds = breeding.start | {"cross": 6.0, "graft": 6.0}
    parents: list[Parent] = [(one.smiles, (), one.edit) for one in pool]
    parents += [(smiles, (smiles,), "") for smiles in seeds]
    pool += breeding.children(parents, 3 * n, tries=30)
    fresh = [common.intersection(circles(one.smiles)) - met for one in pool]
    chosen: list[int] = []
    while len(chosen) < min(n, len(pool)):
        best = max((i for i in range(len(pool)) if i not in chosen), key=lambda i: (len(fresh[i]), -i))
        chosen.append(best)
        gained = fresh[best]
        fresh = [left - gained for left in fresh]
    return [pool[i] for i in chosen]


@dataclass(frozen=True)
class GuidedProposer:
    """Edits, a surrogate, and no trained model: starts from a library of molecules.

    Parameters
    ----------
    molecules : path, optional
        File of molecules to start from and to take parts from; shipped drugs when absent.
    collection : path, optional
        A large file of molecules, of what can be bought for example: searched each round for neighbours
        of good molecules, and screened as it stands beside what is bred, see `screening`.
    scaffold : str
        SMILES every molecule must hold; `*` marks the only atoms that may bear something else.
    avoid : sequence of SMARTS
        No molecule holds any of these.
    min_weight, max_weight : Da
    taste : bool
        Propose only what is stable, uncharged and could be taken by mouth; without it only
        weight counts.
    opening : int
        Molecules of the library asked about before the surrogate is trusted.
    search : Search
        How widely is looked around.
    pareto : bool
        Climb towards another compromise between the criteria each round, instead of always
        towards the best weighted mean.

    Raises
    ------
    SettingError
        Settings that cannot be met, each named.
    """

    molecules: Path | None = None
    collection: Path | None = None
    scaffold: str = ""
    avoid: tuple[str, ...] = ()
    min_weight: float = 200.0
    max_weight: float = 500.0
    taste: bool = True
    opening: int = 100
    search: Search = field(default_factory=Search)
    pareto: bool = False
    name: str = "guided"

    def __post_init__(self) -> None:
        settle(self)
        check_weights(self.min_weight, self.max_weight)
        if self.opening < FEW:
            raise SettingError(f"opening is at least {FEW}, not {self.opening}")
        check_avoided(self.avoid)
        if self.scaffold:
            read_part(self.scaffold)

    def propose(self, n: int, /, *, round: int, seed: int, lessons: Sequence[Lesson]) -> Sequence[Proposal]:
        """At most `n` new molecules, none of which a lesson speaks of."""
        rng = random.Random(f"{self.name} {seed} {round}")
        lessons = compromised(lessons, rng) if self.pareto else lessons
        taught = sorted(lessons, key=lambda lesson: (-lesson.reward, lesson.molecule.smiles))
        asked = [lesson.molecule.smiles for lesson in taught]
        known = {*asked, *map(flat, asked)}
        with quiet_rdkit():
            chosen = self._chosen(n, rng, taught, asked, known)
        return [Proposal(one.smiles, self.name, round, one.parents, one.edit) for one in chosen]

    def _chosen(
        self, n: int, rng: random.Random, taught: Sequence[Lesson], asked: Sequence[str], known: set[str]
    ) -> list[Candidate]:
        first: list[Candidate] = []
        if len(taught) < min(self.opening, len(self._library) // 2):
            first = Breeding(rng, self._library, self._wanted, known, None).untried(n)
        if not first and self._collection and len(taught) >= FEW and taught[0].reward <= taught[-1].reward:
            first = self._unmet(n, rng, asked, known)
        if len(first) == n:
            return first
        if first or len(taught) < FEW or taught[0].reward <= taught[-1].reward:
            return first + meet(
                n - len(first),
                rng,
                library=self._library,
                seeds=self._seeds,
                common=self._common,
                asked=asked,
                wanted=self._wanted,
                known=known,
            )
        if found := self._covered(n, taught, rng, known):
            return found
        apart = self._screened(n // 2, taught, rng, known)
        return apart + choose(
            n - len(apart),
            taught,
            rng,
            library=self._library,
            wanted=self._wanted,
            known=known,
            search=self.search,
            prior=self._neighbours(taught, rng, known),
            editor=self._editor,
        )

    def _covered(
        self, n: int, taught: Sequence[Lesson], rng: random.Random, known: set[str]
    ) -> list[Candidate]:
        """In some rounds of a search that rests, its best molecules with parts never tried on them, else none."""
        rested = resting(lesson.reward for lesson in taught)
        if not rested:
            return []
        level = taught[9].reward - EQUAL
        top = [lesson.molecule.smiles for lesson in taught if lesson.reward >= level]
        if rng.random() >= rested * deserved(len(top)):
            return []
        bred = [lesson.molecule.smiles for lesson in taught if lesson.molecule.smiles not in self._fresh]
        found = untried(n, top, self._parts, self._parts.tried(bred, _tree), rng, known, self._wanted)
        if len(found) < n:  # all parts were tried
            return []
        return [
            Candidate(smiles, mol, (parent,), f"{parent} {how}", "part") for smiles, mol, parent, how in found
        ]

    def _screened(
        self, n: int, taught: Sequence[Lesson], rng: random.Random, known: set[str]
    ) -> list[Candidate]:
        """In some rounds, `n` molecules of the collection, chosen by what was learned of such as them."""
        if not self._collection:
            return []
        fresh = [one for one in taught if one.molecule.smiles in self._fresh]
        due = rng.random() < 2 * share(taught, elite_of(taught, self.search, rng), self._fresh)
        if not due or len(fresh) < FEW or fresh[0].reward <= fresh[-1].reward:
            return []
        rows = screened(2 * n, fresh, self._collection, self._looked(known), self.search, rng)
        return self._standing(rows, known)[:n]

    def _unmet(self, n: int, rng: random.Random, asked: Sequence[str], known: set[str]) -> list[Candidate]:
        """Of the collection, what holds most that was never tried.

        Where only weight counts, each call asks about two molecules at once, joined: whatever the
        oracle looks for is met in half the calls, and which half it was in is found from there.
        """
        assert self._collection is not None
        found = self._standing(self._collection.unmet(asked, 4 * n, self._looked(known)), known)
        if self.taste:
            return found[:n]
        return [self._two(*pair, rng) for pair in zip(found[: 2 * n : 2], found[1 : 2 * n : 2], strict=False)]

    def _two(self, one: Candidate, other: Candidate, rng: random.Random) -> Candidate:
        made = together(one.smiles, other.smiles, rng)
        if made is None or not self._wanted(made[1]):
            return one
        said = f"taken from the collection, two at once: {one.smiles} and {other.smiles}"
        return Candidate(*made, (), said, "library")

    def _neighbours(self, taught: Sequence[Lesson], rng: random.Random, known: set[str]) -> list[Candidate]:
        """Molecules of the collection that are like good ones."""
        if not self._collection:
            return []
        good = liked(taught, self.search, rng, LIKED)
        return self._standing(self._collection.near(good, LIKE, self._looked(known)), known)

    def _standing(self, rows: Sequence[int], known: set[str]) -> list[Candidate]:
        """Rows of the collection as candidates, where they are wanted."""
        assert self._collection is not None
        found = []
        for row in rows:
            try:
                smiles = flat(Molecule.parse(self._collection.smiles[row]).smiles)
            except MoleculeError:
                continue  # of a collection, what cannot be proposed is passed over
            if smiles not in known and self._wanted(mol := Chem.MolFromSmiles(smiles)):
                known.add(smiles)
                found.append(Candidate(smiles, mol, (), "taken from the collection", "library"))
        return found

    @cached_property
    def _collection(self) -> Collection | None:
        return read(self.collection) if self.collection else None

    def _looked(self, known: set[str]) -> npt.NDArray[np.bool_]:
        """[row of the collection] True where it was asked about."""
        assert self._collection is not None
        seen = np.zeros(len(self._collection.smiles), dtype=bool)
        seen[[row for one in known if (row := self._collection.row.get(one)) is not None]] = True
        return seen

    @cached_property
    def _library(self) -> tuple[str, ...]:
        """Flat molecules to start from, the given scaffold among them."""
        found = [flat(molecule.smiles) for molecule in load(self.molecules)]
        if self.scaffold:
            found.insert(0, Molecule.parse(self.scaffold.replace("(*)", "").replace("*", "")).smiles)
        return tuple(dict.fromkeys(map(flat, found)))

    @cached_property
    def _seeds(self) -> tuple[str, ...]:
        """The scaffold, or a few molecules of the library where it has only a few."""
        return self._library[: 1 if self.scaffold else 20]

    @cached_property
    def _common(self) -> frozenset[int]:
        """Circular substructures that several molecules of the library hold."""
        held = Counter(one for smiles in self._library for one in circles(smiles))
        return frozenset(one for one, count in held.items() if count >= COMMON)

    @cached_property
    def _fresh(self) -> Set[str]:
        """What was not bred."""
        return {*self._library, *(self._collection.names if self._collection else ())}

    @cached_property
    def _editor(self) -> Editor | None:
        trees = [tree for smiles in self._library[:COUNTED] if (tree := _tree(smiles))]
        return Editor(Vocabulary.count(trees, 2_000)) if trees else None

    @cached_property
    def _parts(self) -> Parts:
        """Of the library, and of as many molecules evenly drawn from the collection."""
        some = list(self._library[:COUNTED])
        if self._collection:
            names = self._collection.names
            some += names[:: -(-len(names) // SAMPLED)]
        return Parts.of(tree for smiles in some if (tree := _tree(smiles)))

    @cached_property
    def _held(self) -> Chem.Mol | None:
        return query(self.scaffold, exits=True) if self.scaffold else None

    @cached_property
    def _avoided(self) -> list[Chem.Mol]:
        return [Chem.MolFromSmarts(smarts) for smarts in self.avoid]

    def _wanted(self, mol: Chem.Mol) -> bool:
        return (
            not (self.taste and Chem.GetFormalCharge(mol))
            and (self._held is None or mol.HasSubstructMatch(self._held))
            and not objection(mol, self.min_weight, self.max_weight, taste=self.taste)
            and not any(mol.HasSubstructMatch(pattern) for pattern in self._avoided)
        )
