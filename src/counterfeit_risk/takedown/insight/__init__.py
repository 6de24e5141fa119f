"""What the queue tells of sellers, of reviewers and of what the model misses; reads only."""
