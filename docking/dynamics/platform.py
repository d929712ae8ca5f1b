"""On which device does OpenMM run here, and how is it told?

The choice is recorded beside every number. On a CPU one thread is used unless told
otherwise: a campaign runs many molecules side by side, and one thread gives the same
numbers every time.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any

from discovery.extras import needs

with needs("dynamics"):
    import openmm
    from threadpoolctl import ThreadpoolController

from docking.receptor import DockingError

ORDER = ("CUDA", "HIP", "OpenCL", "CPU", "Reference")


class PlatformError(DockingError):
    """The platform asked for is not there. The message says which are."""


@dataclass(frozen=True, slots=True)
class Device:
    """A platform by name, with the threads it may use where it has threads."""

    name: str = "auto"  # "auto", "CUDA", "HIP", "OpenCL", "CPU", "Reference"
    threads: int = 1

    def platform(self) -> Any:
        """The OpenMM platform.

        Raises
        ------
        PlatformError
            Unknown or not installed; names what is.
        """
        there = available()
        if self.name == "auto":
            return openmm.Platform.getPlatformByName(next(name for name in ORDER if name in there))
        if self.name not in there:
            raise PlatformError(
                f"OpenMM has no platform {self.name!r} here; it has {', '.join(there)}"
                + ("; for NVIDIA cards: pip install 'openmm[cuda12]'" if self.name == "CUDA" else "")
            )
        return openmm.Platform.getPlatformByName(self.name)

    def algebra(self) -> AbstractContextManager[Any]:
        """While it is open, NumPy's and SciPy's products use no more threads than this: more only spin."""
        limited: AbstractContextManager[Any] = _algebra().limit(limits=self.threads, user_api="blas")
        return limited

    def properties(self) -> dict[str, str]:
        """What the platform is told when a Context is built."""
        name = self.platform().getName()
        if name == "CPU":
            return {"Threads": str(self.threads), "DeterministicForces": "true"}
        if name in ("CUDA", "HIP", "OpenCL"):
            return {"Precision": "mixed", **({"DeterministicForces": "true"} if name != "OpenCL" else {})}
        return {}


@cache
def _algebra() -> ThreadpoolController:
    """Looks once through the libraries that are loaded."""
    return ThreadpoolController()


def available() -> list[str]:
    """The platforms this installation can use, fastest first."""
    names = {openmm.Platform.getPlatform(i).getName() for i in range(openmm.Platform.getNumPlatforms())}
    return [name for name in ORDER if name in names]


def context(system: Any, integrator: Any, device: Device) -> Any:
    """A Context on that device."""
    return openmm.Context(system, integrator, device.platform(), device.properties())


def described(device: Device) -> str:
    """For the record: "OpenMM 8.6.1 CPU"."""
    return f"OpenMM {openmm.version.version} {device.platform().getName()}"
