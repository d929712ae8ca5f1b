"""Desirability: the laws it must keep, and the published formulas worked by hand."""

from __future__ import annotations

import math
import tomllib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from discovery.desirability import Desirability, combine

numbers = st.floats(-1e6, 1e6, allow_subnormal=False)
curves = st.sampled_from(["ramp", "smooth"])


@st.composite
def desirabilities(draw: st.DrawFn, shapes: tuple[str, ...] = ("higher", "lower", "window")) -> Desirability:
    low = draw(st.floats(-1e3, 1e3))
    high = low + draw(st.floats(1e-3, 1e3))
    shape, curve = draw(st.sampled_from(shapes)), draw(curves)
    exponent = 1.0 if curve == "smooth" and shape != "window" else draw(st.floats(0.25, 4))
    margin = draw(st.none() | st.floats(1e-3, 1e3)) if (shape, curve) == ("window", "ramp") else None
    return Desirability(shape, low, high, margin=margin, exponent=exponent, curve=curve)  # type: ignore[arg-type]


@given(desirabilities(), numbers)
def test_lies_between_0_and_1(wish: Desirability, value: float) -> None:
    assert 0.0 <= wish(value) <= 1.0


@given(desirabilities(("higher", "lower")), numbers, numbers)
def test_one_sided_shapes_never_turn_back(wish: Desirability, a: float, b: float) -> None:
    smaller, larger = wish(min(a, b)), wish(max(a, b))
    assert (larger >= smaller) if wish.shape == "higher" else (larger <= smaller)


@given(desirabilities(("window",)), numbers, numbers)
def test_a_window_falls_away_from_its_middle(wish: Desirability, a: float, b: float) -> None:
    middle = (wish.low + wish.high) / 2
    near, far = sorted((a, b), key=lambda x: abs(x - middle))
    if (near - middle) * (far - middle) >= 0:
        assert wish(near) >= wish(far) - 1e-9


@given(desirabilities(), numbers)
def test_mirroring_the_axis_mirrors_the_shape(wish: Desirability, value: float) -> None:
    other = {"higher": "lower", "lower": "higher", "window": "window"}[wish.shape]
    mirror = Desirability(other, -wish.high, -wish.low, wish.margin, wish.exponent, wish.curve)  # type: ignore[arg-type]
    assert mirror(-value) == pytest.approx(wish(value), abs=1e-12)


@given(desirabilities(), st.lists(numbers, min_size=1, max_size=5))
def test_an_array_gives_what_its_numbers_give(wish: Desirability, values: list[float]) -> None:
    assert wish.each(values).tolist() == [wish(value) for value in values]


@given(desirabilities(), numbers)
def test_a_smooth_curve_is_never_useless(wish: Desirability, value: float) -> None:
    if wish.curve == "smooth":
        assert wish(value) > 0.0


def test_ramps_are_those_of_derringer_and_suich() -> None:
    """((y - L) / (T - L))^s and its two mirror images, worked by hand."""
    assert Desirability("higher", low=100, high=200, exponent=2)(150) == pytest.approx(0.25)
    assert Desirability("lower", low=-11, high=-6)(-8.5) == pytest.approx(0.5)
    window = Desirability("window", low=1, high=3, margin=2, exponent=0.5)
    assert [window(x) for x in (-1, 0, 1, 2, 3, 4.5, 5)] == pytest.approx([0, 0.5**0.5, 1, 1, 1, 0.5, 0])


def test_smooth_curves_are_those_of_harrington() -> None:
    """exp(-exp(-(b0 + b1 y))) through two points, and exp(-|y'|^n), worked by hand."""
    rise = Desirability("higher", low=0, high=1, curve="smooth")
    assert (rise(0), rise(1)) == pytest.approx((0.20, 0.80))
    b0, b0_b1 = -math.log(-math.log(0.20)), -math.log(-math.log(0.80))
    assert rise(0.5) == pytest.approx(math.exp(-math.exp(-(b0 + b0_b1) / 2)))
    window = Desirability("window", low=1, high=3, curve="smooth")
    assert [window(x) for x in (1, 2, 2.5, 3)] == pytest.approx([1 / math.e, 1, math.exp(-0.25), 1 / math.e])


