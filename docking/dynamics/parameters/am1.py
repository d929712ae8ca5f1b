"""What charges does AM1 give a molecule? Asked of MOPAC, in a process of its own.

A crash, a hang or a refusal there is one `Am1Failed` here, with the next question
answered by a fresh process. Threads are pinned to one: MOPAC's OpenMP otherwise spins
on every core for less speed.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from types import TracebackType
from typing import Any

import numpy as np

from docking.dynamics.terms import Floats, Ints

_PINNED = {"OMP_NUM_THREADS": "1", "KMP_BLOCKTIME": "0", "MKL_NUM_THREADS": "1"}


class Am1Failed(RuntimeError):
    """MOPAC gave no charges for this molecule: it refused, crashed or took too long."""


@dataclass
class Mopac:
    """A MOPAC process that answers one question after another; use it as a context manager.

    Raises
    ------
    ImportError
        If mopactools is not installed.
    """

    seconds: float = 300.0  # per molecule
    _child: subprocess.Popen[str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if find_spec("mopactools") is None:
            raise ImportError("AM1-BCC charges need: pip install 'discovery-workbench[dynamics]'")

    def __enter__(self) -> Mopac:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process, if there is one."""
        if self._child is not None:
            self._child.kill()
            self._child.communicate()
            self._child = None

    def charges(
        self, numbers: Ints, xyz: Floats, charge: int, *, relax: bool = True, tolerance: float = 1.0
    ) -> tuple[Floats, Floats]:
        """AM1 population charges.

        Parameters
        ----------
        numbers : [atom], atomic numbers
        xyz : [atom, 3], Å
        charge : e
        relax
            Go to the nearest AM1 minimum first, as AM1-BCC was parametrised.
        tolerance
            How loosely the minimum is approached; 1 is MOPAC's own criterion.

        Returns
        -------
        charges : [atom], e
        xyz : [atom, 3], Å; the minimum if relaxed

        Raises
        ------
        Am1Failed
            With MOPAC's own words where it gave any.
        """
        question = {
            "numbers": [int(z) for z in numbers],
            "xyz": np.asarray(xyz, dtype=np.float64).tolist(),
            "charge": charge,
            "relax": relax,
            "tolerance": tolerance,
            "seconds": max(1, int(self.seconds)),
        }
        answer = self._asked(question)
        if "error" in answer:
            raise Am1Failed(f"MOPAC refused: {answer['error']}")
        return np.array(answer["charges"]), np.array(answer["xyz"])

    def _asked(self, question: dict[str, Any]) -> dict[str, Any]:
        child = self._child if self._child is not None and self._child.poll() is None else self._started()
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            child.stdin.write(json.dumps(question) + "\n")
            child.stdin.flush()
            with selectors.DefaultSelector() as ready:
                ready.register(child.stdout, selectors.EVENT_READ)
                if not ready.select(timeout=self.seconds):
                    self.close()
                    raise Am1Failed(
                        f"MOPAC took more than {self.seconds:.0f} s; raise the limit or use another charge method"
                    )
            line = child.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            code = child.wait()
            self._child = None
            raise Am1Failed(f"MOPAC's process ended (exit status {code})")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _started(self) -> subprocess.Popen[str]:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "docking.dynamics.parameters.am1_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **_PINNED},
            text=True,
        )
        return self._child
