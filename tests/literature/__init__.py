"""Tests of literature/, one file a room."""
