"""The commands that read: discovery annotate, dossier, mine.

Each function is one command. What it needs is imported inside it, so that listing
the commands costs nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from discovery.doors import Resume, refuse


def dossier(
    target: Annotated[str, typer.Argument(help="A gene symbol, a UniProt identifier or a name: HTR1B.")],
    corpus: Annotated[
        list[str] | None,
        typer.Option(
            "--corpus",
            help="File or folder of articles, or a folder made by discovery mine; the illustrative texts when absent.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Write .html, .md, .json or .txt; the screen when absent."),
    ] = None,
    lexicon: Annotated[str, typer.Option("--lexicon", help="JSON lines of your own names.")] = "",
    retractions: Annotated[str, typer.Option("--retractions", help="One PMID or identifier a line.")] = "",
) -> None:
    """Show what a corpus says about a target, each statement with its sentence."""
    import json

    from discovery.files import publish
    from discovery.target import Target
    from literature import pages
    from literature.corpus import EXAMPLE
    from literature.dossier import dossier as look
    from literature.graph_export import ExportError
    from literature.mined import MinedEvidence

    if corpus and (Path(corpus[0]) / "current.json").is_file():
        if len(corpus) > 1 or retractions:
            refuse("mined tables are asked by themselves, and know what was retracted when they were mined")
        found = MinedEvidence(corpus[0], lexicon=lexicon).dossier(Target(name=target.strip()))
    else:
        found = look(target, tuple(corpus) if corpus else EXAMPLE, lexicon=lexicon, retractions=retractions)
    if not found.naming and not found.listed:
        refuse(
            f"{target}: no dictionary knows this name and none of {found.articles} articles has it; "
            "check how it is written, or give your own names with --lexicon"
        )
    if out is None:
        typer.echo(pages.text(found), nl=False)
        return
    views = {
        ".html": lambda: pages.page(found),
        ".md": lambda: pages.markdown(found),
        ".txt": lambda: pages.text(found),
        ".json": lambda: json.dumps(found.json(), ensure_ascii=False, indent=1) + "\n",
    }
    if out.suffix not in views:
        raise ExportError(f"{out.name} must end in {', '.join(views)}")
    out.parent.mkdir(parents=True, exist_ok=True)
    publish(out, views[out.suffix]().encode("utf-8"))
    typer.echo(f"{len(found.statements)} statements from {found.naming} of {found.articles} articles: {out}")


_READER = typer.Option(
    "--reader", help="dictionary (fast), model (finds more), or a model's file, folder or name."
)
_CONVENTION = typer.Option("--convention", help="Whose habits a model of ours follows: general, BC5CDR, ...")
_LEXICON = typer.Option("--lexicon", help="JSON lines of your own names.")
_RELATIONS = typer.Option(
    "--relations", help="rules, or model (finds more, slower), or a model's file, folder or name."
)
_FORMAT = typer.Option("--format", help="Reader of all files: pubmed, jats, ...; told by each file.")


def mine(
    paths: Annotated[list[str], typer.Argument(help="Files or folders of articles.", metavar="PATH...")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the tables.")],
    workers: Annotated[int, typer.Option("--workers", min=1, help="Processes.")] = 1,
    resume: Resume = True,
    reader: Annotated[str, _READER] = "dictionary",
    convention: Annotated[str, _CONVENTION] = "general",
    lexicon: Annotated[str, _LEXICON] = "",
    relations: Annotated[str, _RELATIONS] = "",
    format: Annotated[str, _FORMAT] = "",
) -> None:
    """Read articles into Parquet tables: documents, sentences, mentions, concepts, evidence."""
    from literature.graph import query
    from literature.mining import mine as read_all

    done = read_all(
        paths,
        out,
        workers=workers,
        resume=resume,
        reader=reader,
        convention=convention,
        lexicon=lexicon,
        relations=relations,
        format=format,
        tell=typer.echo,
    )
    typer.echo(
        f"{done.documents} documents, {done.sentences} sentences, {done.mentions} mentions, {done.evidence} "
        f"pieces of evidence from {done.files} files ({done.reused} already there); "
        f"{done.skipped} records could not be read: {out}"
    )
    if done.skipped:
        for row in query(out, "FROM skipped LIMIT 5").to_pylist():
            typer.secho(f"skipped {_shown(row['where'])}: {_shown(row['detail'])}", fg="yellow", err=True)
        if done.skipped > 5:
            typer.echo(f"the others: discovery graph {out} --sql 'FROM skipped'", err=True)
    if not done.documents:
        refuse(f"no article of {', '.join(paths)} could be read")


def annotate(
    paths: Annotated[list[str], typer.Argument(help="Files or folders of articles.", metavar="IN...")],
    out: Annotated[Path, typer.Option("--out", help="Write .pubtator, .json or .jsonl (BioC), also .gz.")],
    reader: Annotated[str, _READER] = "model",
    convention: Annotated[str, _CONVENTION] = "general",
    lexicon: Annotated[str, _LEXICON] = "",
    relations: Annotated[str, _RELATIONS] = "",
    format: Annotated[str, _FORMAT] = "",
) -> None:
    """Mark entities, with identifiers, and relations in articles."""
    from literature.annotation import annotate as mark

    done = mark(
        paths,
        out,
        reader=reader,
        convention=convention,
        lexicon=lexicon,
        relations=relations,
        format=format,
    )
    for one in done.skipped[:20]:
        typer.secho(f"skipped {one.where}: {one.detail}", fg="yellow", err=True)
    more = f", listed in {out.name}.skipped.jsonl" if done.skipped else ""
    typer.echo(
        f"{done.documents} documents, {done.entities} entities ({done.linked} with an identifier), "
        f"{done.relations} relations; {len(done.skipped)} records skipped{more}: {out}"
    )
    if not done.documents:
        refuse(f"no article of {', '.join(paths)} could be read")


def graph(
    mined: Annotated[Path, typer.Argument(help="A folder made by discovery mine.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", help="FILE.graphml, or a folder for GraphML, KGX tables and tensors."),
    ] = None,
    cooccurrence: Annotated[
        bool, typer.Option("--cooccurrence", help="Also pairs that are only named in one sentence.")
    ] = False,
    sql: Annotated[
        str, typer.Option("--sql", help="Ask the views nodes, edges, evidence, mentions, ... instead.")
    ] = "",
) -> None:
    """Ask the mined tables as one graph, or write it for other programs."""
    from literature.graph import query
    from literature.graph_export import export

    if out is not None:
        done = export(mined, out, cooccurrence=cooccurrence)
        typer.echo(f"{done.nodes} nodes, {done.edges} edges: {', '.join(map(str, done.files))}")
        return
    asked = sql or (
        "SELECT a.name AS subject, predicate, b.name AS object, round(score, 3) AS score, papers, "
        "round(contradiction, 3) AS against FROM edges JOIN nodes a ON a.id = subject "
        "JOIN nodes b ON b.id = object ORDER BY edges.score DESC, subject, object LIMIT 20"
    )
    found = query(mined, asked)
    typer.echo("\t".join(found.column_names))
    for row in found.to_pylist():
        typer.echo("\t".join(_shown(value) for value in row.values()))


def _shown(value: object) -> str:
    """A cell without control characters, so that a paper's words cannot steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in str(value))


