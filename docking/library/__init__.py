"""A library file docked into a folder: files (molecules in), run (poses and scores out), parts (who docks which rows),
watching (unattended, whatever a ligand does to its process).
"""
