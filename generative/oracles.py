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
import os
import selectors
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, NoReturn

from discovery.outcome import Missing, Reason, UserError
from discovery.workers.worker import ending
from generative.refusal import SettingError

STAGE = "oracle"
READY = b"!"  # a child's first word
FRESH = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from generative.oracles import serve; serve(*sys.argv[2:])"
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
                index = child.index
                answers[index] = child.answer(smiles[index], timeout_s)
                if child.alive and waiting:
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

    pid: int
    to: BinaryIO
    back: BinaryIO
    index: int = -1
    deadline: float = 0.0
    said: bytes = b""
    alive: bool = True
    deaf: bool = False  # its end of the pipe is closed: it has died
    status: int | None = None

    @classmethod
    def start(cls, oracle: Oracle) -> _Child:
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        address = _address(oracle) if "jax" in sys.modules else None
        if address:
            pid = _spawned(address, theirs_in, theirs_out)
        else:
            pid = os.fork()
            if pid == 0:
                os.close(ours_in)
                os.close(ours_out)
                _serve(oracle, theirs_in, theirs_out)
        os.close(theirs_in)
        os.close(theirs_out)
        child = cls(pid, os.fdopen(ours_out, "wb", 0), os.fdopen(ours_in, "rb", 0))
        if child.back.read(1) != READY:
            child.end(gone=True)
            raise OracleError(
                f"a process to ask {':'.join(address or ('the oracle',))} in could not be started; "
                "what it said is above"
            )
        return child

    def take(self, index: int, smiles: Sequence[str], timeout_s: float) -> None:
        self.index, self.said, self.deadline = index, b"", time.monotonic() + timeout_s
        with suppress(BrokenPipeError):  # its death is heard when it is listened to
            self.to.write(json.dumps(smiles[index]).encode() + b"\n")

    def listen(self) -> bool:
        """Whether its answer is whole, or it has died."""
        more = os.read(self.back.fileno(), 65_536)
        self.said += more
        self.deaf = not more
        return self.deaf or self.said.endswith(b"\n")

    def answer(self, smiles: str, timeout_s: float) -> Answer:
        if self.said.endswith(b"\n"):
            told = json.loads(self.said)
            if "refused" in told:
                raise OracleError(told["refused"])
            missing = told.get("missing")
            return Missing(missing[0], Reason(missing[1]), missing[2]) if missing else float(told["value"])
        self.alive = False
        if not self.deaf:
            return Missing(STAGE, Reason.TIMED_OUT, f"{smiles}: took longer than {timeout_s:g} s")
        return Missing(STAGE, Reason.CRASHED, f"{smiles}: the oracle {ending(self.end(gone=True))}")

    def end(self, *, gone: bool = False) -> int:
        """Its exit status; it is killed unless it is `gone` by itself."""
        if self.status is None:
            self.alive = False
            self.to.close()
            self.back.close()
            if not gone:
                os.kill(self.pid, signal.SIGKILL)  # not buried yet, so the number is still its own
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.status


def _address(oracle: Oracle) -> tuple[str, str] | None:
    """Module and name under which a fresh interpreter finds the oracle; None where it finds none."""
    module, name = getattr(oracle, "__module__", ""), getattr(oracle, "__qualname__", "")
    found = getattr(sys.modules.get(module), name, None)
    return (module, name) if found is oracle and module != "__main__" else None


def _spawned(address: tuple[str, str], source: int, sink: int) -> int:
    """The number of a fresh interpreter that serves the oracle at `address`."""
    for pipe in (source, sink):
        os.set_inheritable(pipe, True)
    told = [json.dumps(sys.path), *address, str(source), str(sink)]
    return os.posix_spawn(sys.executable, [sys.executable, "-c", FRESH, *told], os.environ)


def serve(module: str, name: str, source: str, sink: str) -> NoReturn:
    """What a fresh interpreter does."""
    _serve(getattr(importlib.import_module(module), name), int(source), int(sink))


def _heard(children: Sequence[_Child]) -> list[_Child]:
    """Those that have answered, died, or are late; waits for the first."""
    with selectors.DefaultSelector() as listening:
        for child in children:
            listening.register(child.back, selectors.EVENT_READ, child)
        patience = max(0.0, min(child.deadline for child in children) - time.monotonic())
        spoke = [key.data for key, _ in listening.select(patience)]
    done = [child for child in spoke if child.listen()]
    now = time.monotonic()
    return done + [child for child in children if child not in done and now >= child.deadline]


def _serve(oracle: Oracle, source: int, sink: int) -> NoReturn:
    """The child's side: one molecule a line in, one answer a line out, until the parent closes the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to act on
    try:
        with os.fdopen(source, "rb") as lines, os.fdopen(sink, "wb", 0) as out:
            out.write(READY)
            for line in lines:
                try:
                    answer = ask(oracle, [json.loads(line)])[0]
                except OracleError as error:
                    told: dict[str, object] = {"refused": str(error)}
                else:
                    told = (
                        {"missing": [answer.stage, answer.reason.value, answer.detail]}
                        if isinstance(answer, Missing)
                        else {"value": answer}
                    )
                out.write(json.dumps(told).encode() + b"\n")
    finally:
        os._exit(0)  # nothing of the parent's, such as its files, must be tidied up here
