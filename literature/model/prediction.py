"""Which spans of these texts name a gene, a drug, a disease, says a network?

`EncoderTagger` keeps the promise of `literature.mentions.Tagger`. The shipped network
answers by default; another weights file, or any token-classification model of the
Hugging Face kind, by name or folder, takes its place through one argument. Nothing is
fetched from the network unless `download=True`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from discovery.extras import needs
from literature.annotated import SOURCES
from literature.lexicon import TYPES, Type
from literature.mentions import Span, Tagger
from literature.model.borrowed import ModelError, borrowed
from literature.model.decoding import HINTS, Label, leaned, named
from literature.model.eightbit import eight_bit, possible
from literature.model.encoder import GENERAL, LABELS, READ_TYPES, Encoder
from literature.model.weights_io import cues_of, read
from literature.model.wordcues import ALONE, HELPED, Mix, WordCues, blended
from literature.model.wordpieces import Window, Wordpieces
from literature.names.variants import variants

with needs("literature"):
    import torch
    from torch import Tensor
    from torch.nn import functional


SHIPPED = "shipped"
Precision = Literal["auto", "float32", "bfloat16", "int8"]
_MULTIPLE = 16  # pieces: lengths are padded to it, since every new shape costs memory in the CPU kernels
_PIECES = 1024  # per batch, as a rule
_BLOCK = 256  # texts held as windows at a time

# What models on the hub call our types, lower case without punctuation.
_NAMES: Mapping[str, Type] = {
    **dict.fromkeys(
        ["gene", "protein", "genes", "proteins", "gp", "ggp", "geneprotein", "geneorgeneproduct", "genegeneproduct", "genephenotype", "dna"], "gene"
    ),
    **dict.fromkeys(
        ["chemical", "chemicals", "chem", "chemicalentity", "simplechemical", "drug", "compound", "smallmolecule"], "chemical"
    ),
    **dict.fromkeys(
        ["disease", "diseases", "dis", "disorder", "diso", "diseaseorphenotypicfeature", "specificdisease", "cancer", "diseasedisorder"], "disease"
    ),
    **dict.fromkeys(["variant", "variants", "mutation", "sequencevariant", "snp"], "variant"),
    **dict.fromkeys(["species", "organism", "organisms", "organismtaxon", "taxon"], "species"),
    **dict.fromkeys(["cellline", "celllines"], "cell line"),
}  # fmt: skip
_TAG = re.compile(r"([BIESLU])[-_](.+)")


class _Model(Protocol):
    """A network with its tokenizer and the meaning of its outputs."""

    @property
    def cutter(self) -> Wordpieces: ...

    @property
    def labels(self) -> tuple[Label, ...]: ...

    @property
    def width(self) -> int: ...  # of the widest window, in pieces

    @property
    def exact(self) -> bool: ...  # whether a row's answer is the same in batches of every size

    @property
    def cues(self) -> WordCues | None: ...  # what words say beside the network

    @property
    def mixes(self) -> Mapping[str, Mix]: ...  # how much each counts, without hints (ALONE) and with (HELPED)

    def __call__(self, pieces: Tensor, shapes: Tensor, real: Tensor, firsts: Tensor, /) -> Tensor:
        """[row, piece] x 3 and [word] places, as the Encoder takes them -> [word, label] scores."""
        ...


@dataclass(frozen=True)
class EncoderTagger:
    """Finds names with a network, many texts at once.

    Parameters
    ----------
    model
        "shipped"; a weights file made by `discovery train-reader`; or a token-classification model: a folder, or a
        name on the hub that is already on this machine (`download=True` fetches it).
    convention
        Whose habits of marking names to follow. "general", the default, is a compromise between all corpora; the
        name of a corpus marks as its annotators do, which is up to 8 F1 better where a text is scored their way:
        "BC5CDR" (chemicals and diseases), "NCBI-disease", "BC2GM" (genes, single sentences), "BioRED" (all six types),
        "DrugProt", "NLM-Gene", "GNormPlus", "tmVar3", "Species-800", "Linnaeus", "BioID", "BioNLP13CG" (on cancer). The
        same words choose it in `annotation.annotate`, `mining.mine`, `--convention`. Only for our own weights.
    types
        The types wanted.
    labels
        For a model of others: what its labels mean ({"DISO": "disease", "ANAT": None}) where names do not say so.
    hints
        Another tagger, as a rule the dictionary's, whose spans count in favour of theirs (`decoding.HINTS`, or as
        fitted for the convention); what the network is sure of stands.
    least
        The least probability of a span, 0..1.
    precision
        "int8" reads fastest on a processor and needs one that multiplies 8-bit integers (AVX-512 VNNI or AMX); "auto"
        takes it there for our own weights, else bfloat16 where that is native, else float32.

    Raises
    ------
    ModelError
        If the model is absent, torn, has labels that are no types, or lacks the convention.
    """

    model: str = SHIPPED
    convention: str = GENERAL
    types: tuple[Type, ...] = READ_TYPES
    labels: Mapping[str, Type | None] = field(default_factory=dict)
    hints: Tagger | None = None
    least: float = 0.0
    precision: Precision = "auto"
    device: str = "cpu"
    download: bool = False

    def __post_init__(self) -> None:
        strange = [type for type in self.types if type not in TYPES]
        if strange:
            raise ModelError(f"types {', '.join(strange)} are unknown; known are {', '.join(TYPES)}")

    def __call__(self, texts: Sequence[str], /) -> Sequence[Sequence[Span]]:
        """One list of spans per text, in the order given, sorted and apart from each other."""
        result: list[list[Span]] = []
        for at in range(0, len(texts), _BLOCK):
            result += self._read(texts[at : at + _BLOCK])
        return result

    def _read(self, texts: Sequence[str]) -> list[list[Span]]:
        model = self.load()
        hinted = self.hints(texts) if self.hints is not None else [()] * len(texts)
        mix = model.mixes.get(HELPED if self.hints is not None else ALONE)
        counts = HINTS if mix is None else {**HINTS, **mix.hints}
        wanted = set(self.types)
        result: list[list[Span]] = []
        for text, told, hints in zip(texts, self.heard(texts), hinted, strict=True):
            if mix is not None:
                told = blended(text, told, model.cues, mix)
            for some, count in ((hints, counts), (variants(text), HINTS)):
                told = [
                    (window, leaned(window, scores, model.labels, some, count)) for window, scores in told
                ]
            spans = named(text, told, model.labels)
            result.append([s for s in spans if s.type in wanted and s.probability >= self.least])
        return result

    def heard(self, texts: Sequence[str]) -> list[list[tuple[Window, NDArray[np.float32]]]]:
        """What the network alone says: of each text its windows, [word, label] log-probabilities of each."""
        model = self.load()
        cut = model.cutter.windows(texts, model.width)
        windows = [window for own in cut for window in own]
        read: dict[int, NDArray[np.float32]] = {}
        by_length: dict[int, list[int]] = {}
        for at, window in enumerate(windows):
            length = min(model.width, -(-len(window.pieces) // _MULTIPLE) * _MULTIPLE)
            by_length.setdefault(length, []).append(at)
        for length, there in sorted(by_length.items()):
            for these, rows in batches(there, max(1, _PIECES // length), model.exact):
                read |= zip(
                    these, self._scores(model, [windows[at] for at in these], rows, length), strict=True
                )
        told = iter(read[at] for at in range(len(windows)))
        return [[(window, next(told)) for window in own] for own in cut]

    def _scores(
        self, model: _Model, windows: Sequence[Window], rows: int, length: int
    ) -> list[NDArray[np.float32]]:
        """[word, label] log-probabilities of each window."""
        pieces, shapes, real = inputs(windows, rows, length, model.cutter.pad)
        firsts = [row * length + at for row, window in enumerate(windows) for at in window.firsts]
        moved = (tensor.to(self.device) for tensor in (pieces, shapes, real, torch.tensor(firsts)))
        with torch.inference_mode():
            scores = model(*moved).float().log_softmax(-1).cpu().numpy()
        ends = np.cumsum([len(window.firsts) for window in windows])
        return list(np.split(scores, ends[:-1]))

    def load(self) -> _Model:
        """The network itself, read once per process."""
        if self.model == SHIPPED or self.model.endswith(".safetensors"):
            path = shipped() if self.model == SHIPPED else Path(self.model)
            changed = path.stat().st_mtime_ns if path.is_file() else 0
            return _own(path, changed, self.convention, self.precision, self.device)
        if self.convention != GENERAL:
            raise ModelError(
                f"{self.model} has no convention {self.convention!r}: only our own weights have conventions"
            )
        labels = tuple(sorted(self.labels.items()))
        return _hub(self.model, labels, self.precision, self.device, self.download)


@dataclass(frozen=True)
class EitherTagger:
    """What `first` finds, and what `second` finds where `first` found nothing."""

    first: Tagger
    second: Tagger

    def __call__(self, texts: Sequence[str], /) -> Sequence[Sequence[Span]]:
        both = zip(self.first(texts), self.second(texts), strict=True)
        return [
            sorted(
                [*a, *(s for s in b if all(s.end <= o.start or o.end <= s.start for o in a))],
                key=lambda span: span.start,
            )
            for a, b in both
        ]


def batches(places: Sequence[int], rows: int, exact: bool) -> Iterator[tuple[Sequence[int], int]]:
    """Windows or rows of one length in batches, each with the rows its tensors have.

    Where the size of a batch moves an answer's last bits, every batch has the same
    rows, so that neighbours change no answer; else the last ones halve, which reads no
    empty row and makes few shapes.
    """
    begin = 0
    while begin < len(places):
        while exact and rows > len(places) - begin:
            rows //= 2
        yield places[begin : begin + rows], rows
        begin += rows


def shipped() -> Path:
    """The weights file that comes with the package."""
    return Path(str(files("literature") / "weights" / "reader.safetensors"))


@dataclass(frozen=True)
class _Own:
    """Our own network under one convention."""

    network: Encoder
    cutter: Wordpieces
    labels: tuple[Label, ...]
    width: int
    rows: slice  # of the heads, this convention's
    exact: bool
    cues: WordCues | None
    mixes: Mapping[str, Mix]

    def __call__(self, pieces: Tensor, shapes: Tensor, real: Tensor, firsts: Tensor, /) -> Tensor:
        states = self.network.states(pieces, self.network.written(shapes), real)
        # Every piece is scored and words are picked after: products of ever another number of words would
        # make the CPU library build a kernel for every batch.
        heads = self.network.heads
        scores = functional.linear(states, heads.weight[self.rows], heads.bias[self.rows])
        return scores.reshape(-1, len(self.labels))[firsts]


@lru_cache(maxsize=8)
def _own(path: Path, changed: int, convention: str, precision: Precision, device: str) -> _Model:
    weights = read(path, pairs=False)
    if convention not in weights.shape.conventions:
        raise ModelError(
            f"{path.name} knows no convention {convention!r}; it knows {', '.join(weights.shape.conventions)}"
        )
    labels = tuple(
        Label(None, False, False) if name == "O" else Label(_type(name[2:]), name[0] == "B", name[0] == "I")
        for name in LABELS
    )
    cutter = Wordpieces.of_vocabulary(weights.vocabulary)
    first = weights.shape.conventions.index(convention) * len(LABELS)
    rows = slice(first, first + len(LABELS))
    marks = next((source.types for source in SOURCES if source.name == convention), READ_TYPES)
    never = [first + row for row, label in enumerate(labels) if label.type and label.type not in marks]
    small = device == "cpu" and possible() and bool(weights.eight)
    if precision == "int8" and not small:
        raise ModelError(
            f"{path.name} cannot be read in 8 bits: this machine's processor does not, or the file lacks the "
            "scales; use precision='auto'"
        )
    if small and precision in ("int8", "auto"):
        network = eight_bit(weights.encoder(), weights.eight)
    else:
        small, network = False, weights.encoder().to(device)
        network = network.shortened() if short(precision, device) else network
    # A corpus' own head was never asked about types that its corpus does not mark.
    with torch.no_grad():
        network.heads.bias[never] = -1e4
    said = cues_of(path, weights.cues).get(convention)
    cues = WordCues(said) if said is not None else None
    mixes = {how: Mix.of(told) for how, told in weights.mixes.get(convention, {}).items()}
    return _Own(network, cutter, labels, weights.width, rows, small, cues, mixes)


def inputs(windows: Sequence[Window], rows: int, length: int, pad: int) -> tuple[Tensor, Tensor, Tensor]:
    """Windows, padded -> pieces, shapes and real, each [row, piece]; rows beyond the windows are padding."""
    pieces = torch.full((rows, length), pad)
    shapes = torch.zeros((rows, length), dtype=torch.long)
    real = torch.zeros((rows, length), dtype=torch.bool)
    real[:, 0] = True  # rows that stay empty must not be all padding: their attention would be 0/0
    for row, window in enumerate(windows):
        used = len(window.pieces)
        pieces[row, :used] = torch.tensor(window.pieces)
        shapes[row, :used] = torch.tensor(window.shapes)
        real[row, :used] = True
    return pieces, shapes, real


def short(precision: Precision, device: str) -> bool:
    """Whether to compute in bfloat16: "auto" does where the processor multiplies in it."""
    if precision == "auto":
        return device != "cpu" or bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return precision == "bfloat16"


def _type(name: str) -> Type:
    return next(type for type in TYPES if type == name)


@dataclass(frozen=True)
class _Hub:
    """A token-classification model of others."""

    network: torch.nn.Module
    cutter: Wordpieces
    labels: tuple[Label, ...]
    width: int
    autocast: bool
    exact: bool = False
    cues: WordCues | None = None
    mixes: Mapping[str, Mix] = field(default_factory=dict)

    def __call__(self, pieces: Tensor, shapes: Tensor, real: Tensor, firsts: Tensor, /) -> Tensor:
        with torch.autocast(pieces.device.type, torch.bfloat16, enabled=self.autocast):
            scores: Tensor = self.network(input_ids=pieces, attention_mask=real.long()).logits
        return scores.reshape(-1, scores.shape[-1])[firsts]


@lru_cache(maxsize=2)
def _hub(
    name: str, labels: tuple[tuple[str, Type | None], ...], precision: Precision, device: str, download: bool
) -> _Model:
    network, cutter = borrowed(name, "AutoModelForTokenClassification", download=download)
    backend = getattr(cutter, "backend_tokenizer", None)
    if backend is None:
        raise ModelError(f"the model {name!r} has no tokenizer.json, so its pieces have no place in the text")
    start = cutter.cls_token_id if cutter.cls_token_id is not None else cutter.bos_token_id
    stop = cutter.sep_token_id if cutter.sep_token_id is not None else cutter.eos_token_id
    if start is None or stop is None:
        raise ModelError(
            f"the model {name!r} has no pieces that begin and end a text; only encoders can be used"
        )
    pad = cutter.pad_token_id if cutter.pad_token_id is not None else stop
    names = [network.config.id2label[row] for row in range(network.config.num_labels)]
    room = int(getattr(network.config, "max_position_embeddings", 512)) - 2  # some count places from 2
    return _Hub(
        network.to(device),
        Wordpieces(backend, start=start, stop=stop, pad=pad),
        meanings(name, names, dict(labels)),
        min(256, room // _MULTIPLE * _MULTIPLE or room),
        short(precision, device),
    )


def meanings(model: str, names: Sequence[str], given: Mapping[str, Type | None]) -> tuple[Label, ...]:
    """What the labels of a model mean.

    "B-", "I-", "E-", "S-" before a name are understood, as are names without; `given`
    comes before the names known here.

    Raises
    ------
    ModelError
        If a label is no type, listing the model's labels and ours.
    """
    tags = [_TAG.fullmatch(name) for name in names]
    bare = [tag[2] if tag else name for tag, name in zip(tags, names, strict=True)]
    known = {name.casefold(): type for name, type in given.items()}
    found: list[Type | None] = []
    strange: list[str] = []
    for name in bare:
        plain = re.sub(r"[\W_]", "", name).casefold()
        if name.casefold() in known:
            found.append(known[name.casefold()])
        elif plain in ("o", "0", "outside", "none"):
            found.append(None)
        elif plain in _NAMES:
            found.append(_NAMES[plain])
        else:
            found.append(None)
            strange.append(name)
    if strange or not any(found):
        raise ModelError(
            f"the labels of {model!r} do not match: it has {', '.join(names)}; "
            f"known types are {', '.join(READ_TYPES)}. "
            f"Say what {', '.join(dict.fromkeys(strange)) or 'they'} mean in its config.json (id2label), or in Python with "
            'labels={"'
            + (strange[0] if strange else names[0])
            + '": "gene"}, or None for what is to be left out'
        )
    # Models of others may open a span with "I-"; for ours that is ruled out while decoding.
    return tuple(
        Label(type, type is not None and tag is not None and tag[1] in "BSU", False)
        for type, tag in zip(found, tags, strict=True)
    )
