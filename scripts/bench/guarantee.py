"""Counts how often the bands break their promises, on populations whose true shares are known.

`.venv/bin/python scripts/bench/guarantee.py` prints a table. Beside the bands stand two others that promise the same:
bands with every listing counted, and the thresholds that keep the promise on the calibration set itself.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import numpy as np
import typer
from populations import Pool, Population, Sample, SellerLaw
from scipy.special import expit
from scipy.stats import binomtest
from title_market import Market, TitleModel, Titles

from counterfeit_risk.config import RiskSettings
from counterfeit_risk.evaluation.metrics import cuts
from counterfeit_risk.evaluation.risk_bands import fit_risk_bands

_PREVALENCE = 0.12
_CORRELATION = 0.8  # a counterfeiter sells little else
_NOISE_OF_SELLER, _NOISE_OF_LISTING = 0.7, 1.0
_ROW = "  {:29}{:>9}" + 4 * "{:>21}"

Thresholds = tuple[float | None, float]
"""From where on listings are automatic, and from where on they are reviewed."""
Choice = Callable[[Sample, RiskSettings], Thresholds]


@dataclass(frozen=True)
class Case:
    """One population, and what is promised of it."""

    name: str
    population: Population
    sellers: int
    settings: RiskSettings


@dataclass(frozen=True)
class Outcome:
    """The true shares behind the thresholds of one draw."""

    certified: bool
    wrongful: float
    """Of the automatic band, each seller counting once; 0 where nothing is automatic."""
    wrongful_by_listing: float
    missed: float
    """Of the counterfeits, those below the review band, each of their sellers counting once."""
    missed_by_listing: float


def ours(sample: Sample, settings: RiskSettings) -> Thresholds:
    """The bands as the package fits them."""
    bands = fit_risk_bands(sample.risks, sample.labels, sample.groups, settings, seed=0)
    return bands.automatic_from, bands.review_from


def every_listing(sample: Sample, settings: RiskSettings) -> Thresholds:
    """The same, with listings of one seller taken as independent."""
    bands = fit_risk_bands(sample.risks, sample.labels, np.arange(sample.labels.size), settings, seed=0)
    return bands.automatic_from, bands.review_from


def naive(sample: Sample, settings: RiskSettings) -> Thresholds:
    """The widest bands that keep both promises on the calibration set."""
    curve = cuts(sample.labels, sample.risks, np.ones(sample.labels.size))
    precision = curve.precision
    if settings.deployed_prevalence is not None:
        factor = _odds(settings.deployed_prevalence) / _odds(float(sample.labels.mean()))
        precision = factor * curve.caught / (factor * curve.caught + curve.flagged - curve.caught)
    kept = curve.thresholds[precision >= 1 - settings.wrongful_share]
    counterfeits = np.sort(sample.risks[sample.labels])
    return kept.min() if kept.size else None, counterfeits[int(settings.missed_share * counterfeits.size)]


_CHOICES: dict[str, Choice] = {
    "bands": ours,
    "bands, every listing counted": every_listing,
    "kept on the calibration set": naive,
}


def main(
    draws: Annotated[int, typer.Option(min=1, help="Calibration sets drawn from each population.")] = 1000,
    sellers: Annotated[int, typer.Option(min=1, help="Sellers in a calibration set.")] = 2000,
    listings: Annotated[int, typer.Option(min=1000, help="Listings of the synthetic market.")] = 60_000,
    seed: Annotated[int, typer.Option(min=0, help="Of all that is drawn.")] = 0,
) -> None:
    """Count how often bands break their promises, on populations whose shares are known."""
    typer.echo(
        f"{draws:,} draws of each, seed {seed}. certified: draws in which something is automatic. Then the draws in\n"
        "which the true share is above the promise, with their exact 95 % interval; at most delta of them may be.\n"
    )
    for case in _cases(sellers, listings, seed):
        _print_case(case, draws, seed)


def _cases(sellers: int, listings: int, seed: int) -> Iterator[Case]:
    for alpha in (0.05, 0.1):
        settings = RiskSettings(wrongful_share=alpha)
        yield Case("law: a good model", SellerLaw(_good, _CORRELATION), sellers, settings)
        plateau = SellerLaw(partial(_plateau, wrongful_share=1.1 * alpha), _CORRELATION)
        yield Case("law: no threshold keeps it, by a tenth", plateau, sellers, settings)
    rare = RiskSettings(wrongful_share=0.2, deployed_prevalence=0.01)
    yield Case("law: a good model, deployed at 1 %", SellerLaw(_good, _CORRELATION), 4 * sellers, rare)
    plateau = SellerLaw(partial(_plateau, wrongful_share=_shifted(1.1 * rare.wrongful_share, 0.01)), _CORRELATION)
    yield Case("law: no threshold keeps it, by a tenth, deployed at 1 %", plateau, 4 * sellers, rare)
    yield from _market_cases(sellers, listings, seed)


def _market_cases(sellers: int, listings: int, seed: int) -> Iterator[Case]:
    market = Market(seed)
    model = TitleModel(market.draw(listings // 2, prevalence=_PREVALENCE, seed=seed))
    titles = market.draw(listings, prevalence=_PREVALENCE, seed=seed + 1, with_posteriors=True)
    counterfeiters = np.unique(titles.hands[titles.labels]).size
    hands = np.unique(titles.hands).size
    typer.echo(f"market of {listings:,} listings: {hands:,} hands, {counterfeiters:,} with counterfeits\n")
    by_title = model.logits(titles)
    by_posterior = _perturbed(titles, np.random.default_rng(seed))
    for alpha in (0.05, 0.1):
        settings = RiskSettings(wrongful_share=alpha)
        for name, logits, groups in (
            ("market: title model", by_title, titles.hands),
            ("market: true posterior with noise", by_posterior, titles.hands),
            ("market: the same, half the links unknown", by_posterior, titles.groups),
        ):
            yield Case(name, _pool(titles, logits, groups), sellers, settings)
    rare = RiskSettings(wrongful_share=0.2, deployed_prevalence=0.01)
    pool = _pool(titles, by_posterior, titles.hands)
    yield Case("market: true posterior with noise, deployed at 1 %", pool, 4 * sellers, rare)


def _pool(titles: Titles, logits: np.ndarray, groups: np.ndarray) -> Pool:
    risks = expit(logits).astype(np.float32).astype(np.float64)  # as the exported graph would give them
    numbers = (np.unique(names, return_inverse=True)[1] for names in (groups, titles.hands))
    return Pool(Sample(risks, titles.labels, next(numbers)), next(numbers))


def _perturbed(titles: Titles, rng: np.random.Generator) -> np.ndarray:
    _, hand = np.unique(titles.hands, return_inverse=True)
    of_hand = rng.normal(0, _NOISE_OF_SELLER, hand.max() + 1)[hand]
    noisy: np.ndarray = titles.posterior_logits + of_hand + rng.normal(0, _NOISE_OF_LISTING, hand.size)
    return noisy


def _good(risks: np.ndarray) -> np.ndarray:
    return np.asarray(expit(60 * (risks - 0.88)))


def _plateau(risks: np.ndarray, *, wrongful_share: float) -> np.ndarray:
    """A tenth of all listings, all equally often counterfeit; the other counterfeits lie evenly below."""
    rest = (_PREVALENCE - 0.1 * (1 - wrongful_share)) / 0.9
    return np.where(risks >= 0.9, 1 - wrongful_share, rest)


def _shifted(share: float, deployed: float) -> float:
    """The wrongful share here that becomes this one where fewer are counterfeit."""
    odds = _odds(share) * _odds(deployed) / _odds(_PREVALENCE)
    return odds / (1 + odds)


def _odds(share: float) -> float:
    return share / (1 - share)


def _print_case(case: Case, draws: int, seed: int) -> None:
    settings = case.settings
    at = "" if settings.deployed_prevalence is None else f" at prevalence {settings.deployed_prevalence:g}"
    typer.echo(
        f"{case.name}; {case.sellers:,} sellers: wrongful <= {settings.wrongful_share:g}{at}, "
        f"missed <= {settings.missed_share:g}, delta {1 - settings.confidence:.2g}"
    )
    typer.echo(_ROW.format("thresholds", "certified", "wrongful", "wrongful by listing", "missed", "missed by listing"))
    outcomes: dict[str, list[Outcome]] = {name: [] for name in _CHOICES}
    for draw in range(draws):
        sample = case.population.draw(np.random.default_rng([seed, draw]), case.sellers)
        for name, choice in _CHOICES.items():
            outcomes[name].append(_judge(case, *choice(sample, settings)))
    for name, found in outcomes.items():
        _print_row(name, found, settings)
    typer.echo()


def _judge(case: Case, automatic_from: float | None, review_from: float) -> Outcome:
    by_seller, by_listing = case.population.by_seller, case.population.by_listing
    prevalence = case.settings.deployed_prevalence
    start = np.inf if automatic_from is None else automatic_from
    return Outcome(
        certified=automatic_from is not None,
        wrongful=by_seller.wrongful(start, prevalence=prevalence),
        wrongful_by_listing=by_listing.wrongful(start, prevalence=prevalence),
        missed=by_seller.missed(review_from),
        missed_by_listing=by_listing.missed(review_from),
    )


def _print_row(name: str, found: list[Outcome], settings: RiskSettings) -> None:
    broken = [
        _share(breaks)
        for breaks in (
            [one.wrongful > settings.wrongful_share for one in found],
            [one.wrongful_by_listing > settings.wrongful_share for one in found],
            [one.missed > settings.missed_share for one in found],
            [one.missed_by_listing > settings.missed_share for one in found],
        )
    ]
    typer.echo(_ROW.format(name, f"{np.mean([one.certified for one in found]):.1%}", *broken))


def _share(breaks: list[bool]) -> str:
    interval = binomtest(sum(breaks), len(breaks)).proportion_ci(0.95, method="exact")
    return f"{np.mean(breaks):.1%} [{100 * interval.low:.1f}, {100 * interval.high:.1f}]"


if __name__ == "__main__":
    typer.run(main)
