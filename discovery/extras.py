"""Which extra brings a library that is not installed?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Inside, a library that cannot be imported is named with the command that brings it.

    Raises
    ------
    ImportError
        A library is absent, or does not load.
    """
    try:
        yield
    except ImportError as error:
        command = f"pip install 'discovery-workbench[{extra}]'"
        raise ImportError(f"{error}; it needs: {command}", name=error.name) from error
