"""How does a scorer, or who reads papers, live in a process of its own, where its death costs nobody else?

A fresh interpreter is started for it, so nothing is inherited but the environment:
threads are pinned before any library is loaded, no lock or accelerator context is half
copied, and the caller's script is not run again.
Parent and child exchange one JSON line at a time over pipes; molecules travel as
SMILES, and nothing is pickled. The child builds its scorer once and keeps it. What else
lives so (`literature.mining`) begins its own `main` with `hired`.

The child ends with its parent, however that dies: it ends when its standard input
does, and on Linux the kernel kills it too, in case C code keeps that thread waiting.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from discovery.devices import peak_memory_gb
from discovery.ledger import canonical
from discovery.molecule import Molecule
from discovery.outcome import Missing, Reason
from discovery.plugins import PluginError, build
from discovery.score import NotFinite, Score

Message = dict[str, Any]

# the child finds modules where its parent does; not by PYTHONPATH, which its own children would inherit
START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from {home} import main; main()"

SHARED_GPU = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}  # or the first worker takes the device's memory whole
ONE_THREAD = dict.fromkeys(
    (
        "OMP_NUM_THREADS",
        "OPENBLAS_NUM_THREADS",
        "MKL_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
        "VECLIB_MAXIMUM_THREADS",
        "OPENMM_CPU_THREADS",
    ),
    "1",
)


class BrokenPromise(TypeError):
    """A scorer answered something that is no list of outcomes. The message says what."""


# --- what both sides say


def packed(outcome: Score | Missing) -> list[Any]:
    """An outcome as plain JSON; numbers keep every bit, since JSON writes the shortest exact decimal."""
    if isinstance(outcome, Missing):
        return [outcome.stage, outcome.reason.value, outcome.detail]
    error = None if outcome.error is None else float(outcome.error)
    return [float(outcome.value), error, dict(outcome.details), None]


def unpacked(cells: Sequence[Any]) -> Score | Missing:
    """The way back."""
    if len(cells) == 3:
        return Missing(cells[0], Reason(cells[1]), cells[2])
    return Score(cells[0], cells[1], cells[2])


def answer(scorer: Any, molecules: Sequence[Molecule], found: Sequence[Score] | None) -> Message:
    """What a scorer says of some molecules, or what became of the attempt.

    One of {"rows": ...}, {"reason": ..., "detail": ...} (a machine's fault, of one of
    these molecules) or {"bug": ..., "traceback": ...} (the run must stop).
    """
    try:
        outcomes = scorer(molecules) if found is None else scorer.refine(molecules, found)
        rows = checked(outcomes, len(molecules))
        return {"rows": json.loads(canonical(rows))}  # in this process too, so that both give the same
    except MemoryError:
        return {"reason": Reason.OUT_OF_MEMORY.value, "detail": "ran out of memory"}
    except NotFinite as error:
        return {"reason": Reason.BAD_ANSWER.value, "detail": str(error)}
    except Exception as error:  # a bug of the scorer: carried to the parent, which stops the run
        text = "".join(traceback.format_exception(error))
        kind = "promise" if isinstance(error, BrokenPromise) else type(error).__name__
        return {
            "bug": f"{error}" if kind == "promise" else f"{kind}: {error}",
            "kind": kind,
            "traceback": text,
        }


def checked(outcomes: Any, n: int) -> list[list[Any]]:
    """A scorer's answer as plain JSON.

    Raises
    ------
    BrokenPromise
        Not one `Score` or `Missing` per molecule, or details that are no plain JSON.
    NotFinite
        NaN or infinity among errors or details.
    """
    if isinstance(outcomes, str | bytes) or not isinstance(outcomes, Sequence):
        raise BrokenPromise(f"it answered a {type(outcomes).__name__}, not a sequence of Score or Missing")
    if len(outcomes) != n:
        raise BrokenPromise(f"it was given {n} molecules and answered {len(outcomes)}")
    rows = []
    for i, outcome in enumerate(outcomes):
        if not isinstance(outcome, Score | Missing):
            raise BrokenPromise(
                f"outcome {i + 1} of {n} is a {type(outcome).__name__}, neither Score nor Missing (discovery.score.Score(value) makes one)"
            )
        row = packed(outcome)
        try:
            canonical(row)
        except ValueError as error:
            raise NotFinite("its error or its details hold NaN or infinity") from error
        except TypeError as error:
            raise BrokenPromise(f"details of outcome {i + 1} of {n} are no plain JSON: {error}") from error
        rows.append(row)
    return rows


# --- the parent's side


class Inbox(Protocol):
    """Where workers' messages arrive; None when the worker has died."""

    def put(self, item: tuple[Worker, Message | None], /) -> None: ...


