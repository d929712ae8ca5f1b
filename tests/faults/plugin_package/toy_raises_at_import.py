"""Somebody's plug-in that fails while it is imported."""

raise RuntimeError("the licence server does not answer")
