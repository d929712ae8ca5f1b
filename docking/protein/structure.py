"""What does a structure file hold, atom by atom, under the names the user knows?

Reads PDB and mmCIF (plain or gzipped) and writes PDB. Which atoms are kept is
decided in docking/preparation.py.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from discovery.extras import needs
from docking.pdbqt import Floats
from docking.protein import residues
from docking.receptor import ReceptorError

with needs("docking"):
    import gemmi


Point = tuple[float, float, float]
Place = tuple[str, str]  # chain and number

LOWEST, HIGHEST = -999.0, 9999.0  # Å
FEWEST_PLACES = 0.4  # of the number of atoms; every atom in two conformations that differ nowhere has 0.5
_OF_PROTEINS = {"C": "C", "N": "N", "O": "O", "S": "S", "H": "H", "D": "H"}


@dataclass(frozen=True, slots=True)
class Atom:
    """One atom of a structure."""

    chain: str
    resname: str  # as in the file, state names included
    number: str  # with insertion code: "129", "129A"
    name: str
    element: str  # "C", "Zn"
    xyz: Point  # Å
    hetero: bool = False
    altloc: str = ""
    occupancy: float = 1.0

    @property
    def residue(self) -> str:
        """As the user's file names it: "A:ASP129"."""
        return f"{self.chain}:{self.resname}{self.number}"

    @property
    def place(self) -> Place:
        """The same for all atoms of a residue."""
        return self.chain, self.number


@dataclass(frozen=True, slots=True)
class Read:
    """The first model of a file."""

    atoms: tuple[Atom, ...]
    models: int
    copies: int = (
        1  # of these atoms, or of some chains, that make the biological assembly the file speaks of first
    )


def read(path: str | Path) -> Read:
    """Read a PDB or mmCIF file.

    Raises
    ------
    ReceptorError
        The file is absent, is neither, or holds no atoms; the message names it.
    """
    return parse(text_of(path), str(path))


def text_of(path: str | Path) -> str:
    """A structure file's text, plain or gzipped, which its first bytes tell.

    Raises
    ------
    ReceptorError
        As `read`.
    """
    path = Path(path)
    if not path.is_file():
        raise ReceptorError(f"there is no structure file {path}")
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise ReceptorError(f"{path} is not a whole gzip file: {error}") from error
    return raw.decode("utf-8", errors="replace")


def parse(text: str, shown: str) -> Read:
    """As `read`, from the text of a file; `shown` names it in messages."""
    is_cif = text.lstrip()[:5] == "data_" or "\n_atom_site." in text
    if not is_cif:
        _check_columns(text, shown)
    try:
        if is_cif:
            structure = gemmi.make_structure_from_block(gemmi.cif.read_string(text)[0])
        else:
            structure = gemmi.read_pdb_string(text)
    except (RuntimeError, ValueError, IndexError) as error:
        kind = "mmCIF" if is_cif else "PDB"
        raise ReceptorError(f"{shown} is no whole {kind} file; it may have been cut off: {error}") from error
    if not len(structure) or not sum(1 for _ in structure[0].all()):
        raise ReceptorError(f"{shown} holds no atoms; is it a PDB or mmCIF file?")
    atoms = tuple(_atoms(structure[0]))
    for atom in atoms:
        if not np.isfinite(atom.xyz).all():
            raise ReceptorError(
                f"{shown}: atom {atom.name} of {atom.residue} has a coordinate that is no number"
            )
        if not all(LOWEST < value < HIGHEST for value in atom.xyz):
            raise ReceptorError(
                f"{shown}: atom {atom.name} of {atom.residue} lies at {atom.xyz} Å, beyond {LOWEST:g} to {HIGHEST:g}, "
                "which PDB's columns hold; move the structure nearer the origin, and its ligands with it"
            )
    places = len({atom.xyz for atom in atoms})
    if places < FEWEST_PLACES * len(atoms):
        raise ReceptorError(
            f"{shown}: its {len(atoms):,} atoms lie at {places:,} places, {atoms[0].xyz} the first; are its coordinates whole?"
        )
    copies = [len(part.operators) for unit in structure.assemblies[:1] for part in unit.generators]
    return Read(atoms, len(structure), max(copies, default=1))


def _check_columns(text: str, shown: str) -> None:
    """Gemmi takes what is no number for 0."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line[:4].upper() in ("ATOM", "HETA"):
            if "\t" in line:
                raise ReceptorError(
                    f"{shown}, line {number} holds a tab: {line[:66].rstrip()!r}; PDB has columns of fixed width"
                )
            try:
                for first in (30, 38, 46):
                    float(line[first : first + 8])
            except ValueError as error:
                raise ReceptorError(
                    f"{shown}, line {number}: columns 31 to 54 are no three coordinates: {line[:66].rstrip()!r}"
                ) from error


def _atoms(model: gemmi.Model) -> Iterator[Atom]:
    for cra in model.all():
        seqid, atom = cra.residue.seqid, cra.atom
        resname, name = cra.residue.name, atom.name
        if resname.islower():  # as some programs write a whole file
            resname, name = resname.upper(), name.upper()
        yield Atom(
            chain=cra.chain.name,
            resname=resname,
            number=f"{seqid.num}{seqid.icode.strip()}",
            name=name,
            element=_element(atom, resname, name),
            xyz=(atom.pos.x, atom.pos.y, atom.pos.z),
            hetero=cra.residue.het_flag == "H",
            altloc=atom.altloc.replace("\0", ""),
            occupancy=atom.occ,
        )


def _element(atom: gemmi.Atom, resname: str, called: str) -> str:
    """Of an amino acid what the name begins with; else the element column, or the name where that is empty."""
    letters = called.lstrip("0123456789")
    if residues.standard(resname) in residues.NAMES and letters[:1] in _OF_PROTEINS:
        return _OF_PROTEINS[letters[0]]
    name = str(atom.element.name)
    if name not in ("X", ""):
        return "H" if name == "D" else name
    if letters[:2].upper() == resname.upper() and gemmi.Element(letters[:2]).name != "X":
        return str(gemmi.Element(letters[:2]).name)
    return str(gemmi.Element(letters[:1]).name)


def by_residue(atoms: Iterable[Atom]) -> dict[Place, list[Atom]]:
    """Atoms by chain and number, in the order of the file."""
    found: dict[Place, list[Atom]] = {}
    for atom in atoms:
        found.setdefault(atom.place, []).append(atom)
    return found


def coords(atoms: Iterable[Atom]) -> Floats:
    """[atom, 3] Å."""
    return np.array([atom.xyz for atom in atoms], dtype=float).reshape(-1, 3)


def pdb_text(atoms: Iterable[Atom]) -> str:
    """PDB text: a TER after each chain, serials from 1, elements in columns 77-78."""
    lines: list[str] = []
    last: Atom | None = None
    for serial, atom in enumerate(atoms, start=1):
        if last is not None and atom.chain != last.chain:
            lines.append("TER")
        name = atom.name if len(atom.name) > 3 or len(atom.element) > 1 else f" {atom.name}"
        number = atom.number if atom.number[-1:].isalpha() else f"{atom.number} "
        record = "HETATM" if atom.hetero else "ATOM  "
        x, y, z = atom.xyz
        lines.append(
            f"{record}{serial % 100_000:5d} {name:<4.4s} {atom.resname:>3.3s} {atom.chain:1.1s}{number:>5.5s}   "
            f"{x:8.3f}{y:8.3f}{z:8.3f}{atom.occupancy:6.2f}  0.00          {atom.element.upper():>2s}"
        )
        last = atom
    return "\n".join([*lines, "TER", "END"]) + "\n"
