"""What is the network shown of a document whose pairs are annotated, and what is it asked?

The document is shown in windows as wide as the network reads; each pair is asked for
by the mentions of its two things that stand nearest to each other. What the network
says of them is pooled, so that one mention pair that states a relation is enough.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from literature.annotated import Annotated
from literature.encoder import COUNTS, READ_TYPES, Marks
from literature.relations_corpus import ANSWERS, OUTPUTS, SENTENCES, Related, Thing
from literature.wordpieces import Window, Wordpieces

try:
    import torch
    from torch import Tensor
    from torch.nn import functional
except ImportError as error:
    raise ImportError("training the reader needs: pip install 'discovery-workbench[literature]'") from error

NEAREST = 3  # mention pairs by which a pair of concepts is asked for
MARKED = 80  # mention pairs in one row
WIDTHS = {True: 256, False: 512}  # pieces of a window, by whether a convention's pairs stand in one sentence
BESIDE = 32  # markers are padded to it

Place = tuple[int, int]  # first and last piece of a mention within its window


@dataclass(frozen=True, slots=True)
class Ask:
    """One pair of things, to be answered from one window."""

    convention: str
    places: tuple[tuple[Place, Place], ...]  # mention pairs, subject first, nearest first
    parts: tuple[int, int]  # what the markers say of subject and object, as Marks.part
    counts: tuple[int, int]  # as Marks.count
    truth: int = 0  # row of OUTPUTS
    novel: int = -1  # row of OUTPUTS; -1: not said
    pair: int = -1  # its place among the document's pairs


@dataclass(frozen=True, slots=True)
class Asked:
    """The asks of a batch as tensors."""

    marks: Marks
    slots: Tensor  # [ask, NEAREST] mention pairs, counted through all rows; -1 where there is none
    allowed: Tensor  # [ask, output] bool: the outputs of its convention
    truth: Tensor  # [ask]
    novel: Tensor  # [ask]

    def to(self, device: torch.device) -> Asked:
        """The same asks on a device."""
        marks = Marks(*(getattr(self.marks, name).to(device) for name in Marks.__slots__))
        return Asked(marks, *(getattr(self, name).to(device) for name in Asked.__slots__[1:]))


def part(type: str, side: int) -> int:
    """The marker of a subject (0) or object (1)."""
    return 1 + 2 * [*READ_TYPES].index(type) + side  # type: ignore[arg-type]


def counted(mentions: int) -> int:
    """How often a document names a thing, as Marks.count."""
    return min(mentions, 4 if mentions < 7 else COUNTS - 1)


def asks(convention: str, document: Related, windows: Sequence[Window]) -> list[list[Ask]]:
    """The pairs of a document, each in the window that holds its nearest mentions.

    A pair whose mentions never share a window is not asked.
    """
    found: list[list[Ask]] = [[] for _ in windows]
    answers = {answer: OUTPUTS.index(f"{convention}:{answer}") for answer in ANSWERS[convention]}
    for at, pair in enumerate(document.pairs):
        near = nearest(pair.subject, pair.object, windows)
        if near is None:
            continue
        number, places = near
        whole = convention not in SENTENCES
        found[number].append(
            Ask(
                convention,
                places,
                (part(pair.subject.type, 0), part(pair.object.type, 1)),
                tuple(counted(len(t.spans)) if whole else 0 for t in (pair.subject, pair.object)),  # type: ignore[arg-type]
                answers[pair.answer],
                -1 if pair.novel is None else OUTPUTS.index(f"novelty:{'novel' if pair.novel else 'known'}"),
                at,
            )
        )
    return found


def nearest(
    subject: Thing, object: Thing, windows: Sequence[Window]
) -> tuple[int, tuple[tuple[Place, Place], ...]] | None:
    """The window that holds the nearest mentions of two things, and the nearest mention pairs in it."""
    best: tuple[int, int, list[tuple[int, Place, Place]]] | None = None
    for number, window in enumerate(windows):
        ones = [(span, at) for span in subject.spans if (at := place(window, *span)) is not None]
        others = [(span, at) for span in object.spans if (at := place(window, *span)) is not None]
        apart = sorted(
            (max(a[0], b[0]) - min(a[1], b[1]), one, other) for a, one in ones for b, other in others
        )
        if apart and (best is None or apart[0][0] < best[0]):
            best = apart[0][0], number, apart
    if best is None:
        return None
    return best[1], tuple((one, other) for _, one, other in best[2][:NEAREST])


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


def in_rows(found: Sequence[Ask]) -> Iterator[tuple[Ask, ...]]:
    """Asks in groups of at most `MARKED` mention pairs."""
    group: list[Ask] = []
    used = 0
    for ask in found:
        if group and used + len(ask.places) > MARKED:
            yield tuple(group)
            group, used = [], 0
        group.append(ask)
        used += len(ask.places)
    if group:
        yield tuple(group)


def cut(convention: str, text: str, cutter: Wordpieces, widest: int) -> list[Window]:
    """The windows in which a convention's pairs are asked for."""
    return cutter.windows([text], min(widest, WIDTHS[convention in SENTENCES]))[0]


def named(document: Related) -> Annotated:
    return Annotated(document.id, document.text, document.marks)


def markers(row: Sequence[Ask]) -> int:
    """Markers that a row needs, with what fills them up."""
    return -(-2 * sum(len(ask.places) for ask in row) // BESIDE) * BESIDE


def asked(rows: Sequence[Sequence[Ask]]) -> Asked:
    """The asks of rows side by side."""
    pairs = max(map(markers, rows)) // 2
    first, last, parts, counts = (torch.zeros((len(rows), 2 * pairs), dtype=torch.long) for _ in range(4))
    slots: list[list[int]] = []
    for row, there in enumerate(rows):
        used = 0
        for ask in there:
            slots.append([row * pairs + used + n for n in range(len(ask.places))])
            slots[-1] += [-1] * (NEAREST - len(ask.places))
            for places in ask.places:
                for side, (a, b) in enumerate(places):
                    first[row, 2 * used + side], last[row, 2 * used + side] = a, b
                    parts[row, 2 * used + side] = ask.parts[side]
                    counts[row, 2 * used + side] = ask.counts[side]
                used += 1
    every = [ask for row in rows for ask in row]
    return Asked(
        Marks(first, last, parts, counts),
        torch.tensor(slots),
        torch.stack([_ALLOWED[ask.convention] for ask in every]),
        torch.tensor([ask.truth for ask in every]),
        torch.tensor([ask.novel for ask in every]),
    )


_ALLOWED = {name: torch.tensor([output.startswith(f"{name}:") for output in OUTPUTS]) for name in ANSWERS}


def pooled(scores: Tensor, slots: Tensor) -> Tensor:
    """[row, pair, output], [ask, NEAREST] -> [ask, output]: the logarithm of the mean of exponentials."""
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
