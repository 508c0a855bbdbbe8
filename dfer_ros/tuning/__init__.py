"""Which input size an encoder should have on this computer."""
