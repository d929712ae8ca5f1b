"""Every molecule is accounted for: rows in, outcomes out, no exception.

Ten thousand rows, one in a hundred spoilt in one of twenty named ways, go in; ten
thousand outcomes come out, in order, each failure with its reason and its text.
"""

from __future__ import annotations

import gzip
import random
from collections import Counter
from pathlib import Path

import pytest
from rdkit import Chem

from discovery.intake import Row, read
from discovery.molecule import Molecule
from discovery.outcome import Counts, Missing, Reason

SEED = 20
ENDS = ["C", "N", "O", "F", "Cl", "CC", "CO", "Br"]
NEAR = [
    "c",
    *(f"c({side})" for side in ("F", "Br", "I", "C", "CC", "OC", "N", "O", "C#N", "Cl", "S(C)(=O)=O")),
]
LINKS = ["C(=O)N", "S(=O)(=O)N", "OC", "NC", "C(=O)O", "CS"]


def library(count: int) -> list[str]:
    """Different small molecules by construction: two rings, their ends, and the chain between them."""
    made = []
    for place in range(count):
        n, left = divmod(place, len(ENDS))
        n, right = divmod(n, len(ENDS))
        n, length = divmod(n, 12)
        n, link = divmod(n, len(LINKS))
        extra, ring = divmod(n, 2)
        chain = "C" * (length + 1) + LINKS[link]
        near = NEAR[extra]
        made.append(f"{ENDS[left]}c1c{near}c({chain}c2cccc({ENDS[right]}){'cn'[ring]}2)cc1")
    return made


# name -> (what stands in the structure's place, the reason it must get)
GARBAGE: dict[str, tuple[str, Reason]] = {
    "unclosed ring": ("C1CCCC", Reason.UNPARSABLE),
    "unclosed branch": ("CC(CC", Reason.UNPARSABLE),
    "five bonds on carbon": ("CC(C)(C)(C)C", Reason.UNPARSABLE),
    "broken aromatic ring": ("c1ccnc1", Reason.UNPARSABLE),
    "prose": ("see supplier", Reason.UNPARSABLE),
    "a name": ("Aspirin", Reason.UNPARSABLE),
    "InChI": ("InChI=1S/CH4/h1H4", Reason.UNPARSABLE),
    "NUL byte": ("CC\0O", Reason.UNPARSABLE),
    "not UTF-8": ("CC\udcff", Reason.UNPARSABLE),
    "letters of no SMILES": ("CCÖ", Reason.UNPARSABLE),
    "a formula": ("=cmd|' /C calc'!A0", Reason.UNPARSABLE),
    "a script": ("<script>alert(1)</script>", Reason.UNPARSABLE),
    "a terminal escape": ("\x1b[2JCCO", Reason.UNPARSABLE),
    "nothing": ("", Reason.EMPTY),
    "blanks": ("   ", Reason.EMPTY),
    "a million characters": ("C" * 1_000_000, Reason.TOO_LARGE),
    "600 heavy atoms": ("C" * 600, Reason.TOO_LARGE),
    "a salt without a molecule": ("[Na+].[Cl-]", Reason.UNSUPPORTED),
    "a metal complex": ("C[Fe]C", Reason.UNSUPPORTED),
    "a placeholder": ("*c1ccccc1", Reason.UNSUPPORTED),
    "the first row again, as a salt": ("", Reason.DUPLICATE),  # filled in below
}


