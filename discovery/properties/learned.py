"""What would this molecule measure, judging by a table of measured ones?

A Gaussian process on one column of a chemist's table: molecules are alike in the
circular environments and atom pairs they share and in a few descriptors. How far it
errs is not taken from the process, which knows itself badly, but from whole scaffolds
it had not seen; and a molecule less like the table than those scaffolds were gets no
number at all.

The file of a model holds the measured molecules themselves. Whoever may read it may
read the table.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from numbers import Real
from pathlib import Path
from typing import Any, Literal

import numpy as np

from discovery.devices import SEED
from discovery.diversity import scaffold
from discovery.files import publish
from discovery.molecule import Molecule
from discovery.outcome import Missing, MoleculeError, Reason, UserError, each
from discovery.properties.kernel import Features, Floats, Places, kernel
from discovery.score import Column, Score

FORMAT = "discovery-learned-1"
# Shares of: Tanimoto of circular environments, of atom pairs; cosine of both; descriptors, wide and narrow.
SHARES = (
    (0.4, 0.2, 0.0, 0.0, 0.2, 0.2),
    (0.2, 0.2, 0.2, 0.2, 0.1, 0.1),
    (0.5, 0.3, 0.0, 0.0, 0.1, 0.1),
    (0.1, 0.1, 0.1, 0.1, 0.3, 0.3),
)
NOISES = (0.03, 0.1, 0.3, 1.0)  # of the variance of what is measured
LEVEL = 1.0  # prior variance of the mean, so that no fold sees another's
FOLDS = 5
FEWEST, MOST = 30, 3_000  # molecules a model is made of
CHOOSERS = 800  # molecules by which shares and noise are chosen
ONE_SIGMA, NINE_IN_TEN = 0.6827, 0.9
BEYOND = 0.05  # share of the unseen scaffolds' molecules that count as too far off
# The domain asks for no more similarity than this: a table of one close series has no unseen scaffold far off, and
# is still worth asking. At 0.2 to 0.3 such a series did no better than its mean; see docs/decisions.md.
FAR = 0.3


class LearningError(UserError, ValueError):
    """No model can be made or read; the message says what is wanting."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a model was made of, and how well it does on scaffolds it had not seen.

    Errors are in the unit of the column, over folds of whole scaffolds, each left out
    once; `inside` and `outside` split its molecules by the domain.
    """

    name: str  # of the column it makes
    target: str  # of the column it was taught
    unit: str
    better: Literal["low", "high"]
    table: str
    molecules: int
    given: int  # usable molecules of the table; more than `molecules` where it was cut
    scaffolds: int
    shares: tuple[float, ...]
    noise: float
    rmse: float
    rmse_mean: float  # had the others' mean been given instead
    rmse_inside: float
    rmse_outside: float | None
    rank_correlation: float  # Spearman's
    covered: (
        float  # share of molecules within the interval meant for nine in ten, each fold judged by the others
    )
    domain: float  # least similarity to the nearest measured molecule, 0..1
    sigma: float  # times the process's deviation is one standard deviation
    wide: float  # times the process's deviation holds nine in ten


@dataclass(frozen=True, eq=False)
class Model:
    """Ready to predict. Arrays are over the measured molecules, in the file's order."""

    facts: Facts
    smiles: tuple[str, ...]
    values: Floats  # [measured], the column's unit
    inverse: Floats  # [measured, measured], of the kernel with noise
    weights: Floats  # [measured]
    features: Features

    def __repr__(self) -> str:
        facts = self.facts
        return (
            f"Model of {facts.name} from {len(self.smiles)} molecules: off by {facts.rmse:.2f} {facts.unit}".rstrip()
            + f" on scaffolds left out (the mean: {facts.rmse_mean:.2f})"
        )

    def predict(self, molecules: Sequence[Molecule]) -> tuple[Floats, Floats, Floats, Places]:
        """[molecule] value and one standard deviation (the column's unit), similarity 0..1 to the nearest, its place."""
        new = Features.of(molecules, self.features.centre, self.features.scale)
        cross = kernel(new, self.features, self.facts.shares) + LEVEL
        centre, spread = float(self.values.mean()), float(self.values.std()) or 1.0
        value = centre + spread * (cross @ self.weights)
        explained = ((cross @ self.inverse) * cross).sum(axis=1)
        variance = 1.0 + LEVEL + self.facts.noise - explained
        alike = new.circular.tanimoto(self.features.circular)
        place = alike.argmax(axis=1)
        deviation = spread * self.facts.sigma * np.sqrt(np.maximum(variance, 1e-9))
        return value, deviation, alike[np.arange(len(place)), place].astype(np.float64), place


