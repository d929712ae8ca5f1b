"""What a campaign is: one set of models for notebook, script, TOML file and command line.

Nothing here runs anything. An unknown or mistyped key is refused with the file, the
key and the nearest right one; `schema()` is the same models as JSON Schema.
"""

from __future__ import annotations

import difflib
import tomllib
import typing
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from discovery.desirability import Desirability
from discovery.devices import SEED
from discovery.outcome import UserError
from discovery.plugins import complaint


class ConfigError(UserError, ValueError):
    """A configuration cannot be used; the message names the file, the key and what to write."""


def _address(use: object) -> object:
    """A class given in a script -> its address; everything else as it is."""
    if not isinstance(use, type):
        return use
    if "." in use.__qualname__:
        raise ValueError(
            f"{use.__qualname__} stands inside something else; a part stands at the top of a module"
        )
    return f"{use.__module__}:{use.__name__}"


# The name a part is registered by, the address of a class ("my_scorers:Saturation"), or in a script the class.
Use = Annotated[str, BeforeValidator(_address)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TargetConfig(_Part):
    """The protein, and what the campaign hopes to treat."""

    name: str = "unnamed target"
    gene: str = ""
    uniprot: str = ""
    disease: str = ""


class EvidenceConfig(_Part):
    """Where statements about the target come from."""

    use: Use
    settings: dict[str, Any] = Field(default_factory=dict)


class ProposerConfig(_Part):
    """Who proposes molecules, and how many a round."""

    use: Use
    n: Annotated[int, Field(ge=1)] = 100
    settings: dict[str, Any] = Field(default_factory=dict)


class ScorerConfig(_Part):
    """One stage: a scorer, what its number is worth, and who is sent to it.

    Stages run in the order written. `best` sends only the molecules that are best on
    everything scored before; the others' cells say so.
    """

    use: Use
    settings: dict[str, Any] = Field(default_factory=dict)
    desirability: Desirability | None = None  # none: the number is shown and does not count
    weight: Annotated[float, Field(gt=0)] = 1.0
    at_least: float | None = None  # below it, the molecule goes no further
    at_most: float | None = None
    best: Annotated[int, Field(ge=1)] | None = None
    when: Literal["round", "end"] = "round"  # end: once, on the best of all rounds
    workers: Annotated[int, Field(ge=0)] | None = None  # 0: in this process; none: the campaign's
    timeout_s: Annotated[float, Field(gt=0)] = 600.0  # for one molecule
    chunk: Annotated[int, Field(ge=1)] | None = None  # molecules a shard; none: sized by the campaign

    @property
    def decides(self) -> bool:
        """Whether a molecule without this number is out."""
        return bool(self.desirability) or self.at_least is not None or self.at_most is not None


class Campaign(_Part):
    """Propose, score, rank, learn, repeat."""

    name: str = "campaign"
    seed: int = SEED  # of what is proposed; a scorer that draws has its own, so that a score is the same in every campaign
    rounds: Annotated[int, Field(ge=1)] = 1
    workers: Annotated[int, Field(ge=0)] = 2
    target: TargetConfig = TargetConfig()
    evidence: tuple[EvidenceConfig, ...] = ()
    proposers: Annotated[tuple[ProposerConfig, ...], Field(min_length=1)]
    scorers: Annotated[tuple[ScorerConfig, ...], Field(min_length=1)]
    notes: tuple[str, ...] = ()  # said to every reader of the report

    @model_validator(mode="after")
    def _late_stages_come_last(self) -> Campaign:
        late = [stage.when == "end" for stage in self.scorers]
        if late != sorted(late):
            raise ValueError('scorers with when = "end" come after all others')
        if not any(stage.desirability for stage in self.scorers):
            raise ValueError("at least one scorer needs a desirability, or nothing can be ranked")
        return self


def read(path: str | Path) -> Campaign:
    """A TOML (or JSON) file -> Campaign; `path` opens every message.

    Raises
    ------
    ConfigError
        The file is absent, is no TOML, or holds a key or value that does not fit.
    """
    path = Path(path)
    if path.suffix == ".json":
        text = _text_of(path)
        return _checked(lambda: Campaign.model_validate_json(text), str(path))
    return parse(table_of(path), where=str(path))


def table_of(path: Path) -> dict[str, Any]:
    """What a TOML file holds.

    Raises
    ------
    ConfigError
        It is absent, or is no TOML.
    """
    try:
        return tomllib.loads(_text_of(path))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: is a folder; give the file in it") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: is no text in UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error


def parse(data: dict[str, Any], *, where: str = "the campaign") -> Campaign:
    """A plain dictionary -> Campaign.

    Parameters
    ----------
    data : the keys of a campaign's file; `schema()` lists them
    where : opens every message

    Raises
    ------
    ConfigError
        A key or value does not fit; the nearest right key is named.
    """
    return _checked(lambda: Campaign.model_validate(data), where)


def with_overrides(campaign: Campaign, assignments: list[str]) -> Campaign:
    """`["rounds=3", "scorers.2.best=10"]` applied to a campaign; values are TOML values.

    Raises
    ------
    ConfigError
        An assignment that is none, a path that leads nowhere, a value that does not fit.
    """
    data = campaign.model_dump(mode="json", exclude_unset=True)
    for assignment in assignments:
        path, separator, text = assignment.partition("=")
        if not separator:
            raise ConfigError(f"--set {assignment}: write it as key=value, such as rounds=3")
        try:
            value: Any = tomllib.loads(f"value = {text}")["value"]
        except tomllib.TOMLDecodeError:
            value = text  # an unquoted word is a string, as people type it
        _assign(data, path.strip().split("."), value, f"--set {assignment}")
    return parse(data, where="--set " + " ".join(assignments) if assignments else "the campaign")


def _assign(data: Any, keys: list[str], value: Any, what: str) -> None:
    here = data
    for depth, key in enumerate(keys):
        last = depth == len(keys) - 1
        if isinstance(here, list):
            if not key.isdigit() or int(key) >= len(here):
                raise ConfigError(
                    f"{what}: {'.'.join(keys[:depth])} has entries 0 to {len(here) - 1}, not {key}"
                )
            position: Any = int(key)
        elif isinstance(here, dict):
            position = key
            if not last:
                here.setdefault(key, {})
        else:
            raise ConfigError(f"{what}: {'.'.join(keys[:depth])} is a value and holds no {key}")
        if last:
            here[position] = value
        else:
            here = here[position]


def schema() -> dict[str, Any]:
    """The campaign file as JSON Schema."""
    return Campaign.model_json_schema()


def _checked(build: typing.Callable[[], Campaign], where: str) -> Campaign:
    try:
        return build()
    except ValidationError as error:
        problems = error.errors()
        wrong_inside = {problem["loc"][0] for problem in problems if len(problem["loc"]) > 1}
        told = [  # a list whose only entry is wrong is called too short as well
            _explain(problem, where)
            for problem in problems
            if not (problem["type"] == "too_short" and problem["loc"] and problem["loc"][0] in wrong_inside)
        ]
        raise ConfigError("\n".join(told)) from error


def _explain(problem: Any, where: str) -> str:
    loc = problem["loc"]
    dotted = ".".join(str(part) for part in loc)
    if problem["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        known = _keys_at(loc[:-1])
        near = difflib.get_close_matches(str(loc[-1]), known, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        return f"{where}: unknown key {dotted!r}; {hint}"
    if problem["type"] == "missing":
        return f"{where}: {dotted!r} is required and absent"
    if problem["type"] == "too_short" and loc:
        return f"{where}: at least one [[{dotted}]] is needed"
    return f"{where}: {dotted + ': ' if dotted else ''}{complaint(problem)}"


def _keys_at(loc: tuple[int | str, ...]) -> list[str]:
    """The field names at a place in the models, following lists, optionals and dataclasses."""
    here: Any = Campaign
    for part in loc:
        # not a list's entry, into which `_inner` has stepped already, nor a union's branch, which pydantic names too
        if part in (fields := _fields(here)):
            here = _inner(fields[part])
    return list(_fields(here))


def _fields(model: Any) -> dict[str, Any]:
    if isinstance(model, type) and issubclass(model, BaseModel):
        return {name: field.annotation for name, field in model.model_fields.items()}
    try:
        return {name: hint for name, hint in typing.get_type_hints(model).items() if not name.startswith("_")}
    except TypeError:
        return {}


def _inner(annotation: Any) -> Any:
    """tuple[X, ...], X | None, Annotated[X, ...] -> X."""
    for argument in typing.get_args(annotation):
        if argument is not type(None) and (isinstance(argument, type) or typing.get_args(argument)):
            return _inner(argument)
    return annotation
