"""How is an oracle asked that may raise, answer nonsense, hang or die?

An oracle is any callable that turns SMILES into desirabilities. Asked directly, it gets a
batch at once, and molecules one by one when the batch raised or came back too short. Asked
apart, it is copied into child processes that each take one molecule at a time: several are
in flight, one that takes too long is killed, and a death costs the molecule it happened on.
"""

from __future__ import annotations

import importlib
import json
import math
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, Pipe, wait
from multiprocessing.process import BaseProcess

from discovery.outcome import Missing, Reason, UserError
from discovery.workers.worker import ending
from generative.refusal import SettingError

STAGE = "oracle"
FRESH = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from generative.oracles import serve; serve(*sys.argv[2:])"
_FORK = get_context("fork")
Answer = float | Missing
Oracle = Callable[[Sequence[str]], Sequence[Answer]]


class OracleError(UserError, ValueError):
    """The oracle does not keep its promise; the message says how."""


def ask(oracle: Oracle, smiles: Sequence[str]) -> list[Answer]:
    """The oracle's answers, checked. If the batch fails, each molecule is asked about alone.

    Raises
    ------
    OracleError
        A number outside 0 to 1: every other answer is then in doubt too.
    """
    try:
        answers = list(oracle(smiles))
        wrong = ""
        if len(answers) != len(smiles):
            wrong = f"the oracle was asked about {len(smiles)} and answered {len(answers)}"
    except Exception as error:  # an oracle may fail in any way; what is lost is said, molecule by molecule
        answers, wrong = [], f"{type(error).__name__}: {error}"
        if len(smiles) == 1:
            return [Missing(STAGE, Reason.CRASHED, f"{smiles[0]}: {wrong}")]
    if wrong and len(smiles) == 1:
        return [Missing(STAGE, Reason.BAD_ANSWER, f"{smiles[0]}: {wrong}")]
    if wrong:
        return [outcome for one in smiles for outcome in ask(oracle, [one])]
    return [_checked(one, answer) for one, answer in zip(smiles, answers, strict=True)]


def _checked(smiles: str, answer: Answer) -> Answer:
    if isinstance(answer, Missing):
        return answer
    try:
        value = float(answer)
    except (TypeError, ValueError):
        return Missing(STAGE, Reason.BAD_ANSWER, f"{smiles}: the oracle answered {answer!r}, no number")
    if math.isnan(value):
        return Missing(STAGE, Reason.BAD_ANSWER, f"{smiles}: the oracle answered NaN")
    if not 0.0 <= value <= 1.0:
        raise OracleError(f"{smiles}: the oracle answered {value}; map it to 0 (worst) to 1 (best) first")
    return value


def ask_apart(
    oracle: Oracle, smiles: Sequence[str], *, workers: int = 1, timeout_s: float = 600.0
) -> list[Answer]:
    """As `ask`, in child processes, one molecule at a time in each; in the order given.

    Parameters
    ----------
    workers : int
        Molecules in flight.
    timeout_s : float
        For one molecule, seconds; one that takes longer is TIMED_OUT and its process killed.

    Notes
    -----
    Processes are forked, so the oracle may be any callable, but must not rely on threads or on
    an accelerator that was in use before. Once JAX is loaded, whose threads a fork would leave
    hanging, an oracle that is a function of a module is asked in fresh interpreters instead.
    A registered scorer has none of these limits: `discovery steer` starts fresh interpreters.
    """
    if workers < 1 or timeout_s <= 0:
        raise SettingError(f"workers >= 1 and timeout_s > 0 are needed, not {workers} and {timeout_s}")
    waiting = deque(range(len(smiles)))
    answers: list[Answer | None] = [None] * len(smiles)
    children: list[_Child] = []
    try:
        while waiting or children:
            while waiting and len(children) < workers:
                children.append(_Child.start(oracle))
                children[-1].take(waiting.popleft(), smiles, timeout_s)
            for child in _heard(children):
                answers[child.index] = child.answer(smiles[child.index], timeout_s)
                if not child.ended and waiting:
                    child.take(waiting.popleft(), smiles, timeout_s)
                else:
                    child.end()
                    children.remove(child)
    finally:
        for child in children:
            child.end()
    return [answer for answer in answers if answer is not None]


