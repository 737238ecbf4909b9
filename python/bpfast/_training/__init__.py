"""Training: `Network.fit`, its loop, and everything that it needs."""
