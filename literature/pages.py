"""How is a dossier shown: plain text, Markdown, or one HTML page?

Everything a paper, a patent or a file name may hold is made inert: escaped in HTML
and Markdown, without control characters in a terminal. Illustrative texts are named
so wherever they are shown; a retracted article is struck out, never counted.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from urllib.parse import quote

from discovery.target import Statement
from discovery.views.drawing import UndrawableError, molecule_svg
from discovery.views.text import PAPER, inert
from literature.claims import MENTIONED
from literature.dossier import Dossier, Finding, Year
from literature.picture import anchor, graph

ILLUSTRATIVE = (
    "The texts quoted here were written to illustrate how evidence is shown. They are not literature."
)
SECTIONS = (
    ("compounds", "Compounds that act on it"),
    ("does", "What it does"),
    ("diseases", "Diseases"),
    ("treatments", "What its compounds treat"),
    ("safety", "Safety"),
)
_LINKS = {
    "PMID": "https://pubmed.ncbi.nlm.nih.gov/{}/",
    "DOI": "https://doi.org/{}",
    "PMC": "https://pmc.ncbi.nlm.nih.gov/articles/PMC{}/",
    "US": "https://patents.google.com/patent/US{}",
}
_SIGNS = {1: "+", -1: "−", 0: "·"}


def phrase(finding: Finding) -> str:
    """ "sumatriptan agonist of HTR1B" """
    return inert(f"{finding.subject.name} {finding.predicate} {finding.object.name}")


def label(statement: Statement) -> str:
    """Where a statement stands, and what kind of text that is."""
    marks: list[str] = [statement.kind] if statement.kind != "literature" else []
    marks += ["retracted"] if statement.retracted else []
    parts = [statement.source, str(statement.year or "no year"), statement.section]
    return inert(", ".join(p for p in parts if p)) + (f" ({', '.join(marks)})" if marks else "")


def link(source: str) -> str:
    """The article's page, for identifiers we know; "" otherwise."""
    found = re.fullmatch(r"(PMID|PMC):?(\d+)|(US)(\w+)|(DOI):(10\.\d{4,9}/\S+)", source)
    if not found:
        return ""
    kind, number = (part for part in found.groups() if part)
    return _LINKS[kind].format(quote(number, safe="/"))


def _heading(dossier: Dossier) -> str:
    target = dossier.target
    names = [n for n in (target.name, target.gene, target.uniprot) if n]
    return inert(" · ".join(dict.fromkeys(names)) or dossier.concept.name)


def _summary(dossier: Dossier) -> str:
    concept, said = dossier.concept, dossier.statements
    told = sum(s.predicate != MENTIONED for s in said)
    known = f" It is {concept.name}: {', '.join((concept.id, *concept.xrefs))}."
    if not dossier.listed:
        known = " No dictionary knows it: only this spelling was looked for."
    return inert(
        f"{dossier.naming} of {dossier.articles} articles name it; {told} statements, and {len(said) - told} sentences "
        f"that only name it beside something, by {dossier.method}. Set aside as retracted: {len(dossier.retracted)}. "
        f"Records that could not be read: {len(dossier.skipped)}.{known}"
    )


def _numbers(finding: Finding) -> str:
    found = finding.link
    papers = "1 paper" if found.papers == 1 else f"{found.papers} papers"
    return f"support {found.support:.2f}, against {found.contradiction:.2f}, {papers}"


def text(dossier: Dossier, *, findings: int = 12, quotes: int = 2) -> str:
    """Plain text for a terminal."""
    lines = [_heading(dossier), _summary(dossier)]
    if dossier.concept.about:
        lines.append(inert(dossier.concept.about))
    if dossier.illustrative:
        lines.append(ILLUSTRATIVE)
    for name, title in SECTIONS:
        told = _told(getattr(dossier, name))
        lines += ["", title.upper()] + ([] if told else ["  nothing was said"])
        for finding in told[:findings]:
            lines.append(f"  {_SIGNS[finding.sign]} {phrase(finding)} [{_numbers(finding)}]")
            lines += [
                f'    {_SIGNS[s.sign]} "{inert(s.quote)}" {label(s)}' for s in _spoken(finding)[:quotes]
            ]
        if len(told) > findings:
            lines.append(f"  and {len(told) - findings} more")
    lines += ["", "WHAT SPEAKS AGAINST"] + (
        [] if dossier.contradictions else ["  no contradiction was found"]
    )
    for found in dossier.contradictions:
        lines.append(f"  {inert(found.subject)} and {inert(found.object)}: {inert(found.why)}")
        lines += [f'      "{inert(s.quote)}" {label(s)}' for s in (found.one, found.other)]
    lines += ["", "TIMELINE  year: articles, statements for, against"]
    lines += [f"  {y.year}: {y.articles:3d} {y.support:3d} {y.against:3d}" for y in dossier.timeline]
    return "\n".join(lines) + "\n"


def _spoken(finding: Finding) -> list[Statement]:
    """What speaks for or against it, those that only name both left out."""
    return [s for s in finding.statements if s.predicate != MENTIONED]


