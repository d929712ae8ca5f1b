"""Which pieces does a network see of a text, and where does each word stand?

Words are what stands between spaces and punctuation; a word is cut into pieces of the
vocabulary, and keeps its written shape (case, digits), which the lower-cased pieces
have lost. Consecutive sentences are packed into windows of bounded width. The result
does not depend on how many spaces separate two words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from discovery.extras import needs
from literature.sentences import split

with needs("literature"):
    from tokenizers import Encoding, Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer


PAD, UNKNOWN, START, STOP = "[PAD]", "[UNK]", "[CLS]", "[SEP]"
SPECIAL = (PAD, UNKNOWN, START, STOP)

_WORD_SHAPES = 10
_PIECE_SHAPES = 4
SHAPES = 1 + _WORD_SHAPES * _PIECE_SHAPES  # 0 is no word: start, stop and padding


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a text as the network sees it."""

    pieces: tuple[int, ...]  # vocabulary rows, between START and STOP
    shapes: tuple[int, ...]  # one per piece
    firsts: tuple[int, ...]  # place in `pieces` of each word's first piece
    words: tuple[tuple[int, int], ...]  # code points into the text, one per word


class Wordpieces:
    """Cuts texts into windows of vocabulary pieces.

    `cutter` is a tokenizer of the tokenizers package; `start`, `stop` and `pad` are the
    rows of its vocabulary that begin, end and fill a window. `of_vocabulary` makes the
    usual one.
    """

    def __init__(self, cutter: Tokenizer, *, start: int, stop: int, pad: int, apart: bool = False) -> None:
        """`apart`: what the cutter makes of a text is what it makes of its parts between spaces, one by one."""
        self.start, self.stop, self.pad = start, stop, pad
        self._cutter = cutter
        self._apart = apart
        self._known: dict[str, list[_Word]] = {}
        self._cutter.no_truncation()  # a tokenizer's file may ask for both
        self._cutter.no_padding()

    @classmethod
    def of_vocabulary(cls, vocabulary: Sequence[str]) -> Wordpieces:
        """Lower-cased words cut into the longest pieces that `vocabulary` holds, as BERT does.

        Raises
        ------
        ValueError
            If the vocabulary lacks a special piece or names one twice.
        """
        rows = {piece: row for row, piece in enumerate(vocabulary)}
        if len(rows) != len(vocabulary):
            raise ValueError(f"the vocabulary has {len(vocabulary)} lines but {len(rows)} different pieces")
        lacking = [piece for piece in SPECIAL if piece not in rows]
        if lacking:
            raise ValueError(f"the vocabulary lacks {', '.join(lacking)}; it must hold {', '.join(SPECIAL)}")
        cutter = Tokenizer(WordPiece(rows, unk_token=UNKNOWN, max_input_chars_per_word=100))
        cutter.normalizer = BertNormalizer(lowercase=True)
        cutter.pre_tokenizer = BertPreTokenizer()
        return cls(cutter, start=rows[START], stop=rows[STOP], pad=rows[PAD], apart=True)

    def windows(self, texts: Sequence[str], width: int) -> list[list[Window]]:
        """Each text as windows of at most `width` pieces (START and STOP counted), in reading order.

        A sentence stays whole where it fits into a window; a word stays whole unless it
        alone is wider than a window, and is then cut off at the window's end.
        """
        if width < 8:
            raise ValueError(f"windows of {width} pieces hold no sentence; use 8 or more")
        return [
            [self._window(words) for words in _packed(text, found, width - 2)]
            for text, found in zip(texts, self._cut(texts), strict=True)
        ]

    def count(self, texts: Sequence[str]) -> dict[int, int]:
        """How often each vocabulary row is used by `texts`."""
        counts: dict[int, int] = {}
        for encoding in self._cutter.encode_batch(list(texts), add_special_tokens=False):
            for row in encoding.ids:
                counts[row] = counts.get(row, 0) + 1
        return counts

    def _cut(self, texts: Sequence[str]) -> Iterator[list[_Word]]:
        if self._apart:
            for text in texts:
                yield self._by_parts(text)
        else:
            whole = self._cutter.encode_batch(list(texts), add_special_tokens=False)
            for text, encoding in zip(texts, whole, strict=True):
                yield _words(text, encoding)

    def _by_parts(self, text: str) -> list[_Word]:
        """The words of a text; every part is cut once and then remembered, since few are new."""
        found: list[_Word] = []
        for part in (_PLAIN_PART if _PLAIN.fullmatch(text) else _PART).finditer(text):
            written, at = part.group(), part.start()
            known = self._known.get(written)
            if known is None:
                if len(self._known) > _REMEMBERED:
                    self._known.clear()
                cut = self._cutter.encode(written, add_special_tokens=False)
                known = self._known[written] = _words(written, cut)
            found += [_Word(at + word.start, at + word.end, word.pieces, word.shapes) for word in known]
        return found

    def _window(self, words: Sequence[_Word]) -> Window:
        pieces, shapes, firsts = [self.start], [0], []
        for word in words:
            firsts.append(len(pieces))
            pieces += word.pieces
            shapes += word.shapes
        pieces.append(self.stop)
        shapes.append(0)
        return Window(tuple(pieces), tuple(shapes), tuple(firsts), tuple((w.start, w.end) for w in words))


