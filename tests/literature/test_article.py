"""Laws: a citation reads what the article says, or it does not exist."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from literature.article import Article, Citation, Passage

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


def article() -> Article:
    return Article.of("PMID:1", [("title", "β-Blockers help"), ("abstract", "They do. 😀 Really.")])


def test_offsets_are_code_points_with_one_newline_between_passages() -> None:
    found = article()
    assert [p.offset for p in found.passages] == [0, 16]
    assert found.text == "β-Blockers help\nThey do. 😀 Really."
    assert found.text[25] == "😀"


@settings(max_examples=80, derandomize=True, deadline=None)
@given(st.lists(WORDS, min_size=1, max_size=6), st.data())
def test_any_stretch_of_a_passage_can_be_quoted_and_nothing_else(
    texts: list[str], data: st.DataObject
) -> None:
    found = Article.of("X:1", [("body", text) for text in texts])
    passage = data.draw(st.sampled_from(found.passages))
    start = data.draw(st.integers(0, len(passage.text) - 1))
    end = data.draw(st.integers(start + 1, len(passage.text)))
    words = passage.text[start:end]
    if words.strip():
        quote = Citation.of(found, passage.offset + start, passage.offset + end)
        assert found.text[quote.start : quote.end] == quote.text == words
        with pytest.raises(ValueError, match="reads"):
            Citation(found, quote.start, quote.end, words + "!")


def test_a_citation_that_does_not_resolve_cannot_be_built() -> None:
    found = article()
    with pytest.raises(ValueError, match="reads 'They'"):
        Citation(found, 16, 20, "Thei")
    with pytest.raises(ValueError, match="inside one passage"):
        Citation.of(found, 10, 20)  # runs from the title into the abstract
    with pytest.raises(ValueError, match="inside one passage"):
        Citation.of(found, 3, 3)
    with pytest.raises(ValueError, match="inside one passage"):
        Citation.of(found, 900, 910)


def test_passages_that_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="before the one above it ends"):
        Article("X:1", (Passage("title", "abcdef", 0), Passage("abstract", "gh", 3)))
    with pytest.raises(ValueError, match="identifier"):
        Article(" ", ())
