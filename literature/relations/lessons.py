"""What is the network shown of two things whose relation is annotated, and what is it asked?

A row is one pair of things and the sentences that tell of them: where a convention's
pairs stand in one sentence, that sentence; else the sentences of the document that name
either, its first one always. Every mention of the two begins with a holder, the word for
its type; other things stay readable and are known by their types. Names behind holders
are left out in a sentence, so that what is said of them is learned and not who they
are; in documents they are shown, and while learning left out half of the time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from discovery.extras import needs
from literature.model.encoder import READ_TYPES, ROLES
from literature.model.wordpieces import UNKNOWN, Window, Wordpieces
from literature.relations.corpus import (
    ANSWERS,
    NONE,
    OUTPUTS,
    SENTENCES,
    Pair,
    Related,
    RelationCorpus,
    Thing,
)
from literature.sentences import split

with needs("literature"):
    import torch
    from torch import Tensor
    from torch.nn import functional


SUBJECT, OBJECT, OTHER = range(ROLES)
WIDEST = 256  # pieces of a row
ASIDE = 3  # pieces of a name that is neither of the two: who it is does not matter


@dataclass(frozen=True, slots=True)
class Row:
    """One pair, as it is shown."""

    convention: str
    pieces: tuple[int, ...]  # vocabulary rows, between START and STOP
    named: tuple[int, ...]  # as Encoder.related takes it, one per piece
    holders: tuple[int, ...]  # likewise
    names: tuple[int, ...]  # places of the pieces that may be left out
    truth: int = 0  # row of OUTPUTS
    novel: int = -1  # row of OUTPUTS; -1: not said
    pair: int = -1  # its place among the document's pairs


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows side by side."""

    pieces: Tensor  # [row, piece]
    named: Tensor  # [row, piece]
    real: Tensor  # [row, piece] bool
    holders: Tensor  # [row, piece]
    allowed: Tensor  # [row, output] bool: the outputs of its convention
    truth: Tensor  # [row]
    novel: Tensor  # [row]

    def to(self, device: torch.device) -> Rows:
        """The same rows on a device."""
        return Rows(*(getattr(self, name).to(device) for name in Rows.__slots__))


def part(type: str, role: int) -> int:
    """What a piece names: a thing of which type, in which role."""
    return 1 + ROLES * [*READ_TYPES].index(type) + role  # type: ignore[arg-type]


def lessons(
    corpora: Sequence[RelationCorpus], cutter: Wordpieces, widest: int, words: Sequence[int]
) -> list[list[Row]]:
    """The training rows of each corpus."""
    return [
        [row for document in corpus.train for row in rows(corpus.convention, document, cutter, widest, words)]
        for corpus in corpora
    ]


def rows(
    convention: str,
    document: Related,
    cutter: Wordpieces,
    widest: int,
    words: Sequence[int],
    asked: Sequence[int] | None = None,
) -> list[Row]:
    """The pairs of a document, each with the sentences that tell of it.

    A pair of which `widest` pieces do not hold a mention of both is not asked.

    Parameters
    ----------
    words : [type]
        The vocabulary row of each type's word, as `type_words` gives them.
    asked
        Places of the pairs that get a row; all when None.
    """
    spans = split(document.text)
    sentences = [
        replace(window, words=tuple((start + a, end + a) for start, end in window.words))
        for (a, b), windows in zip(
            spans, cutter.windows([document.text[a:b] for a, b in spans], widest), strict=True
        )
        for window in windows[:1]  # the rest of a sentence wider than a row is not read
    ]
    things = {
        thing: [[m for span in thing.spans if (m := _words(window, *span))] for window in sentences]
        for pair in document.pairs
        for thing in (pair.subject, pair.object)
    }
    made: list[Row] = []
    for at in range(len(document.pairs)) if asked is None else asked:
        pair = document.pairs[at]
        row = _row(convention, pair, sentences, things, widest, words, (cutter.start, cutter.stop))
        if row is not None:
            made.append(replace(row, pair=at))
    return made


Mention = tuple[int, int]  # its first word within a sentence, and the one after its last


