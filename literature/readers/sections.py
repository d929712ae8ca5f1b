"""Which part of an article does a heading open? One answer for all formats."""

from __future__ import annotations

import re

_BEGIN = {
    "introduction": "introduction intro background objective objectives aim aims purpose",
    "methods": "methods materials subjects",
    "results": "results findings cases",
    "discussion": "discussion",
    "conclusion": "conclusion conclusions interpretation",
}
_SECTIONS = {word: section for section, words in _BEGIN.items() for word in words.split()}


def section_of(heading: str, otherwise: str) -> str:
    """The section whose word stands first among a heading's first three words, in whatever case.

    Examples
    --------
    >>> section_of("2. MATERIALS AND METHODS", "body"), section_of("Supporting information", "body")
    ('methods', 'body')
    """
    first = re.findall(r"[a-z]+", heading.casefold())[:3]
    return next((_SECTIONS[word] for word in first if word in _SECTIONS), otherwise)
