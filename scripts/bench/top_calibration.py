"""Compares promised with observed shares of counterfeits among the riskiest listings of a market at 1 %.

`.venv/bin/python scripts/bench/top_calibration.py` prints a table. All calibrations are fitted at 12 %; beside the
package's own stand others, moved to 1 % in the same way.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import Annotated

import numpy as np
import typer
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits
from title_market import Market, TitleModel

from counterfeit_risk.evaluation.calibration import fit_calibration

_HERE, _DEPLOYED = 0.12, 0.01
_OFFSET = logit(_DEPLOYED) - logit(_HERE)
_SIZES = (500, 2000, 5000, 20_000)
_TOPS = (100, 1000)
_TRAINING = 40_000
_ROW = "  {:>8} {:32}" + 4 * "{:>16}"

Risk = Callable[[np.ndarray], np.ndarray]
"""From logits to risks at the deployed prevalence."""


@dataclass(frozen=True, eq=False)
class Scored:
    """N listings as a model scored them."""

    logits: np.ndarray
    labels: np.ndarray
    """(N,) bool, True where counterfeit."""


Draw = tuple[Scored, Scored]
"""Listings to calibrate on, at 12 %, and where the model is deployed, at 1 %."""


def without_prior(scored: Scored) -> Risk:
    """The package's own at the prevalence that it was fitted on."""
    return fit_calibration(scored.logits, scored.labels).risk


def ours(scored: Scored) -> Risk:
    """What the package does: Platt scaling with a floor, moved to the deployed prevalence."""
    return fit_calibration(scored.logits, scored.labels, deployed_prevalence=_DEPLOYED).risk


def temperature(scored: Scored) -> Risk:
    """One factor on the logits."""
    signs = np.where(scored.labels, 1, -1)

    def loss(log_factor: float) -> float:
        return float(np.logaddexp(0, -signs * np.exp(log_factor) * scored.logits).mean())

    factor = np.exp(minimize_scalar(loss, bounds=(-4, 4), method="bounded").x)
    return lambda logits: expit(factor * logits + _OFFSET)


def isotonic(scored: Scored) -> Risk:
    """Any function that does not fall."""
    steps = IsotonicRegression(out_of_bounds="clip").fit(scored.logits, scored.labels)
    return lambda logits: _moved(steps.predict(logits))


def beta(scored: Scored) -> Risk:
    """Beta calibration (Kull, Silva Filho and Flach 2017): a slope for either side of the sigmoid."""
    line = LogisticRegression(C=1e6).fit(_sides(scored.logits), scored.labels)
    return lambda logits: expit(line.decision_function(_sides(logits)) + _OFFSET)


def at_deployed_prevalence(scored: Scored) -> Risk:
    """Platt scaling of listings weighted to the deployed prevalence, which looks at the top."""
    counterfeit, genuine = _DEPLOYED / scored.labels.mean(), (1 - _DEPLOYED) / (1 - scored.labels.mean())
    weights = np.where(scored.labels, counterfeit, genuine)
    line = LogisticRegression(C=1e6).fit(scored.logits[:, None], scored.labels, sample_weight=weights)
    return lambda logits: expit(line.decision_function(logits[:, None]))


def without_floor(scored: Scored) -> Risk:
    """Platt scaling, moved to the deployed prevalence."""
    line = LogisticRegression(C=1e6).fit(scored.logits[:, None], scored.labels)
    return lambda logits: expit(line.decision_function(logits[:, None]) + _OFFSET)


_METHODS: dict[str, Callable[[Scored], Risk]] = {
    "sigmoid": lambda _: expit,
    "floor, no prior offset": without_prior,
    "floor and prior offset (ours)": ours,
    "Platt and prior offset": without_floor,
    "temperature and prior offset": temperature,
    "isotonic and prior offset": isotonic,
    "beta and prior offset": beta,
    "Platt weighted to the deployed": at_deployed_prevalence,
}


