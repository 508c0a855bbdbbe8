"""Two example nodes on top of EmotionListener."""