def test_infinities_are_the_ends_and_nan_is_refused() -> None:
    wish = Desirability("higher", 0, 1)
    assert (wish(-math.inf), wish(math.inf)) == (0.0, 1.0)
    with pytest.raises(ValueError, match="must stay Missing"):
        wish(math.nan)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shape": "up", "low": 0, "high": 1}, "not 'up'"),
        ({"shape": "higher", "low": -6, "high": -11}, "low is -6 and high is -11; say shape = 'lower'"),
        ({"shape": "higher", "low": 1, "high": 1}, "low must be below high"),
        ({"shape": "higher", "low": 0, "high": math.nan}, "low must be below high"),
        ({"shape": "higher", "low": 0, "high": 1, "exponent": 0}, "exponent must be above 0"),
        ({"shape": "higher", "low": 0, "high": 1, "margin": 1}, "leave it out"),
        ({"shape": "window", "low": 0, "high": 1, "margin": 0}, "margin must be above 0"),
        ({"shape": "lower", "low": 0, "high": 1, "exponent": 2, "curve": "smooth"}, "has no exponent"),
        ({"shape": "lower", "low": 0, "high": 1, "curve": "step"}, "not 'step'"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Desirability(**settings)  # type: ignore[arg-type]


def test_is_built_from_a_toml_table_by_pydantic() -> None:
    table = tomllib.loads('shape = "window"\nlow = 1\nhigh = 3.5\nmargin = 1')
    built = TypeAdapter(Desirability).validate_python(table)
    assert built == Desirability("window", 1, 3.5, margin=1)
    with pytest.raises(ValidationError, match="margn"):
        TypeAdapter(Desirability).validate_python({"shape": "window", "low": 1, "high": 3, "margn": 1})


shares = st.floats(0.0, 1.0)


@st.composite
def weighted(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    count = draw(st.integers(1, 6))
    some = draw(st.lists(shares, min_size=count, max_size=count))
    return some, draw(st.lists(st.floats(1e-3, 1e3), min_size=count, max_size=count))


@given(weighted())
@settings(max_examples=300)
def test_a_combination_is_0_exactly_when_a_part_is(case: tuple[list[float], list[float]]) -> None:
    values, weights = case
    joined = float(combine(values, weights))
    assert (joined == 0.0) == (0.0 in values)
    assert joined == 0.0 or min(values) - 1e-12 <= joined <= max(values) + 1e-12


@given(weighted(), st.data())
def test_raising_a_part_never_lowers_the_whole(
    case: tuple[list[float], list[float]], data: st.DataObject
) -> None:
    values, weights = case
    place = data.draw(st.integers(0, len(values) - 1))
    better = list(values)
    better[place] = data.draw(st.floats(values[place], 1.0))
    assert float(combine(better, weights)) >= float(combine(values, weights)) - 1e-12


@given(weighted())
def test_only_the_ratios_of_weights_matter(case: tuple[list[float], list[float]]) -> None:
    values, weights = case
    assert float(combine(values, [7 * w for w in weights])) == pytest.approx(float(combine(values, weights)))


def test_combine_is_the_weighted_geometric_mean() -> None:
    """(0.5^2 * 0.25^1)^(1/3), worked by hand; rows are combined one by one."""
    assert combine([[0.5, 0.25], [1.0, 1.0]], [2, 1]) == pytest.approx([(0.0625) ** (1 / 3), 1.0])
    assert np.shape(combine(np.ones((3, 2, 4)))) == (3, 2)


@pytest.mark.parametrize(
    ("values", "weights", "message"),
    [
        ([], None, "nothing to combine"),
        ([0.5, 0.5], [1], "2 desirabilities need 2 weights, not 1"),
        ([0.5, 0.5], [1, 0], "weight must be above 0"),
        ([0.5, 1.5], None, "between 0 and 1"),
        ([0.5, math.nan], None, "between 0 and 1"),
    ],
)
def test_combine_refuses(values: list[float], weights: list[float] | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        combine(values, weights)
