"""Turns risks into cases that people decide, and decisions into actions and labels."""
