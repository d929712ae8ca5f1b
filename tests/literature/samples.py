"""Small files of every format, written for the tests."""

from __future__ import annotations

PUBMED = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE PubmedArticleSet PUBLIC "-//NLM//DTD PubMedArticle, 1st January 2024//EN" "https://dtd.nlm.nih.gov/x.dtd">
<PubmedArticleSet>
<PubmedArticle><MedlineCitation Status="MEDLINE"><PMID Version="2">101</PMID>
<Article><Journal><JournalIssue><PubDate><MedlineDate>1998 Dec-1999 Jan</MedlineDate></PubDate></JournalIssue></Journal>
<ArticleTitle>Effects of <i>in vivo</i> 5-HT<sub>1B</sub> receptors &amp; &lt;more&gt; at 10<sup>6</sup> cells</ArticleTitle>
<Abstract><AbstractText Label="BACKGROUND" NlmCategory="BACKGROUND">Sumatriptan is <b>an <i>agonist</i></b> of 5-HT1B.</AbstractText>
<AbstractText Label="FINDINGS" NlmCategory="RESULTS">It worked (<mml:math xmlns:mml="x"><mml:mi>p</mml:mi><mml:mo>&lt;</mml:mo><mml:mn>0.05</mml:mn></mml:math>).</AbstractText>
<AbstractText Label="Interpretation">Good.</AbstractText>
<CopyrightInformation>(c) Somebody</CopyrightInformation></Abstract>
<PublicationTypeList><PublicationType UI="D016454">Review</PublicationType></PublicationTypeList></Article>
<OtherAbstract Language="fre"><AbstractText>R\u00e9sum\u00e9.</AbstractText></OtherAbstract></MedlineCitation></PubmedArticle>
<PubmedArticle><MedlineCitation><PMID Version="1">102</PMID><Article><Journal><JournalIssue><PubDate><Year>2004</Year><Month>Mar</Month></PubDate></JournalIssue></Journal>
<ArticleTitle>No abstract here</ArticleTitle></Article></MedlineCitation></PubmedArticle>
<PubmedArticle><MedlineCitation><PMID Version="1">103</PMID><Article><ArticleTitle>Later retracted</ArticleTitle></Article>
<CommentsCorrectionsList><CommentsCorrections RefType="RetractionIn"><RefSource>x</RefSource><PMID Version="1">104</PMID></CommentsCorrections></CommentsCorrectionsList></MedlineCitation></PubmedArticle>
<PubmedArticle><MedlineCitation><PMID Version="1">104</PMID><Article><ArticleTitle>Retraction</ArticleTitle></Article>
<CommentsCorrectionsList><CommentsCorrections RefType="RetractionOf"><PMID Version="1">105</PMID></CommentsCorrections></CommentsCorrectionsList></MedlineCitation></PubmedArticle>
<DeleteCitation><PMID Version="1">7</PMID><PMID Version="1">8</PMID></DeleteCitation>
</PubmedArticleSet>
"""

JATS = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE article PUBLIC "-//NLM//DTD Journal Publishing DTD v3.0 20080202//EN" "journalpublishing3.dtd">
<article xmlns:xlink="http://www.w3.org/1999/xlink" article-type="research-article"><front><journal-meta><journal-id>x</journal-id></journal-meta>
<article-meta><article-id pub-id-type="pmc">PMC99</article-id><article-id pub-id-type="doi">10.1/ABC</article-id><article-id pub-id-type="pmid">55</article-id>
<title-group><article-title>A <italic>full</italic> text</article-title></title-group>
<pub-date><year>2011</year></pub-date><pub-date><year>2010</year></pub-date>
<permissions><license xlink:href="https://creativecommons.org/licenses/by/4.0/"><license-p>Free.</license-p></license></permissions>
<abstract><sec><title>Background</title><p>First.</p></sec><sec><title>Results</title><p>Second.</p></sec></abstract></article-meta></front>
<body><p>Loose words.</p><sec sec-type="intro"><title>Introduction</title><p>Known<sup><xref ref-type="bibr" rid="b1">1</xref></sup> things
<fig id="f1"><label>Figure 1</label><caption><title>Shape.</title><p>A picture.</p></caption></fig> go on after the figure.</p></sec>
<sec sec-type="materials|methods"><title>Materials and methods</title><p>Done <list list-type="bullet"><list-item><p>one</p></list-item><list-item><p>two</p></list-item></list> so.</p>
<sec><title>Cells</title><p>Grown.</p></sec></sec>
<sec><title>3. Results</title><table-wrap><label>Table 1</label><caption><p>Numbers</p></caption><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table></table-wrap></sec></body>
<back><ack><p>Thanks.</p></ack><ref-list><ref id="b1"><mixed-citation>Not kept.</mixed-citation></ref></ref-list></back></article>
"""

