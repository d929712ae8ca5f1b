"""How does a structure file become a receptor, and what was decided on the way?

Every choice (which conformation, which waters, which hydrogens) goes into the
receptor's report and can be overruled. The same file and settings give the same
receptor, byte for byte.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from docking import pdbqt
from docking.protein import hydrogens, receptor_types, residues
from docking.protein.numbering import free_letters, told_apart
from docking.protein.protonation import decide
from docking.protein.rebuilding import FEWEST, rebuilt
from docking.protein.structure import Atom, Place, by_residue, pdb_text, read, text_of
from docking.receptor import LETTER, Choice, Receptor, ReceptorError, lettered, renamed

WATERS = frozenset({"HOH", "WAT", "DOD", "TIP", "TIP3", "SOL"})
KEPT_METALS = frozenset({"MG", "MN", "ZN", "CA", "FE", "FE2", "CU", "CU1", "NI", "CO", "CD", "3CO", "HG"})
KEPT_COFACTORS = frozenset(
    [
        *("HEM", "HEC", "HEA", "HEB", "FAD", "FMN", "NAD", "NAI", "NAP", "NDP", "SAM", "SAH", "PLP", "TPP"),
        *("COA", "ACO", "BTN", "H4B", "THF", "SF4", "FES", "F3S", "CLF", "MTE", "B12", "CHL", "BCL", "PQQ"),
    ]
)
PH = 7.4
CHAIN_BREAK = 2.2  # Å from C to the next N; a peptide bond is 1.33 Å


def prepare(
    path: str | Path,
    *,
    ph: float = PH,
    chains: Sequence[str] = (),
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    protonation: Mapping[str, str] | None = None,
    rebuild: bool = True,
) -> Receptor:
    """A receptor from a PDB, mmCIF or PDBQT file.

    Parameters
    ----------
    path : a structure file, gzipped or not
    ph : at which side chains are protonated
    chains : such as ["A"]
        Only these; all of them when empty.
    keep, drop : such as ["HOH", "A:HOH301", "A:NAG501", "SO4"]
        Residues or residue names, beside (or against) the defaults: waters, ions of
        alkali metals, buffers and ligands are dropped; nucleic acids, other metals and the
        commonest cofactors are kept.
    protonation : "A:HIS57" -> "HIP"
        Overrules the choice made at this pH.
    rebuild : bool
        Complete side chains whose atoms are missing. Missing loops are never built.

    Raises
    ------
    ReceptorError
        The file cannot be read, nothing is left of it, or a name is not in it. The
        message names the file or the residue.
    """
    path = Path(path)
    if path.name.lower().removesuffix(".gz").endswith(".pdbqt"):
        asked = {"chains": chains, "keep": keep, "drop": drop, "protonation": protonation}
        given = [name for name, value in asked.items() if value]
        if given:
            raise ReceptorError(
                f"{path} is prepared already: {', '.join(given)} can be asked of a PDB or mmCIF file only"
            )
        return from_pdbqt(path)
    found = read(path)
    return assemble(
        found.atoms,
        path.name,
        models=found.models,
        copies=found.copies,
        ph=ph,
        chains=chains,
        keep=keep,
        drop=drop,
        protonation=protonation,
        rebuild=rebuild,
    )


def from_pdbqt(path: str | Path) -> Receptor:
    """A receptor that is prepared already: types and hydrogens stay as they are.

    Raises
    ------
    ReceptorError
        The file cannot be read, or is a ligand (it has a torsion tree).
    """
    path = Path(path)
    try:
        structure = pdbqt.read(text_of(path))
    except pdbqt.PdbqtError as error:
        raise ReceptorError(f"{path}: {error}") from error
    if structure.branches:
        raise ReceptorError(
            f"{path} is a ligand: it has {len(structure.branches)} BRANCH lines; a receptor is rigid"
        )
    atoms = [
        Atom(
            a.chain,
            a.resname,
            a.number,
            a.name,
            pdbqt.ELEMENT.get(a.type, a.type),
            _point(xyz),
            a.resname not in residues.NAMES,
        )
        for a, xyz in zip(structure.atoms, structure.coords, strict=True)
    ]
    lines = [atom.line(xyz) for atom, xyz in zip(structure.atoms, structure.coords, strict=True)]
    report = (Choice("source", "", f"{path.name}: {len(atoms)} atoms, types and hydrogens as in the PDBQT"),)
    return Receptor(path.stem, pdb_text(atoms), "\n".join([*lines, "TER"]) + "\n", report)


def assemble(
    atoms: Sequence[Atom],
    name: str,
    *,
    models: int = 1,
    copies: int = 1,
    ph: float = PH,
    chains: Sequence[str] = (),
    keep: Sequence[str] = (),
    drop: Sequence[str] = (),
    protonation: Mapping[str, str] | None = None,
    rebuild: bool = True,
) -> Receptor:
    """As `prepare`, from atoms already read."""
    report = [Choice("source", "", f"{name}: {len(atoms)} atoms in {models} model(s)")]
    if models > 1:
        report.append(Choice("model", "", f"the first of {models} models is used"))
    if copies > 1:
        assembly = f"{copies} copies make the biological assembly; docking takes what the file holds"
        report.append(
            Choice("model", "", f"{assembly}: where the site lies between them, give the assembly's file")
        )
    left, said = _one_chain_letter(_of_chains(atoms, chains))
    report += said
    letters = lettered(said)
    keep, drop = ([renamed(name, letters) for name in names] for names in (keep, drop))
    protonation = {renamed(name, letters): state for name, state in (protonation or {}).items()}
    for step in (told_apart, _one_conformation, _named_as_standard, lambda a: _of_interest(a, keep, drop)):
        left, said = step(left)
        report += said
    if not any(
        residues.standard(atom.resname) in residues.NAMES or atom.resname in residues.NUCLEOTIDES
        for atom in left
    ):
        raise ReceptorError(
            f"{name} holds no amino acid or nucleotide that is kept; docking needs a receptor"
        )
    left, said = _complete(left, rebuild)
    report += said
    states, said = decide(left, ph, protonation)
    report += said
    given = sum(atom.element == "H" for atom in left)
    whole = hydrogens.add(left, states)
    added = sum(atom.element == "H" for atom in whole) - given
    report.append(
        Choice("protonation", "", f"{given} hydrogens as in the file, {added} added, for pH {ph:g}")
    )
    bare = sorted(
        {a.residue for a in whole if a.hetero and a.element == "C"}
        - {a.residue for a in whole if a.element == "H"}
    )
    report += [
        Choice("typing", where, "typed by its geometry; it has no hydrogens, so it donates none")
        for where in bare
    ]
    written = [replace(atom, resname=residues.standard(atom.resname)) for atom in whole]
    return Receptor(name, pdb_text(written), receptor_types.write(written), tuple(report))


def _of_chains(atoms: Sequence[Atom], chains: Sequence[str]) -> list[Atom]:
    there = list(dict.fromkeys(atom.chain for atom in atoms))
    unknown = [chain for chain in chains if chain not in there]
    if unknown:
        raise ReceptorError(f"there is no chain {', '.join(unknown)}; the file holds {', '.join(there)}")
    return [atom for atom in atoms if not chains or atom.chain in chains]


def _one_chain_letter(atoms: Sequence[Atom]) -> tuple[list[Atom], list[Choice]]:
    """PDB and PDBQT hold one letter per chain; mmCIF allows more."""
    names, free = list(dict.fromkeys(atom.chain for atom in atoms)), free_letters(atoms)
    long = [chain for chain in names if len(chain) > 1]
    if len(long) > len(free):
        raise ReceptorError(
            f"{len(names)} chains are more than PDB has letters for; choose some with chains="
        )
    letters = dict(zip(long, free, strict=False))
    said = [Choice("chain", chain, f"{LETTER}{letter}") for chain, letter in letters.items()]
    return [replace(atom, chain=letters.get(atom.chain, atom.chain)) for atom in atoms], said


def _one_conformation(atoms: Sequence[Atom]) -> tuple[list[Atom], list[Choice]]:
    """Of alternate locations the one with the highest occupancy; of equals the first letter."""
    left: list[Atom] = []
    said: list[Choice] = []
    for group in by_residue(atoms).values():
        weights: dict[tuple[str, str], float] = {}
        for atom in group:
            if atom.altloc:
                key = (atom.altloc, atom.resname)
                weights[key] = max(weights.get(key, 0.0), atom.occupancy)
        if not weights:
            left += group
            continue
        best = min(weights, key=lambda key: (-round(weights[key], 3), key))
        chosen = [atom for atom in group if not atom.altloc or (atom.altloc, atom.resname) == best]
        names = {atom.name for atom in chosen}
        for atom in group:  # an atom that the chosen conformation lacks comes from the first that has it
            if atom.name not in names and atom.resname == best[1]:
                names.add(atom.name)
                chosen.append(atom)
        left += [replace(atom, altloc="", occupancy=1.0) for atom in chosen]
        shown = ", ".join(f"{letter} ({weight:.2f})" for (letter, _), weight in sorted(weights.items()))
        said.append(Choice("altloc", chosen[0].residue, f"kept conformation {best[0]} of {shown}"))
    return left, said


def _named_as_standard(atoms: Sequence[Atom]) -> tuple[list[Atom], list[Choice]]:
    """Residues and atoms as the Data Bank has them: selenium becomes sulfur, CHARMM's terminal patches caps of their own."""
    left: list[Atom] = []
    said: list[Choice] = []
    for group in by_residue(atoms).values():
        where, names = group[0].residue, {atom.name for atom in group}
        if group[0].resname in _SELENIUM:
            what, parent, sulfur = _SELENIUM[group[0].resname]
            said.append(Choice("hetero", where, what))
            group = [
                replace(atom, name=sulfur, element="S") if atom.element == "Se" else atom for atom in group
            ]
            group = [replace(atom, resname=parent, hetero=False) for atom in group]
        nucleotide = residues.nucleotide(group[0].resname, names)
        if nucleotide:
            resname, now = nucleotide
            left += [replace(atom, resname=resname, name=now[atom.name], hetero=False) for atom in group]
            continue
        parent = residues.standard(group[0].resname)
        acid = parent in residues.NAMES
        patched = acid and not names.isdisjoint(("CAY", "CAT"))  # ligands have atoms of these names too
        aliases = dict(residues.ATOM_ALIASES.get(parent, {}))
        if not patched:
            aliases |= {"OT1": "O", "OT2": "OXT"}
        if acid and {"C", "O1", "O2"} <= names and "O" not in names:
            aliases |= {"O1": "O", "O2": "OXT"}  # as Gromacs writes the end of a chain
        hetero = group[0].hetero and group[0].resname not in residues.NAMES
        group = [replace(atom, name=aliases.get(atom.name, atom.name), hetero=hetero) for atom in group]
        left += _caps(group) if patched else group
        if patched:
            place = f"{group[0].chain}:{group[0].number}"
            said.append(Choice("chain", place, "CHARMM terminal patch written as a cap"))
    return left, said


