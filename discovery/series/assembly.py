"""Which molecule do a core and its groups make?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from rdkit import Chem

from discovery.molecule import quiet_rdkit

_HYDROGEN = re.compile(r"\[H\]\[\*:\d+\]")


def assembled(core: str, groups: Sequence[str]) -> str:
    """Core and groups joined at their labels, as canonical SMILES; empty when they do not fit.

    Groups that hold more than one label (rings back to the core) fit only when they
    were given once for each; hydrogen at a label that the core does not have is no group.
    """
    with quiet_rdkit():
        bonded = [text for text in groups if not _HYDROGEN.fullmatch(text) or text[3:] in core]
        parts = [Chem.MolFromSmiles(text) for text in dict.fromkeys([core, *bonded])]
        if any(part is None for part in parts):
            return ""
        wanted, *given = [
            Counter(a.GetAtomMapNum() for a in part.GetAtoms() if a.GetAtomicNum() == 0) for part in parts
        ]
        if sum(given, Counter()) != wanted or any(count != 1 for count in wanted.values()):
            return ""
        try:
            joined = Chem.RemoveHs(Chem.molzip(Chem.MolFromSmiles(".".join(map(Chem.MolToSmiles, parts)))))
            again = Chem.MolFromSmiles(Chem.MolToSmiles(joined))
        except (ValueError, RuntimeError):  # no valence is left where two groups meet
            return ""
    return "" if again is None else str(Chem.MolToSmiles(again))
