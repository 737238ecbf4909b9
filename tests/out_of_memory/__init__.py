"""Every public call where memory runs out."""
