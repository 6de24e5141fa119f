"""Runs and registry in MLflow. The only room that imports mlflow."""
