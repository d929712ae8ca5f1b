"""Some well-known drugs, with numbers from outside this project.

SMILES are the structures' usual drawings. Average masses (Da) and polar surface
areas (Å²) as PubChem lists them; its surfaces are by Cactvs,
which counts some aromatic nitrogens differently, so only molecules without are here.
"""

from __future__ import annotations

DRUGS: dict[str, str] = {
    "aspirin": "CC(=O)Oc1ccccc1C(=O)O",
    "caffeine": "Cn1cnc2c1c(=O)n(C)c(=O)n2C",
    "ibuprofen": "CC(C)Cc1ccc(cc1)C(C)C(=O)O",
    "paracetamol": "CC(=O)Nc1ccc(O)cc1",
    "sumatriptan": "CNS(=O)(=O)Cc1ccc2[nH]cc(CCN(C)C)c2c1",
    "ergotamine": "C[C@@]1(C(=O)N2[C@H](C(=O)N3CCC[C@H]3[C@@]2(O1)O)CC4=CC=CC=C4)NC(=O)[C@H]5CN([C@@H]6CC7=CNC8=CC=CC(=C78)C6=C5)C",
    "imatinib": "Cc1ccc(NC(=O)c2ccc(CN3CCN(C)CC3)cc2)cc1Nc1nccc(-c2cccnc2)n1",
    "penicillin G": "CC1(C)S[C@@H]2[C@H](NC(=O)Cc3ccccc3)C(=O)N2[C@H]1C(=O)O",
    "morphine": "CN1CC[C@]23c4c5ccc(O)c4O[C@H]2[C@@H](O)C=C[C@H]3[C@H]1C5",
    "atorvastatin": "CC(C)c1c(C(=O)Nc2ccccc2)c(-c2ccccc2)c(-c2ccc(F)cc2)n1CC[C@@H](O)C[C@@H](O)CC(=O)O",
    "erythromycin": "CC[C@@H]1[C@@]([C@@H]([C@H](C(=O)[C@@H](C[C@@]([C@@H]([C@H]([C@@H]([C@H](C(=O)O1)C)O[C@H]2C[C@@]([C@H]([C@@H](O2)C)O)(C)OC)C)O[C@H]3[C@@H]([C@H](C[C@H](O3)C)N(C)C)O)(C)O)C)C)O)(C)O",
    "testosterone": "C[C@]12CC[C@H]3[C@@H](CCC4=CC(=O)CC[C@@]34C)[C@@H]1CC[C@@H]2O",
    "metformin": "CN(C)C(=N)NC(N)=N",
    "bortezomib": "CC(C)C[C@H](NC(=O)[C@H](Cc1ccccc1)NC(=O)c1cnccn1)B(O)O",
    "sildenafil": "CCCc1nn(C)c2c1nc([nH]c2=O)-c1cc(ccc1OCC)S(=O)(=O)N1CCN(C)CC1",
    "neostigmine": "CN(C)C(=O)Oc1cccc([N+](C)(C)C)c1",
    "fingolimod": "CCCCCCCCc1ccc(CCC(N)(CO)CO)cc1",
    "chloramphenicol": "OC[C@@H](NC(=O)C(Cl)Cl)[C@H](O)c1ccc([N+](=O)[O-])cc1",
    "amantadine": "NC12CC3CC(CC(C3)C1)C2",
    "spironolactone": "CC(=O)S[C@@H]1CC2=CC(=O)CC[C@]2(C)[C@@H]2[C@@H]1[C@@H]1CC[C@@]3(CCC(=O)O3)[C@@]1(C)CC2",
}

MASS: dict[str, float] = {
    "aspirin": 180.16,
    "caffeine": 194.19,
    "ibuprofen": 206.28,
    "paracetamol": 151.16,
    "sumatriptan": 295.40,
    "imatinib": 493.6,
    "atorvastatin": 558.6,
    "testosterone": 288.4,
    "sildenafil": 474.6,
}

SURFACE: dict[str, float] = {
    "aspirin": 63.6,
    "ibuprofen": 37.3,
    "paracetamol": 49.3,
    "testosterone": 37.3,
}
