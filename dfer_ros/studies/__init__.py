"""Many analyses of people as a study: sessions of one person over time, participants, and files for other programs."""
