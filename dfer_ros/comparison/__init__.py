"""Two answers to one recording, and what changed between them."""