# --- learning


def _usable(molecule: object, value: object) -> bool:
    return isinstance(molecule, Molecule) and isinstance(value, Real) and math.isfinite(value)


def fit(
    molecules: Sequence[Molecule],
    values: Sequence[float],
    *,
    name: str = "learned",
    target: str = "",
    unit: str = "",
    better: Literal["low", "high"] = "high",
    table: str = "",
    seed: int = SEED,
) -> Model:
    """Learn a column from measured molecules.

    Parameters
    ----------
    molecules, values : as many of both; no molecule twice
        More than 3,000 are cut to so many, at random: time grows with the cube.
    name : of the column the model makes
    target, unit, better, table : what was measured, told to readers
    seed : of the folds it is judged by; the same seed gives the same model

    Raises
    ------
    LearningError
        Fewer than 30 molecules, fewer than 5 scaffolds, all values equal; or an entry lacks its molecule or its number.
    """
    given = len(molecules)
    values = list(values)  # by place, where a column of a frame goes by its own index
    gap = next((i for i, pair in enumerate(zip(molecules, values, strict=False)) if not _usable(*pair)), None)
    if gap is not None or len(values) != given:
        raise LearningError(
            f"{given} molecules but {len(values)} values"
            if gap is None
            else f"row {gap + 1} is {molecules[gap]} with {values[gap]}: leave out what has no molecule or no number"
        )
    rng = np.random.default_rng(seed)
    kept = np.sort(rng.permutation(given)[:MOST])
    chosen = [molecules[i] for i in kept]
    y = np.array([values[i] for i in kept], dtype=np.float64)
    if given < FEWEST:
        raise LearningError(f"{given} measured molecules are too few to learn from; {FEWEST} are needed")
    if float(y.std()) == 0.0:
        raise LearningError(f"all {given} values are {y[0]:g}; there is nothing to learn")
    fold, scaffolds = folds(chosen)
    z = (y - y.mean()) / y.std()
    features = Features.of(chosen)
    choosers = np.sort(rng.permutation(len(chosen))[:CHOOSERS])
    shares, noise = _choose(features.take(choosers), z[choosers], fold[choosers])
    inverse = _inverse(kernel(features, features, shares), noise)
    left, deviations = left_out(inverse, z, fold)
    left, deviations = left * y.std(), deviations * y.std()
    nearest = nearest_outside(features, fold)
    domain = min(FAR, float(np.quantile(nearest, BEYOND)))
    inside = nearest >= domain
    ratio = np.abs(left) / deviations
    covered = np.concatenate(
        [
            ratio[inside & (fold == f)] <= _quantile(ratio[inside & (fold != f)], NINE_IN_TEN)
            for f in range(FOLDS)
        ]
    )
    others = np.array([y[fold != f].mean() for f in range(FOLDS)])
    facts = Facts(
        name=name, target=target, unit=unit, better=better, table=table, molecules=len(chosen), given=given,
        scaffolds=scaffolds, shares=shares, noise=noise,
        rmse=_rms(left), rmse_mean=_rms(y - others[fold]), rmse_inside=_rms(left[inside]),
        rmse_outside=_rms(left[~inside]) if (~inside).any() else None,
        rank_correlation=_spearman(y, y - left), covered=float(covered.mean()), domain=domain,
        sigma=_quantile(ratio[inside], ONE_SIGMA), wide=_quantile(ratio[inside], NINE_IN_TEN),
    )  # fmt: skip
    return Model(facts, tuple(m.smiles for m in chosen), y, inverse, inverse @ z, features)


def folds(molecules: Sequence[Molecule]) -> tuple[Places, int]:
    """[molecule] number of its fold, so that no scaffold is in two; and how many scaffolds there are.

    The largest scaffold goes into the emptiest fold, then the next.

    Raises
    ------
    LearningError
        There are fewer scaffolds than folds.
    """
    groups: dict[str, list[int]] = {}
    for place, molecule in enumerate(molecules):
        core = scaffold(molecule)
        groups.setdefault(core or molecule.smiles, []).append(place)  # chains: each its own
    if len(groups) < FOLDS:
        raise LearningError(
            f"the table has {len(groups)} scaffolds; {FOLDS} are needed to tell how far a model errs on new ones"
        )
    fold = np.zeros(len(molecules), dtype=np.int64)
    sizes = [0] * FOLDS
    for members in sorted(groups.values(), key=lambda places: (-len(places), places[0])):
        emptiest = sizes.index(min(sizes))
        fold[members] = emptiest
        sizes[emptiest] += len(members)
    return fold, len(groups)


