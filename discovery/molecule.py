"""One molecule, one identity, parsed once.

A `Molecule` is its standardised isomeric SMILES. Two rows that differ only in
salt, in the drawing of a nitro group or in the order of atoms are the same
molecule; tautomers and stereoisomers are not, since they dock differently.

Between processes and files a molecule travels as SMILES or a mol block, never
as an RDKit binary: one flipped byte there ends the interpreter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, lru_cache

from rdkit import Chem, rdBase
from rdkit.Chem.MolStandardize import rdMolStandardize

from discovery.outcome import MoleculeError, Reason

MAX_TEXT = 5_000  # characters; a longer SMILES is no drug, and 10^6 atoms cost 12 s to parse
MAX_ATOMS = 500  # heavy atoms of the fragment that is kept
MIXED_ATOMS, MIXED_SHARE = 12, 0.6  # a second part from this size, and this share of the largest, is no salt
SOLVENT_ATOMS = 7  # up to this size a part that forms no salt is a solvent
ACID, AMINE = "[OX2H][C,S,P]=O", "[NX3;!$(N~[!#6]);!$(NC=[O,S,N]);!$(N[#6;a])]"  # who form salts
MAX_PARTS = 100  # fragments; a hydrate with ten waters has about 15, and thousands cost seconds

ELEMENTS = frozenset({1, 5, 6, 7, 8, 9, 14, 15, 16, 17, 33, 34, 35, 53})  # a kept fragment's
SALT_METALS = frozenset({3, 4, 11, 12, 13, 19, 20, 30, 37, 38, 47, 55, 56, 83})  # Li ... Bi: leave as ions
METALS = SALT_METALS | frozenset(
    {*range(21, 32), *range(39, 51), *range(57, 85), *range(87, 104)} - {33, 34, 51, 52}
)

# Counter-ions that may be larger than the drug they carry, neutral and without stereo.
COUNTER_IONS = frozenset(
    {
        "O=C(O)c1cc2ccccc2c(Cc2c(O)c(C(=O)O)cc3ccccc23)c1O",  # pamoic acid
        "CCCCCCCCCCCCOS(=O)(=O)O",  # lauryl sulfate
        "CCCCCCCCCCCCCCCC(=O)O",  # palmitic acid
        "CCCCCCCCCCCCCCCCCC(=O)O",  # stearic acid
        "CCCCC(CC)COC(=O)CC(C(=O)OCC(CC)CCCC)S(=O)(=O)O",  # docusate
        "O=C(O)C(c1ccccc1)(c1ccccc1)c1ccccc1",  # trifenatate
        "O=C(O)C(O)C(O)C(OC1OC(CO)C(O)C(O)C1O)C(O)CO",  # lactobionic acid
        "O=C(O)C(O)C(O)C(O)C(O)C(O)CO",  # gluceptic acid
        "O=C(O)C(O)C(O)C(O)C(O)CO",  # gluconic acid
        "CNCC(O)C(O)C(O)C(O)CO",  # meglumine
        "O=C(O)CC(O)(CC(=O)O)C(=O)O",  # citric acid
        "O=S(=O)(O)c1ccc2ccccc2c1",  # napsylate
        "O=C(O)c1ccc2ccccc2c1O",  # xinafoate
        "Cc1ccc(S(=O)(=O)O)cc1",  # tosylate
    }
)

# A SMILES of these words alone has no charge but a nitro group's, no label, salt, radical or metal: see `_quick`.
_WORDS = r"Cl|Br|[BCNOPSFIbcnops]|[-=#/\\()%0-9:]|\[(?:nH|C@@?H?|S@@?{})\]"
_NITRO = r"|\[N\+\]\((?:=O\)\[O-\]|\[O-\]\)=O)|O=\[N\+\]\(\[O-\]\)"
_PLAIN = re.compile(f"(?:{_WORDS.format('')}{_NITRO})+")
_TAKEN = re.compile(f"(?:{_WORDS.format('|NH?|NH2|n|OH')}{_NITRO})+")  # and what `_UNCHARGED` writes

# Amines, aromatic nitrogens and carboxylates as most vendors draw them; brackets, so that a hydrogen too few is seen.
_UNCHARGED = {
    "[NH+]": "[N]", "[NH2+]": "[NH]", "[NH3+]": "[NH2]", "[nH+]": "[n]",
    "C(=O)[O-]": "C(=O)[OH]", "O=C([O-])": "O=C([OH])",
}  # fmt: skip
_CHARGED = re.compile("|".join(map(re.escape, _UNCHARGED)))
_SALT = frozenset(("Cl", "Br", "[Cl-]", "[Br-]", "[Na+]", "[K+]", "O"))  # whole parts that go
_BONDS = frozenset({Chem.BondType.SINGLE, Chem.BondType.DOUBLE, Chem.BondType.TRIPLE, Chem.BondType.AROMATIC})


@dataclass(frozen=True, slots=True)
class Molecule:
    """A parsed, standardised molecule. Equal when the SMILES is equal.

    Build it with `Molecule.parse` (any SMILES) or `Molecule.of` (an RDKit molecule);
    the constructor trusts its argument to be standardised already, as when a
    molecule is read back from the ledger.
    """

    smiles: str
    name: str = field(default="", compare=False)  # the user's name for it, for messages and tables

    @classmethod
    def parse(cls, text: str, name: str = "") -> Molecule:
        """Any SMILES -> Molecule.

        The largest organic fragment is kept, counter-ions apart; charges are
        neutralised where protons can do it; functional groups are drawn one way
        (RDKit's MolStandardize). Isotopes stay, atom-map numbers go, and so do the
        coordinates and labels of a CXSMILES tail. Parsing what was parsed changes
        nothing, and neither does the order in which the atoms were written. `name` is the
        user's, for messages and tables.

        Raises
        ------
        MoleculeError
            UNPARSABLE, EMPTY, TOO_LARGE or UNSUPPORTED (a metal complex, a radical,
            a polymer, a bond without an order), naming the text.
        TypeError
            What is given is no text.
        """
        if not isinstance(text, str):
            raise TypeError(
                f"Molecule.parse reads one SMILES, not {_kind(text)}; Molecule.of takes an RDKit molecule, "
                "discovery.intake.molecules a whole list"
            )
        text = text.strip()
        try:
            return cls(_standard_smiles(_readable(text)), name)
        except MoleculeError as error:
            raise MoleculeError(error.reason, f"{name or _shorten(text) or 'the row'} {error}") from error

    @classmethod
    def of(cls, mol: Chem.Mol, name: str = "") -> Molecule:
        """An RDKit molecule -> Molecule; coordinates and hydrogens are not part of the identity.

        Without a `name` it has that of `mol` (its property `_Name`), if there is one.

        Raises
        ------
        MoleculeError, TypeError
            As `parse`.
        """
        if not isinstance(mol, Chem.Mol):
            raise TypeError(
                f"Molecule.of takes an RDKit molecule, not {_kind(mol)}; Molecule.parse reads SMILES"
            )
        name = name or (mol.GetProp("_Name") if mol.HasProp("_Name") else "")
        try:
            with quiet_rdkit():
                _check_atoms(mol)
                try:
                    text = str(Chem.MolToSmiles(Chem.RemoveHs(_without_maps(mol))))
                except (ValueError, RuntimeError):  # RDKit's sanitisation errors; `_standardise` says which
                    text = _standardise(mol)
            return cls(_standard_smiles(text), name)
        except MoleculeError as error:
            raise MoleculeError(error.reason, f"{name or 'the molecule'} {error}") from error

    def mol(self) -> Chem.Mol:
        """A fresh RDKit molecule, the caller's to change."""
        return Chem.Mol(_parsed(self.smiles))

    def look(self) -> Chem.Mol:
        """The RDKit molecule that all who only read share: what RDKit works out, such as logP, it remembers there."""
        return _looked_at(self.smiles)

    @property
    def inchikey(self) -> str:
        """For looking up elsewhere only: it merges tautomers that dock differently."""
        return str(Chem.MolToInchiKey(_parsed(self.smiles)))  # type: ignore[no-untyped-call]

    @property
    def shown(self) -> str:
        """How messages name it: the user's name, or its SMILES."""
        return self.name or _shorten(self.smiles)


def _kind(thing: object) -> str:
    return "None" if thing is None else f"a {type(thing).__name__}"


def _shorten(text: str) -> str:
    text = text if len(text) <= 60 else text[:57] + "..."
    return text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text


@lru_cache(maxsize=4096)
def _parsed(smiles: str) -> Chem.Mol:
    mol = Chem.MolFromSmiles(smiles)
    if mol is None:
        raise MoleculeError(Reason.UNPARSABLE, f"{_shorten(smiles)} is not a SMILES RDKit can read")
    return mol


@lru_cache(maxsize=1024)
def _looked_at(smiles: str) -> Chem.Mol:
    """Apart from what `mol` copies: a copy that is edited would keep a logP that is no longer its own."""
    return Chem.Mol(_parsed(smiles))


def _readable(text: str) -> str:
    """The SMILES in a text, or a MoleculeError before RDKit spends any time on it."""
    if not text:
        raise MoleculeError(Reason.EMPTY, "has no structure")
    if len(text) > MAX_TEXT:
        raise MoleculeError(Reason.TOO_LARGE, f"is {len(text):,} characters long; the limit is {MAX_TEXT:,}")
    if "\0" in text:
        raise MoleculeError(Reason.UNPARSABLE, "holds a NUL byte")
    if not text.isascii():
        odd = next(letter for letter in text if not letter.isascii())
        raise MoleculeError(Reason.UNPARSABLE, f"holds the letter {_shorten(odd)!r}, which no SMILES has")
    smiles, *tail = text.split(None, 1)
    if tail and not tail[0].startswith("|"):
        raise MoleculeError(
            Reason.UNPARSABLE,
            f"goes on after a blank with {_shorten(tail[0])!r}; a name goes in its own column",
        )
    if smiles.count(">") == 2 and "->" not in smiles and "<" not in smiles:
        raise MoleculeError(
            Reason.UNSUPPORTED, "is a reaction; give the molecule meant, such as its product, alone"
        )
    if tail and re.search(r"(?:^\||[,|])(?:Sg|SgD|LN|m):", tail[0]):
        raise MoleculeError(Reason.UNSUPPORTED, "is a polymer or has a part without a fixed place")
    return smiles


@lru_cache(maxsize=16384)
def _standard_smiles(text: str) -> str:
    """Canonical, standardised SMILES; a fixed point, so identity does not depend on how often it was read.

    What the slow way gives is standardised until it stops changing. What the fast way
    gives is not read again: of 126,921 such SMILES from ChEMBL and ZINC none changed.
    """
    with quiet_rdkit():
        smiles = _quick(text)
        if smiles is not None:
            return smiles
        smiles, passed = _slow(text), []
        while smiles not in passed:
            passed.append(smiles)
            smiles = _quick(smiles) or _slow(smiles)
    return min(passed[passed.index(smiles) :])


def _quick(text: str) -> str | None:
    """Canonical SMILES where standardising could change nothing else; None where it might.

    RDKit's clean-up touches charges, metals, labels, separate parts and explicit
    hydrogens, none of which a plain text has, and four neutral groups, which are
    looked for. Ammonium, pyridinium and carboxylate are written neutral first and simple
    counter-ions left out, which is all that the slow way does to them: what it moves between
    acids has no charge in the end. The tests hold it against `_slow` on real molecules; of
    30,000 from ZINC, where a third are charged, 20,000 from ChEMBL and 8,000 salts none differed.
    """
    if "." in text:
        parts = text.split(".")
        kept = [part for part in parts if part not in _SALT]
        if len(kept) != 1 or len(parts) > MAX_PARTS:
            return None
        text = kept[0]
    if "+]" in text or "-]" in text:
        text = _CHARGED.sub(lambda found: _UNCHARGED[found[0]], text)
    if not _TAKEN.fullmatch(text):
        return None
    mol = Chem.MolFromSmiles(text, _syntax(True))
    if mol is None or mol.GetNumAtoms() > MAX_ATOMS or mol.HasSubstructMatch(_redrawn()):
        return None
    smiles = str(Chem.MolToSmiles(mol))
    return smiles if _PLAIN.fullmatch(smiles) and "c" in smiles.lower().replace("cl", "") else None


def _slow(text: str) -> str:
    mol = Chem.MolFromSmiles(text, _syntax(False))
    if mol is None:
        raise MoleculeError(Reason.UNPARSABLE, "is not a SMILES RDKit can read")
    _check_atoms(mol)
    sound = Chem.MolFromSmiles(text, _syntax(True))
    if sound is not None:  # rewritten first, so that the order of atoms does not steer the clean-up
        mol = Chem.MolFromSmiles(Chem.MolToSmiles(_without_maps(sound)), _syntax(False))
    return _standardise(mol)


@cache
def _syntax(sanitise: bool) -> Chem.SmilesParserParams:
    settings = Chem.SmilesParserParams()
    settings.sanitize = sanitise  # type: ignore[assignment]
    settings.removeHs = sanitise  # type: ignore[assignment]
    settings.allowCXSMILES = False  # type: ignore[assignment]
    settings.parseName = False  # type: ignore[assignment]
    return settings


@cache
def _redrawn() -> Chem.Mol:
    """The neutral groups that RDKit's Normalizer (normalizations.in) draws otherwise."""
    return Chem.MolFromSmarts(
        "[$([N,P,As,Sb;X3](=[O,S,Se,Te])=[O,S,Se,Te]),$([n;H0]=[O;H0]),$(N=N#N),$(*=N#N),$([S;X3]=O)]"
    )


def _without_maps(mol: Chem.Mol) -> Chem.Mol:
    bare = Chem.Mol(mol)
    for atom in bare.GetAtoms():
        atom.SetAtomMapNum(0)
    return bare


def _check_atoms(mol: Chem.Mol) -> None:
    """Refuse, before anything expensive, what standardising would distort or choke on."""
    if mol.GetNumAtoms() == 0:
        raise MoleculeError(Reason.EMPTY, "has no atoms")
    parts = Chem.GetMolFrags(mol)
    if len(parts) > MAX_PARTS:
        raise MoleculeError(Reason.TOO_LARGE, f"has {len(parts):,} separate parts; the limit is {MAX_PARTS}")
    heavy = max(sum(mol.GetAtomWithIdx(i).GetAtomicNum() > 1 for i in part) for part in parts)
    if heavy > MAX_ATOMS:
        raise MoleculeError(Reason.TOO_LARGE, f"has {heavy:,} heavy atoms; the limit is {MAX_ATOMS}")
    carbons = 0
    for atom in mol.GetAtoms():
        number = atom.GetAtomicNum()
        carbons += number == 6
        if number == 0 or atom.HasQuery():
            raise MoleculeError(
                Reason.UNSUPPORTED, "has a placeholder atom (* or a query), so it is no whole molecule"
            )
        bound_to_carbon = any(other.GetAtomicNum() == 6 for other in atom.GetNeighbors())
        if number in METALS and (number not in SALT_METALS or bound_to_carbon):
            raise MoleculeError(
                Reason.UNSUPPORTED,
                f"holds {_element(number)}: metal complexes and organometallics have no model here",
            )
    for bond in mol.GetBonds():
        if bond.GetBondType() not in _BONDS or bond.HasQuery():
            kind = "a dative" if "DATIVE" in str(bond.GetBondType()) else "a quadruple or unspecified"
            raise MoleculeError(
                Reason.UNSUPPORTED,
                f"has {kind} bond; only single, double, triple and aromatic ones are known",
            )
    if carbons == 0:
        raise MoleculeError(Reason.UNSUPPORTED, "has no carbon atom")


def _standardise(mol: Chem.Mol) -> str:
    try:
        clean = rdMolStandardize.Cleanup(_without_maps(mol))
        parent = _main_part(clean)
        neutral = rdMolStandardize.Uncharger().uncharge(parent)
        for _, oxygen in neutral.GetSubstructMatches(Chem.MolFromSmarts("[S+;X3][OX2H]")):
            neutral.GetAtomWithIdx(oxygen).SetFormalCharge(-1)  # a sulfoxide that others took for an acid
            neutral.GetAtomWithIdx(oxygen).SetNumExplicitHs(0)
        Chem.SanitizeMol(neutral)
    except MoleculeError:
        raise
    except (ValueError, RuntimeError) as error:  # RDKit's sanitisation errors are ValueErrors
        raise MoleculeError(Reason.UNPARSABLE, _diagnosis(mol, error)) from error
    _check_atoms(neutral)
    for atom in neutral.GetAtoms():
        if atom.GetAtomicNum() not in ELEMENTS:
            raise MoleculeError(
                Reason.UNSUPPORTED, f"holds {_element(atom.GetAtomicNum())}, an element without a model here"
            )
        if atom.GetNumRadicalElectrons():
            raise MoleculeError(
                Reason.UNSUPPORTED,
                f"has an unpaired electron on {_element(atom.GetAtomicNum())}: "
                "a radical, or a bracket atom that lacks its hydrogens",
            )
    return str(Chem.MolToSmiles(neutral))


def _main_part(mol: Chem.Mol) -> Chem.Mol:
    """The largest fragment, looking at the counter-ions only when there is nothing else."""
    parts = Chem.GetMolFrags(mol, asMols=True)
    if len(parts) == 1:
        return mol
    uncharger = rdMolStandardize.Uncharger()
    others: list[Chem.Mol] = [
        part
        for part in parts
        if any(atom.GetAtomicNum() == 6 for atom in part.GetAtoms())
        and Chem.MolToSmiles(uncharger.uncharge(part), isomericSmiles=False) not in COUNTER_IONS
    ]
    if not others:
        largest: Chem.Mol = rdMolStandardize.FragmentParent(mol, skipStandardize=True)
        return largest
    others.sort(key=lambda part: (-part.GetNumHeavyAtoms(), -_mass(part), Chem.MolToSmiles(part)))
    _refuse_mixture(others)
    return others[0]


def _refuse_mixture(parts: Sequence[Chem.Mol]) -> None:
    """Two drugs in one row: to keep the larger would score a molecule nobody asked about.

    Ions pass, and so do an acid with an amine, and a small acid or amine: an odd salt is far likelier than a mixture.
    """
    drugs = {
        Chem.MolToSmiles(part, isomericSmiles=False): part
        for part in reversed(parts)
        if Chem.GetFormalCharge(part) == 0
    }
    largest, *others = sorted(drugs.values(), key=lambda part: -part.GetNumHeavyAtoms())[:2] or [parts[0]]
    sizes = [part.GetNumHeavyAtoms() for part in (largest, *others)]
    if others and sizes[1] > SOLVENT_ATOMS:
        forms = [
            [part.HasSubstructMatch(Chem.MolFromSmarts(group)) for group in (ACID, AMINE)]
            for part in (largest, others[0])
        ]
        (acid, amine), (other_acid, other_amine) = forms
        small = sizes[1] < max(MIXED_ATOMS, MIXED_SHARE * parts[0].GetNumHeavyAtoms())
        if (acid and other_amine) or (other_acid and amine) or (small and any(forms[1])):
            return
        raise MoleculeError(
            Reason.UNSUPPORTED,
            f"is a mixture of molecules of {sizes[0]} and {sizes[1]} heavy atoms, neither a known counter-ion; "
            "give each a row of its own",
        )


def _mass(mol: Chem.Mol) -> float:
    return sum(atom.GetMass() + 1.008 * atom.GetTotalNumHs() for atom in mol.GetAtoms())


def _element(number: int) -> str:
    return str(Chem.GetPeriodicTable().GetElementName(number)).lower()


def _diagnosis(mol: Chem.Mol, error: Exception) -> str:
    """What is wrong with a structure, in words; atoms count from 1, as written."""
    try:
        problems = Chem.DetectChemistryProblems(mol)
    except RuntimeError:  # RDKit cannot even count the bonds, as of [CH99999999]
        problems = ()
    for problem in problems:
        if problem.GetType() == "AtomValenceException":
            atom = mol.GetAtomWithIdx(problem.GetAtomIdx())
            return f"gives atom {atom.GetIdx() + 1}, {_element(atom.GetAtomicNum())}, more bonds than it can have"
        if "Kekulize" in problem.GetType():
            return "has an aromatic ring without alternating double bonds; often a hydrogen is missing: [nH]"
    return f"cannot be standardised: {str(error).strip().splitlines()[0] if str(error).strip() else 'no reason given'}"


@contextmanager
def quiet_rdkit() -> Iterator[None]:
    """RDKit prints every bad molecule to stderr; the reason is kept in the row instead."""
    block = rdBase.BlockLogs()
    try:
        yield
    finally:
        del block
