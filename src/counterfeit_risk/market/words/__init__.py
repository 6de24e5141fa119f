"""How the market speaks: names, titles and their disguises in four languages; no label is known here."""