# What stands between the spaces of the cutter, and of plain texts what its punctuation leaves whole.
_PART = re.compile(r"[^ \t\n\r]+")
_PLAIN = re.compile(r"[ -~\t\n\r]*")
_PLAIN_PART = re.compile(r"[A-Za-z0-9]+|[^ \t\n\rA-Za-z0-9]")
_REMEMBERED = 200_000  # parts


class _Word(NamedTuple):
    start: int  # code points into the text
    end: int
    pieces: list[int]
    shapes: list[int]  # one per piece


def _words(text: str, encoding: Encoding) -> list[_Word]:
    words: list[_Word] = []
    begin = 0
    rows, numbers, offsets = encoding.ids, encoding.word_ids, encoding.offsets
    for place in range(1, len(numbers) + 1):
        if place == len(numbers) or numbers[place] != numbers[begin]:
            start, end = offsets[begin][0], offsets[place - 1][1]
            while start < end and text[start].isspace():  # some tokenizers count the space to the word
                start += 1
            if start < end:
                written = 1 + _word_shape(text[start:end]) * _PIECE_SHAPES
                shapes = [written + _piece_shape(text[a:b]) for a, b in offsets[begin:place]]
                words.append(_Word(start, end, rows[begin:place], shapes))
            begin = place
    return words


def _packed(text: str, words: Sequence[_Word], room: int) -> Iterator[list[_Word]]:
    """Words in groups of at most `room` pieces, broken between sentences where that is possible."""
    if any(len(word.pieces) > room for word in words):
        words = [_Word(w.start, w.end, w.pieces[:room], w.shapes[:room]) for w in words]
    window: list[_Word] = []
    used = 0
    for sentence in _sentences(text, words):
        need = sum([len(word.pieces) for word in sentence])
        if window and used + need > room:
            yield window
            window, used = [], 0
        if used + need <= room:
            window += sentence
            used += need
            continue
        for word in sentence:  # only a sentence wider than a window is broken here
            if used + len(word.pieces) > room:
                yield window
                window, used = [], 0
            window.append(word)
            used += len(word.pieces)
    if window:
        yield window


def _sentences(text: str, words: Sequence[_Word]) -> Iterator[list[_Word]]:
    place = 0
    for _, end in split(text):
        begin = place
        while place < len(words) and words[place].start < end:
            place += 1
        if place > begin:
            yield list(words[begin:place])
    if place < len(words):
        yield list(words[place:])


@lru_cache(maxsize=1 << 16)
def _word_shape(word: str) -> int:
    first = word[:1]
    if not any(c.isalnum() for c in word):
        return 0
    if word.isdigit():
        return 1
    if any(c.isalpha() and not c.isascii() for c in word):
        return 2
    letters = [c for c in word if c.isalpha()]
    digits = len(letters) < len(word)
    if len(letters) == 1 and not digits:
        return 3 if first.isupper() else 4
    if all(c.islower() for c in letters):
        return 6 if digits else 5
    if all(c.isupper() for c in letters):
        return 8 if digits else 7
    # An initial capital says little at the start of a sentence, a capital within says much: IgM, mRNA.
    return 5 if not digits and first.isupper() and word[1:].islower() and len(word) > 3 else 9


@lru_cache(maxsize=1 << 16)
def _piece_shape(piece: str) -> int:
    if piece.islower():
        return 1
    if piece.isupper():
        return 2
    return 3 if piece[:1].isupper() else 0
