"""Which sentences mean nearly the same?

A sentence is one vector, so that "heart attack" lies near "myocardial infarction". The
shipped vectors belong to word pieces: a sentence is their mean, rare pieces counting
more, turned so that no direction of ordinary prose outweighs the others. That costs
microseconds; an encoder of others (a folder, or a name already on this machine) costs
milliseconds and finds a little more.

    python -m literature.model.embedding --encoder FOLDER --data FOLDER --out FILE

makes the shipped file anew from the word pieces of a BERT encoder and open full texts.

References
----------
.. [1] Arora S., Liang Y., Ma T., A simple but tough-to-beat baseline for sentence embeddings, ICLR 2017,
   equation 3: each word weighs a / (a + its probability).
.. [2] Su J. et al., Whitening sentence representations for better semantics and faster retrieval,
   arXiv:2103.15316, section 3.2.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from discovery.extras import needs
from discovery.files import publish
from discovery.outcome import UserError
from literature.model.borrowed import borrowed
from literature.sentences import split

with needs("literature"):
    from safetensors import SafetensorError, safe_open
    from safetensors.numpy import load_file, save
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.normalizers import BertNormalizer
    from tokenizers.pre_tokenizers import BertPreTokenizer


Floats: TypeAlias = NDArray[np.float32]

STATIC = "static"
FORMAT = "discovery-search-1"
UNKNOWN = "[UNK]"
RARE = 1e-3  # a of [1]
_BLOCK = 4096  # texts held at a time


class EmbeddingError(UserError, ValueError):
    """Vectors cannot be made; the message names the file or model and what to do."""


class Embedder(Protocol):
    """Turns texts into vectors of length 1, each on its own: neighbours change nothing."""

    @property
    def name(self) -> str:
        """Changes when a vector may change."""
        ...

    def __call__(self, texts: Sequence[str], /) -> Floats:
        """[text, width]; all zeros where a text holds no known word."""
        ...


@lru_cache(maxsize=4)
def embedder(model: str = STATIC) -> Embedder:
    """ "static", a weights file of this format, or an encoder's folder or name on this machine.

    Raises
    ------
    EmbeddingError
        If the weights file is absent or of another kind.
    ModelError
        If the encoder cannot be read.
    """
    if model == STATIC:
        return Static.read(Path(str(files("literature") / "weights" / "search.safetensors")))
    if model.endswith(".safetensors"):
        return Static.read(Path(model))
    return Encoded.load(model)


@dataclass(frozen=True, eq=False)
class Static:
    """Vectors of word pieces."""

    name: str
    table: Floats  # [piece, width]
    weights: Floats  # [piece], how much each counts [1]
    centre: Floats  # [width], the mean sentence
    cutter: Tokenizer

    @classmethod
    def read(cls, path: Path) -> Static:
        """The vectors of a file.

        Raises
        ------
        EmbeddingError
            If the file is absent, torn or of another kind.
        """
        try:
            with safe_open(path, framework="np") as file:
                header: dict[str, str] = json.loads((file.metadata() or {}).get("about", "{}"))
                held = {name: file.get_tensor(name) for name in ("table", "scale", "weights", "centre")}
        except (SafetensorError, OSError) as error:
            raise EmbeddingError(f"{path} holds no vectors of word pieces: {error}") from error
        if header.get("format") != FORMAT:
            raise EmbeddingError(
                f"{path} is of the format {header.get('format')!r}, this program reads {FORMAT!r}"
            )
        vocabulary = header["vocabulary"].split("\n")
        return cls(
            f"{STATIC}-{hashlib.sha256(path.read_bytes()).hexdigest()[:12]}",
            held["table"].astype(np.float32) * held["scale"][:, None],
            held["weights"],
            held["centre"],
            _cutter(vocabulary),
        )

    def __call__(self, texts: Sequence[str], /) -> Floats:
        made = [self._block(texts[at : at + _BLOCK]) for at in range(0, len(texts), _BLOCK)]
        return np.concatenate(made) if made else np.zeros((0, self.table.shape[1]), np.float32)

    def _block(self, texts: Sequence[str]) -> Floats:
        rows = [encoding.ids for encoding in self.cutter.encode_batch(list(texts), add_special_tokens=False)]
        return unit(_means(rows, self.table, self.weights, self.centre))


def _means(rows: Sequence[Sequence[int]], table: Floats, weights: Floats, centre: Floats) -> Floats:
    """[text, width]: weighted means of the pieces' vectors less the centre; zero where nothing weighs."""
    result = np.zeros((len(rows), table.shape[1]), np.float32)
    for at, pieces in enumerate(rows):
        share = weights[pieces]
        total = float(share.sum())
        if total > 0:
            result[at] = share @ table[pieces] / total - centre
    return result


