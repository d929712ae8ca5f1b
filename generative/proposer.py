"""The door: molecules from the graph model, round after round.

The first round is what the policy builds on its own, or around what the chemist gave.
From then on lessons steer: well-rewarded molecules are edited, crossed over and partly
regrown by the policy, the policy goes on building new ones, and a surrogate fitted to
all lessons says which of many candidates deserve to be proposed.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcExactMolWt

from discovery.devices import SEED
from discovery.extras import needs
from discovery.molecule import quiet_rdkit
from discovery.outcome import MoleculeError
from discovery.plugins import check_settings, settle
from discovery.proposal import Lesson, Proposal
from generative import limits
from generative.breeding.elite import Search, elite_of
from generative.breeding.search import Editor
from generative.construction import MOST_ATOMS, Bounds, Piece, Task, least_atoms, together
from generative.draft import Built
from generative.given import decorate, halves, join, query, read_part, regrow, sides, with_stereo
from generative.guided import Candidate, choose
from generative.learning.replay import taught as teach
from generative.model import Weights
from generative.policy import Policy
from generative.refusal import SettingError, check_avoided, check_weights
from generative.sampling import BLOCK, Sample, Sampler
from generative.taste import objection
from generative.trees import MARKED, Tree, flat, flatten, put_together, split, take_apart, unit
from generative.vocabulary import Vocabulary
from generative.wishes import read_conditions

with needs("generative"):
    import torch


REGROWN = 30  # well-rewarded molecules whose parts are built on
PER_SCAFFOLD, PER_BATCH = 3, 2  # molecules on one scaffold: among the elite, in a round's choice
FEW = 12  # lessons below which there is nothing to fit
BLOCKS = 40  # blocks of samples that are looked through however little they bring
HOPELESS = 6  # blocks in a row without one molecule that is wanted, after which none will come
MORE = (8, 6, 10, 12)  # heavy atoms that may join or fill what has several exits, row after row
DRUG_LIKE = {"qed": 0.8, "sa": 2.7}  # what molecules around given parts are leaned towards, with taste
SAMPLES = 20  # built at most for each molecule asked for, beyond those blocks
KEPT = 0.4  # least share of a molecule's atoms that a regrown one keeps


@dataclass(frozen=True)
class GraphProposer:
    """Proposes what the graph model builds, steered by lessons.

    Parameters
    ----------
    weights : path, optional
        A trained model; the shipped one by default.
    style : str
        Which of the model's training sets to write like; the last by default.
    scaffold : str
        SMILES every molecule must hold; `*` marks exits that must bear something, without
        any every hydrogen may be replaced.
    fragments : str
        2 to 4 SMILES with a dot between them, to be joined in every molecule.
    like : str
        SMILES; propose its analogues: parts of it are kept, with their configurations, the rest is built anew.
    keep : str
        With `like`: SMARTS that it holds and every analogue holds too.
    condition : sequence of name=value
        What the molecules should have about so much of: mw, logp, tpsa, qed, sa. A leaning of the
        policy, not a filter. Around given parts, with taste, qed is 0.8 and sa 2.7 unless asked otherwise.
    avoid : sequence of SMARTS
        No molecule holds any of these.
    min_weight, max_weight : Da
    temperature : float
        Below 1 the likely becomes likelier.
    oversample : int
        Candidates looked at for each molecule proposed, once there are lessons.
    taste : bool
        Propose only what is stable, uncharged and could be taken by mouth; without it only
        weight counts.
    policy : "trained" or "taught"
        What builds once there are lessons: the policy as it was trained, or a copy that has gone over
        them (`generative.learning.replay`).

    Raises
    ------
    SettingError
        Settings that cannot be met, each named; `WeightsError` when the weights are at fault.
    """

    weights: Path | None = None
    style: str = ""
    scaffold: str = ""
    fragments: str = ""
    like: str = ""
    keep: str = ""
    avoid: tuple[str, ...] = ()
    condition: tuple[str, ...] = ()
    min_weight: float = 200.0
    max_weight: float = 500.0
    temperature: float = 1.0
    oversample: int = 8
    taste: bool = True
    policy: str = "trained"
    name: str = "graph"

    def __post_init__(self) -> None:
        settle(self)
        self._check_numbers()
        if sum(map(bool, (self.scaffold, self.fragments, self.like))) > 1:
            raise SettingError("give one of scaffold, fragments and like, not several")
        check_avoided(self.avoid)
        read_conditions(list(self.condition))
        for text in filter(None, (*self._held, self.like)):
            read_part(text)
        self._check_held()
        self._check_keep()

    def _check_numbers(self) -> None:
        check_weights(self.min_weight, self.max_weight)
        if not 0 < self.temperature < float("inf"):
            raise SettingError(f"temperature must be above 0, not {self.temperature}")
        if self.policy not in ("trained", "taught"):
            raise SettingError(f"policy is trained or taught, not {self.policy!r}")
        if self.oversample < 1:
            raise SettingError(f"oversample is at least 1, not {self.oversample}")

    def _check_held(self) -> None:
        """What every molecule must hold can be held: nothing to avoid is in it, and it is light enough."""
        for text in self._held:
            if any(a.GetIsotope() and a.GetAtomicNum() for a in Chem.MolFromSmiles(text).GetAtoms()):
                raise SettingError(
                    f"{text} holds an isotope, and molecules are built without: write it plain"
                )
            for smarts in self.avoid:
                if limits.always_in(text, smarts):
                    raise SettingError(f"avoid: {smarts} is in {text}, which every molecule must hold")
        weight = sum(CalcExactMolWt(Chem.MolFromSmiles(text)) for text in self._held)
        if weight > self.max_weight:
            raise SettingError(
                f"{' and '.join(self._held)} weighs {weight:.0f} Da, more than max_weight {self.max_weight:.0f}"
            )

    def _check_keep(self) -> None:
        """What analogues keep is in the molecule they are analogues of."""
        if not self.keep:
            return
        if not self.like:
            raise SettingError("keep says what analogues keep: give like too, or scaffold instead")
        part = Chem.MolFromSmarts(self.keep)
        if part is None:
            raise SettingError(f"keep: {self.keep} is not a SMARTS RDKit can read")
        if not Chem.MolFromSmiles(self.like).HasSubstructMatch(part):
            raise SettingError(
                f"keep: {self.like} does not hold {self.keep}, so its analogues cannot keep it"
            )

    @cached_property
    def _held(self) -> list[str]:
        """SMILES that every molecule must hold."""
        return [text for text in (self.scaffold, *self.fragments.split(".")) if text]

    def propose(self, n: int, /, *, round: int, seed: int, lessons: Sequence[Lesson]) -> Sequence[Proposal]:
        """At most `n` new molecules, none of which a lesson speaks of.

        Fewer come back when what was given leaves nothing else to build.
        """
        if n < 0:
            raise SettingError(f"how many molecules to propose is a number from 0 on, not {n}")
        taught = sorted(lessons, key=lambda lesson: (-lesson.reward, lesson.molecule.smiles))
        known = {lesson.molecule.smiles for lesson in taught}
        if len(taught) < FEW or taught[0].reward <= taught[-1].reward:
            return [one for made in self.stream(n, round=round, seed=seed, known=known) for one in made]
        rng = random.Random(f"graph {seed} {round}")
        with one_thread(), quiet_rdkit():
            chosen = self._steered(n, rng, self._not_new(known), taught)
        return [self._proposal(one, round) for one in chosen]

    def stream(
        self, n: int, /, *, seed: int, round: int = 0, known: Iterable[str] = (), built: Built | None = None
    ) -> Iterator[list[Proposal]]:
        """At most `n` new molecules without lessons, block by block, as they are built.

        Parameters
        ----------
        known : SMILES that are not proposed
        built : Built, optional
            How far it has come; counted on before each block is told. Given that, and what was proposed
            until then as `known`, it goes on to the molecules it would have come to.
        """
        built = built or Built()
        start = random.Random(f"graph {seed} {round}").getrandbits(60)
        with one_thread(), quiet_rdkit():
            for made in self._new(n, start, self._not_new(known), built):
                yield [self._proposal(one, round) for one in made]

    def _not_new(self, known: Iterable[str]) -> set[str]:
        like = [Chem.MolToSmiles(Chem.MolFromSmiles(self.like))] if self.like else []
        return {one for smiles in (*known, *like) for one in (smiles, flat(smiles))}

    def _proposal(self, one: Candidate, round: int) -> Proposal:
        """With the configurations of what was given put back: the policy builds flat molecules."""
        kept = [text for text in self._held if MARKED.search(text)]
        if self._halves:
            there = (text for text in self._halves if one.mol.HasSubstructMatch(query(text, exits=True)))
            kept = list(islice(there, 1))
        smiles = with_stereo(one.smiles, kept) if kept else one.smiles
        return Proposal(smiles, self.name, round, one.parents, one.edit, one.log_prob, self._model.sha256)

    @cached_property
    def _halves(self) -> list[str]:
        """Parts of what analogues are wanted of, with their configurations, largest first."""
        return halves(self.like, KEPT) if MARKED.search(self.like) else []

    @cached_property
    def _model(self) -> Weights:
        return Weights.load(self.weights)

    @cached_property
    def _style(self) -> int:
        if not self.style:
            return len(self._model.styles) - 1
        if self.style not in self._model.styles:
            raise SettingError(
                f"style {self.style!r} is not one the model knows: {', '.join(self._model.styles)}"
            )
        return self._model.styles.index(self.style)

    @cached_property
    def _habit(self) -> dict[str, Any] | None:
        """Which units and bonds a style asked for keeps to."""
        return self._model.habits.get(self._model.styles[self._style]) if self.style else None

    @cached_property
    def _asked(self) -> dict[str, float]:
        asked = read_conditions(list(self.condition))
        unknown = sorted(asked.keys() - set(self._model.conditions))
        if unknown:
            raise SettingError(
                f"these weights were not taught to build for {', '.join(unknown)}; "
                f"they know: {', '.join(self._model.conditions) or 'no property'}"
            )
        if self.taste and self._held and DRUG_LIKE.keys() <= set(self._model.conditions):
            return {**DRUG_LIKE, **asked}
        return asked

    @cached_property
    def _given(self) -> tuple[Vocabulary, Task, str]:
        """The vocabulary with what the task needs, the task, and its words."""
        vocabulary = self._model.vocabulary
        if self.scaffold:
            return (*decorate(self.scaffold, vocabulary), f"decorated {self.scaffold}")
        if self.fragments:
            return (*join(self.fragments.split("."), vocabulary), f"joined {self.fragments}")
        if self.like:
            tree = take_apart(self.like)
            vocabulary = vocabulary.extended(tree.units)
            return vocabulary, Task(starts=tuple(parts(tree, vocabulary))), f"rebuilt part of {self.like}"
        return vocabulary, Task(), "built by the graph model"

    def _sampler(self, vocabulary: Vocabulary, task: Task, policy: Policy | None = None) -> Sampler:
        forbidden = limits.holding(vocabulary, self.avoid)
        if self._habit is not None and not task.starts and not task.fragments:
            vocabulary, unusual = limits.of_style(vocabulary, self._habit)
            forbidden = forbidden | unusual
        atoms = min(
            MOST_ATOMS, max(math.ceil(self.max_weight / 12.5), *(p.atoms + 8 for p in task.starts), 0)
        )
        bounds = Bounds(min_atoms=min(math.floor(self.min_weight / 20), atoms), max_atoms=atoms, max_rings=8)
        return Sampler.of(
            policy or _policy(self._model),
            vocabulary,
            bounds=replace(bounds, sizes=_sizes(task, bounds)),
            task=task,
            style=self._style,
            temperature=self.temperature,
            asked=self._asked,
            forbidden=forbidden,
        )

    def _new(
        self, n: int, seed: int, known: set[str], built: Built, policy: Policy | None = None
    ) -> Iterator[list[Candidate]]:
        """What the policy builds, without steering, block by block."""
        vocabulary, task, words = self._given
        parents = (self.like,) if self.like else ()
        sampler = self._sampler(vocabulary, task, policy)
        while built.found < n and built.blocks < max(BLOCKS, math.ceil(SAMPLES * n / BLOCK)):
            if built.idle >= HOPELESS and (not built.found or built.blocks >= BLOCKS):
                break
            found: list[Candidate] = []
            for sample in sampler.block(seed, built.blocks):
                candidate = self._accept(sample, parents, words, known)
                if isinstance(candidate, str):
                    built.left_out[candidate] += 1
                    continue
                found.append(candidate)
                if built.found + len(found) == n:
                    break
            built.blocks += 1
            built.found += len(found)
            built.idle = 0 if found else built.idle + 1
            yield found

    def _accept(
        self, sample: Sample, parents: tuple[str, ...], words: str, known: set[str]
    ) -> Candidate | str:
        """What was built, or what speaks against it."""
        smiles = put_together(sample.tree)
        if smiles in known:
            return "known or built before"
        mol = Chem.MolFromSmiles(smiles)
        if against := self._against(mol):
            return against
        known.add(smiles)
        return Candidate(smiles, mol, parents, words, log_prob=sample.log_prob)

    def _fits(self, mol: Chem.Mol) -> bool:
        """Drug-like, stable, holds what must be held and nothing that must be avoided."""
        return not self._against(mol)

    def _against(self, mol: Chem.Mol) -> str:
        """What speaks against a molecule; nothing when empty."""
        if any(mol.HasSubstructMatch(Chem.MolFromSmarts(smarts)) for smarts in self.avoid):
            return "holds what must be avoided"
        if self.taste and Chem.GetFormalCharge(mol) != self._charge:
            return "charged"
        if found := objection(mol, self.min_weight, self.max_weight, taste=self.taste):
            return found
        if not all(mol.HasSubstructMatch(query) for query in self._queries):
            return "does not hold what was given"
        if self.taste and not self._rings_are_known(mol):
            return "a ring system the model has not met"
        return ""

    def _rings_are_known(self, mol: Chem.Mol) -> bool:
        """Of the policy's own always; edits of atoms and bonds can make any."""
        try:
            units = split(flatten(mol)).units
        except MoleculeError:
            return False
        known = self._given[0].unit_index
        return all(one in known for one in units if unit(one).rings)

    @cached_property
    def _charge(self) -> int:
        """Of what was given: a salt's cation stays one."""
        return sum(Chem.GetFormalCharge(Chem.MolFromSmiles(text)) for text in self._held)

    @cached_property
    def _queries(self) -> list[Chem.Mol]:
        """What every molecule must hold; of a scaffold and of fragments the policy leaves nothing out anyway."""
        if self.scaffold:
            return [query(self.scaffold, exits=True)]
        kept = [Chem.MolFromSmarts(self.keep)] if self.keep else []
        return [*kept, *(query(text, exits=False) for text in self._held)]

    def _steered(
        self, n: int, rng: random.Random, known: set[str], taught: Sequence[Lesson]
    ) -> list[Candidate]:
        """What the policy builds and rebuilds, and edits of the best, chosen by a surrogate."""
        few = n * self.oversample // 4
        policy = self._taught(taught, rng) if self.policy == "taught" else None
        made = self._regrown(few, rng, known, taught, policy)
        for block in self._new(few, rng.getrandbits(60), known, Built(), policy):
            made += block
        return choose(
            n,
            taught,
            rng,
            library=[one.smiles for one in made],
            wanted=self._fits,
            known=known,
            search=Search(self.oversample, per_scaffold=PER_SCAFFOLD, per_batch=PER_BATCH),
            prior=made,
            editor=Editor(self._given[0]),
        )

    def _taught(self, lessons: Sequence[Lesson], rng: random.Random) -> Policy:
        """A copy of the policy that has gone over the lessons."""
        trained, vocabulary = _policy(self._model), self._model.vocabulary
        return teach(trained, vocabulary, lessons, random.Random(rng.getrandbits(60)), style=self._style)

    def _regrown(
        self,
        n: int,
        rng: random.Random,
        known: set[str],
        taught: Sequence[Lesson],
        policy: Policy | None = None,
    ) -> list[Candidate]:
        """Parts of well-rewarded molecules, built on by the policy."""
        good = elite_of(taught, Search(elite=REGROWN, per_scaffold=5), rng)
        some = [(smiles, tree) for smiles in good if (tree := _apart(smiles))]
        vocabulary = self._given[0].extended([one for _, tree in some for one in tree.units])
        starts = [(smiles, piece) for smiles, tree in some for piece in parts(tree, vocabulary)]
        if not starts or n == 0:
            return []
        rng.shuffle(starts)
        starts = starts[:BLOCK]
        sampler = self._sampler(vocabulary, Task(starts=tuple(piece for _, piece in starts)), policy)
        found: list[Candidate] = []
        seed = rng.getrandbits(60)
        for number in range(math.ceil(2 * n / BLOCK)):
            for row, sample in enumerate(sampler.block(seed, number)):
                parent = starts[row % len(starts)][0]
                candidate = self._accept(sample, (parent,), f"rebuilt part of {parent}", known)
                if isinstance(candidate, Candidate) and len(found) < n:
                    found.append(candidate)
        return found