@dataclass
class _Child:
    """A process with the oracle in it."""

    process: BaseProcess | subprocess.Popen[bytes]
    wire: Connection
    index: int = -1
    deadline: float = 0.0
    ended: bool = False

    @classmethod
    def start(cls, oracle: Oracle) -> _Child:
        ours, theirs = Pipe()
        address = _address(oracle) if "jax" in sys.modules else None
        child = cls(_fresh(*address, theirs) if address else _fork(oracle, theirs), ours)
        theirs.close()
        try:
            ours.recv_bytes()  # its first word
        except (EOFError, OSError):
            child.end(gone=True)
            raise OracleError(
                f"a process to ask {':'.join(address or ('the oracle',))} in could not be started; "
                "what it said is above"
            ) from None
        return child

    def take(self, index: int, smiles: Sequence[str], timeout_s: float) -> None:
        self.index, self.deadline = index, time.monotonic() + timeout_s
        with suppress(OSError):  # its death is heard when it is listened to
            self.wire.send_bytes(json.dumps(smiles[index]).encode())

    def answer(self, smiles: str, timeout_s: float) -> Answer:
        if not self.wire.poll():
            self.end()
            return Missing(STAGE, Reason.TIMED_OUT, f"{smiles}: took longer than {timeout_s:g} s")
        try:
            told = json.loads(self.wire.recv_bytes())
        except (EOFError, OSError):
            return Missing(STAGE, Reason.CRASHED, f"{smiles}: the oracle {ending(self.end(gone=True))}")
        if "refused" in told:
            raise OracleError(told["refused"])
        missing = told.get("missing")
        return Missing(missing[0], Reason(missing[1]), missing[2]) if missing else float(told["value"])

    def end(self, *, gone: bool = False) -> int:
        """Its exit status; it is killed unless it is `gone` by itself."""
        self.ended = True
        self.wire.close()
        if not gone:
            self.process.kill()
        if isinstance(self.process, subprocess.Popen):
            return self.process.wait()
        self.process.join()
        return self.process.exitcode or 0


def _address(oracle: Oracle) -> tuple[str, str] | None:
    """Module and name under which a fresh interpreter finds the oracle; None where it finds none."""
    module, name = getattr(oracle, "__module__", ""), getattr(oracle, "__qualname__", "")
    found = getattr(sys.modules.get(module), name, None)
    return (module, name) if found is oracle and module != "__main__" else None


def _fork(oracle: Oracle, wire: Connection) -> BaseProcess:
    process = _FORK.Process(target=_serve, args=(oracle, wire), daemon=True)
    process.start()
    return process


def _fresh(module: str, name: str, wire: Connection) -> subprocess.Popen[bytes]:
    """A fresh interpreter that serves the oracle of that name."""
    told = [json.dumps(sys.path), module, name, str(wire.fileno())]
    return subprocess.Popen([sys.executable, "-c", FRESH, *told], pass_fds=[wire.fileno()])


def serve(module: str, name: str, wire: str) -> None:
    """What a fresh interpreter does."""
    _serve(getattr(importlib.import_module(module), name), Connection(int(wire)))


def _heard(children: Sequence[_Child]) -> list[_Child]:
    """Those that have answered, died, or are late; waits for the first."""
    patience = max(0.0, min(child.deadline for child in children) - time.monotonic())
    spoke = wait([child.wire for child in children], patience)
    now = time.monotonic()
    return [child for child in children if child.wire in spoke or now >= child.deadline]


def _serve(oracle: Oracle, wire: Connection) -> None:
    """The child's side: a molecule in, an answer out, until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to act on
    with suppress(EOFError, OSError):
        wire.send_bytes(b"ready")
        while True:
            smiles = json.loads(wire.recv_bytes())
            try:
                answer = ask(oracle, [smiles])[0]
            except OracleError as error:
                told: dict[str, object] = {"refused": str(error)}
            else:
                told = (
                    {"missing": [answer.stage, answer.reason.value, answer.detail]}
                    if isinstance(answer, Missing)
                    else {"value": answer}
                )
            wire.send_bytes(json.dumps(told).encode())
