"""What a callable cost must not return, and with which words it is refused."""

WRONG = [
    (lambda a, y: None, TypeError, r"cost.*: expected .*\(C_x, nabla_a.*\), got .*NoneType"),
    (lambda a, y: 1.0, TypeError, r"cost.*: expected .*\(C_x, nabla_a.*\), got .*float"),
    (lambda a, y: a, TypeError, r"cost.*: expected .*\(C_x, nabla_a.*\), got .*ndarray"),
    (lambda a, y: "ab", TypeError, r"cost.*: expected .*\(C_x, nabla_a.*\), got .*str"),
    (lambda a, y: (a[:, 0],), ValueError, r"cost.*: expected .*\(C_x, nabla_a.*\), got 1"),
    (lambda a, y: (a[:, 0], a, a), ValueError, r"cost.*: expected .*\(C_x, nabla_a.*\), got 3"),
    (lambda a, y: (a, a), ValueError, r"cost.*: expected shape \(4,\), got \(4, 2\)"),
    (lambda a, y: (a[:3, 0], a), ValueError, r"cost.*: expected shape \(4,\), got \(3,\)"),
    (lambda a, y: (0.0, a), ValueError, r"cost.*: expected shape \(4,\), got \(\)"),
    (lambda a, y: (a[:, 0], a[:, 0]), ValueError, r"cost.*: expected shape \(4, 2\), got \(4,\)"),
    (lambda a, y: (a[:, 0], a[:3]), ValueError, r"cost.*: expected shape \(4, 2\), got \(3, 2\)"),
    (lambda a, y: (a[:, 0], a.T), ValueError, r"cost.*: expected shape \(4, 2\), got \(2, 4\)"),
    (
        lambda a, y: (a[:, 0].astype(object), a),
        TypeError,
        "cost.*: expected real numbers, got dtype object",
    ),
    (
        lambda a, y: (a[:, 0], a.astype(object)),
        TypeError,
        "cost.*: expected real numbers, got dtype object",
    ),
    (
        lambda a, y: (a[:, 0], a * 1j),
        TypeError,
        "cost.*: expected real numbers, got dtype complex128",
    ),
    (lambda a, y: (None, a), TypeError, "cost.*: expected real numbers, got"),
    (lambda a, y: ("abcd", a), TypeError, "cost.*: expected real numbers, got"),
    (lambda a: (a[:, 0], a), TypeError, "positional argument"),
]
