"""Does docking work here? The bound pose of the demo target, scored again."""

from __future__ import annotations

from importlib.metadata import version

from discovery.checkup import Check

EXTRA = "pip install 'discovery-workbench[docking]'"


def docking() -> list[Check]:
    """Vina and our own engine on ergotamine as bound to 5-HT1B: they must agree."""
    try:
        import jax

        from docking import demo_target, ligand
        from docking.engines.native import NativeEngine
        from docking.engines.vina import VinaEngine
    except ImportError as error:
        return [
            Check("docking", False, f"{error.name} is not installed" if error.name else str(error), EXTRA)
        ]
    receptor, site = demo_target.receptor(), demo_target.site()
    bound = ligand.of_mol(demo_target.reference())
    pose = VinaEngine().score(receptor, site, bound, bound.coords())
    ok = -20.0 < pose.score < -6.0  # a drug in its own crystal pocket
    ours = NativeEngine().score(receptor, site, bound, bound.coords())
    agree = abs(ours.score - pose.score) <= 2e-3  # Vina prints three decimals
    return [
        Check(
            "docking: native",
            agree,
            f"jax {version('jax')} on {jax.default_backend()}, the same pose {ours.score:.2f} kcal/mol",
            "" if agree else f"{EXTRA} --force-reinstall",
        ),
        Check(
            "docking: vina",
            ok,
            f"vina {version('vina')}, ergotamine as bound to 5-HT1B {pose.score:.2f} kcal/mol",
            "" if ok else f"{EXTRA} --force-reinstall",
        ),
    ]
