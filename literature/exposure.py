"""Is a drug given against a disease, or was the disease seen under the drug?

"Nephrotoxicity occurred in patients treated with netilmicin" and "nephritis improved in
patients treated with prednisone" hold the same cue. What tells them apart is where the
disease stands to those who were treated, and whether anything got better. The patterns were
written for sentences of the taught documents of BC5CDR and BioRED.
"""

from __future__ import annotations

import re

Stretch = tuple[int, int]  # code points into a sentence

_GIVEN = re.compile(r"(?i)(?:pre-?)?treat(?:ed|ments?)|therap(?:y|ies)|used (?:in|for|against)")
_DUE = re.compile(
    r"(?i)\b(?:due to|secondary to|associated with|complications? of|(?:caus|induc|produc)(?:ed|tion) (?:of|by|in)|resulting from|"
    r"attribut\w+ to|contribut\w+ to)\b"
)
_WHILE = re.compile(
    r"(?i)\b(?:after|following|during|upon|by|on|under|while)\b"
    r"|\b(?:in|among|of)\b(?:[\s\w\-/%.()]{0,60}?)\b(?:patients?|subjects|volunteers|recipients|rats?|mice|animals|dogs|rabbits|women|"
    r"wom[ae]n|m[ae]n|children|adults|cases?|persons|people|group|those)\b"
)
_BETTER = re.compile(
    r"(?i)\b(?:improv\w+|reduc\w+|decreas\w+|diminish\w*|resol\w+|remission\w*|remit\w*|regress\w*|recover\w*|disappear\w*|lower\w*|less|fewer|"
    r"prevent\w*|respon[sd]\w*|reliev\w+|relief|surviv\w+|efficac\w+|effective\w*|benefi\w+|protect\w*|prophyla\w+|success\w*|control(?:led)?|"
    r"cured?|heal\w*|alleviat\w+|ameliorat\w+|attenuat\w+|abolish\w*|suppress\w*|inhibit\w*|revers\w+|managed|management|indicat\w+)\b"
)
_SHOWED = re.compile(
    r"(?i)^(?:[\s\-]*(?:treated|treatments?|therapy|therapies))\b[\s\w\-()/,%.]{0,60}?"
    r"\b(?:exhibit\w*|show(?:ed|s)?|had|develop\w*|experienc\w+|suffer\w+|present(?:ed|s)?|complain\w*|elicit\w*|induc\w+|caus\w+|produc\w+|"
    r"increas\w+|lead|leads|led|result\w*)\b"
)
_STOPPED = re.compile(
    r"(?i)\b(?:discontinu\w+|withdraw\w+|withholding|omitting|omission|avoid(?:ing|ance)|cessation|stopping)(?: of| the| all)*\s+$"
)
_FEWER = re.compile(
    r"(?i)\b(?:reduc\w+|lower\w*|decreas\w+|less\w*|minimi[sz]\w+|diminish\w*)(?:\s+\w+){0,2}\s+$"
)
_DEATH_OF = re.compile(r"(?i)\b(?:apoptosis|death|arrest|regression|degradation|remission|killing)\b")

_CHANGED = re.compile(
    r"(?i)\b(?P<low>low(?:er|ered)?|reduced|decreased|deficient|(?:reduction|decrease|fall)s? (?:in|of))?"
    r"(?(low)|(?:elevated|increased|raised|high(?:er)?|(?:increase|change|rise)s? (?:in|of)))"
    r"\s+(?:(?:the|total|circulating|plasma|serum|blood|dietary)\s+){0,2}$"
)
_LEVEL = re.compile(
    r"(?i)[\s\-–]*(?:(?P<low>deficien(?:cy|t)|depletion)|levels?|concentrations?|lowering|reduction|restriction|intake|status|excretion|secretion|synthesis|metabolism)\b"
)


def measured(text: str, drug: Stretch) -> tuple[bool, bool]:
    """Whether a substance is told as something found in a body, and whether it is too little of it.

    "Reductions in cholesterol" treat nothing as a drug does, and what its deficiency causes it does not cause.
    """
    joined = text[drug[1] : drug[1] + 1] in ("-", "–")  # "reduced gentamicin-induced hearing loss"
    before = None if joined else _CHANGED.search(text[: drug[0]])
    after = _LEVEL.match(text, drug[1])
    low = bool(before and before["low"]) or bool(after and after["low"])
    return bool(before or after), low


def exposed(text: str, drug: Stretch, disease: Stretch, cue: Stretch) -> bool:
    """Whether a cue of treatment only says that the drug was given, and the disease came with it."""
    if _STOPPED.search(text, 0, drug[0]):
        return True
    if not _GIVEN.fullmatch(text, *cue):
        return False
    if drug[1] <= cue[0] and cue[1] <= disease[0]:  # "PAN treatment induced proteinuria"
        between = text[cue[0] : disease[0]]
        return bool(_SHOWED.match(between)) and not _BETTER.search(between)
    if disease[1] <= cue[0] and cue[1] <= drug[0]:  # "nephritis in patients treated with gold"
        between = text[disease[1] : cue[0]]
        if _DUE.search(between):
            return True
        return bool(_WHILE.search(between)) and not _BETTER.search(text)
    return False


def marked(text: str, cue: Stretch) -> bool:
    """Whether "treated" only marks a group, and nothing got better: "morphine-treated patients reported pain"."""
    at, stop = cue
    return text[at:stop] == "treated" and text[at - 1 : at] in ("-", "–") and not _BETTER.search(text)


def spared(text: str, disease: Stretch, cue: Stretch) -> bool:
    """Whether a cue of harm tells of less of it: "reduced the risk of stroke"."""
    return cue[1] <= disease[0] and _FEWER.search(text, 0, cue[0]) is not None


def killed(text: str, disease: Stretch, cue: Stretch) -> bool:
    """Whether what a drug brings about is the death of the cells: "induced apoptosis in glioma cells"."""
    return cue[1] <= disease[0] and _DEATH_OF.search(text, cue[1], disease[0]) is not None