def propose(n: int, *, seed: int = SEED, **settings: Any) -> Sequence[Proposal]:
    """At most `n` new molecules; `settings` are those of `GraphProposer`, the same `seed` gives the same molecules.

    Raises
    ------
    PluginError
        A setting is unknown (the nearest is named) or of another type.
    SettingError
        Settings that cannot be met, each named.
    """
    checked = check_settings(GraphProposer, settings, "propose")
    return GraphProposer(**checked).propose(n, round=0, seed=seed, lessons=[])


def _sizes(task: Task, bounds: Bounds) -> tuple[int, ...]:
    """With several exits to fill or to join, each row has a cap of its own: the policy always fills it.

    Under one cap for all, 2 to 4 % of joined molecules were light enough, 7 to 20 % of those on two exits.
    """
    several = len(task.starts) == 1 and task.starts[0].required and task.starts[0].open > 1
    if not task.fragments and not several:
        return ()
    given = sum(piece.atoms for piece in together(task)[0])
    least = max(least_atoms(task), math.ceil(1.6 * bounds.min_atoms))
    return tuple(min(max(given + more, least), bounds.max_atoms) for more in MORE)


def parts(tree: Tree, vocabulary: Vocabulary) -> Iterator[Piece]:
    """Each part of a molecule that one cut leaves and that is not too small, open at the cut."""
    for link in tree.links:
        for kept in sides(tree, link):
            if sum(unit(tree.units[u]).size for u in kept) >= KEPT * tree.atoms:
                yield regrow(tree, vocabulary, kept, [link])


def _apart(smiles: str) -> Tree | None:
    try:
        return take_apart(smiles)
    except MoleculeError:
        return None  # a parent without a tree cannot be built on; it still teaches the surrogate


_POLICIES: dict[str, Policy] = {}  # by the weights' sha256; building one takes longer than using it


def _policy(weights: Weights) -> Policy:
    if weights.sha256 not in _POLICIES:
        _POLICIES[weights.sha256] = weights.policy().eval()
    return _POLICIES[weights.sha256]


@contextmanager
def one_thread() -> Iterator[None]:
    """Sums come out the same in every process only if they are split the same way."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