def unit(vectors: Floats) -> Floats:
    """[text, width] -> the same directions with length 1; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    made: Floats = np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 1e-12)
    return made


def _cutter(vocabulary: Sequence[str]) -> Tokenizer:
    rows = {piece: row for row, piece in enumerate(vocabulary)}
    cutter = Tokenizer(WordPiece(rows, unk_token=UNKNOWN, max_input_chars_per_word=64))
    cutter.normalizer = BertNormalizer(lowercase=True)
    cutter.pre_tokenizer = BertPreTokenizer()
    return cutter


@dataclass(frozen=True, eq=False)
class Encoded:
    """The mean of an encoder's states."""

    name: str
    network: Any
    cutter: Any

    @classmethod
    def load(cls, model: str) -> Encoded:
        """An encoder that is already on this machine; nothing is downloaded.

        Raises
        ------
        ModelError
            If there is none of that name.
        """
        network, cutter = borrowed(model, "AutoModel")
        import torch

        held = sum(float(p.detach().double().abs().sum()) for p in network.parameters())
        if torch.ops.mkldnn._is_mkldnn_bf16_supported():
            network = network.to(torch.bfloat16)
        digest = hashlib.sha256(f"{Path(model).name}\0{held!r}\0{network.dtype}".encode()).hexdigest()
        return cls(f"encoder-{digest[:12]}", network, cutter)

    def __call__(self, texts: Sequence[str], /) -> Floats:
        import torch

        made = np.zeros((len(texts), int(self.network.config.hidden_size)), np.float32)
        # One shape for every batch of one length, so that neighbours change no answer.
        cut = [self.cutter(text, truncation=True, max_length=128)["input_ids"] for text in texts]
        by_length: dict[int, list[int]] = {}
        for at, pieces in enumerate(cut):
            by_length.setdefault(-(-len(pieces) // 16) * 16, []).append(at)
        pad = self.cutter.pad_token_id or 0
        for length, there in by_length.items():
            for begin in range(0, len(there), 16):
                these = there[begin : begin + 16]
                rows = torch.full((16, length), pad)
                real = torch.zeros((16, length), dtype=torch.long)
                real[:, 0] = 1
                for row, at in enumerate(these):
                    rows[row, : len(cut[at])] = torch.tensor(cut[at])
                    real[row, : len(cut[at])] = 1
                with torch.inference_mode():
                    states = self.network(input_ids=rows, attention_mask=real).last_hidden_state.float()
                share = real[..., None].float()
                means = (states * share).sum(1) / share.sum(1)
                made[these] = means[: len(these)].numpy()
        return unit(made)


def build(
    pieces: Floats, vocabulary: Sequence[str], texts: Sequence[str], *, keep: int = 12_000, width: int = 192
) -> bytes:
    """Vectors of word pieces from an encoder's own, as a file's bytes.

    Parameters
    ----------
    pieces : [piece, any width]
        The rows an encoder looks its pieces up in.
    texts
        Sentences of ordinary prose of the field; at least a few thousand.
    keep
        The pieces used most are kept, and all single characters.
    """
    counts = np.zeros(len(vocabulary))
    for encoding in _cutter(vocabulary).encode_batch(list(texts), add_special_tokens=False):
        np.add.at(counts, encoding.ids, 1)
    order = sorted(range(len(vocabulary)), key=lambda row: (-counts[row], row))
    single = {row for row, piece in enumerate(vocabulary) if len(piece.removeprefix("##")) == 1}
    special = vocabulary.index(UNKNOWN)
    chosen = sorted({special, *single, *order[:keep]})
    kept = [vocabulary[row] for row in chosen]
    cut = [e.ids for e in _cutter(kept).encode_batch(list(texts), add_special_tokens=False)]
    used = np.zeros(len(kept))
    for row in cut:
        np.add.at(used, row, 1)
    weights = (RARE / (RARE + used / used.sum())).astype(np.float32)
    weights[kept.index(UNKNOWN)] = 0.0
    table = pieces[chosen].astype(np.float32)
    means = _means(cut, table, weights, np.zeros(table.shape[1], np.float32)).astype(np.float64)
    centre = means.mean(axis=0)
    spread, directions = np.linalg.eigh(np.cov(means - centre, rowvar=False))
    turned = directions[:, -width:] / np.sqrt(spread[-width:])
    flat = (table @ turned).astype(np.float32)
    scale = np.maximum(np.abs(flat).max(axis=1), 1e-12) / 127
    held = {
        "table": np.round(flat / scale[:, None]).astype(np.int8),
        "scale": scale.astype(np.float32),
        "weights": weights,
        "centre": (centre @ turned).astype(np.float32),
    }
    # One entry: safetensors writes several in any order, and the same vectors would be other bytes.
    about = json.dumps({"format": FORMAT, "vocabulary": "\n".join(kept)}, ensure_ascii=False)
    return bytes(save(held, metadata={"about": about}))


def prose(path: Path, each: int = 20, seed: int = 0) -> list[str]:
    """Sentences of open full texts: JSON lines (.xz) with `abstract` and `body`; some of each article."""
    chance = random.Random(seed)
    found: list[str] = []
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            article = json.loads(line)
            text = f"{article.get('abstract') or ''}\n\n{(article.get('body') or '')[:6000]}"
            whole = [text[a:b] for a, b in split(text) if 30 < b - a < 400]
            found += chance.sample(whole, min(each, len(whole)))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m literature.model.embedding", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument(
        "--encoder", type=Path, required=True, help="folder of a BERT encoder: model.safetensors, vocab.txt"
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with fulltext_ccby/ccby_fulltext.jsonl.xz"
    )
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args(arguments)
    try:
        rows = load_file(asked.encoder / "model.safetensors")["embeddings.word_embeddings.weight"]
        vocabulary = (asked.encoder / "vocab.txt").read_text(encoding="utf-8").splitlines()
        texts = prose(asked.data / "fulltext_ccby" / "ccby_fulltext.jsonl.xz")
    except (OSError, KeyError, SafetensorError) as error:
        parser.exit(2, f"literature.model.embedding: {error}\n")
    made = build(rows, vocabulary, texts)
    publish(asked.out, made)
    print(f"{len(made):,} bytes, sha256 {hashlib.sha256(made).hexdigest()}, from {len(texts):,} sentences")


if __name__ == "__main__":
    main()
