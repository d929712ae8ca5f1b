"""In which state is each titratable residue at this pH?

Decided in this order: what the user says, what bonds force (disulfides, metals),
what the file itself shows (a state name, hydrogens), the pKa that PROPKA gives.
Neutral histidines take the tautomer that their neighbours want.
"""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Mapping, Sequence

import numpy as np

from discovery.extras import needs
from docking.protein import residues
from docking.protein.burial import quickened
from docking.protein.receptor_types import METALS
from docking.protein.structure import Atom, Place, by_residue, coords, pdb_text
from docking.receptor import Choice, ReceptorError

with needs("docking"):
    from propka.input import read_molecule_file, read_parameter_file
    from propka.lib import loadOptions
    from propka.molecular_container import MolecularContainer
    from propka.parameters import Parameters
    from scipy.spatial import cKDTree


OPTIONS: Mapping[str, tuple[str, ...]] = {
    "ASP": ("ASP", "ASH"),
    "GLU": ("GLU", "GLH"),
    "HIS": ("HID", "HIE", "HIP"),
    "LYS": ("LYS", "LYN"),
    "CYS": ("CYS", "CYX", "CYM"),
    "TYR": ("TYR", "TYM"),
}
# above the pKa a residue loses its proton: (state below, state above)
_BY_PKA = {"ASP": ("ASH", ""), "GLU": ("GLH", ""), "LYS": ("", "LYN"), "TYR": ("", "TYM"), "CYS": ("", "CYM")}
_TELLTALE = {
    "ASP": ("OD1", "OD2"),
    "GLU": ("OE1", "OE2"),
    "HIS": ("ND1", "NE2"),
    "LYS": ("NZ",),
    "CYS": ("SG",),
}
DISULFIDE = 2.5  # Å between two SG
METAL_BOND = 2.8  # Å from a metal to the atom that holds it


def decide(
    atoms: Sequence[Atom], ph: float, asked: Mapping[str, str] | None = None
) -> tuple[dict[Place, str], list[Choice]]:
    """The state of every residue that is not in its usual one, and why.

    Parameters
    ----------
    asked : "A:HIS57" -> "HIP"
        Overrules everything else.

    Raises
    ------
    ReceptorError
        If an asked residue is not there or cannot have that state.
    """
    if not 0.0 <= ph <= 14.0:
        raise ReceptorError(f"a pH lies between 0 and 14, not {ph}")
    groups = {
        place: group
        for place, group in by_residue(atoms).items()
        if residues.standard(group[0].resname) in OPTIONS
    }
    told = _asked(groups, asked or {})
    pkas = _pkas(atoms) if set(groups) - set(told) else {}
    forced = _forced(atoms, groups)
    everything = [atom for atom in atoms if atom.element != "H"]
    tree = cKDTree(coords(everything))
    states: dict[Place, str] = {}
    choices: list[Choice] = []
    for place, group in groups.items():
        name = residues.standard(group[0].resname)
        where = group[0].residue
        shown = _shown(group, name)
        if place in told:
            state, why = told[place], "as asked"
        elif place in forced:
            state, why = forced[place]
        elif shown is not None:
            state, why = shown, "as in the file"
        else:
            state, why = _by_pka(name, pkas.get(place), ph, group, everything, tree)
        if state and state != name:
            states[place] = state
        if state not in ("", name) or place in told:
            choices.append(Choice("protonation", where, f"{state or name}: {why}"))
    return states, choices


def states_of(texts: Sequence[str]) -> dict[str, str]:
    """["A:HIS57=HIP"], as a command line has it -> "A:HIS57": "HIP".

    Raises
    ------
    ReceptorError
        A text has no equals sign.
    """
    pairs = [text.partition("=") for text in texts]
    for text, (_, equals, _) in zip(texts, pairs, strict=True):
        if not equals:
            raise ReceptorError(f"--protonation is like A:HIS57=HIP, not {text!r}")
    return {residue.strip(): state.strip() for residue, _, state in pairs}


def _asked(groups: Mapping[Place, Sequence[Atom]], asked: Mapping[str, str]) -> dict[Place, str]:
    known = {group[0].residue: place for place, group in groups.items()}
    known |= {f"{p[0]}:{residues.standard(g[0].resname)}{p[1]}": p for p, g in groups.items()}
    found = {}
    for residue, state in asked.items():
        if residue not in known:
            near = [
                name for name in known if name.split(":")[-1][3:] == re.sub(r"^.*?:?[A-Z]{3}", "", residue)
            ]
            hint = f"; did you mean {near[0]}?" if near else "; name it like A:HIS57"
            raise ReceptorError(
                f"protonation names {residue}, which is no titratable residue of the receptor{hint}"
            )
        place = known[residue]
        name = residues.standard(groups[place][0].resname)
        if state not in OPTIONS[name]:
            raise ReceptorError(f"{residue} cannot be {state}; it can be {', '.join(OPTIONS[name])}")
        found[place] = state
    return found


def _pkas(atoms: Sequence[Atom]) -> dict[Place, float]:
    """PROPKA's pKa of each titratable residue.

    References
    ----------
    .. [1] M. Olsson et al., J. Chem. Theory Comput. 7 (2011) 525, doi:10.1021/ct100578z
    """
    protein = [_renamed(atom) for atom in atoms if atom.element != "H" and _in_protein(atom)]
    if not protein:
        return {}
    log = logging.getLogger("propka")
    level = log.level
    log.setLevel(logging.CRITICAL)  # it warns of every missing atom; those are listed in the report already
    try:
        options = loadOptions(["--log-level=CRITICAL", "receptor.pdb"])
        answer = MolecularContainer(read_parameter_file(options.parameters, Parameters()), options)
        answer = read_molecule_file("receptor.pdb", answer, stream=io.StringIO(pdb_text(protein)))
        with quickened(answer.version):
            answer.calculate_pka()
    finally:
        log.setLevel(level)
    found: dict[Place, float] = {}
    for group in answer.conformations["AVR"].groups:
        if group.residue_type in ("ASP", "GLU", "HIS", "LYS", "TYR", "CYS") and group.atom is not None:
            number = f"{group.atom.res_num}{group.atom.icode.strip()}"
            found[(group.atom.chain_id.strip(), number)] = float(group.pka_value)
    return found


