"""Told once, a run winds up; told twice, it stops at once; afterwards everything is as it was."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from discovery.workers.interrupt import Interrupted, stopping


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


def test_what_is_raised_where_python_drops_it_is_said_again() -> None:
    """As in JAX's callback for the garbage collector, through which a SIGTERM was lost."""

    class Told:
        def __del__(self) -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            for _ in range(100):  # the handler runs between two instructions
                pass

    with pytest.raises(Interrupted), stopping(at_once=True):  # noqa: PT012
        Told()
        time.sleep(20)
