"""Which bonds does a medicinal chemist make, and from what?

Some thirty reactions that fill most medicinal chemistry notebooks, each written twice:
forward, as the flask sees it, and backward, as a planner does. The backward pattern may
be generous, because nothing is believed that the forward one does not make again from
the very same blocks.

References
----------
.. [1] S. D. Roughley, A. M. Jordan, J. Med. Chem. 54 (2011) 3451, doi:10.1021/jm200187y: which
   reactions these are, by count.
.. [2] D. G. Brown, J. Bostrom, J. Med. Chem. 59 (2016) 4443, doi:10.1021/acs.jmedchem.5b01409.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import permutations

from rdkit import Chem
from rdkit.Chem import rdChemReactions

from discovery.molecule import quiet_rdkit

MOST_PRODUCTS = 64  # of one reaction on one set of blocks; symmetric blocks give many equal ones

AMINE = "$([NX3;H1,H2;!$(N~[!#6]);!$(N[#6]=[O,S,N]);!$(NC#*);!$(N[#6]=[#6])])"  # free, anilines among them
ALIPHATIC = AMINE[:-2] + ";!$(N[#6;a])])"
AMINO = "NX3;+0;!$(N~[!#6;!S]);!$(N[#6]=[S,N]);!$(NC#*)"  # the same nitrogen once it has reacted
ALKYL = "CX4;H2,H3;!$(C[!#6;!Br;!Cl;!I;!N;!O;!n;!S])"


@dataclass(frozen=True)
class Reaction:
    """One way to make bonds.

    `forward` has one or two reactants; `backward` is its product side read the other way.
    """

    name: str
    forward: str
    backward: str

    @cached_property
    def makes(self) -> rdChemReactions.ChemicalReaction:
        return _compiled(self.forward)

    @cached_property
    def undoes(self) -> rdChemReactions.ChemicalReaction:
        return _compiled(self.backward)

    @property
    def blocks(self) -> int:
        return int(self.makes.GetNumReactantTemplates())


def _two(name: str, first: str, second: str, product: str, cut: str, left: str, right: str) -> Reaction:
    return Reaction(name, f"{first}.{second}>>{product}", f"{cut}>>{left}.{right}")


REACTIONS: tuple[Reaction, ...] = (
    _two("amide coupling", "[CX3;$(C[#6]):1](=[OX1:2])[OX2H]", f"[{AMINE}:3]", "[C:1](=[O:2])[N:3]",
         f"[CX3;$(C[#6]):1](=[OX1:2])!@[{AMINO};!$(N(C=O)C=O):3]", "[C:1](=[O:2])O", "[N:3]"),
    _two("sulfonamide formation", "[SX4;$(S(=O)(=O)[#6]):1][Cl]", f"[{AMINE}:2]", "[S:1][N:2]",
         "[SX4;$(S(=O)(=O)[#6]):1]!@[NX3;+0;!$(N~[!#6;!S]);!$(N[#6]=[O,S,N]):2]", "[S:1]Cl", "[N:2]"),
    _two("urea formation", f"[{AMINE}:1]", f"[{ALIPHATIC}:2]", "[N:1]C(=O)[N:2]",
         "[NX3;!$(N~[!#6]):1]!@[CX3](=[OX1])!@[NX3;!$(N~[!#6]);!$(N[#6;a]):2]", "[N:1]", "[N:2]"),
    _two("reductive amination", "[CX3;!$(C[!#6;!#1]);!$(C([#6;a])[#6;a]):1]=[OX1]", f"[{ALIPHATIC}:2]", "[C:1][N:2]",
         "[CX4;H1,H2;$(C[#6]);!$(C(N)[!#6;!#1]);!$(C(N)N):1]!@[NX3;+0;!$(N~[!#6]);!$(N[#6]=[O,S,N]);!$(N[#6;a]):2]",
         "[C:1]=O", "[N:2]"),
    _two("Suzuki coupling", "[c:1][Br,I,Cl]", "[c:2]B([OX2H])[OX2H]", "[c:1]-[c:2]",
         "[c:1]!@-[c:2]", "[c:1]Br", "[c:2]B(O)O"),
    _two("Buchwald-Hartwig amination", "[c:1][Br,I]", f"[{AMINE}:2]", "[c:1][N:2]",
         "[c:1]!@[NX3;+0;!$(N~[!#6]);!$(N[#6]=[O,S,N]):2]", "[c:1]Br", "[N:2]"),
    _two("aromatic substitution by an amine", "[c;$(c(~n)),$(c1ccccc1[N+](=O)[O-]),$(c1ccc([N+](=O)[O-])cc1):1][F,Cl]",
         f"[{AMINE}:2]", "[c:1][N:2]",
         "[c;$(c~n),$(c1ccccc1[N+](=O)[O-]),$(c1ccc([N+](=O)[O-])cc1):1]!@[NX3;+0;!$(N~[!#6]);!$(N[#6]=[O,S,N]):2]",
         "[c:1]Cl", "[N:2]"),
    _two("aromatic substitution by an alcohol", "[c;$(c(~n)):1][F,Cl]", "[OX2H;$(O[CX4]):2]", "[c:1][O:2]",
         "[c;$(c~n):1]!@[OX2;$(O[CX4]):2]", "[c:1]Cl", "[OH:2]"),
    _two("ether from a phenol", f"[{ALKYL}:1][Br,Cl,I]", "[OX2H;$(O[#6;a]):2]", "[C:1][O:2]",
         "[CX4;H2,H3:1]!@[OX2;$(O[#6;a]):2]", "[C:1]Br", "[OH:2]"),
    _two("Mitsunobu ether", "[CX4;H1;$(C([#6])[#6]):1][OX2H]", "[OX2H;$(O[#6;a]):2]", "[C:1][O:2]",
         "[CX4;H1;$(C([#6])[#6]):1]!@[OX2;$(O[#6;a]):2]", "[C:1]O", "[OH:2]"),
    _two("alkylation of an amine", f"[{ALKYL}:1][Br,Cl,I]", f"[{ALIPHATIC};H1:2]", "[C:1][N:2]",
         "[CX4;H2,H3;!$(C[!#6;!N]):1]!@[NX3;H0;+0;!$(N~[!#6]);!$(N[#6]=[O,S,N]);!$(N[#6;a]):2]", "[C:1]Br", "[N:2]"),
    _two("alkylation of an azole", f"[{ALKYL}:1][Br,Cl,I]", "[nX3;H1:2]", "[C:1][n:2]",
         "[CX4;H2,H3;!$(C(n)[!#6]):1]!@[nX3;+0:2]", "[C:1]Br", "[nH:2]"),
    _two("thioether formation", f"[{ALKYL}:1][Br,Cl,I]", "[SX2H;$(S[#6]):2]", "[C:1][S:2]",
         "[CX4;H2,H3:1]!@[SX2;$(S[#6;a]):2]", "[C:1]Br", "[SH:2]"),
    _two("Sonogashira coupling", "[c:1][Br,I]", "[CX2H1:2]#[CX2:3]", "[c:1][C:2]#[C:3]",
         "[c:1]!@[CX2:2]#[CX2:3]", "[c:1]Br", "[CH:2]#[C:3]"),
    _two("azide-alkyne cycloaddition", "[CX4;$(C[#6]):1][NX2:2]=[NX2+:3]=[NX1-:4]", "[CX2H1:5]#[CX2:6]",
         "[C:1]-[n;+0:2]1[n;+0:3][n;+0:4][c:6][cH:5]1",
         "[CX4:1]-[n:2]1[n:3][n:4][c:6][cH:5]1", "[C:1][N;+0:2]=[N;+1:3]=[N;-1:4]", "[CH:5]#[C:6]"),
    _two("ester formation", "[CX3;$(C[#6]):1](=[OX1:2])[OX2H]", "[OX2H;$(O[CX4]):3]", "[C:1](=[O:2])[O:3]",
         "[CX3;$(C[#6]):1](=[OX1:2])!@[OX2;$(O[CX4]):3]", "[C:1](=[O:2])O", "[OH:3]"),
    _two("carbamate formation", "[OX2H;$(O[CX4]):1]", f"[{AMINE}:2]", "[O:1]C(=O)[N:2]",
         "[OX2;$(O[CX4]):1]!@[CX3](=[OX1])!@[NX3;!$(N~[!#6]):2]", "[OH:1]", "[N:2]"),
    _two("benzimidazole formation", "[CX3;$(C[#6]):1](=O)[OX2H]", "[NX3;H2:2][c:3][c:4][NX3;H2:5]",
         "[c:1]1[n;H0:2][c:3][c:4][nH:5]1",
         "[c;$(c[#6]):1]1[nX2:2][c:3][c:4][nX3;H1:5]1", "[C:1](=O)O", "[NH2:2][c:3][c:4][NH2:5]"),
    _two("N-substituted benzimidazole formation", "[CX3;$(C[#6]):1](=O)[OX2H]",
         "[NX3;H2:2][c:3][c:4][NX3;H1;$(N[#6]):5]", "[c:1]1[n;H0:2][c:3][c:4][n;H0:5]1",
         "[c;$(c[#6]):1]1[nX2:2][c:3][c:4][nX3;H0:5]1", "[C:1](=O)O", "[NH2:2][c:3][c:4][NH:5]"),
    _two("Hantzsch thiazole formation", "[CX3;$(C([#6])=O):1](=O)[CX4;H2,H1:2][Br,Cl]", "[SX1:3]=[CX3:4][NX3;H2:5]",
         "[c:1]1[c:2][s:3][c:4][n:5]1",
         "[c;$(c[#6]):1]1[c:2][sX2:3][c:4][nX2:5]1", "[C:1](=O)[C:2]Br", "[S:3]=[C:4][NH2:5]"),
    Reaction("Boc removal", "[NX3;+0;!$(N[#6;a]):1]C(=O)OC(C)(C)C>>[N:1]",
             "[NX3;H1,H2;+0;!$(N~[!#6]);!$(N[#6]=[O,S,N]);!$(N[#6;a]):1]>>[N:1]C(=O)OC(C)(C)C"),
    Reaction("ester hydrolysis", "[CX3;$(C[#6]):1](=[OX1:2])O[CH3]>>[C:1](=[O:2])O",
             "[CX3;$(C[#6]):1](=[OX1:2])[OX2H]>>[C:1](=[O:2])OC"),
    Reaction("nitro reduction", "[c:1][NX3+](=O)[O-]>>[c:1]N", "[c:1][NX3H2]>>[c:1][N+](=O)[O-]"),
    Reaction("nitrile reduction", "[CX2;$(C[#6]):1]#[NX1:2]>>[C:1][N:2]",
             "[CX4;H2;$(C[#6]):1][NX3H2:2]>>[C:1]#[N:2]"),
    Reaction("ketone reduction", "[CX3;$(C([#6])[#6]):1]=[OX1:2]>>[C:1][O:2]",
             "[CX4;H1;$(C([#6])[#6]):1][OX2H:2]>>[C:1]=[O:2]"),
)  # fmt: skip


def named(name: str) -> Reaction:
    """One of REACTIONS."""
    return {reaction.name: reaction for reaction in REACTIONS}[name]


def run(reaction: Reaction, blocks: Sequence[Chem.Mol]) -> list[str]:
    """Canonical SMILES of every product, whichever block takes whichever part; sorted, each once."""
    found: set[str] = set()
    with quiet_rdkit():
        for order in permutations(blocks):
            for (product,) in reaction.makes.RunReactants(order, maxProducts=MOST_PRODUCTS):
                smiles = _clean(product)
                if smiles is not None:
                    found.add(smiles)
    return sorted(found)


def undo(mol: Chem.Mol) -> Iterator[tuple[Reaction, tuple[str, ...]]]:
    """Every reaction that could have been the last, with the canonical SMILES of its blocks.

    Not yet checked forward; `makes` does.
    """
    for reaction in REACTIONS:
        seen: set[tuple[str, ...]] = set()
        with quiet_rdkit():
            outcomes = reaction.undoes.RunReactants((mol,), maxProducts=MOST_PRODUCTS)
            for outcome in outcomes:
                blocks = tuple(_clean(block) for block in outcome)
                if any(block is None for block in blocks):
                    continue
                whole = tuple(str(block) for block in blocks)
                if whole not in seen:
                    seen.add(whole)
                    yield reaction, whole


@cache
def _compiled(smarts: str) -> rdChemReactions.ChemicalReaction:
    reaction = rdChemReactions.ReactionFromSmarts(smarts)
    reaction.Initialize()
    return reaction


def _clean(mol: Chem.Mol) -> str | None:
    """None for what breaks a rule of valence or falls into pieces."""
    try:
        Chem.SanitizeMol(mol)
    except (Chem.KekulizeException, Chem.AtomValenceException, Chem.AtomKekulizeException):
        return None
    smiles = str(Chem.MolToSmiles(mol))
    return None if "." in smiles else smiles
