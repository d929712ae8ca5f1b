"""What is a standard residue made of, in each of its protonation states?

Names of hydrogens are those of the Protein Data Bank, names of states those of
Amber: HID, HIE and HIP are the three histidines, ASH and GLH the neutral acids,
LYN the neutral lysine, CYX the disulfide, CYM and TYM the anions.
"""

from __future__ import annotations

from collections.abc import Mapping
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
ATOM_ALIASES: Mapping[tuple[str, str], str] = {
    ("ILE", "CD"): "CD1",
    **{(cap, theirs): ours for cap, names in _OPENEYE.items() for theirs, ours in names.items()},
}

_DOUBLE = {
    "ASN": "CG=OD1", "ASP": "CG=OD1", "GLN": "CD=OE1", "GLU": "CD=OE1", "ARG": "CZ=NH2",
    "HIE": "CG=CD2 ND1=CE1", "HID": "CG=CD2 CE1=NE2", "HIP": "CG=CD2 ND1=CE1",
    "PHE": "CG=CD1 CE1=CZ CE2=CD2", "TYR": "CG=CD1 CE1=CZ CE2=CD2",
    "TRP": "CG=CD1 CD2=CE2 CE3=CZ3 CZ2=CH2",
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


def standard(resname: str) -> str:
    """The parent residue of a state or alias: HSE -> HIS. Other names come back as they are."""
    state = ALIASES.get(resname, resname)
    return STANDARD_OF.get(state, state)


def named_state(resname: str) -> str:
    """The state that a residue's name itself tells (HSD -> HID), or "" for a plain name."""
    state = ALIASES.get(resname, resname)
    return state if state in STATES else ""


@lru_cache(maxsize=256)
def hydrogens(resname: str, state: str = "") -> Mapping[str, tuple[str, ...]]:
    """Heavy atoms of a residue inside a chain -> the hydrogens each carries."""
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
    """Pairs of atoms joined by a double bond, in one Kekulé structure."""
    key = state if state in _DOUBLE else {"HIS": "HIE"}.get(resname, resname)
    pairs = tuple(tuple(pair.split("=")) for pair in _DOUBLE.get(key, "").split())
    return (("C", "O"), *((first, second) for first, second in pairs)) if resname != "NME" else ()


def charges(resname: str, state: str = "") -> Mapping[str, int]:
    """Formal charges by atom, where not zero."""
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


_BASES = {
    "A": "N6:H61,H62",
    "C": "N4:H41,H42",
    "G": "N1:H1 N2:H21,H22",
    "T": "N3:H3",
    "U": "N3:H3",
    "I": "N1:H1",
}
# of RNA and of DNA: the hydrogens on nitrogen and on the sugar's hydroxyl, which docking sees
NUCLEOTIDES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    **{base: _parsed(f"{polar} O2':HO2'") for base, polar in _BASES.items()},
    **{f"D{base}": _parsed(polar) for base, polar in _BASES.items()},
}
