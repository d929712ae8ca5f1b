"""May this campaign run in this folder, and what is written before any cost is spent?

A folder holds one campaign, made with one set of versions from unchanged files. What
does not fit is refused with its name; what a dying process or a failing disk damaged
is discarded, so that it is computed again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from discovery import provenance
from discovery.config import Campaign
from discovery.doors import check_unclaimed
from discovery.events import Event, Sink
from discovery.ledger import Ledger
from discovery.outcome import UserError
from discovery.workers.sharing import tidy


class CampaignError(UserError, RuntimeError):
    """A campaign cannot start or go on here; the message says what to do instead."""


def mend(ledger: Ledger, on_event: Sink) -> None:
    """Discard damaged shards, and say so; a damaged document cannot be made again.

    Raises
    ------
    CampaignError
        A document is damaged; the message names its file.
    """
    tidy(ledger)
    for damage in ledger.verify():
        if not damage.path.startswith("shards/"):
            raise CampaignError(f"{ledger.folder / damage.path}: {damage.detail}")
        ledger.discard(Path(damage.path).stem)
        on_event(Event("warning", "ledger", f"{damage.path}: {damage.detail}; its rows are computed again"))


def agree(ledger: Ledger, config: Campaign, *, allow_mixed: bool) -> None:
    """See that the folder is empty, or holds this very campaign; write down what it depends on.

    Raises
    ------
    CampaignError
        Another configuration, a changed file, or (unless `allow_mixed`) other versions.
    FolderTaken
        The folder holds what another command left.
    """
    document = config.model_dump(mode="json")
    if ledger.get_document("campaign") is None:
        check_unclaimed(ledger.folder)
        ledger.put_document("campaign", document)
    check_same(ledger, config)
    _same_files(ledger, provenance.files_named(document))
    _same_versions(ledger, provenance.versions(), allow_mixed)
    ledger.put_document(
        "codes", {part.use: provenance.code_digest("scorers", part.use) for part in config.scorers}
    )
    if ledger.get_document("provenance") is None:
        parts = [("scorers", s.use) for s in config.scorers]
        parts += [("proposers", p.use) for p in config.proposers]
        parts += [("evidence", e.use) for e in config.evidence]
        ledger.put_document("provenance", provenance.collect(seed=config.seed, parts=parts))


def check_same(ledger: Ledger, config: Campaign) -> None:
    """See that the folder holds no other campaign; asked before the lock too, which one who helps never gets.

    Raises
    ------
    CampaignError
        It does; the message says in what they differ.
    """
    before, now = ledger.get_document("campaign"), config.model_dump(mode="json")
    if before is not None and _what(before) != _what(now):
        changed = ", ".join(_differences(_what(before), _what(now))) or "its layout"
        raise CampaignError(
            f"{ledger.folder} holds another campaign (different: {changed}); give a new folder with --out, "
            "or the configuration it was started with"
        )


def _what(document: Mapping[str, Any]) -> dict[str, Any]:
    """A campaign without what another machine may have otherwise: how its scorers are run, not what they say."""
    how = ("workers", "timeout_s", "chunk")
    scorers = [{key: value for key, value in part.items() if key not in how} for part in document["scorers"]]
    return {**document, "scorers": scorers, "workers": None}


def _same_files(ledger: Ledger, files: Mapping[str, str]) -> None:
    known = ledger.get_document("files")
    if known is None:
        ledger.put_document("files", dict(files))
        return
    for path, digest in known.items():
        if files.get(path) != digest:
            raise CampaignError(
                f"{path} {'changed' if path in files else 'is gone'} since {ledger.folder} was begun with it; "
                "put the old file back, or start a new folder"
            )


def _same_versions(ledger: Ledger, now: Mapping[str, str], allow_mixed: bool) -> None:
    recorded = ledger.get_document("versions")
    if recorded is None:
        ledger.put_document("versions", [dict(now)])
    elif now not in recorded:
        if not allow_mixed:
            raise CampaignError(
                f"{ledger.folder} was begun with other versions ({provenance.changes(recorded[0], now)}); install those again, start a new "
                "folder, or pass --allow-mixed to go on and have both recorded"
            )
        ledger.put_document("versions", [*recorded, dict(now)])


def versions_for(ledger: Ledger, use: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """Part of every shard's key: change a library, a file or the scorer's code, and it is computed anew."""
    recorded = ledger.get_document("versions") or [{}]
    codes = ledger.get_document("codes") or {}
    files = ledger.get_document("files") or {}
    named = {path: files[path] for path in provenance.texts_in(settings) if path in files}
    return {**recorded[0], **named, "code": codes.get(use, "")}


def _differences(before: Any, after: Any, path: str = "") -> list[str]:
    """Dotted paths at which two configurations differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        found: list[str] = []
        for key in sorted({*before, *after}):
            found += _differences(before.get(key), after.get(key), f"{path}.{key}" if path else key)
        return found
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        pairs = enumerate(zip(before, after, strict=True))
        return [found for i, (b, a) in pairs for found in _differences(b, a, f"{path}.{i}")]
    return [] if json.dumps(before) == json.dumps(after) else [path]
