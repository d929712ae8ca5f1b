"""What is the network shown of a document whose pairs are annotated, and what is it asked?

A row is one window and one subject. Where a convention's pairs stand in one sentence, the
window is that sentence, a row asks for one pair, and both names are hidden behind the
word for their type, so that what is said of them is learned and not who they are. Else
the window is as much of the document as the network reads, every mention of the subject
and of the things it is asked about is marked, and all those things are answered for at
once; what is said at several mentions of one thing is pooled, so that one mention that
tells is enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from literature.encoder import COUNTS, READ_TYPES, ROLES, Marks
from literature.relations_corpus import ANSWERS, NONE, OUTPUTS, SENTENCES, Related, RelationCorpus, Thing
from literature.sentences import split
from literature.wordpieces import UNKNOWN, Window, Wordpieces

try:
    import torch
    from torch import Tensor
    from torch.nn import functional
except ImportError as error:
    raise ImportError("training the reader needs: pip install 'discovery-workbench[literature]'") from error

NEAREST = 4  # mentions at which a thing is marked, those nearest to the subject
OWN = 6  # mentions at which the subject is marked
MARKED = 56  # markers of objects in one row
SUBJECT, OBJECT, OTHER = range(ROLES)

Place = tuple[int, int]  # first and last piece of a mention within its window


@dataclass(frozen=True, slots=True)
class Spot:
    """A thing within a window."""

    part: int  # as Marks.part
    count: int  # as Marks.count
    places: tuple[Place, ...]  # of all its mentions in the window; an object's nearest to the subject first


@dataclass(frozen=True, slots=True)
class Ask:
    """One object to be answered for."""

    spot: Spot
    convention: str
    truth: int = 0  # row of OUTPUTS
    novel: int = -1  # row of OUTPUTS; -1: not said
    pair: int = -1  # its place among the document's pairs


@dataclass(frozen=True, slots=True)
class Row:
    """One subject in one window, and the objects that are asked about."""

    window: Window
    subject: Spot
    asks: tuple[Ask, ...]
    others: tuple[Spot, ...] = ()  # named, and not asked about


@dataclass(frozen=True, slots=True)
class Asked:
    """The asks of a batch as tensors."""

    marks: Marks
    slots: Tensor  # [ask, NEAREST] markers, counted through all rows; -1 where there is none
    allowed: Tensor  # [ask, output] bool: the outputs of its convention
    truth: Tensor  # [ask]
    novel: Tensor  # [ask]

    def to(self, device: torch.device) -> Asked:
        """The same asks on a device."""
        marks = Marks(*(getattr(self.marks, name).to(device) for name in Marks.__slots__))
        return Asked(marks, *(getattr(self, name).to(device) for name in Asked.__slots__[1:]))


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows side by side."""

    pieces: Tensor  # [row, piece]
    shapes: Tensor  # [row, piece]
    real: Tensor  # [row, piece] bool
    asked: Asked

    def to(self, device: torch.device) -> Rows:
        """The same rows on a device."""
        return Rows(
            self.pieces.to(device), self.shapes.to(device), self.real.to(device), self.asked.to(device)
        )


def part(type: str, role: int) -> int:
    """What a marker says: of which type, in which role."""
    return 1 + ROLES * [*READ_TYPES].index(type) + role  # type: ignore[arg-type]


def counted(mentions: int) -> int:
    """How often a document names a thing, as Marks.count."""
    return min(mentions, 4 if mentions < 7 else COUNTS - 1)


def lessons(
    corpora: Sequence[RelationCorpus], cutter: Wordpieces, widest: int, words: Sequence[int]
) -> list[list[Row]]:
    """The training rows of each corpus."""
    return [
        [
            row
            for document in corpus.train
            for row in rows(
                corpus.convention,
                document,
                cut(corpus.convention, document.text, cutter, widest),
                words,
            )
        ]
        for corpus in corpora
    ]


def cut(convention: str, text: str, cutter: Wordpieces, widest: int) -> list[Window]:
    """The windows in which a convention's pairs are asked for."""
    if convention not in SENTENCES:
        return cutter.windows([text], widest)[0]
    spans = split(text)
    found = cutter.windows([text[a:b] for a, b in spans], widest)
    return [
        replace(window, words=tuple((start + a, end + a) for start, end in window.words))
        for (a, _), windows in zip(spans, found, strict=True)
        for window in windows
    ]


