"""Which of its words does a text use to name a gene, a drug, a disease?

A compact transformer encoder reads pieces and word shapes; linear heads give every
word a label. Each annotated corpus has its own convention of what counts as a name
and where it ends, so it has its own head, and one head, "general", learns from all of
them. How labels become spans is decided in prediction.py.

A second network of the same build, with weights of its own, says what a text states of
two things, the subject and the object. Each of their mentions begins with a holder, the
word for its type, and what is read at the holders and at the text's start answers.

References
----------
.. [1] Wu S., He Y., Enriching pre-trained language model with entity information for relation
   classification, CIKM 2019, 2361-2364: the states of both and of the start, side by side.
.. [2] Zhou W. et al., Document-level relation extraction with adaptive thresholding and localized
   context pooling, AAAI 2021, section 3.1: mentions of one thing pooled by the logarithm of the
   sum of exponentials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from discovery.extras import needs
from literature.lexicon import Type
from literature.model.wordpieces import SHAPES

with needs("literature"):
    import torch
    from torch import Tensor, nn
    from torch.nn import functional


READ_TYPES: tuple[Type, ...] = ("gene", "chemical", "disease", "variant", "species", "cell line")
LABELS: tuple[str, ...] = ("O", *(f"{at}-{type}" for type in READ_TYPES for at in "BI"))
GENERAL = "general"
ROLES = 3  # subject, object, or merely named
PARTS = 1 + ROLES * len(READ_TYPES)  # of a mention: none, or one of the roles of each type


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of an encoder.

    Raises
    ------
    ValueError
        If the attention heads do not divide the width, or neither convention nor relation is named.
    """

    vocabulary: int
    conventions: tuple[str, ...]  # names of the heads; the first is "general"
    width: int = 384
    layers: int = 6
    attention: int = 12  # heads of each attention layer
    inner: int = 1536
    places: int = 256  # the widest window, in pieces
    relations: tuple[str, ...] = ()  # "DrugProt:INHIBITOR"; with them, the network answers for pairs alone

    def __post_init__(self) -> None:
        if self.width % self.attention:
            raise ValueError(f"{self.attention} attention heads do not divide a width of {self.width}")
        if GENERAL not in self.conventions and not self.relations:
            raise ValueError(
                f"one convention must be {GENERAL!r}, got {', '.join(self.conventions) or 'none'}"
            )

    def json(self) -> dict[str, object]:
        return asdict(self) | {"conventions": list(self.conventions), "relations": list(self.relations)}


