"""How long are the bonds of a residue's side chain, and how does it like to turn?

Each heavy atom of a side chain hangs on three others of its residue: so far from the third, at such an angle to
the second and third, at such a torsion about them. Torsions of bonds that turn carry the shares of the rotamers.
Medians and shares over 13,000 complete residues of 60 crystal structures (degrado-lab/PoseBusters-Benchmark
@ 51a7fc3, MIT), one of equal residues; of proline those of one pucker. Used by rebuilding.py.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

# atom, the three it hangs on, Å, degrees, degrees; with * the bond turns: degrees:share of each rotamer
_TABLE = {
    "ALA": """
        CB C N CA 1.526 110.2 -122.8
    """,
    "ARG": """
        CB C N CA 1.53 110.4 -122.7
        CG N CA CB 1.521 113.8 * 65:0.091 -178:0.344 -66:0.565
        CD CA CB CG 1.52 111.9 * 66:0.076 -180:0.804 -71:0.12
        NE CB CG CD 1.459 111.8 * 66:0.241 -179:0.485 -63:0.274
        CZ CG CD NE 1.329 124.6 * -171:0.181 -136:0.051 -101:0.109 -84:0.17 -54:0.003 -15:0.001 15:0.001 45:0.001 81:0.135 98:0.112 139:0.054 170:0.184
        NH1 CD NE CZ 1.326 120.5 0
        NH2 NH1 NE CZ 1.327 119.7 -180
    """,
    "ASN": """
        CB C N CA 1.53 110.7 -123.2
        CG N CA CB 1.514 112.6 * 65:0.119 -171:0.32 -69:0.561
        OD1 CA CB CG 1.231 120.8 * -173:0.003 -134:0.011 -98:0.035 -73:0.113 -44:0.204 -19:0.267 16:0.127 45:0.09 72:0.053 110:0.036 129:0.049 159:0.011
        ND2 OD1 CB CG 1.327 116.5 180
    """,
    "ASP": """
        CB C N CA 1.53 110.6 -122.8
        CG N CA CB 1.519 113 * 62:0.169 -172:0.308 -69:0.523
        OD1 CA CB CG 1.25 118.7 * -70:0.075 -42:0.164 -15:0.451 12:0.18 46:0.061 72:0.07
        OD2 OD1 CB CG 1.25 117.9 -179.9
    """,
    "CYS": """
        CB C N CA 1.528 110.5 -122.3
        SG N CA CB 1.808 113.4 * 62:0.155 -178:0.275 -67:0.569
    """,
    "GLN": """
        CB C N CA 1.529 110.3 -122.8
        CG N CA CB 1.521 113.8 * 63:0.066 -177:0.288 -66:0.646
        CD CA CB CG 1.514 112.6 * 67:0.147 178:0.647 -65:0.206
        OE1 CB CG CD 1.232 121 * -153:0.008 -126:0.019 -106:0.032 -70:0.088 -47:0.166 -15:0.168 18:0.199 44:0.156 72:0.064 103:0.06 130:0.021 164:0.019
        NE2 OE1 CG CD 1.328 116.4 -179.9
    """,
    "GLU": """
        CB C N CA 1.53 110.3 -122.8
        CG N CA CB 1.52 113.8 * 63:0.091 -178:0.323 -67:0.586
        CD CA CB CG 1.519 113.3 * 75:0.161 179:0.638 -70:0.201
        OE1 CB CG CD 1.251 118.6 * -72:0.086 -43:0.154 -11:0.286 12:0.289 42:0.109 73:0.077
        OE2 OE1 CG CD 1.25 118.2 -180
    """,
    "GLY": "",
    "HIS": """
        CB C N CA 1.531 110.4 -122.9
        CG N CA CB 1.494 113.7 * 64:0.096 -177:0.386 -66:0.518
        ND1 CA CB CG 1.379 122.6 * -169:0.043 -131:0.029 -102:0.109 -76:0.318 -50:0.063 -17:0.013 25:0.011 55:0.031 78:0.22 103:0.075 133:0.029 171:0.057
        CD2 ND1 CB CG 1.354 131.2 180
        CE1 CB CG ND1 1.322 109.3 180
        NE2 CB CG CD2 1.374 107.2 -180
    """,
    "ILE": """
        CB C N CA 1.54 111 -123.6
        CG1 N CA CB 1.531 110.7 * 62:0.117 -169:0.094 -63:0.789
        CG2 CG1 CA CB 1.525 110.6 -123.8
        CD1 CA CB CG1 1.515 113.9 * 70:0.058 170:0.754 -61:0.188
    """,
    "LEU": """
        CB C N CA 1.529 110.1 -122.4
        CG N CA CB 1.528 115.7 * 63:0.008 -179:0.319 -66:0.673
        CD1 CA CB CG 1.521 110.5 * 62:0.333 175:0.654 -63:0.013
        CD2 CD1 CB CG 1.522 110.7 123
    """,
    "LYS": """
        CB C N CA 1.53 110.4 -122.6
        CG N CA CB 1.522 114.3 * 67:0.065 -178:0.333 -66:0.602
        CD CA CB CG 1.521 111.9 * 68:0.065 180:0.761 -66:0.175
        CE CB CG CD 1.519 111.8 * 71:0.133 -180:0.736 -71:0.132
        NZ CG CD CE 1.489 111.7 * 66:0.163 -180:0.66 -67:0.177
    """,
    "MET": """
        CB C N CA 1.53 110.5 -122.4
        CG N CA CB 1.518 113.6 * 70:0.05 -176:0.327 -67:0.623
        SD CA CB CG 1.807 112.7 * 64:0.167 -180:0.558 -62:0.275
        CE CB CG SD 1.791 100.7 * 72:0.444 -179:0.17 -69:0.387
    """,
    "PHE": """
        CB C N CA 1.531 110.5 -122.8
        CG N CA CB 1.504 113.8 * 65:0.074 -180:0.404 -68:0.522
        CD1 CA CB CG 1.386 120.7 * -80:0.368 -48:0.072 -17:0.038 9:0.034 51:0.062 79:0.426
        CD2 CD1 CB CG 1.386 120.6 179.9
        CE1 CB CG CD1 1.387 120.8 179.9
        CE2 CB CG CD2 1.387 120.8 -180
        CZ CG CD1 CE1 1.379 120 -0
    """,
    "PRO": """
        CB C N CA 1.534 103.3 -119.9
        CG N CA CB 1.5 104.3 26.4
        CD CA CB CG 1.512 105.6 -34.1
    """,
    "SER": """
        CB C N CA 1.528 110.5 -122.6
        OG N CA CB 1.417 110.9 * 67:0.488 177:0.218 -64:0.294
    """,
    "THR": """
        CB C N CA 1.532 110.9 -122.7
        OG1 N CA CB 1.432 109.3 * 62:0.488 -175:0.074 -60:0.438
        CG2 OG1 CA CB 1.519 111.2 -121
    """,
    "TRP": """
        CB C N CA 1.532 110.4 -122.7
        CG N CA CB 1.498 113.9 * 62:0.127 -178:0.345 -69:0.527
        CD1 CA CB CG 1.366 127.1 * -165:0.002 -126:0.024 -101:0.164 -83:0.099 -40:0.021 -13:0.083 10:0.073 43:0.015 83:0.187 100:0.311 126:0.018 165:0.002
        CD2 CD1 CB CG 1.433 126.6 -179.8
        NE1 CB CG CD1 1.374 110.1 -180
        CE2 CB CG CD2 1.41 107.2 180
        CE3 CE2 CG CD2 1.399 133.9 180
        CZ2 CG CD2 CE2 1.394 122.4 180
        CZ3 CG CD2 CE3 1.383 118.7 -179.9
        CH2 CD2 CE2 CZ2 1.37 117.4 0
    """,
    "TYR": """
        CB C N CA 1.53 110.4 -122.8
        CG N CA CB 1.51 113.7 * 64:0.108 -179:0.383 -67:0.508
        CD1 CA CB CG 1.388 120.9 * -79:0.412 -50:0.077 -21:0.039 19:0.023 53:0.046 78:0.402
        CD2 CD1 CB CG 1.388 120.9 179.9
        CE1 CB CG CD1 1.385 121.2 179.9
        CE2 CB CG CD2 1.385 121.2 -179.9
        CZ CG CD1 CE1 1.381 119.6 -0
        OH CD1 CE1 CZ 1.375 119.9 180
    """,
    "VAL": """
        CB C N CA 1.54 111.2 -123.5
        CG1 N CA CB 1.522 110.8 * 65:0.064 174:0.745 -61:0.19
        CG2 CG1 CA CB 1.522 110.7 123.4
    """,
}


class Hang(NamedTuple):
    """Where an atom hangs."""

    name: str
    on: tuple[str, str, str]  # so that name is bonded to the last
    length: float  # Å to the last
    angle: float  # degrees at the last, to the one before it
    torsion: float  # degrees about the last two, from the first; of bonds that turn the commonest
    rotamers: tuple[tuple[float, float], ...]  # degrees and share; empty where the bond does not turn


@lru_cache(maxsize=32)
def hangs(resname: str) -> tuple[Hang, ...]:
    """The side chain of a standard residue, nearest the backbone first."""
    found = []
    for line in _TABLE[resname].strip().splitlines():
        name, a, b, c, length, angle, *turn = line.split()
        pairs = [pair.split(":") for pair in turn[1:]]
        rotamers = tuple((float(at), float(share)) for at, share in pairs)
        torsion = max(rotamers, key=lambda one: one[1])[0] if rotamers else float(turn[0])
        found.append(Hang(name, (a, b, c), float(length), float(angle), torsion, rotamers))
    return tuple(found)