def nearest_outside(features: Features, fold: Places) -> Floats:
    """[molecule] similarity 0..1 to the nearest molecule of the other folds."""
    alike = features.circular.tanimoto(features.circular)
    alike[fold[:, None] == fold[None]] = 0.0
    nearest: Floats = alike.max(axis=1)
    return nearest


def left_out(inverse: Floats, z: Floats, fold: Places) -> tuple[Floats, Floats]:
    """What each fold's molecules would have been off by, and the process's deviation, had the fold been unseen.

    With K⁻¹ of all, the residuals of a left-out block B are [K⁻¹]_BB⁻¹ [K⁻¹ z]_B and their
    covariance is [K⁻¹]_BB⁻¹: the block inverse, so that nothing is fitted again.

    Parameters
    ----------
    inverse : [molecule, molecule]
    z : [molecule]
    fold : [molecule]
    """
    weights = inverse @ z
    off, deviations = np.empty_like(z), np.empty_like(z)
    for number in np.unique(fold):
        block = np.flatnonzero(fold == number)
        covariance = np.linalg.inv(inverse[np.ix_(block, block)])
        off[block] = covariance @ weights[block]
        deviations[block] = np.sqrt(np.maximum(np.diag(covariance), 1e-12))
    return off, deviations


def _choose(features: Features, z: Floats, fold: Places) -> tuple[tuple[float, ...], float]:
    best: tuple[float, tuple[float, ...], float] | None = None
    for shares in SHARES:
        likeness = kernel(features, features, shares)
        for noise in NOISES:
            error = _rms(left_out(_inverse(likeness, noise), z, fold)[0])
            if best is None or error < best[0]:
                best = (error, shares, noise)
    assert best is not None
    return best[1], best[2]


def _inverse(likeness: Floats, noise: float) -> Floats:
    inverse: Floats = np.linalg.inv(likeness + LEVEL + noise * np.eye(len(likeness))).astype(np.float64)
    return inverse


