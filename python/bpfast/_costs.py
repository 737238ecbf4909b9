"""What names of costs say."""

from __future__ import annotations

# The costs of the residuals a - y, which are lowest where the outputs are y.
RESIDUAL = ("quadratic", "huber", "absolute")
# The costs that take class labels.
LABELLED = ("cross_entropy", "log_likelihood")
