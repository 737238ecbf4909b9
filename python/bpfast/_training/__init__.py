"""How networks are trained: `Network.fit`, its loop, and what it needs."""
