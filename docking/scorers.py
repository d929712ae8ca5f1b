"""How strongly does docking say that a molecule binds? The door to campaigns.

Ligand, search, plausibility and contacts are other rooms' work; here they become
one number per molecule with its pose, or the reason why there is none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from discovery.devices import SEED
from discovery.molecule import Molecule
from discovery.outcome import Missing, MoleculeError, Reason, each
from discovery.plugins import settle
from discovery.score import Column, Score
from docking import demo_target, pockets, preparation, restraints
from docking.dock import STAGE, Docked, build_engine, dock
from docking.engines.engine import Engine
from docking.interactions import contacts
from docking.plausibility import Verdict, check
from docking.pose import Pose, reference_block
from docking.protein.fetch import RCSB, located
from docking.receptor import DockingError, Receptor
from docking.site import MARGIN, Site

DEMO = f"demo:{demo_target.NAME}"


@dataclass(frozen=True)
class DockingScore:
    """Docks every molecule and scores it by its best plausible pose: by its energy, or by how well it fits.

    `value = "fit"` takes the pose that rescoring puts first, and for its score the log-odds that
    the rescoring's weights give it by itself. They were learned to choose poses; of the targets of
    RESULTS.md (enrichment) some have their actives earlier by fit, others by energy. Its numbers
    compare molecules in one site.

    The site is one of: `around` a ligand file, `center` and `size`, `residues`, or a
    found `pocket`; the demo target brings its own. Wishes about poses (`restrain`, `like`)
    are for the native engine: they steer where a molecule lies and which of its poses
    counts, the score stays the scoring function's.

    Parameters
    ----------
    receptor : a PDB, mmCIF or PDBQT file, pdb:4IAR to fetch an entry, or the demo target
    around : a bound ligand's SDF, MOL2, PDB or PDBQT, or its name in the receptor's own file: XK2 or A:XK2263
    center, size : Å
        Of the box; its edges' full lengths.
    residues : such as ["A:ASP129"]
    pocket : rank of the receptor's own pocket, 1 the likeliest; see pockets.py
    margin : Å about the ligand or the residues
    engine, engine_settings : the name it is registered by, and its own settings
    exhaustiveness : for vina and engines that have it; the engine's own when not given
    n_poses : most poses kept of a molecule
    seed : the same seed gives the same poses
    ph : at which the receptor and the molecules are protonated
    isomers : docked per molecule, where stereo centres are open
    tautomers : docked per molecule, the drawn one first
    rings : most ring shapes docked per isomer; 0 for three, six of a macrocycle
    restrain : a TOML file of distances, places, cores and likeness; see restraints.py
    like : an SDF of a known ligand whose likeness is sought
    require_plausible : a molecule without a plausible pose has no score, however good the energy
    value : "energy", kcal/mol, lower is better; or "fit", log-odds, higher is better
    chains, keep, drop, protonation : of the receptor, as `docking.preparation.prepare`
    name : of the column

    Raises
    ------
    DockingError
        Settings that contradict each other. That a file cannot be used is said when the first molecule is docked.
    """

    receptor: str = DEMO
    around: str = ""
    center: tuple[float, float, float] | None = None
    size: tuple[float, float, float] | None = None
    residues: tuple[str, ...] = ()
    pocket: int = 0
    margin: float = MARGIN
    engine: str = "native"
    exhaustiveness: int | None = None
    engine_settings: Mapping[str, Any] = field(default_factory=dict)
    n_poses: int = 9
    seed: int = SEED
    ph: float = preparation.PH
    isomers: int = 1
    tautomers: int = 1
    rings: int = 0
    restrain: str = ""
    like: str = ""
    require_plausible: bool = True
    value: Literal["energy", "fit"] = "energy"
    chains: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    protonation: Mapping[str, str] = field(default_factory=dict)
    name: str = "docking"

    def __post_init__(self) -> None:
        settle(self)
        if min(self.n_poses, self.isomers, self.tautomers) < 1:
            raise DockingError(
                f"n_poses ({self.n_poses}), isomers ({self.isomers}) and tautomers ({self.tautomers}) "
                "must be at least 1"
            )
        if self.pocket < 0 or self.rings < 0:
            raise DockingError(
                f"pocket ({self.pocket}) and rings ({self.rings}) count from 1; 0 leaves them out"
            )
        if self.value not in ("energy", "fit"):
            raise DockingError(f"value is energy or fit, not {self.value!r}")
        if self.value == "fit" and (self.restrain or self.like):
            raise DockingError(
                "value = 'fit' was learned from ligands left alone; leave restrain and like out, or value"
            )
        if (self.restrain or self.like) and self.engine != "native":
            raise DockingError(f"restrain and like need engine = 'native', not {self.engine!r}")
        if (self.center is None) != (self.size is None):
            raise DockingError("center and size go together: a box needs both, in Å")
        sites = [bool(self.around), self.center is not None, bool(self.residues), bool(self.pocket)]
        if sum(sites) > 1:
            raise DockingError(
                "give one of: around, center with size, residues, pocket; they say different things"
            )
        if not any(sites) and not self.receptor.startswith("demo:"):
            raise DockingError(f"where on {self.receptor}? give around, center with size, residues or pocket")
        if self.receptor.startswith("demo:") and self.receptor != DEMO:
            raise DockingError(f"there is no demo target {self.receptor!r}; there is {DEMO!r}")
        if self.receptor == DEMO and (self.chains or self.keep or self.drop or self.protonation):
            raise DockingError(
                "the demo target is prepared already; chains, keep, drop and protonation are for files"
            )

    @property
    def bound(self) -> bool:
        """Is `around` a ligand that the receptor's own file holds, and no file of its own?"""
        prepared = self.receptor.lower().removesuffix(".gz").endswith(".pdbqt")
        name = bool(self.around) and not Path(self.around).suffix and not Path(self.around).exists()
        return name and not prepared and self.receptor != DEMO

    @property
    def column(self) -> Column:
        if self.value == "fit":
            return Column(
                self.name,
                unit="log-odds",
                better="high",
                title="Docking fit",
                about=f"how much the likeliest plausible pose by {self.engine} looks like one of a crystal; compares molecules in one site",
            )
        return Column(
            self.name,
            unit="kcal/mol",
            better="low",
            title="Docking score",
            about=f"score of the best plausible pose by {self.engine}; an estimate for ranking, no binding free energy",
        )

    @property
    def network(self) -> tuple[str, ...]:
        """What a run would fetch, for those who plan one."""
        return (f"{self.receptor} from {RCSB}",) if self.receptor.startswith("pdb:") else ()

    def __call__(self, molecules: Sequence[Molecule], /) -> Sequence[Score | Missing]:
        """One outcome per molecule, in the order given; none depends on the others."""
        receptor, site, engine = self.target(), self.site(), self.build_engine()
        docked = dock(
            receptor, site, molecules, engine=engine, seed=self.seed, n_poses=self.n_poses,
            ph=self.ph, isomers=self.isomers, tautomers=self.tautomers, rings=self.rings,
            rank_by="score" if self.value == "energy" else "rescoring",
        )  # fmt: skip
        return each(STAGE, lambda one: self._judged(one, receptor, site), docked)

    def target(self) -> Receptor:
        """The prepared receptor: prepared once per process.

        Raises
        ------
        ReceptorError
            The file cannot be used; the message says why.
        """
        if self.receptor == DEMO:
            return demo_target.receptor()
        path = located(self.receptor)
        seal = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        return _prepared(
            str(path),
            seal,
            self.ph,
            self.chains,
            self.keep,
            self.drop,
            tuple(sorted(self.protonation.items())),
        )

    def site(self) -> Site:
        """The box.

        Raises
        ------
        ReceptorError
            The box cannot be; the message says why.
        """
        if self.bound:
            return Site.around_bound(located(self.receptor), self.around, self.margin)
        if self.around:
            return Site.around_file(self.around, self.margin)
        if self.center is not None and self.size is not None:
            return Site(self.center, self.size)
        if self.residues:
            return Site.of_residues(self.target(), self.residues, self.margin)
        if self.pocket:
            return pockets.pocket(self.target(), self.pocket).site()
        return demo_target.site()

    def build_engine(self) -> Engine:
        """The engine by its registered name.

        Raises
        ------
        PluginError
            It is unknown, does not load or refuses a setting.
        DockingError
            A restraint file cannot be read; the message says why.
        """
        settings = dict(self.engine_settings)
        if self.exhaustiveness is not None:
            settings["exhaustiveness"] = self.exhaustiveness
        wishes = restraints.read(self.restrain, self.target()) if self.restrain else ()
        if self.like:
            wishes = (*wishes, restraints.Like(reference_block(self.like)))
        if wishes:
            settings["restraints"] = wishes
        return build_engine(self.engine, settings)

    def context(self) -> dict[str, str]:
        """What a report shows beside the poses: the receptor, and a known ligand where there is one."""
        reference = ""
        if self.receptor == DEMO:
            reference = demo_target.reference_block() + "\n$$$$\n"
        elif self.around.lower().endswith((".sdf", ".mol")):
            text = Path(self.around).read_text(
                encoding="utf-8", errors="replace"
            )  # shown, however it is drawn
            reference = text.split("$$$$")[0].rstrip() + "\n$$$$\n"
        return {"receptor_pdb": self.target().pdb, "reference_sdf": reference}

    def _judged(self, docked: Docked, receptor: Receptor, site: Site) -> Score:
        ranked = docked.poses  # best first
        if self.value == "fit" and not docked.fit:
            raise DockingError("value = 'fit' needs ligands left alone in a rigid receptor; leave value out")
        verdicts: list[Verdict] = []
        for pose in ranked:  # judged best first, and no further than the first plausible one
            verdicts.append(check(pose, receptor, site))
            if verdicts[-1].plausible:
                break
        chosen = len(verdicts) - 1
        if not verdicts[chosen].plausible:
            if self.require_plausible:
                raise MoleculeError(
                    Reason.NO_PLAUSIBLE_POSE,
                    f"{ranked[0].ligand.molecule.shown}: none of {len(ranked)} poses is plausible; the best, "
                    f"{ranked[0].score:.1f} kcal/mol, fails since {'; '.join(verdicts[0].reasons)}",
                )
            chosen = 0
        pose, verdict = ranked[chosen], verdicts[chosen]
        details = _details(pose, verdict, ranked, chosen, receptor)
        if self.value == "fit":
            return Score(docked.fit[chosen], details={**details, "score": round(pose.score, 3)})
        return Score(pose.score, details=details)


