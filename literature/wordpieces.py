"""Which pieces does a network see of a text, and where does each word stand?

Words are what stands between spaces and punctuation; a word is cut into pieces of the
vocabulary, and keeps its written shape (case, digits), which the lower-cased pieces
have lost. Consecutive sentences are packed into windows of bounded width. The result
does not depend on how many spaces separate two words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from literature.sentences import split

try:
    from tokenizers import Encoding, Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer
except ImportError as error:
    raise ImportError("the reading model needs: pip install 'discovery-workbench[literature]'") from error

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

    def __init__(self, cutter: Tokenizer, *, start: int, stop: int, pad: int) -> None:
        self.start, self.stop, self.pad = start, stop, pad
        self._cutter = cutter
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
        return cls(cutter, start=rows[START], stop=rows[STOP], pad=rows[PAD])

    def windows(self, texts: Sequence[str], width: int) -> list[list[Window]]:
        """Each text as windows of at most `width` pieces (START and STOP counted), in reading order.

        A sentence stays whole where it fits into a window; a word stays whole unless it
        alone is wider than a window, and is then cut off at the window's end.
        """
        if width < 8:
            raise ValueError(f"windows of {width} pieces hold no sentence; use 8 or more")
        cut = self._cutter.encode_batch(list(texts), add_special_tokens=False)
        return [
            [
                self._window(text, encoding, words)
                for words in _packed(text, _words(text, encoding), width - 2)
            ]
            for text, encoding in zip(texts, cut, strict=True)
        ]

    def count(self, texts: Sequence[str]) -> dict[int, int]:
        """How often each vocabulary row is used by `texts`."""
        counts: dict[int, int] = {}
        for encoding in self._cutter.encode_batch(list(texts), add_special_tokens=False):
            for row in encoding.ids:
                counts[row] = counts.get(row, 0) + 1
        return counts

    def _window(self, text: str, encoding: Encoding, words: Sequence[_Word]) -> Window:
        pieces, shapes, firsts = [self.start], [0], []
        rows, offsets = encoding.ids, encoding.offsets
        for word in words:
            firsts.append(len(pieces))
            written = _word_shape(text[word.start : word.end])
            for place in range(word.first, word.last):
                a, b = offsets[place]
                pieces.append(rows[place])
                shapes.append(1 + written * _PIECE_SHAPES + _piece_shape(text[a:b]))
        pieces.append(self.stop)
        shapes.append(0)
        return Window(tuple(pieces), tuple(shapes), tuple(firsts), tuple((w.start, w.end) for w in words))


@dataclass(frozen=True, slots=True)
class _Word:
    start: int  # code points into the text
    end: int
    first: int  # pieces [first, last) of the encoding
    last: int


def _words(text: str, encoding: Encoding) -> list[_Word]:
    words: list[_Word] = []
    begin = 0
    numbers, offsets = encoding.word_ids, encoding.offsets
    for place in range(1, len(numbers) + 1):
        if place == len(numbers) or numbers[place] != numbers[begin]:
            start, end = offsets[begin][0], offsets[place - 1][1]
            while start < end and text[start].isspace():  # some tokenizers count the space to the word
                start += 1
            if start < end:
                words.append(_Word(start, end, begin, place))
            begin = place
    return words


def _packed(text: str, words: Sequence[_Word], room: int) -> Iterator[list[_Word]]:
    """Words in groups of at most `room` pieces, broken between sentences where that is possible."""
    words = [w if w.last - w.first <= room else _Word(w.start, w.end, w.first, w.first + room) for w in words]
    window: list[_Word] = []
    used = 0
    for sentence in _sentences(text, words):
        need = sum(word.last - word.first for word in sentence)
        if window and used + need > room:
            yield window
            window, used = [], 0
        for word in sentence:  # only a sentence wider than a window is broken here
            if used + word.last - word.first > room:
                yield window
                window, used = [], 0
            window.append(word)
            used += word.last - word.first
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
