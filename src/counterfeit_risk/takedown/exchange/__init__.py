"""What brands and authorities are given, and what brands send back."""
