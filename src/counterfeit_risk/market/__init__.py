"""A synthetic market: invented brands, sellers and photos with known labels."""
