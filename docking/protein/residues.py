"""What is a standard residue made of, in each of its protonation states?

Names of hydrogens are those of the Protein Data Bank, names of states those of
Amber: HID, HIE and HIP are the three histidines, ASH and GLH the neutral acids,
LYN the neutral lysine, CYX the disulfide, CYM and TYM the anions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

# heavy atom:hydrogens on it, side chain only, in the usual state at pH 7
_SIDE = {
    "ALA": "CB:HB1,HB2,HB3",
    "ARG": "CB:HB2,HB3 CG:HG2,HG3 CD:HD2,HD3 NE:HE CZ NH1:HH11,HH12 NH2:HH21,HH22",
    "ASN": "CB:HB2,HB3 CG OD1 ND2:HD21,HD22",
    "ASP": "CB:HB2,HB3 CG OD1 OD2",
    "CYS": "CB:HB2,HB3 SG:HG",
    "GLN": "CB:HB2,HB3 CG:HG2,HG3 CD OE1 NE2:HE21,HE22",
    "GLU": "CB:HB2,HB3 CG:HG2,HG3 CD OE1 OE2",
    "GLY": "",
    "HIS": "CB:HB2,HB3 CG ND1 CD2:HD2 CE1:HE1 NE2:HE2",
    "ILE": "CB:HB CG1:HG12,HG13 CG2:HG21,HG22,HG23 CD1:HD11,HD12,HD13",
    "LEU": "CB:HB2,HB3 CG:HG CD1:HD11,HD12,HD13 CD2:HD21,HD22,HD23",
    "LYS": "CB:HB2,HB3 CG:HG2,HG3 CD:HD2,HD3 CE:HE2,HE3 NZ:HZ1,HZ2,HZ3",
    "MET": "CB:HB2,HB3 CG:HG2,HG3 SD CE:HE1,HE2,HE3",
    "PHE": "CB:HB2,HB3 CG CD1:HD1 CD2:HD2 CE1:HE1 CE2:HE2 CZ:HZ",
    "PRO": "CB:HB2,HB3 CG:HG2,HG3 CD:HD2,HD3",
    "SER": "CB:HB2,HB3 OG:HG",
    "THR": "CB:HB OG1:HG1 CG2:HG21,HG22,HG23",
    "TRP": "CB:HB2,HB3 CG CD1:HD1 CD2 NE1:HE1 CE2 CE3:HE3 CZ2:HZ2 CZ3:HZ3 CH2:HH2",
    "TYR": "CB:HB2,HB3 CG CD1:HD1 CD2:HD2 CE1:HE1 CE2:HE2 CZ OH:HH",
    "VAL": "CB:HB CG1:HG11,HG12,HG13 CG2:HG21,HG22,HG23",
}
_CAPS = {"ACE": "CH3:H1,H2,H3 C O", "NME": "N:H C:H1,H2,H3"}
# amino acids that dynamics has parameters for beside the twenty, under the names of those
MODIFIED: Mapping[str, tuple[str, str]] = {  # parent, its atoms
    "SEP": ("SER", "N:H CA:HA C O CB:HB2,HB3 OG P O1P O2P O3P"),
    "TPO": ("THR", "N:H CA:HA C O CB:HB OG1 CG2:HG21,HG22,HG23 P O1P O2P O3P"),
    "PTR": ("TYR", "N:H CA:HA C O CB:HB2,HB3 CG CD1:HD1 CD2:HD2 CE1:HE1 CE2:HE2 CZ OH P O1P O2P O3P"),
    "HYP": ("PRO", "N CA:HA C O CB:HB2,HB3 CG:HG OD1:HD1 CD:HD22,HD23"),
}

# what a state changes in its residue: hydrogens by heavy atom
STATES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "ASH": {"OD2": ("HD2",)},
    "GLH": {"OE2": ("HE2",)},
    "HID": {"ND1": ("HD1",), "NE2": ()},
    "HIE": {"ND1": (), "NE2": ("HE2",)},
    "HIP": {"ND1": ("HD1",), "NE2": ("HE2",)},
    "LYN": {"NZ": ("HZ2", "HZ3")},
    "CYX": {"SG": ()},
    "CYM": {"SG": ()},
    "TYM": {"OH": ()},
}
STANDARD_OF: Mapping[str, str] = {
    "ASH": "ASP", "GLH": "GLU", "HID": "HIS", "HIE": "HIS", "HIP": "HIS",
    "LYN": "LYS", "CYX": "CYS", "CYM": "CYS", "TYM": "TYR",
}  # fmt: skip
# the same residues as other programs call them: CHARMM, Gromacs, AMBER
ALIASES: Mapping[str, str] = {
    "HSD": "HID", "HSE": "HIE", "HSP": "HIP", "HISD": "HID", "HISE": "HIE", "HISH": "HIP", "HSC": "HIP",
    "ASPP": "ASH", "GLUP": "GLH", "LSN": "LYN", "LYSN": "LYN", "CYS2": "CYX", "CYSS": "CYX", "CYN": "CYX",
}  # fmt: skip
_OPENEYE = {  # how OpenEye's programs name the atoms of caps
    "ACE": {"C1": "C", "O1": "O", "C2": "CH3", "H2_1": "H1", "H2_2": "H2", "H2_3": "H3"},
    "NME": {"N1": "N", "HN1": "H", "C1": "C", "H1_1": "H1", "H1_2": "H2", "H1_3": "H3"},
}
ATOM_ALIASES: Mapping[str, Mapping[str, str]] = {"ILE": {"CD": "CD1"}, **_OPENEYE}

_DOUBLE = {
    "ASN": "CG=OD1", "ASP": "CG=OD1", "GLN": "CD=OE1", "GLU": "CD=OE1", "ARG": "CZ=NH2",
    "HIE": "CG=CD2 ND1=CE1", "HID": "CG=CD2 CE1=NE2", "HIP": "CG=CD2 ND1=CE1",
    "PHE": "CG=CD1 CE1=CZ CE2=CD2", "TYR": "CG=CD1 CE1=CZ CE2=CD2",
    "TRP": "CG=CD1 CD2=CE2 CE3=CZ3 CZ2=CH2",
    "A": "C8=N7 C4=C5 C6=N1 C2=N3", "G": "C8=N7 C4=C5 C6=O6 C2=N3", "I": "C8=N7 C4=C5 C6=O6 C2=N3",
    "C": "C2=O2 C4=N3 C5=C6", "T": "C2=O2 C4=O4 C5=C6", "U": "C2=O2 C4=O4 C5=C6",
}  # fmt: skip
_CHARGES = {
    "ASP": {"OD2": -1}, "GLU": {"OE2": -1}, "ARG": {"NH2": 1}, "LYS": {"NZ": 1}, "HIP": {"ND1": 1},
    "CYM": {"SG": -1}, "TYM": {"OH": -1},
}  # fmt: skip
_AROMATIC = {
    "PHE": "CG CD1 CD2 CE1 CE2 CZ", "TYR": "CG CD1 CD2 CE1 CE2 CZ",
    "TRP": "CG CD1 CD2 CE2 CE3 CZ2 CZ3 CH2", "HIS": "CG CD2 CE1",
}  # fmt: skip
_FLAT = {
    "ARG": "NE CZ NH1 NH2", "ASN": "CG ND2", "GLN": "CD NE2", "HIS": "CG ND1 CD2 CE1 NE2",
    "TRP": "CG CD1 CD2 NE1 CE2 CE3 CZ2 CZ3 CH2", "PHE": "CG CD1 CD2 CE1 CE2 CZ", "TYR": "CG CD1 CD2 CE1 CE2 CZ OH",
    "ASP": "CG OD2", "GLU": "CD OE2",
}  # fmt: skip

NAMES = frozenset(_SIDE)
_BASES = {  # the hydrogens on nitrogen, which docking sees
    "A": "N6:H61,H62", "C": "N4:H41,H42", "G": "N1:H1 N2:H21,H22", "T": "N3:H3", "U": "N3:H3", "I": "N1:H1",
}  # fmt: skip
_BASE_OF = {**{base: base for base in _BASES}, **{f"D{base}": base for base in _BASES}}
NUCLEOTIDES = frozenset(_BASE_OF)  # of RNA and of DNA, as the Data Bank has them
HYDROXYLS: Mapping[str, tuple[str, ...]] = {  # of a nucleotide, where no phosphate follows
    name: (f"H{name}",) for name in ("O2'", "O3'", "O5'")
}
_FOREIGN_BASES = {  # as Amber and CHARMM call them
    **{f"{kind}{base}{end}": base for kind in ("", "D", "R") for base in _BASES for end in ("", "3", "5", "N")},
    "ADE": "A", "CYT": "C", "GUA": "G", "THY": "T", "URA": "U",
}  # fmt: skip
_NUCLEIC_ATOMS = {"O1P": "OP1", "O2P": "OP2", "O3P": "OP3", "O5T": "O5'", "O3T": "O3'", "C5M": "C7"}


def standard(resname: str) -> str:
    """The parent residue of a state or alias: HSE -> HIS. Other names come back as they are."""
    state = ALIASES.get(resname, resname)
    return STANDARD_OF.get(state, state)


def nucleotide(resname: str, names: Iterable[str]) -> tuple[str, dict[str, str]] | None:
    """A nucleotide's name and its atoms' as the Data Bank has them, whichever program wrote it; None if it is none."""
    now = {name: name.replace("*", "'") for name in names}
    now = {name: _NUCLEIC_ATOMS.get(plain, plain) for name, plain in now.items()}
    if resname not in _FOREIGN_BASES or "C1'" not in now.values():
        return None
    if resname in NUCLEOTIDES:
        return resname, now
    base = _FOREIGN_BASES[resname]
    return (base if "O2'" in now.values() else f"D{base}"), now


def named_state(resname: str) -> str:
    """The state that a residue's name itself tells (HSD -> HID), or "" for a plain name."""
    state = ALIASES.get(resname, resname)
    return state if state in STATES else ""