class Layer(nn.Module):
    """Attention and a two-layer network, each added to its input and normalised after (as in BERT)."""

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.attention = shape.attention
        self.dropout = nn.Dropout(dropout)
        self.ask = nn.Linear(shape.width, 3 * shape.width)  # queries, keys, values in one product
        self.out = nn.Linear(shape.width, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=1e-12)
        self.up = nn.Linear(shape.width, shape.inner)
        self.down = nn.Linear(shape.inner, shape.width)
        self.final = nn.LayerNorm(shape.width, eps=1e-12)

    def forward(self, x: Tensor, wall: Tensor) -> Tensor:
        """[row, piece, width], [row, 1, 1, piece] (0, or -inf: not seen) -> [row, piece, width]."""
        rows, pieces, width = x.shape
        parts = self.ask(x).view(rows, pieces, 3, self.attention, width // self.attention)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        if self.training:
            # Written out: on a CPU in bfloat16, backward included, 1.6 times as fast as the fused kernel.
            scores = (query * (width // self.attention) ** -0.5) @ key.transpose(-1, -2) + wall
            with torch.autocast(x.device.type, enabled=False):  # no copy in 32 bits
                weights = scores.softmax(-1)
            mixed = weights.to(value.dtype) @ value
        else:
            mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=wall)
        x = self.norm(x + self.dropout(self.out(mixed.transpose(1, 2).reshape(rows, pieces, width))))
        told: Tensor = self.final(x + self.dropout(self.down(functional.gelu(self.up(x)))))
        return told


class Encoder(nn.Module):
    """Pieces and shapes of windows -> label scores of their words, by every convention."""

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.pieces = nn.Embedding(shape.vocabulary, shape.width)
        self.places = nn.Embedding(shape.places, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=1e-12)
        # Names are few to the many pairs: only the network for pairs is kept from learning them by heart.
        within = dropout if shape.relations else 0.0
        self.layers = nn.ModuleList(Layer(shape, within) for _ in range(shape.layers))
        self.dropout = nn.Dropout(dropout)
        if shape.relations:
            self.named = nn.Embedding(PARTS, shape.width)
            self.meet = nn.Linear(3 * shape.width, shape.width)
            self.pairs = nn.Linear(shape.width, len(shape.relations))
            nn.init.zeros_(self.named.weight)
            nn.init.normal_(self.pairs.weight, std=0.02)
            nn.init.zeros_(self.pairs.bias)
        else:
            self.written = nn.Embedding(SHAPES, shape.width)
            self.heads = nn.Linear(shape.width, len(shape.conventions) * len(LABELS))
            nn.init.normal_(self.heads.weight, std=0.02)
            nn.init.zeros_(self.heads.bias)
            # At first, case says nothing: the encoder it starts from has none.
            nn.init.zeros_(self.written.weight)

    def forward(self, pieces: Tensor, shapes: Tensor, real: Tensor, firsts: Tensor) -> Tensor:
        """Scores of words.

        Parameters
        ----------
        pieces, shapes : [row, piece]
        real : [row, piece]
            False at padding.
        firsts : [word]
            Where words begin, counted through all rows: row * pieces per row + place.

        Returns
        -------
        [word, convention, label], natural-log units, not normalised
        """
        # Every piece is scored and words are picked after: a product of ever another number of words
        # would make the CPU library build a new kernel for every batch.
        scores: Tensor = self.heads(self.dropout(self.states(pieces, self.written(shapes), real)))
        return scores.reshape(-1, len(self.shape.conventions), len(LABELS))[firsts].float()

    def related(self, pieces: Tensor, named: Tensor, real: Tensor, holders: Tensor) -> Tensor:
        """What the text of each row states of its subject and its object.

        Parameters
        ----------
        pieces : [row, piece]
        named : [row, piece]
            The part of the thing that the piece names (`1 + ROLES * type + role`); 0: none.
        real : [row, piece]
            False at padding.
        holders : [row, piece]
            1 where a mention of the subject is held, 2 of the object, else 0; each at least once.

        Returns
        -------
        [row, relation], natural-log units, not normalised
        """
        return self.answers(self.joined(pieces, named, real, holders))

    def joined(self, pieces: Tensor, named: Tensor, real: Tensor, holders: Tensor) -> Tensor:
        """[row, 3 * width], 32 bits: the text's start, the subject, the object."""
        x = self.states(pieces, self.named(named), real).float()
        ends = [x.masked_fill((holders != which)[..., None], float("-inf")).logsumexp(1) for which in (1, 2)]
        return torch.cat([x[:, 0], *ends], dim=-1)

    def answers(self, joined: Tensor) -> Tensor:
        """[row, 3 * width] -> [row, relation], as `related` gives them."""
        met = functional.gelu(self.meet(joined.to(self._type(joined.device.type))))
        scores: Tensor = self.pairs(self.dropout(met))
        return scores.float()

    def shortened(self) -> Encoder:
        """This network with its layers in bfloat16 for good: nothing is converted while reading."""
        for part in (
            (self.layers, self.meet, self.pairs) if self.shape.relations else (self.layers, self.heads)
        ):
            part.to(torch.bfloat16)
        return self

    def states(self, pieces: Tensor, more: Tensor, real: Tensor) -> Tensor:
        """[row, piece], [row, piece, width] -> [row, piece, width]: what the network knows at each piece.

        `more` is added to the pieces: how they are written, or whom they name.
        """
        x: Tensor = self.dropout(self.entered(pieces, more))
        dtype = self._type(x.device.type)
        wall = torch.zeros(real.shape, dtype=dtype, device=x.device).masked_fill(~real, float("-inf"))
        x = x.to(dtype)
        for layer in self.layers:
            x = layer(x, wall[:, None, None, :])
        return x

    def entered(self, pieces: Tensor, more: Tensor) -> Tensor:
        """[row, piece], [row, piece, width] -> [row, piece, width]: what enters the first layer, 32 bits."""
        # Only padding may stand beyond the last place.
        places = torch.arange(pieces.shape[1], device=pieces.device).clamp_max(self.shape.places - 1)
        x: Tensor = self.norm(self.pieces(pieces) + self.places(places) + more)
        return x

    def _type(self, device: str) -> torch.dtype:
        """Of the numbers between layers."""
        if torch.is_autocast_enabled(device):
            return torch.get_autocast_dtype(device)
        return next(self.layers.parameters()).dtype


def from_bert(
    state: Mapping[str, Tensor], keep: Sequence[int], shape: Shape, dropout: float = 0.0
) -> Encoder:
    """An encoder that starts as a BERT model reads, with the vocabulary rows `keep`.

    Parameters
    ----------
    state
        The tensors of a BERT model as transformers names them.
    keep : [vocabulary]
        Rows of its vocabulary, in the order of the new one.

    Raises
    ------
    ValueError
        If a tensor is missing or has another size.
    """
    encoder = Encoder(shape, dropout)
    try:
        new = {
            "pieces.weight": state["embeddings.word_embeddings.weight"][list(keep)],
            # Every text is "the first sentence" to BERT: its one row is added to all places.
            "places.weight": state["embeddings.position_embeddings.weight"][: shape.places]
            + state["embeddings.token_type_embeddings.weight"][0],
            "norm.weight": state["embeddings.LayerNorm.weight"],
            "norm.bias": state["embeddings.LayerNorm.bias"],
        }
        for place in range(shape.layers):
            theirs, ours = f"encoder.layer.{place}.", f"layers.{place}."
            for part in ("weight", "bias"):
                new[f"{ours}ask.{part}"] = torch.cat(
                    [state[f"{theirs}attention.self.{name}.{part}"] for name in ("query", "key", "value")]
                )
                new[f"{ours}out.{part}"] = state[f"{theirs}attention.output.dense.{part}"]
                new[f"{ours}norm.{part}"] = state[f"{theirs}attention.output.LayerNorm.{part}"]
                new[f"{ours}up.{part}"] = state[f"{theirs}intermediate.dense.{part}"]
                new[f"{ours}down.{part}"] = state[f"{theirs}output.dense.{part}"]
                new[f"{ours}final.{part}"] = state[f"{theirs}output.LayerNorm.{part}"]
    except KeyError as error:
        raise ValueError(
            f"the starting model is no BERT of {shape.layers} layers: it lacks {error}"
        ) from error
    own = encoder.state_dict()
    for name, tensor in new.items():
        if tensor.shape != own[name].shape:
            raise ValueError(
                f"the starting model's {name} measures {tuple(tensor.shape)}, "
                f"this encoder's {tuple(own[name].shape)}"
            )
        own[name] = tensor.float()
    encoder.load_state_dict(own)
    return encoder
