"""Does molecular dynamics work here? Forces on every platform against the double-precision one."""

from __future__ import annotations

from typing import Any

from discovery.checkup import Check

EXTRA = "pip install --force-reinstall 'discovery-workbench[dynamics]'"
_SMILES = "CC(=O)Nc1ccc(O)cc1"  # acetaminophen
_AGREE = 1e-4  # of the root mean square force: single precision gives 1e-6 to 1e-5


def dynamics() -> list[Check]:
    """Acetaminophen's forces by platform, and its AM1-BCC charges."""
    try:
        from docking.dynamics import platform
    except ImportError as error:
        return [Check("dynamics", False, str(error), "pip install 'discovery-workbench[dynamics]'")]
    return [*(_forces(name) for name in platform.available() if name != "Reference"), _charges()]


def _forces(name: str) -> Check:
    import numpy as np
    import openmm

    from docking.dynamics.parameters.charges import gasteiger
    from docking.dynamics.parameters.sage import force_field
    from docking.dynamics.parameters.smirnoff import ligand_terms
    from docking.dynamics.platform import Device, context
    from docking.dynamics.system import system_of

    mol = _molecule()
    terms = ligand_terms(mol, gasteiger(mol).values, force_field())
    forces = []
    for platform in ("Reference", name):
        try:
            ctx = context(system_of(terms), openmm.VerletIntegrator(0.001), Device(platform))
        except openmm.OpenMMException as error:
            fix = EXTRA
            if "UNSUPPORTED_PTX" in str(error):
                fix = "pip install 'nvidia-cuda-nvrtc<=YOUR DRIVER'S CUDA VERSION' (nvidia-smi shows it)"
            return Check(f"dynamics: {platform}", False, str(error).splitlines()[0], fix)
        ctx.setPositions(mol.GetConformer().GetPositions() / 10.0)
        forces.append(np.asarray(ctx.getState(getForces=True).getForces(asNumpy=True)._value))
    scale = float(np.sqrt(np.square(forces[0]).mean()))
    worst = float(np.abs(forces[0] - forces[1]).max()) / scale
    return Check(
        f"dynamics: {name}",
        worst < _AGREE,
        f"OpenMM {openmm.version.version}, forces agree with the Reference platform to {worst:.1e} of their size",
        "" if worst < _AGREE else EXTRA,
    )


def _charges() -> Check:
    from docking.dynamics.parameters.charges import am1_bcc

    try:
        found = am1_bcc(_molecule())
    except (ImportError, ValueError) as error:
        return Check("dynamics: charges", False, str(error), EXTRA)
    ok = -0.75 < float(found.values.min()) < -0.45  # an amide or phenol oxygen
    return Check(
        "dynamics: charges",
        ok,
        f"AM1-BCC through MOPAC, lowest {found.values.min():.3f} e",
        "" if ok else EXTRA,
    )


def _molecule() -> Any:
    from rdkit import Chem
    from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

    mol = Chem.AddHs(Chem.MolFromSmiles(_SMILES))
    rdDistGeom.EmbedMolecule(mol, randomSeed=7)
    rdForceFieldHelpers.MMFFOptimizeMolecule(mol)
    return mol
