"""How wide is an interval that few measurements allow? Student's t distribution.

Written here because the core has no statistics library; the tests hold it against one.
"""

from __future__ import annotations

import math


def two_sided(t: float, freedom: int) -> float:
    """Probability of a |t| at least this large when nothing is there, 0..1.

    Raises
    ------
    ValueError
        `freedom` is below one.

    References
    ----------
    .. [1] M. Abramowitz, I. A. Stegun, Handbook of Mathematical Functions, 26.7.1 and 26.5.27:
       the tail is the incomplete beta function of ν/(ν + t²).
    """
    if freedom < 1:
        raise ValueError(f"a t distribution needs at least one degree of freedom, not {freedom}")
    if math.isinf(t):
        return 0.0
    square = t * t
    return _beta(freedom / 2, 0.5, freedom / (freedom + square), square / (freedom + square))


def quantile(confidence: float, freedom: int) -> float:
    """The t that |t| stays below with this probability: 12.71 for 0.95 and one degree of freedom.

    Raises
    ------
    ValueError
        `confidence` is not between 0 and 1, or `freedom` is below one.
    """
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence lies between 0 and 1, not at {confidence}")
    low, high = 0.0, 1.0
    while two_sided(high, freedom) > 1.0 - confidence:
        low, high = high, 2.0 * high
    for _ in range(200):
        middle = (low + high) / 2
        if middle in (low, high):
            break
        if two_sided(middle, freedom) > 1.0 - confidence:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _beta(a: float, b: float, x: float, rest: float) -> float:
    """Regularised incomplete beta function; `rest` is 1 - x, given apart so that it keeps its digits."""
    if x <= 0.0:
        return 0.0
    if rest <= 0.0:
        return 1.0
    front = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log(rest)
    )
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1.0 - front * _fraction(b, a, rest) / b


def _fraction(a: float, b: float, x: float) -> float:
    """The continued fraction 26.5.8, evaluated by Lentz's method."""
    tiny = 1e-300
    c, d = 1.0, 1.0 - (a + b) * x / (a + 1)
    d = 1.0 / (d if abs(d) > tiny else tiny)
    value = d
    for m in range(1, 10_000):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1.0 + term * d
            d = 1.0 / (d if abs(d) > tiny else tiny)
            c = 1.0 + term / c
            c = c if abs(c) > tiny else tiny
            value *= c * d
        if abs(c * d - 1.0) < 1e-15:
            return value
    raise ArithmeticError(f"the incomplete beta function of {a}, {b} at {x} did not converge")