def _told(findings: Sequence[Finding]) -> list[Finding]:
    """Those a cue word tells of; bare co-occurrences stay in the JSON."""
    return [f for f in findings if f.predicate != MENTIONED]


_MARKS = re.compile(r"([\\`*_{}\[\]()#+!|~-])")


def _escaped(words: str) -> str:
    return html.escape(_MARKS.sub(r"\\\1", inert(words)), quote=False)


def markdown(dossier: Dossier, *, quotes: int = 3) -> str:
    """Markdown, every mark in foreign words escaped."""
    lines = [f"# {_escaped(_heading(dossier))}", "", _escaped(_summary(dossier)), ""]
    if dossier.concept.about:
        lines += [_escaped(dossier.concept.about), ""]
    if dossier.illustrative:
        lines += [f"**{ILLUSTRATIVE}**", ""]
    for name, title in SECTIONS:
        lines += [f"## {title}", ""]
        for finding in _told(getattr(dossier, name)):
            lines.append(f"- {_SIGNS[finding.sign]} **{_escaped(phrase(finding))}** ({_numbers(finding)})")
            lines += [f"    - {_SIGNS[s.sign]} {_quoted(s)}" for s in _spoken(finding)[:quotes]]
        lines.append("")
    lines += ["## What speaks against", ""]
    for found in dossier.contradictions:
        lines.append(f"- {_escaped(found.subject)} and {_escaped(found.object)}: {_escaped(found.why)}")
        lines += [f"    - {_quoted(s)}" for s in (found.one, found.other)]
    lines += ["", "## Timeline", "", "| year | articles | for | against |", "|---|---|---|---|"]
    lines += [f"| {y.year} | {y.articles} | {y.support} | {y.against} |" for y in dossier.timeline]
    return "\n".join(lines) + "\n"


def _quoted(statement: Statement) -> str:
    words = f"“{_escaped(statement.quote)}” {_escaped(label(statement))}"
    return f"~~{words}~~" if statement.retracted else words


_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;color:#222}"
    "h2{border-bottom:1px solid #ddd;margin-top:2em}details{margin:.4em 0}summary{cursor:pointer}"
    "blockquote{margin:.3em 0 .3em 1.5em;color:#333}small{color:#666}.note{background:#fff3cd;padding:.6em 1em}"
    ".glance{background:#f3f6fa;padding:.5em 1em}figure{margin:1em 0;overflow-x:auto}"
    "summary span{display:block;margin-left:1.5em;color:#555;font-size:13px}details[open]>summary span{display:none}"
    ".plus{color:#176f2c}.minus{color:#a11}svg{vertical-align:middle}del{color:#999}"
    "a{color:#1a5fb4!important}"  # a dark notebook's links are made for a dark ground
)


# no script runs and nothing is fetched, whatever an article's text holds
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def page(dossier: Dossier) -> str:
    """One HTML page that needs nothing from the network."""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{html.escape(_heading(dossier))}</title><style>{_STYLE}</style></head><body>"
        f"{fragment(dossier)}</body></html>"
    )


def sheet(dossier: Dossier) -> str:
    """The page's inside on white paper, for a notebook of any theme."""
    inside = "".join(
        f".dossier {rule}}}" for rule in _STYLE.split("}") if rule and not rule.startswith("body")
    )
    # JupyterLab's handling of links breaks off at one within a picture: those on the page stay, these go
    body = re.sub(r'<a href="[^"]*">(<title>.*?)</a>', r"<g>\1</g>", fragment(dossier), flags=re.S)
    body = body.replace(_LINKED, "")
    return f'<div class="dossier" style="{PAPER};padding:.5em 1em"><style>{inside}</style>{body}</div>'


def fragment(dossier: Dossier) -> str:
    """The page's inside, without a style of its own."""
    parts = [f"<h1>{html.escape(_heading(dossier))}</h1>", f"<p>{html.escape(_summary(dossier))}</p>"]
    if dossier.concept.about:
        parts.append(f"<p>{html.escape(inert(dossier.concept.about))}</p>")
    if dossier.illustrative:
        parts.append(f'<p class="note">{ILLUSTRATIVE}</p>')
    parts.append(_glance(dossier))
    if picture := graph(dossier):
        parts.append(f"<figure>{picture}<figcaption><small>{_LEGEND}</small></figcaption></figure>")
    placed: set[str] = set()  # a finding stands in two sections at times; its place is the first
    for name, title in SECTIONS:
        told = _told(getattr(dossier, name))
        parts.append(f'<h2 id="s-{name}">{title}</h2>')
        parts += [_finding(finding, placed, drawn=name == "compounds") for finding in told] or [
            "<p>Nothing was said.</p>"
        ]
    parts.append('<h2 id="s-against">What speaks against</h2>')
    for found in dossier.contradictions:
        words = html.escape(inert(f"{found.subject} and {found.object}: {found.why}"))
        parts.append(
            f"<details open><summary>{words}</summary>{_quote(found.one)}{_quote(found.other)}</details>"
        )
    if not dossier.contradictions:
        parts.append("<p>No contradiction was found.</p>")
    parts.append(f"<h2>Timeline</h2>{_bars(dossier.timeline)}")
    if dossier.skipped:
        listed = "".join(
            f"<li>{html.escape(inert(s.where))}: {html.escape(inert(s.detail))}</li>"
            for s in dossier.skipped[:50]
        )
        parts.append(f"<h2>Not read</h2><ul>{listed}</ul>")
    return "".join(parts)


