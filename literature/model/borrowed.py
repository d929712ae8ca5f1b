"""How is a model of somebody else read, as the Hugging Face libraries keep it?

From a folder, or by the name of one that is already on this machine. Nothing is fetched
from the network unless `download=True`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from discovery.extras import needs
from discovery.outcome import UserError

_TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "spiece.model", "sentencepiece.bpe.model")


class ModelError(UserError, ValueError):
    """A model cannot be used; the message names it, what is wrong and what to do."""


def borrowed(
    name: str,
    kind: Literal[
        "AutoModel",
        "AutoModelForTokenClassification",
        "AutoModelForSequenceClassification",
        "AutoModelForCausalLM",
    ],
    *,
    download: bool = False,
) -> tuple[Any, Any]:
    """The network, ready to read, and the tokenizer of a model.

    Parameters
    ----------
    name
        A folder, or a name on the hub.
    kind
        The class of the transformers library.

    Raises
    ------
    ImportError
        The extra is not installed.
    ModelError
        The model cannot be read.
    """
    with needs("literature"):
        import transformers
        from safetensors import SafetensorError
    folder = Path(name)
    if folder.is_dir() or name.startswith((".", "/")):
        # Without its own, the library makes up an empty tokenizer.
        there = {file.name for file in folder.glob("*")}
        if "config.json" not in there or there.isdisjoint(_TOKENIZERS):
            raise ModelError(
                f"{name} is no folder of a model: config.json, model.safetensors and tokenizer.json belong there, "
                f"and it holds {', '.join(sorted(there)) or 'nothing'}"
            )
    here = not download
    try:
        cutter = transformers.AutoTokenizer.from_pretrained(name, local_files_only=here)
        network = getattr(transformers, kind).from_pretrained(
            name, local_files_only=here, use_safetensors=True
        )
    except (OSError, ValueError, SafetensorError) as error:
        raise ModelError(
            f"the model {name!r} cannot be read: {str(error).splitlines()[0]}. Name a folder with config.json, "
            "tokenizer.json and model.safetensors; EncoderTagger and RelationReader fetch a name from the hub with "
            "download=True"
        ) from error
    return network.eval(), cutter
