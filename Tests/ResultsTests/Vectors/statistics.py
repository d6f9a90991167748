"""Writes statistics.json: what SciPy and statsmodels say of samples, for ComparisonStatisticsTests.

    python3 -m venv venv && venv/bin/pip install scipy==1.17.1 numpy==2.4.6 statsmodels==0.15.0
    venv/bin/python Tests/ResultsTests/Vectors/statistics.py > Tests/ResultsTests/Vectors/statistics.json
"""

import json

import numpy
import scipy.stats
from statsmodels.stats.multitest import multipletests

random = numpy.random.default_rng(7)


def mann_whitney(first, second, method):
    answer = scipy.stats.mannwhitneyu(first, second, alternative="two-sided", method=method)
    return {
        "first": list(map(float, first)),
        "second": list(map(float, second)),
        "exact": method == "exact",
        "u": float(answer.statistic),
        "p": float(answer.pvalue),
    }


tests = [
    mann_whitney([1, 2, 3], [4, 5, 6], "exact"),
    mann_whitney([1, 3, 5, 7], [2, 4, 6, 8], "exact"),
    # The example of SciPy's documentation, and that of R's wilcox.test (Hollander and Wolfe).
    mann_whitney([19, 22, 16, 29, 24], [20, 11, 17, 12], "exact"),
    mann_whitney([0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46], [1.15, 0.88, 0.9, 0.74, 1.21], "exact"),
    mann_whitney([5], [1, 2, 3, 4, 6, 7], "exact"),
]
for sizes in [(5, 5), (8, 8), (12, 7), (25, 25), (20, 24)]:
    first, second = (numpy.round(random.normal(100, 10, size), 6) for size in sizes)
    tests.append(mann_whitney(first, second + 4, "exact"))
# With ties, and with more values than are counted out.
tests.append(mann_whitney([1, 1, 2, 2, 3], [2, 2, 3, 3, 4], "asymptotic"))
tests.append(mann_whitney([0, 0, 0, 0, 0, 0], [3, 3, 3, 3, 3, 3], "asymptotic"))
tests.append(mann_whitney([0, 0, 1, 0, 0, 2, 0, 0], [0, 1, 0, 0, 3, 0, 0, 0], "asymptotic"))
for sizes in [(6, 9), (30, 30)]:
    first, second = (numpy.floor(random.gamma(2, 3, size)) for size in sizes)
    tests.append(mann_whitney(first, second, "asymptotic"))
first, second = (numpy.round(random.normal(100, 10, size), 6) for size in (40, 26))
tests.append(mann_whitney(first, second + 6, "asymptotic"))

corrections = []
for p in [[0.01, 0.04, 0.03, 0.005], [0.5], [0.2, 0.9, 0.6], [0.001, 0.001, 0.02, 0.7, 0.049, 0.0125]]:
    corrections.append({"p": p, "adjusted": list(map(float, multipletests(p, method="holm")[1]))})


def every_resample(sample):
    """The median of each way to draw the sample anew, all of which are equally likely."""
    places = numpy.indices((len(sample),) * len(sample)).reshape(len(sample), -1)
    return numpy.median(numpy.array(sample)[places], axis=0)


def interval(first, second):
    """Between what the ends of an interval of 95 % lie, of all resamples there are, and those of SciPy's bootstrap."""
    differences = numpy.subtract.outer(every_resample(second), every_resample(first)).ravel()
    drawn = scipy.stats.bootstrap(
        (first, second),
        lambda a, b, axis: numpy.median(b, axis=axis) - numpy.median(a, axis=axis),
        confidence_level=0.95,
        n_resamples=200_000,
        batch=10_000,
        method="percentile",
        vectorized=True,
        rng=numpy.random.default_rng(1),
    ).confidence_interval
    return {
        "first": list(map(float, first)),
        "second": list(map(float, second)),
        "difference": float(numpy.median(second) - numpy.median(first)),
        "lower": [float(numpy.quantile(differences, share)) for share in (0.021, 0.029)],
        "upper": [float(numpy.quantile(differences, share)) for share in (0.971, 0.979)],
        "scipy": [float(drawn.low), float(drawn.high)],
    }


intervals = [
    interval([1, 2, 4], [8, 16, 32]),
    interval([10.1, 11.7, 9.4, 10.9], [12.3, 14.2, 11.1, 12.9]),
    interval([100, 102, 97, 110, 99], [108, 113, 111, 105, 121]),
]
json.dump({"mannWhitney": tests, "holm": corrections, "intervals": intervals}, __import__("sys").stdout, indent=1)
print()
