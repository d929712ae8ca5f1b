"""Tests of docking/dynamics, one file a room."""
