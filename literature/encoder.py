"""Which of its words does a text use to name a gene, a drug, a disease?

A compact transformer encoder reads pieces and word shapes; linear heads give every
word a label. Each annotated corpus has its own convention of what counts as a name
and where it ends, so it has its own head, and one head, "general", learns from all of
them. How labels become spans is decided in prediction.py.

A second network of the same build, with layers of its own over the same vocabulary,
says what a text states of one thing, the subject, and every other it names. Each mention
of them has a marker behind the text, a copy of the mention that knows its part; text and
markers see each other, so the whole text is read anew for every subject, and what is
stated of each object is told at the object's markers.

References
----------
.. [1] Ye D. et al., Packed levitated marker for entity and relation extraction,
   ACL 2022, 4904-4917, section 3.3: one subject, its objects packed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from literature.lexicon import Type
from literature.wordpieces import SHAPES

try:
    import torch
    from torch import Tensor, nn
    from torch.nn import functional
except ImportError as error:
    raise ImportError("the reading model needs: pip install 'discovery-workbench[literature]'") from error

READ_TYPES: tuple[Type, ...] = ("gene", "chemical", "disease", "variant", "species", "cell line")
LABELS: tuple[str, ...] = ("O", *(f"{at}-{type}" for type in READ_TYPES for at in "BI"))
GENERAL = "general"
ROLES = 3  # subject, object, or merely named
PARTS = 1 + ROLES * len(READ_TYPES)  # of a mention: none, or one of the roles of each type
EMBEDDED = ("pieces.", "places.", "written.", "norm.")  # what the two networks of a file share
COUNTS = 6  # how often a document names the thing: not told, 1, 2, 3, 4 to 6, more


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


@dataclass(frozen=True, slots=True)
class Marks:
    """The mentions of one subject and of the things it is asked about, row by row."""

    first: Tensor  # [row, marker] place of the mention's first piece
    last: Tensor  # [row, marker] and of its last
    part: Tensor  # [row, marker] 1 + ROLES * type + role; 0 is padding
    count: Tensor  # [row, marker] 0..COUNTS-1
    named: Tensor  # [row, piece] the part of the thing that the piece names; 0: none


class Layer(nn.Module):
    """Attention and a two-layer network, each added to its input and normalised after (as in BERT)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention = shape.attention
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
        x = self.norm(x + self.out(mixed.transpose(1, 2).reshape(rows, pieces, width)))
        told: Tensor = self.final(x + self.down(functional.gelu(self.up(x))))
        return told


class Encoder(nn.Module):
    """Pieces and shapes of windows -> label scores of their words, by every convention."""

    def __init__(self, shape: Shape, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.pieces = nn.Embedding(shape.vocabulary, shape.width)
        self.places = nn.Embedding(shape.places, shape.width)
        self.written = nn.Embedding(SHAPES, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=1e-12)
        self.layers = nn.ModuleList(Layer(shape) for _ in range(shape.layers))
        self.dropout = nn.Dropout(dropout)
        if shape.relations:
            self.parts = nn.Embedding(PARTS, shape.width, padding_idx=0)
            self.named = nn.Embedding(PARTS, shape.width, padding_idx=0)
            self.counts = nn.Embedding(COUNTS, shape.width)
            self.meet = nn.Linear(3 * shape.width, shape.width)
            self.pairs = nn.Linear(shape.width, len(shape.relations))
            for new in (self.parts, self.named):
                nn.init.normal_(new.weight[1:], std=0.03)
            nn.init.zeros_(self.counts.weight)
            nn.init.normal_(self.pairs.weight, std=0.02)
            nn.init.zeros_(self.pairs.bias)
        else:
            self.heads = nn.Linear(shape.width, len(shape.conventions) * len(LABELS))
            nn.init.normal_(self.heads.weight, std=0.02)
            nn.init.zeros_(self.heads.bias)
        nn.init.zeros_(
            self.written.weight
        )  # at first, case says nothing: the encoder it starts from has none

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
        scores: Tensor = self.heads(self.dropout(self.states(pieces, shapes, real)))
        return scores.reshape(-1, len(self.shape.conventions), len(LABELS))[firsts].float()

    def related(self, pieces: Tensor, shapes: Tensor, real: Tensor, marks: Marks) -> Tensor:
        """What the text states of its row's subject and the thing at each marker.

        Returns
        -------
        [row, marker, relation], natural-log units, not normalised; of a subject's own markers, nothing
        """
        x = self.states(pieces, shapes, real, marks)
        whole, x = x[:, :1], x[:, pieces.shape[1] :]
        subject = (marks.part % ROLES == 1).to(x.dtype)[..., None]
        mean = (x * subject).sum(1, keepdim=True) / subject.sum(1, keepdim=True).clamp_min(1)
        met = functional.gelu(self.meet(torch.cat([x, mean.expand_as(x), whole.expand_as(x)], dim=-1)))
        scores: Tensor = self.pairs(self.dropout(met))
        return scores.float()

    def shortened(self) -> Encoder:
        """This network with its layers in bfloat16 for good: nothing is converted while reading."""
        for part in (
            (self.layers, self.meet, self.pairs) if self.shape.relations else (self.layers, self.heads)
        ):
            part.to(torch.bfloat16)
        return self

    def states(self, pieces: Tensor, shapes: Tensor, real: Tensor, marks: Marks | None = None) -> Tensor:
        """[row, piece] -> [row, piece (and marker), width]: what the network knows at each piece."""
        # Only padding may stand beyond the last place.
        places = torch.arange(pieces.shape[1], device=pieces.device).clamp_max(self.shape.places - 1)
        x: Tensor = self.pieces(pieces) + self.places(places) + self.written(shapes)
        if marks is not None:
            x = torch.cat([x + self.named(marks.named), self._markers(x, marks)], dim=1)
            real = torch.cat([real, marks.part > 0], dim=1)
        x = self.dropout(self.norm(x))
        autocast = torch.is_autocast_enabled(x.device.type)
        dtype = torch.get_autocast_dtype(x.device.type) if autocast else next(self.layers.parameters()).dtype
        wall = torch.zeros(real.shape, dtype=dtype, device=x.device).masked_fill(~real, float("-inf"))
        x = x.to(dtype)
        for layer in self.layers:
            x = layer(x, wall[:, None, None, :])
        return x

    def _markers(self, x: Tensor, marks: Marks) -> Tensor:
        """[row, piece, width] before the norm -> [row, marker, width]: the mention's ends, and its part."""
        wide = (*marks.first.shape, x.shape[-1])
        ends = [x.gather(1, at[..., None].expand(wide)) for at in (marks.first, marks.last)]
        found: Tensor = (ends[0] + ends[1]) / 2 + self.parts(marks.part) + self.counts(marks.count)
        return found


def from_bert(state: Mapping[str, Tensor], keep: Sequence[int], shape: Shape) -> Encoder:
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
    encoder = Encoder(shape)
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
