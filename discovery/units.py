"""The units that public doors speak, and the constants that turn others into them."""

from __future__ import annotations

KCAL_PER_KJ = 1.0 / 4.184  # thermochemical calorie, exact by definition
GAS_CONSTANT = 0.00198720425864083  # kcal/mol/K; CODATA 2018, exact since the 2019 SI
