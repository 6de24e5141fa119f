"""How the market looks: goods, marks, places and photos, drawn; no listing is known here."""