def spoil(count: int) -> tuple[list[str], dict[int, str]]:
    """A library's structures, and which places were spoilt how."""
    structures = library(count)
    assert len(set(structures)) == count
    places = sorted(random.Random(SEED).sample(range(1, count), max(count // 100, len(GARBAGE))))
    kinds = {place: list(GARBAGE)[i % len(GARBAGE)] for i, place in enumerate(places)}
    for place, kind in kinds.items():
        structures[place] = GARBAGE[kind][0]
        if GARBAGE[kind][1] is Reason.DUPLICATE:
            structures[place] = structures[0] + ".Cl"
    return structures, kinds


def encoded(text: str) -> bytes:
    return text.encode("utf-8", errors="surrogateescape")


def audit(found: list[Row], structures: list[str], kinds: dict[int, str], first: int) -> None:
    assert [row.number for row in found] == list(range(first, first + len(structures)))
    for place, (row, text) in enumerate(zip(found, structures, strict=True)):
        if place not in kinds:
            assert isinstance(row.outcome, Molecule), (row.number, row.outcome)
            assert row.text == text
            continue
        expected = GARBAGE[kinds[place]][1]
        assert isinstance(row.outcome, Missing), (kinds[place], row)
        assert row.outcome.reason is expected, (kinds[place], row.outcome)
        assert row.outcome.stage == "intake"
        assert f" {row.number}: " in row.outcome.detail
        kept = text.encode("utf-8", errors="surrogateescape").decode("utf-8", errors="replace")
        written = row.text.replace("ÿ", "\ufffd")  # of a row too long to be split, the row itself is kept
        assert kept.strip()[:500] in written if len(text) > 6_000 else kept.strip() == written.strip()
        assert len(row.text) <= 6_000
    counts = Counts.of(row.outcome for row in found)
    assert counts.n_in == len(structures)
    assert counts.n_ok == len(structures) - len(kinds)
    assert counts.n_duplicate == sum(GARBAGE[kind][1] is Reason.DUPLICATE for kind in kinds.values())
    assert counts.n_filtered == 0
    assert counts.n_failed == len(kinds) - counts.n_duplicate


def test_there_are_twenty_kinds() -> None:
    assert len(GARBAGE) >= 20
    assert {reason for _, reason in GARBAGE.values()} == {
        Reason.UNPARSABLE,
        Reason.EMPTY,
        Reason.TOO_LARGE,
        Reason.UNSUPPORTED,
        Reason.DUPLICATE,
    }


@pytest.mark.timeout(120)
def test_ten_thousand_rows_in_ten_thousand_outcomes_out(tmp_path: Path) -> None:
    structures, kinds = spoil(10_000)
    assert Counter(kinds.values()).keys() == GARBAGE.keys()
    lines = [f'row {i},"{text}",{i % 7}' for i, text in enumerate(structures)]
    path = tmp_path / "library.csv"
    path.write_bytes(b"\xef\xbb\xbfName,SMILES,plate\r\n" + encoded("\r\n".join(lines)))
    found = list(read(path))
    audit(found, structures, kinds, first=2)
    for place, row in enumerate(found):  # a row too long to be split has its name in its text
        assert row.name == f"row {place}" or row.text.startswith(f"row {place},")


def test_the_same_from_a_gzipped_smi(tmp_path: Path) -> None:
    structures, kinds = spoil(1_000)
    structures = [text if text.strip() else "" for text in structures]
    path = tmp_path / "library.smi.gz"
    lines = [text if " " in text or not text else f"{text}\trow {i}" for i, text in enumerate(structures)]
    path.write_bytes(gzip.compress(encoded("\n".join(lines) + "\n")))
    expected = [
        text.split()[0] if " " in text else text for text in structures
    ]  # the rest of a line is its name
    audit(list(read(path)), expected, kinds, first=1)


def test_the_same_from_an_sdf(tmp_path: Path) -> None:
    """In an SDF the garbage stands where a mol block should."""
    structures, kinds = spoil(1_000)
    blocks = []
    for place, text in enumerate(structures):
        mol = None if place in kinds and "again" not in kinds[place] else Chem.MolFromSmiles(text)
        blocks.append(Chem.MolToMolBlock(mol) if mol is not None else f"{text}\n" if text.strip() else "\n")
    path = tmp_path / "library.sdf"
    path.write_bytes(encoded("".join(f"{block}$$$$\n" for block in blocks)))
    found = list(read(path))
    assert [row.number for row in found] == list(range(1, 1_001))
    for place, row in enumerate(found):
        assert isinstance(row.outcome, Missing) == (place in kinds), row
        if isinstance(row.outcome, Missing):
            allowed = {GARBAGE[kinds[place]][1], Reason.UNPARSABLE}  # a SMILES is no mol block
            assert row.outcome.reason in allowed
            assert (
                row.text.strip()[:8] == structures[place].strip()[:8].replace("\udcff", "ÿ")
                or "again" in kinds[place]
            )
    counts = Counts.of(row.outcome for row in found)
    assert (counts.n_in, counts.n_ok) == (1_000, 1_000 - len(kinds))
