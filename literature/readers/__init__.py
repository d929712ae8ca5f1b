"""Readers of article formats: one file -> articles, in order, every text node once.

opening, markup, sections, formats, jsonl, text, pubmed, jats, uspto, bioc, pubtator, medline, conformance.
"""
