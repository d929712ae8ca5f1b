"""How does somebody else's sequence-classification model say how two things are related?

It is shown one sentence in which the two mentions are written "@CHEMICAL$" and
"@GENE$" and everything else stays, as models trained on ChemProt, DDI and GAD expect.
Its labels must mean something here, or the user says what they mean.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from discovery.extras import needs
from literature.model.borrowed import ModelError, borrowed
from literature.relations.answers import LEAST, Answered, Answers, unread
from literature.relations.corpus import ANSWERS, NONE, Thing
from literature.sentences import split

with needs("literature"):
    import torch


_ROWS = 16  # sentences a batch

# Groups of ChemProt, each told by its commonest member.
GROUPS: Mapping[str, str] = {
    "CPR:1": "PART-OF",
    "CPR:2": "DIRECT-REGULATOR",
    "CPR:3": "ACTIVATOR",
    "CPR:4": "INHIBITOR",
    "CPR:5": "AGONIST",
    "CPR:6": "ANTAGONIST",
    "CPR:9": "SUBSTRATE",
}
_NOTHING = ("false", "none", "norelation", "other", "na", "0", "negative", "unrelated", "cpr10")


def blinded(text: str, subject: Thing, object: Thing) -> str | None:
    """The sentence of two mentions, both written as their types; None when no sentence holds both.

    Examples
    --------
    >>> blinded("Aspirin inhibits COX-1.", Thing("chemical", ((0, 7),)), Thing("gene", ((17, 22),)))
    '@CHEMICAL$ inhibits @GENE$.'
    """
    best: tuple[int, tuple[int, int], tuple[int, int], tuple[int, int]] | None = None
    for a, b in split(text):
        for one in subject.spans:
            for other in object.spans:
                inside = a <= min(one[0], other[0]) and max(one[1], other[1]) <= b
                apart = max(one[0], other[0]) - min(one[1], other[1])
                if inside and apart >= 0 and (best is None or apart < best[0]):
                    best = apart, (a, b), one, other
    if best is None:
        return None
    _, (a, b), one, other = best
    marks = sorted([(one, subject.type), (other, object.type)], reverse=True)
    sentence = text[a:b]
    for (start, end), type in marks:
        sentence = f"{sentence[: start - a]}@{type.upper().replace(' ', '')}${sentence[end - a :]}"
    return sentence


@dataclass(frozen=True)
class _Hub:
    """A sequence-classification model of others."""

    name: str
    network: torch.nn.Module
    cutter: Any
    meanings: tuple[str | None, ...]  # of each of its labels, an answer of some convention; None: unrelated
    device: str

    def least(self, convention: str, /) -> float:
        return LEAST

    def __call__(
        self,
        convention: str,
        documents: Sequence[tuple[str, Sequence[Thing]]],
        /,
        among: Sequence[Collection[frozenset[int]]] | None = None,
    ) -> list[list[Answered]]:
        result = unread(convention, documents)
        todo: list[tuple[int, int, str]] = []
        answers = [m for m in self.meanings if m is not None and m in ANSWERS[convention]]
        for number, (text, things) in enumerate(documents if answers else ()):
            for at, pair in enumerate(result[number]):
                if among is not None and frozenset((pair.subject, pair.object)) not in among[number]:
                    continue
                sentence = blinded(text, things[pair.subject], things[pair.object])
                if sentence is not None:
                    todo.append((number, at, sentence))
        for begin in range(0, len(todo), _ROWS):
            some = todo[begin : begin + _ROWS]
            for (number, at, _), chances in zip(some, self._read([s for _, _, s in some]), strict=True):
                old = result[number][at]
                found = dict.fromkeys(ANSWERS[convention], 0.0)
                for meaning, chance in zip(self.meanings, chances, strict=True):
                    found[meaning if meaning in found else NONE] += chance
                result[number][at] = Answered(old.subject, old.object, found, None)
        return result

    def _read(self, sentences: list[str]) -> list[list[float]]:
        given = self.cutter(sentences, padding=True, truncation=True, return_tensors="pt").to(self.device)
        with torch.inference_mode():
            chances: list[list[float]] = self.network(**given).logits.float().softmax(-1).cpu().tolist()
        return chances


@lru_cache(maxsize=2)
def hub(name: str, labels: tuple[tuple[str, str | None], ...], device: str, download: bool) -> Answers:
    """A sequence-classification model by folder or name.

    Raises
    ------
    ModelError
        If it cannot be read, or its labels mean nothing here.
    """
    network, cutter = borrowed(name, "AutoModelForSequenceClassification", download=download)
    names = [network.config.id2label[row] for row in range(network.config.num_labels)]
    return _Hub(name, network.to(device), cutter, meanings(name, names, dict(labels)), device)


def meanings(model: str, names: Sequence[str], given: Mapping[str, str | None]) -> tuple[str | None, ...]:
    """What the labels of a model mean: answers of our conventions, or None for unrelated.

    Raises
    ------
    ModelError
        If a label means nothing here, listing the model's labels and the answers known.
    """
    known = {_bare(answer): answer for answers in ANSWERS.values() for answer in answers if answer != NONE}
    known |= {_bare(group): member for group, member in GROUPS.items()}
    said = {name.casefold(): meaning for name, meaning in given.items()}
    found: list[str | None] = []
    strange: list[str] = []
    for name in names:
        asked = said.get(name.casefold(), name)
        if asked is None or _bare(asked) in _NOTHING:
            found.append(None)
        elif _bare(asked) in known:
            found.append(known[_bare(asked)])
        else:
            found.append(None)
            strange.append(name)
    if strange or not any(found):
        raise ModelError(
            f"the labels of {model!r} do not match: it has {', '.join(names)}; known answers are "
            f"{', '.join(dict.fromkeys([*known.values(), *GROUPS]))}. Say what "
            f"{', '.join(strange) or 'they'} mean in its config.json (id2label), or in Python with "
            f'labels={{"{(strange or list(names))[0]}": "INHIBITOR"}}, or None for unrelated'
        )
    return tuple(found)


def _bare(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()
