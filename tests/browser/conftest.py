"""One browser for the tests of this folder. It ends with them: what comes after may want an event loop of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.browser import started


@pytest.fixture(scope="package")
def running() -> Iterator[Callable[[], Any]]:
    with started() as found:
        yield found


@pytest.fixture
def browser(running: Callable[[], Any]) -> Any:
    return running()
