"""The methods of `Network` for derivatives beyond the gradient of a batch."""
