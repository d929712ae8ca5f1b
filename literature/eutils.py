"""Which PubMed records answer a query, and where are they on this disk?

The one room that may use the network, and only when it is called: `fetch_pubmed` asks
NCBI's E-utilities at the rate they allow and keeps every answer.

    FOLDER/pubmed-HASH.xml      records as they came, 200 at most; `discovery mine FOLDER` reads them
    FOLDER/asked/HASH.ids       identifiers that file was asked for, and those the server does not have
    FOLDER/asked/HASH.query     the identifiers that answer a query

What is there is not asked again, so a run that was killed goes on where it was, and
two queries share their records.

References
----------
.. [1] Sayers E., A General Introduction to the E-utilities, NBK25497: three requests a second,
   ten with a key; tool and email in every request; POST for more than 200 identifiers.
.. [2] Sayers E., The E-utilities In-Depth, NBK25499: ESearch (retmax, mindate, maxdate; PubMed gives
   at most the first 9,999 records of a search), EFetch.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from filelock import FileLock, Timeout

from discovery.files import publish
from discovery.outcome import UserError

ADDRESS = "https://eutils.ncbi.nlm.nih.gov/entrez/eutils"
TOOL = "discovery-workbench"
BATCH = 200  # records a request
WINDOW = 9_999  # the most that PubMed lists of one search [2]
TRIES = 7
LARGEST = 512 * 2**20  # bytes of one answer
WAIT_S = 60.0  # of one request
_FIRST, _LAST = date(1700, 1, 1), date(2100, 12, 31)
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class EutilsError(UserError, RuntimeError):
    """PubMed cannot be asked; the message says what was asked, what came back and what to do."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a query gave."""

    found: int  # records that answer it, by the server's count
    ids: tuple[str, ...]  # those listed here, newest first as the server sorts them
    records: int  # of them on this disk
    asked: int  # of them fetched now, the rest were there
    absent: tuple[str, ...]  # identifiers the server lists but does not have
    requests: int
    folder: Path


@dataclass
class Client:
    """Asks politely: at the allowed rate, with patience, never twice for what came whole."""

    email: str
    key: str = ""
    address: str = ADDRESS
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    requests: int = 0
    _next: float = 0.0

    @property
    def interval_s(self) -> float:
        """Between two requests: three a second, ten with a key [1]."""
        return 0.1 if self.key else 0.34

    def ask(self, program: str, words: Mapping[str, str], whole: Callable[[bytes], str]) -> bytes:
        """One answer, whole.

        Parameters
        ----------
        whole
            What is wrong with an answer; "" when nothing is.

        Raises
        ------
        EutilsError
            The server refused, or did not answer whole in `TRIES` tries.
        """
        polite = {"db": "pubmed", "tool": TOOL, "email": self.email} | (
            {"api_key": self.key} if self.key else {}
        )
        body = urllib.parse.urlencode(dict(words) | polite).encode()
        request = urllib.request.Request(
            f"{self.address}/{program}", data=body, headers={"User-Agent": f"{TOOL} ({self.email})"}
        )
        wrong = ""
        for attempt in range(TRIES):
            self._take_turn()
            pause = 0.0
            try:
                with urllib.request.urlopen(request, timeout=WAIT_S) as response:
                    answer = bytes(response.read(LARGEST + 1))
                if len(answer) > LARGEST:
                    raise EutilsError(f"{program} answered with more than {LARGEST:,} bytes; ask for less")
                wrong = whole(answer)
                if not wrong:
                    return answer
            except urllib.error.HTTPError as error:
                wrong = f"HTTP {error.code} {error.reason}"
                if error.code not in _PASSING:
                    said = " ".join(error.read(400).decode("utf-8", errors="replace").split())
                    raise EutilsError(
                        f"{program} refused the request: {wrong}: {self._hidden(said)}"
                    ) from error
                pause = _retry_after(error.headers.get("Retry-After", ""))
            except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
                wrong = str(getattr(error, "reason", "") or error)
            self.sleep(max(pause, min(60.0, 2.0**attempt)))
        raise EutilsError(
            f"{program} did not answer in {TRIES} tries, the last time: {self._hidden(wrong)}. "
            "What came is kept; run the same command again later"
        )

    def _take_turn(self) -> None:
        now = self.clock()
        if now < self._next:
            self.sleep(self._next - now)
            now = self._next
        self._next = now + self.interval_s
        self.requests += 1

    def _hidden(self, text: str) -> str:
        return text.replace(self.key, "***") if self.key else text


def _retry_after(said: str) -> float:
    """Seconds a server asks to wait: a number, or a date."""
    if said.strip().isdecimal():
        return min(float(said), 300.0)
    try:
        return min(max(0.0, parsedate_to_datetime(said).timestamp() - time.time()), 300.0)
    except (TypeError, ValueError):
        return 0.0


