"""Somebody's plug-ins, good and bad: installed for tests by putting this folder on the path."""

from __future__ import annotations

import ctypes
import os
import random
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from discovery.molecule import Molecule
from discovery.outcome import Missing, MoleculeError, Reason, each
from discovery.proposal import Lesson, Proposal
from discovery.score import Column, Score


def _note(log: str, molecules: Sequence[Molecule]) -> None:
    """Leave a trace of every computation, so that a test can count them across kills."""
    if log:
        with Path(log).open("a") as file:
            file.write("".join(f"{m.smiles}\n" for m in molecules))


def _carbons(molecule: Molecule) -> Score:
    count = molecule.smiles.count("C")
    if count == 13:
        raise MoleculeError(Reason.OUT_OF_DOMAIN, f"{molecule.shown} is unlucky")
    return Score(count / 7, 0.1, {"text": f"{count} é \U0001f9ea", "numbers": [1, 0.1, None]})


@dataclass(frozen=True)
class Weight:
    """Counts carbons, keeping a log of what it was asked, and taking its time."""

    log: str = ""
    seconds: float = 0.0  # a molecule
    column = Column("toy_weight", unit="1", better="high")

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        _note(self.log, molecules)
        time.sleep(self.seconds * len(molecules))
        return each("toy", _carbons, molecules)


@dataclass(frozen=True)
class Culprits:
    """Four molecules, known by an element, each end their process or never end."""

    log: str = ""
    column = Column("toy_culprits", unit="1", better="high")

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        for molecule in molecules:
            _note(self.log, [molecule])
            if "[Se]" in molecule.smiles:
                ctypes.string_at(0)  # reads address zero
            if "[Si" in molecule.smiles:
                time.sleep(3600)
            if "[As" in molecule.smiles:
                resource.setrlimit(resource.RLIMIT_DATA, (2**30, resource.RLIM_INFINITY))
                hoard = []
                while True:
                    hoard.append(bytearray(2**30))
            if "B" in molecule.smiles:
                os._exit(0)
        return each("toy", _carbons, molecules)


@dataclass(frozen=True)
class Device:
    """Which accelerators its process may see."""

    column = Column("toy_device", unit="1", better="high")

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        seen = os.environ.get("CUDA_VISIBLE_DEVICES", "all")
        return [Score(1.0, details={"sees": seen}) for _ in molecules]


@dataclass(frozen=True)
class Refined:
    """Starts from what an earlier scorer found."""

    log: str = ""
    column = Column("toy_refined", unit="1", better="high")
    after: str = "toy_weight"

    def refine(self, molecules: Sequence[Molecule], found: Sequence[Score], /) -> Sequence[Score | Missing]:
        _note(self.log, molecules)
        return [Score(2 * score.value, details=score.details) for score in found]


@dataclass(frozen=True)
class Buggy:
    """Has a bug that one molecule in the middle brings out."""

    column = Column("toy_buggy", unit="1", better="high")

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        return [Score(1 / (len(molecule.smiles) - 5)) for molecule in molecules]


@dataclass(frozen=True)
class Short:
    """Drops what it does not like."""

    column = Column("toy_short", unit="1", better="high")

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        return [Score(1.0) for molecule in molecules if "O" not in molecule.smiles]


@dataclass(frozen=True)
class Strings:
    """Answers text."""

    column = Column("toy_strings", unit="1", better="high")

    def __call__(self, molecules: Sequence[Molecule], /) -> list[str]:
        return ["good" for _ in molecules]


@dataclass(frozen=True)
class SometimesNan:
    """NaN for alcohols; infinite errors for amines."""

    column = Column("toy_nan", unit="1", better="high")

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        return [
            Score(float("nan") if "O" in m.smiles else 1.0, float("inf") if "N" in m.smiles else 0.1)
            for m in molecules
        ]


@dataclass(frozen=True)
class Moody:
    """Another answer every time."""

    column = Column("toy_moody", unit="1", better="high")

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        return [Score(random.random()) for _ in molecules]


@dataclass(frozen=True)
class Neighbourly:
    """An answer that depends on who else is in the batch."""

    column = Column("Toy Neighbourly", unit="1", better="high")

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        longest = max((len(m.smiles) for m in molecules), default=1)
        return [Score(len(m.smiles) / longest) for m in molecules]


@dataclass(frozen=True)
class Chatty:
    """Prints, and lets what it starts print; says how its process was set up."""

    column = Column("toy_chatty", unit="1", better="high")

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        print('{"rows": []}', flush=True)
        os.write(1, b"not JSON\n")
        subprocess.run([sys.executable, "-c", "print('hello from below')"], check=True)
        threads = {
            name: os.environ.get(name) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "PYTHONPATH")
        }
        return [
            Score(1.0, details={"pid": os.getpid(), "session": os.getsid(0), **threads}) for _ in molecules
        ]


@dataclass(frozen=True)
class DiesBuilding:
    """Takes its process down while it is built."""

    column = Column("toy_dies_building", unit="1", better="high")

    def __post_init__(self) -> None:
        os._exit(9)

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        return [Score(0.0) for _ in molecules]


@dataclass(frozen=True)
class Alkanes:
    """Proposes what its seed says."""

    name: str = "toy_proposer"

    def propose(self, n: int, /, *, round: int, seed: int, lessons: Sequence[Lesson]) -> Sequence[Proposal]:
        draw = random.Random(seed * 1000 + round + len(lessons))
        return [Proposal("C" * draw.randint(1, 40), self.name, round) for _ in range(n)]


@dataclass(frozen=True)
class Restless:
    """Proposes too many, by another name, never twice the same."""

    name: str = "toy_restless"

    def propose(self, n: int, /, *, round: int, seed: int, lessons: Sequence[Lesson]) -> Sequence[Proposal]:
        return [Proposal("C" * random.randint(1, 400), "somebody", 0) for _ in range(n + 1)]