def rows(convention: str, document: Related, windows: Sequence[Window], words: Sequence[int]) -> list[Row]:
    """The pairs of a document, each in the window that holds its nearest mentions.

    A pair whose mentions never share a window is not asked.

    Parameters
    ----------
    words : [type]
        The vocabulary row of each type's word, as `type_words` gives them.
    """
    things = list(dict.fromkeys(thing for pair in document.pairs for thing in (pair.subject, pair.object)))
    seen = {
        thing: [tuple(p for s in thing.spans if (p := place(window, *s))) for window in windows]
        for thing in things
    }
    whole = convention not in SENTENCES
    answers = {answer: OUTPUTS.index(f"{convention}:{answer}") for answer in ANSWERS[convention]}

    def spot(thing: Thing, role: int, places: tuple[Place, ...]) -> Spot:
        return Spot(part(thing.type, role), counted(len(thing.spans)) if whole else 0, places)

    groups: dict[tuple[int, Thing], list[Ask]] = {}
    told: dict[tuple[int, Thing], list[Thing]] = {}
    for at, pair in enumerate(document.pairs):
        number = _nearest(seen[pair.subject], seen[pair.object])
        if number is None:
            continue
        near = _by_nearness(seen[pair.object][number], seen[pair.subject][number])
        novel = -1 if pair.novel is None else OUTPUTS.index(f"novelty:{'novel' if pair.novel else 'known'}")
        ask = Ask(spot(pair.object, OBJECT, near), convention, answers[pair.answer], novel, at)
        groups.setdefault((number, pair.subject), []).append(ask)
        told.setdefault((number, pair.subject), []).append(pair.object)
    made: list[Row] = []
    for (number, subject), asks in groups.items():
        apart = {subject, *told[number, subject]}
        others = tuple(
            spot(thing, OTHER, seen[thing][number])
            for thing in things
            if thing not in apart and seen[thing][number]
        )
        own = spot(subject, SUBJECT, seen[subject][number])
        if whole:
            made += [Row(windows[number], own, group, others) for group in _in_groups(asks)]
        else:
            made += [_hidden(Row(windows[number], own, (ask,)), words) for ask in asks]
    return made


def _apart(one: Place, other: Place) -> int:
    return max(one[0], other[0]) - min(one[1], other[1])


def _by_nearness(places: Sequence[Place], subject: Sequence[Place]) -> tuple[Place, ...]:
    return tuple(sorted(places, key=lambda one: min(_apart(one, other) for other in subject)))


def _nearest(ones: Sequence[tuple[Place, ...]], others: Sequence[tuple[Place, ...]]) -> int | None:
    """The window in which two things stand nearest to each other."""
    found = [
        (min(_apart(a, b) for a in one for b in other), number)
        for number, (one, other) in enumerate(zip(ones, others, strict=True))
        if one and other
    ]
    return min(found)[1] if found else None


def place(window: Window, start: int, end: int) -> Place | None:
    """The pieces of a span within a window; None when it stands outside."""
    if not window.words or window.words[-1][1] <= start or end <= window.words[0][0]:
        return None
    inside = [n for n, (a, b) in enumerate(window.words) if a < end and start < b]
    if not inside:
        return None
    after = inside[-1] + 1
    last = window.firsts[after] if after < len(window.firsts) else len(window.pieces) - 1
    return window.firsts[inside[0]], last - 1


def _in_groups(asks: Sequence[Ask]) -> Iterator[tuple[Ask, ...]]:
    """Asks in groups of at most `MARKED` markers."""
    group: list[Ask] = []
    used = 0
    for ask in asks:
        need = min(NEAREST, len(ask.spot.places))
        if group and used + need > MARKED:
            yield tuple(group)
            group, used = [], 0
        group.append(ask)
        used += need
    if group:
        yield tuple(group)


def size(row: Row) -> tuple[int, int]:
    """Pieces and markers of a row, with what fills them up: every new shape of a batch costs memory."""
    pieces = len(row.window.pieces)
    markers = min(OWN, len(row.subject.places)) + sum(min(NEAREST, len(a.spot.places)) for a in row.asks)
    return _filled(pieces, 16 if pieces <= 128 else 64), _filled(markers, 8 if markers <= 16 else 16)


