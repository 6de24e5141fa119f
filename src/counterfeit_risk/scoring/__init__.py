"""Scores a dump: reader, embedder, scorer, writer, runner. No torch."""