def main(
    draws: Annotated[int, typer.Option(min=1, help="Deployments drawn from each population.")] = 20,
    rows: Annotated[int, typer.Option(min=2000, help="Listings of a deployment.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes that draw the market.")] = 2,
) -> None:
    """Compare promised with observed shares of counterfeits among the riskiest listings."""
    typer.echo(f"{draws} draws of {rows:,} listings at {_DEPLOYED:.0%}, calibrated at {_HERE:.0%}, seed {seed}")
    typer.echo("gap: promised - observed share of counterfeits; its mean over the draws, and the mean of its size\n")
    market = Market(seed)
    model = TitleModel(market.draw(_TRAINING, prevalence=_HERE, seed=seed))
    populations: dict[str, Callable[[int], Draw]] = {
        "normal logits": partial(_draw_law, rows, _NORMAL),
        "skewed logits": partial(_draw_law, rows, _SKEWED),
        "market, title model": partial(_draw_market, rows, market, model),
    }
    seeds = range(seed + 1, seed + 1 + draws)
    spawning = get_context("spawn")  # forking a process that has threads can hang
    with ProcessPoolExecutor(workers, spawning, threadpool_limits, (1,)) as processes:
        for name, draw in populations.items():
            _print_population(name, list(processes.map(partial(_gaps, draw), seeds)))


@dataclass(frozen=True)
class Law:
    """Normal distributions of the logits of either class: their weights, means and deviations."""

    genuine: tuple[tuple[float, float, float], ...]
    counterfeit: tuple[tuple[float, float, float], ...]

    def draw(self, rng: np.random.Generator, listings: int, prevalence: float) -> Scored:
        """Listings at a prevalence."""
        labels = rng.random(listings) < prevalence
        logits = np.empty(listings)
        for label, parts in ((False, self.genuine), (True, self.counterfeit)):
            weights, means, deviations = np.array(parts).T
            part = rng.choice(weights.size, np.count_nonzero(labels == label), p=weights)
            logits[labels == label] = rng.normal(means[part], deviations[part])
        return Scored(logits, labels)


_NORMAL = Law(genuine=((1.0, -4.0, 1.8),), counterfeit=((1.0, 0.0, 1.8),))
_SKEWED = Law(
    genuine=((0.95, -4.0, 1.2), (0.05, -1.0, 1.6)),
    counterfeit=((0.45, 3.0, 1.5), (0.55, -2.0, 1.5)),
)


def _draw_law(rows: int, law: Law, seed: int) -> Draw:
    rng = np.random.default_rng(seed)
    return law.draw(rng, _SIZES[-1], _HERE), law.draw(rng, rows, _DEPLOYED)


def _draw_market(rows: int, market: Market, model: TitleModel, seed: int) -> Draw:
    here = market.draw(_SIZES[-1], prevalence=_HERE, seed=2 * seed)
    there = market.draw(rows, prevalence=_DEPLOYED, seed=2 * seed + 1)
    return Scored(model.logits(here), here.labels), Scored(model.logits(there), there.labels)


def _gaps(draw: Callable[[int], Draw], seed: int) -> np.ndarray:
    """(sizes, methods, tops) promised - observed shares of one draw."""
    here, there = draw(seed)
    return np.array(
        [
            [_gap(method(Scored(here.logits[:size], here.labels[:size])), there) for method in _METHODS.values()]
            for size in _SIZES
        ]
    )


def _gap(risk: Risk, there: Scored) -> list[float]:
    order = np.argsort(-there.logits, kind="stable")[: max(_TOPS)]
    promised, observed = risk(there.logits[order]), there.labels[order]
    return [float(promised[:top].mean() - observed[:top].mean()) for top in _TOPS]


def _print_population(name: str, gaps: list[np.ndarray]) -> None:
    typer.echo(name)
    heads = [f"{kind} {top:,}" for top in _TOPS for kind in ("gap in", "size in")]
    typer.echo(_ROW.format("fitted", "calibration", *heads))
    means, sizes = np.mean(gaps, axis=0), np.abs(gaps).mean(axis=0)
    for row, fitted in enumerate(_SIZES):
        for column, method in enumerate(_METHODS):
            cells = [
                cell
                for top in range(len(_TOPS))
                for cell in (f"{means[row, column, top]:+.3f}", f"{sizes[row, column, top]:.3f}")
            ]
            typer.echo(_ROW.format(f"{fitted:,}", method, *cells))
    typer.echo()


def _moved(risks: np.ndarray) -> np.ndarray:
    """Risks at the deployed prevalence; certainty stays certain."""
    with np.errstate(divide="ignore"):
        return np.asarray(expit(logit(risks) + _OFFSET))


def _sides(logits: np.ndarray) -> np.ndarray:
    """(N, 2) log p and -log(1 - p) of the model's own risks."""
    return np.column_stack([-np.logaddexp(0, -logits), np.logaddexp(0, logits)])


if __name__ == "__main__":
    typer.run(main)
