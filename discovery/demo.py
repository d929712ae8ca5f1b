"""The main job, ready to run: a first campaign against the serotonin receptor 5-HT1B.

The structure ships inside the `prolif` package and the corpus inside ours, so nothing
is downloaded. The corpus is written by us to illustrate; it is no literature, and
every view of it says so.
"""

from __future__ import annotations

from typing import Any

from discovery.config import Campaign, parse
from discovery.devices import SEED


def demo_config(*, quick: bool = False, seed: int = SEED) -> Campaign:
    """The demo's campaign; `quick` is a two-minute version for tests and a first look."""
    n, docked, simulated = (40, 6, 1) if quick else (150, 24, 3)
    scorers: list[dict[str, Any]] = [
        {"use": "descriptor", "settings": {"name": "mw"}, "workers": 0, "at_most": 550,
         "desirability": {"shape": "window", "low": 250, "high": 450, "margin": 150}},
        {"use": "descriptor", "settings": {"name": "logp"}, "workers": 0,
         "desirability": {"shape": "window", "low": 1.0, "high": 4.0, "margin": 2.0}},
        {"use": "descriptor", "settings": {"name": "tpsa"}, "workers": 0,
         "desirability": {"shape": "window", "low": 25, "high": 90, "margin": 40}},
        {"use": "qed", "workers": 0, "desirability": {"shape": "higher", "low": 0.2, "high": 0.85}},
        {"use": "route", "workers": 0, "desirability": {"shape": "higher", "low": -2.0, "high": 1.0}},
        {"use": "synthesis", "workers": 0, "at_most": 5.0,
         "desirability": {"shape": "lower", "low": 2.0, "high": 6.0}},
        {"use": "alerts", "workers": 0, "at_most": 0,
         "desirability": {"shape": "lower", "low": 0, "high": 3}},
        {"use": "unseen_rings", "workers": 0, "at_most": 0},
        # nobody orders an ester for its own sake: blood cuts it before it reaches the brain
        {"use": "pattern", "workers": 0, "at_most": 0,
         "settings": {"smarts": "open-chain ester", "name": "esters", "title": "open-chain esters",
                      "better": "low"}},
        # an aminergic receptor: its aspartate 3.32 holds the amine of whatever binds
        {"use": "pattern", "workers": 0,
         "settings": {"smarts": "basic amine", "name": "basic_amine", "title": "basic amines"},
         "desirability": {"shape": "window", "low": 1, "high": 2, "margin": 1.5}},
        {"use": "docking", "best": docked, "weight": 3,
         "settings": {"receptor": "demo:5HT1B", "engine": "native",
                      "engine_settings": {"effort": "fast" if quick else "balanced"}},
         "desirability": {"shape": "lower", "low": -11.0, "high": -5.0}},
        {"use": "key_contacts", "workers": 0, "weight": 2,
         "settings": {"wanted": {"A:ASP129": "salt bridge"}},
         "desirability": {"shape": "higher", "low": -1, "high": 1}},
        {"use": "pose_stability", "best": simulated, "when": "end", "weight": 1,
         "settings": {"receptor": "demo:5HT1B"},
         "desirability": {"shape": "lower", "low": 1.0, "high": 4.0}},
    ]  # fmt: skip
    return parse(
        {
            "name": "5-HT1B, first campaign",
            "seed": seed,
            "rounds": 1 if quick else 2,
            "workers": 2,
            "target": {
                "name": "5-hydroxytryptamine receptor 1B",
                "gene": "HTR1B",
                "uniprot": "P28222",
                "disease": "migraine",
            },
            "evidence": [{"use": "cooccurrence"}],
            # the trained model, and beside it what can be made from the shelf in three reactions
            "proposers": [{"use": "graph", "n": n - n // 3}, {"use": "assembly", "n": n // 3}],
            "scorers": scorers,
            "notes": [
                "The texts this campaign's evidence is quoted from were written to illustrate how evidence is "
                "shown. They are not literature.",
                "Docking scores and short simulations order molecules for a closer look. They are no "
                "measured affinities.",
            ],
        },
        where="the demo",
    )
