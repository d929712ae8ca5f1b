"""Readers of article formats: text, jsonl, pubmed, jats, uspto, bioc, pubtator, medline."""