@lru_cache(maxsize=256)
def hydrogens(resname: str, state: str = "") -> Mapping[str, tuple[str, ...]]:
    """Heavy atoms of a residue inside a chain -> the hydrogens each carries; of a nucleotide those of its base."""
    if resname in _BASE_OF:
        return _parsed(_BASES[_BASE_OF[resname]])
    if resname in _CAPS:
        return _parsed(_CAPS[resname])
    if resname in MODIFIED:
        return _parsed(MODIFIED[resname][1])
    backbone = (
        "N CA:HA C O" if resname == "PRO" else "N:H CA:HA2,HA3 C O" if resname == "GLY" else "N:H CA:HA C O"
    )
    return {**_parsed(f"{backbone} {_SIDE[resname]}"), **STATES.get(state, {})}


@lru_cache(maxsize=256)
def double_bonds(resname: str, state: str = "") -> tuple[tuple[str, str], ...]:
    """Pairs of atoms joined by a double bond, in one Kekulé structure; none of an unknown residue."""
    base = _BASE_OF.get(resname)
    if base:
        first = ("P", "OP1")
    elif resname in NAMES or resname == "ACE":
        first = ("C", "O")
    else:
        return ()
    key = base or (state if state in _DOUBLE else {"HIS": "HIE"}.get(resname, resname))
    pairs = (pair.split("=") for pair in _DOUBLE.get(key, "").split())
    return (first, *((one, other) for one, other in pairs))