def _words(window: Window, start: int, end: int) -> Mention | None:
    if not window.words or window.words[-1][1] <= start or end <= window.words[0][0]:
        return None
    inside = [n for n, (a, b) in enumerate(window.words) if a < end and start < b]
    return (inside[0], inside[-1] + 1) if inside else None


def _row(
    convention: str,
    pair: Pair,
    sentences: Sequence[Window],
    things: dict[Thing, list[list[Mention]]],
    widest: int,
    words: Sequence[int],
    ends: tuple[int, int],
) -> Row | None:
    one, other = things[pair.subject], things[pair.object]
    both = [n for n in range(len(sentences)) if one[n] and other[n]]
    if convention in SENTENCES:
        order = both[:1]
    else:
        either = [n for n in range(len(sentences)) if (one[n] or other[n]) and n not in both]
        order = list(dict.fromkeys([*both, *either, *([0] if sentences else [])]))
        if not both:  # one sentence of each first, the nearest two
            near = min(
                ((abs(a - b), a, b) for a in either if one[a] for b in either if other[b]), default=None
            )
            if near is not None:
                order = list(dict.fromkeys([near[1], near[2], *order]))
    shown: dict[int, _Shown] = {}
    used = 2
    for number in order:
        found = _shown(convention, pair, number, sentences[number], things, words)
        if used + len(found.pieces) <= widest:
            shown[number] = found
            used += len(found.pieces)
    pieces, named, holders, names = [ends[0]], [0], [0], list[int]()
    for _, found in sorted(shown.items()):
        names += [len(pieces) + place for place in found.names]
        pieces += found.pieces
        named += found.named
        holders += found.holders
    if not {1, 2} <= set(holders):
        return None
    novel = -1 if pair.novel is None else OUTPUTS.index(f"novelty:{'novel' if pair.novel else 'known'}")
    return Row(
        convention, (*pieces, ends[1]), (*named, 0), (*holders, 0), tuple(names),
        OUTPUTS.index(f"{convention}:{pair.answer}"), novel,
    )  # fmt: skip


@dataclass(slots=True)
class _Shown:
    """A sentence of a row."""

    pieces: list[int]
    named: list[int]
    holders: list[int]
    names: list[int]


def _shown(
    convention: str,
    pair: Pair,
    number: int,
    sentence: Window,
    things: dict[Thing, list[list[Mention]]],
    words: Sequence[int],
) -> _Shown:
    ours = [
        (thing, role, things[thing][number])
        for thing, role in ((pair.subject, SUBJECT), (pair.object, OBJECT))
    ]
    held: dict[int, list[tuple[Thing, int]]] = {}
    roles: dict[int, set[int]] = {}  # of each word, whose it is
    parts: dict[int, int] = {}
    begun: dict[int, int] = {}  # of each word of a name, its first word
    for thing, found in things.items():
        for first, after in found[number]:
            parts |= dict.fromkeys(range(first, after), part(thing.type, OTHER))
            begun |= dict.fromkeys(range(first, after), first)
    for thing, role, mentions in ours:
        for first, after in mentions:
            held.setdefault(first, []).append((thing, role))
            for word in range(first, after):
                roles.setdefault(word, set()).add(role)
                parts[word] = part(thing.type, role)
    # Of a name within the other ("COX-2 inhibitor"), the words beside it stay: they tell.
    told = {
        word
        for _, _, mentions in ours
        for first, after in mentions
        if any(len(roles[word]) > 1 for word in range(first, after))
        for word in range(first, after)
        if len(roles[word]) == 1
    }
    made = _Shown([], [], [], [])
    ends = [*sentence.firsts[1:], len(sentence.pieces) - 1]
    for word, (first, last) in enumerate(zip(sentence.firsts, ends, strict=True)):
        for thing, role in held.get(word, ()):
            made.pieces.append(words[READ_TYPES.index(thing.type)])
            made.named.append(part(thing.type, role))
            made.holders.append(1 + role)
        hidden = word in roles and word not in told
        if hidden and convention in SENTENCES:
            continue
        if hidden:
            made.names += range(len(made.pieces), len(made.pieces) + last - first)
        if word in begun and word not in roles:
            last = max(first, min(last, sentence.firsts[begun[word]] + ASIDE))
        made.pieces += sentence.pieces[first:last]
        made.named += [parts.get(word, 0)] * (last - first)
        made.holders += [0] * (last - first)
    return made


