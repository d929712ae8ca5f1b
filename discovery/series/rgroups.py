"""What hangs on the common core, and where?

A core is given by the chemist, or chosen: the ring skeletons that explain the most
atoms of the most molecules. Every molecule belongs to the first core it contains; one
that contains none says so. RDKit tells equivalent positions apart so that the groups
at each vary least, which depends on the order of molecules; they are sorted first.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from rdkit import Chem
from rdkit.Chem import rdRGroupDecomposition, rdSubstructLibrary

from discovery.diversity import scaffold
from discovery.molecule import Molecule, quiet_rdkit
from discovery.outcome import Missing, Reason
from discovery.series.measured import STAGE, Measured, SeriesError
from discovery.series.sheet import Cell, Drawing, Figure, Sheet, figure, first
from discovery.views.reading import label_of
from discovery.views.text import number

HYDROGEN = "[H]"  # what a position without a group holds, before its label
CANDIDATES = 200  # scaffolds that are tried as cores, most frequent first
FREE = 5  # heavy atoms of a core that count for nothing: benzene is in everything and explains little
EQUIVALENT = 200  # ways to lay a core on a molecule; more make the search for the best one endless


@dataclass(frozen=True, slots=True)
class Groups:
    """One molecule, taken apart."""

    core: int  # which core
    at: Mapping[str, str]  # "R1" -> SMILES with [*:1] where it was bound; [H][*:1] for none


@dataclass(frozen=True, slots=True)
class Core:
    """A core with its numbered positions."""

    smiles: str  # as matched
    drawn: str  # with [*:1], [*:2] ... where groups differ
    positions: tuple[str, ...]  # "R1", "R2" ...; those at which any molecule has a group
    members: tuple[int, ...]  # places in the series
    example: str = ""  # SMILES of a member of middling size: how the core is drawn


@dataclass(frozen=True)
class RGroupTable:
    """`outcomes[i]` is the i-th row taken apart, or why it could not be."""

    measured: Measured
    cores: tuple[Core, ...]
    outcomes: tuple[Groups | Missing, ...]

    def sheet(self, n: int = 20, core: int = 0) -> Sheet:
        """The best `n` molecules of one core, taken apart; positions where each of them has hydrogen are left out.

        Raises
        ------
        SeriesError
            There is no such core.
        """
        found = self.core(core)
        places = [place for place in found.members if self.measured.entries[place].missing is None]
        sign = -1.0 if self.measured.column.better == "high" else 1.0
        places.sort(key=lambda place: (sign * self.measured.value(place), place))
        taken = [self.groups(place).at for place in places[:n]]
        positions = [p for p in found.positions if any(not at[p].startswith(HYDROGEN) for at in taken)]
        rows: list[tuple[Cell, ...]] = []
        for place, at in zip(places, taken, strict=False):
            groups = [_shown(at[position]) for position in positions]
            whole = Drawing(self.measured.molecule(place).smiles)
            rows.append((self.measured.entries[place].id, whole, figure(self.measured.value(place)), *groups))
        heads = ("name", "molecule", label_of(self.measured.column), *positions)
        elsewhere = []  # the other nitrogen of a pyrazole: no one drawing of the core holds both
        for position in positions:
            if f"[*:{position[1:]}]" not in found.drawn:
                holder = next(
                    place
                    for place, at in zip(places, taken, strict=False)
                    if not at[position].startswith(HYDROGEN)
                )
                elsewhere.append(f"{position} ({self.measured.entries[holder].id})")
        note = (
            f"Where the core as drawn has no room for a group: {', '.join(elsewhere)}." if elsewhere else ""
        )
        caption = f"core {core + 1}, {first(n, places)} molecules"
        return Sheet(caption, heads, tuple(rows), note, found.drawn, found.example)

    def varied(self, core: int = 0) -> tuple[str, ...]:
        """The positions of a core, those with the most different groups first.

        Raises
        ------
        SeriesError
            There is no such core.
        """
        found = self.core(core)
        kinds = {at: len({self.groups(place).at[at] for place in found.members}) for at in found.positions}
        return tuple(sorted(found.positions, key=lambda position: (-kinds[position], position)))

    def matrix_sheet(self, across: str = "", down: str = "", core: int = 0, n: int = 12) -> Sheet:
        """Two positions against each other: the mean of each combination, the `n` most frequent groups a side.

        The two positions whose groups were combined most are taken when left out.

        Raises
        ------
        SeriesError
            There is no such core, or it has no such position.
        """
        if not across and not down:
            pairs = list(itertools.combinations(self.varied(core), 2))
            if not pairs:
                raise SeriesError(f"core {core + 1} varies at fewer than two positions")
            best: tuple[str, str] = max(pairs, key=lambda pair: self._combined(pair[0], pair[1], core))
            across, down = sorted(best)
        cells = self.matrix(across, down, core)
        measured = self.measured
        measurable = set(measured.usable)
        usable = {
            key: here for key, places in cells.items() if (here := [p for p in places if p in measurable])
        }
        columns = [g for g, _ in _frequent((key[1], len(places)) for key, places in usable.items())[:n]]
        lines = [g for g, _ in _frequent((key[0], len(places)) for key, places in usable.items())[:n]]
        means = {
            key: fmean(map(measured.value, places))
            for key, places in usable.items()
            if key[0] in lines and key[1] in columns
        }
        low, high = min(means.values(), default=0.0), max(means.values(), default=0.0)

        def shown(key: tuple[str, str]) -> Figure:
            if key not in means:
                return Figure("")
            share = (means[key] - low) / ((high - low) or 1.0)
            share = share if measured.column.better == "high" else 1.0 - share
            count = f" ({len(usable[key])})" if len(usable[key]) > 1 else ""
            return Figure(f"{number(means[key])}{count}", 1 + min(int(4 * share), 3) if high > low else 0)

        rows: list[tuple[Cell, ...]] = [("", *[_shown(group) for group in columns])]
        rows += [(_shown(line), *[shown((line, column)) for column in columns]) for line in lines]
        heads = (f"{down} \\ {across}", *["" for _ in columns])
        note = "Mean of each combination, with the number of molecules where there is more than one; the darker, the better. Empty: not made."
        found = self.core(core)
        caption = f"{label_of(measured.column)}, {down} against {across}"
        return Sheet(caption, heads, tuple(rows), note, found.drawn, found.example)

    def _combined(self, across: str, down: str, core: int) -> int:
        """How many combinations share both their groups with others: what can be compared along a line."""
        cells = self.matrix(across, down, core)
        lines, columns = Counter(line for line, _ in cells), Counter(column for _, column in cells)
        return sum(lines[line] > 1 and columns[column] > 1 for line, column in cells)

    def core(self, number: int) -> Core:
        """A core, counted from 0.

        Raises
        ------
        SeriesError
            There is no such core.
        """
        if not 0 <= number < len(self.cores):
            raise SeriesError(f"there is no core {number + 1}; the table has {len(self.cores)}")
        return self.cores[number]

    def __repr__(self) -> str:
        return f"RGroupTable: {len(self.cores)} cores, {sum(len(core.members) for core in self.cores):,} of {len(self.outcomes):,} rows"

    def _repr_html_(self) -> str:
        return self.sheet()._repr_html_()

    def groups(self, place: int) -> Groups:
        """The groups of a row that contains a core.

        Raises
        ------
        SeriesError
            It contains none; the message says why.
        """
        found = self.outcomes[place]
        if isinstance(found, Missing):
            raise SeriesError(str(found))
        return found

    def matrix(self, across: str, down: str, core: int = 0) -> dict[tuple[str, str], tuple[int, ...]]:
        """Two positions against each other: (group at `down`, group at `across`) -> places of the molecules.

        Raises
        ------
        SeriesError
            The core has no such position.
        """
        found = self.core(core)
        for position in (across, down):
            if position not in found.positions:
                known = ", ".join(found.positions) or "none"
                raise SeriesError(f"core {core + 1} has no position {position!r}; there are: {known}")
        cells: dict[tuple[str, str], list[int]] = {}
        for place in found.members:
            at = self.groups(place).at
            cells.setdefault((at[down], at[across]), []).append(place)
        return {key: tuple(places) for key, places in cells.items()}


def decompose(
    measured: Measured, cores: Sequence[str] = (), *, most: int = 8, fewest: int = 5
) -> RGroupTable:
    """Take every molecule apart at its core.

    Parameters
    ----------
    cores : SMILES or SMARTS, most wanted first
        A position written [*:1] gets that number. Chosen from the molecules when left out.
    most, fewest : how many cores are chosen at most, and how many molecules each must hold at least

    Raises
    ------
    SeriesError
        A core cannot be read.
    """
    readable = {
        place: entry.molecule
        for place, entry in enumerate(measured.entries)
        if isinstance(entry.molecule, Molecule)
    }
    chosen = list(cores) or common_cores(list(readable.values()), most=most, fewest=fewest)
    outcomes: list[Groups | Missing] = []
    for entry in measured.entries:
        if isinstance(entry.molecule, Missing):
            outcomes.append(entry.molecule)
        else:
            which = f"the core {chosen[0]}" if len(chosen) == 1 else f"any of the {len(chosen)} cores"
            outcomes.append(Missing(STAGE, Reason.OUT_OF_DOMAIN, f"{entry.id} does not contain {which}"))
    found: list[Core] = []
    for text in chosen:
        left = sorted(
            (place for place in readable if isinstance(outcomes[place], Missing)),
            key=lambda place: (readable[place].smiles, place),
        )
        core = _one_core(text, len(found), left, readable, outcomes)
        if core.members or cores:
            found.append(core)
    return RGroupTable(measured, tuple(found), tuple(outcomes))


def common_cores(molecules: Sequence[Molecule], *, most: int = 8, fewest: int = 5) -> list[str]:
    """The Murcko scaffolds that explain the most atoms: each next one of what the earlier leave over.

    A scaffold counts the square of its heavy atoms above five, in every molecule that
    contains it and no earlier core: large enough to say something, common enough to
    compare. The same molecules in another order give the same cores.
    """
    counted = Counter(scaffold(molecule) for molecule in molecules)
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    size: dict[str, int] = {}
    for smiles, _ in ranked:
        mol = Chem.MolFromSmiles(smiles)
        if mol is not None and mol.GetNumHeavyAtoms() > FREE:
            size[smiles] = mol.GetNumHeavyAtoms()
        if len(size) == CANDIDATES:
            break
    holder = rdSubstructLibrary.CachedTrustedSmilesMolHolder()
    library = rdSubstructLibrary.SubstructLibrary(holder, rdSubstructLibrary.PatternHolder())
    for molecule in molecules:
        library.AddMol(molecule.mol())
    members = {
        smiles: set(library.GetMatches(Chem.MolFromSmiles(smiles), maxResults=len(molecules), numThreads=1))
        for smiles in size
    }
    chosen: list[str] = []
    left = set(range(len(molecules)))
    while len(chosen) < most and members:
        best = min(
            members, key=lambda smiles: (-len(members[smiles] & left) * (size[smiles] - FREE) ** 2, smiles)
        )
        explained = members.pop(best) & left
        if len(explained) >= fewest:
            chosen.append(best)
            left -= explained
        elif not any(len(places & left) >= fewest for places in members.values()):
            break
    return chosen


def _shown(group: str) -> Cell:
    return "H" if group.startswith(HYDROGEN) else Drawing(group, 130, 90)


def _frequent(counts: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    total: Counter[str] = Counter()
    for group, count in counts:
        total[group] += count
    return sorted(total.items(), key=lambda item: (-item[1], item[0]))


def _one_core(
    text: str,
    number: int,
    left: Sequence[int],
    readable: Mapping[int, Molecule],
    outcomes: list[Groups | Missing],
) -> Core:
    """Take apart what contains this core; the outcomes of those molecules are written."""
    core = _core(text)
    bare = Chem.DeleteSubstructs(core, Chem.MolFromSmarts("[#0]"))
    settings = rdRGroupDecomposition.RGroupDecompositionParameters()
    settings.matchingStrategy = rdRGroupDecomposition.RGroupMatching.Greedy
    settings.scoreMethod = rdRGroupDecomposition.RGroupScore.FingerprintVariance
    settings.removeHydrogensPostMatch = True
    settings.removeAllHydrogenRGroups = True
    places = []
    with quiet_rdkit():
        work = rdRGroupDecomposition.RGroupDecomposition(core, settings)
        for place in left:
            mol = readable[place].mol()
            if not mol.HasSubstructMatch(bare):
                continue
            ways = mol.GetSubstructMatches(bare, uniquify=False, maxMatches=EQUIVALENT + 1)
            if len(ways) > EQUIVALENT:
                detail = (
                    f"{readable[place].shown} holds {text} in more than {EQUIVALENT} ways; give a larger core"
                )
                outcomes[place] = Missing(STAGE, Reason.UNSUPPORTED, detail)
            elif work.Add(mol) < 0:
                detail = f"{readable[place].shown} contains {text}, but bound at places the core leaves no room for"
                outcomes[place] = Missing(STAGE, Reason.OUT_OF_DOMAIN, detail)
            else:
                places.append(place)
        if not places:
            return Core(text, text, (), ())
        if not work.Process():
            raise RuntimeError(f"RDKit could not take {len(places)} molecules apart at {text}")
        rows = work.GetRGroupsAsRows(asSmiles=True)
    if len(rows) != len(places):
        raise RuntimeError(f"RDKit took {len(rows)} of {len(places)} molecules apart at {text}")
    labels = {label for row in rows for label in row if label != "Core"}
    positions = tuple(sorted(labels, key=lambda label: int(label.removeprefix("R"))))
    for place, row in zip(places, rows, strict=True):
        outcomes[place] = Groups(
            number, {label: row.get(label) or f"{HYDROGEN}[*:{label[1:]}]" for label in positions}
        )
    drawn = _shared(Counter(row["Core"] for row in rows), text)
    by_size = sorted(places, key=lambda place: (readable[place].mol().GetNumHeavyAtoms(), place))
    example = readable[by_size[len(by_size) // 2]].smiles
    return Core(text, drawn, positions, tuple(sorted(places)), example)


def _shared(cores: Counter[str], text: str) -> str:
    """The most common core; without the stereo of its atoms where its molecules differ in that.

    Where a quinolone stands at a quinoline, RDKit's core is an aromatic ring with a group on its
    nitrogen, which nobody can draw: such cores are passed over, for `text` if there is no other.
    """
    with quiet_rdkit():
        mols = {core: mol for core, _ in cores.most_common() if (mol := Chem.MolFromSmiles(core))}
    if not mols:
        return text
    flat = {core: Chem.MolToSmiles(mol, isomericSmiles=False) for core, mol in mols.items()}
    drawn = next(iter(mols))
    alike = [core for core in mols if flat[core] == flat[drawn]]
    return drawn if len(alike) == 1 else flat[drawn]


def _core(text: str) -> Chem.Mol:
    with quiet_rdkit():
        mol = Chem.MolFromSmiles(text) or Chem.MolFromSmarts(text)
    if mol is None or not any(atom.GetAtomicNum() for atom in mol.GetAtoms()):
        raise SeriesError(f"the core {text!r} is neither a SMILES nor a SMARTS RDKit can read")
    Chem.GetSymmSSSR(mol)
    return mol