class Worker:
    """A child process that does what `main` of the module `home` does, seen from its parent."""

    def __init__(
        self,
        order: Message,  # the first it hears
        inbox: Inbox,
        gpu: int | None = None,  # the only device it may see, as CUDA counts; None leaves all as they are
        home: str = "discovery.workers.worker",
        threads: int = 1,
    ) -> None:
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - close() closes it
        path = json.dumps([entry or os.getcwd() for entry in sys.path])
        self.gpu = gpu
        device = {} if gpu is None else {"CUDA_VISIBLE_DEVICES": str(gpu)}
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", START.format(home=home), path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env={**os.environ, **dict.fromkeys(ONE_THREAD, str(threads)), **SHARED_GPU, **device},
            start_new_session=True,  # a Ctrl-C in the terminal is the parent's to act on
        )
        self.pid = self._process.pid
        self.built = False
        self._reader = threading.Thread(target=self._listen, args=(inbox,), daemon=True)
        self._reader.start()
        self.send({**order, "parent": os.getpid()})

    def send(self, message: Message) -> None:
        """Never fails and never waits: a frozen child may read nothing, a dead one's end is heard in the inbox."""
        data = (canonical(message) + "\n").encode()
        threading.Thread(target=self._write, args=(data,), daemon=True).start()

    def _write(self, data: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(data)
            self._process.stdin.flush()

    def kill(self) -> None:
        """End it now, with everything it started."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """After it has died, or to let it end: no process and no file stays behind."""
        self.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout, self._stderr):
            with suppress(BrokenPipeError):
                if stream is not None:
                    stream.close()

    def end(self) -> tuple[int, str]:
        """How it died: the exit status (negative: the signal) and the last of what it said."""
        status = self._process.wait()
        size = self._stderr.seek(0, os.SEEK_END)
        self._stderr.seek(max(0, size - 2000))
        return status, self._stderr.read().decode("utf-8", "replace").strip()

    def _listen(self, inbox: Inbox) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if not line.endswith(b"\n"):
                break  # died in the middle of a word
            inbox.put((self, json.loads(line)))
        inbox.put((self, None))


def ending(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"ended its process with exit status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


def obituary(status: int, said: str) -> Message:
    """A worker's death as an answer: what it says of the molecules it was busy with.

    No measured seconds in the words: the same death reads the same in every run.
    """
    detail = ending(status)
    if status == -signal.SIGKILL:
        detail += "; the system kills so when memory is short"
        return {"reason": Reason.OUT_OF_MEMORY.value, "detail": detail, "outside": True}
    if any(words in said for words in ("bad_alloc", "MemoryError", "out of memory", "Out of memory")):
        return {"reason": Reason.OUT_OF_MEMORY.value, "detail": f"ran out of memory: it {detail}"}
    return {"reason": Reason.CRASHED.value, "detail": detail}


# --- the child's side


def hired() -> tuple[Message, Callable[[], Message], Callable[[Message], None]]:
    """The life of a child begins: its first order, how it hears the next, and how it answers."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a scorer prints must not be taken for an answer
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent decides when to end
        signal.signal(number, signal.SIG_IGN)
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_follow_parent, args=(lines,), daemon=True).start()

    def hear() -> Message:
        order: Message = json.loads(lines.get())
        return order

    def say(message: Message) -> None:
        out.write(canonical(message) + "\n")
        out.flush()

    order = hear()
    die_with_parent(order["parent"])
    first_when_memory_is_short()
    return order, hear, say


def main() -> None:
    """Build the scorer named in a line, then answer line by line until another is named or the parent is gone."""
    task, hear, say = hired()
    built: dict[str, Any] = {}
    while True:
        if "use" in task:
            named = canonical([task["use"], task["settings"]])
            try:
                if named not in built:
                    built[named] = build("scorers", task["use"], task["settings"])
                scorer = built[named]
                say({"column": scorer.column.name})
            except PluginError as error:
                say({"refused": str(error)})
                return
            except Exception as error:  # a bug while building: carried to the parent, which stops the run
                text = traceback.format_exc()
                say({"bug": f"{type(error).__name__}: {error}", "kind": "build", "traceback": text})
                return
            task = hear()
            continue
        molecules = [Molecule(smiles, name) for smiles, name in task["molecules"]]
        given = task["found"]
        found = (
            None if given is None else [Score(value, error, details) for value, error, details, _ in given]
        )
        reply = answer(scorer, molecules, found)
        try:
            say({**reply, "peak_gb": peak_memory_gb()})
        except MemoryError:
            say({"reason": Reason.OUT_OF_MEMORY.value, "detail": "ran out of memory while answering"})
        task = hear()


def _follow_parent(lines: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        lines.put(line)
    os.killpg(0, signal.SIGKILL)  # the parent is gone, or wants no more: take along whatever was started here


def die_with_parent(parent: int) -> None:
    """See that this process, and what it starts, is killed when its parent ends, however that ends."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG, from linux/prctl.h
        if os.getppid() != parent:  # it died before the kernel was told
            os.killpg(0, signal.SIGKILL)


def first_when_memory_is_short() -> None:
    """See that Linux, out of memory, kills this process rather than the one that waits for it."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500")  # of -1000 to 1000; may always be raised