_SELENIUM = {  # what is said, the residue, its sulfur
    "MSE": ("selenomethionine is docked as methionine", "MET", "SD"),
    "SEC": ("selenocysteine is docked as cysteine", "CYS", "SG"),
    "CSE": ("selenocysteine is docked as cysteine", "CYS", "SG"),
}
_PATCHES = {
    "ACE": {"CAY": "CH3", "CY": "C", "OY": "O", "HY1": "H1", "HY2": "H2", "HY3": "H3"},
    "NME": {"NT": "N", "HNT": "H", "CAT": "C", "HT1": "H1", "HT2": "H2", "HT3": "H3"},
}


def _caps(group: Sequence[Atom]) -> list[Atom]:
    """A patched residue as up to three: ACE before it, NME behind it."""
    parts: dict[str, list[Atom]] = {"ACE": [], "": [], "NME": []}
    for atom in group:
        cap = next((cap for cap, names in _PATCHES.items() if atom.name in names), "")
        if cap:
            number = int(atom.number.rstrip(string.ascii_letters)) + {"ACE": -1, "NME": 1}[cap]
            atom = replace(atom, name=_PATCHES[cap][atom.name], resname=cap, number=str(number))
        parts[cap].append(atom)
    return [*parts["ACE"], *parts[""], *parts["NME"]]


