"""The thresholds of the causes, with their reasons."""

# Ten times slower is slow: a factor of a gradient, or a ratio of learning speeds.
DECADE = 10.0

# A step changes z by η δ (‖a‖² + 1), of which the weights have ‖a‖² and the bias 1. Inputs whose
# ‖a‖² is below 1/DECADE hardly move anything.
QUIET_POWER = 1 / DECADE

# The curvature along the weights grows with the square of their inputs, and the largest stable rate
# falls with it. Above an RMS of √DECADE it is more than ten times that of inputs of RMS 1.
LARGE_INPUT = DECADE**0.5

# The rate that suits the loudest features is too small for the others by the ratio of their powers.
# One in ten features may hold this much of the power: then the others have 1/DECADE² of theirs.
LOUD_FEATURES, LOUD_SHARE = 1 / DECADE, 1 - 1 / DECADE**2

# Features of a hundredth of the loudest tenth have a hundredth of their gradients; more than a
# tenth of the features are that quiet.
QUIET_FEATURE, QUIET_SHARE = 1 / DECADE**2, 1 / DECADE

# A mean above 5 standard deviations: 96 % of the power of x is the same in all examples.
UNCENTRED_MEAN = 5.0

# Features that are the same in all examples: a third of all, or half of the power of x. One such
# column, as a bias, among few features is common, and harmless.
CONSTANT_FEATURES, CONSTANT_POWER = 1 / 3, 1 / 2

# y of a regression: errors and gradients grow with it, and the output must first grow to it.
LARGE_TARGET, SMALL_TARGET = DECADE, 1 / DECADE
# The part of y that may be outside the range of the outputs by more than OUTSIDE_MARGIN of that
# range: a few, and noise, are no mistake.
OUTSIDE_SHARE, OUTSIDE_MARGIN = 0.1, 0.1

# A gate below 1/DECADE of its largest value passes a tenth of the error; half of all gates of a
# layer then stand still. A neuron is off if its gate is at most OFF for every example. Records of
# steps have the same numbers: src/train/monitor/saturation.rs.
CLOSED, CLOSED_SHARE = 1 / DECADE, 0.5
OFF = 1 / DECADE**2
# Where the weights are above LARGE_GAIN as well, a quarter is enough.
CLOSED_SHARE_OF_LARGE_WEIGHTS = 0.25
# The same two for gates that are open or closed, as those of hard_sigmoid. z of a normal
# distribution that closes half of the smooth gates leaves 0.19 of the squared error, since the
# open ones pass a part of it; one that closes a quarter leaves 0.32.
HARD_CLOSED_SHARE, HARD_CLOSED_SHARE_OF_LARGE_WEIGHTS = 0.8, 0.7
# Half of the neurons of a relu layer are off for an example, so some are off for all of a few.
DEAD_SHARE = 1 / 3
# In a layer whose neurons are copies of few, most of the width is without use.
DISTINCT_SHARE = 0.5

# From the last layer to the first hidden one, errors shrink: the first layer learns at a hundredth
# of the speed of the last.
VANISHED = 1 / DECADE**2
# RMS(W) √n_in is about 1 at the start and a few after training: each layer of DECADE makes
# activations, errors and curvature ten times as large, or small, as its inputs.
LARGE_GAIN, SMALL_GAIN = DECADE, 1 / DECADE
# What the layers may multiply in all, forwards or backwards.
EXPLODED = DECADE**2

# The share of the variation of y that is between examples of equal x, and can never be learned.
CONTRADICTION = 0.2
# The rarest class as a share of what it would have if all were equally frequent: a tenth of the
# examples with two classes. With fewer examples per class than this it may be chance.
RARE_CLASS, MIN_PER_CLASS = 2 / DECADE, 10
# The number of shuffles of y, and the distance in standard deviations at which the true order
# differs from them, the largest of three widths of the kernel, in units of the median distance.
# Fewer examples show nothing, and more are not needed.
SHUFFLES, MIN_DEVIATIONS, MIN_COMPARED, MAX_COMPARED = 60, 4.0, 50, 500
KERNEL_WIDTHS = (1.0, 0.3, 0.1)
# Up to this number of outputs a matrix product computes all shuffles at once in less time.
MAX_OUTPUTS_AT_ONCE = 16

# A step is short if the cost is lowest at this multiple of it, or a larger one. Adam's default
# rate needs up to 2000 on small problems that it learns well.
SHORT_STEP = 4000.0
# A longer step is of use if it takes away this part of the cost. At a saddle it gains less: then
# the step is too small if it moves the parameters by less than this part of their length.
MIN_GAIN, SHORT_RELATIVE = 0.01, 1 / DECADE**4
# The rate of SGD as a part of the largest stable one, which is often also about the best.
FAR_BELOW = 1 / DECADE**3
# A step whose best multiple is below a half raises the cost on a quadratic. Near a minimum steps do
# so by a little; a tenth of all there is to learn is much.
LONG_STEP, RISE = 0.5, 1 / DECADE
# The ceiling 2/λ holds on a quadratic; a network just above it often moves to a smaller λ.
CEILING = 2.0

# Nine tenths of the cost of the best constant answer are gone: the examples are learned.
LEARNED = 1 / DECADE
