"""Where do the ligand force field's figures come from?

By default from our table of the published Open Force Field 2.2.1 ("Sage"), which needs
no network and no other package. An official `.offxml` file loads from its path, or by
name where a package that carries such files is installed.

References
----------
.. [1] Boothroyd et al., J. Chem. Theory Comput. 19, 3251 (2023), doi 10.1021/acs.jctc.3c00039.
.. [2] Open Force Field Initiative, openff-forcefields, openff_unconstrained-2.2.1.offxml, CC BY 4.0.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from functools import lru_cache
from importlib.metadata import entry_points
from importlib.resources import files
from pathlib import Path

from docking.dynamics.parameters.smirnoff import LigandForceField, Parameter, pattern
from docking.receptor import DockingError

DEFAULT = "sage-2.2.1"

_SECTIONS = {
    "Bonds": ("Bond", 2),
    "Angles": ("Angle", 3),
    "ProperTorsions": ("Proper", 4),
    "ImproperTorsions": ("Improper", 4),
    "vdW": ("Atom", 1),
}
# Said in a file, but no part of a ligand's valence terms: charges are ours, see charges.py.
_PASSED_OVER = {
    "Author",
    "Date",
    "Constraints",
    "Electrostatics",
    "LibraryCharges",
    "ToolkitAM1BCC",
    "NAGLCharges",
    "ChargeIncrementModel",
}
_UNITS: dict[str, tuple[float, dict[str, int]]] = {  # factor to Å, rad, kcal, mol; dimension
    "angstrom": (1.0, {"length": 1}),
    "nanometer": (10.0, {"length": 1}),
    "degree": (0.017453292519943295, {"angle": 1}),
    "radian": (1.0, {"angle": 1}),
    "kilocalorie": (1.0, {"energy": 1}),
    "kilojoule": (1.0 / 4.184, {"energy": 1}),
    "kilocalorie_per_mole": (1.0, {"energy": 1, "amount": -1}),
    "kilojoule_per_mole": (1.0 / 4.184, {"energy": 1, "amount": -1}),
    "kilocalories_per_mole": (1.0, {"energy": 1, "amount": -1}),
    "kilojoules_per_mole": (1.0 / 4.184, {"energy": 1, "amount": -1}),
    "mole": (1.0, {"amount": 1}),
    "dimensionless": (1.0, {}),
}


class ForceFieldError(DockingError):
    """A force field file cannot be used. The message names the file, the line's id and what to do."""


def force_field(source: str | Path = DEFAULT) -> LigandForceField:
    """The force field of that name or path.

    Parameters
    ----------
    source
        "sage-2.2.1" (ours, offline), the path of an `.offxml`, or the file name of
        one that an installed package offers ("openff-2.2.1.offxml").

    Raises
    ------
    ForceFieldError
        No such file; or the file holds what this assigner has no model for.
    """
    if str(source) == DEFAULT:
        return _sage()
    path = Path(source)
    if not path.exists():
        path = _installed(str(source))
    return _loaded(path.resolve())


@lru_cache(maxsize=1)
def _sage() -> LigandForceField:
    text = files("docking.dynamics").joinpath("data", f"{DEFAULT}.json").read_text("utf-8")
    table = json.loads(text)

    def section(name: str) -> tuple[Parameter, ...]:
        return tuple(Parameter(row[0], row[1], tuple(map(float, row[2:]))) for row in table[name])

    return LigandForceField(
        name=table["name"],
        bonds=section("bonds"),
        angles=section("angles"),
        propers=section("propers"),
        impropers=section("impropers"),
        vdw=section("vdw"),
    )


def _installed(name: str) -> Path:
    for point in entry_points(group="openforcefield.smirnoff_forcefield_directory"):
        for folder in point.load()():
            if (Path(folder) / name).exists():
                return Path(folder) / name
    raise ForceFieldError(
        f"there is no force field {name!r}: it is neither {DEFAULT!r}, nor a file, nor offered by an "
        "installed package; give the path of an .offxml file"
    )


@lru_cache(maxsize=8)
def _loaded(path: Path) -> LigandForceField:
    try:
        root = ET.parse(path).getroot()
    except ET.ParseError as error:
        raise ForceFieldError(f"{path} is no XML file: {error}; give an official .offxml file") from error
    if root.tag != "SMIRNOFF":
        raise ForceFieldError(
            f"{path} starts with <{root.tag}>, not <SMIRNOFF>; give an official .offxml file"
        )
    model = root.get("aromaticity_model")
    if model != "OEAroModel_MDL":
        raise ForceFieldError(
            f"{path} wants the aromaticity model {model!r}; only OEAroModel_MDL is known here"
        )
    parts: dict[str, tuple[Parameter, ...]] = {}
    scales = {"vdW": 0.5, "Electrostatics": 0.8333333333}
    for section in root:
        if section.tag in scales:
            scales[section.tag] = float(section.get("scale14", scales[section.tag]))
        if section.tag in _SECTIONS:
            if (
                section.tag == "vdW"
                and section.get("combining_rules", "Lorentz-Berthelot") != "Lorentz-Berthelot"
            ):
                raise ForceFieldError(f"{path}: only Lorentz-Berthelot combining rules are known here")
            parts[section.tag] = _section(path, section)
        elif section.tag not in _PASSED_OVER:
            raise ForceFieldError(
                f"{path} holds a section <{section.tag}> that a plain ligand System cannot express; use a Sage 2.x file"
            )
    if missing := sorted(set(_SECTIONS) - set(parts)):
        raise ForceFieldError(f"{path} lacks the section(s) {', '.join(missing)}")
    return LigandForceField(
        name=path.stem,
        bonds=parts["Bonds"],
        angles=parts["Angles"],
        propers=parts["ProperTorsions"],
        impropers=parts["ImproperTorsions"],
        vdw=parts["vdW"],
        scale14_vdw=scales["vdW"],
        scale14_coulomb=scales["Electrostatics"],
    )