def charges(resname: str, state: str = "") -> Mapping[str, int]:
    """Formal charges by atom, where not zero."""
    if resname in _BASE_OF:
        return {"OP2": -1, "OP3": -1}
    if state in ("ASH", "GLH", "LYN"):
        return {}
    return _CHARGES.get(state if state in _CHARGES else resname, {})


def aromatic(resname: str) -> frozenset[str]:
    """Carbon atoms in aromatic rings."""
    if resname in NUCLEOTIDES:
        return frozenset({"C2", "C4", "C5", "C6", "C8"})
    return frozenset(_AROMATIC.get(_parent(resname), "").split())


def flat(resname: str) -> frozenset[str]:
    """Atoms whose bonds lie in one plane."""
    if resname in NUCLEOTIDES:
        return frozenset({"N1", "N2", "N3", "N4", "N6"})
    backbone = {"N", "C"} if resname not in _CAPS else {"N"} if resname == "NME" else {"C"}
    return frozenset(_FLAT.get(_parent(resname), "").split()) | backbone


def _parent(resname: str) -> str:
    return MODIFIED[resname][0] if resname in MODIFIED else resname


def _parsed(text: str) -> dict[str, tuple[str, ...]]:
    parts = (part.partition(":") for part in text.split())
    return {atom: tuple(names.split(",")) if names else () for atom, _, names in parts}
