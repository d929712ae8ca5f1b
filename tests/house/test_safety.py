"""A static scan of the four packages: nothing that runs somebody else's bytes as code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("discovery", "generative", "docking", "literature")

FORBIDDEN_MODULES = ("pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve")
FORBIDDEN_NAMES = ("eval", "exec", "compile")
FORBIDDEN_CALLS = ("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput")
SETTLED = {  # a word that must be there, and its only right value
    "torch.load": ("weights_only", True),
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
    "tarfile.extractall": ("filter", "data"),
}


def complaints(source: str, name: str) -> list[str]:
    """What a file does that it must not, each as 'name:line what'."""
    found: list[str] = []
    tree = ast.parse(source)
    known = aliases(tree)

    def say(node: ast.AST, what: str) -> None:
        found.append(f"{name}:{getattr(node, 'lineno', 0)} {what}")

    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            )
            for module in modules:
                if module.split(".")[0] in FORBIDDEN_MODULES:
                    say(node, f"imports {module}")
        if not isinstance(node, ast.Call):
            continue
        called = full_name(node.func, known)
        words = {word.arg: word.value for word in node.keywords}
        if called in FORBIDDEN_NAMES or called in FORBIDDEN_CALLS:
            say(node, f"calls {called}")
        if called.startswith("yaml.") and called.split(".")[-1] in (
            "load",
            "load_all",
            "unsafe_load",
            "full_load",
        ):
            say(node, f"calls {called}")
        if constant(words.get("shell")) is True or (
            words.get("shell") is not None and constant(words["shell"]) is None
        ):
            say(node, "runs a shell")
        if constant(words.get("verify")) is False:
            say(node, "does not verify a certificate")
        if constant(words.get("allow_pickle")) is True:
            say(node, "allows pickles")
        if called in SETTLED and constant(words.get(SETTLED[called][0])) != SETTLED[called][1]:
            say(node, f"{called} without {SETTLED[called][0]}={SETTLED[called][1]!r}")
        if called.endswith((".read_pickle", ".to_pickle", ".ToBinary", "_create_unverified_context")):
            say(node, f"calls {called}")
        if called in ("rdkit.Chem.Mol", "Chem.Mol") and node.args and looks_like_bytes(node.args[0]):
            say(node, "builds a molecule from bytes")
    return found


def aliases(tree: ast.AST) -> dict[str, str]:
    """What `import a.b as c` and `from a import b as c` make of a name."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            known.update({alias.asname: alias.name for alias in node.names if alias.asname})
        elif isinstance(node, ast.ImportFrom) and node.module:
            known.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return known


def full_name(node: ast.expr, known: dict[str, str]) -> str:
    if isinstance(node, ast.Name):
        return known.get(node.id, node.id).removeprefix("builtins.")
    if isinstance(node, ast.Attribute):
        return f"{full_name(node.value, known)}.{node.attr}".removeprefix("builtins.")
    return "?"


def constant(node: ast.expr | None) -> object:
    return node.value if isinstance(node, ast.Constant) else None


def looks_like_bytes(node: ast.expr) -> bool:
    """A bytes literal, something read from a file, or a name that says so."""
    if isinstance(node, ast.Constant):
        return isinstance(node.value, bytes)
    text = ast.unparse(node).lower()
    return any(
        word in text for word in ("read_bytes", ".read(", "bytes", "binary", "blob", "pickle", "b64decode")
    )


BAD = [
    "import pickle",
    "from joblib import load",
    "import torch\ntorch.load('w.pt')",
    "import torch as t\nt.load('w.pt', weights_only=False)",
    "from torch import load\nload('w.pt')",
    "import numpy as np\nnp.load('a.npy', allow_pickle=True)",
    "import numpy as np\nnp.load('a.npz')",
    "import yaml\nyaml.load(text)",
    "eval(text)",
    "exec(text)",
    "import builtins\nbuiltins.eval(text)",
    "import subprocess\nsubprocess.run(text, shell=True)",
    "import subprocess\nsubprocess.run(text, shell=flag)",
    "import os\nos.system(text)",
    "import requests\nrequests.get(url, verify=False)",
    "from rdkit import Chem\nChem.Mol(path.read_bytes())",
    "from rdkit.Chem import Mol\nMol(blob)",
    "mol.ToBinary()",
    "import pandas as pd\npd.read_pickle(path)",
]
GOOD = [
    "import torch\ntorch.load('w.pt', weights_only=True)",
    "import numpy as np\nnp.load('a.npz', allow_pickle=False)",
    "import yaml\nyaml.safe_load(text)",
    "import ast\nast.literal_eval(text)",
    "model.eval()",
    "import subprocess\nsubprocess.run(['vina', path], shell=False)",
    "from rdkit import Chem\nChem.Mol(mol)",
    "import re\nre.compile('a')",
]


@pytest.mark.parametrize("source", BAD)
def test_the_scan_sees(source: str) -> None:
    assert complaints(source, "bad.py")


@pytest.mark.parametrize("source", GOOD)
def test_the_scan_lets_pass(source: str) -> None:
    assert complaints(source, "good.py") == []


def test_the_packages_are_clean() -> None:
    paths = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    assert len(paths) > 20
    found = [
        complaint
        for path in paths
        for complaint in complaints(path.read_text(encoding="utf-8"), str(path.relative_to(ROOT)))
    ]
    assert found == []