def fetch_pubmed(
    query: Annotated[str, typer.Argument(help="As in PubMed's search box: 'migraine[mh] AND 5-HT1B'.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the records; discovery mine reads it.")],
    email: Annotated[str, typer.Option("--email", help="Yours; NCBI asks for it with every request.")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many records.")] = 10_000,
    refresh: Annotated[bool, typer.Option("--refresh", help="Ask for the query's records anew.")] = False,
) -> None:
    """Fetch the PubMed records that answer a query. The one command here that uses the network.

    A key in NCBI_API_KEY allows ten requests a second instead of three.
    """
    from literature.eutils import fetch_pubmed as fetch
    from literature.eutils import key_from_environment

    done = fetch(
        query, out, email=email, key=key_from_environment(), limit=limit, refresh=refresh, tell=typer.echo
    )
    gone = f"; {len(done.absent)} listed but absent" if done.absent else ""
    typer.echo(
        f"{done.found:,} records answer the query; {done.records:,} of the {len(done.ids):,} asked for are in "
        f"{out} ({done.asked:,} fetched now, {done.requests} requests){gone}"
    )


_VECTORS = typer.Option(
    "--vectors", help="static (shipped), none, or an encoder's folder or name on this machine."
)


def search(
    mined: Annotated[Path, typer.Argument(help="A folder made by discovery mine.")],
    query: Annotated[str, typer.Argument(help="Words, names, a question.")],
    n: Annotated[int, typer.Option("--n", min=1, help="So many sentences.")] = 10,
    entity: Annotated[str, typer.Option("--entity", help="Only sentences that name this thing.")] = "",
    vectors: Annotated[str, _VECTORS] = "static",
    lexicon: Annotated[str, _LEXICON] = "",
    json_lines: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Find sentences by their words, the things they name and what they mean."""
    import json
    from dataclasses import asdict

    from literature.search import search as find
    from literature.search import terms

    hits = find(mined, query, n=n, entity=entity, vectors=vectors, lexicon=lexicon)
    asked = set(terms(query))
    if hits and not any(hit.named or asked.intersection(terms(hit.text)) for hit in hits):
        typer.echo("no sentence holds a word of this; these are the nearest in meaning", err=True)
    for hit in hits:
        if json_lines:
            typer.echo(json.dumps(asdict(hit), ensure_ascii=False))
            continue
        marks = " RETRACTED" if hit.retracted else ""
        where = f"{hit.id}, {hit.year or 'no year'}, {hit.section}, {hit.start}-{hit.end}{marks}"
        typer.echo(f'{hit.score:.3f}  "{_shown(hit.text)}"\n       {_shown(where)}')
    if not hits and not json_lines:
        typer.echo("no sentence was found")


def ask(
    mined: Annotated[Path, typer.Argument(help="A folder made by discovery mine.")],
    question: Annotated[str, typer.Argument(help="In words: 'Does sumatriptan relieve migraine?'")],
    n: Annotated[int, typer.Option("--n", min=1, help="So many quotes.")] = 5,
    least: Annotated[float, typer.Option("--least", help="The least probability of an answer.")] = 0.5,
    writer: Annotated[
        str, typer.Option("--writer", help="A language model on this machine that writes the answer up.")
    ] = "",
) -> None:
    """Answer a question with quoted sentences, and yes, no or maybe; or abstain and say why."""
    from literature.answering import ask as answer
    from literature.answering import writer as open_writer

    found = answer(mined, question, n=n, least=least, writer=open_writer(writer) if writer else None)
    if found.word and found.verdict:
        typer.echo(
            f"{found.word} (probability {found.verdict.probability:.2f}, judged from {_shown(found.judged)})"
        )
    else:
        typer.echo(f"no answer: {_shown(found.why)}")
    if found.written:
        for sentence, _ in found.written.sentences:
            typer.echo(_shown(sentence))
        dropped = found.written.uncited + found.written.unsupported
        typer.echo(f"({dropped} written sentences dropped: {found.written.uncited} cite no quote, "
                   f"{found.written.unsupported} say what their quotes do not)")  # fmt: skip
    for number, hit in enumerate(found.quotes, start=1):
        typer.echo(
            f'[{number}] "{_shown(hit.text)}" {_shown(hit.id)}, {hit.year or "no year"}, {_shown(hit.section)}'
        )


def targets(
    mined: Annotated[Path, typer.Argument(help="A folder made by discovery mine.")],
    disease: Annotated[str, typer.Argument(help="A name or identifier: migraine, MESH:D008881.")],
    n: Annotated[int, typer.Option("--n", min=1, help="So many ranks.")] = 20,
    lexicon: Annotated[str, _LEXICON] = "",
) -> None:
    """Rank targets for a disease by what articles say, with what speaks against."""
    _ranks("targets", mined, disease, n, lexicon)


def compounds(
    mined: Annotated[Path, typer.Argument(help="A folder made by discovery mine.")],
    target: Annotated[str, typer.Argument(help="A gene symbol, UniProt identifier or name: HTR1B.")],
    n: Annotated[int, typer.Option("--n", min=1, help="So many ranks.")] = 20,
    lexicon: Annotated[str, _LEXICON] = "",
) -> None:
    """Rank compounds for a target by what articles say, with what speaks against."""
    _ranks("compounds", mined, target, n, lexicon)


def _ranks(command: str, mined: Path, about: str, n: int, lexicon: str) -> None:
    from literature import standing

    rank = {"targets": standing.targets, "compounds": standing.compounds}[command]
    found = rank(mined, about, n=n, lexicon=lexicon)
    for place, one in enumerate(found, start=1):
        typer.echo(
            f"{place:3d} {one.score:.3f} {_shown(one.name)} ({one.predicate}; support {one.support:.2f}, against "
            f'{one.contradiction:.2f}, {one.papers} papers) "{_shown(one.said.text)}" {_shown(one.said.id)}'
        )
        if one.against:
            typer.echo(f'          against: "{_shown(one.against.text)}" {_shown(one.against.id)}')
    if not found:
        typer.echo("the articles say nothing of it")
