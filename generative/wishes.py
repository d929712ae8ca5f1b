"""Which properties may be asked of a molecule, and how does the network read the asking?

Molecular weight, logP, polar surface, drug-likeness and synthetic accessibility: each may be
asked or left open. The network sees, for each, in which part of its usual range the wanted
value lies; what is left open it does not see at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rdkit import Chem
from rdkit.Chem import QED, rdMolDescriptors

from discovery.properties.synthesis import accessibility
from generative.refusal import SettingError

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Property:
    """One property: its usual range, from which the network's scale is made, and its limits."""

    title: str
    centre: float
    spread: float
    least: float
    most: float


PROPERTIES: dict[str, Property] = {
    "mw": Property("molecular weight, Da", 360.0, 90.0, 50.0, 900.0),
    "logp": Property("logP (Wildman and Crippen)", 3.0, 1.5, -10.0, 15.0),
    "tpsa": Property("polar surface area, Å²", 75.0, 30.0, 0.0, 400.0),
    "qed": Property("drug-likeness (QED)", 0.65, 0.18, 0.0, 1.0),
    "sa": Property("synthetic accessibility, 1 easy to 10 hard", 3.0, 0.7, 1.0, 10.0),
}
CENTRES = np.linspace(-3.0, 3.0, 13, dtype=np.float32)  # in spreads
FEATURES = len(PROPERTIES) * (len(CENTRES) + 2)


def measured(mol: Chem.Mol) -> list[float]:
    """The properties of a sanitised molecule, in the order of `PROPERTIES`."""
    return [
        rdMolDescriptors._CalcMolWt(mol),
        rdMolDescriptors.CalcCrippenDescriptors(mol)[0],
        rdMolDescriptors.CalcTPSA(mol),
        QED.qed(mol),  # type: ignore[no-untyped-call]
        accessibility(mol),
    ]


def wanted(asked: Mapping[str, float]) -> Floats:
    """[property] with NaN for what is not asked.

    Raises
    ------
    SettingError
        A property that is not one of ours, or a value no molecule has.
    """
    for name, value in asked.items():
        if name not in PROPERTIES:
            raise SettingError(f"condition {name!r} is not one of {', '.join(PROPERTIES)}")
        one = PROPERTIES[name]
        if not one.least <= value <= one.most:
            raise SettingError(
                f"condition {name}={value:g}: {one.title}, lies between {one.least:g} and {one.most:g}"
            )
    return np.array([asked.get(name, np.nan) for name in PROPERTIES], dtype=np.float32)


def read_conditions(texts: list[str]) -> dict[str, float]:
    """["logp=2.5", "qed=0.8"] -> values by name.

    Raises
    ------
    SettingError
        What is not name=number, is asked twice, or cannot be had.
    """
    asked: dict[str, float] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip().lower()
        try:
            number = float(value)
        except ValueError:
            equals = ""
            number = 0.0
        if not equals:
            raise SettingError(f"condition {text!r} is not name=number, such as logp=2.5")
        if name in asked:
            raise SettingError(f"condition {name} is asked twice: {asked[name]:g} and {number:g}")
        asked[name] = number
    wanted(asked)
    return asked


def features(values: Floats) -> Floats:
    """[row, property] values, NaN where nothing is asked -> [row, FEATURES], zeros where nothing is asked."""
    centre = np.array([one.centre for one in PROPERTIES.values()], dtype=np.float32)
    spread = np.array([one.spread for one in PROPERTIES.values()], dtype=np.float32)
    asked = ~np.isnan(values)
    z = np.clip(np.where(asked, (values - centre) / spread, 0.0), -4.0, 4.0)
    bumps = np.exp(-0.5 * ((z[..., None] - CENTRES) / 0.5) ** 2)
    told = np.concatenate([bumps, z[..., None], np.ones_like(z)[..., None]], axis=-1) * asked[..., None]
    return np.asarray(told.reshape(len(values), -1), dtype=np.float32)
