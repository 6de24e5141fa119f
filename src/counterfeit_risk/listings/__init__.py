"""What sellers publish: listings, their photos and titles, and the splits that keep an evaluation honest."""