def _of_interest(
    atoms: Sequence[Atom], keep: Sequence[str], drop: Sequence[str]
) -> tuple[list[Atom], list[Choice]]:
    """Which groups stay: protein, nucleic acids, metals, cofactors, and what the user names."""
    groups = by_residue(atoms)
    names = {group[0].resname for group in groups.values()} | {group[0].residue for group in groups.values()}
    unknown = [name for name in (*keep, *drop) if name not in names]
    if unknown:
        raise ReceptorError(
            f"keep= or drop= names {', '.join(unknown)}, which the structure does not hold; beside the protein it holds "
            + (", ".join(sorted({g[0].residue for g in groups.values() if g[0].hetero})[:12]) or "nothing")
        )
    left: list[Atom] = []
    said: list[Choice] = []
    waters = nucleotides = 0
    bonded, strand = _bonded_beyond(atoms)
    for place, group in groups.items():
        name, where = group[0].resname, group[0].residue
        asked = name in keep or where in keep
        if name in drop or where in drop:
            said.append(Choice("hetero", where, "dropped as asked"))
        elif asked:
            left += group
            said.append(Choice("water" if name in WATERS else "hetero", where, "kept as asked"))
        elif name in WATERS:
            waters += 1
        elif residues.standard(name) in residues.NAMES or name in ("ACE", "NME"):
            left += group
        elif name in residues.NUCLEOTIDES:
            left += group
            nucleotides += 1
        elif _is_amino_acid(group) or place in strand:
            left += group
            said.append(Choice("hetero", where, "modified residue, kept as it is"))
        elif name in KEPT_METALS:
            left += group
            said.append(Choice("metal", where, "kept; drop= takes it out"))
        elif name in KEPT_COFACTORS:
            left += group
            said.append(Choice("hetero", where, "cofactor, kept; drop= takes it out"))
        else:
            size = f"{sum(a.element != 'H' for a in group)} heavy atoms"
            tied = f", bonded to {bonded[place]}" if place in bonded else ""
            said.append(Choice("hetero", where, f"dropped ({size}{tied}); keep= keeps it"))
    if nucleotides:
        said.append(Choice("hetero", "", f"{nucleotides} nucleotides kept; drop= or chains= leaves them out"))
    if waters:
        said.append(
            Choice("water", "", f"{waters} waters dropped; keep=['HOH'] or keep=['A:HOH301'] keeps them")
        )
    return left, said


