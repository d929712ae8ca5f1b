"""A claim without a citation cannot be built."""

from __future__ import annotations

from typing import Any

import pytest

from discovery.target import Statement

CLAIM: dict[str, Any] = {
    "subject": "sumatriptan",
    "predicate": "activates",
    "object": "HTR1B",
    "sign": 1,
    "confidence": 0.9,
    "quote": "Sumatriptan is an agonist of the 5-HT1B receptor.",
    "source": "EXAMPLE:1",
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quote": ""}, "needs its quote and its source: sumatriptan activates HTR1B"),
        ({"quote": " \n"}, "needs its quote"),
        ({"source": " "}, "and its source"),
        ({"confidence": 1.01}, "a probability, not 1.01"),
        ({"confidence": -0.1}, "a probability"),
        ({"confidence": float("nan")}, "a probability, not nan"),
    ],
)
def test_a_bare_claim_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Statement(**(CLAIM | change))