def _rms(values: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _quantile(ratios: Floats, share: float) -> float:
    """Split conformal: of n ratios the ⌈(n + 1) share⌉-th smallest."""
    ranked = np.sort(ratios)
    return float(ranked[min(len(ranked), math.ceil((len(ranked) + 1) * share)) - 1])


def _spearman(a: Floats, b: Floats) -> float:
    first, second = (np.argsort(np.argsort(values, kind="stable"), kind="stable") for values in (a, b))
    first, second = first - first.mean(), second - second.mean()
    return float((first @ second) / np.sqrt((first @ first) * (second @ second)))


# --- keeping


def save(model: Model, path: Path) -> None:
    """Write a model as one safetensors file: values, and the measured molecules and facts as its metadata.

    The kernel's inverse is made again on reading, so that the file grows with the table and not with
    its square.

    Raises
    ------
    CannotWrite
        The disk refused.
    """
    from safetensors.numpy import save as packed

    told = {"format": FORMAT, "facts": json.dumps(asdict(model.facts)), "smiles": json.dumps(model.smiles)}
    publish(path, packed({"values": model.values}, metadata=told))


def load(path: Path) -> Model:
    """Read what `save` wrote; the same numbers as before, on the same versions.

    Raises
    ------
    LearningError
        There is no such file, or it is none of ours or damaged.
    """
    from safetensors import SafetensorError, safe_open

    if path.is_dir():
        raise LearningError(f"{path} is a folder; give the file in it, such as {path / 'model.safetensors'}")
    try:
        with safe_open(path, framework="numpy") as file:
            told = file.metadata() or {}
            if told.get("format") != FORMAT:
                raise LearningError(f"{path} holds {told.get('format', 'no model of ours')}, not {FORMAT}")
            values = np.asarray(file.get_tensor("values"), dtype=np.float64)
        facts = Facts(**{key: _frozen(value) for key, value in json.loads(told["facts"]).items()})
        smiles = tuple(json.loads(told["smiles"]))
        molecules = [Molecule.parse(one) for one in smiles]
    except FileNotFoundError:
        raise LearningError(f"{path}: there is no such file; discovery learn makes one") from None
    except (SafetensorError, OSError, KeyError, TypeError, json.JSONDecodeError, MoleculeError) as error:
        raise LearningError(f"{path} is no whole model: {error}") from error
    if len(values) != len(smiles) or not np.isfinite(values).all() or not values.std() > 0:
        raise LearningError(f"{path} is no whole model: {len(values)} values for {len(smiles)} molecules")
    features = Features.of(molecules)
    inverse = _inverse(kernel(features, features, facts.shares), facts.noise)
    z = (values - values.mean()) / values.std()
    return Model(facts, smiles, values, inverse, inverse @ z, features)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def card(facts: Facts, *, command: str, sha256: str) -> str:
    """What is to be known of a model before it is believed, in Markdown."""
    unit = f" {facts.unit}" if facts.unit else ""
    cut = "" if facts.given == facts.molecules else f", drawn from {facts.given:,}"
    outside = "none" if facts.rmse_outside is None else f"{facts.rmse_outside:.3g}{unit}"
    return f"""# {facts.name}

Predicts {facts.target} from {facts.table}: a Gaussian process on circular environments, atom pairs and descriptors.

| | |
|---|---|
| measured molecules | {facts.molecules:,}{cut}, {facts.scaffolds:,} scaffolds |
| error on scaffolds left out, RMSE | {facts.rmse:.3g}{unit}; their mean instead: {facts.rmse_mean:.3g}{unit} |
| rank correlation there | {facts.rank_correlation:.2f} |
| intervals meant for nine in ten hold | {facts.covered:.0%} |
| domain | similarity to the nearest measured molecule at least {facts.domain:.2f}; a molecule further off gets no number |
| error inside and outside the domain, RMSE | {facts.rmse_inside:.3g}{unit}, {outside} |
| likeness | shares {", ".join(f"{share:g}" for share in facts.shares)}; noise {facts.noise:g} |
| sha256 | `{sha256}` |

Kernel and noise were chosen on the same left-out scaffolds, from {len(SHARES) * len(NOISES)} pairs: the error is low by a little.
The file holds the measured molecules and values. Its licence is the table's.

    {command}
"""


# --- the door to campaigns


@dataclass(frozen=True)
class Learned:
    """What a model of `discovery learn` predicts, with one standard deviation as its error.

    A molecule less like the measured ones than the model's domain allows is `Missing`
    with OUT_OF_DOMAIN. `details` holds "low" and "high", between which nine in ten
    should lie, and the "nearest" measured molecule with its "similarity".

    Parameters
    ----------
    model : the file `discovery learn` wrote

    Raises
    ------
    LearningError
        It cannot be read.
    """

    model: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "model", Path(self.model))
        self._read()

    @property
    def column(self) -> Column:
        facts = self._read().facts
        unit = f" {facts.unit}" if facts.unit else ""
        return Column(
            facts.name,
            unit=facts.unit or "1",
            better=facts.better,
            title=f"predicted {facts.target}",
            about=f"learned from {facts.molecules:,} molecules of {facts.table}; "
            f"RMSE {facts.rmse:.2g}{unit} on scaffolds it had not seen",
        )

    @property
    def samples(self) -> tuple[str, ...]:
        """SMILES it can score, for conformance.py: some of the measured molecules."""
        return self._read().smiles[:5]

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        """One outcome per molecule, in the order given; none depends on the others."""
        return each("properties", self._one, molecules)

    def _one(self, molecule: Molecule) -> Score:
        model = self._read()
        values, deviations, alike, places = model.predict([molecule])
        value, deviation, similarity = float(values[0]), float(deviations[0]), float(alike[0])
        nearest = model.smiles[int(places[0])]
        if similarity < model.facts.domain:
            raise MoleculeError(
                Reason.OUT_OF_DOMAIN,
                f"{molecule.shown} is unlike every molecule of {model.facts.table}: similarity {similarity:.2f} to "
                f"the nearest, {nearest}; at least {model.facts.domain:.2f} is needed",
            )
        reach = deviation * model.facts.wide / model.facts.sigma
        return Score(
            value,
            error=deviation,
            details={
                "low": value - reach,
                "high": value + reach,
                "nearest": nearest,
                "similarity": similarity,
            },
        )

    def _read(self) -> Model:
        try:
            stamp = self.model.stat().st_mtime_ns
        except OSError:
            stamp = 0
        return _known(self.model, stamp)


@lru_cache(maxsize=4)
def _known(path: Path, stamp: int) -> Model:
    return load(path)
