"""Changes of genes are found as nomenclature writes them, and nothing that only looks alike in part."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from literature.names.variants import variants


@pytest.mark.parametrize(
    "written",
    # Examples of the HGVS recommendations (varnomen.hgvs.org), dbSNP, and how abstracts write them.
    [
        "c.4375C>T", "g.33038255C>A", "c.4375_4379del", "c.4375_4376insACCT", "c.93+1G>T", "p.Trp24Cys",
        "p.Arg97ProfsTer23", "p.Gly2_Met46del", "rs25487", "Arg399Gln", "C677T", "V600E", "IVS10-1G>A",
        "-511C/T", "G to A", "4-bp deletion", "DeltaF508", "Gly-->Ser",
    ],
)  # fmt: skip
def test_what_nomenclature_writes_is_found_whole(written: str) -> None:
    text = f"Carriers of {written} (n = 12) were older."
    assert [text[s.start : s.end] for s in variants(text)] == [written]


@pytest.mark.parametrize(
    "words",
    ["the IL-2 and p53 genes", "from A to B in 2003", "pH 7.4 at 37 C", "12 of 24 rats", "IL-6 > TNF", "XV600EX", "rs12"],
)  # fmt: skip
def test_other_words_are_left_alone(words: str) -> None:
    assert variants(words) == []


@given(st.text(alphabet="ACGT>pc.-_+0123456789delRgsfX ()", max_size=60))
@settings(max_examples=100, derandomize=True, deadline=None)
def test_spans_are_sorted_apart_and_inside(text: str) -> None:
    end = 0
    for span in variants(text):
        assert end <= span.start < span.end <= len(text)
        end = span.end
