"""Molecular dynamics of a pose (OpenMM): parameters, system, simulate, stability, binding_energy."""
