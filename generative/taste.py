"""What would a chemist strike out at a glance?

Too heavy or too light; what could not be taken by mouth; what falls apart in water or on the
shelf, reacts with whatever protein is nearest, or is bent as no flask holds it.
"""

from __future__ import annotations

from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

AMINE = "[NX3;R;!$(N-[C,S,P]=[O,S,N]);!$(N-a)]"  # in a ring, its lone pair free
BRIDGE = 12  # atoms of a ring that may reach over an aromatic one without bending it: macrocycles do

UNSTABLE = {
    name: Chem.MolFromSmarts(smarts)
    for name, smarts in {
        "peroxide or disulfide": "[O,S]-[O,S;X2]",
        "hydrazine or hydroxylamine": "[NX3;!$(N-[a,C,S]=,:*)]-[NX3,OX2;!R]",
        "chain of heteroatoms": "[#7,#8;!a]~[#7,#8;!a]~[#7,#8;!a;!$([O]~[N+])]",
        "heteroatom-halogen": "[#7,#8,#16]-[F,Cl,Br,I]",
        "nitrogen-sulfur(II)": "[#7;!a]-[SX2;!R]",
        "acyclic acetal, aminal or thioacetal": "[CX4;!R]([#7,OX2,SX2])[#7,OX2,SX2]",
        "ring carbon with two free heteroatoms": "[CX4;R](-!@[NX3,OX2,SX2])[NX3,OX2,SX2]",
        "cyclic aminal of amines": f"{AMINE}-[CX4;R]-[$({AMINE}),$([OX2;R])]",
        "three-membered ring with a heteroatom": "[#7,#8,#16]1[#6][#6]1",
        "alkyl halide": "[CX4]-[Cl,Br,I]",
        "acyl or sulfonyl halide": "[C,S](=O)-[F,Cl,Br,I]",
        "anhydride": "C(=O)-[O,S]-C=O",
        "sulfonate ester": "S(=O)(=O)-[OX2]-[#6]",
        "alkoxide or enolate": "[#6]-[O-]",
        "aldehyde": "[CX3;H1](=O)-[#6]",
        "carbamic or carbonic acid": "[#7,#8,#16]-C(=[O,S])-[OX2;H1]",
        "thioaldehyde or thioketone": "[CX3;!$(C-[#7,#8,#16])]=[SX1]",
        "enol or primary enamine": "[C;!a]=[C;!a]-[OX2H1,NX3H2]",
        "enamine": "[C;!a;!$(C-[C,S,N+,P]=[O,S,N]);!$(C-C#N);!$(C-[S+]-[O-])]=[C;!a]-[NX3+0;!$(N-[C,S,N,P]=[O,S,N]);!$(N-C#N);!$(N(-a)-C=C-C=C);!$(N(-a)-C(=C)-[a,$(C=O)])]",
        "imine": "[CX3;!$(C-[#7,#8,#16])]=[NX2;!R]",
        "imine where the amine is the stable form": "[c;$(c:[nH]),$(c:a:a:[nH])]=[NX2;!R]",
        "formamidine": "[CX3H1;!R](=[NX2])-[NX3;!$(N-[C,S]=O)]",
        "alkyl or acyl azo compound": "[NX2;!R]=[NX2;!R]-[C,S]",
        "nitroso compound": "[#6]-[NX2]=[OX1]",
        "diyne": "C#C-C#C",
        "acyl cyanide or cyanamide": "[$([CX3]=[O,S]),$([#7]-[C,S]=O),$(n:c=O)]-C#N",
        "ynamine or ynol ether": "[NX3,OX2;!$(N-[C,S]=O)]-C#C",
        "isocyanate, allene or diazo": "*=[C,N+]=*",
        "thiol": "[SX2;H1]",
        "acyclic imide": "[CX3;!R](=O)-[NX3;!R]-[CX3;!R]=O",
        "acyl sulfonamide without NH": "[NX3;!R;H0](-[#6;!$(C=O)])(-[CX3]=O)-S(=O)=O",
        "phenol ester": "[#6]-C(=O)-O-[c]",
        "nitroalkene": "[C;!a]=[C;!a]-[N+](=O)[O-]",
        "vinyl carbonyl": "[CX3H2]=[CX3]-C=O",
        "acyl or sulfinyl on a pyrrole-type nitrogen": "[n;R]-[$(C(=O)[#6]),$([SX3]=O),$([S+]-[O-])]",
        "N-hydroxy amine": "[NX3;!$(N-C=[O,S,N]);!$(N-S=O)]-[OX2H1]",
        "imidate": "[NX2H1]=[CX3]-[OX2]",
        "imidic acid where the amide is the stable form": "[OX2H1]-[CX3;!a]=[NX2]",
        "formimidate": "[CX3H1;!R](=[NX2])-[#8,#16]",
        "phosphorus(III) or P-H": "[$([#15;v3]),$([#15;!H0])]",
        "isocyanide": "[C-]#[N+]",
        "fluorine beside a hydroxy group or an amine": "[CX4;!$(C(F)(F)F)](F)-[OX2H1,NX3]",
        "amine beside a sulfone": "[NX3;!$(N-[C,S]=[O,S]);!$(N-a)]-[CX4]-S(=O)=O",
        "cyanohydrin or aminonitrile": "[OX2H1,NX3;!$(N-[C,S]=[O,S]);!$(N-a)]-[CX4]-C#N",
        "free N-sulfonyl leaving group": "[CX4]-S(=O)(=O)-[CX4]-[#7,#8]",
    }.items()
}


def objection(mol: Chem.Mol, min_weight: float, max_weight: float, *, taste: bool = True) -> str | None:
    """What speaks against a molecule: its size; with taste, that it is not stable or could not be taken by mouth."""
    if not min_weight <= rdMolDescriptors.CalcExactMolWt(mol) <= max_weight:
        return "too light or too heavy"
    if not taste:
        return None
    if rdMolDescriptors.CalcNumRings(mol) < 1:
        return "without a ring"
    if rdMolDescriptors.CalcNumRotatableBonds(mol) > 10:
        return "with more than 10 rotatable bonds"
    if rdMolDescriptors.CalcNumHBD(mol) > 4 or rdMolDescriptors.CalcTPSA(mol) > 140:
        return "too polar"
    if not -1.0 <= rdMolDescriptors.CalcCrippenDescriptors(mol)[0] <= 5.5:
        return "of logP below -1 or above 5.5"
    return unstable(mol)


def unstable(mol: Chem.Mol) -> str | None:
    """The first unstable or reactive group found, by name; None where there is none."""
    found = next((name for name, query in UNSTABLE.items() if mol.HasSubstructMatch(query)), None)
    return found or ("bent aromatic ring" if bent(mol) else None)


def bent(mol: Chem.Mol) -> bool:
    """Is an aromatic ring bridged between atoms that are not neighbours, by a chain too short to leave it flat?"""
    rings = [set(ring) for ring in mol.GetRingInfo().AtomRings()]
    flat_ones = [r for r in rings if len(r) < 8 and all(mol.GetAtomWithIdx(a).GetIsAromatic() for a in r)]
    return any(
        2 < len(one & other) < len(one) and len(other) < BRIDGE for one in flat_ones for other in rings
    )
