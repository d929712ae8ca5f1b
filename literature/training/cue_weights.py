"""How much does each cue of a word weigh, and how much do the cues count beside the network?

    python -m literature.training.cue_weights --weights FILE --data FOLDER

writes both into a weights file. The cues are softmax regression (regression.py) over all
words of the documents that the network was taught with; of those that at least three words show, the ones of the largest weights are kept. How much network,
cues and hints count cannot be learned there, since the network knows those documents by
heart: it is fitted on the documents kept aside, a dozen numbers a convention, and what that
is worth is told by fifths of these documents, each read with numbers from the others.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from discovery.extras import needs
from discovery.outcome import UserError
from literature.annotated import Annotated, Corpus, load
from literature.lexicon import Lexicon, curated
from literature.mentions import DictionaryTagger, Span
from literature.model.decoding import HINTS, leaned, named
from literature.model.encoder import LABELS, READ_TYPES
from literature.model.linear import Cues, Floats
from literature.model.prediction import EncoderTagger
from literature.model.weights_io import beside, kept_cues, read
from literature.model.wordcues import ALONE, HELPED, Mix, WordCues, around, blended, own, runs_of
from literature.model.wordpieces import Window, Wordpieces
from literature.names.build import build
from literature.names.dictionary import Dictionary
from literature.names.variants import variants
from literature.training.lessons import IGNORED, labels
from literature.training.regression import fitted, largest
from literature.training.scoring import Agreement, agreement

with needs("literature"):
    from scipy.optimize import minimize
    from torch import Tensor


RIDGE: Mapping[str, float] = {"BC5CDR": 1.0, "BC2GM": 0.3, "BioRED": 0.5}
KEPT: Mapping[str, int] = {"BC5CDR": 5_000, "BC2GM": 6_000, "BioRED": 4_000}
_LEAST = 3  # words that must show a cue
_ROUNDS = 70  # of descent
_SHARE = 1 / 8  # of a word's cues, about the root of their number: what a weight of 1 counts
_STEADY = 5.0  # penalty on squared biases of a mix
_FOLDS = 5
# The corpora that the shipped dictionary learned names from.
LEARNED = (
    "BC5CDR_TrainDev",
    "BioRED_TrainDev",
    "NCBIdisease_TrainDev",
    "NLMgene_Train",
    "GNormPlus_Train",
    "tmVar3_Train",
)
_UNSAID = -20.0  # nats of a label that a convention does not use


def taught(corpus: Corpus, cutter: Wordpieces, width: int) -> Cues:
    """What the cues of a corpus' taught documents say for each of `LABELS`."""
    remembered = lru_cache(maxsize=1 << 17)(own)
    shown, truth = list[NDArray[np.int64]](), list[int]()
    for document, windows in zip(
        corpus.train, cutter.windows([d.text for d in corpus.train], width), strict=True
    ):
        places = [word for window in windows for word in window.words]
        if places:
            words = [document.text[a:b] for a, b in places]
            told = around(words, runs_of(document.text, places))
            shown += [
                np.concatenate([remembered(word), keys]) for word, keys in zip(words, told, strict=True)
            ]
            truth += [label for window in windows for label in labels(document, window)]
    used = _used(corpus)
    asked = np.array([place for place, label in enumerate(truth) if label != IGNORED])
    answers = np.searchsorted(used, np.array(truth)[asked])
    found = fitted(
        [shown[place] for place in asked], answers.tolist(), len(used), RIDGE[corpus.name],
        least=_LEAST, rounds=_ROUNDS, share=_SHARE,
    )  # fmt: skip
    # Told beside those of "O", so that the cues kept are those that say most against it.
    beside_none = _SHARE * (found.weights - found.weights[:, :1])
    kept = largest(Cues(found.known, beside_none, found.bias - found.bias[0]), KEPT[corpus.name])
    weights = np.zeros((len(kept.known), len(LABELS)))
    bias = np.full(len(LABELS), _UNSAID)
    weights[:, used], bias[used] = kept.weights, kept.bias
    return Cues(kept.known, weights, bias)


def names_without(data: Path, held: Set[str]) -> Lexicon:
    """The dictionary that ships, made anew without the names in some documents."""
    files = [data / "ner_with_ids" / f"{name}.PubTator.gz" for name in LEARNED]
    tables = build(data / "dictionaries", files, keep=lambda id: id.removeprefix("PMID:") not in held)
    return Lexicon([Dictionary(tables)]) + curated()


def _used(corpus: Corpus) -> NDArray[np.int64]:
    return np.array([row for row, label in enumerate(LABELS) if label == "O" or label[2:] in corpus.types])


@dataclass(frozen=True)
class _Heard:
    """A document kept aside, and what is said of its words."""

    document: Annotated
    read: Sequence[tuple[Window, NDArray[np.float32]]]  # by the network alone
    hints: Sequence[Span]
    words: Floats  # [word, label]: by the cues
    truth: Sequence[int]  # [word]

    def voices(self, types: Sequence[str], helped: bool) -> Floats:
        """[voice, word, label]: network, cues, and the hints for each type."""
        network = np.concatenate([scores for _, scores in self.read])
        voices = [network, self.words]
        for type in types if helped else ():
            ours = [hint for hint in self.hints if hint.type == type]
            flat = [(window, np.zeros_like(scores)) for window, scores in self.read]
            rows = [_marked(window, zeros, ours) for window, zeros in flat]
            voices.append(np.concatenate(rows))
        return np.stack(voices)


