"""Negation, doubt and questions, on sentences written for the purpose."""

from __future__ import annotations

import pytest

from literature.assertion import asked, denied, hedged


@pytest.mark.parametrize(
    ("text", "cue", "is_denied"),
    [
        ("X blocks Y", "blocks", False),
        ("X did not block Y", "block", True),
        ("X failed to block Y", "block", True),
        ("X did not fail to block Y", "block", False),
        ("X not only blocks Y", "blocks", False),
        ("X neither activates nor blocks Y", "activates", True),
        ("No evidence that X blocks Y", "blocks", True),
        ("X, but not Z, blocks Y", "blocks", True),  # the reach of "not" ends at a clause, not at a comma
        ("Z did not, but X blocks Y", "blocks", False),
        ("Z was not seen; X blocks Y", "blocks", False),
        ("binding of X to Y was not observed", "binding", True),
        ("binding of X to Y could not be confirmed", "binding", True),
        ("X treats Y without doubt", "treats", False),
        ("X cannot be excluded to block Y", "block", False),
        ("X blocks Y in the absence of calcium", "blocks", False),
        ("X lacks activity at Y", "activity", True),
    ],
)
def test_denied(text: str, cue: str, is_denied: bool) -> None:
    assert denied(text, text.index(cue), (text.index("X"), text.index("Y"))) is is_denied


@pytest.mark.parametrize(
    ("text", "doubt", "question"),
    [
        ("X blocks Y", False, False),
        ("X may block Y", True, False),
        ("X appears to block Y", True, False),
        ("These data suggest that X blocks Y", True, False),
        ("Whether X blocks Y is unclear", False, True),
        ("Does X block Y?", False, True),
        ("Z might, whereas X blocks Y", False, False),
        ("The role of X in Y remains to be established", False, True),
    ],
)
def test_doubt_and_questions(text: str, doubt: bool, question: bool) -> None:
    span = sorted((text.index("X"), text.index("Y")))
    assert hedged(text, span[0], span[1] + 1) is doubt
    assert asked(text, span[0], span[1] + 1) is question
