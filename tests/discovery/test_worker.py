"""A scorer in its own process: what goes in and out is exact, and nothing else leaks either way."""

from __future__ import annotations

import json
import os
import queue
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from discovery.ledger import canonical
from discovery.outcome import Missing, Reason
from discovery.score import NotFinite, Score
from discovery.workers.worker import (
    BrokenPromise,
    Message,
    Worker,
    answer,
    checked,
    ending,
    obituary,
    packed,
    unpacked,
)

PACKAGE = Path(__file__).resolve().parents[1] / "faults" / "plugin_package"
floats = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=200, derandomize=True)
@given(floats, st.none() | floats, st.dictionaries(st.text(max_size=4), floats, max_size=3))
def test_a_score_crosses_the_pipe_with_every_bit(
    value: float, error: float | None, details: dict[str, float]
) -> None:
    back = unpacked(json.loads(canonical(packed(Score(value, error, details)))))
    assert isinstance(back, Score)
    assert struct.pack("<d", back.value) == struct.pack("<d", value)
    assert back == Score(value, error, details)


def test_a_reason_crosses_the_pipe() -> None:
    missing = Missing("docking", Reason.NO_CONFORMER, "naïve \N{BENZENE RING}\n has none")
    assert unpacked(json.loads(canonical(packed(missing)))) == missing


def test_what_is_no_answer_is_refused() -> None:
    assert checked((Score(1), Missing("a", Reason.EMPTY, "b")), 2) == [
        [1.0, None, {}, None],
        ["a", "empty", "b"],
    ]
    for wrong, n in (("ab", 2), (None, 1), ([Score(1.0)], 2), ([1.0], 1), ([None], 1), ({1: Score(1.0)}, 1)):
        with pytest.raises(BrokenPromise):
            checked(wrong, n)
    with pytest.raises(BrokenPromise, match="plain JSON"):
        checked([Score(1.0, details={"bytes": b"x"})], 1)
    with pytest.raises(NotFinite):
        checked([Score(1.0, details={"deep": [float("nan")]})], 1)
    with pytest.raises(NotFinite):
        checked([Score(1.0, float("nan"))], 1)


def test_only_a_machines_fault_becomes_a_reason_the_rest_are_bugs() -> None:
    def raising(error: BaseException) -> Any:
        def scorer(_: Any) -> Any:
            raise error

        return scorer

    assert answer(raising(MemoryError()), [], None)["reason"] == "out_of_memory"
    assert answer(raising(NotFinite("nan")), [], None)["reason"] == "bad_answer"
    bug = answer(raising(ValueError("no such box")), [], None)
    assert bug["bug"] == "ValueError: no such box"
    assert "raise error" in bug["traceback"]
    with pytest.raises(KeyboardInterrupt):
        answer(raising(KeyboardInterrupt()), [], None)


def test_deaths_in_words() -> None:
    assert ending(0) == "ended its process with exit status 0"
    assert ending(-11) == "was killed by SIGSEGV"
    assert ending(-99) == "was killed by signal 99"
    assert (
        obituary(-6, "terminate called after throwing an instance of 'std::bad_alloc'")["reason"]
        == "out_of_memory"
    )
    assert obituary(-6, "double free")["reason"] == "crashed"
    assert obituary(-9, "").get("outside")
    assert not obituary(-11, "").get("outside")


def test_a_scorer_may_print_and_its_process_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(PACKAGE))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    inbox: queue.Queue[tuple[Worker, Message | None]] = queue.Queue()
    worker = Worker({"use": "toy_chatty", "settings": {}}, inbox)
    try:
        assert inbox.get(timeout=60) == (worker, {"column": "toy_chatty"})
        worker.send({"molecules": [["C", "methane"]], "found": None})
        _, message = inbox.get(timeout=60)
        assert message is not None
        (row,) = message["rows"]
        details = row[2]
        assert details["OMP_NUM_THREADS"] == details["MKL_NUM_THREADS"] == "1"
        assert details["PYTHONPATH"] is None
        assert details["pid"] == details["session"] == worker.pid != os.getpid()
        assert 0 < message["peak_gb"] < 2
        if sys.platform == "linux":  # of the two the kernel, out of memory, takes the worker
            assert Path(f"/proc/{worker.pid}/oom_score_adj").read_text().strip() == "500"
        worker.kill()
        assert inbox.get(timeout=60) == (worker, None)
        status, said = worker.end()
        assert status == -9
        assert "hello from below" in said
    finally:
        worker.close()