def size(row: Row) -> int:
    """Pieces of a row, with what fills them up: every new shape of a batch costs memory."""
    pieces = len(row.pieces)
    multiple = 16 if pieces <= 128 else 32
    return -(-pieces // multiple) * multiple


def beside(there: Sequence[Row], pad: int, count: int = 0) -> Rows:
    """Rows of one size side by side; at least `count`, of which those beyond say nothing."""
    length, count = size(there[0]), max(count, len(there))
    pieces = np.full((count, length), pad)
    named, holders = np.zeros((2, count, length), dtype=np.int64)
    real = np.zeros((count, length), dtype=np.bool_)
    real[:, 0] = True  # rows that stay empty must not be all padding: their attention would be 0/0
    holders[len(there) :, 0], holders[len(there) :, 1:2] = 1, 2
    for at, row in enumerate(there):
        used = len(row.pieces)
        pieces[at, :used], named[at, :used], holders[at, :used] = row.pieces, row.named, row.holders
        real[at, :used] = True
    return Rows(
        torch.from_numpy(pieces),
        torch.from_numpy(named),
        torch.from_numpy(real),
        torch.from_numpy(holders),
        torch.stack([_ALLOWED[row.convention] for row in there]),
        torch.tensor([row.truth for row in there]),
        torch.tensor([row.novel for row in there]),
    )


def type_words(vocabulary: Sequence[str]) -> list[int]:
    """The vocabulary row of the last word of each type's name ("line" of "cell line"), and that of the unknown."""
    rows = {piece: row for row, piece in enumerate(vocabulary)}
    return [*(rows.get(type.split()[-1], rows[UNKNOWN]) for type in READ_TYPES), rows[UNKNOWN]]


def thinned(found: Sequence[Row], shares: Mapping[str, float], chance: np.random.Generator) -> list[Row]:
    """Rows without a share, told by convention, of those that are unrelated."""
    return [
        row
        for row in found
        if OUTPUTS[row.truth] != f"{row.convention}:{NONE}" or chance.random() >= shares[row.convention]
    ]


def blinded(row: Row, share: float, words: Sequence[int], chance: np.random.Generator) -> Row:
    """A row without what a network would learn by heart instead of reading, as chance has it.

    So often are the names of its two things left out; so often those of the others, for each of which the word
    for its type stands then; and a fifth as often any piece is unknown.

    Parameters
    ----------
    words : [type]
        As `rows` takes them.
    """
    hidden = set(row.names) if chance.random() < share else set()
    aside = chance.random() < share
    lost = chance.random(len(row.pieces)) < share / 5
    pieces, named, holders, names = list[int](), list[int](), list[int](), list[int]()
    before = 0
    for place, piece in enumerate(row.pieces):
        part = row.named[place]
        other = part > 0 and part % ROLES == 0
        if place in hidden or (aside and other and part == before):
            before = part
            continue
        before = part
        if aside and other:
            piece = words[(part - 1) // ROLES]
        elif lost[place] and not row.holders[place] and 0 < place < len(row.pieces) - 1:
            piece = words[-1]
        if place in row.names:
            names.append(len(pieces))
        pieces.append(piece)
        named.append(part)
        holders.append(row.holders[place])
    return replace(row, pieces=tuple(pieces), named=tuple(named), holders=tuple(holders), names=tuple(names))


_ALLOWED = {name: torch.tensor([output.startswith(f"{name}:") for output in OUTPUTS]) for name in ANSWERS}


def relation_loss(scores: Tensor, batch: Rows) -> Tensor:
    """Mean over rows of the cross-entropy within each convention's outputs, natural-log units.

    Parameters
    ----------
    scores : [row, output]
    """
    value = functional.cross_entropy(scores.masked_fill(~batch.allowed, float("-inf")), batch.truth)
    said = batch.novel >= 0
    if bool(said.any()):
        known = _ALLOWED["novelty"].to(scores.device)
        novelty = scores[said].masked_fill(~known, float("-inf"))
        value = value + 0.2 * functional.cross_entropy(novelty, batch.novel[said])
    return value
