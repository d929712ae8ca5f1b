"""How desirable is a number? A raw score -> 0..1.

0 is useless, 1 is as good as one could wish. Three shapes cover what a chemist
says: `higher` is better, `lower` is better, inside a `window`. Two curves draw
them: `ramp` reaches 0 and 1 exactly (a hard limit: nothing else can make up for
a 0), `smooth` only comes near them (a soft wish, and no ties at either end).

    Desirability("lower", low=-11, high=-6)             # docking, kcal/mol
    Desirability("window", low=1, high=3.5, margin=1)   # logP: 1 inside, 0 below 0 and above 4.5

`combine` joins several into one by their weighted geometric mean. What becomes of
a molecule with a missing score is decided in ranking.py, never here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Shape = Literal["higher", "lower", "window"]
Curve = Literal["ramp", "smooth"]

POOR, FINE = 0.20, 0.80  # Harrington's scale calls less than 0.20 very bad, more than 0.80 very good


@dataclass(frozen=True, slots=True)
class Desirability:
    """Turns a column's numbers into 0..1. Every field is a plain number or word, as in TOML.

    Parameters
    ----------
    shape : "higher", "lower" or "window"
    low, high : in the column's unit, low < high
        `higher`: useless at or below `low`, perfect at or above `high`. `lower`: the
        other way round. `window`: perfect in between.
    margin : in the column's unit
        How far outside a window a number becomes useless; half the window's width
        when left out. A ramp's only.
    exponent : > 0
        Bends a ramp: 1 is straight, 2 asks for more, 0.5 forgives (`s` and `t` of
        ref. 1). For a smooth window the exponent n of ref. 2 is twice this number.
    curve : "ramp" or "smooth"
        A smooth one-sided curve is 0.20 where the ramp is 0 and 0.80 where it is 1;
        a smooth window is 1 at its middle and 1/e at both edges.

    Raises
    ------
    ValueError
        A number that is not finite, low >= high, or a setting the shape has no use for.

    References
    ----------
    .. [1] G. Derringer, R. Suich, J. Qual. Technol. 12 (1980) 214-219: the ramps, as
       restated in the NIST/SEMATECH e-Handbook of Statistical Methods, 5.5.2.2.
    .. [2] E. C. Harrington, Ind. Qual. Control 21 (1965) 494-498: the smooth curves, in the
       form of the R package `desire` 1.0.7 (harrington1, harrington2).

    Examples
    --------
    >>> Desirability("lower", low=-10, high=-6)(-9.0)
    0.75
    """

    shape: Shape
    low: float
    high: float
    margin: float | None = None
    exponent: float = 1.0
    curve: Curve = "ramp"

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}

    def __post_init__(self) -> None:
        if self.shape not in ("higher", "lower", "window"):
            raise ValueError(f"shape is 'higher', 'lower' or 'window', not {self.shape!r}")
        if self.curve not in ("ramp", "smooth"):
            raise ValueError(f"curve is 'ramp' or 'smooth', not {self.curve!r}")
        if not (np.isfinite(self.low) and np.isfinite(self.high) and self.low < self.high):
            hint = "; say shape = 'lower' where small numbers are better" if self.low > self.high else ""
            raise ValueError(f"low must be below high, but low is {self.low} and high is {self.high}{hint}")
        if not (np.isfinite(self.exponent) and self.exponent > 0):
            raise ValueError(f"exponent must be above 0, not {self.exponent}")
        if self.margin is not None:
            if self.shape != "window" or self.curve != "ramp":
                raise ValueError(
                    "margin softens the edges of a window drawn as a ramp; "
                    f"this is {self.curve}, {self.shape}: leave it out"
                )
            if not (np.isfinite(self.margin) and self.margin > 0):
                raise ValueError(f"margin must be above 0, not {self.margin}")
        if self.curve == "smooth" and self.shape != "window" and self.exponent != 1.0:
            raise ValueError(f"a smooth {self.shape} curve has no exponent; leave it out or take the ramp")

    def __call__(self, value: float) -> float:
        """One number -> 0..1."""
        return float(self.each(value))

    def each(self, values: ArrayLike) -> Floats:
        """[any shape], in the column's unit -> the same shape, 0..1.

        Raises
        ------
        ValueError
            A value is NaN: a missing score has no desirability.
        """
        numbers = np.asarray(values, dtype=np.float64)
        if np.isnan(numbers).any():
            raise ValueError("NaN has no desirability; a score that is missing must stay Missing")
        if self.shape == "window":
            if self.curve == "smooth":
                return smooth_window(numbers, self.low, self.high, 2.0 * self.exponent)
            margin = (self.high - self.low) / 2 if self.margin is None else self.margin
            up = ramp(numbers, self.low - margin, self.low, self.exponent)
            down = ramp(-numbers, -self.high - margin, -self.high, self.exponent)
            return np.minimum(up, down)
        sign = 1.0 if self.shape == "higher" else -1.0
        useless, perfect = (self.low, self.high) if self.shape == "higher" else (-self.high, -self.low)
        if self.curve == "smooth":
            return smooth_rise(sign * numbers, useless, perfect)
        return ramp(sign * numbers, useless, perfect, self.exponent)


def ramp(values: Floats, useless: float, perfect: float, exponent: float = 1.0) -> Floats:
    """[any shape] -> 0 up to `useless`, 1 from `perfect` on, ((y - L) / (T - L))^s between (ref. 1)."""
    clipped = np.clip(values, useless, perfect)  # first, so that no infinity meets the division
    climbed: Floats = np.clip((clipped - useless) / (perfect - useless), 0.0, 1.0)
    return np.power(climbed, exponent)


def smooth_rise(values: Floats, useless: float, perfect: float) -> Floats:
    """[any shape] -> exp(-exp(-(b0 + b1 y))), 0.20 at `useless` and 0.80 at `perfect` (ref. 2)."""
    at_useless, at_perfect = -np.log(-np.log(POOR)), -np.log(-np.log(FINE))
    slope = (at_perfect - at_useless) / (perfect - useless)
    latent = np.clip(at_useless + slope * (values - useless), -6.0, 40.0)  # exp(-exp(6)) is 6e-176: above 0
    rise: Floats = np.exp(-np.exp(-latent))
    return rise


def smooth_window(values: Floats, low: float, high: float, n: float) -> Floats:
    """[any shape] -> exp(-|y'|^n) with y' = (2y - (high + low)) / (high - low) (ref. 2)."""
    scaled = np.abs((values - (high + low) / 2) / ((high - low) / 2))
    farthest = 700.0 ** (1.0 / n)  # exp(-700) is 1e-304: above 0
    fall: Floats = np.exp(-np.power(np.minimum(scaled, farthest), n))
    return fall


def combine(desirabilities: ArrayLike, weights: Sequence[float] | Floats | None = None) -> Floats:
    """Several desirabilities -> one: the geometric mean, weighted.

    It is 0 exactly when one of them is 0: what is useless in one respect is not
    rescued by the others. Raising any of them never lowers it.

    Parameters
    ----------
    desirabilities : [..., criterion], 0..1
    weights : [criterion], above 0
        All equal when left out; only their ratios matter.

    Returns
    -------
    [...], 0..1

    Raises
    ------
    ValueError
        A number outside 0..1, a weight that is not above 0, or counts that differ.

    References
    ----------
    .. [1] G. Derringer, R. Suich, J. Qual. Technol. 12 (1980) 214-219, as restated in the
       NIST/SEMATECH e-Handbook of Statistical Methods, 5.5.2.2 (there without weights).

    Examples
    --------
    >>> float(combine([0.25, 1.0]))
    0.5
    """
    values = np.asarray(desirabilities, dtype=np.float64)
    if values.ndim == 0 or values.shape[-1] == 0:
        raise ValueError("there is nothing to combine; give at least one desirability")
    count = values.shape[-1]
    shares = np.ones(count) if weights is None else np.asarray(weights, dtype=np.float64)
    if shares.shape != (count,):
        raise ValueError(f"{count} desirabilities need {count} weights, not {shares.size}")
    if not (np.isfinite(shares) & (shares > 0)).all():
        raise ValueError(
            f"a weight must be above 0, not {shares.min()}; leave out a column that shall not count"
        )
    if not ((values >= 0) & (values <= 1)).all():
        raise ValueError("desirabilities lie between 0 and 1; pass raw numbers through a Desirability first")
    useless = (values == 0).any(axis=-1)
    shares = shares / shares.max()
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.exp((shares * np.log(np.where(values == 0, 1.0, values))).sum(axis=-1) / shares.sum())
    floor = np.finfo(np.float64).smallest_subnormal  # rounding must not turn a tiny mean into 0
    return np.where(useless, 0.0, np.clip(mean, floor, 1.0))
