"""What the tests of mined tables all read: the example's articles, mined once. None of them writes there."""

from __future__ import annotations

from pathlib import Path

import pytest

from literature.mining import mine


@pytest.fixture(scope="session")
def mined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("mined")
    mine(["example"], out)
    return out
