"""Data sets as folders of aligned crops with an index: how they are made, read, counted and drawn from."""
