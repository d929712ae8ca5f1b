"""What is said when the generator cannot do what it was asked?

Settings that contradict each other, files that cannot be read, values out of range: the
message names the setting, what is wrong with it, and what would do. All else is a bug.
"""

from __future__ import annotations

from collections.abc import Iterable

from discovery.outcome import UserError


class SettingError(UserError, ValueError):
    """A setting or a file given to the generator cannot be used as it is."""


def check_weights(light: float, heavy: float) -> None:
    """Refuse bounds of molecular weight that nothing lies between."""
    if not 0 < light < heavy:
        raise SettingError(f"min_weight {light} must be above 0 and below max_weight {heavy}")


def check_avoided(patterns: Iterable[str]) -> None:
    """Refuse what is no SMARTS."""
    from rdkit import Chem  # here: the command line's help needs none of it

    for smarts in patterns:
        if Chem.MolFromSmarts(smarts) is None:
            raise SettingError(f"avoid: {smarts} is not a SMARTS RDKit can read")
