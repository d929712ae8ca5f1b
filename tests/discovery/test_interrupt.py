"""Told once, a run winds up; told twice, it stops at once; afterwards everything is as it was."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from discovery.interrupt import Interrupted, stopping


def handlers() -> list[object]:
    return [signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)]


def test_the_first_time_is_noted_the_second_stops() -> None:
    before = handlers()
    with pytest.raises(Interrupted, match="SIGTERM"), stopping() as told:  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        assert told == ["SIGINT"]
        os.kill(os.getpid(), signal.SIGTERM)
    assert handlers() == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_at_once(number: signal.Signals) -> None:
    with pytest.raises(Interrupted, match=f"{number.name}.*run again"), stopping(at_once=True):
        os.kill(os.getpid(), number)


def test_nobody_s_except_clause_swallows_it() -> None:
    assert issubclass(Interrupted, KeyboardInterrupt)
    assert not issubclass(Interrupted, Exception)


def test_in_another_thread_signals_stay_as_they_were() -> None:
    seen: list[bool] = []

    def work() -> None:
        before = handlers()
        with stopping() as told:
            seen.append(handlers() == before and told == [])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True]