PATENT_XML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE us-patent-grant SYSTEM "us-patent-grant-v45.dtd" [ ]>
<us-patent-grant lang="EN"><us-bibliographic-data-grant><publication-reference><document-id><country>US</country><doc-number>08926509</doc-number><kind>B2</kind><date>20150106</date></document-id></publication-reference>
<invention-title id="d0e43">Agonists of 5-HT<sub>1B</sub></invention-title></us-bibliographic-data-grant>
<abstract id="abstract"><p id="p-1" num="0000">Compounds are described.</p></abstract>
<description id="description"><?BRFSUM description="Brief Summary" end="lead"?><heading id="h-1" level="1">FIELD</heading><p id="p-2" num="0001">The <b>invention</b> relates to triptans.</p></description>
<us-claim-statement>What is claimed is:</us-claim-statement>
<claims id="claims"><claim id="CLM-1" num="1"><claim-text>1. A compound, comprising:
<claim-text>an indole; and</claim-text><claim-text>an amine.</claim-text></claim-text></claim><claim id="CLM-2" num="2"><claim-text>2. The compound of <claim-ref idref="CLM-1">claim 1</claim-ref>.</claim-text></claim></claims></us-patent-grant>
"""

PATENT_SGML = """<PATDOC DTD="2.4" STATUS="BUILD 20001002"><SDOBI><B100><B110><DNUM><PDAT>D0435854</PDAT></DNUM></B110><B130><PDAT>S1</PDAT></B130><B140><DATE><PDAT>20010102</PDAT></DATE></B140></B100>
<B500><B540><STEXT><PDAT>A &agr;-blocker &mdash; salt</PDAT></STEXT></B540></B500></SDOBI>
<SDOAB><BTEXT><PARA ID="P-1" LVL="0"><PTEXT><PDAT>Short </PDAT><HIL><ITALIC><PDAT>words</PDAT></ITALIC></HIL><PDAT>.</PDAT></PTEXT></PARA></BTEXT></SDOAB>
<SDODE><DETDESC><BTEXT><H LVL="1"><STEXT><PDAT>DETAIL</PDAT></STEXT></H><PARA ID="P-2"><PTEXT><PDAT>See <EMI ID="EMI-1" FILE="x.TIF"></PDAT></PTEXT></PARA></BTEXT></DETDESC></SDODE>
<SDOCL><H><STEXT><PDAT>What is claimed is:</PDAT></STEXT></H><CL><CLM ID="CLM-1"><PARA><PTEXT><PDAT>1. A salt.</PDAT></PTEXT></PARA></CLM></CL></SDOCL></PATDOC>
"""

GREEN_BOOK = """PATN
WKU  039373754
APN  5184541
TTL  Bumper support for a
      boat loader
ISD  19760210
INVT
NAM  Daniels; Everette E.
ABST
PAL  A unit mountable on a rear
      bumper.
BSUM
PAC  FIELD
PAR  This invention relates to bumpers.
CLMS
STM  What I claim is:
NUM  1.
PAR  1. A combination of:
PA1  a strap and
PA1  a bar.
NUM  2.
PAR  2. The combination of claim 1.
"""

MEDLINE = """
PMID- 23039619
DP  - 2012 Oct
TI  - Effects of different parameters in the fast
      scanning method.
AB  - PURPOSE: To find out. METHODS: Two transducers (n = 2: one each) were used.
      RESULTS: It worked.
PT  - Journal Article

PMID- 5
TI  - Gone
RIN - J Foo. 2001;3:4. PMID: 6
PT  - Retracted Publication

PMID- 6
TI  - Retraction of a paper
ROF - J Foo. 2000;1:2. PMID: 5
"""

PUBTATOR = (
    "25763772|t|DSCR1 is α-bound.\n25763772|a|BACKGROUND: DSCR1 causes migraine.\n"
    "25763772\t0\t5\tDSCR1\tGene\t1827\n25763772\t43\t51\tmigraine\tDisease\tD008881,D008882\n"
    "25763772\t3\t9\twrong!\tGene\t1\n25763772\tCID\t1827\tD008881\n\n7|t|Title only\n7|a|\n"
)

BIOC_XML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE collection SYSTEM "BioC.dtd"><collection><source>PubMed</source><document><id>12</id>
<infon key="year">2019</infon><passage><infon key="type">title</infon><offset>0</offset><text>A title</text></passage>
<passage><infon key="section_type">ABSTRACT</infon><offset>8</offset><text>Sumatriptan helps.</text>
<annotation id="1"><infon key="type">Chemical</infon><location offset="8" length="11"/><text>Sumatriptan</text></annotation></passage></document></collection>
"""

BIOC_JSON = """{"source": "PubTator", "documents": [{"id": "PMC12", "infons": {}, "passages": [
{"infons": {"section_type": "TITLE", "article-id_pmid": "77", "article-id_pmc": "12", "year": "2020", "license": "CC BY"}, "offset": 0, "text": "A title", "annotations": []},
{"infons": {"section_type": "RESULTS", "type": "paragraph"}, "offset": 8, "text": "Words."},
{"infons": {"section_type": "FIG", "type": "fig_caption"}, "offset": 15, "text": "A figure."}]}]}
"""

JSONL = '{"id": "A:1", "title": "One", "abstract": "Sumatriptan helps.", "year": 2001}\n{"id": "A:2", "title": "Two"}\n'
TEXT = "A title\n\nSumatriptan helps.\n\nResults\n\nMore.\n"
