"""Which batch script runs a command on many nodes, stops in time and comes back?

Every task of the array runs the same command on one folder: of a `run` or a `screen` one
drives and the others help (`--join`), a `dock` is shared by all alike.
Slurm's warning goes to the command, which stops within seconds and ends with 75; the task
is then queued again and goes on where it was. Without Slurm (a spot machine, GNU parallel) the
same is `until discovery ...; [ $? -ne 75 ]; do :; done`, at each start of the machine.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

RESTARTS = 100  # a task that never gets a single molecule done within its limit must not come back for ever
WARNING_S = 120  # before the limit; a chunk that runs has some of it to end
SCRIPT = """#!/bin/bash
#SBATCH --job-name=discovery
#SBATCH --array=0-{last}
#SBATCH --time={time}
#SBATCH --cpus-per-task={cpus}
{gpus}#SBATCH --signal=B:TERM@{warning}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=discovery-%A-%a.log

child= told=
trap 'told=1; kill -TERM $child 2>/dev/null' TERM INT
{command} {share}--workers {workers} --minutes {minutes:g} --progress lines &
child=$!
[ -z "$told" ] || kill -TERM "$child"  # told before it was known whom to tell
wait "$child"; status=$?
while [ -n "$told" ]; do  # a signal ends a wait early; the next wait says how the command ended
  told=
  wait "$child"; ended=$?
  [ "$ended" -eq 127 ] || status=$ended
done
if [ "$status" -eq 75 ] && [ "${{SLURM_RESTART_COUNT:-0}}" -lt {restarts} ]; then
  scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}"
fi
exit "$status"
"""


def script(command: Sequence[str], *, tasks: int, hours: float, cpus: int, gpus: int = 0) -> str:
    """The text to hand to `sbatch`.

    Parameters
    ----------
    command : a `discovery run`, `screen` or `dock`, as one types it
    tasks : how many work on the folder at a time
    hours : the limit of one task, on the wall clock
    cpus, gpus : of one task

    Raises
    ------
    ValueError
        A number makes no sense, or the command cannot be joined.
    """
    words = [word for word in command if word != "--"]
    if words[:1] == ["discovery"]:
        words = words[1:]
    if words[:1] not in (["run"], ["screen"], ["dock"]):
        what = f"{shlex.join(words)} cannot be shared" if words else "there is no command"
        raise ValueError(f"{what}; end with -- and a run, a screen or a dock: -- run CAMPAIGN.toml --out DIR")
    ours = ("--join", "--workers", "--minutes", "--progress", "--fresh")
    if taken := [word for word in words if word.split("=")[0] in ours]:
        raise ValueError(f"{', '.join(taken)} is set by the script; leave it out")
    if tasks < 1 or cpus < 1 or gpus < 0 or hours * 3600 < 4 * WARNING_S:
        raise ValueError("tasks and cpus must be at least 1, gpus at least 0, hours at least 0.14")
    seconds = round(hours * 3600)
    return SCRIPT.format(
        last=tasks - 1,
        time=f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}",
        cpus=cpus,
        share="" if words[0] == "dock" else "--join ",
        workers=gpus if words[0] == "dock" and gpus else cpus,  # one process a GPU docks many ligands at once
        gpus=f"#SBATCH --gpus-per-task={gpus}\n" if gpus else "",
        warning=WARNING_S,
        restarts=RESTARTS,
        minutes=(seconds - WARNING_S) / 60,
        command=shlex.join(["discovery", *words]),
    )
