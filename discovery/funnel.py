"""Who goes on to the next, dearer stage?

The best on everything known so far; every other molecule's cell says how far from
the cut it was. A filter refuses on one number alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from discovery.outcome import Missing, Reason
from discovery.score import Column, Score


def keep_best(
    utilities: Sequence[float | None], n: int | None, *, stage: str, shown: Sequence[str]
) -> list[Missing | None]:
    """None for each row that goes on, NOT_REACHED for the rest; `utilities[i]` None means out already.

    Of equal utilities the earlier row goes on, so the choice is the same in every run.
    """
    still_in = [i for i, u in enumerate(utilities) if u is not None]
    order = sorted(still_in, key=lambda i: (-(utilities[i] or 0.0), i))
    verdicts: list[Missing | None] = [None] * len(utilities)
    if n is None:
        return verdicts
    for place, i in enumerate(order, start=1):
        if place > n:
            verdicts[i] = Missing(
                stage,
                Reason.NOT_REACHED,
                f"{shown[i]} was {ordinal(place)} of {len(order)} on the scores before {stage}; the best {n} were sent",
            )
    return verdicts


def within(
    outcome: Score, column: Column, at_least: float | None, at_most: float | None, shown: str
) -> Missing | None:
    """None, or FILTERED with both numbers."""
    unit = "" if column.unit in ("", "1") else f" {column.unit}"
    if at_least is not None and outcome.value < at_least:
        limit = f"below the least allowed {at_least:g}{unit}"
    elif at_most is not None and outcome.value > at_most:
        limit = f"above the most allowed {at_most:g}{unit}"
    else:
        return None
    return Missing(column.name, Reason.FILTERED, f"{shown} has {column.label} {outcome.value:.4g}, {limit}")


def ordinal(n: int) -> str:
    """1 -> 1st, 22 -> 22nd, 113 -> 113th."""
    ending = "th" if 10 <= n % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th")
    return f"{n}{ending}"