def _filled(count: int, multiple: int) -> int:
    return -(-count // multiple) * multiple


def beside(there: Sequence[Row], pad: int, count: int = 0) -> Rows:
    """Rows of one size side by side; at least `count`, of which those beyond are empty."""
    length, markers = size(there[0])
    count = max(count, len(there))
    pieces = torch.full((count, length), pad)
    shapes = torch.zeros((count, length), dtype=torch.long)
    real = torch.zeros((count, length), dtype=torch.bool)
    real[:, 0] = True  # rows that stay empty must not be all padding: their attention would be 0/0
    first, last, parts, counts = (torch.zeros((count, markers), dtype=torch.long) for _ in range(4))
    named = torch.zeros((count, length), dtype=torch.long)
    slots: list[list[int]] = []
    for at, row in enumerate(there):
        used = len(row.window.pieces)
        pieces[at, :used] = torch.tensor(row.window.pieces)
        shapes[at, :used] = torch.tensor(row.window.shapes)
        real[at, :used] = True
        for spot in (*row.others, *(ask.spot for ask in row.asks), row.subject):
            for a, b in spot.places:
                named[at, a : b + 1] = spot.part
        marker = 0
        for number, spot in enumerate((row.subject, *(ask.spot for ask in row.asks))):
            shown = spot.places[: NEAREST if number else OWN]
            if number:
                slots.append([at * markers + marker + n for n in range(len(shown))])
                slots[-1] += [-1] * (NEAREST - len(shown))
            for a, b in shown:
                first[at, marker], last[at, marker] = a, b
                parts[at, marker], counts[at, marker] = spot.part, spot.count
                marker += 1
    every = [ask for row in there for ask in row.asks]
    asked = Asked(
        Marks(first, last, parts, counts, named),
        torch.tensor(slots),
        torch.stack([_ALLOWED[ask.convention] for ask in every]),
        torch.tensor([ask.truth for ask in every]),
        torch.tensor([ask.novel for ask in every]),
    )
    return Rows(pieces, shapes, real, asked)


def _hidden(row: Row, words: Sequence[int]) -> Row:
    """A row of one pair with both names behind the word for their type."""
    (ask,) = row.asks
    one, other = row.subject.places[0], ask.spot.places[0]
    if one[0] <= other[1] and other[0] <= one[1]:
        return row  # one name within the other: hiding either would hide both
    pieces, shapes = list(row.window.pieces), list(row.window.shapes)
    found: dict[Place, Place] = {}
    shift = 0
    for (a, b), spot in sorted([(one, row.subject), (other, ask.spot)]):
        at = a - shift
        pieces[at : b + 1 - shift] = [words[(spot.part - 1) // ROLES]]
        shapes[at : b + 1 - shift] = [0]
        found[a, b] = (at, at)
        shift += b - a
    return replace(
        row,
        window=Window(tuple(pieces), tuple(shapes), (), ()),
        subject=replace(row.subject, places=(found[one],)),
        asks=(replace(ask, spot=replace(ask.spot, places=(found[other],))),),
    )


def type_words(vocabulary: Sequence[str]) -> list[int]:
    """The vocabulary row of the last word of each type's name ("line" of "cell line")."""
    rows = {piece: row for row, piece in enumerate(vocabulary)}
    return [rows.get(type.split()[-1], rows[UNKNOWN]) for type in READ_TYPES]


def thinned(found: Sequence[Row], share: float, chance: np.random.Generator) -> list[Row]:
    """Rows of one pair without a share of those that are unrelated; other rows as they are."""
    return [
        row
        for row in found
        if row.asks[0].convention not in SENTENCES
        or OUTPUTS[row.asks[0].truth] != f"{row.asks[0].convention}:{NONE}"
        or chance.random() >= share
    ]


def blinded(row: Row, share: float, unknown: int, chance: np.random.Generator) -> Row:
    """A document's row with a share of its things unnamed, lest they are learned by heart."""
    if row.asks[0].convention in SENTENCES:
        return row  # hidden already
    pieces = list(row.window.pieces)
    for spot in (row.subject, *(ask.spot for ask in row.asks), *row.others):
        if chance.random() < share:
            for a, b in spot.places:
                pieces[a : b + 1] = [unknown] * (b + 1 - a)
    return replace(row, window=replace(row.window, pieces=tuple(pieces)))


def unknown(vocabulary: Sequence[str]) -> int:
    """The row of the piece that stands for what the vocabulary lacks."""
    return list(vocabulary).index(UNKNOWN)


_ALLOWED = {name: torch.tensor([output.startswith(f"{name}:") for output in OUTPUTS]) for name in ANSWERS}


def pooled(scores: Tensor, slots: Tensor) -> Tensor:
    """[row, marker, output], [ask, NEAREST] -> [ask, output]: the logarithm of the mean of exponentials."""
    flat = scores.reshape(-1, scores.shape[-1])
    there = slots >= 0
    picked = flat[slots.clamp_min(0)].masked_fill(~there[..., None], float("-inf"))
    return picked.logsumexp(1) - there.sum(1, keepdim=True).log()


def relation_loss(scores: Tensor, batch: Asked) -> Tensor:
    """Mean over asks of the cross-entropy within each convention's outputs, natural-log units."""
    found = pooled(scores, batch.slots)
    value = functional.cross_entropy(found.masked_fill(~batch.allowed, float("-inf")), batch.truth)
    said = batch.novel >= 0
    if bool(said.any()):
        known = _ALLOWED["novelty"].to(found.device)
        novelty = found[said].masked_fill(~known, float("-inf"))
        value = value + 0.2 * functional.cross_entropy(novelty, batch.novel[said])
    return value
