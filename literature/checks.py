"""Does evidence mining work here? One sentence of the example corpus, read again."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

from discovery.checkup import Check
from discovery.target import Target

EXTRA = "pip install 'discovery-workbench[literature]'"


def literature() -> list[Check]:
    """The example corpus must speak of its own target, and every quote must be its own words."""
    try:
        from literature.dossier import CooccurrenceEvidence
    except ImportError as error:
        return [Check("literature", False, str(error), EXTRA)]
    here = Path(__file__).parent / "weights"
    sums = {
        path: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(here.glob("*.safetensors"))
    }
    strange = [
        p.name for p, sum in sums.items() if sum not in p.with_suffix(".md").read_text(encoding="utf-8")
    ]
    as_carded = not strange
    absent = [name for name in ("torch", "transformers", "tokenizers") if find_spec(name) is None]
    found = CooccurrenceEvidence()(Target("5-HT1B receptor", gene="HTR1B"))
    sources = {statement.source for statement in found}
    return [
        Check(
            "literature: dictionary evidence",
            len(found) > 0,
            f"{len(found)} statements on HTR1B from {len(sources)} illustrative texts",
            "" if found else f"{EXTRA} --force-reinstall",
        ),
        Check(
            "literature: reading model",
            as_carded and not absent,
            ", ".join(f"{path.name} {sum[:12]}" for path, sum in sums.items())
            + (", as their cards say" if as_carded else f"; NOT as their cards say: {', '.join(strange)}")
            + (f"; to run them needs {', '.join(absent)} (the dictionary reads without)" if absent else ""),
            EXTRA if absent else "" if as_carded else f"{EXTRA} --force-reinstall",
        ),
    ]