def _section(path: Path, section: ET.Element) -> tuple[Parameter, ...]:
    tag, n_atoms = _SECTIONS[section.tag]
    rows = []
    for line in section:
        where = f"{path}, <{section.tag}>, {line.get('id', 'a line with no id')}"
        if line.tag != tag:
            raise ForceFieldError(f"{where}: <{line.tag}> is not known here; use a Sage 2.x file")
        smirks = line.get("smirks", "")
        try:
            _, mapped = pattern(smirks)
        except ValueError as error:
            raise ForceFieldError(f"{where}: {error}") from error
        if len(mapped) != n_atoms:
            raise ForceFieldError(f"{where}: {smirks} maps {len(mapped)} atoms, {n_atoms} are needed")
        rows.append(Parameter(line.get("id", smirks), smirks, _values(where, section.tag, line)))
    return tuple(rows)


def _values(where: str, section: str, line: ET.Element) -> tuple[float, ...]:
    def number(key: str, unit: str) -> float:
        text = line.get(key)
        if text is None:
            raise ForceFieldError(f"{where}: there is no {key!r}; fractional bond orders are not known here")
        return quantity(text, unit, f"{where}, {key}")

    if section == "Bonds":
        return number("length", "angstrom"), number("k", "kilocalorie_per_mole * angstrom ** -2")
    if section == "Angles":
        return number("angle", "degree"), number("k", "kilocalorie_per_mole * radian ** -2")
    if section == "vdW":
        depth = number("epsilon", "kilocalorie_per_mole")
        if line.get("rmin_half") is not None:
            return number("rmin_half", "angstrom"), depth
        return number("sigma", "angstrom") * 2.0 ** (1.0 / 6.0) / 2.0, depth
    values: list[float] = []
    i = 1
    while line.get(f"periodicity{i}") is not None:
        divisor = line.get(f"idivf{i}")
        if divisor is None and section == "ProperTorsions":
            raise ForceFieldError(f"{where}: there is no 'idivf{i}', and counting it is not known here")
        values += [
            number(f"periodicity{i}", "dimensionless"),
            number(f"phase{i}", "degree"),
            number(f"k{i}", "kilocalorie_per_mole"),
            3.0 if divisor is None else float(divisor),  # an improper's trefoil: three share the barrier
        ]
        i += 1
    if not values:
        raise ForceFieldError(f"{where}: a torsion with no term")
    return tuple(values)


def quantity(text: str, unit: str, where: str = "") -> float:
    """A number with units, as the files write it, in the unit wanted.

    Raises
    ------
    ForceFieldError
        If it is no number, or its dimension is another.

    Examples
    --------
    >>> quantity("0.15 * nanometer ** 1", "angstrom")
    1.5
    """
    head, _, rest = text.partition("*")
    try:
        value = float(head)
    except ValueError as error:
        raise ForceFieldError(f"{where}: {text!r} does not start with a number") from error
    factor, dimension = _parsed_unit(rest or "dimensionless", where)
    wanted, wanted_dimension = _parsed_unit(unit, where)
    if dimension != wanted_dimension:
        raise ForceFieldError(f"{where}: {text!r} is not in a unit like {unit}")
    return value if factor == wanted else value * (factor / wanted)


@lru_cache(maxsize=256)
def _parsed_unit(text: str, where: str) -> tuple[float, frozenset[tuple[str, int]]]:
    factor = 1.0
    powers: dict[str, int] = {}
    for token in text.replace(" ", "").replace("**", "^").replace("/", "*1/").split("*"):
        match = re.fullmatch(r"(1/)?([a-z_]+?)(?:\^(-?\d+))?", token)
        if match is None or match[2] not in _UNITS:
            raise ForceFieldError(f"{where}: the unit {text.strip()!r} is not known here")
        power = int(match[3] or 1) * (-1 if match[1] else 1)
        size, dimensions = _UNITS[match[2]]
        factor *= size**power
        for dimension, count in dimensions.items():
            powers[dimension] = powers.get(dimension, 0) + count * power
    return factor, frozenset((d, p) for d, p in powers.items() if p)
