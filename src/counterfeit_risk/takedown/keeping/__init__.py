"""Copies of the whole queue, and the end of personal data."""