def _bonded_beyond(atoms: Sequence[Atom]) -> tuple[dict[Place, str], set[Place]]:
    """Residues with a bond to another -> the first such other; and those that share a phosphate as nucleotides do."""
    heavy = [atom for atom in atoms if atom.element != "H"]
    bonded: dict[Place, str] = {}
    strand: set[Place] = set()
    for atom, others in zip(heavy, hydrogens.neighbours(heavy), strict=True):
        for other in (heavy[j] for j in others if heavy[j].place != atom.place):
            bonded.setdefault(atom.place, other.residue)
            if {atom.name, other.name} == {"O3'", "P"}:
                strand.add(atom.place)
    return bonded, strand


def _is_amino_acid(group: Iterable[Atom]) -> bool:
    return {"N", "CA", "C", "O"} <= {atom.name for atom in group}


def _complete(atoms: Sequence[Atom], rebuild: bool) -> tuple[list[Atom], list[Choice]]:
    """Say where the chain is broken; complete side chains that lack atoms."""
    said: list[Choice] = []
    groups = by_residue(atoms)
    protein = [g for g in groups.values() if residues.standard(g[0].resname) in residues.NAMES]
    chain = [
        g for g in groups.values() if residues.standard(g[0].resname) in residues.NAMES or _is_amino_acid(g)
    ]
    for before, after in pairwise(chain):
        if before[0].chain != after[0].chain:
            continue
        ends = [a for a in before if a.name == "C"], [a for a in after if a.name == "N"]
        if ends[0] and ends[1]:
            gap = float(np.linalg.norm(np.subtract(ends[0][0].xyz, ends[1][0].xyz)))
            if gap > CHAIN_BREAK:
                said.append(
                    Choice(
                        "missing",
                        f"{before[0].residue}..{after[0].residue}",
                        f"chain break ({gap:.1f} Å); loops are not built",
                    )
                )
    bare = [group for group in protein if sum(atom.element != "H" for atom in group) < FEWEST]
    if 2 * len(bare) > len(protein):
        raise ReceptorError(
            f"{len(bare)} of {len(protein)} residues, {bare[0][0].residue} first, hold fewer than {FEWEST} atoms, "
            "as a trace of alpha carbons does; docking needs side chains: take a file with all atoms"
        )
    missing: dict[Place, list[str]] = {}
    for group in protein:
        wanted = residues.hydrogens(residues.standard(group[0].resname))
        lacking = [name for name in wanted if name not in {atom.name for atom in group}]
        if lacking:
            missing[group[0].place] = lacking
    if not missing:
        return list(atoms), said
    result = rebuilt(atoms, missing) if rebuild else list(atoms)
    now = {place: {atom.name for atom in group} for place, group in by_residue(result).items()}
    for place, lacking in missing.items():
        what = "missing; rebuild=True adds them"
        if rebuild:
            whole = set(lacking) <= now[place]
            what = "rebuilt" if whole else "missing; too few atoms are there to tell how the residue lies"
        said.append(Choice("missing", groups[place][0].residue, f"{', '.join(lacking)} {what}"))
    return result, said


def _point(xyz: NDArray[np.float64]) -> tuple[float, float, float]:
    x, y, z = (float(value) for value in xyz)
    return x, y, z
