"""Which partial charge does each atom of a ligand get, and by which method?

AM1-BCC starts from the coordinates given, as the reference programs do, or from a
conformer of its own, found from the canonical order of atoms with a fixed seed, so
that two poses of a molecule share their charges. The graph model (charge_net.py) foretells
what AM1-BCC would say of an outstretched conformer, in milliseconds. The method stands beside every number
that was computed with them.

References
----------
.. [1] Jakalian, Bush, Jack, Bayly, J. Comput. Chem. 21, 132 (2000),
   doi 10.1002/(SICI)1096-987X(20000130)21:2<132::AID-JCC5>3.0.CO;2-P: AM1-BCC.
.. [2] Gasteiger, Marsili, Tetrahedron 36, 3219 (1980), doi 10.1016/0040-4020(80)80168-2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdDistGeom, rdForceFieldHelpers, rdPartialCharges

from discovery.molecule import quiet_rdkit
from discovery.outcome import MoleculeError, Reason
from docking.dynamics.parameters.am1 import Am1Failed, Mopac
from docking.dynamics.parameters.bcc import bond_charge_corrections
from docking.dynamics.parameters.charge_graph import graph_of
from docking.dynamics.parameters.charge_net import charges as net_charges
from docking.dynamics.parameters.charge_net import digest, members
from docking.dynamics.parameters.resonance import classes
from docking.dynamics.parameters.smirnoff import checked
from docking.dynamics.terms import Floats, Ints
from docking.receptor import DockingError

SEED = 20021  # of the conformers; the same for every molecule, in every process
CONFORMERS = 10
LOOSE = 10.0  # to ELF10 on 26 large solutes of FreeSolv 0.0018 e, at 20 and 60 times 0.0026 and 0.0046; at 3 0.0015


@dataclass(frozen=True, slots=True, eq=False)
class Charges:
    """Partial charges with the method that made them."""

    values: Floats  # [atom], e, in the molecule's atom order
    method: str  # one of METHODS, or the name of a set passed in
    note: str = ""  # why it is not the method that was asked for


Method = Callable[[Chem.Mol, str], Charges]


def am1_bcc(
    mol: Chem.Mol,
    name: str = "the ligand",
    *,
    start: Literal["given", "own"] = "given",
    relax: bool = True,
    mopac: Mopac | None = None,
) -> Charges:
    """AM1 population charges at the AM1 minimum, corrected bond by bond.

    Parameters
    ----------
    mol
        All hydrogens explicit.
    start
        Which conformer AM1 relaxes: the molecule's, or one independent of it.
    relax
        Off, AM1 looks at the conformer as MMFF94 relaxes it: a hundredth of the time,
        and some 0.01 e off.
    mopac
        A running process to ask; one is started for this molecule if not given.

    Raises
    ------
    MoleculeError
        UNPREPARED or UNSUPPORTED: no conformer, a bond without a published correction,
        or MOPAC's refusal.
    """
    whole = checked(mol, name)
    shift = bond_charge_corrections(whole, name)
    if start == "given" and whole.GetNumConformers():
        xyz = whole.GetConformer().GetPositions()
    else:
        xyz = extended_conformer(whole, name)
    if not relax:
        xyz = _mmff_minimum(whole, xyz)
    found = _am1(whole, xyz, name, mopac, relax=relax)
    return Charges(symmetrised(whole, found + shift), "am1-bcc" if relax else "am1-bcc, unrelaxed")


def _am1(
    whole: Chem.Mol,
    xyz: Floats,
    name: str,
    mopac: Mopac | None,
    *,
    relax: bool = True,
    tolerance: float = 1.0,
) -> Floats:
    """[atom] AM1 charges, e; a MOPAC started here is ended here."""
    numbers = np.array([atom.GetAtomicNum() for atom in whole.GetAtoms()], dtype=np.int64)
    asked = mopac or Mopac()
    try:
        found, _ = asked.charges(numbers, xyz, Chem.GetFormalCharge(whole), relax=relax, tolerance=tolerance)
    except Am1Failed as error:
        raise MoleculeError(Reason.UNPREPARED, f"{name} has no AM1 charges: {error}") from error
    finally:
        if mopac is None:
            asked.close()
    return found


def am1_bcc_elf(
    mol: Chem.Mol,
    name: str = "the ligand",
    *,
    mopac: Mopac | None = None,
    conformers: int = CONFORMERS,
    loose: float = LOOSE,
) -> Charges:
    """AM1-BCC at one outstretched conformer, loosely relaxed: no pose shows in it.

    Of several conformers the one is taken whose charges, all made positive, lie furthest
    apart [1]_, so that no inner hydrogen bond or salt bridge is held. AM1 relaxes it
    `loose` times less tightly than MOPAC would by itself: a fraction of the time, and
    further relaxing leads away from the conformer that was chosen.

    Raises
    ------
    MoleculeError
        As `am1_bcc`.

    References
    ----------
    .. [1] OpenEye's ELF conformers (electrostatically least-interacting functional groups), of which
       the reference takes ten: https://docs.eyesopen.com/toolkits/python/quacpactk/molchargetheory.html
    """
    whole = checked(mol, name)
    shift = bond_charge_corrections(whole, name)
    xyz = outstretched_conformer(whole, name, conformers)
    found = _am1(whole, xyz, name, mopac, tolerance=loose)
    return Charges(symmetrised(whole, found + shift), "am1-bcc-elf")


def graph_charges(mol: Chem.Mol, name: str = "the ligand") -> Charges:
    """AM1-BCC charges as a network on the molecule's graph foretells them: milliseconds, no conformer.

    Equal for every pose, drawing and order of the atoms.

    Raises
    ------
    MoleculeError
        UNSUPPORTED: an element that the network was never shown, a lone atom.
    """
    whole = checked(mol, name)
    graph = graph_of(whole, name)
    values = np.mean([net_charges(weights, graph) for weights in members()], axis=0).astype(np.float64)
    values += (Chem.GetFormalCharge(whole) - values.sum()) / len(values)  # rounding, some 1e-7 e
    return Charges(_shared(values, graph.same), "graph")


def gasteiger(mol: Chem.Mol, name: str = "the ligand") -> Charges:
    """Gasteiger's charges: instant, defined for nearly everything, far cruder than AM1-BCC.

    Raises
    ------
    MoleculeError
        UNSUPPORTED if an element is not in the table.
    """
    whole = Chem.Mol(checked(mol, name))
    rdPartialCharges.ComputeGasteigerCharges(whole)
    values = np.array([float(atom.GetProp("_GasteigerCharge")) for atom in whole.GetAtoms()])
    if not np.isfinite(values).all():
        unknown = [whole.GetAtomWithIdx(int(i)) for i in np.flatnonzero(~np.isfinite(values))]
        worst = max(unknown, key=lambda atom: atom.GetAtomicNum())  # its neighbours have none either
        raise MoleculeError(
            Reason.UNSUPPORTED, f"{name} has no Gasteiger charge for {worst.GetSymbol()}{worst.GetIdx() + 1}"
        )
    values += (Chem.GetFormalCharge(whole) - values.sum()) / len(values)
    return Charges(symmetrised(whole, values), "gasteiger")


def with_fallback(first: Method, *others: Method) -> Method:
    """A method that tries each in turn, and says in its note why it is not the first."""

    def charged(mol: Chem.Mol, name: str = "the ligand") -> Charges:
        said = []
        for method in (first, *others):
            try:
                found = method(mol, name)
            except MoleculeError as error:
                said.append(str(error))
                continue
            return replace(found, note=f"charges by {found.method}: {'; '.join(said)}" if said else "")
        raise MoleculeError(Reason.UNPREPARED, "; ".join(said))

    return charged


METHODS = ("graph", "am1-bcc", "am1-bcc-elf", "am1-bcc-unrelaxed", "gasteiger")


def method(name: str) -> Method:
    """A charge method by its name, with its stated fallbacks: AM1 for the graph, the graph for AM1, then Gasteiger.

    Raises
    ------
    DockingError
        Unknown; names those that are known.
    """
    quantum: dict[str, Method] = {
        "am1-bcc": am1_bcc,
        "am1-bcc-elf": am1_bcc_elf,
        "am1-bcc-unrelaxed": partial(am1_bcc, relax=False),
    }
    if name == "graph":
        return with_fallback(graph_charges, am1_bcc_elf, gasteiger)
    if name in quantum:
        return with_fallback(quantum[name], graph_charges, gasteiger)
    if name == "gasteiger":
        return gasteiger
    raise DockingError(f"charges must be one of {', '.join(METHODS)}, not {name!r}")


def recorded(name: str) -> dict[str, str]:
    """What a run's settings say of its charges: the method, and the graph's weights where they may come to be asked.

    A run that went on with other weights would hold charges of two kinds under one name. A set that is
    none of METHODS is told by its name.
    """
    asks = name in METHODS and name != "gasteiger"
    return {"charges": name, **({"charge_weights": digest()[:12]} if asks else {})}


def _mmff_minimum(mol: Chem.Mol, xyz: Floats) -> Floats:
    """The nearest MMFF94 minimum, [atom, 3] Å; the coordinates given where MMFF94 has no type."""
    copy = Chem.Mol(mol)
    copy.RemoveAllConformers()
    conformer = Chem.Conformer(copy.GetNumAtoms())
    for i, point in enumerate(np.asarray(xyz, dtype=float).tolist()):
        conformer.SetAtomPosition(i, point)
    copy.AddConformer(conformer)
    with quiet_rdkit():
        rdForceFieldHelpers.MMFFOptimizeMolecule(copy, maxIters=500)
    return np.asarray(copy.GetConformer().GetPositions())


def extended_conformer(mol: Chem.Mol, name: str = "the ligand") -> Floats:
    """A conformer whose charged ends do not touch, the same for any order of the atoms.

    The most stable of several conformers relaxed with electrostatics switched off: an
    inner hydrogen bond or salt bridge would show in the charges.

    Returns
    -------
    [atom, 3], Å, in the molecule's order

    Raises
    ------
    MoleculeError
        NO_CONFORMER.
    """
    order, copy, found, energies = _relaxed_apart(mol, name)
    best = copy.GetConformer(found[int(np.argmin(np.round(energies, 3)))]).GetPositions()
    return _reordered(best, order)


def outstretched_conformer(mol: Chem.Mol, name: str = "the ligand", conformers: int = CONFORMERS) -> Floats:
    """Of several conformers the one whose charges, all made positive, repel least.

    Returns
    -------
    [atom, 3], Å, in the molecule's order

    Raises
    ------
    MoleculeError
        NO_CONFORMER.
    """
    order, copy, found, _ = _relaxed_apart(mol, name, conformers)
    rdPartialCharges.ComputeGasteigerCharges(copy)
    size = np.abs(np.nan_to_num([float(a.GetProp("_GasteigerCharge")) for a in copy.GetAtoms()]))
    pairs = np.outer(size, size) * (Chem.GetDistanceMatrix(copy) > 2)
    repulsion = []
    for index in found:
        xyz = copy.GetConformer(index).GetPositions()
        gaps = np.linalg.norm(xyz[:, None] - xyz[None], axis=-1) + np.eye(len(xyz))
        repulsion.append(float((pairs / gaps).sum()))
    best = copy.GetConformer(found[int(np.argmin(np.round(repulsion, 4)))]).GetPositions()
    return _reordered(best, order)


def _reordered(best: Floats, order: Ints) -> Floats:
    answer: Floats = np.empty_like(best)
    answer[order] = best
    return answer


def _relaxed_apart(
    mol: Chem.Mol, name: str, conformers: int = CONFORMERS
) -> tuple[Ints, Chem.Mol, list[int], Floats]:
    """Conformers of the molecule in canonical order, relaxed with electrostatics switched off.

    Returns
    -------
    order : [atom], the molecule's index of each atom of the copy
    copy
        With its conformers.
    ids : list of int
        Of the conformers.
    energies : [conformer], kcal/mol
    """
    ranks = np.array(list(Chem.CanonicalRankAtoms(mol, breakTies=True)))
    order = np.argsort(ranks)
    copy = Chem.RenumberAtoms(mol, [int(i) for i in order])
    copy.RemoveAllConformers()
    Chem.SanitizeMol(copy)
    with quiet_rdkit():
        found = list(rdDistGeom.EmbedMultipleConfs(copy, conformers, randomSeed=SEED))
        if not found:
            found = list(
                rdDistGeom.EmbedMultipleConfs(copy, conformers, randomSeed=SEED, useRandomCoords=True)
            )
        if not found:
            raise MoleculeError(
                Reason.NO_CONFORMER,
                f"{name}: no 3-D structure could be built for the charges; check its stereo marks",
            )
        properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(copy)
        if properties is None:
            relaxed = rdForceFieldHelpers.UFFOptimizeMoleculeConfs(copy, maxIters=500)
        else:
            properties.SetMMFFEleTerm(False)
            relaxed = []
            for index in found:
                field = rdForceFieldHelpers.MMFFGetMoleculeForceField(copy, properties, confId=index)
                field.Initialize()
                relaxed.append((field.Minimize(maxIts=500), field.CalcEnergy()))
    return order, copy, found, np.array([energy for _, energy in relaxed])


def symmetrised(mol: Chem.Mol, charges: Floats) -> Floats:
    """Atoms that only the drawing tells apart (a carboxylate's oxygens) share their mean charge.

    Parameters
    ----------
    charges : [atom], e
    """
    return _shared(charges, classes(mol))


def _shared(charges: Floats, same: Ints) -> Floats:
    total = np.bincount(same, weights=charges)
    count = np.bincount(same)
    return np.asarray(total[same] / count[same])
