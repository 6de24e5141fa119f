"""Judges predictions: metrics, calibration, risk bands, report. Arrays only; no torch."""