def _marked(window: Window, zeros: NDArray[np.float32], hints: Sequence[Span]) -> NDArray[np.float32]:
    """1 where a hint says that a word begins a name, or goes on with one."""
    for hint in hints:
        row = 1 + 2 * READ_TYPES.index(hint.type)
        inside = [n for n, (a, b) in enumerate(window.words) if a < hint.end and hint.start < b]
        zeros[inside[:1], row] = 1
        zeros[inside[1:], row + 1] = 1
    return zeros


def mix_of(heard: Sequence[_Heard], corpus: Corpus, *, helped: bool) -> Mix:
    """How much each voice counts: the weights of least cross-entropy of the labels."""
    hinted = {hint.type for one in heard for hint in one.hints}
    types = [type for type in READ_TYPES if type in corpus.types and type in hinted] if helped else []
    used = _used(corpus)
    truth = np.array([label for one in heard for label in one.truth])
    asked = np.flatnonzero(truth != IGNORED)
    voices = np.concatenate([one.voices(types, helped) for one in heard if one.truth], axis=1)
    voices = voices[:, asked][:, :, used].astype(np.float64)
    answers = np.searchsorted(used, truth[asked])
    count, words = len(voices), np.arange(len(answers))

    def cost(numbers: Floats) -> tuple[float, Floats]:
        bias = np.append(0.0, numbers[count:])
        scores = np.tensordot(numbers[:count], voices, 1) + bias
        scores -= np.logaddexp.reduce(scores, axis=1, keepdims=True)
        amiss = np.exp(scores)
        amiss[words, answers] -= 1
        value = -scores[words, answers].sum() + _STEADY / 2 * np.square(bias).sum()
        own_slope = np.tensordot(voices, amiss, 2)
        return value, np.concatenate([own_slope, amiss.sum(axis=0)[1:] + _STEADY * bias[1:]])

    start = np.append(1.0, np.zeros(count - 1 + len(used) - 1))
    found = minimize(cost, start, jac=True, method="L-BFGS-B").x.round(3)
    bias = np.zeros(len(LABELS))
    bias[used[1:]] = found[count:]
    hints = dict(zip(types, found[2:count].tolist(), strict=True))
    return Mix(float(found[0]), float(found[1]), hints, tuple(bias.tolist()))


def hear(corpus: Corpus, weights: Path, cues: WordCues, hints: DictionaryTagger) -> list[_Heard]:
    """What network, cues and dictionary say of the documents kept aside."""
    texts = [document.text for document in corpus.held]
    read = EncoderTagger(str(weights), convention=corpus.name).heard(texts)
    found = []
    for document, windows, said in zip(corpus.held, read, hints(texts), strict=True):
        places = [word for window, _ in windows for word in window.words]
        truth = [label for window, _ in windows for label in labels(document, window)]
        found.append(_Heard(document, windows, said, cues(document.text, places), truth))
    return found


def judged(heard: Sequence[_Heard], corpus: Corpus, cues: WordCues, mixes: Sequence[Mix]) -> Agreement:
    """Strict agreement with annotators, each document read by its mix."""
    marks = EncoderTagger(convention=corpus.name).load().labels
    total = Agreement()
    for one, mix in zip(heard, mixes, strict=True):
        read = blended(one.document.text, one.read, cues, mix)
        hints = one.hints if mix.hints else ()
        for some, counts in ((hints, mix.hints), (variants(one.document.text), HINTS)):
            read = [(window, leaned(window, scores, marks, some, counts)) for window, scores in read]
        spans = [span for span in named(one.document.text, read, marks) if span.type in corpus.types]
        total = sum(agreement([one.document], [spans], corpus.types).values(), total)
    return total


def teach(weights: Path, data: Path) -> None:
    """Learn cues and mixes for a weights file, write them into it, and tell what they are worth.

    Parameters
    ----------
    data
        Folder with ner_with_ids/, ner_iob/ and the official files in dictionaries/.

    Raises
    ------
    WeightsError
        If the file is absent or torn.
    CorpusError
        If a corpus is missing or torn.
    FileNotFoundError
        If an official file is missing.
    """
    held = read(weights, pairs=False)
    corpora = [corpus for corpus in load(data) if corpus.name in KEPT]
    aside = {document.id for corpus in corpora for document in corpus.held}
    hints = DictionaryTagger(names_without(data, aside))
    cutter = Wordpieces.of_vocabulary(held.vocabulary)
    kept: dict[str, Tensor] = {}
    mixes: dict[str, dict[str, Any]] = {}
    for corpus in corpora:
        model = taught(corpus, cutter, held.width)
        kept |= kept_cues({corpus.name: model})
        cues = WordCues(Cues.of(model.kept()))  # as it will be read
        heard = hear(corpus, weights, cues, hints)
        mixes[corpus.name] = {}
        for how in (ALONE, HELPED):
            folds = [
                mix_of(
                    [one for n, one in enumerate(heard) if n % _FOLDS != fold], corpus, helped=how == HELPED
                )
                for fold in range(_FOLDS)
            ]
            worth = judged(heard, corpus, cues, [folds[n % _FOLDS] for n in range(len(heard))])
            mix = mix_of(heard, corpus, helped=how == HELPED)
            mixes[corpus.name][how] = asdict(mix)
            print(f"{corpus.name}, {how}: {100 * worth.f1:.2f} by fifths; {mix}", flush=True)
    beside(weights, weights, kept, mixes)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m literature.training.cue_weights", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--weights", type=Path, required=True, help="file that is written again")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder with ner_with_ids/, ner_iob/, dictionaries/"
    )
    asked = parser.parse_args(arguments)
    try:
        teach(asked.weights, asked.data)
    except (UserError, OSError) as error:
        parser.exit(2, f"literature.training.cue_weights: {error}\n")


if __name__ == "__main__":
    main()
