"""What differs between scikit-learn 1.5 and later releases."""

from __future__ import annotations

from typing import Any

try:
    from sklearn.utils.validation import validate_data
except ImportError:  # scikit-learn 1.5 has it as a method

    def validate_data(estimator: Any, *arrays: Any, **settings: Any) -> Any:
        """Check the arrays, and record or compare the names and the number of the features."""
        return estimator._validate_data(*arrays, **settings)


__all__ = ["validate_data"]
