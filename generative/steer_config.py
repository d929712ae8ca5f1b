"""What does a steering file say, and which campaign is that?

Steering is a campaign of many small rounds: each proposes a batch, scores it stage by stage,
cheap stages first, and learns. So everything a campaign has holds here too: a ledger that
any death leaves whole, processes of their own for scorers that are slow or hang, machines'
faults that teach nothing, the report.

    [steer]
    budget = 1000
    batch = 50
    molecules = "start.smi"
    avoid = ["[N+](=O)[O-]"]

    [[scorers]]
    use = "qed"
    at_least = 0.5
    desirability = { shape = "higher", low = 0.2, high = 0.9 }

    [[scorers]]
    use = "docking"
    best = 20                      # of each batch
    weight = 3
    settings = { receptor = "protein.pdb", around = "ligand.sdf" }
    desirability = { shape = "lower", low = -11, high = -6 }
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from discovery import plugins
from discovery.config import Campaign, ConfigError, parse, table_of
from discovery.devices import SEED
from generative.refusal import SettingError


@dataclass(frozen=True)
class Steering:
    """The table [steer] of a steering file.

    Parameters
    ----------
    budget : int
        Molecules proposed in all; a multiple of `batch`.
    batch : int
        Molecules a round. Small ones learn sooner, large ones keep more workers busy.
    workers : int
        Processes that score side by side; a stage may say otherwise.
    proposer : str
        "guided" or "graph", or another that learns; guided where `molecules` or a `collection` are given.
    molecules : path, relative to the steering file
        File of molecules to start from.
    collection : path, relative to the steering file
        A large file of molecules, of what can be bought for example, that "guided" looks through each round
        for neighbours of good molecules.
    scaffold : str
        SMILES every molecule must hold; `*` marks where it may grow.
    avoid : sequence of SMARTS
    pareto : bool
        Look for the best compromises of all kinds instead of the best weighted mean.
    settings : table
        Further settings of the proposer.
    """

    budget: int = 1_000
    batch: int = 50
    name: str = "steering"
    seed: int = SEED
    workers: int = 2
    proposer: str = ""
    molecules: str = ""
    collection: str = ""
    scaffold: str = ""
    avoid: tuple[str, ...] = ()
    pareto: bool = False
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.budget < 1 or self.batch < 1:
            raise SettingError(f"budget and batch are at least 1, not {self.budget} and {self.batch}")
        if self.budget % self.batch:
            down = self.budget // self.batch * self.batch
            near = f"{down} or {down + self.batch}" if down else f"{self.batch}"
            raise SettingError(f"budget {self.budget} is no multiple of batch {self.batch}; say {near}")


def read(path: str | Path, *, seed: int | None = None) -> Campaign:
    """A steering file -> the campaign it stands for; `seed` takes the place of the file's.

    Raises
    ------
    ConfigError, PluginError
        The file is absent, is no TOML, or holds a key or value that does not fit: named,
        with the nearest right one.
    """
    path = Path(path)
    data = table_of(path)
    if not isinstance(data.get("steer"), dict):
        raise ConfigError(
            f"{path}: the table [steer] is absent; it holds budget, batch and what to start from"
        )
    own = plugins.check_settings(Steering, data.pop("steer"), f"{path}: [steer]")
    try:
        steering = Steering(**own)
    except ValueError as error:
        raise ConfigError(f"{path}: [steer]: {error}") from error
    settings = dict(steering.settings)
    for key in ("molecules", "collection"):
        if given := getattr(steering, key):
            file = (path.parent / given).resolve()
            if not file.is_file():
                raise ConfigError(f"{path}: [steer] {key}: there is no file {file}")
            settings[key] = str(file)
    if steering.scaffold:
        settings["scaffold"] = steering.scaffold
    if steering.avoid:
        settings["avoid"] = list(steering.avoid)
    if steering.pareto:
        settings["pareto"] = True
    use = steering.proposer or ("guided" if steering.molecules or steering.collection else "graph")
    for taken in ("proposers", "rounds", "name", "seed", "workers"):
        if taken in data:
            raise ConfigError(f"{path}: {taken!r} belongs to a campaign; here [steer] says it")
    return parse(
        {
            **data,
            "name": steering.name,
            "seed": steering.seed if seed is None else seed,
            "rounds": steering.budget // steering.batch,
            "workers": steering.workers,
            "proposers": [{"use": use, "n": steering.batch, "settings": settings}],
        },
        where=str(path),
    )
