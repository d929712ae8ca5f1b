"""What does a campaign file look like, for a target of one's own?

A first one, ready to run, with a comment at every choice that is the chemist's.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from discovery.config import parse
from discovery.outcome import UserError
from discovery.records import records

_HEAD = """\
# discovery plan {file} tells what this costs; discovery run {file} --out runs/{name} runs it, and goes on
# after a stop. discovery parts lists what else can be used; discovery parts NAME its settings.
name = {quoted}
seed = 7  # another seed, another campaign
rounds = {rounds}
workers = 2  # processes

[target]
name = {target}
# gene = "HTR1B"  # for evidence from articles
# disease = "migraine"

[[proposers]]
{proposer}
# Stages run in the order written. A desirability turns a number into 0 to 1; without one it is only shown.
[[scorers]]
use = "descriptor"
settings = {{name = "mw"}}
workers = 0
at_most = 550  # Da; heavier molecules go no further
desirability = {{shape = "window", low = 250, high = 450, margin = 150}}

[[scorers]]
use = "descriptor"
settings = {{name = "logp"}}
workers = 0
desirability = {{shape = "window", low = 1.0, high = 4.0, margin = 2.0}}

[[scorers]]
use = "qed"
workers = 0
desirability = {{shape = "higher", low = 0.2, high = 0.85}}

[[scorers]]
use = "synthesis"  # 1 easy to make, 10 hard
workers = 0
at_most = 5.0
desirability = {{shape = "lower", low = 2.0, high = 6.0}}

[[scorers]]
use = "alerts"
workers = 0
at_most = 0
"""

_GRAPH = """\
use = "graph"  # the trained model; library reads a file of your own: settings = {path = "mine.smi"}
n = 100  # molecules a round
"""

_DOCKING = """
[[scorers]]
use = "docking"
best = 20  # only the best so far are docked
weight = 3
desirability = {{shape = "lower", low = -11.0, high = -5.0}}  # kcal/mol
[scorers.settings]
receptor = {receptor}
{site}
engine_settings = {{effort = "balanced"}}  # fast, balanced or thorough
"""


class SketchError(UserError, ValueError):
    """The file cannot be written as asked; the message says why."""


def campaign_file(
    path: Path,
    *,
    receptor: str = "",
    around: str = "",
    pocket: int = 0,
    scaffold: str = "",
    library: str = "",
) -> Path:
    """Write a campaign file that can be run as it stands.

    Parameters
    ----------
    receptor : a PDB, mmCIF or PDBQT file; nothing is docked without one
        Relative paths are read from the folder the campaign is run in, and are written as given.
    around : a bound ligand's file, where the box is, or its name in the receptor's own: XK2
    pocket : instead of `around`, the rank of the receptor's own pocket; 1 when neither is given
    scaffold : SMILES that every molecule must hold
    library : a file of molecules to rank, instead of having new ones proposed

    Raises
    ------
    SketchError
        The path exists, a file named is not there, or a ligand is given without its receptor.
    IntakeError
        The library cannot be read.
    """
    if path.exists():
        raise SketchError(f"{path} exists already; remove it or give another name")
    for file in (receptor, around if Path(around).suffix else "", library):
        if file and not file.startswith(("pdb:", "demo:")) and not Path(file).is_file():
            what = "is a folder; give the file in it" if Path(file).is_dir() else "there is no such file"
            raise SketchError(f"{file}: {what}")
    if (around or pocket) and not receptor:
        raise SketchError("a place to dock needs its protein: give --receptor too")
    if around and pocket:
        raise SketchError("give --around or --pocket: they say different things")
    if library and scaffold:
        raise SketchError("give --library or --scaffold: a library's molecules are what they are")
    if library:
        rounds = "1  # a library teaches itself nothing"
        count = sum(1 for _ in records(Path(library)))
        proposer = (
            f'use = "library"\nsettings = {{path = {json.dumps(library)}}}\nn = {count}  # rows of the file\n'
        )
    else:
        rounds = "2  # each learns from those before"
        proposer = _GRAPH + (f"settings = {{scaffold = {json.dumps(scaffold)}}}\n" if scaffold else "")
    text = _HEAD.format(
        file=path.name, name=path.stem, quoted=json.dumps(path.stem), rounds=rounds, proposer=proposer,
        target=json.dumps(Path(receptor).name.split(".")[0] or path.stem),
    )  # fmt: skip
    if receptor:
        place = f"around = {json.dumps(around)}" if around else f"pocket = {pocket or 1}"
        site = "" if receptor.startswith("demo:") and not (around or pocket) else place
        text += _DOCKING.format(receptor=json.dumps(receptor), site=site).replace("\n\nengine", "\nengine")
    parse(tomllib.loads(text), where=str(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