def fetch_pubmed(
    query: str,
    folder: str | Path,
    *,
    email: str,
    key: str = "",
    limit: int = 10_000,
    refresh: bool = False,
    client: Client | None = None,
    tell: Callable[[str], None] | None = None,
) -> Fetched:
    """Fetch the PubMed records that answer a query into a folder of XML files.

    Parameters
    ----------
    query
        In PubMed's own language: "migraine[mh] AND 5-HT1B".
    email
        Yours: NCBI writes to it before it shuts somebody out.
    key
        An NCBI API key: ten requests a second instead of three. It is sent, never written.
    limit
        At most so many records.
    refresh
        Ask for the query's identifiers again; records that are there are kept.
    client
        Who asks; one at NCBI's pace when not given.
    tell
        Called with a line on each step.

    Raises
    ------
    EutilsError
        The query or the address is none, PubMed cannot be asked, or another run writes here.
    """
    if not query.strip():
        raise EutilsError("the query is empty; write it as in PubMed's search box")
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
        raise EutilsError(f"{email!r} is no email address; NCBI asks for yours with every request")
    if limit < 1:
        raise EutilsError(f"limit is {limit}; ask for at least 1 record")
    client, folder = client or Client(email, key), Path(folder)
    asked = folder / "asked"
    asked.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / ".lock", timeout=0):
            found, ids = _answer(query, asked, limit, refresh, client)
            have, absent = _there(folder)
            missing = [id for id in ids if id not in have and id not in absent]
            for at in range(0, len(missing), BATCH):
                _records(missing[at : at + BATCH], folder, client)
                if tell:
                    tell(f"{min(at + BATCH, len(missing)):,} of {len(missing):,} records")
            have, absent = _there(folder)
    except Timeout as error:
        raise EutilsError(
            f"another run is writing to {folder}; wait for it or choose another folder"
        ) from error
    return Fetched(
        found=found,
        ids=tuple(ids),
        records=sum(id in have for id in ids),
        asked=sum(id in have for id in missing),
        absent=tuple(id for id in ids if id in absent),
        requests=client.requests,
        folder=folder,
    )


def _answer(query: str, asked: Path, limit: int, refresh: bool, client: Client) -> tuple[int, list[str]]:
    """How many records answer a query, and the identifiers of the first `limit`."""
    kept = asked / f"{_name(query)}.query"
    if kept.exists() and not refresh:
        before = json.loads(kept.read_text(encoding="utf-8"))
        ids = [str(id) for id in before["ids"]]
        if len(ids) >= min(limit, before["found"]):
            return int(before["found"]), ids[:limit]
    found, _ = _search(client, query, 0)
    listed: dict[str, None] = {}
    for ids in _listed(client, query, found, _FIRST, _LAST, limit):
        listed.update(dict.fromkeys(ids))
        if len(listed) >= limit:
            break
    ids = list(listed)[:limit]
    held = {"query": query, "found": found, "ids": ids}
    publish(kept, json.dumps(held, ensure_ascii=False, indent=1).encode("utf-8"))
    return found, ids


def _listed(
    client: Client, query: str, found: int, first: date, last: date, limit: int
) -> Iterator[list[str]]:
    """Identifiers of a search; of one that PubMed lists only in part, newest publication dates first."""
    dates = {} if (first, last) == (_FIRST, _LAST) else _dates(first, last)
    if found <= WINDOW or limit <= WINDOW or first == last:
        if found:
            yield _search(client, query, min(found, limit, WINDOW), dates)[1]
        return
    middle = first + timedelta(days=(last - first).days // 2)
    for low, high in ((middle + timedelta(days=1), last), (first, middle)):
        inside, _ = _search(client, query, 0, _dates(low, high))
        for ids in _listed(client, query, inside, low, high, limit):
            yield ids
            limit -= len(ids)
            if limit <= 0:
                return


def _dates(first: date, last: date) -> dict[str, str]:
    return {"datetype": "pdat", "mindate": f"{first:%Y/%m/%d}", "maxdate": f"{last:%Y/%m/%d}"}


def _search(
    client: Client, query: str, most: int, dates: Mapping[str, str] | None = None
) -> tuple[int, list[str]]:
    words = {"term": query, "retmode": "json", "retmax": str(most), "sort": "pub_date"} | dict(dates or {})
    found = json.loads(client.ask("esearch.fcgi", words, _search_fault))["esearchresult"]
    ids = [str(id) for id in found.get("idlist", [])]
    strange = next((id for id in ids if not id.isdecimal()), None)
    if strange is not None:
        raise EutilsError(f"esearch.fcgi listed {strange[:40]!r}, which is no PMID")
    return int(found["count"]), ids


def _search_fault(answer: bytes) -> str:
    try:
        found = json.loads(answer)["esearchresult"]
        int(found["count"])
    except (ValueError, KeyError, TypeError):
        return f"no search result but {answer[:120].decode('utf-8', errors='replace')!r}"
    return str(found.get("ERROR", ""))


_PMID = re.compile(rb"<(?:MedlineCitation|BookDocument)\b[^>]*>\s*<PMID[^>]*>\s*(\d+)\s*</PMID>")


def _records(ids: list[str], folder: Path, client: Client) -> None:
    """Fetch one file of records; its list of identifiers is written last and makes it count."""
    words = {"id": ",".join(ids), "retmode": "xml"}
    answer = client.ask("efetch.fcgi", words, _fetch_fault)
    came = {found.decode() for found in _PMID.findall(answer)}
    name = _name(",".join(sorted(ids)))
    publish(folder / f"pubmed-{name}.xml", answer)
    held = {"have": sorted(came & set(ids)), "absent": sorted(set(ids) - came)}
    publish(folder / "asked" / f"{name}.ids", json.dumps(held).encode())


def _fetch_fault(answer: bytes) -> str:
    if b"<PubmedArticleSet" not in answer[:2000] or not answer.rstrip().endswith(b"</PubmedArticleSet>"):
        return f"no whole set of records but {len(answer):,} bytes that end in {answer[-60:]!r}"
    return ""


def _there(folder: Path) -> tuple[set[str], set[str]]:
    """Identifiers on this disk, and those the server said it does not have."""
    have: set[str] = set()
    absent: set[str] = set()
    for listing in sorted((folder / "asked").glob("*.ids")):
        if (folder / f"pubmed-{listing.stem}.xml").exists():
            held = json.loads(listing.read_text(encoding="utf-8"))
            have.update(held["have"])
            absent.update(held["absent"])
    return have, absent - have


def _name(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:20]


def key_from_environment() -> str:
    """The key of NCBI_API_KEY; "" without one."""
    return os.environ.get("NCBI_API_KEY", "").strip()
