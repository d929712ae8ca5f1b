"""Does a sentence tell what a gene does, or what happens without it?

"Mice that lack the receptor", "its antagonist", "silencing of SOX9": what follows is the
opposite of what the gene does, and the "lack" denies nothing.
"""

from __future__ import annotations

import re

from literature.exposure import Stretch

_LOSS_BEFORE = re.compile(
    r"(?i)\b(?:that lack|lack(?:s|ed|ing)|without|loss of|absence of|deficient in|deletion of|devoid of|knock-?out of|ablation of|silencing of|knock-?down of)"
    r"(?: the| functional| their| its| either| both)?\s+$"
)
_SHORT = (
    r"^(?:\s?\([^()]{1,15}\))?\)?[\s\-–]*(?:receptors?[\s\-]*)?"  # "acetylcholinesterase (AChE)" is one name
)
_LOSS_AFTER = re.compile(
    rf"(?i){_SHORT}(?:knock-?(?:outs?|downs?)|null|deficien\w+|-/-|deleted|silencing|depletion|ablation|s[ih]RNAs?)\b"
)
_LOSSES = re.compile(
    r"(?i)\b(?:mice|mouse|animals|rats|mutants?|cells|strain|littermates)\s+(?:\w+\s+){0,2}?(?:that |which )?(?:lack(?:s|ed|ing)?|without)\b|"
    r"\b(?:loss|absence|lack) of (?=\S+ receptors?\b)"
)
_ANTAGONIST_AFTER = re.compile(
    rf"(?i){_SHORT}(?:selective |inverse )?(?:antagonist|blocker|inhibitor|inverse agonist|antagonism|blockade|inhibition|suppression)s?\b"
)
_ANTAGONIST_BEFORE = re.compile(
    r"(?i)\b(?:antagonists?|antagonism|blockade|block|blockers?|inhibition|inhibitors?|down-?regulation|blocking) (?:of|at|for) (?:the |human |both )?(?:[\w\-/]+(?:,|,? and|,? or) ){0,4}$|\banti-$"
)
_OPPOSITE = {
    "promotes": "inhibits",
    "activates": "inhibits",
    "causes": "protects against",
    "protects against": "causes",
}


def losses(text: str) -> tuple[Stretch, ...]:
    """Where a negation word tells of animals without a gene, and denies nothing."""
    return tuple(m.span() for m in _LOSSES.finditer(text))


def lost(text: str, gene: Stretch) -> bool:
    """Whether the gene is told as absent."""
    return bool(_LOSS_BEFORE.search(text[: gene[0]]) or _LOSS_AFTER.match(text[gene[1] :]))


def opposed(text: str, gene: Stretch) -> bool:
    """Whether the gene is absent or blocked."""
    before, after = text[: gene[0]], text[gene[1] :]
    return lost(text, gene) or bool(_ANTAGONIST_AFTER.match(after) or _ANTAGONIST_BEFORE.search(before))


def opposite(predicate: str, object: str) -> str:
    """What a gene does to a thing of type `object` if this happens without it; "" where that cannot be said."""
    if predicate == "inhibits":
        return "activates" if object == "gene" else "promotes" if object == "process" else ""
    if predicate == "binds":
        return "inhibits" if object == "gene" else ""
    return _OPPOSITE.get(predicate, "")
