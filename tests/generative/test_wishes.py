"""What is asked of a molecule is measured as others measure it, and read or refused by name."""

from __future__ import annotations

import numpy as np
import pytest
from rdkit import Chem

from generative.wishes import FEATURES, PROPERTIES, features, measured, read_conditions, wanted
from tests.generative.models import DRUGS


@pytest.mark.parametrize(
    ("smiles", "weight", "surface"),
    [
        ("CC(=O)Oc1ccccc1C(=O)O", 180.16, 63.6),
        ("Cn1c(=O)c2c(ncn2C)n(C)c1=O", 194.19, 58.4),
        ("CC(C)Cc1ccc(cc1)C(C)C(=O)O", 206.28, 37.3),
    ],
)
def test_weight_and_surface_are_the_known_ones(smiles: str, weight: float, surface: float) -> None:
    """Reference: PubChem's pages of aspirin, caffeine and ibuprofen."""
    mw, _, tpsa, _, _ = measured(Chem.MolFromSmiles(smiles))
    assert mw == pytest.approx(weight, abs=0.02)
    assert tpsa == pytest.approx(surface, abs=4.0)  # aromatic atoms of caffeine are counted differently


def test_drugs_lie_where_the_scale_looks() -> None:
    """Half of all values within one spread of the centre, nearly all within three."""
    values = np.array([measured(Chem.MolFromSmiles(smiles)) for smiles in DRUGS], dtype=np.float32)
    centre = np.array([one.centre for one in PROPERTIES.values()])
    spread = np.array([one.spread for one in PROPERTIES.values()])
    away = abs(values - centre) / spread
    assert (np.median(away, axis=0) < 1.6).all()
    assert (away < 3).mean() > 0.85


def test_what_is_left_open_is_not_seen() -> None:
    nothing, logp = features(np.stack([wanted({}), wanted({"logp": 2.5})]))
    assert not nothing.any()
    per = FEATURES // len(PROPERTIES)
    place = list(PROPERTIES).index("logp")
    seen = logp.reshape(len(PROPERTIES), per)
    assert seen[place].any()
    assert not np.delete(seen, place, axis=0).any()


def test_values_that_differ_look_different_and_far_ones_stay_finite() -> None:
    asked = np.stack([wanted({"mw": value}) for value in (50.0, 200.0, 350.0, 500.0, 900.0)])
    told = features(asked)
    assert np.isfinite(told).all()
    assert len({row.tobytes() for row in told}) == 5


def test_conditions_are_read_by_name() -> None:
    assert read_conditions(["logP=2.5", " qed = 0.8"]) == {"logp": 2.5, "qed": 0.8}


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["logp"], "'logp' is not name=number, such as logp=2.5"),
        (["logp=high"], "'logp=high' is not name=number"),
        (["potency=9"], "condition 'potency' is not one of mw, logp, tpsa, qed, sa"),
        (["qed=1.5"], r"qed=1\.5: drug-likeness \(QED\), lies between 0 and 1"),
        (["mw=nan"], "mw=nan"),
        (["mw=300", "mw=400"], "mw is asked twice: 300 and 400"),
    ],
)
def test_what_cannot_be_asked_is_refused(texts: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_conditions(texts)