def _in_protein(atom: Atom) -> bool:
    return residues.standard(atom.resname) in residues.NAMES


def _renamed(atom: Atom) -> Atom:
    name = residues.standard(atom.resname)
    return Atom(atom.chain, name, atom.number, atom.name, atom.element, atom.xyz)


def _forced(atoms: Sequence[Atom], groups: Mapping[Place, Sequence[Atom]]) -> dict[Place, tuple[str, str]]:
    """States that a disulfide or a metal leaves no choice about."""
    found: dict[Place, tuple[str, str]] = {}
    sulfurs = [atom for atom in atoms if atom.name == "SG" and atom.place in groups]
    for i, first in enumerate(sulfurs):
        for second in sulfurs[i + 1 :]:
            gap = float(np.linalg.norm(np.subtract(first.xyz, second.xyz)))
            if gap < DISULFIDE:
                found[first.place] = ("CYX", f"disulfide with {second.residue} ({gap:.2f} Å)")
                found[second.place] = ("CYX", f"disulfide with {first.residue} ({gap:.2f} Å)")
    for metal in (atom for atom in atoms if atom.element in METALS):
        for place, group in groups.items():
            for atom in group:
                gap = float(np.linalg.norm(np.subtract(atom.xyz, metal.xyz)))
                if gap > METAL_BOND:
                    continue
                if atom.name == "SG":
                    found.setdefault(place, ("CYM", f"holds {metal.residue} ({gap:.2f} Å)"))
                if atom.name in ("ND1", "NE2") and residues.standard(atom.resname) == "HIS":
                    state = "HIE" if atom.name == "ND1" else "HID"
                    found.setdefault(place, (state, f"{atom.name} holds {metal.residue} ({gap:.2f} Å)"))
    return found


def _shown(group: Sequence[Atom], name: str) -> str | None:
    """The state that the file shows by a residue's name or by its hydrogens; None if it shows none."""
    state = residues.named_state(group[0].resname)
    if state:
        return state
    hydrogens = coords([atom for atom in group if atom.element == "H"])
    if not len(hydrogens) or name not in _TELLTALE:
        return "" if len(hydrogens) else None
    carried = {
        atom.name: int((np.linalg.norm(hydrogens - np.asarray(atom.xyz), axis=1) < 1.5).sum())
        for atom in group
        if atom.name in _TELLTALE[name]
    }
    if name == "HIS":
        both = (carried.get("ND1", 0) > 0, carried.get("NE2", 0) > 0)
        return {(True, True): "HIP", (True, False): "HID", (False, True): "HIE"}.get(both)
    if name in ("ASP", "GLU"):
        return {"ASP": "ASH", "GLU": "GLH"}[name] if any(carried.values()) else ""
    if name == "LYS":
        return {3: "", 2: "LYN"}.get(carried.get("NZ", 0))
    return "" if any(carried.values()) else None


def _by_pka(
    name: str, pka: float | None, ph: float, group: Sequence[Atom], heavy: Sequence[Atom], tree: cKDTree
) -> tuple[str, str]:
    said = f"pKa {pka:.1f} at pH {ph:g} (PROPKA)" if pka is not None else "no pKa was found"
    if name == "HIS":
        if pka is not None and pka > ph:
            return "HIP", said
        state, why = _tautomer(group, heavy, tree)
        return state, f"{why}; {said}"
    below, above = _BY_PKA[name]
    if pka is None:
        return "", said
    return (below, said) if ph < pka else (above, said)


def _tautomer(group: Sequence[Atom], heavy: Sequence[Atom], tree: cKDTree) -> tuple[str, str]:
    """HID or HIE: the hydrogen sits on the nitrogen that has an acceptor to give it to."""
    wishes: dict[str, tuple[float, str]] = {}
    for atom in group:
        if atom.name not in ("ND1", "NE2"):
            continue
        wish, reason = 0.0, ""
        for j in sorted(tree.query_ball_point(atom.xyz, 3.5)):
            other = heavy[j]
            if other.place == atom.place or other.element not in ("O", "N"):
                continue
            gap = float(np.linalg.norm(np.subtract(other.xyz, atom.xyz)))
            strength = 3.6 - gap
            if _accepts(other) and strength > wish:
                wish, reason = strength, f"{atom.name} gives its hydrogen to {other.name} of {other.residue}"
            elif _donates(other):
                wish -= strength
        wishes[atom.name] = (wish, reason)
    delta, epsilon = wishes.get("ND1", (0.0, "")), wishes.get("NE2", (0.0, ""))
    if delta[0] > epsilon[0] + 1e-6:
        return "HID", delta[1] or "NE2 faces a donor"
    return "HIE", epsilon[1] or "the commoner tautomer; no neighbour decides"


def _accepts(atom: Atom) -> bool:
    """Accepts only: carbonyl and carboxylate oxygens."""
    return (
        atom.element == "O"
        and atom.name in ("O", "OXT", "OD1", "OD2", "OE1", "OE2")
        and atom.resname != "HOH"
    )


def _donates(atom: Atom) -> bool:
    """Donates only: backbone, lysine, arginine, amide and indole nitrogens."""
    name = residues.standard(atom.resname)
    return atom.element == "N" and name != "HIS" and not (name == "PRO" and atom.name == "N")
