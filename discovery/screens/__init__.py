"""A library of any size, scored: batch and panel (some rows, all scorers), screening (the door), screened (to be looked at)."""
