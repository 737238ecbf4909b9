"""Names of activations and costs that are refused, and the messages."""

ALONE = "expected an activation that acts on each neuron by itself, got 'softmax'"
NAMES = [
    ({"hidden": "rellu"}, ValueError, "hidden: unknown name 'rellu'; did you mean 'relu'\\? valid"),
    (
        {"hidden": ["Tanh"]},
        ValueError,
        r"hidden\[0\]: unknown name 'Tanh'; did you mean 'tanh'\? valid: '",
    ),
    (
        {"hidden": ["tanh", "relu"]},
        ValueError,
        "hidden: expected 1 activations, one per hidden layer, got 2",
    ),
    ({"hidden": []}, ValueError, "hidden: expected 1 activations, one per hidden layer, got 0"),
    ({"hidden": "softmax"}, ValueError, rf"hidden(\[0\])?: {ALONE}"),
    ({"hidden": ["softmax"]}, ValueError, rf"hidden\[0\]: {ALONE}"),
    ({"hidden": None}, TypeError, "hidden: expected a name or a list.*, got NoneType"),
    ({"hidden": [None]}, TypeError, r"hidden\[0\]: expected a name, got NoneType"),
    (
        {"output": "sigmoyd"},
        ValueError,
        "output: unknown name 'sigmoyd'; did you mean 'sigmoid'\\? valid: '",
    ),
    ({"output": "zzz"}, ValueError, "output: unknown name 'zzz'; valid: '"),
    ({"output": ""}, ValueError, "output: unknown name ''; valid: '"),
    (
        {"hidden": "LeakyReLU(0.2)"},
        ValueError,
        "hidden: unknown name 'LeakyReLU'; did you mean 'leaky_relu'\\? valid: '",
    ),
    (
        {"hidden": "leaky_relu(negative_slope=0.3)"},
        ValueError,
        r"hidden: expected 'leaky_relu\(slope=0.3\)', got 'leaky_relu\(negative_slope=0.3\)'",
    ),
    (
        {"output": "leaky_relu(alpha= 0.3)"},
        ValueError,
        r"output: expected 'leaky_relu\(slope=0.3\)', got 'leaky_relu\(alpha= 0.3\)'",
    ),
    (
        {"hidden": ["elu(slope=1)"]},
        ValueError,
        r"hidden\[0\]: expected 'elu\(alpha=1\)', got 'elu\(slope=1\)'",
    ),
    (
        {"output": "tanh(2)"},
        ValueError,
        r"output: expected 'tanh', which has no parameter, got 'tanh\(2\)'",
    ),
    *(
        (
            {"output": f"elu({inside}"},
            ValueError,
            r"output: expected a number in parentheses, as in 'elu\(alpha=0.2\)', got 'elu\(",
        )
        for inside in (")", "0.2", "0.2))", "x)", "alpha)", "1_0)", "a=b=1)", "1, 2)")
    ),
    *(
        (
            {"hidden": f"leaky_relu({value})"},
            ValueError,
            r"hidden: expected a positive slope in the range of float32 .*, got 'leaky_relu\(",
        )
        for value in ("0", "-0.2", "nan", "inf", "-inf", "1e-39", "1e39")
    ),
    # Text that UTF-8 cannot encode.
    ({"output": "\ud800"}, ValueError, "output: unknown name '.+'; valid: '"),
    ({"hidden": "\ud800"}, ValueError, "hidden: unknown name '.+'; valid: '"),
    ({"hidden": ["\ud800"]}, ValueError, r"hidden\[0\]: unknown name '.+'; valid: '"),
    ({"cost": "\ud800"}, ValueError, "cost: unknown name '.+'; valid: '"),
    ({"output": None}, TypeError, "output: expected a name, got NoneType"),
    ({"output": b"tanh"}, TypeError, "output: expected a name, got bytes"),
    ({"output": ["tanh"]}, TypeError, "output: expected a name, got list"),
    (
        {"cost": "quadratc"},
        ValueError,
        "cost: unknown name 'quadratc'; did you mean 'quadratic'\\? valid: '",
    ),
    (
        {"cost": "custom"},
        ValueError,
        "cost: unknown name 'custom'; (did you mean '.*'\\? )?valid: '",
    ),
    ({"cost": None}, TypeError, "cost: expected a name( or a callable)?, got NoneType"),
    ({"cost": 1}, TypeError, "cost: expected a name( or a callable)?, got int"),
]
# The outputs that each cost accepts, as in docs/mathematics.md.
ALLOWED = {
    "cross_entropy": {"sigmoid", "softmax"},
    "log_likelihood": {"softmax"},
    "poisson": {"sigmoid", "softplus", "softmax"},
}
