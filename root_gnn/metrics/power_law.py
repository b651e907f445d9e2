"""A power law through a loss, or one minus an AUC, against the size of pretraining.

value = floor + scale (size / reference)^-exponent, fitted by least squares; the reference is the geometric mean of the
sizes, which keeps scale and exponent apart. Hestness et al. 2017, arXiv:1712.00409; Kaplan et al. 2020,
arXiv:2001.08361.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import least_squares

from root_gnn.errors import InputError
from root_gnn.metrics.measured import Measured
from root_gnn.typing import Floats


@dataclass(frozen=True)
class PowerLaw:
    """A fitted power law.

    Attributes:
        scale, exponent, floor: with 68 % errors; the floor is zero without error where it was not fitted.
        reference: the size at which the law is `floor + scale`.
        covariance: of log scale, exponent, floor, `(3, 3)`.
        chi2, n_dof: of the fit; chi2 is None where the errors were taken from the scatter.
    """

    scale: Measured
    exponent: Measured
    floor: Measured
    reference: float
    covariance: Floats
    chi2: float | None
    n_dof: int

    def at(self, size: float) -> Measured:
        """The law at one size and its error, to first order in the parameters.

        It is meant for sizes near those that were fitted.
        """
        x = math.log(size / self.reference)
        power = self.scale.value * math.exp(-self.exponent.value * x)
        slopes = np.array([power, -x * power, 1.0])
        return Measured(self.floor.value + power, math.sqrt(float(slopes @ self.covariance @ slopes)))


def power_law(
    sizes: ArrayLike, values: ArrayLike, errors: ArrayLike | None = None, *, with_floor: bool = False
) -> PowerLaw | None:
    """Fits `values (n_size,)`, positive and the smaller the better, at `sizes (n_size,)`, with 68 % `errors (n_size,)`.

    Without errors all values have the same, taken from their scatter about the law, which takes one point more than
    there are parameters: two, or three with a floor that the values do not fall below. The law is the simplest that can
    be said of few points: look at `chi2`. None where the points do not determine the parameters. Raises InputError for
    too few points, for sizes, values or errors that are not positive, and for arrays that don't fit together.
    """
    n, y, sigma = _points(sizes, values, errors, n_parameter=3 if with_floor else 2)
    # About the mean of ln n, level and slope are hardly correlated, and the fit is well conditioned.
    reference = float(np.exp(np.mean(np.log(n))))
    x = np.log(n / reference)

    def residuals(parameters: Floats) -> Floats:
        floor = parameters[2] if with_floor else 0.0
        return np.asarray((floor + np.exp(parameters[0] - parameters[1] * x) - y) / sigma)

    def slopes(parameters: Floats) -> Floats:
        power = np.exp(parameters[0] - parameters[1] * x)
        return np.asarray(np.stack([power, -x * power, np.ones_like(x)], axis=1)[:, : len(parameters)] / sigma[:, None])

    fitted = least_squares(
        residuals, _start(x, y, with_floor=with_floor), jac=slopes, x_scale="jac", xtol=1e-12, ftol=1e-12, gtol=1e-12
    )
    # A direction that changes nothing: the points do not determine all parameters.
    singular = np.linalg.svd(fitted.jac, compute_uv=False)
    if not np.all(np.isfinite(fitted.x)) or singular[-1] <= 1e-10 * singular[0]:
        return None
    n_parameter, n_dof = len(fitted.x), len(n) - len(fitted.x)
    chi2 = float(2.0 * fitted.cost)
    covariance = np.zeros((3, 3))
    # Without errors, the scatter about the law stands for them.
    scatter = chi2 / n_dof if errors is None else 1.0
    covariance[:n_parameter, :n_parameter] = np.linalg.inv(fitted.jac.T @ fitted.jac) * scatter
    error, scale = np.sqrt(np.diag(covariance)), math.exp(fitted.x[0])
    return PowerLaw(
        Measured(scale, scale * float(error[0])),
        Measured(float(fitted.x[1]), float(error[1])),
        Measured(float(fitted.x[2]) if with_floor else 0.0, float(error[2]) if with_floor else None),
        reference,
        covariance,
        chi2=None if errors is None else chi2,
        n_dof=n_dof,
    )


def _start(x: Floats, y: Floats, *, with_floor: bool) -> Floats:
    """Parameters from a straight line through the logarithms, above half the smallest value where there is a floor."""
    floor = 0.5 * float(y.min()) if with_floor else 0.0
    slope, level = np.polyfit(x, np.log(y - floor), 1)
    return np.array([level, -slope, floor][: 3 if with_floor else 2])


def _points(
    sizes: ArrayLike, values: ArrayLike, errors: ArrayLike | None, *, n_parameter: int
) -> tuple[Floats, Floats, Floats]:
    n, y = np.asarray(sizes, dtype=np.float64), np.asarray(values, dtype=np.float64)
    sigma = np.ones_like(y) if errors is None else np.asarray(errors, dtype=np.float64)
    if n.ndim != 1 or not n.shape == y.shape == sigma.shape:
        raise InputError(
            f"A power law takes as many sizes as values and errors and got shapes {n.shape}, {y.shape} and "
            f"{sigma.shape}."
        )
    needed = n_parameter + (errors is None)
    if len(np.unique(n)) < needed:
        raise InputError(
            f"A power law with {n_parameter} parameters takes {needed} different sizes or more"
            f"{' where no errors are given' if errors is None else ''} and got {len(np.unique(n))}."
        )
    for name, column in (("size", n), ("value", y), ("error", sigma)):
        usable = np.isfinite(column) & (column > 0.0)
        if not np.all(usable):
            raise InputError(
                f"A power law takes positive numbers and got a {name} of {column[~usable][0]}. "
                "Training without pretraining has no place on it; give one minus the figure where more is better."
            )
    return n, y, sigma
