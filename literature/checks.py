"""Does evidence mining work here? One sentence of the example corpus, read again."""

from __future__ import annotations

from discovery.checkup import Check
from discovery.target import Target

EXTRA = "pip install 'discovery-workbench[literature]'"


def literature() -> list[Check]:
    """The example corpus must speak of its own target, and every quote must be its own words."""
    try:
        from literature.dossier import CooccurrenceEvidence
    except ImportError as error:
        return [Check("literature", False, str(error), EXTRA)]
    found = CooccurrenceEvidence()(Target("5-HT1B receptor", gene="HTR1B"))
    sources = {statement.source for statement in found}
    return [
        Check(
            "literature: dictionary evidence",
            len(found) > 0,
            f"{len(found)} statements on HTR1B from {len(sources)} illustrative texts",
            "" if found else f"{EXTRA} --force-reinstall",
        )
    ]
