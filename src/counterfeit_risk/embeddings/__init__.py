"""What training and scoring share to turn content into tower inputs the same way. No torch."""
