"""Fits a classifier with Lightning and leaves everything that explains the fit in an MLflow run."""
