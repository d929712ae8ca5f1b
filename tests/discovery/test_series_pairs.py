"""Matched pairs against an enumeration by hand, RDKit's own fragmentation, and scipy's statistics."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from rdkit import Chem
from rdkit.Chem import rdMMPA
from scipy import stats

from discovery.outcome import Missing, Reason
from discovery.series.measured import SeriesError
from discovery.series.pairs import MatchedPairs, Pair, Transformation, corrected, matched_pairs, summarise
from tests.discovery.test_series_rgroups import library, series

# mmpdb's default, `config.DEFAULT_FRAGMENT_OPTIONS.cut_smarts`
SMARTS = "[#6+0;!$(*=,#[!#6])]!@!=!#[!#0;!#1;!$([CH2]);!$([CH3][CH2])]"


def changes(found: MatchedPairs, before: str, after: str) -> list[float]:
    """All changes of a transformation, whichever way round it is written."""
    for known in found.transformations:
        if (known.before, known.after) == (before, after):
            return [pair.change for pair in known.pairs]
        if (known.before, known.after) == (after, before):
            return [-pair.change for pair in known.pairs]
    return []


def test_every_pair_of_a_library_is_found() -> None:
    """By hand: 5 x 4 molecules, methyl against the others at the amide, five pairs each."""
    rng = random.Random(1)
    values = [rng.random() for _ in range(20)]
    found = matched_pairs(series(library(), values))
    ethyl = changes(found, "[*:1]C", "[*:1]CC")
    assert sorted(ethyl) == pytest.approx(sorted(values[row * 4 + 1] - values[row * 4] for row in range(5)))
    chlorine = changes(found, "[*:1]Cl", "[*:1]F")
    assert sorted(chlorine) == pytest.approx(sorted(values[4 + k] - values[8 + k] for k in range(4)))
    hydrogen = changes(found, "[*:1][H]", "[*:1]F")
    assert sorted(hydrogen) == pytest.approx(sorted(values[4 + k] - values[k] for k in range(4)))
    assert found.outcomes[0] == 4 + 3  # four other groups at R1, three at R2


def test_agrees_with_rdkits_fragmentation() -> None:
    """Reference: rdMMPA single cuts at mmpdb's bonds, paired by equal constant parts."""
    smiles = library()
    found = matched_pairs(series(smiles))
    ours = {frozenset((pair.before, pair.after)) for known in found.transformations for pair in known.pairs}
    constants: dict[str, set[tuple[int, str]]] = {}
    for place, text in enumerate(smiles):
        cuts = rdMMPA.FragmentMol(
            Chem.MolFromSmiles(text),
            minCuts=1,
            maxCuts=1,
            maxCutBonds=40,
            pattern=SMARTS,
            resultsAsMols=False,
        )
        for _, both in cuts:
            one, other = both.split(".")
            for constant, variable in ((one, other), (other, one)):
                if Chem.MolFromSmiles(variable).GetNumHeavyAtoms() - 1 <= 10:
                    constants.setdefault(constant, set()).add((place, variable))
    theirs = {
        frozenset((a[0], b[0]))
        for rows in constants.values()
        for a, b in itertools.combinations(sorted(rows), 2)
        if a[0] != b[0] and a[1] != b[1]
    }
    assert theirs <= ours
    hydrogen = set(range(4))  # rdMMPA does not exchange hydrogens
    assert all(pair & hydrogen for pair in ours - theirs)


def test_statistics_agree_with_scipy() -> None:
    """Reference: scipy's one-sample t test and its interval."""
    rng = np.random.default_rng(4)
    values = rng.normal(0.3, 0.5, 9)
    found = summarise(
        "[*:1]C", "[*:1]Cl", [Pair(0, k, float(v), "[*:1]c1ccccc1") for k, v in enumerate(values, 1)]
    )
    test = stats.ttest_1samp(values, 0)
    assert found.mean == pytest.approx(values.mean())
    assert found.p == pytest.approx(test.pvalue)
    assert found.interval == pytest.approx(tuple(test.confidence_interval(0.95)))


def test_correction_agrees_with_scipy() -> None:
    """Reference: scipy.stats.false_discovery_control, method bh."""
    rng = np.random.default_rng(8)
    p = rng.random(40) ** 3
    made = [Transformation("a", "b", (), 0.0, 1.0, (0.0, 0.0), float(value), None) for value in p]
    single = Transformation("a", "c", (), 0.0, None, None, None, None)
    done = corrected([single, *made])
    assert done[0].q is None
    assert [found.q for found in done[1:]] == pytest.approx(stats.false_discovery_control(p))


def test_one_pair_has_no_interval() -> None:
    found = summarise("a", "b", [Pair(0, 1, 0.7, "c")])
    assert (found.mean, found.interval, found.p) == (0.7, None, None)
    equal = summarise("a", "b", [Pair(0, 1, 0.5, "c"), Pair(2, 3, 0.5, "c")])
    assert equal.p is None
    assert equal.interval == pytest.approx((0.5, 0.5))


def test_every_row_is_accounted_for() -> None:
    alone, long = "C1CCCCCCC1", "C1CC1" + "OCC(C)" * 42 + "F"
    found = matched_pairs(series([*library(), "C1CC", alone, long]))
    assert len(found.outcomes) == 23
    broken, lonely, large = found.outcomes[20:]
    assert isinstance(broken, Missing)
    assert broken.reason is Reason.UNPARSABLE
    assert isinstance(lonely, Missing)
    assert lonely.reason is Reason.OUT_OF_DOMAIN
    assert isinstance(large, Missing)
    assert large.reason is Reason.TOO_LARGE
    assert all(isinstance(outcome, int) for outcome in found.outcomes[:20])


def test_two_cuts_exchange_linkers() -> None:
    found = matched_pairs(series(["c1ccccc1CCc1ccncc1", "c1ccccc1COc1ccncc1"]), cuts=2)
    assert any(known.before.count("*") == 2 for known in found.transformations)
    with pytest.raises(SeriesError, match="1, 2 or 3"):
        matched_pairs(series(library()), cuts=4)


def test_the_table_shows_surest_first() -> None:
    found = matched_pairs(series(library(), [float(place % 4) + 0.01 * place for place in range(20)]))
    shown = found.tested(3)
    known = [known.q for known in shown if known.q is not None]
    assert known == sorted(known)
    different = {frozenset((pair.before, pair.after) for pair in one.pairs) for one in shown}
    assert 0 < len(different) < len(shown)  # the same pairs seen with more and with less about them
    assert found.sheet()._repr_html_().count("<tr") == 1 + min(20, len(different))
    assert repr(found).startswith("MatchedPairs: ")


def test_who_cuts_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same records from this interpreter and from two others, in the same order; refusals too."""
    from discovery.series import cutting

    smiles = [(str(n), f"{'C' * (n % 7)}c1ccc(OCC{'C' * (n % 5)}N)cc1") for n in range(40)] + [
        ("x", "C" * 200)
    ]
    alone = cutting.records(smiles, 1, workers=1)
    monkeypatch.setattr(cutting, "ALONE", 10)
    assert cutting.records(smiles, 1, workers=2) == alone
    assert isinstance(alone[-1], str)


def test_a_worker_that_dies_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from discovery.series import cutting

    monkeypatch.setattr(cutting, "ALONE", 1)
    monkeypatch.setattr(cutting.sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match="ended with 1 after 0 of 1"):
        cutting.records([("a", "CCO"), ("b", "CCN")], 1, workers=2)
