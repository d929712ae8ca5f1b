"""What may be built next, and what stands after it?

Many molecules grow side by side, one unit a step, as arrays without a chemistry toolkit in
the loop. A step is legal if valences, the table of bonds, the caps and the task's promises
(a scaffold's exits, fragments still to be joined) can all be kept to the end: whoever
takes legal steps never meets a dead end, and what stands at STOP is a molecule.

Why there is no dead end. Every promise has a price in heavy atoms: one for each bond that
must still be made, the size of each fragment that waits, and one bridging carbon as long
as fewer open bonds than fragments could take any of them directly. A step is legal only if
the price of what is promised after it still fits under the cap. A carbon can be placed at
any bond that must be made; the bridging carbon brings room for three fragments; so the
cheapest way to keep a promise is always among the legal steps.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from generative.refusal import SettingError
from generative.vocabulary import Tables, Vocabulary

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]
Bytes = npt.NDArray[np.int8]

FREE = 3  # most bonds one entry makes: more free ones at a site allow nothing more
MOST_ATOMS = 60  # heavy atoms any molecule may have: the network has no place for more steps
CARBON = ("C", 0, 1)
BY_STEP = ("entry", "parent", "site", "steps", "atoms", "most", "rings", "done", "sites")
BY_SITE = ("site_step", "site_atom", "site_local", "site_place", "free", "must", "highest")


@dataclass(frozen=True)
class Bounds:
    """Caps on what is built.

    `sizes` are caps dealt out to the rows in turn, none above `max_atoms`, which is the only one by default: given
    parts with bonds that must be made are always built on until nothing more fits.
    """

    min_atoms: int = 8
    max_atoms: int = 36
    max_rings: int = 6
    sizes: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if not 1 <= self.min_atoms <= self.max_atoms <= MOST_ATOMS:
            raise SettingError(
                f"min_atoms {self.min_atoms} and max_atoms {self.max_atoms} must ascend within 1 to {MOST_ATOMS}"
            )
        if self.sizes and max(self.sizes) > self.max_atoms:
            raise SettingError(f"a size of {max(self.sizes)} is above max_atoms {self.max_atoms}")


@dataclass(frozen=True)
class Piece:
    """A given part of a molecule: its building steps, entered by one of its exits (or as the start).

    Parameters
    ----------
    entries, parents, sites : [step]
        As in a rollout; parents count within the piece.
    exits : [step, atom of the unit]
        How many bonds may be made there; 0 where the piece must stay as it is.
    required : bool
        Must every exit be used?
    """

    entries: tuple[int, ...]
    parents: tuple[int, ...]
    sites: tuple[int, ...]
    exits: tuple[tuple[int, ...], ...]
    required: bool = False
    atoms: int = 0
    rings: int = 0
    highest: int = 1  # order of a bond that may be made at an exit

    @property
    def open(self) -> int:
        return sum(map(sum, self.exits))


@dataclass(frozen=True)
class Task:
    """What every molecule of a batch must contain.

    `starts` are there from the first step, dealt out to the rows in turn. Each of `fragments` must be joined before STOP; it
    is given once for each of its exits, entered there.
    """

    starts: tuple[Piece, ...] = ()
    fragments: tuple[tuple[Piece, ...], ...] = ()


@dataclass(frozen=True)
class Prices:
    """What each entry costs and offers, worked out once."""

    cost: Ints  # [entry] heavy atoms, with those its own unfilled bonds will need
    slots: Ints  # [entry] open bonds it brings
    rings: Ints  # [entry]
    usable: Bools  # [entry] every bond it must fill can be filled with carbon
    takes_carbon: Bools  # [kind]
    must: Ints  # [placed atom, as in the tables] hydrogens that may not stay
    placeable: Bools  # [what a site is, entry] by kinds and valences alone; see `sites`
    small_cost: Bytes  # [entry] cost and rings again, narrow: they are compared in the inner loop
    small_rings: Bytes

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> Prices:
        """
        Raises
        ------
        SettingError
            If the vocabulary holds no plain carbon: nothing could keep a promise.
        """
        tables = vocabulary.tables
        if CARBON not in vocabulary.index:
            raise SettingError("the vocabulary has no acyclic carbon; train on more molecules")
        first = tables.first[:-1]
        must = np.where(tables.must[tables.placed], tables.left, 0)
        takes_carbon = tables.allowed[:, vocabulary.index[CARBON]]
        carbon_fits = takes_carbon[tables.kind[tables.placed]]
        unfillable = np.add.reduceat((must > 0) & ~carbon_fits, first)
        cost = tables.size[tables.entry_unit] + np.add.reduceat(must, first)
        rings = tables.rings[tables.entry_unit]
        room = np.arange(FREE + 1)[:, None] >= tables.entry_order[None]  # [free, entry]
        sites = (tables.allowed[:, None] & room[None]).reshape(-1, len(tables.entry_order))
        return cls(
            cost=cost,
            slots=np.add.reduceat(np.where(carbon_fits, tables.left, 0), first),
            rings=rings,
            usable=unfillable == 0,
            takes_carbon=takes_carbon,
            must=must,
            placeable=np.concatenate([(tables.entry_atom < 0)[None], sites]),
            small_cost=np.minimum(cost, MOST_ATOMS + 1).astype(np.int8),
            small_rings=np.minimum(rings, MOST_ATOMS + 1).astype(np.int8),
        )

    @staticmethod
    def sites(kind: Ints, free: Ints, root: Bools) -> Ints:
        """Rows of `placeable`: 0 for a root, then by kind and by bonds that may be made."""
        return np.asarray(np.where(root, 0, 1 + kind * (FREE + 1) + np.clip(free, 0, FREE)))


@dataclass(frozen=True)
class Way:
    """A fragment, entered by one of its exits."""

    fragment: int
    piece: Piece
    entry: int
    slots: int  # open bonds left that a carbon can take
    welcome: int  # open bonds left that can take every fragment

    @classmethod
    def of(cls, fragment: int, piece: Piece, tables: Tables, prices: Prices, welcome: Bools) -> Way:
        """`welcome` [kind] as a building has it."""
        exits = np.concatenate(piece.exits)
        counts = [len(one) for one in piece.exits]
        place = np.concatenate(
            [tables.first[e] + np.arange(n) for e, n in zip(piece.entries, counts, strict=True)]
        )
        kind = tables.kind[tables.placed[place]]
        slots, most = exits[prices.takes_carbon[kind]].sum(), exits[welcome[kind]].sum()
        return cls(fragment, piece, piece.entries[0], int(slots), int(most))


@dataclass
class Building:
    """Many molecules under construction; rows grow in step, finished ones stand still.

    Arrays over sites are as wide as any row can need; `sites` says how many are in use.
    """

    vocabulary: Vocabulary
    prices: Prices
    bounds: Bounds
    task: Task
    entry: Ints  # [row, step]; -1 where nothing is placed
    parent: Ints  # [row, step]
    site: Ints  # [row, step] atom of the parent unit
    steps: Ints  # [row]
    atoms: Ints  # [row] heavy atoms
    most: Ints  # [row] heavy atoms it may have
    rings: Ints  # [row]
    done: Bools  # [row]
    sites: Ints  # [row]
    site_step: Ints  # [row, site] the step that placed it
    site_atom: Ints  # [row, site] row in the atom tables
    site_local: Ints  # [row, site] atom of its unit
    site_place: Ints  # [row, site] row in the tables over placed atoms
    free: Ints  # [row, site] bonds that may be made there
    must: Ints  # [row, site] bonds that must be made there
    highest: Ints  # [row, site] order of a bond that may be made there
    pending: Bools  # [row, fragment]
    welcome: Bools  # [kind] can take every fragment directly
    entry_welcome: Ints  # [entry] open bonds it brings that can take every fragment
    ways: list[Way] = field(default_factory=list)
    queue: list[list[tuple[int, int, int, Piece, int]]] = field(default_factory=list)

    @classmethod
    def begin(cls, rows: int, vocabulary: Vocabulary, prices: Prices, bounds: Bounds, task: Task) -> Building:
        """Empty rows; with a start piece, its steps wait in every row's queue.

        Raises
        ------
        SettingError
            What is given does not fit under the cap.
        """
        _check_room(bounds, task)
        tables = vocabulary.tables
        welcome = np.ones(len(vocabulary.kinds), dtype=bool)
        for fragment in task.fragments:
            welcome &= tables.allowed[:, [piece.entries[0] for piece in fragment]].any(1)
        width = bounds.max_atoms + 2  # no more sites than atoms; the last column holds promises of atoms
        deep = bounds.max_atoms + 1

        def zeros(*shape: int) -> Ints:
            return np.zeros(shape, dtype=np.int64)

        building = cls(
            vocabulary,
            prices,
            bounds,
            task,
            entry=zeros(rows, deep) - 1,
            parent=zeros(rows, deep),
            site=zeros(rows, deep),
            steps=zeros(rows),
            atoms=zeros(rows),
            most=np.resize(np.repeat(bounds.sizes or (bounds.max_atoms,), max(len(task.starts), 1)), rows),
            rings=zeros(rows),
            done=np.zeros(rows, dtype=bool),
            sites=zeros(rows),
            site_step=zeros(rows, width),
            site_atom=zeros(rows, width),
            site_local=zeros(rows, width),
            site_place=zeros(rows, width),
            free=zeros(rows, width),
            must=zeros(rows, width),
            highest=zeros(rows, width) + 3,
            pending=np.ones((rows, len(task.fragments)), dtype=bool),
            welcome=welcome,
            entry_welcome=np.add.reduceat(
                np.where(welcome[tables.kind[tables.placed]], tables.left, 0), tables.first[:-1]
            ),
            ways=[
                Way.of(number, piece, tables, prices, welcome)
                for number, fragment in enumerate(task.fragments)
                for piece in fragment
            ],
            queue=[[] for _ in range(rows)],
        )
        for row in range(rows):
            if task.starts:
                building.queue[row] = _forced(task.starts[row % len(task.starts)], 0, 0, 0)
        return building

    # -- what is legal ---------------------------------------------------------------------

    def room(self) -> Ints:
        """[row] heavy atoms that are promised to nobody, but for a bridging carbon."""
        promised = self.must.sum(1) + self.pending.astype(np.int64) @ self._waiting("atoms")
        return np.asarray(self.most - self.atoms - promised)

    def slots(self) -> tuple[Ints, Ints]:
        """[row] open bonds that a carbon can take, and those that can take every fragment."""
        kind = self.vocabulary.tables.kind[self.site_atom]
        carbon = np.where(self.prices.takes_carbon[kind], self.free, 0).sum(1)
        return carbon, np.where(self.welcome[kind], self.free, 0).sum(1)

    def _waiting(self, what: str) -> Ints:
        return np.array([getattr(fragment[0], what) for fragment in self.task.fragments], dtype=np.int64)

    def may_stop(self, legal_sites: Bools) -> Bools:
        """[row] every promise is kept, and the molecule is large enough or can grow no more."""
        kept = (self.steps > 0) & (self.must.sum(1) == 0) & ~self.pending.any(1)
        return np.asarray(kept & ((self.atoms >= self.bounds.min_atoms) | ~legal_sites.any(1)))

    def legal_entries(self, rows: Ints, columns: Ints) -> Bools:
        """[row of `rows`, entry] what may be placed at these sites; at -1, as root."""
        tables, prices = self.vocabulary.tables, self.prices
        root = columns < 0
        at = np.maximum(columns, 0)
        kind = tables.kind[self.site_atom[rows, at]]
        free = np.where(root, 0, np.minimum(self.free[rows, at], self.highest[rows, at]))
        must = np.where(root, 0, self.must[rows, at])
        allowed = prices.placeable[prices.sites(kind, free, root)]
        allowed &= prices.usable[None]
        room = self.room()[rows][:, None]
        allowed &= prices.small_cost[None] <= np.clip(room, -1, MOST_ATOMS).astype(np.int8)
        rings_left = (
            self.bounds.max_rings - self.rings - self.pending.astype(np.int64) @ self._waiting("rings")
        )
        allowed &= prices.small_rings[None] <= np.clip(rings_left[rows], -1, 127).astype(np.int8)[:, None]
        if must.any():
            # a bond that must be made is worth as many atoms as its order fills
            owing = np.nonzero(must)[0]
            worth = np.minimum(tables.entry_order[None], must[owing][:, None])
            one = prices.placeable[prices.sites(kind[owing], free[owing], root[owing])] & prices.usable[None]
            one &= prices.rings[None] <= rings_left[rows[owing]][:, None]
            allowed[owing] = one & (prices.cost[None] - worth <= room[owing])
        if self.task.fragments:
            filled = np.minimum(tables.entry_order[None], must[:, None])
            carbon, most = (slots[rows][:, None] for slots in self.slots())
            order = tables.entry_order[None]
            carbon = carbon - (prices.takes_carbon[kind] & ~root)[:, None] * order + prices.slots[None]
            most = most - (self.welcome[kind] & ~root)[:, None] * order + self.entry_welcome[None]
            waiting = self.pending[rows].sum(1)[:, None]
            room = room - (prices.cost[None] - filled)
            allowed &= (most >= waiting) | ((carbon > 0) & (room > 0))
        return np.asarray(allowed)

    def legal_joins(self, rows: Ints, columns: Ints) -> Bools:
        """[row of `rows`, way] which fragments may be joined at these sites, by which exit."""
        legal = np.zeros((len(rows), len(self.ways)), dtype=bool)
        if not self.ways:
            return legal
        at = np.maximum(columns, 0)
        kind = self.vocabulary.tables.kind[self.site_atom[rows, at]]
        carbon, most = (slots[rows] for slots in self.slots())
        carbon, most = carbon - self.prices.takes_carbon[kind], most - self.welcome[kind]
        waiting = self.pending[rows].sum(1) - 1
        room = self.room()[rows] + (self.must[rows, at] > 0)
        for number, way in enumerate(self.ways):
            can = (most + way.welcome >= waiting) | ((carbon + way.slots > 0) & (room > 0))
            fits = self.vocabulary.tables.allowed[kind, way.entry]
            legal[:, number] = (
                self.pending[rows, way.fragment] & fits & can & (columns >= 0) & (self.free[rows, at] > 0)
            )
        return legal

    def legal_sites(self) -> Bools:
        """[row, site] where at least one entry or fragment may go."""
        open_ = self.free > 0
        rows, columns = np.nonzero(open_ & ~self.done[:, None])
        can = self._something_fits(rows, columns)
        legal = np.zeros_like(open_)
        legal[rows[can], columns[can]] = True
        return legal

    def _something_fits(self, rows: Ints, columns: Ints) -> Bools:
        """[pair] Sites of one kind, hydrogens, room and promises have one answer; each is worked out once."""
        parts = [  # what the answer depends on, and how many values of it differ
            (self.free[rows, columns], FREE + 1),
            (self.must[rows, columns], FREE + 1),
            (self.highest[rows, columns], FREE + 1),
            (self.room()[rows] + 1, MOST_ATOMS + 2),
            (self.rings[rows], MOST_ATOMS + 1),
            *((waits, 2) for waits in self.pending[rows].T.astype(np.int64)),
            *([(slots[rows], 8) for slots in self.slots()] if self.task.fragments else []),
        ]
        key = self.vocabulary.tables.kind[self.site_atom[rows, columns]]
        for value, values in parts:
            key = key * values + np.clip(value, 0, values - 1)
        _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
        rows, columns = rows[first], columns[first]
        fits = np.asarray(self.legal_entries(rows, columns).any(1))
        if self.task.fragments:
            fits |= self.legal_joins(rows, columns).any(1)
        return np.asarray(fits[inverse.reshape(-1)])

    # -- what stands after a step ----------------------------------------------------------

    def waiting(self) -> Bools:
        """[row] rows whose next step is given and not chosen."""
        return np.array([bool(queue) for queue in self.queue])

    def stop(self, rows: Ints) -> None:
        self.done[rows] = True

    def place(self, rows: Ints, columns: Ints, entries: Ints) -> None:
        """Place entries at sites (-1: as root), one for each of `rows`."""
        parent = np.where(columns < 0, 0, self.site_step[rows, np.maximum(columns, 0)])
        local = np.where(columns < 0, 0, self.site_local[rows, np.maximum(columns, 0)])
        bonded = columns >= 0
        order = self.vocabulary.tables.entry_order[entries]
        self.free[rows[bonded], columns[bonded]] -= order[bonded]
        left = self.must[rows[bonded], columns[bonded]] - order[bonded]
        self.must[rows[bonded], columns[bonded]] = np.maximum(left, 0)
        self._add(rows, entries, parent, local)

    def join(self, row: int, column: int, way: int) -> None:
        """Join a fragment at a site: its first unit now, the rest as given steps."""
        piece = self.ways[way].piece
        self.pending[row, self.ways[way].fragment] = False
        self.queue[row] = _forced(
            piece, int(self.steps[row]), int(self.site_step[row, column]), int(self.site_local[row, column])
        )
        self.free[row, column] -= 1
        self.must[row, column] = max(self.must[row, column] - 1, 0)
        # the fragment's atoms were promised one by one; from here they are counted as they stand
        self.must[row, -1] += piece.atoms

    def place_given(self, rows: Ints) -> None:
        """The next given step of each of `rows`."""
        for row in rows.tolist():
            entry, parent, local, piece, number = self.queue[row].pop(0)
            before = int(self.sites[row])
            self._add(np.array([row]), np.array([entry]), np.array([parent]), np.array([local]))
            new = slice(before, int(self.sites[row]))
            bonds = np.array(piece.exits[number])[self.site_local[row, new]]
            self.free[row, new] = np.minimum(self.free[row, new], bonds)
            self.must[row, new] = self.free[row, new] if piece.required else 0
            self.highest[row, new] = piece.highest
            if self.must[row, -1]:
                self.must[row, -1] -= self.vocabulary.tables.size[self.vocabulary.tables.entry_unit[entry]]

    def _add(self, rows: Ints, entries: Ints, parents: Ints, locals_: Ints) -> None:
        step = self.steps[rows]
        self.entry[rows, step] = entries
        self.parent[rows, step] = parents
        self.site[rows, step] = locals_
        self.steps[rows] += 1
        tables = self.vocabulary.tables
        unit_ = tables.entry_unit[entries]
        self.atoms[rows] += tables.size[unit_]
        self.rings[rows] += tables.rings[unit_]
        count = tables.size[unit_]
        flat = np.repeat(np.arange(len(rows)), count)
        local = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        place = np.repeat(tables.first[entries], count) + local
        has = tables.left[place] > 0
        flat, local, place = flat[has], local[has], place[has]
        made = np.bincount(flat, minlength=len(rows))
        column = self.sites[rows][flat] + np.arange(len(flat)) - np.repeat(np.cumsum(made) - made, made)
        at = (rows[flat], column)
        self.site_step[at] = step[flat]
        self.site_atom[at] = tables.placed[place]
        self.site_local[at] = local
        self.site_place[at] = place
        self.free[at] = tables.left[place]
        self.must[at] = self.prices.must[place]
        self.sites[rows] += made

    def rollout(self, row: int) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
        """Entries, parents and sites of a row."""
        n = int(self.steps[row])
        return (
            tuple(self.entry[row, :n].tolist()),
            tuple(self.parent[row, :n].tolist()),
            tuple(self.site[row, :n].tolist()),
        )

    def keep(self, rows: Ints) -> Building:
        """Only these rows, in this order."""
        return replace(
            self,
            **{name: getattr(self, name)[rows] for name in (*BY_STEP, *BY_SITE, "pending")},
            queue=[self.queue[row] for row in rows.tolist()],
        )


def _forced(piece: Piece, at: int, parent: int, site: int) -> list[tuple[int, int, int, Piece, int]]:
    """A piece's steps as given steps that begin at step `at`, the first bonded to `parent` at `site`."""
    return [
        (
            entry,
            parent if number == 0 else at + piece.parents[number],
            site if number == 0 else piece.sites[number],
            piece,
            number,
        )
        for number, entry in enumerate(piece.entries)
    ]


def together(task: Task) -> list[list[Piece]]:
    """What a molecule must contain, for each of the starts."""
    fragments = [ways[0] for ways in task.fragments]
    return [[start, *fragments] for start in task.starts] or [fragments]


def least_atoms(task: Task) -> int:
    """Heavy atoms for which every molecule of a task has room: what is given, and one for each bond to be made."""
    return max(
        sum(piece.atoms + piece.open * piece.required for piece in given) + len(task.fragments)
        for given in together(task)
    )


def _check_room(bounds: Bounds, task: Task) -> None:
    needed, room = least_atoms(task), min(bounds.sizes, default=bounds.max_atoms)
    if needed > room:
        atoms = max(sum(piece.atoms for piece in given) for given in together(task))
        raise SettingError(
            f"what is given has {atoms} heavy atoms and needs {needed - atoms} more to be complete, "
            f"but max_atoms is {room}; raise it (up to {MOST_ATOMS})"
        )
    rings = max(sum(piece.rings for piece in given) for given in together(task))
    if rings > bounds.max_rings:
        raise SettingError(f"what is given has {rings} rings, but max_rings is {bounds.max_rings}")
