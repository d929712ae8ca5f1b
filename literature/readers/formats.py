"""Which reader does a file want?

By its ending where that is telling, else by its first bytes. Readers are plug-ins, so
somebody else's format is read by naming its reader.
"""

from __future__ import annotations

from pathlib import Path

from discovery import plugins
from discovery.outcome import UserError
from literature.article import Reader
from literature.readers.opening import head_of, unzipped_name

_FORMATS = {
    "jsonl": ("jsonl", "ndjson"),
    "text": ("txt", "text", "md"),
    "jats": ("nxml",),
    "pubtator": ("pubtator",),
    "medline": ("nbib", "medline"),
    "uspto": ("greenbook",),
}
_ENDINGS = {ending: reader for reader, endings in _FORMATS.items() for ending in endings}
_ROOTS = (  # in the first bytes of a file; the first that is found wins
    (b"<PubmedArticleSet", "pubmed"),
    (b"<PubmedBookArticleSet", "pubmed"),
    (b"<PubmedArticle", "pubmed"),
    (b"<DeleteCitation", "pubmed"),
    (b"<us-patent", "uspto"),
    (b"<patent-application-publication", "uspto"),
    (b"<PATDOC", "uspto"),
    (b"BioC.dtd", "bioc"),
    (b"<collection", "bioc"),
    (b"JATS-", "jats"),
    (b"<article", "jats"),
    (b"<pmc-articleset", "jats"),
    (b"PMID- ", "medline"),
    (b"PATN\n", "uspto"),
    (b"PATN\r\n", "uspto"),
    (b"|t|", "pubtator"),
)


class UnknownFormat(UserError, ValueError):
    """No reader is known for a file; the message says how to name one."""


def reader_for(path: Path, name: str = "") -> Reader:
    """The reader of a file, by name, ending or first bytes.

    Raises
    ------
    UnknownFormat
        If none of them tells, or the file is empty.
    """
    return known(name or _told_by(path))


def known(name: str) -> Reader:
    """The reader of that name.

    Raises
    ------
    UnknownFormat
        If there is none.
    """
    try:
        return plugins.load("readers", name)
    except plugins.PluginError as error:
        raise UnknownFormat(str(error)) from error


def _told_by(path: Path) -> str:
    ending = unzipped_name(path).rsplit(".", 1)[-1].casefold()
    head, damage = head_of(path, 4096)
    if not head and not damage:
        raise UnknownFormat(f"{path.name}: is empty")
    if ending in _ENDINGS and not (ending == "txt" and _by_head(head)):
        return _ENDINGS[ending]
    if found := _by_head(head):
        return found
    if ending == "json":
        return "bioc"
    if head.lstrip().startswith(b"{"):
        return "jsonl"
    if damage:
        raise UnknownFormat(f"{path.name}: {damage}")
    known = ", ".join(plugins.names("readers"))
    raise UnknownFormat(f"{path.name}: no reader knows this format; name one of {known}")


def _by_head(head: bytes) -> str:
    return next((name for mark, name in _ROOTS if mark in head), "")
