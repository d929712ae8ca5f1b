"""How does a process come by the programs that another made before it?

JAX keeps on disk what it compiled, but finds it again only by the traced program, and
tracing costs a process a second for its first ligand. Here what was traced is kept
beside it, named by all that went into it: the code of this package, JAX, the device,
and the shapes of the arguments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from discovery.extras import needs
from discovery.files import publish, sha256_of, summed, unsummed
from docking.energy import VINA, VINARDO, Function
from docking.search.descent import Descent
from docking.search.motion import Conf, Layout
from docking.search.walk import Contacts, Field, Knobs, Problem, Ring, Walkers

with needs("docking"):
    import flatbuffers  # noqa: F401 - in which JAX writes
    import jax
    from jax import export
    from jax.sharding import SingleDeviceSharding


def options() -> dict[str, Any] | None:
    """For the compiler: whole AVX-512 registers where there are any, a quarter faster than halves."""
    return {"xla_cpu_prefer_vector_width": 512} if jax.default_backend() == "cpu" else None


def keepable(*kinds: type) -> None:
    """Let arguments and results of programs be such named tuples."""
    for kind in kinds:
        export.register_namedtuple_serialization(kind, serialized_name=f"docking.{kind.__name__}")


keepable(Conf, Layout, Descent, Contacts, Ring, Problem, Field, Knobs, Walkers)


class Program:
    """A function of arrays, compiled for the shapes it is called with; JAX's own folder also holds what was traced.

    Restraints, and scoring functions that are not ours, are Python that no name can stand
    for: with them it is `plain`, as `jax.jit` makes it.
    """

    def __init__(self, name: str, function: Function, work: Callable[..., Any]) -> None:
        self.plain = jax.jit(work, compiler_options=options())
        self._name = f"{function.name} {name}"
        self._ours = function in (VINA, VINARDO)
        self._made: dict[Any, Callable[..., Any]] = {}

    def __call__(self, *args: Any) -> Any:
        if not self._ours or any(isinstance(arg, Problem) and arg.bias for arg in args):
            return self.plain(*args)
        leaves, tree = jax.tree.flatten(args)
        shapes = (tree, *((np.shape(leaf), str(getattr(leaf, "dtype", type(leaf)))) for leaf in leaves))
        if shapes not in self._made:
            traced = export.deserialize(bytearray(self._traced(shapes, args)))
            here = SingleDeviceSharding(jax.devices()[0])  # said, as arrays that were put there compile anew
            self._made[shapes] = jax.jit(traced.call, in_shardings=here, compiler_options=options())
        return self._made[shapes](*args)

    def _traced(self, shapes: Any, args: Any) -> bytes:
        """The traced program as it was kept, or traced and kept now."""
        path = self._path(shapes)
        kept = unsummed(path.read_bytes()) if path and path.is_file() else None
        if kept is None:
            kept = bytes(export.export(self.plain)(*args).serialize())
            if path:
                with suppress(OSError):  # a full disk must not end a run for what is only kept to save time
                    path.parent.mkdir(parents=True, exist_ok=True)
                    publish(path, summed(kept))
        return kept

    def _path(self, shapes: Any) -> Path | None:
        folder = jax.config.values["jax_compilation_cache_dir"]
        if not folder:
            return None
        config = jax.__version__, jax.default_backend(), jax.config.values["jax_enable_x64"]
        said = repr((_code(), *config, self._name, shapes))
        return Path(folder) / "traced" / hashlib.sha256(said.encode()).hexdigest()


@lru_cache(maxsize=1)
def _code() -> str:
    """sha256 of the modules of docking: any of them may shape a program."""
    return " ".join(sha256_of(path) for path in sorted(Path(__file__).parents[1].rglob("*.py")))
