"""What others say: notices of listings, the rights they rest on, and appeals against decisions."""
