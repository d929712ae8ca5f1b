"""What is said when the generator cannot do what it was asked?

Settings that contradict each other, files that cannot be read, values out of range: the
message names the setting, what is wrong with it, and what would do. All else is a bug.
"""

from __future__ import annotations

from discovery.outcome import UserError


class SettingError(UserError, ValueError):
    """A setting or a file given to the generator cannot be used as it is."""
