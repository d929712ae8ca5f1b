"""Water: solvent (radii and what water sees of an atom), born, neck and born_gradient (implicit, by pairs), water_box (explicit)."""
