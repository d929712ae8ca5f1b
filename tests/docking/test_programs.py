"""Is a program that was kept the one that was traced?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from docking.energy import VINA
from docking.search.motion import Conf
from docking.search.programs import Program

POSES = Conf(jnp.arange(6.0).reshape(3, 2), jnp.ones((4, 2)), jnp.full((5, 2), 0.5))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """JAX's own folder of programs, for this test."""
    before = jax.config.values["jax_compilation_cache_dir"]
    jax.config.update("jax_compilation_cache_dir", str(tmp_path))
    yield tmp_path / "traced"
    jax.config.update("jax_compilation_cache_dir", before)


class Turned:
    """Turns poses, and counts how often it is traced."""

    def __init__(self) -> None:
        self.traced = 0

    def __call__(self, conf: Conf, by: jax.Array) -> Conf:
        self.traced += 1
        return conf._replace(torsion=jnp.sin(conf.torsion) * by)


def test_what_was_kept_is_not_traced_again_and_gives_the_same_bits(folder: Path) -> None:
    first, second = Turned(), Turned()
    answers = [Program("turned", VINA, work)(POSES, np.float32(3.0)) for work in (first, second)]
    assert (first.traced, second.traced) == (1, 0)
    assert [path.stat().st_size > 0 for path in folder.iterdir()] == [True]
    for answer in answers:
        assert all((a == b).all() for a, b in zip(answer, first(POSES, jnp.float32(3.0)), strict=True))


def test_other_shapes_are_another_program(folder: Path) -> None:
    work = Turned()
    program = Program("turned", VINA, work)
    for poses in (POSES, Conf(*(part[:, :1] for part in POSES)), POSES):
        program(poses, np.float32(1.0))
    assert work.traced == len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("damage", [b"", b"torn", None])
def test_a_damaged_file_is_made_anew(folder: Path, damage: bytes | None) -> None:
    Program("turned", VINA, Turned())(POSES, np.float32(1.0))
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + b"?" if damage is None else damage)
    works = Turned(), Turned()
    for work in works:
        Program("turned", VINA, work)(POSES, np.float32(1.0))
    assert [work.traced for work in works] == [1, 0]


def test_a_term_of_the_users_own_is_never_taken_for_ours(folder: Path) -> None:
    """Its name may be `vina`, too, and Python that changes has no name."""
    Program("turned", replace(VINA), Turned())(POSES, np.float32(1.0))
    assert not folder.exists()


def test_a_folder_that_cannot_be_written_stops_nothing(folder: Path) -> None:
    folder.write_text("a file where a folder should be")
    assert Program("turned", VINA, Turned())(POSES, np.float32(1.0)).position.shape == (3, 2)
