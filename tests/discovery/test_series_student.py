"""Student's t against scipy and against printed tables."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from discovery.series.student import quantile, two_sided


@settings(max_examples=150, derandomize=True, deadline=None)
@given(t=st.floats(-80, 80), freedom=st.integers(1, 5000))
def test_tail_agrees_with_scipy(t: float, freedom: int) -> None:
    """Reference: scipy.stats.t.sf."""
    assert two_sided(t, freedom) == pytest.approx(2 * stats.t.sf(abs(t), freedom), rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.999])
@pytest.mark.parametrize("freedom", [1, 2, 7, 30, 1000])
def test_quantile_agrees_with_scipy(confidence: float, freedom: int) -> None:
    """Reference: scipy.stats.t.ppf."""
    assert quantile(confidence, freedom) == pytest.approx(
        stats.t.ppf((1 + confidence) / 2, freedom), rel=1e-9
    )


def test_printed_tables() -> None:
    """Abramowitz and Stegun, table 26.10: 12.706 and 2.228 at 95 %, two-sided."""
    assert round(quantile(0.95, 1), 3) == 12.706
    assert round(quantile(0.95, 10), 3) == 2.228


def test_refusals() -> None:
    with pytest.raises(ValueError, match="degree of freedom"):
        two_sided(1.0, 0)
    with pytest.raises(ValueError, match="between 0 and 1"):
        quantile(1.0, 5)
    assert two_sided(float("inf"), 3) == 0.0
