"""Where does a text write a change of a gene by rule: rs4680, p.Arg399Gln, c.342delA, C677T, 4-bp deletion?

How a change is written is settled by nomenclature, so it need not be learned. What is
written in words ("lysine at residue 223") is left to the network, and so is whether a
rule's span counts: "T47D" is a cell line.

References
----------
.. [1] den Dunnen J. T. et al., HGVS recommendations for the description of sequence variants: 2016
   update, Hum. Mutat. 37, 564 (2016).
"""

from __future__ import annotations

import re

from literature.mentions import Span

PROBABILITY = (
    0.92  # so many of these spans are annotators' spans, in the taught documents of BioRED and tmVar3
)

_THREE = "(?:Ala|Arg|Asn|Asp|Cys|Gln|Glu|Gly|His|Ile|Leu|Lys|Met|Phe|Pro|Ser|Thr|Trp|Tyr|Val|Ter|Stop|stop)"
_ONE = "[ACDEFGHIKLMNPQRSTVWY]"
_ACID = f"(?:{_THREE}|{_ONE})"
_TO = r"(?:\s?(?:>|-+>|→|=>)\s?)"
_EDIT = r"(?:(?:del|ins|dup|inv)(?:[ACGT]+|\d+)?(?:ins[ACGT]+)?)"
_AT = r"[-*+]?\d+(?:\s?[+-]\s?\d+)?"
_FRAME = r"(?:fs(?:(?:X|\*|Ter)\d*)?)"
_WAYS = (
    r"rs\d{3,}",
    rf"[cgmnr]\.\s?{_AT}(?:[_-]{_AT})?\s?(?:[ACGT]+{_TO}[ACGT]+|{_EDIT})",
    rf"p\.{_ACID}\d+(?:_{_ACID}\d+)?(?:{_EDIT}|(?:{_ACID}|X|\*|=)?{_FRAME}?)(?:{_THREE})?",
    rf"{_THREE}[- ]?\d+[- ]?{_THREE}(?:fs\w*)?",
    rf"{_THREE}{_TO}{_THREE}",
    rf"{_ONE}\d{{2,4}}(?:{_ONE}|X|\*|fs(?:X|\*)?\d*)",
    rf"IVS\s?[\dIVX]+\s?(?:[+-]\s?\d+)?,?\s?[ACGTacgt]{_TO}[ACGTacgt]",
    rf"(?:(?<![\d.])[-+]\s?)?\d+(?:\s?[+-]\s?\d+)?\s?[ACGT](?:{_TO}|/)[ACGT]",
    r"[ACGT](?:[-+]?\d{3,}|-\d{2,})[ACGT]",
    rf"\d+(?:[_-]\d+)?\s?{_EDIT}",
    rf"[ACGT]{_TO}[ACGT]",
    r"[ACGT](?:-to-| to )[ACGT]",
    r"\d+(?:\.\d+)?[- ]?(?:bp|kb|kbp|base[- ]pair|nucleotide|base|amino acid) "
    r"(?:deletion|insertion|duplication)(?:/(?:deletion|insertion))?",
    r"(?:del|dup|ins)(?:[ACGT]{2,}|\d+(?:bp)?)",
    rf"(?:[Dd]elta|Δ)\s?{_ONE}?\d{{2,}}",
)
_WRITTEN = re.compile(rf"(?<!\w)(?:{'|'.join(_WAYS)})(?!\w)")
_MAY = re.compile(r"\d|[>→]|[ACGT](?:-to-| to )[ACGT]")  # no way of writing does without


def variants(text: str) -> list[Span]:
    """What `text` writes so, from left to right and apart from each other.

    Examples
    --------
    >>> text = "BRCA1 c.5266dup and p.Arg399Gln (rs25487) in 12 patients"
    >>> [text[s.start : s.end] for s in variants(text)]
    ['c.5266dup', 'p.Arg399Gln', 'rs25487']
    """
    if _MAY.search(text) is None:
        return []
    return [Span(*place.span(), "variant", PROBABILITY) for place in _WRITTEN.finditer(text)]
