"""Shows why a listing got its risk: photo regions, title words, and which modality spoke."""
