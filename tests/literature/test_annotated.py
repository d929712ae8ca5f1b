"""What is kept aside must be nowhere in training; what a corpus does not say must not be read into it."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from literature.annotated import (
    SOURCES,
    Annotated,
    CorpusError,
    Marked,
    Source,
    documents,
    load,
    without,
)
from literature.sentences import split

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "literature"

TITLE = "Aspirin and fever."
ABSTRACT = "Aspirin lowers fever in children with influenza. Nothing else was seen."


def pubtator(id: str, marks: list[tuple[int, int, str]], abstract: str = ABSTRACT) -> str:
    text = f"{TITLE} {abstract}"
    lines = [f"{id}|t|{TITLE}", f"{id}|a|{abstract}"]
    lines += [f"{id}\t{a}\t{b}\t{text[a:b]}\t{label}\tMESH:1" for a, b, label in marks]
    return "\n".join([*lines, f"{id}\tCID\tD1\tD2", "", ""])


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(text)


def source(name: str, file: str, held: int = 0, **more: object) -> Source:
    labels = {"Chemical": "chemical", "Disease": "disease", "Family": None}
    return Source(name, file, ("chemical", "disease"), labels, "none", held, **more)  # type: ignore[arg-type]


def test_pubtator(tmp_path: Path) -> None:
    write(tmp_path, "a.gz", pubtator("1", [(0, 7, "Chemical"), (12, 17, "Disease"), (19, 26, "Organism")]))
    (document,) = documents(tmp_path, source("A", "a.gz"))
    assert document.text == f"{TITLE} {ABSTRACT}"
    assert document.marks == (Marked(0, 7, "chemical"), Marked(12, 17, "disease"))


def test_offsets_that_do_not_fit_their_words_are_no_evidence(tmp_path: Path) -> None:
    """Some published offsets are off; they must neither teach nor stop the reading."""
    text = pubtator("1", [(0, 7, "Chemical")]).replace("\t0\t7\t", "\t1\t8\t")
    text = text.replace("\n\n", f"\n1\t{900}\t{905}\tfever\tDisease\tMESH:2\n\n", 1)
    write(tmp_path, "a.gz", text)
    (document,) = documents(tmp_path, source("A", "a.gz"))
    assert document.marks == (Marked(1, 8, None),)


def test_of_marks_that_overlap_the_longest_stays(tmp_path: Path) -> None:
    write(tmp_path, "a.gz", pubtator("1", [(0, 7, "Chemical"), (0, 17, "Disease"), (19, 26, "Chemical")]))
    (document,) = documents(tmp_path, source("A", "a.gz"))
    assert document.marks == (Marked(0, 17, "disease"), Marked(19, 26, "chemical"))


def test_iob_tokens_become_text_with_offsets(tmp_path: Path) -> None:
    write(
        tmp_path, "x-IOB/a.tsv.gz", "Lung\tB-Disease\ncancer\tI-Disease\nfever\tB-Disease\nis\tO\n\nNo\tO\n\n"
    )
    one, two = documents(tmp_path, source("A", "x-IOB/a.tsv.gz"))
    assert one.text == "Lung cancer fever is"
    assert [one.text[m.start : m.end] for m in one.marks] == ["Lung cancer", "fever"]
    assert two.text == "No"
    assert one.id != two.id


def test_documents_kept_aside_are_taken_from_every_corpus(tmp_path: Path) -> None:
    others = "Paracetamol did not help these patients at all in the end."
    write(tmp_path, "a.gz", "".join(pubtator(str(n), []) for n in range(1, 9)))
    write(tmp_path, "b.gz", "".join(pubtator(str(n), [], others) for n in range(1, 9)))
    write(
        tmp_path, "c-IOB/c.tsv.gz", "".join(f"{word}\tO\n" for word in ABSTRACT.split()[:7]) + "\nNew\tO\n\n"
    )
    a, b, c = load(tmp_path, [source("A", "a.gz", 3), source("B", "b.gz"), source("C", "c-IOB/c.tsv.gz")])
    held = {d.id for d in a.held}
    assert len(held) == 3
    assert not held & {d.id for d in (*a.train, *b.train)}
    assert len(b.train) == 5
    assert [d.text for d in c.train] == ["New"], (
        "its only other sentence is word for word in a document kept aside"
    )


def test_the_same_documents_are_kept_aside_every_time(tmp_path: Path) -> None:
    write(tmp_path, "a.gz", "".join(pubtator(str(n), []) for n in range(30)))
    write(tmp_path, "b.gz", "".join(pubtator(str(n), []) for n in reversed(range(30))))
    (a,) = load(tmp_path, [source("A", "a.gz", 5)])
    (b,) = load(tmp_path, [source("A", "b.gz", 5)])
    assert {d.id for d in a.held} == {d.id for d in b.held}


def test_a_sentence_taken_out_moves_the_marks_after_it() -> None:
    text = "Aspirin lowers fever in many children. Then nothing more was seen here. Fever fell."
    at = text.rindex("Fever")
    document = Annotated("1", text, (Marked(0, 7, "chemical"), Marked(at, at + 5, "disease")))
    left = without(document, {"aspirinlowersfeverinmanychildren"})
    assert left.text == "Then nothing more was seen here. Fever fell."
    assert [left.text[m.start : m.end] for m in left.marks] == ["Fever"]
    assert without(document, {"somethingelse"}) is document


def test_an_absent_or_torn_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"a\.gz is absent; --data"):
        list(documents(tmp_path, source("A", "a.gz")))
    write(tmp_path, "a.gz", pubtator("1", []) * 200)
    (tmp_path / "a.gz").write_bytes((tmp_path / "a.gz").read_bytes()[:80])
    with pytest.raises(CorpusError, match=r"a\.gz cannot be read"):
        list(documents(tmp_path, source("A", "a.gz")))


@pytest.mark.skipif(not SHARED.exists(), reason="../shared is absent")
def test_the_corpora_do_not_leak_into_each_other() -> None:
    """The published corpora share hundreds of abstracts; none of those measured on may be trained on."""
    few = [s for s in SOURCES if s.name in ("BC5CDR", "NCBI-disease", "BioRED", "tmVar3", "BC2GM")]
    corpora = load(SHARED, few)
    held = {d.id for corpus in corpora for d in corpus.held}
    assert len(held) > 1500
    assert not held & {d.id for corpus in corpora for d in corpus.train}
    bare = {"".join(c for c in s.casefold() if c.isalnum()) for k in corpora for d in k.held for s in cut(d)}
    trained = {
        "".join(c for c in s.casefold() if c.isalnum()) for k in corpora for d in k.train for s in cut(d)
    }
    assert not [s for s in bare & trained if len(s) >= 30]


def cut(document: Annotated) -> list[str]:
    return [document.text[a:b] for a, b in split(document.text)]
