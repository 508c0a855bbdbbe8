"""Three example nodes on top of EmotionListener."""
