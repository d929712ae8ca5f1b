"""Can it be made: reactions and stock (what a chemist has), plan (a route to a molecule), assembly (molecules from the
shelf), scorer and cli (the doors).
"""