_LINKED = " Every line and name leads to its sentences."
_LEGEND = (
    "Green and whole: the sentences speak for it. Red and dashed: they speak against it. Thick: much evidence. "
    "Pale arcs: what the compounds treat." + _LINKED
)


def _glance(dossier: Dossier) -> str:
    """What there is, and where."""
    flags = [f for f in dossier.safety if f.sign >= 0]
    counts = [
        (f"s-{name}", title, len(_told(getattr(dossier, name))))
        for name, title in SECTIONS
        if name != "safety"
    ]
    counts.append(("s-safety", "Safety flags", len(flags)))
    counts.append(("s-against", "Contradictions", len(dossier.contradictions)))
    links = " · ".join(f'<a href="#{place}">{title}: {number}</a>' for place, title, number in counts)
    return f'<p class="glance">{links}</p>'


def _finding(finding: Finding, placed: set[str], *, drawn: bool) -> str:
    place = anchor(finding)
    named = f' id="{place}"' if place not in placed else ""
    placed.add(place)
    tone = {1: "plus", -1: "minus", 0: ""}[finding.sign]
    picture = _structure(finding.subject.smiles) if drawn and finding.subject.smiles else ""
    beside = [s for s in finding.statements if s.predicate == MENTIONED]
    quotes = "".join(map(_quote, _spoken(finding)))
    if beside:
        quotes += f"<details><summary><small>{len(beside)} more that name both</small></summary>{''.join(map(_quote, beside))}</details>"
    said = next((s for s in finding.statements if not s.retracted), None)
    first = f"<span>“{html.escape(_shortened(inert(said.quote)))}”</span>" if said is not None else ""
    # The place is inside the closed part: who comes to it by a link finds it open.
    return (
        f'<details><summary>{picture}<b class="{tone}">{_SIGNS[finding.sign]}</b> '
        f"{html.escape(phrase(finding))} <small>{html.escape(_numbers(finding))}</small>{first}</summary><div{named}>{quotes}</div></details>"
    )


def _shortened(words: str) -> str:
    """As much of a quote as stands on one line; it is whole once opened."""
    return words if len(words) <= _LINE else words[:_LINE].rsplit(" ", 1)[0] + " …"


_LINE = 130  # letters


def _quote(statement: Statement) -> str:
    words = html.escape(inert(statement.quote))
    where, address = html.escape(label(statement)), link(statement.source)
    if address:
        where = f'<a href="{html.escape(address, quote=True)}" rel="noreferrer">{where}</a>'
    if statement.retracted:
        words = f"<del>{words}</del>"
    return f"<blockquote>{_SIGNS[statement.sign]} “{words}” <small>{where}</small></blockquote>"


def _structure(smiles: str) -> str:
    """A small picture; nothing when the SMILES of a user's dictionary is none."""
    try:
        return molecule_svg(smiles, width=140, height=90)
    except UndrawableError:
        return ""


def _bars(timeline: Sequence[Year]) -> str:
    """A year's articles as one bar; above the line its statements for, below it those against."""
    if not timeline:
        return "<p>No article has a year.</p>"
    first, last = timeline[0].year, timeline[-1].year
    top = max(max(y.articles, y.support, y.against) for y in timeline) or 1
    width = max(6, min(24, 720 // (last - first + 1)))
    third = max(2, width // 3)

    def bar(x: float, high: float, tone: str, *, down: bool = False) -> str:
        y = 80.0 if down else 80.0 - high
        return f'<rect x="{x:.0f}" y="{y:.1f}" width="{third}" height="{high:.1f}" fill="{tone}"/>'

    bars = "".join(
        f"<g><title>{y.year}: {y.articles} articles, {y.support} statements for, {y.against} against</title>"
        f"{bar((y.year - first) * width, 70 * y.articles / top, '#9db4cf')}"
        f"{bar((y.year - first) * width + third, 70 * y.support / top, '#176f2c')}"
        f"{bar((y.year - first) * width + third, 70 * y.against / top, '#a11111', down=True)}</g>"
        for y in timeline
    )
    deep = 70 * max(y.against for y in timeline) / top
    total = max((last - first + 1) * width, 120)
    high = 100 + deep
    return (
        f'<svg role="img" aria-label="articles and statements a year" width="{total}" height="{high:.0f}">{bars}'
        f'<line x1="0" y1="80" x2="{total}" y2="80" stroke="#555555"/>'
        f'<text x="0" y="{high - 4:.0f}" font-size="11">{first}</text>'
        f'<text x="{total - 28}" y="{high - 4:.0f}" font-size="11">{last}</text></svg>'
        "<p><small>Blue: articles that name it. Green: statements for. Red, below the line: against.</small></p>"
    )
