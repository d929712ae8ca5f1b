"""Which names of diseases say the same in other words?

Every word is cut to its stem, so that "thalassemic" meets "thalassemia" and "psychotic"
"psychosis", organs have one name, what all diseases are called (lesion, injury,
dysfunction) is one word, and the order does not matter. Which of the names found is
right is for normalisation.py to say.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Organs and what belongs to them, by one name each.
_ORGANS = {
    "kidney": "renal nephro kidney nephric",
    "liver": "hepatic liver hepato",
    "heart": "cardiac heart cardio myocardial myocardium cardial",
    "lung": "pulmonary lung pulmonic",
    "brain": "cerebral brain encephalic",
    "vessel": "vascular vessel arterial artery",
    "stomach": "gastric stomach",
    "skin": "cutaneous dermal skin dermatologic dermatological",
    "eye": "ocular eye ophthalmic",
    "nerve": "neural nerve neuronal neuron neurologic neurological neurologically nervous",
    "muscle": "muscular muscle musculoskeletal",
    "blood": "hematologic haematologic hematological haematological blood",
    "bone": "bone osseous skeletal",
    "breast": "breast mammary",
    "ovary": "ovarian ovary",
    "prostate": "prostatic prostate",
    "bladder": "bladder vesical",
    "mind": "mental psychiatric neuropsychiatric psychological",
    "cognition": "cognitive cognition neurocognitive",
    "immunity": "immune immunologic immunological",
    "hormone": "endocrine endocrinologic hormonal",
    "bowel": "intestinal bowel intestine gut",
    "colon": "colon colonic",
    "teeth": "dental tooth teeth",
    "mouth": "oral mouth buccal",
    "valve": "valvular valve",
    "joint": "articular joint arthritic",
    "spine": "spinal spine",
    "retina": "retinal retina",
    "cornea": "corneal cornea",
}
_KINDS = {
    "": "disease disorder syndrome condition illness problem abnormality abnormal anomaly complication disturbance "
    "dysfunction impairment impaired lesion damage damaged injury defect defective symptom sign alteration change "
    "involvement toxicity adverse effect diseased affected trouble deficit manifestation event",
    "neoplasm": "cancer tumor tumour neoplasm carcinoma malignancy malignant neoplastic neoplasia cancerous",
    "deficiency": "deficiency deficient lack absence",
    "failure": "failure insufficiency",
    "seizure": "seizure convulsion convulsive",
    "hemorrhage": "hemorrhage haemorrhage bleeding hemorrhagic haemorrhagic bleed",
    "high blood pressure": "hypertension hypertensive",
    "low blood pressure": "hypotension hypotensive",
    "dilated": "dilatation dilation dilated",
    "enlarged": "hypertrophy enlargement hypertrophic",
}
_SAME = {word: name for table in (_ORGANS, _KINDS) for name, words in table.items() for word in words.split()}
_LEFT_OUT = frozenset(
    "of the in with and to a an by from on for s type like related associated induced drug acute chronic severe "  # noqa: SIM905
    "mild moderate human patient primary secondary clinical late early onset".split()
)
_STEM = re.compile(
    r"(?:omatous|oma|atic|asis|otic|osis|itic|itis|emic|emia|enic|enia|iac|ial|ical|ic|ia|ating|ation|ative|ations|"
    r"ous|ive|ion|ing|ism|ist|eur|al|ar|ed|es|e|y|us|is|a|s|ness)$"
)
_BRITISH = (
    ("haem", "hem"),
    ("aemi", "emi"),
    ("oedema", "edema"),
    ("oesoph", "esoph"),
    ("oea", "ea"),
    ("leuco", "leuko"),
)
_LEAST_STEM = 5


@lru_cache(maxsize=1 << 16)
def stem(word: str) -> str:
    """A word of a disease's key without its ending, an organ by one name; "" of what all diseases are called."""
    for old, new in _BRITISH:
        word = word.replace(old, new)
    same = _SAME.get(word)
    if same is not None:
        return same
    bare = _STEM.sub("", word)
    return bare if len(bare) >= _LEAST_STEM else word


def meaning(key: str) -> str:
    """A name's key in a form that other words for the same thing share; "" where nothing particular is left.

    Examples
    --------
    >>> meaning("renal lesion") == meaning("disorder of the kidney")
    True
    """
    stems = {stem(word) for word in key.split() if word not in _LEFT_OUT} - {""}
    return " ".join(sorted(stems))
