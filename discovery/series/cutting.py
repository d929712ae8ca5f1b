"""Which parts does each molecule fall into when one, two or three bonds are cut?

mmpdb cuts; many molecules are shared out to fresh interpreters that exchange JSON lines,
one for each core. What comes back depends on the molecule alone, never on who cut it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any

from discovery.extras import needs
from discovery.molecule import quiet_rdkit

with needs("lab"):
    from mmpdblib import config, fragment_records, fragment_types


# mmpdb's own limit is 10 rotatable bonds; single cuts are cheap enough for four times that
ROTATABLE = {1: 40, 2: 15, 3: 10}
ALONE = 600  # molecules; below, a second interpreter costs more than it saves


def options_for(cuts: int) -> Any:
    """mmpdb's settings for so many cuts."""
    return dataclasses.replace(
        config.DEFAULT_FRAGMENT_OPTIONS,
        num_cuts=cuts,
        max_rotatable_bonds=ROTATABLE[cuts],
        salt_remover="<none>",  # our molecules have no salts
    )


def records(smiles: Sequence[tuple[str, str]], cuts: int, *, workers: int | None = None) -> list[Any]:
    """One mmpdb record for each (id, SMILES), in the order given, or a text that says why mmpdb refuses it.

    Raises
    ------
    RuntimeError
        A worker ended before it had answered; what it said is in the message.
    """
    count = len(os.sched_getaffinity(0)) if workers is None else workers
    if len(smiles) < ALONE or count < 2:
        return list(_cut(smiles, cuts))
    shares = [smiles[start::count] for start in range(count)]
    answers = _shared(shares, cuts)
    return [answers[place % count][place // count] for place in range(len(smiles))]


def _cut(smiles: Sequence[tuple[str, str]], cuts: int) -> Iterator[Any]:
    rules = options_for(cuts).get_fragment_filter()
    with quiet_rdkit():  # mmpdb calls what RDKit has deprecated, for every atom
        for id, text in smiles:
            refusal, parsed = fragment_records.parse_record(id, text, rules)
            if refusal is None:
                try:
                    parts = list(rules.method(parsed.normalized_mol, rules, parsed.num_normalized_heavies))
                except fragment_types.FragmentationFailure as error:
                    refusal = str(error)
            if refusal is not None:
                yield str(refusal)
            else:
                yield fragment_types.FragmentRecord(
                    id, text, parsed.num_normalized_heavies, parsed.normalized_smiles, parts
                )


def _shared(shares: Sequence[Sequence[tuple[str, str]]], cuts: int) -> list[list[Any]]:
    with tempfile.TemporaryDirectory(prefix="cutting-") as folder:
        running = []
        for place, share in enumerate(shares):
            asked, told, said = (
                os.path.join(folder, f"{place}.{kind}") for kind in ("asked", "told", "said")
            )
            with open(asked, "w", encoding="utf-8") as file:
                file.writelines(json.dumps([id, text]) + "\n" for id, text in share)
            with open(asked, "rb") as source, open(told, "wb") as out, open(said, "wb") as errors:
                line = [sys.executable, "-m", "discovery.series.cutting", str(cuts)]
                process = subprocess.Popen(line, stdin=source, stdout=out, stderr=errors)
            running.append((process, told, said, len(share)))
        found: list[list[Any]] = []
        try:
            for process, told, said, count in running:
                process.wait()
                with open(told, encoding="utf-8") as file:
                    answers = [_read(json.loads(line)) for line in file] if process.returncode == 0 else []
                if len(answers) != count:
                    with open(said, encoding="utf-8", errors="replace") as file:
                        raise RuntimeError(
                            f"a worker that cuts molecules ended with {process.returncode} after {len(answers)} of "
                            f"{count} molecules: {file.read()[-500:]}"
                        )
                found.append(answers)
        finally:
            for process, *_ in running:
                if process.poll() is None:  # an interrupted cell leaves nobody at work
                    process.kill()
                    process.wait()
    return found


def _read(line: Any) -> Any:
    if isinstance(line, str):
        return line
    *about, parts = line
    return fragment_types.FragmentRecord(*about, [fragment_types.Fragmentation(*part) for part in parts])


def _written(record: Any) -> Any:
    if isinstance(record, str):
        return record
    names = [entry.name for entry in dataclasses.fields(fragment_types.Fragmentation)]
    parts = [[getattr(part, name) for name in names] for part in record.fragmentations]
    return [
        record.id,
        record.input_smiles,
        record.num_normalized_heavies,
        record.normalized_smiles,
        parts,
    ]


def main() -> None:
    """A worker: molecules come in as JSON lines, records go out as JSON lines."""
    asked = [(str(id), str(text)) for id, text in map(json.loads, sys.stdin)]
    for record in _cut(asked, int(sys.argv[1])):
        print(json.dumps(_written(record), ensure_ascii=True))


if __name__ == "__main__":
    main()
