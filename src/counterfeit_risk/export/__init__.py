"""Freezes a trained run into a bundle that scores without torch."""
