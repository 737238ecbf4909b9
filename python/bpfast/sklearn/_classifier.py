"""`MLPClassifier`: its parameters and attributes."""

from __future__ import annotations

from typing import Any

from sklearn.utils._param_validation import StrOptions

from bpfast.sklearn._methods.classifier import BaseClassifier


class MLPClassifier(BaseClassifier):
    r"""Multi-layer perceptron classifier with the interface of scikit-learn's own.

    It minimises the log loss: with one sigmoid output for two classes, a softmax output for more,
    and a sigmoid output for each label of multilabel y.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int, default=(100,)
        The number of neurons of each hidden layer.
    activation : str, default="relu"
        The activation of all hidden layers: "identity", "logistic" (or "sigmoid"), "tanh", "relu",
        or another name of `bpfast.ACTIVATIONS` except softmax.
    solver : {"adam", "sgd", "lbfgs"}, default="adam"
        "adam" and "sgd" take a step per mini-batch. "lbfgs" is SciPy's L-BFGS-B over all examples
        at once, for few examples.
    alpha : float, default=0.0001
        The L2 penalty alpha / 2 Σ w² on the weights. It is divided by the sum of the sample weights
        of a step when it is added to the loss.
    batch_size : int or "auto", default="auto"
        The number of examples of a step; "auto" is min(200, n_samples).
    learning_rate : {"constant", "invscaling", "adaptive"} or schedule, default="constant"
        With solver="sgd": "constant" is `learning_rate_init`; "invscaling" is
        ``learning_rate_init / (t_ + 1) ** power_t`` after each epoch; "adaptive" is divided by 5
        where the training would otherwise stop by `tol`, down to 1e-6. With "sgd" and "adam" one of
        `bpfast.schedules`, or any function of the step counted from 0, in place of
        `learning_rate_init`.
    learning_rate_init : float, default=0.001
        The initial learning rate.
    power_t : float, default=0.5
        The exponent of "invscaling".
    max_iter : int, default=200
        The number of epochs of "sgd" and "adam", of iterations of "lbfgs".
    shuffle : bool, default=True
        Whether each epoch has a new random order.
    random_state : int, RandomState, Generator or None, default=None
        Determines the initial parameters, the held-out examples, the order of each epoch and
        dropout. An int gives the same bits each time.
    tol : float, default=1e-4
        The improvement of the loss or validation score that counts. The gradient norm at which
        "lbfgs" ends.
    verbose : bool or int, default=False
        Whether to print the loss of each epoch.
    warm_start : bool, default=False
        Whether `fit` starts from the parameters of the last call of `fit`.
    momentum : float, default=0.9
        The momentum of "sgd", from 0 to 1.
    nesterovs_momentum : bool, default=True
        Whether "sgd" uses Nesterov's momentum, if `momentum` is above 0.
    early_stopping : bool, default=False
        Whether to hold examples out, to stop after `n_iter_no_change` epochs without a better
        validation score, and to restore the parameters of the best one.
    validation_fraction : float, default=0.1
        The fraction of the examples that `early_stopping` holds out. They are drawn in the
        proportions of the classes, except for multilabel y.
    beta_1, beta_2 : float, default=0.9 and 0.999
        The decay rates of the moments of "adam".
    epsilon : float, default=1e-8
        Added to the root in the step of "adam".
    n_iter_no_change : int or inf, default=10
        The training stops after more than this many epochs in a row without an improvement by
        `tol`.
    max_fun : int, default=15000
        The most evaluations of the loss by "lbfgs".
    hidden : str or list of str, optional
        The activation of each hidden layer, in place of `activation`. Any of `bpfast.ACTIVATIONS`
        except softmax.
    cost : str or callable, optional
        The cost to minimise in place of the log loss: one of `bpfast.COSTS`, or ``cost(a, y) ->
        (C_x, nabla_a)`` as described at `bpfast.Network`. A callable gets y as a matrix of 0 and 1
        with a column per output.
    dropout : float or list of float, default=0
        The probability that a hidden neuron is dropped for an example, one for all hidden layers or
        one per layer.
    l1 : float, default=0
        The L1 penalty l1 Σ \|w\|, divided as that of `alpha`.
    max_norm : float, optional
        After each step, the weights into a neuron are scaled down to this norm if they are longer.
    clip_norm : float, optional
        The gradient of a step is scaled down to this norm if it is longer.
    scoring : str or callable, optional
        The validation score: a scorer of `sklearn.metrics`, its name, or "loss" for the negative
        validation loss. Default: accuracy.
    callbacks : callable or list of callable, optional
        Called as ``callback(net, history)`` after each epoch, with the `bpfast.Network` and its
        `bpfast.History`. Return True to stop.
    checkpoint : str or path-like, optional
        A file that `fit` writes after each epoch.
    resume : bool or path-like, default=False
        Whether `fit` continues from the file of `checkpoint` if it exists, or the file to continue
        from. The data must be the same, and all parameters that change an epoch.
    n_jobs : int, optional
        The number of threads; -1 or None is `bpfast.get_num_threads()`, -2 is one less.
    client : dask.distributed.Client, optional
        `fit` trains on the workers of this cluster, with the result of a training in this process
        up to rounding; see *Estimators* in the manual's page *Many machines*. Each step is a round
        of messages, so `batch_size` should be in the thousands. Copies made by `sklearn.clone` use
        the same client, pickles have none. `partial_fit` trains in this process.
    class_weight : dict, list of dict or "balanced", optional
        The weight of each class by its label, 1 for those that are not given; for multilabel y, a
        dict of the classes 0 and 1 per label. "balanced" gives all classes the same total weight;
        an example of weight 2 counts as two. It multiplies `sample_weight`, but not the weights of
        validation examples.

    Attributes
    ----------
    classes_ : ndarray, (n_classes,)
        The labels of the classes.
    network_ : bpfast.Network
        The network.
    coefs_ : list of ndarray, (n_in, n_out)
        The weights of each layer, as views of the network's parameters.
    intercepts_ : list of ndarray, (n_out,)
        The biases of each layer, likewise.
    loss_ : float
        The loss of the last epoch, with the penalties.
    loss_curve_ : list of float
        The loss of each epoch of "sgd" and "adam".
    best_loss_ : float or None
        The lowest of them. None with `early_stopping`.
    validation_loss_curve_ : list of float or None
        The loss of the validation examples after each epoch, without penalties.
    validation_scores_ : list of float or None
        Their score after each epoch.
    best_validation_score_ : float or None
        The best of these scores.
    n_iter_ : int
        The number of epochs or iterations of the last training.
    t_ : int
        The number of examples that "sgd" and "adam" have used, over all epochs.
    n_layers_ : int
        The number of layers, with input and output.
    n_outputs_ : int
        The number of outputs.
    out_activation_ : str
        The activation of the output, in scikit-learn's terms.
    n_features_in_ : int
        The number of features.
    feature_names_in_ : ndarray of str
        Their names, if X was a table whose columns have names.

    See Also
    --------
    MLPRegressor : The same for numbers.

    Notes
    -----
    The order of the examples and dropout come from bpfast's own random numbers, so the same
    `random_state` gives other epochs than scikit-learn, from the same initial parameters.

    Examples
    --------
    >>> from bpfast.sklearn import MLPClassifier
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MLPClassifier(solver="lbfgs", max_iter=1000, random_state=0).fit(X, y)
    >>> clf.predict(X[[0, 50, 100]])
    array([0, 1, 2])
    >>> clf.score(X, y) > 0.95
    True
    """

    _parameter_constraints = BaseClassifier._parameter_constraints | {
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: str = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: int | str = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool | int = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        hidden: Any = None,
        cost: Any = None,
        dropout: Any = 0.0,
        l1: float = 0.0,
        max_norm: float | None = None,
        clip_norm: float | None = None,
        scoring: Any = None,
        callbacks: Any = None,
        checkpoint: Any = None,
        resume: Any = False,
        n_jobs: int | None = None,
        client: Any = None,
        class_weight: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.hidden = hidden
        self.cost = cost
        self.dropout = dropout
        self.l1 = l1
        self.max_norm = max_norm
        self.clip_norm = clip_norm
        self.scoring = scoring
        self.callbacks = callbacks
        self.checkpoint = checkpoint
        self.resume = resume
        self.n_jobs = n_jobs
        self.client = client
        self.class_weight = class_weight