def _details(
    pose: Pose, verdict: Verdict, ranked: Sequence[Pose], chosen: int, receptor: Receptor
) -> dict[str, Any]:
    """Plain JSON values for tables, views and the report."""
    heavy = pose.mol().GetNumHeavyAtoms()
    found = contacts(pose, receptor)
    return {
        "pose": pose.sdf(),
        "poses": [round(other.score, 3) for other in ranked],
        "pose_rank": chosen + 1,
        "terms": dict(pose.terms),
        "plausibility": {
            "plausible": verdict.plausible,
            "failed": list(verdict.failed),
            "measured": {name: round(value, 4) for name, value in verdict.measured.items()},
        },
        "interactions": [contact.plain() for contact in found],
        "torsions": pose.ligand.torsions,
        "species": pose.ligand.smiles,
        "notes": list(pose.ligand.notes),
        "engine": pose.engine,
        "efficiency": round(pose.score / heavy, 4),  # kcal/mol per heavy atom
        "receptor": receptor.name,
        "receptor_digest": receptor.digest,
    }


@lru_cache(maxsize=4)
def _prepared(
    path: str,
    seal: str,  # sha256 of the file: a changed file is prepared anew
    ph: float,
    chains: tuple[str, ...],
    keep: tuple[str, ...],
    drop: tuple[str, ...],
    protonation: tuple[tuple[str, str], ...],
) -> Receptor:
    return preparation.prepare(
        path, ph=ph, chains=chains, keep=keep, drop=drop, protonation=dict(protonation)
    )
